"""Pages of a listing, with opaque tokens that only fit the listing they came from."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localaws.wire import Json


@dataclass(frozen=True, slots=True)
class Page:
    """Some items, and the token of the next page; empty on the last."""

    items: list[Json]
    token: str


def page(items: Sequence[Json], *, token: str, size: int) -> Page:
    """The items after a token, at most `size`."""
    start = int(base64.b64decode(token)) if token else 0
    more = start + size < len(items)
    return Page(
        list(items[start : start + size]), base64.b64encode(str(start + size).encode()).decode() if more else ""
    )
