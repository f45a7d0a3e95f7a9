"""Measure: what CloudWatch says of functions and of their aliases, as numbers. Touches only the port `Series`.

    traffic(...)      invocations of every function, a query each: who is worth a closer look
    measure(...)      the usage of each alias or version that is wanted, in steps of five minutes
    by_hour(usage)    the same usage in hours: what a report keeps of it

A missing datapoint means zero where the answer is complete and the step old enough: CloudWatch is 2-3 minutes late, and
an execution is reported when it ends, under the minute in which it began (Lambda developer guide,
monitoring-metrics-view). Otherwise it is not known: NaN, with a note. No refusal of AWS ends a scan here.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from warmcast.errors import AwsError
from warmcast.model.asked import Answer, Grid, Query
from warmcast.scan.found import Usage
from warmcast.scan.standing import Readings, Standing, standing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from warmcast.model import FloatArray
    from warmcast.scan.found import FunctionSeen
    from warmcast.scan.ports import Series

STEP_S: Final = 300
DAY_S: Final = 86_400
HOUR_S: Final = 3600

MOST_DAYS: Final = 63
"""CloudWatch keeps steps of five minutes this long, and answers nothing for a longer time (API reference)."""

LATE_S: Final = 900
"""Younger steps are not settled: CloudWatch's delay, and the longest that a function may run (15 minutes)."""

LATEST: Final = "$LATEST"

Name = tuple[str, str]
"""Function and qualifier."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An alias or version to measure. `$LATEST` stands for the whole function, whatever its callers name."""

    function: FunctionSeen
    qualifier: str

    @property
    def name(self) -> Name:
        """Function and qualifier."""
        return self.function.name, self.qualifier

    @property
    def provisioned(self) -> bool:
        """Whether there is provisioned concurrency, or something that sets it."""
        return self.qualifier in self.function.provisioned or self.qualifier in self.function.scaling


def _always() -> bool:
    return True


# --- which steps -----------------------------------------------------------------------------------------------------


