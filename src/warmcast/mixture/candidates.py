"""Candidates: what each of many simple rules would provision for the minutes that a decision is for. Pure numpy.

A candidate is the capacity that staffs a predicted demand times a headroom. The predictions, for a decision at t whose
capacity serves the five minutes from t + lead time on, from minutes that ended by t - delay:

| family   | predictions                                                                                            |
| -------- | ------------------------------------------------------------------------------------------------------ |
| level    | mean of the last 1, 2, 5, 15, 30, 60, 360 minutes and of the last day                                  |
| reaction | highest minute of the last 3, 10, 30, 120; the last 5 and 15 minutes' change going on                  |
| hour     | the same minutes of the last six hours: their mean, their highest                                      |
| season   | the same time yesterday, a week ago, on the last seven days, on the last two such weekdays             |
| rising   | the season at today's level: times what today's last 5, 60, 240 minutes are of theirs, or plus the gap |
| nothing  | no capacity                                                                                            |

Their headrooms are 0.5 to 2.4, so that every price of a spilled execution finds some near.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from warmcast.mixture.loss import staffed
from warmcast.mixture.past import STEP_MINUTES, STEPS_PER_DAY, known_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from warmcast.mixture.past import Past
    from warmcast.model import FloatArray, IntArray

HEADROOMS = np.array([0.5, 0.75, 0.9, 1.05, 1.25, 1.6, 2.4])

_LEVELS_MIN = (1, 2, 5, 15, 30, 60, 360)
_HIGHEST_MIN = (3, 10, 30, 120)
_WINDOWS_MIN = (*_LEVELS_MIN, 240)
_WEEK = STEPS_PER_DAY * np.arange(1, 8)[:, None]
_FORTNIGHT = 7 * STEPS_PER_DAY * np.arange(1, 3)[:, None]
_HOURS = 12 * np.arange(1, 7)[:, None]
_LEAST_LOAD = 1e-9
_LEAST_SHARE = 0.05  # of the mean load: what a ratio of two levels is steadied by


class Family(StrEnum):
    """What a candidate goes by."""

    LEVEL = "level"
    REACTION = "reaction"
    HOUR = "hour"
    SEASON = "season"
    RISING = "season at today's level"
    NOTHING = "no capacity"


class _Rule(NamedTuple):
    name: str
    family: Family


PREDICTIONS: tuple[_Rule, ...] = (
    *(_Rule(f"last {minutes} min", Family.LEVEL) for minutes in _LEVELS_MIN),
    _Rule("last day", Family.LEVEL),
    *(_Rule(f"highest of {minutes} min", Family.REACTION) for minutes in _HIGHEST_MIN),
    _Rule("change of 5 min going on", Family.REACTION),
    _Rule("change of 15 min going on", Family.REACTION),
    _Rule("mean of six hours", Family.HOUR),
    _Rule("highest of six hours", Family.HOUR),
    _Rule("mean of seven days", Family.SEASON),
    _Rule("highest of seven days", Family.SEASON),
    _Rule("smoothed mean of seven days", Family.SEASON),
    _Rule("yesterday, higher of two", Family.SEASON),
    _Rule("a week ago, higher of two", Family.SEASON),
    _Rule("a week ago", Family.SEASON),
    _Rule("smoothed mean of two weeks", Family.SEASON),
    *(_Rule(f"seven days x last {minutes} min", Family.RISING) for minutes in (5, 60, 240)),
    *(_Rule(f"seven days + last {minutes} min", Family.RISING) for minutes in (5, 60)),
    *(_Rule(f"two weeks x last {minutes} min", Family.RISING) for minutes in (5, 60)),
    *(_Rule(f"two weeks + last {minutes} min", Family.RISING) for minutes in (5, 60)),
)
"""Every prediction, in the order of `predictions`' columns."""

FAMILIES: tuple[Family, ...] = (*(rule.family for _ in HEADROOMS for rule in PREDICTIONS), Family.NOTHING)
"""The family of every candidate, in the order of `candidates`' columns."""

_MEMBERSHIP = np.array([[family is each for each in Family] for family in FAMILIES], dtype=np.float64)


def candidates(predicted: FloatArray) -> FloatArray:
    """Capacities (real) of every candidate, shape (N, C), of predictions (N, P): C = 7 P + 1, the last one 0."""
    units = staffed((predicted[:, None, :] * HEADROOMS[:, None]).reshape(len(predicted), -1))
    return np.concatenate([units, np.zeros((len(predicted), 1))], axis=1)


def predictions(past: Past, tick: IntArray, *, lead_min: int, delay_min: int) -> FloatArray:
    """Predicted load of the five minutes from each tick + lead time on, shape (N, P), from what each tick could see.

    Args:
        past: measured up to the newest tick, or beyond: nothing after tick - delay is looked at.
        tick: minutes since the epoch, ascending.
        lead_min: from a request until READY.
        delay_min: age of the newest minute's end at a tick.
    """
    seen = _Seen(past, tick, lead_min, delay_min)
    table = np.stack([*seen.level(), *seen.reaction(), *seen.hour(), *seen.season(), *seen.rising()], axis=1)
    predicted: FloatArray = np.maximum(np.where(np.isnan(table), seen.last(5)[:, None], table), 0.0)
    return predicted


