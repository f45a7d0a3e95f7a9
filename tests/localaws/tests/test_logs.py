"""Logs Insights over REPORT lines: what is discovered in them, queries, pages, statistics and refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from localaws.tests.conftest import START

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import GetQueryResultsResponseTypeDef

    from localaws import LocalAws

GROUP = "/aws/lambda/f"
FROM = int(START.timestamp())


@pytest.fixture
def client(aws: LocalAws) -> CloudWatchLogsClient:
    """A client, and ten calls of `f`, one a minute, of 100 to 109 ms; the first and the sixth initialise for 400 ms."""
    init = np.full(10, np.nan)
    init[[0, 5]] = 400.0
    at = (FROM + 60 * np.arange(10)) * 1000.0
    aws.load_reports("f", at, duration_ms=100.0 + np.arange(10), init_ms=init, memory_mb=512)
    config = Config(retries={"total_max_attempts": 1})
    return aws.session().client("logs", endpoint_url=aws.endpoint_url, config=config)


def ask(client: CloudWatchLogsClient, query: str, *, seconds: int = 3600) -> GetQueryResultsResponseTypeDef:
    """The complete answer to a query over the time from the first call."""
    started = client.start_query(logGroupName=GROUP, startTime=FROM, endTime=FROM + seconds, queryString=query)
    assert client.get_query_results(queryId=started["queryId"])["status"] == "Running"
    answer = client.get_query_results(queryId=started["queryId"])
    assert answer["status"] == "Complete"
    return answer


def rows(answer: GetQueryResultsResponseTypeDef) -> list[dict[str, str]]:
    """The rows of an answer by field."""
    return [{cell.get("field", ""): cell.get("value", "") for cell in row} for row in answer["results"]]


def test_fields_of_reports_come_newest_first_as_text(client: CloudWatchLogsClient) -> None:
    """Each with a pointer; what a line does not have is left out; sizes are bytes."""
    fields = "@timestamp, @duration, @billedDuration, @initDuration, @memorySize, @message"
    found = rows(ask(client, f'fields {fields}\n| filter @type = "REPORT"'))
    assert len(found) == 10
    newest, first = found[0], found[-1]
    assert newest["@timestamp"] == "2026-11-02 08:09:00.000"
    assert "@initDuration" not in newest
    assert (first["@initDuration"], first["@billedDuration"], first["@memorySize"]) == ("400", "500", "512000000")
    assert "\tInit Duration: 400.00 ms" in first["@message"]
    assert newest["@ptr"] != first["@ptr"]


def test_stats_are_grouped_by_bins(client: CloudWatchLogsClient) -> None:
    """Counts, percentiles and sums of what matches, a row for each five minutes."""
    query = (
        'filter @type = "REPORT" and ispresent(@initDuration) '
        "| stats count(*) as starts, pct(@initDuration, 99) as p99, sum(@billedDuration - @duration) as extra "
        "by bin(5m) "
        "| sort starts desc | limit 5"
    )
    answer = ask(client, query)
    assert sorted(rows(answer), key=lambda row: row["bin(5m)"]) == [
        {"bin(5m)": "2026-11-02 08:00:00.000", "starts": "1", "p99": "400", "extra": "400"},
        {"bin(5m)": "2026-11-02 08:05:00.000", "starts": "1", "p99": "400", "extra": "400"},
    ]
    assert answer["statistics"].get("recordsMatched") == 2


def test_globs_are_parsed_out_of_texts(client: CloudWatchLogsClient) -> None:
    """A wildcard is what stands between; a text that does not match has nothing."""
    found = rows(
        ask(client, 'parse @logStream "[*]" as version | parse @message "Duration: * ms" as d | display version, d')
    )
    assert found[-1] == {"version": "1", "d": "100.00", "@ptr": found[-1]["@ptr"]}
    assert rows(ask(client, 'parse @message "(*)" as x | stats count(x) as n, count(*) as all')) == [
        {"n": "0", "all": "10"}
    ]


def test_conditions_combine(client: CloudWatchLogsClient) -> None:
    """Comparisons, like with a pattern, not, or, and arithmetic with parentheses."""
    for condition, expected in [
        ("@duration >= 105", 5),
        ("@duration >= 105 and not ispresent(@initDuration)", 4),
        ("@duration < 101 or @duration > 108", 2),
        ("@billedDuration > (@duration + 100) * 1", 2),
        ("@message like /Init Duration: \\d+/", 2),
        ('@message like "REPORT"', 10),
        ("@initDuration != 3", 2),
    ]:
        assert len(rows(ask(client, f"fields @duration | filter {condition}"))) == expected, condition


def test_the_time_range_includes_both_ends_and_is_what_is_scanned(client: CloudWatchLogsClient) -> None:
    """Five minutes from the first call hold six of them; bytes are those of the records in the range."""
    all_of_it, part = ask(client, "stats count(*)"), ask(client, "stats count(*)", seconds=300)
    assert rows(part) == [{"count(*)": "6"}]
    scanned = [answer["statistics"].get("bytesScanned", 0) for answer in (part, all_of_it)]
    assert 0.55 < scanned[0] / scanned[1] < 0.65
    (group,) = client.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
    assert group.get("storedBytes") == scanned[1]


def test_results_come_in_pages_of_ten_thousand_at_most(aws: LocalAws, client: CloudWatchLogsClient) -> None:
    """A query's own limit may go beyond a page; without one it is 10,000."""
    aws.load_reports("f", (FROM + np.arange(12_000) % 3600) * 1000.0, duration_ms=5.0)
    assert len(ask(client, "fields @duration")["results"]) == 10_000
    first = ask(client, "fields @duration | limit 11000")
    assert len(first["results"]) == 10_000
    number = client.start_query(
        logGroupNames=[GROUP], startTime=FROM, endTime=FROM + 3600, queryString="fields @duration | limit 11000"
    )["queryId"]
    client.get_query_results(queryId=number)
    token = client.get_query_results(queryId=number)["nextToken"]
    assert len(client.get_query_results(queryId=number, nextToken=token)["results"]) == 1000


