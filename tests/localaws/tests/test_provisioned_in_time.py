"""Provisioned concurrency on a driven clock: READY, FAILED, changes, shifts, eligibility, the account's room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_lambda import LambdaClient

    from localaws import LocalAws


@dataclass(frozen=True, slots=True)
class Seen:
    """A config as Get answers it."""

    status: str
    requested: int
    allocated: int
    available: int
    reason: str = ""


@pytest.fixture
def client(aws: LocalAws) -> LambdaClient:
    """A Lambda client, and a function `f` with the alias `live`."""
    aws.create_function("f")
    return aws.session().client("lambda", endpoint_url=aws.endpoint_url)


def put(client: LambdaClient, amount: int, *, qualifier: str = "live", function: str = "f") -> None:
    """Request capacity."""
    client.put_provisioned_concurrency_config(
        FunctionName=function, Qualifier=qualifier, ProvisionedConcurrentExecutions=amount
    )


def seen(client: LambdaClient, qualifier: str = "live") -> Seen:
    """What Get answers now."""
    answer = client.get_provisioned_concurrency_config(FunctionName="f", Qualifier=qualifier)
    return Seen(
        answer["Status"],
        answer["RequestedProvisionedConcurrentExecutions"],
        answer["AllocatedProvisionedConcurrentExecutions"],
        answer["AvailableProvisionedConcurrentExecutions"],
        answer.get("StatusReason", ""),
    )


def message_of(call: Callable[[], object]) -> str:
    """AWS's words to a call that it refuses."""
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Message"]


def test_nothing_is_available_before_everything_is_allocated(aws: LocalAws, client: LambdaClient) -> None:
    """A fresh request holds nothing until its lead time is over, then all of it."""
    put(client, 5)
    aws.advance(119)
    assert seen(client) == Seen("IN_PROGRESS", 5, 0, 0)
    aws.advance(1)
    assert seen(client) == Seen("READY", 5, 5, 5)


def test_what_is_there_keeps_serving_during_an_increase(aws: LocalAws, client: LambdaClient) -> None:
    """An increase adds its units only when all of them are there."""
    aws.set_provisioned("f", "live", 5)
    put(client, 8)
    assert seen(client) == Seen("IN_PROGRESS", 8, 5, 5)
    aws.advance(120)
    assert seen(client) == Seen("READY", 8, 8, 8)


def test_a_decrease_acts_at_once(aws: LocalAws, client: LambdaClient) -> None:
    """Assumed: fewer units take no time; `decrease_s` makes it take some."""
    aws.set_provisioned("f", "live", 5)
    put(client, 2)
    assert seen(client) == Seen("READY", 2, 2, 2)
    aws.configure(decrease_s=30)
    put(client, 1)
    assert seen(client) == Seen("IN_PROGRESS", 1, 1, 1)


def test_a_request_in_progress_can_be_deleted(aws: LocalAws, client: LambdaClient) -> None:
    """Assumed: a Delete does not wait for the Put, and a new Put starts from nothing."""
    put(client, 5)
    client.delete_provisioned_concurrency_config(FunctionName="f", Qualifier="live")
    put(client, 3)
    aws.advance(120)
    assert seen(client) == Seen("READY", 3, 3, 3)


def test_a_lead_time_can_be_a_versions_own(aws: LocalAws, client: LambdaClient) -> None:
    """A function that initialises slowly takes longer than the setting for all."""
    aws.change_version("f", "1", lead_time_s=600)
    put(client, 1)
    aws.advance(599)
    assert seen(client).status == "IN_PROGRESS"
    aws.advance(1)
    assert seen(client).status == "READY"


def test_a_failed_init_ends_in_failed_later_than_ready_would(aws: LocalAws, client: LambdaClient) -> None:
    """The Put is accepted; the reason comes with Get, and a mended version can be requested again."""
    aws.change_version("f", "1", init_fails=True)
    put(client, 5)
    aws.advance(239)
    assert seen(client).status == "IN_PROGRESS"
    aws.advance(1)
    assert seen(client) == Seen("FAILED", 5, 0, 0, "FUNCTION_ERROR_INIT_FAILURE")
    aws.change_version("f", "1", init_fails=False)
    put(client, 5)
    aws.advance(120)
    assert seen(client) == Seen("READY", 5, 5, 5)


def test_a_moved_alias_shifts_its_capacity_behind_weights(aws: LocalAws, client: LambdaClient) -> None:
    """The old amounts stay under IN_PROGRESS, all traffic is weighted to the old version, then the weights go."""
    aws.set_provisioned("f", "live", 5)
    version = aws.publish_version("f")
    client.update_alias(FunctionName="f", Name="live", FunctionVersion=version)
    alias = client.get_alias(FunctionName="f", Name="live")
    assert (alias["FunctionVersion"], alias["RoutingConfig"]["AdditionalVersionWeights"]) == ("2", {"1": 1.0})
    assert seen(client) == Seen("IN_PROGRESS", 5, 5, 5)
    assert "Alias with weights" in message_of(lambda: put(client, 6))
    aws.advance(420)
    assert seen(client) == Seen("READY", 5, 5, 5)
    assert "RoutingConfig" not in client.get_alias(FunctionName="f", Name="live")


