"""Reading a signature: from the Authorization header, the query string, or a query service's form."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from urllib.parse import parse_qsl, unquote

from simlib.cloud.signing import signature_v4 as v4
from simlib.cloud.signing.signed import Incomplete, Signed, address_of
from simlib.cloud.transport.wire import RawRequest

MAX_EXPIRES = 604_800  # seconds: a signing key is good for seven days

_AMZ_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII)
_V4_PARTS = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-SignedHeaders")
_V2_PARTS = frozenset({"AWSAccessKeyId", "Signature", "Expires", "SignatureVersion", "x-amz-security-token"})
_FORM = "application/x-www-form-urlencoded"


def read(raw: RawRequest) -> Signed | None:
    """Who a request says has signed it; None for an anonymous request, which carries no sign of a signature.

    Raises `Incomplete` for anything in between.
    """
    header = raw.headers.get("authorization")
    query = address_of(raw).query
    auth = _auth_parameters(query)
    if header is not None:
        if "X-Amz-Signature" in auth or ("Signature" in auth and "AWSAccessKeyId" in auth):
            raise Incomplete("Only one auth mechanism allowed", kind="two-mechanisms")
        return _from_header(raw, header.strip())
    if any(name in auth for name in _V4_PARTS):
        return _v4_from_query(raw, auth)
    if "AWSAccessKeyId" in auth or "Signature" in auth:
        return _v2_from_query(raw, auth)
    if raw.headers.get("content-type", "").startswith(_FORM) and b"AWSAccessKeyId=" in raw.body:
        return _v2_from_form(form(raw))
    if "x-amzn-authorization" in raw.headers:
        raise Incomplete("Signature Version 3 is no longer supported; sign with AWS4-HMAC-SHA256.", kind="algorithm")
    return None


def _auth_parameters(query: str) -> dict[str, str]:
    """The signature's own parameters, decoded. Each may stand once: of two, which one was verified?"""
    if not ("X-Amz-" in query or "Signature=" in query or "AWSAccessKeyId=" in query):
        return {}
    found: dict[str, str] = {}
    for name, value in v4.split_query(query):
        if name.startswith("X-Amz-") or name in _V2_PARTS:
            if name in found:
                raise Incomplete(f"The query-string parameter '{name}' may be given only once.", kind="query")
            found[name] = unquote(value)
    return found


def _from_header(raw: RawRequest, header: str) -> Signed:
    algorithm, _, rest = header.partition(" ")
    if algorithm == v4.ALGORITHM:
        return _v4_from_header(raw, header, rest)
    if algorithm == "AWS":
        return _v2_from_header(raw, rest)
    if algorithm.startswith("AWS4-ECDSA"):
        raise Incomplete("Signature Version 4A (AWS4-ECDSA-P256-SHA256) is not supported.", kind="algorithm")
    if algorithm == "Bearer":
        raise Incomplete("Bearer tokens are not supported; sign with AWS4-HMAC-SHA256.", kind="algorithm")
    raise Incomplete(f"Unsupported AWS 'algorithm': '{algorithm}'.", kind="algorithm")


def _v4_from_header(raw: RawRequest, header: str, rest: str) -> Signed:
    hashed = base64.b64encode(sha256(v4.encoded(header)).digest()).decode("ascii")
    given = f"(Hashed with SHA-256 and encoded with Base64) Authorization={hashed}"
    parts: dict[str, str] = {}
    for part in re.split(r"[,\s]+", rest.strip()) if rest else ():  # a key pasted with a space falls apart here
        name, equals, value = part.partition("=")
        if not equals:
            raise Incomplete(
                f"'{name}' not a valid key=value pair (missing equal-sign) in Authorization header "
                f"(hashed with SHA-256 and encoded with Base64): '{hashed}'.",
                kind="header",
            )
        if name in parts:
            raise Incomplete(f"Authorization header requires exactly one '{name}' parameter. {given}", kind="header")
        parts[name] = value
    missing = [
        f"Authorization header requires '{name}' parameter."
        for name in ("Credential", "Signature", "SignedHeaders")
        if not parts.get(name)
    ]
    date = raw.headers.get("x-amz-date") or raw.headers.get("date")
    if not date:
        missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if missing or not date:
        raise Incomplete(f"{' '.join(missing)} {given}", kind="header" if date else "date")
    token = raw.headers.get("x-amz-security-token") or raw.headers.get("x-amz-s3session-token")
    return _v4(raw, "v4", parts, date, token, None)


