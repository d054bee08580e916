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
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from simlib.cloud.transport import mock
from simlib.cloud.transport.calls import Call
from simlib.cloud.transport.protocols import error_member, is_query_compatible, metadata_of, spoken_protocol
from simlib.cloud.transport.refusals import Objection, Refusal, access_denied, authentication_refusal
from simlib.cloud.transport.wire import RawAnswer

__all__ = ["Refusal", "access_denied", "authentication_refusal", "refusal", "success"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def success(call: Call, result: Mapping[str, Any]) -> RawAnswer:
    """The answer that carries `result`, whose members have the names of the operation's output shape."""
    request_id = _request_id()
    answer = mock.serialize_answer(call.service, call.model, call.protocol, result, request_id)
    body = answer["body"]
    headers = {name: str(value) for name, value in answer["headers"].items()}
    content = body.encode("utf-8") if isinstance(body, str) else bytes(body or b"")
    status = _status(call.model.output_shape, result) or int(answer["status_code"])
    return RawAnswer(status, {**headers, "x-amzn-RequestId": request_id}, content)


def translate(call: Call, answer: RawAnswer) -> RawAnswer:
    """moto's answer in the protocol of the call."""
    if call.protocol == call.moto_protocol:
        return answer
    result = mock.parse_answer(call.model, call.moto_protocol, answer)
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
    protocol = "s3" if service == "s3" else spoken_protocol(service, headers or {})
    request_id = secrets.token_hex(8).upper() if protocol == "s3" else _request_id()
    write = _xml if protocol in _XML else _json
    answer_headers, body = write(refusal, protocol, service, request_id)
    request_ids = {"x-amz-request-id" if protocol == "s3" else "x-amzn-RequestId": request_id}
    return RawAnswer(refusal.status, {**answer_headers, **request_ids}, b"" if method.upper() == "HEAD" else body)


def _request_id() -> str:
    return str(uuid.uuid4())


def _fault(refusal: Refusal) -> str:
    return "Sender" if refusal.status < 500 else "Receiver"


# -- XML -----------------------------------------------------------------------------------------------------------

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_XML = {
    "query": ("text/xml", "<ErrorResponse{xmlns}><Error>{error}</Error><RequestId>{id}</RequestId></ErrorResponse>"),
    "ec2": (
        "text/xml;charset=UTF-8",
        _HEAD + "<Response><Errors><Error>{error}</Error></Errors><RequestID>{id}</RequestID></Response>",
    ),
    "s3": ("application/xml", _HEAD + "<Error>{error}</Error>"),
}
_XML["rest-xml"] = _XML["query"]


def _xml(refusal: Refusal, protocol: str, service: str | None, request_id: str) -> tuple[dict[str, str], bytes]:
    content_type, envelope = _XML[protocol]
    headers = {"Content-Type": content_type}
    error = {"Code": refusal.code, "Message": refusal.message, **refusal.extra}
    if protocol == "s3":
        headers["x-amz-id-2"] = base64.b64encode(secrets.token_bytes(56)).decode("ascii")
        error |= {"RequestId": request_id, "HostId": headers["x-amz-id-2"]}
    elif protocol != "ec2":
        error = {"Type": _fault(refusal), **error}
    elements = "".join(f"<{name}>{_text(value)}</{name}>" for name, value in error.items())
    namespace = metadata_of(service).get("xmlNamespace")
    xmlns = f' xmlns="{escape(namespace)}"' if namespace else ""
    return headers, envelope.format(xmlns=xmlns, error=elements, id=request_id).encode("utf-8")


def _text(value: str) -> str:
    """XML text; characters that XML cannot carry, not even escaped, are replaced."""
    return escape(_NOT_XML.sub("\ufffd", value), {"\r": "&#13;"})


# -- JSON and CBOR -------------------------------------------------------------------------------------------------


def _json(refusal: Refusal, protocol: str, service: str | None, request_id: str) -> tuple[dict[str, str], bytes]:
    shape, member = error_member(service, refusal.code)
    version, error = metadata_of(service).get("jsonVersion") or "1.1", {member: refusal.message, **refusal.extra}
    if protocol == "rest-json":
        return {"Content-Type": "application/json", "x-amzn-ErrorType": refusal.code}, json.dumps(error).encode()
    headers = {"Content-Type": f"application/x-amz-json-{version}"}
    if is_query_compatible(service):  # the code it had as a query service, for `except` clauses written then
        headers["x-amzn-query-error"] = f"{refusal.code};{_fault(refusal)}"
    if protocol == "json":
        kind = f"com.amazon.coral.service#{shape}" if version == "1.0" else shape
        return headers, json.dumps({"__type": kind, **error}).encode()
    return {**headers, "Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}, cbor(
        {"__type": shape, **error}
    )


def cbor(members: Mapping[str, str]) -> bytes:
    """A map of texts as https://www.rfc-editor.org/rfc/rfc8949 writes it."""
    texts = [text.encode("utf-8", "replace") for member in members.items() for text in member]
    return bytes([0xA0 | len(members)]) + b"".join(b"\x7a" + len(text).to_bytes(4, "big") + text for text in texts)
