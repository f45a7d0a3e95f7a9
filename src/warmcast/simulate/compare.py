"""Compares a policy on a trace with what the user would have otherwise: a line and a score for each. Pure.

replay      the policy, through the production brain
baselines   the others, on the same minutes, with what came before as their training
score       each line's bill, spillover and cold starts
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from warmcast.simulate import baselines
from warmcast.simulate.replay import replay
from warmcast.simulate.score import score
from warmcast.simulate.tracking import target_tracking
from warmcast.simulate.world import ready, starting_capacity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warmcast.fleet import Policy
    from warmcast.model import IntArray
    from warmcast.simulate.actual import Actual
    from warmcast.simulate.replay import Replay
    from warmcast.simulate.score import Score
    from warmcast.simulate.trace import Trace
    from warmcast.simulate.world import World

ACTUAL = "actual"
WARMCAST = "warmcast"
NONE = "none"
STATIC_PEAK = "static_peak"
CRON_TABLE = "cron_table"
TARGET_TRACKING = "target_tracking"
EC2_PREDICTIVE = "ec2_predictive"
CLAIRVOYANT = "clairvoyant"

TARGET = 0.7
"""The utilization that target tracking and predictive scaling keep: AWS's own example for Lambda."""

CRON_LEVEL = 0.95
"""The quantile of each hour's need that a careful person would put into a table."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One policy's capacity in each scored minute, requested and READY, and its score."""

    requested: IntArray
    ready: IntArray
    score: Score


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Everything that a backtest tells.

    Args:
        policy: the policy as it was written.
        training: the minutes before the start.
        scored: the minutes from the start on.
        world: what the trace doesn't tell.
        replay: what Warmcast decided.
        lines: every policy's, Warmcast's first; before it what was actually run, where that is known.
        actual: what was actually run, as far as it can be told; None where the trace does not tell.
        remarks: what is to be known of the trace, a sentence each.
    """

    policy: Policy
    training: Trace
    scored: Trace
    world: World
    replay: Replay
    lines: Mapping[str, Line]
    actual: Actual | None = None
    remarks: tuple[str, ...] = ()


def compare(
    policy: Policy,
    trace: Trace,
    *,
    start: int,
    world: World,
    actual: Actual | None = None,
    remarks: tuple[str, ...] = (),
) -> Comparison:
    """Replay the policy from `start` (epoch seconds, a full minute within the trace) and score it beside the others.

    `actual` is what was actually run in the minutes from `start` on, where it is known: it starts with what stood then.
    """
    training, scored = trace.between(trace.start, start), trace.between(start, trace.end)
    begins = starting_capacity(scored, world)
    nothing = baselines.none(scored)
    unprovided = score(nothing, scored, world, none=None)

    def line(requested: IntArray, start: int = begins) -> Line:
        available = ready(requested, world.lead_minutes, start=start)
        return Line(requested, available, score(requested, scored, world, none=unprovided, start=start))

    run = replay(policy, trace, start=start, world=world)
    ours = line(run.requested)
    lines = {
        **({} if actual is None else {ACTUAL: line(actual.capacity, int(actual.capacity[0]))}),
        WARMCAST: ours,
        NONE: line(nothing),
        STATIC_PEAK: line(baselines.static_peak(training, scored, world)),
        CRON_TABLE: line(baselines.cron_table(training, scored, world, level=CRON_LEVEL, zone=policy.timezone)),
        TARGET_TRACKING: line(target_tracking(scored, world, target=TARGET, start=begins)),
        EC2_PREDICTIVE: line(baselines.ec2_predictive(training, scored, world, target=TARGET)),
        CLAIRVOYANT: line(baselines.clairvoyant_reaching(scored, world, spillover=ours.score.spillover)),
    }
    return Comparison(policy, training, scored, world, run, lines, actual, remarks)
