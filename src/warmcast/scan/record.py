"""Record: what a scan found as plain, versioned data: the one view that every report is made from, and its JSON.

    record_of(scan)                  what the renderers take
    scan_to_json(record)             the text of a `scan.json`
    scan_from_json(text, source=)    the record again, or an error that names file, key and rule

Pure: text in, text out. A number that is not known is None, never NaN; every `monthly_usd` is for 730 hours.
"""

# No `from __future__ import annotations`: pydantic reads these annotations at run time.
import json
import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from warmcast.errors import ScanFileError
from warmcast.model import Capacity, Status
from warmcast.prices import UnitPrices
from warmcast.scan.charting import Chart, chart_of
from warmcast.scan.found import (
    ConcurrencyRow,
    Denial,
    Evidence,
    Figures,
    Finding,
    Owner,
    Place,
    Pressure,
    Scan,
    Verdict,
)

MONTH_HOURS = 730
MOST_ERRORS = 5
"""Of a file; whoever has more of them has another kind of file."""

# --- what is recorded ------------------------------------------------------------------------------------------------


class _Part(BaseModel):
    """What all parts share: frozen, strict, no key that nobody reads, no number that is none."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class CapacityRecord(_Part):
    """Provisioned concurrency that stands now; status in AWS's words."""

    requested: int
    allocated: int
    available: int
    status: Status | None
    status_reason: str = ""


class FiguresRecord(_Part):
    """`warmcast.scan.found.Figures` by the same names; money is of one month, `break_even` None where it never is."""

    days: float
    known_share: float | None
    invocations: float | None
    mean_demand: float | None
    peak_demand: float | None
    mean_duration_s: float | None
    mean_capacity: float | None
    utilization: float | None
    spillover: float | None
    throttles: float | None
    cold_starts_bound: float | None
    cold_starts: float | None
    cold_starts_without: float | None
    need: int
    need_by_rate: int
    worth_monthly_usd: float | None
    need_monthly_usd: float | None
    table_monthly_usd: float | None
    usd_per_cold_start: float | None
    break_even: float | None


class PricesRecord(_Part):
    """The unit prices behind a row's USD; `assumed` where the Region's or architecture's own are not known."""

    allocation_usd_per_gb_s: float
    duration_usd_per_gb_s: float
    on_demand_usd_per_gb_s: float
    request_usd: float
    assumed: bool


class Row(_Part):
    """One alias or version.

    Args:
        allocated_monthly_usd: of the capacity that stood in the time looked at; where that was not measured, of what
            stands now. idle_monthly_usd: of it, for capacity that was not in use; None where not known.
        standing_monthly_usd: of what stands now, whether or not it stood before.
        change_monthly_usd: what following the verdict changes of the bill; negative saves.
        notes: what could not be read or is not complete, in words.
    """

    place: Place
    function: str
    qualifier: str
    version: str
    weights: Mapping[str, float]
    runtime: str
    architecture: str
    memory_mb: int
    stack: str
    owner: Owner
    verdict: Verdict
    amount: int | None
    todo: str
    evidence: tuple[Evidence, ...]
    capacity: CapacityRecord | None
    allocated_monthly_usd: float
    idle_monthly_usd: float | None
    standing_monthly_usd: float
    change_monthly_usd: float
    figures: FiguresRecord | None
    prices: PricesRecord
    chart: Chart | None
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """`function:qualifier`."""
        return f"{self.function}:{self.qualifier}"


class ConcurrencyRecord(_Part):
    """A limit of concurrency: the account's (function empty), or a function's reservation (`limit` None: none)."""

    place: Place
    function: str
    limit: int | None
    peak: float | None
    throttles: float | None
    left: int | None
    pressure: Pressure
    evidence: tuple[Evidence, ...]


class SkippedRecord(_Part):
    """How many functions of a place have no provisioned concurrency and too little traffic to be measured."""

    place: Place
    functions: int


