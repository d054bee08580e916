"""What other SDKs than boto3 do, and what tools found when they were run against the lab."""

from __future__ import annotations

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from simlib import Cloud


@pytest.fixture
def cbor(dev: Any) -> Any:
    """CloudWatch as the SDKs for Go and Java speak to it."""
    client = dev.admin.client("cloudwatch")
    client._serializer = create_serializer("smithy-rpc-v2-cbor")
    client._endpoint._response_parser_factory.create_parser = lambda _: create_parser("smithy-rpc-v2-cbor")
    return client


def test_cloudwatch_is_spoken_to_in_cbor(aws: Cloud, cbor: Any) -> None:
    now, hour = aws.clock.now, timedelta(hours=1)
    cbor.put_metric_data(Namespace="n", MetricData=[{"MetricName": "m", "Value": 1.5, "Timestamp": now}])
    assert cbor.list_metrics(Namespace="n")["Metrics"][0]["MetricName"] == "m"
    wanted = {"Namespace": "n", "MetricName": "m", "Period": 60, "Statistics": ["Sum"]}
    [point] = cbor.get_metric_statistics(**wanted, StartTime=now - hour, EndTime=now + hour)["Datapoints"]
    assert point["Sum"] == 1.5
    assert abs(point["Timestamp"] - now) < timedelta(minutes=1)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        cbor.get_dashboard(DashboardName="none")
    assert aws.trail[-1].error_code == "ResourceNotFound"


@pytest.mark.parametrize(
    "body", [b"\xff", b"\xbf", b"\x9b" + b"\xff" * 8, b"\x81" * 5000, b"not cbor", b"\x80", b"\xa0\xa0"]
)
def test_cbor_that_is_none_is_refused(aws: Cloud, cbor: Any, body: bytes) -> None:
    cbor.meta.events.register("before-call", lambda params, **_: params.update(body=body))
    with pytest.raises(ClientError):
        cbor.put_metric_data(Namespace="n", MetricData=[])
    assert aws.trail[-1].decision == "INVALID"


def test_a_queue_is_at_the_address_where_it_was_asked_for(aws: Cloud, dev: Any) -> None:
    def ask(url: str, target: str, **members: str) -> Any:
        headers = {"X-Amz-Target": f"AmazonSQS.{target}", "Content-Type": "application/x-amz-json-1.0"}
        request = AWSRequest("POST", url, headers, json.dumps(members))
        SigV4Auth(dev.admin.session.get_credentials(), "sqs", "us-east-1").add_auth(request)
        sent = urllib.request.Request(url, request.body, dict(request.headers))
        return json.load(urllib.request.urlopen(sent))

    endpoint = aws.serve().url
    url = ask(endpoint, "CreateQueue", QueueName="jobs")["QueueUrl"]
    assert url == f"{endpoint}/111111111111/jobs"
    assert ask(url, "SendMessage", QueueUrl=url, MessageBody="x")["MessageId"]
    sqs = dev.admin.client("sqs")
    assert sqs.list_queues()["QueueUrls"] == ["https://sqs.us-east-1.amazonaws.com/111111111111/jobs"]
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "x"


def test_what_auditing_tools_ask(aws: Cloud, dev: Any) -> None:
    iam, s3 = dev.admin.client("iam"), dev.admin.client("s3")
    user = iam.create_user(UserName="alice")["User"]
    assert user["CreateDate"] == user["CreateDate"].replace(microsecond=0)
    assert datetime.now(UTC) - user["CreateDate"] < timedelta(minutes=1)
    assert iam.list_service_specific_credentials(UserName="alice")["ServiceSpecificCredentials"] == []
    assert iam.list_organizations_features()["EnabledFeatures"] == []
    s3.create_bucket(Bucket="plain")
    for _ in range(2):  # a bucket without encryption there is none
        [rule] = s3.get_bucket_encryption(Bucket="plain")["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
        s3.delete_bucket_encryption(Bucket="plain")
    assert s3.put_object(Bucket="plain", Key="k", Body=b"")["ServerSideEncryption"] == "AES256"
