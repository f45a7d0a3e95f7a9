"""Waiting for one's turn: the clock that the edge waits by, and a token bucket with bounded patience.

Touches nothing but the clock it is given.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Time as the edge needs it; entry points bring `SystemClock`, tests and the demo their own.

    `sleep(s)` must move `monotonic()` by at least `s`.
    """

    def now(self) -> datetime:
        """The present instant, aware."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back."""

    def sleep(self, seconds: float) -> None:
        """Let that many seconds pass."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present instant in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let that many seconds pass."""
        time.sleep(seconds)


class TokenBucket:
    """`rate_per_s` tokens a second, at most `burst` saved up; a caller reserves its tokens, then waits for them.

    In any stretch of T seconds at most `burst + rate_per_s x T` tokens are given out. Several threads may share one.

    | rate | burst | calls of 1 at the same instant | given after (s)            |
    | ---- | ----- | ------------------------------ | -------------------------- |
    | 4    | 4     | 4                              | 0, 0, 0, 0                 |
    | 4    | 4     | 6                              | 0, 0, 0, 0, 0.25, 0.5      |
    | 1    | 1     | 3, patience 1 s                | 0, 1, refused              |
    """

    def __init__(self, rate_per_s: float, burst: float, clock: Clock, *, patience_s: float = 10.0) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._clock = clock
        self._patience_s = patience_s
        self._tokens = burst
        self._as_of = clock.monotonic()
        self._deadline = float("inf")
        self._lock = threading.Lock()

    def allow(self, seconds: float) -> None:
        """From now on no wait reaches past that many seconds from now (the rest of a tick's time)."""
        self._deadline = self._clock.monotonic() + seconds

    def take(self, n: float = 1, *, wait: bool = True) -> bool:
        """Take `n` tokens, waiting for them if need be; False (and nothing taken) where patience would not last."""
        with self._lock:
            now = self._clock.monotonic()
            self._tokens = min(self._burst, self._tokens + (now - self._as_of) * self._rate_per_s)
            self._as_of = now
            delay_s = max(0.0, (n - self._tokens) / self._rate_per_s)
            if delay_s > self._patience_left_s(now, wait=wait):
                return False
            self._tokens -= n
        if delay_s > 0:
            self._clock.sleep(delay_s)
        return True

    def _patience_left_s(self, now: float, *, wait: bool) -> float:
        return max(0.0, min(self._patience_s, self._deadline - now)) if wait else 0.0
