"""What a request for temporary credentials asks to give the session: session policies, tags, a source identity.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from simlib.cloud.call_context import CallContext
from simlib.cloud.credentials.sessions import Caller, Session, service_caller
from simlib.cloud.permissions.authorization import decide
from simlib.cloud.permissions.permission import Context, Permission
from simlib.cloud.services import documents
from simlib.cloud.storage.store import Store
from simlib.cloud.storage.stored import StoredIdentity, parsed
from simlib.cloud.transport.answers import Refusal
from simlib.iam import Policy

CHAINED_SECONDS = 3600  # also the default of AssumeRole
PLAINTEXT_LIMIT = 2048  # characters of session policies, UG/reference_iam-quotas
_PACKED_LIMIT = 2048

_NOT_REQUESTED = "The specified transitive tag key must be included in the requested tags."
_INHERITED = (
    "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the "
    "calling session."
)
_ABOVE_MAXIMUM = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
_SOURCE_IDENTITY_SET = "The source identity is already set for this assume role session"


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What a session is to get: `tags` are those passed with the request, `inherited` those of the calling session.

    `packed` is the share of AWS's packed limit that policies and tags take up, in percent; None without any.
    """

    policies: tuple[Policy, ...] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive: tuple[str, ...] = ()
    inherited: Mapping[str, str] = field(default_factory=dict)
    source_identity: str = ""
    packed: int | None = None

    def actions(self, operation: str) -> list[str]:
        """The actions to be allowed: tags and a source identity have their own, inherited ones too."""
        tagging = ["sts:TagSession"] if self.tags or self.inherited else []
        return [operation, *tagging, *(["sts:SetSourceIdentity"] if self.source_identity else [])]

    def request_context(self) -> dict[str, str | list[str]]:
        """The condition keys of the request."""
        context: dict[str, str | list[str]] = {f"aws:RequestTag/{key}": value for key, value in self.tags.items()}
        if self.tags:
            context["aws:TagKeys"] = list(self.tags)
        if self.transitive:
            context["sts:TransitiveTagKeys"] = list(self.transitive)
        if self.source_identity:
            context["sts:SourceIdentity"] = self.source_identity
        return context

    def session_context(self) -> dict[str, str | list[str]]:
        """The condition keys the session will carry."""
        tags = {**self.inherited, **self.tags}
        context: dict[str, str | list[str]] = {f"aws:PrincipalTag/{key}": value for key, value in tags.items()}
        return {**context, "aws:SourceIdentity": self.source_identity} if self.source_identity else context


def session_options(parameters: Mapping[str, Any], caller: Caller, store: Store) -> SessionOptions:
    """What a request for a session asks for; raises AWS's refusals of what nobody can have."""
    tags = {str(tag["Key"]): str(tag.get("Value", "")) for tag in parameters.get("Tags") or ()}
    transitive = [str(key) for key in parameters.get("TransitiveTagKeys") or ()]
    if not {key.lower() for key in transitive} <= {key.lower() for key in tags}:
        raise Refusal("InvalidParameterValue", _NOT_REQUESTED, 400)
    inherited = _inherited(caller)
    if {key.lower() for key in inherited} & {key.lower() for key in tags}:
        raise Refusal("InvalidParameterValue", _INHERITED, 400)
    return SessionOptions(
        policies=session_policies(parameters, store),
        tags=tags,
        transitive=tuple(transitive),
        inherited=inherited,
        source_identity=_source_identity(str(parameters.get("SourceIdentity") or ""), caller),
        packed=_packed(parameters, {**inherited, **tags}),
    )


def _inherited(caller: Caller) -> dict[str, str]:
    """The tags a chained session gets from the calling one."""
    session = caller.session
    keys = session.transitive if session else ()
    return {key: str(session.context[f"aws:PrincipalTag/{key}"]) for key in keys} if session else {}


def _source_identity(name: str, caller: Caller) -> str:
    """Once set, it stays; it is passed on whether the request repeats it or not."""
    inherited = str(caller.session.context.get("aws:SourceIdentity", "")) if caller.session else ""
    if inherited and name and name != inherited:
        raise Refusal("ValidationError", _SOURCE_IDENTITY_SET, 400)
    return inherited or name


