"""Choosing: which aliases and versions of a Region are worth measuring and judging. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from warmcast.scan.measure import LATEST, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from warmcast.scan.found import FunctionSeen

MUCH_PER_DAY: Final = 1000
"""Invocations of a function a day from which provisioned concurrency could be worth its price without being there:
fewer come more than a minute apart, and a unit that waits for them costs more than the starts that it spares."""


def chosen(
    functions: Iterable[FunctionSeen], traffic: Mapping[str, float], *, days: int, much_per_day: float = MUCH_PER_DAY
) -> tuple[Wanted, ...]:
    """What to measure, in the order of the functions.

    | a function with                       | is measured by                                               |
    | ------------------------------------- | ------------------------------------------------------------ |
    | provisioned concurrency, or a scalable target | each such alias or version                           |
    | much traffic                          | each of its aliases as well                                  |
    | much traffic, and neither of these    | `$LATEST`: its callers name no alias that could have any     |
    | none of it                            | nothing                                                      |

    Args:
        functions: as surveyed.
        traffic: invocations in the days by function; NaN where it is not known, which is not much.
        days: that the traffic is of.
        much_per_day: invocations a day that count as much.
    """
    return tuple(
        Wanted(function, qualifier)
        for function in functions
        for qualifier in _qualifiers(function, busy=traffic.get(function.name, 0.0) >= much_per_day * days)
    )


def _qualifiers(function: FunctionSeen, *, busy: bool) -> list[str]:
    set_up = {*function.provisioned, *function.scaling}
    if not busy:
        return sorted(set_up)
    return sorted({*set_up, *function.aliases}) or ([LATEST] if _aliases_known(function) else [])


def _aliases_known(function: FunctionSeen) -> bool:
    """Whether its aliases were read; then none means that it has none."""
    return not any(what.startswith("aliases") for what in function.unread)
