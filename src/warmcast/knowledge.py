"""Knowledge: what was learned of each target, kept between the ticks of one warm environment.

It only saves time: everything in it can be learned again from history. Learning is spread over ticks, so that a cold
start with a thousand targets does not learn a thousand weeks at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from warmcast.forecast import learn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from warmcast.fleet import Policy
    from warmcast.model import History, Learned, TargetId

RELEARN_AFTER = timedelta(hours=6)


@dataclass(slots=True)
class Knowledge:
    """What was learned, by target; `refresh` keeps it young."""

    learned: dict[TargetId, Learned] = field(default_factory=dict)

    def refresh(
        self, histories: Mapping[TargetId, History], policies: Mapping[TargetId, Policy], *, now: datetime, most: int
    ) -> None:
        """Learn up to `most` targets: those never learned first, then the oldest beyond six hours."""
        for gone in self.learned.keys() - policies.keys():
            del self.learned[gone]
        due = [target for target in histories if len(histories[target].coarse) and self._is_due(target, now)]
        due.sort(key=lambda target: (self._age_key(target), target))
        for target in due[:most]:
            self.learned[target] = learn(histories[target], zone=policies[target].timezone, now=now)

    def _is_due(self, target: TargetId, now: datetime) -> bool:
        known = self.learned.get(target)
        return known is None or now - known.learned_at >= RELEARN_AFTER

    def _age_key(self, target: TargetId) -> float:
        known = self.learned.get(target)
        return known.learned_at.timestamp() if known else 0.0
