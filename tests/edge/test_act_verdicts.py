"""Every refusal that AWS is known to give comes to its outcome: by the local AWS where it can, by injection else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from builders import NOON, decision
from scripted import Reply
from warmcast.act import DirectActor, LiveActor
from warmcast.aws.functions import Functions
from warmcast.aws.verdicts import VERDICTS, judge
from warmcast.errors import AwsError
from warmcast.model import Action, Actuator, Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from localaws import LocalAws
    from scripted import Script
    from warmcast.aws.session import Clients
    from warmcast.model import Decision, Outcome

CONFLICT, INVALID = "ResourceConflictException", "InvalidParameterValueException"


@pytest.fixture
def act(clients: Clients) -> Callable[[Decision], Outcome]:
    """Carry a decision out against the local AWS."""
    actor = LiveActor(functions=clients.functions, autoscaling=clients.autoscaling)
    return lambda decision: actor.act(decision, now=NOON)


def of_version(number: str) -> Decision:
    """A rise of `checkout-api` at another qualifier."""
    return decision(f"checkout-api:{number}", wanted=5)


# --- refusals that the local AWS gives by itself


def test_a_put_while_one_is_in_progress_is_deferred(aws: LocalAws, act: Callable[[Decision], Outcome]) -> None:
    """409 "a previous request is being processed": the next tick tries again, and finds it READY."""
    aws.create_function("checkout-api")
    assert act(decision(wanted=5)).result is Result.APPLIED
    outcome = act(decision(wanted=6))
    assert (outcome.result, outcome.error_code) == (Result.DEFERRED, CONFLICT)
    assert "still in progress" in outcome.detail
    aws.advance(120)
    assert act(decision(wanted=6)).result is Result.APPLIED


def test_a_put_under_routing_weights_is_deferred(aws: LocalAws, act: Callable[[Decision], Outcome]) -> None:
    """A canary is under way."""
    aws.create_function("checkout-api")
    aws.publish_version("checkout-api", memory_mb=2048)
    aws.create_alias("checkout-api", "live", version="1", weights={"2": 0.1})
    outcome = act(decision(wanted=5))
    assert (outcome.result, outcome.error_code) == (Result.DEFERRED, INVALID)
    assert "routing weights" in outcome.detail


def test_an_alias_on_a_version_with_capacity_of_its_own_is_a_finding(
    aws: LocalAws, act: Callable[[Decision], Outcome]
) -> None:
    """409, but no waiting helps."""
    aws.create_function("checkout-api")
    aws.set_provisioned("checkout-api", "1", 3)
    outcome = act(decision(wanted=5))
    assert (outcome.result, outcome.error_code) == (Result.REFUSED, CONFLICT)
    assert "has provisioned concurrency of its own" in outcome.detail


def test_a_version_under_an_alias_with_capacity_is_a_finding(aws: LocalAws, act: Callable[[Decision], Outcome]) -> None:
    """The other version conflict."""
    aws.create_function("checkout-api")
    aws.set_provisioned("checkout-api", "live", 3)
    outcome = act(of_version("1"))
    assert (outcome.result, outcome.error_code) == (Result.REFUSED, CONFLICT)
    assert "points to this version" in outcome.detail


def test_latest_is_a_finding(aws: LocalAws, act: Callable[[Decision], Outcome]) -> None:
    """$LATEST can't have provisioned concurrency, neither put nor deleted."""
    aws.create_function("checkout-api")
    for latest in (of_version("$LATEST"), replace(of_version("$LATEST"), action=Action.DELETE)):
        outcome = act(latest)
        assert (outcome.result, outcome.error_code) == (Result.REFUSED, INVALID)
        assert "name an alias or a published version" in outcome.detail


def test_above_the_functions_reservation_is_a_finding(aws: LocalAws, act: Callable[[Decision], Outcome]) -> None:
    """The sum over all of the function's qualifiers counts."""
    aws.create_function("checkout-api", reserved=4)
    outcome = act(decision(wanted=5))
    assert (outcome.result, outcome.error_code) == (Result.REFUSED, INVALID)
    assert "reserved concurrency" in outcome.detail


@pytest.mark.parametrize(("wanted", "words"), [(1001, "unreserved concurrency"), (950, "under 100 unreserved")])
def test_above_the_account_is_a_finding(
    aws: LocalAws, act: Callable[[Decision], Outcome], wanted: int, words: str
) -> None:
    """More than the account has, and more than leaves it its 100."""
    aws.create_function("checkout-api")
    outcome = act(decision(wanted=wanted))
    assert (outcome.result, outcome.error_code) == (Result.REFUSED, INVALID)
    assert words in outcome.detail


@pytest.mark.parametrize(
    ("name", "words"),
    [("checkout-api:gone", "no such alias"), ("gone:live", "no such function"), ("checkout-api:9", "no such function")],
)
def test_what_is_missing_is_a_finding(aws: LocalAws, act: Callable[[Decision], Outcome], name: str, words: str) -> None:
    """Alias, function or version: one code, two wordings."""
    aws.create_function("checkout-api")
    outcome = act(decision(name, wanted=5))
    assert (outcome.result, outcome.error_code) == (Result.REFUSED, "ResourceNotFoundException")
    assert words in outcome.detail


