"""`warmcast backtest --from-aws` against the local AWS over HTTP, on the wall clock as on a laptop."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from builders import CHECKOUT
from warmcast import cli
from warmcast.permissions import READ_ONLY

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from localaws import LocalAws

    FloatArray = npt.NDArray[np.float64]

DAY = 1440
API = f"{CHECKOUT.function}:{CHECKOUT.qualifier}"
MEMORY_MB = 2048
USD_PER_GB_S = 0.0000041667  # us-east-1, x86_64
FAST = ("--tick", "60m")  # the brain is not what is tested here


@dataclass(frozen=True)
class Ran:
    """What a run left behind, and what it said."""

    code: int
    folder: Path
    out: str
    err: str

    @property
    def summary(self) -> dict[str, Any]:
        """summary.json."""
        loaded: dict[str, Any] = json.loads((self.folder / "summary.json").read_text())
        return loaded

    @property
    def told(self) -> str:
        """Standard output, its lines joined."""
        return " ".join(self.out.split())


@dataclass
class Laptop:
    """A local AWS with one function, and the command against it."""

    aws: LocalAws
    folder: Path
    now: datetime
    capsys: pytest.CaptureFixture[str]

    def ago(self, minutes: int) -> datetime:
        """So many whole minutes before now."""
        return self.now.replace(second=0, microsecond=0) - timedelta(minutes=minutes)

    def has_run(self, demand: FloatArray, *, capacity: FloatArray | None = None, spilled: float = 0.0) -> None:
        """Minutes of half a second each up to now, at this demand; 0 is idle."""
        invocations = np.round(demand * 120)
        self.aws.load_minutes(
            CHECKOUT.function,
            CHECKOUT.qualifier,
            self.ago(len(demand)),
            invocations=invocations,
            duration_ms=invocations * 500.0,
            concurrency=np.ceil(demand * 1.5),
            capacity=capacity,
            spilled=None if capacity is None else np.round(invocations * spilled),
        )

    def others_run(self, minutes: int) -> None:
        """Somebody else's invocations in the Region, up to now."""
        ones = np.ones(minutes)
        self.aws.load_minutes("", "", self.ago(minutes), invocations=ones, duration_ms=ones * 100, concurrency=ones)

    def has_capacity(self, units: int, *, since: int) -> None:
        """Provisioned concurrency that was set so many minutes ago, and stands now."""
        self.aws.set_now(self.ago(since))
        self.aws.set_provisioned(CHECKOUT.function, CHECKOUT.qualifier, units)
        self.aws.set_now(self.now)

    def run(self, *options: str, alias: str = API) -> Ran:
        """The command, into a folder of its own."""
        code = cli.main(["backtest", "--from-aws", alias, "--out", str(self.folder / "out"), *FAST, *options])
        out, err = self.capsys.readouterr()
        return Ran(code, self.folder / "out", out, err)


