"""A sudden fall of traffic: remembered for an hour, told from nights, timers, gaps and noise."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from traces import MONDAY, minutes, noise, office, seen_at
from warmcast.forecast import forecast, learn
from warmcast.model import FloatArray, Forecast, Learned

UTC_ZONE = ZoneInfo("UTC")
WEEKS = minutes(MONDAY, 16)
DEMAND = office(WEEKS, UTC_ZONE) * noise(len(WEEKS), 0.15)
BEFORE = MONDAY + timedelta(days=14)
ELEVEN = BEFORE + timedelta(hours=11)
LEARNED = learn(seen_at(BEFORE, MONDAY, DEMAND), zone=UTC_ZONE, now=BEFORE)


def outage(share: float = 0.05, *, minutes_long: int = 600, start: datetime = ELEVEN) -> FloatArray:
    """The traffic with a share of it left from an instant on."""
    demand = DEMAND.copy()
    first = int((start - MONDAY).total_seconds()) // 60
    demand[first : first + minutes_long] *= share
    return demand


def at(now: datetime, demand: FloatArray, learned: Learned | None = LEARNED) -> Forecast:
    """The forecast of a tick at `now`."""
    shown = forecast(seen_at(now, MONDAY, demand), learned, zone=UTC_ZONE, now=now, horizon=timedelta(minutes=75))
    assert isinstance(shown, Forecast)
    return shown


@pytest.mark.parametrize("learned", [LEARNED, None])
@pytest.mark.parametrize("minutes_after", [5, 10, 20, 35, 50, 60])
def test_the_forecast_before_a_fall_is_kept_for_an_hour(minutes_after: int, learned: Learned | None) -> None:
    """From the first tick that sees it, for 60 minutes, the forecast before the fall is there, over the same steps."""
    shown = at(ELEVEN + timedelta(minutes=minutes_after), outage(), learned)
    assert shown.fallen_from is not None
    assert (shown.fallen_from.at == shown.at).all()
    assert shown.fallen_from.quantile(0.5)[:15] == pytest.approx(np.full(15, 40.0), rel=0.25)


@pytest.mark.parametrize("minutes_after", [70, 75, 90, 120, 300])
def test_after_an_hour_a_fall_is_believed(minutes_after: int) -> None:
    """Traffic that stays away for more than an hour is the new level."""
    shown = at(ELEVEN + timedelta(minutes=minutes_after), outage())
    assert shown.fallen_from is None
    assert shown.quantile(0.5)[0] < 8


def test_the_surge_of_retries_still_finds_the_forecast_from_before() -> None:
    """45 minutes after the fall traffic returns: the forecast before the fall is kept to the end of the hour."""
    demand = outage(minutes_long=45)
    shown = at(ELEVEN + timedelta(minutes=50), demand)
    assert shown.fallen_from is not None
    assert shown.fallen_from.quantile(0.5)[:10].min() > 30


@pytest.mark.parametrize("learned", [LEARNED, None])
def test_missing_data_is_no_fall(learned: Learned | None) -> None:
    """A hole of twenty minutes in the data is not a drop of traffic."""
    demand = DEMAND.copy()
    first = int((ELEVEN - MONDAY).total_seconds()) // 60
    demand[first : first + 20] = np.nan
    for minutes_after in (5, 15, 25, 40):
        assert at(ELEVEN + timedelta(minutes=minutes_after), demand, learned).fallen_from is None


def test_ordinary_weeks_have_no_falls() -> None:
    """Ramps down in the evening, nights and noise: none of the ticks of two days sees an outage."""
    for tick in range(0, 2 * 288, 3):
        assert at(BEFORE + timedelta(minutes=5 * tick), DEMAND).fallen_from is None


def test_a_timer_that_ends_is_no_fall() -> None:
    """Traffic that comes in the first five minutes of each hour and then stops was forecast to stop."""
    demand = np.where(np.arange(len(WEEKS)) % 60 < 5, 30.0, 1.0) * noise(len(WEEKS), 0.1)
    learned = learn(seen_at(BEFORE, MONDAY, demand), zone=UTC_ZONE, now=BEFORE)
    for tick in range(24):
        assert at(BEFORE + timedelta(minutes=5 * tick), demand, learned).fallen_from is None


def test_a_nightly_stop_is_no_fall() -> None:
    """Traffic that stops dead at 22:00 every day was forecast to stop."""
    hour = WEEKS // 3600 % 24
    demand = np.where((hour >= 6) & (hour < 22), 30.0, 0.5) * noise(len(WEEKS), 0.1)
    learned = learn(seen_at(BEFORE, MONDAY, demand), zone=UTC_ZONE, now=BEFORE)
    for minute in range(0, 60, 5):
        assert at(BEFORE + timedelta(hours=22, minutes=minute), demand, learned).fallen_from is None


def test_a_slow_decline_is_no_fall() -> None:
    """Traffic that takes an hour and a half to go down to a fifth is followed."""
    demand = DEMAND.copy()
    first = int((ELEVEN - MONDAY).total_seconds()) // 60
    demand[first:] *= np.maximum(0.2, 1 - np.arange(len(demand) - first) / 112)
    for minute in range(0, 150, 10):
        assert at(ELEVEN + timedelta(minutes=minute), demand).fallen_from is None


def test_sparse_traffic_does_not_fall_by_chance() -> None:
    """A few requests an hour come and go: their silence is no outage."""
    rng = np.random.default_rng(5)
    demand = rng.poisson(0.05, len(WEEKS)) * 0.5 / 60
    learned = learn(seen_at(BEFORE, MONDAY, demand), zone=UTC_ZONE, now=BEFORE)
    for tick in range(0, 288, 12):
        for known in (learned, None):
            assert at(BEFORE + timedelta(minutes=5 * tick), demand, known).fallen_from is None


def test_functions_that_fail_fast_have_not_lost_their_traffic() -> None:
    """When durations collapse and requests keep coming, it is demand that fell, not traffic."""
    duration = np.full(len(WEEKS), 0.5)
    duration[int((ELEVEN - MONDAY).total_seconds()) // 60 :] = 0.02
    now = ELEVEN + timedelta(minutes=20)
    history = seen_at(now, MONDAY, DEMAND * duration / 0.5, duration_s=duration)
    shown = forecast(history, LEARNED, zone=UTC_ZONE, now=now, horizon=timedelta(minutes=15))
    assert isinstance(shown, Forecast)
    assert shown.fallen_from is None


def test_a_fall_within_what_noise_explains_is_a_fall_that_is_not_deep() -> None:
    """Traffic that goes down to a tenth every hour by itself may be cut off as well: nobody can tell."""
    wild = np.repeat(30 * np.random.default_rng(3).lognormal(0.0, 1.2, len(WEEKS) // 5 + 1), 5)[: len(WEEKS)]
    first = int((ELEVEN - MONDAY).total_seconds()) // 60
    for usual, deep in ((wild, False), (DEMAND, True)):
        demand = usual.copy()
        demand[first - 60 : first] = 30.0
        demand[first:] = 5.0
        learned = learn(seen_at(BEFORE, MONDAY, demand), zone=UTC_ZONE, now=BEFORE)
        shown = at(ELEVEN + timedelta(minutes=20), demand, learned)
        assert shown.fallen_from is not None
        assert shown.fell_deep is deep
