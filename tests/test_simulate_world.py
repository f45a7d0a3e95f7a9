"""The simulated world's arithmetic against the textbook's loops, and worked numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textbook import naive_erlang_b, naive_hayward
from warmcast.erlang import erlang_b, spilled_share
from warmcast.fleet import Spillover
from warmcast.simulate.trace import Trace
from warmcast.simulate.world import (
    Blocks,
    World,
    billed_unit_minutes,
    capacity_for,
    new_units,
    ready,
    starting_capacity,
)
from warmcast.staffing import need_seen, unit_of

capacities = st.lists(st.integers(0, 12), max_size=40)
demands = st.one_of(st.just(0.0), st.floats(1e-6, 400.0))
GAP = float("nan")


def share(capacity: int, demand: float, peakedness: float = 1.0) -> float:
    """One minute's spilled share."""
    return float(spilled_share(np.array([capacity]), np.array([demand]), peakedness)[0])


def spilled(capacity: int, demand: list[float]) -> float:
    """What one capacity for all these minutes doesn't serve of them."""
    return sum(minute * naive_erlang_b(capacity, minute) for minute in demand)


def trace(demand: list[float]) -> Trace:
    """Minutes of demand from half-second executions."""
    known = np.array(demand, dtype=np.float64)
    return Trace(start=0, demand=known, arrivals_per_s=2 * known, peak=np.full(len(known), np.nan))


# --- a trace ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "kept"), [(0, 240, [1, 2, 3, 4]), (30, 200, [2, 3]), (60, 61, []), (-600, 60, [1]), (600, 900, [])]
)
def test_a_part_of_a_trace_is_the_minutes_wholly_inside(start: int, end: int, kept: list[float]) -> None:
    """With their own start and end, all three series alike."""
    part = trace([1.0, 2.0, 3.0, 4.0]).between(start, end)
    assert part.demand.tolist() == kept
    assert part.arrivals_per_s.tolist() == [2 * each for each in kept]
    assert part.at.tolist() == [60 * (each - 1) for each in kept]
    assert part.end == part.start + 60 * len(part)


def test_a_trace_is_whole_minutes_of_equal_length() -> None:
    """Anything else is a mistake of the caller's."""
    one, two = np.ones(1), np.ones(2)
    with pytest.raises(ValueError, match="full minute"):
        Trace(start=61, demand=one, arrivals_per_s=one, peak=one)
    with pytest.raises(ValueError, match="equally long"):
        Trace(start=60, demand=one, arrivals_per_s=two, peak=one)


# --- READY -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requested", "expected"),
    [
        ([1, 5, 5, 5, 2, 2], [1, 1, 1, 5, 2, 2]),
        ([1, 5, 1, 5, 5, 5], [1, 1, 1, 1, 1, 5]),
        ([1, 5, 9, 9, 9, 7], [1, 1, 1, 5, 9, 7]),
        ([4, 2, 4, 4, 4, 4], [4, 2, 2, 2, 4, 4]),
        ([], []),
    ],
)
def test_a_rise_is_ready_after_the_lead_time_and_a_fall_at_once(requested: list[int], expected: list[int]) -> None:
    """Nothing of a rise serves before two minutes are over."""
    assert ready(np.array(requested, dtype=np.int64), 2).tolist() == expected


def test_what_was_ready_before_the_first_minute_serves_until_the_first_rise_is() -> None:
    """A policy that asks for 8 where 3 were READY has 3 for the lead time; one that asks for 1 has 1."""
    assert ready(np.full(4, 8), 2, start=3).tolist() == [3, 3, 8, 8]
    assert ready(np.full(4, 1), 2, start=3).tolist() == [1, 1, 1, 1]
    assert ready(np.full(4, 8), 0, start=3).tolist() == [8, 8, 8, 8]


@given(capacities, st.integers(0, 4), st.integers(0, 12))
def test_ready_is_what_its_units_say_one_by_one(requested: list[int], lead: int, start: int) -> None:
    """Unit by unit: READY once it was asked for `lead` minutes long, gone in the minute in which it isn't."""
    held = [math.inf if unit < start else 0 for unit in range(12)]
    expected = []
    for wanted in requested:
        held = [minutes + 1 if unit < wanted else 0 for unit, minutes in enumerate(held)]
        expected.append(sum(minutes > lead for minutes in held))
    assert ready(np.array(requested, dtype=np.int64), lead, start=start).tolist() == expected


# --- what spills -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("capacity", "demand", "expected"),
    [
        (10, 5.0, 0.018385),
        (100, 84.064, 0.01),
        (1, 1.0, 0.5),
        (2, 1.0, 0.2),
        (0, 3.0, 1.0),
        (5, 0.0, 0.0),
        (0, GAP, 0.0),
    ],
)
def test_it_knows_the_tables_of_erlang(capacity: int, demand: float, expected: float) -> None:
    """Known values, and the ends: no capacity spills all, no demand and a gap nothing."""
    assert share(capacity, demand) == pytest.approx(expected, abs=2e-6)


@given(st.lists(st.tuples(st.integers(0, 450), demands), max_size=20), st.sampled_from([1.0, 1.5, 2.0, 7.3]))
def test_each_minute_spills_as_the_recursion_says(pairs: list[tuple[int, float]], peakedness: float) -> None:
    """Twelve digits of each pair, and Hayward's straight line between whole capacities."""
    found = spilled_share(
        np.array([pair[0] for pair in pairs], dtype=np.int64), np.array([pair[1] for pair in pairs]), peakedness
    )
    expected = [naive_hayward(capacity, demand, peakedness) for capacity, demand in pairs]
    assert found == pytest.approx(expected, rel=1e-10, abs=1e-250)


