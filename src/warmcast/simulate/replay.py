"""Replays a demand trace through the production brain with a simulated clock: policy + trace -> decisions. Pure.

    observe    the history that CloudWatch would show at that instant, and the state that Lambda would show
    learn      as `Knowledge` says, from that history
    think      the brain's own decision (`brain.think`), whatever the policy's mode
    share      where the function reserves concurrency, as a tick would clamp to it
    act        the simulated alias obeys; memory keeps what the controller would remember of it

Nothing of a minute is seen before two more minutes have passed, so a decision depends on nothing that came later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, assert_never

import numpy as np

from warmcast.brain import think
from warmcast.calendar import bounds
from warmcast.erlang import spilled_share
from warmcast.knowledge import Knowledge
from warmcast.memory import after_look, after_outcome, with_policy
from warmcast.model import (
    NO_CAPACITY,
    Action,
    Actuator,
    Budget,
    Capacity,
    History,
    Memory,
    Mode,
    Observation,
    Outcome,
    Result,
    Rhythm,
    ScalableTarget,
    Series,
    Status,
    TargetId,
    TargetState,
)
from warmcast.outcomes import held
from warmcast.share import Limits, share
from warmcast.simulate.conditions import Conditions
from warmcast.simulate.trace import MINUTE_S
from warmcast.simulate.tracking import Tracking
from warmcast.simulate.world import DATA_DELAY_MIN, ready, starting_capacity
from warmcast.situation import lead_time_of

if TYPE_CHECKING:
    from warmcast.fleet import Policy
    from warmcast.model import Decision, FloatArray, IntArray
    from warmcast.simulate.trace import Trace
    from warmcast.simulate.world import World

STEP_S = 300
STEP_MINUTES = STEP_S // MINUTE_S

COARSE_S = 14 * 86_400
FINE_S = 6 * 3600
FOLD_S = 3600
"""As a tick keeps it: minutes of six hours or a little more, folded by the hour into steps of the two weeks before."""

TRACKED_UTILIZATION = 0.7
"""What the scaling policy of the actuator `autoscaling` keeps above Warmcast's minimum."""

SHIFTING = {"2": 0.1}
"""Any weights of another version: Lambda then refuses to change provisioned concurrency."""

BEFORE_FIRST_TICK = "start"
"""The reason of the minutes before the first tick: they hold what every policy starts with."""


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """What a policy did over the minutes from the start to the trace's end, shape (N,) each.

    Args:
        decisions: one a tick, oldest first.
        requested: capacity requested in each minute.
        ready: capacity that serves in each minute.
        floor: the least that rules allowed, as of the last tick.
        ceiling: the most, likewise.
        reasons: why the last tick wanted what it wanted.
    """

    decisions: tuple[Decision, ...]
    requested: IntArray
    ready: IntArray
    floor: IntArray
    ceiling: IntArray
    reasons: tuple[str, ...]


