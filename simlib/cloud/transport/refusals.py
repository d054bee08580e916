"""What AWS says when it does not believe or does not permit, from the table `refusals.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

from simlib.cloud.transport.protocols import family_of
from simlib.cloud.transport.signer import SignatureError

TABLE: Mapping[str, Mapping[str, Any]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


@dataclass(eq=False)
class Refusal(Exception):
    """An answer that says no: `code` and `message` as AWS spells them, the HTTP `status`, and further members.

    `extra` becomes elements of an S3 error and members of a JSON one. What AWS keeps to itself is for the trail:
    `situation` names the kind of refusal, `detail` says more than AWS's text does, `authorization_id` finds the
    decision again.
    """

    code: str
    message: str
    status: int = 400
    extra: Mapping[str, str] = field(default_factory=dict)
    _: KW_ONLY
    situation: str = ""
    detail: str = ""
    authorization_id: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class Objection(Refusal):
    """What a service says about its own affairs to a caller who is allowed: there is no such user, or one too many."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(code, message, status, situation="service")


def _row(situation: str, service: str | None) -> tuple[str, int, str | None]:
    """Code, status and text; no text where that comes with the one request."""
    table, family = TABLE[situation], family_of(service)
    row = table.get(service or "") or table.get(family)
    if row is None and family == "rest-json" and "json" in table:
        row = [table["json"][0], 403, *table["json"][2:]]
    if row is None:
        return _row(table["as"], service)
    return row[0], row[1], row[2] if len(row) > 2 else None


def authentication_refusal(situation: str, service: str | None, detail: SignatureError | str = "") -> Refusal:
    """What `service` (botocore's name) answers to credentials it does not believe.

    `situation` is one of "unknown-key", "wrong-secret", "missing-token", "wrong-token", "expired-session",
    "inactive-key", "deleted-identity", "no-credentials", "skewed", "expired-url", "incomplete". `detail` is the
    `SignatureError` where there is one: S3 tells its kinds apart and adds what it calculated, query services show the
    strings they signed; of a bare text only the text is used. Raises KeyError for a situation that is not in the table.
    """
    family = family_of(service)
    error = detail if isinstance(detail, SignatureError) else None
    code, status, text = _row(situation, service)
    if family == "s3" and error is not None and error.kind in TABLE["signature"]:
        code, status, *texts = TABLE["signature"][error.kind]
        text = next(iter(texts), None)
    text = str(detail) or code if text is None else text
    if family == "query" and error is not None and "StringToSign" in error.details:
        text = _with_strings(text, error)
    extra = error.details if family == "s3" and error is not None else {}
    return Refusal(code, text, status, extra, situation=situation)


def _with_strings(text: str, error: SignatureError) -> str:
    """What a learner compares with his own: the strings as the service calculated them."""
    canonical, to_sign = error.details.get("CanonicalRequest"), error.details["StringToSign"]
    expected = f"\n\nThe Canonical String for this request should have been\n'{canonical}'" if canonical else ""
    return f"{text}{expected}\n\nThe String-to-Sign should have been\n'{to_sign}'\n"


def access_denied(service: str | None, message: str) -> Refusal:
    """What `service` (botocore's name) answers to a caller it knows and does not permit; `message` is the engine's.

    EC2 puts a sentence of its own in front; what it puts behind is in `encoded_message`.
    """
    code, status, _ = _row("denied", service)
    if service == "ec2":
        message = f"You are not authorized to perform this operation. {message}"
    return Refusal(code, message, status)
