"""Simulated days of ticks: what is used of each service, counted call by call.

A working day and a Sunday, with a new environment every six hours, which reads history and state anew.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bench.population import populate
from bench.stage import TICK, HurriedClock, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bench.stage import Ticked

ENVIRONMENT_TICKS: Final = 72
"""Ticks that an environment lives, six hours: AWS says "every few hours" (lambda-runtime-environment)."""

SETTLING_TICKS: Final = 6
"""Ticks until a new environment has read all state again; not counted as warm."""

LEAD_IN_TICKS: Final = 12
"""Ticks before the day, not counted: the first ones move every target to where it should be."""

CONTROL_PLANE: Final = "lambda."
OWN_RATE: Final = "lambda.GetFunction"
"""The one operation of Lambda's control plane that has a limit of its own."""


@dataclass(slots=True)
class Usage:
    """What a fleet used in so many ticks, added up.

    Args:
        written_to: changes of capacity.
        deferred: changes put off to the next tick, one for each tick that they waited.
        record_bytes: size of decision records written.
        unchanged: target-ticks of targets that were changed neither in that tick nor in the one before, in settled
            environments.
        unchanged_calls: calls about them of the control plane, those about the account included, GetFunction left out.
    """

    targets: int
    ticks: int = 0
    series: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    written_units: int = 0
    read_units: int = 0
    record_bytes: int = 0
    log_bytes: int = 0
    cpu_s: float = 0.0
    waited_s: float = 0.0
    written_to: int = 0
    deferred: int = 0
    unchanged: int = 0
    unchanged_calls: int = 0

    @property
    def calls_per_unchanged(self) -> float:
        """Control-plane calls per unchanged target and tick."""
        return self.unchanged_calls / self.unchanged if self.unchanged else 0.0

    def add(self, tick: Ticked) -> None:
        """Count one tick."""
        self.ticks += 1
        self.series += tick.series
        self.calls.update(tick.calls)
        self.written_units += tick.written_units
        self.read_units += tick.read_units
        self.log_bytes += tick.log_bytes
        self.cpu_s += tick.cpu_s
        self.waited_s += tick.waited_s
        self.written_to += len(tick.written_to)
        self.deferred += tick.deferred

    def add_unchanged(self, tick: Ticked, before: Ticked) -> None:
        """Count the control plane's calls about what did not change."""
        changing = tick.written_to | before.written_to
        self.unchanged += self.targets - len(changing)
        self.unchanged_calls += sum(
            operation.startswith(CONTROL_PLANE) and operation != OWN_RATE and function not in changing
            for function, operation in tick.asked
        )


def measure(targets: int, day: datetime, ticks: int = 288) -> Usage:
    """One day from midnight, or as many of its ticks as are asked for."""
    stage = Stage(populate(targets), HurriedClock(day - LEAD_IN_TICKS * TICK))
    for n in range(LEAD_IN_TICKS, 0, -1):
        before = stage.tick(day - n * TICK)
    usage, recorded = Usage(targets), stage.dynamo.record_bytes
    for n in range(ticks):
        if n % ENVIRONMENT_TICKS == 0:
            stage.restart()
        tick = stage.tick(day + n * TICK)
        usage.add(tick)
        if n % ENVIRONMENT_TICKS >= SETTLING_TICKS:
            usage.add_unchanged(tick, before)
        before = tick
    usage.record_bytes = stage.dynamo.record_bytes - recorded
    return usage


def weigh(parts: Mapping[str, Usage], days: Mapping[str, int]) -> Usage:
    """A mean week out of its days: totals of so many of each; the rates that follow from it are the week's."""
    week = Usage(next(iter(parts.values())).targets)
    for name, usage in parts.items():
        for _ in range(days[name]):
            _join(week, usage)
    return week


def _join(week: Usage, day: Usage) -> None:
    week.ticks += day.ticks
    week.series += day.series
    week.calls.update(day.calls)
    week.written_units += day.written_units
    week.read_units += day.read_units
    week.record_bytes += day.record_bytes
    week.log_bytes += day.log_bytes
    week.cpu_s += day.cpu_s
    week.waited_s += day.waited_s
    week.written_to += day.written_to
    week.deferred += day.deferred
    week.unchanged += day.unchanged
    week.unchanged_calls += day.unchanged_calls
