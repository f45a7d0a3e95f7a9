"""Worth: verdicts on money and cold starts: what a capacity costs, what it avoids, and what would do better.

Each rule takes a case whose history is complete, and says something of it, or None. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from warmcast.scan import facts, mending, present, reserving, snapstart
from warmcast.scan.case import (
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
from warmcast.scan.telling import number, usd
from warmcast.scan.weekly import in_words

if TYPE_CHECKING:
    from warmcast.scan.figures import Option, Study

MONTH_DAYS = 730 / 24
SNAP_DOC = "Lambda developer guide, snapstart"


@dataclass(frozen=True, slots=True)
class Constant:
    """So many units all the time, and what that costs and avoids."""

    units: int
    option: Option


def pays(case: Case, study: Study, option: Option, *, found: float = 1.0) -> bool:
    """Whether it saves money, or avoids cold starts for what they are worth, of which the model `found` a share."""
    if option.net_usd <= 0:
        return option.allocation_usd > 0
    each = option.usd_per_cold_start(study.none, case.keepalive_min)
    return each is not None and each * found <= case.cold_start_usd


def surplus(case: Case, study: Study, option: Option) -> float:
    """What it is worth a month, cold starts included, above what it costs."""
    return option.avoided(study.none, case.keepalive_min) * case.cold_start_usd - option.net_usd


def constants(study: Study) -> tuple[Constant, ...]:
    """The constant capacities that are weighed: what the objective needs, what saves most, the mean demand, and 1."""
    units = {study.figures.need, 1, study.cheapest_units, round(study.load.mean)} - {0}
    return tuple(Constant(each, study.constant(each)) for each in sorted(units))


def _matters(change_usd: float, standing: Option) -> bool:
    """Whether a saving is more than a month's dollar and a tenth of what stands there."""
    return -change_usd > max(WORTH_DOING_USD, WORTH_DOING_SHARE * standing.allocation_usd)


def spills(case: Case) -> bool:
    """Whether more spills over than the objective allows, of what stands there now."""
    return present.present(case).spills


# --- not worth its money ---------------------------------------------------------------------------------------------


def not_worth_it(case: Case) -> Said | None:
    """Drop it, or never buy it here: neither what stands there nor any other capacity pays."""
    study = case.known_study
    standing = case.standing
    options = [standing, *(each.option for each in constants(study)), study.scheduled]
    if standing.net_usd <= 0 or any(pays(case, study, option, found=MODEL_FINDS) for option in options):
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
        *base(case, study),
    )
    verdict = Verdict.NEVER_HERE if case.prices.break_even >= 1 else Verdict.DROP
    return Said(verdict, evidence, monthly_usd=-standing.net_usd, todo=mending.remove(case))


def snap_start(case: Case) -> Said | None:
    """It is there for cold starts, and SnapStart shortens them for less."""
    study, standing = case.known_study, case.standing
    if standing.net_usd <= 0 or snapstart.why_not(case.function, case.place.region):
        return None
    price = snap_start_usd(case, study)
    if standing.net_usd - price <= max(WORTH_DOING_USD, WORTH_DOING_SHARE * standing.net_usd):
        return None
    evidence = (
        *snap_start_facts(case, price),
        facts.money(case, standing, of="What stands there"),
        facts.cold(case, study, standing, of="What stands there"),
        *base(case, study),
    )
    todo = mending.snap_start(case)
    return Said(Verdict.SNAP_START, evidence, monthly_usd=price - standing.net_usd, todo=todo)


def snap_start_usd(case: Case, study: Study) -> float:
    """A month of SnapStart, with a restore for each cold start that there would be without any capacity."""
    return snapstart.monthly_usd(case.function, study.none.cold_starts[case.keepalive_min])


def snap_start_facts(case: Case, price: float) -> tuple[Evidence, ...]:
    """That it qualifies, for how much, and what it does not do."""
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
    if not pays(case, study, study.scheduled, found=MODEL_FINDS):
        return None
    change = study.scheduled.net_usd - standing.net_usd
    cheaper = standing.allocation_usd - study.scheduled.allocation_usd
    worthwhile = max(SCHEDULE_USD, SCHEDULE_SHARE * standing.allocation_usd)
    if case.scaling and case.scaling.scheduled and abs(cheaper) <= worthwhile:
        return _scheduled_already(case, study)
    short = spills(case) and study.figures.need > _level(case)
    if not short and (cheaper <= worthwhile or not _matters(change, standing)):
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
        *base(case, study),
    )
    todo = (
        f"Schedule it: {in_words(study.table)}; as a policy: {{function: {case.function.name}, qualifier: "
        f"{case.qualifier}, objective: {{spillover: 1%}}}}, or as scheduled actions of Application Auto Scaling."
    )
    return Said(Verdict.SCHEDULE, evidence, monthly_usd=change, todo=todo)


def _scheduled_already(case: Case, study: Study) -> Said:
    """Scheduled actions that cost about what the best table would are kept."""
    assert case.scaling is not None
    actions = ", ".join(f"{each.name} ({each.expression})" for each in case.scaling.scheduled)
    already = Evidence(
        f"Scheduled actions do it already: {actions}. What stood cost {usd(case.standing.allocation_usd)} of "
        f"allocation a month, the best table by the hour of the week {usd(study.scheduled.allocation_usd)}: "
        f"{in_words(study.table)}; fitted to these {case.period} in hindsight.",
        f"Application Auto Scaling DescribeScheduledActions; {facts.ERLANG}",
    )
    kept = keep(case)
    return Said(kept.verdict, (already, *kept.evidence))


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
        *base(case, study),
    )
    return Said(Verdict.TOO_HIGH, evidence, better.units, change, mending.set_to(case, better.units))


