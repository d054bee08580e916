"""Could it be allowed? Decisions while conditions or the resource are left open, against those with nothing open."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simlib.iam import PolicySet, Request, evaluate
from simlib.iam.conditions import BY_NAME, Condition
from simlib.iam.matching import RESOURCE, Patterns
from simlib.iam.partial import DEPENDS, Possibility, Term, possible
from tests.iam.shorthand import ALICE, OBJECT, OTHER, allow, deny, policy, resource_policy

Terms = tuple[tuple[Term, ...], ...]
IP, TEAM, MFA, AGE = "aws:SourceIp", "aws:PrincipalTag/team", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge"


def ask(*statements: dict[str, Any], keys: Any = None, resource: str = OBJECT, **others: Any) -> Possibility:
    request = Request(ALICE, "s3:GetObject", resource, context=others.pop("context", {}))
    return possible(request, PolicySet(identity=(policy(*statements),)), keys, **others)


def said(possibility: Possibility) -> Any:
    """The alternatives in short: a set of sets of texts; what does not hold begins with "not"."""
    assert possibility.depends_on is not None
    return {
        frozenset(f"{'' if t.holds else 'not '}{t.operator} {t.key} {' '.join(t.values)}" for t in terms)
        for terms in possibility.depends_on
    }


def when(name: str, key: str, *values: str) -> dict[str, Any]:
    return {"Condition": {name: {key: list(values)}}}


# statements, decision, what it hangs on
CASES: dict[str, tuple[list[dict[str, Any]], str, set[frozenset[str]]]] = {
    "nothing is left open": ([allow()], "ALLOW", set()),
    "nothing allows": ([allow("ec2:*", **when("Bool", MFA, "true"))], "IMPLICIT_DENY", set()),
    "something denies": ([allow(**when("Bool", MFA, "true")), deny()], "EXPLICIT_DENY", set()),
    "an allow with a condition": (
        [allow(**when("Bool", MFA, "true"))],
        DEPENDS,
        {frozenset({f"Bool {MFA} true"})},
    ),
    "a deny with a condition": (
        [allow(), deny(**when("BoolIfExists", MFA, "false"))],
        DEPENDS,
        {frozenset({f"not BoolIfExists {MFA} false"})},
    ),
    "two allows": (
        [allow(**when("Bool", MFA, "true")), allow(**when("IpAddress", IP, "10.0.0.0/8"))],
        DEPENDS,
        {frozenset({f"Bool {MFA} true"}), frozenset({f"IpAddress {IP} 10.0.0.0/8"})},
    ),
    "one of two allows is enough by itself": ([allow(**when("Bool", MFA, "true")), allow()], "ALLOW", set()),
    "an allow and its denial": (
        [allow(**when("StringEquals", TEAM, "red")), deny(**when("StringLike", TEAM, "r*"))],
        "IMPLICIT_DENY",
        set(),
    ),
    "a denial that cannot be met with the allow": (
        [allow(**when("StringEquals", TEAM, "red")), deny(**when("StringEquals", TEAM, "blue"))],
        DEPENDS,
        {frozenset({f"StringEquals {TEAM} red"})},
    ),
    "allows that together are everything": (
        [allow(**when("StringEquals", TEAM, "red")), allow(**when("StringNotEquals", TEAM, "red"))],
        "ALLOW",
        set(),
    ),
    "numbers between two limits": (
        [allow(**when("NumericLessThan", AGE, "300")), deny(**when("NumericLessThan", AGE, "100"))],
        DEPENDS,
        {frozenset({f"NumericLessThan {AGE} 300", f"not NumericLessThan {AGE} 100"})},
    ),
    "numbers with nothing between": (
        [allow(**when("NumericLessThan", AGE, "100")), deny(**when("NumericLessThanEquals", AGE, "100"))],
        "IMPLICIT_DENY",
        set(),
    ),
    "a range within a range": (
        [allow(**when("IpAddress", IP, "10.0.0.0/8")), deny(**when("NotIpAddress", IP, "10.1.0.0/16"))],
        DEPENDS,
        {frozenset({f"not NotIpAddress {IP} 10.1.0.0/16"})},
    ),
    "a range that begins where a wider one does": (
        [allow(**when("IpAddress", IP, "10.0.0.0/8")), deny(**when("IpAddress", IP, "10.0.0.0/16"))],
        DEPENDS,
        {frozenset({f"IpAddress {IP} 10.0.0.0/8", f"not IpAddress {IP} 10.0.0.0/16"})},
    ),
    "an alternative that the others make needless": (
        [
            allow(Condition={"StringEquals": {TEAM: "red", "aws:RequestTag/a": "b"}}),
            allow(Condition={"StringEquals": {TEAM: "red"}, "Bool": {MFA: "true"}}),
            allow(Condition={"StringEquals": {"aws:RequestTag/a": "b"}, "Null": {MFA: "true"}}),
            allow(Condition={"StringEquals": {"aws:RequestTag/a": "b"}, "Null": {MFA: "false"}}),
        ],
        DEPENDS,
        {frozenset({"StringEquals aws:RequestTag/a b"}), frozenset({f"StringEquals {TEAM} red", f"Bool {MFA} true"})},
    ),
    "a set operator and one value": (
        [
            allow(**when("ForAllValues:StringEquals", "aws:TagKeys", "a", "b")),
            deny(**when("Null", "aws:TagKeys", "true")),
        ],
        DEPENDS,
        {frozenset({"ForAllValues:StringEquals aws:TagKeys a b", "not Null aws:TagKeys true"})},
    ),
    "denied explicitly in one case, and not allowed in the other": (
        [deny(**when("Bool", MFA, "true"))],
        "IMPLICIT_DENY",
        set(),
    ),
    "denied explicitly in every case": (
        [allow(), deny(**when("Null", MFA, "true")), deny(**when("Null", MFA, "false"))],
        "EXPLICIT_DENY",
        set(),
    ),
}


@pytest.mark.parametrize(("statements", "decision", "hangs_on"), CASES.values(), ids=CASES)
def test_what_it_hangs_on(statements: list[dict[str, Any]], decision: str, hangs_on: set[frozenset[str]]) -> None:
    answer = ask(*statements)
    assert answer.decision == decision
    assert said(answer) == hangs_on
    assert (answer.evaluation is None) is (decision == DEPENDS)


def test_only_the_keys_named_are_open() -> None:
    statements = [allow(Condition={"Bool": {MFA: "true"}, "StringEquals": {TEAM: "red"}})]
    assert ask(*statements, keys=[TEAM.upper()], context={MFA: "true"}).depends_on == (
        (Term("StringEquals", TEAM, ("red",), True),),
    )
    assert ask(*statements, keys=[TEAM]).decision == "IMPLICIT_DENY"


def test_what_aws_derives_from_the_principal_is_known() -> None:
    assert ask(allow(**when("StringEquals", "aws:username", "alice"))).decision == "ALLOW"
    assert ask(allow(**when("StringEquals", "aws:PrincipalAccount", OTHER))).decision == "IMPLICIT_DENY"


def test_a_variable_that_is_open() -> None:
    tag = "arn:aws:s3:::bucket/${aws:PrincipalTag/team}.txt"
    assert said(ask(allow(resource=tag))) == {frozenset({f"Resource Resource {tag}"})}
    assert ask(allow(resource="arn:aws:s3:::other/${aws:PrincipalTag/team}")).decision == "IMPLICIT_DENY"
    same = when("StringEquals", "aws:RequestTag/team", "${aws:PrincipalTag/team}")
    assert said(ask(allow(**same), deny(**when("StringNotEquals", TEAM, "red")))) == {
        frozenset({"StringEquals aws:RequestTag/team ${aws:PrincipalTag/team}", f"not StringNotEquals {TEAM} red"})
    }


def test_one_question_has_one_answer_in_every_process() -> None:
    """Sets of texts have an order of their own in each."""
    code = """if True:
        from tests.iam.test_partial import ask, allow, when
        print(ask(allow(**when("StringEquals", "aws:RequestTag/team", "${aws:PrincipalTag/team}"))).witness)"""
    run = [sys.executable, "-c", code]
    seeds = ({**os.environ, "PYTHONHASHSEED": str(seed)} for seed in range(4))
    answers = {subprocess.run(run, env=env, capture_output=True, text=True, check=True).stdout for env in seeds}
    assert len(answers) == 1


def test_every_layer_counts() -> None:
    request = Request(ALICE, "s3:GetObject", OBJECT)
    narrow = policy(allow(**when("Bool", MFA, "true")))
    assert possible(request, PolicySet((policy(allow()),), permissions_boundary=narrow)).decision == DEPENDS
    scps = ((policy(allow(), kind="scp"),), (policy(allow(**when("StringEquals", TEAM, "red")), kind="scp"),))
    answer = possible(request, PolicySet((narrow,), scps=scps))
    assert said(answer) == {frozenset({f"Bool {MFA} true", f"StringEquals {TEAM} red"})}
    assert possible(request, PolicySet((narrow,), resource=resource_policy({"AWS": ALICE}))).decision == "ALLOW"


def test_too_many_combinations_are_said_to_be_too_many() -> None:
    either = [allow(**when("StringLike", f"a:k{n}", "x*")) for n in range(9)]
    unless = [deny(Condition={"Null": {f"a:k{n}": "true"}, "StringLike": {f"a:k{8 - n}": "xy*"}}) for n in range(9)]
    answer = ask(*either, *unless)
    assert (answer.decision, answer.depends_on) == (DEPENDS, None)
    assert ask(*either, allow()).decision == "ALLOW"
    assert ask(*either, deny()).decision == "EXPLICIT_DENY"


# --- the law: what satisfies the list is allowed, what does not is not ------------------------------------------------

WANTED: dict[str, list[tuple[str, list[str]]]] = {
    "a:text": [(name, ["red", "r*", "", "Red", "b?ue", "${a:other}"]) for name in ("StringEquals", "StringLike")]
    + [(name, ["red", "BLUE"]) for name in ("StringNotLike", "StringEqualsIgnoreCase", "StringNotEqualsIfExists")],
    "a:other": [("StringEquals", ["red", "blue"]), ("Null", ["true", "false"]), ("StringNotLike", ["r*"])],
    "a:list": [
        (f"{qualifier}:{name}", ["red", "r*", "blue"])
        for qualifier in ("ForAllValues", "ForAnyValue")
        for name in ("StringLike", "StringNotEquals")
    ],
    "a:number": [(f"Numeric{each}", ["5", "7", "5.5"]) for each in ("Equals", "LessThan", "GreaterThanEquals")],
    "a:date": [(f"Date{each}", ["2026-01-01", "2026-06-01T12:00Z"]) for each in ("LessThan", "GreaterThan")],
    "a:ip": [(name, ["10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"]) for name in ("IpAddress", "NotIpAddress")],
    "a:bool": [("Bool", ["true", "false"]), ("BoolIfExists", ["true", "false"]), ("Null", ["true", "false"])],
    "a:arn": [
        ("ArnLike", ["arn:aws:s3:::b*", "arn:aws:*:*:*:b", "arn:aws:sns:r?*:1:b"]),
        ("ArnNotEquals", ["arn:aws:s3:::b"]),
    ],
}
VALUES = {
    "a:text": ["report.txt", "red", "Red", "rot", "", "blue", "b?ue", "r*", "${a:other}", ["red", "blue"], ["red"], []],
    "a:other": ["red", "blue", "rot", "", ["red"], "port", "report"],
    "a:list": [["red"], ["red", "blue"], ["blue", ""], ["rot", "green"], [], "red", "", [""]],
    "a:number": ["5", "5.0", "6", "7", "8", "4.9", "five", ["5", "7"]],
    "a:date": ["2025-12-31", "2026-01-01", "2026-03-01", "2026-06-01T12:00:00Z", "2027", "1767225600", "never"],
    "a:ip": ["10.0.0.1", "10.1.2.3", "11.0.0.0", "2001:db8::1", "::", "nowhere"],
    "a:bool": ["true", "false", "perhaps"],
    "a:arn": ["arn:aws:s3:::b", "arn:aws:s3:::bb", "arn:aws:sns:r:1:b", "arn:aws:sns:rr:1:b", "arn:aws:x:::b", "b"],
}
RESOURCES = ["*", "arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/${a:other}*", "arn:aws:s3:::*.txt", OBJECT]
RESOURCES += ["arn:aws:s3:::bucket/re${a:other}.txt", "arn:aws:s3:::bucket/${a:text}"]
SET = "arn:aws:s3:::bucket/*"
MEMBERS = [f"arn:aws:s3:::bucket/{name}" for name in ("", "x", "red", "report.txt", "redder.txt", "blue/x.txt", "a:b")]


class Drawn:
    """Policies, and contexts for them, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.used = self.random.sample(sorted(WANTED), self.random.choice([1, 2, 2, 3, 3]))
        allows = [self.statement("Allow") for _ in range(self.random.choice([1, 2, 2]))]
        denies = [self.statement("Deny") for _ in range(self.random.choice([0, 0, 1, 2]))]
        ceiling = policy(self.statement("Allow"), self.statement("Allow"), kind="boundary")
        self.policies = PolicySet((policy(*allows, *denies),), ceiling if self.random.random() < 0.2 else None)

    def statement(self, effect: str) -> dict[str, Any]:
        block: dict[str, Any] = {}
        for key in self.random.sample(self.used, self.random.choice([1, 1, min(2, len(self.used))])):
            name, values = self.random.choice(WANTED[key])
            block.setdefault(name, {})[key] = self.random.sample(values, self.random.choice([1, min(2, len(values))]))
        element = "NotResource" if self.random.random() < 0.1 else "Resource"
        resource = self.random.choice(RESOURCES) if element == "Resource" else "arn:aws:s3:::bucket/red*"
        return {"Effect": effect, "Action": "s3:*", element: resource, "Condition": block}

    def context(self) -> dict[str, Any]:
        return {key: self.random.choice(values) for key, values in VALUES.items() if self.random.random() < 0.8}


