"""Carry decisions out: Decision -> Outcome. The dry run is another actor for the same decisions.

The only stage that writes capacity. Each actor implements `tick.Actor`: it does what the decision says and nothing
else, and turns whatever AWS answers into an outcome (`aws.verdicts`); it never raises for that. Whether a decision may
be carried out was settled before, by the guardrails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from warmcast.aws.verdicts import judge
from warmcast.aws.wire import marked
from warmcast.errors import AwsError
from warmcast.model import Action, Actuator, Outcome, Reason, Result, Status
from warmcast.outcomes import held

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from warmcast.aws.autoscaling import AutoScaling
    from warmcast.aws.functions import Functions
    from warmcast.model import Decision
    from warmcast.tick import Actor

    Write = Callable[[Decision], Outcome]


class DirectActor:
    """Writes provisioned concurrency itself: Put for a change, Delete only where the decision is to delete."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    def act(self, decision: Decision, *, now: datetime) -> Outcome:  # noqa: ARG002 - of the port; AWS has its own clock
        """One write at most."""
        return _dispatch(decision, change=self._put, delete=self._delete)

    def _put(self, decision: Decision) -> Outcome:
        if decision.wanted < 1:
            return Outcome(decision, Result.FAILED, f"a capacity of {decision.wanted} is never sent as a Put")
        capacity = self._functions.put(decision.target, decision.wanted)
        if capacity.status is Status.FAILED:
            return Outcome(
                decision, Result.FAILED, f"AWS answered FAILED: {capacity.status_reason or 'no reason given'}"
            )
        return Outcome(decision, Result.APPLIED, f"requested {capacity.requested}, allocated {capacity.allocated}")

    def _delete(self, decision: Decision) -> Outcome:
        self._functions.delete(decision.target)
        return Outcome(decision, Result.APPLIED, "deleted")


class AutoScalingActor:
    """Lets Application Auto Scaling write: sets the bounds of a scalable target, which is Warmcast's own.

    The first registration brings the tracking policy along, and a later change brings it back where it got lost.
    """

    def __init__(self, autoscaling: AutoScaling, functions: Functions) -> None:
        self._autoscaling = autoscaling
        self._functions = functions

    def act(self, decision: Decision, *, now: datetime) -> Outcome:  # noqa: ARG002 - of the port; AWS has its own clock
        """One registration and, where the policy lacks, that; a Delete takes our registration away first."""
        return _dispatch(decision, change=self._register, delete=self._delete)

    def _register(self, decision: Decision) -> Outcome:
        maximum = decision.published_maximum
        if maximum is None or not 0 <= decision.wanted <= maximum:
            return Outcome(decision, Result.FAILED, f"bounds {decision.wanted} to {maximum} can't be registered")
        self._autoscaling.register(decision.target, decision.wanted, maximum)
        bounds = f"minimum {decision.wanted}, maximum {maximum}"
        if decision.action is Action.LOWER:
            return self._with_policy(Outcome(decision, Result.FLOOR_LOWERED, bounds))
        return self._with_policy(Outcome(decision, Result.APPLIED, bounds))

    def _with_policy(self, outcome: Outcome) -> Outcome:
        """The bounds are registered, whatever becomes of the policy: its fault is told beside, by its code."""
        try:
            self._autoscaling.ensure_policy(outcome.decision.target)
        except AwsError as error:
            detail = f"{outcome.detail}; without its tracking policy: {judge(error).meaning} ({error})"
            return Outcome(outcome.decision, outcome.result, detail, error.code)
        return outcome

    def _delete(self, decision: Decision) -> Outcome:
        """Registration first: a bound left behind would bring the capacity back, or cut somebody else's later."""
        registered = self._autoscaling.describe([decision.target]).get(decision.target)
        if registered is not None:
            if not registered.ours:
                return Outcome(decision, Result.REFUSED, "a scalable target that is not ours holds it")
            self._autoscaling.deregister(decision.target)
        self._functions.delete(decision.target)
        return Outcome(decision, Result.APPLIED, "deleted")


class LiveActor:
    """Gives each decision to the actor that its actuator names.

    A released target's policy is gone and with it its actuator, so its Delete goes to the actor that looks first.
    """

    def __init__(self, *, functions: Functions, autoscaling: AutoScaling) -> None:
        self._direct = DirectActor(functions)
        self._autoscaling = AutoScalingActor(autoscaling, functions)

    def act(self, decision: Decision, *, now: datetime) -> Outcome:
        """Carry the decision out with its own actuator."""
        return self._actor(decision).act(decision, now=now)

    def _actor(self, decision: Decision) -> Actor:
        if decision.reason is Reason.RELEASED:
            return self._autoscaling
        match decision.actuator:
            case Actuator.DIRECT:
                return self._direct
            case Actuator.AUTOSCALING:
                return self._autoscaling
            case _:
                assert_never(decision.actuator)


class DryRunActor:
    """Writes nothing: says what would have been done."""

    def act(self, decision: Decision, *, now: datetime) -> Outcome:  # noqa: ARG002 - of the port; nothing happens
        """`planned` for a change, and what any other actor says of a decision that changes nothing."""
        return Outcome(decision, Result.PLANNED) if decision.changes else held(decision)


def _dispatch(decision: Decision, *, change: Write, delete: Write) -> Outcome:
    match decision.action:
        case Action.HOLD:
            return held(decision)
        case Action.RAISE | Action.LOWER:
            return _attempt(decision, change)
        case Action.DELETE:
            return _attempt(decision, delete)
        case _:
            assert_never(decision.action)


def _attempt(decision: Decision, write: Write) -> Outcome:
    """Write under the decision's mark; a refusal becomes an outcome with AWS's code and words."""
    try:
        with marked(decision.id, decision.fleet_version):
            return write(decision)
    except AwsError as error:
        verdict = judge(error)
        return Outcome(decision, verdict.result, f"{verdict.meaning} ({error})", error.code)
