"""The control interface's commands, on the server's side: each changes or reads the `World`, payload in, JSON out.

`control.Control` has the same commands as typed methods; the two are only ever used together.
"""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING

from localaws import commands_account
from localaws.cloudwatch_api import Affliction, load_bulk
from localaws.commands_account import place_of
from localaws.faults import Fault, RateLimit
from localaws.functions import LATEST, Alias, Function, Provisioned, Version
from localaws.metrics import Sample, SeriesKey
from localaws.moto_side import drop_account
from localaws.price_list import PriceList
from localaws.provisioned import Timing, settle
from localaws.wire import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from localaws.wire import Json
    from localaws.world import World

    Arrays = Mapping[str, np.ndarray]


# What a command that can't be carried out raises: the caller's mistake, told in words.
REFUSALS = (LookupError, TypeError, ValueError, ApiError)


def run(world: World, command: str, payload: Json, arrays: Arrays) -> Json:
    """Run one command; arrays reach it as the payload's `arrays`.

    Raises:
        LookupError: there is no such command, or it names something that is not there.
        ValueError: it can't be done.
    """
    if command not in _COMMANDS:
        raise LookupError(f"no such command: {command}; one of {', '.join(sorted(_COMMANDS))}")
    with world.lock:
        return _COMMANDS[command](world, {**payload, "arrays": arrays} if arrays else payload)


# --- clock and behaviour -------------------------------------------------------------------------------------------


def _clock(world: World, payload: Json) -> Json:
    if "set" in payload:
        world.clock.set(datetime.fromisoformat(payload["set"]))
    if "advance_s" in payload:
        world.clock.advance(payload["advance_s"])
    if payload.get("run"):
        world.clock.run()
    return {"now": world.clock.now().isoformat(), "driven": world.clock.driven}


def _configure(world: World, payload: Json) -> Json:
    timing = {field.name for field in fields(Timing)}
    for name, value in payload.items():
        if name in timing:
            setattr(world.timing, name, value)
        elif name == "rate_limit":
            world.rate_limit = RateLimit(value)
        elif name == "data_delay_s":
            world.data_delay_s = value
            for services in world.places.values():
                services.cloudwatch.delay_s = value
        else:
            raise ValueError(f"no such setting: {name}")
    return {**asdict(world.timing), "rate_limit": world.rate_limit, "data_delay_s": world.data_delay_s}


def _reset(world: World, payload: Json) -> Json:
    del payload
    for account in {world.home.account, *(place.account for place in world.places)}:
        drop_account(account)
    world.places.clear()
    world.prices = PriceList()
    world.costs.clear()
    world.faults.clear()
    world.journal.clear()
    return {}


def _inject(world: World, payload: Json) -> Json:
    world.faults.arm(Fault(**payload))
    return {}


def _clear_faults(world: World, payload: Json) -> Json:
    del payload
    world.faults.clear()
    for services in world.places.values():
        services.cloudwatch.heal()
    return {}


def _calls(world: World, payload: Json) -> Json:
    if payload.get("clear"):
        world.journal.clear()
    calls = world.journal.calls(payload["operation"]) if "operation" in payload else []
    return {"counts": world.journal.counts(), "calls": calls}


# --- functions -----------------------------------------------------------------------------------------------------


def _create_function(world: World, payload: Json) -> Json:
    place, name = place_of(world, payload), payload["name"]
    latest = Version(LATEST, world.clock.now(), **payload["version"])
    function = Function(name, place, latest, reserved=payload["reserved"], tags=payload["tags"])
    world.services(place).functions.add(function)
    _publish(function, {}, world.clock.now())
    if payload["alias"]:
        function.aliases[payload["alias"]] = Alias(payload["alias"], "1")
    return {"arn": function.arn()}


def _create_functions(world: World, payload: Json) -> Json:
    now, amount, alias = world.clock.now(), payload["provisioned"], payload["alias"]
    for name in payload["names"]:
        _create_function(world, {**payload, "name": name, "reserved": None, "tags": {}})
        if amount:
            function = world.services(place_of(world, payload)).functions.find(name)
            function.provisioned[alias] = Provisioned(alias, amount, amount, "READY", now)
    return {"functions": len(payload["names"])}


def _publish_version(world: World, payload: Json) -> Json:
    return {"version": _publish(_function(world, payload), payload["version"], world.clock.now())}


