"""Telling: the words and number formats that every report of a scan shares, so that none says it otherwise. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from warmcast.scan.found import Owner, Verdict
from warmcast.scan.load import OBJECTIVE
from warmcast.scan.record import MONTH_HOURS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warmcast.scan.record import ConcurrencyRecord, Money, Row, ScanRecord

UNKNOWN = "not known"
NOTHING = "–"  # noqa: RUF001 - the dash of an empty cell

METRIC_USD = 0.01 / 1000
"""List price of one metric requested through GetMetricData (CloudWatch's pricing page)."""


class Tone(StrEnum):
    """What kind of thing a verdict asks for; its colour says no more than the verdict's own words."""

    MEND = "mend"
    SAVE = "save"
    RAISE = "raise"
    LEAVE = "leave"
    LOOK = "look"


def tone(verdict: Verdict) -> Tone:
    """What kind of thing a verdict asks for."""
    match verdict:
        case Verdict.STUCK | Verdict.UNREACHABLE | Verdict.ORPHAN | Verdict.REQUEST_BOUND:
            return Tone.MEND
        case Verdict.NEVER_SCALED_IN | Verdict.NEVER_HERE | Verdict.DROP | Verdict.TOO_HIGH:
            return Tone.SAVE
        case Verdict.SNAP_START | Verdict.SCHEDULE:
            return Tone.SAVE
        case Verdict.TOO_LOW | Verdict.BUY:
            return Tone.RAISE
        case Verdict.KEEP | Verdict.NO:
            return Tone.LEAVE
        case Verdict.UNKNOWN:
            return Tone.LOOK
        case _:
            assert_never(verdict)


MEANINGS: Mapping[Verdict, str] = {
    Verdict.STUCK: "A deployment left routing weights on the alias; while they stand, its capacity can't be changed.",
    Verdict.UNREACHABLE: "Callers use $LATEST or another version, so that nothing reaches this capacity.",
    Verdict.ORPHAN: "The capacity stands on an old version that no traffic needs any more.",
    Verdict.REQUEST_BOUND: "Executions so short that 10 requests a second per unit bind before concurrency does.",
    Verdict.NEVER_SCALED_IN: "Target tracking has no data while the alias idles, so that it keeps the capacity up.",
    Verdict.NEVER_HERE: "At this Region's prices a unit in use all the time still costs more than on demand, and the "
    "cold starts that it avoids are too few.",
    Verdict.DROP: "It avoids too few cold starts for its money.",
    Verdict.SNAP_START: "The runtime qualifies for SnapStart, which shortens cold starts for less.",
    Verdict.SCHEDULE: "Demand follows the hours of the week; a table of capacities costs less than a constant.",
    Verdict.TOO_HIGH: "Less capacity would keep the objective.",
    Verdict.TOO_LOW: "The capacity does not keep the objective.",
    Verdict.KEEP: "What stands there is about right.",
    Verdict.BUY: "Without provisioned concurrency now, and would deserve it.",
    Verdict.NO: "No provisioned concurrency, and none is worth its money.",
    Verdict.UNKNOWN: "Too little is known for a verdict.",
}

# --- numbers ---------------------------------------------------------------------------------------------------------


def usd(value: float | None) -> str:
    """`$12.34`, from 100 on without cents; `not known` for None."""
    if value is None:
        return UNKNOWN
    if abs(value) < 0.005:
        return "$0"
    cents = 0 if abs(value) >= 99.995 else 2
    return f"{'-' if value < 0 else ''}${abs(value):,.{cents}f}"


def usd_change(value: float) -> str:
    """The same with its sign; a dash where nothing changes."""
    text = usd(value)
    return NOTHING if text == "$0" else text if value < 0 else f"+{text}"


def fraction(value: float | None) -> str:
    """An amount that may be far below a cent: `$0.0004`."""
    if value is None or abs(value) >= 1:
        return usd(value)
    digits = f"{abs(value):.{4 if abs(value) >= 0.01 else 8}f}".rstrip("0").rstrip(".")
    return f"{'-' if value < 0 else ''}${digits}"


def share(value: float | None) -> str:
    """A share in percent, with a decimal below 10% and close to all: `0.4%`, `87%`, `99.7%`; never a rounded all."""
    if value is None:
        return NOTHING
    if 0 < value < 0.0005:
        return "<0.1%"
    if 0.9995 <= value < 1:
        return ">99.9%"
    return f"{value:.1%}" if 0 < value < 0.0995 or 0.995 <= value < 1 else f"{value:.0%}"


def number(value: float | None) -> str:
    """A number with three digits that matter, thousands apart; `<0.001` where it is less and yet not nothing."""
    if value is None:
        return NOTHING
    if 0 < value < 0.001:
        return "<0.001"
    return f"{value:,.0f}" if abs(value) >= 99.5 or value == int(value) else f"{value:.3g}"


def units(row: Row) -> str:
    """What stands there and what should: `20 → 6`; only what stands where the verdict has no amount."""
    now = row.capacity.requested if row.capacity else 0
    if row.amount is not None and row.amount != now:
        return f"{now} → {row.amount}"
    return str(now) if now else NOTHING


def count(amount: int, noun: str) -> str:
    """`1 alias`, `2 aliases`, `1,234 functions`."""
    ending = "" if amount == 1 else "es" if noun.endswith("s") else "s"
    return f"{amount:,} {noun}{ending}"


def quantity(amount: float, noun: str) -> str:
    """The same of a number that need not be whole: `1 unit`, `47.3 units`."""
    told = number(amount)
    return count(1, noun) if told == "1" else f"{told} {count(0, noun).removeprefix('0 ')}"


def printable(text: str) -> str:
    """Text of others on one line, without what could steer a terminal or break a table: control characters."""
    return "".join(character if character.isprintable() else " " for character in text)


# --- sentences -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Headline:
    """One of the figures that a report begins with: `amount` and what it is, in words."""

    amount: str
    words: str


def title(record: ScanRecord) -> str:
    """`Provisioned concurrency in 2 accounts and 3 Regions, 2026-03-09 12:00 UTC`."""
    accounts = len({place.account for place in record.places})
    regions = len({place.region for place in record.places})
    where = f" in {count(accounts, 'account')} and {count(regions, 'Region')}" if record.places else ""
    return f"Provisioned concurrency{where}, {record.at:%Y-%m-%d %H:%M} UTC"


def owned(row: Row) -> str:
    """Who sets a row's capacity: `set by CloudFormation stack shop-prod`; empty where there is none to set."""
    match row.owner:
        case Owner.STACK:
            return f"set by {row.owner.value}" + (f" stack {printable(row.stack)}" if row.stack else "")
        case Owner.AUTO_SCALING | Owner.WARMCAST:
            return f"set by {row.owner.value}"
        case Owner.UNKNOWN:
            return "not known who sets it"
        case Owner.NOBODY:
            return ""
        case _:
            assert_never(row.owner)


def limited(row: ConcurrencyRecord) -> str:
    """What a limit of concurrency is of: the account in a Region, or one function there."""
    return printable(f"{row.function} in {row.place}" if row.function else f"account {row.place}")


def headlines(record: ScanRecord) -> tuple[Headline, ...]:
    """USD a month: what stands there, of it idle, what following every verdict would change; none without rows."""
    if not record.rows:
        return ()
    money = record.money
    idle = f"of it for capacity that stood idle{_share_of(money)}"
    if money.idle_unknown:
        idle += f"; not known for {count(money.idle_unknown, 'alias')}"
    return (
        Headline(usd(money.allocated_monthly_usd), f"a month for the provisioned concurrency that stood{_now(money)}"),
        Headline(usd(money.idle_monthly_usd), idle),
        Headline(_changed(money), _changes(money)),
    )


def _now(money: Money) -> str:
    """What stands now, where that is another amount: capacity that is new, gone, or follows a schedule."""
    stood, stands = money.allocated_monthly_usd, money.standing_monthly_usd
    return f"; what stands now would be {usd(stands)}" if abs(stands - stood) > 0.01 * max(stood, stands) else ""


def _share_of(money: Money) -> str:
    whole = money.allocated_monthly_usd
    return f" ({money.idle_monthly_usd / whole:.0%})" if whole > 0 else ""


def _changed(money: Money) -> str:
    text = usd_change(money.change_monthly_usd)
    return "$0" if text == NOTHING else text


def _changes(money: Money) -> str:
    words = "change a month if every verdict is followed"
    if money.saves_monthly_usd and money.costs_monthly_usd:
        words += f": {usd(money.saves_monthly_usd)} saved, {usd(money.costs_monthly_usd)} spent"
    return words


def basis(record: ScanRecord) -> str:
    """Unit, period, price source and method of the figures, in one line that stands under the headline."""
    source = record.prices_source or UNKNOWN
    return (
        f"USD a month of {MONTH_HOURS} hours, from {period(record)}. Prices: {source}. "
        "Cost is capacity x memory x the allocation price."
    )


def period(record: ScanRecord) -> str:
    """`the 14 days up to 2026-03-09 12:00 UTC`."""
    return f"the {count(record.days, 'day')} up to {record.at:%Y-%m-%d %H:%M} UTC"


def caveats(record: ScanRecord) -> tuple[str, ...]:
    """What a reader must know before believing the headline; most important first."""
    said = []
    if record.interrupted:
        said.append("The scan was stopped before its end: this is what it had found by then.")
    if record.denials:
        said.append(f"{count(len(record.denials), 'part')} could not be read; what is there is not counted.")
    assumed = sum(row.prices.assumed for row in record.rows)
    if assumed:
        said.append(f"{count(assumed, 'row')} with assumed prices: those of the Region or architecture are not known.")
    return tuple(said)


def nothing_found(record: ScanRecord) -> str:
    """What to say in place of a table without rows."""
    if record.denials and not record.skipped:
        return "Nothing could be read."
    return "No alias or version has provisioned concurrency, and none has enough traffic to be worth a look."


def skipped(record: ScanRecord) -> str:
    """How many functions were left out, and why; empty where none were."""
    functions = sum(each.functions for each in record.skipped)
    if not functions:
        return ""
    return f"{count(functions, 'function')} left out: no provisioned concurrency, too little traffic to be measured."


def cost_explorer(record: ScanRecord) -> tuple[str, ...]:
    """What Cost Explorer says, an account a line; empty where no role may read it."""
    return tuple(
        f"Cost Explorer, account {account}: {usd(amount)} for Lambda's provisioned concurrency in the last full month "
        "(what was billed then, discounts included)."
        for account, amount in sorted(record.cost_explorer_usd.items())
    )


def scan_cost(record: ScanRecord) -> str:
    """What the scan itself cost at CloudWatch's list price, and how many calls it made."""
    calls = sum(record.calls.values())
    return (
        f"The scan read {count(record.metrics_requested, 'metric')}, which CloudWatch bills at $0.01 per 1,000 "
        f"(list price): ${record.metrics_requested * METRIC_USD:,.2f}. All of its {count(calls, 'call')} only read."
    )


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of the method, with what it is about."""

    about: str
    text: str


def method(record: ScanRecord) -> tuple[Paragraph, ...]:
    """How every figure was made, a paragraph each."""
    return (
        Paragraph(
            "Money",
            f"All amounts are US dollars for one month of {MONTH_HOURS} hours, projected from {period(record)}: the "
            "mean provisioned concurrency that stood in that time x memory x the price of allocation (USD per "
            "GB-second). Idle is the part of it that served no execution. An alias that was not measured counts with "
            "what stands now, and nothing is said of how much of that is idle.",
        ),
        Paragraph(
            "Prices",
            f"{record.prices_source or UNKNOWN}. Free tier, credits and taxes are left out. Each row names its own "
            "unit prices.",
        ),
        Paragraph(
            "Change",
            "What the bill would change in a month if the verdict were followed, on the traffic that was seen: "
            "allocation, and the difference between the duration rates of provisioned concurrency and on demand. The "
            "init that is billed for a cold start, and for each new unit, is left out on both sides: CloudWatch's "
            "metrics do not tell how long it takes (scan --cold-starts reads it from the logs).",
        ),
        Paragraph(
            "Demand",
            "Concurrent executions by Little's law: (invocations + throttles) a second x mean duration, from "
            "CloudWatch's metrics of the alias; executions longer than five minutes count in each step in which they "
            "run. The highest is the metric ConcurrentExecutions, where there is one. CloudWatch has no "
            "metric of the capacity that stood; utilization, scaling activities and what stands now tell it.",
        ),
        Paragraph(
            "Objective",
            f"The constant capacity that keeps the objective lets {OBJECTIVE:.0%} of the invocations spill over the "
            "whole time, by Erlang's B on the demand of each step, and has a unit for every 10 requests a second.",
        ),
        Paragraph(
            "Cold starts",
            "At most as many as invocations that provisioned concurrency did not serve, all of them where there is "
            "none; many of these met a warm environment. Avoiding one was taken to be worth "
            f"{fraction(record.cold_start_usd)}.",
        ),
    )


def unit_price(row: Row) -> str:
    """A row's own price and period, as they stand under its figures."""
    price = row.prices
    assumed = " (assumed)" if price.assumed else ""
    days = f"; {row.figures.days:.3g} days measured, {share(row.figures.known_share)} known" if row.figures else ""
    at = f"${price.allocation_usd_per_gb_s:.10f} per GB-second allocated{assumed}"
    return f"{at}, {row.memory_mb:,} MB, {row.architecture}{days}"
