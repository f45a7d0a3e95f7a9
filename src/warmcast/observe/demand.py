"""Demand of all targets: keeps their records between ticks, asks CloudWatch for what is due, hands out histories.

Edge, read only: it calls `Metrics` and nothing else. What is due, and what an answer means, is said by `polling` and
`history`, which are pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from warmcast.aws.metrics import Answer, Completeness, Grid, Query
from warmcast.errors import AwsError
from warmcast.model import Fault, FaultKind, History
from warmcast.observe import history as keeping
from warmcast.observe.faults import fault_of
from warmcast.observe.history import COARSE_S, LEARNED_FROM, REACH_S, STEP_S, Record, newest_end
from warmcast.observe.polling import METRICS, Ask, Attention, Polling, asks, weeks_query, window, windows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from warmcast.model import TargetId

WEEKS_PER_TICK: Final = 50
"""The past weeks are read for as many targets in a tick as one learns: to read more would save no tick."""

WEEKS_AGAIN_S: Final = 900
"""After a partial answer about the past weeks they are asked for again no sooner than this."""

REGION_EVERY_TICKS: Final = 3

REGION_KEPT_S: Final = 6 * 3600
"""What the Region was last known to use stands this long where it can't be read again."""

REGION: Final = Query("UnreservedConcurrentExecutions", "Maximum")


class Reads(Protocol):
    """What is needed of `warmcast.aws.metrics.Metrics`."""

    def read(
        self, queries: Sequence[Query], grid: Grid, *, in_time: Callable[[], bool]
    ) -> list[Answer | AwsError | None]:
        """Each query's answer in order, the error that its call met, or None where time was up before."""


class Shared(StrEnum):
    """Series that belong to no target."""

    HEARTBEAT = "heartbeat"  # our own invocations: a minute at or after which AWS did report
    REGION = "region"  # what functions without a reservation use, for the account's limits


@dataclass(frozen=True, slots=True)
class _Got:
    """One answer: to what, over which minutes."""

    item: Ask | Shared
    grid: Grid
    answer: Answer | AwsError | None


