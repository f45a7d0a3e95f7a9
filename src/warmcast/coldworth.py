"""What each capacity would be worth: allocation, cold starts, and USD for each cold start avoided. Pure numpy.

Demand is the alias's own, in CloudWatch's steps of five minutes, each taken as five equal minutes. Cold starts come
from `warmcast.coldstarts` (which finds 0.55-0.9 of what a call-by-call simulation does) and are then scaled so that
the model agrees with what the logs counted for the capacity that stood: its shape decides, the logs decide how many.

For a constant capacity P, over a month of 730 hours:

    allocation = P x GB x allocation price x 730 h
    worth      = served GB-seconds x (on-demand price - duration price)
    init       = cold starts x init x GB x on-demand price                 (saved where they are avoided)
    avoided    = cold starts at 0 - cold starts at P
    USD per cold start avoided = (allocation - worth - init saved) / avoided
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from warmcast.coldstarts import MINUTE_S, cold_starts
from warmcast.erlang import spilled_share
from warmcast.prices import MB_PER_GB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warmcast.model import FloatArray, IntArray
    from warmcast.prices import UnitPrices
    from warmcast.scan.found import Usage

MONTH_HOURS: Final = 730
KEEPALIVE_MIN: Final = 10
LIFE_S: Final = 7200.0
"""How long idle on-demand environments stay warm, and how old any becomes: AWS states neither (docs/cold-starts.md)."""

MOST_RUNGS: Final = 16
_PEAK_SPILLOVER: Final = 0.001
_LEAST_COUNTED: Final = 10
"""Fewer cold starts in the logs say too little of how many there are to scale a model by them."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What a ladder is reckoned with: the function's memory, its Region's prices, and its init by the logs."""

    memory_mb: int
    prices: UnitPrices
    init_s: float

    @property
    def gb(self) -> float:
        """Memory in GB, as Lambda bills it."""
        return self.memory_mb / MB_PER_GB


@dataclass(frozen=True, slots=True)
class Rung:
    """One capacity, all day; USD and counts are a month's.

    Args:
        allocation_usd: whether used or not.
        net_usd: what the bill changes against no provisioned concurrency; below 0 it falls.
        cold_starts: that are left.
        avoided: against no provisioned concurrency.
        usd_per_avoided: None where none is avoided.
        usd_per_further: the same for what this rung avoids beyond the one before.
        spillover: share of the demand that it does not serve.
    """

    capacity: int
    allocation_usd: float
    net_usd: float
    cold_starts: float
    avoided: float
    usd_per_avoided: float | None
    usd_per_further: float | None
    spillover: float


@dataclass(frozen=True, slots=True)
class Ladder:
    """The capacities from none to what the peak needs.

    Args:
        knee: the capacity after which cold starts fall slowest for the money: the point of the curve (allocation,
            cold starts) farthest below the straight line between its ends. None where no capacity helps, or where the
            curve hardly bends: then each unit avoids about as many as the one before.
        scale: cold starts in the logs / cold starts of the model for what stood; 1 where it was not scaled.
        scaled: in words.
    """

    rungs: tuple[Rung, ...]
    knee: int | None
    scale: float
    scaled: str


def ladder(usage: Usage, unit: Unit, *, counted: float, counted_days: float) -> Ladder | None:
    """The ladder of an alias; None where its usage is not known or there was no demand at all.

    Args:
        usage: of at least a day or so.
        unit: what it is reckoned with.
        counted: cold starts in the logs, over `counted_days` of them.
        counted_days: above 0.
    """
    minutes = _Minutes.of(usage)
    if minutes is None:
        return None
    capacities = _capacities(minutes)
    cold = [minutes.cold_starts_a_month(np.full(len(minutes.demand), capacity)) for capacity in capacities]
    modelled = minutes.cold_starts_a_month(minutes.stood)
    scale, words = _scale(modelled, counted / counted_days * MONTH_HOURS / 24, counted)
    rungs = _rungs(minutes, unit, capacities, [scale * each for each in cold])
    return Ladder(tuple(rungs), _knee(rungs), scale, words)


