"""From a raw request to a Call: which service, which operation, with which parameters.

One parser serves both transports. The service comes from the signature's scope, the host, the target header or the
body; operation and parameters come from botocore's own service models.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import botocore
from botocore.loaders import create_loader
from botocore.regions import EndpointResolver
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model

from simlib.cloud.storage.dispatch import as_request
from simlib.cloud.transport.wire import RawRequest

DEFAULT_REGION = "us-east-1"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_HOST_PREFIX = re.compile(r"[\w.-]+")
_AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


class Unplaceable(Exception):
    """The gate cannot say which AWS operation a request asks for; the message says why, for whoever sent it."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request understood: what botocore would have been asked for.

    `service` is botocore's name ("s3", "secretsmanager"), `operation` the API's ("GetObject"); `parameters` are the
    operation's input members by their API names; `url` is where the real AWS would have received it, `request` what it
    would be there, as moto reads it.
    """

    raw: RawRequest
    service: str
    operation: str
    parameters: Mapping[str, Any]
    region: str
    url: str
    request: Request = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"


@cache
def service_metadata() -> Mapping[str, Mapping[str, Any]]:
    """The metadata of every service botocore knows, by botocore's name, read from the head of each model."""
    found: dict[str, Mapping[str, Any]] = {}
    decoder = json.JSONDecoder()
    for folder in sorted(Path(botocore.__file__).with_name("data").iterdir()):
        models = sorted(folder.glob("*/service-2.json.gz"))
        if not models:
            continue
        with gzip.open(models[-1], "rt", encoding="utf-8") as model:
            head = ""
            while True:
                piece = model.read(8192)
                head += piece
                start = head.find("{", head.find('"metadata"'))
                try:
                    found[folder.name] = decoder.raw_decode(head, start)[0]
                    break
                except ValueError:
                    if not piece:
                        raise
    return found


def signing_name(service: str) -> str:
    """The name a service's signatures carry, "monitoring" for botocore's "cloudwatch"."""
    metadata = service_metadata()[service]
    return str(metadata.get("signingName") or metadata["endpointPrefix"])


@cache
def _by_signing_name() -> Mapping[str, tuple[str, ...]]:
    grouped: dict[str, list[str]] = {}
    for service in service_metadata():
        grouped.setdefault(signing_name(service), []).append(service)
    return {name: tuple(sorted(services, key=lambda s: (s != name, s))) for name, services in grouped.items()}


@cache
def _service_by_hint(hint: str) -> str | None:
    """botocore's events carry the hyphenated service id ("secrets-manager"); most equal the service's name."""
    named = service_metadata()
    if hint in named and hint == _hyphenated(named[hint]):
        return hint
    return next((service for service, metadata in named.items() if hint == _hyphenated(metadata)), None)


def _hyphenated(metadata: Mapping[str, Any]) -> str:
    return str(metadata.get("serviceId", "")).replace(" ", "-").lower()


def _is_aws(host: str) -> bool:
    return host.partition(":")[0].endswith(_AWS_DOMAINS)


def _host_services(host: str) -> tuple[str, ...]:
    """The services an AWS host name may belong to."""
    name = host.partition(":")[0]
    labels = name.split(".")
    for label in labels:
        if label in ("s3", "s3-external-1") or label.startswith("s3-"):
            return ("s3control",) if "s3-control" in labels else ("s3",)
    matches = (s for s, metadata in service_metadata().items() if metadata["endpointPrefix"] in (name, *labels))
    return tuple(matches)


def _form(raw: RawRequest) -> Mapping[str, list[str]]:
    if raw.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return parse_qs(raw.body.decode("utf-8", "replace"), keep_blank_values=True)
    return parse_qs(raw.parts.query, keep_blank_values=True)


def _candidates(raw: RawRequest, scope: str | None, hint: str | None) -> Iterable[str]:
    if hint and (service := _service_by_hint(hint)):
        return (service,)
    if scope:
        return _by_signing_name().get(scope) or _by_signing_name().get(scope.lower(), ())
    if _is_aws(raw.parts.netloc):
        return _host_services(raw.parts.netloc)
    if target := raw.headers.get("x-amz-target"):
        prefix = target.rpartition(".")[0]
        return tuple(s for s, metadata in service_metadata().items() if metadata.get("targetPrefix") == prefix)
    if version := _form(raw).get("Version"):
        asked = tuple(
            s for s, m in service_metadata().items() if m["apiVersion"] == version[0] and "Action" in _form(raw)
        )
        if asked:
            return asked
    return ("s3",)


