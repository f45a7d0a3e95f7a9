"""What there is to import in one account's Region, read through the ports of a scan, and all of it translated.

Reads; writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from warmcast.importing.translate import fixed, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from warmcast.importing.translate import Imported
    from warmcast.scan.found import Scaling
    from warmcast.scan.ports import Inventory


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was imported, in the order of names, and what was not.

    Args:
        ours: scalable targets that carry Warmcast's tag: they have a policy already.
        missing: targets that were asked for and are not there.
    """

    imported: tuple[Imported, ...]
    ours: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def gather(
    scalings: Mapping[tuple[str, str], Scaling],
    wanted: Collection[str],
    *,
    now: datetime,
    inventory: Inventory | None = None,
    watched: Callable[[list[tuple[str, str]]], Iterable[tuple[str, str]]] = iter,
) -> Gathered:
    """Translate scalable targets, and with an inventory also provisioned concurrency that has none.

    Args:
        scalings: by function and qualifier.
        now: from when on the policies are to do the same.
        wanted: only these (`function:qualifier`), Warmcast's own too; empty: all but Warmcast's own.
        inventory: where provisioned concurrency stands; None: only scalable targets are imported.
        watched: hands the scalable targets on one by one, and may tell a person how far it is.
    """
    asked = [key for key in sorted(scalings) if not wanted or _name(key) in wanted]
    ours = [key for key in asked if scalings[key].ours and not wanted]
    imported = [translate(*key, scalings[key], now) for key in watched([key for key in asked if key not in ours])]
    if inventory is not None:
        imported += [each for each in _fixed(inventory, scalings) if not wanted or str(each) in wanted]
    missing = sorted(set(wanted) - {str(each) for each in imported})
    ordered = sorted(imported, key=lambda each: (each.function, each.qualifier))
    return Gathered(tuple(ordered), tuple(_name(key) for key in ours), tuple(missing))


def _fixed(inventory: Inventory, scalings: Mapping[tuple[str, str], Scaling]) -> Iterator[Imported]:
    """Each provisioned concurrency that no scalable target holds."""
    for function in inventory.functions():
        for qualifier, capacity in inventory.provisioned(function.name).items():
            if (function.name, qualifier) not in scalings and capacity.requested > 0:
                yield fixed(function.name, qualifier, capacity.requested)


def _name(key: tuple[str, str]) -> str:
    return ":".join(key)
