"""One pass over the fleet: observe -> forecast -> decide -> share -> act -> report, and the ports that it needs.

    lock       take the control table's lock, or report `locked`
    recall     what the table remembers: memories, overrides, stop
    observe    history and state of every target (reads AWS)
    learn      what the past weeks teach, a few targets a tick
    think      forecast and decide, each target by itself (pure)
    reread     the state of those that would change, just before the write; think again
    share      the limits that targets have in common (pure)
    act        carry out, rises first
    remember   keep what changed

The ports are Protocols declared here, by their consumer; the edge (`observe`, `act`, `aws.table`) implements them, and
tests bring fakes. This module reads no clock and knows no AWS. A dry run is the same pass with an actor and a table
that write nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import numpy as np

from warmcast import memory as remembering
from warmcast.brain import think
from warmcast.errors import AwsError
from warmcast.model import (
    Action,
    Budget,
    Fault,
    FaultKind,
    History,
    Memory,
    Mode,
    Observation,
    Outcome,
    Result,
    Rhythm,
    Row,
    Series,
    TargetState,
    TickReport,
    TickStatus,
)
from warmcast.outcomes import faulted, held, put_off, released
from warmcast.share import Limits, share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from warmcast.fleet import Fleet, Policy
    from warmcast.knowledge import Knowledge
    from warmcast.model import AccountLimits, Decision, Override, TargetId


@dataclass(frozen=True, slots=True)
class Observed:
    """What one look at AWS gave, for all targets at once.

    Args:
        histories: per target its history, or the fault that kept us from reading it.
        states: per target the newest state known; absent where it was never read.
        account: None where the account's limits could not be read.
        account_fault: why, then.
    """

    histories: Mapping[TargetId, History | Fault]
    states: Mapping[TargetId, TargetState | Fault]
    account: AccountLimits | None
    account_fault: Fault | None = None


class Observer(Protocol):
    """Reads AWS; writes nothing."""

    def observe(
        self, policies: Mapping[TargetId, Policy], memories: Mapping[TargetId, Memory], *, now: datetime
    ) -> Observed:
        """History and state of every target, each read no oftener than it is needed."""

    def reread(self, targets: Sequence[TargetId], *, now: datetime) -> Mapping[TargetId, TargetState | Fault]:
        """The state just before a write, most urgent first; targets for which no calls are left are absent."""


class Actor(Protocol):
    """Carries decisions out. The dry run is another actor for the same decisions."""

    def act(self, decision: Decision, *, now: datetime) -> Outcome:
        """Write what the decision says, one call; never raises for what AWS answers."""


@dataclass(frozen=True, slots=True)
class Recollection:
    """What the control table holds: memories, overrides that have not expired, and who is stopped.

    Args:
        unreadable: keys of items that could not be read and were skipped.
    """

    memories: Mapping[TargetId, Memory] = field(default_factory=dict)
    overrides: Mapping[TargetId, Override] = field(default_factory=dict)
    stopped: frozenset[TargetId] = frozenset()
    everything_stopped: bool = False
    unreadable: tuple[str, ...] = ()


class ControlTable(Protocol):
    """The controller's memory and its lock."""

    def lock(self, owner: str, *, now: datetime, until: datetime) -> bool:
        """Take the lock; False where another owner holds it and it has not expired."""

    def unlock(self, owner: str) -> None:
        """Give the lock back, if this owner still holds it."""

    def recall(self, *, now: datetime) -> Recollection:
        """Everything that is remembered."""

    def remember(self, target: TargetId, memory: Memory) -> None:
        """Keep a target's memory."""

    def forget(self, target: TargetId) -> None:
        """Drop the memory of a target that has left the fleet."""

    def record(self, outcome: Outcome, *, fleet_version: str, now: datetime) -> None:
        """Keep a decision that changed something, with a time to live."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The edge that a tick works through."""

    observer: Observer
    actor: Actor
    table: ControlTable
    time_left_s: Callable[[], float] = lambda: math.inf


@dataclass(frozen=True, slots=True)
class Order:
    """How a tick is to be run.

    Args:
        owner: who takes the lock, such as the request id.
        only: names (`function:qualifier`) to which the tick is restricted; empty: all.
        dry_run: for the report alone: the ports make it one.
        learn_most: how many targets may be learned in one tick.
        lock_for: after this long a lock counts as left behind; longer than any tick lasts.
        stop_before_s: no write is begun when less time than this is left.
    """

    owner: str
    rhythm: Rhythm = field(default_factory=Rhythm)
    budget: Budget = field(default_factory=Budget)
    only: frozenset[str] = frozenset()
    dry_run: bool = False
    learn_most: int = 100
    lock_for: timedelta = timedelta(minutes=10)
    stop_before_s: float = 10.0


