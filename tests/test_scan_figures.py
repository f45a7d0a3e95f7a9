"""Figures against naive loops and arithmetic spelled out; the weekly table; their speed."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from judging import NOW, function, office, steady, usage
from textbook import naive_erlang_b
from warmcast.prices import unit_prices
from warmcast.scan.figures import Study, figures_of, study
from warmcast.scan.load import constant_need, load_of, since_first_call
from warmcast.scan.weekly import HOURS_PER_WEEK, hours_of_week, in_words, unit_hours

if TYPE_CHECKING:
    from warmcast.scan.found import Usage

PRICES = unit_prices("us-east-1", "x86_64")


def _noisy(level: float, seed: int = 3) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    random = np.random.default_rng(seed)
    return office(level, night=level / 10) * random.uniform(0.5, 1.5, 14 * 288)


def _study(used: Usage, *, units: int = 0) -> Study:
    return study(function(units=units), used, prices=PRICES)


@pytest.mark.parametrize("level", [0.03, 0.7, 6.0, 25.0])
def test_the_need_is_the_least_that_a_loop_over_capacities_finds(level: float) -> None:
    """Spilled demand summed over all steps, capacity by capacity, until it is within 1%."""
    demand = _noisy(level)[:400]
    units = 1
    while sum(each * naive_erlang_b(units, each) for each in demand) > 0.01 * demand.sum():
        units += 1
    assert constant_need(load_of(usage(demand))) == units


def test_the_figures_of_a_steady_load_are_arithmetic() -> None:
    """10 executions of 0.5 s at once, 1% of them spilled, 20 units of 1 GB."""
    figures = figures_of(function(units=20), usage(steady(10), units=20, spilled=0.01), prices=PRICES)
    unit_usd = 0.0000041667 * 730 * 3600
    assert figures.invocations == pytest.approx(20 * 14 * 86_400)
    assert figures.mean_demand == pytest.approx(10)
    assert figures.peak_demand == pytest.approx(10)
    assert figures.utilization == pytest.approx(10 * 0.99 / 20)
    assert figures.spillover == pytest.approx(0.01)
    assert figures.cold_starts_bound == pytest.approx(0.01 * figures.invocations)
    assert figures.allocated_usd == pytest.approx(20 * unit_usd)
    assert figures.idle_usd == pytest.approx(20 * unit_usd * (1 - 0.495))
    assert figures.worth_usd == pytest.approx(9.9 * (0.0000166667 - 0.0000097222) * 730 * 3600)
    assert (figures.need, figures.need_by_rate) == (18, 2)
    assert figures.need_usd == pytest.approx(18 * unit_usd)
    avoided = (figures.cold_starts_without - figures.cold_starts) * 730 / (14 * 24)
    assert figures.usd_per_cold_start == pytest.approx((figures.allocated_usd - figures.worth_usd) / avoided)


def test_the_request_rate_asks_for_a_unit_per_ten_a_second() -> None:
    """A demand of 2 in executions of 20 ms: 100 a second."""
    figures = figures_of(function(), usage(steady(2), duration_s=0.02), prices=PRICES)
    assert (figures.need, figures.need_by_rate) == (10, 10)


def test_unknown_steps_are_neither_idle_nor_busy() -> None:
    """Half of the time unknown: the means are those of the other half, the month is projected from it."""
    demand = steady(10)
    demand[::2] = np.nan
    half, whole = _study(usage(demand, units=20), units=20), _study(usage(steady(10), units=20), units=20)
    assert half.figures.known_share == pytest.approx(0.5)
    assert half.figures.mean_demand == pytest.approx(10)
    assert half.figures.worth_usd == pytest.approx(whole.figures.worth_usd)
    assert half.figures.need == whole.figures.need


def test_what_ran_before_provisioned_concurrency_reported_was_not_served_by_it() -> None:
    """A capacity that is only carried back over a time without its metrics earned nothing then."""
    used = usage(steady(10), units=20, spilled=0.0)
    silent = np.arange(len(used.invocations)) < len(used.invocations) // 2
    used = replace(
        used,
        utilization=np.where(silent, np.nan, used.utilization),
        provisioned=np.where(silent, np.nan, used.provisioned),
    )
    figures = figures_of(function(units=20), used, prices=PRICES)
    assert figures.utilization == pytest.approx(0.25)
    assert figures.cold_starts_bound == pytest.approx(figures.invocations / 2)


def test_cold_starts_are_no_more_than_what_was_measured_to_spill() -> None:
    """The model finds hundreds; CloudWatch counted none."""
    figures = figures_of(function(units=2), usage(_noisy(10), units=2, spilled=0.0), prices=PRICES)
    assert figures.cold_starts == 0
    assert figures.cold_starts_without > 100


def test_bursts_are_taken_from_peaks_and_ramps_are_not() -> None:
    """Peaks of 5 minutes far above a steady mean make traffic bursty; a ramp within the neighbours' means does not."""
    calm = usage(steady(10))
    assert load_of(calm).peakedness == 1
    bursty = replace(calm, peak=np.full(len(calm.invocations), 40.0))
    assert load_of(bursty).peakedness > 2
    ramp = usage(np.tile(np.linspace(1, 60, 36), 112))
    ramp = replace(ramp, peak=load_of(ramp).demand + 2.0)
    assert load_of(ramp).peakedness == pytest.approx(1, abs=0.1)


