"""What the controller remembers: lead time, back-off, last change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import NOON, decision, policy, state
from warmcast.memory import after_look, after_outcome, waits_too_long, with_policy
from warmcast.model import Memory, Mode, Outcome, Result, Status

PENDING = Memory(requested=20, pending_since=NOON - timedelta(minutes=5))


def test_an_applied_rise_is_pending_and_starts_the_hold() -> None:
    """What was requested, when, and that READY has not been seen."""
    after = after_outcome(Memory(), Outcome(decision(current=10, wanted=20), Result.APPLIED), now=NOON)
    assert (after.requested, after.changed_at, after.raised_at, after.pending_since) == (20, NOON, NOON, NOON)


def test_an_applied_decrease_starts_no_hold_of_a_rise() -> None:
    """Only rises start the minimum hold."""
    after = after_outcome(Memory(), Outcome(decision(current=10, wanted=4), Result.APPLIED), now=NOON)
    assert (after.requested, after.changed_at, after.raised_at) == (4, NOON, None)


@pytest.mark.parametrize("result", [Result.DEFERRED, Result.FAILED, Result.PLANNED, Result.HELD])
def test_what_wrote_nothing_is_not_remembered(result: Result) -> None:
    """A dry run or a deferral leaves no trace in the memory."""
    after = after_outcome(PENDING, Outcome(decision(wanted=20), result), now=NOON)
    assert replace(after, waiting_since=None) == PENDING


def test_a_refusal_backs_off() -> None:
    """AWS would say no again: ten minutes, then twenty, then forty, an hour at most."""
    memory, waits = Memory(), []
    for _ in range(8):
        memory = after_outcome(memory, Outcome(decision(wanted=20), Result.REFUSED), now=NOON)
        assert memory.back_off_until is not None
        waits.append((memory.back_off_until - NOON) / timedelta(minutes=1))
    assert waits == [10, 20, 40, 60, 60, 60, 60, 60]


def test_a_request_that_is_not_ready_yet_tells_the_lead_time() -> None:
    """Five minutes old and still IN_PROGRESS: the lead time is five minutes at least."""
    after = after_look(PENDING, state(20, status=Status.IN_PROGRESS), now=NOON)
    assert (after.lead_time_s, after.pending_since) == (300.0, PENDING.pending_since)


def test_a_quick_allocation_shortens_a_long_lead_time_slowly() -> None:
    """READY at the first look: a tenth is taken off what was measured before, or what this one took."""
    slow = Memory(pending_since=NOON - timedelta(minutes=5), lead_time_s=400.0)
    assert after_look(slow, state(20), now=NOON).lead_time_s == 300.0
    slower = Memory(pending_since=NOON - timedelta(minutes=10), lead_time_s=400.0)
    assert after_look(slower, state(20), now=NOON).lead_time_s == 360.0


def test_ready_ends_pending_and_forgives_failures() -> None:
    """The request is done, and past failures are over."""
    memory = Memory(requested=20, pending_since=NOON, failures=2, back_off_until=NOON)
    after = after_look(memory, state(20), now=NOON)
    assert (after.pending_since, after.failures, after.back_off_until) == (None, 0, None)


def test_a_back_off_after_a_refusal_outlasts_a_look() -> None:
    """The capacity that stands is READY, yet what was refused is not tried again before its time."""
    refused = after_outcome(Memory(), Outcome(decision(wanted=20), Result.REFUSED), now=NOON)
    assert after_look(refused, state(10), now=NOON) == refused


def test_a_state_from_before_the_request_teaches_nothing() -> None:
    """What was read before the Put can't say that the Put is done."""
    asked = Memory(requested=20, changed_at=NOON, pending_since=NOON)
    assert after_look(asked, state(10, at=NOON), now=NOON) == asked


def test_a_failed_allocation_backs_off_once() -> None:
    """Seen again and again while nothing is written, one failure stays one failure."""
    failed = state(20, status=Status.FAILED, allocated=0)
    failed = replace(failed, capacity=replace(failed.capacity, status_reason="FUNCTION_ERROR_INIT_FAILURE"))
    once = after_look(PENDING, failed, now=NOON)
    assert (once.failures, once.back_off_until) == (1, NOON + timedelta(minutes=10))
    assert once.failure == "allocation failed: FUNCTION_ERROR_INIT_FAILURE"
    assert after_look(once, failed, now=NOON + timedelta(minutes=5)) == once


def test_a_mended_allocation_is_free_at_once() -> None:
    """AWS says READY again, in the middle of the back-off: nothing is left to wait for."""
    failed = after_look(PENDING, state(20, status=Status.FAILED, allocated=0), now=NOON)
    mended = after_look(failed, state(20), now=NOON + timedelta(minutes=2))
    assert (mended.failures, mended.failure, mended.back_off_until) == (0, "", None)


def test_the_policy_is_remembered_for_when_it_is_gone() -> None:
    """`on_remove` must be known after the target has left the fleet."""
    rules = policy(low=0, stack_owns_config=False, on_remove="delete")
    kept = with_policy(Memory(), rules, fleet_version="v1")
    assert (kept.on_remove, kept.stack_owns_config, kept.mode) == ("delete", False, Mode.APPLY)


def test_a_refusal_is_forgiven_by_another_fleet() -> None:
    """Somebody changed something: it is tried at once, not after the back-off."""
    refused = after_outcome(Memory(), Outcome(decision(wanted=20), Result.REFUSED, "above reserved"), now=NOON)
    assert with_policy(refused, policy(), fleet_version="test").back_off_until is not None
    assert with_policy(refused, policy(), fleet_version="next").back_off_until is None


def test_a_refusal_of_nothing_written_does_not_back_off() -> None:
    """A target that may not be written (a foreign scalable target) is free as soon as it may."""
    held = Outcome(decision(wanted=20, blocked=True), Result.REFUSED)
    assert after_outcome(Memory(), held, now=NOON).failures == 0


def test_waiting_is_told_after_an_hour() -> None:
    """Weights left by a failed deploy defer every tick: after an hour somebody must hear of it."""
    deferred = Outcome(decision(wanted=20), Result.DEFERRED, "weights on version 8")
    memory = after_outcome(Memory(), deferred, now=NOON)
    later = NOON + timedelta(minutes=55)
    assert waits_too_long(memory, deferred, now=later) == ""
    assert "weights on version 8" in waits_too_long(memory, deferred, now=NOON + timedelta(minutes=60))
    done = Outcome(decision(wanted=20), Result.HELD)
    assert after_outcome(memory, done, now=later).waiting_since is None
