"""What is wrong with the policy files, as data: a problem within a value, and the finding that tells a person of it.

A `Problem` knows where in a value it lies (a path of keys and indices) and nothing of files; a `Finding` is the same
with the file and the line. Both always name the rule and the value, because the message is made of them.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Path: TypeAlias = tuple[str | int, ...]

MISSING = "missing"
LONGEST_VALUE = 60


class Severity(StrEnum):
    """An error refuses the target (or the file); a warning is legal but suspicious."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend in a policy file; as text it is `file:line: error|warning: key: message`."""

    file: str
    line: int
    key: str
    rule: str
    value: str
    message: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity}: {self.key}: {self.message}"


@dataclass(frozen=True, slots=True)
class Problem:
    """A value that breaks a rule.

    Args:
        path: keys and indices from the value that was checked down to the one at fault.
        rule: what it must be, worded to follow "must be" (a warning: "should be").
        value: what it is, as `show` words it.
        hint: what to do about it; may be empty.
    """

    path: Path
    rule: str
    value: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    @property
    def key(self) -> str:
        """The path as people write it: `schedule[0].from`."""
        return spell(self.path)

    @property
    def message(self) -> str:
        """One sentence with rule, value and hint."""
        verb = "must be" if self.severity is Severity.ERROR else "should be"
        return f"{verb} {self.rule}, but is {self.value}" + (f"; {self.hint}" if self.hint else "")

    def under(self, path: Path) -> Problem:
        """The same problem seen from further up."""
        return replace(self, path=path + self.path)

    def at(self, file: str, line: int) -> Finding:
        """The finding that tells a person of it."""
        return Finding(file, line, self.key, self.rule, self.value, self.message, self.severity)


def spell(path: Path) -> str:
    """A path as people write it: `schedule[0].from`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def show(value: object) -> str:
    """A value as it looks in YAML, on one line and cut to a readable length."""
    match value:
        case None:
            text = "null"
        case bool():
            text = str(value).lower()
        case str():
            text = '"' + value.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'
        case dict():
            text = "a mapping"
        case list() | tuple():
            text = "a list"
        case _:
            text = str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The hint that names the closest known word; empty where none is close."""
    close = difflib.get_close_matches(word, sorted(known), n=1)
    return f"did you mean {close[0]}?" if close else ""


class RefusedError(ValueError):
    """A validator's no: it carries the problems themselves, and pydantic hands it on with the place of the value."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{problem.key or 'value'} {problem.message}" for problem in problems))
        self.problems = problems


def refusal(rule: str, value: object, hint: str = "") -> RefusedError:
    """The error about the very value that a validator was given."""
    return RefusedError(Problem((), rule, show(value), hint))
