"""Five-field cron: what an expression means, which ones are refused, and which ones AWS would read differently.

croniter parses and iterates, on wall time without a zone (in a zone it would fire twice in a repeated hour); it is
never shown what it would read in an unexpected way: six fields (seconds), `@daily`, `H` and `R` (hashed and random
times), equal ranges (`5-5` is the whole cycle to it). Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from croniter import croniter
from croniter.croniter import CroniterBadCronError, CroniterBadDateError

from warmcast.fleet.findings import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FIELDS = ("minute", "hour", "day of month", "month", "day of week")
RULE = "cron of exactly five fields (minute hour day-of-month month day-of-week)"
OUT_OF_RANGE = "a field is out of range: minute 0-59, hour 0-23, day of month 1-31, month 1-12, day of week 0-7"
_EQUAL_RANGE = re.compile(r"\b(\w+)-\1\b", re.IGNORECASE)
_NAMES = {"month": "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec", "day of week": "sun|mon|tue|wed|thu|fri|sat"}
_EXTRA = {"day of month": r"|\?|L|\d{1,2}W", "day of week": r"|\?|L\d|(?:\d|{names})#[1-5]"}
_ANY_DAY = frozenset({"*", "?"})
_NO_STEP = re.compile(r"/0+\b")
_NUMBERED_DAY = re.compile(r"(?:^|[,-])L?\d", re.IGNORECASE)
_NARROWED = re.compile(r"\dW|#|L\d", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression taken apart: the days on which it fires, and the minutes of such a day.

    Args:
        expression: as written, with single spaces.
        days: the expression that fires once at midnight of each day that it fires on.
        minutes: minutes of the day, ascending.
    """

    expression: str
    days: str = field(compare=False)
    minutes: tuple[int, ...] = field(compare=False)

    def __str__(self) -> str:
        return self.expression

    def dates(self, first: date, last: date) -> Iterator[date]:
        """The dates in [first, last] on which it fires."""
        midnight = datetime(first.year, first.month, first.day)  # noqa: DTZ001 - wall time; the calendar places it in a zone
        days = croniter(self.days, midnight - timedelta(minutes=1))
        while (day := days.get_next(datetime).date()) <= last:
            yield day

    def differs_on_aws(self) -> str:
        """Why AWS (EventBridge, Application Auto Scaling) would read these fields differently; empty if it would not.

        AWS counts weekdays from 1 = Sunday, and wants `?` in one of the two day fields.
        """
        _, _, day_of_month, _, day_of_week = self.expression.split()
        if _NUMBERED_DAY.search(day_of_week):
            return "AWS counts weekdays from 1 = Sunday, here 0 and 7 are Sunday and 1 is Monday: write their names"
        if not {day_of_month, day_of_week} & _ANY_DAY:
            return "here either day field suffices, AWS refuses the two together: write two windows"
        return ""


def parse_cron(text: object) -> Cron:
    """Read a cron expression.

    Raises:
        RefusedError: not five fields, a field out of range, or a day that never comes (`0 0 30 2 *`).
    """
    if isinstance(text, Cron):
        return text
    if not isinstance(text, str):
        raise refusal(RULE, text, "put it in quotes")
    fields = text.split()
    if text.strip().startswith("@"):
        raise refusal(RULE, text, "write the fields out: @daily is 0 0 * * *")
    if len(fields) != len(FIELDS):
        raise refusal(RULE, text, "seconds and years have no field here" if len(fields) > len(FIELDS) else "")
    for name, written in zip(FIELDS, fields, strict=True):
        _refuse_unexpected(text, name, written)
    if _NARROWED.search(text) and not _ANY_DAY & {fields[2], fields[4]}:
        raise refusal(RULE, text, "W, # and L5 can't be joined with the other day field: write two windows")
    return _parse(" ".join(fields))


def _refuse_unexpected(text: str, name: str, written: str) -> None:
    names = _NAMES.get(name, r"(?!)")
    value = rf"(?:\d{{1,2}}|{names})"
    extra = _EXTRA.get(name, "").replace("{names}", names)
    part = rf"(?:(?:\*|{value}(?:-{value})?)(?:/\d{{1,2}})?{extra})"
    if not re.fullmatch(rf"{part}(?:,{part})*", written, re.IGNORECASE | re.ASCII):
        raise refusal(RULE, text, f'its {name} "{written}" can\'t be read')
    if _NO_STEP.search(written):
        raise refusal(RULE, text, f'its {name} "{written}" steps by 0: a step is 1 or more')
    if equal := _EQUAL_RANGE.search(written):
        raise refusal(RULE, text, f"a range needs two ends that differ: write {equal[1]}, not {equal[0]}")


@lru_cache(maxsize=1024)  # a fleet has few different expressions, and croniter takes its time
def _parse(expression: str) -> Cron:
    days = " ".join(["0", "0", *expression.split()[2:]])
    try:
        (minutes, hours, *_), _ = croniter.expand(expression)
        croniter(days, datetime(2000, 1, 1)).get_next(datetime)  # noqa: DTZ001 - wall time of no zone
    except CroniterBadDateError:
        raise refusal("cron that fires at some time", expression, "no such day ever comes") from None
    except (CroniterBadCronError, ValueError, KeyError, TypeError):  # what could not be read was refused above
        raise refusal(RULE, expression, OUT_OF_RANGE) from None
    every = [60 * hour + minute for hour in _whole(hours, 24) for minute in _whole(minutes, 60)]
    return Cron(expression, days, tuple(sorted(every)))


def _whole(values: Sequence[int | str], count: int) -> list[int]:
    """Write croniter's `*` out."""
    return list(range(count)) if values == ["*"] else [int(value) for value in values]
