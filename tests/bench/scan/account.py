"""The account that is scanned: few functions with provisioned concurrency, some busy, most nearly idle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from localaws import Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import numpy.typing as npt

    from localaws import Control

REGIONS: Final = ("us-east-1", "eu-west-1", "ap-southeast-2")
DAYS: Final = 14
SHAPES: Final = 5
"""Different days of traffic that the functions of a kind share."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many functions there are over all Regions.

    Args:
        functions: altogether. provisioned: of them, with provisioned concurrency on their alias.
        busy: without, and with over a thousand invocations a day.
    """

    functions: int = 2000
    provisioned: int = 120
    busy: int = 180


def prepare(aws: Control, size: Size, *, now: datetime, regions: Sequence[str] = REGIONS) -> None:
    """Make all functions, each Region's share of each kind, with a fortnight of minutes up to now."""
    random = np.random.default_rng(20261102)
    start = now.replace(second=0, microsecond=0) - timedelta(days=DAYS)
    for number, region in enumerate(regions):
        there = aws.elsewhere(region=region)
        names = [f"fn-{n:04}" for n in range(number, size.functions, len(regions))]
        for name in names:
            there.create_function(name)
        kept, busy = size.provisioned // len(regions), size.busy // len(regions)
        for name in names[:kept]:
            there.set_provisioned(name, "live", 20)
        for kind, per_minute, units in (
            (names[:kept], 1500.0, 20.0),
            (names[kept : kept + busy], 400.0, None),
            (names[kept + busy :], 0.05, None),
        ):
            for shape in range(min(SHAPES, len(kind))):
                there.load_traffic(_traffic(random, per_minute, units=units), kind[shape::SHAPES], "live", start)


def _traffic(random: np.random.Generator, per_minute: float, *, units: float | None = None) -> Traffic:
    """A fortnight of days that swell and fade, half a second an invocation."""
    minutes = np.arange(DAYS * 1440)
    swell = 1 - np.cos(2 * np.pi * (minutes / 1440 + random.random()))
    invocations: npt.NDArray[np.float64] = random.poisson(per_minute * swell).astype(np.float64)
    demand = invocations / 120
    return Traffic(
        invocations,
        invocations * 500.0,
        np.ceil(demand + 2 * np.sqrt(demand)),
        capacity=None if units is None else np.full(len(minutes), units),
    )
