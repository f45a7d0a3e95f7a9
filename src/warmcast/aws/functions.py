"""Lambda as Warmcast needs it: functions, aliases and their provisioned concurrency, in our words.

The only module that calls Lambda. How fast it may do so is `wire`'s business.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from warmcast.aws.answers import translated
from warmcast.model import AccountLimits, Capacity, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import (
        FunctionConfigurationTypeDef,
        ProvisionedConcurrencyConfigListItemTypeDef,
        PutProvisionedConcurrencyConfigResponseTypeDef,
    )

    from warmcast.model import TargetId


@dataclass(frozen=True, slots=True)
class FunctionFacts:
    """What rarely changes of a function and one of its qualifiers.

    Args:
        version: the published version that the qualifier stands for.
        ineligible: why this version can't have provisioned concurrency; empty if it can.
        reserved: the function's reserved concurrency; None if it reserves none.
    """

    version: str
    memory_mb: int
    architecture: str
    timeout_s: float
    ineligible: str
    reserved: int | None


@dataclass(frozen=True, slots=True)
class AliasFacts:
    """Where an alias points, and the share of its traffic that goes to other versions (empty: no shift under way)."""

    version: str
    weights: Mapping[str, float]


class Functions:
    """The calls of Lambda's control plane that we use; each raises AwsError."""

    def __init__(self, client: LambdaClient) -> None:
        self._client = client

    def function(self, function: str, qualifier: str) -> FunctionFacts:
        """Facts of a function at a qualifier: two GetFunction calls, which have a rate limit of their own (100/s).

        Two, because AWS answers reserved concurrency only for the unqualified function
        (github.com/hashicorp/terraform-provider-aws/issues/37660).
        """
        with translated("GetFunction"):
            qualified = self._client.get_function(FunctionName=function, Qualifier=qualifier)["Configuration"]
            unqualified = self._client.get_function(FunctionName=function)
            return FunctionFacts(
                version=qualified["Version"],
                memory_mb=qualified["MemorySize"],
                architecture=(qualified.get("Architectures") or ["x86_64"])[0],
                timeout_s=float(qualified["Timeout"]),
                ineligible=ineligible(qualified),
                reserved=unqualified.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
            )

    def weights(self, function: str, alias: str) -> AliasFacts:
        """Where an alias points and its routing weights (GetAlias)."""
        with translated("GetAlias"):
            answer = self._client.get_alias(FunctionName=function, Name=alias)
            weights = answer.get("RoutingConfig", {}).get("AdditionalVersionWeights") or {}
            return AliasFacts(version=answer["FunctionVersion"], weights=dict(weights))

    def provisioned(self, function: str) -> Mapping[str, Capacity]:
        """Provisioned concurrency of all of a function's qualifiers; one call where they are 50 or fewer."""
        capacities = {}
        with translated("ListProvisionedConcurrencyConfigs"):
            pages = self._client.get_paginator("list_provisioned_concurrency_configs").paginate(FunctionName=function)
            for page in pages:
                for item in page["ProvisionedConcurrencyConfigs"]:
                    capacities[item["FunctionArn"].rpartition(":")[2]] = _capacity(item)
        return capacities

    def put(self, target: TargetId, capacity: int) -> Capacity:
        """Request a capacity (1 or more); AWS accepts at once and allocates over the next minutes."""
        with translated("PutProvisionedConcurrencyConfig"):
            answer = self._client.put_provisioned_concurrency_config(
                FunctionName=target.function, Qualifier=target.qualifier, ProvisionedConcurrentExecutions=capacity
            )
            return _capacity(answer)

    def delete(self, target: TargetId) -> None:
        """Remove a target's provisioned concurrency; succeeds where there is none, too."""
        with translated("DeleteProvisionedConcurrencyConfig"):
            self._client.delete_provisioned_concurrency_config(FunctionName=target.function, Qualifier=target.qualifier)

    def account(self) -> AccountLimits:
        """The account's concurrency in this Region and what is not reserved of it (GetAccountSettings)."""
        with translated("GetAccountSettings"):
            limit = self._client.get_account_settings()["AccountLimit"]
            return AccountLimits(
                concurrency=limit["ConcurrentExecutions"], unreserved=limit["UnreservedConcurrentExecutions"]
            )


def ineligible(configuration: FunctionConfigurationTypeDef) -> str:
    """Why a version can't have provisioned concurrency; empty if it can.

    docs.aws.amazon.com/lambda/latest/dg/snapstart.html excludes SnapStart; SAM refuses the other two.
    """
    if configuration.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions":
        return "SnapStart is on for its published versions"
    if configuration.get("CapacityProviderConfig"):
        return "it runs on Lambda Managed Instances"
    if configuration.get("TenancyConfig"):
        return "it isolates tenants"
    return ""


def _capacity(
    answer: PutProvisionedConcurrencyConfigResponseTypeDef | ProvisionedConcurrencyConfigListItemTypeDef,
) -> Capacity:
    return Capacity(
        requested=answer["RequestedProvisionedConcurrentExecutions"],
        allocated=answer.get("AllocatedProvisionedConcurrentExecutions", 0),
        available=answer.get("AvailableProvisionedConcurrentExecutions", 0),
        status=_status(answer["Status"]),
        status_reason=answer.get("StatusReason", ""),
        last_modified=_instant(answer.get("LastModified", "")),
    )


def _status(word: str) -> Status:
    """A status that AWS adds one day counts as a change under way: nothing is written until it passes."""
    return Status(word) if word in set(Status) else Status.IN_PROGRESS


def _instant(text: str) -> datetime | None:
    """`2023-01-21T11:30:00+0000`, with or without a fraction or a colon; None where it is anything else."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
