"""Decisions carried out against the local AWS: what is written, what comes of it, what is left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from builders import CHECKOUT, NOON, decision
from warmcast.act import DryRunActor, LiveActor
from warmcast.aws.autoscaling import DIMENSION, NAMESPACE
from warmcast.model import Action, Actuator, Decision, Limit, Reason, Result, ScalableTarget

if TYPE_CHECKING:
    from localaws import LocalAws
    from warmcast.aws.session import Clients

WRITES = ("Put", "Delete", "Register", "Deregister", "Tag", "Create", "Update")


@pytest.fixture
def actor(clients: Clients) -> LiveActor:
    """The live actor on the local AWS."""
    return LiveActor(functions=clients.functions, autoscaling=clients.autoscaling)


@pytest.fixture(autouse=True)
def checkout(aws: LocalAws) -> None:
    """`checkout-api:live` exists and has nothing provisioned."""
    aws.create_function("checkout-api")


def provisioned(aws: LocalAws) -> int:
    """What is requested for `checkout-api:live` now, looked up behind Warmcast's back."""
    client = aws.session().client("lambda", endpoint_url=aws.endpoint_url)
    listed = client.list_provisioned_concurrency_configs(FunctionName="checkout-api")["ProvisionedConcurrencyConfigs"]
    return sum(item["RequestedProvisionedConcurrentExecutions"] for item in listed)


def written(aws: LocalAws) -> list[str]:
    """The operations that wrote something, in order."""
    return [call["operation"] for call in aws.journal() if call["operation"].startswith(WRITES)]


def scaled(wanted: int, *, current: int | None, maximum: int | None = 100) -> Decision:
    """A decision that Application Auto Scaling is to carry out."""
    return replace(decision(wanted=wanted, current=current), actuator=Actuator.AUTOSCALING, published_maximum=maximum)


def deletion(*, reason: Reason = Reason.FORECAST, actuator: Actuator = Actuator.DIRECT) -> Decision:
    """A decision to delete."""
    return replace(decision(wanted=0, current=7), action=Action.DELETE, reason=reason, actuator=actuator)


# --- direct


@pytest.mark.parametrize(("current", "wanted"), [(None, 5), (3, 5), (9, 5)])
def test_a_change_is_one_put(aws: LocalAws, actor: LiveActor, current: int | None, wanted: int) -> None:
    """First capacity, a rise and a fall: the wanted number is requested, by one write."""
    aws.set_provisioned("checkout-api", "live", current or 0)
    aws.clear_calls()
    outcome = actor.act(decision(current=current, wanted=wanted), now=NOON)
    assert (outcome.result, provisioned(aws)) == (Result.APPLIED, wanted)
    assert written(aws) == ["PutProvisionedConcurrencyConfig"]


def test_the_put_that_aws_saw_names_its_decision(aws: LocalAws, actor: LiveActor) -> None:
    """What CloudTrail would record: the decision's id and the fleet's version."""
    actor.act(replace(decision(wanted=5), id="d-4f2a", fleet_version="a1b2c3"), now=NOON)
    (call,) = aws.journal("PutProvisionedConcurrencyConfig")
    assert {"decision/d-4f2a", "fleet/a1b2c3"} <= set(call["user_agent"].split())


def test_a_delete_is_one_delete(aws: LocalAws, actor: LiveActor) -> None:
    """Only a decision to delete deletes."""
    aws.set_provisioned("checkout-api", "live", 7)
    aws.clear_calls()
    outcome = actor.act(deletion(), now=NOON)
    assert (outcome.result, provisioned(aws)) == (Result.APPLIED, 0)
    assert written(aws) == ["DeleteProvisionedConcurrencyConfig"]


@pytest.mark.parametrize("action", [Action.RAISE, Action.LOWER])
@pytest.mark.parametrize("wanted", [0, -3])
def test_a_capacity_of_nothing_is_never_put(aws: LocalAws, actor: LiveActor, action: Action, wanted: int) -> None:
    """Whatever made such a decision, AWS is not asked and the outcome is a failure."""
    outcome = actor.act(replace(decision(wanted=wanted), action=action), now=NOON)
    assert outcome.result is Result.FAILED
    assert written(aws) == []


