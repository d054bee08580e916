"""Nobody gets out of this machine, and whoever tries is seen: the tests' own guard can be red."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests import outward
from tests.notebooks import lessons

ELSEWHERE = "192.0.2.7"  # an address of the documentation range, which nobody has
ROOT = Path(__file__).resolve().parents[2]
CONNECT = f"import socket; s = socket.socket(); s.settimeout(0.2); print(s.connect_ex(('{ELSEWHERE}', 443)))"


def test_the_way_out_is_closed(nobody_goes_out: outward.Watch) -> None:
    outward.need_it_closed()
    with socket.socket() as one:
        one.settimeout(0.2)
        with pytest.raises(OSError, match="unreachable"):
            one.connect((ELSEWHERE, 443))
    nobody_goes_out.outward()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has networks of one's own: run it there")
@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_what_needs_it_closed_is_skipped_where_that_cannot_be_and_fails_in_ci(
    ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(outward, "why_open", "")
    outward.need_it_closed()
    monkeypatch.setattr(outward, "why_open", "this machine does not let us")
    with pytest.raises(outcome, match="the way out is open: this machine does not let us"):
        outward.need_it_closed()


CELLS = {
    "nothing": ("1 + 1", None),
    "loopback": ("import socket; socket.create_server(('127.0.0.1', 0)); socket.getaddrinfo('localhost', 80)", None),
    "a call of the lab": ("Cloud.start().account('dev').admin.client('sts').get_caller_identity()", None),
    "a connection": (CONNECT, f"socket.connect ('{ELSEWHERE}', 443)"),
    "a packet": (
        f"try: socket.socket(type=socket.SOCK_DGRAM).sendto(b'out', ('{ELSEWHERE}', 9))\nexcept OSError: pass",
        f"socket.sendto ('{ELSEWHERE}', 9)",
    ),
    "a name": ("try: socket.getaddrinfo('out.invalid', 443)\nexcept OSError: pass", "socket.getaddrinfo 'out.invalid'"),
    "another Python": (f'!{{__import__("sys").executable}} -c "{CONNECT}"', f"socket.connect ('{ELSEWHERE}', 443)"),
    "another program": (f"!bash -c 'exec 3<>/dev/tcp/{ELSEWHERE}/443'", "attempts found no way out of this machine"),
}


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    cells = [nbformat.v4.new_code_cell("from simlib import Cloud, lab")]
    with lessons.kernel(nbformat.v4.new_notebook(cells=cells)) as client:
        client.execute_cell(client.nb.cells[0], 0)
        yield client


@pytest.mark.parametrize("what", CELLS)
def test_a_cell_that_asks_for_another_machine_is_seen(what: str, client: Any, nobody_goes_out: outward.Watch) -> None:
    source, expected = CELLS[what]
    if what == "another program":
        outward.need_it_closed()
        if not (outward.alone and shutil.which("bash")):
            pytest.skip("it takes bash, and a network that this process has for itself: run it by root, or with -n 0")
    client.nb.cells.append(nbformat.v4.new_code_cell(source))
    client.execute_cell(client.nb.cells[-1], len(client.nb.cells) - 1)
    tried = nobody_goes_out.outward()
    assert any(expected in line for line in tried) if expected else tried == []


LEAVING = f"""
import socket
def test_it():
    with socket.socket() as one:
        one.settimeout(0.2)
        one.connect_ex(("{ELSEWHERE}", 443))
"""


@pytest.mark.parametrize(("source", "passes"), [(LEAVING, False), (LEAVING.replace(ELSEWHERE, "127.0.0.1"), True)])
def test_a_test_that_asks_for_another_machine_fails(
    source: str, passes: bool, tmp_path: Path, nobody_goes_out: outward.Watch
) -> None:
    (tmp_path / "test_it.py").write_text(source, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        tmp_path,
        tmp_path,
    ]
    path = os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]])
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert ("this test asked for another machine" not in done.stdout) == passes, done.stdout
    assert done.returncode == (0 if passes else 1)
    nobody_goes_out.outward()


@pytest.mark.parametrize(
    ("line", "here"),
    [
        ("socket.connect ('127.0.0.1', 80)", True),
        ("socket.connect ('127.8.8.8', 80)", True),
        ("socket.connect ('::1', 80, 0, 0)", True),
        ("socket.connect '/run/a.sock'", True),
        ("socket.connect b'\\x00abstract'", True),
        ("socket.sendmsg None", True),
        ("socket.getaddrinfo None", True),
        ("socket.getaddrinfo 'localhost'", True),
        ("socket.getaddrinfo b'localhost'", True),
        ("socket.connect ('10.0.0.1', 80)", False),
        ("socket.connect ('169.254.169.254', 80)", False),
        ("socket.connect ('2001:db8::1', 80, 0, 0)", False),
        ("socket.getaddrinfo 'localhost.example.com'", False),
        ("socket.getaddrinfo 's3.amazonaws.com'", False),
        ("socket.connect <something else>", False),
    ],
)
def test_the_record_tells_this_machine_from_others(line: str, here: bool) -> None:
    assert outward.stays(line) == here
