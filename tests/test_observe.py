"""The observer, tick by tick, on fakes: what is read once, what is read on, what one target's fault does to others."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from builders import CHECKOUT, NOON, policy, target
from observing import NOW_S, OWN, World, between, constantly, refusal
from warmcast.aws.metrics import Completeness
from warmcast.model import Fault, FaultKind, History, Mode
from warmcast.observe import Shares
from warmcast.observe.demand import WEEKS_PER_TICK
from warmcast.observe.history import LEARNED_FROM, Measure
from warmcast.observe.polling import query_of
from warmcast.tick import Order

TICK = timedelta(minutes=5)
PAYMENTS, SEARCH = target("payments:live"), target("search:live")

TWICE, FOUR = {("checkout-api:live", 60): 2}, {"checkout-api:live": 4}
"""Reads of work in a first tick: its newest minutes and its weeks. Series read of the weeks."""


# --- history once, then increments -----------------------------------------------------------------------------------


@pytest.mark.parametrize("late_s", [0, 17, 60, 119, 240, 299])
def test_the_first_tick_reads_three_hours_by_the_minute_and_two_weeks_by_five(late_s: int) -> None:
    """Both reach one another without a hole at any time of the clock, and the newest minute ended 2 minutes ago.

    Work of the two weeks is read by the minute too, and each of its steps has its five minutes.
    """
    world = World()
    world.cloudwatch.give(CHECKOUT, constantly(30.0))
    known = world.history(timedelta(seconds=late_s))
    assert (known.coarse.step_s, known.fine.step_s) == (300, 60)
    assert known.coarse.end == known.fine.start <= NOW_S - 175 * 60 + late_s
    assert known.fine.end == NOW_S - 120 + late_s // 60 * 60
    assert known.coarse.start == NOW_S - 14 * 86_400
    np.testing.assert_array_equal(known.fine.demand, np.full(len(known.fine), 0.5))
    np.testing.assert_array_equal(known.coarse.arrivals, np.full(len(known.coarse), 300.0))
    np.testing.assert_array_equal(known.minutes, np.full(5 * len(known.coarse), 0.5, dtype=np.float32))
    assert known.complete


def test_the_next_tick_reads_only_what_is_new_and_the_trailing_minutes() -> None:
    """One read of a quarter of an hour where the first tick made nine."""
    world = World()
    world.cloudwatch.give(CHECKOUT, constantly(30.0))
    world.tick()
    assert sum(world.cloudwatch.reads().values()) == 9
    known = world.history(TICK)
    assert world.cloudwatch.reads(Measure.WORK) == {("checkout-api:live", 60): 1}
    assert max(len(grid) for query, grid in world.cloudwatch.asked if query.metric == "Duration") == 15
    assert known.fine.end == NOW_S + 300 - 120
    assert not np.isnan(known.fine.work_s).any()


def test_a_minute_that_cloudwatch_revises_is_revised_here() -> None:
    """Late invocations of 11:56 come in after the first look."""
    world = World()
    world.cloudwatch.give(CHECKOUT, constantly(30.0))
    world.tick()
    late = NOW_S - 240
    world.cloudwatch.give(CHECKOUT, lambda minute: 42.0 if minute == late else 30.0)
    fine = world.history(TICK).fine
    assert fine.work_s[(late - fine.start) // 60] == 42.0


def test_arrivals_are_filled_in_at_their_own_pace() -> None:
    """Half an hour of ticks: a few minutes of arrivals are unknown at each, none for longer than 25 minutes."""
    world = World()
    world.cloudwatch.give(CHECKOUT, constantly(30.0))
    world.tick()
    lags = []
    for _ in range(12):
        fine = world.history(TICK).fine
        lags.append(int(np.isnan(fine.arrivals).sum()))
        assert np.nanmax(fine.arrivals) == 60.0
    assert 0 < max(lags) <= 30
    assert 0 in lags


def test_missed_ticks_are_made_up_for() -> None:
    """Two hours frozen: the minutes of two hours are read, and the weeks are not read again."""
    world = World()
    world.cloudwatch.give(CHECKOUT, constantly(30.0))
    world.tick()
    known = world.history(timedelta(hours=2))
    assert not world.cloudwatch.weeks_read()
    assert not np.isnan(known.fine.work_s).any()
    assert len(known.fine) == 178 + 120


def test_after_more_than_three_hours_everything_starts_again() -> None:
    """The minutes between could only be had in part."""
    world = World()
    world.cloudwatch.give(CHECKOUT, constantly(30.0))
    world.tick()
    known = world.history(timedelta(hours=4))
    assert (world.cloudwatch.reads(Measure.WORK), world.cloudwatch.weeks_read()) == (TWICE, FOUR)
    assert known.coarse.end == known.fine.start


def test_a_day_of_ticks_leaves_no_hole_between_steps_and_minutes() -> None:
    """Minutes fold into steps as they grow old; every minute of the day is there once."""
    world = World()
    world.cloudwatch.give(CHECKOUT, lambda minute: 10.0 + minute // 60 % 7)
    world.tick()
    for _ in range(288):
        known = world.history(TICK)
    assert known.coarse.end == known.fine.start
    assert 360 - 5 <= len(known.fine) <= 420 + 5
    assert len(known.coarse) == 14 * 288
    assert not np.isnan(known.coarse.work_s).any()
    minutes = np.arange(known.coarse.start, known.coarse.end, 60)
    expected = (10.0 + minutes // 60 % 7).reshape(-1, 5).sum(axis=1)
    np.testing.assert_allclose(known.coarse.work_s, expected)
    np.testing.assert_allclose(known.coarse.arrivals[:-12], 2 * expected[:-12])


def test_weeks_are_read_for_some_targets_a_tick() -> None:
    """Three targets at two a tick: the third has its weeks one tick later."""
    world = World(CHECKOUT, PAYMENTS, SEARCH, weeks_per_tick=2)
    for each in world.policies:
        world.cloudwatch.give(each, constantly(30.0))
    lengths = [
        sorted(len(h.coarse) > 0 for h in world.tick(TICK * n).histories.values() if isinstance(h, History))
        for n in (0, 1)
    ]
    assert lengths == [[False, True, True], [True, True, True]]


def test_as_many_weeks_are_read_in_a_tick_as_are_learned_in_one() -> None:
    """So a target is learned in the tick that reads its minutes, and no tick reads what has to wait."""
    assert Order(owner="").learn_most == WEEKS_PER_TICK


def test_the_minutes_of_the_weeks_are_handed_out_for_half_an_hour() -> None:
    """Learning may be late by six ticks; then 80 KB are let go, and what else is known of the weeks stays."""
    world = World()
    world.cloudwatch.give(CHECKOUT, lambda minute: 30.0 if minute % 300 else 90.0)
    known = [world.history(TICK if n else timedelta()) for n in range(8)]
    assert [len(each.minutes) for each in known] == [5 * len(known[0].coarse)] * 6 + [0] * 2
    np.testing.assert_array_equal(known[5].minutes.reshape(-1, 5), np.tile([1.5, 0.5, 0.5, 0.5, 0.5], (4032 - 36, 1)))
    np.testing.assert_array_equal(known[7].coarse.work_s, known[0].coarse.work_s)


def test_idle_minutes_of_the_weeks_are_zero_and_throttled_ones_grow() -> None:
    """Worked in the first minute of each five; for a day half of all that came was turned away."""
    world = World()
    world.cloudwatch.give(CHECKOUT, lambda minute: None if minute % 300 else 60.0)
    day = between(NOON - timedelta(days=2), NOON - timedelta(days=1), 24.0)
    world.cloudwatch.series[query_of(CHECKOUT, Measure.THROTTLES)] = day
    known = world.history()
    minutes, begun = known.minutes.reshape(-1, 5), (known.coarse.at - NOW_S) // 86_400
    np.testing.assert_allclose(minutes[begun == -2, 0], 2.0)
    np.testing.assert_allclose(minutes[begun != -2, 0], 1.0)
    np.testing.assert_array_equal(minutes[:, 1:], 0.0)


def test_time_that_runs_out_leaves_no_target_half_read() -> None:
    """The weeks of three targets fill a call: each call that there is time for makes three more known."""
    fleet = [target(f"fn-{n}:live") for n in range(8)]
    world = World(*fleet)
    world.cloudwatch.call_s = 10.0
    world.observer.allow(45.0 / Shares().observe)  # three calls for the newest minutes, then two more begin in time
    read = [h.weeks_read for h in world.tick().histories.values() if isinstance(h, History)]
    assert read == [True] * 6 + [False] * 2
    assert world.cloudwatch.weeks_read() == dict.fromkeys(map(str, fleet[:6]), 4)


def test_targets_that_are_applied_come_before_those_that_only_observe() -> None:
    """With weeks for one a tick, the target whose capacity depends on it is first."""
    world = World(CHECKOUT, PAYMENTS, weeks_per_tick=1)
    world.policies[CHECKOUT] = policy(str(CHECKOUT), mode=Mode.OBSERVE.value)
    world.tick()
    assert world.cloudwatch.weeks_read() == {"payments:live": 4}


def test_a_tick_for_one_target_costs_the_others_nothing() -> None:
    """They keep their histories, and are read on at the next whole tick."""
    world = World(CHECKOUT, PAYMENTS)
    world.cloudwatch.give(PAYMENTS, constantly(30.0))
    world.tick()
    everyone = world.policies
    world.policies = {CHECKOUT: everyone[CHECKOUT]}
    world.tick(TICK)
    world.policies = everyone
    known = world.history(TICK, of=PAYMENTS)
    assert not world.cloudwatch.weeks_read()
    assert not np.isnan(known.fine.work_s).any()


# --- silence ---------------------------------------------------------------------------------------------------------


def test_idle_minutes_are_zero_up_to_our_own_last_sign_of_life() -> None:
    """Worked until 10:00; at 12:00 our own newest invocation is 11:55, so 11:55 is the last minute known as idle."""
    world = World()
    world.cloudwatch.give(CHECKOUT, between(NOON - timedelta(days=1), NOON - timedelta(hours=2), 30.0))
    fine = world.history().fine
    after_ten = fine.between(NOW_S - 2 * 3600, NOW_S)
    np.testing.assert_array_equal(after_ten.work_s, [0.0] * 116 + [np.nan] * 2)
    np.testing.assert_array_equal(after_ten.arrivals, after_ten.work_s)


def test_a_quiet_target_is_never_stale() -> None:
    """Three hours of silence: whatever its pace, its newest known minute is at most 14 minutes old at each tick."""
    world = World()
    world.cloudwatch.give(CHECKOUT, between(NOON - timedelta(days=1), NOON, 30.0))
    world.tick()
    reads = 0
    for _ in range(36):
        newest = world.history(TICK).newest
        reads += sum(world.cloudwatch.reads().values())
        assert newest is not None
        assert int(world.now.timestamp()) - newest <= 14 * 60
    assert reads <= 36 * 0.75


def test_without_any_sign_of_life_silence_is_a_gap() -> None:
    """CloudWatch says Complete and has nothing, not even of us: it may be its own silence."""
    world = World()
    world.cloudwatch.give(CHECKOUT, between(NOON - timedelta(days=1), NOON - timedelta(hours=2), 30.0))
    del world.cloudwatch.series[OWN]
    assert np.isnan(world.history().fine.between(NOW_S - 2 * 3600, NOW_S).work_s).all()


def test_on_a_laptop_any_other_series_is_the_sign_of_life() -> None:
    """There is no function of ours; a busy neighbour proves that the Region reports."""
    world = World(CHECKOUT, PAYMENTS, own_function="")
    world.cloudwatch.give(CHECKOUT, between(NOON - timedelta(days=1), NOON - timedelta(hours=2), 30.0))
    world.cloudwatch.give(PAYMENTS, constantly(5.0))
    fine = world.history().fine.between(NOW_S - 2 * 3600, NOW_S)
    np.testing.assert_array_equal(fine.work_s, [0.0] * 117 + [np.nan])
    assert OWN not in {query for query, _ in world.cloudwatch.asked}


def test_a_new_alias_has_the_history_that_it_has() -> None:
    """Deployed at 11:30: no zeros before."""
    world = World()
    world.cloudwatch.give(CHECKOUT, between(NOON - timedelta(minutes=30), NOON, 30.0))
    known = world.history()
    assert (len(known.coarse), known.fine.start) == (0, NOW_S - 1800)


def test_an_alias_that_never_worked_has_an_empty_history() -> None:
    """Empty and complete: it is known that there is nothing."""
    known = World().history()
    assert (len(known.coarse), len(known.fine), known.complete) == (0, 0, True)


# --- what goes wrong -------------------------------------------------------------------------------------------------


def test_a_forbidden_series_is_its_targets_fault_alone() -> None:
    """Forbidden comes per query: the neighbour is served from the same call."""
    world = World(CHECKOUT, PAYMENTS)
    world.cloudwatch.give(PAYMENTS, constantly(30.0))
    world.cloudwatch.statuses[query_of(CHECKOUT, Measure.WORK)] = Completeness.FORBIDDEN
    found = world.tick().histories
    assert found[CHECKOUT] == Fault(FaultKind.DENIED, "GetMetricData: Forbidden: words of Forbidden")
    assert isinstance(found[PAYMENTS], History)


@pytest.mark.parametrize("status", [Completeness.PARTIAL, Completeness.INTERNAL_ERROR])
def test_a_partial_answer_makes_the_history_incomplete_until_it_is_whole_again(status: Completeness) -> None:
    """Nothing is lowered on it; what came before stays."""
    world = World()
    world.cloudwatch.give(CHECKOUT, constantly(30.0))
    world.tick()
    world.cloudwatch.statuses[query_of(CHECKOUT, Measure.WORK)] = status
    partial = world.history(TICK)
    assert (partial.complete, np.isnan(partial.fine.work_s[-1]), partial.fine.work_s[-8]) == (
        False,
        status is Completeness.INTERNAL_ERROR,
        30.0,
    )
    world.cloudwatch.statuses.clear()
    whole = world.history(TICK)
    assert whole.complete
    assert not np.isnan(whole.fine.work_s).any()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDeniedException", FaultKind.DENIED),
        ("ExpiredTokenException", FaultKind.DENIED),
        ("ThrottlingException", FaultKind.THROTTLED),
        ("InternalFailure", FaultKind.AWS),
        ("ReadTimeoutError", FaultKind.AWS),
    ],
)
def test_a_call_that_fails_is_the_fault_of_all_that_it_asked_for(code: str, kind: FaultKind) -> None:
    """With AWS's code and words; at the next tick all is well again, and no minute is lost."""
    world = World(CHECKOUT, PAYMENTS)
    for each in world.policies:
        world.cloudwatch.give(each, constantly(30.0))
    world.tick()
    world.cloudwatch.errors[query_of(CHECKOUT, Measure.WORK)] = refusal(code)
    fault = Fault(kind, f"GetMetricData: {code}: words of {code}")
    assert world.tick(TICK).histories == {CHECKOUT: fault, PAYMENTS: fault}
    world.cloudwatch.errors.clear()
    assert not np.isnan(world.history(TICK).fine.work_s).any()


