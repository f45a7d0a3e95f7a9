"""The policies that `iam` prints, and the list of reads that they, the guard and `doctor` stand on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

from warmcast import cli
from warmcast.permissions import READ_ONLY, READS, Purpose, Read, Scope, action_of, reads_of
from warmcast.policies import (
    AUTOSCALING_WRITES,
    WRITES,
    Bounds,
    Policy,
    controller_policy,
    reader_policy,
    remarks_on_reading,
)

Json: TypeAlias = Any

ROOT = Path(__file__).parents[1]
READING = [purpose for purpose in Purpose if purpose is not Purpose.CONTROLLER]
SAM = Bounds("${AWS::Partition}", "${AWS::AccountId}", ("${AWS::Region}",), "${FunctionPattern}", "${ControlTable}")


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short functions."""


def _short(loader: _Loader, suffix: str, node: yaml.Node) -> Json:
    match node:
        case yaml.ScalarNode():
            value: Json = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case _:
            value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type] # only mappings are left
    return {suffix: value}


_Loader.add_multi_constructor("!", _short)
RESOURCES: Json = yaml.load((ROOT / "template.yaml").read_text(encoding="utf-8"), _Loader)["Resources"]  # noqa: S506 - a SafeLoader


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def _resource(value: Json) -> str:
    """A resource of the template as a policy of `SAM` has it."""
    match value:
        case {"Sub": text}:
            return str(text)
        case {"GetAtt": "ControlTable.Arn"}:
            return "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${ControlTable}"
        case _:
            return str(value)


def _condition(value: Json) -> Json:
    """A condition of the template as it is where a tag is asked for."""
    match value:
        case {"If": [_, {"StringEquals": {"aws:ResourceTag/warmcast": {"Ref": name}}}, _]}:
            return {"StringEquals": {"aws:ResourceTag/warmcast": name}}
        case _:
            return value


def of_template(statements: Json) -> list[Json]:
    """Statements of the template in the form of a policy."""
    return [
        {
            "Sid": each["Sid"],
            "Effect": each["Effect"],
            "Action": _listed(each["Action"]),
            "Resource": [_resource(one) for one in _listed(each["Resource"])],
            **({"Condition": _condition(each["Condition"])} if "Condition" in each else {}),
        }
        for each in statements
    ]


def actions(policy: Policy) -> set[str]:
    """Every action that a policy allows."""
    return {action for statement in policy["Statement"] for action in statement["Action"]}


# --- the controller --------------------------------------------------------------------------------------------------


def test_the_controllers_policy_is_the_templates_statement_for_statement() -> None:
    """Actions, resources and conditions, with the template's parameters in their places."""
    bounds = Bounds(SAM.partition, SAM.account, SAM.regions, SAM.function_pattern, SAM.table, "RequiredTagValue")
    (base,) = RESOURCES["TickFunction"]["Properties"]["Policies"]
    added = RESOURCES["AutoscalingPolicy"]["Properties"]["PolicyDocument"]
    assert controller_policy(bounds)["Statement"] == of_template(base["Statement"])
    both = controller_policy(bounds, autoscaling=True)["Statement"]
    assert both == of_template([*base["Statement"], *added["Statement"]])


def test_without_a_tag_there_is_no_condition_on_one() -> None:
    """As the template leaves it out where RequiredTagValue is empty."""
    (writing,) = [each for each in controller_policy(Bounds())["Statement"] if each["Sid"] == "SetCapacity"]
    assert "Condition" not in writing


def test_the_controllers_reads_and_writes_are_all_that_its_policy_allows() -> None:
    """So `doctor --for controller` forgets none: what it tries, what it names, and what AWS probes beside."""
    tried = {action for read in reads_of(Purpose.CONTROLLER) for action in read.actions}
    assert actions(controller_policy(Bounds())) == tried | set(WRITES)
    probed = {"lambda:GetProvisionedConcurrencyConfig", "cloudwatch:DescribeAlarms"}
    added = actions(controller_policy(Bounds(), autoscaling=True)) - actions(controller_policy(Bounds()))
    assert added == {*AUTOSCALING_WRITES, *probed, "application-autoscaling:DescribeScalingPolicies"}


# --- readers ---------------------------------------------------------------------------------------------------------


def test_a_reader_may_do_nothing_but_read() -> None:
    """By the verbs of its actions; StartQuery and StopQuery begin and end a read of the logs."""
    verbs = ("Get", "List", "Describe", "StartQuery", "StopQuery", "Query")
    allowed = actions(reader_policy(READING, Bounds()))
    assert [each for each in allowed if not each.partition(":")[2].startswith(verbs)] == []
    assert [each for each in allowed if "*" in each] == []
    assert [each for each in READ_ONLY if not each.partition(".")[2].startswith(verbs)] == []


