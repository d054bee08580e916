"""Reading a policy: what is one, what is not, and where exactly it is wrong."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from simlib.iam import Policy, PolicyError, PolicySet
from simlib.iam.policy import MOST_ACTIONS
from simlib.iam.statement import KINDS
from simlib.iam.validation import problems
from tests.iam.shorthand import ALICE, OBJECT, allow, decide, deny, policy

GOOD = {"Version": "2012-10-17", "Id": "P1", "Statement": [allow("s3:GetObject", Sid="Read"), deny("s3:Put*")]}


def test_a_policy_shows_what_it_says() -> None:
    read = Policy.parse(GOOD, name="good")
    assert (read.name, read.kind) == ("good", "identity")
    assert read.document is GOOD
    assert [(each.index, each.sid, each.effect) for each in read.statements] == [
        (0, "Read", "Allow"),
        (1, None, "Deny"),
    ]
    assert repr(read) == "<Policy good: identity, 2 statements>"
    assert "unnamed" in repr(Policy.parse(GOOD))


def test_text_and_object_are_the_same_policy() -> None:
    text = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}'
    assert decide(ALICE, "s3:GetObject", OBJECT, PolicySet((Policy.parse(text),))) == "ALLOW"
    assert Policy.parse(text).document == {"Version": "2012-10-17", "Statement": allow("s3:*")}


def test_any_mapping_will_do() -> None:
    statement = MappingProxyType({"Effect": "Allow", "Action": ("s3:*",), "Resource": "*"})
    read = Policy.parse(MappingProxyType({"Version": "2012-10-17", "Statement": (statement,)}))
    assert decide(ALICE, "s3:GetObject", OBJECT, PolicySet((read,))) == "ALLOW"


def test_a_document_without_version_is_in_the_old_language() -> None:
    homes = {"Statement": allow("s3:*", "arn:aws:s3:::${aws:username}/*")}
    new, old = (PolicySet((Policy.parse(each),)) for each in ({"Version": "2012-10-17", **homes}, homes))
    assert decide(ALICE, "s3:GetObject", "arn:aws:s3:::alice/x", new) == "ALLOW"
    assert decide(ALICE, "s3:GetObject", "arn:aws:s3:::alice/x", old) == "IMPLICIT_DENY"


def test_there_are_nine_kinds() -> None:
    assert set(KINDS) == {"identity", "resource", "trust", "key", "scp", "rcp", "boundary", "session", "endpoint"}
    with pytest.raises(ValueError, match="kind must be one of"):
        Policy.parse(GOOD, "bucket")


FOR = {"Principal": "*"}

# a statement -> the kinds of policies it can stand in
PLACES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "no principal": (allow("sts:AssumeRole"), {"identity", "boundary", "session", "scp"}),
    "a principal and a resource": (deny("sts:AssumeRole", **FOR), {"resource", "key", "endpoint", "rcp"}),
    "a principal and no resource": (allow("sts:AssumeRole", None, **FOR), {"resource", "key", "endpoint", "trust"}),
    "a principal and NotResource": (
        {"Effect": "Deny", "Action": "s3:Get*", "NotResource": "arn:aws:s3:::b", **FOR},
        {"resource", "key", "endpoint", "rcp"},
    ),
    "a principal and NotAction": (
        {"Effect": "Deny", "NotAction": "s3:Get*", "Resource": "*", **FOR},
        {"resource", "key", "endpoint"},
    ),
    "NotPrincipal": (deny("s3:Get*", NotPrincipal={"AWS": ALICE}), {"resource", "key", "endpoint"}),
    "an allow for everybody of everything": (allow(**FOR), {"resource", "key", "endpoint", "rcp"}),
    "an allow for everybody of something": (allow("s3:*", **FOR), {"resource", "key", "endpoint"}),
    "an allow for everybody of everything, on condition": (allow(**FOR, Condition={}), {"resource", "key", "endpoint"}),
    "a principal in an object": (deny("s3:Get*", Principal={"AWS": "*"}), {"resource", "key", "endpoint"}),
    "neither action nor resource": ({"Effect": "Allow", **FOR}, {"key"}),
    "neither principal nor resource": (allow("s3:*", None), set()),
}


@pytest.mark.parametrize(("statement", "kinds"), PLACES.values(), ids=PLACES)
def test_which_elements_a_kind_of_policy_has(statement: dict[str, Any], kinds: set[str]) -> None:
    accepted = set()
    for kind in KINDS:
        try:
            policy(statement, kind=kind)
        except PolicyError:
            continue
        accepted.add(kind)
    assert accepted == kinds


# a document (or a statement) -> the path of the first thing that is wrong
WRONG: dict[str, tuple[Any, str]] = {
    "a list": ([], ""),
    "a number": (5, ""),
    "nothing": (None, ""),
    "no statement": ({"Version": "2012-10-17"}, ""),
    "an unknown element": ({**GOOD, "Statements": []}, "Statements"),
    "an unknown version": ({**GOOD, "Version": "2012-10-18"}, "Version"),
    "a version that is no text": ({**GOOD, "Version": 2012}, "Version"),
    "a version that cannot be compared": ({**GOOD, "Version": []}, "Version"),
    "no version but null": ({**GOOD, "Version": None}, "Version"),
    "an Id that is no text": ({**GOOD, "Id": 1}, "Id"),
    "a statement that is text": ({"Statement": "Allow"}, "Statement"),
    "a statement that is null": ({"Statement": None}, "Statement"),
    "a text among statements": ({"Statement": [allow(), "Allow"]}, "Statement[1]"),
    "a single statement": ({"Statement": {**allow(), "Effect": "allow"}}, "Statement.Effect"),
}
STATEMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown element": ({**allow(), "Actions": "*"}, "Actions"),
    "an element in another letter case": ({**allow(), "action": "*"}, "action"),
    "no effect": ({"Action": "*", "Resource": "*"}, ""),
    "an effect that is no effect": ({**allow(), "Effect": "Permit"}, "Effect"),
    "an effect that is a list": ({**allow(), "Effect": ["Allow"]}, "Effect"),
    "a Sid that is no text": (allow(Sid=1), "Sid"),
    "a Sid that is null": ({**allow(), "Sid": None}, "Sid"),
    "no action": ({"Effect": "Allow", "Resource": "*"}, ""),
    "two actions": ({**allow(), "NotAction": "*"}, "NotAction"),
    "an action that is a number": (allow(5), "Action"),
    "an action that is null": ({**allow(), "Action": None}, "Action"),
    "a number among actions": (allow(["s3:Get*", 5]), "Action[1]"),
    "an action without a service": (allow("GetObject"), "Action"),
    "an action without a name": (allow("s3:"), "Action"),
    "an action with an empty service": (allow(":GetObject"), "Action"),
    "a wildcard in the service of an action": (allow(["*", "s*:GetObject"]), "Action[1]"),
    "a question mark in the service of an action": (allow("s?:GetObject"), "Action"),
    "a list in a list": (allow([["s3:*"]]), "Action[0]"),
    "no resource": ({"Effect": "Allow", "Action": "*"}, ""),
    "two resources": ({**allow(), "NotResource": "*"}, "NotResource"),
    "a resource that is null": ({**allow(), "Resource": None}, "Resource"),
    "a resource that is no ARN": (allow("*", "bucket/*"), "Resource"),
    "a number among resources": (allow("*", ["*", 5]), "Resource[1]"),
    "a wildcard in the service of a resource": (allow("*", ["*", "arn:aws:s*:::bucket"]), "Resource[1]"),
    "a question mark in the service of a resource": (allow("*", "arn:aws:s?:::bucket"), "Resource"),
    "NotResource that is no ARN": ({"Effect": "Allow", "Action": "*", "NotResource": "b"}, "NotResource"),
    "a principal where there is none": (allow(Principal="*"), "Principal"),
    "a condition that is a list": (allow(Condition=[]), "Condition"),
    "a condition that is null": ({**allow(), "Condition": None}, "Condition"),
    "a misspelt operator": (allow(Condition={"StringEqual": {"a": "b"}}), "Condition.StringEqual"),
    "an operator that holds a text": (allow(Condition={"StringEquals": "x"}), "Condition.StringEquals"),
    "a value that is null": (allow(Condition={"StringEquals": {"a": None}}), "Condition.StringEquals.a"),
    "a value that is an object": (allow(Condition={"StringEquals": {"a": {}}}), "Condition.StringEquals.a"),
    "a list in a list of values": (allow(Condition={"StringEquals": {"a": [["b"]]}}), "Condition.StringEquals.a"),
}
WRONG |= {
    f"statement: {name}": ({"Statement": [allow(), each]}, f"Statement[1].{path}".rstrip("."))
    for name, (each, path) in STATEMENTS.items()
}


@pytest.mark.parametrize(("document", "path"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_and_where(document: Any, path: str) -> None:
    with pytest.raises(PolicyError) as refused:
        Policy.parse(document)
    found = [problem.path for problem in refused.value.problems]
    assert any(each.startswith(path) for each in found)
    assert all(problem.level == "error" and problem.message for problem in refused.value.problems)
    assert str(refused.value)


def test_a_single_statement_has_variables_too() -> None:
    single = {"Version": "2012-10-17", "Statement": allow("*", "arn:aws:s3:::bucket/${aws:username}")}
    assert decide(ALICE, "s3:GetObject", "arn:aws:s3:::bucket/alice", PolicySet((Policy.parse(single),))) == "ALLOW"
    old = {**single, "Version": "2008-10-17"}
    assert decide(ALICE, "s3:GetObject", "arn:aws:s3:::bucket/alice", PolicySet((Policy.parse(old),))) != "ALLOW"


def test_every_mistake_of_a_text_has_a_place_and_what_would_be_right() -> None:
    text = """{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Acton": "s3:GetObject",
    "Resource": "*",
    "Condition": {"StringEqual": {"aws:username": "alice"}}
  }]
}"""
    with pytest.raises(PolicyError) as refused:
        Policy.parse(text)
    found = {problem.path: problem for problem in refused.value.problems}
    misspelt = found["Statement[0].Condition.StringEqual"]
    assert (misspelt.line, misspelt.column) == (7, 19)
    assert "StringEquals" in (misspelt.suggestion or "")
    assert "Action" in (found["Statement[0].Acton"].suggestion or "")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"Statement": [],}', '{"Version": "2012-10-17", "Version": "2012-10-17"}', "\ud800", "NaN"]
)
def test_what_is_not_json_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(PolicyError) as refused:
        Policy.parse(text)
    assert refused.value.problems


def test_what_a_service_would_not_save_can_be_read() -> None:
    twice = {"Version": "2012-10-17", "Statement": [allow("s3:*", Sid="A"), allow("s3:*", Sid="A")]}
    assert len(Policy.parse(twice).statements) == 2
    assert [problem.level for problem in problems(twice, "identity", advice=False)] == ["refused"]


def test_a_policy_of_awss_own_may_be_long() -> None:
    long = {"Version": "2012-10-17", "Statement": [allow([f"s3:Get{number:06}" for number in range(2000)])]}
    assert Policy.parse(long)
    assert "refused" in [problem.level for problem in problems(long, "session")]


def test_all_policies_of_awss_own_are_read() -> None:
    managed = pytest.importorskip("moto.iam.aws_managed_policies", reason="moto carries AWS's managed policies")
    import json

    documents = json.loads(managed.aws_managed_policies_data)
    for name, each in documents.items():
        Policy.parse(each["Document"], name=name)
    assert len(documents) > 1000


def test_a_condition_value_may_be_a_number_or_a_truth_value() -> None:
    read = policy(allow(Condition={"NumericLessThan": {"a": [1, 2.5]}, "Bool": {"b": True}}))
    assert [each.values for each in read.statements[0].conditions] == [("1", "2.5"), ("true",)]


def test_the_statements_that_cover_an_action_are_found_however_they_name_it() -> None:
    written = [allow(f"s3:Action{number}", Sid=f"N{number}") for number in range(2)]
    written += [allow("s3:Act*", Sid="Wild"), allow(["ec2:*", "s3:Action7"], Sid="Both"), allow("*", Sid="All")]
    written += [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*", "Sid": "Not"}, allow("*:*", Sid="Star")]
    written += [allow(["s3:*7", "s3:Action7"], Sid="Twice"), allow("S3:ACTION7", Sid="Upper"), allow("sqs:*", Sid="No")]
    read = policy(*written)
    covering = {
        "s3:action7": ["Wild", "Both", "All", "Not", "Star", "Twice", "Upper"],
        "iam:getuser": ["All", "Star"],
        "ec2:runinstances": ["Both", "All", "Not", "Star"],
    }
    for action, sids in covering.items():
        assert [each.sid for each in read.candidates(action)] == sids, action


def test_the_statements_of_any_number_of_actions_are_found() -> None:
    """A policy remembers those of some actions, so that its memory does not grow with the number of requests."""
    read = policy(allow("s3:Get*", Sid="Get"), allow("s3:*1", Sid="One"))
    for _ in range(2):
        for number in range(MOST_ACTIONS + 2):
            sids = ["Get", "One"] if number % 10 == 1 else ["Get"]
            assert [each.sid for each in read.candidates(f"s3:get{number}")] == sids
