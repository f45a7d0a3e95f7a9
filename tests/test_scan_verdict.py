"""Verdicts on money and cold starts, each with its near misses; the order of findings; what holds of every verdict."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import scanned
from judging import (
    FRANKFURT,
    NOW,
    VIRGINIA,
    function,
    hours,
    judged,
    office,
    standing,
    steady,
    tracking,
    usage,
)
from warmcast.scan.found import FunctionSeen, Scheduled, Usage, Verdict
from warmcast.scan.verdict import order

UNIT_USD = 0.0000041667 * 730 * 3600  # a month of 1 GB in us-east-1


def _texts(finding: object) -> str:
    return " ".join(each.text for each in getattr(finding, "evidence", ()))


# --- amounts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("units", "verdict", "amount"),
    [(18, Verdict.KEEP, None), (20, Verdict.KEEP, None), (22, Verdict.TOO_HIGH, 18), (30, Verdict.TOO_HIGH, 18)],
)
def test_more_than_the_need_is_too_high_once_it_matters(units: int, verdict: Verdict, amount: int | None) -> None:
    """A steady demand of 10 needs 18 at 1%: two more are within a tenth of what stands there, four are not."""
    finding = judged(function(units=units), usage(steady(10), units=units))
    assert (finding.verdict, finding.amount) == (verdict, amount)
    if amount:
        assert finding.monthly_usd == pytest.approx(-(units - amount) * UNIT_USD, abs=2)
        assert finding.todo.endswith(f"--provisioned-concurrent-executions {amount}")


def test_two_of_three_units_that_are_enough_are_told_and_two_of_two_are_kept() -> None:
    """A demand of 0.02 needs 2 units at 1%, where a cold start is worth a dollar."""
    for units, verdict in ((3, Verdict.TOO_HIGH), (2, Verdict.KEEP), (1, Verdict.TOO_LOW)):
        used = usage(steady(0.02), units=units)
        assert judged(function(units=units, memory_mb=128), used, cold_start_usd=1).verdict is verdict


def _peaky(level: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A demand that comes every 20 minutes for 5: long enough apart for cold environments."""
    return np.where(np.arange(14 * 288) % 4 == 0, level, 0.0)


@pytest.mark.parametrize(("spilled", "verdict"), [(0.0099, Verdict.KEEP), (0.0101, Verdict.TOO_LOW)])
def test_too_low_takes_a_measured_spillover_above_the_objective(spilled: float, verdict: Verdict) -> None:
    """The model says the same of both; CloudWatch decides."""
    finding = judged(function(units=10, memory_mb=128), usage(_peaky(10), units=10, spilled=spilled))
    assert finding.verdict is verdict
    if verdict is Verdict.TOO_LOW:
        assert finding.figures
        assert finding.amount == finding.figures.need > 10


def test_a_capacity_that_saves_money_is_not_raised_for_cold_starts_that_cost_too_much() -> None:
    """10 units on a demand of 10 save $33 a month; the 8 that 1% asks for would cost cents a cold start."""
    finding = judged(function(units=10), usage(steady(10), units=10))
    assert finding.verdict is Verdict.KEEP
    assert "21% of invocations spilled over" in _texts(finding)
    assert "cold starts fewer" in _texts(finding)
    assert judged(function(units=10), usage(steady(10), units=10), cold_start_usd=0.1).verdict is Verdict.TOO_LOW


def test_a_capacity_below_what_saves_most_is_too_low() -> None:
    """4 units on a demand of 10 are always busy: more save more, even if no cold start is worth a thing."""
    finding = judged(function(units=4), usage(steady(10), units=4), cold_start_usd=1e-6)
    assert finding.verdict is Verdict.TOO_LOW
    assert finding.amount is not None
    assert 4 < finding.amount < 18
    assert finding.monthly_usd < 0


def test_bursts_that_the_mean_does_not_show_are_measured() -> None:
    """Erlang's B on the mean asks for less than stands there, and it spills: the peaks tell how many."""
    used = usage(_peaky(4), units=12, spilled=0.05)
    used = replace(used, peak=np.where(used.invocations > 0, 21.0, np.nan))
    finding = judged(function(units=12, memory_mb=128), used)
    assert finding.figures
    if finding.figures.need <= 12:
        assert (finding.verdict, finding.amount) == (Verdict.TOO_LOW, 21)
    else:
        assert finding.verdict is Verdict.TOO_LOW


