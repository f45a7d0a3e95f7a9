"""States: verdicts on how an alias is set up, whatever its traffic costs: stuck, unreachable, orphan, and not known.

Each rule takes a case and says something of it, or None. Pure.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from warmcast.model import Status
from warmcast.scan import facts, mending
from warmcast.scan.case import (
    DAY_S,
    LATEST,
    LEAST_CALLS_A_DAY,
    LEAST_DAYS,
    LEAST_KNOWN_SHARE,
    LEAST_SHIFTED_CALLS,
    MOST_SHARE_THROUGH,
    MOST_THROTTLED_SHARE,
    SHIFT_TOLERANCE,
    SUBSTANTIAL_CALLS,
    Case,
    Said,
)
from warmcast.scan.found import AliasSeen, Evidence, Usage, Verdict
from warmcast.scan.telling import number, share

if TYPE_CHECKING:
    from collections.abc import Mapping

SHIFTED = "CloudWatch Invocations by ExecutedVersion, Sum, 1 day"
WEIGHTS_LOCK = "Lambda developer guide, provisioned-concurrency: no changes while an alias has routing weights"

UNLISTED = "provisioned concurrency"
"""How a note of `FunctionSeen.unread` begins where its provisioned concurrency could not be listed."""
ONE_CONFIG = "Lambda API, PutProvisionedConcurrencyConfig: ResourceConflictException"

# --- routing weights and failed allocations --------------------------------------------------------------------------


def stuck(case: Case) -> Said | None:
    """Routing weights that a deployment left behind; or one that is under way."""
    if not case.capacity or not case.alias.weights:
        return None
    weights = Evidence(f"The alias points to version {case.alias.version} and has {_weights(case)}.", facts.GET_ALIAS)
    failed = case.capacity.status is Status.FAILED
    if failed or (case.capacity.status is not Status.IN_PROGRESS and _stands_still(case)):
        why = _failed(case) if failed else _still(case)
        locked = Evidence(
            "While the weights stand, its provisioned concurrency can't be changed and later deployments fail.",
            WEIGHTS_LOCK,
        )
        return Said(Verdict.STUCK, (weights, why, locked), todo=_unstick(case, failed=failed))
    under_way = Evidence(
        "A deployment is under way, or it can't be told that it is not: its traffic has not stood at these weights "
        f"for a day. {_versions(case)}",
        SHIFTED,
    )
    todo = "Scan again when the deployment is over; if the weights still stand after a day, it is stuck."
    return Said(Verdict.UNKNOWN, (weights, under_way, facts.stands(case)), todo=todo)


def _weights(case: Case) -> str:
    parts = [f"{share(weight)} to version {version}" for version, weight in sorted(case.alias.weights.items())]
    return "routing weights of " + " and ".join(parts)


def _stands_still(case: Case) -> bool:
    """Whether a day's invocations went to the versions as the weights say, which no shift of today would show.

    | weights       | a day's invocations     |                                                  |
    | ------------- | ----------------------- | ------------------------------------------------ |
    | 10% to 8      | 900 on 7, 100 on 8      | stands still                                     |
    | 10% to 8      | 996 on 7, 4 on 8        | it began an hour ago                             |
    | 100% to 7     | 1000 on 7               | stands still: Lambda clears such weights by itself |
    """
    calls = _known_calls(case.usage)
    total = sum(calls.values())
    others = dict(case.alias.weights)
    weights = {**others, case.alias.version: max(0.0, 1 - sum(others.values()))}
    if total < LEAST_SHIFTED_CALLS:
        return False
    return all(_agrees(calls.get(version, 0.0), total, weight) for version, weight in weights.items())


def _agrees(calls: float, total: float, weight: float) -> bool:
    """Where a version has nearly all or nearly nothing, so must its calls; else they are within a fifth of the less."""
    rarer = min(weight, 1 - weight)
    if rarer < SHIFT_TOLERANCE / 2:
        return abs(calls / total - weight) < SHIFT_TOLERANCE / 2
    return total * rarer >= LEAST_SHIFTED_CALLS and abs(calls / total - weight) <= rarer / 5


def _known_calls(usage: Usage | None) -> Mapping[str, float]:
    calls = usage.by_version if usage else {}
    return {version: count for version, count in calls.items() if math.isfinite(count)}


def _versions(case: Case) -> str:
    calls = _known_calls(case.usage)
    parts = [f"{number(count)} on version {version}" for version, count in sorted(calls.items())]
    return f"Invocations in the last day: {', '.join(parts)}." if parts else "No invocations by version are known."


def _still(case: Case) -> Evidence:
    return Evidence(f"The shift has stood still over the last day. {_versions(case)}", SHIFTED)


def _failed(case: Case) -> Evidence:
    reason = case.capacity.status_reason if case.capacity else ""
    return Evidence(
        f"The allocation on version {case.alias.version} has FAILED{f' ({reason})' if reason else ''}.", facts.LISTED
    )


def _unstick(case: Case, *, failed: bool) -> str:
    command = mending.clear_weights(case)
    if failed:
        return (
            f"{command} (first find out why version {case.alias.version} does not initialise, and mend that: else "
            "the next deployment gets stuck again)"
        )
    return f"{command} (unless somebody keeps this canary on purpose)"


def failed(case: Case) -> Said | None:
    """An allocation that failed without weights: nothing stands there to be judged."""
    if not case.capacity or case.capacity.status is not Status.FAILED:
        return None
    todo = (
        f"Find out why version {case.alias.version or 'of it'} does not initialise (its log has the error), mend it, "
        "and set the capacity again."
    )
    return Said(Verdict.UNKNOWN, (facts.stands(case), _failed(case)), todo=todo)


# --- capacity that no traffic reaches --------------------------------------------------------------------------------


def unreachable(case: Case) -> Said | None:
    """Capacity, and callers that go elsewhere."""
    usage = case.usage
    if not case.capacity or not usage or not _complete(usage) or case.just_set:
        return None
    if case.numbered and (_pointing(case) or not _newest(case)):
        return None
    own, elsewhere = float(np.nansum(usage.invocations)), usage.of_function
    if not elsewhere >= SUBSTANTIAL_CALLS or own > MOST_SHARE_THROUGH * elsewhere or _busy(own, usage):
        return None
    evidence = (
        facts.stands(case),
        Evidence(
            f"{number(own)} of the function's {number(elsewhere)} invocations in {case.period} came through "
            f"{case.qualifier}: its callers use {LATEST}, the bare function name, or another alias or version, which "
            "this capacity does not serve.",
            case.metric("Invocations by Resource and by FunctionName", "Sum"),
        ),
        facts.money(case, case.standing, of="This capacity"),
    )
    todo = f"Point the callers to {case.function.name}:{case.qualifier}; or else: {mending.remove(case)}"
    return Said(Verdict.UNREACHABLE, evidence, monthly_usd=-case.standing.net_usd, todo=todo)


def orphan(case: Case) -> Said | None:
    """Capacity on a published version that nobody needs any more; its state tells, even where its history does not."""
    if not case.capacity or not case.numbered or case.just_set or case.function.unread:
        return None
    own = float(np.nansum(case.usage.invocations)) if case.usage else 0.0
    if own > 0:
        return None
    if aliases := _pointing(case):
        return _through_alias(case, aliases)
    known = case.usage is not None and _complete(case.usage)
    if not known and _newest(case):
        return None
    named = case.function.newest_version
    newest = f"; the newest that an alias or a configuration names is {named}" if named else ""
    calls = (
        Evidence(f"No invocations in {case.period}.", case.metric("Invocations", "Sum"))
        if known
        else Evidence("Its invocations are not known; none were seen.", case.metric("Invocations", "Sum"))
    )
    evidence = (
        facts.stands(case),
        Evidence(f"No alias points to version {case.qualifier}{newest}.", facts.GET_ALIAS),
        calls,
    )
    caution = "" if known else " (first make sure that nobody invokes this version by its number)"
    usd = case.standing.net_usd if known else _listed_usd(case)
    return Said(Verdict.ORPHAN, evidence, monthly_usd=-usd, todo=mending.remove(case) + caution)


def _through_alias(case: Case, aliases: list[str]) -> Said | None:
    """Calls through an alias are counted under the alias: whether they use this capacity its own metrics don't say."""
    if case.usage and _complete(case.usage) and case.usage.of_function == 0:
        return None
    evidence = (
        facts.stands(case),
        Evidence(
            f"Alias {', '.join(aliases)} points to version {case.qualifier}, on which this capacity stands; calls "
            "through an alias are counted under the alias, not here.",
            facts.GET_ALIAS,
        ),
    )
    todo = (
        f"Move the capacity from version {case.qualifier} to the alias: then its use can be seen, and deploys keep it."
    )
    return Said(Verdict.UNKNOWN, evidence, todo=todo)