def session_policies(parameters: Mapping[str, Any], store: Store) -> tuple[Policy, ...] | None:
    """The session policies of a request, None where it has none."""
    text, arns = parameters.get("Policy"), [str(entry.get("arn", "")) for entry in parameters.get("PolicyArns") or []]
    if text is None and not arns:
        return None
    if text is not None and len(text) > PLAINTEXT_LIMIT:
        share = -(-len(text) * 100 // PLAINTEXT_LIMIT)
        raise _too_large(f"Packed policy consumes {share}% of allotted space, please use smaller policy.")
    policies = []
    if text is not None:
        documents.check(str(text), "session", "session")
        policies.append(parsed(text, "session", "session policy"))
    for arn in arns:
        document = store.managed_policy(arn)
        if document is None:
            raise Refusal("ValidationError", f"{arn} does not exist or is not attachable.", 400)
        policies.append(parsed(document.text, "identity", arn))  # the limit on length is the inline text's
    return tuple(policies)


def _packed(parameters: Mapping[str, Any], tags: Mapping[str, str]) -> int | None:
    """How AWS packs is not published; here zlib packs what counts, and the limit is 2,048 bytes (a choice)."""
    counted = [parameters.get("Policy"), parameters.get("PolicyArns"), dict(tags)]
    if not any(counted):
        return None
    share = -(-len(zlib.compress(json.dumps(counted).encode())) * 100 // _PACKED_LIMIT)
    if share > 100 and tags:
        raise _too_large(f"Packed size of session tags consumes {share}% of allotted space.")
    return min(share, 100)


def _too_large(text: str) -> Refusal:
    return Refusal("PackedPolicyTooLarge", text, 400)


def assume(
    context: CallContext,
    action: str,
    options: SessionOptions,
    keys: Context,
    denied: Callable[[str], str],
    session_keys: Context = MappingProxyType({}),
    **more: Any,
) -> Session:
    """A session of the role that a call names, once its trust policy allows the action and what the options need.

    `keys` are the condition keys of the request, `session_keys` some that stay with the session besides the options',
    `more` other members of `Session`. AWS says the same (what `denied` says of an action) whether the role refuses or
    does not exist, on purpose.
    """
    parameters, arn = context.parameters, str(context.parameters["RoleArn"])
    role = context.store.role_by_arn(arn)
    for needed in options.actions(action):
        evaluation = context.decide(Permission(needed, arn, arn.split(":")[4], keys))
        if role is None or not evaluation.allowed:
            raise Refusal("AccessDenied", denied(needed), 403, situation="" if role else "no-such-role")
    assert role is not None  # nobody may assume what does not exist
    seconds = int(parameters.get("DurationSeconds", CHAINED_SECONDS))
    if seconds > role.max_session_seconds:
        raise Refusal("ValidationError", _ABOVE_MAXIMUM, 400)
    return context.sessions.assume(
        role, str(parameters["RoleSessionName"]), context.now, seconds, session_policies=options.policies,
        context={**options.session_context(), **session_keys}, **more,
    )  # fmt: skip


def trusts(role: StoredIdentity, service: str, store: Store, around: Mapping[str, str], **keys: str) -> bool:
    """Whether a role's trust policy lets a service assume it; `keys` are further keys of the request's context."""
    permission = Permission("sts:AssumeRole", role.arn, role.account, keys)
    return decide(permission, service_caller(service), store, around).allowed


def credentials(session: Session) -> dict[str, Any]:
    """A session as STS hands it out."""
    return {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.session_token,
        "Expiration": session.expires,
    }


def assumed(session: Session, options: SessionOptions) -> dict[str, Any]:
    """The answer to whoever assumed a role."""
    answer: dict[str, Any] = {
        "Credentials": credentials(session),
        "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
        **packed_size(options),
    }
    return {**answer, "SourceIdentity": options.source_identity} if options.source_identity else answer


def packed_size(options: SessionOptions) -> dict[str, Any]:
    return {} if options.packed is None else {"PackedPolicySize": options.packed}
