"""Every condition operator: met, not met, absent, several values, sets, variables."""

from __future__ import annotations

import time
from typing import Any

import pytest

from simlib.iam import Policy, PolicyError, PolicySet
from simlib.iam.conditions import BY_NAME, OPERATORS, binary, is_arn, moment, network, number, truth
from simlib.iam.request import context_values
from simlib.iam.validation import problems
from tests.iam.shorthand import ALICE, OBJECT, allow, policy
from tests.iam.shorthand import decide as decision


def holds(condition: dict[str, Any], context: dict[str, Any], version: str = "2012-10-17") -> bool:
    """Whether a condition holds, asked of the engine from outside: a statement with it allows or does not."""
    document = {"Version": version, "Statement": [allow(Condition=condition)]}
    identity = Policy.parse(document)
    return decision(ALICE, "s3:GetObject", OBJECT, PolicySet(identity=(identity,)), context=context) == "ALLOW"


ADDRESS, DAY = "203.0.113.7", "2026-11-23T12:00:00Z"

# UG/reference_policies_elements_condition_operators: operator, wanted, actual, met
OPERATOR_CASES: dict[str, tuple[str, Any, Any, bool]] = {
    "StringEquals needs the very text": ("StringEquals", "red", "red", True),
    "StringEquals minds letter case": ("StringEquals", "red", "Red", False),
    "StringEquals has no wildcards": ("StringEquals", "r*", "red", False),
    "StringEquals takes a star as a star": ("StringEquals", "r*", "r*", True),
    "StringEquals meets any of several": ("StringEquals", ["blue", "red"], "red", True),
    "StringEquals with no wanted value is never met": ("StringEquals", [], "red", False),
    "StringEquals meets a number written without quotes": ("StringEquals", 17, "17", True),
    "StringEquals meets true written without quotes": ("StringEquals", True, "true", True),
    "StringNotEquals holds for another text": ("StringNotEquals", "red", "blue", True),
    "StringNotEquals fails for the text": ("StringNotEquals", "red", "red", False),
    "StringNotEquals is none of several": ("StringNotEquals", ["red", "blue"], "blue", False),
    "StringNotEquals with no wanted value holds": ("StringNotEquals", [], "red", True),
    "StringEqualsIgnoreCase does not mind letter case": ("StringEqualsIgnoreCase", "rED", "Red", True),
    "StringEqualsIgnoreCase needs the text": ("StringEqualsIgnoreCase", "red", "blue", False),
    "StringEqualsIgnoreCase has no wildcards": ("StringEqualsIgnoreCase", "R*", "red", False),
    "StringNotEqualsIgnoreCase fails for the text in any case": ("StringNotEqualsIgnoreCase", "RED", "red", False),
    "StringNotEqualsIgnoreCase holds for another": ("StringNotEqualsIgnoreCase", "RED", "blue", True),
    "StringLike has wildcards": ("StringLike", "r?d*", "redder", True),
    "StringLike minds letter case": ("StringLike", "R*", "red", False),
    "StringLike matches over a colon": ("StringLike", "a*z", "a:b:z", True),
    "StringNotLike fails where the pattern matches": ("StringNotLike", "r*", "red", False),
    "StringNotLike holds where it does not": ("StringNotLike", "r*", "blue", True),
    "NumericEquals compares values, not texts": ("NumericEquals", "10.0", "10", True),
    "NumericEquals fails for another number": ("NumericEquals", "10", "11", False),
    "NumericEquals meets a number without quotes": ("NumericEquals", 10, "10", True),
    "NumericEquals keeps large numbers apart": ("NumericEquals", "9007199254740993", "9007199254740992", False),
    "NumericEquals takes signs": ("NumericEquals", "-5", "-5.0", True),
    "NumericEquals takes a plus sign": ("NumericEquals", "+5", "5", True),
    "10abc is not a number": ("NumericEquals", "10", "10abc", False),
    "a number in words is none": ("NumericEquals", "ten", "ten", False),
    "NaN is not a number": ("NumericEquals", "NaN", "NaN", False),
    "infinity is not a number": ("NumericLessThan", "10", "-inf", False),
    "an exponent is not a number": ("NumericEquals", "100", "1e2", False),
    "a minus alone is not a number": ("NumericEquals", "-", "-", False),
    "endless digits are not a number": ("NumericGreaterThan", "1", "9" * 5000, False),
    "digits of other scripts are not a number": ("NumericEquals", "1", "١", False),
    "a small JSON number": ("NumericLessThan", 0.0001, "0.00001", True),
    "a small JSON number in the request": ("NumericLessThan", "0.0001", 0.00001, True),
    "a large JSON number": ("NumericGreaterThanEquals", 1e16, "10000000000000000", True),
    "a large JSON number in the request": ("NumericGreaterThan", "5", 1e16, True),
    "the smallest and the largest JSON number": ("NumericLessThan", 1.7976931348623157e308, 5e-324, True),
    "JSON numbers with exponents are equal": ("NumericEquals", 1e22, 1e22, True),
    "a JSON number with exponent among several": ("NumericEquals", [1e-7, 3], 1e-07, True),
    "a JSON number with exponent in a list": ("ForAnyValue:NumericLessThan", 1e-3, [5, 1e-5], True),
    "a JSON number of epoch seconds with exponent": ("DateEquals", 1.0e18, "1000000000000000000", True),
    "a JSON number under a string operator has no exponent": ("StringEquals", 1e-05, "0.00001", True),
    "NumericNotEquals holds for another number": ("NumericNotEquals", "10", "11", True),
    "NumericNotEquals fails for the number": ("NumericNotEquals", "10", "10.00", False),
    "NumericNotEquals holds for what is no number": ("NumericNotEquals", "10", "ten", True),
    "three hundred digits are a number": ("NumericGreaterThan", "1", "9" * 300, True),
    "three hundred and one are not": ("NumericGreaterThan", "1", "9" * 301, False),
    "NumericLessThan is strict": ("NumericLessThan", "10", "10", False),
    "NumericLessThan holds below": ("NumericLessThan", "10", "9.99", True),
    "NumericLessThan is not about texts": ("NumericLessThan", "10", "9", True),
    "NumericLessThanEquals holds at the limit": ("NumericLessThanEquals", "10", "10", True),
    "NumericLessThanEquals fails above": ("NumericLessThanEquals", "10", "10.1", False),
    "NumericGreaterThan is strict": ("NumericGreaterThan", "10", "10", False),
    "NumericGreaterThan holds above": ("NumericGreaterThan", "10", "100", True),
    "NumericGreaterThanEquals holds at the limit": ("NumericGreaterThanEquals", "10", "10.0", True),
    "NumericGreaterThanEquals fails below": ("NumericGreaterThanEquals", "10", "9", False),
    "DateEquals compares moments": ("DateEquals", "2026-11-23T13:00:00+01:00", DAY, True),
    "DateEquals fails for another moment": ("DateEquals", "2026-11-23T12:00:01Z", DAY, False),
    "a date alone is its midnight in UTC": ("DateEquals", "2026-11-23", "2026-11-23T00:00:00Z", True),
    "a year alone is its first day": ("DateEquals", "2026", "2026-01-01T00:00:00Z", True),
    "a month alone is its first day": ("DateEquals", "2026-11", "2026-11-01T00:00:00Z", True),
    "a moment without offset is UTC": ("DateEquals", "2026-11-23T12:00:00", DAY, True),
    "fractions of a second count": ("DateEquals", "2026-11-23T12:00:00.500Z", DAY, False),
    "epoch seconds and ISO dates are the same thing": ("DateEquals", "1795435200", DAY, True),
    "epoch seconds without quotes": ("DateEquals", 1795435200, DAY, True),
    "epoch seconds in the request": ("DateLessThan", DAY, "1795435199", True),
    "what is not a date is never met": ("DateEquals", "yesterday", "yesterday", False),
    "a thirteenth month is no date": ("DateLessThan", "2027", "2026-13-01", False),
    "a week date is no date": ("DateLessThan", "2027", "2026-W48-1", False),
    "a week date in the policy is none": ("DateGreaterThan", "2026-W01", DAY, False),
    "a date without hyphens is epoch seconds": ("DateEquals", "20261123", "20261123.0", True),
    "a time without colons is no date": ("DateLessThan", "2027", "20261123T120000Z", False),
    "a leap second is no date": ("DateLessThan", "2027", "2016-12-31T23:59:60Z", False),
    "24:00 is no date": ("DateLessThan", "2027", "2026-11-23T24:00:00Z", False),
    "a blank between date and time is none": ("DateLessThan", "2027", "2026-11-23 12:00:00Z", False),
    "the 30th of February is no date": ("DateLessThan", "2027", "2026-02-30", False),
    "the 29th of February in a leap year is one": ("DateLessThan", "2024-03-01", "2024-02-29", True),
    "zeros in front may be missing": ("DateEquals", "2026-11-23T9:05:00Z", "2026-11-23T09:5:0Z", True),
    "letters may be small": ("DateEquals", "2026-11-23t12:00:00z", DAY, True),
    "an offset to the west": ("DateEquals", "2026-11-23T06:30:00-05:30", DAY, True),
    "an offset without minutes": ("DateEquals", "2026-11-23T14:00:00+02", DAY, True),
    "a year of five digits is later": ("DateGreaterThan", "9999-12-31", "10000-01-01T00:00:00Z", True),
    "a year before the first is earlier": ("DateLessThan", "0001-01-01", "-0044-03-15", True),
    "DateNotEquals holds for another moment": ("DateNotEquals", "2026-11-24", DAY, True),
    "DateNotEquals fails for the moment": ("DateNotEquals", DAY, "2026-11-23T12:00Z", False),
    "DateLessThan is strict": ("DateLessThan", DAY, DAY, False),
    "DateLessThan holds before": ("DateLessThan", DAY, "2026-11-23T11:59:59Z", True),
    "DateLessThanEquals holds at the moment": ("DateLessThanEquals", DAY, DAY, True),
    "DateLessThanEquals fails after": ("DateLessThanEquals", DAY, "2026-11-23T12:00:01Z", False),
    "DateGreaterThan is strict": ("DateGreaterThan", DAY, DAY, False),
    "DateGreaterThan holds after": ("DateGreaterThan", DAY, "2027-01-01", True),
    "DateGreaterThanEquals holds at the moment": ("DateGreaterThanEquals", DAY, DAY, True),
    "DateGreaterThanEquals fails before": ("DateGreaterThanEquals", DAY, "2026-11-23", False),
    "Bool needs the value": ("Bool", "true", "true", True),
    "Bool fails for the other value": ("Bool", "true", "false", False),
    "Bool does not mind letter case": ("Bool", "True", "TRUE", True),
    "Bool may be written without quotes": ("Bool", False, "false", True),
    "Bool knows only true and false": ("Bool", "yes", "yes", False),
    "BinaryEquals compares octets": ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
    "BinaryEquals fails for other octets": ("BinaryEquals", "QmluYXJ5", "QmluYXJ4", False),
    "BinaryEquals needs base64": ("BinaryEquals", "%%%", "%%%", False),
    "IpAddress takes one address": ("IpAddress", ADDRESS, ADDRESS, True),
    "IpAddress takes a range": ("IpAddress", "203.0.113.0/24", ADDRESS, True),
    "IpAddress fails outside of the range": ("IpAddress", "203.0.112.0/24", ADDRESS, False),
    "IpAddress takes a range written with a host in it": ("IpAddress", "203.0.113.99/24", ADDRESS, True),
    "IpAddress takes every address": ("IpAddress", "0.0.0.0/0", ADDRESS, True),
    "IpAddress takes IPv6 in any spelling": ("IpAddress", "2001:DB8:0:0:0:0:0:1", "2001:db8::1", True),
    "IpAddress takes ranges of IPv6": ("IpAddress", "2001:db8::/32", "2001:db8:ffff::1", True),
    "an IPv6 address is in no range of IPv4": ("IpAddress", "0.0.0.0/0", "2001:db8::1", False),
    "what is no address is in no range": ("IpAddress", "0.0.0.0/0", "localhost", False),
    "what is no range has no addresses": ("IpAddress", "203.0.113.0/33", ADDRESS, False),
    "a range in the request is no address": ("IpAddress", "0.0.0.0/0", "203.0.113.0/24", False),
    "a mask is no range": ("IpAddress", "10.0.0.0/255.0.0.0", "10.1.2.3", False),
    "a host mask is no range": ("IpAddress", "10.0.0.0/0.255.255.255", "10.1.2.3", False),
    "an interface is no part of an address": ("IpAddress", "fe80::/10", "fe80::1%eth0", False),
    "a prefix of no digits is no range": ("IpAddress", "10.0.0.0/", "10.0.0.0", False),
    "NotIpAddress holds for what is no address (a choice)": ("NotIpAddress", "10.0.0.0/8", "localhost", True),
    "NotIpAddress holds where the policy has a mask (a choice)": (
        "NotIpAddress",
        "10.0.0.0/255.0.0.0",
        "10.1.2.3",
        True,
    ),
    "NotIpAddress holds outside": ("NotIpAddress", "10.0.0.0/8", ADDRESS, True),
    "NotIpAddress fails inside": ("NotIpAddress", ["10.0.0.0/8", "203.0.113.0/24"], ADDRESS, False),
    "ArnEquals takes the ARN": ("ArnEquals", "arn:aws:sns:r:1:topic", "arn:aws:sns:r:1:topic", True),
    "ArnEquals has wildcards like ArnLike": ("ArnEquals", "arn:aws:sns:*:1:t*", "arn:aws:sns:r:1:topic", True),
    "ArnLike compares part by part": ("ArnLike", "arn:aws:sns:*:topic", "arn:aws:sns:r:1:topic", False),
    "ArnLike's star does not run into the next part": ("ArnLike", "arn:aws:s3:*:b", "arn:aws:s3:::b", False),
    "ArnLike's last part may have colons": ("ArnLike", "arn:aws:sns:r:1:*", "arn:aws:sns:r:1:topic:sub", True),
    "ArnLike's last part may have colons in the policy": ("ArnLike", "arn:aws:s:r:1:t:s*", "arn:aws:s:r:1:t:sub", True),
    "ArnLike does not stop at a colon of the last part": ("ArnLike", "arn:aws:s:r:1:t", "arn:aws:s:r:1:t:sub", False),
    "ArnLike minds letter case": ("ArnLike", "arn:aws:iam::1:user/Bob", "arn:aws:iam::1:user/bob", False),
    "ArnLike has question marks": ("ArnLike", "arn:aws:iam::1:user/?ob", "arn:aws:iam::1:user/bob", True),
    "ArnLike needs an ARN in the request": ("ArnLike", "arn:*:*:*:*:*", "bob", False),
    "ArnLike needs six parts in the request": ("ArnLike", "arn:*:*:*:*:*", "arn:aws:sns:r:1", False),
    "ArnLike needs six parts in the policy": ("ArnLike", "*", "arn:aws:sns:r:1:topic", False),
    "ArnLike needs arn in front in the policy": ("ArnLike", "*:*:*:*:*:*", "arn:aws:sns:r:1:topic", False),
    "ArnNotLike with a lone star holds (a choice)": ("ArnNotLike", "*", "arn:aws:sns:r:1:topic", True),
    "ArnLike meets any of several": ("ArnLike", ["arn:aws:a:b:c:d", "arn:aws:s*:*:*:*"], "arn:aws:sns:r:1:t", True),
    "ArnNotEquals fails for the ARN": ("ArnNotEquals", "arn:aws:sns:*:1:t*", "arn:aws:sns:r:1:topic", False),
    "ArnNotEquals holds for another": ("ArnNotEquals", "arn:aws:sns:r:2:*", "arn:aws:sns:r:1:topic", True),
    "ArnNotLike holds for what is no ARN": ("ArnNotLike", "arn:aws:sns:r:1:*", "bob", True),
    "ArnNotLike fails where it matches": ("ArnNotLike", "arn:aws:sns:r:1:*", "arn:aws:sns:r:1:topic", False),
}


