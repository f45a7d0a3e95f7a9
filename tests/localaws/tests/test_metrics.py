"""CloudWatch's metrics, asked by boto3: statistics, periods, delay, revisions, retention, pages, statuses."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from localaws import Series

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import (
        DimensionTypeDef,
        MetricDataQueryTypeDef,
        MetricDataResultTypeDef,
        MetricStatTypeDef,
        MetricTypeDef,
    )

    from localaws import LocalAws

START = datetime(2026, 11, 2, 7, tzinfo=UTC)  # an hour before the clock
MINUTE = timedelta(minutes=1)
WHERE = {"FunctionName": "f", "Resource": "f:live"}


@pytest.fixture
def client(aws: LocalAws) -> CloudWatchClient:
    """A CloudWatch client."""
    return aws.session().client("cloudwatch", endpoint_url=aws.endpoint_url)


def query(
    name: str,
    statistic: str = "Sum",
    *,
    period: int = 60,
    identifier: str = "q",
    where: dict[str, str] | None = None,
    namespace: str = "AWS/Lambda",
) -> MetricDataQueryTypeDef:
    """A query for one statistic of one series."""
    dimensions: list[DimensionTypeDef] = [
        {"Name": key, "Value": value} for key, value in (WHERE if where is None else where).items()
    ]
    metric: MetricTypeDef = {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions}
    stat: MetricStatTypeDef = {"Metric": metric, "Period": period, "Stat": statistic}
    return {"Id": identifier, "MetricStat": stat}


def ask(
    client: CloudWatchClient, one: MetricDataQueryTypeDef, start: datetime, end: datetime
) -> MetricDataResultTypeDef:
    """The result of one query, oldest first."""
    answer = client.get_metric_data(MetricDataQueries=[one], StartTime=start, EndTime=end, ScanBy="TimestampAscending")
    return answer["MetricDataResults"][0]


def stamps(result: MetricDataResultTypeDef) -> list[str]:
    """The timestamps as hours and minutes in UTC."""
    return [at.astimezone(UTC).strftime("%H:%M") for at in result["Timestamps"]]


@pytest.mark.parametrize(
    ("name", "statistic", "expected"),
    [
        ("Invocations", "Sum", [10.0, 30.0]),
        ("Invocations", "SampleCount", [10.0, 30.0]),
        ("Invocations", "Maximum", [1.0, 1.0]),
        ("Duration", "Sum", [1000.0, 9000.0]),
        ("Duration", "Average", [100.0, 300.0]),
        ("ConcurrentExecutions", "Maximum", [3.0, 5.0]),
        ("Throttles", "Sum", [0.0, 2.0]),
        ("ProvisionedConcurrencySpilloverInvocations", "Sum", [1.0, 4.0]),
    ],
)
def test_loaded_minutes_read_as_lambda_reports_them(
    aws: LocalAws, client: CloudWatchClient, name: str, statistic: str, expected: list[float]
) -> None:
    """Each statistic of each metric; the idle minute in between has no datapoint."""
    aws.load_minutes(
        "f",
        "live",
        START,
        invocations=[10, 0, 30],
        duration_ms=[1000, 0, 9000],
        concurrency=[3, 0, 5],
        throttles=[0, 0, 2],
        spilled=[1, 0, 4],
    )
    result = ask(client, query(name, statistic), START, START + 3 * MINUTE)
    assert (result["Values"], stamps(result), result["StatusCode"]) == (expected, ["07:00", "07:02"], "Complete")


def test_provisioned_concurrency_reports_only_while_it_is_used(aws: LocalAws, client: CloudWatchClient) -> None:
    """In use up to what stood there, its share, what it served and what spilled; nothing idle, nothing without it."""
    aws.load_minutes(
        "f",
        "live",
        START,
        invocations=[10, 0, 10, 10],
        duration_ms=[900, 0, 900, 900],
        concurrency=[3, 0, 8, 8],
        spilled=[0, 0, 4, 10],
        capacity=[6, 6, 6, 0],
    )
    for name, statistic, expected in [
        ("ProvisionedConcurrentExecutions", "Maximum", [3.0, 6.0]),
        ("ProvisionedConcurrencyUtilization", "Maximum", [0.5, 1.0]),
        ("ProvisionedConcurrencyInvocations", "Sum", [10.0, 6.0]),
        ("ProvisionedConcurrencySpilloverInvocations", "Sum", [0.0, 4.0]),
    ]:
        found = ask(client, query(name, statistic), START, START + 4 * MINUTE)
        assert found["Values"] == expected
        assert stamps(found) == ["07:00", "07:02"]


def test_functions_regions_and_executed_versions_have_series_of_their_own(
    aws: LocalAws, client: CloudWatchClient
) -> None:
    """As many dimensions as Lambda gives them: FunctionName alone, none, or ExecutedVersion besides."""
    for function, qualifier, version, invocations in [
        ("f", "live", "", 10),
        ("f", "live", "2", 3),
        ("f", "", "", 15),
        ("", "", "", 99),
    ]:
        aws.load_minutes(
            function,
            qualifier,
            START,
            invocations=[invocations],
            duration_ms=[900],
            concurrency=[3],
            executed_version=version,
        )
    for where, expected in [
        (WHERE, 10.0),
        ({**WHERE, "ExecutedVersion": "2"}, 3.0),
        ({"FunctionName": "f"}, 15.0),
        ({}, 99.0),
    ]:
        assert ask(client, query("Invocations", where=where), START, START + MINUTE)["Values"] == [expected]


def test_a_longer_period_adds_up_and_weights_means_by_samples(aws: LocalAws, client: CloudWatchClient) -> None:
    """(1000 + 9000) ms over 10 + 30 invocations is 250 ms, not the mean of 100 and 300."""
    aws.load_minutes("f", "live", START, invocations=[10, 30], duration_ms=[1000, 9000], concurrency=[3, 5])
    for name, statistic, expected in [
        ("Invocations", "Sum", 40.0),
        ("Duration", "Average", 250.0),
        ("ConcurrentExecutions", "Maximum", 5.0),
        ("ConcurrentExecutions", "Minimum", 3.0),
    ]:
        for period in (300, 3600):
            result = ask(client, query(name, statistic, period=period), START, START + timedelta(hours=1))
            assert (result["Values"], stamps(result)) == ([expected], ["07:00"])


def test_the_start_counts_and_the_end_does_not(aws: LocalAws, client: CloudWatchClient) -> None:
    """[StartTime, EndTime)."""
    aws.load_minutes("f", "live", START, invocations=[1, 2, 3, 4], duration_ms=[1] * 4, concurrency=[1] * 4)
    result = ask(client, query("Invocations"), START + MINUTE, START + 3 * MINUTE)
    assert result["Values"] == [2.0, 3.0]


def test_dimensions_match_exactly_or_not_at_all(aws: LocalAws, client: CloudWatchClient) -> None:
    """Neither a subset nor another alias finds the series."""
    aws.load_minutes("f", "live", START, invocations=[1], duration_ms=[1], concurrency=[1])
    for where in ({"FunctionName": "f"}, {"FunctionName": "f", "Resource": "f:other"}, {}):
        assert ask(client, query("Invocations", where=where), START, START + MINUTE)["Values"] == []
    backwards = dict(reversed(WHERE.items()))
    assert ask(client, query("Invocations", where=backwards), START, START + MINUTE)["Values"] == [1.0]


def test_a_minute_is_seen_when_it_is_old_enough(aws: LocalAws, client: CloudWatchClient) -> None:
    """At 07:10 with a delay of 2 minutes the newest minute is the one stamped 07:08."""
    aws.load_minutes("f", "live", START, invocations=[1] * 60, duration_ms=[1] * 60, concurrency=[1] * 60)
    for now, delay_s, newest in [("07:10:00", 120, "07:08"), ("07:10:59", 120, "07:08"), ("07:10:00", 180, "07:07")]:
        aws.set_now(datetime.fromisoformat(f"2026-11-02T{now}+00:00"))
        aws.configure(data_delay_s=delay_s)
        assert stamps(ask(client, query("Invocations"), START, START + timedelta(hours=1)))[-1] == newest


def test_a_minute_may_be_revised_later(aws: LocalAws, client: CloudWatchClient) -> None:
    """A late revision reads differently from its instant on."""
    aws.load_minutes("f", "live", START, invocations=[10], duration_ms=[1000], concurrency=[1])
    aws.revise_minute("Invocations", WHERE, START, total=12, count=12, due=aws.now() + 5 * MINUTE)
    assert ask(client, query("Invocations"), START, START + MINUTE)["Values"] == [10.0]
    aws.advance(300)
    assert ask(client, query("Invocations"), START, START + MINUTE)["Values"] == [12.0]


@pytest.mark.parametrize(
    ("age_days", "period", "datapoints"),
    [(14.9, 60, 1440), (15.1, 60, 0), (62.9, 300, 288), (63.1, 300, 0), (454, 3600, 24), (456, 3600, 0)],
)
def test_old_data_needs_a_long_period(
    aws: LocalAws, client: CloudWatchClient, age_days: float, period: int, datapoints: int
) -> None:
    """Minutes are kept 15 days, 5 minutes 63 days, hours 455 days."""
    start = (aws.now() - timedelta(days=age_days)).replace(minute=0)
    day = [1] * 24 * 60
    aws.load_minutes("f", "live", start, invocations=day, duration_ms=day, concurrency=day)
    result = ask(client, query("Invocations", period=period), start, start + timedelta(days=1))
    assert len(result["Values"]) == datapoints


def test_a_large_answer_comes_in_pages(aws: LocalAws, client: CloudWatchClient) -> None:
    """6 series of 14 days but for the newest minute: 100,800 datapoints on the first page, the rest on the next."""
    start = aws.now() - timedelta(days=14)
    ones = np.ones(20_160)
    for number in range(6):
        where = {"FunctionName": f"f{number}"}
        aws.load_metrics([Series("Invocations", where, start, sum=np.arange(20_160.0), count=ones)])
    queries = [query("Invocations", identifier=f"q{n}", where={"FunctionName": f"f{n}"}) for n in range(6)]
    values: dict[str, list[float]] = {}
    statuses: dict[str, str] = {}
    sizes: list[int] = []
    for page in client.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=start, EndTime=aws.now()
    ):
        sizes.append(sum(len(result["Values"]) for result in page["MetricDataResults"]))
        for result in page["MetricDataResults"]:
            values.setdefault(result["Id"], []).extend(result["Values"])
            statuses[result["Id"]] = result["StatusCode"]
    assert sizes == [100_800, 6 * 20_159 - 100_800]
    assert set(statuses.values()) == {"Complete"}
    assert all(series == sorted(series, reverse=True) and len(series) == 20_159 for series in values.values())


def test_max_datapoints_makes_pages_smaller_and_a_foreign_token_is_refused(
    aws: LocalAws, client: CloudWatchClient
) -> None:
    """The cut series is PartialData until its last page; a token belongs to its request."""
    aws.load_minutes("f", "live", START, invocations=[1, 2, 3], duration_ms=[1] * 3, concurrency=[1] * 3)
    end = START + 3 * MINUTE
    first = client.get_metric_data(
        MetricDataQueries=[query("Invocations")], StartTime=START, EndTime=end, MaxDatapoints=2
    )
    (result,) = first["MetricDataResults"]
    assert (result["Values"], result["StatusCode"]) == ([3.0, 2.0], "PartialData")
    token = first["NextToken"]
    second = client.get_metric_data(
        MetricDataQueries=[query("Invocations")], StartTime=START, EndTime=end, MaxDatapoints=2, NextToken=token
    )
    (rest,) = second["MetricDataResults"]
    assert (rest["Values"], rest["StatusCode"], "NextToken" in second) == ([1.0], "Complete", False)
    with pytest.raises(ClientError) as caught:
        client.get_metric_data(MetricDataQueries=[query("Duration")], StartTime=START, EndTime=end, NextToken=token)
    assert caught.value.response["Error"]["Code"] == "InvalidNextToken"


def test_a_full_page_is_answered_quickly(aws: LocalAws) -> None:
    """500 queries and 100,000 datapoints take the server well under a second (botocore needs longer to read them)."""
    start = aws.now() - timedelta(minutes=202)
    for number in range(500):
        aws.load_metrics([Series("Invocations", {"FunctionName": f"f{number}"}, start, sum=np.ones(202))])
    queries = [query("Invocations", identifier=f"q{n}", where={"FunctionName": f"f{n}"}) for n in range(500)]
    client = aws.session().client("cloudwatch", endpoint_url=aws.endpoint_url, config=Config(read_timeout=30))
    began = time.process_time()
    raw = _received(client)
    answer = client.get_metric_data(MetricDataQueries=queries, StartTime=start, EndTime=aws.now())
    assert sum(len(result["Values"]) for result in answer["MetricDataResults"]) == 500 * 201
    assert raw["at"] - began < 1.0


def _received(client: CloudWatchClient) -> dict[str, float]:
    """Notes the CPU time at which an answer has arrived, before botocore reads it."""
    noted: dict[str, float] = {}
    client.meta.events.register("before-parse.cloudwatch.*", lambda **_: noted.update(at=time.process_time()))
    return noted


@pytest.mark.parametrize(("status", "values"), [("Forbidden", []), ("InternalError", []), ("PartialData", [4.0, 3.0])])
def test_a_series_can_be_afflicted_with_another_status(
    aws: LocalAws, client: CloudWatchClient, status: str, values: list[float]
) -> None:
    """Its neighbours stay Complete, and it heals with the other faults."""
    for qualifier in ("live", "other"):
        aws.load_minutes("f", qualifier, START, invocations=[1, 2, 3, 4], duration_ms=[1] * 4, concurrency=[1] * 4)
    aws.afflict(status, {"Resource": "f:live"}, name="Invocations")
    other = {**WHERE, "Resource": "f:other"}
    queries = [query("Invocations"), query("Invocations", identifier="other", where=other)]
    answer = client.get_metric_data(MetricDataQueries=queries, StartTime=START, EndTime=START + 4 * MINUTE)
    struck, spared = answer["MetricDataResults"]
    assert (struck["StatusCode"], struck["Values"]) == (status, values)
    assert (spared["StatusCode"], len(spared["Values"])) == ("Complete", 4)
    aws.clear_faults()
    assert ask(client, query("Invocations"), START, START + 4 * MINUTE)["StatusCode"] == "Complete"


def test_metric_math_is_refused_clearly(aws: LocalAws, client: CloudWatchClient) -> None:
    """Rather than answered wrongly."""
    with pytest.raises(ClientError, match="does not model metric math"):
        client.get_metric_data(
            MetricDataQueries=[{"Id": "e", "Expression": "FILL(m1, 0)"}], StartTime=START, EndTime=aws.now()
        )


def test_put_data_adds_to_its_minute(client: CloudWatchClient) -> None:
    """Values, values with counts and statistic sets of one minute add up; any namespace will do."""
    for datum in ({"Value": 4.0}, {"Values": [1.0, 2.0], "Counts": [1.0, 2.0]}):
        client.put_metric_data(Namespace="Own", MetricData=[{"MetricName": "m", "Timestamp": START, **datum}])  # type: ignore[typeddict-item] # a datum of either kind
    client.put_metric_data(
        Namespace="Own",
        MetricData=[
            {
                "MetricName": "m",
                "Timestamp": START + MINUTE,
                "StatisticValues": {"SampleCount": 3, "Sum": 12, "Minimum": 2, "Maximum": 7},
            }
        ],
    )
    for statistic, expected in [("Sum", [9.0, 12.0]), ("SampleCount", [4.0, 3.0]), ("Maximum", [4.0, 7.0])]:
        one = query("m", statistic, where={}, namespace="Own")
        assert ask(client, one, START, START + 2 * MINUTE)["Values"] == expected


def test_a_large_put_arrives_though_botocore_compresses_it(client: CloudWatchClient) -> None:
    """Bodies over 10 KB come gzipped."""
    client.put_metric_data(
        Namespace="Own",
        MetricData=[{"MetricName": f"metric-{n}", "Timestamp": START, "Value": float(n)} for n in range(500)],
    )
    result = ask(client, query("metric-499", where={}, namespace="Own"), START, START + MINUTE)
    assert result["Values"] == [499.0]


def test_put_data_goes_beside_loaded_minutes(aws: LocalAws, client: CloudWatchClient) -> None:
    """A loaded minute and a put sample add up, before, inside and after what was loaded."""
    aws.load_minutes("f", "live", START, invocations=[10, 20], duration_ms=[1, 1], concurrency=[1, 1])
    dimensions: list[DimensionTypeDef] = [{"Name": key, "Value": value} for key, value in WHERE.items()]
    for offset in (-1, 1, 5):
        at = START + offset * MINUTE
        client.put_metric_data(
            Namespace="AWS/Lambda",
            MetricData=[{"MetricName": "Invocations", "Dimensions": dimensions, "Timestamp": at, "Value": 1.0}],
        )
    result = ask(client, query("Invocations"), START - MINUTE, START + 6 * MINUTE)
    assert (result["Values"], stamps(result)) == ([1.0, 10.0, 21.0, 1.0], ["06:59", "07:00", "07:01", "07:05"])


def test_metrics_are_listed_by_what_they_carry(aws: LocalAws, client: CloudWatchClient) -> None:
    """By namespace, name and dimensions; what reported nothing for two weeks is not listed."""
    aws.load_minutes("f", "live", START, invocations=[1], duration_ms=[1], concurrency=[1])
    aws.load_minutes("g", "live", aws.now() - timedelta(days=15), invocations=[1], duration_ms=[1], concurrency=[1])
    by_name = client.list_metrics(Namespace="AWS/Lambda", MetricName="Invocations")["Metrics"]
    assert [{d["Name"]: d["Value"] for d in metric["Dimensions"]} for metric in by_name] == [WHERE]
    by_dimension = client.list_metrics(Dimensions=[{"Name": "Resource", "Value": "f:live"}])["Metrics"]
    assert len(by_dimension) == 4
    assert client.list_metrics(Dimensions=[{"Name": "Resource", "Value": "g:live"}])["Metrics"] == []


def test_statistics_answer_several_at_once(aws: LocalAws, client: CloudWatchClient) -> None:
    """GetMetricStatistics over the same store."""
    aws.load_minutes("f", "live", START, invocations=[10, 30], duration_ms=[1000, 9000], concurrency=[3, 5])
    dimensions: list[DimensionTypeDef] = [{"Name": key, "Value": value} for key, value in WHERE.items()]
    (datapoint,) = client.get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Duration",
        Dimensions=dimensions,
        StartTime=START,
        EndTime=START + timedelta(hours=1),
        Period=3600,
        Statistics=["Average", "Sum"],
    )["Datapoints"]
    assert (datapoint["Average"], datapoint["Sum"]) == (250.0, 10_000.0)