def test_holding_writes_nothing(aws: LocalAws, actor: LiveActor) -> None:
    """No call at all, for either actuator."""
    for hold in (decision(), replace(decision(), actuator=Actuator.AUTOSCALING)):
        assert actor.act(hold, now=NOON).result is Result.HELD
    assert aws.calls() == {}


def test_a_put_after_a_failed_allocation_is_a_request_like_any_other(aws: LocalAws, actor: LiveActor) -> None:
    """A FAILED config takes the same number again; whether to ask again is for the back-off to say, not for us."""
    aws.create_function("broken", init_fails=True)
    broken = decision("broken:live", wanted=5)
    assert actor.act(broken, now=NOON).result is Result.APPLIED
    aws.advance(240)
    assert actor.act(broken, now=NOON).result is Result.APPLIED


# --- autoscaling


def test_the_first_registration_brings_the_policy_along(aws: LocalAws, actor: LiveActor, clients: Clients) -> None:
    """Bounds, our tag and the tracking policy; AWS raises the capacity to the minimum."""
    outcome = actor.act(scaled(8, current=None), now=NOON)
    assert outcome.result is Result.APPLIED
    assert written(aws) == ["RegisterScalableTarget", "PutScalingPolicy"]
    assert clients.autoscaling.describe([CHECKOUT]) == {CHECKOUT: ScalableTarget(minimum=8, maximum=100, ours=True)}
    assert provisioned(aws) == 8


def test_a_raised_minimum_raises_the_capacity(aws: LocalAws, actor: LiveActor) -> None:
    """One registration; the policy is there already and is not written again."""
    actor.act(scaled(8, current=None), now=NOON)
    aws.advance(120)
    aws.clear_calls()
    outcome = actor.act(scaled(20, current=8), now=NOON)
    assert (outcome.result, provisioned(aws)) == (Result.APPLIED, 20)
    assert written(aws) == ["RegisterScalableTarget"]


def test_a_lowered_minimum_lowers_nothing_and_says_so(aws: LocalAws, actor: LiveActor, clients: Clients) -> None:
    """The floor is down, the capacity stays until AWS's own policy lowers it."""
    actor.act(scaled(20, current=None), now=NOON)
    aws.advance(120)
    outcome = actor.act(scaled(8, current=20), now=NOON)
    assert (outcome.result, provisioned(aws)) == (Result.FLOOR_LOWERED, 20)
    assert clients.autoscaling.describe([CHECKOUT])[CHECKOUT].minimum == 8


def test_a_lost_policy_comes_back_with_the_next_change(aws: LocalAws, actor: LiveActor) -> None:
    """The registration succeeded and its policy did not: the outcome tells both, and the next change mends it."""
    aws.inject("PutScalingPolicy", code="AccessDeniedException", message="no PutScalingPolicy for you")
    outcome = actor.act(scaled(8, current=None), now=NOON)
    assert (outcome.result, outcome.error_code) == (Result.APPLIED, "AccessDeniedException")
    assert "without its tracking policy" in outcome.detail
    aws.advance(120)
    aws.clear_calls()
    assert actor.act(scaled(9, current=8), now=NOON).error_code == ""
    assert written(aws) == ["RegisterScalableTarget", "PutScalingPolicy"]


@pytest.mark.parametrize(("wanted", "maximum"), [(8, None), (8, 7), (-1, 10)])
def test_bounds_that_make_no_sense_are_not_registered(
    aws: LocalAws, actor: LiveActor, wanted: int, maximum: int | None
) -> None:
    """A decision without a maximum, or with one under its minimum, fails here; AWS is not asked."""
    assert actor.act(scaled(wanted, current=None, maximum=maximum), now=NOON).result is Result.FAILED
    assert aws.calls() == {}


