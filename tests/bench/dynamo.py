"""A DynamoDB table in memory that counts what AWS would charge for: the real `Table` runs on it.

Units as the developer guide has them (capacity-unit-calculations): a write costs one unit per KB of the item, a
consistent read one per 4 KB of each page, a page has 1 MB at most.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from warmcast.aws.wire import CallCounter

    Item = Mapping[str, AttributeValueTypeDef]

WRITE_UNIT_BYTES: Final = 1024
READ_UNIT_BYTES: Final = 4096
PAGE_BYTES: Final = 1024**2


@dataclass(slots=True)
class Dynamo:
    """The calls of boto3's DynamoDB client that `Table` makes.

    Args:
        calls: where requests are counted.
        items: by partition and sort key.
        written_units, read_units: what was used so far.
        record_bytes: size of the decision records written so far, which stay for their time to live.
    """

    calls: CallCounter
    items: dict[str, dict[str, Item]] = field(default_factory=dict)
    written_units: int = 0
    read_units: int = 0
    record_bytes: int = 0

    def put_item(self, *, TableName: str, Item: Item, **condition: object) -> None:  # noqa: N803 - boto3's names
        """Keep an item; the one condition that Table sets (the lock's) is taken to hold: there is one writer."""
        del TableName, condition
        self.calls.count("dynamodb.PutItem")
        size = item_bytes(Item)
        self.written_units += math.ceil(size / WRITE_UNIT_BYTES)
        partition, sort = Item["pk"]["S"], Item["sk"]["S"]
        if partition.startswith("record#"):
            self.record_bytes += size  # never read again by a tick, so only its size is kept
            return
        self.items.setdefault(partition, {})[sort] = Item

    def delete_item(self, *, TableName: str, Key: Item, **condition: object) -> None:  # noqa: N803 - boto3's names
        """Drop an item."""
        del TableName, condition
        self.calls.count("dynamodb.DeleteItem")
        gone = self.items.get(Key["pk"]["S"], {}).pop(Key["sk"]["S"], {})
        self.written_units += max(1, math.ceil(item_bytes(gone) / WRITE_UNIT_BYTES))

    def get_paginator(self, operation: str) -> Dynamo:
        """The paginator of `query`, which this object is as well."""
        assert operation == "query"
        return self

    def paginate(self, *, ExpressionAttributeValues: Item, **rest: object) -> Iterator[Mapping[str, list[Item]]]:  # noqa: N803 - boto3's names
        """One partition, consistently read, in pages of 1 MB."""
        del rest
        page: list[Item] = []
        size = 0
        for item in self.items.get(ExpressionAttributeValues[":control"]["S"], {}).values():
            if size + item_bytes(item) > PAGE_BYTES:
                yield self._page(page, size)
                page, size = [], 0
            page.append(item)
            size += item_bytes(item)
        yield self._page(page, size)

    def _page(self, items: list[Item], size: int) -> Mapping[str, list[Item]]:
        self.calls.count("dynamodb.Query")
        self.read_units += max(1, math.ceil(size / READ_UNIT_BYTES))
        return {"Items": items}


def item_bytes(item: Item) -> int:
    """Size of an item: names and values in UTF-8; a number has a byte for two digits and one more."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: AttributeValueTypeDef) -> int:
    if "S" in value:
        return len(value["S"].encode())
    if "N" in value:
        return math.ceil(len(value["N"].replace(".", "").replace("-", "")) / 2) + 1
    return 1
