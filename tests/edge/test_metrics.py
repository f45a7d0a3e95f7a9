"""GetMetricData over HTTP: grids, batches, pages, partial answers, and what it costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
import botocore.session
import numpy as np
import pytest

from builders import NOON
from localaws import Series
from warmcast.aws.metrics import (
    MOST_DATAPOINTS,
    MOST_SPLITS,
    USD_PER_METRIC,
    Answer,
    Completeness,
    Grid,
    Metrics,
    Query,
    batches,
    quick_timestamps,
)
from warmcast.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_cloudwatch import CloudWatchClient

    from localaws import LocalAws
    from warmcast.aws.session import Clients

NOW_S = int(NOON.timestamp())
HOUR = Grid(NOW_S - 3600 - 120, NOW_S - 120, 60)
WEEKS = Grid(NOW_S - 14 * 86_400, NOW_S, 300)
CHECKOUT_WORK = Query("Duration", "Sum", "checkout-api", "checkout-api:live")


def arrivals(n: int) -> Query:
    """Arrivals of the n-th function."""
    return Query("Invocations", "Sum", f"fn-{n}", f"fn-{n}:live")


def load(aws: LocalAws, functions: Iterable[int], *, minutes: int = 60) -> None:
    """Give each function as many invocations a minute as its number and one."""
    start = datetime.fromtimestamp(HOUR.end - 60 * minutes, UTC)
    aws.load_metrics(
        [
            Series(
                "Invocations",
                {"FunctionName": f"fn-{n}", "Resource": f"fn-{n}:live"},
                start,
                sum=np.full(minutes, n + 1.0),
            )
            for n in functions
        ]
    )


def answers(found: list[Answer | AwsError | None]) -> list[Answer]:
    """All answers, none of which may be a failure."""
    whole = [answer for answer in found if isinstance(answer, Answer)]
    assert len(whole) == len(found)
    return whole


@pytest.fixture
def cloudwatch(aws: LocalAws) -> CloudWatchClient:
    """A client without Warmcast's own retries and pace."""
    return aws.session().client("cloudwatch", endpoint_url=aws.endpoint_url)


def test_a_series_comes_on_the_grid_with_its_gaps(aws: LocalAws, clients: Clients) -> None:
    """Minutes with a datapoint have it, the others are NaN; dimensions are function and resource."""
    start = NOON - timedelta(minutes=5)
    aws.load_minutes(
        "checkout-api", "live", start, invocations=[4, 0, 2], duration_ms=[800, 0, 500], concurrency=[3, 0, 1]
    )
    grid = Grid(NOW_S - 360, NOW_S - 120, 60)
    [work] = answers(clients.metrics.read([CHECKOUT_WORK], grid))
    np.testing.assert_array_equal(work.values, [np.nan, 800.0, np.nan, 500.0])
    assert work.complete


def test_the_region_as_a_whole_has_no_dimensions(aws: LocalAws, clients: Clients) -> None:
    """What functions without a reservation use is a metric of the Region."""
    aws.load_metrics(
        [Series("UnreservedConcurrentExecutions", {}, NOON - timedelta(minutes=5), maximum=np.array([70.0, 81.0]))]
    )
    [region] = answers(clients.metrics.read([Query("UnreservedConcurrentExecutions", "Maximum")], HOUR))
    assert np.nanmax(region.values) == 81.0


def test_five_minutes_of_a_maximum_stay_a_maximum(aws: LocalAws, clients: Clients) -> None:
    """Coarse steps come from the same calls, with a longer period."""
    end = NOW_S // 300 * 300
    start = datetime.fromtimestamp(end - 600, UTC)
    aws.load_minutes(
        "checkout-api",
        "live",
        start,
        invocations=[1] * 10,
        duration_ms=[100] * 10,
        concurrency=[1, 9, 2, 3, 4, 5, 6, 7, 8, 1],
    )
    queries = [CHECKOUT_WORK, Query("ConcurrentExecutions", "Maximum", "checkout-api", "checkout-api:live")]
    aws.advance(300)
    work, peak = answers(clients.metrics.read(queries, Grid(end - 600, end, 300)))
    np.testing.assert_array_equal(work.values, [500.0, 500.0])
    np.testing.assert_array_equal(peak.values, [9.0, 8.0])


