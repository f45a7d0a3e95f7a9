"""A scan for tests of reports: a row for every verdict, hostile names, and accounts that could not be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from builders import capacity as units_of
from warmcast.prices import unit_prices
from warmcast.scan.found import (
    AliasSeen,
    ConcurrencyRow,
    Denial,
    Evidence,
    Figures,
    Finding,
    FunctionSeen,
    Owner,
    Place,
    Pressure,
    Scan,
    Usage,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

AT = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)
DAYS = 14
VIRGINIA = Place("111122223333", "us-east-1", "prod")
FRANKFURT = Place("111122223333", "eu-central-1", "prod")
PAULO = Place("444455556666", "sa-east-1", "data")

NASTY = '<script>alert("x")</script>'
"""What an account's owner could have put where text is free: tags, descriptions, metric names."""

NASTY_TEXT = f"{NASTY} | `=HYPERLINK(1)` & [bold]not bold[/bold] </details>\x1b[2J"

CHANGES: Mapping[Verdict, float] = MappingProxyType(
    {
        Verdict.STUCK: 0.0,
        Verdict.UNREACHABLE: -219.0,
        Verdict.ORPHAN: -109.5,
        Verdict.REQUEST_BOUND: 54.75,
        Verdict.NEVER_SCALED_IN: -340.25,
        Verdict.NEVER_HERE: -87.2,
        Verdict.DROP: -76.6,
        Verdict.SNAP_START: -65.7,
        Verdict.SCHEDULE: -1402.6,
        Verdict.TOO_HIGH: -153.3,
        Verdict.TOO_LOW: 43.8,
        Verdict.KEEP: 0.0,
        Verdict.BUY: 21.9,
        Verdict.NO: 0.0,
        Verdict.UNKNOWN: 0.0,
    }
)
"""What following each verdict changes, USD a month."""

AMOUNTS: Mapping[Verdict, int] = MappingProxyType(
    {
        Verdict.UNREACHABLE: 0,
        Verdict.ORPHAN: 0,
        Verdict.REQUEST_BOUND: 25,
        Verdict.NEVER_HERE: 0,
        Verdict.DROP: 0,
        Verdict.SNAP_START: 0,
        Verdict.TOO_HIGH: 6,
        Verdict.TOO_LOW: 24,
        Verdict.BUY: 2,
    }
)
BARE = {Verdict.BUY, Verdict.NO}
"""Verdicts on aliases without provisioned concurrency."""


