"""Test traffic as a target's history: drawn from measured weekly profiles, or made up with a known shape and noise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from demo.profiles import draw_traffic, read_profiles
from warmcast.calendar import minute_of_week
from warmcast.model import History, Series

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from warmcast.model import FloatArray, IntArray

PROFILES = Path(__file__).parent / "data" / "profiles.csv"

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday at midnight, UTC; no clock changes in the four weeks before."""

DATA_DELAY = timedelta(minutes=2)
FINE = timedelta(hours=3)


def minutes(start: datetime, days: float) -> IntArray:
    """Epoch seconds of every minute of so many days."""
    return int(start.timestamp()) + 60 * np.arange(round(days * 1440), dtype=np.int64)


def office(at: IntArray, zone: ZoneInfo, *, high: float = 40.0, low: float = 4.0) -> FloatArray:
    """Demand of an office service: a hump from 8 to 18 local time on working days, a quarter of it at weekends."""
    weekday, minute = np.divmod(minute_of_week(at, zone), 1440)
    hump = np.clip(np.minimum(minute - 480, 1080 - minute) / 120, 0.0, 1.0)
    demand: FloatArray = low + (high - low) * hump * np.where(weekday < 5, 1.0, 0.25)
    return demand


def noise(count: int, deviation: float, *, seed: int = 1, memory: float = 0.9) -> FloatArray:
    """Factors around 1, lognormal, each minute remembering the one before."""
    rng = np.random.default_rng(seed)
    values = np.empty(count)
    last = rng.standard_normal()
    for index, step in enumerate(rng.standard_normal(count) * np.sqrt(1 - memory**2)):
        last = memory * last + step
        values[index] = last
    return np.exp(deviation * values - deviation**2 / 2)


def drawn(name: str, *, start: datetime, days: int) -> FloatArray:
    """Demand per minute drawn from one of the measured weekly profiles."""
    traffic = draw_traffic(
        read_profiles(PROFILES)[name],
        day=start + timedelta(days=days - 1),
        past_days=days - 1,
        rng=np.random.default_rng(len(name)),
    )
    return traffic.demand


def series(
    start: int,
    step_s: int,
    demand: FloatArray,
    *,
    rate_per_s: FloatArray | None = None,
    peak: FloatArray | None = None,
    throttles: FloatArray | None = None,
) -> Series:
    """Steps of this demand; what is not given is not known."""
    unknown = np.full(len(demand), np.nan)
    return Series(
        start=start,
        step_s=step_s,
        work_s=demand * step_s,
        arrivals=unknown if rate_per_s is None else rate_per_s * step_s,
        throttles=unknown if throttles is None else throttles,
        peak=unknown if peak is None else peak,
        spilled=unknown,
    )


def seen_at(
    now: datetime, start: datetime, demand: FloatArray, *, duration_s: float | FloatArray | None = 0.5
) -> History:
    """What is known at `now` of demand (one value a minute from `start`): 5-minute steps, then 3 hours of minutes."""
    first, until = int(start.timestamp()), int((now - DATA_DELAY).timestamp())
    skipped = -first % 300 // 60  # coarse steps begin at a multiple of five minutes
    first, demand = first + 60 * skipped, demand[skipped:]
    each = duration_s if duration_s is None or isinstance(duration_s, float) else duration_s[skipped:]
    end = (until - first) // 60
    split = max(0, (int((now - FINE).timestamp()) - first) // 300 * 5)
    rate = None if each is None else demand / each
    return History(
        # Demand and arrivals are averaged apart, as CloudWatch sums them.
        coarse=series(first, 300, _fives(demand[:split]), rate_per_s=None if rate is None else _fives(rate[:split])),
        fine=series(first + split * 60, 60, demand[split:end], rate_per_s=None if rate is None else rate[split:end]),
    )


def _fives(values: FloatArray) -> FloatArray:
    """Means of each 5 minutes."""
    means: FloatArray = values.reshape(-1, 5).mean(axis=1)
    return means


def pinball(actual: FloatArray, forecast: FloatArray, level: float) -> float:
    """Mean pinball (quantile) loss over the minutes that are known."""
    off = actual - forecast
    return float(np.nanmean(np.maximum(level * off, (level - 1) * off)))