@pytest.mark.parametrize(("name", "wanted", "actual", "met"), OPERATOR_CASES.values(), ids=OPERATOR_CASES)
def test_operators(name: str, wanted: Any, actual: Any, met: bool) -> None:
    assert holds({name: {"some:Key": wanted}}, {"some:key": actual}) is met


@pytest.mark.parametrize("name", [name for name in OPERATORS if name != "Null"])
def test_an_absent_key_fails_positive_operators_and_passes_negated_ones(name: str) -> None:
    negated = "Not" in name
    assert holds({name: {"some:Key": "1"}}, {}) is negated
    assert holds({name: {"some:Key": []}}, {}) is negated


@pytest.mark.parametrize("name", [name for name in OPERATORS if name != "Null"])
def test_if_exists_passes_an_absent_key_and_asks_a_present_one(name: str) -> None:
    value = {"Ip": "10.0.0.1", "No": "10.0.0.1", "Ar": "arn:aws:s3:::b", "Da": "2026", "Bo": "true", "Bi": "QQ=="}
    actual = value.get(name[:2], "1")
    if name.startswith("StringNot") or name == "NumericNotEquals":
        actual = "1"
    assert holds({f"{name}IfExists": {"some:Key": actual}}, {})
    equal = ("Equals" in name or name in ("StringLike", "Bool", "IpAddress", "ArnLike")) and "Not" not in name
    assert holds({f"{name}IfExists": {"some:Key": actual}}, {"some:Key": actual}) is equal


