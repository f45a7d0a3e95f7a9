"""Forecast: what recurs, what is going on now, and honest quantiles around both."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from traces import MONDAY, drawn, minutes, noise, office, pinball, seen_at
from warmcast.forecast import forecast, learn
from warmcast.model import FloatArray, Forecast, History, Learned, Series, Unknown

UTC_ZONE = ZoneInfo("UTC")
WEEKS = minutes(MONDAY, 28)
OFFICE = office(WEEKS, UTC_ZONE)
NOISY = OFFICE * noise(len(WEEKS), 0.15)
HOUR = timedelta(hours=1)


def minute_of(now: datetime, start: datetime = MONDAY) -> int:
    """Index of an instant in demand that begins at `start`."""
    return int((now - start).total_seconds()) // 60


def after(days: int, hours: float = 0.0) -> datetime:
    """An instant so long after the first Monday."""
    return MONDAY + timedelta(days=days, hours=hours)


def foreseen(
    demand: FloatArray,
    now: datetime,
    *,
    start: datetime = MONDAY,
    zone: ZoneInfo = UTC_ZONE,
    horizon: timedelta = timedelta(minutes=75),
    duration_s: float | FloatArray | None = 0.5,
    follow_slow: bool = True,
) -> Forecast:
    """What a tick at `now` would foresee, having learned a moment ago."""
    history = seen_at(now, start, demand, duration_s=duration_s)
    learned = learn(history, zone=zone, now=now)
    shown = forecast(history, learned, zone=zone, now=now, horizon=horizon, follow_slow=follow_slow)
    assert isinstance(shown, Forecast)
    return shown


# --- form ------------------------------------------------------------------------------------------------------------


def test_steps_are_minutes_to_48_hours_and_five_minutes_beyond() -> None:
    """A week ahead from 09:02:30 is 48 hours of minutes, then whole 5-minute steps, without a hole, to its end."""
    now = after(14, 9) + timedelta(minutes=2, seconds=30)
    shown = foreseen(NOISY, now, horizon=timedelta(days=7))
    assert shown.at[0] == int(now.timestamp()) - 30
    assert (np.diff(shown.at) == shown.step_s[:-1]).all()
    fine = shown.step_s == 60
    assert shown.at[fine][-1] + 60 == shown.at[~fine][0]
    assert 0 <= shown.at[~fine][0] - (shown.at[0] + 48 * 3600) < 300
    assert (shown.at[~fine] % 300 == 0).all()
    assert int(now.timestamp()) + 7 * 86_400 <= shown.at[-1] + 300


def test_quantiles_are_ordered_weighted_and_never_negative() -> None:
    """Levels ascend and include those promised, weights sum to 1, values ascend with the level from 0 on."""
    shown = foreseen(NOISY, after(14, 9), horizon=timedelta(days=7))
    assert {0.5, 0.9, 0.99} <= set(shown.levels)
    assert (np.diff(shown.levels) > 0).all()
    assert shown.weights.sum() == pytest.approx(1.0)
    for values in (shown.demand, shown.rate_per_s):
        assert values.shape == (len(shown.levels), len(shown.at))
        assert (values >= 0).all()
        assert (np.diff(values, axis=0) >= 0).all()


def test_without_any_history_there_is_no_opinion() -> None:
    """Nothing measured, or nothing but gaps, is `Unknown`, with or without something learned."""
    empty = Series.empty(int(MONDAY.timestamp()), 300)
    gaps = seen_at(after(1), MONDAY, np.full(len(WEEKS), np.nan))
    for history in (History(empty, replace(empty, step_s=60)), gaps):
        learned = learn(history, zone=UTC_ZONE, now=after(1))
        for known in (None, learned):
            shown = forecast(history, known, zone=UTC_ZONE, now=after(1), horizon=HOUR)
            assert shown == Unknown("no history")


@pytest.mark.parametrize("read_at", [after(14, 10), after(15, 3)])
def test_a_forecast_depends_on_nothing_after_now(read_at: datetime) -> None:
    """Two histories that differ only after `now`, in minutes or in 5-minute steps, teach and foresee the same."""
    now = after(14, 9.5)
    surge = NOISY.copy()
    surge[minute_of(now) :] = 1_000.0
    quiet, wild = (seen_at(read_at, MONDAY, demand) for demand in (NOISY, surge))
    learned = learn(quiet, zone=UTC_ZONE, now=now)
    for name, table in learn(wild, zone=UTC_ZONE, now=now).arrays.items():
        assert table == pytest.approx(learned.arrays[name]), name
    for history in (wild, quiet.until(int(now.timestamp()))):
        shown = forecast(history, learned, zone=UTC_ZONE, now=now, horizon=HOUR)
        expected = forecast(quiet, learned, zone=UTC_ZONE, now=now, horizon=HOUR)
        assert isinstance(shown, Forecast)
        assert isinstance(expected, Forecast)
        assert shown.demand == pytest.approx(expected.demand)


def test_what_another_version_learned_is_not_used() -> None:
    """Tables of an unknown version are as good as none: the forecast falls back to the level."""
    now = after(14, 9)
    history = seen_at(now, MONDAY, NOISY)
    old = Learned(learned_at=now, until=0, arrays={"version": np.array([0.0])})
    shown = forecast(history, old, zone=UTC_ZONE, now=now, horizon=HOUR)
    assert isinstance(shown, Forecast)
    assert shown.basis == "level"


# --- what recurs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "hours"), [(14, 8.0), (14, 17.0), (18, 12.0), (19, 8.5), (20, 13.0)])
def test_ramps_of_the_right_weekday_are_foreseen(days: int, hours: float) -> None:
    """Monday morning, Monday evening, Friday noon, a weekend's ramp: the median is near what then comes."""
    now = after(days, hours)
    shown = foreseen(NOISY, now)
    assert shown.basis == "week"
    assert shown.quantile(0.5) == pytest.approx(OFFICE[minute_of(now) :][:75], rel=0.25, abs=2)


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("Europe/London", datetime(2026, 3, 16, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 10, 19, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 3, 23, tzinfo=UTC)),
    ],
)
def test_the_monday_after_a_clock_change_opens_at_local_time(zone: str, start: datetime) -> None:
    """Two weeks in, the clocks change: the morning ramp moves in UTC and is foreseen where people live."""
    local = ZoneInfo(zone)
    at = minutes(start, 21)
    shape = office(at, local)
    for days in (13, 14, 15):
        day = start + timedelta(days=days)
        now = datetime(day.year, day.month, day.day, 8, 30, tzinfo=local).astimezone(UTC)
        shown = foreseen(shape * noise(len(at), 0.1), now, start=start, zone=local)
        assert shown.quantile(0.5) == pytest.approx(shape[minute_of(now, start) :][:75], rel=0.25)


