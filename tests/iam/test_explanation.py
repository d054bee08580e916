"""Why: every element of every statement, a learner's words, the structured form, and what would help."""

from __future__ import annotations

from typing import Any

import pytest

from simlib.iam import Evaluation, Policy, PolicySet, Request, evaluate
from tests.iam.shorthand import (
    ALICE,
    ALLOW_ALL,
    ALLOW_OTHERS,
    BOB,
    CAROL,
    EC2,
    KEY,
    OBJECT,
    OTHER,
    OWN,
    ROLE,
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

RICH = {
    "Sid": "Rich",
    "Effect": "Allow",
    "Action": ["s3:GetObject", "s3:PutObject"],
    "Resource": "arn:aws:s3:::bucket/${aws:username}/*",
    "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "IpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}},
}

# statement, request -> the sentence of the first element that does not fit ("" if all do)
ELEMENTS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "all fit": (RICH, {"context": {"aws:MultiFactorAuthPresent": "true", "aws:SourceIp": "10.1.1.1"}}, ""),
    "the action": (
        RICH,
        {"action": "s3:DeleteObject"},
        "the action `s3:DeleteObject` is not in Action `s3:GetObject`, `s3:PutObject`",
    ),
    "the resource": (
        RICH,
        {"resource": "arn:aws:s3:::bucket/bob/x"},
        "the resource `arn:aws:s3:::bucket/bob/x` is not in Resource `arn:aws:s3:::bucket/${aws:username}/*`",
    ),
    "an absent key": (RICH, {}, "`aws:MultiFactorAuthPresent` is absent; `Bool` needs `true`"),
    "another value": (
        RICH,
        {"context": {"aws:MultiFactorAuthPresent": "true", "aws:SourceIp": "192.0.2.1"}},
        "`aws:SourceIp` is `192.0.2.1`; `IpAddress` needs `10.0.0.0/8`",
    ),
    "NotAction": (
        {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"},
        {},
        "the action `s3:GetObject` is in NotAction `s3:*`",
    ),
    "NotResource": (
        {"Effect": "Deny", "Action": "*", "NotResource": ["arn:aws:s3:::bucket/*"]},
        {},
        "the resource `arn:aws:s3:::bucket/alice/x` is in NotResource `arn:aws:s3:::bucket/*`",
    ),
    "a negated operator": (
        allow(Condition={"StringNotEquals": {"aws:username": ["alice", "bob"]}}),
        {},
        "`aws:username` is `alice`; `StringNotEquals` needs anything but `alice`, `bob`",
    ),
    "Null that wants a key": (
        allow(Condition={"Null": {"sts:ExternalId": "false"}}),
        {},
        "`sts:ExternalId` is absent; `Null` needs it to be present",
    ),
    "Null that wants none": (
        allow(Condition={"Null": {"aws:username": True}}),
        {},
        "`aws:username` is `alice`; `Null` needs it to be absent",
    ),
    "a set": (
        allow(Condition={"ForAllValues:StringEquals": {"aws:TagKeys": "a"}}),
        {"context": {"aws:TagKeys": ["a", "b"]}},
        "`aws:TagKeys` is `a`, `b`; `ForAllValues:StringEquals` needs `a`",
    ),
    "a set of nothing": (
        allow(Condition={"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}}),
        {"context": {"aws:TagKeys": []}},
        "`aws:TagKeys` is empty; `ForAnyValue:StringEquals` needs `a`",
    ),
    "no wanted value": (
        allow(Condition={"StringEquals": {"aws:username": []}}),
        {},
        "`aws:username` is `alice`; `StringEquals` needs a value the policy does not give",
    ),
    "many wanted values": (
        allow([f"ec2:Action{number}" for number in range(7)]),
        {},
        "the action `s3:GetObject` is not in Action "
        "`ec2:Action0`, `ec2:Action1`, `ec2:Action2`, `ec2:Action3` and 3 more",
    ),
    "a long value": (
        allow(Condition={"StringEquals": {"k": "x"}}),
        {"context": {"k": "y" * 500}},
        f"`k` is `{'y' * 119}…`; `StringEquals` needs `x`",
    ),
}


@pytest.mark.parametrize(("statement", "request_", "sentence"), ELEMENTS.values(), ids=ELEMENTS)
def test_the_deciding_element(statement: dict[str, Any], request_: dict[str, Any], sentence: str) -> None:
    asked = {"action": READ, "resource": "arn:aws:s3:::bucket/alice/x", **request_}
    evaluation = evaluate(Request(ALICE, **asked), PolicySet((policy(statement, name="p"),)))
    [explained] = evaluation.statements
    assert bool(explained.misses) is bool(sentence)
    assert (explained.deciding.sentence if explained.deciding else "") == sentence
    title = f"{statement['Effect']} statement 1{' (Rich)' if 'Sid' in statement else ''} of p"
    assert explained.sentence == (f"{title} does not match: {sentence}" if sentence else f"{title} matches")


def test_the_principal_is_an_element_of_resource_policies() -> None:
    others, ours = {"AWS": BOB, "Service": EC2}, {"AWS": [ALICE, OWN]}
    document = policy(allow(Principal=others), deny(NotPrincipal=ours), kind="resource")
    named, spared = ask(ALICE, READ, OBJECT, PolicySet(resource=document)).statements
    assert named.deciding is not None
    assert named.deciding.sentence == f"the caller `{ALICE}` is not in Principal `{BOB}`, `{EC2}`"
    assert spared.deciding is not None
    assert spared.deciding.sentence == f"the caller `{ALICE}` is in NotPrincipal `{ALICE}`, `{OWN}`"


IDLE = {  # statement of a key's policy, what keeps it from matching
    "without Resource": (allow(resource=None, Principal="*"), "the resource `{KEY}` is not in Resource"),
    "without Action": (allow(None, Principal="*"), "the action `kms:Decrypt` is not in Action"),
}


@pytest.mark.parametrize(("statement", "sentence"), IDLE.values(), ids=IDLE)
def test_a_statement_of_a_key_that_lacks_an_element_has_no_effect(statement: dict[str, Any], sentence: str) -> None:
    evaluation = ask(ALICE, "kms:Decrypt", KEY, PolicySet(resource=policy(statement, kind="key", name="key")))
    [explained] = evaluation.statements
    assert explained.sentence == f"Allow statement 1 of key does not match: {sentence.format(KEY=KEY)}"


def test_an_elements_wanted_and_actual_values_are_there_to_work_with() -> None:
    evaluation = ask(ALICE, READ, "arn:aws:s3:::bucket/alice/x", PolicySet((policy(RICH),)))
    elements = {(element.name, element.key): element for element in evaluation.statements[0].elements}
    assert set(elements) == {
        ("Action", ""),
        ("Resource", ""),
        ("Condition", "aws:MultiFactorAuthPresent"),
        ("Condition", "aws:SourceIp"),
    }
    mfa = elements[("Condition", "aws:MultiFactorAuthPresent")]
    assert (mfa.operator, mfa.expected, mfa.actual, mfa.matched) == ("Bool", ("true",), None, False)
    assert elements[("Action", "")].expected == ("s3:GetObject", "s3:PutObject")


def test_every_statement_that_was_asked_is_explained() -> None:
    policies = PolicySet(
        identity=(policy(allow(), deny("ec2:*")), ALLOW_OTHERS),
        permissions_boundary=ALLOW_ALL,
        scps=((ALLOW_ALL,), (SCP_DENY,)),
        rcps=((policy(deny("s3:Put*", Principal="*"), kind="rcp"),),),
    )
    statements = ask(ALICE, READ, OBJECT, policies).statements
    assert [(each.check_type, each.level, each.statement.index, not each.misses) for each in statements] == [
        ("RESOURCE_CONTROL_POLICY", 0, 0, False),
        ("SERVICE_CONTROL_POLICY", 0, 0, True),
        ("SERVICE_CONTROL_POLICY", 1, 0, True),
        ("SERVICE_CONTROL_POLICY", 1, 1, True),
        ("PRINCIPAL", None, 0, True),
        ("PRINCIPAL", None, 1, False),
        ("PRINCIPAL", None, 0, False),
        ("PERMISSIONS_BOUNDARY", None, 0, True),
    ]


def test_a_refusal_in_a_learners_sentences() -> None:
    policies = PolicySet((policy(RICH, name="read"),), permissions_boundary=ALLOW_ALL)
    assert ask(ALICE, READ, "arn:aws:s3:::bucket/alice/x", policies).explain().splitlines() == [
        f"Denied, because nothing allows it: {ALICE} asks for s3:GetObject on arn:aws:s3:::bucket/alice/x.",
        "Identity-based policy: an Allow is needed here, and no statement gives one.",
        "  Allow statement 1 (Rich) of read does not match: "
        "`aws:MultiFactorAuthPresent` is absent; `Bool` needs `true`.",
        "Permissions boundary: allows.",
        "  Allow statement 1 of allow-all matches.",
    ]


def test_a_denial_in_a_learners_sentences() -> None:
    policies = PolicySet((ALLOW_ALL,), scps=((ALLOW_ALL,), (SCP_DENY,)))
    assert ask(ALICE, READ, OBJECT, policies).explain().splitlines() == [
        f"Denied, because a statement denies it: {ALICE} asks for s3:GetObject on {OBJECT}.",
        "Service control policy (level 1 from the organization's root): allows.",
        "  Allow statement 1 of allow-all matches.",
        "Service control policy (level 2 from the organization's root): denies.",
        "  Allow statement 1 of scp matches.",
        "  Deny statement 2 of scp matches.",
        "Identity-based policy: allows.",
        "  Allow statement 1 of allow-all matches.",
    ]


def test_an_allow_in_a_learners_sentences() -> None:
    policies = PolicySet(resource=resource_policy({"AWS": ALICE}))
    assert ask(ALICE, READ, OBJECT, policies).explain().splitlines() == [
        f"Allowed: {ALICE} asks for s3:GetObject on {OBJECT}.",
        "Resource-based policy: allows.",
        "  Allow statement 1 of bucket-policy matches.",
        "Identity-based policy: no statement applies, and none is needed.",
    ]
    assert "needs no permission" in ask(ALICE, "sts:GetCallerIdentity", "*", PolicySet((DENY,))).explain()


def test_only_statements_that_came_near_are_told() -> None:
    """Nearest first, at most three; a statement about other actions did not come near, nor did a denial."""
    condition = {"StringEquals": {"k": "x"}, "Null": {"l": "false"}}
    statements = [
        allow("ec2:*"),
        allow(READ, "arn:aws:s3:::x", Sid="Two", Condition=condition),
        deny("s3:Put*"),
        *[allow(READ, f"arn:aws:s3:::{number}", Sid=f"One{number}") for number in range(3)],
    ]
    lines = ask(ALICE, READ, OBJECT, PolicySet((policy(*statements),))).explain().splitlines()
    assert [line.partition("(")[2].partition(")")[0] for line in lines[2:]] == ["One0", "One1", "One2"]


STARRED = policy(
    allow("sts:AssumeRole", None, Principal={"AWS": ALICE}, Condition={"StringEquals": {"aws:username": "a*"}}),
    kind="trust",
    name="trust-policy",
)
HINTS: dict[str, tuple[Evaluation, str]] = {
    "allowed": (ask(ALICE, READ, OBJECT, PolicySet((ALLOW_ALL,))), ""),
    "an identity policy is lacking": (
        ask(ALICE, GET, TABLE, PolicySet()),
        f"It would need an Allow for {GET} in an identity-based policy of user/alice.",
    ),
    "one thing is lacking": (
        ask(ALICE, GET, TABLE, PolicySet((policy(allow(GET, Condition={"Null": {"k": "false"}}), name="p"),))),
        f"It would need an Allow for {GET} in an identity-based policy of user/alice. "
        "Allow statement 1 of p fits but for one thing: `k` is absent; `Null` needs it to be present.",
    ),
    "in one account an identity policy will do": (
        ask(ALICE, GET, TABLE, PolicySet(resource=resource_policy({"AWS": BOB}))),
        f"It would need an Allow for {GET} in an identity-based policy of user/alice.",
    ),
    "across accounts both are needed": (
        ask(ALICE, GET, OTHER_TABLE, PolicySet()),
        f"It would need an Allow for {GET} in the resource's own policy, with this caller as its Principal. "
        f"It would need an Allow for {GET} in an identity-based policy of user/alice.",
    ),
    "a trust policy is lacking": (
        ask(ALICE, "sts:AssumeRole", TARGET, PolicySet((ALLOW_ALL,), resource=trust({"Service": EC2}))),
        "It would need an Allow for sts:AssumeRole in the role's trust policy, "
        f"with this caller as its Principal. Allow statement 1 of trust-policy fits but for one thing: "
        f"the caller `{ALICE}` is not in Principal `{EC2}`.",
    ),
    "a trust policy names the caller, and its condition does not hold": (
        ask(ALICE, "sts:AssumeRole", TARGET, PolicySet((ALLOW_ALL,), resource=STARRED)),
        "It would need an Allow for sts:AssumeRole in the role's trust policy. "
        "Allow statement 1 of trust-policy fits but for one thing: `aws:username` is `alice`; `StringEquals` needs "
        "`a*`, in which `*` is no wildcard (it is one for `StringLike`).",
    ),
    "a boundary is lacking": (
        ask(ALICE, GET, TABLE, PolicySet((ALLOW_ALL,), permissions_boundary=ALLOW_OTHERS)),
        f"It would need an Allow for {GET} in the permissions boundary.",
    ),
    "a session policy is lacking": (
        ask(SESSION, GET, TABLE, PolicySet((ALLOW_ALL,), session=(ALLOW_OTHERS,))),
        f"It would need an Allow for {GET} in the session policy.",
    ),
    "an SCP is lacking": (
        ask(ALICE, GET, TABLE, PolicySet((ALLOW_ALL,), scps=((ALLOW_ALL,), ()))),
        f"It would need an Allow for {GET} in the service control policy (level 2 from the organization's root).",
    ),
    "an endpoint policy is lacking": (
        ask(ALICE, GET, TABLE, PolicySet((ALLOW_ALL,), vpc_endpoint=(ENDPOINT,))),
        f"It would need an Allow for {GET} in the VPC endpoint's policy.",
    ),
    "a denial": (
        ask(ALICE, GET, TABLE, PolicySet((policy(allow(), deny(GET, Sid="No"), name="p"),))),
        "No Allow overrides Deny statement 2 (No) of p (identity-based policy).",
    ),
    "a denial with a condition": (
        ask(
            ALICE,
            GET,
            TABLE,
            PolicySet((policy(deny(Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}), name="p"),)),
        ),
        "No Allow overrides Deny statement 1 of p (identity-based policy). Its condition matches: "
        "`aws:MultiFactorAuthPresent` is absent; `BoolIfExists` needs `false`.",
    ),
    "the root user": (
        ask(ROOT, "sts:AssumeRole", TARGET, PolicySet(resource=trust({"AWS": OWN}))),
        "The root user cannot assume a role, whatever the policies say.",
    ),
    "a federated user and IAM": (
        ask(CAROL, "iam:ListUsers", "*", PolicySet((ALLOW_ALL,), session=(ALLOW_ALL,))),
        "Credentials from GetFederationToken cannot call IAM, nor STS but for GetCallerIdentity.",
    ),
    "a federated user without session policy": (
        ask(CAROL, READ, OBJECT, PolicySet((ALLOW_ALL,))),
        "Without a session policy a federated user has no permissions of its own.",
    ),
}


@pytest.mark.parametrize(("evaluation", "hint"), HINTS.values(), ids=HINTS)
def test_hints(evaluation: Evaluation, hint: str) -> None:
    assert evaluation.hint() == hint


def test_an_evaluation_knows_what_it_was_about() -> None:
    evaluation = ask(SESSION, READ, OBJECT, PolicySet(), context={"aws:SourceIp": "10.0.0.1"})
    assert (evaluation.principal, evaluation.action, evaluation.resource) == (SESSION, READ, OBJECT)
    assert evaluation.context == {
        "aws:PrincipalArn": ROLE,
        "aws:PrincipalAccount": OWN,
        "aws:PrincipalType": "AssumedRole",
        "aws:SourceIp": "10.0.0.1",
    }
    assert evaluation.allowed is False


def test_a_policy_that_is_called_by_its_resource_is_the_policy_of_it() -> None:
    bucket = Policy.parse(resource_policy({"AWS": ALICE}).document, "resource", name="arn:aws:s3:::photos")
    found = ask(ALICE, READ, OBJECT, PolicySet(resource=bucket))
    assert found.statements[0].title == "Allow statement 1 of the policy of photos"


def test_an_arn_is_told_once() -> None:
    refused = ask(ALICE, GET, OTHER_TABLE, PolicySet())
    assert f"{refused.explain()}\n{refused.hint()}".count(ALICE) == 1
    assert f"{refused.explain()}\n{refused.hint()}".count(OTHER_TABLE) == 1
