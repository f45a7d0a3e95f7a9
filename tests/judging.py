"""Judging: functions and usages made for a verdict, as CloudWatch would report traffic that is told in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from builders import capacity
from warmcast.erlang import spilled_share
from warmcast.prices import unit_prices
from warmcast.scan.found import AliasSeen, Finding, FunctionSeen, Place, Scaling, Tracking, Usage
from warmcast.scan.verdict import judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warmcast.model import Capacity, FloatArray

NOW = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)  # a Monday
DAYS = 14
STEP_S = 300
STEPS_A_DAY = 288
VIRGINIA = Place("111122223333", "us-east-1", "prod")
FRANKFURT = Place("111122223333", "eu-central-1", "prod")
LONG_AGO = NOW - timedelta(days=40)


def hours(days: int = DAYS) -> FloatArray:
    """The hour of the day in which each step begins; the first step begins `days` before NOW."""
    step: FloatArray = np.arange(days * STEPS_A_DAY) * STEP_S / 3600
    return step % 24


def weekdays(days: int = DAYS) -> FloatArray:
    """Monday 0 to Sunday 6, of each step."""
    day: FloatArray = np.floor(np.arange(days * STEPS_A_DAY) / STEPS_A_DAY)
    return (day - days) % 7


def steady(level: float, days: int = DAYS) -> FloatArray:
    """The same demand all the time."""
    return np.full(days * STEPS_A_DAY, float(level))


def office(level: float, *, night: float = 0.0, days: int = DAYS) -> FloatArray:
    """That demand on weekdays from 8 to 18 h UTC, another at all other times."""
    busy = (hours(days) >= 8) & (hours(days) < 18) & (weekdays(days) < 5)
    return np.where(busy, float(level), night)


def usage(
    demand: FloatArray,
    *,
    units: float | FloatArray = 0.0,
    duration_s: float = 0.5,
    spilled: float | None = None,
    throttled: float = 0.0,
    of_function: float | None = None,
    by_version: Mapping[str, float] | None = None,
    complete: bool = True,
    note: str = "",
) -> Usage:
    """What CloudWatch says of a demand in five-minute steps that end at NOW; NaN in it is not known.

    Args:
        demand: concurrent executions.
        units: provisioned concurrency that stood.
        duration_s: of every execution.
        spilled: share of invocations; as Erlang's B has it where it is not given.
        throttled: share of requests.
        of_function: invocations of the whole function; its own where not given.
        by_version: invocations of the last day.
        complete: as `Usage` has it.
        note: likewise.
    """
    stood = np.broadcast_to(np.asarray(units, dtype=np.float64), demand.shape).copy()
    requests = demand / duration_s * STEP_S
    invocations = requests * (1 - throttled)
    ran, there = np.nan_to_num(invocations) > 0, stood > 0
    share = spilled_share(stood.astype(np.int64), np.nan_to_num(demand)) if spilled is None else spilled
    unknown = np.full(len(demand), np.nan)
    in_use = np.minimum(np.ceil(demand * (1 - share)), stood)
    return Usage(
        start=int(NOW.timestamp()) - len(demand) * STEP_S,
        step_s=STEP_S,
        invocations=invocations,
        duration_s=np.where(ran, duration_s, np.nan),
        peak=unknown,
        throttles=requests * throttled,
        spilled=np.where(there, np.nan_to_num(invocations) * share, np.nan),
        provisioned=np.where(ran & there, in_use, np.nan),
        utilization=np.divide(in_use, stood, out=unknown.copy(), where=ran & there),
        capacity=stood,
        certain=(ran & there).astype(np.float64),
        of_function=float(np.nansum(invocations)) if of_function is None else of_function,
        by_version=MappingProxyType(dict(by_version or {})),
        complete=complete,
        note=note,
    )


def standing(units: int, *, set_at: datetime = LONG_AGO) -> Capacity:
    """READY capacity that was set long ago."""
    ready = capacity(units)
    return type(ready)(ready.requested, ready.allocated, ready.available, ready.status, "", set_at)


def function(
    *,
    units: int | Capacity = 0,
    qualifier: str = "live",
    runtime: str = "nodejs22.x",
    memory_mb: int = 1024,
    aliases: Mapping[str, AliasSeen] | None = None,
    scaling: Scaling | None = None,
    **seen: str | bool | int | tuple[str, ...] | None,
) -> FunctionSeen:
    """`checkout` with alias `live` on version 7, in no stack, with so many units."""
    held = units if not isinstance(units, int) else standing(units) if units else None
    return FunctionSeen(
        name="checkout",
        runtime=runtime,
        package=str(seen.pop("package", "Zip")),
        memory_mb=memory_mb,
        architecture=str(seen.pop("architecture", "x86_64")),
        timeout_s=30.0,
        aliases=MappingProxyType(dict(aliases if aliases is not None else {"live": AliasSeen("7")})),
        provisioned=MappingProxyType({qualifier: held} if held else {}),
        scaling=MappingProxyType({qualifier: scaling} if scaling else {}),
        **seen,  # type: ignore[arg-type] # the scenario names fields of FunctionSeen
    )


def tracking(minimum: int, maximum: int, *, predefined: bool = True, scale_in: bool = True) -> Scaling:
    """A scalable target with one target-tracking policy."""
    metric = "LambdaProvisionedConcurrencyUtilization" if predefined else "FILL(m1, 0), Maximum"
    return Scaling(minimum, maximum, tracking=(Tracking("keep-70", 0.7, metric, predefined, scale_in),))


def judged(
    seen: FunctionSeen,
    used: Usage | None,
    *,
    qualifier: str = "live",
    place: Place = VIRGINIA,
    cold_start_usd: float = 0.01,
) -> Finding:
    """The finding at NOW, at the bundled prices."""
    prices = unit_prices(place.region, seen.architecture)
    return judge(place, seen, qualifier, used, prices=prices, cold_start_usd=cold_start_usd, now=NOW)
