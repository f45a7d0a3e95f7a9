"""`python -m bench.traces DIR`: Warmcast's frontier and everybody else's on each trace in DIR, as tables.

Each trace is swept in a process of its own, the longest first. Nothing is kept from one run to the next. Exit code 0
whether the aims are met or not: the table says so.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench import machine
from bench.package import ROOT
from bench.traces import picture
from bench.traces.aims import SPILLOVER
from bench.traces.page import PICTURE, Run, markdown, section
from bench.traces.sweep import sweep
from bench.traces.tables import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.traces.sweep import Swept

DOCS: Final = ROOT / "docs"
PAGE: Final = "benchmark-traces.md"
OBJECTIVES: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
ENDINGS: Final = (".csv.gz", ".csv")
NO_TRACE: Final = {"profiles.csv"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Sweep and print; returns the exit code."""
    options = _parse(arguments)
    began = time.perf_counter()
    traces = run(options.traces, tuple(percent / 100 for percent in options.objectives), options.processes)
    found = tables(traces, held_back=options.held_back)
    for table in found:
        sys.stdout.write(section(table) + "\n")
    if options.write:
        told = Run(
            traces=len(traces),
            days=sum(trace.scored_days for trace in traces),
            asked=traces[0].asked,
            machine=machine.describe(),
            minutes=(time.perf_counter() - began) / 60,
        )
        options.write.mkdir(parents=True, exist_ok=True)
        (options.write / PAGE).write_text(markdown(told, found), encoding="utf-8")
        picture.draw(options.write / PICTURE, traces)
        sys.stdout.write(f"written: {options.write / PAGE}, {options.write / PICTURE}\n")
    return 0


def run(paths: Sequence[Path], objectives: tuple[float, ...], processes: int) -> list[Swept]:
    """Sweep all traces; by name."""
    began = time.perf_counter()
    found = []
    with ProcessPoolExecutor(max_workers=processes, mp_context=get_context("spawn")) as pool:
        longest_first = sorted(paths, key=lambda path: -path.stat().st_size)
        for each in as_completed([pool.submit(sweep, path, objectives) for path in longest_first]):
            found.append(each.result())
            took = time.perf_counter() - began
            sys.stderr.write(f"{took:5.0f} s  {len(found)} of {len(paths)}: {found[-1].name}\n")
    return sorted(found, key=lambda trace: trace.name)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.traces", description="Warmcast against the others on real traffic.")
    parser.add_argument("folder", type=Path, metavar="DIR", help="CSV files of timestamp,concurrency, gzipped or not")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these traces, by file name without its ending")
    parser.add_argument(
        "--objectives", nargs="+", type=float, default=OBJECTIVES, metavar="PERCENT", help="spillovers; 1 among them"
    )
    parser.add_argument("--held-back", action="store_true", help="judge by the aims for traces that were held back")
    parser.add_argument("--processes", type=int, default=2, metavar="N")
    parser.add_argument(
        "--write", nargs="?", type=Path, const=DOCS, metavar="DIR", help=f"write {PAGE} and {PICTURE} (default: docs)"
    )
    options = parser.parse_args(arguments)
    if 100 * SPILLOVER not in options.objectives:
        parser.error(f"--objectives: {100 * SPILLOVER:g} must be among them, the aims are set there")
    if options.only and options.write and options.write.resolve() == DOCS:
        parser.error("--write: some traces alone do not go into docs; name another folder")
    options.traces = _traces(parser, options.folder, options.only)
    return options


def _traces(parser: argparse.ArgumentParser, folder: Path, only: Sequence[str] | None) -> list[Path]:
    """The traces in the folder, or those named."""
    files = [path for path in sorted(folder.glob("*")) if path.name.endswith(ENDINGS) and path.name not in NO_TRACE]
    named = {path.name.removesuffix(".gz").removesuffix(".csv"): path for path in files}
    if not named:
        parser.error(f"{folder}: no trace there")
    if unknown := [name for name in only or () if name not in named]:
        parser.error(f"--only: no {', '.join(unknown)} among {', '.join(named)}")
    return [named[name] for name in only or named]


if __name__ == "__main__":
    sys.exit(main())
