"""The numbers that a forecast is made from: learned ones, or those that stand in while history is short. Pure numpy.

The forecast is an average of a few members. Each works on a compressed scale y = log(1 + rate / unit): far above `unit`
(a tenth of the mean rate, or three times it) a step of y is a percentage, far below it an amount, so that nights and
zeros are no trouble.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from warmcast.forecast.season import BINS, WEEK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warmcast.model import FloatArray, IntArray

VERSION = 3
"""Raised when the meaning of the tables changes: older ones are learned again."""

LEVELS = np.array([0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.96, 0.99])
"""Quantile levels of every forecast."""

MEDIAN = 3
"""Index of the median among them."""

WEIGHTS = np.array([0.125, 0.15, 0.15, 0.15, 0.15, 0.125, 0.08, 0.045, 0.025])
"""What each level stands for: the probability between the midpoints to its neighbours."""

DEVIATES = np.array([-1.6449, -0.8416, -0.3853, 0.0, 0.3853, 0.8416, 1.2816, 1.7507, 2.3263])
"""Standard normal quantiles of the levels."""

WINDOWS = np.array([1, 3, 24, BINS])
"""The current level is seen through means over the last 5 and 15 minutes, 2 hours and a day (in 5-minute steps)."""

LEADS = np.array([1, 2, 3, 5, 7, 13, 25, 49, 97, 173, 287, 575, 2015])
"""Leads (in 5-minute steps ahead) at which reversion and errors are kept; between them they are interpolated.

None is a whole number of hours: a timer on the hour would look like a level that stays.
"""

LEAST_UNIT = 1e-8

LEAST_RATE_PER_S = 1 / (7 * 86_400)
"""Less than a request a week is none."""

UNCERTAIN = np.array([0.3, 0.35, 0.4, 0.45, 0.49, 0.56, 0.7, 0.9, 1.0, 1.1, 1.1, 1.1, 1.1])
"""Deviation of a flat forecast per lead on the compressed scale, of traffic of which nothing is known: between the
median and the upper quartile over the series of the benchmark."""

FLAT = np.array(
    [[0.5, 0.3, 0.2, 0.0]] * 3 + [[0.3, 0.35, 0.35, 0.0]] * 3 + [[0.0, 0.4, 0.5, 0.1]] + [[0.0, 0.2, 0.4, 0.4]] * 6
)
"""How a flat forecast follows the windows, per lead."""


class Ground(Enum):
    """What a member takes a step to be before it looks at the current level."""

    WEEK = "week"
    DAYS = "days"
    LEVEL = "level"


@dataclass(frozen=True, slots=True)
class Member:
    """One of the forecasts that are averaged: what it stands on, and how small rates must be to count as amounts.

    Args:
        scale: where its compressed scale turns logarithmic, in mean rates: 0.1 for errors that grow with the traffic, 3
            for errors that do not.
    """

    ground: Ground
    scale: float


MEMBERS = (Member(Ground.WEEK, 0.1), Member(Ground.LEVEL, 3.0), Member(Ground.DAYS, 0.1), Member(Ground.DAYS, 3.0))
"""The first stands alone while there is less than a day of history, and tells a sudden fall from a night."""


def compress(rate: FloatArray, unit: float | FloatArray) -> FloatArray:
    """Rate -> the scale that the model works on; NaN stays NaN."""
    compressed: FloatArray = np.log1p(rate / unit)
    return compressed


def expand(compressed: FloatArray, unit: float | FloatArray) -> FloatArray:
    """The model's scale -> rate; never below zero, finite, and less than a request a week is none."""
    rate: FloatArray = unit * np.expm1(np.clip(compressed, 0.0, 50.0))
    rate[rate < LEAST_RATE_PER_S] = 0.0
    return rate


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """Everything that a forecast needs beside the last day's history; each table is an array, to be kept as it is.

    Members are M of the first of `MEMBERS`.

    Args:
        unit: arrival rate at which each member's compressed scale turns from linear to logarithmic, shape (M,).
        level: each member's usual height on its scale, shape (M,).
        week: the profile of the first member, every 5 minutes of the local week, Monday 00:00 first, shape (2016,);
            zeros: no season.
        days: median rate of the last three days per 5 minutes of the local day, shape (288,).
        spread: relative width of the errors per 5 minutes of the local day, mean 1, shape (M, 288).
        follow: how much of each window's surprise is still there per lead, and last how much of the profile's deviation
            from the level is to be added (taken off, if negative), shape (M, leads, windows + 1).
        offsets: quantiles of the error per lead at spread 1, shape (M, leads, levels).
        share: how much each member counts per lead and level, sum 1 over the members, shape (M, leads, levels).
        depths: how far below the first member traffic was once in 500 times, 5 and 10 minutes ahead, shape (2,).
        usual: the range of 15-minute surprises that history has shown, shape (M, 2).
        duration_s: typical mean duration per 5 minutes of the local day, shape (288,).
        slowness: the highest duration over the typical one that counts as learned (logarithm), and the deviation of an
            hour's duration from the hour before, shape (2,).
        known_days: how much history went in, in days, shape (1,).
        highest: the highest arrival rate of 5 minutes that was shown (twice that under a week), shape (1,).
    """

    unit: FloatArray
    level: FloatArray
    week: FloatArray
    days: FloatArray
    spread: FloatArray
    follow: FloatArray
    offsets: FloatArray
    share: FloatArray
    depths: FloatArray
    usual: FloatArray
    duration_s: FloatArray
    slowness: FloatArray
    known_days: FloatArray
    highest: FloatArray

    def profiles(self, bin_of_week: IntArray) -> FloatArray:
        """What each member takes these steps to be, on its own scale, shape (M, N)."""
        found = np.empty((len(self.unit), len(bin_of_week)))
        found[0] = self.week[bin_of_week]
        if len(found) > 1:
            found[1] = self.level[1]
            found[2:] = compress(self.days[bin_of_week % BINS], self.unit[2:, None])
        return found

    @property
    def basis(self) -> str:
        """What a forecast from these rests on: "level" under a day of history, "day" under a week, else "week"."""
        days = float(self.known_days[0])
        return "level" if days < 1 else "day" if days < WEEK else "week"

    def as_arrays(self) -> dict[str, FloatArray]:
        """The tables by name, with their version."""
        return {"version": np.array([VERSION], dtype=np.float64)} | {
            field.name: getattr(self, field.name) for field in fields(self)
        }

    @staticmethod
    def from_arrays(arrays: Mapping[str, FloatArray]) -> Tables | None:
        """The tables kept by `as_arrays`; None where they are of another version."""
        version = arrays.get("version")
        if version is None or float(version[0]) != VERSION:
            return None
        return Tables(**{field.name: arrays[field.name] for field in fields(Tables)})


