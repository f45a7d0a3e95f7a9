"""Builders for tests: each names what a scenario may want to say and fills in the rest with plain values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from warmcast.fleet import Fleet, Policy
from warmcast.model import (
    AccountLimits,
    Action,
    Actuator,
    Capacity,
    Decision,
    Forecast,
    History,
    Learned,
    Memory,
    Observation,
    Reason,
    Rhythm,
    ScalableTarget,
    Series,
    Status,
    TargetId,
    TargetState,
    Unknown,
)
from warmcast.situation import Situation
from warmcast.staffing import unit_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warmcast.model import FloatArray

NOON = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)
"""A Monday at noon, UTC."""

LEARNED = Learned(learned_at=NOON, until=int(NOON.timestamp()), arrays={})
"""Something learned; decisions only ask whether anything was."""

CHECKOUT = TargetId("111122223333", "us-east-1", "checkout-api", "live")

LEVELS = np.array([0.05, 0.25, 0.5, 0.75, 0.9, 0.99])
WEIGHTS = np.array([0.15, 0.225, 0.25, 0.2, 0.12, 0.055])


def target(name: str = "checkout-api:live") -> TargetId:
    """A target of the tests' account by `function:qualifier`."""
    function, qualifier = name.split(":")
    return TargetId("111122223333", "us-east-1", function, qualifier)


def policy(name: str = "checkout-api:live", *, low: int = 2, high: int = 400, **keys: Any) -> Policy:  # noqa: ANN401 - the policy file's keys
    """A policy as the fleet's files would give it; `keys` are those of a policy file."""
    function, qualifier = name.split(":")
    written = {"mode": "apply", **keys}
    return Policy.model_validate(
        {"function": function, "qualifier": qualifier, "capacity": {"min": low, "max": high}, **written}
    )


def fleet(*policies: Policy, version: str = "test") -> Fleet:
    """A fleet of these policies, without findings."""
    by_target = {target(f"{each.function}:{each.qualifier}"): each for each in policies}
    return Fleet(policies=by_target, findings=(), version=version, refused=())


def capacity(units: int, status: Status | None = Status.READY, *, allocated: int | None = None) -> Capacity:
    """A provisioned concurrency config of so many units."""
    there = units if allocated is None else allocated
    return Capacity(requested=units, allocated=there, available=there, status=status)


def state(
    units: int = 10,
    *,
    status: Status | None = Status.READY,
    allocated: int | None = None,
    at: datetime = NOON,
    weights: Mapping[str, float] | None = None,
    ineligible: str = "",
    reserved: int | None = None,
    scalable: ScalableTarget | None = None,
    siblings: Mapping[str, int] | None = None,
    memory_mb: int = 1024,
) -> TargetState:
    """What the control planes say: `units` READY, unless told otherwise."""
    return TargetState(
        read_at=at,
        capacity=capacity(units, status, allocated=allocated),
        version="7",
        memory_mb=memory_mb,
        weights=weights or {},
        ineligible=ineligible,
        reserved=reserved,
        scalable=scalable,
        siblings=siblings or {},
    )


def minutes(
    demand: Sequence[float] | FloatArray, *, end: datetime = NOON, duration_s: float = 0.5, spilled: float = 0.0
) -> Series:
    """Measured minutes of this demand, the last of which ended 2 minutes before `end`; NaN is a gap."""
    values = np.asarray(demand, dtype=np.float64)
    last = int(end.timestamp()) // 60 * 60 - 120
    arrivals = values * 60 / duration_s
    return Series(
        start=last - 60 * len(values),
        step_s=60,
        work_s=values * 60,
        arrivals=arrivals,
        throttles=np.zeros(len(values)),
        peak=np.full(len(values), np.nan),
        spilled=arrivals * spilled,
    )


def history(demand: Sequence[float] | FloatArray, *, end: datetime = NOON, complete: bool = True) -> History:
    """A history of minutes alone."""
    fine = minutes(demand, end=end)
    return History(coarse=Series.empty(fine.start, 300), fine=fine, complete=complete)


