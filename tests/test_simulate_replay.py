"""Replaying a trace through the brain: no peeking, READY late and gone at once, the rules, gaps, what a tick sees."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import policy
from traces import MONDAY, minutes, noise, office
from warmcast.aws.autoscaling import UTILIZATION
from warmcast.model import Action, Reason
from warmcast.simulate.replay import TRACKED_UTILIZATION, Measured, Replay, replay
from warmcast.simulate.trace import Trace
from warmcast.simulate.world import World, ready, starting_capacity

UTC_ZONE = ZoneInfo("UTC")
WORLD = World()
PAST = timedelta(days=2)
START = int((MONDAY + PAST).timestamp())
DURATION_S = 0.5


def trace_of(demand: np.ndarray[tuple[int], np.dtype[np.float64]], *, start: datetime = MONDAY) -> Trace:
    """A trace of this demand, at half a second an execution; its peaks are not known."""
    return Trace(int(start.timestamp()), demand, demand / DURATION_S, np.full(len(demand), np.nan))


@cache
def office_trace(days: float = 3) -> Trace:
    """An office service with noise: two days of history and one to be replayed."""
    at = minutes(MONDAY, days)
    return trace_of(office(at, UTC_ZONE) * noise(len(at), 0.15))


@cache
def office_replay() -> Replay:
    """The office service under the default promise."""
    return replay(policy(low=1), office_trace(), start=START, world=WORLD)


def minute_at(hour: float) -> int:
    """The minute of the replayed day at this hour."""
    return round(hour * 60)


# --- no peeking ------------------------------------------------------------------------------------------------------


def decided_before(run: Replay, end: int) -> list[object]:
    """The decisions of the ticks before an instant."""
    return [decision for decision in run.decisions if decision.at.timestamp() < end]


@settings(max_examples=6, deadline=None)
@given(minute=st.integers(1, 1440), factor=st.sampled_from([None, 0.0, 20.0]))
def test_nothing_that_comes_later_changes_a_decision(minute: int, factor: float | None) -> None:
    """A trace cut at any minute, or another from there on, gives the same decisions and capacity up to it."""
    full, cut = office_trace(), START + minute * 60
    if factor is None:
        other = full.between(full.start, cut)
    else:
        later = full.at >= cut
        other = trace_of(np.where(later, full.demand * factor, full.demand))
    run = replay(policy(low=1), other, start=START, world=WORLD)
    whole = office_replay()
    assert decided_before(run, cut) == decided_before(whole, cut)
    for part, all_of_it in ((run.requested, whole.requested), (run.ready, whole.ready), (run.floor, whole.floor)):
        assert part[:minute].tolist() == all_of_it[:minute].tolist()
    assert run.reasons[:minute] == whole.reasons[:minute]


def test_a_row_is_seen_two_minutes_after_its_stamp_and_not_before() -> None:
    """Ticking each minute: the tick at 10:32 is the first that sees the surge of 10:30."""
    surge = START + minute_at(10.5) * 60
    calm = office_trace().between(office_trace().start, surge + 600)
    stormy = trace_of(np.where(calm.at == surge, 500.0, calm.demand))
    world = replace(WORLD, tick_s=60)
    runs = [replay(policy(low=1), trace, start=surge - 600, world=world) for trace in (calm, stormy)]
    assert decided_before(runs[0], surge + 120) == decided_before(runs[1], surge + 120)
    seen = [next(d for d in run.decisions if d.at.timestamp() == surge + 120) for run in runs]
    assert seen[0].demand is not None
    assert seen[1].demand is not None
    assert seen[1].demand > 5 * seen[0].demand


# --- the world -------------------------------------------------------------------------------------------------------


def test_a_rise_is_ready_after_the_lead_time_and_a_fall_at_once() -> None:
    """What serves follows from what was requested, as the world's own rule has it, from the first minute's need on."""
    run, scored = office_replay(), office_trace().between(START, office_trace().end)
    expected = ready(run.requested, WORLD.lead_minutes, start=starting_capacity(scored, WORLD))
    assert run.ready.tolist() == expected.tolist()
    assert {decision.action for decision in run.decisions} >= {Action.RAISE, Action.LOWER}


def test_what_a_tick_wants_stands_until_the_next() -> None:
    """Requested capacity changes at ticks alone, to what is decided; each minute tells the last tick's reason."""
    run = office_replay()
    assert len(run.decisions) == 288
    for nth, decision in enumerate(run.decisions):
        five = slice(5 * nth, 5 * nth + 5)
        assert set(run.requested[five]) == {decision.wanted if decision.changes else decision.current}
        assert set(run.reasons[five]) == {decision.reason.value}
        assert {*run.floor[five], *run.ceiling[five]} == {decision.floor, decision.ceiling}


