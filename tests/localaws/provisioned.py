"""Provisioned concurrency: what may be requested when, and how a request turns READY or FAILED on the clock.

Pure on the records of `functions`: every function takes `now`. Texts and codes as recorded from AWS; README.md of this
package says for each behaviour where it is known from, and which are assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from localaws.functions import LATEST, Alias, Function, Provisioned, Version
from localaws.wire import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

MINIMUM_UNRESERVED = 100
_WEIGHTED = "Alias with weights can not be used with Provisioned Concurrency"
_OWN_VERSION = "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
_POINTED = "Version is pointed by a Provisioned Concurrency alias"


@dataclass(slots=True)
class Timing:
    """How long things take, and the account's limit.

    Args:
        lead_time_s: from a request for more until READY.
        failure_s: from a request until FAILED, where environments fail to initialise.
        shift_s: from moving an alias to another version until its capacity is READY there.
        decrease_s: from a request for less (or the same) until READY.
        account_concurrency: the account's concurrent executions.
    """

    lead_time_s: float = 120.0
    failure_s: float = 240.0
    shift_s: float = 420.0
    decrease_s: float = 0.0
    account_concurrency: int = 1000


def settle(function: Function, now: datetime) -> None:
    """End whatever was due by now: READY, or FAILED with the reason that AWS gives."""
    for config in function.provisioned.values():
        if config.due is None or config.due > now:
            continue
        config.due = None
        if config.will_fail:
            config.status, config.reason = "FAILED", "FUNCTION_ERROR_INIT_FAILURE"
            continue
        config.status, config.allocated = "READY", config.requested
        alias = function.aliases.get(config.qualifier)
        if alias is not None and alias.injected:
            alias.weights, alias.injected = {}, False


def check_qualifier(function: Function, qualifier: str) -> Version:
    """The version behind an alias or a published version; 404 as AWS words it for each.

    A qualifier of digits is a version, anything else an alias (alias names must not be all digits).
    """
    if qualifier.isdigit():
        return function.existing_version(qualifier)
    return function.existing_version(function.alias(qualifier).version)


def put(function: Function, qualifier: str, requested: int, *, room: int, timing: Timing, now: datetime) -> Provisioned:
    """Request capacity for an alias or a version; `room` is what the account has left for this config."""
    if qualifier == LATEST:
        message = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
        raise ApiError("InvalidParameterValueException", message)
    version = check_qualifier(function, qualifier)
    check_eligible(version)
    _check_alias(function, qualifier)
    existing = function.provisioned.get(qualifier)
    if existing is not None and existing.status == "IN_PROGRESS":
        raise _conflict("A previous request is being processed. Please try again shortly")
    _check_version_is_free(function, qualifier, version)
    _check_limits(function, qualifier, requested, room)
    config = _start(existing, version, qualifier, requested, timing=timing, now=now)
    function.provisioned[qualifier] = config
    return config


def check_eligible(version: Version) -> None:
    """Refuse versions that can't have provisioned concurrency.

    That they can't is documented (docs.aws.amazon.com/lambda/latest/dg/snapstart.html, lambda-managed-instances.html);
    Lambda's own words are recorded nowhere that we know: these are assumed.
    """
    if version.snap_start:
        what = "SnapStart"
    elif version.capacity_provider:
        what = "capacity provider configuration"
    elif version.tenancy:
        what = "tenancy configuration"
    else:
        return
    message = f"Provisioned concurrency is not supported for functions enabled with {what}."
    raise ApiError("InvalidParameterValueException", message)


def begin_shift(function: Function, alias: Alias, to: str, *, timing: Timing, now: datetime) -> None:
    """Move an alias that has provisioned concurrency to another version.

    Lambda sends all traffic to the old version by routing weights of its own until the capacity is READY on the new
    one; if that fails to initialise, the weights stay.
    """
    config = function.provisioned[alias.name]
    version = function.existing_version(to)
    if config.status == "IN_PROGRESS":
        raise _conflict("A previous request is being processed. Please try again shortly")
    check_eligible(version)
    _check_version_is_free(function, alias.name, version)
    alias.weights, alias.injected = {alias.version: 1.0}, True
    alias.version = to
    config.status, config.reason, config.will_fail = "IN_PROGRESS", "", version.init_fails
    config.due = now + timedelta(seconds=timing.failure_s if version.init_fails else timing.shift_s)


def check_unweighted(alias: Alias) -> None:
    """Refuse to touch provisioned concurrency while an alias has routing weights."""
    if alias.weights:
        raise ApiError("InvalidParameterValueException", _WEIGHTED)


def room_in_account(functions: Iterable[Function], config: tuple[str, str], account_concurrency: int) -> int:
    """What is left for one (function, qualifier): unreserved concurrency less what others without reservation hold."""
    room = account_concurrency
    for function in functions:
        if function.reserved is not None:
            room -= function.reserved
            continue
        others = (c for c in function.provisioned.values() if (function.name, c.qualifier) != config)
        room -= sum(other.requested for other in others)
    return room


def unreserved(functions: Iterable[Function], account_concurrency: int, *, but: str = "") -> int:
    """The account's concurrency less all reservations (but one function's)."""
    return account_concurrency - sum(function.reserved or 0 for function in functions if function.name != but)


def check_reservation(function: Function, reserved: int, unreserved_by_others: int) -> None:
    """Refuse a reservation that starves the account or the function's own provisioned concurrency."""
    if unreserved_by_others - reserved < MINIMUM_UNRESERVED:
        message = (
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            f"below its minimum value of [{MINIMUM_UNRESERVED}]."
        )
        raise ApiError("InvalidParameterValueException", message)
    if reserved < function.total_provisioned:
        message = (
            f" ReservedConcurrentExecutions  {reserved} should not be lower than function's total provisioned "
            f"concurrency [{function.total_provisioned}]."
        )
        raise ApiError("InvalidParameterValueException", message)


