"""The simulated world: what a trace doesn't tell, and the arithmetic of one minute in it. Pure numpy.

When requested capacity is READY, what share of a demand it spills, how many units a demand needs, what AWS bills for
capacity. Everything works on whole traces at once; the textbook's loops are in the tests.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from warmcast.erlang import spilled_share
from warmcast.prices import MB_PER_GB, UnitPrices, unit_prices
from warmcast.simulate.trace import MINUTE_S

if TYPE_CHECKING:
    import numpy.typing as npt

    from warmcast.model import FloatArray, IntArray
    from warmcast.simulate.trace import Trace

BILLING_STEP_MIN = 5
"""Capacity is billed from its request to its end, rounded up to so many minutes (aws.amazon.com/lambda/pricing)."""

DATA_DELAY_MIN = 2
"""At minute t the rows stamped t - 2 and before can be seen."""

STARTING_SPILLOVER = 0.01
"""Every policy starts READY at what the first minute needs for this much spillover."""


@dataclass(frozen=True, slots=True)
class World:
    """What a trace doesn't tell of the function and its Region.

    Args:
        duration_ms: mean duration of an execution, where the trace doesn't tell.
        init_ms: how long an environment's init takes.
        memory_mb: the function's memory.
        region: whose prices hold.
        architecture: `x86_64` or `arm64`.
        peakedness: burstiness of arrivals within the minute; 1 is Poisson.
        tick_s: seconds between two ticks.
        lead_s: from a request for capacity until it is READY; whole minutes count, rounded up.
        keepalive_min: how long an idle on-demand environment stays warm: the headline, then the band. AWS states none.
        life_s: age at which an on-demand environment is recycled.
        known_prices: what the function pays; None: the bundled table's for Region and architecture.
        prices_source: where they are from, in words; empty: the bundled table.
    """

    duration_ms: float = 500
    init_ms: float = 500
    memory_mb: int = 1024
    region: str = "us-east-1"
    architecture: str = "x86_64"
    peakedness: float = 1.0
    tick_s: int = 300
    lead_s: int = 120
    keepalive_min: tuple[int, ...] = (10, 5, 45)
    life_s: int = 7200
    known_prices: UnitPrices | None = None
    prices_source: str = ""

    @property
    def lead_minutes(self) -> int:
        """Whole minutes from a request until it is READY."""
        return math.ceil(self.lead_s / MINUTE_S)

    @property
    def gb(self) -> float:
        """The function's memory in GB, as Lambda bills it."""
        return self.memory_mb / MB_PER_GB

    @property
    def prices(self) -> UnitPrices:
        """What the function pays there."""
        return self.known_prices or unit_prices(self.region, self.architecture)


def ready(requested: IntArray, lead_minutes: int, *, start: int | None = None) -> IntArray:
    """READY capacity of each minute: a rise after the lead time (nothing of it before), a fall at once.

    A unit is READY once it was requested for the whole lead time, so READY is the least that was requested in
    [t - lead, t]. Before the first minute `start` was READY (default: what the first minute requests).

    | requested, lead 2 | READY             |
    | ----------------- | ----------------- |
    | 1 5 5 5 2 2       | 1 1 1 5 2 2       |
    | 1 5 1 5 5 5       | 1 1 1 1 1 5       |
    """
    if not len(requested):
        return requested
    before = np.full(lead_minutes, requested[0] if start is None else start, dtype=np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([before, requested]), lead_minutes + 1)
    least: IntArray = windows.min(axis=1)
    return least


def starting_capacity(scored: Trace, world: World) -> int:
    """What every policy starts with: the need of the first minute that is no gap, at 1% of spillover."""
    known = scored.demand[~np.isnan(scored.demand)][:1]
    return int(capacity_for(known, STARTING_SPILLOVER, world.peakedness).sum())


# --- what spills -----------------------------------------------------------------------------------------------------


