"""Reads real traffic from files (`timestamp,concurrency`, one row a minute) and cuts a past and a day out of each.

Reads the files it is given; writes nothing. Time is shifted by whole weeks, so weekdays and times of day stay what
they were.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from demo.traffic import DAY_MINUTES, DAY_S, MINUTE_S, InputError, Traffic, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from warmcast.model import FloatArray

HEADER = "timestamp,concurrency"
LEAST_PAST_DAYS = 7
MOST_PAST_DAYS = 14
WEEK_S = 7 * DAY_S
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """One file: demand of every minute from its first row to its last; a missing row is NaN.

    Args:
        start: epoch seconds of the first minute.
        demand: mean executions in progress per minute.
    """

    name: str
    start: int
    demand: FloatArray

    def first_minute_of_last(self, weekday: int) -> int | None:
        """Index at which the last whole day (UTC) of that weekday begins, with a week or more before; None: no such."""
        end = self.start + len(self.demand) * MINUTE_S
        midnight = end // DAY_S * DAY_S - DAY_S
        # The epoch began on a Thursday, weekday 3.
        midnight -= (midnight // DAY_S + 3 - weekday) % 7 * DAY_S
        first = (midnight - self.start) // MINUTE_S
        return first if first >= LEAST_PAST_DAYS * DAY_MINUTES else None


def read_folder(folder: Path) -> list[Trace]:
    """Every trace of a folder, by name; raises UsageError where there is no folder, or no such file in it."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    paths = sorted(path for path in folder.iterdir() if path.name.endswith((".csv", ".csv.gz")))
    traces = [trace for path in paths if (trace := read_trace(path)) is not None]
    if not traces:
        raise UsageError(f"{folder}: no file <name>.csv or <name>.csv.gz with the columns {HEADER}")
    return traces


def read_trace(path: Path) -> Trace | None:
    """The trace in a file, or None if its header says that it holds something else."""
    lines = _lines(path)
    columns = lines[0].split(",") if lines else []
    if columns[:2] != HEADER.split(","):
        return None
    rows = lines[1:]
    if not rows:
        raise InputError(f"{path}: line 2: no row after the header")
    try:
        minutes, values = _columns(rows)
    except ValueError:
        raise _first_bad_row(path, rows) from None
    if (np.diff(minutes) <= 0).any() or not (np.isfinite(values) & (values >= 0)).all():
        raise _first_bad_row(path, rows)
    demand = np.full(int(minutes[-1] - minutes[0]) + 1, np.nan)
    demand[minutes - minutes[0]] = values
    return Trace(path.name.removesuffix(".gz").removesuffix(".csv"), int(minutes[0]) * MINUTE_S, demand)


def _lines(path: Path) -> list[str]:
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return data.decode("utf-8").splitlines()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: can't be read: {error}") from error


def _columns(rows: Sequence[str]) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], FloatArray]:
    """Minutes since the epoch and demand of the rows; raises ValueError where one is not of the format."""
    cells = [row.split(",") for row in rows]
    minutes = np.array([_plain_utc(cell[0]) for cell in cells], dtype="datetime64[s]").astype(np.int64) // MINUTE_S
    return minutes, np.array([float(cell[1]) if len(cell) > 1 else np.nan for cell in cells])


def _plain_utc(stamp: str) -> str:
    """`2014-05-14T01:10Z` without its Z, which numpy does not take; raises ValueError if it has none."""
    if not stamp.endswith("Z"):
        raise ValueError(stamp)
    return stamp[:-1]


def _first_bad_row(path: Path, rows: Sequence[str]) -> InputError:
    """What is wrong, and in which line: looked for only after the fast way has failed."""
    before: int | None = None
    for number, row in enumerate(rows, start=2):
        try:
            minutes, values = _columns([row])
        except ValueError:
            return InputError(f"{path}: line {number}: {row!r} is not `2014-05-14T01:10Z,12.5`")
        if not (np.isfinite(values[0]) and values[0] >= 0):
            return InputError(f"{path}: line {number}: {row!r}: concurrency must be a number, 0 or more")
        if before is not None and minutes[0] <= before:
            return InputError(f"{path}: line {number}: {row!r} is not later than the row before")
        before = int(minutes[0])
    return InputError(f"{path}: rows of different forms")


def choose_weekday(traces: Sequence[Trace]) -> int:
    """The weekday that most traces can play with a week or more before it.

    All targets share one clock, so all play the same weekday. Among equals a working day, then the one with the longest
    past. Raises UsageError if no trace is long enough.
    """

    def worth(weekday: int) -> tuple[int, bool, int]:
        firsts = [first for trace in traces if (first := trace.first_minute_of_last(weekday)) is not None]
        return len(firsts), weekday < 5, sum(min(first, MOST_PAST_DAYS * DAY_MINUTES) for first in firsts)

    best = max(range(7), key=worth)
    if worth(best)[0] == 0:
        raise UsageError(f"no trace has a whole day (UTC) with {LEAST_PAST_DAYS} days before it")
    return best


def cut(trace: Trace, *, day: datetime) -> Traffic | None:
    """The trace's last day of `day`'s weekday and up to 14 days before it, moved to `day`; None if it is too short."""
    first = trace.first_minute_of_last(day.weekday())
    if first is None:
        return None
    past = min(first, MOST_PAST_DAYS * DAY_MINUTES)
    demand = trace.demand[first - past : first + DAY_MINUTES]
    if np.nan_to_num(demand).max() <= 0:
        return None
    return Traffic(trace.name, int(day.timestamp()) - past * MINUTE_S, demand, past)


def day_for(weekday: int, *, not_before: datetime) -> datetime:
    """The first midnight (UTC) of that weekday at or after an instant."""
    midnight = not_before.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if midnight < not_before:
        midnight += timedelta(days=1)
    return midnight + timedelta(days=(weekday - midnight.weekday()) % 7)


def choose_diverse(traffic: Sequence[Traffic], count: int) -> list[Traffic]:
    """Up to `count` of the traffic, of characters as different as can be, in the order given.

    Traffic that keeps less than one execution busy on the day is left aside while there is enough other. Starts from
    the one whose day differs most from its night, then adds the one farthest from all taken so far.
    """
    if len(traffic) <= count:
        return list(traffic)
    busy = [one for one in traffic if np.nan_to_num(one.demand[one.past :]).mean() >= 1]
    rest = [one for one in traffic if np.nan_to_num(one.demand[one.past :]).mean() < 1]
    pool = busy if len(busy) >= count else busy + rest[: count - len(busy)]
    features = np.array([_character(one) for one in pool])
    features = (features - features.mean(axis=0)) / np.maximum(features.std(axis=0), 1e-9)
    taken = [int(np.argmax(features[:, 0]))]
    while len(taken) < count:
        distance = np.min(np.linalg.norm(features[:, np.newaxis] - features[taken], axis=2), axis=1)
        taken.append(int(np.argmax(distance)))
    return [pool[index] for index in sorted(taken)]


def _character(traffic: Traffic) -> tuple[float, float, float]:
    """Swing of the day, burstiness within the hours, and size (as a logarithm)."""
    hours = np.nan_to_num(traffic.demand[traffic.past :]).reshape(24, 60)
    means = hours.mean(axis=1)
    level = max(float(means.mean()), 1e-9)
    burst = float(np.mean(hours.std(axis=1))) / level
    return float(means.max() - means.min()) / level, min(burst, 3.0), float(np.log10(level + 0.1))
