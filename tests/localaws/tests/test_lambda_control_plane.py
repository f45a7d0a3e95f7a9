"""Functions, versions, aliases and the control plane's limits, asked by boto3."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from localaws import RateLimit

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from localaws import LocalAws

ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=0.3)


def client_of(aws: LocalAws, region: str = "") -> LambdaClient:
    """A client that asks once and does not wait long."""
    return aws.session(region=region).client("lambda", endpoint_url=aws.endpoint_url, config=ONCE)


def test_a_function_made_by_the_api_reads_like_one(aws: LocalAws) -> None:
    """CreateFunction, PublishVersion, CreateAlias, and what GetFunction says of the alias."""
    client = client_of(aws)
    client.create_function(
        FunctionName="api",
        Runtime="python3.13",
        Role="arn:aws:iam::111122223333:role/r",
        Handler="app.handler",
        Code={"ZipFile": b"zip"},
        MemorySize=512,
        Timeout=7,
        Architectures=["arm64"],
    )
    assert client.publish_version(FunctionName="api")["Version"] == "1"
    client.create_alias(FunctionName="api", Name="live", FunctionVersion="1")
    client.put_function_concurrency(FunctionName="api", ReservedConcurrentExecutions=50)
    function = client.get_function(FunctionName="api", Qualifier="live")
    shown = function["Configuration"]
    assert (shown["Version"], shown["MemorySize"], shown["Timeout"]) == ("1", 512, 7)
    assert (shown["Architectures"], shown["FunctionArn"].rsplit(":", 1)[1]) == (["arm64"], "live")
    assert function["Concurrency"]["ReservedConcurrentExecutions"] == 50
    client.delete_function_concurrency(FunctionName="api")
    assert "Concurrency" not in client.get_function(FunctionName="api")
    assert client.get_function_concurrency(FunctionName="api").get("ReservedConcurrentExecutions") is None


def test_publishing_without_a_change_makes_no_version(aws: LocalAws) -> None:
    """As on AWS, the newest version is answered again until something changes."""
    aws.create_function("f")
    client = client_of(aws)
    assert client.publish_version(FunctionName="f")["Version"] == "1"
    client.update_function_configuration(FunctionName="f", MemorySize=2048)
    assert client.publish_version(FunctionName="f")["Version"] == "2"
    versions = client.list_versions_by_function(FunctionName="f")["Versions"]
    assert [(version["Version"], version["MemorySize"]) for version in versions] == [
        ("$LATEST", 2048),
        ("1", 1024),
        ("2", 2048),
    ]


def test_aliases_are_listed_with_their_weights_by_version_and_in_pages(aws: LocalAws) -> None:
    """ListAliases carries routing weights, takes FunctionVersion, and pages by 50."""
    aws.create_function("f")
    aws.publish_version("f")
    aws.create_alias("f", "canary", version="1", weights={"2": 0.1})
    aws.create_alias("f", "next", version="2")
    client = client_of(aws)
    aliases = {alias["Name"]: alias for alias in client.list_aliases(FunctionName="f")["Aliases"]}
    assert aliases["canary"]["RoutingConfig"]["AdditionalVersionWeights"] == {"2": 0.1}
    assert "RoutingConfig" not in aliases["live"]
    of_two = client.list_aliases(FunctionName="f", FunctionVersion="2")["Aliases"]
    assert [alias["Name"] for alias in of_two] == ["next"]
    for number in range(60):
        aws.create_alias("f", f"a{number}")
    pages = client.get_paginator("list_aliases").paginate(FunctionName="f")
    assert [len(page["Aliases"]) for page in pages] == [50, 13]


def test_more_than_one_weight_is_refused(aws: LocalAws) -> None:
    """An alias routes to two versions at the most."""
    aws.create_function("f")
    aws.publish_version("f")
    with pytest.raises(ClientError, match="cannot be greater than 1"):
        client_of(aws).update_alias(
            FunctionName="f", Name="live", RoutingConfig={"AdditionalVersionWeights": {"1": 0.1, "2": 0.1}}
        )


def test_regions_and_accounts_are_apart(aws: LocalAws) -> None:
    """A function is only in its own Region and account."""
    aws.elsewhere(region="eu-central-1").create_function("f")
    assert client_of(aws, "eu-central-1").get_function(FunctionName="f")["Configuration"]["Version"] == "$LATEST"
    with pytest.raises(ClientError, match="Function not found"):
        client_of(aws).get_function(FunctionName="f")
    other = aws.session(account="444455556666", region="eu-central-1")
    with pytest.raises(ClientError, match="444455556666"):
        other.client("lambda", endpoint_url=aws.endpoint_url, config=ONCE).get_function(FunctionName="f")


def test_what_is_not_modelled_is_refused_by_name(aws: LocalAws) -> None:
    """No wrong answer for what we don't know, and no code is run."""
    aws.create_function("f")
    with pytest.raises(ClientError, match="does not model lambda:Invoke"):
        client_of(aws).invoke(FunctionName="f")


