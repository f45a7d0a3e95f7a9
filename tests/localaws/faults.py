"""What can be made to go wrong, and what was called: injected faults, the call journal, the control plane's rate limit.

Knows calls, not services. Lambda's limits: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from localaws.wire import ApiError, Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from localaws.wire import Json, Place

DENIED = "denied"
_JOURNAL_LENGTH = 20_000
# How services say that a role lacks a right, where it is not AccessDeniedException with status 400: code and status.
_DENIALS = {"lambda": ("AccessDeniedException", 403), "cloudwatch": ("AccessDenied", 403), "sts": ("AccessDenied", 403)}
_NAMES_OF_FUNCTION = ("FunctionName", "ResourceId", "Resource")


class RateLimit(StrEnum):
    """Which clock Lambda's control-plane limit runs on."""

    OFF = "off"
    REAL = "real"
    DRIVEN = "driven"


@dataclass(slots=True)
class Fault:
    """The next calls of an operation go wrong in this way.

    Args:
        operation: an operation's name (`GetMetricData`), with its service (`sqs:SendMessage`), all of a service
            (`logs:*`), or `*` for all.
        function: only calls that name this function; None: whatever they name.
        times: how many calls; None: all until the faults are cleared.
        code, message, status: AWS's answer; an empty code answers as usual (after `delay_s`), `DENIED` as the service
            denies access.
        drop: close the connection without an answer instead.
        delay_s: wait this long (real seconds) first; longer than the client's read timeout, it is a timeout.
        region, account: only calls there; empty: anywhere.
    """

    operation: str
    function: str | None = None
    times: int | None = 1
    code: str = ""
    message: str = ""
    status: int = 400
    drop: bool = False
    delay_s: float = 0.0
    region: str = ""
    account: str = ""

    def matches(self, call: Call) -> bool:
        """Whether this call is to go wrong."""
        named = self.operation in {"*", f"{call.service}:*", call.operation, call.name}
        here = self.region in {"", call.place.region} and self.account in {"", call.place.account}
        return named and here and (self.function is None or self.function in _functions_of(call))

    def error(self, call: Call) -> ApiError | None:
        """AWS's answer to a call, if there is to be one."""
        if self.code == DENIED:
            return _denial(call, self.message)
        return ApiError(self.code, self.message, status=self.status) if self.code else None


class Faults:
    """The faults that are armed, oldest first."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []

    def arm(self, fault: Fault) -> None:
        """Let it happen from the next call on."""
        self._armed.append(fault)

    def clear(self) -> None:
        """Let everything go well again."""
        self._armed.clear()

    def take(self, call: Call) -> Fault | None:
        """The fault that this call runs into, used up by one; None if it goes well."""
        fault = next((fault for fault in self._armed if fault.matches(call)), None)
        if fault is not None and fault.times is not None:
            fault.times -= 1
            self._armed = [armed for armed in self._armed if armed.times != 0]
        return fault


class Journal:
    """Every call that arrived, whatever came of it: counts without end, the calls themselves up to 20,000."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._calls: deque[Call] = deque(maxlen=_JOURNAL_LENGTH)

    def note(self, call: Call) -> None:
        """Write a call down."""
        self._counts[call.name] += 1
        self._calls.append(call)

    def counts(self) -> dict[str, int]:
        """Calls by `service:Operation`."""
        return dict(self._counts)

    def calls(self, operation: str = "") -> list[Json]:
        """The calls of an operation (`Operation` or `service:Operation`; empty: all), oldest first, as JSON."""
        return [_as_json(call) for call in self._calls if operation in {"", call.operation, call.name}]

    def clear(self) -> None:
        """Forget all calls."""
        self._counts.clear()
        self._calls.clear()


class RateLimiter:
    """Lambda's control-plane limit per account and Region: GetFunction its own, all others together, as token buckets.

    Args:
        seconds: the clock, in seconds.
        shared_per_s: calls a second over all operations but GetFunction.
        get_function_per_s: calls of GetFunction a second.
    """

    def __init__(
        self, seconds: Callable[[], float], *, shared_per_s: float = 15, get_function_per_s: float = 100
    ) -> None:
        self._seconds = seconds
        self._rates = {"shared": shared_per_s, "GetFunction": get_function_per_s}
        self._buckets: dict[tuple[Place, str], tuple[float, float]] = {}

    def admit(self, call: Call) -> None:
        """Take one token.

        Raises:
            ApiError: TooManyRequestsException, 429, when none is left.
        """
        kind = call.operation if call.operation in self._rates else "shared"
        rate, now = self._rates[kind], self._seconds()
        tokens, since = self._buckets.get((call.place, kind), (rate, now))
        tokens = min(rate, tokens + max(0.0, now - since) * rate)
        admitted = tokens >= 1
        self._buckets[call.place, kind] = (tokens - 1 if admitted else tokens, now)
        if not admitted:
            raise ApiError(
                "TooManyRequestsException",
                "Rate Exceeded.",
                status=429,
                fields={"Reason": "CallerRateLimitExceeded"},
                headers={"Retry-After": "1"},
            )


def _denial(call: Call, message: str) -> ApiError:
    """AWS's words for a role without the right, with the caller as a user of the account."""
    code, status = _DENIALS.get(call.service, ("AccessDeniedException", 400))
    words = (
        f"User: arn:aws:iam::{call.place.account}:user/localaws is not authorized to perform: {call.name} on resource: "
        f"* because no identity-based policy allows the {call.name} action"
    )
    return ApiError(code, message or words, status=status)


def _functions_of(call: Call) -> set[str]:
    """The names that a call gives its function: plain, as ARN, or inside a scalable target's resource id."""
    given = [str(call.params[name]) for name in _NAMES_OF_FUNCTION if name in call.params]
    return {part for name in given for part in (name, *name.split(":"))}


def _as_json(call: Call) -> Json:
    return {**asdict(call), "at": call.at.isoformat(), "name": call.name}
