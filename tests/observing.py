"""Fakes of what an `Observer` reads from: a CloudWatch of arrays, Lambda's control plane, Application Auto Scaling."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from builders import CHECKOUT, NOON, capacity, policy
from warmcast.aws.functions import AliasFacts, FunctionFacts
from warmcast.aws.metrics import Answer, Completeness, Grid, Query, batches
from warmcast.errors import AwsError
from warmcast.model import AccountLimits, History, TargetState
from warmcast.observe import Observer
from warmcast.observe.demand import WEEKS_PER_TICK
from warmcast.observe.history import REACH_S, Measure
from warmcast.observe.polling import METRICS, query_of
from warmcast.observe.sweep import Sweep
from warmcast.observe.turns import Sweeping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from warmcast.model import Capacity, Fault, Memory, ScalableTarget, TargetId
    from warmcast.tick import Observed

NOW_S = int(NOON.timestamp())

OWN = Query("Invocations", "Sum", function="warmcast")
REGION = Query("UnreservedConcurrentExecutions", "Maximum")
SHARED = {"List", "GetAlias", "GetAccountSettings"}

FACTS = FunctionFacts(version="7", memory_mb=1024, architecture="arm64", timeout_s=3.0, ineligible="", reserved=None)


def refusal(code: str, operation: str = "GetMetricData") -> AwsError:
    """AWS's refusal, its words the code's."""
    return AwsError(code, f"words of {code}", operation)


@dataclass
class Watch:
    """A monotonic clock that moves by a fixed step at each look, so that time runs out after so many calls."""

    step_s: float = 0.0
    at_s: float = 0.0

    def __call__(self) -> float:
        """The seconds so far."""
        self.at_s += self.step_s
        return self.at_s


@dataclass
class FakeCloudWatch:
    """Series as functions of the minute (epoch seconds -> value, or None where there is no datapoint).

    Args:
        series: what each query finds; others find nothing.
        visible_until: end of the newest minute that can be seen.
        statuses: what CloudWatch says of a query instead of Complete; PartialData gives the newer half.
        errors: the error that a call meets if it asks for this query.
        weeks_error: the error that every call for the past weeks meets.
        asked: every query with its grid, in order.
        watch, call_s: the clock, and by how much each call moves it.
    """

    series: dict[Query, Callable[[int], float | None]] = field(default_factory=dict)
    visible_until: int = NOW_S
    statuses: dict[Query, Completeness] = field(default_factory=dict)
    errors: dict[Query, AwsError] = field(default_factory=dict)
    weeks_error: AwsError | None = None
    asked: list[tuple[Query, Grid]] = field(default_factory=list)
    watch: Watch = field(default_factory=Watch)
    call_s: float = 0.0

    def give(self, target: TargetId, work_s: Callable[[int], float | None], *, spilled: float = 0.0) -> None:
        """Let a target have work (seconds) by the minute, and all else in proportion: durations of half a second."""
        per_work = {Measure.WORK: 1000.0, Measure.ARRIVALS: 2.0, Measure.THROTTLES: 0.0, Measure.PEAK: 1 / 60}
        for measure, factor in {**per_work, Measure.SPILLED: 2.0 * spilled}.items():

            def value(minute: int, factor: float = factor) -> float | None:
                work = work_s(minute)
                return None if work is None else work * factor

            self.series[query_of(target, measure)] = value

    def read(
        self, queries: Sequence[Query], grid: Grid, *, in_time: Callable[[], bool]
    ) -> list[Answer | AwsError | None]:
        """Answer as `Metrics.read` does, in as many calls."""
        answers: list[Answer | AwsError | None] = [None] * len(queries)
        for batch in batches(queries, grid):
            if not in_time():
                break
            answers[batch.start : batch.stop] = self._call([queries[n] for n in batch], grid)
        return answers

    def _call(self, queries: Sequence[Query], grid: Grid) -> list[Answer | AwsError]:
        self.watch.at_s += self.call_s
        self.asked += [(plain(query), grid.of(query)) for query in queries]
        failed = next((self.errors[each] for each in map(plain, queries) if each in self.errors), None)
        failed = self.weeks_error if is_of_weeks(grid) and self.weeks_error else failed
        return [failed or self._answer(plain(query), grid.of(query)) for query in queries]

    def reads(self, measure: Measure | None = None) -> Counter[tuple[str, int]]:
        """How often each target was asked for with each period (of one measure, or of all)."""
        names = {METRICS[each].name for each in (Measure if measure is None else [measure])}
        of_targets = [(query, grid) for query, grid in self.asked if query.resource and query.metric in names]
        return Counter((query.resource, grid.step_s) for query, grid in of_targets)

    def weeks_read(self) -> Counter[str]:
        """Of how many series of each target the past weeks were asked for."""
        return Counter(query.resource for query, grid in self.asked if is_of_weeks(grid))

    def _answer(self, query: Query, grid: Grid) -> Answer:
        status = self.statuses.get(query, Completeness.COMPLETE)
        values = np.array([self._step(query, at, grid.step_s) for at in range(grid.start, grid.end, grid.step_s)])
        if status is Completeness.PARTIAL:
            values[: len(values) // 2] = np.nan
        elif status is not Completeness.COMPLETE:
            values[:] = np.nan
        return Answer(values, status, "" if status is Completeness.COMPLETE else f"words of {status}")

    def _step(self, query: Query, start: int, step_s: int) -> float:
        value = self.series.get(query)
        if value is None:
            return np.nan
        found = [value(minute) for minute in range(start, min(start + step_s, self.visible_until), 60)]
        known = [each for each in found if each is not None]
        if not known:
            return np.nan
        return max(known) if query.statistic == "Maximum" else sum(known)


@dataclass
class FakeControlPlane:
    """Lambda and Application Auto Scaling: what stands, what is refused, and every call made.

    Args:
        capacities: by function and qualifier.
        aliases, facts, scalables: by target; absent: version 7 without weights, `FACTS`, not registered.
        errors: by operation and function (or target), the refusal.
        watch, call_s: the clock, and by how much each call moves it.
        pace_s: by how much each call of the shared limit moves it besides.
    """

    capacities: dict[str, dict[str, Capacity]] = field(default_factory=dict)
    aliases: dict[tuple[str, str], AliasFacts] = field(default_factory=dict)
    facts: dict[tuple[str, str], FunctionFacts] = field(default_factory=dict)
    scalables: dict[TargetId, ScalableTarget] = field(default_factory=dict)
    limits: AccountLimits = field(default_factory=lambda: AccountLimits(concurrency=1000, unreserved=900))
    errors: dict[tuple[str, str], AwsError] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    watch: Watch = field(default_factory=Watch)
    call_s: float = 0.0
    pace_s: float = 0.0

    def function(self, function: str, qualifier: str) -> FunctionFacts:
        """GetFunction."""
        self._call("GetFunction", f"{function}:{qualifier}")
        return self.facts.get((function, qualifier), FACTS)

    def weights(self, function: str, alias: str) -> AliasFacts:
        """GetAlias."""
        self._call("GetAlias", f"{function}:{alias}")
        return self.aliases.get((function, alias), AliasFacts("7", {}))

    def provisioned(self, function: str) -> Mapping[str, Capacity]:
        """ListProvisionedConcurrencyConfigs."""
        self._call("List", function)
        return self.capacities.get(function, {"live": capacity(10)})

    def account(self) -> AccountLimits:
        """GetAccountSettings."""
        self._call("GetAccountSettings", "")
        return self.limits

    def describe(self, targets: Sequence[TargetId]) -> Mapping[TargetId, ScalableTarget]:
        """DescribeScalableTargets."""
        assert len(targets) <= 50
        self._call("Describe", " ".join(map(str, targets)))
        return {target: self.scalables[target] for target in targets if target in self.scalables}

    @property
    def shared(self) -> list[tuple[str, str]]:
        """The calls that count against Lambda's shared limit."""
        return [call for call in self.calls if call[0] in SHARED]

    def _call(self, operation: str, about: str) -> None:
        self.calls.append((operation, about))
        self.watch.at_s += self.call_s + (self.pace_s if operation in SHARED else 0.0)
        error = self.errors.get((operation, about)) or self.errors.get((operation, "*"))
        if error is not None:
            raise error


