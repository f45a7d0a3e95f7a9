"""Where in a trace an incident happens, and the trace with the incident in it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from warmcast.simulate.trace import MINUTE_S, Trace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warmcast.model import FloatArray
    from warmcast.simulate.conditions import Conditions

HOUR_S = 3600
DAY_S = 86_400
WEEK_S = 7 * DAY_S
WEEK_MINUTES = WEEK_S // MINUTE_S
LEARNED_DAYS = 14
BEFORE_S = 3 * HOUR_S
"""Played before an incident, so that capacity, holds and warm environments are those of an ordinary day."""

PAST_THE_HOUR_S = 6 * MINUTE_S
"""Incidents begin six minutes past the hour: the first tick that can see them comes 2 to 6 minutes after they begin, as
luck has it, and this one 4 minutes after."""


@dataclass(frozen=True, slots=True)
class Span:
    """[start, end) in epoch seconds."""

    start: int
    end: int

    def later(self, seconds: int) -> Span:
        """The same span so much later."""
        return Span(self.start + seconds, self.end + seconds)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A trace with an incident in it, and how it is played.

    Args:
        trace: what Lambda let through, incident included; two weeks before it where there are so many.
        calm: the same trace without the incident.
        conditions: what else befalls the target, minute by minute of the trace.
        played: what is replayed; all before is learned from.
        judged: the minutes whose cold starts count.
        keys: what the policy says beyond bounds and promise, as in a policy file.
        outage: when traffic is gone, if it is.
        passing: the incident's parts that must not echo, by name.
    """

    trace: Trace
    calm: Trace
    conditions: Conditions
    played: Span
    judged: Span
    keys: Mapping[str, str] = field(default_factory=dict)
    outage: Span | None = None
    passing: Mapping[str, Span] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A day of a trace on which something happens.

    Args:
        trace: up to two weeks before the day, and nine days from it on.
        day: epoch seconds of its midnight, UTC.
        busiest: six past the hour of the day that usually has the most demand.
        ramp: six past the hour in which demand usually rises most.
    """

    trace: Trace
    day: int
    busiest: int
    ramp: int


def place(trace: Trace) -> Place:
    """The first Tuesday, Wednesday or Thursday with two weeks before it (one, where the trace is shorter than 22 days).

    A trace that ends sooner than nine days after is continued by its own last week.
    """
    day = first_day(trace, weekdays=(1, 2, 3))
    around = continued(trace, day + 9 * DAY_S).between(day - LEARNED_DAYS * DAY_S, day + 9 * DAY_S)
    usual = _mean_by_hour(around.between(around.start, day))
    rise = np.roll(usual, -1) - np.roll(usual, 1)
    begins = [day + int(hour) * HOUR_S + PAST_THE_HOUR_S for hour in (np.argmax(usual), np.argmax(rise))]
    return Place(around, day, *begins)


def first_day(trace: Trace, *, weekdays: tuple[int, ...]) -> int:
    """Midnight (UTC) of the first such day with enough before it; of any day if the trace ends before; Monday is 0."""
    enough = LEARNED_DAYS if len(trace) * MINUTE_S >= 22 * DAY_S else LEARNED_DAYS // 2
    first = -(-(trace.start + enough * DAY_S) // DAY_S) * DAY_S
    within = [day for day in range(first, first + WEEK_S, DAY_S) if day + DAY_S <= trace.end]
    # The epoch began on a Thursday, weekday 3.
    return next((day for day in within if (day // DAY_S + 3) % 7 in weekdays), first)


def continued(trace: Trace, until: int) -> Trace:
    """The trace up to `until`: beyond its end, each minute is that of a week before; it must be a week long."""
    if len(trace) < WEEK_MINUTES:
        raise ValueError(f"{len(trace)} minutes are no week to continue a trace with")
    wanted = max(0, (until - trace.end) // MINUTE_S)
    minute = np.concatenate([np.arange(len(trace)), len(trace) - WEEK_MINUTES + np.arange(wanted) % WEEK_MINUTES])
    return picked(trace, minute, start=trace.start)


def picked(trace: Trace, minute: np.ndarray[tuple[int], np.dtype[np.int64]], *, start: int) -> Trace:
    """A trace of these minutes of another, in this order."""
    return Trace(start, trace.demand[minute], trace.arrivals_per_s[minute], trace.peak[minute])


def times(trace: Trace, calls: FloatArray | float, duration: FloatArray | float = 1.0) -> Trace:
    """So many times the calls, each so many times as long: factors for all minutes, or for each, shape (N,)."""
    load = calls * duration
    return replace(
        trace, demand=trace.demand * load, arrivals_per_s=trace.arrivals_per_s * calls, peak=trace.peak * load
    )


def inside(trace: Trace, span: Span) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which minutes of a trace lie in a span, shape (N,)."""
    within: np.ndarray[tuple[int], np.dtype[np.bool_]] = (trace.at >= span.start) & (trace.at < span.end)
    return within


def _mean_by_hour(trace: Trace) -> FloatArray:
    """Mean demand of each hour of the day (UTC) on working days, shape (24,); 0 where nothing is known."""
    working = (trace.at // DAY_S + 3) % 7 < 5
    known = working & ~np.isnan(trace.demand)
    hour = trace.at[known] // HOUR_S % 24
    summed, counted = np.bincount(hour, trace.demand[known], 24), np.bincount(hour, minlength=24)
    mean: FloatArray = np.divide(summed, counted, out=np.zeros(24), where=counted > 0)
    return mean
