"""Everything that reads AWS for a person: the clients of a scan, behind a guard that lets no write out.

`connect` opens one account's Region without a call; `make_readers` asks STS where that is and brings the readers. The
guard stands before botocore signs anything: an operation that is not on the list of `permissions` is never sent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
import botocore.session
from botocore.exceptions import UnknownRegionError

from warmcast.aws.answers import translated
from warmcast.aws.inventory import Inventory
from warmcast.aws.metrics import Metrics, quick_timestamps
from warmcast.aws.scalings import Scalings
from warmcast.aws.session import client_config
from warmcast.aws.wire import CallCounter, Pace, watch
from warmcast.errors import WarmcastError
from warmcast.permissions import READ_ONLY
from warmcast.scan.found import Place

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from warmcast.aws.throttle import Clock

ATTEMPTS: Final = 8
"""Of one read. AWS's throttling must not end a scan: botocore waits up to 20 s between the later attempts."""

FIRST_ATTEMPTS: Final = 2
"""Of the first question, who we are: what is wrong with credentials or the network is told at once."""

GET_FUNCTION_PER_S: Final = 30.0
"""Under a third of GetFunction's own 100 a second (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""


class WriteRefusedError(Exception):
    """A reader was about to call an operation that is not on the list of reads: a bug of ours, nothing was sent."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One account's Region as a profile sees it; nothing was asked yet.

    Args:
        calls: requests sent so far, retries included. pace: what keeps them apart.
        attempts: of each request.
    """

    session: boto3.Session
    region: str
    profile: str
    endpoint_url: str | None
    calls: CallCounter
    pace: Pace
    attempts: int = ATTEMPTS

    def client(self, service: str, *, region: str = "", attempts: int = 0) -> Any:  # noqa: ANN401 - as boto3 has it: the caller's class says which
        """A client of a service, paced, counted and guarded; in another Region where the service is only there."""
        with translated("(client)"):
            client = self.session.client(
                service,  # type: ignore[call-overload] # boto3's stubs know literal names only
                region_name=region or self.region,
                endpoint_url=self.endpoint_url,
                config=client_config("", attempts=attempts or self.attempts),
            )
        guard(client)
        watch(client, calls=self.calls, pace=self.pace)
        return client

    def known_regions(self) -> list[str]:
        """The Regions that the installed SDK knows; newer ones are missing."""
        try:
            partition = self.session.get_partition_for_region(self.region)
        except UnknownRegionError:
            partition = "aws"
        return self.session.get_available_regions("lambda", partition_name=partition)


@dataclass(frozen=True, slots=True)
class Readers:
    """All of one account's Region that a scan reads.

    Args:
        place: account by STS, Region, profile.
        client: makes a further service's client, such as `client("pricing", region="us-east-1")`.
    """

    place: Place
    inventory: Inventory
    scalings: Scalings
    metrics: Metrics
    connection: Connection

    @property
    def calls(self) -> CallCounter:
        """Requests sent so far."""
        return self.connection.calls

    @property
    def pace(self) -> Pace:
        """What keeps the requests apart."""
        return self.connection.pace

    def client(self, service: str, *, region: str = "") -> Any:  # noqa: ANN401 - see `Connection.client`
        """A further service's client, paced, counted and guarded."""
        return self.connection.client(service, region=region)


def connect(
    *, region: str | None, profile: str | None, endpoint_url: str | None, clock: Clock, attempts: int = ATTEMPTS
) -> Connection:
    """Settings and credentials of a profile (None: the usual chain), and its Region unless one is given.

    Its requests wait for their turn however long that takes: nothing is late in a scan.

    Raises:
        AwsError: no such profile, or settings that can't be read.
        WarmcastError: no Region anywhere.
    """
    with translated("(session)"):
        core = botocore.session.Session(profile=profile)
        quick_timestamps(core)
        session = boto3.Session(botocore_session=core, region_name=region)
    if session.region_name is None:
        raise WarmcastError("no Region: set AWS_REGION, or one in the profile, or pass --region")
    return Connection(
        session=session,
        region=session.region_name,
        profile=profile or "",
        endpoint_url=endpoint_url or None,
        calls=CallCounter(),
        pace=Pace(clock, patience_s=math.inf, get_function_per_s=GET_FUNCTION_PER_S),
        attempts=attempts,
    )


def make_readers(*, region: str | None, profile: str | None, endpoint_url: str | None, clock: Clock) -> Readers:
    """The readers of one account's Region; asks STS which account it is.

    Raises:
        AwsError: as `connect`, or what STS said.
    """
    connection = connect(region=region, profile=profile, endpoint_url=endpoint_url, clock=clock)
    return Readers(
        place=Place(account_of(connection), connection.region, connection.profile),
        inventory=Inventory(connection.client("lambda")),
        scalings=Scalings(connection.client("application-autoscaling")),
        metrics=Metrics(connection.client("cloudwatch")),
        connection=connection,
    )


def account_of(connection: Connection) -> str:
    """The account that the credentials belong to (GetCallerIdentity, which needs no permission)."""
    sts = connection.client("sts", attempts=FIRST_ATTEMPTS)
    with translated("GetCallerIdentity"):
        account: str = sts.get_caller_identity()["Account"]
        return account


def guard(client: BaseClient, allowed: frozenset[str] = READ_ONLY) -> None:
    """Let a client send the allowed operations only; any other one raises WriteRefusedError before it is signed."""

    def on_call(event_name: str, **_: object) -> None:
        operation = event_name.removeprefix("before-call.")
        if operation not in allowed:
            raise WriteRefusedError(f"{operation} is not on the list of reads; nothing was sent")

    client.meta.events.register_first("before-call", on_call)
