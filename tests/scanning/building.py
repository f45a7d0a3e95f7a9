"""What cases are built of: a runtime without SnapStart, target tracking, a capacity that stood all along."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from scanning.minutes import steady, traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from localaws import Traffic
    from localaws.wire import Json
    from scanning.known import Setting
    from scanning.minutes import FloatArray

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
) -> Callable[[Setting], dict[str, Traffic]]:
    """A function whose alias `live` had this capacity (None: none) for as long as anybody can see."""

    def build(at: Setting) -> dict[str, Traffic]:
        at.aws.create_function(at.function, runtime=runtime, memory_mb=memory_mb, reserved=reserved, tags=tags)
        if capacity is not None:
            at.aws.set_provisioned(at.function, "live", capacity, at=at.now - LONG_AGO)
        load = demand(at) if callable(demand) else steady(demand)
        return {"live": traffic(load, at.random, duration_s=duration_s, capacity=capacity, reserved=reserved)}

    return build
