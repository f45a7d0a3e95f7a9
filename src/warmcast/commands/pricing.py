"""Where a command's prices come from: AWS's price list, the bundled table, and a file of the user's over either."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from warmcast.aws import costs
from warmcast.aws.pricing import ENDPOINT_REGION, Pricing, price_book
from warmcast.commands.printing import count
from warmcast.errors import PriceFileError
from warmcast.pricebook import listed
from warmcast.pricefile import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from warmcast.aws.readers import Readers
    from warmcast.pricebook import PriceBook
    from warmcast.pricefile import PriceFile

F = TypeVar("F", bound="Callable[..., Any]")


def prices_option(command: F) -> F:
    """`--prices FILE`: prices of one's own, tiers and Savings Plans."""
    return click.option(
        "--prices",
        "prices_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Your own prices, tiers and Savings Plan over AWS's (docs/prices.md).",
    )(command)


def own_prices(prices_file: Path | None) -> PriceFile | None:
    """What `--prices` names; None: nothing.

    Raises:
        PriceFileError: the file can't be used.
    """
    if prices_file is None:
        return None
    try:
        return parse(prices_file.read_bytes(), str(prices_file))
    except OSError as error:
        raise PriceFileError(f"{prices_file}: can't be read: {error.strerror}") from error


def book_for(readers: Readers | None, *, prices_file: Path | None, regions: Sequence[str], today: date) -> PriceBook:
    """The price book of these Regions, the file's prices over AWS's.

    Args:
        readers: of any account that may read AWS's price list; None: it is not asked, the bundled table holds.
        prices_file: what `--prices` names; None: nothing.
        regions: whose prices are needed.
        today: shown in the source.

    Raises:
        PriceFileError: the file can't be used. AWS saying no is a note in the book, never an error.
    """
    file = own_prices(prices_file)
    book = listed()
    if readers:
        pricing = Pricing(readers.client("pricing", region=ENDPOINT_REGION))
        book = price_book(pricing, regions=regions, today=today)
    return book.over(file) if file else book


def billed(readers: Sequence[Readers], *, today: date) -> Mapping[str, float]:
    """What provisioned concurrency was billed in the last full month, by account; tells what asking cost, and why not.

    Each account among the readers is asked once. A payer's bill has its members' accounts too.
    """
    usd: dict[str, float] = {}
    requests = 0
    for one in {each.place.account: each for each in readers}.values():
        bill = costs.Costs(one.client("ce", region=costs.ENDPOINT_REGION)).last_month(today)
        requests += bill.requests
        usd |= bill.usd or {}
        click.echo(f"{one.place.account}: {bill.note}", err=True)
    cost = requests * costs.USD_PER_REQUEST
    click.echo(
        f"Cost Explorer: {count(requests, 'request')}, billed at ${costs.USD_PER_REQUEST}: ${cost:.2f}", err=True
    )
    return usd
