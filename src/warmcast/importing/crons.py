"""The schedules of Application Auto Scaling: what `cron(...)`, `at(...)` and `rate(...)` mean. Pure.

Its cron has six fields (minute, hour, day of month, month, day of week, year) and counts weekdays from 1 = Sunday; one
of the two day fields is `?` (EventBridge user guide, "Cron expressions reference", to which the user guide of
Application Auto Scaling refers). What AWS does not document (`LW`, `L-3`, `W` in a list, a range that runs backwards)
is refused here rather than guessed.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias, assert_never

from warmcast.fleet.values import EVERY_DAY, WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST_MONTH = 28
EVERY_MONTH = frozenset(range(1, 13))
_YEARS = range(1970, 2200)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEK = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_UNIT_S = {"minute": 60, "minutes": 60, "hour": 3600, "hours": 3600, "day": 86_400, "days": 86_400}


class UnreadableError(ValueError):
    """An expression that can't be read for certain; the message is the reason, for a person."""


# --- the days of a cron ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dates:
    """Days of the month by number."""

    numbers: frozenset[int]


@dataclass(frozen=True, slots=True)
class LastDay:
    """The last day of the month."""


@dataclass(frozen=True, slots=True)
class NearestWeekday:
    """The weekday (Monday to Friday) nearest to a day of the month, in the same month."""

    number: int


@dataclass(frozen=True, slots=True)
class Weekdays:
    """Days of the week, Monday = 0."""

    days: frozenset[int]


@dataclass(frozen=True, slots=True)
class NthWeekday:
    """The nth such weekday (Monday = 0) of the month; a fifth is not in every month."""

    day: int
    nth: int


@dataclass(frozen=True, slots=True)
class LastWeekday:
    """The last such weekday (Monday = 0) of the month."""

    day: int


Days: TypeAlias = "Dates | LastDay | NearestWeekday | Weekdays | NthWeekday | LastWeekday"


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron of AWS, taken apart.

    Args:
        minutes: minutes of the day at which it fires, ascending.
        days: on which days of the months.
        months: 1 to 12.
        years: None: every year.
    """

    minutes: tuple[int, ...]
    days: Days
    months: frozenset[int] = EVERY_MONTH
    years: frozenset[int] | None = None

    @property
    def weekly(self) -> frozenset[int] | None:
        """The days of the week, if it does the same every week of the year; else None."""
        return self.days.days if isinstance(self.days, Weekdays) and self.months == EVERY_MONTH else None

    def dates(self, first: date, last: date) -> Iterator[date]:
        """The dates in [first, last] on which it fires, the year field left aside."""
        for ordinal in range(first.toordinal(), last.toordinal() + 1):
            day = date.fromordinal(ordinal)
            if day.month in self.months and _is_on(self.days, day):
                yield day


@dataclass(frozen=True, slots=True)
class Once:
    """`at(...)`: one wall time."""

    wall: datetime


@dataclass(frozen=True, slots=True)
class Every:
    """`rate(...)`: every so many seconds."""

    period_s: int


Timing: TypeAlias = "Cron | Once | Every"


def _is_on(days: Days, day: date) -> bool:
    length = calendar.monthrange(day.year, day.month)[1]
    match days:
        case Dates():
            return day.day in days.numbers
        case LastDay():
            return day.day == length
        case NearestWeekday():
            return day == _nearest_weekday(day.year, day.month, days.number)
        case Weekdays():
            return day.weekday() in days.days
        case NthWeekday():
            return day.weekday() == days.day and (day.day - 1) // 7 + 1 == days.nth
        case LastWeekday():
            return day.weekday() == days.day and day.day + 7 > length
        case _:
            assert_never(days)


def _nearest_weekday(year: int, month: int, number: int) -> date:
    """Saturday gives Friday and Sunday gives Monday, unless that is in another month; then the other way."""
    length = calendar.monthrange(year, month)[1]
    day = date(year, month, number)
    if day.weekday() == 5:
        return day + timedelta(days=-1 if number > 1 else 2)
    if day.weekday() == 6:
        return day + timedelta(days=1 if number < length else -2)
    return day


# --- reading ---------------------------------------------------------------------------------------------------------


def read(expression: str) -> Timing:
    """What a schedule expression says.

    | expression | read as |
    | --- | --- |
    | `cron(0 8 ? * MON-FRI *)`, `cron(0 8 ? * 2-6 *)` | 08:00, Monday to Friday, every month |
    | `cron(0/30 6 L * ? *)` | 06:00 and 06:30 on the last day of a month |
    | `cron(0 9 ? * 6L *)` | 09:00 on the last Friday of a month |
    | `at(2026-11-27T08:00:00)` | once |
    | `rate(2 hours)` | every 7200 s |

    Raises:
        UnreadableError: AWS would refuse it, or does not say what it means.
    """
    if found := re.fullmatch(r"\s*cron\((.*)\)\s*", expression, re.IGNORECASE):
        return _cron(found[1].split())
    if found := re.fullmatch(r"\s*rate\(\s*([0-9]{1,9})\s+([a-z]+)\s*\)\s*", expression, re.IGNORECASE):
        return _every(int(found[1]), found[2].lower())
    if found := re.fullmatch(r"\s*at\(\s*(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)\s*\)\s*", expression, re.IGNORECASE):
        return _once(found[1])
    raise UnreadableError("is none of cron(...), at(...) and rate(...)")


def _once(text: str) -> Once:
    try:
        return Once(datetime.fromisoformat(text))
    except ValueError:
        raise UnreadableError(f"{text} is no date and time") from None


def _every(count: int, unit: str) -> Every:
    if unit not in _UNIT_S or count < 1:
        raise UnreadableError(f"{count} {unit} is no rate")
    return Every(count * _UNIT_S[unit])


def _cron(fields: list[str]) -> Cron:
    if len(fields) != 6:
        raise UnreadableError(f"its cron has {len(fields)} fields, AWS's has six")
    minute, hour, day_of_month, month, day_of_week, year = (text.upper() for text in fields)
    minutes = _numbers(minute, 0, 59)
    hours = _numbers(hour, 0, 23)
    years = None if year == "*" else _numbers(year, _YEARS[0], _YEARS[-1])
    every = tuple(sorted(60 * at_hour + at_minute for at_hour in hours for at_minute in minutes))
    return Cron(every, _days(day_of_month, day_of_week), _numbers(month, 1, 12, _MONTHS), years)


def _days(day_of_month: str, day_of_week: str) -> Days:
    """Which days: the field that is not `?`; `*` beside a restricted field says nothing either."""
    if day_of_month == day_of_week == "?":
        raise UnreadableError("both of its day fields are ?, which AWS refuses")
    if day_of_month in {"?", "*"}:
        return Weekdays(EVERY_DAY) if day_of_week in {"?", "*"} else _weekdays(day_of_week)
    if day_of_week in {"?", "*"}:
        return _dates(day_of_month)
    raise UnreadableError("both of its day fields say something, which AWS refuses")


def _dates(text: str) -> Days:
    if text == "L":
        return LastDay()
    if found := re.fullmatch(r"(\d{1,2})W", text):
        if int(found[1]) > SHORTEST_MONTH:
            raise UnreadableError(f"AWS does not say what {text} is in a month that is shorter")
        return NearestWeekday(_number(found[1], 1, 31))
    return Dates(_numbers(text, 1, 31))


def _weekdays(text: str) -> Days:
    if text == "L":
        return Weekdays(frozenset({_monday_first(7)}))
    if found := re.fullmatch(r"(\w+)L", text):
        return LastWeekday(_monday_first(_number(found[1], 1, 7, _WEEK)))
    if found := re.fullmatch(r"(\w+)#([1-5])", text):
        return NthWeekday(_monday_first(_number(found[1], 1, 7, _WEEK)), int(found[2]))
    return Weekdays(frozenset(_monday_first(number) for number in _numbers(text, 1, 7, _WEEK)))


def _monday_first(number: int) -> int:
    """AWS's 1 = Sunday to 7 = Saturday, as 0 = Monday to 6 = Sunday."""
    return (number - 2) % 7


