"""The server as a whole: moto's services behind it, the control interface over HTTP, the process, two at a time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError

from localaws import ControlError, LocalAws, RemoteControl

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TESTS = Path(__file__).parents[2]


@pytest.fixture
def table(aws: LocalAws) -> DynamoDBClient:
    """A DynamoDB client, and a table `t` with a partition and a sort key."""
    client = aws.session().client("dynamodb", endpoint_url=aws.endpoint_url)
    client.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


def test_dynamodb_takes_a_lock_once(table: DynamoDBClient) -> None:
    """A conditional PutItem succeeds once, and again when the lock has expired."""
    lock = {"pk": {"S": "lock"}, "sk": {"S": "-"}}

    def take(now: int) -> None:
        table.put_item(
            TableName="t",
            Item={**lock, "until": {"N": str(now + 60)}},
            ConditionExpression="attribute_not_exists(pk) OR #u < :now",
            ExpressionAttributeNames={"#u": "until"},
            ExpressionAttributeValues={":now": {"N": str(now)}},
        )

    take(0)
    with pytest.raises(table.exceptions.ConditionalCheckFailedException):
        take(30)
    take(61)


def test_dynamodb_updates_conditionally_and_queries_by_prefix(table: DynamoDBClient) -> None:
    """UpdateItem with a condition, Query with begins_with, a TTL attribute kept as it is."""
    for name in ("a#1", "a#2", "b#1"):
        table.put_item(TableName="t", Item={"pk": {"S": "p"}, "sk": {"S": name}, "ttl": {"N": "1"}})
    table.update_time_to_live(TableName="t", TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"})
    with pytest.raises(table.exceptions.ConditionalCheckFailedException):
        table.update_item(
            TableName="t",
            Key={"pk": {"S": "p"}, "sk": {"S": "a#1"}},
            UpdateExpression="SET x = :x",
            ConditionExpression="#t > :x",
            ExpressionAttributeNames={"#t": "ttl"},
            ExpressionAttributeValues={":x": {"N": "5"}},
        )
    found = table.query(
        TableName="t",
        KeyConditionExpression="pk = :p AND begins_with(sk, :s)",
        ExpressionAttributeValues={":p": {"S": "p"}, ":s": {"S": "a#"}},
    )
    assert [item["sk"]["S"] for item in found["Items"]] == ["a#1", "a#2"]


def test_sqs_sts_and_scheduler_are_motos(aws: LocalAws) -> None:
    """The rest of what a deployment touches."""
    session, url = aws.session(), aws.endpoint_url
    assert session.client("sts", endpoint_url=url).get_caller_identity()["Account"] == aws.account
    queues = session.client("sqs", endpoint_url=url)
    queue = queues.create_queue(QueueName="dead")["QueueUrl"]
    queues.send_message(QueueUrl=queue, MessageBody="m")
    assert queues.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "m"
    scheduler = session.client("scheduler", endpoint_url=url)
    assert scheduler.list_schedules()["Schedules"] == []


def test_an_assumed_role_is_in_its_own_account(aws: LocalAws) -> None:
    """Credentials from STS lead to the account of the role."""
    sts = aws.session().client("sts", endpoint_url=aws.endpoint_url)
    given = sts.assume_role(RoleArn="arn:aws:iam::777788889999:role/reader", RoleSessionName="reader")["Credentials"]
    aws.elsewhere(account="777788889999").create_function("theirs")
    client = boto3.client(
        "lambda",
        endpoint_url=aws.endpoint_url,
        region_name=aws.region,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    arn = client.get_function(FunctionName="theirs")["Configuration"]["FunctionArn"]
    assert arn.split(":")[4] == "777788889999"


def test_faults_and_counts_reach_motos_services(aws: LocalAws, table: DynamoDBClient) -> None:
    """Any operation can be made to fail, in its own service's format."""
    aws.inject(
        "dynamodb:PutItem", code="ConditionalCheckFailedException", message="The conditional request failed", status=400
    )
    with pytest.raises(table.exceptions.ConditionalCheckFailedException):
        table.put_item(TableName="t", Item={"pk": {"S": "p"}, "sk": {"S": "s"}})
    sts = aws.session().client("sts", endpoint_url=aws.endpoint_url)
    aws.inject("GetCallerIdentity", code="AccessDenied", message="no", status=403)
    with pytest.raises(ClientError) as caught:
        sts.get_caller_identity()
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    assert aws.calls()["dynamodb:PutItem"] == 1


