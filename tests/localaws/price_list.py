"""Lambda's part of the AWS Price List, as GetProducts has it: one product a Region, architecture and kind of charge.

The prices are those of `warmcast.prices`, with whatever a test has set over them; the shape is the price list's
`aws_v1` (product, terms, price dimensions), the words and usage types as public extracts of it have them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from localaws.paging import page
from localaws.wire import ApiError
from warmcast.prices import unit_prices

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from localaws.wire import Call, Json

OPERATIONS = frozenset({"GetProducts"})
SERVICE = "AWSLambda"
ENDPOINTS = frozenset({"us-east-1", "eu-central-1", "ap-south-1"})
"""The Regions that have an endpoint of the Price List API (its user guide, "Using the AWS Price List Query API")."""

PREFIXES: Mapping[str, str] = {
    "us-east-1": "",
    "us-east-2": "USE2-",
    "us-west-1": "USW1-",
    "us-west-2": "USW2-",
    "ca-central-1": "CAN1-",
    "eu-west-1": "EU-",
    "eu-west-2": "EUW2-",
    "eu-west-3": "EUW3-",
    "eu-central-1": "EUC1-",
    "eu-central-2": "EUC2-",
    "eu-north-1": "EUN1-",
    "eu-south-1": "EUS1-",
    "ap-south-1": "APS3-",
    "ap-southeast-1": "APS1-",
    "ap-southeast-2": "APS2-",
    "ap-southeast-4": "APS6-",
    "ap-southeast-5": "APS7-",
    "ap-northeast-1": "APN1-",
    "ap-northeast-2": "APN2-",
    "ap-northeast-3": "APN3-",
    "ap-east-1": "APE1-",
    "sa-east-1": "SAE1-",
    "me-south-1": "MES1-",
    "af-south-1": "AFS1-",
}
"""What usage types begin with, by Region."""

_ARM = "-ARM"
_MOST_RESULTS = 100
_EFFECTIVE = "2026-10-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of charge: the product's group, its usage type without prefix, its unit, and the tiers of its price.

    Args:
        tiers: where each tier begins, by architecture, and its share of the first tier's price.
    """

    group: str
    usage: str
    unit: str
    operation: str
    tiers: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)


_TIERED = {
    "x86_64": ((0, 1.0), (6e9, 0.9), (15e9, 0.8)),
    "arm64": ((0, 1.0), (7.5e9, 0.9), (18.75e9, 0.8)),
}
KINDS = {
    "on_demand_usd_per_gb_s": Kind(
        "AWS-Lambda-Duration", "Lambda-GB-Second", "Lambda-GB-Second", "Invoke", tiers=_TIERED
    ),
    "duration_usd_per_gb_s": Kind(
        "AWS-Lambda-Duration-Provisioned", "Lambda-Provisioned-GB-Second", "Lambda-GB-Second", "Invoke"
    ),
    "allocation_usd_per_gb_s": Kind(
        "AWS-Lambda-Provisioned-Concurrency", "Lambda-Provisioned-Concurrency", "Lambda-GB-Second", ""
    ),
    "request_usd": Kind("AWS-Lambda-Requests", "Request", "Requests", "Invoke"),
}
"""By the name that `warmcast.prices.UnitPrices` gives the price."""


