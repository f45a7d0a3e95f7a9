"""What the brain is able to do, each in its own test, through the replay that a backtest plays; small made-up traffic.

Probabilistic demand, cost-optimal capacity, calibration online, switching, health, explanation, state.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from builders import CHECKOUT, policy, state
from mixing import DAY, MONDAY, poisson
from traces import noise
from warmcast.brain import think
from warmcast.erlang import spilled_share
from warmcast.knowledge import Knowledge
from warmcast.mixture.candidates import Family
from warmcast.model import Mode, Observation, Outcome, Reason, Result, Rhythm, Row, TickReport
from warmcast.report import health_in_words, log_records, reason_in_words
from warmcast.simulate.replay import Measured, replay
from warmcast.simulate.trace import Trace
from warmcast.simulate.world import World

if TYPE_CHECKING:
    from warmcast.model import Decision, FloatArray, IntArray

WORLD = World()


@dataclass(frozen=True, eq=False)
class Played:
    """A replay's minutes: what was asked, what was requested and what was READY; and its decisions."""

    demand: FloatArray
    requested: IntArray
    ready: IntArray
    decisions: tuple[Decision, ...]
    peakedness: float = 1.0

    @property
    def spillover(self) -> float:
        """Share of the demand that spilled, by Erlang's B."""
        share = spilled_share(self.ready, self.demand, self.peakedness)
        return float(np.nansum(share * self.demand) / np.nansum(self.demand))

    @property
    def changes_per_day(self) -> float:
        """How often the requested capacity changed."""
        return float((np.diff(self.requested) != 0).sum()) / (len(self.requested) / DAY)


def traced(demand: FloatArray, *, peak: FloatArray | None = None) -> Trace:
    """A trace from a Monday's midnight on, half a second an execution."""
    unknown = np.full(len(demand), np.nan)
    return Trace(int(MONDAY.timestamp()), demand, demand / 0.5, unknown if peak is None else peak)


def played(
    demand: FloatArray,
    *,
    start: int,
    world: World = WORLD,
    peak: FloatArray | None = None,
    **keys: Any,  # noqa: ANN401 - the policy file's keys
) -> Played:
    """The production brain over the minutes from `start` on; what is before is history."""
    rules = policy(low=1, high=2000, **keys)
    trace = traced(demand, peak=peak)
    run = replay(rules, trace, start=int(MONDAY.timestamp()) + 60 * start, world=world)
    return Played(demand[start:], run.requested, run.ready, run.decisions, world.peakedness)


def wave(days: float, *, low: float = 10.0, high: float = 50.0) -> FloatArray:
    """Mean demand of a day's wave."""
    at = np.arange(round(days * DAY))
    mean: FloatArray = (low + high) / 2 + (high - low) / 2 * np.sin(2 * np.pi * at / DAY)
    return mean


def timetable(days: int) -> FloatArray:
    """Mean demand whose level jumps each half hour, in the same way each day: only the season foresees it."""
    levels = np.random.default_rng(4).uniform(5, 60, 48)
    return np.tile(np.repeat(levels, 30), days)


def season_share(decision: Decision) -> float:
    """How much a decision rests on what recurs by the day and week."""
    return sum(drive.share for drive in decision.drives if drive.family in {Family.SEASON, Family.RISING})


# --- probabilistic demand --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lead_s", [120, 300])
def test_a_spike_on_the_hour_is_met_before_it_comes(lead_s: int) -> None:
    """Forty executions for five minutes each hour: READY when it begins, at 2 and 5 minutes of lead; gone between."""
    at = np.arange(round(8.5 * DAY))
    run = played(poisson(4 + np.where(at % 60 < 5, 36.0, 0.0)), start=8 * DAY, world=World(lead_s=lead_s))
    on_the_hour, half_past = run.ready[60::60], run.ready[30::60]
    assert (on_the_hour >= 40).mean() > 0.9
    assert np.median(half_past) < 20
    assert run.spillover < 0.0125


def test_a_timer_of_five_minutes_is_seen_as_such() -> None:
    """A burst in every fifth minute: its capacity stands, and is not lowered and raised between the bursts."""
    at = np.arange(round(8.5 * DAY))
    run = played(poisson(4 + np.where(at % 5 == 0, 20.0, 0.0)), start=8 * DAY)
    assert 24 < run.ready.min() <= run.ready.max() < 48
    assert run.spillover < 0.0125


