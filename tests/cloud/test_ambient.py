"""The learner's own AWS is out of sight while the lab runs, and comes back exactly as it was."""

from __future__ import annotations

import asyncio
import http.client
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import botocore.credentials
import botocore.exceptions
import botocore.session
import botocore.tokens
import pytest
import requests

from simlib.cloud import ambient
from tests import outward

ENDPOINT = "http://127.0.0.1:9"  # the discard port: nobody answers, and nothing leaves the machine
PLANTED = {
    "AWS_ACCESS_KEY_ID": "AKIAPLANTEDPLANTED01",
    "AWS_SECRET_ACCESS_KEY": "planted/secret",
    "AWS_SESSION_TOKEN": "planted-token",
    "AWS_PROFILE": "planted",
    "AWS_REGION": "eu-central-1",
    "AWS_ENDPOINT_URL_S3": "https://s3.eu-central-1.amazonaws.com",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://169.254.169.254",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2/creds",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "token",
    "BOTO_CONFIG": "boto.cfg",
}


@pytest.fixture
def hidden() -> Iterator[ambient.Hidden]:
    hidden = ambient.Hidden(ENDPOINT)
    yield hidden
    hidden.restore()


def snapshot() -> tuple[Any, ...]:
    return (
        dict(os.environ),
        boto3.DEFAULT_SESSION,
        socket.getaddrinfo,
        socket.gethostbyname,
        {name: vars(socket.socket).get(name) for name in ("connect", "connect_ex", "sendto", "sendmsg")},
        http.client.HTTPConnection.set_tunnel,
        botocore.httpsession.URLLib3Session.send,
        botocore.tokens.SSOTokenProvider._SSO_TOKEN_CACHE_DIR,
        botocore.credentials.SSOProvider._SSO_TOKEN_CACHE_DIR,
    )


def test_everything_is_exactly_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", object())
    before = snapshot()
    hidden = ambient.Hidden(ENDPOINT)
    assert all(now != earlier for now, earlier in zip(snapshot(), before, strict=True))
    seen = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "BOTO"))}
    assert seen == ambient.environment(hidden.folder, ENDPOINT)
    assert not set(PLANTED.values()) & set(seen.values())
    assert seen["AWS_EC2_METADATA_DISABLED"] == "true"
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        assert Path(seen[name]).read_text(encoding="utf-8") == ""
        assert os.name == "nt" or Path(seen[name]).stat().st_mode & 0o077 == 0
    hidden.restore()
    assert snapshot() == before
    assert not hidden.folder.exists()
    hidden.restore()
    assert snapshot() == before


def test_no_credentials_are_found_anywhere(hidden: ambient.Hidden) -> None:
    assert boto3.Session().get_credentials() is None
    assert boto3.Session().region_name == "us-east-1"
    with pytest.raises(botocore.exceptions.NoCredentialsError, match="Unable to locate credentials"):
        boto3.client("sts").get_caller_identity()


def test_what_the_learner_sets_afterwards_counts_and_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAPLANTEDPLANTED01")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    before = dict(os.environ)
    hidden = ambient.Hidden(ENDPOINT)
    try:
        os.environ.update(AWS_ACCESS_KEY_ID="AKIALEARNER", AWS_SECRET_ACCESS_KEY="s", AWS_SESSION_TOKEN="stale")
        del os.environ["AWS_EC2_METADATA_DISABLED"]
        credentials = boto3.Session().get_credentials()
        assert (credentials.access_key, credentials.token) == ("AKIALEARNER", "stale")
    finally:
        hidden.restore()
    assert dict(os.environ) == before


def test_a_learner_may_write_profiles(hidden: ambient.Hidden) -> None:
    Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).write_text(
        "[dev]\naws_access_key_id = AKIADEV\naws_secret_access_key = s\n", encoding="utf-8"
    )
    assert boto3.Session(profile_name="dev").get_credentials().access_key == "AKIADEV"


