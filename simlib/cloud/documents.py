"""Policy documents are checked before moto stores them, and refused in AWS's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..iam import PolicyError, Problem
from .answers import Refusal
from .authorization import parsed
from .calls import Call


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
    "s3:PutBucketPolicy": _Written("Policy", "resource", code="MalformedPolicy"),
    "kms:CreateKey": _Written("Policy", "resource", code="MalformedPolicyDocumentException"),
    "kms:PutKeyPolicy": _Written("Policy", "resource", code="MalformedPolicyDocumentException"),
}


def check_written(call: Call) -> None:
    """Refuse a call that would store a document AWS does not accept."""
    written = _WRITTEN.get(call.name)
    if call.parameters.get("Type") == "RESOURCE_CONTROL_POLICY" and written is not None:
        written = replace(written, kind="rcp")
    if written is not None and written.member in call.parameters:
        _check(str(call.parameters[written.member]), written, call.service)


def check_session_policy(text: str) -> None:
    """Refuse a session policy AWS would not take."""
    _check(text, _Written("Policy", "session"), "sts")


def _check(text: str, written: _Written, service: str) -> None:
    from ..iam import validation  # late: only writing needs it

    problem = validation.refusal(_problems(text, written, service), written.kind, service)
    if problem is None:
        return
    message = validation.aws_message(problem, written.kind)
    too_long = problem.code == "policy-size" and service == "iam"
    code, status = ("LimitExceeded", 409) if too_long else (written.code, 400)
    # AWS's text seldom says where the mistake is; the trail does
    raise Refusal(code, message, status, situation="malformed-document", detail=str(problem))


def _problems(text: str, written: _Written, service: str) -> Sequence[Problem]:
    from ..iam import validation
    from ..iam.json_text import read

    try:
        located = read(text)
        found = validation.problems(
            located.value, written.kind, located, stored_as=written.stored_as, advice=service == "s3"
        )
        if not any(problem.level == "error" for problem in found):
            parsed(text, written.kind, "")  # what is stored must be something the engine can decide by
    except PolicyError as error:
        return error.problems
    return found
