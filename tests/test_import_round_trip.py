"""Round trip: what `import` writes, read by the fleet and its calendar, is what the scheduled actions do.

The oracle works in instants: each action's firings by the naive cron of `awscron` and Python's own zones, once with
fold=0 and once with fold=1. Where the two agree, AWS's behaviour is known, and the policy must be the same.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awscron import fires
from warmcast.calendar import bounds
from warmcast.fleet import load_fleet
from warmcast.importing.translate import translate
from warmcast.importing.writing import yaml_text
from warmcast.scan.found import Scaling, Scheduled

if TYPE_CHECKING:
    from warmcast.fleet import Policy
    from warmcast.importing.translate import Imported

MINUTE = timedelta(minutes=1)
LOOK_BACK = timedelta(days=400)

# --- the oracle ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, order=True)
class Fired:
    """One firing: of those at one instant, what is set last counts, and of two at one wall time the higher."""

    at: datetime
    wall: datetime
    value: int


def firings(action: Scheduled, value: int, first: datetime, last: datetime, *, fold: int) -> list[Fired]:
    """When an action sets a value, of a wall time that clocks skip or repeat by `fold`."""
    if action.expression.startswith("rate("):
        assert action.start is not None
        hours = int(action.expression.removeprefix("rate(").split()[0])
        count = (last - first) // timedelta(hours=hours) + 1
        begin = action.start + timedelta(hours=hours) * ((first - action.start) // timedelta(hours=hours))
        instants = [begin + timedelta(hours=hours) * each for each in range(count + 1)]
        return [Fired(at, at.replace(tzinfo=None), value) for at in instants]
    zone = ZoneInfo(action.timezone or "UTC")
    minute, hour = (int(field) for field in action.expression.removeprefix("cron(").split()[:2])
    found = []
    for count in range(-1, (last - first).days + 2):
        wall = (first + timedelta(days=count)).replace(hour=hour, minute=minute, tzinfo=None)
        if fires(action.expression, wall):
            found.append(Fired(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC), wall, value))
    return found


def history(actions: list[Scheduled], which: str, standing: int, *, until: datetime, fold: int) -> dict[datetime, int]:
    """A bound from each instant at which it changes."""
    first = until - LOOK_BACK
    fired = [
        each
        for action in actions
        if (value := getattr(action, which)) is not None
        for each in firings(action, value, first, until, fold=fold)
    ]
    return {datetime.min.replace(tzinfo=UTC): standing} | {each.at: each.value for each in sorted(fired)}


def values(changes: dict[datetime, int], instants: list[datetime]) -> list[int]:
    """A bound at each of ascending instants."""
    found, steps, now = [], sorted(changes.items(), reverse=True), 0
    for at in instants:
        while steps and steps[-1][0] <= at:
            now = steps.pop()[1]
        found.append(now)
    return found


def loaded(imported: Imported) -> Policy:
    """The policy as the fleet's own loader reads it from the file; no finding is an error."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fleet.yaml"
        path.write_text(yaml_text([imported], "123456789012/eu-west-1"), encoding="utf-8")
        fleet = load_fleet([path], home=None)
    assert [str(finding) for finding in fleet.findings if finding.severity == "error"] == []
    (policy,) = fleet.policies.values()
    return policy


def differing(scaling: Scaling, imported: Imported, instants: list[datetime]) -> list[str]:
    """The instants at which the policy is not what the translated actions do, where that is known."""
    policy = loaded(imported)
    out = {left.action for left in imported.left if not left.partly}
    told = [action for action in scaling.scheduled if action.name not in out]
    known = [
        [
            values(history(told, which, standing, until=instants[-1], fold=fold), instants)
            for which, standing in (("minimum", scaling.minimum), ("maximum", scaling.maximum))
        ]
        for fold in (0, 1)
    ]
    wrong = []
    for at, low, high, other_low, other_high in zip(instants, *known[0], *known[1], strict=True):
        ours = bounds(policy, at, at)
        if (low, high) == (other_low, other_high) != (ours.floor, ours.ceiling):
            wrong.append(f"{at}: {low}-{high}, but {ours.floor}-{ours.ceiling}")
    return wrong


