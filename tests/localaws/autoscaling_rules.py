"""Application Auto Scaling's scaling policies and scheduled actions for Lambda: kept and described, never carried out.

Rules as botocore's model and the Application Auto Scaling user guide have them; README.md says which are assumed.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localaws.paging import page
from localaws.wire import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from localaws.wire import Call, Json, Place

NAMESPACE = "lambda"
DIMENSION = "lambda:function:ProvisionedConcurrency"
MOST_POLICIES = 50
MOST_SCHEDULED = 200
OPERATIONS = frozenset(
    {
        "PutScalingPolicy",
        "DescribeScalingPolicies",
        "DeleteScalingPolicy",
        "PutScheduledAction",
        "DescribeScheduledActions",
        "DeleteScheduledAction",
    }
)
_SCHEDULE = re.compile(
    r"at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)|rate\(\d+ (minute|hour|day)s?\)|cron\((\S+ ){5}\S+\)", re.ASCII
)
_POLICY_PAGE = 10
_SCHEDULED_PAGE = 50


@dataclass(frozen=True, slots=True)
class _Kind:
    """What tells policies from scheduled actions: their words in the API, how many there may be, how they are paged."""

    name: str
    names: str
    listing: str
    words: str
    most: int
    page: int


_POLICY = _Kind("PolicyName", "PolicyNames", "ScalingPolicies", "scaling policy", MOST_POLICIES, _POLICY_PAGE)
_SCHEDULED = _Kind(
    "ScheduledActionName",
    "ScheduledActionNames",
    "ScheduledActions",
    "scheduled action",
    MOST_SCHEDULED,
    _SCHEDULED_PAGE,
)


class ScalingRules:
    """Policies and scheduled actions of one place, by scalable target and name."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._kept: dict[_Kind, dict[tuple[str, str], Json]] = {_POLICY: {}, _SCHEDULED: {}}
        self._operations: dict[str, Callable[[Json, datetime], Json]] = {
            "PutScalingPolicy": self._put_policy,
            "DescribeScalingPolicies": lambda params, _: self._describe(_POLICY, params),
            "DeleteScalingPolicy": lambda params, _: self._delete(_POLICY, params),
            "PutScheduledAction": self._put_scheduled,
            "DescribeScheduledActions": lambda params, _: self._describe(_SCHEDULED, params),
            "DeleteScheduledAction": lambda params, _: self._delete(_SCHEDULED, params),
        }

    def answer(self, call: Call) -> Json:
        """Carry one of `OPERATIONS` out at the call's instant; that the scalable target exists was checked before."""
        return self._operations[call.operation](call.params, call.at)

    def forget(self, resource_id: str) -> None:
        """Drop what hangs on a scalable target that goes."""
        for kept in self._kept.values():
            for key in [key for key in kept if key[0] == resource_id]:
                del kept[key]

    # --- policies ----------------------------------------------------------------------------------------------

    def _put_policy(self, params: Json, now: datetime) -> Json:
        known = self._known(_POLICY, params)
        kind = params.get("PolicyType") or (known or {}).get("PolicyType", "StepScaling")
        if kind != "TargetTrackingScaling":
            raise ApiError("ValidationException", f"{kind} is not supported for service namespace: {NAMESPACE}")
        config = params.get("TargetTrackingScalingPolicyConfiguration")
        if config is None:
            message = "TargetTrackingScalingPolicyConfiguration must be specified for TargetTrackingScaling"
            raise ApiError("ValidationException", message)
        created = known or {
            **_whose(params),
            "PolicyName": params["PolicyName"],
            "PolicyARN": self._arn("scalingPolicy", params, f"policyName/{params['PolicyName']}"),
            "PolicyType": kind,
            "Alarms": [self._alarm(params["ResourceId"], side) for side in ("AlarmHigh", "AlarmLow")],
            "CreationTime": now.timestamp(),
        }
        policy = {**created, "TargetTrackingScalingPolicyConfiguration": config}
        self._keep(_POLICY, policy)
        return {"PolicyARN": policy["PolicyARN"], "Alarms": policy["Alarms"]}

    def _alarm(self, resource_id: str, side: str) -> Json:
        name = f"TargetTracking-{resource_id}-{side}-{uuid.uuid4()}"
        return {"AlarmName": name, "AlarmARN": self._place.arn("cloudwatch", f"alarm:{name}")}

    # --- scheduled actions -------------------------------------------------------------------------------------

    def _put_scheduled(self, params: Json, now: datetime) -> Json:
        known = self._known(_SCHEDULED, params) or {}
        given: Json = {
            name: params[name] for name in ("Schedule", "Timezone", "ScalableTargetAction") if name in params
        }
        bounds: Json = {name: params[name] for name in ("StartTime", "EndTime") if name in params}
        kept = {name: value for name, value in known.items() if name not in {"StartTime", "EndTime"}}
        created = kept or {
            **_whose(params),
            "ScheduledActionName": params["ScheduledActionName"],
            "ScheduledActionARN": self._arn(
                "scheduledAction", params, f"scheduledActionName/{params['ScheduledActionName']}"
            ),
            "CreationTime": now.timestamp(),
        }
        action: Json = {**created, **given, **bounds}
        _check_scheduled(action)
        self._keep(_SCHEDULED, action)
        return {}

    # --- either ------------------------------------------------------------------------------------------------

    def _known(self, kind: _Kind, params: Json) -> Json | None:
        return self._kept[kind].get((params["ResourceId"], params[kind.name]))

    def _keep(self, kind: _Kind, item: Json) -> None:
        kept, key = self._kept[kind], (item["ResourceId"], item[kind.name])
        if key not in kept and sum(1 for resource, _ in kept if resource == key[0]) >= kind.most:
            message = f"The maximum number of {kind.listing} ({kind.most}) for this scalable target is reached"
            raise ApiError("LimitExceededException", message)
        kept[key] = item

    def _describe(self, kind: _Kind, params: Json) -> Json:
        check_filters(params)
        names, resource = params.get(kind.names) or [], params.get("ResourceId")
        found: list[Json] = [
            item
            for item in self._kept[kind].values()
            if resource in {None, item["ResourceId"]} and (not names or item[kind.name] in names)
        ]
        part = page(found, token=params.get("NextToken", ""), size=min(kind.page, params.get("MaxResults", kind.page)))
        return {kind.listing: part.items, **({"NextToken": part.token} if part.token else {})}

    def _delete(self, kind: _Kind, params: Json) -> Json:
        if self._kept[kind].pop((params["ResourceId"], params[kind.name]), None) is None:
            message = (
                f"No {kind.words} found for service namespace: {NAMESPACE}, resource ID: {params['ResourceId']}, "
                f"scalable dimension: {params.get('ScalableDimension')}: {params[kind.name]}"
            )
            raise ApiError("ObjectNotFoundException", message)
        return {}

    def _arn(self, what: str, params: Json, name: str) -> str:
        resource = f"{what}:{uuid.uuid4()}:resource/{NAMESPACE}/{params['ResourceId']}:{name}"
        return self._place.arn("autoscaling", resource)


def check_filters(params: Json) -> None:
    """Refuse a dimension without a resource: all of Application Auto Scaling's listings say so."""
    if "ScalableDimension" in params and "ResourceId" not in params:
        raise ApiError("ValidationException", "A resource ID must be specified when a scalable dimension is specified")


def _check_scheduled(action: Json) -> None:
    if _SCHEDULE.fullmatch(action.get("Schedule", "")) is None:
        message = f"Invalid schedule expression: {action.get('Schedule')}: at(...), rate(...) or cron(...)"
        raise ApiError("ValidationException", message)
    bounds = action.get("ScalableTargetAction", {})
    if not {"MinCapacity", "MaxCapacity"} & set(bounds):
        raise ApiError("ValidationException", "ScalableTargetAction must set MinCapacity, MaxCapacity or both")
    if bounds.get("MinCapacity", 0) > bounds.get("MaxCapacity", bounds.get("MinCapacity", 0)):
        raise ApiError("ValidationException", "Maximum capacity cannot be less than minimum capacity")


def _whose(params: Json) -> Json:
    return {"ServiceNamespace": NAMESPACE, "ResourceId": params["ResourceId"], "ScalableDimension": DIMENSION}
