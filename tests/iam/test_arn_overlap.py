"""Whether a policy's resource and an ARN format can mean the same: against trying all texts, and never for long."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlib.iam.advice import overlaps

BUCKET, OBJECT = "arn:${Partition}:s3:::${BucketName}", "arn:${Partition}:s3:::${BucketName}/${ObjectName}"
TABLE = "arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}"
INDEX = "arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}/index/${IndexName}"
FUNCTION = "arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}"
ROLE = "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}"


@pytest.mark.parametrize(
    ("resource", "arn_format", "expected"),
    [
        ("*", BUCKET, True),
        ("arn:aws:s3:::b", BUCKET, True),
        ("arn:aws:s3:::b", OBJECT, False),
        ("arn:aws:s3:::b/*", BUCKET, False),
        ("arn:aws:s3:::b/*", OBJECT, True),
        ("arn:aws:s3:::b*", BUCKET, True),
        ("arn:aws:s3:::b*", OBJECT, True),
        ("arn:aws:s3:::*", OBJECT, True),
        ("arn:aws:s3", OBJECT, True),
        ("arn:aws:s3:::${aws:username}/x", OBJECT, True),
        ("arn:aws:s3:::${aws:username}", BUCKET, True),
        ("arn:aws:s3:::b", TABLE, False),
        ("arn:*:*:*:*:table/*", TABLE, True),
        ("arn:aws:dynamodb:us-east-1:111122223333:table/t", TABLE, True),
        ("arn:aws:dynamodb:us-east-1:111122223333:table/t", INDEX, False),
        ("arn:aws:dynamodb:us-east-1:111122223333:table/t/index/i", TABLE, False),
        ("arn:aws:dynamodb:us-east-1:111122223333:table/t/index/i", INDEX, True),
        ("arn:aws:dynamodb::111122223333:table/t", TABLE, False),
        ("arn:aws:lambda:us-east-1:111122223333:function:f", FUNCTION, True),
        ("arn:aws:lambda:us-east-1:111122223333:function:f:1", FUNCTION, True),
        ("arn:aws:lambda:us-east-1:111122223333:layer:f", FUNCTION, False),
        ("arn:aws:iam::111122223333:role/a/b/c", ROLE, True),
        ("arn:aws:iam::111122223333:user/a", ROLE, False),
        ("arn:aws:iam::111122223333:ro??/a", ROLE, True),
        ("arn:aws:dynamodb:us-east-1:111122223333:tabel/t", TABLE, False),
        ("arn:aws:s3::111122223333:b/*", OBJECT, False),
        ("arn:aws:lambda:us-east-1:111122223333:/f", FUNCTION, False),
        ("arn:aws:lambda:*:*:/f", FUNCTION, True),  # the second * is account, colon and function:
    ],
)
def test_a_resource_and_a_format(resource: str, arn_format: str, expected: bool) -> None:
    assert overlaps(resource, arn_format) is expected


FORMATS = st.lists(st.sampled_from(["a", "/", "${X}", "${BucketName}"]), max_size=3).map("".join)
PATTERNS = st.text(alphabet="a/*?b", max_size=4)
TEXTS = ["".join(letters) for length in range(6) for letters in itertools.product("a/b", repeat=length)]


@given(PATTERNS, FORMATS)
def test_the_answer_is_that_of_trying_every_name(pattern: str, name: str) -> None:
    """Some letters are enough: the shortest name that fits both needs one for each letter or gap of either."""
    wanted = re.compile("".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern))
    allowed = re.compile(name.replace("${X}", ".*").replace("${BucketName}", "[^/]+"))
    both = any(wanted.fullmatch(text) and allowed.fullmatch(text) for text in TEXTS)
    if both or len(pattern.replace("*", "")) + len(re.sub(r"\$\{\w+\}", "a", name)) <= 5:
        assert overlaps(f"arn:aws:s3:::{pattern}", "arn:${Partition}:s3:::" + name) is both
