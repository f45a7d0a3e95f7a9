"""What the user would have otherwise, by hand and against plain searches."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from warmcast.erlang import erlang_b_at, spilled_share
from warmcast.simulate.baselines import (
    clairvoyant,
    clairvoyant_reaching,
    cron_table,
    ec2_predictive,
    none,
    static_peak,
)
from warmcast.simulate.score import allocation_usd, spillover
from warmcast.simulate.trace import Trace
from warmcast.simulate.tracking import target_tracking
from warmcast.simulate.world import World, capacity_for, ready, starting_capacity

WORLD = World()
LONDON = ZoneInfo("Europe/London")
UTC = ZoneInfo("UTC")
GAP = float("nan")
MONDAY = 1_772_409_600  # 2026-03-02T00:00Z; clocks in London change on 2026-03-29
DAY = 1440
WEEK = 7 * DAY


def trace(demand: list[float], *, start: int = MONDAY) -> Trace:
    """Minutes of demand from half-second executions."""
    known = np.array(demand, dtype=np.float64)
    return Trace(start=start, demand=known, arrivals_per_s=2 * known, peak=np.full(len(known), np.nan))


def need(demand: float) -> int:
    """One demand's need at 1% of spillover."""
    return int(capacity_for(np.array([demand]), 0.01)[0])


def wavy(minutes: int, *, seed: int = 3, deviation: float = 0.2) -> list[float]:
    """A daily cycle between 8 and 88, with noise."""
    phase = np.arange(minutes) * 2 * np.pi / DAY
    noise = np.random.default_rng(seed).lognormal(0, deviation, minutes)
    return [float(each) for each in 40 * (1.2 - np.cos(phase)) * noise]


# --- without a table, with one level ---------------------------------------------------------------------------------


def test_none_has_no_capacity() -> None:
    """In every minute."""
    assert none(trace([1.0, 2.0])).tolist() == [0, 0]


def test_static_peak_holds_what_the_trainings_highest_minute_needs() -> None:
    """A training up to 30 needs 42 units at 1% for ever, more for a tenth of that; the scored part doesn't matter."""
    training, scored = trace([3.0, GAP, 30.0, 5.0]), trace([500.0, 1.0, GAP])
    assert need(30.0) == 42
    assert static_peak(training, scored, WORLD).tolist() == [42] * 3
    assert static_peak(training, scored, WORLD, spillover=0.001)[0] > 42


def test_static_peak_without_training_holds_what_it_starts_with() -> None:
    """No training, or one of gaps."""
    for training in (trace([]), trace([GAP, GAP])):
        assert static_peak(training, trace([5.0, 9.0]), WORLD).tolist() == [11, 11]


# --- the weekly table ------------------------------------------------------------------------------------------------


def test_each_hour_of_the_week_gets_the_quantile_of_its_own_need() -> None:
    """An hour whose minutes are 5 but for six of 30: its median needs 11, its 90% too, all of it 42."""
    hour = [5.0] * 54 + [30.0] * 6
    training, scored = trace(hour * 24 * 7), trace([1.0] * 120, start=MONDAY + 60 * WEEK)
    for level, units in ((0.5, 11), (0.9, 11), (0.95, 42), (1.0, 42)):
        assert cron_table(training, scored, WORLD, level=level, zone=UTC).tolist() == [units] * 120


def test_the_table_tells_the_hours_of_the_week_apart() -> None:
    """Tuesday at nine is not Monday at nine; gaps in training count for nothing."""
    demand = [5.0] * WEEK
    demand[DAY + 9 * 60 : DAY + 10 * 60] = [GAP] * 30 + [30.0] * 30
    table = cron_table(trace(demand), trace([1.0] * WEEK, start=MONDAY + 60 * WEEK), WORLD, level=0.5, zone=UTC)
    assert np.flatnonzero(table == 42).tolist() == list(range(DAY + 9 * 60, DAY + 10 * 60))
    assert set(table.tolist()) == {11, 42}


