"""moto carries out a call that has been decided: this operation with these parameters, and no other.

moto is handed a request made anew from the call, as botocore would write it, at the service's own address. Which
operation moto reads in it is compared with the decided one before anything is done. Of S3, where moto guesses the
operation from words in the address, the method that belongs to the operation is called by its name.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlencode

from botocore.utils import percent_encode_sequence
from werkzeug.exceptions import HTTPException

from simlib.cloud import moto_names as moto
from simlib.cloud.moto_names import BaseResponse, S3Response, camelcase_to_underscores
from simlib.cloud.storage.tables import import_from_moto
from simlib.cloud.transport import mock
from simlib.cloud.transport.calls import Call
from simlib.cloud.transport.protocols import host_of, signing_name
from simlib.cloud.transport.wire import RawAnswer

ACCOUNT_HEADER = "x-moto-account-id"

# moto's folders whose names are not the service's without hyphens, and services that moto has under another's name
_FOLDERS = {"lambda": "awslambda", "timestream-query": "timestreamwrite"}

logger = logging.getLogger(__name__)


class NotStored(Exception):
    """moto cannot do what was asked; the message is for the trail. `missing`: it has no such operation."""

    def __init__(self, message: str, *, missing: bool = True) -> None:
        super().__init__(message)
        self.missing = missing


def carry_out(call: Call, account: str) -> RawAnswer:
    """moto's answer to a call, acting in `account`; raises `NotStored` where moto cannot."""
    responses = _responses(call.service)
    url, request = request_for(call, account)
    try:
        if call.service == "s3":
            status, headers, body = _DecidedS3(call, url).answer(request)
        else:
            status, headers, body = _performed(responses(), call, url, request)
    except HTTPException as error:
        status, headers, body = error.code, dict(error.get_headers()), error.get_body()
    except NotStored:
        raise
    except Exception as error:
        raise NotStored(f"{type(error).__name__}: {error}", missing=isinstance(error, NotImplementedError)) from error
    content = body.encode("utf-8") if isinstance(body, str) else bytes(body or b"")
    return RawAnswer(int(status), {str(n): str(v) for n, v in headers.items() if n.lower() != "status"}, content)


@cache
def _responses(service: str) -> type[BaseResponse]:
    """moto's class that answers for a service."""
    folder = _FOLDERS.get(service, service.replace("-", ""))
    try:
        module = import_from_moto(f"moto.{folder}.responses")
    except ImportError as missing:
        raise NotStored(f"moto does not serve {service} ({missing.name})") from missing
    for kind in vars(module).values():
        if isinstance(kind, type) and issubclass(kind, BaseResponse) and kind.__module__ == module.__name__:
            served = kind().boto3_service_name
            if served == service or service in _FOLDERS:
                return kind
    raise NotStored(f"moto does not serve {service}")


def request_for(call: Call, account: str) -> tuple[str, moto.Request]:
    """What botocore would have sent for this call, and to which address: nothing else of what was sent."""
    parts = mock.serialize_request(call.model, call.moto_protocol, _as_moto_reads(call))
    path, query, body = parts["url_path"], parts["query_string"], parts["body"]
    if isinstance(body, dict):  # the query protocol's
        body = urlencode(body, doseq=True)
    address = f"https://{parts.get('host_prefix', '')}{host_of(call.service, call.region)}"
    if call.service == "sqs" and call.endpoint:
        address = call.endpoint  # moto makes a queue's address of it, which SDKs send to
    url = f"{address}{path}"
    if query:
        url += f"{'&' if '?' in path else '?'}{percent_encode_sequence(query)}"
    headers = {name.lower(): str(value) for name, value in parts["headers"].items()}
    headers[ACCOUNT_HEADER] = account
    if call.access_key_id:
        scope = f"{call.access_key_id}/20000101/{call.region}/{signing_name(call.service)}/aws4_request"
        headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    content = body.encode("utf-8") if isinstance(body, str) else bytes(body)
    return url, mock.as_request(parts["method"], url, headers, content)


def _as_moto_reads(call: Call) -> Mapping[str, Any]:
    """A key of KMS by its ID: half of moto's operations on keys break on an ARN."""
    key = call.parameters.get("KeyId") if call.service == "kms" else None
    return {**call.parameters, "KeyId": key.rpartition(":key/")[2]} if key else call.parameters


