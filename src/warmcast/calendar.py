"""Which rules hold at an instant: windows on a zone's clock, and the floor and ceiling that layers leave.

Pure. A window's occurrences are worked out per local day and kept per UTC day, so that asking for a thousand
targets every tick costs a table look-up each. `docs/policy.md` says what happens when clocks change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, assert_never

import numpy as np

from warmcast.fleet.policy import Repeated, Weekly

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from warmcast.fleet import Policy, Window
    from warmcast.model import IntArray, Override

DAY_S = 86_400
CACHED_DAYS = 16_384  # 1,000 targets with 5 windows of their own each, over three days
WEEK_MINUTES = 7 * 24 * 60
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall time is counted from it, in any zone
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_BLOCK_S = 366 * DAY_S
_PROBE_S = DAY_S // 4  # no zone changes its clocks twice within six hours


class Layer(IntEnum):
    """Who says it; for each bound the highest layer that sets it decides."""

    CAPACITY = 0
    SCHEDULE = 1
    EVENT = 2
    OVERRIDE = 3


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that a window is open: [start, end), in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the most capacity that rules allow, and the rule that says so."""

    floor: int
    ceiling: int
    floor_rule: str
    ceiling_rule: str


@dataclass(frozen=True, slots=True)
class _Span:
    """An occurrence in epoch seconds."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule and when it holds."""

    layer: Layer
    name: str
    span: _Span
    minimum: int | None
    maximum: int | None

    def holds(self, at: float) -> bool:
        return self.span.start <= at < self.span.end


@dataclass(frozen=True, slots=True)
class _Bound:
    """A floor or a ceiling at an instant, and who set it."""

    value: int
    layer: Layer
    name: str


@dataclass(frozen=True, slots=True)
class _Pair:
    """A floor and a ceiling at one instant."""

    floor: _Bound
    ceiling: _Bound


_ALWAYS = _Span(float("-inf"), float("inf"))


def bounds(policy: Policy, start: datetime, end: datetime, override: Override | None = None) -> Bounds:
    """The floor over [start, end] (the highest, so that it is READY when a window opens) and the ceiling at `start`.

    For each bound the highest layer that sets it decides (override, then event, then schedule, then capacity); within
    a layer the highest floor and the highest ceiling win. Where floor > ceiling the higher layer's bound wins, and
    within one layer the floor:

    | override | schedule | capacity | floor | ceiling |
    | --- | --- | --- | --- | --- |
    | | | 2-400 | 2 | 400 |
    | | min 20 | 2-400 | 20 | 400 |
    | | min 20; min 30 | 2-10 | 30 | 30 |
    | max 5 | min 20 | 2-400 | 5 | 5 |
    """
    first, last = start.timestamp(), end.timestamp()
    rules = [*_rules(policy, first, last)]
    if override is not None:
        name = f"override by {override.by}: {override.reason}" if override.by else f"override: {override.reason}"
        span = _Span(float("-inf"), override.until.timestamp())
        rules.append(_Rule(Layer.OVERRIDE, name, span, override.minimum, override.maximum))
    now = _reconcile(_layered(rules, first))
    edges = {edge for rule in rules for edge in (rule.span.start, rule.span.end) if first < edge <= last}
    floors = [now.floor, *(_reconcile(_layered(rules, edge)).floor for edge in sorted(edges))]
    ahead = _reconcile(_Pair(max(floors, key=_by_value), now.ceiling))
    return Bounds(ahead.floor.value, ahead.ceiling.value, ahead.floor.name, ahead.ceiling.name)


def _by_value(bound: _Bound) -> tuple[int, Layer]:
    return bound.value, bound.layer


def _by_layer(bound: _Bound) -> tuple[Layer, int]:
    return bound.layer, bound.value


def _rules(policy: Policy, first: float, last: float) -> Iterator[_Rule]:
    capacity = policy.capacity
    yield _Rule(Layer.CAPACITY, "capacity.min", _ALWAYS, capacity.min, None)
    yield _Rule(Layer.CAPACITY, "capacity.max", _ALWAYS, None, capacity.max)
    for window in policy.schedule:
        for day in _days(first, last):
            for span in _open(window.timing, policy.timezone, day):
                if span.start <= last and span.end > first:
                    yield _Rule(Layer.SCHEDULE, f"schedule: {window.title}", span, window.min, window.max)