@pytest.mark.parametrize(
    ("grid", "steps_s", "fits"),
    [
        (Grid(NOW_S - 900, NOW_S, 60), [0], 500),
        (Grid(NOW_S - 10_800, NOW_S, 60), [0], 500),
        (WEEKS, [0], 25),
        (WEEKS, [60], 5),
        (WEEKS, [60, 0], 8),
        (WEEKS, [60, 0, 0, 0], 12),
        (Grid(NOW_S - 140 * 86_400, NOW_S, 60), [0], 1),
    ],
)
def test_a_call_carries_no_more_than_aws_allows(grid: Grid, steps_s: list[int], fits: int) -> None:
    """500 queries, or as many as stay within 100,800 datapoints; at least one. `steps_s`: those of the queries' own."""
    queries = [Query("Invocations", "Sum", step_s=steps_s[n % len(steps_s)]) for n in range(1201)]
    calls = batches(queries, grid)
    assert calls[0] == range(fits)
    assert [n for call in calls for n in call] == list(range(1201))
    assert all(sum(len(grid.of(queries[n])) for n in call) <= MOST_DATAPOINTS or len(call) == 1 for call in calls)


def test_nothing_to_ask_is_no_call() -> None:
    """Not even an empty one."""
    assert batches([], HOUR) == []


def test_one_call_reads_minutes_of_one_series_and_longer_steps_of_another(aws: LocalAws, clients: Clients) -> None:
    """A query may have steps of its own within the time that all of a call share."""
    end = NOW_S // 300 * 300
    start = datetime.fromtimestamp(end - 600, UTC)
    where = {"FunctionName": "checkout-api", "Resource": "checkout-api:live"}
    counts = np.arange(1.0, 11.0)
    aws.load_metrics([Series(name, where, start, sum=counts) for name in ("Duration", "Invocations")])
    aws.advance(300)
    queries = [replace(CHECKOUT_WORK, step_s=60), Query("Invocations", "Sum", "checkout-api", "checkout-api:live")]
    work, arrived = answers(clients.metrics.read(queries, Grid(end - 600, end, 300)))
    np.testing.assert_array_equal(work.values, counts)
    np.testing.assert_array_equal(arrived.values, [15.0, 40.0])
    assert aws.calls()["cloudwatch:GetMetricData"] == 1


def test_more_queries_than_fit_go_in_several_calls_and_come_back_in_order(aws: LocalAws, clients: Clients) -> None:
    """1,201 queries: 500, 500, 201; each answer belongs to its query."""
    load(aws, range(0, 1201, 400))
    before = clients.metrics.requested
    found = answers(clients.metrics.read([arrivals(n) for n in range(1201)], HOUR))
    sizes = [len(call["params"]["MetricDataQueries"]) for call in aws.journal("GetMetricData")]
    assert sizes == [500, 500, 201]
    known = {n: answer.values[-2] for n, answer in enumerate(found) if not np.isnan(answer.values).all()}
    assert known == {0: 1.0, 400: 401.0, 800: 801.0, 1200: 1201.0}
    assert clients.metrics.requested - before == 1201


def test_pages_are_put_together_by_query(aws: LocalAws, cloudwatch: CloudWatchClient) -> None:
    """A server that cuts after 100 datapoints: three series of an hour come whole, in two pages."""
    load(aws, range(3))
    metrics = Metrics(cloudwatch, page_datapoints=100)
    found = answers(metrics.read([arrivals(n) for n in range(3)], HOUR))
    for n, answer in enumerate(found):
        assert answer.complete
        np.testing.assert_array_equal(answer.values, np.full(60, n + 1.0))
    assert aws.calls()["cloudwatch:GetMetricData"] == 2
    assert metrics.requested == 6


def test_a_partial_answer_says_so_and_keeps_what_came(aws: LocalAws, clients: Clients) -> None:
    """Half of one series, all of the other."""
    load(aws, range(2))
    aws.afflict("PartialData", {"FunctionName": "fn-0"})
    half, whole = answers(clients.metrics.read([arrivals(0), arrivals(1)], HOUR))
    assert half.completeness is Completeness.PARTIAL
    assert np.isnan(half.values).sum() == 30
    assert np.isnan(half.values[:30]).all()  # newest first: what lacks is the oldest
    assert whole.complete


@pytest.mark.parametrize("status", ["Forbidden", "InternalError"])
def test_a_refused_series_carries_the_words_and_leaves_its_neighbours_alone(
    aws: LocalAws, clients: Clients, status: str
) -> None:
    """A status of one query is no failure of the call."""
    load(aws, range(2))
    aws.afflict(status, {"FunctionName": "fn-0"})
    refused, served = answers(clients.metrics.read([arrivals(0), arrivals(1)], HOUR))
    assert (refused.completeness, refused.message) == (Completeness(status), f"{status}: injected")
    assert np.isnan(refused.values).all()
    assert served.complete


