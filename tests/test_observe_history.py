"""A target's record between ticks: the missing-minute rule, revisions, folding, and what is handed out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOON
from warmcast.aws.metrics import Grid
from warmcast.observe.history import (
    COARSE_S,
    FINE_S,
    LEARN_WITHIN_S,
    LEARNED_FROM,
    Measure,
    Record,
    begun,
    first_datapoint,
    folded,
    history,
    newest_report,
    seen_first,
    settled,
    with_minutes,
    with_weeks,
)

NOW_S = int(NOON.timestamp())
NAN = np.nan
VALUES = st.lists(st.one_of(st.just(NAN), st.floats(0, 1000)), min_size=1, max_size=40)


def grid(minutes: int, *, end_s: int = NOW_S - 120) -> Grid:
    """The `minutes` up to 2 minutes ago."""
    return Grid(end_s - 60 * minutes, end_s, 60)


def reading(record: Record, measure: Measure, *values: float, end_s: int = NOW_S - 120, now_s: int = NOW_S) -> Record:
    """The record with a measure's newest minutes read, first datapoints noted."""
    over = grid(len(values), end_s=end_s)
    after = with_minutes(record, measure, np.array(values), grid=over, now_s=now_s)
    return seen_first(after, first_datapoint(np.array(values), over))


def joined(record: Record, steps: np.ndarray, *, now_s: int = NOW_S) -> Record:
    """The record with past weeks read: 5-minute steps, rows LEARNED_FROM, whose work was the same in each minute."""
    return with_weeks(record, np.repeat(steps[Measure.WORK] / 5, 5), steps[1:], now_s=now_s)


def idle(minutes: int) -> Record:
    """A record whose newest minutes were read, without a datapoint, and settled as zero."""
    return with_minutes(begun(NOW_S), Measure.WORK, np.zeros(minutes), grid=grid(minutes), now_s=NOW_S)


# --- the missing-minute rule -----------------------------------------------------------------------------------------


def test_a_missing_minute_is_zero_where_it_is_old_and_something_reported_since() -> None:
    """At 12:00 with the heartbeat at 11:55: 11:53 to 11:55 are zero; 11:56 and 11:57 are gaps."""
    values = settled(
        np.array([4.0, NAN, NAN, NAN, NAN, NAN]), grid(6), complete=True, now_s=NOW_S, reported_until=NOW_S - 240
    )
    np.testing.assert_array_equal(values, [4.0, 0.0, 0.0, 0.0, NAN, NAN])


def test_the_newest_minute_is_never_taken_for_zero_however_alive_the_region_is() -> None:
    """11:57 ended two minutes ago: its datapoint may still be on the way."""
    values = settled(np.array([NAN, NAN]), grid(2), complete=True, now_s=NOW_S, reported_until=NOW_S)
    np.testing.assert_array_equal(values, [0.0, NAN])


def test_without_a_sign_of_life_nothing_missing_is_zero() -> None:
    """No series of the account and Region reported: CloudWatch may be down, and the hour is a gap."""
    assert np.isnan(settled(np.full(60, NAN), grid(60), complete=True, now_s=NOW_S, reported_until=0)).all()


def test_after_a_partial_answer_nothing_missing_is_zero() -> None:
    """What a partial answer lacks may exist."""
    values = settled(np.array([NAN, 7.0, NAN]), grid(3), complete=False, now_s=NOW_S, reported_until=NOW_S)
    np.testing.assert_array_equal(values, [NAN, 7.0, NAN])


@given(values=VALUES, complete=st.booleans(), heard_min=st.integers(0, 60), late_s=st.integers(0, 59))
def test_the_rule_agrees_with_a_minute_by_minute_reading_of_the_design(
    values: list[float], *, complete: bool, heard_min: int, late_s: int
) -> None:
    """Oracle: a loop over minutes that spells the rule out."""
    now_s, over = NOW_S + late_s, grid(len(values))
    reported_until = NOW_S - 60 * heard_min
    expected = []
    for n, value in enumerate(values):
        end = over.start + 60 * (n + 1)
        is_zero = np.isnan(value) and complete and now_s - end >= 180 and reported_until >= end
        expected.append(0.0 if is_zero else value)
    found = settled(np.array(values), over, complete=complete, now_s=now_s, reported_until=reported_until)
    np.testing.assert_array_equal(found, expected)