def test_timers_on_the_hour_survive() -> None:
    """Five minutes of every hour at ten times the rest are foreseen as such, and at no other minute."""
    demand = np.where(np.arange(len(WEEKS)) % 60 < 5, 20.0, 2.0) * noise(len(WEEKS), 0.1)
    for minute in (0, 5, 30, 55):
        now = after(14, 3) + timedelta(minutes=minute)
        shown = foreseen(demand, now)
        expected = np.where(np.arange(minute, minute + 75) % 60 < 5, 20.0, 2.0)
        assert shown.quantile(0.5) == pytest.approx(expected, rel=0.3)
        assert shown.fallen_from is None


def test_a_flood_a_week_ago_does_not_come_back() -> None:
    """An hour of six times the traffic last Monday does not raise this Monday's median by a fifth."""
    demand = NOISY.copy()
    flood = minute_of(after(7, 10))
    demand[flood : flood + 60] *= 6
    now = after(14, 9.75)
    assert (foreseen(demand, now).quantile(0.5) < 1.2 * OFFICE[minute_of(now) :][:75]).all()


def test_no_quantile_goes_far_beyond_what_weeks_have_shown() -> None:
    """A sudden level at the end of a quiet night multiplies the morning; it stays within 1.5 times the highest ever."""
    demand = NOISY.copy()
    night = minute_of(after(14, 4))
    demand[night - 15 : night] *= 8
    shown = foreseen(demand, after(14, 4), horizon=timedelta(hours=8))
    assert shown.demand.max() <= 1.5 * 1.2 * NOISY[: night - 15].max()
    rising = NOISY.copy()
    rising[night - 15 : night] = 5 * NOISY.max()
    assert foreseen(rising, after(14, 4)).quantile(0.99)[0] > 1.3 * NOISY.max()  # what is there now is believed


