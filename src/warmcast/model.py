"""The vocabulary of Warmcast as types: frozen records and enums, no behaviour beyond small derived values.

The words are those of the glossary (`docs/glossary.md`); every stage takes and returns these. Nothing here reads a
clock, the environment or AWS. Units: `_s` seconds, `_usd` US dollars, `_mb` mebibytes; demand is in concurrent
executions (erlangs); instants are aware datetimes called `at` or `now`; steps of a series are epoch seconds (UTC).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class Mode(StrEnum):
    """How far a policy trusts Warmcast."""

    OBSERVE = "observe"
    RAISE_ONLY = "raise-only"
    APPLY = "apply"


class Actuator(StrEnum):
    """Which AWS interface carries a capacity out."""

    DIRECT = "direct"
    AUTOSCALING = "autoscaling"


class Status(StrEnum):
    """The status of a provisioned concurrency config, in AWS's words."""

    READY = "READY"
    IN_PROGRESS = "IN_PROGRESS"
    FAILED = "FAILED"


@dataclass(frozen=True, order=True, slots=True)
class TargetId:
    """One alias or published version that Warmcast manages."""

    account: str
    region: str
    function: str
    qualifier: str

    def __str__(self) -> str:
        return f"{self.function}:{self.qualifier}"

    @property
    def arn(self) -> str:
        """The qualified ARN (partition `aws`)."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.function}:{self.qualifier}"


# --- what is known of a target -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Measured minutes (or 5-minute steps) of one target, oldest first, without holes in time: a gap is NaN.

    Args:
        start: epoch seconds at which the first step begins; a multiple of `step_s`.
        step_s: length of a step, 60 or 300.
        work_s: execution-seconds that began in the step (CloudWatch: Sum of Duration / 1000). NaN: not known.
        arrivals: invocations in the step, throttled ones not included. NaN: not known, or not read at this step.
        throttles: throttled invocations. NaN: not known or not read.
        peak: most concurrent executions within the step (Maximum of ConcurrentExecutions). NaN: not known or not read.
        spilled: invocations that provisioned concurrency did not serve. NaN: not known or not read.
    """

    start: int
    step_s: int
    work_s: FloatArray
    arrivals: FloatArray
    throttles: FloatArray
    peak: FloatArray
    spilled: FloatArray

    def __len__(self) -> int:
        return len(self.work_s)

    @property
    def end(self) -> int:
        """Epoch seconds at which the last step ends."""
        return self.start + self.step_s * len(self)

    @property
    def at(self) -> IntArray:
        """Epoch seconds at which each step begins."""
        return self.start + self.step_s * np.arange(len(self), dtype=np.int64)

    @property
    def demand(self) -> FloatArray:
        """Offered load per step in concurrent executions (Little's law); a throttled share is added back; NaN: gap.

        (Sum(Invocations) + Sum(Throttles)) / step x mean duration. Where a throttled step's own mean duration is not
        known, that of all steps with known arrivals stands in for it:

        | minute                                                | demand                         |
        | ----------------------------------------------------- | ------------------------------ |
        | 600 arrivals of 0.5 s, 60 throttles                   | (600 + 60) / 60 x 0.5 = 5.5    |
        | 300 s of work, arrivals not read, 60 throttles        | 300 / 60 + 60 / 60 x 0.5 = 5.5 |
        | no work, no arrivals, 60 throttles                    | 60 / 60 x 0.5 = 0.5            |
        | 300 s of work, 60 throttles, no duration known at all | 5: its work at least           |
        | no work, 60 throttles, no duration known at all       | NaN: never taken for idle      |
        """
        demand: FloatArray = self.work_s / self.step_s
        throttled = self.throttles > 0
        if not throttled.any():
            return demand
        served = throttled & (self.arrivals > 0)
        demand[served] *= 1 + self.throttles[served] / self.arrivals[served]
        hidden = throttled & ~served
        lost = self.throttles[hidden] / self.step_s * self._mean_duration_s
        least = np.where(demand[hidden] > 0, demand[hidden], np.nan)
        demand[hidden] = np.where(np.isnan(lost), least, demand[hidden] + lost)
        return demand

    @property
    def _mean_duration_s(self) -> float:
        """Mean duration over all steps whose arrivals are known; NaN where there is none."""
        both = (self.arrivals > 0) & ~np.isnan(self.work_s)
        return float(self.work_s[both].sum() / self.arrivals[both].sum()) if both.any() else np.nan

    def between(self, start: int, end: int) -> Series:
        """The steps that lie wholly inside [start, end), epoch seconds."""
        first = max(0, -(-(start - self.start) // self.step_s))
        last = max(first, min(len(self), (end - self.start) // self.step_s))
        part = slice(first, last)
        return Series(
            start=self.start + first * self.step_s,
            step_s=self.step_s,
            work_s=self.work_s[part],
            arrivals=self.arrivals[part],
            throttles=self.throttles[part],
            peak=self.peak[part],
            spilled=self.spilled[part],
        )

    @staticmethod
    def empty(start: int, step_s: int) -> Series:
        """A series of no steps."""
        nothing = np.empty(0)
        return Series(start, step_s, nothing, nothing, nothing, nothing, nothing)


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """All that was measured of a target's demand: 5-minute steps of the past weeks, then minutes up to now.

    Args:
        coarse: 5-minute steps; may be empty (nothing learned yet, or a young alias).
        fine: minutes, starting at or after the coarse steps' end; the newest is 2-3 minutes old and may be revised.
        complete: False where CloudWatch answered only in part: then nothing may be lowered.
        weeks_read: False while the past weeks have not been read: then there is nothing to learn from yet.
    """

    coarse: Series
    fine: Series
    complete: bool = True
    weeks_read: bool = True

    def until(self, end: int) -> History:
        """The history as it was known at `end` (epoch seconds): steps that end at or before it."""
        return replace(
            self, coarse=self.coarse.between(self.coarse.start, end), fine=self.fine.between(self.fine.start, end)
        )

    @property
    def newest(self) -> int | None:
        """Epoch seconds at which the newest known (not NaN) minute ends; None if none is known."""
        for series in (self.fine, self.coarse):
            known = np.flatnonzero(~np.isnan(series.work_s))
            if known.size:
                return int(series.start + series.step_s * (known[-1] + 1))
        return None


@dataclass(frozen=True, slots=True)
class Capacity:
    """Provisioned concurrency of a target, as AWS's API has it. No config at all: `NO_CAPACITY`."""

    requested: int
    allocated: int
    available: int
    status: Status | None
    status_reason: str = ""
    last_modified: datetime | None = None


NO_CAPACITY = Capacity(requested=0, allocated=0, available=0, status=None)


@dataclass(frozen=True, slots=True)
class ScalableTarget:
    """An Application Auto Scaling registration of a target; `ours` where it carries our tag."""

    minimum: int
    maximum: int
    ours: bool


@dataclass(frozen=True, slots=True)
class TargetState:
    """What the control planes say of a target. Swept slowly, read again just before a write (`read_at`).

    Args:
        read_at: when its capacity was read.
        version: the version that the alias points to (or the published version itself).
        weights: routing weights of other versions, empty unless a shift is under way.
        ineligible: why this version can't have provisioned concurrency (SnapStart, ...); empty if it can.
        reserved: the function's reserved concurrency; None if it reserves none.
        siblings: provisioned concurrency of the function's other qualifiers, by qualifier.
    """

    read_at: datetime
    capacity: Capacity
    version: str
    memory_mb: int
    architecture: str = "x86_64"
    timeout_s: float = 3.0
    weights: Mapping[str, float] = field(default_factory=dict)
    ineligible: str = ""
    reserved: int | None = None
    scalable: ScalableTarget | None = None
    siblings: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the controller remembers of a target between ticks (one item of the control table).

    Args:
        requested: capacity last requested by us; None if never.
        floor_published: the minimum last registered with Application Auto Scaling (actuator `autoscaling`).
        changed_at: when we last changed it.
        raised_at: when we last raised it.
        pending_since: the request whose READY has not been seen yet; gives the lead time.
        lead_time_s: measured lead time (request to READY), smoothed; None if never measured.
        failures: consecutive failed or refused requests.
        failure: why the last one failed, in words; empty where none did.
        failed_fleet: the fleet's version when AWS refused a request; a new version is tried at once. Empty after a
            FAILED allocation, which ends when AWS says READY.
        back_off_until: no write before this instant.
        waiting_since: since when the target has been put off, or without usable data, at every tick.
        mode: what the policy last said.
        on_remove: what the policy last said is to happen when the target leaves the fleet.
        stack_owns_config: what the policy last said.
    """

    requested: int | None = None
    floor_published: int | None = None
    changed_at: datetime | None = None
    raised_at: datetime | None = None
    pending_since: datetime | None = None
    lead_time_s: float | None = None
    failures: int = 0
    failure: str = ""
    failed_fleet: str = ""
    back_off_until: datetime | None = None
    waiting_since: datetime | None = None
    mode: Mode = Mode.OBSERVE
    on_remove: str = "keep"
    stack_owns_config: bool = True


@dataclass(frozen=True, slots=True)
class Override:
    """A manual rule that expires: bounds that stand above events, schedule and capacity until `until`."""

    until: datetime
    reason: str
    by: str = ""
    minimum: int | None = None
    maximum: int | None = None


class FaultKind(StrEnum):
    """Why a target could not be observed, in classes that a person can act on."""

    CONFIG = "config"
    MISSING = "missing"
    DENIED = "denied"
    THROTTLED = "throttled"
    CONFLICT = "conflict"
    AWS = "aws"
    BUG = "bug"


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong for one target, in words (AWS's code and message included)."""

    kind: FaultKind
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What the past weeks teach of a target's demand; made by `forecast.learn`, opaque to everyone else.

    Args:
        learned_at: when; it is learned again after some hours.
        until: epoch seconds up to which history went in.
        arrays: the forecast's own tables by name.
    """

    learned_at: datetime
    until: int
    arrays: Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """All that a decision may know of a target at one instant. A decision can be replayed from it alone.

    Args:
        state: None where the control plane has not been read yet, or could not be.
        fault: set where reading its state failed; the target is then held.
        history_fault: set where reading its history failed; the objective is then silent, rules still raise.
    """

    target: TargetId
    at: datetime
    history: History
    state: TargetState | None
    learned: Learned | None = None
    memory: Memory = Memory()
    override: Override | None = None
    stopped: bool = False
    fault: Fault | None = None
    history_fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """What the account allows in this Region.

    Args:
        concurrency: the account's concurrent executions.
        unreserved: what remains of them after all reservations.
        others_in_use: peak of unreserved executions on demand lately (`UnreservedConcurrentExecutions`); None: unknown.
        elsewhere: provisioned concurrency of functions outside the fleet, as far as known.
    """

    concurrency: int
    unreserved: int
    others_in_use: float | None = None
    elsewhere: int = 0


@dataclass(frozen=True, slots=True)
class Budget:
    """What the account's owner lets Warmcast use, outside the fleet (stack parameters). None: no limit of that kind.

    Args:
        units: most provisioned concurrency over all targets.
        usd_per_hour: most that all allocation together may cost.
        headroom: unreserved concurrency kept free above what others use.
    """

    units: int | None = None
    usd_per_hour: float | None = None
    headroom: int = 100


# --- what is foreseen and decided --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unknown:
    """The brain has no opinion, and says why: "I don't know" as a value. Never zero traffic."""

    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Quantiles of demand over a horizon.

    Args:
        issued_at: the instant whose knowledge it holds.
        at: epoch seconds at which each step begins, shape (H,).
        step_s: length of each step, shape (H,): 60 to 48 hours, then 300.
        levels: quantile levels, ascending, shape (K,).
        weights: probability that each level's value stands for, shape (K,), sum 1.
        demand: quantiles of demand in concurrent executions, shape (K, H).
        rate_per_s: quantiles of the arrival rate, shape (K, H).
        peakedness: variance-to-mean ratio of the executions in progress within a minute; 1 is Poisson.
        basis: what it rests on, in a word: "week", "day", "level".
        fallen_from: the forecast issued before a sudden fall of traffic within the last hour; None if there was none.
    """

    issued_at: datetime
    at: IntArray
    step_s: IntArray
    levels: FloatArray
    weights: FloatArray
    demand: FloatArray
    rate_per_s: FloatArray
    peakedness: float
    basis: str
    fallen_from: Forecast | None = None

    def between(self, start: int, end: int) -> Forecast:
        """The steps that overlap [start, end), epoch seconds."""
        inside = (self.at < end) & (self.at + self.step_s > start)
        return replace(
            self,
            at=self.at[inside],
            step_s=self.step_s[inside],
            demand=self.demand[:, inside],
            rate_per_s=self.rate_per_s[:, inside],
        )

    def quantile(self, level: float) -> FloatArray:
        """Demand at one level, interpolated between the levels held, shape (H,)."""
        upper = int(np.clip(np.searchsorted(self.levels, level), 1, len(self.levels) - 1))
        lower = upper - 1
        span = self.levels[upper] - self.levels[lower]
        share = float(np.clip((level - self.levels[lower]) / span, 0.0, 1.0))
        between: FloatArray = (1 - share) * self.demand[lower] + share * self.demand[upper]
        return between


class Action(StrEnum):
    """What a decision wants done."""

    RAISE = "raise"
    LOWER = "lower"
    DELETE = "delete"
    HOLD = "hold"


class Reason(StrEnum):
    """Why the wanted capacity is what it is: the one thing that decided."""

    FORECAST = "forecast"  # the objective over the forecast
    SEEN = "seen"  # the last minutes' demand needs more than was foreseen
    RATE = "rate"  # ten requests a second per unit
    FLOOR = "floor"  # rules want at least this
    CEILING = "ceiling"  # rules allow no more
    LEARNING = "learning"  # history is not learned yet: rules and what is seen
    NO_DATA = "no data"  # missing or stale data: nothing is lowered
    OUTAGE = "outage"  # a sudden fall: the surge comes next
    SCALE_DOWN_HOLD = "scale-down hold"  # the forecast for the hold still needs it
    MINIMUM_HOLD = "minimum hold"  # changed a moment ago
    SMALL_CHANGE = "small change"  # not worth a write
    FUNCTION_LIMIT = "function limit"
    ACCOUNT_LIMIT = "account limit"
    BUDGET = "budget"
    RAISE_ONLY = "raise-only"
    OBSERVE = "observe"
    STOPPED = "stopped"
    IN_PROGRESS = "in progress"
    WEIGHTS = "routing weights"
    BACK_OFF = "back-off"
    FOREIGN_SCALABLE_TARGET = "foreign scalable target"
    INELIGIBLE = "ineligible"
    STATE_UNKNOWN = "state unknown"
    STACK_OWNS_CONFIG = "stack owns config"
    FAULT = "fault"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Limit:
    """One guardrail that changed (or blocked) a proposal: what it was, what it became, and the words for a person."""

    name: Reason
    before: int
    after: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """Current -> wanted capacity, action, reason, every limit that applied. Data, nothing more.

    Args:
        id: the same for the same target, instant and fleet version.
        current: capacity requested as of the observation; None where it is not known.
        standing: provisioned concurrency that stands and counts against shared limits; under `autoscaling` it may be
            more than `current`, the published minimum.
        wanted: the capacity that rules and forecast want, clamped.
        action: what is to be done about it now; HOLD where a guardrail blocks the change.
        reason: what decided.
        limits: every guardrail that applied, in order.
        floor, ceiling: what rules allow.
        demand: newest known demand; None where unknown.
        foreseen: median and 0.9 quantile of the demand that the capacity is meant for; None where there is no opinion.
        staffed_for: demand that marginal values are computed from when a limit is shared.
        rule: the rule that set the deciding bound, in words; empty where no rule did.
        published_maximum: the maximum to register with Application Auto Scaling; None for `direct`.
        registered_maximum: the maximum registered with it now, as far as known.
        least: what no shared limit may take: 1 where a stack owns the config that stands, else 0.
        blocked: whether something forbids the write now (the limits say what).
        may_lower: whether the mode lets Warmcast lower it.
    """

    id: str
    target: TargetId
    at: datetime
    fleet_version: str
    actuator: Actuator
    current: int | None
    wanted: int
    action: Action
    reason: Reason
    limits: tuple[Limit, ...] = ()
    floor: int = 0
    ceiling: int = 0
    demand: float | None = None
    foreseen: tuple[float, float] | None = None
    staffed_for: float = 0.0
    peakedness: float = 1.0
    basis: str = ""
    rule: str = ""
    published_maximum: int | None = None
    registered_maximum: int | None = None
    usd_per_unit_hour: float = 0.0
    standing: int = 0
    least: int = 0
    blocked: bool = False
    may_lower: bool = False

    @property
    def changes(self) -> bool:
        """Whether carrying it out means a write."""
        return self.action is not Action.HOLD


class Result(StrEnum):
    """What happened when a decision was carried out."""

    APPLIED = "applied"  # AWS accepted the request
    FLOOR_LOWERED = "floor lowered"  # the minimum went down; the capacity itself stays until AWS lowers it
    HELD = "held"  # nothing was to be done
    PLANNED = "planned"  # a dry run, or mode observe: would have been done
    DEFERRED = "deferred"  # not now: the next tick tries again
    REFUSED = "refused"  # AWS said no, and will again until somebody changes something: a finding
    FAILED = "failed"  # it should have worked and did not
    RELEASED = "released"  # no longer in the fleet


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to a decision, with AWS's code and words where it said no."""

    decision: Decision
    result: Result
    detail: str = ""
    error_code: str = ""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a tick comes, and what is taken for granted of time until it is measured."""

    tick: timedelta = timedelta(minutes=5)
    stale_after: timedelta = timedelta(minutes=15)
    default_lead_time: timedelta = timedelta(minutes=3)


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
