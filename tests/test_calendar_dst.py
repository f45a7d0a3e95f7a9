"""When clocks change: what a window does in a skipped and in a repeated hour, as `docs/policy.md` tabulates it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from warmcast.calendar import closes, occurrences, opens
from warmcast.fleet import Window


def window(**keys: str) -> Window:
    """A window from the keys that YAML would give; `from_` and `for_` stand for `from` and `for`."""
    return Window.model_validate({"min": 1, **{key.rstrip("_"): value for key, value in keys.items()}})


def opened(rule: Window, zone: str, day: str) -> list[str]:
    """The occurrences that start on a local day, each as `start/end` in that zone with its offsets."""
    where = ZoneInfo(zone)
    first = datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=where).astimezone(UTC)
    found = occurrences(rule, where, first - timedelta(hours=2), first + timedelta(hours=27))
    spans = [(each.start.astimezone(where), each.end.astimezone(where)) for each in found]
    return [f"{start:%H:%M%z}/{end:%H:%M%z}" for start, end in spans if f"{start:%Y-%m-%d}" == day]


@pytest.mark.parametrize(
    ("zone", "day", "start", "end", "expected"),
    [
        # London skips 01:00-02:00 on 2026-03-29 and repeats it on 2026-10-25.
        ("Europe/London", "2026-03-29", "00:30", "03:00", ["00:30+0000/03:00+0100"]),
        ("Europe/London", "2026-03-29", "01:30", "03:00", ["02:00+0100/03:00+0100"]),
        ("Europe/London", "2026-03-29", "00:30", "01:30", ["00:30+0000/02:00+0100"]),
        ("Europe/London", "2026-03-29", "01:10", "01:50", []),
        ("Europe/London", "2026-03-29", "01:00", "02:00", []),
        ("Europe/London", "2026-10-25", "00:30", "03:00", ["00:30+0100/03:00+0000"]),
        ("Europe/London", "2026-10-25", "01:30", "03:00", ["01:30+0100/03:00+0000"]),
        ("Europe/London", "2026-10-25", "00:30", "01:30", ["00:30+0100/01:30+0000"]),
        ("Europe/London", "2026-10-25", "01:10", "01:50", ["01:10+0100/01:50+0000"]),
        ("Europe/London", "2026-10-25", "00:30", "01:00", ["00:30+0100/01:00+0100"]),
        ("Europe/London", "2026-10-25", "02:00", "03:00", ["02:00+0000/03:00+0000"]),
        ("Europe/London", "2026-10-24", "22:00", "06:00", ["22:00+0100/06:00+0000"]),
        # Sydney and Auckland, in the southern hemisphere, skip in spring, which is October or September.
        ("Australia/Sydney", "2026-10-04", "02:30", "04:00", ["03:00+1100/04:00+1100"]),
        ("Australia/Sydney", "2026-04-05", "02:30", "04:00", ["02:30+1100/04:00+1000"]),
        ("Pacific/Auckland", "2026-09-27", "01:00", "02:30", ["01:00+1200/03:00+1300"]),
        ("Pacific/Auckland", "2026-04-05", "02:15", "02:45", ["02:15+1300/02:45+1200"]),
        # Lord Howe Island changes by half an hour: it skips 02:00-02:30 and repeats 01:30-02:00.
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "03:00", ["02:30+1100/03:00+1100"]),
        ("Australia/Lord_Howe", "2026-10-04", "02:00", "02:30", []),
        ("Australia/Lord_Howe", "2026-04-05", "01:15", "01:45", ["01:15+1100/01:45+1030"]),
        # Zones that never change, off by half and by three quarters of an hour, and thirteen hours ahead.
        ("Asia/Kolkata", "2026-03-29", "01:30", "03:00", ["01:30+0530/03:00+0530"]),
        ("Asia/Kathmandu", "2026-10-25", "22:00", "06:00", ["22:00+0545/06:00+0545"]),
        ("Pacific/Apia", "2026-06-30", "22:00", "24:00", ["22:00+1300/00:00+1300"]),
        # Havana repeats 00:00-01:00: the evening before ends at the first midnight, the day starts there.
        ("America/Havana", "2026-10-31", "20:00", "24:00", ["20:00-0400/00:00-0400"]),
        ("America/Havana", "2026-11-01", "00:00", "08:00", ["00:00-0400/08:00-0500"]),
        # Santiago skips 00:00-01:00: a day that has no midnight starts at its first instant.
        ("America/Santiago", "2026-09-06", "00:00", "24:00", ["01:00-0300/00:00-0300"]),
        # Samoa had no 30 December 2011: nothing happens on a day that does not.
        ("Pacific/Apia", "2011-12-29", "22:00", "24:00", ["22:00-1000/00:00+1400"]),
        # Year ends and leap days are days like any other.
        ("Europe/London", "2026-12-31", "22:00", "06:00", ["22:00+0000/06:00+0000"]),
        ("Europe/London", "2028-02-29", "00:00", "24:00", ["00:00+0000/00:00+0000"]),
    ],
)
def test_a_daily_window_around_a_change_of_clocks(
    zone: str, day: str, start: str, end: str, expected: list[str]
) -> None:
    """From the first instant at or after `from` to the last at which it is still before `to`."""
    assert opened(window(from_=start, to=end), zone, day) == expected


@pytest.mark.parametrize(
    ("zone", "day", "cron", "length", "expected"),
    [
        ("Europe/London", "2026-03-29", "30 1 * * *", "1h", ["02:00+0100/03:00+0100"]),
        ("Europe/London", "2026-10-25", "30 1 * * *", "1h", ["01:30+0100/01:30+0000"]),
        ("Europe/London", "2026-10-25", "0 0 * * *", "3h", ["00:00+0100/02:00+0000"]),
        ("Europe/London", "2026-03-29", "0 0 * * *", "3h", ["00:00+0000/04:00+0100"]),
        ("Europe/London", "2026-03-29", "*/30 1 * * *", "10m", ["02:00+0100/02:10+0100"]),
        ("Europe/London", "2026-10-25", "*/30 1 * * *", "10m", ["01:00+0100/01:10+0100", "01:30+0100/01:40+0100"]),
        ("Australia/Lord_Howe", "2026-10-04", "10 2 * * *", "1h", ["02:30+1100/03:30+1100"]),
        ("Australia/Lord_Howe", "2026-04-05", "45 1 * * *", "30m", ["01:45+1100/01:45+1030"]),
        ("Australia/Sydney", "2026-04-05", "30 2 * * *", "1h", ["02:30+1100/02:30+1000"]),
        ("Asia/Kathmandu", "2028-02-29", "0 2 L * *", "90s", ["02:00+0545/02:01+0545"]),
    ],
)
def test_a_cron_window_around_a_change_of_clocks(
    zone: str, day: str, cron: str, length: str, expected: list[str]
) -> None:
    """Of a repeated time the first fires, a skipped time fires at the first instant after; `for` is elapsed time."""
    assert opened(window(cron=cron, for_=length), zone, day) == expected


def test_a_window_past_midnight_belongs_to_the_day_it_starts_on() -> None:
    """Friday's 22:00-06:00 reaches into Saturday; Saturday opens none of its own."""
    friday = window(days="fri", from_="22:00", to="06:00")
    week = occurrences(friday, ZoneInfo("UTC"), datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC))

    assert [(each.start, each.end) for each in week] == [
        (datetime(2026, 11, 27, 22, tzinfo=UTC), datetime(2026, 11, 28, 6, tzinfo=UTC))
    ]


