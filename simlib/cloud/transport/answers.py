"""Answers in each service's own protocol, such that botocore and every other SDK reads them as AWS's.

Refusals are written here, one small function per protocol; results of operations we answer ourselves (STS, the policy
simulator, iam-toolbox) by moto's serialiser, which follows botocore's models.
https://smithy.io/2.0/aws/protocols/
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from simlib.cloud.transport import mock
from simlib.cloud.transport.calls import Call
from simlib.cloud.transport.protocols import Protocol, error_member, protocol_of, spoken_protocol
from simlib.cloud.transport.refusals import Objection, Refusal, access_denied, authentication_refusal
from simlib.cloud.transport.wire import RawAnswer

__all__ = ["Refusal", "access_denied", "authentication_refusal", "refusal", "success"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def success(call: Call, result: Mapping[str, Any]) -> RawAnswer:
    """The answer that carries `result`, whose members have the names of the operation's output shape."""
    request_id = _request_id()
    answer = mock.written(call.service, call.model, call.protocol, result, request_id)
    body = answer["body"]
    headers = {name: str(value) for name, value in answer["headers"].items()}
    content = body.encode("utf-8") if isinstance(body, str) else bytes(body or b"")
    status = _status(call.model.output_shape, result) or int(answer["status_code"])
    return RawAnswer(status, {**headers, "x-amzn-RequestId": request_id}, content)


def spoken(call: Call, answer: RawAnswer) -> RawAnswer:
    """moto's answer in the protocol of the call."""
    if call.protocol == call.moto_protocol:
        return answer
    result = mock.read(call.model, call.moto_protocol, answer)
    if error := result.get("Error"):
        raise Objection(error["Code"], error["Message"], answer.status)
    return success(call, {name: value for name, value in result.items() if name != "ResponseMetadata"})


def empty(call: Call) -> dict[str, Any]:
    """The result of an operation that lists what there is, where there is nothing."""
    members = call.model.output_shape.members.items() if call.model.output_shape else ()
    return {name: [] if member.type_name == "list" else False for name, member in members if
            member.type_name in ("list", "boolean")}  # fmt: skip


def _status(shape: Any, result: Mapping[str, Any]) -> int | None:
    """The HTTP status where it is a member of the result, as Lambda's `StatusCode` is."""
    members = shape.members.items() if shape is not None else ()
    return next((result.get(name) for name, m in members if m.serialization.get("location") == "statusCode"), None)


def refusal(
    refusal: Refusal,
    service: str | None,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
) -> RawAnswer:
    """The answer that makes botocore raise a ClientError of this code and message.

    `service` is botocore's name, None where it is not known. `method` "HEAD" leaves no room for
    a body: botocore then knows the status alone ("403", "Forbidden"), except where the code is in a header. `headers`
    are the request's, lower-case: they tell what an SDK speaks that does not prefer what boto3 prefers.
    """
    write = _s3 if service == "s3" else _WRITERS[spoken_protocol(service, headers or {})]
    answer = write(refusal, service, protocol_of(service))
    return RawAnswer(answer.status, answer.headers, b"") if method.upper() == "HEAD" else answer


def _request_id() -> str:
    return str(uuid.uuid4())


def _answer(status: int, content_type: str, body: str | bytes, request_id: str, **headers: str) -> RawAnswer:
    content = body.encode("utf-8") if isinstance(body, str) else body
    return RawAnswer(status, {"Content-Type": content_type, "x-amzn-RequestId": request_id, **headers}, content)


# -- XML -----------------------------------------------------------------------------------------------------------


def _elements(members: Mapping[str, str]) -> str:
    return "".join(f"<{name}>{_text(value)}</{name}>" for name, value in members.items())


def _text(value: str) -> str:
    """XML text; characters that XML cannot carry, not even escaped, are replaced."""
    return escape(_NOT_XML.sub("\ufffd", value), {"\r": "&#13;"})


