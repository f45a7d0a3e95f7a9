"""Tables of what the frontiers don't show: cold starts and bills for orientation, the keepalive band, ticks. Pure."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Final

from bench.tables import Table, number
from bench.traces.aims import SPILLOVER
from bench.traces.frontier import KEEPALIVES, cold_by
from bench.traces.ratios import Pair, together, where_tracked
from bench.traces.sweep import USUAL_TARGET
from warmcast.simulate.compare import CRON_LEVEL, CRON_TABLE, NONE, STATIC_PEAK, TARGET_TRACKING, WARMCAST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.traces.frontier import Point
    from bench.traces.sweep import Swept

USUAL: Final = {
    WARMCAST: SPILLOVER,
    TARGET_TRACKING: USUAL_TARGET,
    CRON_TABLE: CRON_LEVEL,
    STATIC_PEAK: 0.0,
    NONE: 0.0,
}
"""The setting at which each policy stands here."""

LABELS: Final = {
    WARMCAST: f"Warmcast, asked for {SPILLOVER:.0%}",
    TARGET_TRACKING: f"target tracking at {USUAL_TARGET:.0%}",
    CRON_TABLE: f"cron table at {CRON_LEVEL:.0%}",
    STATIC_PEAK: "static peak",
    NONE: "no provisioned concurrency",
}

_APART = 0.02  # cold starts closer than this share are not told apart


def orientation(traces: Sequence[Swept]) -> Table:
    """Cold starts and bills of the policies as users would set them."""
    rows = []
    for name, label in LABELS.items():
        points = [_usual(trace, name) for trace in traces]
        bills = together({each.name: Pair(_usual(each, name).total_usd, each.nothing.total_usd) for each in traces})
        rows.append(
            (
                label,
                f"{statistics.median(point.spillover for point in points):.2%}",
                number(statistics.median(point.cold[0] for point in points)),
                f"{statistics.median(point.worst for point in points):.2%}",
                f"{bills.mean:.2f}",
                f"{bills.worst:.2f} {bills.worst_on}",
            )
        )
    heads = ("policy", "spillover", "cold starts per 10,000", "worst five minutes", "bill / none's", "worst bill")
    note = (
        "Medians over the traces; of the bills the geometric mean. Cold starts are those of a keepalive of 10 minutes."
    )
    return Table("For orientation", heads, tuple(rows), note, frozenset({1, 2, 3, 4}))


def keepalive(traces: Sequence[Swept]) -> Table:
    """Whether it matters how long idle environments stay warm, which AWS does not state."""
    rows = []
    for index, minutes in enumerate(KEEPALIVES):
        cold = (statistics.median(_usual(trace, name).cold[index] for trace in traces) for name in LABELS)
        against = together({trace.name: where_tracked(trace, cold_by(index)) for trace in traces})
        rows.append((f"{minutes} minutes", *map(number, cold), f"{against.mean:.2f} / {against.count}"))
    told = " ".join(_ranking(traces, index) for index in range(1, len(KEEPALIVES)))
    note = (
        "Cold starts per 10,000, medians over the traces, by how long an idle on-demand environment stays warm; last, "
        "allocation cost of Warmcast over target tracking at 70% at equal cold starts, geometric mean / traces. " + told
    )
    heads = ("keepalive", *LABELS.values(), "cost at equal cold starts")
    return Table("Keepalive", heads, tuple(rows), note, frozenset(range(1, len(heads))))


def _ranking(traces: Sequence[Swept], index: int) -> str:
    """One sentence on who changes places with Warmcast at this keepalive, and where."""
    swaps = {
        label: [trace.name for trace in traces if swapped(_usual(trace, WARMCAST), _usual(trace, name), index)]
        for name, label in LABELS.items()
        if name != WARMCAST
    }
    told = "; ".join(f"{label} on {', '.join(names)}" for label, names in swaps.items() if names)
    changed = f"Warmcast changes places with {told}" if told else "nobody changes places with Warmcast"
    return f"At {KEEPALIVES[index]} minutes instead of {KEEPALIVES[0]} {changed}."


def swapped(one: Point, other: Point, index: int) -> bool:
    """Whether the one with fewer cold starts at the headline keepalive has more at this one."""
    return _order(one.cold[0], other.cold[0]) * _order(one.cold[index], other.cold[index]) < 0


def _order(one: float, other: float) -> int:
    """-1, 0 or 1; 0 where the two are too close to be told apart."""
    if abs(one - other) <= _APART * max(one, other):
        return 0
    return 1 if one > other else -1


def ticking(traces: Sequence[Swept]) -> Table:
    """What Warmcast does and how long it thinks."""
    changes = {trace.name: _usual(trace, WARMCAST).changes_per_day for trace in traces}
    busiest = max(changes, key=changes.__getitem__)
    ticks = sum(trace.ticks for trace in traces)
    ms = {trace.name: 1000 * trace.ticking_s / trace.ticks if trace.ticks else math.nan for trace in traces}
    slowest = max(ms, key=ms.__getitem__)
    rows = (
        ("changes of capacity a day, mean", number(statistics.mean(changes.values())), ""),
        ("changes of capacity a day, most", number(changes[busiest]), busiest),
        (
            "ms a tick, mean",
            number(1000 * sum(trace.ticking_s for trace in traces) / max(ticks, 1)),
            f"{ticks:,} ticks",
        ),
        ("ms a tick, the slowest trace's mean", number(ms[slowest]), slowest),
    )
    note = (
        f"Changes are those of Warmcast asked for {SPILLOVER:.0%}; ticks those of all objectives: processor time of "
        "one decision, learning and the simulated world included."
    )
    return Table("Changes and ticks", ("what", "", "of"), rows, note, frozenset({1}))


def _usual(trace: Swept, name: str) -> Point:
    return trace.at(name, USUAL[name])