def plain(query: Query) -> Query:
    """The query as a key: whatever its steps."""
    return replace(query, step_s=0)


def is_of_weeks(grid: Grid) -> bool:
    """Whether a read is one of the past weeks."""
    return grid.end - grid.start > REACH_S


def constantly(work_s: float) -> Callable[[int], float | None]:
    """The same work in each minute."""
    return lambda _: work_s


def between(start: datetime, end: datetime, work_s: float) -> Callable[[int], float | None]:
    """Work within a time, no datapoints outside."""
    first, last = int(start.timestamp()), int(end.timestamp())
    return lambda minute: work_s if first <= minute < last else None


class SweepWorld:
    """A sweep over fakes, and a clock that ticks."""

    def __init__(self, *targets: TargetId, calls_per_tick: int = 200) -> None:
        self.targets: Sequence[TargetId] = targets or (CHECKOUT,)
        self.aws = FakeControlPlane()
        self.now: datetime = NOON
        self.sweep = Sweep(self.aws, self.aws, sweeping=Sweeping(calls_per_tick=calls_per_tick))

    def tick(
        self,
        after: timedelta = timedelta(),
        *,
        pending: Iterable[TargetId] = (),
        suspects: Iterable[TargetId] = (),
    ) -> list[tuple[str, str]]:
        """Sweep, a while after the tick before; the calls made."""
        self.now += after
        self.aws.calls.clear()
        self.sweep.look(self.targets, pending=set(pending), suspects=set(suspects), now=self.now, in_time=lambda: True)
        return list(self.aws.calls)

    def reread(self, *targets: TargetId, calls: float = 200) -> dict[TargetId, TargetState | Fault]:
        """Read again just before a write."""
        self.aws.calls.clear()
        return self.sweep.reread(targets, now=self.now, calls=calls, in_time=lambda: True)

    def state(self, of: TargetId = CHECKOUT) -> TargetState:
        """The state known, which must be one."""
        state = self.sweep.state(of)
        assert isinstance(state, TargetState)
        return state


