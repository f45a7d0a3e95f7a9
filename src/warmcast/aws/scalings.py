"""Application Auto Scaling as a scan needs it: every scalable target of Lambda with all that moves it. Reads only.

Targets, policies and scheduled actions are each read for the whole namespace: 500 targets, the quota of a Region, with
a policy each are 70 calls. Tags cost a call a target, so they are asked for only where a target can be ours.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final, TypeVar

from warmcast.aws.answers import translated
from warmcast.aws.autoscaling import DIMENSION, NAMESPACE, OUR_TAG, POLICY_NAME
from warmcast.errors import AwsError
from warmcast.scan.found import Activity, Scaling, Scheduled, Tracking

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_application_autoscaling.type_defs import (
        CustomizedMetricSpecificationOutputTypeDef,
        MetricDimensionTypeDef,
        ScalableTargetTypeDef,
        ScalingActivityTypeDef,
        ScalingPolicyTypeDef,
        ScheduledActionTypeDef,
    )

PREDEFINED: Final = "LambdaProvisionedConcurrencyUtilization"
_DONE: Final = frozenset({"Successful", "InProgress"})

_SETS = re.compile(r"desired concurrency to (\d+)\b", re.IGNORECASE)
"""`Setting desired concurrency to 5.`, `Successfully set desired concurrency to 5. Change successfully fulfilled by
lambda.`: as users published AWS's answers. Bounds (`Setting min capacity to 5 and max capacity to 10`) set none."""

T = TypeVar("T")

Name = tuple[str, str]
"""Function and qualifier."""


class Scalings:
    """Implements `warmcast.scan.ports.Scalings`; each call raises AwsError."""

    def __init__(self, client: ApplicationAutoScalingClient) -> None:
        self._client = client

    def all(self) -> Mapping[Name, Scaling]:
        """Every scalable target for provisioned concurrency, by function and qualifier; without its activities."""
        targets = {_name(target["ResourceId"]): target for target in self._targets()}
        policies = _by_target((_name(policy["ResourceId"]), policy) for policy in self._policies())
        scheduled = _by_target((_name(action["ResourceId"]), _scheduled(action)) for action in self._scheduled())
        return {
            name: Scaling(
                minimum=target["MinCapacity"],
                maximum=target["MaxCapacity"],
                tracking=tuple(_tracking(policy) for policy in policies[name] if _tracks(policy)),
                scheduled=tuple(scheduled[name]),
                suspended=tuple(key for key, held in target.get("SuspendedState", {}).items() if held),
                ours=self._is_ours(target, policies[name], moved=bool(scheduled[name])),
            )
            for name, target in targets.items()
        }

    def activities(self, function: str, qualifier: str, *, since: datetime | None = None) -> Sequence[Activity]:
        """Scaling activities of the last six weeks, newest first; pages that are older than `since` are left out."""
        found: list[Activity] = []
        with translated("DescribeScalingActivities"):
            pages = self._client.get_paginator("describe_scaling_activities").paginate(
                ServiceNamespace=NAMESPACE, ResourceId=f"function:{function}:{qualifier}", ScalableDimension=DIMENSION
            )
            for page in pages:
                listed = [_activity(each) for each in page["ScalingActivities"]]
                found += listed
                if since is not None and listed and max(each.at for each in listed) < since:
                    break
        return sorted(found, key=lambda each: each.at, reverse=True)

    def _targets(self) -> list[ScalableTargetTypeDef]:
        with translated("DescribeScalableTargets"):
            # Lambda has one dimension; AWS refuses to be given it without a resource.
            pages = self._client.get_paginator("describe_scalable_targets").paginate(ServiceNamespace=NAMESPACE)
            return [target for page in pages for target in page["ScalableTargets"]]

    def _policies(self) -> list[ScalingPolicyTypeDef]:
        with translated("DescribeScalingPolicies"):
            pages = self._client.get_paginator("describe_scaling_policies").paginate(ServiceNamespace=NAMESPACE)
            return [policy for page in pages for policy in page["ScalingPolicies"]]

    def _scheduled(self) -> list[ScheduledActionTypeDef]:
        with translated("DescribeScheduledActions"):
            pages = self._client.get_paginator("describe_scheduled_actions").paginate(ServiceNamespace=NAMESPACE)
            return [action for page in pages for action in page["ScheduledActions"]]

    def _is_ours(self, target: ScalableTargetTypeDef, policies: Sequence[ScalingPolicyTypeDef], *, moved: bool) -> bool:
        """Whether it carries our tag, asked only of one that has our policy, or nothing at all that moves it.

        Ours gets its policy right after its registration, so another policy or a schedule means another owner. Where
        the tags may not be read, the policy's name tells.
        """
        has_policy = any(policy["PolicyName"] == POLICY_NAME for policy in policies)
        arn = target.get("ScalableTargetARN", "")
        if not arn or not (has_policy or not (policies or moved)):
            return False
        try:
            with translated("ListTagsForResource"):
                return OUR_TAG in self._client.list_tags_for_resource(ResourceARN=arn)["Tags"]
        except AwsError:
            return has_policy


