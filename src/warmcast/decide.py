"""Decide: a situation -> Decision, as ordered, named guardrails over one proposal. Pure.

The objective proposes (from the forecast and from what is seen now), rules raise it to the floor, guards keep the
objective from lowering too much, the ceiling cuts, the mode and the state of the target may forbid the write. The
limits that targets share (function, account, budget) come after, in `share`. A guardrail that changes the proposal, or
forbids the write, leaves a `Limit` behind; the last one that moved the capacity is the decision's reason.

    objective 31, current 40, forecast for the hold needs 36   ->  36, scale-down hold
    objective 31, current 40, changed 2 minutes ago            ->  40, minimum hold
    objective 31, current 12, floor 20, ceiling 25             ->  25, ceiling
    objective  -, current 12, floor  2 (CloudWatch is silent)  ->  12, no data
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from warmcast.fleet import ColdStartCost, Savings
from warmcast.memory import changes_today
from warmcast.model import Action, Actuator, Decision, Limit, Mode, Reason, Status, Unknown
from warmcast.situation import seen_demand

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from warmcast.mixture import Wanted
    from warmcast.model import Memory
    from warmcast.situation import Situation

SMALL_CHANGE = 0.04
"""A decrease by less than this share of the capacity is not worth a write (and the new init of a later rise)."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A capacity on its way through the guardrails."""

    capacity: int
    reason: Reason
    limits: tuple[Limit, ...] = ()
    rule: str = ""
    blocked: bool = False

    def moved(self, name: Reason, capacity: int, detail: str = "") -> Proposal:
        """The proposal at another capacity, with the guardrail that moved it as the reason."""
        limit = Limit(name, self.capacity, capacity, detail)
        return replace(self, capacity=capacity, reason=name, limits=(*self.limits, limit))

    def stopped_by(self, name: Reason, detail: str = "") -> Proposal:
        """The same proposal, not to be written now."""
        limit = Limit(name, self.capacity, self.capacity, detail)
        return replace(self, limits=(*self.limits, limit), blocked=True)


# --- the guardrails, in order ----------------------------------------------------------------------------------------


def _objective(at: Situation) -> Proposal:
    """What the objective wants: the first proposal, the mixture's. Before anything is learned, what is seen."""
    if at.silence or isinstance(at.forecast, Unknown):
        return Proposal(0, Reason.NO_DATA, (Limit(Reason.NO_DATA, 0, 0, at.silence),))
    if at.observation.learned is None:
        return Proposal(at.seen.capacity if at.seen else 0, Reason.LEARNING)
    if at.wanted is not None:
        detail = (Limit(Reason.UNPROFITABLE, 0, 0, at.wanted.note),) if at.wanted.note else ()
        return Proposal(at.wanted.units, Reason.UNPROFITABLE if detail else Reason.FORECAST, detail)
    if at.foreseen is None:
        return Proposal(0, Reason.NO_DATA, (Limit(Reason.NO_DATA, 0, 0, at.silence),))
    by_rate = at.foreseen.by_rate > at.foreseen.by_demand
    return Proposal(at.foreseen.capacity, Reason.RATE if by_rate else Reason.FORECAST)


def _seen(at: Situation, proposal: Proposal) -> Proposal:
    """What is seen now may need more than was foreseen.

    Where the objective is a cost, it buys nothing by itself: a unit must earn its keep over the time that it stands,
    which the forecast weighs and one busy minute does not.
    """
    if at.wanted is not None:
        return _surge(at, proposal)
    if at.silence or at.seen is None or at.seen.capacity <= proposal.capacity:
        return proposal
    if isinstance(at.policy.objective, ColdStartCost | Savings):
        return _not_below(at, proposal, Reason.SEEN, at.seen.capacity)
    return proposal.moved(Reason.SEEN, at.seen.capacity, f"measured demand {at.seen.staffed_for:.1f}")


def _surge(at: Situation, proposal: Proposal) -> Proposal:
    """What the mixture wants already weighs the last minutes; a surge past all that was learned goes beyond it.

    So does what is seen while less than a day is known: the candidates' weights are not worth much yet.
    """
    if at.silence or (at.wanted is not None and at.wanted.note):
        return proposal
    young = at.is_young and at.promise is not None
    if (young or at.surges_past(proposal.capacity)) and at.seen is not None and at.seen.capacity > proposal.capacity:
        why = "under a day known: demand" if young else "surge: measured demand"
        return proposal.moved(Reason.SEEN, at.seen.capacity, f"{why} {at.seen.staffed_for:.1f}")
    lowers = at.current is not None and proposal.capacity < at.current
    if not lowers or at.least_now is None:
        return proposal
    least = at.least_now
    return _not_below(at, proposal, Reason.SEEN, least.capacity, f"measured demand {least.staffed_for:.1f}")


