"""`python -m bench.forecasts TRACES`: forecasts alone, Warmcast's against statsforecast's; prints and writes a page.

Two traces at a time, each in a process of its own. Exit code 0 whether the aims are met or not: the tables say so.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from bench import machine
from bench.forecasts.contest import PEERS_PYTHON, ROOT, hold
from bench.forecasts.cut import cut
from bench.forecasts.page import Run, markdown, tables
from bench.grid import grid
from demo.traces import read_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE: Final = ROOT / "docs" / "benchmark-forecasts.md"
ORIGINS: Final = 12
PROCESSES: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Hold a contest on every trace of a folder; returns the exit code."""
    options = _parse(arguments)
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 160, highlight=False)
    if not PEERS_PYTHON.exists():
        console.print("the peers are not installed: make bench-forecasts TRACES=DIR")
        return 2
    run = measure(options.traces, options.origins, console)
    for table in tables(run):
        console.print()
        console.print(grid(table))
        console.print(table.note, style="dim", markup=False)
    if options.write:
        PAGE.write_text(markdown(run), encoding="utf-8")
        console.print(f"written: {PAGE.relative_to(ROOT)}")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench.forecasts", description="Warmcast's forecasts against statsforecast's."
    )
    parser.add_argument("traces", type=Path, help="folder of <name>.csv.gz with timestamp,concurrency, a row a minute")
    parser.add_argument("--origins", type=int, default=ORIGINS, help="instants in each trace to forecast from")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)} as well")
    return parser.parse_args(arguments)


def measure(folder: Path, origins: int, console: Console) -> Run:
    """All traces of a folder, two at a time."""
    described = machine.describe()
    traces = read_folder(folder)
    cuts = {trace.name: cut(trace.name, trace.start, trace.demand, origins) for trace in traces}
    contests = []
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool, console.status("fitting") as status:
        for contest in pool.map(hold, [each for each in cuts.values() if each]):
            contests.append(contest)
            status.update(f"{len(contests)} of {len(cuts)}: {contest.name}")
    return Run(
        contests=contests,
        origins=origins,
        too_short=[name for name, each in cuts.items() if not each],
        machine=described,
    )


if __name__ == "__main__":
    sys.exit(main())
