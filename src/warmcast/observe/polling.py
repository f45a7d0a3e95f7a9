"""Which series of a target is read at which tick, and what that costs. Pure.

Each read of a series costs $0.01 per 1,000, however long it is: so the table `Polling` says how often each is needed, a
read fetches all minutes since the last one, and the trailing minutes again because CloudWatch revises them.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from warmcast.aws.metrics import USD_PER_METRIC, Grid, Query
from warmcast.observe.history import FOLLOWS_WORK, LEARNED_FROM, MINUTE_S, REACH_S, Measure, newest_end

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from warmcast.model import TargetId
    from warmcast.observe.history import Record

LATEST_S: Final = 900
"""The longest that a Lambda function runs, so the latest that a minute is revised beside CloudWatch's own delay."""

WINDOWS_MIN: Final = (15, 30, 60, 120, 180)
"""Lengths of the windows asked for: one call has one window, so nearly equal ones are made equal."""

HOURS_PER_MONTH: Final = 730


@dataclass(frozen=True, slots=True)
class Metric:
    """How CloudWatch names a measure; its values are divided by `per_unit` to have the units of `model.Series`."""

    name: str
    statistic: str
    per_unit: float = 1.0


METRICS: Final[Mapping[Measure, Metric]] = {
    Measure.WORK: Metric("Duration", "Sum", per_unit=1000.0),  # milliseconds
    Measure.ARRIVALS: Metric("Invocations", "Sum"),
    Measure.THROTTLES: Metric("Throttles", "Sum"),
    Measure.PEAK: Metric("ConcurrentExecutions", "Maximum"),
    Measure.SPILLED: Metric("ProvisionedConcurrencySpilloverInvocations", "Sum"),
}
"""Work is the sum of durations: CloudWatch's Average is Sum / SampleCount, and Duration has one sample for each
invocation, so Invocations x Average(Duration) = Sum(Duration). One series says what would otherwise take two."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """Minutes between two reads of one series; 0: every tick.

    Args:
        busy: while the target works.
        quiet: after `Polling.quiet_after_min` minutes without work.
        sooner: while something makes it urgent (`urgencies`).
    """

    busy: int
    quiet: int
    sooner: int | None = None


@dataclass(frozen=True, slots=True)
class Polling:
    """The polling table: minutes between reads, here for ticks every 5 minutes.

    | series    | busy       | quiet      | sooner                                                               |
    | --------- | ---------- | ---------- | -------------------------------------------------------------------- |
    | work      | every tick | 15 min     |                                                                      |
    | arrivals  | 30 min     | (30 min)   | every tick: together with throttles, which only they can be scaled by |
    | throttles | 60 min     | 60 min     | every tick: throttled lately, or demand above 80 % of what is allowed |
    | peak      | 120 min    | (120 min)  |                                                                      |
    | spilled   | 60 min     | (60 min)   | 30 min: within half an hour of a change of capacity                  |

    In brackets: only if the target has worked since; a minute without work has none of them, so a quiet target is not
    asked for them at all. Quiet work is read every 15 minutes and no rarer: data older than that counts as stale.
    """

    work: Cadence = Cadence(busy=0, quiet=15)
    arrivals: Cadence = Cadence(busy=30, quiet=30, sooner=0)
    throttles: Cadence = Cadence(busy=60, quiet=60, sooner=0)
    peak: Cadence = Cadence(busy=120, quiet=120)
    spilled: Cadence = Cadence(busy=60, quiet=60, sooner=30)
    quiet_after_min: int = 30

    def cadence(self, measure: Measure) -> Cadence:
        """The row of a measure."""
        return (self.work, self.arrivals, self.throttles, self.peak, self.spilled)[measure]


@dataclass(frozen=True, slots=True)
class Attention:
    """What makes a target's reads differ from the table's ordinary columns.

    Args:
        timeout_s: the function's timeout: that late an invocation may still be added to the minute it began in.
        urgent: measures to be read sooner.
    """

    timeout_s: float = 3.0
    urgent: frozenset[Measure] = frozenset()


@dataclass(frozen=True, slots=True)
class Ask:
    """One series of one target to be read from `start` (epoch seconds) on."""

    target: TargetId
    measure: Measure
    start: int

    @property
    def query(self) -> Query:
        """The query of CloudWatch."""
        return query_of(self.target, self.measure)


def query_of(target: TargetId, measure: Measure) -> Query:
    """A measure of a target as CloudWatch names it: `{FunctionName, Resource=function:qualifier}`."""
    metric = METRICS[measure]
    return Query(metric.name, metric.statistic, function=target.function, resource=str(target))


def weeks_query(target: TargetId, measure: Measure) -> Query:
    """The query of a measure's past weeks: work by the minute, every other by the step."""
    query = query_of(target, measure)
    return replace(query, step_s=MINUTE_S) if measure is Measure.WORK else query


def asks(
    target: TargetId, record: Record, attention: Attention, *, polling: Polling, now_s: int, tick_s: int
) -> list[Ask]:
    """The series of a target that are due, each with the minute from which it is to be read."""
    quiet = is_quiet(record, polling=polling, now_s=now_s)
    return [
        Ask(target, measure, _start(record, measure, attention, now_s=now_s))
        for measure in Measure
        if _is_due(
            target,
            record,
            measure,
            period_s=_period_s(polling.cadence(measure), measure, attention, quiet=quiet),
            now_s=now_s,
            tick_s=tick_s,
        )
    ]


