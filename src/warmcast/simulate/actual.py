"""Actual: what was really run over the scored minutes, and what CloudWatch measured of it. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from warmcast.erlang import spilled_share

if TYPE_CHECKING:
    import numpy.typing as npt

    from warmcast.model import FloatArray, IntArray
    from warmcast.simulate.trace import Trace


@dataclass(frozen=True, slots=True, eq=False)
class Actual:
    """What was run in each scored minute, shape (N,) each.

    Args:
        capacity: provisioned concurrency as far as it can be told.
        certain: whether data tell it in that minute; else the minute before is carried over.
        invocations: that were not throttled; NaN: not known.
        spilled: of them, those that provisioned concurrency did not serve; NaN: nothing reported.
    """

    capacity: IntArray
    certain: npt.NDArray[np.bool_]
    invocations: FloatArray
    spilled: FloatArray

    @property
    def guessed(self) -> float:
        """Share of the minutes whose capacity was carried over."""
        return 1 - float(self.certain.mean()) if len(self.certain) else 0.0

    @property
    def provisioned(self) -> bool:
        """Whether there was any provisioned concurrency."""
        return bool(self.capacity.any())


@dataclass(frozen=True, slots=True)
class Audit:
    """Spillover as CloudWatch measured it beside that of the model, over the same minutes and weighed by invocations.

    Args:
        minutes: how many of them: with invocations, provisioned concurrency, and its spillover reported.
        measured: spilled / invocations, as reported.
        modelled: the same by Erlang's B, on the capacity that stood there.
    """

    minutes: int
    measured: float
    modelled: float


def audit(actual: Actual, ready: IntArray, scored: Trace, *, peakedness: float) -> Audit | None:
    """How well the model tells the spillover of what was run; None where none was measured.

    Args:
        actual: what was run.
        ready: its READY capacity, shape (N,).
        scored: the minutes.
        peakedness: of the arrivals.
    """
    seen = (actual.invocations > 0) & ~np.isnan(actual.spilled) & ~np.isnan(scored.demand) & (actual.capacity > 0)
    if not seen.any():
        return None
    count = actual.invocations[seen]
    modelled = spilled_share(ready[seen], scored.demand[seen], peakedness)
    total = float(count.sum())
    return Audit(int(seen.sum()), float(actual.spilled[seen].sum()) / total, float((modelled * count).sum()) / total)
