"""Learn: a target's history -> what the brain knows of it, all at once or a tick further. Pure.

Two things are learned: the tables of the forecast, and the mixture of candidate capacities. Both can be made again from
CloudWatch's history alone; keeping them between ticks only saves time.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from warmcast import forecast, mixture
from warmcast.forecast.steps import five_minute_steps
from warmcast.forecast.tables import Tables
from warmcast.mixture import MixtureState

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from warmcast.model import History, Learned, Series

LEAD_TIME = timedelta(minutes=3)
"""From a request until READY, until it is measured."""

_HELD_S = 3600  # for so long arrivals that were not read are taken to be as slow as the last that were


def learn(
    history: History,
    *,
    zone: ZoneInfo,
    now: datetime,
    lead_time: timedelta = LEAD_TIME,
    before: Learned | None = None,
    cold_starts: bool = False,
) -> Learned:
    """What history teaches by `now`.

    Args:
        history: all that is known; of the past weeks, minutes where they have just been read.
        zone: whose days and weeks recur.
        now: nothing after it is looked at.
        lead_time: from a request until READY; rounded to minutes.
        before: what was learned earlier: the mixture's weights are kept, for their minutes may be gone.
        cold_starts: whether the objective speaks of cold starts: their share of what spills is then modelled.
    """
    learned = forecast.learn(history, zone=zone, now=now)
    now_s, lead_min = int(now.timestamp()), max(1, math.ceil(lead_time / timedelta(minutes=1)))
    known = MixtureState.from_arrays(before.arrays) if before is not None else None
    if known is None:
        duration_s = mean_duration_s(history)
        state = mixture.learn(
            history, zone=zone, lead_min=lead_min, duration_s=duration_s, now_s=now_s, cold_starts=cold_starts
        )
    else:
        known = replace(mixture.relearn_season(known, history, zone=zone, now_s=now_s), lead_min=lead_min)
        state = mixture.advance(known, history, zone=zone, now_s=now_s)
    return replace(learned, arrays={**learned.arrays, **state.as_arrays()})


def followed(history: History, learned: Learned | None, *, follow_slow: bool) -> History:
    """The history that capacity follows: where a slow downstream isn't followed, durations count as learned at most."""
    tables = Tables.from_arrays(learned.arrays) if learned is not None and not follow_slow else None
    if tables is None or not np.isfinite(tables.slowness[0]):
        return history
    longest_s = float(tables.duration_s.max() * np.exp(tables.slowness[0]))
    fine, coarse = _shortened(history.fine, longest_s), _shortened(history.coarse, longest_s)
    return replace(history, fine=fine, coarse=coarse)


def _shortened(series: Series, longest_s: float) -> Series:
    """A series whose work is cut to so much per arrival; arrivals not read lately are as slow as those read last."""
    arrivals = series.arrivals + np.nan_to_num(series.throttles)
    known = (arrivals > 0) & (series.work_s > 0)
    if not known.any():
        return series
    kept = np.minimum(np.divide(arrivals * longest_s, series.work_s, out=np.ones(len(series)), where=known), 1.0)
    last = np.maximum.accumulate(np.where(known, np.arange(len(series)), -1))
    recent = (last >= 0) & ((np.arange(len(series)) - last) * series.step_s <= _HELD_S)
    return replace(series, work_s=series.work_s * np.where(recent, kept[np.maximum(last, 0)], 1.0))


def advance(learned: Learned, history: History, *, zone: ZoneInfo, now: datetime) -> Learned:
    """What was learned, with the ticks since counted; the same object where there is nothing new."""
    state = MixtureState.from_arrays(learned.arrays)
    if state is None:
        return learned
    after = mixture.advance(state, history, zone=zone, now_s=int(now.timestamp()))
    return learned if after is state else replace(learned, arrays={**learned.arrays, **after.as_arrays()})


def mean_duration_s(history: History) -> float | None:
    """Mean duration over all of history; None where none was ever measured."""
    start = history.coarse.start if len(history.coarse) else history.fine.start
    end = history.fine.end if len(history.fine) else history.coarse.end
    return five_minute_steps(history, start, end).duration_s
