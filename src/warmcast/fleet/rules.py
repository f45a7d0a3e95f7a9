"""Rules over several keys of a policy: errors that refuse it, and suspicions that are told as warnings. Pure.

Each rule yields problems that name one key, so that a finding has one line to point at.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from warmcast.fleet.findings import MISSING, Problem, RefusedError, Severity, show
from warmcast.fleet.values import wall_text
from warmcast.model import Actuator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from warmcast.fleet.policy import CapacityRange, Policy, Window

FORM = "either from and to (and days), or cron and for"


def refuse(problems: Iterator[Problem]) -> None:
    """Raise what was found, all of it at once."""
    found = tuple(problems)
    if found:
        raise RefusedError(*found)


def capacity_problems(capacity: CapacityRange) -> Iterator[Problem]:
    """The least is not above the most."""
    if capacity.min > capacity.max:
        yield Problem(("min",), f"at most max ({capacity.max})", show(capacity.min))


def window_problems(window: Window) -> Iterator[Problem]:
    """A window says when, in one of two forms, and what: a floor, a ceiling or both."""
    yield from _form_problems(window)
    if window.from_ is not None and window.from_ == window.to:
        hint = 'a whole day is from "00:00" to "24:00"'
        yield Problem(("to",), "another time than from", show(wall_text(window.to)), hint)
    if window.min is None and window.max is None:
        yield Problem((), "a rule with min, max or both", "without either", "as it is, it changes nothing")
    if window.min is not None and window.max is not None and window.min > window.max:
        yield Problem(("min",), f"at most max ({window.max})", show(window.min))


def _form_problems(window: Window) -> Iterator[Problem]:
    weekly = {"days": window.days, "from": window.from_, "to": window.to}
    cron = {"cron": window.cron, "for": window.for_}
    given_weekly = [key for key, value in weekly.items() if value is not None]
    given_cron = [key for key, value in cron.items() if value is not None]
    if given_weekly and given_cron:
        yield Problem((given_cron[0],), f"{FORM}, not a mixture", f"given beside {given_weekly[0]}")
    elif given_cron:
        yield from (Problem((key,), f"given: a window has {FORM}", MISSING) for key in cron if key not in given_cron)
    elif given_weekly:
        needed = (key for key in ("from", "to") if key not in given_weekly)
        yield from (Problem((key,), f"given: a window has {FORM}", MISSING) for key in needed)
    else:
        yield Problem((), f"a window with {FORM}", "without any of them")


def policy_problems(policy: Policy) -> Iterator[Problem]:
    """What may bring capacity to 0 (a Delete) needs a config that no stack owns (design: a deploy would fail on it)."""
    if not policy.stack_owns_config:
        return
    hint = "0 deletes the config, which breaks a stack that declares it; else set stack_owns_config: false"
    if policy.capacity.min == 0:
        yield Problem(("capacity", "min"), "at least 1 where stack_owns_config is true", show(0), hint)
    for index, window in enumerate(policy.schedule):
        for key, value in (("min", window.min), ("max", window.max)):
            if value == 0:
                path = ("schedule", index, key)
                yield Problem(path, "at least 1 where stack_owns_config is true", show(0), hint)
    if policy.on_remove == "delete":
        rule, hint = "keep where stack_owns_config is true", "a deleted config breaks the stack that declares it"
        yield Problem(("on_remove",), rule, show("delete"), hint)


def suspicions(policy: Policy) -> Iterator[Problem]:
    """What is legal, but probably not what was meant."""
    names = Counter(window.name for window in policy.schedule if window.name)
    for index, window in enumerate(policy.schedule):
        yield from (problem.under(("schedule", index)) for problem in _window_suspicions(window, policy.capacity.max))
        if window.name and names[window.name] > 1:
            yield _suspicion(("schedule", index, "name"), "used once", window.name, "explanations name rules by it")
    if policy.adopt and policy.actuator is Actuator.DIRECT:
        hint = "a direct target with a scalable target is left alone, adopted or not"
        yield _suspicion(("adopt",), "false unless actuator is autoscaling", True, hint)  # noqa: FBT003 - a value to show


def _window_suspicions(window: Window, most: int) -> Iterator[Problem]:
    if window.cron is not None and (difference := window.cron.differs_on_aws()):
        yield _suspicion(("cron",), "cron that AWS reads the same way", str(window.cron), difference)
    if window.min is not None and window.max is None and window.min > most:
        hint = "the window's floor wins while it is open; give the window a max, or raise capacity.max"
        yield _suspicion(("min",), f"at most capacity.max ({most})", window.min, hint)


def _suspicion(path: tuple[str | int, ...], rule: str, value: object, hint: str) -> Problem:
    return Problem(path, rule, show(value), hint, Severity.WARNING)
