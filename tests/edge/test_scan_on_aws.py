"""`warmcast scan` against the local AWS over HTTP: places, denials, Ctrl-C, what it costs, how few calls it makes."""

from __future__ import annotations

import io
import json
import signal
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from rich.console import Console

from builders import CHECKOUT, NOON
from localaws import Traffic
from scripted import StepClock
from warmcast import cli
from warmcast.aws.regions import default_regions
from warmcast.commands.progress import Watch
from warmcast.commands.scan import NOTHING_TO_DO, exit_code
from warmcast.commands.scanning import Terms, estimates, make_scan, open_places
from warmcast.permissions import READ_ONLY
from warmcast.pricebook import listed
from warmcast.scan.found import Verdict
from warmcast.scan.record import record_of, scan_from_json, scan_to_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from localaws import LocalAws
    from warmcast.scan.found import Finding, Scan

HOME = CHECKOUT.region
OTHER = "eu-west-1"
MINUTES = 14 * 1440
TERMS = Terms(NOON, days=14, cold_start_usd=0.01, much_per_day=1000, book=listed())


def flat(per_minute: float = 120.0, *, capacity: float | None = None) -> Traffic:
    """Two weeks of as many invocations a minute, half a second each."""
    invocations = np.full(MINUTES, per_minute)
    units = None if capacity is None else np.full(MINUTES, capacity)
    return Traffic(invocations, invocations * 500.0, np.full(MINUTES, 4.0), capacity=units)


def load(aws: LocalAws, names: Sequence[str], traffic: Traffic, *, region: str = HOME, now: datetime = NOON) -> None:
    """Give functions and their alias `live` this traffic up to now."""
    aws.elsewhere(region=region).load_traffic(traffic, list(names), "live", now - timedelta(minutes=MINUTES))


def quiet() -> Watch:
    """A watch whose words go nowhere."""
    return Watch(Console(file=io.StringIO()), StepClock())


def scanned(
    aws: LocalAws, *regions: str, watch: Watch | None = None, terms: Terms = TERMS, profiles: Sequence[str] = ()
) -> Scan:
    """A scan whose waiting costs no time."""
    opened = open_places(profiles, regions or (HOME,), endpoint_url=aws.endpoint_url, clock=StepClock())
    return make_scan(opened, terms, watch or quiet())


def named(scan: Scan) -> dict[str, Finding]:
    """Its findings by name."""
    return {finding.name: finding for finding in scan.findings}


@pytest.fixture
def account(aws: LocalAws) -> LocalAws:
    """An alias with ten units, a busy one without, a function that hardly runs; in the other Region the first alone."""
    for name in ("checkout-api", "search-api", "nightly"):
        aws.create_function(name)
    aws.elsewhere(region=OTHER).create_function("checkout-api")
    for region in (HOME, OTHER):
        aws.elsewhere(region=region).set_provisioned("checkout-api", "live", 10)
        load(aws, ["checkout-api"], flat(capacity=10.0), region=region)
    load(aws, ["search-api"], flat())
    load(aws, ["nightly"], flat(0.01))
    aws.clear_calls()
    return aws


# --- what it finds ---------------------------------------------------------------------------------------------------


def test_every_region_is_measured_and_judged(account: LocalAws) -> None:
    """Each alias with capacity or much traffic has a row with usage, figures and evidence; the quiet one is counted."""
    scan = scanned(account, HOME, OTHER)
    assert [str(place) for place in scan.places] == [f"{CHECKOUT.account}/{HOME}", f"{CHECKOUT.account}/{OTHER}"]
    assert {(f.place.region, f.name) for f in scan.findings} == {
        (HOME, "checkout-api:live"),
        (HOME, "search-api:live"),
        (OTHER, "checkout-api:live"),
    }
    assert dict(scan.skipped) == {scan.places[0]: 1}
    for finding in scan.findings:
        assert finding.evidence
        assert finding.usage is not None
        assert finding.usage.complete
        assert finding.usage.invocations.sum() == pytest.approx(MINUTES * 120, rel=0.002)
        assert finding.figures is not None
    assert not scan.interrupted
    assert not scan.denials


