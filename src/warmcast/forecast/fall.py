"""A sudden fall of traffic: to under a third of the forecast within ten minutes.

Usually something upstream has failed, and a surge of retries comes when it is back. Found from history alone, each
time anew: what would have been forecast, from each step of the last hour and a half, for the ten minutes after it?
Pure numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from warmcast.forecast.recent import LOOK_BACK_STEPS
from warmcast.forecast.season import BINS
from warmcast.forecast.steps import STEP_S
from warmcast.forecast.tables import DEVIATES, expand

if TYPE_CHECKING:
    import numpy.typing as npt

    from warmcast.forecast.recent import Recent
    from warmcast.model import IntArray

    BoolArray = npt.NDArray[np.bool_]

FALL_HELD_S = 3600
"""How long a fall is remembered: the surge comes within the hour."""

_FALLEN_TO = 1 / 3
_WITHIN = np.array([1, 2])  # steps: ten minutes
_SAME_FALL_STEPS = 6  # low steps at most half an hour apart belong to one fall
_LEAST_EXPECTED = 12.0  # requests in a step: of so many expected, a third or less come by chance once in 500 times


@dataclass(frozen=True, slots=True)
class Fall:
    """A sudden fall within the last hour.

    Args:
        before: index of the step from which to look ahead as before it.
        deep: whether traffic is lower than it ever goes by itself at that time of day, so that no noise explains it.
    """

    before: int
    deep: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Low:
    """Whether traffic was low one and two steps after each origin, each of shape (origins, 2)."""

    fell: BoolArray
    deep: BoolArray


def last_fall(recent: Recent, now_s: int) -> Fall | None:
    """The last fall; None if none began within the last hour."""
    count = len(recent.rate_per_s)
    origins = np.arange(max(0, count - LOOK_BACK_STEPS), count)
    found = _low(recent, origins)
    # Each low step with the earliest origin that it is low for: backwards, so that the earliest is written last.
    low = {int(origins[nth] + _WITHIN[lead]): int(origins[nth]) for nth, lead in np.argwhere(found.fell)[::-1]}
    if not low:
        return None
    first = max(low)
    for step in sorted(low, reverse=True):
        if first - step <= _SAME_FALL_STEPS:
            first = step
    began_s = recent.steps.start + first * STEP_S
    if now_s - (began_s + STEP_S) >= FALL_HELD_S:
        return None
    deep = {int(origins[nth] + _WITHIN[lead]) for nth, lead in np.argwhere(found.deep)}
    return Fall(before=low[first], deep=max(deep, default=-1) >= first)


def _low(recent: Recent, origins: IntArray) -> _Low:
    tables, unit = recent.tables, float(recent.tables.unit[0])
    at = np.minimum(origins[:, None] + _WITHIN, len(recent.rate_per_s))  # the last is the newest two minutes
    expected = recent.expected(origins, _WITHIN)
    bins = np.append(recent.bin_of_week, recent.newest_bin)[at] % BINS
    below = tables.depths * tables.spread[0, bins]
    scatter = np.append(np.zeros(len(recent.rate_per_s)), recent.scatter)[at] * DEVIATES[0]
    lowest = expand(expected - np.hypot(below, scatter), unit)
    median = expand(expected, unit)
    rate = np.append(recent.rate_per_s, recent.newest_rate_per_s)[at]
    within = origins[:, None] + _WITHIN <= len(recent.rate_per_s)
    fell: BoolArray = within & (rate < median * _FALLEN_TO) & (median * STEP_S >= _LEAST_EXPECTED)
    return _Low(fell=fell, deep=fell & (rate < lowest))
