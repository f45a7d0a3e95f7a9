"""`warmcast backtest` from the outside: its three files, its contract, what it says, and what it refuses."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from traces import MONDAY, minutes, noise, office
from warmcast import cli
from warmcast.simulate.reading import read_trace
from warmcast.simulate.score import score
from warmcast.simulate.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLE = Path(__file__).parent / "data" / "office-16-days.csv.gz"
MONDAY_16 = "2026-03-16T00:00Z"
POLICY = """\
targets:
  - function: checkout-api
    qualifier: live
    timezone: Europe/London
    capacity: {min: 1, max: 400}
"""
POLICIES = ["warmcast", "none", "static_peak", "cron_table", "target_tracking", "ec2_predictive", "clairvoyant"]
FIGURES = {
    "total_usd",
    "allocation_usd",
    "spillover",
    "cold_starts_per_10k",
    "worst_5min_cold_share",
    "usd_per_cold_start_avoided",
    "mean_capacity",
    "utilization",
    "changes_per_day",
}


@dataclass(frozen=True)
class Ran:
    """What a run left behind."""

    code: int
    folder: Path

    @property
    def rows(self) -> list[dict[str, str]]:
        """decisions.csv, a mapping per row."""
        with (self.folder / "decisions.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    @property
    def summary(self) -> dict[str, Any]:
        """summary.json."""
        loaded: dict[str, Any] = json.loads((self.folder / "summary.json").read_text())
        return loaded


def run(folder: Path, *, demand: Path | str = EXAMPLE, policy: str = POLICY, options: Sequence[str] = ()) -> Ran:
    """The command over a file (or the text of one) and a policy, writing into a folder of its own."""
    if isinstance(demand, str):
        (folder / "demand.csv").write_text(demand)
        demand = folder / "demand.csv"
    (folder / "policy.yaml").write_text(policy)
    given = ["--demand", str(demand), "--policy", str(folder / "policy.yaml"), "--out", str(folder / "out")]
    return Ran(cli.main(["backtest", *given, *options]), folder / "out")


def office_csv(hours: float = 54.0, *, hidden: Sequence[int] = ()) -> str:
    """A noisy office service from a Monday on, as text; the minutes hidden have no row."""
    at = minutes(MONDAY, hours / 24)
    demand = office(at, UTC_ZONE) * noise(len(at), 0.1)
    rows = [
        f"{MONDAY + timedelta(minutes=minute):%Y-%m-%dT%H:%MZ},{value:.2f}"
        for minute, value in enumerate(demand)
        if minute not in hidden
    ]
    return "timestamp,concurrency\n" + "\n".join(rows) + "\n"


UTC_ZONE = ZoneInfo("UTC")
WEDNESDAY = ("--start", "2026-03-04T00:00Z")


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The example of the documentation: two weeks of history, Monday and Tuesday replayed."""
    return run(tmp_path_factory.mktemp("example"), options=["--start", MONDAY_16])


# --- what it writes --------------------------------------------------------------------------------------------------


def test_decisions_have_a_row_for_every_minute_from_the_start_to_the_last(example: Ran) -> None:
    """Gaps included: their demand is empty, their capacity is not."""
    assert example.code == 0
    rows = example.rows
    assert list(rows[0]) == ["timestamp", "demand", "requested", "ready", "floor", "ceiling", "reason"]
    start = datetime(2026, 3, 16, tzinfo=UTC)
    expected = [f"{start + timedelta(minutes=minute):%Y-%m-%dT%H:%MZ}" for minute in range(2 * 1440)]
    assert [row["timestamp"] for row in rows] == expected
    gaps = [row for row in rows if row["demand"] == ""]
    assert [row["timestamp"] for row in gaps] == [f"2026-03-17T14:{minute:02}Z" for minute in range(20)]
    assert all(int(row["requested"]) >= int(row["ready"]) >= 1 for row in rows)
    assert {row["floor"] for row in rows} == {"1"}
    assert {row["ceiling"] for row in rows} == {"400"}
    assert "" not in {row["reason"] for row in rows}


def test_demand_is_the_traces_own(example: Ran) -> None:
    """Value for value, as it was read."""
    trace = read_trace(EXAMPLE, duration_ms=500)
    told = [float(row["demand"] or "nan") for row in example.rows]
    assert np.array_equal(told, trace.demand[-len(told) :], equal_nan=True)


