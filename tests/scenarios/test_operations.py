"""Operational stories over some hours of ticks, read like timetables. Times are UTC; the day is a Monday."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from builders import policy, state
from scenarios.world import MONDAY, World, flat, office, who, with_change
from warmcast.model import (
    AccountLimits,
    Fault,
    FaultKind,
    Reason,
    Result,
    Status,
)

API = "checkout-api:live"


def at(clock: str) -> datetime:
    """That time of the Monday."""
    hour, minute = clock.split(":")
    return MONDAY + timedelta(hours=int(hour), minutes=int(minute))


def test_a_monday_ramp_is_met_and_left() -> None:
    """Quiet weekend behind it: capacity is there before the ramp of 08:00-09:00, and gone in the evening."""
    world = World({API: office()}, starts_with=4).run(at("05:00"), at("22:00"))

    assert world.ready(API, at("06:00")) <= 12  # a quiet night
    assert world.ready(API, at("08:30")) >= 24  # half way up, demand 21
    assert world.ready(API, at("09:00")) >= 45  # the top, demand 40
    assert world.spillover(API, at("08:00"), at("09:00")) <= 0.05  # the promise is over all hours, at one price
    assert world.spillover(API, at("09:00"), at("17:00")) <= 0.01
    assert world.ready(API, at("20:00")) <= 12  # and down again
    assert world.mean_ready(API) <= 0.75 * 53  # a static peak would hold 53 all day


def test_office_hours_are_ready_when_they_open() -> None:
    """A floor of 20 from 08:00 is READY at 08:00 on the minute, and its end gives it back."""
    hours = {"name": "office hours", "days": "mon-fri", "from": "08:00", "to": "12:00", "min": 20}
    world = World({API: flat(1.0)}, rules={API: policy(API, schedule=[hours])}, starts_with=4)
    world.run(at("07:30"), at("13:30"))

    assert world.ready(API, at("07:50")) < 20
    assert world.ready(API, at("08:00")) >= 20
    assert world.ready(API, at("11:59")) >= 20
    assert world.ready(API, at("12:30")) <= 8
    assert world.outcome(API, at("07:55")).decision.rule == "schedule: office hours"


def test_a_spike_then_silence() -> None:
    """Sixfold for a quarter of an hour: followed within minutes, held a while, given back within the hour."""
    spike = with_change(flat(10.0), at("12:00"), at("12:15"), lambda demand: demand * 6)
    world = World({API: spike}, starts_with=18).run(at("11:00"), at("14:30"))

    assert world.ready(API, at("11:55")) <= 22
    assert world.ready(API, at("12:13")) >= 60  # seen 12:02 at the earliest, READY two minutes after the tick
    assert world.ready(API, at("14:00")) <= 25
    assert len(world.writes(API)) <= 14


def test_missing_metrics_lower_nothing() -> None:
    """CloudWatch is silent from 11:30 to 13:00: what stood stays, and the tick says no data."""
    gap = with_change(flat(20.0), at("11:30"), at("13:00"), lambda demand: np.full_like(demand, np.nan))
    world = World({API: gap}, starts_with=30).run(at("11:00"), at("14:00"))

    before = world.ready(API, at("11:30"))
    assert all(world.ready(API, at("11:45") + timedelta(minutes=m)) >= before for m in range(0, 75, 5))
    assert world.outcome(API, at("12:00")).decision.reason is Reason.NO_DATA


def test_a_canary_deployment_is_left_alone() -> None:
    """Weights from 08:10 to 08:40, inside the ramp: no write meanwhile, and the need is caught up at 08:40."""

    def canary(world: World, now: datetime) -> None:
        known = world.aws.states[who(API)]
        assert not isinstance(known, Fault)
        weights = {"8": 0.1} if at("08:10") <= now < at("08:40") else {}
        world.aws.states[who(API)] = replace(known, weights=weights)

    world = World({API: office()}, starts_with=6, before_tick=canary).run(at("07:00"), at("09:30"))

    assert not [when for when, _ in world.writes(API) if at("08:10") <= when < at("08:40")]
    assert world.outcome(API, at("08:20")).result is Result.DEFERRED
    assert world.ready(API, at("08:44")) >= 35  # demand 28 at 08:40, caught up with the first tick after


def test_a_failed_allocation_is_reported_and_retried_with_back_off() -> None:
    """Init crashes from 08:00 on until 08:30: few tries, each reported, and the capacity is there after it."""

    def crash(world: World, now: datetime) -> None:
        known = world.aws.states[who(API)]
        assert not isinstance(known, Fault)
        if now < at("08:30") and known.capacity.status is Status.IN_PROGRESS:
            failed = replace(known.capacity, allocated=0, available=0, status=Status.FAILED)
            failed = replace(failed, status_reason="FUNCTION_ERROR_INIT_FAILURE")
            world.aws.states[who(API)] = replace(known, capacity=failed)
            world.aws.ready_at.pop(who(API))

    world = World({API: flat(20.0)}, starts_with=5, before_tick=crash)
    world.aws.lead_time = timedelta(minutes=6)
    world.run(at("08:00"), at("09:30"))

    tries = [when for when, _ in world.writes(API) if when < at("08:30")]
    assert 1 <= len(tries) <= 3
    blocked = world.outcome(API, tries[0] + timedelta(minutes=5))
    assert (blocked.result, blocked.decision.limits[-1].name) == (Result.FAILED, Reason.BACK_OFF)
    assert "FUNCTION_ERROR_INIT_FAILURE" in blocked.detail
    assert world.ready(API, at("09:29")) >= 25


def test_a_full_account_shares_what_there_is() -> None:
    """Two targets ramp up in an account with room for 60: together they never ask for more."""
    names = (API, "search-api:live")
    rules = {name: policy(name, low=5) for name in names}
    world = World({name: office(peak=40.0) for name in names}, rules=rules, starts_with=5)
    world.aws.account = AccountLimits(concurrency=160, unreserved=160, others_in_use=0.0)
    world.run(at("06:00"), at("12:00"))

    together = [sum(world.ready(name, at("06:00") + timedelta(minutes=m)) for name in names) for m in range(360)]
    assert max(together) == 60
    assert all(world.ready(name, at("11:00")) >= 25 for name in names)
    limited = {world.outcome(name, at("11:00")).decision.reason for name in names}
    assert Reason.ACCOUNT_LIMIT in limited


def test_an_outage_upstream_keeps_what_the_morning_needs() -> None:
    """At 10:00 traffic falls to 5 %: for an hour the capacity stays at the forecast's need; the surge comes next."""
    outage = with_change(office(), at("10:00"), at("10:45"), lambda demand: demand * 0.05)
    world = World({API: outage}, starts_with=4).run(at("07:00"), at("11:15"))

    assert all(world.ready(API, at("10:00") + timedelta(minutes=m)) >= 42 for m in range(50))
    assert Reason.OUTAGE in {limit.name for limit in world.outcome(API, at("10:30")).decision.limits}
    assert world.spillover(API, at("10:46"), at("11:15")) <= 0.02


