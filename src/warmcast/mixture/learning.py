"""Learn: weeks of history -> state, and from tick to tick. Pure numpy.

Both are the same pass: at each tick the outcomes that have become known are counted, then the mixture of the next is
made. Weeks are taken an hour of ticks at a time, which is as good and twenty times as fast as one by one; a live tick
is a pass over one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from warmcast.mixture.candidates import by_family, candidates, predictions
from warmcast.mixture.cold import cold_per_spilled
from warmcast.mixture.ladder import PRICES, held_after
from warmcast.mixture.loss import carried
from warmcast.mixture.past import Past, past_of
from warmcast.mixture.state import MixtureState, fresh

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from warmcast.model import FloatArray, History, IntArray

TICK_MIN = 5
_PIECE = 12  # ticks
_LONGEST_SHARED_MIN = 5
_LONGEST_DELAY_MIN = 3
_SLOT_S = 0.1  # ten requests a second per unit (AWS: lambda-concurrency.html)
_ERRORS_FADE = 0.5 ** (1 / (3 * 288))
_LEAST_LOAD = 1e-3
_COLD_TICKS = 3 * 288


def learn(
    history: History,
    *,
    zone: ZoneInfo,
    lead_min: int,
    duration_s: float | None,
    now_s: int,
    cold_starts: bool = False,
) -> MixtureState:
    """The state at `now` from all of history.

    Args:
        history: as known; nothing after `now_s` is looked at.
        zone: whose days and weeks recur.
        lead_min: from a request until READY.
        duration_s: the typical mean duration; None: not known.
        now_s: epoch seconds.
        cold_starts: whether their share of what spills is to be modelled (it takes as long again).
    """
    slot = max(1.0, _SLOT_S / duration_s) if duration_s else 1.0
    past = past_of(history, zone=zone, end_s=now_s, slot=slot)
    first_tick = -(-(past.first_minute + 10) // TICK_MIN) * TICK_MIN
    state = fresh(lead_min=lead_min, slot=slot, first_tick=first_tick, season=past.season)
    return _pass(
        state, past, now_s, _delay_min(history, now_s), duration_s=(duration_s or 1.0) if cold_starts else None
    )


def advance(state: MixtureState, history: History, *, zone: ZoneInfo, now_s: int) -> MixtureState:
    """The state at `now` from that at an earlier tick; the same where nothing new can be known."""
    if now_s // 60 // TICK_MIN * TICK_MIN <= state.newest_tick:
        return state
    past = past_of(history, zone=zone, end_s=now_s, slot=state.slot, season=state.season, first_tick=state.next_tick)
    return _pass(state, past, now_s, _delay_min(history, now_s))


def relearn_season(state: MixtureState, history: History, *, zone: ZoneInfo, now_s: int) -> MixtureState:
    """The state with the season of all that was measured by now; what the weights learned is kept."""
    return replace(state, season=past_of(history, zone=zone, end_s=now_s, slot=state.slot).season)


def _delay_min(history: History, now_s: int) -> int:
    """How old the newest minute's end is at a tick."""
    newest = history.newest
    return min(max((now_s - newest) // 60, 1), _LONGEST_DELAY_MIN) if newest is not None else _LONGEST_DELAY_MIN


def _pass(
    state: MixtureState, past: Past, now_s: int, delay_min: int, *, duration_s: float | None = None
) -> MixtureState:
    """Every tick up to `now`; `duration_s`: of an execution, where cold starts are to be modelled."""
    first = max(state.next_tick, past.first_minute // TICK_MIN * TICK_MIN)
    ticks = np.arange(first, now_s // 60 + 1, TICK_MIN, dtype=np.int64)
    if first > state.next_tick:  # too long ago for what is at hand: those ticks' outcomes are lost
        state = replace(state, next_tick=first, mixture=state.mixture[-1:], held=state.held[-1:])
    if not len(ticks):
        return state
    run = _Pass(state, past, ticks, delay_min)
    for start in range(len(state.mixture) - 1, len(ticks), _PIECE):
        run.count_outcomes(start)
        run.mix(start, min(start + _PIECE, len(ticks)))
    return run.state() if duration_s is None else replace(run.state(), cold=run.cold_starts(duration_s))


class _Pass:
    """Ticks in order: the ones that are settled, the ones whose mixture is made, the ones to come."""

    def __init__(self, state: MixtureState, past: Past, ticks: IntArray, delay_min: int) -> None:
        self._before, self._past, self._ticks = state, past, ticks
        self._lead, self._delay = state.lead_min, delay_min
        self._shared = min(self._lead, _LONGEST_SHARED_MIN)
        self._predicted = predictions(past, ticks, lead_min=self._lead, delay_min=delay_min)
        self._candidates = candidates(self._predicted)
        self._loads = past.outcomes(ticks, TICK_MIN + self._lead)
        # One row more than ticks: the first is of the tick before.
        more = len(ticks) + 1 - len(state.mixture)
        self._mixture = np.concatenate([state.mixture, np.zeros((more, *state.mixture.shape[1:]))])
        self._held = np.concatenate([state.held, np.zeros((more, *state.held.shape[1:]))])
        self._families = state.families
        self._regret, self._record = state.regret, state.record
        self._load, self._errors = state.load, state.errors
        self._settled = 0

    def count_outcomes(self, at: int) -> None:
        """Count the ticks whose minutes are all known at the tick `at`."""
        seen_until = int(self._ticks[at]) - self._delay
        last = int(np.searchsorted(self._ticks, seen_until - TICK_MIN - self._lead, side="right"))
        last = min(last, at - 1)
        if last <= self._settled:
            return
        rows = slice(self._settled, last)
        self._record = self._record.after(
            self._held[self._settled : last + 1], self._loads[rows, :TICK_MIN], self._shared
        )
        self._weigh(np.arange(self._settled, last))
        self._settled = last

    def _weigh(self, rows: IntArray) -> None:
        rows = rows[~np.isnan(self._loads[rows]).any(axis=1)]
        if not len(rows):
            return
        loads = self._loads[rows]
        self._scale(loads)
        slopes = self._slopes(rows, loads) / max(self._load, _LEAST_LOAD)
        self._regret = self._regret.after(slopes, self._candidates[rows], self._mixture[rows + 1])
        served = loads[:, self._lead :].mean(axis=1)
        off = np.abs(np.column_stack([self._predicted[rows] - served[:, None], served]))
        self._errors = _ERRORS_FADE ** len(rows) * self._errors + off.sum(axis=0)

    def _scale(self, loads: FloatArray) -> None:
        """Follow the mean load: a plain mean at first, then over about two weeks."""
        ticks = min(float(self._record.ticks[0]), 2016.0)
        self._load += (float(loads.mean()) - self._load) * len(loads) / (ticks + len(loads))

    def _slopes(self, rows: IntArray, loads: FloatArray) -> FloatArray:
        """Slope of the loss per rung, shape (N, K): an idle unit costs 1, what it would have carried saves its price.

        A fall acts at once and a rise after the lead time, so in the minutes between two ticks' capacities the lower of
        them serves: they count for the tick that holds the lower, half for each where both are alike.
        """
        before, own, after = self._mixture[rows], self._mixture[rows + 1], self._mixture[rows + 2]
        marginal = carried(own[:, None], loads[:, :, None]).marginal
        earlier = np.where(own > before, 0.0, np.where(own == before, 0.5, 1.0))
        later = np.where(own > after, 0.0, np.where(own == after, 0.5, 1.0))
        shared, tick = self._shared, TICK_MIN
        carries = (
            marginal[:, :shared].sum(axis=1) * earlier
            + marginal[:, shared:tick].sum(axis=1)
            + marginal[:, max(tick, loads.shape[1] - shared) :].sum(axis=1) * later
        )
        slopes: FloatArray = 1 - PRICES * carries / TICK_MIN
        return slopes

    def mix(self, start: int, end: int) -> None:
        """The mixture of these ticks, by what is believed now; and what each rung and band then holds."""
        weights = self._regret.weights()
        self._mixture[start + 1 : end + 1] = self._candidates[start:end] @ weights.T
        for row in range(start + 1, end + 1):
            self._held[row] = held_after(self._held[row - 1], self._mixture[row])
        if end == len(self._ticks):
            self._families = by_family(weights, self._candidates[-1])

    def cold_starts(self, duration_s: float) -> FloatArray:
        """Cold starts over spilled executions at each rung, by the model, over the last days, shape (K,)."""
        first = max(0, len(self._ticks) - _COLD_TICKS)
        held = np.repeat(self._held[first + 1 :, :, 0], TICK_MIN, axis=0)
        place = int(self._ticks[first]) - self._past.first_minute
        load = self._past.minutes[place : place + len(held)]
        return cold_per_spilled(held[: len(load)], load, lead_min=self._lead, duration_s=duration_s)

    def state(self) -> MixtureState:
        """What the next pass starts from."""
        return replace(
            self._before,
            next_tick=int(self._ticks[self._settled]),
            regret=self._regret,
            record=self._record,
            mixture=self._mixture[self._settled :].copy(),  # a view would keep all of it
            held=self._held[self._settled :].copy(),
            load=self._load,
            errors=self._errors,
            families=self._families,
        )
