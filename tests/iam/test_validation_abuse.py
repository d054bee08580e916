"""No document, however hostile, does more to validation than be refused; and what AWS publishes is accepted."""

# ruff: noqa: E501 - a case a line: the table is read across

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simlib.iam import Policy, json_text, refusal_texts, validation
from simlib.iam.errors import PolicyError, Problem
from simlib.iam.findings import FINDINGS
from simlib.iam.statement import KINDS

from .test_validation_texts import PARSERS

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
NAMES = ["Version", "Id", "Statement", "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource"]
NAMES += [
    "NotResource",
    "Condition",
    "AWS",
    "Service",
    "Federated",
    "CanonicalUser",
    "Bool",
    "StringLike",
    "aws:TagKeys",
]
PIECES = [
    "*",
    "?",
    ":",
    "${",
    "}",
    "/",
    "arn:aws:",
    "s3",
    "iam",
    "sts",
    "role/",
    "aws:",
    "111122223333",
    "'",
    ",",
    " ",
    "é",
    "\ud800",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=8).map("".join) | st.sampled_from(
    [
        "Allow",
        "Deny",
        "2012-10-17",
        "2008-10-17",
        "*",
        "s3:GetObject",
        "iam:PassRole",
        "sts:AssumeRole",
        "arn:aws:s3:::b/*",
    ]
)
ONE_OR_MORE = TEXTS | st.lists(TEXTS, max_size=3)
OPERATORS = st.sampled_from(
    [
        "StringEquals",
        "StringLike",
        "Bool",
        "BoolIfExists",
        "Null",
        "IpAddress",
        "DateLessThan",
        "NumericEquals",
        "ArnLike",
        "ForAllValues:StringLike",
        "ForAnyValue:StringEqual",
        "BinaryEquals",
        "NullIfExists",
        "",
        "ForAllValues:",
    ]
)
KEYS = (
    st.sampled_from(["aws:SourceIp", "aws:TagKeys", "aws:MultiFactorAuthPresent", "s3:prefix", "aws:x", "x", "", ":"])
    | TEXTS
)
VALUES = ONE_OR_MORE | st.booleans() | st.integers() | st.floats() | st.lists(st.booleans() | st.integers(), max_size=2)
PRINCIPALS = TEXTS | st.dictionaries(st.sampled_from(NAMES), ONE_OR_MORE, max_size=3)
STATEMENTS = st.fixed_dictionaries(
    {},
    optional={
        "Sid": TEXTS,
        "Effect": st.sampled_from(["Allow", "Deny", "allow"]),
        "Principal": PRINCIPALS,
        "NotPrincipal": PRINCIPALS,
        "Action": ONE_OR_MORE,
        "NotAction": ONE_OR_MORE,
        "Resource": ONE_OR_MORE,
        "NotResource": ONE_OR_MORE,
        "Condition": st.dictionaries(OPERATORS, st.dictionaries(KEYS, VALUES, max_size=2), max_size=2),
    },
)
NEARLY = st.fixed_dictionaries(
    {"Statement": STATEMENTS | st.lists(STATEMENTS, max_size=3)},
    optional={"Version": TEXTS | st.integers(), "Id": TEXTS},
)
DOCUMENTS = NEARLY | ANYTHING | st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=5)


def check(problems: list[Problem], text: str | None = None) -> None:
    lines = text.split("\n") if text else []
    for problem in problems:
        assert problem.level == FINDINGS[problem.code].level
        assert problem.message
        assert str(problem).isprintable() or "\\" in repr(str(problem))
        str(problem).encode("utf-8", "surrogatepass")
        if text is not None:
            assert problem.line is not None
            assert problem.column is not None
            assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1


@settings(max_examples=120, deadline=None)
@given(DOCUMENTS, st.sampled_from(list(KINDS)), st.sampled_from([None, "user", "managed"]))
def test_whatever_the_document_validation_returns_problems(document: Any, kind: str, stored_as: str | None) -> None:
    before = copy.deepcopy(document)
    problems = validation.problems(document, kind, stored_as=stored_as)
    check(problems)
    assert repr(document) == repr(before), "the document was changed"
    refused = validation.problems(document, kind, stored_as=stored_as, advice=False)
    assert refused == [problem for problem in problems if problem.level != "warning"]
    answer = refusal_texts.answer(refused, PARSERS.get(kind, kind))
    assert (answer is None) == (not refused)
    assert answer is None or (answer.text and answer.problem in refused)


@settings(max_examples=100, deadline=None)
@given(NEARLY, st.sampled_from(list(KINDS)), st.sampled_from([None, 1]))
def test_whatever_the_text_problems_have_a_place_in_it(document: Any, kind: str, indent: int | None) -> None:
    text = json.dumps(document, indent=indent)
    try:
        located = json_text.parse(text)
    except PolicyError:  # NaN and the like
        return
    check(validation.problems(located.value, kind, located), text)