# UG/reference_policies_condition-single-vs-multi-valued-context-keys: operator, wanted, actual (None: absent), holds
SETS: dict[str, tuple[str, Any, Any, bool]] = {
    "ForAllValues: every value is wanted": ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], True),
    "ForAllValues: fewer values than wanted": ("ForAllValues:StringEquals", ["a", "b"], ["b"], True),
    "ForAllValues: one value is not wanted": ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
    "ForAllValues: the key is absent": ("ForAllValues:StringEquals", ["a"], None, True),
    "ForAllValues: there are no values": ("ForAllValues:StringEquals", ["a"], [], True),
    "ForAllValues: an empty text is no value": ("ForAllValues:StringEquals", ["a"], "", True),
    "ForAllValues: empty texts are left out": ("ForAllValues:StringEquals", ["a"], ["a", ""], True),
    "ForAllValues: a single value": ("ForAllValues:StringEquals", ["a"], "a", True),
    "ForAllValues: a single value of several letters": ("ForAllValues:StringEquals", ["ab"], "ab", True),
    "ForAllValues: a single value that is not wanted": ("ForAllValues:StringEquals", ["a"], "b", False),
    "ForAllValues negated: no value is among them": ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "d"], True),
    "ForAllValues negated: one value is among them": ("ForAllValues:StringNotEquals", ["a", "b"], ["a", "c"], False),
    "ForAllValues negated: the key is absent": ("ForAllValues:StringNotEquals", ["a"], None, True),
    "ForAnyValue: one value is wanted": ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
    "ForAnyValue: no value is wanted": ("ForAnyValue:StringEquals", ["a", "b"], ["c"], False),
    "ForAnyValue: the key is absent": ("ForAnyValue:StringEquals", ["a"], None, False),
    "ForAnyValue: there are no values": ("ForAnyValue:StringEquals", ["a"], [], False),
    "ForAnyValue: an empty text is no value": ("ForAnyValue:StringEquals", [""], "", False),
    "ForAnyValue: a single value": ("ForAnyValue:StringEquals", ["a"], "a", True),
    "ForAnyValue negated: one value is not among them": ("ForAnyValue:StringNotEquals", ["a"], ["a", "c"], True),
    "ForAnyValue negated: all values are among them": ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], False),
    "ForAnyValue negated: the key is absent": ("ForAnyValue:StringNotEquals", ["a"], None, False),
    "ForAnyValue IfExists: the key is absent (a choice)": ("ForAnyValue:StringEqualsIfExists", ["a"], None, True),
    "ForAnyValue IfExists: the key is present": ("ForAnyValue:StringEqualsIfExists", ["a"], ["b"], False),
    "ForAllValues IfExists: the key is absent": ("ForAllValues:StringEqualsIfExists", ["a"], None, True),
    "ForAllValues with another operator": ("ForAllValues:NumericLessThan", "10", ["1", "9.5"], True),
    "ForAnyValue with wildcards": ("ForAnyValue:StringLike", ["a*"], ["b", "ab"], True),
    "ForAnyValue with ARNs": ("ForAnyValue:ArnLike", ["arn:aws:s3:::*"], ["x", "arn:aws:s3:::b"], True),
    "without set operator, a list of one is its value": ("StringEquals", "a", ["a"], True),
    "without set operator, a list of one negated": ("StringNotEquals", "a", ["a"], False),
    "without set operator, a longer list is no value (a choice)": ("StringEquals", "a", ["a", "a"], False),
    "without set operator, a longer list negated (a choice)": ("StringNotEquals", "a", ["a", "b"], True),
    "without set operator, an empty list is absent": ("StringNotEquals", "a", [], True),
    "without set operator, an empty list fails": ("StringEquals", "a", [], False),
    "without set operator, an empty text is a text": ("StringEquals", "", "", True),
    "IfExists and an empty list": ("StringEqualsIfExists", "a", [], True),
}


