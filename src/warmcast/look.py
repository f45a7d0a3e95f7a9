"""Look: from what the ports read to one Observation per target. Knows no AWS, reads no clock.

Memories change with every look at a target's state (lead time, back-off), so they are kept beside the observations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from warmcast import memory as remembering
from warmcast.model import Fault, History, Memory, Observation, Series

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from warmcast.fleet import Policy
    from warmcast.model import TargetId, TargetState
    from warmcast.tick import Observed, Observer, Recollection


@dataclass(slots=True)
class Look:
    """What is known of every target at `now`; `update` takes in a newer state of one of them."""

    now: datetime
    policies: Mapping[TargetId, Policy]
    recollection: Recollection
    observed: Observed
    memories: dict[TargetId, Memory]
    observations: dict[TargetId, Observation]

    @property
    def states(self) -> Mapping[TargetId, TargetState]:
        """The states that are known."""
        return {target: seen.state for target, seen in self.observations.items() if seen.state is not None}

    @property
    def histories(self) -> Mapping[TargetId, History]:
        """The histories that could be read."""
        return {target: seen.history for target, seen in self.observations.items() if seen.history_fault is None}

    @property
    def shared_versions(self) -> Sequence[str]:
        """In words, each version that more than one target points to: AWS provisions for one of them only."""
        pointing: dict[tuple[str, str], list[TargetId]] = {}
        for target, state in sorted(self.states.items()):
            pointing.setdefault((target.arn.rpartition(":")[0], state.version), []).append(target)
        return [
            f"{' and '.join(map(str, targets))} point to version {version}: AWS provisions only one of them"
            for (_, version), targets in pointing.items()
            if len(targets) > 1
        ]

    def update(self, target: TargetId, state: TargetState | Fault) -> None:
        """Take in a state that was read later, or the fault that kept it from being read."""
        seen = self.observations[target]
        if isinstance(state, Fault):
            self.observations[target] = replace(seen, fault=state)
            return
        memory = remembering.after_look(self.memories[target], state, now=self.now)
        self.memories[target] = memory
        self.observations[target] = replace(seen, state=state, memory=memory, fault=None)

    def _observe(self, target: TargetId) -> None:
        self.observations[target] = Observation(
            target=target,
            at=self.now,
            history=_history(self.observed.histories.get(target), self.now),
            state=None,
            memory=self.memories[target],
            override=self.recollection.overrides.get(target),
            stopped=self.recollection.everything_stopped or target in self.recollection.stopped,
            history_fault=_fault(self.observed.histories.get(target)),
        )
        state = self.observed.states.get(target)
        if state is not None:
            self.update(target, state)


def look(
    policies: Mapping[TargetId, Policy],
    *,
    observer: Observer,
    recollection: Recollection,
    now: datetime,
    fleet_version: str = "",
) -> Look:
    """Observe all targets and put together what is known of each."""
    known = recollection.memories
    memories = {
        target: remembering.with_policy(known.get(target, Memory()), policy, fleet_version=fleet_version)
        for target, policy in policies.items()
    }
    observed = observer.observe(policies, memories, now=now)
    seen = Look(now, policies, recollection, observed, memories, {})
    for target in policies:
        seen._observe(target)  # noqa: SLF001 - of this module's own class
    return seen


def _history(history: History | Fault | None, now: datetime) -> History:
    """The history, or an empty one that says of itself that it is not complete."""
    if isinstance(history, History):
        return history
    nothing = Series.empty(int(now.timestamp()) // 60 * 60, 60)
    return History(coarse=nothing, fine=nothing, complete=False)


def _fault(history: History | Fault | None) -> Fault | None:
    return history if isinstance(history, Fault) else None
