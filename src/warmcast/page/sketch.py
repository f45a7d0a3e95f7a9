"""Sketch: a chart of demand and capacity as the paths of a small SVG, few bytes each. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from warmcast.scan.limits import measured
from warmcast.scan.telling import number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from warmcast.scan.charting import Chart, Points

WIDTH = 168
HEIGHT = 40
COLUMNS = 84
"""So that 14 days show their nights: a column is 4 hours, and 2 units wide."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """Paths in a box of WIDTH x HEIGHT, `y` downwards; an empty path draws nothing.

    Args:
        highest, mean: areas of demand. capacity: a line. gaps: areas of which nothing is known.
        label: what it shows, in words. caption: its scale, in words.
    """

    highest: str
    mean: str
    capacity: str
    gaps: str
    label: str
    caption: str


def sketch_of(chart: Chart) -> Sketch:
    """The sketch of a chart; the highest value of demand or capacity touches the top."""
    highest = _columns(chart.demand_highest, max)
    mean = _columns(chart.demand_mean, _mean)
    capacity = _columns(chart.capacity, _mean)
    most, units = _top(chart.demand_highest), _top(chart.capacity)
    scale = (HEIGHT - 2) / (max(most or 0.0, units or 0.0) or 1.0)
    width = WIDTH / len(highest) if highest else WIDTH
    start = datetime.fromtimestamp(chart.start_epoch_s, tz=UTC)
    days = len(chart.capacity) * chart.step_s / 86_400
    return Sketch(
        highest=_area(highest, scale, width),
        mean=_area(mean, scale, width),
        capacity=_line(capacity, scale, width),
        gaps=_area([None if value is not None else HEIGHT for value in mean], 1.0, width),
        label=f"{days:.3g} days from {start:%Y-%m-%d} UTC: {_demand(most)}, {_capacity(units)}",
        caption=f"highest {measured(most)}, " + _units(units),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _top(values: Points) -> float | None:
    """The highest; None where nothing is known."""
    return max((value for value in values if value is not None), default=None)


def _demand(most: float | None) -> str:
    return "demand not known" if most is None else f"demand up to {number(most)} executions at once"


def _capacity(units: float | None) -> str:
    return "capacity not known" if units is None else f"capacity up to {number(units)} units"


def _units(units: float | None) -> str:
    if units is None:
        return "units not known"
    return f"units {number(units)}" if units else "no units"


def _columns(values: Points, merge: Callable[[Sequence[float]], float]) -> list[float | None]:
    """At most COLUMNS values; each merges what is known of its share, None where nothing is."""
    count = min(COLUMNS, len(values))
    edges = [index * len(values) // count for index in range(count + 1)] if count else []
    parts = (values[low:high] for low, high in pairwise(edges))
    known = ([value for value in part if value is not None] for part in parts)
    return [merge(part) if part else None for part in known]


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring columns of one height."""

    left: int
    right: int
    y: int | None


def _runs(values: Iterable[float | None], scale: float, width: float) -> list[_Run]:
    heights = [None if value is None else HEIGHT - round(value * scale) for value in values]
    runs, column = [], 0
    for y, group in groupby(heights):
        until = column + len(list(group))
        runs.append(_Run(round(column * width), round(until * width), y))
        column = until
    return runs


def _area(values: Iterable[float | None], scale: float, width: float) -> str:
    """`M0 40V30H8V40`: up where something is, down to the ground where nothing is or it is not known."""
    drawn = []
    for run in _runs(values, scale, width):
        y = HEIGHT if run.y is None else run.y
        drawn.append(f"V{y}H{run.right}")
    risen = "".join(drawn)
    return f"M0 {HEIGHT}{risen}V{HEIGHT}z" if any(f"V{HEIGHT}H" not in each for each in drawn) else ""


def _line(values: Iterable[float | None], scale: float, width: float) -> str:
    """`M0 10H8V20H16`: a step line, lifted where nothing is known."""
    drawn, lifted = "", True
    for run in _runs(values, scale, width):
        if run.y is not None:
            drawn += f"M{run.left} {run.y}H{run.right}" if lifted else f"V{run.y}H{run.right}"
        lifted = run.y is None
    return drawn