def test_neighbouring_windows_leave_neither_gap_nor_overlap_in_a_repeated_hour() -> None:
    """Where one window's `to` is the next one's `from`, one closes as the other opens, or they share the repeat."""
    zone = ZoneInfo("Europe/London")
    for wall in ("00:45", "01:00", "02:00", "02:15"):
        at = datetime.fromisoformat(f"2026-10-25T{wall}")
        assert opens(at, zone) == closes(at, zone)
    inside = datetime.fromisoformat("2026-10-25T01:15")
    assert closes(inside, zone) - opens(inside, zone) == 3600


def test_overlaps_are_half_open() -> None:
    """A window that ends as the interval starts does not overlap it, nor does one that starts as it ends."""
    daily = window(from_="08:00", to="10:00")
    at = datetime(2026, 11, 23, tzinfo=UTC)

    assert not occurrences(daily, ZoneInfo("UTC"), at + timedelta(hours=10), at + timedelta(hours=32))
    assert len(occurrences(daily, ZoneInfo("UTC"), at + timedelta(hours=9), at + timedelta(hours=33))) == 2


def test_a_cron_window_longer_than_its_period_overlaps_itself() -> None:
    """Each firing is an occurrence of its own."""
    hourly = window(cron="0 * * * *", for_="2h")
    at = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
    found = occurrences(hourly, ZoneInfo("UTC"), at, at + timedelta(minutes=1))

    assert [each.start.hour for each in found] == [11, 12]


def test_a_month_long_window_is_seen_from_its_last_day() -> None:
    """However long ago it opened."""
    month = window(cron="0 0 1 * *", for_="744h")
    at = datetime(2026, 10, 31, 23, 59, tzinfo=UTC)

    assert [each.start for each in occurrences(month, ZoneInfo("UTC"), at, at + timedelta(minutes=1))] == [
        datetime(2026, 10, 1, tzinfo=UTC)
    ]
