"""Whether a signature is theirs: botocore signs the request again, as it was received, and the two are compared.

Choices where AWS documents nothing: a signature may be five minutes old or early at services that speak JSON (their
errors say "- 5 min."), 15 at DynamoDB and at all others; only S3 honours X-Amz-Expires, elsewhere a presigned request
lives those minutes whatever it says.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache, reduce
from hashlib import sha256
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit

from botocore.auth import EMPTY_SHA256_HASH, HmacV1Auth, S3SigV4Auth, SigV4Auth
from botocore.credentials import Credentials

from simlib.cloud.transport.calls import bucket_in_host
from simlib.cloud.transport.chunked import NOT_COVERED, SIGNED_CHUNKS
from simlib.cloud.transport.protocols import family_of
from simlib.cloud.transport.signer import ALGORITHM, ClaimedSignature, SignatureError, basic
from simlib.cloud.transport.wire import RawRequest


@lru_cache(maxsize=256)
def _signing_key(secret: str, scope: str) -> bytes:
    """The key of one day, region and service: the same for thousands of requests, so it is kept."""
    return reduce(
        lambda key, part: hmac.digest(key, part.encode(), "sha256"), scope.split("/"), f"AWS4{secret}".encode()
    )


class _Headers(dict[str, str]):
    """Headers as botocore's signers ask for them."""

    def get_all(self, name: str) -> list[str]:
        return [self[name]]


class _Signer(SigV4Auth):  # type: ignore[misc]
    """botocore's own way, but for the headers and the payload, which are those that the sender has signed."""

    def headers_to_sign(self, request: Any) -> _Headers:
        headers: _Headers = request.signed_headers
        return headers

    def payload(self, request: Any) -> str:
        return str(request.payload)


class _S3Signer(_Signer):
    _normalize_url_path = S3SigV4Auth._normalize_url_path


@lru_cache(maxsize=256)
def _signer(service: str, region: str) -> _Signer:
    return (_S3Signer if service == "s3" else _Signer)(Credentials("", ""), service, region)


def sender_time(signed: ClaimedSignature | None, lab: datetime, real: datetime) -> datetime:
    """The time by which a request of another process is judged, of the lab's and the real one.

    A presigned URL lives by the lab's clock, where AWS's time is: it may have been made long before it is opened. Other
    processes sign by real time, code in this process that calls over HTTP by the lab's; whichever is nearer counts.
    """
    if signed is None or signed.signed_at is None or signed.scheme in ("v4-query", "v4-post"):
        return lab
    at = signed.signed_at
    return min(real, lab, key=lambda time: abs(time - at))


def verify(
    raw: RawRequest, signed: ClaimedSignature, secret_access_key: str, now: datetime, service: str | None = None
) -> None:
    """Return if `secret_access_key` made the signature `read` found on `raw` and it is in time at `now` (aware).

    `service` is botocore's name of the one that is called. Raises `SignatureError`, and nothing else.
    """
    _check_time(signed, now, service)
    if signed.policy:
        return _verify_policy(signed, secret_access_key)
    try:
        (_verify_v4 if signed.scheme.startswith("v4") else _verify_v2)(raw, signed, secret_access_key)
    except ValueError as error:  # a lone surrogate: nobody has signed that
        raise SignatureError("incomplete", "header", "A header of the request cannot be read.") from error


