"""The readers of a scan on the local AWS: what Lambda and Application Auto Scaling say, in the scan's words."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from builders import CHECKOUT, NOON
from scripted import StepClock
from warmcast.aws.readers import make_readers
from warmcast.errors import AwsError
from warmcast.model import AccountLimits
from warmcast.scan.found import Activity, AliasSeen, Place, Scaling, Scheduled, Tracking

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_application_autoscaling.type_defs import (
        CustomizedMetricSpecificationTypeDef,
        TargetTrackingScalingPolicyConfigurationTypeDef,
    )

    from localaws import LocalAws
    from warmcast.aws.readers import Readers

FUNCTION, ALIAS = CHECKOUT.function, CHECKOUT.qualifier
RESOURCE = f"function:{FUNCTION}:{ALIAS}"
DIMENSION: Final = "lambda:function:ProvisionedConcurrency"


@pytest.fixture(scope="module")
def shared_readers(running_aws: LocalAws) -> Readers:
    """Making clients takes a while, so the tests share them; their clock steps."""
    running_aws.reset()  # faults of the test before would meet the first question
    url = running_aws.endpoint_url
    return make_readers(region=CHECKOUT.region, profile=None, endpoint_url=url, clock=StepClock())


@pytest.fixture
def readers(aws: LocalAws, shared_readers: Readers) -> Readers:
    """Readers of an emptied local AWS, their counts at zero."""
    del aws
    shared_readers.calls.reset()
    return shared_readers


@pytest.fixture
def scaling(aws: LocalAws) -> ApplicationAutoScalingClient:
    """A plain client of Application Auto Scaling, to set things up with."""
    return aws.session().client("application-autoscaling", endpoint_url=aws.endpoint_url)


def register(
    client: ApplicationAutoScalingClient, minimum: int = 1, maximum: int = 9, tags: dict[str, str] | None = None
) -> None:
    """Register the alias as a scalable target."""
    client.register_scalable_target(
        ServiceNamespace="lambda",
        ResourceId=RESOURCE,
        ScalableDimension=DIMENSION,
        MinCapacity=minimum,
        MaxCapacity=maximum,
        Tags=tags or {},
    )


# --- Lambda ----------------------------------------------------------------------------------------------------------


def test_every_function_is_listed_fifty_to_a_call(aws: LocalAws, readers: Readers) -> None:
    """120 functions are three pages."""
    aws.create_functions([f"job-{number:03}" for number in range(120)])
    assert sum(1 for _ in readers.inventory.functions()) == 120
    assert readers.calls.counts == {"lambda.ListFunctions": 3}


def test_a_listing_tells_what_a_verdict_needs_of_a_function(aws: LocalAws, readers: Readers) -> None:
    """Runtime, memory, processor, timeout, SnapStart and why it can't have provisioned concurrency."""
    aws.create_function("search", memory_mb=1536, timeout_s=9, architecture="arm64", runtime="java21", snap_start=True)
    (seen,) = readers.inventory.functions()
    assert (seen.name, seen.runtime, seen.package) == ("search", "java21", "Zip")
    assert (seen.memory_mb, seen.architecture, seen.timeout_s, seen.ephemeral_mb) == (1536, "arm64", 9.0, 512)
    assert seen.snap_start
    assert seen.ineligible == "SnapStart is on for its published versions"


def test_details_add_the_stack_and_the_reservation(aws: LocalAws, readers: Readers) -> None:
    """The stack by CloudFormation's own tag; None is no reservation, 0 is one."""
    aws.create_function("plain")
    aws.create_function("paused", reserved=0, tags={"aws:cloudformation:stack-name": "shop", "team": "payments"})
    paused, plain = (readers.inventory.details(each) for each in readers.inventory.functions())
    assert (plain.stack, plain.reserved, plain.unread) == ("", None, ())
    assert (paused.stack, paused.reserved) == ("shop", 0)


