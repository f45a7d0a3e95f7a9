"""Faults that pass by themselves: what was known stands, the fault is told, and a write waits for a fresh read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import CHECKOUT, target
from observing import SweepWorld, refusal
from warmcast.model import Fault, FaultKind, TargetState
from warmcast.observe.faults import fault_of

TICK = timedelta(minutes=5)
PASSING = ["TooManyRequestsException", "ServiceException", "500", "ReadTimeoutError", "ThrottlingException"]


@pytest.mark.parametrize("code", PASSING)
@pytest.mark.parametrize(
    ("operation", "about"),
    [
        ("List", "checkout-api"),
        ("GetAlias", "checkout-api:live"),
        ("GetFunction", "checkout-api:live"),
        ("Describe", "checkout-api:live"),
    ],
)
def test_a_fault_that_will_pass_hides_no_state_that_is_known(operation: str, about: str, code: str) -> None:
    """The state stands, the fault is told with its target, and the read is tried again at the very next tick."""
    world = SweepWorld()
    world.tick()
    before = world.state()
    world.aws.errors[operation, about] = refusal(code, operation)
    world.tick(timedelta(hours=6))
    assert world.state() in (before, replace(before, read_at=world.now))
    [note] = world.sweep.notes()
    assert note.kind in {FaultKind.THROTTLED, FaultKind.AWS}
    assert note.message.startswith(f"{operation}: {code}: words of {code} (the last known state stands: checkout-api")
    world.aws.errors.clear()
    assert (operation, about) in world.tick(TICK)
    assert world.sweep.notes() == ()


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException"])
def test_what_is_gone_or_denied_replaces_what_was_known(code: str) -> None:
    """Then the state that was known is no state any more, even where a passing fault came between."""
    world = SweepWorld()
    world.tick()
    for each in ("ServiceException", code):
        world.aws.errors["GetAlias", "checkout-api:live"] = refusal(each, "GetAlias")
        world.tick(TICK, pending=[CHECKOUT])
    assert isinstance(world.sweep.state(CHECKOUT), Fault)
    assert world.sweep.notes() == ()


def test_a_fault_that_will_pass_does_not_restore_what_is_gone() -> None:
    """A missing alias stays missing while AWS has troubles: the newest fault is told."""
    world = SweepWorld()
    for after, code in ((timedelta(), "ResourceNotFoundException"), (timedelta(minutes=15), "ServiceException")):
        world.aws.errors["GetAlias", "checkout-api:live"] = refusal(code, "GetAlias")
        world.tick(after)
        assert world.sweep.state(CHECKOUT) == fault_of(refusal(code, "GetAlias"))


def test_an_outage_of_awss_side_is_one_note_with_a_few_names() -> None:
    """Nine targets under way meet the same fault: five are named, four counted."""
    world = SweepWorld(*(target(f"fn-{n}:live") for n in range(9)))
    world.tick()
    world.aws.errors["List", "*"] = refusal("ServiceException", "List")
    world.tick(TICK, pending=world.targets)
    [note] = world.sweep.notes()
    assert note.message.endswith("(the last known state stands: fn-0, fn-1, fn-2, fn-3, fn-4 and 4 more)")


@pytest.mark.parametrize("operation", ["GetAlias", "Describe"])
def test_a_reread_that_meets_a_passing_fault_is_that_fault_for_this_write(operation: str) -> None:
    """What was known may be old, and a write needs it new; it stands for the next tick."""
    world = SweepWorld()
    world.tick()
    world.tick(TICK)
    world.aws.errors[operation, "checkout-api:live"] = refusal("ServiceException", operation)
    assert world.reread(CHECKOUT) == {CHECKOUT: fault_of(refusal("ServiceException", operation))}
    assert isinstance(world.sweep.state(CHECKOUT), TargetState)
