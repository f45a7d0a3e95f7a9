"""A backtest as a picture: demand under the capacity that was READY, and below it what each minute spilled.

Writes one PNG. Needs matplotlib, which comes with the extra `plots`. Colours stand on Okabe and Ito's palette, which
colour-blind people can tell apart; the lines differ in width and dashes too.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from warmcast.simulate.trace import MINUTE_S

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt
    from matplotlib.axes import Axes

    from warmcast.model import FloatArray, IntArray
    from warmcast.simulate.trace import Trace

    Instants = npt.NDArray[np.datetime64]

INCHES = (14.0, 7.6)
DPI = 110
TEXT_COLUMNS = 170
LINE = 0.025
"""The height of a line of text, as a share of the figure's."""

DEMAND = "#56B4E9"
INK = "#222222"
FAINT = "#6A6A6A"


@dataclass(frozen=True, slots=True)
class Stroke:
    """How a policy's line looks."""

    colour: str
    width: float
    dashes: tuple[float, ...] = ()


STROKES = {
    "warmcast": Stroke("#00406B", 1.7),
    "actual": Stroke("#00795C", 1.3, (4, 1.5)),
    "target_tracking": Stroke("#D55E00", 1.0),
    "static_peak": Stroke("#AA4A86", 1.2, (6, 3)),
}
OTHER = Stroke("#6A6A6A", 1.0, (1, 1))


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """One policy's line, shape (N,) each.

    Args:
        name: the policy's name in the summary.
        label: what the legend calls it.
        ready: capacity that served in each minute.
        spilled: share of each minute's demand that it did not serve; drawn below. None: not drawn.
    """

    name: str
    label: str
    ready: IntArray
    spilled: FloatArray | None = None


def draw(path: Path, scored: Trace, lines: Sequence[Drawn], *, title: str, conclusion: str) -> None:
    """Draw the scored minutes into one PNG at `path`, whose folder must exist; the first line is drawn on top."""
    edges = _edges(scored)
    with mpl.rc_context({"font.size": 9.5, "text.color": INK, "text.parse_math": False}):
        figure = Figure(figsize=INCHES, dpi=DPI)
        FigureCanvasAgg(figure)
        above, below = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [2.4, 1]})
        _draw_capacity(above, scored, lines, edges)
        _draw_spillover(below, lines, edges)
        figure.text(0.06, 0.962, title, fontsize=14, fontweight="bold", va="center")
        told = textwrap.fill(conclusion, TEXT_COLUMNS)
        top = 0.84 - LINE * max(0, told.count("\n") - 1)  # there is room for two lines
        figure.subplots_adjust(left=0.06, right=0.98, top=top, bottom=0.07, hspace=0.09)
        figure.text(0.06, 0.942, told, fontsize=9.5, color=FAINT, va="top", linespacing=1.4)
        figure.savefig(path)


def _edges(scored: Trace) -> Instants:
    """Where each minute begins, and where the last ends."""
    seconds = scored.start + MINUTE_S * np.arange(len(scored) + 1, dtype=np.int64)
    return seconds.astype("datetime64[s]")


def _draw_capacity(axes: Axes, scored: Trace, lines: Sequence[Drawn], edges: Instants) -> None:
    demand = np.nan_to_num(scored.demand)
    axes.stairs(demand, edges, fill=True, color=DEMAND, alpha=0.55, linewidth=0, label="demand, each minute")
    for order, line in enumerate(reversed(lines)):
        _stroke(axes, line, line.ready, edges, order)
    highest = max(float(demand.max(initial=0)), *(float(line.ready.max(initial=0)) for line in lines), 1.0)
    axes.set_ylim(0, 1.06 * highest)
    axes.set_ylabel("concurrent executions", color=FAINT)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(
        [handles[0], *handles[:0:-1]],
        [labels[0], *labels[:0:-1]],
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=len(handles),
        frameon=False,
    )
    _style(axes)


def _draw_spillover(axes: Axes, lines: Sequence[Drawn], edges: Instants) -> None:
    highest = 0.05
    for order, line in enumerate(reversed(lines)):
        if line.spilled is not None:
            _stroke(axes, line, line.spilled, edges, order)
            highest = max(highest, float(line.spilled.max(initial=0)))
    axes.set_ylim(0, 1.04 * highest)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_ylabel("spillover, each minute", color=FAINT)
    locator = AutoDateLocator(tz=UTC)  # type: ignore[no-untyped-call] # matplotlib's stubs leave its dates out
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))  # type: ignore[no-untyped-call] # likewise
    axes.set_xlim(edges[0], edges[-1])
    _style(axes)


def _stroke(axes: Axes, line: Drawn, values: npt.ArrayLike, edges: Instants, order: int) -> None:
    look = STROKES.get(line.name, OTHER)
    drawn = axes.stairs(
        values, edges, baseline=None, color=look.colour, linewidth=look.width, label=line.label, zorder=3 + order
    )
    if look.dashes:
        drawn.set_linestyle((0, look.dashes))


def _style(axes: Axes) -> None:
    axes.tick_params(colors=FAINT, length=3)
    axes.grid(visible=True, color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#bbbbbb")
