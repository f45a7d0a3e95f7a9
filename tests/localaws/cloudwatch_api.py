"""CloudWatch's metric operations as an API, over the store of `metrics`; alarms and dashboards are moto's.

Limits and rules: botocore's model of GetMetricData, docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/
cloudwatch_limits.html. Metric math is refused: nothing that we build asks for it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from localaws.metrics import (
    NO_POINTS,
    STATISTICS,
    MetricStore,
    Minutes,
    Points,
    Sample,
    SeriesKey,
    kept_since,
    visible_until,
)
from localaws.paging import page
from localaws.wire import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from localaws.wire import Call, Json

MOST_QUERIES = 500
MOST_DATAPOINTS = 100_800
OPERATIONS = frozenset({"PutMetricData", "GetMetricData", "GetMetricStatistics", "ListMetrics"})
_QUERY_ID = re.compile(r"[a-z][A-Za-z0-9_]{0,254}")
_STATUSES = frozenset({"InternalError", "PartialData", "Forbidden"})


@dataclass(frozen=True, slots=True)
class Affliction:
    """A status that GetMetricData gives instead of Complete, for every series that carries these dimensions.

    Args:
        status: InternalError and Forbidden give no values, PartialData half of them.
        name: only this metric; None: all.
    """

    status: str
    dimensions: tuple[tuple[str, str], ...]
    name: str | None = None

    def strikes(self, key: SeriesKey) -> bool:
        """Whether it applies to a series."""
        return self.name in {None, key.name} and set(self.dimensions) <= set(key.dimensions)


@dataclass(frozen=True, slots=True)
class _Query:
    id: str
    key: SeriesKey
    statistic: str
    period: int
    label: str


class CloudWatchApi:
    """The metric operations of one place.

    Args:
        store: the series.
        delay_s: minutes newer than now less this can't be seen yet.
    """

    def __init__(self, store: MetricStore, delay_s: float = 120.0) -> None:
        self.store = store
        self.delay_s = delay_s
        self._afflictions: list[Affliction] = []

    def afflict(self, affliction: Affliction) -> None:
        """Let series come back with another status from now on."""
        if affliction.status not in _STATUSES:
            raise ValueError(f"no such status: {affliction.status}; one of {', '.join(sorted(_STATUSES))}")
        self._afflictions.append(affliction)

    def heal(self) -> None:
        """Let every series come back Complete again."""
        self._afflictions.clear()

    def answer(self, call: Call) -> Json:
        """Carry an operation out at the call's instant."""
        if "Action" in call.params:
            raise ApiError(
                "UnsupportedProtocol", "the local AWS reads CloudWatch's metric calls in the JSON protocol only"
            )
        self.store.settle(call.at)
        match call.operation:
            case "PutMetricData":
                return self._put(call.params, call.at)
            case "GetMetricData":
                return self._get(call.params, call.at)
            case "GetMetricStatistics":
                return self._statistics(call.params, call.at)
            case "ListMetrics":
                return self._list(call.params, call.at)
            case other:
                raise ApiError("NotImplemented", f"the local AWS does not model cloudwatch:{other}", status=501)

    # --- writing -----------------------------------------------------------------------------------------------

    def _put(self, params: Json, now: datetime) -> Json:
        for datum in params.get("MetricData", []):
            key = SeriesKey.of(params["Namespace"], datum["MetricName"], _dimensions(datum.get("Dimensions")))
            minute = int(_epoch(datum.get("Timestamp", now.timestamp()))) // 60
            for sample in _samples(datum):
                self.store.add(key, minute, sample)
        return {}

    # --- reading -----------------------------------------------------------------------------------------------

    def _get(self, params: Json, now: datetime) -> Json:
        """One page: series after series until it is full; the series that is cut goes on on the next page."""
        queries, digest = _queries(params), _digest(params)
        cursor = _cursor(params.get("NextToken"), digest)
        left = int(params.get("MaxDatapoints", MOST_DATAPOINTS))
        results: list[Json] = []
        while cursor.query < len(queries) and left:
            query = queries[cursor.query]
            points, status = self._read(query, params, now)
            part = points.part(cursor.done, cursor.done + left)
            left -= len(part.at)
            done = cursor.done + len(part.at)
            whole = done == len(points.at)
            results.append(_result(query, part, status if whole else "PartialData"))
            cursor = _Cursor(cursor.query + 1, 0) if whole else _Cursor(cursor.query, done)
        content: Json = {"MetricDataResults": results, "Messages": []}
        return {**content, "NextToken": _token(digest, cursor)} if cursor.query < len(queries) else content

    def _read(self, query: _Query, params: Json, now: datetime) -> tuple[Points, str]:
        points = self._visible(query, _epoch(params["StartTime"]), _epoch(params["EndTime"]), now)
        if params.get("ScanBy", "TimestampDescending") == "TimestampDescending":
            points = Points(points.at[::-1], points.values[::-1])
        status = next((a.status for a in self._afflictions if a.strikes(query.key)), "Complete")
        if status == "Complete":
            return points, status
        return points.part(0, len(points.at) // 2 if status == "PartialData" else 0), status

    def _visible(self, query: _Query, start: float, end: float, now: datetime) -> Points:
        """What can be seen of a series: nothing at all where the start is older than what the period keeps."""
        if start < kept_since(now, query.period):
            return NO_POINTS
        first = int(start // query.period) * query.period
        last = min(-(-int(end) // query.period) * query.period, visible_until(now, self.delay_s))
        return self.store.read(query.key, query.statistic, start=first, end=last, period=query.period)

    def _statistics(self, params: Json, now: datetime) -> Json:
        key = SeriesKey.of(params["Namespace"], params["MetricName"], _dimensions(params.get("Dimensions")))
        start, end, period = _epoch(params["StartTime"]), _epoch(params["EndTime"]), int(params["Period"])
        by_time: dict[int, Json] = {}
        for statistic in params.get("Statistics", []):
            query = _Query("s", key, _statistic(statistic), _period(period), "")
            points = self._visible(query, start, end, now)
            for at, value in zip(points.at.tolist(), points.values.tolist(), strict=True):
                by_time.setdefault(at, {"Timestamp": at, "Unit": "None"})[statistic] = value
        if len(by_time) > 1440:
            message = f"You have requested up to {len(by_time)} datapoints, which exceeds the limit of 1440."
            raise ApiError("InvalidParameterCombination", message)
        return {"Label": params["MetricName"], "Datapoints": list(by_time.values())}

    def _list(self, params: Json, now: datetime) -> Json:
        oldest = int(now.timestamp()) // 60 - (180 if params.get("RecentlyActive") == "PT3H" else 14 * 24 * 60)
        found = [key for key in self.store if _fits(key, params) and (self.store.newest(key) or 0) >= oldest]
        metrics = [
            {
                "Namespace": key.namespace,
                "MetricName": key.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in key.dimensions],
            }
            for key in found
        ]
        part = page(metrics, token=params.get("NextToken", ""), size=500)
        return {"Metrics": part.items, **({"NextToken": part.token} if part.token else {})}


def load_bulk(store: MetricStore, namespace: str, series: Sequence[Json], arrays: Mapping[str, np.ndarray]) -> None:
    """Write many series at once.

    Args:
        store: where to.
        namespace: of all of them.
        series: `{"name", "dimensions", "start": epoch seconds}`, and for each part of `Minutes` the name of its array.
        arrays: by name, one value a minute, NaN for none; two parts may name the same array.
    """
    copies = {name: np.array(array, dtype=np.float64) for name, array in arrays.items()}
    for entry in series:
        key = SeriesKey.of(namespace, entry["name"], entry["dimensions"])
        parts = {part: copies[entry[part]] for part in ("sum", "count", "minimum", "maximum") if part in entry}
        store.load(key, Minutes(int(entry["start"]) // 60, **parts))


@dataclass(frozen=True, slots=True)
class _Cursor:
    query: int
    done: int


def _token(digest: str, cursor: _Cursor) -> str:
    return base64.urlsafe_b64encode(json.dumps([digest, cursor.query, cursor.done]).encode()).decode()


def _cursor(token: str | None, digest: str) -> _Cursor:
    if not token:
        return _Cursor(0, 0)
    try:
        of, query, done = json.loads(base64.urlsafe_b64decode(token))
    except ValueError as error:
        raise ApiError("InvalidNextToken", "The next token specified is invalid.") from error
    if of != digest:
        raise ApiError("InvalidNextToken", "The next token specified is invalid.")
    return _Cursor(query, done)


def _digest(params: Json) -> str:
    request = {name: value for name, value in params.items() if name not in {"NextToken", "MaxDatapoints"}}
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:16]


def _queries(params: Json) -> list[_Query]:
    given = params.get("MetricDataQueries", [])
    if len(given) > MOST_QUERIES:
        message = f"The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}."
        raise ApiError("ValidationError", message)
    if _epoch(params["StartTime"]) >= _epoch(params["EndTime"]):
        message = "The parameter StartTime must be less than the parameter EndTime."
        raise ApiError("ValidationError", message)
    most = int(params.get("MaxDatapoints", MOST_DATAPOINTS))
    if not 0 < most <= MOST_DATAPOINTS:
        raise ApiError("ValidationError", f"The parameter MaxDatapoints must be between 1 and {MOST_DATAPOINTS}.")
    queries = [_query(query) for query in given]
    if len({query.id for query in queries}) < len(queries):
        raise ApiError("ValidationError", "The values for parameter id in MetricDataQueries are not unique.")
    return queries


def _query(given: Json) -> _Query:
    if _QUERY_ID.fullmatch(given.get("Id", "")) is None:
        message = f"The value {given.get('Id')} for parameter Id must start with a lowercase letter."
        raise ApiError("ValidationError", message)
    if "MetricStat" not in given or given.get("ReturnData") is False:
        raise ApiError(
            "ValidationError", "the local AWS does not model metric math: a query needs a MetricStat and its data"
        )
    stat = given["MetricStat"]
    metric = stat["Metric"]
    key = SeriesKey.of(metric["Namespace"], metric["MetricName"], _dimensions(metric.get("Dimensions")))
    return _Query(given["Id"], key, _statistic(stat["Stat"]), _period(stat["Period"]), given.get("Label", key.name))


def _statistic(name: str) -> str:
    if name not in STATISTICS:
        raise ApiError("ValidationError", f"the local AWS does not model the statistic {name}: {', '.join(STATISTICS)}")
    return name


def _period(seconds: int) -> int:
    if seconds < 60 or seconds % 60:
        raise ApiError("ValidationError", f"The value {seconds} for parameter Period must be a multiple of 60.")
    return int(seconds)


def _result(query: _Query, points: Points, status: str) -> Json:
    messages = [{"Code": status, "Value": "injected"}] if status in {"Forbidden", "InternalError"} else []
    return {
        "Id": query.id,
        "Label": query.label,
        "Timestamps": points.at.tolist(),
        "Values": points.values.tolist(),
        "StatusCode": status,
        **({"Messages": messages} if messages else {}),
    }


def _fits(key: SeriesKey, params: Json) -> bool:
    dimensions = dict(key.dimensions)
    return (
        params.get("Namespace") in {None, key.namespace}
        and params.get("MetricName") in {None, key.name}
        and all(
            wanted["Name"] in dimensions and wanted.get("Value") in {None, dimensions[wanted["Name"]]}
            for wanted in params.get("Dimensions") or []
        )
    )


def _dimensions(given: list[Json] | None) -> dict[str, str]:
    return {dimension["Name"]: dimension["Value"] for dimension in given or []}


def _epoch(given: float | str) -> float:
    if isinstance(given, (int, float)):
        return float(given)
    at = datetime.fromisoformat(given)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _samples(datum: Json) -> list[Sample]:
    if "StatisticValues" in datum:
        stats = datum["StatisticValues"]
        return [Sample(*(float(stats[name]) for name in ("Sum", "SampleCount", "Minimum", "Maximum")))]
    values = datum.get("Values", [datum["Value"]] if "Value" in datum else [])
    counts = datum.get("Counts", [1.0] * len(values))
    return [Sample(value * count, count, value, value) for value, count in zip(values, counts, strict=True)]
