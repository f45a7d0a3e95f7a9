"""Cold starts against the formula's own loops, and against a simulation of every call."""

from __future__ import annotations

import heapq
import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmcast.coldstarts import cold_starts
from warmcast.erlang import spilled_share

if TYPE_CHECKING:
    from warmcast.model import FloatArray

FOR_EVER = math.inf
GAP = float("nan")


def expected(
    ready: list[int], demand: list[float], duration_s: float, *, keepalive: int = 10, life_s: float = FOR_EVER
) -> FloatArray:
    """Cold starts of each minute at one keepalive."""
    load = np.array(demand, dtype=np.float64)
    units = np.array(ready, dtype=np.int64)
    row: FloatArray = cold_starts(units, load, load / duration_s, keepalive_min=[keepalive], life_s=life_s)[0]
    return row


# --- the formula, one environment and one minute at a time -----------------------------------------------------------

ENVIRONMENTS = 200  # more than a demand of 60 ever uses


def naive_use(ready: int, demand: float, arrivals: float) -> list[float]:
    """Chance that the pool's 1st, 2nd, ... environment is used in a minute."""
    if not demand > 0:
        return [0.0] * ENVIRONMENTS
    last = ready + ENVIRONMENTS
    chance = [math.exp(n * math.log(demand) - demand - math.lgamma(n + 1)) for n in range(last)]
    fewer = list(itertools.accumulate(chance))
    return [1 - min(fewer[k - 1], 1.0) * math.exp(-arrivals * chance[k - 1]) for k in range(ready + 1, last + 1)]


def naive_cold_starts(use: list[list[float]], *, keepalive: int) -> list[float]:
    """The sum over environments of use now and no use in the keepalive before; no recycling."""
    cold = []
    for minute, now in enumerate(use):
        before = [use[max(earlier, 0)] for earlier in range(minute - keepalive, minute)]
        cold.append(sum(used * math.prod(1 - row[j] for row in before) for j, used in enumerate(now)))
    return cold


loads = st.one_of(st.just(0.0), st.just(GAP), st.floats(1e-3, 60.0))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), loads), min_size=1, max_size=12),
    st.sampled_from([0.02, 0.5, 8.0, 300.0]),
    st.integers(2, 6),
)
def test_it_is_the_formula(minutes: list[tuple[int, float]], duration_s: float, keepalive: int) -> None:
    """Any capacity and demand, idle minutes and gaps; all that is left out as certain is worth 1 in 100,000."""
    use = [naive_use(units, load, load / duration_s * 60) for units, load in minutes]
    naive = naive_cold_starts(use, keepalive=keepalive)
    found = expected([units for units, _ in minutes], [load for _, load in minutes], duration_s, keepalive=keepalive)
    assert found == pytest.approx(naive, rel=1e-6, abs=1e-5 * sum(naive) + 1e-8)


def test_several_keepalives_are_worked_out_at_once() -> None:
    """A row for each, the same as one by one; the longer an environment stays warm, the fewer cold starts."""
    demand = 30 + 20 * np.sin(np.arange(300) / 20)
    ready = np.full(300, 35)
    rows = cold_starts(ready, demand, 2 * demand, keepalive_min=(10, 5, 45), life_s=7200)
    for row, keepalive in zip(rows, (10, 5, 45), strict=True):
        assert row == pytest.approx(expected([35] * 300, demand.tolist(), 0.5, keepalive=keepalive, life_s=7200))
    assert rows[1].sum() > rows[0].sum() > rows[2].sum()


def test_recycling_is_the_spilled_demand_over_the_life() -> None:
    """On an endless steady demand of 8 at 5 units, 60 s in each minute over a life of two hours."""
    with_it, without = (expected([5] * 3, [8.0] * 3, 0.5, life_s=life) for life in (7200.0, FOR_EVER))
    spilled = 8.0 * spilled_share(np.array([5]), np.array([8.0]))[0]
    assert with_it - without == pytest.approx([spilled / 120] * 3)


def test_the_world_before_the_first_minute_stood_as_it_does_in_it() -> None:
    """A steady demand has as many cold starts in its first minute as in its last."""
    cold = expected([0] * 30, [20.0] * 30, 0.5)
    assert cold == pytest.approx([cold[-1]] * 30)


