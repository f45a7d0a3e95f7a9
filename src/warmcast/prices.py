"""Prices: what AWS charges for Lambda in each Region. A dated table; reads nothing.

The figures serve to weigh capacity against its use, and to report cost. They are list prices of the first tier: no
savings plan, no free tier. Where cost is billed on, read the AWS Price List instead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

AS_OF = "2024, us-east-1 checked again in 2025-26"
"""Age of the table. Its source: the AWS pricing calculator's Lambda price file."""

FALLBACK_REGION = "us-east-1"
"""Where the table lacks a Region, this one's prices stand in, flagged `assumed`."""

SECONDS_PER_HOUR = 3600
MB_PER_GB = 1024


@dataclass(frozen=True, slots=True)
class UnitPrices:
    """Prices of one Region and architecture.

    Args:
        allocation_usd_per_gb_s: provisioned concurrency, used or not.
        duration_usd_per_gb_s: executions that provisioned concurrency serves.
        on_demand_usd_per_gb_s: executions that it does not serve.
        request_usd: one request, either way.
        assumed: some figure is not known for this Region and architecture and was filled in, as `unit_prices` says.
    """

    allocation_usd_per_gb_s: float
    duration_usd_per_gb_s: float
    on_demand_usd_per_gb_s: float
    request_usd: float
    assumed: bool = False

    @property
    def saving_usd_per_gb_s(self) -> float:
        """What a second of execution costs less on provisioned concurrency than on demand (allocation aside)."""
        return self.on_demand_usd_per_gb_s - self.duration_usd_per_gb_s

    @property
    def break_even(self) -> float:
        """Utilization of a unit above which it is cheaper than on demand; above 1 it never is.

        allocation / (on demand - duration): in us-east-1 0.0000041667 / (0.0000166667 - 0.0000097222) = 0.60.
        """
        saving = self.saving_usd_per_gb_s
        return self.allocation_usd_per_gb_s / saving if saving > 0 else math.inf

    def usd_per_unit_hour(self, memory_mb: int) -> float:
        """What one unit of provisioned concurrency of this much memory costs in an hour, idle."""
        return self.allocation_usd_per_gb_s * memory_mb / MB_PER_GB * SECONDS_PER_HOUR


def unit_prices(region: str, architecture: str) -> UnitPrices:
    """The prices of a Region and architecture (`x86_64` or `arm64`).

    An unknown Region gets those of us-east-1. For arm64, the source has all prices in us-east-1 only, and on demand
    where x86_64 is at the common $0.0000166667; the rest is 0.8 x x86_64, the pattern of what is known. Both are
    flagged `assumed`.
    """
    known = region in _X86_64
    x86_64 = _X86_64[region if known else FALLBACK_REGION]
    if architecture != "arm64":
        return replace(x86_64, assumed=not known)
    if region in _ARM64:
        return _ARM64[region]
    return UnitPrices(
        allocation_usd_per_gb_s=x86_64.allocation_usd_per_gb_s * _ARM64_SHARE,
        duration_usd_per_gb_s=x86_64.duration_usd_per_gb_s * _ARM64_SHARE,
        on_demand_usd_per_gb_s=x86_64.on_demand_usd_per_gb_s * _ARM64_SHARE,
        request_usd=x86_64.request_usd,
        assumed=True,
    )


_ARM64_SHARE = 0.8

_US = UnitPrices(0.0000041667, 0.0000097222, 0.0000166667, 0.20e-6)
_SYDNEY = UnitPrices(0.0000052360, 0.0000122173, 0.0000166667, 0.20e-6)
_TOKYO = UnitPrices(0.0000053835, 0.0000125615, 0.0000166667, 0.20e-6)

# Columns: allocation, duration on provisioned concurrency, duration on demand (USD per GB-second), one request.
_X86_64 = {
    "us-east-1": _US,
    "us-east-2": _US,
    "us-west-2": _US,
    "us-west-1": UnitPrices(0.0000049041, 0.0000114430, 0.0000166667, 0.20e-6),
    "ca-central-1": UnitPrices(0.0000046460, 0.0000108407, 0.0000166667, 0.20e-6),
    "eu-west-1": UnitPrices(0.0000046460, 0.0000108407, 0.0000166667, 0.20e-6),
    "eu-west-2": UnitPrices(0.0000048304, 0.0000112709, 0.0000166667, 0.20e-6),
    "eu-west-3": UnitPrices(0.0000048673, 0.0000113569, 0.0000166667, 0.20e-6),
    "eu-central-1": UnitPrices(0.0000050147, 0.0000117011, 0.0000166667, 0.20e-6),
    "eu-central-2": UnitPrices(0.0000055162, 0.0000128712, 0.0000183334, 0.22e-6),
    "eu-north-1": UnitPrices(0.0000044248, 0.0000103245, 0.0000166667, 0.20e-6),
    "eu-south-1": UnitPrices(0.0000048783, 0.0000113827, 0.0000195172, 0.23e-6),
    "ap-south-1": UnitPrices(0.0000044985, 0.0000104966, 0.0000166667, 0.20e-6),
    "ap-southeast-1": UnitPrices(0.0000051991, 0.0000121313, 0.0000166667, 0.20e-6),
    "ap-southeast-2": _SYDNEY,
    "ap-southeast-4": _SYDNEY,
    "ap-southeast-5": UnitPrices(0.0000046791, 0.0000109181, 0.0000150000, 0.18e-6),
    "ap-northeast-1": _TOKYO,
    "ap-northeast-3": _TOKYO,
    "ap-northeast-2": UnitPrices(0.0000051254, 0.0000119592, 0.0000166667, 0.20e-6),
    "ap-east-1": UnitPrices(0.0000057153, 0.0000133358, 0.0000229200, 0.28e-6),
    "sa-east-1": UnitPrices(0.0000066372, 0.0000154867, 0.0000166667, 0.20e-6),
    "me-south-1": UnitPrices(0.0000051108, 0.0000119251, 0.0000206667, 0.25e-6),
    "af-south-1": UnitPrices(0.0000055300, 0.0000129000, 0.0000221000, 0.27e-6),
}
_ARM64 = {"us-east-1": UnitPrices(0.0000033334, 0.0000077778, 0.0000133334, 0.20e-6)}
