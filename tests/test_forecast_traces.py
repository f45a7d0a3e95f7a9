"""Forecasts of real traffic, where the files are at hand: `WARMCAST_TRACES=DIR`, `timestamp,concurrency` a minute."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from demo.traces import Trace, read_folder
from traces import pinball, seen_at
from warmcast.forecast import forecast, learn
from warmcast.model import Forecast

FOLDER = os.environ.get("WARMCAST_TRACES")
DAY = 1440
ORIGINS = 24

pytestmark = pytest.mark.skipif(not FOLDER, reason="WARMCAST_TRACES names no folder of traces")


def losses(trace: Trace, level: float) -> tuple[float, float, float]:
    """Mean pinball loss over the next 75 minutes: the forecast, the same minutes last week; and the share covered."""
    trained = min(14 * DAY, len(trace.demand) // 2)
    origins = np.linspace(trained + 5, len(trace.demand) - 80, ORIGINS).astype(int) // 5 * 5
    start = datetime.fromtimestamp(trace.start, UTC)
    ours, lag, covered = [], [], []
    for origin in origins:
        now = start + timedelta(minutes=int(origin))
        history = seen_at(now, start, trace.demand, duration_s=None)
        learned = learn(history, zone=ZoneInfo("UTC"), now=now)
        shown = forecast(history, learned, zone=ZoneInfo("UTC"), now=now, horizon=timedelta(minutes=75))
        assert isinstance(shown, Forecast)
        actual, before = (trace.demand[k : k + 75] for k in (origin, origin - 7 * DAY))
        if np.isnan(actual + before).all():
            continue
        ours.append(pinball(actual, shown.quantile(level), level))
        lag.append(pinball(actual, before, level))
        covered.append(float(np.mean(actual[~np.isnan(actual)] <= shown.quantile(level)[~np.isnan(actual)])))
    return float(np.mean(ours)), float(np.mean(lag)), float(np.mean(covered))


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_real_traffic_is_foreseen_better_than_by_last_week(level: float) -> None:
    """Over all traces, the geometric mean of the loss against last week's is well below 1, and coverage is honest."""
    found = [losses(trace, level) for trace in read_folder(Path(FOLDER or "")) if len(trace.demand) > 14 * DAY]
    ratios = [ours / lag for ours, lag, _ in found if lag > 0]
    assert np.exp(np.mean(np.log(ratios))) < 0.6
    assert np.mean([covered for *_, covered in found]) == pytest.approx(level, abs=0.08)
