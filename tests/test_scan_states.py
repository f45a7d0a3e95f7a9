"""Verdicts on how an alias is set up, each with its near misses: stuck, unreachable, orphan, not known."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import botocore.session
import numpy as np
import pytest
from botocore.validate import validate_parameters

from judging import NOW, VIRGINIA, function, judged, office, standing, steady, tracking, usage
from warmcast.model import Capacity, Status
from warmcast.scan.found import AliasSeen, FunctionSeen, Owner, Usage, Verdict

FAILED = Capacity(10, 0, 0, Status.FAILED, "FUNCTION_ERROR_INIT_FAILURE")


def _shifting(weights: dict[str, float], *, held: Capacity | None = None) -> FunctionSeen:
    return function(units=held or standing(18), aliases={"live": AliasSeen("8", MappingProxyType(weights))})


def _versions(by_version: dict[str, float]) -> Usage:
    return usage(steady(10), units=18, by_version=by_version)


def _texts(evidence: tuple[object, ...]) -> str:
    return " ".join(str(each) for each in evidence)


# --- stuck -----------------------------------------------------------------------------------------------------------


def test_weights_beside_a_failed_allocation_are_stuck_whatever_the_history() -> None:
    """The new version's init failed: weights stay, and the alias is led back to where its traffic is."""
    finding = judged(_shifting({"7": 1.0}, held=FAILED), None)
    assert finding.verdict is Verdict.STUCK
    assert finding.todo.startswith(
        "aws lambda update-alias --function-name checkout --region us-east-1 --name live --function-version 7 "
        "--routing-config '{}'"
    )
    assert "version 8" in finding.todo
    assert "FUNCTION_ERROR_INIT_FAILURE" in _texts(finding.evidence)


def test_a_canary_with_little_traffic_is_cleared_without_moving_the_alias() -> None:
    """A tenth goes to the other version: the alias's own version keeps its traffic."""
    finding = judged(_shifting({"9": 0.1}, held=FAILED), None)
    assert "--function-version" not in finding.todo


@pytest.mark.parametrize(
    ("weights", "calls", "verdict"),
    [
        ({"9": 0.1}, {"8": 90_000.0, "9": 10_000.0}, Verdict.STUCK),
        ({"9": 0.1}, {"8": 91_900.0, "9": 8_100.0}, Verdict.STUCK),
        ({"9": 0.1}, {"8": 92_100.0, "9": 7_900.0}, Verdict.UNKNOWN),
        ({"9": 0.1}, {"8": 99_600.0, "9": 400.0}, Verdict.UNKNOWN),
        ({"9": 0.1}, {"8": 810.0, "9": 90.0}, Verdict.UNKNOWN),
        ({"7": 1.0}, {"7": 5_000.0, "8": 0.0}, Verdict.STUCK),
        ({"7": 1.0}, {"7": 4_000.0, "8": 1_000.0}, Verdict.UNKNOWN),
        ({"7": 1.0}, {"7": 99.0}, Verdict.UNKNOWN),
        ({"9": 0.1}, {}, Verdict.UNKNOWN),
        ({"9": 0.1}, {"8": float("nan"), "9": float("nan")}, Verdict.UNKNOWN),
    ],
)
def test_a_shift_is_stuck_if_a_days_calls_went_as_the_weights_say(
    weights: dict[str, float], calls: dict[str, float], verdict: Verdict
) -> None:
    """Within a fifth of the rarer version's share, and with a hundred calls on it; a shift of today shows less."""
    finding = judged(_shifting(weights), _versions(calls))
    assert finding.verdict is verdict
    assert finding.monthly_usd == 0
    assert finding.evidence


def test_a_shift_in_progress_is_a_deployment_under_way() -> None:
    """However long its weights have stood: AWS is still allocating."""
    held = Capacity(18, 9, 9, Status.IN_PROGRESS)
    finding = judged(_shifting({"7": 1.0}, held=held), _versions({"7": 50_000.0}))
    assert finding.verdict is Verdict.UNKNOWN
    assert "under way" in _texts(finding.evidence)


def test_a_failed_allocation_without_weights_is_not_judged() -> None:
    """Nothing stands there, whatever was requested."""
    finding = judged(function(units=FAILED), usage(steady(10), units=18))
    assert finding.verdict is Verdict.UNKNOWN
    assert "FAILED" in _texts(finding.evidence)


