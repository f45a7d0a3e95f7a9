"""Cold starts as Lambda's own report lines tell them. Pure: lines in, counts and seconds out.

A report with `Init Duration` is the first invocation of a new environment, whoever started it: Lambda for a caller who
waited (a cold start), or provisioned concurrency ahead of all callers. What tells them apart, the surest first:

1. In JSON logs the environment's `platform.initStart` names its `initializationType`
   (docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html): certain.
2. What was billed. Since 2025-08-01 Lambda bills init with the invocation that waited for it, whatever the runtime and
   the package (aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase); init of provisioned
   concurrency is billed apart from any invocation, and its reports show it all the same:

   | duration | init    | billed | it is                                      |
   | -------- | ------- | ------ | ------------------------------------------ |
   | 492 ms   | 4831 ms | 5323   | a cold start: billed = duration + init     |
   | 492 ms   | 4831 ms | 493    | provisioned: billed = duration             |
   | 492 ms   | 4831 ms | 900    | unclear                                    |
   | 492 ms   | 0.4 ms  | 493    | unclear: both would be billed so           |

   Before that day only custom runtimes and container images billed it so. An older line that bills the duration alone
   may be either: unclear.

`Restore Duration` marks an environment that SnapStart restored: no init, counted apart.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

BIN_S: Final = 300
BILLED_SINCE: Final = datetime(2025, 8, 1, tzinfo=UTC)
"""From this day on init is billed with the invocation for every runtime and package."""

_ROUNDING_MS: Final = 1.0  # billed is the next whole millisecond of figures that are cut to two decimals themselves
_TEXT: Final = re.compile(r"(Billed Restore Duration|Restore Duration|Billed Duration|Init Duration|Duration): ([\d.]+) ms")
_VERSION: Final = re.compile(r"\[(\$LATEST|\d+)\]")


@dataclass(frozen=True, slots=True)
class LogGroup:
    """A log group: what it holds, and since when.

    Args:
        stored_bytes: as AWS counts what it stores, which is less than was written (it is compressed).
        retention_days: None: kept for ever.
        infrequent: of another class than Standard.
    """

    name: str
    stored_bytes: int
    retention_days: int | None
    created: datetime
    infrequent: bool = False


@dataclass(frozen=True, slots=True)
class ReportCount:
    """Invocations of one version in the five minutes that begin at `at`; version empty where no stream tells it."""

    version: str
    at: datetime
    reports: int


@dataclass(frozen=True, slots=True)
class InitLine:
    """A log line that tells of an initialisation or a restore, with its stream, which is one environment's."""

    at: datetime
    stream: str
    message: str