def test_a_report_is_as_new_as_the_end_of_its_minute() -> None:
    """The third of four minutes reported, so everything up to its end is heard of."""
    assert newest_report(np.array([NAN, 1.0, 0.0, NAN]), grid(4)) == NOW_S - 180


def test_a_longer_step_proves_no_more_than_that_its_start_was_reached() -> None:
    """A datapoint of 5 minutes may stem from the first second of them."""
    steps = Grid(NOW_S - 900, NOW_S, 300)
    assert newest_report(np.array([1.0, 1.0, NAN]), steps) == NOW_S - 600


# --- reading, and reading again --------------------------------------------------------------------------------------


def test_before_the_first_datapoint_ever_there_is_no_history() -> None:
    """Zeros before it are not handed out: the alias may not have existed."""
    record = reading(begun(NOW_S), Measure.WORK, NAN, 30.0, NAN, 60.0)
    record = replace(record, fine=np.nan_to_num(record.fine))
    fine = history(record, until=NOW_S - 120).fine
    assert fine.start == NOW_S - 120 - 180
    np.testing.assert_array_equal(fine.work_s, [30.0, 0.0, 60.0])


def test_a_target_that_never_reported_has_an_empty_history_not_hours_of_zeros() -> None:
    """Complete and empty: that is "no history", which the brain knows how to read."""
    known = history(idle(178), until=NOW_S - 120)
    assert (len(known.fine), len(known.coarse), known.complete) == (0, 0, True)


def test_idle_hours_come_to_light_once_the_weeks_show_that_the_alias_existed() -> None:
    """Three idle hours are no history for a young alias, and three hours of zero for an old one."""
    record = idle(178)
    assert len(history(record, until=NOW_S - 120).fine) == 0
    weeks = np.zeros((len(LEARNED_FROM), 12))
    weeks[:, 3] = 5.0
    grown = seen_first(joined(record, weeks), record.fine_start - 9 * 300)
    known = history(grown, until=NOW_S - 120)
    assert len(known.coarse) == 9
    assert known.coarse.end == known.fine.start
    np.testing.assert_array_equal(known.fine.work_s, np.zeros(178))


def test_a_revised_minute_replaces_what_was_known() -> None:
    """CloudWatch adds late invocations to the minute they began in."""
    record = reading(begun(NOW_S), Measure.WORK, 10.0, 20.0, 30.0)
    record = reading(record, Measure.WORK, 25.0, 33.0, 40.0, end_s=NOW_S - 60)
    np.testing.assert_array_equal(history(record, until=NOW_S - 60).fine.work_s, [10.0, 25.0, 33.0, 40.0])


def test_a_gap_in_a_new_answer_erases_nothing() -> None:
    """A partial answer that lacks a minute which was known leaves it known."""
    record = reading(begun(NOW_S), Measure.WORK, 10.0, 20.0, 30.0)
    record = reading(record, Measure.WORK, NAN, NAN, 31.0)
    np.testing.assert_array_equal(history(record, until=NOW_S - 120).fine.work_s, [10.0, 20.0, 31.0])


def test_the_next_read_resumes_at_the_first_hole() -> None:
    """11:55 is not known, so it is asked for again, though 11:56 is."""
    record = reading(begun(NOW_S), Measure.WORK, 1.0, NAN, 3.0)
    assert record.resume[Measure.WORK] == NOW_S - 120 - 120
    assert reading(record, Measure.WORK, 1.0, 2.0, 3.0).resume[Measure.WORK] == NOW_S - 120


def test_minutes_that_nobody_read_yet_are_handed_out_as_unknown() -> None:
    """A target read ten minutes ago: its last ten minutes are there, and NaN."""
    record = reading(begun(NOW_S), Measure.WORK, 5.0)
    fine = history(record, until=NOW_S - 120 + 600).fine
    assert fine.end == NOW_S - 120 + 600
    assert np.isnan(fine.work_s[1:]).all()
    assert fine.work_s[0] == 5.0


def test_an_idle_minute_has_no_arrivals_though_nobody_read_them() -> None:
    """Each invocation leaves a duration, so no work means no arrivals; throttles leave none and stay unknown."""
    record = reading(begun(NOW_S), Measure.WORK, 6.0, 0.0, NAN)
    fine = history(record, until=NOW_S - 120).fine
    np.testing.assert_array_equal(fine.arrivals, [NAN, 0.0, NAN])
    np.testing.assert_array_equal(fine.peak, [NAN, 0.0, NAN])
    np.testing.assert_array_equal(fine.spilled, [NAN, 0.0, NAN])
    assert np.isnan(fine.throttles).all()