def test_neither_an_outage_nor_its_surge_echoes_the_next_day() -> None:
    """45 minutes at 5% and 15 at three times the traffic leave tomorrow's median within a fifth of the ordinary."""
    demand = NOISY.copy()
    outage = minute_of(after(15, 10))
    demand[outage : outage + 45] *= 0.05
    demand[outage + 45 : outage + 60] *= 3
    now = after(16, 9.9)
    shown = foreseen(demand, now)
    assert shown.quantile(0.5) == pytest.approx(foreseen(NOISY, now).quantile(0.5), rel=0.2)


def test_gaps_are_not_zeros() -> None:
    """With a third of the minutes and a whole day missing, the median stays where it was."""
    demand = NOISY.copy()
    demand[np.random.default_rng(3).random(len(demand)) < 0.33] = np.nan
    demand[minute_of(after(9)) : minute_of(after(10))] = np.nan
    now = after(14, 10)
    demand[minute_of(now) - 12 : minute_of(now) - 6] = np.nan
    assert foreseen(demand, now).quantile(0.5) == pytest.approx(OFFICE[minute_of(now) :][:75], rel=0.3)


def test_demand_without_arrivals_is_forecast_as_it_is() -> None:
    """Where only executions are known, demand is foreseen all the same."""
    now = after(14, 9)
    known, bare = (foreseen(NOISY, now, duration_s=duration) for duration in (0.5, None))
    assert bare.quantile(0.5) == pytest.approx(known.quantile(0.5), rel=1e-6)
    assert known.rate_per_s[3] == pytest.approx(known.demand[3] / 0.5)


# --- what is going on now --------------------------------------------------------------------------------------------


def test_arrivals_that_are_read_later_make_no_endless_durations() -> None:
    """Sparse traffic: idle minutes have no arrivals at once, busy ones have theirs read every half hour."""
    now = after(14, 3)
    sparse = np.where(np.arange(len(WEEKS)) % 4 == 0, 4.0, 0.0) * noise(len(WEEKS), 0.2)
    history = seen_at(now, MONDAY, sparse, duration_s=0.5)
    learned = learn(history, zone=UTC_ZONE, now=now)
    arrivals = history.fine.arrivals.copy()
    late = slice(len(arrivals) - 25, None)
    arrivals[late] = np.where(history.fine.work_s[late] > 0, np.nan, 0.0)
    unread = replace(history, fine=replace(history.fine, arrivals=arrivals))
    known, guessed = (forecast(each, learned, zone=UTC_ZONE, now=now, horizon=HOUR) for each in (history, unread))
    assert isinstance(known, Forecast)
    assert isinstance(guessed, Forecast)
    assert guessed.quantile(0.9) == pytest.approx(known.quantile(0.9), rel=0.3)


def test_a_new_level_is_followed_and_fades() -> None:
    """Half an hour at four times the season: the median follows at once and believes it less with the lead."""
    now = after(14, 11)
    demand = NOISY.copy()
    demand[minute_of(now) - 30 :] *= 4
    ratio = foreseen(demand, now, horizon=timedelta(hours=24)).quantile(0.5) / OFFICE[minute_of(now) :][:1440]
    assert ratio[5] > 2.8
    assert ratio[5] > ratio[60] > ratio[240] > ratio[-1]
    assert ratio[-1] < 2


def test_a_slow_downstream_multiplies_durations_not_customers() -> None:
    """Five times the duration is five times the demand now, the same rate, and nothing of it tomorrow."""
    now = after(14, 11)
    slow = np.full(len(WEEKS), 0.5)
    slow[minute_of(now) - 25 : minute_of(now) + 60] = 2.5
    demand = NOISY * slow / 0.5
    follow = foreseen(demand, now, duration_s=slow)
    assert follow.quantile(0.5)[:15] == pytest.approx(5 * OFFICE[minute_of(now) :][:15], rel=0.25)
    assert follow.rate_per_s[3][:15] == pytest.approx(OFFICE[minute_of(now) :][:15] / 0.5, rel=0.2)
    tomorrow = foreseen(demand, now + timedelta(days=1), duration_s=slow)
    assert tomorrow.quantile(0.5)[:15] == pytest.approx(OFFICE[minute_of(now) :][:15], rel=0.25)


