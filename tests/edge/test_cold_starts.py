"""`scan --cold-starts` from logs to table, over the local AWS: what is told, asked, refused and found."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click
import numpy as np
import pytest

from builders import CHECKOUT, NOON
from scripted import StepClock
from warmcast import cli
from warmcast.aws.readers import Readers, make_readers
from warmcast.commands.cold_starts import Asked, Sources, show_cold_starts, sources_of
from warmcast.errors import AwsError, WarmcastError
from warmcast.pricebook import listed

if TYPE_CHECKING:
    from localaws import LocalAws

ALIAS = f"{CHECKOUT.function}:{CHECKOUT.qualifier}"
DAYS = 2
ASKED = Asked.of(ALIAS, days=DAYS, yes=True, as_json=True)


@pytest.fixture(scope="module")
def shared_readers(running_aws: LocalAws) -> Readers:
    """Making clients takes a while, so these tests share them."""
    return make_readers(region=CHECKOUT.region, profile=None, endpoint_url=running_aws.endpoint_url, clock=StepClock())


@pytest.fixture
def readers(aws: LocalAws, shared_readers: Readers) -> Readers:
    """What a scan reads with: guarded, on the emptied local AWS."""
    del aws
    return shared_readers


@pytest.fixture
def sources(readers: Readers, clock: StepClock) -> Sources:
    """What the command reads from, at bundled prices."""
    return sources_of(readers, book=listed(), clock=clock)


@pytest.fixture
def busy(aws: LocalAws) -> LocalAws:
    """Two days of bursts, five minutes an hour, each with ten cold starts that the logs have."""
    aws.create_function(CHECKOUT.function)
    start = NOON - timedelta(days=DAYS)
    busy = (np.arange(DAYS * 1440) % 60) < 5
    aws.load_minutes(
        CHECKOUT.function,
        CHECKOUT.qualifier,
        start,
        invocations=np.where(busy, 120.0, 0.0),
        duration_ms=np.where(busy, 120.0, 0.0) * 2000,
        concurrency=np.where(busy, 8.0, 0.0),
    )
    hours = int(start.timestamp() * 1000) + np.repeat(np.arange(DAYS * 24) * 3_600_000.0, 10)
    at = hours + np.tile(np.arange(10) * 1000.0, DAYS * 24)
    aws.set_now(start)
    aws.load_reports(CHECKOUT.function, at, duration_ms=2000, init_ms=1500, environment=np.arange(len(at)))
    aws.load_reports(CHECKOUT.function, at + 60_000, duration_ms=2000)
    aws.set_now(NOON)
    aws.clear_calls()
    return aws


def shown(sources: Sources, capsys: pytest.CaptureFixture[str], asked: Asked = ASKED) -> dict[str, object]:
    """The command's JSON."""
    assert show_cold_starts(sources, asked, now=NOON) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def notes(found: dict[str, object]) -> str:
    """All that is to be known of it, in one text."""
    assert isinstance(found["notes"], list)
    return "\n".join(found["notes"])


def part(found: dict[str, object], key: str) -> dict[str, object]:
    """A mapping within it."""
    inner = found[key]
    assert isinstance(inner, dict)
    return inner


