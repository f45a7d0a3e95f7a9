"""Wanting: state + objective -> the capacity wanted now, and what drove it. Pure.

Every objective is a shadow price: what a spilled execution costs, in units standing idle for as long.

| objective         | shadow price                                                                                    |
| ----------------- | ----------------------------------------------------------------------------------------------- |
| `spillover`       | the one at which the replayed past keeps the share                                              |
| `cold_starts`     | the one at which spillover times cold starts per spilled execution keeps the number             |
| `cold_start_cost` | (saved duration price x GB + USD x cold starts per spilled second) / (allocation price x GB)    |
| `savings`         | the same without a cost of cold starts: 5/3 in us-east-1; below 1 no unit ever pays             |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

import numpy as np

from warmcast.fleet import ColdStartCost, ColdStarts, Savings, Spillover
from warmcast.mixture.candidates import PREDICTIONS, Family
from warmcast.mixture.ladder import BANDS, PRICES, Rung, rung_for_price, rung_for_share
from warmcast.mixture.loss import demand_of, staffed
from warmcast.model import Accuracy, Drive, Health

if TYPE_CHECKING:
    from collections.abc import Iterator

    from warmcast.fleet import Objective
    from warmcast.mixture.state import MixtureState
    from warmcast.model import FloatArray
    from warmcast.staffing import Unit

AIMED_AT = 0.95
"""Share of a promise that is aimed at: a promise is a limit, and the future is not quite the past."""

NEARLY = 1.05
"""Where a promise can't be kept, what comes within a twentieth of the best is as good."""

OUT_OF_REACH = 1.5
HARD_TO_REACH = 0.01
"""A promise is out of reach where at any price the replayed past spills that many times what is asked, and more than
that share (one incident does not put a tight promise out of reach) ..."""

FAIR_PRICE = 100.0
"""... and then a spilled execution is worth so many units standing idle for as long, no more."""

LEAST_BALANCE = 0.02
"""Under `savings`, share of what can be saved that the replay of the last hours must have saved."""

_LAST_VALUE = next(place for place, rule in enumerate(PREDICTIONS) if rule.name == "last 1 min")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The capacity that the objective wants now.

    Args:
        capacity: in units, real; whoever requests it rounds.
        price: the shadow price that it was bought at.
        spillover: what the replayed past spilled at that price.
        cold_starts_per_10k: by the model.
        changes_per_day: how often the replayed past changed it.
        band: a fall by less than this share of it, and a rise by less than half of it, is not worth a change.
        staffed_for: the demand that the capacity staffs.
        drives: what it comes from, the most believed first.
        health: how well demand is foreseen and the promise stands.
        note: why nothing is wanted, where the objective says so; empty otherwise.
        finding: what a person should know of the objective on this traffic; empty where all is well.
    """

    capacity: float
    price: float
    spillover: float
    cold_starts_per_10k: float
    changes_per_day: float
    band: float
    staffed_for: float
    drives: tuple[Drive, ...]
    health: Health
    note: str = ""
    finding: str = ""

    @property
    def units(self) -> int:
        """The capacity in whole units, the nearest."""
        return int(np.ceil(self.capacity - 0.5))


@dataclass(frozen=True, slots=True)
class _Place:
    rung: Rung
    band: int


def wanted(
    state: MixtureState,
    objective: Objective,
    *,
    unit: Unit,
    duration_s: float | None,
    peakedness: float,
    changes_per_day: float,
) -> Wanted:
    """What the objective wants at the state's newest tick.

    Args:
        state: as of now.
        objective: the policy's.
        unit: prices and memory.
        duration_s: typical mean duration; None: not known (a second is taken).
        peakedness: of the executions in progress within a minute.
        changes_per_day: at most so many on an average day; the dead band grows until the replayed past keeps it.
    """
    places = list(_places(state, objective, unit, duration_s or 1.0))
    place = next((each for each in places if _changes(state, each) <= changes_per_day), places[-1])
    finding = _out_of_reach(state, objective)
    note = _unprofitable(state, objective, place, unit)
    capacity = 0.0 if note else _burstier(place.rung.of(state.mixture[-1]), peakedness)
    spillover = place.rung.of(state.record.spillover[:, place.band])
    return Wanted(
        capacity=capacity,
        price=place.rung.price,
        spillover=spillover,
        cold_starts_per_10k=_cold_at(state, place) * 10_000,
        changes_per_day=_changes(state, place),
        band=float(BANDS[place.band]),
        staffed_for=float(demand_of(np.array([capacity]))[0]) / state.slot,
        drives=_drives(state, place.rung),
        health=_health(state, objective, place),
        note=note,
        finding=finding or note,
    )


def _places(state: MixtureState, objective: Objective, unit: Unit, duration_s: float) -> Iterator[_Place]:
    """Where the objective stands on the ladder, for each dead band, the narrowest first."""
    for band in range(len(BANDS)):
        shares = state.record.spillover[:, band]
        match objective:
            case Spillover() | ColdStarts() if _out_of_reach(state, objective):
                rung = rung_for_price(FAIR_PRICE)
            case Spillover(share=share):
                rung = _rung_that_keeps(shares, AIMED_AT * share)
            case ColdStarts(per_10k=per_10k):
                rung = _rung_that_keeps(_cold(state, shares), AIMED_AT * per_10k / 10_000)
            case ColdStartCost() | Savings():
                prices = _prices(state, objective, unit, duration_s)
                worth = np.flatnonzero(prices >= PRICES)
                rung = rung_for_price(float(prices[worth[-1]] if worth.size else prices[0]))
            case _:
                assert_never(objective)
        yield _Place(rung, band)


def _rung_that_keeps(shares: FloatArray, asked: float) -> Rung:
    """Where the shares come down to what is asked; where none does, the first that is nearly as good as the last."""
    return rung_for_share(shares, max(asked, NEARLY * float(shares[-1])))


def _cold(state: MixtureState, shares: FloatArray) -> FloatArray:
    """Cold starts of each rung over all executions, falling, shape (K,)."""
    falling: FloatArray = np.minimum.accumulate(shares * state.cold)
    return falling


def _cold_at(state: MixtureState, place: _Place) -> float:
    """Cold starts there over all executions."""
    return place.rung.of(state.record.spillover[:, place.band] * state.cold)


def _out_of_reach(state: MixtureState, objective: Objective) -> str:
    """Why no capacity keeps the promise on this traffic; empty where some does."""
    shares = state.record.spillover[:, 0]
    match objective:
        case Spillover(share=share) if shares[-1] > max(OUT_OF_REACH * share, HARD_TO_REACH):
            return (
                f"{share:.2%} of spillover is out of reach: at any price the past would have spilled {shares[-1]:.1%}"
            )
        case ColdStarts(per_10k=per_10k):
            reached = float(_cold(state, shares)[-1]) * 10_000
            if reached <= max(OUT_OF_REACH * per_10k, HARD_TO_REACH * 10_000):
                return ""
            return f"{per_10k:g} cold starts per 10k are out of reach: there would have been {reached:.1f} at any price"
        case _:
            return ""


def _prices(state: MixtureState, objective: ColdStartCost | Savings, unit: Unit, duration_s: float) -> FloatArray:
    """The shadow price that the objective's money comes to, at the cold starts of each rung, shape (K,)."""
    usd = objective.usd if isinstance(objective, ColdStartCost) else 0.0
    served = unit.prices.saving_usd_per_gb_s * unit.gb + usd * state.cold / duration_s
    prices: FloatArray = served / (unit.prices.allocation_usd_per_gb_s * unit.gb) / state.slot
    return prices


