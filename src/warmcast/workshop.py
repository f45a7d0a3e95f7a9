"""The workshop: fleet, clients and knowledge put together, as both entry points need them. Calls nothing by itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from warmcast.act import DryRunActor, LiveActor
from warmcast.aws.table import ReadOnlyTable
from warmcast.knowledge import Knowledge
from warmcast.look import look
from warmcast.observe import Observer
from warmcast.tick import Ports

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from warmcast import tick
    from warmcast.aws.session import Clients
    from warmcast.aws.throttle import Clock
    from warmcast.fleet import Fleet
    from warmcast.model import Budget, Observation, Rhythm, TargetId


@dataclass(frozen=True, slots=True)
class Workshop:
    """All that is kept between the ticks of one process.

    Args:
        begin: called with the seconds that the tick may take, before its first call to AWS.
        calls: the calls to AWS since `begin`, by operation.
        remembers: whether there is a control table.
    """

    fleet: Fleet
    observer: tick.Observer
    actor: tick.Actor
    table: tick.ControlTable
    rhythm: Rhythm
    budget: Budget
    begin: Callable[[float], None]
    calls: Callable[[], Mapping[str, int]]
    remembers: bool = True
    knowledge: Knowledge = field(default_factory=Knowledge)

    def ports(self, *, dry_run: bool, time_left_s: Callable[[], float]) -> Ports:
        """The edge of one tick; a dry run has an actor and a table that write nothing."""
        if dry_run:
            return Ports(self.observer, DryRunActor(), ReadOnlyTable(self.table), time_left_s)
        return Ports(self.observer, self.actor, self.table, time_left_s)

    def look(self, recollection: tick.Recollection, *, now: datetime) -> Mapping[TargetId, Observation]:
        """Every target as it is now, all that can be learned of it included."""
        policies = self.fleet.policies
        seen = look(policies, observer=self.observer, recollection=recollection, now=now)
        for target in self.knowledge.due(seen.histories, now=now, most=len(policies)):
            history = seen.observations[target].history
            self.knowledge.learn(target, history, zone=policies[target].timezone, now=now)
        learned = self.knowledge.learned
        return {t: replace(each, learned=learned.get(t)) for t, each in seen.observations.items()}


def assemble(
    fleet: Fleet,
    clients: Clients,
    *,
    rhythm: Rhythm,
    budget: Budget,
    clock: Clock,
    own_function: str = "",
    remembers: bool = True,
) -> Workshop:
    """Put the parts together for a fleet of one account and Region.

    `own_function` is Warmcast's own, whose invocations are the heartbeat (empty on a laptop); `remembers` says whether
    there is a control table.
    """

    def begin(seconds: float) -> None:
        clients.calls.reset()
        clients.pace.allow(seconds)

    return Workshop(
        fleet=fleet,
        observer=Observer(
            metrics=clients.metrics,
            functions=clients.functions,
            autoscaling=clients.autoscaling,
            monotonic=clock.monotonic,
            own_function=own_function,
            tick_s=int(rhythm.tick.total_seconds()),
        ),
        actor=LiveActor(functions=clients.functions, autoscaling=clients.autoscaling),
        table=clients.table,
        rhythm=rhythm,
        budget=budget,
        begin=begin,
        calls=lambda: clients.calls.counts,
        remembers=remembers,
    )