SPILLOVER_WINDOW_S = 3600


def run(fleet: Fleet, *, ports: Ports, order: Order, knowledge: Knowledge, now: datetime) -> TickReport:
    """Run one tick. Raises only where nothing at all can be done: the control table does not answer."""
    if not ports.table.lock(order.owner, now=now, until=now + order.lock_for):
        return TickReport(at=now, fleet_version=fleet.version, status=TickStatus.LOCKED, dry_run=order.dry_run)
    try:
        return _Pass(fleet, ports, order, knowledge, now).run()
    finally:
        ports.table.unlock(order.owner)


@dataclass(slots=True)
class _Pass:
    """One tick under way: what it has read, and the faults that belong to no target."""

    fleet: Fleet
    ports: Ports
    order: Order
    knowledge: Knowledge
    now: datetime
    recollection: Recollection = Recollection()
    memories: dict[TargetId, Memory] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def run(self) -> TickReport:
        self.recollection = self.ports.table.recall(now=self.now)
        self.faults += [Fault(FaultKind.CONFIG, f"control table: skipped {k}") for k in self.recollection.unreadable]
        policies = self._policies()
        self.memories = {target: self._memory(target, policy) for target, policy in policies.items()}
        observed = self.ports.observer.observe(policies, self.memories, now=self.now)
        observations = self._observations(policies, observed)
        decisions = {target: self._think(policies[target], seen) for target, seen in observations.items()}
        decisions, observations = self._reread(policies, observations, decisions)
        shared = self._share(decisions, observations, observed.account)
        outcomes = self._act(shared)
        self._remember(outcomes)
        released = self._release(policies)
        rows = [_row(outcome, policies, observations, self.now) for outcome in outcomes]
        return self._report([*rows, *released], observed)

    # --- what is known

    def _policies(self) -> Mapping[TargetId, Policy]:
        only = self.order.only
        return {t: policy for t, policy in self.fleet.policies.items() if not only or str(t) in only}

    def _memory(self, target: TargetId, policy: Policy) -> Memory:
        return remembering.with_policy(self.recollection.memories.get(target, Memory()), policy)

    def _observations(self, policies: Mapping[TargetId, Policy], observed: Observed) -> dict[TargetId, Observation]:
        known = {t: h for t, h in observed.histories.items() if isinstance(h, History)}
        self.knowledge.refresh(known, policies, now=self.now, most=self.order.learn_most)
        return {target: self._observation(target, observed) for target in policies}

    def _observation(self, target: TargetId, observed: Observed) -> Observation:
        history, state = observed.histories.get(target), observed.states.get(target)
        nothing = Series.empty(int(self.now.timestamp()) // 60 * 60, 60)
        fault = state if isinstance(state, Fault) else None
        unread = history if isinstance(history, Fault) else None
        observation = Observation(
            target=target,
            at=self.now,
            history=history if isinstance(history, History) else History(nothing, nothing, complete=False),
            state=None,
            learned=self.knowledge.learned.get(target),
            memory=self.memories[target],
            override=self.recollection.overrides.get(target),
            stopped=self.recollection.everything_stopped or target in self.recollection.stopped,
            fault=fault,
            history_fault=unread,
        )
        return self._with_state(observation, state) if isinstance(state, TargetState) else observation

    def _with_state(self, observation: Observation, state: TargetState) -> Observation:
        memory = remembering.after_look(self.memories[observation.target], state, now=self.now)
        self.memories[observation.target] = memory
        return replace(observation, state=state, memory=memory, fault=None)

    # --- what is decided

    def _think(self, policy: Policy, observation: Observation) -> Decision:
        """Decide one target; a bug met on the way is that target's fault alone."""
        try:
            return think(policy, observation, now=self.now, rhythm=self.order.rhythm, fleet_version=self.fleet.version)
        except Exception as bug:  # noqa: BLE001 - the one broad catch of a tick: it isolates the targets
            return faulted(policy, observation, bug, self.fleet.version)

    def _reread(
        self,
        policies: Mapping[TargetId, Policy],
        observations: dict[TargetId, Observation],
        decisions: dict[TargetId, Decision],
    ) -> tuple[dict[TargetId, Decision], dict[TargetId, Observation]]:
        """Read the state of the targets that would change once more, and think again on it."""
        changing = sorted((d for d in decisions.values() if d.changes), key=_urgency)
        fresh = self.ports.observer.reread([d.target for d in changing], now=self.now)
        decisions, observations = dict(decisions), dict(observations)
        for decision in changing:
            target = decision.target
            state = fresh.get(target)
            if state is None:
                decisions[target] = put_off(decision, "no control-plane calls left in this tick")
                continue
            seen = observations[target]
            seen = replace(seen, fault=state) if isinstance(state, Fault) else self._with_state(seen, state)
            observations[target] = seen
            decisions[target] = self._think(policies[target], seen)
        return decisions, observations

    def _share(
        self,
        decisions: Mapping[TargetId, Decision],
        observations: Mapping[TargetId, Observation],
        account: AccountLimits | None,
    ) -> Sequence[Decision]:
        states = {t: seen.state for t, seen in observations.items() if seen.state is not None}
        return share(list(decisions.values()), Limits(account=account, budget=self.order.budget, states=states))

    # --- what is done

    def _act(self, decisions: Sequence[Decision]) -> Sequence[Outcome]:
        """Carry out, rises first: they are what customers wait for."""
        return [self._carry_out(decision) for decision in sorted(decisions, key=_urgency)]

    def _carry_out(self, decision: Decision) -> Outcome:
        if not decision.changes:
            return held(decision)
        if self.ports.time_left_s() < self.order.stop_before_s:
            return Outcome(decision, Result.DEFERRED, "out of time in this tick")
        return self.ports.actor.act(decision, now=self.now)

    def _remember(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            target = outcome.decision.target
            memory = remembering.after_outcome(self.memories[target], outcome, now=self.now)
            if memory != self.recollection.memories.get(target, Memory()):
                self._keep(lambda target=target, memory=memory: self.ports.table.remember(target, memory))
            if outcome.decision.changes:
                self._keep(lambda outcome=outcome: self._record(outcome))

    def _record(self, outcome: Outcome) -> None:
        self.ports.table.record(outcome, fleet_version=self.fleet.version, now=self.now)

    def _keep(self, write: Callable[[], None]) -> None:
        """Write to the control table; what it refuses is a fault of the tick, not of the capacity that was changed."""
        try:
            write()
        except AwsError as error:
            self.faults.append(Fault(FaultKind.AWS, f"control table: {error}"))

    # --- what has left the fleet

    def _release(self, policies: Mapping[TargetId, Policy]) -> Sequence[Row]:
        """Targets that are remembered and no longer in the fleet; not where the fleet has errors, or was restricted."""
        if self.order.only or any(finding.is_error for finding in self.fleet.findings):
            return []
        gone = sorted(self.recollection.memories.keys() - policies.keys())
        return [self._released(target, self.recollection.memories[target]) for target in gone]

    def _released(self, target: TargetId, memory: Memory) -> Row:
        delete = memory.on_remove == "delete" and not memory.stack_owns_config and bool(memory.requested)
        decision = released(target, memory, delete=delete, now=self.now, fleet_version=self.fleet.version)
        outcome = self._carry_out(decision)
        if outcome.result in {Result.APPLIED, Result.HELD}:
            outcome = replace(outcome, result=Result.RELEASED, detail="deleted" if delete else "capacity kept")
            self._keep(lambda: self.ports.table.forget(target))
        return Row(outcome=outcome, mode=Mode.APPLY)

    def _report(self, rows: Iterable[Row], observed: Observed) -> TickReport:
        faults = [*self.faults, *([observed.account_fault] if observed.account_fault else [])]
        return TickReport(
            at=self.now,
            fleet_version=self.fleet.version,
            dry_run=self.order.dry_run,
            rows=tuple(sorted(rows, key=lambda row: row.outcome.decision.target)),
            faults=tuple(faults),
            findings=tuple(str(finding) for finding in self.fleet.findings),
        )


# --- pure pieces -----------------------------------------------------------------------------------------------------


def _urgency(decision: Decision) -> tuple[bool, int, TargetId]:
    """Rises before decreases, the largest first, ties by name."""
    difference = decision.wanted - (decision.current or 0)
    return decision.action is not Action.RAISE, -abs(difference), decision.target


def _row(
    outcome: Outcome,
    policies: Mapping[TargetId, Policy],
    observations: Mapping[TargetId, Observation],
    now: datetime,
) -> Row:
    target = outcome.decision.target
    seen = observations[target]
    return Row(
        outcome=outcome,
        mode=policies[target].mode,
        allocated=seen.state.capacity.allocated if seen.state else None,
        spillover=recent_spillover(seen.history, now=now),
        fault=seen.history_fault.message if seen.history_fault else "",
    )


def recent_spillover(history: History, *, now: datetime) -> float | None:
    """Share of the last hour's invocations that provisioned concurrency did not serve; None where not known."""
    end = int(now.timestamp())
    hour = history.fine.between(end - SPILLOVER_WINDOW_S, end)
    both = ~np.isnan(hour.spilled) & ~np.isnan(hour.arrivals)
    arrivals = float(hour.arrivals[both].sum())
    return float(hour.spilled[both].sum()) / arrivals if arrivals > 0 else None
