"""The checker of invariants: each breach is found where it is, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from incidents.invariants import Record, breaches, last_need, least_for
from incidents.scene import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warmcast.model import FloatArray

START = 1_772_409_600
"""2026-03-02T00:00Z."""

HISTORY_MIN = 60
STOOD = 18
"""What a demand of 10 needs at 1% of spillover."""


def record(requested: Sequence[int], *, demand: float | FloatArray = 10.0, **changes: object) -> Record:
    """A run of these capacities, after an hour of measured minutes; demand is the same throughout unless told."""
    count = len(requested)
    usual = Record(
        start=START,
        requested=np.array(requested, dtype=np.int64),
        standing=STOOD,
        measured=np.broadcast_to(np.asarray(demand, dtype=np.float64), (HISTORY_MIN + count,)),
        measured_from=START - HISTORY_MIN * 60,
        weighted=np.zeros(count, dtype=np.bool_),
        floor=1,
        ceiling=100,
        reserved=None,
        share=0.01,
        lead_min=2,
        tick_s=300,
        outage=None,
        needed_after_fall={},
    )
    return replace(usual, **changes)  # type: ignore[arg-type]  # fields of a record


def numbers(run: Record) -> list[int]:
    """The invariants that were broken, in order of time."""
    return [breach.number for breach in breaches(run)]


@pytest.mark.parametrize(("demand", "share", "least"), [(0.0, 0.01, 0), (5.0, 0.0184, 10), (84.064, 0.01, 100)])
def test_the_least_capacity_is_erlangs(demand: float, share: float, least: int) -> None:
    """Known values: B(10, 5) = 0.018385, B(100, 84.064) = 0.01."""
    assert least_for(demand, share) == least or least_for(demand, share * 1.0001) == least


def test_a_run_that_keeps_to_everything_breaks_nothing() -> None:
    """Up for a reason, down after a while to what the last minutes need."""
    assert breaches(record([STOOD] * 5 + [30] * 20 + [STOOD] * 5)) == []


def test_a_write_above_a_limit_is_found() -> None:
    """The ceiling, and the reserve where that is less; below the floor likewise."""
    assert numbers(record([STOOD] * 5 + [101] * 5)) == [1]
    assert numbers(record([STOOD] * 5 + [40] * 5, reserved=39)) == [1]
    assert numbers(record([STOOD] * 5 + [19] * 5, floor=20)) == [1]


def test_a_write_of_nothing_is_found() -> None:
    """Zero, though a stack owns the config and there is no demand; it is below the floor as well."""
    assert numbers(record([STOOD] * 5 + [0] * 5, demand=0.0)) == [1, 8]


def test_a_decrease_below_what_is_seen_is_found() -> None:
    """One unit less than 10 executions need; to exactly that it is none."""
    assert numbers(record([30] * 5 + [STOOD - 1] * 5, standing=30)) == [2]
    assert numbers(record([30] * 5 + [STOOD] * 5, standing=30)) == []


def test_only_minutes_that_could_be_seen_count() -> None:
    """At minute 5 the newest that shows is that of minute 3: traffic that fell at minute 4 lowers nothing yet."""
    fell = np.where(np.arange(HISTORY_MIN + 20) < HISTORY_MIN + 4, 10.0, 1.0)
    assert last_need(record([STOOD] * 20, demand=fell), START + 300) == STOOD
    assert numbers(record([STOOD] * 5 + [5] * 15, demand=fell)) == [2]
    assert numbers(record([STOOD] * 10 + [5] * 10, demand=fell)) == []


def test_a_decrease_without_data_is_found() -> None:
    """Nothing measured for a quarter of an hour; a rise is no breach."""
    silent = np.where(np.arange(HISTORY_MIN + 30) < HISTORY_MIN, 1.0, np.nan)
    assert numbers(record([STOOD] * 25 + [10] * 5, demand=silent)) == [2]
    assert numbers(record([STOOD] * 25 + [30] * 5, demand=silent)) == []
    assert numbers(record([STOOD] * 10 + [10] * 20, demand=silent)) == []


def test_a_write_under_weights_is_found() -> None:
    """Whichever way it goes."""
    weighted = np.arange(20) >= 10
    assert numbers(record([STOOD] * 10 + [30] * 10, weighted=weighted)) == [3]
    assert numbers(record([STOOD] * 9 + [30] * 11, weighted=weighted)) == []


def test_a_write_while_an_allocation_is_under_way_is_found() -> None:
    """A minute after a rise that takes two; needed, so that only the lock is broken."""
    demand = 40.0
    assert numbers(record([STOOD] * 5 + [30, 53, 53, 53], demand=demand)) == [3]
    assert numbers(record([STOOD] * 5 + [30, 30, 53, 53], demand=demand)) == []


def test_a_second_change_within_a_tick_is_found_unless_demand_needs_it() -> None:
    """Three minutes after the last one: back down, and up for no reason."""
    assert numbers(record([STOOD] * 5 + [30] * 3 + [25] * 5)) == [5]
    assert numbers(record([STOOD] * 5 + [30] * 3 + [35] * 5)) == [5]
    assert numbers(record([STOOD] * 5 + [30] * 3 + [53] * 5, demand=40.0)) == []


def test_a_decrease_in_the_hour_after_a_fall_is_found() -> None:
    """18 stood, and the forecast before needs 18 at each tick; capacity may fall with that need, or after an hour."""
    outage = Span(START + 300, START + 3000)
    demand = np.where(np.arange(HISTORY_MIN + 90) < HISTORY_MIN + 5, 10.0, 0.5)
    needs = dict.fromkeys(range(START + 600, START + 300 + 3600, 300), STOOD)
    lowered = [STOOD] * 50 + [10] * 40
    fallen = record(lowered, demand=demand, outage=outage, needed_after_fall=needs)
    assert numbers(fallen) == [10, 10, 10]
    assert numbers(replace(fallen, needed_after_fall=dict.fromkeys(needs, 10))) == []
    assert numbers(replace(fallen, requested=np.array([STOOD] * 65 + [4] * 25))) == []
    assert numbers(replace(fallen, reserved=10)) == []


def test_a_breach_says_when_and_what() -> None:
    """A person can find it."""
    (found,) = breaches(record([30] * 5 + [STOOD - 1] * 5, standing=30))
    assert str(found) == "2: Mon 00:05 30 -> 17, the last minutes need 18"