class Demand:
    """The records of all targets, kept across the ticks of a warm environment.

    Args:
        reads: CloudWatch.
        own_function: Warmcast's own function, whose `Invocations` are the heartbeat; empty on a laptop, where any other
            series that reports serves.
        polling: how often each series is read.
        weeks_per_tick: for how many targets the past weeks are read in one tick at most.
        tick_s: seconds between ticks.
    """

    def __init__(
        self,
        reads: Reads,
        *,
        own_function: str = "",
        polling: Polling | None = None,
        weeks_per_tick: int = WEEKS_PER_TICK,
        tick_s: int = 300,
    ) -> None:
        self._reads = reads
        self._own_function = own_function
        self._polling = polling or Polling()
        self._weeks_per_tick = weeks_per_tick
        self._tick_s = tick_s
        self._records: dict[TargetId, Record] = {}
        self._faults: dict[TargetId, Fault] = {}
        self._weeks_tried: dict[TargetId, int] = {}
        self._reported_until = 0
        self._region_read_at = 0
        self._region_known_at = 0
        self._others_in_use: float | None = None
        self.region_fault: Fault | None = None

    def record(self, target: TargetId, *, now_s: int) -> Record:
        """What is known of a target; a new record where nothing is, or where it is too old to be continued."""
        record = self._records.get(target)
        if record is None or newest_end(now_s) - record.fine_end > REACH_S:
            return keeping.begun(now_s)
        return record

    def read_minutes(
        self, attentions: Mapping[TargetId, Attention], *, now_s: int, in_time: Callable[[], bool]
    ) -> None:
        """Read what is due of these targets' newest minutes: at first, and after a pause, of the last 3 hours.

        Records that this tick does not touch are kept (it may be one for a single target) until they are too old to be
        continued.
        """
        self._faults = {}
        self._records = {t: kept for t, kept in self._records.items() if self.record(t, now_s=now_s) is kept}
        self._records |= {target: self.record(target, now_s=now_s) for target in attentions}
        due = [
            ask
            for target, attention in attentions.items()
            for ask in asks(
                target,
                self._records[target],
                attention,
                polling=self._polling,
                now_s=now_s,
                tick_s=self._tick_s,
            )
        ]
        due.sort(key=lambda ask: ask.measure)  # work first, should time run out
        got = self._ask(due, now_s=now_s, in_time=in_time)
        self._hear(got)
        for one in got:
            if isinstance(one.item, Ask):
                self._absorb(one.item, one.grid, one.answer, now_s=now_s)
            elif one.item is Shared.REGION:
                self._absorb_region(one.grid, one.answer, now_s=now_s)
        for target, record in self._records.items():  # one by one, so that the old weeks are let go on the way
            self._records[target] = keeping.folded(record, now_s=now_s)

    def read_weeks(self, order: Iterable[TargetId], *, now_s: int, in_time: Callable[[], bool]) -> None:
        """Read the past weeks of targets that lack them, in that order, `weeks_per_tick` at most.

        Work by the minute, the rest by the step. A target's four series, work first, follow each other, so that a call
        of 100,800 datapoints holds three whole targets: time that runs out leaves none half read.
        """
        lacking = [t for t in order if not self._records[t].loaded and t not in self._faults]
        waiting = [t for t in lacking if now_s - self._weeks_tried.get(t, 0) >= WEEKS_AGAIN_S][: self._weeks_per_tick]
        start = (now_s - COARSE_S) // STEP_S * STEP_S
        by_end: dict[int, list[TargetId]] = {}
        for target in waiting:
            by_end.setdefault(self._records[target].coarse_start, []).append(target)
        for end, targets in by_end.items():
            grid = Grid(start, end, STEP_S)
            answers = self._reads.read(
                [weeks_query(t, m) for t in targets for m in LEARNED_FROM], grid, in_time=in_time
            )
            for n, target in enumerate(targets):
                four = answers[n * len(LEARNED_FROM) : (n + 1) * len(LEARNED_FROM)]
                self._absorb_weeks(target, grid, four, now_s=now_s)

    def histories(self, targets: Iterable[TargetId], *, now_s: int) -> dict[TargetId, History | Fault]:
        """Each target's history, or the fault that this tick's reads of it met."""
        until = newest_end(now_s)
        return {t: self._faults.get(t) or keeping.history(self._records[t], until=until) for t in targets}

    def see_existing(self, targets: Iterable[TargetId], *, now_s: int) -> None:
        """Take note of targets that the control plane knows: from now on their silence is history too."""
        for target in targets:
            self._records[target] = keeping.seen_to_exist(self._records[target], now_s=now_s)

    def others_in_use(self, *, now_s: int) -> float | None:
        """The most that functions without a reservation used within an hour; None where it was not known lately."""
        return self._others_in_use if now_s - self._region_known_at <= REGION_KEPT_S else None

    def _ask(self, due: Sequence[Ask], *, now_s: int, in_time: Callable[[], bool]) -> list[_Got]:
        """Ask for everything that is due, one window after the other, the shortest (and most urgent) first."""
        groups: dict[Grid, list[Ask | Shared]] = {}
        for grid, group in windows(due, now_s=now_s).items():
            groups.setdefault(grid, []).extend(group)
        for item, grid in self._shared(now_s=now_s):
            groups.setdefault(grid, []).insert(0, item)
        got = []
        for grid, items in sorted(groups.items(), key=lambda pair: len(pair[0])):
            answers = self._reads.read([self._query(item) for item in items], grid, in_time=in_time)
            got += [_Got(item, grid, answer) for item, answer in zip(items, answers, strict=True)]
        return got

    def _shared(self, *, now_s: int) -> list[tuple[Shared, Grid]]:
        """The heartbeat over two ticks and its delay; the Region's use over an hour, every third tick."""
        shared = []
        if self._own_function:
            shared.append((Shared.HEARTBEAT, window(max(15, 2 * self._tick_s // 60 + 5), now_s=now_s)))
        if now_s - self._region_read_at >= (REGION_EVERY_TICKS - 0.5) * self._tick_s:
            shared.append((Shared.REGION, window(60, now_s=now_s)))
        return shared

    def _query(self, item: Ask | Shared) -> Query:
        if isinstance(item, Ask):
            return item.query
        if item is Shared.HEARTBEAT:
            return Query("Invocations", "Sum", function=self._own_function)
        return REGION

    def _hear(self, got: Sequence[_Got]) -> None:
        """Note up to when any series of the account and Region has reported."""
        for one in got:
            if isinstance(one.answer, Answer):
                self._reported_until = max(self._reported_until, keeping.newest_report(one.answer.values, one.grid))

    def _absorb(self, ask: Ask, grid: Grid, answer: Answer | AwsError | None, *, now_s: int) -> None:
        target, record = ask.target, self._records[ask.target]
        fault = _fault(answer)
        if fault is not None:
            self._faults.setdefault(target, fault)
            return
        if not isinstance(answer, Answer):
            self._records[target] = replace(record, partial=record.partial | {ask.measure})
            return
        values = keeping.settled(
            answer.values / METRICS[ask.measure].per_unit,
            grid,
            complete=answer.complete,
            now_s=now_s,
            reported_until=self._reported_until,
        )
        record = keeping.with_minutes(record, ask.measure, values, grid=grid, now_s=now_s)
        record = keeping.seen_first(record, keeping.first_datapoint(answer.values, grid))
        partial = record.partial - {ask.measure} if answer.complete else record.partial | {ask.measure}
        self._records[target] = replace(record, partial=partial)

    def _absorb_weeks(
        self, target: TargetId, grid: Grid, answers: Sequence[Answer | AwsError | None], *, now_s: int
    ) -> None:
        """Take in the past weeks if all four series are here whole; else they are asked for again."""
        faults = [fault for fault in map(_fault, answers) if fault is not None]
        if faults:
            self._faults.setdefault(target, faults[0])
            return
        series = [answer for answer in answers if isinstance(answer, Answer)]
        if len(series) < len(answers):
            return
        if not all(answer.complete for answer in series):
            self._weeks_tried[target] = now_s
            return
        self._weeks_tried.pop(target, None)
        grids = [grid.of(weeks_query(target, measure)) for measure in LEARNED_FROM]
        reports = (keeping.newest_report(answer.values, each) for answer, each in zip(series, grids, strict=True))
        heard = max(self._reported_until, *reports)
        work_s, *others = (
            keeping.settled(
                answer.values / METRICS[measure].per_unit, each, complete=True, now_s=now_s, reported_until=heard
            )
            for measure, each, answer in zip(LEARNED_FROM, grids, series, strict=True)
        )
        record = keeping.with_weeks(self._records[target], work_s, np.stack(others), now_s=now_s)
        for answer, each in zip(series, grids, strict=True):
            record = keeping.seen_first(record, keeping.first_datapoint(answer.values, each))
        self._records[target] = record

    def _absorb_region(self, grid: Grid, answer: Answer | AwsError | None, *, now_s: int) -> None:
        """What functions without a reservation used; where it was not answered whole, what was known stands."""
        self.region_fault = _fault(answer)
        if self.region_fault is not None:
            return
        if not isinstance(answer, Answer) or not answer.complete:
            said = (
                f"{answer.completeness}: {answer.message}" if isinstance(answer, Answer) else "no time was left for it"
            )
            self.region_fault = Fault(FaultKind.AWS, f"GetMetricData: {REGION.metric}: {said}")
            return
        self._region_read_at = now_s
        values = keeping.settled(answer.values, grid, complete=True, now_s=now_s, reported_until=self._reported_until)
        known = values[~np.isnan(values)]
        if known.size:
            self._others_in_use, self._region_known_at = float(known.max()), now_s
        elif self.others_in_use(now_s=now_s) is None:  # complete, and nobody reports: an idle Region seen from a laptop
            self._others_in_use, self._region_known_at = 0.0, now_s


def _fault(answer: Answer | AwsError | None) -> Fault | None:
    """What an answer says of the whole series: refused, or not; a partial or late one is no fault."""
    if isinstance(answer, AwsError):
        return fault_of(answer)
    if answer is not None and answer.completeness is Completeness.FORBIDDEN:
        return Fault(FaultKind.DENIED, f"GetMetricData: Forbidden: {answer.message or '(no message)'}")
    return None
