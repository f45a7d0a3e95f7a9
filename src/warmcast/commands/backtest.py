"""The command `backtest`: what a policy would have done on a demand trace, beside what the user would have otherwise.

    read       the policy (by the fleet's own loader) and the trace
    compare    replay it through the production brain, score it beside the baselines (pure)
    write      decisions.csv, summary.json and, where matplotlib is there, backtest.png
    tell       the same on the terminal

Touches the two files that it is given and the folder that it writes to; no AWS, no clock, no environment.
"""

from __future__ import annotations

import csv
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from warmcast.erlang import spilled_share
from warmcast.errors import FleetError, TraceError
from warmcast.fleet import Home, Severity, load_fleet
from warmcast.simulate.compare import CLAIRVOYANT, STATIC_PEAK, TARGET_TRACKING, WARMCAST, compare
from warmcast.simulate.reading import read_trace
from warmcast.simulate.trace import MINUTE_S
from warmcast.simulate.verdict import NAMES, conclusion, notes, stamp, summary
from warmcast.simulate.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from warmcast.fleet import Policy
    from warmcast.simulate.compare import Comparison
    from warmcast.simulate.score import Score
    from warmcast.simulate.trace import Trace

DECISIONS = "decisions.csv"
SUMMARY = "summary.json"
PICTURE = "backtest.png"
COLUMNS = ("timestamp", "demand", "requested", "ready", "floor", "ceiling", "reason")

USUAL = World()

F = TypeVar("F", bound="Callable[..., Any]")

LEARNING_S = 14 * 86_400
"""By default this much of the trace is history only, or half of it where that is less."""


# --- the command -----------------------------------------------------------------------------------------------------


def tick_seconds(_context: click.Context, _option: click.Parameter, value: str) -> int:
    """`--tick`: whole minutes from 1 to 60, with a unit or without."""
    found = re.fullmatch(r"(\d{1,4})(m|s|)", value)
    seconds = int(found[1]) * (1 if found[2] == "s" else MINUTE_S) if found else 0
    if seconds % MINUTE_S or not MINUTE_S <= seconds <= 60 * MINUTE_S:
        raise click.BadParameter(f"{value!r} is no whole number of minutes from 1 to 60, such as 5, 5m or 300s")
    return seconds


def epoch_seconds(_context: click.Context, _option: click.Parameter, value: str | None) -> int | None:
    """`--start`: a full minute in ISO 8601; in UTC where it names no zone, as traces are."""
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no instant in ISO 8601, such as 2014-05-14T01:10Z") from None
    seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    if seconds % MINUTE_S:
        raise click.BadParameter(f"{value!r} is not the start of a minute")
    return int(seconds)


