"""The handler with its real clients against the local AWS: from environment variables to a changed capacity."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from builders import CHECKOUT, NOON
from scripted import StepClock
from warmcast.emit import Emitter
from warmcast.errors import FleetError
from warmcast.handler import PACKAGE_ROOT, open_workshop, respond
from warmcast.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from localaws import LocalAws

POLICY = """\
targets:
  - {function: checkout-api, qualifier: live, mode: apply, capacity: {min: 1, max: 60}}
  - {function: gone-api, qualifier: live, mode: apply, capacity: {min: 1, max: 60}}
"""


@dataclass
class Context:
    """Lambda's context."""

    aws_request_id: str = "request-1"
    log_stream_name: str = "stream-1"

    def get_remaining_time_in_millis(self) -> int:
        """All of it."""
        return 240_000


class NoonClock(StepClock):
    """A clock that shows noon, as the local AWS's does."""

    def now(self) -> datetime:
        """Noon."""
        return NOON


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A package's root with a fleet in it: one target that is there and one whose function is not."""
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet/shop.yaml").write_text(POLICY, encoding="utf-8")
    return tmp_path


@pytest.fixture
def variables(aws: LocalAws, table_name: str) -> Mapping[str, str]:
    """What the stack tells the function."""
    return {
        "AWS_REGION": CHECKOUT.region,
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "WARMCAST_ACCOUNT": CHECKOUT.account,
        "WARMCAST_TABLE": table_name,
        "WARMCAST_FLEET_VERSION": "4f1c2aa",
        "WARMCAST_BUDGET_UNITS": "40",
    }


def _load_day(aws: LocalAws) -> None:
    """A day of 8 executions in flight: 16 calls a second of half a second each."""
    aws.create_function("checkout-api")
    aws.set_provisioned("checkout-api", "live", 2)
    minutes = 24 * 60
    calls = np.random.default_rng(7).poisson(960, minutes)
    aws.load_minutes(
        "checkout-api",
        "live",
        NOON - timedelta(minutes=minutes),
        invocations=calls,
        duration_ms=calls * 500.0,
        concurrency=np.full(minutes, 14.0),
    )


def test_a_tick_from_the_environment_to_the_capacity(
    aws: LocalAws, variables: Mapping[str, str], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one target is raised within the stack's budget, under its decision's mark; the missing one is a finding."""
    _load_day(aws)
    workshop = open_workshop(variables, clock=StepClock(), root=root)
    answer = respond({}, Context(), workshop=lambda: workshop, clock=NoonClock(), emitter=Emitter(service="on-aws"))
    assert (answer["changed"], answer["failed"], answer["fleet_version"]) == (1, 1, "4f1c2aa")
    read = answer["metrics_requested"]
    assert isinstance(read, int)
    assert read >= 4  # work, arrivals, throttles, peak
    (write,) = aws.journal("PutProvisionedConcurrencyConfig")
    assert 10 <= write["params"]["ProvisionedConcurrentExecutions"] <= 40
    assert "fleet/4f1c2aa" in write["user_agent"]
    assert capsys.readouterr().out.count('"message":"target"') == 2


def test_a_fleet_that_is_not_there_is_named(variables: Mapping[str, str], tmp_path: Path) -> None:
    """The message says which folder was looked at."""
    with pytest.raises(FleetError, match="fleet"):
        open_workshop(variables, clock=StepClock(), root=tmp_path)


def test_a_target_outside_the_stacks_pattern_is_no_target(variables: Mapping[str, str], root: Path) -> None:
    """The stack's owner names the functions; the fleet can't name others, whichever way they would be written to."""
    kept = open_workshop({**variables, "WARMCAST_FUNCTION_PATTERN": "shop-*"}, clock=StepClock(), root=root)
    assert not kept.fleet.policies
    assert "FunctionPattern (shop-*)" in str(kept.fleet.findings[0])


def test_a_wrong_variable_is_told_before_anything_is_built(root: Path) -> None:
    """Nothing was called: there is no account to call."""
    with pytest.raises(SettingsError, match="WARMCAST_TABLE"):
        open_workshop({"AWS_REGION": "eu-west-1"}, clock=StepClock(), root=root)


def test_importing_the_handler_needs_no_environment(tmp_path: Path) -> None:
    """Lambda's init phase can't fail on a setting or a policy: nothing is read at import."""
    program = "import warmcast.handler as h; assert h._kept_workshop.cache_info().currsize == 0; print('imported')"
    outcome = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(PACKAGE_ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.stdout.strip() == "imported", outcome.stderr
