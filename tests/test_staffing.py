"""Staffing: Erlang's B against a naive loop, needs against a search that tries every capacity, worked numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import forecast
from textbook import naive_erlang_b, naive_hayward
from warmcast.erlang import erlang_b_at
from warmcast.fleet import ColdStartCost, ColdStarts, Savings, Spillover
from warmcast.staffing import NOTHING, Unit, carried_by_each_unit, marginal_value, need, need_seen, unit_of

if TYPE_CHECKING:
    from warmcast.fleet import Objective
    from warmcast.model import FloatArray, Forecast

UNIT = unit_of(region="us-east-1", architecture="x86_64", memory_mb=1024)
FRANKFURT = unit_of(region="eu-central-1", architecture="x86_64", memory_mb=1024)

demands = st.one_of(st.just(0.0), st.floats(1e-6, 300.0))


def seen(demand: float, objective: Objective, *, rate: float = 0.0, peakedness: float = 1.0, unit: Unit = UNIT) -> int:
    """The capacity for a measured demand."""
    return need_seen(demand, rate, objective, peakedness=peakedness, unit=unit).capacity


# --- Erlang's B ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("capacity", "demand", "blocked"),
    [
        (10, 5.0, 0.018385),
        (100, 84.064, 0.01),
        (1, 1.0, 0.5),
        (2, 1.0, 0.2),
        (0, 3.0, 1.0),
        (5, 0.0, 0.0),
        (0, 0.0, 0.0),
    ],
)
def test_erlang_b_has_its_known_values(capacity: int, demand: float, blocked: float) -> None:
    """Tabulated values, and the corners: no capacity blocks everything, no demand is never blocked."""
    assert erlang_b_at(capacity, np.array([demand]))[0] == pytest.approx(blocked, abs=1e-6)


@given(
    capacity=st.integers(0, 400),
    offered=st.lists(demands, min_size=1, max_size=5),
)
def test_erlang_b_agrees_with_the_naive_recursion(capacity: int, offered: list[float]) -> None:
    """The truncated sum is the recursion, to the last digits, for whole arrays of demands."""
    expected = [naive_erlang_b(capacity, demand) for demand in offered]
    assert erlang_b_at(capacity, np.array(offered)) == pytest.approx(expected, rel=1e-10, abs=1e-14)


@pytest.mark.parametrize(("capacity", "demand"), [(10_000, 9_900.0), (10_100, 10_000.0), (9_000, 10_000.0), (3, 1e-6)])
def test_erlang_b_is_right_for_very_large_and_very_small_demands(capacity: int, demand: float) -> None:
    """Neither overflow nor truncation shows at 10,000 units or at a millionth."""
    assert erlang_b_at(capacity, np.array([demand]))[0] == pytest.approx(naive_erlang_b(capacity, demand), rel=1e-9)


@given(demand=st.floats(0.01, 200.0), peakedness=st.floats(1.0, 4.0))
def test_each_further_unit_carries_less(demand: float, peakedness: float) -> None:
    """Carried load grows with capacity, ever more slowly, and never beyond the demand."""
    carried = carried_by_each_unit(120, demand, peakedness)
    assert (carried >= -1e-12).all()
    assert (np.diff(carried) <= 1e-9).all()
    assert carried.sum() <= demand + 1e-9


@given(capacity=st.integers(1, 60), demand=st.floats(0.0, 80.0), peakedness=st.floats(1.0, 4.0))
def test_the_value_of_one_unit_is_that_of_the_whole_row(capacity: int, demand: float, peakedness: float) -> None:
    """`marginal_value` is an entry of `carried_by_each_unit`, and both are the naive difference."""
    naive = demand * (naive_hayward(capacity - 1, demand, peakedness) - naive_hayward(capacity, demand, peakedness))
    assert marginal_value(capacity, demand, peakedness) == pytest.approx(naive, abs=1e-9)
    assert carried_by_each_unit(capacity, demand, peakedness)[-1] == pytest.approx(naive, abs=1e-9)


# --- a promise -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("demand", "capacity"), [(0.0, 0), (1e-6, 1), (0.3, 3), (5.0, 11), (10.0, 18), (84.06, 100), (10_000.0, 9_970)]
)
def test_one_percent_spillover_needs_the_tabulated_capacity(demand: float, capacity: int) -> None:
    """For a demand that is certain, the need is the classic table of Erlang's B at 1%."""
    assert seen(demand, Spillover(0.01)) == capacity


