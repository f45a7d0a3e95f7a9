"""Demand of throttled minutes: what was turned away is added back, and a throttled minute is never taken for idle."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmcast.model import Series

NAN = np.nan
COUNT = st.one_of(st.just(NAN), st.just(0.0), st.floats(0.5, 1e4))
MINUTE = st.tuples(COUNT, COUNT, COUNT)


def series(*minutes: tuple[float, float, float]) -> Series:
    """Minutes of (work in seconds, arrivals, throttles)."""
    work, arrivals, throttles = np.array(minutes, dtype=np.float64).T
    unread = np.full(len(minutes), NAN)
    return Series(0, 60, work, arrivals, throttles, unread, unread)


@pytest.mark.parametrize(
    ("minute", "alone", "beside_known"),
    [
        ((300.0, 600.0, 60.0), 5.5, 5.5),  # its own duration is known: 0.5 s
        ((300.0, NAN, 60.0), 5.0, 5.5),  # arrivals not read: 0.5 s from its neighbour
        ((0.0, 0.0, 60.0), NAN, 0.5),  # all turned away
        ((0.0, NAN, 60.0), NAN, 0.5),
        ((NAN, NAN, 60.0), NAN, NAN),  # work not known: a gap whatever was throttled
        ((300.0, NAN, NAN), 5.0, 5.0),  # throttles not read: what was served
        ((300.0, 600.0, 0.0), 5.0, 5.0),
    ],
)
def test_what_was_turned_away_is_added_back(
    minute: tuple[float, float, float], alone: float, beside_known: float
) -> None:
    """By its own mean duration, else by that of a minute beside it (1,200 arrivals of 0.5 s), else not at all."""
    np.testing.assert_array_equal(series(minute).demand, [alone])
    np.testing.assert_array_equal(series((600.0, 1200.0, 0.0), minute).demand, [10.0, beside_known])


def test_a_demand_of_twenty_is_seen_as_twenty_before_arrivals_are_read() -> None:
    """Half of 40 requests a second of 0.5 s are throttled, and arrivals are known up to five minutes ago only."""
    calm = [(600.0, 1200.0, 0.0)] * 10
    np.testing.assert_allclose(series(*calm, *[(600.0, NAN, 1200.0)] * 5).demand[-5:], 20.0)


@given(st.lists(MINUTE, min_size=1, max_size=30))
def test_demand_agrees_with_a_reading_minute_by_minute(minutes: list[tuple[float, float, float]]) -> None:
    """Oracle: a loop that spells the table of `Series.demand` out."""
    known = [(w, a) for w, a, _ in minutes if a > 0 and not math.isnan(w)]
    duration = sum(w for w, _ in known) / sum(a for _, a in known) if known else NAN
    expected = []
    for work, arrivals, throttles in minutes:
        if not throttles > 0:
            expected.append(work / 60)
        elif arrivals > 0:
            expected.append((arrivals + throttles) / 60 * (work / arrivals))
        elif not math.isnan(duration):
            expected.append(work / 60 + throttles / 60 * duration)
        else:
            expected.append(work / 60 if work > 0 else NAN)
    np.testing.assert_allclose(series(*minutes).demand, expected)


STEP = st.tuples(st.lists(COUNT, min_size=5, max_size=5), COUNT, COUNT)


def steps(*given: tuple[list[float], float, float]) -> tuple[Series, np.ndarray]:
    """5-minute steps of (work of each minute, arrivals, throttles), and the work of all minutes."""
    work = np.array([each[0] for each in given])
    arrivals, throttles = np.array([each[1:] for each in given]).T
    unread = np.full(len(given), NAN)
    return Series(0, 300, work.sum(axis=1), arrivals, throttles, unread, unread), work.ravel()


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (([300.0, 0.0, 0.0, 0.0, 0.0], 600.0, 0.0), [5.0, 0.0, 0.0, 0.0, 0.0]),
        (([300.0, 0.0, 0.0, 0.0, 0.0], 600.0, 120.0), [6.0, 0.0, 0.0, 0.0, 0.0]),
        (([0.0] * 5, 0.0, 120.0), [0.2] * 5),
        (([0.0] * 5, 0.0, 0.0), [0.0] * 5),
        (([60.0, NAN, 60.0, 60.0, 60.0], 600.0, 0.0), [NAN] * 5),
    ],
)
def test_the_minutes_of_a_step_share_what_it_turned_away(
    step: tuple[list[float], float, float], expected: list[float]
) -> None:
    """Each grows by the step's factor; the duration of 0.5 s is that of a step beside it."""
    series, work_s = steps(([60.0] * 5, 600.0, 0.0), step)
    np.testing.assert_allclose(series.demand_by_minute(work_s)[5:], expected)


@given(st.lists(STEP, min_size=1, max_size=12))
def test_the_mean_of_a_steps_minutes_is_its_demand(given: list[tuple[list[float], float, float]]) -> None:
    """Whatever was throttled; so what is learned from minutes and from steps is of one traffic."""
    series, work_s = steps(*given)
    means = series.demand_by_minute(work_s).reshape(-1, 5).mean(axis=1)
    np.testing.assert_allclose(means, series.demand, rtol=1e-9)


def test_demand_of_an_unthrottled_series_is_its_own_array() -> None:
    """Nobody who changes a demand changes the work that it came from."""
    known = series((600.0, 1200.0, 0.0))
    known.demand[0] = 99.0
    assert known.work_s[0] == 600.0
