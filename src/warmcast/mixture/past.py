"""Measured demand as the candidates look at it: minutes, 5-minute steps, and past weeks by the wall clock. Pure numpy.

Days and weeks recur by the wall clock, so the steps of past weeks are laid out in local time: the hour that a change of
the clocks skips is a gap, of a repeated hour the later one counts. What was out of the ordinary on one day alone (an
outage, a surge, a holiday) is left out as if it had not been measured: it does not return next week.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from warmcast.calendar import minute_of_week

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from warmcast.model import FloatArray, History, IntArray

MINUTE_S = 60
STEP_MINUTES = 5
STEPS_PER_DAY = 288
RECENT_MINUTES = 7 * 60
"""Minutes that the candidates of one tick look at: six hours, and the data's delay."""

_REFERENCE_DAYS = 14
_EITHER_SIDE = 3  # steps: another day's quarter of an hour before and after
_LEAST_DAYS = 3  # fewer say nothing of what is ordinary
_ABOVE, _BELOW = 1.25, 0.75  # of what other days have shown


@dataclass(frozen=True, eq=False)
class Season:
    """5-minute steps of past weeks by the wall clock, without what was out of the ordinary.

    Args:
        start: wall-clock step (5 minutes since the epoch, in local time) of the first.
        steps: mean load of each; NaN: gap.
    """

    start: int
    steps: FloatArray

    def at(self, wall_step: IntArray) -> FloatArray:
        """The load of these steps; NaN outside, same shape."""
        place = wall_step - self.start
        inside = (place >= 0) & (place < len(self.steps))
        if not len(self.steps):
            return np.full(place.shape, np.nan)
        return np.where(inside, self.steps[np.clip(place, 0, len(self.steps) - 1)], np.nan)

    @cached_property
    def _sums(self) -> tuple[FloatArray, FloatArray]:
        return _sums(self.steps)

    def mean(self, wall_step: IntArray, count: int) -> FloatArray:
        """Mean load of the known ones of `count` steps from each; NaN where none is known."""
        return _mean(*self._sums, wall_step - self.start, wall_step - self.start + count)


@dataclass(frozen=True, eq=False)
class Past:
    """What was measured of one target, up to some instant. Load is demand with each execution at least 100 ms long.

    A unit takes ten requests a second at most, so an execution of 20 ms holds it as long as one of 100 ms would.

    Args:
        first_minute: minutes since the epoch of the first minute.
        minutes: load per minute; NaN: gap.
        first_step: 5 minutes since the epoch of the first step.
        steps: mean load per 5 minutes; NaN: gap.
        season: the same by the wall clock, without what was out of the ordinary.
        zone: whose wall clock.
    """

    first_minute: int
    minutes: FloatArray
    first_step: int
    steps: FloatArray
    season: Season
    zone: ZoneInfo

    @property
    def end_minute(self) -> int:
        """Minutes since the epoch at which the last minute ends."""
        return self.first_minute + len(self.minutes)

    @cached_property
    def minute_sums(self) -> tuple[FloatArray, FloatArray]:
        """Running sums of the known minutes and of their number."""
        return _sums(self.minutes)

    @cached_property
    def step_sums(self) -> tuple[FloatArray, FloatArray]:
        """Running sums of the known steps and of their number."""
        return _sums(self.steps)

    @cached_property
    def held(self) -> FloatArray:
        """Minutes with each gap filled by the last known value before it; 0 before the first."""
        known = np.where(np.isnan(self.minutes), 0, np.arange(len(self.minutes)))
        filled: FloatArray = np.nan_to_num(self.minutes[np.maximum.accumulate(known)])
        return filled

    def last_minutes(self, end: IntArray, count: IntArray) -> FloatArray:
        """Mean of the known ones of `count` minutes before each `end` (epoch minutes); the last known where none is.

        Shapes broadcast.
        """
        until = end - self.first_minute
        mean = _mean(*self.minute_sums, until - count, until)
        return np.where(np.isnan(mean), self.held[np.clip(until - 1, 0, len(self.held) - 1)], mean)

    def highest(self, end: IntArray, count: int) -> FloatArray:
        """Highest of `count` minutes before each `end`."""
        until = np.clip(end - self.first_minute - 1, 0, len(self.held) - 1)
        return rolling_max(self.held, count)[until]

    def step_at(self, step: IntArray) -> FloatArray:
        """Load of these steps (5 minutes since the epoch); NaN outside."""
        place = step - self.first_step
        inside = (place >= 0) & (place < len(self.steps))
        return np.where(inside, self.steps[np.clip(place, 0, max(len(self.steps) - 1, 0))], np.nan)

    def mean_until(self, step: IntArray, count: int) -> FloatArray:
        """Mean of the known ones of `count` steps before each; NaN where none is known."""
        until = step - self.first_step
        return _mean(*self.step_sums, until - count, until)

    def outcomes(self, minute: IntArray, count: int) -> FloatArray:
        """Load of `count` minutes from each (epoch minutes), shape (N, count); NaN: gap, or not seen yet."""
        place = minute[:, None] - self.first_minute + np.arange(count)
        inside = (place >= 0) & (place < len(self.minutes))
        return np.where(inside, self.minutes[np.clip(place, 0, len(self.minutes) - 1)], np.nan)

    def wall_step(self, minute: IntArray) -> IntArray:
        """The wall-clock step that holds each minute (epoch minutes)."""
        return (minute + wall_offset_min(minute, self.zone)) // STEP_MINUTES


