"""What a tick did, for every target."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from warmcast.model.decided import Outcome, Result

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from warmcast.model.seen import Fault
    from warmcast.model.target import Mode


@dataclass(frozen=True, slots=True)
class Row:
    """One target in a tick's report.

    Args:
        allocated: provisioned concurrency allocated as last read; None where never read.
        spillover: share of the last hour's invocations that provisioned concurrency did not serve; None if not known.
        fault: why its history could not be read; rules still held then.
    """

    outcome: Outcome
    mode: Mode
    allocated: int | None = None
    spillover: float | None = None
    fault: str = ""

    @property
    def failed(self) -> bool:
        """Whether something failed or was refused, be it in part (a write that was applied, but for its policy)."""
        written = self.outcome.result in {Result.APPLIED, Result.FLOOR_LOWERED}
        in_part = written and bool(self.outcome.error_code)
        return bool(self.fault) or in_part or self.outcome.result in {Result.FAILED, Result.REFUSED}


class TickStatus(StrEnum):
    """How a tick ended."""

    DONE = "done"
    LOCKED = "locked"  # another tick holds the lock: this one did nothing


@dataclass(frozen=True, slots=True)
class TickReport:
    """What a tick did, for every target.

    Args:
        faults: what went wrong beside the targets' own rows (account limits, control table).
        findings: what is wrong with the fleet, in words; the targets concerned are held.
        calls: AWS API calls by operation.
        metrics_requested: CloudWatch series read ($0.01 per 1,000).
    """

    at: datetime
    fleet_version: str
    status: TickStatus = TickStatus.DONE
    dry_run: bool = False
    rows: tuple[Row, ...] = ()
    faults: tuple[Fault, ...] = ()
    findings: tuple[str, ...] = ()
    duration_s: float = 0.0
    calls: Mapping[str, int] = field(default_factory=dict)
    metrics_requested: int = 0

    @property
    def failed(self) -> tuple[Row, ...]:
        """The rows of targets for which something failed or was refused."""
        return tuple(row for row in self.rows if row.failed)
