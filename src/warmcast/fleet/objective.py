"""The promises that capacity may be bought for, and how a policy writes them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from warmcast.fleet import values
from warmcast.fleet.findings import Problem, RefusedError, did_you_mean, refusal, show


@dataclass(frozen=True, slots=True)
class Spillover:
    """At most this share of invocations that provisioned concurrency does not serve; 0.01 is 1%."""

    share: float


@dataclass(frozen=True, slots=True)
class ColdStarts:
    """At most this many cold starts per 10,000 invocations."""

    per_10k: float


@dataclass(frozen=True, slots=True)
class ColdStartCost:
    """What one cold start is worth avoiding, in USD."""

    usd: float


@dataclass(frozen=True, slots=True)
class Savings:
    """As cheap as possible: provisioned concurrency only where it costs less than running on demand."""


Objective: TypeAlias = Spillover | ColdStarts | ColdStartCost | Savings

OBJECTIVES: dict[str, Callable[[object], Objective]] = {
    "spillover": lambda value: Spillover(values.share(value)),
    "cold_starts": lambda value: ColdStarts(values.per_10k(value)),
    "cold_start_cost": lambda value: ColdStartCost(values.usd(value)),
}
OBJECTIVE_RULE = "one of {spillover: 1%}, {cold_starts: 2 per 10k}, {cold_start_cost: 0.0004} and savings"
OBJECTIVE_SCHEMA = {
    "description": "The promise that capacity is bought for.",
    "default": {"spillover": "1%"},
    "anyOf": [
        {"const": "savings"},
        *(
            {"type": "object", "additionalProperties": False, "required": [key], "properties": {key: schema}}
            for key, schema in (
                ("spillover", {"type": "string", "pattern": values.SHARE_PATTERN, "examples": ["1%"]}),
                ("cold_starts", {"type": "string", "pattern": values.PER_10K_PATTERN, "examples": ["2 per 10k"]}),
                ("cold_start_cost", {"type": "number", "exclusiveMinimum": 0, "maximum": 100, "examples": [0.0004]}),
            )
        ),
    ],
}


def parse_objective(value: object) -> Objective:
    """Read an objective: one key with its value, or the word `savings`."""
    if isinstance(value, Spillover | ColdStarts | ColdStartCost | Savings):
        return value
    if value == "savings":
        return Savings()
    if isinstance(value, Mapping) and len(value) > 1:
        raise refusal(OBJECTIVE_RULE, value, f"it has {' and '.join(map(str, value))}: keep one")
    if not isinstance(value, Mapping) or not value:
        raise refusal(OBJECTIVE_RULE, value, did_you_mean(value, ["savings"]) if isinstance(value, str) else "")
    ((key, number),) = value.items()
    if key not in OBJECTIVES:
        hint = did_you_mean(str(key), OBJECTIVES)
        raise RefusedError(Problem((str(key),), OBJECTIVE_RULE, show(key), hint))
    try:
        return OBJECTIVES[key](number)
    except RefusedError as error:
        raise RefusedError(*(problem.under((key,)) for problem in error.problems)) from None