def test_a_denied_history_still_obeys_its_rules() -> None:
    """CloudWatch denies one target: its floor is kept, its neighbour is served, and the report shows the fault."""
    hours = {"name": "office hours", "days": "mon-fri", "from": "08:00", "to": "12:00", "min": 20}
    names = (API, "search-api:live")
    world = World({name: office() for name in names}, rules={API: policy(API, schedule=[hours])}, starts_with=4)
    world.aws.histories[who(API)] = Fault(FaultKind.DENIED, "GetMetricData: AccessDenied")
    world.run(at("07:00"), at("09:30"))

    assert world.ready(API, at("08:00")) == 20
    assert world.ready("search-api:live", at("09:00")) >= 45
    row = next(row for row in world.reports[at("09:00")].rows if row.outcome.decision.target == who(API))
    assert "AccessDenied" in row.fault


def test_an_alias_with_two_versions_under_way_starts_again_after_the_shift() -> None:
    """A deploy shifts the alias for eight minutes: IN_PROGRESS defers, then the ticks go on as before."""

    def shift(world: World, now: datetime) -> None:
        if now == at("12:00"):
            world.aws.states[who(API)] = state(30, status=Status.IN_PROGRESS)
            world.aws.ready_at[who(API)] = at("12:08")

    world = World({API: flat(20.0)}, starts_with=30, before_tick=shift).run(at("11:30"), at("13:00"))
    assert world.outcome(API, at("12:05")).result in {Result.DEFERRED, Result.HELD}
    assert not [when for when, _ in world.writes(API) if at("12:00") <= when < at("12:10")]
    assert world.ready(API, at("12:30")) >= 25
