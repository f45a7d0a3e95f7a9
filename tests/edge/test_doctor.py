"""`warmcast doctor` against the local AWS over HTTP: whatever is wrong is told with its fix, never as a traceback."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from builders import CHECKOUT
from warmcast import cli

if TYPE_CHECKING:
    from localaws import LocalAws


@dataclass
class Doctor:
    """The command against a local AWS.

    Attributes:
        err: what it said beside the result, of the last visit.
    """

    aws: LocalAws
    capsys: pytest.CaptureFixture[str]
    err: str = ""

    def says(self, *line: str, code: int = 1, region: str = CHECKOUT.region) -> dict[str, dict[str, str]]:
        """What it says, by the name of each check; nothing is ever a bug of ours."""
        where = ["--region", region, "--endpoint-url", self.aws.endpoint_url]
        assert cli.main(["doctor", *where, *line, "--format", "json"]) == code
        out, self.err = self.capsys.readouterr()
        assert "Traceback" not in self.err
        said: dict[str, Any] = json.loads(out)
        assert said["ok"] is (code == 0)
        return {check["what"]: check for check in said["checks"]}


@pytest.fixture
def doctor(aws: LocalAws, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """With one function in the account."""
    aws.set_now(datetime.now(UTC))
    aws.create_function(CHECKOUT.function)
    return Doctor(aws, capsys)


def healths(said: dict[str, dict[str, str]]) -> set[str]:
    """How the checks came out, each way once."""
    return {check["health"] for check in said.values()}


def test_an_account_that_allows_everything_is_well(doctor: Doctor) -> None:
    """Each permission ok, tried on the first function; what costs or lacks something to try on is told as not tried."""
    said = doctor.says(code=0)
    assert healths(said) == {"ok", "not tried"}
    assert said["lambda:ListProvisionedConcurrencyConfigs"]["detail"] == "tried on checkout-api"
    assert said["concurrent executions"]["detail"].startswith(
        "1,000, of it 1,000 unreserved: room for at most 900 units, less"
    )
    untried = {name: check["detail"] for name, check in said.items() if check["health"] == "not tried"}
    assert untried == {
        "application-autoscaling:ListTagsForResource": "there is no scalable target to try it on",
        "ce:GetCostAndUsage": "AWS charges $0.01 a request: --cost-explorer tries it",
    }


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("lambda:ListFunctions", "lambda:ListFunctions"),
        ("lambda:ListAliases", "lambda:ListAliases"),
        ("cloudwatch:GetMetricData", "cloudwatch:GetMetricData"),
        ("application-autoscaling:DescribeScalingPolicies", "application-autoscaling:DescribeScalingPolicies"),
        ("pricing:GetProducts", "pricing:GetProducts"),
    ],
)
def test_a_denied_permission_is_named_with_its_fix(doctor: Doctor, operation: str, action: str) -> None:
    """The others are tried all the same."""
    doctor.aws.deny(operation)
    said = doctor.says()
    assert said[action]["health"] == "denied"
    assert f"allow {action}" in said[action]["fix"]
    assert said["lambda:GetAccountSettings"]["health"] == "ok"


def test_without_a_list_of_functions_one_can_be_named(doctor: Doctor) -> None:
    """What needs a function is not tried, unless the user names one."""
    doctor.aws.deny("lambda:ListFunctions")
    said = doctor.says()
    assert said["lambda:GetFunction"]["detail"] == "no function is known: name one with --function"
    assert doctor.says("--function", CHECKOUT.function)["lambda:GetFunction"]["health"] == "ok"


def test_an_empty_account_is_well(aws: LocalAws, capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to try on, and that is no fault."""
    said = Doctor(aws, capsys).says(code=0)
    assert said["lambda:GetFunction"]["detail"] == "there is no function here to try it on"


def test_a_new_accounts_quota_is_a_limit(doctor: Doctor) -> None:
    """Of 10 concurrent executions none can be provisioned: AWS keeps 100."""
    doctor.aws.configure(account_concurrency=10)
    said = doctor.says()
    assert said["concurrent executions"]["health"] == "limit"
    assert "request-service-quota-increase" in said["concurrent executions"]["fix"]