def test_a_sudden_crowd_finds_nothing_warm() -> None:
    """From 1 to 1,000 executions at 100 units: about 900 new environments, and nearly none a minute later."""
    cold = expected([100] * 12, [1.0] * 6 + [1_000.0] * 6, 0.5)
    assert cold[6] == pytest.approx(1_000, abs=150)
    assert cold[7] < 0.05 * cold[6]
    assert cold[:6].max() < 1e-6


def test_a_gap_longer_than_the_keepalive_lets_the_pool_go_cold() -> None:
    """A gap carries no demand; after 5 minutes the pool is warm, after 20 it is not."""
    short, long = (expected([0] * 40, [50.0] * 10 + [GAP] * gap + [50.0] * (30 - gap), 0.5) for gap in (5, 20))
    assert short[15] < 5
    assert long[30] > 50
    assert long[10:30].sum() == 0


def test_no_minutes_have_no_cold_starts() -> None:
    """One row per keepalive all the same."""
    nothing = np.empty(0)
    assert cold_starts(nothing.astype(np.int64), nothing, nothing, keepalive_min=(10, 5), life_s=1).shape == (2, 0)


# --- call by call ----------------------------------------------------------------------------------------------------


@dataclass
class Pool:
    """Environments in a fixed order, those of provisioned concurrency first; a call takes the first that is free."""

    ready: int
    keepalive_s: float
    free: list[int] = field(default_factory=list)
    busy: list[tuple[float, int]] = field(default_factory=list)
    last_work: list[float] = field(default_factory=list)

    def call(self, at: float, duration_s: float) -> bool:
        """Whether the call starts cold: on demand, in an environment that has had no work for the keepalive."""
        while self.busy and self.busy[0][0] <= at:
            heapq.heappush(self.free, heapq.heappop(self.busy)[1])
        if not self.free:
            self.free.append(len(self.last_work))
            self.last_work.append(-math.inf)
        environment = heapq.heappop(self.free)
        cold = environment >= self.ready and at - self.last_work[environment] > self.keepalive_s
        self.last_work[environment] = at + duration_s
        heapq.heappush(self.busy, (at + duration_s, environment))
        return cold


WARM_UP = 30


def counted(ready: int, demand: list[float], duration_s: float, *, keepalive: int) -> int:
    """Cold starts of one run of random calls, those of the warm-up left out."""
    chance = np.random.default_rng(7)
    calls = chance.poisson(np.array(demand) / duration_s * 60)
    at = 60 * (np.repeat(np.arange(len(demand)), calls) + chance.random(calls.sum()))
    at.sort()
    lengths = chance.exponential(duration_s, len(at))
    pool = Pool(ready, keepalive * 60)
    starts = [pool.call(when, length) for when, length in zip(at.tolist(), lengths.tolist(), strict=True)]
    return sum(itertools.compress(starts, at > WARM_UP * 60))


@pytest.mark.parametrize(
    ("demand", "ready", "duration_s", "hours"),
    [(2.0, 0, 5, 60), (2.0, 3, 5, 60), (10.0, 12, 5, 20), (20.0, 14, 20, 40), (50.0, 0, 20, 20), (50.0, 55, 20, 20)],
)
def test_a_simulation_of_every_call_has_somewhat_more(demand: float, ready: int, duration_s: float, hours: int) -> None:
    """The formula takes minutes for independent; it finds 0.55-0.9 of the cold starts at loads of 2 to 50."""
    minutes = [demand] * (60 * hours)
    found = expected([ready] * len(minutes), minutes, duration_s, keepalive=5)[WARM_UP:].sum()
    assert 0.55 < found / counted(ready, minutes, duration_s, keepalive=5) < 0.9


def test_on_ramps_it_counts_what_the_simulation_of_every_call_counts() -> None:
    """On traffic that swings between 5 and 45 every two hours, at 0 to 45 units: in the same order, within 10%."""
    minutes = (25 - 20 * np.cos(np.arange(1_200) * 2 * math.pi / 120)).tolist()
    model, calls = np.empty(3), np.empty(3)
    for each, units in enumerate((0, 30, 45)):
        model[each] = expected([units] * len(minutes), minutes, 10, keepalive=10)[WARM_UP:].sum()
        calls[each] = counted(units, minutes, 10, keepalive=10)
    assert calls[0] > calls[1] > calls[2]
    assert model == pytest.approx(calls, rel=0.1)
