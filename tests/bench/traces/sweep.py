"""One trace: every policy at every setting. Touches the trace's file, read only, and the process's own clock.

Warmcast is the production brain as most users would have it: `capacity: {min: 1, max: 100000}`, all else at its
default, the objective swept. It is asked for looser spillovers as well, for policies that leave almost as many cold
starts as none at all are to be met where they stand; and for a tighter one where target tracking at 70% spills less
than the tightest objective. Promises are counted without these.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from bench.traces.frontier import KEEPALIVES, Point
from bench.traces.kinds import Kind, kind_of
from builders import policy
from warmcast.commands.backtest import LEARNING_S
from warmcast.fleet import Savings, Spillover
from warmcast.simulate.baselines import clairvoyant_reaching, cron_table, none, static_peak
from warmcast.simulate.compare import CLAIRVOYANT, CRON_TABLE, NONE, STATIC_PEAK, TARGET_TRACKING, WARMCAST
from warmcast.simulate.reading import read_trace
from warmcast.simulate.replay import replay
from warmcast.simulate.score import score
from warmcast.simulate.trace import MINUTE_S
from warmcast.simulate.tracking import target_tracking
from warmcast.simulate.world import World, starting_capacity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from warmcast.fleet import Objective, Policy
    from warmcast.model import IntArray
    from warmcast.simulate.trace import Trace

SAVINGS: Final = "savings"
"""Warmcast with the objective `savings`, min 0 and no stack that owns the config."""

WORLD: Final = World(keepalive_min=KEEPALIVES)
ZONE: Final = ZoneInfo("UTC")

TARGETS: Final = tuple(round(0.05 * step, 2) for step in range(2, 19))
USUAL_TARGET: Final = 0.7
QUANTILES: Final = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.975, 0.99, 1.0)
FORESEEN: Final = (0.0001, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Spillovers that perfect foresight is made to reach."""

LOOSE: Final = (0.2, 0.5)
"""Spillovers asked for beside the objectives; a policy may not ask for more than half."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What was measured on one trace.

    Args:
        name: the trace's file name without its ending.
        kind: how it was measured.
        scored_days: days that were scored.
        two_weeks: whether two weeks of training came before.
        asked: the objectives that every trace is swept over.
        points: each policy's settings, by the policy's name.
        ticks: that Warmcast lived through, all settings together.
        ticking_s: processor time of those, the simulated world included.
    """

    name: str
    kind: Kind
    scored_days: float
    two_weeks: bool
    asked: tuple[float, ...]
    points: Mapping[str, tuple[Point, ...]]
    ticks: int
    ticking_s: float

    def at(self, policy_name: str, setting: float) -> Point:
        """A policy at one of its settings."""
        return next(point for point in self.points[policy_name] if point.setting == setting)

    @property
    def tracked(self) -> Point:
        """Target tracking at 70%."""
        return self.at(TARGET_TRACKING, USUAL_TARGET)

    @property
    def nothing(self) -> Point:
        """No provisioned concurrency."""
        return self.points[NONE][0]


def sweep(path: Path, objectives: tuple[float, ...]) -> Swept:
    """Measure every policy on a trace; minutes of work for a long one."""
    trace = read_trace(path, duration_ms=WORLD.duration_ms)
    start = trace.start + min(LEARNING_S, len(trace) // 2 * MINUTE_S)
    stage = _Stage(trace, start)
    points = {name: tuple(found) for name, found in _others(stage).items()}
    tracked = next(each for each in points[TARGET_TRACKING] if each.setting == USUAL_TARGET)
    asked = [*objectives, *beyond(objectives, tracked.spillover)]
    points[WARMCAST] = tuple(stage.asked_for(share) for share in asked)
    points[SAVINGS] = (stage.saving(),)
    return Swept(
        name=path.name.removesuffix(".gz").removesuffix(".csv"),
        kind=kind_of(trace),
        scored_days=len(stage.scored) * MINUTE_S / 86_400,
        two_weeks=start - trace.start >= LEARNING_S,
        asked=objectives,
        points=points,
        ticks=stage.ticks,
        ticking_s=stage.ticking_s,
    )


def beyond(objectives: tuple[float, ...], tracked: float) -> Iterator[float]:
    """What is asked beside the objectives; half of what target tracking spills, where no objective is as tight."""
    yield from (share for share in LOOSE if share > max(objectives))
    if 0 < tracked < min(objectives):
        yield tracked / 2


class _Stage:
    """A trace on which policies play; it counts Warmcast's ticks and their time."""

    def __init__(self, trace: Trace, start: int) -> None:
        self.trace, self.start = trace, start
        self.training, self.scored = trace.between(trace.start, start), trace.between(start, trace.end)
        self.ticks = 0
        self.ticking_s = 0.0

    def point(self, setting: float, requested: IntArray) -> Point:
        """How a policy's capacity scores."""
        found = score(requested, self.scored, WORLD, none=None)
        return Point(
            setting=setting,
            allocation_usd=found.allocation_usd,
            total_usd=found.total_usd,
            spillover=found.spillover,
            cold=tuple(found.keepalive[minutes] for minutes in KEEPALIVES),
            worst=found.worst_5min_cold_share,
            changes_per_day=found.changes_per_day,
        )

    def asked_for(self, share: float) -> Point:
        """Warmcast with this objective."""
        return self.point(share, self._warmcast(_policy(1, Spillover(share))))

    def saving(self) -> Point:
        """Warmcast with the objective `savings`, free to have no provisioned concurrency at all."""
        return self.point(0.0, self._warmcast(_policy(0, Savings(), stack_owns_config=False)))

    def _warmcast(self, rules: Policy) -> IntArray:
        began = time.process_time()
        run = replay(rules, self.trace, start=self.start, world=WORLD)
        self.ticking_s += time.process_time() - began
        self.ticks += len(run.decisions)
        return run.requested


def _policy(least: int, objective: Objective, **keys: object) -> Policy:
    return policy("trace:live", low=least, high=100_000, objective=objective, timezone=ZONE.key, **keys)


def _others(stage: _Stage) -> dict[str, list[Point]]:
    """What the user would have otherwise, over each one's own parameter."""
    training, scored = stage.training, stage.scored
    begins = starting_capacity(scored, WORLD)
    tracking = {each: target_tracking(scored, WORLD, target=each, start=begins) for each in TARGETS}
    tables = {each: cron_table(training, scored, WORLD, level=each, zone=ZONE) for each in QUANTILES}
    foresight = {each: clairvoyant_reaching(scored, WORLD, spillover=each) for each in FORESEEN}
    lines: dict[str, Mapping[float, IntArray]] = {
        NONE: {0.0: none(scored)},
        STATIC_PEAK: {0.0: static_peak(training, scored, WORLD)},
        TARGET_TRACKING: tracking,
        CRON_TABLE: tables,
        CLAIRVOYANT: foresight,
    }
    return {name: [stage.point(*line) for line in settings.items()] for name, settings in lines.items()}
