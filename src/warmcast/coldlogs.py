"""New environments as Lambda's own report lines tell them: cold starts, and those made ahead. Pure: lines in, data out.

A report with `Init Duration` is the first invocation of a new environment, whoever started it: Lambda for a caller who
waited (a cold start), or provisioned concurrency ahead of all callers. What tells them apart, the surest first:

1. In JSON logs the environment's `platform.initStart` names its `initializationType`
   (docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html): certain.
2. What was billed. Since 2025-08-01 Lambda bills init with the invocation that waited for it, whatever the runtime and
   the package (aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase); init of provisioned
   concurrency is billed apart from any invocation, and its reports show it all the same:

   | duration | init    | billed | it is                                      |
   | -------- | ------- | ------ | ------------------------------------------ |
   | 492 ms   | 4831 ms | 5323   | a cold start: billed = duration + init     |
   | 492 ms   | 4831 ms | 493    | provisioned: billed = duration             |
   | 492 ms   | 4831 ms | 900    | unclear                                    |
   | 492 ms   | 0.4 ms  | 493    | unclear: both would be billed so           |

   Before that day only custom runtimes and container images billed it so. An older line that bills the duration alone
   may be either: unclear.

`Restore Duration` marks an environment that SnapStart restored: no init, counted apart.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BIN_S: Final = 300
BILLED_SINCE: Final = datetime(2025, 8, 1, tzinfo=UTC)
"""From this day on init is billed with the invocation for every runtime and package."""

_ROUNDING_MS: Final = 1.0  # billed is the next whole millisecond of figures that are cut to two decimals themselves
_TEXT: Final = re.compile(r"((?:Billed |Init |Restore |Billed Restore )?Duration): (\d+(?:\.\d+)?) ms")
_VERSION: Final = re.compile(r"\[(\$LATEST|\d+)\]")


@dataclass(frozen=True, slots=True)
class LogGroup:
    """A log group: what it holds, and since when.

    Args:
        stored_bytes: as AWS counts what it stores, which is less than was written (it is compressed).
        retention_days: None: kept for ever.
        infrequent: of another class than Standard.
    """

    name: str
    stored_bytes: int
    retention_days: int | None
    created: datetime
    infrequent: bool = False


@dataclass(frozen=True, slots=True)
class ReportCount:
    """Invocations of one version in the five minutes that begin at `at`; version empty where no stream tells it."""

    version: str
    at: datetime
    reports: int


@dataclass(frozen=True, slots=True)
class InitLine:
    """A log line that tells of an initialisation or a restore, with its stream, which is one environment's."""

    at: datetime
    stream: str
    message: str


class Kind(StrEnum):
    """What began with an environment's first invocation."""

    ON_DEMAND = "on demand"
    PROVISIONED = "provisioned"
    RESTORED = "restored by SnapStart"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Start:
    """A new environment, by the report of its first invocation.

    Args:
        took_s: init, or the restore.
        named: whether the logs name its kind outright; else it is told by what was billed.
    """

    at: datetime
    version: str
    kind: Kind
    took_s: float
    named: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """What the lines of a log group say: new environments, oldest first, and how many lines could not be read."""

    starts: tuple[Start, ...]
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a log group's lines of a time will take; AWS bills by the uncompressed bytes that a query scans.

    Args:
        start, end: the part of the time that the group keeps lines of.
        least_bytes, most_bytes: to be scanned by both queries together.
    """

    start: datetime
    end: datetime
    least_bytes: float
    most_bytes: float

    @property
    def days(self) -> float:
        """Length of that time."""
        return (self.end - self.start) / timedelta(days=1)

    @property
    def most_usd(self) -> float:
        """What AWS charges for the most bytes, at the price of us-east-1."""
        return usd_of(self.most_bytes)


QUERIES: Final = 2
USD_PER_GB_SCANNED: Final = 0.005
"""Logs Insights, us-east-1 (aws.amazon.com/cloudwatch/pricing, 2026); other Regions' prices differ."""

_COMPRESSED: Final = 0.15
"""What is stored of a byte written, at the least: AWS's pricing page reckons with it, and scans are of what was written
(measured in dev.classmethod.jp/articles/cloudwatch-logs-insights-scan-volume-cost, 2024-08)."""


def usd_of(scanned_bytes: float) -> float:
    """What AWS charges for so many bytes scanned, at the price of us-east-1."""
    return scanned_bytes / 1e9 * USD_PER_GB_SCANNED


