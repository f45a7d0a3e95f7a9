"""A policy's score: every item of the bill by hand, and what is felt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from warmcast.coldstarts import cold_starts
from warmcast.erlang import spilled_share
from warmcast.simulate.score import Score, allocation_usd, score, spillover
from warmcast.simulate.trace import Trace
from warmcast.simulate.world import World, ready, starting_capacity

WORLD = World()
GAP = float("nan")


def trace(demand: list[float]) -> Trace:
    """Minutes of demand from half-second executions."""
    known = np.array(demand, dtype=np.float64)
    return Trace(start=0, demand=known, arrivals_per_s=2 * known, peak=np.full(len(known), np.nan))


def scored(requested: list[int], minutes: Trace, world: World = WORLD, none: Score | None = None) -> Score:
    """The score of so much capacity in each minute."""
    return score(np.array(requested, dtype=np.int64), minutes, world, none=none)


def test_spillover_is_weighted_by_demand() -> None:
    """Half of 1 and all of 99 spill: 99.5%, not the 75% that the minutes' mean would say."""
    minutes = trace([1.0, 99.0])
    assert starting_capacity(minutes, WORLD) == 5
    found = scored([1, 0], minutes)
    assert found.spillover == pytest.approx((0.5 * 1 + 99) / 100)
    assert spillover(np.array([1, 0]), minutes, WORLD) == found.spillover


def test_the_bill_has_five_items() -> None:
    """Allocation, what was served, what spilled, inits of new units and of cold starts, requests: us-east-1, 1 GB."""
    minutes = trace([5.0, 5.0, 20.0, GAP, 20.0])
    requested = [11, 11, 11, 30, 30]
    demand, available = np.nan_to_num(minutes.demand), ready(np.array(requested), 2)
    cold = cold_starts(available, minutes.demand, minutes.arrivals_per_s, keepalive_min=[10], life_s=7200).sum()
    spilled_s = 60 * float((demand * spilled_share(available, demand)).sum())
    served_s = 60 * float(demand.sum()) - spilled_s
    allocation = (11 * 5 + 19 * 5) * 60 * 0.0000041667  # 19 units for 2 minutes count as 5
    provisioned = (served_s + 19 * 0.5) * 0.0000097222
    on_demand = (spilled_s + cold * 0.5) * 0.0000166667
    requests = 2 * 60 * 50 * 0.20e-6
    found = scored(requested, minutes)
    assert found.allocation_usd == pytest.approx(allocation)
    assert found.total_usd == pytest.approx(allocation + provisioned + on_demand + requests)
    assert found.invocations == 6_000
    assert found.cold_starts_per_10k == pytest.approx(cold / 6_000 * 10_000)


def test_units_that_every_policy_starts_with_are_not_billed_an_init() -> None:
    """11 units are READY before the first minute; a policy that goes on to 111 brings up a hundred."""
    minutes = trace([5.0] * 10)
    world = replace(WORLD, init_ms=1e9)  # dwarfs everything else
    usd_per_init = 1e6 * 0.0000097222
    kept, raised = (scored([units] * 10, minutes, world).total_usd for units in (11, 111))
    assert (raised - kept) / usd_per_init == pytest.approx(100, rel=0.03)


def test_allocation_scales_with_memory_and_price() -> None:
    """Ten units for ten minutes: 6,000 unit-seconds, of 2 GB, in us-east-1 and in Tokyo."""
    requested = np.full(10, 10)
    assert allocation_usd(requested, World(memory_mb=2048)) == pytest.approx(12_000 * 0.0000041667)
    tokyo = World(memory_mb=2048, region="ap-northeast-1")
    assert allocation_usd(requested, tokyo) == pytest.approx(12_000 * 0.0000053835)


def test_gap_minutes_bill_allocation_and_carry_no_demand() -> None:
    """A day of gaps costs its capacity, and nothing spills; utilization leaves gaps out."""
    found = scored([10] * 1440, trace([GAP] * 1440))
    assert found.total_usd - found.allocation_usd == pytest.approx(10 * 0.5 * 0.0000097222)  # ten inits
    assert found.allocation_usd == pytest.approx(14_400 * 60 * 0.0000041667)
    assert (found.spillover, found.cold_starts_per_10k, found.utilization) == (0, 0, 0)
    assert scored([11] * 20, trace([5.0] * 10 + [GAP] * 10)).utilization == pytest.approx(5 / 11, rel=0.01)


