"""Whether windows give the same value at every instant as the actions did, by the fleet's own calendar. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from warmcast.calendar import occurrences
from warmcast.importing.firing import steps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from warmcast.importing.firing import Bound, Firing
    from warmcast.importing.windows import Draft


PART_S = 120 * 86_400  # compared part by part: what is wrong mostly shows in the first


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to write a bound: a base, and windows of a zone over it."""

    bound: Bound
    zone: ZoneInfo
    base: int
    drafts: tuple[Draft, ...] = ()


def agrees(choice: Choice, fired: Sequence[Firing], first: int, last: int) -> bool:
    """Whether a choice gives what the firings leave, at every instant of [first, last].

    Two things are left out: the time before anything fired, and where the clocks change, the time between the two
    instants that a firing may mean, as AWS does not say which it takes.
    """
    truth = {step.at: step.value for step in steps(fired)}
    begin, doubts = max(first, min(truth, default=last)), _doubts(fired)
    parts = pairwise([*range(begin, last, PART_S), last])
    return all(_agree(choice, truth, doubts, part) for part in parts)


def _agree(choice: Choice, truth: Mapping[int, int], doubts: Sequence[tuple[int, int]], part: tuple[int, int]) -> bool:
    first, last = part
    ours = values_of(choice, first, last)
    edges = sorted({first, last, *(at for at in (*truth, *ours) if first < at < last)})
    true_at, our_at = looking_up(truth), looking_up(ours)
    return all(true_at(at) == our_at(at) or _covered(doubts, at, until) for at, until in pairwise(edges))


def values_of(choice: Choice, first: int, last: int) -> dict[int, int]:
    """What a choice gives over [first, last): the value from each instant (epoch seconds) at which it may change.

    The highest of the windows that are open, the base where none is: the fleet's rule within the layer `schedule`.
    """
    begin, end = datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC)
    opening: dict[int, list[int]] = defaultdict(list, {first: []})
    closing: dict[int, list[int]] = defaultdict(list)
    for index, draft in enumerate(choice.drafts):
        for span in occurrences(draft.window(), choice.zone, begin, end):
            opening[max(first, int(span.start.timestamp()))].append(index)
            closing[int(span.end.timestamp())].append(index)
    open_now: Counter[int] = Counter()
    values = {}
    for at in sorted(each for each in opening.keys() | closing.keys() if each < last):
        open_now.update(opening.get(at, ()))
        open_now -= Counter(closing.get(at, ()))  # drops what is closed
        worth = (choice.drafts[index].sets(choice.bound) for index in open_now)
        values[at] = max((value for value in worth if value is not None), default=choice.base)
    return values


def looking_up(values: Mapping[int, int]) -> Callable[[int], int]:
    """The step function of these values by instant, for instants not before the first."""
    instants = sorted(values)
    return lambda at: values[instants[bisect_right(instants, at) - 1]]


def _doubts(fired: Sequence[Firing]) -> list[tuple[int, int]]:
    """The stretches in which it is not known what AWS does, those that touch made one."""
    merged: list[tuple[int, int]] = []
    for early, late in sorted({(firing.early, firing.late) for firing in fired if firing.early < firing.late}):
        if merged and early <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(late, merged[-1][1]))
        else:
            merged.append((early, late))
    return merged


def _covered(doubts: Sequence[tuple[int, int]], at: int, until: int) -> bool:
    return any(early <= at and until <= late for early, late in doubts)
