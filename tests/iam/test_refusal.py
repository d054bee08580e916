"""What AWS says when it refuses: its exact words (UG/troubleshoot_access-denied)."""

from __future__ import annotations

from typing import Any

import pytest

from simlib.iam import Evaluation, PolicySet, Request, evaluate
from tests.iam.shorthand import (
    ALICE,
    ALLOW_ALL,
    ALLOW_OTHERS,
    BOB,
    KEY,
    OBJECT,
    OTHER,
    OTHER_TARGET,
    OWN,
    ROOT,
    SESSION,
    TARGET,
    allow,
    deny,
    policy,
    resource_policy,
    trust,
)

READ = "s3:GetObject"
TABLE = f"arn:aws:dynamodb:us-east-1:{OWN}:table/Orders"
OTHER_TABLE = f"arn:aws:dynamodb:us-east-1:{OTHER}:table/Orders"


def ask(caller: str, action: str, resource: str, policies: PolicySet, **request: Any) -> Evaluation:
    return evaluate(Request(caller, action, resource, **request), policies)


GET = "dynamodb:GetItem"
DENY = policy(deny())
SCP_DENY = policy(allow(), deny(), kind="scp")
ENDPOINT = policy(allow("ec2:*", Principal="*"), kind="endpoint")

# UG/troubleshoot_access-denied: what AWS says, after "User: … is not authorized to perform: … on resource: … "
REASONS: dict[str, tuple[PolicySet, str]] = {
    "no identity policy allows": (PolicySet(), f"because no identity-based policy allows the {GET} action"),
    "no boundary allows": (
        PolicySet((ALLOW_ALL,), permissions_boundary=ALLOW_OTHERS),
        f"because no permissions boundary allows the {GET} action",
    ),
    "no session policy allows": (
        PolicySet((ALLOW_ALL,), session=(ALLOW_OTHERS,)),
        f"because no session policy allows the {GET} action",
    ),
    "no SCP allows": (
        PolicySet((ALLOW_ALL,), scps=((),)),
        f"because no service control policy allows the {GET} action",
    ),
    "no endpoint policy allows": (
        PolicySet((ALLOW_ALL,), vpc_endpoint=(ENDPOINT,)),
        f"because no VPC endpoint policy allows the {GET} action",
    ),
    "neither identity nor resource policy allows": (
        PolicySet(resource=resource_policy({"AWS": BOB})),
        f"because no identity-based policy allows the {GET} action",
    ),
    "an identity policy denies": (PolicySet((ALLOW_ALL, DENY)), "with an explicit deny in an identity-based policy"),
    "a boundary denies": (
        PolicySet((ALLOW_ALL,), permissions_boundary=DENY),
        "with an explicit deny in a permissions boundary",
    ),
    "a session policy denies": (PolicySet((ALLOW_ALL,), session=(DENY,)), "with an explicit deny in a session policy"),
    "an SCP denies": (
        PolicySet((ALLOW_ALL,), scps=((SCP_DENY,),)),
        "with an explicit deny in a service control policy",
    ),
    "an RCP denies": (
        PolicySet((ALLOW_ALL,), rcps=((policy(deny(Principal="*"), kind="rcp"),),)),
        "with an explicit deny in a resource control policy",
    ),
    "an endpoint policy denies": (
        PolicySet((ALLOW_ALL,), vpc_endpoint=(policy(deny(Principal="*"), kind="endpoint"),)),
        "with an explicit deny in a VPC endpoint policy",
    ),
    "a resource policy denies": (
        PolicySet((ALLOW_ALL,), resource=policy(deny(Principal="*"), kind="resource")),
        "with an explicit deny in a resource-based policy",
    ),
    "a denial is told before what is lacking": (
        PolicySet((DENY,), scps=((),)),
        "with an explicit deny in an identity-based policy",
    ),
}


@pytest.mark.parametrize(("policies", "reason"), REASONS.values(), ids=REASONS)
def test_the_reason_in_aws_words(policies: PolicySet, reason: str) -> None:
    message = ask(ALICE, GET, TABLE, policies).message
    assert message == f"User: {ALICE} is not authorized to perform: {GET} on resource: {TABLE} {reason}"


