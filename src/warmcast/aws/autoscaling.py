"""Application Auto Scaling as Warmcast needs it: scalable targets for provisioned concurrency, and their one policy.

The only module that calls it. Registrations that we create carry our tag, which tells them from other people's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from warmcast.aws.answers import translated
from warmcast.errors import AwsError
from warmcast.model import ScalableTarget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_application_autoscaling.type_defs import (
        RegisterScalableTargetRequestTypeDef,
        ScalableTargetTypeDef,
        TargetTrackingScalingPolicyConfigurationTypeDef,
    )

    from warmcast.model import TargetId

NAMESPACE: Final = "lambda"
DIMENSION: Final = "lambda:function:ProvisionedConcurrency"
OUR_TAG: Final = "warmcast"
POLICY_NAME: Final = "warmcast-target-tracking"
UTILIZATION: Final = 0.7  # AWS's own example for Lambda, between its bounds of 0.1 and 0.9

_MOST_RESOURCES = 50  # DescribeScalableTargets takes no more in one call


class AutoScaling:
    """The calls of Application Auto Scaling that we use; each raises AwsError."""

    def __init__(self, client: ApplicationAutoScalingClient) -> None:
        self._client = client
        self._ours: set[str] = set()  # ARNs seen with our tag: an ARN is never used twice

    def describe(self, targets: Sequence[TargetId]) -> Mapping[TargetId, ScalableTarget]:
        """Those of the targets that are registered, in batches of 50; tags are read once for each that is ours."""
        by_resource = {_resource(target): target for target in targets}
        resources = list(by_resource)
        found = {}
        for start in range(0, len(resources), _MOST_RESOURCES):
            for registered in self._registered(resources[start : start + _MOST_RESOURCES]):
                found[by_resource[registered["ResourceId"]]] = ScalableTarget(
                    minimum=registered["MinCapacity"],
                    maximum=registered["MaxCapacity"],
                    ours=self._is_ours(registered.get("ScalableTargetARN", "")),
                )
        return found

    def register(self, target: TargetId, minimum: int, maximum: int) -> None:
        """Set a target's minimum and maximum, registering it (tagged as ours) where it is not registered yet.

        AWS then moves the present capacity into the bounds: a raised minimum raises it, a lowered one lowers nothing.
        The tag goes along only on creation, as the API asks; an adopted registration keeps its owner's tags.
        """
        request: RegisterScalableTargetRequestTypeDef = {
            "ServiceNamespace": NAMESPACE,
            "ResourceId": _resource(target),
            "ScalableDimension": DIMENSION,
            "MinCapacity": minimum,
            "MaxCapacity": maximum,
        }
        if not self._registered([_resource(target)]):
            request["Tags"] = {OUR_TAG: "registered"}
        with translated("RegisterScalableTarget"):
            self._client.register_scalable_target(**request)

    def ensure_policy(self, target: TargetId, *, utilization: float = UTILIZATION) -> bool:
        """Give a registered target our target-tracking policy unless it has it already; whether it was written."""
        if self._policy_target(target) == utilization:
            return False
        with translated("PutScalingPolicy"):
            self._client.put_scaling_policy(
                PolicyName=POLICY_NAME,
                ServiceNamespace=NAMESPACE,
                ResourceId=_resource(target),
                ScalableDimension=DIMENSION,
                PolicyType="TargetTrackingScaling",
                TargetTrackingScalingPolicyConfiguration=_tracking(target, utilization),
            )
        return True

    def deregister(self, target: TargetId) -> None:
        """Remove a registration with its policies and scheduled actions; its capacity stays. None: nothing to do."""
        try:
            with translated("DeregisterScalableTarget"):
                self._client.deregister_scalable_target(
                    ServiceNamespace=NAMESPACE, ResourceId=_resource(target), ScalableDimension=DIMENSION
                )
        except AwsError as error:
            if error.code != "ObjectNotFoundException":
                raise

    def _registered(self, resources: Sequence[str]) -> list[ScalableTargetTypeDef]:
        with translated("DescribeScalableTargets"):
            pages = self._client.get_paginator("describe_scalable_targets").paginate(
                ServiceNamespace=NAMESPACE, ResourceIds=resources, ScalableDimension=DIMENSION
            )
            return [registered for page in pages for registered in page["ScalableTargets"]]

    def _is_ours(self, arn: str) -> bool:
        """Whether it carries our tag; one that vanished or has no ARN (older than tagging) is not ours."""
        if arn and arn not in self._ours:
            try:
                with translated("ListTagsForResource"):
                    tags = self._client.list_tags_for_resource(ResourceARN=arn)["Tags"]
            except AwsError as error:
                if error.code != "ResourceNotFoundException":
                    raise
                tags = {}
            if OUR_TAG in tags:
                self._ours.add(arn)
        return arn in self._ours

    def _policy_target(self, target: TargetId) -> float | None:
        with translated("DescribeScalingPolicies"):
            pages = self._client.get_paginator("describe_scaling_policies").paginate(
                ServiceNamespace=NAMESPACE, ResourceId=_resource(target), ScalableDimension=DIMENSION
            )
            for page in pages:
                for policy in page["ScalingPolicies"]:
                    if policy["PolicyName"] == POLICY_NAME:
                        return policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]
        return None


def _resource(target: TargetId) -> str:
    return f"function:{target.function}:{target.qualifier}"


def _tracking(target: TargetId, utilization: float) -> TargetTrackingScalingPolicyConfigurationTypeDef:
    """Track the highest utilization within each minute, and read an idle minute as zero.

    The predefined metric is an average, which hides bursts, and has no datapoints when idle, so it never scales in
    (docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html warns of the bill).
    """
    return {
        "TargetValue": utilization,
        "CustomizedMetricSpecification": {
            "Metrics": [
                {
                    "Id": "m1",
                    "Label": "highest utilization within the minute",
                    "ReturnData": False,
                    "MetricStat": {
                        "Stat": "Maximum",
                        "Metric": {
                            "Namespace": "AWS/Lambda",
                            "MetricName": "ProvisionedConcurrencyUtilization",
                            "Dimensions": [
                                {"Name": "FunctionName", "Value": target.function},
                                {"Name": "Resource", "Value": str(target)},
                            ],
                        },
                    },
                },
                {"Id": "e1", "Label": "idle minutes as zero", "Expression": "FILL(m1, 0)", "ReturnData": True},
            ]
        },
    }
