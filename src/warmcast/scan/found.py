"""The words of a scan: what stands in an account, how it was used, and what is said of it. Data, nothing more."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from warmcast.scan.spreading import spread

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from warmcast.model import AccountLimits, Capacity, FloatArray
    from warmcast.prices import UnitPrices

# --- what stands there -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One account's Region, and the AWS profile that led there (empty: the usual chain of credentials)."""

    account: str
    region: str
    profile: str = ""

    def __str__(self) -> str:
        return f"{self.account}/{self.region}"


@dataclass(frozen=True, slots=True)
class AliasSeen:
    """An alias: its version and routing weights (share of traffic by other version; empty: none)."""

    version: str
    weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Tracking:
    """A target-tracking policy of Application Auto Scaling.

    Args:
        target: the utilization it keeps, a fraction; for a customized metric the target in the metric's unit.
        metric: `LambdaProvisionedConcurrencyUtilization`, or a customized metric described in words.
        predefined: whether it is AWS's own metric with the statistic Average, which idles without data.
        scale_in: whether it may scale in.
    """

    name: str
    target: float
    metric: str
    predefined: bool
    scale_in: bool = True


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A scheduled action of Application Auto Scaling, as it stands there.

    Args:
        expression: `cron(...)`, `at(...)` or `rate(...)`.
        timezone: IANA name; empty: UTC.
        start, end: bounds of the recurrence, None where there are none.
        minimum, maximum: the capacity that it sets; None leaves it.
    """

    name: str
    expression: str
    timezone: str = ""
    start: datetime | None = None
    end: datetime | None = None
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """A scaling activity: when it began, the capacity that it set where its text tells, and why."""

    at: datetime
    capacity: int | None
    description: str
    cause: str
    status: str


@dataclass(frozen=True, slots=True)
class Scaling:
    """A scalable target with its policies and scheduled actions; newest activity first."""

    minimum: int
    maximum: int
    tracking: tuple[Tracking, ...] = ()
    scheduled: tuple[Scheduled, ...] = ()
    activities: tuple[Activity, ...] = ()
    suspended: tuple[str, ...] = ()
    ours: bool = False


TARGETS = "scalable targets"
"""What an entry of `FunctionSeen.unread` begins with where those of a function could not be read."""


@dataclass(frozen=True, slots=True)
class FunctionSeen:
    """A function with everything of it that a survey reads.

    Args:
        runtime: such as `python3.13`; empty for a container image.
        snap_start: whether SnapStart is on for published versions.
        file_system: whether it mounts one.
        ineligible: why its published versions can't have provisioned concurrency; empty if they can.
        stack: the CloudFormation stack that made it, by its tag; empty: none known.
        reserved: reserved concurrency; None: none.
        aliases: by name; empty too where they were not read, because nothing hinted at provisioned concurrency.
        provisioned: by qualifier.
        scaling: by qualifier.
        newest_version: highest published version that was seen (through an alias, or a listing); empty: not known.
        unread: what could not be read of it, in words; empty: everything was.
    """

    name: str
    runtime: str
    package: str
    memory_mb: int
    architecture: str
    timeout_s: float
    ephemeral_mb: int = 512
    snap_start: bool = False
    file_system: bool = False
    ineligible: str = ""
    stack: str = ""
    reserved: int | None = None
    aliases: Mapping[str, AliasSeen] = field(default_factory=lambda: MappingProxyType({}))
    provisioned: Mapping[str, Capacity] = field(default_factory=lambda: MappingProxyType({}))
    scaling: Mapping[str, Scaling] = field(default_factory=lambda: MappingProxyType({}))
    newest_version: str = ""
    unread: tuple[str, ...] = ()

    @property
    def targets_unread(self) -> bool:
        """Whether its scalable targets could not be read, so that Application Auto Scaling may own its capacity."""
        return any(what.startswith(TARGETS) for what in self.unread)


@dataclass(frozen=True, slots=True)
class Denial:
    """A part of an account that could not be read: where, which operation, AWS's words, and how to mend it."""

    place: Place
    operation: str
    code: str
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """What one account's Region holds; `account` None where its limits could not be read."""

    place: Place
    functions: tuple[FunctionSeen, ...] = ()
    account: AccountLimits | None = None
    denials: tuple[Denial, ...] = ()