@pytest.mark.parametrize("purpose", READING)
def test_each_purpose_has_exactly_the_actions_of_its_reads(purpose: Purpose) -> None:
    """Least: what another command needs is not in it."""
    expected = {action for read in READS if purpose in read.purposes for action in read.actions}
    assert actions(reader_policy([purpose], Bounds())) == expected
    assert all(each["Action"] for each in reader_policy([purpose], Bounds())["Statement"])


def test_bounds_narrow_what_can_be_narrowed() -> None:
    """Functions and their log groups by the pattern, all of it by account and Region; lists and metrics not at all."""
    bounds = Bounds(account="111122223333", regions=("eu-west-1", "us-east-1"), function_pattern="shop-*")
    by_sid = {each["Sid"]: each["Resource"] for each in reader_policy(READING, bounds)["Statement"]}
    assert by_sid["ReadFunctions"] == [
        "arn:aws:lambda:eu-west-1:111122223333:function:shop-*",
        "arn:aws:lambda:us-east-1:111122223333:function:shop-*",
        "arn:aws:lambda:eu-west-1:111122223333:function:shop-*:*",
        "arn:aws:lambda:us-east-1:111122223333:function:shop-*:*",
    ]
    assert by_sid["QueryReportLines"][0] == "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/shop-*:*"
    assert by_sid["ReadSizesOfLogGroups"][0] == "arn:aws:logs:eu-west-1:111122223333:log-group:*"
    assert by_sid["ReadWhatHasNoNarrowerResource"] == ["*"]


def test_what_is_optional_is_said_with_what_it_costs_to_leave_it_out() -> None:
    """And that GetFunction gives the code away, which security reviews ask about."""
    remarks = "\n".join(remarks_on_reading([Purpose.SCAN], Bounds()))
    assert "pricing:GetProducts: without it the bundled table of prices is taken" in remarks
    assert "link to the function's code" in remarks
    assert "DescribeLogGroups" not in remarks


def test_every_read_of_the_table_is_one_operation_with_its_purposes() -> None:
    """No operation twice, none without a use, and one that needs no permission is STS's alone."""
    assert len({read.operation for read in READS}) == len(READS)
    assert all(read.purposes and read.why for read in READS)
    assert [read.name for read in READS if not read.actions] == ["GetCallerIdentity"]
    assert {read.scope for read in READS} == set(Scope) - {Scope.QUALIFIED}


@pytest.mark.parametrize(
    ("operation", "action"),
    [("ListFunctions", "lambda:ListFunctions"), ("GetCostAndUsage", "ce:GetCostAndUsage"), ("Mystery", "Mystery")],
)
def test_an_operation_is_allowed_by_its_action(operation: str, action: str) -> None:
    """IAM's prefixes differ from botocore's; an operation that is not on the list stays itself."""
    assert action_of(operation) == action


def test_a_right_that_is_never_called_is_on_no_list_of_calls() -> None:
    """lambda:ListTags makes GetFunction answer tags; nobody calls it."""
    assert "lambda.ListTags" not in READ_ONLY
    assert isinstance(READS[0], Read)


# --- the command -----------------------------------------------------------------------------------------------------


def test_iam_prints_a_document_to_standard_output_and_remarks_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output is the policy and nothing else."""
    assert cli.main(["iam", "scan", "--for", "import", "--function-pattern", "shop-*"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == reader_policy([Purpose.IMPORT], Bounds(function_pattern="shop-*"))
    assert all(line.startswith("# ") for line in err.splitlines())


def test_iam_controller_takes_the_stacks_own_bounds(capsys: pytest.CaptureFixture[str]) -> None:
    """Account, Region, table and tag as the stack has them."""
    bounds = ["--account", "111122223333", "--region", "eu-west-1", "--table", "warmcast-t", "--required-tag", "yes"]
    assert cli.main(["iam", "controller", *bounds, "--autoscaling"]) == 0
    printed = json.loads(capsys.readouterr().out)
    expected = Bounds("aws", "111122223333", ("eu-west-1",), "*", "warmcast-t", "yes")
    assert printed == controller_policy(expected, autoscaling=True)


@pytest.mark.parametrize(
    "wrong", [["--account", "12"], ["--function-pattern", "a b"], ["--region", "EU West"], ["--for", "tea"]]
)
def test_bounds_that_no_arn_has_are_wrong_usage(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and no document."""
    assert cli.main(["iam", "scan", *wrong]) == 2
    assert capsys.readouterr().out == ""
