"""Buying: verdicts on aliases without provisioned concurrency: most get a no.

Each rule takes a case whose history is complete, and says something of it, or None. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from warmcast.scan import facts, mending, reserving, snapstart
from warmcast.scan.case import BUY_USD, LATEST, LEAST_CALLS_A_DAY, LEAST_COLD_STARTS_A_DAY, WORTH_DOING_USD, Case, Said
from warmcast.scan.found import Evidence, Verdict
from warmcast.scan.telling import number, usd
from warmcast.scan.worth import Constant, base, constants, pays, snap_start_facts, snap_start_usd, surplus

if TYPE_CHECKING:
    from warmcast.scan.figures import Option, Study
    from warmcast.scan.reserving import Within

MONTH_DAYS = 730 / 24


def sparse(case: Case) -> Said | None:
    """So few calls that each is cold, whatever is bought."""
    study = case.known_study
    calls = study.figures.invocations
    if calls >= LEAST_CALLS_A_DAY * study.load.known_s / 86_400:
        return None
    reason = Evidence(
        f"{number(calls)} invocations in {case.period}, fewer than one an hour: a unit that waits for them costs "
        f"{usd(study.constant(1).allocation_usd)} a month.",
        f"{case.metric('Invocations', 'Sum')}; {facts.money(case, study.constant(1), of='').source}",
    )
    return Said(Verdict.NO, (reason, facts.load(case, study)))


def buy(case: Case) -> Said | None:
    """It would save money, or avoid enough cold starts for what they are worth."""
    study = case.known_study
    best = _best(case, study)
    if best is None:
        return None
    best, within = _within(case, study, best)
    evidence = (
        *within.evidence,
        facts.money(case, best.option, of=facts.units_of(best.units)),
        facts.cold(case, study, best.option, of=facts.units_of(best.units)),
        facts.break_even(case),
        *base(case, study),
    )
    if case.alias.weights:
        under_way = Evidence("Its alias has routing weights: a deployment is under way.", facts.GET_ALIAS)
        return Said(Verdict.UNKNOWN, (under_way, *evidence), todo="Scan again when the weights are gone.")
    if best.option.net_usd > 0 and _snap_start_does_it(case, study, best):
        price = snap_start_usd(case, study)
        todo = f"Try SnapStart first: {mending.snap_start(case)}"
        return Said(Verdict.NO, (*snap_start_facts(case, price), *evidence), todo=todo)
    todo = within.todo(mending.set_to(case, best.units))
    if case.qualifier == LATEST:
        todo = within.todo("Publish a version and an alias, let the callers use the alias, and give it the capacity.")
    return Said(Verdict.BUY, evidence, best.units, best.option.net_usd, todo)


def _within(case: Case, study: Study, best: Constant) -> tuple[Constant, Within]:
    """As much of it as the reservation has room for, if that is worth buying; else all, after raising it."""
    within = reserving.within(case, best.units)
    less = Constant(within.units, study.constant(within.units))
    if less.units < best.units and not _deserved(case, study, less.option):
        return best, reserving.within(case, best.units, level=best.units)
    return less, within


def _best(case: Case, study: Study) -> Constant | None:
    """The constant capacity that is worth most, of those that pay: headline cold starts, no allowance for the model."""
    worth = [each for each in constants(study) if _deserved(case, study, each.option)]
    return max(worth, key=lambda each: surplus(case, study, each.option), default=None)


def _deserved(case: Case, study: Study, option: Option) -> bool:
    if surplus(case, study, option) < BUY_USD:
        return False
    if option.net_usd <= -WORTH_DOING_USD:
        return True
    enough = option.avoided(study.none, case.keepalive_min) >= LEAST_COLD_STARTS_A_DAY * MONTH_DAYS
    return enough and pays(case, study, option)


def _snap_start_does_it(case: Case, study: Study, best: Constant) -> bool:
    qualifies = not snapstart.why_not(case.function, case.place.region)
    return qualifies and snap_start_usd(case, study) < best.option.net_usd


def no(case: Case) -> Said:
    """Nothing that could be bought is worth its money."""
    study = case.known_study
    best = max(constants(study), key=lambda each: surplus(case, study, each.option))
    evidence = (
        facts.cold(case, study, best.option, of=facts.units_of(best.units)),
        facts.money(case, best.option, of=facts.units_of(best.units)),
        facts.break_even(case),
        *base(case, study),
    )
    return Said(Verdict.NO, evidence)
