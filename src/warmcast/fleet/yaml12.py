"""Reads YAML as its 1.2 core schema has it, keeping the line of every key.

PyYAML resolves YAML 1.1 (`19:00` would be 1140, `off` false) and lets duplicate keys pass, so only its parser is used
here: events in, a tree of nodes out. What a policy file has no need for and what hides meaning (anchors, aliases,
tags, several documents) is refused. Pure: takes bytes, touches no file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import yaml

from warmcast.fleet.findings import Path, Problem, Severity, show

if TYPE_CHECKING:
    from collections.abc import Iterator

try:
    from yaml import CSafeLoader as _Loader  # libyaml: about ten times as fast
except ImportError:  # pragma: no cover - wheels carry libyaml; a source build may not
    from yaml import SafeLoader as _Loader  # type: ignore[assignment] # the same events, in Python

LARGEST_FILE = 4 * 1024 * 1024
DEEPEST = 16
LONGEST_INTEGER = 40
BOM = "\ufeff"

Scalar: TypeAlias = bool | int | float | str | None
Content: TypeAlias = "Scalar | list[Node] | dict[str, Node]"
Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+\Z")
_BASED = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")


@dataclass(frozen=True, slots=True)
class Node:
    """A value and the place of its key (of itself, in a list)."""

    value: Content
    file: str
    line: int

    def plain(self) -> Plain:
        """The value alone, as Python has it."""
        match self.value:
            case dict():
                return {key: node.plain() for key, node in self.value.items()}
            case list():
                return [node.plain() for node in self.value]
            case _:
                return self.value

    def nearest(self, path: Path) -> Node:
        """The node at a path, or the last one on the way to it: where a person has to look."""
        node = self
        for part in path:
            match node.value:
                case dict() if isinstance(part, str) and part in node.value:
                    node = node.value[part]
                case list() if isinstance(part, int) and part < len(node.value):
                    node = node.value[part]
                case _:
                    break
        return node


@dataclass(frozen=True, slots=True)
class Flaw:
    """A problem of the YAML itself, with its line."""

    problem: Problem
    line: int


@dataclass(frozen=True, slots=True)
class Document:
    """What one file says; `root` is None where it could not be read to its end."""

    root: Node | None
    flaws: tuple[Flaw, ...] = ()


class _UnreadableError(Exception):
    """Reading can't go on."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.problem.message)
        self.flaw = flaw


@dataclass(slots=True)
class _Frame:
    """An open mapping or list, and the key that waits for its value."""

    node: Node
    key: str | None = None
    key_line: int = 0
    step: str | int = ""


