"""What came of a call, briefly: a word for its outcome, and what is worth reading in AWS's answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any

MOST = 4  # names in a list
LONGEST = 80  # characters of a line
READ_UP_TO = 1_000_000  # bytes of an object
REFUSED = "Refused"

_WORDS = {  # what AWS's codes have in common: the word; other errors are about the request itself
    r"AccessDenied|Unauthorized|AuthorizationError|AuthFailure|Forbidden|^403$|Signature|Expired(Token)?|InvalidClient"
    r"TokenId|InvalidAccessKeyId|UnrecognizedClient|InvalidIdentityToken|IDPRejectedClaim|NotSignedUp": REFUSED,
    r"NoSuch|NotFound|^404$|NonExistent|DoesNotExist": "Not there",
    r"Exists|Conflict|InUse|NotEmpty|AlreadyOwned|Duplicate|^409$|OperationAborted": "Conflict",
    r"Limit|Quota|Throttl|TooMany": "Over a limit",
}
_NAMES = re.compile(r"(Name|Key|Id|Arn|Url|Value)$")


def outcome_word(code: str) -> str:
    """ "Refused" for a refusal and for nothing else; a missing thing, a conflict, a wrong request have their own."""
    return next((found for codes, found in _WORDS.items() if re.search(codes, code)), "Invalid request")


def without_metadata(answer: dict[Any, Any]) -> dict[Any, Any]:
    """An answer of boto3 without what is the same in all of them; another dictionary as it is."""
    about = answer.get("ResponseMetadata")
    if not isinstance(about, dict) or "HTTPStatusCode" not in about:
        return answer
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def summary(answer: Any) -> str:
    """An answer in a line: the object's first line, the names listed, whose credentials; "" where there is nothing."""
    if not isinstance(answer, dict):
        return ""
    content = without_metadata(answer)
    if hasattr(content.get("Body"), "read"):
        return _object(answer)
    if isinstance(content.get("Credentials"), dict):
        return _credentials(content)
    if "Arn" in content:
        return str(content["Arn"])
    if arn := next((content[key] for key in content if key.endswith("Arn") and f"{key[:-3]}Name" in content), None):
        return str(arn)  # of the one thing that the answer describes
    lists = [(key, value) for key, value in content.items() if isinstance(value, list)]
    if lists:
        return _list(*max(lists, key=lambda each: bool(each[1])))
    if "KeyCount" in content:  # of ListObjectsV2, which leaves an empty list out
        return "no objects"
    if "ContentLength" in content:
        return _count(content["ContentLength"], "byte")
    things = [(key, value) for key, value in content.items() if isinstance(value, dict)]
    return _cut(_name(*things[0])) if things else _cut(_name("", content))


def _object(answer: dict[str, Any]) -> str:
    """The first line of an object, whose body can be read afterwards as if nobody had looked."""
    from botocore.response import StreamingBody

    size = answer.get("ContentLength", 0)
    if size > READ_UP_TO:
        return f"{size:,} bytes"
    content = answer["Body"].read()
    answer["Body"] = StreamingBody(BytesIO(content), len(content))
    lines = content.decode("utf-8", "replace").splitlines() or [""]
    more = f" and {_count(len(lines) - 1, 'more line')}" if len(lines) > 1 else ""
    return f"{_count(len(content), 'byte')}: {_cut(lines[0])}{more}"


def _credentials(answer: Mapping[str, Any]) -> str:
    who = next(
        (value["Arn"] for key, value in answer.items() if key.endswith("User") and "Arn" in value), "credentials"
    )
    ends = answer["Credentials"].get("Expiration")
    return f"{who}, until {ends:%Y-%m-%d %H:%M} UTC" if ends else str(who)


def _list(member: str, items: list[Any]) -> str:
    names = [_name(member.removesuffix("s"), each) if isinstance(each, dict) else str(each) for each in items]
    what = "objects" if member == "Contents" else re.sub(r"(?<=[a-z])(?=[A-Z])", " ", member).lower()
    if not names:
        return f"no {what}"
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return f"{what}: {_cut(', '.join(names[:MOST]))}{more}"


def _name(kind: str, thing: Mapping[str, Any]) -> str:
    """What a thing is called: its own name or ID (a Role's RoleName), else the first that looks like one, else ""."""
    names = [key for key, value in thing.items() if isinstance(value, str) and _NAMES.search(key)]
    names.sort(key=lambda key: not (kind and key.startswith(kind)))
    return str(thing[names[0]]) if names else ""


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
