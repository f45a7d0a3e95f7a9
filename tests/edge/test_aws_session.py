"""Clients as the entry points make them: where they point, how often they try, where they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from builders import CHECKOUT, NOON
from scripted import Reply, StepClock
from warmcast.aws.session import make_clients, whoami
from warmcast.errors import AwsError, WarmcastError
from warmcast.fleet import Home

if TYPE_CHECKING:
    from localaws import LocalAws
    from scripted import Script
    from warmcast.aws.session import Clients


def test_the_command_line_learns_where_it_is(aws: LocalAws) -> None:
    """Account by STS, Region as given."""
    assert whoami(region="eu-west-1", endpoint_url=aws.endpoint_url) == Home(CHECKOUT.account, "eu-west-1")


def test_no_region_is_told_in_words() -> None:
    """The message says what to set."""
    with pytest.raises(WarmcastError, match="no Region: set AWS_REGION"):
        whoami()


def test_no_such_profile_is_told_by_its_name() -> None:
    """A mistyped profile is the user's to mend, not a bug."""
    with pytest.raises(AwsError, match=r"GetCallerIdentity: ProfileNotFound: .*nobody"):
        whoami(region="eu-west-1", profile="nobody")
    with pytest.raises(AwsError, match="ProfileNotFound"):
        make_clients(region="eu-west-1", table_name="t", profile="nobody", clock=StepClock())


def test_an_empty_endpoint_means_aws_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """`sam local` needs the variable declared; empty, as the template has it, it must not be taken for a URL."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")
    made = make_clients(region="eu-west-1", table_name="t", endpoint_url="", clock=StepClock())
    assert made.calls.counts == {}


def test_the_environment_may_point_all_clients_elsewhere(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_ENDPOINT_URL is enough: Lambda, Auto Scaling and DynamoDB all go there."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", script.url)
    made = make_clients(region="eu-west-1", table_name="t", clock=StepClock())
    script.reply = Reply(body=b'{"Items": [], "ScalableTargets": [], "ProvisionedConcurrencyConfigs": []}')
    made.functions.provisioned("checkout-api")
    made.autoscaling.describe([CHECKOUT])
    made.table.recall(now=NOON)
    assert len(script.sent) == 3


def test_writes_are_tried_twice_and_the_table_three_times(script: Script, scripted_clients: Clients) -> None:
    """A late write is worse than a missed one; the lock is worth a third attempt."""
    script.reply = Reply(hang_up=True)
    for call in (
        lambda: scripted_clients.functions.put(CHECKOUT, 5),
        lambda: scripted_clients.autoscaling.register(CHECKOUT, 1, 2),
        lambda: scripted_clients.table.recall(now=NOON),
    ):
        with pytest.raises(AwsError) as error:
            call()
        assert error.value.code == "ConnectionClosedError"
    assert scripted_clients.calls.counts == {
        "lambda.PutProvisionedConcurrencyConfig": 2,
        "application-auto-scaling.DescribeScalableTargets": 2,
        "dynamodb.Query": 3,
    }


def test_an_outage_ends_the_retries(script: Script, scripted_clients: Clients) -> None:
    """The SDK's quota: after dozens of failures in a row each call is tried once, so an outage is not made worse."""
    script.reply = Reply(status=500, code="ServiceException", message="oh")
    for _ in range(60):
        with pytest.raises(AwsError):
            scripted_clients.functions.function("checkout-api", "live")
    assert 60 < len(script.sent) < 120
    before = len(script.sent)
    with pytest.raises(AwsError):
        scripted_clients.functions.function("checkout-api", "live")
    assert len(script.sent) == before + 1
