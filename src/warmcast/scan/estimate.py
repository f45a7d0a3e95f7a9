"""Estimate: what a scan will ask of AWS, and what that costs, before it asks for a single metric. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from warmcast.model.asked import MOST_DATAPOINTS, MOST_QUERIES, USD_PER_METRIC
from warmcast.scan.measure import ALWAYS, DAY_S, STEP_S, WITH_CAPACITY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from warmcast.scan.found import Place

CONTROL_PLANE_PER_S: Final = 4.0
"""Calls that Warmcast takes of the 15 a second that Lambda's control plane allows an account: under a third."""

PAGE: Final = 50
"""Functions in a page of ListFunctions, scalable targets in one of DescribeScalableTargets."""

METRIC_CALL_S: Final = 0.6
"""Of GetMetricData with 100,800 datapoints, its reading included: a round figure."""

REGION_METRICS: Final = 1
OF_FUNCTION: Final = 3
"""Of a function as a whole: invocations, highest concurrency, throttles."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a scan of one Region will take.

    Args:
        functions: that are there.
        first_metrics: series of the first pass, which reads the invocations of every function.
        most_metrics: of all passes together, if every function had one alias that is worth a closer look.
        calls: of Lambda's control plane at most; GetFunction, which has a limit of its own, left out.
        seconds: about how long at most.
    """

    place: Place
    functions: int
    first_metrics: int
    most_metrics: int
    calls: int
    seconds: float

    @property
    def first_usd(self) -> float:
        """What CloudWatch charges for the first pass."""
        return self.first_metrics * USD_PER_METRIC

    @property
    def most_usd(self) -> float:
        """What it charges for all of it, at most."""
        return self.most_metrics * USD_PER_METRIC


def estimate(place: Place, functions: int, *, days: int) -> Estimate:
    """What a scan of a Region with so many functions takes.

    Worked for 1,000 functions and 14 days: 1,000 series in the first pass (0.01 USD), 11,001 in all at the most
    (0.11 USD): of each function invocations, concurrency and throttles, and the 8 of an alias with provisioned
    concurrency; of the Region 1. Control plane: 20 pages of functions, then 2 calls a function, so 2,021 calls; at
    4 a second 505 s, and 326 calls of 0.6 s for the metrics.
    """
    of_alias = len(ALWAYS) + len(WITH_CAPACITY) + 1
    most_metrics = (OF_FUNCTION + of_alias) * functions + REGION_METRICS
    pages = max(1, math.ceil(functions / PAGE))
    calls = pages + 2 * functions + 1
    metric_calls = math.ceil(functions * OF_FUNCTION / MOST_QUERIES) + math.ceil(
        functions * of_alias * days * DAY_S / STEP_S / MOST_DATAPOINTS
    )
    seconds = calls / CONTROL_PLANE_PER_S + metric_calls * METRIC_CALL_S
    return Estimate(place, functions, functions, most_metrics, calls, seconds)


def altogether_s(estimates: Iterable[Estimate]) -> float:
    """About how long the whole takes: Regions are read side by side."""
    return max((each.seconds for each in estimates), default=0.0)
