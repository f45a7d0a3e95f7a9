"""Lambda's control plane as an API: each operation's parameters -> changes to the records -> the answer.

Answers functions, versions, aliases, reserved and provisioned concurrency, account settings and tags. Any other
operation is refused with 501 rather than answered wrongly; in particular no code is ever run.
"""

from __future__ import annotations

import uuid
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from localaws import provisioned
from localaws.functions import LATEST, Alias, Function, Functions, Provisioned, Reference, Version, parse_reference
from localaws.paging import page
from localaws.wire import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from localaws.provisioned import Timing
    from localaws.wire import Call, Json

_PAGE = 50
_LATEST_REFUSED = "The function resource provided must be an alias or a published version."
_QUALIFIER_MISSING = (
    "1 validation error detected: Value null at 'qualifier' failed to satisfy constraint: Member must not be null"
)
_NOTHING_CONFIGURED = "No Provisioned Concurrency Config found for this function"


class LambdaApi:
    """The operations on the functions of one place."""

    def __init__(self, functions: Functions, timing: Timing) -> None:
        self.functions = functions
        self._timing = timing
        self._operations: dict[str, Callable[[Json, datetime], Json]] = {
            "CreateFunction": self._create_function,
            "GetFunction": self._get_function,
            "GetFunctionConfiguration": self._get_function_configuration,
            "ListFunctions": self._list_functions,
            "DeleteFunction": self._delete_function,
            "UpdateFunctionConfiguration": self._update_function_configuration,
            "UpdateFunctionCode": self._update_function_code,
            "PublishVersion": self._publish_version,
            "ListVersionsByFunction": self._list_versions,
            "CreateAlias": self._create_alias,
            "GetAlias": self._get_alias,
            "ListAliases": self._list_aliases,
            "UpdateAlias": self._update_alias,
            "DeleteAlias": self._delete_alias,
            "PutFunctionConcurrency": self._put_function_concurrency,
            "GetFunctionConcurrency": self._get_function_concurrency,
            "DeleteFunctionConcurrency": self._delete_function_concurrency,
            "PutProvisionedConcurrencyConfig": self._put_provisioned,
            "GetProvisionedConcurrencyConfig": self._get_provisioned,
            "ListProvisionedConcurrencyConfigs": self._list_provisioned,
            "DeleteProvisionedConcurrencyConfig": self._delete_provisioned,
            "GetAccountSettings": self._get_account_settings,
            "ListTags": self._list_tags,
            "TagResource": self._tag_resource,
        }

    def answer(self, call: Call) -> Json:
        """Carry an operation out at the call's instant.

        Raises:
            ApiError: AWS's answer where it says no; 501 for what is not modelled.
        """
        if call.operation not in self._operations:
            message = f"the local AWS does not model lambda:{call.operation}"
            raise ApiError("NotImplemented", message, status=501)
        return self._operations[call.operation](call.params, call.at)

    # --- functions and versions --------------------------------------------------------------------------------

    def _create_function(self, params: Json, now: datetime) -> Json:
        name = parse_reference(params["FunctionName"]).name
        if name in self.functions:
            raise ApiError("ResourceConflictException", f"Function already exist: {name}", status=409)
        latest = replace(Version(LATEST, now, code=str(params.get("Code"))), **_settings(params))
        function = Function(name, self.functions.place, latest, tags=dict(params.get("Tags", {})))
        self.functions.add(function)
        return _publish(function, now) if params.get("Publish") else function.describe()

    def _get_function(self, params: Json, now: datetime) -> Json:
        reference = _reference(params)
        function = self._settled(reference, now)
        content: Json = {
            "Configuration": function.describe(reference.qualifier),
            "Code": {"RepositoryType": "S3", "Location": f"https://localaws.invalid/{function.name}.zip"},
            "Tags": dict(function.tags),
        }
        if function.reserved is not None:
            content["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved}
        return content

    def _get_function_configuration(self, params: Json, now: datetime) -> Json:
        reference = _reference(params)
        return self._settled(reference, now).describe(reference.qualifier)

    def _list_functions(self, params: Json, now: datetime) -> Json:
        del now
        listed = _listing("Functions", [{"name": name} for name in self.functions.names], params)
        return {**listed, "Functions": [self.functions.find(item["name"]).describe() for item in listed["Functions"]]}

    def _delete_function(self, params: Json, now: datetime) -> Json:
        reference = _reference(params)
        function = self._settled(reference, now)
        if not reference.qualifier:
            self.functions.remove(function.name)
        else:
            del function.versions[function.existing_version(reference.qualifier).number]
            function.provisioned.pop(reference.qualifier, None)
        return {"StatusCode": 200}

    def _update_function_configuration(self, params: Json, now: datetime) -> Json:
        function = self._settled(_reference(params), now)
        function.latest = replace(function.latest, modified=now, **_settings(params))
        return function.describe()

    def _update_function_code(self, params: Json, now: datetime) -> Json:
        function = self._settled(_reference(params), now)
        code = str({name: value for name, value in params.items() if name not in {"FunctionName", "Publish"}})
        architecture = params.get("Architectures", [function.latest.architecture])[0]
        function.latest = replace(function.latest, modified=now, code=code, architecture=architecture)
        return _publish(function, now) if params.get("Publish") else function.describe()

    def _publish_version(self, params: Json, now: datetime) -> Json:
        return _publish(self._settled(_reference(params), now), now)

    def _list_versions(self, params: Json, now: datetime) -> Json:
        function = self._settled(_reference(params), now)
        return _listing("Versions", [function.describe(number) for number in [LATEST, *function.versions]], params)

    # --- aliases -----------------------------------------------------------------------------------------------

    def _create_alias(self, params: Json, now: datetime) -> Json:
        function, name = self._settled(_reference(params), now), params["Name"]
        if name in function.aliases:
            message = f"Alias already exists: {function.arn(name)}"
            raise ApiError("ResourceConflictException", message, status=409)
        function.existing_version(params["FunctionVersion"])
        weights = _weights(function, params)
        alias = Alias(name, params["FunctionVersion"], params.get("Description", ""), weights)
        function.aliases[name] = alias
        return function.describe_alias(alias)

    def _get_alias(self, params: Json, now: datetime) -> Json:
        function = self._settled(_reference(params), now)
        return function.describe_alias(function.alias(params["Name"]))

    def _list_aliases(self, params: Json, now: datetime) -> Json:
        function, version = self._settled(_reference(params), now), params.get("FunctionVersion")
        aliases = [alias for alias in function.aliases.values() if version in {None, alias.version}]
        return _listing("Aliases", [function.describe_alias(alias) for alias in aliases], params)

    def _update_alias(self, params: Json, now: datetime) -> Json:
        function = self._settled(_reference(params), now)
        alias = function.alias(params["Name"])
        to = params.get("FunctionVersion", alias.version)
        function.existing_version(to)
        if alias.injected and to != alias.version:
            provisioned.check_unweighted(alias)
        if to != alias.version and alias.name in function.provisioned:
            provisioned.begin_shift(function, alias, to, timing=self._timing, now=now)
        elif "RoutingConfig" in params:
            alias.weights, alias.injected = _weights(function, params), False
        alias.version, alias.revision = to, str(uuid.uuid4())
        alias.description = params.get("Description", alias.description)
        return function.describe_alias(alias)

    def _delete_alias(self, params: Json, now: datetime) -> Json:
        function = self._settled(_reference(params), now)
        function.aliases.pop(params["Name"], None)
        function.provisioned.pop(params["Name"], None)
        return {}

    # --- reserved concurrency and the account ------------------------------------------------------------------

    def _put_function_concurrency(self, params: Json, now: datetime) -> Json:
        function, reserved = self._settled(_reference(params), now), int(params["ReservedConcurrentExecutions"])
        others = provisioned.unreserved(self.functions, self._timing.account_concurrency, but=function.name)
        provisioned.check_reservation(function, reserved, others)
        function.reserved = reserved
        return {"ReservedConcurrentExecutions": reserved}

    def _get_function_concurrency(self, params: Json, now: datetime) -> Json:
        function = self._settled(_reference(params), now)
        return {} if function.reserved is None else {"ReservedConcurrentExecutions": function.reserved}

    def _delete_function_concurrency(self, params: Json, now: datetime) -> Json:
        self._settled(_reference(params), now).reserved = None
        return {}

    def _get_account_settings(self, params: Json, now: datetime) -> Json:
        del params, now
        limit = self._timing.account_concurrency
        return {
            "AccountLimit": {
                "TotalCodeSize": 80_530_636_800,
                "CodeSizeUnzipped": 262_144_000,
                "CodeSizeZipped": 52_428_800,
                "ConcurrentExecutions": limit,
                "UnreservedConcurrentExecutions": provisioned.unreserved(self.functions, limit),
            },
            "AccountUsage": {"TotalCodeSize": 0, "FunctionCount": sum(1 for _ in self.functions)},
        }

    # --- provisioned concurrency -------------------------------------------------------------------------------

    def _put_provisioned(self, params: Json, now: datetime) -> Json:
        requested = int(params["ProvisionedConcurrentExecutions"])
        _check_range("provisionedConcurrentExecutions", requested, least=1)
        return self.put_provisioned(_qualified(params), requested, now).describe()

    def put_provisioned(self, reference: Reference, requested: int, now: datetime) -> Provisioned:
        """Request capacity; Application Auto Scaling comes in here as well."""
        function = self._settled(reference, now)
        where = (function.name, reference.qualifier)
        room = provisioned.room_in_account(self.functions, where, self._timing.account_concurrency)
        return provisioned.put(function, reference.qualifier, requested, room=room, timing=self._timing, now=now)

    def provisioned_of(self, reference: Reference, now: datetime) -> Provisioned | None:
        """The config of an alias or a published version, or None; 404 where there is no such thing."""
        function = self._settled(reference, now)
        if reference.qualifier == LATEST:
            raise ApiError("InvalidParameterValueException", _LATEST_REFUSED)
        provisioned.check_qualifier(function, reference.qualifier)
        return function.provisioned.get(reference.qualifier)

    def delete_provisioned(self, reference: Reference, now: datetime) -> None:
        """Drop a config, if there is one; Application Auto Scaling comes in here as well."""
        if self.provisioned_of(reference, now) is None:
            return
        function = self.functions.find(reference.name)
        if reference.qualifier in function.aliases:
            provisioned.check_unweighted(function.aliases[reference.qualifier])
        del function.provisioned[reference.qualifier]

    def _get_provisioned(self, params: Json, now: datetime) -> Json:
        config = self.provisioned_of(_qualified(params), now)
        if config is None:
            raise ApiError("ProvisionedConcurrencyConfigNotFoundException", _NOTHING_CONFIGURED, status=404)
        return config.describe()

    def _list_provisioned(self, params: Json, now: datetime) -> Json:
        _check_range("maxItems", int(params.get("MaxItems", 1)), least=1, most=50)
        function = self._settled(_reference(params), now)
        configs = [{"FunctionArn": function.arn(name), **c.describe()} for name, c in function.provisioned.items()]
        return _listing("ProvisionedConcurrencyConfigs", configs, params)

    def _delete_provisioned(self, params: Json, now: datetime) -> Json:
        self.delete_provisioned(_qualified(params), now)
        return {}

    # --- tags --------------------------------------------------------------------------------------------------

    def _list_tags(self, params: Json, now: datetime) -> Json:
        function = self._settled(parse_reference(params["Resource"]), now)
        return {"Tags": dict(function.tags)}

    def _tag_resource(self, params: Json, now: datetime) -> Json:
        self._settled(parse_reference(params["Resource"]), now).tags.update(params["Tags"])
        return {}

    def _settled(self, reference: Reference, now: datetime) -> Function:
        """A function as it stands now."""
        function = self.functions.find(reference.name, reference.qualifier)
        provisioned.settle(function, now)
        return function


def _reference(params: Json) -> Reference:
    given = parse_reference(params["FunctionName"])
    return Reference(given.name, params.get("Qualifier", given.qualifier))


def _qualified(params: Json) -> Reference:
    reference = _reference(params)
    if not reference.qualifier:
        raise ApiError(
            "ValidationException",
            _QUALIFIER_MISSING,
        )
    return reference


def _listing(name: str, items: list[Json], params: Json) -> Json:
    part = page(items, token=params.get("Marker", ""), size=min(_PAGE, int(params.get("MaxItems", _PAGE))))
    return {name: part.items, "NextMarker": part.token} if part.token else {name: part.items}


def _check_range(name: str, value: int, *, least: int, most: int | None = None) -> None:
    if value < least:
        constraint = f"greater than or equal to {least}"
    elif most is not None and value > most:
        constraint = f"less than or equal to {most}"
    else:
        return
    message = (
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
        f"Member must have value {constraint}"
    )
    raise ApiError("ValidationException", message)


def _settings(params: Json) -> Json:
    """The fields of a `Version` that a request sets."""
    given: Json = {
        "memory_mb": params.get("MemorySize"),
        "timeout_s": params.get("Timeout"),
        "architecture": params.get("Architectures", [None])[0],
        "runtime": params.get("Runtime"),
        "handler": params.get("Handler"),
        "role": params.get("Role"),
        "description": params.get("Description"),
        "package_type": params.get("PackageType"),
        "snap_start": params["SnapStart"].get("ApplyOn") == "PublishedVersions" if "SnapStart" in params else None,
        "capacity_provider": _capacity_provider(params),
        "tenancy": True if "TenancyConfig" in params else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _capacity_provider(params: Json) -> str | None:
    config = params.get("CapacityProviderConfig", {}).get("LambdaManagedInstancesCapacityProviderConfig")
    return str(config["CapacityProviderArn"]) if config else None


def _weights(function: Function, params: Json) -> dict[str, float]:
    weights = dict((params.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})
    if len(weights) > 1:
        message = "Number of items in AdditionalVersionWeights cannot be greater than 1."
        raise ApiError("InvalidParameterValueException", message)
    for number in weights:
        function.existing_version(number)
    return weights


def _publish(function: Function, now: datetime) -> Json:
    """Publish `$LATEST`; as on AWS, nothing new where it equals what was published last."""
    newest = function.versions.get(str(function.published))
    if newest is not None and _same(newest, function.latest):
        return function.describe(newest.number)
    number = function.next_number()
    function.versions[number] = replace(function.latest, number=number, modified=now)
    return function.describe(number)


def _same(one: Version, other: Version) -> bool:
    names = {field.name for field in fields(Version)} - {"number", "modified"}
    return all(getattr(one, name) == getattr(other, name) for name in names)
