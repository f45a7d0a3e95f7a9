"""What a policy costs at a level of spillover or cold starts, read off the settings that were measured. Pure.

A policy's frontier is those of its settings that no cheaper one beats. Between two of them cost is interpolated in the
logarithm of the level. Nothing is extrapolated: below its lowest level a policy does not get there, which is NaN; above
its highest it costs what its cheapest setting costs, for that one keeps the level too.

| settings measured: level, cost | cost at 0.1% | 1% | 2% | 50% |
| ------------------------------ | ------------ | -- | -- | --- |
| 1%, 30    4%, 10    5%, 20     | NaN          | 30 | 20 | 10  |
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from warmcast.model import FloatArray

KEEPALIVES: Final = (10, 5, 45)
"""Minutes that an idle environment stays warm: the headline, then the band (`warmcast.simulate.world`)."""

LEAST: Final = 1e-9
"""Levels below it are alike: a spillover of 0 has no logarithm."""

_ROUNDING = 1e-9  # a level that a setting reaches but for the last digits is reached


@dataclass(frozen=True, slots=True)
class Point:
    """One policy at one setting on one trace.

    Args:
        setting: the parameter that is swept: a target, a quantile, the spillover asked for.
        allocation_usd: cost of the capacity.
        total_usd: the whole bill.
        spillover: share of the demand that spilled.
        cold: cold starts per 10,000 invocations at each of `KEEPALIVES`.
        worst: share of cold starts in the worst five minutes.
        changes_per_day: of requested capacity.
    """

    setting: float
    allocation_usd: float
    total_usd: float
    spillover: float
    cold: tuple[float, ...]
    worst: float
    changes_per_day: float


def spillover(point: Point) -> float:
    """The level that CloudWatch can audit."""
    return point.spillover


def cold_starts(point: Point) -> float:
    """The level that callers feel, at the headline keepalive."""
    return point.cold[0]


def cold_by(index: int) -> Callable[[Point], float]:
    """The same at another of the keepalives."""
    return lambda point: point.cold[index]


def worst_share(point: Point) -> float:
    """The level that callers feel when it is worst."""
    return point.worst


@dataclass(frozen=True, slots=True, eq=False)
class Frontier:
    """Settings that no cheaper one beats: levels rising, costs falling, shape (P,) each."""

    levels: FloatArray
    costs: FloatArray

    def cost_at(self, level: float) -> float:
        """The least cost of keeping the level; NaN where it can't be kept."""
        wanted = max(level, LEAST)
        if not len(self.levels) or wanted < self.levels[0] * (1 - _ROUNDING):
            return math.nan
        return float(np.interp(math.log(wanted), np.log(self.levels), self.costs))


def frontier(points: Iterable[Point], level: Callable[[Point], float]) -> Frontier:
    """The frontier of allocation cost against a level."""
    levels: list[float] = []
    costs: list[float] = []
    for point in sorted(points, key=lambda each: (max(level(each), LEAST), each.allocation_usd)):
        if not costs or point.allocation_usd < costs[-1]:
            levels.append(max(level(point), LEAST))
            costs.append(point.allocation_usd)
    return Frontier(np.array(levels), np.array(costs))


def cost_at(points: Sequence[Point], level: Callable[[Point], float], wanted: float) -> float:
    """What keeping the wanted level costs a policy that was measured at these points; NaN where it can't."""
    return frontier(points, level).cost_at(wanted)
