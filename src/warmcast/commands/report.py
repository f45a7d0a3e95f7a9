"""The command `report`: a scan as a page, as markdown, as CSV or as JSON, for whoever was not at the terminal."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

import click

from warmcast.commands.printing import write
from warmcast.page import page
from warmcast.scan.markdown import scan_to_markdown
from warmcast.scan.record import scan_from_json, scan_to_json
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
    required=True,
    help="A file of `scan --format json`; no AWS is asked then.",
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
def report(*, scan_path: Path, out: Path, form: str | None) -> int:
    """Write a scan as one page that needs nothing else (html), as markdown, csv or json.

    The page works offline and prints; markdown is for a pull request or a wiki; csv has a row an alias.
    """
    wanted = _form(out, form)
    write(out, rendered(_read(scan_path), wanted))
    return 0


def _form(out: Path, form: str | None) -> Form:
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
