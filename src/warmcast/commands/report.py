"""The command `report`: a scan as a page, as markdown, as CSV or as JSON, for whoever was not at the terminal.

Reads AWS as `scan` does, or a file of an earlier scan, and writes one file.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never

import click
from click.core import ParameterSource

from warmcast.aws.throttle import SystemClock
from warmcast.commands.estimating import refusals
from warmcast.commands.pricing import own_prices
from warmcast.commands.printing import write
from warmcast.commands.scan import INTERRUPTED, Wish, scan_options, scanned
from warmcast.commands.scanning import open_places
from warmcast.errors import WarmcastError
from warmcast.page import page
from warmcast.scan.markdown import scan_to_markdown
from warmcast.scan.record import record_of, scan_from_json, scan_to_json
from warmcast.scan.sheet import scan_to_csv

if TYPE_CHECKING:
    from warmcast.scan.record import ScanRecord


class Form(StrEnum):
    """What a report can be."""

    HTML = "html"
    MARKDOWN = "markdown"
    JSON = "json"
    CSV = "csv"


SUFFIXES = {
    ".html": Form.HTML,
    ".htm": Form.HTML,
    ".md": Form.MARKDOWN,
    ".markdown": Form.MARKDOWN,
    ".json": Form.JSON,
    ".csv": Form.CSV,
}


@click.command("report")
@click.option(
    "--from",
    "scan_path",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file of `scan --out` or `scan --format json`. [default: scan now, with the options below]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    required=True,
    help="File to write, or - for standard output.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice([form.value for form in Form]),
    help="What to write. [default: by the file's ending; html for -]",
)
@scan_options
@click.pass_context
def report(context: click.Context, /, *, scan_path: Path | None, out: Path, form: str | None, **asked: Any) -> int:  # noqa: ANN401 - the options of `scan_options`
    """Write a scan as one page that needs nothing else (html), as markdown, csv or json.

    The page works offline and prints; markdown is for a pull request or a wiki; csv has a row an alias. With --from no
    AWS is asked; without it, a scan is made first, which only reads.

    Exit code 0: written. 1: written too, but something in AWS could not be read; where nothing could be opened at all,
    nothing is written. 130: stopped by Ctrl-C, what was found
    until then is written.
    """
    wanted = _form(out, form)
    if scan_path is not None:
        _refuse_both(context, set(asked))
        write(out, rendered(_read(scan_path), wanted))
        return 0
    record = _scan(**asked)
    write(out, rendered(record, wanted))
    return INTERRUPTED if record.interrupted else 1 if record.denials else 0


def _refuse_both(context: click.Context, names: set[str]) -> None:
    """What is told of a scan that is not made would not be so in the report."""
    for option in context.command.params:
        if option.name in names and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{option.opts[0]} is for a scan, and with --from none is made")


def _scan(  # noqa: PLR0913 - the options of `scan_options`, by name
    *,
    profiles: tuple[str, ...],
    regions: tuple[str, ...],
    endpoint_url: str | None,
    days: int | None,
    cold_start_usd: float,
    much_per_day: float,
    prices_file: Path | None,
    cost_explorer: bool,
) -> ScanRecord:
    own_prices(prices_file)
    clock = SystemClock()
    opened = open_places(profiles, regions, endpoint_url=endpoint_url, clock=clock)
    if not opened.readers:
        raise WarmcastError("\n".join(refusals(opened.denials)))
    wish = Wish(days, cold_start_usd, much_per_day, prices_file, cost_explorer)
    return record_of(scanned(opened, wish, clock))


def _form(out: Path, form: str | None) -> Form:
    """What to write; looked at, with the place to write it to, before the scan and not after it."""
    if str(out) != "-" and not out.absolute().parent.is_dir():
        raise click.BadParameter(f"{out}: there is no folder {out.absolute().parent}", param_hint="--out")
    if form is not None:
        return Form(form)
    if str(out) == "-":
        return Form.HTML
    if out.suffix.lower() not in SUFFIXES:
        raise click.BadParameter(
            f"{out}: the ending is none of {', '.join(SUFFIXES)}: pass --format too", param_hint="--out"
        )
    return SUFFIXES[out.suffix.lower()]


def _read(path: Path) -> ScanRecord:
    try:
        return scan_from_json(path.read_bytes(), source=str(path))
    except OSError as error:
        raise click.BadParameter(f"{path}: can't be read: {error.strerror}", param_hint="--from") from error


def rendered(record: ScanRecord, form: Form) -> str:
    """A record in one of the forms."""
    match form:
        case Form.HTML:
            return page(record)
        case Form.MARKDOWN:
            return scan_to_markdown(record)
        case Form.JSON:
            return scan_to_json(record)
        case Form.CSV:
            return scan_to_csv(record)
        case _:
            assert_never(form)
