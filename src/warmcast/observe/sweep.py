"""What the control planes say of all targets: read slowly in turn, sooner where something changes, and before a write.

Edge, read only: Lambda and Application Auto Scaling. `turns.plan` says what to read next; `Sweep` reads it and keeps
what it read between ticks. Every call that counts against Lambda's shared 15 a second comes out of an explicit budget;
GetFunction has a limit of its own, and DescribeScalableTargets is not Lambda's. What AWS said stands where a later read
meets a throttle or a fault of AWS's side: it is read again at the next tick, and before any write.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol, TypeVar, assert_never

from warmcast.aws.wire import LOCAL_THROTTLE
from warmcast.errors import AwsError
from warmcast.model import NO_CAPACITY, Fault, FaultKind, Status, TargetState
from warmcast.observe.faults import fault_of
from warmcast.observe.seen import Seen, after_fault, failed_with, is_from, troubles
from warmcast.observe.turns import Look, Standing, Subject, Sweeping, is_alias, looks_of, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from warmcast.aws.functions import AliasFacts, FunctionFacts
    from warmcast.model import AccountLimits, Capacity, ScalableTarget, TargetId

DESCRIBED_TOGETHER: Final = 50
"""DescribeScalableTargets takes 50 resource ids at most."""

FORGET_AFTER: Final = timedelta(hours=24)
"""What has not been read for this long belongs to a target that has left the fleet."""


class Functions(Protocol):
    """What is needed of `warmcast.aws.functions.Functions`; each raises AwsError."""

    def function(self, function: str, qualifier: str) -> FunctionFacts:
        """Facts of a function at a qualifier."""

    def weights(self, function: str, alias: str) -> AliasFacts:
        """Where an alias points and its routing weights."""

    def provisioned(self, function: str) -> Mapping[str, Capacity]:
        """Provisioned concurrency of all of a function's qualifiers."""

    def account(self) -> AccountLimits:
        """The account's concurrency."""


class AutoScaling(Protocol):
    """What is needed of `warmcast.aws.autoscaling.AutoScaling`; raises AwsError."""

    def describe(self, targets: Sequence[TargetId]) -> Mapping[TargetId, ScalableTarget]:
        """The registrations that exist."""


K = TypeVar("K")
T = TypeVar("T")


