"""Verdicts on what a scan can't see or AWS would refuse, and on capacities that changed within the scan."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from judging import DAYS, NOW, STEPS_A_DAY, function, judged, office, standing, steady, usage
from warmcast.scan.found import AliasSeen, Finding, FunctionSeen, Scaling, Scheduled, Verdict


def _texts(finding: Finding) -> str:
    return " ".join(each.text for each in finding.evidence)


# --- what could not be read ------------------------------------------------------------------------------------------


def test_nothing_is_bought_where_provisioned_concurrency_could_not_be_listed() -> None:
    """A demand that would be bought for; the refusal is told, and no amount or money."""
    refusal = "provisioned concurrency: AccessDeniedException: not authorized"
    finding = judged(replace(function(), unread=(refusal,)), usage(steady(10)))
    assert (finding.verdict, finding.amount, finding.monthly_usd) == (Verdict.UNKNOWN, None, 0.0)
    assert refusal in _texts(finding)
    assert "No provisioned concurrency stands" not in _texts(finding)
    assert judged(function(), usage(steady(10))).verdict is Verdict.BUY


def test_another_unread_part_leaves_the_verdict() -> None:
    """Stacks are of no matter to what stands there."""
    seen = replace(function(), unread=("stacks and reservations: AccessDeniedException: no",))
    assert judged(seen, usage(steady(10))).verdict is Verdict.BUY


# --- what AWS would refuse -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holder", "version", "verdict"),
    [("blue", "7", Verdict.NO), ("7", "7", Verdict.NO), ("blue", "6", Verdict.BUY), ("6", "6", Verdict.BUY)],
    ids=["alias on the same version", "the version itself", "alias on another version", "another version"],
)
def test_a_version_takes_one_config(holder: str, version: str, verdict: Verdict) -> None:
    """The bare alias gets a no that names who holds it; another version's config is no hindrance."""
    aliases = {"live": AliasSeen("7"), "blue": AliasSeen(version)}
    seen = replace(function(aliases=aliases), provisioned={holder: standing(5)})
    finding = judged(seen, usage(steady(10)))
    assert finding.verdict is verdict
    assert (f"on {holder} already (5 units)" in _texts(finding)) is (verdict is Verdict.NO)


def test_a_bare_version_behind_an_alias_with_capacity_gets_a_no() -> None:
    """The conflict holds the other way round as well."""
    seen = function(units=5)
    finding = judged(seen, usage(steady(10)), qualifier="7")
    assert finding.verdict is Verdict.NO
    assert "on live already" in _texts(finding)


# --- capacity that changed within the scan ---------------------------------------------------------------------------


def _changed(demand: float, before: int, now: int, *, days_ago: float, duration_s: float = 0.5) -> Finding:
    """The finding on what was changed by hand so many days before the scan."""
    stood = np.full(DAYS * STEPS_A_DAY, float(before))
    stood[-round(days_ago * STEPS_A_DAY) :] = now
    seen = function(units=standing(now, set_at=NOW - timedelta(days=days_ago)))
    return judged(seen, usage(steady(demand), units=stood, duration_s=duration_s))


@pytest.mark.parametrize("days_ago", [2, 0.5])
def test_what_spilled_before_a_raise_does_not_justify_it(days_ago: float) -> None:
    """10 units spilled 54% of a demand of 20; the 300 that stand there now are ten times too many."""
    finding = _changed(20, 10, 300, days_ago=days_ago)
    assert (finding.verdict, finding.amount) == (Verdict.TOO_HIGH, 30)
    assert finding.monthly_usd < -2_900


@pytest.mark.parametrize("days_ago", [5, 0.5])
def test_a_raise_that_was_not_enough_is_too_low(days_ago: float) -> None:
    """From 10 to 20 units on a demand of 40: the need is 53, and the spillover is that of 20 units."""
    finding = _changed(40, 10, 20, days_ago=days_ago)
    assert (finding.verdict, finding.amount) == (Verdict.TOO_LOW, 53)
    assert finding.evidence[0].text.startswith(
        "52% of invocations spilled over while 20 units stood there, as now, since 2026-03-04 00:00 UTC"
        if days_ago == 5
        else "20 units stand there for less than a day: of the whole time's demand 52% would spill over"
    )


def test_a_lowering_is_measured_from_then_on() -> None:
    """30 units did not spill for 12 days; the 10 since then spill 54%, not the 8% of the whole time."""
    finding = _changed(20, 30, 10, days_ago=2)
    assert (finding.verdict, finding.amount) == (Verdict.TOO_LOW, 30)
    assert "54% of invocations spilled over while 10 units stood there" in _texts(finding)


