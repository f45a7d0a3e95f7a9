"""The brain of one target: policy + observation + now -> Decision. Pure.

The live tick, `plan` and whatever replays history call this and nothing else. `think` forecasts and decides; it reads
no clock, no environment and no network, so a decision can be replayed from its observation alone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from warmcast.decide import decide
from warmcast.fleet import OnSlow
from warmcast.forecast import forecast
from warmcast.situation import Situation, horizon_of
from warmcast.staffing import Unit, unit_of

if TYPE_CHECKING:
    from datetime import datetime

    from warmcast.fleet import Policy
    from warmcast.model import Decision, Forecast, Observation, Rhythm, Unknown

ASSUMED_MEMORY_MB = 1024
"""Until the function's memory has been read; it only weighs prices."""


def think(
    policy: Policy, observation: Observation, *, now: datetime, rhythm: Rhythm, fleet_version: str = ""
) -> Decision:
    """Decide one target's capacity from what is known of it at `now`."""
    horizon = horizon_of(policy, observation.memory, rhythm) + timedelta(minutes=1)
    return decide(
        Situation(
            policy=policy,
            observation=observation,
            forecast=foresee(policy, observation, now=now, horizon=horizon),
            unit=unit(observation),
            now=now,
            rhythm=rhythm,
        ),
        fleet_version=fleet_version,
    )


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


def unit(observation: Observation) -> Unit:
    """One unit of the target's provisioned concurrency: its memory and what its Region charges."""
    state = observation.state
    return unit_of(
        region=observation.target.region,
        architecture=state.architecture if state else "x86_64",
        memory_mb=state.memory_mb if state else ASSUMED_MEMORY_MB,
    )
