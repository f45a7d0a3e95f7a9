"""What is foreseen: quantiles of demand, or no opinion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from datetime import datetime

    from warmcast.model.arrays import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Unknown:
    """The brain has no opinion, and says why: "I don't know" as a value. Never zero traffic."""

    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Quantiles of demand over a horizon.

    Args:
        issued_at: the instant whose knowledge it holds.
        at: epoch seconds at which each step begins, shape (H,).
        step_s: length of each step, shape (H,): 60 to 48 hours, then 300.
        levels: quantile levels, ascending, shape (K,).
        weights: probability that each level's value stands for, shape (K,), sum 1.
        demand: quantiles of demand in concurrent executions, shape (K, H).
        rate_per_s: quantiles of the arrival rate, shape (K, H).
        peakedness: variance-to-mean ratio of the executions in progress within a minute; 1 is Poisson.
        basis: what it rests on, in a word: "week", "day", "level".
        fallen_from: the forecast issued before a sudden fall of traffic within the last hour; None if there was none.
        fell_deep: whether it fell lower than it ever goes by itself at this time of day.
    """

    issued_at: datetime
    at: IntArray
    step_s: IntArray
    levels: FloatArray
    weights: FloatArray
    demand: FloatArray
    rate_per_s: FloatArray
    peakedness: float
    basis: str
    fallen_from: Forecast | None = None
    fell_deep: bool = False

    def between(self, start: int, end: int) -> Forecast:
        """The steps that overlap [start, end), epoch seconds."""
        inside = (self.at < end) & (self.at + self.step_s > start)
        return replace(
            self,
            at=self.at[inside],
            step_s=self.step_s[inside],
            demand=self.demand[:, inside],
            rate_per_s=self.rate_per_s[:, inside],
        )

    def quantile(self, level: float) -> FloatArray:
        """Demand at one level, interpolated between the levels held, shape (H,)."""
        upper = int(np.clip(np.searchsorted(self.levels, level), 1, len(self.levels) - 1))
        lower = upper - 1
        span = self.levels[upper] - self.levels[lower]
        share = float(np.clip((level - self.levels[lower]) / span, 0.0, 1.0))
        between: FloatArray = (1 - share) * self.demand[lower] + share * self.demand[upper]
        return between
