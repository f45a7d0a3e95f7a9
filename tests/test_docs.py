"""The README in step with the program: its worked example, its policy, its commands, its links."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from builders import policy
from scenarios.world import DURATION_S, MONDAY, World, office
from warmcast import cli
from warmcast.commands.backtest import COLUMNS, backtest
from warmcast.fleet import Home, load_fleet
from warmcast.model import Decision, Reason
from warmcast.simulate.verdict import NAMES, TOLD
from warmcast.staffing import need_seen, unit_of

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
API = "checkout-api:live"


@pytest.fixture(scope="module")
def monday() -> World:
    """The worked example: an office day with two weeks behind it, from five o'clock on."""
    return World({API: office()}, starts_with=4).run(MONDAY + timedelta(hours=5), MONDAY + timedelta(hours=17.6))


def decided(world: World, hours: float) -> Decision:
    """The decision at that time of the Monday."""
    return world.outcome(API, MONDAY + timedelta(hours=hours)).decision


def test_the_worked_example_is_what_happens(monday: World) -> None:
    """Every figure of the README's paragraph comes out of the brain."""
    up, down = decided(monday, 8.5), decided(monday, 17.5)
    assert up.demand is not None
    assert up.foreseen is not None
    first, second = up.drives[:2]
    shares = f"{first.share:.0%} of it the {first.family}, {second.share:.0%} the {second.family}"
    unit = unit_of(region="us-east-1", architecture="x86_64", memory_mb=1024)
    seen = need_seen(up.demand, up.demand / DURATION_S, policy(API).objective, peakedness=1.0, unit=unit)
    told = (
        f"show {up.demand:.1f} executions",
        f"the median is {up.foreseen[0]:.1f} and the 0.9 quantile {up.foreseen[1]:.1f}",
        f"priced at {up.price:.0f} units standing idle",
        f"Their mean is {up.wanted} units, {shares}",
        f"alone would need {seen.capacity}, the rules want at least {up.floor} and allow {up.ceiling}",
        f"{up.current} stand",
        f"`{up.current} -> {up.wanted}, {up.reason.value}`",
        f"would do with {down.limits[0].before}, but the last minutes' {down.demand:.1f} need {down.wanted}",
        f"`{down.current} -> {down.wanted}, {down.reason.value}`",
    )
    flowing = " ".join(README.split())
    assert [part for part in told if part not in flowing] == []
    assert (up.reason, down.reason) == (Reason.FORECAST, Reason.SEEN)


def test_the_readmes_policy_is_good(tmp_path: Path) -> None:
    """Whoever copies it gets no finding."""
    (block,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "checkout.yaml").write_text(block)
    fleet = load_fleet([tmp_path], home=Home("111122223333", "us-east-1"))
    assert fleet.findings == ()
    assert len(fleet.policies) == 1


def test_every_command_is_in_the_readme() -> None:
    """The table names each command, and none that is not there."""
    told = set(re.findall(r"^\| `warmcast (\w+)", README, re.MULTILINE))
    assert told == set(cli.warmcast.commands)


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))])
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link of a page names a file that is there."""
    path = ROOT / page
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_option_figure_and_column_of_a_backtest_is_told() -> None:
    """Its page has a row for each option and each figure, and names each column and each policy."""
    page = (ROOT / "docs" / "backtest.md").read_text()
    rows = set(re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE))
    options = {option.opts[0] for option in backtest.params}
    assert options == {row for row in rows if row.startswith("--")}
    assert set(TOLD) <= rows
    assert [word for word in (*COLUMNS, *NAMES) if f"`{word}`" not in page] == []
