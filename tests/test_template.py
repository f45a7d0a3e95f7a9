"""What the stack promises: permissions, schedule, failure paths and alarms, read from `template.yaml` itself."""

from __future__ import annotations

import ast
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import yaml

from warmcast.model import TickReport
from warmcast.report import NAMESPACE, metrics
from warmcast.settings import Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
Json: TypeAlias = Any


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short functions, as `{"Ref": ...}` and `{"Fn::Sub": ...}`."""


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> Json:
    match node:
        case yaml.ScalarNode():
            value: Json = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case _:
            value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type] # only mappings are left
    return {suffix if suffix == "Ref" else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)
TEMPLATE: Json = yaml.load((ROOT / "template.yaml").read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
RESOURCES: Json = TEMPLATE["Resources"]
TICK: Json = RESOURCES["TickFunction"]["Properties"]
ALARMS = {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == "AWS::CloudWatch::Alarm"}

# Actions that no call of ours names: AWS asks for them beside the call.
BESIDE = {
    "lambda:GetProvisionedConcurrencyConfig": "Application Auto Scaling probes it in the caller's name",
    "cloudwatch:PutMetricAlarm": "the same",
    "cloudwatch:DescribeAlarms": "the same",
    "cloudwatch:DeleteAlarms": "the same",
    "application-autoscaling:TagResource": "RegisterScalableTarget with tags",
    "iam:CreateServiceLinkedRole": "the first registration of an account creates Application Auto Scaling's role",
}
PREFIXES = {
    "autoscaling.py": "application-autoscaling",
    "functions.py": "lambda",
    "metrics.py": "cloudwatch",
    "table.py": "dynamodb",
}
# What each of these services offers no narrower resource for (Service Authorization Reference).
UNRESTRICTABLE = {
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "cloudwatch:GetMetricData",
    "lambda:GetAccountSettings",
}


def _statements() -> Iterator[Json]:
    for policy in TICK["Policies"]:
        yield from policy["Statement"]
    yield from RESOURCES["AutoscalingPolicy"]["Properties"]["PolicyDocument"]["Statement"]


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def _allowed() -> dict[str, Json]:
    return {action: statement for statement in _statements() for action in _listed(statement["Action"])}


def _called() -> set[str]:
    """The operations that the edge names where it translates their errors: `translated("GetAlias")`."""
    calls = set()
    for name, prefix in PREFIXES.items():
        tree = ast.parse((ROOT / "src/warmcast/aws" / name).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "translated":
                calls.add(f"{prefix}:{ast.literal_eval(node.args[0])}")
    return calls


# --- permissions -----------------------------------------------------------------------------------------------------


def test_every_call_of_the_edge_is_allowed_and_nothing_else() -> None:
    """A new call needs its permission here, and a call that went takes its permission along."""
    called = _called()
    assert len(called) > 10
    assert set(_allowed()) == called | BESIDE.keys()


def test_no_action_is_a_pattern() -> None:
    """`lambda:*` would be the end of least privilege."""
    assert [action for action in _allowed() if "*" in action] == []


def test_only_actions_without_a_narrower_resource_have_the_star() -> None:
    """Everything else names functions, scalable targets, the table or the one role."""
    starred = {action for action, statement in _allowed().items() if statement["Resource"] == "*"}
    probes = {"cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms", "cloudwatch:DeleteAlarms"}
    assert starred == UNRESTRICTABLE | probes


@pytest.mark.parametrize(
    "action", ["lambda:PutProvisionedConcurrencyConfig", "lambda:DeleteProvisionedConcurrencyConfig"]
)
def test_writes_need_a_qualified_arn_that_fits_the_pattern_and_the_tag_if_one_is_asked(action: str) -> None:
    """Neither action takes an unqualified function; the pattern and the tag are the stack owner's, not the fleet's."""
    statement = _allowed()[action]
    assert statement["Resource"]["Fn::Sub"].endswith(":function:${FunctionPattern}:*")
    condition = statement["Condition"]["Fn::If"]
    assert condition[0] == "RequiresTag"
    assert condition[1] == {"StringEquals": {"aws:ResourceTag/warmcast": {"Ref": "RequiredTagValue"}}}


def test_autoscaling_is_allowed_only_where_the_stack_says_so() -> None:
    """Alarms on every resource are a price that a fleet of `direct` targets need not pay."""
    policy = RESOURCES["AutoscalingPolicy"]
    assert policy["Condition"] == "AllowsAutoscaling"
    assert TEMPLATE["Parameters"]["AllowAutoscaling"]["Default"] == "false"
    base = {action for each in TICK["Policies"] for s in each["Statement"] for action in _listed(s["Action"])}
    assert not {action for action in base if action.startswith(("iam:", "cloudwatch:Put", "cloudwatch:Delete"))}


def test_the_service_linked_role_is_the_only_one_that_may_be_created() -> None:
    """Both the role's name and the service that it is for are fixed."""
    statement = _allowed()["iam:CreateServiceLinkedRole"]
    service = "lambda.application-autoscaling.amazonaws.com"
    assert statement["Condition"] == {"StringEquals": {"iam:AWSServiceName": service}}
    assert statement["Resource"]["Fn::Sub"].endswith(
        f":role/aws-service-role/{service}/AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency"
    )


