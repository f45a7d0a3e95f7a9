"""AWS's wire formats, server side: an HTTP request becomes a `Call`, a result or an `ApiError` becomes a response.

Speaks what botocore 1.44 speaks to the services that we answer ourselves: rest-json (Lambda), JSON 1.1 (Application
Auto Scaling, Logs, Price List, Cost Explorer) and JSON 1.0 in query-compatible mode (CloudWatch). Operations and the
places of their parameters come from botocore's own models. Touches nothing but bytes.
"""

from __future__ import annotations

import gzip
import json
import re
import uuid
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

import botocore.session

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from botocore.model import OperationModel, ServiceModel

Json = dict[str, Any]

# SigV4 signing names, where they differ from botocore's service names.
_SERVICE_OF_SIGNING_NAME = {"monitoring": "cloudwatch"}
_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
_CBOR_PATH = re.compile(r"/service/\w+/operation/\w+")
_MEMBERS_SPELT_MESSAGE = {"ResourceNotFoundException", "ServiceException"}  # `Message`, elsewhere `message`


class ApiError(Exception):
    """An answer of AWS that is an error.

    Args:
        code: AWS's error code.
        message: AWS's words.
        status: the HTTP status.
        fields: further members of the error's shape.
        headers: further HTTP headers.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.fields = dict(fields or {})
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class Place:
    """An account in a Region: what every resource belongs to."""

    account: str
    region: str

    def arn(self, service: str, resource: str) -> str:
        """An ARN in this place (partition `aws`)."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


@dataclass(frozen=True, slots=True)
class Raw:
    """An HTTP request as it came."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an API operation, as botocore's model names it.

    Args:
        service: botocore's service name; empty where the request was not signed.
        operation: the operation's name; `METHOD /path` where it could not be told.
        params: the parameters of operations that we answer ourselves, or of any JSON protocol.
    """

    service: str
    operation: str
    place: Place
    params: Json
    user_agent: str
    at: datetime

    @property
    def name(self) -> str:
        """`service:Operation`, as in IAM."""
        return f"{self.service}:{self.operation}"


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signature:
    """Whom a request claims to come from, and which service in which Region it is for. Nothing is verified."""

    access_key: str
    region: str
    service: str


def signature(raw: Raw) -> Signature:
    """Read the credential scope; empty strings where the request is not signed."""
    match = _CREDENTIAL.search(raw.headers.get("authorization", ""))
    if match is None:
        return Signature("", "", "")
    service = match["service"].lower()
    return Signature(match["key"], match["region"], _SERVICE_OF_SIGNING_NAME.get(service, service))


@dataclass(frozen=True, slots=True)
class Target:
    """The operation that a request is for, and its parameters."""

    operation: str
    params: Json


def target(raw: Raw, service: str) -> Target:
    """Find the operation: by `X-Amz-Target`, by `Action`, or by Lambda's method and path."""
    body = gzip.decompress(raw.body) if raw.headers.get("content-encoding") == "gzip" else raw.body
    if (header := raw.headers.get("x-amz-target")) is not None:
        return Target(header.rsplit(".", 1)[-1], _object(body))
    if service == "lambda":
        return _rest_target(raw, body)
    if _CBOR_PATH.fullmatch(raw.path) is not None:
        raise ApiError("UnsupportedProtocol", "the local AWS does not read CBOR: ask for the JSON protocol")
    form = parse_qs(body.decode("utf-8", "replace") if "form" in raw.headers.get("content-type", "") else raw.query)
    if "Action" in form:
        return Target(form["Action"][0], {name: values[0] for name, values in form.items()})
    return Target(f"{raw.method} {raw.path}", {})


def success(call: Call, result: Json) -> Response:
    """The response to a call that went well; timestamps in `result` are already epoch seconds or strings."""
    model = service_model(call.service).operation_model(call.operation)
    status = int(model.http.get("responseCode", 200))
    headers = {"x-amzn-RequestId": str(uuid.uuid4()), "Content-Type": _content_type(call.service)}
    if status == 204:
        return Response(status, b"", headers)
    return Response(status, json.dumps(result, separators=(",", ":")).encode(), headers)


