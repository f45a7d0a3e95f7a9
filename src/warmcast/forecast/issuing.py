"""Forecast: recent history and what was learned -> quantiles of demand over a horizon. Pure numpy.

Rate and duration are forecast apart, so that a slow downstream is not taken for more customers:

    member(t) = profile(t) + what is left at that lead of the current level's surprise + quantiles of past errors
    rate(t)   = mean of the members, each counting by how well it would have done
    demand(t) = rate(t) x duration(t)

A forecast issued at `now` uses only steps of history that end by then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from warmcast.calendar import minute_of_week
from warmcast.forecast.burst import peakedness
from warmcast.forecast.fall import last_fall
from warmcast.forecast.recent import Recent, at_leads, unseen_left
from warmcast.forecast.season import BIN_MINUTES, BINS
from warmcast.forecast.steps import STEP_S
from warmcast.forecast.tables import DEVIATES, LEVELS, MEDIAN, WEIGHTS, compress, expand
from warmcast.model import Forecast, Unknown

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from warmcast.model import FloatArray, History, IntArray, Learned

MINUTES_HORIZON_S = 48 * 3600
"""Each minute up to here, each 5 minutes beyond."""

_MINUTE_S = 60
_PEAK_S = 3 * 3600  # minutes from whose maxima peakedness is measured
_RATIO_STEPS = 3  # steps (15 minutes) over which the current duration is measured
_RATIO_PRIOR = 10.0  # requests of typical duration that weigh against those measured
_RATIO_HELD_S = 3600  # a changed duration is taken to last an hour ...
_RATIO_FADES_S = 6 * 3600  # ... and to fade over six
_BEYOND = 1.5  # times what a week, or the last 15 minutes, have shown: no quantile goes further


def forecast(
    history: History,
    learned: Learned | None,
    *,
    zone: ZoneInfo,
    now: datetime,
    horizon: timedelta,
    follow_slow: bool = True,
) -> Forecast | Unknown:
    """Quantiles of demand for each minute from `now` to 48 hours, each 5 minutes beyond; or why there are none.

    Args:
        history: steps that end after `now` are not looked at.
        learned: None: not learned yet; the forecast is then flat at the current level, and wide.
        zone: the zone in which the traffic's days and weeks recur.
        now: the first step is the minute that contains it.
        horizon: how far ahead.
        follow_slow: whether a duration above all that was learned counts; else it is cut to that.
    """
    now_s = int(now.timestamp())
    known = history.until(now_s)
    newest = known.newest
    if newest is None:
        return Unknown("no history")
    recent = Recent.of(known, learned, newest, zone)
    ahead = _Ahead.of(now_s, int(horizon.total_seconds()), zone)
    issued = _Issue(now, recent, ahead, _peakedness(known, recent, newest), follow_slow)
    fall = last_fall(recent, now_s)
    newest_step = len(recent.rate_per_s) - 1
    if fall is None:
        return issued.from_step(newest_step)
    return replace(issued.from_step(newest_step), fallen_from=issued.from_step(fall.before), fell_deep=fall.deep)


@dataclass(frozen=True, slots=True, eq=False)
class _Fives:
    """The 5 minutes that the horizon touches.

    Args:
        number: of 5 minutes since the epoch, shape (F,).
        bin_of_week: their 5 minutes of the local week, shape (F,).
        of_step: which of them each step of the horizon lies in, shape (H,).
    """

    number: IntArray
    bin_of_week: IntArray
    of_step: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class _Ahead:
    """The steps of the horizon."""

    at: IntArray
    step_s: IntArray
    fives: _Fives

    @staticmethod
    def of(now_s: int, horizon_s: int, zone: ZoneInfo) -> _Ahead:
        start, end = now_s // _MINUTE_S * _MINUTE_S, now_s + horizon_s
        # The minutes end where a step of 5 minutes begins, so that no later step straddles two bins.
        change = min(end, -(-(start + MINUTES_HORIZON_S) // STEP_S) * STEP_S)
        minutes = np.arange(start, change, _MINUTE_S, dtype=np.int64)
        steps = np.arange(change, end, STEP_S, dtype=np.int64)
        at = np.concatenate([minutes, steps])
        step_s = np.repeat(np.array([_MINUTE_S, STEP_S], dtype=np.int64), [len(minutes), len(steps)])
        number = np.arange(start // STEP_S, int(at[-1]) // STEP_S + 1, dtype=np.int64)
        fives = _Fives(number, minute_of_week(number * STEP_S, zone) // BIN_MINUTES, at // STEP_S - number[0])
        return _Ahead(at, step_s, fives)


@dataclass(frozen=True, slots=True, eq=False)
class _Issue:
    """Everything a forecast needs but the step from which it looks ahead."""

    now: datetime
    recent: Recent
    ahead: _Ahead
    peakedness: float
    follow_slow: bool

    def from_step(self, origin: int) -> Forecast:
        """The forecast from the knowledge of one step of the last day on."""
        recent, ahead, tables = self.recent, self.ahead, self.recent.tables
        unit = float(tables.unit[0])
        said = compress(self._blended(origin), unit)
        leads = (ahead.at + ahead.step_s / 2 - recent.steps.start) / STEP_S - origin - 0.5
        strange = recent.unseen_part(origin) * (1 - unseen_left(leads))
        own = np.hypot(strange, np.where(ahead.step_s == _MINUTE_S, recent.scatter, 0.0))
        highest = _BEYOND * max(float(tables.highest[0]), recent.level(origin))
        rate = np.minimum(expand(_wider(said, own), unit), highest)
        hourly = float(tables.slowness[1])
        slow = np.minimum(expand(_wider(said, np.hypot(own, hourly)), unit), highest) if hourly > 0 else rate
        return Forecast(
            issued_at=self.now,
            at=ahead.at,
            step_s=ahead.step_s,
            levels=LEVELS,
            weights=WEIGHTS,
            demand=slow * self._duration_s(origin),
            rate_per_s=rate,
            peakedness=self.peakedness,
            basis=tables.basis,
        )

    def _blended(self, origin: int) -> FloatArray:
        """Quantiles of the rate of each step ahead, before minutes scatter around it, shape (K, H).

        Told for each 5 minutes, which are what the tables know; minutes are as the 5 that they are in.
        """
        tables, fives = self.recent.tables, self.ahead.fives
        leads = (fives.number - self.recent.steps.start // STEP_S - origin).astype(np.float64)
        kept = np.concatenate([tables.follow, tables.offsets, tables.share], axis=2)
        follow, offsets, share = np.split(_per_lead(kept, leads), [-2 * len(LEVELS), -len(LEVELS)], axis=1)
        centres = self.recent.centres(origin, tables.profiles(fives.bin_of_week), follow, leads)
        width = tables.spread[:, fives.bin_of_week % BINS]
        quantiles = expand(centres[:, None] + offsets * width[:, None], tables.unit[:, None, None])
        blended: FloatArray = np.maximum.accumulate((share * quantiles).sum(axis=0), axis=0)
        return blended[:, fives.of_step]

    def _duration_s(self, origin: int) -> FloatArray:
        """Mean duration at each step ahead: the typical one, times how much slower it is now, fading."""
        tables, recent, ahead = self.recent.tables, self.recent, self.ahead
        slower = _slower(recent, origin)
        if not self.follow_slow:
            slower = min(slower, float(tables.slowness[0]))
        elapsed_s = ahead.at - (recent.steps.start + (origin + 1) * STEP_S)
        held = np.exp(-np.maximum(elapsed_s - _RATIO_HELD_S, 0) / _RATIO_FADES_S)
        duration_s: FloatArray = tables.duration_s[ahead.fives.bin_of_week % BINS][ahead.fives.of_step] * np.exp(
            slower * held
        )
        return duration_s


def _per_lead(tables: FloatArray, leads: FloatArray) -> FloatArray:
    """Tables (M, leads kept, K) at other leads, shape (M, K, H)."""
    members, kept, levels = tables.shape
    rows = at_leads(tables.transpose(1, 0, 2).reshape(kept, members * levels), leads)
    per_lead: FloatArray = rows.T.reshape(members, levels, len(leads))
    return per_lead


def _wider(said: FloatArray, deviation: FloatArray) -> FloatArray:
    """Quantiles (K, H) to which an independent error of this deviation (H,) is added: squares add up."""
    median = said[MEDIAN]
    wider: FloatArray = median + np.sign(DEVIATES)[:, None] * np.hypot(said - median, np.outer(DEVIATES, deviation))
    return wider


def _slower(recent: Recent, origin: int) -> float:
    """Logarithm of the duration of the last 15 minutes over the typical one; 0 where arrivals are not known.

    Ten requests of typical duration weigh against those measured: 3 requests of 2 s against a typical 1 s are
    (3 x 2 + 10 x 1) / (3 x 1 + 10 x 1) = 1.23.
    """
    last = slice(max(0, origin + 1 - _RATIO_STEPS), origin + 1)
    demand, rate = recent.steps.demand[last], recent.steps.rate_per_s[last]
    both = ~np.isnan(demand) & ~np.isnan(rate)
    if not both.any():
        return 0.0
    typical_s = recent.tables.duration_s[recent.bin_of_week[last][both] % BINS]
    prior_s = _RATIO_PRIOR * float(typical_s.mean())
    worked_s = float(demand[both].sum()) * STEP_S
    typically_s = float((rate[both] * typical_s).sum()) * STEP_S
    return float(np.log((worked_s + prior_s) / (typically_s + prior_s)))


def _peakedness(history: History, recent: Recent, newest: int) -> float:
    """Peakedness of the last three hours; 1 where no duration was ever measured."""
    if not (duration_s := recent.steps.duration_s):
        return 1.0
    return peakedness(history.fine.between(newest - _PEAK_S, newest), duration_s)
