"""One pass over the fleet: observe -> forecast -> decide -> share -> act -> report, and the ports that it needs.

    lock       take the control table's lock, or report `locked`
    recall     what the table remembers: memories, overrides, stop
    observe    history and state of every target (reads AWS)
    learn      what the past weeks teach, a few targets a tick
    think      forecast and decide, each target by itself (pure)
    share      the limits that targets have in common (pure)
    reread     the state of those that would change, just before the write; think and share again
    act        carry out, rises first, and remember each

The ports are Protocols declared here, by their consumer; the edge (`observe`, `act`, `aws.table`) implements them, and
tests bring fakes. This module reads no clock and knows no AWS. A dry run is the same pass with an actor and a table
that write nothing.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np

from warmcast import memory as remembering
from warmcast.brain import think
from warmcast.errors import AwsError
from warmcast.fleet import Severity
from warmcast.look import look
from warmcast.model import (
    Action,
    Budget,
    Fault,
    FaultKind,
    History,
    Memory,
    Outcome,
    Result,
    Rhythm,
    Row,
    TargetState,
    TickReport,
    TickStatus,
)
from warmcast.outcomes import faulted, held, hindrance_of, in_words, isolated, put_off, released
from warmcast.share import Limits, share

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence
    from datetime import datetime

    from warmcast.fleet import Finding, Fleet, Policy
    from warmcast.knowledge import Knowledge
    from warmcast.look import Look
    from warmcast.model import AccountLimits, Decision, Override, TargetId


@dataclass(frozen=True, slots=True)
class Observed:
    """What one look at AWS gave, for all targets at once.

    Args:
        histories: per target its history, or the fault that kept us from reading it.
        states: per target the newest state known; absent where it was never read.
        account: None where the account's limits could not be read.
        account_fault: why, then.
        notes: faults that hide nothing, because what was known before stands; for the report.
    """

    histories: Mapping[TargetId, History | Fault]
    states: Mapping[TargetId, TargetState | Fault]
    account: AccountLimits | None
    account_fault: Fault | None = None
    notes: tuple[Fault, ...] = ()


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
        release: whether targets that have left the fleet are let go; not from a laptop, whose fleet may be a part.
        learn_most: how many targets may be learned in one tick.
        lock_for: after this long a lock counts as left behind; longer than any tick lasts.
        stop_before_s: no write is begun when less time than this is left.
    """

    owner: str
    rhythm: Rhythm = field(default_factory=Rhythm)
    budget: Budget = field(default_factory=Budget)
    only: frozenset[str] = frozenset()
    dry_run: bool = False
    learn_most: int = 50
    release: bool = True
    lock_for: timedelta = timedelta(minutes=10)
    stop_before_s: float = 10.0


SPILLOVER_WINDOW_S = 3600


def run(fleet: Fleet, *, ports: Ports, order: Order, knowledge: Knowledge, now: datetime) -> TickReport:
    """Run one tick. Raises only where nothing at all can be done: the control table does not answer."""
    if not ports.table.lock(order.owner, now=now, until=now + order.lock_for):
        return TickReport(at=now, fleet_version=fleet.version, status=TickStatus.LOCKED, dry_run=order.dry_run)
    try:
        report = _Pass(fleet, ports, order, knowledge, now).run()
    except BaseException:
        with suppress(AwsError):  # the lock expires by itself; what went wrong matters more
            ports.table.unlock(order.owner)
        raise
    try:
        ports.table.unlock(order.owner)
    except AwsError as error:
        kept = Fault(FaultKind.AWS, f"control table: the lock was not given back and expires by itself: {error}")
        return replace(report, faults=(*report.faults, kept))
    return report


