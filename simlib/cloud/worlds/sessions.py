"""Temporary credentials and the identity providers outside of AWS: what keeps the keys in somebody's hand alive."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from simlib.cloud.credentials.issuer import Issuer
from simlib.cloud.credentials.sessions import Session, Sessions
from simlib.cloud.worlds.shape import BYTES, DATE, TEXT, TRUTH, Kind, document, matching
from simlib.iam import Policy


def _read_context(value: Any) -> dict[str, str | list[str]]:
    pairs = value.items() if isinstance(value, dict) else [(0, 0)]
    if not all(isinstance(k, str) and all(isinstance(one, str) for one in _listed(v)) for k, v in pairs):
        raise ValueError("is not an object of texts and lists of texts")
    return dict(value)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


SHAPE = {
    "AccessKeyId": matching(r"ASIA[A-Z0-9]{16}", "an access key ID: ASIA and 16 letters and digits"),
    "SecretAccessKey": TEXT,
    "SessionToken": TEXT,
    "Kind": TEXT,
    "Account": matching(r"\d{12}", "the twelve digits of an account's ID"),
    "Arn": matching(r"arn:aws:[\x21-\x7e]+", "an ARN"),
    "UserId": TEXT,
    "IssuedAt": DATE,
    "Expires": DATE,
    "Context?": Kind(_read_context, dict),
    "RoleName?": TEXT,
    "RoleId?": TEXT,
    "UserName?": TEXT,
    "Limited?": TRUTH,
    "SessionPolicies?": [{"Name?": TEXT, "Document": document("identity")}],
    "IssuedTo?": TEXT,
    "IdentityId?": TEXT,
    "Transitive?": [TEXT],
}
ISSUER = {"Url": TEXT, "Unreachable?": TRUTH, "Key?": BYTES, "RejectedTokens?": [TEXT]}
_MEMBERS = {field.name: "".join(word.title() for word in field.name.split("_")) for field in fields(Session)}


def details(sessions: Sessions) -> list[dict[str, Any]]:
    return [_of_session(session) for session in sessions]


def _of_session(session: Session) -> dict[str, Any]:
    told = {member: getattr(session, name) for name, member in _MEMBERS.items()}
    policies = session.session_policies
    told["SessionPolicies"] = [{"Name": p.name, "Document": json.dumps(p.document)} for p in policies or ()]
    # no session policy, and none that allows anything, are different limits
    return {**told, "Limited": True if policies is not None else None, "Transitive": list(session.transitive)}


def restored(told: Mapping[str, Any]) -> Session:
    given = {name: told[member] for name, member in _MEMBERS.items() if member in told}
    given["transitive"] = tuple(told.get("Transitive", ()))
    policies = told.get("SessionPolicies", ())
    if told.get("Limited") or policies:
        read = (Policy.parse(policy["Document"], "identity", name=policy.get("Name", "")) for policy in policies)
        given["session_policies"] = tuple(read)
    return Session(**given)


def issuer_details(issuers: Mapping[str, Issuer]) -> list[dict[str, Any]]:
    return [
        {
            "Url": issuer.url,
            "Unreachable": True if not issuer.reachable else None,
            "Key": issuer.exported_key(),
            "RejectedTokens": sorted(issuer.rejected),
        }
        for issuer in issuers.values()
    ]


def restored_issuer(told: Mapping[str, Any], now: Callable[[], datetime]) -> Issuer:
    """Raises `ValueError` for a key that is none."""
    made = Issuer(told["Url"], now)
    made.reachable = not told.get("Unreachable", False)
    made.rejected.update(told.get("RejectedTokens", ()))
    if "Key" in told:
        made.import_key(told["Key"])
    return made
