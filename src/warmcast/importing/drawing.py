"""Both bounds of a scalable target in one zone: capacity and windows, and the rules that could not be drawn. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, assert_never

from warmcast.fleet.policy import MOST_UNITS
from warmcast.importing.checking import looking_up
from warmcast.importing.crons import Cron, Every
from warmcast.importing.firing import Bound, Step, shift, steps
from warmcast.importing.sorting import Left
from warmcast.importing.ways import Ways
from warmcast.importing.windows import in_order, merge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from warmcast.importing.checking import Choice
    from warmcast.importing.firing import Firing, Rule
    from warmcast.importing.windows import Draft
    from warmcast.scan.found import Scaling

MOST_WINDOWS = 100

DIFFERS = (
    "what it sets does not last equally long each time (it lasts until the next action), or less is set while a window "
    "of another action is open; windows can't say that"
)
ELSEWHERE = (
    "its zone ({own}) does not keep the same distance to that of other actions ({zone}), and a target has one zone"
)
OTHER_DATES = "its dates are those of {own}, and the target's zone is that of other actions ({zone})"
UNCOUNTED = "AWS does not tell from when it counts (no start time)"
UNEVEN = "it does not come out the same every week"
CONTRADICTS = "it would put the minimum above the maximum, and AWS does not say what it does then"
TOO_MANY = f"its actions need more than the {MOST_WINDOWS} windows that a policy may have"


@dataclass(frozen=True, slots=True)
class Drawn:
    """What came out.

    Args:
        minimum, maximum, windows: as the policy has them.
        rules: those that it carries out. fired: all that these do, by bound.
        left: the others, with the reason.
    """

    zone: ZoneInfo
    minimum: int
    maximum: int
    windows: tuple[Draft, ...]
    rules: tuple[Rule, ...]
    fired: Mapping[Bound, Sequence[Firing]]
    left: tuple[Left, ...]


def draw(rules: Sequence[Rule], zone: ZoneInfo, scaling: Scaling, now: datetime) -> Drawn:
    """Write as many of the rules as can be had exactly.

    A rule that is left out changes what the others leave behind, so that they are looked at again until all agree.
    """
    left: list[Left] = []
    told = tuple(rules)
    while True:
        ways = {bound: _ways(told, bound, zone, scaling, now) for bound in Bound}
        out = _contradicting(told, ways) or _undrawn(told, ways, zone, now)
        if not out:
            pair = _pair(ways)
            if pair is not None:
                break
            assert told, "capacity alone can always be written"
            out = {rule.name: TOO_MANY for rule in told}
        left += [Left(rule.name, rule.expression, out[rule.name]) for rule in told if rule.name in out]
        told = tuple(rule for rule in told if rule.name not in out)
    windows = in_order(merge(draft for choice in pair for draft in choice.drafts))
    fired = {bound: ways[bound].fired for bound in Bound}
    return Drawn(zone, pair[0].base, pair[1].base, windows, told, fired, tuple(left))


def standing(scaling: Scaling, bound: Bound) -> int:
    """What a bound of the scalable target is now; the most that a policy may have where it is more."""
    return min(scaling.minimum if bound is Bound.MIN else scaling.maximum, MOST_UNITS)


def _ways(rules: Sequence[Rule], bound: Bound, zone: ZoneInfo, scaling: Scaling, now: datetime) -> Ways:
    setting = tuple(rule for rule in rules if rule.sets(bound) is not None)
    return Ways(bound, setting, zone, standing(scaling, bound), now)


# --- which rules can't be drawn --------------------------------------------------------------------------------------


def _contradicting(rules: Sequence[Rule], ways: Mapping[Bound, Ways]) -> dict[str, str]:
    """The first rule that puts the minimum above the maximum, with that as the reason; empty: none does."""
    histories = {bound: _history(ways[bound]) for bound in Bound}
    begins = max(history[0].at for history in histories.values())
    at = {bound: looking_up({step.at: index for index, step in enumerate(histories[bound])}) for bound in Bound}
    for instant in sorted({step.at for history in histories.values() for step in history}):
        if instant < begins:
            continue
        low, high = (histories[bound][at[bound](instant)] for bound in (Bound.MIN, Bound.MAX))
        if low.value > high.value:
            culprit = low if low.at > high.at else high
            return {rule.name: CONTRADICTS for rule in rules if rule.name == culprit.rule}
    return {}


def _history(ways: Ways) -> list[Step]:
    """What a bound is over time; what stands where no rule sets it."""
    return steps(ways.fired) or [Step(0, ways.standing, "")]


def _undrawn(rules: Sequence[Rule], ways: Mapping[Bound, Ways], zone: ZoneInfo, now: datetime) -> dict[str, str]:
    names = frozenset().union(*(way.untold() for way in ways.values()))
    return {rule.name: _why(rule, zone, now) for rule in rules if rule.name in names}


def _why(rule: Rule, zone: ZoneInfo, now: datetime) -> str:
    ahead = shift(rule.zone, zone, now)
    match rule.timing:
        case Every():
            if rule.start is None:
                return UNCOUNTED
            return ELSEWHERE.format(own=rule.zone, zone=zone) if ahead is None else UNEVEN
        case Cron() as cron:
            if ahead is None:
                return ELSEWHERE.format(own=rule.zone, zone=zone)
            return OTHER_DATES.format(own=rule.zone, zone=zone) if ahead and cron.weekly is None else DIFFERS
        case _:
            assert_never(rule.timing)


# --- the best of the ways --------------------------------------------------------------------------------------------


def _pair(ways: Mapping[Bound, Ways]) -> tuple[Choice, Choice] | None:
    """A floor and a ceiling with the fewest windows together, each of which does what the rules do."""
    floors, ceilings = ways[Bound.MIN].choices(), ways[Bound.MAX].choices()
    pairs = [(floor, ceiling) for floor, ceiling in product(floors, ceilings) if floor.base <= ceiling.base]
    counted = sorted(((_count(pair), index) for index, pair in enumerate(pairs)), key=lambda each: each)
    for count, index in counted:
        floor, ceiling = pairs[index]
        if count <= MOST_WINDOWS and ways[Bound.MIN].agrees(floor) and ways[Bound.MAX].agrees(ceiling):
            return floor, ceiling
    return None


def _count(pair: tuple[Choice, Choice]) -> int:
    return len(merge(draft for choice in pair for draft in choice.drafts))
