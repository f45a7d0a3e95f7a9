"""Lines of Lambda's logs: which environments somebody waited for, and what reading them costs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from warmcast.coldlogs import BILLED_SINCE, InitLine, Kind, LogGroup, read, reading, usd_of, version_of

AT = datetime(2026, 11, 21, 8, tzinfo=UTC)
STREAM = "2026/11/21/[3]0f3c0a7e"


def report(
    duration: str = "492.10", billed: str = "5323", *, init: str = "4831.00", at: datetime = AT, stream: str = STREAM
) -> InitLine:
    """A text line as Lambda writes it, with its tabs and the X-Ray line below it."""
    message = (
        f"REPORT RequestId: 2d7f\tDuration: {duration} ms\tBilled Duration: {billed} ms\tMemory Size: 1024 MB\t"
        f"Max Memory Used: 96 MB\tInit Duration: {init} ms\t\nXRAY TraceId: 1-5\tSegmentId: 6c\tSampled: true"
    )
    return InitLine(at, stream, message)


def of_json(kind: str, *, at: datetime = AT, stream: str = STREAM, **record: object) -> InitLine:
    """A line of Lambda's JSON format."""
    return InitLine(
        at, stream, json.dumps({"time": "2026-11-21T08:00:00Z", "type": f"platform.{kind}", "record": record})
    )


def kind_of(*lines: InitLine, always_billed: bool = False) -> list[Kind]:
    """The kinds of the new environments, oldest first."""
    return [start.kind for start in read(lines, always_billed=always_billed).starts]


@pytest.mark.parametrize(
    ("billed", "init", "kind"),
    [
        ("5324", "4831.00", Kind.ON_DEMAND),  # ceil(492.10 + 4831.00)
        ("5323", "4831.00", Kind.ON_DEMAND),  # a millisecond of rounding
        ("493", "4831.00", Kind.PROVISIONED),  # a user's line under provisioned concurrency
        ("492", "4831.00", Kind.PROVISIONED),
        ("900", "4831.00", Kind.UNCLEAR),
        ("493", "0.40", Kind.UNCLEAR),  # both would be billed so
        ("600", "4831.00", Kind.UNCLEAR),
    ],
)
def test_what_was_billed_tells_who_waited(billed: str, init: str, kind: Kind) -> None:
    """The table of the module, row by row."""
    assert kind_of(report(billed=billed, init=init)) == [kind]


def test_before_august_2025_a_duration_billed_alone_may_be_either() -> None:
    """Managed runtimes did not bill init then; custom ones and images always did."""
    before = BILLED_SINCE - timedelta(seconds=1)
    assert kind_of(report(billed="493", at=before)) == [Kind.UNCLEAR]
    assert kind_of(report(billed="493", at=BILLED_SINCE)) == [Kind.PROVISIONED]
    assert kind_of(report(billed="493", at=before), always_billed=True) == [Kind.PROVISIONED]
    assert kind_of(report(billed="5324", at=before)) == [Kind.ON_DEMAND]


def test_json_reports_are_read_as_text_ones_are() -> None:
    """The figures have other names there."""
    metrics = {"durationMs": 492.1, "billedDurationMs": 5324, "initDurationMs": 4831}
    (start,) = read([of_json("report", metrics=metrics)], always_billed=False).starts
    assert (start.kind, start.took_s, start.version, start.named) == (Kind.ON_DEMAND, 4.831, "3", False)


@pytest.mark.parametrize(
    ("named", "kind"), [("on-demand", Kind.ON_DEMAND), ("provisioned-concurrency", Kind.PROVISIONED)]
)
def test_a_name_in_the_logs_is_surer_than_the_bill(named: str, kind: Kind) -> None:
    """platform.initStart of the same environment decides, and marks the start as named."""
    metrics = {"durationMs": 10.0, "billedDurationMs": 999, "initDurationMs": 500}
    lines = [
        of_json("report", at=AT + timedelta(seconds=1), metrics=metrics),
        of_json("initStart", initializationType=named),
        of_json("report", at=AT, stream="2026/11/21/[3]another", metrics=metrics),
    ]
    other, mine = read(lines, always_billed=False).starts
    assert (mine.kind, mine.named) == (kind, True)
    assert (other.kind, other.named) == (Kind.UNCLEAR, False)


def test_restores_of_snapstart_are_told_apart() -> None:
    """Text and JSON; their time is the restore's."""
    line = (
        "REPORT RequestId: 8c\tDuration: 2338.66 ms\tBilled Duration: 2521 ms\t"
        "Restore Duration: 400.00 ms\tBilled Restore Duration: 182 ms\t"
    )
    text = InitLine(AT, STREAM, line)
    as_json = of_json("report", metrics={"durationMs": 1, "billedDurationMs": 2, "restoreDurationMs": 400})
    found = read([text, as_json], always_billed=False).starts
    assert [(start.kind, start.took_s) for start in found] == [(Kind.RESTORED, 0.4), (Kind.RESTORED, 0.4)]


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "[1]",
        "{}",
        '{"type": "platform.report", "record": []}',
        '{"type": "platform.report", "record": {"metrics": {"initDurationMs": "soon"}}}',
        "REPORT RequestId: 1\tDuration: 5 ms\tInit Duration: soon ms",
        "Init Duration is what we log about",
    ],
)
def test_lines_that_tell_nothing_are_counted_and_not_guessed_at(message: str) -> None:
    """A log line may be anything."""
    found = read([InitLine(AT, STREAM, message)], always_billed=False)
    assert (found.starts, found.unreadable) == ((), 1)


def test_a_report_without_its_bill_is_unclear() -> None:
    """A cut line still tells that an environment was new."""
    assert kind_of(InitLine(AT, STREAM, "REPORT RequestId: 1\tInit Duration: 5.00 ms")) == [Kind.UNCLEAR]


@pytest.mark.parametrize(
    ("stream", "version"),
    [
        ("2026/11/21/[3]0f3c", "3"),
        ("2026/11/21/[$LATEST]0f3c", "$LATEST"),
        ("2026/11/21/checkout-api[12][0f3c]", "12"),
        ("2026/11/21/other", ""),
    ],
)
def test_a_streams_name_has_the_version_in_brackets(stream: str, version: str) -> None:
    """In the function's own log group, and in one that several share."""
    assert version_of(stream) == version


@pytest.mark.parametrize(
    ("made_days_ago", "kept", "days", "least", "most"),
    [(900, 30, 7, 14, 14 / 0.15), (900, 3, 3, 60, 400), (10, None, 7, 42, 280), (0, None, 7, 60, 400)],
)
def test_the_bytes_to_be_read_follow_from_what_is_stored(
    made_days_ago: int, kept: int | None, days: float, least: float, most: float
) -> None:
    """The docstring's table; a group that is as young as its lines is read whole."""
    group = LogGroup("g", 30 * 10**9, kept, AT - timedelta(days=made_days_ago))
    due = reading(group, AT - timedelta(days=7), AT)
    assert due.days == pytest.approx(days)
    assert due.least_bytes == pytest.approx(least * 1e9)
    assert due.most_bytes == pytest.approx(most * 1e9)
    assert due.most_usd == pytest.approx(most * 0.005)


def test_a_gigabyte_costs_half_a_cent() -> None:
    """The price of us-east-1."""
    assert usd_of(200e9) == pytest.approx(1.0)
