"""The ladder of shadow prices: what each rung would have spilled and changed, and where a promise stands on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmcast.mixture.ladder import (
    BANDS,
    HALF_LIFE_TICKS,
    PRICES,
    Record,
    Rung,
    held_after,
    rung_for_price,
    rung_for_share,
)
from warmcast.mixture.loss import carried

if TYPE_CHECKING:
    from warmcast.model import FloatArray

K, B = len(PRICES), len(BANDS)
FADE = 0.5 ** (1 / HALF_LIFE_TICKS)


def drawn(ticks: int, *, seed: int = 1) -> tuple[FloatArray, FloatArray]:
    """What each rung held from the tick before the first on, and the load of each tick's minutes with some gaps."""
    rng = np.random.default_rng(seed)
    held = np.round(rng.gamma(5, 4, (ticks + 1, K, B)))
    held[3] = held[2]  # a tick that changes nothing
    loads = rng.gamma(5, 3, (ticks, 5))
    loads[rng.random(loads.shape) < 0.1] = np.nan
    return held, loads


# --- the record ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [1, 2, 3, 5])
def test_the_record_is_what_a_loop_over_minutes_counts(own: int) -> None:
    """Before a rise is READY the lower of two capacities serves; older ticks fade; a gap carries nothing."""
    ticks = 9
    held, loads = drawn(ticks)
    record = Record.none().after(held, loads, own)
    for rung, band in ((0, 0), (7, 3), (K - 1, B - 1)):
        spilled = allocated = changes = 0.0
        for tick in range(ticks):
            before, now = held[tick, rung, band], held[tick + 1, rung, band]
            spilled, allocated, changes = spilled * FADE, allocated * FADE, changes * FADE
            for minute, load in enumerate(loads[tick]):
                serves = min(before, now) if minute < own else now
                spilled += float(carried(np.array([serves]), np.array([load])).spilled[0])
            allocated += 5 * now
            changes += before != now
        assert record.spilled[rung, band] == pytest.approx(spilled)
        assert record.allocated[rung, band] == pytest.approx(allocated)
        assert record.changes[rung, band] == pytest.approx(changes)
    offered = sum(FADE ** (ticks - 1 - tick) * np.nansum(loads[tick]) for tick in range(ticks))
    assert record.offered[0] == pytest.approx(offered)
    assert record.ticks[0] == pytest.approx(sum(FADE**age for age in range(ticks)))


def test_the_record_of_two_parts_is_that_of_the_whole() -> None:
    """One by one, in parts or at once: the same."""
    held, loads = drawn(12)
    whole = Record.none().after(held, loads, 3)
    parts = Record.none().after(held[:5], loads[:4], 3).after(held[4:], loads[4:], 3)
    for name, values in whole.as_arrays().items():
        assert np.allclose(values, parts.as_arrays()[name]), name


def test_a_fall_acts_at_once_and_a_rise_after_the_lead_time() -> None:
    """4 -> 40 spills in its first three minutes what 4 does; 40 -> 4 from the first."""
    load = np.full((1, 5), 20.0)
    low, high = (np.full((1, K, B), units) for units in (4.0, 40.0))
    spilled = 20 - carried(np.array([4.0]), np.array([20.0])).spilled[0]
    rise = Record.none().after(np.concatenate([low, high]), load, 3)
    fall = Record.none().after(np.concatenate([high, low]), load, 3)
    assert rise.spilled[0, 0] == pytest.approx(3 * (20 - spilled), abs=0.01)
    assert fall.spilled[0, 0] == pytest.approx(5 * (20 - spilled))


def test_before_anything_is_known_the_record_says_what_is_typical() -> None:
    """Shares fall along the ladder; a change every ten minutes is assumed, with wider dead bands fewer."""
    record = Record.none()
    assert record.spillover.shape == (K, B)
    assert (np.diff(record.spillover, axis=0) <= 0).all()
    assert record.spillover[0, 0] > 0.9
    assert record.spillover[-1, 0] < 0.001
    assert np.allclose(record.changes_per_day[:, 0], 144)
    assert (np.diff(record.changes_per_day, axis=1) < 0).all()
    assert record.changes_per_day[0, 2] < 100  # so that a new target begins with a dead band, not with the widest


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), ticks=st.integers(4, 40))
def test_spillover_is_a_share_that_never_rises_along_the_ladder(seed: int, ticks: int) -> None:
    """Whatever was held: within 0 and 1, and a higher price never spills more."""
    held, loads = drawn(ticks, seed=seed)
    shares = Record.none().after(held, loads, 3).spillover
    assert ((shares > 0) & (shares <= 1)).all()
    assert (np.diff(shares, axis=0) <= 0).all()


