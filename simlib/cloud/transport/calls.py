"""From a raw request to a Call: which service, which operation, with which parameters.

One parser serves both transports. The service comes from the signature's scope, the host, the target header or the
body; operation and parameters come from botocore's own service models. What could be read in two ways is refused.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from simlib.cloud import moto_names as moto
from simlib.cloud.transport import checksums, chunked, mock
from simlib.cloud.transport.protocols import family_of, having, service_metadata, signing_name, spoken_protocol
from simlib.cloud.transport.refusals import Refusal
from simlib.cloud.transport.signer import ClaimedSignature
from simlib.cloud.transport.wire import LARGEST_BODY, RawRequest

DEFAULT_REGION = "us-east-1"
_FORM = "application/x-www-form-urlencoded"
_AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
_OTHER_PARTITIONS = ("cn-", "us-gov-", "us-iso", "eu-isoe-", "eusc-")
_REGION = r"[a-z]{2}(?:-[a-z]+)+-\d"
_REGION_LABEL = re.compile(rf"(?:^|\.|s3-)({_REGION})\.")
# https://docs.aws.amazon.com/general/latest/gr/s3.html
_S3_HOST = re.compile(
    r"(?:(?P<bucket>.+)\.)?(?:s3(?:-external-1|-fips|-accelerate)?(?:\.dualstack)?"
    rf"(?:[.-]{_REGION})?\.(?:amazonaws\.com|api\.aws)|(?<=\.)(?:localhost|127\.0\.0\.1))(?::\d+)?"
)
_ELSEWHERE = re.compile(r"\.(?:s3-(?:accesspoint|object-lambda|outposts|website)|s3express|vpce)[.-]")
_CBOR_PATH = re.compile(r"/service/\w+/operation/(\w+)", re.ASCII)
_BUCKET = re.compile(r"[A-Za-z0-9._-]{1,255}")


class Unplaceable(Refusal):
    """The gate cannot say which AWS operation a request asks for; the message says why, for whoever sent it.

    `code` is AWS's where AWS refuses such a request too; `service` (botocore's name) says in whose words.
    """

    def __init__(self, message: str, code: str = "InvalidRequest", service: str | None = None) -> None:
        super().__init__(code, message, 403 if code == "SignatureDoesNotMatch" else 400, situation="unplaceable")
        self.service = service


@dataclass(frozen=True, slots=True)
class Call:
    """A request understood: what botocore would have been asked for, and nothing else of what was sent.

    `service` is botocore's name ("s3", "secretsmanager"), `operation` the API's ("GetObject"); `parameters` are the
    operation's input members by their API names, dates naive and in UTC; `protocol` is botocore's name of the one that
    is spoken; `endpoint` where the sender of another process found the lab, "http://127.0.0.1:4711". `digests` are
    those that S3 is promised for a body, as they really are. `raw` is for signatures and the trail.
    """

    raw: RawRequest
    service: str
    operation: str
    parameters: Mapping[str, Any]
    region: str
    protocol: str
    access_key_id: str = ""
    endpoint: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"

    @property
    def moto_protocol(self) -> str:
        """What moto is spoken to in, which knows no CBOR."""
        return "json" if self.protocol == mock.CBOR else self.protocol

    @property
    def model(self) -> moto.OperationModel:
        return moto.get_service_model(self.service).operation_model(self.operation)

    @property
    def path(self) -> str:
        """The path of AWS's own address for it, percent-encoded: "/restapis/abc"; "*" for what is missing."""
        labels = {
            name: "*" for name, member in _input(self.model).items() if member.serialization.get("location") == "uri"
        }
        path: str = mock.serialize_request(self.model, self.moto_protocol, {**labels, **self.parameters})["url_path"]
        return path.partition("?")[0]


def _input(operation: moto.OperationModel) -> Mapping[str, Any]:
    """The shapes of an operation's input members."""
    return operation.input_shape.members if operation.input_shape is not None else {}


def _is_aws(host: str) -> bool:
    return host.partition(":")[0].endswith(_AWS_DOMAINS)


