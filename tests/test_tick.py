"""The order of a tick: who is isolated from whom, what is read again, what is written, remembered and reported."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from builders import NOON, decision, fleet, malformed, policy, settled, state, target
from fakes import FakeAws, FakeTable, PlanOnly
from warmcast.errors import AwsError
from warmcast.knowledge import Knowledge
from warmcast.model import (
    AccountLimits,
    Budget,
    Fault,
    FaultKind,
    Memory,
    Mode,
    Outcome,
    Override,
    Reason,
    Result,
    Row,
    Status,
    TargetId,
    TickReport,
    TickStatus,
)
from warmcast.report import log_records, metrics, sentence, summary
from warmcast.tick import Actor, Order, Ports, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from warmcast.fleet import Fleet
    from warmcast.model import Decision

A, B, C = target("a:live"), target("b:live"), target("c:live")


@dataclass
class Bench:
    """One fleet over one world, and ticks of it."""

    fleet: Fleet
    aws: FakeAws = field(default_factory=FakeAws)
    table: FakeTable = field(default_factory=FakeTable)
    knowledge: Knowledge = field(default_factory=Knowledge)

    def tick(self, now: datetime = NOON, *, actor: Actor | None = None, **order: Any) -> TickReport:  # noqa: ANN401 - fields of Order
        """Run one tick."""
        ports = Ports(observer=self.aws, actor=actor or self.aws, table=self.table)
        return run(
            self.fleet, ports=ports, order=Order(**{"owner": "test", **order}), knowledge=self.knowledge, now=now
        )


def result(report: TickReport, who: TargetId) -> Outcome:
    """The outcome of one target."""
    return next(row.outcome for row in report.rows if row.outcome.decision.target == who)


def busy(*names: str, **keys: Any) -> Bench:  # noqa: ANN401 - keys of a policy
    """Targets at demand 40 with 10 units standing: each wants a rise."""
    bench = Bench(fleet(*(policy(name, **keys) for name in names)))
    for name in names:
        bench.aws.histories[target(name)] = settled(40.0)
    return bench


def test_a_tick_raises_what_needs_it_and_says_so() -> None:
    """One busy target: written once, remembered, recorded, reported."""
    bench = busy("a:live")
    report = bench.tick()
    outcome = result(report, A)
    assert (report.status, outcome.result) == (TickStatus.DONE, Result.APPLIED)
    assert bench.aws.writes == [(NOON, A, outcome.decision.wanted)]
    assert outcome.decision.wanted >= 53
    assert bench.table.memories[A].requested == outcome.decision.wanted
    assert [record.decision.id for record in bench.table.records] == [outcome.decision.id]


def test_unchanged_targets_are_not_read_again() -> None:
    """Only what would change costs control-plane calls."""
    bench = busy("a:live")
    bench.fleet = fleet(policy("a:live"), policy("b:live"))
    bench.aws.histories[B] = settled(10.0)
    bench.aws.states[B] = state(18)
    bench.tick()
    assert bench.aws.reread_targets == [A]


def test_the_state_just_before_the_write_decides() -> None:
    """A canary that began after the sweep: the write is put off, whatever the sweep said."""

    class Surprise(FakeAws):
        def reread(self, targets: Any, *, now: datetime) -> Any:  # noqa: ANN401 - as FakeAws
            self.states[A] = state(10, weights={"8": 0.1})
            return super().reread(targets, now=now)

    bench = busy("a:live")
    bench.aws = Surprise(histories=bench.aws.histories)
    outcome = result(bench.tick(), A)
    assert (outcome.result, bench.aws.writes) == (Result.DEFERRED, [])
    assert outcome.decision.limits[-1].name is Reason.WEIGHTS


def test_without_calls_left_the_write_waits() -> None:
    """The control plane's share is used up: deferred, not forgotten."""
    bench = busy("a:live", "b:live")
    bench.aws.unread = {B}
    report = bench.tick()
    assert (result(report, A).result, result(report, B).result) == (Result.APPLIED, Result.DEFERRED)


# --- isolation