class Money(_Part):
    """Sums over the rows, USD of one month.

    Args:
        idle_unknown: rows with capacity of which it is not known how much stood idle.
        saves_usd, costs_usd: what following the verdicts saves, and what it costs, both positive or 0.
    """

    allocated_monthly_usd: float
    idle_monthly_usd: float
    idle_unknown: int
    standing_monthly_usd: float
    saves_monthly_usd: float
    costs_monthly_usd: float

    @property
    def change_monthly_usd(self) -> float:
        """What following every verdict changes of the bill; negative saves."""
        return self.costs_monthly_usd - self.saves_monthly_usd


class ScanRecord(_Part):
    """A scan, as reports are made from it; rows in the scan's order: what is most worth doing first."""

    version: Literal[1]
    at: AwareDatetime
    days: int
    interrupted: bool
    prices_source: str
    cold_start_usd: float
    money: Money
    places: tuple[Place, ...]
    concurrency: tuple[ConcurrencyRecord, ...]
    denials: tuple[Denial, ...]
    skipped: tuple[SkippedRecord, ...]
    cost_explorer_usd: Mapping[str, float]
    metrics_requested: Annotated[int, Field(ge=0)]
    calls: Mapping[str, int]
    rows: tuple[Row, ...]


# --- from a scan -----------------------------------------------------------------------------------------------------


def record_of(scan: Scan) -> ScanRecord:
    """The record of a scan, its usages as charts."""
    rows = tuple(_row(finding) for finding in scan.findings)
    return ScanRecord(
        version=1,
        at=scan.at,
        days=scan.days,
        interrupted=scan.interrupted,
        prices_source=scan.prices_source,
        cold_start_usd=scan.cold_start_usd,
        money=_money(rows),
        places=scan.places,
        concurrency=tuple(_concurrency(row) for row in scan.concurrency),
        denials=scan.denials,
        skipped=tuple(SkippedRecord(place=place, functions=count) for place, count in sorted(scan.skipped.items())),
        cost_explorer_usd=dict(scan.cost_explorer_usd),
        metrics_requested=scan.metrics_requested,
        calls=dict(sorted(scan.calls.items())),
        rows=rows,
    )


def _row(finding: Finding) -> Row:
    function, figures = finding.function, _measured(finding.figures)
    alias = function.aliases.get(finding.qualifier)
    incomplete = (finding.usage.note,) if finding.usage and finding.usage.note else ()
    return Row(
        place=finding.place,
        function=function.name,
        qualifier=finding.qualifier,
        version=finding.version,
        weights=dict(alias.weights) if alias else {},
        runtime=function.runtime,
        architecture=function.architecture,
        memory_mb=function.memory_mb,
        stack=function.stack,
        owner=finding.owner,
        verdict=finding.verdict,
        amount=finding.amount,
        todo=finding.todo,
        evidence=finding.evidence,
        capacity=_capacity(finding.capacity),
        allocated_monthly_usd=figures.allocated_usd if figures else _standing_usd(finding),
        idle_monthly_usd=_known(figures.idle_usd) if figures else None if finding.capacity else 0.0,
        standing_monthly_usd=_standing_usd(finding),
        change_monthly_usd=finding.monthly_usd,
        figures=_figures(figures),
        prices=_prices(finding.prices),
        chart=chart_of(finding.usage) if finding.usage else None,
        notes=(*incomplete, *function.unread),
    )


def _measured(figures: Figures | None) -> Figures | None:
    """Figures of a time of which nothing is known are zeros that nobody measured."""
    return figures if figures and figures.known_share > 0 else None


def _capacity(capacity: Capacity | None) -> CapacityRecord | None:
    if capacity is None:
        return None
    return CapacityRecord(
        requested=capacity.requested,
        allocated=capacity.allocated,
        available=capacity.available,
        status=capacity.status,
        status_reason=capacity.status_reason,
    )


def _standing_usd(finding: Finding) -> float:
    """A month of what stands now: provisioned concurrency is billed from its request on."""
    units = finding.capacity.requested if finding.capacity else 0
    return units * finding.prices.usd_per_unit_hour(finding.function.memory_mb) * MONTH_HOURS


