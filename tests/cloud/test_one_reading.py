"""What the gate has decided is what moto does, however a request is written: samples of `readings`, known tricks."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from simlib import Cloud
from simlib.cloud.storage import dispatch
from simlib.cloud.transport.calls import Call
from simlib.cloud.transport.wire import RawRequest

from . import readings
from .conftest import allow, deny, document, new_user, refused
from .readings import signed

FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/x-amz-json-1.0"}


@pytest.mark.parametrize("over_http", [False, True], ids=["in process", "through the endpoint"])
def test_raw_requests(over_http: bool) -> None:
    outcomes, faults = readings.by_hand(250, 2026, over_http=over_http)
    assert faults == []
    assert outcomes["performed"] > 40


@pytest.mark.parametrize("service", ["s3", "dynamodb", "sqs", "kms"])
def test_every_operation_by_boto3(service: str) -> None:
    with Cloud.start() as aws:
        session = readings.furnished(aws).session
        with readings.watched(aws) as watch:
            readings.by_boto3(session, service)
        assert watch.faults == []
        assert watch.performed > 5


def test_the_sweep_would_see_another_object_and_another_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    with Cloud.start() as aws:
        s3 = readings.furnished(aws).client("s3")
        with readings.watched(aws) as watch, monkeypatch.context() as patched:
            patched.setattr(dispatch._DecidedS3, "parse_key_name", lambda _: "a key")
            s3.get_object(Bucket="first", Key="key")
            assert "moto touches first/a key" in watch.faults[-1]
        with readings.watched(aws) as watch, monkeypatch.context() as patched:
            patched.setattr(dispatch._DecidedS3, "_get_action", lambda _: "DeleteObject")
            patched.setitem(dispatch._S3_METHODS, "GetObject", "delete_object")
            s3.get_object(Bucket="first", Key="key")
            assert "moto does delete_object" in watch.faults[-1]


NULL = "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null"


@pytest.mark.parametrize(
    ("service", "operation", "given", "code", "text"),
    [
        (
            *("lambda", "add_permission", {"FunctionName": "f", "Action": "lambda:InvokeFunction", "Principal": "*"}),
            *("ValidationException", NULL.format("statementId")),
        ),
        ("dynamodb", "get_item", {"TableName": "t"}, "ValidationException", NULL.format("key")),
        ("iam", "get_role", {}, "ValidationError", NULL.format("roleName")),
        ("ec2", "create_tags", {}, "MissingParameter", "The request must contain the parameter Resources"),
    ],
)
def test_what_has_to_be_in_a_request_is_missed(
    dev: Any, service: str, operation: str, given: dict[str, Any], code: str, text: str
) -> None:
    client = dev.admin.client(service, config=Config(parameter_validation=False))
    assert refused(lambda: getattr(client, operation)(**given)) == (code, text)


def test_another_operation_than_the_decided_one_is_not_done(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Cloud.start() as aws:
        iam = readings.furnished(aws).client("iam")
        made_anew = dispatch.request_for

        def wrong(call: Call, account: str) -> Any:
            return made_anew(replace(call, operation="DeleteUser") if call.operation == "GetUser" else call, account)

        monkeypatch.setattr(dispatch, "request_for", wrong)
        with pytest.raises(ClientError, match="cannot carry out iam:GetUser"):
            iam.get_user(UserName="bob")
        assert "The lab decided iam:GetUser, and moto would have done DeleteUser" in caplog.text
        assert "bob" in {user["UserName"] for user in iam.list_users()["Users"]}


SHARED = {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "dynamodb:*", "Resource": "*"}
ROOT = "arn:aws:{}:us-east-1:{}:{}"


def test_one_call_is_about_the_resources_of_one_account() -> None:
    """moto acts in one account: the table that alice names would be that of the account whose ARN stands beside it."""
    with Cloud.start() as aws:
        clients = {name: aws.account(name).admin.client("dynamodb") for name in ("dev", "partner")}
        for client in clients.values():
            for table in ("shared", "secret"):
                client.create_table(
                    TableName=table, BillingMode="PAY_PER_REQUEST",
                    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                )  # fmt: skip
        shared, key = ROOT.format("dynamodb", "222222222222", "table/shared"), {"id": {"S": "1"}}
        clients["partner"].put_resource_policy(ResourceArn=shared, Policy=document(SHARED))
        own, both = {shared: {"Keys": [key]}}, {shared: {"Keys": [key]}, "secret": {"Keys": [key]}}
        mine = aws.account("dev").admin.client("dynamodb")
        assert mine.batch_get_item(RequestItems=own)["Responses"] == {shared: []}
        transaction = [{"Put": {"TableName": name, "Item": key}} for name in (shared, "secret")]
        for call in (
            lambda: mine.batch_get_item(RequestItems=both),
            lambda: mine.transact_write_items(TransactItems=transaction),
        ):
            code, text = refused(call)
            assert (code, "cannot carry out" in text) == ("NotImplemented", True)
        assert clients["partner"].scan(TableName="secret")["Count"] == 0


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Cloud, Any]]:
    with Cloud.start() as aws:
        yield aws, readings.furnished(aws)


def said(answer: Any) -> tuple[int, str]:
    return answer.status, answer.body.decode()


# what it is, the service it is signed for, the request, AWS's code
REFUSED: list[tuple[str, str, RawRequest, str]] = [
    ("two Actions", "iam", RawRequest("POST", "https://iam.amazonaws.com/?Action=GetUser&Version=2010-05-08", FORM,
     b"Action=DeleteUser&UserName=bob"), "MalformedQueryString"),
    ("one Action twice", "iam", RawRequest("POST", "https://iam.amazonaws.com/", FORM,
     b"Action=GetUser&UserName=bob&Action=DeleteUser&Version=2010-05-08"), "MalformedQueryString"),
    ("another service's host", "elasticache", RawRequest("POST", "https://iam.amazonaws.com/", FORM,
     b"Action=CreateUser&UserName=eve&Version=2015-02-02"), "SignatureDoesNotMatch"),
    ("S3's host", "dynamodb", RawRequest("POST", "https://first.s3.amazonaws.com/",
     {**JSON, "x-amz-target": "DynamoDB_20120810.ListTables"}, b"{}"), "AuthorizationHeaderMalformed"),
    ("another Region's host", "sqs", RawRequest("POST", "https://sqs.eu-west-1.amazonaws.com/",
     {**JSON, "x-amz-target": "AmazonSQS.ListQueues"}, b"{}"), "SignatureDoesNotMatch"),
    ("another partition", "sqs", RawRequest("POST", "https://sqs.cn-north-1.amazonaws.com.cn/",
     {**JSON, "x-amz-target": "AmazonSQS.ListQueues"}, b"{}"), "InvalidRequest"),
    ("an empty bucket", "s3", RawRequest("GET", "https://s3.amazonaws.com//first/key"), "InvalidURI"),
    ("two sub-resources", "s3", RawRequest("GET", "https://s3.amazonaws.com/first?acl&policy"), "InvalidArgument"),
    ("a parameter twice", "s3", RawRequest("GET", "https://s3.amazonaws.com/first/key?versionId=a&versionId=b"),
     "InvalidArgument"),
    ("a bucket's name with a colon", "s3", RawRequest("GET", "https://s3.amazonaws.com/a:b/key"), "InvalidBucketName"),
    ("an access point", "s3", RawRequest("GET", "https://ap-111111111111.s3-accesspoint.us-east-1.amazonaws.com/key"),
     "InvalidRequest"),
    ("moto's own address", "s3", RawRequest("POST", "https://motoapi.amazonaws.com/moto-api/reset"), "InvalidRequest"),
    ("a copy from a scheme", "s3", RawRequest("PUT", "https://s3.amazonaws.com/first/copy",
     {"x-amz-copy-source": "http://h/second/key"}), "InvalidArgument"),
    ("a copy from a colon", "s3", RawRequest("PUT", "https://s3.amazonaws.com/first/copy",
     {"x-amz-copy-source": "x:second/key"}), "InvalidArgument"),
    ("no JSON", "dynamodb", RawRequest("POST", "https://dynamodb.us-east-1.amazonaws.com/",
     {**JSON, "x-amz-target": "DynamoDB_20120810.ListTables"}, b"Action=DeleteTable"), "SerializationException"),
    ("half a body", "dynamodb", RawRequest("POST", "https://dynamodb.us-east-1.amazonaws.com/",
     {**JSON, "x-amz-target": "DynamoDB_20120810.ListTables", "content-encoding": "gzip"}, gzip.compress(b"{}")[:-9]),
     "InvalidRequest"),
    ("a body that unpacks to gigabytes", "dynamodb", RawRequest("POST", "https://dynamodb.us-east-1.amazonaws.com/",
     {**JSON, "x-amz-target": "DynamoDB_20120810.ListTables", "content-encoding": "gzip"},
     gzip.compress(bytes(65 * 2**20))), "InvalidRequest"),
    ("no ciphertext", "kms", RawRequest("POST", "https://kms.us-east-1.amazonaws.com/",
     {**JSON, "x-amz-target": "TrentService.Decrypt"}, b'{"KeyId": "k"}'), "ValidationException"),
    ("no policy for a bucket", "s3", RawRequest("PUT", "https://s3.amazonaws.com/first?policy"),
     "MissingRequestBodyError"),
    ("no XML", "s3", RawRequest("PUT", "https://s3.amazonaws.com/first?tagging", {}, b"{}"), "MalformedXML"),
    ("a queue's address and another's", "sqs", RawRequest("POST", "https://sqs.us-east-1.amazonaws.com/111111111111/jobs",
     FORM, b"Action=PurgeQueue&QueueUrl=https://sqs.us-east-1.amazonaws.com/111111111111/other&Version=2012-11-05"),
     "InvalidAddress"),
]  # fmt: skip


@pytest.mark.parametrize(("scope", "raw", "code"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_could_be_read_in_two_ways_is_refused(
    world: tuple[Cloud, Any], scope: str, raw: RawRequest, code: str
) -> None:
    aws, admin = world
    with readings.watched(aws) as watch:
        status, text = said(aws._gate.answer(signed(admin, raw, scope)))
    assert 400 <= status < 500
    assert code in text
    assert watch.performed == 0


@pytest.mark.parametrize("operation", ["GetObjectTorrent", "DeleteBucketMetricsConfiguration", "GetObjectRetention",
                                       "ListBucketMetricsConfigurations", "PutBucketRequestPayment"])  # fmt: skip
def test_no_neighbour_answers_for_what_moto_has_not(world: tuple[Cloud, Any], operation: str) -> None:
    aws, admin = world
    readings.by_boto3(admin.session, "s3", [operation])
    event = aws.trail[-1]
    assert (event.operation, event.situation) == (operation, "not-stored")
    assert f"does not offer s3:{operation}" in event.error_message


def test_an_upload_without_a_name_is_no_object(world: tuple[Cloud, Any]) -> None:
    """moto takes the operation on an upload whose ID is empty for the one on the object."""
    aws, admin = world
    raw = RawRequest("DELETE", "https://s3.amazonaws.com/second/key?uploadId=")
    aws._gate.answer(signed(admin, raw, "s3"))
    assert aws.trail[-1].operation == "AbortMultipartUpload"
    assert admin.client("s3").get_object(Bucket="second", Key="key")["Body"].read() == b"x"


def test_a_deny_on_a_copys_source_counts(world: tuple[Cloud, Any]) -> None:
    aws, admin = world
    iam = admin.client("iam")
    alice = new_user(aws, iam, "copying", allow("s3:*"), deny("s3:GetObject*", "arn:aws:s3:::second/*"))
    for source in ("second/key", "/second/key", "second%2Fkey", "second/key?versionId=null", "second/k%65y"):
        headers = {"x-amz-copy-source": source}
        raw = RawRequest("PUT", "https://s3.amazonaws.com/first/stolen", headers)
        status, text = said(aws._gate.answer(signed(alice, raw, "s3")))
        assert (status, "AccessDenied" in text) == (403, True), source


def test_values_that_look_like_more_are_values(world: tuple[Cloud, Any]) -> None:
    _, admin = world
    dynamodb, s3, cloudwatch = (admin.client(service) for service in ("dynamodb", "s3", "cloudwatch"))
    item = {"id": {"S": "&Action=DeleteTable&TableName=t&"}}
    dynamodb.put_item(TableName="t", Item=item)
    assert dynamodb.get_item(TableName="t", Key=item, ProjectionExpression="id")["Item"] == item
    secrets = admin.client("secretsmanager")
    secrets.create_secret(Name="s", SecretString="&Action=DeleteSecret&SecretId=x&")
    assert secrets.get_secret_value(SecretId="s")["SecretString"] == "&Action=DeleteSecret&SecretId=x&"
    points = [{"MetricName": f"m{number}", "Value": 1.0} for number in range(400)]  # long enough to be sent gzipped
    cloudwatch.put_metric_data(Namespace="long", MetricData=points)
    assert len(cloudwatch.list_metrics(Namespace="long")["Metrics"]) == 400
    for key in ("/", "//a", "a/", "a//b", "./../a", "%2F", "a?b#c;d", "a+b c", "ü☃", "a\nb", "\x7f"):
        s3.put_object(Bucket="first", Key=key, Body=key.encode(), ContentType="application/x-www-form-urlencoded")
        assert s3.get_object(Bucket="first", Key=key)["Body"].read() == key.encode(), key
        s3.copy_object(Bucket="first", Key=f"copy of {key}", CopySource={"Bucket": "first", "Key": key})
        assert s3.get_object(Bucket="first", Key=f"copy of {key}")["Body"].read() == key.encode(), key
    form = b"key=other&file=x&policy=y"
    s3.put_object(Bucket="first", Key="form", Body=form, ContentType="application/x-www-form-urlencoded")
    assert s3.get_object(Bucket="first", Key="form")["Body"].read() == form


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_bodies_in_chunks_arrive_whole_with_their_checksums(world: tuple[Cloud, Any], algorithm: str) -> None:
    aws, admin = world
    for endpoint in ({}, {"endpoint_url": aws.serve().url}):
        s3 = admin.client("s3", **endpoint)
        body = bytes(range(256)) * 1000
        put = s3.put_object(Bucket="first", Key="chunks", Body=body, ChecksumAlgorithm=algorithm)
        got = s3.get_object(Bucket="first", Key="chunks", ChecksumMode="ENABLED")
        assert got["Body"].read() == body
        assert put[f"Checksum{algorithm}"]


def test_a_query_in_json_is_no_action(world: tuple[Cloud, Any]) -> None:
    aws, admin = world
    headers = {**JSON, "x-amz-target": "DynamoDB_20120810.DescribeTable", "content-encoding": "gzip"}
    url = "https://dynamodb.us-east-1.amazonaws.com/?Action=DeleteTable&TableName=t"
    raw = RawRequest("POST", url, headers, gzip.compress(b'{"TableName": "t"}'))
    status, text = said(aws._gate.answer(signed(admin, raw, "dynamodb")))
    assert (status, json.loads(text)["Table"]["TableName"]) == (200, "t")


def test_services_that_sign_alike_are_told_apart(world: tuple[Cloud, Any]) -> None:
    aws, admin = world
    for endpoint in ({}, {"endpoint_url": aws.serve().url}):
        config = Config(inject_host_prefix=False)
        admin.client("elbv2", **endpoint).describe_load_balancers()
        assert aws.trail[-1].service == "elbv2"
        admin.client("elb", **endpoint).describe_load_balancers()
        assert aws.trail[-1].service == "elb"
        control = admin.client("s3control", config=config, **endpoint)
        with pytest.raises(ClientError, match="NoSuchPublicAccessBlockConfiguration"):
            control.get_public_access_block(AccountId="111111111111")
        assert aws.trail[-1].service == "s3control"


def test_an_access_points_arn_is_refused_with_a_sentence(world: tuple[Cloud, Any]) -> None:
    """An SDK that knows the endpoint puts the access point before its name, and leaves the key alone in the path."""
    aws, admin = world
    arn = "arn:aws:s3:us-east-1:111111111111:accesspoint/ap"
    own = {"config": Config(ignore_configured_endpoint_urls=True)}
    for client in (admin.client("s3"), admin.client("s3", **own), admin.client("s3", endpoint_url=aws.serve().url)):
        with pytest.raises(ClientError, match="The lab's S3 has no access points"):
            client.delete_object(Bucket=arn, Key="second")
    assert admin.client("s3").head_bucket(Bucket="second")


def test_a_stream_by_its_arn_and_another_ones_name_is_both(world: tuple[Cloud, Any]) -> None:
    aws, admin = world
    kinesis = admin.client("kinesis")
    for name in ("open", "guarded"):
        kinesis.create_stream(StreamName=name, ShardCount=1)
    guarded, open_ = (ROOT.format("kinesis", "111111111111", f"stream/{name}") for name in ("guarded", "open"))
    alice = new_user(aws, admin.client("iam"), "streaming", allow("kinesis:*"), deny("kinesis:*", guarded))
    client = alice.client("kinesis")
    assert client.describe_stream_summary(StreamName="open", StreamARN=open_)
    assert refused(lambda: client.describe_stream_summary(StreamName="guarded", StreamARN=open_))[0] == (
        "AccessDeniedException"
    )


def test_an_upload_in_parts_is_of_its_key(world: tuple[Cloud, Any]) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html"""
    aws, admin = world
    upload = admin.client("s3").create_multipart_upload(Bucket="first", Key="guarded/x")["UploadId"]
    guarded = "arn:aws:s3:::first/guarded/*"
    alice = new_user(aws, admin.client("iam"), "uploading", allow("s3:*"), deny("s3:*", guarded)).client("s3")
    given = {"Bucket": "first", "Key": "open/x", "UploadId": upload}
    part = {"Parts": [{"PartNumber": 1, "ETag": "e"}]}
    for call in (
        lambda: alice.upload_part(**given, PartNumber=1, Body=b"x"),
        lambda: alice.list_parts(**given),
        lambda: alice.complete_multipart_upload(**given, MultipartUpload=part),
        lambda: alice.abort_multipart_upload(**given),
    ):
        assert refused(call)[0] == "NoSuchUpload"
    whole = {**given, "Key": "guarded/x"}
    assert admin.client("s3").upload_part(**whole, PartNumber=1, Body=b"x")["ETag"]


