"""The command `import`: what Application Auto Scaling does today, as policy files. Reads AWS, writes one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import track

from warmcast.aws.throttle import SystemClock
from warmcast.commands.opening import open_one, with_its_fix
from warmcast.commands.options import aws_options
from warmcast.commands.printing import count, print_json
from warmcast.errors import WarmcastError
from warmcast.importing.gather import Gathered, gather
from warmcast.importing.writing import record, yaml_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from warmcast.aws.readers import Readers


@click.command("import")
@aws_options
@click.option(
    "--fixed", is_flag=True, help="Also provisioned concurrency without a scalable target, as a fixed capacity."
)
@click.option("--out", type=click.Path(path_type=Path), help="File to write; not over one that exists.")
@click.option("--format", "form", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True)
def import_command(*, fixed: bool, out: Path | None, form: str, **aws: Any) -> int:  # noqa: ANN401 - the options of `aws_options`
    """Turn scalable targets and their scheduled actions into policies.

    Prints a policy file with the same floor and ceiling at every minute, or writes it to --out; every target in it only
    observes. What can't be translated stands there as a comment with the reason, and on standard error; exit code 1
    then. Reads Application Auto Scaling (and Lambda with --fixed); changes nothing in AWS.
    """
    wanted = frozenset(aws.pop("targets"))
    if out is not None and out.exists():
        raise _in_the_way(out)
    with with_its_fix(profile=aws["profile"], region=aws["region"]):
        readers = open_one(**aws)
        gathered = _gather(readers, wanted, fixed=fixed)
    place = str(readers.place)
    if gathered.missing:
        kind = "nothing to import" if fixed else "no scalable target (without one: --fixed)"
        raise WarmcastError(f"{place}: {kind}: {', '.join(gathered.missing)}")
    _tell(gathered, place)
    if out is not None and gathered.imported:
        _write(out, yaml_text(gathered.imported, place))
    if form == "json":
        print_json({"place": place, "targets": [record(each) for each in gathered.imported]})
    elif out is None and gathered.imported:
        click.echo(yaml_text(gathered.imported, place), nl=False)
    return 1 if any(each.left for each in gathered.imported) else 0


def _gather(readers: Readers, wanted: frozenset[str], *, fixed: bool) -> Gathered:
    return gather(
        readers.scalings.all(),
        wanted,
        now=SystemClock().now(),
        inventory=readers.inventory if fixed else None,
        watched=_watched,
    )


def _watched(keys: list[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Tell on a terminal how far it is: an action on certain dates takes a second to be checked."""
    console = Console(stderr=True)
    return track(keys, "translating", console=console, transient=True, disable=not console.is_terminal)


def _tell(gathered: Gathered, place: str) -> None:
    """What a person has to know, on standard error: what was left out and why, and how much there is."""
    for each in gathered.imported:
        for left in each.left:
            click.echo(f"{each}: not translated: {left}", err=True)
    for name in gathered.ours:
        click.echo(f"{name}: Warmcast registered it, so it has a policy already; --target {name} imports it", err=True)
    if not gathered.imported:
        click.echo(f"{place}: nothing to import: Application Auto Scaling has no scalable target for Lambda", err=True)
        return
    untranslated = sum(len(each.left) for each in gathered.imported)
    click.echo(f"{count(len(gathered.imported), 'target')}, {untranslated} not translated", err=True)


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise _in_the_way(path) from None
    except OSError as error:
        raise click.BadParameter(f"{path}: can't be written: {error.strerror}", param_hint="--out") from error
    click.echo(f"written to {path}", err=True)


def _in_the_way(path: Path) -> click.BadParameter:
    return click.BadParameter(f"{path} exists, and is not overwritten", param_hint="--out")
