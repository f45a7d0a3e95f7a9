"""What befalls a replayed target beside its demand: weights lock it, a reserve clamps it, throttles are demand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from builders import policy
from traces import MONDAY
from warmcast.model import Reason
from warmcast.simulate.conditions import Conditions
from warmcast.simulate.replay import Measured, replay
from warmcast.simulate.trace import Trace
from warmcast.simulate.world import World

WORLD = World()
START = int((MONDAY + timedelta(days=1)).timestamp())
PUSH = 1440 + 60
"""The minute, an hour after the start, from which there is three times the demand."""


def pushed() -> Trace:
    """A day of 10 executions in progress, then three hours, from the second of which on there are 30."""
    demand = np.where(np.arange(1440 + 180) < PUSH, 10.0, 30.0)
    return Trace(int(MONDAY.timestamp()), demand, demand / 0.5, np.full(len(demand), np.nan))


def test_the_usual_conditions_are_as_if_none_were_given() -> None:
    """No decision differs."""
    plain = replay(policy(low=1), pushed(), start=START, world=WORLD)
    usual = replay(policy(low=1), pushed(), start=START, world=WORLD, conditions=Conditions.usual(pushed()))
    assert plain.decisions == usual.decisions


def test_nothing_is_written_while_there_are_weights() -> None:
    """The push comes under weights: the rise waits for them to go, and is then made at once."""
    trace = pushed()
    minute = np.arange(len(trace))
    conditions = replace(Conditions.usual(trace), weighted=(minute >= PUSH) & (minute < PUSH + 30))
    run = replay(policy(low=1), trace, start=START, world=WORLD, conditions=conditions)
    locked = run.requested[60:90]
    assert set(locked) == {run.requested[59]}
    assert run.requested[90] > 1.5 * run.requested[59]
    stopped = [d for d in run.decisions if Reason.WEIGHTS in {limit.name for limit in d.limits}]
    assert len(stopped) == 6


def test_a_reserve_is_never_exceeded() -> None:
    """20 are reserved, 30 and more are needed."""
    conditions = replace(Conditions.usual(pushed()), reserved=20)
    run = replay(policy(low=1), pushed(), start=START, world=WORLD, conditions=conditions)
    assert run.requested.max() == 20
    assert run.reasons[-1] == Reason.FUNCTION_LIMIT.value


def test_throttled_attempts_are_demand() -> None:
    """As many refused as let through: twice the demand is measured."""
    trace = pushed()
    throttles = trace.arrivals_per_s * 60
    seen = Measured(trace, WORLD, throttles).at(trace.end).fine
    assert seen.demand[-1] == pytest.approx(60.0)
    assert seen.throttles[-1] == pytest.approx(3600.0)


def test_conditions_are_as_long_as_the_trace() -> None:
    """One minute too few is refused, as are arrays of different lengths."""
    usual = Conditions.usual(pushed())
    with pytest.raises(ValueError, match="1619 minutes of conditions for 1620"):
        replay(policy(low=1), pushed(), start=START, world=WORLD, conditions=usual.first(1619))
    with pytest.raises(ValueError, match="equally long"):
        replace(usual, throttles=np.zeros(3))