@settings(max_examples=100, deadline=None)
@given(st.lists(STATEMENTS, min_size=2, max_size=3), st.sampled_from(list(KINDS)))
def test_errors_of_a_statement_do_not_depend_on_the_others(statements: list[Any], kind: str) -> None:
    def errors(these: list[Any]) -> list[str]:
        document = {"Version": "2012-10-17", "Statement": these}
        found = validation.problems(document, kind, advice=False)
        return sorted(problem.code for problem in found if not problem.code.startswith(("unique-sids", "policy-size")))

    assert errors(statements) == sorted(code for each in statements for code in errors([each]))
    assert errors(statements) == errors(statements[::-1])


def hostile() -> list[tuple[str, Any]]:
    circle: dict[str, Any] = {"Version": "2012-10-17"}
    circle["Statement"] = circle
    ring: list[Any] = []
    ring.append(ring)
    deep: Any = "x"
    for _ in range(10_000):
        deep = [deep]
    wide: Any = "x"
    for _ in range(30):
        wide = [wide, wide]
    good = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    stars = "s3:" + "*a" * 1000
    return [
        ("a document in itself", circle),
        ("a list in itself", ring),
        ("a list in itself as statements", {"Statement": ring}),
        ("a list in itself as effect", {"Statement": {"Effect": ring}}),
        ("deep lists", {"Statement": [{**good, "Condition": {"Bool": {"aws:x": deep}}}]}),
        ("deep lists as action", {"Statement": [{**good, "Action": deep}]}),
        ("two to the thirtieth", {"Statement": [{**good, "Resource": wide}]}),
        ("a number of ten thousand digits", {"Statement": [{**good, "Condition": {"NumericEquals": {"aws:x": 10**10_000}}}]}),
        ("such a number as Sid", {"Statement": [{**good, "Sid": 10**10_000}]}),
        ("names that are no texts", {5: 1, None: 2, (1, 2): 3, "Statement": [{b"x": 1, 1.5: 2, **good}]}),
        ("operators and keys that are no texts", {"Statement": [{**good, "Condition": {5: {6: "x"}, None: {}}}]}),
        ("principals that are no texts", {"Statement": [{**good, "Principal": {5: "x", None: 6}}]}),
        ("values of other types", {"Version": b"2012", "Statement": [{"Effect": object(), "Action": {1}, "Resource": b"*"}]}),
        ("half a character", {"\ud800": "\udfff", "Statement": [{**good, "Sid": "\ud800", "Action": "\ud800:\ud800"}]}),
        ("wildcards that go back", {"Statement": [{**good, "Action": [stars] * 3, "Resource": ["arn:aws:s3:::" + "*a" * 1000]}]}),
        ("ten thousand misspelt actions", {"Statement": [{**good, "Action": [f"s3:Gett{n}" for n in range(10_000)]}]}),
        ("ten thousand unknown elements", {"Statement": [{**good, **{f"Actio{n}": 1 for n in range(10_000)}}]}),
        ("ten thousand wildcards", {"Statement": [{**good, "Action": [f"ec2:*{n}*" for n in range(10_000)]}]}),
        ("ten thousand resources", {"Statement": [{**good, "Resource": [f"arn:aws:ec2:*:*:*{n}*" for n in range(10_000)]}]}),
        ("ten thousand variables", {"Version": "2012-10-17", "Statement": [{**good, "Resource": "arn:aws:s3:::" + "${x" * 10_000}]}),
        ("ten thousand statements", {"Version": "2012-10-17", "Statement": [good] * 10_000}),
        ("a million letters", {"Statement": [{**good, "Action": "s3:" + "a" * 1_000_000, "Resource": "arn:aws:s3:::" + "*" * 1_000_000}]}),
    ]  # fmt: skip


@pytest.mark.parametrize("document", [case[1] for case in hostile()], ids=[case[0] for case in hostile()])
@pytest.mark.parametrize("kind", ["identity", "trust"])
def test_a_hostile_document_is_answered(document: Any, kind: str) -> None:
    problems = validation.problems(document, kind)
    check(problems)
    repr(problems)
    for problem in problems[:50]:
        assert len(problem.message) < 600
        assert len(problem.suggestion or "") <= 300
        assert refusal_texts.answer([problem._replace(level="error")], PARSERS.get(kind, kind))


