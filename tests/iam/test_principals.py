"""Who asks, and whom a Principal or NotPrincipal means."""

from __future__ import annotations

from typing import Any

import pytest

from simlib.iam import Policy, PolicyError, PolicySet, Request, RequestError, evaluate
from simlib.iam.principals import Kind, identify
from tests.iam.shorthand import (
    ALICE,
    ALLOW_ALL,
    BOB,
    CAROL,
    EC2,
    OBJECT,
    OIDC,
    OTHER,
    OWN,
    ROLE,
    ROOT,
    SAML,
    SESSION,
    allow,
    decide,
    deny,
    policy,
)

CANONICAL = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
LINKED = f"arn:aws:sts::{OWN}:assumed-role/AWSServiceRoleForECS/s"
LINKED_ROLE = f"arn:aws:iam::{OWN}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"

# UG/reference_policies_elements_principal; UG/reference_policies_condition-keys for what AWS derives
CALLERS: dict[str, tuple[str, str | None, Kind, dict[str, str]]] = {
    "a user": (
        ALICE,
        None,
        Kind.USER,
        {
            "aws:PrincipalArn": ALICE,
            "aws:PrincipalAccount": OWN,
            "aws:PrincipalType": "User",
            "aws:username": "alice",
        },
    ),
    "a user with a path": (
        BOB,
        None,
        Kind.USER,
        {"aws:PrincipalArn": BOB, "aws:PrincipalAccount": OWN, "aws:PrincipalType": "User", "aws:username": "bob"},
    ),
    "a role": (
        ROLE,
        None,
        Kind.ROLE,
        {"aws:PrincipalArn": ROLE, "aws:PrincipalAccount": OWN, "aws:PrincipalType": "AssumedRole"},
    ),
    "a session shows its role": (
        SESSION,
        None,
        Kind.SESSION,
        {"aws:PrincipalArn": ROLE, "aws:PrincipalAccount": OWN, "aws:PrincipalType": "AssumedRole"},
    ),
    "a session shows its role's path": (
        SESSION,
        f"arn:aws:iam::{OWN}:role/team/app",
        Kind.SESSION,
        {
            "aws:PrincipalArn": f"arn:aws:iam::{OWN}:role/team/app",
            "aws:PrincipalAccount": OWN,
            "aws:PrincipalType": "AssumedRole",
        },
    ),
    "a federated user": (
        CAROL,
        ALICE,
        Kind.FEDERATED_USER,
        {"aws:PrincipalArn": CAROL, "aws:PrincipalAccount": OWN, "aws:PrincipalType": "FederatedUser"},
    ),
    "the root user": (
        ROOT,
        None,
        Kind.ROOT,
        {"aws:PrincipalArn": ROOT, "aws:PrincipalAccount": OWN, "aws:PrincipalType": "Account"},
    ),
    "a web identity": (OIDC, None, Kind.PROVIDER, {}),
    "a SAML identity": (SAML, None, Kind.PROVIDER, {}),
    "Google": ("accounts.google.com", None, Kind.PROVIDER, {}),
    "Amazon": ("www.amazon.com", None, Kind.PROVIDER, {}),
    "Facebook": ("graph.facebook.com", None, Kind.PROVIDER, {}),
    "Cognito is a provider, not a service": ("cognito-identity.amazonaws.com", None, Kind.PROVIDER, {}),
    "a service": (EC2, None, Kind.SERVICE, {}),
    "a service of a region": ("s3.eu-west-1.amazonaws.com", None, Kind.SERVICE, {}),
    "nobody known": ("anonymous", None, Kind.ANONYMOUS, {"aws:PrincipalType": "Anonymous"}),
    "a canonical user ID": (CANONICAL, None, Kind.CANONICAL, {}),
}


@pytest.mark.parametrize(("principal", "role", "kind", "context"), CALLERS.values(), ids=CALLERS)
def test_callers(principal: str, role: str | None, kind: Kind, context: dict[str, str]) -> None:
    caller = identify(principal, role)
    assert (caller.arn, caller.kind) == (principal, kind)
    assert dict(caller.context) == context


