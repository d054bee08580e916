"""Signature Version 4 as pure functions: canonical request, string to sign, signing key, signed chunks.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote, unquote_to_bytes

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
SIGNED_CHUNKS = ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
UNCOVERED_PAYLOADS = (UNSIGNED_PAYLOAD, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-EVENTS")

# Services whose path is encoded once and never normalised: a key "a//b/../c" is a name, not a route.
SINGLE_ENCODING = frozenset({"s3", "s3express", "s3-outposts", "s3-object-lambda"})

_EMPTY_HASH = sha256(b"").hexdigest()

Pairs = Sequence[tuple[str, str]]


def encoded(text: str) -> bytes:
    """UTF-8 that also takes the lone surrogates of a hostile header."""
    return text.encode("utf-8", "surrogatepass")


def body_hash(body: bytes) -> str:
    return sha256(body).hexdigest() if body else _EMPTY_HASH


def split_query(query: str) -> list[tuple[str, str]]:
    """Name and value of each parameter, still percent-encoded, in the order sent; repeated names stay repeated."""
    return [(name, value) for name, _, value in (pair.partition("=") for pair in query.split("&"))] if query else []


def reencoded(text: str, safe: str = "") -> str:
    """The one percent-encoding AWS signs, whichever of the equivalent ones was sent ("~" and "%7e", "(" and "%28")."""
    return quote(unquote_to_bytes(encoded(text)), safe="-._~" + safe)


def reencoded_path(path: str) -> str:
    return "/".join(reencoded(segment) for segment in path.split("/"))


def reencoded_query(pairs: Pairs) -> Pairs:
    return [(reencoded(name), reencoded(value)) for name, value in pairs if name or value]


def normalised_path(path: str) -> str:
    """RFC 3986 dot segments removed and repeated slashes made one, as every service but S3 does before signing."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment and segment != ".":
            kept.append(segment)
    return "/" + "/".join(kept) + ("/" if kept and path.endswith("/") else "")


def canonical_path(path: str, service: str) -> str:
    """`path` as sent, percent-encoded. S3 signs it as it is; the others normalise it and encode it a second time."""
    if service in SINGLE_ENCODING:
        return path or "/"
    return "/" if path in ("", "/") else quote(encoded(normalised_path(path)), safe="/-._~")


def canonical_request(
    method: str, path: str, pairs: Pairs, headers: Iterable[tuple[str, str]], payload_hash: str
) -> str:
    """`path` canonical already; `pairs` without the signature; `headers` the signed ones, sorted by name."""
    query = "&".join(f"{name}={value}" for name, value in sorted(pairs)) if pairs else ""
    lines, names = [], []
    for name, value in headers:
        lines.append(f"{name}:{' '.join(value.split())}\n")
        names.append(name)
    return f"{method.upper()}\n{path}\n{query}\n{''.join(lines)}\n{';'.join(names)}\n{payload_hash}"


def string_to_sign(timestamp: str, scope: str, canonical: str) -> str:
    """`timestamp` as in X-Amz-Date, `scope` as "20261123/us-east-1/s3/aws4_request"."""
    return f"{ALGORITHM}\n{timestamp}\n{scope}\n{sha256(encoded(canonical)).hexdigest()}"


@lru_cache(maxsize=256)
def signing_key(secret: str, scope: str) -> bytes:
    """The key of one day, region and service: the same for thousands of requests, so it is kept."""
    key = encoded("AWS4" + secret)
    for part in scope.split("/"):
        key = hmac.digest(key, encoded(part), "sha256")
    return key


def sign(key: bytes, text: str) -> str:
    return hmac.digest(key, encoded(text), "sha256").hex()


def equal(given: str, expected: str) -> bool:
    """Constant-time, whatever characters were given."""
    return hmac.compare_digest(encoded(given), encoded(expected))


def chunks_match(body: bytes, key: bytes, timestamp: str, scope: str, seed: str, trailer: bool) -> bool:
    """Whether each chunk of an aws-chunked body, and its trailer, carries the signature chained to the one before."""
    previous = seed
    rest = body
    ended = False
    while not ended:
        head, found, rest = rest.partition(b"\r\n")
        size_text, _, signature = head.partition(b";chunk-signature=")
        try:
            size = int(size_text, 16)
        except ValueError:
            return False
        if not found or size < 0 or len(rest) < size:
            return False
        chunk, rest = rest[:size], rest[size:]
        text = "\n".join((f"{ALGORITHM}-PAYLOAD", timestamp, scope, previous, _EMPTY_HASH, sha256(chunk).hexdigest()))
        previous = sign(key, text)
        if not hmac.compare_digest(previous.encode(), signature):
            return False
        ended = size == 0
        if not ended or not trailer:
            rest = rest.removeprefix(b"\r\n")
    return _trailer_matches(rest, key, timestamp, scope, previous) if trailer else not rest


def _trailer_matches(rest: bytes, key: bytes, timestamp: str, scope: str, previous: str) -> bool:
    covered, _, signature = rest.partition(b"x-amz-trailer-signature:")
    lines = b"".join(line + b"\n" for line in _lines(covered))
    text = "\n".join((f"{ALGORITHM}-TRAILER", timestamp, scope, previous, sha256(lines).hexdigest()))
    return hmac.compare_digest(sign(key, text).encode(), signature.strip())


def _lines(block: bytes) -> Iterator[bytes]:
    for line in block.replace(b"\r\n", b"\n").split(b"\n"):
        if line.strip():
            name, _, value = line.partition(b":")
            yield name.strip().lower() + b":" + value.strip()
