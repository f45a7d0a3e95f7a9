"""The polling table: which series is due when, over what window, evenly over ticks, and for how much money."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from builders import CHECKOUT, NOON, target
from warmcast.aws.metrics import Grid, Query
from warmcast.observe.history import FINE_S, Measure, Record, begun, newest_end, with_minutes
from warmcast.observe.polling import (
    METRICS,
    Ask,
    Attention,
    Polling,
    asks,
    query_of,
    reads_per_tick,
    urgencies,
    usd_per_month,
    windows,
)

NOW_S = int(NOON.timestamp())
TICK_S = 300
ALL = tuple(Measure)


def record(*, read_ago_s: int = 300, active_ago_s: int = 120, known_ago_s: int | None = None) -> Record:
    """A target all of whose series were read so long ago, up to 2 minutes before that."""
    known_s = NOW_S - (read_ago_s + 120 if known_ago_s is None else known_ago_s)
    return replace(
        begun(NOW_S),
        read_at=(NOW_S - read_ago_s,) * len(ALL),
        resume=(known_s,) * len(ALL),
        active_until=NOW_S - active_ago_s,
    )


def due(known: Record, *, now_s: int = NOW_S, attention: Attention | None = None) -> set[Measure]:
    """What is due of the checkout target."""
    found = asks(CHECKOUT, known, attention or Attention(), polling=Polling(), now_s=now_s, tick_s=TICK_S)
    return {ask.measure for ask in found}


class Schedule:
    """Ticks on end, each reading what is due; counts the reads of each measure."""

    def __init__(self, name: str = "checkout-api:live") -> None:
        self.target = target(name)
        self.known = record(read_ago_s=300)
        self.reads = dict.fromkeys(ALL, 0)
        self.per_tick: list[int] = []
        self.work_ages_s: list[int] = []

    def run(self, ticks: int, *, busy: bool, jitter_s: int = 0) -> Schedule:
        """Tick for a while with the target at work or at rest; every other tick comes late."""
        for n in range(ticks):
            now_s = NOW_S + TICK_S * n + (jitter_s if n % 2 else 0)
            self.known = replace(self.known, active_until=now_s - 120 if busy else NOW_S - 7200)
            found = asks(self.target, self.known, Attention(), polling=Polling(), now_s=now_s, tick_s=TICK_S)
            for ask in found:
                self.reads[ask.measure] += 1
                self._read(ask.measure, now_s)
            self.per_tick.append(len(found))
            self.work_ages_s.append(now_s - self.known.read_at[Measure.WORK])
        return self

    def _read(self, measure: Measure, now_s: int) -> None:
        read_at, resume = list(self.known.read_at), list(self.known.resume)
        read_at[measure], resume[measure] = now_s, newest_end(now_s)
        self.known = replace(self.known, read_at=tuple(read_at), resume=tuple(resume))


# --- what is due -----------------------------------------------------------------------------------------------------


def test_a_target_that_was_never_read_is_read_whole() -> None:
    """Cold start: all five series, over the last 3 hours."""
    found = asks(CHECKOUT, begun(NOW_S), Attention(), polling=Polling(), now_s=NOW_S, tick_s=TICK_S)
    assert {ask.measure for ask in found} == set(ALL)
    assert {ask.start for ask in found} == {newest_end(NOW_S) - 3 * 3600}


def test_a_busy_target_is_read_by_the_table() -> None:
    """A day of ticks: work at each, arrivals every 30 minutes, throttles and spillover hourly, peak every 2 hours."""
    reads = Schedule().run(288, busy=True).reads
    assert reads[Measure.WORK] == 288
    assert reads[Measure.ARRIVALS] == pytest.approx(48, abs=1)
    assert reads[Measure.THROTTLES] == pytest.approx(24, abs=1)
    assert reads[Measure.PEAK] == pytest.approx(12, abs=1)
    assert reads[Measure.SPILLED] == pytest.approx(24, abs=1)


def test_a_quiet_target_is_asked_only_for_work_and_throttles() -> None:
    """At rest: work every 15 minutes, throttles hourly, nothing of what only work could have left."""
    schedule = Schedule().run(288, busy=False)
    assert schedule.reads[Measure.WORK] == pytest.approx(96, abs=1)
    assert schedule.reads[Measure.THROTTLES] == pytest.approx(24, abs=1)
    assert sum(schedule.reads[measure] for measure in (Measure.ARRIVALS, Measure.PEAK, Measure.SPILLED)) == 0


@pytest.mark.parametrize("jitter_s", [0, 1, 20, 59])
def test_quiet_work_is_never_left_unread_until_it_is_stale(jitter_s: int) -> None:
    """At no tick, late ones included, was it read longer than 10 minutes and the jitter ago; 15 counts as stale."""
    schedule = Schedule().run(100, busy=False, jitter_s=jitter_s)
    assert max(schedule.work_ages_s) <= 600 + jitter_s


def test_work_since_the_last_read_is_followed_up_even_by_a_target_at_rest() -> None:
    """It worked for ten minutes and rests again: its arrivals are read once more."""
    rested = record(read_ago_s=3600, active_ago_s=1900, known_ago_s=3720)
    assert Measure.ARRIVALS in due(rested)
    assert Measure.ARRIVALS not in due(replace(rested, active_until=NOW_S - 4000))


def test_half_an_hour_without_work_makes_a_target_quiet() -> None:
    """29 minutes: read at the next tick. 30 minutes, read 5 minutes ago: its turn is later."""
    slots = [record(active_ago_s=1740), record(active_ago_s=1800)]
    assert Measure.WORK in due(slots[0])
    quiet = [Measure.WORK in due(slots[1], now_s=NOW_S + shift) for shift in (0, 300, 600)]
    assert not all(quiet)


def test_a_partial_series_is_asked_for_again_at_once() -> None:
    """Its missing part may have come."""
    partial = replace(record(read_ago_s=300), partial=frozenset({Measure.PEAK}))
    assert Measure.PEAK in due(replace(partial, active_until=0))


def test_urgent_series_are_read_sooner() -> None:
    """Throttles at every tick and spillover every half hour, where something makes them urgent."""
    read = record(read_ago_s=900)
    calm, urgent = Attention(), Attention(urgent=frozenset({Measure.THROTTLES, Measure.SPILLED}))
    sooner = [
        due(read, attention=urgent, now_s=NOW_S + wait) - due(read, attention=calm, now_s=NOW_S + wait)
        for wait in range(0, 1800, 300)
    ]
    assert all(Measure.THROTTLES in measures for measures in sooner[:1])
    assert any(Measure.SPILLED in measures for measures in sooner)


def test_targets_that_started_together_are_read_evenly() -> None:
    """After the first hours no tick reads over a fifth more than the average one."""
    per_tick = np.sum([Schedule(f"fn-{n}:live").run(72, busy=True).per_tick for n in range(300)], axis=0)[24:]
    assert per_tick.max() <= 1.2 * per_tick.mean()
    assert per_tick.mean() / 300 == pytest.approx(reads_per_tick(Polling(), tick_min=5, quiet=False), rel=0.02)


# --- what is urgent --------------------------------------------------------------------------------------------------


def test_demand_near_the_limit_makes_throttles_and_arrivals_urgent() -> None:
    """8.5 concurrent executions of 10 allowed: above four fifths. Throttles are scaled by arrivals."""
    known = with_minutes(
        begun(NOW_S), Measure.WORK, np.array([60 * 8.5]), grid=Grid(NOW_S - 180, NOW_S - 120, 60), now_s=NOW_S
    )
    assert urgencies(known, now_s=NOW_S, allowed=10, changed_at_s=None) == {Measure.THROTTLES, Measure.ARRIVALS}
    assert urgencies(known, now_s=NOW_S, allowed=11, changed_at_s=None) == set()
    assert urgencies(known, now_s=NOW_S, allowed=None, changed_at_s=None) == set()


def test_throttles_of_the_last_half_hour_stay_urgent() -> None:
    """Where it was throttled a moment ago it may be again."""
    throttled = replace(record(), throttled_until=NOW_S - 1700)
    expected = {Measure.THROTTLES, Measure.ARRIVALS}
    assert urgencies(throttled, now_s=NOW_S, allowed=None, changed_at_s=None) == expected
    assert urgencies(throttled, now_s=NOW_S + 120, allowed=None, changed_at_s=None) == set()


def test_a_change_of_capacity_makes_spillover_urgent_for_half_an_hour() -> None:
    """Whether the new capacity holds what it promised."""
    assert urgencies(record(), now_s=NOW_S, allowed=None, changed_at_s=NOW_S - 1799) == {Measure.SPILLED}
    assert urgencies(record(), now_s=NOW_S, allowed=None, changed_at_s=NOW_S - 1800) == set()


# --- from where ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("timeout_s", "again_min"), [(3.0, 6), (60.0, 6), (120.0, 7), (900.0, 20), (3600.0, 20)])
def test_trailing_minutes_are_read_again_as_long_as_they_may_be_revised(timeout_s: float, again_min: int) -> None:
    """5 minutes and the function's timeout, 15 minutes of it at most; whole minutes."""
    known_s = NOW_S - 420
    found = asks(CHECKOUT, record(), Attention(timeout_s=timeout_s), polling=Polling(), now_s=NOW_S, tick_s=TICK_S)
    assert next(ask.start for ask in found if ask.measure is Measure.WORK) == known_s - 60 * again_min


