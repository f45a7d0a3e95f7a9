"""Worth: verdicts on money and cold starts: what a capacity costs, what it avoids, and what would do better.

Each rule takes a case whose history is complete, and says something of it, or None. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from warmcast.scan import facts, mending, snapstart
from warmcast.scan.case import (
    LATEST,
    LEAST_CALLS_A_DAY,
    LEAST_COLD_STARTS_A_DAY,
    MODEL_FINDS,
    SCHEDULE_DAYS,
    SCHEDULE_SHARE,
    SCHEDULE_USD,
    WORTH_DOING_SHARE,
    WORTH_DOING_USD,
    Case,
    Said,
)
from warmcast.scan.found import Evidence, Verdict
from warmcast.scan.load import OBJECTIVE
from warmcast.scan.telling import number, usd
from warmcast.scan.weekly import in_words

if TYPE_CHECKING:
    from warmcast.scan.figures import Option, Study

MONTH_DAYS = 730 / 24
SNAP_DOC = "Lambda developer guide, snapstart"


@dataclass(frozen=True, slots=True)
class _Constant:
    """So many units all the time, and what that is worth."""

    units: int
    option: Option


def _pays(case: Case, study: Study, option: Option, *, found: float = 1.0) -> bool:
    """Whether it saves money, or avoids cold starts for what they are worth, of which the model `found` a share."""
    if option.net_usd <= 0:
        return option.allocation_usd > 0
    each = option.usd_per_cold_start(study.none, case.keepalive_min)
    return each is not None and each * found <= case.cold_start_usd


def _surplus(case: Case, study: Study, option: Option) -> float:
    """What it is worth a month, cold starts included, above what it costs."""
    return option.avoided(study.none, case.keepalive_min) * case.cold_start_usd - option.net_usd


def _constants(study: Study) -> tuple[_Constant, ...]:
    """The constant capacities that are weighed: what the objective needs, what saves most, and a single unit."""
    candidates = [_Constant(study.figures.need, study.needed), _Constant(1, study.least)]
    return (*candidates, _Constant(study.cheapest_units, study.cheapest)) if study.cheapest_units else (*candidates,)


def _matters(change_usd: float, standing: Option) -> bool:
    """Whether a saving is more than a month's dollar and a tenth of what stands there."""
    return -change_usd > max(WORTH_DOING_USD, WORTH_DOING_SHARE * standing.allocation_usd)


def spills(study: Study) -> bool:
    """Whether more spilled over than the objective allows, as measured."""
    return study.figures.spillover is not None and study.figures.spillover > OBJECTIVE


# --- not worth its money ---------------------------------------------------------------------------------------------


def not_worth_it(case: Case) -> Said | None:
    """Drop it, or never buy it here: neither what stands there nor any other capacity pays."""
    study = case.known_study
    standing = case.standing
    options = [standing, *(each.option for each in _constants(study)), study.scheduled]
    if standing.net_usd <= 0 or any(_pays(case, study, option, found=MODEL_FINDS) for option in options):
        return None
    others = "a single unit, the constant need and the best weekly table would not pay either"
    evidence = (
        facts.cold(case, study, standing, of="What stands there"),
        facts.money(case, standing, of="What stands there"),
        Evidence(
            f"This holds for 1 / {MODEL_FINDS} as many cold starts, of which the model may have missed some; {others}.",
            facts.MODEL,
        ),
        facts.break_even(case),
        *_base(case, study),
    )
    verdict = Verdict.NEVER_HERE if case.prices.break_even >= 1 else Verdict.DROP
    return Said(verdict, evidence, monthly_usd=-standing.net_usd, todo=mending.remove(case))


def snap_start(case: Case) -> Said | None:
    """It is there for cold starts, and SnapStart shortens them for less."""
    study, standing = case.known_study, case.standing
    if standing.net_usd <= 0 or snapstart.why_not(case.function, case.place.region):
        return None
    price = _snap_start_usd(case, study)
    if not _matters(price - standing.net_usd, standing):
        return None
    evidence = (
        *_snap_start_facts(case, price),
        facts.money(case, standing, of="What stands there"),
        facts.cold(case, study, standing, of="What stands there"),
        *_base(case, study),
    )
    todo = mending.snap_start(case)
    return Said(Verdict.SNAP_START, evidence, monthly_usd=price - standing.net_usd, todo=todo)


def _snap_start_usd(case: Case, study: Study) -> float:
    return snapstart.monthly_usd(case.function, study.none.cold_starts[case.keepalive_min])


