"""What each candidate predicts, against loops over raw minutes; clocks that change, gaps, days out of the ordinary."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixing import DAY, MONDAY, UTC_ZONE, measured
from warmcast.mixture.candidates import FAMILIES, HEADROOMS, PREDICTIONS, Family, by_family, candidates, predictions
from warmcast.mixture.loss import staffed
from warmcast.mixture.past import past_of

if TYPE_CHECKING:
    from warmcast.model import FloatArray, IntArray

COLUMN = {rule.name: place for place, rule in enumerate(PREDICTIONS)}
FIRST_MINUTE = int(MONDAY.timestamp()) // 60


def predicted(
    demand: FloatArray,
    ticks: IntArray,
    *,
    start: datetime = MONDAY,
    zone: ZoneInfo = UTC_ZONE,
    lead_min: int = 3,
    delay_min: int = 2,
) -> FloatArray:
    """Predictions for ticks (minutes after the start) from all minutes of this demand."""
    history = measured(demand, start=start)
    past = past_of(history, zone=zone, end_s=history.fine.end, slot=1.0)
    return predictions(past, ticks + int(start.timestamp()) // 60, lead_min=lead_min, delay_min=delay_min)


# --- against a naive loop --------------------------------------------------------------------------------------------


def mean(values: list[float]) -> float:
    """Mean of the known ones; NaN where none is."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def highest(values: list[float]) -> float:
    """Highest of the known ones; NaN where none is."""
    return max((value for value in values if not math.isnan(value)), default=math.nan)


