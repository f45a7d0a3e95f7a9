"""Progress: what a long command says of itself while it runs, on standard error, and how Ctrl-C reaches its threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from rich.console import Console
    from rich.progress import TaskID

    from warmcast.aws.throttle import Clock

LINE_EVERY_S: Final = 15.0
"""Where no terminal shows a bar, a line of each part of the work at most this often."""


class Watch:
    """Shows how far each part of the work has come; several threads may tell it.

    Args:
        console: of standard error. On a terminal each part has a bar, elsewhere a line now and then.
        clock: by which the lines are spaced.
    """

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._tasks: dict[str, TaskID] = {}
        self._said_at: dict[str, float] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def stop(self) -> None:
        """Let every thread come to its end: from now on `going` says no."""
        self._stopped.set()

    def going(self) -> bool:
        """Whether the work goes on."""
        return not self._stopped.is_set()

    def tell(self, part: str, doing: str, done: int, total: int) -> None:
        """A part of the work has come so far.

        Args:
            part: such as a Region.
            doing: what it is at, such as `reading metrics`.
            done: of the things that it does, how many.
            total: of all of them; 0 is not known yet.
        """
        with self._lock:
            if self._console.is_terminal:
                self._move(part, doing, done, total)
            elif self._is_due(part):
                of = f" {done} of {total}" if total else ""
                self._console.print(f"{part}: {doing}{of}", highlight=False, markup=False, soft_wrap=True)

    def say(self, words: str) -> None:
        """A remark between the bars."""
        self._console.print(words, highlight=False, markup=False, soft_wrap=True)

    def _move(self, part: str, doing: str, done: int, total: int) -> None:
        if part not in self._tasks:
            self._tasks[part] = self._progress.add_task(part, total=None)
        self._progress.update(self._tasks[part], description=f"{part}: {doing}", completed=done, total=total or None)

    def _is_due(self, part: str) -> bool:
        """Whether a line of a part may be printed; not in the first moments, for most work is done by then."""
        now = self._clock.monotonic()
        last = self._said_at.setdefault(part, now)
        if now - last < LINE_EVERY_S:
            return False
        self._said_at[part] = now
        return True
