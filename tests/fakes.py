"""Fakes of Warmcast's own ports: an observer, an actor and a control table over a small world held in memory.

The world answers as AWS does where a decision can tell the difference: a rise is IN_PROGRESS until the lead time has
passed, a Put meanwhile conflicts, routing weights forbid a Put, limits refuse one. Every call is kept, so that a test
can say what was written and what was not.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from builders import ROOMY, settled, state
from warmcast.model import (
    NO_CAPACITY,
    Action,
    Actuator,
    Capacity,
    Fault,
    FaultKind,
    Memory,
    Outcome,
    Result,
    ScalableTarget,
    Status,
)
from warmcast.tick import Observed, Recollection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warmcast.fleet import Policy
    from warmcast.model import AccountLimits, Decision, History, Override, TargetId, TargetState


@dataclass
class FakeAws:
    """A world of targets: what stands, what was measured, what is broken. Implements `Observer` and `Actor`.

    Args:
        states: what the control planes say.
        histories: what CloudWatch says; a target without one has two weeks at demand 10.
        refuse: outcome by target, instead of a write.
        unread: targets for which no control-plane calls are left.
    """

    states: dict[TargetId, TargetState | Fault] = field(default_factory=dict)
    histories: dict[TargetId, History | Fault] = field(default_factory=dict)
    account: AccountLimits | None = ROOMY
    refuse: dict[TargetId, Outcome] = field(default_factory=dict)
    unread: set[TargetId] = field(default_factory=set)
    lead_time: timedelta = timedelta(minutes=2)
    ready_at: dict[TargetId, datetime] = field(default_factory=dict)
    writes: list[tuple[datetime, TargetId, int]] = field(default_factory=list)
    deleted: list[TargetId] = field(default_factory=list)
    reread_targets: list[TargetId] = field(default_factory=list)

    def observe(
        self, policies: Mapping[TargetId, Policy], memories: Mapping[TargetId, Memory], *, now: datetime
    ) -> Observed:
        """Everything that is there."""
        del memories
        self.settle(now)
        return Observed(
            histories={t: self.histories.get(t, settled(10.0, end=now)) for t in policies},
            states={t: self._read(t, now) for t in policies},
            account=self.account,
            account_fault=None if self.account else Fault(FaultKind.DENIED, "GetAccountSettings: AccessDenied"),
        )

    def reread(self, targets: Sequence[TargetId], *, now: datetime) -> Mapping[TargetId, TargetState | Fault]:
        """The same states, now."""
        self.settle(now)
        self.reread_targets.extend(targets)
        return {t: self._read(t, now) for t in targets if t not in self.unread}

    def _read(self, target: TargetId, now: datetime) -> TargetState | Fault:
        known = self.states.setdefault(target, state(10))
        return known if isinstance(known, Fault) else replace(known, read_at=now)

    def settle(self, now: datetime) -> None:
        """Let the clock pass: allocations whose lead time is over become READY."""
        for target, at in list(self.ready_at.items()):
            known = self.states[target]
            if at <= now and not isinstance(known, Fault):
                units = known.capacity.requested
                self.states[target] = replace(known, capacity=Capacity(units, units, units, Status.READY))
                del self.ready_at[target]

    def act(self, decision: Decision, *, now: datetime) -> Outcome:
        """Write, as AWS would."""
        assert decision.action is not Action.HOLD, "a hold is never handed to an actor"
        target = decision.target
        if target in self.refuse:
            return replace(self.refuse[target], decision=decision)
        known = self.states.get(target, state(10, at=now))
        assert not isinstance(known, Fault), "a write to a target whose state could not be read"
        assert not known.weights, "a write while the alias has routing weights"
        assert known.capacity.status is not Status.IN_PROGRESS, "a write while IN_PROGRESS"
        if decision.actuator is Actuator.AUTOSCALING:
            return self._register(decision, known, now)
        if decision.action is Action.DELETE:
            self.deleted.append(target)
            self.states[target] = replace(known, capacity=NO_CAPACITY)
            return Outcome(decision, Result.APPLIED)
        assert decision.wanted >= 1, "0 is never a Put"
        self._put(target, known, decision.wanted, now)
        return Outcome(decision, Result.APPLIED)

    def _register(self, decision: Decision, known: TargetState, now: datetime) -> Outcome:
        maximum = decision.published_maximum or decision.wanted
        self.writes.append((now, decision.target, decision.wanted))
        self.states[decision.target] = replace(
            known, scalable=ScalableTarget(minimum=decision.wanted, maximum=maximum, ours=True)
        )
        lowered = decision.action is Action.LOWER
        return Outcome(decision, Result.FLOOR_LOWERED if lowered else Result.APPLIED)

    def _put(self, target: TargetId, known: TargetState, units: int, now: datetime) -> None:
        self.writes.append((now, target, units))
        rising = units > known.capacity.allocated
        status = Status.IN_PROGRESS if rising else Status.READY
        there = known.capacity.allocated if rising else units
        self.states[target] = replace(known, capacity=Capacity(units, there, there, status))
        if rising:
            self.ready_at[target] = now + self.lead_time


@dataclass
class PlanOnly:
    """An actor that writes nothing, as a dry run's does."""

    planned: list[Decision] = field(default_factory=list)

    def act(self, decision: Decision, *, now: datetime) -> Outcome:
        """Keep the decision and write nothing."""
        del now
        self.planned.append(decision)
        return Outcome(decision, Result.PLANNED)


@dataclass
class FakeTable:
    """A control table in memory; counts its writes."""

    memories: dict[TargetId, Memory] = field(default_factory=dict)
    overrides: dict[TargetId, Override] = field(default_factory=dict)
    stopped: frozenset[TargetId] = frozenset()
    everything_stopped: bool = False
    owner: str = ""
    expires: datetime | None = None
    writes: int = 0
    records: list[Outcome] = field(default_factory=list)

    def lock(self, owner: str, *, now: datetime, until: datetime) -> bool:
        """Take the lock unless another owner holds it and it has not expired."""
        if self.owner and self.owner != owner and self.expires and now < self.expires:
            return False
        self.owner, self.expires = owner, until
        return True

    def unlock(self, owner: str) -> None:
        """Give the lock back."""
        if self.owner == owner:
            self.owner = ""

    def recall(self, *, now: datetime) -> Recollection:
        """Everything that is remembered; overrides that have expired are gone."""
        live = {t: override for t, override in self.overrides.items() if override.until > now}
        return Recollection(
            memories=dict(self.memories),
            overrides=live,
            stopped=self.stopped,
            everything_stopped=self.everything_stopped,
        )

    def remember(self, target: TargetId, memory: Memory) -> None:
        """Keep a memory."""
        self.writes += 1
        self.memories[target] = memory

    def forget(self, target: TargetId) -> None:
        """Drop a memory."""
        self.writes += 1
        self.memories.pop(target, None)

    def record(self, outcome: Outcome, *, fleet_version: str, now: datetime) -> None:
        """Keep a record."""
        del fleet_version, now
        self.writes += 1
        self.records.append(outcome)
