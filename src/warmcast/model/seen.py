"""What is known of a target and its account at one instant: state, memory, observation, limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from warmcast.model.target import Mode, Status, TargetId

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from warmcast.model.arrays import FloatArray
    from warmcast.model.demand import History


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
        changes: how often we changed it on the UTC day of `changed_at`.
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
    changes: int = 0
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