def _layered(rules: list[_Rule], at: float) -> _Pair:
    """For each bound the highest layer that sets it decides; within a layer the highest wins."""
    held = [rule for rule in rules if rule.holds(at)]
    floors = (_Bound(rule.minimum, rule.layer, rule.name) for rule in held if rule.minimum is not None)
    ceilings = (_Bound(rule.maximum, rule.layer, rule.name) for rule in held if rule.maximum is not None)
    return _Pair(max(floors, key=_by_layer), max(ceilings, key=_by_layer))


def _reconcile(pair: _Pair) -> _Pair:
    """Where floor > ceiling the higher layer's bound wins; within one layer the floor (warmth was promised)."""
    if pair.floor.value <= pair.ceiling.value:
        return pair
    winner = pair.ceiling if pair.ceiling.layer > pair.floor.layer else pair.floor
    return _Pair(winner, winner)


# --- when a window is open -------------------------------------------------------------------------------------------


def occurrences(window: Window, zone: ZoneInfo, start: datetime, end: datetime) -> tuple[Occurrence, ...]:
    """Every occurrence of a window that overlaps [start, end), oldest first."""
    first, last = start.timestamp(), end.timestamp()
    spans = dict.fromkeys(span for day in _days(first, last) for span in _spans(window.timing, zone, day))
    return tuple(
        Occurrence(datetime.fromtimestamp(span.start, UTC), datetime.fromtimestamp(span.end, UTC))
        for span in spans
        if span.start < last and span.end > first
    )


