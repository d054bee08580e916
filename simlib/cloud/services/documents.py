"""Policy documents are checked before moto stores them, and refused in AWS's words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from simlib.cloud.storage.organizations import RCP, SCP, policy_type
from simlib.cloud.storage.stored import parsed
from simlib.cloud.transport.answers import Refusal
from simlib.cloud.transport.calls import Call
from simlib.iam import PolicyError


class _Member(NamedTuple):
    """A member that carries a document, and its kind of policy. `size`: whose quota it has, if not that of its kind."""

    name: str
    kind: str = "resource"
    size: str | None = None


_INLINE = _Member("PolicyDocument", "identity")  # whose size is checked with that of the others (iam_rules)
_DOCUMENTS: Mapping[str, _Member] = {
    "iam:CreateRole": _Member("AssumeRolePolicyDocument", "trust"),
    "iam:UpdateAssumeRolePolicy": _Member("PolicyDocument", "trust"),
    "iam:PutUserPolicy": _INLINE,
    "iam:PutGroupPolicy": _INLINE,
    "iam:PutRolePolicy": _INLINE,
    "iam:CreatePolicy": _Member("PolicyDocument", "identity", "managed"),
    "iam:CreatePolicyVersion": _Member("PolicyDocument", "identity", "managed"),
    "organizations:CreatePolicy": _Member("Content", "scp"),
    "organizations:UpdatePolicy": _Member("Content", "scp"),
    "s3:PutBucketPolicy": _Member("Policy"),
    "kms:CreateKey": _Member("Policy", "key"),
    "kms:PutKeyPolicy": _Member("Policy", "key"),
    "secretsmanager:PutResourcePolicy": _Member("ResourcePolicy"),
    "dynamodb:CreateTable": _Member("ResourcePolicy"),
    "dynamodb:PutResourcePolicy": _Member("Policy"),
    "ecr:SetRepositoryPolicy": _Member("policyText"),
    "sqs:CreateQueue": _Member("Attributes.Policy"),
    "sqs:SetQueueAttributes": _Member("Attributes.Policy"),
    "sns:CreateTopic": _Member("Attributes.Policy"),
    "sns:SetTopicAttributes": _Member("AttributeValue"),
}

_CONTROL_POLICIES = {SCP: "scp", RCP: "rcp"}  # organizations' policies of other types are no policies of IAM's
_STRICT = ("s3", "organizations", "lambda")  # these refuse some of what others save with a warning


def check_written(call: Call) -> None:
    """Refuse a call that would store a document AWS does not accept, or one that names somebody who does not exist."""
    member = _DOCUMENTS.get(call.name)
    text = _text_of(call, member.name) if member is not None else None
    if member is None or text is None:
        return
    kind: str | None = member.kind
    if kind == "scp":
        kind = _CONTROL_POLICIES.get(call.parameters.get("Type") or policy_type(call.parameters.get("PolicyId")))
    if kind is not None:
        parser = kind if call.service == "iam" else call.service
        check(text, kind, parser, size=member.size, bucket=str(call.parameters.get("Bucket", "")))


def _text_of(call: Call, member: str) -> str | None:
    """The document in a member of the call, or in an attribute it sets; None where there is none."""
    if call.name == "sns:SetTopicAttributes" and call.parameters.get("AttributeName") != "Policy":
        return None
    value: Any = call.parameters
    for name in member.split("."):
        value = value.get(name) if value else None
    return None if value is None or (value == "" and "." in member) else str(value)


def check(text: str, kind: str, parser: str, *, size: str | None = None, bucket: str = "") -> None:
    """Refuse a document that a parser (see `refusal_texts`) would not save; `bucket` is the one it is for, if any."""
    from simlib.cloud.services import document_rules  # late: only writing needs them
    from simlib.iam import json_text, refusal_texts, validation

    try:
        located = json_text.read(text)
        problems = validation.problems(located.value, kind, located, stored_as=size, advice=parser in _STRICT)
        if all(problem.level == "warning" for problem in problems):
            problems += document_rules.problems(document_rules.Document(located.value, parser, bucket))
            parsed(text, kind, "")  # what is stored must be something the engine can decide by
    except PolicyError as error:
        problems = list(error.problems)
    answer = refusal_texts.answer(problems, parser)
    if answer is not None:
        # AWS's text seldom says where the mistake is; the trail does
        detail = str(answer.problem)
        raise Refusal(answer.code, answer.text, answer.status, situation="malformed-document", detail=detail)


def span(text: str, line: int, column: int) -> tuple[tuple[int, int, int], ...]:
    """Where the JSON value at a place (from 1) begins and has ended: line (from 1), column and offset (from 0)."""
    begin = sum(len(before) + 1 for before in text.split("\n")[: line - 1]) + column - 1
    try:
        _, end = json.JSONDecoder().raw_decode(text, begin)
    except ValueError:  # nothing ends where the text is broken
        end = len(text)
    return tuple((text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at) - 1, at) for at in (begin, end))
