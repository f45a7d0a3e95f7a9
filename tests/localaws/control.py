"""The control interface: drive the clock, make resources and metrics, inject faults, look at what happened.

`LocalAws` has it in process, `RemoteControl` over HTTP; the same methods, so a test or a demo can use either. Commands
reach the server as POST /_localaws/<command>: a JSON object, or a npz archive whose entry `payload` is one.
"""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from localaws.faults import RateLimit
    from localaws.wire import Json

    Arrays = Mapping[str, npt.NDArray[np.float64]]

NAMESPACE = "AWS/Lambda"


class ControlError(Exception):
    """The control interface refused a command; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One series to load, a value a minute from `start`, NaN (or a count of 0) for no datapoint.

    Without `count`, a minute with data is one sample; without `minimum`/`maximum`, they are the mean; without `sum`,
    it is maximum x count.
    """

    name: str
    dimensions: Mapping[str, str]
    start: datetime
    sum: npt.NDArray[np.float64] | None = None
    count: npt.NDArray[np.float64] | None = None
    minimum: npt.NDArray[np.float64] | None = None
    maximum: npt.NDArray[np.float64] | None = None


class Control(ABC):
    """The commands, whatever carries them. `account` and `region` are those that the commands mean; empty: the default.

    Times are aware datetimes; amounts of provisioned concurrency are environments.
    """

    account: str = ""
    region: str = ""

    @abstractmethod
    def _send(self, command: str, payload: Json, arrays: Arrays | None = None) -> Json:
        """Run a command on the server."""

    def elsewhere(self, *, account: str = "", region: str = "") -> Control:
        """The same commands for another account or Region."""
        return _Elsewhere(self, account or self.account, region or self.region)

    # --- clock and behaviour ---------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """What the clock shows."""
        return datetime.fromisoformat(self._send("clock", {})["now"])

    def set_now(self, at: datetime) -> None:
        """Let the clock stand at an instant; it moves only when told from here on."""
        self._send("clock", {"set": at.isoformat()})

    def advance(self, by: timedelta | float) -> datetime:
        """Move the clock on, by a timedelta or seconds."""
        seconds = by.total_seconds() if isinstance(by, timedelta) else by
        return datetime.fromisoformat(self._send("clock", {"advance_s": seconds})["now"])

    def run_clock(self) -> None:
        """Let the clock show real time."""
        self._send("clock", {"run": True})

    def configure(self, **settings: float | str | RateLimit) -> Json:
        """Change settings; answers all of them.

        `lead_time_s` (120), `failure_s` (240), `shift_s` (420), `decrease_s` (0), `account_concurrency` (1000),
        `data_delay_s` (120), `rate_limit` ("off", "real", "driven").
        """
        return self._send("configure", dict(settings))

    def reset(self) -> None:
        """Forget all resources, metrics, faults and calls, moto's included; clock and settings stay."""
        self._send("reset", {})

    # --- functions -------------------------------------------------------------------------------------------------

    def create_function(
        self,
        name: str,
        *,
        alias: str = "live",
        memory_mb: int = 1024,
        timeout_s: int = 30,
        architecture: str = "x86_64",
        runtime: str = "python3.13",
        snap_start: bool = False,
        capacity_provider: str = "",
        tenancy: bool = False,
        init_fails: bool = False,
        lead_time_s: float | None = None,
        reserved: int | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Create a function with version 1 and an alias to it (none if the name is empty); answers its ARN.

        `init_fails`: provisioned concurrency of its versions ends up FAILED. `lead_time_s`: from a request for
        capacity until READY; None: the setting for all. The other parameters are as CreateFunction has them.
        """
        version = {
            "memory_mb": memory_mb,
            "timeout_s": timeout_s,
            "architecture": architecture,
            "runtime": runtime,
            "snap_start": snap_start,
            "capacity_provider": capacity_provider,
            "tenancy": tenancy,
            "init_fails": init_fails,
            "lead_time_s": lead_time_s,
        }
        payload = {"name": name, "alias": alias, "version": version, "reserved": reserved, "tags": dict(tags or {})}
        return str(self._send("create-function", self._here(payload))["arn"])

    def publish_version(self, function: str, **changes: float | str | bool | None) -> str:
        """Publish a new version, with any of `create_function`'s settings changed; answers its number."""
        payload = {"function": function, "version": changes}
        return str(self._send("publish-version", self._here(payload))["version"])

    def change_version(self, function: str, qualifier: str, **changes: float | str | bool | None) -> None:
        """Change a published version in place, as no API can: `init_fails=True`, `lead_time_s=600`."""
        self._send("change-version", self._here({"function": function, "qualifier": qualifier, "version": changes}))

    def create_alias(
        self, function: str, alias: str, *, version: str = "1", weights: Mapping[str, float] | None = None
    ) -> str:
        """Create an alias, or put it as told without a version shift; answers its ARN."""
        payload = {"function": function, "alias": alias, "version": version, "weights": dict(weights or {})}
        return str(self._send("set-alias", self._here(payload))["arn"])

    def set_provisioned(self, function: str, qualifier: str, amount: int) -> None:
        """Give an alias or version provisioned concurrency that is READY at once, unchecked; 0: none."""
        payload = {"function": function, "qualifier": qualifier, "amount": amount}
        self._send("set-provisioned", self._here(payload))

    # --- metrics ---------------------------------------------------------------------------------------------------

    def load_metrics(self, series: Sequence[Series], *, namespace: str = NAMESPACE) -> None:
        """Load series in bulk, over whatever was in those minutes."""
        arrays: dict[str, npt.NDArray[np.float64]] = {}
        entries = [_entry(one, index, arrays) for index, one in enumerate(series)]
        self._send("load-metrics", self._here({"namespace": namespace, "series": entries}), arrays)

    def load_minutes(
        self,
        function: str,
        qualifier: str,
        start: datetime,
        *,
        invocations: npt.ArrayLike,
        duration_ms: npt.ArrayLike,
        concurrency: npt.ArrayLike,
        throttles: npt.ArrayLike | None = None,
        spilled: npt.ArrayLike | None = None,
    ) -> None:
        """Load what Lambda reports of an alias or version, an element a minute from `start`.

        A minute without invocations (and throttles) has no datapoint, as on AWS.

        Args:
            function: its name.
            qualifier: the alias or version.
            start: the first minute.
            invocations: Sum(Invocations).
            duration_ms: Sum(Duration) of the minute, in ms.
            concurrency: Maximum(ConcurrentExecutions).
            throttles: Sum(Throttles); None: 0 wherever it was invoked.
            spilled: Sum(ProvisionedConcurrencySpilloverInvocations); None: no provisioned concurrency, no datapoints.
        """
        counts = np.asarray(invocations, dtype=np.float64)
        refused = np.zeros_like(counts) if throttles is None else np.asarray(throttles, dtype=np.float64)
        busy = np.where(counts > 0, counts, np.nan)
        touched = np.where(counts + refused > 0, 1.0, np.nan)
        where = {"FunctionName": function, "Resource": f"{function}:{qualifier}"}
        peak = np.where(counts > 0, np.asarray(concurrency, dtype=np.float64), np.nan)
        series = [
            Series("Invocations", where, start, sum=busy, count=busy),
            Series("Duration", where, start, sum=np.asarray(duration_ms, dtype=np.float64), count=busy),
            Series("ConcurrentExecutions", where, start, maximum=peak, count=busy),
            Series("Throttles", where, start, sum=refused * touched),
        ]
        if spilled is not None:
            over = np.asarray(spilled, dtype=np.float64) * np.where(counts > 0, 1.0, np.nan)
            series.append(Series("ProvisionedConcurrencySpilloverInvocations", where, start, sum=over))
        self.load_metrics(series)

    def revise_minute(
        self,
        name: str,
        dimensions: Mapping[str, str],
        minute: datetime,
        *,
        total: float,
        count: float,
        due: datetime,
        minimum: float | None = None,
        maximum: float | None = None,
        namespace: str = NAMESPACE,
    ) -> None:
        """Let a minute read differently from `due` on, as CloudWatch revises what it has shown."""
        mean = total / count
        sample = {
            "sum": total,
            "count": count,
            "minimum": mean if minimum is None else minimum,
            "maximum": mean if maximum is None else maximum,
        }
        payload = {"namespace": namespace, "name": name, "dimensions": dict(dimensions), "sample": sample}
        self._send("revise-minute", self._here({**payload, "minute": minute.isoformat(), "due": due.isoformat()}))

    def afflict(self, status: str, dimensions: Mapping[str, str], *, name: str | None = None) -> None:
        """Let GetMetricData give series with these dimensions a status: Forbidden, InternalError or PartialData."""
        self._send("afflict", self._here({"status": status, "dimensions": dict(dimensions), "name": name}))

    # --- faults and what happened ----------------------------------------------------------------------------------

    def inject(
        self,
        operation: str,
        *,
        function: str | None = None,
        times: int | None = 1,
        code: str = "",
        message: str = "",
        status: int = 400,
        drop: bool = False,
        delay_s: float = 0.0,
    ) -> None:
        """Let the next `times` calls (None: all) of an operation go wrong: see `faults.Fault`."""
        fault = {"operation": operation, "function": function, "times": times, "code": code, "message": message}
        self._send("inject", {**fault, "status": status, "drop": drop, "delay_s": delay_s})

    def clear_faults(self) -> None:
        """Let everything go well again."""
        self._send("clear-faults", {})

    def calls(self) -> dict[str, int]:
        """How often each `service:Operation` was called."""
        return dict(self._send("calls", {})["counts"])

    def journal(self, operation: str = "") -> list[Json]:
        """The calls of an operation, oldest first: name, place, params, user_agent, at."""
        return list(self._send("calls", {"operation": operation})["calls"])

    def clear_calls(self) -> None:
        """Count from zero again."""
        self._send("calls", {"clear": True})

    def state(self) -> Json:
        """Everything that exists: functions with aliases and provisioned concurrency, scalable targets."""
        return self._send("state", {})

    def _here(self, payload: Json) -> Json:
        return {**payload, "account": self.account, "region": self.region}


class RemoteControl(Control):
    """The commands over HTTP, for a server in another process."""

    def __init__(self, endpoint_url: str, *, timeout_s: float = 60.0) -> None:
        self.endpoint_url = endpoint_url.rstrip("/")
        self._timeout_s = timeout_s

    def _send(self, command: str, payload: Json, arrays: Arrays | None = None) -> Json:
        body = json.dumps(payload).encode() if arrays is None else pack(payload, arrays)
        request = urllib.request.Request(f"{self.endpoint_url}/_localaws/{command}", data=body, method="POST")  # noqa: S310 - the URL is the test's own
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as answer:  # noqa: S310 - the same
                content: Json = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise ControlError(error.read().decode()) from error
        return content


class _Elsewhere(Control):
    """Another Control's commands, meant for another place."""

    def __init__(self, through: Control, account: str, region: str) -> None:
        self._through = through
        self.account = account
        self.region = region

    def _send(self, command: str, payload: Json, arrays: Arrays | None = None) -> Json:
        return self._through._send(command, payload, arrays)


def pack(payload: Json, arrays: Arrays) -> bytes:
    """A command with arrays as one npz archive."""
    buffer = io.BytesIO()
    np.savez(buffer, payload=np.array(json.dumps(payload)), **arrays)  # type: ignore[arg-type]  # its own keyword is allow_pickle
    return buffer.getvalue()


def unpack(body: bytes) -> tuple[Json, dict[str, npt.NDArray[np.float64]]]:
    """What `pack` made; a body that is plain JSON has no arrays."""
    if not body.startswith(b"PK"):
        return json.loads(body or b"{}"), {}
    with np.load(io.BytesIO(body), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files if name != "payload"}
        return json.loads(str(archive["payload"])), arrays


def _entry(series: Series, index: int, arrays: dict[str, npt.NDArray[np.float64]]) -> Json:
    """Describe a series, its arrays put aside under names; one array for two statistics is sent once."""
    named: Json = {}
    for part in ("sum", "count", "minimum", "maximum"):
        array = getattr(series, part)
        if array is not None:
            same = next((name for name in named.values() if arrays[name] is array), None)
            name = same or f"{index}.{part}"
            arrays[name] = array
            named[part] = name
    return {"name": series.name, "dimensions": dict(series.dimensions), "start": int(series.start.timestamp()), **named}
