"""Ticks through real botocore over HTTP, against the local AWS in a process of its own.

What `ticks` leaves out: making requests, signing and sending them, parsing the answers. Processor time is that of this
process alone. Run `measure` in a process of its own: it sets environment variables, and its peak memory is the
answer's.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Final

import boto3
import numpy as np

from bench.cloud import load
from bench.machine import peak_mb
from bench.population import WEDNESDAY, fleet_of, populate
from bench.stage import LOG, TICK, TIMEOUT_S, Context, HurriedClock, first_capacity
from localaws import RemoteControl
from warmcast.aws.session import make_clients
from warmcast.emit import Emitter
from warmcast.handler import respond
from warmcast.model import Budget, Rhythm
from warmcast.observe import demand
from warmcast.workshop import assemble

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from bench.population import Member
    from localaws import Control
    from warmcast.workshop import Workshop

TESTS: Final = Path(__file__).parents[1]
ACCOUNT: Final = "111122223333"
REGION: Final = "us-east-1"
TABLE: Final = "bench"
COLD_AT: Final = WEDNESDAY + timedelta(hours=7)
WEEKS: Final = timedelta(days=14, hours=6)
HOURS: Final = timedelta(hours=4)
WEEKS_PER_TICK: Final = demand.WEEKS_PER_TICK
"""The observer reads the past weeks of so many targets in a tick. The first ones, by name, have such a past."""

SETTLING_TICKS: Final = 20
"""Fifty targets are learned in a tick."""


@dataclass(frozen=True, slots=True)
class HttpMeasured:
    """Processor seconds of this process, and what it needed.

    Args:
        first_cpu_s: of the first tick of an environment.
        warm_cpu_s: of each warm tick.
        first_requests, warm_requests: HTTP requests of the first tick; of a warm one, median.
    """

    targets: int
    first_cpu_s: float
    warm_cpu_s: tuple[float, ...]
    first_requests: int
    warm_requests: float
    peak_mb: float

    @property
    def warm_s(self) -> float:
        """Processor seconds of a warm tick, median."""
        return statistics.median(self.warm_cpu_s)


def measure(targets: int, warm_ticks: int) -> HttpMeasured:
    """A first tick, those that learn, and so many warm ones."""
    with local_aws() as aws:
        members = populate(targets)
        ticks = 1 + SETTLING_TICKS + warm_ticks
        for rank, member in enumerate(sorted(members, key=lambda each: each.target)):
            past = WEEKS if rank < WEEKS_PER_TICK else HOURS
            _create(aws, member, COLD_AT - past, COLD_AT + ticks * TICK)
        clock = HurriedClock(COLD_AT)
        workshop = _workshop(members, aws.endpoint_url, clock)
        first = _tick(workshop, clock)
        for _ in range(SETTLING_TICKS):
            _advance(aws, clock)
            _tick(workshop, clock)
        warm = []
        for _ in range(warm_ticks):
            _advance(aws, clock)
            warm.append(_tick(workshop, clock))
    return HttpMeasured(
        targets=targets,
        first_cpu_s=first.cpu_s,
        warm_cpu_s=tuple(each.cpu_s for each in warm),
        first_requests=first.requests,
        warm_requests=statistics.median(each.requests for each in warm),
        peak_mb=peak_mb(),
    )


@dataclass(frozen=True, slots=True)
class _Sent:
    """One tick: processor seconds and HTTP requests."""

    cpu_s: float
    requests: int


def _tick(workshop: Workshop, clock: HurriedClock) -> _Sent:
    context = Context(clock, clock.monotonic() + TIMEOUT_S)
    began = process_time()
    with redirect_stdout(LOG):
        summary = respond({}, context, workshop=lambda: workshop, clock=clock, emitter=Emitter("bench"))
    cpu_s = process_time() - began
    assert summary["status"] == "done", summary
    assert not summary["faults"], summary["faults"]
    return _Sent(cpu_s, sum(workshop.calls().values()))


def _advance(aws: RemoteControl, clock: HurriedClock) -> None:
    clock.set(clock.now() + TICK)
    aws.set_now(clock.now())


# --- the account -----------------------------------------------------------------------------------------------------


@contextmanager
def local_aws() -> Iterator[RemoteControl]:
    """A local AWS in a process of its own, to which this process's AWS clients are led."""
    given = ["--port", "0", "--account", ACCOUNT, "--region", REGION, "--now", COLD_AT.isoformat()]
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    command = [sys.executable, "-m", "localaws", *given]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:  # noqa: S603 - ours
        try:
            assert server.stdout is not None
            aws = RemoteControl(json.loads(server.stdout.readline())["endpoint_url"])
            _lead_here()
            aws.configure(account_concurrency=1_000_000)
            _create_table(aws.endpoint_url)
            yield aws
        finally:
            server.terminate()


def _lead_here() -> None:
    """Credentials of the local account, and nothing of what this machine is set up for."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"):
        os.environ.pop(name, None)
    os.environ.update(
        AWS_ACCESS_KEY_ID=ACCOUNT,
        AWS_SECRET_ACCESS_KEY="test",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
        NO_PROXY="127.0.0.1",
        no_proxy="127.0.0.1",
    )


def _create_table(endpoint_url: str) -> None:
    boto3.Session(region_name=REGION).client("dynamodb", endpoint_url=endpoint_url).create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def _create(aws: Control, member: Member, start: datetime, end: datetime) -> None:
    """A function with capacity, its past and what is to come; CloudWatch shows each minute when its time has come."""
    target = member.target
    arrivals = load(member, int(start.timestamp()), int(end.timestamp()))
    demand = arrivals * member.duration_s / 60
    aws.create_function(target.function, alias=target.qualifier)
    aws.set_provisioned(target.function, target.qualifier, first_capacity(member, COLD_AT))
    aws.load_minutes(
        target.function,
        target.qualifier,
        start,
        invocations=arrivals,
        duration_ms=arrivals * member.duration_s * 1000,
        concurrency=np.ceil(demand + 2.5 * np.sqrt(demand)),
    )


def _workshop(members: Sequence[Member], endpoint_url: str, clock: HurriedClock) -> Workshop:
    clients = make_clients(region=REGION, table_name=TABLE, endpoint_url=endpoint_url, clock=clock)
    return assemble(fleet_of(members), clients, rhythm=Rhythm(), budget=Budget(), clock=clock)
