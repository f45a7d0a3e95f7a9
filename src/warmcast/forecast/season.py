"""What recurs: a profile of the local time of day, and each weekday's deviation from it. Pure numpy.

Values are on the compressed scale of `tables.compress`. Each day is a row of 288 five-minute bins of local time,
a gap is NaN. Two layers are treated alike: what is smooth over an hour, and what is left of it (timers on the hour).
A layer is a robust mean over days, so that one odd day weighs little, times the share of it that was seen to come
back: the correlation between one day and the next (or one week and the next), which is 1 for a clock and 0 for noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from warmcast.model import FloatArray, IntArray

BINS = 288
WEEK = 7
BIN_MINUTES = 5
DAY_MINUTES = 1440

_REACH = 6  # bins to either side that the smooth layer averages over: 65 minutes
_ODD = 3.0  # deviations, in units of the ordinary noise, from which on a day counts as odd
_UNSEEN_SHARE = 0.5  # believed of a layer whose return has not been seen yet
_ENOUGH = 5  # days that make a profile by themselves
_LEAST_PAIRS = 36  # bins (3 hours) seen twice, to say whether something came back


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """Days as rows: `values` (D, 288), `weekday` (D,), `row` and `bin` of each step that went in, (N,)."""

    values: FloatArray
    weekday: IntArray
    row: IntArray
    bin: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One layer of all days: its rows and how much of a mean over n rows comes back next time."""

    rows: FloatArray
    comes_back_daily: float
    comes_back_weekly: float


@dataclass(frozen=True, slots=True, eq=False)
class Season:
    """All that is needed to say what a weekday looks like, with or without one of the days seen."""

    days: Days
    layers: tuple[Layer, ...]
    noise: float

    def of_weekday(self, weekday: int, rows: IntArray) -> FloatArray:
        """The profile of a weekday that these rows give, shape (288,); NaN where no day was seen."""
        same = rows[self.days.weekday[rows] == weekday]
        total = np.zeros(BINS)
        for nth, layer in enumerate(self.layers):
            daily = robust_mean(layer.rows[rows], self.noise)
            share = 1.0 if nth == 0 else believed(layer.comes_back_daily, daily.count)
            deviation = robust_mean(layer.rows[same] - daily.mean, self.noise, around_zero=True)
            weekly = believed(layer.comes_back_weekly, deviation.count)
            total += share * daily.mean + weekly * np.nan_to_num(deviation.mean)
        return total

    def of_week(self) -> FloatArray:
        """The profile of every 5 minutes of the week, shape (2016,), Monday 00:00 first; gaps are bridged."""
        rows = np.arange(len(self.days.weekday))
        week = np.concatenate([self.of_weekday(weekday, rows) for weekday in range(WEEK)])
        return bridged(week)

    def surprise(self) -> FloatArray:
        """Each day against the profile that the days before it give, as it will be live, shape (D, 288).

        The first days, which have too few before them, against that of all others.
        """
        rows = np.arange(len(self.days.weekday))
        return np.stack(
            [
                self.days.values[row]
                - self.of_weekday(int(weekday), rows[:row] if row >= _ENOUGH else rows[rows != row])
                for row, weekday in enumerate(self.days.weekday)
            ]
        )


def season(values: FloatArray, minute_of_week: IntArray) -> Season:
    """The season of consecutive 5-minute values (N,), each with its local minute of the week."""
    days = _as_days(values, minute_of_week)
    smooth = smoothed(days.values.ravel()).reshape(days.values.shape)
    noise = _noise(days.values)
    return Season(days, tuple(_layer(rows) for rows in (smooth, days.values - smooth)), noise)


def _as_days(values: FloatArray, minute_of_week: IntArray) -> Days:
    """Rows of local days, brought to the level of the newest week: growth is the current level's affair."""
    weekday, minute = np.divmod(minute_of_week, DAY_MINUTES)
    row = np.concatenate([[0], np.cumsum(weekday[1:] != weekday[:-1])])
    at = minute // BIN_MINUTES
    table = np.full((int(row[-1]) + 1, BINS), np.nan)
    table[row, at] = values  # of a repeated hour the second stays, a skipped one is a gap
    first = np.unique(row, return_index=True)[1]
    return Days(table - _week_levels(table)[:, None], weekday[first], row, at)


