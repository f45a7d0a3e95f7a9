"""A CloudWatch in memory for the tests of a scan: what each series holds, and what AWS says of those it refuses."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from warmcast.errors import AwsError
from warmcast.model.asked import Answer, Completeness, Grid, Query, batches

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

DENIED = AwsError("AccessDenied", "not authorized to perform: cloudwatch:GetMetricData", "GetMetricData")


@dataclass
class FakeSeries:
    """Implements `Series`; a series that nobody gave has no datapoint, and is complete.

    Args:
        values: by query, whatever its step: the newest steps of the answer, or one number for all of them.
        fates: completeness, or the error of the call, by metric's name.
    """

    values: dict[Query, npt.ArrayLike] = field(default_factory=dict)
    fates: dict[str, Completeness | AwsError] = field(default_factory=dict)
    requested: int = 0
    asked: list[Query] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)

    def give(
        self,
        metric: str,
        values: npt.ArrayLike,
        *,
        function: str = "checkout-api",
        resource: str = "",
        version: str = "",
    ) -> None:
        """Let a series hold the newest values, NaN for no datapoint."""
        self.values[Query(metric, "", function, resource, executed_version=version)] = values

    def read(
        self, queries: Sequence[Query], grid: Grid, *, in_time: Callable[[], bool] = lambda: True
    ) -> list[Answer | AwsError | None]:
        """Answer in the batches that the real client would make."""
        answers: list[Answer | AwsError | None] = [None] * len(queries)
        for batch in batches(queries, grid):
            if not in_time():
                break
            self.requested += len(batch)
            self.grids.append(grid)
            self.asked += [queries[n] for n in batch]
            answers[batch.start : batch.stop] = [self._answer(queries[n], grid) for n in batch]
        return answers

    def _answer(self, query: Query, grid: Grid) -> Answer | AwsError:
        fate = self.fates.get(query.metric, Completeness.COMPLETE)
        if isinstance(fate, AwsError):
            return fate
        values = np.full(len(grid), np.nan)
        given = np.atleast_1d(np.asarray(self.values.get(replace(query, statistic=""), []), dtype=np.float64))
        if given.size and fate not in {Completeness.FORBIDDEN, Completeness.INTERNAL_ERROR}:
            given = np.full(len(grid), given[0]) if given.size == 1 else given[-len(grid) :]
            values[len(grid) - given.size :] = given
        return Answer(values, fate)
