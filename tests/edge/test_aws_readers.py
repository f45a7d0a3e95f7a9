"""Readers never write: the guard before the wire, the pace behind it, and what can't be opened at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import botocore.session
import pytest

from builders import CHECKOUT
from scripted import StepClock
from warmcast.aws.readers import WriteRefusedError, connect, make_readers
from warmcast.errors import AwsError, WarmcastError
from warmcast.permissions import READ_ONLY

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from localaws import LocalAws
    from warmcast.aws.readers import Connection

WRITES: dict[str, Callable[[Any], object]] = {
    "lambda": lambda client: client.put_provisioned_concurrency_config(
        FunctionName="checkout-api", Qualifier="live", ProvisionedConcurrentExecutions=5
    ),
    "application-autoscaling": lambda client: client.register_scalable_target(
        ServiceNamespace="lambda",
        ResourceId="function:checkout-api:live",
        ScalableDimension="lambda:function:ProvisionedConcurrency",
        MinCapacity=1,
        MaxCapacity=2,
    ),
    "cloudwatch": lambda client: client.put_metric_data(Namespace="n", MetricData=[{"MetricName": "m", "Value": 1}]),
    "dynamodb": lambda client: client.put_item(TableName="t", Item={"pk": {"S": "x"}}),
    "logs": lambda client: client.delete_log_group(logGroupName="g"),
    "sqs": lambda client: client.list_queues(),
}


def connected(aws: LocalAws) -> Connection:
    """A connection to the local AWS."""
    return connect(region=CHECKOUT.region, profile=None, endpoint_url=aws.endpoint_url, clock=StepClock())


@pytest.mark.parametrize("service", WRITES)
def test_a_write_is_refused_before_it_reaches_the_wire(aws: LocalAws, service: str) -> None:
    """It is a bug of ours, no error of AWS: nothing arrives. A read that is not on the list is refused as well."""
    connection = connected(aws)
    with pytest.raises(WriteRefusedError, match="nothing was sent"):
        WRITES[service](connection.client(service))
    assert aws.journal() == []
    assert connection.calls.counts == {}


def test_every_operation_on_the_list_exists_by_that_name() -> None:
    """As botocore's events spell it: service id in lower case with dashes, and the operation."""
    session = botocore.session.Session()
    services = ("lambda", "application-autoscaling", "cloudwatch", "logs", "pricing", "ce", "sts", "dynamodb")
    models = [session.get_service_model(service) for service in services]
    known = {f"{model.service_id.hyphenize()}.{name}" for model in models for name in model.operation_names}
    assert known >= READ_ONLY


def test_lambda_is_asked_under_a_third_of_its_rate_for_as_long_as_it_takes(aws: LocalAws) -> None:
    """100 calls wait for their turns instead of being given up: 4 at once, then 4 a second. GetFunction has 30."""
    aws.create_function("checkout-api")
    clock = StepClock()
    readers = make_readers(region=CHECKOUT.region, profile=None, endpoint_url=aws.endpoint_url, clock=clock)
    begun = clock.monotonic()
    for _ in range(100):
        readers.inventory.aliases("checkout-api")
    asked = clock.monotonic()
    assert asked - begun == pytest.approx((100 - 4) / 4)
    (seen,) = readers.inventory.functions()
    listed = clock.monotonic()
    for _ in range(60):
        readers.inventory.details(seen)
    assert clock.monotonic() - listed == pytest.approx((60 - 30) / 30, abs=0.01)


def test_a_service_of_another_region_is_reached_there(aws: LocalAws) -> None:
    """The price list stands in few Regions only."""
    client = connected(aws).client("pricing", region="us-east-1")
    assert client.meta.region_name == "us-east-1"
    client.get_products(ServiceCode="AWSLambda", MaxResults=1)
    (call,) = aws.journal("GetProducts")
    assert call["place"]["region"] == "us-east-1"


def test_what_can_not_be_opened_is_told_in_words() -> None:
    """No Region, no such profile: for the user to mend."""
    with pytest.raises(WarmcastError, match="no Region"):
        connect(region=None, profile=None, endpoint_url=None, clock=StepClock())
    with pytest.raises(AwsError, match="ProfileNotFound"):
        connect(region="eu-west-1", profile="nobody", endpoint_url=None, clock=StepClock())


def test_an_account_that_answers_no_one_is_an_error_of_aws(aws: LocalAws) -> None:
    """Expired credentials come out of the first question, tried twice at the most."""
    aws.inject("GetCallerIdentity", times=None, code="ExpiredToken", message="expired", status=403)
    with pytest.raises(AwsError, match="GetCallerIdentity: ExpiredToken"):
        make_readers(region=CHECKOUT.region, profile=None, endpoint_url=aws.endpoint_url, clock=StepClock())
