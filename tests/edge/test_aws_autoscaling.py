"""The Application Auto Scaling client on the local AWS: registrations, whose they are, and their policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from builders import CHECKOUT, target
from warmcast.aws.autoscaling import DIMENSION, NAMESPACE, OUR_TAG, POLICY_NAME
from warmcast.errors import AwsError
from warmcast.model import ScalableTarget

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient

    from localaws import LocalAws
    from warmcast.aws.session import Clients

RESOURCE = "function:checkout-api:live"


@pytest.fixture
def scaling(aws: LocalAws) -> ApplicationAutoScalingClient:
    """A plain client, to be somebody else with; `checkout-api:live` exists with 10 units."""
    aws.create_function("checkout-api")
    aws.set_provisioned("checkout-api", "live", 10)
    return aws.session().client("application-autoscaling", endpoint_url=aws.endpoint_url)


def register_as_somebody_else(scaling: ApplicationAutoScalingClient, resource: str = RESOURCE) -> None:
    """What another team's stack does: a registration with its own tag."""
    scaling.register_scalable_target(
        ServiceNamespace=NAMESPACE,
        ResourceId=resource,
        ScalableDimension=DIMENSION,
        MinCapacity=5,
        MaxCapacity=50,
        Tags={"owner": "search"},
    )


def tags(scaling: ApplicationAutoScalingClient) -> dict[str, str]:
    """The tags of the tests' registration."""
    found = scaling.describe_scalable_targets(ServiceNamespace=NAMESPACE, ResourceIds=[RESOURCE])["ScalableTargets"]
    return scaling.list_tags_for_resource(ResourceARN=found[0]["ScalableTargetARN"])["Tags"]


def test_what_we_register_is_ours(scaling: ApplicationAutoScalingClient, clients: Clients) -> None:
    """A registration of ours carries our tag and is known by it."""
    clients.autoscaling.register(CHECKOUT, 4, 40)
    assert OUR_TAG in tags(scaling)
    assert clients.autoscaling.describe([CHECKOUT]) == {CHECKOUT: ScalableTarget(minimum=4, maximum=40, ours=True)}


def test_what_somebody_else_registered_is_not_ours(scaling: ApplicationAutoScalingClient, clients: Clients) -> None:
    """A registration without our tag is another's; an unregistered target is not listed at all."""
    register_as_somebody_else(scaling)
    found = clients.autoscaling.describe([CHECKOUT, target("search:live")])
    assert found == {CHECKOUT: ScalableTarget(minimum=5, maximum=50, ours=False)}


def test_an_adopted_registration_keeps_its_owners_tags(scaling: ApplicationAutoScalingClient, clients: Clients) -> None:
    """Changing another's bounds, as `adopt` allows, does not make it look like ours."""
    register_as_somebody_else(scaling)
    clients.autoscaling.register(CHECKOUT, 6, 60)
    assert tags(scaling) == {"owner": "search"}
    assert clients.autoscaling.describe([CHECKOUT])[CHECKOUT] == ScalableTarget(minimum=6, maximum=60, ours=False)


def test_changing_the_bounds_keeps_our_tag(scaling: ApplicationAutoScalingClient, clients: Clients) -> None:
    """The second registration is a change of the first."""
    clients.autoscaling.register(CHECKOUT, 4, 40)
    clients.autoscaling.register(CHECKOUT, 8, 80)
    assert OUR_TAG in tags(scaling)
    assert clients.autoscaling.describe([CHECKOUT])[CHECKOUT] == ScalableTarget(minimum=8, maximum=80, ours=True)


def test_many_targets_are_described_fifty_at_a_time_and_tags_read_once(aws: LocalAws, clients: Clients) -> None:
    """120 targets, 60 of them registered: three calls, and the tags of ours are not asked for again."""
    targets = [target(f"function-{n}:live") for n in range(120)]
    for each in targets[:60]:
        aws.create_function(each.function)
        clients.autoscaling.register(each, 1, 10)
    clients.calls.reset()
    assert list(clients.autoscaling.describe(targets)) == targets[:60]
    assert clients.calls.counts == {
        "application-auto-scaling.DescribeScalableTargets": 3,
        "application-auto-scaling.ListTagsForResource": 60,
    }
    clients.calls.reset()
    clients.autoscaling.describe(targets)
    assert clients.calls.counts == {"application-auto-scaling.DescribeScalableTargets": 3}


