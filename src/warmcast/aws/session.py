"""Where the clients come from: one session, each service's settings, and where Warmcast runs.

Entry points call this once and pass the result in. Only this module creates boto3 clients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import boto3
import botocore.session
from botocore.config import Config

from warmcast import __version__
from warmcast.aws.answers import translated
from warmcast.aws.autoscaling import AutoScaling
from warmcast.aws.functions import Functions
from warmcast.aws.metrics import Metrics, quick_timestamps
from warmcast.aws.table import Table
from warmcast.aws.wire import CallCounter, Pace, product, watch
from warmcast.errors import WarmcastError
from warmcast.fleet import Home

if TYPE_CHECKING:
    from warmcast.aws.throttle import Clock


@dataclass(frozen=True, slots=True)
class Clients:
    """All of AWS that Warmcast uses, and what it counted.

    Args:
        calls: requests sent since `calls.reset()`, retries included.
        pace: what keeps requests apart; `pace.allow(seconds)` says how long a tick may still wait.
    """

    functions: Functions
    metrics: Metrics
    autoscaling: AutoScaling
    table: Table
    calls: CallCounter
    pace: Pace


def make_clients(
    *,
    region: str,
    table_name: str,
    clock: Clock,
    endpoint_url: str | None = None,
    profile: str | None = None,
    fleet_version: str = "",
) -> Clients:
    """The clients of one account and Region; `endpoint_url` points all of them at a local AWS (empty: AWS itself)."""
    with translated("(session)"):
        core = botocore.session.Session(profile=profile)
        quick_timestamps(core)
        session = boto3.Session(botocore_session=core, region_name=region)
    endpoint = endpoint_url or None
    calls, pace = CallCounter(), Pace(clock)

    # One client per service; two of them serve calls that write, and have the fewer attempts.
    lambda_client = session.client("lambda", endpoint_url=endpoint, config=client_config(fleet_version, attempts=2))
    scaling = session.client(
        "application-autoscaling", endpoint_url=endpoint, config=client_config(fleet_version, attempts=2)
    )
    cloudwatch = session.client("cloudwatch", endpoint_url=endpoint, config=client_config(fleet_version, attempts=3))
    dynamodb = session.client("dynamodb", endpoint_url=endpoint, config=client_config(fleet_version, attempts=3))
    for client in (lambda_client, scaling, cloudwatch, dynamodb):
        watch(client, calls=calls, pace=pace)
    return Clients(
        functions=Functions(lambda_client),
        metrics=Metrics(cloudwatch),
        autoscaling=AutoScaling(scaling),
        table=Table(dynamodb, table_name),
        calls=calls,
        pace=pace,
    )


CONNECT_TIMEOUT_S: Final = 2.0
READ_TIMEOUT_S: Final = 8.0


def client_config(fleet_version: str, *, attempts: int) -> Config:
    """How botocore behaves for us.

    - Retries: mode `standard`, which backs off under a second between the attempts and stops retrying altogether when
      its quota of failures is spent, so that an outage of AWS does not become our own flood. Few attempts: a tick comes
      again in minutes and then decides on newer facts, so a late write is worse than a missed one. Our writes may be
      repeated: the same Put twice is one change (the second is at worst told that the first is in progress).
    - Timeouts: AWS answers these calls well under a second. botocore's own 60 s would let one dead connection take a
      fifth of a tick's time, and five of them all of it.
    - Keep-alive: a warm environment sleeps for minutes between ticks.
    - User-Agent: who we are and with which fleet; a write adds its decision (`wire.marked`).
    """
    named = [product("warmcast", __version__), *([product("fleet", fleet_version)] if fleet_version else [])]
    return Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        tcp_keepalive=True,
        user_agent_extra=" ".join(named),
    )


def whoami(*, region: str | None = None, profile: str | None = None, endpoint_url: str | None = None) -> Home:
    """Account and Region of the credentials at hand, asked of STS (for the command line)."""
    with translated("GetCallerIdentity"):
        session = boto3.Session(profile_name=profile, region_name=region)
        if session.region_name is None:
            raise WarmcastError("no Region: set AWS_REGION, or one in the profile, or pass --region")
        sts = session.client("sts", endpoint_url=endpoint_url or None, config=client_config("", attempts=2))
        return Home(account=sts.get_caller_identity()["Account"], region=session.region_name)
