"""Verdict: one word on each alias, with the evidence that it rests on. Pure; the rules' table is in `docs/verdicts.md`.

    judge(place, function, qualifier, usage, ...)     the finding
    order(findings)                                   what is most worth doing first

The rules stand in the order in which they are asked; the first that has something to say is the verdict.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from warmcast.scan import binding, buying, facts, states, worth
from warmcast.scan.case import Case, Said
from warmcast.scan.figures import study
from warmcast.scan.found import Evidence, Finding, Verdict
from warmcast.scan.load import KEEPALIVES_MIN, since_first_call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from warmcast.prices import UnitPrices
    from warmcast.scan.found import FunctionSeen, Place, Usage

    Rule = Callable[[Case], Said | None]

COLD_START_USD = 0.01

WITH_CAPACITY: tuple[Rule, ...] = (
    states.unlisted,
    states.stuck,
    states.failed,
    states.unreachable,
    states.orphan,
    states.not_known,
    states.young,
    binding.request_bound,
    binding.never_scaled_in,
    states.censored,
    worth.not_worth_it,
    worth.snap_start,
    worth.schedule,
    worth.too_high,
    worth.too_low,
)
WITHOUT: tuple[Rule, ...] = (
    states.ineligible,
    states.unlisted,
    states.taken,
    states.not_known,
    states.coming,
    states.young,
    buying.sparse,
    states.censored,
    buying.buy,
)

LEAVE = {Verdict.KEEP, Verdict.NO}
MONEY_USD = 1.0


def judge(
    place: Place,
    function: FunctionSeen,
    qualifier: str,
    usage: Usage | None,
    *,
    prices: UnitPrices,
    cold_start_usd: float = COLD_START_USD,
    now: datetime,
) -> Finding:
    """The finding on one alias or version (`$LATEST` stands for a function that is called without one).

    Args:
        place: where it is.
        function: as surveyed.
        qualifier: of the alias or version.
        usage: None where it was not measured.
        prices: unit prices of the place and the function's architecture.
        cold_start_usd: what avoiding one cold start is worth.
        now: when the scan was made.
    """
    studied = (
        study(function, since_first_call(usage), prices=prices)
        if usage is not None and len(usage.invocations)
        else None
    )
    case = Case(place, function, qualifier, usage, studied, prices, cold_start_usd, now, KEEPALIVES_MIN[0])
    said = _said(case)
    return Finding(
        place=place,
        function=function,
        qualifier=qualifier,
        version=case.alias.version,
        capacity=case.capacity,
        owner=case.owner,
        prices=prices,
        usage=usage,
        figures=studied.figures if studied else None,
        verdict=said.verdict,
        evidence=(*said.evidence, *_if_kept_otherwise(case, said)),
        amount=said.amount,
        monthly_usd=said.monthly_usd,
        todo=said.todo,
    )


def _said(case: Case) -> Said:
    rules, otherwise = (WITH_CAPACITY, worth.keep) if case.capacity or case.recurs else (WITHOUT, buying.no)
    for rule in rules:
        if said := rule(case):
            return said
    return otherwise(case)


def _if_kept_otherwise(case: Case, said: Said) -> tuple[Evidence, ...]:
    """Whether another keepalive would have changed the verdict."""
    if said.verdict is Verdict.UNKNOWN or case.study is None:
        return ()
    others = {minutes: _said(replace(case, keepalive_min=minutes)).verdict for minutes in KEEPALIVES_MIN[1:]}
    return tuple(
        Evidence(
            f"If idle environments stay warm for {minutes} minutes instead of {case.keepalive_min}, the verdict would "
            f"be {verdict.value!r}: AWS states neither.",
            facts.MODEL,
        )
        for minutes, verdict in others.items()
        if verdict is not said.verdict
    )


# --- order -----------------------------------------------------------------------------------------------------------


def order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Most money first among those to do, then what is slow or blocked, then what is not known, then keep and no."""
    return tuple(sorted(findings, key=_rank))


def _rank(finding: Finding) -> tuple[int, float, str, str]:
    if finding.verdict in LEAVE:
        tier = 3
    elif finding.verdict is Verdict.UNKNOWN:
        tier = 2
    else:
        tier = 0 if finding.monthly_usd <= -MONEY_USD else 1
    standing = finding.figures.allocated_usd if finding.figures and tier > 1 else abs(finding.monthly_usd)
    return tier, -standing, str(finding.place), finding.name
