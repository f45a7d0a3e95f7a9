"""Who is believed: the candidates that would have cost least, on traffic whose best rule is known."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mixing import DAY, learned, poisson
from warmcast.mixture.candidates import FAMILIES, PREDICTIONS, Family
from warmcast.mixture.ladder import PRICES
from warmcast.mixture.weights import HALF_LIFE_TICKS, Regret

if TYPE_CHECKING:
    from warmcast.model import FloatArray

COUNT = len(FAMILIES)
TWENTY = int(np.flatnonzero(PRICES == 20)[0])


def drawn(ticks: int, *, seed: int = 5) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Slopes, candidates and mixture of so many ticks at two prices."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, (ticks, 2)), rng.gamma(4, 5, (ticks, COUNT)), rng.gamma(4, 5, (ticks, 2))


def test_regret_is_a_sum_over_ticks_of_what_following_each_candidate_would_have_won() -> None:
    """Slope times (mixture - candidate), and its square, against a loop over single numbers."""
    slopes, candidates, mixture = drawn(4)
    regret = Regret.none(2).after(slopes, candidates, mixture)
    for price in range(2):
        for candidate in (0, 17, COUNT - 1):
            won = [slopes[n, price] * (mixture[n, price] - candidates[n, candidate]) for n in range(4)]
            fade = 0.5 ** (4 / HALF_LIFE_TICKS)
            assert regret.total[price, candidate] == pytest.approx(sum(won))
            assert regret.squares[price, candidate] == pytest.approx(sum(x * x for x in won) + fade * 1e-3)


def test_ticks_in_a_batch_count_as_one_by_one_but_for_the_fading_within_it() -> None:
    """An hour of ticks at once differs by less than the twelfth of an hour's fading."""
    slopes, candidates, mixture = drawn(48)
    one = batched = Regret.none(2)
    for n in range(48):
        one = one.after(slopes[[n]], candidates[[n]], mixture[[n]])
    for n in range(0, 48, 12):
        part = slice(n, n + 12)
        batched = batched.after(slopes[part], candidates[part], mixture[part])
    faded = 1 - 0.5 ** (12 / HALF_LIFE_TICKS)
    size = np.abs(slopes).sum() * max(float(candidates.max()), float(mixture.max()))
    assert np.abs(one.total - batched.total).max() < faded * size
    assert np.allclose(one.squares, batched.squares, rtol=faded)
    assert np.allclose(one.weights(), batched.weights(), atol=0.002)


def test_regret_halves_in_ten_days() -> None:
    """After a half-life of ticks that tell nothing, half of it is left."""
    slopes, candidates, mixture = drawn(3)
    regret = Regret.none(2).after(slopes, candidates, mixture)
    idle = np.zeros((HALF_LIFE_TICKS, 2))
    later = regret.after(idle, np.zeros((HALF_LIFE_TICKS, COUNT)), idle)
    assert np.allclose(later.total, regret.total / 2)


def test_before_anything_is_known_all_are_believed_alike_but_for_no_capacity() -> None:
    """One in twenty for no capacity, the rest shared evenly; each row adds up to one."""
    weights = Regret.none(3).weights()
    assert weights.shape == (3, COUNT)
    assert np.allclose(weights.sum(axis=1), 1)
    assert np.allclose(weights[:, -1], 0.05)
    assert np.allclose(weights[:, :-1], 0.95 / (COUNT - 1))


def test_the_candidate_that_would_have_cost_least_is_believed_most() -> None:
    """One candidate is right each time, the others are off by a half either way."""
    rng = np.random.default_rng(2)
    regret, weights = Regret.none(1), Regret.none(1).weights()
    for _ in range(2000):
        right = rng.gamma(9, 2)
        each = right * np.exp(rng.normal(0, 0.5, (1, COUNT)))
        each[0, 33] = right
        mixture = each @ weights.T
        regret = regret.after(np.sign(mixture - right), each, mixture)  # the slope of the distance
        weights = regret.weights()
    assert weights[0].argmax() == 33
    assert weights[0, 33] > 0.5


# --- on traffic whose best rule is known -----------------------------------------------------------------------------


def shares(demand: FloatArray) -> dict[Family, float]:
    """How much each family is believed at a shadow price of 20, after this demand."""
    return dict(zip(Family, learned(demand).families[0, TWENTY], strict=True))


@cache
def seasonal() -> FloatArray:
    """Twelve days that repeat: half hours of another level each, the same every day."""
    levels = np.random.default_rng(4).uniform(5, 60, 48)
    return poisson(np.tile(np.repeat(levels, 30), 12))


def test_where_days_repeat_the_season_is_believed() -> None:
    """Levels that jump every half hour but repeat by the day: no reaction can foresee them, the season does."""
    believed = shares(seasonal())
    assert believed[Family.SEASON] + believed[Family.RISING] > 0.8


def test_where_nothing_repeats_the_season_is_not_believed() -> None:
    """The same levels in an order of their own each day: what is left are the last minutes."""
    rng = np.random.default_rng(8)
    believed = shares(poisson(np.repeat(rng.uniform(5, 60, 48 * 12), 30)))
    assert believed[Family.SEASON] + believed[Family.RISING] < 0.35
    assert believed[Family.LEVEL] + believed[Family.REACTION] > 0.45


def test_a_steady_level_is_followed_by_means_not_by_peaks() -> None:
    """On steady traffic each minute is the mean and noise: long means, levels and seasons, are believed."""
    believed = shares(poisson(np.full(12 * DAY, 30.0)))
    assert believed[Family.REACTION] < 0.25


def test_where_there_is_next_to_no_traffic_no_capacity_is_believed() -> None:
    """At 5/3, where provisioned concurrency just pays, a call an hour is worth no unit."""
    demand = np.zeros(12 * DAY)
    demand[np.random.default_rng(6).random(len(demand)) < 1 / 60] = 0.01
    state = learned(demand)
    assert float(state.mixture[-1, 1]) < 0.1
    assert state.families[0, 1, list(Family).index(Family.NOTHING)] > 0.3


def test_after_a_level_shift_the_rules_of_today_gain_on_the_season() -> None:
    """Four times the traffic from one hour on, beyond every headroom: in twelve hours the season loses half its say."""
    days = seasonal()
    shifted = np.concatenate([days[: 8 * DAY], 4 * days[8 * DAY : 8 * DAY + 12 * 60]])
    plain = shares(days[: len(shifted)])
    after = shares(shifted)
    assert after[Family.SEASON] < 0.5 * plain[Family.SEASON]
    assert after[Family.RISING] > plain[Family.RISING]


def test_every_rule_has_a_name_of_its_own() -> None:
    """A name tells one prediction from another."""
    assert len({rule.name for rule in PREDICTIONS}) == len(PREDICTIONS)
