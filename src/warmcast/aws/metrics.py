"""CloudWatch's GetMetricData as Warmcast needs it: queries in, numbers on a grid of steps out.

The only module that calls CloudWatch. Reads only. Sizes, paging, and what a partial answer means are settled here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np
from botocore.utils import parse_timestamp

from warmcast.aws.answers import translated
from warmcast.errors import AwsError
from warmcast.model.asked import (
    MOST_DATAPOINTS,
    MOST_QUERIES,
    USD_PER_METRIC,
    Answer,
    Completeness,
    Grid,
    Query,
    batches,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from botocore.session import Session
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.literals import StatusCodeType
    from mypy_boto3_cloudwatch.type_defs import (
        GetMetricDataOutputTypeDef,
        MessageDataTypeDef,
        MetricDataQueryTypeDef,
        MetricDataResultTypeDef,
    )

    from warmcast.model import FloatArray

__all__ = [
    "MOST_DATAPOINTS",
    "MOST_QUERIES",
    "USD_PER_METRIC",
    "Answer",
    "Completeness",
    "Grid",
    "Metrics",
    "Query",
    "batches",
    "quick_timestamps",
]

MOST_PAGES: Final = 40
"""A batch fits one page by its size; CloudWatch may still cut it. More pages than this and the answer stays partial."""

MOST_SPLITS: Final = 20
"""How often one `read` may halve a batch that CloudWatch calls invalid: finding one bad query in 500 takes 9."""

_INVALID: Final = frozenset({"ValidationError", "ValidationException", "InvalidParameterValue"})


def _always() -> bool:
    return True


class Metrics:
    """Reads series of AWS/Lambda in batches, and counts what that costs.

    Args:
        client: boto3's.
        page_datapoints: how many datapoints a page may have; a batch is cut so that one page of the most is enough.

    Attributes:
        requested: metrics requested so far. A page counts like a first request: whether CloudWatch charges it again is
            not documented, so this is the upper bound.
    """

    def __init__(self, client: CloudWatchClient, *, page_datapoints: int = MOST_DATAPOINTS) -> None:
        self._client = client
        self._page_datapoints = page_datapoints
        self.requested = 0

    def read(
        self, queries: Sequence[Query], grid: Grid, *, in_time: Callable[[], bool] = _always
    ) -> list[Answer | AwsError | None]:
        """Answer each query, in order: its series, the error that its call met, or None where time was up before.

        One failing call leaves the other batches alone. A batch that CloudWatch calls invalid is halved until the
        query at fault stands alone (at most MOST_SPLITS times); any other failure is that of its whole batch, for
        botocore has retried it already.

        `in_time` is asked before each call, further pages of an answer included: one that is cut short is partial.
        """
        answers: list[Answer | AwsError | None] = [None] * len(queries)
        splits = MOST_SPLITS
        todo = batches(queries, grid)[::-1]
        while todo and in_time():
            batch = todo.pop()
            try:
                answers[batch.start : batch.stop] = self._batch([queries[n] for n in batch], grid, in_time)
            except AwsError as error:
                if error.code in _INVALID and len(batch) > 1 and splits:
                    splits -= 1
                    middle = len(batch) // 2
                    todo += [batch[middle:], batch[:middle]]
                else:
                    answers[batch.start : batch.stop] = [error] * len(batch)
        return answers

    def _batch(self, queries: Sequence[Query], grid: Grid, in_time: Callable[[], bool]) -> list[Answer]:
        series = {f"q{n}": _Series(grid.of(query)) for n, query in enumerate(queries)}
        with translated("GetMetricData"):
            for page in self._pages(_wire(queries, grid), grid, in_time):
                for result in page["MetricDataResults"]:
                    series[result["Id"]].add(result)
                for one in series.values():
                    one.note(page.get("Messages", []))
        return [one.answer() for one in series.values()]

    def _pages(
        self, queries: list[MetricDataQueryTypeDef], grid: Grid, in_time: Callable[[], bool]
    ) -> Iterator[GetMetricDataOutputTypeDef]:
        token = ""
        for _ in range(MOST_PAGES):
            page = self._page(queries, grid, token)
            self.requested += len(queries)
            yield page
            token = page.get("NextToken", "")
            if not token or not in_time():
                return

    def _page(self, queries: list[MetricDataQueryTypeDef], grid: Grid, token: str) -> GetMetricDataOutputTypeDef:
        """One call; newest first, so that what a cut answer lacks is the oldest."""
        start, end = datetime.fromtimestamp(grid.start, UTC), datetime.fromtimestamp(grid.end, UTC)
        if token:
            return self._client.get_metric_data(
                MetricDataQueries=queries,
                StartTime=start,
                EndTime=end,
                ScanBy="TimestampDescending",
                MaxDatapoints=self._page_datapoints,
                NextToken=token,
            )
        return self._client.get_metric_data(
            MetricDataQueries=queries,
            StartTime=start,
            EndTime=end,
            ScanBy="TimestampDescending",
            MaxDatapoints=self._page_datapoints,
        )


def quick_timestamps(session: Session) -> None:
    """Let a botocore session read numeric timestamps directly: a tenth of the time of an answer with 100,800 of them.

    botocore looks each one up in the machine's time zone (7 microseconds a datapoint); this gives the same instants in
    UTC. Other formats go botocore's way. Call it before clients are made.
    """
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_instant)


def _instant(value: float | str) -> datetime:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    instant: datetime = parse_timestamp(value)
    return instant


@dataclass(slots=True, eq=False)
class _Series:
    """One query's answer while its pages come in."""

    grid: Grid
    values: FloatArray = field(init=False)
    completeness: Completeness = Completeness.PARTIAL
    messages: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.values = np.full(len(self.grid), np.nan)

    def add(self, result: MetricDataResultTypeDef) -> None:
        """Merge one page; the last page that names a query tells whether it is complete."""
        at = np.array([instant.timestamp() for instant in result["Timestamps"]], dtype=np.int64)
        step = (at - self.grid.start) // self.grid.step_s
        inside = (step >= 0) & (step < len(self.values))
        self.values[step[inside]] = np.array(result["Values"], dtype=np.float64)[inside]
        self.completeness = _completeness(result["StatusCode"])
        self.note(result.get("Messages", []))

    def note(self, messages: Sequence[MessageDataTypeDef]) -> None:
        """Keep CloudWatch's words, those about the whole call too."""
        self.messages += [f"{message.get('Code', '')}: {message.get('Value', '')}" for message in messages]

    def answer(self) -> Answer:
        """The series as far as its pages told."""
        return Answer(self.values, self.completeness, "; ".join(dict.fromkeys(self.messages)))


def _completeness(word: StatusCodeType) -> Completeness:
    """A word that AWS adds one day counts as partial: nothing may be concluded from what is missing."""
    return Completeness(word) if word in set(Completeness) else Completeness.PARTIAL


def _wire(queries: Sequence[Query], grid: Grid) -> list[MetricDataQueryTypeDef]:
    return [
        {
            "Id": f"q{n}",
            "ReturnData": True,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Lambda",
                    "MetricName": query.metric,
                    "Dimensions": [
                        {"Name": name, "Value": value}
                        for name, value in (
                            ("FunctionName", query.function),
                            ("Resource", query.resource),
                            ("ExecutedVersion", query.executed_version),
                        )
                        if value
                    ],
                },
                "Period": grid.of(query).step_s,
                "Stat": query.statistic,
            },
        }
        for n, query in enumerate(queries)
    ]
