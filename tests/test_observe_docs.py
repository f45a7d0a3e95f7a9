"""docs/reading.md says what the code does: the polling table, its cost, the periods of the sweep."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders import target
from warmcast.aws.metrics import Grid, batches
from warmcast.aws.wire import Pace
from warmcast.observe import Polling, Shares, Sweeping
from warmcast.observe.demand import WEEKS_PER_TICK
from warmcast.observe.history import COARSE_S, LEARNED_FROM, STEP_S, Measure
from warmcast.observe.polling import METRICS, usd_per_month, weeks_query

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


@pytest.mark.parametrize("targets", [50, 1000])
def test_the_documented_reading_of_the_weeks_is_the_one_in_force(targets: int) -> None:
    """Calls and datapoints of 14 days, and the ticks that they are spread over."""
    grid = Grid(0, COARSE_S, STEP_S)
    ticks = -(-targets // WEEKS_PER_TICK)
    queries = [weeks_query(target("checkout-api:live"), m) for _ in range(WEEKS_PER_TICK) for m in LEARNED_FROM]
    datapoints = ticks * sum(len(grid.of(query)) for query in queries)
    calls = ticks * len(batches(queries, grid))
    expected = [str(calls), f"{datapoints / 1e6:.2g} million", f"{datapoints / 396_000:.0f} s", str(ticks)]
    assert row(f"{targets:,}")[1:] == expected
    assert f"read for {WEEKS_PER_TICK} targets a tick" in PAGE


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
