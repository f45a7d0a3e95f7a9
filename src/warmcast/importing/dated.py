"""What actions on certain dates change of a week that repeats, as cron windows over the weekly ones. Pure.

    Mon-Fri 08:00 -> 20, 19:00 -> 2; on the 28th to 31st 02:00 -> 60, 05:00 -> 2

becomes the weekly window, and `0 2 28-31 * *` for 3h. It can be written where what an action sets lasts equally long
each time (a window's `for` is one length), or equally long by day of the week.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from warmcast.fleet.values import DAY_MINUTES, EVERY_DAY
from warmcast.importing.crons import Cron, Weekdays, five_fields
from warmcast.importing.firing import steps
from warmcast.importing.weekly import EPOCH_DAY
from warmcast.importing.windows import Dated, drafted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from warmcast.importing.firing import Bound, Firing, Rule
    from warmcast.importing.windows import Draft

MOST_MINUTES = 744 * 60


@dataclass(frozen=True, slots=True)
class _Lasting:
    """One time that a dated rule changed something: on which day of the week, for how many minutes, ended by whom."""

    day: int
    minutes: int
    closed_by: str


def drafts(
    rules: Mapping[str, Rule], fired: Sequence[Firing], bound: Bound, beneath: Callable[[int], int]
) -> list[Draft] | None:
    """Windows for what dated rules set, where it differs from what is `beneath` (at an instant, in epoch seconds).

    None where the lengths differ: no window can say that. Whether the windows leave the rest as it is has to be
    checked: they may reach over weekly windows of a higher value.
    """
    found: list[Draft] = []
    for (name, minute), lasting in _lastings(rules, fired, beneath).items():
        rule = rules[name]
        value = rule.sets(bound)
        if not isinstance(rule.timing, Cron) or value is None:
            return None
        by_length = _by_length(rule.timing, lasting)
        if by_length is None:
            return None
        for length, days in by_length.items():
            closed_by = [each.closed_by for each in lasting if each.minutes == length]
            timing = Dated(five_fields(rule.timing, minute, days), length)
            found.append(drafted(timing, bound, value, opened_by=[name], closed_by=closed_by))
    return found


def _lastings(
    rules: Mapping[str, Rule], fired: Sequence[Firing], beneath: Callable[[int], int]
) -> Mapping[tuple[str, int], list[_Lasting]]:
    """By rule and minute of the day: each time that it changed something."""
    walls = {(firing.at, firing.rule): firing for firing in fired}
    found: dict[tuple[str, int], list[_Lasting]] = defaultdict(list)
    for step, following in pairwise(steps(fired)):
        firing = walls[step.at, step.rule]
        if step.rule not in rules or firing.early < firing.late or step.value == beneath(step.at):
            continue
        day, second = divmod(firing.wall, DAY_MINUTES * 60)
        lasting = _Lasting((day + EPOCH_DAY) % 7, (following.at - step.at) // 60, following.rule)
        found[step.rule, second // 60].append(lasting)
    return found


def _by_length(cron: Cron, lasting: Sequence[_Lasting]) -> dict[int, frozenset[int] | None] | None:
    """The lengths, each with the weekdays on which it holds (None: the cron's own days); None if that can't be said."""
    lengths = sorted({each.minutes for each in lasting})
    if lengths[-1] > MOST_MINUTES:
        return None
    if len(lengths) == 1:
        return {lengths[0]: None}
    if not isinstance(cron.days, Weekdays):
        return None
    by_day = {day: set(_lengths_on(day, lasting)) for day in EVERY_DAY}
    if any(len(found) > 1 for found in by_day.values()):
        return None
    return {length: frozenset(day for day, found in by_day.items() if length in found) for length in lengths}


def _lengths_on(day: int, lasting: Sequence[_Lasting]) -> Iterator[int]:
    return (each.minutes for each in lasting if each.day == day)
