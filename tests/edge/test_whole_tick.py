"""Whole ticks over HTTP, the real edge and all, with a fault at every call to AWS that a tick makes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from builders import CHECKOUT, NOON, fleet, policy, target
from warmcast.aws.wire import CallCounter
from warmcast.errors import AwsError
from warmcast.model import Budget, Result, Rhythm, TickReport
from warmcast.report import metrics
from warmcast.tick import Order, run
from warmcast.workshop import assemble

if TYPE_CHECKING:
    from localaws import LocalAws
    from scripted import StepClock
    from warmcast.aws.session import Clients
    from warmcast.workshop import Workshop

CALM = target("calm-api:live")

FAULTS = {
    "throttled": {"code": "TooManyRequestsException", "message": "Rate Exceeded.", "status": 429},
    "denied": {"code": "AccessDeniedException", "message": "not authorized", "status": 403},
    "server error": {"code": "ServiceException", "message": "internal", "status": 500},
    "dropped": {"drop": True},
}

READS = [
    "GetMetricData",
    "ListProvisionedConcurrencyConfigs",
    "GetAlias",
    "lambda:GetFunction",
    "GetAccountSettings",
    "DescribeScalableTargets",
]


@pytest.fixture
def busy_aws(aws: LocalAws) -> LocalAws:
    """Two functions with three hours of traffic: one needs far more than its 10 units, one is fine with them."""
    for who, demand in ((CHECKOUT, 40.0), (CALM, 1.0)):
        aws.create_function(who.function, memory_mb=1024)
        aws.set_provisioned(who.function, who.qualifier, 10)
        minutes = np.full(200, demand)  # to twenty minutes from now: seen as the clock gets there
        aws.load_minutes(
            who.function,
            who.qualifier,
            NOON - timedelta(minutes=180),
            invocations=minutes * 120,
            duration_ms=minutes * 120 * 500.0,
            concurrency=np.ceil(minutes * 1.2),
        )
    aws.clear_calls()
    return aws


@pytest.fixture
def workshop(busy_aws: LocalAws, clients: Clients, table_name: str, clock: StepClock) -> Workshop:
    """The parts of a tick as the handler puts them together, over the two functions."""
    del busy_aws, table_name
    return assemble(
        fleet(policy(str(CHECKOUT)), policy(str(CALM), low=10)), clients, rhythm=Rhythm(), budget=Budget(), clock=clock
    )


def tick(workshop: Workshop, *, minutes: int = 0) -> TickReport:
    """A tick so many minutes after noon."""
    workshop.begin(200.0)
    ports = workshop.ports(dry_run=False, time_left_s=lambda: 200.0)
    now = NOON + timedelta(minutes=minutes)
    return run(workshop.fleet, ports=ports, order=Order(owner="test"), knowledge=workshop.knowledge, now=now)


def standing(aws: LocalAws) -> int:
    """What is requested for the busy alias, as AWS has it."""
    client = aws.session().client("lambda", endpoint_url=aws.endpoint_url)
    config = client.get_provisioned_concurrency_config(FunctionName=CHECKOUT.function, Qualifier=CHECKOUT.qualifier)
    return config["RequestedProvisionedConcurrentExecutions"]


def results(report: TickReport) -> dict[str, Result]:
    """The outcome by target."""
    return {str(row.outcome.decision.target): row.outcome.result for row in report.rows}


def test_a_tick_over_http_raises_what_needs_it(workshop: Workshop, busy_aws: LocalAws) -> None:
    """The busy alias is raised, the calm one is left alone, and AWS has what the report says."""
    report = tick(workshop)
    assert results(report)[str(CHECKOUT)] is Result.APPLIED
    wanted = next(row.outcome.decision.wanted for row in report.rows if row.outcome.decision.target == CHECKOUT)
    assert standing(busy_aws) == wanted > 50
    assert report.failed == ()
    assert busy_aws.calls()["lambda:PutProvisionedConcurrencyConfig"] == 1


def test_cloudtrail_can_join_a_write_to_its_decision(workshop: Workshop, busy_aws: LocalAws) -> None:
    """The decision's id and the fleet's version are in the user agent of the Put."""
    report = tick(workshop)
    decision = next(row.outcome.decision for row in report.rows if row.outcome.decision.target == CHECKOUT)
    (put,) = busy_aws.journal("PutProvisionedConcurrencyConfig")
    assert decision.id in str(put["user_agent"])
    assert "fleet" in str(put["user_agent"])


def test_the_next_tick_sees_it_under_way_and_then_ready(workshop: Workshop, busy_aws: LocalAws) -> None:
    """A duplicate tick writes nothing; five minutes later it is READY, and nothing is put off any more."""
    tick(workshop)
    writes = busy_aws.calls()["lambda:PutProvisionedConcurrencyConfig"]
    tick(workshop)
    assert busy_aws.calls()["lambda:PutProvisionedConcurrencyConfig"] == writes
    busy_aws.advance(300)
    report = tick(workshop, minutes=5)
    assert Result.DEFERRED not in results(report).values()
    assert standing(busy_aws) > 50


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", READS)
def test_a_fault_at_any_read_is_an_outcome_and_a_metric(
    workshop: Workshop, busy_aws: LocalAws, operation: str, fault: str
) -> None:
    """The tick ends, nothing is lowered, no outcome says applied unless AWS has it, and the fault shows."""
    busy_aws.inject(operation, times=None, **FAULTS[fault])  # type: ignore[arg-type] # the fields of a fault
    report = tick(workshop)
    busy_aws.clear_faults()
    assert standing(busy_aws) >= 10
    applied = results(report)[str(CHECKOUT)] is Result.APPLIED
    assert applied is (standing(busy_aws) > 10)
    shown = bool(report.failed or report.faults) or Result.DEFERRED in results(report).values()
    assert shown
    assert {metric.name for metric in metrics(report)} >= {"TickFailures", "TargetsDeferred"}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_the_write_says_so(workshop: Workshop, busy_aws: LocalAws, fault: str) -> None:
    """What AWS refused is not reported as applied, and the neighbour fares as before."""
    busy_aws.inject("PutProvisionedConcurrencyConfig", times=None, **FAULTS[fault])  # type: ignore[arg-type] # a fault
    report = tick(workshop)
    busy_aws.clear_faults()
    assert results(report)[str(CHECKOUT)] in {Result.DEFERRED, Result.REFUSED, Result.FAILED}
    assert standing(busy_aws) == 10
    assert results(report)[str(CALM)] in {Result.HELD, Result.APPLIED}


@pytest.mark.parametrize("operation", ["dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"])
def test_without_the_control_table_nothing_is_written(workshop: Workshop, busy_aws: LocalAws, operation: str) -> None:
    """No lock or no memory: the tick raises before any write, or has taken neither."""
    busy_aws.inject(operation, times=None, code="AccessDeniedException", message="no", status=400)
    raised = False
    try:
        report = tick(workshop)
    except AwsError:
        raised = True
    else:
        assert report.faults or busy_aws.calls().get(operation, 0) == 0
    busy_aws.clear_faults()
    assert standing(busy_aws) == 10 or not raised


def test_a_fault_of_one_function_is_its_own(workshop: Workshop, busy_aws: LocalAws) -> None:
    """Lambda refuses every call for the calm function: the busy one is raised all the same."""
    busy_aws.inject("*", function=CALM.function, times=None, code="AccessDeniedException", message="no", status=403)
    report = tick(workshop)
    assert results(report)[str(CHECKOUT)] is Result.APPLIED
    assert results(report)[str(CALM)] is Result.FAILED
    assert [str(row.outcome.decision.target) for row in report.failed] == [str(CALM)]


def test_calls_are_counted(workshop: Workshop) -> None:
    """The report's counts are those of AWS, retries included."""
    tick(workshop)
    counts = workshop.calls()
    assert isinstance(counts, dict | CallCounter) or counts
    assert sum(counts.values()) >= 8
