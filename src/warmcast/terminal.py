"""Terminal: a tick's report and plans as tables for a person, through rich. Prints; decides nothing."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from warmcast.model import Action, Result, TickStatus
from warmcast.plan import changes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rich.console import Console

    from warmcast.model import Row, TickReport
    from warmcast.plan import Plan, Step

STYLES = {
    Result.APPLIED: "green",
    Result.FLOOR_LOWERED: "green",
    Result.PLANNED: "cyan",
    Result.DEFERRED: "yellow",
    Result.REFUSED: "red",
    Result.FAILED: "bold red",
}

BLOCKS = " ▁▂▃▄▅▆▇█"
STRIP_WIDTH = 96


def print_report(console: Console, report: TickReport) -> None:
    """One row per target: from where to where, why, and what came of it."""
    if report.status is TickStatus.LOCKED:
        return
    table = Table(box=box.SIMPLE_HEAD, title=_title(report), title_justify="left")
    for heading, justify in (
        ("target", "left"),
        ("capacity", "right"),
        ("floor-ceiling", "right"),
        ("demand", "right"),
    ):
        table.add_column(heading, justify="right" if justify == "right" else "left", no_wrap=True)
    table.add_column("foreseen p50/p90", justify="right", no_wrap=True)
    table.add_column("reason")
    table.add_column("outcome")
    for row in report.rows:
        table.add_row(*_cells(row))
    console.print(table)
    for line in [*report.findings, *(fault.message for fault in report.faults)]:
        console.print(f"[red]{escape(line)}[/red]")
    calls = ", ".join(f"{count} {name}" for name, count in sorted(report.calls.items()))
    console.print(f"{report.duration_s:.1f} s; calls: {calls or 'none'}", style="dim")


def _title(report: TickReport) -> str:
    dry = " (dry run: nothing was written)" if report.dry_run else ""
    return f"tick of {report.at:%Y-%m-%d %H:%M:%S} UTC{dry}"


def _cells(row: Row) -> list[Text]:
    decision, outcome = row.outcome.decision, row.outcome
    current = "?" if decision.current is None else str(decision.current)
    same = decision.action is Action.HOLD and decision.wanted == decision.current
    foreseen = f"{decision.foreseen[0]:.1f} / {decision.foreseen[1]:.1f}" if decision.foreseen else "-"
    reason = decision.reason.value + (f" ({decision.rule})" if decision.rule else "")
    said = outcome.result.value + (f": {outcome.detail}" if outcome.detail else "")
    fault = f" [{row.fault}]" if row.fault else ""
    return [
        Text(str(decision.target), style="bold"),
        Text(current if same else f"{current} → {decision.wanted}"),
        Text(f"{decision.floor}-{decision.ceiling}"),
        Text("-" if decision.demand is None else f"{decision.demand:.1f}"),
        Text(foreseen),
        Text(reason),
        Text(said + fault, style=STYLES.get(outcome.result, "")),
    ]


def print_plans(console: Console, plans: Sequence[Plan], *, now: datetime) -> None:
    """A strip per target, its next change in words, and its changes in its own zone."""
    for each in plans:
        zone = ZoneInfo(each.timezone)
        console.print(
            f"\n[bold]{escape(str(each.target))}[/bold]  ({each.timezone}, forecast: {each.basis or each.note})"
        )
        if not each.steps:
            continue
        console.print(f"  {strip([step.capacity for step in each.steps])}", highlight=False)
        lowest, highest = min(s.capacity for s in each.steps), max(s.capacity for s in each.steps)
        hours = len(each.steps) * 5 / 60
        console.print(
            f"  capacity {lowest}-{highest} over {hours:g} hours from {now.astimezone(zone):%a %H:%M}, ${each.usd:.2f}"
        )
        moves = changes(each.steps)
        console.print(f"  next: {_next(moves, zone)}", highlight=False)


def _next(moves: Sequence[Step], zone: ZoneInfo) -> str:
    """The next change announced in one line: `Mon 08:45, 12 → 40, schedule: office hours`."""
    if len(moves) < 2:
        return f"stays at {moves[0].capacity}"
    before, step = moves[0], moves[1]
    return f"{step.at.astimezone(zone):%a %H:%M}, {before.capacity} → {step.capacity}, {step.reason}"


def strip(values: Sequence[int], width: int = STRIP_WIDTH) -> str:
    """A series as one line of blocks, the highest a full one; each column shows the most of its share of the series."""
    top = max(values) or 1
    columns = min(width, len(values))
    edges = [round(index * len(values) / columns) for index in range(columns + 1)]
    highest = [max(values[low:high]) for low, high in pairwise(edges)]
    return "".join(BLOCKS[round(value / top * (len(BLOCKS) - 1))] for value in highest)
