"""What Application Auto Scaling's target tracking does between two ticks, minute by minute. Pure.

The local AWS keeps scaling policies but does not act on them, so the demo's world does, as users have observed it:
out when 3 visible one-minute datapoints in a row exceed the target, in when 15 in a row are under 0.9 of it; counting
restarts at each change.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

OUT_AFTER = 3
IN_AFTER = 15
IN_BELOW = 0.9


@dataclass(slots=True)
class TargetTracking:
    """One alias's tracking policy and the datapoints that it has seen since the last change.

    Args:
        target: utilization to keep, a fraction.
        delay: minutes after which a datapoint is visible.
    """

    target: float
    delay: int = 2
    _coming: deque[float] = field(default_factory=deque)
    _seen: deque[float] = field(default_factory=lambda: deque(maxlen=IN_AFTER))

    def step(self, *, peak: float, capacity: int, minimum: int, maximum: int) -> int:
        """The capacity after a minute whose peak was `peak` executions, at `capacity` units.

        Utilization is the highest within the minute over the capacity, so it saturates at 1; an idle minute is 0. With
        a target of 0.7, 10 units that are busy to the last go to ceil(10 x 1 / 0.7) = 15. Without any capacity there is
        no utilization, and nothing to track.
        """
        if not capacity:
            return 0
        self._coming.append(min(peak / capacity, 1.0))
        if len(self._coming) <= self.delay:
            return capacity
        self._seen.append(self._coming.popleft())
        wanted = min(max(self._wanted(capacity), minimum, 1), maximum)
        if wanted != capacity:
            self._seen.clear()
        return wanted

    def _wanted(self, capacity: int) -> int:
        seen = list(self._seen)
        if len(seen) >= OUT_AFTER and min(seen[-OUT_AFTER:]) > self.target:
            return math.ceil(capacity * seen[-1] / self.target)
        if len(seen) == IN_AFTER and max(seen) < IN_BELOW * self.target:
            return math.ceil(capacity * max(seen) / self.target)
        return capacity