def failure(service: str, error: ApiError) -> Response:
    """The response to a call that went wrong, in the service's own format."""
    headers = {"x-amzn-RequestId": str(uuid.uuid4()), "Content-Type": _content_type(service), **error.headers}
    side = "User" if error.status < 500 else "Service"
    if service == "lambda":
        spelling = "Message" if error.code in _MEMBERS_SPELT_MESSAGE else "message"
        headers["x-amzn-ErrorType"] = error.code
        return _json(error.status, {"Type": side, spelling: error.message, **error.fields}, headers)
    if service in {"sts", "sqs-query"}:
        return _xml_failure(error, headers)
    if service in {"cloudwatch", "sqs"}:
        headers["x-amzn-query-error"] = f"{error.code};{'Sender' if side == 'User' else 'Receiver'}"
    fields = {"__type": error.code, "message": error.message, "Message": error.message, **error.fields}
    return _json(error.status, fields, headers)


@cache
def service_model(service: str) -> ServiceModel:
    """Botocore's model of a service."""
    return botocore.session.get_session().get_service_model(service)


def _json(status: int, content: Json, headers: Mapping[str, str]) -> Response:
    return Response(status, json.dumps(content).encode(), headers)


def _xml_failure(error: ApiError, headers: dict[str, str]) -> Response:
    kind = "Sender" if error.status < 500 else "Receiver"
    text = (
        f"<ErrorResponse><Error><Type>{kind}</Type><Code>{error.code}</Code><Message>{error.message}</Message></Error>"
        f"<RequestId>{headers['x-amzn-RequestId']}</RequestId></ErrorResponse>"
    )
    return Response(error.status, text.encode(), {**headers, "Content-Type": "text/xml"})


def _content_type(service: str) -> str:
    match service:
        case "lambda" | "scheduler":
            return "application/json"
        case "application-autoscaling" | "logs" | "pricing" | "ce":
            return "application/x-amz-json-1.1"
        case _:
            return "application/x-amz-json-1.0"


def _object(body: bytes) -> Json:
    try:
        content = json.loads(body or b"{}")
    except ValueError as error:
        raise ApiError("SerializationException", f"the body is not JSON: {error}") from error
    return content if isinstance(content, dict) else {}


@dataclass(frozen=True, slots=True)
class _Route:
    model: OperationModel
    pattern: re.Pattern[str]
    query: Mapping[str, str]


@cache
def _lambda_routes() -> tuple[_Route, ...]:
    model = service_model("lambda")
    routes = [_route(model.operation_model(name)) for name in model.operation_names]
    # A fixed query argument (`?List=ALL`) is what tells List from Get, so the more demanding routes come first.
    return tuple(sorted(routes, key=lambda route: -len(route.query)))


def _route(model: OperationModel) -> _Route:
    path, _, query = model.http["requestUri"].partition("?")
    labels = re.sub(r"\\\{(\w+)(?:\\\+)?\\\}", r"(?P<\1>[^/]+)", re.escape(path.rstrip("/")))
    fixed = {name: values[0] for name, values in parse_qs(query).items()}
    return _Route(model, re.compile(f"{labels}/?"), fixed)


def _rest_target(raw: Raw, body: bytes) -> Target:
    query = {name: values[0] for name, values in parse_qs(raw.query).items()}
    for route in _lambda_routes():
        match = route.pattern.fullmatch(raw.path) if route.model.http["method"] == raw.method else None
        if match and route.query.items() <= query.items():
            return Target(route.model.name, _rest_params(route.model, match.groupdict(), query, body))
    return Target(f"{raw.method} {raw.path}", {})


def _rest_params(model: OperationModel, labels: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Json:
    shape = model.input_shape
    if shape is None:
        return {}
    params = _object(body) if body and model.name not in {"Invoke", "InvokeAsync"} else {}
    for name, member in shape.members.items():
        place, key = member.serialization.get("location"), member.serialization.get("name", name)
        if place == "uri" and key in labels:
            params[name] = unquote(labels[key])
        elif place == "querystring" and key in query:
            params[name] = int(query[key]) if member.type_name in {"integer", "long"} else query[key]
    return params
