"""The control interface: drive the clock, make resources and metrics, inject faults, look at what happened.

`LocalAws` has it in process, `RemoteControl` over HTTP; the same methods, so a test or a demo can use either. Commands
reach the server as POST /_localaws/<command>: a JSON object, or a npz archive whose entry `payload` is one.
"""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from localaws.control_account import AccountCommands
from localaws.control_base import ControlError
from localaws.control_metrics import MetricCommands
from localaws.faults import DENIED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from localaws.control_base import Arrays
    from localaws.faults import RateLimit
    from localaws.wire import Json


class Control(MetricCommands, AccountCommands):
    """The commands, whatever carries them: here the clock, the functions and the faults, the rest by its parents.

    Times are aware datetimes; amounts of provisioned concurrency are environments.
    """

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

    def create_functions(
        self,
        names: Sequence[str],
        *,
        alias: str = "live",
        memory_mb: int = 1024,
        architecture: str = "x86_64",
        runtime: str = "python3.13",
        provisioned: int = 0,
    ) -> None:
        """Create many functions alike at once, with version 1, an alias, and provisioned concurrency READY on it."""
        version = {"memory_mb": memory_mb, "architecture": architecture, "runtime": runtime}
        payload = {"names": list(names), "alias": alias, "version": version, "provisioned": provisioned}
        self._send("create-functions", self._here(payload))

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

    def set_provisioned(
        self, function: str, qualifier: str, amount: int, *, at: datetime | None = None, failed: str = ""
    ) -> None:
        """Give an alias or version provisioned concurrency, READY at once and unchecked; 0: none.

        `at`: when it was last set (None: now). `failed`: FAILED for this reason instead, with nothing allocated.
        """
        payload = {"function": function, "qualifier": qualifier, "amount": amount, "failed": failed}
        self._send("set-provisioned", self._here({**payload, "at": None if at is None else at.isoformat()}))

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
        region: str = "",
        account: str = "",
    ) -> None:
        """Let the next `times` calls (None: all) of an operation go wrong: see `faults.Fault`."""
        fault = {"operation": operation, "function": function, "times": times, "code": code, "message": message}
        place = {"region": region, "account": account}
        self._send("inject", {**fault, **place, "status": status, "drop": drop, "delay_s": delay_s})

    def deny(self, operation: str, *, region: str = "", account: str = "", function: str | None = None) -> None:
        """Let callers lack the right to an operation (`lambda:ListFunctions`, `lambda:*`, `*`) there, or everywhere."""
        self.inject(operation, function=function, times=None, code=DENIED, region=region, account=account)

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