def test_a_start_between_two_ticks_waits_for_the_first() -> None:
    """From 00:02 to 00:05 stands what every policy starts with, under the rules of that time."""
    run = replay(policy(low=3), office_trace(), start=START + 120, world=WORLD)
    scored = office_trace().between(START + 120, office_trace().end)
    assert set(run.requested[:3]) == {starting_capacity(scored, WORLD)}
    assert set(run.reasons[:3]) == {"start"}
    assert set(run.floor[:3]) == {3}
    assert run.decisions[0].at == datetime.fromtimestamp(START + 300, UTC)
    assert len(run.requested) == len(run.reasons) == len(scored)


def test_nothing_is_asked_for_while_an_allocation_is_under_way() -> None:
    """Ticking each minute, a rise of two minutes' lead time blocks the next tick, as Lambda's IN_PROGRESS would."""
    run = replay(policy(low=1), office_trace(2.5), start=START + 7 * 3600, world=replace(WORLD, tick_s=60))
    rises = [nth for nth, decision in enumerate(run.decisions[:-1]) if decision.action is Action.RAISE]
    assert rises
    for nth in rises:
        after = run.decisions[nth + 1]
        assert after.blocked
        assert Reason.IN_PROGRESS in {limit.name for limit in after.limits}


def test_idle_traffic_gives_its_last_unit_back_where_no_stack_owns_it() -> None:
    """A Delete leaves nothing requested; with a stack's config one unit stays."""
    trace = trace_of(np.concatenate([np.full(2880, 5.0), np.zeros(1440)]))
    free = replay(policy(low=0, stack_owns_config=False, objective="savings"), trace, start=START, world=WORLD)
    owned = replay(policy(low=1, objective="savings"), trace, start=START, world=WORLD)
    assert free.requested[-1] == 0
    assert Action.DELETE in {decision.action for decision in free.decisions}
    assert owned.requested.min() >= 1


# --- the policy ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["observe", "raise-only"])
def test_the_mode_makes_no_difference(mode: str) -> None:
    """A backtest asks what would happen if the policy were trusted."""
    short = office_trace().between(office_trace().start, START + 6 * 3600)
    as_written = replay(policy(low=1, mode=mode), short, start=START, world=WORLD)
    applied = replay(policy(low=1), short, start=START, world=WORLD)
    assert as_written.decisions == applied.decisions


def test_a_floor_is_ready_when_its_window_opens_in_the_policys_zone() -> None:
    """06:00 to 07:00 in Tokyo is 21:00 to 22:00 UTC of the day before."""
    window = {"from": "06:00", "to": "07:00", "min": 90}
    run = replay(policy(low=1, timezone="Asia/Tokyo", schedule=(window,)), office_trace(), start=START, world=WORLD)
    inside = slice(minute_at(21), minute_at(22))
    assert run.ready[inside].min() >= 90
    assert run.ready[: minute_at(20.75)].max() < 90
    assert run.floor[minute_at(21.5)] == 90


def test_the_ceiling_holds() -> None:
    """However much demand there is."""
    run = replay(policy(low=1, high=7), office_trace(), start=START, world=WORLD)
    assert run.requested[5:].max() == 7
    assert set(run.ceiling) == {7}


def test_a_longer_lead_time_of_the_policys_raises_earlier() -> None:
    """The policy's word goes before what the world would let it measure: the morning is asked for sooner."""
    early, late = (
        replay(policy(low=1, lead_time=lead), office_trace(4), start=START + 86_400, world=WORLD)
        for lead in ("40m", "2m")
    )
    morning = slice(minute_at(7.5), minute_at(9))
    assert early.requested[morning].sum() > late.requested[morning].sum()


# --- gaps ------------------------------------------------------------------------------------------------------------


def test_a_gap_lowers_nothing_and_is_told() -> None:
    """From 12 to 15 nothing was measured: what stood at noon still stands then, for want of data."""
    at = office_trace().at
    hidden = (at >= START + 12 * 3600) & (at < START + 15 * 3600)
    gappy = trace_of(np.where(hidden, np.nan, office_trace().demand))
    run = replay(policy(low=1), gappy, start=START, world=WORLD)
    silent = slice(minute_at(12.5), minute_at(15))
    assert (np.diff(run.requested[silent]) >= 0).all()
    assert set(run.reasons[silent]) == {Reason.NO_DATA.value}
    assert run.reasons[-1] != Reason.NO_DATA.value


