"""What must never happen to a target's capacity, checked minute by minute on what was requested. Pure.

Knows nothing of the brain: it looks at the series that a replay leaves behind and at the minutes that CloudWatch could
show at each instant, and counts by its own loops. Numbered as in `docs/design-notes.md`: 1 limits, 2 no data and the
last minutes' need, 3 locked targets, 5 hold, 8 zero, 10 outage.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from incidents.scene import HOUR_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    import numpy.typing as npt

    from incidents.scene import Span
    from warmcast.model import FloatArray, IntArray

MINUTE_S = 60
DELAY_S = 120
LAST_MINUTES = 5
STALE_S = 15 * MINUTE_S


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """What a run leaves behind; arrays hold a value for each minute.

    Args:
        start: epoch seconds of the first minute played.
        requested: capacity requested in each minute played, shape (N,).
        standing: what was requested before the first.
        measured: demand as CloudWatch shows it, throttled calls included, from `measured_from` on; NaN: a gap.
        measured_from: epoch seconds of the first measured minute.
        weighted: whether the alias has routing weights, for each minute played, shape (N,).
        floor, ceiling: what the policy allows.
        reserved: the function's reserved concurrency; None: none.
        share: the promise, as a share that may spill.
        lead_min: minutes from a request until it is READY.
        tick_s: seconds between two ticks.
        outage: when traffic was gone, if it was.
        needed_after_fall: by instant of a tick in the hour after the fall, the least that the forecast issued before
            the fall needs at that time.
    """

    start: int
    requested: IntArray
    standing: int
    measured: FloatArray
    measured_from: int
    weighted: npt.NDArray[np.bool_]
    floor: int
    ceiling: int
    reserved: int | None
    share: float
    lead_min: int
    tick_s: int
    outage: Span | None
    needed_after_fall: Mapping[int, int]

    @property
    def most(self) -> int:
        """What every limit allows."""
        return self.ceiling if self.reserved is None else min(self.ceiling, self.reserved)

    def before(self, minute: int) -> int:
        """What was requested just before a minute."""
        return int(self.requested[minute - 1]) if minute else self.standing


@dataclass(frozen=True, slots=True)
class Write:
    """A change of capacity: at which minute, and from what to what."""

    minute: int
    at: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Breach:
    """An invariant that was broken: its number, when, and how, in words."""

    number: int
    at: int
    words: str

    def __str__(self) -> str:
        return f"{self.number}: {datetime.fromtimestamp(self.at, UTC):%a %H:%M} {self.words}"


def breaches(record: Record) -> list[Breach]:
    """Every invariant that a run broke, in order of time."""
    found: list[Breach] = []
    last: Write | None = None
    for write in _writes(record):
        found += _limits(record, write)
        found += _decrease(record, write)
        found += _locked(record, write)
        found += _hold(record, write, last)
        last = write
    return sorted([*found, *_outage(record)], key=lambda breach: breach.at)


def least_for(demand: float, share: float) -> int:
    """The least capacity that spills at most this share of a demand, by Erlang's recursion, unit by unit.

    | demand | share | least |
    | ------ | ----- | ----- |
    | 0      | 1%    | 0     |
    | 5      | 1.9%  | 10    |
    | 84.064 | 1%    | 100   |
    """
    units, blocked = 0, 1.0
    while demand > 0 and blocked > share:
        units += 1
        blocked = demand * blocked / (units + demand * blocked)
    return units


def last_need(record: Record, at: int) -> int | None:
    """What the mean of the last known minutes needs, as seen at an instant; None where what is known is too old."""
    newest = (at - DELAY_S - record.measured_from) // MINUTE_S
    known: list[float] = []
    for minute in range(min(newest, len(record.measured) - 1), -1, -1):
        value = float(record.measured[minute])
        age_s = at - (record.measured_from + (minute + 1) * MINUTE_S)
        if not known and age_s > STALE_S:
            return None
        if not math.isnan(value):
            known.append(value)
        if len(known) == LAST_MINUTES:
            break
    return least_for(sum(known) / len(known), record.share) if known else None


# --- one by one ------------------------------------------------------------------------------------------------------


def _writes(record: Record) -> Iterator[Write]:
    for minute in range(len(record.requested)):
        before, after = record.before(minute), int(record.requested[minute])
        if before != after:
            yield Write(minute, record.start + minute * MINUTE_S, before, after)


def _limits(record: Record, write: Write) -> Iterator[Breach]:
    if write.after > record.most:
        yield Breach(1, write.at, f"{write.before} -> {write.after}, above the limit of {record.most}")
    if write.after < min(record.floor, record.most):
        yield Breach(1, write.at, f"{write.before} -> {write.after}, below the floor of {record.floor}")
    if write.after == 0:
        yield Breach(8, write.at, "a capacity of 0, though a stack owns the config")


def _decrease(record: Record, write: Write) -> Iterator[Breach]:
    if write.after > write.before:
        return
    need = last_need(record, write.at)
    if need is None:
        yield Breach(2, write.at, f"{write.before} -> {write.after} without data of the last 15 minutes")
    elif write.after < min(need, record.most):
        yield Breach(2, write.at, f"{write.before} -> {write.after}, the last minutes need {need}")


def _locked(record: Record, write: Write) -> Iterator[Breach]:
    if record.weighted[write.minute]:
        yield Breach(3, write.at, f"{write.before} -> {write.after} while the alias has weights")
    lead = range(write.minute - record.lead_min + 1, write.minute + 1)
    if any(record.before(max(minute, 0)) < write.before for minute in lead):
        yield Breach(3, write.at, f"{write.before} -> {write.after} while an allocation is under way")


def _hold(record: Record, write: Write, last: Write | None) -> Iterator[Breach]:
    if last is None or write.at - last.at >= record.tick_s:
        return
    if write.after < write.before or (last_need(record, write.at) or 0) <= write.before:
        yield Breach(5, write.at, f"{write.before} -> {write.after} within a tick of the last change, without need")


def _outage(record: Record) -> Iterator[Breach]:
    """For an hour nothing falls below what stood, or what the forecast before the fall needs where that is less."""
    if record.outage is None:
        return
    stood = record.before((record.outage.start - record.start) // MINUTE_S)
    for at, needed in record.needed_after_fall.items():
        minute = (at - record.start) // MINUTE_S
        held = min(stood, needed, record.most)
        if not 0 <= at - record.outage.start < HOUR_S or minute >= len(record.requested):
            continue
        if int(record.requested[minute]) < held:
            yield Breach(
                10, at, f"{record.requested[minute]} requested; {stood} stood, the old forecast needs {needed}"
            )
