"""Reserving: how far a function's reserved concurrency lets its provisioned concurrency go. Pure.

    within(case, units)     the amount that AWS takes, and what to tell and to do about the rest

Lambda refuses provisioned concurrency above the function's reservation, all its aliases and versions together
(Lambda API, PutProvisionedConcurrencyConfig).
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from warmcast.scan import facts
from warmcast.scan.found import Evidence

if TYPE_CHECKING:
    from warmcast.scan.case import Case

SOURCE = f"Lambda GetFunctionConcurrency; {facts.LISTED}; Lambda API, PutProvisionedConcurrencyConfig"


@dataclass(frozen=True, slots=True)
class Within:
    """An amount that AWS takes.

    Args:
        units: that the reservation has room for; where that is no more than now, what was asked for.
        evidence: what the reservation has to do with it; none where it has room.
        first: what has to be done before the amount is set; empty: nothing.
    """

    units: int
    evidence: tuple[Evidence, ...] = ()
    first: str = ""

    def todo(self, then: str) -> str:
        """What to do: raise the reservation, if that is needed, then the rest."""
        if not self.first:
            return then
        copied = self.first.startswith("aws ") and then.startswith("aws ")
        return f"{self.first} && {then}" if copied else f"First: {self.first}; then: {then}"


def within(case: Case, units: int, *, level: float = 0.0) -> Within:
    """The amount within the reservation; what is asked for, after raising it, where it has no room above the level.

    Args:
        case: of the alias or version.
        units: that would be had without a reservation.
        level: what stands there; an amount that is no higher would be none.
    """
    room = _room(case)
    if room is None or units <= room:
        return Within(units)
    reserved, others = case.function.reserved or 0, _others(case)
    besides = f", of which its other qualifiers have {others} provisioned" if others else ""
    held = f"Its function has {reserved} reserved concurrency{besides}"
    if room > level:
        said = (
            f"{held}: {facts.units_of(room)} instead of {units}, which AWS would refuse; with all of the reservation "
        )
        said += "provisioned, what would spill over is throttled. For more, raise the reservation first."
        return Within(room, (Evidence(said, SOURCE),))
    said = f"{held}: AWS refuses {facts.units_of(units)} until the reservation is raised to {others + units} or more."
    return Within(units, (Evidence(said, SOURCE),), _raise(case, others + units))


def _room(case: Case) -> int | None:
    reserved = case.function.reserved
    return None if reserved is None else max(0, reserved - _others(case))


def _others(case: Case) -> int:
    """Units of the function's other aliases and versions."""
    provisioned = case.function.provisioned.items()
    return sum(capacity.requested for qualifier, capacity in provisioned if qualifier != case.qualifier)


def _raise(case: Case, reserved: int) -> str:
    function = case.function
    if function.stack:
        return (
            f"raise ReservedConcurrentExecutions to {reserved} in the template of stack {function.stack} and deploy it"
        )
    return (
        f"aws lambda put-function-concurrency --function-name {shlex.quote(function.name)} --region "
        f"{case.place.region} --reserved-concurrent-executions {reserved}"
    )
