"""One bound in one zone: the ways to write it, and the rules for which there is none. Pure.

A bound is written as the week that repeats (`weekly`), what happens on certain dates over it (`dated`), and a base that
holds the rest of the time. Each way is checked by the fleet's own calendar against what the actions do; what does not
agree is not used.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from warmcast.fleet.values import DAY_MINUTES, EVERY_DAY
from warmcast.importing import dated, weekly
from warmcast.importing.checking import Choice, agrees, looking_up, values_of
from warmcast.importing.crons import Cron, Every
from warmcast.importing.firing import Bound, Step, firings, shift, steps
from warmcast.importing.windows import Draft, Weekly

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from warmcast.importing.firing import Firing, Rule

DAY_S = DAY_MINUTES * 60
WEEKLY_DAYS = 54 * 7  # both of a year's clock changes
WEEKLY_PAST_DAYS = 9  # the state of a week is known a week after its beginning, in every zone
DATED_DAYS = 4 * 366  # each date meets several days of the week, and a 29 February comes
MOST_BASES = 6


@dataclass(frozen=True)
class Ways:
    """The rules that set one bound, as they are to be written in a zone.

    Args:
        standing: what the bound is now, which holds where no rule sets it.
        now: where the comparison begins.
    """

    bound: Bound
    rules: tuple[Rule, ...]
    zone: ZoneInfo
    standing: int
    now: datetime

    @cached_property
    def weekly_rules(self) -> tuple[Rule, ...]:
        """Those that do the same every week of the zone's clock."""
        return tuple(rule for rule in self.rules if weekly.minutes_of_week(rule, self.zone, self.now) is not None)

    @cached_property
    def constant(self) -> int | None:
        """The value, where all rules agree on it, or there is none."""
        values = {rule.sets(self.bound) for rule in self.rules} or {self.standing}
        return values.pop() if len(values) == 1 else None

    @cached_property
    def fired(self) -> list[Firing]:
        """Every firing from long enough ago that the state at `now` is known, to the end of the comparison."""
        return self._fired(self.rules)

    def _fired(self, rules: Sequence[Rule]) -> list[Firing]:
        now = int(self.now.timestamp())
        if all(rule in self.weekly_rules or isinstance(rule.timing, Every) for rule in self.rules):
            return firings(rules, self.bound, now - WEEKLY_PAST_DAYS * DAY_S, now + WEEKLY_DAYS * DAY_S)
        return firings(rules, self.bound, now - DATED_DAYS * DAY_S, now + DATED_DAYS * DAY_S)

    def agrees(self, choice: Choice) -> bool:
        """Whether a choice does what the rules do, from now on."""
        now = int(self.now.timestamp())
        if self.constant is not None:
            return set(values_of(choice, now, now + 7 * DAY_S).values()) == {self.constant}
        return bool(self.fired) and agrees(choice, self.fired, now, self.fired[-1].at)

    def choices(self) -> list[Choice]:
        """Ways to write the bound, those with the fewest windows first; not yet checked."""
        if self.constant is not None:
            return [self._constant(self.constant)]
        week = weekly.changes(self.weekly_rules, self.bound, self.zone, self.now)
        found = [choice for base in self._bases(week) if (choice := self._choice(week, base)) is not None]
        return sorted(found, key=lambda choice: len(choice.drafts))

    def _constant(self, value: int) -> Choice:
        """A policy's greatest capacity is 1 at least, so that 0 takes a window over all the week."""
        if value or self.bound is Bound.MIN:
            return Choice(self.bound, self.zone, value)
        always = Draft(Weekly(EVERY_DAY, 0, DAY_MINUTES), maximum=0, opened_by=tuple(rule.name for rule in self.rules))
        return Choice(self.bound, self.zone, 1, (always,))

    def untold(self) -> frozenset[str]:
        """Names of the rules that no choice can carry out beside the others."""
        if self.constant is not None:
            return frozenset()
        told = self.weekly_rules
        for group in self._dated_groups():
            if self._with((*told, *group)).is_told():
                told = (*told, *group)
        return frozenset(rule.name for rule in self.rules) - {rule.name for rule in told}

    def is_told(self) -> bool:
        """Whether some choice does what the rules do."""
        return any(self.agrees(choice) for choice in self.choices())

    def _with(self, rules: tuple[Rule, ...]) -> Ways:
        return Ways(self.bound, rules, self.zone, self.standing, self.now)

    def _dated_groups(self) -> Iterator[tuple[Rule, ...]]:
        """Dated rules in the order in which they are tried: all, those on the same days together, each by itself.

        A rule of another zone's dates is not tried: a date there is not the same date here.
        """
        rest = tuple(rule for rule in self.rules if rule not in self.weekly_rules and isinstance(rule.timing, Cron))
        here = tuple(rule for rule in rest if shift(rule.zone, self.zone, self.now) == 0)
        same_days: dict[object, list[Rule]] = defaultdict(list)
        for rule in here:
            assert isinstance(rule.timing, Cron)
            same_days[rule.timing.days, rule.timing.months].append(rule)
        tried = {here, *(tuple(group) for group in same_days.values()), *((rule,) for rule in here)}
        yield from sorted((group for group in tried if group), key=lambda group: (-len(group), str(group)))

    def _bases(self, week: Sequence[weekly.Change]) -> list[int]:
        """Values that may hold the rest of the time, the longest first; the least and the greatest are among them."""
        held: Mapping[int, int] = weekly.held(week)
        values = {value for rule in self.rules if (value := rule.sets(self.bound)) is not None}
        if self.bound is Bound.MAX:
            values.discard(0)
        ordered = sorted(values, key=lambda value: (-held.get(value, 0), value))
        return [value for value in ordered if value in ordered[:MOST_BASES] or value in {min(ordered), max(ordered)}]

    def _choice(self, week: Sequence[weekly.Change], base: int) -> Choice | None:
        beneath = tuple(weekly.drafts(week, self.bound, base))
        others = {rule.name: rule for rule in self.rules if rule not in self.weekly_rules}
        over = self._over(others, base) if others else []
        return None if over is None else Choice(self.bound, self.zone, base, (*beneath, *over))

    def _over(self, others: Mapping[str, Rule], base: int) -> list[Draft] | None:
        """Windows for the dated rules, over what the weekly ones leave; over the base where there are none."""
        beneath = steps(self._fired(self.weekly_rules)) or [Step(0, base, "")]
        known = [firing for firing in self.fired if firing.at >= beneath[0].at]
        return dated.drafts(others, known, self.bound, looking_up({step.at: step.value for step in beneath}))
