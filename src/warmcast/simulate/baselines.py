"""What the user would have otherwise: the requested capacity of each minute, shape (N,), policy by policy. Pure numpy.

Each takes the scored trace, most the training before it too. None but the clairvoyant looks ahead. What all share:
they start READY at the need of the first minute (`world.starting_capacity`), and a need is Erlang's at 1% of spillover.
Target tracking is stepped through in `warmcast.simulate.tracking`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from warmcast.calendar import minute_of_week
from warmcast.simulate.score import spillover as spillover_of
from warmcast.simulate.tracking import target_tracking
from warmcast.simulate.world import STARTING_SPILLOVER, Blocks, capacity_for, starting_capacity

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from warmcast.model import FloatArray, IntArray
    from warmcast.simulate.trace import Trace
    from warmcast.simulate.world import World

HOUR_S = 3600
HOURS_PER_DAY = 24
HOURS_PER_WEEK = 168
BLOCK_S = 300
"""The clairvoyant's step, which is AWS's billing step."""

SCHEDULING_BUFFER_S = 300
"""How early predictive scaling acts (EC2: SchedulingBufferTime, its default)."""

_LEAST_SPILLOVER = 1e-9
_CLOSE = 0.002  # of a spillover's logarithm: closer than this the sweep need not come
_ROUNDS = 40


def none(scored: Trace) -> IntArray:
    """No provisioned concurrency at all."""
    return np.zeros(len(scored), dtype=np.int64)


def static_peak(training: Trace, scored: Trace, world: World, *, spillover: float = STARTING_SPILLOVER) -> IntArray:
    """The need of the training's highest minute, all the time; that of the first scored minute if there is none."""
    known = training.demand[~np.isnan(training.demand)]
    if not len(known):
        return np.full(len(scored), starting_capacity(scored, world))
    peak = capacity_for(np.array([known.max()]), spillover, world.peakedness)
    return np.full(len(scored), peak[0])


# --- a weekly table --------------------------------------------------------------------------------------------------


def cron_table(training: Trace, scored: Trace, world: World, *, level: float, zone: ZoneInfo) -> IntArray:
    """A weekly table of scheduled capacities: each local hour of the week at the `level`-quantile of its need.

    An hour of the week that the training doesn't know gets the quantile of that hour of the day, on whatever days it
    was seen; if no day tells, that of all minutes; without any training, the need of the first scored minute.
    """
    known = ~np.isnan(training.demand)
    need = capacity_for(training.demand[known], STARTING_SPILLOVER, world.peakedness)
    hour = _hour_of_week(training, zone)[known]
    table = np.empty(HOURS_PER_WEEK, dtype=np.int64)
    for each in range(HOURS_PER_WEEK):
        like = [need[hour == each], need[hour % HOURS_PER_DAY == each % HOURS_PER_DAY], need]
        minutes = next((seen for seen in like if len(seen)), np.array([starting_capacity(scored, world)]))
        table[each] = np.quantile(minutes, level, method="inverted_cdf")
    scheduled: IntArray = table[_hour_of_week(scored, zone)]
    return scheduled


def _hour_of_week(trace: Trace, zone: ZoneInfo) -> IntArray:
    return minute_of_week(trace.at, zone) // 60


# --- predictive scaling as EC2 has it --------------------------------------------------------------------------------