def test_a_shift_to_a_version_that_fails_leaves_the_weights(aws: LocalAws, client: LambdaClient) -> None:
    """Every later change fails until somebody takes the weights away."""
    aws.set_provisioned("f", "live", 5)
    broken, mended = aws.publish_version("f", init_fails=True), aws.publish_version("f", init_fails=False)
    client.update_alias(FunctionName="f", Name="live", FunctionVersion=broken)
    aws.advance(240)
    assert seen(client).status == "FAILED"
    aws.advance(86_400)
    weights = client.get_alias(FunctionName="f", Name="live")["RoutingConfig"]["AdditionalVersionWeights"]
    assert weights == {"1": 1.0}
    assert "Alias with weights" in message_of(
        lambda: client.update_alias(FunctionName="f", Name="live", FunctionVersion=mended)
    )
    client.update_alias(FunctionName="f", Name="live", RoutingConfig={"AdditionalVersionWeights": {}})
    client.update_alias(FunctionName="f", Name="live", FunctionVersion=mended)
    aws.advance(420)
    assert seen(client).status == "READY"


def test_weights_may_be_added_to_an_alias_with_capacity(aws: LocalAws, client: LambdaClient) -> None:
    """A canary locks the capacity where it is, deleting included, until it is over."""
    aws.set_provisioned("f", "live", 5)
    aws.publish_version("f")
    client.update_alias(FunctionName="f", Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}})
    assert seen(client) == Seen("READY", 5, 5, 5)
    assert "Alias with weights" in message_of(lambda: put(client, 6))
    assert "Alias with weights" in message_of(
        lambda: client.delete_provisioned_concurrency_config(FunctionName="f", Qualifier="live")
    )
    client.update_alias(FunctionName="f", Name="live", RoutingConfig={"AdditionalVersionWeights": {}})
    put(client, 6)


def test_two_aliases_of_one_version_can_not_both_have_capacity(aws: LocalAws, client: LambdaClient) -> None:
    """A version has one config, here the other alias's."""
    aws.set_provisioned("f", "live", 1)
    aws.create_alias("f", "blue")
    assert "already Provisioned version" in message_of(lambda: put(client, 1, qualifier="blue"))


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"snap_start": True}, "SnapStart"),
        ({"capacity_provider": "arn:aws:lambda:us-east-1:111122223333:capacity-provider:p"}, "capacity provider"),
        ({"tenancy": True}, "tenancy"),
    ],
)
def test_versions_that_can_not_have_capacity_are_refused(
    aws: LocalAws, client: LambdaClient, settings: dict[str, bool | str], word: str
) -> None:
    """SnapStart, Managed Instances and tenant isolation exclude it; GetFunctionConfiguration shows them."""
    aws.publish_version("f", **settings)
    aws.create_alias("f", "odd", version="2")
    assert word in message_of(lambda: put(client, 1, qualifier="odd"))
    shown = client.get_function_configuration(FunctionName="f", Qualifier="odd")
    assert shown["SnapStart"]["OptimizationStatus"] == ("On" if word == "SnapStart" else "Off")
    assert ("CapacityProviderConfig" in shown) == (word == "capacity provider")
    assert ("TenancyConfig" in shown) == (word == "tenancy")


def test_other_functions_capacity_takes_room_in_the_account(aws: LocalAws, client: LambdaClient) -> None:
    """1,000 less 100 that stay unreserved less 300 reserved and 400 elsewhere leaves 200."""
    aws.create_function("reserving", reserved=300)
    aws.create_function("neighbour")
    aws.set_provisioned("neighbour", "live", 400)
    assert "minimum value of [100]" in message_of(lambda: put(client, 201))
    put(client, 200)
    settings = client.get_account_settings()["AccountLimit"]
    assert (settings["ConcurrentExecutions"], settings["UnreservedConcurrentExecutions"]) == (1000, 700)


def test_a_reservation_must_leave_a_hundred(aws: LocalAws, client: LambdaClient) -> None:
    """Small accounts can't reserve at all."""
    aws.configure(account_concurrency=100)
    assert "below its minimum value of [100]" in message_of(
        lambda: client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=1)
    )


def test_configs_come_in_pages(aws: LocalAws, client: LambdaClient) -> None:
    """50 at the most, the rest behind a marker; more than 50 can't be asked for."""
    for number in range(2, 62):
        aws.publish_version("f")
        aws.set_provisioned("f", str(number), 1)
    pages = list(client.get_paginator("list_provisioned_concurrency_configs").paginate(FunctionName="f"))
    assert [len(page["ProvisionedConcurrencyConfigs"]) for page in pages] == [50, 10]
    refused = message_of(lambda: client.list_provisioned_concurrency_configs(FunctionName="f", MaxItems=51))
    assert refused.endswith("Member must have value less than or equal to 50")
