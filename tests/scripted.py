"""A server that answers AWS calls as a test scripted it and keeps what it was sent, and a clock that steps.

For what the local AWS has no reason to produce: odd refusals, broken bodies, and the headers that we send.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer.

    Args:
        code: AWS's error code; empty for a success.
        body: sent as it is; empty: what `code` and `message` make of it.
        hang_up: close the connection without an answer.
    """

    status: int = 200
    code: str = ""
    message: str = ""
    body: bytes = b""
    hang_up: bool = False

    def rendered(self) -> bytes:
        """The body, in a form that both of AWS's JSON protocols read."""
        if self.body or not self.code:
            return self.body or b"{}"
        return json.dumps({"__type": self.code, "message": self.message, "Message": self.message}).encode()


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]

    @property
    def products(self) -> list[str]:
        """The parts of its User-Agent."""
        return self.headers["User-Agent"].split()


@dataclass(slots=True)
class Script:
    """What the server answers from now on, and all that it was sent."""

    url: str
    reply: Reply = field(default_factory=Reply)
    sent: list[Sent] = field(default_factory=list)


@contextmanager
def scripted() -> Iterator[Script]:
    """A running server on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            script.sent.append(Sent(self.command, self.path, dict(self.headers.items())))
            reply = script.reply
            if reply.hang_up:
                self.close_connection = True
                return
            body = reply.rendered()
            self.send_response(reply.status)
            if reply.code:
                self.send_header("x-amzn-ErrorType", reply.code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Keep quiet: a test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    script = Script(url=f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class StepClock:
    """A clock that only sleeping moves; keeps how long was slept."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._monotonic = 0.0

    def now(self) -> datetime:
        """The first of March 2026 and what has been slept since."""
        return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=self._monotonic)

    def monotonic(self) -> float:
        """Seconds slept so far."""
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        """Step forward."""
        self.slept.append(seconds)
        self._monotonic += seconds
