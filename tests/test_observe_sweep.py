"""The control planes' state of all targets: read slowly in turn, sooner where something changes, and before a write."""

from __future__ import annotations

from datetime import timedelta

import pytest

from builders import CHECKOUT, NOON, capacity, target
from observing import FACTS, SweepWorld, refusal
from warmcast.aws.functions import AliasFacts
from warmcast.aws.wire import LOCAL_THROTTLE
from warmcast.model import NO_CAPACITY, Fault, FaultKind, ScalableTarget, Status, TargetState
from warmcast.observe.sweep import Sweep
from warmcast.observe.turns import Sweeping

TICK = timedelta(minutes=5)
PAYMENTS, SEARCH = target("payments:live"), target("search:live")
CANARY = target("checkout-api:canary")


# --- what a state is made of -----------------------------------------------------------------------------------------


def test_a_state_puts_together_what_five_reads_gave() -> None:
    """Capacity and siblings from the list, version and weights from the alias, the rest from the function."""
    world = SweepWorld()
    world.aws.capacities["checkout-api"] = {"live": capacity(10), "canary": capacity(3)}
    world.aws.aliases["checkout-api", "live"] = AliasFacts("8", {"7": 0.9})
    world.aws.scalables[CHECKOUT] = ScalableTarget(minimum=2, maximum=40, ours=True)
    world.tick()
    assert world.state() == TargetState(
        read_at=NOON,
        capacity=capacity(10),
        version="8",
        memory_mb=FACTS.memory_mb,
        architecture=FACTS.architecture,
        timeout_s=FACTS.timeout_s,
        weights={"7": 0.9},
        scalable=ScalableTarget(minimum=2, maximum=40, ours=True),
        siblings={"canary": 3},
    )


def test_a_target_without_a_config_has_no_capacity() -> None:
    """That is a state, not something unknown."""
    world = SweepWorld()
    world.aws.capacities["checkout-api"] = {}
    world.tick()
    assert (world.state().capacity, world.state().siblings) == (NO_CAPACITY, {})


def test_a_published_version_is_read_without_an_alias() -> None:
    """GetAlias of a number would be refused."""
    version = target("checkout-api:7")
    world = SweepWorld(version)
    assert "GetAlias" not in {operation for operation, _ in world.tick()}
    assert world.state(version).version == "7"


def test_one_list_serves_all_targets_of_a_function() -> None:
    """Two aliases, one call."""
    world = SweepWorld(CHECKOUT, CANARY)
    assert world.tick().count(("List", "checkout-api")) == 1
    assert {world.state().read_at, world.state(CANARY).read_at} == {NOON}


def test_scalable_targets_are_described_fifty_at_a_time_and_hourly() -> None:
    """120 targets: 3 calls, and the next after an hour."""
    world = SweepWorld(*(target(f"fn-{n}:live") for n in range(120)))
    described = [
        sum(operation == "Describe" for operation, _ in world.tick(TICK if n else timedelta())) for n in range(14)
    ]
    assert described == [3, *[0] * 11, 3, 0]


# --- how slowly ------------------------------------------------------------------------------------------------------


def test_what_does_not_change_is_hardly_read() -> None:
    """40 quiet targets over 12 hours: at most 0.05 shared calls a target and tick, no state older than 3 hours."""
    world = SweepWorld(*(target(f"fn-{n}:live") for n in range(40)))
    world.tick()
    shared = 0
    for _ in range(144):
        world.tick(TICK)
        shared += sum(operation in {"List", "GetAlias"} for operation, _ in world.aws.shared)
        assert all(world.now - world.state(each).read_at <= timedelta(hours=3, minutes=5) for each in world.targets)
    assert shared / 144 / 40 <= 0.05


def test_a_cold_start_makes_some_targets_known_a_tick_and_all_of_them_soon() -> None:
    """30 calls a tick: 15 targets at two calls each; the first tick needs one for the account."""
    world = SweepWorld(*(target(f"fn-{n}:live") for n in range(40)), calls_per_tick=30)
    known = []
    for n in range(4):
        world.tick(TICK if n else timedelta())
        assert len(world.aws.shared) <= 30
        known.append(sum(world.sweep.state(each) is not None for each in world.targets))
    assert known == [14, 29, 40, 40]


@pytest.mark.parametrize("status", [Status.IN_PROGRESS, Status.FAILED])
def test_an_allocation_that_is_not_done_is_looked_at_every_tick(status: Status) -> None:
    """Until it is READY; then its turn comes with the others'."""
    world = SweepWorld()
    world.aws.capacities["checkout-api"] = {"live": capacity(10, status)}
    world.tick()
    assert ("List", "checkout-api") in world.tick(TICK)
    world.aws.capacities["checkout-api"] = {"live": capacity(10)}
    assert ("List", "checkout-api") in world.tick(TICK)
    assert world.state().capacity.status is Status.READY
    assert world.tick(TICK) == []


