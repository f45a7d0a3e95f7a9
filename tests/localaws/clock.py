"""The local AWS's clock: the machine's until a test takes it over, then one that moves only when told."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta


class Clock:
    """Real time, or driven time once it was set. Safe to use from several threads.

    Args:
        at: start driven at this instant; None: real time.
    """

    def __init__(self, at: datetime | None = None) -> None:
        self._lock = threading.Lock()
        self._at = None if at is None else _aware(at)

    @property
    def driven(self) -> bool:
        """Whether it moves only when told."""
        return self._at is not None

    def now(self) -> datetime:
        """The instant it shows, in UTC."""
        with self._lock:
            return self._at or datetime.now(UTC)

    def set(self, at: datetime) -> None:
        """Take it over: it stands at this instant from here on."""
        with self._lock:
            self._at = _aware(at)

    def advance(self, by: timedelta | float) -> datetime:
        """Move it on, by a timedelta or by seconds; a real clock becomes a driven one."""
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        with self._lock:
            self._at = (self._at or datetime.now(UTC)) + step
            return self._at

    def run(self) -> None:
        """Give it back: it shows real time again."""
        with self._lock:
            self._at = None


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"the clock takes aware instants, not {at.isoformat()}")
    return at.astimezone(UTC)
