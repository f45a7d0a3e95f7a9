"""Application Auto Scaling's target tracking on provisioned concurrency's utilization, minute by minute. Pure.

As users have observed it: out when 3 visible one-minute datapoints in a row exceed the target, in when 15 in a row are
under 0.9 of it, counting restarts at each change, no cooldown (Lambda's default). Utilization is what the READY
capacity carried over that capacity, so it saturates at 1 and tells nothing of what spilled. A gap has no datapoint,
which breaks the row; a minute without demand is a utilization of 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from warmcast.erlang import spilled_share
from warmcast.simulate.world import DATA_DELAY_MIN

if TYPE_CHECKING:
    from warmcast.model import FloatArray, IntArray
    from warmcast.simulate.trace import Trace
    from warmcast.simulate.world import World

OUT_AFTER = 3
IN_AFTER = 15
IN_BELOW = 0.9

_AHEAD = 16  # minutes whose utilization is worked out at once; a change discards those that it bears on


def target_tracking(
    scored: Trace,
    world: World,
    *,
    target: float,
    start: int,
    floor: IntArray | None = None,
    most: IntArray | None = None,
) -> IntArray:
    """Requested capacity of each minute, shape (N,), from `start` units on.

    A scale-out goes to ceil(current x newest visible utilization / target), a scale-in to ceil(current x the highest of
    the last 15 / target); the minimum is 1. At minute t the rows stamped t - 2 and before can be seen.

    Args:
        scored: the trace.
        world: its lead time and peakedness.
        target: utilization to keep, a fraction.
        start: READY capacity before the first minute; at least 1 counts.
        floor: the scalable target's minimum in each minute, shape (N,); 1 where it is less.
        most: its maximum in each minute, shape (N,); where it is under the minimum, the minimum holds.
    """
    least = np.maximum(1, 1 if floor is None else floor) * np.ones(len(scored), dtype=np.int64)
    highest = np.full(len(scored), np.iinfo(np.int64).max) if most is None else most
    tracking = Tracking(scored, world, target=target, start=start)
    steps = (tracking.step(minute, int(least[minute]), int(highest[minute])) for minute in range(len(scored)))
    return np.fromiter(steps, dtype=np.int64, count=len(scored))


class Tracking:
    """A scaling policy at work on a trace, minute by minute, for whoever decides its bounds on the way.

    Args:
        capacity: what is requested as of the last step.
    """

    def __init__(self, scored: Trace, world: World, *, target: float, start: int) -> None:
        self.capacity = max(start, 1)
        self._utilization = _Utilization(scored.demand, world, self.capacity)
        self._row = _Row(target)

    def step(self, minute: int, minimum: int, maximum: int) -> int:
        """Requested capacity of a minute, the first or that after the last step's.

        Bounds act at once, for a registration clamps the current capacity (AWS: RegisterScalableTarget); of a maximum
        under the minimum, and a minimum under 1, nothing is heeded.
        """
        if minute >= DATA_DELAY_MIN:
            self._row.see(self._utilization.at(minute - DATA_DELAY_MIN))
        least = max(minimum, 1)
        wanted = min(max(self._row.wanted(self.capacity), least), max(maximum, least))
        if wanted != self.capacity:
            self._utilization.change(minute, wanted)
            self._row.restart()
            self.capacity = wanted
        return self.capacity


@dataclass(slots=True)
class _Row:
    """The newest datapoints without a gap or a change of capacity between them."""

    target: float
    seen: list[float] = field(default_factory=list)
    above: int = 0
    under: int = 0

    def see(self, utilization: float) -> None:
        """One more minute becomes visible; NaN is a minute without a datapoint."""
        if math.isnan(utilization):
            self.restart()
            return
        self.seen.append(utilization)
        del self.seen[:-IN_AFTER]
        self.above = self.above + 1 if utilization > self.target else 0
        self.under = self.under + 1 if utilization < IN_BELOW * self.target else 0

    def restart(self) -> None:
        """What was seen so far counts no more."""
        self.seen.clear()
        self.above = self.under = 0

    def wanted(self, current: int) -> int:
        """What the alarms ask for.

        At a target of 0.7, 10 units that 3 minutes in a row were busy to the last go to ceil(10 x 1 / 0.7) = 15; 10 of
        which at most 2 were busy for 15 minutes go to ceil(10 x 0.2 / 0.7) = 3.
        """
        if self.above >= OUT_AFTER:
            return _scaled(current, self.seen[-1] / self.target)
        if self.under >= IN_AFTER:
            return _scaled(current, max(self.seen) / self.target)
        return current


def _scaled(capacity: int, factor: float) -> int:
    return math.ceil(capacity * factor * (1 - 1e-12))  # 10 x 0.7 / 0.7 is 10, whatever floats say


class _Utilization:
    """Carried / READY of each minute, worked out some minutes ahead as if nothing changed."""

    def __init__(self, demand: FloatArray, world: World, start: int) -> None:
        self._demand = demand
        self._peakedness = world.peakedness
        self._lead = world.lead_minutes
        self._ready = np.full(len(demand), start, dtype=np.int64)
        self._known: FloatArray = np.empty(len(demand))
        self._until = 0

    def at(self, minute: int) -> float:
        """Utilization of a minute that is over; NaN in a gap."""
        if minute >= self._until:
            ahead = slice(minute, minute + _AHEAD)
            demand, units = self._demand[ahead], self._ready[ahead]
            self._known[ahead] = demand * (1 - spilled_share(units, demand, self._peakedness)) / units
            self._until = minute + len(demand)
        return float(self._known[minute])

    def change(self, minute: int, capacity: int) -> None:
        """From this minute on so much is requested: a rise is READY after the lead time, a fall at once."""
        falling = self._ready[minute : minute + self._lead]
        np.minimum(falling, capacity, out=falling)
        self._ready[minute + self._lead :] = capacity
        self._until = min(self._until, minute)