def test_what_the_pattern_and_the_tag_do_not_bind_is_said_where_they_are_given() -> None:
    """Scalable targets have ARNs of their own, and AWS's role does the writing: an owner must not think otherwise."""
    parameters = TEMPLATE["Parameters"]
    for name in ("FunctionPattern", "RequiredTagValue", "AllowAutoscaling"):
        assert "Application Auto Scaling" in parameters[name]["Description"], name
    registering = _allowed()["application-autoscaling:RegisterScalableTarget"]
    assert registering["Resource"]["Fn::Sub"].endswith(":scalable-target/*")
    assert "FunctionPattern" in parameters["AllowAutoscaling"]["Description"]
    assert TICK["Environment"]["Variables"]["WARMCAST_FUNCTION_PATTERN"] == {"Ref": "FunctionPattern"}


# --- the tick --------------------------------------------------------------------------------------------------------


def test_a_tick_is_never_repeated_nor_delivered_late() -> None:
    """Scheduler's delivery and Lambda's asynchronous queue each retry by themselves; both are told not to."""
    schedule = TICK["Events"]["Tick"]["Properties"]
    assert schedule["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}
    invocation = TICK["EventInvokeConfig"]
    assert (invocation["MaximumEventAgeInSeconds"], invocation["MaximumRetryAttempts"]) == (60, 0)


def test_what_fails_ends_in_the_encrypted_queue() -> None:
    """Undeliverable ticks by Scheduler, failed ones by Lambda."""
    queue = {"Fn::GetAtt": "FailedTicks.Arn"}
    assert TICK["Events"]["Tick"]["Properties"]["DeadLetterConfig"] == {"Arn": queue}
    assert TICK["EventInvokeConfig"]["DestinationConfig"]["OnFailure"] == {"Type": "SQS", "Destination": queue}
    assert RESOURCES["FailedTicks"]["Properties"]["SqsManagedSseEnabled"] is True


def test_what_follows_from_the_rate_fits_every_rate_that_is_allowed() -> None:
    """A tick ends before the next begins, and silence means three rates."""
    rates = TEMPLATE["Mappings"]["Rates"]
    assert list(rates) == TEMPLATE["Parameters"]["RateMinutes"]["AllowedValues"]
    for minutes, row in rates.items():
        rate_s = 60 * int(minutes)
        assert row["Expression"] == f"rate({minutes} {'minute' if minutes == '1' else 'minutes'})"
        assert row["Seconds"] == rate_s
        assert row["ThreeRatesSeconds"] == 3 * rate_s
        assert 0.8 * rate_s <= row["TimeoutSeconds"] < min(rate_s, 900)


def test_the_function_runs_the_handler_on_the_python_that_is_tested() -> None:
    """The template, the classifiers and the handler's module agree."""
    module, function = TICK["Handler"].rsplit(".", 1)
    source = (ROOT / "src" / Path(*module.split("."))).with_suffix(".py").read_text(encoding="utf-8")
    assert f"\n    from warmcast.handler import {function}\n" in source
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = TICK["Runtime"].removeprefix("python")
    assert f"Programming Language :: Python :: {version}" in project["classifiers"]


def test_every_variable_is_one_that_something_reads() -> None:
    """The settings read all of ours, and the defaults of the parameters are good ones."""
    variables = TICK["Environment"]["Variables"]
    ours = {name for name in variables if name.startswith("WARMCAST_")}
    read = {field.alias for field in Settings.model_fields.values()}
    assert ours <= read
    assert {name for name in read if name and name.startswith("WARMCAST_")} == ours
    assert variables["AWS_ENDPOINT_URL"] == ""
    settings = read_settings(_default_environment())
    assert settings.endpoint_url is None
    assert (settings.budget.units, settings.budget.usd_per_hour, settings.budget.headroom) == (100, None, 100)


def _default_environment() -> dict[str, str]:
    known = {"AWS::AccountId": "123456789012", "ControlTable": "control", "AWS::StackName": "warmcast"}
    parameters = {name: str(each["Default"]) for name, each in TEMPLATE["Parameters"].items()}
    given = known | parameters
    variables = TICK["Environment"]["Variables"]
    resolved = {name: given[v["Ref"]] if isinstance(v, dict) else str(v) for name, v in variables.items()}
    return resolved | {"AWS_REGION": "eu-west-1"}


def test_the_fleet_can_not_be_stopped_or_silenced_by_a_parameter() -> None:
    """`stop` and dry runs go through the control table and the event, in under a minute and without a deploy."""
    assert [name for name in TEMPLATE["Parameters"] if re.search(r"(?i)stop|dry|enabled|state|mode", name)] == []


# --- the control table -----------------------------------------------------------------------------------------------


def test_the_table_has_the_keys_that_the_edge_writes() -> None:
    """`aws/table.py` documents them; DynamoDB can't change them later."""
    table = RESOURCES["ControlTable"]["Properties"]
    source = (ROOT / "src/warmcast/aws/table.py").read_text(encoding="utf-8")
    keys = {key["AttributeName"]: key["KeyType"] for key in table["KeySchema"]}
    assert keys == {"pk": "HASH", "sk": "RANGE"}
    expiry = table["TimeToLiveSpecification"]
    assert expiry["Enabled"] is True
    for name in (*keys, expiry["AttributeName"]):
        assert f'"{name}"' in source
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"] == {"SSEEnabled": True}


def test_a_replaced_table_stays_to_be_read_because_it_may_hold_a_stop() -> None:
    """A stack that is deleted on purpose leaves nothing; an update never loses a stop or an override unseen."""
    table = RESOURCES["ControlTable"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Delete", "Retain")
    assert "TableName" not in table["Properties"]


# --- alarms ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("namespace", "metric"),
    [
        ("AWS/Lambda", "Errors"),
        ("Warmcast", "TickFailures"),
        ("AWS/Lambda", "AsyncEventsDropped"),
        ("AWS/Lambda", "DestinationDeliveryFailures"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    ],
)
def test_each_way_to_fail_has_its_alarm(namespace: str, metric: str) -> None:
    """One occurrence is above the threshold, and a quiet metric is a good one."""
    (alarm,) = [each for each in ALARMS.values() if each.get("MetricName") == metric]
    assert alarm["Namespace"] == namespace
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
    assert alarm["TreatMissingData"] == "notBreaching"


def test_silence_for_three_rates_goes_off_whatever_the_rate_is() -> None:
    """One period as long as three rates, where silence counts as zero ticks and no data at all as the worst."""
    alarm = ALARMS["NoTickAlarm"]
    shown, measured = alarm["Metrics"]
    assert shown["Expression"] == f"FILL({measured['Id']}, 0)"
    assert measured["MetricStat"]["Period"] == {"Fn::FindInMap": ["Rates", {"Ref": "RateMinutes"}, "ThreeRatesSeconds"]}
    assert measured["MetricStat"]["Stat"] == "Sum"
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert (alarm["EvaluationPeriods"], alarm["TreatMissingData"]) == (1, "breaching")


def test_alarms_on_our_metrics_name_metrics_that_a_tick_emits() -> None:
    """An alarm on a name that nobody emits would be silent for ever."""
    report = TickReport(at=datetime(2026, 3, 9, tzinfo=UTC), fleet_version="test")
    ours = {each["MetricName"] for each in ALARMS.values() if each.get("Namespace") == NAMESPACE}
    ours.add(ALARMS["NoTickAlarm"]["Metrics"][1]["MetricStat"]["Metric"]["MetricName"])
    assert ours == {"TickFailures", "Ticks"}
    assert ours <= {metric.name for metric in metrics(report)}


def test_every_alarm_tells_the_topic_when_there_is_one() -> None:
    """Both that it went off and that it cleared."""
    topic = [{"Fn::If": ["HasAlarmTopic", {"Ref": "AlarmTopicArn"}, {"Ref": "AWS::NoValue"}]}]
    assert len(ALARMS) == 6
    assert all(alarm["AlarmActions"] == alarm["OKActions"] == topic for alarm in ALARMS.values())


# --- for people ------------------------------------------------------------------------------------------------------


def test_every_parameter_and_output_has_a_description_and_stands_in_the_guide() -> None:
    """`sam deploy --guided` shows names only; the guide has the rest."""
    guide = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
    for name, each in (TEMPLATE["Parameters"] | TEMPLATE["Outputs"]).items():
        assert len(each["Description"]) > 20, name
        assert f"`{name}`" in guide, name


def test_every_permission_and_alarm_stands_in_the_guide() -> None:
    """Whoever approves the deployment reads the guide, not the template."""
    guide = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
    assert [action for action in _allowed() if f"`{action}`" not in guide] == []
    assert [alarm for alarm in ALARMS if f"`{alarm}`" not in guide] == []


def test_every_parameter_has_a_default() -> None:
    """`sam deploy` without questions makes a stack that observes and can't spend much."""
    assert [name for name, each in TEMPLATE["Parameters"].items() if "Default" not in each] == []


def test_every_exception_from_the_security_linter_has_its_reason() -> None:
    """A skip is an argument, and an argument has words."""
    skips = [s for each in RESOURCES.values() for s in each.get("Metadata", {}).get("checkov", {}).get("skip", [])]
    assert skips
    assert [skip for skip in skips if len(skip["comment"]) < 30] == []
