"""The commands `validate` and `schema`: policies checked offline. Touch the files that they are given; no AWS."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from warmcast.commands.options import FLEET_FOLDER
from warmcast.commands.printing import count, print_json
from warmcast.fleet import Home, Severity, load_fleet
from warmcast.fleet.schema import schema_text


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option("--account", envvar="WARMCAST_ACCOUNT", help="Account that Warmcast runs in; unknown: not compared.")
@click.option("--region", envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="Likewise its Region.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def validate(paths: tuple[Path, ...], strict: bool, account: str | None, region: str | None, form: str) -> int:
    """Check policy files, offline: every finding of every file in one run.

    PATHS are folders or files; without any, src/fleet. Each finding is a line
    `file:line: error|warning: key: message`; exit code 1 if there is an error.
    """
    fleet = load_fleet(list(paths) or [FLEET_FOLDER], home=Home(account=account or "", region=region or ""))
    errors = [finding for finding in fleet.findings if finding.severity is Severity.ERROR]
    if form == "json":
        print_json({"targets": len(fleet.policies), "findings": [asdict(finding) for finding in fleet.findings]})
    else:
        for finding in fleet.findings:
            click.echo(str(finding))
        warnings = len(fleet.findings) - len(errors)
        counts = (count(len(fleet.policies), "good target"), count(len(errors), "error"), count(warnings, "warning"))
        click.echo(", ".join(counts), err=True)
    return 1 if errors or (strict and fleet.findings) else 0


@click.command()
def schema() -> int:
    """Print the JSON schema of policy files, for completion in an editor."""
    click.echo(schema_text(), nl=False)
    return 0
