"""What a signature covers, and what is said where a part of it is missing."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac

import pytest
from botocore.auth import (
    S3SigV4Auth,
)
from botocore.awsrequest import AWSRequest

from simlib.cloud.transport import signer
from simlib.cloud.transport.wire import RawRequest

from .signed_requests import (
    EC2_HOST,
    KEY,
    QUERY,
    S3_HOST,
    SECRET,
    SESSION,
    V4,
    check,
    raw,
    refused,
    signed,
    with_header,
)

# -- the payload ---------------------------------------------------------------------------------------------------


def seeded(payload: str, body: bytes) -> RawRequest:
    """A request whose seed signature covers only what `payload` announces."""
    request = AWSRequest("PUT", f"{S3_HOST}/b/k", headers={"X-Amz-Trailer": "x-amz-checksum-crc32"})
    signer = S3SigV4Auth(SESSION, "s3", "us-east-1")
    signer.payload = lambda _: payload
    signer.add_auth(request)
    return dataclasses.replace(raw(request), body=body)


def chunked(request: RawRequest, chunks: list[bytes], trailer: bytes = b"") -> bytes:
    """An aws-chunked body as AWS's page on streaming signatures describes it, written for this test alone."""
    found = signer.parse(request)
    timestamp = found.signed_at.strftime("%Y%m%dT%H%M%SZ")
    scope = (timestamp[:8], "us-east-1", "s3", "aws4_request")
    key = b"AWS4" + SECRET.encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    previous, body = found.signature, b""
    empty = hashlib.sha256(b"").hexdigest()
    for chunk in (*chunks, b""):
        text = ["AWS4-HMAC-SHA256-PAYLOAD", timestamp, "/".join(scope), previous, empty]
        previous = hmac.new(key, "\n".join([*text, hashlib.sha256(chunk).hexdigest()]).encode(), "sha256").hexdigest()
        body += b"%x;chunk-signature=%s\r\n%s" % (len(chunk), previous.encode(), chunk + b"\r\n" if chunk else b"")
    if trailer:
        text = ["AWS4-HMAC-SHA256-TRAILER", timestamp, "/".join(scope), previous]
        text.append(hashlib.sha256(trailer + b"\n").hexdigest())
        last = hmac.new(key, "\n".join(text).encode(), "sha256").hexdigest()
        body += trailer + b"\r\nx-amz-trailer-signature:" + last.encode() + b"\r\n"
    return body + b"\r\n"