def _figures(figures: Figures | None) -> FiguresRecord | None:
    if figures is None:
        return None
    return FiguresRecord(
        days=figures.days,
        known_share=_known(figures.known_share),
        invocations=_known(figures.invocations),
        mean_demand=_known(figures.mean_demand),
        peak_demand=_known(figures.peak_demand),
        mean_duration_s=_known(figures.mean_duration_s),
        mean_capacity=_known(figures.mean_capacity),
        utilization=_known(figures.utilization) if figures.mean_capacity else None,
        spillover=_known(figures.spillover),
        throttles=_known(figures.throttles),
        cold_starts_bound=_known(figures.cold_starts_bound),
        cold_starts=_known(figures.cold_starts),
        cold_starts_without=_known(figures.cold_starts_without),
        need=figures.need,
        need_by_rate=figures.need_by_rate,
        worth_monthly_usd=_known(figures.worth_usd),
        need_monthly_usd=_known(figures.need_usd),
        table_monthly_usd=_known(figures.table_usd),
        usd_per_cold_start=_known(figures.usd_per_cold_start),
        break_even=_known(figures.break_even),
    )


def _known(value: float | None) -> float | None:
    """The value, None where it is no number: JSON has neither NaN nor infinity."""
    return float(value) if value is not None and math.isfinite(value) else None


def _prices(prices: UnitPrices) -> PricesRecord:
    return PricesRecord(
        allocation_usd_per_gb_s=prices.allocation_usd_per_gb_s,
        duration_usd_per_gb_s=prices.duration_usd_per_gb_s,
        on_demand_usd_per_gb_s=prices.on_demand_usd_per_gb_s,
        request_usd=prices.request_usd,
        assumed=prices.assumed,
    )


def _concurrency(row: ConcurrencyRow) -> ConcurrencyRecord:
    return ConcurrencyRecord(
        place=row.place,
        function=row.function,
        limit=row.limit,
        peak=_known(row.peak),
        throttles=_known(row.throttles),
        left=row.left,
        pressure=row.pressure,
        evidence=row.evidence,
    )


def _money(rows: tuple[Row, ...]) -> Money:
    changes = [row.change_monthly_usd for row in rows]
    return Money(
        allocated_monthly_usd=math.fsum(row.allocated_monthly_usd for row in rows),
        idle_monthly_usd=math.fsum(row.idle_monthly_usd or 0.0 for row in rows),
        idle_unknown=sum(row.idle_monthly_usd is None for row in rows),
        standing_monthly_usd=math.fsum(row.standing_monthly_usd for row in rows),
        saves_monthly_usd=math.fsum(-change for change in changes if change < 0),
        costs_monthly_usd=math.fsum(change for change in changes if change > 0),
    )


# --- as JSON ---------------------------------------------------------------------------------------------------------


def scan_to_json(record: ScanRecord) -> str:
    """The text of a `scan.json`: what is said once is spread out, then a line per row."""
    body = record.model_dump(mode="json")
    rows = ",\n".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in body.pop("rows"))
    head = json.dumps(body, indent=2, ensure_ascii=False, allow_nan=False).removesuffix("\n}")
    return f'{head},\n  "rows": [\n{rows}\n  ]\n}}\n'


def scan_from_json(text: str | bytes, *, source: str) -> ScanRecord:
    """The record of such a text.

    Args:
        text: as `scan_to_json` writes it.
        source: what errors call it, such as the file's name.

    Raises:
        ScanFileError: naming source, key and rule, for it is no JSON, no scan, or one of another version.
    """
    try:
        return ScanRecord.model_validate_json(text)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    version = next((each for each in found if each["loc"] == ("version",)), None)
    if version:
        raise ScanFileError(f"{source}: version: {version['msg']}: no file of `scan --format json` of this version")
    lines = [f"{source}: {'.'.join(map(str, each['loc'])) or 'file'}: {each['msg']}" for each in found[:MOST_ERRORS]]
    more = len(found) - len(lines)
    raise ScanFileError("\n".join(lines) + (f"\n{source}: {more} more like these" if more else ""))
