"""Calls in the shape of CloudTrail's records.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from simlib.cloud import moto_names as moto
from simlib.cloud.credentials.sessions import Session
from simlib.cloud.event import Event
from simlib.cloud.transport.calls import Call
from simlib.cloud.transport.protocols import service_metadata

_VERSION = "1.11"
_SPACE = uuid.UUID("6d0e7f5c-0d0a-4c55-9d59-6a6c61620000")  # event ids are made of the request's, so they never change
_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
# What is hidden besides what the models call sensitive, as the guides of both services show
_MESSAGES = {"sns": ("Message", "Subject", "MessageAttributes"), "sqs": ("MessageBody", "MessageAttributes")}
# In characters; a choice, for the trail remembers thousands of calls: AWS leaves out what is over 100 kB
_LONGEST = 10_000


def record(event: Event) -> dict[str, Any]:
    """One call as CloudTrail would log it; members that have no value are left out, but for `requestParameters`."""
    members = {
        "eventVersion": _VERSION,
        "userIdentity": user_identity(event),
        "eventTime": f"{event.when:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": _source(event.service),
        "eventName": event.operation,
        "awsRegion": event.region,
        "sourceIPAddress": event.source_ip,
        "userAgent": event.user_agent,
        "errorCode": event.error_code,
        "errorMessage": event.error_message,
        "requestID": event.request_id,
        "eventID": str(uuid.uuid5(_SPACE, f"{event.number} {event.request_id}")),
        "readOnly": event.operation.startswith(("Get", "List", "Describe", "Head", "Simulate")),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": event.account,
        "eventCategory": "Management",
    }
    values = {name: value for name, value in members.items() if value not in ("", None)}
    return {**values, "requestParameters": event.parameters}


def request_parameters(call: Call) -> Callable[[], Mapping[str, Any] | None]:
    """What a call says, as its record shows it: without data, and with secrets hidden; None where it says nothing.

    It is worked out when it is asked for. A call that is longer than a record may be is not kept until then.
    """
    if len(call.raw.body) + len(call.raw.url) <= _LONGEST:
        without_data = {name: each for name, each in call.parameters.items() if not isinstance(each, bytes)}
        return partial(_request_parameters, call.service, call.operation, without_data)
    parameters = _request_parameters(call.service, call.operation, call.parameters)
    if parameters and len(json.dumps(parameters)) > _LONGEST:
        parameters = {"omitted": True}
    return lambda: parameters


def _request_parameters(service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    shape = moto.get_service_model(service).operation_model(operation).input_shape
    return _record_value(shape, parameters, service) or None


def _record_value(shape: Any, value: Any, service: str) -> Any:
    if getattr(shape, "metadata", {}).get("sensitive"):
        return _HIDDEN
    if isinstance(value, datetime):
        return f"{value:%b} {value.day}, {value.year} {value.hour % 12 or 12}:{value:%M:%S %p}"
    if isinstance(value, list):
        return [_record_value(shape.member, each, service) for each in value if not isinstance(each, bytes)]
    if shape is None or not isinstance(value, Mapping) or getattr(shape, "is_document_type", False):
        return value
    if shape.type_name == "map":
        return {
            key: _record_value(shape.value, each, service) for key, each in value.items() if not isinstance(each, bytes)
        }
    return dict(_members(shape, value, service))


def _members(shape: Any, value: Mapping[str, Any], service: str) -> Iterator[tuple[str, Any]]:
    for name, each in value.items():
        member = shape.members.get(name)
        if isinstance(each, bytes) or each == {} or name == "ContentLength":
            continue
        hidden = name.endswith("Password") or name in _MESSAGES.get(service, ())
        yield _name_in_record(service, name, member), _HIDDEN if hidden else _record_value(member, each, service)


def _name_in_record(service: str, name: str, member: Any) -> str:
    """What CloudTrail calls a member: as the API does with a small letter first, S3's headers and queries as sent.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-understanding-s3-entries.html
    """
    sent = getattr(member, "serialization", {}) if service == "s3" else {}
    if sent.get("location") in ("header", "querystring"):
        return str(sent["name"])
    return "bucketName" if sent and name == "Bucket" else f"{name[:1].lower()}{name[1:]}"


def user_identity(event: Event) -> dict[str, Any]:
    """Who acted: the user, or the session and, as its issuer, the role behind it."""
    if not event.user_id or not event.account:
        kind = "Unknown" if event.access_key_id else "AWSAccount"
        return {"type": kind, "principalId": event.user_id or event.access_key_id, "accountId": event.account}
    identity: dict[str, Any] = {
        "type": _kind(event),
        "principalId": event.user_id,
        "arn": event.who,
        "accountId": event.account,
        "accessKeyId": event.access_key_id,
    }
    if identity["type"] == "IAMUser":
        identity["userName"] = event.who.rpartition("/")[2]
    if event.session is not None:
        identity["sessionContext"] = _session_context(event.session)
    return identity


def _kind(event: Event) -> str:
    if ":assumed-role/" in event.who:
        return "AssumedRole"
    if ":federated-user/" in event.who:
        return "FederatedUser"
    return "Root" if event.who.endswith(":root") else "IAMUser"


def _session_context(session: Session) -> dict[str, Any]:
    context: dict[str, Any] = {
        "attributes": {
            "creationDate": f"{session.issued_at:%Y-%m-%dT%H:%M:%SZ}",
            "mfaAuthenticated": str(session.context.get("aws:MultiFactorAuthPresent", "false")),
        }
    }
    if session.role_id:
        context["sessionIssuer"] = {
            "type": "Role",
            "principalId": session.role_id,
            "arn": f"arn:aws:iam::{session.account}:role/{session.role_name}",
            "accountId": session.account,
            "userName": session.role_name,
        }
    if source := session.context.get("aws:SourceIdentity"):
        context["sourceIdentity"] = source
    if session.kind == "EC2":
        context["ec2RoleDelivery"] = session.context.get("ec2:RoleDelivery", "2.0")
    return context


def _source(service: str) -> str:
    """ "s3.amazonaws.com": the endpoint's name, not the signature's."""
    return f"{service_metadata()[service]['endpointPrefix']}.amazonaws.com" if service else ""
