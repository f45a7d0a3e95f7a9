"""Cold starts per spilled execution, by the model of the on-demand pool. Pure numpy.

A spilled execution is a cold start only where no on-demand environment is warm. On steady traffic the pool keeps warm
by itself and few are; at the higher rungs of the ladder what spills is rare and apart, and most are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from warmcast.coldstarts import cold_starts
from warmcast.mixture.loss import carried

if TYPE_CHECKING:
    from warmcast.model import FloatArray, IntArray

KEEPALIVE_MIN = (10,)
LIFE_S = 2 * 3600
"""How long an idle on-demand environment stays warm, and when it is recycled; AWS states neither."""

_EVERY = 3  # rungs; between them it is interpolated
_LEAST_SPILLED = 1.0  # executions; less says nothing


def cold_per_spilled(held: FloatArray, load: FloatArray, *, lead_min: int, duration_s: float) -> FloatArray:
    """Cold starts over spilled executions, 0-1, shape (K,).

    Args:
        held: capacity requested in each minute at each rung, shape (N, K).
        load: demand of each minute, shape (N,); NaN: gap.
        lead_min: from a request until READY.
        duration_s: of an execution.
    """
    rungs = np.arange(0, held.shape[1], _EVERY)
    arrivals_per_s = load / duration_s
    shares = [1.0]
    for rung in rungs[1:]:
        serving = _serving(held[:, rung].astype(np.int64), lead_min)
        cold = cold_starts(serving, load, arrivals_per_s, keepalive_min=KEEPALIVE_MIN, life_s=LIFE_S).sum()
        spilled = float(carried(serving.astype(np.float64), load).spilled.sum()) * 60 / duration_s
        shares.append(min(float(cold) / spilled, 1.0) if spilled > _LEAST_SPILLED else shares[-1])
    first = _first_rung(load, arrivals_per_s, duration_s)
    per_rung: FloatArray = np.interp(np.arange(held.shape[1]), rungs, [first, *shares[1:]])
    return per_rung


def _first_rung(load: FloatArray, arrivals_per_s: FloatArray, duration_s: float) -> float:
    """At the lowest price next to nothing is provisioned: as with none."""
    nothing = np.zeros(len(load), dtype=np.int64)
    cold = cold_starts(nothing, load, arrivals_per_s, keepalive_min=KEEPALIVE_MIN, life_s=LIFE_S).sum()
    executions = float(np.nansum(load)) * 60 / duration_s
    return min(float(cold) / executions, 1.0) if executions > _LEAST_SPILLED else 1.0


def _serving(requested: IntArray, lead_min: int) -> IntArray:
    """READY of each minute: what was requested for the whole lead time."""
    before = np.concatenate([np.full(lead_min, requested[0]), requested])
    least: IntArray = np.lib.stride_tricks.sliding_window_view(before, lead_min + 1).min(axis=1)
    return least