def _pointing(case: Case) -> list[str]:
    """The aliases that send traffic to this version."""
    aliases = case.function.aliases.items()
    return sorted(
        name for name, alias in aliases if case.qualifier == alias.version or alias.weights.get(case.qualifier, 0) > 0
    )


def _newest(case: Case) -> bool:
    newest = case.function.newest_version
    return not newest.isdecimal() or int(case.qualifier) >= int(newest)


def _busy(own: float, usage: Usage) -> bool:
    return own >= LEAST_CALLS_A_DAY * usage.days


def _listed_usd(case: Case) -> float:
    return case.units * case.prices.usd_per_unit_hour(case.function.memory_mb) * 730


# --- what is not known -----------------------------------------------------------------------------------------------


def not_known(case: Case) -> Said | None:
    """Too little history for anything about money."""
    reason = _gap(case)
    if not reason:
        return None
    evidence = (facts.stands(case), Evidence(reason, case.metric("Invocations", "Sum")))
    return Said(Verdict.UNKNOWN, evidence, todo="Scan again when the history is complete.")


def _gap(case: Case) -> str:
    usage = case.usage
    if usage is None or case.study is None:
        return "Its history was not read, so that nothing is said of its worth."
    if not usage.complete:
        return f"Its history is not complete{f' ({usage.note})' if usage.note else ''}: a gap is not taken for quiet."
    if not _complete(usage):
        return f"Only {share(_known_share(usage))} of its history is known: a gap is not taken for quiet."
    return ""