FAULTS = {
    "state": lambda bench: bench.aws.states.update({B: Fault(FaultKind.MISSING, "Cannot find alias")}),
    "history": lambda bench: bench.aws.histories.update({B: Fault(FaultKind.DENIED, "AccessDenied")}),
    "write": lambda bench: bench.aws.refuse.update({B: Outcome(decision(), Result.FAILED, "boom", "ServiceException")}),
    "bug": lambda bench: bench.aws.histories.update({B: malformed()}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_targets_fault_is_its_own(fault: str) -> None:
    """Whatever breaks for B, A is served as if B were not there, and the report shows B as failed."""
    alone = busy("a:live")
    together = busy("a:live", "b:live")
    FAULTS[fault](together)
    expected, report = result(alone.tick(), A), together.tick()
    assert result(report, A) == replace(expected)
    assert [str(row.outcome.decision.target) for row in report.failed] == ["b:live"]
    assert summary(report)["failed"] == 1
    values = {metric.name: metric.value for metric in metrics(report)}
    assert (values["TickFailures"], values["TargetsFailed"]) == (1.0, 1.0)


def test_a_bug_says_where_it_is() -> None:
    """The words name the exception and the line."""
    bench = busy("b:live")
    FAULTS["bug"](bench)
    outcome = result(bench.tick(), B)
    assert outcome.result is Result.FAILED
    assert ".py:" in outcome.detail


def test_a_bug_in_an_actor_is_one_targets_fault() -> None:
    """The writes after it go on, and what came before it is remembered."""

    class Broken(FakeAws):
        def act(self, decision: Decision, *, now: datetime) -> Outcome:
            if decision.target == A:
                raise KeyError("surprise")
            return super().act(decision, now=now)

    bench = busy("a:live", "b:live")
    bench.aws = Broken(histories=bench.aws.histories)
    report = bench.tick()
    assert (result(report, A).result, result(report, B).result) == (Result.FAILED, Result.APPLIED)
    assert "KeyError" in result(report, A).detail
    assert bench.table.memories[B].requested == result(report, B).decision.wanted


def test_a_write_is_remembered_before_the_next_one_begins() -> None:
    """Lambda may end the function between two writes: what was written by then is known to the next tick."""

    class Killed(FakeAws):
        def act(self, decision: Decision, *, now: datetime) -> Outcome:
            if self.writes:
                raise SystemExit
            return super().act(decision, now=now)

    bench = busy("a:live", "b:live")
    bench.aws = Killed(histories=bench.aws.histories)
    with pytest.raises(SystemExit):
        bench.tick()
    ((_, written, units),) = bench.aws.writes
    assert {who: memory.requested for who, memory in bench.table.memories.items()} == {written: units}


def test_a_table_that_refuses_a_memory_is_a_fault_of_the_tick() -> None:
    """The capacity was changed, so the outcome says applied; the fault is reported beside it."""

    class Refusing(FakeTable):
        def remember(self, target: TargetId, memory: Memory) -> None:
            del target, memory
            code = "ProvisionedThroughputExceededException"
            raise AwsError(code, "slow down", "PutItem")

    bench = busy("a:live")
    bench.table = Refusing()
    report = bench.tick()
    assert result(report, A).result is Result.APPLIED
    assert "PutItem" in report.faults[0].message
    assert {metric.name: metric.value for metric in metrics(report)}["TickFailures"] == 1.0


# --- dry run, stop, override, lock


def test_a_dry_run_writes_nothing_at_all() -> None:
    """No capacity, no state, no cooldown: only the plan."""
    bench, planner = busy("a:live"), PlanOnly()

    class Silent(FakeTable):
        def remember(self, target: TargetId, memory: Memory) -> None:
            """Keep nothing."""

        def record(self, outcome: Outcome, *, fleet_version: str, now: datetime) -> None:
            """Keep nothing."""

    bench.table = Silent()
    report = bench.tick(actor=planner, dry_run=True)
    assert (bench.aws.writes, bench.table.writes) == ([], 0)
    assert result(report, A).result is Result.PLANNED
    assert planner.planned[0].wanted == result(busy("a:live").tick(), A).decision.wanted


def test_stop_holds_what_is_there() -> None:
    """Stopped for one target, or for all: nothing is written, and the report says why."""
    bench = busy("a:live", "b:live")
    bench.table.stopped = frozenset({B})
    report = bench.tick()
    assert (result(report, A).result, result(report, B).result) == (Result.APPLIED, Result.HELD)
    assert result(report, B).detail == "warmcast stop"
    everything = busy("a:live", "b:live")
    everything.table.everything_stopped = True
    everything.tick()
    assert everything.aws.writes == []


def test_an_override_holds_until_it_expires() -> None:
    """Exactly 4 for an hour, then the objective has its say again."""
    bench = busy("a:live")
    bench.table.overrides[A] = Override(until=NOON + timedelta(hours=1), reason="incident", minimum=4, maximum=4)
    assert result(bench.tick(), A).decision.wanted == 4
    later = NOON + timedelta(minutes=65)
    bench.aws.histories[A] = settled(40.0, end=later)
    assert result(bench.tick(later), A).decision.wanted >= 53


def test_a_tick_beside_another_does_nothing() -> None:
    """The lock is held: nothing is read, nothing is written, and no tick is counted."""
    bench = busy("a:live")
    bench.table.lock("another", now=NOON, until=NOON + timedelta(minutes=10))
    report = bench.tick(NOON + timedelta(minutes=9))
    assert (report.status, report.rows, bench.aws.writes) == (TickStatus.LOCKED, (), [])
    assert {metric.name: metric.value for metric in metrics(report)}["Ticks"] == 0.0


def test_a_lock_left_behind_expires() -> None:
    """A tick that died takes ten minutes, not the night."""
    bench = busy("a:live")
    bench.table.lock("dead", now=NOON - timedelta(minutes=11), until=NOON - timedelta(minutes=1))
    assert bench.tick().status is TickStatus.DONE
    assert bench.table.owner == ""


def test_a_duplicate_tick_changes_nothing() -> None:
    """The same event twice: the second finds the allocation under way and defers."""
    bench = busy("a:live")
    bench.tick()
    again = bench.tick(NOON + timedelta(seconds=1))
    assert len(bench.aws.writes) == 1
    assert result(again, A).result in {Result.HELD, Result.DEFERRED}


def test_a_tick_can_be_restricted_to_targets() -> None:
    """`targets: [a:live]` leaves the others alone, and releases nobody."""
    bench = busy("a:live", "b:live")
    bench.table.memories[C] = Memory(requested=5)
    report = bench.tick(only=frozenset({"a:live"}))
    assert [row.outcome.decision.target for row in report.rows] == [A]


def test_out_of_time_defers_writes() -> None:
    """With less than ten seconds left no write is begun."""
    bench = busy("a:live")
    ports = Ports(observer=bench.aws, actor=bench.aws, table=bench.table, time_left_s=lambda: 9.0)
    report = run(bench.fleet, ports=ports, order=Order(owner="x"), knowledge=bench.knowledge, now=NOON)
    assert (result(report, A).result, bench.aws.writes) == (Result.DEFERRED, [])


# --- limits in common


def test_rises_come_first() -> None:
    """Customers wait for a rise; a decrease can wait for it."""
    bench = busy("a:live", "b:live")
    bench.aws.histories[A] = settled(1.0)
    bench.aws.states[A] = state(40)
    bench.tick()
    assert [who for _, who, _ in bench.aws.writes] == [B, A]


def test_the_budget_bounds_the_whole_fleet() -> None:
    """Two targets want 53 each, the budget is 60."""
    bench = busy("a:live", "b:live")
    bench.tick(budget=Budget(units=60))
    assert sum(units for _, _, units in bench.aws.writes) == 60


def test_what_stands_for_others_of_ours_counts_against_the_budget() -> None:
    """A tick restricted to one target leaves the other's 60 units out of its reach."""
    bench = busy("a:live", "b:live")
    bench.table.memories[B] = Memory(requested=60)
    bench.tick(only=frozenset({"a:live"}), budget=Budget(units=80))
    assert [units for _, _, units in bench.aws.writes] == [20]


def test_a_decrease_by_a_shared_limit_is_read_again_first() -> None:
    """Nobody wanted a change until the budget did: a canary that began since the sweep is met by no write."""

    class Surprise(FakeAws):
        def reread(self, targets: Any, *, now: datetime) -> Any:  # noqa: ANN401 - as FakeAws
            self.states[A] = state(18, weights={"8": 0.1})
            return super().reread(targets, now=now)

    bench = Bench(fleet(policy("a:live")))
    bench.aws = Surprise(histories={A: settled(10.0)}, states={A: state(18)})
    outcome = result(bench.tick(budget=Budget(units=12)), A)
    assert (bench.aws.reread_targets, bench.aws.writes) == ([A], [])
    assert outcome.decision.limits[-1].name is Reason.WEIGHTS


def test_a_lock_that_is_not_given_back_costs_no_report() -> None:
    """The table fails at the very end: the report is there, with the fault in it."""

    class Refusing(FakeTable):
        def unlock(self, owner: str) -> None:
            del owner
            code = "InternalServerError"
            raise AwsError(code, "try again", "DeleteItem")

    bench = busy("a:live")
    bench.table = Refusing()
    report = bench.tick()
    assert result(report, A).result is Result.APPLIED
    assert "lock was not given back" in report.faults[0].message


def test_two_aliases_on_one_version_are_told() -> None:
    """AWS takes one config a version: the second alias would be refused for ever."""
    bench = busy("api:live", "api:blue")
    (fault,) = bench.tick().faults
    assert fault.message == "api:blue and api:live point to version 7: AWS provisions only one of them"


def test_what_was_not_read_in_passing_is_told() -> None:
    """A throttled sweep hides no state, and is a fault of the tick all the same."""

    class Throttled(FakeAws):
        def observe(self, policies: Any, memories: Any, *, now: datetime) -> Any:  # noqa: ANN401 - as FakeAws
            note = Fault(FaultKind.THROTTLED, "GetAlias: TooManyRequestsException: a:live")
            return replace(super().observe(policies, memories, now=now), notes=(note,))

    bench = busy("a:live")
    bench.aws = Throttled(histories=bench.aws.histories)
    report = bench.tick()
    assert result(report, A).result is Result.APPLIED
    assert "GetAlias" in report.faults[0].message


def test_hours_of_waiting_count_as_failing() -> None:
    """Weights that a failed deploy left behind: after an hour the target counts as failed, and so the alarm tells."""
    bench = busy("a:live")
    bench.aws.states[A] = state(10, weights={"8": 1.0})
    assert bench.tick().failed == ()
    later = NOON + timedelta(minutes=65)
    bench.aws.histories[A] = settled(40.0, end=later)
    (row,) = bench.tick(later).failed
    assert "weights on version 8" in row.fault


def test_an_unreadable_account_is_reported() -> None:
    """Nothing rises, and the tick counts as failed."""
    bench = busy("a:live")
    bench.aws.account = None
    report = bench.tick()
    assert bench.aws.writes == []
    assert report.faults[0].kind is FaultKind.DENIED


def test_a_full_account_is_a_named_limit() -> None:
    """The reason in the report is the account's, not the forecast's."""
    bench = busy("a:live")
    bench.aws.account = AccountLimits(concurrency=120, unreserved=120, others_in_use=0.0)
    assert result(bench.tick(), A).decision.reason is Reason.ACCOUNT_LIMIT


# --- what has left the fleet


def test_a_target_that_left_the_fleet_is_released() -> None:
    """Kept by default, reported once, then forgotten."""
    bench = busy("a:live")
    bench.table.memories[B] = Memory(requested=7)
    outcome = result(bench.tick(), B)
    assert (outcome.result, outcome.detail) == (Result.RELEASED, "capacity kept")
    assert B not in bench.table.memories
    assert bench.aws.deleted == []


def test_a_released_target_is_deleted_where_its_policy_said_so() -> None:
    """`on_remove: delete`, and no stack owns the config."""
    bench = busy("a:live")
    bench.table.memories[B] = Memory(requested=7, mode=Mode.APPLY, on_remove="delete", stack_owns_config=False)
    assert result(bench.tick(), B).detail == "deleted"
    assert bench.aws.deleted == [B]


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (lambda bench: setattr(bench.table, "everything_stopped", True), Result.HELD),
        (lambda bench: setattr(bench.table, "stopped", frozenset({B})), Result.HELD),
        (lambda bench: bench.aws.states.update({B: state(7, weights={"8": 0.1})}), Result.DEFERRED),
        (lambda bench: bench.aws.states.update({B: state(7, status=Status.IN_PROGRESS)}), Result.DEFERRED),
        (lambda bench: bench.aws.unread.add(B), Result.DEFERRED),
        (lambda bench: bench.aws.states.update({B: Fault(FaultKind.DENIED, "no")}), Result.FAILED),
        (lambda bench: bench.aws.states.update({B: Fault(FaultKind.MISSING, "no alias")}), Result.RELEASED),
    ],
    ids=["all stopped", "stopped", "canary", "in progress", "not read", "denied", "already gone"],
)
def test_a_release_obeys_what_every_write_obeys(trouble: Callable[[Bench], None], expected: Result) -> None:
    """Stop, weights and IN_PROGRESS hold a release back; it is remembered until it is done, and recorded."""
    bench = busy("a:live")
    bench.table.memories[B] = Memory(requested=7, mode=Mode.APPLY, on_remove="delete", stack_owns_config=False)
    trouble(bench)
    outcome = result(bench.tick(), B)
    assert (outcome.result, bench.aws.deleted) == (expected, [])
    assert (B in bench.table.memories) is (expected is not Result.RELEASED)


