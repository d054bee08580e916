"""The configuration of the hub that `nox -s hub` starts, without starting it."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from traitlets.config import Config

from simlib.lessons import find
from tests.browser.servers import free_port

from .conftest import ROOT, bare_environment

pytestmark = pytest.mark.skipif(os.name == "nt", reason="JupyterHub does not run on Windows: run this elsewhere")
ALICE = SimpleNamespace(user=SimpleNamespace(name="alice"))


@pytest.fixture
def hub(configured: Callable[[Path], Any], tmp_path: Path) -> Any:
    return configured(tmp_path)


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Any]:
    """The configuration of a hub whose state is in that folder."""

    def of(state: Path) -> Any:
        config = Config()
        told = {"": str(state), "_PORT": "9000", "_PASSWORD": "a password", "_INSTRUCTOR": "i" * 32}
        for name, value in told.items():
            monkeypatch.setenv(f"IAM_LAB_HUB{name}", value)
        runpy.run_path(str(ROOT / "binder/hub/jupyterhub_config.py"), init_globals={"get_config": lambda: config})
        return config

    return of


def test_it_listens_on_the_loopback_address_only(hub: Any) -> None:
    addresses = (hub.JupyterHub.bind_url, hub.JupyterHub.hub_bind_url, hub.ConfigurableHTTPProxy.api_url)
    assert {urlsplit(address).hostname for address in addresses} == {"127.0.0.1"}
    assert len({urlsplit(address).port for address in addresses}) == 3
    assert hub.Spawner.ip == "127.0.0.1"


def test_nobody_comes_in_without_the_password(hub: Any) -> None:
    assert hub.JupyterHub.authenticator_class == "shared-password"
    assert hub.SharedPasswordAuthenticator.user_password == "a password"


def test_the_room_is_shown_to_the_instructor_alone_who_has_a_password_of_their_own(hub: Any) -> None:
    roles = {scope: role["users"] for role in hub.JupyterHub.load_roles for scope in role["scopes"]}
    assert roles == {"access:services!service=room": ["instructor"]}
    assert hub.SharedPasswordAuthenticator.admin_users == {"instructor"}
    assert hub.SharedPasswordAuthenticator.admin_password not in ("", hub.SharedPasswordAuthenticator.user_password)
    (service,) = hub.JupyterHub.services
    assert Path(service["command"][2]).is_file()
    assert urlsplit(service["url"]).hostname == "127.0.0.1"


def test_the_sign_in_page_says_which_names_it_takes(hub: Any) -> None:
    assert "letters, digits, dots and hyphens" in hub.JupyterHub.template_vars["announcement_login"]


@pytest.mark.parametrize("name", ["../bob", "a/b", "a b", "ada\n", ".ssh", "", "a" * 60])
def test_a_name_that_is_no_folder_of_its_own_is_refused(hub: Any, name: str) -> None:
    pattern = re.compile(hub.SharedPasswordAuthenticator.username_pattern)  # JupyterHub uses `match`
    assert not pattern.match(name)
    assert pattern.match("ada.l-2")


def test_a_learner_begins_on_the_first_page_with_lessons_and_a_place_for_progress(hub: Any, tmp_path: Path) -> None:
    hub.Spawner.pre_spawn_hook(ALICE)
    home = Path(hub.SimpleLocalProcessSpawner.home_dir_template.format(username="alice"))
    assert home.is_relative_to(tmp_path)
    assert (home / hub.Spawner.default_url.removeprefix("/lab/tree/")).is_file()
    progress = Path(hub.Spawner.environment["IAM_LAB_PROGRESS"](ALICE))
    assert progress.parent.is_dir()
    assert progress.relative_to(tmp_path).parts == ("progress", "alice", "progress.json")


def test_who_comes_again_finds_the_own_work(hub: Any, tmp_path: Path) -> None:
    hub.Spawner.pre_spawn_hook(ALICE)
    page = tmp_path / "homes" / "alice" / hub.Spawner.default_url.removeprefix("/lab/tree/")
    page.write_text("mine", encoding="utf-8")
    hub.Spawner.pre_spawn_hook(ALICE)
    assert page.read_text(encoding="utf-8") == "mine"


def test_the_line_that_shows_the_room_runs_from_a_folder_with_another_simlib(hub: Any, tmp_path: Path) -> None:
    hub.Spawner.pre_spawn_hook(ALICE)
    (tmp_path / "simlib").mkdir()
    (tmp_path / "simlib" / "__main__.py").write_text("raise SystemExit('a learner has put this here')", "utf-8")
    line = runpy.run_path(str(ROOT / "binder/hub/hub.py"))["view_of_the_room"](tmp_path)
    assert line.pop() == "--watch"
    answer = subprocess.run(line, cwd=tmp_path, env=bare_environment(), capture_output=True, encoding="utf-8")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith("No progress file yet.")


def test_its_port_is_chosen(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    module = runpy.run_path(str(ROOT / "binder/hub/hub.py"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setitem(module["main"].__globals__, "make_importable", lambda: None)
        monkeypatch.setattr(shutil, "which", lambda name: name)
        with pytest.raises(SystemExit, match=f"Another program has port {port}, .* --port 9000"):
            module["main"](["--port", str(port)])


HUB_THAT_STARTS = """import pathlib, signal, subprocess, sys
proxy = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
pathlib.Path("proxy.new").write_text(str(proxy.pid))
pathlib.Path("proxy.new").rename("proxy")
signal.pause()
"""


@pytest.mark.parametrize("end", ["Ctrl+C", "by itself"])
def test_a_hub_that_ends_while_it_starts_leaves_no_proxy_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    (tmp_path / "jupyterhub.py").write_text(HUB_THAT_STARTS, encoding="utf-8")
    module = runpy.run_path(str(ROOT / "binder/hub/hub.py"))["main"].__globals__
    real = module["started_by"]

    ends = iter([end])

    def noted(hub: subprocess.Popen[bytes]) -> set[psutil.Process]:
        is_up = (tmp_path / "proxy").exists()
        found: set[psutil.Process] = real(hub)
        if is_up and (now := next(ends, "")):
            if now == "Ctrl+C":
                raise KeyboardInterrupt
            hub.kill()
        return found

    monkeypatch.setitem(module, "started_by", noted)
    monkeypatch.setattr(shutil, "which", lambda name: name)
    with pytest.raises(KeyboardInterrupt if end == "Ctrl+C" else SystemExit), module["running"](tmp_path, free_port()):
        pass
    with suppress(psutil.NoSuchProcess):
        proxy = psutil.Process(int((tmp_path / "proxy").read_text(encoding="utf-8")))
        psutil.wait_procs([proxy], timeout=60)
        assert not proxy.is_running() or proxy.status() == psutil.STATUS_ZOMBIE


def test_the_learners_who_try_a_hub_take_lesson_1() -> None:
    said = (ROOT / "binder/hub/learner.py").read_text(encoding="utf-8")
    assert f'LESSON = "notebooks/{find(1).notebook}"' in said


# -- each learner a user of the system

LOOKS = """import os, pathlib, sys
def tried(work):
    try:
        return str(work())
    except PermissionError:
        return "refused"