def _week_levels(table: FloatArray) -> FloatArray:
    """How much higher each day's week was than the newest week: median over bins seen a week apart, shape (D,)."""
    rows = len(table)
    age_weeks = (rows - 1 - np.arange(rows)) // WEEK
    levels = np.zeros(rows)
    for age in range(1, int(age_weeks[0]) + 1):
        older = np.flatnonzero(age_weeks == age)
        step = (table[older] - table[older + WEEK]).ravel()
        step = step[~np.isnan(step)]
        levels[age_weeks >= age] += np.median(step) if len(step) >= _LEAST_PAIRS else 0.0
    return levels


def _layer(rows: FloatArray) -> Layer:
    daily = _comes_back(rows[:-1], rows[1:])
    mean = robust_mean(rows, np.inf).mean
    weekly = _comes_back(rows[:-WEEK] - mean, rows[WEEK:] - mean)
    return Layer(rows, daily, weekly)


def _comes_back(before: FloatArray, after: FloatArray) -> float:
    """Correlation of one time with the next around zero, 0 to 1: the share of the variance that comes back."""
    both = ~np.isnan(before) & ~np.isnan(after)
    if int(both.sum()) < _LEAST_PAIRS:
        return _UNSEEN_SHARE
    earlier, later = before[both], after[both]
    variance = 0.5 * float(earlier @ earlier + later @ later)
    return float(np.clip(float(earlier @ later) / variance, 0.0, 1.0)) if variance > 0 else 1.0


def believed(comes_back: float, count: IntArray) -> FloatArray:
    """Share of a mean over `count` times that is signal (Spearman-Brown): 0.5 once, 0.67 twice, 0.87 seven times."""
    shares: FloatArray = count * comes_back / (1 + np.maximum(count - 1, 0) * comes_back)
    return shares


@dataclass(frozen=True, slots=True, eq=False)
class Mean:
    """A mean over days per bin, NaN where none was known, and over how many."""

    mean: FloatArray
    count: IntArray


def robust_mean(rows: FloatArray, noise: float, *, around_zero: bool = False) -> Mean:
    """Mean over rows in which odd ones weigh little: weight (1 + (x - median)^2 / (3 noise)^2)^-2.

    `around_zero` puts a zero among the rows for the median: of two weeks that disagree, the one nearer to an ordinary
    day is believed.
    """
    known = ~np.isnan(rows)
    count = known.sum(axis=0)
    offset = rows - median(np.vstack([rows, np.zeros((1, rows.shape[1]))]) if around_zero else rows)
    weight = np.where(known, (1 + (offset / (_ODD * noise)) ** 2) ** -2, 0.0)
    total = weight.sum(axis=0)
    mean = np.divide(
        (weight * np.where(known, rows, 0.0)).sum(axis=0), total, out=np.full(rows.shape[1], np.nan), where=total > 0
    )
    return Mean(mean, count)


def median(rows: FloatArray) -> FloatArray:
    """Median of the known values of each column; NaN where none is known."""
    if not len(rows):
        return np.full(rows.shape[1], np.nan)
    ascending = np.sort(rows, axis=0)  # NaN goes last
    count = (~np.isnan(rows)).sum(axis=0)
    column = np.arange(rows.shape[1])
    median: FloatArray = 0.5 * (ascending[np.maximum(count - 1, 0) // 2, column] + ascending[count // 2, column])
    return median


def _noise(table: FloatArray) -> float:
    """Ordinary difference of a bin from one week to the next (else from one day to the next), as a deviation."""
    for apart in (WEEK, 1):
        step = (table[apart:] - table[:-apart]).ravel()
        step = np.abs(step[~np.isnan(step)])
        if len(step) >= BINS:
            return max(float(1.4826 / np.sqrt(2) * np.median(step)), 1e-3)
    return 0.3


def smoothed(values: FloatArray) -> FloatArray:
    """Mean of the known values within 30 minutes to either side, shape as given; NaN where none is known."""
    known = ~np.isnan(values)
    total = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    count = np.concatenate([[0], np.cumsum(known)])
    low = np.maximum(np.arange(len(values)) - _REACH, 0)
    high = np.minimum(np.arange(len(values)) + _REACH + 1, len(values))
    within = count[high] - count[low]
    means: FloatArray = np.divide(total[high] - total[low], within, out=np.full(len(values), np.nan), where=within > 0)
    return means


def bridged(values: FloatArray) -> FloatArray:
    """Gaps filled by straight lines from one known value to the next, the end joined to the start; all gaps: zeros."""
    known = np.flatnonzero(~np.isnan(values))
    if not known.size:
        return np.zeros(len(values))
    filled: FloatArray = np.interp(np.arange(len(values)), known, values[known], period=len(values))
    return filled
