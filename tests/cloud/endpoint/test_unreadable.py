"""What cannot be read gets a sentence, and never breaks the loopback endpoint."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

import pytest

from simlib.cloud.transport import listener
from simlib.cloud.transport.endpoint import Endpoint

from .conftest import Gate, request, say


@pytest.mark.parametrize(
    "text",
    [
        b"garbage\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS greeting
        b"GET\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: h\r\n\r\n",
        b"GET / HTTP/x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET relative HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: user@evil\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon here\r\n\r\n",
        b"GET http://evil@h/ HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + b"\r\n",
        b"CONNECT sts.amazonaws.com:443 HTTP/1.1\r\nHost: sts.amazonaws.com:443\r\n\r\n",
        b"BREW /coffee HTTP/1.1\r\nHost: h\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: ten\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nshort",
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
    ],
)
def test_what_cannot_be_read_gets_a_sentence_and_the_line_is_cut(endpoint: Endpoint, gate: Gate, text: bytes) -> None:
    answer = say(endpoint, text)
    status = int(answer.split(b" ", 2)[1])
    assert 400 <= status < 500
    assert b"Connection: close" in answer
    assert b"Traceback" not in answer
    assert gate.seen == []
    assert say(endpoint, request("GET / HTTP/1.1", "Host: h")).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 1001",),
        ("Content-Length: 99999999999999999999999999",),
        ("Content-Length: 1001", "Expect: 100-continue"),
    ],
)
def test_a_body_too_large_is_refused(gate: Gate, headers: tuple[str, ...], opened: Callable[..., Endpoint]) -> None:
    endpoint = opened(largest_body=1000)
    answer = say(endpoint, request("PUT /b/k HTTP/1.1", "Host: h", *headers, body=b"x" * 1001))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"up to 1000 bytes" in answer
    chunks = b"3E8\r\n" + b"x" * 1000 + b"\r\n1\r\nx\r\n0\r\n\r\n"
    chunked = request("PUT /b/k HTTP/1.1", "Host: h", "Transfer-Encoding: chunked", body=chunks)
    assert say(endpoint, chunked).startswith(b"HTTP/1.1 413 ")
    assert gate.seen == []


def test_who_trickles_is_not_waited_for(endpoint: Endpoint, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "SECONDS", 0.5)
    body = request("PUT /b/k HTTP/1.1", "Host: h", "Content-Length: 500", body=b"x" * 100)
    for beginning in (b"GET / HTTP/1.1\r\nX-Slow: ", body):
        with socket.create_connection(("127.0.0.1", endpoint.port), timeout=30) as connection:
            connection.sendall(beginning)
            began, said = time.monotonic(), b"more"
            with suppress(OSError):
                while said and time.monotonic() - began < 20:
                    connection.sendall(b"x")
                    time.sleep(0.1)
                    connection.settimeout(0.01)
                    with suppress(TimeoutError):
                        said = connection.recv(10)
            assert 0.4 < time.monotonic() - began < 10
    assert gate.seen == []


def test_so_many_connections_at_once_and_no_more(
    endpoint: Endpoint, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "MOST_CONNECTIONS", 5)
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(socket.create_connection(("127.0.0.1", endpoint.port), timeout=30))
        assert say(endpoint, b"").startswith(b"HTTP/1.1 503 ")
    deadline = time.monotonic() + 20
    while not (answer := say(endpoint, request("GET / HTTP/1.1", "Host: h"))).startswith(b"HTTP/1.1 200 "):
        assert time.monotonic() < deadline, answer


def test_random_bytes_never_break_it(endpoint: Endpoint) -> None:
    dice = random.Random(20261123)
    whole = request("PUT /b/k HTTP/1.1", "Host: h", "Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n")
    for _ in range(300):
        text = bytearray(whole)
        for _ in range(dice.randrange(1, 8)):
            text[dice.randrange(len(text))] = dice.randrange(256)
        answer = say(endpoint, bytes(text[: dice.randrange(1, len(text) + 1)]))
        assert b"Traceback" not in answer
        assert not answer or answer.split(b" ", 2)[1][:1] in (b"1", b"2", b"4")
    assert say(endpoint, request("GET / HTTP/1.1", "Host: h")).startswith(b"HTTP/1.1 200 OK")
