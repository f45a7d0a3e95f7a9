"""Decisions and outcomes that need neither the brain nor AWS: what is held, put off, faulty, released. Pure."""

from __future__ import annotations

import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from warmcast.decide import decision_id
from warmcast.model import Action, Actuator, Decision, Fault, FaultKind, Limit, Mode, Outcome, Reason, Result, Status
from warmcast.situation import standing_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from warmcast.fleet import Policy
    from warmcast.model import Memory, Observation, TargetId, TargetState


T = TypeVar("T")


def held(decision: Decision) -> Outcome:
    """The outcome of a decision that writes nothing: why, from the first limit that forbade the write."""
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
    Reason.BACK_OFF: Result.FAILED,  # the last request failed, and nothing has mended it yet
    Reason.OBSERVE: Result.PLANNED,
}


def put_off(decision: Decision, why: str) -> Decision:
    """The decision, not to be written in this tick."""
    limit = Limit(Reason.STATE_UNKNOWN, decision.wanted, decision.current or 0, why)
    return replace(decision, action=Action.HOLD, blocked=True, limits=(*decision.limits, limit))


class Hindrance(NamedTuple):
    """Why a released target's capacity is not deleted now."""

    result: Result
    detail: str


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


def released(target: TargetId, memory: Memory, *, now: datetime, fleet_version: str) -> Decision:
    """The decision about a target that has left the fleet: kept as it is, or deleted where its policy said so.

    Only what mode `apply` could lower is deleted, and never what a stack owns.
    """
    current = memory.requested or memory.floor_published or 0
    asked = memory.on_remove == "delete" and memory.mode is Mode.APPLY
    delete = asked and not memory.stack_owns_config and current > 0
    return Decision(
        id=decision_id(target.arn, now, fleet_version),
        target=target,
        at=now,
        fleet_version=fleet_version,
        actuator=Actuator.DIRECT,
        current=current,
        wanted=0 if delete else current,
        action=Action.DELETE if delete else Action.HOLD,
        reason=Reason.RELEASED,
        standing=current,
    )


def hindrance_of(state: TargetState | Fault | None) -> Hindrance | None:
    """What forbids deleting the capacity of a target that has left; None where nothing does."""
    if state is None:
        return Hindrance(Result.DEFERRED, "its state could not be read in this tick")
    if isinstance(state, Fault):
        gone = state.kind is FaultKind.MISSING
        return Hindrance(Result.RELEASED, "already gone") if gone else Hindrance(Result.FAILED, state.message)
    if state.weights or state.capacity.status is Status.IN_PROGRESS:
        return Hindrance(Result.DEFERRED, "routing weights" if state.weights else "an allocation is under way")
    return None
