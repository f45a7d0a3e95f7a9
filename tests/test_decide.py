"""The decision of one target: what is proposed, which guardrail moved it, and what forbids the write."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from builders import (
    NOON,
    forecast,
    history,
    observation,
    policy,
    situation,
    state,
)
from warmcast.decide import decide, decision_id
from warmcast.model import (
    Action,
    Fault,
    FaultKind,
    Memory,
    Override,
    Reason,
    ScalableTarget,
    Status,
    Unknown,
)
from warmcast.situation import seen_demand

QUIET = (1.0,) * 30


def names(decision_limits: object) -> list[Reason]:
    """The names of the limits that applied, in order."""
    return [limit.name for limit in decision_limits]  # type: ignore[attr-defined] # a tuple of limits


def test_a_forecast_above_what_stands_raises_it() -> None:
    """Demand 40 foreseen, 10 standing: the wanted capacity serves 40 erlangs within 1 %, and it is a raise."""
    decision = decide(situation(foreseen=forecast(40.0)))
    assert decision.action is Action.RAISE
    assert decision.reason is Reason.FORECAST
    assert decision.wanted == 53  # Erlang-B(52, 40) = 1.07 %, Erlang-B(53, 40) = 0.82 %


def test_a_forecast_far_below_what_stands_lowers_it() -> None:
    """With calm data and a calm forecast, the capacity comes down to the need."""
    decision = decide(situation(foreseen=forecast(1.0), seen=observation(seen=QUIET, known=state(40))))
    assert (decision.action, decision.current) == (Action.LOWER, 40)
    assert decision.wanted == 5  # Erlang-B(4, 1) = 1.5 %, Erlang-B(5, 1) = 0.3 %


def test_measured_demand_above_the_forecast_wins() -> None:
    """A push that nobody foresaw is a reason of its own."""
    pushed = (10.0,) * 28 + (60.0, 60.0)
    decision = decide(situation(seen=observation(seen=pushed, known=state(20))))
    assert decision.reason is Reason.SEEN
    assert decision.wanted >= 60


def test_one_spiky_minute_counts_half() -> None:
    """The seen demand is a mean over two minutes at least, so one minute of 60 among 10s is 35."""
    seen = seen_demand(history((10.0,) * 29 + (60.0,)), now=NOON)
    assert seen is not None
    assert seen.demand == pytest.approx(35.0)


def test_seen_demand_skips_gaps() -> None:
    """A gap is no zero: the newest known minutes count."""
    seen = seen_demand(history((10.0,) * 27 + (20.0, float("nan"), float("nan"))), now=NOON)
    assert seen is not None
    assert seen.demand == pytest.approx(15.0)


def test_a_minute_that_was_wholly_turned_away_is_not_zero() -> None:
    """Throttled requests of unknown duration make a minute of unknown demand: the known ones before it count."""
    known = history((10.0,) * 30)
    work, throttles = known.fine.work_s.copy(), known.fine.throttles.copy()
    work[-1], throttles[-1] = 0.0, 600.0
    fine = replace(known.fine, work_s=work, throttles=throttles, arrivals=np.where(work > 0, np.nan, 0.0))
    seen = seen_demand(replace(known, fine=fine), now=NOON)
    assert seen is not None
    assert seen.demand >= 10.0


def test_the_seen_rate_counts_busy_minutes_whose_arrivals_are_not_read_yet() -> None:
    """Idle minutes have no arrivals at once; those of busy ones follow from their demand until they are read."""
    read = history((0.0, 10.0) * 15)
    late = read.fine.arrivals.copy()
    late[-4:] = np.where(read.fine.work_s[-4:] > 0, np.nan, 0.0)
    seen = seen_demand(replace(read, fine=replace(read.fine, arrivals=late)), now=NOON)
    expected = seen_demand(read, now=NOON)
    assert seen is not None
    assert expected is not None
    assert seen.rate_per_s == pytest.approx(expected.rate_per_s)


def test_nothing_measured_is_nothing_seen() -> None:
    """Without a known minute there is no seen demand, not a zero."""
    assert seen_demand(history((float("nan"),) * 5), now=NOON) is None


def test_a_cost_is_not_bought_for_what_one_minute_shows() -> None:
    """Under `savings` a busy minute keeps what stands; only the forecast buys."""
    pushed = (10.0,) * 28 + (60.0, 60.0)
    buys = decide(situation(rules=policy(objective="savings"), seen=observation(seen=pushed, known=state(10))))
    assert buys.action is Action.HOLD
    keeps = decide(situation(rules=policy(objective="savings"), seen=observation(seen=pushed, known=state(40))))
    assert (keeps.action, keeps.reason) == (Action.HOLD, Reason.SEEN)


@pytest.mark.parametrize(
    ("units", "rate", "expected"),
    [(2, 200.0, 20), (2, 201.0, 21)],
)
def test_ten_requests_a_second_need_a_unit(units: int, rate: float, expected: int) -> None:
    """Short requests: hardly any concurrency, but each unit takes ten a second."""
    decision = decide(
        situation(
            foreseen=forecast(0.5, rate_per_s=rate),
            seen=observation(seen=(0.5,) * 30, known=state(units)),
        )
    )
    assert decision.reason is Reason.RATE
    assert decision.wanted == expected


# --- rules


def test_the_floor_raises_what_the_objective_does_not_need() -> None:
    """The rule that set the floor is named."""
    decision = decide(situation(rules=policy(low=25), foreseen=forecast(1.0)))
    assert (decision.wanted, decision.reason, decision.rule) == (25, Reason.FLOOR, "capacity.min")


def test_the_ceiling_cuts_what_the_objective_wants() -> None:
    """A ceiling is the reason, and the limit says from where to where."""
    decision = decide(situation(rules=policy(high=15), foreseen=forecast(40.0)))
    assert (decision.wanted, decision.reason) == (15, Reason.CEILING)
    assert decision.limits[-1].before == 53


def test_a_floor_is_raised_ahead_of_its_window() -> None:
    """A window that opens in 8 minutes counts now: lead time 3 and a tick of 5 lie before it."""
    rules = policy(schedule=[{"name": "lunch", "from": "12:08", "to": "14:00", "min": 30}])
    assert decide(situation(rules=rules)).wanted == 30
    later = policy(schedule=[{"name": "lunch", "from": "12:09", "to": "14:00", "min": 30}])
    assert decide(situation(rules=later)).wanted < 30


def test_an_override_stands_above_the_schedule() -> None:
    """The highest layer that sets a bound decides it, also downwards."""
    rules = policy(schedule=[{"name": "always", "from": "00:00", "to": "24:00", "min": 30}])
    override = Override(until=NOON + timedelta(hours=1), reason="cost", minimum=3, maximum=4)
    decision = decide(situation(rules=rules, seen=observation(known=state(30), override=override)))
    assert (decision.action, decision.wanted, decision.reason) == (Action.LOWER, 4, Reason.CEILING)


# --- what keeps from lowering


@pytest.mark.parametrize(
    "seen",
    [
        observation(seen=history(QUIET, complete=False), known=state(40)),
        observation(seen=history(QUIET, end=NOON - timedelta(minutes=20)), known=state(40)),
        observation(seen=(float("nan"),) * 30, known=state(40)),
        observation(known=state(40), history_fault=Fault(FaultKind.DENIED, "AccessDenied")),
    ],
    ids=["partial", "stale", "missing", "denied"],
)
def test_missing_stale_or_partial_data_lowers_nothing(seen: object) -> None:
    """Whatever the forecast says, what stands stays, and the reason says why."""
    decision = decide(situation(foreseen=forecast(1.0), seen=seen))  # type: ignore[arg-type] # an observation
    assert (decision.action, decision.wanted, decision.reason) == (Action.HOLD, 40, Reason.NO_DATA)


def test_rules_still_raise_without_data() -> None:
    """No data silences the objective, not the floor."""
    decision = decide(situation(rules=policy(low=50), foreseen=Unknown("no history")))
    assert (decision.action, decision.wanted, decision.reason) == (Action.RAISE, 50, Reason.FLOOR)


def test_no_data_silences_a_rise_too() -> None:
    """An objective on half the data has no say in either direction."""
    seen = observation(seen=history((90.0,) * 30, complete=False), known=state(10))
    assert decide(situation(seen=seen, foreseen=forecast(90.0))).action is Action.HOLD


def test_a_sudden_fall_keeps_what_the_forecast_before_it_needs() -> None:
    """The surge of retries comes next."""
    fallen = forecast(1.0, fallen_from=forecast(20.0))
    decision = decide(situation(foreseen=fallen, seen=observation(seen=QUIET, known=state(40))))
    assert decision.reason is Reason.OUTAGE
    assert 20 < decision.wanted < 40


def test_a_fall_that_no_noise_explains_lowers_nothing() -> None:
    """Which of the forecasts before it was the last is a matter of minutes, and their needs differ."""
    fallen = replace(forecast(1.0, fallen_from=forecast(20.0)), fell_deep=True)
    decision = decide(situation(foreseen=fallen, seen=observation(seen=QUIET, known=state(40))))
    assert (decision.reason, decision.wanted) == (Reason.OUTAGE, 40)


def test_after_a_fall_nothing_is_raised_for_it() -> None:
    """The guard keeps; it does not buy."""
    fallen = forecast(1.0, fallen_from=forecast(200.0))
    decision = decide(situation(foreseen=fallen, seen=observation(seen=QUIET, known=state(40))))
    assert (decision.action, decision.wanted) == (Action.HOLD, 40)


def test_a_peak_within_the_hold_keeps_the_capacity() -> None:
    """The forecast is low for the next 13 minutes and high after: a decrease would have to be undone."""
    rising = forecast([1.0] * 14 + [20.0] * 60)
    seen = observation(seen=QUIET, known=state(40))
    decision = decide(situation(foreseen=rising, seen=seen, rules=policy(hold="20m")))
    assert decision.reason is Reason.SCALE_DOWN_HOLD
    assert 20 < decision.wanted < 40
    calm = decide(situation(foreseen=rising, seen=seen, rules=policy(hold="10m")))
    assert calm.wanted < 20


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        (Memory(raised_at=NOON - timedelta(minutes=14), changed_at=NOON - timedelta(minutes=14)), 40),
        (Memory(raised_at=NOON - timedelta(minutes=15), changed_at=NOON - timedelta(minutes=15)), 5),
        (Memory(raised_at=NOON - timedelta(hours=3), changed_at=NOON - timedelta(minutes=4)), 40),
        (Memory(raised_at=NOON - timedelta(hours=3), changed_at=NOON - timedelta(minutes=5)), 5),
    ],
    ids=["rose 14 min ago", "rose 15 min ago", "changed 4 min ago", "changed 5 min ago"],
)
def test_a_recent_change_is_held(memory: Memory, expected: int) -> None:
    """No decrease within a policy's hold (15 minutes) of a rise, nor within a tick of any change."""
    known = observation(seen=QUIET, known=state(40), memory=memory)
    decision = decide(situation(foreseen=forecast(1.0), seen=known, rules=policy(hold="15m")))
    assert decision.wanted == expected
    assert (Reason.MINIMUM_HOLD in names(decision.limits)) is (expected == 40)


