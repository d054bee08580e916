"""Where a call is worked on: who calls, what is asked, the world it happens in, and every decision taken for it."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simlib.cloud import encoded_message
from simlib.cloud.credentials.sessions import Caller, Sessions
from simlib.cloud.permissions.authorization import decide
from simlib.cloud.permissions.call_permissions import Permission
from simlib.cloud.permissions.service_table import by_prefix
from simlib.cloud.storage import buckets
from simlib.cloud.trail import Trail
from simlib.cloud.transport import answers
from simlib.cloud.transport.answers import Refusal
from simlib.cloud.transport.calls import Call
from simlib.iam import Evaluation

_LETTERS = string.ascii_lowercase + string.digits
_READING = ("Describe", "Get", "Search")  # EC2 encodes no message for those


@dataclass(frozen=True, slots=True)
class DeferredAnswer:
    """An answer that takes work which calls AWS itself: `work` is done without the gate's lock, `finish` makes the
    operation's result of what it brought, and the gate's answer of that."""

    work: Callable[[], Any]
    finish: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class CallContext:
    """A call whose caller is known; `around` are the circumstances of the request as condition keys.

    `show_ids`: whether denials tell their authorization ID.
    """

    call: Call
    caller: Caller
    now: datetime
    sessions: Sessions
    around: Mapping[str, str]
    trail: Trail
    show_ids: bool = False
    evaluations: list[Evaluation] = field(default_factory=list)

    @property
    def parameters(self) -> Mapping[str, Any]:
        return self.call.parameters

    def decide(self, permission: Permission) -> Evaluation:
        """The decision on one permission, kept for the trail."""
        evaluation = decide(permission, self.caller, self.around)
        self.evaluations.append(evaluation)
        return evaluation

    def require(self, permission: Permission) -> None:
        """Raise the service's refusal unless the caller may do what is asked."""
        evaluation = self.decide(permission)
        if not evaluation.allowed:
            raise self._denied(permission, evaluation)

    def _denied(self, permission: Permission, evaluation: Evaluation) -> Refusal:
        service = self.call.service
        if service == "s3" and self._missing_bucket():
            return Refusal("NoSuchBucket", "The specified bucket does not exist", 404)
        text = _refusal_text(permission, evaluation.message)
        if service == "ec2" and not self.call.operation.startswith(_READING):
            text += f". Encoded authorization failure message: {encoded_message.encode(evaluation, self.caller)}"
        refusal = answers.access_denied(service, text)
        refusal.code = permission.code or refusal.code
        if service == "iam":
            refusal.authorization_id = "".join(secrets.choice(_LETTERS) for _ in range(25))  # as those that are seen
            if self.show_ids:
                refusal.message = _with_id(text, refusal.authorization_id, self.call.region)
        return refusal

    def _missing_bucket(self) -> bool:
        bucket = self.parameters.get("Bucket")
        return bool(bucket) and self.call.operation != "CreateBucket" and buckets.owner(str(bucket)) is None


def _refusal_text(permission: Permission, message: str) -> str:
    """The engine's error text in the words of the service that was called."""
    facts, label = by_prefix(permission.action.partition(":")[0]), permission.label
    if label is None and permission.resource == "*":
        label = "*" if facts.get("none", "") in ("*", "kind") else ""
    if label is not None:
        named = re.compile(rf' on resource: "?{re.escape(permission.resource)}"?')
        message = named.sub(lambda _: f" on resource: {label}" if label else "", message, count=1)
    if rewording := permission.rewording or facts.get("rewording"):
        pattern, replacement = rewording
        message = re.sub(pattern, replacement, message, count=1, flags=re.DOTALL)
    spelling = facts.get("spelling")
    if spelling:
        own = permission.action.lower() if spelling == "lower" else permission.action.replace("sns:", spelling, 1)
        message = message.replace(permission.action, own)
    return message


def _with_id(text: str, authorization_id: str, region: str) -> str:
    """A denial's text as AWS sends it with an ID, for GetRequestAuthorizationDetails to tell more.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied-authorization-id.html: a preview, of IAM
    alone so far, for callers with credentials of their own. A choice: every such denial gets an ID, in the trail and in
    `aws.why().authorization_id`, but the text shows it only while `aws.authorization_ids` is True. AWS does not promise
    it, the sentence is twice as long as the one it follows, and its link leads to the real AWS console.
    """
    console = f"https://{region}.console.aws.amazon.com/iam/home?region={region}#/authorization-details"
    return (
        f"{text}. Go to {console}/{authorization_id} for complete details, or call the GetRequestAuthorizationDetails "
        f"API with the following authorization id: {authorization_id}"
    )
