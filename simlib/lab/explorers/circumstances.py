"""The circumstances of a request in the short words of a lesson, and the condition keys that they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any


@dataclass(frozen=True)
class Circumstance:
    """A short word of a lesson for condition keys: what it is in a sentence and above its field, and its keys."""

    words: str
    label: str
    keys: Callable[[Any], Mapping[str, Any]]
    hint: str = ""
    read: Callable[[str], Any] = str  # what stands in the field, as a value


MFA = {"yes": True, "no": False, "absent": "absent"}  # what stands in the field, as a value


def _mfa(value: Any) -> Mapping[str, Any]:
    present = None if value == "absent" else "true" if value else "false"
    return {"aws:MultiFactorAuthPresent": present, "aws:MultiFactorAuthAge": "0" if value is True else None}


def _time(value: Any) -> Mapping[str, Any]:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return {"aws:CurrentTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}", "aws:EpochTime": str(int(moment.timestamp()))}


def _tags(value: Mapping[str, str]) -> Mapping[str, Any]:
    return {f"aws:PrincipalTag/{key}": text for key, text in value.items()}


def _request_tags(value: Mapping[str, str]) -> Mapping[str, Any]:
    return {**{f"aws:RequestTag/{key}": text for key, text in value.items()}, "aws:TagKeys": list(value)}


def _pairs(text: str) -> Mapping[str, str]:
    pairs = [[each.strip() for each in part.split("=", 1)] for part in text.split(",")]
    return {key: value for key, value in pairs if key}  # raises `ValueError` for what is no pair


KNOWN = {
    "mfa": Circumstance("MFA", "Signed in with MFA", _mfa, read=MFA.get),
    "source_ip": Circumstance(
        "the source address",
        "From the address",
        lambda at: {"aws:SourceIp": at},
        "203.0.113.10",
        lambda text: str(ip_address(text)),
    ),
    "time": Circumstance("the time", "At the time (UTC)", _time, "2026-12-31T10:00"),
    "external_id": Circumstance("the external ID", "External ID", lambda text: {"sts:ExternalId": text}),
    "tags": Circumstance("the tags", "Tags of who asks", _tags, "team=blue", _pairs),
    "request_tags": Circumstance("the request's tags", "", _request_tags),
}


def circumstances(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Condition keys from the short words of a lesson: `mfa`, `source_ip`, `time`, `external_id`, `tags`, or any key.

    `mfa`: True, False, or "absent"; `tags`: those of the principal; `request_tags`: those the request passes. None
    leaves a key out; a word that is not among them must be a condition key ("aws:PrincipalOrgID").
    """
    keys: dict[str, Any] = {}
    for name, value in (values or {}).items():
        if name in KNOWN:
            keys |= KNOWN[name].keys(value)
        elif ":" in name:
            keys[name] = value
        else:
            raise ValueError(f"{name!r} is no circumstance. There are: {', '.join(KNOWN)}, and any condition key, "
                             "such as aws:SourceVpc.")  # fmt: skip
    return keys


def in_words(values: Mapping[str, Any]) -> str:
    """ "the external ID shop-42, no MFA"."""
    return ", ".join(_phrase(name, value) for name, value in values.items())


def _phrase(name: str, value: Any) -> str:
    if name == "mfa":
        return "MFA" if value is True else "MFA absent" if value == "absent" else "no MFA"
    return f"{KNOWN[name].words if name in KNOWN else name} {field_text(value)}"


def field_text(value: Any) -> str:
    """A value as it stands in its field."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={text}" for key, text in value.items())
    return f"{value:%Y-%m-%dT%H:%M}" if isinstance(value, datetime) else str(value or "")
