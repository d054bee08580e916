"""What a request says about its signer, and the four ways a signature can be refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from simlib.cloud.signing.signature_v4 import SINGLE_ENCODING
from simlib.cloud.transport.wire import RawRequest


class SignatureError(Exception):
    """A request that is not what the owner of its access key signed; `str()` is the text a query service answers.

    `situation` is what the error texts of `refusals` are looked up by, `details` what S3 adds to its answer.
    """

    situation: ClassVar[str]

    def __init__(
        self,
        message: str,
        *,
        kind: str = "",
        canonical_request: str = "",
        string_to_sign: str = "",
        details: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.canonical_request = canonical_request
        self.string_to_sign = string_to_sign
        self.details = dict(details or {})


class Incomplete(SignatureError):
    """The parts of a signature are missing, malformed, or of an algorithm that is not supported; `kind` says which."""

    situation = "incomplete"


class Mismatch(SignatureError):
    """The signature is well-formed but not the one this request and this secret give."""

    situation = "wrong-secret"


class Skewed(SignatureError):
    """Signed too long ago, or in the future, by the clock of the one who verifies."""

    situation = "skewed"


class Expired(SignatureError):
    """A presigned URL whose time is over or has not come."""

    situation = "expired-url"


@dataclass(frozen=True, slots=True)
class Signed:
    """What a request says about who signed it. Nothing in it is proved before `verify` returns.

    `scheme` is "v4", "v4-query", "s3", "s3-query" or "v2", named like botocore's signers; `service` and `region` come
    from the credential scope and are None where the scheme has none (`service` is "s3" for S3's version 2).
    `expires_in`, in seconds, is None unless the request was presigned.
    """

    access_key_id: str
    session_token: str | None
    scheme: str
    service: str | None
    region: str | None
    signed_at: datetime | None
    expires_in: int | None = None
    expires_at: datetime | None = None
    signature: str = field(default="", repr=False)
    signed_headers: tuple[str, ...] = field(default=(), repr=False)
    scope: str = field(default="", repr=False)
    timestamp: str = field(default="", repr=False)

    @property
    def honours_expires(self) -> bool:
        """Whether the address itself says how long it lives: S3's presigned URLs do."""
        return self.expires_at is not None and (self.scheme == "s3-query" or self.service in SINGLE_ENCODING)


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    path: str
    query: str


def address_of(raw: RawRequest) -> Address:
    """The address as sent; unlike urlsplit it repairs nothing, and no text makes it raise."""
    scheme, _, rest = raw.url.partition("://")
    rest = rest.partition("#")[0]
    before_query, _, query = rest.partition("?")
    netloc, slash, path = before_query.partition("/")
    default_port = ":443" if scheme.lower() == "https" else ":80"
    host = netloc.rpartition("@")[2].lower().removesuffix(default_port)
    return Address(host, slash + path, query)
