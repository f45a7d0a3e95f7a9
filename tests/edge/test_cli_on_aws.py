"""`warmcast plan` and `warmcast tick` against the local AWS over HTTP, on the wall clock as on a laptop."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from builders import CHECKOUT
from warmcast import cli
from warmcast.aws.table import Table

if TYPE_CHECKING:
    from pathlib import Path

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
    assert cli.main(["tick", *laptop, "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    client = aws.session().client("lambda", endpoint_url=aws.endpoint_url)
    config = client.get_provisioned_concurrency_config(FunctionName=CHECKOUT.function, Qualifier=CHECKOUT.qualifier)
    assert config["RequestedProvisionedConcurrentExecutions"] == row["wanted"] > 40
    assert row["outcome"] == "applied"


def test_the_budget_of_a_laptops_tick_is_given_to_it(laptop: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`--budget-units 25` clamps, and is the reason."""
    assert cli.main(["tick", "--dry-run", "--budget-units", "25", *laptop, "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["wanted"], row["reason"]) == (25, "budget")


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
    assert cli.main(["tick", *laptop[:2], "--table", "no-such-table"]) == 1
    err = capsys.readouterr().err
    assert "ResourceNotFoundException" in err
    assert "Traceback" not in err


def test_a_held_lock_is_said(laptop: list[str], aws: LocalAws, capsys: pytest.CaptureFixture[str]) -> None:
    """Another tick is under way: exit code 1 and a sentence."""
    client = aws.session().client("dynamodb", endpoint_url=aws.endpoint_url)
    now = datetime.now(UTC)
    assert Table(client, laptop[3]).lock("the lambda", now=now, until=now + timedelta(minutes=5))
    assert cli.main(["tick", *laptop]) == 1
    assert "another tick holds the lock" in capsys.readouterr().err
