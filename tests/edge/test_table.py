"""The control table over HTTP: what is kept comes back, nothing spoils the rest, and the lock has one holder."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from builders import CHECKOUT, NOON, decision, target
from warmcast.aws.table import ReadOnlyTable, Table
from warmcast.errors import AwsError
from warmcast.model import Memory, Mode, Outcome, Override, Result, TargetId

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from localaws import LocalAws

LATER = NOON + timedelta(minutes=10)
KEY = "111122223333#us-east-1#checkout-api#live"
FULL = Memory(
    requested=20,
    floor_published=12,
    changed_at=NOON,
    raised_at=NOON - timedelta(minutes=5, microseconds=1),
    changes=7,
    pending_since=NOON,
    lead_time_s=127.25,
    failure="allocation failed",
    failed_fleet="fleet-6",
    waiting_since=NOON,
    mode=Mode.APPLY,
    failures=2,
    back_off_until=LATER,
    on_remove="delete",
    stack_owns_config=False,
)


def put(dynamodb: DynamoDBClient, name: str, sk: str, **attributes: AttributeValueTypeDef) -> None:
    """Write an item into the control partition as the override and stop commands do."""
    dynamodb.put_item(TableName=name, Item={"pk": {"S": "control"}, "sk": {"S": sk}, **attributes})


@pytest.fixture
def table(dynamodb: DynamoDBClient, table_name: str) -> Table:
    """The control table, empty."""
    return Table(dynamodb, table_name)


# --- the lock


def test_only_one_owner_holds_the_lock(table: Table) -> None:
    """A second owner is refused until the first gives it back."""
    assert table.lock("first", now=NOON, until=LATER)
    assert not table.lock("second", now=NOON, until=LATER)
    table.unlock("first")
    assert table.lock("second", now=NOON, until=LATER)


def test_of_many_who_reach_for_the_lock_one_gets_it(table: Table) -> None:
    """Eight overlapping ticks: exactly one may run."""
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda n: table.lock(f"tick-{n}", now=NOON, until=LATER), range(8)))
    assert sum(won) == 1


def test_a_lock_that_was_left_behind_expires(table: Table) -> None:
    """A tick that died blocks the next only until its lock's end, which is exclusive."""
    assert table.lock("died", now=NOON, until=LATER)
    assert not table.lock("next", now=LATER - timedelta(seconds=1), until=LATER)
    assert table.lock("next", now=LATER, until=LATER + timedelta(minutes=10))


def test_an_event_that_is_delivered_twice_gets_one_lock(table: Table) -> None:
    """Lambda may run one event, and so one owner, twice at once: the second run is as locked out as any other."""
    assert table.lock("request-1", now=NOON, until=LATER)
    assert not table.lock("request-1", now=NOON, until=LATER)


def test_a_lock_whose_answer_was_lost_is_ours(aws: LocalAws, table_name: str) -> None:
    """The write arrives, its answer does not; the SDK sends it again, and that finds its own lock."""
    client = aws.session().client(
        "dynamodb", endpoint_url=aws.endpoint_url, config=Config(retries={"mode": "standard", "total_max_attempts": 2})
    )
    lost: list[AWSPreparedRequest] = []

    def lose_the_first_answer(request: AWSPreparedRequest, **_: object) -> None:
        if not lost:
            lost.append(request)
            URLLib3Session().send(request)
            raise ConnectionClosedError(endpoint_url=request.url)

    client.meta.events.register("before-send.dynamodb.PutItem", lose_the_first_answer)
    assert Table(client, table_name).lock("first", now=NOON, until=LATER)
    assert len(lost) == 1


def test_nobody_gives_back_another_owners_lock(table: Table) -> None:
    """A tick that outlived its lock must not open the door behind its successor."""
    table.lock("slow", now=NOON, until=LATER)
    table.lock("next", now=LATER, until=LATER + timedelta(minutes=10))
    table.unlock("slow")
    assert not table.lock("third", now=LATER, until=LATER + timedelta(minutes=10))


def test_giving_back_a_lock_that_nobody_holds_is_fine(table: Table) -> None:
    """Unlocking twice, or without a lock, changes nothing."""
    table.unlock("nobody")
    assert table.lock("first", now=NOON, until=LATER)


# --- memories


@pytest.mark.parametrize("memory", [FULL, Memory(), replace(Memory(), lead_time_s=1 / 3, requested=0)])
def test_a_memory_comes_back_as_it_was(table: Table, memory: Memory) -> None:
    """Whole numbers, fractions to the last digit, instants and flags survive the table; what was None is None."""
    table.remember(CHECKOUT, memory)
    assert table.recall(now=NOON).memories == {CHECKOUT: memory}


def test_every_field_of_a_memory_is_kept() -> None:
    """The memory that the test above sends through has no field at its default: a new field must be added to it."""
    assert [each.name for each in fields(Memory) if getattr(FULL, each.name) == getattr(Memory(), each.name)] == []


