"""HTTP on this machine's loopback address, for one function from a request to an answer.

The standard library's server, within limits: so many connections at once, so many bytes of a body, so many seconds for
a request. WSGI servers are no help here: what a signature covers is the address as it was sent, and every header.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from email.errors import MultipartInvariantViolationDefect, StartBoundaryNotFoundDefect
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from io import BufferedReader, RawIOBase
from pathlib import Path
from socketserver import ThreadingTCPServer
from time import monotonic
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

from simlib.cloud.transport.chunked import chunks, join
from simlib.cloud.transport.wire import LARGEST_BODY, RawAnswer, RawRequest

HOST = "127.0.0.1"
MOST_CONNECTIONS = 128
SECONDS = 60  # from one answer to the end of the next request, and for taking an answer

_TARGET = re.compile(r"[\x21-\x7e]+")
_HOST_HEADER = re.compile(r"[A-Za-z0-9._\-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")
_BREAKS = re.compile(r"[\r\n\0]+")
_OF_THE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "te"})
_FORM_DEFECTS = (StartBoundaryNotFoundDefect, MultipartInvariantViolationDefect)  # nobody looked for a form's parts
_FULL = b"HTTP/1.1 503 Slow Down\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"  # SDKs try again

logger = logging.getLogger(__name__)


_listeners: WeakSet[Listener] = WeakSet()


def _in_a_forked_child() -> None:
    """A child lets the port and the callers go: both are its parent's, and `stop()` in the child must not end them."""
    for listener in _listeners:
        listener._is_open = False
        listener.socket.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_a_forked_child)


