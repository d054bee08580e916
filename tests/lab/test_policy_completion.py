"""What the editor offers where: the caret is at the bar."""

from __future__ import annotations

import pytest

from simlib.lab.policy.completion import Completion, complete

ALICE, ROLE = "arn:aws:iam::111111111111:user/alice", "arn:aws:iam::222222222222:role/reports"
GITHUB = "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"
BUCKET = "arn:aws:s3:::my-secure-bucket"


def offered(marked: str, kind: str = "identity", *, asked: bool = True) -> tuple[list[str], Completion, str]:
    offset = marked.index("|")
    text = marked.replace("|", "", 1)
    found = complete(text, offset, kind, principals=[ALICE, ROLE, GITHUB], resources=[BUCKET], explicit=asked)
    return [word.text for word in found.words], found, text


@pytest.mark.parametrize(
    ("marked", "kind", "first", "never"),
    [
        ('{"|', "identity", ["Version", "Statement"], "Id"),
        ('{"|', "resource", ["Version", "Id", "Statement"], "Sid"),
        ('{"Version": "|"}', "identity", ["2012-10-17", "2008-10-17"], ""),
        ('{"Version": "2012-10-17", "|"', "identity", ["Statement"], "Version"),
        ('{"Statement": [{"Sid": "A", "|', "identity", ["Effect", "Action"], "Principal"),
        ('{"Statement": {"|', "trust", ["Sid", "Effect", "Principal"], "Resource"),
        ('{"Statement": [{"Effect": "|', "identity", ["Allow", "Deny"], ""),
        ('{"Statement": [{"Action": "Allow"}, {"Effect": "d|', "identity", ["Deny"], "Allow"),
        ('{"Statement": [{"Action": ["s3:ListBucket", "S3:getobj|', "identity", ["S3:GetObject"], "s3:ListBucket"),
        ('{"Statement": [{"Action": "s3:Get|', "identity", ["s3:GetObject"], "s3:"),
        ('{"Statement": [{"Action": "dyna|"}]}', "identity", ["dynamodb:"], "s3:"),
        ('{"Statement": [{"NotAction": "Bucket|"}]}', "identity", [], "s3:"),
        ('{"Statement": [{"Action": "nonsense:|"}]}', "identity", [], ""),
        ('{"Statement": [{"Action": "|', "trust", ["sts:AssumeRole"], "s3:"),
        ('{"Statement": [{"Resource": ["|', "identity", [BUCKET, "*"], ALICE),
        ('{"Statement": [{"Principal": "|', "trust", ["*"], "AWS"),
        ('{"Statement": [{"Principal": {"|', "trust", ["AWS", "Service", "Federated"], "Effect"),
        ('{"Statement": [{"Principal": {"AWS": ["|', "trust", [ALICE, ROLE, "arn:aws:iam::111111111111:root"], GITHUB),
        ('{"Statement": [{"Principal": {"Service": "lam|', "trust", ["lambda.amazonaws.com"], ALICE),
        ('{"Statement": [{"Principal": {"Federated": "|', "trust", [GITHUB], ALICE),
        ('{"Statement": [{"Condition": {"StringEq|', "identity", ["StringEquals", "StringEqualsIgnoreCase"], "Bool"),
        ('{"Statement": [{"Condition": {"Null|', "identity", ["Null"], "NullIfExists"),
        (
            '{"Statement": [{"Condition": {"Bool": {"aws:multifactorauthpr|',
            "identity",
            ["aws:MultiFactorAuthPresent"],
            "",
        ),
        ('{"Statement": [{"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "|', "identity", ["true", "false"], ""),
        ('{"Statement": [{"Action": "s3:*", "Condition": {"StringLike": {"s3:pre|', "identity", ["s3:prefix"], ""),
        ('{"Statement": [{"Condition": {"StringEquals": {"sts:Ext|', "trust", ["sts:ExternalId"], ""),
        ('{"Statement": [{"Condition": {"ArnLike": {"aws:PrincipalArn": "|', "identity", [ALICE, ROLE], BUCKET),
        ('{"Statement": [{"Condition": {"StringEquals": {"aws:SourceAccount": "|', "resource", ["111111111111"], ALICE),
        ('{"Statement": [{"Sid": "|', "identity", [], ""),
        ('{"Statement": [{"Effect": "Allow"}]}|', "identity", [], ""),
        ("|", "identity", [], ""),
        ("}}]]|{", "identity", [], ""),
    ],
)
def test_what_fits_is_offered(marked: str, kind: str, first: list[str], never: str) -> None:
    words, _, _ = offered(marked, kind)
    assert words[: len(first)] == first
    assert bool(words) == bool(first)
    assert never not in words


@pytest.mark.parametrize(
    ("marked", "word", "becomes"),
    [
        ('{"Ver|"}', "Version", '{"Version": "}'.replace(' "', " ")),
        ('{"Ver|": "x"}', "Version", '{"Version": "x"}'),
        ('{"Ver|sion": "x"}', "Version", '{"Version": "x"}'),
        ('{"Statement": [{"Effect": "A|"}]}', "Allow", '{"Statement": [{"Effect": "Allow"}]}'),
        ('{"Statement": [{"Effect": "A|\n}]}', "Allow", '{"Statement": [{"Effect": "Allow"\n}]}'),
        ('{"Statement": [{"Effect": |}]}', "Deny", '{"Statement": [{"Effect": "Deny"}]}'),
        ('{"Statement": [{|}]}', "Sid", '{"Statement": [{"Sid": }]}'),
    ],
)
def test_a_chosen_word_takes_the_place_of_what_is_typed(marked: str, word: str, becomes: str) -> None:
    words, found, text = offered(marked)
    assert word in words
    assert text[: found.start] + found.before + word + found.after + text[found.end :] == becomes


def test_a_word_that_is_complete_is_not_offered_while_one_types_on() -> None:
    assert offered('{"Statement": [{"Effect": "Allow|"}]}', asked=False)[0] == []
    assert offered('{"Statement": [{"Effect": "Allow|"}]}')[0] == ["Allow"]


def test_nothing_comes_up_between_words_unless_asked_for() -> None:
    assert offered('{"Statement": [{"Effect": |', asked=False)[0] == []


def test_a_list_of_words_is_short() -> None:
    assert len(offered('{"Statement": [{"Action": "ec2:|')[0]) == 60


@pytest.mark.parametrize(
    "text", ['{"' * 5_000, '"' * 10_001, "[" * 10_000, "\\" * 10_000, '{"Statement": [' + "," * 9_999]
)
def test_hostile_text_costs_little_and_breaks_nothing(text: str) -> None:
    assert len(complete(text, len(text), "identity").words) <= 60


def test_every_place_of_a_policy_can_be_asked_about() -> None:
    text = '{"Statement": [{"Principal": {"AWS": ["*"]}, "Condition": {"Bool": {"aws:a": "b"}}, "Action": "s3:*"}]}'
    for offset in range(len(text) + 1):
        for kind in ("identity", "trust", "resource"):
            found = complete(text, offset, kind)
            assert 0 <= found.start <= offset <= found.end <= len(text)