def test_a_running_query_can_be_stopped(client: CloudWatchLogsClient) -> None:
    """It is Cancelled, without results; one that is complete can't be stopped."""
    started = client.start_query(logGroupName=GROUP, startTime=FROM, endTime=FROM + 60, queryString="stats count(*)")
    assert client.stop_query(queryId=started["queryId"])["success"]
    answer = client.get_query_results(queryId=started["queryId"])
    assert (answer["status"], answer["results"]) == ("Cancelled", [])
    with pytest.raises(client.exceptions.InvalidParameterException):
        client.stop_query(queryId=started["queryId"])


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("parse @message /x (?<y>.*)/", "NotImplemented"),
        ("stats stddev(@duration)", "NotImplemented"),
        ("fields strlen(@message)", "NotImplemented"),
        ("filter @duration in [1, 2]", "NotImplemented"),
        ("filter @duration >", "MalformedQueryException"),
        ("parse @message '*' as x, y", "MalformedQueryException"),
        ("fields @duration filter", "MalformedQueryException"),
        ("stats count(*) by bin(5x)", "MalformedQueryException"),
    ],
)
def test_a_query_that_is_not_understood_is_refused(client: CloudWatchLogsClient, query: str, code: str) -> None:
    """What this part of the language lacks says so; what is no query is AWS's own error."""
    with pytest.raises(ClientError) as caught:
        client.start_query(logGroupName=GROUP, startTime=FROM, endTime=FROM + 60, queryString=query)
    assert caught.value.response["Error"]["Code"] == code


def test_a_log_group_that_is_not_there_is_not_found(client: CloudWatchLogsClient) -> None:
    """For a query; a listing is just empty."""
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="does not exist"):
        client.start_query(logGroupName="/aws/lambda/g", startTime=FROM, endTime=FROM, queryString="stats count(*)")
    assert client.describe_log_groups(logGroupNamePrefix="/aws/lambda/g")["logGroups"] == []
