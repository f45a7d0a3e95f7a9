"""What leaves for AWS: every HTTP request counted, paced and, where it writes, marked with its decision.

These hang on botocore's own events, so no call can forget them and the SDK's retries are seen too. Reads no
environment and opens no connection of its own.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from warmcast.aws.throttle import TokenBucket
from warmcast.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.awsrequest import AWSPreparedRequest
    from botocore.client import BaseClient

    from warmcast.aws.throttle import Clock

LOCAL_THROTTLE: Final = "LocalThrottle"

_NOT_A_TOKEN = re.compile(r"[^A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110: what a product in a User-Agent may not contain
_LONGEST_PART = 80
_mark: ContextVar[tuple[str, ...]] = ContextVar("mark", default=())


def product(name: str, version: str) -> str:
    """`name/version` as a User-Agent may carry it: other characters become dashes, long values are cut."""
    return f"{name}/{_NOT_A_TOKEN.sub('-', version)[:_LONGEST_PART]}"


@contextmanager
def marked(decision_id: str, fleet_version: str) -> Iterator[None]:
    """Within it, every request names the decision and the fleet in its User-Agent, which CloudTrail records."""
    parts = [product("decision", decision_id)]
    if fleet_version:
        parts.append(product("fleet", fleet_version))
    token = _mark.set(tuple(parts))
    try:
        yield
    finally:
        _mark.reset(token)


class CallCounter:
    """Requests sent since the last `reset`, by `service.Operation`, retries included."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def count(self, operation: str) -> None:
        """Note one request."""
        with self._lock:
            self._counts[operation] += 1

    @property
    def counts(self) -> Mapping[str, int]:
        """A copy of the counts, such as `{"lambda.GetFunction": 3}`."""
        with self._lock:
            return MappingProxyType(dict(self._counts))

    def reset(self) -> None:
        """Start again from nothing: a tick begins."""
        with self._lock:
            self._counts.clear()


class Pace:
    """How fast requests may leave.

    Lambda allows 15 control-plane calls a second for the whole account, all APIs together, not increasable, shared
    with everyone's deployments; GetFunction alone has 100 of its own
    (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). We take 4 a second of them: under a third.

    RegisterScalableTarget and PutScalingPolicy are dearer than they look: Application Auto Scaling first probes the
    caller's permissions with real calls to Lambda (Put, Get, Delete) and to CloudWatch's alarms, which have 3 a second
    (docs.aws.amazon.com/autoscaling/application/userguide/security_iam_permission_validation.html). So they have a
    slower bucket of their own and weigh three in Lambda's.
    """

    CONTROL_PLANE_PER_S: Final = 4.0
    SCALING_WRITES_PER_S: Final = 1.0
    PROBES: Final = 3

    _GET_FUNCTION: Final = "lambda.GetFunction"
    _SCALING_WRITES: Final = frozenset(
        {"application-auto-scaling.RegisterScalableTarget", "application-auto-scaling.PutScalingPolicy"}
    )

    def __init__(self, clock: Clock, *, patience_s: float = 10.0, get_function_per_s: float | None = None) -> None:
        """One account's Region.

        Args:
            clock: to wait by.
            patience_s: longest wait of a request; infinite where nobody waits for it, as in a scan.
            get_function_per_s: what to take of GetFunction's own limit; None: a tick asks too little of it to count.
        """
        self._get_function = (
            TokenBucket(get_function_per_s, get_function_per_s, clock, patience_s=patience_s)
            if get_function_per_s
            else None
        )
        self._control_plane = TokenBucket(self.CONTROL_PLANE_PER_S, 4, clock, patience_s=patience_s)
        self._scaling_writes = TokenBucket(self.SCALING_WRITES_PER_S, 2, clock, patience_s=patience_s)

    def allow(self, seconds: float) -> None:
        """From now on no request waits past that many seconds from now; the entry point says what a tick has left."""
        self._control_plane.allow(seconds)
        self._scaling_writes.allow(seconds)

    def wait(self, operation: str) -> None:
        """Wait for the turn of one request of `service.Operation`; raises AwsError `LocalThrottle` past patience."""
        if not self._has_turn(operation):
            name = operation.rpartition(".")[2]
            raise AwsError(LOCAL_THROTTLE, "kept back: our own share of AWS's request rate is used up", name)

    def _has_turn(self, operation: str) -> bool:
        if operation in self._SCALING_WRITES:
            return self._scaling_writes.take() and self._control_plane.take(self.PROBES)
        if operation == self._GET_FUNCTION:
            return self._get_function is None or self._get_function.take()
        if operation.startswith("lambda."):
            return self._control_plane.take()
        return True


def watch(client: BaseClient, *, calls: CallCounter, pace: Pace) -> None:
    """Hang the three on a client: each request, retries included, waits its turn, is counted and carries the mark.

    `before-send` is the one event that comes for every request, and the last: botocore makes the User-Agent anew just
    before it. That header is no part of the signature, so it may still be changed.
    """

    def on_send(request: AWSPreparedRequest, event_name: str, **_: object) -> None:
        operation = event_name.removeprefix("before-send.")
        pace.wait(operation)
        calls.count(operation)
        _add_mark(request)

    client.meta.events.register("before-send", on_send)


def _add_mark(request: AWSPreparedRequest) -> None:
    value: object = request.headers.get("User-Agent", "")
    present = (value.decode() if isinstance(value, bytes) else str(value)).split()  # once prepared, it is bytes
    request.headers["User-Agent"] = " ".join([*present, *(part for part in _mark.get() if part not in present)])
