"""A seed: what a fresh local AWS holds, as one JSON object, planted through the control interface."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localaws.control import Control
    from localaws.wire import Json


def plant(control: Control, seed: Json) -> None:
    """Create what a seed lists.

    Shape: `{"settings": {...}, "functions": [{"name", ...as `create_function`, "provisioned": {qualifier: amount},
    "minutes": [{"qualifier", "start", "invocations": [...], "duration_ms": [...], "concurrency": [...]}]}]}`.
    """
    control.configure(**seed.get("settings", {}))
    for function in seed.get("functions", []):
        given = dict(function)
        provisioned, minutes = given.pop("provisioned", {}), given.pop("minutes", [])
        name = given.pop("name")
        control.create_function(name, **given)
        for qualifier, amount in provisioned.items():
            control.set_provisioned(name, qualifier, amount)
        for part in minutes:
            loaded = {**part, "start": datetime.fromisoformat(part["start"])}
            control.load_minutes(name, loaded.pop("qualifier"), loaded.pop("start"), **loaded)