def test_time_before_the_first_call_is_not_idle_unless_capacity_stood() -> None:
    """A new alias has no history there; capacity that certainly stood was idle."""
    demand = np.concatenate([steady(0, 10), steady(10, 4)])
    young = since_first_call(usage(demand))
    assert load_of(young).mean == pytest.approx(10)
    held = replace(usage(demand, units=20), certain=np.ones(len(demand)))
    assert load_of(since_first_call(held)).mean == pytest.approx(10 * 4 / 14)
    idle = usage(steady(0))
    assert since_first_call(idle) is idle


# --- the weekly table ------------------------------------------------------------------------------------------------


def test_the_hours_of_the_week_begin_on_monday() -> None:
    """NOW is a Monday 00:00 UTC."""
    assert hours_of_week(int(NOW.timestamp()), 3600, 3).tolist() == [0, 1, 2]
    assert hours_of_week(int(NOW.timestamp()) - 3600, 3600, 1).tolist() == [167]


@pytest.mark.parametrize("level", [0.5, 6.0, 25.0])
def test_the_table_spills_no_more_than_the_constant_and_costs_less(level: float) -> None:
    """By the textbook's Erlang B over every step; no hour without a unit."""
    demand = _noisy(level)
    made = _study(usage(demand))
    per_step = made.table[hours_of_week(made.load.start, 300, len(demand))]
    lost = sum(a * naive_erlang_b(int(c), a) for a, c in zip(demand, per_step, strict=True))
    need = made.figures.need
    assert lost <= sum(a * naive_erlang_b(need, a) for a in demand) * 1.01
    assert unit_hours(made.table) <= need * HOURS_PER_WEEK
    assert made.table.min() >= 1
    assert made.figures.table_usd <= made.figures.need_usd


def test_no_single_unit_of_the_table_can_be_moved_to_advantage() -> None:
    """What an hour's last unit carries is what the best other hour would win, within 3%: demands are grouped."""
    demand = _noisy(6.0)
    made = _study(usage(demand))
    hours = hours_of_week(made.load.start, 300, len(demand))

    def lost(hour: int, units: int) -> float:
        return float(sum(a * naive_erlang_b(units, a) for a in demand[hours == hour]))

    changes = [
        (lost(hour, int(units) - 1) - lost(hour, int(units)), lost(hour, int(units)) - lost(hour, int(units) + 1))
        for hour, units in enumerate(made.table)
        if units > 1
    ]
    least_given_up, most_won = min(change[0] for change in changes), max(change[1] for change in changes)
    assert least_given_up >= most_won * 0.97


def test_a_rise_is_billed_five_minutes_early() -> None:
    """One hour of 13 among 1: 168 + 12 unit-hours, and 12 units for a twelfth of an hour."""
    table = np.ones(HOURS_PER_WEEK, dtype=np.int64)
    table[20] = 13
    assert unit_hours(table) == pytest.approx(168 + 12 + 1)


def test_an_hour_never_seen_keeps_the_constant_need() -> None:
    """Five days of history say nothing of the other two."""
    made = _study(usage(steady(5, days=5)))
    assert set(made.table.tolist()) <= {made.figures.need, made.figures.need - 1}
    assert made.table[:48].min() == made.figures.need  # Monday and Tuesday are not among the last five days


def test_a_table_is_told_by_its_busiest_hours() -> None:
    """Days and hours above the middle between least and most."""
    assert in_words(_study(usage(office(20, night=1))).table).endswith("(Mon-Fri, 08-18 h UTC), 4 in the quietest")


# --- speed -----------------------------------------------------------------------------------------------------------


def test_two_weeks_of_an_alias_take_little_time() -> None:
    """About 40 ms of one core; a quarter of a second leaves room for a busy machine."""
    used = usage(_noisy(10), units=20)
    best = 9.0
    for _ in range(3):
        began = time.process_time()
        _study(used, units=20)
        best = min(best, time.process_time() - began)
    assert best < 0.25
