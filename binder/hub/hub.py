"""A JupyterHub on this machine.

nox -s hub                     start one, on port 8000
nox -s hub -- --port 9000      on another port; the two above it are the hub's own and the proxy's
nox -s hub -- load 30          send thirty learners through a hub of their own
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PORT = 8000


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="nox -s hub --", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, help=f"the first of three that are needed; {PORT} unless said otherwise")
    parser.add_argument("what", nargs="?", choices=["load"], help="send learners through lesson 1, and measure")
    parser.add_argument("seats", nargs="?", type=int, default=30, help="how many, 1 to 100; 30 unless said otherwise")
    options = parser.parse_args(arguments)
    if not 1 <= options.seats <= 100:
        parser.error("1 to 100 learners")
    if options.what:
        return under_load(options.seats, options.port or 18000)
    make_importable()
    state = ROOT / ".nox" / "hub-state"
    (state / "progress").mkdir(parents=True, exist_ok=True)  # so that the room can be looked at before anybody comes
    with running(state, secrets.token_urlsafe(6), options.port or PORT) as (process, url, password):
        print(f"Open {url} – any name, password {password}. Each name is a learner. Ctrl+C ends the hub.")
        print(f"See the room, in another terminal: {shlex.join(view_of_the_room(state))}", flush=True)
        process.wait()
    return 0


def view_of_the_room(state: Path) -> list[str]:
    """The command that shows it, from whatever folder: -P, so that nothing that lies there is taken for the lab."""
    return [sys.executable, "-P", "-m", "simlib", "progress", str(state / "progress"), "--watch"]


def make_importable() -> None:
    """Let the Python of the hub find the lab wherever it is started, as `lab.py` does for its own."""
    Path(sysconfig.get_path("purelib"), "iam-lab.pth").write_text(f"{ROOT}\n", encoding="utf-8")


def under_load(seats: int, port: int) -> int:
    from load import room

    with (
        tempfile.TemporaryDirectory(prefix="hub-", ignore_cleanup_errors=True) as state,
        running(Path(state), secrets.token_urlsafe(6), port) as (process, url, password),
    ):
        return asyncio.run(room(url, password, seats, process.pid))


@contextmanager
def running(state: Path, password: str, port: int) -> Iterator[tuple[subprocess.Popen[bytes], str, str]]:
    """A hub that answers; it ends, and its learners' servers with it, when the block does."""
    if not shutil.which("node"):
        sys.exit("The hub's proxy needs Node.js 20 or newer: install it, then run the same command again.")
    for needed in (port, port + 1, port + 2):
        if is_taken(needed):
            sys.exit(f"Another program has port {needed}, perhaps another hub: end it, or take another: --port 9000")
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
