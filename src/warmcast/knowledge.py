"""Knowledge: what was learned of each target, kept between the ticks of one warm environment.

It only saves time: everything in it can be learned again from history. Learning is spread over ticks, so that a cold
start with a thousand targets does not learn a thousand weeks at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from warmcast.fleet import ColdStartCost, ColdStarts, OnSlow
from warmcast.learning import LEAD_TIME, advance, followed, learn
from warmcast.situation import lead_time_of

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from warmcast.fleet import Policy
    from warmcast.model import History, Learned, Observation, Rhythm, TargetId

RELEARN_AFTER = timedelta(hours=6)


@dataclass(slots=True)
class Knowledge:
    """What was learned, by target."""

    learned: dict[TargetId, Learned] = field(default_factory=dict)

    def keep(self, targets: Container[TargetId]) -> None:
        """Forget the targets that are no longer there."""
        self.learned = {target: known for target, known in self.learned.items() if target in targets}

    def due(self, histories: Mapping[TargetId, History], *, now: datetime, most: int) -> frozenset[TargetId]:
        """The targets to learn now: those never learned first, then the oldest beyond six hours.

        Only such as have had their weeks read, and have any: before that there is nothing to learn from.
        """
        ready = (target for target, history in histories.items() if history.weeks_read and history.newest is not None)
        due = [target for target in ready if self._is_due(target, now)]
        due.sort(key=lambda target: (self._learned_at(target), target))
        return frozenset(due[:most])

    def learn(
        self,
        target: TargetId,
        history: History,
        *,
        zone: ZoneInfo,
        now: datetime,
        lead_time: timedelta = LEAD_TIME,
        cold_starts: bool = False,
    ) -> None:
        """Learn one target, on top of what was learned of it before."""
        before = self.learned.get(target)
        self.learned[target] = learn(
            history, zone=zone, now=now, lead_time=lead_time, before=before, cold_starts=cold_starts
        )

    def learn_for(self, policy: Policy, observation: Observation, *, now: datetime, rhythm: Rhythm) -> None:
        """Learn one target for its policy: its zone, its lead time, what its objective needs to know."""
        self.learn(
            observation.target,
            observation.history,
            zone=policy.timezone,
            now=now,
            lead_time=lead_time_of(policy, observation.memory, rhythm),
            cold_starts=isinstance(policy.objective, ColdStarts | ColdStartCost),
        )

    def keep_up(self, policy: Policy, observation: Observation, *, now: datetime) -> Learned | None:
        """Count the ticks since for one target; what is known of it by now, None where nothing was learned yet."""
        known = self.learned.get(observation.target)
        if known is not None:
            history = followed(observation.history, known, follow_slow=policy.on_slow is OnSlow.FOLLOW)
            known = advance(known, history, zone=policy.timezone, now=now)
            self.learned[observation.target] = known
        return known

    def _is_due(self, target: TargetId, now: datetime) -> bool:
        known = self.learned.get(target)
        return known is None or now - known.learned_at >= RELEARN_AFTER

    def _learned_at(self, target: TargetId) -> float:
        known = self.learned.get(target)
        return known.learned_at.timestamp() if known else 0.0
