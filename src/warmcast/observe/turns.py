"""Which control-plane reads are due in a tick, and in which order. Pure.

Lambda's control plane allows 15 calls a second for the whole account: what rarely changes is read in turn over hours,
so that an unchanged target costs at most 1/36 + 1/72 = 0.042 calls a tick.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from warmcast.model import FaultKind
from warmcast.observe.history import MINUTE_S, Measure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from warmcast.model import Capacity, FloatArray, TargetId

FEW_ARRIVALS: Final = 100
"""Fewer invocations than this say nothing of a share."""

ODD_SHARE: Final = 0.05
"""A spillover that is never odd, however strict the policy."""


class Subject(StrEnum):
    """What one read is about."""

    CAPACITY = "capacity"  # of all of a function's qualifiers: ListProvisionedConcurrencyConfigs
    ALIAS = "alias"  # its version and weights: GetAlias
    FACTS = "facts"  # memory, eligibility, reservation: GetFunction, outside the shared limit


@dataclass(frozen=True, slots=True)
class Look:
    """One read; the target of a capacity stands for its whole function."""

    subject: Subject
    target: TargetId

    @property
    def key(self) -> tuple[Subject, str, str]:
        """Equal for looks that one read serves."""
        return self.subject, self.target.function, "" if self.subject is Subject.CAPACITY else self.target.qualifier


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one look stands.

    Args:
        at: when it was last taken; None if never, or if what it saw is known to have changed.
        fault: what it met then; None if it was answered.
        pressing: whether a change is under way that it may show done.
        early: whether what it saw last is in doubt.
    """

    look: Look
    at: datetime | None
    fault: FaultKind | None = None
    pressing: bool = False
    early: bool = False


@dataclass(frozen=True, slots=True)
class Sweeping:
    """How often what is read.

    Args:
        capacity, alias, facts: within this time all of the fleet is read once, evenly spread.
        account, scalable: read when older than this.
        retry: what is missing or denied is asked for again after this long; other faults at the next tick.
        early: what is in doubt is read again when it is older than this.
        calls_per_tick: most calls of Lambda's shared limit that the sweep makes in one tick: 4 a second for 38 seconds.
            A fleet of 1,000 in steady state needs 42. Rereads have calls of their own.
        facts_per_tick: GetFunction reads in one tick.
    """

    capacity: timedelta = timedelta(hours=3)
    alias: timedelta = timedelta(hours=6)
    facts: timedelta = timedelta(hours=6)
    account: timedelta = timedelta(hours=1)
    scalable: timedelta = timedelta(hours=1)
    retry: timedelta = timedelta(minutes=15)
    early: timedelta = timedelta(minutes=30)
    calls_per_tick: int = 150
    facts_per_tick: int = 100

    def period(self, subject: Subject) -> timedelta:
        """Within what time all of it is read once."""
        periods = {Subject.CAPACITY: self.capacity, Subject.ALIAS: self.alias, Subject.FACTS: self.facts}
        return periods[subject]


def plan(standings: Sequence[Standing], *, now: datetime, last: datetime | None, sweeping: Sweeping) -> list[Look]:
    """The looks to take in this tick, the most urgent first.

    1. pressing ones, first those that were taken before;
    2. those never taken, in the order given, so that one target after the other becomes known;
    3. those in doubt, and failed ones when it is time to try again, the oldest first;
    4. of the rest the oldest, as many as this tick's share of their period is.

    Args:
        standings: one for each look that the fleet needs.
        now: the instant of the tick.
        last: the instant of the tick before; None at first, and then nothing is due in turn.
        sweeping: periods.
    """
    taken = [s for s in standings if s.at is not None]
    pressing = [s.look for s in taken if s.pressing and s.at != now]
    unknown = [s.look for s in sorted(standings, key=lambda s: not s.pressing) if s.at is None]
    rest = sorted((s for s in taken if not s.pressing), key=lambda s: (s.at, s.look.key))
    again = [s.look for s in rest if _is_due_again(s, now, sweeping)]
    return [*pressing, *unknown, *again, *_in_turn(rest, now=now, last=last, sweeping=sweeping)]


def share_of(n: int, period: timedelta, *, last: datetime, now: datetime) -> int:
    """How many of n looks are due between two ticks, if all n are taken once a period.

    | n    | period  | tick  | due                               |
    | ---- | ------- | ----- | --------------------------------- |
    | 1000 | 6 hours | 5 min | 13 or 14                          |
    | 10   | 6 hours | 5 min | 1 in about every seventh tick     |
    | 10   | 6 hours | 1 day | 10: a long pause is no debt       |
    """
    period_s = period.total_seconds()
    return min(n, int(n * now.timestamp() // period_s) - int(n * last.timestamp() // period_s))


def _is_due_again(standing: Standing, now: datetime, sweeping: Sweeping) -> bool:
    if standing.at is None or standing.at == now:
        return False
    if standing.fault is None:
        return standing.early and now - standing.at >= sweeping.early
    lasting = standing.fault in {FaultKind.MISSING, FaultKind.DENIED}
    return not lasting or now - standing.at >= sweeping.retry


def _in_turn(rest: Iterable[Standing], *, now: datetime, last: datetime | None, sweeping: Sweeping) -> list[Look]:
    """This tick's share of what is healthy, given the oldest first."""
    if last is None:
        return []
    healthy = [s.look for s in rest if s.fault is None and not s.early]
    due: list[Look] = []
    for subject in Subject:
        looks = [look for look in healthy if look.subject is subject]
        due += looks[: share_of(len(looks), sweeping.period(subject), last=last, now=now)]
    return due


def looks_of(target: TargetId) -> list[Look]:
    """What makes up a target's state, beside its scalable target."""
    alias = [Look(Subject.ALIAS, target)] if is_alias(target) else []
    return [Look(Subject.CAPACITY, target), *alias, Look(Subject.FACTS, target)]


def is_alias(target: TargetId) -> bool:
    """Whether the target is an alias, and not a published version, whose names are numbers."""
    return not target.qualifier.isdigit()


def spills_oddly(recent: FloatArray, capacity: Capacity, *, allowed_share: float) -> bool:
    """Whether a target spills far more than it may, though its capacity should suffice: then it may have changed.

    "Should suffice": above the highest demand by twice its Poisson deviation, and above a tenth of the requests a
    second (the second limit of provisioned concurrency).

    Args:
        recent: its last minutes, rows by `Measure`; only those with both arrivals and spillover count.
        capacity: as it was last read.
        allowed_share: the spillover that its policy allows.
    """
    known = recent[:, ~np.isnan(recent[[Measure.WORK, Measure.ARRIVALS, Measure.SPILLED]]).any(axis=0)]
    arrivals = known[Measure.ARRIVALS]
    if arrivals.sum() < FEW_ARRIVALS:
        return False
    highest = float(known[Measure.WORK].max()) / MINUTE_S
    needed = max(highest + 2 * math.sqrt(highest), float(arrivals.max()) / MINUTE_S / 10)
    share = float(known[Measure.SPILLED].sum() / arrivals.sum())
    return capacity.requested >= needed and share > max(3 * allowed_share, ODD_SHARE)
