"""The Lambda client on the local AWS: AWS's answers in our words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from builders import CHECKOUT, NOON
from warmcast.errors import AwsError
from warmcast.model import NO_CAPACITY, AccountLimits, Capacity, Status, TargetId

if TYPE_CHECKING:
    from localaws import LocalAws
    from scripted import Script
    from warmcast.aws.session import Clients

from scripted import Reply

NOWHERE = TargetId(CHECKOUT.account, CHECKOUT.region, "checkout-api", "nowhere")


def test_facts_of_a_function_come_from_both_its_alias_and_itself(aws: LocalAws, clients: Clients) -> None:
    """Version and memory are the alias's; reserved concurrency is answered only for the function."""
    aws.create_function("checkout-api", memory_mb=1536, timeout_s=9, architecture="arm64", reserved=40)
    facts = clients.functions.function("checkout-api", "live")
    assert (facts.version, facts.memory_mb, facts.architecture, facts.timeout_s) == ("1", 1536, "arm64", 9.0)
    assert (facts.ineligible, facts.reserved) == ("", 40)


def test_a_function_that_reserves_nothing_has_no_reservation(aws: LocalAws, clients: Clients) -> None:
    """None, which is not 0: a function with 0 reserved can't run at all."""
    aws.create_function("checkout-api")
    assert clients.functions.function("checkout-api", "live").reserved is None
    aws.create_function("paused", reserved=0)
    assert clients.functions.function("paused", "live").reserved == 0


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("snapshot", "SnapStart is on for its published versions"),
        ("managed", "it runs on Lambda Managed Instances"),
        ("tenants", "it isolates tenants"),
    ],
)
def test_a_version_that_cannot_have_provisioned_concurrency_says_why(
    aws: LocalAws, clients: Clients, name: str, why: str
) -> None:
    """SnapStart, Managed Instances and tenant isolation each exclude it."""
    aws.create_function("snapshot", snap_start=True)
    aws.create_function("managed", capacity_provider="arn:aws:lambda:us-east-1:111122223333:capacity-provider:pool")
    aws.create_function("tenants", tenancy=True)
    assert clients.functions.function(name, "live").ineligible == why


def test_an_alias_tells_its_version_and_its_weights(aws: LocalAws, clients: Clients) -> None:
    """A canary shows as weights of other versions; none means that no shift is under way."""
    aws.create_function("checkout-api")
    assert clients.functions.weights("checkout-api", "live").weights == {}
    aws.publish_version("checkout-api", memory_mb=2048)
    aws.create_alias("checkout-api", "live", version="1", weights={"2": 0.1})
    facts = clients.functions.weights("checkout-api", "live")
    assert (facts.version, facts.weights) == ("1", {"2": 0.1})


def test_provisioned_concurrency_is_listed_by_qualifier(aws: LocalAws, clients: Clients) -> None:
    """One call tells all of a function's qualifiers; nothing configured is an empty list."""
    aws.create_function("checkout-api")
    assert clients.functions.provisioned("checkout-api") == {}
    aws.set_provisioned("checkout-api", "live", 7)
    assert clients.functions.provisioned("checkout-api") == {
        "live": Capacity(requested=7, allocated=7, available=7, status=Status.READY, last_modified=NOON)
    }


def test_a_long_list_is_read_to_its_end(aws: LocalAws, clients: Clients) -> None:
    """AWS answers 50 at a time; all 120 come out, in three calls."""
    aws.create_function("checkout-api")
    for number in range(2, 122):
        version = aws.publish_version("checkout-api", memory_mb=128 + number)
        aws.set_provisioned("checkout-api", version, 1)
    clients.calls.reset()
    assert len(clients.functions.provisioned("checkout-api")) == 120
    assert clients.calls.counts == {"lambda.ListProvisionedConcurrencyConfigs": 3}


def test_a_put_is_accepted_first_and_ready_later(aws: LocalAws, clients: Clients) -> None:
    """AWS answers IN_PROGRESS with nothing allocated, and READY after the lead time."""
    aws.create_function("checkout-api")
    accepted = clients.functions.put(CHECKOUT, 5)
    assert (accepted.requested, accepted.allocated, accepted.status) == (5, 0, Status.IN_PROGRESS)
    aws.advance(120)
    ready = clients.functions.provisioned("checkout-api")["live"]
    assert (ready.requested, ready.available, ready.status) == (5, 5, Status.READY)


