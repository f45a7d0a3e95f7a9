"""`warmcast plan` and `warmcast tick` against the local AWS over HTTP, on the wall clock as on a laptop."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from builders import CHECKOUT
from warmcast import cli
from warmcast.aws.table import Table
from warmcast.model import Memory, Mode, TargetId

if TYPE_CHECKING:
    from localaws import LocalAws

FLEET = """\
targets:
  - function: checkout-api
    qualifier: live
    mode: apply
    timezone: Europe/London
    capacity: {min: 2, max: 400}
"""


@pytest.fixture
def laptop(aws: LocalAws, table_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A busy alias with four hours behind it, a policy file, and the options that lead a command to them."""
    now = datetime.now(UTC)
    aws.set_now(now)
    aws.create_function(CHECKOUT.function)
    aws.set_provisioned(CHECKOUT.function, CHECKOUT.qualifier, 10)
    minutes = np.full(240, 40.0)
    aws.load_minutes(
        CHECKOUT.function,
        CHECKOUT.qualifier,
        now.replace(second=0, microsecond=0) - timedelta(minutes=240),
        invocations=minutes * 120,
        duration_ms=minutes * 120 * 500.0,
        concurrency=np.ceil(minutes * 1.2),
    )
    aws.clear_calls()
    path = tmp_path / "fleet.yaml"
    path.write_text(FLEET)
    monkeypatch.setenv("AWS_REGION", CHECKOUT.region)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    monkeypatch.setenv("COLUMNS", "160")
    return ["--fleet", str(path), "--table", table_name]


def writes(aws: LocalAws) -> int:
    """Calls that changed something in Lambda or in the control table."""
    return sum(
        count for name, count in aws.calls().items() if name.rpartition(":")[2].startswith(("Put", "Delete", "Update"))
    )


def provisioned(aws: LocalAws, function: str) -> int:
    """The capacity that AWS was last asked for."""
    client = aws.session().client("lambda", endpoint_url=aws.endpoint_url)
    config = client.get_provisioned_concurrency_config(FunctionName=function, Qualifier=CHECKOUT.qualifier)
    return int(config["RequestedProvisionedConcurrentExecutions"])


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(
    laptop: list[str], aws: LocalAws, capsys: pytest.CaptureFixture[str]
) -> None:
    """Target, capacity, reason, outcome as a table; not even a lock is taken."""
    assert cli.main(["tick", "--dry-run", *laptop]) == 0
    out = capsys.readouterr().out
    assert "checkout-api:live" in out
    assert "10 → " in out
    assert "planned" in out
    assert writes(aws) == 0


