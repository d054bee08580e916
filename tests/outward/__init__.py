"""No test goes out: the way is closed where it can be, and whoever tries is on record.

Closed: on Linux, the process of the tests moves into a network of its own that has nothing but loopback, and all that
it starts – kernels, servers, browsers – lives there. On record: every Python process notes each connection and each
look-up it asks for, and the operating system counts for us what found no way out, whatever program it came from.
"""

from __future__ import annotations

import ast
import ctypes
import os
import runpy
import socket
import struct
import subprocess
import sys
import tempfile
from ipaddress import ip_address
from pathlib import Path
from typing import Any

CHILDREN = Path(__file__).with_name("children")
RECORD = "OUTWARD_RECORD"  # the variable that names the file
COUNTS = (("/proc/thread-self/net/snmp", "Ip:", "OutNoRoutes"), ("/proc/thread-self/net/snmp6", "Ip6OutNoRoutes", ""))
NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000  # of Linux's unshare(2)

why_open = "the tests have not begun"  # "" once the way out is closed
alone = False  # whether nobody but this process and its children is in this network, so that counting tells of them


def begin() -> None:
    """Close the way out and open a record, for this process and all that it starts."""
    global why_open, alone
    closed_around_us = os.environ.get("OUTWARD_OPEN") == ""  # by the process that started this one
    why_open = _close()
    alone = not why_open
    if closed_around_us:
        why_open = ""
    os.environ["OUTWARD_OPEN"] = why_open
    descriptor, name = tempfile.mkstemp(prefix="outward-", suffix=".txt")
    os.close(descriptor)
    first = RECORD not in os.environ
    os.environ[RECORD], os.environ["OUTWARD_TESTS"] = name, str(os.getpid())
    if first:
        os.environ["PYTHONPATH"] = os.pathsep.join([str(CHILDREN), *filter(None, [os.environ.get("PYTHONPATH")])])
        runpy.run_path(str(CHILDREN / "sitecustomize.py"))


def need_it_closed() -> None:
    """Skip a test where the way out is open; where it has to be closed – in CI, on Linux – fail it."""
    import pytest  # not where this file is a program of its own

    if why_open:
        must = sys.platform.startswith("linux") and os.environ.get("CI", "").lower() == "true"
        (pytest.fail if must else pytest.skip)(f"the way out is open: {why_open}")


def end() -> None:
    """Take the record away."""
    Path(os.environ[RECORD]).unlink(missing_ok=True)


class Watch:
    """What is asked for from now on."""

    def __init__(self) -> None:
        self._read = Path(os.environ[RECORD]).stat().st_size
        self._counted = no_way_out()

    def asked(self) -> list[str]:
        """Every address and name that Python processes asked for since this was last asked, loopback too."""
        with open(os.environ[RECORD], "rb") as file:
            file.seek(self._read)
            lines = file.read()
        self._read += len(lines)
        return lines.decode("utf-8", "replace").splitlines()

    def outward(self, counted: bool = True) -> list[str]:
        """The attempts to leave this machine since this was last asked; with what the system `counted`, or without."""
        tried = [line for line in self.asked() if not stays(line)]
        before, self._counted = self._counted, no_way_out()
        more = self._counted - before
        return tried + [f"{more} attempts found no way out of this machine"] * (counted and alone and more > 0)


def stays(line: str) -> bool:
    """Whether what a line of the record asks for is on this machine."""
    try:
        asked: Any = ast.literal_eval(line.partition(" ")[2])
    except (SyntaxError, ValueError):
        return False
    if isinstance(asked, tuple):
        asked = asked[0] if asked and isinstance(asked[0], str) else ""  # else netlink and the like: no host at all
    elif not line.startswith("socket.get"):
        return True  # the name of a socket in the file system
    name = asked.decode("utf-8", "replace") if isinstance(asked, bytes) else str(asked or "")
    name = name.strip("[]").partition("%")[0].lower().rstrip(".")
    if name in ("", "localhost", "ip6-localhost", socket.gethostname().lower()) or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def no_way_out() -> int:
    """How many times the system has had something for another machine in this network and nowhere to send it."""
    found = 0
    for path, prefix, column in COUNTS:
        try:
            rows = [line.split() for line in Path(path).read_text(encoding="ascii").splitlines()]
        except OSError:  # no Linux, or no IPv6
            continue
        rows = [row for row in rows if row[0] == prefix]
        if rows:
            found += int(rows[1][rows[0].index(column)] if column else rows[0][1])
    return found


def _close() -> str:
    """Leave this process nothing but loopback; "" or why that cannot be done. Another process tries it first."""
    if not sys.platform.startswith("linux"):
        return f"{sys.platform} has no network namespaces"
    for flags in (NEW_NETWORK, NEW_NETWORK | NEW_USER):
        if subprocess.run([sys.executable, __file__, str(flags)], capture_output=True).returncode == 0:
            try:
                _unshare(flags)
            except OSError:  # a process with threads keeps its user
                continue
            return ""
    return "this machine does not let us (unshare -n true, or unshare -rn true)"


def _unshare(flags: int) -> None:
    import fcntl

    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(flags):
        raise OSError(ctypes.get_errno(), "unshare")
    if flags & NEW_USER:  # whoever we are, we remain
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            Path("/proc/thread-self", name).write_text(text, encoding="ascii")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        up_and_running = 0x1 | 0x40
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", up_and_running))


if __name__ == "__main__":
    _unshare(int(sys.argv[1]))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        socket.create_connection(listener.getsockname(), timeout=5).close()