def _snap_start_facts(case: Case, price: float) -> tuple[Evidence, ...]:
    function = case.function
    free = function.runtime.startswith("java")
    cost = (
        "free for Java"
        if free
        else f"{usd(price)} a month for one version: its cache, and a restore for each cold start (versions that are "
        "kept cost their cache too)"
    )
    rates = (
        ""
        if free
        else f"; {snapstart.CACHE_USD_PER_GB_S:.10f} USD per GB-second cached, {snapstart.RESTORE_USD_PER_GB:.10f} per "
        f"GB restored ({snapstart.AS_OF})"
    )
    return (
        Evidence(
            f"{function.runtime} on {function.architecture} qualifies for SnapStart: {cost}. It takes the init out of "
            "a cold start; a restore still takes a fraction of a second, so that callers who need tens of "
            "milliseconds at the most keep provisioned concurrency.",
            f"{SNAP_DOC}; Lambda ListFunctions{rates}",
        ),
    )


# --- another amount --------------------------------------------------------------------------------------------------


def schedule(case: Case) -> Said | None:
    """A weekly table serves the same for clearly less than a constant, and than what stands there."""
    study, standing = case.known_study, case.standing
    known_days = study.load.known_s / 86_400
    saved = study.needed.allocation_usd - study.scheduled.allocation_usd
    if known_days < SCHEDULE_DAYS or saved <= max(SCHEDULE_USD, SCHEDULE_SHARE * study.needed.allocation_usd):
        return None
    change = study.scheduled.net_usd - standing.net_usd
    cheaper = standing.allocation_usd - study.scheduled.allocation_usd
    short = spills(study) and study.figures.need > _level(case)
    if not short and (
        cheaper <= max(SCHEDULE_USD, SCHEDULE_SHARE * standing.allocation_usd) or not _matters(change, standing)
    ):
        return None
    evidence = (
        Evidence(
            f"A table by the hour of the week spills as much as {facts.units_of(study.figures.need)} all the time for "
            f"{usd(study.scheduled.allocation_usd)} of allocation a month instead of "
            f"{usd(study.needed.allocation_usd)}: {in_words(study.table)}. It was fitted to these {case.period} in "
            "hindsight.",
            facts.ERLANG,
        ),
        facts.money(case, standing, of="What stands there"),
        facts.cold(case, study, study.scheduled, of="The table"),
        *_base(case, study),
    )
    todo = (
        f"Schedule it: {in_words(study.table)}; as a policy: {{function: {case.function.name}, qualifier: "
        f"{case.qualifier}, objective: {{spillover: 1%}}}}, or as scheduled actions of Application Auto Scaling."
    )
    return Said(Verdict.SCHEDULE, evidence, monthly_usd=change, todo=todo)


def too_high(case: Case) -> Said | None:
    """Fewer units keep the objective, or fewer pay where what stands there does not."""
    study, standing = case.known_study, case.standing
    better = _fewer(case, study)
    if better is None:
        return None
    change = better.option.net_usd - standing.net_usd
    if not _matters(change, standing):
        return None
    evidence = (
        facts.need(case, study),
        facts.money(case, standing, of="What stands there"),
        facts.money(case, better.option, of=facts.units_of(better.units)),
        facts.cold(case, study, better.option, of=facts.units_of(better.units)),
        *_base(case, study),
    )
    return Said(Verdict.TOO_HIGH, evidence, better.units, change, mending.set_to(case, better.units))


def _fewer(case: Case, study: Study) -> _Constant | None:
    level = _level(case)
    if not _pays(case, study, case.standing, found=MODEL_FINDS):
        paying = [
            each
            for each in _constants(study)
            if each.units < level and _pays(case, study, each.option, found=MODEL_FINDS)
        ]
        return max(paying, key=lambda each: _surplus(case, study, each.option), default=None)
    need = study.figures.need
    return _Constant(need, study.needed) if need < level and not spills(study) else None


def too_low(case: Case) -> Said | None:
    """More spilled over than the objective allows, as measured, and more units keep it."""
    study, standing = case.known_study, case.standing
    if not spills(study) or study.figures.mean_capacity < case.units * (1 - WORTH_DOING_SHARE):
        return None
    amount = study.figures.need if study.figures.need > _level(case) else study.least_without_spill
    if amount <= _level(case):
        return None
    option = study.constant(amount)
    more = option.net_usd - standing.net_usd
    fewer = standing.cold_starts[case.keepalive_min] - option.cold_starts[case.keepalive_min]
    price = f", {facts.small_usd(more / fewer)} for each cold start fewer" if fewer > 0 and more > 0 else ""
    evidence = (
        facts.spilled(case, study),
        facts.need(case, study)
        if amount == study.figures.need
        else Evidence(
            f"The steps in which it spilled have up to {facts.units_of(amount)} in use at once: bursts shorter than "
            "the means that Erlang B is given.",
            case.metric("ConcurrentExecutions", "Maximum"),
        ),
        Evidence(
            f"{facts.units_of(amount)} cost {usd(abs(more))} a month {'more' if more > 0 else 'less'} than what stands "
            f"there, duration included{price}.",
            facts.money(case, option, of="").source,
        ),
        *_base(case, study),
    )
    return Said(Verdict.TOO_LOW, evidence, amount, more, mending.set_to(case, amount))