# --- how it was used -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Usage:
    """What CloudWatch says of one alias or version, in steps; all arrays of shape (N,), oldest first.

    Args:
        start: epoch seconds at which the first step begins.
        step_s: length of a step.
        invocations: number, throttled ones not counted; 0 where idle, NaN where not known.
        duration_s: mean duration of an execution; NaN where nothing ran or it is not known.
        peak: most concurrent executions; NaN likewise.
        throttles: number; 0 where none.
        spilled: invocations that provisioned concurrency did not serve; NaN without provisioned concurrency.
        provisioned: most environments of provisioned concurrency in use at once; NaN where none reported.
        utilization: highest utilization of them, a fraction; NaN likewise.
        capacity: provisioned concurrency that stood in each step, as far as it can be told (CloudWatch has no metric of
            it): from in use / utilization, scaling activities, and what stands there now.
        certain: whether `capacity` is told by data in that step (True), or is carried over from a neighbour (False).
        of_function: invocations of the whole function, whatever the qualifier, in the whole time.
        by_version: invocations in the last day by executed version, for aliases with weights.
        complete: whether CloudWatch answered everything.
        note: what is missing, in words.
    """

    start: int
    step_s: int
    invocations: FloatArray
    duration_s: FloatArray
    peak: FloatArray
    throttles: FloatArray
    spilled: FloatArray
    provisioned: FloatArray
    utilization: FloatArray
    capacity: FloatArray
    certain: FloatArray
    of_function: float
    by_version: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    complete: bool = True
    note: str = ""

    @property
    def days(self) -> float:
        """Length of the time looked at, in days."""
        return len(self.invocations) * self.step_s / 86_400

    @property
    def demand(self) -> FloatArray:
        """Offered load in concurrent executions of each step (Little's law, throttles included), shape (N,).

        Executions longer than a step count in the steps in which they run (`warmcast.scan.spreading`).
        """
        known = float(np.nansum(self.invocations * np.nan_to_num(self.duration_s)))
        count = float(np.nansum(np.where(np.isnan(self.duration_s), 0.0, self.invocations)))
        mean_s = known / count if count > 0 else 0.0
        duration_s = np.where(np.isnan(self.duration_s), mean_s, self.duration_s)
        requests = self.invocations + np.nan_to_num(self.throttles)
        demand: FloatArray = spread(requests * duration_s, duration_s, step_s=self.step_s) / self.step_s
        return demand


# --- what is said of it ----------------------------------------------------------------------------------------------


class Owner(StrEnum):
    """Who sets the capacity, as far as can be told."""

    STACK = "CloudFormation"
    AUTO_SCALING = "Application Auto Scaling"
    WARMCAST = "Warmcast"
    UNKNOWN = "unknown"
    NOBODY = "nobody"


