"""Plan: the next hours of one target, from what is known now. Pure; it lets the tick's own decision run ahead.

Each step decides as a tick at that time would if the forecast issued now came true: same rules, same guardrails, on the
capacity that the step before left. What only the future can measure is left out (demand seen, gaps, a sudden fall), and
so is what other targets take of shared limits. A target in mode observe is planned as if it were applied.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from warmcast.brain import foresee, foreseen_mixtures, unit
from warmcast.decide import decide
from warmcast.memory import changes_today
from warmcast.model import (
    Action,
    Actuator,
    Capacity,
    Forecast,
    Memory,
    Mode,
    ScalableTarget,
    Status,
    TargetState,
)
from warmcast.situation import Situation, horizon_of, standing_of

if TYPE_CHECKING:
    from datetime import datetime

    from warmcast.fleet import Policy
    from warmcast.mixture import MixtureState
    from warmcast.model import Decision, Observation, Rhythm, TargetId, Unknown
    from warmcast.staffing import Need, Unit


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan: what is foreseen, what rules allow, what would be wanted and why."""

    at: datetime
    capacity: int
    floor: int
    ceiling: int
    reason: str
    p50: float | None
    p90: float | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The next hours of one target.

    Args:
        standing: what stands now, as far as known.
        note: what could not be read, or why there is no forecast; empty where all is well.
        unread: whether something could not be read.
    """

    target: TargetId
    timezone: str
    standing: int
    steps: tuple[Step, ...]
    basis: str
    note: str
    unread: bool
    usd: float


@dataclass(frozen=True)
class Foretold(Situation):
    """A situation that has not come yet: nothing of it is measured."""

    @property
    def silence(self) -> str:
        """Only a forecast that has no opinion is silent."""
        return "" if isinstance(self.forecast, Forecast) else self.forecast.reason

    @property
    def seen(self) -> Need | None:
        """Nobody has seen it."""
        return None

    @property
    def least_now(self) -> Need | None:
        """The same."""
        return None

    @property
    def before_fall(self) -> Need | None:
        """Whether traffic will fall is not known."""
        return None


def plan(
    policy: Policy, observation: Observation, *, now: datetime, hours: float, rhythm: Rhythm, step: timedelta
) -> Plan:
    """What the target's capacity would be over the next `hours` if the forecast issued now came true."""
    span = timedelta(hours=hours)
    reach = horizon_of(policy, observation.memory, rhythm)
    forecast = foresee(policy, observation, now=now, horizon=span + reach + step)
    ahead = _Ahead(_applied(policy), observation, forecast, unit(observation), rhythm)
    instants = [now + index * step for index in range(int(span / step))]
    mixtures = foreseen_mixtures(policy, observation, forecast, at=instants)
    steps = tuple(ahead.step(at, mixture) for at, mixture in zip(instants, mixtures, strict=True))
    faults = (observation.fault, observation.history_fault)
    notes = [fault.message for fault in faults if fault is not None]
    return Plan(
        target=observation.target,
        timezone=str(policy.timezone),
        standing=standing_of(observation),
        steps=steps,
        basis=forecast.basis if isinstance(forecast, Forecast) else "",
        unread=bool(notes),
        note="; ".join(notes) or ("" if isinstance(forecast, Forecast) else forecast.reason),
        usd=sum(each.capacity for each in steps) * (step / timedelta(hours=1)) * ahead.per_unit.usd_per_unit_hour,
    )


def _applied(policy: Policy) -> Policy:
    return policy.model_copy(update={"mode": Mode.APPLY}) if policy.mode is Mode.OBSERVE else policy


class _Ahead:
    """The target as the steps leave it behind: what stands, and when it was changed."""

    def __init__(
        self, policy: Policy, observation: Observation, forecast: Forecast | Unknown, per_unit: Unit, rhythm: Rhythm
    ) -> None:
        self.per_unit = per_unit
        self._policy, self._forecast, self._rhythm = policy, forecast, rhythm
        # What hinders a write now says nothing of tomorrow; what the version can't have, it can't have then either.
        self._observation = replace(observation, fault=None, history_fault=None)
        state = observation.state
        self._standing = state.scalable.minimum if state and state.scalable else standing_of(observation)
        self._memory = Memory(lead_time_s=observation.memory.lead_time_s)

    def step(self, at: datetime, mixture: MixtureState | None) -> Step:
        """Decide at that time, and carry it out."""
        seen = replace(self._observation, at=at, state=self._state(at), memory=self._memory)
        situation = Foretold(self._policy, seen, self._forecast, self.per_unit, at, self._rhythm, mixture)
        decision = decide(situation)
        self._carry_out(decision, at)
        low, high = decision.foreseen or (None, None)
        reason = decision.rule or decision.reason.value
        return Step(at, self._standing, decision.floor, decision.ceiling, reason, low, high)

    def _carry_out(self, decision: Decision, at: datetime) -> None:
        if decision.changes:
            raised_at = at if decision.action is Action.RAISE else self._memory.raised_at
            self._standing = decision.wanted
            count = changes_today(self._memory, at) + 1
            self._memory = replace(self._memory, changed_at=at, raised_at=raised_at, changes=count)

    def _state(self, at: datetime) -> TargetState:
        units = self._standing
        capacity = Capacity(units, units, units, Status.READY if units else None)
        owned = self._policy.actuator is Actuator.AUTOSCALING
        scalable = ScalableTarget(units, units, ours=True) if owned else None
        known = self._observation.state
        if known is None:
            return TargetState(read_at=at, capacity=capacity, version="", memory_mb=0, scalable=scalable)
        foreign = known.scalable if not owned else scalable
        return replace(known, read_at=at, capacity=capacity, weights={}, scalable=foreign)


def changes(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps at which the capacity differs from the one before; the first step always."""
    return tuple(step for index, step in enumerate(steps) if index == 0 or step.capacity != steps[index - 1].capacity)
