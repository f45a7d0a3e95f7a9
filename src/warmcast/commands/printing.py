"""What commands print, and how: results to standard output, findings and remarks to standard error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
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
