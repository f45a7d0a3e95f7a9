"""What is measured and what was aimed at: the list of figures, each with how it came about. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.bill import Cost, Function, costs, stack_usd, tick_s

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.day import Usage
    from bench.decisions import Thought
    from bench.forecasts.race import Race
    from bench.machine import Machine
    from bench.over_http import HttpMeasured
    from bench.package import Imported, Package
    from bench.ticks import TicksMeasured

MOST_WARM_CPU_S: Final = 5.0
MOST_PEAK_MB: Final = 512.0
MOST_CALLS_PER_UNCHANGED: Final = 0.05
MOST_COLD_S: Final = 60.0
MOST_USD_PER_TARGET: Final = 0.10
MOST_IMPORT_S: Final = 1.0
MOST_PACKAGE_MB: Final = 100.0
MOST_THINK_MS: Final = 2.0
MOST_OF_AUTO_ETS: Final = 1 / 50


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything that one run of the bench found."""

    machine: Machine
    ticks: TicksMeasured
    http: HttpMeasured
    week: Usage
    function: Function
    alarms: int
    fleet_metrics: int
    thoughts: Sequence[Thought]
    race: Race | None
    imported: Imported
    package: Package | None

    @property
    def costs(self) -> list[Cost]:
        """The bill of one target and month, without what the stack costs by itself."""
        return costs(self.week, self.function)

    @property
    def stack_usd(self) -> float:
        """What the stack costs in a month by itself."""
        return stack_usd(self.alarms, self.fleet_metrics)


@dataclass(frozen=True, slots=True)
class Figure:
    """One aim and what was found.

    Args:
        most: the aim, an upper bound in `unit`.
        found: None where it could not be measured.
        how: in a few words.
    """

    name: str
    most: float
    found: float | None
    unit: str
    how: str

    @property
    def met(self) -> bool:
        """Whether it was measured and is within the aim."""
        return self.found is not None and self.found <= self.most


def figures(run: Measured) -> list[Figure]:
    """All aims of the bench with what this run found."""
    return [*_of_ticks(run), *_of_cost(run), *_of_package(run), *_of_decisions(run), _of_race(run.race)]


def _of_ticks(run: Measured) -> list[Figure]:
    ticks, http = run.ticks, run.http
    quick, real = f"{ticks.targets:,} targets, fake AWS", f"{http.targets:,} targets, botocore over HTTP"
    return [
        Figure(
            "warm tick, processor time", MOST_WARM_CPU_S, ticks.warm_s, "s", f"{quick}; {_median(ticks.warm_cpu_s)}"
        ),
        Figure("warm tick, processor time", MOST_WARM_CPU_S, http.warm_s, "s", f"{real}; {_median(http.warm_cpu_s)}"),
        Figure("peak memory", MOST_PEAK_MB, ticks.peak_mb, "MB", f"{quick}; cold, learning and warm ticks"),
        Figure("peak memory", MOST_PEAK_MB, http.peak_mb, "MB", f"{real}; the same"),
        Figure(
            "control-plane calls per unchanged target and tick",
            MOST_CALLS_PER_UNCHANGED,
            run.week.calls_per_unchanged,
            "",
            f"{run.week.targets} targets, a simulated week; a target counts as changed in the tick of a write and the "
            "next one",
        ),
        Figure(
            "first tick of a cold environment",
            MOST_COLD_S,
            ticks.cold_wall_s,
            "s",
            f"{quick}: {ticks.cold.cpu_s:.1f} s of processor time and {ticks.cold.waited_s:.0f} s that requests are "
            "held back to stay under a third of AWS's rate",
        ),
    ]


def _of_cost(run: Measured) -> list[Figure]:
    usd = sum(cost.usd for cost in run.costs)
    how = (
        f"{run.week.targets} targets, a simulated week with a new environment every six hours; without the stack's own"
    )
    return [Figure("own cost per target and month", MOST_USD_PER_TARGET, usd, "USD", how)]


def _of_package(run: Measured) -> list[Figure]:
    weight = run.package.mb if run.package else None
    origin = run.package.origin if run.package else "the wheels could not be downloaded"
    imported = f"less the interpreter; boto3 and the other libraries alone take {run.imported.libraries_s:.2f} s"
    return [
        Figure("importing the handler", MOST_IMPORT_S, run.imported.handler_s, "s", imported),
        Figure("unzipped package", MOST_PACKAGE_MB, weight, "MB", origin),
    ]


def _of_decisions(run: Measured) -> list[Figure]:
    return [
        Figure(
            f"a decision at a demand of {each.demand:,}",
            MOST_THINK_MS,
            each.think_ms,
            "ms",
            f"forecast included, after 14 days of minutes; learning these takes {each.learn_ms:.1f} ms",
        )
        for each in run.thoughts
    ]


def _of_race(race: Race | None) -> Figure:
    name = "learning and forecasting / AutoETS on the same series"
    if not race:
        return Figure(name, MOST_OF_AUTO_ETS, None, "", "its environment is missing: `make peers`")
    how = (
        f"14 days, the next one ahead: {race.warmcast_s * 1000:.1f} ms from 5-minute steps against {race.peer_s:.2f} s "
        "of statsforecast from 15-minute steps"
    )
    return Figure(name, MOST_OF_AUTO_ETS, race.warmcast_s / race.peer_s, "", how)


def _median(values: Sequence[float]) -> str:
    return f"median of {len(values)}"


def tick_seconds(run: Measured) -> float:
    """How long a tick of the week's fleet would last in Lambda."""
    return tick_s(run.week, run.function)
