"""IAM policy documents: the least that a role needs to read for a person, or to be the deployed function. Pure data.

The controller's is that of `template.yaml`, statement for statement; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypedDict

from warmcast.permissions import Purpose, Scope, reads_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from warmcast.permissions import Read


class Statement(TypedDict, total=False):
    """A statement of a policy, in IAM's own keys."""

    Sid: str
    Effect: str
    Action: list[str]
    Resource: list[str]
    Condition: dict[str, dict[str, str]]


class Policy(TypedDict):
    """A policy document."""

    Version: str
    Statement: list[Statement]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a policy is narrowed to; `*` is all.

    Args:
        function_pattern: the last part of a function's ARN, such as `shop-*`.
        required_tag: value of the tag `warmcast` that a function has to carry to be written; empty: none.
    """

    partition: str = "aws"
    account: str = "*"
    regions: Sequence[str] = ("*",)
    function_pattern: str = "*"
    table: str = "*"
    required_tag: str = ""

    def arns(self, service: str, resource: str) -> list[str]:
        """The ARN of a resource in each of the Regions."""
        return [f"arn:{self.partition}:{service}:{region}:{self.account}:{resource}" for region in self.regions]


_SIDS: Final = {
    Scope.NOTHING: "ReadWhatHasNoNarrowerResource",
    Scope.FUNCTIONS: "ReadFunctions",
    Scope.SCALABLE_TARGETS: "ReadTagsOfScalableTargets",
    Scope.LOG_GROUPS: "QueryReportLines",
    Scope.ALL_LOG_GROUPS: "ReadSizesOfLogGroups",
}


def reader_policy(purposes: Iterable[Purpose], bounds: Bounds) -> Policy:
    """What a role needs for these purposes; nothing in it writes."""
    reads = reads_of(*purposes)
    statements = [_reading(scope, [read for read in reads if read.scope is scope], bounds) for scope in _SIDS]
    return Policy(Version=_VERSION, Statement=[each for each in statements if each["Action"]])


def _reading(scope: Scope, reads: Iterable[Read], bounds: Bounds) -> Statement:
    actions = sorted(action for read in reads for action in read.actions)
    return Statement(Sid=_SIDS[scope], Effect="Allow", Action=actions, Resource=resources(scope, bounds))


def resources(scope: Scope, bounds: Bounds) -> list[str]:
    """The ARNs that actions of a scope are narrowed to."""
    pattern = bounds.function_pattern
    aliases = bounds.arns("lambda", f"function:{pattern}:*")
    match scope:
        case Scope.NOTHING:
            found = ["*"]
        case Scope.FUNCTIONS:
            found = [*bounds.arns("lambda", f"function:{pattern}"), *aliases]
        case Scope.QUALIFIED:
            found = aliases
        case Scope.SCALABLE_TARGETS:
            found = bounds.arns("application-autoscaling", "scalable-target/*")
        case Scope.LOG_GROUPS:
            found = bounds.arns("logs", f"log-group:/aws/lambda/{pattern}:*")
        case Scope.ALL_LOG_GROUPS:
            found = bounds.arns("logs", "log-group:*")
        case Scope.TABLE:
            found = bounds.arns("dynamodb", f"table/{bounds.table}")
    return found


# --- the deployed function -------------------------------------------------------------------------------------------

_VERSION: Final = "2012-10-17"
_SERVICE: Final = "lambda.application-autoscaling.amazonaws.com"
_ROLE: Final = f"role/aws-service-role/{_SERVICE}/AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency"

WRITES: Final = (
    "lambda:DeleteProvisionedConcurrencyConfig",
    "lambda:PutProvisionedConcurrencyConfig",
    "dynamodb:DeleteItem",
    "dynamodb:PutItem",
)
AUTOSCALING_WRITES: Final = (
    "application-autoscaling:DeregisterScalableTarget",
    "application-autoscaling:PutScalingPolicy",
    "application-autoscaling:RegisterScalableTarget",
    "application-autoscaling:TagResource",
    "cloudwatch:DeleteAlarms",
    "cloudwatch:PutMetricAlarm",
    "iam:CreateServiceLinkedRole",
)
"""What a policy with `actuator: autoscaling` adds; Application Auto Scaling makes alarms in the caller's name."""


def controller_policy(bounds: Bounds, *, autoscaling: bool = False) -> Policy:
    """What the deployed function's role has: reads, its own writes and, if asked for, those of Auto Scaling."""
    statements = [*_ticking(bounds), *(_scaling(bounds) if autoscaling else [])]
    return Policy(Version=_VERSION, Statement=statements)


