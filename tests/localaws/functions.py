"""Lambda functions, their versions, aliases, reservations and provisioned concurrency as plain records.

No code is kept and none is ever run. The records know how AWS's API describes them, and how they are looked up and
missed (404 texts as recorded from AWS); what may be changed when is decided in `provisioned` and `lambda_api`.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from localaws.wire import ApiError, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from localaws.wire import Json

LATEST = "$LATEST"
_REFERENCE = re.compile(
    r"(?:(?:arn:[^:]+:lambda:[^:]+:)?\d{12}:function:)?(?P<name>[\w-]+)(?::(?P<qualifier>[\w$-]+))?"
)


@dataclass(frozen=True, slots=True)
class Version:
    """A function's configuration, published under a number or still `$LATEST`.

    Args:
        capacity_provider: ARN of a capacity provider: then it is a Lambda Managed Instances function.
        tenancy: whether it isolates tenants.
        code: stands for the code; a change makes another version.
        init_fails: whether its environments fail to initialise, so that provisioned concurrency ends up FAILED.
        lead_time_s: time from a request for capacity until it is READY; None: the setting for all.
    """

    number: str
    modified: datetime
    memory_mb: int = 128
    timeout_s: int = 3
    architecture: str = "x86_64"
    runtime: str = "python3.13"
    handler: str = "app.handler"
    role: str = "arn:aws:iam::123456789012:role/localaws"
    description: str = ""
    package_type: str = "Zip"
    snap_start: bool = False
    capacity_provider: str = ""
    tenancy: bool = False
    code: str = ""
    init_fails: bool = False
    lead_time_s: float | None = None

    @property
    def code_sha256(self) -> str:
        """A digest that changes with the code."""
        return hashlib.sha256(self.code.encode()).hexdigest()


@dataclass(slots=True)
class Alias:
    """A name that points to a version, perhaps with weights for another.

    Args:
        injected: the weights are Lambda's own, while provisioned concurrency moves to another version.
    """

    name: str
    version: str
    description: str = ""
    weights: dict[str, float] = field(default_factory=dict)
    injected: bool = False
    revision: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(slots=True)
class Provisioned:
    """The provisioned concurrency config of an alias or a version.

    Args:
        due: when what is in progress ends; None if nothing is.
        will_fail: whether it ends in FAILED.
    """

    qualifier: str
    requested: int
    allocated: int
    status: str
    modified: datetime
    reason: str = ""
    due: datetime | None = None
    will_fail: bool = False

    def describe(self) -> Json:
        """The config as Put, Get and List answer it; available is what is allocated."""
        content: Json = {
            "RequestedProvisionedConcurrentExecutions": self.requested,
            "AllocatedProvisionedConcurrentExecutions": self.allocated,
            "AvailableProvisionedConcurrentExecutions": self.allocated,
            "Status": self.status,
            "LastModified": self.modified.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        }
        return {**content, "StatusReason": self.reason} if self.reason else content


@dataclass(slots=True)
class Function:
    """One function with everything that hangs on it."""

    name: str
    place: Place
    latest: Version
    versions: dict[str, Version] = field(default_factory=dict)
    aliases: dict[str, Alias] = field(default_factory=dict)
    provisioned: dict[str, Provisioned] = field(default_factory=dict)
    reserved: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    published: int = 0

    def next_number(self) -> str:
        """The number of the next version; numbers of deleted versions are not used again."""
        self.published += 1
        return str(self.published)

    def arn(self, qualifier: str = "") -> str:
        """The function's ARN, qualified if a qualifier is given."""
        return self.place.arn("lambda", f"function:{self.name}" + (f":{qualifier}" if qualifier else ""))

    def version(self, qualifier: str) -> Version | None:
        """The version that an alias, a number or `$LATEST` (also the empty string) stands for; None if none does."""
        if qualifier in {"", LATEST}:
            return self.latest
        number = self.aliases[qualifier].version if qualifier in self.aliases else qualifier
        return self.versions.get(number)

    def existing_version(self, qualifier: str) -> Version:
        """The same, or 404."""
        version = self.version(qualifier)
        return version if version is not None else missing_function(self.arn(qualifier))

    def alias(self, name: str) -> Alias:
        """An alias, or 404."""
        if name not in self.aliases:
            raise ApiError("ResourceNotFoundException", f"Cannot find alias arn: {self.arn(name)}", status=404)
        return self.aliases[name]

    @property
    def total_provisioned(self) -> int:
        """Provisioned concurrency requested over all aliases and versions."""
        return sum(config.requested for config in self.provisioned.values())

    def describe(self, qualifier: str = "") -> Json:
        """The configuration as GetFunctionConfiguration answers it."""
        version = self.existing_version(qualifier)
        return {"FunctionName": self.name, "FunctionArn": self.arn(qualifier), **_describe_version(version)}

    def describe_alias(self, alias: Alias) -> Json:
        """An alias as GetAlias answers it."""
        content: Json = {
            "AliasArn": self.arn(alias.name),
            "Name": alias.name,
            "FunctionVersion": alias.version,
            "Description": alias.description,
            "RevisionId": alias.revision,
        }
        return (
            {**content, "RoutingConfig": {"AdditionalVersionWeights": dict(alias.weights)}}
            if alias.weights
            else content
        )


