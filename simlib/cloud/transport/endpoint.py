"""The loopback endpoint: the lab's AWS for other processes on this machine.

A terminal's AWS CLI, another SDK, `!aws` in a cell: whoever has `Endpoint.environment` talks HTTP to this. Each request
is turned, exactly as it was sent, into a `RawRequest` and handed to the same gate that in-process clients meet. The
standard library's HTTP parser is enough for that, and is loaded already (measured: 1 ms against 77 for werkzeug).
"""

from __future__ import annotations

import logging
import os
import re
import shlex
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.errors import MultipartInvariantViolationDefect, StartBoundaryNotFoundDefect
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from simlib.cloud import ambient
from simlib.cloud.browser import in_browser, not_in_browser
from simlib.cloud.transport.wire import RawAnswer, RawRequest

HOST = "127.0.0.1"
INSTANCES = "/_instances/"  # no bucket can have this name
LARGEST_BODY = 256 * 1024 * 1024
IDLE_SECONDS = 120

_METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]+")
_TARGET = re.compile(r"[\x21-\x7e]+")
_BREAKS = re.compile(r"[\r\n\0]+")
_HOST_HEADER = re.compile(r"[A-Za-z0-9._\-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")
_OF_THE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "te"})

logger = logging.getLogger(__name__)

Answer = Callable[[RawRequest], RawAnswer]
InstanceAnswer = Callable[[str, str, str, Mapping[str, str]], RawAnswer]