@pytest.fixture
def laptop(
    aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Laptop:
    """One function of 2 GB with an alias, and the environment that leads a command to it."""
    now = datetime.now(UTC)
    aws.set_now(now)
    aws.create_function(CHECKOUT.function, memory_mb=MEMORY_MB)
    monkeypatch.setenv("AWS_REGION", CHECKOUT.region)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    monkeypatch.setenv("COLUMNS", "160")
    return Laptop(aws, tmp_path, now, capsys)


def busy(days: float, *, low: float = 2.0) -> FloatArray:
    """A daily hump from `low` up to five times as much."""
    return low * (3 + 2 * np.sin(np.arange(round(days * DAY)) * 2 * np.pi / DAY))


# --- what was actually run -------------------------------------------------------------------------------------------


def test_a_constant_amount_costs_its_closed_form(laptop: Laptop) -> None:
    """Ten units of 2 GB for a day: 10 x 2 GB x 86,400 s x the price of a GB-second."""
    demand = busy(3)
    laptop.has_run(demand, capacity=np.full(len(demand), 10.0))
    laptop.has_capacity(10, since=2 * DAY)
    ran = laptop.run("--days", "1")
    assert ran.code == 0, ran.err
    actual = ran.summary["policies"]["actual"]
    assert actual["allocation_usd"] == pytest.approx(10 * MEMORY_MB / 1024 * 86_400 * USD_PER_GB_S)
    assert (actual["mean_capacity"], actual["changes_per_day"]) == (10, 0)
    assert ran.summary["actual"]["guessed_share"] == 0
    assert list(ran.summary["policies"])[:3] == ["actual", "warmcast", "none"]


def test_the_function_is_as_aws_has_it(laptop: Laptop) -> None:
    """Memory, Region, duration and prices are read, not assumed; the init is assumed, and that is told."""
    laptop.has_run(busy(2))
    ran = laptop.run()
    assumed = ran.summary["assumptions"]
    assert (assumed["memory_mb"], assumed["architecture"], assumed["region"]) == (2048, "x86_64", "us-east-1")
    assert assumed["duration_ms"] == pytest.approx(500)
    assert "Price List" in assumed["prices"]["source"]
    assert "An init is assumed to take 500 ms" in ran.told
    given = laptop.run("--init-ms", "1200", "--memory-mb", "512")
    assert (given.summary["assumptions"]["init_ms"], given.summary["assumptions"]["memory_mb"]) == (1200, 512)
    assert "An init is assumed" not in given.told


def test_scaling_activities_tell_what_idle_minutes_do_not(laptop: Laptop) -> None:
    """Twenty units by day and two by night, set by Application Auto Scaling; nothing ran in the night."""
    day = np.r_[np.full(720, 6.0), np.zeros(720)]
    capacity = np.r_[np.full(720, 20.0), np.full(720, 2.0)]
    laptop.has_run(np.tile(day, 2), capacity=np.tile(capacity, 2))
    laptop.others_run(2 * DAY)
    laptop.aws.load_scaling(CHECKOUT.function, CHECKOUT.qualifier, 2, 50)
    for minutes, units in ((2 * DAY, 20), (2 * DAY - 720, 2), (DAY, 20), (DAY - 720, 2)):
        laptop.aws.load_activity(CHECKOUT.function, CHECKOUT.qualifier, laptop.ago(minutes), units)
    laptop.has_capacity(2, since=DAY - 720)
    ran = laptop.run("--days", "1")
    actual = ran.summary["policies"]["actual"]
    assert ran.summary["actual"]["guessed_share"] == 0
    assert actual["mean_capacity"] == pytest.approx(11, abs=0.2)
    unit_minutes = actual["allocation_usd"] / (MEMORY_MB / 1024 * 60 * USD_PER_GB_S)
    assert unit_minutes == pytest.approx(720 * 20 + 720 * 2, rel=0.01)


def test_idle_minutes_without_activities_are_guessed_and_counted(laptop: Laptop) -> None:
    """Half of each day is idle: what stood before is carried over, and the share is told."""
    day = np.r_[np.full(720, 6.0), np.zeros(720)]
    laptop.has_run(np.tile(day, 2), capacity=np.full(2 * DAY, 20.0))
    laptop.others_run(2 * DAY)
    laptop.has_capacity(20, since=0)
    ran = laptop.run("--days", "1")
    assert ran.summary["actual"]["guessed_share"] == pytest.approx(0.5, abs=0.01)
    assert ran.summary["policies"]["actual"]["mean_capacity"] == pytest.approx(20, abs=0.01)
    assert "50% of the minutes had to be guessed: idle minutes have no metric" in ran.told


def test_without_provisioned_concurrency_actual_is_none(laptop: Laptop) -> None:
    """The line is there, it costs what doing without costs, and the conclusion says so."""
    laptop.has_run(busy(2))
    ran = laptop.run()
    policies = ran.summary["policies"]
    assert policies["actual"]["total_usd"] == policies["none"]["total_usd"]
    assert policies["actual"]["allocation_usd"] == 0
    assert ran.summary["actual"]["provisioned"] is False
    assert "No provisioned concurrency was found" in ran.summary["conclusion"]


def test_measured_spillover_stands_beside_the_modelled(laptop: Laptop) -> None:
    """CloudWatch has 8% of a traffic that the model thinks carried: bursts that it does not know of."""
    demand = np.full(2 * DAY, 6.0)
    laptop.has_run(demand, capacity=np.full(2 * DAY, 20.0), spilled=0.08)
    laptop.has_capacity(20, since=2 * DAY)
    ran = laptop.run("--days", "1")
    told = ran.summary["actual"]
    assert told["spillover_measured"] == pytest.approx(0.08, abs=0.001)
    assert told["spillover_modelled"] < 0.001
    assert told["spillover_modelled"] == pytest.approx(ran.summary["policies"]["actual"]["spillover"])
    assert told["spillover_minutes"] == DAY
    assert "CloudWatch measured a spillover of 8.06%" in ran.told
    assert "burstier than it reckons with" in ran.told


# --- the history -----------------------------------------------------------------------------------------------------


def test_old_history_is_read_in_coarser_steps(laptop: Laptop) -> None:
    """Seventy days: hours, then five minutes, then minutes, without a seam; all that is not scored is training."""
    laptop.has_run(np.full(70 * DAY, 6.0))
    ran = laptop.run("--days", "1")
    history = ran.summary["history"]
    steps = history["minutes_by_step_s"]
    assert steps["scored"] == {"60": DAY}
    assert set(steps["training"]) == {"3600", "300", "60"}
    whole = (datetime.fromisoformat(history["until"]) - datetime.fromisoformat(history["from"])).total_seconds() / 60
    assert sum(steps["training"].values()) + DAY == whole == pytest.approx(70 * DAY, abs=70)
    assert ran.summary["trace"]["gap_minutes"] == 0
    assert history["metrics_requested"] < 40


def test_unanswered_minutes_are_gaps(laptop: Laptop) -> None:
    """An answer in part leaves gaps, never zeros, and names its metric."""
    laptop.has_run(busy(3))
    laptop.aws.afflict("PartialData", {"FunctionName": CHECKOUT.function, "Resource": API}, name="Invocations")
    ran = laptop.run("--days", "2")
    assert ran.summary["trace"]["gap_minutes"] == pytest.approx(DAY / 2, abs=3)  # the older half of three days
    assert ran.summary["history"]["partial"] == ["Invocations"]
    assert "CloudWatch answered Invocations in part" in ran.told


def test_by_default_half_of_a_short_history_is_scored(laptop: Laptop) -> None:
    """Of two days, one; decisions.csv has a row for each of its minutes."""
    laptop.has_run(busy(2))
    ran = laptop.run()
    with (ran.folder / "decisions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == ran.summary["trace"]["minutes"] == pytest.approx(DAY, abs=3)
    assert list(rows[0]) == ["timestamp", "demand", "requested", "ready", "floor", "ceiling", "reason"]


# --- the policy ------------------------------------------------------------------------------------------------------


def test_without_a_policy_one_is_made_and_printed(laptop: Laptop) -> None:
    """It can be kept and given as it stands: the run is the same."""
    laptop.has_run(busy(2))
    first = laptop.run("--days", "1")
    made = first.summary["default_policy"]
    assert made in first.err
    path = laptop.folder / "policy.yaml"
    path.write_text(made)
    second = laptop.run("--days", "1", "--policy", str(path))
    assert second.code == 0, second.err
    assert "default_policy" not in second.summary
    ours = [each.summary["policies"]["warmcast"]["mean_capacity"] for each in (first, second)]
    assert ours[0] == pytest.approx(ours[1], rel=0.05)


def test_a_policy_of_another_alias_is_refused(laptop: Laptop) -> None:
    """Else one alias's rules would be judged by another's traffic."""
    path = laptop.folder / "policy.yaml"
    path.write_text("targets:\n  - {function: search-api, qualifier: live, capacity: {min: 1, max: 9}}\n")
    ran = laptop.run("--policy", str(path))
    assert ran.code == 2
    assert f"is of search-api:live, not of {API}" in " ".join(ran.err.split())


# --- what it refuses -------------------------------------------------------------------------------------------------


def test_an_unknown_alias_is_named(laptop: Laptop) -> None:
    """With the account and Region that were looked at; the same for a function."""
    for alias in ("checkout-api:beta", "nobody:live"):
        ran = laptop.run(alias=alias)
        assert ran.code == 1
        assert f"warmcast: {alias}: there is none in 111122223333/us-east-1" in ran.err


def test_a_missing_right_is_told_with_its_fix(laptop: Laptop) -> None:
    """CloudWatch's and Lambda's: an error with the operation's name, no traceback."""
    laptop.has_run(busy(2))
    for operation in ("cloudwatch:GetMetricData", "lambda:GetFunction"):
        laptop.aws.deny(operation)
        ran = laptop.run()
        laptop.aws.clear_faults()
        assert ran.code == 1
        assert operation.partition(":")[2] in ran.err
        assert "AccessDenied" in ran.err
        assert "warmcast iam scan" in ran.err
        assert "Traceback" not in ran.err


def test_without_the_right_to_activities_and_prices_it_goes_on(laptop: Laptop) -> None:
    """More is guessed, the bundled prices hold, and both are told."""
    laptop.has_run(busy(2), capacity=np.full(2 * DAY, 10.0))
    laptop.aws.deny("application-autoscaling:*")
    laptop.aws.deny("pricing:*")
    ran = laptop.run()
    assert ran.code == 0, ran.err
    assert "Scaling activities could not be read" in ran.told
    assert "allow pricing:GetProducts" in ran.told
    assert "bundled list prices" in ran.summary["assumptions"]["prices"]["source"]


def test_too_little_history_is_told(laptop: Laptop) -> None:
    """None at all, half a day, and fewer days than were asked for."""
    assert "CloudWatch has no datapoint of it in 455 days" in laptop.run().err
    laptop.has_run(busy(0.5))
    short = laptop.run()
    assert short.code == 1
    assert "of it, and a backtest needs a day at least" in short.err
    laptop.has_run(busy(2))
    asked = laptop.run("--days", "9")
    assert asked.code == 2
    assert "9 days, and CloudWatch has 2.0 days of it" in " ".join(asked.err.split())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--from-aws", "checkout-api"], "'checkout-api' is no FUNCTION:ALIAS"),
        (["--from-aws", "checkout-api:$LATEST"], "$LATEST can't have provisioned concurrency"),
        (["--from-aws", API, "--demand", "demand.csv"], "one of --demand and --from-aws"),
        ([], "one of --demand and --from-aws"),
        (["--demand", "demand.csv"], "Missing option '--policy'"),
        (["--demand", "demand.csv", "--policy", "p.yaml", "--days", "3"], "--days goes with --from-aws"),
        (["--from-aws", API, "--days", "3", "--start", "2026-03-04"], "--days goes with --from-aws"),
    ],
)
def test_wrong_usage_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], told: str) -> None:
    """Before anything is asked."""
    assert cli.main(["backtest", *options, "--out", str(tmp_path)]) == 2
    assert told in " ".join(capsys.readouterr().err.split())


# --- what it does to AWS ---------------------------------------------------------------------------------------------


def test_it_writes_nothing(laptop: Laptop) -> None:
    """Every call is one of the reads, and there are few of them."""
    laptop.has_run(busy(2), capacity=np.full(2 * DAY, 10.0))
    laptop.has_capacity(10, since=DAY)
    before = laptop.aws.state()
    laptop.aws.clear_calls()
    assert laptop.run().code == 0
    calls = laptop.aws.calls()
    reads = {name.replace("application-auto-scaling", "application-autoscaling") for name in READ_ONLY}
    assert {name.replace(":", ".") for name in calls} <= reads
    assert "cloudwatch:GetMetricData" in calls
    assert sum(calls.values()) < 20
    assert laptop.aws.state() == before
