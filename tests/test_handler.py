"""One invocation is one tick: what it takes, what it returns, when it raises, what it writes to the log."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from builders import NOON, fleet, policy, state, target
from fakes import FakeAws, FakeTable
from warmcast.emit import Emitter
from warmcast.errors import AwsError, FleetError
from warmcast.fleet import Finding
from warmcast.handler import EveryTargetFailedError, RequestError, read_request, respond
from warmcast.model import Budget, Fault, FaultKind, Outcome, Result, Rhythm
from warmcast.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from warmcast.report import JsonValue

CHECKOUT, SEARCH = target("checkout-api:live"), target("search-api:live")
SERVICES = count()


@dataclass
class FrozenClock:
    """Time that stands at noon."""

    at: datetime = NOON

    def now(self) -> datetime:
        """Noon."""
        return self.at

    def monotonic(self) -> float:
        """Nothing passes."""
        return 0.0

    def sleep(self, seconds: float) -> None:
        """Nobody may wait here."""
        raise AssertionError(f"slept {seconds} s")


@dataclass
class FakeContext:
    """Lambda's context with so much time left."""

    aws_request_id: str = "request-1"
    log_stream_name: str = "2026/03/09/[$LATEST]aaaa"
    left_s: float = 240.0

    def get_remaining_time_in_millis(self) -> int:
        """What is left, in Lambda's unit."""
        return int(self.left_s * 1000)


@dataclass
class Stage:
    """A function's environment: the fakes that it works with, and what it wrote."""

    capture: pytest.CaptureFixture[str]
    aws: FakeAws = field(default_factory=lambda: FakeAws(states={CHECKOUT: state(2), SEARCH: state(2)}))
    table: FakeTable = field(default_factory=FakeTable)
    policies: tuple[Any, ...] = (policy("checkout-api:live"), policy("search-api:live"))
    allowed_s: list[float] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)

    def workshop(self) -> Workshop:
        """The workshop of this stage."""
        return Workshop(
            fleet=fleet(*self.policies),
            observer=self.aws,
            actor=self.aws,
            table=self.table,
            rhythm=Rhythm(),
            budget=Budget(),
            begin=self.allowed_s.append,
            calls=lambda: {"lambda.GetAlias": 3},
            metrics_requested=lambda: 8,
        )

    def invoke(
        self,
        event: object = None,
        *,
        context: FakeContext | None = None,
        workshop: Callable[[], Workshop] | None = None,
    ) -> dict[str, JsonValue]:
        """Invoke once; the lines that it wrote are kept, also where it raises."""
        try:
            return respond(
                {} if event is None else event,
                context or FakeContext(),
                workshop=workshop or self.workshop,
                clock=FrozenClock(),
                emitter=Emitter(service=f"test-{next(SERVICES)}"),
            )
        finally:
            self.lines = [json.loads(line) for line in self.capture.readouterr().out.splitlines()]

    def metric(self, name: str) -> list[float]:
        """Every value of a metric in the lines of the last invocation."""
        return [value for line in self.lines if "_aws" in line for value in line.get(name, [])]


@pytest.fixture
def stage(capsys: pytest.CaptureFixture[str]) -> Stage:
    """Two targets with 2 units each and a demand of 10."""
    return Stage(capsys)


# --- what is asked for -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"version": "0", "id": "1", "source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": "{}"},
        {"version": "0", "id": "1", "source": "aws.events", "detail-type": "Scheduled Event", "resources": []},
    ],
    ids=["empty input", "Scheduler's envelope", "a rule's envelope"],
)
def test_what_a_schedule_sends_is_a_plain_tick(event: dict[str, object]) -> None:
    """Whoever wires another schedule need not know our payload."""
    request = read_request(event)
    assert (request.dry_run, request.targets) == (False, frozenset())


def test_the_payload_carries_dry_run_and_targets() -> None:
    """And nothing else: `now` comes from the clock."""
    request = read_request({"dry_run": True, "targets": ["checkout-api:live", "search-api:7"]})
    assert request.dry_run
    assert request.targets == {"checkout-api:live", "search-api:7"}


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"dryrun": True}, "dryrun: Extra inputs are not permitted, not True"),
        ({"now": "2026-03-09T12:00:00Z"}, "now: Extra inputs are not permitted"),
        ({"dry_run": "yes"}, "dry_run: Input should be a valid boolean, not 'yes'"),
        ({"dry_run": 1}, "dry_run: Input should be a valid boolean, not 1"),
        ({"targets": "checkout-api:live"}, "targets: Input should be a valid frozenset"),
        ({"targets": ["checkout-api"]}, "not 'checkout-api'"),
        ({"targets": [7]}, "Input should be a valid string, not 7"),
        ([], "it: Input should be a valid dictionary"),
        (None, "it: Input should be a valid dictionary"),
        ("tick", "it: Input should be a valid dictionary"),
    ],
)
def test_any_other_payload_is_refused_in_words(event: object, words: str) -> None:
    """A misspelt `dry_run` must not become a live tick."""
    with pytest.raises(RequestError) as caught:
        read_request(event)
    assert words in str(caught.value)
    assert '"dry_run"' in str(caught.value)


