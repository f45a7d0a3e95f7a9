"""What the fleet says of a target, as frozen, strict models; `docs/policy.md` explains every key to people.

Field names and descriptions are the interface: the JSON schema that editors use is generated from them. A rule over
several keys lives in `rules`, which words its errors; values are read by `values` and `cron`. Pure.
"""

# No `from __future__ import annotations`: pydantic reads these annotations at run time.
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated, ClassVar, Self, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator

from warmcast.fleet import rules, values
from warmcast.fleet.cron import Cron, parse_cron
from warmcast.fleet.findings import refusal
from warmcast.fleet.objective import OBJECTIVE_SCHEMA, Objective, Spillover, parse_objective
from warmcast.model import Actuator, Mode

MOST_UNITS = 100_000
FUNCTION_PATTERN = r"^[a-zA-Z0-9_-]{1,64}$"
QUALIFIER_PATTERN = r"^(?!0[0-9]*$)[a-zA-Z0-9_-]{1,128}$"
ACCOUNT_PATTERN = r"^\d{12}$"
REGION_PATTERN = r"^[a-z]{2}(-[a-z]+)+-\d$"
QUALIFIER_RULE = "an alias or a published version"
T = TypeVar("T")


class OnSlow(StrEnum):
    """Whether capacity follows durations that a slow downstream stretches."""

    FOLLOW = "follow"
    CAP = "cap"


class OnRemove(StrEnum):
    """What becomes of the capacity of a target that leaves the fleet."""

    KEEP = "keep"
    DELETE = "delete"


# --- the parts of a policy -------------------------------------------------------------------------------------------


