"""Binding: verdicts on what holds a capacity where it is: AWS's request rate per unit, and target tracking that idles.

Each rule takes a case whose history is complete, and says something of it, or None. Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from warmcast.scan import facts, mending, present, reserving
from warmcast.scan.case import BUSY_SHARE, IDLE_S, RATE_PER_UNIT_S, WORTH_DOING_SHARE, WORTH_DOING_USD, Case, Said
from warmcast.scan.figures import MONTH_S
from warmcast.scan.found import Evidence, Verdict
from warmcast.scan.telling import number, share, usd
from warmcast.scan.worth import more_pays, spills

if TYPE_CHECKING:
    from warmcast.scan.found import Scaling, Tracking, Usage

RATE_RULE = "Lambda developer guide, lambda-concurrency: 10 requests a second per unit of provisioned concurrency"
SILENT = "Lambda developer guide, provisioned-concurrency: its metrics are not emitted while nothing runs"
SUSPENDED = "DynamicScalingInSuspended"
REACTS_S = 1200
"""Target tracking scales in after 15 minutes of low utilization: idle time counts from 20 minutes on."""

# --- more requests than its units take -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Where:
    """Means over the steps in which it spilled, weighted by what spilled."""

    rate_per_unit_s: float
    utilization: float


def request_bound(case: Case) -> Said | None:
    """It spills although it is not busy: executions so short that requests bind before concurrency does."""
    study, usage = case.known_study, present.todays_usage(case)
    where = _where_it_spills(usage) if usage and spills(case) else None
    if where is None or where.rate_per_unit_s < RATE_PER_UNIT_S or where.utilization >= BUSY_SHARE:
        return None
    highest = float(study.load.rate_per_s.max())
    need = study.figures.need
    by_rate = math.ceil(highest / RATE_PER_UNIT_S - 1e-9)
    if case.units >= by_rate:
        return None
    wanted = need if need > case.units else by_rate
    within = reserving.within(case, wanted, level=case.units)
    amount = within.units
    option = study.constant(amount)
    if not more_pays(case, study, option):
        return None
    evidence = (
        present.spilled(case),
        Evidence(
            f"Where it spilled, {where.rate_per_unit_s:.1f} requests a second came per unit (five-minute means) and "
            f"utilization was {share(where.utilization)}: not concurrency binds, but 10 requests a second per unit.",
            f"{RATE_RULE}; {case.metric('Invocations and ProvisionedConcurrencyUtilization', 'Sum and Maximum')}",
        ),
        Evidence(
            f"The highest five minutes have {number(highest)} requests a second: {facts.units_of(wanted)}.",
            case.metric("Invocations and Throttles", "Sum"),
        ),
        *within.evidence,
        facts.money(case, option, of=facts.units_of(amount)),
        facts.cold(case, study, option, of=facts.units_of(amount)),
        facts.stands(case),
        facts.load(case, study),
        *facts.throttled(case, study),
    )
    change = option.net_usd - case.standing.net_usd
    return Said(Verdict.REQUEST_BOUND, evidence, amount, change, within.todo(mending.set_to(case, amount)))


def _where_it_spills(usage: Usage) -> _Where | None:
    """None where no step that spilled tells capacity and utilization."""
    told = (usage.spilled > 0) & (usage.capacity > 0) & ~np.isnan(usage.utilization) & ~np.isnan(usage.invocations)
    if not told.any():
        return None
    spilled = usage.spilled[told]
    rate = usage.invocations[told] / usage.step_s / usage.capacity[told]
    return _Where(
        rate_per_unit_s=float(np.average(rate, weights=spilled)),
        utilization=float(np.average(usage.utilization[told], weights=spilled)),
    )


# --- target tracking that sees nothing -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Idle:
    """Time without an invocation, in which capacity stood above the minimum all the same.

    Args:
        runs: how many. longest_s: the longest. unit_s: unit-seconds above the minimum. highest: units that stood.
    """

    runs: int
    longest_s: int
    unit_s: float
    highest: float


def never_scaled_in(case: Case) -> Said | None:
    """Target tracking keeps capacity up through idle hours, for its metric has no data then."""
    scaling, usage, study = case.scaling, case.usage, case.known_study
    tracking = _blind(scaling) if scaling else None
    if not scaling or not usage or not tracking:
        return None
    minimum = max([scaling.minimum, *(each.minimum or 0 for each in scaling.scheduled)])
    idle = _idle(usage, minimum, case.units)
    saved = idle.unit_s / (len(usage.invocations) * usage.step_s) * _unit_usd(case)
    if saved <= max(WORTH_DOING_USD, WORTH_DOING_SHARE * study.figures.allocated_usd):
        return None
    evidence = (
        Evidence(
            f"{idle.runs} times in {case.period} nothing ran for {IDLE_S // 3600} hours or more (the longest: "
            f"{idle.longest_s / 3600:.3g} hours) while up to {number(idle.highest)} units stood, against a minimum of "
            f"{minimum}.",
            f"{case.metric('Invocations', 'Sum')}; Application Auto Scaling DescribeScalableTargets and activities",
        ),
        Evidence(
            f"Policy {tracking.name} tracks {tracking.metric}, which has no datapoint while nothing runs: its alarm "
            "has INSUFFICIENT_DATA, and never scales in.",
            f"Application Auto Scaling DescribeScalingPolicies; {SILENT}",
        ),
        Evidence(
            f"The units above the minimum cost {usd(saved)} a month in those hours.",
            facts.money(case, study.stood, of="").source,
        ),
        facts.stands(case),
        facts.load(case, study),
        facts.use(case, study),
    )
    amount = max(1, minimum)
    return Said(Verdict.NEVER_SCALED_IN, evidence, amount, -saved, mending.fill_idle(case, tracking))


def _blind(scaling: Scaling) -> Tracking | None:
    """A policy that should scale in and can't see idleness."""
    if SUSPENDED in scaling.suspended:
        return None
    return next((each for each in scaling.tracking if each.predefined and each.scale_in), None)


def _unit_usd(case: Case) -> float:
    """A month of one unit."""
    return case.prices.usd_per_unit_hour(case.function.memory_mb) * MONTH_S / 3600


def _idle(usage: Usage, minimum: int, units: int) -> _Idle:
    """What stood in a run counts as far as it still stood after it: what stands while nothing runs no metric tells."""
    quiet = (usage.invocations == 0).astype(np.int64)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet, [0]])))
    late = REACTS_S // usage.step_s
    found: list[_Idle] = []
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        after = float(usage.capacity[end]) if end < len(quiet) else float(units)
        stood = np.minimum(np.nan_to_num(usage.capacity[first + late : end]), np.nan_to_num(after))
        above = float(np.maximum(stood - minimum, 0.0).sum()) * usage.step_s
        if (end - first) * usage.step_s >= IDLE_S and above > 0:
            found.append(_Idle(1, (end - first) * usage.step_s, above, float(stood.max())))
    return _Idle(
        runs=len(found),
        longest_s=max((each.longest_s for each in found), default=0),
        unit_s=sum(each.unit_s for each in found),
        highest=max((each.highest for each in found), default=0.0),
    )
