"""The account as a whole: every case prepared, its Regions' totals, one Region that may not be read, and its bill."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from scanning import used, wasted
from scanning.building import constant, logged, scheduled
from scanning.known import Case, prepare
from scanning.minutes import LENGTH, together
from warmcast.scan.found import Pressure

if TYPE_CHECKING:
    from datetime import datetime

    from localaws import Control, Traffic
    from scanning.known import Setting
    from scanning.minutes import FloatArray

HOME: Final = "us-east-1"
DENIED_REGION: Final = "ap-southeast-2"
"""Where the role may not list functions."""

FULL_REGION: Final = "us-west-2"
"""Where the account comes close to its limit every day."""


def _batch(at: Setting) -> FloatArray:
    """Hundreds at a time for an hour of each night."""
    return np.where(at.clock.of_day < 60, 860.0, 2.0)


CONCURRENCY: Final = (
    Case("resize-reserved-too-low", HOME, constant(25, None, reserved=20), pressure=Pressure.RESERVATION_TOO_LOW),
    Case("export-reserved-for-nothing", HOME, constant(3, None, reserved=200), pressure=Pressure.RESERVATION_IDLE),
    Case("settle-every-night", FULL_REGION, constant(_batch, None, memory_mb=128)),
)
"""Functions that say something of reservations and of the account's limit, and nothing certain of capacity."""

TO_TRY: Final = (
    Case("desk-by-schedule", HOME, scheduled(constant(8, 20))),
    Case("login-with-logs", HOME, logged(constant(2, 3))),
)
"""Functions with scheduled actions to import, and with cold starts in their logs; no verdict is held against them."""

CASES: Final = (*wasted.CASES, *used.CASES, *CONCURRENCY, *TO_TRY)
REGIONS: Final = (*dict.fromkeys(case.region for case in CASES), DENIED_REGION)
MONTHLY_BILL_USD: Final = 3100.0
"""What Cost Explorer says of provisioned concurrency, for each of the last two months."""


def prepare_account(aws: Control, *, now: datetime, seed: int = 20261102) -> None:
    """Make all of it in an empty local AWS, whose clock shows `now`."""
    regions: dict[str, list[Traffic]] = defaultdict(list)
    for number, case in enumerate(CASES):
        regions[case.region].append(prepare(case, aws, now=now, seed=seed + number))
    start = now.replace(second=0, microsecond=0) - timedelta(minutes=LENGTH + 1)
    for region, parts in regions.items():
        aws.elsewhere(region=region).load_metrics(together(parts).series({}, start))
    aws.deny("lambda:ListFunctions", region=DENIED_REGION)
    _bill(aws, now)


def _bill(aws: Control, now: datetime) -> None:
    """A charge a day over two months, so that the last full month is there whatever day it is."""
    for age in range(1, 63):
        day = (now - timedelta(days=age)).date()
        aws.enter_cost(day, MONTHLY_BILL_USD / 31, quantity=1e6)
