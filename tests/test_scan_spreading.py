"""Executions longer than a step count in the steps in which they run, not all in the one in which they began."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from judging import STEP_S, function, steady, usage
from warmcast.prices import unit_prices
from warmcast.scan.figures import figures_of
from warmcast.scan.load import load_of

if TYPE_CHECKING:
    from warmcast.scan.found import Usage

PRICES = unit_prices("us-east-1", "x86_64")


def burst(duration_s: float, *, calls: float = 60.0, at: int = 2, steps: int = 10) -> Usage:
    """So many invocations in one step, and none in the others."""
    invocations = np.zeros(steps)
    invocations[at] = calls
    lasting = np.where(invocations > 0, duration_s, np.nan)
    return replace(usage(np.zeros(steps)), invocations=invocations, duration_s=lasting, of_function=calls)


@pytest.mark.parametrize(
    ("duration_s", "demand"),
    [
        (0.5, [0, 0, 0.1, 0, 0, 0, 0]),
        (300.0, [0, 0, 60, 0, 0, 0, 0]),
        (600.0, [0, 0, 30, 60, 30, 0, 0]),
        (900.0, [0, 0, 30, 60, 60, 30, 0]),
        (450.0, [0, 0, 30, 52.5, 7.5, 0, 0]),
    ],
)
def test_a_bursts_work_is_done_while_its_executions_run(duration_s: float, demand: list[float]) -> None:
    """60 calls in five minutes: half of them are there on average in their own step, all of them in the next."""
    assert burst(duration_s).demand[:7] == pytest.approx(demand)


def test_the_work_is_all_there() -> None:
    """Whatever the durations, nothing is lost or counted twice."""
    drawn = np.random.default_rng(7)
    calls, duration_s = drawn.uniform(0, 50, 100), drawn.uniform(1, 900, 100)
    calls[-4:] = 0.0
    used = replace(usage(np.zeros(100)), invocations=calls, duration_s=duration_s)

    assert used.demand.sum() * STEP_S == pytest.approx(float(calls @ duration_s))
    assert (used.demand >= 0).all()


def test_what_runs_past_the_end_is_left_out() -> None:
    """Of 900 s from the last step on, a sixth is done within it."""
    assert burst(900.0, at=9).demand.sum() == pytest.approx(30)
    assert burst(900.0, at=0, steps=1).demand == pytest.approx([30])


def test_steps_that_are_not_known_stay_so() -> None:
    """What ran on into one is not known there, and is seen again after it."""
    used = burst(900.0)
    used.invocations[3] = np.nan

    assert used.demand[:7] == pytest.approx([0, 0, 30, np.nan, 60, 30, 0], nan_ok=True)


def test_a_steady_load_is_the_same_whatever_the_duration() -> None:
    """20 executions of 15 minutes are in progress at any time, once the first of them have ended."""
    assert usage(steady(20, days=1), duration_s=900.0).demand[3:] == pytest.approx(20)


def test_units_serve_what_runs_on_without_a_new_call() -> None:
    """In the steps after the burst no request comes, and the executions are on the units all the same."""
    load = load_of(burst(900.0))

    assert load.served(200)[:7] == pytest.approx([0, 0, 30, 60, 60, 30, 0])
    assert load.served(np.full(10, 200))[:7] == pytest.approx([0, 0, 30, 60, 60, 30, 0])


def test_the_most_concurrent_is_the_measured_peak_where_there_is_one() -> None:
    """A step's work is a model; CloudWatch told 41, and where it told nothing the model stands in."""
    used = burst(450.0)
    told = replace(used, peak=np.where(used.invocations > 0, 41.0, np.nan))

    assert figures_of(function(), told, prices=PRICES).peak_demand == 41
    assert figures_of(function(), used, prices=PRICES).peak_demand == pytest.approx(52.5)
