"""The incidents: each takes a trace and gives the scene, with what happens, when, and what must not come back. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from incidents.scene import (
    BEFORE_S,
    DAY_S,
    HOUR_S,
    LEARNED_DAYS,
    PAST_THE_HOUR_S,
    WEEK_S,
    Scene,
    Span,
    continued,
    first_day,
    inside,
    picked,
    place,
    times,
)
from warmcast.simulate.conditions import Conditions
from warmcast.simulate.trace import MINUTE_S
from warmcast.simulate.world import capacity_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from warmcast.model import FloatArray
    from warmcast.simulate.trace import Trace

AFTER_S = HOUR_S
"""How long after an incident cold starts are still its own: capacity comes down, the pool of warm environments too."""

RETRIES = 2
"""How often a refused call is tried again: botocore's standard mode makes three attempts in all."""

GROWTH_A_WEEK = 1.08
GROWTH_WEEKS = 6


# --- minutes to an hour ----------------------------------------------------------------------------------------------


def outage_then_surge(trace: Trace) -> Scene:
    """5% of the traffic for 45 minutes, then all who waited at once: threefold for 15."""
    there = place(trace)
    outage = Span(there.busiest, there.busiest + 45 * MINUTE_S)
    surge = Span(outage.end, outage.end + 15 * MINUTE_S)
    factor = _factors(there.trace, {outage: 0.05, surge: 3.0})
    scene = _brief(there.trace, times(there.trace, factor), Span(outage.start, surge.end))
    return replace(scene, outage=outage, passing={"outage": outage, "surge": surge})


def push(trace: Trace) -> Scene:
    """A push notification that nobody announced: fourfold within 2 minutes, for 15, and gone over half an hour."""
    there = place(trace)
    minute = (there.trace.at - there.busiest) / MINUTE_S
    factor = np.interp(minute, [-1, 1, 15, 45], [1.0, 4.0, 4.0, 1.0])
    return _brief(there.trace, times(there.trace, factor), Span(there.busiest, there.busiest + 45 * MINUTE_S))


def cache_flush(trace: Trace) -> Scene:
    """Everything that a cache answered comes through: fivefold for 10 minutes."""
    there = place(trace)
    span = Span(there.busiest, there.busiest + 10 * MINUTE_S)
    return _brief(there.trace, times(there.trace, _factors(there.trace, {span: 5.0})), span)


def failover(trace: Trace) -> Scene:
    """Another Region fails: a standby that never had a call gets all of its traffic from one minute to the next."""
    there = place(trace)
    idle = times(there.trace, np.where(there.trace.at < there.busiest, 0.0, 1.0))
    return _brief(there.trace, idle, Span(there.busiest, there.busiest + HOUR_S))


def slow_downstream(trace: Trace, *, on_slow: str) -> Scene:
    """What it calls is slow for 45 minutes: each execution takes five times as long, and as many begin as ever."""
    there = place(trace)
    span = Span(there.busiest, there.busiest + 45 * MINUTE_S)
    slow = times(there.trace, 1.0, _factors(there.trace, {span: 5.0}))
    return replace(_brief(there.trace, slow, span), keys={"on_slow": on_slow})


def throttled(trace: Trace) -> Scene:
    """Threefold traffic for 30 minutes, of which Lambda lets through what is reserved: half more than the day needs.

    What is refused is tried twice again, and refused again.
    """
    there = place(trace)
    span = Span(there.busiest, there.busiest + 30 * MINUTE_S)
    usual = np.nan_to_num(there.trace.between(span.start - BEFORE_S, span.start).demand).max()
    reserved = max(1, int(capacity_for(np.array([1.5 * usual]), 0.01)[0]))
    asked = times(there.trace, _factors(there.trace, {span: 3.0}))
    passed = np.divide(reserved, asked.demand, out=np.ones(len(asked)), where=asked.demand > reserved)
    refused = np.nan_to_num(asked.arrivals_per_s) * MINUTE_S * (1 - passed)
    conditions = replace(Conditions.usual(asked), throttles=refused * (1 + RETRIES), reserved=reserved)
    return replace(_brief(there.trace, times(asked, passed), span), conditions=conditions)


def weights(trace: Trace) -> Scene:
    """A canary for 30 minutes while demand rises as it does every day: nobody can change capacity meanwhile."""
    there = place(trace)
    span = Span(there.ramp, there.ramp + 30 * MINUTE_S)
    shifting = replace(Conditions.usual(there.trace), weighted=inside(there.trace, span))
    return replace(_brief(there.trace, there.trace, span), conditions=shifting)


# --- days and weeks --------------------------------------------------------------------------------------------------


def growth(trace: Trace, *, hours: int) -> Scene:
    """8% more each week, for six weeks; its last hours are played."""
    begins = first_day(trace, weekdays=tuple(range(7)))
    ends = begins + GROWTH_WEEKS * WEEK_S
    calm = continued(trace, ends).between(begins - LEARNED_DAYS * DAY_S, ends)
    grown = times(calm, GROWTH_A_WEEK ** np.maximum((calm.at - begins) / WEEK_S, 0.0))
    return _lasting(calm, grown, Span(ends - hours * HOUR_S, ends))


