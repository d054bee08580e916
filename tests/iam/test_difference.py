"""What an edit newly allows: never missed, and always shown by a request that is really allowed."""

from __future__ import annotations

import random
from typing import Any

import pytest

from simlib.iam import Policy, PolicySet, evaluate, service_data
from simlib.iam.difference import ANYBODY, STRANGER, _request, newly_allowed
from tests.iam.shorthand import allow, deny, policy


def allows(one: Policy, action: str, resource: str, context: Any, caller: str = ANYBODY) -> bool:
    request = _request(caller, action, resource)
    request.values = context
    return evaluate(request, PolicySet((one,))).allowed


A, B = "arn:aws:s3:::a/*", "arn:aws:s3:::a/b*"
TEAM = {"StringEquals": {"aws:PrincipalTag/team": ["red", "blue"]}}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


@pytest.mark.parametrize(
    ("new", "old", "action"),
    [
        (policy(allow("s3:GetObject")), policy(allow("s3:Get*")), None),
        (policy(allow("s3:*")), policy(allow("s3:Get*")), "s3:"),
        (policy(allow("s3:GetObject", A)), policy(allow("s3:GetObject", B)), "s3:getobject"),
        (policy(allow("s3:GetObject", B)), policy(allow("s3:GetObject", A)), None),
        (policy(allow("s3:GetObject")), policy(allow("s3:GetObject"), deny("s3:GetObject", A)), "s3:getobject"),
        (policy(allow("s3:GetObject", Condition=MFA)), policy(allow("s3:GetObject")), None),
        (policy(allow("s3:GetObject")), policy(allow("s3:GetObject", Condition=TEAM)), "s3:getobject"),
        (policy(allow("*")), policy(allow("*"), deny("iam:*")), "iam:"),
        (policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}), policy(allow("*"), deny("iam:*")), None),
        (policy(allow("kms:Decrypt"), allow("sts:AssumeRole")), policy(allow("kms:*"), allow("sts:*")), None),
        (policy(deny("*")), policy(allow("s3:*")), None),
        (policy(allow("s3:*")), policy(), "s3:"),
    ],
)  # fmt: skip
def test_what_an_edit_newly_allows(new: Policy, old: Policy, action: str | None) -> None:
    witnesses = list(newly_allowed(new, old))
    assert bool(witnesses) is (action is not None)
    for each in witnesses:
        assert each.action.startswith(action or "")
        assert allows(new, each.action, each.resource, each.context)
        assert not allows(old, each.action, each.resource, each.context)
        assert each.statement in new.statements


def test_a_known_action_is_shown_rather_than_a_text() -> None:
    [witness] = newly_allowed(policy(allow("s3:GetObject*Tag*")), None)
    assert witness.action in ("s3:getobjecttagging", "s3:getobjectversiontagging")


def test_policies_of_a_thousand_patterns_are_compared_service_by_service() -> None:
    services = sorted(service_data.services())
    reads = [allow([f"{each}:Get*", f"{each}:List*", f"{each}:Describe*Status"]) for each in services]
    assert list(newly_allowed(policy(*reads[:50]), policy(*reads))) == []
    assert {each.action.partition(":")[0] for each in newly_allowed(policy(*reads[:4]), policy(*reads[2:]))} == {
        *services[:2]
    }


def test_whoever_may_not_do_something_by_a_wildcard_for_services_is_compared_with_all() -> None:
    everything = policy(allow("*"))
    assert list(newly_allowed(policy(allow("sqs:Send*")), everything)) == []
    missing = {
        each.action.partition(":")[0] for each in newly_allowed(everything, policy(allow(["sqs:*", "iam:Get*"])))
    }
    assert "iam" in missing
    assert "sqs" not in missing


def test_what_takes_too_many_combinations_is_new_only_where_the_new_policy_allows_it() -> None:
    either = [allow("s3:*", Condition={"StringLike": {f"a:k{n}": "x*"}}) for n in range(12)]
    assert list(newly_allowed(policy(allow("iam:*"), deny("s3:*")), policy(*either, allow("iam:*")))) == []
    [witness] = newly_allowed(policy(allow("s3:GetObject")), policy(*either))
    assert (witness.action, witness.context) == ("s3:getobject", {})


def test_who_is_newly_let_in_by_a_resources_policy() -> None:
    def bucket(principal: Any) -> Policy:
        statement = {**allow("s3:GetObject", A), "Principal": principal}
        return Policy.parse({"Version": "2012-10-17", "Statement": [statement]}, "resource")

    alice = "arn:aws:iam::222222222222:user/alice"
    assert list(newly_allowed(bucket({"AWS": alice}), bucket({"AWS": "222222222222"}))) == []
    [witness] = newly_allowed(bucket({"AWS": "222222222222"}), bucket({"AWS": alice}))
    assert witness.principal == "arn:aws:iam::222222222222:role/anybody"
    assert {each.principal for each in newly_allowed(bucket("*"), bucket({"AWS": alice}))} == {"anonymous", STRANGER}


def test_by_chance_nothing_is_missed_and_every_witness_is_one() -> None:
    chance = random.Random(7)
    actions = ["s3:*", "s3:Get*", "s3:GetObject", "s3:Put*", "*", "iam:*", "s3:*Object"]
    resources = ["*", A, B, "arn:aws:s3:::*", "arn:aws:s3:::a/${aws:username}"]
    conditions = [
        None,
        None,
        MFA,
        TEAM,
        {"StringNotLike": {"aws:PrincipalTag/team": "r*"}},
        {"Null": {"aws:TokenIssueTime": "true"}},
    ]

    def document() -> Policy:
        statements = []
        for _ in range(chance.randint(1, 3)):
            statement = (deny if chance.random() < 0.3 else allow)(chance.choice(actions), chance.choice(resources))
            if condition := chance.choice(conditions):
                statement["Condition"] = condition
            statements.append(statement)
        return policy(*statements)

    found = quiet = compared = 0
    for _ in range(300):
        new, old = document(), document()
        witnesses = list(newly_allowed(new, old))
        found, quiet = found + bool(witnesses), quiet + (not witnesses)
        for each in witnesses:
            assert allows(new, each.action, each.resource, each.context), (new.document, old.document, each)
            assert not allows(old, each.action, each.resource, each.context), (new.document, old.document, each)
        for _ in range(0 if witnesses else 250):
            context = {
                key: chance.choice(values)
                for key, values in {
                    "aws:multifactorauthpresent": ["true", "false"], "aws:principaltag/team": ["red", "blue", "r", "x"],
                    "aws:username": ["alice", "b"], "aws:tokenissuetime": ["2026-01-01T00:00:00Z"],
                }.items() if chance.random() < 0.6
            }  # fmt: skip
            request = chance.choice(["s3:getobject", "s3:putobject", "iam:getuser", "s3:listbucket"])
            resource = chance.choice(
                ["arn:aws:s3:::a/b", "arn:aws:s3:::a/alice", "arn:aws:s3:::c/d", "arn:aws:iam::1:user/x"]
            )
            compared += allows(new, request, resource, context)
            assert not allows(new, request, resource, context) or allows(old, request, resource, context)
    assert found > 40
    assert quiet > 20
    assert compared > 100
