"""Survey: what one account's Region holds, as far as AWS lets it be read. Touches only the scan's ports.

    functions, account limits, scalable targets     a few calls, however many there are
    traffic                                         one query a function, from CloudWatch
    provisioned concurrency                         one call a function: where it idles no metric tells of it
    aliases, stack, reservation, activities         only of functions that are worth a closer look

No refusal ends a survey. What could not be read of the Region becomes a denial, what could not be read of one function
an entry of its `unread`; an operation that is refused for several functions in a row is not asked for any more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, TypeVar

from warmcast.errors import AwsError
from warmcast.refusals import Refusal, fix_of, refusal_of
from warmcast.scan.found import Denial, FunctionSeen, Survey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from warmcast.scan.found import AliasSeen, Place, Scaling
    from warmcast.scan.ports import Inventory, Scalings

    Traffic = Callable[[Sequence[str]], Mapping[str, float]]
    Progress = Callable[[str, int, int], None]

MOST_IN_A_ROW: Final = 5
"""So many functions in a row for which AWS refuses an operation, and the others are not asked."""

T = TypeVar("T")
Name = tuple[str, str]
"""Function and qualifier."""


@dataclass(frozen=True, slots=True)
class Depth:
    """Which functions a survey looks at closely, and how far back.

    Args:
        busy: invocations, in the time that the traffic is of, from which a function without provisioned concurrency is
            worth a look.
        most_busy: how many of those are looked at, the busiest first.
        since: no scaling activity before it is needed; None: all of the six weeks.
        pattern: of function names; the others are left out. `*` and `?` as IAM has them.
    """

    busy: float = 14_000.0
    most_busy: int = 200
    since: datetime | None = None
    pattern: str = "*"


def _always() -> bool:
    return True


def _silent(_what: str, _done: int, _total: int) -> None:
    return None


def survey(
    place: Place,
    *,
    inventory: Inventory,
    scalings: Scalings,
    traffic: Traffic,
    progress: Progress = _silent,
    depth: Depth = Depth(),
    in_time: Callable[[], bool] = _always,
) -> Survey:
    """Everything that stands in a place; what could not be read is in it, too.

    Args:
        place: which account's Region it is.
        inventory: Lambda's control plane there.
        scalings: Application Auto Scaling there.
        traffic: invocations of functions by name, over the time looked at; NaN where not known.
        progress: told what is being read, how much of it is done, and of how much (0: not known yet).
        depth: which functions are looked at closely.
        in_time: asked before each function; once it says no, the rest is left unread.
    """
    asking = _Asking(place, progress, in_time)
    account = asking.once(inventory.account)
    listed = _listed(asking, inventory, depth)
    scaling = asking.once(scalings.all)
    invocations = asking.once(lambda: traffic([each.name for each in listed])) or {}

    functions = asking.each("provisioned concurrency", listed, lambda each: _with_provisioned(each, inventory))
    functions = [_with_scaling(each, scaling) for each in functions]
    chosen = _chosen(functions, invocations, depth)
    looked = [each for each in functions if each.name in chosen]
    looked = asking.each("aliases", looked, lambda each: _with_aliases(each, inventory.aliases(each.name)))
    looked = asking.each("stacks and reservations", looked, inventory.details)
    scaled = [each for each in looked if each.scaling]
    scaled = asking.each("scaling activities", scaled, lambda each: _with_activities(each, scalings, depth))

    closer = {each.name: each for each in [*looked, *scaled]}
    told = [closer.get(each.name) or _left_out(each, invocations, depth) for each in functions]
    return Survey(place, tuple(sorted(told, key=lambda each: each.name)), account, tuple(asking.denials))


# --- asking, and being refused ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Asking:
    """Asks AWS, and keeps what it refused."""

    place: Place
    progress: Progress
    in_time: Callable[[], bool]
    denials: list[Denial] = field(default_factory=list)

    def once(self, call: Callable[[], T]) -> T | None:
        """What a call answers; None and a denial where AWS refuses it."""
        try:
            return call()
        except AwsError as error:
            self.deny(error)
            return None

    def deny(self, error: AwsError, note: str = "") -> None:
        """Keep a refusal, and how to mend it."""
        fix = fix_of(error, profile=self.place.profile, region=self.place.region)
        self.denials.append(Denial(self.place, error.operation, error.code, error.message + note, fix))

    def each(
        self, what: str, functions: Sequence[FunctionSeen], ask: Callable[[FunctionSeen], FunctionSeen]
    ) -> list[FunctionSeen]:
        """Each function with what was asked of it; where that was refused, as it was, with a note in `unread`."""
        tally = _Tally()
        answered = []
        for number, function in enumerate(functions, start=1):
            answered.append(self._one(what, function, ask, tally))
            self.progress(what, number, len(functions))
        if tally.refused is not None:
            self.deny(tally.refused, tally.note)
        return answered

    def _one(
        self, what: str, function: FunctionSeen, ask: Callable[[FunctionSeen], FunctionSeen], tally: _Tally
    ) -> FunctionSeen:
        if tally.given_up:
            tally.left += 1
            return _unread(function, f"{what}: not asked, AWS refused it for {MOST_IN_A_ROW} functions in a row")
        if not self.in_time():
            return _unread(function, f"{what}: not asked, there was no time left")
        try:
            answer = ask(function)
        except AwsError as error:
            tally.count(error)
            return _unread(function, f"{what}: {error.code}: {error.message}")
        tally.in_a_row = 0
        return answer


@dataclass(slots=True)
class _Tally:
    """How often AWS refused one operation, function by function.

    Args:
        refused: the first refusal that is not about one function alone; None: there was none.
        times: how often it was refused so. left: functions that were not asked any more.
    """

    refused: AwsError | None = None
    times: int = 0
    in_a_row: int = 0
    left: int = 0

    @property
    def given_up(self) -> bool:
        """Whether to ask no more."""
        return self.in_a_row >= MOST_IN_A_ROW

    @property
    def note(self) -> str:
        """For how many functions, in words."""
        left = f", and {self.left} more were not asked" if self.left else ""
        return f" (for {self.times} functions{left})" if self.times > 1 or self.left else ""

    def count(self, error: AwsError) -> None:
        """Take in a refusal; a function that was deleted meanwhile is none."""
        if error.code == "ResourceNotFoundException":
            return
        self.in_a_row += 1
        self.times += 1
        if self.refused is None and (refusal_of(error) is not Refusal.OTHER or self.given_up):
            self.refused = error


def _unread(function: FunctionSeen, what: str) -> FunctionSeen:
    return replace(function, unread=(*function.unread, what))


# --- functions -------------------------------------------------------------------------------------------------------


def _listed(asking: _Asking, inventory: Inventory, depth: Depth) -> list[FunctionSeen]:
    """The functions that the pattern means; of a listing that breaks off, what came before."""
    found: list[FunctionSeen] = []
    try:
        for function in inventory.functions():
            if fnmatchcase(function.name, depth.pattern):
                found.append(function)
            asking.progress("functions", len(found), 0)
            if not asking.in_time():
                break
    except AwsError as error:
        asking.deny(error, f" (after {len(found)} functions)" if found else "")
    return found


def _with_provisioned(function: FunctionSeen, inventory: Inventory) -> FunctionSeen:
    return replace(function, provisioned=inventory.provisioned(function.name))


def _with_scaling(function: FunctionSeen, scaling: Mapping[Name, Scaling] | None) -> FunctionSeen:
    """With its scalable targets; where they could not be read, one with provisioned concurrency says so."""
    if scaling is None:
        return _unread(function, "scalable targets: see the denial") if function.provisioned else function
    return replace(function, scaling={name[1]: each for name, each in scaling.items() if name[0] == function.name})


def _left_out(function: FunctionSeen, invocations: Mapping[str, float], depth: Depth) -> FunctionSeen:
    """One that was not looked at; where it may have deserved it, it says so."""
    count = invocations.get(function.name, 0.0)
    if math.isnan(count):
        return _unread(function, "traffic: CloudWatch did not tell")
    if count >= depth.busy:
        return _unread(function, f"aliases: not asked, {depth.most_busy} functions have more traffic")
    return function


def _chosen(functions: Sequence[FunctionSeen], invocations: Mapping[str, float], depth: Depth) -> set[str]:
    """Names of the functions that have provisioned concurrency or something that sets it, and of the busiest."""
    capacity = {each.name for each in functions if each.provisioned or each.scaling}
    others = [each.name for each in functions if each.name not in capacity]
    busy = [name for name in others if invocations.get(name, 0.0) >= depth.busy]
    busiest = sorted(busy, key=lambda name: (-invocations[name], name))[: depth.most_busy]
    return capacity | set(busiest)


def _with_aliases(function: FunctionSeen, aliases: Mapping[str, AliasSeen]) -> FunctionSeen:
    versions = [*_versions(aliases), *function.provisioned]
    numbers = [int(version) for version in versions if version.isdecimal()]
    return replace(function, aliases=aliases, newest_version=str(max(numbers)) if numbers else "")


def _versions(aliases: Mapping[str, AliasSeen]) -> Iterator[str]:
    """Every version that an alias sends traffic to."""
    for alias in aliases.values():
        yield alias.version
        yield from alias.weights


def _with_activities(function: FunctionSeen, scalings: Scalings, depth: Depth) -> FunctionSeen:
    scaling = {
        qualifier: replace(each, activities=tuple(scalings.activities(function.name, qualifier, since=depth.since)))
        for qualifier, each in function.scaling.items()
    }
    return replace(function, scaling=scaling)
