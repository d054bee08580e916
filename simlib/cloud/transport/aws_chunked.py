"""Bodies of S3 that came in chunks: the content, and the checksums that followed it.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from simlib.cloud.transport.wire import RawRequest

_WRAPPING = ("content-encoding", "x-amz-trailer", "x-amz-decoded-content-length", "content-length")


def chunks(body: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Each chunk with what its head says besides its size, the last one empty, and what follows them.

    Raises `ValueError` where they cannot be read.
    """
    parts: list[tuple[bytes, bytes]] = []
    position = 0
    while not parts or parts[-1][0]:
        end = body.index(b"\r\n", position)
        size, _, extension = body[position:end].partition(b";")
        start = end + 2
        position = start + (int(size, 16) if re.fullmatch(rb"[0-9A-Fa-f]{1,15}", size) else len(body))
        parts.append((body[start:position], extension))
        if position > start:
            if body[position : position + 2] != b"\r\n":
                raise ValueError("the chunks of its body cannot be read")
            position += 2
    return parts, body[position:]


def unwrapped(raw: RawRequest, coding: Sequence[str]) -> RawRequest:
    """The request as if its body had come in one piece, with its trailers as headers."""
    if not raw.headers.get("x-amz-content-sha256", "").startswith("STREAMING-") and "aws-chunked" not in coding:
        return raw
    parts, trailers = chunks(raw.body)
    body = b"".join(chunk for chunk, _ in parts)
    if raw.headers.get("x-amz-decoded-content-length", str(len(body))) != str(len(body)):
        raise ValueError("its body is not as long as it says")
    headers = {name: value for name, value in raw.headers.items() if name not in _WRAPPING}
    if rest := [part for part in coding if part != "aws-chunked"]:
        headers["content-encoding"] = ",".join(rest)
    announced = {name.strip().lower() for name in raw.headers.get("x-amz-trailer", "").split(",")}
    for line in trailers.split(b"\r\n"):
        name, _, value = line.decode("utf-8").partition(":")
        if name.strip().lower() in announced:
            headers[name.strip().lower()] = value.strip()
    return replace(raw, headers=headers, body=body)
