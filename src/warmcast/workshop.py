"""The workshop: fleet, clients and knowledge put together, as both entry points need them. Calls nothing by itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from warmcast.act import DryRunActor, LiveActor
from warmcast.aws.table import ReadOnlyTable
from warmcast.knowledge import Knowledge
from warmcast.look import look
from warmcast.observe import Observer, Shares, Sweeping
from warmcast.outcomes import isolated
from warmcast.tick import Ports, run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from warmcast.aws.session import Clients
    from warmcast.aws.throttle import Clock
    from warmcast.fleet import Fleet
    from warmcast.model import Budget, Observation, Rhythm, TargetId, TickReport
    from warmcast.tick import Actor, ControlTable, Order, Recollection
    from warmcast.tick import Observer as ObserverPort


@dataclass(frozen=True, slots=True)
class Workshop:
    """All that is kept between the ticks of one process.

    Args:
        begin: called with the seconds that the tick may take, before its first call to AWS.
        calls: the calls to AWS since `begin`, by operation.
        metrics_requested: CloudWatch series read since `begin`.
    """

    fleet: Fleet
    observer: ObserverPort
    actor: Actor
    table: ControlTable
    rhythm: Rhythm
    budget: Budget
    begin: Callable[[float], None]
    calls: Callable[[], Mapping[str, int]]
    metrics_requested: Callable[[], int]
    knowledge: Knowledge = field(default_factory=Knowledge)

    def ports(self, *, dry_run: bool, time_left_s: Callable[[], float]) -> Ports:
        """The edge of one tick; a dry run has an actor and a table that write nothing."""
        if dry_run:
            return Ports(self.observer, DryRunActor(), ReadOnlyTable(self.table), time_left_s)
        return Ports(self.observer, self.actor, self.table, time_left_s)

    def tick(self, order: Order, *, clock: Clock, time_left_s: Callable[[], float]) -> TickReport:
        """Run one tick now, and report what it took as well."""
        now, started = clock.now(), clock.monotonic()
        self.begin(time_left_s() - order.stop_before_s)
        ports = self.ports(dry_run=order.dry_run, time_left_s=time_left_s)
        report = run(self.fleet, ports=ports, order=order, knowledge=self.knowledge, now=now)
        took = clock.monotonic() - started
        return replace(report, duration_s=took, calls=self.calls(), metrics_requested=self.metrics_requested())

    def look(self, recollection: Recollection, *, now: datetime) -> Mapping[TargetId, Observation]:
        """Every target as it is now, all that can be learned of it included."""
        policies = self.fleet.policies
        seen = look(policies, observer=self.observer, recollection=recollection, now=now)
        for target in self.knowledge.due(seen.histories, now=now, most=len(policies)):
            policy, observation = policies[target], seen.observations[target]
            isolated(
                partial(self.knowledge.learn_for, policy, observation, now=now, rhythm=self.rhythm),
                lambda _bug: None,
            )
        learned = self.knowledge.learned
        return {t: replace(each, learned=learned.get(t)) for t, each in seen.observations.items()}


ONE_SHOT = {
    "sweeping": Sweeping(calls_per_tick=100_000, facts_per_tick=100_000),  # still paced: 2,000 calls take 500 s
    "weeks_per_tick": 100_000,
    "shares": Shares(observe=0.8, reread=0.1),
}
"""For a command that has no next tick to leave reads for."""


def assemble(
    fleet: Fleet,
    clients: Clients,
    *,
    rhythm: Rhythm,
    budget: Budget,
    clock: Clock,
    own_function: str = "",
    one_shot: bool = False,
) -> Workshop:
    """Put the parts together for a fleet of one account and Region.

    `own_function` is Warmcast's own, whose invocations are the heartbeat (empty on a laptop); `one_shot` says that
    there is no next tick to leave reads for, so that all is read at once.
    """
    before = 0
    observer = Observer(
        metrics=clients.metrics,
        functions=clients.functions,
        autoscaling=clients.autoscaling,
        monotonic=clock.monotonic,
        own_function=own_function,
        tick_s=int(rhythm.tick.total_seconds()),
        **(ONE_SHOT if one_shot else {}),  # type: ignore[arg-type] # three settings of three types
    )

    def begin(seconds: float) -> None:
        nonlocal before
        before = clients.metrics.requested
        clients.calls.reset()
        clients.pace.allow(seconds)
        observer.allow(seconds)

    return Workshop(
        fleet=fleet,
        observer=observer,
        actor=LiveActor(functions=clients.functions, autoscaling=clients.autoscaling),
        table=clients.table,
        rhythm=rhythm,
        budget=budget,
        begin=begin,
        calls=lambda: clients.calls.counts,
        metrics_requested=lambda: clients.metrics.requested - before,
    )
