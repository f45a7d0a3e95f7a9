"""Lambda's entry point: one invocation is one tick.

Reads the clock and the environment, builds the clients once per warm environment, runs the tick, emits its log lines
and metrics, returns its summary. Nothing happens at import, so a wrong setting or policy is a failed tick that says so
and not a function that can't start.
"""

from __future__ import annotations

import os
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError

from warmcast.aws.session import make_clients
from warmcast.aws.throttle import SystemClock
from warmcast.emit import Emitter
from warmcast.errors import WarmcastError
from warmcast.fleet import Home, load_fleet
from warmcast.model import TickStatus
from warmcast.report import summary
from warmcast.settings import in_words, read_settings
from warmcast.tick import Order
from warmcast.workshop import assemble

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from warmcast.aws.throttle import Clock
    from warmcast.model import TickReport
    from warmcast.report import JsonValue
    from warmcast.workshop import Workshop

PACKAGE_ROOT = Path(__file__).parents[1]
LOCK_MARGIN = timedelta(seconds=5)
LONGEST_WRITE_S = 45.0
"""One write and what is remembered of it, every call tried as often and as long as the clients may."""

SHORTEST_WRITE_S = 10.0
"""The same where nothing has to be tried again: a fast rate leaves no time for more."""


class RequestError(WarmcastError):
    """The event that invoked the function is none that it understands; nothing was done."""


class EveryTargetFailedError(WarmcastError):
    """The tick ran, and no target came out well."""


class Context(Protocol):
    """What is used of Lambda's context object."""

    aws_request_id: str
    log_stream_name: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""


# --- what is asked for -----------------------------------------------------------------------------------------------


class Request(BaseModel):
    """The event's payload; `now` comes from the clock, never from here.

    Args:
        dry_run: decide and say so, write nothing.
        targets: names (`function:qualifier`) to which the tick is restricted; empty: all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dry_run: StrictBool = False
    targets: frozenset[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+:[A-Za-z0-9_-]+$")]] = frozenset()


def read_request(event: object) -> Request:
    """Read the event: our own payload, or the envelope that EventBridge sends where no input was given."""
    if isinstance(event, dict) and {"source", "detail-type"} <= event.keys():
        return Request()
    try:
        return Request.model_validate(event)
    except ValidationError as error:
        takes = 'the event takes "dry_run" (true or false) and "targets" (a list of names)'
        raise RequestError(f"{takes}: {in_words(error)}") from None


# --- what a tick works with ------------------------------------------------------------------------------------------


def open_workshop(environment: Mapping[str, str], *, clock: Clock, root: Path = PACKAGE_ROOT) -> Workshop:
    """Read settings and fleet, make the clients; calls nothing yet.

    Args:
        environment: as `settings` reads it.
        clock: what requests are paced by.
        root: the folder that the fleet's folder is in.

    Raises:
        WarmcastError: a setting or the fleet can't be used.
    """
    settings = read_settings(environment)
    home = Home(account=settings.account, region=settings.region, functions=settings.function_pattern)
    fleet = load_fleet([root / settings.fleet], home=home, version=settings.fleet_version)
    clients = make_clients(
        region=settings.region,
        table_name=settings.table,
        endpoint_url=settings.endpoint_url,
        fleet_version=fleet.version,
        clock=clock,
    )
    return assemble(
        fleet,
        clients,
        rhythm=settings.rhythm,
        budget=settings.budget,
        clock=clock,
        own_function=settings.own_function,
    )


# --- the invocation --------------------------------------------------------------------------------------------------


def respond(
    event: object, context: Context, *, workshop: Callable[[], Workshop], clock: Clock, emitter: Emitter
) -> dict[str, JsonValue]:
    """Run the tick that the event asks for and return its summary.

    Raises:
        WarmcastError: the event, a setting or the fleet can't be used, the control table does not answer, or every
            target failed. Lambda then counts an error and hands the event to the on-failure destination.
    """
    emitter.begin(context.aws_request_id)
    try:
        request = read_request(event)
        kept = workshop()
        report = _tick(request, context, kept, clock)
    except Exception as error:
        emitter.failure(error)
        raise
    opted_in = [str(target) for target, policy in kept.fleet.policies.items() if policy.metrics]
    emitter.tick(report, per_target=opted_in)
    _raise_if_all_failed(report)
    return summary(report)


def _tick(request: Request, context: Context, kept: Workshop, clock: Clock) -> TickReport:
    strangers = request.targets - {str(target) for target in kept.fleet.policies}
    if strangers:
        raise RequestError(f"not in the fleet: {', '.join(sorted(strangers))}")
    left_s = _time_left_s(context)
    order = Order(
        # The log stream is the environment's own: a duplicate of the same event in another one is another owner.
        owner=f"{context.aws_request_id}/{context.log_stream_name}",
        rhythm=kept.rhythm,
        budget=kept.budget,
        only=request.targets,
        dry_run=request.dry_run,
        lock_for=timedelta(seconds=left_s) + LOCK_MARGIN,
        stop_before_s=min(LONGEST_WRITE_S, max(SHORTEST_WRITE_S, 0.25 * left_s)),
    )
    return kept.tick(order, clock=clock, time_left_s=lambda: _time_left_s(context))


def _time_left_s(context: Context) -> float:
    return context.get_remaining_time_in_millis() / 1000


def _raise_if_all_failed(report: TickReport) -> None:
    """Nothing failed, or something went well: the tick stands, and metrics tell of the rest."""
    if report.status is TickStatus.LOCKED or len(report.failed) < len(report.rows):
        return
    wrong = [f"{row.outcome.decision.target}: {row.outcome.detail or row.fault}" for row in report.failed]
    wrong += report.findings
    if wrong:
        raise EveryTargetFailedError(f"no target came out well: {'; '.join(wrong[:20])}")


def handler(event: object, context: Context) -> dict[str, JsonValue]:
    """Lambda calls this."""
    return respond(event, context, workshop=_kept_workshop, clock=SystemClock(), emitter=Emitter())


@cache
def _kept_workshop() -> Workshop:
    """Built by the first tick that succeeds in building it; a failure is not kept, so the next tick tries again."""
    return open_workshop(os.environ, clock=SystemClock())