# --- not worth it ----------------------------------------------------------------------------------------------------


def test_few_cold_starts_for_the_money_are_dropped() -> None:
    """5 in office hours: neither what stands there nor another amount or a table pays at a cent a cold start."""
    finding = judged(function(units=20), usage(office(5, night=0.3), units=20))
    assert finding.verdict is Verdict.DROP
    assert finding.amount is None
    assert finding.monthly_usd == pytest.approx(-20 * UNIT_USD + finding.figures.worth_usd if finding.figures else 0)
    dearer = judged(function(units=20), usage(office(5, night=0.3), units=20), cold_start_usd=0.1)
    assert dearer.verdict is not Verdict.DROP


def test_a_drop_holds_for_the_cold_starts_that_the_model_may_have_missed() -> None:
    """The threshold is the cheapest option's price of a cold start x 0.55: on its two sides the verdict differs."""
    used = usage(office(5, night=0.3), units=20)
    low, high = 0.001, 0.1
    for _ in range(12):
        middle = math.sqrt(low * high)
        dropped = judged(function(units=20), used, cold_start_usd=middle).verdict is Verdict.DROP
        low, high = (middle, high) if dropped else (low, middle)
    assert 0.004 < low < 0.0687 * 0.55


def test_where_break_even_is_out_of_reach_it_is_never_to_be_bought() -> None:
    """The same in eu-central-1, where a unit in use all the time costs more than on demand."""
    used = usage(steady(1), units=6)
    assert judged(function(units=6), used, place=FRANKFURT, cold_start_usd=0.001).verdict is Verdict.NEVER_HERE
    assert judged(function(units=6), used, cold_start_usd=0.001).verdict is Verdict.DROP
    assert judged(function(units=6), used, place=FRANKFURT, cold_start_usd=1).verdict is Verdict.TOO_HIGH


def test_without_traffic_nothing_is_avoided() -> None:
    """Capacity that stood idle for two weeks goes; set yesterday, it is not judged."""
    idle = usage(steady(0), units=5)
    assert judged(function(units=5), idle).verdict is Verdict.DROP
    new = function(units=standing(5, set_at=NOW - timedelta(days=2.9)))
    assert judged(new, idle).verdict is Verdict.UNKNOWN


# --- SnapStart -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (function(units=18, runtime="java21"), Verdict.SNAP_START),
        (function(units=18, runtime="java11"), Verdict.SNAP_START),
        (function(units=18, runtime="java8.al2"), Verdict.KEEP),
        (function(units=18, runtime="python3.12"), Verdict.SNAP_START),
        (function(units=18, runtime="python3.11"), Verdict.KEEP),
        (function(units=18, runtime="dotnet8"), Verdict.SNAP_START),
        (function(units=18, runtime="dotnet6"), Verdict.KEEP),
        (function(units=18, runtime="", package="Image"), Verdict.KEEP),
        (function(units=18, runtime="java21", file_system=True), Verdict.KEEP),
        (function(units=18, runtime="java21", ephemeral_mb=513), Verdict.KEEP),
        (function(units=18, runtime="java21", architecture="arm64"), Verdict.SNAP_START),
        (function(units=10, runtime="java21"), Verdict.KEEP),  # it saves money: not there for cold starts alone
    ],
)
def test_snap_start_instead_where_it_qualifies_and_costs_less(seen: FunctionSeen, verdict: Verdict) -> None:
    """Runtime, package, file system and storage decide; a capacity that pays by its price stays."""
    (held,) = seen.provisioned.values()
    finding = judged(seen, usage(steady(10), units=held.requested))
    assert finding.verdict is verdict
    if verdict is Verdict.SNAP_START:
        assert "fraction of a second" in _texts(finding)
        assert finding.monthly_usd < -1


# --- a table ---------------------------------------------------------------------------------------------------------


