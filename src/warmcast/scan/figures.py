"""Figures: the numbers that verdicts rest on, from an alias's usage: load, need, cold starts, USD a month. Pure numpy.

    study(function, usage, prices=)     the figures, and what other capacities would have cost and avoided
    figures_of(...)                     the figures alone

What is modelled (`docs/verdicts.md` has the formulas): what a capacity serves, by Erlang's B on the mean of each step,
with bursts by the peaks where they are known; cold starts by `warmcast.coldstarts`. Money is of a month of 730 hours at
unit prices; served load and cold starts are those of the known steps, projected.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from warmcast.prices import MB_PER_GB
from warmcast.scan.found import Figures
from warmcast.scan.load import KEEPALIVES_MIN, OBJECTIVE, constant_need, load_of
from warmcast.scan.weekly import HOURS_PER_WEEK, hours_of_week, table_of, unit_hours
from warmcast.staffing import REQUESTS_PER_UNIT_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warmcast.model import FloatArray, IntArray
    from warmcast.prices import UnitPrices
    from warmcast.scan.found import FunctionSeen, Usage
    from warmcast.scan.load import Load

    BoolArray = np.ndarray[tuple[int], np.dtype[np.bool_]]

MONTH_S = 730 * 3600

# --- what a capacity costs and avoids --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Option:
    """A way of having provisioned concurrency, a month of it.

    Args:
        allocation_usd: whether used or not.
        worth_usd: what executions cost less on it than on demand.
        utilization: of it.
        cold_starts: expected, by keepalive in minutes.
    """

    allocation_usd: float
    worth_usd: float
    utilization: float
    cold_starts: Mapping[int, float]

    @property
    def net_usd(self) -> float:
        """What it costs more than none; negative where it saves."""
        return self.allocation_usd - self.worth_usd

    def avoided(self, none: Option, keepalive_min: int) -> float:
        """Cold starts a month fewer than with no capacity."""
        return none.cold_starts[keepalive_min] - self.cold_starts[keepalive_min]

    def usd_per_cold_start(self, none: Option, keepalive_min: int) -> float | None:
        """What avoiding one costs; negative where it saves money; None where none is avoided."""
        avoided = self.avoided(none, keepalive_min)
        return self.net_usd / avoided if avoided > 0 else None


@dataclass(frozen=True, eq=False)
class Study:
    """An alias's figures, and what other capacities would have cost and avoided, computed where they are asked for.

    Args:
        figures: as in a finding.
        stood: what stood there, its service measured. none: no capacity.
        table: the cheapest weekly table, shape (168,).
        least_without_spill: units that hold the measured peaks of all steps that spilled, but for 1% of invocations.
    """

    figures: Figures
    stood: Option
    none: Option
    load: Load
    table: IntArray
    gb: float
    prices: UnitPrices
    least_without_spill: int

    @property
    def needed(self) -> Option:
        """The constant need."""
        return self.constant(self.figures.need)

    @cached_property
    def scheduled(self) -> Option:
        """The weekly table."""
        return self._option(self.table[hours_of_week(self.load.start, self.load.step_s, len(self.load.demand))])

    @cached_property
    def cheapest_units(self) -> int:
        """The constant capacity that saves most: the last unit is in use for the break-even of the time; 0: none."""
        return _cheapest(self.load, self.prices)

    @property
    def cheapest(self) -> Option:
        """That capacity."""
        return self.constant(self.cheapest_units)

    def constant(self, units: int) -> Option:
        """So many units all the time; each number is worked out once."""
        if units not in self._constants:
            self._constants[units] = self._option(np.full(len(self.load.demand), units, dtype=np.int64))
        return self._constants[units]

    @cached_property
    def _constants(self) -> dict[int, Option]:
        return {}

    def _option(self, capacity: IntArray) -> Option:
        constant = not len(capacity) or int(capacity.min()) == int(capacity.max())
        level = int(capacity.max(initial=0))
        mean = float(level) if constant else unit_hours(self.table) / HOURS_PER_WEEK
        served = float(self.load.served(level if constant else capacity).sum()) / max(float(self.load.known.sum()), 1.0)
        monthly = _monthly(self.load)
        return Option(
            allocation_usd=mean * self.gb * MONTH_S * self.prices.allocation_usd_per_gb_s,
            worth_usd=served * self.gb * MONTH_S * self.prices.saving_usd_per_gb_s,
            utilization=min(served / mean, 1.0) if mean > 0 else 0.0,
            cold_starts=_times(self.load.cold_starts(capacity), monthly),
        )


def _monthly(load: Load) -> float:
    """By what a count over the known time is multiplied to be one of a month."""
    return MONTH_S / load.known_s if load.known_s > 0 else 0.0


def _times(counts: Mapping[int, float], factor: float) -> Mapping[int, float]:
    return MappingProxyType({minutes: count * factor for minutes, count in counts.items()})


def _cheapest(load: Load, prices: UnitPrices) -> int:
    """Units are bought while the next one would carry the break-even; each carries less than the one before."""
    if prices.break_even >= 1 or not load.known_s:
        return 0

    def carried_by_next(units: int) -> float:
        more = float((load.served(units + 1) - load.served(units)).sum())
        return more / float(load.known.sum())

    low, high = 0, math.ceil(load.demand.max(initial=0.0) * 2) + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if carried_by_next(middle) > prices.break_even else (low, middle)
    return low


# --- the figures -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Stood:
    """What stood there and what it served, measured; arrays of shape (N,), what is not known is 0.

    Args:
        mean: capacity, where it is known.
        spilled: invocations. reported: invocations in steps in which provisioned concurrency was there.
    """

    capacity: FloatArray
    mean: float
    served: FloatArray
    spilled: float
    reported: float


def _stood(usage: Usage) -> _Stood:
    """Served is what did not spill, in steps in which provisioned concurrency reported that it was there."""
    capacity = np.nan_to_num(usage.capacity)
    spilled = np.nan_to_num(usage.spilled)
    invocations = np.nan_to_num(usage.invocations)
    reports = _reports(usage)
    calls = np.where(reports, np.maximum(invocations - spilled, 0.0), 0.0)
    told = ~np.isnan(usage.capacity)
    return _Stood(
        capacity=capacity,
        mean=float(capacity.sum()) / max(int(told.sum()), 1),
        served=calls * np.nan_to_num(usage.duration_s) / usage.step_s,
        spilled=float(np.minimum(spilled, invocations)[reports].sum()),
        reported=float(invocations[reports].sum()),
    )


def _reports(usage: Usage) -> BoolArray:
    """The known steps in which provisioned concurrency reported that it was there."""
    there = (np.nan_to_num(usage.capacity) > 0) & ~np.isnan(usage.spilled) & ~np.isnan(usage.invocations)
    told = ~np.isnan(usage.utilization) | ~np.isnan(usage.provisioned) | (np.nan_to_num(usage.spilled) > 0)
    reports: BoolArray = there & told
    return reports


def spillover(usage: Usage) -> float | None:
    """The measured share of invocations that spilled over; None where no provisioned concurrency reported any."""
    reports = _reports(usage)
    reported = float(usage.invocations[reports].sum())
    spilled = float(np.minimum(usage.spilled, usage.invocations)[reports].sum())
    return spilled / reported if reported > 0 else None


def study(function: FunctionSeen, usage: Usage, *, prices: UnitPrices) -> Study:
    """The figures of an alias's usage, with what other capacities would have made of the same load."""
    load, gb = load_of(usage), function.memory_mb / MB_PER_GB
    stood = _stood(usage)
    by_rate = math.ceil(float(load.rate_per_s.max(initial=0.0)) / REQUESTS_PER_UNIT_S - 1e-9)
    need = max(constant_need(load), by_rate)
    table = table_of(load, need)
    none_cold = load.cold_starts(np.zeros(len(load.demand), dtype=np.int64))
    cold = _cold_starts_with(stood, load, none_cold)
    served = float(stood.served.sum()) / max(float(load.known.sum()), 1.0)
    there = float(stood.capacity[load.known > 0].sum()) / max(float(load.known.sum()), 1.0)
    option = Option(
        allocation_usd=stood.mean * gb * MONTH_S * prices.allocation_usd_per_gb_s,
        worth_usd=served * gb * MONTH_S * prices.saving_usd_per_gb_s,
        utilization=min(served / there, 1.0) if there > 0 else 0.0,
        cold_starts=_times(cold, _monthly(load)),
    )
    none = Option(0.0, 0.0, 0.0, _times(none_cold, _monthly(load)))
    unit_usd = prices.usd_per_unit_hour(function.memory_mb) * 730
    invocations = float(np.nansum(usage.invocations))
    figures = Figures(
        days=usage.days,
        known_share=float(load.known.mean()) if len(load.known) else 0.0,
        invocations=invocations,
        mean_demand=load.mean,
        peak_demand=_peak(usage, load),
        mean_duration_s=load.duration_s or None,
        mean_capacity=stood.mean,
        utilization=option.utilization,
        spillover=spillover(usage),
        throttles=float(np.nansum(usage.throttles)),
        cold_starts_bound=max(invocations - stood.reported, 0.0) + stood.spilled,
        cold_starts=cold[KEEPALIVES_MIN[0]],
        cold_starts_without=none_cold[KEEPALIVES_MIN[0]],
        need=need,
        need_by_rate=by_rate,
        allocated_usd=option.allocation_usd,
        idle_usd=option.allocation_usd * (1 - option.utilization),
        worth_usd=option.worth_usd,
        need_usd=need * unit_usd,
        table_usd=unit_hours(table) / HOURS_PER_WEEK * unit_usd,
        usd_per_cold_start=option.usd_per_cold_start(none, KEEPALIVES_MIN[0]),
        break_even=prices.break_even,
    )
    return Study(
        figures=figures,
        stood=option,
        none=none,
        load=load,
        table=table,
        gb=gb,
        prices=prices,
        least_without_spill=least_without_spill(usage),
    )