def test_an_idle_minute_that_turns_out_busy_has_unknown_arrivals_again() -> None:
    """The zero is concluded at each look, never stored."""
    record = reading(begun(NOW_S), Measure.WORK, 6.0, 0.0)
    record = reading(record, Measure.WORK, 6.0, 2.0)
    assert np.isnan(history(record, until=NOW_S - 120).fine.arrivals).all()


def test_a_partial_series_makes_the_history_incomplete() -> None:
    """Incomplete means that nothing may be lowered."""
    record = replace(reading(begun(NOW_S), Measure.WORK, 5.0), partial=frozenset({Measure.WORK}))
    assert not history(record, until=NOW_S).complete


def test_a_record_is_never_changed_by_what_comes_after() -> None:
    """A history handed out in one tick reads the same after the next."""
    record = reading(begun(NOW_S), Measure.WORK, 5.0, 6.0)
    before = history(record, until=NOW_S - 120)
    reading(record, Measure.WORK, 7.0, 8.0)
    np.testing.assert_array_equal(before.fine.work_s, [5.0, 6.0])


def test_nobody_can_write_into_a_history() -> None:
    """The weeks are shared with the record, so they are read-only."""
    record = seen_first(joined(begun(NOW_S), np.ones((len(LEARNED_FROM), 3))), NOW_S - COARSE_S)
    known = history(record, until=NOW_S)
    for shared in (known.coarse.work_s, known.minutes):
        with pytest.raises(ValueError, match="read-only"):
            shared[0] = 1.0


# --- folding ---------------------------------------------------------------------------------------------------------


def old_record(minutes: dict[Measure, np.ndarray]) -> Record:
    """A record whose minutes reach back 8 hours."""
    start = NOW_S - 8 * 3600
    fine = np.full((len(Measure), 8 * 60), NAN)
    for measure, values in minutes.items():
        fine[measure] = values
    return Record(fine_start=start, fine=fine, coarse=np.empty((len(LEARNED_FROM), 0)), first=start)


def test_minutes_fold_into_steps_once_an_hour_beyond_six_is_there() -> None:
    """8 hours of minutes become 2 hours of steps and 6 hours of minutes, without a hole between."""
    record = folded(old_record({Measure.WORK: np.ones(480)}), now_s=NOW_S)
    known = history(record, until=NOW_S)
    assert (len(known.coarse), len(known.fine)) == (24, 360)
    assert known.coarse.end == known.fine.start == NOW_S - FINE_S
    np.testing.assert_array_equal(known.coarse.work_s, np.full(24, 5.0))


def test_minutes_within_seven_hours_stay_minutes() -> None:
    """Folding goes by the hour, so that a tick in twelve does it."""
    record = old_record({Measure.WORK: np.ones(480)})
    young = replace(record, fine_start=record.fine_start + 3900, fine=record.fine[:, 65:])
    assert folded(young, now_s=NOW_S) is young


@given(st.lists(st.one_of(st.just(NAN), st.just(0.0), st.floats(0, 1e5)), min_size=120, max_size=120))
def test_folding_agrees_with_adding_up_minute_by_minute(first_hours: list[float]) -> None:
    """Oracle: sums add up, the peak is the highest, a step with an unknown minute is unknown."""
    values = np.concatenate([first_hours, np.zeros(360)])
    record = folded(
        old_record({Measure.WORK: values + 1, Measure.PEAK: values, Measure.THROTTLES: values}), now_s=NOW_S
    )
    for n in range(24):
        five = first_hours[5 * n : 5 * n + 5]
        unknown = any(np.isnan(five))
        assert record.coarse[Measure.THROTTLES, n] == pytest.approx(NAN if unknown else sum(five), nan_ok=True)
        assert record.coarse[Measure.PEAK, n] == pytest.approx(NAN if unknown else max(five), nan_ok=True)
        assert np.isnan(record.coarse[Measure.ARRIVALS, n])


