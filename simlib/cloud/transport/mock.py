"""What the transports use of moto: its view of AWS's API models, its readers and writers, its form of a request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import HeadersDict
from botocore.parsers import RpcV2CBORParser, create_parser
from botocore.serialize import create_serializer
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import HTTPException

from simlib.cloud import moto_names as moto
from simlib.cloud.transport.wire import RawAnswer

CBOR = "smithy-rpc-v2-cbor"


@cache
def _router(service: str) -> moto.RestRouter:
    router = moto.RestRouter(moto.get_service_model(service))
    router._map.update()  # or it would do so at the first request, under a lock that a fork could leave shut
    return router


def rest_operation(service: str, request: moto.Request) -> tuple[moto.OperationModel, dict[str, Any]] | None:
    """The operation that a path and a method stand for, and what the path says of its parameters."""
    try:
        operation, labels = _router(service).match(request)
        return operation, labels
    except HTTPException:
        return None


class NotWellFormed(Exception):
    """A body that is not what its protocol has: no JSON, no XML."""


class _StrictJSON:
    """moto takes a body that is no JSON for a message."""

    def _parse_body_as_json(self, body: bytes) -> Any:
        try:
            value = json.loads(body) if body else {}
        except ValueError as error:
            raise NotWellFormed(str(error)) from error
        if not isinstance(value, dict) and isinstance(self, moto.PROTOCOL_PARSERS["json"]):
            raise NotWellFormed("Start of structure or map found where not expected.")
        return value


def _strict(parser: Any) -> Any:
    return type(parser.__name__, (_StrictJSON, parser), {})


_PARSERS = {name: _strict(parser) if "json" in name else parser for name, parser in moto.PROTOCOL_PARSERS.items()}


def parse_request(operation: moto.OperationModel, protocol: str, parts: Mapping[str, Any]) -> dict[str, Any]:
    """An operation's parameters by their API names; `parts` are those that moto's parsers read.

    "values", "headers", "body", "method", "url_path" and "url_params".
    """
    if protocol == CBOR:
        return _parse_cbor(operation, parts["body"] or b"\xa0")
    try:
        return _PARSERS[protocol](operation).parse(parts) or {}
    except moto.RequestParserError as error:
        raise NotWellFormed(str(error)) from error


def _parse_cbor(operation: moto.OperationModel, body: bytes) -> dict[str, Any]:
    """moto does not read it; botocore reads answers, whose bodies are like those of requests."""
    reader = RpcV2CBORParser(timestamp_parser=lambda seconds: datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None))
    stream = reader.get_peekable_stream_from_bytes(body)
    if not isinstance(reader.parse_data_item(stream), dict) or stream.read(1):
        raise NotWellFormed("Start of structure or map found where not expected.")
    answer: Any = {"status_code": 200, "headers": {}, "body": body}
    values: dict[str, Any] = reader.parse(answer, operation.input_shape)
    return {name: value for name, value in values.items() if name != "ResponseMetadata"}


@cache
def _serializer(protocol: str) -> Any:
    serializer = create_serializer(protocol, include_validation=False)
    text = serializer._convert_timestamp_to_str

    def text_in_utc(value: Any, timestamp_format: str | None = None) -> Any:
        """moto reads dates as naive ones in UTC; botocore would take those for local time."""
        if isinstance(value, datetime) and value.tzinfo is None:
            value = value.replace(tzinfo=UTC)
        return text(value, timestamp_format)

    serializer._convert_timestamp_to_str = text_in_utc
    return serializer


def serialize_request(operation: moto.OperationModel, protocol: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The request that botocore would make of these parameters: "method", "url_path", "query_string", "headers", …"""
    request: dict[str, Any] = _serializer(protocol).serialize_to_request(parameters, operation)
    return request


def serialize_answer(
    service: str, operation: moto.OperationModel, protocol: str, result: Any, request_id: str
) -> Mapping[str, Any]:
    """The answer that carries `result`: "status_code", "headers" and "body"."""
    if protocol == CBOR:
        body = bytearray()
        if operation.output_shape is not None:
            _serializer(CBOR)._serialize_data_item(body, result, operation.output_shape)
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return {"status_code": 200, "headers": headers, "body": body}
    serializer = moto.get_serializer_class(service, protocol)(operation, moto.SerializationContext(request_id))
    answer: Mapping[str, Any] = serializer.serialize(result)
    return answer


def parse_answer(operation: moto.OperationModel, protocol: str, answer: RawAnswer) -> dict[str, Any]:
    """What an answer of moto's says, as boto3 would tell it."""
    parts: Any = {"status_code": answer.status, "headers": HeadersDict(answer.headers), "body": answer.body}
    result: dict[str, Any] = create_parser(protocol).parse(parts, operation.output_shape)
    return result


_NO_FORM: Any = ImmutableMultiDict()


def as_request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> moto.Request:
    """A request as moto reads it. `headers` have lower-case names.

    What moto's `Request.from_primitives` makes, without the builder it uses, which takes as long as a decision.
    """
    parts = urlsplit(url)
    sent = _as_latin(parts.path)
    host, _, port = parts.netloc.partition(":")
    described: dict[str, Any] = {
        "REQUEST_METHOD": method.upper(),
        "SCRIPT_NAME": "",
        "PATH_INFO": _as_latin(unquote(parts.path)),
        "QUERY_STRING": _as_latin(parts.query),
        "REQUEST_URI": sent,
        "RAW_URI": sent,
        "SERVER_NAME": host,
        "SERVER_PORT": port or ("443" if parts.scheme == "https" else "80"),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": parts.netloc,
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
    }
    preserved = {}
    for name, value in headers.items():
        key = moto.environ_key_for_header(name)
        if key in described:  # moto hears of the host and the body's length by other means
            continue
        if moto.should_preserve_original_header_name(name):
            preserved[key] = name
        described[key] = value
    described[moto.PRESERVED_HEADER_NAMES_ENVIRON_KEY] = preserved
    request = moto.Request(described)
    request._cached_data = body  # kept: a form is read from it, and moto wants it whole
    if "form" not in described.get("CONTENT_TYPE", ""):
        request.form = request.files = _NO_FORM  # nobody needs to look for one
    return request


def _as_latin(text: str) -> str:
    """WSGI's way to hold UTF-8: each byte as a character."""
    return text.encode("utf-8").decode("latin-1")