def _v4_from_query(raw: RawRequest, auth: Mapping[str, str]) -> Signed:
    missing = [name for name in _V4_PARTS if not auth.get(name)]
    if missing:
        told = " ".join(f"AWS query-string parameters must include '{name}'." for name in missing)
        raise Incomplete(f"{told} Re-examine the query-string parameters.", kind="query")
    if auth["X-Amz-Algorithm"] != v4.ALGORITHM:
        raise Incomplete(f"Unsupported AWS 'algorithm': '{auth['X-Amz-Algorithm']}'.", kind="query-algorithm")
    parts = {name: auth[f"X-Amz-{name}"] for name in ("Credential", "Signature", "SignedHeaders")}
    token = auth.get("X-Amz-Security-Token") or auth.get("X-Amz-S3session-Token")
    token = token or raw.headers.get("x-amz-security-token")
    return _v4(raw, "v4-query", parts, auth["X-Amz-Date"], token, auth.get("X-Amz-Expires", ""))


def _v4(
    raw: RawRequest, scheme: str, parts: Mapping[str, str], date: str, token: str | None, expires: str | None
) -> Signed:
    access_key_id, day, region, service = _credential(parts["Credential"])
    signed_at = _amz_date(date) if "T" in date and date.endswith("Z") else _http_date(date)
    if signed_at is None:
        raise Incomplete(
            f"Date must be in ISO-8601 'basic format'. Got '{date}'. See http://en.wikipedia.org/wiki/ISO_8601",
            kind="date",
        )
    timestamp = signed_at.strftime("%Y%m%dT%H%M%SZ")
    if day != timestamp[:8]:
        raise Incomplete(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{day}' != '{timestamp[:8]}', from '{timestamp}'.",
            kind="scope",
        )
    names = tuple(sorted(set(parts["SignedHeaders"].lower().split(";"))))
    expires_in = _expires(expires) if expires is not None and service in v4.SINGLE_ENCODING else None
    if expires and expires_in is None and expires.isdecimal() and len(expires) < 10:
        expires_in = int(expires)
    signed = Signed(
        access_key_id,
        token or None,
        scheme,
        service,
        region,
        signed_at,
        expires_in,
        _later(signed_at, expires_in),
        parts["Signature"],
        names,
        f"{day}/{region}/{service}/{v4.TERMINATOR}",
        timestamp,
    )
    _check_signed_headers(raw, signed)
    return signed


def _credential(credential: str) -> tuple[str, str, str, str]:
    pieces = credential.rsplit("/", 4)
    if len(pieces) != 5 or not pieces[0]:
        raise Incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            f"got '{credential}'",
            kind="credential",
        )
    access_key_id, day, region, service, terminator = pieces
    if terminator != v4.TERMINATOR:
        raise Incomplete(
            f"Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'.", kind="scope"
        )
    return access_key_id, day, region, service


def _check_signed_headers(raw: RawRequest, signed: Signed) -> None:
    """Host and what the service acts upon must be covered, or a thief could replace it."""
    if "host" not in signed.signed_headers:
        raise Incomplete("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.", kind="unsigned")
    if signed.service in v4.SINGLE_ENCODING:
        sensitive: Iterable[str] = (name for name in raw.headers if name.startswith("x-amz-"))
    else:
        sensitive = (name for name in ("x-amz-date", "x-amz-security-token", "x-amz-target") if name in raw.headers)
    uncovered = [n for n in sensitive if n not in signed.signed_headers and n != "x-amz-content-sha256"]
    if uncovered:
        raise Incomplete(
            f"'{uncovered[0]}' must be a 'SignedHeader' in the AWS Authorization.",
            kind="unsigned",
            details={"HeadersNotSigned": ", ".join(sorted(uncovered))},
        )