def capacity_for(demand: FloatArray, spillover: float, peakedness: float = 1.0) -> IntArray:
    """The need of each minute: the least capacity that spills at most this share, shape (N,); a gap needs nothing."""
    values, where = np.unique(np.nan_to_num(demand), return_inverse=True)
    alone = Blocks(demand=values, block=np.arange(len(values), dtype=np.int64), peakedness=peakedness)
    needed: IntArray = alone.capacity_for(spillover)[where]
    return needed


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Minutes in blocks; the minutes of a block have one capacity together.

    Args:
        demand: of each minute, shape (N,); no gaps.
        block: the number of each minute's block, 0 to B - 1, none left out, shape (N,).
        peakedness: of the arrivals.
    """

    demand: FloatArray
    block: IntArray
    peakedness: float

    def capacity_for(
        self, spillover: float, *, at_least: IntArray | None = None, at_most: IntArray | None = None
    ) -> IntArray:
        """The least capacity of each block that spills at most this share (above 0) of its demand, shape (B,).

        By bisection; `at_least` and `at_most` are bounds of the answer, shape (B,), where the caller knows them.
        """
        low = self._carrying(1 - spillover) if at_least is None else at_least
        high = self._enough_for(spillover) if at_most is None else at_most
        while (low < high).any():
            middle = (low + high) // 2
            enough = self._spills_at_most(spillover, middle)
            high = np.where(enough, middle, high)
            low = np.where(enough, low, np.minimum(middle + 1, high))
        return high

    def _carrying(self, share: float) -> IntArray:
        """No capacity carries more than itself, so less than this can't carry that share of a block's mean demand."""
        mean = np.bincount(self.block, self.demand) / np.bincount(self.block)
        return np.asarray(np.maximum(share, 0.0) * mean * (1 - 1e-12), dtype=np.int64)

    def _enough_for(self, spillover: float) -> IntArray:
        """Some capacity that is enough: the block's peak and so many standard deviations, more until it is."""
        peak = np.zeros(int(self.block.max(initial=-1)) + 1)
        np.maximum.at(peak, self.block, self.demand)
        margin = np.where(peak > 0, 2 * np.sqrt(peak * self.peakedness) + 2 * self.peakedness, 0.0)
        high = np.ceil(peak + margin).astype(np.int64)
        while not (enough := self._spills_at_most(spillover, high)).all():
            margin = np.where(enough, margin, 2 * margin)
            high = np.ceil(peak + margin).astype(np.int64)
        return high

    def _spills_at_most(self, spillover: float, capacity: IntArray) -> npt.NDArray[np.bool_]:
        spilled = self.demand * spilled_share(capacity[self.block], self.demand, self.peakedness)
        enough: npt.NDArray[np.bool_] = np.bincount(self.block, spilled - spillover * self.demand) <= 0
        return enough


# --- what AWS bills --------------------------------------------------------------------------------------------------


def billed_unit_minutes(requested: IntArray) -> float:
    """Unit-minutes billed for capacity: each unit from its request to its end, rounded up to 5 minutes; shape (N,) in.

    The last unit requested is the first to go; those left when the trace ends, end with it. AWS's page speaks of the
    whole configuration; that each unit counts by itself is assumed.

    | requested per minute | billed                                   |
    | -------------------- | ---------------------------------------- |
    | 1 1 1 1 1 1          | one unit of 6 minutes: 10                |
    | 1 3 1 1 1            | one of 5 minutes, two of 1 minute: 15    |
    | 2 1 2 1 2            | one of 5 minutes, three of 1 minute: 20  |
    """
    stack: list[_Units] = []
    held, billed = 0, 0
    changes = np.flatnonzero(np.diff(requested, prepend=0, append=0))
    for minute in changes.tolist():
        wanted = int(requested[minute]) if minute < len(requested) else 0
        if wanted > held:
            stack.append(_Units(minute, wanted - held))
        leaving = held - wanted
        while leaving > 0:
            newest = stack.pop()
            gone = min(newest.count, leaving)
            billed += gone * _rounded_up(minute - newest.since)
            if newest.count > gone:
                stack.append(_Units(newest.since, newest.count - gone))
            leaving -= gone
        held = wanted
    return float(billed)


@dataclass(frozen=True, slots=True)
class _Units:
    """So many units, requested in the same minute."""

    since: int
    count: int


def _rounded_up(minutes: int) -> int:
    return -(-minutes // BILLING_STEP_MIN) * BILLING_STEP_MIN


def new_units(requested: IntArray, *, start: int = 0) -> int:
    """Units that were added over the trace, whose init is billed; `start` were there before it."""
    return int(np.maximum(np.diff(requested, prepend=start), 0).sum())
