"""CloudWatch and Application Auto Scaling as AWS answers them, against the local AWS and any real account."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling.type_defs import ScalableTargetTypeDef
    from mypy_boto3_cloudwatch.type_defs import (
        DimensionTypeDef,
        MetricDataQueryTypeDef,
        MetricStatTypeDef,
        MetricTypeDef,
    )

    from localaws.conformance import Account

DIMENSION: Final = "lambda:function:ProvisionedConcurrency"


def query(identifier: str) -> MetricDataQueryTypeDef:
    """A query for a series that does not exist."""
    dimensions: list[DimensionTypeDef] = [{"Name": "FunctionName", "Value": "none"}]
    metric: MetricTypeDef = {"Namespace": "AWS/Lambda", "MetricName": "Invocations", "Dimensions": dimensions}
    stat: MetricStatTypeDef = {"Metric": metric, "Period": 60, "Stat": "Sum"}
    return {"Id": identifier, "MetricStat": stat}


def test_a_series_without_data_is_complete_and_empty(account: Account) -> None:
    """CloudWatch does not tell a series that never was from one that is idle."""
    now = account.now()
    answer = account.cloudwatch.get_metric_data(
        MetricDataQueries=[query("q")], StartTime=now - timedelta(hours=1), EndTime=now
    )
    (result,) = answer["MetricDataResults"]
    assert (result["Id"], result["StatusCode"], result["Values"]) == ("q", "Complete", [])


def test_more_than_500_queries_are_refused(account: Account) -> None:
    """The limit of one GetMetricData."""
    now = account.now()
    refused = account.refusal(
        lambda: account.cloudwatch.get_metric_data(
            MetricDataQueries=[query(f"q{n}") for n in range(501)], StartTime=now - timedelta(hours=1), EndTime=now
        )
    )
    assert (refused.status, refused.code) == (400, "ValidationError")


def test_two_queries_with_one_id_are_refused(account: Account) -> None:
    """Ids tell results apart."""
    now = account.now()
    refused = account.refusal(
        lambda: account.cloudwatch.get_metric_data(
            MetricDataQueries=[query("q"), query("q")], StartTime=now - timedelta(hours=1), EndTime=now
        )
    )
    assert (refused.status, refused.code) == (400, "ValidationError")


def test_a_scalable_target_lives_from_register_to_deregister(account: Account) -> None:
    """Register, describe with bounds, and gone after deregistering; the capacity stays."""
    alias = account.new_alias()
    account.release_later(alias)
    resource = f"function:{account.function}:{alias}"
    account.autoscaling.register_scalable_target(
        ServiceNamespace="lambda",
        ResourceId=resource,
        ScalableDimension=DIMENSION,
        MinCapacity=1,
        MaxCapacity=2,
        Tags={"owner": "conformance"},
    )
    (target,) = describe(account, [resource])
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 2)
    tags = account.autoscaling.list_tags_for_resource(ResourceARN=target["ScalableTargetARN"])["Tags"]
    assert tags == {"owner": "conformance"}
    account.wait_until(lambda: account.status(alias) == "READY")
    account.autoscaling.deregister_scalable_target(
        ServiceNamespace="lambda", ResourceId=resource, ScalableDimension=DIMENSION
    )
    assert describe(account, [resource]) == []
    assert account.status(alias) == "READY"


def test_deregistering_what_is_not_registered_is_not_found(account: Account) -> None:
    """The code names an object, not a resource."""
    refused = account.refusal(
        lambda: account.autoscaling.deregister_scalable_target(
            ServiceNamespace="lambda", ResourceId=f"function:{account.function}:nosuch", ScalableDimension=DIMENSION
        )
    )
    assert (refused.status, refused.code) == (400, "ObjectNotFoundException")


@pytest.mark.parametrize(("minimum", "maximum"), [(2, 1), (-1, 1)])
def test_impossible_bounds_are_refused(account: Account, minimum: int, maximum: int) -> None:
    """A minimum above the maximum, or below zero."""
    alias = account.new_alias()
    refused = account.refusal(
        lambda: account.autoscaling.register_scalable_target(
            ServiceNamespace="lambda",
            ResourceId=f"function:{account.function}:{alias}",
            ScalableDimension=DIMENSION,
            MinCapacity=minimum,
            MaxCapacity=maximum,
        )
    )
    assert (refused.status, refused.code) == (400, "ValidationException")


def test_a_first_registration_needs_both_bounds(account: Account) -> None:
    """Later ones may leave them out."""
    alias = account.new_alias()
    refused = account.refusal(
        lambda: account.autoscaling.register_scalable_target(
            ServiceNamespace="lambda",
            ResourceId=f"function:{account.function}:{alias}",
            ScalableDimension=DIMENSION,
            MaxCapacity=1,
        )
    )
    assert (refused.status, refused.code) == (400, "ValidationException")


def test_describing_more_than_50_targets_is_refused(account: Account) -> None:
    """The limit of one DescribeScalableTargets."""
    ids = [f"function:{account.function}:a{n}" for n in range(51)]
    refused = account.refusal(lambda: describe(account, ids))
    assert (refused.status, refused.code) == (400, "ValidationException")


def describe(account: Account, ids: list[str]) -> list[ScalableTargetTypeDef]:
    """The scalable targets with these resource ids."""
    answer = account.autoscaling.describe_scalable_targets(ServiceNamespace="lambda", ResourceIds=ids)
    return answer["ScalableTargets"]
