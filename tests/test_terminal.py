"""What a person sees in the terminal: nothing that matters is lost on a narrow one."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import Console

from builders import NOON, decision
from warmcast.model import Mode, Outcome, Reason, Result, Row, TargetId, TickReport
from warmcast.plan import Plan, Step
from warmcast.terminal import print_plans, print_report, strip

SAID = "AWS refused: the alias's version has provisioned concurrency of its own"


def shown(width: int, report: TickReport) -> str:
    """The screen of a report, its lines joined."""
    screen = io.StringIO()
    print_report(Console(file=screen, width=width), report)
    return " ".join(screen.getvalue().split())


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_reason_and_outcome_are_there_at_any_width(width: int) -> None:
    """A refused write must not read as a success because the terminal is narrow."""
    refused = Outcome(replace(decision(wanted=31), reason=Reason.SEEN), Result.REFUSED, SAID)
    screen = shown(width, TickReport(at=NOON, fleet_version="v1", rows=(Row(outcome=refused, mode=Mode.APPLY),)))
    assert "10 → 31" in screen
    assert "seen" in screen
    assert "refused" in screen
    assert "of its own" in screen or width < 80


def test_the_numbers_are_there_where_they_fit() -> None:
    """Floor, ceiling, demand and forecast need 120 columns."""
    held = Outcome(decision(), Result.HELD)
    report = TickReport(at=NOON, fleet_version="v1", rows=(Row(outcome=held, mode=Mode.APPLY),))
    assert "floor-ceiling" in shown(140, report)
    assert "floor-ceiling" not in shown(80, report)


def test_an_empty_fleet_says_so() -> None:
    """No table of nothing."""
    assert "no targets in the fleet" in shown(80, TickReport(at=NOON, fleet_version="v1"))
    screen = io.StringIO()
    print_plans(Console(file=screen, width=80), [], now=NOON)
    assert "no targets in the fleet" in screen.getvalue()


def test_a_plan_tells_what_stands_what_is_allowed_and_what_comes() -> None:
    """From 0 now to 10, then 40 at a quarter to nine, between floor and ceiling; what could not be read in red."""
    steps = [
        Step(NOON + timedelta(minutes=5 * n), 10 if n < 3 else 40, 2, 400, "forecast", 8.0, 9.0) for n in range(12)
    ]
    target = TargetId("111122223333", "us-east-1", "checkout-api", "live")
    plan = Plan(target, "Europe/London", 0, tuple(steps), "week", "GetAlias: AccessDenied", unread=True, usd=1.5)
    screen = io.StringIO()
    print_plans(Console(file=screen, width=100), [plan], now=NOON)
    text = " ".join(screen.getvalue().split())
    assert "0 stand now, then 10; next: Mon 12:15, 10 → 40, forecast" in text
    assert "capacity 10-40 over 1 hours from Mon 12:00, floor 2, ceiling 400, $1.50" in text
    assert "GetAlias: AccessDenied" in text


def test_a_strip_shows_the_highest_of_each_column() -> None:
    """A peak of one step is not averaged away."""
    assert strip([0] * 50 + [8] + [0] * 49, width=10) == "     █    "
