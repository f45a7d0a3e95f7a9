"""The played day as a picture: a panel per target, demand under capacity, beside what a static peak would hold.

Writes one PNG. Colours stand on Okabe and Ito's palette, which colour-blind people can tell apart; lines differ too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from demo.traffic import MINUTE_S

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from demo.played import PlayedDay
    from warmcast.model import FloatArray

DEMAND = "#56B4E9"
CAPACITY = "#00406B"
STATIC = "#D55E00"
WANTED = "#AA4A86"
INK = "#222222"
FAINT = "#6A6A6A"

COLUMNS = 2
PANEL_INCHES = (7.4, 2.65)
DPI = 110


@dataclass(frozen=True, slots=True)
class Caption:
    """What stands around the panels."""

    title: str
    subtitle: str
    footnotes: tuple[str, ...]


def draw_picture(days: Sequence[PlayedDay], caption: Caption, path: Path) -> None:
    """Draw all targets into one PNG at `path`, whose folder must exist."""
    rows, columns = math.ceil(len(days) / COLUMNS), min(COLUMNS, len(days))
    width, height = PANEL_INCHES[0] * columns, PANEL_INCHES[1] * rows + 1.36
    with mpl.rc_context({"font.size": 9, "text.color": INK, "text.parse_math": False}):
        figure = Figure(figsize=(width, height), dpi=DPI)
        FigureCanvasAgg(figure)
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes, day in zip(grid.flat, days, strict=False):
            _draw_panel(axes, day)
        for axes in grid.flat[len(days) :]:
            axes.set_visible(False)
        for axes in grid[:, 0]:
            axes.set_ylabel("concurrent executions", color=FAINT)
        _write_around(figure, caption, height=height)
        figure.savefig(path)


def _draw_panel(axes: Axes, day: PlayedDay) -> None:
    hours = _hours(day)
    top = np.maximum(day.static, day.ready)
    demand = np.nan_to_num(day.demand)
    axes.stairs(top, hours, baseline=day.ready, fill=True, color=STATIC, alpha=0.10, label="allocation saved")
    middles = (hours[:-1] + hours[1:]) / 2
    axes.fill_between(middles, 0, demand, color=DEMAND, alpha=0.65, linewidth=0, label="demand, each minute")
    axes.stairs(day.ready, hours, baseline=None, color=CAPACITY, linewidth=1.7, label="capacity that is READY")
    if day.wanted_apart:
        dots = axes.stairs(
            day.wanted, hours, baseline=None, color=WANTED, linewidth=1.6, label="wanted (withheld, or minimum)"
        )
        dots.set_linestyle((0, (1, 1)))
    axes.axhline(day.static, color=STATIC, linestyle=(0, (6, 3)), linewidth=1.3, label="static peak capacity")
    axes.set_ylim(0, 1.08 * max(float(top.max()), float(demand.max()), float(day.wanted.max()), 1.0))
    _style_axes(axes, hours)
    axes.set_title(day.name, loc="left", fontweight="bold", fontsize=10.5, pad=18)
    axes.annotate(
        _subtitle(day),
        (0, 1),
        xytext=(0, 6),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=8.5,
        color=FAINT,
    )


def _hours(day: PlayedDay) -> FloatArray:
    """Edges of the minutes in hours since midnight UTC of the first."""
    first = day.start % 86_400
    edges: FloatArray = (first + MINUTE_S * np.arange(day.minutes + 1)) / 3600
    return edges


def _style_axes(axes: Axes, hours: FloatArray) -> None:
    span = float(hours[-1] - hours[0])
    ticks = np.arange(hours[0], hours[-1] + 1e-9, 3 if span > 12 else 1 if span > 4 else 0.5)
    axes.set_xlim(float(hours[0]), float(hours[-1]))
    axes.set_xticks(ticks, [f"{int(hour):02}:{round(hour % 1 * 60):02}" for hour in ticks])
    axes.tick_params(colors=FAINT, length=3, labelsize=8.5)
    axes.grid(visible=True, color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#bbbbbb")


def _subtitle(day: PlayedDay) -> str:
    return f"{day.title} - {day.policy} - spilled {day.spillover:.2%}, ${day.usd:.2f} (static ${day.static_usd:.2f})"


def _write_around(figure: Figure, caption: Caption, *, height: float) -> None:
    figure.subplots_adjust(left=0.05, right=0.98, top=1 - 1.3 / height, bottom=0.78 / height, hspace=0.52, wspace=0.1)
    figure.text(0.05, 1 - 0.3 / height, caption.title, fontsize=16, fontweight="bold", va="center")
    figure.text(0.05, 1 - 0.6 / height, caption.subtitle, fontsize=10, color=FAINT, va="center")
    for line, text in enumerate(reversed(caption.footnotes)):
        figure.text(0.05, (0.14 + 0.17 * line) / height, text, fontsize=8.5, color=FAINT, va="center")
    legend = {
        label: handle for axes in figure.axes for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        legend.values(),
        legend.keys(),
        loc="center right",
        bbox_to_anchor=(0.985, 1 - 0.42 / height),
        ncols=math.ceil(len(legend) / 2),
        frameon=False,
        fontsize=9,
    )