class World:
    """An observer over fakes, and a clock that ticks."""

    def __init__(
        self,
        *targets: TargetId,
        own_function: str = "warmcast",
        weeks_per_tick: int = WEEKS_PER_TICK,
        step_s: float = 0.0,
        call_s: float = 0.0,
        pace_s: float = 0.0,
    ) -> None:
        self.watch = Watch(step_s)
        self.cloudwatch = FakeCloudWatch(
            watch=self.watch, call_s=call_s, series={OWN: lambda minute: 1.0 if minute % 300 == 0 else None}
        )
        self.aws = FakeControlPlane(watch=self.watch, call_s=call_s, pace_s=pace_s)
        self.now = NOON
        self.policies = {each: policy(str(each)) for each in (targets or (CHECKOUT,))}
        self.memories: dict[TargetId, Memory] = {}
        self.observer = Observer(
            metrics=self.cloudwatch,
            functions=self.aws,
            autoscaling=self.aws,
            monotonic=self.watch,
            own_function=own_function,
            weeks_per_tick=weeks_per_tick,
        )

    def tick(self, after: timedelta = timedelta()) -> Observed:
        """Observe, a while after the tick before; only this tick's reads are counted."""
        self.now += after
        self.cloudwatch.visible_until = int(self.now.timestamp()) - 120
        self.cloudwatch.asked.clear()
        self.aws.calls.clear()
        return self.observer.observe(self.policies, self.memories, now=self.now)

    def history(self, after: timedelta = timedelta(), of: TargetId = CHECKOUT) -> History:
        """The history that the next tick sees."""
        found = self.tick(after).histories[of]
        assert isinstance(found, History)
        return found