@pytest.mark.parametrize("kind", ["snap_start", "tenancy", "capacity_provider"])
def test_a_version_that_is_not_eligible_is_a_finding(
    aws: LocalAws, act: Callable[[Decision], Outcome], kind: str
) -> None:
    """Each of the three kinds, as the local AWS words it."""
    aws.create_function(
        "checkout-api",
        snap_start=kind == "snap_start",
        tenancy=kind == "tenancy",
        capacity_provider="arn:pool" if kind == "capacity_provider" else "",
    )
    assert act(decision(wanted=5)).result is Result.REFUSED


def test_a_scalable_target_without_its_function_is_a_finding(aws: LocalAws, act: Callable[[Decision], Outcome]) -> None:
    """Application Auto Scaling validates what it is to scale."""
    del aws
    gone = replace(decision("gone:live", wanted=5), actuator=Actuator.AUTOSCALING, published_maximum=10)
    outcome = act(gone)
    assert (outcome.result, outcome.error_code) == (Result.REFUSED, "ValidationException")


# --- refusals in AWS's recorded words

RECORDED = [
    (CONFLICT, 409, "A previous request is being processed. Please try again shortly", Result.DEFERRED),
    (CONFLICT, 409, "The operation cannot be performed at this time. An update is in progress", Result.DEFERRED),
    (
        CONFLICT,
        409,
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
        Result.REFUSED,
    ),
    (CONFLICT, 409, "Version is pointed by a Provisioned Concurrency alias", Result.REFUSED),
    (INVALID, 400, "Alias with weights can not be used with Provisioned Concurrency", Result.DEFERRED),
    (INVALID, 400, "Invalid alias configuration for Provisioned Concurrency", Result.DEFERRED),
    (
        INVALID,
        400,
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
        Result.REFUSED,
    ),
    (INVALID, 400, "The function resource provided must be an alias or a published version.", Result.REFUSED),
    (
        INVALID,
        400,
        "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [900].",
        Result.REFUSED,
    ),
    (
        INVALID,
        400,
        (
            "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its"
            " minimum value of [100]."
        ),
        Result.REFUSED,
    ),
    (
        INVALID,
        400,
        "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function",
        Result.REFUSED,
    ),
    (
        INVALID,
        400,
        " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2].",
        Result.REFUSED,
    ),
    (
        INVALID,
        400,
        "Provisioned concurrency is not supported for functions enabled with tenancy configuration.",
        Result.REFUSED,
    ),
    (INVALID, 400, "Something that AWS never said before", Result.REFUSED),
    (
        "ValidationException",
        400,
        (
            "1 validation error detected: Value '0' at 'provisionedConcurrentExecutions' failed to satisfy constraint:"
            " Member must have value greater than or equal to 1"
        ),
        Result.REFUSED,
    ),
    (
        "ProvisionedConcurrencyConfigNotFoundException",
        404,
        "No Provisioned Concurrency Config found for this function",
        Result.DEFERRED,
    ),
    (
        "ResourceNotFoundException",
        404,
        "Cannot find alias arn: arn:aws:lambda:us-east-1:111122223333:function:checkout-api:live",
        Result.REFUSED,
    ),
    (
        "ResourceNotFoundException",
        404,
        "Function not found: arn:aws:lambda:us-east-1:111122223333:function:checkout-api:7",
        Result.REFUSED,
    ),
    ("TooManyRequestsException", 429, "Rate exceeded", Result.DEFERRED),
    ("ServiceException", 500, "An error occurred", Result.DEFERRED),
    (
        "AccessDeniedException",
        403,
        (
            "User: arn:aws:sts::111122223333:assumed-role/warmcast is not authorized to perform:"
            " lambda:PutProvisionedConcurrencyConfig"
        ),
        Result.REFUSED,
    ),
    ("ExpiredTokenException", 403, "The security token included in the request is expired", Result.REFUSED),
    ("TeapotException", 418, "short and stout", Result.FAILED),
]


@pytest.mark.parametrize(("code", "status", "message", "result"), RECORDED)
def test_each_recorded_refusal_of_a_put_has_its_outcome(
    script: Script, code: str, status: int, message: str, result: Result
) -> None:
    """Sent over HTTP in AWS's own words: the result, the code, and the words for a person."""
    script.reply = Reply(status=status, code=code, message=message)
    outcome = DirectActor(impatient(script.url)).act(decision(wanted=5), now=NOON)
    assert (outcome.result, outcome.error_code) == (result, code)
    assert message in outcome.detail


