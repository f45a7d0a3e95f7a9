"""Warmcast's cost over another policy's, trace by trace, and what they come to together. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from bench.traces.frontier import Point, cost_at, spillover
from warmcast.simulate.compare import WARMCAST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.traces.sweep import Swept

Level: TypeAlias = Callable[[Point], float]


@dataclass(frozen=True, slots=True)
class Pair:
    """What something costs Warmcast, and what it costs the policy compared; NaN: does not get there."""

    ours: float
    other: float

    @property
    def ratio(self) -> float:
        """Ours over the other's; NaN where one of them does not get there, or the other's costs nothing."""
        return self.ours / self.other if self.other > 0 else math.nan


@dataclass(frozen=True, slots=True)
class Together:
    """Ratios over many traces.

    Args:
        mean: geometric mean; NaN of none.
        count: traces on which both get there.
        worst: the highest ratio; NaN of none.
        worst_on: the trace that has it; empty where none has.
        missed: traces on which the policy compared gets there and Warmcast does not.
    """

    mean: float
    count: int
    worst: float
    worst_on: str
    missed: tuple[str, ...]


def together(pairs: Mapping[str, Pair]) -> Together:
    """The geometric mean over the traces where the policy compared gets there, and where Warmcast alone doesn't."""
    ratios = {name: pair.ratio for name, pair in pairs.items() if not math.isnan(pair.ratio)}
    missed = tuple(name for name, pair in pairs.items() if pair.other > 0 and math.isnan(pair.ours))
    worst_on = max(ratios, key=ratios.__getitem__, default="")
    return Together(
        mean=geometric_mean(list(ratios.values())),
        count=len(ratios),
        worst=ratios[worst_on] if ratios else math.nan,
        worst_on=worst_on,
        missed=missed,
    )


def geometric_mean(values: Sequence[float]) -> float:
    """exp(mean(log)); NaN of nothing, 0 where one is 0."""
    if not values:
        return math.nan
    if min(values) <= 0:
        return 0.0
    return math.exp(sum(math.log(value) for value in values) / len(values))


# --- what is compared ------------------------------------------------------------------------------------------------


def at_level(trace: Swept, other: str, wanted: float, level: Level = spillover) -> Pair:
    """Allocation cost at a level, each policy at its best setting for it in hindsight."""
    return Pair(*(cost_at(trace.points[name], level, wanted) for name in (WARMCAST, other)))


def where_tracked(trace: Swept, level: Level = spillover) -> Pair:
    """Allocation cost at the level that target tracking at 70% reaches, against what that one costs."""
    reached = trace.tracked
    return Pair(cost_at(trace.points[WARMCAST], level, level(reached)), reached.allocation_usd)


def of_nothings(trace: Swept, other: str, share: float, level: Level) -> Pair:
    """Allocation cost at this share of the cold starts that no provisioned concurrency has."""
    return at_level(trace, other, share * level(trace.nothing), level)


def promise(trace: Swept, asked: float) -> float:
    """Spillover reached over asked for."""
    return trace.at(WARMCAST, asked).spillover / asked
