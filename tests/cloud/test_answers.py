"""Answers: whatever is written must be what botocore reads, for every service and its own protocol."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.endpoint import convert_to_response_dict
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.parsers import RpcV2CBORParser, create_parser
from hypothesis import given, settings
from hypothesis import strategies as st

from simlib.cloud.transport import answers, protocols
from simlib.cloud.transport.answers import Refusal
from simlib.cloud.transport.calls import Call
from simlib.cloud.transport.protocols import protocol_of
from simlib.cloud.transport.wire import RawAnswer, RawRequest

SESSION = botocore.session.Session()
SERVICES = SESSION.get_available_services()
WHOLE = ["iam", "sts", "s3", "ec2", "lambda", "dynamodb", "sqs", "sns", "kms", "secretsmanager", "organizations"]
MESSAGE = "User: arn:aws:iam::111111111111:user/zoë is not authorized to perform: a:B on resource: \"x\" <&> ]]> 'é' \\"


class _Body(io.BytesIO):
    """As much of urllib3's response as botocore asks for."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


def read(answer: RawAnswer, operation: OperationModel, protocol: str | None = None) -> dict[str, Any]:
    """What a botocore client makes of an answer, the members of a modelled exception included."""
    response = AWSResponse("https://example.amazonaws.com/", answer.status, answer.headers, _Body(answer.body))
    described = convert_to_response_dict(response, operation)
    parser = create_parser(protocol or operation.service_model.resolved_protocol)
    parsed: dict[str, Any] = parser.parse(described, operation.output_shape)
    if answer.status >= 300:
        shape = operation.service_model.shape_for_error_code(parsed["Error"]["Code"])
        if shape is not None:
            parsed.update(parser.parse(described, shape))
    return parsed


def operation_of(service: str, name: str) -> OperationModel:
    return SESSION.get_service_model(service).operation_model(name)


def assert_refused(answer: RawAnswer, operation: OperationModel, refusal: Refusal) -> None:
    parsed = read(answer, operation)
    said = (parsed["Error"]["Code"], parsed["Error"]["Message"], parsed["ResponseMetadata"]["HTTPStatusCode"])
    service, method = operation.service_model.service_name, operation.http.get("method", "POST")
    if method == "HEAD":
        assert answer.body == b""
        by_header = operation.service_model.resolved_protocol == "rest-json"
        expected = (refusal.code, "") if by_header else (str(refusal.status), "Forbidden")
        assert said == (*expected, refusal.status), service
        return
    assert said == (refusal.code, refusal.message, refusal.status), (service, operation.name)
    assert parsed["ResponseMetadata"]["RequestId"]
    modelled = [value for name, value in parsed.items() if name.lower() == "message"]
    assert all(value == refusal.message for value in modelled), (service, operation.name)


def model_from_disk(service: str) -> ServiceModel:
    """A model that nothing keeps: four hundred of them are half a gigabyte."""
    newest = max(Path(botocore.__file__).with_name("data").joinpath(service).glob("*/service-2.json.gz"))
    return ServiceModel(json.loads(gzip.decompress(newest.read_bytes())), service)


def test_every_service_refuses_in_words_botocore_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(SERVICES) > 400
    for service in SERVICES:
        model = model_from_disk(service)
        monkeypatch.setattr(protocols, "service_model", {service: model}.get)
        operation = model.operation_model(model.operation_names[0])
        method = operation.http.get("method", "POST")
        for refusal in (
            answers.access_denied(service, MESSAGE),
            answers.authentication_refusal("unknown-key", service),
        ):
            assert_refused(answers.refusal(refusal, service, method), operation, refusal)


@pytest.mark.parametrize("service", WHOLE)
def test_every_operation_of_the_services_in_the_lessons(service: str) -> None:
    model = SESSION.get_service_model(service)
    for name in model.operation_names:
        operation = model.operation_model(name)
        method = operation.http.get("method", "POST")
        for refusal in (
            answers.access_denied(service, MESSAGE),
            answers.authentication_refusal("expired-session", service),
            Refusal("ValidationError", "1 validation error detected", 400),
        ):
            if method != "HEAD" or refusal.status == 403:
                assert_refused(answers.refusal(refusal, service, method), operation, refusal)