class Endpoint:
    """An HTTP server on this machine's loopback address, listening from the moment it is made until `stop()`.

    `answer` is the gate. `metadata(instance_id, method, path, headers)` answers for an instance's metadata service.
    `folder` holds the empty files `config` and `credentials` that other processes are told to use instead of the
    learner's own (a temporary one, if none is given). `now` is the time that answers are dated with: real time.
    """

    def __init__(
        self,
        answer: Answer,
        metadata: InstanceAnswer | None = None,
        *,
        folder: Path | None = None,
        now: Callable[[], datetime] | None = None,
        largest_body: int = LARGEST_BODY,
    ) -> None:
        if in_browser():
            raise not_in_browser("A browser opens no sockets.")
        self.answer, self.metadata, self.largest_body = answer, metadata, largest_body
        self.now = now or (lambda: datetime.now(UTC))
        self._own_folder = None if folder else tempfile.TemporaryDirectory(prefix="iam-lab-endpoint-")
        self._folder = folder or Path(self._own_folder.name)  # type: ignore[union-attr]
        for name in ("config", "credentials"):
            (self._folder / name).touch()
        self._programs = ambient.write_aws(self._folder)
        self._connections: set[socket.socket] = set()
        self._open = True
        self._listener = socket.create_server((HOST, 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, name="lab-endpoint", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def metadata_url(self, instance_id: str) -> str:
        """What AWS_EC2_METADATA_SERVICE_ENDPOINT must be for a process that plays this instance."""
        return f"{self.url}{INSTANCES}{instance_id}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables to export, so that another process finds the lab and nothing of the learner's own AWS."""
        return ambient.environment(self._folder, self.url)

    def exports(self, more: Mapping[str, str] | None = None) -> list[str]:
        """Lines that set these variables, and `more`, in this platform's shell: sh, or PowerShell on Windows.

        They put the lab's own `aws` first, because an older one, or version 1 with SQS and some other services,
        would go to the real AWS in spite of AWS_ENDPOINT_URL.
        """
        variables = {**self.environment, **(more or {})}
        if os.name == "nt":
            lines = [f"$env:{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in variables.items()]
            return [*lines, f"$env:PATH = '{self._programs};' + $env:PATH"]
        lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
        return [*lines, f'export PATH={shlex.quote(str(self._programs))}:"$PATH"']

    def stop(self) -> None:
        """Stop listening and hang up; doing so twice changes nothing."""
        if not self._open:
            return
        self._open = False
        with suppress(OSError):  # closing a socket does not wake who waits on it; a visitor does, on every platform
            socket.create_connection((HOST, self.port), timeout=1).close()
        self._thread.join(timeout=5)
        self._listener.close()
        for connection in list(self._connections):
            _hang_up(connection)
        if self._own_folder:
            self._own_folder.cleanup()

    def _listen(self) -> None:
        while self._open:
            try:
                connection, address = self._listener.accept()
            except OSError:
                if not self._open:
                    return
                continue
            if not self._open:
                connection.close()
                return
            self._connections.add(connection)
            threading.Thread(target=self._converse, args=(connection, address), daemon=True).start()

    def _converse(self, connection: socket.socket, address: Any) -> None:
        try:
            with suppress(OSError):  # the other side hung up, or said nothing for too long
                _Conversation(connection, address, self)  # type: ignore[arg-type]
        finally:
            self._connections.discard(connection)
            _hang_up(connection)

    def reply(self, raw: RawRequest) -> RawAnswer:
        """The lab's answer to a request; an error of the lab's own is logged and never shown to a client."""
        try:
            parts = raw.parts
            if self.metadata and parts.path.startswith(INSTANCES):
                instance_id, _, path = parts.path.removeprefix(INSTANCES).partition("/")
                return self.metadata(instance_id, raw.method, path, raw.headers)
            return self.answer(raw)
        except Exception:
            logger.exception("The lab could not answer %s %s", raw.method, raw.url)
            return _plain(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalFailure: the lab could not answer this request.")

    def __repr__(self) -> str:
        if not self._open:
            return "<Endpoint, stopped>"
        return (
            f"The lab answers at {self.url}, for this machine only. In a terminal, say:\n\n"
            + "".join(f"    {line}\n" for line in self.exports())
            + "\nand the access key of an identity of this world. Other processes keep real time: sessions end on the "
            "lab's clock,\nbut a request must be signed at the present moment."
        )


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


class _Conversation(BaseHTTPRequestHandler):
    """One connection: requests are read one after another as they were sent, and answered."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    server: Any  # the Endpoint
    request: socket.socket

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or len(self.raw_requestline) > 65536:
            self.close_connection = True
            if self.raw_requestline:
                self.requestline, self.request_version, self.command = "", self.protocol_version, ""
                self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            return
        try:
            if self.parse_request():
                raw = self._read()
                self._send(self.server.reply(raw), raw.method)
        except _Bad as bad:
            self.send_error(bad.status, str(bad))

    def _read(self) -> RawRequest:
        if self.request_version == "HTTP/0.9" or _unreadable(self.headers.defects):
            raise _Bad("This is not an HTTP/1.1 request.")
        if self.command not in _METHODS:
            raise _Bad(f"The lab does not know the method {self.command!r}.", HTTPStatus.METHOD_NOT_ALLOWED)
        # As it was sent: `self.path` has had leading slashes taken away, which a signature covers.
        url = self._url(self.requestline.split()[1])
        headers = {name.lower(): ",".join(map(_text, self.headers.get_all(name, ()))) for name in self.headers}
        body = self._body(headers)
        return RawRequest(self.command, url, headers, body)

    def _url(self, target: str) -> str:
        named = self.headers.get_all("Host", [])
        if not _TARGET.fullmatch(target) or len(named) > 1:
            raise _Bad("The request's address cannot be read.")
        if target.startswith("/"):
            host = named[0].strip() if named else f"{HOST}:{self.server.port}"
            url = f"http://{host}{target}"
        elif target.startswith(("http://", "https://")):  # to a proxy the whole address is sent
            url, host = target, urlsplit(target).netloc
        else:
            raise _Bad("The request's address cannot be read.")
        if not _HOST_HEADER.fullmatch(host):
            raise _Bad("The request does not say which host it is for.")
        return url

    # -- the body ----------------------------------------------------------------------------------------------------

    def _body(self, headers: dict[str, str]) -> bytes:
        coding = headers.get("transfer-encoding", "").strip().lower()
        if coding:
            if coding != "chunked" or "content-length" in headers:
                raise _Bad("The request's body is sent in a way that cannot be read.")
            body = self._chunks()
            del headers["transfer-encoding"]
            headers["content-length"] = str(len(body))
            return body
        return self._exactly(self._announced(headers))

    def _announced(self, headers: Mapping[str, str]) -> int:
        lengths = {part.strip() for part in headers.get("content-length", "0").split(",")}
        length = lengths.pop()
        if lengths or not (length.isascii() and length.isdecimal()):
            raise _Bad("The length of the request's body cannot be read.")
        return self._bounded(int(length) if len(length) < 20 else sys.maxsize)

    def _bounded(self, length: int) -> int:
        if length > self.server.largest_body:
            raise _Bad(
                f"EntityTooLarge: the lab takes up to {self.server.largest_body} bytes at once.",
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            )
        return length

    def _exactly(self, length: int) -> bytes:
        body = self.rfile.read(length) if length else b""
        if len(body) < length:
            raise _Bad("The request's body ended early.")
        return body

    def _chunks(self) -> bytes:
        body = bytearray()
        while True:
            size = self.rfile.readline(1026).partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", size):
                raise _Bad("The request's chunks cannot be read.")
            length = int(size, 16)
            if not length:
                break
            self._bounded(len(body) + length)
            body += self._exactly(length)
            if self.rfile.readline(3) != b"\r\n":
                raise _Bad("The request's chunks cannot be read.")
        for _ in range(100):  # trailers: read and left aside
            if self.rfile.readline(65537) in (b"\r\n", b"\n", b""):
                return bytes(body)
        raise _Bad("The request's trailers have no end.")

    def handle_expect_100(self) -> bool:
        """The AWS CLI asks before it sends an object: a body that is too large need not come at all."""
        try:
            length = self.headers.get("Content-Length", "0").strip()
            self._announced({"content-length": length})
        except _Bad as bad:
            self.send_error(bad.status, str(bad))
            return False
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    # -- answers -----------------------------------------------------------------------------------------------------

    def _send(self, answer: RawAnswer, method: str) -> None:
        bodiless = method == "HEAD" or answer.status in (204, 304) or answer.status < 200
        sent = {name: value for name, value in answer.headers.items() if name.lower() not in _OF_THE_CONNECTION}
        given = {name.lower(): value for name, value in answer.headers.items()}
        # The answer to HEAD announces the length that GET would have.
        length = given.get("content-length", len(answer.body)) if method == "HEAD" else len(answer.body)
        if answer.status not in (204, 304) and answer.status >= 200:
            sent["Content-Length"] = str(length)
        sent["Date"] = format_datetime(self.server.now().astimezone(UTC), usegmt=True)
        sent["Connection"] = "close" if self.close_connection else "keep-alive"
        lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}"]
        lines += [f"{name}: {_BREAKS.sub(' ', str(value))}" for name, value in sent.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace")
        self.wfile.write(head if bodiless else head + answer.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What cannot be read as a request gets a sentence, and the connection ends: nobody knows what would follow."""
        self.close_connection = True
        status = HTTPStatus(code) if code < 500 else HTTPStatus.BAD_REQUEST
        self._send(_plain(status, message or status.phrase), getattr(self, "command", "") or "")
        with suppress(OSError):  # hear out what is still coming, or the answer would be lost with the connection
            self.request.shutdown(socket.SHUT_WR)
            self.request.settimeout(1)
            for _ in range(256):
                if not self.request.recv(65536):
                    break

    def log_message(self, format: str, *arguments: Any) -> None:
        """Calls are in the trail; nothing is printed into the learner's notebook."""


_FORM_DEFECTS = (StartBoundaryNotFoundDefect, MultipartInvariantViolationDefect)


def _unreadable(defects: Sequence[Any]) -> bool:
    """Whether the headers could not be read; that a form's parts were not looked for is no fault of theirs."""
    return any(not isinstance(defect, _FORM_DEFECTS) for defect in defects)


class _Bad(Exception):
    """A request that cannot be read."""

    def __init__(self, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.status = status


def _plain(status: HTTPStatus, text: str) -> RawAnswer:
    return RawAnswer(int(status), {"Content-Type": "text/plain; charset=utf-8"}, f"{text}\n".encode())


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _text(value: str) -> str:
    """A header's value: http.client reads bytes as Latin-1, while what was signed is UTF-8."""
    text = value.encode("latin-1", "replace").decode("utf-8", "replace")
    return re.sub(r"\r?\n[ \t]+", " ", text).strip()


def sender_time(raw: RawRequest, lab: datetime, real: datetime) -> datetime:
    """The time by which a request over HTTP is judged, of the lab's and the real one.

    A presigned URL lives by the lab's clock, where AWS's time is: it may have been made long before it is opened. A
    signed header is as old as its request. Other processes sign it by real time, while code in this process that
    calls over HTTP signs by the lab's; so it is judged by whichever is nearer.
    """
    query = raw.parts.query.lower()
    if "signature=" in query:
        return lab
    try:
        if stamp := raw.headers.get("x-amz-date", ""):
            signed = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        else:
            signed = parsedate_to_datetime(raw.headers.get("date", "")).astimezone(UTC)
    except (ValueError, OverflowError):
        return real
    return min(real, lab, key=lambda time: abs(time - signed))