def test_a_shift_of_versions_is_followed_tick_by_tick() -> None:
    """While the alias has weights, and once it points elsewhere the new version's facts are read."""
    world = SweepWorld()
    world.aws.aliases["checkout-api", "live"] = AliasFacts("7", {"8": 0.1})
    world.tick()
    assert ("GetAlias", "checkout-api:live") in world.tick(TICK)
    world.aws.aliases["checkout-api", "live"] = AliasFacts("8", {})
    world.tick(TICK)
    assert world.tick(TICK) == [("GetFunction", "checkout-api:live")]


def test_a_change_of_ours_is_followed_whatever_was_seen() -> None:
    """The controller remembers a request that it has not seen READY."""
    world = SweepWorld()
    world.tick()
    assert world.tick(TICK) == []
    assert set(world.tick(TICK, pending=[CHECKOUT])) == {("List", "checkout-api"), ("GetAlias", "checkout-api:live")}


def test_odd_spillover_brings_an_early_look_but_not_at_every_tick() -> None:
    """Two hours of suspicion: a look every half hour."""
    world = SweepWorld()
    world.tick()
    looks = sum(("List", "checkout-api") in world.tick(TICK, suspects=[CHECKOUT]) for _ in range(24))
    assert looks == 4


def test_pending_targets_come_before_everything_when_calls_are_short() -> None:
    """Room for three calls: the change under way takes two of them, ahead of targets never read."""
    world = SweepWorld(CHECKOUT)
    world.tick()
    world.targets = (*(target(f"fn-{n}:live") for n in range(9)), CHECKOUT)
    world.sweep = _limited(world)
    assert world.tick(TICK, pending=[CHECKOUT])[1:3] == [("List", "checkout-api"), ("GetAlias", "checkout-api:live")]


def _limited(world: SweepWorld) -> Sweep:
    """A sweep with room for a few calls that has seen the checkout target once."""
    sweep = Sweep(world.aws, world.aws, sweeping=Sweeping(calls_per_tick=8))
    sweep.look([CHECKOUT], pending=set(), suspects=set(), now=world.now, in_time=lambda: True)
    return sweep


# --- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "about", "code", "kind"),
    [
        ("List", "checkout-api", "ResourceNotFoundException", FaultKind.MISSING),
        ("GetAlias", "checkout-api:live", "ResourceNotFoundException", FaultKind.MISSING),
        ("GetAlias", "checkout-api:live", "AccessDeniedException", FaultKind.DENIED),
        ("GetFunction", "checkout-api:live", "ServiceException", FaultKind.AWS),
        ("GetFunction", "checkout-api:live", "UnreadableAnswer", FaultKind.AWS),
    ],
)
def test_a_refused_read_is_its_targets_fault_alone(operation: str, about: str, code: str, kind: FaultKind) -> None:
    """With AWS's code and words; the other target is known as ever."""
    world = SweepWorld(CHECKOUT, PAYMENTS)
    world.aws.errors[operation, about] = refusal(code, operation)
    world.tick()
    assert world.sweep.state(CHECKOUT) == Fault(kind, f"{operation}: {code}: words of {code}")
    assert isinstance(world.sweep.state(PAYMENTS), TargetState)


def test_a_fault_stands_until_a_read_succeeds() -> None:
    """A missing alias is looked for every 15 minutes, and its fault is told at each tick until it is there."""
    world = SweepWorld()
    world.aws.errors["GetAlias", "checkout-api:live"] = refusal("ResourceNotFoundException", "GetAlias")
    world.tick()
    asked = []
    for _ in range(5):
        asked.append(("GetAlias", "checkout-api:live") in world.tick(TICK))
        assert isinstance(world.sweep.state(CHECKOUT), Fault)
    assert asked == [False, False, True, False, False]
    world.aws.errors.clear()
    world.tick(TICK)
    assert isinstance(world.sweep.state(CHECKOUT), TargetState)


def test_a_throttle_ends_the_ticks_looks_instead_of_adding_to_it() -> None:
    """The first refusal is one target's fault for this tick; no further call is made, the next tick goes on."""
    world = SweepWorld(CHECKOUT, PAYMENTS, SEARCH)
    world.aws.errors["List", "payments"] = refusal("TooManyRequestsException", "ListProvisionedConcurrencyConfigs")
    calls = world.tick()
    assert calls[-1] == ("List", "payments")
    fault = world.sweep.state(PAYMENTS)
    assert isinstance(fault, Fault)
    assert fault.kind is FaultKind.THROTTLED
    assert isinstance(world.sweep.state(CHECKOUT), TargetState)
    world.aws.errors.clear()
    world.tick(TICK)
    assert all(isinstance(world.sweep.state(each), TargetState) for each in world.targets)


def test_our_own_throttle_is_nobodys_fault() -> None:
    """Nothing was asked of AWS, so nothing is known to be wrong: the target is read at the next tick."""
    world = SweepWorld()
    world.aws.errors["List", "checkout-api"] = refusal(LOCAL_THROTTLE, "ListProvisionedConcurrencyConfigs")
    world.tick()
    assert world.sweep.state(CHECKOUT) is None
    world.aws.errors.clear()
    world.tick(TICK)
    assert isinstance(world.sweep.state(CHECKOUT), TargetState)


