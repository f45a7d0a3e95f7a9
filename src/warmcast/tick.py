"""One pass over the fleet: observe -> forecast -> decide -> share -> act -> report, and the ports that it needs.

The ports are Protocols declared here, by their consumer; the edge (`observe`, `act`, `table`) implements them, tests
bring fakes. This module reads no clock and knows no AWS.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from warmcast.fleet import Policy
    from warmcast.model import (
        AccountLimits,
        Decision,
        Fault,
        History,
        Memory,
        Outcome,
        Override,
        TargetId,
        TargetState,
    )


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
    """What the control table holds: memories, overrides that have not expired, and who is stopped."""

    memories: Mapping[TargetId, Memory] = field(default_factory=dict)
    overrides: Mapping[TargetId, Override] = field(default_factory=dict)
    stopped: frozenset[TargetId] = frozenset()
    everything_stopped: bool = False


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