def holiday(trace: Trace) -> Scene:
    """A working day that is like the Sunday before it; played from its noon to the noon of the day after."""
    there = place(trace)
    days_since_sunday = (there.day // DAY_S + 4) % 7
    off = inside(there.trace, Span(there.day, there.day + DAY_S))
    minute = np.arange(len(there.trace))
    like = np.where(off, minute - days_since_sunday * DAY_S // MINUTE_S, minute)
    noon = Span(there.day + DAY_S // 2, there.day + DAY_S + DAY_S // 2)
    return _lasting(there.trace, picked(there.trace, like, start=there.trace.start), noon)


def clock_change(trace: Trace, *, change: ClockChange) -> Scene:
    """The Monday after clocks changed, of people who live by them: by UTC everything comes an hour sooner, or later."""
    monday = first_day(trace, weekdays=(0,))
    moved = change.monday - monday  # whole weeks, or days where the trace had no Monday to give
    around = continued(trace, monday + 2 * DAY_S)
    around = replace(around, start=around.start + moved)
    first = around.between(change.monday - LEARNED_DAYS * DAY_S, around.end)
    skipped = (first.start - around.start) // MINUTE_S
    offset = _offsets(first, change.zone)
    minute = skipped + np.arange(len(first)) + (offset - offset[0]) // MINUTE_S
    lived = picked(around, np.minimum(minute, len(around) - 1), start=first.start)
    day = Span(change.monday + 5 * HOUR_S, change.monday + 14 * HOUR_S)
    return replace(_lasting(first, lived, day), keys={"timezone": change.zone.key})


def new_alias(trace: Trace, *, days: int) -> Scene:
    """An alias that was never there before: its first days, from its first call on."""
    born = -(-trace.start // DAY_S) * DAY_S + 8 * HOUR_S + PAST_THE_HOUR_S
    life = Span(born, born + days * DAY_S)
    calm = continued(trace, life.end).between(born, life.end)
    scene = _lasting(calm, calm, life)
    return replace(scene, played=life)


# --- all of them -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClockChange:
    """The Monday after one: its midnight (UTC, epoch seconds), and where."""

    monday: int
    zone: ZoneInfo


def _change(zone: str, month: int, day: int) -> ClockChange:
    return ClockChange(int(datetime(2026, month, day, tzinfo=UTC).timestamp()), ZoneInfo(zone))


CLOCK_CHANGES = {
    "London, an hour sooner": _change("Europe/London", 3, 30),
    "London, an hour later": _change("Europe/London", 10, 26),
    "New York, an hour sooner": _change("America/New_York", 3, 9),
    "New York, an hour later": _change("America/New_York", 11, 2),
}


def incidents(*, growth_hours: int, alias_days: int) -> Mapping[str, Callable[[Trace], Scene]]:
    """Every incident by name; of the two longest, so much is played."""
    return {
        "outage, then surge": outage_then_surge,
        "push": push,
        "cache flush": cache_flush,
        "failover": failover,
        "slow downstream, follow": partial(slow_downstream, on_slow="follow"),
        "slow downstream, cap": partial(slow_downstream, on_slow="cap"),
        "throttled at the reserve": throttled,
        "weights in the ramp": weights,
        "growth of 8% a week": partial(growth, hours=growth_hours),
        "holiday": holiday,
        **{f"clocks in {name}": partial(clock_change, change=change) for name, change in CLOCK_CHANGES.items()},
        "new alias": partial(new_alias, days=alias_days),
    }


# --- what they share -------------------------------------------------------------------------------------------------


def _brief(calm: Trace, trace: Trace, span: Span) -> Scene:
    """A scene of hours around an incident."""
    return Scene(
        trace=trace,
        calm=calm,
        conditions=Conditions.usual(trace),
        played=Span(span.start - BEFORE_S, span.end + AFTER_S),
        judged=Span(span.start, span.end + AFTER_S),
    )


def _lasting(calm: Trace, trace: Trace, span: Span) -> Scene:
    """A scene that is played and judged from some instant to another."""
    played = Span(span.start - BEFORE_S, span.end)
    return Scene(trace=trace, calm=calm, conditions=Conditions.usual(trace), played=played, judged=span)


def _factors(trace: Trace, parts: Mapping[Span, float]) -> FloatArray:
    """A factor for each minute: 1, but within the parts."""
    factor = np.ones(len(trace))
    for span, times_as_much in parts.items():
        factor[inside(trace, span)] = times_as_much
    return factor


def _offsets(trace: Trace, zone: ZoneInfo) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The zone's offset from UTC in each minute, seconds, shape (N,)."""
    offset = np.zeros(len(trace), dtype=np.int64)
    for nth, at in enumerate(trace.at.tolist()):
        ahead = datetime.fromtimestamp(at, zone).utcoffset()
        offset[nth] = 0 if ahead is None else int(ahead.total_seconds())
    return offset
