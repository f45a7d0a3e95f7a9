"""Every command that looks at an account, held to a recorded list of the operations that it may call.

The list is written out here on purpose: a new call of a command is a change to this file, which a reviewer sees.
To add a command: one `Use` in USES, with its arguments and everything that it calls on the account below.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from builders import CHECKOUT
from warmcast import cli
from warmcast.permissions import READ_ONLY, Purpose, reads_of

if TYPE_CHECKING:
    from pathlib import Path

    from localaws import LocalAws

API = f"{CHECKOUT.function}:{CHECKOUT.qualifier}"
DAYS = 2

_WHO = frozenset({"sts:GetCallerIdentity"})
_LISTING = frozenset({"lambda:ListFunctions"})
_TARGETS = frozenset(
    {
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingPolicies",
        "application-autoscaling:DescribeScheduledActions",
        "application-autoscaling:ListTagsForResource",
    }
)
_STANDING = frozenset({"lambda:ListProvisionedConcurrencyConfigs", "lambda:GetFunction"})
_ACTIVITIES = frozenset({"application-autoscaling:DescribeScalingActivities"})
_DEMAND = frozenset({"cloudwatch:GetMetricData"})
_PRICES = frozenset({"pricing:GetProducts"})
_BILL = frozenset({"ce:GetCostAndUsage"})
_LOGS = frozenset({"logs:DescribeLogGroups", "logs:StartQuery", "logs:GetQueryResults"})
_SURVEY = _LISTING | _TARGETS | _STANDING | _ACTIVITIES | {"lambda:ListAliases", "lambda:GetAccountSettings"}
_SCAN = _WHO | _SURVEY | _DEMAND | _PRICES


@dataclass(frozen=True)
class Use:
    """A way to use a command.

    Args:
        line: its arguments; `{tmp}` is a folder to write to.
        calls: the operations that it sends, no more and no less, in the local AWS's spelling.
    """

    line: str
    calls: frozenset[str]


USES = [
    Use("doctor", _SCAN),
    Use("doctor --for scan --cost-explorer", _SCAN | _BILL),
    Use(
        "doctor --for import --for backtest --for cold-starts --for controller --table control",
        (_SCAN - {"lambda:ListAliases"}) | _LOGS | {"logs:StopQuery", "lambda:GetAlias", "dynamodb:Query"},
    ),
    Use("iam scan", frozenset()),
    Use("iam controller --autoscaling", frozenset()),
    Use(f"scan --days {DAYS}", _SCAN),
    Use(f"scan --days {DAYS} --cost-explorer", _SCAN | _BILL),
    Use("scan --estimate", _WHO | _LISTING),
    Use(
        f"scan --cold-starts {API} --yes --days {DAYS}",
        _WHO | _STANDING | _DEMAND | _PRICES | _LOGS,
    ),
    Use(f"report --days {DAYS} --out {{tmp}}/scan.html", _SCAN),
    Use("import", _WHO | _TARGETS),
    Use("import --fixed", _WHO | _TARGETS | _LISTING | {"lambda:ListProvisionedConcurrencyConfigs"}),
    Use(
        f"backtest --from-aws {API} --days 1 --tick 60m --out {{tmp}}",
        _WHO | _STANDING | _DEMAND | _PRICES | _ACTIVITIES,
    ),
]


@pytest.fixture
def account(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    """A busy alias with capacity, a scalable target, past activities and logs; the commands' way to it."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    aws.set_now(now)
    aws.create_function(CHECKOUT.function)
    aws.set_provisioned(CHECKOUT.function, CHECKOUT.qualifier, 10)
    aws.load_activity(CHECKOUT.function, CHECKOUT.qualifier, now - timedelta(hours=3), 10)
    minutes = np.full((DAYS + 1) * 1440, 4.0)
    start = now - timedelta(minutes=len(minutes))
    aws.load_minutes(
        CHECKOUT.function,
        CHECKOUT.qualifier,
        start,
        invocations=minutes * 120,
        duration_ms=minutes * 120 * 500.0,
        concurrency=np.ceil(minutes * 1.2),
        capacity=np.full(len(minutes), 10.0),
    )
    at_ms = (now.timestamp() - np.arange(60.0, 3600.0, 60.0)) * 1000
    aws.load_reports(CHECKOUT.function, at_ms, duration_ms=np.full(len(at_ms), 500.0))
    _register(aws)
    aws.clear_calls()
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_REGION", CHECKOUT.region)
    monkeypatch.setenv("COLUMNS", "160")
    return aws


def _register(aws: LocalAws) -> None:
    """A scalable target that nothing moves, and a control table."""
    session = aws.session()
    session.client("application-autoscaling", endpoint_url=aws.endpoint_url).register_scalable_target(
        ServiceNamespace="lambda",
        ResourceId=f"function:{API}",
        ScalableDimension="lambda:function:ProvisionedConcurrency",
        MinCapacity=10,
        MaxCapacity=20,
    )
    session.client("dynamodb", endpoint_url=aws.endpoint_url).create_table(
        TableName="control",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.mark.parametrize("use", USES, ids=lambda use: use.line.replace("{tmp}", "tmp"))
def test_a_command_calls_what_is_recorded_and_nothing_else(
    use: Use, account: LocalAws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What arrived is its list, and the account is as it was."""
    before = account.state()
    code = cli.main(use.line.replace("{tmp}", str(tmp_path)).split())
    assert code in {0, 1}, capsys.readouterr().err
    assert set(account.calls()) == use.calls, capsys.readouterr().err
    assert account.state() == before


@pytest.mark.parametrize(
    ("purpose", "commands"),
    [
        (Purpose.SCAN, ["scan --days", "scan --estimate", "report"]),
        (Purpose.IMPORT, ["import"]),
        (Purpose.BACKTEST, ["backtest"]),
        (Purpose.COLD_STARTS, ["scan --cold-starts"]),
    ],
)
def test_the_policy_that_is_printed_is_what_the_commands_call(purpose: Purpose, commands: list[str]) -> None:
    """The least: an action for each recorded call, and none beside. A query of the logs is stopped on Ctrl-C only."""
    recorded = {call for use in USES if use.line.startswith(tuple(commands)) for call in use.calls}
    if purpose is Purpose.COLD_STARTS:
        recorded |= {"logs:StopQuery"}
    assert {call.partition(":")[2] for call in recorded} == {read.name for read in reads_of(purpose) if read.called}


def test_the_recorded_operations_are_those_that_the_guard_lets_through() -> None:
    """By operation, for the services are spelt differently; the guard lets through nothing that nobody uses."""
    recorded = {call.partition(":")[2] for use in USES for call in use.calls}
    assert recorded == {operation.rpartition(".")[2] for operation in READ_ONLY}
