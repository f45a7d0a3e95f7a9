"""The control interface's commands for what an account has beside functions and metrics: activities, logs, bills."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from localaws.control_base import Commands

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    import numpy.typing as npt

    from localaws.wire import Json


class AccountCommands(Commands):
    """Scaling activities, REPORT lines, prices and costs."""

    def load_scaling(
        self,
        function: str,
        qualifier: str,
        minimum: int,
        maximum: int,
        *,
        tracking: Mapping[str, Json] | None = None,
        scheduled: Sequence[Json] = (),
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Register an alias or version with Application Auto Scaling, as the API does; its capacity is clamped.

        Args:
            function: whose.
            qualifier: the alias or version.
            minimum: of the capacity.
            maximum: of the capacity.
            tracking: target-tracking policies by name: a `TargetTrackingScalingPolicyConfiguration` as the API has it.
            scheduled: scheduled actions: each the parameters of PutScheduledAction, without those that say whose.
            tags: of the scalable target.
        """
        target = {"MinCapacity": minimum, "MaxCapacity": maximum, "Tags": dict(tags or {})}
        rules = {"tracking": dict(tracking or {}), "scheduled": list(scheduled)}
        self._send("load-scaling", self._here({"resource": _resource(function, qualifier), "target": target, **rules}))

    def load_activity(
        self,
        function: str,
        qualifier: str,
        at: datetime,
        capacity: int,
        *,
        cause: str = "",
        status: str = "Successful",
        reason: str = "",
        not_scaled: Sequence[str] = (),
    ) -> None:
        """Let Application Auto Scaling have set an alias's capacity at an instant.

        Args:
            function: whose.
            qualifier: the alias or version.
            at: when it began.
            capacity: what it set.
            cause: in AWS's words; empty: the high alarm of a policy named `tracking`.
            status: Successful, Failed, Pending, InProgress, Overridden or Unfulfilled.
            reason: why it failed, or the message of another status.
            not_scaled: codes of why nothing was scaled (AlreadyAtMaxCapacity); then only listed if asked for.
        """
        payload = {"resource": _resource(function, qualifier), "at": at.isoformat(), "capacity": capacity}
        more = {"cause": cause, "status": status, "reason": reason, "not_scaled": list(not_scaled)}
        self._send("load-activity", self._here({**payload, **more}))

    def load_reports(
        self,
        function: str,
        at_ms: npt.ArrayLike,
        *,
        duration_ms: npt.ArrayLike,
        init_ms: npt.ArrayLike | None = None,
        billed_ms: npt.ArrayLike | None = None,
        environment: npt.ArrayLike = 0,
        memory_mb: int = 1024,
        used_mb: int = 96,
        version: str = "1",
        retention_days: int = 0,
    ) -> None:
        """Write REPORT lines into a function's log group, one a call; an array or one value for all.

        Args:
            function: whose.
            at_ms: when each was written, epoch milliseconds.
            duration_ms: the handler's time.
            init_ms: the environment's initialisation, NaN where the line has none; None: none has.
            billed_ms: None: as AWS bills on demand since August 2025, duration and initialisation, rounded up; give
                it for lines under provisioned concurrency, where the initialisation is billed apart.
            environment: number of the execution environment, which names the log stream.
            memory_mb: configured.
            used_mb: used.
            version: the one that ran.
            retention_days: of the log group; 0: for ever.
        """
        at = np.atleast_1d(np.asarray(at_ms, dtype=np.float64))
        init = np.broadcast_to(np.asarray(np.nan if init_ms is None else init_ms, dtype=np.float64), at.shape)
        duration = np.broadcast_to(np.asarray(duration_ms, dtype=np.float64), at.shape)
        billed = np.ceil(duration + np.nan_to_num(init)) if billed_ms is None else billed_ms
        columns = {
            "at_ms": at,
            "duration_ms": duration,
            "init_ms": init,
            "billed_ms": billed,
            "environment": environment,
            "memory_mb": memory_mb,
            "used_mb": used_mb,
        }
        arrays = {
            name: np.ascontiguousarray(np.broadcast_to(np.asarray(column, dtype=np.float64), at.shape))
            for name, column in columns.items()
        }
        payload = {"group": f"/aws/lambda/{function}", "version": version, "retention_days": retention_days}
        self._send("load-reports", self._here(payload), arrays)

    def change_price(self, region: str, architecture: str, price: str, usd: float | None) -> None:
        """Change a price in the Price List, by its name in `warmcast.prices.UnitPrices`; None takes it off."""
        payload = {"region": region, "architecture": architecture, "price": price, "usd": usd}
        self._send("change-price", payload)

    def enter_cost(
        self,
        day: date,
        usd: float,
        *,
        usage_type: str = "Lambda-Provisioned-Concurrency",
        region: str = "us-east-1",
        quantity: float = 0.0,
        service: str = "AWS Lambda",
    ) -> None:
        """Put a day's charge on the account's bill, where Cost Explorer finds it."""
        payload = {"day": day.isoformat(), "usd": usd, "usage_type": usage_type, "charged_in": region}
        self._send("enter-cost", self._here({**payload, "quantity": quantity, "service": service}))


def _resource(function: str, qualifier: str) -> str:
    return f"function:{function}:{qualifier}"
