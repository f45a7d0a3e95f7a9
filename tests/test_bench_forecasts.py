"""The arithmetic of the benchmark of forecasts: losses, scales and ratios, and splits that never look ahead."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.forecasts.contest import FED_AS_PEERS, WARMCAST, ask_warmcast, fed, kept_in
from bench.forecasts.cut import (
    AHEAD,
    DAY,
    LEAST_KNOWN,
    MOST_KNOWN,
    STEP_MINUTES,
    STEP_S,
    WEEK,
    Cut,
    cut,
    filled,
    origins,
)
from bench.forecasts.page import Run, against, markdown, tables
from bench.forecasts.score import LEVELS, ONE_DAY, TWO_HOURS, Contest, Told, geometric_mean, pinball, ratio
from bench.machine import Machine
from traces import MONDAY, minutes, noise, office
from warmcast.forecast.steps import five_minute_steps

NAN = np.nan
START = int(MONDAY.timestamp())


def told(value: float, *, took_s: float = 1.0, count: int = 2) -> Told:
    """A forecaster that says the same of everything, at every level."""
    return Told(np.full((count, len(LEVELS), AHEAD), value), np.full(count, took_s))


def contest(**peers: Told) -> Contest:
    """A trace that is always 10, of which Warmcast said 9 in a millisecond and last week was 12."""
    return Contest(
        name="ten",
        scale=2.0,
        actual=np.full((2, AHEAD), 10.0),
        ours={WARMCAST: told(9.0, took_s=0.001), FED_AS_PEERS: told(9.5, took_s=0.001)},
        peers={"AutoETS": told(8.0), **peers},
        lag=told(12.0),
        failures={},
        peers_version="2",
    )


# --- scores ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actual", "foreseen", "level", "loss"), [(10, 8, 0.9, 1.8), (8, 10, 0.9, 0.2), (3, 3, 0.5, 0), (10, 8, 0.5, 1)]
)
def test_a_unit_short_costs_the_level_and_one_too_much_the_rest(
    actual: float, foreseen: float, level: float, loss: float
) -> None:
    """At 0.9 two too few cost 1.8, two too many 0.2; at the median both cost half."""
    assert pinball(np.array([actual]), np.array([foreseen]), level)[0] == pytest.approx(loss)


@pytest.mark.parametrize("level", LEVELS)
def test_the_loss_is_least_at_the_quantile(level: float) -> None:
    """Of many values the empirical quantile has the least mean pinball loss: what makes it a score of quantiles."""
    values = np.random.default_rng(1).lognormal(size=999)
    losses = [float(pinball(values, np.array(said), level).mean()) for said in np.sort(values)]
    assert np.sort(values)[int(np.argmin(losses))] == pytest.approx(np.quantile(values, level), rel=0.02)


def test_losses_are_means_over_what_was_measured_in_units_of_the_scale() -> None:
    """9 where 10 came costs the level; halved by a scale of 2; a step that was not measured changes nothing."""
    whole = contest()
    gap = whole.actual.copy()
    gap[0, :3] = NAN
    for held in (whole, replace(whole, actual=gap)):
        assert held.loss(held.ours[WARMCAST], TWO_HOURS) == pytest.approx(LEVELS / 2)


def test_only_the_horizons_steps_count() -> None:
    """What goes wrong after two hours is in the loss of 24 hours, not in that of two."""
    late = told(10.0)
    late.quantiles[:, :, TWO_HOURS.steps :] = 0.0
    held = contest(late=late)
    assert held.loss(held.peers["late"], TWO_HOURS) == pytest.approx(0)
    assert (held.loss(held.peers["late"], ONE_DAY) > 1).all()
    assert (held.best(TWO_HOURS), held.best(ONE_DAY)) == ("late", "AutoETS")


def test_a_peer_that_failed_anywhere_is_never_the_best() -> None:
    """One origin without an answer, all others perfect: it has no loss, and another is compared with."""
    failed = told(10.0)
    failed.quantiles[1] = NAN
    held = contest(failed=failed)
    assert np.isnan(held.loss(held.peers["failed"], TWO_HOURS)).all()
    assert held.best(TWO_HOURS) == "AutoETS"


def test_ratios_of_nothing_are_told_from_ratios_to_nothing() -> None:
    """0 / 0 is a draw, anything over 0 is infinitely worse; means of ratios are geometric."""
    assert ratio(0.0, 0.0) == 1.0
    assert ratio(1.0, 0.0) == np.inf
    assert geometric_mean([0.5, 2.0]) == pytest.approx(1.0)
    assert np.isnan(geometric_mean([]))


# --- splits ----------------------------------------------------------------------------------------------------------


def trace(days: float, *, seed: int = 1) -> Cut:
    """An office's minutes with a few origins."""
    at = minutes(MONDAY, days)
    found = cut("office", START, office(at, ZoneInfo("UTC")) * noise(len(at), 0.2, seed=seed), 5)
    assert found is not None
    return found