def _check_alias(function: Function, qualifier: str) -> None:
    if qualifier in function.aliases:
        check_unweighted(function.aliases[qualifier])


def _check_version_is_free(function: Function, qualifier: str, version: Version) -> None:
    """One config per version, directly or by one alias."""
    others = [name for name in function.provisioned if name != qualifier and function.version(name) == version]
    if not others:
        return
    raise _conflict(_POINTED if qualifier.isdigit() else _OWN_VERSION)


def _check_limits(function: Function, qualifier: str, requested: int, room: int) -> None:
    others = sum(config.requested for name, config in function.provisioned.items() if name != qualifier)
    if function.reserved is not None:
        if others + requested > function.reserved:
            message = (
                "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution "
                "for function"
            )
            raise ApiError("InvalidParameterValueException", message)
        return
    if requested > room:
        message = (
            f"Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [{room}]."
        )
        raise ApiError("InvalidParameterValueException", message)
    if room - requested < MINIMUM_UNRESERVED:
        message = (
            "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
            f"minimum value of [{MINIMUM_UNRESERVED}]."
        )
        raise ApiError("InvalidParameterValueException", message)


def _start(
    existing: Provisioned | None, version: Version, qualifier: str, requested: int, *, timing: Timing, now: datetime
) -> Provisioned:
    """A request in progress: what is there keeps serving, nothing of an increase is available before all of it is."""
    allocated = existing.allocated if existing is not None else 0
    rises = requested > allocated
    fails = rises and version.init_fails
    lead_time_s = version.lead_time_s if version.lead_time_s is not None else timing.lead_time_s
    wait_s = timing.failure_s if fails else lead_time_s if rises else timing.decrease_s
    return Provisioned(
        qualifier,
        requested,
        min(allocated, requested),
        "IN_PROGRESS",
        now,
        due=now + timedelta(seconds=wait_s),
        will_fail=fails,
    )


def _conflict(message: str) -> ApiError:
    return ApiError("ResourceConflictException", message, status=409)