@lru_cache(maxsize=256)
def _host_services(host: str) -> tuple[str, ...]:
    """The services an AWS host name may belong to."""
    name, metadata = host.partition(":")[0], service_metadata()
    if not _is_aws(host):
        return ()
    if _S3_HOST.fullmatch(name):
        return ("s3",)
    return tuple(service for service in metadata if f".{metadata[service]['endpointPrefix']}." in f".{name}")


def _candidates(raw: RawRequest, scope: str | None, hint: str | None) -> Iterable[str]:
    if hint and (services := having("hint", hint)):
        return services[:1]
    at_host = _host_services(raw.parts.netloc)
    form = raw.body.decode("utf-8", "replace") if _is_form(raw) else raw.parts.query
    if scope:  # some sign alike: S3 and S3 Control, the two of load balancing
        services = having("signingName", scope) or having("signingName", scope.lower())
        services = tuple(service for service in services if service in at_host) or services
        if "x-amz-account-id" in raw.headers and "s3control" in services:
            return ("s3control",)
        versions = {service: f"Version={service_metadata()[service]['apiVersion']}" for service in services}
        return sorted(services, key=lambda service: (versions[service] not in form, service != scope))
    if _is_aws(raw.parts.netloc):
        return at_host
    if target := raw.headers.get("x-amz-target"):
        return having("targetPrefix", target.rpartition(".")[0])
    values = dict(parse_qsl(form))
    return (having("apiVersion", values.get("Version", "")) if "Action" in values else ()) or ("s3",)


def _is_form(raw: RawRequest) -> bool:
    return raw.headers.get("content-type", "").startswith(_FORM)


def place(raw: RawRequest, signed: ClaimedSignature | None = None, hint: str | None = None) -> Call:
    """The Call a request makes; `hint` is the service id of botocore's event for requests made in this process.

    Raises `Unplaceable`, with a sentence, for whatever no botocore model describes, and for what could be read in two
    ways.
    """
    scope, region = (signed.service, signed.region) if signed else (None, None)
    access_key_id = signed.access_key_id if signed else ""
    try:
        in_host = _REGION_LABEL.search(raw.parts.netloc) if _is_aws(raw.parts.netloc) else None
        region = region or (in_host[1] if in_host else DEFAULT_REGION)
        if region.startswith(_OTHER_PARTITIONS) or raw.parts.netloc.endswith(".cn"):
            raise Unplaceable(f'The lab is AWS\'s partition "aws" alone: nothing of it is in {region}.')
        candidates = tuple(_candidates(raw, scope, hint))
        for service in candidates:
            protocol = spoken_protocol(service, raw.headers)
            if match := _parse(service, protocol, raw):
                endpoint = "" if hint or _is_aws(raw.parts.netloc) else f"{raw.parts.scheme}://{raw.parts.netloc}"
                digests = checksums.calculate(match[1]) if service == "s3" else {}
                call = Call(raw, service, match[0].name, match[1], region, protocol, access_key_id, endpoint, digests)
                _check_host(call, scope, in_host[1] if in_host else None)
                return call
    except Unplaceable:
        raise
    except Exception as error:  # a hostile request may break the reading of it anywhere
        raise Unplaceable(f"This request cannot be read as a call of AWS: {error}") from error
    claim = hint or scope
    raise Unplaceable(
        f"The lab does not know which AWS operation {raw.method} {raw.parts.path or '/'} ({claim or raw.parts.netloc}) "
        "asks for, so nothing was done. Call AWS through an SDK or the AWS CLI.",
        service=candidates[0] if candidates and claim else None,
    )


def _check_host(call: Call, scope: str | None, region: str | None) -> None:
    """A request signed for one service or Region is not for another's address."""
    own, text = signing_name(call.service), ""
    services = _host_services(call.raw.parts.netloc)
    service = call.service if not services or own in map(signing_name, services) else services[0]
    if service != call.service:
        text = f"Credential should be scoped to correct service: '{signing_name(service)}'. "
        if service == "s3":
            text = f'The authorization header is malformed; incorrect service "{own}". This endpoint belongs to "s3".'
            raise Unplaceable(text, "AuthorizationHeaderMalformed", "s3")
    elif scope and region and region != call.region and service != "s3":
        text = "Credential should be scoped to a valid region. "
    if text:
        query = family_of(service) in ("query", "ec2")
        raise Unplaceable(text, "SignatureDoesNotMatch" if query else "InvalidSignatureException", service)


