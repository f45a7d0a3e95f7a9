"""The members of the forecast: what each learns is robust, is judged as it would have been, and counts accordingly."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from traces import MONDAY, minutes, noise, office, seen_at
from warmcast.forecast import forecast, learn
from warmcast.forecast.members import Past, Taught, shares, teach
from warmcast.forecast.season import BINS, season
from warmcast.forecast.tables import LEADS, LEVELS, MEMBERS, Ground, Tables, stand_in
from warmcast.model import FloatArray, Forecast

UTC_ZONE = ZoneInfo("UTC")
STEPS = 14 * BINS
OF_DAY = np.arange(STEPS) % BINS
MINUTE_OF_WEEK = np.arange(STEPS) * 5 % (7 * 1440)
PRIOR = stand_in(0.1, 0.5, 14.0)
ONE_STEP = 0


def wandering(memory: float) -> FloatArray:
    """A series around 5 that forgets what surprised it at this rate, never below 0."""
    rng = np.random.default_rng(2)
    values = np.zeros(STEPS)
    for nth in range(1, STEPS):
        values[nth] = memory * values[nth - 1] + 0.1 * rng.standard_normal()
    return values + 5.0


def taught(values: FloatArray, profile: FloatArray | None = None) -> Taught:
    """What a member learns of these values, on a scale that is nearly a logarithm."""
    flat = np.full(STEPS, 5.0)
    return teach(Past(1.0, values, flat if profile is None else profile, OF_DAY), PRIOR, PRIOR.follow[0])


def test_how_surprises_fade_is_learned() -> None:
    """Of a series that keeps 0.9 a step most is followed one step on, and less hours on."""
    follow = taught(wandering(0.9)).follow[:, :-1].sum(axis=1)
    assert follow[ONE_STEP] == pytest.approx(0.9, abs=0.12)
    assert follow[int(np.searchsorted(LEADS, 49))] < 0.5


def test_a_profile_that_does_not_come_back_is_taken_off_again() -> None:
    """Where days look like nothing before, the deviation of the profile is corrected away; where they do, it stays."""
    rng = np.random.default_rng(3)
    shape = np.tile(np.repeat(rng.standard_normal(24), 12), 14)
    believed = taught(5.0 + shape + 0.05 * rng.standard_normal(STEPS), 5.0 + shape)
    doubted = taught(5.0 + 0.05 * rng.standard_normal(STEPS), 5.0 + shape)
    long = int(np.searchsorted(LEADS, 97))
    assert believed.follow[long, -1] == pytest.approx(0.0, abs=0.05)
    assert doubted.follow[long, -1] < -0.7


def test_the_season_of_a_day_is_judged_by_the_days_before_it() -> None:
    """Changing the last day changes no surprise of the days before, from the sixth on."""
    values = office(minutes(MONDAY, 14), UTC_ZONE)[::5] * noise(STEPS, 0.1)
    later = values.copy()
    later[-BINS:] *= 1.3
    plain, changed = (season(np.log(each), MINUTE_OF_WEEK) for each in (values, later))
    # The level of the weeks and what comes back are of all days: the shares move a little, the profile does not.
    assert changed.surprise()[5:-2] == pytest.approx(plain.surprise()[5:-2], abs=0.2)
    assert np.abs(changed.surprise()[-1] - plain.surprise()[-1]).mean() > 0.2


# --- how much each counts --------------------------------------------------------------------------------------------


def four(errors: list[FloatArray]) -> FloatArray:
    """Shares of four members that erred like this at every lead, on a series that is always 100."""
    values = np.full(STEPS, np.log1p(100.0))
    like = taught(values)
    members = [
        replace(like, past=replace(like.past, values=values), errors=np.tile(each, (len(LEADS), 1))) for each in errors
    ]
    return shares(members, np.full(STEPS, 100.0))


SMALL, LARGE = np.full(STEPS, 0.02), np.full(STEPS, 0.3)


def test_the_member_that_errs_least_counts_most() -> None:
    """Shares add up to one; twice or equal errors decide as one would: nearly all, and alike."""
    share = four([LARGE, SMALL, LARGE, LARGE])
    assert share.sum(axis=0) == pytest.approx(1.0)
    assert (share[1] > 0.9).all()
    alike = four([SMALL, SMALL, SMALL, SMALL])
    assert alike[:, ONE_STEP] == pytest.approx(0.25)


def test_a_day_on_which_all_were_wrong_decides_nothing() -> None:
    """One day of errors twenty times as large, a little larger for the one that is otherwise best, leaves it best."""
    odd = np.arange(STEPS) // BINS == 11
    good, poor = np.where(odd, 0.9, 0.02), np.where(odd, 0.8, 0.04)
    share = four([poor, good, poor, poor])
    assert (share[1, ONE_STEP] > 0.8).all()


def test_the_last_days_say_nothing_beyond_a_day() -> None:
    """From a lead of 24 hours on, members that stand on the last days have no share, and the others all of it."""
    share = four([SMALL] * 4)
    days = [nth for nth, member in enumerate(MEMBERS) if member.ground is Ground.DAYS]
    assert share[days][:, LEADS >= BINS].max() == 0
    assert share[:, LEADS >= BINS].sum(axis=0) == pytest.approx(1.0)


def test_one_member_alone_counts_whole() -> None:
    """Under a day of history there is but the first."""
    assert (shares([taught(wandering(0.5))], np.full(STEPS, 1.0)) == 1.0).all()


# --- together --------------------------------------------------------------------------------------------------------


def median_at(demand: FloatArray, days: float) -> tuple[FloatArray, Tables]:
    """The median of the day after so many days of this demand, and the tables behind it."""
    now = MONDAY + timedelta(days=days)
    history = seen_at(now, MONDAY, demand)
    learned = learn(history, zone=UTC_ZONE, now=now)
    shown = forecast(history, learned, zone=UTC_ZONE, now=now, horizon=timedelta(days=1))
    tables = Tables.from_arrays(learned.arrays)
    assert isinstance(shown, Forecast)
    assert tables is not None
    return shown.quantile(0.5), tables


def test_a_new_daily_shape_is_followed_within_four_days() -> None:
    """Traffic that moves from noon to midnight is foreseen at midnight long before two weeks have shown it."""
    at = minutes(MONDAY, 15)
    clock = np.cos(2 * np.pi * (at % 86_400) / 86_400)
    demand = np.where(at < at[0] + 9 * 86_400, 20 - 12 * clock, 20 + 12 * clock) * noise(len(at), 0.05)
    median, _ = median_at(demand, 13.5)
    actual = demand[int(13.5 * 1440) :][:1440]
    assert np.abs(median - actual).mean() < 0.2 * actual.mean()


def test_neither_an_odd_day_nor_its_absence_is_in_the_median_of_three() -> None:
    """Yesterday at four times the traffic changes no 5 minutes of the last days' median by more than its noise."""
    at = minutes(MONDAY, 15)
    plain = office(at, UTC_ZONE) * noise(len(at), 0.05)
    flood = plain.copy()
    flood[12 * 1440 : 13 * 1440] *= 4
    _, ordinary = median_at(plain, 13)
    _, after = median_at(flood, 13)
    assert after.days == pytest.approx(ordinary.days, rel=0.25)


def test_kept_tables_are_whole() -> None:
    """All members survive being written as arrays: shapes and values."""
    at = minutes(MONDAY, 15)
    _, tables = median_at(office(at, UTC_ZONE) * noise(len(at), 0.05), 14)
    assert tables.offsets.shape == (len(MEMBERS), len(LEADS), len(LEVELS))
    assert tables.share.sum(axis=0) == pytest.approx(1.0)
    again = Tables.from_arrays(tables.as_arrays())
    assert again is not None
    assert (again.share == tables.share).all()
