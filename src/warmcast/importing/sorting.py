"""Which scheduled actions are in force, which are over, and which can't be translated and why. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from warmcast.calendar import opens
from warmcast.fleet.findings import RefusedError
from warmcast.fleet.policy import MOST_UNITS
from warmcast.fleet.values import zone
from warmcast.importing.crons import Cron, Every, Once, UnreadableError, read
from warmcast.importing.firing import Rule

if TYPE_CHECKING:
    from warmcast.scan.found import Scaling, Scheduled

UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True, order=True)
class Left:
    """A scheduled action, or a part of what it does, that is not in the policy.

    Args:
        action, expression: as AWS has them; no expression: it is not about a scheduled action.
        reason: why, as the end of a sentence.
        since: from then on the policy differs from what AWS does; None: already.
        partly: whether the action is in the policy all the same, but for this.
    """

    action: str
    expression: str
    reason: str
    since: datetime | None = None
    partly: bool = False

    def __str__(self) -> str:
        what = f"{self.action}: {self.expression}" if self.expression else self.action
        since = f" (it matters from {self.since:%Y-%m-%dT%H:%MZ} on)" if self.since else ""
        return f"{what}: {self.reason}{since}"


@dataclass(frozen=True, slots=True)
class Sorted:
    """The rules in force; actions that are left out with the reason; and remarks on what needs no translation."""

    rules: tuple[Rule, ...]
    left: tuple[Left, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sorting:
    """What came of one action."""

    rule: Rule | None = None
    left: Left | None = None
    remark: str = ""


def is_suspended(scaling: Scaling) -> bool:
    """Whether its scheduled actions are suspended."""
    return any("scheduled" in name.lower() for name in scaling.suspended)


def sort(scaling: Scaling, now: datetime) -> Sorted:
    """Sort a scalable target's actions by whether they are in force at `now`."""
    suspended = is_suspended(scaling)
    found = [
        _sort(action, now, suspended=suspended) for action in sorted(scaling.scheduled, key=lambda each: each.name)
    ]
    return Sorted(
        tuple(each.rule for each in found if each.rule),
        tuple(each.left for each in found if each.left),
        tuple(each.remark for each in found if each.remark),
    )


def _sort(action: Scheduled, now: datetime, *, suspended: bool) -> _Sorting:
    if suspended:
        return _left(action, "scheduled scaling is suspended, so AWS does not carry it out now")
    try:
        timing = read(action.expression)
        where = zone(action.timezone or "UTC")
    except UnreadableError as error:
        return _left(action, str(error))
    except RefusedError:
        return _left(action, f"its time zone {action.timezone} is not known here")
    if action.minimum is None and action.maximum is None:
        return _Sorting(remark=f"{action.name}: {action.expression} sets neither minimum nor maximum")
    if isinstance(timing, Once):
        return _once(action, timing, where, now)
    return _recurring(action, timing, where, now)


def _left(action: Scheduled, reason: str, since: datetime | None = None) -> _Sorting:
    return _Sorting(left=Left(action.name, action.expression, reason, since))


def _once(action: Scheduled, timing: Once, where: ZoneInfo, now: datetime) -> _Sorting:
    at = datetime.fromtimestamp(opens(timing.wall, where), UTC)
    if at <= now:
        return _Sorting(remark=f"{action.name}: {action.expression} is over")
    return _left(action, "happens once, and windows recur; raise the capacity for it by hand", at)


def _recurring(action: Scheduled, timing: Cron | Every, where: ZoneInfo, now: datetime) -> _Sorting:
    if isinstance(timing, Cron) and not _comes(timing, now):
        return _Sorting(remark=f"{action.name}: {action.expression} never comes")
    over = f"{action.name}: {action.expression} is over"
    if action.end is not None and action.end <= now:
        return _Sorting(remark=f"{over} since {action.end.astimezone(UTC):%Y-%m-%dT%H:%MZ}")
    if action.start is not None and action.start > now:
        return _left(action, "begins later, and windows have no beginning; import it again then", action.start)
    years = timing.years if isinstance(timing, Cron) else None
    year = now.astimezone(where).year
    ends = action.end
    if years is not None:
        if max(years) < year:
            return _Sorting(remark=over)
        if year not in years:
            begins = datetime(min(each for each in years if each > year), 1, 1, tzinfo=where)
            return _left(action, "begins in a later year, and windows have no year", begins.astimezone(UTC))
        ends = _earlier(ends, datetime(_first_missing(year, years), 1, 1, tzinfo=where).astimezone(UTC))
    rule = Rule(
        action.name,
        action.expression,
        timing,
        where if isinstance(timing, Cron) else UTC_ZONE,
        int(action.start.timestamp()) if action.start else None,
        _allowed(action.minimum),
        _allowed(action.maximum),
    )
    return _Sorting(rule, _excess(action) if ends is None else _ending(action, ends))


def _comes(cron: Cron, now: datetime) -> bool:
    """Whether there is such a day at all; a 29 February comes within eight years."""
    return next(cron.dates(now.date(), now.date() + timedelta(days=8 * 366)), None) is not None


def _ending(action: Scheduled, ends: datetime) -> Left:
    reason = "is translated, but its end is not: windows have none; take it out then"
    return Left(action.name, action.expression, reason, ends, partly=True)


def _excess(action: Scheduled) -> Left | None:
    """A word on a capacity above what a policy may have."""
    if all(value is None or value <= MOST_UNITS for value in (action.minimum, action.maximum)):
        return None
    return Left(
        action.name, action.expression, f"sets more than {MOST_UNITS}, and is taken as {MOST_UNITS}", partly=True
    )


def _allowed(value: int | None) -> int | None:
    return None if value is None else min(value, MOST_UNITS)


def _earlier(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else min(one, other)


def _first_missing(year: int, years: frozenset[int]) -> int:
    return next(each for each in range(year, max(years) + 2) if each not in years)
