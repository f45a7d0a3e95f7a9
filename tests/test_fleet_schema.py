"""The generated schema: in step with the models, kind to good files, strict with bad structure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from warmcast.fleet.schema import fleet_schema, schema_text, write_schema
from warmcast.fleet.yaml12 import Plain, read

ROOT = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data" / "fleet"
VALIDATOR = Draft7Validator(fleet_schema())

# What a schema can't tell: rules over several keys or targets, ranges inside text, zones, cron, what is missing from
# the fleet as a whole, and the YAML itself.
BEYOND_A_SCHEMA = frozenset(
    {
        "account_elsewhere",
        "arn_disagrees",
        "arn_elsewhere",
        "bad_function",
        "capacity_order",
        "capacity_zero",
        "cron_equal",
        "cron_hashed",
        "cron_last_weekday",
        "cron_nearest_and_weekday",
        "cron_never",
        "cron_never_31",
        "cron_range",
        "cron_step_zero",
        "delete_from_a_stack",
        "for_nothing",
        "for_too_long",
        "function_with_qualifier",
        "hold_too_long",
        "missing_keys",
        "missing_max",
        "no_targets",
        "objective_cold_high",
        "objective_high",
        "objective_nan",
        "objective_zero",
        "region_elsewhere",
        "window_empty",
        "window_order",
        "window_zero",
        "zone_abbreviated",
        "zone_of_the_machine",
        "zone_off",
        "zone_path",
        "zone_unknown",
    }
)


def plain(path: Path) -> Plain:
    """A fixture as an editor sees it."""
    root = read(path.read_bytes(), path.name).root
    return None if root is None else root.plain()


def readable(path: Path) -> bool:
    """Whether the fixture's fault is one of content, not of YAML, and an error."""
    document = read(path.read_bytes(), path.name)
    errors = ": error: " in path.with_suffix(".expected").read_text(encoding="utf-8")
    return document.root is not None and not document.flaws and errors


BAD = [path for path in sorted((DATA / "bad").glob("*.yaml")) if readable(path)]


def test_the_committed_schema_is_the_generated_one() -> None:
    """`python -m warmcast.fleet.schema src/fleet/fleet.schema.json` makes it so."""
    assert (ROOT / "src" / "fleet" / "fleet.schema.json").read_text(encoding="utf-8") == schema_text()


def test_writing_the_schema_writes_what_is_generated(tmp_path: Path) -> None:
    """The file holds the schema as JSON."""
    write_schema(tmp_path / "schema.json")

    assert json.loads((tmp_path / "schema.json").read_text(encoding="utf-8")) == fleet_schema()


def test_the_schema_is_a_valid_schema() -> None:
    """It follows draft 7, which the YAML editors take."""
    Draft7Validator.check_schema(fleet_schema())


@pytest.mark.parametrize("path", sorted((DATA / "good").rglob("*.y*ml")), ids=lambda path: path.name)
def test_good_files_and_defaults_satisfy_the_schema(path: Path) -> None:
    """An editor marks nothing in a good file."""
    assert [error.message for error in VALIDATOR.iter_errors(plain(path))] == []


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_structure_fails_the_schema(path: Path) -> None:
    """An editor marks what a schema can tell; the rest is listed, and is for `warmcast validate`."""
    assert VALIDATOR.is_valid(plain(path)) == (path.stem in BEYOND_A_SCHEMA)


def test_every_key_has_a_description_for_completion() -> None:
    """Editors show it while people type."""
    definitions = fleet_schema()["definitions"]
    assert isinstance(definitions, dict)
    for name in ("Target", "CapacityRange", "Window"):
        definition = definitions[name]
        assert isinstance(definition, dict)
        properties = definition["properties"]
        assert isinstance(properties, dict)
        undescribed = [key for key, schema in properties.items() if "description" not in json.dumps(schema)]
        assert undescribed == [], name
