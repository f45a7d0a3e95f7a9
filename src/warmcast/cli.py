"""The command line: the same code that the Lambda runs, on a laptop or in CI.

Exit codes: 0 good, 1 a finding or a failed check, 2 wrong usage, 3 a bug of ours. What a program may read goes to
standard output, everything else to standard error. Like the handler this is an entry point: it reads the clock and the
environment, and builds the clients.
"""

from __future__ import annotations

import csv
import json
import math
import os
import re
import socket
import sys
import traceback
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.console import Console

from warmcast import __version__, terminal
from warmcast.aws.session import make_clients, whoami
from warmcast.aws.throttle import SystemClock
from warmcast.backtest import backtest
from warmcast.errors import AwsError, WarmcastError
from warmcast.fleet import Home, Severity, load_fleet
from warmcast.fleet.schema import schema_text
from warmcast.model import Budget, Rhythm, TickStatus
from warmcast.plan import plan
from warmcast.report import summary
from warmcast.tick import Order, Recollection
from warmcast.workshop import Workshop, assemble

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from warmcast.fleet import Fleet
    from warmcast.model import TickReport
    from warmcast.plan import Plan

FLEET_FOLDER = Path("src/fleet")
LAPTOP_TICK_S = 600.0
TABLE_CALLS = {"Query", "PutItem", "DeleteItem"}

