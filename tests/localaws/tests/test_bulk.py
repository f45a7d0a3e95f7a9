"""Many functions with traffic at once, and how they are listed and counted against the control plane's limit."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from localaws import RateLimit, Traffic
from localaws.tests.conftest import START

if TYPE_CHECKING:
    from localaws import LocalAws

REGIONS = ("us-east-1", "eu-west-1", "ap-northeast-1")
DAYS = 14


def load(aws: LocalAws, names: list[str]) -> None:
    """The same two weeks of traffic for each of these functions, with provisioned concurrency."""
    minutes = np.arange(DAYS * 1440)
    invocations = np.round(60 + 50 * np.sin(minutes * 2 * np.pi / 1440))
    traffic = Traffic(invocations, invocations * 300.0, np.ceil(invocations / 60), capacity=np.full(len(minutes), 2.0))
    aws.create_functions(names, provisioned=2)
    aws.load_traffic(traffic, names, "live", START - timedelta(days=DAYS))


def test_two_thousand_functions_with_two_weeks_of_traffic_take_seconds(aws: LocalAws) -> None:
    """Over three Regions; each has its own series, though the minutes are stored once."""
    began = time.monotonic()
    for region in REGIONS:
        names = [f"f{number}" for number in range(2000 // len(REGIONS) + 1)]
        there = aws.elsewhere(region=region)
        there.create_functions(names, provisioned=2)
        minutes = np.ones(DAYS * 1440)
        there.load_traffic(Traffic(minutes, minutes, minutes), names, "live", START - timedelta(days=DAYS))
    assert time.monotonic() - began < 10
    pages = aws.session(region="eu-west-1").client("lambda", endpoint_url=aws.endpoint_url)
    listed = [f for page in pages.get_paginator("list_functions").paginate() for f in page["Functions"]]
    assert len(listed) == 667
    metrics = aws.session(region="eu-west-1").client("cloudwatch", endpoint_url=aws.endpoint_url)
    found = [
        metric
        for page in metrics.get_paginator("list_metrics").paginate(Namespace="AWS/Lambda", MetricName="Invocations")
        for metric in page["Metrics"]
    ]
    assert len(found) == 2 * 667


def test_functions_made_together_are_as_complete_as_one_made_alone(aws: LocalAws) -> None:
    """An alias with READY capacity, and series of the alias and of the function."""
    load(aws, ["a", "b"])
    client = aws.session().client("lambda", endpoint_url=aws.endpoint_url)
    config = client.get_provisioned_concurrency_config(FunctionName="b", Qualifier="live")
    assert (config["Status"], config["AvailableProvisionedConcurrentExecutions"]) == ("READY", 2)
    cloudwatch = aws.session().client("cloudwatch", endpoint_url=aws.endpoint_url)
    for dimensions in ([("FunctionName", "b")], [("FunctionName", "b"), ("Resource", "b:live")]):
        answer = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Invocations",
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions],
            StartTime=START - timedelta(days=7),
            EndTime=START,
            Period=86_400,
            Statistics=["Sum"],
        )
        assert max(point["Sum"] for point in answer["Datapoints"]) == pytest.approx(60 * 1440, rel=0.01)


def test_get_function_has_a_limit_of_its_own_beside_the_shared_one(aws: LocalAws) -> None:
    """15 calls of the others in a second, in each Region, leave GetFunction its hundred."""
    names = [f"f{number}" for number in range(3)]
    for region in REGIONS[:2]:
        aws.elsewhere(region=region).create_functions(names)
    aws.configure(rate_limit=RateLimit.DRIVEN)
    once = Config(retries={"total_max_attempts": 1})
    client, other = (
        aws.session(region=region).client("lambda", endpoint_url=aws.endpoint_url, config=once)
        for region in REGIONS[:2]
    )
    for _ in range(5):
        client.list_functions()
        client.list_aliases(FunctionName="f0")
        client.list_provisioned_concurrency_configs(FunctionName="f0")
    with pytest.raises(ClientError, match="Rate Exceeded"):
        client.list_functions()
    for _ in range(20):
        client.get_function(FunctionName="f1")
    other.list_functions()
    aws.advance(1)
    client.list_functions()