def naive_promise(shown: Forecast, share: float) -> int:
    """The first capacity at which no step spills more than its share, tried from 0 on."""
    for capacity in range(10_000):
        spilled = [
            sum(
                weight * demand * naive_hayward(capacity, demand, shown.peakedness)
                for weight, demand in zip(shown.weights, column, strict=True)
            )
            for column in shown.demand.T
        ]
        if all(lost <= share * mean + 1e-12 for lost, mean in zip(spilled, shown.weights @ shown.demand, strict=True)):
            return capacity
    raise AssertionError("no capacity keeps the promise")


@settings(max_examples=40)
@given(
    means=st.lists(st.one_of(st.just(0.0), st.floats(0.001, 60.0)), min_size=1, max_size=4),
    spread=st.floats(0.0, 0.5),
    share=st.floats(0.001, 0.2),
    peakedness=st.floats(1.0, 4.0),
)
def test_need_is_the_least_capacity_that_keeps_the_promise_in_every_step(
    means: list[float], spread: float, share: float, peakedness: float
) -> None:
    """Search from a guess finds what trying every capacity finds, over steps and quantiles."""
    shown = replace(forecast(means, spread=spread), peakedness=peakedness)
    assert need(shown, Spillover(share), unit=UNIT).by_demand == naive_promise(shown, share)


@settings(max_examples=40)
@given(
    demand=st.floats(100.0, 20_000.0),
    spread=st.floats(0.0, 0.5),
    share=st.floats(0.0001, 0.2),
    peakedness=st.floats(1.0, 3.0),
)
def test_need_is_the_least_capacity_at_large_demands_too(
    demand: float, spread: float, share: float, peakedness: float
) -> None:
    """Where trying every capacity would take long: what it finds keeps the promise, and one unit less does not."""
    shown = replace(forecast([demand], spread=spread), peakedness=peakedness)
    found = need(shown, Spillover(share), unit=UNIT).by_demand
    mean = float(shown.weights @ shown.demand[:, 0])

    def spilled(capacity: int) -> float:
        levels = [float(level) for level in shown.demand[:, 0]]
        return float(shown.weights @ [level * hayward(capacity, level, peakedness) for level in levels])

    assert spilled(found) <= share * mean * (1 + 1e-9)
    assert spilled(found - 1) > share * mean * (1 - 1e-9)


def hayward(capacity: int, demand: float, peakedness: float) -> float:
    """`naive_hayward` by the quick sum, which is held to the naive recursion above."""
    low, offered = int(capacity / peakedness), np.array([demand / peakedness])
    below, above = float(erlang_b_at(low, offered)[0]), float(erlang_b_at(low + 1, offered)[0])
    return below + (capacity / peakedness - low) * (above - below)


def test_the_hardest_step_decides_and_is_what_capacity_is_staffed_for() -> None:
    """Of a quiet and a busy step, the busy one sets the capacity and the demand that marginal values rest on."""
    both = need(forecast([2.0, 10.0, 3.0]), Spillover(0.01), unit=UNIT)
    assert both.capacity == 18
    assert both.staffed_for == pytest.approx(10.0)


def test_uncertainty_costs_capacity() -> None:
    """The same mean demand, less certain, needs more."""
    needs = [need(forecast(20.0, spread=s), Spillover(0.01), unit=UNIT).capacity for s in (0.0, 0.2, 0.4)]
    assert needs == sorted(set(needs))


def test_burstier_traffic_needs_more() -> None:
    """At peakedness 2 and 4 the same demand needs more capacity for the same promise."""
    needs = [seen(20.0, Spillover(0.01), peakedness=z) for z in (1.0, 2.0, 4.0)]
    assert needs == sorted(set(needs))


def test_cold_starts_are_kept_by_keeping_the_same_share_of_spillover() -> None:
    """Two cold starts per 10,000 are kept by at most 0.02% of spillover, since each of them spilled."""
    assert seen(20.0, ColdStarts(2.0)) == seen(20.0, Spillover(0.0002)) > seen(20.0, Spillover(0.01))


def test_fast_functions_need_a_unit_per_ten_requests_a_second() -> None:
    """500 requests a second of 10 ms are a demand of 5, for which 11 units would do; AWS's rate limit makes it 50."""
    found = need_seen(5.0, 500.0, Spillover(0.01), peakedness=1.0, unit=UNIT)
    assert (found.by_demand, found.by_rate, found.capacity) == (11, 50, 50)


def test_the_peak_rate_is_the_upper_quantile_of_the_forecast() -> None:
    """The rate axis counts the 0.99 quantile of the rate, in the step where it is highest."""
    shown = forecast([1.0, 1.0], spread=0.0)
    rates = np.outer(np.linspace(10.0, 60.0, len(shown.levels)), [1.0, 2.0])
    assert need(replace(shown, rate_per_s=rates), Spillover(0.01), unit=UNIT).by_rate == 12


