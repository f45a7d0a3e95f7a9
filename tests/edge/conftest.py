"""One local AWS for all edge tests, empty and with its clock at `builders.NOON` at the start of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from builders import CHECKOUT, NOON
from localaws import LocalAws, RateLimit
from scripted import Script, StepClock, scripted
from warmcast.aws.session import Clients, make_clients

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "warmcast-control"


@pytest.fixture(scope="session", autouse=True)
def environment() -> Iterator[None]:
    """Credentials of the tests' account, and nothing of the machine's own AWS settings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", CHECKOUT.account)
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_CONFIG_FILE", "/dev/null")
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def running_aws(environment: None) -> Iterator[LocalAws]:
    """The server itself; tests take `aws`, which empties it first."""
    del environment
    with LocalAws(NOON, account=CHECKOUT.account, region=CHECKOUT.region, rate_limit=RateLimit.OFF) as aws:
        yield aws


@pytest.fixture
def aws(running_aws: LocalAws) -> LocalAws:
    """A local AWS with nothing in it, its settings as they were born, at noon."""
    running_aws.reset()
    running_aws.configure(
        lead_time_s=120, failure_s=240, decrease_s=0, shift_s=420, account_concurrency=1000, rate_limit=RateLimit.OFF
    )
    running_aws.set_now(NOON)
    return running_aws


@pytest.fixture(scope="session")
def shared_dynamodb(running_aws: LocalAws) -> DynamoDBClient:
    """A plain DynamoDB client, for looking behind the table's back."""
    return running_aws.session().client("dynamodb", endpoint_url=running_aws.endpoint_url)


@pytest.fixture
def dynamodb(aws: LocalAws, shared_dynamodb: DynamoDBClient) -> DynamoDBClient:
    """The same, on an emptied AWS."""
    del aws
    return shared_dynamodb


@pytest.fixture
def table_name(dynamodb: DynamoDBClient) -> str:
    """The control table as the stack makes it."""
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return TABLE


@pytest.fixture
def clock() -> StepClock:
    """The clock that the clients wait by: waiting costs a test no time."""
    return StepClock()


@pytest.fixture(scope="session")
def shared_clients(running_aws: LocalAws) -> Clients:
    """Making clients takes a quarter of a second, so the tests on the local AWS share them."""
    return make_clients(
        region=CHECKOUT.region,
        table_name=TABLE,
        endpoint_url=running_aws.endpoint_url,
        fleet_version="fleet-7",
        clock=StepClock(),
    )


@pytest.fixture
def clients(aws: LocalAws, shared_clients: Clients) -> Clients:
    """Warmcast's clients, as the entry points make them, on the emptied local AWS, their counts at zero."""
    del aws
    shared_clients.calls.reset()
    return shared_clients


@pytest.fixture
def script() -> Iterator[Script]:
    """A server that answers what the test says."""
    with scripted() as server:
        yield server


@pytest.fixture
def scripted_clients(script: Script, clock: StepClock) -> Clients:
    """Warmcast's clients on the scripted server."""
    return make_clients(
        region=CHECKOUT.region, table_name=TABLE, endpoint_url=script.url, fleet_version="fleet-7", clock=clock
    )
