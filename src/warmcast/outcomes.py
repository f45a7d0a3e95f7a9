"""Decisions and outcomes that need neither the brain nor AWS: what is held, put off, faulty, released. Pure."""

from __future__ import annotations

import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from warmcast.model import Action, Actuator, Decision, Limit, Outcome, Reason, Result
from warmcast.situation import standing_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from warmcast.fleet import Policy
    from warmcast.model import Memory, Observation, TargetId


T = TypeVar("T")


def held(decision: Decision) -> Outcome:
    """The outcome of a decision that writes nothing: why, from its last limit where something forbade the write."""
    if not decision.blocked:
        return Outcome(decision, Result.HELD)
    first = next(limit for limit in decision.limits if limit.name in BLOCKED_RESULTS)
    result = BLOCKED_RESULTS[first.name]
    nothing_to_do = decision.wanted == decision.current and result is not Result.FAILED
    return Outcome(decision, Result.HELD if nothing_to_do else result, first.detail)


BLOCKED_RESULTS: Mapping[Reason, Result] = {
    Reason.STOPPED: Result.HELD,
    Reason.FAULT: Result.FAILED,
    Reason.STATE_UNKNOWN: Result.DEFERRED,
    Reason.INELIGIBLE: Result.REFUSED,
    Reason.FOREIGN_SCALABLE_TARGET: Result.REFUSED,
    Reason.WEIGHTS: Result.DEFERRED,
    Reason.IN_PROGRESS: Result.DEFERRED,
    Reason.BACK_OFF: Result.DEFERRED,
    Reason.OBSERVE: Result.PLANNED,
}


def put_off(decision: Decision, why: str) -> Decision:
    """The decision, not to be written in this tick."""
    limit = Limit(Reason.STATE_UNKNOWN, decision.wanted, decision.current or 0, why)
    return replace(decision, action=Action.HOLD, blocked=True, limits=(*decision.limits, limit))


def isolated(call: Callable[[], T], otherwise: Callable[[Exception], T]) -> T:
    """What the call gives, or what stands for it where it meets a bug: one target's bug is its fault alone."""
    try:
        return call()
    except Exception as bug:  # noqa: BLE001 - the one broad catch of a tick
        return otherwise(bug)


def in_words(bug: Exception) -> str:
    """The exception and the line that it came from."""
    where = traceback.extract_tb(bug.__traceback__)[-1]
    return f"{type(bug).__name__}: {bug} ({where.filename.rsplit('/', 1)[-1]}:{where.lineno})"


def faulted(policy: Policy, observation: Observation, bug: Exception, fleet_version: str) -> Decision:
    """The decision about a target on which the brain itself failed: hold what is there, and say where it broke."""
    current = standing_of(observation)
    return Decision(
        id="",
        target=observation.target,
        at=observation.at,
        fleet_version=fleet_version,
        actuator=policy.actuator,
        current=current,
        wanted=current,
        action=Action.HOLD,
        reason=Reason.FAULT,
        limits=(Limit(Reason.FAULT, current, current, in_words(bug)),),
        standing=current,
        blocked=True,
    )


def released(target: TargetId, memory: Memory, *, delete: bool, now: datetime, fleet_version: str) -> Decision:
    """The decision about a target that has left the fleet: kept as it is, or deleted where its policy said so."""
    current = memory.requested
    return Decision(
        id=f"released-{target.function}-{target.qualifier}",
        target=target,
        at=now,
        fleet_version=fleet_version,
        actuator=Actuator.DIRECT,
        current=current,
        wanted=0 if delete else (current or 0),
        action=Action.DELETE if delete else Action.HOLD,
        reason=Reason.RELEASED,
    )