def test_large_demands_keep_their_digits() -> None:
    """Ten thousand concurrent executions, capacities from far below to far above; more pairs than fit at once."""
    demand = np.linspace(9_000, 10_000, 3_000)
    capacity = (demand + np.linspace(-800, 800, 3_000)).astype(np.int64)
    found = erlang_b(capacity.astype(np.float64), demand)
    some = range(0, 3_000, 500)
    expected = [naive_erlang_b(int(capacity[each]), float(demand[each])) for each in some]
    assert found[some] == pytest.approx(expected, rel=1e-10)


# --- need ------------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(demands, st.sampled_from([0.001, 0.01, 0.3, 1.0]), st.sampled_from([1.0, 2.5]))
def test_the_need_is_the_least_capacity_that_is_enough(demand: float, spillover: float, peakedness: float) -> None:
    """One unit less spills too much."""
    needed = int(capacity_for(np.array([demand]), spillover, peakedness)[0])
    assert naive_hayward(needed, demand, peakedness) <= spillover * (1 + 1e-9)
    assert needed == 0 or naive_hayward(needed - 1, demand, peakedness) > spillover * (1 - 1e-9)


def test_the_need_is_what_the_brain_staffs() -> None:
    """The same model in both places, so that a baseline isn't measured with another yardstick."""
    unit = unit_of(region="us-east-1", architecture="x86_64", memory_mb=1024)
    demand = np.array([0.0, 0.3, 7.0, 84.0, 2_000.0, 10_000.0])
    for peakedness in (1.0, 1.7):
        staffed = [
            need_seen(float(each), 0.0, Spillover(share=0.01), peakedness=peakedness, unit=unit).capacity
            for each in demand
        ]
        assert capacity_for(demand, 0.01, peakedness).tolist() == staffed


def test_gaps_and_idle_minutes_need_nothing() -> None:
    """And a trace of no minutes has no needs."""
    assert capacity_for(np.array([GAP, 0.0, 5.0, GAP]), 0.01).tolist() == [0, 0, 11, 0]
    assert capacity_for(np.array([]), 0.01).tolist() == []


def test_a_block_spills_its_share_over_all_its_minutes() -> None:
    """Demands of 2, 10 and 2 under one capacity: what spills together counts, and each capacity is the least."""
    demand, block = np.array([2.0, 10.0, 2.0, 0.0, 50.0, 60.0]), np.array([0, 0, 0, 1, 2, 2])
    for spillover in (0.001, 0.01, 0.2, 0.7):
        found = Blocks(demand, block, 1.0).capacity_for(spillover)
        for each, capacity in enumerate(found.tolist()):
            mine = demand[block == each].tolist()
            assert spilled(capacity, mine) <= spillover * sum(mine)
            assert capacity == 0 or spilled(capacity - 1, mine) > spillover * sum(mine)


def test_known_bounds_shorten_the_search_and_change_nothing() -> None:
    """The sweep of the clairvoyant hands on what it knows."""
    demand = np.linspace(0, 300, 50)
    blocks = Blocks(demand, np.arange(50), 1.0)
    strict, loose = blocks.capacity_for(0.001), blocks.capacity_for(0.1)
    assert (strict >= loose).all()
    between = blocks.capacity_for(0.01, at_least=loose, at_most=strict)
    assert between.tolist() == blocks.capacity_for(0.01).tolist()


def test_policies_start_at_the_need_of_the_first_minute_that_is_known() -> None:
    """A demand of 5 needs 11 units; a trace of gaps needs none."""
    assert starting_capacity(trace([GAP, GAP, 5.0, 80.0]), World()) == 11
    assert starting_capacity(trace([GAP]), World()) == 0


# --- bills -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requested", "billed"),
    [
        ([1] * 6, 10),
        ([1, 3, 1, 1, 1], 15),
        ([2, 1, 2, 1, 2], 20),
        ([1, 2, 3, 3, 3, 3, 3, 0], 10 + 10 + 5),
        ([1, 2, 3, 1], 5 + 5 + 5),
        ([0, 0], 0),
        ([], 0),
    ],
)
def test_each_unit_is_billed_for_itself_rounded_up_to_five_minutes(requested: list[int], billed: int) -> None:
    """The last unit requested is the first to go."""
    assert billed_unit_minutes(np.array(requested, dtype=np.int64)) == billed


@given(capacities)
def test_the_bill_is_the_sum_over_units(requested: list[int]) -> None:
    """Unit by unit: the lengths of the stretches in which it is held, each rounded up."""
    billed = 0
    for unit in range(12):
        length = 0
        for wanted in [*requested, 0]:
            if wanted > unit:
                length += 1
            else:
                billed += -(-length // 5) * 5
                length = 0
    assert billed_unit_minutes(np.array(requested, dtype=np.int64)) == billed


def test_units_are_new_where_capacity_rises() -> None:
    """From 2 to 5, and from 1 to 4: six; those that were there before the trace are not."""
    assert new_units(np.array([2, 5, 5, 1, 4]), start=2) == 6
    assert new_units(np.array([2, 5, 5, 1, 4])) == 8


def test_the_world_speaks_of_whole_minutes_and_of_its_own_prices() -> None:
    """A lead time of 90 s serves from the second minute on; half a GB in Tokyo costs what Tokyo charges."""
    world = World(lead_s=90, memory_mb=512, region="ap-northeast-1")
    assert world.lead_minutes == 2
    assert world.gb == 0.5
    assert world.prices.allocation_usd_per_gb_s == 0.0000053835