def replay(policy: Policy, trace: Trace, *, start: int, world: World, conditions: Conditions | None = None) -> Replay:
    """Tick through the trace from `start` (epoch seconds, a full minute) to its end; what is before is history only."""
    befalls = Conditions.usual(trace) if conditions is None else conditions
    if len(befalls) != len(trace):
        raise ValueError(f"{len(befalls)} minutes of conditions for {len(trace)} minutes of demand")
    run = _Run(policy.model_copy(update={"mode": Mode.APPLY}), trace, start, world, befalls)
    first = -(-start // world.tick_s) * world.tick_s
    run.live_until(first)
    for at in range(first, trace.end, world.tick_s):
        run.tick(at)
        run.live_until(at + world.tick_s)
    return run.replayed()


# --- what the target is ----------------------------------------------------------------------------------------------


class Measured:
    """What CloudWatch has of the trace, and what of it shows at an instant: slices of arrays that are made once."""

    def __init__(self, trace: Trace, world: World, throttles: FloatArray | None = None) -> None:
        self.fine = _minutes(trace, np.zeros(len(trace)) if throttles is None else throttles)
        self._coarse = _steps(self.fine)
        self._trace, self._peakedness = trace, world.peakedness

    def at(self, now_s: int) -> History:
        """The history up to the minute stamped two minutes ago."""
        split = (now_s - FINE_S) // FOLD_S * FOLD_S
        seen_until = now_s - (DATA_DELAY_MIN - 1) * MINUTE_S
        return History(
            coarse=self._coarse.between(split - COARSE_S, split),
            fine=self.fine.between(max(split, self.fine.start), seen_until),
            minutes=self._minutes_of(self._coarse.between(split - COARSE_S, split)),
        )

    def _minutes_of(self, coarse: Series) -> FloatArray:
        """The demand of the minutes of these steps."""
        minutes = self.fine.between(coarse.start, coarse.end)
        return minutes.demand

    def spill(self, minutes: slice, ready_units: IntArray) -> None:
        """Note what these minutes of the trace spilled over the capacity that was READY."""
        share = spilled_share(ready_units, self._trace.demand[minutes], self._peakedness)
        self.fine.spilled[minutes] = self.fine.arrivals[minutes] * share


def _minutes(trace: Trace, throttles: FloatArray) -> Series:
    """The trace as measured minutes; what spilled is not known before capacity stands."""
    return Series(
        start=trace.start,
        step_s=MINUTE_S,
        work_s=trace.demand * MINUTE_S,
        arrivals=trace.arrivals_per_s * MINUTE_S,
        throttles=np.where(np.isnan(trace.demand), np.nan, throttles),
        peak=trace.peak,
        spilled=np.full(len(trace), np.nan),
    )


def _steps(fine: Series) -> Series:
    """Minutes as 5-minute steps; the spillover of past weeks is not read. A step with a gap stands on what is known."""
    skip = -fine.start % STEP_S // MINUTE_S
    count = max(0, len(fine) - skip) // STEP_MINUTES

    def rows(values: FloatArray) -> FloatArray:
        return values[skip : skip + count * STEP_MINUTES].reshape(count, STEP_MINUTES)

    def sums(values: FloatArray) -> FloatArray:
        known = ~np.isnan(rows(values))
        counted = known.sum(axis=1)
        means = np.divide(
            np.where(known, rows(values), 0.0).sum(axis=1), counted, out=np.full(count, np.nan), where=counted > 0
        )
        return np.asarray(means * STEP_MINUTES)

    return Series(
        start=fine.start + skip * MINUTE_S,
        step_s=STEP_S,
        work_s=sums(fine.work_s),
        arrivals=sums(fine.arrivals),
        throttles=sums(fine.throttles),
        peak=np.fmax.reduce(rows(fine.peak), axis=1, initial=np.nan),
        spilled=np.full(count, np.nan),
    )


class _Alias:
    """The simulated target: what was requested of it, what is READY, minute by minute from the start.

    Args:
        standing: capacity requested now.
        scalable: its bounds, once the actuator `autoscaling` has registered them.
    """

    def __init__(self, scored: Trace, world: World) -> None:
        self.standing = self._starts_with = starting_capacity(scored, world)
        self.scalable: ScalableTarget | None = None
        self.requested = np.zeros(len(scored), dtype=np.int64)
        self.ready = np.zeros(len(scored), dtype=np.int64)
        self._lead = world.lead_minutes
        self._tracking = Tracking(scored, world, target=TRACKED_UTILIZATION, start=self.standing)

    def capacity(self, minute: int) -> Capacity:
        """What Lambda says at the start of a minute: IN_PROGRESS until all that was requested is READY."""
        if not self.standing:
            return NO_CAPACITY
        before = self.requested[max(0, minute - self._lead) : minute]
        there = min(self.standing, int(before.min(initial=self.standing)))
        if minute < self._lead:
            there = min(there, self._starts_with)
        status = Status.READY if there == self.standing else Status.IN_PROGRESS
        return Capacity(requested=self.standing, allocated=there, available=there, status=status)

    def obey(self, decision: Decision) -> Outcome:
        """Carry a decision out, as its actor would: request it, or register it as the minimum of what is tracked."""
        if not decision.changes:
            return held(decision)
        match decision.actuator:
            case Actuator.DIRECT:
                self.standing = decision.wanted
                return Outcome(decision, Result.APPLIED)
            case Actuator.AUTOSCALING:
                maximum = max(decision.wanted, decision.published_maximum or 0)
                self.scalable = ScalableTarget(decision.wanted, maximum, ours=True)
                lowered = decision.action is Action.LOWER
                return Outcome(decision, Result.FLOOR_LOWERED if lowered else Result.APPLIED)
            case _:
                assert_never(decision.actuator)

    def live(self, minutes: slice) -> None:
        """What stands, stands over these minutes; but for Application Auto Scaling, which tracks within its bounds."""
        if self.scalable is None:
            self.requested[minutes] = self.standing
        else:
            for minute in range(minutes.start, minutes.stop):
                self.standing = self._tracking.step(minute, self.scalable.minimum, self.scalable.maximum)
                self.requested[minute] = self.standing
        known = max(0, minutes.start - self._lead)
        start = self._starts_with if known == 0 else None
        since = ready(self.requested[known : minutes.stop], self._lead, start=start)
        self.ready[minutes] = since[minutes.start - known :]


# --- the run ---------------------------------------------------------------------------------------------------------


class _Run:
    """A replay under way: what the controller knows, and the alias that it controls."""

    def __init__(self, policy: Policy, trace: Trace, start: int, world: World, conditions: Conditions) -> None:
        scored = trace.between(start, trace.end)
        self._policy, self._world, self._start = policy, world, scored.start
        self._target = TargetId(policy.account or "", world.region, policy.function, policy.qualifier)
        # The brain knows the world's lead time as if it had measured it, but goes by the policy's where that names one.
        self._rhythm = Rhythm(tick=timedelta(seconds=world.tick_s), default_lead_time=timedelta(seconds=world.lead_s))
        self._conditions = conditions
        self._measured = Measured(trace, world, conditions.throttles)
        self._first = len(trace) - len(scored)
        self._alias = _Alias(scored, world)
        self._knowledge = Knowledge()
        self._memory = with_policy(Memory(), policy, fleet_version="")
        self._lived = 0
        self._decisions: list[Decision] = []

    def live_until(self, at: int) -> None:
        """Let the minutes up to `at` pass: what stands serves, and the rest of the demand spills."""
        last = min((at - self._start) // MINUTE_S, len(self._alias.ready))
        passed = slice(self._lived, last)
        self._alias.live(passed)
        self._measured.spill(slice(self._first + passed.start, self._first + last), self._alias.ready[passed])
        self._lived = last

    def tick(self, at: int) -> None:
        """Observe, learn, think, act: one target's share of `tick.run`."""
        now = datetime.fromtimestamp(at, UTC)
        observation = self._observe(now)
        decision = self._shared(think(self._policy, observation, now=now, rhythm=self._rhythm), observation)
        self._memory = after_outcome(self._memory, self._alias.obey(decision), now=now)
        self._decisions.append(decision)

    def _shared(self, decision: Decision, observation: Observation) -> Decision:
        """Within what the function reserves; else nothing is shared, for a replay has one target and no account."""
        if self._conditions.reserved is None or observation.state is None:
            return decision
        (clamped,) = share([decision], Limits(None, Budget(), {decision.target: observation.state}))
        return clamped

    def _observe(self, now: datetime) -> Observation:
        state = self._state(now)
        self._memory = after_look(self._memory, state, now=now)
        history = self._measured.at(int(now.timestamp()))
        seen = Observation(self._target, now, history, state, memory=self._memory)
        if self._knowledge.due({self._target: history}, now=now, most=1):
            self._knowledge.learn_for(self._policy, seen, now=now, rhythm=self._rhythm)
        return replace(seen, learned=self._knowledge.keep_up(self._policy, seen, now=now))

    def _state(self, now: datetime) -> TargetState:
        return TargetState(
            read_at=now,
            capacity=self._alias.capacity(self._lived),
            version="1",
            memory_mb=self._world.memory_mb,
            architecture=self._world.architecture,
            scalable=self._alias.scalable,
            reserved=self._conditions.reserved,
            weights=SHIFTING if self._conditions.weighted[self._first + self._lived] else {},
        )

    def replayed(self) -> Replay:
        """The whole, with each tick's rules and reason in the minutes up to the next."""
        alias, decisions = self._alias, self._decisions
        ticks = [int(decision.at.timestamp() - self._start) // MINUTE_S for decision in decisions]
        spans = np.diff([0, *ticks, len(alias.requested)])
        rules = bounds(self._policy, *self._first_span())
        reasons = [BEFORE_FIRST_TICK, *(decision.reason.value for decision in decisions)]
        return Replay(
            decisions=tuple(decisions),
            requested=alias.requested,
            ready=alias.ready,
            floor=np.repeat([rules.floor, *(decision.floor for decision in decisions)], spans),
            ceiling=np.repeat([rules.ceiling, *(decision.ceiling for decision in decisions)], spans),
            reasons=tuple(reason for reason, span in zip(reasons, spans, strict=True) for _ in range(span)),
        )

    def _first_span(self) -> tuple[datetime, datetime]:
        """What a tick at the start would have looked over for the rules."""
        now = datetime.fromtimestamp(self._start, UTC)
        lead = lead_time_of(self._policy, Memory(), self._rhythm)
        return now, now + lead + self._rhythm.tick