def test_describing_nothing_asks_nothing(clients: Clients) -> None:
    """No targets, no call: an empty list of ids would ask for everybody's."""
    assert clients.autoscaling.describe([]) == {}
    assert clients.calls.counts == {}


def test_a_registration_that_vanishes_meanwhile_is_not_ours(
    aws: LocalAws, scaling: ApplicationAutoScalingClient, clients: Clients
) -> None:
    """Gone between the two reads: the cautious answer, and no failure."""
    register_as_somebody_else(scaling)
    aws.inject("ListTagsForResource", code="ResourceNotFoundException", message="gone")
    assert not clients.autoscaling.describe([CHECKOUT])[CHECKOUT].ours


def test_tags_that_we_may_not_read_are_an_error(
    aws: LocalAws, scaling: ApplicationAutoScalingClient, clients: Clients
) -> None:
    """A denied read must not pass for "not ours"."""
    register_as_somebody_else(scaling)
    aws.inject("ListTagsForResource", code="AccessDeniedException", message="no")
    with pytest.raises(AwsError, match="ListTagsForResource: AccessDeniedException"):
        clients.autoscaling.describe([CHECKOUT])


def test_the_policy_tracks_the_maximum_and_reads_idle_as_zero(
    scaling: ApplicationAutoScalingClient, clients: Clients
) -> None:
    """Metric math over Maximum(ProvisionedConcurrencyUtilization) of the alias, with missing minutes as 0."""
    clients.autoscaling.register(CHECKOUT, 4, 40)
    assert clients.autoscaling.ensure_policy(CHECKOUT, utilization=0.6)
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace=NAMESPACE, ResourceId=RESOURCE)["ScalingPolicies"]
    assert (policy["PolicyName"], policy["PolicyType"]) == (POLICY_NAME, "TargetTrackingScaling")
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["TargetValue"] == 0.6
    metric, idle = tracking["CustomizedMetricSpecification"]["Metrics"]
    assert metric["MetricStat"]["Stat"] == "Maximum"
    assert metric["MetricStat"]["Metric"]["MetricName"] == "ProvisionedConcurrencyUtilization"
    assert metric["MetricStat"]["Metric"]["Dimensions"] == [
        {"Name": "FunctionName", "Value": "checkout-api"},
        {"Name": "Resource", "Value": "checkout-api:live"},
    ]
    assert (idle["Expression"], idle["ReturnData"], metric["ReturnData"]) == ("FILL(m1, 0)", True, False)


def test_the_policy_is_written_once_and_again_where_it_changed_or_got_lost(
    scaling: ApplicationAutoScalingClient, clients: Clients
) -> None:
    """Ensuring reads first: no second write for the same, one for another utilization, one after a deletion."""
    clients.autoscaling.register(CHECKOUT, 4, 40)
    assert clients.autoscaling.ensure_policy(CHECKOUT)
    assert not clients.autoscaling.ensure_policy(CHECKOUT)
    assert clients.autoscaling.ensure_policy(CHECKOUT, utilization=0.5)
    scaling.delete_scaling_policy(
        PolicyName=POLICY_NAME, ServiceNamespace=NAMESPACE, ResourceId=RESOURCE, ScalableDimension=DIMENSION
    )
    assert clients.autoscaling.ensure_policy(CHECKOUT, utilization=0.5)


def test_a_policy_needs_a_registration(clients: Clients, scaling: ApplicationAutoScalingClient) -> None:
    """AWS says so, and its code comes out."""
    del scaling
    with pytest.raises(AwsError, match="PutScalingPolicy: ObjectNotFoundException"):
        clients.autoscaling.ensure_policy(CHECKOUT)


def test_deregistering_keeps_the_capacity_and_may_be_repeated(
    aws: LocalAws, scaling: ApplicationAutoScalingClient, clients: Clients
) -> None:
    """The registration goes and what is allocated stays; a second time there is nothing to do."""
    del aws, scaling
    clients.autoscaling.register(CHECKOUT, 4, 40)
    clients.autoscaling.deregister(CHECKOUT)
    clients.autoscaling.deregister(CHECKOUT)
    assert clients.autoscaling.describe([CHECKOUT]) == {}
    assert clients.functions.provisioned("checkout-api")["live"].requested == 10