def test_a_day_and_week_that_recur_are_foreseen_by_the_wall_clock_of_the_policy() -> None:
    """Nine o'clock in Berlin, the day after its clocks went forward: READY when the office opens, not an hour late."""
    minute = np.arange(28 * DAY)
    changes = 27 * DAY + 60  # Sunday 29 March 2026, 01:00 UTC
    local = minute + np.where(minute >= changes, 120, 60)
    demand = poisson(np.where((local // 60) % 24 == 9, 50.0, 5.0)[13 * DAY :])
    demand = np.concatenate([demand, poisson(np.where(np.arange(DAY // 2) // 60 == 7, 50.0, 5.0))])
    trace = replace(traced(demand), start=int((MONDAY + timedelta(days=13)).timestamp()))
    start = trace.start + 60 * (15 * DAY + 6 * 60)
    run = replay(policy(low=1, timezone="Europe/Berlin"), trace, start=start, world=WORLD)
    assert run.ready[50] < 20
    assert run.ready[60] > 50  # 07:00 UTC is nine in Berlin from this day on
    assert run.ready[135] < 20


def test_a_level_shift_is_followed_and_so_is_the_way_back() -> None:
    """Threefold from one minute on, and back four hours later: followed within a quarter of an hour each way."""
    mean = wave(8.5, low=15, high=25)
    mean[8 * DAY + 240 : 8 * DAY + 480] *= 3
    run = played(poisson(mean), start=8 * DAY)
    during, after = slice(255, 480), slice(540, 720)
    assert (run.ready[during] > run.demand[during]).mean() > 0.97
    assert np.median(run.ready[after]) < 0.6 * np.median(run.ready[during])


def test_traffic_that_grows_by_the_day_is_kept_up_with() -> None:
    """A tenth more each day: the season at today's level, so the promise is kept on the newest day as well."""
    growth = 1.1 ** (np.arange(10 * DAY) / DAY)
    run = played(poisson(wave(10, low=5, high=25) * growth), start=9 * DAY)
    assert 0.005 < run.spillover < 0.0125


@pytest.mark.parametrize("times", [4.0, 0.1], ids=["surge", "outage"])
@pytest.mark.parametrize("later", [1, 7], ids=["next day", "next week"])
def test_an_outlier_does_not_repeat(later: int, times: float) -> None:
    """An hour at four times or a tenth of its demand: a day and a week later that hour is no more than the others.

    What it spilled makes the promise dearer, and so all hours a little; it does not come back at its own time.
    """
    day = 8 + later
    usual = poisson(timetable(day + 1)[: day * DAY + 864])
    odd = usual.copy()
    odd[8 * DAY + 660 : 8 * DAY + 720] *= times
    start = day * DAY + 600
    with_it, without = (played(demand, start=start) for demand in (odd, usual))
    its_hour, others = (
        with_it.ready[part].mean() / without.ready[part].mean() for part in (slice(60, 120), slice(125, 250))
    )
    assert its_hour == pytest.approx(others, rel=0.1)
    assert its_hour < 1.25


def test_a_holiday_lowers_its_own_day_and_not_the_same_day_of_next_week() -> None:
    """A quarter of the traffic on one day: followed down that day, forgotten seven days later."""
    mean = wave(16)
    mean[8 * DAY : 9 * DAY] *= 0.25
    demand = poisson(mean)
    holiday = played(demand[: 8 * DAY + 720], start=8 * DAY + 120)
    usual = played(demand[: 15 * DAY + 720], start=15 * DAY + 120)
    assert holiday.ready.mean() < 0.5 * usual.ready.mean()
    assert usual.spillover < 0.0125


def test_the_first_hours_of_an_alias_are_served() -> None:
    """An hour of history: the level is followed from what there is."""
    run = played(poisson(np.full(12 * 60, 25.0)), start=60)
    assert run.spillover < 0.02
    assert run.ready.mean() < 60


def test_gaps_lower_nothing_and_are_not_learned_as_idle() -> None:
    """Three hours without data each day, the last one too: the capacity stands through it and the promise after it."""
    demand = poisson(wave(9))
    for day in range(9):
        demand[day * DAY + 600 : day * DAY + 780] = np.nan
    run = played(demand, start=8 * DAY + 480)
    silent = run.requested[130:299]  # from when the gap is noticed to its end
    assert (np.diff(silent) >= 0).all()
    assert run.spillover < 0.0125


def test_bursts_within_the_minute_are_staffed_for_where_the_peak_shows_them() -> None:
    """Executions of peakedness 2: from the minutes' maxima the brain knows, and buys more than for calm ones."""
    mean = np.full(round(8.5 * DAY), 30.0)
    demand, rng = poisson(mean), np.random.default_rng(2)
    looks = rng.normal(0, 1, (len(mean), 600)).max(axis=1)
    peaks = [np.round(mean + looks * np.sqrt(z * mean) + z * (looks**2 - 1) / 6) for z in (1.0, 2.0)]  # Cornish-Fisher
    calm, bursty = (
        played(demand, start=8 * DAY, peak=peak, world=World(peakedness=z))
        for z, peak in zip((1.0, 2.0), peaks, strict=True)
    )
    assert bursty.ready.mean() > 1.1 * calm.ready.mean()
    assert calm.spillover < 0.0125
    assert bursty.spillover < 0.0125
    assert Reason.SEEN not in {decision.reason for decision in bursty.decisions[1:]}  # foreseen, not caught up with


# --- cost-optimal capacity -------------------------------------------------------------------------------------------


def test_a_promise_costs_less_than_any_capacity_that_never_changes() -> None:
    """On a daily wave, at the spillover that Warmcast reached: the static capacity that reaches it stands idle more."""
    run = played(poisson(wave(9)), start=8 * DAY)
    static = next(
        units
        for units in range(1, 200)
        if np.average(spilled_share(np.full(DAY, units), run.demand), weights=run.demand) <= run.spillover
    )
    assert run.requested.mean() < 0.8 * static


def test_a_dearer_cold_start_buys_more() -> None:
    """$0.000001, $0.01 and $0.1 a cold start over the same noon."""
    demand = poisson(wave(8.5) * noise(round(8.5 * DAY), 0.3))
    means = [
        played(demand, start=8 * DAY + 540, objective={"cold_start_cost": usd}).ready.mean()
        for usd in (1e-6, 0.01, 0.1)
    ]
    assert all(cheap < dear for cheap, dear in pairwise(means))


def test_cold_starts_are_a_laxer_promise_than_spillover() -> None:
    """1 in 10,000 of either over the same noon."""
    demand = poisson(wave(8.5))
    by_spillover, by_cold_starts = (
        played(demand, start=8 * DAY + 540, objective=each).ready.mean()
        for each in ({"spillover": "0.01%"}, {"cold_starts": "1 per 10k"})
    )
    assert by_cold_starts < by_spillover


def test_savings_buy_what_pays_and_nothing_where_nothing_does() -> None:
    """Steady demand of 30: most of it in us-east-1; one unit, which the stack owns, in eu-central-1, and why."""
    demand = poisson(np.full(round(8.25 * DAY), 30.0))
    pays = played(demand, start=8 * DAY, objective="savings")
    never = played(demand, start=8 * DAY, objective="savings", world=World(region="eu-central-1"))
    assert 24 < pays.requested.mean() < 36
    assert set(never.requested[10:].tolist()) == {1}
    last = never.decisions[-1]
    assert Reason.UNPROFITABLE in {limit.name for limit in last.limits}
    assert last.finding.startswith("never cheaper here")


# --- calibration online ----------------------------------------------------------------------------------------------


@cache
def noisy() -> Played:
    """Two weeks of noisy traffic to learn from, two days to be judged by."""
    demand = poisson(wave(16) * noise(16 * DAY, 0.25, memory=0.97))
    return played(demand, start=14 * DAY)


def test_a_promise_is_kept_after_two_weeks_of_noise() -> None:
    """1% asked, 0.5-1.25% spilled over the next two days."""
    assert 0.005 < noisy().spillover < 0.0125


@pytest.mark.parametrize("asked", [0.5, 5])
def test_other_promises_are_kept_as_well_where_no_season_is(asked: float) -> None:
    """A level that wanders: half and five percent, each within 0.5-1.25 of it, by what reacts alone."""
    wander = 30 * noise(round(15.5 * DAY), 0.5, seed=9, memory=0.998)
    run = played(poisson(wander), start=14 * DAY, objective={"spillover": f"{asked}%"})
    assert 0.5 < 100 * run.spillover / asked < 1.25


# --- switching -------------------------------------------------------------------------------------------------------


def test_a_capacity_changes_at_most_a_hundred_times_a_day() -> None:
    """Noise that would be worth a change every tick."""
    assert 20 < noisy().changes_per_day <= 100


def test_fewer_changes_are_made_where_the_policy_says_so_and_the_promise_is_still_aimed_at() -> None:
    """Thirty a day, by a wider dead band from the start of the day and not by running out of them."""
    run = played(poisson(wave(9)), start=8 * DAY, changes_per_day=30)
    assert run.changes_per_day <= 31
    assert (np.diff(run.requested[720:]) != 0).sum() >= 5
    assert run.spillover < 0.0125


# --- health ----------------------------------------------------------------------------------------------------------


@cache
def lying_season() -> Played:
    """Eight days that repeat, then two with levels in an order of their own; played from hours before the break."""
    broken = np.repeat(np.random.default_rng(5).uniform(5, 60, 48 * 2), 30)
    return played(poisson(np.concatenate([timetable(8), broken])), start=8 * DAY - 240)


def test_when_the_season_lies_it_loses_its_say_by_itself() -> None:
    """Nearly all of the capacity while it holds, less than half of it two days after it broke."""
    decisions = lying_season().decisions
    assert season_share(decisions[40]) > 0.8
    assert season_share(decisions[-1]) < 0.5 * season_share(decisions[40])


def test_the_report_says_that_the_season_lies() -> None:
    """Its error is worse than the last value's from then on, in the decision's numbers and in words."""
    before, after = lying_season().decisions[40].health, lying_season().decisions[-1].health
    assert before is not None
    assert after is not None
    assert "foreseen by season:" in health_in_words(before)
    errors = [{each.family: each.error for each in health.accuracy} for health in (before, after)]
    assert errors[1]["season"] > 5 * errors[0]["season"]
    assert after.last_value is not None
    assert errors[1]["season"] > after.last_value
    assert "foreseen by season:" not in health_in_words(after)


# --- explanation -----------------------------------------------------------------------------------------------------


def test_a_decision_names_what_drove_it_with_the_numbers() -> None:
    """The families that it rests on, the price, what it spills; in words for a person, as numbers in the log."""
    decision = next(each for each in reversed(noisy().decisions) if each.reason is Reason.FORECAST)
    first = decision.drives[0]
    assert f"({first.family} {first.share:.0%}: {first.capacity:.0f}" in reason_in_words(decision)
    assert sum(drive.share for drive in decision.drives) == pytest.approx(1)
    row = Row(outcome=Outcome(decision, Result.APPLIED), mode=Mode.APPLY)
    (record,) = log_records(TickReport(at=decision.at, fleet_version="v1", rows=(row,)))
    told = record["drives"]
    assert isinstance(told, list)
    assert told[0] == {
        "family": first.family,
        "share": round(first.share, 3),
        "capacity": round(first.capacity, 1),
    }
    assert record["price"] == round(decision.price or 0.0, 2)
    assert record["expected_spillover"] == pytest.approx(0.0095, abs=0.002)
    assert isinstance(record["health"], dict)


def test_a_floor_a_promise_out_of_reach_and_a_surge_are_named_as_such() -> None:
    """Rules by their name; sparse calls by a finding; a push by what was measured."""
    demand = poisson(wave(8.25))
    floor = played(demand, start=8 * DAY, schedule=[{"name": "launch", "cron": "0 2 * * *", "for": "2h", "min": 300}])
    at_three = floor.decisions[36]
    assert reason_in_words(at_three) == f"floor ({at_three.rule})"
    assert "launch" in at_three.rule
    sparse = np.where(np.random.default_rng(6).random(round(8.1 * DAY)) < 1 / 30, 0.02, 0.0)
    assert "out of reach" in played(sparse, start=8 * DAY).decisions[-1].finding
    demand[8 * DAY + 200 :] *= 5
    surge = next(each for each in played(demand, start=8 * DAY).decisions if each.reason is Reason.SEEN)
    assert any("surge: measured demand" in limit.detail for limit in surge.limits)


# --- state -----------------------------------------------------------------------------------------------------------


def test_what_is_kept_between_ticks_can_be_rebuilt_from_history_alone() -> None:
    """Carried on for twelve hours, or learned in one pass by a new environment: the same capacity within 5%."""
    demand = poisson(wave(15) * noise(15 * DAY, 0.2))
    measured = Measured(traced(demand), WORLD)
    rules, rhythm = policy(low=1), Rhythm(default_lead_time=timedelta(minutes=2))
    kept, wanted = Knowledge(), []
    for minute in range(14 * DAY, 14 * DAY + 725, 5):
        now = datetime.fromtimestamp(int(MONDAY.timestamp()) + 60 * minute, UTC)
        history = measured.at(int(now.timestamp()))
        seen = Observation(CHECKOUT, now, history, state(40, at=now))
        if kept.due({CHECKOUT: history}, now=now, most=1):
            kept.learn_for(rules, seen, now=now, rhythm=rhythm)
        kept.keep_up(rules, seen, now=now)
    new = Knowledge()
    new.learn_for(rules, seen, now=now, rhythm=rhythm)
    for knowledge in (kept, new):
        learned = knowledge.keep_up(rules, seen, now=now)
        decision = think(rules, replace(seen, learned=learned), now=now, rhythm=rhythm)
        wanted.append(sum(drive.share * drive.capacity for drive in decision.drives))
    assert wanted[0] == pytest.approx(wanted[1], rel=0.05, abs=1)