@dataclass(slots=True)
class _Pass:
    """One tick under way, and the faults that belong to no target."""

    fleet: Fleet
    ports: Ports
    order: Order
    knowledge: Knowledge
    now: datetime
    faults: list[Fault] = field(default_factory=list)

    def run(self) -> TickReport:
        recollection = self.ports.table.recall(now=self.now)
        self.faults += [Fault(FaultKind.CONFIG, f"control table: skipped {key}") for key in recollection.unreadable]
        seen = look(
            self._policies(),
            observer=self.ports.observer,
            recollection=recollection,
            now=self.now,
            fleet_version=self.fleet.version,
        )
        self.faults += [seen.observed.account_fault] if seen.observed.account_fault else []
        self.faults += seen.observed.notes
        self.faults += [Fault(FaultKind.CONFLICT, words) for words in seen.shared_versions]
        decisions = self._decide(seen)
        wanted = self._share(decisions, seen)
        fresh = self._reread(seen, [decision for decision in wanted if decision.changes])
        decisions |= {target: self._think(target, seen) for target in fresh}
        shared = [_put_off_unread(decision, fresh) for decision in self._share(decisions, seen)]
        rows = [_row(outcome, seen) for outcome in self._act(shared, seen)]
        return self._report([*rows, *self._release(seen)])

    def _policies(self) -> Mapping[TargetId, Policy]:
        only = self.order.only
        return {t: policy for t, policy in self.fleet.policies.items() if not only or str(t) in only}

    # --- what is decided

    def _decide(self, seen: Look) -> dict[TargetId, Decision]:
        """Learn a few targets, then decide each."""
        self.knowledge.keep(self.fleet.policies)
        due = self.knowledge.due(seen.histories, now=self.now, most=self.order.learn_most)
        return {target: self._think(target, seen, learn=target in due) for target in seen.policies}

    def _think(self, target: TargetId, seen: Look, *, learn: bool = False) -> Decision:
        """Decide one target; a bug met on the way is that target's fault alone."""
        policy, observation = seen.policies[target], seen.observations[target]

        def decided() -> Decision:
            if learn:
                self.knowledge.learn_for(policy, observation, now=self.now, rhythm=self.order.rhythm)
            learned = self.knowledge.keep_up(policy, observation, now=self.now)
            knowing = replace(observation, learned=learned)
            return think(policy, knowing, now=self.now, rhythm=self.order.rhythm, fleet_version=self.fleet.version)

        return isolated(decided, lambda bug: faulted(policy, observation, bug, self.fleet.version))

    def _share(self, decisions: Mapping[TargetId, Decision], seen: Look) -> Sequence[Decision]:
        undecided = [memory for target, memory in seen.recollection.memories.items() if target not in decisions]
        limits = Limits(
            account=seen.observed.account,
            budget=self.order.budget,
            states=seen.states,
            undecided=sum(memory.requested or memory.floor_published or 0 for memory in undecided),
        )
        return share(list(decisions.values()), limits)

    def _reread(self, seen: Look, changing: Sequence[Decision]) -> frozenset[TargetId]:
        """Read the state of the targets that would change once more, the most urgent first; who could be read."""
        targets = [decision.target for decision in sorted(changing, key=_urgency)]
        fresh = self.ports.observer.reread(targets, now=self.now)
        for target, state in fresh.items():
            seen.update(target, state)
        return frozenset(fresh)

    # --- what is done

    def _act(self, decisions: Sequence[Decision], seen: Look) -> Sequence[Outcome]:
        """Carry out, rises first: they are what customers wait for. Each is remembered before the next one begins."""
        outcomes = []
        for decision in sorted(decisions, key=_urgency):
            outcome = self._carry_out(decision)
            self._remember(outcome, seen)
            outcomes.append(outcome)
        return outcomes

    def _carry_out(self, decision: Decision) -> Outcome:
        if not decision.changes:
            return held(decision)
        if self.ports.time_left_s() < self.order.stop_before_s:
            return Outcome(decision, Result.DEFERRED, "out of time in this tick")
        return isolated(
            lambda: self.ports.actor.act(decision, now=self.now),
            lambda bug: Outcome(decision, Result.FAILED, in_words(bug), type(bug).__name__),
        )

    def _remember(self, outcome: Outcome, seen: Look) -> None:
        """Keep what changed; an unchanged memory costs no write."""
        target = outcome.decision.target
        memory = remembering.after_outcome(seen.memories[target], outcome, now=self.now)
        if memory != seen.recollection.memories.get(target, Memory()):
            self._keep(partial(self.ports.table.remember, target, memory))
        if outcome.decision.changes:
            self._keep(partial(self._record, outcome))

    def _record(self, outcome: Outcome) -> None:
        self.ports.table.record(outcome, fleet_version=self.fleet.version, now=self.now)

    def _keep(self, write: Callable[[], None]) -> None:
        """Write to the control table; what it refuses is a fault of the tick, not of the capacity that was changed."""
        try:
            write()
        except AwsError as error:
            self.faults.append(Fault(FaultKind.AWS, f"control table: {error}"))

    # --- what has left the fleet

    def _release(self, seen: Look) -> Sequence[Row]:
        """Targets that are remembered and no longer in the fleet; not where the fleet is only a part of what it was."""
        if self.order.only or not self.order.release or not self.fleet.complete:
            return []
        remembered = seen.recollection.memories
        gone = sorted(remembered.keys() - self.fleet.policies.keys())
        return [self._released(target, remembered[target], seen.recollection) for target in gone]

    def _released(self, target: TargetId, memory: Memory, recollection: Recollection) -> Row:
        decision = released(target, memory, now=self.now, fleet_version=self.fleet.version)
        stopped = recollection.everything_stopped or target in recollection.stopped
        if stopped or (memory.back_off_until is not None and self.now < memory.back_off_until):
            waits = "warmcast stop" if stopped else f"back-off: {memory.failure}"
            return Row(outcome=Outcome(decision, Result.HELD, waits), mode=memory.mode)
        outcome = self._let_go(decision) if decision.changes else Outcome(decision, Result.RELEASED, "capacity kept")
        if decision.changes:
            self._keep(partial(self._record, outcome))
        if outcome.result is Result.RELEASED:
            self._keep(partial(self.ports.table.forget, target))
        else:
            after = remembering.after_outcome(memory, outcome, now=self.now)
            self._keep(partial(self.ports.table.remember, target, after))
        return Row(outcome=outcome, mode=memory.mode)

    def _let_go(self, decision: Decision) -> Outcome:
        """Delete the capacity of a target that has left, unless its state forbids a write now."""
        state = self.ports.observer.reread([decision.target], now=self.now).get(decision.target)
        hindrance = hindrance_of(state)
        if hindrance is not None:
            return Outcome(decision, *hindrance)
        outcome = self._carry_out(decision)
        if outcome.result is Result.APPLIED:
            return replace(outcome, result=Result.RELEASED, detail="deleted")
        gone = outcome.error_code == "ResourceNotFoundException"
        return replace(outcome, result=Result.RELEASED, detail="already gone", error_code="") if gone else outcome

    def _report(self, rows: Iterable[Row]) -> TickReport:
        return TickReport(
            at=self.now,
            fleet_version=self.fleet.version,
            dry_run=self.order.dry_run,
            rows=tuple(sorted(rows, key=lambda row: row.outcome.decision.target)),
            faults=tuple(self.faults),
            findings=tuple(str(finding) for finding in self._errors()),
        )

    def _errors(self) -> Sequence[Finding]:
        """What is wrong with the fleet; a warning is no fault of a tick."""
        return [finding for finding in self.fleet.findings if finding.severity is Severity.ERROR]