def test_the_table_keeps_local_time() -> None:
    """Nine o'clock in London stays nine o'clock when the clocks go forward, an hour earlier in UTC."""
    day = [5.0] * (9 * 60) + [30.0] * 60 + [5.0] * (14 * 60)
    table = cron_table(trace(day * 7), trace([1.0] * DAY, start=MONDAY + 4 * 60 * WEEK), WORLD, level=0.5, zone=LONDON)
    assert np.flatnonzero(table == 42).tolist() == list(range(8 * 60, 9 * 60))


def test_an_hour_that_training_lacks_is_filled_from_the_same_hour_of_other_days() -> None:
    """Two days of training, five without; hours that no day knows get the quantile of all minutes."""
    day = [5.0] * (9 * 60) + [30.0] * 60 + [5.0] * (14 * 60)
    friday = trace([1.0] * DAY, start=MONDAY + 4 * 60 * DAY)
    table = cron_table(trace(day * 2), friday, WORLD, level=0.5, zone=UTC)
    assert np.flatnonzero(table == 42).tolist() == list(range(9 * 60, 10 * 60))
    morning = trace([30.0] * (6 * 60))
    assert set(cron_table(morning, friday, WORLD, level=0.5, zone=UTC).tolist()) == {42}
    assert set(cron_table(trace([]), friday, WORLD, level=0.5, zone=UTC).tolist()) == {need(1.0)}


# --- predictive scaling ----------------------------------------------------------------------------------------------


def predicted(training: list[float], scored: list[float], *, target: float = 0.5) -> list[int]:
    """Capacity of each scored minute, on from the training."""
    before = trace(training)
    after = trace(scored, start=before.end)
    return [int(units) for units in ec2_predictive(before, after, WORLD, target=target)]


def test_the_same_hour_of_the_last_two_weeks_is_met_five_minutes_early() -> None:
    """Nine to ten on Monday reached 40 a week ago and 20 two weeks ago: 80 units at 50% from 8:55, not from 8:54 on."""
    weeks = [4.0] * (2 * WEEK)
    weeks[9 * 60 + 7] = 20.0
    weeks[WEEK + 9 * 60 + 50] = 40.0
    found = predicted(weeks, [4.0] * DAY)
    assert max(found[: 8 * 60 + 55]) < 20
    assert found[8 * 60 + 55 : 10 * 60] == [80] * 65
    assert found[10 * 60] == 8  # it scales out only: target tracking lets go, its row of quiet minutes long complete


def test_what_is_older_than_two_weeks_is_forgotten() -> None:
    """A crowd three weeks ago is expected no more."""
    weeks = [4.0] * (3 * WEEK)
    weeks[9 * 60] = 40.0
    assert max(predicted(weeks, [4.0] * DAY)) < 20


def test_without_a_week_the_same_hour_of_past_days_is_expected() -> None:
    """Two days of training: yesterday's crowd at nine is met again; scored days are learned from as they pass."""
    days = [4.0] * (2 * DAY)
    days[DAY + 9 * 60 + 30] = 40.0
    found = predicted(days, [4.0] * (2 * DAY))
    assert found[8 * 60 + 55] == found[DAY + 8 * 60 + 55] == 80


def test_without_a_past_it_is_target_tracking() -> None:
    """Nothing is expected where nothing is known, on the first day; the second knows the first."""
    demand = wavy(2 * DAY)
    scored = trace(demand)
    tracked = target_tracking(scored, WORLD, target=0.5, start=starting_capacity(scored, WORLD))
    found = predicted([], demand)
    assert found[: DAY - 5] == tracked[: DAY - 5].tolist()
    assert (np.array(found) >= tracked)[DAY:].mean() > 0.9


# --- perfect foresight -----------------------------------------------------------------------------------------------


def naive_block(demand: list[float], share: float) -> int:
    """The first capacity that spills little enough, tried one after the other."""
    minutes, units = np.array(demand), 0
    while float((minutes * erlang_b_at(units, minutes)).sum()) > share * minutes.sum():
        units += 1
    return units