def test_a_weekly_rhythm_is_scheduled() -> None:
    """20 by day, 1 at night: a table costs well under half of the constant need, and names its hours."""
    finding = judged(function(units=30), usage(office(20, night=1), units=30))
    assert finding.verdict is Verdict.SCHEDULE
    assert "Mon-Fri, 08-18 h UTC" in finding.todo
    assert finding.figures
    assert finding.figures.table_usd < 0.8 * finding.figures.need_usd


@pytest.mark.parametrize(("night", "scheduled"), [(10.0, True), (16.0, False)])
def test_a_shallow_rhythm_is_not_worth_a_table(night: float, *, scheduled: bool) -> None:
    """A table must save a fifth of the constant need."""
    finding = judged(function(units=30), usage(office(20, night=night), units=30), cold_start_usd=0.1)
    assert (finding.verdict is Verdict.SCHEDULE) is scheduled


def test_a_capacity_that_follows_the_table_already_is_kept() -> None:
    """Scheduled actions do it: what stood there costs no more than the table."""
    units = office(30, night=5)
    seen = function(units=5, scaling=replace(tracking(5, 30, predefined=False)))
    assert judged(seen, usage(office(20, night=1), units=units)).verdict is Verdict.KEEP


# --- target tracking that sees nothing -------------------------------------------------------------------------------


def _idle_nights(units: float = 20.0) -> Usage:
    return usage(np.where((hours() >= 8) & (hours() < 18), 10.0, 0.0), units=units)


def test_tracking_that_idles_without_data_is_told() -> None:
    """14 hours a night 20 units stand against a minimum of 2: those above it for 13.7 hours a day are the saving."""
    finding = judged(function(units=20, scaling=tracking(2, 40)), _idle_nights())
    assert (finding.verdict, finding.amount) == (Verdict.NEVER_SCALED_IN, 2)
    nights = 13 * (14 - 1 / 3) + (8 - 1 / 3) + (6 - 1 / 3)
    assert finding.monthly_usd == pytest.approx(-18 * UNIT_USD * nights / (14 * 24), rel=1e-3)
    assert "INSUFFICIENT_DATA" in _texts(finding)


@pytest.mark.parametrize(
    "scaling",
    [
        tracking(2, 40, predefined=False),
        tracking(2, 40, scale_in=False),
        replace(tracking(2, 40), suspended=("DynamicScalingInSuspended",)),
        replace(tracking(2, 40), tracking=()),
        tracking(20, 40),
        replace(tracking(2, 40), scheduled=(Scheduled("night", "cron(0 18 * * ? *)", minimum=20),)),
    ],
    ids=["customized", "no scale-in", "suspended", "no policy", "at its minimum", "minimum raised by schedule"],
)
def test_capacity_that_stands_on_purpose_is_no_alarm_gap(scaling: object) -> None:
    """Only a policy that should scale in and can't see idleness is at fault."""
    seen = function(units=20, scaling=scaling)  # type: ignore[arg-type] # parametrize's values are objects to mypy
    assert judged(seen, _idle_nights()).verdict is not Verdict.NEVER_SCALED_IN


def test_capacity_that_was_lowered_before_traffic_came_back_is_no_alarm_gap() -> None:
    """What is carried over an idle night is believed only as far as it stood when calls came again."""
    night = (hours() < 8) | (hours() >= 18)
    stood = np.where(night, 20.0, 2.0)
    used = replace(_idle_nights(), capacity=stood)
    assert judged(function(units=2, scaling=tracking(2, 40)), used).verdict is not Verdict.NEVER_SCALED_IN


# --- request-bound ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("units", "demand", "spilled", "bound"),
    [(4, 2.0, 0.3, True), (4, 2.0, 0.009, False), (11, 2.0, 0.3, True), (12, 2.0, 0.3, False), (10, 9.0, 0.05, False)],
)
def test_short_executions_are_bound_by_requests(units: int, demand: float, spilled: float, *, bound: bool) -> None:
    """It spills, from 9 requests a second a unit in five-minute means, and is under 80% utilized."""
    duration_s = 0.02 if demand < 9 else 0.09
    used = usage(steady(demand), units=units, duration_s=duration_s, spilled=spilled)
    finding = judged(function(units=units), used, cold_start_usd=1)
    assert (finding.verdict is Verdict.REQUEST_BOUND) is bound
    if bound:
        assert finding.amount == max(10, units + 1)


