"""The frontiers as a picture: a panel for each trace, allocation cost against spillover. Writes one PNG."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

from bench.traces.frontier import cost_at, frontier, spillover
from warmcast.simulate.compare import CLAIRVOYANT, CRON_TABLE, STATIC_PEAK, TARGET_TRACKING, WARMCAST
from warmcast.simulate.picture import FAINT, INK, STROKES, Stroke

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from bench.traces.sweep import Swept

COLUMNS: Final = 5
PANEL_INCHES: Final = (3.1, 2.5)
DPI: Final = 100
SHOWN: Final = (0.0001, 0.5)
"""Spillovers between which a panel is drawn."""

FINE: Final = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.5, 2, 3, 4)
COARSE: Final = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
NARROW: Final = 4
"""A panel whose highest cost is less than so many times its lowest gets the fine ticks."""

LINES: Final = {
    CLAIRVOYANT: ("perfect foresight", Stroke("#8A8A8A", 1.3, (1, 1))),
    CRON_TABLE: ("cron table", Stroke("#009E73", 1.3, (4, 2))),
    TARGET_TRACKING: ("target tracking", STROKES[TARGET_TRACKING]),
    WARMCAST: ("Warmcast", STROKES[WARMCAST]),
}
PEAK: Final = ("static peak", STROKES[STATIC_PEAK])


def draw(path: Path, traces: Sequence[Swept]) -> None:
    """Draw all traces into one PNG at `path`, whose folder must exist."""
    rows = math.ceil(len(traces) / COLUMNS)
    width, height = PANEL_INCHES[0] * COLUMNS, PANEL_INCHES[1] * rows + 1.0
    with mpl.rc_context({"font.size": 9, "text.color": INK, "text.parse_math": False}):
        figure = Figure(figsize=(width, height), dpi=DPI)
        FigureCanvasAgg(figure)
        panels = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
        for panel, trace in zip(panels, traces, strict=False):
            _panel(panel, trace)
        for panel in panels[len(traces) :]:
            panel.set_axis_off()
        figure.subplots_adjust(
            left=0.6 / width,
            right=1 - 0.2 / width,
            top=1 - 0.95 / height,
            bottom=0.45 / height,
            hspace=0.42,
            wspace=0.22,
        )
        title = "Allocation cost against spillover, 1 being perfect foresight at 1%: lower is cheaper"
        figure.text(0.6 / width, 1 - 0.28 / height, title, fontsize=13, fontweight="bold", va="center")
        _legend(figure, 1 - 0.4 / height)
        figure.savefig(path)


def _panel(axes: Axes, trace: Swept) -> None:
    unit = cost_at(trace.points[CLAIRVOYANT], spillover, 0.01)
    costs = [1.0]
    for name, (_, look) in LINES.items():
        line = frontier(trace.points[name], spillover)
        seen = (line.levels >= SHOWN[0]) & (line.levels <= SHOWN[1])
        costs += (line.costs[seen] / unit).tolist()
        (drawn,) = axes.plot(line.levels, line.costs / unit, color=look.colour, linewidth=look.width, label=name)
        if look.dashes:
            drawn.set_dashes(look.dashes)
        if name == WARMCAST:
            drawn.set_marker("o")
            drawn.set_markersize(3)
    peak = trace.points[STATIC_PEAK][0].allocation_usd / unit
    axes.axhline(peak, color=PEAK[1].colour, linewidth=PEAK[1].width, dashes=PEAK[1].dashes)
    tracked = trace.tracked
    axes.plot(
        tracked.spillover, tracked.allocation_usd / unit, "D", color=LINES[TARGET_TRACKING][1].colour, markersize=5
    )
    axes.set_title(trace.name, fontsize=9.5, loc="left", color=INK, pad=4)
    _scales(axes, min(costs), max(costs))


def _scales(axes: Axes, least: float, most: float) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(*SHOWN)
    axes.set_ylim(0.92 * max(least, 0.05), 1.08 * min(most, 40.0))
    axes.set_xticks([0.001, 0.01, 0.1])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))
    low, high = axes.get_ylim()
    axes.set_yticks([tick for tick in (FINE if high < NARROW * low else COARSE) if low <= tick <= high])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(colors=FAINT, length=3, labelsize=8)
    axes.tick_params(which="minor", length=0)
    axes.grid(visible=True, color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#bbbbbb")


def _legend(figure: Figure, top: float) -> None:
    handles = [
        Line2D([], [], color=look.colour, linewidth=look.width, label=label, marker="o" if name == WARMCAST else "")
        for name, (label, look) in reversed(LINES.items())
    ]
    for handle, (_, look) in zip(handles, reversed(LINES.values()), strict=True):
        handle.set_markersize(3)
        if look.dashes:
            handle.set_dashes(look.dashes)
    tracked = LINES[TARGET_TRACKING][1].colour
    handles.append(Line2D([], [], color=tracked, marker="D", linestyle="", label="target tracking at 70%"))
    handles.append(Line2D([], [], color=PEAK[1].colour, dashes=PEAK[1].dashes, label=f"{PEAK[0]} (whatever it spills)"))
    left = 0.6 / float(figure.get_figwidth())
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(left - 0.005, top), ncols=6, frameon=False)
