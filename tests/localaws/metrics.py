"""CloudWatch's metrics as numpy arrays: one row of statistics per minute and series, indexed by time.

Keeps what a minute's samples add up to (sum, count, minimum, maximum) and gives any Period back from it. Knows the
data delay, late revisions and retention; knows no wire format. Minutes are epoch minutes; NaN or a count of 0: no data.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

STATISTICS = ("Sum", "Average", "Maximum", "Minimum", "SampleCount")
_PARTS = ("sum", "count", "minimum", "maximum")


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """What identifies a series: its dimensions match exactly or not at all."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def of(namespace: str, name: str, dimensions: Mapping[str, str]) -> SeriesKey:
        """A key with its dimensions in order."""
        return SeriesKey(namespace, name, tuple(sorted(dimensions.items())))


@dataclass(slots=True)
class Minutes:
    """Consecutive minutes of one series. A part left out (None) follows from the others.

    Args:
        start: the first minute (epoch minutes).
        sum, count, minimum, maximum: of the samples in each minute. Without a count, each minute with data is one
            sample; without minimum and maximum, both are the mean; without a sum, it is maximum x count.
        own: whether every part is there and nobody else's, so that it may be written.
    """

    start: int
    sum: FloatArray | None = None
    count: FloatArray | None = None
    minimum: FloatArray | None = None
    maximum: FloatArray | None = None
    own: bool = field(default=False, init=False)

    @property
    def length(self) -> int:
        """How many minutes."""
        return next((len(part) for part in (self.sum, self.maximum, self.count, self.minimum) if part is not None), 0)

    def part(self, first: int, last: int) -> Minutes:
        """The minutes in [first, last), every part filled in; those it does not hold are not there."""
        cut = slice(max(0, first - self.start), max(0, min(self.length, last - self.start)))
        pieces = {name: None if (whole := getattr(self, name)) is None else whole[cut] for name in _PARTS}
        return Minutes(max(first, self.start), **pieces).filled()

    def filled(self) -> Minutes:
        """The same with every part there, and a count of 0 where there is no data."""
        base = self.sum if self.sum is not None else self.maximum
        if base is None:
            raise ValueError("a series needs a sum or a maximum")
        count = np.ones(len(base)) if self.count is None else self.count
        known = (count > 0) & ~np.isnan(base)
        count = np.where(known, count, 0.0)
        total = base if self.sum is not None else base * count
        mean = np.divide(total, count, out=np.full(len(base), np.nan), where=known)
        minimum = mean if self.minimum is None else self.minimum
        maximum = mean if self.maximum is None else self.maximum
        return Minutes(self.start, np.where(known, total, 0.0), count, minimum, maximum)

    def covering(self, first: int, last: int) -> Minutes:
        """The same widened to [first, last) and writable, without data in what is new."""
        start, end = min(first, self.start), max(last, self.start + self.length)
        if self.own and start == self.start and end == self.start + self.length:
            return self
        end = max(end, self.start + 2 * self.length) if end > self.start + self.length else end
        filled, at = self.filled(), self.start - start
        pieces = {name: np.zeros(end - start) for name in _PARTS}
        for name in _PARTS:
            pieces[name][at : at + self.length] = getattr(filled, name)
        wide = Minutes(start, **pieces)
        wide.own = True
        return wide


@dataclass(frozen=True, slots=True)
class Sample:
    """What one minute's samples add up to."""

    sum: float
    count: float
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Points:
    """Datapoints of one statistic: ascending epoch seconds and their values."""

    at: IntArray
    values: FloatArray

    def part(self, first: int, last: int) -> Points:
        """The datapoints in [first, last), counted from the start."""
        return Points(self.at[first:last], self.values[first:last])


NO_POINTS = Points(np.empty(0, np.int64), np.empty(0))


@dataclass(order=True)
class _Revision:
    due: datetime
    order: int
    key: SeriesKey = field(compare=False)
    minute: int = field(compare=False)
    sample: Sample = field(compare=False)


_RETENTION = ((60, timedelta(days=15)), (300, timedelta(days=63)), (3600, timedelta(days=455)))


