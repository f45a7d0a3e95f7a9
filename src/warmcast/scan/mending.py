"""Mending: what to do about an alias's capacity, as a command to copy or a sentence. Pure text; runs nothing."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from warmcast.scan.found import Owner

if TYPE_CHECKING:
    from warmcast.scan.case import Case
    from warmcast.scan.found import Tracking

DIMENSION = "lambda:function:ProvisionedConcurrency"
LEAST_TARGET = 0.1
MOST_TARGET = 0.9
"""What target tracking takes for this metric (Lambda developer guide, provisioned-concurrency)."""


def set_to(case: Case, units: int) -> str:
    """How to have so many units, by whoever sets them."""
    match case.owner:
        case Owner.AUTO_SCALING:
            return f"{_register(case, units)} (target tracking and scheduled actions move within these bounds)"
        case Owner.WARMCAST:
            return f"Set capacity to {{min: {units}, max: {units}}} in the policy of {_name(case)} and merge it."
        case Owner.STACK:
            return (
                f"Set ProvisionedConcurrentExecutions of {_name(case)} to {units} in the template of stack "
                f"{case.function.stack} and deploy it; by hand until then: {_put(case, units)}"
            )
        case Owner.UNKNOWN | Owner.NOBODY:
            return _put(case, units)


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
            return _delete(case)


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


def _register(case: Case, units: int) -> str:
    """Target tracking keeps its room above; without any, only the maximum lowers what stands there."""
    most = max(units, case.scaling.maximum) if case.scaling and case.scaling.tracking else units
    bounds = f"--min-capacity {units} --max-capacity {most}"
    return f"aws application-autoscaling register-scalable-target {_resource(case)} {bounds}"


def _deregister(case: Case) -> str:
    return f"aws application-autoscaling deregister-scalable-target {_resource(case)}"
