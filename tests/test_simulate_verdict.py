"""What a backtest says: its conclusion, its notes, and whether a longer keepalive changes a ranking."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from builders import policy
from traces import MONDAY, minutes, noise, office
from warmcast.simulate.actual import Actual
from warmcast.simulate.compare import Comparison, compare
from warmcast.simulate.trace import Trace
from warmcast.simulate.verdict import conclusion, keepalive_changes, notes, summary
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


# --- what was actually run -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def beside_actual() -> Comparison:
    """The same two hours, of which eight units stood through the first and twelve through the second, half guessed."""
    at = minutes(MONDAY, 50 / 24)
    demand = office(at, ZoneInfo("UTC")) * noise(len(at), 0.1)
    trace = Trace(int(at[0]), demand, demand / 0.5, np.full(len(at), np.nan))
    ran = Actual(
        capacity=np.repeat([8, 12], 60),
        certain=np.arange(120) % 2 == 0,
        invocations=np.full(120, 500.0),
        spilled=np.full(120, 50.0),
    )
    start = trace.start + 2 * 86_400
    return compare(policy(low=1), trace, start=start, world=World(), actual=ran, remarks=("Made up.",))


def test_what_was_actually_run_comes_first(beside_actual: Comparison, comparison: Comparison) -> None:
    """Before Warmcast, and nobody else's line is any other for it."""
    assert list(beside_actual.lines) == ["actual", *comparison.lines]
    for name, line in comparison.lines.items():
        assert beside_actual.lines[name].score == line.score
    assert "actual" not in summary(comparison)
    assert next(iter(summary(beside_actual)["policies"])) == "actual"  # type: ignore[call-overload] # a JSON object


def test_what_was_actually_run_starts_with_what_stood_then(beside_actual: Comparison) -> None:
    """It was READY before the first minute, and only its rise has to wait and to be initialised."""
    line = beside_actual.lines["actual"]
    assert line.ready.tolist() == [8] * 62 + [12] * 58
    billed = (8 * 120 + 4 * 60) * 60 * World().prices.allocation_usd_per_gb_s
    assert line.score.allocation_usd == pytest.approx(billed)


def test_what_was_actually_run_is_told_in_usd_and_cold_starts(beside_actual: Comparison) -> None:
    """Its bill, its spillover, its cold starts, and Warmcast's beside them."""
    ran, ours = (beside_actual.lines[name].score for name in ("actual", "warmcast"))
    told = conclusion(beside_actual)
    assert told.startswith(
        f"What was actually run cost ${ran.total_usd:,.2f}, ${ran.allocation_usd:,.2f} of it for allocation, spilled"
        f" {ran.spillover:.2%} and had {ran.cold_starts_per_10k:.2f} cold starts per 10,000; Warmcast's bill is "
    )
    assert f"with {ours.cold_starts_per_10k:.2f}. Over 2 hours Warmcast spills" in told


def test_guesses_and_the_audit_are_noted(beside_actual: Comparison) -> None:
    """After what the source remarks; the summary has the numbers."""
    remark, guessed, audited = notes(beside_actual)[:3]
    assert remark == "Made up."
    assert guessed.startswith("Of what was actually run 50% of the minutes had to be guessed")
    assert audited.startswith("CloudWatch measured a spillover of 10.00% of the invocations of what was actually run")
    told = summary(beside_actual)["actual"]
    assert isinstance(told, dict)
    assert (told["provisioned"], told["guessed_share"], told["spillover_minutes"]) == (True, 0.5, 120)
    assert told["spillover_measured"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("units", "share", "lesson"),
    [
        (12, 0.1, ": the traffic is burstier than it reckons with, so all its spillovers are too low (--peakedness)."),
        (2, 0.0, ": all its spillovers are rather too high here."),
        (2, 0.6, "minutes."),
    ],
)
def test_a_model_that_is_well_off_is_told(beside_actual: Comparison, units: int, share: float, lesson: str) -> None:
    """In which direction; a model that is about right (two units for four executions spill 60%) earns no comment."""
    ran, line = beside_actual.actual, beside_actual.lines["actual"]
    assert ran is not None
    stood = replace(line, ready=np.full(120, units))
    measured = replace(ran, spilled=ran.invocations * share)
    changed = replace(beside_actual, actual=measured, lines={**beside_actual.lines, "actual": stood})
    (told,) = (note for note in notes(changed) if note.startswith("CloudWatch measured"))
    assert told.endswith(f"120 {lesson}" if lesson == "minutes." else f"120 minutes{lesson}")


def test_an_alias_without_provisioned_concurrency_has_none_to_tell_of(beside_actual: Comparison) -> None:
    """No share that was guessed, nothing to audit, one plain sentence."""
    ran = beside_actual.actual
    assert ran is not None
    nothing = replace(beside_actual, actual=replace(ran, capacity=np.zeros(120, dtype=np.int64)))
    assert conclusion(nothing).startswith("No provisioned concurrency was found in these minutes")
    assert [note for note in notes(nothing) if "actually run" in note] == []
    told = summary(nothing)["actual"]
    assert isinstance(told, dict)
    assert (told["provisioned"], told["spillover_measured"], told["spillover_minutes"]) == (False, None, 0)


@pytest.mark.parametrize(
    ("share", "told"), [(0.004, "under 1%"), (0.41, "41%"), (0.99, "99%"), (0.999, "over 99%"), (1.0, "100%")]
)
def test_a_guessed_share_is_never_rounded_to_none_or_all(beside_actual: Comparison, share: float, told: str) -> None:
    """In whole percent otherwise."""
    unknown = np.full(1000, np.nan)
    hours = np.full(1000, 3)
    long = Actual(capacity=hours, certain=np.arange(1000) >= round(1000 * share), invocations=unknown, spilled=unknown)
    scored = Trace(beside_actual.scored.start, unknown, unknown, unknown)
    told_of = notes(replace(beside_actual, actual=long, scored=scored))
    (guessed,) = (note for note in told_of if "guessed" in note)
    assert f"Of what was actually run {told} of the minutes" in guessed


def test_known_prices_stand_over_the_table_and_name_their_source(comparison: Comparison) -> None:
    """All figures are reckoned at them."""
    dear = replace(World().prices, allocation_usd_per_gb_s=1.0)
    world = World(known_prices=dear, prices_source="a file")
    assert world.prices is dear
    assumed = summary(replace(comparison, world=world))["assumptions"]
    assert isinstance(assumed, dict)
    assert assumed["prices"]["source"] == "a file"
    assert assumed["prices"]["allocation_usd_per_gb_s"] == 1.0
    usual = summary(comparison)["assumptions"]
    assert isinstance(usual, dict)
    assert "source" not in usual["prices"]
    assert not {"known_prices", "prices_source"} & set(usual)
