"""What a backtest says: its conclusion, its notes, and whether a longer keepalive changes a ranking."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from builders import policy
from traces import MONDAY, minutes, noise, office
from warmcast.simulate.compare import Comparison, compare
from warmcast.simulate.trace import Trace
from warmcast.simulate.verdict import conclusion, keepalive_changes, notes
from warmcast.simulate.world import World, starting_capacity


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """Two hours of an office service after two days of history."""
    at = minutes(MONDAY, 50 / 24)
    demand = office(at, ZoneInfo("UTC")) * noise(len(at), 0.1)
    trace = Trace(int(at[0]), demand, demand / 0.5, np.full(len(at), np.nan))
    return compare(policy(low=1), trace, start=trace.start + 2 * 86_400, world=World())


def with_keepalive(comparison: Comparison, **colds: tuple[float, float, float]) -> Comparison:
    """The same with these cold starts at keepalives of 10, 5 and 45 minutes, and none else."""
    lines = {
        name: replace(
            comparison.lines[name],
            score=replace(
                comparison.lines[name].score, keepalive=MappingProxyType(dict(zip((10, 5, 45), band, strict=True)))
            ),
        )
        for name, band in colds.items()
    }
    return replace(comparison, lines=lines)


def test_a_keepalive_that_changes_a_ranking_is_told(comparison: Comparison) -> None:
    """Warmcast has fewer cold starts than the table at 10 and 5 minutes, more at 45."""
    told = keepalive_changes(with_keepalive(comparison, warmcast=(1, 2, 0.5), cron_table=(2, 4, 0.2)))
    assert told == (
        "Who has fewer cold starts hangs on how long idle environments stay warm, which AWS does not state"
        " (10 minutes assumed): at 45 a cron table has fewer than Warmcast."
    )


def test_a_keepalive_that_changes_no_ranking_is_not_told(comparison: Comparison) -> None:
    """Nor do those count that are too close to be told apart."""
    assert keepalive_changes(with_keepalive(comparison, warmcast=(1, 2, 0.5), cron_table=(2, 4, 1))) == ""
    assert keepalive_changes(with_keepalive(comparison, warmcast=(1, 2, 1.0), cron_table=(1.01, 4, 0.2))) == ""


def test_a_policy_that_buys_nothing_says_so(comparison: Comparison) -> None:
    """No percentages of nothing."""
    none = comparison.lines["none"]
    idle = replace(comparison, lines={**comparison.lines, "warmcast": none})
    assert conclusion(idle) == (
        "Over 2 hours Warmcast buys no provisioned concurrency here: bill and cold starts are those of doing without."
    )


@pytest.mark.parametrize(
    ("ours", "tracked", "told"),
    [
        (82.0, 100.0, "$82.00 of allocation, 18.0% under that of target tracking at 70%"),
        (103.0, 100.0, "$103.00 of allocation, 3.0% above that of"),
        (2500.0, 1000.0, "$2,500.00 of allocation, 2.5 times that of"),
        (100.02, 100.0, "$100.02 of allocation, equal to that of"),
        (5.0, 0.0, "$5.00 of allocation, $5.00 above that of"),
    ],
)
def test_the_conclusion_compares_in_words(comparison: Comparison, ours: float, tracked: float, told: str) -> None:
    """A share where it is one, a multiple where a share would read badly."""
    lines = dict(comparison.lines)
    for name, usd in (("warmcast", ours), ("target_tracking", tracked)):
        lines[name] = replace(lines[name], score=replace(lines[name].score, allocation_usd=usd))
    assert told in conclusion(replace(comparison, lines=lines))


def test_short_history_sparse_traffic_and_dear_regions_are_told(comparison: Comparison) -> None:
    """Each is a reason to read the figures with care."""
    calm = replace(comparison.scored, demand=np.full(len(comparison.scored), 0.2))
    told = " ".join(notes(replace(comparison, scored=calm, world=World(region="eu-central-1"))))
    assert "Only 2 days of history" in told
    assert "The traffic is sparse: 0.2 executions" in told
    assert "In eu-central-1 provisioned concurrency never costs less" in told


def test_prices_that_are_not_known_are_told(comparison: Comparison) -> None:
    """They are those of us-east-1, and flagged."""
    assert "Some prices of xx-new-1 and x86_64 are not known" in " ".join(
        notes(replace(comparison, world=World(region="xx-new-1")))
    )


def test_every_line_starts_with_the_need_of_the_first_minute(comparison: Comparison) -> None:
    """READY falls at once, so a policy that asks for less has less; nobody has more."""
    begins = starting_capacity(comparison.scored, comparison.world)
    assert all(line.ready[0] == min(begins, line.requested[0]) for line in comparison.lines.values())
