"""What a request for temporary credentials asks to give the session: session policies, tags, a source identity.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from simlib.cloud.call_context import CallContext
from simlib.cloud.credentials.sessions import Caller, Session
from simlib.cloud.permissions.authorization import decide
from simlib.cloud.permissions.permission import Context, Permission, tag_keys
from simlib.cloud.services import documents
from simlib.cloud.storage import store
from simlib.cloud.storage.stored import StoredIdentity, cached_policy
from simlib.cloud.transport.answers import Refusal
from simlib.iam import Policy

DEFAULT_SECONDS = 3600  # of roles
_SIZE = 2048  # characters of session policies, UG/reference_iam-quotas; also the bytes that count as packed full


class SessionOptions(NamedTuple):
    """What a session is to get.

    `also` are the actions that must be allowed besides the operation's: tags and a source identity have their own.
    `request_keys` are the condition keys of the request, `session_keys` those the session will carry; `answer` is what
    the answer says of it all; `transitive` are the keys of tags that sessions chained to this one inherit.
    """

    policies: tuple[Policy, ...] | None
    also: tuple[str, ...]
    request_keys: Context
    session_keys: Context
    answer: Mapping[str, Any]
    transitive: tuple[str, ...]


def session_options(parameters: Mapping[str, Any], caller: Caller) -> SessionOptions:
    """What a request for a session asks for; raises AWS's refusals of what nobody can have."""
    tags = {str(tag["Key"]): str(tag.get("Value", "")) for tag in parameters.get("Tags") or ()}
    transitive = [str(key) for key in parameters.get("TransitiveTagKeys") or ()]
    if not {key.lower() for key in transitive} <= {key.lower() for key in tags}:
        text = "The specified transitive tag key must be included in the requested tags."
        raise Refusal("InvalidParameterValue", text, 400)
    chained, chain = (caller.session.context, caller.session.transitive) if caller.session else ({}, ())
    inherited = {key: str(chained[f"aws:PrincipalTag/{key}"]) for key in chain}
    if {key.lower() for key in inherited} & {key.lower() for key in tags}:
        text = "can't be set because it conflicts with a transitive tag key from the calling session."
        raise Refusal("InvalidParameterValue", f"One of the specified transitive tag keys {text}", 400)
    own, source = str(parameters.get("SourceIdentity") or ""), str(chained.get("aws:SourceIdentity", ""))
    if source and own not in ("", source):  # once set, it stays, whether the request repeats it or not
        raise Refusal("ValidationError", "The source identity is already set for this assume role session", 400)
    source, everything = source or own, {**inherited, **tags}
    policies = session_policies(parameters)
    packed = _packed([parameters.get("Policy"), parameters.get("PolicyArns"), everything])
    if packed > 100 and everything:
        text = f"Packed size of session tags consumes {packed}% of allotted space."
        raise Refusal("PackedPolicyTooLarge", text, 400)
    own_keys: dict[str, str | list[str]] = {
        "aws:TagKeys": list(tags),
        "sts:TransitiveTagKeys": transitive,
        "sts:SourceIdentity": source,
    }
    answer = {"PackedPolicySize": min(packed, 100), "SourceIdentity": source}
    return SessionOptions(
        policies,
        (*(["sts:TagSession"] if everything else []), *(["sts:SetSourceIdentity"] if source else [])),
        {**tag_keys(tags), **{key: value for key, value in own_keys.items() if value}},
        {**tag_keys(everything, "aws:PrincipalTag/"), **({"aws:SourceIdentity": source} if source else {})},
        {member: value for member, value in answer.items() if value},
        (*inherited, *transitive),
    )


def session_policies(parameters: Mapping[str, Any]) -> tuple[Policy, ...] | None:
    """The session policies of a request, None where it has none."""
    text, arns = parameters.get("Policy"), [str(entry.get("arn", "")) for entry in parameters.get("PolicyArns") or []]
    policies = []
    if text is not None:
        if len(text) > _SIZE:
            share = -(-len(text) * 100 // _SIZE)
            text = f"Packed policy consumes {share}% of allotted space, please use smaller policy."
            raise Refusal("PackedPolicyTooLarge", text, 400)
        documents.check(str(text), "session", "session")
        policies.append(cached_policy(text, "session", "session policy"))
    for arn in arns:
        document = store.managed_policy(arn)
        if document is None:
            raise Refusal("ValidationError", f"{arn} does not exist or is not attachable.", 400)
        policies.append(cached_policy(document.text, "identity", arn))  # the limit on length is the inline text's
    return tuple(policies) or None


def _packed(counted: list[Any]) -> int:
    """The share in percent. How AWS packs is not published; here zlib packs what counts (a choice)."""
    return -(-len(zlib.compress(json.dumps(counted).encode())) * 100 // _SIZE) if any(counted) else 0


def assume(
    context: CallContext,
    action: str,
    options: SessionOptions,
    keys: Context,
    denied: Callable[[str], str],
    session_keys: Context = MappingProxyType({}),
    **more: Any,
) -> dict[str, Any]:
    """The answer with a session of the role that a call names, once its trust policy allows what that needs.

    `keys` are the condition keys of the request besides the options', `session_keys` some that stay with the session,
    `more` other members of `Session`. AWS says the same (what `denied` says of an action) whether the role refuses or
    does not exist, on purpose.
    """
    parameters = context.parameters
    arn, name = str(parameters["RoleArn"]), str(parameters["RoleSessionName"])
    role, keys = store.identity_at(arn), {**options.request_keys, "sts:RoleSessionName": name, **keys}
    for needed in (action, *options.also):
        evaluation = context.decide(Permission(needed, arn, arn.split(":")[4], keys))
        if role is None or not evaluation.allowed:
            raise Refusal("AccessDenied", denied(needed), 403, situation="" if role else "no-such-role")
    assert role is not None  # nobody may assume what does not exist
    seconds = int(parameters.get("DurationSeconds", DEFAULT_SECONDS))
    if seconds > role.max_session_seconds:
        text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        raise Refusal("ValidationError", text, 400)
    session = context.sessions.assume(
        role, name, context.now, seconds, session_policies=options.policies,
        context={**options.session_keys, **session_keys}, **more,
    )  # fmt: skip
    user = {"AssumedRoleId": session.user_id, "Arn": session.arn}
    return {"Credentials": credentials(session), "AssumedRoleUser": user, **options.answer}


def trusts(role: StoredIdentity, service: str, around: Mapping[str, str], **keys: str) -> bool:
    """Whether a role's trust policy lets a service assume it; `keys` are further keys of the request's context."""
    permission = Permission("sts:AssumeRole", role.arn, role.account, keys)
    return decide(permission, Caller(service, user_id=service), around).allowed


def credentials(session: Session) -> dict[str, Any]:
    """A session as STS hands it out."""
    return {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.session_token,
        "Expiration": session.expires,
    }
