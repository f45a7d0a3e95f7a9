"""`python -m bench.scan`: scan 2,000 functions over 3 Regions under AWS's limits, and print what that took.

Exit code 0 whether the aims are met or not: the table says so.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from bench import machine
from bench.package import ROOT
from bench.scan.account import REGIONS, Size
from bench.scan.run import scan
from warmcast.model.asked import USD_PER_METRIC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.machine import Machine
    from bench.scan.run import Scanned

PAGE: Final = ROOT / "docs" / "benchmark-scan.md"
MOST_S: Final = 300.0
MOST_MB: Final = 500.0
MOST_PER_S: Final = 5.0
"""A third of the 15 a second that Lambda's control plane allows an account and Region."""

LEAST_FILL: Final = 0.8


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write the page where that is asked for."""
    options = _parse(arguments)
    size = Size(functions=options.functions)
    page = _page(size, scan(size), machine.describe())
    sys.stdout.write(page)
    if options.write:
        PAGE.write_text(page, encoding="utf-8")
        sys.stdout.write(f"written: {PAGE}\n")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.scan", description=__doc__)
    parser.add_argument("--functions", type=int, default=Size().functions, help="over all Regions (%(default)s)")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    return parser.parse_args(arguments)


def _page(size: Size, took: Scanned, here: Machine) -> str:
    return f"""\
# Benchmark of a scan

Written by `make bench-scan ARGS=--write`, never by hand; `make bench-scan` measures and prints it.

Measured on: {here.processor}, {here.cores} cores, Python {here.python}, numpy {here.numpy};
the reference workload takes {here.reference_s * 1000:.0f} ms. `warmcast scan` ran as a process of its own, beside the
local AWS on the same machine, which enforces Lambda's limits in real time: 15 calls of the control plane a second for
each account and Region, GetFunction 100.

The account: {size.functions:,} functions over {len(REGIONS)} Regions, {size.provisioned} of them with provisioned
concurrency, {size.busy} more with over a thousand invocations a day, the others with an invocation every 20 minutes;
14 days of minutes each. The scan judged {took.rows} aliases in {took.cpu_s:.0f} s of processor time; the rest of its
time it waited for its turn, and for the local AWS.

| what | aim | measured | met |
| --- | ---: | ---: | --- |
{chr(10).join(_row(*aim) for aim in _aims(took))}

{_calls(took)}"""


def _aims(took: Scanned) -> list[tuple[str, str, str, bool]]:
    per_s = max(rate.most_per_s for rate in took.rates.values())
    return [
        ("wall time", f"under {MOST_S:.0f} s", f"{took.wall_s:.0f} s", took.wall_s < MOST_S),
        ("peak memory", f"under {MOST_MB:.0f} MB", f"{took.peak_mb:.0f} MB", took.peak_mb < MOST_MB),
        (
            "Lambda calls a second and Region, busiest ten seconds",
            f"under {MOST_PER_S:.0f}",
            f"{per_s:.1f}",
            per_s < MOST_PER_S,
        ),
        ("requests that were throttled", "0", f"{took.throttled}", took.throttled == 0),
        (
            "how full the calls of GetMetricData are, mean",
            f"over {LEAST_FILL:.0%}",
            f"{took.fill:.0%}",
            took.fill > LEAST_FILL,
        ),
    ]


def _row(what: str, aim: str, measured: str, met: bool) -> str:  # noqa: FBT001 - a cell of the table
    return f"| {what} | {aim} | {measured} | {'yes' if met else 'no'} |"


def _calls(took: Scanned) -> str:
    regions = "\n".join(f"| {region} | {rate.calls:,} | {rate.most_per_s:.1f} |" for region, rate in took.rates.items())
    sent = "\n".join(f"| {name} | {count:,} |" for name, count in sorted(took.sent.items()))
    usd = took.metrics * USD_PER_METRIC
    return f"""\
{took.metrics:,} metrics were requested in {took.metric_calls:,} calls; CloudWatch charges {usd:.2f} USD for them.

| Region | Lambda calls, GetFunction left out | a second, busiest ten |
| --- | ---: | ---: |
{regions}

| call | times |
| --- | ---: |
{sent}
"""


if __name__ == "__main__":
    sys.exit(main())