def is_quiet(record: Record, *, polling: Polling, now_s: int) -> bool:
    """Whether a target has been without work for a while."""
    return now_s - record.active_until >= polling.quiet_after_min * MINUTE_S


def urgencies(record: Record, *, now_s: int, allowed: float | None, changed_at_s: float | None) -> frozenset[Measure]:
    """What is to be read sooner than usual.

    Args:
        record: what is known.
        now_s: the instant of the tick.
        allowed: concurrency that the function may use at most; None where it is not known.
        changed_at_s: when its capacity was last changed; None if never.
    """
    urgent = set()
    latest = record.fine[Measure.WORK, -5:] / MINUTE_S
    near = allowed is not None and bool((latest > 0.8 * allowed).any())
    if near or (record.throttled_until and now_s - record.throttled_until < 1800):
        urgent |= {Measure.THROTTLES, Measure.ARRIVALS}
    if changed_at_s is not None and now_s - changed_at_s < 1800:
        urgent.add(Measure.SPILLED)
    return frozenset(urgent)


def windows(due: Iterable[Ask], *, now_s: int) -> dict[Grid, list[Ask]]:
    """The asks by the window that each needs, shortest first: all of a call have the same one."""
    end = newest_end(now_s)
    grouped: dict[Grid, list[Ask]] = {window(length, now_s=now_s): [] for length in WINDOWS_MIN}
    for ask in due:
        minutes = (end - ask.start) // MINUTE_S
        length = next((length for length in WINDOWS_MIN if minutes <= length), WINDOWS_MIN[-1])
        grouped[window(length, now_s=now_s)].append(ask)
    return {grid: group for grid, group in grouped.items() if group}


def window(minutes: int, *, now_s: int) -> Grid:
    """The newest minutes worth asking for."""
    end = newest_end(now_s)
    return Grid(end - minutes * MINUTE_S, end, MINUTE_S)


def _period_s(cadence: Cadence, measure: Measure, attention: Attention, *, quiet: bool) -> int:
    minutes = cadence.quiet if quiet else cadence.busy
    if measure in attention.urgent and cadence.sooner is not None:
        minutes = min(minutes, cadence.sooner)
    return minutes * MINUTE_S


def _is_due(target: TargetId, record: Record, measure: Measure, *, period_s: int, now_s: int, tick_s: int) -> bool:
    """Whether a series is to be read now: at its own slot of its period, or when half a tick short of a whole period.

    The slot spreads targets evenly over ticks, whatever made them start together; the age keeps the period where ticks
    are missed or come at odd times.
    """
    read_at = record.read_at[measure]
    if not read_at or measure in record.partial:
        return True
    if measure in FOLLOWS_WORK and record.active_until <= record.resume[measure]:
        return False
    if now_s - read_at >= period_s - tick_s / 2:
        return True
    phase = zlib.crc32(f"{target.arn} {measure.name}".encode())
    return _slot(now_s, period_s, tick_s, phase) != _slot(read_at, period_s, tick_s, phase)


def _slot(at_s: int, period_s: int, tick_s: int, phase: int) -> int:
    ticks = max(1, round(period_s / tick_s))
    return (at_s // tick_s + phase) // ticks


def _start(record: Record, measure: Measure, attention: Attention, *, now_s: int) -> int:
    """From where a series is read: the end of what is known, less what may be revised; REACH_S ago at most."""
    revised_s = LATEST_S // 3 + min(attention.timeout_s, LATEST_S)
    start = int(record.resume[measure] - revised_s) // MINUTE_S * MINUTE_S
    return max(start, newest_end(now_s) - REACH_S)


# --- what it costs ---------------------------------------------------------------------------------------------------


def reads_per_tick(polling: Polling, *, tick_min: float, quiet: bool) -> float:
    """Series read for one target in a tick, on average, when nothing is urgent.

    Busy at 5 minutes: 1 + 5/20 + 5/60 + 5/120 + 5/60 = 1.46. Quiet: 5/15 + 5/60 = 0.42.
    """
    total = 0.0
    for measure in Measure:
        if quiet and measure in FOLLOWS_WORK:
            continue
        cadence = polling.cadence(measure)
        minutes = cadence.quiet if quiet else cadence.busy
        total += tick_min / max(minutes, tick_min)
    return total


def usd_per_month(
    polling: Polling, *, tick_min: float = 5.0, busy_share: float = 1.0, environments_per_day: float = 0.0
) -> float:
    """What reading one target's series costs in a month of 730 hours.

    A new environment reads all of a target's minutes and weeks once: 5 + 4 series.
    """
    ticks = HOURS_PER_MONTH * 60 / tick_min
    busy = reads_per_tick(polling, tick_min=tick_min, quiet=False)
    quiet = reads_per_tick(polling, tick_min=tick_min, quiet=True)
    starts = environments_per_day * HOURS_PER_MONTH / 24 * (len(Measure) + len(LEARNED_FROM))
    return USD_PER_METRIC * (ticks * (busy_share * busy + (1 - busy_share) * quiet) + starts)
