"""What must never happen, whatever the numbers: properties of single decisions and of whole ticks over a faulty world.

Numbered as in `docs/design-notes.md`: 1 limits, 2 no data, 3 locked targets, 4 modes, 5 hold, 6 isolation, 7 duplicate
ticks, 8 zero, 9 budget, 10 outage, 11 honest outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import NOON, fleet, forecast, history, malformed, observation, policy, situation, state, target
from fakes import FakeAws, FakeTable
from warmcast.decide import decide
from warmcast.knowledge import Knowledge
from warmcast.model import (
    AccountLimits,
    Action,
    Budget,
    Decision,
    Fault,
    FaultKind,
    Memory,
    Observation,
    Outcome,
    Override,
    Reason,
    Result,
    ScalableTarget,
    Status,
    Unknown,
)
from warmcast.report import log_records, metrics, summary
from warmcast.staffing import need_seen, unit_of
from warmcast.tick import Order, Ports, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from warmcast.fleet import Policy
    from warmcast.model import Forecast, TargetId, TickReport

RULES_MAY_LOWER = {Reason.CEILING, Reason.BUDGET, Reason.ACCOUNT_LIMIT, Reason.FUNCTION_LIMIT, Reason.STACK_OWNS_CONFIG}

minutes_ago = st.none() | st.integers(0, 120).map(lambda minutes: NOON - timedelta(minutes=minutes))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any legal policy of one target."""
    stack = draw(st.booleans())
    low = draw(st.integers(1 if stack else 0, 40))
    high = draw(st.integers(max(low, 1), 120))
    keys: dict[str, Any] = {
        "mode": draw(st.sampled_from(["observe", "raise-only", "apply"])),
        "actuator": draw(st.sampled_from(["direct", "autoscaling"])),
        "adopt": draw(st.booleans()),
        "stack_owns_config": stack,
        "objective": draw(st.sampled_from([{"spillover": "1%"}, {"cold_starts": "2 per 10k"}, "savings"])),
    }
    if draw(st.booleans()):
        floor = draw(st.integers(max(low, 1), high))
        keys["schedule"] = [{"name": "noon", "from": "11:00", "to": "13:00", "min": floor}]
    return policy(low=low, high=high, **keys)


memories = st.builds(
    Memory,
    requested=st.none() | st.integers(0, 80),
    floor_published=st.none() | st.integers(0, 80),
    changed_at=minutes_ago,
    raised_at=minutes_ago,
    lead_time_s=st.none() | st.floats(0, 2000),
    back_off_until=st.none() | st.integers(-60, 60).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    failures=st.integers(0, 3),
)

states = st.builds(
    state,
    units=st.integers(0, 90),
    status=st.sampled_from([Status.READY, Status.READY, Status.IN_PROGRESS, Status.FAILED]),
    weights=st.sampled_from([{}, {}, {"8": 0.1}]),
    ineligible=st.sampled_from(["", "", "SnapStart"]),
    scalable=st.none() | st.builds(ScalableTarget, st.integers(0, 90), st.integers(90, 120), st.booleans()),
)

demands = st.lists(st.floats(0, 100) | st.just(float("nan")), min_size=0, max_size=40)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    """Whatever may be known of a target, partial and stale data included."""
    age = draw(st.sampled_from([0, 0, 0, 10, 20, 90]))
    seen = history(
        draw(demands), end=NOON - timedelta(minutes=age), complete=draw(st.sampled_from([True, True, True, False]))
    )
    return observation(
        seen=seen,
        known=draw(st.none() | states),
        memory=draw(memories),
        stopped=draw(st.sampled_from([False, False, False, True])),
        override=draw(
            st.none()
            | st.builds(
                Override,
                until=st.just(NOON + timedelta(hours=1)),
                reason=st.just("test"),
                minimum=st.none() | st.integers(0, 30),
                maximum=st.none() | st.integers(30, 90),
            )
        ),
        fault=draw(st.sampled_from([None, None, Fault(FaultKind.MISSING, "gone")])),
    )


@st.composite
def forecasts(draw: st.DrawFn) -> Forecast | Unknown:
    """A forecast, perhaps after a fall, or no opinion."""
    if draw(st.integers(0, 9)) == 0:
        return Unknown("no history")
    fallen = forecast(draw(st.floats(0, 80))) if draw(st.booleans()) else None
    return forecast(draw(st.floats(0, 80)), spread=draw(st.floats(0, 0.4)), fallen_from=fallen)


def lowers_by_objective(decision: Decision) -> bool:
    """Whether the decision writes a decrease that no rule, override or shared limit asked for."""
    return decision.action in {Action.LOWER, Action.DELETE} and decision.reason not in RULES_MAY_LOWER


