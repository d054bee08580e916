"""A JupyterHub on this machine.

nox -s hub                     start one, on port 8000
nox -s hub -- --port 9000      on another port; the three above it are the hub's own, the proxy's and the room's
nox -s hub -- load 30          send thirty learners through a hub of their own
nox -s hub -- intruder         a hub of its own with two learners and somebody who wants what is theirs
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
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
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PORT = 8000


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="nox -s hub --", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, help=f"the first of four that are needed; {PORT} unless said otherwise")
    parser.add_argument("what", nargs="?", choices=["load", "intruder"], help="what to try on a hub of its own")
    parser.add_argument("seats", nargs="?", type=int, default=30, help="how many, 1 to 100; 30 unless said otherwise")
    options = parser.parse_args(arguments)
    if not 1 <= options.seats <= 100:
        parser.error("1 to 100 learners")
    os.umask(0o077)
    if options.what:
        return on_trial(options.what, options.seats, options.port or 18000)
    make_importable()
    state = ROOT / ".nox" / "hub-state"
    (state / "progress").mkdir(parents=True, exist_ok=True)  # so that the room can be looked at before anybody comes
    with running(state, options.port or PORT) as hub:
        print(f"Open {hub.url} – any name without spaces, password {hub.password}. Each name is a learner.")
        print("Ctrl+C ends the hub.")
        print(f"The room: {hub.url}/services/room/ – name instructor, password {hub.instructor}")
        print(f"or in another terminal: {shlex.join(view_of_the_room(state))}")
        if not hub.apart:
            print(
                "All learners run as you: nothing keeps one from another's files. binder/hub/README.md has what does."
            )
        sys.stdout.flush()
        hub.process.wait()
    return 0


def view_of_the_room(state: Path) -> list[str]:
    """The command that shows it, from whatever folder: -P, so that nothing that lies there is taken for the lab."""
    return [sys.executable, "-P", "-m", "simlib", "progress", str(state / "progress"), "--watch"]


def make_importable() -> None:
    """Let the Python of the hub find the lab wherever it is started, as `lab.py` does for its own."""
    Path(sysconfig.get_path("purelib"), "iam-lab.pth").write_text(f"{ROOT}\n", encoding="utf-8")


def on_trial(what: str, seats: int, port: int) -> int:
    from intruder import intrude
    from load import room

    with (
        tempfile.TemporaryDirectory(prefix="hub-", ignore_cleanup_errors=True) as state,
        running(Path(state), port) as hub,
    ):
        if what == "load":
            return asyncio.run(room(hub.url, hub.password, seats, hub.process.pid))
        return asyncio.run(intrude(hub, Path(state)))


@dataclass(frozen=True)
class Hub:
    """One that answers: its address, the room's password and the instructor's; `apart`: each learner a user."""

    process: subprocess.Popen[bytes]
    url: str
    password: str
    instructor: str
    apart: bool


@contextmanager
def running(state: Path, port: int) -> Iterator[Hub]:
    """A hub that answers; it ends, and its learners' servers with it, when the block does."""
    if not shutil.which("node"):
        sys.exit("The hub's proxy needs Node.js 20 or newer: install it, then run the same command again.")
    for needed in range(port, port + 4):
        if is_taken(needed):
            sys.exit(f"Another program has port {needed}, perhaps another hub: end it, or take another: --port 9000")
    state.mkdir(parents=True, exist_ok=True)
    apart = learners_can_be_users(state)
    password, instructor = secrets.token_urlsafe(6), secrets.token_urlsafe(24)
    variables = {"": str(state), "_PORT": str(port), "_PASSWORD": password, "_INSTRUCTOR": instructor}
    variables["_APART"] = "1" if apart else ""
    told = {f"IAM_LAB_HUB{name}": value for name, value in variables.items()}
    command = [sys.executable, "-m", "jupyterhub", "--config", str(HERE / "jupyterhub_config.py")]
    log = state / "hub.log"
    with log.open("wb") as said:
        process = subprocess.Popen(command, env={**os.environ, **told}, cwd=state, stdout=said, stderr=said)
    started: set[psutil.Process] = set()
    try:
        wait_until_up(f"http://127.0.0.1:{port}/hub/api/", process, log, started)
        yield Hub(process, f"http://127.0.0.1:{port}", password, instructor, apart)
    finally:
        started |= started_by(process)
        process.terminate()
        process.wait(60)
        for each in started:  # a hub that has not started wholly leaves its proxy and the room's page, and their ports
            with suppress(psutil.NoSuchProcess):
                each.terminate()


def started_by(hub: subprocess.Popen[bytes]) -> set[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return set(psutil.Process(hub.pid).children(recursive=True))
    return set()


def learners_can_be_users(state: Path) -> bool:
    """Whether each learner can be a user of the system: root started this, and every user may read the lab."""
    if sys.platform != "linux" or os.geteuid():
        return False
    for folder in (state, state / "homes", state / "progress"):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o711)  # to go through, not to look around
    command = [sys.executable, "-P", "-c", f"open({str(HERE / 'hub.py')!r})"]
    try:
        done = subprocess.run(command, user=65534, group=65534, extra_groups=[], stderr=subprocess.DEVNULL)
    except PermissionError:  # even Python lies where only root may read
        return False
    return done.returncode == 0


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until_up(address: str, process: subprocess.Popen[bytes], log: Path, started: set[psutil.Process]) -> None:
    """Wait for its answer, and note what it starts meanwhile: how it ended would not tell any more."""
    deadline = time.monotonic() + 300  # a busy machine takes its time; a hub that has ended is noticed at once
    while time.monotonic() < deadline and process.poll() is None:
        started |= started_by(process)
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    said = log.read_text(encoding="utf-8", errors="replace")
    own = "\n".join(re.findall(r"^\[[EC] .*", said, re.MULTILINE))  # without the proxy's, which misses the hub
    sys.exit(f"The hub did not start. It said last:\n{(own or said)[-1500:]}")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