def test_aliases_tell_version_and_weights(aws: LocalAws, readers: Readers) -> None:
    """A canary and an alias at rest."""
    aws.create_function(FUNCTION)
    aws.publish_version(FUNCTION, memory_mb=2048)
    aws.create_alias(FUNCTION, "next", version="1", weights={"2": 0.1})
    assert readers.inventory.aliases(FUNCTION) == {"live": AliasSeen("1"), "next": AliasSeen("1", {"2": 0.1})}


def test_capacities_and_the_accounts_limits_come_as_the_controller_reads_them(aws: LocalAws, readers: Readers) -> None:
    """By qualifier; the account's concurrency and what is not reserved."""
    aws.create_function(FUNCTION, reserved=100)
    aws.set_provisioned(FUNCTION, ALIAS, 7)
    capacities = readers.inventory.provisioned(FUNCTION)
    assert {qualifier: each.requested for qualifier, each in capacities.items()} == {ALIAS: 7}
    assert readers.inventory.account() == AccountLimits(concurrency=1000, unreserved=900)


def test_a_page_that_is_denied_leaves_those_before_it(aws: LocalAws, readers: Readers) -> None:
    """The error names operation and code, and comes after the functions of the first page."""
    aws.create_functions([f"job-{number:03}" for number in range(60)])
    listing = readers.inventory.functions()
    first = [next(listing) for _ in range(50)]
    aws.deny("lambda:ListFunctions")
    with pytest.raises(AwsError, match="ListFunctions: AccessDenied"):
        next(listing)
    assert len(first) == 50


# --- Application Auto Scaling ----------------------------------------------------------------------------------------


def test_a_scalable_target_comes_with_all_that_moves_it(
    aws: LocalAws, readers: Readers, scaling: ApplicationAutoScalingClient
) -> None:
    """Bounds, target tracking by AWS's metric, a schedule in a zone: three calls for all targets, none for tags."""
    aws.create_function(FUNCTION)
    aws.set_provisioned(FUNCTION, ALIAS, 2)
    register(scaling)
    scaling.put_scaling_policy(
        PolicyName="track",
        ServiceNamespace="lambda",
        ResourceId=RESOURCE,
        ScalableDimension=DIMENSION,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 0.7,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "LambdaProvisionedConcurrencyUtilization"},
            "DisableScaleIn": True,
        },
    )
    scaling.put_scheduled_action(
        ServiceNamespace="lambda",
        ScheduledActionName="morning",
        ResourceId=RESOURCE,
        ScalableDimension=DIMENSION,
        Schedule="cron(0 8 ? * MON-FRI *)",
        Timezone="Europe/London",
        EndTime=NOON + timedelta(days=30),
        ScalableTargetAction={"MinCapacity": 5},
    )
    assert readers.scalings.all() == {
        (FUNCTION, ALIAS): Scaling(
            minimum=1,
            maximum=9,
            tracking=(
                Tracking("track", 0.7, "LambdaProvisionedConcurrencyUtilization", predefined=True, scale_in=False),
            ),
            scheduled=(
                Scheduled(
                    "morning", "cron(0 8 ? * MON-FRI *)", "Europe/London", end=NOON + timedelta(days=30), minimum=5
                ),
            ),
        )
    }
    assert readers.calls.counts == {
        "application-auto-scaling.DescribeScalableTargets": 1,
        "application-auto-scaling.DescribeScalingPolicies": 1,
        "application-auto-scaling.DescribeScheduledActions": 1,
    }


OWN: CustomizedMetricSpecificationTypeDef = {"Namespace": "Shop", "MetricName": "Queue", "Statistic": "Maximum"}
MATH: CustomizedMetricSpecificationTypeDef = {
    "Metrics": [
        {
            "Id": "m1",
            "ReturnData": False,
            "MetricStat": {
                "Stat": "Maximum",
                "Metric": {
                    "Namespace": "AWS/Lambda",
                    "MetricName": "ProvisionedConcurrencyUtilization",
                    "Dimensions": [{"Name": "FunctionName", "Value": FUNCTION}],
                },
            },
        },
        {"Id": "e1", "Expression": "FILL(m1, 0)", "ReturnData": True},
    ]
}


