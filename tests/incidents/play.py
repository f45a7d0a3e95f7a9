"""Plays a scene: through the production brain, and through 70% target tracking beside it; the verdict. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from builders import policy
from incidents.echo import echoes, forecast_at
from incidents.invariants import Record, breaches, least_for
from incidents.scene import DAY_S, HOUR_S, inside
from warmcast.coldstarts import cold_starts
from warmcast.erlang import spilled_share
from warmcast.fleet.objective import Spillover
from warmcast.simulate.compare import TARGET
from warmcast.simulate.replay import replay
from warmcast.simulate.trace import MINUTE_S, Trace
from warmcast.simulate.tracking import Tracking, target_tracking
from warmcast.simulate.world import DATA_DELAY_MIN, World, capacity_for, ready, starting_capacity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from incidents.echo import Echo
    from incidents.invariants import Breach
    from incidents.scene import Scene
    from warmcast.fleet import Policy
    from warmcast.model import FloatArray, IntArray

WORST_MIN = 5
SLACK_COLD_STARTS = 0.1
SLACK_SHARE = 0.01
"""A tenth of a cold start in the worst five minutes, or 1% of them, is no worse: the model's own error is larger."""

PROMISE = Spillover(0.01)
"""The default of a policy."""

PROMISES = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005)
"""Tighter ones, the tightest first."""

WORLD = World()

MOST_UNITS = 100_000


@dataclass(frozen=True, slots=True)
class Felt:
    """What callers felt in the judged minutes, and what capacity stood.

    Args:
        worst: cold starts in the worst five minutes in a row.
        worst_share: of the calls of those minutes.
        spillover: share of the demand that provisioned concurrency did not serve.
        mean_ready: mean READY capacity.
    """

    worst: float
    worst_share: float
    spillover: float
    mean_ready: float


@dataclass(frozen=True)
class Verdict:
    """What came of a scene: Warmcast's, target tracking's, and what must not be.

    Args:
        broken: invariants that Warmcast broke.
        echoes: what the next day and week show of it; empty where nothing is asked.
    """

    ours: Felt
    tracking: Felt
    broken: tuple[Breach, ...]
    echoes: tuple[Echo, ...]

    @property
    def colder(self) -> bool:
        """Whether the worst five minutes have more cold starts than with target tracking."""
        slack = max(SLACK_COLD_STARTS, SLACK_SHARE * self.tracking.worst)
        return self.ours.worst > self.tracking.worst + slack

    @cached_property
    def heard(self) -> tuple[Echo, ...]:
        """The echoes that are too loud."""
        return tuple(echo for echo in self.echoes if echo.heard)

    @property
    def good(self) -> bool:
        """Whether every gate holds."""
        return not (self.colder or self.broken or self.heard)


def play(scene: Scene, *, promise: Spillover = PROMISE, world: World = WORLD) -> Verdict:
    """Play a scene through both; compare, check the invariants, listen for echoes."""
    rules = policy(low=1, high=MOST_UNITS, objective=promise, **scene.keys)
    history = scene.trace.between(scene.trace.start, scene.played.end)
    run = replay(rules, history, start=scene.played.start, world=world, conditions=scene.conditions.first(len(history)))
    return Verdict(
        ours=felt(run.requested, scene, world),
        tracking=felt(tracked(scene, world), scene, world),
        broken=tuple(breaches(recorded(run.requested, scene, rules, world))),
        echoes=tuple(echoes(scene, rules, world)),
    )


def as_generous(calm: Trace, world: World = WORLD) -> Spillover:
    """The promise that target tracking at 70% pays for: the tightest whose need is no more than what it holds.

    Judged on the last day of a calm trace. 1% of spillover is no match for it on a demand of 200, where it holds a
    third more than that needs; nor would anybody compare the two: what is asked of Warmcast may cost as much.
    """
    day = calm.between(calm.end - DAY_S, calm.end)
    holds = float(target_tracking(day, world, target=TARGET, start=starting_capacity(day, world)).mean())
    for share in PROMISES:
        if float(capacity_for(day.demand, share, world.peakedness).mean()) <= holds:
            return Spillover(share)
    return PROMISE