class PriceList:
    """The price list: one for all accounts."""

    def __init__(self) -> None:
        self._changed: dict[tuple[str, str, str], float | None] = {}

    def change(self, region: str, architecture: str, price: str, usd: float | None) -> None:
        """Set a price (by its name in `UnitPrices`) from now on; None takes the product off the list."""
        if price not in KINDS:
            raise ValueError(f"no such price: {price}; one of {', '.join(KINDS)}")
        self._changed[region, architecture, price] = usd

    def answer(self, call: Call) -> Json:
        """Carry GetProducts out."""
        if call.place.region not in ENDPOINTS:
            message = f"the Price List API has no endpoint in {call.place.region}: {', '.join(sorted(ENDPOINTS))}"
            raise ApiError("UnknownEndpoint", message, status=404)
        params = call.params
        if params.get("ServiceCode") != SERVICE:
            raise ApiError("NotImplemented", f"the local AWS has no prices of {params.get('ServiceCode')}", status=501)
        if params.get("FormatVersion", "aws_v1") != "aws_v1":
            raise ApiError("InvalidParameterException", "Format version is not valid")
        found = [item for item in self._items() if _passes(item["product"]["attributes"], params.get("Filters") or [])]
        size = min(_MOST_RESULTS, params.get("MaxResults", _MOST_RESULTS))
        part = page(found, token=params.get("NextToken", ""), size=size)
        content: Json = {"FormatVersion": "aws_v1", "PriceList": [json.dumps(item) for item in part.items]}
        return {**content, "NextToken": part.token} if part.token else content

    def _items(self) -> Iterator[Json]:
        for region in PREFIXES:
            for architecture in ("x86_64", "arm64"):
                prices = unit_prices(region, architecture)
                for name, kind in KINDS.items():
                    usd = self._changed.get((region, architecture, name), getattr(prices, name))
                    if usd is not None:
                        yield _item(region, architecture, kind, usd)


def _item(region: str, architecture: str, kind: Kind, usd: float) -> Json:
    suffix = _ARM if architecture == "arm64" else ""
    group = f"{kind.group}{suffix}"
    sku = hashlib.sha256(f"{region}/{group}".encode()).hexdigest()[:16].upper()
    attributes = {
        "regionCode": region,
        "servicecode": SERVICE,
        "groupDescription": f"{kind.group.removeprefix('AWS-Lambda-')} of Lambda functions on {architecture}",
        "usagetype": f"{PREFIXES[region]}{kind.usage}{suffix}",
        "locationType": "AWS Region",
        "location": region,
        "servicename": "AWS Lambda",
        "operation": kind.operation,
        "group": group,
    }
    term = f"{sku}.JRTCKXETXF"
    return {
        "product": {"productFamily": "Serverless", "attributes": attributes, "sku": sku},
        "serviceCode": SERVICE,
        "terms": {
            "OnDemand": {
                term: {
                    "priceDimensions": _dimensions(term, kind, architecture, usd),
                    "sku": sku,
                    "effectiveDate": _EFFECTIVE,
                    "offerTermCode": "JRTCKXETXF",
                    "termAttributes": {},
                }
            }
        },
        "version": "20261001000000",
        "publicationDate": _EFFECTIVE,
    }


def _dimensions(term: str, kind: Kind, architecture: str, usd: float) -> Json:
    tiers = kind.tiers.get(architecture, ((0, 1.0),))
    ends = [f"{begin:.0f}" for begin, _ in tiers[1:]] + ["Inf"]
    return {
        (code := f"{term}.TIER{number}"): {
            "unit": kind.unit,
            "beginRange": f"{begin:.0f}",
            "endRange": end,
            "description": f"{kind.group} - ${usd * share:.10f} per {kind.unit}",
            "appliesTo": [],
            "rateCode": code,
            "pricePerUnit": {"USD": f"{usd * share:.10f}"},
        }
        for number, ((begin, share), end) in enumerate(zip(tiers, ends, strict=True), start=1)
    }


def _passes(attributes: Mapping[str, str], filters: Sequence[Mapping[str, str]]) -> bool:
    return all(_passes_one(attributes, given) for given in filters)


def _passes_one(attributes: Mapping[str, str], given: Mapping[str, str]) -> bool:
    value = {**attributes, "productFamily": "Serverless"}.get(given["Field"], "")
    match given["Type"]:
        case "TERM_MATCH" | "EQUALS":
            return value.casefold() == given["Value"].casefold()
        case "CONTAINS":
            return given["Value"].casefold() in value.casefold()
        case "ANY_OF":
            return value.casefold() in given["Value"].casefold().split(",")
        case "NONE_OF":
            return value.casefold() not in given["Value"].casefold().split(",")
        case other:
            raise ApiError("InvalidParameterException", f"Filter type {other} is not supported")
