"""What Warmcast itself costs per target and month, from what was counted. Pure.

List prices of us-east-1, no free tier. Sources: aws.amazon.com/cloudwatch/pricing (metrics requested, logs, alarms,
custom metrics), aws.amazon.com/dynamodb/pricing/on-demand, aws.amazon.com/lambda/pricing (as in `warmcast.prices`),
aws.amazon.com/eventbridge/pricing (14 million invocations of Scheduler a month are free for ever: a tick every five
minutes makes 8,760).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from warmcast.aws.metrics import USD_PER_METRIC
from warmcast.prices import unit_prices

if TYPE_CHECKING:
    from bench.day import Usage

USD_PER_WRITE_UNIT: Final = 0.625e-6
USD_PER_READ_UNIT: Final = 0.125e-6
USD_PER_TABLE_GB_MONTH: Final = 0.25
USD_PER_LOG_GB: Final = 0.50
USD_PER_ALARM: Final = 0.10
USD_PER_CUSTOM_METRIC: Final = 0.30
GB: Final = 1e9

HOURS_PER_MONTH: Final = 730
TICKS_PER_MONTH: Final = HOURS_PER_MONTH * 12
DAYS_PER_MONTH: Final = HOURS_PER_MONTH / 24
RECORDS_KEPT_DAYS: Final = 30

MB_PER_CORE: Final = 1769
"""Memory at which Lambda gives one core (docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html)."""

ASSUMED_LATENCY_S: Final = {"cloudwatch.GetMetricData": 1.0, "lambda.GetFunction": 0.05, "dynamodb.": 0.01}
"""How long a request takes that nothing else waits beside. Not measured: no AWS is at hand. Other requests take less
than the quarter of a second that they are kept apart."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One component of the bill, US dollars per target and month."""

    name: str
    usd: float
    basis: str


@dataclass(frozen=True, slots=True)
class Function:
    """The function as the template declares it."""

    memory_mb: int
    architecture: str

    @property
    def cores(self) -> float:
        """Processor that it gets."""
        return min(1.0, self.memory_mb / MB_PER_CORE)  # a tick works on one core


def tick_s(usage: Usage, function: Function) -> float:
    """Mean seconds that a tick would last in Lambda, on cores like this machine's."""
    return (usage.cpu_s / function.cores + usage.waited_s + latency_s(usage.calls)) / usage.ticks


def latency_s(calls: dict[str, int]) -> float:
    """Assumed time for which requests are waited for one by one."""
    return sum(
        count * seconds
        for operation, count in calls.items()
        for prefix, seconds in ASSUMED_LATENCY_S.items()
        if operation.startswith(prefix)
    )


def costs(usage: Usage, function: Function) -> list[Cost]:
    """What one target costs in a month, the largest first; what the stack costs without targets is `stack_usd`."""
    per_month = TICKS_PER_MONTH / usage.ticks / usage.targets
    series, written, read = usage.series * per_month, usage.written_units * per_month, usage.read_units * per_month
    logged_gb = usage.log_bytes * per_month / GB
    kept_gb = usage.record_bytes * per_month * RECORDS_KEPT_DAYS / DAYS_PER_MONTH / GB
    found = [
        Cost("CloudWatch metrics read", series * USD_PER_METRIC, f"{series:,.0f} series"),
        _lambda(usage, function),
        Cost(
            "control table",
            written * USD_PER_WRITE_UNIT + read * USD_PER_READ_UNIT + kept_gb * USD_PER_TABLE_GB_MONTH,
            f"{written:,.0f} write units, {read:,.0f} read units, {kept_gb * 1000:.1f} MB of records",
        ),
        Cost("log", logged_gb * USD_PER_LOG_GB, f"{logged_gb * 1000:.1f} MB taken in"),
    ]
    return sorted(found, key=lambda cost: -cost.usd)


def _lambda(usage: Usage, function: Function) -> Cost:
    prices = unit_prices("us-east-1", function.architecture)
    seconds = tick_s(usage, function)
    gb_s = seconds * function.memory_mb / 1024 * TICKS_PER_MONTH
    usd = gb_s * prices.on_demand_usd_per_gb_s + TICKS_PER_MONTH * prices.request_usd
    basis = f"{function.memory_mb} MB of {function.architecture}, {seconds:.1f} s a tick for {usage.targets} targets"
    return Cost("the function itself", usd / usage.targets, basis)


def stack_usd(alarms: int, metrics: int) -> float:
    """What a stack costs in a month whatever its fleet: alarms and the fleet's own metrics."""
    return alarms * USD_PER_ALARM + metrics * USD_PER_CUSTOM_METRIC
