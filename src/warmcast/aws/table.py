"""The control table: the controller's memory, its lock, manual overrides and stops, and decision records.

One DynamoDB table, on demand, keys `pk` and `sk` (strings), TTL attribute `expires_at` (epoch seconds). Everything that
a tick recalls shares one partition, so that one Query (in pages of 1 MB, some thousand targets each) reads it:

| pk            | sk               | attributes                                                                     |
| ------------- | ---------------- | ------------------------------------------------------------------------------ |
| lock          | tick             | owner S, attempt S, until N (epoch seconds)                                    |
| control       | memory#TARGET    | the fields of `model.Memory` by name: N, BOOL, S (instants as ISO 8601)        |
| control       | override#TARGET  | until S, reason S, by S, minimum N and maximum N (either may lack), expires_at |
| control       | stop#TARGET      | by S, reason S, until S (lacking: until it is removed), expires_at             |
| control       | stop#*           | the same, for all targets                                                      |
| record#TARGET | instant#decision | record S (the outcome as JSON), fleet_version S, expires_at N                  |

TARGET is `account#region#function#qualifier`, an instant ISO 8601 in UTC. Unknown attributes are ignored. An item that
can't be read is skipped and named in `Recollection.unreadable`; a stop stands whatever is in it, its key is enough.
Losing the table loses overrides, stops and records; memories are made again from what AWS says.
"""

from __future__ import annotations

import json
import math
import uuid
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from numbers import Integral, Real
from typing import TYPE_CHECKING, Final

from warmcast.aws.answers import translated
from warmcast.errors import AwsError
from warmcast.model import Memory, Mode, Override, TargetId
from warmcast.tick import Recollection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from warmcast.model import Outcome
    from warmcast.tick import ControlTable

    Item = Mapping[str, AttributeValueTypeDef]

CONTROL: Final = "control"
EVERYTHING: Final = "*"

_LOCK: Final[Item] = {"pk": {"S": "lock"}, "sk": {"S": "tick"}}
_CONDITION_FAILED = "ConditionalCheckFailedException"


class Table:
    """The control table on DynamoDB; implements `tick.ControlTable`. Every method raises AwsError.

    Args:
        keep_records: how long a decision record is kept.
    """

    def __init__(self, client: DynamoDBClient, name: str, *, keep_records: timedelta = timedelta(days=30)) -> None:
        self._client = client
        self._name = name
        self._keep_records = keep_records

    def lock(self, owner: str, *, now: datetime, until: datetime) -> bool:
        """Take the lock by a conditional write; False where another owner holds it and it has not expired.

        A repeated request of this very attempt (the SDK's, after a lost answer) finds its own lock; a second attempt in
        the same owner's name does not, for Lambda may deliver one event, request id and all, twice.
        """
        attempt = uuid.uuid4().hex
        try:
            with translated("PutItem"):
                self._client.put_item(
                    TableName=self._name,
                    Item={
                        **_LOCK,
                        "owner": {"S": owner},
                        "attempt": {"S": attempt},
                        "until": {"N": str(until.timestamp())},
                    },
                    ConditionExpression="attribute_not_exists(pk) OR #until <= :now OR attempt = :attempt",
                    ExpressionAttributeNames={"#until": "until"},
                    ExpressionAttributeValues={":now": {"N": str(now.timestamp())}, ":attempt": {"S": attempt}},
                )
        except AwsError as error:
            if error.code != _CONDITION_FAILED:
                raise
            return False
        return True

    def unlock(self, owner: str) -> None:
        """Give the lock back, if this owner still holds it."""
        try:
            with translated("DeleteItem"):
                self._client.delete_item(
                    TableName=self._name,
                    Key=_LOCK,
                    ConditionExpression="#owner = :owner",
                    ExpressionAttributeNames={"#owner": "owner"},
                    ExpressionAttributeValues={":owner": {"S": owner}},
                )
        except AwsError as error:
            if error.code != _CONDITION_FAILED:
                raise

    def recall(self, *, now: datetime) -> Recollection:
        """Everything that is remembered; overrides and stops that have expired are left out.

        Read consistently, so that a stop holds from the moment that its command returned.
        """
        found = _Found(now)
        for item in self._control_items():
            found.take(item)
        return found.recollection()

    def remember(self, target: TargetId, memory: Memory) -> None:
        """Keep a target's memory, in place of what was kept before."""
        with translated("PutItem"):
            self._client.put_item(TableName=self._name, Item={**_memory_key(target), **_memory_item(memory)})

    def forget(self, target: TargetId) -> None:
        """Drop the memory of a target that has left the fleet; its overrides and stops expire by themselves."""
        with translated("DeleteItem"):
            self._client.delete_item(TableName=self._name, Key=_memory_key(target))

    def record(self, outcome: Outcome, *, fleet_version: str, now: datetime) -> None:
        """Keep an outcome with its decision; DynamoDB removes it `keep_records` after now."""
        decision = outcome.decision
        with translated("PutItem"):
            self._client.put_item(
                TableName=self._name,
                Item={
                    "pk": {"S": f"record#{_key(decision.target)}"},
                    "sk": {"S": f"{decision.at.astimezone(UTC).isoformat()}#{decision.id}"},
                    "record": {"S": json.dumps(_plain(asdict(outcome)), allow_nan=False)},
                    "fleet_version": {"S": fleet_version},
                    "expires_at": {"N": str(int((now + self._keep_records).timestamp()))},
                },
            )

    def _control_items(self) -> Iterator[Item]:
        with translated("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._name,
                KeyConditionExpression="pk = :control",
                ExpressionAttributeValues={":control": {"S": CONTROL}},
                ConsistentRead=True,
            )
            items = [item for page in pages for item in page["Items"]]
        yield from items