def ec2_predictive(training: Trace, scored: Trace, world: World, *, target: float) -> IntArray:
    """Predictive scaling as EC2 has it, with target tracking on top, at the same target.

    Each hour's forecast is the highest minute of the same hour of the week in the last two weeks; where neither week
    has it, that of the same hour of the day in the last two weeks. It wants forecast / target units, from 5 minutes
    before the hour to its end, and scales out only: afterwards target tracking lets them go.
    """
    forecast = _hourly_forecast(training, scored)
    wanted = np.ceil(np.nan_to_num(forecast) / target * (1 - 1e-12)).astype(np.int64)
    first = scored.start // HOUR_S
    last = len(wanted) - 1
    now = wanted[scored.at // HOUR_S - first]
    soon = wanted[np.minimum((scored.at + SCHEDULING_BUFFER_S) // HOUR_S - first, last)]
    return target_tracking(
        scored, world, target=target, start=starting_capacity(scored, world), floor=np.maximum(now, soon)
    )


def _hourly_forecast(training: Trace, scored: Trace) -> FloatArray:
    """The highest minute expected in each hour from the scored trace's first on; NaN where nothing tells."""
    first, hours = scored.start // HOUR_S, -(-scored.end // HOUR_S) - scored.start // HOUR_S
    before = 2 * HOURS_PER_WEEK
    highest = np.full(before + hours, np.nan)
    for trace in (training, scored):
        place = trace.at // HOUR_S - (first - before)
        kept = place >= 0
        np.fmax.at(highest, place[kept], trace.demand[kept])
    hour = before + np.arange(hours)
    forecast: FloatArray = np.fmax(highest[hour - HOURS_PER_WEEK], highest[hour - 2 * HOURS_PER_WEEK])
    days = np.arange(HOURS_PER_DAY, before + 1, HOURS_PER_DAY)
    daily: FloatArray = np.fmax.reduce(highest[hour[:, None] - days], axis=1)
    forecast[np.isnan(forecast)] = daily[np.isnan(forecast)]
    return forecast


# --- perfect foresight -----------------------------------------------------------------------------------------------


def clairvoyant(scored: Trace, world: World, *, spillover: float) -> IntArray:
    """For each 5-minute block the least capacity that spills at most this share of the block's demand, READY in time.

    Rises are requested a lead time early. A block without demand needs nothing. It foresees demand, not its bill: on
    noise alone its many changes, each billed by 5 minutes, may cost more than a level that holds.
    """
    return _requested_early(_blocks(scored, world).capacity_for(spillover), scored, world)


def clairvoyant_reaching(scored: Trace, world: World, *, spillover: float) -> IntArray:
    """The clairvoyant whose blocks' share, alike for all, makes the whole trace spill this share, or just below it.

    By bisection over the logarithm of that share. Capacities of whole units reach most shares nearly, not exactly.
    """
    nothing = none(scored)
    if spillover_of(nothing, scored, world) <= spillover:
        return nothing
    blocks = _blocks(scored, world)
    strict, loose = math.log(_LEAST_SPILLOVER), 0.0
    most = blocks.capacity_for(_LEAST_SPILLOVER)
    best, least = most, np.zeros_like(most)
    for _ in range(_ROUNDS):
        middle = (strict + loose) / 2
        capacity = blocks.capacity_for(math.exp(middle), at_least=least, at_most=most)
        reached = spillover_of(_requested_early(capacity, scored, world), scored, world)
        if reached <= spillover:
            strict, most, best = middle, capacity, capacity
        else:
            loose, least = middle, capacity
        if loose - strict < _CLOSE or (least == most).all():
            break
    return _requested_early(best, scored, world)


def _blocks(scored: Trace, world: World) -> Blocks:
    return Blocks(
        demand=np.nan_to_num(scored.demand),
        block=scored.at // BLOCK_S - scored.start // BLOCK_S,
        peakedness=world.peakedness,
    )


def _requested_early(capacity: IntArray, scored: Trace, world: World) -> IntArray:
    """What to request in each minute so that each block's capacity is READY in all its minutes: shape (B,) -> (N,)."""
    wanted = capacity[scored.at // BLOCK_S - scored.start // BLOCK_S]
    if not len(wanted):
        return wanted
    ahead = np.concatenate([wanted, np.repeat(wanted[-1:], world.lead_minutes)])
    early: IntArray = np.lib.stride_tricks.sliding_window_view(ahead, world.lead_minutes + 1).max(axis=1)
    return early
