"""Mending: what to do about an alias's capacity, as a command to copy or a sentence. Pure text; runs nothing."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from warmcast.scan.found import Owner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from warmcast.scan.case import Case
    from warmcast.scan.found import Scaling, Scheduled, Tracking

DIMENSION = "lambda:function:ProvisionedConcurrency"
LEAST_TARGET = 0.1
MOST_TARGET = 0.9
"""What target tracking takes for this metric (Lambda developer guide, provisioned-concurrency)."""


def set_to(case: Case, units: int) -> str:
    """How to have so many units, by whoever sets them."""
    match case.owner:
        case Owner.AUTO_SCALING:
            return _bound(case, case.scaling, units) if case.scaling else _put(case, units)
        case Owner.WARMCAST:
            return f"Set capacity to {{min: {units}, max: {units}}} in the policy of {_name(case)} and merge it."
        case Owner.STACK:
            return (
                f"Set ProvisionedConcurrentExecutions of {_name(case)} to {units} in the template of stack "
                f"{case.function.stack} and deploy it; by hand until then: {_by_hand(case, _put(case, units))}"
            )
        case Owner.UNKNOWN | Owner.NOBODY:
            return _by_hand(case, _put(case, units))


def remove(case: Case) -> str:
    """How to have none, by whoever sets them."""
    match case.owner:
        case Owner.AUTO_SCALING:
            return f"{_deregister(case)} && {_delete(case)}"
        case Owner.WARMCAST:
            return (
                f"Set on_remove: delete in the policy of {_name(case)}, merge it, and take the policy out of the fleet."
            )
        case Owner.STACK:
            return (
                f"Take ProvisionedConcurrencyConfig of {_name(case)} out of the template of stack "
                f"{case.function.stack} and deploy it: while the template declares it, deleting it by hand makes the "
                "next deploy fail with ProvisionedConcurrencyConfigNotFoundException."
            )
        case Owner.UNKNOWN | Owner.NOBODY:
            return _by_hand(case, _delete(case))


def clear_weights(case: Case) -> str:
    """How to take an alias's routing weights away without moving traffic.

    Where another version has most of the traffic, the alias goes back to it: to clear the weights alone would send
    everything to the version whose init failed. `{}` clears them (AWS compute blog on alias traffic shifting).
    """
    weights = case.alias.weights
    most = max(weights, key=lambda version: weights[version])
    back = f" --function-version {most}" if weights[most] > 1 / 2 else ""
    return f"{_aws(case, 'update-alias')} --name {shlex.quote(case.qualifier)}{back} --routing-config '{{}}'"


def fill_idle(case: Case, tracking: Tracking) -> str:
    """How to let target tracking see idle minutes: the same policy on a metric that reads them as zero."""
    function, qualifier = case.function.name, case.qualifier
    dimensions = [
        {"Name": "FunctionName", "Value": function},
        {"Name": "Resource", "Value": f"{function}:{qualifier}"},
    ]
    metric = {
        "Namespace": "AWS/Lambda",
        "MetricName": "ProvisionedConcurrencyUtilization",
        "Dimensions": dimensions,
    }
    metrics = [
        {"Id": "m1", "MetricStat": {"Metric": metric, "Stat": "Maximum"}, "ReturnData": False},
        {"Id": "filled", "Expression": "FILL(m1, 0)", "ReturnData": True},
    ]
    target = min(max(tracking.target, LEAST_TARGET), MOST_TARGET)
    config = {"TargetValue": target, "CustomizedMetricSpecification": {"Metrics": metrics}}
    return (
        f"aws application-autoscaling put-scaling-policy {_resource(case)} --policy-name {shlex.quote(tracking.name)} "
        "--policy-type TargetTrackingScaling --target-tracking-scaling-policy-configuration "
        f"{shlex.quote(json.dumps(config, separators=(',', ':')))}"
    )


def snap_start(case: Case) -> str:
    """How to turn SnapStart on: for versions published from then on, and never beside provisioned concurrency."""
    capacity = "; remove its provisioned concurrency first: it can't have both" if case.capacity else ""
    after = f"(measure the published version before {case.qualifier} points to it{capacity})"
    if case.function.stack:
        return f"Set SnapStart: {{ApplyOn: PublishedVersions}} in the template of stack {case.function.stack} {after}"
    configure = f"{_aws(case, 'update-function-configuration')} --snap-start ApplyOn=PublishedVersions"
    return f"{configure} && {_aws(case, 'publish-version')} {after}"


def _name(case: Case) -> str:
    return f"{case.function.name}:{case.qualifier}"


def _aws(case: Case, command: str) -> str:
    return f"aws lambda {command} --function-name {shlex.quote(case.function.name)} --region {case.place.region}"


def _put(case: Case, units: int) -> str:
    command = _aws(case, "put-provisioned-concurrency-config")
    return f"{command} --qualifier {shlex.quote(case.qualifier)} --provisioned-concurrent-executions {units}"


def _delete(case: Case) -> str:
    return f"{_aws(case, 'delete-provisioned-concurrency-config')} --qualifier {shlex.quote(case.qualifier)}"


def _resource(case: Case) -> str:
    resource = shlex.quote(f"function:{_name(case)}")
    region = case.place.region
    return f"--service-namespace lambda --scalable-dimension {DIMENSION} --resource-id {resource} --region {region}"


def _by_hand(case: Case, command: str) -> str:
    """A command of Lambda's; only with its condition where a scalable target may set the capacity back."""
    if not case.function.targets_unread:
        return command
    return (
        "Application Auto Scaling may set this capacity: its scalable targets could not be read. Allow "
        "application-autoscaling:DescribeScalableTargets and scan again; only if nothing is registered for "
        f"{_name(case)}: {command}"
    )


