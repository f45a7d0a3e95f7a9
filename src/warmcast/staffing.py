"""Staffing: how much capacity a demand needs, so that the objective holds at the least cost. Pure numpy.

Arrivals within a minute are random. With Poisson arrivals the provisioned environments are an M/G/c/c loss group, and
the share of requests that finds all of them busy is Erlang's B, whatever the durations' distribution (Erlang 1917,
Sevastyanov 1957). Traffic burstier than Poisson (peakedness z > 1) is staffed by Hayward's approximation: B(c/z, a/z)
(Fredericks 1980). A forecast is a mixture: what spills is the mean over its quantiles. Formulas and worked numbers:
`docs/calculations.md`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, assert_never

import numpy as np

from warmcast.erlang import spilled_share_at
from warmcast.fleet import ColdStartCost, ColdStarts, Savings, Spillover
from warmcast.prices import MB_PER_GB, UnitPrices, unit_prices

if TYPE_CHECKING:
    from collections.abc import Callable

    from warmcast.fleet import Objective
    from warmcast.model import FloatArray, Forecast, IntArray

REQUESTS_PER_UNIT_S = 10.0
"""Requests a second above which a unit spills over even if it is idle (AWS: lambda-concurrency.html)."""

PEAK_LEVEL = 0.99
"""The quantile of the minute's arrival rate that counts as its peak."""

_GROUPS = 48  # most different demands that a marginal value is averaged over


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of a target's provisioned concurrency: its prices and its memory."""

    prices: UnitPrices
    memory_mb: int

    @property
    def gb(self) -> float:
        """Its memory in GB, as Lambda bills it (1,024 MB)."""
        return self.memory_mb / MB_PER_GB

    @property
    def usd_per_unit_hour(self) -> float:
        """What it costs in an hour, idle."""
        return self.prices.usd_per_unit_hour(self.memory_mb)


def unit_of(*, region: str, architecture: str, memory_mb: int) -> Unit:
    """One unit of a function's provisioned concurrency in this Region."""
    return Unit(prices=unit_prices(region, architecture), memory_mb=memory_mb)


@dataclass(frozen=True, slots=True)
class Need:
    """The cheapest capacity that serves a demand within the objective.

    Args:
        capacity: the larger of the two below.
        by_demand: what the executions in progress need.
        by_rate: what ten requests a second per unit need; 0 where the objective is a cost, which weighs this inside.
        staffed_for: mean demand (over the quantiles) at the step that decided; over all steps where the objective is a
            cost. Marginal values are computed from it when a limit is shared.
    """

    capacity: int
    by_demand: int
    by_rate: int
    staffed_for: float


