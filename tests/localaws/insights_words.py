"""The words of the Logs Insights query language that `insights` understands: tokens, functions, units, refusals."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from localaws.wire import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Value = float | str | bool | None


class Instant(float):
    """Epoch milliseconds that are shown as a date and time."""


SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>"[^"]*"|'[^']*')
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<name>@?[A-Za-z_][\w.]*|`[^`]+`)
      | (?P<pattern>(?<=like\s)/(?:[^/\\]|\\.)+/|(?<==~\s)/(?:[^/\\]|\\.)+/)
      | (?P<sign>=~|>=|<=|!=|[|=<>+\-*/(),])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query: text, number, name, pattern or sign, with its text as written."""

    kind: str
    text: str


def tokens(text: str) -> list[Token]:
    """A query in pieces; comments (`#` to the end of a line) are dropped."""
    rest = re.sub(r"(?m)^\s*#.*$", "", text).rstrip()
    found: list[Token] = []
    at = 0
    while at < len(rest):
        match = _TOKEN.match(rest, at)
        if match is None or match.lastgroup is None:
            raise unmodelled(f"what stands at character {at} ({rest[at : at + 10]!r})")
        found.append(Token(match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


def globbed(glob: str) -> re.Pattern[str]:
    """The pattern that a glob of `parse` stands for: a group for each wildcard, anywhere in the text."""
    return re.compile("(.*?)".join(map(re.escape, glob.split("*"))) + ("$" if glob.endswith("*") else ""), re.DOTALL)


def malformed(why: str) -> ApiError:
    """AWS's refusal of a query that is none."""
    return ApiError("MalformedQueryException", why)


def unmodelled(what: str) -> ApiError:
    """Our refusal of what AWS would understand."""
    return ApiError("NotImplemented", f"the local AWS does not model {what} of Logs Insights", status=501)


def _numbers(values: Sequence[Value]) -> list[float]:
    return [value for value in values if isinstance(value, float)]


def _over(of: Callable[[list[float]], float]) -> Callable[[Sequence[Value], float], Value]:
    def apply(values: Sequence[Value], parameter: float) -> Value:
        del parameter
        numbers = _numbers(values)
        return float(of(numbers)) if numbers else None

    return apply


def _percentile(values: Sequence[Value], percent: float) -> Value:
    numbers = _numbers(values)
    return float(np.percentile(numbers, percent)) if numbers else None


AGGREGATES: Mapping[str, Callable[[Sequence[Value], float], Value]] = {
    "count": lambda values, _: float(sum(value is not None for value in values)),
    "count_distinct": lambda values, _: float(len({value for value in values if value is not None})),
    "sum": _over(sum),
    "avg": _over(lambda numbers: sum(numbers) / len(numbers)),
    "min": _over(min),
    "max": _over(max),
    "pct": _percentile,
    "percentile": _percentile,
}


def _rounded(of: Callable[[float], float]) -> Callable[..., Value]:
    return lambda value: float(of(value)) if isinstance(value, float) else None


FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "ispresent": lambda value: value is not None,
    "isempty": lambda value: value in {None, ""},
    "isblank": lambda value: value is None or not str(value).strip(),
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "abs": _rounded(abs),
    "ceil": _rounded(math.ceil),
    "floor": _rounded(math.floor),
    "greatest": lambda *values: max(_numbers(values), default=None),
    "least": lambda *values: min(_numbers(values), default=None),
}