def test_what_aws_publishes_is_accepted() -> None:
    """1,500 managed policies, written by all of AWS: none has an error, and few have anything graver than a new name."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    published = json.loads(aws_managed_policies_data)
    assert len(published) > 1000
    refused = {
        name: [str(problem) for problem in problems]
        for name, policy in published.items()
        if (problems := validation.problems(policy["Document"], "identity", advice=False))
    }
    assert refused == {}


def test_advice_on_what_aws_publishes_is_rare() -> None:
    """Apart from names newer than the data: a false alarm in a check would show here in dozens."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    new_names = ("invalid-action", "invalid-service", "invalid-service-in-action", "invalid-service-condition-key")
    published = sorted(json.loads(aws_managed_policies_data).items())[::20]
    noisy = [
        name
        for name, policy in published
        if any(
            FINDINGS[problem.code].gravity == "error" and problem.code not in new_names
            for problem in validation.problems(policy["Document"], "identity")
        )
    ]
    assert len(noisy) <= len(published) // 10, noisy


def plausible(kind: str) -> st.SearchStrategy[Any]:
    """Documents that AWS accepts more often than not, with whatever odd things it accepts."""
    many = lambda *texts: st.sampled_from(texts) | st.lists(st.sampled_from(texts), min_size=1, max_size=3)  # noqa: E731
    actions = many("s3:GetObject", "S3:get*", "*", "*:*", "*:Get?", "a-b.c:${x}", "iam:*", "nowhere:Nothing")
    resources = many(
        "*",
        "arn:aws:s3:::b/${aws:username, 'x'}",
        "arn:aws:sqs",
        "arn:*:s3:::?*",
        "arn:aws:iam::*:*",
        "arn:aws:x:y:z:${",
    )
    people = st.fixed_dictionaries(
        {
            "AWS": many(
                "111122223333",
                "*",
                "arn:aws:iam::111122223333:root",
                "AIDACKCEVSQ6C2EXAMPLE",
                "arn:aws:sts::111122223333:assumed-role/r/*",
            )
        },
        optional={"Service": many("ec2.amazonaws.com"), "Federated": many("accounts.google.com")},
    )
    conditions = st.dictionaries(
        st.sampled_from(
            [
                "StringEquals",
                "ForAnyValue:StringLikeIfExists",
                "Bool",
                "Null",
                "IpAddress",
                "NumericLessThan",
                "ArnLike",
                "BinaryEquals",
            ]
        ),
        st.dictionaries(st.sampled_from(["aws:TagKeys", "nowhere:x", "x", "", "aws:SourceIp"]), VALUES, max_size=2),
        max_size=2,
    )
    if kind == "trust":
        elements = {"Principal": people, "Action": many("sts:AssumeRole", "STS:*", "sts:TagSession")}
    elif kind == "rcp":
        elements = {"Principal": st.just("*"), "Action": many("s3:*", "sts:Get*", "x:y"), "Resource": resources}
    elif "Principal" in KINDS[kind].elements:
        elements = {"Principal": people | st.just("*"), "Action": actions, "Resource": resources}
    else:
        elements = {"Action": actions, "Resource": resources}
    effects = st.sampled_from(["Deny"] if kind == "rcp" else ["Allow", "Deny"])
    statement = st.fixed_dictionaries(
        {"Effect": effects, **elements}, optional={"Condition": conditions, "Sid": st.just("")}
    )
    return st.fixed_dictionaries(
        {"Statement": statement | st.lists(statement, min_size=1, max_size=3)},
        optional={"Version": st.sampled_from(["2012-10-17", "2008-10-17"]), "Id": TEXTS},
    )


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every part of a document: its container and its key there."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, part in steps for place in [(value, key), *places(part)]]


def mutated(document: Any, draw: Any) -> Any:
    """A copy in which one part is gone, is doubled, has another name, or something else stands in its place."""
    document = copy.deepcopy(document)
    container, key = draw(st.sampled_from(places(document)))
    how = draw(st.sampled_from(["gone", "replaced", "renamed", "wrapped"]))
    part = container.pop(key)
    if how == "replaced":
        part = draw(ANYTHING | TEXTS | VALUES)
    elif how == "renamed" and isinstance(container, dict):
        key = draw(st.sampled_from(NAMES) | TEXTS)
    elif how == "wrapped":
        part = draw(st.sampled_from([[part], [part, part], {key if isinstance(key, str) else "AWS": part}]))
    if how != "gone":
        container.insert(key, part) if isinstance(container, list) else container.update({key: part})
    return document


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_engine_takes_what_the_validator_passes_and_nothing_else(kind: str) -> None:
    taken = refused = 0

    @settings(max_examples=100, deadline=None)
    @given(plausible(kind), st.data())
    def holds(document: Any, data: st.DataObject) -> None:
        nonlocal taken, refused
        for _ in range(data.draw(st.integers(2, 4))):  # as it is, and then with one mistake more each time
            errors = {each.path for each in validation.problems(document, kind) if each.level == "error"}
            try:
                Policy.parse(document, kind)
                said = set()
            except PolicyError as error:
                said = {each.path for each in error.problems}
            taken, refused = taken + (not said), refused + bool(said)
            assert said == errors
            document = mutated(document, data.draw) if places(document) else document

    holds()
    assert min(taken, refused) > 0.2 * (taken + refused), (taken, refused)
