"""Target tracking against a naive twin, and its rules one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmcast.erlang import spilled_share
from warmcast.simulate.trace import Trace
from warmcast.simulate.tracking import target_tracking
from warmcast.simulate.world import World

WORLD = World()
GAP = float("nan")
CROWD = 10_000.0  # keeps any capacity here busy to the last


def trace(demand: list[float]) -> Trace:
    """Minutes of demand from half-second executions."""
    known = np.array(demand, dtype=np.float64)
    return Trace(start=0, demand=known, arrivals_per_s=2 * known, peak=np.full(len(known), np.nan))


def tracked(demand: list[float], *, start: int, target: float = 0.7, world: World = WORLD) -> list[int]:
    """Requested capacity of each minute, within no bounds but 1."""
    return [int(units) for units in target_tracking(trace(demand), world, target=target, start=start)]


def naive(demand: list[float], *, start: int, target: float, lead: int) -> list[int]:
    """Everything looked up anew in each minute."""
    requested: list[int] = []
    changed = 0  # datapoints that become visible from this minute on count
    for minute in range(len(demand)):
        current = requested[-1] if requested else start
        seen = [
            utilization(demand, requested, row, start=start, lead=lead)
            for row in range(max(changed - 2, 0), minute - 1)
        ]
        wanted = naively_wanted(seen, current, target)
        if wanted != current:
            changed = minute + 1
        requested.append(wanted)
    return requested


def utilization(demand: list[float], requested: list[int], minute: int, *, start: int, lead: int) -> float:
    """What a minute's READY units carried over their number."""
    units = min((requested[at] if at >= 0 else start) for at in range(minute - lead, minute + 1))
    spilled = spilled_share(np.array([units]), np.array([demand[minute]]))[0]
    return demand[minute] * (1 - float(spilled)) / units


def naively_wanted(seen: list[float], current: int, target: float) -> int:
    """Both alarms by the newest datapoints in a row; nothing compares with a gap."""
    if len(seen) >= 3 and all(each > target for each in seen[-3:]):
        return max(math.ceil(current * seen[-1] / target - 1e-9), 1)
    if len(seen) >= 15 and all(each < 0.9 * target for each in seen[-15:]):
        return max(math.ceil(current * max(seen[-15:]) / target - 1e-9), 1)
    return current


def test_three_visible_minutes_in_a_row_above_the_target_scale_out() -> None:
    """Busy from minute 0 on: minute 2's row is seen at minute 4, which asks for ceil(10 x 1 / 0.7) = 15."""
    assert tracked([CROWD] * 6, start=10) == [10, 10, 10, 10, 15, 15]


def test_one_minute_under_the_target_starts_the_row_again() -> None:
    """Busy, busy, quiet, busy, busy is no three in a row."""
    assert tracked([CROWD, CROWD, 1.0, CROWD, CROWD, 1.0, 1.0, 1.0], start=10) == [10] * 8


def test_counting_restarts_at_each_change() -> None:
    """After a change, three rows more must become visible, whatever was seen before: 10, 15, 22, 32 every 3 minutes."""
    assert tracked([CROWD] * 12, start=10) == [10] * 4 + [15] * 3 + [22] * 3 + [32] * 2


def test_utilization_saturates_at_one() -> None:
    """A demand of twice the capacity and one of a thousand times look nearly the same: that is the peril of it."""
    assert tracked([30.0] * 5, start=10)[-1] == tracked([CROWD] * 5, start=10)[-1] - 1 == 14


def test_fifteen_visible_minutes_under_nine_tenths_scale_in_to_the_highest_of_them() -> None:
    """20% of 100 units, 30% once: the 15th row is seen at minute 16, which asks for ceil(100 x 0.3 / 0.7) = 43."""
    assert tracked([20.0] * 7 + [30.0] + [20.0] * 9, start=100) == [100] * 16 + [43]


def test_between_nine_tenths_and_the_target_nothing_happens() -> None:
    """65% of 100 units at a target of 70%, for ever."""
    assert tracked([65.0] * 60, start=100) == [100] * 60


def test_it_never_leaves_the_last_unit_but_may_not_get_there() -> None:
    """Silence goes to 1; two units at 58% of 70% round up to two again, as users report."""
    assert tracked([0.0] * 20, start=50)[-1] == 1
    assert tracked([1.0] * 60, start=2, target=0.7) == [2] * 60


def test_a_gap_has_no_datapoint_and_breaks_the_row() -> None:
    """Two busy minutes, a gap and two busy ones are no row; nor does a day of gaps scale in."""
    assert tracked([CROWD, CROWD, GAP, CROWD, CROWD, GAP, GAP, GAP], start=10) == [10] * 8
    assert tracked([GAP] * 100, start=10) == [10] * 100


def test_a_rise_that_is_not_ready_relieves_nobody() -> None:
    """With a lead time of ten minutes the same demand is tracked upwards further than with one of none."""
    late, at_once = (tracked([20.0] * 12, start=10, world=World(lead_s=lead)) for lead in (600, 0))
    assert max(late) > max(at_once)


def test_the_minimum_and_the_maximum_hold_from_their_minute_on() -> None:
    """A minimum raises at once and lets go of nothing; a maximum lowers at once, but not under the minimum."""
    floor = np.array([1, 1, 30, 1, 1, 1, 25, 1])
    most = np.array([99, 99, 99, 99, 99, 20, 20, 20])
    found = target_tracking(trace([GAP] * 8), WORLD, target=0.7, start=10, floor=floor, most=most)
    assert found.tolist() == [10, 10, 30, 30, 30, 20, 25, 20]


def test_it_starts_with_one_unit_at_least() -> None:
    """Without any capacity there would be no utilization to track."""
    assert tracked([GAP], start=0) == [1]


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from([0.0, 3.0, 9.0, 14.0, 40.0, GAP]), st.integers(1, 20)), min_size=1, max_size=8),
    st.integers(1, 30),
    st.sampled_from([0.3, 0.7, 0.9]),
    st.integers(0, 4),
)
def test_it_is_its_naive_twin(stretches: list[tuple[float, int]], start: int, target: float, lead: int) -> None:
    """Levels that hold for minutes, and gaps; what is worked out ahead is what each minute would find."""
    demand = [level for level, minutes in stretches for _ in range(minutes)]
    found = tracked(demand, start=start, target=target, world=World(lead_s=60 * lead))
    assert found == naive(demand, start=start, target=target, lead=lead)


@pytest.mark.parametrize("cut", [7, 30, 61])
def test_it_sees_no_row_before_two_minutes_have_passed(cut: int) -> None:
    """What comes after minute t - 2 changes nothing up to t."""
    chance = np.random.default_rng(cut)
    demand = chance.uniform(0, 60, 80)
    other = demand.copy()
    other[cut - 1 :] = chance.uniform(0, 60, 80 - cut + 1)
    found, cut_off = (tracked(each.tolist(), start=20) for each in (demand, other))
    assert found[: cut + 1] == cut_off[: cut + 1]