@pytest.mark.parametrize(("name", "wanted", "actual", "met"), SETS.values(), ids=SETS)
def test_sets(name: str, wanted: Any, actual: Any, met: bool) -> None:
    assert holds({name: {"some:Key": wanted}}, {} if actual is None else {"some:Key": actual}) is met


# UG/reference_policies_elements_condition_operators#Conditions_Null
NULLS: dict[str, tuple[Any, Any, bool]] = {
    "true: the key must be absent, and is": ("true", None, True),
    "true: the key must be absent, and is not": ("true", "x", False),
    "false: the key must be present, and is": ("false", "x", True),
    "false: the key must be present, and is not": ("false", None, False),
    "without quotes": (True, None, True),
    "an empty list is absent": ("true", [], True),
    "an empty text is present": ("false", "", True),
    "a list is present": ("false", ["x"], True),
    "either": (["true", "false"], "x", True),
    "anything else is never met": ("perhaps", None, False),
}


# UG/access-analyzer-reference-policy-checks: Null with a qualifier is always true, or always false
@pytest.mark.parametrize("wanted", ["true", "false", True, ["true", "false"], []])
@pytest.mark.parametrize("actual", [None, "x", ["x", "y"], [], ""])
def test_null_with_a_qualifier_does_not_look_at_the_key(wanted: Any, actual: Any) -> None:
    context = {} if actual is None else {"some:Key": actual}
    assert holds({"ForAllValues:Null": {"some:Key": wanted}}, context)
    assert not holds({"ForAnyValue:Null": {"some:Key": wanted}}, context)


