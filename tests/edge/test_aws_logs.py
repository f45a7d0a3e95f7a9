"""Logs Insights over the local AWS: our two queries, splitting, giving up, and what AWS may refuse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from builders import CHECKOUT, NOON
from scripted import Reply, Script, StepClock
from warmcast.aws.logged import LoggedFunctions
from warmcast.aws.logs import COUNTS, INITS, MOST_ROWS, Logs, Span
from warmcast.aws.readers import Readers, connect, make_readers
from warmcast.coldlogs import Kind, read
from warmcast.errors import AwsError

if TYPE_CHECKING:
    from localaws import LocalAws

GROUP = f"/aws/lambda/{CHECKOUT.function}"
END = int(NOON.timestamp())
HOUR = Span(END - 3600, END)


class Interrupting(StepClock):
    """Ctrl-C while something waits."""

    def sleep(self, seconds: float) -> None:
        """The person at the keyboard has had enough."""
        super().sleep(seconds)
        raise KeyboardInterrupt


@pytest.fixture(scope="module")
def shared_readers(running_aws: LocalAws) -> Readers:
    """Making clients takes a while, so these tests share them."""
    return make_readers(region=CHECKOUT.region, profile=None, endpoint_url=running_aws.endpoint_url, clock=StepClock())


@pytest.fixture
def readers(aws: LocalAws, shared_readers: Readers) -> Readers:
    """What a scan reads with: guarded, on the emptied local AWS."""
    del aws
    return shared_readers


@pytest.fixture
def logs(readers: Readers, clock: StepClock) -> Logs:
    """The reader of logs."""
    return Logs(readers.client("logs"), clock)


def client(script: Script, clock: StepClock, service: str = "logs") -> Any:  # noqa: ANN401 - boto3's client
    """A client on the scripted server."""
    return connect(region=CHECKOUT.region, profile=None, endpoint_url=script.url, clock=clock).client(service)


def ms(minutes: float) -> float:
    """Epoch milliseconds, so many minutes before the end."""
    return (END - minutes * 60) * 1000.0


def load(aws: LocalAws) -> None:
    """Three cold starts and an environment made ahead among ten invocations of version 1, and two of version 2."""
    at = [ms(30), ms(29), ms(28), ms(20)]
    aws.load_reports(
        CHECKOUT.function,
        at,
        duration_ms=100.5,
        init_ms=800.0,
        billed_ms=[901, 901, 901, 101],
        environment=[1, 2, 3, 4],
    )
    aws.load_reports(CHECKOUT.function, [ms(20 - n) for n in range(1, 7)], duration_ms=90)
    aws.load_reports(CHECKOUT.function, [ms(50), ms(49)], duration_ms=90, version="2")


def test_a_log_group_has_size_and_retention(aws: LocalAws, logs: Logs) -> None:
    """Of the exact name: others only begin with it."""
    load(aws)
    aws.load_reports(f"{CHECKOUT.function}-admin", [ms(1)], duration_ms=1, retention_days=7)
    group = logs.group(GROUP)
    assert group is not None
    assert (group.name, group.retention_days, group.created) == (GROUP, None, NOON)
    assert group.stored_bytes > 0
    other = logs.group(f"{GROUP}-admin")
    assert other is not None
    assert other.retention_days == 7
    assert logs.group(GROUP[:-1]) is None


def test_reports_are_counted_by_version_and_five_minutes(aws: LocalAws, logs: Logs) -> None:
    """Oldest first."""
    load(aws)
    found = [(each.version, int(END - each.at.timestamp()) // 60, each.reports) for each in logs.counts(GROUP, HOUR)]
    assert found == [("2", 50, 2), ("1", 30, 3), ("1", 20, 5), ("1", 15, 2)]


def test_lines_with_an_init_are_read_whole(aws: LocalAws, logs: Logs) -> None:
    """They are what tells cold starts from environments made ahead."""
    load(aws)
    found = read(logs.inits(GROUP, HOUR), always_billed=False)
    assert [start.kind for start in found.starts] == [Kind.ON_DEMAND] * 3 + [Kind.PROVISIONED]
    assert {start.version for start in found.starts} == {"1"}
    assert found.starts[0].at == NOON - timedelta(minutes=30)


def test_what_was_scanned_is_counted(aws: LocalAws, logs: Logs) -> None:
    """Both queries scan everything in their time."""
    load(aws)
    logs.counts(GROUP, HOUR)
    once = logs.scanned_bytes
    logs.inits(GROUP, HOUR)
    assert once > 0
    assert logs.scanned_bytes == 2 * once


def test_waiting_goes_by_the_clock(aws: LocalAws, logs: Logs, clock: StepClock) -> None:
    """A query that runs is asked again half a second later."""
    load(aws)
    logs.counts(GROUP, HOUR)
    assert clock.slept == [0.5]


def test_more_rows_than_a_query_gives_are_read_in_halves(aws: LocalAws, logs: Logs) -> None:
    """None is lost and none comes twice."""
    count = MOST_ROWS + 200
    at = np.linspace(ms(59), ms(1), count)
    aws.load_reports(CHECKOUT.function, at, duration_ms=10, init_ms=500, environment=np.arange(count))
    assert len(logs.inits(GROUP, HOUR)) == count
    assert aws.calls()["logs:StartQuery"] == 3
    assert not logs.cut


def test_a_second_that_has_too_many_is_told(aws: LocalAws, logs: Logs) -> None:
    """It can't be cut any further."""
    count = MOST_ROWS + 1
    aws.load_reports(
        CHECKOUT.function, np.full(count, ms(1)), duration_ms=10, init_ms=500, environment=np.arange(count)
    )
    assert len(logs.inits(GROUP, Span(END - 61, END - 60))) == MOST_ROWS
    assert logs.cut