def test_after_a_pause_minutes_are_asked_for_from_the_last_known_one() -> None:
    """Two hours were missed: two hours are asked for, and the trailing minutes before."""
    paused = record(read_ago_s=7200)
    found = asks(CHECKOUT, paused, Attention(), polling=Polling(), now_s=NOW_S, tick_s=TICK_S)
    assert {ask.start for ask in found} == {NOW_S - 7200 - 120 - 360}


def test_asks_share_windows_so_that_calls_are_few() -> None:
    """Reads of 10, 14 and 50 minutes come to two windows, each up to 2 minutes ago."""
    end = newest_end(NOW_S)
    found = windows([Ask(CHECKOUT, Measure.WORK, end - 60 * minutes) for minutes in (10, 14, 50)], now_s=NOW_S)
    assert {(grid.end, len(grid)): len(group) for grid, group in found.items()} == {(end, 15): 2, (end, 60): 1}
    assert end == NOW_S - 120


def test_each_measure_is_one_metric_of_the_alias() -> None:
    """By function and resource; work is the sum of durations, milliseconds there and seconds here."""
    assert METRICS[Measure.WORK].per_unit == 1000.0
    assert query_of(CHECKOUT, Measure.WORK) == Query("Duration", "Sum", "checkout-api", "checkout-api:live")
    assert query_of(CHECKOUT, Measure.PEAK).statistic == "Maximum"


