"""One request and one answer, as they travel: the same shape in process and over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit


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

    @property
    def parts(self) -> SplitResult:
        return urlsplit(self.url)


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An HTTP answer: a status, headers as they are sent, and the whole body."""

    status: int
    headers: dict[str, str]
    body: bytes
