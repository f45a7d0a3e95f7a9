"""An alias that nobody ever called: from when it was first seen to exist, its silence is history."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from builders import CHECKOUT, NOON, capacity, policy
from observing import NOW_S, OWN, World, constantly, refusal
from warmcast.aws.metrics import Completeness
from warmcast.brain import think
from warmcast.knowledge import Knowledge
from warmcast.model import Action, History, Memory, Observation, Rhythm, TargetState
from warmcast.observe.history import Measure
from warmcast.observe.polling import query_of

if TYPE_CHECKING:
    from warmcast.model import Decision

TICK = timedelta(minutes=5)


def after(world: World, hours: float) -> History:
    """The history after so many hours of ticks."""
    world.tick()
    for _ in range(round(hours * 12) - 1):
        world.tick(TICK)
    return world.history(TICK)


def test_an_idle_alias_has_its_first_hour_of_zeros_after_an_hour() -> None:
    """First seen at noon; at 13:00 each minute from 11:58 on that can be known is a zero, and nothing before."""
    known = after(World(), 1.0)
    assert (known.fine.start, len(known.coarse), known.complete) == (NOW_S - 120, 0, True)
    certain = known.fine.work_s[~np.isnan(known.fine.work_s)]
    assert len(certain) >= 45
    assert not certain.any()
    assert known.newest is not None
    assert NOW_S + 3600 - known.newest <= 15 * 60


def test_half_an_hour_of_silence_is_no_history_yet() -> None:
    """The alias may have been made, and warmed, a moment before the first look."""
    known = after(World(), 0.5)
    assert (len(known.fine), known.complete) == (0, True)


def test_an_alias_called_within_its_first_hour_has_the_history_that_it_has() -> None:
    """Seen at noon and called from 12:20 on: that is where history begins, until the silence before is an hour old."""
    world = World()
    world.cloudwatch.give(CHECKOUT, lambda minute: 30.0 if minute >= NOW_S + 1200 else None)
    assert after(world, 0.75).fine.start == NOW_S + 1200
    for _ in range(4):
        known = world.history(TICK)
    assert known.fine.start == NOW_S - 120
    np.testing.assert_array_equal(known.fine.work_s[:22], np.zeros(22))


def test_an_idle_aliass_history_grows_on_into_steps() -> None:
    """After ten hours: steps and minutes without a hole between, zeros all, none from before it was seen."""
    known = after(World(), 10.0)
    assert known.coarse.end == known.fine.start
    assert NOW_S - 420 <= known.coarse.start <= NOW_S - 120
    assert len(known.coarse) + len(known.fine) / 5 >= 9.9 * 12
    assert not known.coarse.work_s.any()


def test_an_alias_that_does_not_exist_has_no_history() -> None:
    """Its silence says nothing: it may be created at any time. From when it is there, its silence counts."""
    world = World()
    world.aws.errors["GetAlias", str(CHECKOUT)] = refusal("ResourceNotFoundException", "GetAlias")
    assert after(world, 1.0).newest is None
    world.aws.errors.clear()
    for _ in range(16):  # a missing alias is looked for every quarter of an hour
        known = world.history(TICK)
    assert known.fine.start >= NOW_S + 3600 - 120
    assert known.newest is not None


@pytest.mark.parametrize("status", [Completeness.PARTIAL, Completeness.INTERNAL_ERROR])
def test_partial_answers_begin_no_history(status: Completeness) -> None:
    """What they lack may be there."""
    world = World()
    world.cloudwatch.statuses[query_of(CHECKOUT, Measure.WORK)] = status
    assert len(after(world, 0.5).fine) == 0


def test_without_a_heartbeat_the_silence_is_a_gap() -> None:
    """The alias exists, and nothing of this Region reports: nothing is known."""
    world = World()
    del world.cloudwatch.series[OWN]
    assert after(world, 1.0).newest is None


def test_weeks_read_later_still_bring_the_older_history_to_light() -> None:
    """Zeros since noon, then the weeks come in and show that it worked all along."""
    world = World()
    world.cloudwatch.weeks_error = refusal("ThrottlingException")
    world.tick()
    world.tick(TICK)
    world.cloudwatch.weeks_error = None
    world.cloudwatch.give(CHECKOUT, constantly(30.0))
    known = world.history(TICK)
    assert known.coarse.start == NOW_S + 600 - 14 * 86_400
    assert not np.isnan(known.fine.work_s[: 60 * 2]).any()


def decided(world: World, knowledge: Knowledge) -> Decision:
    """What the brain makes of what the observer sees: 60 units stand since a window's floor."""
    observed = world.tick(TICK)
    history, state = observed.histories[CHECKOUT], observed.states[CHECKOUT]
    assert isinstance(state, TargetState)
    assert isinstance(history, History)
    for each in knowledge.due({CHECKOUT: history}, now=world.now, most=1):
        knowledge.learn(each, history, zone=policy(str(CHECKOUT)).timezone, now=world.now)
    learned = knowledge.learned.get(CHECKOUT)
    memory = Memory(requested=60, changed_at=NOON - timedelta(hours=5))
    known = Observation(target=CHECKOUT, at=world.now, history=history, state=state, memory=memory, learned=learned)
    return think(policy(str(CHECKOUT)), known, now=world.now, rhythm=Rhythm(), fleet_version="1")


def test_a_floor_is_let_go_once_its_window_has_closed_over_an_alias_that_was_never_called() -> None:
    """60 units from a window that closed; within two hours of ticks zeros are history enough to lower them."""
    world = World()
    world.aws.capacities["checkout-api"] = {"live": capacity(60)}
    knowledge = Knowledge()
    actions = [decided(world, knowledge).action for _ in range(24)]
    assert actions[:12] == [Action.HOLD] * 12
    assert actions[13:] == [Action.LOWER] * 11
