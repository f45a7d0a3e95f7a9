"""What the traces tell, as tables. Pure."""

from __future__ import annotations

import math
import statistics
from functools import partial
from typing import TYPE_CHECKING, Final

from bench.tables import Table, number
from bench.traces import effort
from bench.traces.aims import AIMS, KEPT_FROM, KEPT_ON, KEPT_TO, SPILLOVER, promised
from bench.traces.frontier import cold_starts, worst_share
from bench.traces.kinds import Kind
from bench.traces.ratios import at_level, of_nothings, promise, together
from warmcast.simulate.compare import CLAIRVOYANT, CRON_TABLE, STATIC_PEAK, TARGET_TRACKING, WARMCAST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.traces.aims import Promise
    from bench.traces.ratios import Level, Pair, Together
    from bench.traces.sweep import Swept

LEVELS: Final = (0.005, 0.01, 0.02, 0.05)
SHARES: Final = (0.75, 0.5, 0.25)
"""Of the cold starts that no provisioned concurrency has: levels that mean the same on every trace."""

OTHERS: Final = {
    TARGET_TRACKING: "target tracking, best target",
    CRON_TABLE: "cron table, best quantile",
    STATIC_PEAK: "static peak",
    CLAIRVOYANT: "perfect foresight",
}
MISSED: Final = "Warmcast alone does not get there"
CELL: Final = "geometric mean / worst / traces"


def tables(traces: Sequence[Swept], *, held_back: bool) -> list[Table]:
    """Everything, in the order in which it is to be read."""
    return [
        _aims(traces, held_back=held_back),
        _equal_spillover(traces),
        _equal_cold(traces, "Cost at equal cold starts", "cold starts per 10,000 invocations", cold_starts),
        _equal_cold(traces, "Cost at equal worst five minutes", "share of cold starts in the worst five", worst_share),
        _kinds(traces),
        _promises(traces),
        _each(traces),
        effort.orientation(traces),
        effort.keepalive(traces),
        effort.ticking(traces),
    ]


# --- aims ------------------------------------------------------------------------------------------------------------


def _aims(traces: Sequence[Swept], *, held_back: bool) -> Table:
    rows: list[tuple[str, ...]] = []
    for aim in AIMS:
        found = aim.found(traces)
        bound = f"<= {aim.mean.shared:.2f} ({aim.mean.held_back:.2f})"
        rows.append(
            (
                aim.name,
                bound if aim.worst is None else f"{bound}, each <= {aim.worst:g}",
                ratio(found.mean),
                str(found.count),
                _worst(found),
                _names(found.missed),
                "yes" if aim.met(found, held_back=held_back) else "no",
            )
        )
    rows.insert(5, _promise_row(promised([trace for trace in traces if trace.two_weeks], SPILLOVER)))
    note = (
        f"At {SPILLOVER:.0%} spillover. The aim in brackets is the one for traces that nobody developed against; met "
        f"is told by the {'one in brackets' if held_back else 'first'}. A trace on which the policy compared gets "
        "there and Warmcast does not counts as not met."
    )
    heads = ("what", "aim: shared (held back)", "measured", "traces", "worst", MISSED, "met")
    return Table("Aims", heads, tuple(rows), note, frozenset({2, 3}))


def _promise_row(kept: Promise) -> tuple[str, ...]:
    furthest = max(kept.reached, key=lambda each: abs(math.log(max(each[0], 1e-9))), default=(math.nan, ""))
    return (
        "spillover reached / asked for, traces with two weeks of training",
        f"{KEPT_FROM:g}-{KEPT_TO:g} on {KEPT_ON:.0%}",
        f"{kept.kept / len(kept.reached):.0%}" if kept.reached else "-",
        str(len(kept.reached)),
        f"{ratio(furthest[0])} {furthest[1]}".strip(),
        "",
        "yes" if kept.met else "no",
    )


# --- at equal levels -------------------------------------------------------------------------------------------------


def _equal_spillover(traces: Sequence[Swept]) -> Table:
    columns = {f"{level:.1%}": partial(at_level, wanted=level) for level in LEVELS}
    note = f"Allocation cost of Warmcast over the other's, each at its best setting in hindsight: {CELL}."
    return _levels(traces, "Cost at equal spillover", note, columns)


