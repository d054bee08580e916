"""Hand a request that has been authorised to the part of moto that serves it.

moto's own dispatcher looks at every route of every service for each call, and rebuilds S3's; the routes do not change,
so here they are looked up once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import moto.backends
from moto.backend_index import backend_url_patterns
from moto.core.base_backend import BackendDict
from moto.core.request import Request
from werkzeug.exceptions import HTTPException

from simlib.cloud.transport.wire import RawAnswer, RawRequest

ACCOUNT_HEADER = "x-moto-account-id"

_Handler = Callable[[Request, str, Any], Any]
_Route = tuple[re.Pattern[str], _Handler]


class NotStored(Exception):
    """moto cannot do what was asked; the message says what."""


def environ(raw: RawRequest, url: str) -> Mapping[str, Any]:
    """A request as WSGI describes it, at AWS's own address."""
    headers = {**raw.headers, "host": urlsplit(url).netloc}
    headers.pop(ACCOUNT_HEADER, None)
    described: Mapping[str, Any] = Request.from_primitives(raw.method, url, headers, raw.body).environ
    return described


def carry_out(described: Mapping[str, Any], url: str, body: bytes, account: str) -> RawAnswer:
    """moto's answer to a request, acting in `account`; raises `NotStored` where moto cannot."""
    request = Request(
        {
            **{name: value for name, value in described.items() if not name.startswith("werkzeug.request")},
            "wsgi.input": BytesIO(body),
            "HTTP_X_MOTO_ACCOUNT_ID": account,
        }
    )
    address = urlsplit(url)
    host = f"{address.scheme}://{address.netloc}"
    for service in _services(host):
        for pattern, handler in _routes(service):
            if pattern.match(host + (address.path or "/")):
                return _answer(*_handled(handler, request))
    raise NotStored("moto does not serve this address")


def _handled(handler: _Handler, request: Request) -> tuple[Any, Any, Any]:
    try:
        status, headers, body = handler(request, request.raw_url, request.headers)
    except HTTPException as error:
        return error.code, dict(error.get_headers()), error.get_body()
    except Exception as error:
        raise NotStored(f"{type(error).__name__}: {error}") from error
    return status, headers, body


def _answer(status: Any, headers: Mapping[str, Any], body: Any) -> RawAnswer:
    content = body.encode("utf-8") if isinstance(body, str) else bytes(body or b"")
    return RawAnswer(int(status), {str(n): str(v) for n, v in headers.items() if n.lower() != "status"}, content)


@cache
def _services(host: str) -> tuple[str, ...]:
    return tuple(service for service, pattern in backend_url_patterns if pattern.match(f"{host}/"))


@cache
def _routes(service: Any) -> tuple[_Route, ...]:
    try:
        backends: Any = moto.backends.get_backend(service)
    except ImportError as missing:
        raise NotStored(f"moto serves {service} only with more packages installed ({missing.name})") from missing
    if isinstance(backends, BackendDict):
        regions = backends["123456789012"]  # any account will do: only the addresses are read
        backend = regions["us-east-1"] if "us-east-1" in regions else regions["aws"]
    else:
        backend = backends["global"]
    return tuple((re.compile(url), handler) for url, handler in backend.urls.items())