def test_a_failing_call_is_the_failure_of_its_own_batch(aws: LocalAws, clients: Clients) -> None:
    """The first 500 queries meet an error that is not worth a retry, the other 100 are answered."""
    load(aws, [550])
    aws.inject("GetMetricData", code="AccessDeniedException", message="not you", status=400)
    found = clients.metrics.read([arrivals(n) for n in range(600)], HOUR)
    denied = [answer for answer in found if isinstance(answer, AwsError)]
    assert (len(denied), denied[0].code, denied[0].operation) == (500, "AccessDeniedException", "GetMetricData")
    served = answers(found[500:])
    assert served[50].values[-2] == 551.0


def test_a_lost_connection_is_tried_again(aws: LocalAws, clients: Clients) -> None:
    """The SDK's retries come before ours: the caller sees nothing of it."""
    load(aws, [0])
    aws.inject("GetMetricData", drop=True)
    [answer] = answers(clients.metrics.read([arrivals(0)], HOUR))
    assert answer.complete


def test_one_query_that_cloudwatch_calls_invalid_is_found_and_stands_alone(aws: LocalAws, clients: Clients) -> None:
    """Halving: of 64 queries the one with a statistic that does not exist fails, 63 are served."""
    load(aws, [63])
    queries = [arrivals(n) for n in range(64)]
    queries[41] = Query("Invocations", "Summe", "fn-41", "fn-41:live")
    found = clients.metrics.read(queries, HOUR)
    failed = [n for n, answer in enumerate(found) if isinstance(answer, AwsError)]
    assert failed == [41]
    assert answers(found[42:])[-1].values[-2] == 64.0


def test_the_search_for_invalid_queries_is_bounded(aws: LocalAws, clients: Clients) -> None:
    """Where all are invalid it gives up after some calls instead of making a thousand."""
    found = clients.metrics.read([Query("Invocations", "Summe", f"fn-{n}") for n in range(500)], HOUR)
    assert all(isinstance(answer, AwsError) for answer in found)
    assert aws.calls()["cloudwatch:GetMetricData"] <= 2 * MOST_SPLITS + 1


def test_when_time_is_up_the_rest_is_not_asked(aws: LocalAws, clients: Clients) -> None:
    """Asked before each call: one call's time is left, so one batch is answered and the other is None."""
    left = iter([True, False])
    found = clients.metrics.read([arrivals(n) for n in range(501)], HOUR, in_time=lambda: next(left))
    assert isinstance(found[0], Answer)
    assert found[500] is None
    assert aws.calls()["cloudwatch:GetMetricData"] == 1


def test_when_time_is_up_no_further_page_is_asked_for(aws: LocalAws, clients: Clients) -> None:
    """Two pages, and time for one: what came is kept, as a partial answer."""
    load(aws, range(2))
    metrics = Metrics(clients.metrics._client, page_datapoints=60)
    left = iter([True, False])
    found = answers(metrics.read([arrivals(0), arrivals(1)], HOUR, in_time=lambda: next(left)))
    assert aws.calls()["cloudwatch:GetMetricData"] == 1
    assert not all(answer.complete for answer in found)
    assert sum(int((~np.isnan(answer.values)).sum()) for answer in found) > 0


def test_a_grid_must_be_aligned() -> None:
    """Start and end are multiples of the step, and there is at least one."""
    for start, end in ((NOW_S + 1, NOW_S + 61), (NOW_S, NOW_S), (NOW_S, NOW_S - 60)):
        with pytest.raises(ValueError, match="not a grid of 60 s"):
            Grid(start, end, 60)


def test_quick_timestamps_are_the_same_instants(aws: LocalAws) -> None:
    """The faster reader changes no answer, and leaves written dates to botocore."""
    load(aws, [0])
    core = botocore.session.get_session()
    quick_timestamps(core)
    session = boto3.Session(
        botocore_session=core, aws_access_key_id=aws.account, aws_secret_access_key="test", region_name=aws.region
    )
    metrics = Metrics(session.client("cloudwatch", endpoint_url=aws.endpoint_url))
    np.testing.assert_array_equal(answers(metrics.read([arrivals(0)], HOUR))[0].values, np.ones(60))
    sts = session.client("sts", endpoint_url=aws.endpoint_url)
    role = sts.assume_role(RoleArn=f"arn:aws:iam::{aws.account}:role/reader", RoleSessionName="test")
    assert role["Credentials"]["Expiration"].tzinfo is not None


def test_the_price_is_that_of_metrics_requested() -> None:
    """A thousand series cost a cent."""
    assert pytest.approx(0.01) == 1000 * USD_PER_METRIC