def _fault(refusal: Refusal) -> str:
    return "Sender" if refusal.status < 500 else "Receiver"


def _query(refusal: Refusal, service: str | None, protocol: Protocol) -> RawAnswer:
    request_id = _request_id()
    error = {"Type": _fault(refusal), "Code": refusal.code, "Message": refusal.message, **refusal.extra}
    namespace = f' xmlns="{escape(protocol.namespace)}"' if protocol.namespace else ""
    content = f"<Error>{_elements(error)}</Error><RequestId>{request_id}</RequestId>"
    return _answer(refusal.status, "text/xml", f"<ErrorResponse{namespace}>{content}</ErrorResponse>", request_id)


def _ec2(refusal: Refusal, service: str | None, protocol: Protocol) -> RawAnswer:
    request_id = _request_id()
    error = _elements({"Code": refusal.code, "Message": refusal.message, **refusal.extra})
    body = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    return _answer(
        refusal.status, "text/xml;charset=UTF-8", f'<?xml version="1.0" encoding="UTF-8"?>\n{body}', request_id
    )


def _s3(refusal: Refusal, service: str | None, protocol: Protocol) -> RawAnswer:
    request_id, host_id = secrets.token_hex(8).upper(), base64.b64encode(secrets.token_bytes(56)).decode("ascii")
    members = {"Code": refusal.code, "Message": refusal.message, **refusal.extra}
    error = _elements({**members, "RequestId": request_id, "HostId": host_id})
    return RawAnswer(
        refusal.status,
        {"Content-Type": "application/xml", "x-amz-request-id": request_id, "x-amz-id-2": host_id},
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{error}</Error>'.encode(),
    )


# -- JSON and CBOR -------------------------------------------------------------------------------------------------


def _json(refusal: Refusal, service: str | None, protocol: Protocol) -> RawAnswer:
    shape, member = error_member(service, refusal.code)
    kind = f"com.amazon.coral.service#{shape}" if protocol.json_version == "1.0" else shape
    body = json.dumps({"__type": kind, member: refusal.message, **refusal.extra})
    content_type = f"application/x-amz-json-{protocol.json_version}"
    return _answer(refusal.status, content_type, body, _request_id(), **_query_error(refusal, protocol))


def _rest_json(refusal: Refusal, service: str | None, protocol: Protocol) -> RawAnswer:
    _, member = error_member(service, refusal.code)
    body = json.dumps({member: refusal.message, **refusal.extra})
    return _answer(refusal.status, "application/json", body, _request_id(), **{"x-amzn-ErrorType": refusal.code})


def _cbor(refusal: Refusal, service: str | None, protocol: Protocol) -> RawAnswer:
    shape, member = error_member(service, refusal.code)
    body = cbor({"__type": shape, member: refusal.message, **refusal.extra})
    headers = {"smithy-protocol": "rpc-v2-cbor", **_query_error(refusal, protocol)}
    return _answer(refusal.status, "application/cbor", body, _request_id(), **headers)


def _query_error(refusal: Refusal, protocol: Protocol) -> dict[str, str]:
    """The code a service had when it was a query service, for the SDKs' `except` clauses written then."""
    return {"x-amzn-query-error": f"{refusal.code};{_fault(refusal)}"} if protocol.query_compatible else {}


def cbor(members: Mapping[str, str]) -> bytes:
    """A map of texts as https://www.rfc-editor.org/rfc/rfc8949 writes it."""
    texts = [text.encode("utf-8", "replace") for member in members.items() for text in member]
    return bytes([0xA0 | len(members)]) + b"".join(b"\x7a" + len(text).to_bytes(4, "big") + text for text in texts)


_WRITERS: dict[str, Callable[[Refusal, str | None, Protocol], RawAnswer]] = {
    "query": _query,
    "rest-xml": _query,
    "ec2": _ec2,
    "json": _json,
    "rest-json": _rest_json,
    "smithy-rpc-v2-cbor": _cbor,
}