def test_a_reset_forgets_everything(aws: LocalAws, table: DynamoDBClient) -> None:
    """Ours and moto's."""
    aws.create_function("f")
    aws.reset()
    assert aws.state()["functions"] == []
    assert table.list_tables()["TableNames"] == []


def test_two_servers_in_one_process_need_two_accounts(server: LocalAws) -> None:
    """The state of moto is the process's; by account it is apart."""
    with pytest.raises(RuntimeError, match="already runs"):
        LocalAws(account=server.account).start()
    with LocalAws(datetime(2026, 1, 1, tzinfo=UTC), account="999900001111") as other:
        other.create_function("only-there")
        names = [function["name"] for function in server.state()["functions"]]
        assert "only-there" not in names


def test_the_control_interface_works_over_http(aws: LocalAws) -> None:
    """Clock, resources, bulk metrics and state through RemoteControl are those of the server."""
    remote = RemoteControl(aws.endpoint_url)
    assert remote.advance(60) == aws.now()
    remote.create_function("f", memory_mb=256)
    remote.set_provisioned("f", "live", 3)
    start = aws.now() - timedelta(hours=1)
    remote.load_minutes("f", "live", start, invocations=[1.0] * 30, duration_ms=[5.0] * 30, concurrency=[1.0] * 30)
    (function,) = remote.state()["functions"]
    assert function["provisioned"]["live"]["AllocatedProvisionedConcurrentExecutions"] == 3
    assert remote.state()["series"] == 4
    with pytest.raises(ControlError, match="no such setting: speed"):
        remote.configure(speed=1)
    with pytest.raises(ControlError, match="Function not found"):
        aws.publish_version("nosuch")


def test_the_process_starts_quickly_seeded_and_stops_cleanly(tmp_path: Path) -> None:
    """`python -m localaws --seed`: answers within 3 seconds of CPU, holds what the seed lists, ends on SIGTERM."""
    minutes = {"qualifier": "live", "start": "2026-11-02T06:00:00+00:00", "invocations": [1], "duration_ms": [2]}
    seed = {
        "settings": {"lead_time_s": 60},
        "functions": [{"name": "f", "provisioned": {"live": 2}, "minutes": [{**minutes, "concurrency": [1]}]}],
    }
    path = tmp_path / "seed.json"
    path.write_text(json.dumps(seed), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "localaws",
        "--port",
        "0",
        "--now",
        "2026-11-02T08:00:00+00:00",
        "--seed",
        str(path),
    ]
    with subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(TESTS)}, text=True
    ) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        remote = RemoteControl(ready["endpoint_url"])
        assert remote.now() == datetime(2026, 11, 2, 8, tzinfo=UTC)
        (function,) = remote.state()["functions"]
        process.terminate()
    assert process.returncode == 0
    assert function["provisioned"]["live"]["RequestedProvisionedConcurrentExecutions"] == 2


def test_a_protocol_that_is_not_spoken_is_refused_clearly(aws: LocalAws) -> None:
    """Old SDKs ask CloudWatch by query strings, the newest can by CBOR: neither gets a wrong answer."""
    scope = "AWS4-HMAC-SHA256 Credential=test/20261102/us-east-1/monitoring/aws4_request"
    for path, body in [("/", b"Action=GetMetricData&Version=2010-08-01"), ("/service/G/operation/GetMetricData", b"")]:
        request = urllib.request.Request(aws.endpoint_url + path, data=body, headers={"Authorization": scope})  # noqa: S310 - our own server
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)  # noqa: S310 - our own server
        with caught.value as answer:
            assert b"JSON protocol" in answer.read()


def test_the_clock_takes_aware_instants_only(aws: LocalAws) -> None:
    """A naive instant would mean the machine's zone; real time comes back with run_clock."""
    with pytest.raises(ValueError, match="aware"):
        aws.clock.set(datetime(2026, 11, 2))  # noqa: DTZ001 - naive on purpose
    aws.run_clock()
    assert not aws.clock.driven
    assert abs(aws.now() - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_readme_names_tests_that_exist() -> None:
    """Each behaviour in the table has a test, and it is there."""
    readme = (TESTS / "localaws" / "README.md").read_text(encoding="utf-8")
    rows = [line for line in readme.splitlines() if line.startswith("|") and line.count("|") == 6][2:]
    written = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    defined = set(re.findall(r"^def (test_\w+)", written, re.MULTILINE))
    assert len(rows) > 40
    for row in rows:
        named = set(re.findall(r"`(test_\w+)`", row))
        assert named, f"no test: {row}"
        assert named <= defined, f"no such test: {row}"