class _Part(BaseModel):
    """What all models share: frozen, strict, and no key that nobody reads."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, strict=True, extra="forbid")


def _text_schema(pattern: str, **more: object) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, **more})


def _optional(read: Callable[[object], T]) -> PlainValidator:
    """`null` is as if the key were left out, so that a target can undo a default; all else goes to the reader."""
    return PlainValidator(lambda value: None if value is None else read(value))


def _optional_schema(pattern: str, **more: object) -> WithJsonSchema:
    return WithJsonSchema({"type": ["string", "null"], "pattern": pattern, **more})


Units: TypeAlias = Annotated[int, Field(ge=0, le=MOST_UNITS)]


class CapacityRange(_Part):
    """The least and the most provisioned concurrency that the policy asks for when no other rule does."""

    min: Annotated[Units, Field(description="Least capacity. 0 needs stack_owns_config: false.")] = 1
    max: Annotated[int, Field(ge=1, le=MOST_UNITS, description="Most capacity.")]

    @model_validator(mode="after")
    def _check(self) -> Self:
        rules.refuse(rules.capacity_problems(self))
        return self


@dataclass(frozen=True, slots=True)
class Weekly:
    """When a `days`/`from`/`to` window happens: wall minutes, `until` on the next day if not after `start`."""

    days: frozenset[int]
    start: int
    until: int


@dataclass(frozen=True, slots=True)
class Repeated:
    """When a `cron`/`for` window happens: it opens when cron fires and stays open for elapsed seconds."""

    cron: Cron
    length_s: int


class Window(_Part):
    """A recurring rule: while it is open, its min and max replace those of `capacity`."""

    name: Annotated[str | None, Field(min_length=1, max_length=80, description="What explanations call it.")] = None
    days: Annotated[
        frozenset[int] | None,
        _optional(values.days),
        _optional_schema(values.DAYS_PATTERN, examples=["mon-fri", "sat,sun", "fri-mon", "daily"]),
        Field(description="Days on which it opens; every day if left out."),
    ] = None
    from_: Annotated[
        int | None,
        _optional(values.wall_time),
        _optional_schema(values.WALL_PATTERN, examples=["08:00"]),
        Field(alias="from", description="Wall time at which it opens, inclusive."),
    ] = None
    to: Annotated[
        int | None,
        _optional(values.until_time),
        _optional_schema(values.UNTIL_PATTERN, examples=["19:00", "24:00"]),
        Field(description="Wall time at which it closes, exclusive; before `from` it is the next day's."),
    ] = None
    cron: Annotated[
        Cron | None,
        _optional(parse_cron),
        _optional_schema(r"^\S+( +\S+){4}$", examples=["0 2 28-31 * *"]),
        Field(description="Five fields in the target's time zone; it opens when they match."),
    ] = None
    for_: Annotated[
        timedelta | None,
        _optional(values.duration("1m", "744h")),
        _optional_schema(values.DURATION_PATTERN, examples=["3h", "90m"]),
        Field(alias="for", description="How long a cron window stays open, in elapsed time."),
    ] = None
    min: Annotated[Units | None, Field(description="Least capacity while it is open.")] = None
    max: Annotated[Units | None, Field(description="Most capacity while it is open.")] = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        rules.refuse(rules.window_problems(self))
        return self

    @cached_property
    def timing(self) -> Weekly | Repeated:
        """When it happens, in the form that the calendar computes with."""
        if self.cron is not None and self.for_ is not None:
            return Repeated(self.cron, int(self.for_.total_seconds()))
        assert self.from_ is not None
        assert self.to is not None
        return Weekly(values.EVERY_DAY if self.days is None else self.days, self.from_, self.to)

    @cached_property
    def title(self) -> str:
        """Its name, or the rule itself in words."""
        if self.name is not None:
            return self.name
        match self.timing:
            case Weekly(days, start, until):
                names = ",".join(values.WEEKDAYS[day] for day in sorted(days)) if len(days) < 7 else "daily"
                return f"{names} {values.wall_text(start)}-{values.wall_text(until)}"
            case Repeated(cron, length_s):
                return f"{cron} for {timedelta(seconds=length_s)}"


# --- the policy ------------------------------------------------------------------------------------------------------


def _version_number(value: object) -> object:
    """A published version may be written as the number that it is."""
    return str(value) if type(value) is int and value > 0 else value


def _name(value: object, *, pattern: str, rule: str, hint: str = "") -> str:
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise refusal(rule, value, hint if isinstance(value, int) else "")
    return value


def _function(value: object) -> str:
    return _name(value, pattern=FUNCTION_PATTERN, rule="a function's name or ARN")


def _qualifier(value: object) -> str:
    if value == "$LATEST":
        raise refusal(QUALIFIER_RULE, value, "AWS provisions no concurrency for unpublished code")
    if isinstance(value, str) and re.fullmatch("0[0-9]*", value):
        # AWS takes digits alone for a version, and counts versions from 1.
        plain = value.lstrip("0")
        raise refusal(QUALIFIER_RULE, value, f"did you mean {plain}?" if plain else "versions begin with 1")
    return _name(_version_number(value), pattern=QUALIFIER_PATTERN, rule=QUALIFIER_RULE)


def _account(value: object) -> str:
    return _name(
        value, pattern=ACCOUNT_PATTERN, rule="an account id of 12 digits", hint="quote it: zeros in front are lost"
    )


def _region(value: object) -> str:
    return _name(value, pattern=REGION_PATTERN, rule="a Region such as eu-west-1")


class Policy(_Part):
    """What the fleet says of one target."""

    function: Annotated[
        str,
        PlainValidator(_function),
        WithJsonSchema({"type": "string", "minLength": 1}),
        Field(description="The function's name or ARN (full or partial)."),
    ]
    qualifier: Annotated[
        str,
        PlainValidator(_qualifier),
        WithJsonSchema(
            {"anyOf": [{"type": "string", "pattern": QUALIFIER_PATTERN}, {"type": "integer", "minimum": 1}]}
        ),
        Field(description="The alias, or the published version. $LATEST is refused."),
    ]
    account: Annotated[
        str | None,
        _optional(_account),
        _optional_schema(ACCOUNT_PATTERN),
        Field(description="The account of the function, 12 digits in quotes; where Warmcast runs if left out."),
    ] = None
    region: Annotated[
        str | None,
        _optional(_region),
        _optional_schema(REGION_PATTERN, examples=["eu-west-1"]),
        Field(description="The Region of the function; where Warmcast runs if left out."),
    ] = None
    owner: Annotated[str | None, Field(min_length=1, max_length=200, description="Whom to tell.")] = None
    mode: Annotated[
        Mode,
        Field(strict=False, description="How far to trust Warmcast: observe writes nothing, raise-only never lowers."),
    ] = Mode.OBSERVE
    actuator: Annotated[
        Actuator,
        Field(
            strict=False,
            description="How a capacity is carried out: put as it is, or through a scalable target's bounds.",
        ),
    ] = Actuator.DIRECT
    stack_owns_config: Annotated[
        bool, Field(description="Whether some stack declares the provisioned concurrency; then it is never deleted.")
    ] = True
    adopt: Annotated[bool, Field(description="Take over a scalable target that does not carry Warmcast's tag.")] = False
    timezone: Annotated[
        ZoneInfo,
        PlainValidator(values.zone),
        WithJsonSchema({"type": "string", "minLength": 1, "default": "UTC", "examples": ["Europe/London"]}),
        Field(description="IANA time zone of the schedule."),
    ] = ZoneInfo("UTC")
    capacity: Annotated[CapacityRange, Field(description="The least and the most capacity.")]
    objective: Annotated[Objective, PlainValidator(parse_objective), WithJsonSchema(OBJECTIVE_SCHEMA)] = Spillover(0.01)
    schedule: Annotated[
        tuple[Window, ...], Field(strict=False, max_length=100, description="Recurring windows with other bounds.")
    ] = ()
    on_slow: Annotated[
        OnSlow, Field(strict=False, description="Whether capacity follows durations stretched by a slow downstream.")
    ] = OnSlow.FOLLOW
    on_remove: Annotated[
        OnRemove, Field(strict=False, description="What becomes of the capacity when the target leaves the fleet.")
    ] = OnRemove.KEEP
    hold: Annotated[
        timedelta,
        PlainValidator(values.duration("0s", "24h")),
        _text_schema(values.DURATION_PATTERN, default="0s"),
        Field(description="How long a capacity is held at least before the objective may lower it."),
    ] = timedelta(0)
    changes_per_day: Annotated[
        int, Field(ge=2, le=288, description="At most so many changes a day by the objective; rules come on top.")
    ] = 100
    lead_time: Annotated[
        timedelta | None,
        _optional(values.duration("30s", "1h")),
        _optional_schema(values.DURATION_PATTERN, examples=["4m"]),
        Field(description="From a request for capacity until it is READY; measured if left out."),
    ] = None
    metrics: Annotated[bool, Field(description="Publish this target's own CloudWatch metrics (they cost money).")] = (
        False
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        rules.refuse(rules.policy_problems(self))
        return self
