"""What happens between the steps: minutes around their 5-minute mean, and executions around the minute's mean. Pure."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from warmcast.forecast.tables import compress

if TYPE_CHECKING:
    from warmcast.model import FloatArray, Series

MOST_PEAKEDNESS = 4.0

_MINUTES_PER_STEP = 5
_LEAST_DEMAND = 1.0  # below it a maximum is a small whole number and says little
_LOOKS_PER_DURATION = 5.0
_DOUBT_MINUTES = 30  # minutes of Poisson traffic that weigh against those measured
_MOST_SCATTER = 2.0


def minute_scatter(fine: Series, values: FloatArray, unit: float) -> float:
    """Deviation of single minutes from their 5-minute mean on the compressed scale; 0 where no five are known."""
    skip = -fine.start // 60 % _MINUTES_PER_STEP
    rows = values[skip : skip + (len(values) - skip) // _MINUTES_PER_STEP * _MINUTES_PER_STEP]
    rows = rows.reshape(-1, _MINUTES_PER_STEP)
    rows = rows[~np.isnan(rows).any(axis=1)]
    if not len(rows):
        return 0.0
    off = compress(rows, unit) - compress(rows.mean(axis=1), unit)[:, None]
    variance = float((off**2).mean()) * _MINUTES_PER_STEP / (_MINUTES_PER_STEP - 1)
    return min(math.sqrt(variance), _MOST_SCATTER)


def peakedness(fine: Series, duration_s: float) -> float:
    """Variance-to-mean ratio z of the executions in progress, from each minute's maximum; 1 where it is not known.

    With mean a and variance z a, the expected maximum over a minute is about (Cornish-Fisher, with the skew of a
    Poisson count scaled by z):

        peak - a = kappa sqrt(z a) + z (kappa^2 - 1) / 6,   kappa = Phi^-1((n - 3/8) / (n + 1/4))

    kappa is the expected maximum of n normals (Blom 1958), n = 1 + 5 x 60 / duration the independent looks at a group
    in a minute (the 5 fitted to simulated groups of 1-400, durations of 0.05-10 s: Poisson arrivals give 0.7-1.2,
    batches of three 2 and, with a fixed duration, 3, as they should). Solved for z, bounded to 1-4, drawn towards 1
    while few minutes are known; throttled minutes and those with a mean under 1 are left out.
    """
    demand = fine.demand
    usable = (demand >= _LEAST_DEMAND) & ~np.isnan(fine.peak) & ~(np.nan_to_num(fine.throttles) > 0)
    count = int(usable.sum())
    if not count:
        return 1.0
    mean = demand[usable]
    looks = 1 + _LOOKS_PER_DURATION * 60 / max(duration_s, 1e-3)
    kappa = NormalDist().inv_cdf((looks - 0.375) / (looks + 0.25))
    excess = max(float((fine.peak[usable] - mean).mean()), 0.0)
    measured = _peakedness_of(excess, float(np.sqrt(mean).mean()), kappa)
    drawn = (count * measured + _DOUBT_MINUTES) / (count + _DOUBT_MINUTES)
    return float(np.clip(drawn, 1.0, MOST_PEAKEDNESS))


def _peakedness_of(excess: float, root_mean: float, kappa: float) -> float:
    """The z at which the maximum is expected to exceed the mean by this much: a quadratic in sqrt z."""
    skewed = max(kappa**2 - 1, 0.0) / 6
    straight = kappa * root_mean
    root = 2 * excess / (straight + math.sqrt(straight**2 + 4 * skewed * excess))
    return root**2