def _expires(text: str) -> int:
    """S3's rules for X-Amz-Expires, https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html"""
    if not text:
        raise Incomplete("AWS query-string parameters must include 'X-Amz-Expires'.", kind="query")
    if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        raise Incomplete("X-Amz-Expires should be a number", kind="expires")
    if int(text) < 0:
        raise Incomplete("X-Amz-Expires must be non-negative", kind="expires")
    if int(text) > MAX_EXPIRES:
        raise Incomplete(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
            f"{MAX_EXPIRES} seconds",
            kind="expires",
        )
    return int(text)


def _v2_from_header(raw: RawRequest, rest: str) -> Signed:
    access_key_id, _, signature = rest.strip().rpartition(":")
    if not access_key_id or not signature:
        raise Incomplete("AWS authorization header is invalid.  Expected AwsAccessKeyId:signature", kind="v2-header")
    date = raw.headers.get("x-amz-date") or raw.headers.get("date") or ""
    signed_at = _amz_date(date) or _http_date(date)
    if signed_at is None:
        raise Incomplete("AWS authentication requires a valid Date or x-amz-date header", kind="date")
    token = raw.headers.get("x-amz-security-token") or None
    return Signed(access_key_id, token, "s3", "s3", None, signed_at, signature=signature)


def _v2_from_query(raw: RawRequest, auth: Mapping[str, str]) -> Signed:
    if "SignatureVersion" in auth:
        return _v2_from_form(form(raw))
    if not (auth.get("AWSAccessKeyId") and auth.get("Signature") and auth.get("Expires")):
        raise Incomplete(
            "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters", kind="v2-query"
        )
    expires = auth["Expires"]
    if not re.fullmatch(r"\d{1,11}", expires, re.ASCII):
        raise Incomplete(f"Invalid date (should be seconds since epoch): {expires}", kind="v2-expires")
    return Signed(
        auth["AWSAccessKeyId"],
        raw.headers.get("x-amz-security-token") or auth.get("x-amz-security-token") or None,
        "s3-query",
        "s3",
        None,
        None,
        expires_at=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(expires)),
        signature=auth["Signature"],
        timestamp=expires,
    )


def _v2_from_form(given: Mapping[str, str]) -> Signed:
    if given.get("SignatureVersion") != "2" or given.get("SignatureMethod") not in ("HmacSHA256", "HmacSHA1"):
        raise Incomplete("Only SignatureVersion 2 with HmacSHA256 or HmacSHA1 is supported here.", kind="algorithm")
    signed_at = _iso_date(given.get("Timestamp", ""))
    if signed_at is None or not given.get("AWSAccessKeyId") or not given.get("Signature"):
        raise Incomplete(
            "The request must contain the parameters AWSAccessKeyId, Signature and Timestamp.", kind="query"
        )
    return Signed(
        given["AWSAccessKeyId"],
        given.get("SecurityToken") or None,
        "v2",
        None,
        None,
        signed_at,
        signature=given["Signature"],
        timestamp=given["SignatureMethod"],
    )


def form(raw: RawRequest) -> dict[str, str]:
    """The parameters of a query service signed with version 2. Each has one place, or an unsigned one could slip in."""
    query = address_of(raw).query
    try:
        pairs = parse_qsl(raw.body.decode("utf-8") if raw.body else query, keep_blank_values=True)
    except ValueError as error:  # not UTF-8, or more fields than Python's parser takes
        raise Incomplete("The parameters of the request cannot be read.", kind="query") from error
    parameters = dict(pairs)
    if len(parameters) < len(pairs) or (raw.body and query):
        raise Incomplete("Each parameter of the request may be given only once.", kind="query")
    return parameters


def _amz_date(text: str) -> datetime | None:
    match = _AMZ_DATE.fullmatch(text.strip())
    try:
        return datetime(*map(int, match.groups()), tzinfo=UTC) if match else None  # type: ignore[arg-type, misc]
    except ValueError:
        return None


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except Exception:  # the parser of e-mail dates fails in many ways on hostile text
        return None


def _iso_date(text: str) -> datetime | None:
    try:
        date = datetime.fromisoformat(text)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _later(when: datetime, seconds: int | None) -> datetime | None:
    try:
        return None if seconds is None else when + timedelta(seconds=seconds)
    except OverflowError as error:
        raise Incomplete("X-Amz-Date plus X-Amz-Expires lies outside the calendar.", kind="expires") from error
