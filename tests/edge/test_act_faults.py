"""Whatever goes wrong at whichever call: an outcome comes back, it does not lie, and the next decision is its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from builders import CHECKOUT, NOON, decision
from warmcast.act import LiveActor
from warmcast.model import Action, Actuator, Decision, Reason, Result

if TYPE_CHECKING:
    from localaws import LocalAws
    from warmcast.aws.session import Clients

PUT = decision(wanted=5, current=3)
DELETE = replace(decision(wanted=0, current=3), action=Action.DELETE)
REGISTER = replace(PUT, actuator=Actuator.AUTOSCALING, published_maximum=50)
RELEASE = replace(DELETE, reason=Reason.RELEASED)

CALLS = {
    "PutProvisionedConcurrencyConfig": [PUT],
    "DeleteProvisionedConcurrencyConfig": [DELETE, RELEASE],
    "DescribeScalableTargets": [REGISTER, RELEASE],
    "RegisterScalableTarget": [REGISTER],
    "DescribeScalingPolicies": [REGISTER],
    "PutScalingPolicy": [REGISTER],
    "ListTagsForResource": [RELEASE],
    "DeregisterScalableTarget": [RELEASE],
}
BESIDE_THE_POINT = {"DescribeScalingPolicies", "PutScalingPolicy"}
"""Calls after the write that the outcome is about: their fault is told beside it."""

FAULTS: dict[str, dict[str, Any]] = {
    "no answer": {"drop": True},
    "a fault of AWS": {"code": "ServiceException", "message": "oh", "status": 500},
    "denied": {"code": "AccessDeniedException", "message": "not for you", "status": 403},
    "invalid": {"code": "ValidationException", "message": "no", "status": 400},
    "never heard of": {"code": "TeapotException", "message": "short and stout", "status": 418},
}


@pytest.fixture
def actor(aws: LocalAws, clients: Clients) -> LiveActor:
    """The live actor; `checkout-api:live` has 3 units, registered by us, and `search:live` nothing."""
    for name in ("checkout-api", "search"):
        aws.create_function(name)
    aws.set_provisioned("checkout-api", "live", 3)
    clients.autoscaling.register(CHECKOUT, 2, 20)
    return LiveActor(functions=clients.functions, autoscaling=clients.autoscaling)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    ("operation", "carried_out"), [(operation, each) for operation, decisions in CALLS.items() for each in decisions]
)
def test_a_fault_at_any_call_is_an_outcome_that_tells_it(
    aws: LocalAws, actor: LiveActor, operation: str, carried_out: Decision, fault: str
) -> None:
    """Never an exception; never `applied` where the write was refused; always AWS's operation and code."""
    aws.inject(operation, times=None, function=None, **FAULTS[fault])
    outcome = actor.act(carried_out, now=NOON)
    assert outcome.decision is carried_out
    assert outcome.error_code
    assert operation in outcome.detail
    if operation not in BESIDE_THE_POINT:
        assert outcome.result in {Result.DEFERRED, Result.REFUSED, Result.FAILED}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_one_target_is_not_the_next_ones(aws: LocalAws, actor: LiveActor, fault: str) -> None:
    """The same actor, straight after: the other target's Put goes through."""
    aws.inject("PutProvisionedConcurrencyConfig", times=None, function="checkout-api", **FAULTS[fault])
    assert actor.act(PUT, now=NOON).result is not Result.APPLIED
    assert actor.act(decision("search:live", wanted=4, current=None), now=NOON).result is Result.APPLIED


@pytest.mark.parametrize("fault", FAULTS)
def test_a_release_that_failed_halfway_is_finished_by_the_next_tick(
    aws: LocalAws, clients: Clients, actor: LiveActor, fault: str
) -> None:
    """Registration gone, Delete refused: the same decision again deletes, and says so only then."""
    aws.inject("DeleteProvisionedConcurrencyConfig", times=None, **FAULTS[fault])
    assert actor.act(RELEASE, now=NOON).result is not Result.APPLIED
    aws.clear_faults()
    assert actor.act(RELEASE, now=NOON).result is Result.APPLIED
    assert clients.functions.provisioned("checkout-api") == {}


def test_a_put_that_was_applied_without_an_answer_is_found_by_the_next_look(
    aws: LocalAws, clients: Clients, actor: LiveActor
) -> None:
    """The retry after a lost answer meets the first request in progress: deferred, and the state tells the truth."""
    aws.set_provisioned("search", "live", 2)
    clients.functions.put(replace(CHECKOUT, function="search"), 6)
    again = actor.act(decision("search:live", wanted=6, current=2), now=NOON)
    assert (again.result, again.error_code) == (Result.DEFERRED, "ResourceConflictException")
    assert clients.functions.provisioned("search")["live"].requested == 6


def test_without_a_turn_left_nothing_is_sent_and_the_outcome_says_so(
    aws: LocalAws, clients: Clients, actor: LiveActor
) -> None:
    """Out of the tick's time: deferred by our own code; AWS has not heard of it."""
    aws.clear_calls()
    clients.pace.allow(0)
    results = [actor.act(PUT, now=NOON) for _ in range(6)]
    clients.pace.allow(1e9)
    assert results[-1].result is Result.DEFERRED
    assert results[-1].error_code == "LocalThrottle"
    sent = [each for each in results if each.error_code != "LocalThrottle"]
    assert len(aws.journal("PutProvisionedConcurrencyConfig")) == len(sent) < 6