def test_a_tick_from_a_laptop_acts(laptop: list[str], aws: LocalAws, capsys: pytest.CaptureFixture[str]) -> None:
    """The same tick without --dry-run changes the capacity, under the lock."""
    assert cli.main(["tick", "--budget-units", "none", *laptop, "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert provisioned(aws, CHECKOUT.function) == row["wanted"] > 40
    assert row["outcome"] == "applied"


def test_the_budget_of_a_laptops_tick_is_given_to_it(laptop: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`--budget-units 25` clamps, and is the reason."""
    assert cli.main(["tick", "--dry-run", "--budget-units", "25", *laptop, "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["wanted"], row["reason"]) == (25, "budget")


def test_the_budget_holds_a_tick_that_writes(laptop: list[str], aws: LocalAws) -> None:
    """What is bought is what the option allows, 0 included: nothing above what stands."""
    assert cli.main(["tick", "--budget-units", "25", *laptop]) == 0
    assert provisioned(aws, CHECKOUT.function) == 25
    assert cli.main(["tick", "--budget-units", "0", *laptop]) in {0, 1}
    assert provisioned(aws, CHECKOUT.function) <= 25


def test_a_tick_over_a_part_of_the_fleet_leaves_the_rest_alone(laptop: list[str], aws: LocalAws) -> None:
    """A remembered target that the given files do not name keeps its capacity and its memory."""
    aws.create_function("search-api")
    aws.set_provisioned("search-api", "live", 7)
    client = aws.session().client("dynamodb", endpoint_url=aws.endpoint_url)
    table, now = Table(client, laptop[3]), datetime.now(UTC)
    rest = TargetId(CHECKOUT.account, CHECKOUT.region, "search-api", "live")
    leaving = Memory(requested=7, mode=Mode.APPLY, on_remove="delete", stack_owns_config=False)
    table.remember(rest, leaving)
    assert cli.main(["tick", "--budget-units", "none", *laptop]) == 0
    assert provisioned(aws, "search-api") == 7
    assert table.recall(now=now).memories[rest] == leaving


@pytest.mark.parametrize("rate", ["1", "15"])
def test_the_rate_of_the_stack_is_given_to_the_tick(
    laptop: list[str], aws: LocalAws, capsys: pytest.CaptureFixture[str], rate: str
) -> None:
    """A capacity changed four minutes ago may fall where ticks come every minute, not where they come every 15.

    What it falls to is the forecast's or what is seen, by where the clock on the wall stands within five minutes.
    """
    Path(laptop[1]).write_text(FLEET + "    hold: 0s\n")
    aws.set_provisioned(CHECKOUT.function, CHECKOUT.qualifier, 200)
    client = aws.session().client("dynamodb", endpoint_url=aws.endpoint_url)
    changed = Memory(requested=200, changed_at=datetime.now(UTC) - timedelta(minutes=4), mode=Mode.APPLY)
    Table(client, laptop[3]).remember(CHECKOUT, changed)
    assert cli.main(["tick", "--dry-run", "--rate-minutes", rate, *laptop, "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    held = rate == "15"
    assert (row["reason"] == "minimum hold") == held
    assert (row["wanted"] == 200) == held


def test_plan_shows_the_next_hours(laptop: list[str], aws: LocalAws, capsys: pytest.CaptureFixture[str]) -> None:
    """A strip per target, its range, its cost, its next change; nothing is written."""
    assert cli.main(["plan", "--hours", "6", *laptop]) == 0
    out = capsys.readouterr().out
    assert "checkout-api:live" in out
    assert "Europe/London" in out
    assert "over 6 hours" in out
    assert writes(aws) == 0


def test_plan_for_programs(laptop: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """JSON and CSV have each five minutes with forecast, bounds and capacity."""
    assert cli.main(["plan", "--hours", "2", *laptop, "--format", "json"]) == 0
    (plan,) = json.loads(capsys.readouterr().out)
    assert len(plan["steps"]) == 24
    assert all(step["floor"] <= step["capacity"] <= step["ceiling"] for step in plan["steps"])
    assert all(step["p50"] <= step["p90"] for step in plan["steps"])
    assert cli.main(["plan", "--hours", "2", *laptop, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["capacity"] for row in rows] == [str(step["capacity"]) for step in plan["steps"]]


def test_a_plan_reaches_seven_days(laptop: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Beyond 48 hours the forecast has steps of five minutes; the plan goes on."""
    assert cli.main(["plan", "--hours", "168", *laptop, "--format", "json"]) == 0
    (plan,) = json.loads(capsys.readouterr().out)
    assert len(plan["steps"]) == 7 * 288


def test_an_unknown_target_is_wrong_usage(laptop: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """It is named, and nothing runs."""
    assert cli.main(["tick", "--dry-run", "--target", "nobody:live", *laptop]) == 2
    assert "nobody:live" in capsys.readouterr().err


def test_a_denied_role_is_a_line_and_no_traceback(
    laptop: list[str], aws: LocalAws, capsys: pytest.CaptureFixture[str]
) -> None:
    """CloudWatch refuses: the table says so, exit code 1."""
    aws.inject("GetMetricData", times=None, code="AccessDeniedException", message="not authorized", status=403)
    assert cli.main(["tick", "--dry-run", *laptop]) == 1
    out, err = capsys.readouterr()
    assert "AccessDenied" in out + err
    assert "Traceback" not in err


def test_a_missing_control_table_is_a_line_and_no_traceback(
    laptop: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The table's name is wrong: one sentence, exit code 1."""
    assert cli.main(["tick", "--budget-units", "100", *laptop[:2], "--table", "no-such-table"]) == 1
    err = capsys.readouterr().err
    assert "ResourceNotFoundException" in err
    assert "Traceback" not in err


def test_a_held_lock_is_said(laptop: list[str], aws: LocalAws, capsys: pytest.CaptureFixture[str]) -> None:
    """Another tick is under way: exit code 1 and a sentence."""
    client = aws.session().client("dynamodb", endpoint_url=aws.endpoint_url)
    now = datetime.now(UTC)
    assert Table(client, laptop[3]).lock("the lambda", now=now, until=now + timedelta(minutes=5))
    assert cli.main(["tick", "--budget-units", "100", *laptop]) == 1
    assert "another tick holds the lock" in capsys.readouterr().err
