"""What CloudWatch is asked and answers: queries, the grid of steps they are for, answers, what one call may hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warmcast.model.arrays import FloatArray

MOST_QUERIES: Final = 500
MOST_DATAPOINTS: Final = 100_800
"""Limits of one GetMetricData call (API reference: MetricDataQueries, MaxDatapoints)."""

USD_PER_METRIC: Final = 0.01 / 1000
"""What CloudWatch charges for each metric requested by GetMetricData; datapoints are free."""


class Completeness(StrEnum):
    """What CloudWatch says of the answer to one query, in its words."""

    COMPLETE = "Complete"
    PARTIAL = "PartialData"
    INTERNAL_ERROR = "InternalError"
    FORBIDDEN = "Forbidden"


@dataclass(frozen=True, slots=True)
class Query:
    """One series of the namespace AWS/Lambda: a function's qualifier, a whole function, or (neither given) the Region.

    Args:
        resource: the value of the dimension `Resource`: `function:alias` or `function:version`.
        step_s: length of its steps where that is another than its grid's; both fit into the same time. 0: the grid's.
        executed_version: of an alias's invocations, those that this version served (dimension `ExecutedVersion`, which
            has data while the alias routes to two versions: Lambda developer guide, monitoring-metrics-view).
    """

    metric: str
    statistic: str
    function: str = ""
    resource: str = ""
    step_s: int = 0
    executed_version: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """One or more steps: [start, end) in epoch seconds, both multiples of `step_s`, as CloudWatch answers fastest."""

    start: int
    end: int
    step_s: int

    def __post_init__(self) -> None:
        if self.start % self.step_s or self.end % self.step_s or self.end <= self.start:
            raise ValueError(f"not a grid of {self.step_s} s: {self.start} to {self.end}")

    def __len__(self) -> int:
        return (self.end - self.start) // self.step_s

    def of(self, query: Query) -> Grid:
        """The same time in the steps of a query that has its own."""
        return Grid(self.start, self.end, query.step_s) if query.step_s else self


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What CloudWatch knows of one query.

    Args:
        values: one for each step of the query's grid, shape (steps,); NaN where there is no datapoint.
        completeness: only after `COMPLETE` does a missing datapoint mean anything.
        message: CloudWatch's own words, where it had any.
    """

    values: FloatArray
    completeness: Completeness
    message: str = ""

    @property
    def complete(self) -> bool:
        """Whether every datapoint that exists is here."""
        return self.completeness is Completeness.COMPLETE


def batches(queries: Sequence[Query], grid: Grid) -> list[range]:
    """The queries of each call, in order: 500 at most, or as many as stay within 100,800 datapoints; at least one.

    | grid                             | steps  | queries in a call |
    | -------------------------------- | ------ | ----------------- |
    | 15 minutes of 60 s               | 15     | 500               |
    | 3 hours of 60 s                  | 180    | 500               |
    | 14 days of 300 s                 | 4,032  | 25                |
    | 14 days of 60 s                  | 20,160 | 5                 |
    | 14 days, by turns 60 s and 300 s |        | 8                 |
    """
    calls, first, datapoints = [], 0, 0
    for n, query in enumerate(queries):
        steps = len(grid.of(query))
        if n > first and (n - first == MOST_QUERIES or datapoints + steps > MOST_DATAPOINTS):
            calls.append(range(first, n))
            first, datapoints = n, 0
        datapoints += steps
    return [*calls, range(first, len(queries))] if queries else []
