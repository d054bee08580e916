"""STS, answered by the lab itself: who gets temporary credentials, and for how long.

https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ..iam import Evaluation, Policy
from . import documents
from .answers import Refusal
from .authorization import circumstances, decide, parsed
from .desk import Desk
from .requested import Requested
from .sessions import Caller, Session, Sessions
from .store import Store, StoredIdentity

CHAINED_SECONDS = 3600
PLAINTEXT_LIMIT = 2048  # characters of session policies, UG/reference_iam-quotas


def _get_caller_identity(desk: Desk) -> Mapping[str, Any]:
    """Needs no permission, https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""
    return {"UserId": desk.caller.user_id, "Account": desk.caller.account, "Arn": desk.caller.arn}


def _get_session_token(desk: Desk) -> Mapping[str, Any]:
    """Needs no permission, but long-term credentials of a user.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
    """
    if desk.caller.session or desk.caller.identity is None:
        raise Refusal("AccessDenied", "Cannot call GetSessionToken with session credentials", 403)
    _refuse_mfa(desk.parameters)
    seconds = desk.parameters.get("DurationSeconds", 43_200)
    return {"Credentials": credentials(desk.sessions.for_user(desk.caller.identity, desk.now, seconds))}


def _assume_role(desk: Desk) -> Mapping[str, Any]:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
    wanted = desk.parameters
    arn = str(wanted["RoleArn"])
    if arn.count(":") < 5 or not arn.split(":")[5].startswith("role/"):
        raise Refusal("ValidationError", f"{arn} is invalid", 400)
    seconds = wanted.get("DurationSeconds", CHAINED_SECONDS)
    if desk.caller.session and seconds > CHAINED_SECONDS:
        raise Refusal(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
            400,
        )
    session_policies = _session_policies(desk)
    role = desk.store.role_by_arn(arn)
    _authorise_assumption(desk, arn, role)
    assert role is not None  # nobody may assume what does not exist
    _refuse_mfa(wanted)
    if seconds > role.max_session_seconds:
        raise Refusal(
            "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", 400
        )
    name = str(wanted["RoleSessionName"])
    session = desk.sessions.assume(
        role,
        name,
        desk.now,
        seconds,
        context=_session_context(desk),
        session_policies=session_policies,
        issued_to=desk.caller.arn,
    )
    answer: dict[str, Any] = {
        "Credentials": credentials(session),
        "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
    }
    if session_policies:
        answer["PackedPolicySize"] = _packed_size(desk)
    if "SourceIdentity" in wanted:
        answer["SourceIdentity"] = wanted["SourceIdentity"]
    return answer


def _authorise_assumption(desk: Desk, arn: str, role: StoredIdentity | None) -> None:
    """The trust policy is the role's resource policy; tags and a source identity are actions of their own."""
    trust = parsed(role.trust_policy, "trust", f"{arn} (trust policy)") if role else None
    context = _assumption_context(desk)
    actions = ["sts:AssumeRole"]
    actions += ["sts:TagSession"] if desk.parameters.get("Tags") else []
    actions += ["sts:SetSourceIdentity"] if "SourceIdentity" in desk.parameters else []
    for action in actions:
        evaluation = desk.decide(Requested(action, arn, arn.split(":")[4], context), resource_policy=trust)
        if role is None or not evaluation.allowed:
            # AWS says the same whether the role refuses or does not exist, on purpose
            text = f"User: {desk.caller.arn} is not authorized to perform: {action} on resource: {arn}"
            raise Refusal("AccessDenied", text, 403, situation="" if role else "no-such-role")


