"""The demo's model of Application Auto Scaling's target tracking."""

from __future__ import annotations

from demo.tracking import TargetTracking


def run(tracking: TargetTracking, peaks: list[float], *, start: int, minimum: int = 1, maximum: int = 100) -> list[int]:
    """Capacity after each minute."""
    capacity, held = start, []
    for peak in peaks:
        capacity = tracking.step(peak=peak, capacity=capacity, minimum=minimum, maximum=maximum)
        held.append(capacity)
    return held


def test_it_scales_out_after_three_visible_minutes_above_the_target() -> None:
    """Two minutes' delay and three datapoints: the fifth minute of full use raises 10 to ceil(10 / 0.7) = 15."""
    assert run(TargetTracking(0.7), [10.0] * 5, start=10) == [10, 10, 10, 10, 15]


def test_one_quiet_minute_starts_the_count_again() -> None:
    """High, high, low, high, high is no three in a row."""
    assert run(TargetTracking(0.7, delay=0), [10.0, 10, 5, 10, 10], start=10) == [10] * 5


def test_it_scales_in_after_fifteen_quiet_minutes() -> None:
    """Fifteen datapoints at 20% of 10 units go to ceil(10 x 0.2 / 0.7) = 3, not before."""
    held = run(TargetTracking(0.7, delay=0), [2.0] * 15, start=10)
    assert held[:-1] == [10] * 14
    assert held[-1] == 3


def test_silence_scales_in_to_the_minimum_and_a_crowd_out_to_the_maximum() -> None:
    """The scalable target's bounds hold either way."""
    assert run(TargetTracking(0.7, delay=0), [0.0] * 15, start=10, minimum=4)[-1] == 4
    assert run(TargetTracking(0.7, delay=0), [90.0] * 3, start=90, maximum=100)[-1] == 100


def test_no_capacity_is_left_alone_until_somebody_sets_one() -> None:
    """Without an initial capacity there is no utilization to track."""
    assert run(TargetTracking(0.7, delay=0), [50.0] * 4, start=0) == [0, 0, 0, 0]