def test_what_a_request_carries_is_not_overwritten_by_what_is_derived() -> None:
    request = Request(ALICE, "s3:GetObject", OBJECT, context={"AWS:UserName": "someone", "aws:SourceIp": "10.0.0.1"})
    assert request.values["aws:username"] == "someone"
    context = evaluate(request, PolicySet()).context
    assert context["AWS:UserName"] == "someone"
    assert "aws:username" not in context
    assert context["aws:PrincipalType"] == "User"


def test_only_a_role_with_the_path_of_service_linked_roles_is_one() -> None:
    assert identify(LINKED, LINKED_ROLE).service_linked
    assert identify(LINKED_ROLE).service_linked
    assert not identify(LINKED).service_linked
    assert not identify(f"arn:aws:iam::{OWN}:role/my/aws-service-role/x").service_linked


WRONG_PRINCIPALS = {
    "no ARN": "alice",
    "nothing": "",
    "an ARN that ends too early": "arn:aws:iam",
    "an ARN of no account": "arn:aws:iam:::user/alice",
    "an account ID that is too short": "arn:aws:iam::1234:user/alice",
    "an account ID with letters": "arn:aws:iam::11111111111a:user/alice",
    "a user without a name": f"arn:aws:iam::{OWN}:user/",
    "a group": f"arn:aws:iam::{OWN}:group/team",
    "a policy": f"arn:aws:iam::{OWN}:policy/p",
    "a session without a session name": f"arn:aws:sts::{OWN}:assumed-role/app",
    "a session with a path": f"arn:aws:sts::{OWN}:assumed-role/team/app/session",
    "another service's ARN": f"arn:aws:ec2:us-east-1:{OWN}:instance/i-0",
    "a root with something behind it": f"arn:aws:iam::{OWN}:root/x",
    "a service without a point": "ec2",
    "a service that begins with a point": ".amazonaws.com",
    "a service that ends in a point": "ec2.amazonaws.com.",
    "two points": "ec2..com",
}


@pytest.mark.parametrize("principal", WRONG_PRINCIPALS.values(), ids=WRONG_PRINCIPALS)
def test_what_is_no_principal_is_refused(principal: str) -> None:
    with pytest.raises(RequestError) as refused:
        Request(principal, "s3:GetObject", OBJECT)
    assert refused.value.path == "principal"


@pytest.mark.parametrize(
    "role", [f"arn:aws:iam::{OTHER}:role/app", f"arn:aws:iam::{OWN}:role/other", f"arn:aws:iam::{OWN}:user/app"]
)
def test_a_session_is_a_session_of_its_own_role(role: str) -> None:
    with pytest.raises(RequestError) as refused:
        Request(SESSION, "s3:GetObject", OBJECT, role_arn=role)
    assert refused.value.path == "role_arn"


# Principal -> who of EVERYBODY it names
EVERYBODY = {"alice": ALICE, "bob": BOB, "session": SESSION, "carol": CAROL, "root": ROOT, "ec2": EC2, "oidc": OIDC}
EVERYBODY |= {"saml": SAML, "anonymous": "anonymous", "canonical": CANONICAL}
OURS = {"alice", "bob", "session", "carol", "root"}