def test_ready_capacity_counts_not_requested() -> None:
    """From 11 READY units to 40 requested ones: two minutes of 11 and three of 40, the mean of which is 28.4."""
    found = scored([40] * 5, trace([5.0] + [35.0] * 4))
    assert found.mean_capacity == pytest.approx((2 * 11 + 3 * 40) / 5)
    carried = sum((5 * 0.99, 35 * 11 / 35 * 0.96, 3 * 35 * 0.95))
    assert found.utilization == pytest.approx(carried / (2 * 11 + 3 * 40), rel=0.03)


def test_changes_are_counted_by_the_day() -> None:
    """Three changes in half a day are six a day."""
    requested = [5] * 100 + [6] * 100 + [7] * 100 + [6] * 420
    assert scored(requested, trace([5.0] * 720)).changes_per_day == pytest.approx(6)


def test_the_worst_five_minutes_are_those_with_the_most_cold_starts() -> None:
    """A crowd of 60 at minute 60 counts, not a lonely call after an hour's silence, whose share is higher."""
    minutes = trace([20.0] * 60 + [80.0] * 60 + [0.0] * 60 + [0.001] + [0.0] * 19)
    found = scored([0] * 200, minutes)
    cold = cold_starts(
        np.zeros(200, dtype=np.int64), minutes.demand, minutes.arrivals_per_s, keepalive_min=[10], life_s=7200
    )[0]
    windows = [(cold[at : at + 5].sum(), minutes.arrivals_per_s[at : at + 5].sum() * 60) for at in range(196)]
    most, calls = max(windows)
    assert 50 < most < 90
    assert found.worst_5min_cold_share == pytest.approx(most / calls)
    assert max(starts / calls for starts, calls in windows if calls > 0) > 10 * found.worst_5min_cold_share


def test_a_cold_start_avoided_has_a_price_or_saves_money() -> None:
    """Against no capacity: too much capacity pays for each, busy capacity earns with each."""
    minutes = trace((25 - 20 * np.cos(np.arange(480) * np.pi / 60)).tolist())
    none = scored([0] * 480, minutes)
    plenty, busy = (scored([units] * 480, minutes, none=none) for units in (80, 5))
    avoided = (none.cold_starts_per_10k - plenty.cold_starts_per_10k) * none.invocations / 10_000
    assert plenty.usd_per_cold_start_avoided == pytest.approx((plenty.total_usd - none.total_usd) / avoided)
    assert plenty.total_usd > none.total_usd > busy.total_usd
    assert busy.usd_per_cold_start_avoided is not None
    assert busy.usd_per_cold_start_avoided < 0


def test_what_avoids_nothing_has_no_price_for_it() -> None:
    """No capacity compared with itself, and a policy that is not compared."""
    minutes = trace([5.0] * 30)
    none = scored([0] * 30, minutes)
    assert none.usd_per_cold_start_avoided is None
    assert scored([0] * 30, minutes, none=none).usd_per_cold_start_avoided is None


def test_each_keepalive_has_its_cold_starts_the_headline_first() -> None:
    """The longer an environment stays warm, the fewer; the first is the one that is reported."""
    found = scored([10] * 300, trace((12 + 8 * np.sin(np.arange(300) / 9)).tolist()))
    assert list(found.keepalive) == [10, 5, 45]
    assert found.keepalive[5] > found.keepalive[10] > found.keepalive[45] > 0
    assert found.cold_starts_per_10k == found.keepalive[10]


def test_capacity_and_demand_are_equally_long() -> None:
    """Anything else is a mistake, not a score."""
    with pytest.raises(ValueError, match="3 minutes of capacity for 2 minutes of demand"):
        scored([1, 1, 1], trace([1.0, 1.0]))


def test_a_trace_of_no_minutes_scores_nothing() -> None:
    """And divides by nothing."""
    found = scored([], trace([]))
    assert (found.total_usd, found.spillover, found.worst_5min_cold_share, found.mean_capacity) == (0, 0, 0, 0)
