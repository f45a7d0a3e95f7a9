"""What is decided, why, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warmcast.model.target import Actuator, TargetId


class Action(StrEnum):
    """What a decision wants done."""

    RAISE = "raise"
    LOWER = "lower"
    DELETE = "delete"
    HOLD = "hold"


class Reason(StrEnum):
    """Why the wanted capacity is what it is: the one thing that decided."""

    FORECAST = "forecast"  # the objective, over what the mixture expects
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
    CHANGE_LIMIT = "change limit"  # as many changes today as the policy allows
    UNPROFITABLE = "unprofitable"  # under savings: on demand is cheaper
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
class Drive:
    """What one family of candidates has to do with a capacity.

    Args:
        family: level, reaction, season, ...
        share: how much it is believed, 0-1.
        capacity: what it would provision.
    """

    family: str
    share: float
    capacity: float


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How far off the best rule of one family of candidates was.

    Args:
        family: level, reaction, season, ...
        error: its mean absolute error over the mean demand of the last days; 0.2 is a fifth.
    """

    family: str
    error: float


@dataclass(frozen=True, slots=True)
class Health:
    """How well a target's demand is foreseen, and how its promise stands in the replayed past.

    Args:
        accuracy: of each family that foresees demand, the best first; empty where there was no demand to foresee.
        last_value: what taking the last minute for the next ones is off by, likewise; None where there was no demand.
        coverage: share of the replayed demand that the capacity bought for the objective would have served.
        promise: what spilled (or started cold) in it, over what the objective allows: kept up to 1; None where it
            promises nothing.
    """

    accuracy: tuple[Accuracy, ...]
    last_value: float | None
    coverage: float
    promise: float | None

    @property
    def foreseen_by(self) -> str:
        """The family that foresees best; empty where none does better than the last value."""
        best = self.accuracy[0] if self.accuracy else None
        better = best is not None and self.last_value is not None and best.error < self.last_value
        return best.family if better and best is not None else ""


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
        drives: what the objective's capacity comes from, the most believed family first; empty: nothing is learned.
        price: what a spilled execution was taken to cost, in units standing idle for as long; None likewise.
        expected_spillover: what the replayed past spilled at that price; None likewise.
        finding: what a person should know of the objective on this traffic; empty where all is well.
        health: how well demand is foreseen and the promise stands; None likewise.
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
    drives: tuple[Drive, ...] = ()
    price: float | None = None
    expected_spillover: float | None = None
    finding: str = ""
    health: Health | None = None
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