NOT_AUTHORIZED = "User: {} is not authorized to perform: {} on resource: {}"

MESSAGES: dict[str, tuple[Evaluation, str]] = {
    "allowed": (ask(ALICE, READ, OBJECT, PolicySet((ALLOW_ALL,))), ""),
    "S3 puts the resource in quotes": (
        ask(ALICE, READ, OBJECT, PolicySet()),
        f'User: {ALICE} is not authorized to perform: {READ} on resource: "{OBJECT}" '
        f"because no identity-based policy allows the {READ} action",
    ),
    "S3 gives no reason to another account": (
        ask(ALICE, READ, OBJECT, PolicySet((ALLOW_ALL,)), resource_account=OTHER),
        "Access Denied",
    ),
    "S3 gives its reason within an organization": (
        ask(
            ALICE,
            READ,
            OBJECT,
            PolicySet((ALLOW_ALL,)),
            resource_account=OTHER,
            context={"aws:PrincipalOrgID": "o-1", "aws:ResourceOrgID": "o-1"},
        ),
        f'User: {ALICE} is not authorized to perform: {READ} on resource: "{OBJECT}" '
        f"because no resource-based policy allows the {READ} action",
    ),
    "S3 gives no reason to another organization": (
        ask(
            ALICE,
            READ,
            OBJECT,
            PolicySet((ALLOW_ALL,)),
            resource_account=OTHER,
            context={"aws:PrincipalOrgID": "o-1", "aws:ResourceOrgID": "o-2"},
        ),
        "Access Denied",
    ),
    "S3 gives no reason to nobody": (
        ask("anonymous", READ, OBJECT, PolicySet(), resource_account=OWN),
        "Access Denied",
    ),
    "a session is called by its session ARN": (
        ask(SESSION, GET, TABLE, PolicySet()),
        NOT_AUTHORIZED.format(SESSION, GET, TABLE) + f" because no identity-based policy allows the {GET} action",
    ),
    "AssumeRole gives no reason": (
        ask(ALICE, "sts:AssumeRole", OTHER_TARGET, PolicySet()),
        NOT_AUTHORIZED.format(ALICE, "sts:AssumeRole", OTHER_TARGET),
    ),
    "nor does a denied AssumeRole": (
        ask(ALICE, "sts:AssumeRole", TARGET, PolicySet((DENY,), resource=trust({"AWS": ALICE}))),
        NOT_AUTHORIZED.format(ALICE, "sts:AssumeRole", TARGET),
    ),
    "TagSession neither": (
        ask(ALICE, "sts:TagSession", TARGET, PolicySet((ALLOW_ALL,), resource=trust({"AWS": OWN}))),
        NOT_AUTHORIZED.format(ALICE, "sts:TagSession", TARGET),
    ),
    "the root user assumes no role": (
        ask(ROOT, "sts:AssumeRole", TARGET, PolicySet(resource=trust({"AWS": OWN}))),
        "Roles may not be assumed by root accounts.",
    ),
    "across accounts the resource policy is lacking": (
        ask(ALICE, GET, OTHER_TABLE, PolicySet((ALLOW_ALL,))),
        NOT_AUTHORIZED.format(ALICE, GET, OTHER_TABLE) + f" because no resource-based policy allows the {GET} action",
    ),
    "across accounts both are lacking": (
        ask(ALICE, GET, OTHER_TABLE, PolicySet()),
        NOT_AUTHORIZED.format(ALICE, GET, OTHER_TABLE) + f" because no resource-based policy allows the {GET} action",
    ),
    "a key policy is lacking": (
        ask(ALICE, "kms:Decrypt", KEY, PolicySet((ALLOW_ALL,))),
        NOT_AUTHORIZED.format(ALICE, "kms:Decrypt", KEY)
        + " because no resource-based policy allows the kms:Decrypt action",
    ),
}


@pytest.mark.parametrize(("evaluation", "message"), MESSAGES.values(), ids=MESSAGES)
def test_the_message_in_aws_words(evaluation: Evaluation, message: str) -> None:
    assert evaluation.message == message
