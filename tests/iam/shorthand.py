"""Short names for what the tables of cases are made of."""

from __future__ import annotations

from typing import Any

from simlib.iam import Evaluation, Policy, PolicySet, Request, evaluate
from simlib.iam.scenario import answer

OWN, OTHER = "111111111111", "222222222222"
ALICE = f"arn:aws:iam::{OWN}:user/alice"
BOB = f"arn:aws:iam::{OWN}:user/team/bob"
ROOT = f"arn:aws:iam::{OWN}:root"
ROLE = f"arn:aws:iam::{OWN}:role/app"
SESSION = f"arn:aws:sts::{OWN}:assumed-role/app/session-1"
CAROL = f"arn:aws:sts::{OWN}:federated-user/carol"
OIDC = f"arn:aws:iam::{OWN}:oidc-provider/token.actions.githubusercontent.com"
SAML = f"arn:aws:iam::{OWN}:saml-provider/corporate"
EC2 = "ec2.amazonaws.com"

OBJECT = "arn:aws:s3:::bucket/report.txt"
KEY = f"arn:aws:kms:us-east-1:{OWN}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TARGET = f"arn:aws:iam::{OWN}:role/target"
OTHER_TARGET = f"arn:aws:iam::{OTHER}:role/target"


def statement(effect: str, action: Any = "*", resource: Any = "*", **others: Any) -> dict[str, Any]:
    """A statement; ``resource=None`` leaves Resource out, other elements are given by their names."""
    made = {"Effect": effect, "Action": action, "Resource": resource, **others}
    return {name: value for name, value in made.items() if value is not None}


def allow(action: Any = "*", resource: Any = "*", **others: Any) -> dict[str, Any]:
    return statement("Allow", action, resource, **others)


def deny(action: Any = "*", resource: Any = "*", **others: Any) -> dict[str, Any]:
    return statement("Deny", action, resource, **others)


def policy(*statements: dict[str, Any], kind: str = "identity", name: str = "") -> Policy:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return Policy.parse(document, kind, name=name or kind)


def resource_policy(principal: Any, *others: dict[str, Any], action: Any = "*") -> Policy:
    """A resource-based policy that allows a principal."""
    return policy(allow(action, Principal=principal), *others, kind="resource", name="bucket-policy")


def trust(principal: Any, *others: dict[str, Any], action: Any = "sts:AssumeRole") -> Policy:
    return policy(allow(action, None, Principal=principal), *others, kind="trust", name="trust-policy")


ALLOW_ALL = policy(allow(), name="allow-all")
ALLOW_NOTHING = policy(name="allow-nothing")
ALLOW_OTHERS = policy(allow("ec2:DescribeRegions"), name="allow-others")

GRANTED, REFUSED, DENIED = "ALLOW", "IMPLICIT_DENY", "EXPLICIT_DENY"
DENY_ALL = policy(deny(), name="deny-all")
FULL_ACCESS = policy(allow(), kind="scp", name="FullAWSAccess")
SCP_OTHERS = policy(allow("ec2:*"), kind="scp", name="scp-others")
SCP_DENY = policy(allow(), deny("s3:*"), kind="scp", name="scp-deny")
RCP_FULL = policy(allow(Principal="*"), kind="rcp", name="RCPFullAWSAccess")


def rcp_deny(action: str = "*") -> Any:
    return policy(deny(action, Principal="*"), kind="rcp", name="rcp-deny")


def decide(principal: str, action: str, resource: str, policies: PolicySet | None = None, **request: Any) -> str:
    """The decision alone."""
    return evaluate(Request(principal, action, resource, **request), policies or PolicySet()).effect


def effects(principal: str, action: str, resource: str, policies: PolicySet, **request: Any) -> dict[str, str]:
    """The effect of each check, by its type; levels are joined with a comma."""
    found: dict[str, str] = {}
    for check in evaluate(Request(principal, action, resource, **request), policies).checks:
        before = found.get(check.check_type)
        found[check.check_type] = f"{before}, {check.effect}" if before else check.effect
    return found


def form_of(evaluation: Evaluation) -> dict[str, Any]:
    """All that an evaluation says, as plain objects; what decided is compared by its sentences."""
    return {
        **answer(evaluation),
        "context": dict(evaluation.context),
        "explanation": evaluation.explain(),
        "hint": evaluation.hint(),
        "deciding": [each.title for each in evaluation.deciding.statements] if evaluation.checks else [],
        "statements": [(each.sentence, each.meaning, each.misses, each.elements) for each in evaluation.statements],
    }
