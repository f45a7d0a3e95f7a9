"""What allocated capacity costs: a unit from its request to its end, rounded up to 5 minutes, last in first out. Pure.

00:00 to 00:20 at 2 units, one more from 00:06 to 00:13:   2 x 20 min + 1 x 10 min (7 rounded up) = 50 unit-minutes
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BILLED_STEP_S = 300


@dataclass(frozen=True, slots=True)
class Request:
    """From `at` (seconds, of any origin) on, `units` are requested."""

    at: int
    units: int


@dataclass(slots=True)
class _Batch:
    """Units that were requested together and have not ended yet."""

    since: int
    units: int


def billed_unit_s(requests: Sequence[Request], end: int) -> int:
    """Unit-seconds billed for the requests, in order of time, up to `end`; what still runs then is billed to `end`."""
    running: list[_Batch] = []
    total = 0
    for request in [*requests, Request(end, 0)]:
        held = sum(batch.units for batch in running)
        if request.units > held:
            running.append(_Batch(request.at, request.units - held))
        total += _end_last(running, max(0, held - request.units), request.at)
    return total


def _end_last(running: list[_Batch], units: int, at: int) -> int:
    """End that many units, the youngest first; what they cost."""
    total = 0
    while units:
        batch = running[-1]
        ended = min(units, batch.units)
        total += ended * math.ceil((at - batch.since) / BILLED_STEP_S) * BILLED_STEP_S
        batch.units -= ended
        units -= ended
        if not batch.units:
            running.pop()
    return total