def test_demand_may_raise_again_at_once() -> None:
    """The hold binds decreases: a second rise within a tick is allowed where demand needs it."""
    memory = Memory(raised_at=NOON - timedelta(minutes=1), changed_at=NOON - timedelta(minutes=1))
    decision = decide(situation(foreseen=forecast(40.0), seen=observation(known=state(20), memory=memory)))
    assert decision.action is Action.RAISE


def test_a_small_decrease_is_not_worth_a_write() -> None:
    """One unit of 54 stays; a rise of one unit does not wait."""
    seen = observation(seen=(40.0,) * 30, known=state(54))
    decision = decide(situation(foreseen=forecast(40.0), seen=seen))
    assert (decision.action, decision.reason) == (Action.HOLD, Reason.SMALL_CHANGE)
    lacking = observation(seen=(40.0,) * 30, known=state(52))
    assert decide(situation(foreseen=forecast(40.0), seen=lacking)).action is Action.RAISE


@pytest.mark.parametrize(("low", "standing", "expected"), [(1, 2, 1), (0, 1, 0), (29, 30, 29)])
def test_the_last_step_to_the_floor_is_worth_it(low: int, standing: int, expected: int) -> None:
    """2 -> 1, 1 -> 0 and 30 -> 29, where nothing needs more: no rounding leaves a unit standing for ever."""
    rules = policy(low=low, stack_owns_config=low > 0)
    seen = observation(seen=(0.0,) * 30, known=state(standing))
    assert decide(situation(rules=rules, foreseen=forecast(0.0), seen=seen)).wanted == expected