def test_weeks_that_could_not_be_read_are_a_fault_and_are_read_later() -> None:
    """A throttle on the big reads: the minutes are kept, the fault is told, the next tick reads the weeks."""
    world = World()
    world.cloudwatch.give(CHECKOUT, constantly(30.0))
    world.cloudwatch.weeks_error = refusal("ThrottlingException")
    assert isinstance(world.tick().histories[CHECKOUT], Fault)
    world.cloudwatch.weeks_error = None
    known = world.history(TICK)
    assert len(known.coarse) > 13 * 288
    assert not np.isnan(known.fine.work_s).any()
    assert (world.cloudwatch.reads(Measure.WORK), world.cloudwatch.weeks_read()) == (TWICE, FOUR)


@pytest.mark.parametrize("measure", LEARNED_FROM)
def test_partial_weeks_are_not_learned_from_and_not_asked_for_at_once(measure: Measure) -> None:
    """Half of two weeks would teach a wrong week: they are asked for again a quarter of an hour later."""
    world = World()
    world.cloudwatch.give(CHECKOUT, constantly(30.0))
    world.cloudwatch.statuses[query_of(CHECKOUT, measure)] = Completeness.PARTIAL
    lengths, reads = [], []
    for n in range(5):
        lengths.append(len(world.history(TICK if n else timedelta()).coarse) > 0)
        reads.append(world.cloudwatch.weeks_read().total())
        world.cloudwatch.statuses.clear()
    assert lengths == [False, False, False, True, True]
    assert reads == [4, 0, 0, 4, 0]


def test_when_time_runs_out_what_was_not_read_is_incomplete_not_zero() -> None:
    """The budget is gone before the first call: empty, incomplete, no state; the next tick has everything."""
    world = World(step_s=60.0)
    world.observer.allow(230.0)
    world.cloudwatch.give(CHECKOUT, constantly(30.0))
    observed = world.tick()
    known = observed.histories[CHECKOUT]
    assert isinstance(known, History)
    assert (known.complete, known.newest, dict(observed.states)) == (False, None, {})
    assert world.cloudwatch.asked == []


def test_a_duplicate_tick_reads_no_target_twice() -> None:
    """At the same instant nothing is due but the work of busy targets."""
    world = World()
    world.cloudwatch.give(CHECKOUT, constantly(30.0))
    first = world.history()
    second = world.history()
    assert world.cloudwatch.reads() == {("checkout-api:live", 60): 1}
    np.testing.assert_array_equal(first.fine.work_s, second.fine.work_s)
