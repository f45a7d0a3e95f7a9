"""The observer on the local AWS, over HTTP with Warmcast's own clients: what the fakes can't say of the wire."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from builders import CHECKOUT, NOON, fleet, policy, target
from localaws import Series
from warmcast.model import AccountLimits, Budget, Fault, FaultKind, History, Rhythm, ScalableTarget, Status, TargetState
from warmcast.observe import Observer
from warmcast.workshop import assemble

if TYPE_CHECKING:
    from localaws import LocalAws
    from scripted import StepClock
    from warmcast.aws.session import Clients
    from warmcast.tick import Observed

TICK = timedelta(minutes=5)
PAYMENTS = target("payments:live")
HOURS = 6 * 60


@pytest.fixture
def world(aws: LocalAws, clients: Clients, clock: StepClock) -> World:
    """Two functions that have worked for six hours, and Warmcast's own heartbeat."""
    for name in ("checkout-api", "payments"):
        aws.create_function(name, timeout_s=30, memory_mb=512)
    return World(aws, clients, clock)


class World:
    """An observer over the local AWS, and the local AWS's clock."""

    def __init__(self, aws: LocalAws, clients: Clients, clock: StepClock) -> None:
        self.aws = aws
        self.policies = {each: policy(str(each)) for each in (CHECKOUT, PAYMENTS)}
        self.observer = Observer(
            metrics=clients.metrics,
            functions=clients.functions,
            autoscaling=clients.autoscaling,
            monotonic=clock.monotonic,
            own_function="warmcast",
        )

    def work(self, name: str, start: datetime, minutes: int) -> None:
        """Let an alias have an invocation a second of half a second, and as many at once as the minute's number."""
        ones = np.ones(minutes)
        self.aws.load_minutes(
            name, "live", start, invocations=60 * ones, duration_ms=30_000 * ones, concurrency=np.arange(minutes) % 60
        )

    def beat(self, minutes: int = HOURS) -> None:
        """Let Warmcast have run every 5 minutes up to now."""
        now = self.aws.now()
        every_fifth = np.where(np.arange(minutes) % 5 == 0, 1.0, np.nan)
        start = now - timedelta(minutes=minutes)
        self.aws.load_metrics([Series("Invocations", {"FunctionName": "warmcast"}, start, sum=every_fifth)])

    def tick(self, after: timedelta = timedelta()) -> Observed:
        """Observe, a while after the tick before."""
        if after:
            self.aws.advance(after)
        self.beat()
        self.aws.clear_calls()
        return self.observer.observe(self.policies, {}, now=self.aws.now())


def whole(history: History | Fault) -> History:
    """The history, which must be one."""
    assert isinstance(history, History)
    return history


def test_a_cold_start_reads_all_that_there_is_in_few_calls(world: World) -> None:
    """Minutes and weeks of both targets; work in execution-seconds, arrivals, peaks; and the state of both."""
    world.work("checkout-api", NOON - timedelta(hours=6), HOURS)
    world.work("payments", NOON - timedelta(hours=6), HOURS - 60)
    observed = world.tick()
    busy, rested = whole(observed.histories[CHECKOUT]), whole(observed.histories[PAYMENTS])
    assert busy.coarse.start == int(NOON.timestamp()) - 6 * 3600
    assert busy.coarse.end == busy.fine.start
    np.testing.assert_array_equal(busy.fine.demand, np.full(len(busy.fine), 0.5))
    np.testing.assert_array_equal(busy.fine.arrivals, np.full(len(busy.fine), 60.0))
    np.testing.assert_array_equal(busy.coarse.work_s, np.full(len(busy.coarse), 150.0))
    np.testing.assert_array_equal(busy.coarse.peak, np.arange(len(busy.coarse)) * 5 % 60 + 4.0)
    last_hour = rested.fine.between(int(NOON.timestamp()) - 3600, int(NOON.timestamp()) - 240)
    np.testing.assert_array_equal(last_hour.work_s, np.zeros(56))
    assert world.aws.calls()["cloudwatch:GetMetricData"] <= 5
    state = observed.states[CHECKOUT]
    assert isinstance(state, TargetState)
    assert (state.memory_mb, state.timeout_s, state.version, state.capacity.status) == (512, 30.0, "1", None)
    assert observed.account == AccountLimits(concurrency=1000, unreserved=1000, others_in_use=0.0, elsewhere=0)