class Listener(ThreadingTCPServer):
    """Listens from the moment it is made until `stop()`, on a port of its own.

    `reply(raw, peer_port)` answers; an error of its own is logged and never shown. `now` dates the answers.
    """

    daemon_threads = True
    request_queue_size = MOST_CONNECTIONS

    def __init__(
        self,
        reply: Callable[[RawRequest, int], RawAnswer],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        largest_body: int = LARGEST_BODY,
    ) -> None:
        self.reply, self.now, self.largest_body = reply, now, largest_body
        self._connections: set[Any] = set()
        self._is_open = True
        super().__init__((HOST, 0), _Conversation)
        self.port: int = self.server_address[1]
        _listeners.add(self)
        self._thread = threading.Thread(target=self._listen, name="lab-endpoint", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and hang up; doing so twice changes nothing."""
        if not self._is_open:
            return
        self._is_open = False
        with suppress(OSError):  # closing a socket does not wake who waits on it; a visitor does, on every platform
            socket.create_connection((HOST, self.port), timeout=1).close()
        self._thread.join(timeout=5)
        self.server_close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def is_same_user(self, peer_port: int) -> bool:
        """Whether the process at the other end is this user's; False where the system does not tell, as Linux does."""
        established = [*(f"0100007F:{port:04X}" for port in (peer_port, self.port)), "01"]
        try:
            rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
        except OSError:
            return False
        return any(row[1:4] == established and row[7] == str(os.getuid()) for row in rows)

    def _listen(self) -> None:
        while self._is_open:
            self.handle_request()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        if self._is_open and len(self._connections) >= MOST_CONNECTIONS:
            with suppress(OSError):
                request.sendall(_FULL)
            return False
        return self._is_open

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing is printed into the learner's notebook, least of all that the other side hung up or was too slow."""
        if not isinstance(sys.exc_info()[1], OSError):
            logger.exception("The lab could not answer over HTTP")


class _Punctual(RawIOBase):
    """What arrives on a connection up to a moment: who trickles is not waited for."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self.until = connection, 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(max(self.until - monotonic(), 0.001))
        return self._connection.recv_into(buffer)


class _Conversation(BaseHTTPRequestHandler):
    """One connection: requests are read one after another as they were sent, and answered."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def setup(self) -> None:
        super().setup()
        self._arriving = _Punctual(self.connection)
        self.rfile = BufferedReader(self._arriving)

    def handle_one_request(self) -> None:
        self._arriving.until = monotonic() + SECONDS
        try:
            super().handle_one_request()
        except _Bad as bad:
            self.send_error(bad.status, str(bad))

    def do_GET(self) -> None:
        if self.request_version == "HTTP/0.9" or any(not isinstance(d, _FORM_DEFECTS) for d in self.headers.defects):
            raise _Bad("This is not an HTTP/1.1 request.")
        # As it was sent: `self.path` has had leading slashes taken away, which a signature covers.
        url = self._url(self.requestline.split()[1])
        headers = {name.lower(): ",".join(map(_text, self.headers.get_all(name, ()))) for name in self.headers}
        raw = RawRequest(self.command, url, headers, self._body(headers))
        try:
            answer = self.server.reply(raw, self.client_address[1])
        except Exception:
            logger.exception("The lab could not answer %s %s", raw.method, raw.url)
            answer = plain(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalFailure: the lab could not answer this request.")
        self._send(answer)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = do_OPTIONS = do_GET

    def _url(self, target: str) -> str:
        hosts = self.headers.get_all("Host", [f"{HOST}:{self.server.port}"])
        url = f"http://{hosts[0].strip()}{target}" if target.startswith("/") else target  # a proxy gets all of it
        if len(hosts) > 1 or not _TARGET.fullmatch(target) or not url.startswith(("http://", "https://")):
            raise _Bad("The request's address cannot be read.")
        if not _HOST_HEADER.fullmatch(urlsplit(url).netloc):
            raise _Bad("The request does not say which host it is for.")
        return url

    def _body(self, headers: dict[str, str]) -> bytes:
        coding = headers.pop("transfer-encoding", None)
        if coding is None:
            length = self._announced(headers.get("content-length", "0"))
            body = self.rfile.read(length)
            if len(body) < length:
                raise _Bad("The request's body ended early.")
            return body
        if coding.lower() != "chunked" or "content-length" in headers:
            raise _Bad("The request's body is sent in a way that cannot be read.")
        try:
            body = join(chunks(self.rfile, self.server.largest_body))
        except OverflowError as error:
            raise self._too_large() from error
        except ValueError as error:
            raise _Bad(f"The request cannot be read: {error}.") from error
        if not any(self.rfile.readline(65537) in (b"\r\n", b"\n", b"") for _ in range(100)):  # trailers are left aside
            raise _Bad("The request's trailers have no end.")
        headers["content-length"] = str(len(body))
        return body

    def _announced(self, text: str) -> int:
        lengths = {part.strip() for part in text.split(",")}
        if len(lengths) > 1 or not re.fullmatch(r"\d{1,100}", min(lengths), re.ASCII):
            raise _Bad("The length of the request's body cannot be read.")
        if int(min(lengths)) > self.server.largest_body:
            raise self._too_large()
        return int(min(lengths))

    def _too_large(self) -> _Bad:
        text = f"EntityTooLarge: the lab takes up to {self.server.largest_body} bytes at once."
        return _Bad(text, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def handle_expect_100(self) -> bool:
        """The AWS CLI asks before it sends an object: a body that is too large need not come at all."""
        self._announced(self.headers.get("Content-Length", "0"))
        return super().handle_expect_100()

    def _send(self, answer: RawAnswer) -> None:
        bodiless = self.command == "HEAD" or answer.status in (204, 304)
        self.send_response_only(answer.status)
        length = str(len(answer.body))
        for name, value in answer.headers.items():
            if name.lower() == "content-length" and bodiless:
                length = value  # to HEAD that which GET would have
            elif name.lower() not in _OF_THE_CONNECTION:
                self.send_header(_wire(name), _wire(value))
        if answer.status not in (204, 304):
            self.send_header("Content-Length", length)
        self.send_header("Date", format_datetime(self.server.now().astimezone(UTC), usegmt=True))
        self.send_header("Connection", "close" if self.close_connection else "keep-alive")
        self.connection.settimeout(SECONDS)
        self.end_headers()
        if not bodiless:
            self.wfile.write(answer.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What cannot be read as a request gets a sentence, and the connection ends: nobody knows what would follow."""
        self.close_connection = True
        self.command, self.request_version = getattr(self, "command", None) or "", self.protocol_version
        status = HTTPStatus(code) if code < 500 else HTTPStatus.BAD_REQUEST
        self._send(plain(status, message or status.phrase))
        with suppress(OSError):  # hear out what is still coming, or the answer would be lost with the connection
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(1)
            end = monotonic() + 2
            while monotonic() < end and self.connection.recv(65536):
                pass

    def log_message(self, format: str, *arguments: Any) -> None:
        """Calls are in the trail; nothing is printed into the learner's notebook."""


class _Bad(Exception):
    """A request that cannot be read."""

    def __init__(self, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.status = status


def plain(status: HTTPStatus, text: str) -> RawAnswer:
    """An answer that is one line of text."""
    return RawAnswer(int(status), {"Content-Type": "text/plain; charset=utf-8"}, f"{text}\n".encode())


def _wire(text: Any) -> str:
    """A header's name or value in UTF-8, as http.server writes it, kept to its line."""
    return _BREAKS.sub(" ", str(text)).encode("utf-8", "replace").decode("latin-1")


def _text(value: str) -> str:
    """A header's value: http.client reads bytes as Latin-1, while what was signed is UTF-8."""
    text = value.encode("latin-1", "replace").decode("utf-8", "replace")
    return re.sub(r"\r?\n[ \t]+", " ", text).strip()