def test_a_new_memory_takes_the_old_ones_place(table: Table) -> None:
    """Remembering replaces: a back-off that ended is not remembered for ever."""
    table.remember(CHECKOUT, FULL)
    table.remember(CHECKOUT, Memory(requested=5))
    assert table.recall(now=NOON).memories == {CHECKOUT: Memory(requested=5)}


def test_a_forgotten_target_is_gone_and_the_others_stay(table: Table) -> None:
    """Forgetting takes one target's memory and no other's."""
    table.remember(CHECKOUT, FULL)
    table.remember(target("search:live"), FULL)
    table.forget(CHECKOUT)
    assert table.recall(now=NOON).memories == {target("search:live"): FULL}


def test_an_empty_table_is_an_empty_recollection(table: Table) -> None:
    """A lost table that was made again holds nothing, and nothing is stopped."""
    found = table.recall(now=NOON)
    assert (found.memories, found.overrides, found.stopped, found.everything_stopped, found.unreadable) == (
        {},
        {},
        frozenset(),
        False,
        (),
    )


def test_recalling_pages_through_everything(table: Table, dynamodb: DynamoDBClient, table_name: str) -> None:
    """More than one megabyte of items, so more than one page of the Query, and none is missed."""
    padding: AttributeValueTypeDef = {"S": "x" * 380_000}
    targets = [TargetId("111122223333", "us-east-1", f"function-{n}", "live") for n in range(4)]
    for each in targets:
        put(dynamodb, table_name, f"memory#111122223333#us-east-1#{each.function}#live", padding=padding)
    assert set(table.recall(now=NOON).memories) == set(targets)


def test_the_lock_and_the_records_are_not_recalled(table: Table) -> None:
    """They live in partitions of their own: a tick never reads a month of records."""
    table.lock("first", now=NOON, until=LATER)
    table.record(Outcome(decision(), Result.APPLIED), fleet_version="abc", now=NOON)
    assert table.recall(now=NOON).unreadable == ()


# --- overrides and stops


def test_an_override_is_recalled_until_it_expires(table: Table, dynamodb: DynamoDBClient, table_name: str) -> None:
    """Its end is exclusive, whatever DynamoDB's own, slower expiry does."""
    put(
        dynamodb,
        table_name,
        f"override#{KEY}",
        until={"S": LATER.isoformat()},
        reason={"S": "sale"},
        by={"S": "ops"},
        minimum={"N": "50"},
    )
    before = table.recall(now=LATER - timedelta(seconds=1))
    assert before.overrides == {CHECKOUT: Override(until=LATER, reason="sale", by="ops", minimum=50)}
    assert table.recall(now=LATER).overrides == {}


def test_a_stop_holds_for_its_target_until_its_end(table: Table, dynamodb: DynamoDBClient, table_name: str) -> None:
    """One with an end ends; one without stands until it is removed."""
    put(dynamodb, table_name, f"stop#{KEY}", until={"S": LATER.isoformat()})
    put(dynamodb, table_name, "stop#111122223333#us-east-1#search#live", by={"S": "ops"})
    assert table.recall(now=NOON).stopped == {CHECKOUT, target("search:live")}
    assert table.recall(now=LATER).stopped == {target("search:live")}


def test_stopping_everything_is_one_item(table: Table, dynamodb: DynamoDBClient, table_name: str) -> None:
    """`stop#*` stops all targets, those not yet in the fleet included."""
    put(dynamodb, table_name, "stop#*", by={"S": "ops"})
    found = table.recall(now=NOON)
    assert found.everything_stopped
    assert found.stopped == frozenset()


def test_a_stop_whose_end_cannot_be_read_stands(table: Table, dynamodb: DynamoDBClient, table_name: str) -> None:
    """Stopping is the safe mistake."""
    put(dynamodb, table_name, f"stop#{KEY}", until={"S": "tomorrow-ish"})
    put(dynamodb, table_name, "stop#*", until={"N": "12"})
    found = table.recall(now=NOON)
    assert found.stopped == {CHECKOUT}
    assert found.everything_stopped


@pytest.mark.parametrize(
    ("sk", "attributes"),
    [
        (f"memory#{KEY}", {"requested": {"S": "twenty"}}),
        (f"memory#{KEY}", {"requested": {"N": "1.5"}}),
        (f"memory#{KEY}", {"changed_at": {"S": "yesterday"}}),
        (f"memory#{KEY}", {"changed_at": {"S": "2026-03-09T12:00:00"}}),
        (f"memory#{KEY}", {"stack_owns_config": {"S": "yes"}}),
        ("memory#checkout-api", {}),
        (f"override#{KEY}", {"minimum": {"N": "5"}}),
        (f"override#{KEY}", {"until": {"S": "2026-03-09T12:00:00"}}),
        ("override#*", {"until": {"S": "2026-03-09T13:00:00+00:00"}}),
        ("stop#checkout-api", {}),
        ("surprise#7", {}),
    ],
)
def test_an_item_that_cannot_be_read_is_named_and_spoils_nothing(
    table: Table,
    dynamodb: DynamoDBClient,
    table_name: str,
    sk: str,
    attributes: dict[str, AttributeValueTypeDef],
) -> None:
    """A corrupt item costs itself; its key comes out, and the other targets are as they were."""
    put(dynamodb, table_name, sk, **attributes)
    table.remember(target("search:live"), FULL)
    found = table.recall(now=NOON)
    assert found.unreadable == (sk,)
    assert found.memories == {target("search:live"): FULL}
    assert (found.overrides, found.stopped) == ({}, frozenset())


