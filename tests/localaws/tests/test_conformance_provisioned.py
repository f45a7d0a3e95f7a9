"""Provisioned concurrency as AWS answers it: codes, statuses and texts, against the local AWS and any real account."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from localaws.conformance import Answered

if TYPE_CHECKING:
    from localaws.conformance import Account

LATEST = "$LATEST"


def put(account: Account, qualifier: str, amount: int) -> object:
    """Request provisioned concurrency without cleaning up: for calls that are refused."""
    return account.lambda_.put_provisioned_concurrency_config(
        FunctionName=account.function, Qualifier=qualifier, ProvisionedConcurrentExecutions=amount
    )


def get(account: Account, qualifier: str) -> object:
    """Read a config."""
    return account.lambda_.get_provisioned_concurrency_config(FunctionName=account.function, Qualifier=qualifier)


def delete(account: Account, qualifier: str) -> object:
    """Delete a config."""
    return account.lambda_.delete_provisioned_concurrency_config(FunctionName=account.function, Qualifier=qualifier)


def test_put_on_latest_is_refused(account: Account) -> None:
    """The unpublished version can't have provisioned concurrency."""
    assert account.refusal(lambda: put(account, LATEST, 1)) == Answered(
        400,
        "InvalidParameterValueException",
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
    )


@pytest.mark.parametrize("call", [get, delete])
def test_get_and_delete_on_latest_are_refused(account: Account, call: object) -> None:
    """Reading and deleting word it differently from Put."""
    assert callable(call)
    assert account.refusal(lambda: call(account, LATEST)) == Answered(
        400,
        "InvalidParameterValueException",
        "The function resource provided must be an alias or a published version.",
    )


def test_put_of_zero_is_a_validation_error(account: Account) -> None:
    """Zero is no amount: taking capacity away is a Delete."""
    alias = account.new_alias()
    assert account.refusal(lambda: put(account, alias, 0)) == Answered(
        400,
        "ValidationException",
        "1 validation error detected: Value '0' at 'provisionedConcurrentExecutions' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1",
    )


def test_get_without_a_config_says_so(account: Account) -> None:
    """No config has an error code of its own."""
    alias = account.new_alias()
    assert account.refusal(lambda: get(account, alias)) == Answered(
        404,
        "ProvisionedConcurrencyConfigNotFoundException",
        "No Provisioned Concurrency Config found for this function",
    )


@pytest.mark.parametrize("call", [get, delete, lambda account, alias: put(account, alias, 1)])
def test_a_missing_alias_is_named_by_its_arn(account: Account, call: object) -> None:
    """Get, Put and Delete on a missing alias answer the same 404."""
    assert callable(call)
    assert account.refusal(lambda: call(account, "nosuchalias")) == Answered(
        404, "ResourceNotFoundException", f"Cannot find alias arn: {account.arn}:nosuchalias"
    )


def test_a_missing_version_is_a_missing_function(account: Account) -> None:
    """A version that was never published is reported as a function."""
    assert account.refusal(lambda: get(account, "999")) == Answered(
        404, "ResourceNotFoundException", f"Function not found: {account.arn}:999"
    )


def test_delete_is_idempotent(account: Account) -> None:
    """Deleting what is not there answers 204 like any Delete."""
    alias = account.new_alias()
    answer = account.lambda_.delete_provisioned_concurrency_config(FunctionName=account.function, Qualifier=alias)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_list_without_configs_is_empty(account: Account) -> None:
    """Listing a function that has none is no error."""
    answer = account.lambda_.list_provisioned_concurrency_configs(FunctionName=account.function)
    assert answer["ProvisionedConcurrencyConfigs"] == []


