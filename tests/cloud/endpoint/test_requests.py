"""What is sent to the loopback endpoint arrives exactly so, and the answer goes back whole."""

from __future__ import annotations

import http.client
import socket
import threading
from typing import Any

import pytest

from simlib.cloud.transport.endpoint import Endpoint
from simlib.cloud.transport.wire import RawAnswer, RawRequest

from .conftest import Gate, request, say

# -- what arrives ---------------------------------------------------------------------------------------------------


def test_a_request_arrives_as_it_was_sent(endpoint: Endpoint, gate: Gate) -> None:
    say(
        endpoint,
        request(
            "PUT /my%2Fbucket//a%20b+c?x=%41&y HTTP/1.1",
            "Host: s3.amazonaws.com",
            "X-Amz-Meta-Name:   grün  ",
            "X-Twice: one",
            "x-twice: two",
            "Content-Length: 4",
            "Connection: close",
            body=b"\x00\xff\r\n",
        ),
    )
    [raw] = gate.seen
    assert raw.method == "PUT"
    assert raw.url == "http://s3.amazonaws.com/my%2Fbucket//a%20b+c?x=%41&y"
    assert raw.headers["x-amz-meta-name"] == "grün"
    assert raw.headers["x-twice"] == "one,two"
    assert raw.body == b"\x00\xff\r\n"


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("/", "http://here:1/"),
        ("//double//slash", "http://here:1//double//slash"),
        ("/%E4%B8%AD?%zz", "http://here:1/%E4%B8%AD?%zz"),
        ("http://sts.amazonaws.com/?Action=X", "http://sts.amazonaws.com/?Action=X"),
        ("/../..//etc/passwd", "http://here:1/../..//etc/passwd"),
    ],
)
def test_addresses_are_left_alone(endpoint: Endpoint, gate: Gate, target: str, url: str) -> None:
    say(endpoint, request(f"GET {target} HTTP/1.1", "Host: here:1"))
    assert [raw.url for raw in gate.seen] == [url]


def test_an_old_client_without_a_host_is_understood(endpoint: Endpoint, gate: Gate) -> None:
    assert say(endpoint, request("GET / HTTP/1.0")).startswith(b"HTTP/1.1 200 OK")
    assert gate.seen[0].url == f"{endpoint.url}/"


def test_chunks_are_put_together(endpoint: Endpoint, gate: Gate) -> None:
    body = b"5;extension=1\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: t\r\n\r\n"
    say(endpoint, request("PUT /b/k HTTP/1.1", "Host: h", "Transfer-Encoding: chunked", body=body))
    [raw] = gate.seen
    assert raw.body == b"hello world"
    assert raw.headers["content-length"] == "11"
    assert "transfer-encoding" not in raw.headers


def test_a_body_sent_in_signed_pieces_stays_as_it_is(endpoint: Endpoint, gate: Gate) -> None:
    body = b"5;chunk-signature=abc\r\nhello\r\n0;chunk-signature=def\r\n\r\n"
    headers = ("Host: h", "Content-Encoding: aws-chunked", f"Content-Length: {len(body)}")
    say(endpoint, request("PUT /b/k HTTP/1.1", *headers, body=body))
    assert gate.seen[0].body == body


def test_expect_100_is_answered_before_the_body_comes(endpoint: Endpoint, gate: Gate) -> None:
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=30) as connection:
        connection.sendall(request("PUT /b/k HTTP/1.1", "Host: h", "Content-Length: 5", "Expect: 100-continue"))
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert gate.seen == []
        connection.sendall(b"hello")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")
    assert gate.seen[0].body == b"hello"


def test_one_connection_carries_many_requests(endpoint: Endpoint, gate: Gate) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=30)
    connection.connect()
    first = connection.sock
    for number in range(3):
        connection.request("POST", f"/{number}", body=b"x" * number)
        assert connection.getresponse().read() == b"hello"
    assert connection.sock is first
    connection.close()
    assert [(raw.parts.path, len(raw.body)) for raw in gate.seen] == [("/0", 0), ("/1", 1), ("/2", 2)]


def test_many_callers_at_once(endpoint: Endpoint, gate: Gate) -> None:
    meeting = threading.Barrier(8, timeout=60)

    def answer(raw: RawRequest) -> RawAnswer:
        meeting.wait()  # passes only if all eight are answered side by side
        return RawAnswer(200, {}, raw.parts.path.encode())

    gate.answer = answer
    answers: list[bytes] = []
    callers = [
        threading.Thread(target=lambda n=n: answers.append(say(endpoint, request(f"GET /{n} HTTP/1.1", "Host: h"))))
        for n in range(8)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(timeout=60)
    assert sorted(answer[-2:] for answer in answers) == [f"/{n}".encode() for n in range(8)]


# -- what goes back -------------------------------------------------------------------------------------------------


def test_the_answer_goes_back_whole(endpoint: Endpoint, gate: Gate) -> None:
    gate.answer = lambda raw: RawAnswer(
        403,
        {"x-amz-request-id": "ID", "Content-Length": "999", "Transfer-Encoding": "chunked", "date": "yesterday"},
        b"<Error/>",
    )
    head, _, body = say(endpoint, request("GET / HTTP/1.1", "Host: h")).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 403 Forbidden"
    assert "x-amz-request-id: ID" in lines
    assert "Content-Length: 8" in lines
    assert "Date: Mon, 23 Nov 2026 12:00:00 GMT" in lines
    assert not [line for line in lines if line.startswith(("Transfer-Encoding", "date: yesterday"))]
    assert body == b"<Error/>"


def test_head_has_a_length_and_no_body(endpoint: Endpoint, gate: Gate) -> None:
    gate.answer = lambda raw: RawAnswer(200, {"content-length": "12345"}, b"")
    answer = say(endpoint, request("HEAD /b/k HTTP/1.1", "Host: h"))
    assert answer.endswith(b"\r\n\r\n")
    assert b"Content-Length: 12345\r\n" in answer
    gate.answer = lambda raw: RawAnswer(404, {}, b"not wanted")
    assert b"not wanted" not in say(endpoint, request("HEAD /b/k HTTP/1.1", "Host: h"))


def test_no_content_is_sent_without_a_length(endpoint: Endpoint, gate: Gate) -> None:
    gate.answer = lambda raw: RawAnswer(204, {}, b"")
    answer = say(endpoint, request("DELETE /b/k HTTP/1.1", "Host: h"))
    assert answer.startswith(b"HTTP/1.1 204 No Content\r\n")
    assert b"Content-Length" not in answer


def test_a_header_cannot_break_out_of_its_line(endpoint: Endpoint, gate: Gate) -> None:
    gate.answer = lambda raw: RawAnswer(200, {"x-amz-meta-note": "a\r\nSet-Cookie: b", "x-amz-meta-ü": "ü"}, b"")
    answer = say(endpoint, request("GET / HTTP/1.1", "Host: h"))
    assert b"\r\nSet-Cookie" not in answer
    assert "x-amz-meta-ü: ü".encode() in answer


def test_an_error_of_the_labs_own_is_not_shown(endpoint: Endpoint, gate: Gate, caplog: Any) -> None:
    def broken(raw: RawRequest) -> RawAnswer:
        raise KeyError("inside")

    gate.answer = broken
    answer = say(endpoint, request("GET /x HTTP/1.1", "Host: h"))
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"Traceback" not in answer
    assert b"inside" not in answer
    assert "could not answer GET http://h/x" in caplog.text