@settings(max_examples=400)
@given(policies(), observations(), forecasts())
def test_no_decision_breaks_an_invariant(rules: Policy, seen: Observation, foreseen: Forecast | Unknown) -> None:
    """Invariants 1-5, 8 and 10 for any policy, observation and forecast."""
    at = situation(rules=rules, seen=seen, foreseen=foreseen)
    decision = decide(at)
    written = decision.action is not Action.HOLD
    names = {limit.name for limit in decision.limits}

    # 1: within what rules allow (a stack's config keeps its one unit), and not below the floor unless a limit says so
    if written and rules.mode.value == "apply":
        assert decision.wanted <= max(decision.ceiling, 1) or Reason.CEILING not in names
        assert decision.wanted <= max(decision.ceiling, 1)
        assert decision.wanted >= decision.floor or Reason.CEILING in names
    # 2: no decrease on missing, stale or partial data, nor below what the last minutes need
    if lowers_by_objective(decision) and rules.actuator.value == "direct":
        assert not at.silence
        assert at.seen is None or decision.wanted >= at.seen.capacity or decision.wanted >= decision.ceiling
    # 3: nothing to a target that is locked or not ours
    if written and seen.state is not None:
        assert seen.state.capacity.status is not Status.IN_PROGRESS
        assert not seen.state.weights
        assert not seen.state.ineligible
        assert seen.state.scalable is None or (
            rules.actuator.value == "autoscaling" and (seen.state.scalable.ours or rules.adopt)
        )
    # 4: modes and stop
    assert not (written and (seen.stopped or rules.mode.value == "observe" or seen.fault))
    if rules.mode.value == "raise-only":
        assert decision.action in {Action.RAISE, Action.HOLD} or rules.actuator.value == "autoscaling"
        assert decision.current is None or decision.blocked or decision.wanted >= decision.current
    # 5: no second decrease within a tick of the last change
    changed = seen.memory.changed_at
    if changed is not None and NOON - changed < at.rhythm.tick:
        assert not lowers_by_objective(decision) or decision.wanted == decision.current
    # 8: zero is a Delete, and only where no stack owns the config
    if written and decision.wanted == 0 and rules.actuator.value == "direct":
        assert decision.action is Action.DELETE
    if decision.wanted == 0 and written:
        assert not rules.stack_owns_config
    # 10: after a sudden fall nothing goes below what the forecast before it needs
    if lowers_by_objective(decision) and at.before_fall is not None and decision.wanted != decision.current:
        assert decision.wanted >= min(at.before_fall.capacity, decision.current or 0, decision.ceiling)
    # blocked decisions say what blocks them
    assert not decision.blocked or decision.limits


@given(policies(), observations(), forecasts())
def test_a_decision_can_be_replayed(rules: Policy, seen: Observation, foreseen: Forecast | Unknown) -> None:
    """Same policy, observation, forecast, instant: the same decision, to the last field."""
    first = decide(situation(rules=rules, seen=seen, foreseen=foreseen))
    assert decide(situation(rules=rules, seen=seen, foreseen=foreseen)) == first


@given(st.floats(0, 60), st.integers(0, 100))
def test_the_seen_need_is_kept(demand: float, standing: int) -> None:
    """2: whatever the forecast says, a decrease stops at what the last minutes need."""
    seen = observation(seen=(demand,) * 30, known=state(standing))
    decision = decide(situation(rules=policy(low=1), seen=seen, foreseen=forecast(0.0)))
    unit = unit_of(region="us-east-1", architecture="x86_64", memory_mb=1024)
    needed = need_seen(demand, demand / 0.5, policy().objective, peakedness=1.0, unit=unit).capacity
    assert decision.wanted >= min(needed, 400)


# --- whole ticks, with a fault wherever one may be


@dataclass(frozen=True)
class Trouble:
    """What goes wrong for one target in one tick."""

    kind: str
    index: int


NAMES = ("a:live", "b:live", "c:live", "d:live")


def _write(aws: FakeAws, who: TargetId) -> None:
    aws.refuse[who] = Outcome(decide(situation()), Result.FAILED, "AWS said no", "ServiceException")


def _bug(aws: FakeAws, who: TargetId) -> None:
    aws.histories[who] = malformed()


def _state(aws: FakeAws, who: TargetId, **changes: Any) -> None:  # noqa: ANN401 - fields of a state
    known = aws.states[who]
    if not isinstance(known, Fault):
        aws.states[who] = replace(known, **changes)


def _capacity(aws: FakeAws, who: TargetId, **changes: Any) -> None:  # noqa: ANN401 - fields of a capacity
    known = aws.states[who]
    if not isinstance(known, Fault):
        aws.states[who] = replace(known, capacity=replace(known.capacity, **changes))


BREAK: dict[str, Callable[[FakeAws, TargetId], None]] = {
    "history": lambda aws, who: aws.histories.update({who: Fault(FaultKind.DENIED, "GetMetricData: AccessDenied")}),
    "state": lambda aws, who: aws.states.update({who: Fault(FaultKind.MISSING, "Cannot find alias")}),
    "write": _write,
    "unread": lambda aws, who: aws.unread.add(who),
    "weights": lambda aws, who: _state(aws, who, weights={"8": 0.5}),
    "in progress": lambda aws, who: _capacity(aws, who, status=Status.IN_PROGRESS),
    "failed": lambda aws, who: _capacity(aws, who, status=Status.FAILED, allocated=0, available=0),
    "bug": _bug,
}