@dataclass(frozen=True, slots=True, eq=False)
class _Minutes:
    """Known minutes of a usage, joined; each shape (N,). `stood`: the capacity at that time."""

    demand: FloatArray
    arrivals_per_s: FloatArray
    stood: IntArray

    @staticmethod
    def of(usage: Usage) -> _Minutes | None:
        """Five-minute steps as minutes; a step that is not known is left out, as if the time had not been."""
        known = ~np.isnan(usage.invocations)
        if not known.any() or not usage.demand[known].any():
            return None
        each = max(1, usage.step_s // MINUTE_S)
        arrivals = (usage.invocations + np.nan_to_num(usage.throttles)) / usage.step_s
        return _Minutes(
            demand=np.repeat(usage.demand[known], each),
            arrivals_per_s=np.repeat(arrivals[known], each),
            stood=np.repeat(np.nan_to_num(usage.capacity[known]).round().astype(np.int64), each),
        )

    @property
    def per_month(self) -> float:
        """What a sum over these minutes is multiplied by."""
        return MONTH_HOURS * 60 / len(self.demand)

    def cold_starts_a_month(self, capacity: IntArray) -> float:
        """By the model, for so much READY in each minute."""
        found = cold_starts(capacity, self.demand, self.arrivals_per_s, keepalive_min=(KEEPALIVE_MIN,), life_s=LIFE_S)
        return float(found.sum()) * self.per_month

    def served_s_a_month(self, capacity: int) -> float:
        """Execution seconds that a constant capacity serves."""
        share = spilled_share(np.full(len(self.demand), capacity), self.demand)
        return float((self.demand * (1 - share)).sum()) * MINUTE_S * self.per_month

    @property
    def seconds_a_month(self) -> float:
        """Execution seconds in all."""
        return float(self.demand.sum()) * MINUTE_S * self.per_month


def _capacities(minutes: _Minutes) -> list[int]:
    """From 0 to what the highest demand needs, each at first, then in widening steps."""
    peak = minutes.demand[[int(minutes.demand.argmax())]]
    need = max(1, int(np.ceil(peak[0])))
    while spilled_share(np.array([need]), peak)[0] > _PEAK_SPILLOVER:
        need += max(1, need // 50)
    if need < MOST_RUNGS:
        return list(range(need + 1))
    widening = np.unique(np.round(np.geomspace(1, need, MOST_RUNGS - 1)).astype(np.int64))
    return [0, *widening.tolist()]


def _scale(modelled: float, a_month: float, counted: float) -> tuple[float, str]:
    if counted < _LEAST_COUNTED or modelled <= 0:
        words = f"by the model alone: {counted:,.0f} cold starts in the logs are too few to scale it by"
        return 1.0, words if modelled > 0 else "by the model alone, which expects none for the capacity that stood"
    scale = a_month / modelled
    return scale, (
        f"scaled by {scale:.2f} to the logs: they have {a_month:,.0f} cold starts a month, the model {modelled:,.0f} "
        "for the capacity that stood"
    )


def _rungs(minutes: _Minutes, unit: Unit, capacities: Sequence[int], cold: Sequence[float]) -> list[Rung]:
    rungs: list[Rung] = []
    seconds = minutes.seconds_a_month
    for capacity, left in zip(capacities, cold, strict=True):
        served = minutes.served_s_a_month(capacity) if capacity else 0.0
        avoided = cold[0] - left
        allocation = capacity * unit.prices.usd_per_unit_hour(unit.memory_mb) * MONTH_HOURS
        worth = served * unit.gb * unit.prices.saving_usd_per_gb_s
        init_saved = avoided * unit.init_s * unit.gb * unit.prices.on_demand_usd_per_gb_s
        net = allocation - worth - init_saved
        before = rungs[-1] if rungs else None
        rungs.append(
            Rung(
                capacity=capacity,
                allocation_usd=allocation,
                net_usd=net,
                cold_starts=left,
                avoided=avoided,
                usd_per_avoided=_per(net, avoided),
                usd_per_further=_per(net - before.net_usd, before.cold_starts - left) if before else None,
                spillover=1 - served / seconds if seconds else 0.0,
            )
        )
    return rungs


def _per(usd: float, avoided: float) -> float | None:
    return usd / avoided if avoided > _NONE else None


_NONE: Final = 1e-6


_LEAST_BEND: Final = 0.05


def _knee(rungs: Sequence[Rung]) -> int | None:
    """The rung farthest below the line between the ends, both axes reckoned from 0 to 1; None under 0.05 of it."""
    first, last = rungs[0], rungs[-1]
    if first.cold_starts - last.cold_starts <= _NONE:
        return None
    paid = np.array([rung.allocation_usd / last.allocation_usd for rung in rungs])
    left = np.array([rung.cold_starts - last.cold_starts for rung in rungs]) / (first.cold_starts - last.cold_starts)
    below = 1 - paid - left
    farthest = int(np.argmax(below))
    return rungs[farthest].capacity if below[farthest] >= _LEAST_BEND else None
