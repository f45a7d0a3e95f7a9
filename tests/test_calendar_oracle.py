"""The calendar against naive oracles that look at every minute's wall clock, around changes of clocks anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from croniter import croniter
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from warmcast.calendar import Occurrence, minute_of_week, occurrences
from warmcast.fleet import Weekly, Window
from warmcast.fleet.values import WEEKDAYS, wall_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Each zone with a day near which its clocks change (or don't), in both hemispheres.
CHANGES = [
    ("Europe/London", date(2026, 3, 29)),
    ("Europe/London", date(2026, 10, 25)),
    ("America/New_York", date(2026, 11, 1)),
    ("America/Santiago", date(2026, 9, 6)),
    ("America/Havana", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Pacific/Auckland", date(2026, 9, 27)),
    ("Africa/Casablanca", date(2026, 2, 15)),
    ("Africa/Cairo", date(2026, 10, 29)),
    ("Asia/Kathmandu", date(2026, 12, 31)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("America/St_Johns", date(2010, 11, 7)),
]
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Minute:
    """An instant and what the zone's clock shows."""

    at: datetime
    wall: datetime


@cache
def minutes_around(name: str, day: date) -> tuple[Minute, ...]:
    """Every minute of nine days around a day."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=4)
    instants = (start + MINUTE * step for step in range(9 * 1440))
    return tuple(Minute(at, at.astimezone(ZoneInfo(name)).replace(tzinfo=None)) for at in instants)


def central(day: date, spans: Iterable[Occurrence]) -> set[Occurrence]:
    """The spans that open within a day and a half of the day: where the oracles see all there is to see."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return {span for span in spans if abs(span.start - noon) <= timedelta(hours=36)}


def naive_weekly(minutes: tuple[Minute, ...], day: date, window: Weekly) -> Iterator[Occurrence]:
    """From the first minute whose wall time is >= from, to the last whose wall time is < to, for each local day."""
    for offset in range(-3, 4):
        local = day + timedelta(days=offset)
        opening = datetime.combine(local, datetime.min.time()) + MINUTE * window.start
        closing = datetime.combine(local, datetime.min.time()) + MINUTE * window.until
        closing += timedelta(days=window.until <= window.start)
        first = next(minute.at for minute in minutes if minute.wall >= opening)
        last = next(minute.at for minute in reversed(minutes) if minute.wall < closing) + MINUTE
        if local.weekday() in window.days and first < last:
            yield Occurrence(first, last)


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(CHANGES),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.integers(0, 95).map(lambda quarter: quarter * 15),
    st.integers(0, 96).map(lambda quarter: quarter * 15),
)
def test_weekly_windows_are_those_of_the_minute_by_minute_oracle(
    change: tuple[str, date], days: frozenset[int], start: int, until: int
) -> None:
    """Every occurrence that opens around the change, to the minute, and no other."""
    assume(start != until)
    name, day = change
    minutes = minutes_around(name, day)
    names = ",".join(WEEKDAYS[each] for each in sorted(days))
    window = Window.model_validate({"min": 1, "days": names, "from": wall_text(start), "to": wall_text(until)})
    expected = central(day, naive_weekly(minutes, day, Weekly(days, start, until)))

    assert central(day, occurrences(window, ZoneInfo(name), minutes[0].at, minutes[-1].at)) == expected


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(CHANGES),
    st.sampled_from(
        ["30 1 * * *", "*/20 0-3 * * *", "0 0 * * mon,sun", "45 23 28-31 * *", "15 2 L * *", "0 */6 * * *"]
    ),
    st.sampled_from([1, 45, 180]),
)
def test_cron_windows_are_those_of_the_minute_by_minute_oracle(
    change: tuple[str, date], cron: str, length: int
) -> None:
    """Each wall time fires at the first minute that shows it or a later one; `for` counts minutes, not wall time."""
    name, day = change
    minutes = minutes_around(name, day)
    end = datetime.combine(day, datetime.min.time()) + timedelta(days=4)
    fires = croniter(cron, end - timedelta(days=7, minutes=1))
    spans = []
    while (wall := fires.get_next(datetime)) < end:
        opening = next(minute.at for minute in minutes if minute.wall >= wall)
        spans.append(Occurrence(opening, opening + MINUTE * length))
    window = Window.model_validate({"min": 1, "cron": cron, "for": f"{length}m"})
    found = occurrences(window, ZoneInfo(name), minutes[0].at, minutes[-1].at)

    assert central(day, found) == central(day, spans)


@pytest.mark.parametrize(("name", "day"), CHANGES)
def test_minute_of_week_is_what_the_wall_clock_shows(name: str, day: date) -> None:
    """Every seventh minute of nine days around the change, against Python's own conversion."""
    minutes = minutes_around(name, day)[::7]
    at = np.array([int(minute.at.timestamp()) for minute in minutes], dtype=np.int64)
    expected = [minute.wall.weekday() * 1440 + minute.wall.hour * 60 + minute.wall.minute for minute in minutes]

    assert minute_of_week(at, ZoneInfo(name)).tolist() == expected


def test_minute_of_week_spans_years_and_takes_any_order() -> None:
    """Ten years of scattered instants, newest first."""
    zone = ZoneInfo("Europe/London")
    at = np.arange(1_450_000_000, 1_760_000_000, 1_234_567, dtype=np.int64)[::-1]
    walls = [datetime.fromtimestamp(int(each), zone) for each in at]
    expected = [wall.weekday() * 1440 + wall.hour * 60 + wall.minute for wall in walls]

    assert minute_of_week(at, zone).tolist() == expected


def test_minute_of_week_of_nothing_is_nothing() -> None:
    """An empty history has no minutes."""
    assert minute_of_week(np.array([], dtype=np.int64), ZoneInfo("UTC")).size == 0


def test_monday_midnight_is_minute_zero() -> None:
    """2026-11-23 is a Monday."""
    monday = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp())

    assert minute_of_week(np.array([monday, monday - 60]), ZoneInfo("UTC")).tolist() == [0, 10_079]
