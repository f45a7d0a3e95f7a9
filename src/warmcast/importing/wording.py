"""What a person has to know beside what was translated, as sentences. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from warmcast.fleet.policy import MOST_UNITS
from warmcast.importing.drawing import standing
from warmcast.importing.firing import Bound, clashes, steps
from warmcast.importing.sorting import Left, is_suspended

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from warmcast.importing.firing import Firing, Rule
    from warmcast.scan.found import Scaling, Tracking

WORDS = {Bound.MIN: "minimum", Bound.MAX: "maximum"}


SOON_S = 8 * 86_400
Fired: TypeAlias = "Mapping[Bound, Sequence[Firing]]"


@dataclass(frozen=True, slots=True)
class _ByHand:
    """A bound that somebody set beside its actions, and for how long that will hold."""

    about: str
    reason: str
    lasts_s: int


def remarks_on(scaling: Scaling, fired: Fired, now: datetime) -> tuple[str, ...]:
    """Sentences on one scalable target; `fired` is what those of its actions do that were translated."""
    return (
        *_tracking(scaling),
        *_suspended(scaling),
        *(f"{each.about}: {each.reason}" for each in _by_hand(scaling, fired, now) if each.lasts_s <= SOON_S),
        *_beyond(scaling),
        *_clock_changes(fired, now),
    )


def standing_long(scaling: Scaling, fired: Fired, now: datetime) -> tuple[Left, ...]:
    """What was set by hand, is not what the actions set, and stays for longer than a week: a policy can't have both."""
    return tuple(
        Left(each.about, "", each.reason, partly=True)
        for each in _by_hand(scaling, fired, now)
        if each.lasts_s > SOON_S
    )


def clashes_among(rules: Sequence[Rule], fired: Fired, now: datetime) -> tuple[Left, ...]:
    """Where two actions set a bound to different values at the same time: the lower value is not translated."""
    at = int(now.timestamp())
    expressions = {rule.name: rule.expression for rule in rules}
    found: dict[tuple[str, str], Left] = {}
    for bound in Bound:
        for clash in clashes([firing for firing in fired[bound] if firing.at >= at]):
            reason = (
                f"sets another {WORDS[bound]} at the same time as {clash.higher}, and AWS does not say which comes "
                "last; the higher is taken"
            )
            since = datetime.fromtimestamp(clash.at, UTC)
            found.setdefault(
                (clash.lower, reason), Left(clash.lower, expressions[clash.lower], reason, since, partly=True)
            )
    return tuple(found[key] for key in sorted(found))


def _tracking(scaling: Scaling) -> Iterator[str]:
    if not scaling.tracking:
        yield "No target tracking: between the bounds nothing moved the capacity; here the objective does."
    for policy in sorted(scaling.tracking, key=lambda each: each.name):
        kept = _kept(policy)
        yield f"Target tracking {policy.name} ({kept}) has no key here: the objective decides between the bounds."


def _kept(policy: Tracking) -> str:
    goal = f"utilization at {policy.target:.0%}" if policy.predefined else f"{policy.metric} at {policy.target:g}"
    return f"kept {goal}" + ("" if policy.scale_in else ", never scaled in")


def _suspended(scaling: Scaling) -> Iterator[str]:
    dynamic = sorted(name for name in scaling.suspended if "scheduled" not in name.lower())
    if dynamic:
        yield f"Suspended in Application Auto Scaling: {', '.join(dynamic)}; here only the mode switches things off."
    if is_suspended(scaling):
        yield "Scheduled scaling is suspended: the capacity is what stands now."


def _by_hand(scaling: Scaling, fired: Fired, now: datetime) -> Iterator[_ByHand]:
    """What stands now and is not what the actions set: it holds until the next of them."""
    at = int(now.timestamp())
    for bound in Bound:
        done = [step for step in steps(fired[bound]) if step.at <= at]
        ahead = next((firing for firing in fired[bound] if firing.at > at), None)
        stands = standing(scaling, bound)
        if done and ahead and done[-1].value != stands:
            until = f"{_instant(ahead.at)} ({ahead.rule})"
            about = f"the {WORDS[bound]} of {stands} that stands now"
            yield _ByHand(
                about, f"its actions would have {done[-1].value}; in AWS it holds until {until}", ahead.at - at
            )


def _instant(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%MZ}"


def _beyond(scaling: Scaling) -> Iterator[str]:
    """A bound above what a policy may have."""
    for bound, value in ((Bound.MIN, scaling.minimum), (Bound.MAX, scaling.maximum)):
        if value > MOST_UNITS:
            yield f"Its {WORDS[bound]} of {value} is above {MOST_UNITS}, the most that a policy may have."


def _clock_changes(fired: Fired, now: datetime) -> Iterator[str]:
    at = int(now.timestamp())
    told = set()
    for bound in Bound:
        for firing in fired[bound]:
            if firing.at >= at and firing.early < firing.late and firing.rule not in told:
                told.add(firing.rule)
                wall = datetime.fromtimestamp(firing.wall, UTC)
                yield (
                    f"{firing.rule} is due on {wall:%Y-%m-%d} at {wall:%H:%M}, which the clock skips or shows twice "
                    "that night: AWS does not say what it does then, docs/policy.md says what Warmcast does."
                )
