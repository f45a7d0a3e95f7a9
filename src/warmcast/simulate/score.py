"""A policy's score on a trace: its bill, spillover and cold starts, from the capacity that it requested. Pure.

Everything is weighed by demand: a gap bills allocation and carries nothing.

    total = allocation + duration of what was served, at provisioned concurrency's rate
          + duration of what spilled, at the on-demand rate
          + init of each new unit, at provisioned concurrency's rate, and of each cold start, at the on-demand rate
          + requests
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from warmcast.coldstarts import cold_starts
from warmcast.erlang import spilled_share
from warmcast.simulate.trace import MINUTE_S
from warmcast.simulate.world import billed_unit_minutes, new_units, ready, starting_capacity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warmcast.model import FloatArray, IntArray
    from warmcast.simulate.trace import Trace
    from warmcast.simulate.world import World

MINUTES_PER_DAY = 1440
WINDOW_MIN = 5


@dataclass(frozen=True, slots=True)
class Score:
    """What a policy cost and what its callers felt.

    Args:
        total_usd: the whole bill.
        allocation_usd: of it, what the provisioned concurrency cost whether used or not.
        spillover: share of the demand that provisioned concurrency did not serve; 0 where there was no demand.
        cold_starts_per_10k: cold starts per 10,000 invocations, at the headline keepalive.
        worst_5min_cold_share: cold starts / invocations of the five minutes in a row with the most cold starts.
        usd_per_cold_start_avoided: (total - that of no provisioned concurrency) / cold starts that this one has more;
            negative where the policy saves money, None where it avoids none or is not compared.
        mean_capacity: mean READY capacity over all minutes.
        utilization: demand served / READY capacity, over the minutes that are no gap; 0 without capacity.
        changes_per_day: how often requested capacity changed.
        keepalive: cold starts per 10,000 invocations by keepalive in minutes, the headline first.
        invocations: how many there were, served or spilled.
    """

    total_usd: float
    allocation_usd: float
    spillover: float
    cold_starts_per_10k: float
    worst_5min_cold_share: float
    usd_per_cold_start_avoided: float | None
    mean_capacity: float
    utilization: float
    changes_per_day: float
    keepalive: Mapping[int, float]
    invocations: float


@dataclass(frozen=True, slots=True, eq=False)
class _Played:
    """A trace served with the capacity that a policy requested; arrays of shape (N,), a gap is no demand."""

    requested: IntArray
    start: int
    ready: IntArray
    demand: FloatArray
    arrivals: FloatArray
    spilled: FloatArray


def score(requested: IntArray, trace: Trace, world: World, *, none: Score | None, start: int | None = None) -> Score:
    """The score of capacity requested in each minute of the trace, shape (N,).

    `none` is that of no capacity at all; `start` was READY before the first minute (default: its need).
    """
    played = _play(requested, trace, world, start=start)
    cold = cold_starts(
        played.ready,
        trace.demand,
        trace.arrivals_per_s,
        keepalive_min=world.keepalive_min,
        life_s=world.life_s,
        peakedness=world.peakedness,
    )
    invocations = float(played.arrivals.sum())
    counts = cold.sum(axis=1)
    per_10k = [_share(float(count), invocations) * 10_000 for count in counts]
    total = _total_usd(played, world, cold_starts=float(counts[0]))
    served = played.demand - played.spilled
    return Score(
        total_usd=total,
        allocation_usd=allocation_usd(requested, world),
        spillover=_share(float(played.spilled.sum()), float(played.demand.sum())),
        cold_starts_per_10k=per_10k[0],
        worst_5min_cold_share=_worst_share(cold[0], played.arrivals),
        usd_per_cold_start_avoided=None if none is None else _usd_per_avoided(total, per_10k[0], none),
        mean_capacity=_share(float(played.ready.sum()), len(trace)),
        utilization=_share(float(served.sum()), float(played.ready[~np.isnan(trace.demand)].sum())),
        changes_per_day=_share(float(np.count_nonzero(np.diff(requested))) * MINUTES_PER_DAY, len(trace)),
        keepalive=MappingProxyType(dict(zip(world.keepalive_min, per_10k, strict=True))),
        invocations=invocations,
    )


def spillover(requested: IntArray, trace: Trace, world: World) -> float:
    """The share of the trace's demand that capacity requested in each of its minutes would spill, weighed by demand."""
    played = _play(requested, trace, world)
    return _share(float(played.spilled.sum()), float(played.demand.sum()))


def allocation_usd(requested: IntArray, world: World) -> float:
    """What provisioned concurrency costs whether used or not, for capacity requested in each minute."""
    return billed_unit_minutes(requested) * MINUTE_S * world.gb * world.prices.allocation_usd_per_gb_s


def _play(requested: IntArray, trace: Trace, world: World, *, start: int | None = None) -> _Played:
    if len(requested) != len(trace):
        raise ValueError(f"{len(requested)} minutes of capacity for {len(trace)} minutes of demand")
    start = starting_capacity(trace, world) if start is None else start
    available = ready(requested, world.lead_minutes, start=start)
    demand = np.nan_to_num(trace.demand)
    return _Played(
        requested=requested,
        start=start,
        ready=available,
        demand=demand,
        arrivals=np.nan_to_num(trace.arrivals_per_s) * MINUTE_S,
        spilled=demand * spilled_share(available, demand, world.peakedness),
    )


def _total_usd(played: _Played, world: World, *, cold_starts: float) -> float:
    prices, init_s = world.prices, world.init_ms / 1000
    spilled_s = float(played.spilled.sum()) * MINUTE_S
    served_s = float(played.demand.sum()) * MINUTE_S - spilled_s
    provisioned_s = served_s + new_units(played.requested, start=played.start) * init_s
    on_demand_s = spilled_s + cold_starts * init_s
    return (
        allocation_usd(played.requested, world)
        + provisioned_s * world.gb * prices.duration_usd_per_gb_s
        + on_demand_s * world.gb * prices.on_demand_usd_per_gb_s
        + float(played.arrivals.sum()) * prices.request_usd
    )


def _worst_share(cold: FloatArray, arrivals: FloatArray) -> float:
    """The worst five minutes are those with the most cold starts: a share alone would be worst where nobody calls."""
    window = np.ones(min(WINDOW_MIN, len(cold)))
    if not len(window):
        return 0.0
    colds = np.convolve(cold, window, mode="valid")
    worst = int(np.argmax(colds))
    return _share(float(colds[worst]), float(arrivals[worst : worst + len(window)].sum()))


def _usd_per_avoided(total_usd: float, cold_starts_per_10k: float, none: Score) -> float | None:
    avoided = (none.cold_starts_per_10k - cold_starts_per_10k) / 10_000 * none.invocations
    return (total_usd - none.total_usd) / avoided if avoided > 0 else None


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0