NAMED: dict[str, tuple[Any, set[str]]] = {
    "a star is everybody": ("*", set(EVERYBODY)),
    "an AWS star is everybody": ({"AWS": "*"}, set(EVERYBODY)),
    "an AWS star in a list is everybody": ({"AWS": ["*"]}, set(EVERYBODY)),
    "an account ID is everybody in the account": ({"AWS": OWN}, OURS),
    "an account's root is everybody in the account": ({"AWS": ROOT}, OURS),
    "another account is nobody here": ({"AWS": OTHER}, set()),
    "the root of another partition is nobody here": ({"AWS": f"arn:aws-cn:iam::{OWN}:root"}, set()),
    "a user is that user": ({"AWS": ALICE}, {"alice"}),
    "a user with a path": ({"AWS": BOB}, {"bob"}),
    "a user without its path is nobody": ({"AWS": f"arn:aws:iam::{OWN}:user/bob"}, set()),
    "letter case matters": ({"AWS": f"arn:aws:iam::{OWN}:user/Alice"}, set()),
    "a longer name is another": ({"AWS": f"arn:aws:iam::{OWN}:user/alice2"}, set()),
    "a role is its sessions": ({"AWS": ROLE}, {"session"}),
    "a session is that session": ({"AWS": SESSION}, {"session"}),
    "another session of the role is not": ({"AWS": SESSION + "2"}, set()),
    "a star for the session matches none": ({"AWS": SESSION.replace("session-1", "*")}, set()),
    "a federated user": ({"AWS": CAROL}, {"carol"}),
    "several": ({"AWS": [ALICE, ROLE]}, {"alice", "session"}),
    "a service": ({"Service": EC2}, {"ec2"}),
    "another service": ({"Service": "ecs.amazonaws.com"}, set()),
    "a web identity provider": ({"Federated": OIDC}, {"oidc"}),
    "a SAML provider": ({"Federated": SAML}, {"saml"}),
    "several types": ({"AWS": ALICE, "Service": [EC2, "ecs.amazonaws.com"]}, {"alice", "ec2"}),
    "a canonical user ID": ({"CanonicalUser": CANONICAL}, {"canonical"}),
    "the ID of a deleted user is nobody": ({"AWS": "AIDAEXAMPLEEXAMPLE123"}, set()),
    "the ID of a deleted role is nobody": ({"AWS": ["AROAEXAMPLEEXAMPLE123", ROLE]}, {"session"}),
    "the shortest ID of a deleted user": ({"AWS": "AIDAEXAMPLE12345"}, set()),
    "an empty object is nobody": ({}, set()),
}


@pytest.mark.parametrize(("principal", "named"), NAMED.values(), ids=NAMED)
def test_principal(principal: Any, named: set[str]) -> None:
    """A denial says who is named: it has no exceptions."""
    document = policy(deny(Principal=principal), kind="resource")
    denied = {name for name, caller in EVERYBODY.items() if asked(caller, PolicySet(resource=document)) == "DENIED"}
    assert denied == named


def asked(caller: str, policies: PolicySet) -> str:
    decision = decide(caller, "s3:GetObject", OBJECT, policies, resource_account=OWN)
    return "DENIED" if decision == "EXPLICIT_DENY" else decision


# UG/reference_policies_elements_notprincipal -> who is spared
SPARED: dict[str, tuple[Any, set[str]]] = {
    "a user alone is denied with its account": ({"AWS": ALICE}, set()),
    "a user with its account": ({"AWS": [ALICE, ROOT]}, {"alice", "root"}),
    "a user with its account's ID": ({"AWS": [ALICE, OWN]}, {"alice", "root"}),
    "an account alone spares its root user only": ({"AWS": ROOT}, {"root"}),
    "a session alone": ({"AWS": SESSION}, set()),
    "a session with its role": ({"AWS": [SESSION, ROLE]}, set()),
    "a session with its account": ({"AWS": [SESSION, ROOT]}, {"root"}),
    "a role with its account": ({"AWS": [ROLE, ROOT]}, {"root"}),
    "a session with its role and account": ({"AWS": [SESSION, ROLE, ROOT]}, {"session", "root"}),
    "a federated user with its account": ({"AWS": [CAROL, OWN]}, {"carol", "root"}),
    "a service": ({"Service": EC2}, {"ec2"}),
    "a provider": ({"Federated": OIDC}, {"oidc"}),
    "everybody": ("*", set(EVERYBODY)),
    "everybody of AWS": ({"AWS": "*"}, set(EVERYBODY)),
}


@pytest.mark.parametrize(("principal", "spared"), SPARED.values(), ids=SPARED)
def test_not_principal(principal: Any, spared: set[str]) -> None:
    document = policy(deny(NotPrincipal=principal), kind="resource")
    left = {name for name, caller in EVERYBODY.items() if asked(caller, PolicySet(resource=document)) != "DENIED"}
    assert left == spared


