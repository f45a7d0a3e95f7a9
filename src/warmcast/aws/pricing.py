"""AWS's price list as Warmcast needs it: Lambda's products of a Region, and a price book that is always there.

The only module that calls the Price List API. Reads only. It needs `pricing:GetProducts`, and nothing goes wrong
without: the book then falls back on the bundled table and says so.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Final

from warmcast.aws.answers import translated
from warmcast.errors import AwsError
from warmcast.pricebook import ListedPrice, Tier, from_price_list, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from mypy_boto3_pricing import PricingClient

    from warmcast.pricebook import PriceBook

ENDPOINT_REGION: Final = "us-east-1"
"""The Price List API has an endpoint in few Regions; each answers for all of them."""

SERVICE_CODE: Final = "AWSLambda"
_MOST_PAGES: Final = 20


class Pricing:
    """Reads Lambda's prices; `client` is that of `ENDPOINT_REGION`."""

    def __init__(self, client: PricingClient) -> None:
        self._client = client

    def products(self, region: str) -> list[ListedPrice]:
        """Lambda's products of a Region; raises AwsError. Products that can't be read are left out."""
        found = [_product(text) for text in self._price_list(region)]
        return [product for product in found if product]

    def _price_list(self, region: str) -> Iterator[str]:
        """The JSON of each product, page by page; a Region has about 60 of them, so one page is enough."""
        with translated("GetProducts"):
            pages = self._client.get_paginator("get_products").paginate(
                ServiceCode=SERVICE_CODE,
                Filters=[{"Type": "TERM_MATCH", "Field": "regionCode", "Value": region}],
                FormatVersion="aws_v1",
                PaginationConfig={"MaxItems": 100 * _MOST_PAGES, "PageSize": 100},
            )
            for page in pages:
                yield from page["PriceList"]


def price_book(pricing: Pricing, *, regions: Sequence[str], today: date) -> PriceBook:
    """The book of the Regions by AWS's price list; by the bundled table, with a note, where AWS says no."""
    products: list[ListedPrice] = []
    for region in sorted(set(regions)):
        try:
            products += pricing.products(region)
        except AwsError as error:
            return listed().noting(f"the AWS Price List could not be read ({error.code}): {_remedy(error)}")
    if not products:
        return listed().noting("the AWS Price List has no products of Lambda in these Regions: bundled prices instead")
    return from_price_list(products, read_on=today, regions=regions)


def _remedy(error: AwsError) -> str:
    """What the user can do, where anything helps."""
    if error.code.startswith("AccessDenied"):
        return "allow pricing:GetProducts, or pass your own with --prices; bundled prices instead"
    return f"{error.message}; bundled prices instead"


# --- the JSON of a product -------------------------------------------------------------------------------------------


def _product(text: str) -> ListedPrice | None:
    """One product; None where it is not of the form known, has no Region, or costs nothing (the free tier's do)."""
    try:
        item = json.loads(text)
        attributes = item["product"]["attributes"]
        tiers = [
            _tier(each) for term in item["terms"]["OnDemand"].values() for each in term["priceDimensions"].values()
        ]
        paid = tuple(sorted((tier for tier in tiers if tier.usd_per_gb_s > 0), key=lambda tier: tier.from_gb_s))
        region, group, usage = (str(attributes.get(key, "")) for key in ("regionCode", "group", "usagetype"))
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    return ListedPrice(region, group, usage, paid) if region and paid else None


def _tier(dimension: Mapping[str, object]) -> Tier:
    price = dimension["pricePerUnit"]
    start, usd = float(str(dimension["beginRange"])), float(price["USD"]) if isinstance(price, dict) else math.nan
    if not (math.isfinite(start) and math.isfinite(usd)):
        raise ValueError(dimension)
    return Tier(start, usd)
