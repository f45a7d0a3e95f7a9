"""What `backtest --from-aws` replays: an alias's own past, its function's facts, and what was actually run. Reads AWS.

facts      memory and architecture, and that the alias is there (Lambda)
past       its minutes (CloudWatch, by `warmcast.history`)
standing   what stands now, and what Application Auto Scaling did
prices     AWS's price list, or the bundled table; a file of the user's over either
"""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from warmcast.aws.throttle import SystemClock
from warmcast.commands.opening import open_one, with_its_fix
from warmcast.commands.pricing import book_for
from warmcast.errors import AwsError, HistoryError, WarmcastError
from warmcast.fleet import Policy
from warmcast.history import recorded
from warmcast.refusals import Refusal, refusal_of
from warmcast.simulate.trace import MINUTE_S
from warmcast.simulate.verdict import stamp
from warmcast.simulate.world import STARTING_SPILLOVER, World, capacity_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from warmcast.aws.functions import FunctionFacts
    from warmcast.aws.readers import Readers
    from warmcast.history import Recorded
    from warmcast.model import Capacity
    from warmcast.scan.found import Activity
    from warmcast.simulate.trace import Trace

DAY_S = 86_400
USUAL_DAYS = 14

LEAST_S = DAY_S
"""With less history there is nothing to learn from, and nothing to score."""

GENEROUS = 3
"""The default policy allows so many times the highest need that was seen."""


@dataclass(frozen=True, slots=True)
class Alias:
    """`FUNCTION:ALIAS`; a published version in place of the alias is good, too."""

    function: str
    qualifier: str

    def __str__(self) -> str:
        return f"{self.function}:{self.qualifier}"


def alias_of(_context: click.Context, _option: click.Parameter, value: str | None) -> Alias | None:
    """`--from-aws`: a function's name, a colon, and an alias or a published version."""
    if value is None:
        return None
    found = re.fullmatch(r"([A-Za-z0-9_-]{1,64}):([A-Za-z0-9_-]{1,128}|\$LATEST)", value)
    if not found:
        raise click.BadParameter(f"{value!r} is no FUNCTION:ALIAS, such as checkout-api:live")
    if found[2] == "$LATEST":
        raise click.BadParameter("$LATEST can't have provisioned concurrency: name an alias or a published version")
    return Alias(found[1], found[2])


@dataclass(frozen=True, slots=True)
class Where:
    """Where AWS is, and as whom; None: the usual chain of credentials, the environment's Region."""

    profile: str | None
    region: str | None
    endpoint_url: str | None


@dataclass(frozen=True, slots=True, eq=False)
class OwnHistory:
    """All that a backtest needs of AWS.

    Args:
        alias: whose it is.
        past: its minutes.
        now: provisioned concurrency as it stands; None: none.
        activities: of Application Auto Scaling.
        world: the function as it is, and what it pays.
        remarks: what is to be known of all this, a sentence each.
        metrics_requested: series read from CloudWatch, which AWS bills.
    """

    alias: Alias
    past: Recorded
    now: Capacity | None
    activities: Sequence[Activity]
    world: World
    remarks: tuple[str, ...]
    metrics_requested: int

    def record(self, start: int) -> dict[str, object]:
        """The past as the summary tells it: where it reaches from, and in what steps it was read."""
        past, trace = self.past, self.past.trace
        return {
            "from": stamp(trace.start),
            "until": stamp(trace.end),
            "minutes_by_step_s": {
                "training": {str(step): minutes for step, minutes in past.spread(trace.start, start).items()},
                "scored": {str(step): minutes for step, minutes in past.spread(start, trace.end).items()},
            },
            "partial": list(past.partial),
            "metrics_requested": self.metrics_requested,
        }

    def remarks_on(self, start: int) -> tuple[str, ...]:
        """What is to be known of the minutes from `start` on, and of the rest."""
        return (*_on_steps(self.past, start), *self.remarks)


def read_own(alias: Alias, where: Where, *, given: Mapping[str, Any], prices_file: Path | None) -> OwnHistory:
    """Read everything; what the command line gave (`given`, by the world's fields) holds against what AWS says.

    Raises:
        click.BadParameter: there is no such Region.
        WarmcastError: AWS says no, there is no such alias, or too little history of it.
    """
    region = where.region or os.environ.get("AWS_REGION")
    with with_its_fix(profile=where.profile, region=region):
        readers = open_one(profile=where.profile, region=region, endpoint_url=where.endpoint_url)
        return _read(alias, readers, given=given, prices_file=prices_file)


