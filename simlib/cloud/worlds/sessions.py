"""Temporary credentials and the identity providers outside of AWS: what keeps the keys in somebody's hand alive."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from simlib.cloud.credentials.issuer import Issuer
from simlib.cloud.credentials.sessions import Session
from simlib.cloud.worlds.shape import VIEWS, attributes
from simlib.iam import Policy

VIEWS.update(
    limited=lambda _, session: session.session_policies is not None,
    unreachable=lambda _, issuer: not issuer.reachable,
    rejected=lambda _, issuer: sorted(issuer.rejected),
)


def restore(entry: Mapping[str, Any]) -> Session:
    values = attributes("Session", entry)
    if entry.get("Limited") or entry.get("SessionPolicies"):
        values["session_policies"] = tuple(
            Policy.parse(policy["Document"], "identity", name=policy.get("Name", ""))
            for policy in entry.get("SessionPolicies", ())
        )
    return Session(**{**values, "transitive": tuple(entry.get("Transitive", ()))})


def restore_issuer(entry: Mapping[str, Any]) -> Issuer:
    """Raises `ValueError` for a key that is none."""
    issuer = Issuer(entry["Url"], lambda: datetime.now(UTC))
    issuer.reachable = not entry.get("Unreachable", False)
    issuer.rejected.update(entry.get("RejectedTokens", ()))
    if "Key" in entry:
        issuer.import_key(entry["Key"])
    return issuer