@pytest.mark.parametrize("order", [{"release": False}, {"only": frozenset({"a:live"})}], ids=["laptop", "restricted"])
def test_a_part_of_the_fleet_releases_nobody(order: dict[str, Any]) -> None:
    """Whoever is not in a part may well be in the whole."""
    bench = busy("a:live")
    bench.table.memories[B] = Memory(requested=7, mode=Mode.APPLY, on_remove="delete", stack_owns_config=False)
    bench.tick(**order)
    assert (bench.aws.deleted, B in bench.table.memories) == ([], True)


def test_a_target_that_was_never_applied_is_not_deleted() -> None:
    """What mode observe or raise-only could not lower is kept when it leaves."""
    bench = busy("a:live")
    bench.table.memories[B] = Memory(requested=7, on_remove="delete", stack_owns_config=False)
    assert result(bench.tick(), B).detail == "capacity kept"


def test_a_stacks_config_is_never_deleted_on_release() -> None:
    """`stack_owns_config` wins over `on_remove: delete`."""
    bench = busy("a:live")
    bench.table.memories[B] = Memory(requested=7, mode=Mode.APPLY, on_remove="delete", stack_owns_config=True)
    bench.tick()
    assert bench.aws.deleted == []


# --- memory between ticks


def test_a_failed_allocation_is_reported_and_backed_off() -> None:
    """FAILED: held with the reason, ten minutes long, and then tried again."""
    bench = busy("a:live")
    bench.aws.states[A] = state(60, status=Status.FAILED, allocated=0)
    first = result(bench.tick(), A)
    assert (first.result, first.decision.limits[-1].name) == (Result.FAILED, Reason.BACK_OFF)
    assert "AWS gives no reason" in first.detail
    after = NOON + timedelta(minutes=10)
    bench.aws.histories[A] = settled(40.0, end=after)
    assert result(bench.tick(after), A).result is Result.APPLIED


