"""Cost Explorer's GetCostAndUsage over charges that a test has entered, by account; everything else of it is moto's.

Filters and groups: the dimensions of `_DIMENSIONS`; tags, cost categories and forecasts are refused (501).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from localaws.wire import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from localaws.wire import Call, Json

OPERATIONS = frozenset({"GetCostAndUsage"})
ENDPOINT = "us-east-1"
"""Cost Explorer has one endpoint for all Regions (its API reference, "Service endpoint")."""

_DIMENSIONS = {"SERVICE": "service", "USAGE_TYPE": "usage_type", "REGION": "region", "LINKED_ACCOUNT": "account"}
_METRICS = ("UnblendedCost", "AmortizedCost", "BlendedCost", "NetUnblendedCost", "NetAmortizedCost", "UsageQuantity")


@dataclass(frozen=True, slots=True)
class Charge:
    """What a day's use of one kind cost; `quantity` in the usage type's unit (GB-seconds, requests)."""

    account: str
    day: date
    usage_type: str
    region: str
    usd: float
    quantity: float = 0.0
    service: str = "AWS Lambda"
    unit: str = "Lambda-GB-Second"


class CostsApi:
    """The bills of all accounts."""

    def __init__(self) -> None:
        self._charges: list[Charge] = []

    def enter(self, charge: Charge) -> None:
        """Put a charge on the bill."""
        self._charges.append(charge)

    def clear(self) -> None:
        """Forget all charges."""
        self._charges.clear()

    def answer(self, call: Call) -> Json:
        """Carry GetCostAndUsage out, for the caller's account."""
        if call.place.region != ENDPOINT:
            raise ApiError("UnknownEndpoint", f"Cost Explorer has its endpoint in {ENDPOINT} only", status=404)
        params = call.params
        metrics, keys = _metrics(params), [_dimension(group) for group in params.get("GroupBy") or []]
        charges = [
            charge
            for charge in self._charges
            if charge.account == call.place.account and _passes(charge, params.get("Filter"))
        ]
        results = [
            _result(period, [c for c in charges if period[0] <= c.day < period[1]], metrics, keys)
            for period in _periods(params)
        ]
        return {
            "GroupDefinitions": params.get("GroupBy") or [],
            "ResultsByTime": [{**result, "Estimated": False} for result in results],
            "DimensionValueAttributes": [],
        }


def _metrics(params: Json) -> list[str]:
    metrics = list(params.get("Metrics") or [])
    if not metrics or not set(metrics) <= set(_METRICS):
        raise ApiError("ValidationException", f"Invalid metrics {metrics}; valid: {', '.join(_METRICS)}")
    return metrics


def _dimension(group: Json) -> str:
    if group.get("Type") != "DIMENSION" or group.get("Key") not in _DIMENSIONS:
        raise ApiError("NotImplemented", f"the local AWS does not group costs by {group}", status=501)
    return _DIMENSIONS[group["Key"]]


def _passes(charge: Charge, wanted: Json | None) -> bool:
    """Whether a charge passes a filter expression."""
    if not wanted:
        return True
    match wanted:
        case {"And": parts}:
            return all(_passes(charge, part) for part in parts)
        case {"Or": parts}:
            return any(_passes(charge, part) for part in parts)
        case {"Not": part}:
            return not _passes(charge, part)
        case {"Dimensions": dimension} if dimension["Key"] in _DIMENSIONS:
            value = getattr(charge, _DIMENSIONS[dimension["Key"]])
            return _matches(value, dimension["Values"], dimension.get("MatchOptions") or ["EQUALS"])
        case other:
            raise ApiError("NotImplemented", f"the local AWS does not filter costs by {other}", status=501)


def _matches(value: str, wanted: Sequence[str], options: Sequence[str]) -> bool:
    for option in options:
        match option:
            case "EQUALS":
                found = value in wanted
            case "ENDS_WITH":
                found = value.endswith(tuple(wanted))
            case "STARTS_WITH":
                found = value.startswith(tuple(wanted))
            case "CONTAINS":
                found = any(part in value for part in wanted)
            case "CASE_SENSITIVE":
                continue
            case other:
                raise ApiError("NotImplemented", f"the local AWS does not know the match option {other}", status=501)
        if found:
            return True
    return False


def _periods(params: Json) -> Iterator[tuple[date, date]]:
    """The periods of a request: days, or months cut at both ends."""
    period = params["TimePeriod"]
    start, end = date.fromisoformat(period["Start"]), date.fromisoformat(period["End"])
    if start >= end:
        raise ApiError("ValidationException", "Start date (and hour) should be before end date (and hour)")
    while start < end:
        match params.get("Granularity"):
            case "DAILY":
                following = start + timedelta(days=1)
            case "MONTHLY":
                following = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
            case other:
                raise ApiError("NotImplemented", f"the local AWS does not add costs up by {other}", status=501)
        yield start, min(following, end)
        start = following


def _result(period: tuple[date, date], charges: Sequence[Charge], metrics: Sequence[str], keys: Sequence[str]) -> Json:
    content: Json = {"TimePeriod": {"Start": period[0].isoformat(), "End": period[1].isoformat()}}
    if not keys:
        return {**content, "Total": _totals(charges, metrics), "Groups": []}
    grouped: dict[tuple[str, ...], list[Charge]] = defaultdict(list)
    for charge in charges:
        grouped[tuple(getattr(charge, key) for key in keys)].append(charge)
    groups = [{"Keys": list(key), "Metrics": _totals(part, metrics)} for key, part in sorted(grouped.items())]
    return {**content, "Total": {}, "Groups": groups}


def _totals(charges: Sequence[Charge], metrics: Sequence[str]) -> Json:
    units = {charge.unit for charge in charges}
    quantity = {"Amount": str(sum(c.quantity for c in charges)), "Unit": units.pop() if len(units) == 1 else "N/A"}
    cost = {"Amount": f"{sum(charge.usd for charge in charges):.10f}", "Unit": "USD"}
    return {metric: quantity if metric == "UsageQuantity" else cost for metric in metrics}