def _check_time(signed: ClaimedSignature, now: datetime, service: str | None) -> None:
    brief = family_of(service) in ("json", "rest-json") and service not in ("dynamodb", "dynamodbstreams")
    minutes = 5 if brief else 15
    skew = timedelta(minutes=minutes)
    early = signed.signed_at is not None and signed.signed_at - now > skew
    late = now > signed.expires if signed.expires else signed.signed_at is not None and now - signed.signed_at > skew
    if not (early or late):
        return
    details = {"ServerTime": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
    at, clock = basic(signed.signed_at) if signed.signed_at else "", basic(now)
    if signed.expires is None:
        text = f"Signature expired: {at} is now earlier than {basic(now - skew)} ({clock} - {minutes} min.)"
        if early:
            text = f"Signature not yet current: {at} is still later than {basic(now + skew)} ({clock} + {minutes} min.)"
        details |= {"RequestTime": at, "MaxAllowedSkewMilliseconds": str(minutes * 60_000)}
        raise SignatureError("skewed", "", text, details)
    if early:
        raise SignatureError("expired-url", "early", "Request is not yet valid", {"X-Amz-Date": at, **details})
    details["Expires"] = f"{signed.expires:%Y-%m-%dT%H:%M:%SZ}"
    if signed.signed_at:
        details["X-Amz-Expires"] = str(round((signed.expires - signed.signed_at).total_seconds()))
    raise SignatureError("expired-url", "", "Request has expired", details)


def _verify_v4(raw: RawRequest, signed: ClaimedSignature, secret: str) -> None:
    assert signed.region is not None
    url, payload = raw.parts, _payload_hash(raw, signed)
    host = url.netloc.rpartition("@")[2].lower().removesuffix(":443" if url.scheme == "https" else ":80")
    headers = _Headers({name: raw.headers.get(name, host if name == "host" else "") for name in signed.signed_headers})
    timestamp = signed.timestamp
    request = SimpleNamespace(
        method=raw.method,
        signed_headers=headers,
        payload=payload,
        params={},
        headers={},
        context={"timestamp": timestamp},
    )
    signer = _signer(signed.service, signed.region)
    scope = signer.credential_scope(request)
    key = _signing_key(secret, scope)
    tried = []
    for request.url in _spellings(url.path or "/", url.query):
        canonical = signer.canonical_request(request)
        tried.append((signer.string_to_sign(request, canonical), canonical))
        expected = hmac.digest(key, tried[-1][0].encode(), "sha256").hex()
        if hmac.compare_digest(expected.encode(), signed.signature.encode()):
            break
    else:
        raise _mismatch(signed, *tried[0])

    def sign(kind: str, *rest: str) -> str:
        text = "\n".join((f"{ALGORITHM}-{kind}", timestamp, scope, *rest))
        return hmac.digest(key, text.encode(), "sha256").hex()

    if payload in SIGNED_CHUNKS and not _chunks_match(signed, sign, payload == SIGNED_CHUNKS[1]):
        raise _mismatch(signed, *tried[-1])


def _spellings(path: str, query: str) -> Iterator[str]:
    """The address as sent and, where that differs, percent-encoded the way AWS does it before it compares."""

    def encoded(text: str) -> str:
        return quote(unquote_to_bytes(text), safe="-._~")

    pairs = [pair for pair in query.split("&") if not pair.startswith("X-Amz-Signature=")]
    yield f"http://host{path}?{'&'.join(pairs)}"
    named = (pair.partition("=") for pair in pairs)
    again = (f"{encoded(name)}={encoded(value)}" for name, _, value in named if name or value)
    yield f"http://host{'/'.join(map(encoded, path.split('/')))}?{'&'.join(again)}"


def _payload_hash(raw: RawRequest, signed: ClaimedSignature) -> str:
    """What the signature says about the body, after checking that it is true of this body."""
    announced = raw.headers.get("x-amz-content-sha256")
    if announced is None and signed.service == "s3":
        if signed.scheme == "v4":
            text = "Missing required header for this request: x-amz-content-sha256"
            raise SignatureError("incomplete", "no-payload-hash", text)
        return "UNSIGNED-PAYLOAD"
    if announced in (*NOT_COVERED, *SIGNED_CHUNKS):
        return announced
    actual = signed.payload.body
    if announced is not None and not re.fullmatch(r"[0-9a-f]{64}", announced):
        text = f"x-amz-content-sha256 must be {', '.join((*NOT_COVERED, *SIGNED_CHUNKS))} or a valid sha256 value."
        details = {"ArgumentName": "x-amz-content-sha256", "ArgumentValue": announced}
        raise SignatureError("incomplete", "payload-hash", text, details)
    if announced not in (None, actual):
        text = "The provided 'x-amz-content-sha256' header does not match what was computed."
        details = {"ClientComputedContentSHA256": announced or "", "S3ComputedContentSHA256": actual}
        raise SignatureError("wrong-secret", "payload", text, details)
    return actual


def _chunks_match(signed: ClaimedSignature, sign: Callable[..., str], trailer: bool) -> bool:
    """Whether each chunk of an aws-chunked body, and its trailer, carries the signature chained to the one before."""
    payload, previous = signed.payload, signed.signature
    for digest, claimed in payload.chunks:
        previous = sign("PAYLOAD", previous, EMPTY_SHA256_HASH, digest)
        if not hmac.compare_digest(b"chunk-signature=" + previous.encode(), claimed):
            return False
    if not trailer or not payload.chunks:
        return bool(payload.chunks) and payload.trailer in (b"", b"\r\n")
    covered, _, claimed = payload.trailer.partition(b"x-amz-trailer-signature:")
    fields = (line.partition(b":") for line in covered.split(b"\n") if line.strip())
    lines = b"".join(name.strip().lower() + b":" + value.strip() + b"\n" for name, _, value in fields)
    return hmac.compare_digest(sign("TRAILER", previous, sha256(lines).hexdigest()).encode(), claimed.strip())


def _verify_v2(raw: RawRequest, signed: ClaimedSignature, secret: str) -> None:
    headers = _Headers({name: value for name, value in raw.headers.items() if name != "date"})
    for name, _, value in (pair.partition("=") for pair in raw.parts.query.split("&")):
        if name.startswith("x-amz-") or name in ("content-md5", "content-type"):
            headers.setdefault(name, unquote(value))  # presigners put the headers they signed into the address
    assert signed.expires is not None
    date = str(int(signed.expires.timestamp()))
    signer = HmacV1Auth(Credentials("", secret))
    signer._get_date = lambda: date
    bucket = bucket_in_host(raw.headers.get("host", raw.parts.netloc).lower())
    path = (f"/{bucket}" if bucket else "") + (raw.parts.path or "/")
    # Signers write a bucket alone as "/bucket" or "/bucket/".
    paths = [path] if "/" in path[1:] or path == "/" else [f"{path}/", path]
    texts = [signer.canonical_string(raw.method, urlsplit(raw.url), headers, auth_path=path) for path in paths]
    if not any(hmac.compare_digest(signer.sign_string(text).encode(), signed.signature.encode()) for text in texts):
        raise _mismatch(signed, texts[0])


def _verify_policy(signed: ClaimedSignature, secret: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-UsingHTTPPOST.html"""
    if signed.scheme == "s3-post":
        made = b64encode(hmac.digest(secret.encode(), signed.policy.encode(), "sha1")).decode()
    else:
        key = _signing_key(secret, f"{signed.timestamp[:8]}/{signed.region}/{signed.service}/aws4_request")
        made = hmac.digest(key, signed.policy.encode(), "sha256").hex()
    if not hmac.compare_digest(made.encode(), signed.signature.encode()):
        raise _mismatch(signed, signed.policy)


def _mismatch(signed: ClaimedSignature, text: str, canonical: str = "") -> SignatureError:
    details = {
        "AWSAccessKeyId": signed.access_key_id,
        "StringToSign": text,
        "SignatureProvided": signed.signature,
        "StringToSignBytes": text.encode().hex(" "),
    }
    if canonical:
        details |= {"CanonicalRequest": canonical, "CanonicalRequestBytes": canonical.encode().hex(" ")}
    return SignatureError("wrong-secret", "", "The signature does not match.", details)