def _performed(response: Any, call: Call, url: str, request: moto.Request) -> Any:
    parses, response.automated_parameter_parsing = response.automated_parameter_parsing, False
    # as raw: moto would look for parameters in a body of JSON too, and among the headers
    response.setup_class(request, url, {}, use_raw_body=True)
    if not response.use_raw_body:
        response.body = response.body.decode("utf-8")
    if not request.form:
        response.querystring = response.data = parse_qs(request.query_string.decode(), keep_blank_values=True)
    performed = response._get_action()
    _compare(response, call, performed)
    response._get_action = lambda: performed
    response.automated_parameter_parsing = parses
    if parses and response.PROTOCOL_PARSER_MAP_TYPE is dict:
        response.params = deepcopy(dict(call.parameters))
    elif parses:
        response.parse_parameters(request)
    return response.call_action()


def _compare(response: Any, call: Call, performed: str | None) -> None:
    """Raise `NotStored` unless moto is about to do what has been decided."""
    if performed is None or not _has_method(response.__class__, performed):
        raise NotStored(f"moto has no {call.name}")
    if performed == call.operation:
        return
    # Three services of moto name their methods after the address
    named_by_path = type(response)._get_action is not BaseResponse._get_action
    if not (named_by_path and performed in call.path.split("/")):
        logger.error("The lab decided %s, and moto would have done %s", call.name, performed)
        raise NotStored(f"moto would have done {performed} in place of {call.name}", missing=False)


@cache
def _has_method(kind: Any, operation: str) -> bool:
    return callable(getattr(kind, camelcase_to_underscores(operation), None))


# -- S3 --------------------------------------------------------------------------------------------------------------

_S3_METHODS = {
    "GetBucketLifecycleConfiguration": "get_bucket_lifecycle",
    "GetBucketNotificationConfiguration": "get_bucket_notification",
    "GetBucketTagging": "get_bucket_tags",
    "ListBuckets": "all_buckets",
}
# Operations without a method of their own: by HTTP method and level, the words in the address that moto knows
_S3_WORDS = {
    ("PUT", False): "accelerate acl cors encryption inventory lifecycle logging notification object-lock "
    "ownershipControls policy publicAccessBlock replication tagging versioning website",
    ("POST", True): "uploads restore select",
}


class _DecidedS3(S3Response):  # type: ignore[misc]
    """moto's S3 with bucket, key and operation as they were decided."""

    def __init__(self, call: Call, url: str) -> None:
        super().__init__()
        self._call, self._url = call, url

    def answer(self, request: Any) -> Any:
        respond = self.key_response if self._call.parameters.get("Key") else self.bucket_response
        return respond(request, self._url, request.headers)

    def setup_class(self, request: Any, full_url: str | None = None, headers: Any = None) -> None:
        request.form = request.files = {}  # an object may look like a form
        super().setup_class(request, self._url, headers)

    def _get_action(self) -> str:
        return self._call.operation

    def parse_bucket_name_from_url(self, request: Any, url: str) -> str:
        return str(self._call.parameters.get("Bucket", ""))

    def parse_key_name(self) -> str:
        return str(self._call.parameters.get("Key", ""))

    def _perform(self, request: Any, full_url: str) -> Any:
        operation, bucket, key = self._call.operation, self.bucket_name, self.parse_key_name()
        word = next(iter(self._call.model.http_trait.query_args), "")
        query = {word: [""]} if word else {}
        if operation == "HeadObject":
            return self.head_object(bucket, self.querystring, key, request.headers)
        if operation in ("PutObject", "CopyObject"):
            return self._key_response_put({}, key)
        if operation == "CompleteMultipartUpload":
            upload = {"uploadId": [str(self._call.parameters["UploadId"])]}
            return self._key_response_post(request, self.body, bucket, upload, key)
        own = getattr(S3Response, _S3_METHODS.get(operation, camelcase_to_underscores(operation)), None)
        if own is not None:
            return own(self)
        if operation == "CreateBucket" or word in _S3_WORDS.get((request.method, bool(key)), "").split():
            if key:
                return self._key_response_post(request, self.body, bucket, query, key)
            return self._bucket_response_put(request, bucket, query)
        raise NotStored(f"moto has no s3:{operation}")

    _bucket_response = _key_response = _perform