SCALING = [
    (
        "ConcurrentUpdateException",
        "Scalable target already has a pending update to an Auto Scaling resource",
        Result.DEFERRED,
    ),
    (
        "ValidationException",
        "Failed to validate: not authorized to perform: lambda:PutProvisionedConcurrencyConfig",
        Result.REFUSED,
    ),
    (
        "ValidationException",
        "Unable to assume IAM role: user lacks permission iam:CreateServiceLinkedRole",
        Result.REFUSED,
    ),
    ("ValidationException", "Maximum capacity cannot be less than minimum capacity", Result.REFUSED),
    ("LimitExceededException", "You have reached the maximum number of scalable targets", Result.REFUSED),
    ("InternalServiceException", "An internal error occurred", Result.DEFERRED),
    ("ThrottlingException", "Rate exceeded", Result.DEFERRED),
]


@pytest.mark.parametrize(("code", "message", "result"), SCALING)
def test_each_refusal_of_a_registration_has_its_outcome(
    aws: LocalAws, act: Callable[[Decision], Outcome], code: str, message: str, result: Result
) -> None:
    """The same for Application Auto Scaling; a missing permission is named in the detail."""
    aws.create_function("checkout-api")
    aws.inject("RegisterScalableTarget", times=None, code=code, message=message)
    outcome = act(replace(decision(wanted=20), actuator=Actuator.AUTOSCALING, published_maximum=50))
    assert (outcome.result, outcome.error_code) == (result, code)
    assert message in outcome.detail


def test_a_missing_permission_of_a_registration_is_called_so() -> None:
    """Application Auto Scaling has one code for everything; the words tell a permission from a bad number."""
    lacking = judge(AwsError("ValidationException", "not authorized to perform: lambda:X", "RegisterScalableTarget"))
    bad = judge(AwsError("ValidationException", "MinCapacity is not valid", "RegisterScalableTarget"))
    assert "lacks a permission" in lacking.meaning
    assert "lacks a permission" not in bad.meaning


# --- no answer at all


def impatient(url: str) -> Functions:
    """A Lambda client that tries once, with little patience."""
    client = boto3.client(
        "lambda",
        region_name="us-east-1",
        endpoint_url=url,
        config=Config(read_timeout=0.2, connect_timeout=0.2, retries={"total_max_attempts": 1}),
    )
    return Functions(client)


def test_a_put_without_an_answer_may_have_been_applied(
    aws: LocalAws, script: Script, act: Callable[[Decision], Outcome]
) -> None:
    """A timeout or a cut connection proves nothing: deferred, with those words, and the next tick looks."""
    aws.create_function("checkout-api")
    aws.inject("PutProvisionedConcurrencyConfig", delay_s=0.5)
    timed_out = DirectActor(impatient(aws.endpoint_url)).act(decision(wanted=5), now=NOON)
    assert (timed_out.result, timed_out.error_code) == (Result.DEFERRED, "ReadTimeoutError")
    script.reply = Reply(hang_up=True)
    cut = DirectActor(impatient(script.url)).act(decision(wanted=5), now=NOON)
    assert (cut.result, cut.error_code) == (Result.DEFERRED, "ConnectionClosedError")
    aws.inject("PutProvisionedConcurrencyConfig", times=None, drop=True)
    dropped = act(decision(wanted=5))
    for outcome in (timed_out, cut, dropped):
        assert outcome.result is Result.DEFERRED
        assert "may have been applied" in outcome.detail


def test_a_server_that_cannot_be_reached_has_heard_nothing() -> None:
    """A refused connection is deferred, too, and is known not to have been applied."""
    outcome = DirectActor(impatient("http://127.0.0.1:9")).act(decision(wanted=5), now=NOON)
    assert (outcome.result, outcome.error_code) == (Result.DEFERRED, "EndpointConnectionError")
    assert "nothing was sent" in outcome.detail


def test_a_garbled_acceptance_is_not_called_applied(script: Script) -> None:
    """202 with a body that can't be read: nobody knows, so nobody says applied."""
    script.reply = Reply(status=202, body=b"<html>")
    outcome = DirectActor(impatient(script.url)).act(decision(wanted=5), now=NOON)
    assert (outcome.result, outcome.error_code) == (Result.DEFERRED, "UnreadableAnswer")


def test_an_acceptance_that_says_failed_is_a_failure(script: Script) -> None:
    """Were AWS ever to answer a Put with FAILED, it is not applied."""
    script.reply = Reply(
        status=202,
        body=b'{"RequestedProvisionedConcurrentExecutions": 5, "Status": "FAILED", "StatusReason": "BROKEN"}',
    )
    outcome = DirectActor(impatient(script.url)).act(decision(wanted=5), now=NOON)
    assert outcome.result is Result.FAILED
    assert "BROKEN" in outcome.detail


# --- the table itself


def test_every_row_can_be_reached() -> None:
    """No row hides behind an earlier one: an error in its own words comes to it."""
    for row in VERDICTS:
        for code in row.codes:
            assert judge(AwsError(code, row.words or "(anything else)", "Operation")) is row


def test_what_no_row_covers_has_failed() -> None:
    """An unknown code is neither waited out nor blamed on anybody."""
    assert judge(AwsError("TeapotException", "short and stout", "Put")).result is Result.FAILED