@dataclass(slots=True)
class _Builder:
    """The tree as it grows, event by event; a stack of its own, so that no nesting can exhaust Python's."""

    file: str
    stack: list[_Frame] = field(default_factory=list)
    root: Node | None = None
    documents: int = 0
    flaws: list[Flaw] = field(default_factory=list)

    def path(self) -> Path:
        return tuple(frame.step for frame in self.stack[1:])

    def flaw(self, line: int, rule: str, value: str, *, hint: str = "", key: str | int = "") -> Flaw:
        path = self.path() if key == "" else (*self.path(), key)
        return Flaw(Problem(path or ("file",), rule, value, hint), line)

    def add(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 1
        match event:
            case yaml.ScalarEvent():
                self.refuse_marks(event, line)
                self.scalar(event, line)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self.refuse_marks(event, line)
                self.open(event, line)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.stack.pop()
            case yaml.AliasEvent():
                hint = "write the value out, or share it in _defaults.yaml"
                raise _UnreadableError(self.flaw(line, "free of aliases", show(f"*{event.anchor}"), hint=hint))
            case yaml.DocumentStartEvent():
                self.document(event, line)
            case _:
                return  # the stream's start and end, a document's end

    def document(self, event: yaml.DocumentStartEvent, line: int) -> None:
        self.documents += 1
        if self.documents > 1:
            raise _UnreadableError(self.flaw(line, "one YAML document", "a second document", hint="use another file"))
        if event.version or event.tags:
            self.flaws.append(self.flaw(line, "free of YAML directives", "a directive", hint="remove the % lines"))

    def refuse_marks(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, line: int) -> None:
        step = self.step()
        if event.anchor:
            value = show(f"&{event.anchor}")
            self.flaws.append(self.flaw(line, "free of anchors", value, hint="use _defaults.yaml", key=step))
        if event.tag:
            self.flaws.append(self.flaw(line, "free of tags", show(event.tag), key=step))

    def step(self) -> str | int:
        """The key or index that the next value gets; empty for the root and for a key."""
        if not self.stack:
            return ""
        frame = self.stack[-1]
        return len(frame.node.value) if isinstance(frame.node.value, list) else (frame.key or "")

    def scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        frame = self.stack[-1] if self.stack else None
        if frame and isinstance(frame.node.value, dict) and frame.key is None:
            frame.key, frame.key_line = event.value, line
            return
        try:
            value = resolve(event.value) if event.implicit[0] else event.value
        except ValueError:
            rule = f"a number of at most {LONGEST_INTEGER} digits"
            self.flaws.append(self.flaw(line, rule, show(event.value), key=self.step()))
            value = event.value
        self.place(value, line)

    def open(self, event: yaml.CollectionStartEvent, line: int) -> None:
        frame = self.stack[-1] if self.stack else None
        if frame and isinstance(frame.node.value, dict) and frame.key is None:
            raise _UnreadableError(self.flaw(line, "text as a key", "a mapping or a list"))
        if len(self.stack) >= DEEPEST:
            raise _UnreadableError(self.flaw(line, f"nested at most {DEEPEST} deep", "deeper"))
        step = self.step()
        node = self.place({} if isinstance(event, yaml.MappingStartEvent) else [], line)
        self.stack.append(_Frame(node, step=step))

    def place(self, value: Content, line: int) -> Node:
        if not self.stack:
            self.root = Node(value, self.file, line)
            return self.root
        frame = self.stack[-1]
        container = frame.node.value
        if isinstance(container, list):
            node = Node(value, self.file, line)
            container.append(node)
            return node
        assert isinstance(container, dict)
        assert frame.key is not None
        key, frame.key = frame.key, None
        node = Node(value, self.file, frame.key_line)
        if key in container:
            first = container[key].line
            self.flaws.append(self.flaw(node.line, "given once", "given again", hint=f"first at line {first}", key=key))
        else:
            container[key] = node
        return node


def resolve(text: str) -> Scalar:
    """A plain scalar by the core schema of YAML 1.2.

    `19:00`, `off`, `NO`, `1_000`, `017:30` and `2026-11-27` stay text; `017` is 17, `0o17` is 15, `1e3` is 1000.0.

    Raises:
        ValueError: an integer of more than 40 digits.
    """
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if text[0] not in "+-.0123456789":
        return text
    if _INT.match(text) or _BASED.match(text):
        if len(text) > LONGEST_INTEGER:
            raise ValueError(text)
        return int(text) if _INT.match(text) else int(text, 0)
    if _FLOAT.match(text) or _INFINITE.match(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def read(data: bytes, file: str) -> Document:
    """The tree of one file's bytes and what is wrong with its YAML.

    A file whose `root` is None could not be read to its end; other flaws leave the rest of the tree usable.
    """
    if len(data) > LARGEST_FILE:
        problem = Problem(("file",), f"at most {LARGEST_FILE} bytes long", f"{len(data)} bytes")
        return Document(None, (Flaw(problem, 1),))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        bad = f"byte 0x{data[error.start]:02x}"
        line = data[: error.start].count(b"\n") + 1
        return Document(None, (Flaw(Problem(("file",), "UTF-8 text", bad, "save it as UTF-8"), line),))
    builder = _Builder(file)
    if text.startswith(BOM):
        rule, value = "UTF-8 without a byte order mark", "marked"
        builder.flaws.append(Flaw(Problem(("file",), rule, value, "save it without", Severity.WARNING), 1))
    try:
        for event in _events(text.removeprefix(BOM)):
            builder.add(event)
    except _UnreadableError as stop:
        return Document(None, (*builder.flaws, stop.flaw))
    return Document(builder.root, tuple(builder.flaws))


def _events(text: str) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, Loader=_Loader)
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1
        value = f"character 0x{ord(error.character) if isinstance(error.character, str) else error.character:02x}"
        raise _UnreadableError(Flaw(Problem(("file",), "printable text", value), line)) from error
    except yaml.MarkedYAMLError as error:
        raise _UnreadableError(_syntax(text, error)) from error


def _syntax(text: str, error: yaml.MarkedYAMLError) -> Flaw:
    mark = error.problem_mark or error.context_mark
    number = mark.line if mark else 0
    lines = text.splitlines() or [""]
    line = lines[min(number, len(lines) - 1)]
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return Flaw(Problem(("file",), "indented with spaces", "indented with a tab"), number + 1)
    problem = Problem(("file",), "YAML", f"broken: {error.problem}", error.context or "")
    return Flaw(problem, number + 1)