def _ticking(bounds: Bounds) -> list[Statement]:
    table = resources(Scope.TABLE, bounds)
    writing = _allow("SetCapacity", sorted(WRITES[:2]), resources(Scope.QUALIFIED, bounds))
    if bounds.required_tag:
        writing["Condition"] = {"StringEquals": {"aws:ResourceTag/warmcast": bounds.required_tag}}
    return [
        _allow("ReadDemand", ["cloudwatch:GetMetricData"], ["*"]),
        _allow(
            "ReadAccountAndScalableTargets",
            ["application-autoscaling:DescribeScalableTargets", "lambda:GetAccountSettings"],
            ["*"],
        ),
        _allow(
            "ReadTagsOfScalableTargets",
            ["application-autoscaling:ListTagsForResource"],
            resources(Scope.SCALABLE_TARGETS, bounds),
        ),
        _allow(
            "ReadFunctions",
            ["lambda:GetAlias", "lambda:GetFunction", "lambda:ListProvisionedConcurrencyConfigs"],
            resources(Scope.FUNCTIONS, bounds),
        ),
        writing,
        _allow("RememberAndLock", [*WRITES[2:], "dynamodb:Query"], table),
    ]


def _scaling(bounds: Bounds) -> list[Statement]:
    targets = resources(Scope.SCALABLE_TARGETS, bounds)
    registering = _allow("RegisterScalableTargets", list(AUTOSCALING_WRITES[:3]), targets)
    registering["Condition"] = {"StringEquals": {"application-autoscaling:service-namespace": "lambda"}}
    role = _allow(
        "ServiceLinkedRole",
        ["iam:CreateServiceLinkedRole"],
        [f"arn:{bounds.partition}:iam::{bounds.account}:{_ROLE}"],
    )
    role["Condition"] = {"StringEquals": {"iam:AWSServiceName": _SERVICE}}
    alarms = ["cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"]
    return [
        registering,
        _allow("TagScalableTargets", ["application-autoscaling:TagResource"], targets),
        _allow("ReadScalingPolicies", ["application-autoscaling:DescribeScalingPolicies"], ["*"]),
        _allow("ProbesOfTheCapacity", ["lambda:GetProvisionedConcurrencyConfig"], resources(Scope.QUALIFIED, bounds)),
        _allow("ProbesOfTheAlarms", alarms, ["*"]),
        role,
    ]


def _allow(sid: str, actions: list[str], resource: list[str]) -> Statement:
    return Statement(Sid=sid, Effect="Allow", Action=actions, Resource=resource)


# --- in words --------------------------------------------------------------------------------------------------------


def remarks_on_reading(purposes: Iterable[Purpose], bounds: Bounds) -> list[str]:
    """What whoever allows the reader's policy should know, a line each."""
    reads = reads_of(*purposes)
    optional = [f"{', '.join(each.actions)}: without it {each.without}" for each in reads if each.without]
    scopes = {each.scope for each in reads}
    said = ["nothing in this policy changes anything"]
    said += [f"optional: {each}" for each in optional]
    if Scope.FUNCTIONS in scopes:
        said.append("lambda:GetFunction also gives whoever has it a link to the function's code")
    if bounds.function_pattern == "*":
        said.append("--function-pattern 'shop-*' narrows what names functions; lists and metrics can't be narrowed")
    if Scope.ALL_LOG_GROUPS in scopes:
        said.append("AWS checks logs:DescribeLogGroups against an empty name, so only log-group:* allows it")
        said.append("log groups with names of one's own need their ARNs beside /aws/lambda/")
    return said


def remarks_on_controlling(bounds: Bounds, *, autoscaling: bool) -> list[str]:
    """What whoever allows the controller's policy should know, a line each."""
    said = ["template.yaml gives this policy to the function that it deploys; its logs come by SAM beside it"]
    if bounds.function_pattern == "*":
        said.append("--function-pattern narrows which functions may be read and changed (parameter FunctionPattern)")
    if not bounds.required_tag:
        said.append("--required-tag asks for the tag `warmcast` on what is changed (parameter RequiredTagValue)")
    if bounds.table == "*":
        said.append("--table narrows DynamoDB to the control table (output ControlTableName of the stack)")
    if autoscaling:
        said.append("Application Auto Scaling's actions can't be bound to function names or to their tags")
    else:
        said.append("--autoscaling adds what policies with `actuator: autoscaling` need (parameter AllowAutoscaling)")
    return said
