"""One request and one answer, as they travel: the same shape in process and over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import SplitResult, urlsplit

LARGEST_BODY = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request exactly as it was sent.

    `url` is absolute and percent-encoded as on the wire, with its query string; `headers` have lower-case names
    (several of one name joined by a comma); `body` is what the signature covers, still aws-chunked if it was sent so.
    """

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def from_botocore(cls, request: Any) -> RawRequest:
        """What botocore is about to send: an `AWSPreparedRequest`."""
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        body = request.body
        if body is not None and hasattr(body, "read"):
            body = body.read()
        content = body.encode("utf-8") if isinstance(body, str) else bytes(body or b"")
        return cls(request.method, request.url, headers, content)

    @property
    def parts(self) -> SplitResult:
        return urlsplit(self.url)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An HTTP answer: a status, headers as they are sent, and the whole body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Body(BytesIO):
    """An answer's body as botocore reads it from a connection."""

    def stream(self, amt: int = 65_536, **_: Any) -> Iterator[bytes]:
        while piece := self.read(amt):
            yield piece