def test_capacity_need_not_follow_a_slow_downstream() -> None:
    """With `follow_slow` off, durations beyond all that was learned are cut to it."""
    now = after(14, 11)
    history = seen_at(now, MONDAY, NOISY)
    learned = learn(history, zone=UTC_ZONE, now=now)
    slow = np.full(len(WEEKS), 0.5)
    slow[minute_of(now) - 25 :] = 2.5
    slowed = seen_at(now, MONDAY, NOISY * slow / 0.5, duration_s=slow)
    shown = forecast(slowed, learned, zone=UTC_ZONE, now=now, horizon=HOUR, follow_slow=False)
    assert isinstance(shown, Forecast)
    assert shown.quantile(0.5)[:15] == pytest.approx(OFFICE[minute_of(now) :][:15], rel=0.25)


def test_older_data_makes_a_wider_forecast() -> None:
    """Where the level lasts for hours, the same forecast from data an hour or three older is less certain."""
    now = after(14, 11)
    demand = OFFICE * noise(len(WEEKS), 0.3, memory=0.998)
    learned = learn(seen_at(now, MONDAY, demand), zone=UTC_ZONE, now=now)
    width = []
    for age in (0, 60, 180):
        history = seen_at(now - timedelta(minutes=age), MONDAY, demand)
        shown = forecast(history, learned, zone=UTC_ZONE, now=now, horizon=HOUR)
        assert isinstance(shown, Forecast)
        width.append(float((shown.quantile(0.99) / shown.quantile(0.05)).mean()))
    assert width == sorted(width)


# --- how sure --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes_ahead", "level"), [(75, 0.5), (75, 0.9), (75, 0.99), (1440, 0.5), (1440, 0.9)])
def test_quantiles_cover_what_they_say_on_a_week_never_seen(minutes_ahead: int, level: float) -> None:
    """Over a held-out week of known noise, a quantile is exceeded about as often as its level says."""
    held_out = [after(14) + timedelta(hours=k, minutes=5 * (k % 12)) for k in range(0, 168, 6)]
    covered = []
    for now in held_out:
        shown = foreseen(NOISY, now, horizon=timedelta(minutes=minutes_ahead))
        actual = NOISY[minute_of(now) :][:minutes_ahead]
        covered.append(float((actual <= shown.quantile(level)).mean()))
    allowed = {0.5: (0.40, 0.62), 0.9: (0.85, 0.96), 0.99: (0.97, 1.0)}[level]
    assert allowed[0] <= np.mean(covered) <= allowed[1]


@pytest.mark.parametrize(
    "name",
    ["azure-platform-2019", "mongo-cluster-1", "shop-purchases-4", "nyc-taxi", "nasa-july-95", "huawei-region-1"],
)
def test_real_profiles_are_foreseen_better_than_by_last_week_or_by_now(name: str) -> None:
    """On traffic drawn from measured profiles, pinball loss beats the same minute last week and the level of now."""
    demand = drawn(name, start=MONDAY, days=21)
    ours, lag, flat = [], [], []
    for hours in range(0, 6 * 24, 7):
        now = after(14, hours)
        shown, here = foreseen(demand, now), minute_of(now)
        actual = demand[here : here + 75]
        level_now = np.full(75, demand[here - 17 : here - 2].mean())
        for quantile in (0.5, 0.9, 0.99):
            ours.append(pinball(actual, shown.quantile(quantile), quantile))
            lag.append(pinball(actual, demand[here - 10_080 : here - 10_080 + 75], quantile))
            flat.append(pinball(actual, level_now, quantile))
    assert np.mean(ours) < 0.75 * np.mean(lag)
    assert np.mean(ours) < 0.75 * np.mean(flat)


def test_a_learned_target_takes_little_memory() -> None:
    """What is kept of a target between ticks stays under 60 KB."""
    learned = learn(seen_at(after(14), MONDAY, NOISY), zone=UTC_ZONE, now=after(14))
    assert sum(table.nbytes for table in learned.arrays.values()) < 60_000
