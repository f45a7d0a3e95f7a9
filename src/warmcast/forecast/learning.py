"""Learn: weeks of history -> what recurs, how fast surprises fade, and how wrong such forecasts were. Pure numpy.

Everything that measures an error leaves the day concerned out of the profile that it is measured against.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

import numpy as np

from warmcast.calendar import minute_of_week
from warmcast.forecast.members import Past, Taught, shares, teach
from warmcast.forecast.season import (
    BIN_MINUTES,
    BINS,
    DAY_MINUTES,
    WEEK,
    bridged,
    median,
    robust_mean,
    season,
    smoothed,
)
from warmcast.forecast.steps import STEP_S, UNKNOWN_DURATION_S, Steps, five_minute_steps
from warmcast.forecast.tables import LEADS, MEMBERS, Ground, Tables, compress, stand_in, unit_for
from warmcast.model import Learned

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from warmcast.model import FloatArray, History, IntArray

MOST_DAYS = 28
"""Older history says little of the next week."""

_DAY_S = 86_400
_HOUR_STEPS = 12
_MEMORY_STEPS = 144  # before anything is measured, half a day is assumed until a surprise has faded to 1/e
_RARELY = 0.002
_YOUNG = 2.0
_LAST_DAYS = 3


def learn(history: History, *, zone: ZoneInfo, now: datetime) -> Learned:
    """What the history up to `now` teaches; under a day of it, how a flat forecast did."""
    end = int(now.timestamp()) // STEP_S * STEP_S
    start = min((series.start for series in (history.coarse, history.fine) if len(series)), default=end)
    steps = five_minute_steps(history, max(start, end - MOST_DAYS * _DAY_S), end)
    return Learned(learned_at=now, until=steps.end, arrays=_tables(steps, zone).as_arrays())


def _tables(steps: Steps, zone: ZoneInfo) -> Tables:
    minute = minute_of_week(steps.at, zone)
    of_day = minute % DAY_MINUTES // BIN_MINUTES
    duration_s = steps.duration_s or UNKNOWN_DURATION_S
    typical = _durations(steps, of_day, duration_s)
    rate = steps.rate_given(typical.duration_s[of_day])
    known_days = int((~np.isnan(rate)).sum()) * STEP_S / _DAY_S
    flat = replace(
        stand_in(unit_for(rate, MEMBERS[0]), duration_s, known_days),
        duration_s=typical.duration_s,
        slowness=typical.slowness,
        highest=np.array([_highest(rate, known_days)]),
    )
    return _of_level(flat, rate, of_day) if flat.basis == "level" else _seasonal(flat, rate, minute)


def _highest(rate: FloatArray, known_days: float) -> float:
    """The highest rate shown; twice that under a week, which has not shown all; infinite where none is known."""
    shown = float(np.nanmax(rate, initial=0.0))
    if shown == 0:
        return np.inf
    return shown if known_days >= WEEK else _YOUNG * shown


def _of_level(flat: Tables, rate: FloatArray, of_day: IntArray) -> Tables:
    """The first member alone, without any season, with measured errors as far as there are any."""
    unit = float(flat.unit[0])
    past = Past(unit, compress(rate, unit), np.zeros(len(rate)), of_day)
    return _put_together(flat, [teach(past, flat, flat.follow[0])], rate)


def _seasonal(flat: Tables, rate: FloatArray, minute: IntArray) -> Tables:
    """All members, each with what recurs for it."""
    of_day = minute % DAY_MINUTES // BIN_MINUTES
    found = season(compress(rate, float(flat.unit[0])), minute)
    surprise = found.surprise()[found.days.row, found.days.bin]
    before = _days_before(rate)
    faded = flat.follow[0] * np.exp(-LEADS / _MEMORY_STEPS)[:, None]
    taught = []
    for member in MEMBERS:
        unit = unit_for(rate, member)
        values = compress(rate, unit)
        match member.ground:
            case Ground.WEEK:
                past, follow = Past(unit, values, values - surprise, of_day), faded
            case Ground.DAYS:
                past, follow = Past(unit, values, compress(before, unit), of_day), faded
            case Ground.LEVEL:
                past, follow = Past(unit, values, np.full(len(rate), np.nanmean(values)), of_day), flat.follow[0]
            case _:
                assert_never(member.ground)
        taught.append(teach(past, flat, follow))
    return replace(_put_together(flat, taught, rate), week=found.of_week(), days=_last_days(rate, of_day))


def _put_together(flat: Tables, taught: Sequence[Taught], rate: FloatArray) -> Tables:
    first = taught[0].errors / taught[0].spread[taught[0].past.of_day]
    depths = [_depth(each, float(depth)) for each, depth in zip(first, flat.depths, strict=False)]
    return replace(
        flat,
        unit=np.array([each.past.unit for each in taught]),
        level=np.array([each.level for each in taught]),
        spread=np.stack([each.spread for each in taught]),
        follow=np.stack([each.follow for each in taught]),
        offsets=np.stack([each.offsets for each in taught]),
        share=shares(taught, rate),
        depths=np.array(depths),
        usual=np.stack([each.usual for each in taught]),
    )


def _depth(errors: FloatArray, unmeasured: float) -> float:
    """The error that was undercut once in 500 times; a day or less tells little of that."""
    known = errors[~np.isnan(errors)]
    if not known.size:
        return unmeasured
    share = known.size / (known.size + BINS)
    return share * float(np.quantile(known, _RARELY)) + (1 - share) * unmeasured


# --- the last days ---------------------------------------------------------------------------------------------------


def _days_before(rate: FloatArray) -> FloatArray:
    """Median rate of the same step of the three days before each, so that one odd day has no say, shape (N,)."""
    lagged = np.full((_LAST_DAYS, len(rate)), np.nan)
    for nth in range(_LAST_DAYS):
        lag = (nth + 1) * BINS
        lagged[nth, lag:] = rate[:-lag]
    return median(lagged)


def _last_days(rate: FloatArray, of_day: IntArray) -> FloatArray:
    """Median rate of the last three days per 5 minutes of the local day, gaps bridged, shape (288,)."""
    days = min(_LAST_DAYS, len(rate) // BINS)
    table = np.full(BINS, np.nan)
    table[of_day[-BINS:]] = median(rate[-days * BINS :].reshape(days, BINS))
    return bridged(table)


# --- durations -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Durations:
    """`duration_s` and `slowness` as the tables have them."""

    duration_s: FloatArray
    slowness: FloatArray


def _durations(steps: Steps, of_day: IntArray, overall_s: float) -> Durations:
    """Typical duration per 5 minutes of the day, and how far single steps were off it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(steps.demand / steps.rate_per_s)
    logs[~np.isfinite(logs)] = np.nan
    if np.isnan(logs).all():
        return Durations(np.full(BINS, overall_s), np.array([np.inf, 0.0]))
    day = np.cumsum(np.concatenate([[0], of_day[1:] < of_day[:-1]]))
    table = np.full((int(day[-1]) + 1, BINS), np.nan)
    table[day, of_day] = smoothed(logs)
    known = logs[~np.isnan(logs)]
    noise = max(1.4826 * float(np.median(np.abs(known - np.median(known)))), 0.05)
    typical = bridged(robust_mean(table, noise).mean)
    off = logs - typical[of_day]
    off = off[~np.isnan(off)]
    drift = np.abs(logs[_HOUR_STEPS:] - logs[:-_HOUR_STEPS])
    drift = drift[~np.isnan(drift)]
    hourly = 1.4826 * float(np.median(drift)) if drift.size else 0.0
    return Durations(np.exp(typical), np.array([max(float(np.quantile(off, 0.99)), 0.0), hourly]))
