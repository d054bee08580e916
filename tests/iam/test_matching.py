"""Wildcards, variables and ARNs: what matches what."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlib.iam.matching import RESOURCE, Patterns, Piece, TooManyTexts, matcher, parse, texts_by_match

# UG/reference_policies_elements_resource, UG/reference_policies_elements_action: * is any characters, ? exactly one
WILDCARDS = {
    "a text matches itself": ("abc", "abc", True),
    "a text does not match a longer one": ("abc", "abcd", False),
    "a text does not match a shorter one": ("abcd", "abc", False),
    "a star matches nothing at all": ("abc*", "abc", True),
    "a star matches any characters": ("abc*", "abc/def:ghi", True),
    "a star matches a line break": ("a*c", "a\nb\r\nc", True),
    "a star crosses slashes": ("a/*/c", "a/b/b/c", True),
    "a star in the middle needs both ends": ("a*c", "abd", False),
    "the ends may not overlap": ("aba*aba", "ababa", False),
    "the ends may touch": ("aba*aba", "abaaba", True),
    "a middle part must fit between the ends": ("ab*b*bc", "abbc", False),
    "a middle part may not overlap the end": ("a*cd*de", "a-cde", False),
    "middle parts come in order": ("*a*b*", "b-a", False),
    "the same middle part twice needs to be there twice": ("*a*a*", "-a-", False),
    "stars in a row are one star": ("a***b", "ab", True),
    "a star alone matches the empty text": ("*", "", True),
    "a question mark is exactly one character": ("a?c", "abc", True),
    "a question mark is not no character": ("a?c", "ac", False),
    "a question mark is not two characters": ("a?c", "abbc", False),
    "a question mark matches a line break": ("a?c", "a\nc", True),
    "question marks and stars together": ("?b*?e", "abcde", True),
    "a question mark and a star need one character": ("?*", "", False),
    "two question marks after a star need two characters": ("*??", "x", False),
    "the signs of regular expressions are plain text": ("a.c[x]+(y)|$^\\", "a.c[x]+(y)|$^\\", True),
    "a point does not match any character": ("a.c", "abc", False),
    "brackets are no choice": ("[ab]", "a", False),
    "upper and lower case differ": ("ABC", "abc", False),
    "characters beyond the first plane are one character": ("a?c", "a\U0001f511c", True),
    "backtracking would be needed": ("*ab*abc", "ab-ababc", True),
}


@pytest.mark.parametrize(("wanted", "text", "matches"), WILDCARDS.values(), ids=WILDCARDS)
def test_wildcards(wanted: str, text: str, matches: bool) -> None:
    assert Patterns([wanted]).matches(text, {}) is matches
    assert matcher(parse(wanted)).matches(text, {}) is matches


# UG/reference_policies_elements_resource: within a segment, but a segment's last star may run past colons
RESOURCES = {
    "a last star runs past colons": ("arn:aws:s3:*", "arn:aws:s3:::bucket/key", True),
    "the last star of a part runs past colons": ("arn:aws:s*:queue", "arn:aws:sqs:us-east-1:111111111111:queue", True),
    "a star that is not a part's last stays within it": ("arn:aws:sqs:u*t:1:q", "arn:aws:sqs:us:east:t:1:q", False),
    "a star that is not a part's last matches within it": ("arn:aws:sqs:u*1:1:q", "arn:aws:sqs:us-east-1:1:q", True),
    "a star that begins a part stays within it": ("arn:aws:sqs:*t:1:q", "arn:aws:sqs:a:bt:1:q", False),
    "stars in several parts": ("arn:aws:s*s:u*1:1:q", "arn:aws:sqs:us-east-1:1:q", True),
    "question marks in several parts": ("arn:aws:s?s:u?:1:q", "arn:aws:sqs:us:1:q", True),
    "a star and a question mark in the last part": ("arn:aws:s3:::b/*x?", "arn:aws:s3:::b/a:bxy", True),
    "a question mark is no colon in the first parts": ("arn:aws:sqs:us?1:1:q", "arn:aws:sqs:us:1:1:q", False),
    "a question mark is one letter in the first parts": (
        "arn:aws:sqs:us-east-?:1:q",
        "arn:aws:sqs:us-east-1:1:q",
        True,
    ),
    "a question mark may be a colon in the last part": ("arn:aws:s3:::b/a?c", "arn:aws:s3:::b/a:c", True),
    "a star in the last part matches colons": ("arn:aws:s3:::b/a*c", "arn:aws:s3:::b/a:b:c", True),
    "a star in the middle of the last part matches slashes": ("arn:aws:s3:::b/*/c", "arn:aws:s3:::b/x/y/c", True),
    "a whole part can be a star": ("arn:aws:sqs:*:*:queue", "arn:aws:sqs:us-east-1:111111111111:queue", True),
    "an empty part is matched by a star": ("arn:aws:s3:*:*:bucket", "arn:aws:s3:::bucket", True),
    "a star for the account does not change the name": ("arn:aws:sqs:*:*:queue", "arn:aws:sqs:r:1:queue2", False),
    "letter case matters": ("arn:aws:iam::1:user/Bob", "arn:aws:iam::1:user/bob", False),
    "a part's last star runs past colons beside a question mark, too": (
        "arn:aws:sqs:u?*:1:q",
        "arn:aws:sqs:us:east:t:1:q",
        True,
    ),
    "stars of both kinds": ("arn:aws:s*s:*:*:a*c", "arn:aws:sqs:us-east-1:1:abc", True),
}


@pytest.mark.parametrize(("wanted", "resource", "matches"), RESOURCES.values(), ids=RESOURCES)
def test_resources(wanted: str, resource: str, matches: bool) -> None:
    assert Patterns([wanted], RESOURCE).matches(resource, {}) is matches


CONTEXT = {"aws:username": "alice", "aws:principaltag/team": "r*d", "aws:tagkeys": ("a", "b"), "empty": ""}

# UG/reference_policies_variables
VARIABLES = {
    "a variable is replaced by its value": ("home/${aws:username}/*", "home/alice/x", True),
    "letter case of the key does not matter": ("home/${AWS:UserName}", "home/alice", True),
    "another value does not match": ("home/${aws:username}/*", "home/bob/x", False),
    "a value's star is a plain star": ("${aws:PrincipalTag/team}", "red", False),
    "a value with a star matches itself": ("${aws:PrincipalTag/team}", "r*d", True),
    "an absent variable matches nothing": ("home/${aws:userid}", "home/", False),
    "an absent variable does not match its own text": ("home/${aws:userid}", "home/${aws:userid}", False),
    "an absent variable makes even a star match nothing": ("${aws:userid}*", "anything", False),
    "a default stands in for an absent variable": ("${aws:userid, 'nobody'}", "nobody", True),
    "a default is not used where there is a value": ("${aws:username, 'nobody'}", "nobody", False),
    "another beginning does not match": ("home/${aws:username}", "work/alice", False),
    "a default may have commas": ("${aws:userid, 'a,b'}", "a,b", True),
    "a default needs quotes": ("${aws:userid, nobody}", "obod", False),
    "a default may be empty": ("a${aws:userid, ''}b", "ab", True),
    "a default may be written without a blank": ("${aws:userid,'nobody'}", "nobody", True),
    "a default's star is plain": ("${aws:userid, '*'}", "x", False),
    "an empty value is a value": ("a${empty}b", "ab", True),
    "a key with several values cannot be used": ("${aws:TagKeys}", "a", False),
    "an escaped star is a star": ("a${*}c", "a*c", True),
    "an escaped star is no wildcard": ("a${*}c", "abc", False),
    "an escaped question mark is a question mark": ("a${?}c", "a?c", True),
    "an escaped question mark is no wildcard": ("a${?}c", "abc", False),
    "an escaped dollar is a dollar": ("${$}{aws:username}", "${aws:username}", True),
    "two variables": ("${aws:username}-${aws:username}", "alice-alice", True),
    "a variable and wildcards": ("*${aws:username}?", "xalicey", True),
    "an open brace is plain text": ("${aws:username", "${aws:username", True),
    "a dollar alone is plain text": ("a$b", "a$b", True),
}


@pytest.mark.parametrize(("wanted", "text", "matches"), VARIABLES.values(), ids=VARIABLES)
def test_variables(wanted: str, text: str, matches: bool) -> None:
    assert Patterns([wanted], variables=True).matches(text, CONTEXT) is matches


def test_without_variables_in_the_language_they_are_plain_text() -> None:
    assert Patterns(["${aws:username}"]).matches("${aws:username}", CONTEXT)
    assert not Patterns(["${aws:username}"]).matches("alice", CONTEXT)
    assert Patterns(["${aws:username}*x"]).matches("${aws:username}yx", CONTEXT)
    assert Patterns(["arn:aws:s3:::b/${aws:username}?"], RESOURCE).matches("arn:aws:s3:::b/${aws:username}x", CONTEXT)
    for wildcards in ("?${aws:username}*", "*${aws:username}?", "?${aws:username}?", "${*}?${aws:username}*"):
        assert not Patterns([wildcards]).matches("xalice/y", CONTEXT)
        text = wildcards.replace("${*}", "${~}").replace("?", "x").replace("*", "y").replace("${~}", "${z}")
        assert Patterns([wildcards]).matches(text, CONTEXT)


def test_variables_count_only_after_the_fifth_colon_of_a_resource() -> None:
    context = {"aws:principalaccount": "111111111111"}
    before = Patterns(["arn:aws:sqs:*:${aws:PrincipalAccount}:q"], RESOURCE, variables=True)
    assert not before.matches("arn:aws:sqs:us-east-1:111111111111:q", context)
    after = Patterns(["arn:aws:sqs:*:*:${aws:PrincipalAccount}"], RESOURCE, variables=True)
    assert after.matches("arn:aws:sqs:us-east-1:1:111111111111", context)


def test_any_of_several_texts_will_do() -> None:
    several = Patterns(["exact", "prefix*", "in*between", "${aws:username}?"], variables=True)
    matched = ["exact", "prefix-", "in-between", "alice!"]
    assert all(several.matches(text, CONTEXT) for text in matched)
    assert not several.matches("other", CONTEXT)


def test_no_text_matches_nothing() -> None:
    assert not Patterns([]).matches("", {})


small = st.text(alphabet="ab:*?", max_size=12)


@given(small, small)
def test_wildcards_mean_what_the_standard_library_means(wanted: str, text: str) -> None:
    assert Patterns([wanted]).matches(text, {}) is fnmatch.fnmatchcase(text, wanted)


@given(small, small)
def test_every_way_to_match_agrees(wanted: str, text: str) -> None:
    assert matcher(parse(wanted)).matches(text, {}) is Patterns([wanted]).matches(text, {})


@given(st.text(alphabet="ab:*", max_size=16), st.text(alphabet="ab:", max_size=16))
def test_a_resource_never_matches_more_than_its_wildcards_say(wanted: str, text: str) -> None:
    if Patterns([wanted], RESOURCE).matches(text, {}):
        assert Patterns([wanted]).matches(text, {})


HARD = {
    "stars and letters": ("*a" * 1024, "a" * 2047 + "b"),
    "stars, letters and an end that is not there": ("*a" * 1023 + "*b", "a" * 2048),
    "question marks between stars": ("*a?" * 682 + "*b", "a" * 2048),
    "question marks": ("*" + "?" * 1000 + "b", "a" * 2048),
    "a long middle part": ("*" + "a" * 1000 + "b*" + "a" * 1000 + "c", "a" * 2048),
}


@pytest.mark.parametrize(("wanted", "text"), HARD.values(), ids=HARD)
def test_matching_goes_through_a_text_once(wanted: str, text: str) -> None:
    """A matcher that goes back to try again would not be done before the sun burns out; benchmarks give the times."""
    assert not Patterns([wanted]).matches(text, {})


# --- patterns compared with patterns ----------------------------------------------------------------------------------


def meets(left: Sequence[Piece], right: Sequence[Piece]) -> bool:
    """Whether some text matches both."""
    return 1 in texts_by_match([left], right)


def covers(patterns: Sequence[Sequence[Piece]], narrow: Sequence[Piece]) -> bool:
    """Whether every text that matches ``narrow`` matches one of the patterns."""
    return 0 not in texts_by_match(patterns, narrow)


# left, right, do they meet, does the left cover the right
COMPARED = {
    "the same text": ("abc", "abc", True, True),
    "another text": ("abc", "abd", False, False),
    "a star covers a text": ("a*", "abc", True, True),
    "a text does not cover a star": ("abc", "a*", True, False),
    "a longer beginning is covered": ("a*", "ab*", True, True),
    "a shorter beginning is met": ("ab*", "a*", True, False),
    "lesson_worlds that part": ("ab*", "ac*", False, False),
    "a beginning and an end": ("a*", "*b", True, False),
    "a question mark is covered by a star": ("a*", "a?", True, True),
    "a star is not covered by a question mark": ("a?", "a*", True, False),
    "two question marks are two characters": ("??", "?", False, False),
    "a question mark and a star in either order": ("?*", "*?", True, True),
    "inner stars": ("a*c*e", "a*b*e", True, False),
    "an end that is never reached": ("*a", "*b", False, False),
}


@pytest.mark.parametrize(("left", "right", "met", "covered"), COMPARED.values(), ids=COMPARED)
def test_patterns_compared_with_patterns(left: str, right: str, met: bool, covered: bool) -> None:
    assert meets(parse(left), parse(right)) is met
    assert meets(parse(right), parse(left)) is met
    assert covers([parse(left)], parse(right)) is covered


def test_several_patterns_cover_together() -> None:
    assert covers([parse("?"), parse("")], parse("")) is True
    assert covers([parse(""), parse("?*")], parse("*"))
    assert not covers([parse(""), parse("??*")], parse("*"))
    assert covers([parse("a*"), parse("b*")], [*parse("a*"), *parse("?")])
    assert covers([parse("ab"), parse("*x")], parse("ab"))
    assert not covers([parse("ab"), parse("*x")], parse("a?"))


def test_a_wildcard_in_a_part_of_an_arn_does_not_meet_a_colon() -> None:
    parts = Patterns(["arn:aws:sqs:u*t:1:q"], RESOURCE).pieces({})
    assert not meets(parts[0], parse("arn:aws:sqs:us:east:t:1:q"))
    assert meets(parts[0], parse("arn:aws:sqs:*:q"))
    assert not covers(parts, parse("arn:aws:sqs:u*t:1:q"))


few = st.text(alphabet="ab*?", max_size=6)


@given(few, few, st.text(alphabet="abx", max_size=8))
def test_texts_agree_with_patterns_compared(left: str, right: str, text: str) -> None:
    """What one text shows never contradicts what is said of all; and a text is shown for what is said of some."""
    shown = texts_by_match([parse(left)], parse(right))
    both, only_right = shown.get(1), shown.get(0)
    if Patterns([right]).matches(text, {}):
        assert (both if Patterns([left]).matches(text, {}) else only_right) is not None
    for witness, matches in ((both, True), (only_right, False)):
        if witness is not None:
            assert Patterns([right]).matches(witness, {})
            assert Patterns([left]).matches(witness, {}) is matches


def test_patterns_with_too_many_combinations_are_not_compared() -> None:
    hard = [parse("*" + letter + "?" * 12) for letter in "abcdefgh"]
    with pytest.raises(TooManyTexts):
        texts_by_match(hard)
