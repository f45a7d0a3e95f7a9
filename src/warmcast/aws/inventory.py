"""Lambda's control plane as a scan needs it: every function, and what stands on one of them. Reads only.

How fast it may be asked is `wire`'s business.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from warmcast.aws.answers import translated
from warmcast.aws.functions import Functions, ineligible
from warmcast.scan.found import AliasSeen, FunctionSeen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import FunctionConfigurationTypeDef

    from warmcast.aws.functions import FunctionFacts
    from warmcast.model import AccountLimits, Capacity

STACK_TAG: Final = "aws:cloudformation:stack-name"
"""CloudFormation's own tag on what a stack made (CloudFormation user guide, aws-properties-resource-tags)."""

_PAGE: Final = 50


class Inventory:
    """Implements `warmcast.scan.ports.Inventory`; each call raises AwsError."""

    def __init__(self, client: LambdaClient) -> None:
        self._client = client
        self._functions = Functions(client)

    def functions(self) -> Iterator[FunctionSeen]:
        """Every function with what ListFunctions tells, 50 to a call; what was listed before an error stays valid."""
        with translated("ListFunctions"):
            pages = self._client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": _PAGE})
            for page in pages:
                yield from [_function(configuration) for configuration in page["Functions"]]

    def provisioned(self, function: str) -> Mapping[str, Capacity]:
        """Provisioned concurrency by qualifier."""
        return self._functions.provisioned(function)

    def aliases(self, function: str) -> Mapping[str, AliasSeen]:
        """Aliases by name, with the version and the routing weights of each."""
        aliases = {}
        with translated("ListAliases"):
            for page in self._client.get_paginator("list_aliases").paginate(FunctionName=function):
                for alias in page["Aliases"]:
                    weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights") or {}
                    aliases[alias["Name"]] = AliasSeen(version=alias["FunctionVersion"], weights=dict(weights))
        return aliases

    def details(self, function: FunctionSeen) -> FunctionSeen:
        """The function with its stack, if one made it, and what it reserves.

        Without the right to lambda:ListTags AWS answers with an error in the tags' place
        (docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html); `unread` has it then.
        """
        with translated("GetFunction"):
            answer = self._client.get_function(FunctionName=function.name)
        return replace(
            function,
            stack=answer.get("Tags", {}).get(STACK_TAG, ""),
            reserved=answer.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
            unread=(*function.unread, *_unread_tags(answer.get("TagsError", {}))),
        )

    def facts(self, function: str, qualifier: str) -> FunctionFacts:
        """What a function is at one qualifier: its version, memory and architecture."""
        return self._functions.function(function, qualifier)

    def account(self) -> AccountLimits:
        """The account's concurrency in this Region."""
        return self._functions.account()


def _unread_tags(error: Mapping[str, object]) -> list[str]:
    return [f"its tags: {error.get('ErrorCode', 'unknown')}: allow lambda:ListTags"] if error else []


def _function(configuration: FunctionConfigurationTypeDef) -> FunctionSeen:
    return FunctionSeen(
        name=configuration["FunctionName"],
        runtime=configuration.get("Runtime", ""),
        package=configuration.get("PackageType", "Zip"),
        memory_mb=configuration["MemorySize"],
        architecture=(configuration.get("Architectures") or ["x86_64"])[0],
        timeout_s=float(configuration["Timeout"]),
        ephemeral_mb=configuration.get("EphemeralStorage", {}).get("Size", 512),
        snap_start=configuration.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions",
        file_system=bool(configuration.get("FileSystemConfigs")),
        ineligible=ineligible(configuration),
    )