def world_options(command: F) -> F:
    """What a trace does not tell, each with the simulated world's own default."""
    options = [
        click.option(
            "--tick", "tick_s", callback=tick_seconds, default="5m", show_default=True, help="Time between ticks."
        ),
        _number("--duration-ms", 1, 900_000, USUAL.duration_ms, "Mean duration, where the trace does not tell."),
        _number("--init-ms", 0, 900_000, USUAL.init_ms, "How long an environment's init takes."),
        click.option(
            "--memory-mb",
            type=click.IntRange(128, 10_240),
            default=USUAL.memory_mb,
            show_default=True,
            help="The function's memory.",
        ),
        click.option("--region", help="Whose prices hold. [default: the policy's Region, else us-east-1]"),
        click.option(
            "--architecture", type=click.Choice(["x86_64", "arm64"]), default=USUAL.architecture, show_default=True
        ),
        _number("--peakedness", 0.1, 20, USUAL.peakedness, "Burstiness of arrivals within a minute; 1 is Poisson."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _number(name: str, low: float, high: float, default: float, text: str) -> Callable[[F], F]:
    return click.option(name, type=click.FloatRange(low, high), default=default, show_default=True, help=text)


@click.command("backtest")
@click.option(
    "--demand",
    "demand_path",
    type=click.Path(path_type=Path),
    required=True,
    help="CSV file (or .gz), a row a minute: timestamp,concurrency[,peak] or timestamp,invocations,duration_ms[,peak].",
)
@click.option(
    "--policy",
    "policy_path",
    type=click.Path(path_type=Path),
    required=True,
    help="Policy file with exactly one target; its mode is ignored.",
)
@click.option(
    "--start",
    callback=epoch_seconds,
    metavar="ISO",
    help="All before it is history only (UTC). [default: after 14 days, or half the trace if that is less]",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write to; made if need be.")
@world_options
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def backtest(
    *,
    demand_path: Path,
    policy_path: Path,
    start: int | None,
    out: Path,
    region: str | None,
    form: str,
    **assumed: Any,  # noqa: ANN401 - the options of `world_options`
) -> int:
    """Replay a demand trace: what a policy would have done, cost and spilled.

    Writes decisions.csv, summary.json and backtest.png into --out, and compares with no provisioned concurrency, a
    static peak, a cron table, target tracking, EC2's predictive scaling and perfect foresight. Touches no AWS.
    """
    policy = _policy(policy_path)
    if policy is None:
        return 1
    world = World(region=region or policy.region or USUAL.region, **assumed)
    trace = _trace(demand_path, world)
    begin = _start(trace, start)
    _make(out)
    comparison = compare(policy, trace, start=begin, world=world)
    record = {"demand": demand_path.name, **summary(comparison)}
    _write(out, comparison, record, title=f"{record['target']} on {demand_path.name}")
    if form == "json":
        click.echo(_json(record))
    else:
        _tell(Console(), comparison, out)
    return 0


# --- what it is given ------------------------------------------------------------------------------------------------


def _policy(path: Path) -> Policy | None:
    """The only policy of the file; None where it has errors, which are told then."""
    try:
        fleet = load_fleet([path], home=None)
        for each in fleet.policies.values():  # wherever it says that it is, that is where it is
            fleet = load_fleet([path], home=Home(each.account or "", each.region or ""))
    except FleetError as error:
        raise click.ClickException(str(error)) from error
    for finding in fleet.findings:
        click.echo(str(finding), err=True)
    if any(finding.severity is Severity.ERROR for finding in fleet.findings):
        return None
    if len(fleet.policies) != 1:
        names = ", ".join(str(target) for target in fleet.policies) or "none"
        raise click.ClickException(f"{path}: a backtest takes a file with exactly one target, and this has {names}")
    (policy,) = fleet.policies.values()
    return policy


def _trace(path: Path, world: World) -> Trace:
    try:
        return read_trace(path, duration_ms=world.duration_ms)
    except TraceError as error:
        raise click.ClickException(str(error)) from error


def _start(trace: Trace, start: int | None) -> int:
    if start is None:
        return trace.start + min(LEARNING_S, len(trace) // 2 * MINUTE_S)
    if not trace.start <= start < trace.end:
        last = stamp(trace.end - MINUTE_S)
        raise click.BadParameter(
            f"{stamp(start)} is outside the trace, which goes from {stamp(trace.start)} to {last}", param_hint="--start"
        )
    return start


def _make(folder: Path) -> None:
    """Make the folder before the work, so that nobody waits for what can't be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SUMMARY).open("a").close()
    except OSError as error:
        raise click.BadParameter(f"{folder}: can't be written to: {error.strerror}", param_hint="--out") from error


# --- what it writes --------------------------------------------------------------------------------------------------


def _write(folder: Path, comparison: Comparison, record: dict[str, object], *, title: str) -> None:
    with (folder / DECISIONS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_rows(comparison))
    (folder / SUMMARY).write_text(_json(record) + "\n", encoding="utf-8")
    _draw(folder / PICTURE, comparison, title)


def _rows(comparison: Comparison) -> Iterator[tuple[object, ...]]:
    """Each minute from the start to the last; a gap's demand is empty."""
    scored, run = comparison.scored, comparison.replay
    demand = ("" if np.isnan(value) else f"{value:.10g}" for value in scored.demand.tolist())
    stamps = (stamp(at) for at in scored.at.tolist())
    units = (each.tolist() for each in (run.requested, run.ready, run.floor, run.ceiling))
    return zip(stamps, demand, *units, run.reasons, strict=True)


def _json(record: dict[str, object]) -> str:
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
        for name, below in ((WARMCAST, True), (TARGET_TRACKING, True), (STATIC_PEAK, False))
    ]
    picture.draw(path, scored, lines, title=title, conclusion=conclusion(comparison))


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


def _tell(console: Console, comparison: Comparison, folder: Path) -> None:
    """A row per policy, Warmcast's first, then the conclusion and what to beware of."""
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