# --- a tick that goes well -------------------------------------------------------------------------------------------


def test_a_tick_writes_and_returns_its_summary(stage: Stage) -> None:
    """Both targets are raised to their need, and the answer is JSON."""
    answer = stage.invoke()
    assert (answer["status"], answer["targets"], answer["changed"], answer["failed"]) == ("done", 2, 2, 0)
    assert (answer["calls"], answer["metrics_requested"]) == ({"lambda.GetAlias": 3}, 8)
    assert {who for _, who, _ in stage.aws.writes} == {CHECKOUT, SEARCH}
    assert json.loads(json.dumps(answer)) == answer


def test_each_target_has_one_line_and_the_tick_one(stage: Stage) -> None:
    """Every line names the invocation; the targets' lines have the decision."""
    stage.invoke()
    told = [line for line in stage.lines if "_aws" not in line]
    assert [line["message"] for line in told] == ["target", "target", "tick"]
    assert {line["function_request_id"] for line in told} == {"request-1"}
    assert [line["target"] for line in told[:2]] == ["checkout-api:live", "search-api:live"]
    assert all(line["reason"] and line["decision_id"] and line["wanted"] > 2 for line in told[:2])


def test_the_fleet_s_metrics_are_emitted_in_one_line(stage: Stage) -> None:
    """Eight metrics in Warmcast's namespace, by stack."""
    stage.invoke()
    (line,) = [line for line in stage.lines if "_aws" in line]
    (described,) = line["_aws"]["CloudWatchMetrics"]
    assert (described["Namespace"], described["Dimensions"]) == ("Warmcast", [["service"]])
    assert len(described["Metrics"]) == 8
    assert (line["Ticks"], line["TickFailures"], line["CapacityChanges"]) == ([1.0], [0.0], [2.0])


def test_a_target_that_opted_in_has_metrics_of_its_own(stage: Stage) -> None:
    """They cost $0.30 each a month, so the policy asks for them."""
    stage.policies = (policy("checkout-api:live", metrics=True), policy("search-api:live"))
    stage.invoke()
    (line,) = [line for line in stage.lines if "_aws" in line and "Target" in line]
    assert line["Target"] == "checkout-api:live"
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Target", "service"]]
    assert line["Demand"] == [pytest.approx(10.0)]


def test_a_dry_run_writes_nothing_and_has_no_metrics(stage: Stage) -> None:
    """No capacity, no state, no lock, and nothing that an alarm would count."""
    answer = stage.invoke({"dry_run": True})
    assert (answer["dry_run"], answer["changed"], answer["results"]) == (True, 0, {"planned": 2})
    assert (stage.aws.writes, stage.table.writes, stage.table.owner) == ([], 0, "")
    assert not [line for line in stage.lines if "_aws" in line]


def test_targets_that_are_named_are_the_only_ones(stage: Stage) -> None:
    """The others are neither written nor reported."""
    answer = stage.invoke({"targets": ["search-api:live"]})
    assert answer["targets"] == 1
    assert {who for _, who, _ in stage.aws.writes} == {SEARCH}


def test_the_tick_may_take_what_is_left_but_for_its_end(stage: Stage) -> None:
    """Calls may wait for as long as the invocation lasts, less the time in which no write is begun."""
    stage.invoke(context=FakeContext(left_s=100))
    assert stage.allowed_s == [75.0]


def test_nothing_is_written_when_time_runs_out(stage: Stage) -> None:
    """A write that Lambda would cut off is left to the next tick."""
    answer = stage.invoke(context=FakeContext(left_s=5))
    assert answer["results"] == {"deferred": 2}
    assert stage.aws.writes == []


# --- two ticks at once -----------------------------------------------------------------------------------------------


def test_a_second_tick_finds_the_lock_and_does_nothing(stage: Stage) -> None:
    """It is no error: the other one is doing the work."""
    stage.table.lock("somebody", now=NOON, until=NOON.replace(hour=13))
    answer = stage.invoke()
    assert (answer["status"], answer["targets"]) == ("locked", 0)
    assert stage.aws.writes == []
    assert stage.metric("Ticks") == [0.0]


