"""Foretell: the mixture at ticks to come, if demand went as forecast. Pure numpy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from warmcast.mixture.candidates import by_family, candidates, predictions
from warmcast.mixture.past import MINUTE_S, STEP_MINUTES, Past, known_mean, past_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from warmcast.mixture.state import MixtureState
    from warmcast.model import Forecast, History, IntArray

MEDIAN = 0.5


def foretell(
    state: MixtureState, history: History, forecast: Forecast, *, zone: ZoneInfo, ticks: IntArray
) -> Iterator[MixtureState]:
    """The state as it would stand at each tick ahead (epoch minutes, multiples of 5, ascending).

    What is believed stays as it is now; what each tick sees before it is the median of the forecast. Nothing that can't
    be known is made up: how often demand leaves its median is in the weights already.
    """
    past = past_of(history, zone=zone, end_s=int(forecast.issued_at.timestamp()), slot=state.slot, season=state.season)
    ahead = _with(past, forecast, state.slot)
    capacities = candidates(predictions(ahead, ticks, lead_min=state.lead_min, delay_min=1))
    weights = state.regret.weights()
    mixture = capacities @ weights.T
    for row, tick in enumerate(ticks):
        yield replace(
            state,
            next_tick=int(tick),
            mixture=mixture[[max(row - 1, 0), row]],
            held=state.held[-1:],
            families=by_family(weights, capacities[row]),
        )


def _with(past: Past, forecast: Forecast, slot: float) -> Past:
    """The past, and the forecast's median after it as if it had been measured."""
    start = int(forecast.at[0]) // MINUTE_S if len(forecast.at) else past.end_minute
    median = np.repeat(forecast.quantile(MEDIAN), forecast.step_s // MINUTE_S) * slot
    known = past.minutes[: max(0, start - past.first_minute)]
    gap = np.full(max(0, start - past.first_minute - len(known)), np.nan)
    minutes = np.concatenate([known, gap, median])
    end_step = (past.first_minute + len(minutes)) // STEP_MINUTES
    steps = np.concatenate([past.steps, np.full(max(0, end_step - past.first_step - len(past.steps)), np.nan)])
    first = -(-max(start, past.first_minute) // STEP_MINUTES)
    whole = minutes[first * STEP_MINUTES - past.first_minute :]
    rows = whole[: len(whole) // STEP_MINUTES * STEP_MINUTES].reshape(-1, STEP_MINUTES)
    place = first - past.first_step
    steps[place : place + len(rows)] = known_mean(rows, axis=1)[: len(steps) - place]
    return replace(past, minutes=minutes, steps=steps)
