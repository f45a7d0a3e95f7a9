"""What the controller remembers of a target, carried from tick to tick. Pure: memory + what was seen -> memory.

Two things change a memory: a look at the target's state (an allocation that went READY tells the lead time, one that
FAILED starts the back-off) and the outcome of a write.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from warmcast.model import Action, Actuator, Result, Status

if TYPE_CHECKING:
    from datetime import datetime

    from warmcast.fleet import Policy
    from warmcast.model import Memory, Outcome, TargetState

FIRST_BACK_OFF = timedelta(minutes=10)
LONGEST_BACK_OFF = timedelta(hours=6)

LEAD_TIME_DECAY = 0.9
"""How much of a long measured lead time is kept by an allocation that was READY at the first look."""


def with_policy(memory: Memory, policy: Policy) -> Memory:
    """Remember what is to happen to the capacity when the target leaves the fleet: by then the policy is gone."""
    return replace(memory, on_remove=policy.on_remove.value, stack_owns_config=policy.stack_owns_config)


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
            return _failed(memory, now=now)
        case _:
            assert_never(status)


def after_outcome(memory: Memory, outcome: Outcome, *, now: datetime) -> Memory:
    """What the outcome of a write teaches; whatever wrote nothing leaves the memory as it is, but for a refusal."""
    result = outcome.result
    match result:
        case Result.APPLIED | Result.FLOOR_LOWERED:
            return _written(memory, outcome, now=now)
        case Result.REFUSED:
            return backed_off(memory, now=now)
        case Result.HELD | Result.PLANNED | Result.DEFERRED | Result.FAILED | Result.RELEASED:
            return memory
        case _:
            assert_never(result)


def backed_off(memory: Memory, *, now: datetime) -> Memory:
    """No write for 10 minutes after the first failure, 20 after the second, 40, ... up to 6 hours."""
    failures = memory.failures + 1
    wait = min(FIRST_BACK_OFF * 2 ** min(memory.failures, 10), LONGEST_BACK_OFF)
    return replace(memory, failures=failures, back_off_until=now + wait, pending_since=None)


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
    if memory.failures and (memory.pending_since is not None or memory.back_off_until is None):
        calm = replace(calm, failures=0, back_off_until=None)
    return calm


def _failed(memory: Memory, *, now: datetime) -> Memory:
    """One back-off per failed allocation: a request of ours that failed, or a failure that nobody waited for."""
    if memory.pending_since is None and memory.back_off_until is not None:
        return memory
    return backed_off(memory, now=now)
