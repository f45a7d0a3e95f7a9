"""Minutes of traffic as Lambda reports them: a demand becomes invocations, peaks, durations and spillover. Pure.

Arrivals are Poisson; the highest concurrency of a minute is the highest of as many independent looks as executions fit
into the minute one after the other (60 at most); what spills is Erlang's share of the capacity, or what is above 10
requests a second for each unit, whichever is more; units that requests bind are in use as little as they serve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from localaws import Traffic

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

DAYS = 14
LENGTH = DAYS * 1440
REQUESTS_PER_UNIT_S = 10
_MOST_LOOKS = 60


@dataclass(frozen=True, slots=True)
class Clockwork:
    """When each minute is: the first is 14 days before the last, which ends now.

    Args:
        first: epoch minute of the first.
    """

    first: int

    @property
    def of_day(self) -> FloatArray:
        """Minutes since midnight UTC, shape (N,)."""
        return ((self.first + np.arange(LENGTH)) % 1440).astype(np.float64)

    @property
    def weekday(self) -> FloatArray:
        """0 Monday to 6 Sunday, shape (N,)."""
        return (((self.first + np.arange(LENGTH)) // 1440 + 3) % 7).astype(np.float64)

    def office(self, opens: int, closes: int) -> npt.NDArray[np.bool_]:
        """Where it is a weekday between two hours UTC, shape (N,)."""
        return (self.weekday < 5) & (self.of_day >= opens * 60) & (self.of_day < closes * 60)


def steady(demand: float) -> FloatArray:
    """The same demand in every minute."""
    return np.full(LENGTH, float(demand))


def traffic(
    demand: FloatArray,
    random: np.random.Generator,
    *,
    duration_s: float = 0.5,
    capacity: FloatArray | float | None = None,
    reserved: int | None = None,
) -> Traffic:
    """What Lambda reports of a demand (concurrent executions in each minute, shape (N,)).

    Args:
        demand: offered.
        random: where chance comes from.
        duration_s: mean of an execution; each minute's mean differs by some 3%.
        capacity: provisioned concurrency that stood there; None: none ever.
        reserved: what the function reserves: what is above it is throttled.
    """
    arrivals = random.poisson(demand * 60 / duration_s).astype(np.float64)
    looks = int(np.clip(round(60 / duration_s), 1, _MOST_LOOKS))
    peak = np.max([random.poisson(demand) for _ in range(looks)], axis=0)
    peak = np.where(arrivals > 0, np.clip(peak, 1, np.maximum(arrivals, 1)), 0.0)
    lost = erlang_b(reserved, demand) if reserved is not None else np.zeros(LENGTH)
    refused = np.round(arrivals * lost)
    served = arrivals - refused
    seconds = served * duration_s * random.normal(1.0, 0.03, LENGTH).clip(0.8, 1.2)
    peak = peak if reserved is None else np.minimum(peak, reserved)
    if capacity is None:
        return Traffic(served, seconds * 1000, peak, throttles=refused)
    units = np.broadcast_to(np.asarray(capacity, dtype=np.float64), LENGTH).copy()
    by_rate = np.clip(1 - REQUESTS_PER_UNIT_S * units * 60 / np.maximum(served, 1), 0, 1)
    spilled = random.binomial(served.astype(np.int64), np.maximum(_spilled(units, demand), by_rate)).astype(np.float64)
    bound = np.max([random.poisson(demand * (1 - by_rate)) for _ in range(looks)], axis=0)
    in_use = np.where(by_rate > 0, np.minimum(bound, peak), peak)
    return Traffic(served, seconds * 1000, peak, throttles=refused, spilled=spilled, capacity=units, in_use=in_use)


def together(parts: list[Traffic]) -> Traffic:
    """Several as one, as Lambda reports the whole function or Region; the peak is that of their mean load."""
    invocations, duration_ms = (
        np.sum([getattr(part, name) for part in parts], axis=0) for name in ("invocations", "duration_ms")
    )
    throttles = np.sum([np.zeros(LENGTH) if part.throttles is None else part.throttles for part in parts], axis=0)
    load = duration_ms / 60_000
    likely = np.ceil(load + 3.3 * np.sqrt(load))
    highest = np.max([part.concurrency for part in parts], axis=0)
    return Traffic(invocations, duration_ms, np.maximum(likely, highest), throttles=throttles)


def erlang_b(capacity: int, demand: FloatArray) -> FloatArray:
    """Erlang's B by its textbook recursion, 1/B(c) = 1 + c/a x 1/B(c - 1), for one capacity and demands (N,)."""
    inverse = np.ones_like(demand)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        for units in range(1, int(capacity) + 1):
            inverse = 1 + units / demand * inverse
        return np.where(demand > 0, 1 / inverse, 0.0)


def _spilled(units: FloatArray, demand: FloatArray) -> FloatArray:
    share = np.empty(LENGTH)
    for capacity in np.unique(units):
        there = units == capacity
        share[there] = erlang_b(int(capacity), demand[there])
    return share
