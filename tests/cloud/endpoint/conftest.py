"""A loopback endpoint before a gate that only notes, and bytes to say to it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from simlib.cloud import ambient
from simlib.cloud.transport.endpoint import Endpoint
from simlib.cloud.transport.wire import RawAnswer, RawRequest

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Gate:
    """Notes what arrives and answers what a test wants."""

    def __init__(self) -> None:
        self.seen: list[RawRequest] = []
        self.answer: Callable[[RawRequest], RawAnswer] = lambda raw: RawAnswer(200, {"x-lab": "yes"}, b"hello")

    def __call__(self, raw: RawRequest) -> RawAnswer:
        self.seen.append(raw)
        return self.answer(raw)


def told_metadata(*asked: Any) -> RawAnswer:
    """A metadata service that answers what it was asked."""
    return RawAnswer(200, {}, repr(asked[:3]).encode())


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def opened(gate: Gate, tmp_path: Path) -> Iterator[Callable[..., Endpoint]]:
    """Opens endpoints, in a folder as a world has it, and closes them in the end."""
    ambient.write_aws(tmp_path)
    with ExitStack() as stack:

        def opened(metadata: Any = told_metadata, **how: Any) -> Endpoint:
            endpoint = Endpoint(gate, metadata, tmp_path, now=lambda: NOW, **how)
            stack.callback(endpoint.stop)
            return endpoint

        yield opened


@pytest.fixture
def endpoint(opened: Callable[..., Endpoint]) -> Endpoint:
    return opened()


def say(endpoint: Endpoint, text: bytes) -> bytes:
    """Send bytes, close our side, and return all that comes back."""
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=30) as connection:
        with suppress(OSError):  # the endpoint has heard enough
            connection.sendall(text)
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        with suppress(ConnectionError):
            while piece := connection.recv(65536):
                answer += piece
        return answer


def request(first: str, *headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join([first, *headers, "", ""]).encode() + body
