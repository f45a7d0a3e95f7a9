"""Load: what was asked of an alias, from its usage: demand, rate, bursts; what capacities make of it. Pure numpy."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from warmcast.coldstarts import cold_starts
from warmcast.erlang import spilled_share, spilled_share_at
from warmcast.forecast.burst import peakedness
from warmcast.model import Series
from warmcast.staffing import REQUESTS_PER_UNIT_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warmcast.model import FloatArray, IntArray
    from warmcast.scan.found import Usage

OBJECTIVE = 0.01
"""Share of invocations that may spill over the whole time: what most would promise, and this project's default."""

KEEPALIVES_MIN = (10, 5, 45)
"""How long an idle environment is taken to stay warm: the headline, then the band. AWS states none."""

LIFE_S = 7200
"""Age at which a busy environment is recycled ("every few hours": Lambda developer guide, runtime-environment)."""

COLD_STEP_S = 150
"""Steps in which cold starts are counted: they find 0.91-1.0 of those by the minute, in two fifths of the time."""

_BURST_WINDOW_S = 60  # the window whose maximum `peakedness` takes a peak to be


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """What was asked of an alias in its steps, shape (N,); what is not known is no demand, and `known` says so.

    Args:
        start: epoch seconds of the first step.
        known: whether the step is known.
        demand: offered load in concurrent executions, throttles included.
        rate_per_s: requests a second, throttles included.
        duration_s: mean duration of all executions; 0 where nothing ran.
        peakedness: of the executions in progress; 1 is Poisson.
    """

    start: int
    step_s: int
    known: FloatArray
    demand: FloatArray
    rate_per_s: FloatArray
    duration_s: float
    peakedness: float

    @property
    def known_s(self) -> float:
        """Seconds that are known."""
        return float(self.known.sum()) * self.step_s

    @property
    def mean(self) -> float:
        """Mean demand over the known time."""
        return float(self.demand.sum()) / max(float(self.known.sum()), 1.0)

    def served(self, capacity: IntArray | int) -> FloatArray:
        """Executions in progress on so many units, each step's mean: within Erlang's B and 10 requests a second.

        What runs on in a step in which no request comes is within the former alone.
        """
        if isinstance(capacity, int):
            spilled = spilled_share_at(capacity, self.demand, self.peakedness)
        else:
            spilled = spilled_share(capacity, self.demand, self.peakedness)
        within = self.demand * (1 - spilled)
        most = REQUESTS_PER_UNIT_S * capacity * self._step_duration_s
        served: FloatArray = np.where(self.rate_per_s > 0, np.minimum(within, most), within)
        return served

    @property
    def _step_duration_s(self) -> FloatArray:
        duration_s: FloatArray = np.divide(
            self.demand, self.rate_per_s, out=np.zeros(len(self.demand)), where=self.rate_per_s > 0
        )
        return duration_s

    def cold_starts(self, capacity: IntArray) -> Mapping[int, float]:
        """Cold starts over the known time by keepalive in minutes, with so many units READY in each step."""
        parts = max(1, self.step_s // COLD_STEP_S)
        part_s = self.step_s / parts
        per_minute = 60 / part_s  # the model counts in steps that it calls minutes
        counts = cold_starts(
            np.repeat(capacity, parts),
            np.repeat(self.demand, parts),
            np.repeat(self.rate_per_s, parts) / per_minute,
            keepalive_min=[max(1, round(minutes * per_minute)) for minutes in KEEPALIVES_MIN],
            life_s=LIFE_S * per_minute,
            peakedness=self.peakedness,
        )
        most = float((self.rate_per_s * self.step_s).sum())
        return MappingProxyType(
            {
                minutes: min(float(count), most)
                for minutes, count in zip(KEEPALIVES_MIN, counts.sum(axis=1), strict=True)
            }
        )


def since_first_call(usage: Usage) -> Usage:
    """The usage with what lies before its first invocation not known, unless capacity certainly stood there.

    CloudWatch has nothing of an alias before it existed, which reads as idle: it would dilute what came after. Capacity
    that certainly stood there was idle indeed.
    """
    called = np.nan_to_num(usage.invocations) + np.nan_to_num(usage.throttles) > 0
    held = (np.nan_to_num(usage.capacity) > 0) & (np.nan_to_num(usage.certain) > 0)
    before = np.arange(len(called)) < int(np.argmax(called | held))
    if not called.any() or not before.any():
        return usage
    return replace(
        usage,
        invocations=np.where(before, np.nan, usage.invocations),
        capacity=np.where(before, np.nan, usage.capacity),
    )


def load_of(usage: Usage) -> Load:
    """The load of a usage."""
    known = ~np.isnan(usage.invocations)
    requests = np.nan_to_num(usage.invocations) + np.where(known, np.nan_to_num(usage.throttles), 0.0)
    ran = known & ~np.isnan(usage.duration_s)
    executed_s = float((usage.invocations[ran] * usage.duration_s[ran]).sum())
    count = float(usage.invocations[ran].sum())
    duration_s = executed_s / count if count > 0 else 0.0
    return Load(
        start=usage.start,
        step_s=usage.step_s,
        known=known.astype(np.float64),
        demand=np.nan_to_num(usage.demand),
        rate_per_s=requests / usage.step_s,
        duration_s=duration_s,
        peakedness=_peakedness(usage, duration_s),
    )


def _peakedness(usage: Usage, duration_s: float) -> float:
    """From each step's peak against its mean, as `warmcast.forecast.burst` has it of minutes; 1 where nothing tells.

    A longer window has more looks at the group: 5 minutes of executions of 1 s have as many as a minute of those of
    0.2 s. A ramp within a step would pass for a burst, so the mean that a peak is held against is the highest of the
    step's and its neighbours'.
    """
    demand = usage.demand
    ends = np.concatenate([demand[:1], demand, demand[-1:]])
    level = np.fmax(np.fmax(ends[:-2], ends[2:]), demand)
    unknown = np.full(len(demand), np.nan)
    around = Series(
        start=0,
        step_s=usage.step_s,
        work_s=level * usage.step_s,
        arrivals=unknown,
        throttles=unknown,
        peak=np.where(np.nan_to_num(usage.throttles) > 0, np.nan, usage.peak),
        spilled=unknown,
    )
    return peakedness(around, duration_s * _BURST_WINDOW_S / usage.step_s)


# --- how much is needed ----------------------------------------------------------------------------------------------


def constant_need(load: Load, objective: float = OBJECTIVE) -> int:
    """The least constant capacity of which Erlang's B spills at most this share of the demand over the whole time.

    Not each step: a peak that lasts an hour a week may spill more if the rest spills less. At least 1; by bisection.
    """
    demand = load.demand[load.demand > 0]
    allowed = objective * float(demand.sum())
    if not len(demand):
        return 1

    def enough(units: int) -> bool:
        return float(demand @ spilled_share_at(units, demand, load.peakedness)) <= allowed

    low = max(1, math.floor((1 - objective) * load.mean))
    high = low + 1
    while not enough(high):
        low, high = high, high + 2 * (high - low) + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return high