class Naive:
    """The predictions of one tick, from raw minutes by loops; minutes count from the start, a Monday at midnight."""

    def __init__(self, demand: FloatArray, tick: int, lead: int, delay: int) -> None:
        self.demand = demand.tolist()
        self.tick, self.lead, self.delay = tick, lead, delay
        self.first, self.part = (tick + lead) // 5, (tick + lead) % 5 / 5

    def minute(self, at: int) -> float:
        """A raw minute."""
        return self.demand[at] if 0 <= at < len(self.demand) else math.nan

    def step(self, step: int) -> float:
        """Mean of a 5-minute step."""
        return mean([self.minute(5 * step + each) for each in range(5)])

    @cache  # noqa: B019 - as short-lived as its test
    def ordinary(self, step: int) -> float:
        """A step, unless it is beyond what the days before it have shown."""
        days = [[self.step(step - 288 * day + near) for near in range(-3, 4)] for day in range(1, 15)]
        days = [day for day in days if not math.isnan(highest(day))]
        value = self.step(step)
        if len(days) < 3 or math.isnan(value):
            return value
        low = 0.75 * min(-highest([-each for each in day]) for day in days)
        return value if low <= value <= 1.25 * max(highest(day) for day in days) else math.nan

    def last(self, minutes: int, end: int | None = None) -> float:
        """Mean of the last minutes, else the last known one."""
        end = self.tick - self.delay if end is None else end
        level = mean([self.minute(at) for at in range(end - minutes, end)])
        return level if not math.isnan(level) else self.filled(end - 1)

    def filled(self, at: int) -> float:
        """A minute, or the last known before it."""
        while at >= 0 and math.isnan(self.minute(at)):
            at -= 1
        return self.minute(at) if at >= 0 else 0.0

    def going_on(self, minutes: int, over: float) -> float:
        """The last change, going on."""
        now, before = self.last(minutes), self.last(minutes, self.tick - self.delay - minutes)
        return now + over * (now - before)

    def between(self, first: float, second: float) -> float:
        """Two steps by their share of the five minutes."""
        if math.isnan(first) or math.isnan(second):
            return first if math.isnan(second) else second
        return (1 - self.part) * first + self.part * second

    def lagged(self, days: list[int], ahead: int, count: int) -> float:
        """Mean over days before of the means of some steps from the tick's own on."""
        own = self.tick // 5 + ahead
        return mean([mean([self.ordinary(own - 288 * day + each) for each in range(count)]) for day in days])

    def rising(self, days: list[int], minutes: int, *, scaled: bool) -> float:
        """The season at today's level."""
        then = self.lagged(days, self.first - self.tick // 5, 2)
        count = max(2, minutes // 5)
        before, now = self.lagged(days, -count, count), self.last(minutes)
        if not scaled:
            return then + now - before
        until = self.tick // 5 - 1
        steady = 0.05 * mean([self.step(at) for at in range(until - 14 * 288, until)])
        return (then + steady) * (now + steady) / (before + steady) - steady

    def all(self) -> dict[str, float]:
        """Every prediction by its name."""
        end, until = self.tick - self.delay, self.tick // 5 - 1
        week, fortnight = list(range(1, 8)), [7, 14]
        hours = [(self.step(self.first - 12 * hour), self.step(self.first + 1 - 12 * hour)) for hour in range(1, 7)]
        days = [(self.ordinary(self.first - 288 * day), self.ordinary(self.first + 1 - 288 * day)) for day in week]
        ahead = self.first - self.tick // 5 - 2
        found = {f"last {minutes} min": self.last(minutes) for minutes in (1, 2, 5, 15, 30, 60, 360)}
        found["last day"] = mean([self.step(at) for at in range(until - 288, until)])
        for minutes in (3, 10, 30, 120):
            found[f"highest of {minutes} min"] = max(self.filled(at) for at in range(max(0, end - minutes), end))
        found["change of 5 min going on"] = self.going_on(5, (self.lead + 3) / 5)
        found["change of 15 min going on"] = self.going_on(15, (self.lead + 7) / 10)
        found["mean of six hours"] = mean([self.between(*pair) for pair in hours])
        covered = range(self.tick // 5, self.first + 2)  # what falls, falls at once: from the tick's own step on
        found["highest of six hours"] = highest([self.step(at - 12 * hour) for hour in range(1, 7) for at in covered])
        found["mean of seven days"] = mean([self.between(*pair) for pair in days])
        higher = [highest([self.ordinary(at - 288 * day) for at in covered]) for day in week]
        found["highest of seven days"] = highest(higher)
        found["smoothed mean of seven days"] = self.lagged(week, ahead, 6)
        found["yesterday, higher of two"] = higher[0]
        found["a week ago, higher of two"] = higher[6]
        found["a week ago"] = self.between(*days[6])
        found["smoothed mean of two weeks"] = self.lagged(fortnight, ahead, 6)
        for name, lags, windows in (("seven days", week, (5, 60, 240)), ("two weeks", fortnight, (5, 60))):
            for minutes in windows:
                found[f"{name} x last {minutes} min"] = self.rising(lags, minutes, scaled=True)
                found[f"{name} + last {minutes} min"] = self.rising(lags, minutes, scaled=False)
        return {name: max(0.0, self.last(5) if math.isnan(found[name]) else found[name]) for name in COLUMN}


def busy(days: float, *, seed: int = 3) -> FloatArray:
    """Demand with a daily season, noise and rare floods."""
    at = np.arange(round(days * DAY))
    rng = np.random.default_rng(seed)
    level = 20 + 15 * np.sin(2 * np.pi * at / DAY) + 5 * np.sin(2 * np.pi * at / (7 * DAY))
    flood: FloatArray = np.where(rng.random(len(at)) < 0.002, 6.0, 1.0)
    demand: FloatArray = np.maximum(level, 0) * rng.gamma(20, 1 / 20, len(at)) * flood
    return demand


def holed(demand: FloatArray) -> FloatArray:
    """The same with gaps: single minutes, half hours, a whole day, and the newest minutes."""
    rng = np.random.default_rng(7)
    holes = rng.random(len(demand)) < 0.02
    for start in rng.integers(0, len(demand), 12):
        holes[start : start + 30] = True
    holes[3 * DAY : 4 * DAY] = True
    return np.where(holes, np.nan, demand)


@pytest.mark.parametrize("gaps", [False, True], ids=["whole", "with gaps"])
@pytest.mark.parametrize(("lead", "delay"), [(2, 1), (3, 2), (7, 3), (15, 2)])
def test_each_prediction_is_what_a_loop_over_minutes_says(lead: int, delay: int, *, gaps: bool) -> None:
    """Level, reaction, hour, season, rising; whatever lead time and delay."""
    demand = holed(busy(16)) if gaps else busy(16)
    ticks = np.array([DAY // 2, 2 * DAY + 455, 4 * DAY + 10, 9 * DAY + 720, 15 * DAY + 5, 16 * DAY - 5])
    found = predicted(demand, ticks, lead_min=lead, delay_min=delay)
    for row, tick in enumerate(ticks):
        expected = Naive(demand, int(tick), lead, delay).all()
        assert dict(zip(COLUMN, found[row], strict=True)) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_a_tick_between_two_steps_takes_its_share_of_both() -> None:
    """At a lead time of 3 minutes the five minutes are two fifths of one step and three of the next."""
    demand = np.tile(np.repeat([10.0, 20.0], 5), 4 * 144)
    found = predicted(demand, np.array([3 * DAY + 600]), lead_min=3)
    assert found[0, COLUMN["mean of seven days"]] == pytest.approx(0.4 * 10 + 0.6 * 20)
    assert found[0, COLUMN["yesterday, higher of two"]] == 20.0


def test_a_longer_lead_time_does_not_lower_before_the_spike_is_over() -> None:
    """At 7 minutes of lead noon's capacity is for 12:07 on, but a fall acts at once: the highest is from noon on."""
    demand = np.full(4 * DAY, 4.0)
    for hour in range(0, len(demand), 60):
        demand[hour : hour + 5] = 40.0
    found = predicted(demand, np.array([3 * DAY + 720]), lead_min=7)
    assert found[0, COLUMN["highest of six hours"]] == found[0, COLUMN["yesterday, higher of two"]] == 40.0
    assert found[0, COLUMN["mean of six hours"]] == 4.0


# --- no peeking ------------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(
    tick=st.integers(1, 15 * 288).map(lambda step: 5 * step),
    lead=st.integers(1, 15),
    delay=st.integers(1, 3),
    other=st.sampled_from([0.0, 1000.0, np.nan]),
)
def test_no_minute_after_what_has_been_seen_changes_a_prediction(
    tick: int, lead: int, delay: int, other: float
) -> None:
    """A tick sees the minutes that ended `delay` before it: another future gives the same predictions."""
    demand = whole()
    changed = demand.copy()
    changed[tick - delay :] = other
    ticks = np.array([tick])
    before = predicted(demand, ticks, lead_min=lead, delay_min=delay)
    assert predicted(changed, ticks, lead_min=lead, delay_min=delay).tolist() == before.tolist()


@cache
def whole() -> FloatArray:
    """Fifteen days, made once."""
    return busy(15.1)


# --- the wall clock --------------------------------------------------------------------------------------------------


def by_the_wall(start: datetime, days: float, zone: ZoneInfo) -> FloatArray:
    """Demand that goes by the wall clock alone: 60 from 9 to 10, 5 at all other times."""
    at = [start + timedelta(minutes=minute) for minute in range(round(days * DAY))]
    return np.array([60.0 if each.astimezone(zone).hour == 9 else 5.0 for each in at])


@pytest.mark.parametrize(
    ("zone", "changes"),
    [
        ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
        ("Australia/Sydney", datetime(2026, 4, 4, 16, tzinfo=UTC)),
        ("Australia/Sydney", datetime(2026, 10, 3, 16, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ],
)
def test_the_season_moves_with_the_clocks(zone: str, changes: datetime) -> None:
    """Nine o'clock stays nine o'clock the days after the clocks change, in both hemispheres, by half an hour too."""
    where = ZoneInfo(zone)
    start = (changes - timedelta(days=15)).replace(hour=0, minute=0)
    demand = by_the_wall(start, 19, where)
    nine = changes.astimezone(where).replace(hour=9, minute=0) + timedelta(days=2)  # on the wall, two days later
    first = (int(nine.timestamp()) - int(start.timestamp())) // 60
    ticks = np.array([first - 20, first + 20, first + 80])  # before, within and after the hour
    found = predicted(demand, ticks, start=start, zone=where, lead_min=5)
    for name in ("yesterday, higher of two", "a week ago", "mean of seven days", "highest of seven days"):
        assert found[:, COLUMN[name]].tolist() == [5.0, 60.0, 5.0], name


def test_the_hour_that_the_clocks_skip_is_a_gap_and_of_a_repeated_one_the_later_counts() -> None:
    """The season of a skipped half past two is of the other days alone; the repeated one's is its second showing."""
    berlin = ZoneInfo("Europe/Berlin")
    skipped = datetime(2026, 3, 25, tzinfo=UTC)
    history = measured(np.arange(8.0 * DAY), start=skipped)
    season = past_of(history, zone=berlin, end_s=history.fine.end, slot=1.0).season
    wall = int(datetime(2026, 3, 29, 2, 30, tzinfo=UTC).timestamp()) // 300  # as the wall shows it
    assert np.isnan(season.at(np.array([wall]))[0])
    repeated = datetime(2026, 10, 25, tzinfo=UTC)
    history = measured(np.arange(2.0 * DAY), start=repeated)
    season = past_of(history, zone=berlin, end_s=history.fine.end, slot=1.0).season
    wall = int(datetime(2026, 10, 25, 2, 30, tzinfo=UTC).timestamp()) // 300
    assert season.at(np.array([wall]))[0] == 92.0  # 01:30 UTC, not 00:30


# --- out of the ordinary ---------------------------------------------------------------------------------------------


def season_at(demand: FloatArray, minute: int) -> float:
    """What the season holds for a minute."""
    history = measured(demand)
    season = past_of(history, zone=UTC_ZONE, end_s=history.fine.end, slot=1.0).season
    return float(season.at(np.array([(FIRST_MINUTE + minute) // 5]))[0])


@pytest.mark.parametrize("times", [4.0, 0.05], ids=["surge", "outage"])
def test_a_day_out_of_the_ordinary_is_left_out_once_and_believed_the_second_time(times: float) -> None:
    """A surge or an outage is a gap in the season; what happens twice is ordinary the second time."""
    demand = np.full(9 * DAY, 20.0)
    for day in (5, 7):
        demand[day * DAY + 600 : day * DAY + 660] *= times
    assert np.isnan(season_at(demand, 5 * DAY + 630))
    assert season_at(demand, 7 * DAY + 630) == pytest.approx(20 * times)


@pytest.mark.parametrize(("times", "ordinary"), [(1.2, True), (1.3, False), (0.8, True), (0.7, False)])
def test_a_quarter_more_or_less_than_other_days_is_ordinary(times: float, *, ordinary: bool) -> None:
    """Within 0.75-1.25 of what the days before have shown a step stays as it was measured."""
    demand = np.full(6 * DAY, 20.0)
    demand[5 * DAY + 600 : 5 * DAY + 660] *= times
    assert np.isnan(season_at(demand, 5 * DAY + 630)) != ordinary


def test_an_outlier_does_not_come_back_the_next_day_or_week() -> None:
    """What the season predicts a day and a week after a fourfold hour is what was ordinary before it."""
    demand = np.full(13 * DAY, 20.0)
    demand[5 * DAY + 600 : 5 * DAY + 660] = 80.0
    found = predicted(demand, np.array([6 * DAY + 630, 12 * DAY + 630]))
    seasons = [place for place, rule in enumerate(PREDICTIONS) if rule.family in {Family.SEASON, Family.RISING}]
    assert found[:, seasons] == pytest.approx(20.0)


def test_under_three_days_nothing_says_what_is_ordinary() -> None:
    """The third day's surge stays as measured, the fourth's is left out."""
    third, fourth = np.full(5 * DAY, 20.0), np.full(5 * DAY, 20.0)
    third[2 * DAY + 600 : 2 * DAY + 660] = fourth[3 * DAY + 600 : 3 * DAY + 660] = 80.0
    assert season_at(third, 2 * DAY + 630) == 80.0
    assert np.isnan(season_at(fourth, 3 * DAY + 630))


# --- capacities ------------------------------------------------------------------------------------------------------


def test_each_prediction_is_staffed_at_every_headroom_and_the_last_candidate_is_none() -> None:
    """Columns: all predictions at the first headroom, at the second, ...; then no capacity."""
    demand = np.array([[3.0, 50.0]])
    units = candidates(demand)
    expected = [float(staffed(np.array([each * headroom]))[0]) for headroom in HEADROOMS for each in demand[0]]
    assert units[0].tolist() == [*expected, 0.0]
    assert len(FAMILIES) == len(HEADROOMS) * len(PREDICTIONS) + 1
    assert FAMILIES[-1] is Family.NOTHING


def test_families_share_what_their_candidates_are_believed() -> None:
    """Shares add up to one; a family's capacity is the mean of its candidates as believed; none believed: 0."""
    weights = np.zeros((1, len(FAMILIES)))
    level, season = FAMILIES.index(Family.LEVEL), FAMILIES.index(Family.SEASON)
    weights[0, [level, level + 1, season]] = [0.25, 0.25, 0.5]
    capacities = np.zeros(len(FAMILIES))
    capacities[[level, level + 1, season]] = [10.0, 20.0, 40.0]
    shares, units = by_family(weights, capacities)[:, 0]
    told = dict(zip(Family, zip(shares, units, strict=True), strict=True))
    assert told[Family.LEVEL] == (0.5, 15.0)
    assert told[Family.SEASON] == (0.5, 40.0)
    assert told[Family.REACTION] == (0.0, 0.0)