def _equal_cold(traces: Sequence[Swept], title: str, what: str, level: Level) -> Table:
    columns = {f"{share:.0%} of none's": partial(of_nothings, share=share, level=level) for share in SHARES}
    note = (
        f"Allocation cost of Warmcast over the other's where both have the same {what}: three, two and one quarters"
        f" of what no provisioned concurrency has on that trace. {CELL}."
    )
    return _levels(traces, title, note, columns)


def _levels(
    traces: Sequence[Swept], title: str, note: str, columns: Mapping[str, Callable[[Swept, str], Pair]]
) -> Table:
    rows = []
    for other, label in OTHERS.items():
        found = {head: together({trace.name: pair(trace, other) for trace in traces}) for head, pair in columns.items()}
        missed = "; ".join(f"{head}: {_names(each.missed)}" for head, each in found.items() if each.missed)
        rows.append((label, *map(_cell, found.values()), missed))
    right = frozenset(range(1, len(columns) + 1))
    return Table(title, ("against", *columns, MISSED), tuple(rows), note, right)


def _kinds(traces: Sequence[Swept]) -> Table:
    groups = {kind: [trace for trace in traces if trace.kind is kind] for kind in Kind}
    rows = tuple((aim.name, *(_cell(aim.found(group)) for group in groups.values())) for aim in AIMS)
    note = (
        f"The same ratios by how the traffic was measured: {CELL}. Where a value stands for five minutes, or a line "
        "joins two hours, the next minute is easier to foresee than real traffic's."
    )
    heads = tuple(f"{kind} ({len(group)})" for kind, group in groups.items())
    return Table("By class of trace", ("what", *heads), rows, note, frozenset({1, 2, 3}))


# --- trace by trace --------------------------------------------------------------------------------------------------


def _promises(traces: Sequence[Swept]) -> Table:
    trained = [trace for trace in traces if trace.two_weeks]
    asked = sorted({share for trace in traces for share in trace.asked})
    rows = tuple(
        (f"{100 * share:g}%", *_promise_cells(promised(trained, share)), *_promise_cells(promised(traces, share)))
        for share in asked
    )
    heads = ("kept", "median", "lowest", "highest")
    note = (
        f"Spillover reached over asked for, first on the traces with two weeks of training, then on all. Kept: "
        f"{KEPT_FROM:g} to {KEPT_TO:g}."
    )
    columns = ("asked", *(f"trained: {head}" for head in heads), *(f"all: {head}" for head in heads))
    return Table("Promises", columns, rows, note, frozenset({0, 1, 2, 5, 6}))


def _promise_cells(kept: Promise) -> tuple[str, str, str, str]:
    if not kept.reached:
        return "-", "-", "-", "-"
    low, high = (f"{ratio(value)} {name}" for value, name in (kept.reached[0], kept.reached[-1]))
    median = statistics.median(value for value, _ in kept.reached)
    return f"{kept.kept} of {len(kept.reached)}", ratio(median), low, high


def _each(traces: Sequence[Swept]) -> Table:
    rows = tuple(
        (
            trace.name,
            f"{trace.scored_days:.1f}",
            *(ratio(aim.pair(trace).ratio) for aim in AIMS),
            f"{trace.at(WARMCAST, SPILLOVER).spillover:.2%}",
            ratio(promise(trace, SPILLOVER)),
            number(trace.at(WARMCAST, SPILLOVER).changes_per_day),
        )
        for trace in traces
    )
    note = (
        f"The ratios of the aims, and what Warmcast did when asked for {SPILLOVER:.0%}. A dash: one of the two does "
        "not get there."
    )
    heads = ("trace", "days", *(aim.short for aim in AIMS), "spillover", "/ asked", "changes a day")
    return Table("Trace by trace", heads, rows, note, frozenset(range(1, len(heads))))


# --- cells -----------------------------------------------------------------------------------------------------------


def ratio(value: float) -> str:
    """Two digits behind the point, three where 1 is the question; a dash for NaN."""
    if math.isnan(value):
        return "-"
    return f"{value:.3f}" if 0.98 < value < 1.02 else f"{value:.2f}"


def _cell(found: Together) -> str:
    return f"{ratio(found.mean)} / {ratio(found.worst)} / {found.count}" if found.count else "-"


def _worst(found: Together) -> str:
    return f"{ratio(found.worst)} {found.worst_on}" if found.count else "-"


def _names(names: Sequence[str]) -> str:
    return ", ".join(names)