# --- unreachable -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own_a_day", "of_function", "unreachable"),
    [
        (0.0, 1_000.0, True),
        (0.0, 999.0, False),
        (23.0, 1_000_000.0, True),
        (25.0, 1_000_000.0, False),
        (2.0, 20_000.0, False),  # 28 calls are more than 0.1% of these
    ],
)
def test_capacity_is_unreachable_if_the_functions_calls_go_elsewhere(
    own_a_day: float, of_function: float, *, unreachable: bool
) -> None:
    """A thousand calls of the function, of them at most 0.1% and under one an hour through this alias."""
    used = usage(steady(own_a_day * 0.5 / 86_400), units=5, of_function=of_function)
    finding = judged(function(units=5), used)
    assert (finding.verdict is Verdict.UNREACHABLE) is unreachable
    if unreachable:
        assert finding.monthly_usd == pytest.approx(-5 * 10.95, rel=0.01)


def test_capacity_set_today_is_not_called_unreachable() -> None:
    """The callers may be moved to it tomorrow."""
    used = usage(steady(0), units=5, of_function=1e6)
    assert judged(function(units=standing(5, set_at=NOW - timedelta(hours=23))), used).verdict is Verdict.UNKNOWN
    assert judged(function(units=standing(5, set_at=NOW - timedelta(hours=25))), used).verdict is Verdict.UNREACHABLE


# --- orphan ----------------------------------------------------------------------------------------------------------


def _on_version(version: str, *, newest: str = "7", held: Capacity | None = None) -> FunctionSeen:
    return replace(function(units=held or standing(5), qualifier=version), newest_version=newest)


def test_capacity_on_an_old_version_without_traffic_is_an_orphan() -> None:
    """Alias live points to 7, nobody calls 3; its allocation is all saved."""
    finding = judged(_on_version("3"), usage(steady(0), units=5, of_function=1e6), qualifier="3")
    assert finding.verdict is Verdict.ORPHAN
    assert finding.version == "3"
    assert finding.monthly_usd == pytest.approx(-5 * 10.95, rel=1e-3)
    assert "delete-provisioned-concurrency-config" in finding.todo
    assert "--qualifier 3" in finding.todo


def test_an_orphan_is_told_by_its_state_where_its_history_is_missing() -> None:
    """And its todo asks to make sure first."""
    finding = judged(_on_version("3"), None, qualifier="3")
    assert finding.verdict is Verdict.ORPHAN
    assert "first make sure" in finding.todo


@pytest.mark.parametrize(
    ("seen", "used", "verdict"),
    [
        (_on_version("3"), usage(steady(1), units=5), Verdict.TOO_HIGH),
        (_on_version("7"), usage(steady(0), units=5, of_function=1e6), Verdict.UNKNOWN),
        (_on_version("8", newest="8"), usage(steady(0), units=5, of_function=1e6), Verdict.UNREACHABLE),
        (_on_version("8", newest="8"), usage(steady(0), units=5), Verdict.ORPHAN),
        (_on_version("8", newest="8"), None, Verdict.UNKNOWN),
        (replace(_on_version("3"), unread=("aliases",)), None, Verdict.UNKNOWN),
        (_on_version("3", held=standing(5, set_at=NOW - timedelta(hours=2))), usage(steady(0)), Verdict.UNKNOWN),
    ],
    ids=["called", "behind an alias", "newest, others called", "newest, no calls", "newest", "unread", "just set"],
)
def test_a_version_is_no_orphan_if_somebody_may_need_it(
    seen: FunctionSeen, used: Usage | None, verdict: Verdict
) -> None:
    """Called by its number, behind an alias, the newest, of a function not read, or set today."""
    (qualifier,) = seen.provisioned
    assert judged(seen, used, qualifier=qualifier).verdict is verdict


# --- not known -------------------------------------------------------------------------------------------------------


def _with_gaps(share: float) -> Usage:
    demand = steady(10)
    demand[1 : 1 + round(share * len(demand))] = np.nan
    return usage(demand, units=30)


