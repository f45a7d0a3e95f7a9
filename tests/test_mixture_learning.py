"""Learning in one pass, tick by tick, after missed ticks, from little, from gaps; and what is kept of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixing import DAY, MONDAY, UTC_ZONE, learned, measured, poisson
from warmcast.learning import learn as learn_all
from warmcast.mixture import MixtureState, advance, learn, relearn_season
from warmcast.mixture.ladder import PRICES
from warmcast.mixture.loss import staffed
from warmcast.simulate.replay import Measured
from warmcast.simulate.trace import Trace
from warmcast.simulate.world import World

if TYPE_CHECKING:
    from warmcast.model import FloatArray, History

SPLIT = 8 * DAY + 4 - 60
"""Minutes after which an hour of ticks ends, as the pass over history takes them."""

HUNDRED = int(np.flatnonzero(PRICES == 100)[0])


@cache
def daily() -> FloatArray:
    """Ten days with a daily wave."""
    at = np.arange(10 * DAY)
    return poisson(20 + 15 * np.sin(2 * np.pi * at / DAY))


def known_at(minute: int) -> int:
    """Epoch seconds at which the minutes before this one can be seen, with one of delay."""
    return int(MONDAY.timestamp()) + 60 * (minute + 1)


def kept(state: MixtureState) -> MixtureState:
    """The state as it comes back from where it was kept."""
    back = MixtureState.from_arrays(state.as_arrays())
    assert back is not None
    return back


def advanced(state: MixtureState, minute: int) -> MixtureState:
    """The state when this many minutes of the daily wave are known, kept in between."""
    history = measured(daily()[:minute])
    return advance(kept(state), history, zone=UTC_ZONE, now_s=known_at(minute))


# --- rebuilt from history alone --------------------------------------------------------------------------------------


@pytest.mark.parametrize("lead_min", [2, 3, 7, 15])
def test_a_state_carried_on_is_the_state_learned_later(lead_min: int) -> None:
    """Five hours of ticks an hour at a time, kept in single precision between them: what one pass over all says."""
    carried = learned(daily()[:SPLIT], lead_min=lead_min)
    for hour in range(1, 6):
        carried = advanced(carried, SPLIT + 60 * hour)
    later = learned(daily()[: SPLIT + 300], lead_min=lead_min)
    assert (carried.next_tick, carried.newest_tick) == (later.next_tick, later.newest_tick)
    assert np.allclose(carried.mixture, later.mixture, rtol=1e-4)
    assert (carried.held == later.held).mean() > 0.999
    assert np.allclose(carried.record.spillover, later.record.spillover, rtol=1e-3)
    assert np.allclose(carried.regret.weights(), later.regret.weights(), atol=1e-3)
    assert np.allclose(carried.errors, later.errors, rtol=1e-4)
    assert np.allclose(carried.families, later.families, rtol=1e-2, atol=1e-3)


def test_a_state_carried_on_tick_by_tick_is_near_the_one_learned_later() -> None:
    """Weights made every tick instead of every hour: the capacity differs by a hundredth where a promise may stand."""
    carried = learned(daily()[:SPLIT])
    for tick in range(1, 61):
        carried = advanced(carried, SPLIT + 5 * tick)
    later = learned(daily()[: SPLIT + 300])
    assert carried.newest_tick == later.newest_tick
    assert carried.mixture[-1, 4:] == pytest.approx(later.mixture[-1, 4:], rel=0.015)
    assert np.allclose(carried.record.spillover, later.record.spillover, rtol=0.06)


def test_missed_ticks_are_made_up_for() -> None:
    """Ten hours without a tick, then one: all outcomes are counted, as if the ticks had been there."""
    before = learned(daily()[:SPLIT])
    hourly = before
    for hour in range(1, 11):
        hourly = advanced(hourly, SPLIT + 60 * hour)
    at_once = advanced(before, SPLIT + 600)
    assert at_once.newest_tick == hourly.newest_tick
    assert np.allclose(at_once.mixture, hourly.mixture, rtol=1e-4)
    assert np.allclose(at_once.record.spillover, hourly.record.spillover, rtol=1e-3)
    assert np.allclose(at_once.errors, hourly.errors, rtol=1e-4)


def test_a_tick_that_can_know_nothing_new_changes_nothing() -> None:
    """The same instant again, or one before the next tick: the same object."""
    state = learned(daily()[:SPLIT])
    history = measured(daily()[:SPLIT])
    for late in (0, 60, 120):
        assert advance(state, history, zone=UTC_ZONE, now_s=known_at(SPLIT) + late) is state


def test_a_state_of_days_ago_keeps_its_weights_and_starts_over_where_minutes_are() -> None:
    """Three days of outcomes are lost, what was believed is not; the capacity is that of today's level."""
    old = learned(daily()[: 5 * DAY])
    recent = measured(3 * daily()[8 * DAY - 360 : 8 * DAY], start=MONDAY + timedelta(minutes=8 * DAY - 360))
    state = advance(old, recent, zone=UTC_ZONE, now_s=known_at(8 * DAY))
    assert state.newest_tick == known_at(8 * DAY) // 300 * 5
    assert state.record.ticks[0] > 0.9 * old.record.ticks[0]
    need = float(staffed(np.array([3 * daily()[8 * DAY - 5 : 8 * DAY].mean()]))[0])
    assert state.mixture[-1, HUNDRED] > 0.7 * need