def test_throttling_is_a_limit(doctor: Doctor) -> None:
    """Somebody else uses the account's rate up."""
    doctor.aws.inject("ListAliases", times=None, code="TooManyRequestsException", message="Rate Exceeded.", status=429)
    assert doctor.says()["lambda:ListAliases"]["health"] == "limit"


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("ExpiredToken", "have expired"),
        ("InvalidClientTokenId", "enable the Region"),
        ("SignatureDoesNotMatch", "clock"),
    ],
)
def test_credentials_that_aws_does_not_take_end_the_checks(doctor: Doctor, code: str, fix: str) -> None:
    """Every other call would meet the same, so none is made or listed; the one says what to do."""
    doctor.aws.inject("GetCallerIdentity", times=None, code=code, message="no", status=403)
    said = doctor.says()
    (only,) = said.values()
    assert (only["health"], fix in only["fix"]) == ("failed", True)
    assert only["detail"].startswith(code)
    assert set(doctor.aws.calls()) == {"sts:GetCallerIdentity"}


def test_no_credentials_at_all_are_told_without_a_call(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that makes some."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    (only,) = doctor.says().values()
    assert only["detail"] == "NoCredentialsError: Unable to locate credentials"
    assert "`aws configure sso`" in only["fix"]
    assert doctor.aws.calls() == {}


def test_a_profile_that_is_not_there_is_told(doctor: Doctor) -> None:
    """Before any call."""
    said = doctor.says("--profile", "nobody")
    assert said["configuration"]["detail"].endswith("The config profile (nobody) could not be found")
    assert "`aws configure list-profiles`" in said["configuration"]["fix"]


def test_a_slip_in_the_region_is_told(doctor: Doctor) -> None:
    """By likeness where it could be a Region's name, and where it can't be one at all."""
    assert doctor.says(region="eu-wst-1")["configuration"]["fix"].startswith("did you mean eu-west-1")
    said = doctor.says(region="eu west 1")
    assert said["configuration"]["health"] == "failed"
    assert "InvalidRegionError" in next(check["detail"] for name, check in said.items() if name.startswith("sts:"))


def test_no_region_anywhere_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """With what to set."""
    assert cli.main(["doctor"]) == 1
    assert "no Region: set AWS_REGION" in " ".join(capsys.readouterr().out.split())


def test_an_endpoint_that_can_not_be_reached_is_told(doctor: Doctor, capsys: pytest.CaptureFixture[str]) -> None:
    """One attempt and its repetition, not one for every permission."""
    line = ["doctor", "--region", CHECKOUT.region, "--endpoint-url", "http://127.0.0.1:9", "--format", "json"]
    assert cli.main(line) == 1
    (only,) = json.loads(capsys.readouterr().out)["checks"]
    assert only["detail"].startswith("EndpointConnectionError: Could not connect")
    assert "check the network" in only["fix"]
    assert doctor.aws.calls() == {}


def test_the_controllers_writes_are_named_and_not_tried(doctor: Doctor) -> None:
    """Its reads are tried, the control table where it is named; no write leaves."""
    said = doctor.says("--for", "controller", code=0)
    assert said["lambda:GetAlias"]["health"] == "ok"
    assert said["dynamodb:Query"]["detail"] == "no control table is known: name it with --table"
    assert said["lambda:PutProvisionedConcurrencyConfig"]["detail"] == "a write"
    assert "lambda:ListAliases" not in said


def test_a_table_that_does_not_exist_is_told(doctor: Doctor) -> None:
    """The name was a slip, or the stack is another one."""
    said = doctor.says("--for", "controller", "--table", "nope")
    assert said["dynamodb:Query"]["health"] == "failed"
    assert "ResourceNotFoundException" in said["dynamodb:Query"]["detail"]


def test_a_person_gets_a_table_and_below_it_what_to_do(
    doctor: Doctor, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line a fix, to copy."""
    doctor.aws.deny("lambda:ListAliases")
    monkeypatch.setenv("COLUMNS", "160")
    where = ["--region", CHECKOUT.region, "--endpoint-url", doctor.aws.endpoint_url]
    assert cli.main(["doctor", *where]) == 1
    out = capsys.readouterr().out
    assert "denied" in out
    assert "\n> allow lambda:ListAliases (`warmcast iam scan` prints the whole policy)\n" in out


def test_no_permission_is_broken_on_a_narrow_terminal(
    doctor: Doctor, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On 80 columns every action can be copied whole."""
    monkeypatch.setenv("COLUMNS", "80")
    actions = [name for name in doctor.says(code=0) if ":" in name and " " not in name]
    assert cli.main(["doctor", "--region", CHECKOUT.region, "--endpoint-url", doctor.aws.endpoint_url]) == 0
    out = capsys.readouterr().out
    assert len(actions) > 10
    assert [action for action in actions if action not in out] == []
    assert max(map(len, out.splitlines())) <= 80
