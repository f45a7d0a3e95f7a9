"""docs/reading.md says what the code does: the polling table, its cost, the periods of the sweep."""

from __future__ import annotations

from pathlib import Path

import pytest

from warmcast.observe import Polling, Sweeping
from warmcast.observe.history import Measure
from warmcast.observe.polling import METRICS, usd_per_month

PAGE = (Path(__file__).parent.parent / "docs" / "reading.md").read_text()


def row(first: str) -> list[str]:
    """The cells of the table row that begins with these words."""
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def minutes(n: int | None) -> str:
    """A number of minutes as the page writes it."""
    if n is None:
        return ""
    return f"{n} min" if n else "every tick"


@pytest.mark.parametrize("measure", list(Measure))
def test_the_documented_polling_table_is_the_one_in_force(measure: Measure) -> None:
    """Metric, statistic and the three cadences of each series."""
    cadence, metric = Polling().cadence(measure), METRICS[measure]
    expected = [f"{metric.name}, {metric.statistic}", *map(minutes, (cadence.busy, cadence.quiet, cadence.sooner))]
    assert row(measure.name.lower())[1:] == expected


@pytest.mark.parametrize(
    ("first", "busy_share", "environments_per_day"),
    [
        ("works all day", 1.0, 0.0),
        ("rests all day", 0.0, 0.0),
        ("works 60 % of the time", 0.6, 0.0),
        ("the same, with three new environments a day (9 reads each)", 0.6, 3.0),
    ],
)
def test_the_documented_cost_is_the_one_computed(first: str, busy_share: float, environments_per_day: float) -> None:
    """Dollars per target and month, to a tenth of a cent."""
    usd = usd_per_month(Polling(), busy_share=busy_share, environments_per_day=environments_per_day)
    assert row(first)[-1] == f"${usd:.3f}"


def test_the_documented_periods_are_the_ones_in_force() -> None:
    """Hours within which all of the fleet is read once, and the calls that a tick may spend."""
    sweeping = Sweeping()
    hours = {
        "capacity of all of a function's aliases": sweeping.capacity,
        "version and routing weights": sweeping.alias,
        "the account's limits": sweeping.account,
        "registrations": sweeping.scalable,
    }
    for first, period in hours.items():
        count = int(period.total_seconds() // 3600)
        assert row(first)[-1] == f"{count} hour{'s' if count > 1 else ''}"
    assert f"A tick may spend {sweeping.calls_per_tick}" in PAGE
