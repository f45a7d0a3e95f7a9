"""Present: what spills over with the capacity that stands there now, whatever stood there before. Pure.

present(case)       share that spills, over which steps, measured or modelled
spilled(...), use(...)      it in words, with since when
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from warmcast.scan import facts
from warmcast.scan.case import DAY_S
from warmcast.scan.figures import least_without_spill, spillover
from warmcast.scan.found import Evidence
from warmcast.scan.load import OBJECTIVE
from warmcast.scan.telling import number, share

if TYPE_CHECKING:
    from warmcast.scan.case import Case
    from warmcast.scan.found import Usage


@dataclass(frozen=True, slots=True, eq=False)
class Present:
    """What spills over with what stands there now.

    Args:
        spillover: share of invocations; None where nothing tells it.
        since: epoch seconds from which it was looked at; None: the whole time.
        modelled: whether it stood too shortly to be measured.
        least_without_spill: units that hold the measured peaks of the steps that spilled, as `Study` has it.
    """

    spillover: float | None
    since: int | None = None
    modelled: bool = False
    least_without_spill: int = 1

    @property
    def spills(self) -> bool:
        """Whether more spills over than the objective allows."""
        return self.spillover is not None and self.spillover > OBJECTIVE


def present(case: Case) -> Present:
    """Measured over the steps in which today's capacity stood; modelled where they are less than a day.

    A capacity that something moves is measured over the whole time: what stands at this hour says nothing of others.
    """
    study, usage = case.known_study, case.usage
    whole = Present(study.figures.spillover, least_without_spill=study.least_without_spill)
    steps = _todays(case)
    if usage is None or steps is None:
        return whole
    since = usage.start + int(np.argmax(steps)) * usage.step_s if steps.any() else _end(usage)
    if int(steps.sum()) * usage.step_s < DAY_S:
        return Present(_modelled(case), since, modelled=True)
    today = only(usage, steps)
    return Present(spillover(today), since, least_without_spill=least_without_spill(today))


def todays_usage(case: Case) -> Usage | None:
    """The usage with all steps not known in which another capacity stood."""
    steps = _todays(case)
    return case.usage if case.usage is None or steps is None else only(case.usage, steps)


def only(usage: Usage, steps: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Usage:
    """The usage with what ran, spilled and was in use in the other steps not known."""
    return replace(
        usage,
        invocations=np.where(steps, usage.invocations, np.nan),
        spilled=np.where(steps, usage.spilled, np.nan),
        peak=np.where(steps, usage.peak, np.nan),
        utilization=np.where(steps, usage.utilization, np.nan),
    )


def _todays(case: Case) -> np.ndarray[tuple[int], np.dtype[np.bool_]] | None:
    """The known steps in which today's capacity stood; None where that was the whole time, or something moves it."""
    usage = case.usage
    if usage is None or not case.units or case.scaling or not case.steady:
        return None
    there = ~np.isnan(usage.capacity) & ~np.isnan(usage.invocations) & (usage.capacity > 0)
    today = there & (usage.capacity == case.units)
    return None if bool((today == there).all()) else today


def _end(usage: Usage) -> int:
    return usage.start + len(usage.invocations) * usage.step_s


def _modelled(case: Case) -> float:
    """The share of the whole time's demand that so many units would have spilled, by Erlang's B."""
    load = case.known_study.load
    demand = float(load.demand.sum())
    return 1 - float(load.served(case.units).sum()) / demand if demand > 0 else 0.0


# --- in words --------------------------------------------------------------------------------------------------------


def spilled(case: Case) -> Evidence:
    """What spilled, against the objective, and since when it is looked at."""
    now = present(case)
    if now.since is None:
        return facts.spilled(case, case.known_study)
    return Evidence(f"{_said(case, now)}, against an objective of 1%.", _source(case, now))


def use(case: Case) -> Evidence:
    """How much of the capacity was in use, and what spilled, both only of what stands there now."""
    now, figures = present(case), case.known_study.figures
    if now.since is None:
        return facts.use(case, case.known_study)
    before = f"{number(figures.mean_capacity)} units stood there on average in {case.period}, of which "
    before += f"{share(figures.utilization)} were in use"
    return Evidence(f"{_said(case, now)}; {before}.", _source(case, now))


def _said(case: Case, now: Present) -> str:
    units, since = facts.units_of(case.units), datetime.fromtimestamp(now.since or 0, UTC)
    verb = "stands" if case.units == 1 else "stand"
    if now.modelled:
        share_of = share(now.spillover)
        return f"{units} {verb} there for less than a day: of the whole time's demand {share_of} would spill over"
    if now.spillover is None:
        return f"{units} {verb} there since {since:%Y-%m-%d %H:%M} UTC, and nothing tells what spilled over since then"
    return (
        f"{share(now.spillover)} of invocations spilled over while {units} stood there, as now, since "
        f"{since:%Y-%m-%d %H:%M} UTC"
    )


def _source(case: Case, now: Present) -> str:
    if now.modelled:
        return facts.ERLANG
    return case.metric("ProvisionedConcurrencySpilloverInvocations", "Sum") + "; Invocations and Duration"


def recurring(case: Case) -> tuple[Evidence, ...]:
    """That none stands there at the hour of the scan, and what did."""
    if case.capacity:
        return ()
    scheduled = case.scaling.scheduled if case.scaling else ()
    by = ", ".join(f"{each.name} ({each.expression})" for each in scheduled) or "its scaling policies"
    mean = number(case.known_study.figures.mean_capacity)
    return (
        Evidence(
            f"It is scaled to zero at this hour, and judged by the {mean} units that stood there on average: "
            f"{by} bring it back.",
            "Application Auto Scaling DescribeScheduledActions and DescribeScalingPolicies",
        ),
    )


def removed(case: Case) -> tuple[Evidence, ...]:
    """That provisioned concurrency stood there within the scan, which is gone."""
    usage = case.usage
    if usage is None:
        return ()
    stood = (np.nan_to_num(usage.capacity) > 0) & (np.nan_to_num(usage.certain) > 0)
    if not stood.any():
        return ()
    last = int(np.flatnonzero(stood)[-1])
    until = datetime.fromtimestamp(usage.start + (last + 1) * usage.step_s, UTC)
    return (
        Evidence(
            f"{number(float(usage.capacity[last]))} units of provisioned concurrency stood there until "
            f"{until:%Y-%m-%d %H:%M} UTC; they were taken away.",
            f"{case.metric('ProvisionedConcurrencyUtilization', 'Maximum')}; {facts.LISTED}",
        ),
    )