def test_a_ceiling_lowers_even_within_the_hold() -> None:
    """Invariants on decreases bind the objective; a rule may lower, and is then the reason."""
    moment = NOON - timedelta(minutes=1)
    seen = observation(known=state(40), memory=Memory(raised_at=moment, changed_at=moment))
    decision = decide(situation(rules=policy(high=15), foreseen=forecast(40.0), seen=seen))
    assert (decision.action, decision.wanted, decision.reason) == (Action.LOWER, 15, Reason.CEILING)


# --- nothing at all


def test_zero_is_a_delete_where_no_stack_owns_the_config() -> None:
    """With `stack_owns_config: false` and nothing to serve, the config goes."""
    rules = policy(low=0, stack_owns_config=False)
    seen = observation(seen=(0.0,) * 30, known=state(3))
    decision = decide(situation(rules=rules, foreseen=forecast(0.0), seen=seen))
    assert (decision.action, decision.wanted) == (Action.DELETE, 0)


def test_nothing_wanted_and_nothing_there_is_a_hold() -> None:
    """No config and no need: nothing to do, least of all a Delete."""
    rules = policy(low=0, stack_owns_config=False)
    seen = observation(seen=(0.0,) * 30, known=state(0, status=None))
    assert decide(situation(rules=rules, foreseen=forecast(0.0), seen=seen)).action is Action.HOLD


