"""The local AWS over HTTP: our own answers first, moto's for the rest, the control interface beside them.

One server per account at a time in a process, because moto keeps its state per process and account.
"""

from __future__ import annotations

import io
import json
import socket
import threading
from typing import TYPE_CHECKING, Any, Self

import boto3
from werkzeug.serving import WSGIRequestHandler, make_server

from localaws import commands, wire
from localaws.clock import Clock
from localaws.control import Control, unpack
from localaws.control_base import ControlError
from localaws.faults import RateLimit
from localaws.moto_side import account_of, application, drop_account
from localaws.wire import ApiError, Call, Place, Raw, Response
from localaws.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from types import TracebackType
    from wsgiref.types import StartResponse

    from werkzeug.serving import BaseWSGIServer

    from localaws.control_base import Arrays
    from localaws.faults import Fault
    from localaws.wire import Json

_CONTROL = "/_localaws/"
_JSON_SERVICES = {"lambda", "cloudwatch", "application-autoscaling", "logs", "pricing", "ce"}


class Application:
    """The WSGI application."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.stopping = threading.Event()
        self._moto = application()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one HTTP request."""
        raw = _raw(environ)
        if raw.path.startswith(_CONTROL):
            return _respond(self._control(raw), start_response)
        response = self._answer(raw, environ)
        if response is not None:
            return _respond(response, start_response)
        answer: Iterable[bytes] = self._moto(environ, start_response)
        return answer

    def _control(self, raw: Raw) -> Response:
        headers = {"Content-Type": "application/json"}
        try:
            payload, arrays = unpack(raw.body)
            content = commands.run(self.world, raw.path.removeprefix(_CONTROL), payload, arrays)
        except commands.REFUSALS as error:
            return Response(400, f"{type(error).__name__}: {error}".encode(), {"Content-Type": "text/plain"})
        return Response(200, json.dumps(content).encode(), headers)

    def _answer(self, raw: Raw, environ: dict[str, Any]) -> Response | None:
        """Our answer to an AWS call; None where it is moto's to give."""
        signature = wire.signature(raw)
        place = Place(
            account_of(signature.access_key, default=self.world.home.account),
            signature.region or self.world.home.region,
        )
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = place.account
        try:
            target = wire.target(raw, signature.service)
            agent = raw.headers.get("user-agent", "")
            call = Call(signature.service, target.operation, place, target.params, agent, self.world.clock.now())
            with self.world.lock:
                self.world.journal.note(call)
                fault = self.world.faults.take(call)
            if fault is not None:
                self._suffer(fault, call, environ)
            result = self.world.answer(call)
        except ApiError as error:
            return wire.failure(_format(signature.service, raw), error)
        return None if result is None else wire.success(call, result)

    def _suffer(self, fault: Fault, call: Call, environ: dict[str, Any]) -> None:
        """Let a fault happen.

        Raises:
            ApiError: the fault is an answer.
            ConnectionAbortedError: the fault is no answer at all.
        """
        if fault.delay_s:
            self.stopping.wait(fault.delay_s)
        if fault.drop:
            connection: socket.socket = environ["werkzeug.socket"]
            connection.shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError("injected fault: the connection is dropped")
        error = fault.error(call)
        if error is not None:
            raise error


class LocalAws(Control):
    """A local AWS in this process: start it with `with`, or `start()` and `stop()`.

    Args:
        now: start with a driven clock at this instant; None: real time.
        account, region: those of callers that name none.
        rate_limit: which clock Lambda's 15 calls a second run on; None: the real clock if `now` is None, else off.
        host, port: where to listen; port 0 picks a free one.
    """

    _running: set[str] = set()  # noqa: RUF012 - shared on purpose: one server per account and process

    def __init__(
        self,
        now: datetime | None = None,
        *,
        account: str = "123456789012",
        region: str = "us-east-1",
        rate_limit: RateLimit | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.account = account
        self.region = region
        self.clock = Clock(now)
        limit = rate_limit or (RateLimit.REAL if now is None else RateLimit.OFF)
        self._world = World(self.clock, Place(account, region), rate_limit=limit)
        self._app = Application(self._world)
        self._address = (host, port)
        self._server: BaseWSGIServer | None = None
        self._sessions: dict[Place, boto3.Session] = {}

    def start(self) -> Self:
        """Begin to listen, with nothing of this account left over in moto."""
        if self.account in self._running:
            raise RuntimeError(
                f"a local AWS for account {self.account} already runs in this process; give another account"
            )
        host, port = self._address
        self._server = make_server(host, port, self._app, threaded=True, request_handler=_QuietHandler)
        self._running.add(self.account)
        drop_account(self.account)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), name="localaws", daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening."""
        server = self._listening()
        self._server = None
        self._app.stopping.set()
        server.shutdown()
        server.server_close()
        self._running.discard(self.account)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def endpoint_url(self) -> str:
        """What to give botocore as `endpoint_url`."""
        server = self._listening()
        return f"http://{server.host}:{server.port}"

    def _listening(self) -> BaseWSGIServer:
        if self._server is None:
            raise RuntimeError("the local AWS is not running: start it, or use it in a `with` statement")
        return self._server

    def environment(self) -> dict[str, str]:
        """Environment variables with which any AWS SDK talks to this server."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.account,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
        }

    def session(self, *, account: str = "", region: str = "") -> boto3.Session:
        """A boto3 session with credentials of an account; its clients still need `endpoint_url=`."""
        place = Place(account or self.account, region or self.region)
        if place not in self._sessions:  # a session keeps botocore's models loaded, which is most of a client's cost
            self._sessions[place] = boto3.Session(
                aws_access_key_id=place.account, aws_secret_access_key="test", region_name=place.region
            )
        return self._sessions[place]

    def _send(self, command: str, payload: Json, arrays: Arrays | None = None) -> Json:
        # Through JSON and back, so that what works in process works over HTTP too.
        given: Json = json.loads(json.dumps(payload))
        try:
            content: Json = json.loads(json.dumps(commands.run(self._world, command, given, arrays or {})))
        except commands.REFUSALS as error:
            raise ControlError(f"{type(error).__name__}: {error}") from error
        return content


class _QuietHandler(WSGIRequestHandler):
    """Writes no access log: the journal has the calls."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""

    def connection_dropped(self, error: BaseException, environ: object = None) -> None:
        """A client that went away, or a connection that we dropped, is no error of the server."""


def _raw(environ: dict[str, Any]) -> Raw:
    """Take a request in; its body is put back for moto."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    return Raw(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("QUERY_STRING", ""), headers, body)


def _respond(response: Response, start_response: StartResponse) -> list[bytes]:
    headers = {**response.headers, "Content-Length": str(len(response.body))}
    start_response(f"{response.status} {_phrase(response.status)}", list(headers.items()))
    return [response.body]


def _phrase(status: int) -> str:
    return "OK" if status < 400 else "Error"


def _format(service: str, raw: Raw) -> str:
    """Which service's error format fits: a query-protocol caller reads XML."""
    form = raw.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return "sts" if form and service not in _JSON_SERVICES else service
