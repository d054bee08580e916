"""What AWS says when it refuses: its exact error text (UG/troubleshoot_access-denied)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.iam.evaluation import IMPLICIT_DENY, Check, Evaluation, in_own_account, is_trust_question
from simlib.iam.principals import Kind

if TYPE_CHECKING:
    from simlib.iam.request import Request

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
    first = denying[0].check_type
    if evaluation.effect == IMPLICIT_DENY and first == "RESOURCE" and in_own_account(evaluation.request):
        return next((check for check in denying if check.check_type == "PRINCIPAL"), denying[0])
    return denying[0]


def reason(evaluation: Evaluation) -> str:
    """``because no … policy allows …`` or ``with an explicit deny in a … policy`` (UG/troubleshoot_access-denied)."""
    check = deciding_check(evaluation)
    if check is None:
        return ""
    name = POLICY_NAMES[check.check_type]
    if check.effect == IMPLICIT_DENY:
        return f"because no {name} allows the {evaluation.action} action"
    return f"with an explicit deny in {with_article(name)}"


def message(evaluation: Evaluation) -> str:
    """AWS's exact error text; "" when allowed. STS gives no reason, and S3 one only to its own family."""
    if evaluation.allowed:
        return ""
    request = evaluation.request
    if request.caller.kind == Kind.ROOT and request.folded_action == "sts:assumerole":
        return "Roles may not be assumed by root accounts."
    resource = request.resource
    if request.service == "s3":
        if not _in_family(request):
            return "Access Denied"
        resource = f'"{resource}"'
    text = f"User: {request.caller.arn} is not authorized to perform: {request.action} on resource: {resource}"
    return text if is_trust_question(request) else f"{text} {reason(evaluation)}{_denying_policy(evaluation)}"


def _denying_policy(evaluation: Evaluation) -> str:
    """``: ARN`` of the managed policy that denies, within one account or organization, as AWS adds it since 2026."""
    check = deciding_check(evaluation)
    if check is None or check.check_type == "RESOURCE" or not _in_family(evaluation.request):
        return ""
    denying = (each.policy.name for each in check.matched_policies if any(s.effect == "Deny" for s in each.statements))
    return next((f": {name}" for name in denying if ":policy/" in name), "")


def _in_family(request: Request) -> bool:
    """Whether S3 gives its reason: only within one account or one organization."""
    ours, theirs = request.values.get("aws:principalorgid"), request.values.get("aws:resourceorgid")
    return in_own_account(request) or (ours is not None and ours == theirs)


def with_article(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