def settled(demand: float, *, end: datetime = NOON) -> History:
    """Two weeks of the same demand: 5-minute steps, then six hours of minutes up to 2 minutes before `end`."""
    fine = minutes((demand,) * 360, end=end)
    start = fine.start // 300 * 300
    fine = fine.between(start + 300, fine.end)
    steps = np.full(14 * 288, demand)
    coarse = Series(
        start=fine.start - 300 * len(steps),
        step_s=300,
        work_s=steps * 300,
        arrivals=steps * 300 / 0.5,
        throttles=np.zeros(len(steps)),
        peak=np.full(len(steps), np.nan),
        spilled=np.full(len(steps), np.nan),
    )
    return History(coarse=coarse, fine=fine)


def malformed() -> History:
    """A history whose arrays don't fit together: whoever computes with it meets a bug."""
    good = history((40.0,) * 30)
    return replace(good, fine=replace(good.fine, throttles=np.zeros(3)))


def forecast(
    demand: float | Sequence[float] = 10.0,
    *,
    at: datetime = NOON,
    spread: float = 0.0,
    rate_per_s: float = 0.0,
    fallen_from: Forecast | None = None,
) -> Forecast:
    """A forecast of this demand (one value, or one per minute from `at`), with a symmetric spread in shares of it."""
    means = np.full(120, float(demand)) if isinstance(demand, int | float) else np.asarray(demand, dtype=np.float64)
    factors = 1 + spread * np.array([-1.6, -0.7, 0.0, 0.7, 1.3, 2.3])
    steps = len(means)
    return Forecast(
        issued_at=at,
        at=int(at.timestamp()) + 60 * np.arange(steps, dtype=np.int64),
        step_s=np.full(steps, 60, dtype=np.int64),
        levels=LEVELS,
        weights=WEIGHTS,
        demand=np.maximum(np.outer(factors, means), 0.0),
        rate_per_s=np.full((len(LEVELS), steps), rate_per_s),
        peakedness=1.0,
        basis="week",
        fallen_from=fallen_from,
    )


def observation(
    *,
    now: datetime = NOON,
    who: TargetId = CHECKOUT,
    seen: Sequence[float] | FloatArray | History = (10.0,) * 30,
    known: TargetState | None = None,
    memory: Memory | None = None,
    **rest: Any,  # noqa: ANN401 - fields of Observation
) -> Observation:
    """An observation of a target: the last half hour's demand and its state."""
    measured = seen if isinstance(seen, History) else history(seen, end=now)
    return Observation(
        target=who, at=now, history=measured, state=known, memory=memory or Memory(), **{"learned": LEARNED, **rest}
    )


def situation(
    *,
    rules: Policy | None = None,
    seen: Observation | None = None,
    foreseen: Forecast | Unknown | None = None,
    now: datetime = NOON,
    tick: timedelta = timedelta(minutes=5),
) -> Situation:
    """A situation: 10 units READY, demand 10 seen and foreseen, unless told otherwise."""
    observed = seen or observation(now=now, known=state(10))
    return Situation(
        policy=rules or policy(),
        observation=observed,
        forecast=foreseen if foreseen is not None else forecast(10.0, at=now),
        unit=unit_of(region="us-east-1", architecture="x86_64", memory_mb=1024),
        now=now,
        rhythm=replace(Rhythm(), tick=tick),
    )


def decision(  # a decision's fields that sharing looks at
    name: str = "checkout-api:live",
    *,
    current: int | None = 10,
    wanted: int = 10,
    floor: int = 0,
    staffed_for: float = 5.0,
    may_lower: bool = True,
    blocked: bool = False,
    usd_per_unit_hour: float = 0.015,
    least: int = 0,
) -> Decision:
    """A decision as `decide` would make it, before the shared limits."""
    difference = wanted - (current or 0)
    action = Action.HOLD if blocked or not difference else Action.RAISE if difference > 0 else Action.LOWER
    return Decision(
        id=f"id-{name}",
        target=target(name),
        at=NOON,
        fleet_version="test",
        actuator=Actuator.DIRECT,
        current=current,
        wanted=wanted,
        action=action,
        reason=Reason.FORECAST,
        floor=floor,
        ceiling=1000,
        staffed_for=staffed_for,
        usd_per_unit_hour=usd_per_unit_hour,
        standing=current or 0,
        least=least,
        blocked=blocked,
        may_lower=may_lower,
    )


ROOMY = AccountLimits(concurrency=10_000, unreserved=10_000, others_in_use=0.0)
"""An account with room for everything."""