def test_attributes_of_a_later_version_are_ignored(table: Table, dynamodb: DynamoDBClient, table_name: str) -> None:
    """A newer Warmcast may add attributes; going back to this one still works."""
    put(dynamodb, table_name, f"memory#{KEY}", requested={"N": "7"}, mood={"SS": ["good"]}, nested={"M": {}})
    assert table.recall(now=NOON).memories == {CHECKOUT: Memory(requested=7)}


# --- records


def records(dynamodb: DynamoDBClient, name: str) -> list[dict[str, AttributeValueTypeDef]]:
    """The decision records of the tests' target, oldest first."""
    answer = dynamodb.query(
        TableName=name,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"record#{KEY}"}},
    )
    return list(answer["Items"])


def test_a_record_tells_the_decision_and_its_outcome(table: Table, dynamodb: DynamoDBClient, table_name: str) -> None:
    """The JSON has the decision whole, by the words of the model, and the outcome beside it."""
    made = replace(decision(wanted=42), demand=np.float64(3.5), foreseen=(np.float64("nan"), 9.0))
    table.record(Outcome(made, Result.REFUSED, "no", "AccessDeniedException"), fleet_version="abc", now=NOON)
    (item,) = records(dynamodb, table_name)
    kept = json.loads(item["record"]["S"])
    assert item["fleet_version"] == {"S": "abc"}
    assert (kept["result"], kept["error_code"]) == ("refused", "AccessDeniedException")
    assert kept["decision"]["target"]["function"] == "checkout-api"
    assert (kept["decision"]["wanted"], kept["decision"]["demand"]) == (42, 3.5)
    assert kept["decision"]["foreseen"] == [None, 9.0]
    assert kept["decision"]["at"] == NOON.isoformat()


def test_a_record_expires_after_the_days_it_is_kept(dynamodb: DynamoDBClient, table_name: str) -> None:
    """The TTL attribute is epoch seconds, as DynamoDB wants it."""
    table = Table(dynamodb, table_name, keep_records=timedelta(days=7))
    table.record(Outcome(decision(), Result.APPLIED), fleet_version="abc", now=NOON)
    (item,) = records(dynamodb, table_name)
    assert datetime.fromtimestamp(int(item["expires_at"]["N"]), UTC) == NOON + timedelta(days=7)


def test_a_duplicate_tick_leaves_one_record(table: Table, dynamodb: DynamoDBClient, table_name: str) -> None:
    """The key is the decision's instant and id, which a repeated tick makes again."""
    for _ in range(2):
        table.record(Outcome(decision(), Result.APPLIED), fleet_version="abc", now=NOON)
    assert len(records(dynamodb, table_name)) == 1


# --- no table, no writes


def test_a_missing_table_is_told_by_its_name(dynamodb: DynamoDBClient) -> None:
    """AWS's own code and operation come out, for every operation."""
    table = Table(dynamodb, "no-such-table")
    with pytest.raises(AwsError) as error:
        table.recall(now=NOON)
    assert (error.value.code, error.value.operation) == ("ResourceNotFoundException", "Query")
    with pytest.raises(AwsError, match="PutItem: ResourceNotFoundException"):
        table.lock("first", now=NOON, until=LATER)
    with pytest.raises(AwsError, match="DeleteItem: ResourceNotFoundException"):
        table.unlock("first")


def test_a_dry_runs_table_recalls_and_writes_nothing(table: Table, dynamodb: DynamoDBClient, table_name: str) -> None:
    """Not even the lock: after everything that a dry run calls, the table holds what it held."""
    table.remember(CHECKOUT, FULL)
    before = dynamodb.scan(TableName=table_name)["Items"]
    dry = ReadOnlyTable(table)
    assert dry.lock("dry", now=NOON, until=LATER)
    assert dry.recall(now=NOON).memories == {CHECKOUT: FULL}
    dry.remember(CHECKOUT, Memory())
    dry.forget(CHECKOUT)
    dry.record(Outcome(decision(), Result.PLANNED), fleet_version="abc", now=NOON)
    dry.unlock("dry")
    assert dynamodb.scan(TableName=table_name)["Items"] == before


def test_the_documented_items_stop_and_override(table: Table, table_name: str, dynamodb: DynamoDBClient) -> None:
    """What docs/deploy.md tells to write by hand is what a tick reads."""
    page = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text()
    items = [json.loads(text) for text in re.findall(r"--item '(.*)'", page)]
    for item in items:
        dynamodb.put_item(TableName=table_name, Item=item)
    found = table.recall(now=datetime(2026, 11, 27, 12, tzinfo=UTC))
    assert found.everything_stopped
    assert (found.overrides[CHECKOUT].minimum, found.overrides[CHECKOUT].maximum) == (40, 40)
    assert found.unreadable == ()
