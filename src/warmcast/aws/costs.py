"""Cost Explorer as Warmcast needs it: what provisioned concurrency was billed in the last full month, by account.

The only module that calls Cost Explorer. Reads only, but each request costs $0.01, so it is asked only on demand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from warmcast.aws.answers import translated
from warmcast.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from mypy_boto3_ce import CostExplorerClient
    from mypy_boto3_ce.type_defs import GroupTypeDef

ENDPOINT_REGION: Final = "us-east-1"
USD_PER_REQUEST: Final = 0.01
"""What Cost Explorer charges for each page of an answer (aws.amazon.com/aws-cost-management/aws-cost-explorer/faqs)."""

METRIC: Final = "AmortizedCost"
"""With a Savings Plan the unblended cost of what it covers nets to zero; the amortized cost is what was paid for it."""

_ALLOCATION: Final = "Lambda-Provisioned-Concurrency"
_MOST_PAGES: Final = 20


@dataclass(frozen=True, slots=True)
class Bill:
    """What Cost Explorer says of the allocation of provisioned concurrency.

    Args:
        month: its first day.
        usd: by account (12 digits), both architectures and all Regions; None: it could not be read, see `note`.
        requests: that it took, for what they cost.
        note: in words, what the figure is, or why there is none.
    """

    month: date
    usd: Mapping[str, float] | None
    requests: int
    note: str


class Costs:
    """Reads the bill; `client` is that of `ENDPOINT_REGION`.

    Attributes:
        requests: made so far; each is charged for.
    """

    def __init__(self, client: CostExplorerClient) -> None:
        self._client = client
        self.requests = 0

    def last_month(self, today: date) -> Bill:
        """The allocation of provisioned concurrency in the last full month; never raises AwsError."""
        end = today.replace(day=1)
        start = (end - timedelta(days=1)).replace(day=1)
        before = self.requests
        usd: dict[str, float] = {}
        try:
            for group in self._groups(start, end):
                account, usage_type = group["Keys"]
                if _ALLOCATION in usage_type:
                    usd[account] = usd.get(account, 0.0) + float(group["Metrics"][METRIC]["Amount"])
        except AwsError as error:
            return Bill(start, None, self.requests - before, _why(error))
        note = f"Cost Explorer, {METRIC}, {start:%B %Y}, usage types {_ALLOCATION}[-ARM], all Regions"
        return Bill(start, MappingProxyType(usd), self.requests - before, note)

    def _groups(self, start: date, end: date) -> Iterator[GroupTypeDef]:
        """Lambda's costs by account and usage type; filtering usage types by their end is not offered, so all come."""
        token = ""
        for _ in range(_MOST_PAGES):
            more = {"NextPageToken": token} if token else {}
            with translated("GetCostAndUsage"):
                self.requests += 1
                page = self._client.get_cost_and_usage(
                    TimePeriod={"Start": start.isoformat(), "End": end.isoformat()},
                    Granularity="MONTHLY",
                    Metrics=[METRIC],
                    Filter={"Dimensions": {"Key": "SERVICE", "Values": ["AWS Lambda"]}},
                    GroupBy=[
                        {"Type": "DIMENSION", "Key": "LINKED_ACCOUNT"},
                        {"Type": "DIMENSION", "Key": "USAGE_TYPE"},
                    ],
                    **more,
                )
                groups = [group for period in page["ResultsByTime"] for group in period.get("Groups", [])]
            yield from groups
            token = page.get("NextPageToken", "")
            if not token:
                return


def _why(error: AwsError) -> str:
    """Why there is no figure, and what helps."""
    if error.code.startswith("AccessDenied"):
        return (
            "Cost Explorer could not be read (AccessDenied): allow ce:GetCostAndUsage, or ask with the payer's profile"
        )
    if error.code == "DataUnavailableException":
        return "Cost Explorer has no data yet: it takes about a day after it is enabled for the account"
    return f"Cost Explorer could not be read ({error.code}): {error.message}"
