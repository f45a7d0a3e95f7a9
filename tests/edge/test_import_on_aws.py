"""`warmcast import` against the local AWS over HTTP: what boto3 puts there comes back as a good policy file."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from builders import CHECKOUT
from warmcast import cli
from warmcast.fleet import load_fleet

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient

    from localaws import LocalAws

LONDON = "Europe/London"
READS = {
    "DescribeScalableTargets",
    "DescribeScalingPolicies",
    "DescribeScheduledActions",
    "ListTagsForResource",
    "GetCallerIdentity",
    "ListFunctions",
    "ListProvisionedConcurrencyConfigs",
}


@pytest.fixture
def scaling(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> ApplicationAutoScalingClient:
    """A client of Application Auto Scaling; the command is led to the same AWS."""
    monkeypatch.setenv("AWS_REGION", CHECKOUT.region)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    return aws.session().client("application-autoscaling", endpoint_url=aws.endpoint_url)


def register(aws: LocalAws, client: ApplicationAutoScalingClient, function: str, minimum: int, maximum: int) -> str:
    """A function whose alias `live` is a scalable target with target tracking; its resource id."""
    aws.create_function(function)
    aws.set_provisioned(function, "live", minimum)
    resource = f"function:{function}:live"
    client.register_scalable_target(
        ServiceNamespace="lambda",
        ResourceId=resource,
        ScalableDimension="lambda:function:ProvisionedConcurrency",
        MinCapacity=minimum,
        MaxCapacity=maximum,
    )
    client.put_scaling_policy(
        PolicyName="keep-70",
        ServiceNamespace="lambda",
        ResourceId=resource,
        ScalableDimension="lambda:function:ProvisionedConcurrency",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 0.7,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "LambdaProvisionedConcurrencyUtilization"},
        },
    )
    return resource


def schedule(client: ApplicationAutoScalingClient, resource: str, name: str, expression: str, minimum: int) -> None:
    """A scheduled action in London's time."""
    client.put_scheduled_action(
        ServiceNamespace="lambda",
        ResourceId=resource,
        ScalableDimension="lambda:function:ProvisionedConcurrency",
        ScheduledActionName=name,
        Schedule=expression,
        Timezone=LONDON,
        ScalableTargetAction={"MinCapacity": minimum},
    )


@pytest.fixture
def office(aws: LocalAws, scaling: ApplicationAutoScalingClient) -> ApplicationAutoScalingClient:
    """Two aliases with office hours, and provisioned concurrency that nothing scales."""
    for function in ("checkout-api", "search-api"):
        resource = register(aws, scaling, function, 2, 400)
        schedule(scaling, resource, "warm", "cron(0 8 ? * 2-6 *)", 20)
        schedule(scaling, resource, "cool", "cron(0 19 ? * MON-FRI *)", 2)
    aws.create_function("plain-api")
    aws.set_provisioned("plain-api", "live", 5)
    aws.clear_calls()
    return scaling


def test_what_is_imported_validates(office: ApplicationAutoScalingClient, aws: LocalAws, tmp_path: Path) -> None:
    """Into a file, then `warmcast validate` on it; nothing but reads was called."""
    del office
    path = tmp_path / "imported.yaml"
    assert cli.main(["import", "--out", str(path)]) == 0
    assert {name.rpartition(":")[2] for name in aws.calls()} <= READS
    assert cli.main(["validate", "--strict", str(path)]) == 0
    policies = load_fleet([path], home=None).policies
    assert [str(target) for target in policies] == ["checkout-api:live", "search-api:live"]
    for policy in policies.values():
        (window,) = policy.schedule
        assert (window.title, window.days, window.min) == ("warm", frozenset(range(5)), 20)
        assert (policy.capacity.min, policy.capacity.max, str(policy.timezone)) == (2, 400, LONDON)


def test_what_is_not_translated_is_told_in_every_place(
    office: ApplicationAutoScalingClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the file, on standard error and in the JSON; exit code 1."""
    year = datetime.now(UTC).year + 1
    schedule(office, "function:checkout-api:live", "sale", f"at({year}-11-27T00:00:00)", 200)
    path = tmp_path / "imported.yaml"
    assert cli.main(["import", "--target", "checkout-api:live", "--out", str(path), "--format", "json"]) == 1
    said = capsys.readouterr()
    assert f"# NOT TRANSLATED: sale: at({year}-11-27T00:00:00): happens once" in path.read_text(encoding="utf-8")
    assert "checkout-api:live: not translated: sale" in said.err
    (target,) = json.loads(said.out)["targets"]
    assert [left["action"] for left in target["untranslated"]] == ["sale"]
    assert cli.main(["validate", "--strict", str(path)]) == 0


def test_plain_provisioned_concurrency_comes_with_fixed(
    office: ApplicationAutoScalingClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """Asked for by name; without --fixed it is missing, which is said."""
    del office
    assert cli.main(["import", "--target", "plain-api:live"]) == 1
    assert "no scalable target (without one: --fixed): plain-api:live" in capsys.readouterr().err
    assert cli.main(["import", "--target", "plain-api:live", "--fixed"]) == 0
    assert "capacity: {min: 5, max: 5}" in capsys.readouterr().out


def test_nothing_to_import_is_said(scaling: ApplicationAutoScalingClient, capsys: pytest.CaptureFixture[str]) -> None:
    """No scalable target in the whole Region: no file, no error."""
    del scaling
    assert cli.main(["import"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{CHECKOUT.account}/{CHECKOUT.region}: nothing to import" in said.err


def test_a_denied_call_is_named_with_what_mends_it(
    office: ApplicationAutoScalingClient, aws: LocalAws, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, no traceback."""
    del office
    aws.inject(
        "DescribeScheduledActions", code="AccessDeniedException", message="User is not authorized", status=400, times=9
    )
    assert cli.main(["import"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "DescribeScheduledActions: AccessDeniedException: User is not authorized" in line
    assert "warmcast iam scan" in line


def test_a_file_that_exists_is_not_overwritten(
    office: ApplicationAutoScalingClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be somebody's policy."""
    del office
    path = tmp_path / "mine.yaml"
    path.write_text("targets: []\n", encoding="utf-8")
    assert cli.main(["import", "--out", str(path)]) == 2
    assert "is not overwritten" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "targets: []\n"
