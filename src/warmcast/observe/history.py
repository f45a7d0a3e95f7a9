"""What is known of one target's demand between two ticks, and how new answers change it. Pure.

A `Record` is never changed in place: every function here returns a new one, and histories are handed out as read-only
arrays. Minutes older than FINE_S fold into 5-minute steps; a missing minute counts as zero only by the rule of
`settled`. Of the past weeks the demand of each minute is kept as well, for LEARN_WITHIN_S: it is learned from once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from warmcast.model import History, Series

if TYPE_CHECKING:
    from warmcast.aws.metrics import Grid
    from warmcast.model import FloatArray

MINUTE_S: Final = 60
STEP_S: Final = 300
STEP_MINUTES: Final = STEP_S // MINUTE_S
HOUR_S: Final = 3600
FINE_S: Final = 6 * HOUR_S
"""Minutes are kept at least this long; they fold an hour's worth at a time."""

LEARN_WITHIN_S: Final = 1800
"""The minutes of past weeks (80 KB a target) are kept this long: a target is learned in the tick that reads them, or in
one of the next where others come before it."""

COARSE_S: Final = 14 * 24 * HOUR_S
REACH_S: Final = 3 * HOUR_S
"""How far back minutes are asked for: at a cold start, and after ticks were missed. Beyond it a record starts again."""

SETTLE_S: Final = 120
"""A minute is asked for once it has ended this long ago: the last two are never complete."""

ZERO_AFTER_S: Final = 180
"""Age of a minute's end from which a missing datapoint can mean zero (CloudWatch is 2-3 minutes late)."""


class Measure(IntEnum):
    """The series read of each target; the value is its row in a record's arrays."""

    WORK = 0
    ARRIVALS = 1
    THROTTLES = 2
    PEAK = 3
    SPILLED = 4


LEARNED_FROM: Final = (Measure.WORK, Measure.ARRIVALS, Measure.THROTTLES, Measure.PEAK)
"""What the past weeks are read for: the rows of `Record.coarse`. Nothing is learned from old spillover."""

