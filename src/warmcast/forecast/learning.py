"""Learn: weeks of history -> what recurs, how fast surprises fade, and how wrong such forecasts were. Pure numpy.

Everything that measures an error leaves the day concerned out of the profile that it is measured against.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from warmcast.calendar import minute_of_week
from warmcast.forecast.season import BIN_MINUTES, BINS, DAY_MINUTES, WEEK, bridged, robust_mean, season, smoothed
from warmcast.forecast.steps import STEP_S, UNKNOWN_DURATION_S, Steps, five_minute_steps
from warmcast.forecast.tables import (
    FLAT,
    LEADS,
    LEVELS,
    UNCERTAIN,
    Tables,
    compress,
    stand_in,
    unit_for,
    widening,
    windows,
)
from warmcast.model import Learned

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from warmcast.model import FloatArray, History, IntArray

MOST_DAYS = 28
"""Older history says little of the next week."""

_DAY_S = 86_400
_HOUR_STEPS = 12
_MEMORY_STEPS = 144  # before anything is measured, half a day is assumed until a surprise has faded to 1/e
_DOUBT = 3.0  # independent errors that weigh as much as what stands in for them
_RARELY = 0.002
_YOUNG = 2.0
_SPREAD_LEAD = 3  # index of the lead (30 minutes) whose errors say when of the day forecasts are worse


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
    unit = unit_for(rate)
    known_days = int((~np.isnan(rate)).sum()) * STEP_S / _DAY_S
    flat = replace(
        stand_in(unit, duration_s, known_days),
        duration_s=typical.duration_s,
        slowness=typical.slowness,
        highest=np.array([_highest(rate, known_days)]),
    )
    return _learned(flat, compress(rate, unit), minute)


def _highest(rate: FloatArray, known_days: float) -> float:
    """The highest rate shown; twice that under a week, which has not shown all; infinite where none is known."""
    shown = float(np.nanmax(rate, initial=0.0))
    if shown == 0:
        return np.inf
    return shown if known_days >= WEEK else _YOUNG * shown


def _learned(flat: Tables, values: FloatArray, minute: IntArray) -> Tables:
    """The tables with what recurs, from a day of history on, and with measured errors, as far as there are any."""
    if flat.basis == "level":
        return _with_errors(flat, values, np.zeros(len(values), dtype=np.int64))
    found = season(values, minute)
    surprise = found.surprise()[found.days.row, found.days.bin]
    faded = np.exp(-LEADS / _MEMORY_STEPS)[:, None]
    seasonal = replace(flat, week=found.of_week(), follow=FLAT * faded)
    return _with_errors(seasonal, surprise, found.days.bin)


# --- how wrong, how long ---------------------------------------------------------------------------------------------


def _with_errors(prior: Tables, surprise: FloatArray, of_day: IntArray) -> Tables:
    """How surprises fade and how large errors were, per lead; `prior` stands in where little was measured."""
    seen = windows(surprise)
    follow = np.stack([_follow(surprise, seen, nth, prior.follow[nth]) for nth in range(len(LEADS))])
    errors = [_errors(surprise, seen, nth, follow[nth]) for nth in range(len(LEADS))]
    seasonal = prior.basis != "level"
    spread = _spread(errors[_SPREAD_LEAD], of_day) if seasonal else prior.spread
    scaled = [each / spread[of_day] for each in errors]
    recent = seen[1][~np.isnan(surprise)]
    return replace(
        prior,
        follow=follow,
        spread=spread,
        offsets=_offsets(scaled, prior),
        depths=np.array([_depth(each, float(depth)) for each, depth in zip(scaled, prior.depths, strict=False)]),
        usual=np.quantile(recent, [0.005, 0.995]) if seasonal and recent.size else prior.usual,
    )


def _follow(surprise: FloatArray, seen: FloatArray, nth: int, prior: FloatArray) -> FloatArray:
    """How much of each window's surprise is left at this lead: least squares, drawn to the prior where data is thin."""
    lead = int(LEADS[nth])
    after = surprise[lead:]
    known = ~np.isnan(after)
    before = seen[:, :-lead][:, known]
    if not before.size:
        return prior
    products = before @ before.T
    independent = before.shape[1] / max(lead, _HOUR_STEPS)
    draw = (np.trace(products) / len(products) + 1e-9) * _DOUBT / independent * np.eye(len(products))
    solved: FloatArray = np.linalg.solve(products + draw, before @ after[known] + draw @ prior)
    return solved


def _errors(surprise: FloatArray, seen: FloatArray, nth: int, follow: FloatArray) -> FloatArray:
    """Errors at this lead by the step they were made for, shape (N,); NaN where there is none."""
    lead = int(LEADS[nth])
    errors = np.full(len(surprise), np.nan)
    errors[lead:] = surprise[lead:] - follow @ seen[:, :-lead]
    return errors


def _depth(errors: FloatArray, unmeasured: float) -> float:
    """The error that was undercut once in 500 times; a day or less tells little of that."""
    known = errors[~np.isnan(errors)]
    if not known.size:
        return unmeasured
    share = known.size / (known.size + BINS)
    return share * float(np.quantile(known, _RARELY)) + (1 - share) * unmeasured


def _offsets(errors: list[FloatArray], prior: Tables) -> FloatArray:
    """Quantiles of the errors per lead, shape (leads, levels).

    Few independent errors are blended with those of the next shorter lead (before the first: what stands in), which a
    flat forecast's grow with the lead as they do for traffic in general.
    """
    rows = np.empty((len(LEADS), len(LEVELS)))
    before = prior.offsets[0]
    growth = np.ones(len(LEADS))
    if prior.basis == "level":
        growth[1:] = UNCERTAIN[1:] / UNCERTAIN[:-1]
    factor = widening(float(prior.known_days[0]))
    for nth, each in enumerate(errors):
        known = each[~np.isnan(each)]
        share = known.size / (known.size + _DOUBT * max(int(LEADS[nth]), _HOUR_STEPS))
        measured = np.quantile(known, LEVELS) * factor if known.size else 0.0
        before = rows[nth] = share * measured + (1 - share) * before * growth[nth]
    return rows


def _spread(errors: FloatArray, of_day: IntArray) -> FloatArray:
    """Relative size of errors per 5 minutes of the day, mean square 1; smooth over two hours."""
    known = ~np.isnan(errors)
    if not known.any():
        return np.ones(BINS)
    size = np.abs(errors[known])
    size = np.minimum(size, np.quantile(size, 0.99))
    count = np.bincount(of_day[known], minlength=BINS)
    squares = np.bincount(of_day[known], size**2, BINS)
    overall = max(float(squares.sum() / count.sum()), 1e-12)
    local = (squares + _DOUBT * overall) / (count + _DOUBT)
    around = smoothed(smoothed(np.tile(local, 3)))[BINS : 2 * BINS]
    spread: FloatArray = np.sqrt(around / overall)
    return np.clip(spread, 0.3, 3.0)


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