def test_the_logs_are_counted(busy: LocalAws, sources: Sources, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten an hour are 240 a day, half of all invocations that the logs have."""
    del busy
    found = shown(sources, capsys)
    cold = part(found, "cold_starts")
    assert cold["on_demand"] == DAYS * 240
    assert cold["per_day"] == pytest.approx(240)
    assert cold["init_p50_s"] == pytest.approx(1.5)
    assert part(cold, "worst")["cold_starts"] == 10
    assert part(cold, "worst")["share"] == 0.5
    assert found["alias"] == ALIAS


def test_each_capacity_has_its_price(busy: LocalAws, sources: Sources, capsys: pytest.CaptureFixture[str]) -> None:
    """The rung of none has the logs' cold starts of a month; the last avoids most of them, for more money."""
    del busy
    rungs = part(shown(sources, capsys), "capacities")["rungs"]
    assert isinstance(rungs, list)
    assert rungs[0]["cold_starts"] == pytest.approx(240 * 730 / 24, rel=0.01)
    assert rungs[-1]["cold_starts"] < 0.1 * rungs[0]["cold_starts"]
    assert rungs[-1]["usd_per_avoided"] > 0


def test_the_cost_is_told_first(busy: LocalAws, sources: Sources, capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes and USD of two queries, before either is started; pytest's input is no terminal, so nothing is read."""
    assert show_cold_starts(sources, replace(ASKED, yes=False), now=NOON) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "Two queries of CloudWatch Logs Insights will scan" in err
    assert "$0.005 per GB" in err
    assert "--yes" in err
    assert "logs:StartQuery" not in busy.calls()


def test_reading_writes_nothing(busy: LocalAws, sources: Sources, capsys: pytest.CaptureFixture[str]) -> None:
    """Two queries and the reads beside them."""
    shown(sources, capsys)
    assert busy.calls()["logs:StartQuery"] == 2
    verbs = {name.rpartition(":")[2] for name in busy.calls()}
    assert all(verb.startswith(("Get", "List", "Describe", "StartQuery")) for verb in verbs)


def test_environments_made_ahead_are_no_cold_starts(
    busy: LocalAws, sources: Sources, capsys: pytest.CaptureFixture[str]
) -> None:
    """With provisioned concurrency a report whose init was not billed with it is nobody's wait."""
    busy.set_provisioned(CHECKOUT.function, CHECKOUT.qualifier, 3)
    at = [NOON.timestamp() * 1000 - 60_000 * n for n in range(1, 8)]
    busy.load_reports(
        CHECKOUT.function, at, duration_ms=2000.4, init_ms=1500, billed_ms=2001, environment=np.arange(900, 907)
    )
    cold = part(shown(sources, capsys), "cold_starts")
    assert (cold["on_demand"], cold["provisioned"], cold["confidence"]) == (DAYS * 240, 7, "good")


def test_without_provisioned_concurrency_it_is_certain(
    busy: LocalAws, sources: Sources, capsys: pytest.CaptureFixture[str]
) -> None:
    """CloudWatch has no use of any, so every init was a cold start."""
    del busy
    assert part(shown(sources, capsys), "cold_starts")["confidence"] == "certain"


def test_other_versions_are_told(busy: LocalAws, sources: Sources, capsys: pytest.CaptureFixture[str]) -> None:
    """They ran in that time; logs name versions, not aliases. The new one is counted from its first report on."""
    busy.publish_version(CHECKOUT.function)
    client = busy.session().client("lambda", endpoint_url=busy.endpoint_url)
    client.update_alias(FunctionName=CHECKOUT.function, Name=CHECKOUT.qualifier, FunctionVersion="2")
    at = (NOON - timedelta(hours=12)).timestamp() * 1000
    busy.load_reports(CHECKOUT.function, at + np.arange(6) * 1000, duration_ms=9, init_ms=900, version="2")
    found = shown(sources, capsys)
    cold = part(found, "cold_starts")
    assert (cold["version"], cold["on_demand"], cold["others"]) == ("2", 6, {"1": 2 * DAYS * 240})
    assert cold["per_day"] == pytest.approx(12)
    assert "1 (960)" in notes(found)


def test_a_missing_log_group_is_an_error_with_its_name(aws: LocalAws, sources: Sources) -> None:
    """The function never ran, or may not write logs."""
    aws.create_function(CHECKOUT.function)
    with pytest.raises(WarmcastError, match="/aws/lambda/checkout-api"):
        show_cold_starts(sources, ASKED, now=NOON)


def test_an_empty_log_group_says_so(aws: LocalAws, sources: Sources, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to judge, no table, no worst; exit 0."""
    aws.create_function(CHECKOUT.function)
    aws.load_reports(CHECKOUT.function, [], duration_ms=[])
    found = shown(sources, capsys)
    assert part(found, "cold_starts")["confidence"] == "nothing to judge"
    assert found["capacities"] is None
    assert "no reports of version 1" in notes(found)


@pytest.mark.parametrize("operation", ["lambda:GetFunction", "logs:DescribeLogGroups", "logs:StartQuery"])
def test_a_refusal_that_leaves_nothing_is_an_error(busy: LocalAws, sources: Sources, operation: str) -> None:
    """With AWS's words."""
    busy.deny(operation)
    with pytest.raises(AwsError, match="AccessDenied"):
        show_cold_starts(sources, ASKED, now=NOON)


@pytest.mark.parametrize("operation", ["cloudwatch:GetMetricData", "lambda:ListProvisionedConcurrencyConfigs"])
def test_a_refusal_beside_the_logs_costs_the_table_only(
    busy: LocalAws, sources: Sources, capsys: pytest.CaptureFixture[str], operation: str
) -> None:
    """The cold starts stand; why the capacities do not is a note."""
    busy.deny(operation)
    found = shown(sources, capsys)
    assert part(found, "cold_starts")["on_demand"] == DAYS * 240
    assert found["capacities"] is None
    assert "AccessDenied" in notes(found)


def test_a_person_sees_counts_and_a_table(
    busy: LocalAws, sources: Sources, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the method and the source of the prices."""
    del busy
    monkeypatch.setenv("COLUMNS", "140")
    assert show_cold_starts(sources, replace(ASKED, as_json=False), now=NOON) == 0
    out = capsys.readouterr().out
    for words in (
        f"cold starts of {ALIAS}",
        "240.0 a day",
        "p50 1.500 s",
        "USD per avoided",
        "certain",
        "bundled list prices",
    ):
        assert words in out


@pytest.mark.parametrize("name", ["checkout-api", ":live", "checkout-api:", "checkout-api:$LATEST"])
def test_an_alias_must_be_named(name: str) -> None:
    """`$LATEST` can't have provisioned concurrency."""
    with pytest.raises(click.UsageError, match="FUNCTION:ALIAS"):
        Asked.of(name)


@pytest.mark.parametrize("days", [0, 31])
def test_days_have_bounds(days: int) -> None:
    """One to thirty."""
    with pytest.raises(click.UsageError, match="from 1 to 30"):
        Asked.of(ALIAS, days=days)


def test_an_arn_is_a_name_too() -> None:
    """The last part is the qualifier."""
    asked = Asked.of(f"arn:aws:lambda:us-east-1:111122223333:function:{ALIAS}")
    assert (asked.function, asked.qualifier) == ("arn:aws:lambda:us-east-1:111122223333:function:checkout-api", "live")


def test_the_command_scan_leads_here(
    busy: LocalAws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the wall clock, as a person starts it: nothing of those days is left, and that is said."""
    monkeypatch.setenv("AWS_REGION", CHECKOUT.region)
    monkeypatch.setenv("AWS_ENDPOINT_URL", busy.endpoint_url)
    busy.set_now(datetime.now(UTC))
    assert cli.main(["scan", "--cold-starts", ALIAS]) == 0
    assert "pass --yes" in capsys.readouterr().err
    assert cli.main(["scan", "--cold-starts", ALIAS, "--yes", "--format", "json", "--days", "1"]) == 0
    assert "no reports of version 1" in notes(json.loads(capsys.readouterr().out))
    assert cli.main(["scan", "--cold-starts", "checkout-api"]) == 2
