"""Options that several commands share."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

FLEET_FOLDER = Path("src/fleet")

F = TypeVar("F", bound="Callable[..., Any]")


def fleet_option(command: F) -> F:
    """`--fleet`: where the policies are."""
    return click.option(
        "--fleet",
        "fleet_path",
        type=click.Path(path_type=Path),
        default=FLEET_FOLDER,
        show_default=True,
        help="Folder or file of the policies.",
    )(command)


def aws_options(command: F) -> F:
    """Where AWS is, and as whom; for which targets."""
    only = click.option(
        "--target", "targets", multiple=True, metavar="FUNCTION:QUALIFIER", help="Only this; repeatable."
    )
    return place_options(only(command))


def place_options(command: F) -> F:
    """Where AWS is, and as whom."""
    options = [
        click.option("--profile", help="AWS profile. [default: the usual chain of credentials]"),
        click.option("--region", envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="Region of the fleet."),
        click.option("--endpoint-url", envvar="AWS_ENDPOINT_URL", help="Another AWS, such as a local one."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def table_option(*, required: bool) -> Callable[[F], F]:
    """`--table`: the control table; without it nothing is remembered, no override or stop is known."""
    help_text = "Control table (output ControlTableName of the stack)." + (
        "" if required else " Without it: no overrides."
    )
    return click.option("--table", envvar="WARMCAST_TABLE", required=required, help=help_text)


def units_or_none(_context: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    """`--budget-units`: a number, infinite for `none`; None only where nothing was said."""
    if value is None or value == "none":
        return None if value is None else math.inf
    if not re.fullmatch("[0-9]{1,6}", value):
        raise click.BadParameter(f"{value!r} is neither a whole number nor the word none")
    return int(value)


def rate_option(command: F) -> F:
    """`--rate-minutes`: how often the stack ticks."""
    return click.option(
        "--rate-minutes",
        type=click.IntRange(1, 15),
        default=5,
        show_default=True,
        help="Minutes between the stack's ticks (its RateMinutes).",
    )(command)