@pytest.mark.parametrize("service", WHOLE)
def test_every_exception_of_these_services_keeps_its_code(service: str) -> None:
    model = SESSION.get_service_model(service)
    operation = model.operation_model(model.operation_names[0])
    for shape in model.error_shapes:
        code = shape.metadata.get("error", {}).get("code") or shape.name
        refusal = Refusal(code, MESSAGE, 400)
        assert_refused(answers.refusal(refusal, service, "POST"), operation, refusal)


# -- results -------------------------------------------------------------------------------------------------------


def sample(shape: Shape | None, within: tuple[str, ...] = ()) -> Any:
    """A result that fills every member of an output shape."""
    if shape is None:
        return {}
    kind = shape.type_name
    if kind == "structure":
        members = {} if shape.name in within else dict(shape.members)
        chosen = list(members.items())[:1] if shape.is_tagged_union else list(members.items())
        return {name: sample(member, (*within, shape.name)) for name, member in chosen}
    if kind == "list":
        item = sample(shape.member, within)
        return [item, item] if item != {} else []
    if kind == "map":
        return {sample(shape.key, within): sample(shape.value, within)}
    if kind == "string":
        return shape.enum[0] if shape.enum else "a <b> & \"é\" 'c'"
    return {
        "timestamp": datetime(2026, 11, 23, 12, 0, 1, tzinfo=UTC),
        "integer": 7,
        "long": 1 << 40,
        "double": 1.5,
        "float": 1.5,
        "boolean": True,
        "blob": b"\x00\xffblob",
    }[kind]


def call_of(service: str, operation: str) -> Call:
    return Call(RawRequest("POST", "/"), service, operation, {}, "us-east-1", protocol_of(service))


@pytest.mark.parametrize(
    "service", ["sts", "iam", "iam-toolbox", "organizations", "sns", "kms", "secretsmanager", "sqs"]
)
def test_results_come_back_as_they_were_given(service: str) -> None:
    model = SESSION.get_service_model(service)
    for name in model.operation_names:
        operation = model.operation_model(name)
        result = sample(operation.output_shape)
        parsed = read(answers.success(call_of(service, name), result), operation)
        metadata = parsed.pop("ResponseMetadata")
        assert parsed == result, name
        assert metadata["HTTPStatusCode"] == 200
        assert len(metadata["RequestId"]) == 36


def test_an_empty_list_and_an_absent_member_are_told_apart_from_nothing() -> None:
    operation = operation_of("iam", "ListRoles")
    parsed = read(answers.success(call_of("iam", "ListRoles"), {"Roles": [], "IsTruncated": False}), operation)
    assert (parsed["Roles"], parsed["IsTruncated"], "Marker" in parsed) == ([], False, False)


# -- the shape on the wire -----------------------------------------------------------------------------------------

DENIED = Refusal("AccessDenied", "no", 403)


def test_s3_without_a_body_says_forbidden() -> None:
    answer = answers.refusal(DENIED, "s3", "HEAD")
    assert (answer.status, answer.body) == (403, b"")
    assert read(answer, operation_of("s3", "HeadObject"))["Error"] == {"Code": "403", "Message": "Forbidden"}
    assert {name.lower() for name in answer.headers} >= {"x-amz-request-id", "x-amz-id-2"}


def test_s3_adds_what_it_calculated() -> None:
    refusal = Refusal("SignatureDoesNotMatch", "no", 403, {"StringToSign": "AWS4\n<x>\r\n", "AWSAccessKeyId": "AKIA"})
    parsed = read(answers.refusal(refusal, "s3", "GET"), operation_of("s3", "GetObject"))
    assert parsed["Error"]["StringToSign"] == "AWS4\n<x>\r\n"
    assert parsed["Error"]["AWSAccessKeyId"] == "AKIA"
    assert parsed["ResponseMetadata"]["HostId"]