@cache
def _endpoints() -> Any:
    return EndpointResolver(create_loader().load_data("endpoints"))


@cache
def _host(service: str, region: str) -> str:
    prefix = service_metadata()[service]["endpointPrefix"]
    endpoint = _endpoints().construct_endpoint(prefix, region)
    return str(endpoint["hostname"]) if endpoint else f"{prefix}.{region}.amazonaws.com"


def _aws_url(raw: RawRequest, service: str, region: str) -> str:
    """The URL with AWS's own host: a loopback or custom endpoint is only the way here."""
    parts = raw.parts
    if _is_aws(parts.netloc):
        return raw.url
    return parts._replace(scheme="https", netloc=_host(service, region)).geturl()


def _match(service: str, request: Request) -> tuple[OperationModel, dict[str, Any]] | None:
    from werkzeug.exceptions import HTTPException

    try:
        operation, path_parameters = get_service_router(service).match(request)
        return operation, path_parameters
    except (HTTPException, NotImplementedError):
        return None


def place(raw: RawRequest, *, scope: str | None = None, region: str | None = None, hint: str | None = None) -> Call:
    """The Call a request makes.

    `scope` and `region` are the signature's, `hint` is the service id of botocore's event for requests made in this
    process. Raises `Unplaceable`, with a sentence, for whatever no botocore model describes.
    """
    if raw.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Unplaceable(
            "The lab does not take uploads from a browser's form (generate_presigned_post), so nothing was done. "
            "Use generate_presigned_url('put_object', …)."
        )
    try:
        region = region or _region_of(raw.parts.netloc) or DEFAULT_REGION
        call = _placed(raw, _candidates(raw, scope, hint), region)
    except Exception as error:  # a hostile request may break the reading of it anywhere
        raise Unplaceable(f"This request cannot be read as a call of AWS: {error}") from error
    if call is None:
        asked = hint or scope or raw.parts.netloc
        raise Unplaceable(
            f"The lab does not know which AWS operation {raw.method} {raw.parts.path or '/'} ({asked}) asks for, "
            "so nothing was done. Call AWS through an SDK or the AWS CLI."
        )
    return call


def _placed(raw: RawRequest, candidates: Iterable[str], region: str) -> Call | None:
    for service in candidates:
        url = _aws_url(raw, service, region)
        request = as_request(raw, url)
        if found := _match(service, request):
            operation, path_parameters = found
            parameters = _parse(operation, request, path_parameters)
            return Call(
                raw,
                service,
                operation.name,
                parameters,
                region,
                _with_host_prefix(url, operation, parameters),
                request,
            )
    return None


def _with_host_prefix(url: str, operation: OperationModel, parameters: Mapping[str, Any]) -> str:
    """The URL with what the operation's model puts before the host, be it a word or the caller's account."""
    prefix = str((operation.endpoint or {}).get("hostPrefix", ""))
    prefix = _PLACEHOLDER.sub(lambda found: str(parameters.get(found[1], found[0])), prefix)
    parts = urlsplit(url)
    if not _HOST_PREFIX.fullmatch(prefix) or parts.netloc.startswith(prefix):
        return url
    return parts._replace(netloc=prefix + parts.netloc).geturl()


def _parse(operation: OperationModel, request: Request, path_parameters: dict[str, Any]) -> Mapping[str, Any]:
    protocol = determine_request_protocol(operation.service_model, request.content_type)
    parsed = PROTOCOL_PARSERS[protocol](operation).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.data,
            "url_path": request.path,
            "url_params": path_parameters,
        }
    )
    return parsed or {}


def _region_of(host: str) -> str | None:
    labels = host.partition(":")[0].split(".") if _is_aws(host) else []
    return next((label for label in labels if label.count("-") >= 2 and label[-1:].isdigit()), None)


def members(service: str, operation: str) -> frozenset[str]:
    """The names of an operation's input members."""
    shape = get_service_model(service).operation_model(operation).input_shape
    return frozenset(shape.members) if shape is not None else frozenset()
