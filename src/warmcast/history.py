"""History: an alias's own past, which CloudWatch keeps in three resolutions, as one trace of minutes.

Touches only the port `Series`. CloudWatch keeps minutes for 15 days, steps of five minutes for 63, of an hour for 455
(GetMetricData, API reference); a read that starts earlier finds nothing, so each stays an hour inside of that.

    hours               5 minutes            minutes         newest 3 minutes
    |-------------------|--------------------|---------------|...
    now - 455 d         now - 63 d           now - 15 d      now: CloudWatch is 2-3 minutes late

Each seam lies on a step of both sides, so no minute comes twice and none is lost. A coarse step is spread evenly over
its minutes: sums are kept, bursts within it are not. Its peak belongs to one of its minutes, nobody knows which, so the
minutes' own peaks are not known, but for an idle step's, which are 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from warmcast.errors import AwsError, HistoryError
from warmcast.model import Series as Steps
from warmcast.model.asked import Answer, Completeness, Grid, Query
from warmcast.scan.standing import Readings, reported, stood
from warmcast.simulate.actual import Actual
from warmcast.simulate.trace import MINUTE_S, Trace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from warmcast.model import Capacity, FloatArray
    from warmcast.scan.found import Activity
    from warmcast.scan.ports import Series

HOUR_S: Final = 3600
DAY_S: Final = 86_400

LATE_S: Final = 180
"""The newest minutes may still come, so they are left out; whatever is older and missing means something."""

MARGIN_S: Final = HOUR_S
"""How far a read stays inside of what CloudWatch keeps: clocks differ, and a read takes time."""

SERIES: Final = {
    "work": ("Duration", "Sum"),
    "arrivals": ("Invocations", "Sum"),
    "throttles": ("Throttles", "Sum"),
    "peak": ("ConcurrentExecutions", "Maximum"),
    "in_use": ("ProvisionedConcurrentExecutions", "Maximum"),
    "utilization": ("ProvisionedConcurrencyUtilization", "Maximum"),
    "spilled": ("ProvisionedConcurrencySpilloverInvocations", "Sum"),
}
"""What is read: metric and statistic. Work is Sum(Duration), which is Invocations x Average(Duration) in one series."""

ANYBODY: Final = Query("Invocations", "Sum")
"""The Region's invocations, whosever: where they reported, the alias's silence is idleness."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Steps of this length are kept for so many days."""

    step_s: int
    days: int