def _assumption_context(desk: Desk) -> dict[str, str | list[str]]:
    wanted = desk.parameters
    context: dict[str, str | list[str]] = {"sts:RoleSessionName": str(wanted["RoleSessionName"])}
    for member, key in (("ExternalId", "sts:ExternalId"), ("SourceIdentity", "sts:SourceIdentity")):
        if member in wanted:
            context[key] = str(wanted[member])
    tags = {str(tag["Key"]): str(tag.get("Value", "")) for tag in wanted.get("Tags", [])}
    context |= {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    if tags:
        context["aws:TagKeys"] = list(tags)
    if transitive := wanted.get("TransitiveTagKeys"):
        context["sts:TransitiveTagKeys"] = [str(key) for key in transitive]
    return context


def _session_context(desk: Desk) -> dict[str, str | list[str]]:
    """What the new session carries along."""
    context: dict[str, str | list[str]] = {
        f"aws:PrincipalTag/{tag['Key']}": str(tag.get("Value", "")) for tag in desk.parameters.get("Tags", [])
    }
    source = desk.parameters.get("SourceIdentity") or desk.caller.context.get("aws:SourceIdentity")
    if source:
        context["aws:SourceIdentity"] = source
    return context


def _session_policies(desk: Desk) -> tuple[Policy, ...] | None:
    wanted = desk.parameters
    text, arns = wanted.get("Policy"), [str(entry.get("arn", "")) for entry in wanted.get("PolicyArns") or []]
    if text is None and not arns:
        return None
    if text is not None and len(text) > PLAINTEXT_LIMIT:
        raise Refusal("PackedPolicyTooLarge", "The requested policy is too large. (packed size above 100%)", 400)
    policies = []
    if text is not None:
        documents.check_session_policy(str(text))
        policies.append(parsed(text, "session", "session policy"))
    for arn in arns:
        document = desk.store.managed_policy(arn) if arn.count(":") >= 5 else None
        if document is None:
            raise Refusal("ValidationError", f"{arn} does not exist or is not attachable.", 400)
        policies.append(parsed(document.text, "session", arn))
    return tuple(policies)


def _packed_size(desk: Desk) -> int:
    """AWS's packing is not published; the share of the plaintext limit is the lab's choice."""
    return max(1, len(json.dumps(desk.parameters.get("Policy", ""))) * 100 // PLAINTEXT_LIMIT)


def _refuse_mfa(wanted: Mapping[str, Any]) -> None:
    """The lab has no MFA devices yet, so no code can be right."""
    if "SerialNumber" in wanted or "TokenCode" in wanted:
        text = "MultiFactorAuthentication failed with invalid MFA one time pass code."
        raise Refusal("AccessDenied", text, 403)


class ServiceNotTrusted(Exception):
    """A service may not use a role: the role's trust policy does not let it in. `evaluation` says why."""

    def __init__(self, service: str, role: StoredIdentity, evaluation: Evaluation) -> None:
        super().__init__(f"{service} cannot assume {role.arn}: {evaluation.reason or 'its trust policy says no'}")
        self.evaluation = evaluation


def assume_for_service(
    service: str,
    role: StoredIdentity,
    session_name: str,
    now: datetime,
    seconds: int,
    store: Store,
    sessions: Sessions,
    context: Mapping[str, str | list[str]],
) -> Session:
    """What AWS itself does for an instance or a function: the service assumes the role and passes credentials on.

    Raises `ServiceNotTrusted`. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2.html
    """
    trust = parsed(role.trust_policy, "trust", f"{role.arn} (trust policy)")
    caller = Caller(service, "", service, "", None)
    around = circumstances(now, "", service, "us-east-1")
    evaluation = decide(
        Requested("sts:AssumeRole", role.arn, role.account), caller, store, around, resource_policy=trust
    )
    if not evaluation.allowed:
        raise ServiceNotTrusted(service, role, evaluation)
    return sessions.assume(role, session_name, now, seconds, kind="EC2", context=context, issued_to=service)


def credentials(session: Session) -> dict[str, Any]:
    """A session as STS hands it out."""
    return {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.session_token,
        "Expiration": session.expires,
    }


ANSWERS: Mapping[str, Callable[[Desk], Mapping[str, Any]]] = {
    "sts:AssumeRole": _assume_role,
    "sts:GetCallerIdentity": _get_caller_identity,
    "sts:GetSessionToken": _get_session_token,
}
