"""When scheduled actions fire, and the step function of time that they leave behind. Pure.

An action sets the minimum, the maximum or both at an instant, and what it set stays until another action sets it: the
end of a window restores nothing (PutScheduledAction, and the user guide, "Schedule recurring scaling actions"). So each
bound by itself is a step function: the value that the last action to set it has set.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from warmcast.calendar import opens
from warmcast.importing.crons import Cron, Every

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall time is counted from it, in any zone
_PROBE = timedelta(hours=6)  # no zone changes its clocks twice within it
_PROBES = 4 * 366 * 4  # over four years


class Bound(StrEnum):
    """Which of the two capacities of a scalable target."""

    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Rule:
    """A scheduled action that is in force.

    Args:
        name, expression: as AWS has them.
        zone: of a cron's wall times.
        start: epoch seconds from which a rate counts; None where AWS does not tell.
        minimum, maximum: what it sets; None leaves it.
    """

    name: str
    expression: str
    timing: Cron | Every
    zone: ZoneInfo
    start: int | None = None
    minimum: int | None = None
    maximum: int | None = None

    def sets(self, bound: Bound) -> int | None:
        """What it sets of a bound."""
        return self.minimum if bound is Bound.MIN else self.maximum


@dataclass(frozen=True, slots=True, order=True)
class Firing:
    """One time that a rule fires; in this order, a later one undoes an earlier one.

    Args:
        at: epoch seconds: of a wall time that comes twice the first, of a skipped one the first instant after.
        wall: the wall time, as seconds since the epoch's midnight on the same clock.
        value: what it sets. Of two at one wall time the higher is taken: AWS does not say which comes last.
        early, late: where the clocks change, the instants that may be meant; else both `at`.
    """

    at: int
    wall: int
    value: int
    rule: str
    early: int
    late: int


@dataclass(frozen=True, slots=True)
class Step:
    """From `at` (epoch seconds) on a bound is `value`, set by a rule."""

    at: int
    value: int
    rule: str


@dataclass(frozen=True, slots=True)
class Clash:
    """Two rules that set one bound to different values at one instant; the lower is not taken."""

    at: int
    lower: str
    higher: str


def firings(rules: Sequence[Rule], bound: Bound, first: int, last: int) -> list[Firing]:
    """Every firing in [first, last] of the rules that set a bound, in the order in which they count."""
    found = (
        firing
        for rule in rules
        if (value := rule.sets(bound)) is not None
        for firing in _of_rule(rule, value, first, last)
    )
    return sorted(found)


def steps(fired: Sequence[Firing]) -> list[Step]:
    """The step function that firings leave: one step for each instant at which something fires."""
    lasting = {firing.at: firing for firing in fired}
    return [Step(firing.at, firing.value, firing.rule) for firing in lasting.values()]


def clashes(fired: Sequence[Firing]) -> Iterator[Clash]:
    """Where two rules disagree about one instant; each pair of rules once, at the first such instant."""
    told = set()
    for _, group in groupby(fired, key=lambda firing: (firing.at, firing.wall)):
        *lower, highest = group
        for firing in lower:
            if firing.value != highest.value and (pair := (firing.rule, highest.rule)) not in told:
                told.add(pair)
                yield Clash(firing.at, *pair)


def _of_rule(rule: Rule, value: int, first: int, last: int) -> Iterator[Firing]:
    match rule.timing:
        case Every(period_s):
            start = rule.start or 0
            for at in range(start - (start - first) // period_s * period_s, last + 1, period_s):
                yield Firing(at, at, value, rule.name, at, at)
        case Cron() as cron:
            yield from (firing for firing in _of_cron(cron, rule, value, first, last) if first <= firing.at <= last)


def _of_cron(cron: Cron, rule: Rule, value: int, first: int, last: int) -> Iterator[Firing]:
    day = timedelta(days=1)
    for local_date in cron.dates(_utc_date(first) - day, _utc_date(last) + day):
        midnight = datetime(local_date.year, local_date.month, local_date.day)  # noqa: DTZ001 - wall time
        for minute in cron.minutes:
            yield _firing(rule, value, midnight + timedelta(minutes=minute))


def _firing(rule: Rule, value: int, wall: datetime) -> Firing:
    seconds = (wall - _EPOCH) // timedelta(seconds=1)
    offsets = {_offset(wall.replace(tzinfo=rule.zone, fold=fold)) for fold in (0, 1)}
    at = opens(wall, rule.zone) if len(offsets) > 1 else seconds - min(offsets)
    return Firing(at, seconds, value, rule.name, seconds - max(offsets), seconds - min(offsets))


def _utc_date(at: int) -> date:
    return datetime.fromtimestamp(at, UTC).date()


def _offset(at: datetime) -> int:
    offset = at.utcoffset()
    assert offset is not None
    return offset // timedelta(seconds=1)


def shift(zone: ZoneInfo, other: ZoneInfo, now: datetime) -> int | None:
    """By how many minutes the clocks of `other` are ahead of `zone`'s over the next years; None if that changes."""
    return 0 if zone == other else _shift(zone, other, now.replace(minute=0, second=0, microsecond=0))


@lru_cache(maxsize=256)
def _shift(zone: ZoneInfo, other: ZoneInfo, first: datetime) -> int | None:
    ahead = set()
    for count in range(_PROBES):
        at = first + count * _PROBE
        ahead.add(_offset(at.astimezone(other)) - _offset(at.astimezone(zone)))
        if len(ahead) > 1:
            return None
    return ahead.pop() // 60