def test_a_grant_is_of_the_key_that_its_token_is_for(world: tuple[Cloud, Any]) -> None:
    aws, admin = world
    kms = admin.client("kms")
    guarded, own = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    grant = kms.create_grant(KeyId=guarded, GranteePrincipal="arn:aws:iam::111111111111:root", Operations=["Decrypt"])
    alice = new_user(aws, admin.client("iam"), "granting", allow("kms:*"), deny("kms:*", guarded)).client("kms")
    token = {"GrantToken": grant["GrantToken"]}
    for given in (token, {**token, "KeyId": own, "GrantId": grant["GrantId"]}):
        assert refused(lambda given=given: alice.retire_grant(**given))[0] == "AccessDeniedException"
    assert len(kms.list_grants(KeyId=guarded)["Grants"]) == 1


def test_a_name_with_a_version_takes_no_other(world: tuple[Cloud, Any]) -> None:
    _, admin = world
    code, text = refused(lambda: admin.client("lambda").invoke(FunctionName="f:1", Qualifier="$LATEST"))
    assert (code, "does not match the specified qualifier" in text) == ("InvalidParameterValueException", True)


def test_the_expected_owner_of_a_bucket_is_expected(world: tuple[Cloud, Any]) -> None:
    _, admin = world
    s3, theirs = admin.client("s3"), {"ExpectedBucketOwner": "222222222222"}
    for call in (
        lambda: s3.put_object(Bucket="first", Key="k", Body=b"", **theirs),
        lambda: s3.list_objects_v2(Bucket="first", **theirs),
        lambda: s3.copy_object(Bucket="first", Key="k", CopySource="second/key", ExpectedSourceBucketOwner="2" * 12),
    ):
        assert refused(call) == ("AccessDenied", "Access Denied")
    assert s3.list_objects_v2(Bucket="first", ExpectedBucketOwner="111111111111")


