"""Who signed a request, and whether the signature is theirs: read and verified on the raw request, by us.

Both forms (Authorization header and query string) of Signature Version 4, and Version 2 where S3 and SimpleDB still
take it. What AWS leaves undocumented is chosen here: a header-signed request may be 15 minutes old or early at every
service; only S3 honours X-Amz-Expires, elsewhere a presigned request lives those 15 minutes whatever it says
(https://github.com/aws/aws-sdk-go/issues/2167).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

from simlib.cloud.signing import signature_v2 as v2
from simlib.cloud.signing import signature_v4 as v4
from simlib.cloud.signing.signature_reading import form, read
from simlib.cloud.signing.signed import (
    Address,
    Expired,
    Incomplete,
    Mismatch,
    SignatureError,
    Signed,
    Skewed,
    address_of,
)
from simlib.cloud.transport.wire import RawRequest

__all__ = ["Expired", "Incomplete", "Mismatch", "SignatureError", "Signed", "Skewed", "read", "verify"]

MAX_SKEW = timedelta(minutes=15)

_HEX_HASH = re.compile(r"[0-9a-f]{64}")


def verify(raw: RawRequest, signed: Signed, secret_access_key: str, now: datetime) -> None:
    """Return if `secret_access_key` made the signature `read` found on `raw` and it is in time at `now` (aware).

    Raises `Skewed`, `Expired`, `Incomplete` or `Mismatch`, and nothing else.
    """
    _check_time(signed, now if now.tzinfo else now.replace(tzinfo=UTC))
    if signed.scheme.startswith("v4"):
        _verify_v4(raw, signed, secret_access_key)
    else:
        _verify_v2(raw, signed, secret_access_key)


def _check_time(signed: Signed, now: datetime) -> None:
    server = {"ServerTime": _iso(now)}
    if signed.honours_expires:
        assert signed.expires_at is not None
        if signed.signed_at is not None and signed.signed_at - now > MAX_SKEW:
            raise Expired("Request is not yet valid", kind="early", details={"X-Amz-Date": signed.timestamp, **server})
        if now > signed.expires_at:
            asked = {} if signed.expires_in is None else {"X-Amz-Expires": str(signed.expires_in)}
            raise Expired("Request has expired", details={**asked, "Expires": _iso(signed.expires_at), **server})
        return
    assert signed.signed_at is not None
    age = now - signed.signed_at
    if -MAX_SKEW <= age <= MAX_SKEW:
        return
    at, clock = _basic(signed.signed_at), _basic(now)
    if age > MAX_SKEW:
        text = f"Signature expired: {at} is now earlier than {_basic(now - MAX_SKEW)} ({clock} - 15 min.)"
    else:
        text = f"Signature not yet current: {at} is still later than {_basic(now + MAX_SKEW)} ({clock} + 15 min.)"
    skew = str(int(MAX_SKEW.total_seconds() * 1000))
    raise Skewed(text, details={"RequestTime": at, **server, "MaxAllowedSkewMilliseconds": skew})


def _iso(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _basic(when: datetime) -> str:
    return when.strftime("%Y%m%dT%H%M%SZ")


def _verify_v4(raw: RawRequest, signed: Signed, secret: str) -> None:
    address = address_of(raw)
    service = signed.service or ""
    payload_hash = _payload_hash(raw, signed)
    headers = [(name, raw.headers.get(name, address.host if name == "host" else "")) for name in signed.signed_headers]
    key = v4.signing_key(secret, signed.scope)
    first = None
    for path, pairs in _spellings(address, service):
        canonical = v4.canonical_request(raw.method, path, pairs, headers, payload_hash)
        text = v4.string_to_sign(signed.timestamp, signed.scope, canonical)
        if v4.equal(signed.signature, v4.sign(key, text)):
            break
        first = first or (canonical, text)
    else:
        assert first is not None
        raise _mismatch(signed, *first)
    if payload_hash in v4.SIGNED_CHUNKS and not v4.chunks_match(
        raw.body, key, signed.timestamp, signed.scope, signed.signature, payload_hash.endswith("TRAILER")
    ):
        raise _mismatch(signed, canonical, text)


def _spellings(address: Address, service: str) -> Iterator[tuple[str, v4.Pairs]]:
    """The path and query as sent and, where that differs, percent-encoded the way AWS does it before it compares."""
    pairs = [pair for pair in v4.split_query(address.query) if pair[0] != "X-Amz-Signature"]
    yield v4.canonical_path(address.path, service), pairs
    yield v4.canonical_path(v4.reencoded_path(address.path), service), v4.reencoded_query(pairs)


def _payload_hash(raw: RawRequest, signed: Signed) -> str:
    """What the signature says about the body, after checking that it is true of this body."""
    s3 = signed.service in v4.SINGLE_ENCODING
    given = raw.headers.get("x-amz-content-sha256")
    if given is None:
        if s3 and signed.scheme == "v4":
            raise Incomplete("Missing required header for this request: x-amz-content-sha256", kind="no-payload-hash")
        return v4.UNSIGNED_PAYLOAD if s3 else v4.body_hash(raw.body)
    if given in v4.UNCOVERED_PAYLOADS or given in v4.SIGNED_CHUNKS:
        return given
    if not _HEX_HASH.fullmatch(given):
        raise Incomplete(
            f"x-amz-content-sha256 must be {', '.join((*v4.UNCOVERED_PAYLOADS, *v4.SIGNED_CHUNKS))} or a valid sha256 "
            "value.",
            kind="payload-hash",
            details={"ArgumentName": "x-amz-content-sha256", "ArgumentValue": given},
        )
    actual = v4.body_hash(raw.body)
    if given != actual:
        raise Mismatch(
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
            kind="payload",
            details={"ClientComputedContentSHA256": given, "S3ComputedContentSHA256": actual},
        )
    return given


def _verify_v2(raw: RawRequest, signed: Signed, secret: str) -> None:
    address = address_of(raw)
    host = raw.headers.get("host", address.host).lower()
    digest = "sha256" if signed.timestamp == "HmacSHA256" else "sha1"
    texts = (
        [v2.query_string_to_sign(raw.method, host, address.path, form(raw))]
        if signed.scheme == "v2"
        else _s3_v2_texts(raw, signed, address, host)
    )
    if not any(v4.equal(signed.signature, v2.sign(secret, text, digest)) for text in texts):
        raise _mismatch(signed, "", texts[0])


def _s3_v2_texts(raw: RawRequest, signed: Signed, address: Address, host: str) -> list[str]:
    headers = dict(raw.headers)
    if signed.scheme == "s3-query":  # presigners put the headers they signed into the address
        for name, value in v4.split_query(address.query):
            if name.startswith("x-amz-") or name in ("content-md5", "content-type"):
                headers.setdefault(name, unquote(value))
        when = signed.timestamp
    else:
        when = "" if "x-amz-date" in headers else headers.get("date", "").strip()
    resources = v2.resources(host, address.path, address.query)
    return [v2.s3_string_to_sign(raw.method, headers, when, resource) for resource in resources]


def _mismatch(signed: Signed, canonical: str, text: str) -> Mismatch:
    message = (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details."
    )
    details = {
        "AWSAccessKeyId": signed.access_key_id,
        "StringToSign": text,
        "SignatureProvided": signed.signature,
        "StringToSignBytes": v4.encoded(text).hex(" "),
    }
    if canonical:
        details["CanonicalRequest"] = canonical
        details["CanonicalRequestBytes"] = v4.encoded(canonical).hex(" ")
    return Mismatch(message, canonical_request=canonical, string_to_sign=text, details=details)
