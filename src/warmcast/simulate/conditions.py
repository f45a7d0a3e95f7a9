"""What befalls a simulated target beside its demand: throttles, routing weights, a reserved limit. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from warmcast.model import FloatArray
    from warmcast.simulate.trace import Trace


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """Minute by minute of a trace, shape (N,) each.

    Args:
        throttles: attempts that Lambda refused; the trace's demand and arrivals are those that it let through.
        weighted: whether the alias has routing weights when the minute begins.
        reserved: the function's reserved concurrency, all of it this target's; None: it reserves none.
    """

    throttles: FloatArray
    weighted: npt.NDArray[np.bool_]
    reserved: int | None = None

    def __post_init__(self) -> None:
        """Arrays of different lengths are a mistake of the caller's."""
        if len(self.throttles) != len(self.weighted):
            raise ValueError("throttles and weights of conditions are equally long")

    def __len__(self) -> int:
        return len(self.throttles)

    def first(self, minutes: int) -> Conditions:
        """Those of the first so many minutes."""
        return Conditions(self.throttles[:minutes], self.weighted[:minutes], self.reserved)

    @staticmethod
    def usual(trace: Trace) -> Conditions:
        """Nothing throttled, no weights, no limit."""
        return Conditions(throttles=np.zeros(len(trace)), weighted=np.zeros(len(trace), dtype=np.bool_))
