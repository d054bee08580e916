"""Signature Version 2 as pure functions: what S3 still presigns with, and SimpleDB still signs with.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from simlib.cloud.signing.signature_v4 import encoded

# The query parameters that are part of what is asked for and therefore signed; all others are not.
SUB_RESOURCES = frozenset(
    re.findall(
        r"[\w-]+",
        """accelerate acl analytics cors defaultObjectAcl delete inventory lifecycle location logging metrics
        notification object-lock partNumber policy replication requestPayment response-cache-control
        response-content-disposition response-content-encoding response-content-language response-content-type
        response-expires restore select select-type storageClass tagging torrent uploadId uploads versionId versioning
        versions website""",
    )
)

_VIRTUAL_HOST = re.compile(r"(?P<bucket>.+?)\.(?:s3[.-](?:[a-z0-9-]+\.)*amazonaws\.com(?:\.cn)?|localhost)(?::\d+)?")


def resources(host: str, path: str, query: str) -> tuple[str, ...]:
    """The resource as signed: the bucket in front even if it was in the host name, then the sub-resources.

    Signers write a bucket alone as "/bucket" or "/bucket/", so both are tried.
    """
    virtual = _VIRTUAL_HOST.fullmatch(host)
    named = f"/{virtual['bucket']}{path or '/'}" if virtual else path or "/"
    pairs = (pair.partition("=") for pair in query.split("&"))
    signed = sorted((pair for pair in pairs if pair[0] in SUB_RESOURCES), key=lambda pair: pair[0])
    asked = "&".join(f"{name}{equals}{unquote(value)}" for name, equals, value in signed)
    paths = (named,) if "/" in named[1:] or named == "/" else (f"{named}/", named)
    return tuple(path + (f"?{asked}" if asked else "") for path in paths)


def s3_string_to_sign(method: str, headers: Mapping[str, str], when: str, resource: str) -> str:
    """`headers` lower-case, those given as query parameters included; `when` the Date header or the Expires time."""
    amz = "".join(f"{name}:{value.strip()}\n" for name, value in sorted(headers.items()) if name.startswith("x-amz-"))
    content_md5, content_type = headers.get("content-md5", "").strip(), headers.get("content-type", "").strip()
    return f"{method.upper()}\n{content_md5}\n{content_type}\n{when}\n{amz}{resource}"


def query_string_to_sign(method: str, host: str, path: str, parameters: Mapping[str, str]) -> str:
    """For the query services that knew version 2; `parameters` decoded."""
    pairs = (
        f"{quote(encoded(name), safe='-_.~')}={quote(encoded(value), safe='-_.~')}"
        for name, value in sorted(parameters.items())
        if name != "Signature"
    )
    return f"{method.upper()}\n{host}\n{path or '/'}\n{'&'.join(pairs)}"


def sign(secret: str, text: str, digest: str) -> str:
    """`digest` "sha1" (S3) or "sha256" (query services); base64."""
    return base64.b64encode(hmac.digest(encoded(secret), encoded(text), digest)).decode("ascii")