def by_family(weights: FloatArray, capacities: FloatArray) -> FloatArray:
    """How much each family is believed, and the mean capacity of its candidates as believed, shape (2, K, families).

    Args:
        weights: of each candidate at each shadow price, shape (K, C).
        capacities: of each candidate at one tick, shape (C,).
    """
    believed = weights @ _MEMBERSHIP
    wanted = (weights * capacities) @ _MEMBERSHIP
    return np.stack([believed, np.divide(wanted, believed, out=np.zeros(wanted.shape), where=believed > 0)])


class _Seen:
    """The past as it lies before some ticks."""

    def __init__(self, past: Past, tick: IntArray, lead_min: int, delay_min: int) -> None:
        self._past, self._end = past, tick - delay_min
        self._lead_min = lead_min
        self._step = tick // STEP_MINUTES
        self._first = (tick + lead_min) // STEP_MINUTES  # the first of two steps that the capacity is for
        self._second = ((tick + lead_min) % STEP_MINUTES) / STEP_MINUTES  # how much of them is the second
        self._ahead = self._first - self._step
        self._wall = past.wall_step(tick)

    @cached_property
    def _last(self) -> FloatArray:
        """Means of the last minutes, one row for each of _WINDOWS_MIN."""
        return self._past.last_minutes(self._end, np.array(_WINDOWS_MIN)[:, None])

    def last(self, minutes: int) -> FloatArray:
        """Mean of the last minutes."""
        row: FloatArray = self._last[_WINDOWS_MIN.index(minutes)]
        return row

    def level(self) -> list[FloatArray]:
        """Means of the last minutes, and of the last day (up to the last whole step that has been seen)."""
        return [*(self.last(minutes) for minutes in _LEVELS_MIN), self._past.mean_until(self._step - 1, STEPS_PER_DAY)]

    def reaction(self) -> list[FloatArray]:
        """Highest of the last minutes; and the last change, going on as long as it took to be served."""
        highest = [self._past.highest(self._end, minutes) for minutes in _HIGHEST_MIN]
        five, fifteen = self.last(5), self.last(15)
        windows = np.array([[5], [15]])
        before = self._past.last_minutes(self._end - windows, windows)
        ahead = self._lead_min + 3
        return [*highest, five + ahead / 5 * (five - before[0]), fifteen + (ahead + 4) / 10 * (fifteen - before[1])]

    def hour(self) -> list[FloatArray]:
        """What the same minutes of the last six hours were."""
        first, second = self._past.step_at(self._first - _HOURS), self._past.step_at(self._first + 1 - _HOURS)
        highest = np.fmax.reduce(self._highest(self._past.step_at, self._step - _HOURS))
        return [known_mean(self._between(first, second), axis=0), highest]

    def season(self) -> list[FloatArray]:
        """What the same time of past days and weeks was."""
        first = self._past.season.at(self._wall + self._ahead - _WEEK)
        second = self._past.season.at(self._wall + self._ahead + 1 - _WEEK)
        between, higher = self._between(first, second), self._highest(self._past.season.at, self._wall - _WEEK)
        return [
            known_mean(between, axis=0),
            np.fmax.reduce(higher),
            self._lagged(_WEEK, self._ahead - 2, 6),
            higher[0],
            higher[6],
            between[6],
            self._lagged(_FORTNIGHT, self._ahead - 2, 6),
        ]

    def rising(self) -> list[FloatArray]:
        """The season, times or plus what today's level is to the level at that time then."""
        steady = _LEAST_SHARE * np.nan_to_num(self._past.mean_until(self._step - 1, 14 * STEPS_PER_DAY))
        scaled, shifted = [], []
        for lags, windows in ((_WEEK, (5, 60, 240)), (_FORTNIGHT, (5, 60))):
            then = self._lagged(lags, self._ahead, 2)
            for minutes in windows:
                count = max(2, minutes // STEP_MINUTES)
                before = self._lagged(lags, -count, count)
                now = self.last(minutes)
                scaled.append((then + steady) * (now + steady) / np.maximum(before + steady, _LEAST_LOAD) - steady)
                shifted.append(then + now - before)
        return [*scaled[:3], *shifted[:2], *scaled[3:], *shifted[3:]]

    def _highest(self, load: Callable[[IntArray], FloatArray], own: IntArray) -> FloatArray:
        """Highest step from the tick's own to the last that the capacity is for: what falls, falls at once."""
        last = int(self._ahead.max(initial=0)) + 1
        highest: FloatArray = np.fmax.reduce([load(own + step) for step in range(last + 1)])
        return highest

    def _between(self, first: FloatArray, second: FloatArray) -> FloatArray:
        """The mean over the five minutes: its share of each step."""
        mixed = (1 - self._second) * first + self._second * second
        return np.where(np.isnan(mixed), np.where(np.isnan(first), second, first), mixed)

    def _lagged(self, lags: IntArray, ahead: int | IntArray, count: int) -> FloatArray:
        """Mean over the lags (L, 1) of `count` steps from `ahead` of the tick's own on."""
        return known_mean(self._past.season.mean(self._wall + ahead - lags, count), axis=0)
