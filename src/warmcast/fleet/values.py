"""How the values of a policy are written: durations, wall times, days, zones, shares. Text in, typed value out. Pure.

Every reader takes what YAML gave and raises `refusal`, which names the rule and the value; a value that has its type
already passes, so that code can build policies too.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from warmcast.fleet.findings import did_you_mean, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = frozenset(range(7))
DAY_MINUTES = 24 * 60

DURATION_PATTERN = r"^(?=\d)(\d+h)?(\d+m)?(\d+s)?$"
WALL_PATTERN = r"^([01]\d|2[0-3]):[0-5]\d$"
UNTIL_PATTERN = r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$"
_DAY = "(?:" + "|".join(WEEKDAYS) + ")"
DAYS_PATTERN = rf"^(daily|{_DAY}(-{_DAY})?(, *{_DAY}(-{_DAY})?)*)$"
SHARE_PATTERN = r"^\d+(\.\d+)?%$"
PER_10K_PATTERN = r"^\d+(\.\d+)? per 10k$"
_MACHINE_ZONES = frozenset({"localtime", "posixrules", "Factory"})


def duration(low: str, high: str) -> Callable[[object], timedelta]:
    """The reader of durations within [low, high], such as `30m`, `3h`, `1h30m`, `90s`."""
    least, most = _timedelta(low), _timedelta(high)
    rule = f"a duration such as 90s, 30m or 1h30m from {low} to {high}"

    def read(value: object) -> timedelta:
        if isinstance(value, timedelta):
            span = value
        elif isinstance(value, str) and re.fullmatch(DURATION_PATTERN, value) and len(value) <= 20:
            span = _timedelta(value)
        else:
            raise refusal(rule, value, f"did you mean {value}m?" if type(value) is int else "")
        if not least <= span <= most:
            raise refusal(rule, value)
        return span

    return read


def _timedelta(text: str) -> timedelta:
    unit = {"h": 3600, "m": 60, "s": 1}
    return timedelta(seconds=sum(int(count) * unit[letter] for count, letter in re.findall(r"(\d+)([hms])", text)))


def wall_time(value: object) -> int:
    """A time of day as minutes since midnight: `"08:30"` is 510."""
    return _minutes(value, WALL_PATTERN, "a time of day from 00:00 to 23:59")


def until_time(value: object) -> int:
    """As `wall_time`, or `24:00`, the midnight that ends the day: 1440."""
    return _minutes(value, UNTIL_PATTERN, "a time of day from 00:00 to 24:00")


def _minutes(value: object, pattern: str, rule: str) -> int:
    if type(value) is int and 0 <= value <= DAY_MINUTES:
        raise refusal(rule, value, f"write {value:02d}:00" if value <= 24 else "write hours and minutes")
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        padded = f"0{value}"
        hint = f"write {padded}" if isinstance(value, str) and re.fullmatch(pattern, padded) else ""
        raise refusal(rule, value, hint)
    hours, minutes = value.split(":")
    return 60 * int(hours) + int(minutes)


def wall_text(minutes: int) -> str:
    """Minutes since midnight as people write them: 510 is `08:30`."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def days(value: object) -> frozenset[int]:
    """Days of the week, Monday = 0: `mon-fri`, `sat,sun`, `fri-mon` (wraps), `daily`."""
    if isinstance(value, frozenset):
        return value
    rule = "days such as mon-fri, sat,sun, fri-mon or daily"
    if not isinstance(value, str):
        raise refusal(rule, value)
    if value == "daily":
        return EVERY_DAY
    chosen: set[int] = set()
    for part in re.split(r", *", value):
        chosen |= _span_of_days(value, part, rule)
    return frozenset(chosen)


def _span_of_days(value: str, part: str, rule: str) -> set[int]:
    first, dash, last = part.partition("-")
    for word in (first, last) if dash else (first,):
        if word not in WEEKDAYS:
            short = word.strip().lower()[:3]
            hint = f"did you mean {short}?" if short in WEEKDAYS else did_you_mean(word, (*WEEKDAYS, "daily"))
            raise refusal(rule, value, hint)
    start = WEEKDAYS.index(first)
    length = (WEEKDAYS.index(last) - start) % 7 if dash else 0
    return {(start + step) % 7 for step in range(length + 1)}


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


def zone(value: object) -> ZoneInfo:
    """An IANA time zone, such as `Europe/London`."""
    if isinstance(value, ZoneInfo):
        return value
    rule = "an IANA time zone such as Europe/London"
    if not isinstance(value, str) or not value or value in _MACHINE_ZONES:
        raise refusal(rule, value)
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise refusal(rule, value, _zone_hint(value)) from None


_ABBREVIATED = {
    "AEDT": "Australia/Sydney",
    "AEST": "Australia/Sydney",
    "BST": "Europe/London",
    "CDT": "America/Chicago",
    "CEST": "Europe/Berlin",
    "EDT": "America/New_York",
    "EEST": "Europe/Athens",
    "JST": "Asia/Tokyo",
    "KST": "Asia/Seoul",
    "MDT": "America/Denver",
    "MSK": "Europe/Moscow",
    "NZDT": "Pacific/Auckland",
    "NZST": "Pacific/Auckland",
    "PDT": "America/Los_Angeles",
    "PST": "America/Los_Angeles",
    "SGT": "Asia/Singapore",
    "WEST": "Europe/Lisbon",
    "Z": "UTC",
}
"""Zones by what clocks show there. Those that stand for zones far apart (CST, IST) are left out."""


def _zone_hint(word: str) -> str:
    """The zone that is probably meant; an abbreviation or offset that is not known resembles others by chance only."""
    name = word.strip().upper().replace(" ", "_")
    if known := _ABBREVIATED.get(name):
        return f"did you mean {known}?"
    whole = [zone for zone in _zone_names() if zone.upper() == name]
    cities = [zone for zone in _zone_names() if zone.upper().endswith(f"/{name}") and not zone.startswith("Etc/")]
    if whole or len(cities) == 1:
        return f"did you mean {(whole or cities)[0]}?"
    return did_you_mean(word, _zone_names()) if re.fullmatch(r"[A-Za-z_ /-]{5,}", word) else ""


def share(value: object) -> float:
    """A share of invocations in (0, 50%]: `1%` is 0.01."""
    rule = "a percentage above 0% and at most 50%"
    if not isinstance(value, str) or not re.fullmatch(SHARE_PATTERN, value):
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        raise refusal(rule, value, "write 1% for one in a hundred" if numeric else "")
    part = float(value.removesuffix("%")) / 100
    if not 0 < part <= 0.5:
        raise refusal(rule, value)
    return part


def per_10k(value: object) -> float:
    """Cold starts per 10,000 invocations in (0, 5000]: `2 per 10k` is 2.0."""
    rule = "a rate such as 2 per 10k, above 0 and at most 5000 per 10k"
    if not isinstance(value, str) or not re.fullmatch(PER_10K_PATTERN, value):
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        raise refusal(rule, value, f"did you mean {value} per 10k?" if numeric else "")
    rate = float(value.split()[0])
    if not 0 < rate <= 5000:
        raise refusal(rule, value)
    return rate


def usd(value: object) -> float:
    """A price in USD in (0, 100]."""
    rule = "a number of USD above 0 and at most 100"
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 100:
        raise refusal(rule, value)
    return float(value)