@dataclass(frozen=True, slots=True)
class Reference:
    """A function's name and the qualifier that came with it, if any."""

    name: str
    qualifier: str


def parse_reference(given: str) -> Reference:
    """Read a function's name, partial ARN or ARN, with or without a qualifier."""
    match = _REFERENCE.fullmatch(given)
    if match is None:
        raise ApiError(
            "ValidationException",
            f"1 validation error detected: Value '{given}' at 'functionName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern",
        )
    return Reference(match["name"], match["qualifier"] or "")


def missing_function(arn: str) -> NoReturn:
    """Answer 404 for a function or version.

    Raises:
        ApiError: always.
    """
    raise ApiError("ResourceNotFoundException", f"Function not found: {arn}", status=404)


class Functions:
    """All functions of a place."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._by_name: dict[str, Function] = {}

    def __iter__(self) -> Iterator[Function]:
        return (self._by_name[name] for name in self.names)

    @property
    def names(self) -> list[str]:
        """The names, in order."""
        return sorted(self._by_name)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def add(self, function: Function) -> None:
        """Keep a new function."""
        self._by_name[function.name] = function

    def remove(self, name: str) -> None:
        """Drop a function with everything that hangs on it."""
        del self._by_name[name]

    def find(self, name: str, qualifier: str = "") -> Function:
        """A function by its plain name, or 404; the qualifier is only told in the message."""
        if name not in self._by_name:
            missing_function(self.place.arn("lambda", f"function:{name}" + (f":{qualifier}" if qualifier else "")))
        return self._by_name[name]


def _describe_version(version: Version) -> Json:
    content: Json = {
        "Version": version.number,
        "Runtime": version.runtime,
        "Role": version.role,
        "Handler": version.handler,
        "Description": version.description,
        "CodeSize": 1024,
        "CodeSha256": version.code_sha256,
        "Timeout": version.timeout_s,
        "MemorySize": version.memory_mb,
        "LastModified": version.modified.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "Architectures": [version.architecture],
        "PackageType": version.package_type,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "TracingConfig": {"Mode": "PassThrough"},
        "EphemeralStorage": {"Size": 512},
        "SnapStart": _describe_snap_start(version),
        "RevisionId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{version.code}/{version.number}/{version.memory_mb}")),
    }
    if version.capacity_provider:
        instances = {"CapacityProviderArn": version.capacity_provider}
        content["CapacityProviderConfig"] = {"LambdaManagedInstancesCapacityProviderConfig": instances}
    if version.tenancy:
        content["TenancyConfig"] = {"TenantIsolationMode": "PER_TENANT"}
    return content


def _describe_snap_start(version: Version) -> Json:
    optimised = version.snap_start and version.number != LATEST
    return {
        "ApplyOn": "PublishedVersions" if version.snap_start else "None",
        "OptimizationStatus": "On" if optimised else "Off",
    }