def test_a_failed_start_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")

    def fail(*_: Any) -> None:
        raise OSError("no room")

    monkeypatch.setattr(ambient, "write_aws", fail)
    before = snapshot()
    with pytest.raises(OSError, match="no room"):
        ambient.Hidden(ENDPOINT)
    assert snapshot() == before


def test_in_a_browser_nothing_is_prepared_for_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "emscripten")
    path = os.environ["PATH"]
    hidden = ambient.Hidden(None)
    try:
        assert os.environ["PATH"] == path
        assert "AWS_ENDPOINT_URL" not in os.environ
    finally:
        hidden.restore()


# -- children -------------------------------------------------------------------------------------------------------


def test_a_childs_aws_is_this_pythons(hidden: ambient.Hidden) -> None:
    child = subprocess.run("aws --version", shell=True, capture_output=True, text=True, check=True)
    assert child.stdout.startswith("aws-cli/1.")
    assert Path(os.environ["PATH"].split(os.pathsep)[0]) == hidden.folder / "bin"


def test_changes_to_path_survive_and_ours_goes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = os.environ["PATH"]
    hidden = ambient.Hidden(ENDPOINT)
    os.environ["PATH"] = str(tmp_path) + os.pathsep + os.environ["PATH"]
    hidden.restore()
    assert os.environ["PATH"] == str(tmp_path) + os.pathsep + before


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ({}, {}),
        ({"HTTP_PROXY": "http://proxy:1"}, {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}),
        ({"https_proxy": "http://proxy:1", "NO_PROXY": "corp,localhost"}, {"NO_PROXY": "127.0.0.1,corp,localhost"}),
        ({"NO_PROXY": "corp"}, {"NO_PROXY": "corp"}),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="Windows does not tell no_proxy from NO_PROXY; run it on Linux or macOS")
def test_no_proxy_stands_before_the_loopback(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], seen: dict[str, str]
) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    hidden = ambient.Hidden(ENDPOINT)
    try:
        assert {name: os.environ[name] for name in ("NO_PROXY", "no_proxy") if name in os.environ} == seen
    finally:
        hidden.restore()
    assert dict(os.environ) == before


# -- the guard ------------------------------------------------------------------------------------------------------

METADATA = "169.254.169.254"
HOSTS = ["s3.amazonaws.com", "S3.US-EAST-1.AMAZONAWS.COM.", "my-bucket.s3.eu-west-1.amazonaws.com",
         "sts.cn-north-1.amazonaws.com.cn", "s3.us-east-1.api.aws", "abc.lambda-url.us-east-1.on.aws",
         "us-east-1.signin.aws.amazon.com", METADATA, "2852039166", "0xa9fea9fe", "169.254.170.2", "169.254.170.23",
         f"::ffff:{METADATA}", "fd00:ec2::254", "fd00:0ec2:0:0::254", b"sts.amazonaws.com"]  # fmt: skip


def look_up(host: str | bytes) -> None:
    socket.getaddrinfo(host, 443)