class Sweep:
    """What the control planes said, kept across the ticks of a warm environment."""

    def __init__(self, functions: Functions, autoscaling: AutoScaling, *, sweeping: Sweeping | None = None) -> None:
        self._functions = functions
        self._autoscaling = autoscaling
        self._sweeping = sweeping or Sweeping()
        self._capacities: dict[str, Seen[Mapping[str, Capacity]]] = {}
        self._aliases: dict[TargetId, Seen[AliasFacts]] = {}
        self._facts: dict[TargetId, Seen[FunctionFacts]] = {}
        self._scalables: dict[TargetId, Seen[ScalableTarget | None]] = {}
        self._account_at: datetime | None = None
        self._last: datetime | None = None
        self._calls_left = 0.0
        self._facts_left = 0
        self.account: AccountLimits | None = None
        self.account_fault: Fault | None = None

    def look(
        self,
        targets: Sequence[TargetId],
        *,
        pending: AbstractSet[TargetId],
        suspects: AbstractSet[TargetId],
        now: datetime,
        in_time: Callable[[], bool],
    ) -> None:
        """Read what is due within the sweep's budget of calls; what remains waits for the next tick.

        Args:
            targets: the fleet, the most important first.
            pending: targets with a change of ours under way.
            suspects: targets that spill though their capacity should suffice: it may not be what we think.
            now: the instant of the tick.
            in_time: asked before each call.
        """
        self._calls_left = self._sweeping.calls_per_tick
        self._facts_left = self._sweeping.facts_per_tick
        self._forget(now)
        self._read_account(now, in_time=in_time)
        self._read_scalables([t for t in targets if self._is_scalable_due(t, now)], now=now, in_time=in_time)
        standings = self._standings(targets, pending=pending, suspects=suspects)
        for look in plan(standings, now=now, last=self._last, sweeping=self._sweeping):
            left = self._facts_left if look.subject is Subject.FACTS else self._calls_left
            if left > 0 and in_time():
                self._take(look, now)
        self._last = now

    def reread(
        self, targets: Sequence[TargetId], *, now: datetime, calls: float, in_time: Callable[[], bool]
    ) -> dict[TargetId, TargetState | Fault]:
        """Read all of these targets' state, in this order, as far as `calls` go; the others are absent.

        The calls are the rereads' own: what the sweep spent, and a throttle that it met, take nothing of them. What
        this tick has read already is not read twice.
        """
        self._calls_left = calls
        fresh = {}
        for start in range(0, len(targets), DESCRIBED_TOGETHER):
            batch = targets[start : start + DESCRIBED_TOGETHER]
            self._read_scalables(
                [t for t in batch if not is_from(self._scalables.get(t), now)], now=now, in_time=in_time
            )
            for target in batch:
                state = self._reread(target, now=now, in_time=in_time)
                if state is not None:
                    fresh[target] = state
        return fresh

    def state(self, target: TargetId) -> TargetState | Fault | None:
        """The newest state known, the fault that hides it, or None where something was never read."""
        capacities, facts = self._capacities.get(target.function), self._facts.get(target)
        alias, scalable = self._aliases.get(target), self._scalables.get(target)
        for seen in (capacities, alias, facts, scalable):
            if seen is not None and isinstance(seen.value, Fault):
                return seen.value
        if capacities is None or facts is None or scalable is None or (alias is None and is_alias(target)):
            return None
        return _state(target, capacities, alias, facts, scalable)

    def notes(self) -> tuple[Fault, ...]:
        """Faults that hide no state, because what was known before stands: each once, with whom it met."""
        return troubles(
            [*self._capacities.items(), *self._aliases.items(), *self._facts.items(), *self._scalables.items()]
        )

    def elsewhere(self, targets: AbstractSet[TargetId]) -> int:
        """Provisioned concurrency known of that belongs to none of these targets."""
        ours = {(target.function, target.qualifier) for target in targets}
        return sum(
            capacity.requested
            for function, seen in self._capacities.items()
            if not isinstance(seen.value, Fault)
            for qualifier, capacity in seen.value.items()
            if (function, qualifier) not in ours
        )

    # --- what is due

    def _standings(
        self, targets: Sequence[TargetId], *, pending: AbstractSet[TargetId], suspects: AbstractSet[TargetId]
    ) -> list[Standing]:
        standings: dict[tuple[Subject, str, str], Standing] = {}
        for target in targets:
            pressing = target in pending or self._is_unsettled(target)
            for look in looks_of(target):
                standing = self._standing(look, pressing=pressing, early=target in suspects)
                known = standings.get(look.key)
                if known is None or (standing.pressing, standing.early) > (known.pressing, known.early):
                    standings[look.key] = standing
        return list(standings.values())

    def _standing(self, look: Look, *, pressing: bool, early: bool) -> Standing:
        seen = self._seen(look)
        if seen is None or (look.subject is Subject.FACTS and self._is_outdated(look.target)):
            return Standing(look, None, pressing=pressing)
        if look.subject is Subject.FACTS:  # nothing but another version changes these
            pressing = early = False
        return Standing(look, seen.at, failed_with(seen), pressing=pressing, early=early)

    def _is_unsettled(self, target: TargetId) -> bool:
        """Whether something is under way that the next tick may find done: an allocation, or a version shift."""
        state = self.state(target)
        if not isinstance(state, TargetState):
            return False
        return bool(state.weights) or state.capacity.status in {Status.IN_PROGRESS, Status.FAILED}

    def _is_outdated(self, target: TargetId) -> bool:
        """Whether the alias points to another version than the one whose facts are known."""
        alias, facts = self._aliases.get(target), self._facts.get(target)
        if alias is None or facts is None or isinstance(alias.value, Fault) or isinstance(facts.value, Fault):
            return False
        return alias.value.version != facts.value.version

    def _is_scalable_due(self, target: TargetId, now: datetime) -> bool:
        seen = self._scalables.get(target)
        return seen is None or failed_with(seen) is not None or now - seen.at >= self._sweeping.scalable

    def _seen(self, look: Look) -> Seen[object] | None:
        match look.subject:
            case Subject.CAPACITY:
                return self._capacities.get(look.target.function)
            case Subject.ALIAS:
                return self._aliases.get(look.target)
            case Subject.FACTS:
                return self._facts.get(look.target)
            case _:
                assert_never(look.subject)

    # --- reading

    def _reread(self, target: TargetId, *, now: datetime, in_time: Callable[[], bool]) -> TargetState | Fault | None:
        """The target's state of this tick; None where calls or time do not reach for it."""
        lacking = [look for look in looks_of(target) if not is_from(self._seen(look), now)]
        calls = sum(look.subject is not Subject.FACTS for look in lacking)
        if calls > self._calls_left or not in_time():
            return None
        for look in lacking:
            self._take(look, now)
        parts = [*map(self._seen, looks_of(target)), self._scalables.get(target)]
        met = next((seen.trouble.fault for seen in parts if seen and seen.trouble and seen.trouble.at == now), None)
        return met or (self.state(target) if all(is_from(seen, now) for seen in parts) else None)

    def _take(self, look: Look, now: datetime) -> None:
        target, functions = look.target, self._functions
        if look.subject is Subject.FACTS:
            self._facts_left -= 1
        else:
            self._calls_left -= 1
        match look.subject:
            case Subject.CAPACITY:
                self._keep(self._capacities, target.function, lambda: functions.provisioned(target.function), now)
            case Subject.ALIAS:
                self._keep(self._aliases, target, lambda: functions.weights(target.function, target.qualifier), now)
            case Subject.FACTS:
                self._keep(self._facts, target, lambda: functions.function(target.function, target.qualifier), now)
            case _:
                assert_never(look.subject)

    def _keep(self, shelf: dict[K, Seen[T]], key: K, ask: Callable[[], T], now: datetime) -> None:
        """Keep what AWS answers, or why it did not. A throttle, AWS's or our own, ends the looks under way."""
        try:
            shelf[key] = Seen(ask(), now)
        except AwsError as error:
            fault = fault_of(error)
            if fault.kind is FaultKind.THROTTLED:
                self._calls_left, self._facts_left = 0, 0
            if error.code != LOCAL_THROTTLE:  # of our own making: nothing was asked, so nothing is known to be wrong
                shelf[key] = after_fault(shelf.get(key), fault, now)

    def _read_scalables(self, targets: Sequence[TargetId], *, now: datetime, in_time: Callable[[], bool]) -> None:
        for start in range(0, len(targets), DESCRIBED_TOGETHER):
            batch = targets[start : start + DESCRIBED_TOGETHER]
            if not in_time():
                return
            try:
                found = self._autoscaling.describe(batch)
                self._scalables |= {target: Seen(found.get(target), now) for target in batch}
            except AwsError as error:
                fault = fault_of(error)
                self._scalables |= {target: after_fault(self._scalables.get(target), fault, now) for target in batch}

    def _read_account(self, now: datetime, *, in_time: Callable[[], bool]) -> None:
        """The account's limits, hourly; where that fails the last ones known stand, and the fault is told."""
        if self._account_at is not None and now - self._account_at < self._sweeping.account:
            return
        if not in_time():
            self.account_fault = Fault(FaultKind.AWS, "GetAccountSettings: no time was left for it")
            return
        self._calls_left -= 1
        try:
            self.account = self._functions.account()
            self.account_fault, self._account_at = None, now
        except AwsError as error:
            self.account_fault = fault_of(error)

    def _forget(self, now: datetime) -> None:
        """Drop what belongs to targets that have left the fleet: nobody has read it for a day."""
        self._capacities = {key: seen for key, seen in self._capacities.items() if now - seen.at < FORGET_AFTER}
        self._aliases = {key: seen for key, seen in self._aliases.items() if now - seen.at < FORGET_AFTER}
        self._facts = {key: seen for key, seen in self._facts.items() if now - seen.at < FORGET_AFTER}
        self._scalables = {key: seen for key, seen in self._scalables.items() if now - seen.at < FORGET_AFTER}


def _state(
    target: TargetId,
    capacities: Seen[Mapping[str, Capacity]],
    alias: Seen[AliasFacts] | None,
    facts: Seen[FunctionFacts],
    scalable: Seen[ScalableTarget | None],
) -> TargetState:
    """Put together what the reads gave; none of them may be a fault."""
    listed, known, registered = capacities.value, facts.value, scalable.value
    pointed = alias.value if alias else None
    assert not isinstance(listed, Fault)
    assert not isinstance(known, Fault)
    assert not isinstance(registered, Fault)
    assert not isinstance(pointed, Fault)
    return TargetState(
        read_at=capacities.at,
        capacity=listed.get(target.qualifier, NO_CAPACITY),
        version=pointed.version if pointed else known.version,
        memory_mb=known.memory_mb,
        architecture=known.architecture,
        timeout_s=known.timeout_s,
        weights=pointed.weights if pointed else {},
        ineligible=known.ineligible,
        reserved=known.reserved,
        scalable=registered,
        siblings={q: c.requested for q, c in listed.items() if q != target.qualifier},
    )
