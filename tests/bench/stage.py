"""A stage for ticks: the real handler over the fake AWS, with a clock that sleeping and the measurement move.

What is real: handler, settings' defaults, observer, brain, sharing, actor, control table (on DynamoDB in memory), log
lines and metrics. What is not: CloudWatch, Lambda, Application Auto Scaling (`cloud`), the network.
"""

from __future__ import annotations

import io
import time
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from bench.cloud import OWN_FUNCTION, QuickFunctions, QuickMetrics, QuickScaling, World, load
from bench.dynamo import Dynamo
from bench.population import fleet_of
from warmcast.aws.session import Clients
from warmcast.aws.table import Table
from warmcast.aws.wire import CallCounter, Pace
from warmcast.emit import Emitter
from warmcast.handler import respond
from warmcast.model import Budget, Capacity, Result, Rhythm, Status
from warmcast.workshop import assemble

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from bench.population import Member
    from warmcast.report import JsonValue
    from warmcast.workshop import Workshop

TICK: Final = timedelta(minutes=5)
TIMEOUT_S: Final = 240.0
"""The function's timeout at the default rate (template.yaml)."""


class HurriedClock:
    """Simulated instants; waiting takes no time but counts as if it did."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self.waited_s = 0.0

    def now(self) -> datetime:
        """The simulated instant."""
        return self._now

    def set(self, now: datetime) -> None:
        """Go on to an instant."""
        self._now = now

    def monotonic(self) -> float:
        """Real seconds, and those waited."""
        return time.monotonic() + self.waited_s

    def sleep(self, seconds: float) -> None:
        """Pretend to have waited."""
        self.waited_s += seconds


class Sink(io.TextIOBase):
    """Where the log goes: counted, not kept."""

    def __init__(self) -> None:
        self.bytes = 0

    def write(self, text: str) -> int:
        """Count."""
        self.bytes += len(text.encode())
        return len(text)


LOG: Final = Sink()
"""One for all stages of a process: Powertools' Logger holds on to the standard output that it meets first."""


@dataclass(slots=True)
class Context:
    """Lambda's context, as far as the handler uses it."""

    clock: HurriedClock
    deadline_s: float
    aws_request_id: str = "7f0c1c3e-5a0f-4c39-9a4e-2f6a6f1f7f10"
    log_stream_name: str = "2026/03/04/[$LATEST]58419525dade4d17a495dceeeed44708"

    def get_remaining_time_in_millis(self) -> int:
        """What is left of the timeout."""
        return round((self.deadline_s - self.clock.monotonic()) * 1000)


@dataclass(frozen=True, slots=True)
class Ticked:
    """What one tick took.

    Args:
        cpu_s: processor time without the fake's own.
        waited_s: time that requests were held back to stay under AWS's rates.
        calls: requests by `service.Operation`.
        asked: calls of the control plane by function ("" for the account's).
        series: CloudWatch series read.
        log_bytes: what it wrote to its log.
        written_units, read_units: of the control table.
        deferred: targets whose change was put off to the next tick.
        written_to: functions whose capacity it changed.
        learned: targets learned so far.
    """

    cpu_s: float
    waited_s: float
    calls: Mapping[str, int]
    asked: tuple[tuple[str, str], ...]
    series: int
    log_bytes: int
    written_units: int
    read_units: int
    deferred: int
    written_to: frozenset[str]
    learned: int


@dataclass(slots=True)
class Stage:
    """One fleet in one account, ticked by hand."""

    members: Sequence[Member]
    clock: HurriedClock
    world: World = field(init=False)
    dynamo: Dynamo = field(init=False)
    workshop: Workshop = field(init=False)
    last: object = None

    def __post_init__(self) -> None:
        calls = CallCounter()
        by_function = {each.target.function: each for each in self.members}
        self.world = World(members=by_function, calls=calls, pace=Pace(self.clock), now=self.clock.now())
        for name, each in by_function.items():
            units = first_capacity(each, self.clock.now())
            self.world.capacities[name] = Capacity(units, units, units, Status.READY)
        self.dynamo = Dynamo(calls)
        self.restart()

    def restart(self) -> None:
        """A new environment: nothing is known but what the control table remembers."""
        clients = Clients(
            functions=QuickFunctions(self.world),
            metrics=QuickMetrics(self.world),
            autoscaling=QuickScaling(self.world),
            table=Table(cast("DynamoDBClient", self.dynamo), "bench"),  # it has the calls that Table makes
            calls=self.world.calls,
            pace=self.world.pace,
        )
        self.workshop = assemble(
            fleet_of(self.members),
            clients,
            rhythm=Rhythm(),
            budget=Budget(),
            clock=self.clock,
            own_function=OWN_FUNCTION,
        )

    def tick(self, now: datetime) -> Ticked:
        """Invoke the handler once."""
        self.clock.set(now)
        self.world.now = now
        self.world.asked.clear()
        waited_s, faked_s = self.clock.waited_s, self.world.took_s
        written, read = self.dynamo.written_units, self.dynamo.read_units
        logged = LOG.bytes
        context = Context(self.clock, self.clock.monotonic() + TIMEOUT_S)
        began = time.process_time()
        with redirect_stdout(LOG):
            summary = respond({}, context, workshop=lambda: self.workshop, clock=self.clock, emitter=Emitter("bench"))
        cpu_s = time.process_time() - began
        rows = cast("list[dict[str, JsonValue]]", summary["rows"])  # of which JSON's types know no more
        assert summary["status"] == "done", summary
        assert not summary["faults"], summary["faults"]
        self.last = summary
        return Ticked(
            cpu_s=cpu_s - (self.world.took_s - faked_s),
            waited_s=self.clock.waited_s - waited_s,
            calls=dict(self.world.calls.counts),
            asked=tuple(self.world.asked),
            series=self.workshop.metrics_requested(),
            log_bytes=LOG.bytes - logged,
            written_units=self.dynamo.written_units - written,
            read_units=self.dynamo.read_units - read,
            deferred=sum(row["outcome"] == Result.DEFERRED.value for row in rows),
            written_to=frozenset(name for name, operation in self.world.asked if operation.startswith("lambda.Put")),
            learned=len(self.workshop.knowledge.learned),
        )


def first_capacity(member: Member, now: datetime) -> int:
    """About what the last hour needed: as if Warmcast had been there all along."""
    end = int(now.timestamp()) - 120
    demand = float(load(member, end - 3600, end).max()) * member.duration_s / 60
    return max(1, int(np.ceil(demand + 2 * np.sqrt(demand))))
