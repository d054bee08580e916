"""Bodies that come in chunks: HTTP's, and S3's with the checksums that follow them.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from io import BufferedIOBase, BytesIO

from simlib.cloud.transport.wire import LARGEST_BODY, RawRequest

SIGNED_CHUNKS = ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
NOT_COVERED = ("UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-EVENTS")
_WRAPPING = ("content-encoding", "x-amz-trailer", "x-amz-decoded-content-length", "content-length")


def chunks(stream: BufferedIOBase, most: int = LARGEST_BODY) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk with what its head says besides its size; the last one is empty, and what follows stays in the stream.

    Raises `ValueError` where they cannot be read, `OverflowError` where there are more than `most` bytes of them.
    """
    length = 1
    while length:
        size, _, extension = stream.readline(1026).rstrip(b"\r\n").partition(b";")
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", size):
            raise ValueError("the chunks of its body cannot be read")
        length = int(size, 16)
        most -= length
        if most < 0:
            raise OverflowError("its body is too large")
        chunk = stream.read(length)
        if len(chunk) < length or (length and stream.read(2) != b"\r\n"):
            raise ValueError("the chunks of its body cannot be read")
        yield chunk, extension


def join(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Their content; of a million tiny ones no list is made."""
    body = bytearray()
    for chunk, _ in chunks:
        body += chunk
    return bytes(body)


def unwrap(raw: RawRequest, coding: Sequence[str]) -> RawRequest:
    """The request as if its body had come in one piece, with its trailers as headers."""
    if not raw.headers.get("x-amz-content-sha256", "").startswith("STREAMING-") and "aws-chunked" not in coding:
        return raw
    stream = BytesIO(raw.body)
    body = join(chunks(stream))
    if raw.headers.get("x-amz-decoded-content-length", str(len(body))) != str(len(body)):
        raise ValueError("its body is not as long as it says")
    headers = {name: value for name, value in raw.headers.items() if name not in _WRAPPING}
    if rest := [part for part in coding if part != "aws-chunked"]:
        headers["content-encoding"] = ",".join(rest)
    announced = {name.strip().lower() for name in raw.headers.get("x-amz-trailer", "").split(",")}
    for line in stream.read().split(b"\r\n"):
        name, _, value = line.decode("utf-8").partition(":")
        if name.strip().lower() in announced:
            headers[name.strip().lower()] = value.strip()
    return replace(raw, headers=headers, body=body)


@dataclass(frozen=True, slots=True)
class Payload:
    """What signatures of version 4 cover of a body, by SHA-256: all of it, or each chunk with what its head says.

    `trailer` is what follows the last chunk. Where the signature leaves the body out, nothing is here.
    """

    body: str = ""
    chunks: tuple[tuple[str, bytes], ...] = ()
    trailer: bytes = b""


def payload(raw: RawRequest) -> Payload:
    """The digests of a request's body; of chunks that cannot be read none."""
    announced = raw.headers.get("x-amz-content-sha256")
    if announced in NOT_COVERED:
        return Payload()
    if announced not in SIGNED_CHUNKS:
        return Payload(sha256(raw.body).hexdigest())
    stream = BytesIO(raw.body)
    try:
        each = tuple((sha256(chunk).hexdigest(), head) for chunk, head in chunks(stream))
    except (ValueError, OverflowError):
        return Payload()
    return Payload("", each, stream.read())
