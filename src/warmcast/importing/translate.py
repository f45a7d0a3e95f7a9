"""One scalable target with its scheduled actions, as one target of the fleet. Pure.

    sort        which actions are in force                                                        (`sorting`)
    draw        capacity and windows, in each zone that an action has; the best zone is taken     (`drawing`)
    remark      what a person has to know: what stands by hand, clock changes, target tracking    (`wording`)

What AWS does is a step function of time, and the windows are the same one, minute by minute; an action for which that
can't be had is left out with its reason, and the rest is what AWS would do without it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from warmcast.importing.drawing import draw
from warmcast.importing.sorting import UTC_ZONE, sort
from warmcast.importing.wording import clashes_among, remarks_on, standing_long

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from warmcast.importing.firing import Rule
    from warmcast.importing.sorting import Left
    from warmcast.importing.windows import Draft
    from warmcast.scan.found import Scaling


@dataclass(frozen=True, slots=True)
class Imported:
    """A target as the fleet will have it, and what is to be said of it.

    Args:
        function, qualifier: of the alias or version.
        zone: of the windows.
        minimum, maximum: the capacity where no window says otherwise.
        windows: in order, named.
        scaled: whether Application Auto Scaling has it; else its provisioned concurrency was set by itself.
        ours: whether the scalable target carries Warmcast's tag.
        expressions: of its scheduled actions, by name.
        remarks: on what was translated, sentences.
        left: what was not.
    """

    function: str
    qualifier: str
    zone: ZoneInfo
    minimum: int
    maximum: int
    windows: tuple[Draft, ...] = ()
    scaled: bool = True
    ours: bool = False
    expressions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    remarks: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()

    def __str__(self) -> str:
        return f"{self.function}:{self.qualifier}"

    @property
    def may_be_zero(self) -> bool:
        """Whether some bound is 0, at which a config is deleted."""
        return 0 in {self.minimum, *(value for draft in self.windows for value in (draft.minimum, draft.maximum))}


def translate(function: str, qualifier: str, scaling: Scaling, now: datetime) -> Imported:
    """The policy with the same floor and ceiling as a scalable target has from `now` on."""
    found = sort(scaling, now)
    ways = [draw(found.rules, zone, scaling, now) for zone in _zones(found.rules)]
    drawn = min(ways, key=lambda way: len(way.left))
    left = {each.action: each for each in (*found.left, *drawn.left)}  # why it is not there, not that it will end
    return Imported(
        function,
        qualifier,
        drawn.zone,
        drawn.minimum,
        drawn.maximum,
        drawn.windows,
        ours=scaling.ours,
        expressions=MappingProxyType({action.name: action.expression for action in scaling.scheduled}),
        remarks=(*remarks_on(scaling, drawn.fired, now), *found.remarks),
        left=(
            *(left[name] for name in sorted(left)),
            *clashes_among(drawn.rules, drawn.fired, now),
            *standing_long(scaling, drawn.fired, now),
        ),
    )


def fixed(function: str, qualifier: str, requested: int) -> Imported:
    """The policy of provisioned concurrency that somebody set and nothing scales: the same amount at all times."""
    remark = f"No scalable target: its provisioned concurrency was set to {requested}, and stays so."
    return Imported(function, qualifier, UTC_ZONE, requested, requested, scaled=False, remarks=(remark,))


def _zones(rules: Sequence[Rule]) -> list[ZoneInfo]:
    """The zones that may be the target's: the one that most actions have first."""
    count = Counter(rule.zone for rule in rules) or Counter([UTC_ZONE])
    return sorted(count, key=lambda zone: (-count[zone], str(zone)))
