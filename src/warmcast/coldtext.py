"""Cold starts for a person and for programs: tables through rich, and plain data. Prints; decides nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.markup import escape
from rich.table import Table

from warmcast.coldlogs import usd_of
from warmcast.coldworth import KEEPALIVE_MIN, MONTH_HOURS
from warmcast.pricebook import METHOD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from warmcast.coldcount import ColdStarts, Worst
    from warmcast.coldlogs import LogGroup, Reading
    from warmcast.coldworth import Ladder

MOST_OTHERS = 5
GB = 1e9
CENT = 0.01


@dataclass(frozen=True, slots=True)
class Told:
    """All that was found of one alias.

    Args:
        name: `function:qualifier`.
        scanned_bytes: read of the logs, as AWS counts them.
        prices: where the prices are from. saving_note: what a Savings Plan does to a saving; mostly empty.
        notes: what else is to be known, a sentence each.
    """

    name: str
    group: LogGroup
    reading: Reading
    scanned_bytes: int
    cold: ColdStarts
    ladder: Ladder | None
    prices: str
    saving_note: str
    notes: tuple[str, ...]


def estimate(name: str, group: LogGroup, reading: Reading) -> str:
    """What reading will take, in sentences: bytes, their cost, and how sure that is."""
    kept = "for ever" if group.retention_days is None else f"{group.retention_days} days"
    return (
        f"Cold starts of {name} over {reading.days:.1f} days, from the log group {group.name} "
        f"({_gb(group.stored_bytes)} stored, kept {kept}).\n"
        f"Two queries of CloudWatch Logs Insights will scan {_gb(reading.least_bytes)} to {_gb(reading.most_bytes)}: "
        f"{_cost(reading)} at $0.005 per GB (us-east-1; other Regions differ).\n"
        "That is reckoned from what is stored; AWS bills what was written, which may be seven times as much."
    )


def _cost(reading: Reading) -> str:
    least, most = usd_of(reading.least_bytes), reading.most_usd
    return f"${least:,.2f} to ${most:,.2f}" if most >= CENT else "less than a cent"


def _gb(count: float) -> str:
    return f"{count / GB:,.2f} GB" if count >= GB / 100 else f"{count / 1e6:,.2f} MB"


# --- for a person ----------------------------------------------------------------------------------------------------


def print_told(console: Console, told: Told) -> None:
    """Counts, then the table of capacities, then what is to be known of both."""
    table = Table(box=box.SIMPLE_HEAD, title=f"cold starts of {escape(told.name)}", title_justify="left")
    table.add_column("what", no_wrap=True)
    table.add_column("found", overflow="fold")
    for what, found in _rows(told):
        table.add_row(what, escape(found))
    console.print(table)
    if told.ladder:
        console.print(_ladder(told.ladder))
        console.print(escape(_under_ladder(told)), style="dim")
    for note in told.notes:
        console.print(f"[yellow]{escape(note)}[/yellow]")


def _rows(told: Told) -> Iterator[tuple[str, str]]:
    cold = told.cold
    yield "version", f"{cold.version}, {cold.days:.1f} days, {cold.invocations:,} invocations"
    yield "cold starts", _count(cold)
    if cold.init_p50_s is not None and cold.init_p99_s is not None:
        whose = "" if cold.on_demand else " (of environments made ahead or unclear: there is no other)"
        yield "init", f"p50 {cold.init_p50_s:.3f} s, p99 {cold.init_p99_s:.3f} s{whose}"
    if cold.worst:
        yield "worst five minutes", _worst(cold.worst)
    if cold.provisioned:
        yield "made ahead", f"{cold.provisioned:,} environments of provisioned concurrency; nobody waited for them"
    if cold.restored and cold.restore_p50_s is not None and cold.restore_p99_s is not None:
        took = f"restore p50 {cold.restore_p50_s:.3f} s, p99 {cold.restore_p99_s:.3f} s"
        yield "restored by SnapStart", f"{cold.restored:,}; {took}"
    yield "how sure", f"{cold.confidence}: {cold.confidence_text}"
    yield (
        "read",
        f"{_gb(told.scanned_bytes)} of {told.group.name}, about ${usd_of(told.scanned_bytes):,.4f} (us-east-1)",
    )


def _count(cold: ColdStarts) -> str:
    share = f", {cold.on_demand / cold.invocations:.2%} of invocations" if cold.invocations else ""
    most = f"; up to {cold.most_per_day:,.1f} a day with {cold.unclear:,} unclear ones" if cold.unclear else ""
    return f"{cold.on_demand:,}: {cold.per_day:,.1f} a day{share}{most}"


def _worst(worst: Worst) -> str:
    share = "share not known" if worst.share is None else f"{worst.share:.1%}"
    return f"{worst.at:%Y-%m-%d %H:%M} UTC: {worst.cold_starts:,} of {worst.invocations:,} invocations ({share})"


def _ladder(ladder: Ladder) -> Table:
    title = f"what each capacity would be worth, a month of {MONTH_HOURS} hours"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for heading in ("capacity", "allocation USD", "bill changes USD", "cold starts", "avoided", "USD per avoided"):
        table.add_column(heading, justify="right")
    table.add_column("USD per further one", justify="right")
    table.add_column("")
    for rung in ladder.rungs:
        knee = rung.capacity == ladder.knee
        table.add_row(
            f"{rung.capacity:,}",
            f"{rung.allocation_usd:,.2f}",
            f"{rung.net_usd:+,.2f}",
            f"{rung.cold_starts:,.0f}",
            f"{rung.avoided:,.0f}",
            _usd(rung.usd_per_avoided),
            _usd(rung.usd_per_further),
            "knee" if knee else "",
            style="bold" if knee else None,
        )
    return table


def _usd(value: float | None) -> str:
    return "-" if value is None else f"{value:,.5f}"


def _under_ladder(told: Told) -> str:
    assert told.ladder
    basis = (
        f"Constant capacity, all day. Cold starts {told.ladder.scaled}; an idle on-demand environment is taken to stay "
        f"warm for {KEEPALIVE_MIN} minutes."
    )
    method = (
        "USD per avoided: what the bill changes / cold starts avoided; the bill changes by allocation - what served "
        "executions would have cost more on demand - init saved."
    )
    parts = (basis, method, f"Prices: {told.prices}.", told.saving_note)
    return "\n".join(part for part in parts if part)


# --- for programs ----------------------------------------------------------------------------------------------------


def record(told: Told) -> dict[str, object]:
    """The same as plain data; a figure that is not known is None."""
    cold, ladder = told.cold, told.ladder
    counted = asdict(cold)
    if cold.worst:
        counted["worst"] = {**asdict(cold.worst), "at": cold.worst.at.isoformat()}
    return {
        "alias": told.name,
        "log_group": told.group.name,
        "from": told.reading.start.isoformat(),
        "to": told.reading.end.isoformat(),
        "scanned_bytes": told.scanned_bytes,
        "scanned_usd": usd_of(told.scanned_bytes),
        "cold_starts": counted,
        "capacities": asdict(ladder) if ladder else None,
        "month_hours": MONTH_HOURS,
        "method": METHOD,
        "prices": told.prices,
        "notes": [*told.notes, *([told.saving_note] if told.saving_note else [])],
    }
