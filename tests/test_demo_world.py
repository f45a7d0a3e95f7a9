"""The demo's world and its cast: what spills, what one would set by hand, which policies there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from demo.targets import DRAWN, DRAWN_FLEET, parts_for, write_trace_fleet
from demo.traffic import Load, Traffic
from demo.world import draw_spilled, first_need, spillover, static_peak
from warmcast.fleet import Home, load_fleet
from warmcast.model import Mode
from warmcast.staffing import unit_of

if TYPE_CHECKING:
    from pathlib import Path

HOME = Home(account="123456789012", region="us-east-1")
UNIT = unit_of(region="us-east-1", architecture="x86_64", memory_mb=1024)


def test_what_spills_is_erlangs_share() -> None:
    """10 units at a demand of 10 lose 21.46% (Erlang's tables), an idle minute loses nothing, no units lose all."""
    shares = spillover(10, np.array([10.0, 0.0]), np.array([600.0, 0.0]))
    assert shares[0] == pytest.approx(0.2146, abs=1e-4)
    assert shares[1] == 0
    assert spillover(0, np.array([3.0]), np.array([60.0]))[0] == 1


def test_ten_requests_a_second_per_unit_are_a_limit_of_their_own() -> None:
    """5 units serve 50 of 80 requests a second, however short: 37.5% spill."""
    assert spillover(5, np.array([0.08]), np.array([80.0 * 60]))[0] == pytest.approx(30 / 80)


def test_spilled_calls_are_whole_and_add_up_to_the_share() -> None:
    """Over many minutes the drawn calls are the share of all; a gap and an idle minute spill what they have."""
    rng = np.random.default_rng(1)
    drawn = [draw_spilled(10, 10.0, 600.0, rng) for _ in range(500)]
    assert all(value.is_integer() for value in drawn)
    assert sum(drawn) / (500 * 600) == pytest.approx(0.2146, rel=0.02)
    assert draw_spilled(10, 0.0, 0.0, rng) == 0
    assert np.isnan(draw_spilled(10, 0.0, np.nan, rng))


def test_static_peak_serves_the_highest_minute_of_the_past_alone() -> None:
    """18 units keep a demand of 10 within 1% (Erlang's tables); a higher minute after the past does not count."""
    arrivals = np.array([60.0, 600.0, np.nan, 6000.0])
    load = Load(arrivals=arrivals, duration_s=np.ones(4), peak=arrivals / 60)
    assert static_peak(load, 3, unit=UNIT) == 18
    assert first_need(load, 1, unit=UNIT) == 18
    assert first_need(load, 2, unit=UNIT) == 1


def test_the_drawn_fleet_is_valid_and_covers_every_part() -> None:
    """No finding, a policy for each part, at least one in each mode, and one by Application Auto Scaling."""
    fleet = load_fleet([DRAWN_FLEET], home=HOME)
    assert fleet.findings == ()
    assert {str(target) for target in fleet.policies} == {part.name for part in DRAWN}
    assert {policy.mode for policy in fleet.policies.values()} == set(Mode)
    assert [str(t) for t, p in fleet.policies.items() if p.actuator == "autoscaling"] == ["event-ingest:live"]


def test_a_fleet_written_for_traces_is_valid(tmp_path: Path) -> None:
    """Ten traces get policies of all the kinds, each below its ceiling, and no finding."""
    parts = parts_for([Traffic(f"trace-{n}", 0, np.zeros(1), 0) for n in range(10)])
    write_trace_fleet(parts, [50] * 10, tmp_path / "fleet")
    fleet = load_fleet([tmp_path / "fleet"], home=HOME)
    assert fleet.findings == ()
    assert {str(target) for target in fleet.policies} == {part.name for part in parts}
    assert {policy.mode for policy in fleet.policies.values()} == set(Mode)
    assert {policy.capacity.max for policy in fleet.policies.values()} == {50}


def test_function_names_are_lambdas_and_no_two_the_same() -> None:
    """What a file may be called, a function may not: other characters become hyphens, twins are numbered."""
    parts = parts_for([Traffic(name, 0, np.zeros(1), 0) for name in ("a.b c", "a-b-c", "ä", "x" * 80)])
    assert [part.function for part in parts] == ["a-b-c", "a-b-c-again-1", "-", "x" * 52]
