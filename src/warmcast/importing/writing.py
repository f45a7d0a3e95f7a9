"""Imported targets as a policy file with comments, and as JSON. Pure; the same input gives the same text."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from warmcast.fleet.yaml12 import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from warmcast.importing.translate import Imported
    from warmcast.importing.windows import Draft

WIDTH = 116
_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9_ -]*[A-Za-z0-9_-])?|[A-Za-z]+(?:/[A-Za-z0-9_+-]+)+|(?:\d+[hms])+")

HEAD = """\
# yaml-language-server: $schema=./fleet.schema.json
# Made by `warmcast import` from Application Auto Scaling in {place}; docs/import.md says what became of what.
#
# Every target only observes. Before a mode that writes (raise-only, apply), delete its scheduled actions and its
# target-tracking policies in Application Auto Scaling: else two set the same bounds.
# The objective is the default, at most 1% spillover: it decides between floor and ceiling, where target tracking did.
"""


def yaml_text(imported: Sequence[Imported], place: str) -> str:
    """A policy file: a comment on top, then each target with the origin of its rules and what was not translated."""
    if not imported:
        return HEAD.format(place=place) + "targets: []\n"
    return HEAD.format(place=place) + "targets:\n" + "\n".join("\n".join(_target(each)) + "\n" for each in imported)


def record(imported: Imported) -> dict[str, object]:
    """A target for programs: the policy's keys as the file has them, remarks, and what was not translated."""
    return {
        "target": str(imported),
        "policy": {**_head(imported), **_bounds(imported), "schedule": [draft.keys() for draft in imported.windows]},
        "remarks": list(imported.remarks),
        "untranslated": [
            {
                "action": left.action,
                "expression": left.expression,
                "reason": left.reason,
                "partly": left.partly,
                "since": left.since.isoformat() if left.since else None,
            }
            for left in imported.left
        ],
    }


def _head(imported: Imported) -> dict[str, object]:
    """The keys before `capacity`."""
    keys: dict[str, object] = {"function": imported.function, "qualifier": imported.qualifier, "mode": "observe"}
    if imported.scaled:
        keys["actuator"] = "autoscaling"
        if not imported.ours:
            keys["adopt"] = True
    if imported.may_be_zero:
        keys["stack_owns_config"] = False
    if imported.windows:
        keys["timezone"] = str(imported.zone)
    return keys


def _bounds(imported: Imported) -> dict[str, object]:
    return {"capacity": {"min": imported.minimum, "max": imported.maximum}}


def _target(imported: Imported) -> Iterator[str]:
    yield from _comment(f"{imported}", 2)
    for remark in imported.remarks:
        yield from _comment(remark, 2, bullet=True)
    if imported.may_be_zero:
        yield from _comment("A bound is 0, at which AWS deletes the config: no stack may declare it.", 2, bullet=True)
    for number, (key, value) in enumerate(_head(imported).items()):
        yield f"{'    ' if number else '  - '}{key}: {_scalar(value)}"
    yield f"    capacity: {{min: {imported.minimum}, max: {imported.maximum}}}"
    if imported.windows:
        yield "    schedule:"
    for draft in imported.windows:
        yield from _comment(_origin(draft, imported), 6)
        pairs = ", ".join(f"{key}: {_scalar(value)}" for key, value in draft.keys().items())
        yield f"      - {{{pairs}}}"
    for left in imported.left:
        yield from _comment(f"{'NOT WHOLLY' if left.partly else 'NOT'} TRANSLATED: {left}", 4)


def _origin(draft: Draft, imported: Imported) -> str:
    opened, closed = (
        " and ".join(f"{name} ({imported.expressions.get(name, 'an action')})" for name in names)
        for names in (draft.opened_by, draft.closed_by)
    )
    return f"from {opened} until {closed}" if closed else f"always, by {opened or 'the scalable target'}"


def _comment(text: str, indent: int, *, bullet: bool = False) -> Iterator[str]:
    """Comment lines; a text of somebody else's can't break out of them."""
    wrapped = textwrap.wrap(
        _visible(text), WIDTH - indent, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    for number, line in enumerate(wrapped):
        mark = ("" if number else "- ") if bullet else ""
        yield f"{' ' * indent}# {mark}{line}"


def _scalar(value: object) -> str:
    """A value as YAML: plain where it stays what it is, else in quotes."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case _:
            text = str(value)
            return text if _PLAIN.fullmatch(text) and resolve(text) == text else f'"{_visible(text, quoted=True)}"'


def _visible(text: str, *, quoted: bool = False) -> str:
    """Text on one line: what is not printable as an escape, which is YAML's too."""
    if quoted:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return "".join(letter if letter.isprintable() else f"\\U{ord(letter):08x}" for letter in text)
