"""The demo's account on a local AWS: functions with a past, a control table, what Lambda would report minute by minute.

Touches the local AWS, and the environment variables that lead botocore there. What Application Auto Scaling would do
on its own between two ticks happens here as well (`tracking`).
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from demo.targets import QUALIFIER
from demo.tracking import TargetTracking
from warmcast.aws.autoscaling import DIMENSION, NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from demo.targets import Part
    from demo.traffic import Load
    from localaws import LocalAws

TABLE = "warmcast-demo"
CONCURRENCY = 10_000
"""Of the account: large enough that the demo shows forecasts, not limits."""

_OTHER_SETTINGS = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE")


@dataclass(frozen=True, slots=True)
class Held:
    """One target's provisioned concurrency at an instant."""

    requested: int
    ready: int


@dataclass(frozen=True, slots=True)
class Served:
    """What became of one minute's calls.

    Args:
        arrivals: invocations; NaN is a gap, in which nothing is reported.
        duration_s: their mean duration.
        peak: most executions at once.
        spilled: invocations that provisioned concurrency did not serve.
        provisioned: whether there was any.
    """

    arrivals: float
    duration_s: float
    peak: float
    spilled: float
    provisioned: bool


@contextmanager
def only_local_aws(aws: LocalAws) -> Iterator[None]:
    """For a while, make every AWS client of this process talk to the local AWS, whatever the machine is set up for."""
    before = dict(os.environ)
    for name in _OTHER_SETTINGS:
        os.environ.pop(name, None)
    os.environ.update(
        aws.environment(),
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
        NO_PROXY="127.0.0.1",
        no_proxy="127.0.0.1",
    )
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Account:
    """Functions, metrics and the control table of one account."""

    def __init__(self, aws: LocalAws) -> None:
        """Empty, but for the control table as the stack makes it."""
        self._aws = aws
        session = aws.session()
        self._lambda = session.client("lambda", endpoint_url=aws.endpoint_url)
        self._autoscaling = session.client("application-autoscaling", endpoint_url=aws.endpoint_url)
        self._tracking: dict[str, TargetTracking] = {}
        aws.configure(account_concurrency=CONCURRENCY)
        session.client("dynamodb", endpoint_url=aws.endpoint_url).create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )

    def add(self, part: Part, load: Load, *, start: datetime, past: int, capacity: int) -> None:
        """Create a function and its alias, the first `past` minutes of its load as history, and its capacity, READY."""
        self._aws.create_function(part.function, alias=QUALIFIER, memory_mb=part.memory_mb)
        self._aws.set_provisioned(part.function, QUALIFIER, capacity)
        self._aws.load_minutes(
            part.function,
            QUALIFIER,
            start,
            invocations=load.arrivals[:past],
            duration_ms=(load.arrivals * load.duration_s * 1000)[:past],
            concurrency=load.peak[:past],
        )

    def report(self, part: Part, at: datetime, served: Served) -> None:
        """Let Lambda report one minute; CloudWatch shows it 2-3 minutes later."""
        self._aws.load_minutes(
            part.function,
            QUALIFIER,
            at,
            invocations=np.array([served.arrivals]),
            duration_ms=np.array([served.arrivals * served.duration_s * 1000]),
            concurrency=np.array([served.peak]),
            spilled=np.array([served.spilled]) if served.provisioned else None,
        )

    def held(self) -> dict[str, Held]:
        """The capacity of every function's alias now."""
        state = self._aws.state()
        return {function["name"]: _held(function["provisioned"].get(QUALIFIER)) for function in state["functions"]}

    def scale(self, peaks: Mapping[str, float], held: Mapping[str, Held]) -> None:
        """Do what Application Auto Scaling does after a minute with these peaks, for the targets registered with it."""
        for target in self._aws.state()["scalable_targets"]:
            function = str(target["ResourceId"]).split(":")[1]
            tracking = self._tracking.get(function) or self._tracking_policy(target["ResourceId"])
            if tracking is None:
                continue
            self._tracking[function] = tracking
            now = held[function]
            wanted = tracking.step(
                peak=peaks[function], capacity=now.ready, minimum=target["MinCapacity"], maximum=target["MaxCapacity"]
            )
            # While an earlier request is in progress, AWS would refuse another; the alarm comes again.
            if wanted != now.ready and now.ready == now.requested:
                self._lambda.put_provisioned_concurrency_config(
                    FunctionName=function, Qualifier=QUALIFIER, ProvisionedConcurrentExecutions=wanted
                )

    def _tracking_policy(self, resource: str) -> TargetTracking | None:
        """The tracking policy that somebody has put on a scalable target; None if nobody has."""
        policies = self._autoscaling.describe_scaling_policies(
            ServiceNamespace=NAMESPACE, ResourceId=resource, ScalableDimension=DIMENSION
        )["ScalingPolicies"]
        if not policies:
            return None
        return TargetTracking(policies[0]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"])


def _held(config: Mapping[str, int] | None) -> Held:
    if config is None:
        return Held(0, 0)
    return Held(
        requested=config["RequestedProvisionedConcurrentExecutions"],
        ready=config["AvailableProvisionedConcurrentExecutions"],
    )