@pytest.mark.parametrize(("wanted", "actual", "met"), NULLS.values(), ids=NULLS)
def test_null(wanted: Any, actual: Any, met: bool) -> None:
    assert holds({"Null": {"some:Key": wanted}}, {} if actual is None else {"some:Key": actual}) is met


VARIABLE_CONTEXT = {"aws:PrincipalTag/team": "Red", "arn": "arn:aws:sns:r:1:topic", "some:Key": "red"}
VARIABLE_CONTEXT |= {"num": "5", "ip": "10.0.0.1", "yes": "true"}

# UG/reference_policies_variables#policy-vars-conditionelement: operator, wanted, actual, holds
VARIABLES: dict[str, tuple[str, str, str, bool]] = {
    "StringEquals": ("StringEquals", "${aws:PrincipalTag/team}", "Red", True),
    "StringEquals of another value": ("StringEquals", "${aws:PrincipalTag/team}", "red", False),
    "StringEquals has no wildcards beside a variable": ("StringEquals", "${aws:PrincipalTag/team}*", "Reds", False),
    "StringEqualsIgnoreCase": ("StringEqualsIgnoreCase", "${aws:PrincipalTag/team}", "RED", True),
    "StringEqualsIgnoreCase of another value": ("StringEqualsIgnoreCase", "${aws:PrincipalTag/team}", "blue", False),
    "StringNotEqualsIgnoreCase": ("StringNotEqualsIgnoreCase", "${aws:PrincipalTag/team}", "RED", False),
    "StringNotEqualsIgnoreCase absent variable": ("StringNotEqualsIgnoreCase", "${no:such}", "RED", True),
    "StringEqualsIgnoreCase beside a text": ("StringEqualsIgnoreCase", "x-${aws:PrincipalTag/team}", "X-RED", True),
    "StringEqualsIgnoreCase has no wildcards": ("StringEqualsIgnoreCase", "${aws:PrincipalTag/team}*", "reds", False),
    "StringEqualsIgnoreCase takes a star as a star": ("StringEqualsIgnoreCase", "${some:Key}*", "RED*", True),
    "StringEqualsIgnoreCase is not the text of a variable": (
        "StringEqualsIgnoreCase",
        "${no:such}",
        "${no:such}",
        False,
    ),
    "StringLike": ("StringLike", "*/${aws:PrincipalTag/team}/?", "a/Red/b", True),
    "ArnLike, the whole ARN": ("ArnLike", "${arn}", "arn:aws:sns:r:1:topic", True),
    "ArnLike, a part": ("ArnLike", "arn:aws:iam::*:user/${aws:PrincipalTag/team}", "arn:aws:iam::1:user/Red", True),
    "ArnLike, another value": (
        "ArnLike",
        "arn:aws:iam::*:user/${aws:PrincipalTag/team}",
        "arn:aws:iam::1:user/x",
        False,
    ),
    "ArnLike, with colons in the last part": (
        "ArnLike",
        "arn:aws:s:r:1:${some:Key}:a:*",
        "arn:aws:s:r:1:red:a:b",
        True,
    ),
    "ArnLike, a variable late in the last part": (
        "ArnLike",
        "arn:aws:s:r:1:x:${some:Key}",
        "arn:aws:s:r:1:x:red",
        True,
    ),
    "ArnLike, a variable and another end": ("ArnLike", "arn:aws:s:r:1:${some:Key}:a", "arn:aws:s:r:1:red:a:b", False),
    "ArnNotLike": ("ArnNotLike", "arn:aws:iam::*:user/${aws:PrincipalTag/team}", "arn:aws:iam::1:user/Red", False),
    "an absent variable fails a positive operator": ("StringEquals", "${no:such}", "", False),
    "an absent variable fails a positive ARN operator": ("ArnLike", "${no:such}", "arn:aws:sns:r:1:topic", False),
    "an absent variable passes StringNotEquals": ("StringNotEquals", "${no:such}", "x", True),
    "an absent variable passes StringNotLike": ("StringNotLike", "*${no:such}*", "x", True),
    "an absent variable passes ArnNotLike": ("ArnNotLike", "${no:such}", "arn:aws:sns:r:1:topic", True),
    "a default": ("StringEquals", "${no:such, 'Red'}", "Red", True),
    "ArnLike, an ARN too short with a variable": ("ArnLike", "${some:Key}*", "arn:red:x", False),
    "ArnLike, wildcards beside a variable with colons": ("ArnLike", "${arn}*", "arn:aws:sns:r:1:topics", True),
    "ArnLike, a star before a variable stays in its part": (
        "ArnLike",
        "arn:aws:*:${some:Key}",
        "arn:aws:sns:r:1:red",
        False,
    ),
    "numbers know no variables (a choice)": ("NumericEquals", "${num}", "5", False),
    "NumericNotEquals and a variable (a choice)": ("NumericNotEquals", "${num}", "5", True),
    "dates know no variables (a choice)": ("DateEquals", "${num}", "5", False),
    "addresses know no variables (a choice)": ("IpAddress", "${ip}", "10.0.0.1", False),
    "Bool knows no variables (a choice)": ("Bool", "${yes}", "true", False),
}


