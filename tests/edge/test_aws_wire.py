"""What leaves for AWS: who it says it is, how often it is sent, how fast."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from builders import CHECKOUT
from scripted import Reply, StepClock
from warmcast import __version__
from warmcast.aws.wire import CallCounter, Pace, marked, product
from warmcast.errors import AwsError

if TYPE_CHECKING:
    from scripted import Script
    from warmcast.aws.session import Clients

ACCEPTED = Reply(status=202, body=b'{"RequestedProvisionedConcurrentExecutions": 5, "Status": "IN_PROGRESS"}')


# --- the User-Agent


def test_a_write_names_the_decision_and_the_fleet(script: Script, scripted_clients: Clients) -> None:
    """Over HTTP, a marked Put carries both in its User-Agent, beside Warmcast's own name; CloudTrail keeps it."""
    script.reply = ACCEPTED
    with marked("d-4f2a", "fleet-8"):
        scripted_clients.functions.put(CHECKOUT, 5)
    (sent,) = script.sent
    assert {f"warmcast/{__version__}", "fleet/fleet-7", "fleet/fleet-8", "decision/d-4f2a"} <= set(sent.products)


def test_a_retried_write_is_marked_each_time(script: Script, scripted_clients: Clients) -> None:
    """Both attempts can be joined to the decision."""
    script.reply = Reply(status=503, code="ServiceUnavailable", message="later")
    with marked("d-4f2a", "fleet-7"), pytest.raises(AwsError):
        scripted_clients.functions.put(CHECKOUT, 5)
    assert ["decision/d-4f2a" in sent.products for sent in script.sent] == [True, True]
    assert [sent.products.count("fleet/fleet-7") for sent in script.sent] == [1, 1]


def test_a_mark_ends_with_its_decision(script: Script, scripted_clients: Clients) -> None:
    """What is sent before and after names no decision, and the next one's names its own."""
    script.reply = ACCEPTED
    scripted_clients.functions.put(CHECKOUT, 5)
    for decision in ("first", "second"):
        with marked(decision, ""):
            scripted_clients.functions.put(CHECKOUT, 5)
    scripted_clients.functions.put(CHECKOUT, 5)
    named = [[part for part in sent.products if part.startswith("decision/")] for sent in script.sent]
    assert named == [[], ["decision/first"], ["decision/second"], []]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("d-4f2a", "decision/d-4f2a"),
        ("two words", "decision/two-words"),
        ("line\r\nX-Evil: 1", "decision/line-X-Evil-1"),
        ("a/b:c(d)", "decision/a-b-c-d-"),
        ("größe", "decision/gr-e"),
        ("x" * 500, "decision/" + "x" * 80),
    ],
)
def test_a_mark_is_made_of_characters_that_a_header_may_have(given: str, sent: str) -> None:
    """Anything else becomes a dash, and a long id is cut: no id can break or forge a header."""
    assert product("decision", given) == sent
    assert re.fullmatch(r"[!-~]+", product("decision", given))


# --- counting


def test_every_request_is_counted_retries_included(script: Script, scripted_clients: Clients) -> None:
    """One call that AWS fails twice is two requests; the count starts again when told."""
    script.reply = Reply(status=500, code="ServiceException", message="oh")
    with pytest.raises(AwsError):
        scripted_clients.functions.account()
    assert scripted_clients.calls.counts == {"lambda.GetAccountSettings": 2}
    scripted_clients.calls.reset()
    assert scripted_clients.calls.counts == {}


def test_counts_once_taken_do_not_change() -> None:
    """The tick report keeps the numbers of its own tick."""
    calls = CallCounter()
    calls.count("lambda.GetFunction")
    taken = calls.counts
    calls.count("lambda.GetFunction")
    assert taken == {"lambda.GetFunction": 1}


# --- pacing


def per_second(operation: str, requests: int) -> float:
    """How many requests a second leave in the long run."""
    clock = StepClock()
    pace = Pace(clock)
    for _ in range(requests):
        pace.wait(operation)
    return requests / clock.monotonic()


def test_lambdas_control_plane_is_asked_less_than_a_third_of_what_it_allows() -> None:
    """15 a second are the whole account's; we stay under 5, whatever mix of operations it is."""
    assert per_second("lambda.PutProvisionedConcurrencyConfig", 400) < 5
    clock = StepClock()
    pace = Pace(clock)
    for _ in range(100):
        pace.wait("lambda.GetAlias")
        pace.wait("lambda.ListProvisionedConcurrencyConfigs")
    assert 200 / clock.monotonic() < 5


def test_registrations_are_slower_still_and_cost_lambda_their_probes() -> None:
    """About one a second; each leaves three fewer turns for Lambda's own calls."""
    assert per_second("application-auto-scaling.RegisterScalableTarget", 60) < 1.1
    clock = StepClock()
    pace = Pace(clock)
    pace.wait("application-auto-scaling.RegisterScalableTarget")
    pace.wait("lambda.GetAlias")
    assert clock.slept == []
    pace.wait("lambda.GetAlias")
    assert clock.slept == [0.25]


@pytest.mark.parametrize(
    "operation", ["lambda.GetFunction", "cloudwatch.GetMetricData", "dynamodb.PutItem", "sts.GetCallerIdentity"]
)
def test_what_has_a_limit_of_its_own_does_not_wait(operation: str) -> None:
    """GetFunction has 100 a second to itself, and the other services their own rates."""
    clock = StepClock()
    pace = Pace(clock)
    for _ in range(100):
        pace.wait(operation)
    assert clock.slept == []


def test_a_request_without_a_turn_is_kept_back_and_never_sent(script: Script, scripted_clients: Clients) -> None:
    """Past the tick's time a call fails here, by our own code, and AWS hears nothing of it."""
    script.reply = Reply(body=b'{"AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}}')
    scripted_clients.pace.allow(0)
    for _ in range(4):
        scripted_clients.functions.account()
    with pytest.raises(AwsError) as error:
        scripted_clients.functions.account()
    assert (error.value.code, error.value.operation) == ("LocalThrottle", "GetAccountSettings")
    assert len(script.sent) == 4
    assert scripted_clients.calls.counts == {"lambda.GetAccountSettings": 4}


def test_a_retry_waits_its_turn_like_any_request(script: Script, scripted_clients: Clients, clock: StepClock) -> None:
    """The SDK's second attempts are requests to AWS, too: four calls of two attempts wait for four turns."""
    script.reply = Reply(status=500, code="ServiceException", message="oh")
    for _ in range(4):
        with pytest.raises(AwsError):
            scripted_clients.functions.account()
    assert len(script.sent) == 8
    assert clock.slept == [0.25] * 4
