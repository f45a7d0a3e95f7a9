"""Facts: the evidence that verdicts share, each a sentence with its numbers and where they come from. Pure text."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from warmcast.scan.found import Evidence
from warmcast.scan.telling import count, number, quantity, share, usd

if TYPE_CHECKING:
    from warmcast.scan.case import Case
    from warmcast.scan.figures import Option, Study
    from warmcast.scan.found import Usage

LISTED = "Lambda ListProvisionedConcurrencyConfigs"
GET_ALIAS = "Lambda ListAliases"
ERLANG = "Erlang B on 5-minute means, docs/verdicts.md"
MODEL = "cold start model, docs/verdicts.md"

QUIET_DAYS = 3.0
"""Without a call, after which it is said since when: longer than a weekend."""


def units_of(amount: int) -> str:
    """`1 unit`, `20 units`."""
    return count(amount, "unit")


def stands(case: Case) -> Evidence:
    """What stands there now."""
    if case.capacity is None:
        return Evidence("No provisioned concurrency stands there now.", LISTED)
    capacity = case.capacity
    status = capacity.status.value if capacity.status else "no status"
    reason = f" ({capacity.status_reason})" if capacity.status_reason else ""
    said = f"{units_of(capacity.requested)} requested, {capacity.available} available, {status}{reason}."
    if not case.function.targets_unread:
        return Evidence(said, LISTED)
    return Evidence(
        f"{said} Whether Application Auto Scaling sets it is not known: its scalable targets could not be read.",
        f"{LISTED}; Application Auto Scaling DescribeScalableTargets (not readable)",
    )


def load(case: Case, study: Study) -> Evidence:
    """How much was asked of it, and since when nothing more."""
    figures = study.figures
    duration = f"{figures.mean_duration_s:.3g} s each on average" if figures.mean_duration_s else "no duration known"
    return Evidence(
        f"{quantity(figures.invocations, 'invocation')} in {case.period} ({share(figures.known_share)} of them known), "
        f"{duration}: {number(figures.mean_demand)} concurrent executions on average, {number(figures.peak_demand)} "
        f"at most.{_quiet_since(case.usage)}",
        case.metric("Invocations, Throttles and Duration", "Sum, Sum and Average") + "; ConcurrentExecutions, Maximum",
    )


def _quiet_since(usage: Usage | None) -> str:
    """The day of the last call, where there was one and it is known that none came for three days and more."""
    if usage is None:
        return ""
    called = np.flatnonzero(np.nan_to_num(usage.invocations) + np.nan_to_num(usage.throttles) > 0)
    if not len(called):
        return ""
    after = usage.invocations[called[-1] + 1 :]
    if np.count_nonzero(~np.isnan(after)) * usage.step_s < QUIET_DAYS * 86_400:
        return ""
    last = datetime.fromtimestamp(usage.start + int(called[-1]) * usage.step_s, UTC)
    return f" No call {'is known ' if np.isnan(after).any() else ''}since {last:%Y-%m-%d %H:%M} UTC."


def use(case: Case, study: Study) -> Evidence:
    """How much of the capacity was in use, and what spilled."""
    figures = study.figures
    spilled = f"; {share(figures.spillover)} of invocations spilled over" if figures.spillover is not None else ""
    return Evidence(
        f"{quantity(figures.mean_capacity, 'unit')} stood there on average, {share(figures.utilization)} of that in "
        f"use{spilled}.",
        case.metric("ProvisionedConcurrencySpilloverInvocations", "Sum") + "; Invocations and Duration",
    )


def spilled(case: Case, study: Study) -> Evidence:
    """What spilled, against the objective."""
    figures = study.figures
    return Evidence(
        f"{share(figures.spillover)} of invocations spilled over, against an objective of 1%.",
        case.metric("ProvisionedConcurrencySpilloverInvocations", "Sum"),
    )


def money(case: Case, option: Option, *, of: str) -> Evidence:
    """What a capacity costs a month, against executions on demand."""
    prices, function = case.prices, case.function
    assumed = ", assumed from another Region or architecture" if prices.assumed else ""
    difference = option.net_usd
    said = f"{usd(difference)} more than on demand" if difference > 0 else f"{usd(-difference)} less than on demand"
    return Evidence(
        f"{of}: {usd(option.allocation_usd)} of allocation a month of 730 hours, and {usd(option.worth_usd)} saved on "
        f"duration at {share(option.utilization)} utilization: {said}.",
        f"{prices.allocation_usd_per_gb_s:.10f} USD per GB-second of provisioned concurrency, "
        f"{prices.duration_usd_per_gb_s:.10f} of duration on it, {prices.on_demand_usd_per_gb_s:.10f} on demand "
        f"({case.place.region}, {function.architecture}, {function.memory_mb:,} MB{assumed})",
    )


def cold(case: Case, study: Study, option: Option, *, of: str) -> Evidence:
    """What a capacity does about cold starts, and what avoiding one costs."""
    keepalive = case.keepalive_min
    with_it, without = option.cold_starts[keepalive], study.none.cold_starts[keepalive]
    each = option.usd_per_cold_start(study.none, keepalive)
    if each is None:
        price = "none is avoided"
    elif each <= 0:
        price = "they are avoided for nothing, for it saves money"
    else:
        price = f"{small_usd(each)} for each one avoided"
    return Evidence(
        f"{of}: {_about(with_it)} a month instead of {_about(without)} without provisioned concurrency: "
        f"{price}; avoiding one is taken to be worth {small_usd(case.cold_start_usd)}.",
        f"{MODEL}; idle environments are taken to stay warm for {keepalive} minutes (AWS states no number)",
    )


def _about(cold_starts: float) -> str:
    """A modelled number of cold starts; nobody can have a part of one."""
    if cold_starts < 1:
        return "less than one cold start" if cold_starts > 0 else "no cold start"
    return f"about {quantity(cold_starts, 'cold start')}"


def need(case: Case, study: Study) -> Evidence:
    """What the objective asks."""
    figures, bursty = study.figures, study.load.peakedness
    burst = f", bursts {bursty:.2g} times those of random arrivals" if bursty > 1.05 else ""
    binding = (
        f" ({figures.need_by_rate} of them for 10 requests a second per unit)"
        if figures.need_by_rate >= figures.need > 1
        else ""
    )
    return Evidence(
        f"{units_of(figures.need)} all the time would have spilled no more than 1% over {case.period}{binding}{burst}.",
        ERLANG,
    )


def break_even(case: Case) -> Evidence:
    """From which utilization on a unit saves money here."""
    at = case.prices.break_even
    if not math.isfinite(at):
        said = (
            "Executions on provisioned concurrency are not cheaper than on demand here, so that it never saves money."
        )
    elif at >= 1:
        said = f"A unit would have to be in use {at:.0%} of the time to save money here: it never does."
    else:
        said = f"A unit saves money here if it is in use more than {at:.0%} of the time."
    return Evidence(said, f"break-even of unit prices in {case.place.region}, {case.function.architecture}")


def throttled(case: Case, study: Study) -> tuple[Evidence, ...]:
    """That throttles hide demand, where there were any."""
    figures = study.figures
    if figures.throttles <= 0:
        return ()
    requests = figures.invocations + figures.throttles
    return (
        Evidence(
            f"{quantity(figures.throttles, 'request')} {'was' if figures.throttles == 1 else 'were'} throttled "
            f"({share(figures.throttles / requests)}): throttles count as demand here, but hide what else would have "
            "come, and retries inflate them.",
            case.metric("Throttles", "Sum"),
        ),
    )


def small_usd(value: float) -> str:
    """An amount that may be far below a cent."""
    return usd(value) if abs(value) >= 0.995 else f"{'-' if value < 0 else ''}${abs(value):.3g}"
