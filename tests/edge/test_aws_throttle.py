"""The token bucket: who waits, how long, and who is turned away."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripted import StepClock
from warmcast.aws.throttle import SystemClock, TokenBucket


def test_a_full_bucket_gives_its_burst_at_once_and_then_its_rate() -> None:
    """Six takers of a bucket of 4 at 4 a second: four at once, then a quarter of a second each."""
    clock = StepClock()
    bucket = TokenBucket(4, 4, clock)
    given_at = []
    for _ in range(6):
        assert bucket.take()
        given_at.append(clock.monotonic())
    assert given_at == [0, 0, 0, 0, 0.25, 0.5]


def test_a_taker_that_may_not_wait_is_turned_away_and_takes_nothing() -> None:
    """Without waiting, an empty bucket says no, and the refusal costs the next taker nothing."""
    clock = StepClock()
    bucket = TokenBucket(1, 1, clock)
    assert bucket.take()
    assert not bucket.take(wait=False)
    clock.sleep(1)
    assert bucket.take(wait=False)


def test_patience_ends_the_waiting_before_it_begins() -> None:
    """A wait that would outlast the patience is refused at once, not slept through."""
    clock = StepClock()
    bucket = TokenBucket(1, 1, clock, patience_s=1)
    assert [bucket.take(), bucket.take(), bucket.take(2)] == [True, True, False]
    assert clock.slept == [1]


def test_the_rest_of_a_tick_bounds_every_wait() -> None:
    """With half a second left nobody waits a second; a new tick brings its own time."""
    clock = StepClock()
    bucket = TokenBucket(1, 1, clock)
    bucket.take()
    bucket.allow(0.5)
    assert not bucket.take()
    bucket.allow(5)
    assert bucket.take()


def test_a_dear_call_may_weigh_more_than_the_burst() -> None:
    """Three tokens from a bucket that saves one up: waited for, not refused for ever."""
    clock = StepClock()
    assert TokenBucket(1, 1, clock).take(3)
    assert clock.slept == [2]


@given(
    rate=st.floats(0.5, 50),
    burst=st.integers(1, 10),
    steps=st.lists(st.tuples(st.floats(0, 3), st.integers(1, 4)), max_size=40),
)
def test_no_stretch_of_time_gives_more_than_burst_and_rate(
    rate: float, burst: int, steps: list[tuple[float, int]]
) -> None:
    """Tokens given between any two instants never exceed burst + rate x time (but for one taker above the burst)."""
    clock = StepClock()
    bucket = TokenBucket(rate, burst, clock, patience_s=1e9)
    given: list[tuple[float, int]] = []
    for pause, n in steps:
        clock.sleep(pause)
        assert bucket.take(n)
        given.append((clock.monotonic(), n))
    for first in range(len(given)):
        taken = 0
        for last in range(first, len(given)):
            taken += given[last][1]
            stretch = given[last][0] - given[first][0]
            assert taken <= max(burst, given[first][1]) + rate * stretch + 1e-6


def test_threads_share_one_bucket_without_overdrawing_it() -> None:
    """Of twenty threads that may not wait, a bucket of five serves five."""
    bucket = TokenBucket(0.001, 5, SystemClock())
    served: list[bool] = []
    threads = [threading.Thread(target=lambda: served.append(bucket.take(wait=False))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(served) == 5


def test_the_system_clock_sleeps_and_knows_its_zone() -> None:
    """The clock of the entry points is aware, and its sleep passes real time."""
    clock = SystemClock()
    before = clock.monotonic()
    clock.sleep(0.01)
    assert clock.monotonic() - before == pytest.approx(0.01, abs=0.5)
    assert clock.monotonic() - before >= 0.01
    assert clock.now().tzinfo is not None