def test_the_summary_has_every_policy_with_every_figure(example: Ran) -> None:
    """The contract that other tools rely on."""
    policies = example.summary["policies"]
    assert list(policies) == POLICIES
    assert [set(figures) for figures in policies.values()] == [FIGURES] * len(POLICIES)
    assert policies["none"]["allocation_usd"] == 0
    assert policies["none"]["usd_per_cold_start_avoided"] is None
    assert all(figures["total_usd"] > 0 for figures in policies.values())


def test_warmcasts_figures_follow_from_the_decisions(example: Ran) -> None:
    """Scored anew from decisions.csv alone, bill and spillover come out the same."""
    trace = read_trace(EXAMPLE, duration_ms=500)
    scored = trace.between(trace.end - 2 * 86_400, trace.end)
    requested = np.array([int(row["requested"]) for row in example.rows])
    again = score(requested, scored, World(), none=None)
    told = example.summary["policies"]["warmcast"]
    assert told["total_usd"] == pytest.approx(again.total_usd)
    assert told["spillover"] == pytest.approx(again.spillover)
    assert told["cold_starts_per_10k"] == pytest.approx(again.cold_starts_per_10k)


def test_the_summary_says_what_it_rests_on(example: Ran) -> None:
    """Assumptions, trace, promise and the band of keepalives."""
    summary = example.summary
    assumed = summary["assumptions"]
    assert (assumed["duration_ms"], assumed["init_ms"], assumed["memory_mb"]) == (500, 500, 1024)
    assert (assumed["region"], assumed["architecture"], assumed["peakedness"]) == ("us-east-1", "x86_64", 1)
    assert (assumed["tick_s"], assumed["lead_s"], assumed["life_s"]) == (300, 120, 7200)
    assert summary["trace"]["gap_minutes"] == 20
    assert summary["trace"]["training_minutes"] == 14 * 1440
    reached = summary["policies"]["warmcast"]["spillover"]
    assert summary["spillover"] == {
        "objective": {"spillover": 0.01},
        "asked": 0.01,
        "reached": reached,
        "reached_over_asked": pytest.approx(100 * reached),
    }
    band = summary["keepalive"]["cold_starts_per_10k"]
    assert list(band) == POLICIES
    assert list(band["warmcast"]) == ["5", "10", "45"]
    assert band["warmcast"]["10"] == summary["policies"]["warmcast"]["cold_starts_per_10k"]


def test_perfect_foresight_is_compared_at_the_spillover_that_warmcast_reached(example: Ran) -> None:
    """It spills no more, nearly as much, and costs less."""
    ours, clairvoyant = (example.summary["policies"][name] for name in ("warmcast", "clairvoyant"))
    assert 0.8 * ours["spillover"] < clairvoyant["spillover"] <= ours["spillover"]
    assert clairvoyant["allocation_usd"] < ours["allocation_usd"]


def test_the_terminal_shows_the_table_and_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A row per policy, the conclusion as the summary has it, and where the files are."""
    ran = run(tmp_path, demand=office_csv(), options=WEDNESDAY)
    out, err = capsys.readouterr()
    flowing = " ".join(out.split())
    assert [name for name in POLICIES if name not in out] == []
    assert ran.summary["conclusion"] in flowing
    assert [note for note in ran.summary["notes"] if note not in flowing] == []
    assert str(ran.folder) in flowing.replace(" ", "") or str(ran.folder) in flowing
    assert err == ""


def test_as_json_the_terminal_shows_the_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The very same, for programs."""
    ran = run(tmp_path, demand=office_csv(), options=[*WEDNESDAY, "--format", "json"])
    assert json.loads(capsys.readouterr().out) == ran.summary


def test_an_earlier_run_is_replaced(tmp_path: Path) -> None:
    """Nothing of it is left in the files."""
    longer = run(tmp_path, demand=office_csv(), options=WEDNESDAY)
    before = len(longer.rows)
    assert len(run(tmp_path, demand=office_csv(52), options=WEDNESDAY).rows) < before


