"""The validation AWS's front does before anything else, from the constraints in botocore's own models.

Texts as AWS gives them: "1 validation error detected: Value '43201' at 'durationSeconds' failed to satisfy
constraint: Member must have value less than or equal to 43200".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from simlib.cloud import moto_names as moto
from simlib.cloud.transport.answers import Refusal
from simlib.cloud.transport.protocols import family_of

# Letters, digits and separators of all alphabets; the patterns that use them take "_" too
_UNICODE = {r"\p{L}": r"\w", r"\p{N}": r"\w", r"\p{Z}": " \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"}
_TYPES: Mapping[str, Any] = {"list": list, "string": str, "integer": int, "long": int}
_Complaint = tuple[str, Any, str]  # where, which value, and the constraint in AWS's words
_PATTERN = "Member must satisfy regular expression pattern: "
# IAM looks at names and paths itself, after the front, and does not show its patterns. AWS documents neither text;
# they are as they have been seen.
_IN_WORDS = {
    rf"{_PATTERN}[\w+=,.@-]+": "It must contain only alphanumeric characters and/or the following: +=,.@_-",
    rf"{_PATTERN}(\u002F)|(\u002F[\u0021-\u007E]+\u002F)": "It must begin and end with / and contain only alphanumeric "
    "characters and/or / characters.",
}
_DUPLICATE_TAGS = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
_SYSTEM_TAG = "Tag keys starting with 'aws:' are reserved for internal use"


_WHOLE = ("iam", "iam-toolbox", "sts")  # moto checks what it needs of the others, but for what has to be there


def check(service: str, operation: str, parameters: Mapping[str, Any]) -> None:
    """Raise AWS's refusal of a member that is missing, and of IAM's and STS's outside their length, range or pattern.

    `ValidationError`, or `ValidationException` of a service that speaks JSON; EC2's is `MissingParameter`
    (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html). S3 asks each operation for its own.
    """
    shape = moto.get_service_model(service).operation_model(operation).input_shape
    family = family_of(service)
    if shape is None or family == "s3":
        return
    complaints = [*(_complaints if service in _WHOLE else _absent)(shape, parameters, "")]
    if complaints and family == "ec2":
        missing = next(name for name in shape.required_members if name not in parameters)
        raise Refusal("MissingParameter", f"The request must contain the parameter {missing}", 400)
    texts = [
        f"Value {_quoted(value)} at '{place}' failed to satisfy constraint: {constraint}"
        for place, value, constraint in complaints
        if service != "iam" or constraint not in _IN_WORDS
    ]
    if texts:
        head = f"{len(texts)} validation error{'s' if len(texts) > 1 else ''} detected: "
        code = "ValidationError" if family == "query" else "ValidationException"
        raise Refusal(code, head + "; ".join(texts), 400)
    for place, _, constraint in complaints:
        raise Refusal("ValidationError", f"The specified value for {place} is invalid. {_IN_WORDS[constraint]}", 400)
    if service in _WHOLE:
        _check_tags(service, parameters.get("Tags"))


def _check_tags(service: str, tags: Any) -> None:
    """Raise what IAM and STS say of tags whose keys are the same but for capitals, or are AWS's own.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html. The text about AWS's own is EC2's (a choice).
    """
    code = "InvalidInput" if service == "iam" else "InvalidParameterValue"
    keys = [str(tag.get("Key", "")).lower() for tag in tags or ()]
    if len(set(keys)) < len(keys):
        raise Refusal(code, _DUPLICATE_TAGS, 400)
    if any(key.startswith("aws:") for key in keys):
        raise Refusal(code, _SYSTEM_TAG, 400)


def _complaints(shape: Any, value: Any, place: str) -> Iterator[_Complaint]:
    if shape.type_name == "structure" and isinstance(value, Mapping):
        yield from _absent(shape, value, place)
        for name, member in shape.members.items():
            if name in value:
                yield from _complaints(member, value[name], _joined(place, name))
        return
    if not isinstance(value, _TYPES.get(shape.type_name, ())):
        return
    yield from ((place, value, text) for holds, text in _asked_of(shape) if not holds(value))
    if shape.type_name == "list":
        parts = [(f"{place}.{index}.member", item) for index, item in enumerate(value, 1)]
        complaints = [each for at, item in parts for each in _complaints(shape.member, item, at)]
        if shape.member.type_name in ("structure", "list"):
            yield from complaints
        elif complaints:  # of plain members the list is shown, and all that is asked of each
            asked = ", ".join(text for _, text in _asked_of(shape.member))
            yield place, value, f"Member must satisfy constraint: [{asked}]"


def _asked_of(shape: Any) -> Iterator[tuple[Callable[[Any], Any], str]]:
    """What the value of a member must satisfy, with AWS's words for it, in AWS's order."""
    low, high, pattern = (shape.metadata.get(name) for name in ("min", "max", "pattern"))
    measure, what = (int, "value") if _TYPES[shape.type_name] is int else (len, "length")
    if high is not None:
        yield lambda value: measure(value) <= high, f"Member must have {what} less than or equal to {high}"
    if low is not None:
        yield lambda value: measure(value) >= low, f"Member must have {what} greater than or equal to {low}"
    if pattern:
        yield _compiled(pattern).fullmatch, f"{_PATTERN}{pattern}"
    if enum := getattr(shape, "enum", None):
        yield enum.__contains__, f"Member must satisfy enum value set: [{', '.join(enum)}]"


def _absent(shape: Any, value: Mapping[str, Any], place: str) -> Iterator[_Complaint]:
    for name in shape.required_members:
        if name not in value:
            yield _joined(place, name), None, "Member must not be null"


def _quoted(value: Any) -> str:
    if isinstance(value, list):
        value = f"[{', '.join(map(str, value))}]"
    return "null" if value is None else f"'{value}'"


def _joined(place: str, name: str) -> str:
    member = name[:1].lower() + name[1:]
    return f"{place}.{member}" if place else member


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # AWS writes Java's patterns, whose \\w is ASCII; what Python's re cannot read is left to moto
    try:
        if r"\p{" not in pattern:
            return re.compile(pattern, re.ASCII)
        for java, python in _UNICODE.items():
            pattern = pattern.replace(java, python)
        return re.compile(pattern)
    except re.error:
        return re.compile(r"(?s).*")
