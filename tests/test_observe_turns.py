"""Which control-plane reads are due: pressing, never taken, in doubt, failed, and in turn; and what that costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOON, capacity, target
from warmcast.model import FaultKind
from warmcast.observe.history import Measure
from warmcast.observe.turns import Look, Standing, Subject, Sweeping, looks_of, plan, share_of, spills_oddly

TICK = timedelta(minutes=5)
SWEEPING = Sweeping()
AN_HOUR_AGO = NOON - timedelta(hours=1)


def look(name: str = "checkout-api:live", subject: Subject = Subject.CAPACITY) -> Look:
    """A look at a target."""
    return Look(subject, target(name))


def planned(*standings: Standing, last: datetime | None = NOON - TICK) -> list[Look]:
    """What is to be read at noon."""
    return plan(standings, now=NOON, last=last, sweeping=SWEEPING)


def test_the_most_urgent_come_first() -> None:
    """A change under way, then what was never read, then doubts and failures, the oldest of them first."""
    pressing, unknown = look("pressing:live"), look("unknown:live")
    doubted, failed = look("doubted:live"), look("failed:live")
    standings = [
        Standing(failed, NOON - timedelta(minutes=20), FaultKind.MISSING),
        Standing(doubted, NOON - timedelta(minutes=40), early=True),
        Standing(unknown, None),
        Standing(pressing, NOON - TICK, pressing=True),
    ]
    assert planned(*standings) == [pressing, unknown, doubted, failed]


def test_what_was_never_read_is_read_target_by_target() -> None:
    """One target wholly known is worth more than two half known: the given order stands."""
    looks = [*looks_of(target("a:live")), *looks_of(target("b:live"))]
    assert planned(*(Standing(each, None) for each in looks)) == looks


def test_of_those_never_read_the_ones_with_a_change_under_way_come_first() -> None:
    """A new environment picks up the changes that the one before began."""
    calm, changing = look("a:live"), look("b:live")
    assert planned(Standing(calm, None), Standing(changing, None, pressing=True)) == [changing, calm]


def test_a_published_version_has_no_alias_to_read() -> None:
    """Versions are numbers; weights are the alias's."""
    assert [each.subject for each in looks_of(target("checkout-api:12"))] == [Subject.CAPACITY, Subject.FACTS]
    assert [each.subject for each in looks_of(target("checkout-api:v12"))] == list(Subject)


@pytest.mark.parametrize(
    ("kind", "age_min", "again"),
    [
        (FaultKind.MISSING, 10, False),
        (FaultKind.MISSING, 15, True),
        (FaultKind.DENIED, 10, False),
        (FaultKind.THROTTLED, 5, True),
        (FaultKind.AWS, 5, True),
    ],
)
def test_a_failed_read_is_tried_again_when_that_may_help(kind: FaultKind, age_min: int, *, again: bool) -> None:
    """What is missing or denied takes a person: every 15 minutes. The rest passes: at the next tick."""
    failed = Standing(look(), NOON - timedelta(minutes=age_min), kind)
    assert (planned(failed) == [look()]) is again


def test_a_doubt_is_looked_into_every_half_hour_not_at_every_tick() -> None:
    """A target that keeps spilling oddly does not eat the budget."""
    assert planned(Standing(look(), NOON - timedelta(minutes=29), early=True)) == []
    assert planned(Standing(look(), NOON - timedelta(minutes=30), early=True)) == [look()]


def test_nothing_is_read_twice_at_one_instant() -> None:
    """A duplicate tick finds everything read."""
    assert planned(Standing(look(), NOON, pressing=True), Standing(look("b:live"), NOON, FaultKind.AWS)) == []


def test_the_rest_comes_in_turn_the_oldest_first() -> None:
    """36 functions over 3 hours: one at each tick of 5 minutes, and it is the one read longest ago."""
    ages = [NOON - timedelta(minutes=5 * n + 5) for n in range(36)]
    standings = [Standing(look(f"fn-{n}:live"), at) for n, at in enumerate(ages)]
    assert planned(*standings) == [look("fn-35:live")]


def test_the_first_tick_owes_no_turns() -> None:
    """Nothing was known before it."""
    assert planned(Standing(look(), AN_HOUR_AGO), last=None) == []


