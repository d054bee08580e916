"""The loopback endpoint: requests arrive exactly as they were sent, and nothing sent to it breaks it."""

from __future__ import annotations

import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from simlib import Cloud
from simlib.cloud import serve
from simlib.cloud.transport import endpoint as module
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


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def endpoint(gate: Gate) -> Iterator[Endpoint]:
    endpoint = Endpoint(gate, lambda *asked: RawAnswer(200, {}, repr(asked[:3]).encode()), now=lambda: NOW)
    yield endpoint
    endpoint.stop()


def say(endpoint: Endpoint, text: bytes) -> bytes:
    """Send bytes, close our side, and return all that comes back."""
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=30) as connection:
        try:
            connection.sendall(text)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the endpoint has heard enough
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionError:
            pass
        return answer


def request(first: str, *headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join([first, *headers, "", ""]).encode() + body


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


# -- what cannot be read --------------------------------------------------------------------------------------------


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
def test_a_body_too_large_is_refused(gate: Gate, headers: tuple[str, ...]) -> None:
    endpoint = Endpoint(gate, largest_body=1000)
    try:
        answer = say(endpoint, request("PUT /b/k HTTP/1.1", "Host: h", *headers, body=b"x" * 1001))
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"up to 1000 bytes" in answer
        chunks = b"3E8\r\n" + b"x" * 1000 + b"\r\n1\r\nx\r\n0\r\n\r\n"
        chunked = request("PUT /b/k HTTP/1.1", "Host: h", "Transfer-Encoding: chunked", body=chunks)
        assert say(endpoint, chunked).startswith(b"HTTP/1.1 413 ")
        assert gate.seen == []
    finally:
        endpoint.stop()


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


# -- the metadata service for other processes -----------------------------------------------------------------------


def test_each_instance_has_its_own_metadata_address(endpoint: Endpoint, gate: Gate) -> None:
    base = endpoint.metadata_url("i-1").removeprefix(endpoint.url)
    answer = say(endpoint, request(f"PUT {base}/latest/api/token HTTP/1.1", "Host: h"))
    assert answer.endswith(b"('i-1', 'PUT', 'latest/api/token')")
    assert gate.seen == []


def test_a_child_process_gets_the_roles_credentials_over_http(gate: Gate, tmp_path: Path) -> None:
    """botocore in another process, with nothing but the address of the instance's metadata service."""
    import json
    from datetime import timedelta

    from simlib.cloud.machines.metadata import Metadata

    from .test_metadata import Instance, Session

    metadata = Metadata(
        lambda: Instance(http_tokens="required"),
        lambda: Session("ASIACHILD", "s", "t", datetime.now(UTC), datetime.now(UTC) + timedelta(hours=6)),
        lambda: datetime.now(UTC),
    )
    endpoint = Endpoint(gate, lambda instance_id, *asked: metadata.answer(*asked), folder=tmp_path)
    try:
        variables = {**endpoint.environment, "AWS_EC2_METADATA_DISABLED": "false"}
        variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = endpoint.metadata_url("i-1")
        code = "import boto3, json; c = boto3.Session().get_credentials(); print(json.dumps([c.method, c.access_key]))"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        child = subprocess.run(
            [sys.executable, "-c", code], env={**kept, **variables}, capture_output=True, text=True, check=True
        )
        assert json.loads(child.stdout) == ["iam-role", "ASIACHILD"]
    finally:
        endpoint.stop()


# -- opening and closing --------------------------------------------------------------------------------------------


def test_it_listens_on_loopback_only(endpoint: Endpoint) -> None:
    assert endpoint._listener.getsockname()[0] == "127.0.0.1"
    assert endpoint.url == f"http://127.0.0.1:{endpoint.port}"


def test_it_says_what_to_export(endpoint: Endpoint) -> None:
    variables = endpoint.environment
    assert variables["AWS_ENDPOINT_URL"] == endpoint.url
    assert variables["AWS_EC2_METADATA_DISABLED"] == "true"
    assert Path(variables["AWS_CONFIG_FILE"]).read_text(encoding="utf-8") == ""
    shown = repr(endpoint)
    assert all(value in shown for value in variables.values())
    assert "Other processes keep real time" in shown


def test_the_export_lines_are_for_this_shell(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = Path(endpoint.environment["AWS_CONFIG_FILE"]).with_name("bin")
    monkeypatch.setattr(module.os, "name", "posix")
    lines = endpoint.exports({"A": "b c"})
    assert "export A='b c'" in lines
    assert lines[-1] == f'export PATH={programs}:"$PATH"'
    monkeypatch.setattr(module.os, "name", "nt")
    lines = endpoint.exports({"A": "it's"})
    assert "$env:A = 'it''s'" in lines
    assert lines[-1] == f"$env:PATH = '{programs};' + $env:PATH"


def test_stop_hangs_up_and_leaves_nothing(gate: Gate) -> None:
    threads = set(threading.enumerate())
    endpoint = Endpoint(gate)
    folder = Path(endpoint.environment["AWS_CONFIG_FILE"]).parent
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=30)
    connection.request("GET", "/")
    connection.getresponse().read()
    endpoint.stop()
    endpoint.stop()
    assert connection.sock.recv(1) == b""
    connection.close()
    with pytest.raises(OSError, match=r".*"):
        socket.create_connection(("127.0.0.1", endpoint.port), timeout=5)
    for thread in set(threading.enumerate()) - threads:
        thread.join(timeout=30)
    assert not set(threading.enumerate()) - threads
    assert not folder.exists()
    assert repr(endpoint) == "<Endpoint, stopped>"


def test_a_browser_opens_no_socket(monkeypatch: pytest.MonkeyPatch, gate: Gate) -> None:
    monkeypatch.setattr(sys, "platform", "emscripten")
    with pytest.raises(RuntimeError, match="no sockets"):
        Endpoint(gate)


# -- two clocks -----------------------------------------------------------------------------------------------------

LAB = datetime(2027, 11, 23, 12, 0, tzinfo=UTC)
HERE = "http://127.0.0.1/"


@pytest.mark.parametrize(
    ("raw", "time"),
    [
        (RawRequest("GET", HERE, {"x-amz-date": "20261123T115900Z"}), NOW),
        (RawRequest("GET", HERE, {"x-amz-date": "20271123T115900Z"}), LAB),
        (RawRequest("GET", HERE, {"x-amz-date": "20200101T000000Z"}), NOW),
        (RawRequest("GET", HERE, {"date": "Tue, 23 Nov 2027 12:01:00 GMT"}), LAB),
        (RawRequest("GET", HERE, {"date": "Mon, 23 Nov 2026 12:01:00 GMT"}), NOW),
        (RawRequest("GET", HERE, {"date": "no date at all"}), NOW),
        (RawRequest("GET", HERE, {"x-amz-date": "nonsense"}), NOW),
        (RawRequest("GET", HERE), NOW),
        (RawRequest("GET", f"{HERE}b/k?X-Amz-Date=20261123T120000Z&X-Amz-Signature=ab"), LAB),
        (RawRequest("GET", f"{HERE}b/k?AWSAccessKeyId=AKIA&Signature=ab&Expires=1"), LAB),
    ],
)
def test_a_request_is_judged_by_its_senders_clock(raw: RawRequest, time: datetime) -> None:
    assert module.sender_time(raw, lab=LAB, real=NOW) == time


# -- python -m simlib serve -----------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to whole consoles; run it on Linux or macOS")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_serve_keeps_a_world_running_until_ctrl_c_and_saves_it_if_asked(end: signal.Signals, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    with Cloud.start() as world:
        world.account("dev").admin.client("iam").create_user(UserName="alice")
        world.save(first)
    server = subprocess.Popen(
        [sys.executable, "-m", "simlib", "serve", "--world", str(first), "--save", str(second)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    try:
        assert server.stdout is not None
        lines = []
        for line in server.stdout:
            lines.append(line)
            if line.startswith("# You are then"):
                break
        assert lines[-1:], server.communicate()[1]
        code = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
        queue = "aws sqs create-queue --queue-name jobs --output text"
        exported = "".join(line for line in lines if line.startswith("export "))
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        command = f'{exported}{queue}\nexec "{sys.executable}" -c "{code}"'
        child = subprocess.run(["sh", "-c", command], env=kept, capture_output=True, text=True, check=True)
        queue_url, arn = child.stdout.splitlines()
        assert queue_url.endswith("/111111111111/jobs")
        assert arn == "arn:aws:iam::111111111111:user/lab-admin"
        server.send_signal(end)
        rest, errors = server.communicate(timeout=60)
        assert (server.returncode, errors) == (0, "")
        assert "Saved 1 account to" in rest
        with Cloud.load(second) as world:
            admin = world.account("dev").admin
            assert admin.client("iam").get_user(UserName="alice")
            assert admin.client("sqs").get_queue_url(QueueName="jobs")["QueueUrl"] == queue_url
    finally:
        server.kill()
        server.communicate()


def test_serve_explains_itself_and_what_it_cannot_open(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert serve.main(["--wrold"]) == 2
    assert "usage: python -m simlib serve" in capsys.readouterr().err
    assert serve.main(["--help"]) == 0
    assert "usage: python -m simlib serve" in capsys.readouterr().out
    assert serve.main(["--world", str(tmp_path / "none.json")]) == 2
    assert "none.json cannot be read" in capsys.readouterr().err
