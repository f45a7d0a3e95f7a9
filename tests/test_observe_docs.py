"""docs/reading.md says what the code does: the polling table, its cost, the periods of the sweep."""

from __future__ import annotations

from pathlib import Path

import pytest

from warmcast.aws.wire import Pace
from warmcast.observe import Polling, Shares, Sweeping
from warmcast.observe.history import Measure
from warmcast.observe.polling import METRICS, usd_per_month

ROOT = Path(__file__).parent.parent
TEMPLATE = (ROOT / "template.yaml").read_text()
PAGE = (ROOT / "docs" / "reading.md").read_text()


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
    assert f"may spend {sweeping.calls_per_tick} calls a tick" in PAGE


def test_the_documented_shares_of_a_ticks_time_are_the_ones_in_force() -> None:
    """Observing, and the reads before a write."""
    assert f"At most {Shares().observe} of it are for observing" in PAGE
    assert f"at most {Shares().reread} for the reads before a write" in PAGE


@pytest.mark.parametrize("rate_minutes", [1, 2, 5, 15])
def test_the_documented_number_of_changes_in_a_tick_is_the_one_computed(rate_minutes: int) -> None:
    """From the template's timeout for each rate, less the 10 seconds in which no write is begun."""
    line = next(line for line in TEMPLATE.splitlines() if line.strip().startswith(f'"{rate_minutes}": {{Expression'))
    seconds = int(line.partition("TimeoutSeconds: ")[2].partition(",")[0]) - 10
    targets = int(Shares().reread * seconds * Pace.CONTROL_PLANE_PER_S / 2)
    assert row(f"{rate_minutes} min")[1:] == [str(seconds), str(targets)]