def test_two_weeks_of_minutes_come_whole_over_the_wire(world: World) -> None:
    """Ten seconds of work in minute 0, twenty in minute 1 and so on by the five; nothing in every seventh minute."""
    start, count = NOON - timedelta(days=14), 14 * 1440
    minute = np.arange(count)
    work_s = np.where(minute % 7 == 0, np.nan, minute % 5 * 10.0 + 10)
    where = {"FunctionName": "checkout-api", "Resource": "checkout-api:live"}
    world.aws.load_metrics([Series("Duration", where, start, sum=work_s * 1000)])
    known = whole(world.tick().histories[CHECKOUT])
    assert known.coarse.start == int(start.timestamp())
    expected = np.nan_to_num(work_s[: 5 * len(known.coarse)])
    np.testing.assert_allclose(known.minutes, expected / 60, rtol=1e-6)
    np.testing.assert_allclose(known.coarse.work_s, expected.reshape(-1, 5).sum(axis=1))
    weeks = [call for call in world.aws.journal("GetMetricData") if len(call["params"]["MetricDataQueries"]) == 8]
    periods = [query["MetricStat"]["Period"] for query in weeks[0]["params"]["MetricDataQueries"]]
    assert (len(weeks), periods) == (1, [60, 300, 300, 300] * 2)