def by_socket(call: Callable[[socket.socket, str], Any], host: str) -> None:
    """By a socket of one's own, that looks nothing up."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as mine:
        mine.setblocking(False)
        call(mine, host)


async def connected(mine: socket.socket, host: str) -> None:
    await asyncio.get_running_loop().sock_connect(mine, (host, 80))


SOCKETS: dict[str, Callable[[socket.socket, str], Any]] = {
    "connect": lambda mine, host: mine.connect((host, 80)),
    "connect_ex": lambda mine, host: mine.connect_ex((host, 80)),
    "sendto": lambda mine, host: mine.sendto(b"x", (host, 80)),
    "sendmsg": lambda mine, host: mine.sendmsg([b"x"], [], 0, (host, 80)),
    "a loop's connect": lambda mine, host: asyncio.run(connected(mine, host)),
}
ADDRESSES = (METADATA, f"::ffff:{METADATA}", "sts.amazonaws.com")
WAYS: dict[str, Callable[[], Any]] = {
    **{f"a name, {host!r}": partial(look_up, host) for host in HOSTS},
    **{f"{name}, {host}": partial(by_socket, SOCKETS[name], host) for name in SOCKETS for host in ADDRESSES},
    "gethostbyname": lambda: socket.gethostbyname("sts.amazonaws.com"),
    "gethostbyname_ex": lambda: socket.gethostbyname_ex("sts.amazonaws.com"),
    "gethostbyaddr": lambda: socket.gethostbyaddr("sts.amazonaws.com"),
    "urllib": lambda: urllib.request.urlopen("https://my-bucket.s3.amazonaws.com/key?X-Amz-Signature=abc", timeout=1),
    "http.client": lambda: http.client.HTTPConnection(METADATA, timeout=1).request("GET", "/latest/meta-data/"),
    "requests": lambda: requests.get("https://sts.amazonaws.com/", timeout=1),
    "asyncio": lambda: asyncio.run(asyncio.open_connection("sts.amazonaws.com", 443)),
}


@pytest.mark.parametrize("way", WAYS)
def test_aws_is_out_of_reach(hidden: ambient.Hidden, way: str) -> None:
    with pytest.raises(OSError, match="never goes to the real AWS"):
        WAYS[way]()


def test_everything_else_passes(hidden: ambient.Hidden) -> None:
    for host in ("127.0.0.1", "localhost", None, "::1"):
        assert socket.getaddrinfo(host, 80)
    for host in ("notamazonaws.com", "amazonaws.com.example.org", "docs.aws.amazon.com", "www.python.org"):
        assert not ambient.is_aws(host)
        assert not ambient.is_metadata_address(host)


def test_keys_of_an_older_sdk_are_not_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".boto").write_text("[Credentials]\naws_access_key_id = AKIAREAL\naws_secret_access_key = real\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("BOTO_CONFIG", raising=False)
    hidden = ambient.Hidden(ENDPOINT)
    try:
        assert botocore.session.Session().get_credentials() is None
    finally:
        hidden.restore()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_that_ends_leaves_the_folder_alone(hidden: ambient.Hidden) -> None:
    child = os.fork()
    if not child:
        import atexit

        atexit._run_exitfuncs()
        os._exit(0)
    os.waitpid(child, 0)
    assert (hidden.folder / "config").exists()


def test_a_proxy_is_no_way_round(hidden: ambient.Hidden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(OSError, match="never goes to the real AWS"):
        urllib.request.urlopen("https://s3.amazonaws.com/", timeout=1)


def test_a_client_from_before_the_start_is_stopped_at_once() -> None:
    client = boto3.client("sts", "us-east-1", aws_access_key_id="AKIAOLD", aws_secret_access_key="old")
    hidden = ambient.Hidden(ENDPOINT)
    try:
        with pytest.raises(ambient.OutOfReach, match=r"sts\.us-east-1\.amazonaws\.com|sts\.amazonaws\.com") as refused:
            client.get_caller_identity()
        assert "Cloud.start()" in str(refused.value)
    finally:
        hidden.restore()


def test_a_session_from_before_the_start_finds_no_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    session = botocore.session.Session()
    session.get_component("credential_provider")  # built now, with the metadata address switched on
    hidden = ambient.Hidden(ENDPOINT)
    try:
        assert session.get_credentials() is None
    finally:
        hidden.restore()


def test_someone_who_wrapped_the_guard_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, nobody_goes_out: outward.Watch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)  # put back at the end, whatever happens
    hidden = ambient.Hidden(ENDPOINT)
    ours = socket.getaddrinfo

    def theirs(*arguments: Any) -> Any:
        return ours(*arguments)

    socket.getaddrinfo = theirs
    with pytest.raises(OSError, match="never goes to the real AWS"):
        theirs("169.254.169.254", 80)
    hidden.restore()
    assert socket.getaddrinfo is theirs
    assert theirs("169.254.169.254", 80)  # an address in figures: nothing is looked up, nothing refused any more
    assert nobody_goes_out.outward() == ["socket.getaddrinfo '169.254.169.254'"]
