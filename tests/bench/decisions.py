"""One target's decision, forecast included, and its learning, at demands of every size."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from builders import observation, policy, state
from traces import MONDAY, drawn, seen_at
from warmcast.brain import think
from warmcast.forecast import learn
from warmcast.model import Rhythm

if TYPE_CHECKING:
    from collections.abc import Callable

DEMANDS: Final = (10, 300, 10_000)
TYPICAL: Final = 10
PROFILE: Final = "nyc-taxi"
NOW: Final = MONDAY + timedelta(hours=9)


@dataclass(frozen=True, slots=True)
class Thought:
    """Milliseconds of processor time, medians."""

    demand: int
    think_ms: float
    learn_ms: float


def measure(rounds: int, demands: tuple[int, ...] = DEMANDS) -> list[Thought]:
    """Learn and decide on a morning, after 14 days of minutes with this mean demand."""
    return [_thought(demand, rounds) for demand in demands]


def _thought(demand: int, rounds: int) -> Thought:
    start = MONDAY - timedelta(days=14)
    shape = drawn(PROFILE, start=start, days=15)
    history = seen_at(NOW, start, shape * (demand / shape.mean()))
    rules = policy(high=100_000)
    learned = learn(history, zone=rules.timezone, now=NOW)
    seen = observation(now=NOW, seen=history, known=state(demand, at=NOW), learned=learned)
    return Thought(
        demand=demand,
        think_ms=_median_ms(lambda: think(rules, seen, now=NOW, rhythm=Rhythm()), rounds=rounds, times=20),
        learn_ms=_median_ms(lambda: learn(history, zone=rules.timezone, now=NOW), rounds=rounds, times=2),
    )


def _median_ms(work: Callable[[], object], *, rounds: int, times: int) -> float:
    """Processor time of one call: the median over rounds of the mean over so many calls."""
    work()
    spent = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(times):
            work()
        spent.append((time.process_time() - began) / times * 1000)
    return statistics.median(spent)