def satisfies(terms: tuple[Term, ...], request: Request) -> bool:
    return all(holds(term, request) is term.holds for term in terms)


def holds(term: Term, request: Request) -> bool:
    if term.operator == "Resource":
        return Patterns(term.values, RESOURCE, variables=True).matches(request.resource, request.values)
    known = BY_NAME.get(term.operator)
    assert known is not None
    return Condition(known, term.key, term.values, variables=True).holds(request.values)


def check(drawn: Drawn, answer: Possibility, resource: str) -> None:
    """The answer against decisions on contexts (and, of a set, on resources) that were drawn independently of it."""
    seen = set()
    for _ in range(60):
        member = drawn.random.choice(MEMBERS) if resource == SET else resource
        request = Request(ALICE, "s3:GetObject", member, context=drawn.context())
        effect = evaluate(request, drawn.policies).effect
        seen.add(effect)
        if answer.decision == DEPENDS:
            assert answer.depends_on
            assert any(satisfies(terms, request) for terms in answer.depends_on) is (effect == "ALLOW"), request.values
        elif answer.decision == "IMPLICIT_DENY":
            assert effect != "ALLOW"
        else:
            assert effect == answer.decision


@settings(max_examples=150)
@given(st.integers(0, 10_000_000))
def test_a_context_is_allowed_exactly_if_it_satisfies_the_list(seed: int) -> None:
    drawn = Drawn(seed)
    check(drawn, possible(Request(ALICE, "s3:GetObject", OBJECT), drawn.policies), OBJECT)


@settings(max_examples=50)
@given(st.integers(0, 10_000_000))
def test_a_resource_of_a_set_and_a_context_are_allowed_exactly_if_they_satisfy_the_list(seed: int) -> None:
    drawn = Drawn(seed)
    check(drawn, possible(Request(ALICE, "s3:GetObject", SET), drawn.policies, resource_set=True), SET)


@pytest.mark.parametrize("resource", [OBJECT, SET])
def test_the_generated_policies_leave_it_open_in_most_cases(resource: str) -> None:
    request = Request(ALICE, "s3:GetObject", resource)
    answers = [possible(request, Drawn(seed).policies, resource_set=resource == SET) for seed in range(60)]
    depends = [answer for answer in answers if answer.decision == DEPENDS]
    assert len(depends) >= 30
    assert all(answer.depends_on for answer in depends)
