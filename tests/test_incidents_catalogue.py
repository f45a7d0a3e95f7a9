"""The incidents themselves: what each does to a trace, when, and that it leaves the rest as it was."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from incidents.catalogue import CLOCK_CHANGES, clock_change, growth, holiday, incidents, new_alias
from incidents.play import WORLD, play, tracked
from incidents.scene import DAY_S, HOUR_S, Scene, continued, first_day, place
from traces import MONDAY, minutes, office
from warmcast.simulate.trace import Trace
from warmcast.simulate.world import World

if TYPE_CHECKING:
    from warmcast.model import FloatArray

INCIDENTS = incidents(growth_hours=24, alias_days=2)


def flat(days: float = 26, demand: float = 20.0) -> Trace:
    """The same demand, always, from a Monday on."""
    load = np.full(round(days * 1440), demand)
    return Trace(int(MONDAY.timestamp()), load, load / 0.5, np.full(len(load), np.nan))


@cache
def office_trace(days: float = 26) -> Trace:
    """An office service without noise, from a Monday on."""
    load = office(minutes(MONDAY, days), ZoneInfo("UTC"))
    return Trace(int(MONDAY.timestamp()), load, load / 0.5, np.full(len(load), np.nan))


def changes(scene: Scene) -> FloatArray:
    """Demand with the incident over demand without it, for each minute from its beginning."""
    since = scene.trace.at >= scene.judged.start
    ratio: FloatArray = scene.trace.demand[since] / scene.calm.demand[since]
    return ratio


# --- where -----------------------------------------------------------------------------------------------------------


def test_an_incident_comes_on_a_working_day_at_its_busiest_with_two_weeks_before() -> None:
    """Tuesday, two weeks and a day after the trace's first Monday; the office is full from 10:00, and rises before."""
    there = place(office_trace())
    assert there.day == office_trace().start + 15 * DAY_S
    assert there.trace.start == there.day - 14 * DAY_S
    assert there.busiest == there.day + 10 * HOUR_S + 360
    assert there.ramp - there.day in {8 * HOUR_S + 360, 9 * HOUR_S + 360}


def test_a_short_trace_has_a_week_before_and_is_continued() -> None:
    """Eleven days: the day is within them, the week after is that before."""
    short = office_trace().between(office_trace().start, office_trace().start + 11 * DAY_S)
    there = place(short)
    assert there.day == short.start + 8 * DAY_S
    assert there.trace.end == there.day + 9 * DAY_S
    assert there.trace.demand[-2000:].tolist() == there.trace.demand[-2000 - 10080 : -10080].tolist()
    with pytest.raises(ValueError, match="no week"):
        continued(short.between(short.start, short.start + DAY_S), short.end)


def test_a_trace_without_such_a_weekday_gives_another() -> None:
    """Eight days from a Monday on have no second Tuesday."""
    short = office_trace().between(office_trace().start, office_trace().start + 8 * DAY_S)
    assert first_day(short, weekdays=(1,)) == short.start + 7 * DAY_S


# --- what ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("incident", INCIDENTS)
def test_nothing_is_changed_before_it_is_played(incident: str) -> None:
    """But for what lasts weeks: growth, a standby that was idle, clocks, and an alias without a past."""
    scene = INCIDENTS[incident](office_trace(30))
    before = scene.trace.at < scene.played.start
    if incident == "failover":
        assert scene.trace.demand[before].max() == 0
    elif incident == "new alias":
        assert not before.any()
    elif not incident.startswith(("growth", "clocks", "holiday")):
        assert before.sum() > 14 * 1440
        assert scene.trace.demand[before].tolist() == scene.calm.demand[before].tolist()
    assert scene.played.start <= scene.judged.start < scene.judged.end <= scene.played.end <= scene.trace.end


def test_an_outage_is_5_percent_for_45_minutes_then_threefold_for_15() -> None:
    """And then as ever; both parts are named, for neither may echo."""
    scene = INCIDENTS["outage, then surge"](flat())
    ratio = changes(scene)
    assert ratio[:45] == pytest.approx(0.05)
    assert ratio[45:60] == pytest.approx(3.0)
    assert ratio[60:] == pytest.approx(1.0)
    assert scene.outage == scene.passing["outage"]
    assert scene.passing["surge"].start == scene.passing["outage"].end == scene.judged.start + 45 * 60


def test_a_push_is_fourfold_within_two_minutes() -> None:
    """The first minute is on its way, the second is there."""
    ratio = changes(INCIDENTS["push"](flat()))
    assert ratio[:3] == pytest.approx([2.5, 4.0, 4.0])
    assert ratio[46:] == pytest.approx(1.0)


