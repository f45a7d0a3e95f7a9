"""Sheet: a scan's record as CSV, a row an alias. Pure.

Texts of others run as no formula: a cell that a spreadsheet would compute begins with an apostrophe.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from warmcast.scan.telling import printable

if TYPE_CHECKING:
    from warmcast.scan.record import Row, ScanRecord

Cell = str | int | float | None

CSV_COLUMNS = (
    "account",
    "region",
    "function",
    "qualifier",
    "version",
    "owner",
    "stack",
    "verdict",
    "units",
    "amount",
    "allocated_monthly_usd",
    "idle_monthly_usd",
    "change_monthly_usd",
    "utilization",
    "spillover",
    "cold_starts_bound",
    "throttles",
    "invocations",
    "mean_demand",
    "peak_demand",
    "mean_capacity",
    "need",
    "usd_per_cold_start",
    "memory_mb",
    "architecture",
    "runtime",
    "days",
    "at",
    "prices_source",
    "prices_assumed",
    "todo",
    "evidence",
)

FIGURES = (
    "utilization",
    "spillover",
    "cold_starts_bound",
    "throttles",
    "invocations",
    "mean_demand",
    "peak_demand",
    "mean_capacity",
    "need",
    "usd_per_cold_start",
    "days",
)


def scan_to_csv(record: ScanRecord) -> str:
    """A row an alias, the columns of `docs/report.md`; what is not known is empty."""
    lines = _Lines()
    writer = csv.DictWriter(lines, fieldnames=CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in record.rows:
        writer.writerow({name: _cell(value) for name, value in _csv_row(row, record).items()})
    return "".join(lines)


class _Lines(list[str]):
    """What `csv` takes for a file."""

    def write(self, line: str) -> None:
        self.append(line)


def _csv_row(row: Row, record: ScanRecord) -> dict[str, Cell]:
    figures = row.figures.model_dump(include=set(FIGURES)) if row.figures else dict.fromkeys(FIGURES)
    return {
        "account": row.place.account,
        "region": row.place.region,
        "function": row.function,
        "qualifier": row.qualifier,
        "version": row.version,
        "owner": row.owner.value,
        "stack": row.stack,
        "verdict": row.verdict.value,
        "units": row.capacity.requested if row.capacity else 0,
        "amount": row.amount,
        "allocated_monthly_usd": round(row.allocated_monthly_usd, 2),
        "idle_monthly_usd": None if row.idle_monthly_usd is None else round(row.idle_monthly_usd, 2),
        "change_monthly_usd": round(row.change_monthly_usd, 2),
        **figures,
        "memory_mb": row.memory_mb,
        "architecture": row.architecture,
        "runtime": row.runtime,
        "at": record.at.isoformat(),
        "prices_source": record.prices_source,
        "prices_assumed": int(row.prices.assumed),
        "todo": row.todo,
        "evidence": "; ".join(f"{each.text} ({each.source})" for each in row.evidence),
    }


def _cell(value: Cell) -> Cell:
    """A text that a spreadsheet would take for a formula gets an apostrophe; a number stays one."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) else text
