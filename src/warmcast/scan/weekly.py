"""Weekly: the cheapest table of capacities by the hour of the week, at a given spillover. Pure numpy.

A unit of an hour of the week costs the same in all of them, so the cheapest table is the one of which each hour's last
unit carries the same load: one shadow price for all hours, found by bisection until the table spills as much over the
whole time as the constant capacity it is compared with. It is fitted to the same history: a table in hindsight. Hours
are UTC, for nothing tells an alias's zone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from warmcast.staffing import REQUESTS_PER_UNIT_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from warmcast.model import FloatArray, IntArray
    from warmcast.scan.load import Load

HOURS_PER_WEEK = 168
HOUR_S = 3600
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EARLY_H = 300 / HOUR_S
"""Each rise is requested 5 minutes early, to be READY in time; that is also AWS's billing step."""

_THURSDAY_H = 72  # the hour of the week, from Monday, in which the epoch began
_MOST_LEVELS = 256  # capacities that are tried; above so many they are tried in strides
_DEVIATION = 0.025  # demands whose square roots are closer are taken together: a twentieth of a standard deviation
_MOST_GROUPS = 1024
_ROUNDS = 50
_LEAST_PRICE = 1e-12


def hours_of_week(start: int, step_s: int, steps: int) -> IntArray:
    """The hour of the week (UTC, Monday 00:00 is 0) in which each step begins, shape (steps,)."""
    at = start + step_s * np.arange(steps, dtype=np.int64)
    hours: IntArray = (at // HOUR_S + _THURSDAY_H) % HOURS_PER_WEEK
    return hours


def unit_hours(table: IntArray) -> float:
    """What a week of the table is billed for, in unit-hours: its hours, and five minutes more of each rise."""
    rises = np.maximum(table - np.roll(table, 1), 0)
    return float(table.sum()) + EARLY_H * float(rises.sum())


def table_of(load: Load, need: int) -> IntArray:
    """The cheapest table that spills no more than `need` units all the time would, shape (168,).

    No hour has less than 1 (0 would delete the configuration), or than 10 requests a second per unit ask; an hour
    that was never seen keeps `need`. Where no table is cheaper, it is `need` throughout.
    """
    constant = np.full(HOURS_PER_WEEK, need, dtype=np.int64)
    hours = hours_of_week(load.start, load.step_s, len(load.demand))
    seen = np.bincount(hours, load.known, HOURS_PER_WEEK).astype(np.float64)
    if not load.demand.any():
        return np.where(seen > 0, 1, constant)
    losses = _losses(load, hours, need)
    least = np.maximum(_by_rate(load, hours), 1)
    table = np.where(seen > 0, _cheapest(losses, seen, least, need), constant)
    return table if unit_hours(table) < unit_hours(constant) else constant


def _by_rate(load: Load, hours: IntArray) -> IntArray:
    """What the request rate asks of each hour."""
    highest = np.zeros(HOURS_PER_WEEK)
    np.maximum.at(highest, hours, load.rate_per_s)
    needed: IntArray = np.ceil(highest / REQUESTS_PER_UNIT_S - 1e-9).astype(np.int64)
    return needed


@dataclass(frozen=True, slots=True, eq=False)
class _Losses:
    """What each hour of the week would spill, summed over its steps: `lost` (168, K) at capacity k x `stride`."""

    lost: FloatArray
    stride: int

    def of(self, capacity: IntArray) -> float:
        """The sum at one capacity an hour; between strides that of the lower."""
        place = np.minimum(capacity // self.stride, self.lost.shape[1] - 1)
        return float(self.lost[np.arange(HOURS_PER_WEEK), place].sum())


def _losses(load: Load, hours: IntArray, need: int) -> _Losses:
    """Demands are taken in groups, and their loss at every capacity by one pass of Erlang's recursion."""
    peak = float(load.demand.max())
    most = need + math.ceil(peak + 4 * math.sqrt(peak * load.peakedness) + 4 * load.peakedness)
    stride = -(-most // _MOST_LEVELS)
    width = max(_DEVIATION, math.sqrt(peak) / _MOST_GROUPS)
    group = (np.sqrt(load.demand) / width).astype(np.int64)
    groups = int(group.max()) + 1
    summed = np.bincount(hours * groups + group, load.demand, HOURS_PER_WEEK * groups).reshape(HOURS_PER_WEEK, groups)
    counts = np.bincount(group, minlength=groups)
    demand = summed.sum(axis=0) / np.maximum(counts, 1)
    capacities = np.arange(0, most + stride, stride)
    return _Losses(summed @ _shares(capacities, demand, load.peakedness), stride)


def _shares(capacities: IntArray, demand: FloatArray, peakedness: float) -> FloatArray:
    """Share spilled at each capacity of each demand, shape (len(demand), len(capacities)): Hayward, linear between."""
    place = capacities / peakedness
    whole = np.floor(place).astype(np.int64)
    offered = demand / peakedness
    kept = np.empty((len(capacities), 2, len(demand)))
    blocked, units = np.where(offered > 0, 1.0, 0.0), 0
    for index, at in enumerate(whole.tolist()):
        while units < at:
            units += 1
            carried = offered * blocked
            blocked = carried / (units + carried)
        kept[index, 0] = blocked
        kept[index, 1] = offered * blocked / (units + 1 + offered * blocked)
    part = (place - whole)[:, None]
    shares: FloatArray = ((1 - part) * kept[:, 0] + part * kept[:, 1]).T
    return shares


def _cheapest(losses: _Losses, seen: FloatArray, least: IntArray, need: int) -> IntArray:
    """By bisection over the shadow price, in load carried per unit; the loss is convex in capacity."""
    allowed = losses.of(np.where(seen > 0, need, 0)) * (1 + 1e-9)
    saved = -np.diff(losses.lost, axis=1) / losses.stride / np.maximum(seen, 1)[:, None]

    def table(price: float) -> IntArray:
        bought: IntArray = losses.stride * (saved > price).sum(axis=1)
        return np.maximum(bought, least)

    low, high = math.log(_LEAST_PRICE), 0.0
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        if losses.of(table(math.exp(middle))) <= allowed:
            low = middle
        else:
            high = middle
    return table(math.exp(low))


def in_words(table: IntArray) -> str:
    """`24 units in the busiest hours (Mon-Fri, 08-18 h UTC), 1 in the quietest`: the table in a sentence."""
    high = (table > (int(table.min()) + int(table.max())) / 2).reshape(7, 24)
    if not high.any():
        return f"{int(table.max())} units all the time"
    days = _spans(np.asarray(high.any(axis=1)), DAYS, inclusive=True)
    hours = _spans(np.asarray(high.any(axis=0)), [f"{hour:02}" for hour in range(25)], inclusive=False)
    most, least = int(table.max()), int(table.min())
    return f"{most} units in the busiest hours ({days}, {hours} h UTC), {least} in the quietest"


def _spans(held: npt.NDArray[np.bool_], names: Sequence[str], *, inclusive: bool) -> str:
    """`Mon-Fri`, `08-12 and 14-18`: neighbours that are held, by name; ends inclusive for days, exclusive for hours."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], held.astype(np.int64), [0]])))
    spans = []
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        last = end - 1 if inclusive else end
        spans.append(names[first] if first == last else f"{names[first]}-{names[last]}")
    return " and ".join(spans)
