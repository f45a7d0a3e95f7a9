"""What the tests of the mixture share: measured histories of any demand, and states learned from them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from builders import minutes
from warmcast.mixture import MixtureState, learn
from warmcast.model import History, Series

if TYPE_CHECKING:
    from warmcast.model import FloatArray

UTC_ZONE = ZoneInfo("UTC")
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday at midnight, UTC."""

DAY = 1440


def measured(demand: FloatArray, *, start: datetime = MONDAY, duration_s: float = 0.5) -> History:
    """A history of minutes alone, the first of which begins at `start`; NaN is a gap."""
    end = datetime.fromtimestamp(start.timestamp() + 60 * (len(demand) + 2), UTC)
    fine = minutes(demand, end=end, duration_s=duration_s)
    return History(coarse=Series.empty(fine.start, 300), fine=fine)


def learned(
    demand: FloatArray,
    *,
    start: datetime = MONDAY,
    zone: ZoneInfo = UTC_ZONE,
    lead_min: int = 3,
    duration_s: float = 0.5,
    cold_starts: bool = False,
) -> MixtureState:
    """What minutes of this demand teach two minutes after their end."""
    return learn(
        measured(demand, start=start, duration_s=duration_s),
        zone=zone,
        lead_min=lead_min,
        duration_s=duration_s,
        now_s=int(start.timestamp()) + 60 * (len(demand) + 1),
        cold_starts=cold_starts,
    )


def poisson(mean: FloatArray, *, seed: int = 1) -> FloatArray:
    """Mean executions in progress of minutes with Poisson arrivals of half a second each around this mean."""
    drawn: FloatArray = np.random.default_rng(seed).poisson(mean * 120) / 120
    return drawn