def _days(first: float, last: float) -> range:
    """The UTC days (since the epoch) that [first, last] touches."""
    return range(int(first // DAY_S), int(last // DAY_S) + 1)


@lru_cache(maxsize=CACHED_DAYS)
def _open(timing: Weekly | Repeated, zone: ZoneInfo, day: int) -> tuple[_Span, ...]:
    """When a window is open in a UTC day: its spans, those that overlap made one (cron may fire while it is open)."""
    merged: list[_Span] = []
    for span in _spans(timing, zone, day):
        if merged and span.start <= merged[-1].end:
            merged[-1] = _Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


@lru_cache(maxsize=CACHED_DAYS)
def _spans(timing: Weekly | Repeated, zone: ZoneInfo, day: int) -> tuple[_Span, ...]:
    """The spans that overlap one UTC day (days since the epoch), oldest first."""
    start, end = day * DAY_S, (day + 1) * DAY_S
    match timing:
        case Weekly():
            found = _weekly_spans(timing, zone, day)
        case Repeated():
            found = _repeated_spans(timing, zone, day)
        case _:
            assert_never(timing)
    return tuple(dict.fromkeys(span for span in found if span.start < end and span.end > start))


def _weekly_spans(timing: Weekly, zone: ZoneInfo, day: int) -> Iterator[_Span]:
    """A window belongs to the local day that it starts on: zones are up to 14 hours off, windows up to a day long."""
    next_day = timing.until <= timing.start
    for local_day in range(day - 3, day + 3):
        if (local_day + 3) % 7 not in timing.days:  # day 0 was a Thursday
            continue
        midnight = _EPOCH + timedelta(days=local_day)
        start = opens(midnight + timedelta(minutes=timing.start), zone)
        end = closes(midnight + timedelta(days=next_day, minutes=timing.until), zone)
        if start < end:  # else it lies wholly inside a skipped hour
            yield _Span(start, end)


def _repeated_spans(timing: Repeated, zone: ZoneInfo, day: int) -> Iterator[_Span]:
    """Cron fires on wall time: at the first of a repeated time, and of a skipped one at the first instant after."""
    today = date.fromordinal(_EPOCH_ORDINAL + day)
    reach = timedelta(seconds=timing.length_s) + timedelta(days=3)
    for local_date in timing.cron.dates(today - reach, today + timedelta(days=2)):
        midnight = datetime(local_date.year, local_date.month, local_date.day)  # noqa: DTZ001 - wall time, placed in the zone below
        for minute in timing.cron.minutes:
            start = opens(midnight + timedelta(minutes=minute), zone)
            yield _Span(start, start + timing.length_s)


# --- wall time and instants ------------------------------------------------------------------------------------------


def opens(wall: datetime, zone: ZoneInfo) -> int:
    """The first instant (epoch seconds) at which the zone's clock shows `wall` or later.

    Europe/London: 01:30 on 2026-03-29 (skipped) is 02:00 BST; 01:30 on 2026-10-25 (repeated) is the first, 01:30 BST.
    """
    before, after = _offset(wall, zone, fold=0), _offset(wall, zone, fold=1)
    return _change(wall, zone) if before < after else _seconds(wall) - before


def closes(wall: datetime, zone: ZoneInfo) -> int:
    """The last instant (epoch seconds, exclusive) up to which the zone's clock can show a time before `wall`.

    Europe/London: 01:30 on 2026-03-29 (skipped) is 02:00 BST; 01:30 on 2026-10-25 (repeated) is the last, 01:30 GMT;
    01:00 of that day is 01:00 BST: when the hour is repeated, the clock does not show a time before 01:00 again.
    """
    before, after = _offset(wall, zone, fold=0), _offset(wall, zone, fold=1)
    if before < after:
        return _change(wall, zone)
    just_before = wall - timedelta(seconds=1)
    first_repeated = _offset(just_before, zone, fold=0) == _offset(just_before, zone, fold=1)
    return _seconds(wall) - (before if first_repeated else after)


def _change(wall: datetime, zone: ZoneInfo) -> int:
    """The instant at which clocks jump over the skipped time `wall`."""
    before, after = _offset(wall, zone, fold=0), _offset(wall, zone, fold=1)
    early, late = _seconds(wall) - after, _seconds(wall) - before
    while late - early > 1:
        middle = (early + late) // 2
        early, late = (early, middle) if _offset_at(middle, zone) == after else (middle, late)
    return late


def _seconds(wall: datetime) -> int:
    return (wall - _EPOCH) // timedelta(seconds=1)


def _offset(wall: datetime, zone: ZoneInfo, *, fold: int) -> int:
    offset = wall.replace(tzinfo=zone, fold=fold).utcoffset()
    assert offset is not None
    return offset // timedelta(seconds=1)


def _offset_at(at: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(at, zone).utcoffset()
    assert offset is not None
    return offset // timedelta(seconds=1)


# --- minutes of the week ---------------------------------------------------------------------------------------------


def minute_of_week(at: IntArray, zone: ZoneInfo) -> IntArray:
    """The local minute of the week, 0 (Monday 00:00) to 10,079, of each instant (epoch seconds)."""
    if at.size == 0:
        return at.astype(np.int64)
    blocks = range(int(at.min()) // _BLOCK_S, int(at.max()) // _BLOCK_S + 1)
    changes = [change for block in blocks for change in _changes(zone, block)]
    since = np.array([change.at for change in changes])
    offsets = np.array([change.offset for change in changes])
    local = at + offsets[np.searchsorted(since, at, side="right") - 1]
    minutes: IntArray = (local // 60 + 3 * 24 * 60) % WEEK_MINUTES  # the epoch was a Thursday
    return minutes


@dataclass(frozen=True, slots=True)
class _Offset:
    """From `at` (epoch seconds) on, the zone is `offset` seconds ahead of UTC."""

    at: int
    offset: int


@lru_cache(maxsize=4096)
def _changes(zone: ZoneInfo, block: int) -> tuple[_Offset, ...]:
    """The offset at the start of a block of 366 days, and each change within it."""
    probes = range(block * _BLOCK_S, (block + 1) * _BLOCK_S + 1, _PROBE_S)
    found = [_Offset(probes[0], _offset_at(probes[0], zone))]
    for early, late in pairwise(probes):
        offset = _offset_at(late, zone)
        if offset != found[-1].offset:
            found.append(_Offset(_first_with(offset, zone, early, late), offset))
    return tuple(change for change in found if change.at < probes[-1])


def _first_with(offset: int, zone: ZoneInfo, early: int, late: int) -> int:
    while late - early > 1:
        middle = (early + late) // 2
        early, late = (early, middle) if _offset_at(middle, zone) == offset else (middle, late)
    return late