def reading(group: LogGroup, start: datetime, end: datetime) -> Reading:
    """What reading that time takes, reckoned from what the group stores as if it had grown evenly since it was made.

    | stored | made, kept        | asked for | bytes of two queries: least, most     |
    | ------ | ----------------- | --------- | ------------------------------------- |
    | 30 GB  | long ago, 30 days | 7 days    | 14 GB, 93 GB (were it all compressed) |
    | 30 GB  | long ago, 3 days  | 7 days    | 60 GB, 400 GB (and 3 days are read)   |
    | 30 GB  | 10 days ago       | 7 days    | 42 GB, 280 GB                         |
    """
    kept = timedelta.max if group.retention_days is None else timedelta(days=group.retention_days)
    asked = min(end - start, kept)
    held = min(end - group.created, kept)
    share = min(asked / held, 1.0) if held > timedelta(0) else 1.0
    least = QUERIES * group.stored_bytes * share
    return Reading(end - asked, end, least, least / _COMPRESSED)


# --- one line --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Timing:
    """Milliseconds of one report; None where it has no such figure."""

    duration: float | None
    billed: float | None
    init: float | None
    restore: float | None


def read(lines: Iterable[InitLine], *, always_billed: bool) -> Read:
    """The new environments that report lines tell of.

    Args:
        lines: of any order and version, text or JSON.
        always_billed: whether init was billed with the invocation before 2025-08-01 too (custom runtime or image).
    """
    named: dict[str, str] = {}
    starts: list[Start] = []
    unreadable = 0
    for line in sorted(lines, key=lambda each: each.at):
        record = _record(line.message)
        if record.get("type") == "platform.initStart":
            named[line.stream] = str(_inner(record, "record").get("initializationType", ""))
            continue
        timing = _of_json(record) if record else _of_text(line.message)
        start = _start(line, timing, named.get(line.stream, ""), always_billed=always_billed)
        starts += [start] if start else []
        unreadable += start is None
    return Read(tuple(starts), unreadable)


def version_of(stream: str) -> str:
    """The version that a log stream's name has in brackets; empty where it has none."""
    found = _VERSION.search(stream)
    return found[1] if found else ""


def _start(line: InitLine, timing: _Timing, named: str, *, always_billed: bool) -> Start | None:
    """The new environment that a report tells of; None where its figures can't be read."""
    version = version_of(line.stream)
    if timing.restore is not None:
        return Start(line.at, version, Kind.RESTORED, timing.restore / 1000, named=True)
    if timing.init is None:
        return None
    took_s = timing.init / 1000
    match named:
        case "on-demand":
            return Start(line.at, version, Kind.ON_DEMAND, took_s, named=True)
        case "provisioned-concurrency":
            return Start(line.at, version, Kind.PROVISIONED, took_s, named=True)
        case _:
            kind = _by_bill(timing, init_billed=always_billed or line.at >= BILLED_SINCE)
            return Start(line.at, version, kind, took_s)


def _by_bill(timing: _Timing, *, init_billed: bool) -> Kind:
    """What was billed tells who waited, as the module says."""
    if timing.duration is None or timing.billed is None or timing.init is None:
        return Kind.UNCLEAR
    with_init = abs(timing.billed - math.ceil(timing.duration + timing.init)) <= _ROUNDING_MS
    without = abs(timing.billed - math.ceil(timing.duration)) <= _ROUNDING_MS
    if with_init == without:
        return Kind.UNCLEAR
    if with_init:
        return Kind.ON_DEMAND
    return Kind.PROVISIONED if init_billed else Kind.UNCLEAR


def _record(message: str) -> Mapping[str, object]:
    """A line of JSON; empty for text, and for JSON that is no mapping."""
    if not message.lstrip().startswith("{"):
        return {}
    try:
        found = json.loads(message)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _inner(record: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = record.get(key)
    return found if isinstance(found, dict) else {}


def _of_json(record: Mapping[str, object]) -> _Timing:
    metrics = _inner(_inner(record, "record"), "metrics")
    names = ("durationMs", "billedDurationMs", "initDurationMs", "restoreDurationMs")
    found = [value if isinstance(value := metrics.get(name), int | float) else None for name in names]
    return _Timing(*found)


def _of_text(message: str) -> _Timing:
    found = {name: float(number) for name, number in _TEXT.findall(message)}
    names = ("Duration", "Billed Duration", "Init Duration", "Restore Duration")
    return _Timing(*(found.get(name) for name in names))
