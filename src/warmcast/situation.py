"""The situation of one target at one instant: everything that the guardrails look at, each worked out once. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, assert_never

import numpy as np

from warmcast.calendar import Bounds, bounds
from warmcast.fleet import ColdStartCost, ColdStarts, Savings, Spillover
from warmcast.memory import changes_today
from warmcast.mixture import Wanted, wanted
from warmcast.mixture.loss import carried
from warmcast.model import Actuator, Forecast, Status, Unknown
from warmcast.staffing import Need, mean_duration_s, need, need_seen

if TYPE_CHECKING:
    from datetime import datetime

    from warmcast.fleet import Objective, Policy
    from warmcast.mixture import MixtureState
    from warmcast.model import Capacity, FloatArray, History, Memory, Observation, Rhythm
    from warmcast.staffing import Unit

SEEN_MINUTES = 5
"""How many of the newest known minutes count as what is seen now."""

LONGEST_LEAD_TIME = timedelta(minutes=15)
"""A version shift takes 6-8 minutes; what takes longer is a fault, not a lead time."""

TICK_MIN, TICK_S = 5, 300
"""The grid that the mixture's ticks lie on."""

NEWEST_MINUTES = 5
"""How many of the newest known minutes a decrease must still serve."""

YOUNG_TICKS = 288 * 0.97
"""A day, as faded as it is then."""

SURGE_MINUTES = 2
SURGE_SHARE = 0.05
SURGE_TIMES = 5
"""A surge spills more than a twentieth, and more than five times what was promised, in two minutes on end."""

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
    mixture: MixtureState | None = None
    followed: History | None = None

    @property
    def history(self) -> History:
        """The history that capacity rises with: the one measured, but for durations that the policy does not follow."""
        return self.observation.history if self.followed is None else self.followed

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
    def wanted(self) -> Wanted | None:
        """What the objective wants by all that was learned; None while nothing is learned, or not up to now."""
        if self.mixture is None or self.mixture.newest_tick < self.now.timestamp() // TICK_S * TICK_MIN:
            return None
        forecast = self.forecast if isinstance(self.forecast, Forecast) else None
        return wanted(
            self.mixture,
            self.policy.objective,
            unit=self.unit,
            duration_s=mean_duration_s(forecast) if forecast else None,
            peakedness=forecast.peakedness if forecast else 1.0,
            changes_per_day=self.changes_left_per_day,
        )

    @property
    def is_young(self) -> bool:
        """Whether less than a day of ticks has gone into what the objective wants."""
        return self.mixture is not None and float(self.mixture.record.ticks[0]) < YOUNG_TICKS

    @property
    def changes_left_per_day(self) -> float:
        """The rate at which the changes that are left of today's may be made: half of them by noon, and so on."""
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        left = max(1 - (self.now - midnight) / timedelta(days=1), 1 / 24)
        used = changes_today(self.observation.memory, self.now)
        return max(self.policy.changes_per_day - used, 0) / left

    @cached_property
    def least_now(self) -> Need | None:
        """The need of the newest minutes alone: nothing is lowered below it; None where nothing was measured."""
        newest = newest_minutes(self.observation.history, now=self.now, count=NEWEST_MINUTES)
        measured = seen_demand(self.observation.history, now=self.now)
        if isinstance(self.forecast, Unknown) or measured is None or not len(newest):
            return None
        demand = float(newest.mean())
        share = demand / measured.demand if measured.demand > 0 else 0.0
        return self._need_now(demand, measured.rate_per_s * share)

    @cached_property
    def promise(self) -> float | None:
        """The share that may spill, where the objective promises one."""
        match self.policy.objective:
            case Spillover(share=share):
                return share
            case ColdStarts(per_10k=per_10k):
                return max(self.wanted.spillover, per_10k / 10_000) if self.wanted else per_10k / 10_000
            case ColdStartCost() | Savings():
                return None
            case _:
                assert_never(self.policy.objective)

    def surges_past(self, capacity: int) -> bool:
        """Whether each of the newest two minutes by itself would spill far more of a promise than is ever meant to."""
        if self.promise is None:
            return False
        newest = newest_minutes(self.history, now=self.now, count=SURGE_MINUTES)
        if len(newest) < SURGE_MINUTES or not newest.min() > 0:
            return False
        spilled = carried(np.array([float(capacity)]), newest.min(keepdims=True)).spilled
        return float(spilled[0] / newest.min()) > max(SURGE_SHARE, SURGE_TIMES * self.promise)

    @cached_property
    def seen(self) -> Need | None:
        """The need of the demand measured in the last minutes; None where nothing was measured."""
        measured = seen_demand(self.history, now=self.now)
        return None if measured is None else self._need_now(measured.demand, measured.rate_per_s)

    def _need_now(self, demand: float, rate_per_s: float) -> Need | None:
        if isinstance(self.forecast, Unknown):
            return None
        return need_seen(demand, rate_per_s, self._objective_now, peakedness=self.forecast.peakedness, unit=self.unit)

    @property
    def _objective_now(self) -> Objective:
        """The objective of a minute by itself: for a promise of cold starts, the share of spillover that keeps it."""
        promised = isinstance(self.policy.objective, ColdStarts) and self.wanted is not None
        return Spillover(self.promise) if promised and self.promise is not None else self.policy.objective

    @cached_property
    def before_fall(self) -> Need | None:
        """The need of the forecast issued before a sudden fall, where there was one lately."""
        if isinstance(self.forecast, Unknown) or self.forecast.fallen_from is None:
            return None
        return self._need(self.forecast.fallen_from, self.covered_until)

    @property
    def fell_deep(self) -> bool:
        """Whether that fall went lower than traffic ever goes by itself."""
        return isinstance(self.forecast, Forecast) and self.forecast.fell_deep


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


def newest_minutes(history: History, *, now: datetime, count: int) -> FloatArray:
    """Demand of the newest known minutes by `now`, at most `count` of them."""
    measured = history.fine.between(history.fine.start, int(now.timestamp())).demand
    newest: FloatArray = measured[~np.isnan(measured)][-count:]
    return newest


def _higher_mean(values: FloatArray) -> float:
    return float(max(values[-2:].mean(), values.mean())) if values.size else 0.0