def swept(n: int, ticks: int) -> list[int]:
    """Lambda control-plane calls at each of so many ticks over n quiet targets, each of its own function."""
    at: dict[Look, datetime] = {each: NOON - TICK for name in range(n) for each in looks_of(target(f"fn-{name}:live"))}
    calls = []
    for tick in range(ticks):
        now = NOON + TICK * tick
        found = plan([Standing(each, when) for each, when in at.items()], now=now, last=now - TICK, sweeping=SWEEPING)
        at |= dict.fromkeys(found, now)
        calls.append(sum(each.subject is not Subject.FACTS for each in found))
    assert min(at.values()) >= NOON + TICK * ticks - SWEEPING.facts - TICK
    return calls


@pytest.mark.parametrize("targets", [7, 500])
def test_an_unchanged_target_costs_under_a_twentieth_of_a_call_a_tick(targets: int) -> None:
    """1/36 + 1/72 = 0.042, even from tick to tick, and within six hours all of it was read."""
    calls = swept(targets, 80)
    assert sum(calls[-72:]) / 72 / targets == pytest.approx(1 / 36 + 1 / 72, rel=0.02)
    assert max(calls) <= targets * (1 / 36 + 1 / 72) + 2


@given(n=st.integers(0, 2000), steps=st.lists(st.integers(1, 3600), min_size=1, max_size=200))
def test_shares_add_up_to_everything_once_a_period_however_ticks_come(n: int, steps: list[int]) -> None:
    """Over any run of ticks the sum of shares is n x elapsed / period, give or take one."""
    period, at, total = timedelta(hours=3), NOON, 0
    for step in steps:
        total += share_of(n, period, last=at, now=at + timedelta(seconds=step))
        at += timedelta(seconds=step)
    assert abs(total - n * (at - NOON) / period) <= 1


def test_a_long_pause_is_no_debt() -> None:
    """After a day at most everything is due once."""
    assert share_of(10, timedelta(hours=6), last=NOON - timedelta(days=1), now=NOON) == 10


# --- odd spillover ---------------------------------------------------------------------------------------------------


def minutes(*, demand: float, per_minute: float, spilled: float) -> np.ndarray:
    """An hour of equal minutes, all series known."""
    rows = np.zeros((len(Measure), 60))
    rows[Measure.WORK], rows[Measure.ARRIVALS], rows[Measure.SPILLED] = demand * 60, per_minute, spilled * per_minute
    return rows


@pytest.mark.parametrize(
    ("units", "demand", "per_minute", "spilled", "odd"),
    [
        (20, 9.0, 600.0, 0.30, True),  # 20 units are plenty for 9, and a third spills
        (20, 9.0, 600.0, 0.04, False),  # spills little
        (12, 9.0, 600.0, 0.30, False),  # 9 + 2 x 3 = 15 would be needed
        (20, 9.0, 15000.0, 0.30, False),  # 250 requests a second need 25 units
        (20, 1.0, 1.0, 1.00, False),  # 60 invocations say nothing
    ],
)
def test_only_spillover_that_capacity_should_have_prevented_is_odd(
    units: int, demand: float, per_minute: float, spilled: float, *, odd: bool
) -> None:
    """Then somebody may have changed the capacity behind our back."""
    rows = minutes(demand=demand, per_minute=per_minute, spilled=spilled)
    assert spills_oddly(rows, capacity(units), allowed_share=0.01) is odd


def test_a_policy_that_allows_much_spillover_is_not_surprised_by_it() -> None:
    """Three times what is allowed is odd: 30 % is not, where 10 % are allowed."""
    rows = minutes(demand=9.0, per_minute=600.0, spilled=0.29)
    assert not spills_oddly(rows, capacity(20), allowed_share=0.1)


def test_minutes_of_which_something_is_unknown_prove_nothing() -> None:
    """Spillover that was not read is not none, and not all."""
    rows = minutes(demand=9.0, per_minute=600.0, spilled=0.3)
    rows[Measure.SPILLED] = np.nan
    assert not spills_oddly(rows, capacity(20), allowed_share=0.01)


def test_a_plan_names_each_subject_with_its_own_period() -> None:
    """Facts and aliases take 6 hours where capacities take 3."""
    assert SWEEPING.period(Subject.CAPACITY) * 2 == SWEEPING.period(Subject.ALIAS) == SWEEPING.period(Subject.FACTS)
    assert replace(SWEEPING, alias=timedelta(hours=1)).period(Subject.ALIAS) == timedelta(hours=1)