def test_all_writes_of_a_registration_name_the_decision(aws: LocalAws, actor: LiveActor) -> None:
    """The reads between them do, too; nothing after."""
    actor.act(replace(scaled(8, current=None), id="d-77"), now=NOON)
    assert all("decision/d-77" in call["user_agent"] for call in aws.journal())
    actor.act(replace(scaled(9, current=8), id="d-78"), now=NOON)
    assert "decision/d-77" not in aws.journal()[-1]["user_agent"]


# --- what has left the fleet


@pytest.mark.parametrize("reason", [Reason.RELEASED, Reason.FORECAST])
def test_deleting_under_a_registration_of_ours_removes_it_first(
    aws: LocalAws, actor: LiveActor, clients: Clients, reason: Reason
) -> None:
    """Else its minimum would bring the capacity back; a released decision finds it whatever actuator it names."""
    actor.act(scaled(8, current=None), now=NOON)
    aws.advance(120)
    aws.clear_calls()
    actuator = Actuator.DIRECT if reason is Reason.RELEASED else Actuator.AUTOSCALING
    outcome = actor.act(deletion(reason=reason, actuator=actuator), now=NOON)
    assert (outcome.result, provisioned(aws)) == (Result.APPLIED, 0)
    assert written(aws) == ["DeregisterScalableTarget", "DeleteProvisionedConcurrencyConfig"]
    assert clients.autoscaling.describe([CHECKOUT]) == {}


def test_a_released_target_that_somebody_else_scales_is_left_alone(aws: LocalAws, actor: LiveActor) -> None:
    """Another's registration is not deleted from under it: refused, and nothing written."""
    other = aws.session().client("application-autoscaling", endpoint_url=aws.endpoint_url)
    other.register_scalable_target(
        ServiceNamespace=NAMESPACE,
        ResourceId="function:checkout-api:live",
        ScalableDimension=DIMENSION,
        MinCapacity=5,
        MaxCapacity=50,
    )
    aws.clear_calls()
    outcome = actor.act(deletion(reason=Reason.RELEASED), now=NOON)
    assert (outcome.result, provisioned(aws)) == (Result.REFUSED, 5)
    assert written(aws) == []


def test_a_released_target_without_a_registration_is_deleted(aws: LocalAws, actor: LiveActor) -> None:
    """The plain case."""
    aws.set_provisioned("checkout-api", "live", 7)
    assert actor.act(deletion(reason=Reason.RELEASED), now=NOON).result is Result.APPLIED
    assert provisioned(aws) == 0


# --- the dry run


@pytest.mark.parametrize(
    "planned", [decision(wanted=5), decision(wanted=20, current=None), scaled(8, current=None), deletion()]
)
def test_a_dry_run_plans_every_change_and_writes_none(aws: LocalAws, planned: Decision) -> None:
    """The same decision, another actor: `planned`, and not one call."""
    outcome = DryRunActor().act(planned, now=NOON)
    assert (outcome.decision, outcome.result) == (planned, Result.PLANNED)
    assert aws.calls() == {}


@pytest.mark.parametrize(
    ("held", "result"),
    [
        (decision(), Result.HELD),
        (
            replace(
                decision(wanted=20, current=10, blocked=True), limits=(Limit(Reason.IN_PROGRESS, 20, 10, "shifting"),)
            ),
            Result.DEFERRED,
        ),
        (
            replace(decision(wanted=20, current=10, blocked=True), limits=(Limit(Reason.OBSERVE, 20, 10, "observe"),)),
            Result.PLANNED,
        ),
    ],
)
def test_a_dry_run_says_what_a_live_one_says_where_nothing_is_to_be_written(
    actor: LiveActor, held: Decision, result: Result
) -> None:
    """A held decision has one outcome, whoever carries it out."""
    assert DryRunActor().act(held, now=NOON) == actor.act(held, now=NOON)
    assert actor.act(held, now=NOON).result is result
