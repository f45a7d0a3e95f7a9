"""The loss table of the mixture against Erlang's exact formula, and the unit that candidates think in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmcast.erlang import erlang_b
from warmcast.mixture.loss import NEED_SPILLOVER, carried, demand_of, staffed

DEMANDS = st.floats(1e-3, 5e4)
DEVIATIONS = st.floats(-9.0, 13.0)


def exact(capacity: float, demand: float) -> float:
    """Spilled load by Erlang's B itself."""
    return demand * float(erlang_b(np.array([capacity]), np.array([demand]))[0])


@settings(max_examples=300, deadline=None)
@given(demand=DEMANDS, deviation=DEVIATIONS)
def test_the_table_is_as_near_to_erlang_as_it_says(demand: float, deviation: float) -> None:
    """Spilled within 0.5% of sqrt(demand + 1) and marginal within 0.002, wherever capacity lies."""
    root = np.sqrt(demand + 1)
    capacity = max(0.0, demand + deviation * root)
    read = carried(np.array([capacity]), np.array([demand]))
    spilled, less = exact(capacity, demand), exact(capacity + 1, demand)
    assert abs(float(read.spilled[0]) - spilled) <= 0.005 * root
    assert abs(float(read.marginal[0]) - (spilled - less)) <= 0.002


@pytest.mark.parametrize(
    ("capacity", "demand", "share"),
    [(10.0, 5.0, 0.018385), (100.0, 84.064, 0.01), (0.0, 7.0, 1.0), (1.0, 1.0, 0.5), (2.0, 1.0, 0.2)],
)
def test_known_values_of_erlang_are_in_the_table(capacity: float, demand: float, share: float) -> None:
    """Textbook values, within half a percent of the demand's standard deviation."""
    spilled = float(carried(np.array([capacity]), np.array([demand])).spilled[0])
    assert spilled == pytest.approx(demand * share, abs=0.005 * np.sqrt(demand + 1))


def test_no_demand_and_a_gap_spill_nothing_and_need_no_unit() -> None:
    """Zero, next to nothing and NaN carry no load, at any capacity."""
    read = carried(np.array([[0.0], [3.0]]), np.array([0.0, 1e-4, np.nan]))
    assert read.spilled.tolist() == read.marginal.tolist() == [[0.0] * 3] * 2


def test_beyond_the_table_capacity_is_all_too_little_or_more_than_enough() -> None:
    """Far below the demand nearly each unit is always busy; far above it one more serves nobody."""
    read = carried(np.array([100.0, 5000.0]), np.array([1000.0, 1000.0]))
    assert read.spilled.tolist() == [pytest.approx(900 + 100 / 900, abs=1e-9), 0.0]
    assert read.marginal.tolist() == [pytest.approx(1 - 1000 / 900**2, abs=1e-9), 0.0]


@settings(max_examples=100, deadline=None)
@given(demand=DEMANDS, low=DEVIATIONS, more=st.floats(0.0, 5.0))
def test_more_capacity_never_spills_more(demand: float, low: float, more: float) -> None:
    """The loss falls in capacity and is convex: a further unit never takes more than the one before it."""
    root = np.sqrt(demand + 1)
    capacity = np.maximum(demand + np.array([low, low + more]) * root, 0.0)
    read = carried(capacity, np.full(2, demand))
    assert read.spilled[1] <= read.spilled[0] + 1e-9 * root
    assert read.marginal[1] <= read.marginal[0] + 1e-3


@pytest.mark.parametrize(("demand", "units"), [(5.0, 10.78), (84.064, 100.0), (1.0, 4.28)])
def test_a_demand_is_staffed_with_what_spills_one_percent_of_it(demand: float, units: float) -> None:
    """Known values; the curve between the grid's points is read by interpolation."""
    assert float(staffed(np.array([demand]))[0]) == pytest.approx(units, rel=0.002)


@settings(max_examples=100, deadline=None)
@given(demand=st.floats(0.01, 5e4))
def test_what_is_staffed_spills_what_it_says(demand: float) -> None:
    """Erlang's B is never above 1% there, nor would it be with 0.3% and a tenth of a unit less below it."""
    units = float(staffed(np.array([demand]))[0])
    assert exact(units, demand) / demand <= NEED_SPILLOVER * 1.0001
    assert exact(units * 0.997 - 0.1, demand) / demand > NEED_SPILLOVER


@settings(max_examples=100, deadline=None)
@given(demand=st.floats(0.0, 5e4))
def test_the_demand_that_a_capacity_staffs_is_the_inverse(demand: float) -> None:
    """There and back is where one was, next to nothing included."""
    back = float(demand_of(staffed(np.array([demand])))[0])
    assert back == pytest.approx(demand, rel=1e-6, abs=1e-9)
