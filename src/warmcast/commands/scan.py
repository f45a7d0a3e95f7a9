"""The command `scan`: what the provisioned concurrency of accounts is worth. Reads AWS, writes nothing there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from rich.console import Console

from warmcast.aws.throttle import SystemClock
from warmcast.commands.cold_starts import Asked, show_cold_starts, sources_of
from warmcast.commands.estimating import show_estimate, tell_denials
from warmcast.commands.pricing import billed, book_for, own_prices, prices_option
from warmcast.commands.printing import write
from warmcast.commands.progress import Watch
from warmcast.commands.scanning import Terms, make_scan, open_places
from warmcast.scan.choosing import MUCH_PER_DAY
from warmcast.scan.found import Pressure, Verdict
from warmcast.scan.measure import MOST_DAYS
from warmcast.scan.record import record_of, scan_to_json
from warmcast.scan.text import print_scan
from warmcast.scan.verdict import COLD_START_USD

if TYPE_CHECKING:
    from collections.abc import Callable

    from warmcast.aws.throttle import Clock
    from warmcast.commands.scanning import Opened
    from warmcast.scan.found import Scan

F = TypeVar("F", bound="Callable[..., Any]")

DAYS: Final = 14
COLD_START_DAYS: Final = 7
INTERRUPTED: Final = 130
NOTHING_TO_DO: Final = frozenset({Verdict.KEEP, Verdict.NO, Verdict.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Wish:
    """What a scan is asked for, past which AWS it reads; the options of `scan_options` have the words."""

    days: int | None
    cold_start_usd: float
    much_per_day: float
    prices_file: Path | None
    cost_explorer: bool = False


@dataclass(frozen=True, slots=True)
class _Options:
    """What the command was given, past which AWS it asks."""

    wish: Wish
    out: Path | None
    as_json: bool


def _json_file(_context: click.Context, _option: click.Parameter, value: Path | None) -> Path | None:
    """`--out`: looked at before the scan, not after it."""
    if value is not None and value.suffix.lower() != ".json":
        raise click.BadParameter(f"{value}: must end in .json; `warmcast report --from` makes pages and tables of it")
    if value is not None and not value.absolute().parent.is_dir():
        raise click.BadParameter(f"{value}: there is no folder {value.absolute().parent}")
    return value


def scan_options(command: F) -> F:
    """Whose accounts, how far back, and what is taken for granted: what every command that scans takes."""
    options = [
        click.option(
            "--profile", "profiles", multiple=True, help="AWS profile; repeatable. [default: the usual chain]"
        ),
        click.option(
            "--region",
            "regions",
            multiple=True,
            envvar=["AWS_REGION", "AWS_DEFAULT_REGION"],
            help="Region; repeatable. `all`: every Region that is enabled by default. [default: the profile's]",
        ),
        click.option("--endpoint-url", envvar="AWS_ENDPOINT_URL", help="Another AWS, such as a local one."),
        click.option("--days", type=click.IntRange(1, MOST_DAYS), help=f"How far back. [default: {DAYS}]"),
        click.option(
            "--cold-start-usd",
            type=click.FloatRange(0),
            default=COLD_START_USD,
            show_default=True,
            help="What avoiding one cold start is worth to you.",
        ),
        click.option(
            "--least-traffic",
            "much_per_day",
            type=click.FloatRange(1),
            default=MUCH_PER_DAY,
            show_default=True,
            help="Invocations a day from which a function without provisioned concurrency is looked at.",
        ),
        prices_option,
        click.option(
            "--cost-explorer",
            is_flag=True,
            help="Also ask Cost Explorer what was billed last month ($0.01 a request).",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command("scan")
@scan_options
@click.option("--estimate", "only_estimate", is_flag=True, help="Say what it takes and costs; read no metric.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=_json_file,
    metavar="FILE.json",
    help="Also write everything there, for `warmcast report`.",
)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--cold-starts", "name", metavar="FUNCTION:ALIAS", help="Read this one's logs for its cold starts.")
@click.option("--yes", is_flag=True, help="With --cold-starts: agree to what reading the logs costs.")
def scan_command(  # noqa: PLR0913 - all that a scan can be told, by name
    *,
    profiles: tuple[str, ...],
    regions: tuple[str, ...],
    endpoint_url: str | None,
    days: int | None,
    only_estimate: bool,
    cold_start_usd: float,
    much_per_day: float,
    prices_file: Path | None,
    cost_explorer: bool,
    out: Path | None,
    form: str,
    name: str | None,
    yes: bool,
) -> int:
    """Say what the provisioned concurrency of your accounts is worth: a verdict on each alias, with its evidence.

    Looks at every function with provisioned concurrency, a scalable target or much traffic, in all the profiles and
    Regions that you name. Only reads: `warmcast iam scan` prints the role that it needs, `warmcast doctor` tries it.
    CloudWatch charges $0.01 for a thousand metrics; --estimate says beforehand how many it will be.

    Exit code 0: nothing needs doing. 1: a verdict asks for something, a limit is close, or something could not be
    read. 130: stopped by Ctrl-C, which still prints (and with --out writes) what was found until then.
    """
    own_prices(prices_file)  # refused before AWS is asked, and where no price is needed too
    clock = SystemClock()
    wish = Wish(days, cold_start_usd, much_per_day, prices_file, cost_explorer)
    options = _Options(wish, out, as_json=form == "json")
    with Console(stderr=True).status("asking AWS which accounts these are"):
        opened = open_places(profiles, regions, endpoint_url=endpoint_url, clock=clock)
    if name is not None:
        asked = Asked.of(name, days=days or COLD_START_DAYS, yes=yes, as_json=options.as_json)
        return _cold_starts(opened, asked, options, clock)
    if only_estimate:
        return show_estimate(opened, days=days or DAYS, as_json=options.as_json)
    return _scan(opened, options, clock)


# --- the scan --------------------------------------------------------------------------------------------------------


def scanned(opened: Opened, wish: Wish, clock: Clock) -> Scan:
    """Make the scan, telling on standard error how far it is."""
    now = clock.now()
    regions = [readers.place.region for readers in opened.readers]
    book = book_for(
        opened.readers[0] if opened.readers else None,
        prices_file=wish.prices_file,
        regions=regions,
        today=now.date(),
    )
    terms = Terms(now, wish.days or DAYS, wish.cold_start_usd, wish.much_per_day, book)
    for note in book.notes:
        click.echo(f"prices: {note}", err=True)
    with Watch(Console(stderr=True), clock) as watch:
        scan = make_scan(opened, terms, watch)
    return replace(scan, cost_explorer_usd=billed(opened.readers, today=now.date())) if wish.cost_explorer else scan


def _scan(opened: Opened, options: _Options, clock: Clock) -> int:
    scan = scanned(opened, options.wish, clock)
    record = record_of(scan)
    if options.as_json:
        click.echo(scan_to_json(record), nl=False)
    else:
        print_scan(Console(), record)
    if options.out is not None:
        write(options.out, scan_to_json(record))
    return exit_code(scan)


def exit_code(scan: Scan) -> int:
    """130 where it was stopped, 1 where something is to be done or could not be read, else 0."""
    if scan.interrupted:
        return INTERRUPTED
    acting = any(finding.verdict not in NOTHING_TO_DO for finding in scan.findings)
    pressed = any(row.pressure is not Pressure.FINE for row in scan.concurrency)
    return 1 if acting or pressed or scan.denials else 0


def _cold_starts(opened: Opened, asked: Asked, options: _Options, clock: Clock) -> int:
    if len(opened.readers) != 1:
        tell_denials(opened.denials)
        raise click.UsageError("--cold-starts reads one place: name one profile and one Region that can be opened")
    (readers,) = opened.readers
    now = clock.now()
    book = book_for(readers, prices_file=options.wish.prices_file, regions=[readers.place.region], today=now.date())
    return show_cold_starts(sources_of(readers, book=book, clock=clock), asked, now=now)