def test_a_shared_log_group_is_read_for_one_function(aws: LocalAws, logs: Logs) -> None:
    """The streams of the local AWS carry no function's name, as in a function's own group: none is found."""
    load(aws)
    assert logs.counts(GROUP, HOUR, function=CHECKOUT.function) == []


def test_an_interrupted_query_is_stopped(aws: LocalAws, readers: Readers) -> None:
    """Nobody waits for it, so it should not go on."""
    load(aws)
    logs = Logs(readers.client("logs"), Interrupting())
    with pytest.raises(KeyboardInterrupt):
        logs.counts(GROUP, HOUR)
    assert aws.calls()["logs:StopQuery"] == 1


def test_a_query_that_can_not_be_stopped_is_left(aws: LocalAws, readers: Readers) -> None:
    """What ended it stays the reason."""
    load(aws)
    aws.deny("logs:StopQuery")
    with pytest.raises(KeyboardInterrupt):
        Logs(readers.client("logs"), Interrupting()).counts(GROUP, HOUR)


def test_a_full_account_is_waited_for(aws: LocalAws, logs: Logs) -> None:
    """An account runs 100 queries at once; a place is taken when one ends."""
    load(aws)
    aws.inject("logs:StartQuery", code="LimitExceededException", message="too many")
    assert logs.counts(GROUP, HOUR)


@pytest.mark.parametrize("operation", ["DescribeLogGroups", "StartQuery", "GetQueryResults"])
def test_a_denied_call_is_told_by_its_name(aws: LocalAws, logs: Logs, operation: str) -> None:
    """So that the person knows what to allow."""
    load(aws)
    aws.deny(f"logs:{operation}")
    with pytest.raises(AwsError) as caught:
        logs.group(GROUP) if operation == "DescribeLogGroups" else logs.counts(GROUP, HOUR)
    assert (caught.value.code, caught.value.operation) == ("AccessDeniedException", operation)


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "Timeout", "Unknown"])
def test_a_query_that_ends_badly_is_an_error(script: Script, clock: StepClock, status: str) -> None:
    """With AWS's word for it, and what helps."""
    script.reply = Reply(body=f'{{"queryId": "q", "status": "{status}", "results": []}}'.encode())
    logs = Logs(client(script, clock), clock)
    with pytest.raises(AwsError, match=f"Query{status}.*fewer days"):
        logs.counts(GROUP, HOUR)