@pytest.mark.parametrize(("days_ago", "told"), [(3, "since 2026-03-06 00:00 UTC"), (0.5, "0.8% would spill over")])
def test_a_right_raise_is_kept_without_the_old_spillover(days_ago: float, told: str) -> None:
    """10 to 30 units on a demand of 20: most of the time spilled, none of it with what stands there now."""
    finding = _changed(20, 10, 30, days_ago=days_ago)
    assert finding.verdict is Verdict.KEEP
    assert told in _texts(finding)
    assert finding.figures
    assert finding.figures.spillover
    assert f"{finding.figures.spillover:.0%} of invocations spilled" not in _texts(finding)


# --- requests a second -----------------------------------------------------------------------------------------------


def test_requests_that_bound_before_a_raise_bind_no_more() -> None:
    """100 requests a second on 4 units, then on 20: nothing says request-bound of the 20."""
    stood = np.full(DAYS * STEPS_A_DAY, 4.0)
    stood[-5 * STEPS_A_DAY :] = 20
    share = np.where(stood < 20, 0.3, 0.02)
    used = usage(steady(2), units=stood, duration_s=0.02, spilled=0.0)
    used = replace(used, spilled=used.invocations * share)
    seen = function(units=standing(20, set_at=NOW - timedelta(days=5)))
    assert judged(seen, used, cold_start_usd=1).verdict is not Verdict.REQUEST_BOUND


def test_more_units_for_requests_must_be_worth_it() -> None:
    """Six more for 100 requests a second: at a dollar a cold start they are, at a cent nothing here is."""
    used = usage(steady(2), units=4, duration_s=0.02, spilled=0.3)
    bound = judged(function(units=4), used, cold_start_usd=1)
    assert bound.verdict is Verdict.REQUEST_BOUND
    assert "10 units: about" in _texts(bound)
    assert "cold starts a month instead of" in _texts(bound)
    assert judged(function(units=4), used).verdict is Verdict.DROP


# --- none at the hour of the scan ------------------------------------------------------------------------------------

NIGHTS_OFF = Scaling(
    0,
    0,
    scheduled=(
        Scheduled("morning", "cron(0 8 ? * MON-FRI *)", minimum=20, maximum=20),
        Scheduled("evening", "cron(0 18 ? * MON-FRI *)", minimum=0, maximum=0),
    ),
)


def test_a_capacity_that_is_off_at_night_is_judged_by_what_stood() -> None:
    """20 units in office hours for 12 executions, none when the scan is made: right as it is, and not to be bought."""
    finding = judged(function(scaling=NIGHTS_OFF), usage(office(12, night=0.1), units=office(20)))
    assert finding.verdict is Verdict.KEEP
    assert "judged by the 5.95 units that stood there on average: morning (cron(0 8 ? * MON-FRI *))" in _texts(finding)


def test_a_capacity_that_is_off_at_night_may_be_dropped() -> None:
    """One execution in twenty units: not worth it by day, and its saving is of the days alone."""
    finding = judged(function(scaling=NIGHTS_OFF), usage(office(0.3), units=office(20)), cold_start_usd=1e-6)
    assert finding.verdict is Verdict.DROP
    assert finding.figures
    assert -finding.figures.allocated_usd < finding.monthly_usd < 0
    assert "deregister-scalable-target" in finding.todo


def test_a_target_without_schedule_counts_by_what_stood_in_the_last_two_days() -> None:
    """Target tracking to zero an hour ago comes back; where the last capacity is three days old, it is told only."""
    for days, verdict in ((1 / 24, Verdict.KEEP), (3, Verdict.BUY)):
        stood = np.full(DAYS * STEPS_A_DAY, 14.0)
        stood[-round(days * STEPS_A_DAY) :] = 0
        finding = judged(function(scaling=Scaling(0, 20)), usage(steady(10), units=stood), cold_start_usd=0.001)
        assert finding.verdict is verdict


def test_scheduled_capacity_that_has_not_stood_yet_is_not_known() -> None:
    """It would be bought; but a scheduled action is about to set it."""
    finding = judged(function(scaling=NIGHTS_OFF), usage(steady(10)))
    assert (finding.verdict, finding.amount, finding.monthly_usd) == (Verdict.UNKNOWN, None, 0.0)
    assert "up to 20 units: morning" in _texts(finding)


def test_what_was_taken_away_is_told_before_it_is_bought_again() -> None:
    """Somebody deleted it three hours ago, without any scalable target."""
    stood = np.full(DAYS * STEPS_A_DAY, 12.0)
    stood[-36:] = 0
    finding = judged(function(), usage(steady(10), units=stood))
    assert finding.verdict is Verdict.BUY
    assert "12 units of provisioned concurrency stood there until 2026-03-08 21:00 UTC" in _texts(finding)


# --- kept against its price ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("worth_of_price", "told"), [(0.7, True), (1.1, False)])
def test_a_keep_that_costs_more_than_its_cold_starts_says_why(worth_of_price: float, *, told: bool) -> None:
    """18 units cost more a cold start than it is worth, but not with 1 / 0.55 as many."""
    used = usage(steady(10), units=18)
    figures = judged(function(units=18), used).figures
    assert figures
    assert figures.usd_per_cold_start
    finding = judged(function(units=18), used, cold_start_usd=figures.usd_per_cold_start * worth_of_price)
    assert finding.verdict is Verdict.KEEP
    assert ("may have missed some cold starts" in _texts(finding)) is told


