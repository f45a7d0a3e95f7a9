"""Ticks over a large fleet against a fake AWS that answers at once: processor time, memory, requests.

Run `measure` in a process of its own: its peak memory is the answer's.
"""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bench.machine import peak_mb
from bench.population import WEDNESDAY, populate
from bench.stage import TICK, HurriedClock, Stage, Ticked
from warmcast.aws.session import make_clients

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

COLD_AT: Final = WEDNESDAY + timedelta(hours=7)
"""Before the working day's ramp, so that the warm ticks are on it."""

MOST_LEARNING_TICKS: Final = 100


@dataclass(frozen=True, slots=True)
class TicksMeasured:
    """What ticks took.

    Args:
        cold: the first tick of an environment.
        to_learn: ticks until all targets were learned, the first included.
        warm_cpu_s: of each warm tick.
        warm_calls: requests of a warm tick by operation, means.
        waited_s: median time that a warm tick's requests were held back.
        changed, deferred: capacities that a warm tick changed, and changes that it put off, medians.
        peak_mb: of the whole process, real boto3 clients included.
    """

    targets: int
    cold: Ticked
    to_learn: int
    warm_cpu_s: tuple[float, ...]
    warm_calls: Mapping[str, float]
    waited_s: float
    changed: float
    deferred: float
    peak_mb: float

    @property
    def warm_s(self) -> float:
        """Processor seconds of a warm tick, median."""
        return statistics.median(self.warm_cpu_s)

    @property
    def cold_wall_s(self) -> float:
        """Seconds until the first tick returns, if one core does the work and AWS answers at once."""
        return self.cold.cpu_s + self.cold.waited_s


def measure(targets: int, warm_ticks: int) -> TicksMeasured:
    """A cold tick, those that learn, and so many warm ones."""
    make_clients(region="us-east-1", table_name="bench", clock=HurriedClock(COLD_AT))  # for the memory that they take
    stage = Stage(populate(targets), HurriedClock(COLD_AT))
    cold = stage.tick(COLD_AT)
    to_learn, last = 1, cold
    while last.learned < targets and to_learn < MOST_LEARNING_TICKS:
        last = stage.tick(COLD_AT + to_learn * TICK)
        to_learn += 1
    warm = [stage.tick(COLD_AT + (to_learn + n) * TICK) for n in range(warm_ticks)]
    return TicksMeasured(
        targets=targets,
        cold=cold,
        to_learn=to_learn,
        warm_cpu_s=tuple(each.cpu_s for each in warm),
        warm_calls=mean_calls(warm),
        waited_s=statistics.median(each.waited_s for each in warm),
        changed=statistics.median(len(each.written_to) for each in warm),
        deferred=statistics.median(each.deferred for each in warm),
        peak_mb=peak_mb(),
    )


def mean_calls(ticks: Iterable[Ticked]) -> dict[str, float]:
    """Requests per tick by operation, the most frequent first."""
    total: Counter[str] = Counter()
    count = 0
    for tick in ticks:
        total.update(tick.calls)
        count += 1
    return {operation: calls / count for operation, calls in total.most_common()}
