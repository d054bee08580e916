"""One reading: what the gate has decided is what moto does, however a request is written.

`python -m tests.cloud.readings` puts every operation of every service that moto has, by boto3, and 20,000 seeded raw
requests to the lab, in process and through the endpoint, and prints what became of them. Each time moto acts, what it
would read in the request that it was handed, and which buckets and objects it touches, is compared with the decision.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import logging
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, urlencode, urlsplit

import botocore.session
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.model import Shape
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import determine_request_protocol
from moto.core.responses import BaseResponse
from moto.core.routing import get_service_router
from moto.core.utils import camelcase_to_underscores, get_service_model
from moto.s3.models import S3Backend

from simlib import Cloud
from simlib.cloud import gate
from simlib.cloud.storage import dispatch
from simlib.cloud.storage.dispatch import NotStored
from simlib.cloud.transport.calls import Call
from simlib.cloud.transport.protocols import host_of, signing_name
from simlib.cloud.transport.wire import RawAnswer, RawRequest

COUNT, SEED, PER_WORLD = 20_000, 13, 1_000
NO_RETRIES = {"retries": {"total_max_attempts": 1}}

# -- what moto does --------------------------------------------------------------------------------------------------

# S3Backend's methods are called as the operations are, but for these
OTHER_NAMES = {
    "CompleteMultipartUpload": {"complete_multipart_upload", "get_object"},
    "CopyObject": {"copy_object", "put_object_tagging"},
    "CreateBucket": {"create_bucket", "put_bucket_acl"},
    "GetBucketLifecycleConfiguration": {"get_bucket_lifecycle"},
    "GetBucketPolicyStatus": {"get_bucket_policy"},
    "GetBucketTagging": {"get_bucket_tagging"},
    "ListBucketInventoryConfigurations": {"list_bucket_inventory_configurations"},
    "PutBucketLifecycleConfiguration": {"put_bucket_lifecycle"},
    "PutObject": {"put_object", "put_object_tagging"},
}
# What any operation may look at on its way
LOOKING = {"get_bucket", "get_object", "head_object", "head_bucket", "log_incoming_request"}


class Watch(logging.Handler):
    """What moto has done since the last decision, and what of it was not decided, or broke the lab."""

    def __init__(self, aws: Cloud) -> None:
        super().__init__(logging.ERROR)
        self.aws = aws
        self.call: Call | None = None
        self.depth = self.performed = 0
        self.faults: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """A mistake of the gate's own."""
        self.faults.append(f"{record.getMessage()}: {record.exc_info and record.exc_info[1]!r}")

    def fault(self, text: str) -> None:
        assert self.call is not None
        raw = self.call.raw
        self.faults.append(f"{self.call.name}: {text} ({raw.method} {raw.url} {dict(raw.headers)} {raw.body[:200]!r})")

    def act(self, original: Any, call: Call, account: str) -> RawAnswer:
        self.call = call
        try:
            answer: RawAnswer = original(call, account)
            self.performed += 1
            return answer
        except NotStored as error:
            if "would have done" in str(error):
                self.fault(str(error))
            raise
        finally:
            self.call = None

    def read(self, call_action: Any, response: Any) -> Any:
        """The operation and the parameters that moto itself finds in what it was handed."""
        call = self.call
        if call is not None and type(response)._get_action is BaseResponse._get_action:
            request = response.normalized_request
            operation, labels = get_service_router(call.service).match(request)
            if operation.name != call.operation:
                self.fault(f"moto reads {operation.name}")
            protocol = determine_request_protocol(get_service_model(call.service), request.content_type)
            parts = {"method": request.method, "values": request.values, "headers": request.headers,
                     "body": request.data, "url_path": request.path, "url_params": labels}  # fmt: skip
            parameters = PROTOCOL_PARSERS[protocol](operation).parse(parts) or {}
            if plain(parameters) != plain(call.parameters):
                self.fault(f"moto reads {parameters} in place of {dict(call.parameters)}")
        return call_action(response)

    def touch(self, name: str, original: Any, *args: Any, **kwargs: Any) -> Any:
        """A method of moto's S3 that another of its methods has not called."""
        call, self.depth = self.call, self.depth + 1
        try:
            if call is not None and call.service == "s3" and self.depth == 1:
                self.compare_s3(call, name, original, args, kwargs)
            return original(*args, **kwargs)
        finally:
            self.depth -= 1

    def compare_s3(self, call: Call, name: str, original: Any, args: Any, kwargs: Any) -> None:
        named = {camelcase_to_underscores(call.operation), *OTHER_NAMES.get(call.operation, ())}
        shortened = camelcase_to_underscores(call.operation.removesuffix("Configuration"))
        if name not in named | LOOKING | {shortened, f"{shortened}_configuration"}:
            self.fault(f"moto does {name}")
        values = dict(zip(original.__code__.co_varnames, args, strict=False)) | kwargs
        bucket, key = values.get("bucket_name"), values.get("key_name")
        source = str(call.parameters.get("CopySource", "")).partition("?")[0]
        if isinstance(bucket, str) and name != "log_incoming_request":
            decided = (call.parameters.get("Bucket"), call.parameters.get("Key"))
            wanted = (bucket, key) if isinstance(key, str) else (bucket, decided[1])
            if wanted != decided and f"{bucket}/{quote(str(key))}" != source:
                self.fault(f"moto touches {bucket}/{key}")


