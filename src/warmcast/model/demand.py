"""Measured demand: series of minutes and of five minutes, and the history made of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from warmcast.model.arrays import FloatArray, IntArray

MINUTE_S = 60


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Measured minutes (or 5-minute steps) of one target, oldest first, without holes in time: a gap is NaN.

    Args:
        start: epoch seconds at which the first step begins; a multiple of `step_s`.
        step_s: length of a step, 60 or 300.
        work_s: execution-seconds that began in the step (CloudWatch: Sum of Duration / 1000). NaN: not known.
        arrivals: invocations in the step, throttled ones not included. NaN: not known, or not read at this step.
        throttles: throttled invocations. NaN: not known or not read.
        peak: most concurrent executions within the step (Maximum of ConcurrentExecutions). NaN: not known or not read.
        spilled: invocations that provisioned concurrency did not serve. NaN: not known or not read.
    """

    start: int
    step_s: int
    work_s: FloatArray
    arrivals: FloatArray
    throttles: FloatArray
    peak: FloatArray
    spilled: FloatArray

    def __len__(self) -> int:
        return len(self.work_s)

    @property
    def end(self) -> int:
        """Epoch seconds at which the last step ends."""
        return self.start + self.step_s * len(self)

    @property
    def at(self) -> IntArray:
        """Epoch seconds at which each step begins."""
        return self.start + self.step_s * np.arange(len(self), dtype=np.int64)

    @property
    def demand(self) -> FloatArray:
        """Offered load per step in concurrent executions (Little's law); a throttled share is added back; NaN: gap.

        (Sum(Invocations) + Sum(Throttles)) / step x mean duration. Where a throttled step's own mean duration is not
        known, that of all steps with known arrivals stands in for it:

        | minute                                                | demand                         |
        | ----------------------------------------------------- | ------------------------------ |
        | 600 arrivals of 0.5 s, 60 throttles                   | (600 + 60) / 60 x 0.5 = 5.5    |
        | 300 s of work, arrivals not read, 60 throttles        | 300 / 60 + 60 / 60 x 0.5 = 5.5 |
        | no work, no arrivals, 60 throttles                    | 60 / 60 x 0.5 = 0.5            |
        | 300 s of work, 60 throttles, no duration known at all | 5: its work at least           |
        | no work, 60 throttles, no duration known at all       | NaN: never taken for idle      |
        """
        demand: FloatArray = self.work_s / self.step_s
        throttled = self.throttles > 0
        if not throttled.any():
            return demand
        served = throttled & (self.arrivals > 0)
        demand[served] *= 1 + self.throttles[served] / self.arrivals[served]
        hidden = throttled & ~served
        lost = self.throttles[hidden] / self.step_s * self._mean_duration_s
        least = np.where(demand[hidden] > 0, demand[hidden], np.nan)
        demand[hidden] = np.where(np.isnan(lost), least, demand[hidden] + lost)
        return demand

    @property
    def _mean_duration_s(self) -> float:
        """Mean duration over all steps whose arrivals are known; NaN where there is none."""
        both = (self.arrivals > 0) & ~np.isnan(self.work_s)
        return float(self.work_s[both].sum() / self.arrivals[both].sum()) if both.any() else np.nan

    def demand_by_minute(self, work_s: FloatArray) -> FloatArray:
        """Demand of each minute of these 5-minute steps; what a step turned away is added back to its minutes.

        Throttles are known by the step alone, so each of its minutes grows by the step's own factor. A step without any
        work has its mean demand in each minute; one that is not known has no minute that is.

        | step of 5 minutes                            | its demand | its minutes' work | their demand      |
        | -------------------------------------------- | ---------- | ----------------- | ----------------- |
        | 300 s of work in 600 arrivals                | 1          | 300, 0, 0, 0, 0   | 5, 0, 0, 0, 0     |
        | 300 s of work in 600 arrivals, 120 throttles | 1.2        | 300, 0, 0, 0, 0   | 6, 0, 0, 0, 0     |
        | no work, 120 throttles, elsewhere 0.5 s each | 0.2        | 0, 0, 0, 0, 0     | 0.2 in each       |

        Args:
            work_s: execution-seconds of each minute, shape (5 x steps,).
        """
        demand, mean = self.demand, self.work_s / self.step_s
        factor = np.divide(demand, mean, out=np.full(len(self), np.nan), where=mean > 0)
        minutes = work_s.reshape(len(self), self.step_s // MINUTE_S) / MINUTE_S
        by_minute: FloatArray = np.where(mean[:, None] > 0, minutes * factor[:, None], demand[:, None])
        return by_minute.ravel()

    def between(self, start: int, end: int) -> Series:
        """The steps that lie wholly inside [start, end), epoch seconds."""
        first = max(0, -(-(start - self.start) // self.step_s))
        last = max(first, min(len(self), (end - self.start) // self.step_s))
        part = slice(first, last)
        return Series(
            start=self.start + first * self.step_s,
            step_s=self.step_s,
            work_s=self.work_s[part],
            arrivals=self.arrivals[part],
            throttles=self.throttles[part],
            peak=self.peak[part],
            spilled=self.spilled[part],
        )

    @staticmethod
    def empty(start: int, step_s: int) -> Series:
        """A series of no steps."""
        nothing = np.empty(0)
        return Series(start, step_s, nothing, nothing, nothing, nothing, nothing)


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """All that was measured of a target's demand: 5-minute steps of the past weeks, then minutes up to now.

    Args:
        coarse: 5-minute steps; may be empty (nothing learned yet, or a young alias).
        fine: minutes, starting at or after the coarse steps' end; the newest is 2-3 minutes old and may be revised.
        complete: False where CloudWatch answered only in part: then nothing may be lowered.
        minutes: demand of each minute of the coarse steps, float32, shape (5 x steps,); NaN: gap. Empty where the
            minutes of the past weeks are not at hand: they are for a while after the weeks were read.
        weeks_read: False while the past weeks have not been read: then there is nothing to learn from yet.
    """

    coarse: Series
    fine: Series
    complete: bool = True
    weeks_read: bool = True
    minutes: FloatArray = field(default_factory=lambda: np.empty(0, dtype=np.float32))

    def until(self, end: int) -> History:
        """The history as it was known at `end` (epoch seconds): steps that end at or before it."""
        coarse = self.coarse.between(self.coarse.start, end)
        return replace(
            self,
            coarse=coarse,
            fine=self.fine.between(self.fine.start, end),
            minutes=self.minutes[: len(coarse) * coarse.step_s // MINUTE_S],
        )

    @property
    def newest(self) -> int | None:
        """Epoch seconds at which the newest known (not NaN) minute ends; None if none is known."""
        for series in (self.fine, self.coarse):
            known = np.flatnonzero(~np.isnan(series.work_s))
            if known.size:
                return int(series.start + series.step_s * (known[-1] + 1))
        return None