def unit_for(rate: FloatArray, member: Member) -> float:
    """Where a member's compressed scale turns logarithmic: its share of the mean known rate."""
    known = rate[~np.isnan(rate)]
    return max(member.scale * float(known.mean()), LEAST_UNIT) if known.size else LEAST_UNIT


def widening(known_days: float) -> float:
    """Factor on the errors' quantiles while history is short: an hour 2, a day 1.5, a week 1.07, two 1.04.

    2 at most, 1.5 / days^(1/4) under a day, 1 + 0.5 / days from then on.
    """
    if known_days >= 1:
        return 1 + 0.5 / known_days
    return float(min(2.0, 1.5 / max(known_days, 1e-3) ** 0.25))


def stand_in(unit: float, duration_s: float, known_days: float) -> Tables:
    """Tables for traffic of which next to nothing is known: flat at its current level, and wide."""
    offsets = np.outer(UNCERTAIN, DEVIATES) * widening(known_days)
    return Tables(
        unit=np.array([unit]),
        level=np.zeros(1),
        week=np.zeros(WEEK * BINS),
        days=np.zeros(BINS),
        spread=np.ones((1, BINS)),
        follow=np.hstack([FLAT, np.zeros((len(LEADS), 1))])[None],
        offsets=offsets[None],
        share=np.ones((1, *offsets.shape)),
        depths=offsets[:2, 0],
        usual=np.array([[-np.inf, np.inf]]),
        duration_s=np.full(BINS, duration_s),
        slowness=np.array([np.inf, 0.0]),
        known_days=np.array([known_days]),
        highest=np.array([np.inf]),
    )


def windows(surprise: FloatArray, newest: int | None = None) -> FloatArray:
    """Means of the known surprises over each window up to and with each (or the newest) step, shape (..., windows, N).

    A window in which nothing is known takes the next longer one's mean; if none knows anything, 0: as foreseen.
    """
    known = ~np.isnan(surprise)
    nothing = np.zeros((*surprise.shape[:-1], 1))
    total = np.concatenate([nothing, np.cumsum(np.where(known, surprise, 0.0), axis=-1)], axis=-1)
    count = np.concatenate([nothing, np.cumsum(known, axis=-1)], axis=-1)
    steps = surprise.shape[-1]
    ends = np.arange(1 if newest is None else max(1, steps + 1 - newest), steps + 1)
    starts = np.maximum(ends - WINDOWS[:, None], 0)
    within = count[..., None, ends] - count[..., starts]
    sums = total[..., None, ends] - total[..., starts]
    means: FloatArray = np.divide(sums, within, out=np.zeros(within.shape), where=within > 0)
    for nth in range(len(WINDOWS) - 2, -1, -1):
        np.copyto(means[..., nth, :], means[..., nth + 1, :], where=within[..., nth, :] == 0)
    return means