def _floor(at: Situation, proposal: Proposal) -> Proposal:
    """Rules raise."""
    if proposal.capacity >= at.bounds.floor:
        return proposal
    moved = proposal.moved(Reason.FLOOR, at.bounds.floor, at.bounds.floor_rule)
    return replace(moved, rule=at.bounds.floor_rule)


def _no_data(at: Situation, proposal: Proposal) -> Proposal:
    """Missing, stale or partial data lowers nothing."""
    return _not_below(at, proposal, Reason.NO_DATA, None, at.silence) if at.silence else proposal


def _learning(at: Situation, proposal: Proposal) -> Proposal:
    """Before the past weeks are learned nobody knows whether a peak is near: lower nothing."""
    if at.observation.learned is not None:
        return proposal
    return _not_below(at, proposal, Reason.LEARNING, None, "the past weeks are not learned yet")


def _outage(at: Situation, proposal: Proposal) -> Proposal:
    """After a sudden fall the surge of retries comes: keep what the forecast before the fall needs.

    A fall that no noise explains lowers nothing at all: which of the forecasts before it was the last is a matter of
    minutes, and their needs differ.
    """
    if at.before_fall is None:
        return proposal
    kept = None if at.fell_deep else at.before_fall.capacity
    return _not_below(at, proposal, Reason.OUTAGE, kept, "traffic fell to under a third")


def _scale_down_hold(at: Situation, proposal: Proposal) -> Proposal:
    """Lower only to what the forecast for the whole hold needs."""
    if at.current is None or proposal.capacity >= at.current or not at.policy.hold:
        return proposal
    held = at.need_until(at.now + at.policy.hold)
    if held is None:
        return proposal
    return _not_below(at, proposal, Reason.SCALE_DOWN_HOLD, held.capacity, f"forecast for {_minutes(at.policy.hold)}")


def _minimum_hold(at: Situation, proposal: Proposal) -> Proposal:
    """No decrease within a tick of the last change, nor within the hold of the last rise."""
    raised_at = at.observation.memory.raised_at
    recent_rise = raised_at is not None and at.now - raised_at < at.policy.hold
    if not (at.changed_within_tick or recent_rise):
        return proposal
    return _not_below(at, proposal, Reason.MINIMUM_HOLD, None, f"hold {_minutes(at.policy.hold)}")


def _small_change(at: Situation, proposal: Proposal) -> Proposal:
    """A decrease of less than one in twenty-five is not worth a write, nor is a rise of one right after a change.

    Down to the floor is always worth it: 2 -> 1, 30 -> 29.
    """
    if at.current is None:
        return proposal
    if at.wanted is not None:
        return _dead_band(at, proposal, at.current, at.wanted)
    difference = proposal.capacity - at.current
    if 0 < difference <= max(1.0, SMALL_CHANGE * at.current):
        repeated = at.changed_within_tick and at.current >= at.bounds.floor
        return proposal.moved(Reason.SMALL_CHANGE, at.current, "changed a moment ago") if repeated else proposal
    if proposal.capacity <= at.bounds.floor or -difference >= SMALL_CHANGE * at.current:
        return proposal
    return _not_below(at, proposal, Reason.SMALL_CHANGE, None)


def _dead_band(at: Situation, proposal: Proposal, current: int, wanted: Wanted) -> Proposal:
    """A change is worth its write (and a rise the inits of its units) from the width on that the replayed past says.

    What rules or a surge want is always worth it.
    """
    off = proposal.capacity - current
    width = wanted.band * wanted.capacity
    if off > 0 and proposal.reason is Reason.FORECAST and off <= width / 2:
        return proposal.moved(Reason.SMALL_CHANGE, current, f"within {width / 2:.1f} units")
    if off < 0 and proposal.capacity > at.bounds.floor and -off <= width:
        return _not_below(at, proposal, Reason.SMALL_CHANGE, None, f"within {width:.1f} units")
    return proposal


def _change_limit(at: Situation, proposal: Proposal) -> Proposal:
    """At most so many changes a day by the objective; what rules or a surge want goes on."""
    if at.current is None or changes_today(at.observation.memory, at.now) < at.policy.changes_per_day:
        return proposal
    detail = f"{at.policy.changes_per_day} changes today"
    if proposal.capacity > at.current and proposal.reason in {Reason.FORECAST, Reason.RATE}:
        return proposal.moved(Reason.CHANGE_LIMIT, at.current, detail)
    return _not_below(at, proposal, Reason.CHANGE_LIMIT, None, detail)


