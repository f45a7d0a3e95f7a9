"""Plan: the next hours of one target, from what is known now. Pure; it asks the same brain as the tick.

Each step of the plan is what the rules and the objective would want if the forecast issued now came true: need over the
time that a decision at that step must cover, between floor and ceiling. Guards against lowering too soon (hold, outage,
data) need the future's measurements and are left out, but for the hold, which looks at the forecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from warmcast.brain import foresee, unit
from warmcast.calendar import bounds
from warmcast.model import Forecast
from warmcast.situation import LONGEST_LEAD_TIME
from warmcast.staffing import need

if TYPE_CHECKING:
    from datetime import datetime

    from warmcast.calendar import Bounds
    from warmcast.fleet import Policy
    from warmcast.model import Observation, Rhythm, TargetId
    from warmcast.staffing import Unit


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan: what is foreseen, what rules allow, what would be wanted and why."""

    at: datetime
    capacity: int
    floor: int
    ceiling: int
    reason: str
    p50: float | None
    p90: float | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The next hours of one target; `note` says why there is no forecast, where there is none."""

    target: TargetId
    timezone: str
    steps: tuple[Step, ...]
    basis: str
    note: str
    usd: float


def plan(
    policy: Policy, observation: Observation, *, now: datetime, hours: float, rhythm: Rhythm, step: timedelta
) -> Plan:
    """What the target's capacity would be over the next `hours` if the forecast issued now came true."""
    end = now + timedelta(hours=hours)
    reach = max(policy.hold, LONGEST_LEAD_TIME + rhythm.tick)
    forecast = foresee(policy, observation, now=now, horizon=end - now + reach + step)
    per_unit = unit(observation)
    count = int((end - now) / step)
    starts = [now + index * step for index in range(count)]
    steps = tuple(_step(policy, observation, forecast, per_unit, at, at + step + reach) for at in starts)
    hours_each = step / timedelta(hours=1)
    return Plan(
        target=observation.target,
        timezone=str(policy.timezone),
        steps=steps,
        basis=forecast.basis if isinstance(forecast, Forecast) else "",
        note="" if isinstance(forecast, Forecast) else forecast.reason,
        usd=sum(each.capacity for each in steps) * hours_each * per_unit.usd_per_unit_hour,
    )


def _step(
    policy: Policy, observation: Observation, forecast: Forecast | object, per_unit: Unit, at: datetime, until: datetime
) -> Step:
    limits = bounds(policy, at, until, observation.override)
    if not isinstance(forecast, Forecast):
        return Step(at, min(limits.floor, limits.ceiling), limits.floor, limits.ceiling, limits.floor_rule, None, None)
    cut = forecast.between(int(at.timestamp()), int(until.timestamp()))
    wanted = need(cut, policy.objective, unit=per_unit).capacity
    capacity = min(max(wanted, limits.floor), limits.ceiling)
    return Step(
        at=at,
        capacity=capacity,
        floor=limits.floor,
        ceiling=limits.ceiling,
        reason=_reason(wanted, limits),
        p50=float(cut.quantile(0.5).max()),
        p90=float(cut.quantile(0.9).max()),
    )


def _reason(wanted: int, limits: Bounds) -> str:
    if wanted > limits.ceiling:
        return limits.ceiling_rule
    return limits.floor_rule if wanted < limits.floor else "forecast"


def changes(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps at which the capacity differs from the one before; the first step always."""
    return tuple(step for index, step in enumerate(steps) if index == 0 or step.capacity != steps[index - 1].capacity)