@pytest.mark.parametrize("trailer", [b"", b"x-amz-checksum-crc32:AAAAAA=="], ids=["plain", "trailer"])
def test_signed_chunks_are_verified_one_by_one(trailer: bytes) -> None:
    request = seeded("STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else ""), b"")
    body = chunked(request, [b"first\r\nchunk", b"second"], trailer)
    check(dataclasses.replace(request, body=body))
    changed = [body.replace(b"second", b"sXcond"), body[:-10], body + b"0", b"", b"zz\r\n", b"-5;chunk-signature=x\r\n"]
    changed += [body.replace(b"AAAAAA==", b"BBBBBB==")] if trailer else []
    for other in changed:
        with refused("wrong-secret"):
            check(dataclasses.replace(request, body=other))


@pytest.mark.parametrize("payload", ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"])
def test_payloads_that_are_not_covered_are_believed(payload: str) -> None:
    check(seeded(payload, b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"))


def test_a_payload_hash_must_be_the_bodys() -> None:
    with refused("wrong-secret", match="does not match what was computed"):
        check(seeded(hashlib.sha256(b"hello").hexdigest(), b"hellO"))
    check(seeded(hashlib.sha256(b"hello").hexdigest(), b"hello"))
    with refused("incomplete", match="x-amz-content-sha256 must be"):
        check(seeded("nonsense", b"hello"))


# -- incomplete ----------------------------------------------------------------------------------------------------

DATED = {"x-amz-date": "20261123T000000Z"}
# what is wrong, the Authorization header, the other headers, the query, what is said of it
INCOMPLETE: list[tuple[str, str | None, dict[str, str], str, str]] = [
    ("no credential", V4.replace("Credential", "Cred"), DATED, "",
     "Authorization header requires 'Credential' parameter."),
    ("no signature", V4.replace("Signature=00", "Signature="), DATED, "", "requires 'Signature' parameter."),
    ("no signed headers", V4.replace("SignedHeaders=", "X="), DATED, "", "requires 'SignedHeaders' parameter."),
    ("no date", V4, {}, "", "requires existence of either a 'X-Amz-Date' or a 'Date' header."),
    ("nothing after the algorithm", "AWS4-HMAC-SHA256", DATED, "", "requires 'Credential' parameter."),
    ("a key pasted with a space", V4.replace(KEY, KEY + " "), DATED, "",
     "'/20261123/us-east-1/iam/aws4_request' not a valid key=value pair (missing equal-sign)"),
    ("twice the same", V4 + ", Signature=11", DATED, "", "exactly one 'Signature'"),
    ("no equal-sign", V4 + ", Sig", DATED, "", "'Sig' not a valid key=value pair (missing equal-sign)"),
    ("short credential", V4.replace("/iam", ""), DATED, "", "Credential must have exactly 5 slash-delimited elements"),
    ("other terminator", V4.replace("aws4_request", "aws3"), DATED, "", "terminator: 'aws4_request', not 'aws3'."),
    ("other day", V4, {"x-amz-date": "20261124T000000Z"}, "", "'20261123' != '20261124', from '20261124T000000Z'."),
    ("impossible date", V4, {"x-amz-date": "20261340T000000Z"}, "", "Date must be in ISO-8601 'basic format'."),
    ("host not signed", V4.replace("host;", ""), DATED, "", "'Host' or ':authority' must be a 'SignedHeader'"),
    ("token not signed", V4, {**DATED, "x-amz-security-token": "t"}, "",
     "'x-amz-security-token' must be a 'SignedHeader'"),
    ("version 4A", "AWS4-ECDSA-P256-SHA256 Credential=x", {}, "", "'algorithm': 'AWS4-ECDSA-P256-SHA256'"),
    ("bearer", "Bearer abc", {}, "", "Unsupported AWS 'algorithm': 'Bearer'."),
    ("empty", "", {}, "", "Unsupported AWS 'algorithm': ''."),
    ("version 2", "AWS key:sig", {"date": "Mon, 23 Nov 2026 00:00:00 GMT"}, "", "Signature Version 2 is not taken"),
    ("header and query", V4, DATED, QUERY, "Only one auth mechanism allowed"),
    ("query without signature", None, {}, QUERY.replace("X-Amz-Signature=00", ""), "must include 'X-Amz-Signature'."),
    ("query without expiry", None, {}, QUERY.replace("X-Amz-Expires=60", ""), "must include 'X-Amz-Expires'."),
    ("expiry too long", None, {}, QUERY.replace("=60", "=604801"), "less than a week"),
    ("expiry not a number", None, {}, QUERY.replace("=60", "=x"), "X-Amz-Expires should be a number"),
    ("expiry negative", None, {}, QUERY.replace("=60", "=-1"), "X-Amz-Expires must be non-negative"),
    ("query with version 4A", None, {}, QUERY.replace("HMAC", "ECDSA-P256"), "Unsupported AWS 'algorithm'"),
    ("parameter twice", None, {}, QUERY + "&X-Amz-Signature=11", "may be given only once"),
    ("version 2 query, half", None, {}, "AWSAccessKeyId=x&Signature=y", "the Signature, Expires and AWSAccessKeyId"),
    ("version 2 query, odd time", None, {}, "AWSAccessKeyId=x&Signature=y&Expires=soon", "seconds since epoch"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "authorization", "headers", "query", "text"), INCOMPLETE, ids=[c[0] for c in INCOMPLETE]
)
def test_half_a_signature_is_told_what_is_missing(
    what: str, authorization: str | None, headers: dict[str, str], query: str, text: str
) -> None:
    headers = headers if authorization is None else {**headers, "authorization": authorization}
    with refused("incomplete") as error:
        signer.parse(RawRequest("GET", f"https://iam.amazonaws.com/?{query}", headers))
    assert text in str(error.value)
    assert error.value.kind


def test_no_sign_of_a_signature_is_anonymous() -> None:
    for url in (
        S3_HOST + "/b/k",
        S3_HOST + "/b/k?prefix=X-Amz-Sig&Expires=1&x=AWSAccessKeyId",
        EC2_HOST + "/?Action=X",
    ):
        assert signer.parse(RawRequest("GET", url, {"content-type": "text/plain"}, b"AWSAccessKeyId=1")) is None


def test_s3_wants_the_payload_hash_announced() -> None:
    request = signed("v4", S3_HOST + "/b/k")
    header = request.headers["authorization"].replace("execute-api", "s3")
    with refused("incomplete", match="Missing required header for this request: x-amz-content-sha256"):
        check(with_header(request, "authorization", header))