@settings(max_examples=12, deadline=None)
@given(minute=st.integers(2 * DAY, 3 * DAY), other=st.sampled_from([0.0, 1000.0, np.nan]))
def test_what_comes_later_is_not_learned(minute: int, other: float) -> None:
    """Learning at an instant from a history that goes on beyond it, whatever it holds there, is the same."""
    whole = daily()[: 3 * DAY + 60]
    changed = np.where(np.arange(len(whole)) < minute, whole, other)
    states = [
        learn(measured(demand), zone=UTC_ZONE, lead_min=3, duration_s=0.5, now_s=known_at(minute) - 60)
        for demand in (whole, changed)
    ]
    assert_same(*states)


def assert_same(first: MixtureState, second: MixtureState) -> None:
    """Two states hold the same, to the last digit."""
    others = second.as_arrays()
    for name, values in first.as_arrays().items():
        assert np.array_equal(values, others[name], equal_nan=True), name


# --- little, and with holes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [15, 30, 60, 180, 600])
def test_minutes_and_hours_of_history_give_a_capacity_near_the_level(minutes: int) -> None:
    """Steady demand of 20: about the need of it at a price of 100, and no rung wants less than none."""
    mixture = learned(np.full(minutes, 20.0)).mixture[-1]
    need = float(staffed(np.array([20.0]))[0])
    assert (mixture >= 0).all()
    assert need * 0.8 < mixture[HUNDRED] < need * 2


@pytest.mark.parametrize("minutes", [1, 2, 5])
def test_before_the_first_tick_with_ten_minutes_nothing_is_wanted_of_the_mixture(minutes: int) -> None:
    """Its mixture was never made, and it says so, rather than wanting nothing."""
    state = learned(np.full(minutes, 20.0))
    assert state.newest_tick < known_at(minutes) // 300 * 5
    later = advance(kept(state), measured(np.full(40, 20.0)), zone=UTC_ZONE, now_s=known_at(40))
    assert later.newest_tick == known_at(40) // 300 * 5
    assert later.mixture[-1, HUNDRED] > 20


def test_gaps_teach_nothing_and_break_nothing() -> None:
    """A day without data, scattered minutes and half hours: every number is one, nobody is judged by a gap."""
    demand = daily().copy()
    rng = np.random.default_rng(3)
    demand[rng.random(len(demand)) < 0.01] = np.nan
    demand[4 * DAY : 5 * DAY] = np.nan
    demand[-40:] = np.nan
    state = learned(demand)
    for name, values in state.as_arrays().items():
        assert np.isfinite(values).all() or name == "mixture.season", name
    cut = learned(demand[:-35])
    assert state.errors.tolist() == pytest.approx(cut.errors.tolist())
    need = float(staffed(np.array([20.0]))[0])
    assert 0.5 * need < state.mixture[-1, HUNDRED] < 2 * need


def test_idle_traffic_is_learned_as_such() -> None:
    """Nothing at all for a week: no capacity at any price."""
    assert learned(np.zeros(7 * DAY)).mixture[-1].max() == 0.0


# --- lead time, minutes, durations -----------------------------------------------------------------------------------


def test_a_longer_lead_time_costs_more() -> None:
    """Levels that jump every half hour: idle and spilled cost more at 7 minutes than at 3, over the ladder."""
    rng = np.random.default_rng(8)
    jumps = poisson(np.repeat(rng.uniform(5, 60, 48 * 6), 30))
    near, far = (learned(jumps, lead_min=lead) for lead in (3, 7))
    costs = [state.record.allocated[:, 0] + PRICES * state.record.spilled[:, 0] for state in (near, far)]
    assert np.log(costs[1] / costs[0])[2:].mean() > 0.03
    assert (near.lead_min, far.lead_min) == (3, 7)