# --- what a tick sees ------------------------------------------------------------------------------------------------


def test_a_tick_sees_weeks_in_steps_and_the_last_hours_in_minutes() -> None:
    """At 10:05: steps up to 04:00, minutes from there up to the one stamped 10:03; both joined without a hole."""
    trace = office_trace(20)
    now = START + 16 * 86_400 + 10 * 3600 + 300
    history = Measured(trace, WORLD).at(now)
    assert (history.fine.start, history.fine.end) == (now - 6 * 3600 - 300, now - 60)
    assert (history.coarse.start, history.coarse.end) == (history.fine.start - 14 * 86_400, history.fine.start)
    weeks = trace.between(history.coarse.start, history.coarse.end)
    assert history.coarse.demand == pytest.approx(weeks.demand.reshape(-1, 5).mean(axis=1))
    assert history.coarse.arrivals == pytest.approx(weeks.arrivals_per_s.reshape(-1, 5).sum(axis=1) * 60)
    assert history.fine.demand == pytest.approx(trace.between(history.fine.start, history.fine.end).demand)


def test_a_step_stands_on_the_minutes_that_were_measured() -> None:
    """Three known minutes of five give their mean; none gives a gap. Peaks are the highest known."""
    demand = np.array([np.nan] * 5 + [2.0, np.nan, 4.0, np.nan, 6.0] + [1.0] * 600)
    trace = replace(trace_of(demand), peak=np.where(np.isnan(demand), np.nan, demand * 2))
    coarse = Measured(trace, WORLD).at(trace.end).coarse
    assert np.isnan(coarse.demand[0])
    assert coarse.demand[1] == 4.0
    assert np.isnan(coarse.peak[0])
    assert coarse.peak[1] == 12.0


def test_a_tick_sees_what_its_own_capacity_spilled() -> None:
    """Noted once the minute has passed; before the start there was no capacity to spill over."""
    trace = office_trace()
    measured = Measured(trace, WORLD)
    first = 2880
    measured.spill(slice(first, first + 2), np.array([0, 1000]))
    spilled = measured.at(START + 600).fine.spilled
    known = np.flatnonzero(~np.isnan(spilled))
    assert spilled[known] == pytest.approx([trace.arrivals_per_s[first] * 60, 0.0])


def test_a_young_alias_has_no_more_history_than_it_is_old() -> None:
    """Half an hour of minutes, and no steps."""
    trace = office_trace().between(START, office_trace().end)
    history = Measured(trace, WORLD).at(START + 1800)
    assert (len(history.coarse), len(history.fine)) == (0, 29)


# --- Application Auto Scaling ----------------------------------------------------------------------------------------


def test_tracking_reacts_above_the_minimum_that_is_decided() -> None:
    """A push that nobody foresaw, at 03:03: capacity goes above the minimum, and never below it."""
    at = office_trace().at
    push = (at >= START + 3 * 3600 + 180) & (at < START + 3 * 3600 + 1200)
    trace = trace_of(office_trace().demand * np.where(push, 8.0, 1.0))
    run = replay(policy(low=1, actuator="autoscaling", adopt=True), trace, start=START, world=WORLD)
    published = np.repeat([decision.wanted if decision.changes else decision.current for decision in run.decisions], 5)
    assert (run.requested >= published).all()
    assert (run.requested > published)[minute_at(3) : minute_at(3.5)].any()
    assert {decision.action for decision in run.decisions} >= {Action.RAISE, Action.LOWER}


def test_what_is_tracked_is_what_the_actuator_registers() -> None:
    """The simulated policy's target is that of the real one."""
    assert TRACKED_UTILIZATION == UTILIZATION


def test_tracking_stays_under_the_ceiling() -> None:
    """It is registered as the maximum."""
    run = replay(policy(low=1, high=9, actuator="autoscaling"), office_trace(), start=START, world=WORLD)
    assert run.requested[1:].max() == 9


def test_nothing_that_comes_later_changes_what_is_tracked() -> None:
    """The cut that holds for decisions holds for what Application Auto Scaling makes of them."""
    cut = START + minute_at(9.4) * 60
    spoken = policy(low=1, actuator="autoscaling")
    part = replay(spoken, office_trace().between(office_trace().start, cut), start=START, world=WORLD)
    whole = replay(spoken, office_trace(), start=START, world=WORLD)
    assert part.requested.tolist() == whole.requested[: len(part.requested)].tolist()
    assert list(part.decisions) == decided_before(whole, cut)
