"""Limits of concurrency as every report tells them: which rows are worth one, and what is not known as that. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from warmcast.scan.found import Pressure
from warmcast.scan.telling import UNKNOWN, number

if TYPE_CHECKING:
    from warmcast.scan.record import ConcurrencyRecord, ScanRecord


@dataclass(frozen=True, slots=True)
class Limits:
    """The rows to show, and one line of all the Regions that none is worth; empty where there are not several."""

    rows: tuple[ConcurrencyRecord, ...]
    quiet: str


def limits_of(record: ScanRecord) -> Limits:
    """A row a limit, but for Regions of which there is nothing else to tell: those share a line."""
    told = {row.place for row in record.rows} | {denial.place for denial in record.denials}
    told |= {row.place for row in record.concurrency if row.function or asked(row) != Pressure.FINE.value}
    quiet = [row.place for row in record.concurrency if row.place not in told]
    if len(quiet) < 2:
        return Limits(record.concurrency, "")
    one = len({place.account for place in record.places}) == 1
    names = ", ".join(place.region if one else str(place) for place in quiet)
    rows = tuple(row for row in record.concurrency if row.place in told)
    return Limits(rows, f"{len(quiet)} Regions with nothing to say, no limit near: {names}.")


def asked(row: ConcurrencyRecord) -> str:
    """What a row asks for; an account of which too little is known is not called fine."""
    unknown = not row.function and (row.left is None or row.peak is None)
    return UNKNOWN if unknown and row.pressure is Pressure.FINE else row.pressure.value


def measured(value: float | None) -> str:
    """A number that CloudWatch tells, or that it is not known."""
    return UNKNOWN if value is None else number(value)