def grid_of(now: datetime, days: int) -> Grid:
    """Steps of five minutes that end 15 minutes ago: whole hours, so many days of them or what CloudWatch keeps.

    Raises:
        ValueError: for no day, or more than 63.
    """
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(
            f"{days} days: at least 1, and at most {MOST_DAYS} for CloudWatch keeps 5-minute data no longer"
        )
    now_s = int(now.timestamp())
    end = (now_s - LATE_S) // STEP_S * STEP_S
    kept_s = end - (now_s - MOST_DAYS * DAY_S) - STEP_S  # a step to spare, for the call comes a little later
    return Grid(end - min(days * DAY_S, kept_s // HOUR_S * HOUR_S), end, STEP_S)


def days_of(now: datetime, days: int) -> Grid:
    """Whole UTC days: so many before today, and today as far as it has come."""
    today = int(now.timestamp()) // DAY_S * DAY_S
    return Grid(today - days * DAY_S, today + DAY_S, DAY_S)


# --- functions as a whole --------------------------------------------------------------------------------------------


def traffic(
    metrics: Series,
    functions: Sequence[str],
    *,
    now: datetime,
    days: int,
    in_time: Callable[[], bool] = _always,
) -> Mapping[str, float]:
    """Invocations of each function over the days, whatever the qualifier; NaN where CloudWatch did not tell.

    One query a function, in whole days, so that 500 of them fill a call.

    Raises:
        AwsError: where not one query was answered.
    """
    queries = [Query("Invocations", "Sum", name) for name in functions]
    answers = metrics.read(queries, days_of(now, days), in_time=in_time)
    refusals = [answer for answer in answers if isinstance(answer, AwsError)]
    if refusals and len(refusals) == len(answers):
        raise refusals[0]
    return {name: total(answer) for name, answer in zip(functions, answers, strict=True)}


def total(answer: Answer | AwsError | None) -> float:
    """The sum of what was reported; NaN unless the answer is complete."""
    return float(np.nansum(answer.values)) if isinstance(answer, Answer) and answer.complete else float("nan")


# --- aliases and versions --------------------------------------------------------------------------------------------

ALWAYS: Final = {
    "invocations": ("Invocations", "Sum"),
    "duration": ("Duration", "Average"),
    "peak": ("ConcurrentExecutions", "Maximum"),
    "throttles": ("Throttles", "Sum"),
}
"""The series of each alias or version, by what they become in its usage: metric and statistic."""

WITH_CAPACITY: Final = {
    "spilled": ("ProvisionedConcurrencySpilloverInvocations", "Sum"),
    "provisioned": ("ProvisionedConcurrentExecutions", "Maximum"),
    "utilization": ("ProvisionedConcurrencyUtilization", "Maximum"),
}
"""Those that it has besides where there is provisioned concurrency."""


def measure(
    metrics: Series,
    wanted: Sequence[Wanted],
    *,
    now: datetime,
    days: int,
    in_time: Callable[[], bool] = _always,
) -> Mapping[Name, Usage]:
    """The usage of each alias or version, by function and qualifier.

    Where AWS refuses a series, or answers it in part, what is missing is NaN; the usage is not complete and says why.

    Args:
        metrics: CloudWatch in the functions' Region.
        wanted: what to measure; some hundred at a time, for each takes 300 KB.
        now: the present instant.
        days: how far back, 63 at the most.
        in_time: asked before each call; once it says no, the rest is not known.
    """
    if not wanted:
        return {}
    grid = grid_of(now, days)
    queries = {query: None for one in wanted for query in queries_of(one).values()}  # what two share is asked once
    answers = dict(zip(queries, metrics.read(list(queries), grid, in_time=in_time), strict=True))
    return {one.name: _usage(one, answers, grid) for one in wanted}


def queries_of(one: Wanted) -> Mapping[str, Query]:
    """The series of an alias or version by what they become: 5, or 8 with provisioned concurrency, and its versions'.

    `of_function` is that of the whole function, which its aliases share; `on VERSION` what an alias with routing
    weights ran on each of its versions.
    """
    function = one.function.name
    resource = "" if one.qualifier == LATEST else f"{function}:{one.qualifier}"
    series = {**ALWAYS, **WITH_CAPACITY} if one.provisioned else ALWAYS
    queries = {name: Query(metric, stat, function, resource) for name, (metric, stat) in series.items()}
    queries["of_function"] = Query("Invocations", "Sum", function)
    for version in _versions(one):
        queries[_on(version)] = Query("Invocations", "Sum", function, resource, executed_version=version)
    return queries


def _versions(one: Wanted) -> tuple[str, ...]:
    """The versions that an alias with routing weights routes to."""
    alias = one.function.aliases.get(one.qualifier)
    return tuple(sorted({alias.version, *alias.weights})) if alias and alias.weights else ()


def _on(version: str) -> str:
    return f"on {version}"


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """What is known of one series: values of shape (N,), NaN where there is no datapoint, and what is wrong with it."""

    values: FloatArray
    trouble: str = ""

    @property
    def settled(self) -> FloatArray:
        """With zeros where it is certain that nothing was reported."""
        return self.values if self.trouble else np.nan_to_num(self.values)

    @property
    def sum(self) -> float:
        return float("nan") if self.trouble else float(np.nansum(self.values))


def _told(answer: Answer | AwsError | None, grid: Grid) -> _Told:
    match answer:
        case Answer():
            return _Told(answer.values, "" if answer.complete else _words(answer))
        case AwsError():
            return _Told(_nothing(grid), str(answer))
        case None:
            return _Told(_nothing(grid), "not read before the scan was stopped")


def _words(answer: Answer) -> str:
    """CloudWatch's message, which often begins with the status that came with it."""
    named = answer.message.startswith(answer.completeness)
    return answer.message if named else f"{answer.completeness} {answer.message}".strip()


def _nothing(grid: Grid) -> FloatArray:
    return np.full(len(grid), np.nan)


def _usage(one: Wanted, answers: Mapping[Query, Answer | AwsError | None], grid: Grid) -> Usage:
    queries = queries_of(one)
    told = {name: _told(answers[query], grid) for name, query in queries.items()}
    note = _note({name: each.trouble for name, each in told.items() if each.trouble}, queries)
    stood = _stood(one, told, grid)
    return Usage(
        start=grid.start,
        step_s=grid.step_s,
        invocations=told["invocations"].settled,
        duration_s=told["duration"].values / 1000,
        peak=told["peak"].values,
        throttles=told["throttles"].settled,
        spilled=told["spilled"].settled if one.provisioned else _nothing(grid),
        provisioned=told["provisioned"].values if one.provisioned else _nothing(grid),
        utilization=told["utilization"].values if one.provisioned else _nothing(grid),
        capacity=stood.capacity,
        certain=stood.certain,
        of_function=told["of_function"].sum,
        by_version={version: _last_day(told[_on(version)], grid) for version in _versions(one)},
        complete=not note,
        note=note,
    )


def _stood(one: Wanted, told: Mapping[str, _Told], grid: Grid) -> Standing:
    """What stood there, by what stands now, what set it, and what was reported of it."""
    function = one.function
    now, scaling = function.provisioned.get(one.qualifier), function.scaling.get(one.qualifier)
    missing = _Told(_nothing(grid), "not asked for")
    reported = {name: told.get(name, missing) for name in WITH_CAPACITY}
    readings = Readings(
        invocations=told["invocations"].settled,
        in_use=reported["provisioned"].values,
        utilization=reported["utilization"].values,
        spilled=reported["spilled"].values,
        complete=not any(each.trouble for each in reported.values()),
    )
    known_now = now is not None or not function.unread
    activities = scaling.activities if scaling else ()
    return standing(grid, readings, now=now, known_now=known_now, activities=activities)


def _last_day(told: _Told, grid: Grid) -> float:
    return replace(told, values=told.values[-(DAY_S // grid.step_s) :]).sum


def _note(troubles: Mapping[str, str], queries: Mapping[str, Query]) -> str:
    """Which metrics are not known or not whole, by what AWS said of them; empty: all are."""
    metrics: dict[str, list[str]] = defaultdict(list)
    for name, trouble in troubles.items():
        metrics[trouble].append(queries[name].metric)
    return "; ".join(f"{', '.join(dict.fromkeys(names))}: {trouble}" for trouble, names in metrics.items())


# --- less of it ------------------------------------------------------------------------------------------------------


def by_hour(usage: Usage) -> Usage:
    """The usage in steps of an hour from its start, a twelfth of the memory: what a chart shows.

    Sums add up, peaks stay peaks, durations are weighted by invocations, capacity is the mean. A sum of which a part is
    not known is not known.
    """
    if usage.step_s != STEP_S:
        return usage
    weights = np.nan_to_num(usage.invocations)
    executed_s = _hours(usage.duration_s * weights)
    counted = _hours(np.where(np.isnan(usage.duration_s), 0.0, weights)).sum(axis=1)
    return replace(
        usage,
        step_s=HOUR_S,
        invocations=_hours(usage.invocations).sum(axis=1),
        duration_s=np.divide(
            np.nansum(executed_s, axis=1), counted, out=np.full(len(counted), np.nan), where=counted > 0
        ),
        peak=_most(usage.peak),
        throttles=_hours(usage.throttles).sum(axis=1),
        spilled=_hours(usage.spilled).sum(axis=1),
        provisioned=_most(usage.provisioned),
        utilization=_most(usage.utilization),
        capacity=_mean(usage.capacity),
        certain=_mean(usage.certain),
    )


def _hours(values: FloatArray) -> FloatArray:
    """In rows of an hour."""
    return values.reshape(-1, HOUR_S // STEP_S)


def _most(values: FloatArray) -> FloatArray:
    most: FloatArray = np.fmax.reduce(_hours(values), axis=1)
    return most


def _mean(values: FloatArray) -> FloatArray:
    """Mean of what is known in each hour, NaN where nothing is."""
    hours = _hours(values)
    known = np.sum(~np.isnan(hours), axis=1)
    mean: FloatArray = np.divide(np.nansum(hours, axis=1), known, out=np.full(len(hours), np.nan), where=known > 0)
    return mean