# -- operation and parameters ----------------------------------------------------------------------------------------


def _parse(service: str, protocol: str, raw: RawRequest) -> tuple[moto.OperationModel, dict[str, Any]] | None:
    if protocol not in (*moto.PROTOCOL_PARSERS, mock.CBOR):
        return None
    parse = _parse_rest if protocol.startswith("rest-") else _parse_rpc
    try:
        return parse(service, protocol, _decode(service, raw))
    except mock.NotWellFormed as error:
        text = "The XML you provided was not well-formed or did not validate against our published schema"
        code, text = ("MalformedXML", text) if protocol == "rest-xml" else ("SerializationException", str(error))
        raise Unplaceable(text, code, service) from error


def _decode(service: str, raw: RawRequest) -> RawRequest:
    """The request without what its body was wrapped in for its way here."""
    coding = [part.strip() for part in raw.headers.get("content-encoding", "").split(",") if part.strip()]
    if service == "s3":
        return chunked.unwrap(raw, coding)
    if coding != ["gzip"]:
        return raw
    inflating = zlib.decompressobj(wbits=31)
    body = inflating.decompress(raw.body, LARGEST_BODY)
    if not inflating.eof:
        raise ValueError("its body is cut off, or too large once it is unpacked")
    return replace(raw, body=body, headers={n: v for n, v in raw.headers.items() if n != "content-encoding"})


def _parse_rpc(service: str, protocol: str, raw: RawRequest) -> tuple[moto.OperationModel, dict[str, Any]] | None:
    """Protocols in which the body says all."""
    model = moto.get_service_model(service)
    values: dict[str, str] = {}
    if raw.method.upper() != "POST" and (protocol == "json" or raw.method.upper() != "GET"):
        return None
    if protocol == mock.CBOR:
        name = match[1] if (match := _CBOR_PATH.fullmatch(raw.parts.path)) else ""
    elif protocol == "json":
        prefix, _, name = raw.headers.get("x-amz-target", "").rpartition(".")
        if prefix != model.metadata.get("targetPrefix"):
            return None
    else:
        values = _values(raw, service)
        name = values.pop("Action", "")
    if name not in model.operation_names:
        return None
    operation = model.operation_model(name)
    parts = {"values": values, "body": raw.body, "headers": raw.headers, "url_params": {}}
    parameters = mock.parse_request(operation, protocol, parts)
    if service == "sqs" and raw.parts.path.count("/") == 2 and "QueueUrl" in _input(operation):
        _check_queue(parameters, raw)
    return operation, parameters


def _values(raw: RawRequest, service: str) -> dict[str, str]:
    """The parameters of the query protocol, wherever they stand; each may stand once."""
    form = raw.body.decode("utf-8") if _is_form(raw) else ""
    pairs = [pair for text in (raw.parts.query, form) if text for pair in parse_qsl(text, keep_blank_values=True)]
    values = dict(pairs)
    if len(values) < len(pairs):
        name = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise Unplaceable(f"The parameter {name} is given more than once.", "MalformedQueryString", service)
    return values


def _check_queue(parameters: dict[str, Any], raw: RawRequest) -> None:
    """Clients of the query protocol send to the queue's own address, most of them say so in a parameter too."""
    path = raw.parts.path
    if str(parameters.setdefault("QueueUrl", f"https://{raw.parts.netloc}{path}")).endswith(path):
        return
    raise Unplaceable(f"The address {parameters['QueueUrl']} is not valid for this endpoint.", "InvalidAddress", "sqs")


