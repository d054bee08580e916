"""Requests signed by botocore's own signers, as the gate receives them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from botocore.auth import HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from simlib.cloud.transport import signature, signer
from simlib.cloud.transport.wire import RawRequest

KEY, SECRET, TOKEN = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "FwoGZXIvYXdzEXAMPLE//tok+en=="
LONG_TERM, SESSION = Credentials(KEY, SECRET), Credentials("ASIAIOSFODNN7EXAMPLE", SECRET, TOKEN)

S3_HOST, EC2_HOST = "https://s3.us-east-1.amazonaws.com", "https://ec2.eu-west-1.amazonaws.com"
LOOPBACK = "http://127.0.0.1:41753"

SIGNERS: dict[str, Callable[[Credentials], object]] = {
    "v4": lambda c: SigV4Auth(c, "execute-api", "eu-west-1"),
    "v4-query": lambda c: SigV4QueryAuth(c, "execute-api", "eu-west-1", 60),
    "s3v4": lambda c: S3SigV4Auth(c, "s3", "us-east-1"),
    "s3v4-query": lambda c: S3SigV4QueryAuth(c, "s3", "us-east-1", 60),
    "s3-query": lambda c: HmacV1QueryAuth(c, 60),
}
PATHS = [
    "/",
    "/my-bucket/plain.txt",
    "/my-bucket/with%20space/%C3%A9t%C3%A9.txt",
    "/my-bucket//double///slash/",
    "/my-bucket/a/../b/./c",
    "/my-bucket/..",
    "/my-bucket/a%2Fb",
    "/my-bucket/a+b%2Bc",
    "/my-bucket/~tilde_(paren)'!*",
    "/my-bucket/%E2%98%83%25%23%3F",
    "/my-bucket/trailing/",
]
QUERIES = [
    "",
    "acl",
    "list-type=2&prefix=a%2Fb&delimiter=%2F",
    "prefix=&marker",
    "tag=b&tag=a&tag=",
    "versionId=null&response-content-type=text%2Fplain%3B%20x",
    "b=2&a=1&B=3&A=4",
    "q=a%20b%2Bc&unicode=%C3%A9",
]
V4 = (
    f"AWS4-HMAC-SHA256 Credential={KEY}/20261123/us-east-1/iam/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=00"
)
QUERY = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={KEY}/20261123/us-east-1/s3/aws4_request" + (
    "&X-Amz-Date=20261123T000000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=00&X-Amz-Expires=60"
)


def raw(request: AWSRequest) -> RawRequest:
    """A signed botocore request as the gate receives it."""
    return RawRequest.from_botocore(request.prepare())


def signed(
    scheme: str,
    url: str,
    *,
    method: str = "GET",
    body: bytes | str = b"",
    headers: dict[str, str] | None = None,
    credentials: Credentials = SESSION,
    auth_path: str | None = None,
) -> RawRequest:
    later = body if scheme == "s3v4-query" else b""  # a presigner would move the body into the address
    request = AWSRequest(method, url, headers=headers or {}, data=b"" if later else body, auth_path=auth_path)
    SIGNERS[scheme](credentials).add_auth(request)  # type: ignore[attr-defined]
    content = later.encode("utf-8") if isinstance(later, str) else later
    return dataclasses.replace(raw(request), body=content) if later else raw(request)


def check(
    request: RawRequest, secret: str = SECRET, now: datetime | None = None, service: str = ""
) -> signer.ClaimedSignature:
    found = signer.parse(request)
    assert found is not None
    signature.verify(request, found, secret, now or datetime.now(UTC), service)
    return found


def refused(*situations: str, match: str | None = None) -> pytest.RaisesExc[signer.SignatureError]:
    """The block is refused, for one of these reasons."""
    return pytest.raises(signer.SignatureError, match=match, check=lambda error: error.situation in situations)


def with_header(request: RawRequest, name: str, value: str) -> RawRequest:
    return dataclasses.replace(request, headers={**request.headers, name: value})
