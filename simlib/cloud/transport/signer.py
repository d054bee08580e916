"""Who a request says has signed it: read from the Authorization header or the query string, and not believed yet.

Version 4, and version 2 in addresses that were presigned for S3, as boto3 makes them in us-east-1. The texts of what is
missing are AWS's.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from urllib.parse import unquote

from simlib.cloud.transport.chunked import Payload, payload
from simlib.cloud.transport.wire import RawRequest

ALGORITHM = "AWS4-HMAC-SHA256"
MAX_EXPIRES = 604_800  # seconds: a signing key is good for seven days

_V4_PARTS = ("Algorithm", "Credential", "Signature", "Date", "SignedHeaders")
_V2_PARTS = ("AWSAccessKeyId", "Signature", "Expires", "x-amz-security-token")
_BASIC_DATE = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_HASHED = "(Hashed with SHA-256 and encoded with Base64) Authorization="


class SignatureError(Exception):
    """A request that is not what the owner of its access key signed; `str()` is the text a query service answers.

    The texts of `refusals` are looked up by `situation` ("incomplete", "wrong-secret", "skewed", "expired-url") and,
    for S3, by `kind`; `details` is what S3 adds to its answer.
    """

    def __init__(self, situation: str, kind: str, message: str, details: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.situation, self.kind, self.details = situation, kind, details or {}


@dataclass(frozen=True, slots=True)
class ClaimedSignature:
    """What a request says about who signed it. Nothing in it is proved before `verify` returns.

    `scheme` is "v4", "v4-query" or "s3-query", named like botocore's signers, or "v4-post" and "s3-post" of a browser's
    form, signed by its `policy`. `service` and `region` are those of the credential scope. `signed_at` is None for
    "s3-query" and "s3-post", which say only when they are over (`expires`). `payload` is what the body really is.
    """

    access_key_id: str
    session_token: str | None
    scheme: str
    service: str
    region: str | None
    signature: str = field(repr=False)
    signed_at: datetime | None
    expires: datetime | None = None
    signed_headers: tuple[str, ...] = field(default=(), repr=False)
    timestamp: str = field(default="", repr=False)
    payload: Payload = field(default=Payload(), repr=False)
    policy: str = field(default="", repr=False)


def parse(raw: RawRequest) -> ClaimedSignature | None:
    """Who a request says has signed it; None for an anonymous request, which carries no sign of a signature.

    Raises `SignatureError` ("incomplete") for anything in between.
    """
    try:
        if re.search(r"[\x00-\x20\x7f]", raw.url):  # urlsplit takes some of them out without a word
            raise ValueError
        header, query = raw.headers.get("authorization"), _signature_parameters(raw.parts.query)
        if header is not None:
            if "X-Amz-Signature" in query or {"Signature", "AWSAccessKeyId"} <= query.keys():
                raise _incomplete("two-mechanisms", "Only one auth mechanism allowed")
            algorithm = header.strip().partition(" ")[0]
            if algorithm == "AWS":
                raise _incomplete("version-2", f"Signature Version 2 is not taken; sign with {ALGORITHM}.")
            if algorithm != ALGORITHM:
                raise _incomplete("algorithm", f"Unsupported AWS 'algorithm': '{algorithm}'.")
            return _v4_header(raw, header.strip())
        if any(f"X-Amz-{part}" in query for part in _V4_PARTS):
            return _v4_query(raw, query)
        return _v2_query(raw, query) if "AWSAccessKeyId" in query or "Signature" in query else None
    except (ValueError, OverflowError) as error:
        raise _incomplete("query", "The address or the date of the request cannot be read.") from error


def _incomplete(kind: str, text: str, details: Mapping[str, str] | None = None) -> SignatureError:
    return SignatureError("incomplete", kind, text, details)


def _signature_parameters(query: str) -> dict[str, str]:
    """The signature's own parameters, decoded. Each may stand once: of two, which one was verified?"""
    parameters: dict[str, str] = {}
    for name, _, value in (pair.partition("=") for pair in query.split("&")):
        if name.startswith("X-Amz-") or name in _V2_PARTS:
            if name in parameters:
                raise _incomplete("query", f"The query-string parameter '{name}' may be given only once.")
            parameters[name] = unquote(value)
    return parameters


def _v4_header(raw: RawRequest, header: str) -> ClaimedSignature:
    parts: dict[str, str] = {}
    for part in re.split(r"[,\s]+", header)[1:]:  # a key pasted with a space falls apart here
        name, equals, value = part.partition("=")
        if not equals:
            text = f"'{name}' not a valid key=value pair (missing equal-sign) in Authorization header (hashed with"
            raise _incomplete("header", f"{text} SHA-256 and encoded with Base64): '{_hashed(header)}'.")
        if name in parts:
            text = f"Authorization header requires exactly one '{name}' parameter."
            raise _incomplete("header", f"{text} {_HASHED}{_hashed(header)}")
        parts[name] = value
    required = ("Credential", "Signature", "SignedHeaders")
    missing = [f"Authorization header requires '{name}' parameter." for name in required if not parts.get(name)]
    date = raw.headers.get("x-amz-date") or raw.headers.get("date") or ""
    if not date:
        missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if missing:
        raise _incomplete("header" if date else "date", f"{' '.join(missing)} {_HASHED}{_hashed(header)}")
    return _v4(raw, "v4", parts, date, raw.headers.get("x-amz-security-token"))


