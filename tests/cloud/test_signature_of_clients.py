"""Signatures of real clients: what they send and presign is believed."""

from __future__ import annotations

import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config

from simlib.cloud.transport import signer
from simlib.cloud.transport.wire import RawRequest

from .signed_requests import (
    LOOPBACK,
    S3_HOST,
    SECRET,
    SESSION,
    TOKEN,
    check,
    refused,
)

S3_VERSION_2 = Config(signature_version="s3")
HERE = {"endpoint_url": LOOPBACK}
METRICS = [{"MetricName": "m" * 200, "Value": 1.0}] * 80
# what is special, service, operation, parameters, how the client is made
CALLS: list[tuple[str, str, str, dict[str, object], dict[str, object]]] = [
    ("a query", "sts", "get_caller_identity", {}, {}),
    ("lists", "ec2", "describe_instances", {"Filters": [{"Name": "tag:a b", "Values": ["é", "*"]}]}, {}),
    ("JSON", "dynamodb", "get_item", {"TableName": "t", "Key": {"k": {"S": "é"}}}, {}),
    ("an address of its own", "sqs", "send_message",
     {"QueueUrl": "https://queue.amazonaws.com/1/q", "MessageBody": "hello"}, {}),
    ("an ARN in the path", "lambda", "invoke",
     {"FunctionName": "arn:aws:lambda:us-east-1:111111111111:function:f:1"}, {}),
    ("XML", "route53", "list_hosted_zones", {}, {}),
    ("a path encoded twice", "iot-data", "publish", {"topic": "a/b c/é", "payload": b"x"}, HERE),
    ("a body sent gzipped", "cloudwatch", "put_metric_data", {"Namespace": "n", "MetricData": METRICS}, {}),
    ("a checksum in the trailer", "s3", "put_object", {"Bucket": "b", "Key": "a b/é+c", "Body": b"hello"}, {}),
    ("s3 over loopback", "s3", "put_object", {"Bucket": "b", "Key": "k//../", "Body": b"hello"}, HERE),
    ("s3, path style", "s3", "get_object", {"Bucket": "b.c", "Key": "k", "VersionId": "1"}, {}),
    ("s3, an access point", "s3", "get_object",
     {"Bucket": "arn:aws:s3:us-east-1:111111111111:accesspoint/p", "Key": "k"}, {}),
    ("an account in a header", "s3control", "get_public_access_block", {"AccountId": "111111111111"}, {}),
    ("an unsigned payload", "mediastore-data", "put_object", {"Path": "a//b", "Body": b"x"}, {"endpoint_url": S3_HOST}),
]  # fmt: skip


def client(service: str, **how: object) -> tuple[object, list[RawRequest]]:
    """A real botocore client whose requests go no further than into the list."""
    session = botocore.session.Session()
    session.set_credentials(SESSION.access_key, SECRET, TOKEN)
    made = session.create_client(service, region_name="us-east-1", **how)
    sent: list[RawRequest] = []

    def capture(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        sent.append(RawRequest.from_botocore(request))
        raise ConnectionAbortedError("captured")

    made.meta.events.register_first("before-send", capture)
    return made, sent


@pytest.mark.parametrize(("service", "operation", "parameters", "how"), [c[1:] for c in CALLS],
                         ids=[c[0] for c in CALLS])  # fmt: skip
def test_what_a_real_client_sends_is_believed(
    service: str, operation: str, parameters: dict[str, object], how: dict[str, object]
) -> None:
    made, sent = client(service, **how)
    with pytest.raises(ConnectionAbortedError):
        getattr(made, operation)(**parameters)
    assert check(sent[0]).session_token == TOKEN
    with refused("wrong-secret"):
        check(sent[0], "another secret")


@pytest.mark.parametrize("config", [S3_VERSION_2, Config(signature_version="s3v4")], ids=["version 2", "version 4"])
@pytest.mark.parametrize("endpoint", [None, LOOPBACK, "https://s3.eu-west-1.amazonaws.com"])
@pytest.mark.parametrize("bucket", ["my-bucket", "my.bucket"])
def test_what_a_real_client_presigns_is_believed(config: Config, endpoint: str | None, bucket: str) -> None:
    made, _ = client("s3", config=config, endpoint_url=endpoint)
    get = made.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b/é", "VersionId": "7"})
    check(RawRequest("GET", get, {"user-agent": "curl", "accept": "*/*"}))
    with refused("wrong-secret"):
        check(RawRequest("PUT", get))
    put = made.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k", "ContentType": "text/plain"})
    check(RawRequest("PUT", put, {"content-type": "text/plain"}, b"content"))
    with refused("wrong-secret"):
        check(RawRequest("PUT", put, {"content-type": "text/html"}, b"content"))


def test_what_a_real_client_sends_unsigned_is_anonymous() -> None:
    made, sent = client("sts")
    with pytest.raises(ConnectionAbortedError):
        made.assume_role_with_web_identity(
            RoleArn="arn:aws:iam::111111111111:role/r", RoleSessionName="me", WebIdentityToken="token"
        )
    assert signer.parse(sent[0]) is None
