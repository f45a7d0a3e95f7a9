"""What became of one target's day: the figures that the table and the picture show. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from demo.bill import Request, billed_unit_s
from demo.traffic import MINUTE_S
from warmcast.model import Actuator, Mode

if TYPE_CHECKING:
    from warmcast.model import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class PlayedDay:
    """One target's day, minute by minute; every array has one entry a minute.

    Args:
        name: the target, `function:qualifier`.
        title: a few words on its traffic.
        mode: how far its policy trusts Warmcast.
        actuator: which AWS interface carries a capacity out.
        policy: objective, actuator and mode in a few words.
        start: epoch seconds of the first minute.
        demand: offered load in concurrent executions; NaN is a gap.
        arrivals: invocations; NaN is a gap.
        ready: capacity that was READY in the minute.
        requested: capacity requested by the minute's end: what is billed.
        wanted: capacity (by Application Auto Scaling: minimum) that the newest decision wanted, its mode aside.
        floor: the least capacity that rules allowed, as of the newest decision.
        spilled: invocations that found no provisioned capacity.
        static: capacity that serves the highest minute of the past within 1% spillover: what one would set by hand.
        static_spilled: invocations that would have spilled at `static`.
        usd_per_unit_hour: price of one unit.
    """

    name: str
    title: str
    mode: Mode
    actuator: Actuator
    policy: str
    start: int
    demand: FloatArray
    arrivals: FloatArray
    ready: IntArray
    requested: IntArray
    wanted: IntArray
    floor: IntArray
    spilled: FloatArray
    static: int
    static_spilled: FloatArray
    usd_per_unit_hour: float

    @property
    def minutes(self) -> int:
        """Minutes played."""
        return len(self.demand)

    @property
    def wanted_apart(self) -> bool:
        """Whether what is wanted is not simply what is set: it is withheld, or only the minimum is."""
        return self.mode is not Mode.APPLY or self.actuator is Actuator.AUTOSCALING

    @property
    def spillover(self) -> float:
        """Share of the day's invocations that provisioned concurrency did not serve; 0 if there were none."""
        return _share(self.spilled, self.arrivals)

    @property
    def static_spillover(self) -> float:
        """The same at static peak capacity."""
        return _share(self.static_spilled, self.arrivals)

    @property
    def changes(self) -> int:
        """How often the requested capacity changed."""
        return int(np.count_nonzero(np.diff(self.requested)))

    @property
    def usd(self) -> float:
        """What the day's allocation costs."""
        steps = np.flatnonzero(np.diff(self.requested, prepend=-1))
        requests = [Request(int(step) * MINUTE_S, int(self.requested[step])) for step in steps]
        return billed_unit_s(requests, self.minutes * MINUTE_S) / 3600 * self.usd_per_unit_hour

    @property
    def static_usd(self) -> float:
        """What static peak capacity costs over the same time."""
        return self.static * self.minutes / 60 * self.usd_per_unit_hour

    @property
    def saved(self) -> float:
        """Share of the static peak's allocation cost that was not spent; negative if more was."""
        return 1 - self.usd / self.static_usd if self.static_usd else 0.0


def _share(part: FloatArray, whole: FloatArray) -> float:
    total = float(np.nansum(whole))
    return float(np.nansum(part)) / total if total else 0.0