@pytest.mark.parametrize("share", [0.001, 0.01, 0.3])
def test_the_clairvoyant_has_each_blocks_least_capacity_ready_in_time(share: float) -> None:
    """Block by block, on the clock's multiples of five minutes wherever the trace begins; rises are asked for early."""
    demand = [float(each) for each in np.random.default_rng(1).uniform(0, 30, 63)]
    scored = trace(demand, start=MONDAY + 2 * 60)
    requested = clairvoyant(scored, WORLD, spillover=share)
    blocks = [demand[:3], *(demand[at : at + 5] for at in range(3, 63, 5))]
    wanted = [units for block in blocks for units in [naive_block(block, share)] * len(block)]
    assert ready(requested, 2).tolist() == wanted
    ahead = [*wanted, wanted[-1], wanted[-1]]
    assert requested.tolist() == [max(ahead[at : at + 3]) for at in range(63)]


def test_the_clairvoyant_needs_nothing_where_nothing_comes() -> None:
    """Gaps and idle blocks."""
    scored = trace([0.0] * 5 + [GAP] * 5 + [5.0] * 5 + [0.0] * 5)
    assert ready(clairvoyant(scored, WORLD, spillover=0.01), 2).tolist() == [0] * 10 + [11] * 5 + [0] * 5


@pytest.mark.parametrize("asked", [0.001, 0.01, 0.05, 0.6])
def test_the_clairvoyant_reaches_the_spillover_that_is_compared(asked: float) -> None:
    """The whole trace spills as much as asked, or a little less: units are whole."""
    scored = trace(wavy(DAY))
    found = spillover(clairvoyant_reaching(scored, WORLD, spillover=asked), scored, WORLD)
    assert 0.97 * asked < found <= asked


def test_more_spillover_never_costs_the_clairvoyant_more() -> None:
    """And on traffic that is not mere noise, it has any other policy's spillover for less than that one spends."""
    training = trace(wavy(2 * DAY, deviation=0.02))
    scored = trace(wavy(DAY, seed=4, deviation=0.02), start=training.end)
    costs = [allocation_usd(clairvoyant_reaching(scored, WORLD, spillover=each), WORLD) for each in (0.001, 0.01, 0.1)]
    assert costs == sorted(costs, reverse=True)
    others = [
        cron_table(training, scored, WORLD, level=0.8, zone=UTC),
        target_tracking(scored, WORLD, target=0.7, start=starting_capacity(scored, WORLD)),
        static_peak(training, scored, WORLD),
    ]
    for other in others:
        best = clairvoyant_reaching(scored, WORLD, spillover=spillover(other, scored, WORLD))
        assert allocation_usd(best, WORLD) < allocation_usd(other, WORLD)


def test_a_spillover_out_of_reach_is_come_as_near_as_can_be() -> None:
    """No capacity spills nothing at all, so it is a billionth; all of it needs no unit."""
    scored = trace(wavy(60))
    nearly_none = clairvoyant_reaching(scored, WORLD, spillover=0.0)
    assert nearly_none.tolist() == clairvoyant(scored, WORLD, spillover=1e-9).tolist()
    assert clairvoyant_reaching(scored, WORLD, spillover=1.0).max() == 0
    assert clairvoyant_reaching(trace([]), WORLD, spillover=0.01).tolist() == []


def test_peakedness_raises_every_need() -> None:
    """Each baseline staffs burstier traffic for its bursts."""
    training, scored = trace([30.0] * 60), trace([30.0] * 60, start=MONDAY + 3600)
    bursty = World(peakedness=2.5)
    assert static_peak(training, scored, bursty)[0] > static_peak(training, scored, WORLD)[0]
    steady = cron_table(training, scored, WORLD, level=0.9, zone=UTC)
    assert (cron_table(training, scored, bursty, level=0.9, zone=UTC) > steady).all()
    capacity = clairvoyant(scored, bursty, spillover=0.01)
    assert (spilled_share(capacity, scored.demand, 2.5) <= 0.01).all()
    assert (spilled_share(capacity - 1, scored.demand, 2.5) > 0.01).all()