def test_scalable_targets_that_cannot_be_described_are_the_fault_of_their_fifty() -> None:
    """Whether somebody else scales them is not known, so they may not be written."""
    world = SweepWorld(*(target(f"fn-{n:02}:live") for n in range(60)))
    batch = " ".join(str(each) for each in world.targets[:50])
    world.aws.errors["Describe", batch] = refusal("AccessDeniedException", "DescribeScalableTargets")
    world.tick()
    faults = [isinstance(world.sweep.state(each), Fault) for each in world.targets]
    assert faults == [True] * 50 + [False] * 10


def test_targets_that_left_the_fleet_are_forgotten_after_a_day() -> None:
    """Their capacity counts as elsewhere until then."""
    world = SweepWorld(CHECKOUT, PAYMENTS)
    world.tick()
    world.targets = (CHECKOUT,)
    world.tick(TICK)
    assert world.sweep.elsewhere({CHECKOUT}) == 10
    for _ in range(25):
        world.tick(timedelta(hours=1))
    assert world.sweep.elsewhere({CHECKOUT}) == 0


# --- just before a write ---------------------------------------------------------------------------------------------


def test_a_reread_reads_everything_that_this_tick_has_not_read() -> None:
    """At the first tick nothing more; five minutes later all of it, and it shows what somebody changed meanwhile."""
    world = SweepWorld()
    world.tick()
    assert world.reread(CHECKOUT) == {CHECKOUT: world.state()}
    assert world.aws.calls == []
    world.tick(TICK)
    world.aws.capacities["checkout-api"] = {"live": capacity(99)}
    [fresh] = world.reread(CHECKOUT).values()
    assert isinstance(fresh, TargetState)
    assert (fresh.capacity.requested, fresh.read_at) == (99, world.now)
    assert {operation for operation, _ in world.aws.calls} == {"List", "GetAlias", "GetFunction", "Describe"}


def test_rereads_take_the_most_urgent_as_far_as_calls_go() -> None:
    """9 calls: the first four targets at two calls each; the fifth is absent, to be put off."""
    targets = [target(f"fn-{n}:live") for n in range(5)]
    world = SweepWorld(*targets)
    world.tick()
    world.tick(TICK)
    assert list(world.reread(*reversed(targets), calls=9)) == list(reversed(targets))[:4]


def test_targets_never_read_leave_the_rereads_their_calls() -> None:
    """A sweep that spends its last call on a cold fleet; rereads have as many as they were given."""
    changing = [target(f"fn-{n}:live") for n in range(10)]
    world = SweepWorld(*changing)
    world.tick()
    world.targets = (*changing, *(target(f"new-{n}:live") for n in range(500)))
    world.tick(TICK)
    assert len(world.aws.shared) == 200
    assert list(world.reread(*changing, calls=20)) == changing


def test_a_throttle_of_the_sweep_does_not_forbid_the_rereads() -> None:
    """Seconds later AWS may have calls again, and a rise waits for them; the first refusal there ends them."""
    world = SweepWorld(CHECKOUT, PAYMENTS)
    world.tick()
    world.aws.errors["List", "checkout-api"] = refusal("TooManyRequestsException", "ListProvisionedConcurrencyConfigs")
    world.tick(TICK, pending=[CHECKOUT])
    assert list(world.reread(PAYMENTS, CHECKOUT)) == [PAYMENTS, CHECKOUT]
    assert isinstance(world.state(PAYMENTS), TargetState)
    world.tick(TICK)
    assert list(world.reread(CHECKOUT, PAYMENTS)) == [CHECKOUT]


def test_a_reread_that_is_refused_is_a_fault_and_the_others_are_read() -> None:
    """The alias was deleted between sweep and write."""
    world = SweepWorld(CHECKOUT, PAYMENTS)
    world.tick()
    world.tick(TICK)
    world.aws.errors["GetAlias", "checkout-api:live"] = refusal("ResourceNotFoundException", "GetAlias")
    found = world.reread(CHECKOUT, PAYMENTS)
    assert isinstance(found[CHECKOUT], Fault)
    assert isinstance(found[PAYMENTS], TargetState)


def test_a_reread_that_our_own_throttle_stops_leaves_the_target_absent() -> None:
    """An old state must not pass for a fresh one."""
    world = SweepWorld()
    world.tick()
    world.tick(TICK)
    world.aws.errors["GetAlias", "checkout-api:live"] = refusal(LOCAL_THROTTLE, "GetAlias")
    assert world.reread(CHECKOUT) == {}


def test_out_of_time_nothing_is_read_again() -> None:
    """All are absent, and put off."""
    world = SweepWorld()
    world.tick()
    world.now += TICK
    assert world.sweep.reread([CHECKOUT], now=world.now, calls=200, in_time=lambda: False) == {}
