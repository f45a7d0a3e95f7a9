"""What cases are built of: a runtime without SnapStart, target tracking, a capacity that stood all along."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from scanning.minutes import steady, traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from localaws import Traffic
    from localaws.wire import Json
    from scanning.known import Setting
    from scanning.minutes import FloatArray

    Build = Callable[[Setting], dict[str, Traffic]]

NODE: Final = "nodejs22.x"
"""A runtime that SnapStart does not know (docs.aws.amazon.com/lambda/latest/dg/snapstart.html)."""

LONG_AGO: Final = timedelta(days=90)

TRACKING: Final[Json] = {
    "TargetValue": 0.7,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "LambdaProvisionedConcurrencyUtilization"},
}
"""AWS's own metric: its alarm has no data while nobody calls."""

OUR_TRACKING: Final[Json] = {
    "TargetValue": 0.7,
    "CustomizedMetricSpecification": {
        "Metrics": [
            {"Id": "used", "Expression": "FILL(m1, 0)", "Label": "utilization, idle as zero", "ReturnData": True}
        ]
    },
}
"""What Warmcast puts: the highest utilization, an idle minute read as zero."""

STACK: Final = "aws:cloudformation:stack-name"


def constant(
    demand: float | Callable[[Setting], FloatArray],
    capacity: int | None,
    *,
    memory_mb: int = 1024,
    runtime: str = NODE,
    duration_s: float = 0.5,
    reserved: int | None = None,
    tags: Mapping[str, str] | None = None,
) -> Build:
    """A function whose alias `live` had this capacity (None: none) for as long as anybody can see."""

    def build(at: Setting) -> dict[str, Traffic]:
        at.aws.create_function(at.function, runtime=runtime, memory_mb=memory_mb, reserved=reserved, tags=tags)
        if capacity is not None:
            at.aws.set_provisioned(at.function, "live", capacity, at=at.now - LONG_AGO)
        load = demand(at) if callable(demand) else steady(demand)
        return {"live": traffic(load, at.random, duration_s=duration_s, capacity=capacity, reserved=reserved)}

    return build


def scheduled(build: Build) -> Build:
    """The same with a scalable target and scheduled actions: office hours in London, and one that has no equal."""

    def with_actions(at: Setting) -> dict[str, Traffic]:
        parts = build(at)
        london = {"Timezone": "Europe/London"}
        actions: list[Json] = [
            {
                "ScheduledActionName": "opening",
                "Schedule": "cron(0 8 ? * MON-FRI *)",
                "ScalableTargetAction": {"MinCapacity": 20, "MaxCapacity": 40},
                **london,
            },
            {
                "ScheduledActionName": "closing",
                "Schedule": "cron(0 19 ? * MON-FRI *)",
                "ScalableTargetAction": {"MinCapacity": 2, "MaxCapacity": 40},
                **london,
            },
            {
                "ScheduledActionName": "now and then",
                "Schedule": "rate(36 hours)",
                "ScalableTargetAction": {"MinCapacity": 25},
            },
        ]
        at.aws.load_scaling(at.function, "live", 2, 40, scheduled=actions)
        return parts

    return with_actions


def logged(build: Build) -> Build:
    """The same with three days of report lines, one of a hundred a cold start of 0.4 to 2 s."""

    def with_reports(at: Setting) -> dict[str, Traffic]:
        parts = build(at)
        count = 3000
        ends_ms = at.now.timestamp() * 1000 - 3_600_000
        at_ms = np.sort(ends_ms - at.random.uniform(0, 3 * 86_400_000, count))
        init_ms = np.where(at.random.random(count) < 0.01, at.random.uniform(400, 2000, count), np.nan)
        environment = np.cumsum(~np.isnan(init_ms))  # each cold start is a new one
        duration_ms = at.random.uniform(300, 700, count)
        at.aws.load_reports(at.function, at_ms, duration_ms=duration_ms, init_ms=init_ms, environment=environment)
        return parts

    return with_reports