# --- no peeking ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [2881, 2884, 3007, 3161, 3230])
def test_a_trace_cut_short_gives_the_same_rows_before_the_cut(tmp_path: Path, cut: int) -> None:
    """Through the command line, gaps included: decisions.csv is the same text up to there."""
    hidden = range(3020, 3027)
    whole_text = office_csv(hidden=hidden).splitlines(keepends=True)
    kept = 1 + cut - len([minute for minute in hidden if minute < cut])
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = run(tmp_path / "a", demand="".join(whole_text), options=WEDNESDAY)
    part = run(tmp_path / "b", demand="".join(whole_text[:kept]), options=WEDNESDAY)
    lines = (part.folder / "decisions.csv").read_text().splitlines()
    assert len(lines) == 1 + cut - 2880
    assert lines == (whole.folder / "decisions.csv").read_text().splitlines()[: len(lines)]


# --- where it starts -------------------------------------------------------------------------------------------------


def test_by_default_half_a_short_trace_is_history(tmp_path: Path) -> None:
    """Four hours of eight."""
    rows = run(tmp_path, demand=office_csv(8)).rows
    assert (rows[0]["timestamp"], rows[-1]["timestamp"]) == ("2026-03-02T04:00Z", "2026-03-02T07:59Z")


def test_by_default_two_weeks_of_a_long_trace_are_history(tmp_path: Path) -> None:
    """Of 28 days and an hour, one hour more than half."""
    start = datetime(2026, 3, 2, tzinfo=UTC)
    hours = range(14 * 48 + 1)
    text = "timestamp,concurrency\n" + "".join(f"{start + timedelta(hours=h):%Y-%m-%dT%H:%MZ},1\n" for h in hours)
    text += f"{start + timedelta(days=28, minutes=60):%Y-%m-%dT%H:%MZ},1\n"
    ran = run(tmp_path, demand=text, options=["--tick", "60m"])
    assert ran.rows[0]["timestamp"] == "2026-03-16T00:00Z"


@pytest.mark.parametrize(
    "start", ["2026-03-04T01:00Z", "2026-03-04T01:00:00+00:00", "2026-03-04T02:00+01:00", "2026-03-04T01:00"]
)
def test_a_start_is_an_instant_in_any_spelling(tmp_path: Path, start: str) -> None:
    """With its zone, or in UTC as the traces are."""
    ran = run(tmp_path, demand=office_csv(50), options=["--start", start])
    assert ran.rows[0]["timestamp"] == "2026-03-04T01:00Z"


# --- what it assumes -------------------------------------------------------------------------------------------------


def test_the_function_is_what_the_options_say(tmp_path: Path) -> None:
    """Twice the memory is twice the allocation; everything that was said is in the summary."""
    said = ["--memory-mb", "2048", "--init-ms", "900", "--duration-ms", "250", "--tick", "10", "--peakedness", "2"]
    (tmp_path / "usual").mkdir()
    usual = run(tmp_path / "usual", demand=office_csv(50), options=WEDNESDAY).summary
    other = run(
        tmp_path,
        demand=office_csv(50),
        options=[*WEDNESDAY, *said, "--region", "eu-west-1", "--architecture", "arm64"],
    ).summary
    keys = ("memory_mb", "init_ms", "duration_ms", "tick_s", "peakedness", "region", "architecture")
    assert [other["assumptions"][key] for key in keys] == [2048, 900, 250, 600, 2, "eu-west-1", "arm64"]
    assert other["trace"]["invocations"] == pytest.approx(2 * usual["trace"]["invocations"])


def test_the_policys_region_is_the_usual_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A policy may say where it is; then its prices hold, and nobody warns of a place that is not known."""
    at_home = POLICY + '    region: eu-west-2\n    account: "111122223333"\n'
    ran = run(tmp_path, demand=office_csv(49), policy=at_home, options=WEDNESDAY)
    assert ran.summary["assumptions"]["region"] == "eu-west-2"
    assert capsys.readouterr().err == ""
    other = run(tmp_path, demand=office_csv(49), policy=at_home, options=[*WEDNESDAY, "--region", "us-east-1"])
    assert other.summary["assumptions"]["region"] == "us-east-1"


def test_invocations_and_durations_serve_as_well(tmp_path: Path) -> None:
    """The demand of the decisions is Little's law."""
    rows = "".join(f"{MONDAY + timedelta(minutes=m):%Y-%m-%dT%H:%MZ},{600 + m},400\n" for m in range(60))
    ran = run(tmp_path, demand="timestamp,invocations,duration_ms\n" + rows)
    assert float(ran.rows[0]["demand"]) == pytest.approx(630 / 60 * 0.4)


