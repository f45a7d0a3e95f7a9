"""A scan on the terminal: money and verdicts are there at any width, and texts of others steer nothing."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

import scanned
from warmcast.scan.found import Scan, Verdict
from warmcast.scan.record import record_of
from warmcast.scan.text import print_scan


def lines(scan: Scan, width: int = 80) -> list[str]:
    """The screen, a line an item."""
    screen = io.StringIO()
    print_scan(Console(file=screen, width=width), record_of(scan))
    return screen.getvalue().splitlines()


def shown(scan: Scan, width: int = 80) -> str:
    """The screen, its lines joined."""
    return " ".join(" ".join(lines(scan, width)).split())


@pytest.mark.parametrize("width", [80, 100, 120, 140, 200])
def test_money_comes_first_and_no_line_is_cut(width: int) -> None:
    """What it costs, what is idle and what would change, at the top; with prices, period and method."""
    screen = lines(scanned.scan(), width)
    head = " ".join(" ".join(screen[:10]).split())
    for told in ("$3,066 a month", "$2,562 of it", "(84%)", "-$2,334 change", "14 days up to 2026-03-09 12:00 UTC"):
        assert told in head
    assert "Prices: AWS Price List API, read 2026-03-09" in head
    assert "…" not in "".join(screen)
    assert [line for line in screen if len(line) > width and not line.startswith("  > ")] == []


def test_rows_stand_in_the_scans_order() -> None:
    """Most money first, as the scan has them."""
    screen = "\n".join(lines(scanned.scan()))
    positions = [screen.index(row.name) for row in record_of(scanned.scan()).rows[:-1]]
    assert positions == sorted(positions)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_whoever_has_something_to_do_gets_evidence_with_its_source(verdict: Verdict) -> None:
    """All but `keep` and `no`, which are a line of the table."""
    scan = replace(scanned.empty(), findings=(scanned.finding(verdict),))
    screen = shown(scan)
    assert verdict.value in screen
    told = "utilization 8.7% over 14 days (CloudWatch, ProvisionedConcurrencyUtilization)" in screen
    assert told == (verdict not in {Verdict.KEEP, Verdict.NO})


def test_long_evidence_is_cut_with_a_word() -> None:
    """Four lines of it; the report has all."""
    made = scanned.finding(Verdict.DROP)
    scan = replace(scanned.empty(), findings=(replace(made, evidence=made.evidence * 3),))
    assert "... and 2 more in the report" in shown(scan)
    assert shown(scan).count("utilization 8.7%") == 2


def test_use_is_shown_where_there_is_room() -> None:
    """120 columns for the Region and the use, 150 for the account."""
    assert "spillover" not in shown(scanned.scan(), 119)
    assert "spillover" in shown(scanned.scan(), 120)
    rows = [line for line in lines(scanned.scan(), 150) if "fn-keep" in line]
    assert "111122223333/us-east-1" in rows[0]


def test_a_command_stands_on_one_line_so_that_it_can_be_copied() -> None:
    """However narrow the terminal is."""
    todo = (
        "aws lambda update-alias --function-name checkout-api --name live --routing-config AdditionalVersionWeights={}"
    )
    scan = replace(scanned.empty(), findings=(replace(scanned.finding(Verdict.STUCK), todo=todo),))
    assert f"  > {todo}" in lines(scan)


def test_texts_of_others_are_neither_markup_nor_control_codes() -> None:
    """Square brackets stay, escape sequences go."""
    screen = shown(scanned.scan())
    assert "[bold]not bold[/bold]" in screen
    assert "\x1b" not in screen


def test_limits_and_denials_are_told() -> None:
    """Which limit, what to do, what could not be read and how to mend it."""
    screen = shown(scanned.scan(), 120)
    for told in ("ask for a higher quota", "raise the reservation", "1,204", "193 functions left out"):
        assert told in screen
    assert "could not read 777788889999/eu-west-1: ListFunctions: AccessDeniedException" in screen
    assert "warmcast iam scan" in screen


def test_an_empty_scan_claims_no_money() -> None:
    """No table and no $0 of an account in which nothing was found, or nothing could be read."""
    assert "No alias or version has provisioned concurrency" in shown(scanned.empty())
    denied = shown(scanned.denied())
    assert "Nothing could be read." in denied
    assert "a month" not in denied


def test_a_scan_that_was_stopped_says_so() -> None:
    """Half an answer must not read as a whole one."""
    assert "stopped before its end" in shown(replace(scanned.scan(), interrupted=True))


def test_a_large_account_does_not_flood_the_terminal() -> None:
    """60 rows and the evidence of 20, then where the rest is."""
    screen = shown(scanned.many(200))
    assert "... and 140 more: warmcast report --out scan.html has all" in screen
    assert len(lines(scanned.many(200))) < 300