def test_a_config_that_a_stack_owns_keeps_one_unit() -> None:
    """An override to 0 on a stack's config stops at 1: a Delete would break the stack's next deploy."""
    override = Override(until=NOON + timedelta(hours=1), reason="cost", minimum=0, maximum=0)
    seen = observation(seen=(0.0,) * 30, known=state(3), override=override)
    decision = decide(situation(foreseen=forecast(0.0), seen=seen))
    assert (decision.action, decision.wanted, decision.reason) == (Action.LOWER, 1, Reason.STACK_OWNS_CONFIG)


# --- modes


def test_raise_only_never_lowers() -> None:
    """Not even for a ceiling."""
    rules = policy(mode="raise-only", high=15)
    decision = decide(situation(rules=rules, seen=observation(known=state(40))))
    assert (decision.action, decision.wanted, decision.reason) == (Action.HOLD, 40, Reason.RAISE_ONLY)
    assert decide(situation(rules=policy(mode="raise-only"), foreseen=forecast(90.0))).action is Action.RAISE


def test_observe_plans_and_writes_nothing() -> None:
    """The wanted capacity is there to be seen; the action is a hold."""
    decision = decide(situation(rules=policy(mode="observe"), foreseen=forecast(40.0)))
    assert (decision.action, decision.wanted, decision.blocked) == (Action.HOLD, 53, True)
    assert names(decision.limits)[-1] is Reason.OBSERVE


# --- what forbids the write


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stopped": True}, Reason.STOPPED),
        ({"fault": Fault(FaultKind.MISSING, "Cannot find alias")}, Reason.FAULT),
        ({"state": state(10, weights={"8": 0.1})}, Reason.WEIGHTS),
        ({"state": state(10, status=Status.IN_PROGRESS)}, Reason.IN_PROGRESS),
        ({"state": state(10, ineligible="SnapStart")}, Reason.INELIGIBLE),
        ({"state": state(10, scalable=ScalableTarget(1, 5, ours=False))}, Reason.FOREIGN_SCALABLE_TARGET),
        ({"state": state(10, scalable=ScalableTarget(1, 5, ours=True))}, Reason.FOREIGN_SCALABLE_TARGET),
        ({"state": state(10, status=Status.FAILED, allocated=0)}, Reason.BACK_OFF),
        ({"memory": Memory(back_off_until=NOON + timedelta(minutes=1), failures=1)}, Reason.BACK_OFF),
        ({"state": None, "memory": Memory()}, Reason.STATE_UNKNOWN),
    ],
    ids=lambda value: value.value if isinstance(value, Reason) else "",
)
def test_what_forbids_a_write(changes: dict[str, object], reason: Reason) -> None:
    """Each of these holds a target that would otherwise rise, and is named."""
    seen = replace(observation(known=state(10)), **changes)  # type: ignore[arg-type] # fields of an observation
    decision = decide(situation(foreseen=forecast(40.0), seen=seen))
    assert decision.action is Action.HOLD
    assert decision.blocked
    assert reason in names(decision.limits)


def test_a_failed_allocation_is_tried_again_after_its_back_off() -> None:
    """What stands after FAILED is what was allocated, so the same capacity is a rise again."""
    failed = state(40, status=Status.FAILED, allocated=0)
    memory = Memory(requested=40, failures=1, back_off_until=NOON - timedelta(minutes=1))
    decision = decide(situation(foreseen=forecast(28.0), seen=observation(known=failed, memory=memory)))
    assert (decision.action, decision.current) == (Action.RAISE, 0)


def test_memory_stands_in_for_a_state_that_was_not_read() -> None:
    """What we requested last is what stands, until a look says otherwise."""
    seen = observation(known=None, memory=Memory(requested=12))
    assert decide(situation(seen=seen, foreseen=forecast(40.0))).current == 12


def test_our_own_request_is_newer_than_a_state_read_before_it() -> None:
    """Twice at the same instant: what was asked for is under way, whatever the state read before it says."""
    asked = Memory(requested=53, changed_at=NOON, raised_at=NOON, pending_since=NOON)
    decision = decide(situation(foreseen=forecast(80.0), seen=observation(known=state(10), memory=asked)))
    assert (decision.action, decision.current) == (Action.HOLD, 53)
    assert names(decision.limits)[-1] is Reason.IN_PROGRESS


