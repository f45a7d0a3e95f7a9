"""The demo's traffic: drawn from measured profiles, or cut from traces."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from demo.profiles import draw_all, draw_traffic, read_profiles, weekly_shape
from demo.traces import (
    Trace,
    choose_diverse,
    choose_weekday,
    cut,
    day_for,
    read_folder,
    read_trace,
)
from demo.traffic import DAY_MINUTES, InputError, Traffic, draw_load

PROFILES = Path(__file__).parent / "data" / "profiles.csv"
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
SUNDAY_S = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())


def test_drawn_hours_have_the_measured_mean() -> None:
    """Over each hour of the week, the shape's mean is the profile's."""
    for profile in read_profiles(PROFILES).values():
        hours = weekly_shape(profile).reshape(168, 60).mean(axis=1)
        np.testing.assert_allclose(hours, profile.mean, rtol=1e-9)


def test_drawn_minutes_vary_and_persist_as_measured() -> None:
    """Variation, autocorrelation and first-minute share of two drawn weeks are near the measured ones."""
    for profile in read_profiles(PROFILES).values():
        traffic = draw_traffic(profile, day=MONDAY, past_days=14, rng=np.random.default_rng(1))
        hours = traffic.demand[: traffic.past].reshape(-1, 60)
        around = (hours - hours.mean(axis=1, keepdims=True)).ravel()
        variation = float(np.mean(hours.std(axis=1) / hours.mean(axis=1)))
        assert variation == pytest.approx(profile.variation.mean(), rel=0.35)
        assert np.corrcoef(around[1:], around[:-1])[0, 1] == pytest.approx(profile.autocorrelation, abs=0.12)
        assert np.mean(hours[:, 0] / hours.sum(axis=1)) == pytest.approx(profile.first_minute_share, rel=0.1)


def test_a_drawn_monday_morning_is_the_profiles_monday_morning() -> None:
    """The played day has the weekday of its date: 08:00 on a Monday is that hour of the profile."""
    taxi = read_profiles(PROFILES)["nyc-taxi"]
    traffic = draw_traffic(taxi, day=MONDAY, past_days=14, rng=np.random.default_rng(2))
    morning = traffic.demand[traffic.past + 8 * 60 : traffic.past + 9 * 60]
    assert int(traffic.at[traffic.past]) == int(MONDAY.timestamp())
    assert morning.mean() == pytest.approx(taxi.mean[8], rel=0.1)


def test_the_same_seed_draws_the_same_traffic_whoever_else_is_drawn() -> None:
    """One profile's traffic depends on the seed and its own name alone."""
    profiles = read_profiles(PROFILES)
    alone = draw_all(profiles, ("elb-requests",), day=MONDAY, past_days=1, seed=5)
    among = draw_all(profiles, ("asg-cpu", "elb-requests"), day=MONDAY, past_days=1, seed=5)
    other = draw_all(profiles, ("elb-requests",), day=MONDAY, past_days=1, seed=6)
    np.testing.assert_array_equal(alone["elb-requests"].demand, among["elb-requests"].demand)
    assert not np.array_equal(alone["elb-requests"].demand, other["elb-requests"].demand)


def test_an_unknown_profile_is_named() -> None:
    """Asking for a profile that is not there says which, and which there are."""
    with pytest.raises(InputError, match="no such profile: nobody; there are: asg-cpu"):
        draw_all(read_profiles(PROFILES), ("nobody",), day=MONDAY, past_days=1, seed=1)


def test_calls_carry_the_demand_they_were_drawn_for() -> None:
    """Arrivals / 60 x duration is the demand again, but for rounding and the spread of durations; gaps stay gaps."""
    demand = np.full(4 * DAY_MINUTES, 6.0)
    demand[7] = np.nan
    demand[8] = 0.0
    load = draw_load(demand, 0.5, np.random.default_rng(3))
    assert np.nanmean(load.demand) == pytest.approx(6.0, rel=0.01)
    assert np.nanmax(load.arrivals) == 720
    assert np.isnan(load.arrivals[7])
    assert np.isnan(load.peak[7])
    assert load.arrivals[8] == 0
    assert load.peak[8] == 0
    assert load.demand[8] == 0
    assert np.nanmean(load.peak) > 6.0 + np.sqrt(6.0)


def write(folder: Path, name: str, *rows: str, header: str = "timestamp,concurrency") -> Path:
    """A trace file of these rows, compressed if its name says so."""
    text = "\n".join([header, *rows]) + "\n"
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def test_a_missing_row_is_a_gap(tmp_path: Path) -> None:
    """Minutes without a row are NaN, with or without seconds in the stamps and compression of the file."""
    plain = write(tmp_path, "a.csv", "2014-05-14T01:10Z,3", "2014-05-14T01:12Z,4.5")
    packed = write(tmp_path, "b.csv.gz", "2014-05-14T01:10:00Z,3", "2014-05-14T01:12:00Z,4.5")
    for path, name in ((plain, "a"), (packed, "b")):
        trace = read_trace(path)
        assert trace is not None
        assert trace.name == name
        assert trace.start == int(datetime(2014, 5, 14, 1, 10, tzinfo=UTC).timestamp())
        np.testing.assert_array_equal(trace.demand, [3.0, np.nan, 4.5])


