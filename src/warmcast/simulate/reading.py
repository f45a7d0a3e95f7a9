"""Reads a demand trace from a CSV file, plain or gzipped. Touches the file that it is given, read only.

Two forms, one row a minute, oldest first, each with a column `peak` or without; a missing row is a gap:

    timestamp,concurrency                       2014-05-14T01:10Z,12.5
    timestamp,invocations,duration_ms           2014-05-14T01:10:00+00:00,1500,500

The first row that breaks a rule is refused with its line, its column, the rule and the value.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import re
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from warmcast.errors import TraceError
from warmcast.fleet.findings import Problem, did_you_mean, show
from warmcast.simulate.trace import MINUTE_S, Trace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from warmcast.model import FloatArray

CONCURRENCY = ("timestamp", "concurrency")
INVOCATIONS = ("timestamp", "invocations", "duration_ms")
PEAK = "peak"
FORMS = f"{','.join(CONCURRENCY)} or {','.join(INVOCATIONS)}"

MOST = {"concurrency": 1e6, "peak": 1e6, "invocations": 1e9, "duration_ms": 900_000.0}
"""What is above is a mistake of units: a hundred times what Lambda is known to run, and its longest duration."""

MAY_BE_EMPTY = {PEAK, "duration_ms"}
"""A peak that was not measured, and the duration of a minute without invocations."""

LONGEST_DAYS = 400
"""A row further from the first is a mistyped year, which would be millions of gaps."""

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:00(\.0+)?)?(Z|\+00:00)")
_GZIP = b"\x1f\x8b"


def read_trace(path: Path, *, duration_ms: float) -> Trace:
    """The trace in a file, from its first row to its last.

    Args:
        path: a CSV file, gzipped or not (told by its content).
        duration_ms: mean duration of an execution, where the file gives concurrency only: the rate of arrivals follows.

    Raises:
        TraceError: it can't be read, or a row breaks a rule.
    """
    table = _Table(str(path))
    table.read(_text(path))
    load = table.by_invocations() if "invocations" in table.numbers else table.by_concurrency(duration_ms)
    place = (np.array(table.at, dtype=np.int64) - table.at[0]) // MINUTE_S
    columns = (load.demand, load.arrivals_per_s, table.column(PEAK))
    spread = [np.full(int(place[-1]) + 1, np.nan) for _ in columns]
    for minutes, values in zip(spread, columns, strict=True):
        minutes[place] = values
    return Trace(table.at[0], *spread)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        return (gzip.decompress(content) if content.startswith(_GZIP) else content).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error) as error:
        raise TraceError(f"{path}: can't be read: {error}") from error
    except UnicodeDecodeError as error:
        raise TraceError(f"{path}: can't be read: it is not text in UTF-8: {error.reason}") from error


@dataclass(frozen=True, slots=True, eq=False)
class _Load:
    """Demand and arrivals a second of each row."""

    demand: FloatArray
    arrivals_per_s: FloatArray


@dataclass(slots=True, eq=False)
class _Table:
    """A file's rows as they are read.

    Args:
        line: the line being read, for whoever refuses it.
        at: epoch seconds of each row.
        lines: the line of each row.
        numbers: each row's numbers by column; an empty cell is NaN.
    """

    file: str
    line: int = 1
    at: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    numbers: dict[str, list[float]] = field(default_factory=dict)

    def read(self, text: str) -> None:
        """Header and rows; blank lines are passed over."""
        reader = csv.reader(io.StringIO(text, newline=""))
        try:
            names = self._header(next(reader, []))
            for cells in reader:
                self.line = reader.line_num
                if cells:
                    self._add(names, cells)
        except csv.Error as error:
            self.line = reader.line_num
            raise self.refused("row", "a row of a CSV file", f"not: {error}") from error
        if not self.at:
            raise self.refused("file", "a header and at least one row", "a header alone")

    def column(self, name: str) -> FloatArray:
        """A column's numbers, shape (rows,); all NaN where the file lacks it."""
        return np.array(self.numbers[name]) if name in self.numbers else np.full(len(self.at), np.nan)

    def by_concurrency(self, duration_ms: float) -> _Load:
        """Demand as it stands, and the arrivals that make it (Little's law)."""
        demand = self.column("concurrency")
        return _Load(demand, demand / (duration_ms / 1000))

    def by_invocations(self) -> _Load:
        """Little's law: 1,500 invocations of 500 ms in a minute are 25 a second and 12.5 in progress."""
        rate = self.column("invocations") / MINUTE_S
        duration_s = self.column("duration_ms") / 1000
        unknown = np.flatnonzero((rate > 0) & np.isnan(duration_s))
        if unknown.size:
            self.line = self.lines[int(unknown[0])]
            raise self.refused("duration_ms", "given where there are invocations", show(""))
        demand = np.where(rate > 0, rate * duration_s, 0.0)
        above = np.flatnonzero(demand > MOST["concurrency"])
        if above.size:
            self.line = self.lines[int(above[0])]
            rule = f"so many that at most {MOST['concurrency']:,.0f} executions are in progress"
            raise self.refused("invocations", rule, f"{demand[above[0]]:,.0f} in progress")
        return _Load(demand, rate)

    def refused(self, column: str, rule: str, value: str, hint: str = "") -> TraceError:
        """The error about this line."""
        return TraceError(str(Problem((column,), rule, value, hint).at(self.file, self.line)))

    def _header(self, cells: Sequence[str]) -> list[str]:
        """The names of the columns, checked to be those of one of the two forms."""
        names = [cell.strip() for cell in cells]
        rule, given = f"{FORMS}, {PEAK} or not", show(",".join(names)) if names else "missing"
        if "timestamp" not in names:
            raise self.refused("header", rule, given)
        known = {*CONCURRENCY, *INVOCATIONS, PEAK}
        for name in names:
            if name not in known:
                raise self.refused("header", rule, given, did_you_mean(name, known) or f"leave {name} out")
        if {*names} - {PEAK} not in ({*CONCURRENCY}, {*INVOCATIONS}) or len({*names}) < len(names):
            raise self.refused("header", rule, given)
        self.numbers = {name: [] for name in names if name != "timestamp"}
        return names

    def _add(self, names: Sequence[str], cells: Sequence[str]) -> None:
        if len(cells) != len(names):
            raise self.refused("row", f"{len(names)} cells, as the header has", f"{len(cells)} cells")
        for name, cell in zip(names, cells, strict=True):
            if name == "timestamp":
                self.at.append(self._instant(cell))
            else:
                self.numbers[name].append(self._number(name, cell))
        self.lines.append(self.line)

    def _instant(self, cell: str) -> int:
        """Epoch seconds of a row, which must come after those before it."""
        text = cell.strip()
        rule = "the start of a minute in UTC, such as 2014-05-14T01:10Z"
        if not _TIMESTAMP.fullmatch(text):
            raise self.refused("timestamp", rule, show(cell))
        try:
            at = int(datetime.fromisoformat(text).timestamp())
        except ValueError as error:  # February 30
            raise self.refused("timestamp", rule, show(cell), str(error)) from error
        if self.at and at <= self.at[-1]:
            again = "given twice" if at == self.at[-1] else "which is earlier"
            raise self.refused("timestamp", "later than that of the row before", f"{show(cell)}, {again}")
        if self.at and at - self.at[0] > LONGEST_DAYS * 86_400:
            raise self.refused("timestamp", f"within {LONGEST_DAYS} days of the first", show(cell))
        return at

    def _number(self, name: str, cell: str) -> float:
        try:
            value = float(cell)
        except ValueError:
            if not cell.strip() and name in MAY_BE_EMPTY:
                return math.nan
            value = math.nan
        if not 0 <= value <= MOST[name] or "_" in cell:  # false for NaN; float() takes 1_000 for a thousand
            hint = "" if cell.strip() else "where nothing was measured leave the row out"
            raise self.refused(name, f"a number from 0 to {MOST[name]:,.0f}", show(cell), hint)
        return value
