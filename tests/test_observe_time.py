"""The time that a tick allows, shared out: a slow AWS makes a tick know less, and never makes it late."""

from __future__ import annotations

from datetime import timedelta

import pytest

from builders import target
from observing import World, constantly
from warmcast.model import History, TargetState

TICK = timedelta(minutes=5)
FOUR_A_SECOND = 0.25
FLEET = [target(f"fn-{n:03}:live") for n in range(700)]


def warm(count: int) -> World:
    """An observer that knows the first so many targets; from now on AWS is called four times a second."""
    world = World(*FLEET[:count])
    while len(world.tick(TICK).states) < count:
        pass
    world.aws.pace_s = FOUR_A_SECOND
    return world


@pytest.mark.parametrize(("seconds", "targets"), [(40.0, 32), (90.0, 72), (230.0, 184)])
def test_as_many_targets_are_reread_as_the_ticks_time_has_calls_for(seconds: float, targets: int) -> None:
    """0.4 of the seconds at 4 calls a second, two calls a target; the most urgent first, the others are absent."""
    world = warm(300)
    world.observer.allow(seconds)
    began_s = world.watch.at_s
    world.tick(TICK)
    swept = len(world.aws.shared)  # what this tick has read already costs nothing more
    fresh = world.observer.reread(list(world.policies), now=world.now)
    assert targets <= len(fresh) <= targets + swept
    assert list(fresh) == list(world.policies)[: len(fresh)]
    assert world.watch.at_s - began_s <= 0.8 * seconds + 1


def test_without_a_limit_of_time_everything_is_reread() -> None:
    """Nobody said how long it may take: a process that is not killed."""
    world = warm(300)
    world.tick(TICK)
    assert len(world.observer.reread(list(world.policies), now=world.now)) == 300


def test_targets_never_read_do_not_starve_rereads() -> None:
    """400 new targets keep the sweep busy to the end of its time; the rereads have theirs all the same."""
    world = warm(200)
    known = list(world.policies)
    world.policies |= World(*FLEET[200:600]).policies
    world.observer.allow(230.0)
    world.tick(TICK)
    assert len(world.observer.reread(known, now=world.now)) >= 184


@pytest.mark.parametrize("seconds", [40.0, 90.0, 230.0])
def test_a_slow_cold_tick_ends_in_time_with_what_it_has(seconds: float) -> None:
    """Each call takes 5 seconds: no call is begun past the share of `observe`, nor one of `reread` past its own."""
    world = World(*FLEET[:40], call_s=5.0)
    for each in world.policies:
        world.cloudwatch.give(each, constantly(30.0))
    world.observer.allow(seconds)
    observed = world.tick()
    assert world.watch.at_s <= 0.4 * seconds + 5.0
    assert observed.account is not None or observed.account_fault is not None
    assert any(isinstance(known, History) and len(known.fine) for known in observed.histories.values())
    world.observer.reread(list(world.policies), now=world.now)
    assert world.watch.at_s <= 0.8 * seconds + 5.0 * 4


def test_slow_ticks_come_to_know_the_fleet_little_by_little() -> None:
    """What a tick read is kept: at 2 seconds a call and 40 seconds a tick, four targets are known after some ticks."""
    world = World(*FLEET[:4], call_s=2.0)
    known = []
    for n in range(12):
        world.observer.allow(40.0)
        known.append(len(world.tick(TICK if n else timedelta()).states))
    assert known == sorted(known)
    assert known[-1] == 4


def test_writes_keep_a_fifth_of_the_time_however_slow_the_reads_are() -> None:
    """Observing took all of its share and more; rereads end at four fifths, and what was read in time is used."""
    world = warm(300)
    world.observer.allow(100.0)
    world.tick(TICK)
    world.watch.at_s += 60.0  # learning, or a slow call
    began_s = world.watch.at_s
    fresh = world.observer.reread(list(world.policies), now=world.now)
    assert 0 < len(fresh) < 80
    assert all(isinstance(state, TargetState) for state in fresh.values())
    assert world.watch.at_s - began_s <= 21.0


def test_each_tick_is_allowed_its_own_time() -> None:
    """A tick that used its time up leaves the next one its own."""
    world = World(call_s=30.0)
    world.observer.allow(40.0)
    assert not world.tick().states
    world.aws.call_s = world.cloudwatch.call_s = 0.0
    world.observer.allow(40.0)
    assert len(world.tick(TICK).states) == 1
