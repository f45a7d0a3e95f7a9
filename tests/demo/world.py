"""What happens to a minute's calls at a given capacity, and what capacity one would set by hand. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from demo.traffic import MINUTE_S
from warmcast.erlang import erlang_b_at
from warmcast.fleet import Spillover
from warmcast.staffing import REQUESTS_PER_UNIT_S, need_seen

if TYPE_CHECKING:
    from demo.traffic import Load
    from warmcast.model import FloatArray
    from warmcast.staffing import Unit

BY_HAND = Spillover(0.01)
"""The promise that a capacity set by hand is dimensioned for."""


def spillover(capacity: int, demand: FloatArray, arrivals: FloatArray) -> FloatArray:
    """Share of each minute's calls that `capacity` READY units do not serve; any shape.

    The larger of Erlang's B for the minute's demand and what exceeds ten requests a second per unit: 5 units at 80
    requests a second serve 50 of them, however short these are.
    """
    served = capacity * REQUESTS_PER_UNIT_S * MINUTE_S
    calls = np.nan_to_num(arrivals)
    too_many = np.where(calls > served, 1 - served / np.maximum(calls, 1.0), 0.0)
    share: FloatArray = np.maximum(erlang_b_at(capacity, np.nan_to_num(demand)), too_many)
    return share


def draw_spilled(capacity: int, demand: float, arrivals: float, rng: np.random.Generator) -> float:
    """How many of a minute's calls spill: a whole number, drawn so that many minutes add up to the share."""
    if not arrivals > 0:
        return arrivals
    share = float(spillover(capacity, np.array([demand]), np.array([arrivals]))[0])
    return float(rng.binomial(int(arrivals), min(share, 1.0)))


def first_need(load: Load, minute: int, *, unit: Unit) -> int:
    """Capacity that serves one minute within 1% spillover, at least 1: what the day starts with."""
    demand, rate = float(np.nan_to_num(load.demand[minute])), float(np.nan_to_num(load.arrivals[minute])) / MINUTE_S
    return max(1, need_seen(demand, rate, BY_HAND, peakedness=1.0, unit=unit).capacity)


def static_peak(load: Load, until: int, *, unit: Unit) -> int:
    """Capacity that serves every minute before `until` within 1% spillover: what one would set by hand and leave."""
    demand = float(np.nan_to_num(load.demand[:until]).max(initial=0.0))
    rate = float(np.nan_to_num(load.arrivals[:until]).max(initial=0.0)) / MINUTE_S
    return max(1, need_seen(demand, rate, BY_HAND, peakedness=1.0, unit=unit).capacity)
