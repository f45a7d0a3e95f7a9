"""`warmcast scan --cold-starts FUNCTION:ALIAS`: what its logs tell, and what each capacity would be worth.

Tells first what reading will cost and asks; reads the logs by two queries, CloudWatch's series for the demand, and
writes nothing. The options and the clients are the command `scan`'s.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

import click
import numpy as np
from rich.console import Console

from warmcast.aws.logged import LoggedFunctions
from warmcast.aws.logs import Logs, Span
from warmcast.coldcount import Confidence, began, cold_starts
from warmcast.coldlogs import BIN_S, QUERIES, read, reading
from warmcast.coldtext import Told, estimate, print_told, record
from warmcast.coldworth import Unit, ladder
from warmcast.commands.printing import print_json
from warmcast.errors import AwsError, WarmcastError
from warmcast.model.asked import Answer, Query
from warmcast.scan.found import FunctionSeen
from warmcast.scan.measure import Wanted, grid_of, measure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from warmcast.aws.logged import Logged
    from warmcast.aws.readers import Readers
    from warmcast.aws.throttle import Clock
    from warmcast.coldcount import ColdStarts
    from warmcast.coldlogs import LogGroup, Reading
    from warmcast.model import Capacity
    from warmcast.pricebook import PriceBook
    from warmcast.scan.found import Usage
    from warmcast.scan.ports import Series

MOST_DAYS: Final = 30
"""A query gives 10,000 rows, and 30 days have 8,640 of five minutes; more would be asked for in parts."""

_MOST_OTHERS: Final = 5


class Provisioned(Protocol):
    """The part of Lambda's control plane that tells what stands now."""

    def provisioned(self, function: str) -> Mapping[str, Capacity]:
        """Provisioned concurrency by qualifier; raises AwsError."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What is read from, in the function's Region."""

    functions: LoggedFunctions
    inventory: Provisioned
    logs: Logs
    metrics: Series
    book: PriceBook
    region: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command was given: an alias, how far back, and whether the cost is agreed to."""

    function: str
    qualifier: str
    days: int = 7
    yes: bool = False
    as_json: bool = False

    @staticmethod
    def of(name: str, *, days: int = 7, yes: bool = False, as_json: bool = False) -> Asked:
        """By `FUNCTION:ALIAS`; click.UsageError for anything else."""
        function, _, qualifier = name.rpartition(":")
        if not function or not qualifier or qualifier == "$LATEST":
            raise click.UsageError(f"--cold-starts {name!r}: name an alias or a published version as FUNCTION:ALIAS")
        if not 1 <= days <= MOST_DAYS:
            raise click.UsageError(f"--days {days}: from 1 to {MOST_DAYS} with --cold-starts")
        return Asked(function, qualifier, days, yes, as_json)

    @property
    def name(self) -> str:
        """`function:qualifier`."""
        return f"{self.function}:{self.qualifier}"


def sources_of(readers: Readers, *, book: PriceBook, clock: Clock) -> Sources:
    """What the readers of the function's account and Region bring."""
    return Sources(
        functions=LoggedFunctions(readers.client("lambda")),
        inventory=readers.inventory,
        logs=Logs(readers.client("logs"), clock),
        metrics=readers.metrics,
        book=book,
        region=readers.place.region,
    )


def show_cold_starts(sources: Sources, asked: Asked, *, now: datetime) -> int:
    """Tell the cost, ask, read, print; the exit code is 0, also where the answer was no.

    Raises:
        WarmcastError: there is no such function, qualifier or log group, or AWS refuses what can't be done without.
    """
    logged = sources.functions.logged(asked.function, asked.qualifier)
    group = sources.logs.group(logged.log_group)
    if group is None:
        raise WarmcastError(
            f"there is no log group {logged.log_group}: {asked.name} never ran, or its role may not write logs"
        )
    due = reading(group, now - timedelta(days=asked.days), now)
    click.echo(estimate(asked.name, group, due), err=True)
    if not asked.yes and not _agreed():
        return 0
    told = _told(sources, asked, logged, group, due)
    if asked.as_json:
        print_json(record(told))
    else:
        print_told(Console(), told)
    return 0


def _agreed() -> bool:
    """Whether a person at the terminal says yes; nobody is asked where there is none."""
    if not sys.stdin.isatty():
        click.echo("Nothing was read: pass --yes to agree to the cost.", err=True)
        return False
    return click.confirm("Read them?", err=True)


# --- reading ---------------------------------------------------------------------------------------------------------