class ReadOnlyTable:
    """The control table of a dry run: it recalls and writes nothing at all, not even the lock."""

    def __init__(self, table: ControlTable) -> None:
        self._table = table

    def lock(self, owner: str, *, now: datetime, until: datetime) -> bool:
        """A dry run disturbs nobody, so it needs no lock."""
        del owner, now, until
        return True

    def unlock(self, owner: str) -> None:
        """Nothing was locked."""

    def recall(self, *, now: datetime) -> Recollection:
        """What the real table remembers."""
        return self._table.recall(now=now)

    def remember(self, target: TargetId, memory: Memory) -> None:
        """A dry run remembers nothing."""

    def forget(self, target: TargetId) -> None:
        """A dry run forgets nothing."""

    def record(self, outcome: Outcome, *, fleet_version: str, now: datetime) -> None:
        """A dry run leaves no record."""


@dataclass(slots=True)
class _Found:
    """What the items of the control partition say, gathered one by one."""

    now: datetime
    memories: dict[TargetId, Memory] = field(default_factory=dict)
    overrides: dict[TargetId, Override] = field(default_factory=dict)
    stopped: set[TargetId] = field(default_factory=set)
    everything_stopped: bool = False
    unreadable: list[str] = field(default_factory=list)

    def take(self, item: Item) -> None:
        key = item["sk"]["S"]
        kind, _, name = key.partition("#")
        try:
            match kind:
                case "memory":
                    self.memories[_target(name)] = _memory(item)
                case "override":
                    self._override(_target(name), _override(item))
                case "stop":
                    self._stop(name, item)
                case _:
                    self.unreadable.append(key)
        except (KeyError, ValueError, TypeError):
            self.unreadable.append(key)

    def recollection(self) -> Recollection:
        return Recollection(
            memories=self.memories,
            overrides=self.overrides,
            stopped=frozenset(self.stopped),
            everything_stopped=self.everything_stopped,
            unreadable=tuple(self.unreadable),
        )

    def _override(self, target: TargetId, override: Override) -> None:
        if override.until > self.now:
            self.overrides[target] = override

    def _stop(self, name: str, item: Item) -> None:
        if not _stands(item, self.now):
            return
        if name == EVERYTHING:
            self.everything_stopped = True
        else:
            self.stopped.add(_target(name))


# --- items and what they mean ----------------------------------------------------------------------------------------


def _key(target: TargetId) -> str:
    return f"{target.account}#{target.region}#{target.function}#{target.qualifier}"


def _target(key: str) -> TargetId:
    account, region, function, qualifier = key.split("#")
    return TargetId(account, region, function, qualifier)


def _memory_key(target: TargetId) -> Item:
    return {"pk": {"S": CONTROL}, "sk": {"S": f"memory#{_key(target)}"}}


def _memory_item(memory: Memory) -> Item:
    values: dict[str, object] = {each.name: getattr(memory, each.name) for each in fields(memory)}
    return {name: _attribute(value) for name, value in values.items() if value is not None}


def _attribute(value: object) -> AttributeValueTypeDef:
    match value:
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": str(value)}
        case datetime():
            return {"S": value.isoformat()}
        case _:
            return {"S": str(value)}


def _memory(item: Item) -> Memory:
    """A memory from its item; fields that are not there have the model's defaults."""
    fresh = Memory()
    return Memory(
        requested=_whole(item, "requested"),
        floor_published=_whole(item, "floor_published"),
        changed_at=_instant(item, "changed_at"),
        raised_at=_instant(item, "raised_at"),
        changes=_whole(item, "changes") or 0,
        pending_since=_instant(item, "pending_since"),
        lead_time_s=_number(item, "lead_time_s"),
        failures=_whole(item, "failures") or 0,
        failure=_text(item, "failure") or fresh.failure,
        failed_fleet=_text(item, "failed_fleet") or fresh.failed_fleet,
        back_off_until=_instant(item, "back_off_until"),
        waiting_since=_instant(item, "waiting_since"),
        mode=Mode(_text(item, "mode") or fresh.mode),
        on_remove=_text(item, "on_remove") or fresh.on_remove,
        stack_owns_config=item["stack_owns_config"]["BOOL"] if "stack_owns_config" in item else fresh.stack_owns_config,
    )


def _override(item: Item) -> Override:
    until = _instant(item, "until")
    if until is None:
        raise ValueError("an override without an end")
    return Override(
        until=until,
        reason=_text(item, "reason") or "",
        by=_text(item, "by") or "",
        minimum=_whole(item, "minimum"),
        maximum=_whole(item, "maximum"),
    )


def _stands(item: Item, now: datetime) -> bool:
    """Whether a stop still holds; one whose end can't be read does, for stopping is the safe mistake."""
    try:
        until = _instant(item, "until")
    except (KeyError, ValueError, TypeError):
        return True
    return until is None or until > now


def _number(item: Item, name: str) -> float | None:
    return float(item[name]["N"]) if name in item else None


def _whole(item: Item, name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None


def _text(item: Item, name: str) -> str | None:
    return item[name]["S"] if name in item else None


def _instant(item: Item, name: str) -> datetime | None:
    text = _text(item, name)
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{name} {text} has no zone")
    return at


def _plain(value: object) -> object:
    """A value as JSON has it, in depth: instants are ISO 8601, numpy's numbers numbers."""
    match value:
        case dict():
            return {str(name): _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case datetime():
            return value.isoformat()
        case bool():
            return value
        case Real():
            return _json_number(value)
        case _:
            return value


def _json_number(value: Real) -> float | None:
    """JSON knows neither NaN nor infinity: null."""
    if isinstance(value, Integral):
        return int(value)
    return float(value) if math.isfinite(value) else None