def test_a_request_goes_from_in_progress_to_ready(account: Account) -> None:
    """Put answers 202 with nothing allocated; all of it is there once it is READY."""
    alias = account.new_alias()
    account.release_later(alias)
    answer = account.lambda_.put_provisioned_concurrency_config(
        FunctionName=account.function, Qualifier=alias, ProvisionedConcurrentExecutions=2
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert (answer["Status"], answer["RequestedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 2)
    assert answer["AllocatedProvisionedConcurrentExecutions"] == 0
    assert answer["AvailableProvisionedConcurrentExecutions"] == 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", answer["LastModified"])
    account.wait_until(lambda: account.status(alias) != "IN_PROGRESS")
    ready = account.lambda_.get_provisioned_concurrency_config(FunctionName=account.function, Qualifier=alias)
    assert (ready["Status"], ready["AllocatedProvisionedConcurrentExecutions"]) == ("READY", 2)
    assert ready["AvailableProvisionedConcurrentExecutions"] == 2
    listed = account.lambda_.list_provisioned_concurrency_configs(FunctionName=account.function)
    assert [config["FunctionArn"] for config in listed["ProvisionedConcurrencyConfigs"]] == [f"{account.arn}:{alias}"]


def test_a_second_put_while_in_progress_is_a_conflict(account: Account) -> None:
    """Only one request at a time; the wording was reported in 2020 and is not confirmed since."""
    alias = account.new_alias()
    account.put(alias, 1)
    assert account.refusal(lambda: put(account, alias, 2)) == Answered(
        409, "ResourceConflictException", "A previous request is being processed. Please try again shortly"
    )


def test_an_alias_of_a_provisioned_version_is_a_conflict(account: Account) -> None:
    """A version has one config, here its own."""
    alias = account.new_alias("1")
    account.put("1", 1)
    assert account.refusal(lambda: put(account, alias, 1)) == Answered(
        409,
        "ResourceConflictException",
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
    )


def test_a_version_under_a_provisioned_alias_is_a_conflict(account: Account) -> None:
    """A version has one config, here its alias's."""
    alias = account.new_alias("1")
    account.put(alias, 1)
    assert account.refusal(lambda: put(account, "1", 1)) == Answered(
        409, "ResourceConflictException", "Version is pointed by a Provisioned Concurrency alias"
    )


def test_an_alias_with_weights_is_refused(account: Account) -> None:
    """Canaries and version shifts lock provisioned concurrency."""
    alias = account.new_alias("1", weights={"2": 0.1})
    assert account.refusal(lambda: put(account, alias, 1)) == Answered(
        400, "InvalidParameterValueException", "Alias with weights can not be used with Provisioned Concurrency"
    )


def test_more_than_the_account_has_is_refused(account: Account) -> None:
    """The message names what is unreserved."""
    alias, unreserved = account.new_alias(), unreserved_of(account)
    assert account.refusal(lambda: put(account, alias, unreserved + 1)) == Answered(
        400,
        "InvalidParameterValueException",
        f"Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [{unreserved}].",
    )


def test_leaving_fewer_than_a_hundred_unreserved_is_refused(account: Account) -> None:
    """AWS keeps 100 for everybody else."""
    alias = account.new_alias()
    assert account.refusal(lambda: put(account, alias, unreserved_of(account) - 99)) == Answered(
        400,
        "InvalidParameterValueException",
        "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
        "minimum value of [100].",
    )


def test_more_than_the_function_reserves_is_refused(account: Account) -> None:
    """All aliases and versions of a function share its reservation."""
    first, second = account.new_alias("1"), account.new_alias("2")
    account.lambda_.put_function_concurrency(FunctionName=account.function, ReservedConcurrentExecutions=3)
    try:
        account.put(first, 2)
        assert account.refusal(lambda: put(account, second, 2)) == Answered(
            400,
            "InvalidParameterValueException",
            "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function",
        )
    finally:
        account.lambda_.delete_function_concurrency(FunctionName=account.function)


def test_a_reservation_below_what_is_provisioned_is_refused(account: Account) -> None:
    """The text really starts with a space and has two before the number."""
    alias = account.new_alias()
    account.put(alias, 2)
    refused = account.refusal(
        lambda: account.lambda_.put_function_concurrency(FunctionName=account.function, ReservedConcurrentExecutions=1)
    )
    assert refused == Answered(
        400,
        "InvalidParameterValueException",
        " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2].",
    )


def test_a_config_goes_with_its_alias(account: Account) -> None:
    """Deleting an alias drops its config without a word."""
    alias = account.new_alias()
    account.put(alias, 1)
    account.lambda_.delete_alias(FunctionName=account.function, Name=alias)
    answer = account.lambda_.list_provisioned_concurrency_configs(FunctionName=account.function)
    assert answer["ProvisionedConcurrencyConfigs"] == []
    assert account.refusal(lambda: get(account, alias)).message == f"Cannot find alias arn: {account.arn}:{alias}"


def unreserved_of(account: Account) -> int:
    """The account's unreserved concurrency."""
    return account.lambda_.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
