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
from warmcast.report import reason_in_words

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
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

WIDE = 120
"""Columns from which a tick's numbers fit beside its reasons; these come first on a narrow terminal."""

NUMBERS = ("floor-ceiling", "demand", "foreseen p50/p90")


def print_report(console: Console, report: TickReport) -> None:
    """One row per target: from where to where, why, and what came of it; its numbers where there is room for them."""
    if report.status is TickStatus.LOCKED:
        return
    wide = console.width >= WIDE
    table = Table(box=box.SIMPLE_HEAD, title=_title(report), title_justify="left")
    table.add_column("target", overflow="fold")
    table.add_column("capacity", justify="right", no_wrap=True)
    for heading in NUMBERS if wide else ():
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("reason", overflow="fold")
    table.add_column("outcome", overflow="fold", min_width=24)
    for row in report.rows:
        table.add_row(*_cells(row, wide=wide))
    console.print(table)
    if not report.rows:
        console.print("no targets in the fleet")
    for line in [*report.findings, *(fault.message for fault in report.faults)]:
        console.print(f"[red]{escape(line)}[/red]")
    calls = ", ".join(f"{count} {name}" for name, count in sorted(report.calls.items()))
    console.print(f"{report.duration_s:.1f} s; calls: {calls or 'none'}", style="dim")


def _title(report: TickReport) -> str:
    dry = " (dry run: nothing was written)" if report.dry_run else ""
    return f"tick of {report.at:%Y-%m-%d %H:%M:%S} UTC{dry}"


def _cells(row: Row, *, wide: bool) -> list[Text]:
    decision, outcome = row.outcome.decision, row.outcome
    current = "?" if decision.current is None else str(decision.current)
    same = decision.action is Action.HOLD and decision.wanted == decision.current
    foreseen = f"{decision.foreseen[0]:.1f} / {decision.foreseen[1]:.1f}" if decision.foreseen else "-"
    reason = reason_in_words(decision)
    said = outcome.result.value + (f": {outcome.detail}" if outcome.detail else "")
    fault = f" [{row.fault}]" if row.fault else ""
    numbers = [
        Text(f"{decision.floor}-{decision.ceiling}"),
        Text("-" if decision.demand is None else f"{decision.demand:.1f}"),
        Text(foreseen),
    ]
    return [
        Text(str(decision.target), style="bold"),
        Text(current if same else f"{current} → {decision.wanted}"),
        *(numbers if wide else ()),
        Text(reason),
        Text(said + fault, style=STYLES.get(outcome.result, "")),
    ]


def print_plans(console: Console, plans: Sequence[Plan], *, now: datetime) -> None:
    """A strip per target, what rules allow, its next change in words; hours are those of its own zone."""
    if not plans:
        console.print("no targets in the fleet")
    for each in plans:
        zone = ZoneInfo(each.timezone)
        forecast = f"forecast: {each.basis}" if each.basis else "no forecast"
        console.print(f"\n[bold]{escape(str(each.target))}[/bold]  ({each.timezone}, {forecast})")
        if each.note:
            console.print(f"  [red]{escape(each.note)}[/red]")
        if each.steps:
            _print_steps(console, each, zone, now)


def _print_steps(console: Console, each: Plan, zone: ZoneInfo, now: datetime) -> None:
    capacities = [step.capacity for step in each.steps]
    floors, ceilings = {step.floor for step in each.steps}, {step.ceiling for step in each.steps}
    console.print(f"  {strip(capacities)}", highlight=False)
    console.print(
        f"  capacity {_range(capacities)} over {len(each.steps) * 5 / 60:g} hours from {now.astimezone(zone):%a %H:%M},"
        f" floor {_range(floors)}, ceiling {_range(ceilings)}, ${each.usd:.2f}",
        highlight=False,
    )
    stands = f"{each.standing} stand now, then " if each.standing != capacities[0] else ""
    console.print(f"  {stands}{capacities[0]}; next: {_next(changes(each.steps), zone)}", highlight=False)


def _range(values: Collection[int]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low}-{high}"


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