def test_a_flush_is_fivefold_for_ten_minutes() -> None:
    """No more, no less."""
    ratio = changes(INCIDENTS["cache flush"](flat()))
    assert ratio[:10] == pytest.approx(5.0)
    assert ratio[10:] == pytest.approx(1.0)


@pytest.mark.parametrize("on_slow", ["follow", "cap"])
def test_a_slow_downstream_stretches_durations_and_brings_no_calls(on_slow: str) -> None:
    """Five times the demand at the same rate; the policy says what to make of it."""
    scene = INCIDENTS[f"slow downstream, {on_slow}"](flat())
    assert changes(scene)[:45] == pytest.approx(5.0)
    assert scene.trace.arrivals_per_s.tolist() == scene.calm.arrivals_per_s.tolist()
    assert scene.keys == {"on_slow": on_slow}


def test_what_is_reserved_is_all_that_passes() -> None:
    """Of 60 asked for about 42 pass; each call refused was tried three times."""
    scene = INCIDENTS["throttled at the reserve"](flat())
    reserved = scene.conditions.reserved
    assert reserved is not None
    during = (scene.trace.at >= scene.judged.start) & (scene.trace.at < scene.judged.start + 1800)
    assert scene.trace.demand[during] == pytest.approx(reserved)
    refused = (60 - reserved) / 0.5 * 60
    assert scene.conditions.throttles[during] == pytest.approx(3 * refused)
    assert scene.conditions.throttles[~during].max() == 0


def test_weights_stand_for_half_an_hour_of_the_ramp() -> None:
    """While demand is what it is every day."""
    scene = INCIDENTS["weights in the ramp"](office_trace())
    assert scene.conditions.weighted.sum() == 30
    rising = scene.trace.demand[scene.conditions.weighted]
    assert rising[-1] > rising[0]
    assert scene.trace.demand.tolist() == scene.calm.demand.tolist()


def test_growth_is_8_percent_a_week() -> None:
    """Six weeks after it began demand is 1.08^6 = 1.587 times what it was."""
    scene = growth(flat(30), hours=24)
    assert scene.trace.demand[-1] == pytest.approx(20 * 1.08**6, rel=1e-3)
    assert scene.trace.demand[0] == pytest.approx(20)


def test_a_holiday_is_like_the_sunday_before() -> None:
    """A Tuesday at a quarter; Wednesday is itself again."""
    scene = holiday(office_trace())
    day = scene.judged.start - DAY_S // 2
    off = (scene.trace.at >= day) & (scene.trace.at < day + DAY_S)
    sunday = (scene.trace.at >= day - 2 * DAY_S) & (scene.trace.at < day - DAY_S)
    assert scene.trace.demand[off].tolist() == scene.calm.demand[sunday].tolist()
    assert scene.trace.demand[~off].tolist() == scene.calm.demand[~off].tolist()


@pytest.mark.parametrize("name", CLOCK_CHANGES)
def test_people_keep_their_hours_when_clocks_change(name: str) -> None:
    """Demand by the local clock is the same in every week: only by UTC it moved, by an hour."""
    change = CLOCK_CHANGES[name]
    scene = clock_change(office_trace(), change=change)
    trace = scene.trace
    monday = trace.between(change.monday, change.monday + DAY_S).demand
    earlier = trace.between(change.monday - 7 * DAY_S, change.monday - 6 * DAY_S).demand
    hour = -60 if name.endswith("sooner") else 60
    assert np.roll(earlier, hour)[120:-120].tolist() == monday[120:-120].tolist()
    assert scene.keys == {"timezone": change.zone.key}
    assert trace.start <= scene.judged.start - 14 * DAY_S + 5 * HOUR_S


def test_a_new_alias_has_no_past() -> None:
    """What is played begins with its first minute."""
    scene = new_alias(office_trace(), days=14)
    assert scene.played.start == scene.trace.start
    assert scene.played.end - scene.played.start == 14 * DAY_S


# --- playing ---------------------------------------------------------------------------------------------------------


def test_ticking_each_minute_breaks_nothing_either() -> None:
    """A push under a lead time of seven minutes: what is under way and what was changed a moment ago is left alone."""
    verdict = play(INCIDENTS["push"](office_trace()), world=World(tick_s=60, lead_s=420))
    assert [str(breach) for breach in verdict.broken] == []
    assert verdict.ours.mean_ready > 0


def test_target_tracking_stands_still_under_weights_too() -> None:
    """Its request would be refused as ours is: no more is READY at the end of the canary than at its beginning."""
    scene = INCIDENTS["weights in the ramp"](office_trace())
    requested = tracked(scene, WORLD)
    first = (scene.judged.start - scene.played.start) // 60
    assert set(requested[first : first + 30]) == {requested[first - 1]}
    assert requested[first + 30] > requested[first]