def _ceiling(at: Situation, proposal: Proposal) -> Proposal:
    """Rules allow no more; they may lower, and are then the reason."""
    if proposal.capacity <= at.bounds.ceiling:
        return proposal
    moved = proposal.moved(Reason.CEILING, at.bounds.ceiling, at.bounds.ceiling_rule)
    return replace(moved, rule=at.bounds.ceiling_rule)


def _zero(at: Situation, proposal: Proposal) -> Proposal:
    """A capacity of 0 is a Delete, and where a stack owns the config that would break its next deploy."""
    if proposal.capacity > 0 or not at.policy.stack_owns_config:
        return proposal
    return proposal.moved(Reason.STACK_OWNS_CONFIG, 1, "a stack declares this config")


def _raise_only(at: Situation, proposal: Proposal) -> Proposal:
    """Mode raise-only never goes below what is there."""
    if at.policy.mode is not Mode.RAISE_ONLY:
        return proposal
    return _not_below(at, proposal, Reason.RAISE_ONLY, None)


GUARDRAILS: tuple[Callable[[Situation, Proposal], Proposal], ...] = (
    _seen,
    _floor,
    _no_data,
    _learning,
    _outage,
    _scale_down_hold,
    _minimum_hold,
    _small_change,
    _change_limit,
    _ceiling,
    _zero,
    _raise_only,
)


def _not_below(at: Situation, proposal: Proposal, name: Reason, need_units: int | None, detail: str = "") -> Proposal:
    """Keep the proposal from lowering: not at all, or not below `need_units`; never raises above what is there."""
    if at.current is None or proposal.capacity >= at.current:
        return proposal
    kept = at.current if need_units is None else min(at.current, need_units)
    return proposal.moved(name, kept, detail) if kept > proposal.capacity else proposal


# --- what forbids the write ------------------------------------------------------------------------------------------


def _blocks(at: Situation) -> list[Limit]:
    """Everything that forbids a write now, most binding first."""
    found: list[tuple[Reason, str]] = []
    if at.observation.stopped:
        found.append((Reason.STOPPED, "warmcast stop"))
    if at.observation.fault is not None:
        found.append((Reason.FAULT, at.observation.fault.message))
    found.extend(_state_blocks(at))
    found.extend(_memory_blocks(at.observation.memory, at.now))
    if at.policy.mode is Mode.OBSERVE:
        found.append((Reason.OBSERVE, "mode: observe writes nothing"))
    return [Limit(reason, 0, 0, detail) for reason, detail in found]


def _state_blocks(at: Situation) -> list[tuple[Reason, str]]:
    state, policy = at.observation.state, at.policy
    if state is None:
        return [] if at.current is not None else [(Reason.STATE_UNKNOWN, "not read yet")]
    found: list[tuple[Reason, str]] = []
    if state.ineligible:
        found.append((Reason.INELIGIBLE, state.ineligible))
    if state.scalable is not None and policy.actuator is Actuator.DIRECT:
        found.append((Reason.FOREIGN_SCALABLE_TARGET, "a scalable target holds it; use actuator: autoscaling"))
    if (
        state.scalable is not None
        and policy.actuator is Actuator.AUTOSCALING
        and not (state.scalable.ours or policy.adopt)
    ):
        found.append((Reason.FOREIGN_SCALABLE_TARGET, "not tagged as ours; adopt: true takes it over"))
    if state.weights:
        found.append((Reason.WEIGHTS, "weights on version " + ", ".join(sorted(state.weights))))
    if state.capacity.status is Status.IN_PROGRESS or (at.state_is_outdated and at.observation.memory.pending_since):
        found.append((Reason.IN_PROGRESS, "an allocation is under way"))
    if state.capacity.status is Status.FAILED and at.observation.memory.back_off_until is None:
        found.append((Reason.BACK_OFF, f"allocation failed: {state.capacity.status_reason or 'no reason given'}"))
    return found


def _memory_blocks(memory: Memory, now: datetime) -> list[tuple[Reason, str]]:
    if memory.back_off_until is not None and now < memory.back_off_until:
        why = f"until {memory.back_off_until:%H:%M} UTC after {memory.failures} failures: {memory.failure}"
        return [(Reason.BACK_OFF, why)]
    return []


# --- the whole -------------------------------------------------------------------------------------------------------