def _told(sources: Sources, asked: Asked, logged: Logged, group: LogGroup, due: Reading) -> Told:
    with Console(stderr=True).status(f"CloudWatch Logs Insights reads {group.name} ({QUERIES} queries)"):
        span = _span(due)
        shared = "" if logged.own_group else logged.function
        counts = sources.logs.counts(group.name, span, function=shared)
        found = read(sources.logs.inits(group.name, span, function=shared), always_billed=logged.always_billed)
    use = _use(sources, asked, logged, due)
    first = began(counts, version=logged.version, start=due.start, created=group.created)
    cold = cold_starts(
        found,
        counts,
        version=logged.version,
        days=max((due.end - first) / timedelta(days=1), BIN_S / 86_400),
        never_provisioned=use.never_provisioned,
    )
    init_s = cold.init_p50_s or 0.0
    unit = Unit(logged.memory_mb, sources.book.of(sources.region, logged.architecture), init_s)
    worth = ladder(use.usage, unit, counted=cold.on_demand, counted_days=cold.days) if use.usage else None
    return Told(
        name=asked.name,
        group=group,
        reading=due,
        scanned_bytes=sources.logs.scanned_bytes,
        cold=cold,
        ladder=worth,
        prices=sources.book.source,
        saving_note=sources.book.saving_note,
        notes=tuple(_notes(sources, logged, group, cold, use)),
    )


def _span(due: Reading) -> Span:
    """The time in whole five minutes, as the bins of the counts are."""
    start, end = int(due.start.timestamp()), int(due.end.timestamp())
    return Span(start // BIN_S * BIN_S, end)


@dataclass(frozen=True, slots=True)
class _Use:
    """What CloudWatch says of the alias in that time.

    Args:
        usage: None where it says nothing of invocations.
        never_provisioned: no provisioned concurrency was in use.
        spilled: invocations that it did not serve; NaN unless there was some all the time.
        trouble: what could not be read, in words.
    """

    usage: Usage | None = None
    never_provisioned: bool = False
    spilled: float = float("nan")
    trouble: str = ""


def _use(sources: Sources, asked: Asked, logged: Logged, due: Reading) -> _Use:
    """The alias's demand, and whether provisioned concurrency was in use; a refusal of AWS costs the table only."""
    try:
        provisioned = sources.inventory.provisioned(asked.function)
    except AwsError as error:
        return _Use(trouble=str(error))
    seen = FunctionSeen(
        name=logged.function,
        runtime=logged.runtime,
        package=logged.package,
        memory_mb=logged.memory_mb,
        architecture=logged.architecture,
        timeout_s=logged.timeout_s,
        provisioned=provisioned,
    )
    wanted = Wanted(seen, asked.qualifier)
    usage = measure(sources.metrics, [wanted], now=due.end, days=asked.days)[wanted.name]
    query = Query("ProvisionedConcurrentExecutions", "Maximum", logged.function, f"{logged.function}:{asked.qualifier}")
    (answer,) = sources.metrics.read([query], grid_of(due.end, asked.days))
    idle = isinstance(answer, Answer) and answer.complete and bool(np.isnan(answer.values).all())
    never = idle and asked.qualifier not in provisioned
    known = not np.isnan(usage.invocations).all()
    spilled = float(usage.spilled.sum()) if (usage.capacity > 0).all() else float("nan")
    return _Use(usage if known else None, never, spilled, usage.note)


# --- what is to be known ---------------------------------------------------------------------------------------------


def _notes(sources: Sources, logged: Logged, group: LogGroup, cold: ColdStarts, use: _Use) -> list[str]:
    """Everything that makes the figures less than they look, a sentence each."""
    notes = []
    if logged.quiet:
        notes.append(
            "The function's system log level is WARN: Lambda then writes no reports of invocations that went well, and "
            "cold starts are missing here. Set it to INFO to have them."
        )
    elif not cold.invocations:
        notes.append(f"The log group has no reports of version {cold.version} in this time.")
    if group.infrequent:
        notes.append("The log group is of the class Infrequent Access, which may not have all fields.")
    if cold.others:
        notes.append(_of_others(cold))
    if cold.unreadable:
        notes.append(f"{cold.unreadable:,} lines that looked like reports could not be read.")
    if sources.logs.cut:
        notes.append("AWS gave not all rows of some second or five minutes: counts are a lower bound.")
    if cold.on_demand > use.spilled + cold.unclear + _LEAST_DOUBT and cold.confidence is not Confidence.CERTAIN:
        notes.append(
            f"CloudWatch counted {use.spilled:,.0f} invocations that provisioned concurrency did not serve, fewer than "
            "the cold starts told by the bill: some of those were made ahead."
        )
    if use.trouble:
        notes.append(f"CloudWatch did not tell all of the demand: {use.trouble}")
    return [*notes, *sources.book.notes]


_LEAST_DOUBT: Final = 2


def _of_others(cold: ColdStarts) -> str:
    named = [f"{version or 'unnamed'} ({count:,})" for version, count in list(cold.others.items())[:_MOST_OTHERS]]
    return (
        f"Other versions ran in this time and are not counted: {', '.join(named)} invocations. Logs name versions, not "
        f"aliases: what callers of version {cold.version} by another name waited for is counted here."
    )
