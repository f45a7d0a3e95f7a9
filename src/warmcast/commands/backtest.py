"""The command `backtest`: what a policy would have done on a demand trace, beside what the user would have otherwise.

    read       the policy (by the fleet's own loader) and the trace: a file's, or an alias's own past (`own_history`)
    compare    replay it through the production brain, score it beside the others (pure)
    write      decisions.csv, summary.json and, where matplotlib is there, backtest.png (`replayed`)
    tell       the same on the terminal

With --demand it touches the files that it is given and the folder that it writes to; no AWS, no clock, no environment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource
from rich.console import Console

from warmcast.commands.own_history import Alias, Where, alias_of, default_policy, policy_text, read_own, start_of
from warmcast.commands.pricing import book_for, prices_option
from warmcast.commands.replayed import COLUMNS, as_json, make, tell, write
from warmcast.errors import FleetError, TraceError
from warmcast.fleet import Home, Severity, load_fleet
from warmcast.simulate.compare import compare
from warmcast.simulate.reading import read_trace
from warmcast.simulate.trace import MINUTE_S
from warmcast.simulate.verdict import stamp, summary
from warmcast.simulate.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from warmcast.fleet import Policy
    from warmcast.simulate.actual import Actual
    from warmcast.simulate.trace import Trace

__all__ = ["COLUMNS", "LEARNING_S", "backtest"]

USUAL = World()

F = TypeVar("F", bound="Callable[..., Any]")

LEARNING_S = 14 * 86_400
"""By default this much of the trace is history only, or half of it where that is less."""


# --- the command line ------------------------------------------------------------------------------------------------


def tick_seconds(_context: click.Context, _option: click.Parameter, value: str) -> int:
    """`--tick`: whole minutes from 1 to 60, with a unit or without."""
    found = re.fullmatch(r"(\d{1,4})(m|s|)", value)
    seconds = int(found[1]) * (1 if found[2] == "s" else MINUTE_S) if found else 0
    if seconds % MINUTE_S or not MINUTE_S <= seconds <= 60 * MINUTE_S:
        raise click.BadParameter(f"{value!r} is no whole number of minutes from 1 to 60, such as 5, 5m or 300s")
    return seconds


def epoch_seconds(_context: click.Context, _option: click.Parameter, value: str | None) -> int | None:
    """`--start`: a full minute in ISO 8601; in UTC where it names no zone, as traces are."""
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no instant in ISO 8601, such as 2014-05-14T01:10Z") from None
    seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    if seconds % MINUTE_S:
        raise click.BadParameter(f"{value!r} is not the start of a minute")
    return int(seconds)


def world_options(command: F) -> F:
    """What a trace does not tell, each with the simulated world's own default."""
    options = [
        click.option(
            "--tick", "tick_s", callback=tick_seconds, default="5m", show_default=True, help="Time between ticks."
        ),
        _number("--duration-ms", 1, 900_000, USUAL.duration_ms, "Mean duration, where the trace does not tell."),
        _number("--init-ms", 0, 900_000, USUAL.init_ms, "How long an environment's init takes."),
        click.option(
            "--memory-mb",
            type=click.IntRange(128, 10_240),
            default=USUAL.memory_mb,
            show_default=True,
            help="The function's memory.",
        ),
        click.option(
            "--region", help="Whose prices hold, and where the alias is. [default: the policy's Region, else us-east-1]"
        ),
        click.option(
            "--architecture", type=click.Choice(["x86_64", "arm64"]), default=USUAL.architecture, show_default=True
        ),
        _number("--peakedness", 0.1, 20, USUAL.peakedness, "Burstiness of arrivals within a minute; 1 is Poisson."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _number(name: str, low: float, high: float, default: float, text: str) -> Callable[[F], F]:
    return click.option(name, type=click.FloatRange(low, high), default=default, show_default=True, help=text)


def source_options(command: F) -> F:
    """What is replayed: a file, or an alias's own past; by which policy, and from when on."""
    options = [
        click.option(
            "--demand",
            "demand_path",
            type=click.Path(path_type=Path),
            help="CSV file (or .gz), a row a minute: timestamp,concurrency[,peak] or"
            " timestamp,invocations,duration_ms[,peak].",
        ),
        click.option(
            "--from-aws",
            "alias",
            callback=alias_of,
            metavar="FUNCTION:ALIAS",
            help="Instead, an alias's own history in CloudWatch; what was actually run is compared, too.",
        ),
        click.option(
            "--policy",
            "policy_path",
            type=click.Path(path_type=Path),
            help="Policy file with exactly one target; its mode is ignored. [default with --from-aws: 1% spillover]",
        ),
        click.option(
            "--start",
            callback=epoch_seconds,
            metavar="ISO",
            help="All before it is history only (UTC). [default: after 14 days, or half the trace if that is less]",
        ),
        click.option(
            "--days",
            type=click.IntRange(1, 450),
            help="With --from-aws, how many of the newest days are scored. [default: 14, or half of what there is]",
        ),
        click.option("--profile", help="With --from-aws, AWS profile. [default: the usual chain of credentials]"),
        click.option(
            "--endpoint-url", envvar="AWS_ENDPOINT_URL", help="With --from-aws, another AWS, such as a local one."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Said:
    """What the command line says of the replay, by its options; `given` are those that stood there."""

    demand_path: Path | None
    alias: Alias | None
    policy_path: Path | None
    start: int | None
    days: int | None
    region: str | None
    profile: str | None
    endpoint_url: str | None
    prices_file: Path | None
    assumed: dict[str, Any]
    given: frozenset[str]

    def __post_init__(self) -> None:
        """Options that contradict each other are wrong usage."""
        if (self.demand_path is None) == (self.alias is None):
            raise click.UsageError("one of --demand and --from-aws says what to replay")
        if self.alias is None and self.policy_path is None:
            raise click.UsageError("Missing option '--policy': only --from-aws has a default policy")
        if self.days is not None and (self.alias is None or self.start is not None):
            raise click.UsageError("--days goes with --from-aws, and not with --start, which says the same")


@click.command("backtest")
@source_options
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write to; made if need be.")
@world_options
@prices_option
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def backtest(*, out: Path, form: str, **options: Any) -> int:  # noqa: ANN401 - the options, which `Said` names
    """Replay demand: what a policy would have done, cost and spilled.

    Of a file, or with --from-aws of an alias's own past (reads AWS, writes nothing there). Writes decisions.csv,
    summary.json and backtest.png into --out, and compares with what was actually run (--from-aws), no provisioned
    concurrency, a static peak, a cron table, target tracking, EC2's predictive scaling and perfect foresight.
    """
    context = click.get_current_context()
    given = frozenset(o for o in options if context.get_parameter_source(o) is ParameterSource.COMMANDLINE)
    assumed = {name: options.pop(name) for name in WORLDLY}
    return _run(Said(**options, assumed=assumed, given=given), out=out, form=form)


WORLDLY = ("tick_s", "duration_ms", "init_ms", "memory_mb", "architecture", "peakedness")
"""The options that are fields of the world."""


# --- the run ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What is to be replayed, wherever it is from.

    Args:
        policy: by which.
        trace: what is replayed, and what came before it.
        start: epoch seconds from which it is scored.
        world: what the trace does not tell.
        source: what it is from, for a title.
        record: what the summary says of that.
        actual: what was actually run, where that is known.
        remarks: what is to be known of all this, a sentence each.
    """

    policy: Policy
    trace: Trace
    start: int
    world: World
    source: str
    record: dict[str, object]
    actual: Actual | None = None
    remarks: tuple[str, ...] = ()


def _run(said: Said, *, out: Path, form: str) -> int:
    policy = None if said.policy_path is None else _policy(said.policy_path)
    if policy is None and said.policy_path is not None:
        return 1
    progress = Console(stderr=True)
    with progress.status("reading"):
        task = _own(said, said.alias, policy) if said.alias else _of_file(said, policy)
    make(out)
    with progress.status(f"replaying {len(task.trace.between(task.start, task.trace.end)):,} minutes"):
        comparison = compare(
            task.policy, task.trace, start=task.start, world=task.world, actual=task.actual, remarks=task.remarks
        )
    record = {**task.record, **summary(comparison)}
    write(out, comparison, record, title=f"{record['target']} on {task.source}")
    if form == "json":
        click.echo(as_json(record))
    else:
        tell(Console(), comparison, out)
    return 0


# --- a file ----------------------------------------------------------------------------------------------------------


def _policy(path: Path) -> Policy | None:
    """The only policy of the file; None where it has errors, which are told then."""
    try:
        fleet = load_fleet([path], home=None)
        for each in fleet.policies.values():  # wherever it says that it is, that is where it is
            fleet = load_fleet([path], home=Home(each.account or "", each.region or ""))
    except FleetError as error:
        raise click.ClickException(str(error)) from error
    for finding in fleet.findings:
        click.echo(str(finding), err=True)
    if any(finding.severity is Severity.ERROR for finding in fleet.findings):
        return None
    if len(fleet.policies) != 1:
        names = ", ".join(str(target) for target in fleet.policies) or "none"
        raise click.ClickException(f"{path}: a backtest takes a file with exactly one target, and this has {names}")
    (policy,) = fleet.policies.values()
    return policy


def _of_file(said: Said, policy: Policy | None) -> Task:
    """A trace that somebody made, in the world that the options describe."""
    assert said.demand_path is not None, "checked with the command line"
    assert policy is not None, "likewise"
    world = World(region=said.region or policy.region or USUAL.region, **said.assumed)
    remarks: tuple[str, ...] = ()
    if said.prices_file is not None:
        book = book_for(
            None, prices_file=said.prices_file, regions=[world.region], today=date.min
        )  # no day: AWS is not asked
        known = book.of(world.region, world.architecture)
        world = replace(world, known_prices=known, prices_source=book.source)
        remarks = tuple(filter(None, (*book.notes, book.saving_note)))
    trace = _trace(said.demand_path, world)
    name = said.demand_path.name
    return Task(policy, trace, _start(trace, said.start), world, name, {"demand": name}, remarks=remarks)


def _trace(path: Path, world: World) -> Trace:
    try:
        return read_trace(path, duration_ms=world.duration_ms)
    except TraceError as error:
        raise click.ClickException(str(error)) from error


def _start(trace: Trace, start: int | None) -> int:
    if start is None:
        return trace.start + min(LEARNING_S, len(trace) // 2 * MINUTE_S)
    if not trace.start <= start < trace.end:
        last = stamp(trace.end - MINUTE_S)
        raise click.BadParameter(
            f"{stamp(start)} is outside the trace, which goes from {stamp(trace.start)} to {last}", param_hint="--start"
        )
    return start


# --- an alias's own past ---------------------------------------------------------------------------------------------


def _own(said: Said, alias: Alias, policy: Policy | None) -> Task:
    """What CloudWatch has of an alias, in the world that AWS describes, but for what the options say."""
    if policy is not None and (policy.function, policy.qualifier) != (alias.function, alias.qualifier):
        there = f"{policy.function}:{policy.qualifier}"
        raise click.BadParameter(f"{said.policy_path} is of {there}, not of {alias}", param_hint="--policy")
    where = Where(said.profile, said.region or (policy.region if policy else None), said.endpoint_url)
    given = {name: value for name, value in said.assumed.items() if name in said.given}
    own = read_own(alias, where, given=given, prices_file=said.prices_file)
    trace = own.past.trace
    start = start_of(trace, said.days) if said.start is None else _start(trace, said.start)
    record: dict[str, object] = {"history": own.record(start)}
    if policy is None:
        policy = default_policy(alias, trace)
        record["default_policy"] = policy_text(policy)
        click.echo(f"no --policy, so this one:\n\n{policy_text(policy)}", err=True)
    return Task(
        policy=policy,
        trace=trace,
        start=start,
        world=own.world,
        source="its own history",
        record=record,
        actual=own.past.ran(start, now=own.now, activities=own.activities),
        remarks=own.remarks_on(start),
    )
