"""Cold starts expected in each minute: spilled executions that find no warm on-demand environment. Pure numpy.

With N executions in flight, Poisson at the minute's demand, and P units READY, the on-demand pool's j-th environment
works while N >= k, k = P + j, and stays warm for `keepalive` minutes after its last work. It is used in a minute with

    use_j = 1 - P(N < k) exp(-u),    u = arrivals in the minute x P(N = k - 1)

(N is not below k at the start, or an arrival finds k - 1), and starts cold if no minute of the keepalive used it:

    cold starts in t = sum over j of use_j(t) x product of (1 - use_j) over the keepalive minutes before t
                       + spilled demand / life                                         (recycling)

A gap, like a minute without demand, uses no environment. Before the first minute the world stood as it does in the
first: what a policy starts with is not its doing. A call-by-call simulation has more cold starts: this is 0.55-0.9 of
them, in the same order.

How it is computed: most (minute, j) are certain, far below the demand always used, far above it never. Only the band
between is computed, in blocks of neighbouring j over all minutes whose band the block touches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from warmcast.erlang import erlang_b, spilled_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warmcast.model import FloatArray, IntArray

MINUTE_S = 60

_BLOCK = 32  # environments worked on at once
_NEVER = 1e-10  # a use less likely than this is none
_SURE = 40.0  # this many arrivals expected to find k - 1 in flight make its use certain
_CROWD = 500.0  # at the demand's mode; with fewer, the band reaches down to where N < k is the question
_CERTAIN = -50.0  # log(1 - use) counted no lower, so that sums over a whole trace keep their digits


def cold_starts(
    ready: IntArray,
    demand: FloatArray,
    arrivals_per_s: FloatArray,
    *,
    keepalive_min: Sequence[int],
    life_s: float,
    peakedness: float = 1.0,
) -> FloatArray:
    """Expected cold starts of each minute for each keepalive, shape (len(keepalive_min), N).

    Args:
        ready: READY capacity of each minute, shape (N,).
        demand: offered load of each minute, shape (N,); NaN: a gap.
        arrivals_per_s: arrival rate of each minute, shape (N,).
        keepalive_min: whole minutes that an idle environment stays warm, each 1 or more.
        life_s: age at which an environment is recycled.
        peakedness: burstiness of the arrivals; it bears on the spilled demand, not on N.
    """
    if not len(demand):
        return np.zeros((len(keepalive_min), 0))
    load = np.nan_to_num(demand)
    recycled = load * spilled_share(ready, load, peakedness) * MINUTE_S / life_s
    before = max(keepalive_min)
    at = np.maximum(np.arange(-before, len(load)), 0)  # the first minute stands for those before it
    minutes = _minutes(ready[at], load[at], np.nan_to_num(arrivals_per_s)[at] * MINUTE_S)
    expected: FloatArray = _cold_starts(minutes, keepalive_min)[:, before:] + recycled
    return expected


# --- the band of environments that may or may not be used ------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Minutes:
    """Minutes, and the band of environments (numbered from 1) that may or may not be used in each; each shape (N,).

    Args:
        ready: READY capacity.
        demand: offered load.
        arrivals: in the minute.
        sure: environments up to this one are used.
        last: environments after this one are not; not above `sure` where there is no band.
        log_factorial: of 0, 1, 2, ...
    """

    ready: IntArray
    demand: FloatArray
    arrivals: FloatArray
    sure: IntArray
    last: IntArray
    log_factorial: FloatArray

    def chance(self, count: IntArray, minutes: IntArray) -> FloatArray:
        """P(N = count) in each of these minutes, none of which is without demand."""
        chance: FloatArray = np.exp(_log_chance(count, self.demand[minutes], self.log_factorial))
        return chance


def _minutes(ready: IntArray, demand: FloatArray, arrivals: FloatArray) -> _Minutes:
    """Find each minute's band.

    N >= k has at most sqrt(demand) times the chance of N = k - 1 where either matters, which bounds the band above. Its
    lower end is 8 standard deviations under the demand; or, where arrivals are so many that one certainly finds k - 1,
    beyond the mode: what lies under it is left unused in one minute of 10,000 at most, in a keepalive never.
    """
    deviation = np.sqrt(demand)
    most = int((demand + 14 * deviation).max()) + 42
    log_factorial = np.fromiter((math.lgamma(count + 1) for count in range(most)), np.float64, most)
    sure, last = np.zeros_like(ready), np.zeros_like(ready)
    busy = np.flatnonzero(demand > 0)
    load, log_arrivals = demand[busy], np.log(np.maximum(arrivals[busy], np.finfo(np.float64).tiny))
    weight = np.log(arrivals[busy] + deviation[busy] + 1)
    last[busy] = _last_likely(load, math.log(_NEVER) - weight, log_factorial) + 1 - ready[busy]
    at_mode = log_arrivals + _log_chance(load.astype(np.int64), load, log_factorial)
    by_arrivals = _last_likely(load, math.log(_SURE) - log_arrivals, log_factorial) + 1
    by_demand = np.floor(load - 8 * deviation[busy]).astype(np.int64)
    sure[busy] = np.where(at_mode > math.log(_CROWD), by_arrivals, by_demand) - ready[busy]
    return _Minutes(ready, demand, arrivals, np.maximum(sure, 0), np.maximum(last, 0), log_factorial)


def _log_chance(count: IntArray, demand: FloatArray, log_factorial: FloatArray) -> FloatArray:
    """The logarithm of P(N = count), Poisson."""
    chance: FloatArray = count * np.log(demand) - demand - log_factorial[count]
    return chance


def _last_likely(demand: FloatArray, log_least: FloatArray, log_factorial: FloatArray) -> IntArray:
    """The largest count whose chance is above the least, or the mode: from there on chances fall. By bisection."""
    low = demand.astype(np.int64)
    high = low + (14 * np.sqrt(demand)).astype(np.int64) + 40
    while (high - low > 1).any():
        middle = (low + high) // 2
        likely = _log_chance(middle, demand, log_factorial) > log_least
        low, high = np.where(likely, middle, low), np.where(likely, high, middle)
    return low


# --- block by block --------------------------------------------------------------------------------------------------


def _cold_starts(minutes: _Minutes, keepalive_min: Sequence[int]) -> FloatArray:
    """Cold starts per keepalive and minute, recycling left out, shape (len(keepalive_min), N)."""
    cold = np.zeros((len(keepalive_min), len(minutes.ready)))
    warm = [_highest_before(minutes.sure, keepalive) for keepalive in keepalive_min]
    below = _chance_below_band(minutes)
    first = min(int(each.min()) for each in warm) // _BLOCK * _BLOCK
    for skipped in range(first, int(minutes.last.max()), _BLOCK):
        block = _block(minutes, skipped, below)
        reached = minutes.last > skipped
        for index, keepalive in enumerate(keepalive_min):
            at = np.flatnonzero(reached & (warm[index] < skipped + _BLOCK))
            cold[index, at] += block.cold_starts(at, keepalive)
    return cold


def _highest_before(values: IntArray, window: int) -> IntArray:
    """The highest of the `window` values before each; 0 before the first."""
    padded = np.concatenate([np.zeros(window, dtype=np.int64), values[:-1]])
    highest: IntArray = np.lib.stride_tricks.sliding_window_view(padded, window).max(axis=1)
    return highest


def _chance_below_band(minutes: _Minutes) -> FloatArray:
    """P(N < k) at the first environment of each minute's first block; P(N <= c) = P(N = c) / Erlang's B(c, demand)."""
    below = np.ones(len(minutes.ready))
    at = np.flatnonzero(minutes.last > 0)
    count = minutes.ready[at] + minutes.sure[at] // _BLOCK * _BLOCK
    below[at] = minutes.chance(count, at) / erlang_b(count.astype(np.float64), minutes.demand[at])
    return below


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """A block of environments in the minutes (`at`, ascending, shape (R,)) whose band it touches.

    Args:
        at: those minutes; in all others each of the block's environments is used for sure, or none is.
        used: chance of being used, shape (R, block).
        unused_log: sums over time of the logarithm of the chance of not being used, shape (R + 1, block).
    """

    at: IntArray
    used: FloatArray
    unused_log: FloatArray

    def cold_starts(self, at: IntArray, keepalive: int) -> FloatArray:
        """Summed over the block's environments, in minutes where they may be used and were not for sure before."""
        end = np.searchsorted(self.at, at)
        cold = self.unused_log[end]
        cold -= self.unused_log[np.searchsorted(self.at, at - keepalive)]
        np.exp(cold, out=cold)
        uncertain = np.isin(at, self.at, assume_unique=True)
        cold[uncertain] *= self.used[end[uncertain]]
        total: FloatArray = cold.sum(axis=1)
        return total


def _block(minutes: _Minutes, skipped: int, below: FloatArray) -> _Block:
    """The block after so many environments; `below` is moved on to the next block's first environment."""
    at = np.flatnonzero((minutes.sure < skipped + _BLOCK) & (minutes.last > skipped))
    count = minutes.ready[at] + skipped  # k - 1 of the block's first environment
    chance = np.empty((len(at), _BLOCK + 1))
    chance[:, 0] = minutes.chance(count, at)
    chance[:, 1:] = minutes.demand[at, None] / (count[:, None] + np.arange(1, _BLOCK + 1))
    np.multiply.accumulate(chance, axis=1, out=chance)
    unused = np.cumsum(chance, axis=1)
    unused += (below[at] - chance[:, 0])[:, None]
    below[at] = unused[:, -1]
    log = np.log(np.clip(unused[:, :-1], np.finfo(np.float64).tiny, 1.0))
    log -= minutes.arrivals[at, None] * chance[:, :-1]
    np.maximum(log, _CERTAIN, out=log)
    return _Block(at, -np.expm1(log), np.concatenate([np.zeros((1, _BLOCK)), np.cumsum(log, axis=0)]))
