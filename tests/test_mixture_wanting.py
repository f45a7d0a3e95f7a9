"""What each objective wants of a state: the price that it comes to, its bounds, its findings, and how healthy it is."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mixing import DAY, MONDAY, UTC_ZONE, learned, measured, poisson
from warmcast.erlang import erlang_b
from warmcast.fleet import ColdStartCost, ColdStarts, Objective, Savings, Spillover
from warmcast.mixture import MixtureState, Wanted, advance, wanted
from warmcast.mixture.ladder import PRICES
from warmcast.mixture.loss import staffed
from warmcast.mixture.wanting import AIMED_AT, FAIR_PRICE
from warmcast.staffing import unit_of

if TYPE_CHECKING:
    from collections.abc import Callable

DAYS = 8
ONE_PERCENT = Spillover(0.01)


def wants(
    state: MixtureState,
    objective: Objective,
    *,
    region: str = "us-east-1",
    duration_s: float = 0.5,
    peakedness: float = 1.0,
    changes_per_day: float = 100.0,
) -> Wanted:
    """What a function of 1 GB with this objective wants."""
    return wanted(
        state,
        objective,
        unit=unit_of(region=region, architecture="x86_64", memory_mb=1024),
        duration_s=duration_s,
        peakedness=peakedness,
        changes_per_day=changes_per_day,
    )


@cache
def wave() -> MixtureState:
    """A daily wave between 10 and 50, with Poisson noise and its cold starts."""
    at = np.arange(DAYS * DAY)
    return learned(poisson(30 + 20 * np.sin(2 * np.pi * at / DAY)), cold_starts=True)


@cache
def steady() -> MixtureState:
    """Demand of 30 and Poisson noise."""
    return learned(poisson(np.full(DAYS * DAY, 30.0)))


@cache
def bursts() -> MixtureState:
    """Demand of 3, and of 8 to 43 for five minutes each hour: the on-demand pool has cooled down by then."""
    rng, demand = np.random.default_rng(8), np.full(DAYS * DAY, 3.0)
    for hour in range(0, len(demand), 60):
        demand[hour : hour + 5] += rng.uniform(5, 40)
    return learned(poisson(demand), cold_starts=True)


@cache
def sparse() -> MixtureState:
    """A call of 1.2 s every half hour or so."""
    demand = np.zeros(DAYS * DAY)
    demand[np.random.default_rng(6).random(len(demand)) < 1 / 30] = 0.02
    return learned(demand, cold_starts=True)


# --- promises --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.002, 0.01, 0.05])
def test_a_spillover_is_the_price_at_which_the_replayed_past_keeps_it(share: float) -> None:
    """0.95 of the promise is aimed at, at a price inside the ladder."""
    found = wants(wave(), Spillover(share))
    assert found.spillover == pytest.approx(AIMED_AT * share, rel=0.1)
    assert PRICES[0] < found.price < PRICES[-1]
    assert found.health.promise == pytest.approx(found.spillover / share)
    assert found.finding == ""


def test_a_stricter_promise_wants_more_at_a_higher_price() -> None:
    """5%, 2%, 1%, 0.5%, 0.2%."""
    found = [wants(wave(), Spillover(share)) for share in (0.05, 0.02, 0.01, 0.005, 0.002)]
    assert all(lax.capacity < strict.capacity and lax.price < strict.price for lax, strict in pairwise(found))


def test_a_promise_is_kept_in_the_days_after_it_was_learned() -> None:
    """A day of ticks that hold what is wanted, in whole units: 1% spills within 0.5-1.25 of it, by Erlang itself."""
    at = np.arange((DAYS + 1) * DAY)
    demand = poisson(30 + 20 * np.sin(2 * np.pi * at / DAY), seed=11)
    state, first = learned(demand[: DAYS * DAY]), DAYS * DAY
    units, held = [], float(wants(state, ONE_PERCENT).units)
    for seen in range(first + 4, first + DAY, 5):
        now_s = int(MONDAY.timestamp()) + 60 * (seen + 1)
        state = advance(state, measured(demand[:seen]), zone=UTC_ZONE, now_s=now_s)
        found = wants(state, ONE_PERCENT)
        off, width = found.units - held, found.band * found.capacity
        held = float(found.units) if off > width / 2 or -off > width else held
        units.append(held)
    requested = np.repeat(units, 5)
    ready = np.minimum.reduce([np.roll(requested, back) for back in range(4)])
    served = demand[first + 5 : first + 5 + len(ready)]
    spilled = float((served * erlang_b(ready[: len(served)], served)).sum() / served.sum())
    assert 0.005 < spilled < 0.0125


def test_a_number_of_cold_starts_is_laxer_than_the_same_share_of_spillover() -> None:
    """On-demand environments stay warm by themselves: of 100 spilled few start cold."""
    by_spillover = wants(wave(), Spillover(0.0001))
    by_cold_starts = wants(wave(), ColdStarts(1.0))
    assert by_cold_starts.capacity < by_spillover.capacity
    assert by_cold_starts.price < by_spillover.price


def test_a_number_of_cold_starts_is_kept_by_the_model() -> None:
    """Spillover times cold starts per spilled execution is what is asked, near enough; fewer asked want more."""
    found = [(per_10k, wants(bursts(), ColdStarts(per_10k))) for per_10k in (10.0, 8.0, 6.0, 5.0)]
    for per_10k, each in found:
        assert each.cold_starts_per_10k <= 1.05 * per_10k
        assert each.health.promise == pytest.approx(each.cold_starts_per_10k / per_10k)
    assert all(lax.capacity < strict.capacity for (_, lax), (_, strict) in pairwise(found))


# --- money -----------------------------------------------------------------------------------------------------------


def test_a_dearer_cold_start_never_wants_less() -> None:
    """From a millionth of a dollar to one, from the price of savings up."""
    found = [wants(wave(), ColdStartCost(10.0**power)) for power in range(-6, 1)]
    assert all(low.price <= high.price and low.capacity <= high.capacity + 0.01 for low, high in pairwise(found))
    assert found[0].price == pytest.approx(5 / 3, rel=0.01)
    assert found[-1].price > 20 * found[0].price
    assert found[0].health.promise is None


def test_a_cold_start_cost_is_worth_its_share_of_what_spills() -> None:
    """At one cold start per spilled execution of 0.5 s, $0.0001 is worth 5/3 + 0.0001 / 0.5 / 0.0000041667 = 49.7."""
    always_cold = replace(wave(), cold=np.ones(len(PRICES)))
    assert wants(always_cold, ColdStartCost(0.0001)).price == pytest.approx(49.67, rel=0.01)
    longer = wants(always_cold, ColdStartCost(0.0001), duration_s=5.0)
    assert longer.price == pytest.approx(5 / 3 + 4.8, rel=0.01)


def test_savings_buy_on_steady_traffic_where_a_unit_pays() -> None:
    """us-east-1 breaks even at 60% utilization: of a demand of 30 about as many units are busy that much."""
    found = wants(steady(), Savings())
    assert found.price == pytest.approx(5 / 3, rel=1e-3)
    assert 24 < found.capacity < 36
    assert found.note == found.finding == ""


@pytest.mark.parametrize("traffic", [steady, wave, sparse])
def test_savings_buy_nothing_where_it_never_pays_and_say_so(traffic: Callable[[], MixtureState]) -> None:
    """eu-central-1 breaks even at 101%: never, whatever the traffic."""
    found = wants(traffic(), Savings(), region="eu-central-1")
    assert found.capacity == found.units == found.staffed_for == 0
    assert found.note == "never cheaper here: it breaks even at 101% utilization"
    assert found.finding == found.note


def test_savings_buy_nothing_for_sparse_traffic_and_say_so() -> None:
    """A unit that is busy for a minute a day does not earn its keep."""
    found = wants(sparse(), Savings())
    assert found.units == 0
    assert found.note.startswith("would not have paid")


def test_savings_stop_as_soon_as_the_last_hours_did_not_pay() -> None:
    """Two weeks that paid, then some hours of level jumps that no unit is steadily busy in."""
    state = steady()
    lately = replace(state.record.lately, spilled=state.record.lately.offered[:, None] * np.ones(len(PRICES)))
    found = wants(replace(state, record=replace(state.record, lately=lately)), Savings())
    assert found.units == 0
    assert found.note == "would not have paid in the last hours"


# --- out of reach ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("objective", [Spillover(0.01), ColdStarts(2.0)])
def test_a_promise_out_of_reach_is_a_finding_and_its_price_is_bounded(objective: Objective) -> None:
    """Calls apart that nothing foretells: no capacity keeps it, so none is run up for it."""
    found = wants(sparse(), objective)
    assert "out of reach" in found.finding
    assert found.price == pytest.approx(FAIR_PRICE)
    assert found.note == ""
    assert found.capacity < 2


def test_a_promise_within_reach_is_no_finding() -> None:
    """Nothing to say of a wave and 1%."""
    assert wants(wave(), ONE_PERCENT).finding == ""


# --- what else bears on it -------------------------------------------------------------------------------------------


def test_bursts_within_the_minute_raise_the_capacity() -> None:
    """By Hayward: z x need(demand / z); at z = 1 nothing changes, below 1 it is taken as 1."""
    found = [wants(wave(), ONE_PERCENT, peakedness=z).capacity for z in (0.5, 1.0, 1.5, 2.0, 4.0)]
    assert found[0] == found[1]
    assert all(calm < bursty for calm, bursty in pairwise(found[1:]))
    demand = wants(wave(), ONE_PERCENT).staffed_for
    assert found[3] == pytest.approx(2 * float(staffed(np.array([demand / 2]))[0]))


def test_short_executions_are_staffed_by_the_tenths_of_a_second_that_they_hold() -> None:
    """4 in progress of 20 ms each need what 20 of 100 ms do; what they are staffed for is still 4."""
    short = wants(learned(poisson(np.full(3 * DAY, 4.0)), duration_s=0.02), ONE_PERCENT, duration_s=0.02)
    assert short.capacity == pytest.approx(float(staffed(np.array([20.0]))[0]), rel=0.1)
    assert short.staffed_for == pytest.approx(4.0, rel=0.1)


def test_short_executions_halve_what_a_unit_saves() -> None:
    """At 50 ms a unit is half idle at best: 5/3 of its price are 5/6, and savings never pay."""
    short = learned(poisson(np.full(3 * DAY, 30.0)), duration_s=0.05)
    found = wants(short, Savings(), duration_s=0.05)
    assert found.units == 0
    assert found.note == "never cheaper here: it breaks even at 120% utilization"


def test_fewer_changes_a_day_widen_the_band_and_the_promise_still_stands() -> None:
    """100, 50, 20: the replayed past keeps the number, and the share, at a capacity that is no smaller."""
    found = [wants(wave(), ONE_PERCENT, changes_per_day=each) for each in (200.0, 50.0, 20.0)]
    for each, most in zip(found, (200, 50, 20), strict=True):
        assert each.changes_per_day <= most
        assert each.spillover <= 0.01
    assert found[0].band < found[1].band < found[2].band


def test_where_no_band_is_wide_enough_the_widest_is_taken() -> None:
    """None at all left today: a fall by less than the capacity itself is not made."""
    assert wants(wave(), ONE_PERCENT, changes_per_day=0.0).band == 1.0


def test_a_capacity_is_requested_in_the_nearest_whole_unit() -> None:
    """2.5 is 2, 2.6 is 3."""
    found = wants(wave(), ONE_PERCENT)
    assert [replace(found, capacity=each).units for each in (0.4, 2.5, 2.6)] == [0, 2, 3]


# --- why, and how healthy --------------------------------------------------------------------------------------------


def test_the_drives_share_the_capacity_among_the_families() -> None:
    """Most believed first, together all of it; their mean is the capacity."""
    found = wants(wave(), ONE_PERCENT)
    shares = [drive.share for drive in found.drives]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)
    assert sum(drive.share * drive.capacity for drive in found.drives) == pytest.approx(found.capacity, rel=0.05)


def test_on_a_wave_the_season_foresees_better_than_the_last_value() -> None:
    """Each family's error is that of its best rule over the mean demand, the best first."""
    health = wants(wave(), ONE_PERCENT).health
    errors = [each.error for each in health.accuracy]
    assert errors == sorted(errors)
    assert {each.family for each in health.accuracy} == {
        "level", "reaction", "hour", "season", "season at today's level",
    }  # fmt: skip
    assert health.foreseen_by.startswith("season")
    assert health.last_value is not None
    assert errors[0] < health.last_value
    assert health.coverage == pytest.approx(1 - wants(wave(), ONE_PERCENT).spillover)