def test_files_of_other_columns_are_passed_over(tmp_path: Path) -> None:
    """A folder may hold other tables too: only those with the columns of a trace are read."""
    write(tmp_path, "profiles.csv", "x,1", header="trace,weekday")
    write(tmp_path, "real.csv", "2014-05-14T01:10Z,3")
    assert [trace.name for trace in read_folder(tmp_path)] == ["real"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["2014-05-14T01:10Z,3", "2014-05-14T01:11Z,three"], "line 3: '2014-05-14T01:11Z,three' is not"),
        (["2014-05-14T01:10,3"], "line 2: '2014-05-14T01:10,3' is not"),
        (["yesterday,3"], "line 2: 'yesterday,3' is not"),
        (["2014-05-14T01:10Z"], "line 2: '2014-05-14T01:10Z': concurrency must be a number, 0 or more"),
        (["2014-05-14T01:10Z,3", "2014-05-14T01:11Z,-1"], "line 3: .* must be a number, 0 or more"),
        (["2014-05-14T01:10Z,inf"], "line 2: .* must be a number, 0 or more"),
        (["2014-05-14T01:10Z,3", "2014-05-14T01:10Z,4"], "line 3: .* is not later than the row before"),
        ([], "line 2: no row after the header"),
    ],
)
def test_a_malformed_row_is_named_by_file_and_line(tmp_path: Path, rows: list[str], message: str) -> None:
    """Whatever is wrong with a trace, the error says in which file and line, and what was expected."""
    path = write(tmp_path, "bad.csv", *rows)
    with pytest.raises(InputError, match=message) as caught:
        read_trace(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_file_that_is_not_compressed_after_all_is_named(tmp_path: Path) -> None:
    """A broken archive is the user's to mend, not a traceback."""
    path = tmp_path / "torn.csv.gz"
    path.write_bytes(b"timestamp,concurrency\n")
    with pytest.raises(InputError, match="can't be read"):
        read_trace(path)


def test_a_missing_or_empty_folder_says_what_was_looked_for(tmp_path: Path) -> None:
    """No folder, or none of the format in it, are two different messages."""
    with pytest.raises(InputError, match="no such folder"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no file <name>"):
        read_folder(tmp_path)


def trace_of(days: int, *, name: str = "t", level: float = 5.0) -> Trace:
    """A trace that starts on Sunday 2026-03-01 and whose demand tells the day: level + number of the day."""
    return Trace(name, SUNDAY_S, np.repeat(level + np.arange(float(days)), DAY_MINUTES))


def test_the_day_played_keeps_its_weekday_and_its_past() -> None:
    """Of 17 days from a Sunday on, the last Monday (the 16th day) is played, the 14 days before are its past."""
    trace = trace_of(17)
    traffic = cut(trace, day=datetime(2031, 6, 2, tzinfo=UTC))
    assert traffic is not None
    assert traffic.past == 14 * DAY_MINUTES
    assert traffic.demand[traffic.past] == 5.0 + 15
    assert int(traffic.at[traffic.past]) == int(datetime(2031, 6, 2, tzinfo=UTC).timestamp())


def test_traces_too_short_for_a_week_of_history_are_not_played() -> None:
    """Less than seven days before the day is no traffic at all, nor is a trace without any demand."""
    assert cut(trace_of(8), day=MONDAY) is None
    assert cut(Trace("idle", SUNDAY_S, np.zeros(20 * DAY_MINUTES)), day=MONDAY) is None
    with pytest.raises(InputError, match="no trace has a whole day"):
        choose_weekday([trace_of(6)])


def test_the_weekday_is_one_that_most_traces_can_play() -> None:
    """Eight days from Sunday can only play a Sunday; 9 can play Sunday or Monday; a working day wins a tie."""
    assert choose_weekday([trace_of(8)]) == 6
    assert choose_weekday([trace_of(9)]) == 0
    assert choose_weekday([trace_of(8), trace_of(8), trace_of(9)]) == 6


def test_the_played_date_is_the_next_of_that_weekday() -> None:
    """The first midnight of the weekday at or after the given instant."""
    assert day_for(0, not_before=MONDAY) == MONDAY
    assert day_for(2, not_before=MONDAY) == datetime(2026, 3, 4, tzinfo=UTC)
    assert day_for(0, not_before=datetime(2026, 3, 2, 0, 1, tzinfo=UTC)) == datetime(2026, 3, 9, tzinfo=UTC)


def steady(name: str, level: float, swing: float) -> Traffic:
    """A day that swings around a level."""
    hours = np.sin(np.arange(DAY_MINUTES) / DAY_MINUTES * 2 * np.pi)
    return Traffic(name, SUNDAY_S, level * (1 + swing * hours), 0)


def test_the_chosen_are_diverse_and_busy() -> None:
    """The largest swing comes first; its twin and what is idle give way to other characters."""
    swing, twin = steady("swing", 20, 0.9), steady("twin", 20.1, 0.89)
    flat, large, idle = steady("flat", 20, 0.0), steady("large", 900, 0.5), steady("idle", 0.1, 0.9)
    assert choose_diverse([swing, twin, flat, large, idle], 3) == [swing, flat, large]
    assert choose_diverse([swing, idle], 3) == [swing, idle]
