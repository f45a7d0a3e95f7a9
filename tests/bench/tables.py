"""The figures as tables: for a terminal, and as the Markdown of `docs/benchmark.md`. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.bill import DAYS_PER_MONTH
from bench.figures import figures, tick_seconds
from bench.over_http import WEEKS_PER_TICK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.figures import Measured


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a title.

    Args:
        note: a paragraph above it; empty for none.
        right: columns that hold numbers.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    right: frozenset[int] = frozenset()


def tables(run: Measured) -> list[Table]:
    """Everything that a run found."""
    return [_aims(run), _ticks(run), _calls(run), _cost(run), _changes(run), _package(run)]


def headline(run: Measured) -> str:
    """The machine in a line: the figures depend on it."""
    machine = run.machine
    return (
        f"{machine.processor}, {machine.cores} cores, Python {machine.python}, numpy {machine.numpy}; "
        f"the reference workload takes {machine.reference_s * 1000:.0f} ms"
    )


def number(value: float | None) -> str:
    """Three significant digits, no exponent."""
    if value is None:
        return "not measured"
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 2
    while digits < 8 and abs(value) < 10 ** (1 - (digits - 1)):
        digits += 1
    return f"{value:.{digits}f}" if abs(value) < 10 else f"{value:.1f}"


def _aims(run: Measured) -> Table:
    rows = tuple(
        (
            each.name,
            f"{number(each.most)} {each.unit}".strip(),
            f"{number(each.found)} {each.unit}".strip() if each.found is not None else "not measured",
            "yes" if each.met else "no",
            each.how,
        )
        for each in figures(run)
    )
    return Table("Aims", ("what", "at most", "measured", "met", "how"), rows, right=frozenset({1, 2}))


def _ticks(run: Measured) -> Table:
    ticks, http, reference = run.ticks, run.http, run.machine.reference_s
    spent = (
        ("first tick, fake AWS", ticks.cold.cpu_s),
        ("warm tick, fake AWS", ticks.warm_s),
        ("first tick, over HTTP", http.first_cpu_s),
        ("warm tick, over HTTP", http.warm_s),
    )
    rows = tuple((name, number(cpu_s), number(cpu_s / reference)) for name, cpu_s in spent)
    note = (
        f"{ticks.targets:,} targets, processor time. The reference workload is a plain loop over two million integers "
        "and numpy sorting two million floats: other machines, and this one when it is busy, compare by the ratio. "
        f"After a cold start all targets are learned within {ticks.to_learn} ticks; until then they obey their rules "
        f"and what is seen. Over HTTP {min(http.targets, WEEKS_PER_TICK):,} targets, those whose past weeks the first "
        "tick reads, have 14 days of minutes behind them, the others four hours. In a warm tick of a busy morning "
        f"requests are held back for {ticks.waited_s:.0f} s to stay under a third of AWS's rate; {ticks.changed:.0f} "
        f"capacities are changed then, and {ticks.deferred:.0f} changes put off to a later tick for want of calls: all "
        "targets begin in mode apply, at once, with a capacity that somebody guessed."
    )
    return Table("Ticks", ("what", "s", "x reference"), rows, note, frozenset({1, 2}))


def _calls(run: Measured) -> Table:
    cold, warm = run.ticks.cold.calls, run.ticks.warm_calls
    names = sorted({*cold, *warm}, key=lambda name: -warm.get(name, 0.0))
    rows = tuple((name, f"{cold.get(name, 0):,}", number(warm.get(name, 0.0))) for name in names)
    note = (
        f"Requests in one tick over {run.ticks.targets:,} targets: the first of an environment, and the mean of "
        f"{len(run.ticks.warm_cpu_s)} warm ones on a working day's morning."
    )
    return Table("Requests", ("operation", "first tick", "warm tick"), rows, note, frozenset({1, 2}))


def _cost(run: Measured) -> Table:
    rows = [(cost.name, f"{cost.usd:.4f}", cost.basis) for cost in run.costs]
    total = sum(cost.usd for cost in run.costs)
    rows.append(("a target", f"{total:.4f}", "the sum"))
    for targets in (10, 100, 1000):
        basis = f"${run.stack_usd:.2f} for {run.alarms} alarms and {run.fleet_metrics} metrics, shared"
        rows.append(
            (
                f"... in a fleet of {targets:,}, the stack's own included",
                f"{total + run.stack_usd / targets:.4f}",
                basis,
            )
        )
    note = (
        "Per target and month of 730 hours at the default rate, list prices of us-east-1 without any free tier "
        "(aws.amazon.com: cloudwatch/pricing, dynamodb/pricing/on-demand, lambda/pricing; Scheduler's first 14 million "
        f"invocations are free). Counted over simulated days of 288 ticks, five working days and two Sundays, with "
        f"{run.week.targets} targets: of ten four work round the clock, four in office hours, two now and then. "
        f"A tick is taken to last {tick_seconds(run):.1f} s in Lambda: processor time of this machine at the share of "
        "a core that the memory buys, the time that requests are held back, and an assumed latency (1 s for "
        "GetMetricData, 50 ms for GetFunction, 10 ms for DynamoDB). A new environment every six hours reads history "
        "and state anew."
    )
    return Table("Own cost", ("component", "USD", "basis"), tuple(rows), note, frozenset({1}))


def _changes(run: Measured) -> Table:
    week = run.week
    per_day = week.targets * week.ticks / 288
    rows = (
        ("changes of capacity", number(week.written_to / per_day)),
        ("changes put off for want of calls", number(week.deferred / per_day)),
        ("control-plane calls, GetFunction left out", number(_shared_calls(week.calls) / per_day)),
        ("series read", number(week.series / per_day)),
        ("seconds that requests were held back", number(week.waited_s / per_day)),
    )
    note = f"Per target and day, means of the same week ({number(DAYS_PER_MONTH)} days make a month)."
    return Table("A target's day", ("what", "a day"), rows, note, frozenset({1}))


def _shared_calls(calls: Mapping[str, int]) -> int:
    return sum(n for name, n in calls.items() if name.startswith("lambda.") and name != "lambda.GetFunction")


def _package(run: Measured) -> Table:
    found: Sequence[tuple[str, float]] = run.package.parts if run.package else ()
    rows = tuple((name, number(mb)) for name, mb in found)
    note = "The largest parts of the unzipped package; boto3 is not among them, Lambda's runtime brings it."
    return Table("Package", ("folder", "MB"), rows, note, frozenset({1}))


# --- Markdown --------------------------------------------------------------------------------------------------------

_HEAD = """# Benchmark

Written by `PYTHONPATH=src:tests .venv/bin/python -m bench --write`, never by hand; `make bench` measures and prints it.

Measured on: {machine}.
"""


def markdown(run: Measured) -> str:
    """The whole of `docs/benchmark.md`."""
    return "\n".join([_HEAD.format(machine=headline(run)), *(section(table) for table in tables(run))])


def section(table: Table) -> str:
    """One table as Markdown, under its title."""
    ruler = " | ".join("---:" if column in table.right else "---" for column in range(len(table.columns)))
    lines = [f"## {table.title}", ""]
    lines += [table.note, ""] if table.note else []
    lines += [f"| {' | '.join(table.columns)} |", f"| {ruler} |"]
    lines += [f"| {' | '.join(row)} |" for row in table.rows]
    return "\n".join(lines) + "\n"
