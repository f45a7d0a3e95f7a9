"""The command `plan`: the next hours of each target. Reads AWS, writes nothing."""

from __future__ import annotations

import csv
import sys
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from warmcast import terminal
from warmcast.aws.throttle import SystemClock
from warmcast.commands.options import aws_options, fleet_option, rate_option, table_option
from warmcast.commands.printing import print_json
from warmcast.commands.workshop import LAPTOP_TICK_S, workshop_of
from warmcast.fleet import Severity
from warmcast.plan import plan
from warmcast.tick import Recollection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from warmcast.fleet import Fleet
    from warmcast.plan import Plan
    from warmcast.workshop import Workshop


@click.command("plan")
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
    workshop = workshop_of(fleet_path, table=table or "", **aws)
    now = SystemClock().now()
    plans = _plans(workshop, now, hours, remembered=bool(table))
    if form == "json":
        print_json([_plan_record(each) for each in plans])
    elif form == "csv":
        _print_csv(plans)
    else:
        terminal.print_plans(Console(), plans, now=now)
    return 1 if any(each.unread for each in plans) else _exit_code_of(workshop.fleet)


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


def _exit_code_of(fleet: Fleet) -> int:
    return 1 if any(finding.severity is Severity.ERROR for finding in fleet.findings) else 0
