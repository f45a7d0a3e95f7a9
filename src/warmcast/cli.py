"""The command line: the same code that the Lambda runs, on a laptop or in CI.

Exit codes: 0 good, 1 a finding or a failed check, 2 wrong usage, 3 a bug of ours. What a program may read goes to
standard output, everything else to standard error. The commands themselves are in `warmcast.commands`.
"""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

import click

from warmcast import __version__
from warmcast.commands.backtest import backtest
from warmcast.commands.doctor import doctor
from warmcast.commands.iam import iam
from warmcast.commands.importing import import_command
from warmcast.commands.plan import plan_command
from warmcast.commands.report import report
from warmcast.commands.scan import scan_command
from warmcast.commands.tick import tick_command
from warmcast.commands.validate import schema, validate
from warmcast.errors import AwsError, WarmcastError

if TYPE_CHECKING:
    from collections.abc import Sequence

TABLE_CALLS = {"Query", "PutItem", "DeleteItem"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; the one place that catches everything."""
    try:
        return int(warmcast.main(args=argv, prog_name="warmcast", standalone_mode=False) or 0)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.exceptions.Abort:
        return 130
    except click.ClickException as wrong:
        wrong.show()
        return 2
    except WarmcastError as error:
        click.echo(f"warmcast: {error}{_hint(error)}", err=True)
        return 1
    except Exception as bug:  # noqa: BLE001 - the error boundary: whatever gets here is a bug of ours
        traceback.print_exc()
        click.echo(f"warmcast {__version__}: this is a bug of ours: {type(bug).__name__}: {bug}", err=True)
        return 3


def _hint(error: WarmcastError) -> str:
    """What to do about an error of AWS that its own words leave open."""
    no_table = (
        isinstance(error, AwsError) and error.code == "ResourceNotFoundException" and error.operation in TABLE_CALLS
    )
    return "; there is no such control table: pass the stack's output ControlTableName as --table" if no_table else ""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="warmcast")
def warmcast() -> None:
    """Keep AWS Lambda aliases warm exactly when they need to be.

    Policies live in Git (src/fleet). `validate` checks them offline; `plan` shows the next hours, `tick --dry-run` one
    decision for each target with its reason, both reading AWS and writing nothing; `tick` acts. `backtest` replays a
    file of demand, offline, or an alias's own history.
    """


for command in (
    validate,
    schema,
    plan_command,
    tick_command,
    backtest,
    report,
    scan_command,
    doctor,
    iam,
    import_command,
):
    warmcast.add_command(command)


if __name__ == "__main__":
    sys.exit(main())