# --- what it costs ---------------------------------------------------------------------------------------------------


def test_the_cost_of_a_target_that_works_all_day() -> None:
    """(1 + 1/6 + 1/12 + 1/24 + 1/12) x 8,760 ticks x $0.00001 = $0.120 a month."""
    assert usd_per_month(Polling()) == pytest.approx((1 + 1 / 6 + 1 / 12 + 1 / 24 + 1 / 12) * 8760 * 1e-5)


def test_the_cost_of_a_target_at_rest() -> None:
    """(1/3 + 1/12) x 8,760 x $0.00001 = $0.0365 a month."""
    assert usd_per_month(Polling(), busy_share=0) == pytest.approx((1 / 3 + 1 / 12) * 8760 * 1e-5)


def test_a_fleet_that_works_sixty_percent_of_the_time_costs_ten_cents_a_target() -> None:
    """$0.087 in one environment all month; $0.10 with three new environments a day that read everything anew."""
    assert usd_per_month(Polling(), busy_share=0.6) == pytest.approx(0.08687, abs=1e-5)
    assert usd_per_month(Polling(), busy_share=0.6, environments_per_day=3) <= 0.10


def test_the_table_never_reads_quiet_work_rarer_than_data_grows_stale_nor_beyond_the_minutes_kept() -> None:
    """15 minutes for work; no series waits longer than minutes are kept."""
    polling = Polling()
    assert polling.work.quiet <= 15
    for measure in Measure:
        assert max(polling.cadence(measure).busy, polling.cadence(measure).quiet) * 60 <= min(FINE_S, 3 * 3600 - 1200)
