"""The tables as Markdown whose columns stand under each other, so that a terminal shows them as well. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from bench.traces.sweep import LOOSE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.machine import Machine
    from bench.tables import Table

PICTURE: Final = "frontiers.png"

_HEAD: Final = """# Benchmark on real traffic

Written by `make bench-traces TRACES=DIR ARGS=--write`, never by hand. Speed, size and Warmcast's own cost are in
[benchmark.md](benchmark.md); the world that is simulated, and its limits, in [backtest.md](backtest.md).

{traces} traces of real traffic, {days:,.0f} days scored; everything before is training (14 days, or half the trace if
that is less). {machine}, {minutes:.0f} minutes.

## How to read it

Provisioned concurrency buys two things: a cheaper second of execution, and no cold start. What it costs depends on how
much is allocated, and every policy can allocate more and spill less. So policies are compared on their **frontiers**:
each policy's own parameter is swept, every setting is one point of allocation cost against spillover, and cost is read
off at equal spillover.

| policy | its parameter |
| --- | --- |
| Warmcast | objective `spillover`, {asked}; `capacity: {{min: 1, max: 100000}}`, all else at its default |
| target tracking | utilization, 0.1 to 0.9 in steps of 0.05 |
| cron table | quantile of each hour of the week's need in training, 0.5 to 1 |
| static peak | none: the need of training's highest minute at 1% |
| perfect foresight | the spillover that the whole trace is to reach; nobody can have it |

- A ratio is Warmcast's cost over the other's: below 1 Warmcast is cheaper. The other stands at the setting that was
  best **in hindsight** on that very trace, which no user can know. At 70%, AWS's example, it stands as most users have
  it.
- Between two settings cost is interpolated in the logarithm of the level, over settings that no cheaper one beats.
  Nothing is extrapolated. A policy that can't spill as little as asked is left out of that trace (a dash); one that
  spills less even at its cheapest setting costs what that setting costs.
- Means are geometric, over the traces where the policy compared gets there. Where it does and Warmcast does not, the
  trace is named.
- Warmcast is asked for {loose} too, so that it can be met where a policy leaves almost as many cold starts as none
  at all; and for half of what target tracking at 70% spills, where that is less than the tightest objective. Promises
  are counted without these.
- **Equal spillover is not equal cold starts.** A spilled call finds an on-demand environment that is still warm, more
  often so where traffic is steady. Hence the tables at equal cold starts; how long an environment stays warm AWS does
  not say, hence the keepalive band.
- **Coarse traces flatter.** Half of the traces were measured every 5, 30 or 60 minutes, and are smooth in between: see
  the table by class.
- Traffic of less than one execution in progress is too sparse for provisioned concurrency. It is among the traces
  because it is among users. Warmcast, where a stack owns the config, and target tracking keep one unit at least; a
  table and foresight may go down to none.
- Forecasts alone, against forecasting libraries, are measured apart (`make bench-forecasts`).

![Allocation cost against spillover, a panel for each trace]({picture})
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What was run, and on what.

    Args:
        minutes: wall time.
        asked: Warmcast's objectives, shares.
    """

    traces: int
    days: float
    asked: tuple[float, ...]
    machine: Machine
    minutes: float


def markdown(run: Run, tables: Sequence[Table]) -> str:
    """The whole page."""
    machine = run.machine
    head = _HEAD.format(
        traces=run.traces,
        days=run.days,
        asked=", ".join(f"{100 * share:g}%" for share in run.asked),
        machine=f"{machine.processor}, {machine.cores} cores, Python {machine.python}, numpy {np.__version__}",
        loose=" and ".join(f"{share:.0%}" for share in LOOSE),
        minutes=run.minutes,
        picture=PICTURE,
    )
    return "\n".join([head, *map(section, tables)])


def section(table: Table) -> str:
    """One table under its title."""
    rows = [table.columns, *table.rows]
    widths = [max(3, *(len(row[column]) for row in rows)) for column in range(len(table.columns))]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if column in table.right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join(padded)} |"

    ruler = ["-" * (width - 1) + ":" if column in table.right else "-" * width for column, width in enumerate(widths)]
    return "\n".join([f"## {table.title}", "", table.note, "", line(rows[0]), line(ruler), *map(line, rows[1:]), ""])
