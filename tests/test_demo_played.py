"""The demo's figures: the bill, the table, the picture."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from rich.console import Console

from demo.bill import Request, billed_unit_s
from demo.picture import Caption, draw_picture
from demo.played import PlayedDay
from demo.table import day_table, hours_table
from warmcast.model import Actuator, Mode

if TYPE_CHECKING:
    from pathlib import Path

MINUTE = 60


def test_each_unit_is_billed_to_the_next_five_minutes() -> None:
    """2 units for 20 minutes and one more from 00:06 to 00:13, 7 rounded up to 10: 2 x 20 + 10 unit-minutes."""
    requests = [Request(0, 2), Request(6 * MINUTE, 3), Request(13 * MINUTE, 2)]
    assert billed_unit_s(requests, 20 * MINUTE) == (2 * 20 + 10) * MINUTE


def test_the_last_in_is_the_first_out() -> None:
    """5 from 0, 9 from 10, 6 from 12, 0 from 21 min: 3 of the 4 youngest end after 2, the others after 11 and 21."""
    requests = [Request(0, 5), Request(10 * MINUTE, 9), Request(12 * MINUTE, 6), Request(21 * MINUTE, 0)]
    assert billed_unit_s(requests, 60 * MINUTE) == (3 * 5 + 1 * 15 + 5 * 25) * MINUTE


def test_flapping_faster_than_five_minutes_pays_each_time() -> None:
    """A unit added and dropped twice within five minutes costs twice five minutes."""
    requests = [Request(minute * MINUTE, minute % 2) for minute in range(1, 5)]
    assert billed_unit_s(requests, 10 * MINUTE) == 2 * 5 * MINUTE


def test_nothing_requested_costs_nothing() -> None:
    """No request, or requests of zero, are free."""
    assert billed_unit_s([], 600) == 0
    assert billed_unit_s([Request(0, 0)], 600) == 0


def played(*, mode: Mode = Mode.APPLY, actuator: Actuator = Actuator.DIRECT, name: str = "shop:live") -> PlayedDay:
    """An hour at demand 2, then one at demand 8; capacity 4, then 12, requested 5 minutes before it is READY."""
    early = np.arange(120) < 60
    requested = np.where(np.arange(120) < 55, 4, 12)
    return PlayedDay(
        name=name,
        title="a shop",
        mode=mode,
        actuator=actuator,
        policy="spillover 1%",
        start=0,
        demand=np.where(early, 2.0, 8.0),
        arrivals=np.where(early, 100.0, 300.0),
        ready=np.where(early, 4, 12),
        requested=requested,
        wanted=requested + (0 if mode is Mode.APPLY else 3),
        floor=np.zeros(120, dtype=np.int64),
        spilled=np.where(early, 1.0, 0.0),
        static=15,
        static_spilled=np.zeros(120),
        usd_per_unit_hour=0.015,
    )


def test_the_days_figures_are_spelled_out() -> None:
    """4 units for 2 h and 8 for 65 min at $0.015; static 15 for 2 h; 60 of 24,000 calls spilled."""
    day = played()
    assert day.usd == pytest.approx((4 * 2 + 8 * 65 / 60) * 0.015)
    assert day.static_usd == pytest.approx(15 * 2 * 0.015)
    assert day.saved == pytest.approx(1 - (8 + 8 * 65 / 60) / 30)
    assert day.spillover == pytest.approx(60 / (60 * 100 + 60 * 300))
    assert day.static_spillover == 0
    assert day.changes == 1


def test_what_was_wanted_is_shown_where_it_is_not_the_capacity() -> None:
    """A mode that withholds, or an actuator that sets a minimum: else wanted and capacity are one."""
    assert not played().wanted_apart
    assert played(mode=Mode.OBSERVE).wanted_apart
    assert played(actuator=Actuator.AUTOSCALING).wanted_apart


def test_the_table_fits_a_terminal_and_tells_each_figure() -> None:
    """In 80 columns, per target: demand, capacity range, spillover, changes, cost, static peak; then the sum."""
    out = StringIO()
    Console(file=out, width=80).print(day_table([played(), played(name="pay:live")], title="Monday"))
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert lines[2] == ["shop:live", "5.0", "mean", "4", "-", "12", "0.25%", "1", "0.25", "44%"]
    assert lines[3] == ["spillover", "1%", "8.0", "peak", "static", "15", "0.00%", "0.45"]
    assert lines[6] == ["all", "2", "0.50", "44%"]
    assert lines[7] == ["static", "0.90"]


def test_the_shape_of_the_day_fits_one_line() -> None:
    """Demand 2 then 8 and capacity 4 then 12, by the hour on one scale of eight blocks up to 12."""
    out = StringIO()
    Console(file=out, width=80).print(hours_table([played()]))
    assert out.getvalue().splitlines()[1].split() == ["shop:live", "▂▆", "▃█"]


@pytest.mark.parametrize("count", [1, 3])
def test_the_picture_is_drawn_for_any_number_of_targets(tmp_path: Path, count: int) -> None:
    """One panel or several, with gaps in the demand, give a PNG that names what it shows."""
    days = [played(mode=mode) for mode in (Mode.APPLY, Mode.OBSERVE, Mode.RAISE_ONLY)][:count]
    days[0].demand[10:20] = np.nan
    path = tmp_path / "day.png"
    draw_picture(days, Caption("One day", "costs $1 and $2", ("traffic from there", "prices as of then")), path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 10_000
