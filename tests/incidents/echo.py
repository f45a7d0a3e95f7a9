"""What the next day and week still show of an incident: the same brain with and without it, at the same hour. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from incidents.scene import DAY_S, HOUR_S, WEEK_S, Span, inside
from warmcast.brain import foresee
from warmcast.knowledge import Knowledge
from warmcast.model import Forecast, Observation, TargetId
from warmcast.simulate.replay import Measured, replay
from warmcast.simulate.world import DATA_DELAY_MIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from incidents.scene import Scene
    from warmcast.fleet import Policy
    from warmcast.model import IntArray
    from warmcast.simulate.trace import Trace
    from warmcast.simulate.world import World

ISSUED_AFTER_S = 2 * HOUR_S
"""So long after the incident the forecasts are issued that are compared, all of it learned."""

AFTERWARDS = {"day": DAY_S, "week": WEEK_S}
MEDIAN = 0.5
LEVELS = {"median": MEDIAN, "0.9": 0.9}
TOLERANCE = 0.10
"""So much more or less than without the incident is no echo ..."""

DOUBT = 0.20
"""So much more at the 0.9 quantile is none: who was wrong an hour ago doubts more, at every hour of the next day."""

UNIT = 1.0
"""... nor is one unit, or one execution, in the mean."""

_WARM_UP_S = 90 * 60
_COOL_DOWN_S = 30 * 60


@dataclass(frozen=True, slots=True)
class Echo:
    """A quantity in the hour of an incident's part, a day or a week after it: with the incident before, and without.

    Args:
        what: which part of the incident, when, and what is compared, in words.
        lived: mean over the part's minutes where the incident happened.
        calm: the same where it did not.
        tolerance: share of it by which they may differ.
    """

    what: str
    lived: float
    calm: float
    tolerance: float = TOLERANCE

    @property
    def heard(self) -> bool:
        """Whether the difference is more than tolerated."""
        return abs(self.lived - self.calm) > max(UNIT, self.tolerance * self.calm)

    @property
    def ratio(self) -> float:
        """With the incident, over without; 1 where neither is anything."""
        if self.calm:
            return self.lived / self.calm
        return 1.0 if not self.lived else float("inf")

    def __str__(self) -> str:
        return f"{self.what}: {self.lived:.1f} where calm has {self.calm:.1f}"


def echoes(scene: Scene, policy: Policy, world: World) -> list[Echo]:
    """What is left of each passing part of a scene in forecasts and in capacity, a day and a week after."""
    if not scene.passing:
        return []
    return [*_in_forecast(scene, policy, world), *_in_capacity(scene, policy, world)]


def _in_forecast(scene: Scene, policy: Policy, world: World) -> Iterator[Echo]:
    issued = max(part.end for part in scene.passing.values()) + ISSUED_AFTER_S
    until = max(part.end for part in scene.passing.values()) + WEEK_S
    lived, calm = (forecast_at(trace, policy, world, at=issued, until=until) for trace in (scene.trace, scene.calm))
    for name, part in scene.passing.items():
        for when, later in AFTERWARDS.items():
            there = part.later(later)
            for word, level in LEVELS.items():
                ours, theirs = _mean_in(lived, there, level), _mean_in(calm, there, level)
                tolerated = TOLERANCE if level == MEDIAN else DOUBT
                yield Echo(f"{name}, next {when}, {word} of the forecast", ours, theirs, tolerated)


def _in_capacity(scene: Scene, policy: Policy, world: World) -> Iterator[Echo]:
    whole = Span(min(p.start for p in scene.passing.values()), max(p.end for p in scene.passing.values()))
    for when, later in AFTERWARDS.items():
        played = Span(whole.start + later - _WARM_UP_S, whole.end + later + _COOL_DOWN_S)
        lived, calm = (_capacity(trace, policy, world, played) for trace in (scene.trace, scene.calm))
        for name, part in scene.passing.items():
            minutes = inside(lived.trace, part.later(later))
            means = (float(run.requested[minutes].mean()) for run in (lived, calm))
            yield Echo(f"{name}, next {when}, capacity", *means)


def forecast_at(trace: Trace, policy: Policy, world: World, *, at: int, until: int) -> Forecast:
    """The forecast issued at an instant from all that could be seen then, freshly learned, up to another."""
    now = datetime.fromtimestamp(at, UTC)
    seen = trace.between(trace.start, at - (DATA_DELAY_MIN - 1) * 60)
    history = Measured(seen, world).at(at)
    target = TargetId(policy.account or "", world.region, policy.function, policy.qualifier)
    knowledge = Knowledge()
    knowledge.learn(target, history, zone=policy.timezone, now=now)
    observation = Observation(target, now, history, None, learned=knowledge.learned[target])
    issued = foresee(policy, observation, now=now, horizon=timedelta(seconds=until - at))
    assert isinstance(issued, Forecast), issued.reason
    return issued


@dataclass(frozen=True, slots=True, eq=False)
class _Played:
    trace: Trace
    requested: IntArray


def _capacity(trace: Trace, policy: Policy, world: World, played: Span) -> _Played:
    run = replay(policy, trace.between(trace.start, played.end), start=played.start, world=world)
    return _Played(trace.between(played.start, played.end), run.requested)


def _mean_in(forecast: Forecast, span: Span, level: float) -> float:
    cut = forecast.between(span.start, span.end)
    return float(np.average(cut.quantile(level), weights=cut.step_s))
