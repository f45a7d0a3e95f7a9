"""Makes the JSON schema of policy files from the models, for completion and checks in an editor.

`python -m warmcast.fleet.schema FILE` writes it; nothing else here touches the file system. Draft 7, which the YAML
editors take. One schema serves policy files and `_defaults.yaml`, so `capacity` and `qualifier`, which defaults may
give, are not required by it: what only the whole fleet can tell is for `warmcast validate`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TypeAlias

from warmcast.fleet.policy import Policy

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

FORMS: Json = [
    {"required": ["from", "to"], "not": {"anyOf": [{"required": ["cron"]}, {"required": ["for"]}]}},
    {
        "required": ["cron", "for"],
        "not": {"anyOf": [{"required": ["days"]}, {"required": ["from"]}, {"required": ["to"]}]},
    },
]
BOUNDS: Json = {"anyOf": [{"required": ["min"]}, {"required": ["max"]}]}


SPELLED_DEFAULTS: dict[str, Json] = {"objective": {"spillover": "1%"}, "hold": "0s"}


def _tidy(schema: Json) -> Json:
    """Drop what tells an editor nothing (titles, null defaults); a `$ref` stands alone, as draft 7 wants it."""
    if isinstance(schema, list):
        return [_tidy(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        key: _tidy(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str)) and not (key == "default" and value is None)
    }
    if "$ref" in kept and len(kept) > 1:
        kept["allOf"] = [{"$ref": kept.pop("$ref")}]
    return kept


def fleet_schema() -> dict[str, Json]:
    """The schema of a file under `src/fleet`."""
    target = _tidy(Policy.model_json_schema(ref_template="#/definitions/{model}"))
    assert isinstance(target, dict)
    definitions = target.pop("$defs")
    assert isinstance(definitions, dict)
    window, capacity = definitions["Window"], definitions["CapacityRange"]
    assert isinstance(window, dict)
    assert isinstance(capacity, dict)
    window["allOf"] = [{"anyOf": FORMS}, BOUNDS]
    capacity.pop("required", None)  # defaults may give it
    properties = target["properties"]
    assert isinstance(properties, dict)
    for key, default in SPELLED_DEFAULTS.items():
        spelled = properties[key]
        assert isinstance(spelled, dict)
        spelled["default"] = default
    shared = {key: value for key, value in properties.items() if key != "function"}
    definitions["Target"] = {**target, "required": ["function"]}
    definitions["Defaults"] = {
        "type": "object",
        "description": "What all targets share (_defaults.yaml).",
        "additionalProperties": False,
        "properties": shared,
    }
    definitions["Targets"] = {
        "type": "object",
        "description": "A policy file.",
        "additionalProperties": False,
        "required": ["targets"],
        "properties": {
            "targets": {
                "type": "array",
                "description": "The targets, one policy each.",
                "items": {"$ref": "#/definitions/Target"},
            }
        },
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Warmcast policies",
        "anyOf": [{"$ref": "#/definitions/Targets"}, {"$ref": "#/definitions/Defaults"}],
        "definitions": dict(sorted(definitions.items())),
    }


def schema_text() -> str:
    """The schema as the file holds it."""
    return json.dumps(fleet_schema(), indent=2) + "\n"


def write_schema(path: Path) -> None:
    """Write the schema file."""
    path.write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    write_schema(Path(sys.argv[1]))
