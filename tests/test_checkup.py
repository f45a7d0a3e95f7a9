"""What `doctor` makes of AWS's answers, without AWS: health, and how to mend it."""

from __future__ import annotations

import pytest

from warmcast.checkup import Check, Health, concurrency, refused, unknown_region, unusable, well, writes
from warmcast.errors import AwsError, WarmcastError
from warmcast.model import AccountLimits
from warmcast.permissions import READS, Purpose
from warmcast.refusals import Refusal, fix_of, refusal_of

LISTING = next(read for read in READS if read.name == "ListFunctions")
PRICES = next(read for read in READS if read.name == "GetProducts")


def error(code: str, operation: str = "ListFunctions") -> AwsError:
    """An error of AWS with this code."""
    return AwsError(code, "as AWS says", operation)


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("AccessDeniedException", Refusal.DENIED, "allow lambda:ListFunctions"),
        ("AccessDenied", Refusal.DENIED, "`warmcast iam scan`"),
        ("ExpiredToken", Refusal.IDENTITY, "`aws sso login --profile shop`"),
        ("UnauthorizedSSOTokenError", Refusal.IDENTITY, "sign in again: `aws sso login --profile shop`"),
        ("NoCredentialsError", Refusal.IDENTITY, "`aws configure sso`"),
        ("UnrecognizedClientException", Refusal.IDENTITY, "--region-name af-south-1"),
        ("SignatureDoesNotMatch", Refusal.IDENTITY, "clock"),
        ("MissingAuthenticationToken", Refusal.IDENTITY, "`aws sts get-caller-identity --profile shop`"),
        ("TooManyRequestsException", Refusal.THROTTLED, "try again later"),
        ("EndpointConnectionError", Refusal.UNREACHABLE, "whether af-south-1 is the name of a Region"),
        ("ProfileNotFound", Refusal.SETTINGS, "`aws configure list-profiles`"),
        ("InvalidRegionError", Refusal.SETTINGS, "--region"),
        ("ConfigParseError", Refusal.SETTINGS, "configuration file"),
        ("ServiceException", Refusal.OTHER, ""),
    ],
)
def test_every_kind_of_refusal_says_how_to_mend_it(code: str, kind: Refusal, words: str) -> None:
    """An IAM action, a command, or a place to look; nothing where nothing helps."""
    assert refusal_of(error(code)) is kind
    fix = fix_of(error(code), profile="shop", region="af-south-1")
    assert words in fix
    assert bool(fix) is bool(words)


@pytest.mark.parametrize(
    ("code", "health"),
    [
        ("AccessDeniedException", Health.DENIED),
        ("ThrottlingException", Health.LIMIT),
        ("EndpointConnectionError", Health.FAILED),
        ("ServiceException", Health.FAILED),
    ],
)
def test_a_refused_read_is_denied_a_limit_or_failed(code: str, health: Health) -> None:
    """With AWS's own words."""
    check = refused(LISTING, error(code), profile="", region="eu-west-1")
    assert (check.what, check.health, check.detail) == ("lambda:ListFunctions", health, f"{code}: as AWS says")


def test_a_read_that_can_be_done_without_says_what_is_lost() -> None:
    """A denied price list is no reason to wait for the security team."""
    check = refused(PRICES, error("AccessDeniedException", "GetProducts"), profile="", region="eu-west-1")
    assert check.fix.endswith("without it the bundled table of prices is taken")


@pytest.mark.parametrize(
    ("limit", "unreserved", "room", "health", "fix"),
    [
        (1000, 900, "room for at most 800 units, less what is provisioned already", Health.OK, ""),
        (1000, 101, "room for at most 1 unit, less", Health.OK, ""),
        (1000, 100, "room for at most 0 units", Health.LIMIT, "--desired-value 2000 --region eu-west-1`, or lower"),
        (10, 10, "room for at most 0 units", Health.LIMIT, "--quota-code L-B99A9384 --desired-value 1000"),
    ],
)
def test_room_for_capacity_is_what_aws_does_not_keep(
    limit: int, unreserved: int, room: str, health: Health, fix: str
) -> None:
    """Unreserved less 100: a new account of 10 has none, whatever it pays."""
    check = concurrency(AccountLimits(limit, unreserved), "eu-west-1")
    assert (check.health, room in check.detail, fix in check.fix) == (health, True, True)


def test_writes_are_named_and_none_is_tried() -> None:
    """IAM can tell without writing."""
    checks = writes()
    assert {check.health for check in checks} == {Health.NOT_TRIED}
    assert "lambda:PutProvisionedConcurrencyConfig" in {check.what for check in checks}
    assert all("iam:SimulatePrincipalPolicy" in check.fix for check in checks)
    assert well(checks)


def test_a_slip_in_a_region_is_told_with_its_likeness() -> None:
    """`eu-wst-1` is most like `eu-west-1`; what is like nothing gets examples."""
    known = ["af-south-1", "eu-west-1", "us-east-1"]
    assert unknown_region("eu-wst-1", known).fix.startswith("did you mean eu-west-1")
    assert unknown_region("us-esat-1", ["us-east-1", "us-west-1"]).fix == "did you mean us-east-1 or us-west-1?"
    assert unknown_region("moon", known).fix == "Regions are spelt like af-south-1, eu-west-1"


def test_settings_that_can_not_be_used_are_one_failed_check() -> None:
    """A profile has a command to mend it; no Region tells what to set by itself."""
    missing = unusable(error("ProfileNotFound"), profile="nobody", region="")
    assert (missing.health, missing.fix) == (
        Health.FAILED,
        "`aws configure list-profiles` names the profiles there are",
    )
    assert unusable(WarmcastError("no Region: set AWS_REGION"), profile="", region="").fix == ""


def test_one_denied_read_is_enough_to_say_no() -> None:
    """What was not tried says nothing either way."""
    fine = Check("a", "b", Health.OK)
    assert well([fine, Check("a", "b", Health.NOT_TRIED)])
    assert not well([fine, Check("a", "b", Health.LIMIT)])


def test_purposes_are_the_words_of_the_option() -> None:
    """`--for cold-starts` and its like."""
    assert [each.value for each in Purpose] == ["scan", "import", "backtest", "cold-starts", "controller"]