class MetricStore:
    """All series of one place."""

    def __init__(self) -> None:
        self._series: dict[SeriesKey, Minutes] = {}
        self._revisions: list[_Revision] = []
        self._order = itertools.count()
        self._newest: dict[SeriesKey, int | None] = {}

    def __iter__(self) -> Iterator[SeriesKey]:
        return iter(self._series)

    def load(self, key: SeriesKey, minutes: Minutes) -> None:
        """Write consecutive minutes, over whatever was there."""
        held = self._series.get(key)
        self._newest.pop(key, None)
        if held is None:
            self._series[key] = minutes
            return
        first, last = minutes.start, minutes.start + minutes.length
        held, new = held.covering(first, last), minutes.filled()
        for name in _PARTS:
            getattr(held, name)[first - held.start : last - held.start] = getattr(new, name)
        self._series[key] = held

    def add(self, key: SeriesKey, minute: int, sample: Sample) -> None:
        """Add samples to a minute, beside those that are there."""
        held = self._series.get(key)
        there = held.part(minute, minute + 1) if held is not None else None
        if there is not None and there.length and _count(there) > 0:
            sample = _merged(there, sample)
        one = {name: np.array([getattr(sample, name)]) for name in _PARTS}
        self.load(key, Minutes(minute, **one))

    def revise(self, key: SeriesKey, minute: int, sample: Sample, *, due: datetime) -> None:
        """Let a minute read differently from an instant on: CloudWatch revises what it has shown."""
        heapq.heappush(self._revisions, _Revision(due, next(self._order), key, minute, sample))

    def settle(self, now: datetime) -> None:
        """Apply the revisions that are due."""
        while self._revisions and self._revisions[0].due <= now:
            revision = heapq.heappop(self._revisions)
            one = {name: np.array([getattr(revision.sample, name)]) for name in _PARTS}
            self.load(revision.key, Minutes(revision.minute, **one))

    def newest(self, key: SeriesKey) -> int | None:
        """The newest minute that has data; None if none has."""
        if key not in self._newest:
            count = self._series[key].filled().count
            known = np.flatnonzero(count) if count is not None else np.empty(0)
            self._newest[key] = int(self._series[key].start + known[-1]) if known.size else None
        return self._newest[key]

    def read(self, key: SeriesKey, statistic: str, *, start: int, end: int, period: int) -> Points:
        """Datapoints of a statistic in [start, end) epoch seconds, multiples of the period; empty minutes have none."""
        held = self._series.get(key)
        if held is None or end <= start:
            return NO_POINTS
        part = held.part(start // 60, end // 60)
        if not part.length:
            return NO_POINTS
        return _points(part, statistic, period)


def visible_until(now: datetime, delay_s: float) -> int:
    """Epoch seconds before which minutes can be seen: the newest is the one stamped `now - delay`, rounded down."""
    return (int(now.timestamp() - delay_s) // 60 + 1) * 60


def kept_since(now: datetime, period: int) -> int:
    """Epoch seconds since which data of a period is kept: minutes 15 days, 5 minutes 63 days, hours 455 days."""
    kept = next(age for step, age in reversed(_RETENTION) if period % step == 0)
    return int((now - kept).timestamp())


def _count(minutes: Minutes) -> float:
    return float(minutes.count[0]) if minutes.count is not None else 0.0


def _merged(there: Minutes, sample: Sample) -> Sample:
    held = Sample(*(float(getattr(there, name)[0]) for name in _PARTS))
    return Sample(
        held.sum + sample.sum,
        held.count + sample.count,
        min(held.minimum, sample.minimum),
        max(held.maximum, sample.maximum),
    )


def _points(minutes: Minutes, statistic: str, period: int) -> Points:
    """Aggregate filled minutes into periods; the mean is weighted by samples, as it is sum / count."""
    total, count, minimum, maximum = (getattr(minutes, name) for name in _PARTS)
    known = count > 0
    at = (minutes.start + np.flatnonzero(known)) * 60
    bucket, first = np.unique(at // period, return_index=True)
    if not len(bucket):
        return NO_POINTS
    match statistic:
        case "Sum":
            values = np.add.reduceat(total[known], first)
        case "SampleCount":
            values = np.add.reduceat(count[known], first)
        case "Average":
            values = np.add.reduceat(total[known], first) / np.add.reduceat(count[known], first)
        case "Maximum":
            values = np.maximum.reduceat(maximum[known], first)
        case "Minimum":
            values = np.minimum.reduceat(minimum[known], first)
        case _:
            raise ValueError(f"no such statistic: {statistic}")
    return Points(bucket * period, values)
