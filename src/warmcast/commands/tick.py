"""The command `tick`: one tick from here, or what it would do."""

from __future__ import annotations

import math
import os
import socket
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from warmcast import terminal
from warmcast.aws.throttle import SystemClock
from warmcast.commands.options import aws_options, fleet_option, rate_option, table_option, units_or_none
from warmcast.commands.printing import print_json
from warmcast.commands.workshop import LAPTOP_TICK_S, workshop_of
from warmcast.errors import WarmcastError
from warmcast.model import Budget, TickStatus
from warmcast.report import summary
from warmcast.tick import Order

if TYPE_CHECKING:
    from pathlib import Path

    from warmcast.model import TickReport
    from warmcast.workshop import Workshop


@click.command("tick")
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
    workshop = workshop_of(fleet_path, table=table, budget=budget, **aws)
    report = _tick(workshop, dry_run=dry_run, targets=frozenset(aws["targets"]))
    if form == "json":
        print_json(summary(report))
    else:
        terminal.print_report(Console(), report)
    if report.status is TickStatus.LOCKED:
        raise WarmcastError("another tick holds the lock; try again in a minute")
    return 1 if report.failed or report.faults or report.findings else 0


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
