"""A small world for scenarios: targets with a demand over time, ticks every five minutes, what stood at each minute.

`World` feeds the real tick (real forecast, real decisions) from a demand function, through the fakes of our own ports.
A scenario runs it over some hours and then reads it like a timetable: at 08:55 so much stood, at 03:00 so much.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from builders import fleet, policy, state, target
from fakes import FakeAws, FakeTable
from warmcast.erlang import erlang_b_at
from warmcast.knowledge import Knowledge
from warmcast.model import Budget, Fault, History, Series
from warmcast.tick import Order, Ports, run

if TYPE_CHECKING:
    from warmcast.fleet import Policy
    from warmcast.model import FloatArray, IntArray, Outcome, TargetId, TickReport

Demand = Callable[["IntArray"], "FloatArray"]
"""Demand at each of these minutes (epoch seconds); NaN where CloudWatch has a gap."""

MONDAY = datetime(2026, 3, 9, tzinfo=UTC)
DELAY = timedelta(minutes=2)
DURATION_S = 0.4
LEARNED_DAYS = 14
FINE_HOURS = 6


def hours(at: IntArray) -> FloatArray:
    """Hour of the day, UTC, with fraction."""
    return (at % 86400) / 3600


def office(peak: float = 40.0, night: float = 2.0) -> Demand:
    """Mondays to Fridays a hump between 8 and 18, with 5 % noise; quiet nights and weekends."""

    def demand(at: IntArray) -> FloatArray:
        hour, weekday = hours(at), (at // 86400 + 3) % 7
        ramp = np.clip((hour - 8) / 1.0, 0, 1) * np.clip((18 - hour) / 1.0, 0, 1)
        noise = 1 + 0.05 * np.sin(at * 12.9898) * np.cos(at * 78.233)
        values: FloatArray = (night + (peak - night) * ramp * (weekday < 5)) * noise
        return values

    return demand


def flat(level: float) -> Demand:
    """The same demand always, with 5 % noise."""
    return lambda at: level * (1 + 0.05 * np.sin(at * 12.9898))


def with_change(base: Demand, start: datetime, end: datetime, change: Callable[[FloatArray], FloatArray]) -> Demand:
    """A demand that is changed between two instants."""

    def demand(at: IntArray) -> FloatArray:
        inside = (at >= start.timestamp()) & (at < end.timestamp())
        return np.where(inside, change(base(at)), base(at))

    return demand


@dataclass
class Moment:
    """What stood and what was asked at one minute."""

    demand: float
    ready: int
    spilled: float


@dataclass
class World:
    """Targets by name with their demand and rules, a clock, and a record of every minute and every tick."""

    demands: dict[str, Demand]
    rules: dict[str, Policy] = field(default_factory=dict)
    starts_with: int = 10
    budget: Budget = field(default_factory=Budget)
    aws: FakeAws = field(default_factory=FakeAws)
    table: FakeTable = field(default_factory=FakeTable)
    knowledge: Knowledge = field(default_factory=Knowledge)
    reports: dict[datetime, TickReport] = field(default_factory=dict)
    minutes: dict[tuple[str, datetime], Moment] = field(default_factory=dict)
    before_tick: Callable[[World, datetime], None] = lambda _world, _now: None

    def __post_init__(self) -> None:
        self.fleet = fleet(*(self.rules.get(name, policy(name)) for name in self.demands))
        for name in self.demands:
            self.aws.states.setdefault(target(name), state(self.starts_with))

    def run(self, start: datetime, end: datetime) -> World:
        """Tick every five minutes from `start` until before `end`, recording every minute."""
        now = start
        while now < end:
            if now.minute % 5 == 0:
                self._tick(now)
            self.aws.settle(now)
            for name in self.demands:
                self.minutes[name, now] = self._moment(name, now)
            now += timedelta(minutes=1)
        return self

    def _tick(self, now: datetime) -> None:
        for name, demand in self.demands.items():
            if not isinstance(self.aws.histories.get(target(name)), Fault):
                self.aws.histories[target(name)] = history_of(demand, now)
        self.before_tick(self, now)
        ports = Ports(observer=self.aws, actor=self.aws, table=self.table)
        order = Order(owner=f"tick-{now:%H%M}", budget=self.budget)
        self.reports[now] = run(self.fleet, ports=ports, order=order, knowledge=self.knowledge, now=now)

    def _moment(self, name: str, now: datetime) -> Moment:
        known = self.aws.states[target(name)]
        ready = 0 if isinstance(known, Fault) else known.capacity.available
        demand = float(np.nan_to_num(self.demands[name](np.array([int(now.timestamp())]))[0]))
        return Moment(demand=demand, ready=ready, spilled=float(erlang_b_at(ready, np.array([demand]))[0]) * demand)

    # --- reading it

    def ready(self, name: str, at: datetime) -> int:
        """Capacity READY at a minute."""
        return self.minutes[name, at].ready

    def outcome(self, name: str, at: datetime) -> Outcome:
        """The outcome of a tick for a target."""
        return next(row.outcome for row in self.reports[at].rows if row.outcome.decision.target == target(name))

    def spillover(self, name: str, start: datetime, end: datetime) -> float:
        """Share of the demand between two instants that provisioned concurrency did not serve."""
        inside = [m for (who, at), m in self.minutes.items() if who == name and start <= at < end]
        return sum(m.spilled for m in inside) / max(sum(m.demand for m in inside), 1e-9)

    def mean_ready(self, name: str) -> float:
        """Mean capacity over all minutes recorded."""
        return float(np.mean([m.ready for (who, _), m in self.minutes.items() if who == name]))

    def writes(self, name: str) -> list[tuple[datetime, int]]:
        """When what was written for a target."""
        return [(at, units) for at, who, units in self.aws.writes if who == target(name)]


def history_of(demand: Demand, now: datetime) -> History:
    """Fourteen days of 5-minute steps, then six hours of minutes up to two minutes ago."""
    end = int((now - DELAY).timestamp()) // 60 * 60
    cut = (end - FINE_HOURS * 3600) // 300 * 300
    start = cut - LEARNED_DAYS * 86400
    by_minute = demand(np.arange(start, cut, 60, dtype=np.int64)).reshape(-1, 5)
    coarse = _series(start, 300, by_minute.mean(axis=1))
    fine = _series(cut, 60, demand(np.arange(cut, end, 60, dtype=np.int64)))
    return History(coarse=coarse, fine=fine)


def _series(start: int, step_s: int, values: FloatArray) -> Series:
    nothing = np.full(len(values), np.nan)
    arrivals = values * step_s / DURATION_S
    return Series(
        start=start,
        step_s=step_s,
        work_s=values * step_s,
        arrivals=arrivals,
        throttles=np.zeros(len(values)),
        peak=nothing,
        spilled=nothing,
    )


def who(name: str) -> TargetId:
    """The target of that name."""
    return target(name)
