"""Reading a demand trace: both forms, gaps, time stamps, and every rule with the line and the column that breaks it."""

from __future__ import annotations

import gzip
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmcast.errors import TraceError
from warmcast.simulate.reading import read_trace

if TYPE_CHECKING:
    from pathlib import Path

    from warmcast.simulate.trace import Trace

START = datetime(2014, 5, 14, 1, 10, tzinfo=UTC)


def read(folder: Path, text: str | bytes, *, name: str = "trace.csv", duration_ms: float = 500) -> Trace:
    """What a file of this text is read as."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_trace(path, duration_ms=duration_ms)


def refusal(folder: Path, text: str | bytes, *, name: str = "trace.csv") -> str:
    """Why a file of this text is refused, without its folder."""
    with pytest.raises(TraceError) as refused:
        read(folder, text, name=name)
    return str(refused.value).removeprefix(f"{folder}/")


# --- what is read ----------------------------------------------------------------------------------------------------


def test_concurrency_is_demand_and_arrivals_follow_from_the_duration(tmp_path: Path) -> None:
    """12.5 in progress at 500 ms each are 25 arrivals a second."""
    trace = read(tmp_path, "timestamp,concurrency\n2014-05-14T01:10Z,12.5\n2014-05-14T01:11Z,0\n")
    assert trace.start == int(START.timestamp())
    assert trace.demand.tolist() == [12.5, 0.0]
    assert trace.arrivals_per_s.tolist() == [25.0, 0.0]
    assert np.isnan(trace.peak).all()


def test_invocations_times_duration_are_demand(tmp_path: Path) -> None:
    """1,500 invocations of 250 ms in a minute are 25 a second and 6.25 in progress, whatever duration was assumed."""
    rows = "timestamp,invocations,duration_ms\n2014-05-14T01:10Z,1500,250\n"
    trace = read(tmp_path, rows, duration_ms=9_999)
    assert (trace.demand.tolist(), trace.arrivals_per_s.tolist()) == ([6.25], [25.0])


def test_a_minute_without_invocations_needs_no_duration(tmp_path: Path) -> None:
    """CloudWatch has no duration for it; it is an idle minute, no gap."""
    trace = read(tmp_path, "timestamp,invocations,duration_ms\n2014-05-14T01:10Z,0,\n2014-05-14T01:11Z,60,500\n")
    assert trace.demand.tolist() == [0.0, 0.5]


def test_the_peak_is_read_where_it_is_given(tmp_path: Path) -> None:
    """In any order of the columns; an empty cell is a peak that is not known."""
    rows = "peak,timestamp,concurrency\n19,2014-05-14T01:10Z,12.5\n,2014-05-14T01:11Z,3\n"
    peak = read(tmp_path, rows).peak
    assert peak[0] == 19
    assert np.isnan(peak[1])


def test_a_missing_row_is_a_gap(tmp_path: Path) -> None:
    """Not a zero, and not the row before again."""
    trace = read(tmp_path, "timestamp,concurrency\n2014-05-14T01:10Z,1\n2014-05-14T01:13Z,4\n")
    assert np.array_equal(trace.demand, [1, np.nan, np.nan, 4], equal_nan=True)
    assert np.array_equal(trace.arrivals_per_s, [2, np.nan, np.nan, 8], equal_nan=True)


@pytest.mark.parametrize(
    "stamp", ["2014-05-14T01:10Z", "2014-05-14T01:10:00Z", "2014-05-14T01:10+00:00", "2014-05-14T01:10:00.000+00:00"]
)
def test_seconds_are_optional_and_utc_has_two_spellings(tmp_path: Path, stamp: str) -> None:
    """What CloudWatch, pandas and people write."""
    assert read(tmp_path, f"timestamp,concurrency\n{stamp},1\n").start == int(START.timestamp())


def test_compressed_or_not_is_told_by_the_content(tmp_path: Path) -> None:
    """A download that was unpacked, or packed, on the way keeps its name."""
    text = b"timestamp,concurrency\n2014-05-14T01:10Z,1\n"
    for name, content in (("a.csv.gz", gzip.compress(text)), ("b.csv.gz", text), ("c.csv", gzip.compress(text))):
        assert read(tmp_path, content, name=name).demand.tolist() == [1.0]


def test_what_spreadsheets_add_is_no_trouble(tmp_path: Path) -> None:
    """A byte order mark, carriage returns, quotes, spaces and blank lines."""
    text = '\ufefftimestamp, concurrency\r\n"2014-05-14T01:10Z", 1\r\n\r\n2014-05-14T01:11Z,"2"\r\n\r\n'
    assert read(tmp_path, text).demand.tolist() == [1.0, 2.0]


@settings(max_examples=30, deadline=None)
@given(known=st.dictionaries(st.integers(0, 3000), st.floats(0, 1e6), min_size=1, max_size=30))
def test_every_value_lands_in_its_minute(tmp_path_factory: pytest.TempPathFactory, known: dict[int, float]) -> None:
    """Whatever rows are missing: as a naive loop puts them."""
    minutes = sorted(known)
    lines = [f"{START + timedelta(minutes=minute):%Y-%m-%dT%H:%MZ},{known[minute]!r}" for minute in minutes]
    trace = read(tmp_path_factory.mktemp("t"), "timestamp,concurrency\n" + "\n".join(lines))
    expected = [known.get(minute, np.nan) for minute in range(minutes[0], minutes[-1] + 1)]
    assert np.array_equal(trace.demand, expected, equal_nan=True)
    assert trace.start == int((START + timedelta(minutes=minutes[0])).timestamp())


def test_eight_weeks_of_minutes_are_read_within_a_second(tmp_path: Path) -> None:
    """80,000 rows of processor time; a fifth of a second on a laptop."""
    lines = [f"{START + timedelta(minutes=minute):%Y-%m-%dT%H:%MZ},{minute % 97}.5" for minute in range(80_000)]
    text = "timestamp,concurrency\n" + "\n".join(lines)
    began = time.process_time()
    assert len(read(tmp_path, text)) == 80_000
    assert time.process_time() - began < 1


# --- what is refused -------------------------------------------------------------------------------------------------

HEADER = "timestamp,concurrency\n"
FIRST = HEADER + "2014-05-14T01:10Z,1\n"
FORMS = "must be timestamp,concurrency or timestamp,invocations,duration_ms, peak or not, but is"
LATER = "must be later than that of the row before, but is"
MANY = "must be so many that at most 1,000,000 executions are in progress, but is"
MINUTE = "must be the start of a minute in UTC, such as 2014-05-14T01:10Z, but is"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", f"1: error: header: {FORMS} missing"),
        ("2014-05-14T01:10Z,1\n", f'1: error: header: {FORMS} "2014-05-14T01:10Z,1"'),
        ("timestamp,concurency\n", f'1: error: header: {FORMS} "timestamp,concurency"; did you mean concurrency?'),
        ("timestamp,host,concurrency\n", f'1: error: header: {FORMS} "timestamp,host,concurrency"; leave host out'),
        ("timestamp,invocations\n", f'1: error: header: {FORMS} "timestamp,invocations"'),
        ("timestamp,concurrency,concurrency\n", f'1: error: header: {FORMS} "timestamp,concurrency,concurrency"'),
        (HEADER, "1: error: file: must be a header and at least one row, but is a header alone"),
        (FIRST + "2014-05-14T01:11Z\n", "3: error: row: must be 2 cells, as the header has, but is 1 cells"),
        (FIRST + "2014-05-14T01:11Z,1,2\n", "3: error: row: must be 2 cells, as the header has, but is 3 cells"),
        (FIRST + "\n2014-05-14T01:11Z,x\n", '4: error: concurrency: must be a number from 0 to 1,000,000, but is "x"'),
        (
            FIRST + "2014-05-14T01:10Z,2\n",
            f'3: error: timestamp: {LATER} "2014-05-14T01:10Z", given twice',
        ),
        (
            FIRST + "2014-05-14T01:09Z,2\n",
            f'3: error: timestamp: {LATER} "2014-05-14T01:09Z", which is earlier',
        ),
        (
            FIRST + "2041-05-14T01:09Z,2\n",
            '3: error: timestamp: must be within 400 days of the first, but is "2041-05-14T01:09Z"',
        ),
        (
            "timestamp,invocations,duration_ms\n2014-05-14T01:10Z,1,\n",
            '2: error: duration_ms: must be given where there are invocations, but is ""',
        ),
        (
            "timestamp,invocations,duration_ms\n2014-05-14T01:10Z,1000000000,900000\n",
            f"2: error: invocations: {MANY} 15,000,000,000 in progress",
        ),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused_in_words(tmp_path: Path, text: str, told: str) -> None:
    """File, line, column, rule and value, in the form of the other findings."""
    assert refusal(tmp_path, text) == f"trace.csv:{told}"


@pytest.mark.parametrize("value", ["abc", "-1", "nan", "inf", "1e7", "1_000", "12;5", ""])
def test_only_a_sensible_number_is_a_concurrency(tmp_path: Path, value: str) -> None:
    """Words, negative, endless and absurd ones are refused; an empty cell too, with the way to say a gap."""
    told = refusal(tmp_path, FIRST + f"2014-05-14T01:11Z,{value}\n")
    hint = "" if value else "; where nothing was measured leave the row out"
    assert told == f'trace.csv:3: error: concurrency: must be a number from 0 to 1,000,000, but is "{value}"{hint}'


@pytest.mark.parametrize(
    "stamp",
    [
        "2014-05-14 01:10Z",
        "2014-05-14T01:10",
        "2014-05-14T01:10:30Z",
        "2014-05-14T01:10+02:00",
        "20140514T0110Z",
        "",
        "1",
    ],
)
def test_only_the_start_of_a_minute_in_utc_is_a_timestamp(tmp_path: Path, stamp: str) -> None:
    """A local time, or one without a zone, is not guessed at."""
    told = refusal(tmp_path, HEADER + f"{stamp},1\n")
    assert told == f'trace.csv:2: error: timestamp: {MINUTE} "{stamp}"'


def test_a_day_that_no_calendar_has_is_refused(tmp_path: Path) -> None:
    """The form is right, the date is not."""
    told = refusal(tmp_path, HEADER + "2014-02-30T01:10Z,1\n")
    assert told.startswith(f'trace.csv:2: error: timestamp: {MINUTE} "2014-02-30T01:10Z"; ')


def test_what_can_not_be_read_is_said_so(tmp_path: Path) -> None:
    """A missing file, a folder, half a download, and what is no text."""
    packed = gzip.compress(b"timestamp,concurrency\n" + bytes(1000))
    assert "trace.csv: can't be read: " in refusal(tmp_path, packed[:30])
    assert refusal(tmp_path, b"\xff\xfe\x00t").startswith("trace.csv: can't be read: it is not text in UTF-8")
    for path in (tmp_path / "nowhere.csv", tmp_path):
        with pytest.raises(TraceError, match="can't be read"):
            read_trace(path, duration_ms=500)