@given(days=st.integers(10, 60), count=st.integers(1, 30))
def test_origins_lie_behind_what_is_to_be_learned_and_a_day_before_the_end(days: int, count: int) -> None:
    """So many, ascending; after half of the trace, 8 days at least and 14 at most, and a whole day is left to score."""
    chosen = origins(days * DAY, count)
    assert len(chosen) == count
    assert list(chosen) == sorted(chosen)
    assert chosen[0] >= min(MOST_KNOWN, max(LEAST_KNOWN, days * DAY // 2))
    assert chosen[-1] + AHEAD <= days * DAY


def test_origins_favour_no_hour_of_the_day() -> None:
    """Of 24 over four weeks, each quarter of the day gets its share."""
    quarters = np.bincount(np.array(origins(42 * DAY, 24)) % DAY // (DAY // 4), minlength=4)
    assert quarters.min() >= 4


def test_a_trace_too_short_to_learn_from_and_be_scored_is_not_cut() -> None:
    """Eight days to learn, one to score, and room for the origins; less is None, which the page names."""
    assert cut("short", START, np.ones(9 * 1440), 5) is None
    assert cut("enough", START, np.ones(9 * 1440 + 75), 5) is not None


def test_nobody_is_told_what_comes_after_an_origin() -> None:
    """With all after an origin changed, the peers' series, Warmcast's history and the scale stay as they are."""
    before = trace(21)
    for origin in before.origins:
        other = before.minutes.copy()
        other[origin * STEP_MINUTES :] = 1e6
        after = replace(before, minutes=other)
        assert (after.known(origin) == before.known(origin)).all()
        for fed_minutes in (5, STEP_MINUTES):
            assert (
                fed(after, origin, fed_minutes).coarse.work_s == fed(before, origin, fed_minutes).coarse.work_s
            ).all()
            assert fed(after, origin, fed_minutes).coarse.end == before.start + origin * STEP_S
        assert after.actual()[before.origins.index(origin), 0] == 1e6
    known_first = np.arange(len(before.minutes)) < before.origins[0] * STEP_MINUTES
    assert replace(before, minutes=np.where(known_first, before.minutes, 7.0)).scale() == before.scale()


def test_all_are_given_the_same_steps() -> None:
    """The peers' 15 minutes are the means of Warmcast's 5 over the same days; fed as they are, all three are equal."""
    one = trace(30)
    origin = one.origins[-1]
    known = one.known(origin)
    for fed_minutes in (5, STEP_MINUTES):
        history = fed(one, origin, fed_minutes)
        steps = five_minute_steps(history, history.coarse.start, history.coarse.end).demand.reshape(-1, 3)
        assert len(steps) == len(known) == MOST_KNOWN
        assert steps.mean(axis=1) == pytest.approx(known)
        assert bool(np.ptp(steps, axis=1).max() < 1e-9) is (fed_minutes == STEP_MINUTES)


def test_the_lag_is_the_same_time_a_week_before() -> None:
    """What is said of a step is what was measured seven days earlier."""
    one = trace(21)
    steps = one.steps
    for row, origin in zip(one.last_week(), one.origins, strict=True):
        assert row == pytest.approx(steps[origin - WEEK : origin - WEEK + AHEAD])


def test_gaps_are_filled_from_before_and_are_not_scored() -> None:
    """A gap takes last week's value, else yesterday's; minutes that are missing leave the step's other minutes."""
    steps = np.arange(10.0 * DAY)
    gone = steps.copy()
    gone[[DAY + 3, WEEK + 5]] = NAN
    assert filled(gone)[[DAY + 3, WEEK + 5]].tolist() == [3.0, 5.0]
    assert filled(np.array([1.0, NAN, 3.0])).tolist() == [1.0, 2.0, 3.0]
    holes = np.ones(12 * 1440)
    holes[15:20] = NAN
    holes[-1440:] = NAN
    found = cut("holes", START, holes, 5)
    assert found is not None
    assert found.steps[1] == 1.0
    assert np.isnan(found.steps[-DAY:]).all()


@pytest.mark.parametrize(("shape", "scale"), [("weekly", 1.0), ("daily", 2.0), ("flat", 3.0)])
def test_the_scale_is_the_change_from_week_to_week_else_from_day_to_day_else_the_mean(shape: str, scale: float) -> None:
    """Whatever repeats itself without a change is scaled by the next coarser measure."""
    at = np.arange(20 * DAY)
    values = {"weekly": 5.0 + at // WEEK, "daily": 5 + 2.0 * (at // DAY % 7 % 2), "flat": np.full(len(at), 3.0)}[shape]
    one = Cut(shape, START, np.repeat(values, STEP_MINUTES), (14 * DAY,))
    assert one.scale() == pytest.approx(scale, rel=0.2)


def test_warmcast_is_asked_for_what_is_scored() -> None:
    """Its quantiles ascend with the level, have the shape of what came, and follow an office's day."""
    one = trace(16)
    for each in ask_warmcast(one).values():
        assert each.quantiles.shape == (len(one.origins), len(LEVELS), AHEAD)
        assert (np.diff(each.quantiles, axis=1) >= 0).all()
        assert (each.took_s > 0).all()
        assert np.corrcoef(each.quantiles[:, 0].ravel(), one.actual().ravel())[0, 1] > 0.8


def test_the_peers_answers_are_kept_for_the_same_question_only() -> None:
    """The folder is named by the series, the models and their versions: another series is another question."""
    one, other = np.arange(5.0), np.arange(6.0)
    assert kept_in([one]) == kept_in([one.copy()])
    assert len({kept_in(each) for each in ([one], [other], [one, other], [one + 1])}) == 4


# --- the page --------------------------------------------------------------------------------------------------------


def run_of(*contests: Contest) -> Run:
    """A run over these."""
    machine = Machine("a processor", 2, "3.13.1", "2.4.6", 0.06)
    return Run(contests, origins=12, too_short=["brief"], machine=machine)


def test_warmcast_is_compared_with_the_best_peer_of_each_trace() -> None:
    """9 against the best 8 where 10 came: half the loss, at a thousandth of the time; and half of last week's."""
    found = against(contest(worse=told(0.0)), TWO_HOURS)
    assert found.best == "AutoETS"
    assert (found.ratio, found.time) == pytest.approx((0.5, 0.001))
    assert found.per_level == pytest.approx((0.5, 0.5, 0.5))
    short, over = LEVELS.mean() * 1, (1 - LEVELS).mean() * 2
    assert found.last_week == pytest.approx(short / over)


def test_the_page_tells_the_aims_the_worst_trace_and_what_was_left_out() -> None:
    """Every table is a section; the worst trace, a failure and a trace too short are named."""
    bad = replace(contest(), name="hard", ours={WARMCAST: told(4.0), FED_AS_PEERS: told(4.0)}, failures={"x": "boom"})
    run = run_of(contest(), bad)
    page = markdown(run)
    for table in tables(run):
        assert f"## {table.title}\n" in page
        assert {len(row) for row in table.rows} <= {len(table.columns)}
    assert "| loss / best peer, 2 hours | 0.900 | 1.22 | no |" in page
    assert "| ... the worst trace: hard |  | 3.00 |  |" in page
    assert "| hard | x | boom |" in page
    assert "| brief | all | too short to learn from 8 days and be scored |" in page