def _changes(state: MixtureState, place: _Place) -> float:
    return place.rung.of(state.record.changes_per_day[:, place.band])


def _unprofitable(state: MixtureState, objective: Objective, place: _Place, unit: Unit) -> str:
    """Why provisioned concurrency would not pay, where money alone is the objective; empty where it does."""
    if not isinstance(objective, Savings):
        return ""
    worth = 1 / unit.prices.break_even / state.slot
    if worth <= 1:
        return f"never cheaper here: it breaks even at {unit.prices.break_even * state.slot:.0%} utilization"
    record = state.record
    carried = float(record.offered[0]) - place.rung.of(record.spilled[:, place.band])
    allocated = place.rung.of(record.allocated[:, place.band])
    if allocated > 0 and worth * carried <= allocated:
        return f"would not have paid: utilization {carried / allocated * state.slot:.0%} in the replayed past"
    if record.lately.worst_balance(place.rung, worth) < LEAST_BALANCE:
        return "would not have paid in the last hours"
    return ""


def _burstier(capacity: float, peakedness: float) -> float:
    """The capacity for traffic burstier than Poisson: Hayward, z x need(demand / z) (Fredericks 1980)."""
    if peakedness <= 1:
        return capacity
    demand = demand_of(np.array([capacity]))
    return float(peakedness * staffed(demand / peakedness)[0])


def _drives(state: MixtureState, rung: Rung) -> tuple[Drive, ...]:
    drives = [
        Drive(family.value, rung.of(state.families[0, :, place]), rung.of(state.families[1, :, place]))
        for place, family in enumerate(Family)
    ]
    return tuple(sorted(drives, key=lambda drive: -drive.share))


def _health(state: MixtureState, objective: Objective, place: _Place) -> Health:
    spillover = place.rung.of(state.record.spillover[:, place.band])
    coverage, promise = 1 - spillover, _over_asked(objective, spillover, _cold_at(state, place))
    *errors, load = state.errors.tolist()
    if load <= 0:
        return Health((), None, coverage, promise)
    best: dict[str, float] = {}
    for rule, error in zip(PREDICTIONS, errors, strict=True):
        best[rule.family.value] = min(best.get(rule.family.value, error), error)
    accuracy = sorted((Accuracy(family, error / load) for family, error in best.items()), key=lambda each: each.error)
    return Health(tuple(accuracy), errors[_LAST_VALUE] / load, coverage, promise)


def _over_asked(objective: Objective, spillover: float, cold: float) -> float | None:
    """What spills, or starts cold, over what is asked; None where nothing is promised."""
    match objective:
        case Spillover(share=share):
            return spillover / share
        case ColdStarts(per_10k=per_10k):
            return cold * 10_000 / per_10k
        case ColdStartCost() | Savings():
            return None
        case _:
            assert_never(objective)
