"""The command `doctor`: may this profile do what a command needs, and is there room? Reads AWS, one cheap call each."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from warmcast.aws.probes import Probes, UntriedError
from warmcast.aws.readers import connect
from warmcast.aws.throttle import SystemClock
from warmcast.aws.wire import Pace
from warmcast.checkup import (
    Check,
    Health,
    concurrency,
    passed,
    rate,
    refused,
    unknown_region,
    untried,
    unusable,
    well,
    writes,
)
from warmcast.commands.options import place_options
from warmcast.commands.printing import print_json
from warmcast.errors import AwsError, WarmcastError
from warmcast.permissions import Purpose, reads_of
from warmcast.refusals import Refusal, refusal_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from warmcast.aws.readers import Connection
    from warmcast.permissions import Read

ATTEMPTS = 2
HOPELESS = frozenset({Refusal.IDENTITY, Refusal.UNREACHABLE, Refusal.SETTINGS})
"""After such an answer to who we are, every other call would meet the same."""

STYLES = {
    Health.OK: "green",
    Health.DENIED: "bold red",
    Health.LIMIT: "yellow",
    Health.FAILED: "bold red",
    Health.NOT_TRIED: "dim",
}


@click.command()
@place_options
@click.option(
    "--for",
    "purposes",
    multiple=True,
    type=click.Choice([each.value for each in Purpose]),
    default=[Purpose.SCAN.value],
    show_default=True,
    help="What you want to run; repeatable.",
)
@click.option("--function", "function", default="", help="Try on this function. [default: the first there is]")
@click.option("--table", default="", envvar="WARMCAST_TABLE", help="Control table, for --for controller.")
@click.option("--cost-explorer", "costs", is_flag=True, help="Try Cost Explorer too ($0.01 a request).")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def doctor(
    *,
    profile: str | None,
    region: str | None,
    endpoint_url: str | None,
    purposes: Sequence[str],
    form: str,
    **tried: Any,  # noqa: ANN401 - what `Probes` takes
) -> int:
    """Try each permission and quota that a command needs, and say what to do about those that lack.

    Every read is made once, as cheaply as it can be; writes are named, not tried. Exit code 0: nothing stands in the
    way.
    """
    clock = SystemClock()
    checks = []
    try:
        connection = connect(region=region, profile=profile, endpoint_url=endpoint_url, clock=clock, attempts=ATTEMPTS)
    except WarmcastError as error:
        checks = [unusable(error, profile=profile or "", region=region or "")]
    else:
        tried["paid"] = tried.pop("costs")
        probes = Probes(connection, now=clock.now(), **tried)
        checks = list(_checks(connection, probes, [Purpose(each) for each in purposes]))
    _print(checks, form)
    return 0 if well(checks) else 1


def _checks(connection: Connection, probes: Probes, purposes: Sequence[Purpose]) -> Iterator[Check]:
    """Every check, as it is made; the last is who we are, where AWS does not even answer that."""
    known = connection.known_regions()
    if connection.region not in known:
        yield unknown_region(connection.region, known)
    reads = reads_of(*purposes)
    for read in reads:
        try:
            yield passed(read, probes.attempt(read))
        except UntriedError as error:
            yield untried(read, str(error))
        except AwsError as error:
            yield refused(read, error, profile=connection.profile, region=connection.region)
            if _hopeless(read, error):
                return
    if probes.limits is not None:
        yield concurrency(probes.limits, connection.region)
        yield rate(Pace.CONTROL_PLANE_PER_S)
    if Purpose.CONTROLLER in purposes:
        yield from writes()


def _hopeless(read: Read, error: AwsError) -> bool:
    """Whether nothing further is worth trying."""
    return read.name == "GetCallerIdentity" and refusal_of(error) in HOPELESS


def _print(checks: Sequence[Check], form: str) -> None:
    if form == "json":
        print_json({"ok": well(checks), "checks": [asdict(check) for check in checks]})
        return
    console = Console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    names = [line for check in checks for line in _lines(check.what)]
    table.add_column("permission or quota", no_wrap=True, min_width=max(map(len, names), default=0))
    table.add_column("what for", overflow="fold")
    table.add_column("what was seen", overflow="fold")
    for check in checks:
        name = Text("\n".join(_lines(check.what)), style="bold" if check.fix else "")
        table.add_row(Text(check.health.value, style=STYLES[check.health]), name, check.why, Text(check.detail))
    console.print(table)
    for fix in dict.fromkeys(check.fix for check in checks if check.fix):
        console.print(Text(f"> {fix}", style="bold"), soft_wrap=True)


def _lines(name: str) -> list[str]:
    """A check's name so that no IAM action is broken: an action a line, and a remark on the next."""
    return name.replace(" (", "\n(").replace(", ", ",\n").split("\n")