# --- what it refuses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--start", "2026-03-01T00:00Z"], "outside the trace, which goes from 2026-03-02T00:00Z to 2026-03-02T00:59Z"),
        (["--start", "2026-03-02T01:00Z"], "2026-03-02T01:00Z is outside the trace"),
        (["--start", "yesterday"], "'yesterday' is no instant in ISO 8601"),
        (["--start", "2026-03-02T00:10:30Z"], "is not the start of a minute"),
        (["--tick", "90s"], "'90s' is no whole number of minutes from 1 to 60"),
        (["--tick", "0"], "'0' is no whole number of minutes"),
        (["--memory-mb", "64"], "64 is not in the range"),
        (["--duration-ms", "0"], "0.0 is not in the range"),
        (["--architecture", "sparc"], "'sparc' is not one of"),
    ],
)
def test_wrong_usage_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], told: str) -> None:
    """With the option's value, and what it should be."""
    assert run(tmp_path, demand=office_csv(1), options=options).code == 2
    assert told in " ".join(capsys.readouterr().err.split())


def test_a_bad_row_exits_2_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Line and column, as `validate` would have it."""
    ran = run(tmp_path, demand="timestamp,concurrency\n2026-03-02T00:00Z,many\n")
    assert ran.code == 2
    assert 'demand.csv:2: error: concurrency: must be a number from 0 to 1,000,000, but is "many"' in (
        capsys.readouterr().err
    )
    assert not ran.folder.exists()


def test_missing_files_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each named."""
    assert run(tmp_path, demand=tmp_path / "nowhere.csv").code == 2
    assert "nowhere.csv: can't be read" in capsys.readouterr().err
    missing = ["--demand", str(EXAMPLE), "--policy", str(tmp_path / "no.yaml"), "--out", str(tmp_path)]
    assert cli.main(["backtest", *missing]) == 2
    assert "no.yaml: no such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("policy", "held"),
    [
        (POLICY + POLICY.partition("targets:\n")[2].replace("live", "beta"), "checkout-api:beta, checkout-api:live"),
        ("targets: []\n", "none"),
    ],
    ids=["two", "none"],
)
def test_a_policy_file_holds_exactly_one_target(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], policy: str, held: str
) -> None:
    """Nobody guesses which is meant."""
    assert run(tmp_path, demand=office_csv(1), policy=policy).code == 2
    assert f"exactly one target, and this has {held}" in capsys.readouterr().err


def test_a_policy_with_an_error_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The fleet's own reader: an unknown key is an error with its line, and the exit code that of `validate`."""
    assert run(tmp_path, demand=office_csv(1), policy=POLICY + "    colour: green\n").code == 1
    assert "policy.yaml:6: error: colour: " in capsys.readouterr().err


def test_a_folder_that_can_not_be_written_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is computed."""
    (tmp_path / "out").write_text("in the way")
    assert run(tmp_path, demand=office_csv(1)).code == 2
    assert "out: can't be written to" in " ".join(capsys.readouterr().err.split())


def test_prices_of_ones_own_hold_for_a_file_too(tmp_path: Path) -> None:
    """Each figure is reckoned at them, and the summary names their source."""
    listed = "{region: us-east-1, architecture: x86_64, allocation_usd_per_gb_s: 0.00001}"
    prices = f"source: our contract\nprices:\n  - {listed}\n"
    (tmp_path / "prices.yaml").write_text(prices)
    ran = run(tmp_path, demand=office_csv(49), options=[*WEDNESDAY, "--prices", str(tmp_path / "prices.yaml")])
    told = ran.summary["assumptions"]["prices"]
    assert told["allocation_usd_per_gb_s"] == 0.00001
    assert told["source"].startswith("our contract")
    peak = ran.summary["policies"]["static_peak"]
    assert peak["allocation_usd"] == pytest.approx(peak["mean_capacity"] * 3600 * 0.00001, rel=0.05)
