"""CloudWatch Logs: log groups with the REPORT lines that Lambda writes, and Logs Insights queries over them.

A query is answered when it is started; GetQueryResults says Running once and Complete from then on. Everything else of
CloudWatch Logs is moto's, which does not know these log groups.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from localaws import insights
from localaws.insights_words import Instant, Value, unmodelled
from localaws.paging import page
from localaws.wire import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from localaws.insights import Query, Row
    from localaws.wire import Call, Json, Place

OPERATIONS = frozenset({"DescribeLogGroups", "StartQuery", "GetQueryResults", "StopQuery"})
MOST_GROUPS = 50
MOST_RESULTS = 100_000
RESULTS_PAGE = 10_000
EVENT_OVERHEAD_BYTES = 26
_EVENTS_FOR_A_REPORT_BYTES = 120  # the START and END lines that stand beside it
_NAMED = re.compile(r"(?:arn:[^:]+:logs:[^:]+:\d{12}:log-group:)?(?P<name>[^:*]+)(?::\*)?")


@dataclass(frozen=True, slots=True)
class Report:
    """One REPORT line: when it was written (epoch ms), and what it says; `init_ms` NaN where it says nothing of it.

    `billed_ms` is whole milliseconds; `version` and `environment` make up the log stream's name.
    """

    at_ms: float
    duration_ms: float
    billed_ms: float
    init_ms: float
    memory_mb: float
    used_mb: float
    environment: float
    version: str

    def row(self, account: str, group: str) -> Row:
        """The fields that Logs Insights discovers in it; sizes are in bytes, as it counts (1 MB = 1,000,000)."""
        day = datetime.fromtimestamp(self.at_ms / 1000, UTC).strftime("%Y/%m/%d")
        request = str(
            uuid.UUID(int=(int(self.at_ms) << 64) + (int(self.environment) << 32) + int(self.duration_ms * 100))
        )
        found: dict[str, Value] = {
            "@timestamp": Instant(self.at_ms),
            "@message": self.message(request),
            "@log": f"{account}:{group}",
            "@logStream": f"{day}/[{self.version}]{int(self.environment):032x}",
            "@type": "REPORT",
            "@requestId": request,
            "@duration": self.duration_ms,
            "@billedDuration": self.billed_ms,
            "@memorySize": self.memory_mb * 1e6,
            "@maxMemoryUsed": self.used_mb * 1e6,
        }
        return found if np.isnan(self.init_ms) else {**found, "@initDuration": self.init_ms}

    def message(self, request: str) -> str:
        """The line as Lambda writes it."""
        parts = [
            f"REPORT RequestId: {request}",
            f"Duration: {self.duration_ms:.2f} ms",
            f"Billed Duration: {self.billed_ms:.0f} ms",
            f"Memory Size: {self.memory_mb:.0f} MB",
            f"Max Memory Used: {self.used_mb:.0f} MB",
        ]
        if not np.isnan(self.init_ms):
            parts.append(f"Init Duration: {self.init_ms:.2f} ms")
        return "\t".join(parts) + "\t\n"


@dataclass(slots=True)
class _Group:
    name: str
    created: datetime
    retention_days: int
    rows: list[Row] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        return sum(map(_size, self.rows))


@dataclass(slots=True)
class _Asked:
    query: Query
    rows: list[Row]
    statistics: Json
    status: str = "Running"


class LogsApi:
    """The log groups and queries of one place."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._groups: dict[str, _Group] = {}
        self._asked: dict[str, _Asked] = {}
        self._operations: dict[str, Callable[[Json], Json]] = {
            "DescribeLogGroups": self._describe,
            "StartQuery": self._start,
            "GetQueryResults": self._results,
            "StopQuery": self._stop,
        }

    def answer(self, call: Call) -> Json:
        """Carry one of `OPERATIONS` out."""
        return self._operations[call.operation](call.params)

    def load(
        self,
        group: str,
        columns: Mapping[str, npt.NDArray[np.float64]],
        *,
        version: str,
        retention_days: int,
        now: datetime,
    ) -> None:
        """Write REPORT lines into a log group, which is made if it is not there; columns as `Report` names them."""
        held = self._groups.setdefault(group, _Group(group, now, retention_days))
        held.retention_days = retention_days
        for line in zip(*(column.tolist() for column in columns.values()), strict=True):
            said = dict(zip(columns, line, strict=True))
            held.rows.append(Report(version=version, **said).row(self._place.account, group))

    def _describe(self, params: Json) -> Json:
        prefix, pattern = params.get("logGroupNamePrefix", ""), params.get("logGroupNamePattern", "")
        if prefix and pattern:
            raise ApiError(
                "InvalidParameterException",
                "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
            )
        found = [g for name, g in sorted(self._groups.items()) if name.startswith(prefix) and pattern in name]
        part = page(
            [self._described(group) for group in found],
            token=params.get("nextToken", ""),
            size=min(MOST_GROUPS, params.get("limit", MOST_GROUPS)),
        )
        return {"logGroups": part.items, **({"nextToken": part.token} if part.token else {})}

    def _described(self, group: _Group) -> Json:
        arn = self._place.arn("logs", f"log-group:{group.name}")
        kept = {"retentionInDays": group.retention_days} if group.retention_days else {}
        return {
            "logGroupName": group.name,
            "creationTime": int(group.created.timestamp() * 1000),
            **kept,
            "metricFilterCount": 0,
            "arn": f"{arn}:*",
            "logGroupArn": arn,
            "storedBytes": group.bytes,
            "logGroupClass": "STANDARD",
        }

    def _start(self, params: Json) -> Json:
        if params.get("queryLanguage", "CWLI") != "CWLI":
            raise unmodelled(f"the language {params['queryLanguage']}")
        start, end = params["startTime"] * 1000, params["endTime"] * 1000
        if start > end:
            raise ApiError("InvalidParameterException", "End time should not be before start time")
        query = insights.understand(params["queryString"])
        query.limit = min(query.limit, params.get("limit", MOST_RESULTS), MOST_RESULTS)
        groups = [self._group(name) for name in _group_names(params)]
        scanned = [row for group in groups for row in group.rows if start <= float(row["@timestamp"] or 0) <= end]
        found = query.run(scanned)
        number = str(uuid.uuid4())
        self._asked[number] = _Asked(query, found.rows, _statistics(scanned, found.matched, len(groups)))
        return {"queryId": number}

    def _group(self, name: str) -> _Group:
        match = _NAMED.fullmatch(name)
        if match is None or match["name"] not in self._groups:
            message = f"Log group '{name}' does not exist for account ID '{self._place.account}'"
            raise ApiError("ResourceNotFoundException", message)
        return self._groups[match["name"]]

    def _results(self, params: Json) -> Json:
        asked = self._find(params)
        status, asked.status = asked.status, "Complete" if asked.status == "Running" else asked.status
        if status == "Running":
            return {"queryLanguage": "CWLI", "results": [], "statistics": _nothing(), "status": status}
        size = min(RESULTS_PAGE, params.get("maxItems") or RESULTS_PAGE)
        rows = [{"row": _fields(row, asked.query, self._place)} for row in asked.rows]
        part = page(rows if status == "Complete" else [], token=params.get("nextToken", ""), size=size)
        content = {"queryLanguage": "CWLI", "results": [item["row"] for item in part.items]}
        more = {"nextToken": part.token} if part.token else {}
        return {**content, "statistics": asked.statistics, "status": status, **more}

    def _stop(self, params: Json) -> Json:
        asked = self._find(params)
        if asked.status != "Running":
            raise ApiError("InvalidParameterException", "Query is not running and can't be stopped.")
        asked.status = "Cancelled"
        return {"success": True}

    def _find(self, params: Json) -> _Asked:
        if params["queryId"] not in self._asked:
            raise ApiError("ResourceNotFoundException", f"Query ID {params['queryId']} does not exist.")
        return self._asked[params["queryId"]]


