"""Policy documents are checked before moto stores them, and refused in AWS's words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from simlib.cloud.permissions.authorization import parsed
from simlib.cloud.services import named_principals
from simlib.cloud.storage.organizations import RCP, SCP, policy_type
from simlib.cloud.storage.store import Store
from simlib.cloud.transport.answers import Refusal
from simlib.cloud.transport.calls import Call
from simlib.iam import PolicyError, Problem


@dataclass(frozen=True, slots=True)
class _Written:
    """A member that carries a document: its kind of policy, where it is stored, and the code of a refusal."""

    member: str
    kind: str = "identity"
    stored_as: str | None = None
    code: str = "MalformedPolicyDocument"


_WRITTEN: Mapping[str, _Written] = {
    "iam:CreateRole": _Written("AssumeRolePolicyDocument", "trust"),
    "iam:UpdateAssumeRolePolicy": _Written("PolicyDocument", "trust"),
    "iam:PutUserPolicy": _Written("PolicyDocument", stored_as="user"),
    "iam:PutGroupPolicy": _Written("PolicyDocument", stored_as="group"),
    "iam:PutRolePolicy": _Written("PolicyDocument", stored_as="role"),
    "iam:CreatePolicy": _Written("PolicyDocument", stored_as="managed"),
    "iam:CreatePolicyVersion": _Written("PolicyDocument", stored_as="managed"),
    "organizations:CreatePolicy": _Written("Content", "scp", code="MalformedPolicyDocumentException"),
    "organizations:UpdatePolicy": _Written("Content", "scp", code="MalformedPolicyDocumentException"),
    "s3:PutBucketPolicy": _Written("Policy", "resource", code="MalformedPolicy"),
    "kms:CreateKey": _Written("Policy", "resource", code="MalformedPolicyDocumentException"),
    "kms:PutKeyPolicy": _Written("Policy", "resource", code="MalformedPolicyDocumentException"),
    "secretsmanager:PutResourcePolicy": _Written("ResourcePolicy", "resource", code="MalformedPolicyDocumentException"),
    "dynamodb:CreateTable": _Written("ResourcePolicy", "resource", code="ValidationException"),
    "dynamodb:PutResourcePolicy": _Written("Policy", "resource", code="ValidationException"),
    "sqs:CreateQueue": _Written("Attributes.Policy", "resource", code="InvalidAttributeValue"),
    "sqs:SetQueueAttributes": _Written("Attributes.Policy", "resource", code="InvalidAttributeValue"),
    "sns:CreateTopic": _Written("Attributes.Policy", "resource", code="InvalidParameter"),
    "sns:SetTopicAttributes": _Written("AttributeValue", "resource", code="InvalidParameter"),
}

_CONTROL_POLICIES = {SCP: "scp", RCP: "rcp"}  # organizations' policies of other types are no policies of IAM's

# Services with a text of their own for whatever is wrong with a document
_MALFORMED = {
    "sqs": "Invalid value for the parameter Policy.",
    "sns": "Invalid parameter: Policy Error: {}",
    "secretsmanager": "This resource policy contains a syntax error.",
    "dynamodb": "Invalid policy document: {}",
}


# What a service says of a principal of a type and a name that does not exist
_UNKNOWN_PRINCIPAL = {
    "iam": 'Invalid principal in policy: "{}":"{}"',
    "s3": "Invalid principal in policy",
    "kms": "Policy contains a statement with one or more invalid principals.",
    "sqs": "Invalid value for the parameter Policy.",
    "sns": "Invalid parameter: Policy Error: PrincipalNotFound",
    "secretsmanager": "This resource policy contains an unsupported principal.",
    "dynamodb": "Invalid policy document: Invalid principal in policy",
}


def check_written(call: Call, store: Store) -> None:
    """Refuse a call that would store a document AWS does not accept, or one that names somebody who does not exist."""
    written = _WRITTEN.get(call.name)
    if written is not None and call.service == "organizations":
        kind = _CONTROL_POLICIES.get(call.parameters.get("Type") or policy_type(call.parameters.get("PolicyId")))
        written = replace(written, kind=kind) if kind else None
    text = _text_of(call, written.member) if written is not None else None
    if written is not None and text is not None:
        _check(text, written, call.service, str(call.parameters.get(f"{(written.stored_as or '').title()}Name", "")))
        if written.kind in ("trust", "resource"):
            _check_principals(text, written, call.service, store)


def _text_of(call: Call, member: str) -> str | None:
    """The document in a member of the call, or in an attribute it sets; None where there is none."""
    given = call.parameters
    if call.name == "sns:SetTopicAttributes" and given.get("AttributeName") != "Policy":
        return None
    outer, _, inner = member.partition(".")
    found = (given.get(outer) or {}).get(inner) or None if inner else given.get(outer)
    return None if found is None else str(found)


def _check_principals(text: str, written: _Written, service: str, store: Store) -> None:
    if unknown := named_principals.first_unknown(json.loads(text), store):
        message = _UNKNOWN_PRINCIPAL[service].format(*unknown)
        raise Refusal(written.code, message, 400, situation="malformed-document", detail=":".join(unknown))


def check_session_policy(text: str) -> None:
    """Refuse a session policy AWS would not take."""
    _check(text, _Written("Policy", "session"), "sts")


def _check(text: str, written: _Written, service: str, owner: str = "") -> None:
    """`owner` is the user, group or role whose inline policy this is to be."""
    from simlib.iam import validation  # late: only writing needs it

    problem = validation.refusal(_problems(text, written, service), written.kind, service)
    if problem is None:
        return
    message = validation.aws_message(problem, written.kind)
    message = _MALFORMED.get(service, "{}").format(message)
    if message.endswith(" exceeded for " + str(written.stored_as)):
        message += f" {owner}"
    too_long = problem.code == "policy-size" and service == "iam"
    code, status = ("LimitExceeded", 409) if too_long else (written.code, 400)
    # AWS's text seldom says where the mistake is; the trail does
    raise Refusal(code, message, status, situation="malformed-document", detail=str(problem))


def _problems(text: str, written: _Written, service: str) -> Sequence[Problem]:
    from simlib.iam import validation
    from simlib.iam.json_text import read

    try:
        located = read(text)
        found = validation.problems(
            located.value, written.kind, located, stored_as=written.stored_as, advice=service == "s3"
        )
        if all(problem.level == "warning" for problem in found):
            parsed(text, written.kind, "")  # what is stored must be something the engine can decide by
    except PolicyError as error:
        return error.problems
    return found