TROUBLES = st.lists(
    st.builds(
        Trouble,
        kind=st.sampled_from(sorted(BREAK)),
        index=st.integers(0, 3),
    ),
    max_size=4,
)


def broken_world(troubles: list[Trouble], demand: list[float], standing: list[int]) -> FakeAws:
    """Four targets, some of them in trouble."""
    aws = FakeAws()
    for name, level, units in zip(NAMES, demand, standing, strict=True):
        aws.histories[target(name)] = history((level,) * 30)
        aws.states[target(name)] = state(units, status=Status.READY if units else None)
    for trouble in troubles:
        BREAK[trouble.kind](aws, target(NAMES[trouble.index]))
    return aws


def tick_of(aws: FakeAws, table: FakeTable, budget: Budget) -> TickReport:
    """One tick over the four targets."""
    rules = fleet(*(policy(name, low=1, high=100) for name in NAMES))
    ports = Ports(observer=aws, actor=aws, table=table)
    return run(rules, ports=ports, order=Order(owner="t", budget=budget), knowledge=Knowledge(), now=NOON)


LEVELS = st.lists(st.floats(0, 60), min_size=4, max_size=4)
STANDING = st.lists(st.integers(0, 60), min_size=4, max_size=4)


@settings(max_examples=60, deadline=None)
@given(TROUBLES, LEVELS, STANDING, st.integers(0, 200), st.integers(100, 400))
def test_no_tick_breaks_an_invariant(
    troubles: list[Trouble], demand: list[float], standing: list[int], units: int, unreserved: int
) -> None:
    """1, 6, 9 and 11 for whole ticks: limits hold, faults stay where they are and are shown, nothing raises.

    The fake asserts on 3 and 8 at each write.
    """
    aws = broken_world(troubles, demand, standing)
    aws.account = AccountLimits(concurrency=unreserved, unreserved=unreserved, others_in_use=0.0)
    report = tick_of(aws, FakeTable(), Budget(units=units))

    before = sum(standing)
    stands = dict(zip(NAMES, standing, strict=True)) | {str(who): sent for _, who, sent in aws.writes}
    gone = {str(who) for who, known in aws.states.items() if isinstance(known, Fault)}
    stands = {name: units for name, units in stands.items() if name not in gone}  # an alias takes its config along
    assert sum(stands.values()) <= max(units, before)
    assert sum(stands.values()) <= max(unreserved - 100, before)

    written = {who for _, who, _ in aws.writes} | set(aws.deleted)
    applied = {row.outcome.decision.target for row in report.rows if row.outcome.result is Result.APPLIED}
    assert applied == written
    assert len(report.rows) == len(log_records(report)) == len(NAMES)
    loud = {"history", "state", "bug"}
    shown = {str(row.outcome.decision.target) for row in report.failed}
    assert {NAMES[t.index] for t in troubles if t.kind in loud} <= shown | {
        NAMES[t.index] for t in troubles if t.kind not in loud
    }
    assert ({m.name: m.value for m in metrics(report)}["TickFailures"] == 1.0) is bool(summary(report)["failed"])


@settings(max_examples=30, deadline=None)
@given(TROUBLES, LEVELS, STANDING)
def test_a_fault_changes_nobody_elses_outcome(
    troubles: list[Trouble], demand: list[float], standing: list[int]
) -> None:
    """6: with room for all, the untroubled targets fare as they would without the troubled ones."""
    roomy = Budget()
    calm = tick_of(broken_world([], demand, standing), FakeTable(), roomy)
    rough = tick_of(broken_world(troubles, demand, standing), FakeTable(), roomy)
    touched = {NAMES[trouble.index] for trouble in troubles}
    for one, other in zip(calm.rows, rough.rows, strict=True):
        if str(one.outcome.decision.target) not in touched:
            assert one == other


@settings(max_examples=30, deadline=None)
@given(TROUBLES, LEVELS, STANDING, st.integers(0, 90))
def test_a_duplicate_tick_writes_nothing_more(
    troubles: list[Trouble], demand: list[float], standing: list[int], seconds: int
) -> None:
    """7: the same event again, within the tick, finds its work done."""
    aws, table = broken_world(troubles, demand, standing), FakeTable()
    tick_of(aws, table, Budget())
    writes = len(aws.writes)
    rules = fleet(*(policy(name, low=1, high=100) for name in NAMES))
    ports = Ports(observer=aws, actor=aws, table=table)
    again = NOON + timedelta(seconds=seconds)
    run(rules, ports=ports, order=Order(owner="again"), knowledge=Knowledge(), now=again)
    assert len(aws.writes) == writes


@given(st.lists(st.floats(0, 50) | st.just(float("nan")), min_size=1, max_size=60))
def test_gaps_are_never_zeros(demand: list[float]) -> None:
    """A history with gaps has the seen demand of its known minutes, wherever the gaps are."""
    values = np.array(demand)
    known = values[~np.isnan(values)][-5:]
    decision = decide(situation(seen=observation(seen=values, known=state(10))))
    if known.size:
        assert decision.demand is not None
        assert np.isclose(decision.demand, max(known[-2:].mean(), known.mean()))
    else:
        assert decision.demand is None
