"""What the account allows and others use: the last known stands for a while, and what kept us from it is told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from builders import capacity
from observing import NOW_S, REGION, World, refusal
from warmcast.aws.metrics import Completeness
from warmcast.model import Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Callable

TICK = timedelta(minutes=5)


def others_in_use(world: World, after: timedelta = timedelta()) -> float | None:
    """What others use as the next tick sees it."""
    account = world.tick(after).account
    assert account is not None
    return account.others_in_use


def test_what_others_use_is_the_highest_of_the_last_hour() -> None:
    """81 within the hour; the 200 before it are past. Read every third tick."""
    world = World()
    peaks = {NOW_S - 1800: 81.0, NOW_S - 2400: 60.0, NOW_S - 4200: 200.0}
    world.cloudwatch.series[REGION] = peaks.get
    asked = []
    for n in range(7):
        account = world.tick(TICK if n else timedelta()).account
        asked.append(REGION in {query for query, _ in world.cloudwatch.asked})
        if n == 0:
            assert account is not None
            assert (account.concurrency, account.unreserved, account.others_in_use) == (1000, 900, 81.0)
    assert asked == [True, False, False, True, False, False, True]


def test_capacity_of_the_fleets_functions_that_is_not_the_fleets_counts_as_elsewhere() -> None:
    """30 units on an alias that nobody manages; the managed ones are not elsewhere."""
    world = World()
    world.aws.capacities["checkout-api"] = {"live": capacity(10), "canary": capacity(30)}
    account = world.tick().account
    assert account is not None
    assert account.elsewhere == 30


def test_limits_that_could_not_be_read_again_stand_and_the_fault_is_told() -> None:
    """Hourly; at first there is nothing to stand on."""
    world = World()
    world.aws.errors["GetAccountSettings", "*"] = refusal("AccessDeniedException", "GetAccountSettings")
    observed = world.tick()
    assert observed.account is None
    assert observed.account_fault is not None
    assert observed.account_fault.kind is FaultKind.DENIED
    world.aws.errors.clear()
    assert world.tick(TICK).account_fault is None
    world.aws.errors["GetAccountSettings", "*"] = refusal("ServiceException", "GetAccountSettings")
    later = world.tick(timedelta(hours=1))
    assert later.account is not None
    assert later.account_fault is not None


# --- what others use, where it can't be read -------------------------------------------------------------------------


def partial(world: World) -> None:
    """CloudWatch has half of it."""
    world.cloudwatch.statuses[REGION] = Completeness.PARTIAL


def denied(world: World) -> None:
    """CloudWatch says Forbidden."""
    world.cloudwatch.statuses[REGION] = Completeness.FORBIDDEN


def failing(world: World) -> None:
    """The call fails."""
    world.cloudwatch.errors[REGION] = refusal("InternalFailure")


FAULTS: dict[Callable[[World], None], Fault] = {
    partial: Fault(FaultKind.AWS, "GetMetricData: UnreservedConcurrentExecutions: PartialData: words of PartialData"),
    denied: Fault(FaultKind.DENIED, "GetMetricData: Forbidden: words of Forbidden"),
    failing: Fault(FaultKind.AWS, "GetMetricData: InternalFailure: words of InternalFailure"),
}


@pytest.mark.parametrize("hurt", FAULTS, ids=lambda hurt: hurt.__name__)
def test_what_others_used_stands_for_six_hours_and_the_fault_is_told_at_each_try(hurt: Callable[[World], None]) -> None:
    """180 at noon; no whole answer since: 180 still at 18:00, and from then on it is not known."""
    world = World()
    world.cloudwatch.series[REGION] = lambda _: 180.0
    assert others_in_use(world) == 180.0
    hurt(world)
    found = []
    for _ in range(3):
        observed = world.tick(timedelta(hours=2))
        assert observed.account is not None
        found.append(observed.account.others_in_use)
        assert observed.account_fault == FAULTS[hurt]
    assert found == [180.0] * 3
    assert others_in_use(world, TICK) is None
    world.cloudwatch.statuses.clear()
    world.cloudwatch.errors.clear()
    observed = world.tick(TICK)
    assert observed.account is not None
    assert (observed.account.others_in_use, observed.account_fault) == (180.0, None)


def test_a_first_look_that_fails_says_so_and_knows_nothing() -> None:
    """Nothing stands yet, and 0 would be an invention."""
    world = World()
    partial(world)
    observed = world.tick()
    assert observed.account is not None
    assert (observed.account.others_in_use, observed.account_fault) == (None, FAULTS[partial])


def test_a_silent_region_seen_from_a_laptop_uses_nothing() -> None:
    """No heartbeat and nobody at work: CloudWatch answers whole, and has nothing."""
    assert others_in_use(World(own_function="")) == 0.0


def test_a_region_that_falls_silent_keeps_what_was_known() -> None:
    """Complete, and nobody reports any more: it may be CloudWatch's own silence, so 180 stands for its six hours."""
    world = World(own_function="")
    world.cloudwatch.series[REGION] = lambda minute: 180.0 if minute < NOW_S else None
    assert others_in_use(world) == 180.0
    assert others_in_use(world, timedelta(hours=3)) == 180.0
    assert others_in_use(world, timedelta(hours=3, minutes=5)) == 0.0
