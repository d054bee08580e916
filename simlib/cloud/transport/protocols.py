"""What botocore's service models say of each service: its protocol, its names and address; one is loaded at a time."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import botocore
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import create_loader
from botocore.regions import EndpointResolver

from simlib.cloud import moto_names as moto

# Members of the S3 family answer in S3's own words; S3 Control does so inside the envelope of its protocol.
_S3_FAMILY = ("s3", "s3control")
_FAMILIES = {"rest-xml": "query", "smithy-rpc-v2-cbor": "json"}  # of protocols that have none of their own


@cache
def metadata_of(service: str | None) -> Mapping[str, Any]:
    """What a service's model says of it: `xmlNamespace`, `jsonVersion`, …; nothing of a service nobody knows."""
    model = service_model(service)
    return {} if model is None else {**model.metadata, "protocol": str(model.resolved_protocol)}


def protocol_of(service: str | None) -> str:
    """The protocol boto3 speaks with `service` (botocore's name for both); "query" for a service nobody knows."""
    return str(metadata_of(service).get("protocol", "query"))


def is_query_compatible(service: str | None) -> bool:
    """Whether a service (SQS, CloudWatch) speaks JSON or CBOR and keeps the error codes it had as a query service."""
    return "awsQueryCompatible" in metadata_of(service)


def family_of(service: str | None) -> str:
    """Whose error codes and texts a service uses: "query", "ec2", "json", "rest-json" or "s3"."""
    if service in _S3_FAMILY:
        return "s3"
    name = "query" if is_query_compatible(service) else protocol_of(service)
    return _FAMILIES.get(name, name)


def spoken_protocol(service: str | None, headers: Mapping[str, str]) -> str:
    """The protocol of this conversation: older SDKs speak query with SQS, some newer ones CBOR with CloudWatch.

    `headers` are the request's, lower-case.
    """
    protocol, content_type = protocol_of(service), headers.get("content-type", "")
    if protocol in ("json", "smithy-rpc-v2-cbor") or not metadata_of(service):
        if headers.get("smithy-protocol") == "rpc-v2-cbor":
            return "smithy-rpc-v2-cbor"
        if content_type.startswith("application/x-amz-json"):
            return "json"
    if is_query_compatible(service) and content_type.startswith("application/x-www-form-urlencoded"):
        return "query"
    return protocol


@cache
def service_model(service: str | None) -> Any | None:
    """moto's view of a service model, shared with the parser; None if there is no such service."""
    try:
        return moto.get_service_model(service) if service else None
    except (DataNotFoundError, UnknownServiceError):
        return None


@cache
def error_member(service: str | None, code: str) -> tuple[str, str]:
    """The name of the error shape a code belongs to, and of its member that holds the message."""
    model = service_model(service)
    shape = model.shape_for_error_code(code) if model is not None else None
    members = shape.members.items() if shape is not None else ()
    message = (member.serialization.get("name", name) for name, member in members if name.lower() == "message")
    return str(shape.name if shape is not None else code), str(next(message, "message"))


@cache
def service_metadata() -> Mapping[str, Mapping[str, Any]]:
    """The metadata of every service botocore knows, by botocore's name, read from the head of its newest model.

    Each has a `signingName` ("monitoring" for "cloudwatch"), and as `hint` what botocore's events call the service: its
    ID with hyphens, "secrets-manager".
    """
    services: dict[str, Mapping[str, Any]] = {}
    for path in sorted(Path(botocore.__file__).with_name("data").glob("*/*/service-2.json.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as model:
            head = model.read(16_384)
        metadata = json.JSONDecoder().raw_decode(head, head.index("{", head.index('"metadata"')))[0]
        hint = str(metadata.get("serviceId", "")).replace(" ", "-").lower()
        services[path.parts[-3]] = {"signingName": metadata["endpointPrefix"], **metadata, "hint": hint}
    return services


def signing_name(service: str) -> str:
    """The name a service's signatures carry."""
    return str(service_metadata()[service]["signingName"])


@lru_cache(maxsize=256)
def having(member: str, value: str | None) -> tuple[str, ...]:
    """The services whose metadata say so."""
    return tuple(service for service, metadata in service_metadata().items() if metadata.get(member) == value)


@cache
def _endpoints() -> Any:
    return EndpointResolver(create_loader().load_data("endpoints"))


@cache
def host_of(service: str, region: str) -> str:
    """The name of AWS's own endpoint."""
    prefix = service_metadata()[service]["endpointPrefix"]
    endpoint = _endpoints().construct_endpoint(prefix, region)
    return str(endpoint["hostname"]) if endpoint else f"{prefix}.{region}.amazonaws.com"