def test_a_query_that_never_ends_is_given_up(script: Script, clock: StepClock) -> None:
    """After a quarter of an hour."""
    script.reply = Reply(body=b'{"queryId": "q", "status": "Running", "results": []}')
    with pytest.raises(AwsError, match="15 minutes"):
        Logs(client(script, clock), clock).counts(GROUP, HOUR)
    assert 900 < clock.monotonic() < 1000


@pytest.mark.parametrize("body", [b"{}", b'{"queryId": "q"}', b"<html>"])
def test_a_broken_answer_is_an_error_of_aws(script: Script, clock: StepClock, body: bytes) -> None:
    """Never a KeyError of ours."""
    script.reply = Reply(body=body)
    with pytest.raises(AwsError):
        Logs(client(script, clock), clock).counts(GROUP, HOUR)


def test_an_empty_span_is_not_cut() -> None:
    """Halves meet at a step inside of it, or there are none."""
    assert Span(0, 1200).halves(300) == (Span(0, 600), Span(600, 1200))
    assert Span(0, 300).halves(300) is None
    assert Span(5, 6).halves(1) is None


def test_the_queries_are_short() -> None:
    """A query's text has at most 10,000 characters, and asks for no more rows than are looked for."""
    for query in (COUNTS, INITS):
        assert len(query) < 1000
        assert query.endswith(f"limit {MOST_ROWS}")


def test_an_alias_tells_where_its_logs_go(aws: LocalAws, readers: Readers) -> None:
    """The function's own log group, and the version that the alias stands for."""
    aws.create_function(CHECKOUT.function, memory_mb=512)
    found = LoggedFunctions(readers.client("lambda")).logged(CHECKOUT.function, CHECKOUT.qualifier)
    assert (found.version, found.log_group, found.own_group, found.memory_mb) == ("1", GROUP, True, 512)
    assert not found.quiet


@pytest.mark.parametrize(
    ("logging", "group", "own", "quiet"),
    [
        ('{"LogFormat": "Text", "LogGroup": "/aws/lambda/f"}', "/aws/lambda/f", True, False),
        ('{"LogFormat": "JSON", "LogGroup": "/shop", "SystemLogLevel": "INFO"}', "/shop", False, False),
        ('{"LogFormat": "JSON", "SystemLogLevel": "WARN"}', "/aws/lambda/f", True, True),
    ],
)
def test_a_function_may_log_elsewhere_or_less(
    script: Script, clock: StepClock, logging: str, group: str, *, own: bool, quiet: bool
) -> None:
    """A log group of one's own choice may be shared; the level WARN leaves reports out."""
    configuration = (
        f'{{"FunctionName": "f", "Version": "7", "MemorySize": 128, "Timeout": 3, "PackageType": "Image", '
        f'"LoggingConfig": {logging}}}'
    )
    script.reply = Reply(body=f'{{"Configuration": {configuration}}}'.encode())
    found = LoggedFunctions(client(script, clock, "lambda")).logged("f", "live")
    assert (found.log_group, found.own_group, found.quiet, found.always_billed) == (group, own, quiet, True)


def test_instants_are_utc(aws: LocalAws, logs: Logs) -> None:
    """Logs Insights answers them without a zone."""
    load(aws)
    assert logs.counts(GROUP, HOUR)[0].at.tzinfo is UTC
    assert logs.counts(GROUP, HOUR)[0].at <= datetime.fromtimestamp(END, UTC)