# --- autoscaling


def test_autoscaling_publishes_the_wanted_capacity_as_its_minimum() -> None:
    """Minimum = wanted, maximum = ceiling; the capacity itself is Application Auto Scaling's."""
    ours = ScalableTarget(minimum=10, maximum=400, ours=True)
    rules = policy(actuator="autoscaling")
    decision = decide(situation(rules=rules, foreseen=forecast(40.0), seen=observation(known=state(80, scalable=ours))))
    assert (decision.action, decision.current, decision.wanted) == (Action.RAISE, 10, 53)
    assert decision.published_maximum == 400


def test_autoscaling_registers_a_changed_ceiling() -> None:
    """The same minimum with another maximum is a change too."""
    rules = policy(actuator="autoscaling", low=53, high=60)
    ours = ScalableTarget(minimum=53, maximum=400, ours=True)
    seen = observation(seen=(40.0,) * 30, known=state(53, scalable=ours))
    decision = decide(situation(rules=rules, foreseen=forecast(40.0), seen=seen))
    assert (decision.action, decision.wanted, decision.published_maximum) == (Action.LOWER, 53, 60)


def test_raise_only_never_registers_a_maximum_below_what_stands() -> None:
    """A ceiling of 15 over 80 units: AWS would cut the capacity to the maximum."""
    ours = ScalableTarget(minimum=10, maximum=60, ours=True)
    rules = policy(actuator="autoscaling", mode="raise-only", high=15)
    decision = decide(situation(rules=rules, seen=observation(known=state(80, scalable=ours))))
    assert decision.published_maximum == 80


def test_autoscaling_adopts_only_where_the_policy_says_so() -> None:
    """A foreign scalable target is held unless `adopt: true`."""
    foreign = ScalableTarget(minimum=1, maximum=5, ours=False)
    seen = observation(known=state(10, scalable=foreign))
    for adopt, action in ((False, Action.HOLD), (True, Action.RAISE)):
        rules = policy(actuator="autoscaling", adopt=adopt)
        assert decide(situation(rules=rules, foreseen=forecast(40.0), seen=seen)).action is action


# --- lead time and identity


@pytest.mark.parametrize(
    ("written", "measured_s", "expected_min"),
    [(None, None, 3), (None, 100.0, 3), (None, 420.0, 7), (None, 9999.0, 15), ("5m", 420.0, 5)],
)
def test_the_lead_time_is_the_policys_else_measured(
    written: str | None, measured_s: float | None, expected_min: int
) -> None:
    """The policy's word, else what was measured between the default and a quarter of an hour."""
    rules = policy(lead_time=written) if written else policy()
    seen = observation(known=state(10), memory=Memory(lead_time_s=measured_s))
    assert situation(rules=rules, seen=seen).lead_time == timedelta(minutes=expected_min)


def test_a_longer_lead_time_looks_further_ahead() -> None:
    """A peak in 14 minutes matters to a target whose allocations take 10."""
    peak_ahead = forecast([1.0] * 14 + [40.0] * 60)
    slow = observation(seen=QUIET, known=state(5), memory=Memory(lead_time_s=600.0))
    fast = observation(seen=QUIET, known=state(5))
    assert decide(situation(foreseen=peak_ahead, seen=slow)).wanted > 40
    assert decide(situation(foreseen=peak_ahead, seen=fast)).wanted == 5


def test_a_decisions_id_is_the_same_for_the_same_input() -> None:
    """Target, instant and fleet version make the id; nothing else does."""
    first, again = decision_id("arn:a", NOON, "v1"), decision_id("arn:a", NOON, "v1")
    assert first == again
    assert len({first, decision_id("arn:b", NOON, "v1"), decision_id("arn:a", NOON, "v2")}) == 3


def test_without_learning_the_reason_says_so() -> None:
    """Until history is learned a target obeys its rules and what is seen."""
    decision = decide(situation(foreseen=forecast(40.0), seen=observation(known=state(10), learned=None)))
    assert decision.reason is Reason.LEARNING


def test_a_gap_within_calm_data_does_not_count_as_zero() -> None:
    """Half the minutes missing, the newest known: the objective works on what is known."""
    seen = np.tile([10.0, np.nan], 15)
    seen[-1] = 10.0
    decision = decide(situation(seen=observation(seen=seen, known=state(18)), foreseen=forecast(10.0)))
    assert decision.demand == pytest.approx(10.0)
