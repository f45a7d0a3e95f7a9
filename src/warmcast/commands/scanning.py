"""Scanning: places in, a `Scan` out. Reads AWS in every Region at once, and keeps what it has when it is stopped.

    open_places     profiles and Regions -> readers, an account's Region each; what can't be opened is a denial
    make_scan       each place in a thread of its own: survey -> traffic -> choose -> measure -> judge -> limits

Threads and clients are the edge's; what is said of an alias is `warmcast.scan`'s. Each account and Region has a pace of
its own, for AWS limits calls by both. A place that fails becomes a row; the others go on.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from warmcast.aws.readers import make_readers
from warmcast.aws.regions import default_regions
from warmcast.commands.opening import refuse_unknown_region
from warmcast.errors import AwsError, WarmcastError
from warmcast.refusals import fix_of
from warmcast.scan.choosing import chosen
from warmcast.scan.concurrency import pressures
from warmcast.scan.estimate import estimate
from warmcast.scan.extremes import NOT_KNOWN, extremes
from warmcast.scan.found import Denial, Place, Scan
from warmcast.scan.measure import by_hour, grid_of, measure, traffic
from warmcast.scan.survey import Depth, survey
from warmcast.scan.verdict import judge, order

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from warmcast.aws.readers import Readers
    from warmcast.aws.throttle import Clock
    from warmcast.commands.progress import Watch
    from warmcast.pricebook import PriceBook
    from warmcast.scan.estimate import Estimate
    from warmcast.scan.found import ConcurrencyRow, Finding, Survey, Usage
    from warmcast.scan.measure import Wanted

AT_ONCE: Final = 100
"""Aliases that are measured in one go: 30 MB, and calls to CloudWatch that are full but for the last."""

BEFORE: Final = timedelta(days=7)
"""Scaling activities are read from so long before the time looked at: the last one tells what stood when it began."""

MOST_THREADS: Final = 8
EVERY_REGION: Final = "all"
"""What --region takes for every Region that is enabled by default."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a scan was asked for.

    Args:
        days: of history. cold_start_usd: what avoiding a cold start is worth.
        much_per_day: invocations a day from which a function without provisioned concurrency is looked at.
    """

    now: datetime
    days: int
    cold_start_usd: float
    much_per_day: float
    book: PriceBook


@dataclass(frozen=True, slots=True)
class Opened:
    """The places that could be opened, and those that could not."""

    readers: tuple[Readers, ...]
    denials: tuple[Denial, ...]


@dataclass(slots=True)
class _Part:
    """What one place's thread has found so far; nobody reads it before the thread has ended."""

    readers: Readers
    findings: list[Finding] = field(default_factory=list)
    concurrency: tuple[ConcurrencyRow, ...] = ()
    denials: list[Denial] = field(default_factory=list)
    skipped: int = 0

    def deny(self, error: AwsError) -> None:
        """Note a refusal; one of an operation is enough."""
        denial = denial_of(self.readers.place, error)
        if not any(each.operation == denial.operation and each.code == denial.code for each in self.denials):
            self.denials.append(denial)


# --- places ----------------------------------------------------------------------------------------------------------


def open_places(profiles: Sequence[str], regions: Sequence[str], *, endpoint_url: str | None, clock: Clock) -> Opened:
    """The readers of each profile's Regions, each account's Region once.

    Args:
        profiles: none: the usual chain of credentials.
        regions: none: the profile's own; `all`: every Region that is enabled by default.
        endpoint_url: another AWS.
        clock: by which requests are paced.

    Raises:
        click.BadParameter: there is no such Region.
    """
    readers: dict[Place, Readers] = {}
    denials: list[Denial] = []
    for profile in profiles or [""]:
        for region in _regions(profile, regions):
            try:
                opened = make_readers(
                    region=region or None, profile=profile or None, endpoint_url=endpoint_url, clock=clock
                )
            except WarmcastError as error:
                denials.append(denial_of(Place("unknown", region or "unknown", profile), error))
            else:
                readers.setdefault(Place(opened.place.account, opened.place.region), opened)
    return Opened(tuple(readers.values()), tuple(denials))


def _regions(profile: str, regions: Sequence[str]) -> Iterator[str]:
    for region in regions or [""]:
        if region == EVERY_REGION:
            yield from default_regions(profile or None)
        else:
            refuse_unknown_region(profile=profile or None, region=region or None)
            yield region


# --- the scan --------------------------------------------------------------------------------------------------------


def make_scan(opened: Opened, terms: Terms, watch: Watch) -> Scan:
    """Scan every place; after Ctrl-C, what was found until then."""
    parts = [_Part(readers) for readers in opened.readers]
    interrupted = _side_by_side(parts, terms, watch)
    calls: Counter[str] = Counter()
    for part in parts:
        calls.update(part.readers.calls.counts)
    return Scan(
        at=terms.now,
        days=terms.days,
        places=tuple(part.readers.place for part in parts),
        findings=order(finding for part in parts for finding in part.findings),
        concurrency=tuple(row for part in parts for row in part.concurrency),
        denials=(*opened.denials, *(denial for part in parts for denial in part.denials)),
        skipped={part.readers.place: part.skipped for part in parts if part.skipped},
        prices_source=terms.book.told,
        metrics_requested=sum(part.readers.metrics.requested for part in parts),
        calls=calls,
        interrupted=interrupted,
        cold_start_usd=terms.cold_start_usd,
    )