@pytest.mark.parametrize(("name", "wanted", "actual", "met"), VARIABLES.values(), ids=VARIABLES)
def test_variables(name: str, wanted: str, actual: str, met: bool) -> None:
    assert holds({name: {"asked:Key": wanted}}, {**VARIABLE_CONTEXT, "asked:Key": actual}) is met


def test_variables_are_replaced_for_every_value_of_a_list() -> None:
    context = {"some:Key": "red", "asked:Key": ["x", "red"]}
    assert holds({"ForAnyValue:StringEquals": {"asked:Key": "${some:Key}"}}, context)
    assert not holds({"ForAllValues:StringEquals": {"asked:Key": "${some:Key}"}}, context)
    assert holds({"StringEquals": {"asked:Key": "${some:Key}"}}, {"some:Key": "red", "asked:Key": ["red"]})


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system cannot be put into another time zone for a test")
def test_a_moment_without_offset_is_utc_wherever_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        assert holds({"DateEquals": {"k": "2026-11-23T12:00:00"}}, {"k": "2026-11-23T12:00:00Z"})
    time.tzset()


def test_variables_are_text_in_the_old_version() -> None:
    assert not holds({"StringEqualsIgnoreCase": {"k": "${x}"}}, {"k": "red", "x": "red"}, version="2008-10-17")
    condition = {"StringEquals": {"asked:Key": "${some:Key}"}}
    assert not holds(condition, {"asked:Key": "red", "some:Key": "red"}, version="2008-10-17")
    assert holds(condition, {"asked:Key": "${some:Key}"}, version="2008-10-17")
    assert holds({"StringEqualsIgnoreCase": {"k": "${x}"}}, {"k": "${X}"}, version="2008-10-17")
    assert holds({"ArnLike": {"k": "arn:aws:s3:::${x}"}}, {"k": "arn:aws:s3:::${x}"}, version="2008-10-17")


