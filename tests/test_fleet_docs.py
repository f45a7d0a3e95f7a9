"""`docs/policy.md` in step with the models: every key, the precedence sentence, every example and figure."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from warmcast.fleet import CapacityRange, Home, Policy, Window, load_fleet
from warmcast.fleet.check import keys
from warmcast.fleet.objective import OBJECTIVES

if TYPE_CHECKING:
    from pydantic import BaseModel

TEXT = (Path(__file__).parent.parent / "docs" / "policy.md").read_text(encoding="utf-8")
PRECEDENCE = (
    "for each bound the highest layer that sets it decides (override, then event, then schedule, then capacity), "
    "within a layer the highest floor and the highest ceiling win, between floor and ceiling the objective decides "
    "from the forecast and from what is seen now, and then the limits of policy, function and account clamp, in that "
    "order."
)


def section(heading: str) -> str:
    """The text under a heading, up to the next one."""
    return TEXT.split(f"{heading}\n", 1)[1].split("\n#", 1)[0]


def first_cells(heading: str) -> list[str]:
    """The keys that the first table under a heading lists."""
    return re.findall(r"^\| `(\w+)` \|", section(heading), flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("heading", "model"),
    [("## Keys of a target", Policy), ("### `capacity`", CapacityRange), ("### `schedule`", Window)],
)
def test_every_key_is_documented_and_every_documented_key_exists(heading: str, model: type[BaseModel]) -> None:
    """In the order of the model."""
    assert first_cells(heading) == list(keys(model))


def test_every_objective_is_documented() -> None:
    """And no other."""
    assert first_cells("### `objective`") == list(OBJECTIVES)


def test_the_precedence_sentence_is_there_word_for_word() -> None:
    """The sentence is the contract of `warmcast.calendar.bounds`; nothing paraphrases it."""
    assert PRECEDENCE[1:] in section("## Which rule decides")


def test_the_first_example_is_a_good_policy_file(tmp_path: Path) -> None:
    """What people copy must load without a finding."""
    example = re.search(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
    assert example is not None
    path = tmp_path / "example.yaml"
    path.write_text(example[1], encoding="utf-8")
    fleet = load_fleet([path], home=Home("123456789012", "eu-west-1"))

    assert fleet.findings == ()
    assert len(fleet.policies) == 1


def test_the_documented_defaults_are_the_models() -> None:
    """Each default of a plain value, as the table writes it."""
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| `([^`|]+)` \|[^|]*\|$", section("## Keys of a target"), re.MULTILINE))
    plain = {
        name: str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
        for name, field in Policy.model_fields.items()
        if isinstance(field.default, bool | str) or name == "timezone"
    }

    assert {name: rows[name] for name in plain} == plain
    assert (rows["hold"], rows["changes_per_day"], rows["objective"]) == ("0s", "100", "{spillover: 1%}")