def every(minutes: int, first: datetime, days: int) -> list[datetime]:
    """Instants over some days, each with the minute before."""
    steps = (first + timedelta(minutes=minutes) * step for step in range(days * 1440 // minutes))
    return sorted({each for at in steps for each in (at - MINUTE, at)})


# --- random actions --------------------------------------------------------------------------------------------------

ZONES = st.sampled_from(["Europe/London", "America/New_York", "UTC", "Asia/Tokyo", ""])
WALL = st.tuples(st.sampled_from([0, 15, 30]), st.sampled_from([0, 1, 2, 6, 8, 12, 19, 23]))
WEEK = st.sampled_from(["* * ? *", "? * MON-FRI *", "? * SAT,SUN *", "? * 2 *", "? * 1 *", "? * 7 *", "? * TUE,THU *"])
DATES = st.sampled_from(
    ["1 * ? *", "L * ? *", "28-31 * ? *", "? 10-11 MON-FRI *", "? * 6L *", "? * 2#1 *", "15W * ? *"]
)
MINIMA = st.one_of(st.none(), st.sampled_from([0, 2, 5, 20, 60]))
MAXIMA = st.one_of(st.none(), st.none(), st.sampled_from([40, 100, 400]))


@st.composite
def actions(draw: st.DrawFn, zones: st.SearchStrategy[str], days: st.SearchStrategy[str]) -> list[Scheduled]:
    """A few actions with names of their own; now and then a rate with a start."""
    zone, found = draw(zones), []
    for number in range(draw(st.integers(1, 4))):
        minute, hour = draw(WALL)
        minimum, maximum = draw(MINIMA), draw(MAXIMA)
        rate = draw(st.integers(0, 9)) == 0
        found.append(
            Scheduled(
                f"action-{number}",
                f"rate({draw(st.sampled_from([1, 6, 12, 24]))} hours)"
                if rate
                else f"cron({minute} {hour} {draw(days)})",
                zone if draw(st.integers(0, 4)) else draw(zones),
                start=datetime(2025, 1, 1, 7, tzinfo=UTC) if rate else None,
                minimum=minimum,
                maximum=5 if minimum is None and maximum is None else maximum,
            )
        )
    return found


CHANGES = [datetime(2026, 10, 18, tzinfo=UTC), datetime(2027, 3, 7, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)]


@given(acts=actions(ZONES, WEEK), start=st.sampled_from(CHANGES))
@settings(max_examples=40, deadline=None)
def test_weekly_actions_are_the_same_policy_or_are_named(acts: list[Scheduled], start: datetime) -> None:
    """Over four weeks, around both changes of London's and New York's clocks, and in summer."""
    scaling = Scaling(3, 300, scheduled=tuple(acts))
    imported = translate("checkout-api", "live", scaling, start)
    assert differing(scaling, imported, every(15, start, 28)) == []


@given(acts=actions(st.just("Europe/London"), st.one_of(WEEK, DATES)), start=st.sampled_from(CHANGES))
@settings(max_examples=10, deadline=None)
def test_actions_on_certain_dates_are_the_same_policy_or_are_named(acts: list[Scheduled], start: datetime) -> None:
    """Over eight weeks: ends of months, first Mondays, last Fridays, seasons."""
    scaling = Scaling(3, 300, scheduled=tuple(acts))
    imported = translate("checkout-api", "live", scaling, start)
    assert differing(scaling, imported, every(15, start, 56)) == []


OFFICE = (
    Scheduled("warm", "cron(0 8 ? * MON-FRI *)", "ZONE", minimum=20, maximum=200),
    Scheduled("cool", "cron(30 19 ? * MON-FRI *)", "ZONE", minimum=2, maximum=50),
    Scheduled("night", "cron(45 1 ? * SUN *)", "ZONE", minimum=4),
)


@pytest.mark.parametrize(
    ("zone", "around"),
    [
        ("Europe/London", datetime(2026, 10, 25, tzinfo=UTC)),
        ("Europe/London", datetime(2027, 3, 28, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, tzinfo=UTC)),
        ("America/New_York", datetime(2027, 3, 14, tzinfo=UTC)),
    ],
)
def test_office_hours_hold_every_minute_of_the_week_in_which_clocks_change(zone: str, around: datetime) -> None:
    """All of them are translated, and no minute differs."""
    acts = tuple(Scheduled(a.name, a.expression, zone, minimum=a.minimum, maximum=a.maximum) for a in OFFICE)
    scaling = Scaling(2, 50, scheduled=acts)
    imported = translate("checkout-api", "live", scaling, around - timedelta(days=30))
    assert imported.left == ()
    assert differing(scaling, imported, every(1, around - timedelta(days=3), 8)) == []


def test_the_comparison_notices_a_window_that_is_a_quarter_of_an_hour_late() -> None:
    """It can fail: five mornings, each at its first and its last minute."""
    start = datetime(2026, 11, 2, tzinfo=UTC)
    warm, late = (Scheduled("warm", f"cron({minute} 8 ? * MON-FRI *)", minimum=20) for minute in (0, 15))
    cool = Scheduled("cool", "cron(0 19 ? * MON-FRI *)", minimum=2)
    imported = translate("checkout-api", "live", Scaling(2, 50, scheduled=(late, cool)), start)
    assert len(differing(Scaling(2, 50, scheduled=(warm, cool)), imported, every(15, start, 7))) == 2 * 5
