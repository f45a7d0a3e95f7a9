"""What is kept of a read between ticks, and what a fault changes of it. Pure.

A fault that tells of AWS's condition (a throttle, a 5xx, no answer) leaves what was known before standing, as a trouble
beside it; one that tells of the target (missing, denied) replaces it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from warmcast.model import Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

PASSING: Final = frozenset({FaultKind.THROTTLED, FaultKind.AWS})
"""Faults that tell of AWS's condition, not of the target's."""

NAMED: Final = 5
"""How many targets a note names before it counts them."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault that passes by itself, and when it was met."""

    fault: Fault
    at: datetime


@dataclass(frozen=True, slots=True)
class Seen(Generic[T_co]):
    """What a read gave, and when.

    Args:
        trouble: what a later read met, where that says nothing of the value: it stands.
    """

    value: T_co | Fault
    at: datetime
    trouble: Trouble | None = None


def after_fault(seen: Seen[T] | None, fault: Fault, now: datetime) -> Seen[T]:
    """What is kept after a fault: the value that was known where the fault will pass, else the fault."""
    if seen is None or isinstance(seen.value, Fault) or fault.kind not in PASSING:
        return Seen(fault, now)
    return replace(seen, trouble=Trouble(fault, now))


def failed_with(seen: Seen[object]) -> FaultKind | None:
    """What the last read met, if it was not answered."""
    if isinstance(seen.value, Fault):
        return seen.value.kind
    return seen.trouble.fault.kind if seen.trouble else None


def is_from(seen: Seen[object] | None, now: datetime) -> bool:
    """Whether the value was read at this instant."""
    return seen is not None and seen.at == now


def troubles(kept: Iterable[tuple[object, Seen[object]]]) -> tuple[Fault, ...]:
    """The faults beside which older values stand: each once, with those whom it met."""
    met: dict[Fault, list[str]] = {}
    for key, seen in kept:
        if seen.trouble is not None:
            met.setdefault(seen.trouble.fault, []).append(str(key))
    return tuple(
        Fault(fault.kind, f"{fault.message} (the last known state stands: {_among(names)})")
        for fault, names in met.items()
    )


def _among(names: Sequence[str]) -> str:
    """The first few of the names, and how many more there are."""
    few = ", ".join(names[:NAMED])
    return few if len(names) <= NAMED else f"{few} and {len(names) - NAMED} more"