def _complete(usage: Usage) -> bool:
    return usage.complete and _known_share(usage) >= LEAST_KNOWN_SHARE


def _known_share(usage: Usage) -> float:
    """Of the steps from the first known one on: before it there was nothing to know."""
    known = ~np.isnan(usage.invocations)
    if not known.any():
        return 0.0
    return float(known[int(np.argmax(known)) :].mean())


def young(case: Case) -> Said | None:
    """Too new for a verdict: no for what has no capacity, not known for what has."""
    days = _days(case)
    if days >= LEAST_DAYS:
        return None
    reason = Evidence(
        f"Only {days:.2g} days of traffic are known, {LEAST_DAYS:.0f} are needed: a weekday and a weekend differ.",
        case.metric("Invocations", "Sum"),
    )
    held = case.capacity or case.recurs
    verdict = Verdict.UNKNOWN if held else Verdict.NO
    return Said(verdict, (facts.stands(case), reason), todo="Scan again in some days." if held else "")


def _days(case: Case) -> float:
    """Days since the first invocation; where there was none, since the capacity was set or since the first step."""
    if case.usage is None:
        return 0.0
    called = np.nan_to_num(case.usage.invocations) + np.nan_to_num(case.usage.throttles) > 0
    known = ~np.isnan(case.usage.invocations)
    first = int(np.argmax(called)) if called.any() else int(np.argmax(known))
    days = float(known[first:].sum()) * case.usage.step_s / DAY_S
    if not called.any() and case.set_s_ago is not None and not case.scaling:
        days = min(days, case.set_s_ago / DAY_S)
    return days


def censored(case: Case) -> Said | None:
    """So many throttles that the demand behind them is not known."""
    study = case.study
    if not study:
        return None
    figures = study.figures
    requests = figures.invocations + figures.throttles
    if requests <= 0 or figures.throttles <= MOST_THROTTLED_SHARE * requests:
        return None
    evidence = (facts.stands(case), *facts.throttled(case, study), facts.load(case, study))
    todo = "Raise the concurrency limit that throttles it first (see the scan's concurrency), then scan again."
    return Said(Verdict.UNKNOWN, evidence, todo=todo)


def unlisted(case: Case) -> Said | None:
    """What stands there could not be read: nothing is bought that may stand there already."""
    refusals = [what for what in case.function.unread if what.startswith(UNLISTED)]
    if case.capacity or not refusals:
        return None
    reason = Evidence(f"What stands there could not be read ({'; '.join(refusals)}).", facts.LISTED)
    todo = "Let the scan list provisioned concurrency (see its denials), then scan again."
    return Said(Verdict.UNKNOWN, (reason,), todo=todo)


def coming(case: Case) -> Said | None:
    """A scheduled action will set capacity of which nothing has been seen yet."""
    if case.capacity or case.scheduled_minimum <= 0 or not case.scaling:
        return None
    actions = [f"{each.name} ({each.expression})" for each in case.scaling.scheduled if each.minimum]
    reason = Evidence(
        f"No provisioned concurrency stands there now, nor did any in {case.period}; but scheduled actions set a "
        f"minimum of up to {facts.units_of(case.scheduled_minimum)}: {', '.join(actions)}.",
        "Application Auto Scaling DescribeScheduledActions",
    )
    return Said(Verdict.UNKNOWN, (reason,), todo="Scan again when the scheduled actions have run for some days.")


def taken(case: Case) -> Said | None:
    """A version has one config, its own or one alias's: AWS refuses a second one (409)."""
    function, version = case.function, case.alias.version
    holders = [
        name
        for name in sorted(function.provisioned)
        if name != case.qualifier and version and version in (name, function.aliases.get(name, AliasSeen("")).version)
    ]
    if case.capacity or not holders:
        return None
    units = facts.units_of(function.provisioned[holders[0]].requested)
    reason = Evidence(
        f"Version {version} has its provisioned concurrency on {holders[0]} already ({units}): a version takes one "
        "config, its own or that of one alias, and AWS refuses another with ResourceConflictException.",
        f"{facts.LISTED}; {facts.GET_ALIAS}; {ONE_CONFIG}",
    )
    return Said(Verdict.NO, (reason,))


def ineligible(case: Case) -> Said | None:
    """What can't have provisioned concurrency gets none."""
    if case.capacity or not (case.function.ineligible or case.function.snap_start):
        return None
    reason = case.function.ineligible or "SnapStart is on"
    evidence = Evidence(
        f"Its versions can't have provisioned concurrency: {reason}.",
        "Lambda ListFunctions; Lambda developer guide, snapstart and provisioned-concurrency",
    )
    return Said(Verdict.NO, (evidence,))
