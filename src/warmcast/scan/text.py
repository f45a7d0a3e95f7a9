"""Text: a scan's record on a person's terminal, through rich: money first, then what to do. Prints; decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from warmcast.scan import telling
from warmcast.scan.found import Pressure
from warmcast.scan.limits import asked, limits_of, measured
from warmcast.scan.telling import Tone, number, printable, share, tone, units, usd, usd_change

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from warmcast.scan.limits import Limits
    from warmcast.scan.record import ConcurrencyRecord, Row, ScanRecord

STYLES = {
    Tone.MEND: "bold red",
    Tone.SAVE: "yellow",
    Tone.RAISE: "magenta",
    Tone.LEAVE: "green",
    Tone.LOOK: "cyan",
}

WIDE = 120
"""Columns from which the table has the Region and the use as well."""

WIDER = 150
"""Columns from which it has the account too."""

MOST_ROWS = 60
MOST_TOLD = 20
MOST_EVIDENCE = 4
"""Rows of the table, of them those whose evidence is told, and how much of it: the files of `report` have all."""

ALWAYS: tuple[tuple[str, Callable[[Row], str]], ...] = (
    ("units", units),
    ("USD a month", lambda row: usd(row.allocated_monthly_usd)),
    ("change", lambda row: usd_change(row.change_monthly_usd)),
)
WHERE_WIDE: tuple[tuple[str, Callable[[Row], str]], ...] = (
    ("idle", lambda row: usd(row.idle_monthly_usd)),
    ("used", lambda row: share(row.figures.utilization if row.figures else None)),
    ("spillover", lambda row: share(row.figures.spillover if row.figures else None)),
    ("cold at most", lambda row: number(row.figures.cold_starts_bound if row.figures else None)),
)


def print_scan(console: Console, record: ScanRecord) -> None:
    """The scan: its headline, a row an alias, the evidence of what is to do, limits, and what could not be read."""
    _print_headline(console, record)
    _print_rows(console, record)
    _print_evidence(console, [row for row in record.rows if tone(row.verdict) is not Tone.LEAVE])
    _print_concurrency(console, limits_of(record))
    _print_denials(console, record)
    for line in (telling.skipped(record), telling.scan_cost(record)):
        if line:
            console.print(Text(line, style="dim"))


def _print_headline(console: Console, record: ScanRecord) -> None:
    console.print(Text(telling.title(record), style="bold"))
    if headlines := telling.headlines(record):
        lines = Table.grid(padding=(0, 2))
        lines.add_column(justify="right", style="bold", no_wrap=True)
        lines.add_column()
        for headline in headlines:
            lines.add_row(headline.amount, headline.words)
        console.print(Padding(lines, (1, 0, 1, 1)))
        console.print(Text(printable(telling.basis(record)), style="dim"))
    for line in telling.cost_explorer(record):
        console.print(Text(line, style="dim"))
    for line in telling.caveats(record):
        console.print(Text(f"! {line}", style="yellow"))


def _print_rows(console: Console, record: ScanRecord) -> None:
    if not record.rows:
        console.print(telling.nothing_found(record))
        return
    wide = console.width >= WIDE
    columns = (*ALWAYS, *WHERE_WIDE) if wide else ALWAYS
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("alias", overflow="fold")
    if wide:
        table.add_column("where", overflow="fold")
    table.add_column("verdict", overflow="fold", max_width=16)
    for heading, _ in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in record.rows[:MOST_ROWS]:
        where = (Text(str(row.place) if console.width >= WIDER else row.place.region),) if wide else ()
        figures = (Text(figure(row)) for _, figure in columns)
        table.add_row(Text(printable(row.name), style="bold"), *where, _verdict(row), *figures)
    console.print(table)
    _print_more(console, len(record.rows) - MOST_ROWS)


def _verdict(row: Row) -> Text:
    return Text(row.verdict.value, style=STYLES[tone(row.verdict)])


def _print_more(console: Console, left: int) -> None:
    if left > 0:
        console.print(Text(f"... and {left:,} more: warmcast report --out scan.html has all", style="dim"))


def _print_evidence(console: Console, rows: list[Row]) -> None:
    """Why, with the source of each number, and what to do."""
    for row in rows[:MOST_TOLD]:
        owned = f", {telling.owned(row)}" if telling.owned(row) else ""
        head = Text.assemble((printable(row.name), "bold"), f" in {row.place}{owned}: ", _verdict(row))
        if (change := usd_change(row.change_monthly_usd)) != telling.NOTHING:
            head.append(f", {change} a month")
        console.print(head)
        for each in row.evidence[:MOST_EVIDENCE]:
            _print_item(console, "-", Text.assemble(printable(each.text), (f" ({printable(each.source)})", "dim")))
        if (left := len(row.evidence) - MOST_EVIDENCE) > 0:
            _print_item(console, "-", Text(f"... and {left} more in the report", style="dim"))
        for note in row.notes:
            _print_item(console, "!", Text(printable(note), style="yellow"))
        if row.todo:
            _print_todo(console, row.todo)
    _print_more(console, len(rows) - MOST_TOLD)
    if rows:
        console.print()


def _print_item(console: Console, mark: str, words: Text) -> None:
    line = Table.grid(padding=(0, 1))
    line.add_row(Text(f"  {mark}"), words)
    console.print(line)


def _print_todo(console: Console, todo: str) -> None:
    """On one line however long, so that a command can be copied."""
    console.print(Text(f"  > {printable(todo)}", style="bold"), soft_wrap=True)


def _print_concurrency(console: Console, limits: Limits) -> None:
    """The accounts' limits, and those of functions that are worth a word; a line for Regions that none is worth."""
    told = [row for row in limits.rows if not row.function or row.pressure is not Pressure.FINE]
    if told:
        _print_limits(console, told)
    if limits.quiet:
        console.print(Text(limits.quiet, style="dim"))


def _print_limits(console: Console, told: list[ConcurrencyRecord]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="concurrency", title_justify="left")
    table.add_column("limit of", overflow="fold")
    for heading in ("limit", "peak", "throttles"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("what to do", overflow="fold")
    for row in told:
        figures = (number(row.limit), measured(row.peak), measured(row.throttles))
        said = " ".join(printable(each.text) for each in row.evidence)
        table.add_row(Text(telling.limited(row)), *map(Text, figures), Text(f"{asked(row)}: {said}"))
    console.print(table)


def _print_denials(console: Console, record: ScanRecord) -> None:
    for each in record.denials:
        said = Text.assemble(
            ("could not read ", "red"),
            (str(each.place), "bold red"),
            (f": {each.operation}: {each.code}: {printable(each.message)}", "red"),
        )
        console.print(said)
        if each.fix:
            _print_todo(console, each.fix)