def test_an_unchanged_tick_writes_nothing_to_the_table() -> None:
    """A target is remembered once, and then when something changes, not every five minutes."""
    bench = Bench(fleet(policy("a:live")))
    bench.aws.histories[A] = settled(10.0)
    bench.aws.states[A] = state(18)
    bench.tick()
    first = bench.table.writes
    bench.tick(NOON + timedelta(minutes=5))
    assert (first, bench.table.writes) == (1, 1)


def test_learning_is_spread_over_ticks() -> None:
    """Three targets, one learned per tick: the reason is `learning` until its turn has come."""
    bench = busy("a:live", "b:live", "c:live")
    reasons = [
        sum(
            row.outcome.decision.reason is Reason.LEARNING
            for row in bench.tick(learn_most=1, dry_run=True, actor=PlanOnly()).rows
        )
        for _ in range(3)
    ]
    assert reasons == [2, 1, 0]


# --- the report


def test_the_log_record_has_the_whole_decision() -> None:
    """One flat record per target: what, from where to where, why, what limited it, what came of it."""
    (record,) = log_records(busy("a:live").tick())
    assert {key: record[key] for key in ("target", "action", "current", "outcome", "dry_run", "fleet_version")} == {
        "target": "a:live",
        "action": "raise",
        "current": 10,
        "outcome": "applied",
        "dry_run": False,
        "fleet_version": "test",
    }
    assert {
        "demand",
        "forecast_p50",
        "forecast_p90",
        "floor",
        "ceiling",
        "reason",
        "limits",
        "spillover",
    } <= record.keys()


def test_few_metrics_by_default_and_more_on_request() -> None:
    """Eight for the fleet; a target's own only where it opted in ($0.30 a month each)."""
    report = busy("a:live", "b:live").tick()
    assert len(metrics(report)) == 8
    chosen = metrics(report, per_target=["a:live"])
    assert {metric.dimensions.get("Target") for metric in chosen} == {None, "a:live"}


def test_a_decision_reads_as_a_sentence() -> None:
    """For the terminal: from where to where, and why."""
    row = Row(outcome=Outcome(decision(wanted=31), Result.APPLIED), mode=policy().mode)
    assert sentence(row) == "checkout-api:live 10 -> 31, forecast; applied"