def tracked(scene: Scene, world: World) -> IntArray:
    """Requested capacity under target tracking, shape (N,); it stands still under weights, and keeps to the reserve.

    Application Auto Scaling's request is refused as ours would be while the alias has weights.
    """
    trace = scene.trace.between(scene.played.start, scene.played.end)
    weighted = scene.conditions.weighted[inside(scene.trace, scene.played)]
    tracking = Tracking(trace, world, target=TARGET, start=starting_capacity(trace, world))
    most = scene.conditions.reserved or MOST_UNITS
    requested = np.empty(len(trace), dtype=np.int64)
    for minute in range(len(trace)):
        bounds = (tracking.capacity, tracking.capacity) if weighted[minute] else (1, most)
        requested[minute] = tracking.step(minute, *bounds)
    return requested


def felt(requested: IntArray, scene: Scene, world: World) -> Felt:
    """What callers feel of capacity that was requested in each played minute."""
    trace = scene.trace.between(scene.played.start, scene.played.end)
    stands = ready(requested, world.lead_minutes, start=starting_capacity(trace, world))
    cold = cold_starts(
        stands,
        trace.demand,
        trace.arrivals_per_s,
        keepalive_min=world.keepalive_min[:1],
        life_s=world.life_s,
        peakedness=world.peakedness,
    )[0]
    judged = inside(trace, scene.judged)
    demand = np.nan_to_num(trace.demand[judged])
    spilled = demand * spilled_share(stands[judged], demand, world.peakedness)
    colds = _sums(cold[judged])
    calls = _sums(np.nan_to_num(trace.arrivals_per_s[judged]) * MINUTE_S)
    worst = int(np.argmax(colds))
    return Felt(
        worst=float(colds[worst]),
        worst_share=float(colds[worst] / calls[worst]) if calls[worst] > 0 else 0.0,
        spillover=float(spilled.sum() / demand.sum()) if demand.sum() > 0 else 0.0,
        mean_ready=float(stands[judged].mean()),
    )


def promised(rules: Policy) -> float:
    """The share that may spill."""
    assert isinstance(rules.objective, Spillover)
    return rules.objective.share


def _sums(values: FloatArray) -> FloatArray:
    """Sums of each five minutes in a row."""
    return np.convolve(values, np.ones(WORST_MIN), mode="valid")


def recorded(requested: IntArray, scene: Scene, rules: Policy, world: World) -> Record:
    """A run as the checker of invariants wants it."""
    trace = scene.trace.between(scene.trace.start, scene.played.end)
    calls = trace.arrivals_per_s * MINUTE_S
    throttles = scene.conditions.throttles[: len(trace)]
    tried = 1 + np.divide(throttles, calls, out=np.zeros(len(trace)), where=calls > 0)
    return Record(
        start=scene.played.start,
        requested=requested,
        standing=starting_capacity(trace.between(scene.played.start, scene.played.end), world),
        measured=trace.demand * tried,
        measured_from=trace.start,
        weighted=scene.conditions.weighted[inside(scene.trace, scene.played)],
        floor=rules.capacity.min,
        ceiling=rules.capacity.max,
        reserved=scene.conditions.reserved,
        share=promised(rules),
        lead_min=world.lead_minutes,
        tick_s=world.tick_s,
        outage=scene.outage,
        needed_after_fall=_needed_after_fall(scene, rules, world),
    )


def _needed_after_fall(scene: Scene, rules: Policy, world: World) -> Mapping[int, int]:
    """At each tick of the hour after the fall: what the median of the forecast issued before it needs until the next.

    A lower bound of that forecast's need, for the promise counts its upper quantiles as well.
    """
    if scene.outage is None:
        return {}
    last_blind = (scene.outage.start + (DATA_DELAY_MIN - 1) * MINUTE_S) // world.tick_s * world.tick_s
    covers = world.lead_s + world.tick_s
    until = scene.outage.start + HOUR_S + covers
    forecast = forecast_at(scene.trace, rules, world, at=last_blind, until=until)
    median = forecast.quantile(0.5)
    ticks = range(last_blind + world.tick_s, scene.outage.start + HOUR_S, world.tick_s)
    return {
        at: least_for(float(median[(forecast.at >= at) & (forecast.at < at + covers)].max()), promised(rules))
        for at in ticks
    }
