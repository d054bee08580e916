"""Hand a request that has been authorised to the part of moto that serves it.

moto's own dispatcher looks at every route of every service for each call, and rebuilds S3's; the routes do not change,
so here they are looked up once.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlsplit

import moto.backends
from moto.backend_index import backend_url_patterns
from moto.core.base_backend import BackendDict
from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    Request,
    environ_key_for_header,
    should_preserve_original_header_name,
)
from werkzeug.exceptions import HTTPException

from simlib.cloud.storage.tables import ec2_read_late
from simlib.cloud.transport.wire import RawAnswer, RawRequest

ACCOUNT_HEADER = "x-moto-account-id"
_NOT_TOLD = (ACCOUNT_HEADER, "host", "transfer-encoding", "content-length")  # moto hears of these by other means

_Handler = Callable[[Request, str, Any], Any]
_Route = tuple[re.Pattern[str], _Handler]


class NotStored(Exception):
    """moto cannot do what was asked; the message is for the trail. `known`: it does not pretend to."""

    def __init__(self, message: str, *, known: bool = True) -> None:
        super().__init__(message)
        self.known = known


def as_request(raw: RawRequest, url: str) -> Request:
    """A request as moto reads it, at AWS's own address.

    What moto's `Request.from_primitives` makes, without the builder it uses, which takes as long as a decision.
    """
    parts = urlsplit(url)
    sent = _as_latin(parts.path)
    host, _, port = parts.netloc.partition(":")
    described: dict[str, Any] = {
        "REQUEST_METHOD": raw.method.upper(),
        "SCRIPT_NAME": "",
        "PATH_INFO": _as_latin(unquote(parts.path)),
        "QUERY_STRING": _as_latin(parts.query),
        "REQUEST_URI": sent,
        "RAW_URI": sent,
        "SERVER_NAME": host,
        "SERVER_PORT": port or ("443" if parts.scheme == "https" else "80"),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": parts.netloc,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": BytesIO(raw.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "CONTENT_LENGTH": str(len(raw.body)),
    }
    preserved = {}
    for name, value in raw.headers.items():
        if name in _NOT_TOLD:
            continue
        key = environ_key_for_header(name)
        if should_preserve_original_header_name(name):
            preserved[key] = name
        described[key] = value
    described[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = preserved
    request = Request(described)
    request.get_data()  # kept: the form is read from it, and moto wants it whole
    return request


def _as_latin(text: str) -> str:
    """WSGI's way to hold UTF-8: each byte as a character."""
    return text.encode("utf-8").decode("latin-1")


def carry_out(request: Request, url: str, account: str) -> RawAnswer:
    """moto's answer to a request, acting in `account`; raises `NotStored` where moto cannot."""
    request.environ["HTTP_X_MOTO_ACCOUNT_ID"] = account
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
        raise NotStored(f"{type(error).__name__}: {error}", known=isinstance(error, NotImplementedError)) from error
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
        with ec2_read_late():
            backends: Any = moto.backends.get_backend(service)
    except ImportError as missing:
        raise NotStored(f"moto serves {service} only with more packages installed ({missing.name})") from missing
    if isinstance(backends, BackendDict):
        regions = backends["123456789012"]  # any account will do: only the addresses are read
        backend = regions["us-east-1"] if "us-east-1" in regions else regions["aws"]
    else:
        backend = backends["global"]
    return tuple((re.compile(url), handler) for url, handler in backend.urls.items())