def usage(*, days: int = DAYS, step_s: int = 300, capacity: float = 20.0, seed: int = 1) -> Usage:
    """Office hours with noise, an hour unknown, and capacity certain while something ran."""
    random = np.random.default_rng(seed)
    steps = days * 86_400 // step_s
    hours = np.arange(steps) * step_s / 3600 % 24
    busy = np.exp(-(((hours - 13) / 4) ** 2))
    invocations = random.poisson(busy * step_s * 12).astype(np.float64)
    invocations[: 3600 // step_s] = np.nan
    duration_s = np.where(invocations > 0, 0.5, np.nan)
    demand = invocations / step_s * 0.5
    stands = np.full(steps, capacity or np.nan)
    return Usage(
        start=int(AT.timestamp()) - days * 86_400,
        step_s=step_s,
        invocations=invocations,
        duration_s=duration_s,
        peak=np.where(invocations > 0, np.ceil(demand * 1.6 + 1), np.nan),
        throttles=np.zeros(steps),
        spilled=np.where(stands > 0, invocations * 0.004, np.nan),
        provisioned=np.where(invocations > 0, np.minimum(np.ceil(demand), stands), np.nan),
        utilization=np.where(invocations > 0, np.minimum(np.ceil(demand) / stands, 1.0), np.nan),
        capacity=np.nan_to_num(stands),
        certain=(invocations > 0).astype(np.float64),
        of_function=float(np.nansum(invocations)),
        complete=True,
    )


def figures(*, capacity: float = 20.0, usd_per_unit: float = 10.95, spillover: float | None = 0.004) -> Figures:
    """Figures of that usage, plausible rather than computed: reports only pass them on."""
    return Figures(
        days=float(DAYS),
        known_share=0.997,
        invocations=4_213_440.0,
        mean_demand=1.74,
        peak_demand=12.0,
        mean_duration_s=0.5,
        mean_capacity=capacity,
        utilization=1.74 / capacity if capacity else 0.0,
        spillover=spillover,
        throttles=0.0,
        cold_starts_bound=16_853.0,
        cold_starts=412.0,
        cold_starts_without=1_530.0,
        need=6,
        need_by_rate=2,
        allocated_usd=capacity * usd_per_unit,
        idle_usd=capacity * usd_per_unit * 0.9,
        worth_usd=14.25,
        need_usd=6 * usd_per_unit,
        table_usd=3.2 * usd_per_unit,
        usd_per_cold_start=0.087 if capacity else None,
        break_even=0.6,
    )


def finding(
    verdict: Verdict,
    *,
    name: str = "",
    place: Place = VIRGINIA,
    owner: Owner = Owner.STACK,
    text: str = "",
    weights: Mapping[str, float] | None = None,
    seed: int = 1,
) -> Finding:
    """A finding with this verdict: 20 units, or none where the verdict is about an alias without."""
    units = 0 if verdict in BARE else 20
    unknown = verdict is Verdict.UNKNOWN
    function = FunctionSeen(
        name=name or f"fn-{verdict.name.lower().replace('_', '-')}",
        runtime="python3.13",
        package="Zip",
        memory_mb=1024,
        architecture="x86_64",
        timeout_s=30.0,
        stack="shop-prod",
        aliases=MappingProxyType({"live": AliasSeen("41", MappingProxyType(dict(weights or {})))}),
        unread=("tags (AccessDenied)",) if unknown else (),
    )
    return Finding(
        place=place,
        function=function,
        qualifier="live",
        version="41",
        capacity=units_of(units) if units else None,
        owner=owner if units else Owner.NOBODY,
        prices=unit_prices(place.region, "x86_64"),
        usage=None if unknown else usage(capacity=units, seed=seed),
        figures=None if unknown else figures(capacity=units, spillover=0.004 if units else None),
        verdict=verdict,
        evidence=(
            Evidence(text or f"utilization {0.087:.1%} over 14 days", "CloudWatch, ProvisionedConcurrencyUtilization"),
            Evidence("20 units stood at 03:00 UTC, when nothing ran", "GetProvisionedConcurrencyConfig"),
        ),
        amount=AMOUNTS.get(verdict),
        monthly_usd=CHANGES[verdict],
        todo="" if verdict in {Verdict.KEEP, Verdict.NO} else f"aws lambda do-something --for '{verdict.value}'",
    )


def findings() -> tuple[Finding, ...]:
    """One of each verdict, most money first, over three places; one with hostile names and texts."""
    places = {Verdict.NEVER_HERE: PAULO, Verdict.DROP: FRANKFURT, Verdict.TOO_HIGH: FRANKFURT}
    owners = {Verdict.NEVER_SCALED_IN: Owner.AUTO_SCALING, Verdict.TOO_HIGH: Owner.UNKNOWN}
    by_money = sorted(CHANGES, key=lambda verdict: -abs(CHANGES[verdict]))
    made = [
        finding(verdict, place=places.get(verdict, VIRGINIA), owner=owners.get(verdict, Owner.STACK), seed=number)
        for number, verdict in enumerate(by_money)
    ]
    nasty = finding(Verdict.STUCK, name=NASTY, text=NASTY_TEXT, weights={"40": 0.1}, seed=99)
    return (*made, replace(nasty, todo=NASTY_TEXT))


CONCURRENCY = (
    ConcurrencyRow(
        place=VIRGINIA,
        function="",
        limit=1000,
        peak=912.0,
        throttles=0.0,
        pressure=Pressure.QUOTA,
        evidence=(Evidence("peak 912 of 1,000", "CloudWatch, ConcurrentExecutions"),),
        left=640,
    ),
    ConcurrencyRow(
        place=FRANKFURT,
        function="billing-export",
        limit=20,
        peak=20.0,
        throttles=1_204.0,
        pressure=Pressure.RESERVATION_TOO_LOW,
        evidence=(Evidence(f"1,204 throttles at a peak of 20 {NASTY}", "CloudWatch, Throttles"),),
    ),
)

DENIALS = (
    Denial(
        place=Place("777788889999", "eu-west-1", "audit"),
        operation="ListFunctions",
        code="AccessDeniedException",
        message=f"User: arn:aws:iam::777788889999:user/ann is not authorized {NASTY}",
        fix="warmcast iam scan prints the least policy",
    ),
)


def scan() -> Scan:
    """Everything at once."""
    return Scan(
        at=AT,
        days=DAYS,
        places=(VIRGINIA, FRANKFURT, PAULO),
        findings=findings(),
        concurrency=CONCURRENCY,
        denials=DENIALS,
        skipped=MappingProxyType({VIRGINIA: 181, FRANKFURT: 12}),
        prices_source="AWS Price List API, read 2026-03-09",
        cost_explorer_usd=MappingProxyType({"111122223333": 2_871.55}),
        metrics_requested=12_480,
        calls=MappingProxyType({"lambda.ListFunctions": 4, "cloudwatch.GetMetricData": 26}),
    )


def empty() -> Scan:
    """An account with nothing to tell."""
    return Scan(at=AT, days=DAYS, places=(VIRGINIA,), findings=(), prices_source="bundled table, 2024")


def denied() -> Scan:
    """No account could be read."""
    return replace(empty(), denials=DENIALS)


def many(number: int) -> Scan:
    """So many aliases, of every verdict in turn."""
    verdicts = list(Verdict)
    rows = tuple(
        finding(verdicts[index % len(verdicts)], name=f"service-{index:04}", seed=index) for index in range(number)
    )
    return replace(scan(), findings=rows)
