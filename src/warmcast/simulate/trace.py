"""A demand trace: minutes of what was asked of one target, and nothing of what a policy made of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from warmcast.model import FloatArray, IntArray

MINUTE_S = 60


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Minutes of demand, oldest first, without holes in time: a gap is NaN.

    Args:
        start: epoch seconds at which the first minute begins; a multiple of 60.
        demand: offered load in concurrent executions, shape (N,). NaN: a gap.
        arrivals_per_s: arrival rate, shape (N,); demand / duration where only the concurrency is known. NaN: a gap.
        peak: most concurrent executions within the minute, shape (N,). NaN: not known.
    """

    start: int
    demand: FloatArray
    arrivals_per_s: FloatArray
    peak: FloatArray

    def __post_init__(self) -> None:
        """Arrays of different lengths, or a start within a minute, are a mistake of the caller's."""
        if self.start % MINUTE_S:
            raise ValueError(f"a trace starts at a full minute, not at {self.start}")
        if not len(self.demand) == len(self.arrivals_per_s) == len(self.peak):
            raise ValueError("demand, arrivals and peak of a trace are equally long")

    def __len__(self) -> int:
        return len(self.demand)

    @property
    def end(self) -> int:
        """Epoch seconds at which the last minute ends."""
        return self.start + MINUTE_S * len(self)

    @property
    def at(self) -> IntArray:
        """Epoch seconds at which each minute begins, shape (N,)."""
        return self.start + MINUTE_S * np.arange(len(self), dtype=np.int64)

    def between(self, start: int, end: int) -> Trace:
        """The minutes that lie wholly inside [start, end), epoch seconds."""
        first = min(max(0, -(-(start - self.start) // MINUTE_S)), len(self))
        last = max(first, min(len(self), (end - self.start) // MINUTE_S))
        part = slice(first, last)
        return Trace(
            start=self.start + first * MINUTE_S,
            demand=self.demand[part],
            arrivals_per_s=self.arrivals_per_s[part],
            peak=self.peak[part],
        )
