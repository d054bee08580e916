"""Validation of a document as a whole: sizes, Sids, versions, characters, the order of what is found."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simlib.iam import json_text, validation
from simlib.iam.errors import Problem
from tests.iam.documents import bucket, found, policy, rcp, trust


def test_sids_are_unique_where_iam_keeps_them_and_should_be_elsewhere() -> None:
    def twice(make: Any) -> dict[str, Any]:
        first, second = make(Sid="A")["Statement"][0], make(Sid="A", Effect="Deny")["Statement"][0]
        return {"Version": "2012-10-17", "Statement": [first, second]}

    for kind, make, code in (
        ("identity", policy, "unique-sids-required"),
        ("trust", trust, "unique-sids-required"),
        ("resource", bucket, "unique-sids-recommended"),
    ):
        (problem,) = found(twice(make), kind)
        assert (problem.code, problem.path) == (code, "Statement[1].Sid")


def test_a_statement_that_is_there_twice_is_redundant() -> None:
    statement = policy()["Statement"][0]
    document = {"Version": "2012-10-17", "Statement": [{**statement, "Sid": "A"}, {**statement, "Sid": "B"}]}
    (problem,) = found(document)
    assert (problem.code, problem.path) == ("redundant-statement", "Statement[1]")
    doubtful = {"Statement": document["Statement"]}
    assert [problem.code for problem in found(doubtful)] == ["missing-version", "redundant-statement"]
    broken = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": [5]}, {**statement, "Resource": [6]}]}
    assert {problem.code for problem in found(broken)} == {"data-type-mismatch"}


SIZES = [  # kind, where it is stored, characters allowed, whether white space counts, error or not
    ("identity", "user", 2048, False, True),
    ("identity", "group", 5120, False, True),
    ("identity", "role", 10_240, False, True),
    ("identity", "managed", 6144, False, True),
    ("identity", None, 10_240, False, False),
    ("boundary", None, 6144, False, False),
    ("trust", None, 2048, False, True),
    ("session", None, 2048, True, True),
    ("resource", None, 20_480, True, False),
    ("endpoint", None, 20_480, True, True),
    ("scp", None, 10_240, True, True),
    ("rcp", None, 5120, True, True),
]


@pytest.mark.parametrize(("kind", "stored_as", "quota", "spaces", "refused"), SIZES)
def test_a_document_may_be_so_long_and_no_longer(
    kind: str, stored_as: str | None, quota: int, spaces: bool, refused: bool
) -> None:
    makers: dict[str, Any] = {"trust": trust, "resource": bucket, "endpoint": bucket, "rcp": rcp}
    make = makers.get(kind, policy)

    def problems(length: int, padding: str = "") -> list[Problem]:
        empty = json.dumps(make(Sid=""), separators=(",", ":"))
        text = json.dumps(make(Sid="S" * (length - len(empty))), separators=(",", ":")) + padding
        located = json_text.parse(text)
        return found(located.value, kind, located=located, stored_as=stored_as)

    assert problems(quota) == []
    (problem,) = problems(quota + 1)
    assert f"{quota:,}" in problem.message
    assert problem.level == ("refused" if refused else "warning")
    assert problem.code.startswith("policy-size")
    assert bool(problems(quota, padding=" \n")) is spaces


def test_the_size_of_an_object_is_that_of_its_shortest_text() -> None:
    for document in (
        policy(),
        trust(Condition={"Bool": {"a:b": True}, "Null": {"a:c": ["x", "é", False, None]}}),
        {},
        [],
        None,
    ):
        assert validation.size(document) == len(json.dumps(document, separators=(",", ":"), ensure_ascii=False))


def test_white_space_in_strings_counts_and_outside_it_does_not() -> None:
    located = json_text.parse('{ "a b" :\t"c \\" d" }\n')
    assert validation.size(located.value, located) == len('{"a b":"c \\" d"}')
    assert validation.size(located.value, located, spaces=True) == len(located.text)


def test_a_managed_policy_has_the_new_version() -> None:
    for version in ({"Version": "2008-10-17"}, {}):
        document = {**version, "Statement": policy()["Statement"]}
        codes = [problem.code for problem in found(document, stored_as="managed")]
        assert "old-version" in codes
        assert "old-version" not in [problem.code for problem in found(document, stored_as="user")]


def test_a_document_longer_than_aws_reads_is_refused_and_left_alone() -> None:
    document = policy(Sid="S" * 131_072)
    (problem,) = found(document, stored_as="role")
    assert problem.code == "document-too-long"


@pytest.mark.parametrize(("kind", "refused"), [("identity", True), ("trust", True), ("resource", False)])
def test_iam_takes_no_characters_beyond_latin_1(kind: str, refused: bool) -> None:
    make: Any = {"identity": policy, "trust": trust, "resource": bucket}[kind]
    document = make(Condition={"StringEquals": {"aws:userid": "a\u2026"}})
    text = json.dumps(document, ensure_ascii=False, indent=2)
    located = json_text.parse(text)
    problems = found(located.value, kind, located=located)
    assert [problem.code for problem in problems] == ["unsupported-character"] * refused
    assert all("U+2026" in problem.message for problem in problems)
    for problem in problems:
        assert problem.line is not None
        assert problem.column is not None
        assert text.split("\n")[problem.line - 1][problem.column - 1] == "\u2026"


def test_problems_stand_in_the_order_of_the_text_with_line_and_column() -> None:
    text = """{
  "Version": "2012-10-17",
  "Statement": {
    "Effect": "allow",
    "Condition": {"StringEqual": {"aws:username": "x"}},
    "Action": ["s3:GetObject", "s3GetObject"],
    "Resource": "b", "Sid": "x-y", "Resorce": "*"
  }
}"""
    located = json_text.parse(text)
    problems = found(located.value, located=located)
    assert [(problem.code, problem.line, problem.column, problem.path) for problem in problems] == [
        ("invalid-effect", 4, 15, "Statement.Effect"),
        ("invalid-condition-operator", 5, 19, "Statement.Condition.StringEqual"),
        ("action-format", 6, 32, "Statement.Action[1]"),
        ("invalid-arn-prefix", 7, 17, "Statement.Resource"),
        ("unsupported-sid", 7, 29, "Statement.Sid"),
        ("invalid-policy-element", 7, 36, "Statement.Resorce"),
    ]
    assert str(problems[1]).startswith(
        "5:19: Statement.Condition.StringEqual: There is no condition operator StringEqual"
    )


def test_without_advice_only_errors_are_reported() -> None:
    document = policy(Action=["s3:GetObjct", "s3"], Resource="*", Condition={"StringEquals": {"aws:TagKeys": []}})
    assert [problem.code for problem in found(document, advice=False)] == ["action-format"]


def test_the_value_of_a_problem_is_what_stands_there_or_what_that_is() -> None:
    assert [problem.value for problem in found(policy(Action="s3"))] == ["s3"]
    assert [problem.value for problem in found(policy(Action={"s3": "*"}))] == ["an object"]


@pytest.mark.parametrize("kind", ["", "bucket", "Identity"])
def test_a_kind_that_does_not_exist_is_a_value_error(kind: str) -> None:
    with pytest.raises(ValueError, match="kind must be one of identity, "):
        found(policy(), kind)


def test_a_place_that_does_not_exist_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="stored_as must be one of user, "):
        found(policy(), stored_as="bucket")
