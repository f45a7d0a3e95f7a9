"""SnapStart: whether a function qualifies for it, and what it would cost. A dated table of prices; reads nothing.

Source: Lambda developer guide, snapstart (supported features and limitations; pricing): Java 11, Python 3.12 and .NET 8
and later, managed runtimes as .zip archives, both architectures; no provisioned concurrency, EFS or more than 512 MB of
ephemeral storage; all commercial Regions but two. It is free for Java; Python and .NET pay for the cached snapshot
while a version is active (3 hours at least) and for each restore, both by memory.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from warmcast.prices import MB_PER_GB

if TYPE_CHECKING:
    from warmcast.scan.found import FunctionSeen

CACHE_USD_PER_GB_S = 0.0000015046
RESTORE_USD_PER_GB = 0.0001397998
"""us-east-1, x86_64, read 2026; aws.amazon.com/lambda/pricing, through pages that quote it."""

AS_OF = "us-east-1's list prices of 2026, taken for every Region"

MOST_EPHEMERAL_MB = 512
NOT_IN = frozenset({"ap-southeast-6", "ap-east-2"})
"""New Zealand and Taipei; GovCloud and China are not commercial Regions and are left out by their names."""

_FIRST = {"java": (11, 0), "python": (3, 12), "dotnet": (8, 0)}
_RUNTIME = re.compile(r"(java|python|dotnet)(\d+)(?:\.(\d+))?$")
_OTHER_PARTITIONS = ("cn-", "us-gov-", "us-iso", "eu-isoe-", "eusc-")


def why_not(function: FunctionSeen, region: str) -> str:
    """Why a function can't have SnapStart; empty if it can."""
    found = _RUNTIME.match(function.runtime)
    if function.package != "Zip":
        return "container images have no SnapStart"
    if not found or (int(found[2]), int(found[3] or 0)) < _FIRST[found[1]]:
        return f"the runtime {function.runtime or 'of it'} has no SnapStart"
    if function.file_system:
        return "SnapStart does not support a file system"
    if function.ephemeral_mb > MOST_EPHEMERAL_MB:
        return f"SnapStart supports {MOST_EPHEMERAL_MB} MB of ephemeral storage at most"
    if region in NOT_IN or region.startswith(_OTHER_PARTITIONS):
        return f"SnapStart is not known to be available in {region}"
    return function.ineligible if not function.snap_start else ""


def monthly_usd(function: FunctionSeen, restores: float) -> float:
    """A month of SnapStart for one version: 0 for Java, else its cache for 730 hours and so many restores."""
    if function.runtime.startswith("java"):
        return 0.0
    gb = function.memory_mb / MB_PER_GB
    return gb * (CACHE_USD_PER_GB_S * 730 * 3600 + RESTORE_USD_PER_GB * restores)