F = TypeVar("F", bound="Callable[..., Any]")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; the one place that catches everything."""
    try:
        return int(warmcast.main(args=argv, prog_name="warmcast", standalone_mode=False) or 0)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.exceptions.Abort:
        return 130
    except click.ClickException as wrong:
        wrong.show()
        return 2
    except WarmcastError as error:
        click.echo(f"warmcast: {error}{_hint(error)}", err=True)
        return 1
    except Exception as bug:  # noqa: BLE001 - the error boundary: whatever gets here is a bug of ours
        traceback.print_exc()
        click.echo(f"warmcast {__version__}: this is a bug of ours: {type(bug).__name__}: {bug}", err=True)
        return 3


def _hint(error: WarmcastError) -> str:
    """What to do about an error of AWS that its own words leave open."""
    no_table = (
        isinstance(error, AwsError) and error.code == "ResourceNotFoundException" and error.operation in TABLE_CALLS
    )
    return "; there is no such control table: pass the stack's output ControlTableName as --table" if no_table else ""


# --- options that commands share -------------------------------------------------------------------------------------


def fleet_option(command: F) -> F:
    """`--fleet`: where the policies are."""
    return click.option(
        "--fleet",
        "fleet_path",
        type=click.Path(path_type=Path),
        default=FLEET_FOLDER,
        show_default=True,
        help="Folder or file of the policies.",
    )(command)


def aws_options(command: F) -> F:
    """Where AWS is, and as whom."""
    options = [
        click.option("--profile", help="AWS profile. [default: the usual chain of credentials]"),
        click.option("--region", envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="Region of the fleet."),
        click.option("--endpoint-url", envvar="AWS_ENDPOINT_URL", help="Another AWS, such as a local one."),
        click.option("--target", "targets", multiple=True, metavar="FUNCTION:QUALIFIER", help="Only this; repeatable."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def table_option(*, required: bool) -> Callable[[F], F]:
    """`--table`: the control table; without it nothing is remembered, no override or stop is known."""
    help_text = "Control table (output ControlTableName of the stack)." + (
        "" if required else " Without it: no overrides."
    )
    return click.option("--table", envvar="WARMCAST_TABLE", required=required, help=help_text)


def units_or_none(_context: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    """`--budget-units`: a number, infinite for `none`; None only where nothing was said."""
    if value is None or value == "none":
        return None if value is None else math.inf
    if not re.fullmatch("[0-9]{1,6}", value):
        raise click.BadParameter(f"{value!r} is neither a whole number nor the word none")
    return int(value)


def rate_option(command: F) -> F:
    """`--rate-minutes`: how often the stack ticks."""
    return click.option(
        "--rate-minutes",
        type=click.IntRange(1, 15),
        default=5,
        show_default=True,
        help="Minutes between the stack's ticks (its RateMinutes).",
    )(command)


# --- commands --------------------------------------------------------------------------------------------------------


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="warmcast")
def warmcast() -> None:
    """Keep AWS Lambda aliases warm exactly when they need to be.

    Policies live in Git (src/fleet). `validate` checks them offline; `plan` shows the next hours, `tick --dry-run` one
    decision for each target with its reason, both reading AWS and writing nothing; `tick` acts. `backtest` replays a
    file of demand, offline.
    """


@warmcast.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option("--account", envvar="WARMCAST_ACCOUNT", help="Account that Warmcast runs in; unknown: not compared.")
@click.option("--region", envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="Likewise its Region.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def validate(paths: tuple[Path, ...], strict: bool, account: str | None, region: str | None, form: str) -> int:
    """Check policy files, offline: every finding of every file in one run.

    PATHS are folders or files; without any, src/fleet. Each finding is a line
    `file:line: error|warning: key: message`; exit code 1 if there is an error.
    """
    fleet = load_fleet(list(paths) or [FLEET_FOLDER], home=Home(account=account or "", region=region or ""))
    errors = [finding for finding in fleet.findings if finding.severity is Severity.ERROR]
    if form == "json":
        _print_json({"targets": len(fleet.policies), "findings": [asdict(finding) for finding in fleet.findings]})
    else:
        for finding in fleet.findings:
            click.echo(str(finding))
        warnings = len(fleet.findings) - len(errors)
        counts = (_count(len(fleet.policies), "good target"), _count(len(errors), "error"), _count(warnings, "warning"))
        click.echo(", ".join(counts), err=True)
    return 1 if errors or (strict and fleet.findings) else 0


@warmcast.command()
def schema() -> int:
    """Print the JSON schema of policy files, for completion in an editor."""
    click.echo(schema_text(), nl=False)
    return 0


@warmcast.command("plan")
@fleet_option
@aws_options
@table_option(required=False)
@rate_option
@click.option("--hours", type=click.FloatRange(0.25, 168), default=48.0, show_default=True, help="How far ahead.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
def plan_command(fleet_path: Path, hours: float, form: str, table: str | None, **aws: Any) -> int:  # noqa: ANN401 - the options of `aws_options`
    """Show the next hours of each target: forecast, floor, ceiling, planned capacity, cost.

    Reads CloudWatch and Lambda; writes nothing.
    """
    workshop = _workshop(fleet_path, table=table or "", **aws)
    now = SystemClock().now()
    plans = _plans(workshop, now, hours, remembered=bool(table))
    if form == "json":
        _print_json([_plan_record(each) for each in plans])
    elif form == "csv":
        _print_csv(plans)
    else:
        terminal.print_plans(Console(), plans, now=now)
    return 1 if any(each.unread for each in plans) else _exit_code_of(workshop.fleet)


@warmcast.command("tick")
@fleet_option
@aws_options
@table_option(required=True)
@click.option("--dry-run", is_flag=True, help="Decide and report; write nothing at all, not even state.")
@rate_option
@click.option(
    "--budget-units",
    callback=units_or_none,
    metavar="N|none",
    help="Most provisioned concurrency over all targets; required unless --dry-run.",
)
@click.option("--budget-usd-per-hour", type=click.FloatRange(0), help="Most that all of it may cost an hour.")
@click.option("--headroom", type=click.IntRange(0), default=100, show_default=True, help="Concurrency kept free.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def tick_command(
    *,
    fleet_path: Path,
    table: str,
    dry_run: bool,
    budget_units: float | None,
    budget_usd_per_hour: float | None,
    headroom: int,
    form: str,
    **aws: Any,  # noqa: ANN401 - the options of `aws_options`
) -> int:
    """Run one tick from here, under the same lock as the Lambda's.

    Give it the stack's budget (BudgetUnits) and rate (RateMinutes): the parameters of the deployed function are not
    read. Targets that are not in the given fleet are left as they are: it may be a part of the whole.
    """
    if budget_units is None and not dry_run:
        raise click.UsageError(
            "a tick that writes needs --budget-units N (the stack's BudgetUnits), or --budget-units none: "
            "without it one command could buy more than the account's owner allows. --dry-run does without."
        )
    limited = budget_units is not None and budget_units < math.inf
    budget = Budget(
        units=int(budget_units or 0) if limited else None, usd_per_hour=budget_usd_per_hour, headroom=headroom
    )
    workshop = _workshop(fleet_path, table=table, budget=budget, **aws)
    report = _tick(workshop, dry_run=dry_run, targets=frozenset(aws["targets"]))
    if form == "json":
        _print_json(summary(report))
    else:
        terminal.print_report(Console(), report)
    if report.status is TickStatus.LOCKED:
        raise WarmcastError("another tick holds the lock; try again in a minute")
    return 1 if report.failed or report.faults or report.findings else 0


warmcast.add_command(backtest)


# --- what the commands do --------------------------------------------------------------------------------------------


def _workshop(  # noqa: PLR0913 - all that the commands ask for, by name
    fleet_path: Path,
    *,
    table: str,
    rate_minutes: int,
    profile: str | None,
    region: str | None,
    endpoint_url: str | None,
    targets: tuple[str, ...],
    budget: Budget | None = None,
) -> Workshop:
    """Load the fleet and make the clients, as the Lambda does."""
    home = whoami(profile=profile, region=region, endpoint_url=endpoint_url)
    fleet = load_fleet([fleet_path], home=home, version=_version())
    _print_findings(fleet)
    strangers = set(targets) - {str(target) for target in fleet.policies}
    if strangers:
        raise click.UsageError(f"not in the fleet: {', '.join(sorted(strangers))}")
    chosen = {t: policy for t, policy in fleet.policies.items() if not targets or str(t) in targets}
    clients = make_clients(
        region=home.region,
        table_name=table,
        endpoint_url=endpoint_url,
        profile=profile,
        fleet_version=fleet.version,
        clock=SystemClock(),
    )
    kept = fleet if not targets else replace(fleet, policies=chosen)
    return assemble(
        kept,
        clients,
        rhythm=Rhythm(tick=timedelta(minutes=rate_minutes)),
        budget=budget or Budget(),
        clock=SystemClock(),
        one_shot=True,
    )


def _tick(workshop: Workshop, *, dry_run: bool, targets: frozenset[str]) -> TickReport:
    clock = SystemClock()
    started = clock.monotonic()
    order = Order(
        owner=f"{socket.gethostname()}-{os.getpid()}",
        rhythm=workshop.rhythm,
        budget=workshop.budget,
        only=targets,
        dry_run=dry_run,
        release=False,
        learn_most=10_000,
    )
    return workshop.tick(order, clock=clock, time_left_s=lambda: LAPTOP_TICK_S - (clock.monotonic() - started))


def _plans(workshop: Workshop, now: datetime, hours: float, *, remembered: bool) -> list[Plan]:
    """Observe once, then plan each target; with the control table's overrides, where there is one."""
    workshop.begin(LAPTOP_TICK_S)
    recollection = workshop.table.recall(now=now) if remembered else Recollection()
    observations = workshop.look(recollection, now=now)
    step = timedelta(minutes=5)
    return [
        plan(policy, observations[target], now=now, hours=hours, rhythm=workshop.rhythm, step=step)
        for target, policy in sorted(workshop.fleet.policies.items())
    ]


def _plan_record(each: Plan) -> dict[str, object]:
    steps = [{**asdict(step), "at": step.at.isoformat()} for step in each.steps]
    return {
        "target": str(each.target),
        "timezone": each.timezone,
        "standing": each.standing,
        "basis": each.basis,
        "note": each.note,
        "usd": round(each.usd, 4),
        "steps": steps,
    }


def _print_csv(plans: Sequence[Plan]) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(["target", "at", "capacity", "floor", "ceiling", "p50", "p90", "reason"])
    for each in plans:
        for step in each.steps:
            writer.writerow(
                [each.target, step.at.isoformat(), step.capacity, step.floor, step.ceiling]
                + [None if value is None else round(value, 3) for value in (step.p50, step.p90)]
                + [step.reason]
            )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _print_findings(fleet: Fleet) -> None:
    for finding in fleet.findings:
        click.echo(str(finding), err=True)


def _exit_code_of(fleet: Fleet) -> int:
    return 1 if any(finding.severity is Severity.ERROR for finding in fleet.findings) else 0


def _version() -> str:
    """What the environment says of it, as the stack does; empty: the fleet names itself by its content."""
    return os.environ.get("WARMCAST_FLEET_VERSION", "")


if __name__ == "__main__":
    sys.exit(main())