def _fewer(case: Case, study: Study) -> Constant | None:
    """The constant need, if that pays; else, where what stands there does not either, what is worth most."""
    level, need = _level(case), Constant(study.figures.need, study.needed)
    if pays(case, study, need.option, found=MODEL_FINDS):
        return need if need.units < level and not spills(case) else None
    if pays(case, study, case.standing, found=MODEL_FINDS):
        return None
    paying = [each for each in constants(study) if each.units < level]
    paying = [each for each in paying if pays(case, study, each.option, found=MODEL_FINDS)]
    return max(paying, key=lambda each: surplus(case, study, each.option), default=None)


def too_low(case: Case) -> Said | None:
    """More spilled over than the objective allows, as measured, and more units are worth their money."""
    study, standing = case.known_study, case.standing
    wanted = _more(case, study)
    if wanted is None:
        return None
    within = reserving.within(case, wanted.units, level=_level(case))
    more = Constant(within.units, study.constant(within.units))
    change = more.option.net_usd - standing.net_usd
    evidence = (
        present.spilled(case),
        _why_so_many(case, study, wanted),
        *within.evidence,
        _each_further(case, more),
        facts.money(case, more.option, of=facts.units_of(more.units)),
        *base(case, study),
    )
    return Said(Verdict.TOO_LOW, evidence, more.units, change, within.todo(mending.set_to(case, more.units)))


def _more(case: Case, study: Study) -> Constant | None:
    """What keeps the objective; of a capacity that is there to save money, only what its cold starts are worth.

    | what stands there         | more units for the objective | amount                                      |
    | ------------------------- | ---------------------------- | ------------------------------------------- |
    | costs more than on demand | pay, all together            | those                                       |
    | saves money               | pay, beyond what stands      | those                                       |
    | saves money               | don't                        | what saves most, if that is more than now   |
    """
    level, now = _level(case), present.present(case)
    moved_up = now.since is None and study.figures.mean_capacity < case.units * (1 - WORTH_DOING_SHARE)
    if not now.spills or moved_up:
        return None
    units = study.figures.need if study.figures.need > level else now.least_without_spill
    enough = Constant(units, study.constant(units))
    best = enough if more_pays(case, study, enough.option) else Constant(study.cheapest_units, study.cheapest)
    return best if best.units > level else None


def more_pays(case: Case, study: Study, option: Option) -> bool:
    """Whether more than what stands there pays: all together, or of what saves money, beyond what stands there."""
    standing = case.standing
    if standing.net_usd > 0:
        return pays(case, study, option, found=MODEL_FINDS)
    fewer = standing.cold_starts[case.keepalive_min] - option.cold_starts[case.keepalive_min]
    further = option.net_usd - standing.net_usd
    return further * MODEL_FINDS <= fewer * case.cold_start_usd


def _why_so_many(case: Case, study: Study, more: Constant) -> Evidence:
    if more.units == study.figures.need:
        return facts.need(case, study)
    if more.units == study.cheapest_units:
        return Evidence(
            f"{facts.units_of(more.units)} save most; the {study.figures.need} that would spill no more than 1% cost "
            "more than the cold starts that they avoid are worth.",
            f"{facts.ERLANG}; {facts.MODEL}",
        )
    return Evidence(
        f"The steps in which it spilled have up to {facts.units_of(more.units)} in use at once: bursts shorter than "
        "the means that Erlang B is given.",
        case.metric("ConcurrentExecutions", "Maximum"),
    )


def _each_further(case: Case, more: Constant) -> Evidence:
    """What it costs to avoid more cold starts than now."""
    standing = case.standing
    change = more.option.net_usd - standing.net_usd
    fewer = standing.cold_starts[case.keepalive_min] - more.option.cold_starts[case.keepalive_min]
    each = f": {facts.small_usd(change / fewer)} for each" if fewer > 0 and change > 0 else ""
    return Evidence(
        f"{facts.units_of(more.units)} cost {usd(abs(change))} a month {'more' if change > 0 else 'less'} than what "
        f"stands there, duration included, for about {number(max(fewer, 0.0))} cold starts fewer{each}.",
        f"{facts.MODEL}; unit prices as below",
    )


def _level(case: Case) -> float:
    """The capacity that an amount is held against: what stands now, or its mean where something moves it."""
    return float(case.units) if case.steady else case.known_study.figures.mean_capacity


def keep(case: Case) -> Said:
    """What stands there is about right."""
    study = case.known_study
    over = (
        (
            present.spilled(case),
            _each_further(case, Constant(study.figures.need, study.needed)),
        )
        if spills(case)
        else ()
    )
    evidence = (
        facts.need(case, study),
        *over,
        facts.money(case, case.standing, of="What stands there"),
        facts.cold(case, study, case.standing, of="What stands there"),
        *_missed(case, study),
        *base(case, study),
    )
    return Said(Verdict.KEEP, evidence)


def _missed(case: Case, study: Study) -> tuple[Evidence, ...]:
    """Why it is kept although a cold start avoided costs more than it is worth."""
    each = case.standing.usd_per_cold_start(study.none, case.keepalive_min)
    if each is None or each <= case.cold_start_usd:
        return ()
    return (
        Evidence(
            f"The model may have missed some cold starts: with 1 / {MODEL_FINDS} as many, each one avoided would cost "
            f"{facts.small_usd(each * MODEL_FINDS)}, and a verdict against what stands there has to hold for those.",
            facts.MODEL,
        ),
    )


def base(case: Case, study: Study) -> tuple[Evidence, ...]:
    """What every verdict on worth tells besides."""
    held = (facts.stands(case), *present.recurring(case)) if case.capacity or case.recurs else present.removed(case)
    used = (present.use(case),) if case.capacity or case.recurs else ()
    return (*held, facts.load(case, study), *used, *facts.throttled(case, study))