mine, theirs = map(pathlib.Path, sys.argv[1:])
mark = mine / "note.txt"
mark.write_text("mine")
print(os.getresuid(), os.getresgid(), os.getgroups(), oct(mark.stat().st_mode), tried(lambda: os.setuid(0)), sep="|")
print(*(tried(work) for work in (
    lambda: [*theirs.iterdir()], (theirs / "notebooks" / "00-start-here.ipynb").read_text,
    lambda: (theirs / "new").touch(), lambda: [*theirs.parent.iterdir()])))
"""


@pytest.fixture
def seats(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Two learners of a hub that root has started, with their homes."""
    if os.name == "nt" or os.geteuid():
        pytest.skip("only root can make each learner a user of the system: run this as root")
    spawner = type("SimpleLocalProcessSpawner", (), {"make_preexec_fn": lambda self, name: lambda: None})
    for name in ("jupyterhub", "jupyterhub.spawner"):  # which is in the hub's environment alone
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setattr(sys.modules["jupyterhub.spawner"], "SimpleLocalProcessSpawner", spawner, raising=False)
    monkeypatch.setenv("IAM_LAB_HUB_APART", "1")
    seat = runpy.run_path(str(ROOT / "binder/hub/seat.py"))["Seat"]
    made = []
    for number, name in enumerate(("ada", "mallory"), start=1):
        made.append(seat())
        made[-1].user = SimpleNamespace(id=number, name=name)
    with tempfile.TemporaryDirectory(prefix="hub-") as state:  # where others may go through, other than pytest's
        for folder in (state, f"{state}/homes", f"{state}/progress"):
            Path(folder).mkdir(exist_ok=True)
            Path(folder).chmod(0o711)
        yield made, Path(state)


def test_learners_are_users_of_the_system_whom_nothing_is_common_to(
    seats: Any, configured: Callable[[Path], Any]
) -> None:
    learners, state = seats
    ada, mallory = learners
    assert ada.uid != mallory.uid
    assert min(ada.uid, mallory.uid) >= 200_000
    for each in learners:
        configured(state).Spawner.pre_spawn_hook(each)
    homes = [state / "homes" / each.user.name for each in learners]
    prepare = mallory.make_preexec_fn("mallory")

    def in_a_group_of_roots() -> None:
        os.setgroups([0, 4])
        prepare()

    done = subprocess.run(
        ["/usr/bin/env", "python3", "-c", LOOKS, *map(str, homes[::-1])],
        preexec_fn=in_a_group_of_roots, cwd=homes[1], capture_output=True, encoding="utf-8",
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    who, looked = done.stdout.splitlines()
    assert who == "|".join(["|".join(map(str, [(mallory.uid,) * 3, (mallory.uid,) * 3, []])), "0o100600", "refused"])
    assert looked == "refused refused refused refused"
