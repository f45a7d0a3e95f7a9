"""The played day as a table for the terminal, 80 columns wide. Pure: returns what rich can print."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo.played import PlayedDay
    from warmcast.model import FloatArray

# Below half a percent either way, a cost is the same.
SAME = 0.005
BLOCKS = "▁▂▃▄▅▆▇█"


def day_table(days: Sequence[PlayedDay], *, title: str) -> Table:
    """Two lines a target, what was played and (dim) what static peak capacity would have done; then the sum."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("target", no_wrap=True)
    table.add_column("demand", justify="right", no_wrap=True)
    table.add_column("capacity", justify="right", no_wrap=True)
    table.add_column("spilled", justify="right", no_wrap=True)
    table.add_column("changes", justify="right", no_wrap=True)
    table.add_column("USD", justify="right", no_wrap=True)
    table.add_column("saved", justify="right", no_wrap=True)
    for day in days:
        mean, peak = float(np.nanmean(day.demand)), float(np.nanmax(day.demand))
        capacity = f"{day.ready.min()} - {day.ready.max()}"
        table.add_row(
            f"[bold]{day.name}[/]",
            f"{mean:.1f} mean",
            f"[bold]{capacity}[/]",
            f"[bold]{day.spillover:.2%}[/]",
            f"{day.changes}",
            f"[bold]{day.usd:.2f}[/]",
            _saved(day.saved),
        )
        static = (f"static {day.static}", f"{day.static_spillover:.2%}", "", f"{day.static_usd:.2f}", "")
        table.add_row(f" {day.policy}", f"{peak:.1f} peak", *static, style="dim", end_section=True)
    _add_sum(table, days)
    return table


def _add_sum(table: Table, days: Sequence[PlayedDay]) -> None:
    total, static = sum(day.usd for day in days), sum(day.static_usd for day in days)
    changes = sum(day.changes for day in days)
    saved = _saved(1 - total / static if static else 0.0)
    table.add_row("[bold]all[/]", "", "", "", f"{changes}", f"[bold]{total:.2f}[/]", saved)
    table.add_row("", "", "static", "", "", f"{static:.2f}", "", style="dim")


def hours_table(days: Sequence[PlayedDay]) -> Table:
    """The day's shape in one line a target: demand and READY capacity by the hour, each at its highest, one scale."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("by the hour (UTC)", no_wrap=True)
    table.add_column("demand", style="cyan", no_wrap=True)
    table.add_column("capacity", style="bold", no_wrap=True)
    for day in days:
        demand, ready = _by_hour(np.nan_to_num(day.demand)), _by_hour(day.ready.astype(np.float64))
        top = max(float(ready.max()), float(demand.max()), 1.0)
        table.add_row(day.name, _blocks(demand / top), _blocks(ready / top))
    return table


def _by_hour(minutes: FloatArray) -> FloatArray:
    """The highest minute of each hour."""
    highest: FloatArray = np.maximum.reduceat(minutes, np.arange(0, len(minutes), 60))
    return highest


def _blocks(shares: FloatArray) -> str:
    return "".join(BLOCKS[round(float(share) * (len(BLOCKS) - 1))] for share in shares)


def _saved(share: float) -> str:
    """Colour says at a glance what the sign says in words."""
    colour = "green" if share >= SAME else "red" if share <= -SAME else "dim"
    return f"[{colour}]{share:.0%}[/]"