def plain(value: Any) -> Any:
    """Parameters to compare: what is empty is not there."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if v not in (None, "", b"", [], {})}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


@contextmanager
def watched(aws: Cloud) -> Iterator[Watch]:
    watch, carry_out, call_action = Watch(aws), dispatch.carry_out, BaseResponse.call_action
    with ExitStack() as patches:
        gate.logger.addHandler(watch)
        patches.callback(gate.logger.removeHandler, watch)
        patches.enter_context(patch("simlib.cloud.storage.store.carry_out", partial(watch.act, carry_out)))
        reading = lambda response: watch.read(call_action, response)  # noqa: E731
        patches.enter_context(patch.object(BaseResponse, "call_action", reading))
        for name, method in list(vars(S3Backend).items()):
            if callable(method) and not name.startswith("_"):
                patches.enter_context(patch.object(S3Backend, name, touched(watch, name, method)))
        yield watch


def touched(watch: Watch, name: str, method: Any) -> Any:
    return lambda *args, **kwargs: watch.touch(name, method, *args, **kwargs)


# -- every operation, by boto3 ---------------------------------------------------------------------------------------


def minimal(shape: Shape, name: str = "", deep: int = 0) -> Any:
    """The smallest value that botocore sends, with text that tries to be more than it is."""
    kind = shape.type_name
    if kind == "structure":
        return {key: minimal(shape.members[key], key, deep + 1) for key in shape.required_members if deep < 8}
    if kind == "list":
        return [minimal(shape.member, name, deep + 1)] if deep < 8 else []
    if kind == "map":
        return {"a&Action=b": minimal(shape.value, name, deep + 1)} if deep < 8 else {}
    if kind == "string":
        if name in ("Bucket", "bucket"):
            return "first"
        if shape.serialization.get("hostLabel") or name == "AccountId":
            return "111111111111"
        if name == "CopySource":
            return "first/a%20key"
        return shape.enum[0] if shape.enum else "x&Action=DeleteUser&TableName=y"[: shape.metadata.get("max", 40)]
    numbers = max(1, shape.metadata.get("min", 1))
    return {"boolean": True, "timestamp": datetime(2026, 1, 1, tzinfo=UTC), "blob": b"x&Action=DeleteUser"}.get(
        kind, numbers
    )


@cache
def models() -> Any:
    return botocore.session.get_session()


def services() -> list[str]:
    """Those that moto has."""
    offered = []
    for service in models().get_available_services():
        with suppress(NotStored):
            dispatch._responses(service)
            offered.append(service)
    return offered


def by_boto3(session: Any, service: str, names: list[str] | None = None, **endpoint: Any) -> Counter[str]:
    """What becomes of a call of each operation."""
    config = Config(parameter_validation=False, inject_host_prefix=False, **NO_RETRIES)
    client = session.client(service, config=config, **endpoint)
    outcomes: Counter[str] = Counter()
    for method, name in sorted(client.meta.method_to_api_mapping.items()):
        if names is not None and name not in names:
            continue
        shape = client.meta.service_model.operation_model(name).input_shape
        try:
            getattr(client, method)(**(minimal(shape) if shape is not None else {}))
            outcomes["done"] += 1
        except Exception as error:
            code = getattr(error, "response", {}).get("Error", {}).get("Code", type(error).__name__)
            outcomes[code] += 1
    return outcomes


# -- raw requests ----------------------------------------------------------------------------------------------------

FAMILIAR = ("s3", "s3", "s3", "s3", "iam", "sts", "sqs", "sns", "dynamodb", "lambda", "kms", "ec2", "ssm", "events",
            "secretsmanager", "s3control", "elbv2", "cloudwatch", "apigateway", "organizations", "logs",
            "ecr")  # fmt: skip
HOSTS = ("motoapi.amazonaws.com", "iam.amazonaws.com", "s3.amazonaws.com", "second.s3.us-east-1.amazonaws.com",
         "first.s3-accesspoint.us-east-1.amazonaws.com", "sqs.us-west-2.amazonaws.com", "localhost", "127.0.0.1:5000",
         "first.localhost", "dynamodb.cn-north-1.amazonaws.com.cn", "moto-api.s3.amazonaws.com")  # fmt: skip
PATHS = ("//first/key", "/first/../second/key", "/%2Ffirst/key", "/moto-api/reset", "/moto-api/data.json",
         "/second//key",
         "/first/a%2Fb", "/first/%00", "/first/ü", "/first/", "/first", "/111111111111/jobs", "/restapis",
         "/2015-03-31/functions/f", "/second/key", "/first%2Fkey", "/./first/key")  # fmt: skip
QUERY = ("Action=DeleteUser", "Action=AttachUserPolicy&UserName=bob", "acl", "policy", "tagging", "versionId=null",
         "uploads", "uploadId=", "uploadId=x&partNumber=1", "delete", "lifecycle", "metrics&id=1", "torrent", "cors",
         "publicAccessBlock", "list-type=2", "prefix=a&prefix=b", "Bucket=second", "Key=key", "retention", "restore",
         "x-id=PutObject", "TableName=other", "Version=2010-05-08", "select&select-type=2", "attributes", "versions",
         "response-content-type=text%2Fhtml", "X-Amz-Expires=9", "notification", "object-lock",
         "legal-hold")  # fmt: skip
HEADERS = (("x-amz-copy-source", "second/key"), ("x-amz-copy-source", "x:second/key"),
           ("x-amz-copy-source", "http://h/second/key"), ("x-amz-copy-source", "first/a%20key?VersionId=null"),
           ("x-amz-target", "DynamoDB_20120810.DeleteTable"), ("x-amz-target", "TrentService.CreateKey"),
           ("content-type", "application/x-www-form-urlencoded"), ("content-type", "application/json"),
           ("content-type", "application/x-amz-json-1.1"), ("content-type", "multipart/form-data; boundary=x"),
           ("content-encoding", "gzip"), ("content-encoding", "aws-chunked"), ("x-http-method-override", "DELETE"),
           ("x-moto-account-id", "222222222222"), ("x-forwarded-host", "iam.amazonaws.com"), ("range", "bytes=0-1"),
           ("user-agent", "x region/eu-west-1"), ("x-amz-account-id", "222222222222"), ("x-amz-acl", "public-read"),
           ("x-amz-object-attributes", "ETag"), ("x-amz-meta-under_score", "1"), ("x-amz-bypass-governance-retention",
           "true"))  # fmt: skip
BODIES = (b"", b"Action=DeleteUser&UserName=bob&Version=2010-05-08", b'{"TableName": "t", "x": "&Action=DeleteTable&"}',
          b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>", b"{", b"<x", b"\xff\xfe",
          b"3\r\nabc\r\n0\r\n\r\n", gzip.compress(b'{"TableName": "t"}'), b"key=1&file=2&policy=3",
          b'{"QueueUrl": "https://sqs.us-east-1.amazonaws.com/111111111111/jobs"}',
          b"UserName=alice&UserName=bob")  # fmt: skip


def written(dice: random.Random, identity: Any) -> RawRequest:
    """A request that a client would send, changed in up to three ways, and signed as it is."""
    service = dice.choice(FAMILIAR)
    model = models().get_service_model(service)
    name = dice.choice(model.operation_names)
    operation = get_service_model(service).operation_model(name)
    protocol = str(model.resolved_protocol)
    parameters = minimal(operation.input_shape) if operation.input_shape is not None else {}
    parts = dispatch.mock.serialize_request(operation, protocol, parameters)
    body = urlencode(parts["body"]).encode() if isinstance(parts["body"], dict) else parts["body"]
    host, path, _, query = host_of(service, "us-east-1"), *parts["url_path"].partition("?")
    query = "&".join(filter(None, (query, urlencode(parts["query_string"] or {}, doseq=True))))
    headers, method = {k.lower(): str(v) for k, v in parts["headers"].items()}, parts["method"]
    scope = signing_name(service)
    for _ in range(dice.choice((0, 1, 1, 2, 2, 3))):
        match dice.randrange(8):
            case 0:
                host = dice.choice(HOSTS)
            case 1:
                path = dice.choice(PATHS)
            case 2 | 3:
                query = "&".join(filter(None, (query, dice.choice(QUERY))))
            case 4:
                headers.update([dice.choice(HEADERS)])
            case 5:
                body = dice.choice(BODIES)
            case 6:
                method = dice.choice(("GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "OPTIONS"))
            case 7:
                scope = dice.choice((scope, "s3", "iam", "dynamodb", "execute-api"))
    url = f"https://{host}{quote(path, safe='/%')}" + (f"?{query}" if query else "")
    return signed(identity, RawRequest(method, url, headers, body if isinstance(body, bytes) else body.encode()), scope)


def signed(identity: Any, raw: RawRequest, scope: str) -> RawRequest:
    request = AWSRequest(raw.method, raw.url, headers=dict(raw.headers), data=raw.body)
    credentials = Credentials(identity.access_key_id, identity.secret_access_key)
    (S3SigV4Auth if scope == "s3" else SigV4Auth)(credentials, scope, "us-east-1").add_auth(request)
    headers = {name.lower(): str(value) for name, value in request.headers.items()}
    return RawRequest(raw.method, raw.url, headers, raw.body)


def send(raw: RawRequest, connection: http.client.HTTPConnection) -> int:
    """The same over HTTP, to the endpoint."""
    parts = urlsplit(raw.url)
    headers = {"host": parts.netloc, **raw.headers}
    connection.request(raw.method, parts._replace(scheme="", netloc="").geturl() or "/", raw.body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def furnished(aws: Cloud) -> Any:
    """An administrator, and what the requests are about."""
    admin = aws.account("dev").admin
    s3 = admin.client("s3")
    for bucket in ("first", "second"):
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="key", Body=b"x")
        s3.put_object(Bucket=bucket, Key="a key", Body=b"x")
    iam = admin.client("iam")
    iam.create_user(UserName="bob")
    admin.client("sqs").create_queue(QueueName="jobs")
    admin.client("dynamodb").create_table(
        TableName="t", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )  # fmt: skip
    return admin


def by_hand(count: int, seed: int, *, over_http: bool) -> tuple[Counter[str], list[str]]:
    """What becomes of so many raw requests, and the faults."""
    dice, outcomes, faults = random.Random(seed), Counter[str](), []
    for _ in range(0, count, PER_WORLD):
        with Cloud.start() as aws:
            admin = furnished(aws)
            host, port = aws.serve().url.partition("//")[2].split(":") if over_http else ("", "0")
            connection = http.client.HTTPConnection(host, int(port), timeout=30)
            with watched(aws) as watch:
                for _ in range(min(count, PER_WORLD)):
                    raw, before = written(dice, admin), watch.performed
                    if over_http:
                        try:
                            send(raw, connection)
                        except (OSError, http.client.HTTPException, ValueError):
                            connection.close()
                    else:
                        aws._gate.answer(raw)
                    event = aws.trail[-1]
                    outcomes["performed" if watch.performed > before else event.decision.lower()] += 1
                faults += watch.faults
            connection.close()
    return outcomes, faults


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status is 1 where something was done otherwise than decided."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=SEED)
    wanted = parser.parse_args(arguments)
    failed = False
    for over_http in (False, True):
        way = "through the endpoint" if over_http else "in process"
        outcomes: Counter[str] = Counter()
        faults: list[str] = []
        with Cloud.start() as aws:
            session, offered = furnished(aws).session, services()
            endpoint = {"endpoint_url": aws.serve().url} if over_http else {}
            with watched(aws) as watch:
                for service in offered:
                    outcomes += by_boto3(session, service, **endpoint)
            print(f"{way}: {outcomes.total()} operations of {len(offered)} services by boto3,", end=" ")
            print(f"{watch.performed} performed, {len(watch.faults)} otherwise than decided")
            faults += watch.faults
        raw, more = by_hand(wanted.count, wanted.seed, over_http=over_http)
        print(f"{way}: {raw.total()} raw requests, {len(more)} otherwise than decided; {dict(raw)}")
        for fault in [*faults, *more][:40]:
            print("   ", fault[:700])
        failed = failed or bool(faults or more)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
