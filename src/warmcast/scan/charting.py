"""Charting: how an alias was used, at the resolution that a small chart and a file of a scan need. Pure."""

# No `from __future__ import annotations`: pydantic reads these annotations at run time.
from dataclasses import dataclass

import numpy as np

from warmcast.model import FloatArray
from warmcast.scan.found import Usage

HOUR_S = 3600
MOST_POINTS = 400
"""Of one chart: the hours of 14 days are 336, so that a fortnight keeps every hour."""

STEPS_H = (1, 2, 3, 4, 6, 8, 12, 24, 48)

Points = tuple[float | None, ...]
"""A series; None is a step of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Demand and capacity over the time looked at, oldest first, all series equally long.

    Args:
        start_epoch_s: at which the first step begins. step_s: length of a step.
        demand_mean: concurrent executions. demand_highest: highest measured concurrency in the step.
        capacity: mean provisioned concurrency that stood.
        capacity_certain_share: share of the time in which data tells the capacity; else it is carried over.
    """

    start_epoch_s: int
    step_s: int
    demand_mean: Points
    demand_highest: Points
    capacity: Points
    capacity_certain_share: float


def chart_of(usage: Usage) -> Chart:
    """The chart of a usage: by the hour, or by the fewest hours that leave no more than 400 points."""
    size = _group(usage)
    demand = usage.demand
    certain = float(np.mean(usage.certain.astype(float))) if len(usage.certain) else 0.0
    return Chart(
        start_epoch_s=usage.start,
        step_s=size * usage.step_s,
        demand_mean=_points(_means(demand, size)),
        demand_highest=_points(_highest(np.fmax(usage.peak, demand), size)),
        capacity=_points(_means(usage.capacity, size)),
        capacity_certain_share=round(certain, 4),
    )


def _group(usage: Usage) -> int:
    """How many of the usage's steps make one of the chart."""
    length_s = len(usage.invocations) * usage.step_s
    for hours in STEPS_H:
        if hours * HOUR_S % usage.step_s == 0 and length_s <= MOST_POINTS * hours * HOUR_S:
            return hours * HOUR_S // usage.step_s
    return max(1, -(-len(usage.invocations) // MOST_POINTS))


def _folded(values: FloatArray, size: int) -> FloatArray:
    """The values in rows of `size`, shape (ceil(N / size), size); the last row filled up with NaN."""
    rows = -(-len(values) // size)
    padded = np.full(rows * size, np.nan)
    padded[: len(values)] = values
    return padded.reshape(rows, size)


def _means(values: FloatArray, size: int) -> FloatArray:
    """Mean of what is known in each group; NaN where nothing is."""
    folded = _folded(values, size)
    known = np.sum(~np.isnan(folded), axis=1)
    means: FloatArray = np.where(known > 0, np.nansum(folded, axis=1) / np.maximum(known, 1), np.nan)
    return means


def _highest(values: FloatArray, size: int) -> FloatArray:
    """Highest of what is known in each group; NaN where nothing is."""
    highest: FloatArray = np.fmax.reduce(_folded(values, size), axis=1)
    return highest


def _points(values: FloatArray) -> Points:
    """Three decimals are finer than a picture can show, and keep the file small."""
    return tuple(value if np.isfinite(value) else None for value in np.round(values, 3).tolist())
