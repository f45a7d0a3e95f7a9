"""What commands print, and how: results to standard output, findings and remarks to standard error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from warmcast.errors import WarmcastError

if TYPE_CHECKING:
    from pathlib import Path

    from warmcast.fleet import Fleet


def print_json(value: object) -> None:
    """A value as JSON, for programs."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_findings(fleet: Fleet) -> None:
    """Each finding of a fleet, a line each."""
    for finding in fleet.findings:
        click.echo(str(finding), err=True)


def count(number: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def write(out: Path, text: str) -> None:
    """Write a text to a file and say so, or to standard output for `-`."""
    if str(out) == "-":
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise WarmcastError(f"{out}: can't be written: {error.strerror}") from error
    click.echo(f"written to {out}", err=True)
