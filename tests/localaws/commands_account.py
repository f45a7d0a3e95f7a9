"""The server's side of `control_account`: scaling activities, REPORT lines, prices and costs."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from localaws.autoscaling_api import activity
from localaws.autoscaling_rules import DIMENSION, NAMESPACE
from localaws.costs_api import Charge
from localaws.wire import Call, Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from localaws.wire import Json
    from localaws.world import World


def place_of(world: World, payload: Json) -> Place:
    """The account and Region that a command means."""
    return Place(payload.get("account") or world.home.account, payload.get("region") or world.home.region)


def _load_scaling(world: World, payload: Json) -> Json:
    place, resource = place_of(world, payload), payload["resource"]

    def call(operation: str, params: Json) -> None:
        whose = {"ServiceNamespace": NAMESPACE, "ScalableDimension": DIMENSION, "ResourceId": resource}
        given = Call("application-autoscaling", operation, place, {**whose, **params}, "", world.clock.now())
        world.services(place).autoscaling.answer(given)

    call("RegisterScalableTarget", payload["target"])
    for name, configuration in payload["tracking"].items():
        policy = {"PolicyName": name, "PolicyType": "TargetTrackingScaling"}
        call("PutScalingPolicy", {**policy, "TargetTrackingScalingPolicyConfiguration": configuration})
    for action in payload["scheduled"]:
        call("PutScheduledAction", action)
    return {}


def _load_activity(world: World, payload: Json) -> Json:
    resource, capacity = payload["resource"], payload["capacity"]
    alarm = f"TargetTracking-{resource}-AlarmHigh-34b6d7bb-2ab4-4a9b-9d80-7110edcfe768"
    noted = activity(
        resource,
        capacity,
        datetime.fromisoformat(payload["at"]),
        cause=payload["cause"] or f"monitor alarm {alarm} in state ALARM triggered policy tracking",
        status=payload["status"],
        reason=payload["reason"],
    )
    codes = [{"Code": code, "CurrentCapacity": capacity} for code in payload["not_scaled"]]
    services = world.services(place_of(world, payload))
    services.autoscaling.note({**noted, "NotScaledReasons": codes} if codes else noted)
    return {}


def _load_reports(world: World, payload: Json) -> Json:
    logs = world.services(place_of(world, payload)).logs
    logs.load(
        payload["group"],
        payload["arrays"],
        version=payload["version"],
        retention_days=payload["retention_days"],
        now=world.clock.now(),
    )
    return {}


def _change_price(world: World, payload: Json) -> Json:
    world.prices.change(payload["region"], payload["architecture"], payload["price"], payload["usd"])
    return {}


def _enter_cost(world: World, payload: Json) -> Json:
    charge = Charge(
        place_of(world, payload).account,
        date.fromisoformat(payload["day"]),
        payload["usage_type"],
        payload["charged_in"],
        payload["usd"],
        payload["quantity"],
        payload["service"],
    )
    world.costs.enter(charge)
    return {}


COMMANDS: dict[str, Callable[[World, Json], Json]] = {
    "load-scaling": _load_scaling,
    "load-activity": _load_activity,
    "load-reports": _load_reports,
    "change-price": _change_price,
    "enter-cost": _enter_cost,
}
