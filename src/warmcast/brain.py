"""The brain of one target: policy + observation + now -> Decision. Pure.

The live tick, `plan` and whatever replays history call this and nothing else. `think` forecasts and decides; it reads
no clock, no environment and no network, so a decision can be replayed from its observation alone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from warmcast.decide import decide
from warmcast.fleet import OnSlow
from warmcast.forecast import forecast
from warmcast.learning import advance, followed
from warmcast.mixture import MixtureState, foretell
from warmcast.model import Unknown
from warmcast.situation import Situation, horizon_of
from warmcast.staffing import Unit, unit_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from warmcast.fleet import Policy
    from warmcast.model import Decision, Forecast, History, Observation, Rhythm

ASSUMED_MEMORY_MB = 1024
"""Until the function's memory has been read; it only weighs prices."""


def think(
    policy: Policy, observation: Observation, *, now: datetime, rhythm: Rhythm, fleet_version: str = ""
) -> Decision:
    """Decide one target's capacity from what is known of it at `now`."""
    history = followed(observation.history, observation.learned, follow_slow=policy.on_slow is OnSlow.FOLLOW)
    observation = up_to_date(policy, observation, history, now=now)
    horizon = horizon_of(policy, observation.memory, rhythm) + timedelta(minutes=1)
    return decide(
        Situation(
            policy=policy,
            observation=observation,
            forecast=foresee(policy, observation, now=now, horizon=horizon),
            unit=unit(observation),
            now=now,
            rhythm=rhythm,
            followed=history,
            mixture=MixtureState.from_arrays(observation.learned.arrays) if observation.learned else None,
        ),
        fleet_version=fleet_version,
    )


def up_to_date(policy: Policy, observation: Observation, history: History, *, now: datetime) -> Observation:
    """The observation with what was learned carried on to `now` by this history, where that was not done yet."""
    if observation.learned is None:
        return observation
    learned = advance(observation.learned, history, zone=policy.timezone, now=now)
    return observation if learned is observation.learned else replace(observation, learned=learned)


def foresee(policy: Policy, observation: Observation, *, now: datetime, horizon: timedelta) -> Forecast | Unknown:
    """The forecast of a target's demand, from its history and what was learned of it."""
    return forecast(
        observation.history,
        observation.learned,
        zone=policy.timezone,
        now=now,
        horizon=horizon,
        follow_slow=policy.on_slow is OnSlow.FOLLOW,
    )


def foreseen_mixtures(
    policy: Policy, observation: Observation, forecast: Forecast | Unknown, *, at: Sequence[datetime]
) -> list[MixtureState | None]:
    """The mixture as it would stand at these instants if the forecast came true; None where nothing is learned."""
    state = MixtureState.from_arrays(observation.learned.arrays) if observation.learned else None
    if state is None or isinstance(forecast, Unknown):
        return [None] * len(at)
    ticks = np.array([int(each.timestamp()) // 300 * 5 for each in at], dtype=np.int64)
    return list(foretell(state, observation.history, forecast, zone=policy.timezone, ticks=ticks))


def unit(observation: Observation) -> Unit:
    """One unit of the target's provisioned concurrency: its memory and what its Region charges."""
    state = observation.state
    return unit_of(
        region=observation.target.region,
        architecture=state.architecture if state else "x86_64",
        memory_mb=state.memory_mb if state else ASSUMED_MEMORY_MB,
    )
