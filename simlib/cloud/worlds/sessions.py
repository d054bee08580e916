"""Temporary credentials and the identity providers outside of AWS: what keeps the keys in somebody's hand alive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from botocore import xform_name

from simlib.cloud.credentials.issuer import Issuer
from simlib.cloud.credentials.sessions import Session
from simlib.cloud.worlds.shape import (
    ACCOUNT_ID,
    ARN,
    BYTES,
    DATE,
    FLAG,
    NOTE,
    NUMBER,
    TEXT,
    At,
    Form,
    document,
    matching,
)
from simlib.iam import Policy


def _read_context(value: Any) -> dict[str, str | list[str]]:
    entries = value.values() if isinstance(value, dict) else [None]
    if not all(isinstance(text, str) for entry in entries for text in (entry if isinstance(entry, list) else [entry])):
        raise ValueError("is not an object of texts and lists of texts")
    return dict(value)


_POLICY = {"Name?": TEXT, "Document": Form(document("identity").read, lambda content: content)}
SESSION = {
    "AccessKeyId": matching(r"ASIA[A-Z0-9]{16}", "an access key ID: ASIA and 16 letters and digits"),
    "SecretAccessKey": TEXT,
    "SessionToken": TEXT,
    "Kind": TEXT,
    "Account": ACCOUNT_ID,
    "Arn": ARN,
    "UserId": TEXT,
    "IssuedAt": DATE,
    "Expires": DATE,
    "Context?": Form(_read_context, dict),
    "RoleName?": TEXT,
    "RoleId?": TEXT,
    "UserName?": TEXT,
    # no session policy, and none that allows anything, are different limits
    "Limited?": At(lambda _, session: session.session_policies is not None, FLAG),
    "SessionPolicies?": At(lambda _, session: session.session_policies or (), [_POLICY]),
    "IssuedTo?": TEXT,
    "IssuedBy?": NOTE,
    "RoleMaximum?": Form(NUMBER.read, lambda value: value or None),
    "IdentityId?": TEXT,
    "Transitive?": [TEXT],
}
ISSUER = {
    "Url": TEXT,
    "Unreachable?": At(lambda _, issuer: not issuer.reachable, FLAG),
    "Key?": At(lambda _, issuer: issuer.exported_key(), BYTES),
    "RejectedTokens?": At(lambda _, issuer: sorted(issuer.rejected), [TEXT]),
}


def restored(entry: Mapping[str, Any]) -> Session:
    apart = ("Limited", "SessionPolicies", "Transitive")
    values = {xform_name(name): value for name, value in entry.items() if name not in apart}
    if entry.get("Limited") or entry.get("SessionPolicies"):
        values["session_policies"] = tuple(
            Policy.parse(policy["Document"], "identity", name=policy.get("Name", ""))
            for policy in entry.get("SessionPolicies", ())
        )
    return Session(**values, transitive=tuple(entry.get("Transitive", ())))


def restored_issuer(entry: Mapping[str, Any], now: Callable[[], datetime]) -> Issuer:
    """Raises `ValueError` for a key that is none."""
    issuer = Issuer(entry["Url"], now)
    issuer.reachable = not entry.get("Unreachable", False)
    issuer.rejected.update(entry.get("RejectedTokens", ()))
    if "Key" in entry:
        issuer.import_key(entry["Key"])
    return issuer