def _hashed(header: str) -> str:
    return b64encode(sha256(header.encode()).digest()).decode()


def _v4_query(raw: RawRequest, query: Mapping[str, str]) -> ClaimedSignature:
    parts = {name.removeprefix("X-Amz-"): value for name, value in query.items() if name.startswith("X-Amz-")}
    if missing := [name for name in _V4_PARTS if not parts.get(name)]:
        text = " ".join(f"AWS query-string parameters must include 'X-Amz-{name}'." for name in missing)
        raise _incomplete("query", f"{text} Re-examine the query-string parameters.")
    if parts["Algorithm"] != ALGORITHM:
        raise _incomplete("query-algorithm", f"Unsupported AWS 'algorithm': '{parts['Algorithm']}'.")
    token = parts.get("Security-Token") or raw.headers.get("x-amz-security-token")
    return _v4(raw, "v4-query", parts, parts["Date"], token)


def _v4(raw: RawRequest, scheme: str, parts: Mapping[str, str], date: str, token: str | None) -> ClaimedSignature:
    credential = parts["Credential"].rsplit("/", 4)
    if len(credential) != 5 or not credential[0]:
        text = "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got"
        raise _incomplete("credential", f"{text} '{parts['Credential']}'")
    access_key_id, day, region, service, terminator = credential
    if terminator != "aws4_request":
        text = "Credential should be scoped with a valid terminator: 'aws4_request', not"
        raise _incomplete("scope", f"{text} '{terminator}'.")
    signed_at = _date(date)
    if signed_at is None:
        text = f"Date must be in ISO-8601 'basic format'. Got '{date}'. See http://en.wikipedia.org/wiki/ISO_8601"
        raise _incomplete("date", text)
    stamp = basic(signed_at)
    if day != stamp[:8]:
        text = "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP:"
        raise _incomplete("scope", f"{text} '{day}' != '{stamp[:8]}', from '{stamp}'.")
    headers = tuple(sorted(set(parts["SignedHeaders"].lower().split(";"))))
    # Host and what the service acts upon must be covered, or a thief could replace it.
    acted_upon = ("x-amz-",) if service == "s3" else ("x-amz-date", "x-amz-security-token", "x-amz-target")
    sensitive = {name for name in raw.headers if name.startswith(acted_upon)} - {"x-amz-content-sha256"}
    if "host" not in headers:
        raise _incomplete("unsigned", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    if uncovered := sorted(sensitive.difference(headers)):
        text = f"'{uncovered[0]}' must be a 'SignedHeader' in the AWS Authorization."
        raise _incomplete("unsigned", text, {"HeadersNotSigned": ", ".join(uncovered)})
    expires = None
    if scheme == "v4-query" and service == "s3":
        expires = signed_at + timedelta(seconds=_lifetime(parts.get("Expires", "")))
    return ClaimedSignature(
        access_key_id, token or None, scheme, service, region, parts["Signature"], signed_at, expires, headers, stamp,
        payload(raw),
    )  # fmt: skip


def _lifetime(text: str) -> int:
    """X-Amz-Expires, https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html"""
    if not text:
        raise _incomplete("query", "AWS query-string parameters must include 'X-Amz-Expires'.")
    if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        raise _incomplete("expires", "X-Amz-Expires should be a number")
    if int(text) < 0:
        raise _incomplete("expires", "X-Amz-Expires must be non-negative")
    if int(text) > MAX_EXPIRES:
        week = "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than"
        raise _incomplete("expires", f"{week} {MAX_EXPIRES} seconds")
    return int(text)


def _v2_query(raw: RawRequest, query: Mapping[str, str]) -> ClaimedSignature:
    key, signature, expires = (query.get(name, "") for name in ("AWSAccessKeyId", "Signature", "Expires"))
    if not (key and signature and expires):
        text = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
        raise _incomplete("v2-query", text)
    if not re.fullmatch(r"\d{1,11}", expires, re.ASCII):
        raise _incomplete("v2-expires", f"Invalid date (should be seconds since epoch): {expires}")
    until = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(expires))
    token = raw.headers.get("x-amz-security-token") or query.get("x-amz-security-token")
    return ClaimedSignature(key, token or None, "s3-query", "s3", None, signature, None, until)


def _date(text: str) -> datetime | None:
    """X-Amz-Date, or the date of HTTP."""
    try:
        date = datetime.fromisoformat(text) if _BASIC_DATE.fullmatch(text) else parsedate_to_datetime(text)
        return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except Exception:  # the parser of e-mail dates fails in many ways on hostile text
        return None


def basic(when: datetime) -> str:
    return when.strftime("%Y%m%dT%H%M%SZ")