def test_not_principal_always_denies_who_has_a_permissions_boundary() -> None:
    spared = policy(allow(Principal="*"), deny(NotPrincipal={"AWS": [ALICE, ROOT]}), kind="resource")
    assert asked(ALICE, PolicySet(resource=spared)) == "ALLOW"
    assert asked(ALICE, PolicySet(resource=spared, permissions_boundary=ALLOW_ALL)) == "DENIED"


def test_not_principal_of_an_endpoint_policy_denies_who_has_a_boundary_too() -> None:
    endpoint = policy(allow(Principal="*"), deny(NotPrincipal={"AWS": [ALICE, ROOT]}), kind="endpoint")
    assert asked(ALICE, PolicySet((ALLOW_ALL,), vpc_endpoint=(endpoint,))) == "ALLOW"
    assert asked(ALICE, PolicySet((ALLOW_ALL,), vpc_endpoint=(endpoint,), permissions_boundary=ALLOW_ALL)) == "DENIED"


def test_only_users_and_roles_have_a_boundary() -> None:
    spared = policy(allow(Principal="*"), deny(NotPrincipal={"AWS": ROOT, "Service": EC2}), kind="resource")
    for caller in (ROOT, EC2):
        assert asked(caller, PolicySet(resource=spared, permissions_boundary=ALLOW_ALL)) == "ALLOW"


# UG/reference_policies_elements_principal: what cannot be written
REFUSED: dict[str, Any] = {
    "a part of a user's name": {"AWS": f"arn:aws:iam::{OWN}:user/dev-*"},
    "every role": {"AWS": f"arn:aws:iam::{OWN}:role/*"},
    "every account": {"AWS": "arn:aws:iam::*:root"},
    "a question mark": {"AWS": f"arn:aws:iam::{OWN}:user/alic?"},
    "every service": {"Service": "*"},
    "every provider": {"Federated": "*"},
    "a name without ARN": {"AWS": "alice"},
    "a name in capital letters": {"AWS": "ALICE"},
    "a unique ID that is too short": {"AWS": "AIDAEXAMPLE1234"},
    "a unique ID in small letters": {"AWS": "aidaexampleexample123"},
    "a unique ID with a sign": {"AWS": "AIDA-EXAMPLEEXAMPLE123"},
    "a unique ID in another script": {"AWS": "ΑΙΔΑΕΧΑΜΠΛΕΕΧΑΜΠΛΕ"},
    "an ARN that ends too early": {"AWS": "arn:aws:iam"},
    "a provider as an AWS principal": {"AWS": OIDC},
    "a group": {"AWS": f"arn:aws:iam::{OWN}:group/developers"},
    "a domain that is no service": {"Service": "my.own.example.com"},
    "a provider without a point": {"Federated": "google"},
    "an unknown type": {"User": ALICE},
    "a text": ALICE,
    "a list": [ALICE],
    "a number": {"AWS": 111111111111},
    "a list in a list": {"AWS": [[ALICE]]},
    "a canonical ID of another length": {"CanonicalUser": CANONICAL[:-1]},
    "nothing": None,
}


@pytest.mark.parametrize("principal", REFUSED.values(), ids=REFUSED)
def test_what_cannot_stand_in_a_principal(principal: Any) -> None:
    document = {"Statement": [allow(), {**deny(), "Principal": principal}]}
    document["Statement"][0]["Principal"] = "*"
    with pytest.raises(PolicyError) as refused:
        Policy.parse(document, "resource")
    assert refused.value.problems[0].path.startswith("Statement[1].Principal")


@pytest.mark.parametrize("kind", ["identity", "trust", "scp", "rcp", "boundary", "session"])
def test_not_principal_is_for_resource_based_policies_only(kind: str) -> None:
    with pytest.raises(PolicyError):
        policy({**deny("sts:AssumeRole", None), "NotPrincipal": {"AWS": ALICE}}, kind=kind)


def test_not_principal_is_for_denials_only() -> None:
    with pytest.raises(PolicyError) as refused:
        policy(allow(NotPrincipal={"AWS": ALICE}), kind="resource")
    assert "NotPrincipal" in refused.value.problems[0].path