def test_weeks_beyond_fourteen_days_are_let_go() -> None:
    """Folding keeps the coarse steps at 14 days, the oldest go."""
    weeks = np.tile(np.arange(COARSE_S // 300, dtype=float), (len(LEARNED_FROM), 1))
    record = replace(old_record({Measure.WORK: np.ones(480)}), coarse=weeks)
    coarse = folded(record, now_s=NOW_S).coarse
    assert coarse.shape[1] == COARSE_S // 300
    assert coarse[Measure.WORK, 0] == 24.0


def test_weeks_read_late_join_the_steps_that_were_folded_meanwhile() -> None:
    """The weeks of a target whose turn came after hours end where its own steps begin.

    Each minute of its own steps stands at their mean; in the weeks as many invocations were throttled as served.
    """
    record = folded(old_record({Measure.WORK: np.ones(480)}), now_s=NOW_S)
    start = record.coarse_start
    late = joined(record, np.full((len(LEARNED_FROM), 10), 2.0))
    assert late.coarse_start == start - 10 * 300
    np.testing.assert_allclose(late.coarse[Measure.WORK], [2.0] * 10 + [5.0] * 24)
    np.testing.assert_allclose(late.weeks, [4.0 / 300] * 50 + [5.0 / 300] * 120, rtol=1e-6)


def test_the_minutes_of_the_weeks_are_kept_for_half_an_hour_and_nothing_folds_meanwhile() -> None:
    """A target that waits for its turn to be learned has all of them, though an hour of its minutes could fold."""
    weeks = np.tile([5.0, 0.0, 0.0, 1.0], (12, 1)).T
    record = joined(old_record({Measure.WORK: np.ones(480)}), weeks)
    waiting = folded(record, now_s=NOW_S + LEARN_WITHIN_S - 1)
    assert waiting is record
    assert len(history(waiting, until=NOW_S).minutes) == 5 * len(history(waiting, until=NOW_S).coarse)
    over = folded(record, now_s=NOW_S + LEARN_WITHIN_S)
    assert len(over.coarse[0]) > len(record.coarse[0])
    assert len(history(over, until=NOW_S).minutes) == 0


def test_the_minutes_of_the_weeks_begin_where_history_does() -> None:
    """What is before the first datapoint is cut from the minutes as from the steps."""
    record = begun(NOW_S)
    work = np.arange(60.0)
    record = with_weeks(record, work, np.zeros((3, 12)), now_s=NOW_S)
    record = seen_first(record, record.coarse_start + 5 * 300 + 120)
    known = history(record, until=NOW_S)
    np.testing.assert_allclose(known.minutes, work[25:] / 60, rtol=1e-6)
    np.testing.assert_array_equal(known.coarse.work_s, work.reshape(12, 5).sum(axis=1)[5:])
    assert known.minutes.dtype == np.float32


def test_an_earlier_history_has_the_minutes_of_its_own_steps() -> None:
    """As it was known at some instant: the steps that had ended, and five minutes for each of them."""
    record = with_weeks(begun(NOW_S), np.arange(60.0), np.zeros((3, 12)), now_s=NOW_S)
    record = seen_first(record, record.coarse_start)
    earlier = history(record, until=NOW_S).until(record.coarse_start + 2 * 300 + 299)
    np.testing.assert_allclose(earlier.minutes, np.arange(10.0) / 60, rtol=1e-6)
    assert len(earlier.coarse) == 2


def test_without_a_history_there_are_no_minutes_of_it_either() -> None:
    """Two weeks without a datapoint: zeros that may be from before the alias existed."""
    record = with_weeks(begun(NOW_S), np.zeros(60), np.zeros((3, 12)), now_s=NOW_S)
    assert len(history(record, until=NOW_S).minutes) == 0


def test_a_minute_of_the_weeks_that_is_not_known_makes_its_step_a_gap() -> None:
    """As where minutes fold: the throttles of that step could belong to any of its minutes, so all five are gaps."""
    work = np.ones(15)
    work[7] = NAN
    record = with_weeks(begun(NOW_S), work, np.zeros((3, 3)), now_s=NOW_S)
    np.testing.assert_array_equal(record.coarse[Measure.WORK], [5.0, NAN, 5.0])
    np.testing.assert_array_equal(np.isnan(record.weeks), np.repeat([False, True, False], 5))


def test_a_targets_record_stays_small() -> None:
    """At most 150 KB of arrays: 14 days of steps and 6 hours of minutes; 80 KB more until it is learned."""
    weeks = np.ones((len(LEARNED_FROM), COARSE_S // 300))
    record = seen_first(joined(reading(begun(NOW_S), Measure.WORK, *[1.0] * 178), weeks), NOW_S - COARSE_S)
    assert record.coarse.nbytes + record.fine.nbytes < 150_000
    assert record.weeks.nbytes < 81_000
    learned = folded(record, now_s=NOW_S + LEARN_WITHIN_S)
    assert learned.weeks.nbytes == 0