@pytest.mark.parametrize(
    ("used", "verdict"),
    [
        (None, Verdict.UNKNOWN),
        (usage(steady(10), units=30, complete=False, note="Duration: InternalError"), Verdict.UNKNOWN),
        (_with_gaps(0.049), Verdict.TOO_HIGH),
        (_with_gaps(0.051), Verdict.UNKNOWN),
        (usage(steady(10, days=2), units=30), Verdict.UNKNOWN),
        (usage(steady(10, days=3), units=30), Verdict.TOO_HIGH),
        (usage(np.concatenate([steady(0, 11), steady(10, 3)]), units=30), Verdict.TOO_HIGH),
        (usage(np.concatenate([steady(0, 12), steady(10, 2)]), units=30), Verdict.UNKNOWN),
        (usage(steady(10), units=30, throttled=0.009), Verdict.TOO_HIGH),
        (usage(steady(10), units=30, throttled=0.011), Verdict.UNKNOWN),
    ],
)
def test_no_verdict_on_money_from_too_little_history(used: Usage | None, verdict: Verdict) -> None:
    """Incomplete, with gaps, of under three days of traffic, or hidden by throttles: not known, and no money."""
    finding = judged(function(units=30), used)
    assert finding.verdict is verdict
    assert finding.evidence
    if verdict is Verdict.UNKNOWN:
        assert (finding.amount, finding.monthly_usd) == (None, 0.0)


def test_a_gap_before_the_first_known_step_is_no_gap() -> None:
    """The alias did not exist: five known days are enough."""
    demand = steady(10)
    demand[: 9 * 288] = np.nan
    assert judged(function(units=30), usage(demand, units=30)).verdict is Verdict.TOO_HIGH


def test_throttles_that_hide_little_are_told_all_the_same() -> None:
    """Half a percent: the verdict stands, and says that demand is censored."""
    finding = judged(function(units=30), usage(steady(10), units=30, throttled=0.005))
    assert "were throttled (0.5%)" in _texts(finding.evidence)


@pytest.mark.parametrize("seen", [function(snap_start=True), function(ineligible="Lambda Managed Instances")])
def test_what_cannot_have_provisioned_concurrency_gets_a_no(seen: FunctionSeen) -> None:
    """Whatever its traffic, with that reason."""
    finding = judged(seen, usage(steady(50)))
    assert finding.verdict is Verdict.NO
    assert finding.evidence


# --- who sets it, and what to do -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "owner", "todo"),
    [
        (function(units=5), Owner.UNKNOWN, "aws lambda delete-provisioned-concurrency-config"),
        (function(units=5, stack="shop"), Owner.STACK, "template of stack shop"),
        (function(units=5, scaling=tracking(5, 5)), Owner.AUTO_SCALING, "deregister-scalable-target"),
        (function(units=5, scaling=replace(tracking(5, 5), ours=True)), Owner.WARMCAST, "policy of checkout:live"),
    ],
)
def test_what_to_do_names_whoever_sets_the_capacity(seen: FunctionSeen, owner: Owner, todo: str) -> None:
    """A stack's capacity is not deleted by hand, and a scalable target's would come back."""
    finding = judged(seen, usage(steady(0), units=5, of_function=5.0))
    assert (finding.verdict, finding.owner) == (Verdict.DROP, owner)
    assert todo in finding.todo


def test_the_command_against_idle_tracking_is_one_that_aws_takes() -> None:
    """Its parameters pass botocore's model of PutScalingPolicy, and fill idle minutes with zero."""
    finding = judged(function(units=20, scaling=tracking(2, 40)), usage(office(10), units=20), place=VIRGINIA)
    assert finding.verdict is Verdict.NEVER_SCALED_IN
    words = shlex.split(finding.todo)
    assert words[:3] == ["aws", "application-autoscaling", "put-scaling-policy"]
    given = dict(zip(words[3::2], words[4::2], strict=True))
    config = json.loads(given.pop("--target-tracking-scaling-policy-configuration"))
    shape = (
        botocore.session.get_session().get_service_model("application-autoscaling").operation_model("PutScalingPolicy")
    )
    parameters = {
        "PolicyName": given["--policy-name"],
        "ServiceNamespace": given["--service-namespace"],
        "ResourceId": given["--resource-id"],
        "ScalableDimension": given["--scalable-dimension"],
        "PolicyType": given["--policy-type"],
        "TargetTrackingScalingPolicyConfiguration": config,
    }
    assert shape.input_shape is not None
    validate_parameters(parameters, shape.input_shape)
    assert "FILL(m1, 0)" in json.dumps(config)