@pytest.mark.parametrize(
    ("specification", "words"),
    [
        (OWN, "Maximum of Shop Queue"),
        (
            MATH,
            "FILL(m1, 0), m1 = Maximum of AWS/Lambda ProvisionedConcurrencyUtilization {FunctionName=checkout-api}",
        ),
    ],
    ids=["metric", "math"],
)
def test_a_metric_of_ones_own_is_told_in_words(
    aws: LocalAws,
    readers: Readers,
    scaling: ApplicationAutoScalingClient,
    specification: CustomizedMetricSpecificationTypeDef,
    words: str,
) -> None:
    """Statistic, namespace and name; metric math as its expressions and the series they are of."""
    aws.create_function(FUNCTION)
    register(scaling)
    settings: TargetTrackingScalingPolicyConfigurationTypeDef = {
        "TargetValue": 40,
        "CustomizedMetricSpecification": specification,
    }
    scaling.put_scaling_policy(
        PolicyName="own",
        ServiceNamespace="lambda",
        ResourceId=RESOURCE,
        ScalableDimension=DIMENSION,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=settings,
    )
    ((tracking,),) = [each.tracking for each in readers.scalings.all().values()]
    assert (tracking.target, tracking.metric, tracking.predefined) == (40, words, False)


@pytest.mark.parametrize(("tags", "ours"), [({"warmcast": "registered"}, True), ({}, False)], ids=["tag", "none"])
def test_ours_is_told_by_our_tag_where_nothing_else_moves_it(
    aws: LocalAws,
    readers: Readers,
    scaling: ApplicationAutoScalingClient,
    *,
    tags: dict[str, str],
    ours: bool,
) -> None:
    """A target without policies and schedules may be ours, so its tags are read."""
    aws.create_function(FUNCTION)
    register(scaling, tags=tags)
    (seen,) = readers.scalings.all().values()
    assert seen.ours is ours
    assert readers.calls.counts["application-auto-scaling.ListTagsForResource"] == 1


def test_activities_come_newest_first_with_the_capacity_that_they_set(aws: LocalAws, readers: Readers) -> None:
    """A failed one set none; pages stop at the first that is older than asked."""
    aws.create_function(FUNCTION)
    for hours, status in ((3, "Successful"), (1, "Failed"), (2, "InProgress")):
        aws.load_activity(FUNCTION, ALIAS, NOON - timedelta(hours=hours), 10 + hours, status=status, cause="an alarm")
    seen = readers.scalings.activities(FUNCTION, ALIAS)
    assert [(each.at, each.capacity, each.status) for each in seen] == [
        (NOON - timedelta(hours=1), None, "Failed"),
        (NOON - timedelta(hours=2), 12, "InProgress"),
        (NOON - timedelta(hours=3), 13, "Successful"),
    ]
    oldest = Activity(seen[2].at, 13, "Setting desired concurrency to 13.", "an alarm", "Successful")
    assert seen[2] == oldest


def test_old_pages_of_activities_are_not_asked_for(aws: LocalAws, readers: Readers) -> None:
    """150 activities are three pages; those of the last day stand on the first."""
    aws.create_function(FUNCTION)
    for hours in range(150, 0, -1):
        aws.load_activity(FUNCTION, ALIAS, NOON - timedelta(hours=hours), hours)
    seen = readers.scalings.activities(FUNCTION, ALIAS, since=NOON - timedelta(days=1))
    assert seen[0].capacity == 1
    assert readers.calls.counts["application-auto-scaling.DescribeScalingActivities"] == 2


# --- the whole -------------------------------------------------------------------------------------------------------


def test_readers_say_where_they_are(readers: Readers) -> None:
    """Account by STS, Region as given, no profile."""
    assert readers.place == Place(CHECKOUT.account, CHECKOUT.region, "")


def test_throttling_does_not_end_a_scan(aws: LocalAws, readers: Readers) -> None:
    """Three refusals in a row, and then the answer."""
    aws.create_function(FUNCTION)
    aws.inject("ListAliases", times=3, code="TooManyRequestsException", message="Rate Exceeded.", status=429)
    assert set(readers.inventory.aliases(FUNCTION)) == {ALIAS}
    assert readers.calls.counts["lambda.ListAliases"] == 4