def _publish(function: Function, changes: Json, now: datetime) -> str:
    """Publish, with changes; always a new version, as if the code had changed."""
    number = function.next_number()
    function.latest = replace(function.latest, **changes, code=number, modified=now)
    function.versions[number] = replace(function.latest, number=number)
    return number


def _change_version(world: World, payload: Json) -> Json:
    function = _function(world, payload)
    version = function.existing_version(payload["qualifier"])
    changed = replace(version, **payload["version"])
    if version.number == LATEST:
        function.latest = changed
    else:
        function.versions[version.number] = changed
    return {}


def _set_alias(world: World, payload: Json) -> Json:
    function = _function(world, payload)
    function.existing_version(payload["version"])
    function.aliases[payload["alias"]] = Alias(payload["alias"], payload["version"], weights=payload["weights"])
    return {"arn": function.arn(payload["alias"])}


def _set_provisioned(world: World, payload: Json) -> Json:
    function, qualifier, amount = _function(world, payload), payload["qualifier"], payload["amount"]
    function.existing_version(qualifier)
    function.provisioned.pop(qualifier, None)
    if amount:
        at = datetime.fromisoformat(payload["at"]) if payload["at"] else world.clock.now()
        failed = payload["failed"]
        status, allocated = ("FAILED", 0) if failed else ("READY", amount)
        function.provisioned[qualifier] = Provisioned(qualifier, amount, allocated, status, at, reason=failed)
    return {}


# --- metrics -------------------------------------------------------------------------------------------------------


def _load_metrics(world: World, payload: Json) -> Json:
    store = world.services(place_of(world, payload)).cloudwatch.store
    load_bulk(store, payload["namespace"], payload["series"], payload["arrays"])
    return {"series": len(payload["series"])}


def _revise_minute(world: World, payload: Json) -> Json:
    key = SeriesKey.of(payload["namespace"], payload["name"], payload["dimensions"])
    store = world.services(place_of(world, payload)).cloudwatch.store
    minute = int(datetime.fromisoformat(payload["minute"]).timestamp()) // 60
    store.revise(key, minute, Sample(**payload["sample"]), due=datetime.fromisoformat(payload["due"]))
    return {}


def _afflict(world: World, payload: Json) -> Json:
    dimensions = tuple(sorted(payload["dimensions"].items()))
    affliction = Affliction(payload["status"], dimensions, payload["name"])
    world.services(place_of(world, payload)).cloudwatch.afflict(affliction)
    return {}


# --- looking at it -------------------------------------------------------------------------------------------------


def _state(world: World, payload: Json) -> Json:
    del payload
    now = world.clock.now()
    return {
        "now": now.isoformat(),
        "functions": [_function_state(f, now) for s in world.places.values() for f in s.functions],
        "scalable_targets": [
            {**target.describe(place), "Tags": target.tags}
            for place, services in world.places.items()
            for target in services.autoscaling.targets.values()
        ],
        "series": sum(1 for services in world.places.values() for _ in services.cloudwatch.store),
    }


def _function_state(function: Function, now: datetime) -> Json:
    settle(function, now)
    return {
        "name": function.name,
        "account": function.place.account,
        "region": function.place.region,
        "reserved": function.reserved,
        "aliases": {
            alias.name: {"version": alias.version, "weights": alias.weights} for alias in function.aliases.values()
        },
        "versions": list(function.versions),
        "provisioned": {name: config.describe() for name, config in function.provisioned.items()},
    }


def _function(world: World, payload: Json) -> Function:
    function = world.services(place_of(world, payload)).functions.find(payload["function"])
    settle(function, world.clock.now())
    return function


_COMMANDS: dict[str, Callable[[World, Json], Json]] = {
    **commands_account.COMMANDS,
    "clock": _clock,
    "configure": _configure,
    "reset": _reset,
    "inject": _inject,
    "clear-faults": _clear_faults,
    "calls": _calls,
    "create-function": _create_function,
    "create-functions": _create_functions,
    "publish-version": _publish_version,
    "change-version": _change_version,
    "set-alias": _set_alias,
    "set-provisioned": _set_provisioned,
    "load-metrics": _load_metrics,
    "revise-minute": _revise_minute,
    "afflict": _afflict,
    "state": _state,
}