def test_the_same_event_delivered_twice_is_two_owners(stage: Stage) -> None:
    """Lambda may deliver an event again under the same request id, to another environment."""
    owners = []

    @dataclass
    class Noting(FakeTable):
        def lock(self, owner: str, *, now: datetime, until: datetime) -> bool:
            owners.append(owner)
            assert until > NOON
            return super().lock(owner, now=now, until=until)

    stage.table = Noting()
    stage.invoke(context=FakeContext(log_stream_name="a"))
    stage.invoke(context=FakeContext(log_stream_name="b"))
    assert len(set(owners)) == 2


# --- what fails ------------------------------------------------------------------------------------------------------


def test_one_failed_target_fails_visibly_and_the_other_is_done(stage: Stage) -> None:
    """Its line is an error, the metrics count it, and the invocation stands."""
    _refuse(stage, CHECKOUT)
    answer = stage.invoke()
    assert (answer["changed"], answer["failed"]) == (1, 1)
    (line,) = [line for line in stage.lines if line.get("target") == "checkout-api:live"]
    assert (line["level"], line["outcome"], line["error_code"]) == ("ERROR", "failed", "ServiceException")
    assert (stage.metric("TickFailures"), stage.metric("TargetsFailed")) == ([1.0], [1.0])


def test_the_invocation_fails_where_every_target_failed(stage: Stage) -> None:
    """Lines and metrics are out before it raises, so that Lambda's error is not all there is."""
    _refuse(stage, CHECKOUT)
    stage.aws.states[SEARCH] = Fault(FaultKind.DENIED, "AccessDeniedException: no")
    with pytest.raises(EveryTargetFailedError, match=r"checkout-api:live: .*; search-api:live: .*AccessDenied"):
        stage.invoke()
    assert (stage.metric("Ticks"), stage.metric("TargetsFailed")) == ([1.0], [2.0])


def test_a_fleet_of_which_nothing_can_be_used_fails(stage: Stage) -> None:
    """No target is left to go well: the findings are the error."""
    finding = Finding("shop.yaml", 3, "capacity.max", "a whole number", "'x'", "must be a whole number, not 'x'")
    broken = replace(fleet(), findings=(finding,))
    with pytest.raises(EveryTargetFailedError, match=r"shop\.yaml:3"):
        stage.invoke(workshop=lambda: replace(stage.workshop(), fleet=broken))
    assert stage.metric("TickFailures") == [1.0]


def test_a_fleet_that_can_not_be_loaded_is_a_failed_tick_each_time(stage: Stage) -> None:
    """A line, a metric and an error; the next invocation tries again."""

    def unloadable() -> Workshop:
        raise FleetError("fleet: no policy file")

    for _ in range(2):
        with pytest.raises(FleetError):
            stage.invoke(workshop=unloadable)
        assert stage.metric("TickFailures") == [1.0]
        (line,) = [line for line in stage.lines if "_aws" not in line]
        assert (line["level"], line["message"], line["error"]) == ("ERROR", "tick failed", "fleet: no policy file")
        assert "exception" not in line


def test_a_table_that_does_not_answer_is_a_failed_tick(stage: Stage) -> None:
    """Without memory and stops nothing may be written."""

    class Deaf(FakeTable):
        def recall(self, *, now: datetime) -> Any:  # noqa: ANN401 - it never returns
            raise AwsError("InternalServerError", f"try again after {now}", "Query")

    stage.table = Deaf()
    with pytest.raises(AwsError):
        stage.invoke()
    assert stage.metric("TickFailures") == [1.0]
    assert stage.aws.writes == []


def test_a_bug_of_ours_has_its_traceback_in_the_log(stage: Stage) -> None:
    """It is raised as well: Lambda counts it."""

    def buggy() -> Workshop:
        raise ZeroDivisionError("boom")

    with pytest.raises(ZeroDivisionError):
        stage.invoke(workshop=buggy)
    (line,) = [line for line in stage.lines if "_aws" not in line]
    assert "in buggy" in line["exception"]
    assert stage.metric("TickFailures") == [1.0]


@pytest.mark.parametrize("event", [{"dryrun": True}, {"targets": ["nobody:live"]}])
def test_an_event_that_is_not_understood_touches_nothing(stage: Stage, event: dict[str, object]) -> None:
    """Neither AWS nor the table is asked."""
    with pytest.raises(RequestError):
        stage.invoke(event)
    assert (stage.allowed_s, stage.aws.writes, stage.table.writes) == ([], [], 0)


def _refuse(stage: Stage, who: Any) -> None:  # noqa: ANN401 - a TargetId
    decision: Any = None  # the fake puts the decision in
    stage.aws.refuse[who] = Outcome(decision, Result.FAILED, "AWS is unwell", "ServiceException")
