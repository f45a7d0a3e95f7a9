"""Standing: how much provisioned concurrency stood in each step, as far as it can be told. Pure.

CloudWatch has no metric of it: what Lambda reports is what was in use, and only while something ran (Lambda developer
guide, monitoring-concurrency). Four things tell it. Where they disagree in a step, the first of them holds:

1. **What stands now**: from when it was last set (`LastModified`) to the end. Of a config that is gone, only that there
   is none now.
2. **Scaling activities**: the capacity that one names holds until the next activity, unless CloudWatch contradicts it
   before that (someone else set it then): from there on it tells nothing.
3. **CloudWatch**: the most in use over the highest utilization, where exactly one whole number explains both. An alias
   that ran although nothing of provisioned concurrency was reported had none: an invocation uses it or spills over.
4. Nothing: the step before it is carried over, and before the first that is told, the first. Not certain.

Reported of an alias with 4 in use, and of one that ran:

| in use | utilization     | explained by          | told                                   |
| ------ | --------------- | --------------------- | -------------------------------------- |
| 4      | 0.4             | 9.99 to 10.01         | 10                                     |
| 4      | 0.057           | 69.6 to 70.8          | 70                                     |
| 4      | 0.0066          | 563 to 656            | nothing: too little in use to tell     |
| 4      | 0.3             | 13.31 to 13.36        | nothing: it changed within the step    |
| none   | none (it ran)   |                       | 0                                      |
| none   | none (idle)     |                       | nothing                                |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from warmcast.model import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warmcast.model import Capacity, FloatArray, IntArray
    from warmcast.model.asked import Grid
    from warmcast.scan.found import Activity

DECIMALS: Final = range(3, 9)
"""Utilization is taken to be right to three decimals, or to as many as any value of its series has. AWS does not say;
coarser ones mostly explain no whole number."""

HALF: Final = 0.51
"""Of the last decimal: how far a rounded value may be off, and a little for the last bits of both."""

SETTLING_S: Final = 900
"""After a change the metrics may still show the capacity before it: until it is READY nothing new can be used (a minute
or two of preparation: Lambda developer guide, lambda-concurrency)."""

CARRIED_OUT: Final = frozenset({"Successful", "InProgress"})
"""Statuses of an activity whose capacity Lambda was asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """What CloudWatch reported, arrays of shape (N,); NaN where there is no datapoint.

    Args:
        invocations: 0 where it is certain that none were.
        in_use: Maximum(ProvisionedConcurrentExecutions).
        utilization: Maximum(ProvisionedConcurrencyUtilization), a fraction.
        spilled: Sum(ProvisionedConcurrencySpilloverInvocations).
        complete: whether a missing datapoint of the last three means that none exists.
    """

    invocations: FloatArray
    in_use: FloatArray
    utilization: FloatArray
    spilled: FloatArray
    complete: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Provisioned concurrency of each step, shape (N,): NaN where nothing at all tells it; `certain` is 1 or 0."""

    capacity: FloatArray
    certain: FloatArray


def standing(
    grid: Grid, readings: Readings, *, now: Capacity | None, known_now: bool = True, activities: Sequence[Activity] = ()
) -> Standing:
    """How much stood in each step of the grid, by the rules above.

    Args:
        grid: the steps.
        readings: what CloudWatch reported.
        now: what stands now; None: no config.
        known_now: whether `now` could be read.
        activities: of Application Auto Scaling, in any order.
    """
    return stood(grid, reported(readings), now=now, known_now=known_now, activities=activities)


def stood(
    grid: Grid, read: FloatArray, *, now: Capacity | None, known_now: bool = True, activities: Sequence[Activity] = ()
) -> Standing:
    """The same where the readings were taken in steps of other lengths: `read` is what they told, NaN where nothing.

    The grid has to end now: what stands there now is told of its last step.
    """
    told = _first(_since_set(grid, now, known=known_now), _first(_activities(grid, activities, read), read))
    return Standing(capacity=_carried(told), certain=(~np.isnan(told)).astype(np.float64))


def reported(readings: Readings) -> FloatArray:
    """The capacity that CloudWatch's metrics tell on their own, NaN where they don't, shape (N,)."""
    told = _quotient(readings.in_use, readings.utilization)
    told = np.where(_between_neighbours(told), np.nan, told)
    if not readings.complete:
        return told
    silent = np.isnan(readings.in_use) & np.isnan(readings.utilization) & np.isnan(readings.spilled)
    return np.where(silent & (readings.invocations > 0), 0.0, told)


def _quotient(in_use: FloatArray, utilization: FloatArray) -> FloatArray:
    """The one whole number of units of which `in_use` are the utilization; NaN where there is none, or several."""
    precision = _precision(utilization)
    known = (in_use > 0) & (utilization > precision)
    most = np.floor(np.divide(in_use, utilization - precision, out=np.full(len(in_use), np.nan), where=known))
    least = np.ceil(np.divide(in_use, utilization + precision, out=np.full(len(in_use), np.nan), where=known))
    units: FloatArray = np.where(most == least, most, np.nan)
    return units


def _precision(utilization: FloatArray) -> float:
    """How far a value may be off: a series that says 0.3333333 is not rounded to thousandths."""
    values = utilization[~np.isnan(utilization)]
    for decimals in DECIMALS:
        scaled = values * 10**decimals
        if np.allclose(scaled, np.rint(scaled), rtol=0, atol=1e-6):
            break
    return HALF * 10.0**-decimals


def _between_neighbours(told: FloatArray) -> FloatArray:
    """Where a step lies between neighbours that differ from each other and from it: it changed within the step.

    Most in use and highest utilization then belong to different minutes: of 10 units and then 20, 12 in use and 0.9.
    """
    before, after = np.concatenate([[np.nan], told[:-1]]), np.concatenate([told[1:], [np.nan]])
    known = ~np.isnan(before) & ~np.isnan(after) & ~np.isnan(told)
    odd: FloatArray = known & (before != after) & (told != before) & (told != after)
    return odd


def _since_set(grid: Grid, now: Capacity | None, *, known: bool) -> FloatArray:
    """What stands now, from the step in which it was set; only in the last where that is not known."""
    told = np.full(len(grid), np.nan)
    if not known:
        return told
    first = len(grid) - 1
    if now is not None and now.last_modified is not None:
        first = min(max(0, (int(now.last_modified.timestamp()) - grid.start) // grid.step_s), first)
    told[first:] = _units(now)
    return told


def _units(now: Capacity | None) -> int:
    """A request counts from its beginning, for AWS bills it from then; one that failed has what it got."""
    if now is None:
        return 0
    return now.allocated if now.status is Status.FAILED else now.requested


def _activities(grid: Grid, activities: Sequence[Activity], read: FloatArray) -> FloatArray:
    """What scaling activities tell, each until the next or until the readings contradict it."""
    named = sorted((a.at.timestamp(), a.capacity) for a in activities if a.capacity is not None and _carried_out(a))
    told = np.full(len(grid), np.nan)
    steps = [int(at - grid.start) // grid.step_s for at, _ in named]
    for (_, units), step, until in zip(named, steps, [*steps, len(grid)][1:], strict=True):
        first, last = max(0, step), min(len(grid), max(until, step + 1))
        if first < last:
            settling = step + _settling(grid) - first
            told[first : first + _uncontradicted(read[first:last], units, settling=settling)] = units
    return told


def _carried_out(activity: Activity) -> bool:
    return activity.status in CARRIED_OUT


def _settling(grid: Grid) -> int:
    """For how many steps after a change, its own included, readings may still be of what stood before."""
    return 1 + -(-SETTLING_S // grid.step_s)


def _uncontradicted(read: FloatArray, units: int, *, settling: int) -> int:
    """For how many steps readings agree with a capacity, or say nothing."""
    against = ~np.isnan(read) & (read != units)
    against[: max(0, settling)] = False
    steps: IntArray = np.flatnonzero(against)
    return int(steps[0]) if len(steps) else len(read)


def _first(preferred: FloatArray, otherwise: FloatArray) -> FloatArray:
    chosen: FloatArray = np.where(np.isnan(preferred), otherwise, preferred)
    return chosen


def _carried(told: FloatArray) -> FloatArray:
    """What is told, each value until the next; the first one backwards too."""
    known = np.flatnonzero(~np.isnan(told))
    if not len(known):
        return told
    newest = np.maximum.accumulate(np.where(np.isnan(told), known[0], np.arange(len(told))))
    carried: FloatArray = told[newest]
    return carried
