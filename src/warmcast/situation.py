"""The situation of one target at one instant: everything that the guardrails look at, each worked out once. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from warmcast.calendar import Bounds, bounds
from warmcast.model import Actuator, Forecast, Status, Unknown
from warmcast.staffing import Need, need, need_seen

if TYPE_CHECKING:
    from datetime import datetime

    from warmcast.fleet import Policy
    from warmcast.model import Capacity, FloatArray, History, Memory, Observation, Rhythm
    from warmcast.staffing import Unit

SEEN_MINUTES = 5
"""How many of the newest known minutes count as what is seen now."""

LONGEST_LEAD_TIME = timedelta(minutes=15)
"""A version shift takes 6-8 minutes; what takes longer is a fault, not a lead time."""

EARLY = timedelta(seconds=20)
"""EventBridge Scheduler fires within the minute that it was asked for, so two ticks may be closer than the rate."""


@dataclass(frozen=True)
class Situation:
    """All that the guardrails look at, gathered once."""

    policy: Policy
    observation: Observation
    forecast: Forecast | Unknown
    unit: Unit
    now: datetime
    rhythm: Rhythm

    @property
    def standing(self) -> int:
        """Provisioned concurrency that stands, as far as known; it counts against shared limits."""
        return standing_of(self.observation)

    @cached_property
    def lead_time(self) -> timedelta:
        """From a request to READY."""
        return lead_time_of(self.policy, self.observation.memory, self.rhythm)

    @cached_property
    def covered_until(self) -> datetime:
        """The capacity decided now must last until the next tick's change is READY."""
        return self.now + self.lead_time + self.rhythm.tick

    @cached_property
    def bounds(self) -> Bounds:
        """Floor and ceiling of the rules: the highest floor until then, the ceiling of now."""
        return bounds(self.policy, self.now, self.covered_until, self.observation.override)

    @property
    def state_is_outdated(self) -> bool:
        """Whether we changed the target after its state was read: our memory is newer then."""
        state, changed_at = self.observation.state, self.observation.memory.changed_at
        return state is not None and changed_at is not None and state.read_at <= changed_at

    @cached_property
    def current(self) -> int | None:
        """The capacity that a write would change; None where neither AWS nor our memory tells."""
        memory = self.observation.memory
        state = None if self.state_is_outdated else self.observation.state
        if self.policy.actuator is Actuator.AUTOSCALING:
            if state is None:
                return memory.floor_published
            return state.scalable.minimum if state.scalable else None
        if state is None:
            return memory.requested
        return after_failure(state.capacity)

    @property
    def changed_within_tick(self) -> bool:
        """Whether we changed it less than one tick ago, give or take the seconds by which ticks come early."""
        changed_at = self.observation.memory.changed_at
        return changed_at is not None and self.now - changed_at < self.rhythm.tick - EARLY

    @cached_property
    def silence(self) -> str:
        """Why the objective has no say: missing, stale or partial data; empty where it has."""
        if self.observation.history_fault is not None:
            return self.observation.history_fault.message
        if isinstance(self.forecast, Unknown):
            return self.forecast.reason
        history = self.observation.history
        if not history.complete:
            return "CloudWatch answered in part"
        newest = history.newest
        if newest is None:
            return "no history"
        age = self.now.timestamp() - newest
        if age > self.rhythm.stale_after.total_seconds():
            return f"newest known minute is {age / 60:.0f} minutes old"
        return ""

    def need_until(self, end: datetime) -> Need | None:
        """What the objective wants of the forecast from now to `end`; None where it has no opinion."""
        if isinstance(self.forecast, Unknown):
            return None
        return self._need(self.forecast, end)

    def _need(self, forecast: Forecast, end: datetime) -> Need:
        cut = forecast.between(int(self.now.timestamp()), int(end.timestamp()))
        return need(cut, self.policy.objective, unit=self.unit)

    @cached_property
    def foreseen(self) -> Need | None:
        """The need of the forecast for the time that this decision must cover."""
        return self.need_until(self.covered_until)

    @cached_property
    def seen(self) -> Need | None:
        """The need of the demand measured in the last minutes; None where nothing was measured."""
        if isinstance(self.forecast, Unknown):
            return None
        measured = seen_demand(self.observation.history, now=self.now)
        if measured is None:
            return None
        return need_seen(
            measured.demand,
            measured.rate_per_s,
            self.policy.objective,
            peakedness=self.forecast.peakedness,
            unit=self.unit,
        )

    @cached_property
    def before_fall(self) -> Need | None:
        """The need of the forecast issued before a sudden fall, where there was one lately."""
        if isinstance(self.forecast, Unknown) or self.forecast.fallen_from is None:
            return None
        return self._need(self.forecast.fallen_from, self.covered_until)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was measured in the last minutes."""

    demand: float
    rate_per_s: float


def lead_time_of(policy: Policy, memory: Memory, rhythm: Rhythm) -> timedelta:
    """From a request to READY: the policy's word, else what was measured, else the default."""
    if policy.lead_time is not None:
        return policy.lead_time
    measured = timedelta(seconds=memory.lead_time_s or 0.0)
    return min(max(measured, rhythm.default_lead_time), LONGEST_LEAD_TIME)


def horizon_of(policy: Policy, memory: Memory, rhythm: Rhythm) -> timedelta:
    """How far ahead a decision looks: until the next tick's change is READY, and over the whole hold."""
    return max(policy.hold, lead_time_of(policy, memory, rhythm) + rhythm.tick)


def standing_of(observation: Observation) -> int:
    """Provisioned concurrency that a target holds of shared limits, as far as known: the newer of AWS's word and ours.

    A failed allocation still holds what it requested.
    """
    state, requested = observation.state, observation.memory.requested or 0
    if state is None:
        return requested
    read = state.capacity.requested
    changed_at = observation.memory.changed_at
    return max(read, requested) if changed_at is not None and state.read_at <= changed_at else read


def after_failure(capacity: Capacity) -> int:
    """The requested capacity, or, where the allocation failed, what was allocated (mostly 0)."""
    return capacity.allocated if capacity.status is Status.FAILED else capacity.requested


def seen_demand(history: History, *, now: datetime) -> Seen | None:
    """The demand of the last minutes: the higher of the mean over the newest two and over the newest five known ones.

    Two, so that a push shows soon; five, so that one quiet minute lowers nothing; means, so that one spike within a
    minute (a timer) is half a reason at most.
    """
    fine = history.fine.between(history.fine.start, int(now.timestamp()))
    measured = fine.demand
    known = np.flatnonzero(~np.isnan(measured))[-SEEN_MINUTES:]
    if not known.size:
        return None
    demand = measured[known]
    arrivals = fine.arrivals + np.nan_to_num(fine.throttles)
    both = ~np.isnan(arrivals) & (measured > 0)
    served, counted = float(measured[both].sum()) * fine.step_s, float(arrivals[both].sum())
    per_demand = counted / served if served > 0 else 0.0  # arrivals a second per execution in progress
    rate_per_s = np.where(np.isnan(arrivals[known]), demand * per_demand, arrivals[known] / fine.step_s)
    return Seen(demand=_higher_mean(demand), rate_per_s=_higher_mean(rate_per_s))


def _higher_mean(values: FloatArray) -> float:
    return float(max(values[-2:].mean(), values.mean())) if values.size else 0.0
