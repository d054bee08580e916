"""Policy documents are checked before moto stores them, and refused in AWS's words."""

from __future__ import annotations

from collections.abc import Mapping

from ..iam import PolicyError
from .answers import Refusal
from .authorization import parsed
from .calls import Call

# the member that carries the document, the kind of policy it is, and the code its service refuses with
_WRITTEN: Mapping[str, tuple[str, str, str]] = {
    "iam:CreateRole": ("AssumeRolePolicyDocument", "trust", "MalformedPolicyDocument"),
    "iam:UpdateAssumeRolePolicy": ("PolicyDocument", "trust", "MalformedPolicyDocument"),
    "iam:PutUserPolicy": ("PolicyDocument", "identity", "MalformedPolicyDocument"),
    "iam:PutGroupPolicy": ("PolicyDocument", "identity", "MalformedPolicyDocument"),
    "iam:PutRolePolicy": ("PolicyDocument", "identity", "MalformedPolicyDocument"),
    "iam:CreatePolicy": ("PolicyDocument", "identity", "MalformedPolicyDocument"),
    "iam:CreatePolicyVersion": ("PolicyDocument", "identity", "MalformedPolicyDocument"),
    "s3:PutBucketPolicy": ("Policy", "resource", "MalformedPolicy"),
    "kms:CreateKey": ("Policy", "resource", "MalformedPolicyDocumentException"),
    "kms:PutKeyPolicy": ("Policy", "resource", "MalformedPolicyDocumentException"),
}


def check_written(call: Call) -> None:
    """Refuse a call that would store a document the engine could not decide by."""
    member, kind, code = _WRITTEN.get(call.name, ("", "", ""))
    text = call.parameters.get(member) if member else None
    if text is None:
        return
    try:
        parsed(str(text), kind, call.name)
    except PolicyError as error:
        raise Refusal(code, aws_text(error, kind), 400) from error


def aws_text(error: PolicyError, kind: str) -> str:
    """The first problem in the words AWS uses for it."""
    from ..iam import validation

    return validation.aws_message(error.problems[0], kind)