def test_tagging_by_arn_needs_what_the_service_asks(world: tuple[Cloud, Any]) -> None:
    aws, admin = world
    table = ROOT.format("dynamodb", "111111111111", "table/t")
    alice = new_user(aws, admin.client("iam"), "tagging", allow("tag:*"), allow("dynamodb:TagResource"))
    tagging = alice.client("resourcegroupstaggingapi")
    assert tagging.tag_resources(ResourceARNList=[table], Tags={"a": "b"})["FailedResourcesMap"] == {}
    code, text = refused(lambda: tagging.untag_resources(ResourceARNList=[table], TagKeys=["a"]))
    assert (code, f"dynamodb:UntagResource on resource: {table}" in text) == ("AccessDeniedException", True)
    queue = ROOT.format("sqs", "111111111111", "jobs")
    code, text = refused(lambda: tagging.tag_resources(ResourceARNList=[queue], Tags={"a": "b"}))
    assert (code, f"sqs:tagqueue on resource: {queue}" in text) == ("AccessDeniedException", True)


@pytest.mark.parametrize("fault", [[], ["s3:GetObject was done on another bucket"]])
def test_the_command_that_tries_them_all_ends_with_an_error_where_one_was_done_otherwise(
    fault: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(readings, "services", lambda: [])
    faults = iter([[], fault])  # in process, then through the endpoint
    monkeypatch.setattr(readings, "by_hand", lambda *_, **__: (Counter(performed=1), next(faults)))
    assert readings.main([]) == len(fault)
    assert "".join(fault) in capsys.readouterr().out
