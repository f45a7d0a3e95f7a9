"""The forecast's parts against naive loops: steps, windows, layers of a season, peakedness against simulated groups."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces import series
from warmcast.forecast.burst import minute_scatter, peakedness
from warmcast.forecast.season import believed, bridged, robust_mean, season, smoothed
from warmcast.forecast.steps import five_minute_steps
from warmcast.forecast.tables import DEVIATES, LEVELS, WEIGHTS, WINDOWS, Tables, compress, expand, stand_in, windows
from warmcast.model import FloatArray, History, Series

NAN = math.nan
DAY_S = 86_400

values_with_gaps = st.lists(st.one_of(st.just(NAN), st.floats(0.0, 100.0)), min_size=1, max_size=60)


def mean_of_known(values: list[float]) -> float:
    """The mean of those that are not NaN; NaN if all are."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else NAN


# --- steps -----------------------------------------------------------------------------------------------------------


@given(minutes=values_with_gaps, offset=st.integers(0, 7))
def test_steps_are_means_of_their_known_minutes(minutes: list[float], offset: int) -> None:
    """However the minutes lie across the 5-minute steps, each step is the mean of its known ones."""
    start = 60 * offset
    history = History(Series.empty(0, 300), series(start, 60, np.array(minutes)))
    steps = five_minute_steps(history, 0, start + 60 * len(minutes))
    for nth in range(len(steps.demand)):
        inside = [value for k, value in enumerate(minutes) if (start + 60 * k) // 300 == nth]
        assert steps.demand[nth] == pytest.approx(mean_of_known(inside), nan_ok=True)


def test_minutes_stand_above_coarse_steps_and_throttled_requests_count() -> None:
    """Where both are known the minutes are taken; throttled arrivals are arrivals, and their demand is added back."""
    coarse = series(0, 300, np.array([4.0, 4.0]), rate_per_s=np.array([8.0, 8.0]))
    fine = series(
        300, 60, np.full(5, 6.0), rate_per_s=np.full(5, 10.0), throttles=np.full(5, 300.0)
    )  # 600 arrivals and 300 throttles a minute
    steps = five_minute_steps(History(coarse, fine), 0, 600)
    assert steps.demand == pytest.approx([4.0, 9.0])
    assert steps.rate_per_s == pytest.approx([8.0, 15.0])
    assert steps.duration_s == pytest.approx(13 / 23)


def test_where_arrivals_are_unknown_the_rate_follows_from_the_duration() -> None:
    """A demand of 4 at half a second is 8 requests a second."""
    steps = five_minute_steps(History(series(0, 300, np.array([4.0, NAN])), Series.empty(600, 60)), 0, 600)
    assert steps.duration_s is None
    assert steps.rate_given(np.full(2, 0.5)) == pytest.approx([8.0, NAN], nan_ok=True)


# --- scales and windows ----------------------------------------------------------------------------------------------


@given(rate=st.floats(1e-3, 1e6), unit=st.floats(1e-8, 1e3))
def test_the_compressed_scale_can_be_undone(rate: float, unit: float) -> None:
    """Compressing and expanding a rate gives it back."""
    assert expand(compress(np.array([rate]), unit), unit)[0] == pytest.approx(rate, rel=1e-6)


@given(values=values_with_gaps)
def test_windows_are_means_of_the_known_surprises(values: list[float]) -> None:
    """Each window is the mean of what it knows; one that knows nothing takes the next longer one's, and none is 0."""
    means = windows(np.array(values))
    for nth in range(len(values)):
        expected = 0.0
        for row in range(len(WINDOWS) - 1, -1, -1):
            inside = mean_of_known(values[max(0, nth + 1 - int(WINDOWS[row])) : nth + 1])
            expected = expected if math.isnan(inside) else inside
            assert means[row, nth] == pytest.approx(expected, abs=1e-9)


def test_each_level_stands_for_the_probability_around_it() -> None:
    """Weights are what lies between the midpoints of the levels; deviates are the normal quantiles."""
    edges = np.concatenate([[0.0], (LEVELS[1:] + LEVELS[:-1]) / 2, [1.0]])
    assert pytest.approx(np.diff(edges)) == WEIGHTS
    assert [0.5 * (1 + math.erf(deviate / math.sqrt(2))) for deviate in DEVIATES] == pytest.approx(LEVELS, abs=1e-4)


def test_tables_survive_being_kept() -> None:
    """Written as arrays and read back, the tables are the same; of another version they are not read."""
    tables = stand_in(0.1, 0.5, 0.2)
    arrays = tables.as_arrays()
    again = Tables.from_arrays(arrays)
    assert again is not None
    assert again.as_arrays().keys() == arrays.keys()
    assert Tables.from_arrays({**arrays, "version": np.array([0.0])}) is None


# --- season ----------------------------------------------------------------------------------------------------------


@given(values=values_with_gaps)
def test_smoothing_is_the_mean_of_half_an_hour_to_either_side(values: list[float]) -> None:
    """Six 5-minute bins before and after, as far as they are there and known."""
    for nth, smooth in enumerate(smoothed(np.array(values))):
        assert smooth == pytest.approx(mean_of_known(values[max(0, nth - 6) : nth + 7]), nan_ok=True, abs=1e-9)


@given(
    rows=st.lists(st.lists(st.one_of(st.just(NAN), st.floats(-5, 5)), min_size=3, max_size=3), min_size=1, max_size=6)
)
def test_without_noise_to_speak_of_a_robust_mean_is_the_mean(rows: list[list[float]]) -> None:
    """If every difference is ordinary, all known rows weigh the same."""
    found = robust_mean(np.array(rows), math.inf)
    for column in range(3):
        known = [row[column] for row in rows]
        assert found.mean[column] == pytest.approx(mean_of_known(known), nan_ok=True, abs=1e-12)
        assert found.count[column] == sum(not math.isnan(value) for value in known)


def test_an_odd_day_weighs_little_in_a_robust_mean() -> None:
    """Of 1.0, 1.1, 0.9 and 9.0 at a noise of 0.1 the last does not count; of two, the ordinary one does."""
    assert robust_mean(np.array([[1.0], [1.1], [0.9], [9.0]]), 0.1).mean[0] == pytest.approx(1.0, abs=0.03)
    assert robust_mean(np.array([[2.0], [0.05]]), 0.1, around_zero=True).mean[0] == pytest.approx(0.05, abs=0.02)
    assert robust_mean(np.array([[-1.0], [-1.1]]), 0.1, around_zero=True).mean[0] == pytest.approx(-1.05, abs=0.03)


@pytest.mark.parametrize(
    ("comes_back", "times", "share"), [(0.5, 1, 0.5), (0.5, 2, 2 / 3), (0.5, 7, 0.875), (0, 9, 0), (1, 1, 1)]
)
def test_a_mean_is_believed_as_far_as_it_comes_back(comes_back: float, times: int, share: float) -> None:
    """Spearman-Brown: what came back once by half is believed by two thirds after two times."""
    assert believed(comes_back, np.array([times]))[0] == pytest.approx(share)


def test_gaps_in_the_week_are_bridged_around_its_end() -> None:
    """A gap is a straight line from one known value to the next, Sunday's joined to Monday's."""
    assert bridged(np.array([NAN, 2.0, NAN, 4.0, NAN])) == pytest.approx([8 / 3, 2.0, 3.0, 4.0, 10 / 3])
    assert bridged(np.full(3, NAN)) == pytest.approx([0.0, 0.0, 0.0])


def weekly(days: int, rng: np.random.Generator, *, noise: float) -> FloatArray:
    """A daily wave with Sundays one lower, and noise, in 5-minute bins."""
    at = np.arange(days * 288)
    wave = np.sin(at / 288 * 2 * np.pi)
    values: FloatArray = wave - (at // 288 % 7 == 6) + noise * rng.standard_normal(len(at))
    return values


def test_a_weekday_of_its_own_is_learned_and_noise_is_not() -> None:
    """Two weeks teach that Sundays are lower; the profile is nearer to the truth than a single week is."""
    rng = np.random.default_rng(1)
    values, truth = weekly(14, rng, noise=0.3), weekly(7, rng, noise=0.0)
    week = season(values, np.arange(len(values)) * 5 % 10_080).of_week()
    assert np.abs(week - truth).mean() < 0.5 * np.abs(values[-2016:] - truth).mean()
    assert week[6 * 288 :].mean() == pytest.approx(-1.0, abs=0.1)


def test_a_day_is_not_measured_against_itself() -> None:
    """Leaving a day out, a flood that came once is a surprise of its full size."""
    values = weekly(14, np.random.default_rng(2), noise=0.05)
    values[3 * 288 + 100 : 3 * 288 + 112] += 5.0
    surprise = season(values, np.arange(len(values)) * 5 % 10_080).surprise()
    assert surprise[3, 100:112] == pytest.approx(np.full(12, 5.0), abs=0.7)


# --- bursts ----------------------------------------------------------------------------------------------------------


def simulated(demand: float, duration_s: float, batch: int, rng: np.random.Generator) -> Series:
    """Two hours of a group without limit: batches arrive at random, durations are exponential; call by call."""
    warm_up, end = 20 * duration_s, 7200 + 20 * duration_s
    starts = np.repeat(rng.uniform(0, end, rng.poisson(end * demand / duration_s / batch)), batch)
    lasts = rng.exponential(duration_s, len(starts))
    events = np.concatenate([starts, starts + lasts]) - warm_up
    order = np.argsort(events)
    running = np.cumsum(np.repeat([1, -1], len(starts))[order])
    minute = np.floor(events[order] / 60).astype(int)
    inside = (minute >= 0) & (minute < 120)
    peak = np.zeros(120)
    np.maximum.at(peak, minute[inside], running[inside].astype(float))
    began = np.floor((starts - warm_up) / 60).astype(int)
    counted = (began >= 0) & (began < 120)
    work_s = np.bincount(began[counted], lasts[counted], 120)
    return replace(series(0, 60, work_s / 60), peak=peak)


@pytest.mark.parametrize(("demand", "duration_s"), [(2, 0.2), (5, 0.5), (20, 0.1), (20, 5), (100, 0.5), (300, 2)])
def test_poisson_traffic_has_a_peakedness_of_one_and_batches_more(demand: float, duration_s: float) -> None:
    """Groups simulated call by call: random arrivals are near 1; batches of three, theoretically 2, near that."""
    rng = np.random.default_rng(7)
    assert peakedness(simulated(demand, duration_s, 1, rng), duration_s) == pytest.approx(1.0, abs=0.2)
    assert peakedness(simulated(demand, duration_s, 3, rng), duration_s) == pytest.approx(2.0, abs=0.45)


def test_peakedness_is_one_where_it_can_not_be_known_and_four_at_most() -> None:
    """No maxima, no demand to speak of, or throttling: 1. Wild maxima: 4."""
    minutes = series(0, 60, np.full(60, 10.0))
    wild = replace(minutes, peak=np.full(60, 200.0))
    assert peakedness(minutes, 0.5) == 1.0
    assert peakedness(replace(wild, work_s=np.full(60, 6.0)), 0.5) == 1.0
    assert peakedness(replace(wild, throttles=np.ones(60)), 0.5) == 1.0
    assert peakedness(wild, 0.5) == 4.0


def test_the_scatter_of_minutes_is_measured_within_whole_steps() -> None:
    """Minutes that alternate by a tenth around their mean scatter by a tenth; a gap or a step cut off is left out."""
    rate = np.tile([9.0, 11.0, 10.0, 9.0, 11.0], 24)
    fine = series(120, 60, rate)
    whole = np.concatenate([rate[:3], rate])
    assert minute_scatter(fine, whole, 1e-6) == pytest.approx(0.1, abs=0.015)
    assert minute_scatter(fine, np.full(len(rate), NAN), 1e-6) == 0.0