NOTHING = Need(capacity=0, by_demand=0, by_rate=0, staffed_for=0.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Load:
    """Demand as a mixture per step: `demand` (K, H), probabilities `weights` (K,), lengths `step_s` (H,)."""

    demand: FloatArray
    weights: FloatArray
    step_s: IntArray
    peakedness: float
    peak_rate_per_s: float
    duration_s: float

    @property
    def mean(self) -> FloatArray:
        """Mean demand of each step, shape (H,)."""
        mean: FloatArray = self.weights @ self.demand
        return mean

    def spilled(self, capacity: int, steps: slice) -> FloatArray:
        """Mean demand that so many units would not serve, for each of these steps."""
        demand = self.demand[:, steps]
        spilled: FloatArray = self.weights @ (demand * spilled_share_at(capacity, demand, self.peakedness))
        return spilled


def need(forecast: Forecast, objective: Objective, *, unit: Unit) -> Need:
    """The cheapest capacity that keeps the objective over all steps of this forecast (cut it before).

    A promise (`spillover`, `cold_starts`) is kept in each step, so the hardest step decides. A cost (`cold_start_cost`,
    `savings`) is weighed over all steps together: a unit is bought for all of them.
    """
    if not len(forecast.at):
        return NOTHING
    level = min(int(np.searchsorted(forecast.levels, PEAK_LEVEL)), len(forecast.levels) - 1)
    load = _Load(
        demand=forecast.demand,
        weights=forecast.weights,
        step_s=forecast.step_s,
        peakedness=forecast.peakedness,
        peak_rate_per_s=float(forecast.rate_per_s[level].max()),
        duration_s=mean_duration_s(forecast) or math.inf,
    )
    return _need(load, objective, unit)


def mean_duration_s(forecast: Forecast) -> float | None:
    """Mean duration of the executions foreseen; None where none are."""
    requests = float(np.sum(forecast.weights @ forecast.rate_per_s))
    executions = float(np.sum(forecast.weights @ forecast.demand))
    return executions / requests if requests > 0 else None


def need_seen(demand: float, rate_per_s: float, objective: Objective, *, peakedness: float, unit: Unit) -> Need:
    """The cheapest capacity that keeps the objective at a demand that was just measured."""
    load = _Load(
        demand=np.array([[demand]]),
        weights=np.ones(1),
        step_s=np.array([60], dtype=np.int64),
        peakedness=peakedness,
        peak_rate_per_s=rate_per_s,
        duration_s=demand / rate_per_s if rate_per_s > 0 else math.inf,
    )
    return _need(load, objective, unit)


def _need(load: _Load, objective: Objective, unit: Unit) -> Need:
    match objective:
        case Spillover(share=share):
            return _need_for_promise(load, share)
        case ColdStarts(per_10k=per_10k):
            # Every cold start is a spilled invocation, so their share is at most the spillover: a safe bound.
            return _need_for_promise(load, per_10k / 10_000)
        case ColdStartCost(usd=usd):
            return _need_for_cost(load, usd, unit)
        case Savings():
            return _need_for_cost(load, 0.0, unit)
        case _:
            assert_never(objective)


# --- a promise: at most this share spills ----------------------------------------------------------------------------


def _need_for_promise(load: _Load, share: float) -> Need:
    by_rate = math.ceil(load.peak_rate_per_s / REQUESTS_PER_UNIT_S - 1e-9)
    mean = load.mean
    allowed = share * mean
    step, by_demand = int(np.argmax(load.demand[-1])), 0
    while True:  # each round takes the step that spills most too much; none is left after one or two
        most = float(allowed[step])
        by_demand = _least(partial(_excess, load, step, most), by_demand, guess=_likely(load, step, most))
        excess = load.spilled(by_demand, slice(None)) - allowed * (1 + 1e-9)
        worst = int(np.argmax(excess))
        if excess[worst] <= 0:
            return Need(max(by_demand, by_rate), by_demand, by_rate, float(mean[step]))
        step = worst


def _excess(load: _Load, step: int, allowed: float, capacity: int) -> float:
    """How far above what is allowed so many units spill in that step, as a logarithm: nearly straight in capacity."""
    return _log_ratio(float(load.spilled(capacity, slice(step, step + 1))[0]), allowed)


def _likely(load: _Load, step: int, allowed: float) -> float:
    """About what that step will need: what its quantiles would spill if demand were steady, and a Poisson deviation."""
    demand = load.demand[:, step]
    spilled = load.weights @ np.maximum(demand[:, None] - demand, 0.0)  # at a capacity of each quantile
    steady = float(np.interp(allowed, spilled[::-1], demand[::-1]))
    return steady + math.sqrt(steady)


def _log_ratio(value: float, allowed: float) -> float:
    """Above 0 where the value is above what is allowed; nothing allowed and nothing there is within it."""
    if value <= 0:
        return -math.inf
    return math.log(value / allowed) if allowed > 0 else math.inf


# --- a cost: a unit must earn its keep -------------------------------------------------------------------------------


def _need_for_cost(load: _Load, cold_start_usd: float, unit: Unit) -> Need:
    """The newsvendor: buy the next unit while the load that it would carry is worth more than its allocation."""
    if not load.duration_s > 0:  # requests, and all of them throttled: what they would carry is not known
        return NOTHING
    prices, gb = unit.prices, unit.gb
    worth_usd_per_s = prices.saving_usd_per_gb_s * gb + cold_start_usd / load.duration_s
    allocation_usd_per_s = prices.allocation_usd_per_gb_s * gb
    staffed_for = float(np.average(load.mean, weights=load.step_s))
    if worth_usd_per_s <= allocation_usd_per_s:  # a unit carries 1 at most
        return Need(0, 0, 0, staffed_for)
    demand, weights = _grouped(load)
    most = REQUESTS_PER_UNIT_S * load.duration_s

    def carried(capacity: int) -> float:
        served = demand * (1 - spilled_share_at(capacity, demand, load.peakedness))
        return float(weights @ np.minimum(served, capacity * most if capacity else 0.0))

    keep = allocation_usd_per_s / worth_usd_per_s
    likely = demand[min(int(np.searchsorted(np.cumsum(weights), 1 - keep)), len(demand) - 1)]
    guess = likely + math.sqrt(likely)
    capacity = _least(lambda units: _log_ratio(carried(units + 1) - carried(units), keep), 0, guess=guess)
    return Need(capacity, capacity, 0, staffed_for)


def _grouped(load: _Load) -> tuple[FloatArray, FloatArray]:
    """All demands of all steps, ascending, with their weights; many neighbours are replaced by their mean."""
    order = np.argsort(load.demand, axis=None)
    demand = load.demand.ravel()[order]
    weights = np.outer(load.weights, load.step_s / load.step_s.sum()).ravel()[order]
    if len(demand) <= _GROUPS:
        return demand, weights
    group = np.minimum((np.cumsum(weights) * _GROUPS).astype(np.int64), _GROUPS - 1)
    mass = np.bincount(group, weights, _GROUPS).astype(np.float64)
    held = mass > 0
    return np.bincount(group, weights * demand, _GROUPS)[held] / mass[held], mass[held]


@dataclass(frozen=True, slots=True)
class _Probe:
    """A capacity that was tried, and how far beyond what is allowed it is: above 0 is too little capacity."""

    capacity: int
    excess: float


def _least(excess: Callable[[int], float], at_least: int, *, guess: float) -> int:
    """The smallest capacity from `at_least` on whose excess is not above 0; the excess falls as capacity grows.

    Each try sums up to thousands of terms per quantile, so few are made: a straight line between too little and enough
    says where to try next (regula falsi, Illinois: an end that stays twice counts half). For 1% of spillover at a
    certain demand of 10, 300 or 10,000 that takes five or six tries.
    """
    low, high = _bracket(excess, at_least, math.ceil(guess))
    stayed = 0  # the end that the last try left alone: -1 low, 1 high
    while high.capacity - low.capacity > 1:
        span = low.excess - high.excess
        share = low.excess / span if math.isfinite(span) else 0.5
        ahead = math.ceil((high.capacity - low.capacity) * share)
        found = _tried(excess, min(max(low.capacity + ahead, low.capacity + 1), high.capacity - 1))
        if found.excess <= 0:
            low, high = _halved(low) if stayed < 0 else low, found
            stayed = -1
        else:
            low, high = found, _halved(high) if stayed > 0 else high
            stayed = 1
    return high.capacity


def _bracket(excess: Callable[[int], float], at_least: int, guess: int) -> tuple[_Probe, _Probe]:
    """Too little and enough, from the guess on in strides that grow; what lies below `at_least` is too little."""
    near = _tried(excess, max(at_least, guess))
    way = 1 if near.excess > 0 else -1
    stride = 1 + math.isqrt(near.capacity) // 2
    while way > 0 or near.capacity > at_least:
        far = _tried(excess, max(at_least, near.capacity + way * stride))
        if (far.excess > 0) != (near.excess > 0):
            return (near, far) if way > 0 else (far, near)
        near, stride = far, _next_stride(near, far)
    return _Probe(at_least - 1, math.inf), near


def _next_stride(before: _Probe, last: _Probe) -> int:
    """Half as far again as the straight line through two tries says is left; twice as far as the last at least."""
    stride = abs(last.capacity - before.capacity)
    change = abs(before.excess) - abs(last.excess)
    left = 1.5 * abs(last.excess) * stride / change if change > 0 and math.isfinite(change) else 0.0
    return math.ceil(min(max(2 * stride, left), 16 * stride))


def _tried(excess: Callable[[int], float], capacity: int) -> _Probe:
    return _Probe(capacity, excess(capacity))


def _halved(end: _Probe) -> _Probe:
    return replace(end, excess=end.excess / 2)


# --- what each unit carries, to share a scarce limit -----------------------------------------------------------------


def marginal_value(capacity: int, demand: float, peakedness: float = 1.0) -> float:
    """Load that the `capacity`-th unit carries, in units: demand x (B(capacity - 1) - B(capacity)).

    At demand 10 the 1st unit carries 0.91, the 10th 0.59, the 20th 0.02.
    """
    offered = np.array([demand])
    before, after = (spilled_share_at(units, offered, peakedness)[0] for units in (capacity - 1, capacity))
    return float(demand * (before - after))


def carried_by_each_unit(capacity: int, demand: float, peakedness: float = 1.0) -> FloatArray:
    """`marginal_value` of the 1st to the `capacity`-th unit, shape (capacity,): one pass of the recursion."""
    offered = demand / peakedness
    blocked = [1.0 if demand > 0 else 0.0]
    for units in range(1, math.ceil(capacity / peakedness) + 1):
        carried = offered * blocked[-1]
        blocked.append(carried / (units + carried))
    at = np.arange(capacity + 1) / peakedness
    carried_by: FloatArray = -demand * np.diff(np.interp(at, np.arange(len(blocked)), blocked))
    return carried_by
