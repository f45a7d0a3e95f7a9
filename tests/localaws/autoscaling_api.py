"""Application Auto Scaling for Lambda: scalable targets, their tags and activities, and what a changed bound does.

Scaling policies and scheduled actions are in `autoscaling_rules`. Registering clamps the provisioned concurrency into
[minimum, maximum] at once, as botocore's model of RegisterScalableTarget says; nothing else does, so a capacity set
behind its back stands until the next registration.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from localaws import autoscaling_rules
from localaws.autoscaling_rules import DIMENSION, NAMESPACE, ScalingRules
from localaws.functions import Reference
from localaws.paging import page
from localaws.wire import ApiError, Place

if TYPE_CHECKING:
    from datetime import datetime

    from localaws.lambda_api import LambdaApi
    from localaws.wire import Call, Json

MOST_IDS = 50
ACTIVITIES_KEPT = timedelta(weeks=6)
OPERATIONS = autoscaling_rules.OPERATIONS | {
    "RegisterScalableTarget",
    "DescribeScalableTargets",
    "DeregisterScalableTarget",
    "DescribeScalingActivities",
    "ListTagsForResource",
    "TagResource",
    "UntagResource",
}
_NEED_A_TARGET = frozenset({"PutScalingPolicy", "PutScheduledAction"})
_RESOURCE = re.compile(r"function:(?P<function>[\w-]+):(?P<qualifier>[\w$-]+)")
_ROLE = (
    "role/aws-service-role/lambda.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency"
)


@dataclass(slots=True)
class ScalableTarget:
    """One registration."""

    resource_id: str
    arn: str
    minimum: int
    maximum: int
    created: datetime
    suspended: dict[str, bool]
    tags: dict[str, str] = field(default_factory=dict)

    def describe(self, place: Place) -> Json:
        """The target as DescribeScalableTargets answers it."""
        return {
            "ServiceNamespace": NAMESPACE,
            "ResourceId": self.resource_id,
            "ScalableDimension": DIMENSION,
            "MinCapacity": self.minimum,
            "MaxCapacity": self.maximum,
            "RoleARN": f"arn:aws:iam::{place.account}:{_ROLE}",
            "CreationTime": self.created.timestamp(),
            "SuspendedState": dict(self.suspended),
            "ScalableTargetARN": self.arn,
        }


class AutoScalingApi:
    """Scalable targets of one place.

    Args:
        lambda_api: where the capacity is read and changed.
    """

    def __init__(self, place: Place, lambda_api: LambdaApi) -> None:
        self._place = place
        self._lambda = lambda_api
        self.targets: dict[str, ScalableTarget] = {}
        self._rules = ScalingRules(place)
        self._activities: list[Json] = []

    def answer(self, call: Call) -> Json:
        """Carry one of `OPERATIONS` out at the call's instant."""
        if call.operation in autoscaling_rules.OPERATIONS:
            if call.operation in _NEED_A_TARGET and call.params.get("ResourceId") not in self.targets:
                raise _not_found(call.params)
            return self._rules.answer(call)
        match call.operation:
            case "RegisterScalableTarget":
                return self._register(call.params, call.at)
            case "DescribeScalableTargets":
                return self._describe(call.params)
            case "DeregisterScalableTarget":
                return self._deregister(call.params)
            case "DescribeScalingActivities":
                return self._describe_activities(call.params, call.at)
            case tagging:
                return self._tags(tagging, call.params)

    def note(self, activity: Json) -> None:
        """Remember a scaling activity, as DescribeScalingActivities answers it; newest first, whatever the order."""
        self._activities.insert(0, activity)
        self._activities.sort(key=lambda noted: -float(noted["StartTime"]))

    # --- targets -----------------------------------------------------------------------------------------------

    def _register(self, params: Json, now: datetime) -> Json:
        reference = _parse(params)
        known = self.targets.get(params["ResourceId"])
        minimum = _bound(params, "MinCapacity", known.minimum if known else None)
        maximum = _bound(params, "MaxCapacity", known.maximum if known else None)
        if minimum > maximum:
            raise ApiError("ValidationException", "Maximum capacity cannot be less than minimum capacity")
        self._check_resource(reference, now)
        target = known or self._create(params, now)
        target.minimum, target.maximum = minimum, maximum
        target.suspended.update(params.get("SuspendedState", {}))
        self._clamp(reference, target, now)
        return {"ScalableTargetARN": target.arn}

    def _create(self, params: Json, now: datetime) -> ScalableTarget:
        arn = self._place.arn("application-autoscaling", f"scalable-target/{uuid.uuid4().hex[:32]}")
        suspended = dict.fromkeys(
            ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"), False
        )
        tags = dict(params.get("Tags", {}))
        target = ScalableTarget(params["ResourceId"], arn, 0, 0, now, suspended, tags)
        self.targets[target.resource_id] = target
        return target

    def _check_resource(self, reference: Reference, now: datetime) -> None:
        try:
            self._lambda.provisioned_of(reference, now)
        except ApiError as error:
            raise ApiError("ValidationException", f"{error.code}: {error.message}") from error

    def _clamp(self, reference: Reference, target: ScalableTarget, now: datetime) -> None:
        """Bring the capacity into the target's bounds; what Lambda refuses is a failed activity, not an error."""
        config = self._lambda.provisioned_of(reference, now)
        current = config.requested if config else 0
        wanted = min(max(current, target.minimum), target.maximum)
        if wanted == current:
            return
        status, reason = "Successful", ""
        try:
            if wanted:
                self._lambda.put_provisioned(reference, wanted, now)
            else:
                self._lambda.delete_provisioned(reference, now)
        except ApiError as error:
            status, reason = "Failed", f"{error.code}: {error.message}"
        bound = "minimum" if wanted > current else "maximum"
        cause = f"{bound} capacity was set to {wanted}"
        self.note(activity(target.resource_id, wanted, now, cause=cause, status=status, reason=reason))

    def _describe(self, params: Json) -> Json:
        ids = params.get("ResourceIds") or []
        autoscaling_rules.check_filters({**params, **({"ResourceId": ids[0]} if ids else {})})
        if len(ids) > MOST_IDS:
            message = (
                f"1 validation error detected: Value at 'resourceIds' failed to satisfy constraint: "
                f"Member must have length less than or equal to {MOST_IDS}"
            )
            raise ApiError("ValidationException", message)
        found = [self.targets[name] for name in ids if name in self.targets] if ids else list(self.targets.values())
        targets = [
            target.describe(self._place) for target in found if params.get("ScalableDimension") in {None, DIMENSION}
        ]
        return _listing("ScalableTargets", targets, params)

    def _deregister(self, params: Json) -> Json:
        if params.get("ResourceId") not in self.targets:
            raise _not_found(params)
        del self.targets[params["ResourceId"]]
        self._rules.forget(params["ResourceId"])
        return {}

    def _describe_activities(self, params: Json, now: datetime) -> Json:
        autoscaling_rules.check_filters(params)
        wanted, since = params.get("ResourceId"), (now - ACTIVITIES_KEPT).timestamp()
        found = [
            noted
            for noted in self._activities
            if wanted in {None, noted["ResourceId"]}
            and noted["StartTime"] >= since
            and (params.get("IncludeNotScaledActivities") or "NotScaledReasons" not in noted)
        ]
        return _listing("ScalingActivities", found, params)

    def _tags(self, operation: str, params: Json) -> Json:
        target = self._by_arn(params)
        if operation == "ListTagsForResource":
            return {"Tags": dict(target.tags)}
        if operation == "TagResource":
            target.tags.update(params["Tags"])
        else:
            target.tags = {key: value for key, value in target.tags.items() if key not in params["TagKeys"]}
        return {}

    def _by_arn(self, params: Json) -> ScalableTarget:
        for target in self.targets.values():
            if target.arn == params["ResourceARN"]:
                return target
        message = f"The resource doesn't exist: {params['ResourceARN']}"
        raise ApiError("ResourceNotFoundException", message, fields={"ResourceName": params["ResourceARN"]})