# --- Application Auto Scaling ----------------------------------------------------------------------------------------


def _bound(case: Case, scaling: Scaling, units: int) -> str:
    """So many units by the bounds of a scalable target, and of the scheduled actions that would undo them.

    An update of the bounds moves the capacity that stands into them at once, and no further
    (docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html). To lower it takes the
    maximum; to raise it the minimum, with the room that target tracking has above. A scheduled action that runs
    replaces both bounds (.../userguide/application-auto-scaling-scheduled-scaling.html).
    """
    lowers = units < _level(case)
    most = units if lowers or not scaling.tracking else max(units, scaling.maximum)
    undoing = [action for action in scaling.scheduled if _undoes(action, units, lowers=lowers)]
    commands = [_register(case, units, most), *(_reschedule(case, action, units, most) for action in undoing)]
    notes = [*_of_tracking(scaling, lowers=lowers), *_of_actions(undoing)]
    return " && ".join(commands) + (f" ({'; '.join(notes)})" if notes else "")


def _level(case: Case) -> float:
    """The capacity that was held against the amount: its mean where it moves, else what stands there."""
    return case.study.figures.mean_capacity if case.study else float(case.units)


def _undoes(action: Scheduled, units: int, *, lowers: bool) -> bool:
    """Whether a scheduled action, once it runs, sets a bound on the wrong side of the units."""
    set_to = [bound for bound in (action.minimum, action.maximum) if bound is not None]
    return any(bound > units if lowers else bound < units for bound in set_to)


def _of_tracking(scaling: Scaling, *, lowers: bool) -> Iterator[str]:
    """What to know of target tracking beside a command."""
    if not scaling.tracking:
        return
    names = ", ".join(policy.name for policy in scaling.tracking)
    if lowers:
        yield (
            "only the maximum lowers what stands there; it can be raised again later, with a higher target value of "
            f"target tracking ({names}), else that goes back up"
        )
    else:
        yield f"target tracking ({names}) moves within these bounds"


def _of_actions(undoing: list[Scheduled]) -> Iterator[str]:
    """Why the scheduled actions are changed, too, and what they set now."""
    if undoing:
        told = ", ".join(f"{action.name} ({_bounds(action)})" for action in undoing)
        yield f"a scheduled action replaces the bounds when it runs, so these are changed too: {told}"


def _bounds(action: Scheduled) -> str:
    named = {"minimum": action.minimum, "maximum": action.maximum}
    return ", ".join(f"{name} {bound}" for name, bound in named.items() if bound is not None)


def _register(case: Case, least: int, most: int) -> str:
    bounds = f"--min-capacity {least} --max-capacity {most}"
    return f"aws application-autoscaling register-scalable-target {_resource(case)} {bounds}"


def _reschedule(case: Case, action: Scheduled, least: int, most: int) -> str:
    """The action with other bounds. Its times stand in it because an update without them deletes them.

    (docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html)
    """
    zone = f" --timezone {shlex.quote(action.timezone)}" if action.timezone else ""
    start = f" --start-time {action.start.isoformat()}" if action.start else ""
    end = f" --end-time {action.end.isoformat()}" if action.end else ""
    return (
        f"aws application-autoscaling put-scheduled-action {_resource(case)} --scheduled-action-name "
        f"{shlex.quote(action.name)} --schedule {shlex.quote(action.expression)}{zone}{start}{end} "
        f"--scalable-target-action MinCapacity={least},MaxCapacity={most}"
    )


def _deregister(case: Case) -> str:
    return f"aws application-autoscaling deregister-scalable-target {_resource(case)}"
