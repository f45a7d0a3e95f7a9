"""Erlang's B: the share of calls that find all of a group's units busy. Pure numpy.

Source: A. K. Erlang 1917; that it holds for any distribution of durations: B. A. Sevastyanov 1957.

Each function comes twice. `erlang_b` and `spilled_share` take a capacity for each demand and integrate, which costs the
same for a capacity of one and of 10,000: they score minutes. `erlang_b_at` and `spilled_share_at` take one capacity for
all demands and sum its terms, three times as fast where a decision tries capacities on a forecast's few quantiles.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from warmcast.model import FloatArray, IntArray

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
_DROP = 38.0  # of the integrand's logarithm, at which it is cut off: exp(-38) is below a float's precision
_CELLS = 65_536  # values worked on at once: they fit a core's cache
_TERMS = 32_768  # terms of Erlang's sum worked on at once, likewise


def erlang_b(capacity: FloatArray, demand: FloatArray) -> FloatArray:
    """Erlang's B of each pair of a whole capacity and a demand, shape (N,); demand 0 gives 0, capacity 0 gives 1.

    1/B(c, a) is the integral over s > 0 of (1 + s/a)^c exp(-s). Its integrand has one hump of known place and width, so
    a fixed number of nodes gives 13 digits for one environment and for 10,000 alike, which sums of terms don't.
    """
    share = np.where(demand > 0, 1.0, 0.0)
    busy = np.flatnonzero((demand > 0) & (capacity > 0))
    step = _CELLS // len(_NODES)
    for first in range(0, len(busy), step):
        part = busy[first : first + step]
        share[part] = _one_over_integral(capacity[part], demand[part])
    return share


def _one_over_integral(c: FloatArray, a: FloatArray) -> FloatArray:
    """The integrand's logarithm c log(1 + s/a) - s peaks at c - a, or at 0, and is cut where it has dropped enough.

    Right of the peak it falls by at least d^2 / 2(c + d) within d, left of it by d^2 / 2c; where it peaks at 0 it falls
    at least as fast as each of the two bounds that make up the smaller width.
    """
    with np.errstate(divide="ignore", over="ignore"):  # c = a; 1/B beyond floats: B is 0
        curve = _DROP / c
        falling = np.minimum(_DROP / (1 - c / a), a * (curve + np.sqrt(curve * (curve + 2))))
        peak = c - a
        above = c > a
        high = np.where(above, peak + _DROP + np.sqrt(_DROP * (_DROP + 2 * c)), falling)
        low = np.where(above, np.maximum(peak - np.sqrt(2 * _DROP * c), 0.0), 0.0)
        half = (high - low) / 2
        at = low[:, None] + half[:, None] * (1 + _NODES)
        inverse = half * (np.exp(c[:, None] * np.log1p(at / a[:, None]) - at) @ _WEIGHTS)
        share: FloatArray = 1 / inverse
    return share


def spilled_share(capacity: IntArray, demand: FloatArray, peakedness: float = 1.0) -> FloatArray:
    """Share of each minute's demand that its READY capacity doesn't serve, shape (N,); no demand or a gap gives 0.

    Erlang's B, by Hayward where peakedness is not 1: B(c / z, a / z), linear between whole capacities, the same model
    as `warmcast.staffing` but for a capacity of its own in each minute.
    """
    offered = np.nan_to_num(np.asarray(demand, dtype=np.float64)) / peakedness
    place = capacity / peakedness
    whole = np.floor(place)
    blocked = erlang_b(whole, offered)
    if (place == whole).all():
        return blocked
    return _between(blocked, offered, whole, place - whole)


def _between(blocked: FloatArray, offered: FloatArray, whole: FloatArray | int, part: FloatArray | float) -> FloatArray:
    """On the straight line from a whole capacity's B to the next one's.

    B is convex in capacity, so the line errs to the safe side and keeps the carried load concave.
    """
    carried = offered * blocked
    mixed: FloatArray = (1 - part) * blocked + part * carried / (whole + 1 + carried)
    return mixed


# --- one capacity for all demands ------------------------------------------------------------------------------------


def erlang_b_at(capacity: int, demand: FloatArray) -> FloatArray:
    """Share of demand that `capacity` units would not serve, any shape; Poisson arrivals.

    The recursion 1/B(c) = 1 + (c/a) / B(c - 1), B(0) = 1, written out as a sum of positive terms:

        1/B(c) = 1 + c/a + c (c-1)/a^2 + ... + c!/a^c

    so nothing cancels. Terms that can't change the sum are left out. Demand 0 gives 0; capacity 0 gives 1.
    """
    offered = np.asarray(demand, dtype=np.float64)
    blocked = np.zeros(offered.shape)
    # With c this far above a, B is below 1e-16: the Poisson tail beyond 12 standard deviations.
    matters = (offered > 0) & (capacity <= offered + 12 * np.sqrt(offered) + 20)
    values = offered[matters]
    if values.size:
        terms = _terms(capacity, float(values.min()))
        chunk = max(1, _TERMS // (terms + 1))
        parts = [_sum_of_terms(capacity, values[i : i + chunk], terms) for i in range(0, len(values), chunk)]
        blocked[matters] = np.concatenate(parts)
    return blocked


def _terms(capacity: int, demand: float) -> int:
    """How many terms matter: they grow while c - i > a, then fall off faster than exp(-j^2 / 2c)."""
    return min(capacity, math.ceil(max(capacity - demand, 0.0) + 9 * math.sqrt(capacity) + 20))


def _sum_of_terms(capacity: int, demand: FloatArray, terms: int) -> FloatArray:
    with np.errstate(over="ignore"):  # too large for a float is a B of 0
        factors = (capacity - np.arange(terms, dtype=np.float64)) / demand[:, None]
        np.multiply.accumulate(factors, axis=1, out=factors)
        blocked: FloatArray = 1 / (1 + factors.sum(axis=1))
    return blocked


def spilled_share_at(capacity: int, demand: FloatArray, peakedness: float) -> FloatArray:
    """Share of each demand that so many units would not serve, any shape, by Hayward: B(capacity / z, demand / z)."""
    offered = demand / peakedness
    whole = math.floor(capacity / peakedness)
    part = capacity / peakedness - whole
    blocked = erlang_b_at(whole, offered)
    return _between(blocked, offered, whole, part) if part else blocked
