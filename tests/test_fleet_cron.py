"""Cron: what is accepted, what it means, what is refused and what AWS would read differently."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from croniter import croniter
from hypothesis import given, settings
from hypothesis import strategies as st

from warmcast.fleet.cron import parse_cron
from warmcast.fleet.findings import RefusedError

NEW_YEAR = date(2028, 1, 1)
DAY_FIELDS = ["*", "?", "1", "15", "28-31", "*/10", "L", "15W", "1,15"]
WEEKDAY_FIELDS = ["*", "?", "mon", "mon-fri", "fri-mon", "0", "7", "fri#2", "L5", "sat,sun"]
MONTHS = ["*", "1", "feb", "nov-jan", "*/3"]


def dates(expression: str, days: int = 366) -> list[date]:
    """The dates of 2028, a leap year, on which it fires."""
    return list(parse_cron(expression).dates(NEW_YEAR, NEW_YEAR + timedelta(days=days - 1)))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 2 L 1-3 *", ["2028-01-31", "2028-02-29", "2028-03-31"]),
        ("0 2 29 2 *", ["2028-02-29"]),
        ("0 2 15W 1,4 *", ["2028-01-14", "2028-04-14"]),
        ("0 2 * jan fri#2", ["2028-01-14"]),
        ("0 2 * jan L5", ["2028-01-28"]),
        ("0 2 3 jan sat", ["2028-01-01", "2028-01-03", "2028-01-08", "2028-01-15", "2028-01-22", "2028-01-29"]),
        ("0 2 ? jan 7", ["2028-01-02", "2028-01-09", "2028-01-16", "2028-01-23", "2028-01-30"]),
    ],
)
def test_the_days_of_an_expression_are_those_documented(expression: str, expected: list[str]) -> None:
    """L, W, #, ?, names, leap days, and either day field sufficing."""
    assert [str(day) for day in dates(expression)] == expected


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["0", "*/15", "7,50", "10-40/10", "5/20"]),
    st.sampled_from(["*", "8", "8-18", "22-2", "*/6"]),
    st.sampled_from(DAY_FIELDS),
    st.sampled_from(MONTHS),
    st.sampled_from(WEEKDAY_FIELDS),
)
def test_days_and_minutes_together_are_what_croniter_fires(
    minute: str, hour: str, day: str, month: str, weekday: str
) -> None:
    """Taking an expression apart loses no firing and invents none, against croniter iterating by itself."""
    expression = f"{minute} {hour} {day} {month} {weekday}"
    try:
        cron = parse_cron(expression)
    except RefusedError:
        assert day == "15W" or weekday in {"fri#2", "L5"}
        assert not {day, weekday} & {"*", "?"}
        return
    midnight = datetime(2028, 2, 20, tzinfo=UTC).replace(tzinfo=None)
    end = midnight + timedelta(days=20)
    ours = [
        datetime.combine(day_of, datetime.min.time()) + timedelta(minutes=at)
        for day_of in cron.dates(midnight.date(), end.date() - timedelta(days=1))
        for at in cron.minutes
    ]
    theirs, fires = [], croniter(expression, midnight - timedelta(minutes=1))
    while (at := fires.get_next(datetime)) < end:
        theirs.append(at)

    assert ours == theirs


@pytest.mark.parametrize("expression", ["0 8 * * 1-5", "0 8 * * 0", "0 8 ? * L5", "0 8 * * mon,3", "0 8 1 * mon"])
def test_what_aws_reads_differently_says_so(expression: str) -> None:
    """Numbered weekdays (AWS: 1 is Sunday), and both day fields at once (AWS refuses that)."""
    assert parse_cron(expression).differs_on_aws()


@pytest.mark.parametrize("expression", ["0 8 * * mon-fri", "0 8 1-7 * ?", "0 8 ? * fri#2", "*/5 * L feb *"])
def test_what_aws_reads_the_same_way_is_silent(expression: str) -> None:
    """Names of days and one day field are safe; `1-7` is a day of the month."""
    assert parse_cron(expression).differs_on_aws() == ""


def test_extra_spaces_do_not_matter() -> None:
    """Fields are separated by any white space."""
    assert parse_cron(" 0  8 * *\tmon ") == parse_cron("0 8 * * mon")


@pytest.mark.parametrize(
    "expression",
    ["R 8 * * *", "0 8 * * fri#6", "0 8 LW * *", "0 8 * * mon,", "-5 8 * * *", "0 8 * 0 *", "0 2 31 * sun#1"],
)
def test_what_croniter_would_guess_or_randomise_is_refused(expression: str) -> None:
    """Times that differ from run to run, weeks that never come, fields that can't be read."""
    with pytest.raises(RefusedError):
        parse_cron(expression)
