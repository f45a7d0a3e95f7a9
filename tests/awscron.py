"""A naive reading of AWS's six-field cron, minute by minute: what tests hold the real one to."""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta

DAYS_OF_AWS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
MONTHS_OF_AWS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]


def as_number(text: str, names: list[str]) -> int:
    """A value of a field, where the first of the names is 1."""
    return names.index(text) + 1 if text in names else int(text)


def in_field(field: str, value: int, most: int, names: list[str]) -> bool:
    """Whether a value is among a field's values, ranges and steps."""
    for part in field.split(","):
        span, _, step = part.partition("/")
        if span in {"*", "?"}:
            low, high = (1 if names or most == 31 else 0), most
        elif "-" in span:
            low, high = (as_number(end, names) for end in span.split("-"))
        else:
            low = as_number(span, names)
            high = most if step else low
        if low <= value <= high and (value - low) % int(step or 1) == 0:
            return True
    return False


def on_day_of_month(field: str, day: date) -> bool:
    """Whether AWS's third field takes a date."""
    length = calendar.monthrange(day.year, day.month)[1]
    if field == "L":
        return day.day == length
    if field.endswith("W"):
        wanted = int(field[:-1])
        weekdays = [each for each in range(1, length + 1) if date(day.year, day.month, each).weekday() < 5]
        return wanted <= length and day.day == min(weekdays, key=lambda each: (abs(each - wanted), each))
    return in_field(field, day.day, 31, [])


def on_day_of_week(field: str, day: date) -> bool:
    """Whether AWS's fifth field takes a date: 1 is Sunday."""
    number = day.isoweekday() % 7 + 1
    if field == "L":
        return number == 7
    if field.endswith("L"):
        return number == as_number(field[:-1], DAYS_OF_AWS) and (day + timedelta(days=7)).month != day.month
    if "#" in field:
        name, nth = field.split("#")
        return number == as_number(name, DAYS_OF_AWS) and day.day in range(7 * int(nth) - 6, 7 * int(nth) + 1)
    return in_field(field, number, 7, DAYS_OF_AWS)


def fires(expression: str, at: datetime) -> bool:
    """Whether AWS's cron fires at a wall minute."""
    minute, hour, day_of_month, month, day_of_week, year = expression.removeprefix("cron(").removesuffix(")").split()
    return (
        in_field(minute, at.minute, 59, [])
        and in_field(hour, at.hour, 23, [])
        and in_field(month, at.month, 12, MONTHS_OF_AWS)
        and on_day_of_month(day_of_month, at.date())
        and on_day_of_week(day_of_week, at.date())
        and (year == "*" or in_field(year, at.year, 2199, []))
    )