def _parse(params: Json) -> Reference:
    if params.get("ScalableDimension") != DIMENSION:
        raise ApiError("ValidationException", "Unsupported service namespace, resource type or scalable dimension")
    match = _RESOURCE.fullmatch(params.get("ResourceId", ""))
    if match is None or match["qualifier"] == "$LATEST":
        message = f"Unsupported resource ID: {params.get('ResourceId')}: function:NAME:ALIAS or function:NAME:VERSION"
        raise ApiError("ValidationException", message)
    return Reference(match["function"], match["qualifier"])


def _bound(params: Json, name: str, known: int | None) -> int:
    value = params.get(name, known)
    if value is None:
        raise ApiError("ValidationException", f"{name} must be specified to register a new scalable target")
    if value < 0:
        raise ApiError("ValidationException", f"{name} must be greater than or equal to 0")
    return int(value)


def _not_found(params: Json) -> ApiError:
    message = (
        f"No scalable target found for service namespace: {params.get('ServiceNamespace')}, "
        f"resource ID: {params.get('ResourceId')}, scalable dimension: {params.get('ScalableDimension')}"
    )
    return ApiError("ObjectNotFoundException", message)


def _listing(name: str, items: list[Json], params: Json) -> Json:
    part = page(items, token=params.get("NextToken", ""), size=min(MOST_IDS, int(params.get("MaxResults", MOST_IDS))))
    return {name: part.items, **({"NextToken": part.token} if part.token else {})}


def activity(
    resource_id: str,
    capacity: int,
    at: datetime,
    *,
    cause: str,
    status: str = "Successful",
    reason: str = "",
    took_s: float = 100.0,
) -> Json:
    """A scaling activity in AWS's words; `reason` is why it failed, `took_s` how long a finished one took."""
    messages = {
        "Successful": f"Successfully set desired concurrency to {capacity}. Change successfully fulfilled by lambda.",
        "Failed": f"Failed to set desired concurrency to {capacity}. Reason: {reason}",
    }
    content: Json = {
        "ActivityId": str(uuid.uuid4()),
        "ServiceNamespace": NAMESPACE,
        "ResourceId": resource_id,
        "ScalableDimension": DIMENSION,
        "Description": f"Setting desired concurrency to {capacity}.",
        "Cause": cause,
        "StartTime": at.timestamp(),
        "StatusCode": status,
        "StatusMessage": messages.get(status, reason),
    }
    return {**content, "EndTime": at.timestamp() + took_s} if status in messages else content
