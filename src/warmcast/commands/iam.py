"""The command `iam`: the least policy of a role, as JSON. Touches nothing but its own output."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import click

from warmcast.commands.printing import print_json
from warmcast.permissions import Purpose
from warmcast.policies import (
    Bounds,
    controller_policy,
    reader_policy,
    remarks_on_controlling,
    remarks_on_reading,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

F = TypeVar("F", bound="Callable[..., Any]")

READING = tuple(purpose for purpose in Purpose if purpose is not Purpose.CONTROLLER)


def _fitting(pattern: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """A check that an option's text, or each of its texts, is what may stand in an ARN."""

    def check(_context: click.Context, _option: click.Parameter, value: Any) -> Any:  # noqa: ANN401 - as click has it
        for text in value if isinstance(value, tuple) else (value,):
            if not re.fullmatch(pattern, text):
                raise click.BadParameter(f"{text!r} does not fit {pattern}")
        return value

    return check


def _bounds_options(command: F) -> F:
    """What the policy is narrowed to."""
    options = [
        click.option(
            "--function-pattern",
            default="*",
            show_default=True,
            callback=_fitting(r"[A-Za-z0-9_*?-]+"),
            help="Functions that may be named, such as 'shop-*'.",
        ),
        click.option(
            "--account", default="*", show_default=True, callback=_fitting(r"\d{12}|\*"), help="Its 12 digits."
        ),
        click.option(
            "--region",
            "regions",
            multiple=True,
            default=("*",),
            show_default=True,
            callback=_fitting(r"[a-z0-9-]+|\*"),
            help="Only there; repeatable.",
        ),
        click.option(
            "--partition", type=click.Choice(["aws", "aws-cn", "aws-us-gov"]), default="aws", show_default=True
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.group()
def iam() -> None:
    """Print the least IAM policy of a role; asks AWS nothing.

    The document goes to standard output, what to know about it to standard error.
    """


@iam.command("scan")
@_bounds_options
@click.option(
    "--for",
    "purposes",
    multiple=True,
    type=click.Choice([each.value for each in READING]),
    help="Only for this command; repeatable. [default: all that read]",
)
def iam_scan(
    *, function_pattern: str, account: str, regions: Sequence[str], partition: str, purposes: Sequence[str]
) -> int:
    """Print what reading needs: scan, import, backtest --from-aws, scan --cold-starts."""
    bounds = Bounds(partition, account, regions, function_pattern)
    wanted = [Purpose(each) for each in purposes] or READING
    print_json(reader_policy(wanted, bounds))
    _remark(remarks_on_reading(wanted, bounds))
    return 0


@iam.command("controller")
@_bounds_options
@click.option("--table", default="*", show_default=True, callback=_fitting(r"[A-Za-z0-9_.*?-]+"), help="Control table.")
@click.option(
    "--required-tag", default="", help="Value of the tag `warmcast` that a function must carry to be changed."
)
@click.option("--autoscaling", is_flag=True, help="With what policies that say `actuator: autoscaling` need.")
def iam_controller(
    *,
    function_pattern: str,
    account: str,
    regions: Sequence[str],
    partition: str,
    table: str,
    required_tag: str,
    autoscaling: bool,
) -> int:
    """Print what the deployed function needs: the policy that template.yaml gives it."""
    bounds = Bounds(partition, account, regions, function_pattern, table, required_tag)
    print_json(controller_policy(bounds, autoscaling=autoscaling))
    _remark(remarks_on_controlling(bounds, autoscaling=autoscaling))
    return 0


def _remark(remarks: Sequence[str]) -> None:
    for remark in remarks:
        click.echo(f"# {remark}", err=True)
