"""What each capacity would be worth, against arithmetic by hand."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from warmcast.coldworth import MONTH_HOURS, Ladder, Unit, ladder
from warmcast.prices import unit_prices
from warmcast.scan.found import Usage

if TYPE_CHECKING:
    from warmcast.model import FloatArray

UNIT = Unit(1024, unit_prices("us-east-1", "x86_64"), init_s=2.0)


def usage(invocations: FloatArray, *, duration_s: float = 0.5, capacity: float = 0.0) -> Usage:
    """An alias with so many invocations in each five minutes."""
    same = np.ones(len(invocations))
    nothing = np.full(len(invocations), np.nan)
    return Usage(
        start=0,
        step_s=300,
        invocations=invocations,
        duration_s=duration_s * same,
        peak=nothing,
        throttles=0 * same,
        spilled=nothing,
        provisioned=nothing,
        utilization=nothing,
        capacity=capacity * same,
        certain=same,
        of_function=float(np.nansum(invocations)),
    )


def found(given: Usage, *, counted: float = 0, unit: Unit = UNIT) -> Ladder:
    """Its ladder, which is there."""
    result = ladder(given, unit, counted=counted, counted_days=given.days)
    assert result is not None
    return result


BURSTY = np.tile(np.concatenate([np.zeros(11), [3000.0]]), 24)  # 10 a second, five minutes an hour: demand 5


def test_allocation_is_units_times_memory_times_a_month() -> None:
    """One unit of 1 GB in us-east-1 costs $10.95 a month."""
    for rung in found(usage(BURSTY)).rungs:
        assert rung.allocation_usd == pytest.approx(rung.capacity * 10.95, rel=1e-3)


def test_the_first_rung_is_what_happens_without_any() -> None:
    """It costs nothing, avoids nothing and serves nothing."""
    first = found(usage(BURSTY)).rungs[0]
    assert (first.capacity, first.allocation_usd, first.net_usd, first.avoided) == (0, 0, 0, 0)
    assert first.spillover == 1
    assert first.usd_per_avoided is None


def test_more_capacity_leaves_fewer_cold_starts_and_spills_less() -> None:
    """Up to what the peak needs at 0.1% of spillover."""
    rungs = found(usage(BURSTY)).rungs
    assert all(high.cold_starts <= low.cold_starts for low, high in pairwise(rungs))
    assert all(high.spillover < low.spillover for low, high in pairwise(rungs))
    assert rungs[-1].spillover <= 0.001 < rungs[-2].spillover


def test_the_bill_changes_by_allocation_less_worth_less_init() -> None:
    """By hand: 15 million execution seconds of one GB at the last rung's share, and the init of what is avoided."""
    last = found(usage(BURSTY)).rungs[-1]
    seconds = 3000 * 0.5 * MONTH_HOURS
    worth = seconds * (1 - last.spillover) * (0.0000166667 - 0.0000097222)
    init = last.avoided * 2.0 * 0.0000166667
    assert last.net_usd == pytest.approx(last.allocation_usd - worth - init)
    assert last.usd_per_avoided == pytest.approx(last.net_usd / last.avoided)


def test_what_a_rung_adds_is_weighed_alone() -> None:
    """Its own cost over its own avoided cold starts, not the mean of all."""
    rungs = found(usage(BURSTY)).rungs
    further = (rungs[3].net_usd - rungs[2].net_usd) / (rungs[2].cold_starts - rungs[3].cold_starts)
    assert rungs[3].usd_per_further == pytest.approx(further)


def test_the_model_is_scaled_to_what_the_logs_counted() -> None:
    """Without capacity the rung of none then has exactly the logs' cold starts."""
    result = found(usage(BURSTY), counted=50)
    assert result.rungs[0].cold_starts == pytest.approx(50 * MONTH_HOURS / 24)
    assert f"scaled by {result.scale:.2f}" in result.scaled


def test_the_scale_is_that_of_the_capacity_that_stood() -> None:
    """A capacity of 5 had 50 cold starts, so the rung of 5 has them; the rung of none has more."""
    result = found(usage(BURSTY, capacity=5), counted=50)
    (five,) = [rung for rung in result.rungs if rung.capacity == 5]
    assert five.cold_starts == pytest.approx(50 * MONTH_HOURS / 24)
    assert result.rungs[0].cold_starts > five.cold_starts


def test_few_cold_starts_scale_nothing() -> None:
    """Nine are too few to correct a model by."""
    result = found(usage(BURSTY), counted=9)
    assert (result.scale, result.rungs[0].cold_starts) == (1.0, found(usage(BURSTY)).rungs[0].cold_starts)
    assert "too few" in result.scaled


def test_the_knee_is_where_money_buys_less_from_then_on() -> None:
    """Bursts of eight sizes, small ones oftener: the first units avoid the most. Checked one by one."""
    sizes = 3000.0 * np.array([1, 1, 1, 1, 2, 2, 3, 8] * 3)
    result = found(usage(np.concatenate([[*np.zeros(11), size] for size in sizes])))
    first, last = result.rungs[0], result.rungs[-1]
    below = {
        rung.capacity: 1
        - rung.allocation_usd / last.allocation_usd
        - (rung.cold_starts - last.cold_starts) / (first.cold_starts - last.cold_starts)
        for rung in result.rungs
    }
    assert result.knee == max(below, key=lambda capacity: below[capacity])
    assert 0 < (result.knee or 0) < last.capacity / 2


def test_a_curve_that_hardly_bends_has_no_knee() -> None:
    """Bursts of one size: each unit avoids about as many as the one before, so none is the one to stop at."""
    assert found(usage(BURSTY)).knee is None


def test_nothing_is_said_without_demand() -> None:
    """No invocation, none known, or no duration known: no ladder."""
    for given in (usage(np.zeros(288)), usage(np.full(288, np.nan)), usage(BURSTY, duration_s=float("nan"))):
        assert ladder(given, UNIT, counted=0, counted_days=1) is None


def test_unknown_steps_are_left_out() -> None:
    """A day of which half is not known is read as its known half."""
    half = np.concatenate([BURSTY[:144], np.full(144, np.nan)])
    known = found(usage(BURSTY[:144])).rungs
    assert [rung.cold_starts for rung in found(usage(half)).rungs] == pytest.approx(
        [rung.cold_starts for rung in known]
    )


def test_a_large_peak_has_a_few_rungs_that_widen() -> None:
    """From none to the peak's need, not one by one."""
    rungs = found(usage(np.where(BURSTY > 0, 180_000.0, 3000.0))).rungs
    steps = np.diff([rung.capacity for rung in rungs])
    assert len(rungs) <= 16
    assert rungs[-1].capacity > 300
    assert (steps[5:] >= steps[4:-1]).all()