def _numbers(text: str, low: int, high: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """The numbers that a field's list of values, ranges and steps stands for."""
    chosen: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        every = _number(step, 1, high) if slash else 1
        first, dash, last = span.partition("-")
        if span == "*":
            start, end = low, high
        elif dash:
            start, end = _number(first, low, high, names), _number(last, low, high, names)
        else:
            start = _number(span, low, high, names)
            end = high if slash else start
        if start > end:
            raise UnreadableError(f"the range {span} runs backwards, and AWS does not say what that means")
        chosen.update(range(start, end + 1, every))
    return frozenset(chosen)


def _number(text: str, low: int, high: int, names: tuple[str, ...] = ()) -> int:
    if text in names:
        return low + names.index(text)
    if not re.fullmatch(r"[0-9]{1,4}", text) or not low <= int(text) <= high:
        raise UnreadableError(f'"{text}" is no value from {low} to {high} of its cron')
    return int(text)


# --- the same in the fleet's cron ------------------------------------------------------------------------------------


def five_fields(cron: Cron, minute: int, weekdays: frozenset[int] | None = None) -> str:
    """The fleet's cron that fires at one minute of the day on the days of AWS's; the year field is left aside.

    Args:
        cron: AWS's.
        minute: of the day.
        weekdays: only these; for a cron whose days are days of the week.
    """
    day_of_month, day_of_week = _day_fields(cron.days if weekdays is None else Weekdays(weekdays))
    month = "*" if cron.months == EVERY_MONTH else spans(cron.months)
    return f"{minute % 60} {minute // 60} {day_of_month} {month} {day_of_week}"


def _day_fields(days: Days) -> tuple[str, str]:
    match days:
        case Dates():
            return ("*" if len(days.numbers) == 31 else spans(days.numbers)), "*"
        case LastDay():
            return "L", "*"
        case NearestWeekday():
            return f"{days.number}W", "*"
        case Weekdays():
            return "*", days_text(days.days) if len(days.days) < 7 else "*"
        case NthWeekday():
            return "*", f"{WEEKDAYS[days.day]}#{days.nth}"
        case LastWeekday():
            return "*", f"L{(days.day + 1) % 7}"
        case _:
            assert_never(days)


def spans(numbers: frozenset[int], names: tuple[str, ...] = ()) -> str:
    """Numbers as a list of ranges: {1, 2, 3, 7} is `1-3,7`; by `names[number]` where there are names."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    words = [[names[number] if names else str(number) for number in run] for run in runs]
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else run[0] for run in words)


def days_text(days: frozenset[int]) -> str:
    """Days of the week (Monday = 0) as the fleet writes them: `mon-fri`, `sat-sun`, `daily`."""
    return "daily" if len(days) == 7 else spans(days, WEEKDAYS)
