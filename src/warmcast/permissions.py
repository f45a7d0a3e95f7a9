"""What each command may call, as plain data: the one list that the guard, `doctor`, `iam` and the tests stand on.

Nothing here writes: the controller's writes are in `policies`, for the deployed function alone. Operations are spelt as
botocore's events spell them (`lambda.ListFunctions`), actions as IAM does (`lambda:ListFunctions`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Purpose(StrEnum):
    """What somebody wants to run."""

    SCAN = "scan"
    IMPORT = "import"
    BACKTEST = "backtest"
    COLD_STARTS = "cold-starts"
    CONTROLLER = "controller"


class Scope(StrEnum):
    """What IAM can narrow an action to (Service Authorization Reference)."""

    NOTHING = "any resource"
    FUNCTIONS = "functions"
    QUALIFIED = "aliases and versions"
    SCALABLE_TARGETS = "scalable targets"
    LOG_GROUPS = "log groups"
    ALL_LOG_GROUPS = "all log groups"
    TABLE = "the control table"


@dataclass(frozen=True, slots=True)
class Read:
    """One operation that reads.

    Args:
        operation: as botocore's events name it.
        scope: what IAM can narrow it to.
        why: what it is needed for.
        actions: what IAM has to allow; empty: AWS asks for no permission.
        without: what the commands leave out where it is denied; empty: they can't do without it.
        called: False for a right that AWS asks for beside another call.
    """

    operation: str
    scope: Scope
    why: str
    actions: tuple[str, ...]
    purposes: frozenset[Purpose]
    without: str = ""
    called: bool = True

    @property
    def name(self) -> str:
        """The operation alone, as errors name it."""
        return self.operation.rpartition(".")[2]


_EVERYBODY: Final = frozenset(Purpose)
_SCAN: Final = frozenset({Purpose.SCAN})
_LOGS: Final = frozenset({Purpose.COLD_STARTS})
_CONTROLLER: Final = frozenset({Purpose.CONTROLLER})
_LISTING: Final = frozenset({Purpose.SCAN, Purpose.IMPORT})
_TARGETS: Final = _LISTING | _CONTROLLER
_PAST: Final = frozenset({Purpose.SCAN, Purpose.BACKTEST})
_PRICED: Final = _PAST | _LOGS
_MEASURED: Final = _PRICED | _CONTROLLER

READS: Final[tuple[Read, ...]] = (
    Read("sts.GetCallerIdentity", Scope.NOTHING, "which account this is", (), _EVERYBODY),
    Read(
        "lambda.ListFunctions",
        Scope.NOTHING,
        "which functions there are",
        ("lambda:ListFunctions",),
        _LISTING,
    ),
    Read(
        "lambda.GetAccountSettings",
        Scope.NOTHING,
        "the account's concurrency and what is left of it",
        ("lambda:GetAccountSettings",),
        _SCAN | _CONTROLLER,
    ),
    Read(
        "lambda.ListProvisionedConcurrencyConfigs",
        Scope.FUNCTIONS,
        "what provisioned concurrency stands: no metric tells",
        ("lambda:ListProvisionedConcurrencyConfigs",),
        _EVERYBODY,
    ),
    Read(
        "lambda.ListAliases",
        Scope.FUNCTIONS,
        "where aliases point, and their routing weights",
        ("lambda:ListAliases",),
        _SCAN,
    ),
    Read(
        "lambda.GetFunction",
        Scope.FUNCTIONS,
        "reserved concurrency and the stack that made a function; memory and architecture",
        ("lambda:GetFunction",),
        _MEASURED,
    ),
    Read(
        "cloudwatch.GetMetricData",
        Scope.NOTHING,
        "invocations, durations, concurrency: the demand",
        ("cloudwatch:GetMetricData",),
        _MEASURED,
    ),
    Read(
        "application-auto-scaling.DescribeScalableTargets",
        Scope.NOTHING,
        "which aliases Application Auto Scaling sets",
        ("application-autoscaling:DescribeScalableTargets",),
        _TARGETS,
    ),
    Read(
        "application-auto-scaling.DescribeScalingPolicies",
        Scope.NOTHING,
        "by which target tracking",
        ("application-autoscaling:DescribeScalingPolicies",),
        _LISTING,
    ),
    Read(
        "application-auto-scaling.DescribeScheduledActions",
        Scope.NOTHING,
        "and by which schedule",
        ("application-autoscaling:DescribeScheduledActions",),
        _LISTING,
    ),
    Read(
        "application-auto-scaling.DescribeScalingActivities",
        Scope.NOTHING,
        "what it set in the last six weeks",
        ("application-autoscaling:DescribeScalingActivities",),
        _PAST,
        without="past capacity is told from CloudWatch alone",
    ),
    Read(
        "application-auto-scaling.ListTagsForResource",
        Scope.SCALABLE_TARGETS,
        "whether a scalable target is Warmcast's",
        ("application-autoscaling:ListTagsForResource",),
        _TARGETS,
        without="Warmcast's are told by the name of their policy",
    ),
    Read(
        "lambda.ListTags",
        Scope.FUNCTIONS,
        "tags in GetFunction's answer: which stack owns a function",
        ("lambda:ListTags",),
        _SCAN,
        without="functions that a stack owns are not told as such",
        called=False,
    ),
    Read(
        "pricing.GetProducts",
        Scope.NOTHING,
        "today's prices",
        ("pricing:GetProducts",),
        _PRICED,
        without="the bundled table of prices is taken",
    ),
    Read(
        "cost-explorer.GetCostAndUsage",
        Scope.NOTHING,
        "what provisioned concurrency was billed",
        ("ce:GetCostAndUsage",),
        _SCAN,
        without="scan --cost-explorer has no bill to compare with",
    ),
    Read(
        "cloudwatch-logs.DescribeLogGroups",
        Scope.ALL_LOG_GROUPS,
        "how much a query of the logs will read",
        ("logs:DescribeLogGroups",),
        _LOGS,
    ),
    Read("cloudwatch-logs.StartQuery", Scope.LOG_GROUPS, "Lambda's REPORT lines", ("logs:StartQuery",), _LOGS),
    Read(
        "cloudwatch-logs.GetQueryResults",
        Scope.NOTHING,
        "the answer of a query",
        ("logs:GetQueryResults",),
        _LOGS,
    ),
    Read(
        "cloudwatch-logs.StopQuery",
        Scope.NOTHING,
        "to end a query that is not waited for",
        ("logs:StopQuery",),
        _LOGS,
        without="a query that was given up runs on, and is paid",
    ),
    Read("lambda.GetAlias", Scope.FUNCTIONS, "an alias's version and weights", ("lambda:GetAlias",), _CONTROLLER),
    Read("dynamodb.Query", Scope.TABLE, "what the control table remembers", ("dynamodb:Query",), _CONTROLLER),
)

READ_ONLY: Final = frozenset(read.operation for read in READS if read.called)
"""Every operation that a command of this list may send; `warmcast.aws.readers` refuses any other one."""


def reads_of(*purposes: Purpose) -> tuple[Read, ...]:
    """The reads that any of the purposes needs, in the order of the table."""
    return tuple(read for read in READS if read.purposes & set(purposes))


def action_of(operation: str) -> str:
    """The IAM actions that allow an operation, named as errors name it (`ListFunctions`); itself where unknown."""
    actions = [action for read in READS if read.name == operation for action in read.actions]
    return " and ".join(actions) or operation
