"""A fake AWS that answers at once: CloudWatch, Lambda and Application Auto Scaling as Warmcast's own typed clients.

It stands in for `warmcast.aws.{metrics,functions,autoscaling}`; what those make of botocore's answers is measured over
HTTP (`over_http`). Requests are counted and paced as the real ones are, so that a tick waits as long as it would, on a
clock that sleeping moves. The time that the fake itself takes is counted apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import timedelta
from time import process_time
from typing import TYPE_CHECKING, Final

import numpy as np

from bench.population import START_S
from warmcast.aws.autoscaling import AutoScaling
from warmcast.aws.functions import AliasFacts, FunctionFacts, Functions
from warmcast.aws.metrics import Answer, Completeness, Grid, Metrics, Query, batches
from warmcast.model import AccountLimits, Capacity, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bench.population import Member
    from warmcast.aws.wire import CallCounter, Pace
    from warmcast.errors import AwsError
    from warmcast.model import FloatArray, ScalableTarget, TargetId

OWN_FUNCTION: Final = "warmcast"
LEAD_TIME: Final = timedelta(minutes=2)
ACCOUNT: Final = AccountLimits(concurrency=1_000_000, unreserved=1_000_000)
"""Room for everything: sharing a limit is computed all the same."""

COMPLETE: Final = Completeness.COMPLETE


@dataclass(slots=True)
class World:
    """What stands and what happens: capacities, the fleet's traffic, and everything that was asked.

    Args:
        calls, pace: as the real clients have them.
        now: the instant of the tick under way.
        asked: about which function each call of the control plane was ("" for the account), with its operation.
        took_s: processor time that the fake itself used.
    """

    members: Mapping[str, Member]
    calls: CallCounter
    pace: Pace
    now: datetime
    capacities: dict[str, Capacity] = field(default_factory=dict)
    ready_at: dict[str, datetime] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    took_s: float = 0.0

    def call(self, operation: str, function: str = "") -> None:
        """Wait for the turn of a request and count it, as `wire.watch` does."""
        self.pace.wait(operation)
        self.calls.count(operation)
        self.asked.append((function, operation))

    def capacity(self, function: str) -> Capacity:
        """What stands: a rise is READY two minutes after its request."""
        standing = self.capacities[function]
        if function in self.ready_at and self.ready_at[function] <= self.now:
            del self.ready_at[function]
            units = standing.requested
            standing = self.capacities[function] = Capacity(units, units, units, Status.READY)
        return standing

    def request(self, function: str, units: int) -> Capacity:
        """Take a request for capacity."""
        there = self.capacity(function).allocated
        if units > there:
            self.ready_at[function] = self.now + LEAD_TIME
            self.capacities[function] = Capacity(units, there, there, Status.IN_PROGRESS)
        else:
            self.capacities[function] = Capacity(units, units, units, Status.READY)
        return self.capacities[function]


def load(member: Member, start: int, end: int) -> FloatArray:
    """Invocations of each minute of [start, end), whole numbers: Little's law on the member's demand."""
    minutes = slice((start - START_S) // 60, (end - START_S) // 60)
    arrivals: FloatArray = np.rint(member.shape[minutes] * (member.mean_demand * 60 / member.duration_s))
    return arrivals


class QuickMetrics(Metrics):
    """CloudWatch: what `load` says, minute by minute, nothing in an idle one; the newest minute is two minutes old."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.requested = 0

    def read(
        self, queries: Sequence[Query], grid: Grid, *, in_time: Callable[[], bool] = lambda: True
    ) -> list[Answer | AwsError | None]:
        """Answer in the batches that the real client would make."""
        answers: list[Answer | AwsError | None] = []
        for batch in batches(queries, grid):
            if not in_time():
                break
            self._world.call("cloudwatch.GetMetricData")
            self.requested += len(batch)
            began = process_time()
            answers += [self._answer(queries[n], grid.of(queries[n])) for n in batch]
            self._world.took_s += process_time() - began
        return answers + [None] * (len(queries) - len(answers))

    def _answer(self, query: Query, grid: Grid) -> Answer:
        if not query.resource:
            return Answer(np.full(len(grid), 40.0), COMPLETE)  # the heartbeat, or what others use
        member = self._world.members[query.function]
        arrivals = load(member, grid.start, grid.end)
        arrivals[max(0, math.ceil((self._world.now.timestamp() - 60 - grid.start) / 60)) :] = 0.0
        values = self._values(query.metric, member, arrivals)
        values[arrivals == 0] = np.nan
        if grid.step_s > 60:
            values = _joined(values, grid.step_s // 60, highest=query.statistic == "Maximum")
        return Answer(values, COMPLETE)

    def _values(self, metric: str, member: Member, arrivals: FloatArray) -> FloatArray:
        demand = arrivals * (member.duration_s / 60)
        match metric:
            case "Duration":
                return demand * 60_000
            case "Invocations":
                return arrivals
            case "Throttles":
                return np.zeros_like(arrivals)
            case "ConcurrentExecutions":
                return np.ceil(demand + 2.5 * np.sqrt(demand))
            case "ProvisionedConcurrencySpilloverInvocations":
                units = self._world.capacity(member.target.function).allocated
                return np.rint(arrivals * np.maximum(0.0, 1 - units / np.maximum(demand, 1e-9)))
            case _:
                raise ValueError(metric)


def _joined(minutes: FloatArray, count: int, *, highest: bool) -> FloatArray:
    """Minutes joined to longer steps; a step without any datapoint has none."""
    rows = minutes.reshape(-1, count)
    idle = np.isnan(rows).all(axis=1)
    joined: FloatArray = np.nan_to_num(rows).max(axis=1) if highest else np.nan_to_num(rows).sum(axis=1)
    joined[idle] = np.nan
    return joined


class QuickFunctions(Functions):
    """Lambda's control plane over the world's capacities."""

    def __init__(self, world: World) -> None:
        self._world = world

    def function(self, function: str, qualifier: str) -> FunctionFacts:
        """GetFunction, twice as the real client does."""
        del qualifier
        self._world.call("lambda.GetFunction", function)
        self._world.call("lambda.GetFunction", function)
        return FunctionFacts("7", memory_mb=1024, architecture="arm64", timeout_s=30.0, ineligible="", reserved=None)

    def weights(self, function: str, alias: str) -> AliasFacts:
        """GetAlias."""
        del alias
        self._world.call("lambda.GetAlias", function)
        return AliasFacts("7", {})

    def provisioned(self, function: str) -> Mapping[str, Capacity]:
        """ListProvisionedConcurrencyConfigs."""
        self._world.call("lambda.ListProvisionedConcurrencyConfigs", function)
        return {"live": self._world.capacity(function)}

    def put(self, target: TargetId, capacity: int) -> Capacity:
        """PutProvisionedConcurrencyConfig."""
        self._world.call("lambda.PutProvisionedConcurrencyConfig", target.function)
        return self._world.request(target.function, capacity)

    def account(self) -> AccountLimits:
        """GetAccountSettings."""
        self._world.call("lambda.GetAccountSettings")
        return ACCOUNT


class QuickScaling(AutoScaling):
    """Application Auto Scaling, where nothing is registered."""

    def __init__(self, world: World) -> None:
        self._world = world

    def describe(self, targets: Sequence[TargetId]) -> Mapping[TargetId, ScalableTarget]:
        """DescribeScalableTargets."""
        del targets
        self._world.call("application-autoscaling.DescribeScalableTargets")
        return {}