def test_a_failed_allocation_brings_its_reason(aws: LocalAws, clients: Clients) -> None:
    """Init code that crashes shows only after minutes, in the list."""
    aws.create_function("checkout-api", init_fails=True)
    clients.functions.put(CHECKOUT, 5)
    aws.advance(240)
    failed = clients.functions.provisioned("checkout-api")["live"]
    assert (failed.status, failed.status_reason, failed.allocated) == (
        Status.FAILED,
        "FUNCTION_ERROR_INIT_FAILURE",
        0,
    )


def test_deleting_twice_is_deleting_once(aws: LocalAws, clients: Clients) -> None:
    """A Delete where nothing is configured succeeds, as on AWS."""
    aws.create_function("checkout-api")
    aws.set_provisioned("checkout-api", "live", 7)
    clients.functions.delete(CHECKOUT)
    clients.functions.delete(CHECKOUT)
    assert clients.functions.provisioned("checkout-api").get("live", NO_CAPACITY) is NO_CAPACITY


def test_the_account_tells_its_limits(aws: LocalAws, clients: Clients) -> None:
    """Concurrency of the account, and what reservations leave of it."""
    aws.create_function("checkout-api", reserved=300)
    assert clients.functions.account() == AccountLimits(concurrency=1000, unreserved=700)


def test_what_is_missing_is_told_in_awss_words(aws: LocalAws, clients: Clients) -> None:
    """A missing alias and a missing function share a code; the words tell them apart."""
    aws.create_function("checkout-api")
    with pytest.raises(AwsError, match="Cannot find alias") as no_alias:
        clients.functions.put(NOWHERE, 5)
    with pytest.raises(AwsError, match="Function not found") as no_function:
        clients.functions.function("nothing", "live")
    assert no_alias.value.code == no_function.value.code == "ResourceNotFoundException"
    assert (no_alias.value.operation, no_function.value.operation) == ("PutProvisionedConcurrencyConfig", "GetFunction")


LISTED = b"""{"ProvisionedConcurrencyConfigs": [{
  "FunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:checkout-api:live",
  "RequestedProvisionedConcurrentExecutions": 3, "Status": "%s", "LastModified": "%s"}]}"""


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"2026-03-09T12:00:00+0000", NOON),
        (b"2026-03-09T12:00:00.000+0000", NOON),
        (b"2026-03-09T13:00:00+01:00", NOON),
        (b"2026-03-09T12:00:00Z", NOON),
        (b"2026-03-09T12:00:00", NOON),
        (b"lately", None),
        (b"", None),
    ],
)
def test_the_last_change_is_read_however_aws_writes_it(
    script: Script, scripted_clients: Clients, written: bytes, read: object
) -> None:
    """A string in AWS's model: with or without fraction, colon or zone; anything else is not known."""
    script.reply = Reply(body=LISTED % (b"READY", written))
    assert scripted_clients.functions.provisioned("checkout-api")["live"].last_modified == read


def test_a_status_that_aws_adds_one_day_counts_as_a_change_under_way(script: Script, scripted_clients: Clients) -> None:
    """Nothing is written while it lasts, and nothing breaks; missing counts are 0."""
    script.reply = Reply(body=LISTED % (b"REBALANCING", b""))
    assert scripted_clients.functions.provisioned("checkout-api")["live"] == Capacity(3, 0, 0, Status.IN_PROGRESS)


@pytest.mark.parametrize("body", [b"<html>busy</html>", b'{"Status": "READY"', b"{}", b'{"AccountLimit": {}}', b"[]"])
def test_an_answer_that_cannot_be_read_is_an_error_of_its_own(
    script: Script, scripted_clients: Clients, body: bytes
) -> None:
    """A proxy's page, a cut body or a missing field says so; it never passes for a fact."""
    script.reply = Reply(body=body)
    with pytest.raises(AwsError) as error:
        scripted_clients.functions.account()
    assert (error.value.code, error.value.operation) == ("UnreadableAnswer", "GetAccountSettings")
