"""Policies, scheduled actions and activities of Application Auto Scaling, as its listings answer them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient

    from localaws import LocalAws

DIMENSION: Final = "lambda:function:ProvisionedConcurrency"
RESOURCE: Final = "function:f:live"


@pytest.fixture
def client(aws: LocalAws) -> ApplicationAutoScalingClient:
    """A client, and the registered alias `f:live` with the bounds 1 and 20."""
    aws.create_function("f")
    client = aws.session().client("application-autoscaling", endpoint_url=aws.endpoint_url)
    client.register_scalable_target(
        ServiceNamespace="lambda", ResourceId=RESOURCE, ScalableDimension=DIMENSION, MinCapacity=1, MaxCapacity=20
    )
    return client


def put_tracking(client: ApplicationAutoScalingClient, name: str, target: float) -> None:
    """Track AWS's own utilization."""
    client.put_scaling_policy(
        PolicyName=name,
        ServiceNamespace="lambda",
        ResourceId=RESOURCE,
        ScalableDimension=DIMENSION,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": target,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "LambdaProvisionedConcurrencyUtilization"},
        },
    )


def test_a_policy_is_described_as_it_was_put_with_its_two_alarms(client: ApplicationAutoScalingClient) -> None:
    """A second Put of the same name changes the target and keeps ARN and alarms."""
    put_tracking(client, "tracking", 0.7)
    (first,) = client.describe_scaling_policies(ServiceNamespace="lambda")["ScalingPolicies"]
    put_tracking(client, "tracking", 0.5)
    (policy,) = client.describe_scaling_policies(
        ServiceNamespace="lambda", ResourceId=RESOURCE, ScalableDimension=DIMENSION, PolicyNames=["tracking", "other"]
    )["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 0.5
    assert policy["PolicyARN"] == first["PolicyARN"]
    assert [alarm["AlarmName"][:43] for alarm in policy["Alarms"]] == [
        "TargetTracking-function:f:live-AlarmHigh-" + policy["Alarms"][0]["AlarmName"][41:43],
        "TargetTracking-function:f:live-AlarmLow-" + policy["Alarms"][1]["AlarmName"][40:43],
    ]


def test_policies_come_in_pages_of_ten_and_can_be_deleted(client: ApplicationAutoScalingClient) -> None:
    """The paginator finds all of them; one that is gone can't be deleted again."""
    for number in range(12):
        put_tracking(client, f"p{number}", 0.7)
    pages = client.get_paginator("describe_scaling_policies").paginate(ServiceNamespace="lambda")
    assert [len(page["ScalingPolicies"]) for page in pages] == [10, 2]
    client.delete_scaling_policy(
        PolicyName="p3", ServiceNamespace="lambda", ResourceId=RESOURCE, ScalableDimension=DIMENSION
    )
    with pytest.raises(client.exceptions.ObjectNotFoundException):
        client.delete_scaling_policy(
            PolicyName="p3", ServiceNamespace="lambda", ResourceId=RESOURCE, ScalableDimension=DIMENSION
        )


def test_an_update_of_a_scheduled_action_deletes_the_bounds_that_it_leaves_out(
    client: ApplicationAutoScalingClient,
) -> None:
    """Schedule, zone and capacities stay; StartTime and EndTime go."""
    start = datetime(2026, 12, 1, tzinfo=UTC)
    client.put_scheduled_action(
        ServiceNamespace="lambda",
        ScheduledActionName="morning",
        ResourceId=RESOURCE,
        ScalableDimension=DIMENSION,
        Schedule="cron(0 8 ? * MON-FRI *)",
        Timezone="Europe/London",
        StartTime=start,
        EndTime=start + timedelta(days=30),
        ScalableTargetAction={"MinCapacity": 10, "MaxCapacity": 20},
    )
    (put,) = client.describe_scheduled_actions(ServiceNamespace="lambda")["ScheduledActions"]
    assert put["StartTime"] == start
    client.put_scheduled_action(
        ServiceNamespace="lambda",
        ScheduledActionName="morning",
        ResourceId=RESOURCE,
        ScalableDimension=DIMENSION,
        ScalableTargetAction={"MinCapacity": 12},
    )
    (action,) = client.describe_scheduled_actions(ServiceNamespace="lambda", ResourceId=RESOURCE)["ScheduledActions"]
    assert action["ScalableTargetAction"] == {"MinCapacity": 12}
    assert (action["Schedule"], action["Timezone"]) == ("cron(0 8 ? * MON-FRI *)", "Europe/London")
    assert not {"StartTime", "EndTime"} & set(action)


@pytest.mark.parametrize("schedule", ["0 8 * * *", "cron(0 8 * * *)", "at(2026-11-02)", "rate(5)", ""])
def test_an_expression_that_is_none_is_refused(client: ApplicationAutoScalingClient, schedule: str) -> None:
    """Six fields of cron, an instant to the second, or a rate with its unit."""
    with pytest.raises(ClientError) as caught:
        client.put_scheduled_action(
            ServiceNamespace="lambda",
            ScheduledActionName="bad",
            ResourceId=RESOURCE,
            ScalableDimension=DIMENSION,
            Schedule=schedule or "x",
            ScalableTargetAction={"MinCapacity": 1},
        )
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_scheduled_actions_come_in_pages_of_fifty_up_to_two_hundred(client: ApplicationAutoScalingClient) -> None:
    """The two hundred and first of a target is refused."""
    for number in range(200):
        client.put_scheduled_action(
            ServiceNamespace="lambda",
            ScheduledActionName=f"a{number}",
            ResourceId=RESOURCE,
            ScalableDimension=DIMENSION,
            Schedule="rate(1 day)",
            ScalableTargetAction={"MinCapacity": 1},
        )
    pages = client.get_paginator("describe_scheduled_actions").paginate(ServiceNamespace="lambda")
    assert [len(page["ScheduledActions"]) for page in pages] == [50, 50, 50, 50]
    with pytest.raises(client.exceptions.LimitExceededException):
        client.put_scheduled_action(
            ServiceNamespace="lambda",
            ScheduledActionName="one more",
            ResourceId=RESOURCE,
            ScalableDimension=DIMENSION,
            Schedule="rate(1 day)",
            ScalableTargetAction={"MinCapacity": 1},
        )


def test_deregistering_takes_the_scheduled_actions(client: ApplicationAutoScalingClient) -> None:
    """And a new one needs a new registration."""
    action = {"ServiceNamespace": "lambda", "ScheduledActionName": "a", "ResourceId": RESOURCE}
    put = {**action, "Schedule": "rate(1 day)", "ScalableTargetAction": {"MinCapacity": 1}}
    client.put_scheduled_action(**put, ScalableDimension=DIMENSION)  # type: ignore[arg-type] # strings for literals
    client.deregister_scalable_target(ServiceNamespace="lambda", ResourceId=RESOURCE, ScalableDimension=DIMENSION)
    assert client.describe_scheduled_actions(ServiceNamespace="lambda")["ScheduledActions"] == []
    with pytest.raises(client.exceptions.ObjectNotFoundException):
        client.put_scheduled_action(**put, ScalableDimension=DIMENSION)  # type: ignore[arg-type] # strings for literals


def test_activities_read_as_aws_words_them_newest_first(aws: LocalAws, client: ApplicationAutoScalingClient) -> None:
    """The capacity stands in the text; those of more than six weeks ago are gone."""
    now = aws.now()
    aws.load_activity("f", "live", now - timedelta(days=43), 3)
    aws.load_activity("f", "live", now - timedelta(hours=2), 12)
    aws.load_activity("f", "live", now - timedelta(days=2), 9, status="Failed", reason="no room")
    found = client.describe_scaling_activities(ServiceNamespace="lambda", ResourceId=RESOURCE)["ScalingActivities"]
    assert [activity["Description"] for activity in found] == [
        "Setting desired concurrency to 1.",
        "Setting desired concurrency to 12.",
        "Setting desired concurrency to 9.",
    ]
    assert found[0]["Cause"] == "minimum capacity was set to 1"
    assert found[1].get("StatusMessage", "").startswith("Successfully set desired concurrency to 12.")
    assert "in state ALARM triggered policy" in found[1]["Cause"]
    assert found[2].get("StatusMessage") == "Failed to set desired concurrency to 9. Reason: no room"


def test_what_was_not_scaled_is_listed_only_if_asked_for(aws: LocalAws, client: ApplicationAutoScalingClient) -> None:
    """With the reasons as codes."""
    aws.load_activity("f", "live", aws.now(), 20, status="Unfulfilled", not_scaled=["AlreadyAtMaxCapacity"])
    assert len(client.describe_scaling_activities(ServiceNamespace="lambda")["ScalingActivities"]) == 1
    found = client.describe_scaling_activities(ServiceNamespace="lambda", IncludeNotScaledActivities=True)
    assert found["ScalingActivities"][0].get("NotScaledReasons") == [
        {"Code": "AlreadyAtMaxCapacity", "CurrentCapacity": 20}
    ]


def test_a_listing_by_dimension_needs_a_resource(client: ApplicationAutoScalingClient) -> None:
    """The API's own words ask for both."""
    with pytest.raises(ClientError, match="resource ID must be specified"):
        client.describe_scheduled_actions(ServiceNamespace="lambda", ScalableDimension=DIMENSION)
    with pytest.raises(ClientError, match="resource ID must be specified"):
        client.describe_scalable_targets(ServiceNamespace="lambda", ScalableDimension=DIMENSION)
