"""AWS's schedule expressions against a reading minute by minute, and the fleet's cron against croniter."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from croniter import croniter
from hypothesis import given, settings
from hypothesis import strategies as st

from awscron import fires
from warmcast.fleet.cron import parse_cron
from warmcast.importing.crons import Cron, Every, Once, UnreadableError, days_text, five_fields, read, spans

FIRST = datetime(2027, 1, 1)  # noqa: DTZ001 - wall time
YEAR = 365

EXPRESSIONS = [
    "cron(0 10 * * ? *)",
    "cron(15 12 * * ? *)",
    "cron(0 18 ? * MON-FRI *)",
    "cron(0 8 1 * ? *)",
    "cron(0/15 * * * ? *)",
    "cron(0/10 * ? * MON-FRI *)",
    "cron(0/5 8-17 ? * MON-FRI *)",
    "cron(30 6 ? * 2 *)",
    "cron(30 6 ? * 1 *)",
    "cron(30 6 ? * 7 *)",
    "cron(0 9 ? * SAT,SUN *)",
    "cron(0 9 ? * 2-6/2 *)",
    "cron(0 9 L * ? *)",
    "cron(0 9 15W * ? *)",
    "cron(0 9 1W * ? *)",
    "cron(0 9 28W * ? *)",
    "cron(0 9 ? * 6L *)",
    "cron(0 9 ? * SUNL *)",
    "cron(0 9 ? * L *)",
    "cron(0 9 ? * 3#2 *)",
    "cron(0 9 ? * MON#5 *)",
    "cron(0,45 6,18 1,15,28-31 JAN-MAR,12 ? *)",
    "cron(0 4 1/10 * ? *)",
    "cron(59 23 31 DEC ? *)",
    "cron(0 0 ? 6-8 SUN *)",
    "cron(0 8 * * * *)",
    "cron(0 8 ? 1/3 FRI *)",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_cron_of_aws_fires_at_the_minutes_that_its_fields_take(expression: str) -> None:
    """Days over a year, and each minute of a day, as a reading of the fields minute by minute has them."""
    cron = read(expression)
    assert isinstance(cron, Cron)
    days = [FIRST + timedelta(days=count) for count in range(YEAR)]
    minutes = [timedelta(minutes=count) for count in range(1440)]
    firing = next((day for day in days if any(fires(expression, day + minute) for minute in minutes)), None)
    assert firing is not None
    assert list(cron.minutes) == [count for count, minute in enumerate(minutes) if fires(expression, firing + minute)]
    at = timedelta(minutes=cron.minutes[0])
    expected = [day.date() for day in days if fires(expression, day + at)]
    assert list(cron.dates(days[0].date(), days[-1].date())) == expected


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_fleets_cron_fires_on_the_same_days(expression: str) -> None:
    """croniter, asked for the five fields, names the days and the minute that AWS's has."""
    cron = read(expression)
    assert isinstance(cron, Cron)
    for minute in cron.minutes[:3]:
        ours = parse_cron(five_fields(cron, minute))
        assert ours.minutes == (minute,)
        at = FIRST + timedelta(minutes=minute)
        oracle = croniter(ours.expression, FIRST - timedelta(minutes=1))
        found = []
        while (each := oracle.get_next(datetime)) < FIRST + timedelta(days=2 * YEAR):
            found.append(each)
        days = cron.dates(FIRST.date(), FIRST.date() + timedelta(days=2 * YEAR - 1))
        assert found == [datetime(day.year, day.month, day.day, at.hour, at.minute) for day in days]  # noqa: DTZ001 - wall time


FIELD = st.one_of(
    st.sampled_from(["*", "?", "SUN", "mon", "L", "6L", "3#2", "2W", "TUE-THU", "FRI-MON", "1-5", "2/3", "0/7", "8"]),
    st.text("0123456789,-/*?LW#", min_size=1, max_size=5),
)


@given(fields=st.lists(FIELD, min_size=6, max_size=6))
@settings(max_examples=400, deadline=None)
def test_what_is_read_is_read_as_the_minutes_say_and_the_rest_is_refused(fields: list[str]) -> None:
    """No combination of fields ends in another error, and none that is read differs on its first day."""
    expression = f"cron({' '.join(fields)})"
    try:
        cron = read(expression)
    except UnreadableError:
        return
    assert isinstance(cron, Cron)
    days = [FIRST.date() + timedelta(days=count) for count in range(90)]
    at = timedelta(minutes=cron.minutes[0])
    midnights = [datetime(day.year, day.month, day.day) for day in days]  # noqa: DTZ001 - wall time
    expected = [each.date() for each in midnights if fires(expression.upper().replace("CRON", "cron"), each + at)]
    on = [day for day in cron.dates(days[0], days[-1]) if cron.years is None or day.year in cron.years]
    assert on == expected


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("cron(0 8 * * MON)", "5 fields"),
        ("cron(0 8 ? * ? *)", "both of its day fields are ?"),
        ("cron(0 8 1 * MON *)", "both of its day fields say something"),
        ("cron(0 8 ? * FRI-MON *)", "runs backwards"),
        ("cron(0 22-2 * * ? *)", "runs backwards"),
        ("cron(0 8 ? * 0 *)", '"0" is no value'),
        ("cron(0 8 ? * 8 *)", '"8" is no value'),
        ("cron(0 24 * * ? *)", '"24" is no value'),
        ("cron(0 8 LW * ? *)", '"LW" is no value'),
        ("cron(0 8 31W * ? *)", "in a month that is shorter"),
        ("cron(0 8 L-3 * ? *)", '"L" is no value'),
        ("cron(0 8 1,15W * ? *)", '"15W" is no value'),
        ("cron(0/0 8 * * ? *)", '"0" is no value'),
        ("rate(0 minutes)", "no rate"),
        ("rate(5 weeks)", "no rate"),
        ("at(2026-13-01T00:00:00)", "no date and time"),
        ("every day", "none of"),
    ],
)
def test_what_aws_refuses_or_does_not_explain_is_refused_with_the_reason(expression: str, reason: str) -> None:
    """Guessing would be a wrong policy."""
    with pytest.raises(UnreadableError, match=reason.replace("?", r"\?")):
        read(expression)


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [("rate(1 minute)", 60), ("rate(90 minutes)", 5400), ("rate(2 hours)", 7200), ("rate(1 day)", 86_400)],
)
def test_a_rate_is_a_period(expression: str, seconds: int) -> None:
    """In minutes, hours or days."""
    assert read(expression) == Every(seconds)


def test_at_is_one_wall_time() -> None:
    """Of the action's zone."""
    assert read("at(2026-11-27T08:30:00)") == Once(datetime(2026, 11, 27, 8, 30))  # noqa: DTZ001 - wall time


@pytest.mark.parametrize(
    ("days", "text"), [({0, 1, 2, 3, 4}, "mon-fri"), ({0, 2, 6}, "mon,wed,sun"), (set(range(7)), "daily")]
)
def test_days_are_written_as_policies_have_them(days: set[int], text: str) -> None:
    """Runs as ranges."""
    assert days_text(frozenset(days)) == text


def test_numbers_are_written_as_ranges() -> None:
    """As cron has them."""
    assert spans(frozenset({1, 2, 3, 7, 30, 31})) == "1-3,7,30-31"