def decide(situation: Situation, *, fleet_version: str = "") -> Decision:
    """The capacity that rules and forecast want of one target now, and whether it may be written."""
    proposal = _objective(situation)
    for guardrail in GUARDRAILS:
        proposal = guardrail(situation, proposal)
    blocks = _blocks(situation)
    return _decision(situation, proposal, blocks, fleet_version)


def _decision(at: Situation, proposal: Proposal, blocks: list[Limit], fleet_version: str) -> Decision:
    target = at.observation.target
    wanted = proposal.capacity
    measured = seen_demand(at.observation.history, now=at.now)
    stopping = tuple(replace(block, before=wanted, after=at.current or 0) for block in blocks)
    decision = Decision(
        id=decision_id(str(target.arn), at.now, fleet_version),
        target=target,
        at=at.now,
        fleet_version=fleet_version,
        actuator=at.policy.actuator,
        current=at.current,
        wanted=wanted,
        action=Action.HOLD,
        reason=proposal.reason,
        limits=(*proposal.limits, *stopping),
        floor=at.bounds.floor,
        ceiling=at.bounds.ceiling,
        demand=measured.demand if measured else None,
        foreseen=_band(at),
        staffed_for=_staffed_for(at),
        drives=at.wanted.drives if at.wanted else (),
        price=at.wanted.price if at.wanted else None,
        expected_spillover=at.wanted.spillover if at.wanted else None,
        finding=at.wanted.finding if at.wanted else "",
        health=at.wanted.health if at.wanted else None,
        peakedness=1.0 if isinstance(at.forecast, Unknown) else at.forecast.peakedness,
        basis="" if isinstance(at.forecast, Unknown) else at.forecast.basis,
        rule=proposal.rule,
        published_maximum=_published_maximum(at, wanted),
        registered_maximum=_registered_maximum(at),
        usd_per_unit_hour=at.unit.usd_per_unit_hour,
        standing=at.standing,
        least=1 if at.policy.stack_owns_config else 0,
        blocked=bool(stopping),
        may_lower=at.policy.mode is Mode.APPLY,
    )
    return replace(decision, action=action_of(decision))


def action_of(decision: Decision) -> Action:
    """What carrying the decision out means: nothing where it is blocked or where nothing would change."""
    current = decision.current
    if decision.blocked:
        return Action.HOLD
    if decision.actuator is Actuator.AUTOSCALING:
        return _registration(decision)
    if decision.wanted == current or (current is None and decision.wanted == 0):
        return Action.HOLD
    if decision.wanted == 0:
        return Action.DELETE
    return Action.RAISE if decision.wanted > (current or 0) else Action.LOWER


def _registration(decision: Decision) -> Action:
    """For Application Auto Scaling both bounds count: the minimum first, else the maximum."""
    if decision.wanted < decision.least:
        return Action.HOLD
    if decision.current is None or decision.wanted > decision.current:
        return Action.RAISE
    if decision.wanted < decision.current:
        return Action.LOWER
    wanted, registered = decision.published_maximum, decision.registered_maximum
    if wanted is None or registered is None or wanted == registered:
        return Action.HOLD
    return Action.RAISE if wanted > registered else Action.LOWER


def _published_maximum(at: Situation, wanted: int) -> int | None:
    """The ceiling; in raise-only never below what stands or is registered, for AWS would lower the capacity to it."""
    if at.policy.actuator is not Actuator.AUTOSCALING:
        return None
    kept = max(at.standing, _registered_maximum(at) or 0) if at.policy.mode is Mode.RAISE_ONLY else 0
    return max(at.bounds.ceiling, wanted, kept)


def _registered_maximum(at: Situation) -> int | None:
    state = at.observation.state
    return state.scalable.maximum if state is not None and state.scalable is not None else None


def _staffed_for(at: Situation) -> float:
    if at.wanted is not None:
        return at.wanted.staffed_for
    return at.foreseen.staffed_for if at.foreseen else 0.0


def _band(at: Situation) -> tuple[float, float] | None:
    """Highest median and 0.9 quantile of the demand that the decision must cover."""
    if isinstance(at.forecast, Unknown):
        return None
    cut = at.forecast.between(int(at.now.timestamp()), int(at.covered_until.timestamp()))
    if not cut.at.size:
        return None
    return float(cut.quantile(0.5).max()), float(cut.quantile(0.9).max())


def decision_id(arn: str, now: datetime, fleet_version: str) -> str:
    """The same id for the same target, instant and fleet: short enough for a user agent."""
    digest = hashlib.sha256(f"{arn}|{now.isoformat()}|{fleet_version}".encode()).hexdigest()
    return f"{now:%Y%m%dT%H%M%SZ}-{digest[:12]}"


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:.0f} min"