def _side_by_side(parts: Sequence[_Part], terms: Terms, watch: Watch) -> bool:
    """Work on every part in a thread of its own; whether Ctrl-C ended it."""
    if not parts:
        return False
    with ThreadPoolExecutor(max_workers=min(len(parts), MOST_THREADS)) as pool:
        threads = [pool.submit(_scan_place, part, terms, watch) for part in parts]
        try:
            wait(threads)
            interrupted = False
        except KeyboardInterrupt:
            watch.stop()
            watch.say("Stopping: what was found so far follows. Ctrl-C again leaves at once.")
            wait(threads)
            interrupted = True
    for thread in threads:
        thread.result()  # a bug of ours is no row
    return interrupted


def _scan_place(part: _Part, terms: Terms, watch: Watch) -> None:
    """One account's Region, as far as AWS allows and time is left."""
    try:
        _find(part, terms, watch)
    except AwsError as error:
        part.deny(error)


def _find(part: _Part, terms: Terms, watch: Watch) -> None:
    place, invocations = part.readers.place, dict[str, float]()

    def read_traffic(functions: Sequence[str]) -> Mapping[str, float]:
        watch.tell(str(place), "traffic", 0, len(functions))
        invocations.update(
            traffic(part.readers.metrics, functions, now=terms.now, days=terms.days, in_time=watch.going)
        )
        return invocations

    since = datetime.fromtimestamp(grid_of(terms.now, terms.days).start, UTC) - BEFORE
    found = survey(
        place,
        inventory=part.readers.inventory,
        scalings=part.readers.scalings,
        traffic=read_traffic,
        progress=lambda what, done, total: watch.tell(str(place), what, done, total),
        depth=Depth(busy=terms.much_per_day * terms.days, since=since),
        in_time=watch.going,
    )
    part.denials += found.denials
    wanted = chosen(found.functions, invocations, days=terms.days, much_per_day=terms.much_per_day)
    part.skipped = len(found.functions) - len({one.function.name for one in wanted})
    _judge_all(part, wanted, terms, watch)
    part.concurrency = _limits(part, found, [one.function.name for one in wanted], terms, watch)


def _judge_all(part: _Part, wanted: Sequence[Wanted], terms: Terms, watch: Watch) -> None:
    """Measure and judge some at a time, and keep of each what a report needs.

    Once stopped, what has provisioned concurrency is still named, not measured.
    """
    for first in range(0, len(wanted), AT_ONCE):
        some = wanted[first : first + AT_ONCE]
        watch.tell(str(part.readers.place), "aliases", first, len(wanted))
        usages = (
            measure(part.readers.metrics, some, now=terms.now, days=terms.days, in_time=watch.going)
            if watch.going()
            else {}
        )
        part.findings += [
            _finding(part, one, usages.get(one.name), terms) for one in some if one.name in usages or one.provisioned
        ]
    watch.tell(str(part.readers.place), "aliases", len(wanted), len(wanted))


def _limits(
    part: _Part, found: Survey, measured: Sequence[str], terms: Terms, watch: Watch
) -> tuple[ConcurrencyRow, ...]:
    """Who is close to a limit: among the functions with a reservation, and those with much traffic or capacity."""
    reserving = [function.name for function in found.functions if function.reserved is not None]
    names = sorted({*measured, *reserving})
    try:
        seen = extremes(part.readers.metrics, names, now=terms.now, days=terms.days, in_time=watch.going)
    except AwsError as error:
        part.deny(error)
        seen = NOT_KNOWN
    return pressures(
        found, peaks=seen.peaks, throttles=seen.throttles, account_peak=seen.account_peak, days=float(terms.days)
    )


def _finding(part: _Part, one: Wanted, usage: Usage | None, terms: Terms) -> Finding:
    finding = judge(
        part.readers.place,
        one.function,
        one.qualifier,
        usage,
        prices=terms.book.of(part.readers.place.region, one.function.architecture),
        cold_start_usd=terms.cold_start_usd,
        now=terms.now,
    )
    return replace(finding, usage=by_hour(usage)) if usage else finding


def denial_of(place: Place, error: WarmcastError) -> Denial:
    """What could not be read, in AWS's words, and how to mend it."""
    if not isinstance(error, AwsError):
        return Denial(place, "(session)", type(error).__name__, str(error))
    fix = fix_of(error, profile=place.profile, region=place.region)
    return Denial(place, error.operation, error.code, error.message, fix)


# --- before it -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Estimated:
    """What a scan of each place takes, and the places where not even that can be told."""

    estimates: tuple[Estimate, ...]
    denials: tuple[Denial, ...]


def estimates(opened: Opened, *, days: int) -> Estimated:
    """What a scan takes, place by place; counts functions and asks nothing else."""
    found, denials = [], list(opened.denials)
    for readers in opened.readers:
        try:
            found.append(estimate(readers.place, sum(1 for _ in readers.inventory.functions()), days=days))
        except AwsError as error:
            denials.append(denial_of(readers.place, error))
    return Estimated(tuple(found), tuple(denials))