def _read(alias: Alias, readers: Readers, *, given: Mapping[str, Any], prices_file: Path | None) -> OwnHistory:
    facts, now = _facts(readers, alias), SystemClock().now()
    past = recorded(readers.metrics, alias.function, alias.qualifier, now=now)
    if past.trace.end - past.trace.start < LEAST_S:
        hours = (past.trace.end - past.trace.start) / 3600
        raise HistoryError(f"{alias}: CloudWatch has {hours:.1f} hours of it, and a backtest needs a day at least")
    standing = readers.inventory.provisioned(alias.function).get(alias.qualifier)
    activities, unread = _activities(readers, alias)
    measured_ms = past.duration_s * 1000 if math.isfinite(past.duration_s) else World().duration_ms
    of_alias = {"duration_ms": measured_ms, "memory_mb": facts.memory_mb, "architecture": facts.architecture}
    world = World(**{**of_alias, **given, "region": readers.place.region})
    book = book_for(readers, prices_file=prices_file, regions=[world.region], today=now.date())
    return OwnHistory(
        alias=alias,
        past=past,
        now=standing,
        activities=activities,
        world=replace(world, known_prices=book.of(world.region, world.architecture), prices_source=book.source),
        remarks=tuple(filter(None, (*unread, *_assumed(past, world, given), *book.notes, book.saving_note))),
        metrics_requested=readers.metrics.requested,
    )


def _facts(readers: Readers, alias: Alias) -> FunctionFacts:
    """What the function is at this alias; that there is none is told in the alias's own name."""
    try:
        return readers.inventory.facts(alias.function, alias.qualifier)
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            raise WarmcastError(f"{alias}: there is none in {readers.place}: {error.message}") from error
        raise


def _activities(readers: Readers, alias: Alias) -> tuple[Sequence[Activity], tuple[str, ...]]:
    """What Application Auto Scaling did; a role that may not read it guesses more, which is told."""
    try:
        return readers.scalings.activities(alias.function, alias.qualifier), ()
    except AwsError as error:
        if refusal_of(error) is not Refusal.DENIED:
            raise
        return (), (
            f"Scaling activities could not be read, so more had to be guessed of what was actually run: {error}.",
        )


def _assumed(past: Recorded, world: World, given: Mapping[str, Any]) -> list[str]:
    """What CloudWatch does not say, or said in part."""
    said = []
    if "init_ms" not in given:
        said.append(f"An init is assumed to take {world.init_ms:g} ms, of which there is no metric: see --init-ms.")
    if past.partial:
        said.append(f"CloudWatch answered {', '.join(past.partial)} in part: what it left out are gaps.")
    return said


def _on_steps(past: Recorded, start: int) -> list[str]:
    """The scored minutes that are means of longer steps."""
    coarse = {step: minutes for step, minutes in past.spread(start, past.trace.end).items() if step > MINUTE_S}
    if not coarse:
        return []
    spread = " and ".join(f"{minutes:,} in steps of {step // MINUTE_S} minutes" for step, minutes in coarse.items())
    words = f"Of the minutes scored CloudWatch has {spread}, each spread evenly: bursts within them do not show"
    return [f"{words}, so spillovers and cold starts of those are too low."]


# --- where it starts, and by what policy -----------------------------------------------------------------------------


def start_of(trace: Trace, days: int | None) -> int:
    """Where the newest `days` begin; by default the newest 14, or half the history where that is less."""
    if days is None:
        return trace.end - min(USUAL_DAYS * DAY_S, len(trace) // 2 * MINUTE_S)
    start = trace.end - days * DAY_S
    if start < trace.start:
        there = (trace.end - trace.start) / DAY_S
        raise click.BadParameter(f"{days} days, and CloudWatch has {there:.1f} days of it", param_hint="--days")
    return start


def default_policy(alias: Alias, trace: Trace) -> Policy:
    """One unit at least, a generous ceiling, and the usual promise of 1% spillover."""
    demand, peak = (float(np.fmax.reduce(values, initial=0.0)) for values in (trace.demand, trace.peak))
    need = int(capacity_for(np.array([demand]), STARTING_SPILLOVER)[0])
    most = max(10, math.ceil(GENEROUS * max(need, peak) / 10) * 10)
    return Policy.model_validate(
        {"function": alias.function, "qualifier": alias.qualifier, "capacity": {"min": 1, "max": most}}
    )


def policy_text(policy: Policy) -> str:
    """A default policy as a file that `--policy` reads, and the fleet too."""
    return (
        "targets:\n"
        f"  - function: {json.dumps(policy.function)}\n"
        f"    qualifier: {json.dumps(policy.qualifier)}\n"
        f"    capacity: {{min: {policy.capacity.min}, max: {policy.capacity.max}}}\n"
        "    objective: {spillover: 1%}\n"
    )
