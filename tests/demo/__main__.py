"""`python -m demo`: a day of Warmcast on a local AWS, with a table and a picture at the end.

Parses the command line, chooses the traffic, prints. Exit codes: 0 good, 1 a tick failed or a trace is malformed,
2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from demo.day import SEED, TICK_MINUTES, Plan, Played, Player, play
from demo.picture import Caption, draw_picture
from demo.profiles import draw_all, read_profiles
from demo.table import day_table, hours_table
from demo.targets import DRAWN, DRAWN_FLEET, parts_for, write_trace_fleet
from demo.traces import choose_diverse, choose_weekday, cut, day_for, read_folder
from demo.traffic import DAY_MINUTES, UsageError, draw_load
from demo.world import static_peak
from warmcast.errors import WarmcastError
from warmcast.prices import AS_OF

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo.targets import Part
    from demo.traffic import Traffic

REGION = "us-east-1"
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
PAST_DAYS = 14
MOST_TARGETS = 8
PROFILES = Path(__file__).parents[1] / "data" / "profiles.csv"
PRICES = f"Cost: allocation alone, {REGION} list prices ({AS_OF}), each unit billed in steps of 5 minutes."
STATIC = "Static peak: capacity that serves the highest minute of the past within 1% spillover, all day."


@dataclass(frozen=True, slots=True)
class Scene:
    """What is to be played, and where its traffic is from, in a sentence."""

    players: tuple[Player, ...]
    plan: Plan
    source: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; returns the exit code."""
    options = _parse(arguments)
    # What the function logs goes to a file by way of standard output, so the console keeps the real one.
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 100, highlight=False)
    try:
        return _run(options, console)
    except WarmcastError as error:
        Console(stderr=True, soft_wrap=True).print(f"demo: {error}", markup=False, highlight=False)
        return 2 if isinstance(error, UsageError) else 1


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo", description="One day of Warmcast on a local AWS.")
    parser.add_argument(
        "--traces", type=Path, metavar="DIR", help="replay files `timestamp,concurrency` of this folder"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", default=Path("build/demo"), help="default: %(default)s")
    parser.add_argument("--hours", type=int, default=24, choices=range(1, 25), metavar="1-24", help="default: 24")
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace, console: Console) -> int:
    began = monotonic()
    _make_folder(options.out)
    with console.status("drawing traffic"):
        scene = _scene(options)
    console.print(f"[bold]Warmcast, one simulated day:[/] {_when(scene.plan)} (UTC)")
    console.print(f"{len(scene.players)} targets on a local AWS; {scene.source}.")
    played = _play(scene, console)
    picture = options.out / "demo.png"
    draw_picture(played.days, _caption(scene), picture)
    console.print()
    console.print(day_table(played.days, title="The day (dim: with static peak capacity instead)"))
    console.print()
    console.print(hours_table(played.days))
    _print_end(console, scene, played, picture=picture, took_s=monotonic() - began)
    return 1 if played.failures else 0


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: no folder can be made there: {error.strerror}") from error


# --- what is played ---------------------------------------------------------------------------------------------------


def _scene(options: argparse.Namespace) -> Scene:
    log = options.out / "ticks.log"
    if options.traces is None:
        names = tuple(part.traffic for part in DRAWN)
        traffic = draw_all(read_profiles(PROFILES), names, day=MONDAY, past_days=PAST_DAYS, seed=SEED)
        players = _players(DRAWN, [traffic[name] for name in names])
        plan = Plan(fleet=DRAWN_FLEET, day=MONDAY, minutes=options.hours * 60, log=log)
        return Scene(
            players, plan, f"traffic drawn from measured weekly profiles (tests/data/profiles.csv), seed {SEED}"
        )
    traces = read_folder(options.traces)
    day = day_for(choose_weekday(traces), not_before=MONDAY)
    cuts = [one for trace in traces if (one := cut(trace, day=day)) is not None]
    chosen = choose_diverse(cuts, MOST_TARGETS)
    parts = tuple(parts_for(chosen))
    players = _players(parts, chosen)
    fleet = options.out / "fleet"
    write_trace_fleet(parts, [_ceiling(player) for player in players], fleet)
    plan = Plan(fleet=fleet, day=day, minutes=options.hours * 60, log=log)
    return Scene(players, plan, f"traffic replayed from {options.traces} ({len(chosen)} of {len(traces)} traces)")


def _players(parts: Sequence[Part], traffic: Sequence[Traffic]) -> tuple[Player, ...]:
    return tuple(
        Player(part, one, draw_load(one.demand, part.duration_s, np.random.default_rng((SEED, index))))
        for index, (part, one) in enumerate(zip(parts, traffic, strict=True))
    )


def _ceiling(player: Player) -> int:
    """A ceiling well above anything seen, in round figures."""
    peak = static_peak(player.load, player.traffic.past, unit=player.unit(REGION))
    return max(20, round(2 * peak, -1))


# --- how it is told ---------------------------------------------------------------------------------------------------


def _play(scene: Scene, console: Console) -> Played:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("ticks"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("loading history", total=scene.plan.minutes // TICK_MINUTES)

        def told(at: datetime, requested: int) -> None:
            if at.minute % TICK_MINUTES == TICK_MINUTES - 1:
                progress.update(task, advance=1, description=f"{at:%a %H:%M}  {requested:>5} units")

        return play(scene.players, scene.plan, on_minute=told)


def _when(plan: Plan) -> str:
    hours = "" if plan.minutes == DAY_MINUTES else f", the first {plan.minutes // 60} hours"
    return f"{plan.day:%A} {plan.day.day} {plan.day:%B %Y}{hours}"


def _caption(scene: Scene) -> Caption:
    return Caption(
        title=f"A day of Warmcast: {_when(scene.plan)}",
        subtitle=f"a tick every {TICK_MINUTES} minutes against a local AWS; times in UTC",
        footnotes=(f"{scene.source[0].upper()}{scene.source[1:]}. {STATIC}", PRICES),
    )


def _print_end(console: Console, scene: Scene, played: Played, *, picture: Path, took_s: float) -> None:
    console.print()
    console.print(f"{STATIC}\n{PRICES}", style="dim")
    for failure in played.failures:
        console.print(f"failed: {failure}", style="red", markup=False)
    calls = sum(played.calls.values())
    console.print(f"{calls} AWS calls in {took_s:.0f} s. Every decision with its reason: {scene.plan.log}", style="dim")
    console.print(f"\nThe picture: [bold]{picture}[/]\n")
    fleet = scene.plan.fleet.resolve()
    fleet = fleet.relative_to(Path.cwd()) if fleet.is_relative_to(Path.cwd()) else fleet
    if not scene.source.startswith("traffic replayed"):
        console.print(f"Next: change a policy in {fleet} and run it again; read how in docs/policy.md.")
    else:
        console.print(f"The policies, one of each kind in turn, are in {fleet} (written anew by each run).")
    console.print("      write your own in src/fleet and check it: make validate")
    console.print("      deploy: sam build && sam deploy --guided (every new target only observes at first)")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