def test_the_error_of_the_last_value_is_what_a_loop_says() -> None:
    """Mean absolute difference of the last minute seen and the five that the capacity is for, over their mean."""
    rng = np.random.default_rng(12)
    demand = np.repeat(rng.uniform(10, 50, 2 * DAY // 30), 30)
    health = wants(learned(demand), ONE_PERCENT).health
    ticks = np.arange(10, len(demand) - 10, 5)
    off = [abs(demand[tick - 2] - demand[tick + 3 : tick + 8].mean()) for tick in ticks]  # seen: up to tick - 1
    weights = 0.5 ** ((len(ticks) - np.arange(len(ticks))) / (3 * 288))
    assert health.last_value == pytest.approx(float(np.average(off, weights=weights)) / demand.mean(), rel=0.05)


def test_where_nothing_foresees_demand_no_family_is_named() -> None:
    """A random walk: the last value is as good as it gets."""
    walk = np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.02, DAYS * DAY)))
    health = wants(learned(20 * walk), ONE_PERCENT).health
    assert not health.foreseen_by.startswith("season")


def test_where_there_is_no_demand_there_is_nothing_to_foresee() -> None:
    """No accuracy, rather than a perfect one."""
    health = wants(learned(np.zeros(2 * DAY)), ONE_PERCENT).health
    assert health.accuracy == ()
    assert health.last_value is None
    assert health.foreseen_by == ""


def test_a_promise_that_the_past_broke_shows_in_its_health() -> None:
    """Sparse calls spill most of what they are: far above what was asked."""
    health = wants(sparse(), ONE_PERCENT).health
    assert health.promise is not None
    assert health.promise > 10
    assert health.coverage < 0.5