# --- without provisioned concurrency ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "used", "verdict"),
    [
        (function(), usage(steady(10)), Verdict.BUY),
        (function(), usage(steady(1)), Verdict.NO),
        (function(), usage(office(5)), Verdict.NO),
        (function(), usage(steady(10, days=2)), Verdict.NO),
        (function(), usage(steady(10), complete=False), Verdict.UNKNOWN),
        (function(), None, Verdict.UNKNOWN),
        (function(), usage(steady(23 * 0.5 / 86_400)), Verdict.NO),
        (function(memory_mb=128), usage(_peaky(10)), Verdict.BUY),
        (function(memory_mb=128, runtime="java21"), usage(_peaky(10)), Verdict.NO),
    ],
    ids=["busy", "light", "office", "young", "gaps", "unread", "sparse", "bursts", "bursts on Java"],
)
def test_most_aliases_without_capacity_get_a_no(seen: FunctionSeen, used: Usage | None, verdict: Verdict) -> None:
    """Bought is what saves money or avoids enough cold starts; SnapStart comes first where it does that."""
    finding = judged(seen, used)
    assert finding.verdict is verdict
    assert (finding.amount is not None) is (verdict is Verdict.BUY)
    assert finding.evidence


def test_where_break_even_is_out_of_reach_only_latency_buys() -> None:
    """A busy alias saves nothing in eu-central-1; bursts of a small function are worth it there too."""
    assert judged(function(), usage(steady(10)), place=FRANKFURT, cold_start_usd=0.0001).verdict is Verdict.NO
    finding = judged(function(memory_mb=128), usage(_peaky(10)), place=FRANKFURT)
    assert finding.verdict is Verdict.BUY
    assert finding.monthly_usd > 0


def test_another_keepalive_that_would_change_the_verdict_is_told() -> None:
    """Bursts every 20 minutes are cold after 10 minutes and warm after 45: AWS states neither."""
    finding = judged(function(memory_mb=128), usage(_peaky(10)))
    assert finding.verdict is Verdict.BUY
    assert "stay warm for 45 minutes instead of 10, the verdict would be 'no'" in _texts(finding)
    assert "instead of 10" not in _texts(judged(function(memory_mb=128), usage(_peaky(10)), cold_start_usd=1e-9))


def test_the_words_of_a_finding() -> None:
    """Each sentence with its number, unit, period and source, spelled out once."""
    finding = judged(function(units=30), usage(steady(10), units=30))
    need, standing_now, better = (each.text for each in finding.evidence[:3])
    assert need == "18 units all the time would have spilled no more than 1% over 14 days."
    assert standing_now == (
        "What stands there: $329 of allocation a month of 730 hours, and $183 saved on duration at 33% utilization: "
        "$146 more than on demand."
    )
    assert better == (
        "18 units: $197 of allocation a month of 730 hours, and $181 saved on duration at 55% utilization: $15.90 more "
        "than on demand."
    )
    assert finding.evidence[0].source == "Erlang B on 5-minute means, docs/verdicts.md"
    assert finding.evidence[1].source == (
        "0.0000041667 USD per GB-second of provisioned concurrency, 0.0000097222 of duration on it, "
        "0.0000166667 on demand (us-east-1, x86_64, 1,024 MB)"
    )
    assert finding.evidence[-1].source == (
        "CloudWatch ProvisionedConcurrencySpilloverInvocations, Sum, 14 days; Invocations and Duration"
    )
    assert finding.todo == (
        "aws lambda put-provisioned-concurrency-config --function-name checkout --region us-east-1 --qualifier live "
        "--provisioned-concurrent-executions 18"
    )


# --- of every verdict ------------------------------------------------------------------------------------------------

AMOUNTS = {Verdict.REQUEST_BOUND, Verdict.NEVER_SCALED_IN, Verdict.TOO_HIGH, Verdict.TOO_LOW, Verdict.BUY}
NO_MONEY = {Verdict.STUCK, Verdict.KEEP, Verdict.NO, Verdict.UNKNOWN}
SAVE = {Verdict.NEVER_SCALED_IN, Verdict.NEVER_HERE, Verdict.DROP, Verdict.SNAP_START, Verdict.TOO_HIGH}


