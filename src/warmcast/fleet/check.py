"""Checks one target as YAML gave it: a policy, or all that is wrong with it, in our words. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pydantic import ValidationError

from warmcast.fleet.findings import MISSING, Path, Problem, RefusedError, did_you_mean, show
from warmcast.fleet.policy import CapacityRange, Policy, Window
from warmcast.fleet.rules import suspicions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

    from warmcast.fleet.yaml12 import Plain

Raw: TypeAlias = "Mapping[str, Plain]"

LATER = frozenset({"holidays", "events"})
_ARN = re.compile(
    r"(?:arn:aws[a-z-]*:lambda:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?"
    r"(?P<account>\d{12}):function:(?P<function>[a-zA-Z0-9_-]{1,64})(?::(?P<qualifier>[$a-zA-Z0-9_-]{1,128}))?"
)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check gave: `policy` is None where a problem is an error; warnings come with a policy too."""

    policy: Policy | None
    problems: tuple[Problem, ...]


def check(raw: Raw) -> Checked:
    """The policy that a target's keys make, or every problem that can be told apart in one pass."""
    spelled, arn_problems = spell_out(raw)
    try:
        policy = Policy.model_validate(spelled)
    except ValidationError as error:
        return Checked(None, (*arn_problems, *_problems(error)))
    if arn_problems:
        return Checked(None, arn_problems)
    return Checked(policy, tuple(suspicions(policy)))


def check_part(raw: Raw) -> tuple[Problem, ...]:
    """What is wrong with keys that are only a part of a target: nothing is missing, no rule spans what is not there."""
    try:
        Policy.model_validate(raw)
    except ValidationError as error:
        return tuple(problem for problem in _problems(error) if problem.value != MISSING or "schedule" in problem.path)
    return ()


def spell_out(raw: Raw) -> tuple[dict[str, Plain], tuple[Problem, ...]]:
    """Split a function's ARN into the keys that it stands for; keys that say otherwise are problems."""
    spelled = dict(raw)
    function = raw.get("function")
    match = _ARN.fullmatch(function) if isinstance(function, str) else None
    if match is None:
        return spelled, ()
    problems = []
    for key, value in match.groupdict().items():
        given = spelled.get(key)
        if value is None:
            continue
        if key == "function" or given is None:
            spelled[key] = value
        elif str(given) != value:
            problems.append(Problem((key,), f"what the function's ARN says ({value})", show(given)))
    return spelled, tuple(problems)


def _problems(error: ValidationError) -> Iterator[Problem]:
    for details in error.errors(include_url=False):
        cause = details.get("ctx", {}).get("error")
        if isinstance(cause, RefusedError):
            yield from (problem.under(details["loc"]) for problem in cause.problems)
        else:
            yield _problem(details)


def _problem(details: ErrorDetails) -> Problem:  # noqa: PLR0911 - a table, one line for each kind of error
    """A problem in our words for each of pydantic's errors that a policy can meet."""
    path, value, context = details["loc"], show(details["input"]), details.get("ctx", {})
    match details["type"]:
        case "missing":
            return Problem(path, "given", MISSING)
        case "extra_forbidden":
            return _unknown_key(path)
        case "enum":
            words = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
            return Problem(path, f"one of {', '.join(words)}", value, did_you_mean(str(details["input"]), words))
        case "greater_than_equal":
            return Problem(path, f"at least {context['ge']}", value)
        case "less_than_equal":
            return Problem(path, f"at most {context['le']}", value)
        case "string_too_short":
            return Problem(path, "text that is not empty", value)
        case "string_too_long":
            return Problem(path, f"text of at most {context['max_length']} characters", value)
        case "too_long":
            return Problem(path, f"a list of at most {context['max_length']}", f"a list of {context['actual_length']}")
        case kind:
            return Problem(path, _KINDS.get(kind, details["msg"]), value)


_KINDS = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "string_type": "text (in quotes, if it looks like a number)",
    "model_type": "a mapping",
    "tuple_type": "a list",
}


def _unknown_key(path: Path) -> Problem:
    key = str(path[-1])
    if len(path) == 1 and key in LATER:
        return Problem(path, "left out", "given", f"{key} are not carried out by this version")
    model: type[BaseModel] = Policy
    owner = "a target"
    if path[0] == "capacity":
        model, owner = CapacityRange, "capacity"
    elif path[0] == "schedule":
        model, owner = Window, "a window"
    return Problem(path, f"a key of {owner}", show(key), did_you_mean(key, keys(model)))


def keys(model: type[BaseModel]) -> tuple[str, ...]:
    """The keys of a model as YAML writes them, in order."""
    return tuple(field.alias or name for name, field in model.model_fields.items())