def _cold_starts_with(stood: _Stood, load: Load, none: Mapping[int, float]) -> Mapping[int, float]:
    """With what stood there; each is an invocation that spilled, so no more than were measured."""
    if not stood.capacity.any():
        return none
    modelled = load.cold_starts(np.round(stood.capacity).astype(np.int64))
    calls = float((load.rate_per_s * load.step_s).sum())
    most = max(calls - stood.reported, 0.0) + stood.spilled
    return MappingProxyType({minutes: min(count, most) for minutes, count in modelled.items()})


def _peak(usage: Usage, load: Load) -> float:
    """The highest concurrency measured, or the highest step's mean where none is."""
    measured = usage.peak[~np.isnan(usage.peak)]
    return float(measured.max()) if len(measured) else float(load.demand.max(initial=0.0))


def least_without_spill(usage: Usage) -> int:
    """Units that hold the peaks of the steps that spilled, but for what the objective lets spill: no model."""
    spilled = (usage.spilled > 0) & ~np.isnan(usage.peak)
    allowed = OBJECTIVE * float(np.nansum(usage.invocations))
    order = np.argsort(-usage.peak[spilled])
    peaks, lost = usage.peak[spilled][order], np.cumsum(usage.spilled[spilled][order])
    over = peaks[lost > allowed]
    return math.ceil(float(over[0])) if len(over) else 1


def figures_of(function: FunctionSeen, usage: Usage, *, prices: UnitPrices) -> Figures:
    """The numbers of one alias."""
    return study(function, usage, prices=prices).figures
