"""What the controller remembers of a target, carried from tick to tick. Pure: memory + what was seen -> memory.

Two things change a memory: a look at the target's state (an allocation that went READY tells the lead time, one that
FAILED starts the back-off) and the outcome of a write.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from warmcast.model import Action, Actuator, Reason, Result, Status

if TYPE_CHECKING:
    from datetime import datetime

    from warmcast.fleet import Policy
    from warmcast.model import Memory, Outcome, TargetState

FIRST_BACK_OFF = timedelta(minutes=10)
LONGEST_AFTER_FAILURE = timedelta(hours=6)
LONGEST_AFTER_REFUSAL = timedelta(hours=1)

LONGEST_WAIT = timedelta(hours=1)
"""Canaries, allocations and late metrics end sooner; what lasts longer needs a person."""

LEAD_TIME_DECAY = 0.9
"""How much of a long measured lead time is kept by an allocation that was READY at the first look."""


def with_policy(memory: Memory, policy: Policy, *, fleet_version: str) -> Memory:
    """Remember what is to happen to the capacity when the target leaves the fleet: by then the policy is gone.

    A refusal that another fleet met is no reason to wait: somebody changed something.
    """
    if memory.failed_fleet and memory.failed_fleet != fleet_version:
        memory = _forgiven(memory)
    return replace(
        memory,
        mode=policy.mode,
        on_remove=policy.on_remove.value,
        stack_owns_config=policy.stack_owns_config,
    )


def after_look(memory: Memory, state: TargetState, *, now: datetime) -> Memory:
    """What a look at the target's state teaches; nothing, where it was read before we changed the target."""
    if memory.changed_at is not None and state.read_at <= memory.changed_at:
        return memory
    status = state.capacity.status
    match status:
        case Status.IN_PROGRESS:
            return _still_in_progress(memory, state)
        case Status.READY | None:
            return _settled(memory, state)
        case Status.FAILED:
            return _failed(memory, state, now=now)
        case _:
            assert_never(status)


def after_outcome(memory: Memory, outcome: Outcome, *, now: datetime) -> Memory:
    """What the outcome of a decision teaches: a write is remembered, a refused one backs off, the rest only waits."""
    waiting = replace(memory, waiting_since=(memory.waiting_since or now) if _waits(outcome) else None)
    result = outcome.result
    match result:
        case Result.APPLIED | Result.FLOOR_LOWERED:
            return _written(waiting, outcome, now=now)
        case Result.REFUSED if outcome.decision.changes:
            fleet = outcome.decision.fleet_version
            return backed_off(waiting, now=now, why=outcome.detail, fleet=fleet, longest=LONGEST_AFTER_REFUSAL)
        case Result.REFUSED | Result.HELD | Result.PLANNED | Result.DEFERRED | Result.FAILED | Result.RELEASED:
            return waiting
        case _:
            assert_never(result)


def waits_too_long(memory: Memory, outcome: Outcome, *, now: datetime) -> str:
    """Since when a target has been put off or without data, if that is longer than anything ordinary takes."""
    since = memory.waiting_since
    if since is None or now - since < LONGEST_WAIT or not _waits(outcome):
        return ""
    why = outcome.detail or "no usable data"
    return f"nothing could be done since {since:%Y-%m-%d %H:%M} UTC: {why}"


def changes_today(memory: Memory, now: datetime) -> int:
    """How often we changed the target since midnight UTC."""
    changed_at = memory.changed_at
    return memory.changes if changed_at is not None and changed_at.date() == now.date() else 0


def backed_off(memory: Memory, *, now: datetime, why: str, fleet: str, longest: timedelta) -> Memory:
    """No write for 10 minutes after the first failure, 20 after the second, 40, ... up to the longest."""
    wait = min(FIRST_BACK_OFF * 2 ** min(memory.failures, 10), longest)
    return replace(
        memory,
        failures=memory.failures + 1,
        failure=why,
        failed_fleet=fleet,
        back_off_until=now + wait,
        pending_since=None,
    )


def _forgiven(memory: Memory) -> Memory:
    return replace(memory, failures=0, failure="", failed_fleet="", back_off_until=None)


def _waits(outcome: Outcome) -> bool:
    silent = any(limit.name is Reason.NO_DATA for limit in outcome.decision.limits)
    return silent or outcome.result is Result.DEFERRED


def _written(memory: Memory, outcome: Outcome, *, now: datetime) -> Memory:
    decision = outcome.decision
    rose = decision.action is Action.RAISE
    asks_for_capacity = decision.action in {Action.RAISE, Action.LOWER} and outcome.result is Result.APPLIED
    own = decision.actuator is Actuator.AUTOSCALING
    return replace(
        memory,
        requested=memory.requested if own else decision.wanted,
        floor_published=decision.wanted if own else memory.floor_published,
        changed_at=now,
        changes=changes_today(memory, now) + 1,
        raised_at=now if rose else memory.raised_at,
        pending_since=now if asks_for_capacity else memory.pending_since,
    )


def _still_in_progress(memory: Memory, state: TargetState) -> Memory:
    """The lead time is at least the age of a request that is not READY yet."""
    if memory.pending_since is None:
        return memory
    age_s = (state.read_at - memory.pending_since).total_seconds()
    return replace(memory, lead_time_s=max(memory.lead_time_s or 0.0, age_s))


def _settled(memory: Memory, state: TargetState) -> Memory:
    """READY (or no config at all): the request is done, and past failures are over."""
    calm = replace(memory, pending_since=None)
    if memory.pending_since is not None and memory.lead_time_s is not None:
        age_s = (state.read_at - memory.pending_since).total_seconds()
        calm = replace(calm, lead_time_s=min(age_s, memory.lead_time_s * LEAD_TIME_DECAY))
    by_allocation = memory.failures > 0 and not memory.failed_fleet
    return _forgiven(calm) if by_allocation or memory.pending_since is not None else calm


def _failed(memory: Memory, state: TargetState, *, now: datetime) -> Memory:
    """One back-off per failed allocation: a request of ours that failed, or a failure that nobody waited for."""
    if memory.pending_since is None and memory.back_off_until is not None:
        return memory
    why = f"allocation failed: {state.capacity.status_reason or 'AWS gives no reason'}"
    return backed_off(memory, now=now, why=why, fleet="", longest=LONGEST_AFTER_FAILURE)