FOLLOWS_WORK: Final = (Measure.ARRIVALS, Measure.PEAK, Measure.SPILLED)
"""What a minute without work has none of: each invocation adds a sample to Duration and to these at the same minute
(monitoring-metrics-view: the timestamp is that of the invocation). Throttled invocations leave no work."""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One target's demand as far as it is known. Instants in epoch seconds, starts are multiples of 300.

    Args:
        fine: minutes from `fine_start`, shape (5, minutes), rows by `Measure`; NaN: not known.
        coarse: 5-minute steps that end at `fine_start`, shape (4, steps), rows LEARNED_FROM.
        weeks: demand of each minute of the coarse steps, float32, shape (5 x steps,); empty where it is not kept.
        weeks_at: when the past weeks were read; 0 if never.
        first: where its history begins; None where it has not begun. That is the start of the first step that ever had
            a datapoint, or `exists_from` an hour later, whichever is earlier. Zeros before it are no history and are
            not handed out: the alias may not have existed.
        exists_from: end of the newest minute when its alias was first seen to exist; None where it never was.
        active_until: end of the newest minute with work; 0 if none is known.
        throttled_until: end of the newest minute with throttles; 0 if none is known.
        resume: per measure, up to where its minutes are known without a hole: the next read starts from there.
        read_at: per measure, when it was last answered; 0 if never.
        partial: measures whose last answer was partial, or that were due and could not be asked.
    """

    fine_start: int
    fine: FloatArray
    coarse: FloatArray
    weeks: FloatArray = field(default_factory=lambda: np.empty(0, dtype=np.float32))
    weeks_at: int = 0
    first: int | None = None
    exists_from: int | None = None
    active_until: int = 0
    throttled_until: int = 0
    resume: tuple[int, ...] = (0,) * len(Measure)
    read_at: tuple[int, ...] = (0,) * len(Measure)
    partial: frozenset[Measure] = frozenset()

    @property
    def loaded(self) -> bool:
        """Whether the past weeks were read."""
        return self.weeks_at > 0

    @property
    def fine_end(self) -> int:
        """End of the last minute held."""
        return self.fine_start + MINUTE_S * len(self.fine[0])

    @property
    def coarse_start(self) -> int:
        """Start of the first 5-minute step held."""
        return self.fine_start - STEP_S * len(self.coarse[0])


def newest_end(now_s: int) -> int:
    """End of the newest minute worth asking for."""
    return (now_s - SETTLE_S) // MINUTE_S * MINUTE_S


def begun(now_s: int) -> Record:
    """A record that knows nothing yet; its minutes will start at the first whole step that a first read reaches."""
    start = -(-(newest_end(now_s) - REACH_S) // STEP_S) * STEP_S
    return Record(fine_start=start, fine=np.empty((len(Measure), 0)), coarse=np.empty((len(LEARNED_FROM), 0)))


def settled(values: FloatArray, grid: Grid, *, complete: bool, now_s: int, reported_until: int) -> FloatArray:
    """Answered steps with every missing one that is certainly idle set to zero; the others stay NaN: gaps.

    A missing step is zero if it ended 3 minutes ago or earlier, the answer was complete, and some series of the account
    and Region reported at or after it (`reported_until`: the end of the newest minute that any of them reported).

    At 12:00, with the heartbeat's newest minute 11:55 (it ends at 11:56), complete:

    | minute | ended    | answered | settled                                  |
    | ------ | -------- | -------- | ---------------------------------------- |
    | 11:54  | 11:55    | nothing  | 0                                        |
    | 11:55  | 11:56    | nothing  | 0                                        |
    | 11:56  | 11:57    | nothing  | NaN: nothing else reported since         |
    | 11:56  | 11:57    | 3.5      | 3.5                                      |
    | 11:57  | 11:58    | nothing  | NaN: it may still come                   |
    """
    if not complete:
        return values
    ends = grid.start + grid.step_s * np.arange(1, len(grid) + 1)
    idle = np.isnan(values) & (ends <= now_s - ZERO_AFTER_S) & (ends <= reported_until)
    return np.where(idle, 0.0, values)


def first_datapoint(values: FloatArray, grid: Grid) -> int | None:
    """Start of the first step that CloudWatch had a datapoint for; None if it had none."""
    present = np.flatnonzero(~np.isnan(values))
    return grid.start + grid.step_s * int(present[0]) if present.size else None


def newest_report(values: FloatArray, grid: Grid) -> int:
    """End of the newest minute that certainly had a datapoint, 0 if none; of a longer step only its start is sure."""
    present = np.flatnonzero(~np.isnan(values))
    if not present.size:
        return 0
    start = grid.start + grid.step_s * int(present[-1])
    return start + MINUTE_S if grid.step_s == MINUTE_S else start


def with_minutes(record: Record, measure: Measure, values: FloatArray, *, grid: Grid, now_s: int) -> Record:
    """The record with a measure's minutes read anew: what is known now replaces what was, a gap erases nothing.

    Args:
        record: as it was.
        measure: whose minutes.
        values: settled minutes over the grid; those before the record's start are left out.
        grid: minutes.
        now_s: when they were answered.
    """
    fine = _reaching(record, grid.end)
    skip = max(0, (record.fine_start - grid.start) // MINUTE_S)
    at = (grid.start - record.fine_start) // MINUTE_S + skip
    row = fine[measure, at : at + len(grid) - skip]
    row[:] = np.where(np.isnan(values[skip:]), row, values[skip:])
    holes = np.flatnonzero(np.isnan(row))
    known_until = record.fine_start + MINUTE_S * (at + int(holes[0]) if holes.size else at + len(row))
    newest = _newest_positive(values, grid)
    return replace(
        record,
        fine=fine,
        resume=_with(record.resume, measure, known_until),
        read_at=_with(record.read_at, measure, now_s),
        active_until=max(record.active_until, newest) if measure is Measure.WORK else record.active_until,
        throttled_until=max(record.throttled_until, newest) if measure is Measure.THROTTLES else record.throttled_until,
    )


def with_weeks(record: Record, work_s: FloatArray, others: FloatArray, *, now_s: int) -> Record:
    """The record with the past weeks read: settled, and up to where its coarse steps start.

    Steps that it has already were folded from minutes that are gone: their mean stands for each of these.

    Args:
        record: as it was.
        work_s: of each minute, shape (5 x steps,).
        others: 5-minute steps, shape (3, steps), rows LEARNED_FROM but work.
        now_s: when they were answered.
    """
    rows = np.concatenate([_by_step(work_s).sum(axis=1)[None], others])
    coarse = np.concatenate([_idle_filled(rows), record.coarse], axis=1)
    minutes = np.concatenate([work_s, np.repeat(record.coarse[Measure.WORK] / STEP_MINUTES, STEP_MINUTES)])
    demand = _series(0, STEP_S, coarse).demand_by_minute(minutes)
    return replace(record, coarse=coarse, weeks=demand.astype(np.float32), weeks_at=now_s)


def seen_first(record: Record, first: int | None) -> Record:
    """The record with another claim on when its first datapoint was."""
    if first is None or (record.first is not None and record.first <= first):
        return record
    return replace(record, first=first)


def seen_to_exist(record: Record, *, now_s: int) -> Record:
    """The record of an alias that the control plane knows: an hour later its history begins with this look.

    An alias without a datapoint in two weeks may be as old as they are or a minute: AWS does not say when an alias was
    made. So no zero before this look is certain, and every later one is, by the rule of `settled`. It counts from when
    its work was answered whole, for a partial answer may lack datapoints that are there; and an hour of it is needed,
    because a few idle minutes say little of an alias that was made a moment ago.
    """
    if not record.read_at[Measure.WORK] or Measure.WORK in record.partial:
        return record
    newest = newest_end(now_s)
    if record.exists_from is None:
        return replace(record, exists_from=newest)
    return seen_first(record, record.exists_from) if newest - record.exists_from >= HOUR_S else record


def folded(record: Record, *, now_s: int) -> Record:
    """The record with its minutes folded into 5-minute steps once they reach back an hour beyond FINE_S.

    Sums add up and the peak is the highest; a step with a minute that is not known is not known. The minutes of the
    past weeks are let go when their time is over; until then nothing folds, for they are those of the coarse steps.
    """
    if len(record.weeks) and now_s - record.weeks_at < LEARN_WITHIN_S:
        return record
    record = replace(record, weeks=np.empty(0, dtype=np.float32)) if len(record.weeks) else record
    keep_from = (now_s - FINE_S) // STEP_S * STEP_S
    if record.fine_start > keep_from - HOUR_S or record.fine_end < keep_from:
        return record
    minutes = (keep_from - record.fine_start) // MINUTE_S
    old = _by_step(_idle_filled(record.fine[: len(LEARNED_FROM), :minutes]))
    steps = old.sum(axis=2)
    steps[Measure.PEAK] = old[Measure.PEAK].max(axis=1)
    spare = max(0, record.coarse.shape[1] + steps.shape[1] - COARSE_S // STEP_S)
    coarse = np.concatenate([record.coarse, steps], axis=1)[:, spare:]
    return replace(record, fine_start=keep_from, fine=record.fine[:, minutes:].copy(), coarse=coarse)


def history(record: Record, *, until: int) -> History:
    """What is known, as the brain takes it: from where its history begins to `until`, gaps NaN.

    Args:
        record: the target's record.
        until: end of the newest minute that could be known; minutes that were not read yet are NaN up to it.
    """
    fine = _idle_filled(_reaching(record, until))
    if record.first is None:
        nothing = Series.empty(record.fine_end, MINUTE_S)
        return History(
            Series.empty(record.fine_end, STEP_S), nothing, complete=not record.partial, weeks_read=record.loaded
        )
    late = max(0, (record.first - record.fine_start) // MINUTE_S)
    early = min(len(record.coarse[0]), max(0, (record.first - record.coarse_start) // STEP_S))
    return History(
        _series(record.coarse_start + STEP_S * early, STEP_S, record.coarse[:, early:]),
        _series(record.fine_start + MINUTE_S * late, MINUTE_S, fine[:, late:]),
        complete=not record.partial,
        weeks_read=record.loaded,
        minutes=_read_only(record.weeks[STEP_MINUTES * early :]),
    )


def _by_step(minutes: FloatArray) -> FloatArray:
    """Minutes by the 5-minute step that they are in, the last axis made two: (..., steps, 5)."""
    return minutes.reshape(*minutes.shape[:-1], -1, STEP_MINUTES)


def _read_only(array: FloatArray) -> FloatArray:
    array.flags.writeable = False
    return array


def _series(start: int, step_s: int, rows: FloatArray) -> Series:
    """Rows by `Measure` as a series of read-only views; measures that have no row were not read."""
    rows = _read_only(rows)
    unread = np.broadcast_to(np.nan, rows.shape[1])
    return Series(
        start=start,
        step_s=step_s,
        work_s=rows[Measure.WORK],
        arrivals=rows[Measure.ARRIVALS],
        throttles=rows[Measure.THROTTLES],
        peak=rows[Measure.PEAK],
        spilled=rows[Measure.SPILLED] if len(rows) > Measure.SPILLED else unread,
    )


def _reaching(record: Record, end: int) -> FloatArray:
    """A copy of the minutes, longer by unknown ones where they end before `end`."""
    missing = max(0, (end - record.fine_end) // MINUTE_S)
    return np.pad(record.fine, ((0, 0), (0, missing)), constant_values=np.nan)


def _idle_filled(rows: FloatArray) -> FloatArray:
    """A copy in which steps without work have no arrivals, no peak and no spillover either, though nobody read them."""
    filled = rows.copy()
    idle = rows[Measure.WORK] == 0
    for measure in FOLLOWS_WORK:
        if measure < len(rows):
            filled[measure, idle & np.isnan(rows[measure])] = 0.0
    return filled


def _newest_positive(values: FloatArray, grid: Grid) -> int:
    positive = np.flatnonzero(values > 0)
    return grid.start + grid.step_s * (int(positive[-1]) + 1) if positive.size else 0


def _with(values: tuple[int, ...], measure: Measure, value: int) -> tuple[int, ...]:
    return (*values[:measure], value, *values[measure + 1 :])