def test_a_forecast_of_no_steps_needs_nothing() -> None:
    """A forecast cut to nothing has no opinion that would cost something."""
    shown = forecast(10.0)
    assert need(shown.between(0, 60), Spillover(0.01), unit=UNIT) == NOTHING


# --- a cost ----------------------------------------------------------------------------------------------------------


def naive_cost(demands_: FloatArray, weights: FloatArray, keep: float, *, most: float = np.inf) -> int:
    """Buy units one by one while the mean load that the next one carries is above `keep`."""

    def carried(capacity: int) -> float:
        served = [demand * (1 - naive_erlang_b(capacity, demand)) for demand in demands_]
        return float(weights @ np.minimum(served, capacity * most if capacity else 0.0))

    capacity = 0
    while carried(capacity + 1) - carried(capacity) > keep:
        capacity += 1
    return capacity


@given(demand=st.floats(0.01, 150.0))
def test_savings_buys_each_unit_that_is_busy_above_the_break_even(demand: float) -> None:
    """In us-east-1 a unit pays for itself above 60% utilization: those and no others are bought."""
    # A unit that is just worth its price may be bought or not, as rounding has it.
    allowed = [naive_cost(np.array([demand]), np.ones(1), UNIT.prices.break_even + hair) for hair in (1e-9, -1e-9)]
    assert seen(demand, Savings(), rate=demand) in allowed


@settings(max_examples=30)
@given(means=st.lists(st.floats(0.1, 40.0), min_size=1, max_size=5), usd=st.floats(1e-6, 1e-2))
def test_a_cost_per_cold_start_is_weighed_over_all_steps_together(means: list[float], usd: float) -> None:
    """The newsvendor's rule on the mean over steps and quantiles is what buying one by one gives."""
    shown = forecast(means, spread=0.2, rate_per_s=4.0)
    duration_s = float((shown.weights @ shown.demand).mean()) / 4.0
    worth = UNIT.prices.saving_usd_per_gb_s * UNIT.gb + usd / duration_s
    keep = UNIT.prices.allocation_usd_per_gb_s * UNIT.gb / worth
    weights = np.repeat(shown.weights / len(means), len(means))
    allowed = [naive_cost(shown.demand.ravel(), weights, keep + hair, most=10 * duration_s) for hair in (1e-9, -1e-9)]
    assert need(shown, ColdStartCost(usd), unit=UNIT).capacity in allowed


def test_many_steps_are_weighed_in_groups_without_changing_the_answer() -> None:
    """Two hours of minutes with quantiles, 720 demands, give what each of them weighed by itself gives."""
    shown = forecast(list(np.linspace(20.0, 30.0, 120)), spread=0.2, rate_per_s=50.0)
    weights = np.repeat(shown.weights / 120, 120)
    expected = naive_cost(shown.demand.ravel(), weights, UNIT.prices.break_even)
    assert need(shown, Savings(), unit=UNIT).capacity == expected


def test_savings_buys_nothing_where_the_break_even_exceeds_a_full_unit() -> None:
    """In Frankfurt a unit would have to be busy 101% of the time."""
    assert seen(500.0, Savings(), rate=500.0, unit=FRANKFURT) == 0


def test_a_dear_cold_start_buys_capacity_even_there() -> None:
    """What a cold start costs is counted on top of the prices."""
    assert seen(10.0, ColdStartCost(0.001), rate=20.0, unit=FRANKFURT) > 10


def test_dearer_cold_starts_buy_more() -> None:
    """Capacity rises with what a cold start costs."""
    needs = [seen(10.0, ColdStartCost(usd), rate=20.0) for usd in (0.0, 1e-6, 1e-5, 1e-4)]
    assert needs == sorted(needs)
    assert needs[0] == seen(10.0, Savings(), rate=20.0) < needs[-1]


def test_the_rate_limit_caps_what_a_unit_is_worth() -> None:
    """A unit serves ten requests a second: of 20 ms that is a load of 0.2 at most, below the break-even."""
    assert seen(5.0, Savings(), rate=250.0) == 0
    assert seen(5.0, Savings(), rate=5.0) > 0


@pytest.mark.parametrize("objective", [Spillover(0.01), ColdStarts(2), ColdStartCost(0.0004), Savings()])
@pytest.mark.parametrize("demand", [0.0, 1e-6, 0.3, 10.0, 10_000.0])
def test_every_objective_answers_for_every_size(objective: Objective, demand: float) -> None:
    """From nothing to ten thousand: a capacity that is finite, not negative, and nothing for nothing."""
    found = seen(demand, objective, rate=demand * 2)
    assert 0 <= found <= demand + 10 * demand**0.5 + 10
    assert demand > 0 or found == 0
