"""A question really asked: the boto3 call that needs this permission, made as the one who asks."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore import xform_name

from ..attempts import Attempt, attempt
from .answers import Answer

# Actions whose call has another name, or needs a parameter that no ARN tells.
_CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "s3:ListBucket": ("ListObjectsV2", {}),
    "s3:ListAllMyBuckets": ("ListBuckets", {}),
    "s3:PutObject": ("PutObject", {"Body": b"tried"}),
    "sts:AssumeRole": ("AssumeRole", {"RoleSessionName": "tried"}),
    "lambda:InvokeFunction": ("Invoke", {}),
    "kms:Encrypt": ("Encrypt", {"Plaintext": b"tried"}),
    "sqs:SendMessage": ("SendMessage", {"MessageBody": "tried"}),
    "sns:Publish": ("Publish", {"Message": "tried"}),
}
# What a required parameter is called, and the part of an ARN's last part that it is.
_PARTS = {
    "Bucket": r"^([^/]+)",
    "Key": r"^[^/]+/(.+)",
    "UserName": r"^user/(?:.*/)?([^/]+)$",
    "RoleName": r"^role/(?:.*/)?([^/]+)$",
    "GroupName": r"^group/(?:.*/)?([^/]+)$",
    "FunctionName": r"^function:(.+)",
    "TableName": r"^table/([^/]+)",
}  # fmt: skip
_WHOLE = ("KeyId", "RoleArn", "PolicyArn", "TopicArn", "SecretId", "ResourceArn")


def try_really(world: Any, answer: Answer, *, saved: bool) -> str:
    """Make the call that the question is about, in the world as it is saved, with credentials of whoever asks: what AWS
    really answered and whether the panel says the same, or why the lab cannot make the call."""
    question = answer.question
    call = _call(question.action, question.resource)
    if call is None:
        what = f"The lab does not know a call that needs {question.action} and nothing else."
        return f"{what} Make it yourself in a cell."
    operation, parameters = call
    try:
        key, secret, token = world.inspect.credentials(question.who)
    except LookupError as error:
        return f"{error.args[0]} So it cannot be tried."
    if external := question.circumstances.get("sts:ExternalId"):
        parameters["ExternalId"] = external
    service = question.action.partition(":")[0]
    client = boto3.Session(key, secret, token, region_name="us-east-1").client(service)
    outcome = attempt(getattr(client, xform_name(operation)), **parameters)
    return _comparison(answer, outcome, saved)


def _comparison(answer: Answer, tried: Attempt, saved: bool) -> str:
    keys = {key for key in answer.question.circumstances if key != "sts:ExternalId"}
    result = "AWS carried it out." if tried.allowed else f"AWS refused it: {tried.code}: {tried.message}"
    if tried.allowed == answer.allowed:
        return f"Really tried: {result} The panel says the same."
    if not saved:
        return f"Really tried: {result} Your text is not saved yet; AWS goes by its own."
    if keys:
        missing = ", ".join(sorted(keys))
        return f"Really tried: {result} The call was made as things are, without the circumstances {missing}."
    return f"Really tried: {result} The panel says otherwise: {answer.word}."


def _call(action: str, resource: str) -> tuple[str, dict[str, Any]] | None:
    """The operation that needs an action, and its parameters out of the resource's ARN; None where these do not do."""
    service, _, name = action.partition(":")
    operation, extra = _CALLS.get(action, (name, {}))
    required = _required(service, operation)
    if required is None:
        return None
    if resource.count(":") < 5:
        resource = f"arn:aws::::{resource}"
    tail = resource.split(":", 5)[5]
    parameters = dict(extra)
    for member in required:
        if member in parameters:
            continue
        if member == "QueueUrl":
            _, _, _, region, account, queue = resource.split(":", 5)
            parameters[member] = f"https://sqs.{region}.amazonaws.com/{account}/{queue}"
        elif member in _WHOLE:
            parameters[member] = resource
        elif (part := re.search(_PARTS.get(member, "$^"), tail)) and "*" not in part[1]:
            parameters[member] = part[1]
        else:
            return None
    if service == "sns" and operation == "Publish":
        parameters["TopicArn"] = resource
    return operation, parameters


@cache
def _required(service: str, operation: str) -> tuple[str, ...] | None:
    core = botocore.session.get_session()
    if service not in core.get_available_services():
        return None
    model = core.get_service_model(service)
    if operation not in model.operation_names:
        return None
    shape = model.operation_model(operation).input_shape
    return tuple(shape.required_members) if shape is not None else ()