def test_where_past_minutes_are_not_at_hand_their_five_minute_means_stand_in() -> None:
    """The same capacity within a tenth, from a history as a tick keeps it with and without the weeks' minutes."""
    demand = daily()
    trace = Trace(int(MONDAY.timestamp()), demand, demand / 0.5, np.full(len(demand), np.nan))
    now_s = known_at(len(demand))
    full = Measured(trace, World()).at(now_s)
    means = replace(full, minutes=np.empty(0, dtype=np.float32))
    assert len(full.minutes) == 5 * len(full.coarse)
    by_minutes, by_means = (
        learn(history, zone=UTC_ZONE, lead_min=3, duration_s=0.5, now_s=now_s) for history in (full, means)
    )
    assert by_means.mixture[-1, 6:] == pytest.approx(by_minutes.mixture[-1, 6:], rel=0.1)
    assert by_means.record.spillover[8, 0] < by_minutes.record.spillover[8, 0]  # what means hide


def test_short_executions_hold_a_unit_for_a_tenth_of_a_second() -> None:
    """20 ms each: a unit takes ten a second, so 4 in progress need what 20 would."""
    short, long = (learned(np.full(3 * DAY, 4.0), duration_s=each) for each in (0.02, 0.5))
    assert short.slot == 5.0
    assert long.slot == 1.0
    assert short.mixture[-1, HUNDRED] == pytest.approx(learned(np.full(3 * DAY, 20.0)).mixture[-1, HUNDRED])


# --- what is kept ----------------------------------------------------------------------------------------------------


def test_a_state_goes_into_arrays_and_comes_back() -> None:
    """Every field, what is only added up in single precision; among arrays of others."""
    state = learned(daily()[: 3 * DAY])
    arrays = state.as_arrays()
    assert all(name.startswith("mixture.") for name in arrays)
    back = MixtureState.from_arrays({**arrays, "tables.profile": np.zeros(3)})
    assert back is not None
    assert_same(state, back)
    assert (back.lead_min, back.slot, back.next_tick, back.load) == (state.lead_min, 1.0, state.next_tick, state.load)
    assert sum(values.nbytes for values in arrays.values()) < 100_000


def test_a_state_of_another_version_is_not_read() -> None:
    """Nor is one made of the arrays of others: both are learned again."""
    arrays = learned(daily()[:DAY]).as_arrays()
    numbers = arrays["mixture.numbers"].copy()
    numbers[0] += 1
    assert MixtureState.from_arrays({**arrays, "mixture.numbers": numbers}) is None
    assert MixtureState.from_arrays({"tables.profile": np.zeros(3)}) is None


def test_learning_again_keeps_what_was_believed_and_reads_the_season_anew() -> None:
    """The weights' minutes may be gone by then; the season's weeks are read."""
    before = learned(daily()[: 4 * DAY])
    history = measured(daily()[: 5 * DAY])
    again = relearn_season(before, history, zone=UTC_ZONE, now_s=known_at(5 * DAY))
    assert again.regret is before.regret
    assert again.record is before.record
    assert len(again.season.steps) == 5 * 288


def test_a_lead_time_measured_since_is_taken_over_when_learning_again() -> None:
    """Learned for 3 minutes, learned again for 7; its ticks go on, and those it was learned for stay counted."""
    history = measured(daily()[: 4 * DAY])
    at = datetime.fromtimestamp(known_at(4 * DAY), UTC)
    first = learn_all(history, zone=UTC_ZONE, now=at, lead_time=timedelta(minutes=3))
    later = measured(daily()[: 4 * DAY + 30])
    again = learn_all(
        later, zone=UTC_ZONE, now=at + timedelta(minutes=30), lead_time=timedelta(minutes=6.5), before=first
    )
    state, old = MixtureState.from_arrays(again.arrays), MixtureState.from_arrays(first.arrays)
    assert state is not None
    assert old is not None
    assert (old.lead_min, state.lead_min) == (3, 7)
    assert state.newest_tick == old.newest_tick + 30
    assert state.record.ticks[0] > old.record.ticks[0]


def test_what_another_version_learned_is_learned_anew() -> None:
    """A state that can't be read does no harm: history alone says the same."""
    history: History = measured(daily()[: 2 * DAY])
    at = datetime.fromtimestamp(known_at(2 * DAY), UTC)
    first = learn_all(history, zone=UTC_ZONE, now=at)
    numbers = first.arrays["mixture.numbers"] + np.eye(6)[0]
    outdated = replace(first, arrays={**first.arrays, "mixture.numbers": numbers})
    again = learn_all(history, zone=UTC_ZONE, now=at, before=outdated)
    for name, values in first.arrays.items():
        assert np.array_equal(values, again.arrays[name], equal_nan=True), name


def test_cold_starts_are_modelled_where_the_objective_asks() -> None:
    """Not asked: every spilled execution counts as cold. Asked: fewer on steady traffic, where the pool keeps warm."""
    assert (learned(daily()[: 3 * DAY]).cold == 1).all()
    cold = learned(daily()[: 3 * DAY], cold_starts=True).cold
    assert ((cold > 0) & (cold <= 1)).all()
    assert cold[0] < 0.1
    assert cold[0] < cold[8]