KEPT: Final = (Kept(HOUR_S, 455), Kept(300, 63), Kept(MINUTE_S, 15))


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """An alias's past, minute by minute from its first datapoint; arrays as long as the trace.

    Args:
        trace: its demand and arrivals, throttled invocations included.
        invocations: that were not throttled; NaN: not known.
        spilled: of them, those that provisioned concurrency did not serve; NaN: nothing reported.
        read: provisioned concurrency as its metrics tell it by themselves; NaN where they don't.
        grids: the steps that it was read in, oldest first, none before its first datapoint.
        duration_s: mean duration of an execution; NaN where nothing ran.
        partial: metrics of which CloudWatch did not answer everything.
    """

    trace: Trace
    invocations: FloatArray
    spilled: FloatArray
    read: FloatArray
    grids: tuple[Grid, ...]
    duration_s: float
    partial: tuple[str, ...] = ()

    def spread(self, start: int, end: int) -> Mapping[int, int]:
        """How many minutes of [start, end), epoch seconds, were read in steps of each length, in seconds."""
        return {
            grid.step_s: max(0, min(end, grid.end) - max(start, grid.start)) // MINUTE_S
            for grid in self.grids
            if min(end, grid.end) > max(start, grid.start)
        }

    def ran(self, start: int, *, now: Capacity | None, activities: Sequence[Activity]) -> Actual:
        """What was actually run from `start` (epoch seconds, a minute of the trace) on.

        Args:
            start: where the scored minutes begin.
            now: provisioned concurrency as it stands now; None: none.
            activities: of Application Auto Scaling, in any order.
        """
        everything = Grid(self.trace.start, self.trace.end, MINUTE_S)
        found = stood(everything, self.read, now=now, activities=activities)
        since = slice((start - self.trace.start) // MINUTE_S, None)
        return Actual(
            capacity=np.rint(np.nan_to_num(found.capacity[since])).astype(np.int64),
            certain=found.certain[since] > 0,
            invocations=self.invocations[since],
            spilled=self.spilled[since],
        )


def grids(now: datetime) -> tuple[Grid, ...]:
    """The steps to read, oldest first, each beginning where the one before ends.

    A resolution begins on a step of the one before it, so that they meet.
    """
    now_s = int(now.timestamp())
    meets = [HOUR_S, *(kept.step_s for kept in KEPT[:-1])]
    starts = [-(-(now_s - kept.days * DAY_S + MARGIN_S) // meet) * meet for kept, meet in zip(KEPT, meets, strict=True)]
    ends = [*starts[1:], (now_s - LATE_S) // MINUTE_S * MINUTE_S]
    return tuple(Grid(start, end, kept.step_s) for start, end, kept in zip(starts, ends, KEPT, strict=True))


def recorded(metrics: Series, function: str, qualifier: str, *, now: datetime) -> Recorded:
    """All that CloudWatch has of an alias or version, as minutes: some 20 series, read in a handful of calls.

    Raises:
        AwsError: CloudWatch refused.
        HistoryError: it has no datapoint of it.
    """
    queries = [Query(*series, function, f"{function}:{qualifier}") for series in SERIES.values()]
    asked = grids(now)
    parts = [_Part(grid, *_answered(metrics, queries, grid)) for grid in asked]
    newest = asked[-1].end
    (anybody,) = _answered(metrics, [ANYBODY], Grid(newest - DAY_S, newest, MINUTE_S))
    heard = max(_reported_until(anybody.values, newest - DAY_S, MINUTE_S), *(part.reported_until for part in parts))
    begins = min((part.begins for part in parts if part.begins is not None), default=None)
    if begins is None:
        raise HistoryError(
            f"{function}:{qualifier}: CloudWatch has no datapoint of it in {KEPT[0].days} days: nobody called it by"
            " that name (callers may use another alias, a version or $LATEST)"
        )
    return _joined([part.since(begins) for part in parts if part.grid.end > begins], heard=heard)


def _answered(metrics: Series, queries: Sequence[Query], grid: Grid) -> list[Answer]:
    """The answers, in order; a refusal is raised."""
    answers = []
    for answer in metrics.read(queries, grid):
        if isinstance(answer, AwsError):
            raise answer
        assert answer is not None, "nobody limits the time of this read"
        if answer.completeness is Completeness.FORBIDDEN:
            raise AwsError("Forbidden", answer.message or "CloudWatch gave no reason", "GetMetricData")
        answers.append(answer)
    return answers


def _reported_until(values: FloatArray, start: int, step_s: int) -> int:
    """End of the newest minute that certainly had a datapoint, 0 if none; of a longer step only its start is sure."""
    present = np.flatnonzero(~np.isnan(values))
    return start + step_s * int(present[-1]) + (MINUTE_S if step_s == MINUTE_S else 0) if present.size else 0


# --- one resolution --------------------------------------------------------------------------------------------------


class _Part:
    """The answers over one grid, in the order of `SERIES`."""

    def __init__(self, grid: Grid, *answers: Answer) -> None:
        self.grid = grid
        self._answers = dict(zip(SERIES, answers, strict=True))

    @property
    def begins(self) -> int | None:
        """Where its history begins, if any is in this part: at the first minute that has a datapoint.

        Of a coarse step nobody knows since when in it the alias was called, so history begins after it.
        """
        present = np.flatnonzero(np.any([~np.isnan(answer.values) for answer in self._answers.values()], axis=0))
        if not present.size:
            return None
        first = self.grid.start + self.grid.step_s * int(present[0])
        return first if self.grid.step_s == MINUTE_S else first + self.grid.step_s

    @property
    def reported_until(self) -> int:
        """Up to where any of its series has certainly reported."""
        grid = self.grid
        return max(_reported_until(answer.values, grid.start, grid.step_s) for answer in self._answers.values())

    @property
    def partial(self) -> list[str]:
        """Metrics of which not everything was answered."""
        return [SERIES[name][0] for name, answer in self._answers.items() if not answer.complete]

    def since(self, begins: int) -> _Part:
        """The steps from there on, which is where one begins, or before all of them."""
        skip = max(0, (begins - self.grid.start) // self.grid.step_s)
        kept = Grid(self.grid.start + skip * self.grid.step_s, self.grid.end, self.grid.step_s)
        return _Part(kept, *(Answer(a.values[skip:], a.completeness) for a in self._answers.values()))

    def raw(self, name: str) -> FloatArray:
        """A series as it was answered."""
        return self._answers[name].values

    def settled(self, name: str, heard: int) -> FloatArray:
        """A series whose missing steps are 0 where it is certain that nothing happened (as the tick judges them).

        It is where the answer is complete, and any series of the account and Region reported at or after the step.
        """
        answer, grid = self._answers[name], self.grid
        ends = grid.start + grid.step_s * np.arange(1, len(grid) + 1)
        idle = np.isnan(answer.values) & (ends <= heard) & answer.complete
        return np.where(idle, 0.0, answer.values)

    def minutes(self, heard: int) -> dict[str, FloatArray]:
        """What `_joined` makes a past of, each step spread over its minutes."""
        steps = self._steps(heard)
        asked, demand = steps.arrivals + steps.throttles, steps.demand
        unknown = np.isnan(asked) | ((steps.arrivals > 0) & ~(steps.work_s > 0))  # ran, and nobody knows for how long
        values = {
            "demand": np.where(unknown, np.nan, demand),
            "arrivals_per_s": np.where(np.isnan(demand) | unknown, np.nan, asked / self.grid.step_s),
            "peak": self._peak(steps),
            "invocations": steps.arrivals / (self.grid.step_s / MINUTE_S),
            "spilled": steps.spilled / (self.grid.step_s / MINUTE_S),
            "work_s": steps.work_s / (self.grid.step_s / MINUTE_S),
            "read": reported(self._readings(steps)),
        }
        return {name: np.repeat(each, self.grid.step_s // MINUTE_S) for name, each in values.items()}

    def _steps(self, heard: int) -> Steps:
        return Steps(
            start=self.grid.start,
            step_s=self.grid.step_s,
            work_s=self.settled("work", heard) / 1000,  # milliseconds
            arrivals=self.settled("arrivals", heard),
            throttles=self.settled("throttles", heard),
            peak=self.settled("peak", heard),
            spilled=self._spilled(),
        )

    def _spilled(self) -> FloatArray:
        """Where provisioned concurrency was in use and no spillover reported, there was none."""
        answer, used = self._answers["spilled"], ~np.isnan(self.raw("in_use"))
        return np.where(np.isnan(answer.values) & used & answer.complete, 0.0, answer.values)

    def _peak(self, steps: Steps) -> FloatArray:
        if self.grid.step_s == MINUTE_S:
            return steps.peak
        return np.where(steps.peak == 0, 0.0, np.nan)

    def _readings(self, steps: Steps) -> Readings:
        of_capacity = ("in_use", "utilization", "spilled")
        return Readings(
            invocations=steps.arrivals,
            in_use=self.raw("in_use"),
            utilization=self.raw("utilization"),
            spilled=steps.spilled,
            complete=all(self._answers[name].complete for name in of_capacity),
        )


# --- all of them -----------------------------------------------------------------------------------------------------


def _joined(parts: Sequence[_Part], *, heard: int) -> Recorded:
    """The parts one after the other, oldest first."""
    by_part = [part.minutes(heard) for part in parts]
    whole = {name: np.concatenate([minutes[name] for minutes in by_part]) for name in by_part[0]}
    ran = (whole["invocations"] > 0) & (whole["work_s"] > 0)
    count = float(whole["invocations"][ran].sum())
    return Recorded(
        trace=Trace(parts[0].grid.start, whole["demand"], whole["arrivals_per_s"], whole["peak"]),
        invocations=whole["invocations"],
        spilled=whole["spilled"],
        read=whole["read"],
        grids=tuple(part.grid for part in parts),
        duration_s=float(whole["work_s"][ran].sum()) / count if count else np.nan,
        partial=tuple(dict.fromkeys(name for part in parts for name in part.partial)),
    )
