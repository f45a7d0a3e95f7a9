"""Application Auto Scaling: what a registration does to the capacity, pages, tags, policies, pending updates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_lambda import LambdaClient

    from localaws import LocalAws

DIMENSION: Final = "lambda:function:ProvisionedConcurrency"


@pytest.fixture
def client(aws: LocalAws) -> ApplicationAutoScalingClient:
    """A client, and a function `f` with the alias `live`."""
    aws.create_function("f")
    config = Config(retries={"total_max_attempts": 1})
    return aws.session().client("application-autoscaling", endpoint_url=aws.endpoint_url, config=config)


@pytest.fixture
def functions(aws: LocalAws) -> LambdaClient:
    """A Lambda client."""
    return aws.session().client("lambda", endpoint_url=aws.endpoint_url)


def register(client: ApplicationAutoScalingClient, minimum: int, maximum: int, *, alias: str = "live") -> str:
    """Register an alias of `f`; answers the target's ARN."""
    answer = client.register_scalable_target(
        ServiceNamespace="lambda",
        ResourceId=f"function:f:{alias}",
        ScalableDimension=DIMENSION,
        MinCapacity=minimum,
        MaxCapacity=maximum,
    )
    return answer["ScalableTargetARN"]


def requested(functions: LambdaClient) -> int:
    """Provisioned concurrency requested for `f:live`; 0: no config."""
    configs = functions.list_provisioned_concurrency_configs(FunctionName="f")["ProvisionedConcurrencyConfigs"]
    return sum(config["RequestedProvisionedConcurrentExecutions"] for config in configs)


def test_registering_brings_the_capacity_into_its_bounds(
    aws: LocalAws, client: ApplicationAutoScalingClient, functions: LambdaClient
) -> None:
    """Up to the minimum, down to the maximum, and untouched between."""
    for minimum, maximum, expected in [(5, 20, 5), (2, 20, 5), (1, 3, 3), (0, 0, 0)]:
        register(client, minimum, maximum)
        aws.advance(120)
        assert requested(functions) == expected


def test_an_update_may_leave_bounds_out_and_still_clamps(
    aws: LocalAws, client: ApplicationAutoScalingClient, functions: LambdaClient
) -> None:
    """A capacity set behind its back stands until the next registration, whatever that says."""
    arn = register(client, 1, 5)
    aws.advance(120)
    functions.put_provisioned_concurrency_config(FunctionName="f", Qualifier="live", ProvisionedConcurrentExecutions=9)
    aws.advance(86_400)
    assert requested(functions) == 9
    again = client.register_scalable_target(
        ServiceNamespace="lambda", ResourceId="function:f:live", ScalableDimension=DIMENSION
    )
    assert again["ScalableTargetARN"] == arn
    assert requested(functions) == 5


def test_what_lambda_refuses_is_a_failed_activity(aws: LocalAws, client: ApplicationAutoScalingClient) -> None:
    """The registration itself goes through."""
    aws.publish_version("f")
    aws.create_alias("f", "live", version="1", weights={"2": 0.5})
    register(client, 1, 5)
    (activity,) = client.describe_scaling_activities(ServiceNamespace="lambda")["ScalingActivities"]
    assert activity["StatusCode"] == "Failed"
    assert "Alias with weights" in activity["StatusMessage"]


def test_deregistering_leaves_the_capacity_and_takes_the_policies(
    aws: LocalAws, client: ApplicationAutoScalingClient, functions: LambdaClient
) -> None:
    """The capacity that was bought stays, and costs."""
    register(client, 3, 5)
    client.put_scaling_policy(
        PolicyName="tracking",
        ServiceNamespace="lambda",
        ResourceId="function:f:live",
        ScalableDimension=DIMENSION,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 0.7},
    )
    (policy,) = client.describe_scaling_policies(ServiceNamespace="lambda")["ScalingPolicies"]
    assert policy["PolicyName"] == "tracking"
    client.deregister_scalable_target(
        ServiceNamespace="lambda", ResourceId="function:f:live", ScalableDimension=DIMENSION
    )
    aws.advance(120)
    assert requested(functions) == 3
    assert client.describe_scaling_policies(ServiceNamespace="lambda")["ScalingPolicies"] == []


def test_a_policy_needs_a_target_and_can_not_be_step_scaling(client: ApplicationAutoScalingClient) -> None:
    """Lambda has target tracking and scheduled actions only."""
    policy = {"ServiceNamespace": "lambda", "ResourceId": "function:f:live", "PolicyName": "p"}
    with pytest.raises(ClientError, match="No scalable target found"):
        client.put_scaling_policy(**policy, ScalableDimension=DIMENSION, PolicyType="TargetTrackingScaling")  # type: ignore[arg-type] # strings for literals
    register(client, 1, 1)
    with pytest.raises(ClientError, match="StepScaling is not supported"):
        client.put_scaling_policy(**policy, ScalableDimension=DIMENSION, PolicyType="StepScaling")  # type: ignore[arg-type] # strings for literals


@pytest.mark.parametrize("resource", ["function:f:$LATEST", "function:f", "function:f:nosuch", "function:none:live"])
def test_only_what_exists_and_can_have_capacity_is_registered(
    client: ApplicationAutoScalingClient, resource: str
) -> None:
    """An alias or a published version that is there."""
    with pytest.raises(ClientError) as caught:
        client.register_scalable_target(
            ServiceNamespace="lambda",
            ResourceId=resource,
            ScalableDimension=DIMENSION,
            MinCapacity=1,
            MaxCapacity=1,
        )
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_tags_tell_whose_a_target_is(client: ApplicationAutoScalingClient) -> None:
    """Given at the first registration, changed by tagging only."""
    arn = register(client, 1, 1)
    client.tag_resource(ResourceARN=arn, Tags={"owner": "warmcast", "team": "a"})
    client.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"owner": "warmcast"}
    with pytest.raises(ClientError) as caught:
        client.list_tags_for_resource(ResourceARN=f"{arn}x")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_targets_come_in_pages_of_fifty(aws: LocalAws, client: ApplicationAutoScalingClient) -> None:
    """All aliases are found behind the tokens."""
    for number in range(60):
        aws.create_alias("f", f"a{number}")
        register(client, 0, 1, alias=f"a{number}")
    pages = client.get_paginator("describe_scalable_targets").paginate(ServiceNamespace="lambda")
    assert [len(page["ScalableTargets"]) for page in pages] == [50, 10]


def test_a_pending_update_can_be_injected(aws: LocalAws, client: ApplicationAutoScalingClient) -> None:
    """ConcurrentUpdateException, for the function that is named."""
    aws.inject("RegisterScalableTarget", function="f", code="ConcurrentUpdateException", message="pending update")
    with pytest.raises(client.exceptions.ConcurrentUpdateException):
        register(client, 1, 1)
    register(client, 1, 1)
