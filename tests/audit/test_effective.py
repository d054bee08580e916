"""What somebody may do, as one document: it decides as all the policies together do."""

from __future__ import annotations

import json
import random
from itertools import product
from typing import Any

import pytest

from simlib import Cloud
from simlib.audit.effective import effective_permissions
from simlib.audit.facts import Facts
from simlib.cloud.inspection import Place
from simlib.iam import Policy, PolicySet, Request, evaluate
from tests.lab.access_world import allow, arn, document, user

MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def effective(world: Cloud, who: str, *statements: dict[str, Any], boundary: Any = None) -> list[dict[str, Any]]:
    policies = {Place(who, "identity", "own"): Policy.parse(document(*statements))}
    bound = {Place(who, "boundary"): Policy.parse(document(*boundary), "boundary")} if boundary else {}
    found = effective_permissions(Facts(world).edited({**policies, **bound}), who)
    Policy.parse(json.dumps(found))
    return list(found["Statement"])


@pytest.mark.parametrize(
    ("statements", "boundary", "expected"),
    [
        ([allow("s3:*")], None, [("Allow", ["s3:*"], ["*"], None)]),
        ([allow("s3:Get*"), allow("iam:*")], [allow("s3:*", "arn:aws:s3:::team-*")],
         [("Allow", ["s3:Get*"], ["arn:aws:s3:::team-*"], None)]),
        ([allow(["sqs:SendMessage", "sqs:ReceiveMessage"])], [allow("sqs:Send*", Condition=MFA)],
         [("Allow", ["sqs:Send*"], ["*"], {"Bool": {"aws:MultiFactorAuthPresent": ["true"]}})]),
        ([allow("sqs:SendMessage"), {**allow("sqs:*"), "Effect": "Deny"}], None, []),
        ([allow("sqs:SendMessage"), {**allow("sqs:*", "*", Condition=MFA), "Effect": "Deny"}], None,
         [("Allow", ["sqs:SendMessage"], ["*"], None),
          ("Deny", ["sqs:SendMessage"], ["*"], {"Bool": {"aws:MultiFactorAuthPresent": ["true"]}})]),
        ([allow("iam:CreateAccessKey", "arn:aws:iam::*:user/${aws:username}")], None,
         [("Allow", ["iam:CreateAccessKey"], ["arn:aws:iam::*:user/alice"], None)]),
    ],
)  # fmt: skip
def test_what_is_left_of_it(statements: Any, boundary: Any, expected: Any) -> None:
    with Cloud.start() as aws:
        user(aws.account("dev"), "alice")
        found = effective(aws, arn(aws.account("dev"), "user/alice"), *statements, boundary=boundary)
    assert [(each["Effect"], each["Action"], each["Resource"], each.get("Condition")) for each in found] == expected


def test_what_has_no_text_in_the_policy_language_is_told() -> None:
    with Cloud.start() as aws:
        user(aws.account("dev"), "alice")
        who = arn(aws.account("dev"), "user/alice")
        with pytest.raises(ValueError, match=r"What arn:aws:s3:::a\* and arn:aws:s3:::\*b have in common"):
            effective(aws, who, allow("s3:*", "arn:aws:s3:::a*"), boundary=[allow("s3:*", "arn:aws:s3:::*b")])
        with pytest.raises(LookupError, match="There is no user or role"):
            effective_permissions(Facts(aws), "arn:aws:iam::111111111111:user/nobody")


def test_it_decides_as_the_policies_do() -> None:
    """Statements by chance in identity policy and boundary, and requests to all of them."""
    written, allowed = 0, 0
    with Cloud.start() as aws:
        who = arn(aws.account("dev"), "user/alice")
        user(aws.account("dev"), "alice")
        stored = Facts(aws)
        for seed in range(30):
            chance = random.Random(seed)
            own, bound = statements(chance, ("Allow", "Allow", "Deny")), statements(chance, ("Allow",))
            facts = stored.edited({Place(who, "identity", "own"): Policy.parse(document(*own)),
                                   Place(who, "boundary"): Policy.parse(document(*bound), "boundary")})  # fmt: skip
            try:
                policy = Policy.parse(json.dumps(effective_permissions(facts, who)))
            except ValueError as error:
                if "has no text in a single statement" not in str(error):
                    raise
                continue
            written += 1
            for action, name, tag in product(REQUESTED, ("one", "two"), ("x", "y", "")):
                context = {"aws:RequestTag/a": tag} if tag else {}
                resource = f"arn:aws:sqs:us-east-1:111111111111:{name}"
                real = facts.ask(who, action, resource, context).allowed
                request = Request(who, action, resource, context=context)
                assert evaluate(request, PolicySet(identity=(policy,))).allowed is real, (seed, action, name, tag)
                allowed += real
    assert written >= 22
    assert allowed > 50


ACTIONS = ["sqs:*", "sqs:SendMessage", "sqs:Receive*", "*", "sns:Publish"]
REQUESTED = ("sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteQueue", "sns:Publish")
PLACES = ["*", "arn:aws:sqs:us-east-1:111111111111:*", "arn:aws:sqs:us-east-1:111111111111:one"]


def statements(chance: random.Random, effects: tuple[str, ...]) -> list[dict[str, Any]]:
    made = []
    for _ in range(3):
        key = chance.choice(["Action", "Action", "NotAction"])
        where = chance.choice(["Resource", "Resource", "NotResource"])
        condition = {"Condition": {"StringEquals": {"aws:RequestTag/a": chance.choice("xy")}}}
        made.append({"Effect": chance.choice(effects), key: chance.sample(ACTIONS, 2), where: chance.choice(PLACES),
                     **(condition if chance.random() < 0.3 else {})})  # fmt: skip
    return made
