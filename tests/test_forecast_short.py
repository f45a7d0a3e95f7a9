"""Forecast of a young alias: what it rests on from the first minute to two weeks, and how sure it is."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from traces import MONDAY, minutes, noise, office, seen_at
from warmcast.forecast import forecast, learn
from warmcast.forecast.tables import widening
from warmcast.model import FloatArray, Forecast

UTC_ZONE = ZoneInfo("UTC")
WEEKS = minutes(MONDAY, 16)
SHAPE = office(WEEKS, UTC_ZONE)
DEMAND = SHAPE * noise(len(WEEKS), 0.15)
NOON = MONDAY + timedelta(days=14, hours=12)
DAY = 1440


def foreseen(known_minutes: int, *, learning: bool = True, demand: FloatArray = DEMAND) -> Forecast:
    """The forecast at noon of the third Monday for an alias of which the last so many minutes are known."""
    start = NOON - timedelta(minutes=known_minutes - known_minutes % -5)
    known = demand.copy()[len(demand) - (len(demand) - int((start - MONDAY).total_seconds()) // 60) :]
    now = NOON + timedelta(minutes=2)
    history = seen_at(now, start, known)
    learned = learn(history, zone=UTC_ZONE, now=now) if learning else None
    shown = forecast(history, learned, zone=UTC_ZONE, now=now, horizon=timedelta(hours=1))
    assert isinstance(shown, Forecast)
    return shown


@pytest.mark.parametrize(
    ("known_minutes", "basis"),
    [
        (1, "level"),
        (10, "level"),
        (60, "level"),
        (720, "level"),
        (DAY + 5, "day"),
        (3 * DAY, "day"),
        (7 * DAY + 5, "week"),
        (10 * DAY, "week"),
        (14 * DAY, "week"),
    ],
)
def test_every_length_of_history_has_its_basis(known_minutes: int, basis: str) -> None:
    """Minutes to a day: the level; a day to a week: time of day; from a week on: time of week. The level is right."""
    shown = foreseen(known_minutes)
    assert shown.basis == basis
    assert shown.quantile(0.5)[0] == pytest.approx(40, rel=0.25)


def test_less_history_makes_a_wider_forecast() -> None:
    """The 0.99 quantile comes down to earth as history grows."""
    high = [float(foreseen(known).quantile(0.99)[:10].mean()) for known in (10, 720, 2 * DAY, 14 * DAY)]
    assert high == sorted(high, reverse=True)
    assert high[0] > 2 * high[-1]


def test_from_two_days_on_a_morning_ramp_is_foreseen() -> None:
    """At 7:30 of the third day the median at 8:45 is above the level of now, which is all that a level would give."""
    at = minutes(MONDAY, 3)
    demand = office(at, UTC_ZONE) * noise(len(at), 0.1)
    now = MONDAY + timedelta(days=2, hours=7, minutes=30)
    history = seen_at(now, MONDAY, demand)
    learned = learn(history, zone=UTC_ZONE, now=now)
    shown = forecast(history, learned, zone=UTC_ZONE, now=now, horizon=timedelta(minutes=76))
    assert isinstance(shown, Forecast)
    assert shown.quantile(0.5)[75] > 2 * shown.quantile(0.5)[0]


def test_before_it_is_learned_a_long_history_gives_a_flat_and_wide_forecast() -> None:
    """Without tables even two weeks are forecast by their level, less surely than with them."""
    flat, learned = foreseen(14 * DAY, learning=False), foreseen(14 * DAY)
    assert flat.basis == "level"
    assert flat.quantile(0.5) == pytest.approx(np.full(60, 40.0), rel=0.2)
    assert (flat.quantile(0.9) > learned.quantile(0.9)).all()


def test_an_idle_alias_is_foreseen_idle() -> None:
    """Measured zeros are zeros: nothing is foreseen, with or without tables."""
    for learning in (True, False):
        shown = foreseen(14 * DAY, learning=learning, demand=np.zeros(len(WEEKS)))
        assert (shown.demand == 0).all()


def test_traffic_after_weeks_of_silence_is_seen() -> None:
    """An alias that was idle for two weeks and has had an hour of traffic is not foreseen idle."""
    demand = np.zeros(len(WEEKS))
    noon = int((NOON - MONDAY).total_seconds()) // 60
    demand[noon - 60 :] = 8.0
    assert foreseen(14 * DAY, demand=demand).quantile(0.9)[:15].min() > 4


@pytest.mark.parametrize(("days", "factor"), [(1 / 24, 2.0), (0.5, 1.78), (1.0, 1.5), (7.0, 1.07), (14.0, 1.04)])
def test_the_factor_for_short_history_is_as_documented(days: float, factor: float) -> None:
    """Quantiles are widened by the documented factor, which never grows with more history."""
    assert widening(days) == pytest.approx(factor, abs=0.005)
    assert widening(days) >= widening(days * 1.5)