def test_usage_is_kept_by_the_hour(account: LocalAws) -> None:
    """What a report draws; two thousand of them stay in memory."""
    usage = named(scanned(account))["checkout-api:live"].usage
    assert usage is not None
    assert (usage.step_s, len(usage.invocations)) == (3600, 336)
    assert usage.capacity.tolist() == [10.0] * 336
    assert usage.certain.mean() > 0.99


def test_what_stood_before_it_was_set_is_seen_in_its_use(account: LocalAws) -> None:
    """Forty were set just now; ten were in use for two weeks."""
    account.set_provisioned("checkout-api", "live", 40)
    usage = named(scanned(account))["checkout-api:live"].usage
    assert usage is not None
    assert set(usage.capacity[:-1]) == {10.0}


def test_a_function_that_is_called_without_a_name_is_told_so(aws: LocalAws) -> None:
    """Much traffic and no alias: a row for `$LATEST`, which can have no provisioned concurrency."""
    aws.create_function("legacy", alias="")
    load(aws, ["legacy"], flat())
    (finding,) = scanned(aws).findings
    assert (finding.name, finding.verdict) == ("legacy:$LATEST", Verdict.NO)
    assert finding.evidence


def test_what_a_reservation_throttles_is_in_the_list(account: LocalAws) -> None:
    """The account's row comes first, then the function's."""
    account.create_function("resize", reserved=20)
    account.load_minutes(
        "resize",
        "",
        NOON - timedelta(minutes=MINUTES),
        invocations=np.full(MINUTES, 60.0),
        duration_ms=np.full(MINUTES, 60_000.0),
        concurrency=np.full(MINUTES, 20.0),
        throttles=np.full(MINUTES, 5.0),
    )
    rows = {row.function: row for row in scanned(account).concurrency}
    assert next(iter(rows)) == ""
    assert rows["resize"].limit == 20
    assert rows["resize"].throttles == pytest.approx(5 * MINUTES, rel=0.001)


def test_an_account_without_functions_has_nothing_to_say(aws: LocalAws) -> None:
    """No row, no skipped function, no query for a function; exit code 0."""
    scan = scanned(aws)
    assert (scan.findings, dict(scan.skipped), scan.denials) == ((), {}, ())
    assert scan.metrics_requested == 1
    assert exit_code(scan) == 0


# --- what it may not read --------------------------------------------------------------------------------------------


def test_a_denied_region_is_a_row_and_the_others_go_on(account: LocalAws) -> None:
    """Place, operation, AWS's code and how to mend it."""
    account.deny("lambda:ListFunctions", region=OTHER)
    scan = scanned(account, HOME, OTHER)
    (denial,) = scan.denials
    assert (denial.place.region, denial.operation, denial.code) == (OTHER, "ListFunctions", "AccessDeniedException")
    assert "lambda:ListFunctions" in denial.fix
    assert {finding.place.region for finding in scan.findings} == {HOME}
    assert exit_code(scan) == 1


def test_a_role_that_may_read_nothing_is_rows_and_no_traceback(account: LocalAws) -> None:
    """Everything is denied but who one is."""
    for service in ("lambda", "cloudwatch", "application-autoscaling"):
        account.deny(f"{service}:*")
    scan = scanned(account)
    assert not scan.findings
    assert {"ListFunctions", "DescribeScalableTargets"} <= {denial.operation for denial in scan.denials}


def test_without_cloudwatch_what_stands_is_named_and_not_judged(account: LocalAws) -> None:
    """One denial of GetMetricData, however often it was refused."""
    account.deny("cloudwatch:GetMetricData")
    scan = scanned(account)
    assert [denial.operation for denial in scan.denials] == ["GetMetricData"]
    (finding,) = scan.findings
    assert (finding.name, finding.verdict) == ("checkout-api:live", Verdict.UNKNOWN)
    assert finding.usage is not None
    assert "AccessDenied" in finding.usage.note


def test_a_series_that_may_not_be_read_leaves_its_alias_unknown(account: LocalAws) -> None:
    """Forbidden is no zero, and the other aliases are judged."""
    account.afflict("Forbidden", {"Resource": "checkout-api:live"})
    found = named(scanned(account))
    assert found["checkout-api:live"].verdict is Verdict.UNKNOWN
    assert found["search-api:live"].verdict is not Verdict.UNKNOWN


