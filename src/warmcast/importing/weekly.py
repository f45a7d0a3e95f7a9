"""A step function that repeats every week, as windows beside a value that holds the rest of the time. Pure.

    Mon-Fri 08:00 -> 20, 19:00 -> 2        base 2: one window, mon-fri 08:00-19:00, 20

Windows of one bound never overlap, so that the highest of them is the only one; what lasts a day or longer is cut at
midnights, as a window is shorter than a day. Cut so, it follows the zone's clock through every change of it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from warmcast.calendar import WEEK_MINUTES
from warmcast.fleet.values import DAY_MINUTES
from warmcast.importing.crons import Cron, Every
from warmcast.importing.firing import shift
from warmcast.importing.windows import Weekly, drafted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from warmcast.importing.firing import Bound, Rule
    from warmcast.importing.windows import Draft

EPOCH_DAY = 3  # the epoch was a Thursday


@dataclass(frozen=True, slots=True)
class Change:
    """At a minute of the week (0 is Monday, 00:00) a rule sets a value."""

    minute: int
    value: int
    rule: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """A window on one day of the week."""

    day: int
    start: int
    until: int
    value: int
    opened_by: str
    closed_by: str


def minutes_of_week(rule: Rule, zone: ZoneInfo, now: datetime) -> frozenset[int] | None:
    """The minutes of the week of `zone` at which a rule fires; None if that is not the same every week."""
    ahead = shift(rule.zone, zone, now)
    if ahead is None:
        return None
    match rule.timing:
        case Cron(minutes) as cron:
            days = cron.weekly or frozenset()
            own = {day * DAY_MINUTES + minute for day in days for minute in minutes}
        case Every(period_s):
            period, odd_s = divmod(period_s, 60)
            if rule.start is None or odd_s or rule.start % 60 or WEEK_MINUTES % period:
                return None
            first = rule.start // 60 + EPOCH_DAY * DAY_MINUTES
            own = {minute % WEEK_MINUTES for minute in range(first, first + WEEK_MINUTES, period)}
    return frozenset((minute + ahead) % WEEK_MINUTES for minute in own) if own else None


def changes(rules: Sequence[Rule], bound: Bound, zone: ZoneInfo, now: datetime) -> list[Change]:
    """The week of rules that all repeat weekly: each change of value, in order; where two meet, the higher."""
    found: dict[int, Change] = {}
    for rule in rules:
        value = rule.sets(bound)
        for minute in minutes_of_week(rule, zone, now) or ():
            if value is not None and (minute not in found or found[minute].value < value):
                found[minute] = Change(minute, value, rule.name)
    ordered = [found[minute] for minute in sorted(found)]
    return [change for index, change in enumerate(ordered) if change.value != ordered[index - 1].value] or ordered[:1]


def held(week: Sequence[Change]) -> dict[int, int]:
    """How many minutes of the week each value holds."""
    minutes: dict[int, int] = defaultdict(int)
    for index, change in enumerate(week):
        minutes[change.value] += _length(week, index)
    return dict(minutes)


def drafts(week: Sequence[Change], bound: Bound, base: int) -> list[Draft]:
    """The windows in which a week is not at its base, those that differ in their days only made one."""
    grouped: dict[tuple[int, int, int], list[_Piece]] = defaultdict(list)
    for piece in _pieces(week, base):
        grouped[piece.start, piece.until, piece.value].append(piece)
    return [
        drafted(
            Weekly(frozenset(piece.day for piece in pieces), start, until),
            bound,
            value,
            opened_by=(piece.opened_by for piece in pieces),
            closed_by=(piece.closed_by for piece in pieces),
        )
        for (start, until, value), pieces in grouped.items()
    ]


def _length(week: Sequence[Change], index: int) -> int:
    """Minutes from a change to the next; the only change of a week holds all of it."""
    return (week[(index + 1) % len(week)].minute - week[index].minute) % WEEK_MINUTES or WEEK_MINUTES


def _pieces(week: Sequence[Change], base: int) -> Iterator[_Piece]:
    for index, change in enumerate(week):
        if change.value == base:
            continue
        closed_by = week[(index + 1) % len(week)].rule
        for start, length in _cut(change.minute, _length(week, index)):
            day, minute = divmod(start % WEEK_MINUTES, DAY_MINUTES)
            end = minute + length
            until = end if end <= DAY_MINUTES else end - DAY_MINUTES
            yield _Piece(day, minute, until, change.value, change.rule, closed_by)


def _cut(start: int, length: int) -> Iterator[tuple[int, int]]:
    """Start and length of the parts of a stretch: itself if shorter than a day, else cut at midnights."""
    if length < DAY_MINUTES:
        yield start, length
        return
    end = start + length
    while start < end:
        part = min(DAY_MINUTES - start % DAY_MINUTES, end - start)
        yield start, part
        start += part