# --- pure pieces -----------------------------------------------------------------------------------------------------


def _put_off_unread(decision: Decision, fresh: Container[TargetId]) -> Decision:
    """Nothing is written on a state that was not read in this tick."""
    if not decision.changes or decision.target in fresh:
        return decision
    return put_off(decision, "its state could not be read again in this tick")


def _urgency(decision: Decision) -> tuple[bool, int, TargetId]:
    """Rises before decreases, the largest first, ties by name."""
    difference = decision.wanted - (decision.current or 0)
    return decision.action is not Action.RAISE, -abs(difference), decision.target


def _row(outcome: Outcome, seen: Look) -> Row:
    target = outcome.decision.target
    known = seen.observations[target]
    too_long = remembering.waits_too_long(seen.memories[target], outcome, now=seen.now)
    return Row(
        outcome=outcome,
        mode=seen.policies[target].mode,
        allocated=known.state.capacity.allocated if known.state else None,
        spillover=recent_spillover(known.history, now=seen.now),
        fault=known.history_fault.message if known.history_fault else too_long,
    )


def recent_spillover(history: History, *, now: datetime) -> float | None:
    """Share of the last hour's invocations that provisioned concurrency did not serve; None where not known."""
    end = int(now.timestamp())
    hour = history.fine.between(end - SPILLOVER_WINDOW_S, end)
    both = ~np.isnan(hour.spilled) & ~np.isnan(hour.arrivals)
    arrivals = float(hour.arrivals[both].sum())
    return float(hour.spilled[both].sum()) / arrivals if arrivals > 0 else None
