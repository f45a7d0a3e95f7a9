"""The YAML reader: scalars of the 1.2 core schema, lines, and no input that breaks it."""

from __future__ import annotations

import math
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmcast.fleet import Home, load_fleet
from warmcast.fleet.yaml12 import LARGEST_FILE, read, resolve

WORDS = ["targets:", "- ", "function: api", "qualifier: live", "capacity: {max: 3}", "schedule:", "\n", "  ", "    "]
SPICE = [
    "&a ",
    "*a",
    "!!str ",
    "? ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "|",
    "---",
    "\t",
    "'",
    '"',
    "\x00",
    "é",
    "1e5",
    "null",
    "-",
]


@pytest.mark.parametrize("text", ["19:00", "off", "NO", "yes", "2026-11-27T00:00", "1_000", "1%", "-", "0b1", "1:30"])
def test_what_yaml_1_1_would_turn_into_something_else_stays_text(text: str) -> None:
    """YAML 1.1 reads some of these as numbers, booleans and dates."""
    assert resolve(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("Null", None),
        ("true", True),
        ("FALSE", False),
        ("017", 17),
        ("-3", -3),
        ("0o17", 15),
        ("0x1f", 31),
        (".5", 0.5),
        ("1.", 1.0),
        ("1E3", 1000.0),
        ("-.INF", -math.inf),
    ],
)
def test_the_core_schema_of_yaml_1_2_is_followed(text: str, value: object) -> None:
    """The value and its type are those of the core schema."""
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def test_nan_is_a_number() -> None:
    """`.nan` equals nothing, not even itself."""
    value = resolve(".nan")

    assert isinstance(value, float)
    assert math.isnan(value)


def test_quoted_scalars_stay_text() -> None:
    """Quotes mean text, whatever is inside; so do block scalars."""
    root = read(b"a: \"1\"\nb: 'true'\nc: |\n  2\n", "f").root

    assert root is not None
    assert root.plain() == {"a": "1", "b": "true", "c": "2\n"}


def test_a_node_has_the_line_of_its_key() -> None:
    """Also where the value starts on a later line; an item has the line that it starts on."""
    root = read(b"a:\n  b:\n\n    - 1\n    -\n      c: 2\n", "f").root

    assert root is not None
    assert [root.nearest(path).line for path in [("a",), ("a", "b"), ("a", "b", 0), ("a", "b", 1, "c")]] == [1, 2, 4, 6]
    assert root.nearest(("a", "missing", 3)).line == 1


def test_a_file_that_is_too_large_is_not_parsed() -> None:
    """The limit is told, with the size."""
    (flaw,) = read(b"#" * (LARGEST_FILE + 1), "f").flaws

    assert flaw.problem.message == f"must be at most {LARGEST_FILE} bytes long, but is {LARGEST_FILE + 1} bytes"


def test_a_hundred_thousand_brackets_are_refused_and_not_recursed_into() -> None:
    """Nesting is bounded before any stack is."""
    document = read(b"a: " + b"[" * 100_000, "f")

    assert document.root is None
    assert "nested at most" in document.flaws[0].problem.message


def test_an_alias_bomb_is_refused_at_its_first_alias() -> None:
    """Nothing is expanded."""
    document = read(b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "f")

    assert document.root is None
    assert [flaw.line for flaw in document.flaws] == [1, 2, 2]


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200), st.lists(st.sampled_from(WORDS + SPICE), max_size=30).map("".join).map(str.encode)
    )
)
def test_no_bytes_break_loading(data: bytes) -> None:
    """Whatever a file holds: targets, or findings with a line in the file; never an exception."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.yaml"
        path.write_bytes(data)
        fleet = load_fleet([path], home=Home("123456789012", "eu-west-1"))

    assert fleet.policies or fleet.findings
    assert all(1 <= finding.line <= data.count(b"\n") + data.count(b"\r") + 2 for finding in fleet.findings)