@st.composite
def _usages(draw: st.DrawFn) -> Usage:
    """Days of any kind of traffic, with holes, throttles, spillover and peaks that fit or don't."""
    seed, days = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from([0, 1, 4, 8]))
    random = np.random.default_rng(seed)
    steps = days * 288
    demand = draw(st.sampled_from([0.0, 0.001, 0.5, 8.0, 300.0])) * random.uniform(0.2, 2.0, steps)
    demand[random.uniform(size=steps) < draw(st.sampled_from([0.0, 0.6, 1.0]))] = 0.0
    demand[random.uniform(size=steps) < draw(st.sampled_from([0.0, 0.03, 0.3, 1.0]))] = np.nan
    used = usage(
        demand,
        units=np.full(steps, draw(st.sampled_from([0.0, 1.0, 40.0]))),
        duration_s=draw(st.sampled_from([0.004, 0.5, 60.0])),
        throttled=draw(st.sampled_from([0.0, 0.005, 0.2, 1.0])),
        spilled=draw(st.sampled_from([None, 0.0, 0.3, 1.0])),
        complete=draw(st.booleans()),
        of_function=draw(st.sampled_from([None, 0.0, 1e7, float("nan")])),
    )
    if draw(st.booleans()):
        used = replace(used, peak=np.where(np.isnan(used.duration_s), np.nan, np.ceil(demand * 3)))
    return used if draw(st.booleans()) else replace(used, capacity=np.full(steps, np.nan))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(
    used=st.one_of(st.none(), _usages()),
    units=st.sampled_from([0, 1, 7, 40]),
    runtime=st.sampled_from(["nodejs22.x", "java21", ""]),
    place=st.sampled_from([VIRGINIA, FRANKFURT]),
    tracked=st.booleans(),
)
def test_any_usage_gives_one_verdict_with_evidence_and_numbers(
    used: Usage | None, units: int, runtime: str, place: object, *, tracked: bool
) -> None:
    """No NaN in any word or number; amounts of at least one; money only where the verdict has some, with its sign."""
    seen = function(units=units, runtime=runtime, scaling=tracking(1, 50) if tracked else None)
    finding = judged(seen, used, place=FRANKFURT if place == FRANKFURT else VIRGINIA)
    words = " ".join([finding.todo, *(f"{each.text} {each.source}" for each in finding.evidence)])
    assert finding.evidence
    assert all(each.text.endswith(".") and each.source for each in finding.evidence)
    assert not re.search(r"\b(nan|inf)\b", words)
    assert math.isfinite(finding.monthly_usd)
    assert (finding.amount is not None) is (finding.verdict in AMOUNTS)
    assert finding.amount is None or finding.amount >= 1
    assert finding.verdict not in NO_MONEY or finding.monthly_usd == 0
    assert finding.verdict not in SAVE or finding.monthly_usd < 0
    if finding.figures:
        numbers = [value for value in vars_of(finding.figures) if value is not None]
        assert not any(math.isnan(value) for value in numbers)
    if used is not None and not used.complete and finding.verdict is not Verdict.ORPHAN:
        assert finding.verdict is Verdict.UNKNOWN
    if used is None:
        assert finding.verdict is Verdict.UNKNOWN


def vars_of(figures: object) -> list[float | None]:
    """The values of a record with slots."""
    return [getattr(figures, name) for name in type(figures).__slots__]  # type: ignore[attr-defined] # a dataclass's


# --- order -----------------------------------------------------------------------------------------------------------


def test_findings_are_ordered_by_what_is_worth_doing_first() -> None:
    """Most money, then what is slow or blocked, then what is not known, then what stays."""
    findings = scanned.findings()
    ordered = order(findings)
    verdicts = [finding.verdict for finding in ordered]
    assert verdicts[0] is Verdict.SCHEDULE
    assert verdicts[-2:] == [Verdict.KEEP, Verdict.NO]
    assert verdicts[-3] is Verdict.UNKNOWN
    savings = [finding.monthly_usd for finding in ordered if finding.monthly_usd < 0]
    assert savings == sorted(savings)
    assert verdicts.index(Verdict.TOO_LOW) > verdicts.index(Verdict.TOO_HIGH)
    assert order(reversed(findings)) == ordered
