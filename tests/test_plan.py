"""The plan: what the ticks to come would do if the forecast came true."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from builders import NOON, forecast, observation, policy, settled, situation, state
from scenarios.world import MONDAY, World, history_of, office, who
from warmcast.decide import decide
from warmcast.learning import learn
from warmcast.model import Fault, FaultKind, Memory, Rhythm
from warmcast.plan import Plan, changes, plan
from warmcast.situation import lead_time_of

API = "checkout-api:live"
STEP = timedelta(minutes=5)


def planned(hours: float = 24.0, **keys: Any) -> Plan:  # noqa: ANN401 - keys of a policy
    """The plan of an office day, made on Monday at five in the morning."""
    now = MONDAY + timedelta(hours=5)
    history = history_of(office(), now)
    rules = policy(API, **keys)
    seen = replace(
        observation(now=now, who=who(API), seen=history, known=state(8, at=now)),
        learned=learn(history, zone=rules.timezone, now=now, lead_time=lead_time_of(rules, Memory(), Rhythm())),
    )
    return plan(rules, seen, now=now, hours=hours, rhythm=Rhythm(), step=STEP)


def capacity_at(made: Plan, clock: str) -> int:
    """Planned capacity at a time of the day."""
    return next(step.capacity for step in made.steps if f"{step.at:%H:%M}" == clock)


def test_a_plan_foresees_the_day() -> None:
    """Up with the morning, down with the evening, each five minutes, with what it costs."""
    made = planned()
    assert len(made.steps) == 24 * 12
    assert capacity_at(made, "06:00") <= 12
    assert capacity_at(made, "12:00") >= 45
    assert capacity_at(made, "21:00") <= 20
    units = np.array([step.capacity for step in made.steps])
    assert made.usd == pytest.approx(units.sum() / 12 * 0.01500012)  # a unit of 1 GB an hour in us-east-1
    assert all(step.floor <= step.capacity <= step.ceiling for step in made.steps)


def test_a_plan_is_what_the_ticks_then_do() -> None:
    """The traffic comes as foreseen: at each hour the ticks stand within a few units of the plan."""
    made = planned(12.0)
    lived = World({API: office()}, starts_with=8).run(MONDAY + timedelta(hours=5), MONDAY + timedelta(hours=17))
    for step in made.steps[12::12]:
        decision = lived.outcome(API, step.at).decision
        assert abs(decision.wanted - step.capacity) <= max(5, 0.2 * step.capacity)


def test_a_window_is_planned_when_a_tick_would_raise_for_it() -> None:
    """A floor from 13:00 is asked for at 12:55, the last tick from which it is READY in time."""
    window = {"name": "lunch", "from": "13:00", "to": "14:00", "min": 90}
    made = planned(12.0, schedule=[window])
    first = next(step for step in made.steps if step.capacity >= 90)
    assert (f"{first.at:%H:%M}", first.reason) == ("12:55", "schedule: lunch")
    at_tick = situation(
        rules=policy(API, schedule=[window]),
        seen=observation(now=first.at, known=state(50, at=first.at)),
        foreseen=forecast(40.0, at=first.at),
        now=first.at,
    )
    assert decide(at_tick).wanted == 90
    assert capacity_at(made, "12:50") < 90


def test_a_long_lead_time_is_planned_for() -> None:
    """Forty minutes to READY: the ramp of eight o'clock is asked for forty minutes sooner."""
    slow, fast = planned(6.0, lead_time="40m"), planned(6.0)
    first = [next(step.at for step in made.steps if step.capacity >= 20) for made in (slow, fast)]
    assert timedelta(minutes=30) <= first[1] - first[0] <= timedelta(minutes=45)


def test_a_plan_without_history_has_its_rules_and_says_why() -> None:
    """Nothing to foresee: the floors stand, and the note tells."""
    seen = observation(seen=(float("nan"),) * 5, known=state(3), memory=Memory())
    made = plan(policy(API, low=3), seen, now=NOON, hours=1, rhythm=Rhythm(), step=STEP)
    assert {step.capacity for step in made.steps} == {3}
    assert made.note == "no history"
    denied = replace(seen, history_fault=Fault(FaultKind.DENIED, "GetMetricData: AccessDenied"))
    assert "AccessDenied" in plan(policy(API), denied, now=NOON, hours=1, rhythm=Rhythm(), step=STEP).note


def test_observe_is_planned_as_if_applied() -> None:
    """That is what the plan of a new target is looked at for."""
    seen = observation(seen=settled(40.0), known=state(2))
    seen = replace(seen, learned=learn(settled(40.0), zone=policy().timezone, now=NOON))
    made = plan(policy(API, mode="observe"), seen, now=NOON, hours=1, rhythm=Rhythm(), step=STEP)
    assert made.steps[0].capacity >= 50


def test_changes_are_the_steps_that_differ() -> None:
    """The first step, and each one that is not as the one before."""
    made = planned(12.0)
    moves = changes(made.steps)
    assert moves[0] == made.steps[0]
    assert all(one.capacity != other.capacity for one, other in pairwise(moves))
