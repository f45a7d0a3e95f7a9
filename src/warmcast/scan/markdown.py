"""Markdown: a scan's record for a pull request or a wiki. Pure; texts of others are escaped, so that none is markup."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from warmcast.scan import telling
from warmcast.scan.limits import asked, limits_of, measured
from warmcast.scan.telling import Tone, number, printable, share, tone, units, usd, usd_change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from warmcast.scan.record import Row, ScanRecord

COLUMNS: Mapping[str, Callable[[Row], str]] = {
    "alias": lambda row: escaped(row.name),
    "where": lambda row: str(row.place),
    "verdict": lambda row: row.verdict.value,
    "units": units,
    "USD a month": lambda row: usd(row.allocated_monthly_usd),
    "idle": lambda row: usd(row.idle_monthly_usd),
    "change": lambda row: usd_change(row.change_monthly_usd),
    "used": lambda row: share(row.figures.utilization if row.figures else None),
    "spillover": lambda row: share(row.figures.spillover if row.figures else None),
    "cold starts at most": lambda row: number(row.figures.cold_starts_bound if row.figures else None),
}
"""Of the table: heading, and its text for a row. From the fourth on they are numbers."""


def scan_to_markdown(record: ScanRecord) -> str:
    """The scan as GitHub's markdown: headline, a row an alias, evidence of what is to do, limits, denials, method."""
    parts = [
        [f"# {telling.title(record)}"],
        _headline(record),
        _rows(record.rows) if record.rows else [telling.nothing_found(record)],
        *(_evidence(row) for row in record.rows if tone(row.verdict) is not Tone.LEAVE),
        _concurrency(record),
        _denials(record),
        [telling.skipped(record)],
        ["## How these figures were made"],
        *([f"**{each.about}.** {escaped(each.text)}"] for each in telling.method(record)),
        [telling.scan_cost(record)],
    ]
    return "\n\n".join("\n".join(part) for part in parts if any(part)) + "\n"


def escaped(text: str) -> str:
    """Text of others within a line of markdown: every sign that could begin markup, HTML, a cell or a mention."""
    return re.sub(r"([\\`*_{}\[\]<>|#@~])", r"\\\1", printable(text)).replace("&", "&amp;")


def _headline(record: ScanRecord) -> list[str]:
    lines = [f"- **{each.amount}** {each.words}" for each in telling.headlines(record)]
    remarks = [*([telling.basis(record)] if lines else []), *telling.cost_explorer(record)]
    paragraphs = [*map(escaped, remarks), *(f"**Beware:** {escaped(each)}" for each in telling.caveats(record))]
    return [*lines, *(line for each in paragraphs for line in ("", each))]


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]], *, numbers: range) -> list[str]:
    names = list(headings)
    ruler = ["---:" if index in numbers else "---" for index in range(len(names))]
    return ["| " + " | ".join(cells) + " |" for cells in (names, ruler, *rows)]


def _rows(rows: Sequence[Row]) -> list[str]:
    cells = ([text(row) for text in COLUMNS.values()] for row in rows)
    return _table(COLUMNS, cells, numbers=range(3, len(COLUMNS)))


def _evidence(row: Row) -> list[str]:
    owned = f", {escaped(telling.owned(row))}" if telling.owned(row) else ""
    return [
        f"### {escaped(row.name)}: {row.verdict.value}",
        "",
        f"{row.place}{owned}; {escaped(telling.unit_price(row))}",
        "",
        *(f"- {escaped(each.text)} ({escaped(each.source)})" for each in row.evidence),
        *(f"- not complete: {escaped(note)}" for note in row.notes),
        *([f"- **to do:** {_code(row.todo)}"] if row.todo else []),
    ]


def _code(text: str) -> str:
    """Text of others as code: the fence is longer than any run of backticks in it."""
    line = printable(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    return f"{fence} {line} {fence}" if "`" in line else f"`{line}`"


def _concurrency(record: ScanRecord) -> list[str]:
    if not record.concurrency:
        return []
    limits = limits_of(record)
    headings = ("limit of", "what to do", "limit", "highest", "throttles", "left unreserved", "evidence")
    rows = (
        [
            escaped(telling.limited(row)),
            asked(row),
            number(row.limit),
            *(measured(value) for value in (row.peak, row.throttles)),
            number(row.left) if row.function else measured(row.left),
            escaped(" ".join(each.text for each in row.evidence)),
        ]
        for row in limits.rows
    )
    table = ["", *_table(headings, rows, numbers=range(2, 6))] if limits.rows else []
    return ["## Concurrency and reservations", *table, *(["", escaped(limits.quiet)] if limits.quiet else [])]


def _denials(record: ScanRecord) -> list[str]:
    if not record.denials:
        return []
    headings = ("account and Region", "operation", "what AWS said", "how to mend it")
    rows = (
        [str(each.place), *(escaped(text) for text in (each.operation, f"{each.code}: {each.message}", each.fix))]
        for each in record.denials
    )
    return ["## What could not be read", "", *_table(headings, rows, numbers=range(0))]
