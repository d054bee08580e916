"""A JupyterHub on this machine: `nox -s hub` starts one, `nox -s hub -- load 30` sends thirty learners through it."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
PORT = 8000  # the two above it are the hub's own and the proxy's


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["load"]:
        return under_load(arguments[1:])
    if arguments:
        print("nox -s hub, or nox -s hub -- load SEATS", file=sys.stderr)
        return 2
    state = HERE.parents[1] / ".nox" / "hub-state"
    with running(state, secrets.token_urlsafe(6)) as (process, url, password):
        print(f"Open {url} – any name, password {password}. Each name is a learner. Ctrl+C ends the hub.")
        print(f"See the room: python -m simlib progress {state / 'progress'} --watch", flush=True)
        process.wait()
    return 0


def under_load(arguments: list[str]) -> int:
    from load import room

    if len(arguments) != 1 or not arguments[0].isdecimal() or not 1 <= int(arguments[0]) <= 100:
        print("How many learners, from 1 to 100? nox -s hub -- load 30", file=sys.stderr)
        return 2
    with (
        tempfile.TemporaryDirectory(prefix="hub-", ignore_cleanup_errors=True) as state,
        running(Path(state), secrets.token_urlsafe(6), port=18000) as (process, url, password),
    ):
        return asyncio.run(room(url, password, int(arguments[0]), process.pid))


@contextmanager
def running(state: Path, password: str, port: int = PORT) -> Iterator[tuple[subprocess.Popen[bytes], str, str]]:
    """A hub that answers; it ends, and its learners' servers with it, when the block does."""
    if not shutil.which("node"):
        sys.exit("The hub's proxy needs Node.js 20 or newer: install it, then run the same command again.")
    for needed in (port, port + 1, port + 2):
        if is_taken(needed):
            sys.exit(f"Another program has port {needed}, perhaps another hub: end it, then run this again.")
    state.mkdir(parents=True, exist_ok=True)
    variables = {"IAM_LAB_HUB": str(state), "IAM_LAB_HUB_PORT": str(port), "IAM_LAB_HUB_PASSWORD": password}
    command = [sys.executable, "-m", "jupyterhub", "--config", str(HERE / "jupyterhub_config.py")]
    log = state / "hub.log"
    with log.open("wb") as said:
        process = subprocess.Popen(command, env={**os.environ, **variables}, cwd=state, stdout=said, stderr=said)
    try:
        wait_until_up(f"http://127.0.0.1:{port}/hub/api/", process, log)
        yield process, f"http://127.0.0.1:{port}", password
    except KeyboardInterrupt:
        pass
    finally:
        process.terminate()
        process.wait(60)


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until_up(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    said = log.read_text(encoding="utf-8", errors="replace")
    sys.exit(f"The hub did not start. It said last:\n{said[-1500:]}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
