"""Measured history as 5-minute steps of arrival rate and demand. Pure numpy; gaps stay NaN, never zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from warmcast.model import FloatArray, History, IntArray, Series

STEP_S = 300

UNKNOWN_DURATION_S = 1.0
"""Stands in where no arrivals were ever measured: then rate and demand are the same series."""


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """5-minute steps, oldest first, aligned to the epoch.

    Args:
        start: epoch seconds at which the first step begins.
        demand: mean demand per step in concurrent executions; NaN: gap.
        rate_per_s: arrivals a second per step, throttled ones included; NaN: not known.
    """

    start: int
    demand: FloatArray
    rate_per_s: FloatArray

    @property
    def at(self) -> IntArray:
        """Epoch seconds at which each step begins."""
        return self.start + STEP_S * np.arange(len(self.demand), dtype=np.int64)

    @property
    def end(self) -> int:
        """Epoch seconds at which the last step ends."""
        return self.start + STEP_S * len(self.demand)

    @property
    def duration_s(self) -> float | None:
        """Mean duration over the steps whose arrivals are known; None if there is none."""
        both = ~np.isnan(self.rate_per_s) & ~np.isnan(self.demand)
        rate = float(self.rate_per_s[both].sum())
        return float(self.demand[both].sum()) / rate if rate > 0 else None

    def upto(self, count: int) -> Steps:
        """The first `count` steps."""
        return Steps(self.start, self.demand[:count], self.rate_per_s[:count])

    def rate_given(self, duration_s: FloatArray) -> FloatArray:
        """Arrival rate, taken from demand and these durations where arrivals are not known; NaN: gap."""
        return np.where(np.isnan(self.rate_per_s), self.demand / duration_s, self.rate_per_s)


def five_minute_steps(history: History, start: int, end: int) -> Steps:
    """The history of [start, end), epoch seconds, as 5-minute steps; minutes stand above coarse steps."""
    first = start // STEP_S * STEP_S
    count = max(0, -(-(end - first) // STEP_S))
    demand, rate_per_s = np.full(count, np.nan), np.full(count, np.nan)
    for series in (history.coarse, history.fine):
        part = series.between(first, end)
        if len(part):
            place = slice((part.start - first) // STEP_S, -(-(part.end - first) // STEP_S))
            minutes, arriving = part.demand, arrival_rate(part)
            # Idle minutes are known to have no arrivals before those of the busy ones beside them are read: a step of
            # which only the idle minutes' arrivals are known has no known rate, else its durations would be endless.
            unread = np.where(~np.isnan(minutes) & np.isnan(arriving), np.nan, 0.0)
            whole = np.where(_means(part, unread, of_all=True) == 0, 0.0, np.nan)
            _lay(_means(part, minutes), demand[place])
            _lay(_means(part, arriving) + whole, rate_per_s[place])
    return Steps(first, demand, rate_per_s)


def arrival_rate(series: Series) -> FloatArray:
    """Arrivals a second in each step, throttled ones included; NaN: not known."""
    rate: FloatArray = (series.arrivals + np.nan_to_num(series.throttles)) / series.step_s
    return rate


def _lay(values: FloatArray, over: FloatArray) -> None:
    np.copyto(over, values, where=~np.isnan(values))


def _means(series: Series, values: FloatArray, *, of_all: bool = False) -> FloatArray:
    """Means of the known minutes of each 5-minute step; `of_all`: of all minutes, NaN where one is not known."""
    per_step = STEP_S // series.step_s
    if per_step == 1:
        return values
    before = series.start % STEP_S // series.step_s
    padded = np.full(-(-(before + len(values)) // per_step) * per_step, 0.0 if of_all else np.nan)
    padded[before : before + len(values)] = values
    rows = padded.reshape(-1, per_step)
    if of_all:
        overall: FloatArray = rows.mean(axis=1)
        return overall
    known = ~np.isnan(rows)
    count = known.sum(axis=1)
    sums = np.where(known, rows, 0.0).sum(axis=1)
    means: FloatArray = np.divide(sums, count, out=np.full(len(rows), np.nan), where=count > 0)
    return means