def test_what_was_seen_outweighs_what_is_typical_in_time() -> None:
    """After two weeks that spilled nothing at the highest rung the share there is next to nothing."""
    held = np.full((4033, K, B), 60.0)
    record = Record.none().after(held, np.full((4032, 5), 20.0), 3)
    assert record.spillover[-1, 0] < 0.2 * Record.none().spillover[-1, 0]
    assert record.changes_per_day.max() < 10


# --- the dead band ---------------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(held=st.integers(0, 300), wanted=st.floats(0, 300))
def test_a_change_is_made_from_half_a_band_up_and_a_whole_band_down(held: int, wanted: float) -> None:
    """Each band by itself; what is held is whole units, the nearest to what is wanted."""
    after = held_after(np.full((1, B), float(held)), np.array([wanted]))[0]
    whole = np.ceil(wanted - 0.5)
    for band, width in enumerate(BANDS * wanted):
        moves = whole - held > width / 2 or held - whole > width
        assert after[band] == (whole if moves else held)


def test_the_first_band_follows_every_unit_and_the_last_hardly_any() -> None:
    """10 -> 11 is a change at no band, and none at a band as wide as the capacity."""
    after = held_after(np.full((1, B), 10.0), np.array([11.0]))[0]
    assert after[0] == 11
    assert after[-1] == 10


# --- rungs -----------------------------------------------------------------------------------------------------------

FALLING = st.lists(st.floats(1e-5, 1.0), min_size=K, max_size=K).map(lambda shares: np.array(sorted(shares)[::-1]))


@settings(max_examples=200, deadline=None)
@given(shares=FALLING, asked=st.floats(1e-6, 1.0))
def test_the_rung_for_a_share_spills_what_is_asked_or_lies_at_an_end(shares: FloatArray, asked: float) -> None:
    """Linear in the logarithm between two rungs, so the share there, read likewise, is what is asked."""
    rung = rung_for_share(shares, asked)
    assert 0 <= rung.lower < K
    assert 0 <= rung.part <= 1
    if shares[-1] <= asked <= shares[0]:
        assert np.exp(rung.of(np.log(shares))) <= asked * (1 + 1e-9) or rung.lower == 0
        assert shares[rung.lower] >= asked * (1 - 1e-9) or rung.lower == 0
    if asked < shares[-1]:
        assert rung == Rung(K - 1, 0.0)
    if asked > shares[0]:
        assert rung == Rung(0, 0.0)


@settings(max_examples=200, deadline=None)
@given(shares=FALLING, low=st.floats(1e-6, 1.0), high=st.floats(1e-6, 1.0))
def test_asking_for_less_never_stands_lower_on_the_ladder(shares: FloatArray, low: float, high: float) -> None:
    """A stricter promise is never cheaper."""
    strict, lax = rung_for_share(shares, min(low, high)), rung_for_share(shares, max(low, high))
    assert strict.lower + strict.part >= lax.lower + lax.part - 1e-9


@settings(max_examples=200, deadline=None)
@given(price=st.floats(0.01, 1e5))
def test_the_rung_for_a_price_has_that_price(price: float) -> None:
    """There and back; beyond the ladder's ends, the end."""
    rung = rung_for_price(price)
    assert rung.price == pytest.approx(min(max(price, PRICES[0]), PRICES[-1]))


def test_a_rung_between_two_reads_between_their_values() -> None:
    """A quarter of the way; at the last rung there is no next."""
    values = np.arange(float(K))
    assert Rung(3, 0.25).of(values) == 3.25
    assert Rung(K - 1, 0.0).of(values) == K - 1