def _parse_rest(service: str, protocol: str, raw: RawRequest) -> tuple[moto.OperationModel, dict[str, Any]] | None:
    """Protocols in which the address says which operation it is."""
    url = _s3_url(raw) if service == "s3" else raw.url
    request = mock.as_request(raw.method, url, raw.headers, raw.body)
    match = mock.rest_operation(service, request)
    if match is None:
        return None
    operation, labels = match
    _check_query(service, operation, request)
    parts = {
        "method": request.method,
        "values": request.args,
        "headers": request.headers,
        "body": raw.body,
        "url_path": request.path,
        "url_params": labels,
    }
    parameters = mock.parse_request(operation, protocol, parts)
    if service == "s3":
        _check_s3(parameters)
    return operation, parameters


def _check_query(service: str, operation: moto.OperationModel, request: moto.Request) -> None:
    """A parameter that is no list may stand once in the address, and of S3's sub-resources there may be one."""
    words = sorted(name for name in request.args if name in _sub_resources()) if service == "s3" else []
    if len(words) > 1:
        raise Unplaceable(f"Conflicting query string parameters: {', '.join(words)}", "InvalidArgument", "s3")
    if len(request.args) == sum(map(len, request.args.listvalues())):
        return
    for member, shape in _input(operation).items():
        name = shape.serialization.get("name", member)
        single = shape.serialization.get("location") == "querystring" and shape.type_name not in ("list", "map")
        if single and len(request.args.getlist(name)) > 1:
            raise Unplaceable(f"The parameter {name} is given more than once.", "InvalidArgument", service)


@cache
def _sub_resources() -> frozenset[str]:
    """The words after the question mark that make another operation of S3 of an address."""
    model = moto.get_service_model("s3")
    queries = (model.operation_model(name).http["requestUri"].partition("?")[2] for name in model.operation_names)
    names = frozenset(name for query in queries for name, _ in parse_qsl(query, keep_blank_values=True))
    return names - {"list-type", "select-type"}


# -- S3 ----------------------------------------------------------------------------------------------------------------


def bucket_in_host(host: str) -> str | None:
    """The bucket that an address of S3 names in its host."""
    match = _S3_HOST.fullmatch(host)
    return match["bucket"] if match else None


def _s3_url(raw: RawRequest) -> str:
    """The address with the bucket in its path, whatever host it was sent to."""
    parts, path = raw.parts, raw.parts.path or "/"
    bucket, aws = bucket_in_host(parts.netloc), _is_aws(parts.netloc)
    # What SDKs make of an access point's ARN at an endpoint of one's own: a bucket's name that ends in an account
    if _ELSEWHERE.search(parts.netloc.lower()) if aws else bucket and re.search(r"-\d{12}$", bucket):
        raise _not_in_the_lab()
    if bucket:
        path = f"/{bucket}{path}"
    elif path.startswith("//"):
        raise Unplaceable("Couldn't parse the specified URI.", "InvalidURI", "s3")
    return f"https://s3.amazonaws.com{path}?{parts.query}"


def _not_in_the_lab() -> Unplaceable:
    text = "The lab's S3 has no access points, Object Lambda, Outposts, directory buckets, website or VPC endpoints, so"
    return Unplaceable(f"{text} nothing was done. Name the bucket itself.", service="s3")


def _check_s3(parameters: dict[str, Any]) -> None:
    bucket = parameters.get("Bucket")
    if bucket is not None and not _BUCKET.fullmatch(str(bucket)):
        if str(bucket).startswith("arn:"):
            raise _not_in_the_lab()
        raise Unplaceable("The specified bucket is not valid.", "InvalidBucketName", "s3")
    if "CopySource" in parameters:
        bucket, key, version = copy_source(str(parameters["CopySource"]))
        if not (_BUCKET.fullmatch(bucket) and key):
            text = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"
            raise Unplaceable(text, "InvalidArgument", "s3")
        parameters["CopySource"] = f"{bucket}/{quote(key)}" + (f"?versionId={quote(version)}" if version else "")


def copy_source(text: str) -> tuple[str, str, str]:
    """Bucket, key and version of a copy's source, as the header x-amz-copy-source names them.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
    """
    path, _, version = text.partition("?versionId=")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    return bucket, key, unquote(version)


def members(service: str, operation: str) -> frozenset[str]:
    """The names of an operation's input members."""
    return frozenset(_input(moto.get_service_model(service).operation_model(operation)))