def test_sqs_keeps_the_codes_of_its_query_days() -> None:
    answer = answers.refusal(DENIED, "sqs", "POST")
    assert answer.headers["x-amzn-query-error"] == "AccessDenied;Sender"
    gone = Refusal("AWS.SimpleQueueService.NonExistentQueue", "gone", 400)
    parsed = read(answers.refusal(gone, "sqs", "POST"), operation_of("sqs", "SendMessage"))
    assert parsed["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"
    assert parsed["Error"]["QueryErrorCode"] == "QueueDoesNotExist"


def test_an_sdk_that_speaks_another_of_the_services_protocols_is_answered_in_it() -> None:
    form = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    old = answers.refusal(DENIED, "sqs", "POST", form)
    assert read(old, operation_of("sqs", "SendMessage"), "query")["Error"]["Code"] == "AccessDenied"
    new = answers.refusal(DENIED, "cloudwatch", "POST", {"smithy-protocol": "rpc-v2-cbor"})
    assert read(new, operation_of("cloudwatch", "ListMetrics"), "smithy-rpc-v2-cbor")["Error"]["Code"] == "AccessDenied"
    assert old.headers["Content-Type"] == "text/xml"
    assert new.headers["smithy-protocol"] == "rpc-v2-cbor"


@pytest.mark.parametrize(
    ("headers", "service", "operation"),
    [
        ({}, "iam", "ListUsers"),
        ({"content-type": "application/x-amz-json-1.1"}, "kms", "ListKeys"),
        ({"smithy-protocol": "rpc-v2-cbor"}, "eventbridgev2", None),
    ],
)
def test_a_call_of_no_known_service_is_still_answered(
    headers: Mapping[str, str], service: str, operation: str | None
) -> None:
    model = SESSION.get_service_model(service)
    read_by = model.operation_model(operation or model.operation_names[0])
    for unknown in (None, "nonsense"):
        parsed = read(answers.refusal(Refusal("InvalidRequest", "a sentence", 400), unknown, "POST", headers), read_by)
        assert (parsed["Error"]["Code"], parsed["Error"]["Message"]) == ("InvalidRequest", "a sentence")


def test_a_failure_of_the_lab_itself_is_the_receivers_fault() -> None:
    refusal = Refusal("NotImplemented", "not in the mock", 501)
    parsed = read(answers.refusal(refusal, "iam"), operation_of("iam", "ListUsers"))
    assert (parsed["Error"]["Type"], parsed["ResponseMetadata"]["HTTPStatusCode"]) == ("Receiver", 501)


def test_request_ids_never_repeat() -> None:
    for service, name in (("iam", "x-amzn-RequestId"), ("s3", "x-amz-request-id"), ("kms", "x-amzn-RequestId")):
        ids = {answers.refusal(DENIED, service).headers[name] for _ in range(20)}
        assert len(ids) == 20


@settings(deadline=None, max_examples=150)
@given(
    message=st.text(st.characters(exclude_categories=()), max_size=60),
    service=st.sampled_from(["iam", "ec2", "s3", "kms", "dynamodb", "lambda", "sqs"]),
)
def test_no_message_breaks_an_answer(message: str, service: str) -> None:
    model = SESSION.get_service_model(service)
    operation = model.operation_model(model.operation_names[0])
    parsed = read(answers.refusal(Refusal("AccessDenied", message, 403), service), operation)
    assert parsed["Error"]["Code"] == "AccessDenied"
    if message.isprintable():
        assert (parsed["Error"]["Message"] or "") == message


TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@settings(deadline=None)
@given(st.dictionaries(TEXT, TEXT, max_size=20))
def test_cbor_is_what_botocore_reads(value: dict[str, str]) -> None:
    parser = RpcV2CBORParser()
    stream = parser.get_peekable_stream_from_bytes(answers.cbor(value))
    assert parser.parse_data_item(stream) == value
    assert stream.read() == b""
