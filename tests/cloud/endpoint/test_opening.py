"""Where the loopback endpoint listens, what it tells other processes, and that nothing is left of it."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from simlib.cloud.machines.instance import Instance
from simlib.cloud.transport import endpoint as module
from simlib.cloud.transport import signature, signer
from simlib.cloud.transport.endpoint import Endpoint
from simlib.cloud.transport.wire import RawRequest

from ..machine import TOKENS_ONLY, WEB, World
from .conftest import NOW, Gate

# -- opening and closing --------------------------------------------------------------------------------------------


def test_it_listens_on_loopback_and_says_what_to_export(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert endpoint._listener.socket.getsockname()[0] == "127.0.0.1"
    variables = endpoint.environment
    assert variables["AWS_ENDPOINT_URL"] == endpoint.url == f"http://127.0.0.1:{endpoint.port}"
    assert variables["AWS_EC2_METADATA_DISABLED"] == "true"
    assert variables["AWS_CONFIG_FILE"] == str(tmp_path / "config")
    shown = repr(endpoint)
    assert all(value in shown for value in variables.values())
    assert "Other processes keep real time" in shown
    programs = tmp_path / "bin"
    for system, variable, path in (
        ("posix", "export A='it'\"'\"'s'", f'export PATH={programs}:"$PATH"'),
        ("nt", "$env:A = 'it''s'", f"$env:PATH = '{programs};' + $env:PATH"),
    ):
        monkeypatch.setattr(module.os, "name", system)
        lines = endpoint.instructions({"A": "it's"}).splitlines()
        assert {variable, path} <= set(lines)


def test_stop_hangs_up_and_leaves_nothing(opened: Callable[..., Endpoint]) -> None:
    threads = set(threading.enumerate())
    endpoint = opened()
    endpoint.metadata_url("i-1")
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
    assert repr(endpoint) == "<Endpoint, stopped>"


# -- two clocks -----------------------------------------------------------------------------------------------------

LAB = datetime(2027, 11, 23, 12, 0, tzinfo=UTC)
V4 = "AWS4-HMAC-SHA256 Credential=AKIA/{}/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=ab"
QUERY = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA/20261123/us-east-1/s3/aws4_request&X-Amz-Expires=60"


@pytest.mark.parametrize(
    ("query", "headers", "time"),
    [
        ("", {"authorization": V4.format("20261123"), "x-amz-date": "20261123T115900Z"}, NOW),
        ("", {"authorization": V4.format("20271123"), "x-amz-date": "20271123T115900Z"}, LAB),
        ("", {"authorization": V4.format("20200101"), "x-amz-date": "20200101T000000Z"}, NOW),
        (f"{QUERY}&X-Amz-Date=20261123T120000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=ab", {}, LAB),
        ("AWSAccessKeyId=AKIA&Signature=ab&Expires=1", {}, LAB),
        ("", {}, LAB),
    ],
)
def test_a_request_is_judged_by_its_senders_clock(query: str, headers: dict[str, str], time: datetime) -> None:
    signed = signer.parse(RawRequest("GET", f"http://127.0.0.1/b/k?{query}", headers))
    assert signature.sender_time(signed, lab=LAB, real=NOW) == time


# -- the metadata service for other processes -----------------------------------------------------------------------


def ask(url: str, method: str, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request(method, path)
    answer = connection.getresponse()
    said = answer.status, answer.read()
    connection.close()
    return said


def test_each_instance_has_its_own_metadata_address(endpoint: Endpoint, gate: Gate) -> None:
    one, other = endpoint.metadata_url("i-1"), endpoint.metadata_url("i-2")
    assert len({urlsplit(url).netloc for url in (one, other, endpoint.url)}) == 3
    assert endpoint.metadata_url("i-1") == one
    path = f"{urlsplit(one).path}/latest/api/token"
    assert ask(one, "PUT", path) == (200, b"('i-1', 'PUT', 'latest/api/token')")
    assert gate.seen == []


def test_metadata_is_for_who_knows_the_secret_or_is_this_user(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, secret = endpoint.metadata_url("i-1"), urlsplit(endpoint.metadata_url("i-1")).path
    if sys.platform == "linux":  # an SDK that drops the path
        assert ask(url, "GET", "/latest/meta-data/")[0] == 200
        monkeypatch.setattr(os, "getuid", lambda: 12_345)
    for path in ("/latest/meta-data/", "/", f"{secret[:-1]}/latest/meta-data/", "/_instances/i-1/latest/meta-data/"):
        assert ask(url, "GET", path) == (403, b"This metadata service is for its instance's own processes.\n")
    assert ask(url, "GET", f"{secret}/latest/meta-data/")[0] == 200


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Python 3.12 on: a fork beside threads
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_child_does_not_hold_the_port(endpoint: Endpoint) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=30)
    connection.connect()
    ready, ended = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        endpoint.stop()
        os.write(ready[1], b"x")
        os.read(ended[0], 1)
        os._exit(0)
    try:
        os.read(ready[0], 1)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"hello"  # the child's end was not the caller's
        endpoint.stop()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", endpoint.port), timeout=5)
    finally:
        os.write(ended[1], b"x")
        os.waitpid(child, 0)
        connection.close()
        for end in (*ready, *ended):
            os.close(end)


def test_a_child_process_gets_the_roles_credentials_over_http(opened: Callable[..., Endpoint], tmp_path: Path) -> None:
    """botocore in another process, with nothing but the address of the instance's metadata service."""
    world = World(SimpleNamespace(now=datetime.now(UTC)))
    world.facts = TOKENS_ONLY
    metadata = Instance(world, WEB).metadata
    endpoint = opened(lambda instance_id, *asked: metadata.answer(*asked))
    variables = {**endpoint.environment, "AWS_EC2_METADATA_DISABLED": "false"}
    variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = endpoint.metadata_url("i-1")
    code = "import boto3; c = boto3.Session().get_credentials(); print(c.method, c.access_key)"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    child = (sys.executable, "-c", code)
    assert subprocess.check_output(child, env={**kept, **variables}, text=True) == "iam-role ASIA0000000000000001\n"