def _group_names(params: Json) -> list[str]:
    given = [params[name] for name in ("logGroupName", "logGroupNames", "logGroupIdentifiers") if params.get(name)]
    if len(given) != 1:
        raise ApiError(
            "InvalidParameterException", "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers"
        )
    names = [given[0]] if isinstance(given[0], str) else list(given[0])
    if len(names) > MOST_GROUPS:
        raise ApiError("InvalidParameterException", f"At most {MOST_GROUPS} log groups can be queried")
    return names


def _size(row: Row) -> int:
    return len(str(row["@message"])) + _EVENTS_FOR_A_REPORT_BYTES + 3 * EVENT_OVERHEAD_BYTES


def _statistics(scanned: Sequence[Row], matched: int, groups: int) -> Json:
    return {
        "recordsMatched": float(matched),
        "recordsScanned": float(3 * len(scanned)),
        "bytesScanned": float(sum(map(_size, scanned))),
        "estimatedRecordsSkipped": 0.0,
        "estimatedBytesSkipped": 0.0,
        "logGroupsScanned": float(groups),
    }


def _nothing() -> Json:
    return dict.fromkeys(_statistics([], 0, 0), 0.0)


def _fields(row: Row, query: Query, place: Place) -> list[Json]:
    """A row of results: what is shown and there, as text; a row that is a log record carries its pointer."""
    shown = [{"field": name, "value": _text(row[name])} for name in query.shown if row.get(name) is not None]
    if query.grouping is not None:
        return shown
    return [*shown, {"field": "@ptr", "value": f"{place.account}/{row.get('@requestId')}"}]


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if not isinstance(value, float):
        return str(value)
    if isinstance(value, Instant):
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    return f"{value:.0f}" if value == round(value) else f"{value:.4f}".rstrip("0")
