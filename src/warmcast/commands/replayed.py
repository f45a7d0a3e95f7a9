"""What a backtest leaves behind: decisions.csv, summary.json, the picture, and the same on the terminal.

Writes into the folder that it is given, and to standard output.
"""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import click
import numpy as np
from rich import box
from rich.markup import escape
from rich.table import Table

from warmcast.erlang import spilled_share
from warmcast.simulate.compare import ACTUAL, CLAIRVOYANT, STATIC_PEAK, TARGET_TRACKING, WARMCAST
from warmcast.simulate.verdict import NAMES, conclusion, notes, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rich.console import Console

    from warmcast.simulate.compare import Comparison
    from warmcast.simulate.score import Score

DECISIONS = "decisions.csv"
SUMMARY = "summary.json"
PICTURE = "backtest.png"
COLUMNS = ("timestamp", "demand", "requested", "ready", "floor", "ceiling", "reason")


# --- the folder ------------------------------------------------------------------------------------------------------


def make(folder: Path) -> None:
    """Make the folder before the work, so that nobody waits for what can't be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SUMMARY).open("a").close()
    except OSError as error:
        raise click.BadParameter(f"{folder}: can't be written to: {error.strerror}", param_hint="--out") from error


def write(folder: Path, comparison: Comparison, record: dict[str, object], *, title: str) -> None:
    """The three files, whatever an earlier run left there replaced."""
    with (folder / DECISIONS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_rows(comparison))
    (folder / SUMMARY).write_text(as_json(record) + "\n", encoding="utf-8")
    _draw(folder / PICTURE, comparison, title)


def _rows(comparison: Comparison) -> Iterator[tuple[object, ...]]:
    """Each minute from the start to the last; a gap's demand is empty."""
    scored, run = comparison.scored, comparison.replay
    demand = ("" if np.isnan(value) else f"{value:.10g}" for value in scored.demand.tolist())
    stamps = (stamp(at) for at in scored.at.tolist())
    units = (each.tolist() for each in (run.requested, run.ready, run.floor, run.ceiling))
    return zip(stamps, demand, *units, run.reasons, strict=True)


def as_json(record: dict[str, object]) -> str:
    """The summary as text."""
    return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)


def _draw(path: Path, comparison: Comparison, title: str) -> None:
    """The picture, where matplotlib is; else no picture, for one of an earlier run would be of something else."""
    try:
        from warmcast.simulate import picture  # noqa: PLC0415 - matplotlib is an extra: the rest works without
    except ImportError as missing:
        path.unlink(missing_ok=True)
        click.echo(
            f"no {path.name}, as {missing.name} is not installed: pip install matplotlib (the extra plots)", err=True
        )
        return
    scored, peakedness = comparison.scored, comparison.world.peakedness
    lines = [
        picture.Drawn(
            name=name,
            label=f"{NAMES[name]}, READY",
            ready=comparison.lines[name].ready,
            spilled=spilled_share(comparison.lines[name].ready, scored.demand, peakedness) if below else None,
        )
        for name, below in DRAWN
        if name in comparison.lines
    ]
    picture.draw(path, scored, lines, title=title, conclusion=conclusion(comparison))


DRAWN = ((WARMCAST, True), (ACTUAL, True), (TARGET_TRACKING, True), (STATIC_PEAK, False))
"""The lines of the picture, and which of them have their spillover drawn below."""


# --- what it tells ---------------------------------------------------------------------------------------------------

FIGURES: tuple[tuple[str, Callable[[Score], str]], ...] = (
    ("total", lambda score: f"${score.total_usd:,.2f}"),
    ("allocation", lambda score: f"${score.allocation_usd:,.2f}"),
    ("spillover", lambda score: f"{score.spillover:.2%}"),
    ("cold/10k", lambda score: f"{score.cold_starts_per_10k:.2f}"),
    ("worst 5 min", lambda score: f"{score.worst_5min_cold_share:.2%}"),
    ("mean units", lambda score: f"{score.mean_capacity:,.1f}"),
    ("used", lambda score: f"{score.utilization:.0%}"),
    ("changes/day", lambda score: f"{score.changes_per_day:.1f}"),
)

FIRST = 5
"""How many of the figures fit on a narrow terminal; the summary has them all."""

WIDE = 118
"""Columns from which all fit."""


def tell(console: Console, comparison: Comparison, folder: Path) -> None:
    """A row per policy, what was actually run and Warmcast's first, then the conclusion and what to beware of."""
    scored = comparison.scored
    figures = FIGURES if console.width >= WIDE else FIGURES[:FIRST]
    table = Table(box=box.SIMPLE_HEAD, title=f"{stamp(scored.start)} to {stamp(scored.end)}", title_justify="left")
    table.add_column("policy", no_wrap=True)
    for heading, _ in figures:
        table.add_column(heading, justify="right", no_wrap=True)
    for name, line in comparison.lines.items():
        style = "bold" if name == WARMCAST else "dim" if name == CLAIRVOYANT else ""
        table.add_row(name, *(figure(line.score) for _, figure in figures), style=style)
    console.print(table)
    for sentence in (conclusion(comparison), *notes(comparison)):
        console.print(escape(sentence), highlight=False)
    console.print(f"written to {escape(str(folder))}", style="dim", highlight=False)