def _name(resource: str) -> Name:
    """`function:checkout-api:live` as function and qualifier."""
    _, function, qualifier = resource.split(":")
    return function, qualifier


def _by_target(named: Iterable[tuple[Name, T]]) -> Mapping[Name, list[T]]:
    grouped: defaultdict[Name, list[T]] = defaultdict(list)
    for name, each in named:
        grouped[name].append(each)
    return grouped


def _tracks(policy: ScalingPolicyTypeDef) -> bool:
    return "TargetTrackingScalingPolicyConfiguration" in policy


def _tracking(policy: ScalingPolicyTypeDef) -> Tracking:
    settings = policy["TargetTrackingScalingPolicyConfiguration"]
    predefined = settings.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType", "")
    customized = settings.get("CustomizedMetricSpecification")
    return Tracking(
        name=policy["PolicyName"],
        target=settings["TargetValue"],
        metric=_in_words(customized) if customized else predefined,
        predefined=predefined == PREDEFINED,
        scale_in=not settings.get("DisableScaleIn", False),
    )


def _in_words(metric: CustomizedMetricSpecificationOutputTypeDef) -> str:
    """`Maximum of AWS/Lambda ProvisionedConcurrencyUtilization {...}`; math as its expressions and what they are of."""
    if "Metrics" not in metric:
        dimensions = _dimensions(metric.get("Dimensions", []))
        return f"{metric.get('Statistic', '')} of {metric.get('Namespace')} {metric.get('MetricName')}{dimensions}"
    math = [each["Expression"] for each in metric["Metrics"] if "Expression" in each]
    return ", ".join([*math, *_series(metric)])


def _series(metric: CustomizedMetricSpecificationOutputTypeDef) -> list[str]:
    """`m1 = Maximum of AWS/Lambda ProvisionedConcurrencyUtilization {...}` for each series of a metric math."""
    said = []
    for query in metric["Metrics"]:
        if "MetricStat" in query:
            of, stat = query["MetricStat"]["Metric"], query["MetricStat"]["Stat"]
            dimensions = _dimensions(of.get("Dimensions", []))
            said.append(f"{query['Id']} = {stat} of {of.get('Namespace')} {of.get('MetricName')}{dimensions}")
    return said


def _dimensions(dimensions: Sequence[MetricDimensionTypeDef]) -> str:
    named = ", ".join(f"{each['Name']}={each['Value']}" for each in dimensions)
    return f" {{{named}}}" if named else ""


def _scheduled(action: ScheduledActionTypeDef) -> Scheduled:
    bounds = action.get("ScalableTargetAction", {})
    return Scheduled(
        name=action["ScheduledActionName"],
        expression=action["Schedule"],
        timezone=action.get("Timezone", ""),
        start=action.get("StartTime"),
        end=action.get("EndTime"),
        minimum=bounds.get("MinCapacity"),
        maximum=bounds.get("MaxCapacity"),
    )


def _activity(activity: ScalingActivityTypeDef) -> Activity:
    return Activity(
        at=activity["StartTime"],
        capacity=_capacity(activity),
        description=activity["Description"],
        cause=activity["Cause"],
        status=activity["StatusCode"],
    )


def _capacity(activity: ScalingActivityTypeDef) -> int | None:
    """What it set; None where it failed, or where neither text names one number.

    | Description                                      | StatusCode | capacity |
    | ------------------------------------------------ | ---------- | -------- |
    | Setting desired concurrency to 12.               | Successful | 12       |
    | Setting desired concurrency to 12.               | Failed     | None     |
    | Setting min capacity to 5 and max capacity to 10 | Successful | None     |
    """
    if activity["StatusCode"] not in _DONE:
        return None
    named = _SETS.findall(activity["Description"]) or _SETS.findall(activity.get("StatusMessage", ""))
    return int(named[0]) if len(set(named)) == 1 else None