def test_all_operators_and_all_keys_are_needed() -> None:
    context = {"a": "1", "b": "2"}
    assert holds({"StringEquals": {"a": "1", "b": "2"}, "Null": {"c": "true"}}, context)
    assert not holds({"StringEquals": {"a": "1", "b": "3"}}, context)
    assert not holds({"StringEquals": {"a": "1"}, "Null": {"b": "true"}}, context)


def test_letter_case_of_keys_does_not_matter() -> None:
    assert holds({"StringEquals": {"AWS:principaltag/Team": "x"}}, {"aws:PrincipalTag/team": "x"})


def test_an_empty_condition_is_no_condition() -> None:
    assert holds({}, {})
    assert holds({"StringEquals": {}}, {})


def test_a_bool_deny_on_mfa_misses_access_keys() -> None:
    """UG/reference_policies_condition-keys#condition-keys-multifactorauthpresent: absent with long-term keys."""
    assert not holds({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, {})
    assert holds({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, {})
    assert holds({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, {"aws:MultiFactorAuthPresent": "false"})


def test_numbers_and_truth_values_of_a_context_are_taken_as_text() -> None:
    assert context_values({"A": True, "b": 5, "c": 1.5, "d": [False, 2]}) == {
        "a": "true",
        "b": "5",
        "c": "1.5",
        "d": ("false", "2"),
    }


# one reading of each kind of value: what the engine compares is what `check` lets pass without an error
READINGS = {
    "NumericEquals": ["5", "5.0", "+5", "1e5", "ten", "", "5.", ".5", "9" * 301],
    "DateEquals": [
        *("2026", "2026-11", "2026-11-23", "2026-1-5", "2026-W48-1", "2026-11-23T24:00:00Z", "yesterday", "1795435200"),
        *("2016-12-31T23:59:60Z", "2026-02-30", "2026-11-23T12", "20261123T120000Z", "2026-11-23 12:00"),
    ],
    "Bool": ["true", "FALSE", "yes", "1"],
    "BinaryEquals": ["QQ==", "QQ", "%%%"],
    "IpAddress": ["10.0.0.0/8", "10.0.0.0/255.0.0.0", "::/0", "fe80::1%eth0", "10.0.0.0/33", "localhost", "10.0.0.1"],
    "ArnLike": ["*", "arn:aws:s3:::b", "arn:*:*:*:*:*", "*:*:*:*:*:*", "arn:aws:s3", "b"],
}
TYPES = {"type-mismatch-number", "type-mismatch-date", "type-mismatch-boolean", "type-mismatch-ip-range", "arn-value"}
TYPES.add("type-mismatch-string")
KEYS = {  # of the type that the operator compares
    **{"NumericEquals": "aws:MultiFactorAuthAge", "DateEquals": "aws:EpochTime", "Bool": "aws:SecureTransport"},
    **{"BinaryEquals": "my.provider.com:digest", "IpAddress": "aws:SourceIp", "ArnLike": "aws:SourceArn"},
}


@pytest.mark.parametrize(
    ("name", "wanted"), [(name, text) for name, texts in READINGS.items() for text in texts], ids=str
)
def test_engine_and_check_read_a_value_alike(name: str, wanted: str) -> None:
    document = {"Version": "2012-10-17", "Statement": [allow(Condition={name: {KEYS[name]: wanted}})]}
    refused = {problem.code for problem in problems(document, "identity")} & TYPES
    assert bool(refused) is not readable(name, wanted)


def readable(name: str, text: str) -> bool:
    """Whether the engine understands a value: what cannot be understood is not even equal to itself."""
    readers = {"Numeric": number, "Date": moment, "Bool": truth, "Binary": binary, "Ip": network}
    for start, reader in readers.items():
        if name.startswith(start):
            return reader(text) is not None
    return is_arn(text)


UNKNOWN_OPERATORS = ["StringEqual", "stringequals", "Null" + "IfExists", "ForSomeValues:StringEquals", ":StringEquals"]
UNKNOWN_OPERATORS += ["IfExists", "", "StringEqualsIfExistsIfExists", "ForAllValues:", "ForAnyValue:ForAllValues:Bool"]


@pytest.mark.parametrize("name", UNKNOWN_OPERATORS)
def test_there_is_no_such_operator(name: str) -> None:
    assert BY_NAME.get(name) is None
    with pytest.raises(PolicyError):
        policy(allow(Condition={name: {"a": "b"}}))


def test_an_operator_knows_its_parts() -> None:
    known = BY_NAME.get("ForAnyValue:StringNotLikeIfExists")
    assert known is not None
    assert (known.base, known.qualifier, known.if_exists, known.negated) == ("StringNotLike", "ForAnyValue", True, True)