def test_the_sixteenth_call_in_a_second_is_throttled(aws: LocalAws) -> None:
    """15 a second over all operations together, in the driven second; the next second has 15 more."""
    aws.create_function("f")
    aws.configure(rate_limit=RateLimit.DRIVEN)
    client = client_of(aws)
    for _ in range(8):
        client.get_alias(FunctionName="f", Name="live")
    for _ in range(7):
        client.list_provisioned_concurrency_configs(FunctionName="f")
    with pytest.raises(ClientError) as caught:
        client.get_account_settings()
    error = caught.value.response
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert (error["Error"]["Code"], error["Error"]["Message"]) == ("TooManyRequestsException", "Rate Exceeded.")
    assert error["Reason"] == "CallerRateLimitExceeded"  # type: ignore[typeddict-item] # a member of this error alone
    assert error["retryAfterSeconds"] == "1"  # type: ignore[typeddict-item] # the same
    client.get_function(FunctionName="f")  # has a limit of its own
    aws.advance(1)
    client.get_account_settings()


def test_the_limit_can_run_on_real_time(aws: LocalAws) -> None:
    """Under a driven clock that stands still, real seconds still refill it."""
    aws.create_function("f")
    aws.configure(rate_limit=RateLimit.REAL)
    client = client_of(aws)
    throttled = sum(1 for _ in range(40) if _is_throttled(client))
    assert 0 < throttled <= 25
    aws.configure(rate_limit=RateLimit.OFF)
    client.get_account_settings()


def test_a_fault_strikes_the_next_calls_of_its_function_only(aws: LocalAws) -> None:
    """Twice for `f`, never for `g`, then it is over."""
    aws.create_function("f")
    aws.create_function("g")
    client = client_of(aws)
    aws.inject("GetAlias", function="f", times=2, code="ServiceException", message="try later", status=500)
    client.get_alias(FunctionName="g", Name="live")
    for _ in range(2):
        with pytest.raises(ClientError, match="try later"):
            client.get_alias(FunctionName="f", Name="live")
    client.get_alias(FunctionName="f", Name="live")


def test_a_fault_may_be_a_dropped_connection_or_a_late_answer(aws: LocalAws) -> None:
    """What botocore makes of no answer at all, and of one after its read timeout."""
    client = client_of(aws)
    aws.inject("GetAccountSettings", drop=True)
    with pytest.raises(ConnectionClosedError):
        client.get_account_settings()
    aws.inject("GetAccountSettings", delay_s=0.5)
    with pytest.raises(ReadTimeoutError):
        client.get_account_settings()
    client.get_account_settings()


def test_calls_are_counted_and_kept_with_their_user_agent(aws: LocalAws) -> None:
    """What CloudTrail would show of a write: the operation, its parameters, who says they are calling."""
    aws.create_function("f")
    aws.clear_calls()
    agent = Config(user_agent_extra="warmcast/decision-1")
    client = aws.session().client("lambda", endpoint_url=aws.endpoint_url, config=agent)
    client.put_provisioned_concurrency_config(FunctionName="f", Qualifier="live", ProvisionedConcurrentExecutions=1)
    assert aws.calls() == {"lambda:PutProvisionedConcurrencyConfig": 1}
    (call,) = aws.journal("PutProvisionedConcurrencyConfig")
    assert call["params"] == {"FunctionName": "f", "Qualifier": "live", "ProvisionedConcurrentExecutions": 1}
    assert "warmcast/decision-1" in call["user_agent"]


def _is_throttled(client: LambdaClient) -> bool:
    """Whether a call meets the limit."""
    try:
        client.get_account_settings()
    except client.exceptions.TooManyRequestsException:
        return True
    return False
