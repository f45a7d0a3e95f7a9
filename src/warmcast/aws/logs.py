"""CloudWatch Logs as Warmcast needs it: the size of a log group, and Logs Insights over Lambda's report lines.

The only module that calls CloudWatch Logs. Reads only: StartQuery and StopQuery begin and end a read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from warmcast.aws.answers import translated
from warmcast.coldlogs import BIN_S, InitLine, LogGroup, ReportCount
from warmcast.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import GetQueryResultsResponseTypeDef, ResultFieldTypeDef

    from warmcast.aws.throttle import Clock

MOST_ROWS: Final = 10_000
"""Rows that one query may answer. AWS says nothing of those it leaves out: as many as this means there may be more."""

COUNTS: Final = """\
filter @type = "REPORT" or type = "platform.report"
| parse @logStream "[*]" as version
| stats count(*) as reports by version, bin(5m)
| limit 10000"""
"""Invocations of each version in each five minutes: Lambda writes one report for each.

A stream's name has the version in brackets: `2026/11/21/[3]0f3c...`, in a log group of one's own choice
`2026/11/21/checkout-api[3][0f3c...]` (docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html).
`@type` is what Logs Insights discovers in Lambda's text lines, `type` the field of its JSON lines.
"""

INITS: Final = """\
fields @timestamp, @logStream, @message
| filter @type = "REPORT" or type = "platform.report" or type = "platform.initStart"
| filter @message like /Init Duration|Restore Duration|initDurationMs|restoreDurationMs|platform.initStart/
| sort @timestamp asc
| limit 10000"""
"""The reports that tell of an initialisation or a restore, whole: `warmcast.coldlogs` reads their text."""

_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 5.0
_PATIENCE_S: Final = 900.0
_UNFINISHED: Final = frozenset({"Scheduled", "Running"})

_Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in epoch seconds; as AWS reads it, both ends belong to it."""

    start: int
    end: int

    def halves(self, step_s: int) -> tuple[Span, Span] | None:
        """The two halves, which meet at a multiple of `step_s`; None where it is too short to be cut there.

        Both contain that second, so that no line falls between them whatever AWS makes of its fractions.
        """
        middle = (self.start + self.end) // 2 // step_s * step_s
        return (Span(self.start, middle), Span(middle, self.end)) if self.start < middle < self.end else None


class Logs:
    """Reads Lambda's log groups by Logs Insights, and counts what that costs; each call raises AwsError.

    Attributes:
        scanned_bytes: read by queries so far, as AWS counts it for the bill.
        cut: whether AWS had more rows for some time than it gives, however short that time.
    """

    def __init__(self, client: CloudWatchLogsClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self.scanned_bytes = 0
        self.cut = False

    def group(self, name: str) -> LogGroup | None:
        """A log group's size and retention; None where there is no such group."""
        with translated("DescribeLogGroups"):
            pages = self._client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
            for found in (each for page in pages for each in page["logGroups"]):
                if found["logGroupName"] == name:
                    return LogGroup(
                        name=name,
                        stored_bytes=found.get("storedBytes", 0),
                        retention_days=found.get("retentionInDays"),
                        created=_from_epoch_ms(found["creationTime"]),
                        infrequent=found.get("logGroupClass", "STANDARD") != "STANDARD",
                    )
        return None

    def counts(self, group: str, span: Span, *, function: str = "") -> list[ReportCount]:
        """Reports of each version in each five minutes, oldest first; `function` where others write there too."""
        counted: dict[tuple[str, str], int] = {}
        for row in self._rows(group, _of_function(COUNTS, function), span, BIN_S):
            key = (row.get("version", ""), row["bin(5m)"])
            counted[key] = max(counted.get(key, 0), int(float(row["reports"])))  # a bin that two spans share
        found = [ReportCount(version, _instant(at), reports) for (version, at), reports in counted.items()]
        return sorted(found, key=lambda each: (each.at, each.version))

    def inits(self, group: str, span: Span, *, function: str = "") -> list[InitLine]:
        """The report lines that tell of an initialisation or a restore, oldest first; `function` as above."""
        lines = {
            row.get("@ptr") or f"{row['@timestamp']} {row['@message']}": InitLine(
                _instant(row["@timestamp"]), row["@logStream"], row["@message"]
            )
            for row in self._rows(group, _of_function(INITS, function), span, 1)
        }
        return sorted(lines.values(), key=lambda line: line.at)

    def _rows(self, group: str, query: str, span: Span, step_s: int) -> Iterator[_Row]:
        """Rows of a query; a span that has more of them than AWS gives is cut in two, and each half asked again."""
        rows = self._ask(group, query, span)
        halves = span.halves(step_s) if len(rows) >= MOST_ROWS else None
        if halves is None:
            self.cut = self.cut or len(rows) >= MOST_ROWS
            yield from rows
            return
        for half in halves:
            yield from self._rows(group, query, half, step_s)

    def _ask(self, group: str, query: str, span: Span) -> list[_Row]:
        """One query to its end; one that is given up, for whatever reason, is stopped and not paid any further."""
        query_id = self._start(group, query, span)
        ended = False
        try:
            answer = self._finished(query_id)
            ended = True
        finally:
            if not ended:
                self._stop(query_id)
        self.scanned_bytes += int(answer.get("statistics", {}).get("bytesScanned", 0))
        with translated("GetQueryResults"):
            rows = [_row(fields) for fields in answer["results"]]
            while token := answer.get("nextToken"):
                answer = self._client.get_query_results(queryId=query_id, nextToken=token)
                rows += [_row(fields) for fields in answer["results"]]
        return rows

    def _start(self, group: str, query: str, span: Span) -> str:
        """Begin a query; where others run all 100 that an account may have at once, botocore waits and tries again."""
        with translated("StartQuery"):
            begun = self._client.start_query(
                logGroupName=group, startTime=span.start, endTime=span.end, queryString=query, limit=MOST_ROWS
            )
            return begun["queryId"]

    def _finished(self, query_id: str) -> GetQueryResultsResponseTypeDef:
        """Wait for a query's end; AwsError `Query...` where it did not end well."""
        wait_s, waited_s = _FIRST_WAIT_S, 0.0
        while True:
            with translated("GetQueryResults"):
                answer = self._client.get_query_results(queryId=query_id)
                status = answer["status"]
            if status == "Complete":
                return answer
            if status not in _UNFINISHED or waited_s > _PATIENCE_S:
                words = "gave no answer in 15 minutes" if status in _UNFINISHED else f"ended as {status}"
                raise AwsError(f"Query{status}", f"the query {words}; ask for fewer days", "GetQueryResults")
            self._clock.sleep(wait_s)
            waited_s += wait_s
            wait_s = min(wait_s * 1.5, _LONGEST_WAIT_S)

    def _stop(self, query_id: str) -> None:
        """Stop a query that nobody waits for any more; whether that works changes nothing for the caller."""
        try:
            with translated("StopQuery"):
                self._client.stop_query(queryId=query_id)
        except AwsError:
            return


def _of_function(query: str, function: str) -> str:
    """The query, for the streams of one function where a log group has those of several."""
    return f'filter @logStream like "{function}["\n| {query}' if function else query


def _row(fields: list[ResultFieldTypeDef]) -> _Row:
    return {field["field"]: field["value"] for field in fields if "field" in field and "value" in field}


def _instant(text: str) -> datetime:
    """`2026-11-21 08:05:00.000`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _from_epoch_ms(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