# --- within the reservation ------------------------------------------------------------------------------------------


def _reserved(reserved: int, *, units: int = 0, others: int = 0) -> FunctionSeen:
    """With so many units on the alias, and on version 3."""
    seen = function(units=units, reserved=reserved)
    return replace(seen, provisioned={**seen.provisioned, **({"3": standing(others)} if others else {})})


@pytest.mark.parametrize(("reserved", "others", "amount"), [(100, 0, 10), (10, 0, 10), (9, 0, 9), (15, 7, 8)])
def test_no_more_is_bought_than_the_reservation_takes(reserved: int, others: int, amount: int) -> None:
    """10 units would be best; AWS refuses what the reservation, less the other qualifiers', has no room for."""
    finding = judged(_reserved(reserved, others=others), usage(steady(10)))
    assert (finding.verdict, finding.amount) == (Verdict.BUY, amount)
    assert (f"{amount} units instead of 10, which AWS would refuse" in _texts(finding)) is (amount < 10)
    assert finding.todo.endswith(f"--provisioned-concurrent-executions {amount}")
    assert finding.monthly_usd == pytest.approx(judged(function(), usage(steady(10))).monthly_usd, rel=0.2)


@pytest.mark.parametrize(("reserved", "amount"), [(100, 53), (53, 53), (30, 30)])
def test_too_low_goes_no_further_than_the_reservation(reserved: int, amount: int) -> None:
    """20 units on a demand of 40 need 53."""
    finding = judged(_reserved(reserved, units=20), usage(steady(40), units=20))
    assert (finding.verdict, finding.amount) == (Verdict.TOO_LOW, amount)
    assert "53 units all the time" in _texts(finding)
    assert ("instead of 53" in _texts(finding)) is (amount < 53)


def test_a_full_reservation_is_raised_first() -> None:
    """All 20 are provisioned: there is no more to have before the reservation is 53."""
    finding = judged(_reserved(20, units=20), usage(steady(40), units=20))
    assert (finding.verdict, finding.amount) == (Verdict.TOO_LOW, 53)
    assert finding.todo.startswith(
        "aws lambda put-function-concurrency --function-name checkout --region us-east-1 "
        "--reserved-concurrent-executions 53 && aws lambda put-provisioned-concurrency-config"
    )
    assert "until the reservation is raised to 53 or more" in _texts(finding)
    of_stack = judged(replace(_reserved(20, units=20), stack="shop"), usage(steady(40), units=20))
    assert of_stack.todo.startswith("First: raise ReservedConcurrentExecutions to 53 in the template of stack shop")


def test_a_reservation_with_hardly_any_room_is_raised_before_buying() -> None:
    """One unit of ten is not worth five dollars a month."""
    finding = judged(_reserved(8, others=8), usage(steady(10)))
    assert (finding.verdict, finding.amount) == (Verdict.BUY, 10)
    assert "--reserved-concurrent-executions 18 &&" in finding.todo


def test_request_bound_goes_no_further_than_the_reservation() -> None:
    """100 requests a second ask for 10 units, the reservation has 6."""
    used = usage(steady(2), units=4, duration_s=0.02, spilled=0.3)
    finding = judged(_reserved(6, units=4), used, cold_start_usd=1)
    assert (finding.verdict, finding.amount) == (Verdict.REQUEST_BOUND, 6)
    assert "6 units instead of 10" in _texts(finding)


# --- a schedule that stands there already ----------------------------------------------------------------------------

OPENING = Scheduled("opening", "cron(0 8 ? * MON-FRI *)", minimum=30, maximum=30)
CLOSING = Scheduled("closing", "cron(0 18 ? * MON-FRI *)", minimum=1, maximum=1)


def test_scheduled_actions_that_cost_what_the_best_table_would_are_kept() -> None:
    """30 units in office hours and 1 at night; told with the actions that do it."""
    seen = function(units=30, scaling=Scaling(30, 30, scheduled=(OPENING, CLOSING)))
    used = usage(office(20, night=0.2), units=office(30, night=1))
    finding = judged(seen, used)
    assert (finding.verdict, finding.monthly_usd) == (Verdict.KEEP, 0.0)
    assert "opening (cron(0 8 ? * MON-FRI *))" in _texts(finding)


def test_scheduled_actions_that_cost_far_more_are_scheduled_anew() -> None:
    """30 units all day: whatever the actions are for, a table of the hours is cheaper."""
    seen = function(units=30, scaling=Scaling(30, 30, scheduled=(replace(OPENING, name="every day"),)))
    assert judged(seen, usage(office(20, night=0.2), units=30)).verdict is Verdict.SCHEDULE
