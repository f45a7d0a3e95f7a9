"""The built function, in the container that Lambda would run it in, against the local AWS over HTTP."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from e2e.sam_local import Build, build, host_address
from localaws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.sam_local import Invocation

pytestmark = pytest.mark.e2e

TABLE = "warmcast-control"
ACCOUNT, REGION = "123456789012", "eu-west-1"
CAPACITY = 2
FORTNIGHT = 14 * 24 * 60
MB = 1 << 20


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The package, built once."""
    return build(tmp_path_factory.mktemp("warmcast"))


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    """A local AWS that containers reach."""
    with _local_aws() as local:
        yield local


@dataclass(frozen=True)
class Ticked:
    """What one tick gave and left behind."""

    invocation: Invocation
    capacities: dict[str, int]
    writes: list[Any]


@pytest.fixture(scope="module")
def ticked(built: Build) -> Ticked:
    """One tick by `events/tick.json`, looked at from several sides."""
    with _local_aws() as local:
        invocation = _invoke(built, local, "tick")
        return Ticked(invocation, _capacities(local), local.journal("PutProvisionedConcurrencyConfig"))


@contextmanager
def _local_aws() -> Iterator[LocalAws]:
    """Two functions whose aliases need more than the 2 units that they have."""
    with LocalAws(host="0.0.0.0", account=ACCOUNT, region=REGION) as local:  # noqa: S104 - for the container
        _make_table(local)
        for function in ("checkout-api", "search-api"):
            local.create_function(function)
            local.set_provisioned(function, "live", CAPACITY)
            _load_fortnight(local, function)
        yield local


def _make_table(local: LocalAws) -> None:
    client = local.session().client("dynamodb", endpoint_url=_endpoint(local, "127.0.0.1"))
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )


def _load_fortnight(local: LocalAws, function: str) -> None:
    """Two weeks of some 8 executions in flight: 16 calls a second of half a second each."""
    start = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=FORTNIGHT)
    calls = np.random.default_rng(7).poisson(960, FORTNIGHT)
    local.load_minutes(
        function, "live", start, invocations=calls, duration_ms=calls * 500.0, concurrency=np.full(FORTNIGHT, 14.0)
    )


def _endpoint(local: LocalAws, host: str) -> str:
    return f"http://{host}:{local.endpoint_url.rpartition(':')[2]}"


def _invoke(built: Build, local: LocalAws, event: str) -> Invocation:
    variables = {
        "AWS_ENDPOINT_URL": _endpoint(local, host_address()),
        "WARMCAST_ACCOUNT": ACCOUNT,
        "WARMCAST_TABLE": TABLE,
        "WARMCAST_FLEET_VERSION": "e2e",
    }
    return built.invoke(event, variables=variables, region=REGION)


def _capacities(local: LocalAws) -> dict[str, int]:
    client = local.session().client("lambda", endpoint_url=_endpoint(local, "127.0.0.1"))
    found = {}
    for function in ("checkout-api", "search-api"):
        (config,) = client.list_provisioned_concurrency_configs(FunctionName=function)["ProvisionedConcurrencyConfigs"]
        found[function] = config["RequestedProvisionedConcurrentExecutions"]
    return found


def test_a_tick_raises_the_target_that_needs_it(ticked: Ticked) -> None:
    """The target in mode apply gets its need, the one in mode observe is only planned for."""
    report = ticked.invocation.answer
    assert report["status"] == "done", report
    assert (report["targets"], report["changed"], report["failed"], report["faults"]) == (2, 1, 0, [])
    rows = {row["target"]: row for row in report["rows"]}
    raised, planned = rows["checkout-api:live"], rows["search-api:live"]
    assert (raised["outcome"], planned["outcome"]) == ("applied", "planned")
    # Erlang's B: of 8 erlangs, 14 units lose 1.7 % and 15 lose 0.9 %; the forecast's spread asks for no less.
    assert 15 <= raised["wanted"] <= 60
    assert ticked.capacities == {"checkout-api": raised["wanted"], "search-api": CAPACITY}


def test_the_write_carries_its_decision_to_cloudtrail(ticked: Ticked) -> None:
    """The user agent of the one write names Warmcast, the decision and the fleet's version."""
    (row,) = [row for row in ticked.invocation.answer["rows"] if row["outcome"] == "applied"]
    (write,) = ticked.writes
    assert "warmcast/" in write["user_agent"]
    assert "fleet/e2e" in write["user_agent"]
    assert row["decision_id"] in write["user_agent"]


def test_a_tick_logs_a_line_per_target_and_metrics(ticked: Ticked) -> None:
    """What an on-call engineer and the alarms read, as the container writes it."""
    log = ticked.invocation.log
    logged = {line["target"] for line in log if line.get("message") == "target"}
    assert logged == {"checkout-api:live", "search-api:live"}
    (metrics,) = [line for line in log if "_aws" in line]
    assert (metrics["Ticks"], metrics["TickFailures"], metrics["CapacityChanges"]) == ([1.0], [0.0], [1.0])


def test_a_dry_run_changes_nothing_at_all(built: Build, aws: LocalAws) -> None:
    """`events/tick-dry-run.json`: the same decision, no capacity, no state, no lock."""
    report = _invoke(built, aws, "tick-dry-run").answer
    assert (report["status"], report["dry_run"], report["changed"]) == ("done", True, 0)
    rows = {row["target"]: row for row in report["rows"]}
    assert rows["checkout-api:live"]["outcome"] == "planned"
    assert rows["checkout-api:live"]["wanted"] >= 15
    assert _capacities(aws) == {"checkout-api": CAPACITY, "search-api": CAPACITY}
    table = aws.session().client("dynamodb", endpoint_url=_endpoint(aws, "127.0.0.1"))
    assert table.scan(TableName=TABLE)["Count"] == 0


def test_one_target_can_be_named(built: Build, aws: LocalAws) -> None:
    """`events/tick-one-target.json` looks at that target alone."""
    report = _invoke(built, aws, "tick-one-target").answer
    assert [row["target"] for row in report["rows"]] == ["checkout-api:live"]
    assert report["dry_run"] is True


def test_a_second_tick_at_once_changes_nothing_more(built: Build, aws: LocalAws) -> None:
    """A duplicate finds the change under way, from another environment that remembers nothing but the table."""
    first = _invoke(built, aws, "tick").answer
    second = _invoke(built, aws, "tick").answer
    assert (first["changed"], second["changed"]) == (1, 0)
    assert len(aws.journal("PutProvisionedConcurrencyConfig")) == 1


def test_without_its_table_the_function_fails_and_says_why(built: Build, aws: LocalAws) -> None:
    """Lambda then counts an error; the log has AWS's words and the metric counts the failure."""
    aws.session().client("dynamodb", endpoint_url=_endpoint(aws, "127.0.0.1")).delete_table(TableName=TABLE)
    invocation = _invoke(built, aws, "tick")
    assert invocation.answer["errorType"] == "AwsError"
    assert "ResourceNotFoundException" in invocation.answer["errorMessage"]
    assert [line["TickFailures"] for line in invocation.log if "_aws" in line] == [[1.0]]


def test_the_package_is_small_enough(built: Build) -> None:
    """Under 100 MB unzipped, so that a cold start has little to read; Lambda's limit is 250 MB."""
    size = sum(path.stat().st_size for path in built.package.rglob("*") if path.is_file())
    assert 20 * MB < size < 100 * MB
    assert not list(built.package.rglob("boto3"))