def test_a_profile_that_is_not_there_is_a_row(account: LocalAws) -> None:
    """And the good ones are scanned."""
    scan = scanned(account, HOME, profiles=("", "no-such-profile"))
    (denial,) = scan.denials
    assert (denial.place.profile, denial.code) == ("no-such-profile", "ProfileNotFound")
    assert len(scan.findings) == 2


def test_one_accounts_region_is_scanned_once(account: LocalAws) -> None:
    """Two profiles may lead to the same place."""
    assert len(scanned(account, HOME, HOME, profiles=("", "")).places) == 1


def test_every_region_that_is_enabled_by_default_can_be_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--region all` leaves out those that have to be opted into, and stays in the partition of the profile."""
    regions = default_regions(None)
    assert len(regions) == 17
    assert {"us-east-1", "sa-east-1"} <= set(regions)
    assert "me-south-1" not in regions
    monkeypatch.setenv("AWS_DEFAULT_REGION", "cn-north-1")
    assert default_regions(None) == ("cn-north-1", "cn-northwest-1")


# --- how much it asks ------------------------------------------------------------------------------------------------


def test_an_estimate_reads_no_metric(account: LocalAws) -> None:
    """It lists functions; the scan then asks for no more than was said."""
    opened = open_places((), (HOME, OTHER), endpoint_url=account.endpoint_url, clock=StepClock())
    found = estimates(opened, days=14).estimates
    assert account.calls() == {"sts:GetCallerIdentity": 2, "lambda:ListFunctions": 2}
    assert [each.functions for each in found] == [3, 1]
    scan = scanned(account, HOME, OTHER)
    assert scan.metrics_requested <= sum(each.most_metrics for each in found)
    lambda_calls = [
        count for name, count in scan.calls.items() if name.startswith("lambda.") and "GetFunction" not in name
    ]
    assert sum(lambda_calls) <= sum(each.calls for each in found)


def test_an_estimate_of_a_denied_region_says_so(account: LocalAws) -> None:
    """The other Region's is told."""
    account.deny("lambda:ListFunctions", region=OTHER)
    opened = open_places((), (HOME, OTHER), endpoint_url=account.endpoint_url, clock=StepClock())
    found = estimates(opened, days=14)
    assert (len(found.estimates), len(found.denials)) == (1, 1)


def test_forty_functions_take_full_calls_and_few_of_them(aws: LocalAws) -> None:
    """One call a function and two more where there is something to see; metrics in as few calls as fit."""
    names = [f"fn-{n:02}" for n in range(20)]
    for region in (HOME, OTHER):
        there = aws.elsewhere(region=region)
        for name in names:
            there.create_function(name)
        for name in names[:5]:
            there.set_provisioned(name, "live", 10)
        load(aws, names[:5], flat(capacity=10.0), region=region)
        load(aws, names[5:10], flat(), region=region)
    aws.clear_calls()
    scan = scanned(aws, HOME, OTHER)
    assert len(scan.findings) == 2 * 10
    series = 5 * 8 + 5 * 5
    assert aws.calls()["cloudwatch:GetMetricData"] >= 2 * (1 + -(-series // 25) + 1)
    sizes = [
        len(call["params"]["MetricDataQueries"])
        for call in aws.journal("GetMetricData")
        if not call["params"].get("NextToken")
    ]
    assert sorted(sizes) == sorted(2 * [20, 25, 25, 15, 21])
    assert scan.metrics_requested == 2 * (20 + series + 21)
    lambda_calls = {name: count for name, count in aws.calls().items() if name.startswith("lambda:")}
    assert lambda_calls == {
        "lambda:ListFunctions": 2,
        "lambda:GetAccountSettings": 2,
        "lambda:ListProvisionedConcurrencyConfigs": 2 * 20,
        "lambda:ListAliases": 2 * 10,
        "lambda:GetFunction": 2 * 10,
    }


def test_nothing_but_reads_is_sent(account: LocalAws) -> None:
    """Every call of a scan is on the list of reads."""
    scan = scanned(account, HOME, OTHER)
    assert set(scan.calls) <= READ_ONLY


# --- stopping it -----------------------------------------------------------------------------------------------------


class Interrupting(Watch):
    """Sends the process Ctrl-C when a part of the work has come so far."""

    def __init__(self, when: str, *, place: str = "") -> None:
        super().__init__(Console(file=io.StringIO()), StepClock())
        self.when, self.place, self.stopped_at = when, place, threading.Event()

    def tell(self, part: str, doing: str, done: int, total: int) -> None:
        """At the first such word, stop and wait until that has arrived."""
        del done, total
        if doing == self.when and part.endswith(self.place) and not self.stopped_at.is_set():
            self.stopped_at.set()
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            while self.going():
                threading.Event().wait(0.01)


def test_a_scan_that_is_stopped_while_it_measures_keeps_its_findings(account: LocalAws) -> None:
    """What has provisioned concurrency is named, not judged; the file of it can be read again."""
    scan = scanned(account, watch=Interrupting("aliases"))
    assert scan.interrupted
    assert named(scan)["checkout-api:live"].verdict is Verdict.UNKNOWN
    assert exit_code(scan) == 130
    record = record_of(scan)
    assert scan_from_json(scan_to_json(record), source="scan.json").interrupted


def test_a_scan_that_is_stopped_while_it_looks_names_what_it_has_seen(account: LocalAws) -> None:
    """The functions that were read before; no more calls than that."""
    scan = scanned(account, watch=Interrupting("provisioned concurrency"))
    assert scan.interrupted
    assert set(named(scan)) == {"checkout-api:live"}
    assert account.calls()["lambda:ListProvisionedConcurrencyConfigs"] == 1
    assert "lambda:ListAliases" not in account.calls()


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def laptop(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    """An alias with ten units where one would do, up to this minute, and the environment that leads there."""
    now = datetime.now(UTC)
    aws.set_now(now)
    aws.create_function("checkout-api")
    aws.set_provisioned("checkout-api", "live", 10)
    load(aws, ["checkout-api"], flat(capacity=10.0), now=now.replace(second=0, microsecond=0))
    aws.clear_calls()
    monkeypatch.setenv("AWS_REGION", HOME)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    monkeypatch.setenv("COLUMNS", "160")
    return aws


def test_the_command_prints_a_table_and_writes_a_file(
    laptop: LocalAws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, for something is to be done."""
    del laptop
    out = tmp_path / "scan.json"
    assert cli.main(["scan", "--out", str(out)]) == 1
    assert "checkout-api:live" in capsys.readouterr().out
    record = scan_from_json(out.read_bytes(), source=str(out))
    (row,) = record.rows
    assert row.name == "checkout-api:live"
    assert row.verdict not in NOTHING_TO_DO
    assert record.prices_source.startswith("AWS Price List")


def test_the_command_prints_json_for_programs(laptop: LocalAws, capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output has nothing else."""
    del laptop
    assert cli.main(["scan", "--format", "json", "--days", "7"]) == 1
    record = scan_from_json(capsys.readouterr().out, source="standard output")
    assert (record.days, len(record.rows)) == (7, 1)


def test_the_command_tells_the_cost_beforehand(laptop: LocalAws, capsys: pytest.CaptureFixture[str]) -> None:
    """As a table and as JSON, without a metric."""
    assert cli.main(["scan", "--estimate"]) == 0
    assert "All in all under $0.01" in capsys.readouterr().out
    assert cli.main(["scan", "--estimate", "--format", "json"]) == 0
    (each,) = json.loads(capsys.readouterr().out)["estimates"]
    assert (each["functions"], each["first_metrics"], each["most_metrics"]) == (1, 1, 12)
    assert "cloudwatch:GetMetricData" not in laptop.calls()


@pytest.mark.parametrize(
    "wrong",
    [
        ["--days", "64"],
        ["--out", "scan.html"],
        ["--out", "/no/such/folder/scan.json"],
        ["--cold-starts", "checkout-api"],
        ["--cold-start-usd", "-1"],
    ],
)
def test_wrong_usage_is_said_before_anything_is_read(laptop: LocalAws, wrong: list[str]) -> None:
    """Exit code 2, and no metric."""
    assert cli.main(["scan", *wrong]) == 2
    assert "cloudwatch:GetMetricData" not in laptop.calls()
