"""What a scan needs of AWS in one account's Region: reads only. `warmcast.aws` implements them, tests bring fakes.

Each call raises AwsError where AWS says no.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from warmcast.errors import AwsError
    from warmcast.model import AccountLimits, Capacity
    from warmcast.model.asked import Answer, Grid, Query
    from warmcast.scan.found import Activity, AliasSeen, FunctionSeen, Scaling


class Inventory(Protocol):
    """Lambda's control plane."""

    def functions(self) -> Iterator[FunctionSeen]:
        """Every function, as ListFunctions tells: no aliases, capacities, scaling, stack or reservation yet."""

    def provisioned(self, function: str) -> Mapping[str, Capacity]:
        """Provisioned concurrency by qualifier."""

    def aliases(self, function: str) -> Mapping[str, AliasSeen]:
        """Aliases by name."""

    def details(self, function: FunctionSeen) -> FunctionSeen:
        """The function with its stack and reservation (GetFunction, which has a rate limit of its own)."""

    def account(self) -> AccountLimits:
        """The account's concurrency in this Region."""


class Scalings(Protocol):
    """Application Auto Scaling."""

    def all(self) -> Mapping[tuple[str, str], Scaling]:
        """Every scalable target for provisioned concurrency, by function and qualifier; without its activities."""

    def activities(self, function: str, qualifier: str, *, since: datetime | None = None) -> Sequence[Activity]:
        """Scaling activities of the last six weeks, newest first; those before `since` may be left out."""


class Series(Protocol):
    """CloudWatch, as `warmcast.aws.metrics.Metrics` reads it."""

    requested: int

    def read(
        self, queries: Sequence[Query], grid: Grid, *, in_time: Callable[[], bool] = ...
    ) -> list[Answer | AwsError | None]:
        """Answer each query, in order."""
