"""A trace cut for a contest of forecasts: 15-minute means, the instants to forecast from, what is known at each. Pure.

The steps are a quarter of an hour because the slow peers cannot do less in sensible time. The instants (origins) follow
the golden-ratio sequence over the scored part, so they favour no hour of the day and no day of the week.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from warmcast.model import FloatArray

STEP_MINUTES: Final = 15
STEP_S: Final = 60 * STEP_MINUTES
DAY: Final = 24 * 60 // STEP_MINUTES
WEEK: Final = 7 * DAY
AHEAD: Final = DAY
"""Steps forecast from each origin."""

MOST_KNOWN: Final = 14 * DAY
"""Steps of history that every forecaster is given, the newest."""

LEAST_KNOWN: Final = 8 * DAY
"""A week-long season must have been seen once, and a day beyond."""

_GOLDEN: Final = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """One trace and the instants at which its future is to be told.

    Args:
        start: epoch seconds of the first minute, a multiple of 15 minutes.
        minutes: demand per minute, NaN where it is not known; whole steps.
        origins: indices of the steps that are the first ones not known, ascending.
    """

    name: str
    start: int
    minutes: FloatArray
    origins: tuple[int, ...]

    @property
    def steps(self) -> FloatArray:
        """Mean demand of the known minutes of each step; NaN where none is known."""
        return means(self.minutes, STEP_MINUTES)

    def known(self, origin: int) -> FloatArray:
        """Steps up to an origin, 14 days at most, gaps filled: the peers take none."""
        return filled(self.steps[max(0, origin - MOST_KNOWN) : origin])

    def known_minutes(self, origin: int) -> FloatArray:
        """The minutes of the same steps, gaps as they are."""
        return self.minutes[max(0, origin - MOST_KNOWN) * STEP_MINUTES : origin * STEP_MINUTES]

    def actual(self) -> FloatArray:
        """What came in the day after each origin, shape (origins, 96)."""
        steps = self.steps
        return np.stack([steps[origin : origin + AHEAD] for origin in self.origins])

    def last_week(self) -> FloatArray:
        """The same steps a week before, gaps filled, shape (origins, 96)."""
        return np.stack([self.known(origin)[-WEEK : -WEEK + AHEAD] for origin in self.origins])

    def scale(self) -> float:
        """Mean change from one week to the next before the first origin; from day to day, or the mean, where that is 0.

        0 only where nothing ever happened before the first origin.
        """
        before = self.steps[: self.origins[0]]
        for lag in (WEEK, DAY):
            change = np.abs(before[lag:] - before[:-lag])
            if (found := float(np.nanmean(change))) > 0:
                return found
        return float(np.nanmean(before))


def cut(name: str, start: int, minutes: FloatArray, count: int) -> Cut | None:
    """The trace in whole steps with so many origins; None where it is too short to learn and be scored."""
    skipped = -start % STEP_S // 60
    whole = (len(minutes) - skipped) // STEP_MINUTES * STEP_MINUTES
    kept = minutes[skipped : skipped + whole]
    chosen = origins(len(kept) // STEP_MINUTES, count)
    return Cut(name, start + 60 * skipped, kept, chosen) if chosen else None


def origins(steps: int, count: int) -> tuple[int, ...]:
    """Steps from which to forecast: after half of the trace, or 14 days if that is less, and 8 days at least."""
    first = min(MOST_KNOWN, max(LEAST_KNOWN, steps // 2))
    last = steps - AHEAD
    if last - first < count:
        return ()
    shares = (np.arange(1, count + 1) * _GOLDEN) % 1
    return tuple(sorted(first + int(share * (last - first)) for share in shares))


def means(values: FloatArray, per_step: int) -> FloatArray:
    """Means of the known values of every `per_step`; NaN where none is known."""
    rows = values.reshape(-1, per_step)
    known = ~np.isnan(rows)
    count = known.sum(axis=1)
    total = np.where(known, rows, 0.0).sum(axis=1)
    found: FloatArray = np.divide(total, count, out=np.full(len(rows), np.nan), where=count > 0)
    return found


def filled(steps: FloatArray) -> FloatArray:
    """Gaps take the value of a week before, else of a day before, else straight lines; never one from later on."""
    whole = steps.copy()
    for index in np.flatnonzero(np.isnan(whole)):
        for lag in (WEEK, DAY):
            if index >= lag and np.isnan(whole[index]):
                whole[index] = whole[index - lag]
    known = np.flatnonzero(~np.isnan(whole))
    if not known.size:
        return np.zeros(len(whole))
    return np.interp(np.arange(len(whole)), known, whole[known])
