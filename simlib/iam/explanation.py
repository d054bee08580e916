"""Why: AWS's error text, a learner's sentences and a structured form, all from one evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.iam.principals import Kind

if TYPE_CHECKING:
    from simlib.iam.evaluation import Check, Evaluation

#: How AWS calls the policies of a check (UG/troubleshoot_access-denied).
POLICY_NAMES = {
    "RESOURCE_CONTROL_POLICY": "resource control policy",
    "SERVICE_CONTROL_POLICY": "service control policy",
    "VPC_ENDPOINT": "VPC endpoint policy",
    "RESOURCE": "resource-based policy",
    "PRINCIPAL": "identity-based policy",
    "PERMISSIONS_BOUNDARY": "permissions boundary",
    "SESSION": "session policy",
}


def deciding_check(evaluation: Evaluation) -> Check | None:
    """The check AWS would name: it mentions one only. Among several the first that denies (a choice).

    In the caller's own account an identity policy is what most requests lack, so it goes before the resource's.
    """
    denying = [check for check in evaluation.checks if check.effect == evaluation.effect]
    if evaluation.allowed or not denying:
        return None
    types = [check.check_type for check in denying]
    if evaluation.effect == "IMPLICIT_DENY" and types[0] == "RESOURCE" and "PRINCIPAL" in types:
        own_account = evaluation.request.caller.account == evaluation.request.owner
        return denying[types.index("PRINCIPAL")] if own_account else denying[0]
    return denying[0]


def reason(evaluation: Evaluation) -> str:
    """``because no … policy allows the … action`` or ``with an explicit deny in a … policy`` (UG/troubleshoot_access-denied)."""
    check = deciding_check(evaluation)
    if check is None:
        return ""
    name = POLICY_NAMES[check.check_type]
    if check.effect == "IMPLICIT_DENY":
        return f"because no {name} allows the {evaluation.action} action"
    return f"with an explicit deny in {'an' if name[0] in 'aeiou' else 'a'} {name}"


def message(evaluation: Evaluation) -> str:
    """AWS's exact error text (aws-truth § 5); "" when allowed."""
    if evaluation.allowed:
        return ""
    request = evaluation.request
    assume_role = request.service == "sts"
    if request.caller.kind == Kind.ROOT and request.folded_action == "sts:assumerole":
        return "Roles may not be assumed by root accounts."
    resource = request.resource
    if request.service == "s3":
        if not _in_family(evaluation):
            return "Access Denied"
        resource = f'"{resource}"'
    text = f"User: {request.caller.arn} is not authorized to perform: {request.action} on resource: {resource}"
    return text if assume_role else f"{text} {reason(evaluation)}"


def _in_family(evaluation: Evaluation) -> bool:
    """Whether S3 gives its reason: only within one account or one organization."""
    request = evaluation.request
    ours, theirs = request.values.get("aws:principalorgid"), request.values.get("aws:resourceorgid")
    return request.caller.account == request.owner or (ours is not None and ours == theirs)