def _level(case: Case) -> float:
    """The capacity that an amount is held against: what stands now, or its mean where something moves it."""
    return float(case.units) if case.steady else case.known_study.figures.mean_capacity


def keep(case: Case) -> Said:
    """What stands there is about right."""
    study = case.known_study
    evidence = (
        facts.need(case, study),
        facts.money(case, case.standing, of="What stands there"),
        facts.cold(case, study, case.standing, of="What stands there"),
        *_base(case, study),
    )
    return Said(Verdict.KEEP, evidence)


# --- without provisioned concurrency ---------------------------------------------------------------------------------


def sparse(case: Case) -> Said | None:
    """So few calls that each is cold, whatever is bought."""
    study = case.known_study
    calls = study.figures.invocations
    if calls >= LEAST_CALLS_A_DAY * study.load.known_s / 86_400:
        return None
    reason = Evidence(
        f"{number(calls)} invocations in {case.period}, fewer than one an hour: a unit that waits for them costs "
        f"{usd(study.least.allocation_usd)} a month.",
        f"{case.metric('Invocations', 'Sum')}; {facts.money(case, study.least, of='').source}",
    )
    return Said(Verdict.NO, (reason, facts.load(case, study)))


def buy(case: Case) -> Said | None:
    """It would save money, or avoid enough cold starts for what they are worth."""
    study = case.known_study
    best = _best(case, study)
    if best is None:
        return None
    evidence = (
        facts.money(case, best.option, of=facts.units_of(best.units)),
        facts.cold(case, study, best.option, of=facts.units_of(best.units)),
        facts.break_even(case),
        *_base(case, study),
    )
    if case.alias.weights:
        under_way = Evidence("Its alias has routing weights: a deployment is under way.", facts.GET_ALIAS)
        return Said(Verdict.UNKNOWN, (under_way, *evidence), todo="Scan again when the weights are gone.")
    if best.option.net_usd > 0 and _snap_start_does_it(case, study, best):
        price = _snap_start_usd(case, study)
        todo = f"Try SnapStart first: {mending.snap_start(case)}"
        return Said(Verdict.NO, (*_snap_start_facts(case, price), *evidence), todo=todo)
    todo = mending.set_to(case, best.units)
    if case.qualifier == LATEST:
        todo = "Publish a version and an alias, let the callers use the alias, and give it the capacity."
    return Said(Verdict.BUY, evidence, best.units, best.option.net_usd, todo)


def _best(case: Case, study: Study) -> _Constant | None:
    """The constant capacity that is worth most, of those that pay: headline cold starts, no allowance for the model."""
    worth = [each for each in _constants(study) if _deserved(case, study, each.option)]
    return max(worth, key=lambda each: _surplus(case, study, each.option), default=None)


def _deserved(case: Case, study: Study, option: Option) -> bool:
    if option.net_usd <= -WORTH_DOING_USD:
        return True
    enough = option.avoided(study.none, case.keepalive_min) >= LEAST_COLD_STARTS_A_DAY * MONTH_DAYS
    return enough and _pays(case, study, option)


def _snap_start_does_it(case: Case, study: Study, best: _Constant) -> bool:
    qualifies = not snapstart.why_not(case.function, case.place.region)
    return qualifies and _snap_start_usd(case, study) < best.option.net_usd


def no(case: Case) -> Said:
    """Nothing that could be bought is worth its money."""
    study = case.known_study
    best = max(_constants(study), key=lambda each: _surplus(case, study, each.option))
    evidence = (
        facts.cold(case, study, best.option, of=facts.units_of(best.units)),
        facts.money(case, best.option, of=facts.units_of(best.units)),
        facts.break_even(case),
        *_base(case, study),
    )
    return Said(Verdict.NO, evidence)


def _base(case: Case, study: Study) -> tuple[Evidence, ...]:
    """What every verdict on worth tells besides."""
    used = (facts.use(case, study),) if case.capacity else ()
    listed = (facts.stands(case),) if case.capacity else ()
    return (*listed, facts.load(case, study), *used, *facts.throttled(case, study))