class Verdict(StrEnum):
    """What to do about an alias's provisioned concurrency. The order is that in which they are looked for."""

    STUCK = "stuck"
    UNREACHABLE = "unreachable"
    ORPHAN = "orphan"
    REQUEST_BOUND = "request-bound"
    NEVER_SCALED_IN = "idle but never scaled in"
    NEVER_HERE = "never buy it here"
    DROP = "drop it"
    SNAP_START = "SnapStart instead"
    SCHEDULE = "schedule it"
    TOO_HIGH = "too high"
    TOO_LOW = "too low"
    KEEP = "keep"
    BUY = "buy it"
    NO = "no"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact that a verdict rests on: a sentence with its number, and where the number comes from."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Figures:
    """The numbers of one alias. USD are list prices or those of `Scan.prices_source`, a month is 730 hours.

    Args:
        days: of history that was looked at.
        known_share: share of the steps that are known.
        invocations: in that time.
        mean_demand, peak_demand: concurrent executions; the peak is the highest measured concurrency.
        mean_duration_s: of an execution; None where nothing ran.
        mean_capacity: provisioned concurrency over that time.
        utilization: executions it served / capacity, over the time.
        spillover: share of invocations that it did not serve; None without provisioned concurrency.
        throttles: number.
        cold_starts_bound: most cold starts there can have been: spilled invocations, all of them without capacity.
        cold_starts: modelled with what stood there; cold_starts_without: modelled without any.
        need: the constant capacity that would have kept the objective; need_by_rate: what the request rate asks of it.
        allocated_usd: a month of what stood there. idle_usd: of it, for capacity that was not in use.
        worth_usd: a month's difference of duration rates that it earned.
        need_usd: a month of `need`. table_usd: a month of the best weekly table at the same spillover, allocation.
        usd_per_cold_start: (allocation - worth) / cold starts avoided; None where none are avoided.
        break_even: utilization above which provisioned concurrency is cheaper than on demand.
    """

    days: float
    known_share: float
    invocations: float
    mean_demand: float
    peak_demand: float
    mean_duration_s: float | None
    mean_capacity: float
    utilization: float
    spillover: float | None
    throttles: float
    cold_starts_bound: float
    cold_starts: float
    cold_starts_without: float
    need: int
    need_by_rate: int
    allocated_usd: float
    idle_usd: float
    worth_usd: float
    need_usd: float
    table_usd: float
    usd_per_cold_start: float | None
    break_even: float


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """The scan's word on one alias or version.

    Args:
        capacity: what stands there now; None without provisioned concurrency.
        usage: None where it was not measured.
        amount: units to have instead, where the verdict has one.
        monthly_usd: what following the verdict changes of the bill in a month; negative saves.
        todo: what to do about it: a command or a sentence.
    """

    place: Place
    function: FunctionSeen
    qualifier: str
    version: str
    capacity: Capacity | None
    owner: Owner
    prices: UnitPrices
    usage: Usage | None
    figures: Figures | None
    verdict: Verdict
    evidence: tuple[Evidence, ...]
    amount: int | None = None
    monthly_usd: float = 0.0
    todo: str = ""

    @property
    def name(self) -> str:
        """`function:qualifier`."""
        return f"{self.function.name}:{self.qualifier}"


class Pressure(StrEnum):
    """What a limit of concurrency is worth a word for."""

    RESERVATION_TOO_LOW = "raise the reservation"
    RESERVE = "reserve concurrency"
    RESERVATION_IDLE = "reservation hardly used"
    QUOTA = "ask for a higher quota"
    FINE = "fine"


@dataclass(frozen=True, slots=True)
class ConcurrencyRow:
    """A limit of concurrency: the account's (function empty) or a function's reservation.

    Args:
        limit: the account's concurrency, or what the function reserves; None: nothing is reserved.
        peak: highest concurrency in the time looked at. throttles: number in that time.
        left: what the account has left unreserved; only in the account's row.
    """

    place: Place
    function: str
    limit: int | None
    peak: float
    throttles: float
    pressure: Pressure
    evidence: tuple[Evidence, ...]
    left: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """Everything that a scan tells.

    Args:
        at: when it was made. days: of history that was asked for.
        findings: sorted by what to do: most money first.
        skipped: functions without provisioned concurrency and with too little traffic to be measured, by place.
        cost_explorer_usd: what Cost Explorer says of Lambda's provisioned concurrency in the last full month, by
            account; empty where the role may not read it.
        metrics_requested: series read from CloudWatch, which AWS bills. calls: requests by `service.Operation`.
        interrupted: whether it was stopped before its end.
        cold_start_usd: what avoiding one cold start was taken to be worth.
    """

    at: datetime
    days: int
    places: tuple[Place, ...]
    findings: tuple[Finding, ...]
    concurrency: tuple[ConcurrencyRow, ...] = ()
    denials: tuple[Denial, ...] = ()
    skipped: Mapping[Place, int] = field(default_factory=lambda: MappingProxyType({}))
    prices_source: str = ""
    cost_explorer_usd: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    metrics_requested: int = 0
    calls: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    interrupted: bool = False
    cold_start_usd: float = 0.01
