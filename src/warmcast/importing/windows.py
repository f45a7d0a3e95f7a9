"""A window while it is being drawn: when it is open, what it sets, and which actions it comes from. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from warmcast.fleet import Window
from warmcast.fleet.values import wall_text
from warmcast.importing.crons import days_text
from warmcast.importing.firing import Bound

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Weekly:
    """Days of the week (Monday = 0) and wall minutes; `until` not after `start` is the next day's."""

    days: frozenset[int]
    start: int
    until: int


@dataclass(frozen=True, slots=True)
class Dated:
    """The fleet's cron, and for how many minutes it stays open."""

    cron: str
    minutes: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A window to be.

    Args:
        opened_by, closed_by: names of the scheduled actions at its ends, sorted.
    """

    timing: Weekly | Dated
    minimum: int | None = None
    maximum: int | None = None
    opened_by: tuple[str, ...] = ()
    closed_by: tuple[str, ...] = ()
    name: str = field(default="", compare=False)

    def sets(self, bound: Bound) -> int | None:
        """What it sets of a bound."""
        return self.minimum if bound is Bound.MIN else self.maximum

    def keys(self) -> dict[str, str | int]:
        """The window's keys and values as YAML writes them, in the order that people read."""
        keys: dict[str, str | int] = {"name": self.name} if self.name else {}
        match self.timing:
            case Weekly(days, start, until):
                keys |= {"days": days_text(days), "from": wall_text(start), "to": wall_text(until)}
            case Dated(cron, minutes):
                hours, rest = divmod(minutes, 60)
                keys |= {"cron": cron, "for": (f"{hours}h" if hours else "") + (f"{rest}m" if rest else "")}
        bounds = {"min": self.minimum, "max": self.maximum}
        return keys | {key: value for key, value in bounds.items() if value is not None}

    def window(self) -> Window:
        """The window as the fleet has it."""
        return Window.model_validate(self.keys())


def drafted(
    timing: Weekly | Dated, bound: Bound, value: int, *, opened_by: Iterable[str], closed_by: Iterable[str]
) -> Draft:
    """A window that sets one bound."""
    minimum, maximum = (value, None) if bound is Bound.MIN else (None, value)
    return Draft(timing, minimum, maximum, tuple(sorted(set(opened_by))), tuple(sorted(set(closed_by))))


def merge(drafts: Iterable[Draft]) -> list[Draft]:
    """Windows that are open at the same time as one; a floor's and a ceiling's, that is."""
    by_timing: dict[Weekly | Dated, list[Draft]] = defaultdict(list)
    for draft in drafts:
        by_timing[draft.timing].append(draft)
    return [_united(timing, group) for timing, group in by_timing.items()]


def _united(timing: Weekly | Dated, group: Sequence[Draft]) -> Draft:
    minimum = max((draft.minimum for draft in group if draft.minimum is not None), default=None)
    maximum = max((draft.maximum for draft in group if draft.maximum is not None), default=None)
    opened = {name for draft in group for name in draft.opened_by}
    closed = {name for draft in group for name in draft.closed_by}
    return Draft(timing, minimum, maximum, tuple(sorted(opened)), tuple(sorted(closed)))


def in_order(drafts: Iterable[Draft]) -> tuple[Draft, ...]:
    """Weekly windows by the day and minute that they first open, then the dated ones; each with a name of its own."""
    ordered = sorted(drafts, key=_place)
    taken: set[str] = set()
    named = []
    for draft in ordered:
        name = _free_name(" and ".join(draft.opened_by), taken)
        taken.add(name)
        named.append(replace(draft, name=name))
    return tuple(named)


def _place(draft: Draft) -> tuple[int, int, int, str]:
    match draft.timing:
        case Weekly(days, start, until):
            return 0, min(days), start, f"{until:04}"
        case Dated(cron, minutes):
            return 1, 0, minutes, cron


def _free_name(wanted: str, taken: set[str]) -> str:
    """The actions' names, cut to what a window may have, numbered where another has it."""
    name, count = wanted[:LONGEST_NAME], 1
    while name in taken:
        count += 1
        ending = f" {count}"
        name = wanted[: LONGEST_NAME - len(ending)] + ending
    return name