def past_of(
    history: History,
    *,
    zone: ZoneInfo,
    end_s: int,
    slot: float,
    season: Season | None = None,
    first_tick: int | None = None,
) -> Past:
    """The history up to `end_s`, for learning (all its minutes, `season` made of it) or for the newest ticks.

    These look at the hours before the first of them (`first_tick`, minutes since the epoch; None: the end). Where the
    past weeks' minutes are not at hand their 5-minute means stand in.
    """
    coarse, fine = history.coarse, history.fine.between(history.fine.start, end_s)
    start_s = coarse.start if len(coarse) else -(-fine.start // 300) * 300
    end_s = max(min(end_s, fine.end if len(fine) else coarse.end), start_s)
    first_s = min(end_s, end_s if first_tick is None else first_tick * MINUTE_S) - RECENT_MINUTES * MINUTE_S
    minutes = _minutes(history, start_s if season is None else max(start_s, first_s), end_s)
    steps = _steps(history, start_s, end_s)
    if season is None:
        season = season_of(start_s // 300, steps * slot, zone)
    return Past(
        first_minute=end_s // MINUTE_S - len(minutes),
        minutes=minutes * slot,
        first_step=start_s // 300,
        steps=steps * slot,
        season=season,
        zone=zone,
    )


def _minutes(history: History, start_s: int, end_s: int) -> FloatArray:
    """Demand per minute of [start, end)."""
    minutes = np.full((end_s - start_s) // MINUTE_S, np.nan)
    coarse, fine = history.coarse, history.fine
    if len(coarse):
        past = history.minutes if len(history.minutes) else np.repeat(coarse.demand, STEP_MINUTES)
        _lay(minutes, past, (coarse.start - start_s) // MINUTE_S)
    _lay(minutes, fine.demand, (fine.start - start_s) // MINUTE_S)
    return minutes


def _lay(onto: FloatArray, values: FloatArray, place: int) -> None:
    """Write values onto an array from a place on, which may lie before its start; what is over is left out."""
    first, last = max(place, 0), min(place + len(values), len(onto))
    if last > first:
        onto[first:last] = values[first - place : last - place]


def _steps(history: History, start_s: int, end_s: int) -> FloatArray:
    """Mean demand per 5 minutes of [start, end), the last one of its known minutes."""
    steps = np.full(-(-(end_s - start_s) // 300), np.nan)
    _lay(steps, history.coarse.demand, (history.coarse.start - start_s) // 300)
    fine = history.fine.between(max(start_s, history.coarse.end if len(history.coarse) else start_s), end_s)
    if len(fine):
        before = (fine.start - start_s) % 300 // MINUTE_S
        padded = np.full(-(-(before + len(fine)) // STEP_MINUTES) * STEP_MINUTES, np.nan)
        padded[before : before + len(fine)] = fine.demand
        _lay(steps, known_mean(padded.reshape(-1, STEP_MINUTES), axis=1), (fine.start - start_s) // 300)
    return steps


def season_of(first_step: int, steps: FloatArray, zone: ZoneInfo) -> Season:
    """Steps laid out by the wall clock; those beyond 0.75-1.25 of what other days before showed at that time are gaps.

    Other days: the 14 before, a quarter of an hour to either side; under three of them all is ordinary. What happens
    twice is ordinary the second time.
    """
    if not len(steps):
        return Season(0, steps)
    minute = (first_step + np.arange(len(steps), dtype=np.int64)) * STEP_MINUTES
    wall = (minute + wall_offset_min(minute, zone)) // STEP_MINUTES
    start = int(wall.min())
    laid = np.full(int(wall.max()) - start + 1, np.nan)
    laid[wall - start] = steps
    return Season(start, _ordinary(laid))


def _ordinary(steps: FloatArray) -> FloatArray:
    widest = _widened(steps, np.fmax), _widened(steps, np.fmin)
    high, low = np.full(len(steps), -np.inf), np.full(len(steps), np.inf)
    days = np.zeros(len(steps), dtype=np.int64)
    for day in range(1, _REFERENCE_DAYS + 1):
        shift = day * STEPS_PER_DAY
        if shift >= len(steps):
            break
        above, below = widest[0][:-shift], widest[1][:-shift]
        days[shift:] += ~np.isnan(above)
        high[shift:] = np.fmax(high[shift:], above)
        low[shift:] = np.fmin(low[shift:], below)
    odd = (days >= _LEAST_DAYS) & ((steps > _ABOVE * high) | (steps < _BELOW * low))
    ordinary: FloatArray = np.where(odd, np.nan, steps)
    return ordinary


def _widened(steps: FloatArray, pick: np.ufunc) -> FloatArray:
    """The extreme of each step and the three to either side."""
    padded = np.concatenate([np.full(_EITHER_SIDE, np.nan), steps, np.full(_EITHER_SIDE, np.nan)])
    widest: FloatArray = pick.reduce([padded[i : i + len(steps)] for i in range(2 * _EITHER_SIDE + 1)])
    return widest


def wall_offset_min(minute: IntArray, zone: ZoneInfo) -> IntArray:
    """How far the wall clock is ahead of UTC at each minute (epoch minutes), in minutes."""
    week = 7 * 24 * 60
    utc = (minute + 3 * 24 * 60) % week  # the epoch was a Thursday
    local = minute_of_week(minute * MINUTE_S, zone)
    offset: IntArray = (local - utc + week // 2) % week - week // 2
    return offset


def rolling_max(values: FloatArray, count: int) -> FloatArray:
    """Highest of each value and the `count` - 1 before it, by doubling: O(n log count)."""
    highest, reach = values, 1
    while reach < count:
        shift = min(reach, count - reach)
        highest = np.concatenate([highest[:shift], np.maximum(highest[shift:], highest[:-shift])])
        reach += shift
    return highest


def known_mean(values: FloatArray, axis: int) -> FloatArray:
    """Mean of the known values along an axis; NaN where none is."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    mean: FloatArray = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def _sums(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    known = ~np.isnan(values)
    total = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    return total, np.concatenate([[0.0], np.cumsum(known, dtype=np.float64)])


def _mean(total: FloatArray, count: FloatArray, start: IntArray, end: IntArray) -> FloatArray:
    last = len(total) - 1
    start, end = np.minimum(np.maximum(start, 0), last), np.minimum(np.maximum(end, 0), last)
    known = count[end] - count[start]
    mean: FloatArray = np.divide(total[end] - total[start], known, out=np.full(known.shape, np.nan), where=known > 0)
    return mean
