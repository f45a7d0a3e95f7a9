"""Estimating, for `scan --estimate`: what a scan takes and costs, as a table or as JSON. Counts functions in AWS."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from warmcast.commands.printing import print_json
from warmcast.commands.scanning import estimates
from warmcast.scan.estimate import CONTROL_PLANE_PER_S, altogether_s

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from warmcast.commands.scanning import Estimated, Opened
    from warmcast.scan.estimate import Estimate
    from warmcast.scan.found import Denial, Place

HEADINGS: Final = ("functions", "metrics at first", "USD", "metrics *", "USD *", "Lambda calls *")
STARRED: Final = "* if each function had one alias worth a closer look: most have none, one with several takes more."
CENT: Final = 0.01


def show_estimate(opened: Opened, *, days: int, as_json: bool) -> int:
    """Print what a scan takes, and on standard error what could not be told; exit code 1 for the latter."""
    with Console(stderr=True).status("counting functions"):
        found = estimates(opened, days=days)
    if as_json:
        print_json({"estimates": [_record(each) for each in found.estimates], "seconds": altogether_s(found.estimates)})
    elif found.estimates:
        _print(Console(), found)
    tell_denials(found.denials)
    return 1 if found.denials else 0


def tell_denials(denials: Sequence[Denial]) -> None:
    """What could not be opened or read, on standard error; the same refusal of several places once."""
    for line in refusals(denials):
        click.echo(line, err=True)


def refusals(denials: Sequence[Denial]) -> list[str]:
    """A line a refusal, in AWS's words, with its places and how to mend it."""
    places: dict[str, list[Place]] = {}
    fixes: dict[str, str] = {}
    for denial in denials:
        code = "" if denial.operation == "(session)" else f"{denial.operation}: {denial.code}: "
        said = f"{code}{denial.message}"
        places.setdefault(said, []).append(denial.place)
        fixes.setdefault(said, f" ({denial.fix})" if denial.fix else "")
    return [f"{_all_of(there)}{said}{fixes[said]}" for said, there in places.items()]


def _all_of(places: Sequence[Place]) -> str:
    """`us-east-1 and 16 more: `; empty where not even a Region is known."""
    if places[0].region == "unknown":
        return ""
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"{_named(places[0])}{more}: "


def _named(place: Place) -> str:
    return place.region if place.account == "unknown" else str(place)


def _record(each: Estimate) -> dict[str, object]:
    return {**asdict(each), "place": str(each.place), "first_usd": each.first_usd, "most_usd": each.most_usd}


def _print(console: Console, found: Estimated) -> None:
    places = [*(each.place for each in found.estimates), *(each.place for each in found.denials)]
    accounts = sorted({place.account for place in places} - {"unknown"})
    one = len(accounts) == 1
    if one:
        console.print(Text(f"account {accounts[0]}"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_footer=len(places) > 1)
    table.add_column("Region" if one else "account and Region", "total", overflow="fold", no_wrap=one)
    for heading, total in zip(HEADINGS, _figures(found.estimates), strict=True):
        table.add_column(
            heading, total, justify="right", min_width=len("not known") if heading == HEADINGS[0] else None
        )
    for each in found.estimates:
        table.add_row(each.place.region if one else str(each.place), *_figures([each]))
    for denial in found.denials:
        table.add_row(denial.place.region if one else _named(denial.place), "not known")
    console.print(table)
    cost, minutes = cents(sum(each.most_usd for each in found.estimates)), _minutes(altogether_s(found.estimates))
    left_out = " What could not be read is not in the total." if found.denials else ""
    console.print(
        f"{STARRED} All in all {cost} for CloudWatch (GetMetricData, $0.01 per 1,000 metrics, list price) and "
        f"{minutes} at {CONTROL_PLANE_PER_S:g} calls a second to each Region's Lambda.{left_out} Nothing but "
        "ListFunctions was asked for this.",
        highlight=False,
    )


def _figures(some: Iterable[Estimate]) -> tuple[str, ...]:
    """The cells of one Region, or the total of several."""
    all_of = list(some)
    return (
        f"{sum(each.functions for each in all_of):,}",
        f"{sum(each.first_metrics for each in all_of):,}",
        cents(sum(each.first_usd for each in all_of)),
        f"{sum(each.most_metrics for each in all_of):,}",
        cents(sum(each.most_usd for each in all_of)),
        f"{sum(each.calls for each in all_of):,}",
    )


def cents(usd: float) -> str:
    """`$1.23`; `under $0.01` for what is more than nothing."""
    return "under $0.01" if 0 < usd < CENT else f"${usd:,.2f}" if usd else "$0"


def _minutes(seconds: float) -> str:
    minutes = round(seconds / 60)
    return "under a minute" if seconds < 60 else f"about {minutes} minute{'s' if minutes > 1 else ''}"
