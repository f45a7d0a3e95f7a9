"""`python -m bench`: measure what the project promises of its own speed, size and cost, and print it.

Each part runs in a process of its own, one after the other, so that none disturbs another's time or memory. Exit code
0 whether the aims are met or not: the table says so.
"""

from __future__ import annotations

import argparse
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from rich.console import Console

from bench import day, decisions, machine, over_http, package, ticks
from bench.bill import Function
from bench.figures import Measured
from bench.forecasts import race
from bench.grid import grid
from bench.population import SUNDAY, WEDNESDAY
from bench.tables import headline, markdown, tables
from warmcast.model import TickReport
from warmcast.report import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PAGE: Final = package.ROOT / "docs" / "benchmark.md"
DAYS_OF_WEEK: Final = {"working day": 5, "day off": 2}

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    targets: int
    warm_ticks: int
    day_targets: int
    day_ticks: int
    rounds: int
    imports: int


FULL: Final = Scale(targets=1000, warm_ticks=12, day_targets=80, day_ticks=288, rounds=25, imports=7)
QUICK: Final = Scale(targets=40, warm_ticks=2, day_targets=20, day_ticks=12, rounds=3, imports=2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    options = _parse(arguments)
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 160, highlight=False)
    run = measure(QUICK if options.quick else FULL, console)
    for table in tables(run):
        console.print()
        console.print(grid(table))
        console.print(table.note, style="dim", markup=False)
    console.print(f"\n{headline(run)}", markup=False)
    if options.write:
        PAGE.write_text(markdown(run), encoding="utf-8")
        console.print(f"written: {PAGE.relative_to(package.ROOT)}")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench", description="What Warmcast itself takes: time, memory, calls, money."
    )
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--quick", action="store_true", help="a smoke run in half a minute; its figures mean nothing")
    kinds.add_argument("--write", action="store_true", help="write docs/benchmark.md as well")
    return parser.parse_args(arguments)


def measure(scale: Scale, console: Console) -> Measured:
    """Run all parts."""
    stages = dict.fromkeys(DAYS_OF_WEEK, WEDNESDAY) | {"day off": SUNDAY}
    with console.status("the machine") as status:

        def alone(what: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
            status.update(what)
            return _alone(work, *args, **kwargs)

        described = alone("the machine", machine.describe)
        ticked = alone("ticks against a fake AWS", ticks.measure, scale.targets, scale.warm_ticks)
        http = alone("ticks over HTTP", over_http.measure, scale.targets, scale.warm_ticks // 2)
        days = {
            name: alone(f"a {name}", day.measure, scale.day_targets, at, scale.day_ticks) for name, at in stages.items()
        }
        thoughts = alone("decisions", decisions.measure, scale.rounds)
        raced = alone("a race with AutoETS", race.measure)
        status.update("imports and the package")
        template = (package.ROOT / "template.yaml").read_text(encoding="utf-8")
        return Measured(
            machine=described,
            ticks=ticked,
            http=http,
            week=day.weigh(days, DAYS_OF_WEEK),
            function=_declared(template),
            alarms=template.count("Type: AWS::CloudWatch::Alarm"),
            fleet_metrics=len(metrics(TickReport(at=WEDNESDAY, fleet_version=""))),
            thoughts=thoughts,
            race=raced,
            imported=package.import_times(scale.imports),
            package=package.package(),
        )


def _alone(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run it in a fresh process."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *args, **kwargs).result()


def _declared(template: str) -> Function:
    """Memory and architecture that the template gives the function by default."""
    memory = re.search(r"^  MemorySize:\n(?:    .*\n)*?    Default: (\d+)$", template, re.MULTILINE)
    architecture = re.search(r"^  Architecture:\n(?:    .*\n)*?    Default: (\w+)$", template, re.MULTILINE)
    assert memory, "no default of MemorySize in template.yaml"
    assert architecture, "no default of Architecture in template.yaml"
    return Function(int(memory[1]), architecture[1])


if __name__ == "__main__":
    sys.exit(main())