def test_a_late_revision_is_taken_in_over_the_wire(world: World) -> None:
    """An invocation of 25 seconds that began at 11:56 is added after noon, to the minute that it began in."""
    world.work("checkout-api", NOON - timedelta(hours=1), 70)
    where = {"FunctionName": "checkout-api", "Resource": "checkout-api:live"}
    minute, due = NOON - timedelta(minutes=4), NOON + timedelta(minutes=2)
    world.aws.revise_minute("Duration", where, minute, total=55_000, count=61, due=due)
    fine = whole(world.tick().histories[CHECKOUT]).fine
    at = (int(minute.timestamp()) - fine.start) // 60
    assert fine.work_s[at] == 30.0
    fine = whole(world.tick(TICK).histories[CHECKOUT]).fine
    assert fine.work_s[(int(minute.timestamp()) - fine.start) // 60] == 55.0


def test_idle_minutes_are_zero_where_our_heartbeat_reached_and_gaps_beyond(world: World) -> None:
    """Idle since 11:00. At 12:05 our newest visible invocation is 12:00, so 12:01 and 12:02 are not known yet."""
    world.work("checkout-api", NOON - timedelta(hours=6), HOURS - 60)
    fine = whole(world.tick(TICK).histories[CHECKOUT]).fine
    silent = fine.between(int(NOON.timestamp()) - 3600, int(NOON.timestamp()) + 300)
    np.testing.assert_array_equal(silent.work_s, [0.0] * 61 + [np.nan] * 2)


def test_a_heartbeat_that_stops_makes_silence_a_gap(world: World) -> None:
    """Neither we nor anybody else reported for an hour: CloudWatch may be behind, and nothing is taken for zero."""
    world.work("checkout-api", NOON - timedelta(hours=6), HOURS - 60)
    fine = whole(world.observer.observe(world.policies, {}, now=NOON).histories[CHECKOUT]).fine
    assert np.isnan(fine.between(int(NOON.timestamp()) - 3600, int(NOON.timestamp())).work_s).all()


@pytest.mark.parametrize("status", ["Forbidden", "PartialData", "InternalError"])
def test_one_targets_affliction_is_not_its_neighbours(world: World, status: str) -> None:
    """Forbidden is a fault, the other two an incomplete history; the neighbour is whole each time."""
    for name in ("checkout-api", "payments"):
        world.work(name, NOON - timedelta(hours=6), HOURS)
    world.aws.afflict(status, {"Resource": "checkout-api:live"}, name="Duration")
    observed = world.tick()
    afflicted = observed.histories[CHECKOUT]
    if status == "Forbidden":
        assert afflicted == Fault(FaultKind.DENIED, "GetMetricData: Forbidden: Forbidden: injected")
    else:
        assert not whole(afflicted).complete
    assert whole(observed.histories[PAYMENTS]).complete


def test_a_call_that_cloudwatch_refuses_is_told_with_its_words_and_made_good_later(world: World) -> None:
    """Denied for one tick: both targets are at fault, the control plane is read all the same."""
    for name in ("checkout-api", "payments"):
        world.work(name, NOON - timedelta(hours=6), HOURS + 10)
    world.tick()
    world.aws.inject("GetMetricData", times=None, code="AccessDeniedException", message="not you")
    observed = world.tick(TICK)
    fault = Fault(FaultKind.DENIED, "GetMetricData: AccessDeniedException: not you")
    assert observed.histories == {CHECKOUT: fault, PAYMENTS: fault}
    assert len(observed.states) == 2
    world.aws.clear_faults()
    fine = whole(world.tick(TICK).histories[CHECKOUT]).fine
    assert not np.isnan(fine.between(fine.start, int(NOON.timestamp()) + 480).work_s).any()


def test_states_come_from_the_control_planes_as_they_are(world: World, clients: Clients) -> None:
    """A request in progress, a canary's weights, a sibling and a registration, each seen at the tick after."""
    aws = world.aws
    aws.create_alias("checkout-api", "spare", version=aws.publish_version("checkout-api"))
    world.tick()
    aws.set_provisioned("checkout-api", "spare", 4)
    clients.functions.put(CHECKOUT, 6)
    clients.autoscaling.register(CHECKOUT, 6, 20)
    aws.create_alias("payments", "live", version="1", weights={aws.publish_version("payments"): 0.1})
    world.observer.observe(world.policies, {}, now=aws.now())
    aws.advance(TICK)
    fresh = world.observer.reread([CHECKOUT, PAYMENTS], now=aws.now())
    ready, shifting = fresh[CHECKOUT], fresh[PAYMENTS]
    assert isinstance(ready, TargetState)
    assert isinstance(shifting, TargetState)
    assert (ready.capacity.requested, ready.capacity.status, ready.siblings) == (6, Status.READY, {"spare": 4})
    assert ready.scalable == ScalableTarget(minimum=6, maximum=20, ours=True)
    assert shifting.weights == {"2": 0.1}


def test_an_alias_that_does_not_exist_is_its_own_fault_in_awss_words(world: World) -> None:
    """The neighbour is known, and the fault names the alias that is missing."""
    nowhere = target("checkout-api:nowhere")
    world.policies[nowhere] = policy(str(nowhere))
    states = world.tick().states
    fault = states[nowhere]
    assert isinstance(fault, Fault)
    assert fault.kind is FaultKind.MISSING
    assert "checkout-api:nowhere" in fault.message
    assert isinstance(states[CHECKOUT], TargetState)


def test_a_warm_tick_over_many_targets_makes_few_calls(world: World) -> None:
    """130 targets of which nothing changed: some reads of CloudWatch, hardly a call of Lambda's control plane."""
    names = [f"fn-{n}" for n in range(130)]
    world.policies = {target(f"{name}:live"): policy(f"{name}:live") for name in names}
    for name in names:
        world.aws.create_function(name)
    for _ in range(3):
        world.tick(TICK)
    world.tick(TICK)
    calls = world.aws.calls()
    assert calls["cloudwatch:GetMetricData"] <= 4
    assert (
        sum(calls.get(f"lambda:{name}", 0) for name in ("ListProvisionedConcurrencyConfigs", "GetAlias")) <= 130 * 0.06
    )


def test_a_ticks_seconds_reach_the_observer(aws: LocalAws, clients: Clients, clock: StepClock) -> None:
    """A tick that may take no time reads nothing of AWS; the next one, with time, reads what it needs."""
    aws.create_function("checkout-api")
    shop = assemble(fleet(policy(str(CHECKOUT))), clients, rhythm=Rhythm(), budget=Budget(), clock=clock)
    aws.clear_calls()
    shop.begin(0.0)
    assert not shop.observer.observe(shop.fleet.policies, {}, now=NOON).states
    assert aws.calls() == {}
    shop.begin(230.0)
    assert len(shop.observer.observe(shop.fleet.policies, {}, now=NOON).states) == 1
