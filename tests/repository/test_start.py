"""`iam-lab`, and what `lab.py` starts: the course in a folder, the playground as an app, and nothing that alarms."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from simlib import start
from tests.browser.servers import free_port

from .conftest import ROOT, bare_environment


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a start changes for its kernels is put back."""
    environment, path = dict(os.environ), list(sys.path)
    yield
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:] = path


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """With which arguments JupyterLab was started."""
    from jupyterlab.labapp import LabApp

    calls: list[list[str]] = []
    monkeypatch.setattr(LabApp, "launch_instance", calls.append)
    return calls


def test_a_folder_gets_a_copy_of_the_course_without_the_instructors_answers(tmp_path: Path, started: Any) -> None:
    folder = tmp_path / "my lessons"
    assert start.main([str(folder), "--port=9000"]) == 0
    there = {path.name for path in folder.iterdir()}
    assert there == {path.name for path in (ROOT / "notebooks").glob("*.ipynb")} | {
        "glossary.md",
        "writing-challenges.md",
    }
    [arguments] = started
    assert f"--ServerApp.root_dir={folder}" in arguments
    assert f"--LabApp.default_url=/lab/tree/{start.FIRST_PAGE}" in arguments
    assert "--ip=127.0.0.1" in arguments
    assert arguments[-1] == "--port=9000", "the learner's own options come last, so that they win"


def test_what_a_learner_has_changed_stays_and_what_is_missing_comes_back(tmp_path: Path, started: Any) -> None:
    start.main([str(tmp_path)])
    (tmp_path / start.FIRST_PAGE).write_text("mine", encoding="utf-8")
    (tmp_path / "glossary.md").unlink()
    start.main([str(tmp_path)])
    assert (tmp_path / start.FIRST_PAGE).read_text(encoding="utf-8") == "mine"
    assert (tmp_path / "glossary.md").exists()


def test_the_repositorys_own_lessons_are_opened_where_they_are(
    started: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted((ROOT / "notebooks").iterdir())
    start.main([str(ROOT / "notebooks")])
    assert sorted((ROOT / "notebooks").iterdir()) == before
    assert "copied" not in capsys.readouterr().out


@pytest.mark.parametrize("taken", ["file", "file/below", "closed/below"])
@pytest.mark.parametrize("command", [[], ["app"]], ids=["course", "app"])
def test_a_folder_that_cannot_be_had_is_told_in_a_line(
    tmp_path: Path, started: Any, capsys: pytest.CaptureFixture[str], command: list[str], taken: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "closed").mkdir(mode=0o500)
    if os.name == "nt" or os.access(tmp_path / "closed", os.W_OK):  # root may write everywhere
        taken = taken.replace("closed", "file")
    assert start.main([*command, str(tmp_path / taken)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"The lessons cannot be copied to {tmp_path / taken}: ")
    assert said.err.endswith(". Name another folder.\n")
    assert started == []


@pytest.mark.parametrize("command", [[], ["app"], ["test"]], ids=["course", "app", "test"])
def test_help_starts_and_copies_nothing(
    tmp_path: Path,
    started: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert start.main([*command, "--help"]) == 0
    assert "iam-lab app [FOLDER]" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == started == []


def test_options_of_the_test_are_refused_before_it_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert start.main(["test", "-k", "trust"]) == 2
    assert capsys.readouterr().err == "iam-lab test runs every lesson, and has no options.\n"


def test_ctrl_c_while_it_starts_ends_in_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(start, "open_course", interrupted)
    assert start.main([str(tmp_path)]) == 130
    assert capsys.readouterr().err == "Stopped.\n"


FAILS = """class Panel:
    def _repr_mimebundle_(self, **_):
        raise LookupError("no such role")
Panel()"""


@pytest.mark.parametrize("code", ["print(1 + 1)", FAILS], ids=["runs", "fails"])
def test_the_lessons_are_run_and_what_fails_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    for name in (start.FIRST_PAGE, "01-users.ipynb"):
        nbformat.write(book, tmp_path / name)
    monkeypatch.setattr(start, "lessons", lambda: tmp_path)
    assert start.main(["test"]) == (1 if code == FAILS else 0)
    said = capsys.readouterr()
    assert ("✔ 01-users" in said.out) == (code != FAILS)
    assert ("✘ 00-start-here" in said.err and "LookupError: no such role" in said.err) == (code == FAILS)
    assert "\x1b" not in said.err


def test_kernels_meet_nothing_of_another_python(tmp_path: Path, started: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    other = str(tmp_path / "other")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([other, str(ROOT)]))
    sys.path.insert(0, other)
    start.main([str(tmp_path / "lessons")])
    assert "PYTHONPATH" not in os.environ
    assert other not in sys.path
    assert Path(os.environ["PATH"].split(os.pathsep)[0]) == Path(sys.executable).parent, "so that `!aws` is the lab's"


def test_another_boto3_in_the_way_is_told_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "boto3.py").write_text("", encoding="utf-8")
    environment = {**bare_environment(), "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-c", "from simlib import Cloud"]
    said = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, encoding="utf-8").stderr
    assert f"Packages in PYTHONPATH ({tmp_path}" in said.splitlines()[-1]
    assert said.endswith("come before the lab's own: unset it, or start by iam-lab\n")


@pytest.mark.parametrize(
    ("platform", "variables", "opens"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"DISPLAY": "localhost:10.0", "SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"}, False),
        ("darwin", {}, True),
        ("darwin", {"SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"}, False),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="Windows always has a screen: run this on Linux or macOS")
def test_a_browser_is_opened_only_where_there_is_a_screen(
    monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], opens: bool
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert list(start.without_screen()) == ([] if opens else ["--no-browser"])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no root: run this on Linux or macOS")
@pytest.mark.parametrize("user", [0, 1000])
def test_jupyterlab_is_told_when_it_runs_as_root(
    tmp_path: Path, started: Any, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    start.main([str(tmp_path)])
    assert ("--allow-root" in started[0]) == (user == 0)


SETTINGS = {  # whose the settings are that every start brings along
    "ServerApp": "jupyter_server.serverapp",
    "ContentsManager": "jupyter_server.services.contents.manager",
    "MappingKernelManager": "jupyter_server.services.kernels.kernelmanager",
    "LabApp": "jupyterlab.labapp",
    "Voila": "voila.app",
    "VoilaConfiguration": "voila.configuration",
}


@pytest.mark.parametrize("file", ["jupyter_server_config.json", "voila.json"])
def test_every_setting_is_one_that_jupyter_has(file: str) -> None:
    settings = json.loads((start.APP / file).read_text(encoding="utf-8"))
    for owner, values in settings.items():
        known = getattr(import_module(SETTINGS[owner]), owner).class_trait_names(config=True)
        assert set(values) - set(known) == set(), owner
    assert settings["MappingKernelManager"]["transport_encryption"] == "auto", "what SECURITY.md says"


def test_without_jupyter_the_line_to_install_it_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(start, "find_spec", lambda name: None)
    assert start.main(["lessons"]) == 1
    assert "pip install 'iam-lab[jupyter]'" in capsys.readouterr().err


def test_the_address_comes_with_nothing_that_alarms_and_the_page_asks_no_question(tmp_path: Path) -> None:
    port = free_port()
    npm = tmp_path / "bin" / "npm"  # Jupyter's look for language servers would start it, and it writes logs
    npm.parent.mkdir()
    npm.write_text(f'#!/bin/sh\ntouch "{tmp_path}/npm was started"\n', encoding="utf-8")
    npm.chmod(0o755)
    command = [sys.executable, "-m", "simlib.start", str(ROOT / "notebooks"), "--no-browser", f"--port={port}"]
    environment = {**bare_environment(), "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    environment["PATH"] = os.pathsep.join([str(npm.parent), environment["PATH"]])
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8"}
    with subprocess.Popen(command, env=environment, cwd=tmp_path, **pipes) as running:
        try:
            assert running.stdout
            said = [running.stdout.readline()]
            while said[-1] and "?token=" not in said[-1]:
                said.append(running.stdout.readline())
            address = said[-1].strip()
            page = first_answer(address)
            listed = json.loads(first_answer(address.replace(f"lab/tree/{start.FIRST_PAGE}", "api/contents")))
        finally:
            running.kill()  # a gentle end is lost while it still starts
    assert not re.search("warning|deprecat|not trusted|encrypt", "".join(said), re.IGNORECASE)
    assert f"/lab/tree/{start.FIRST_PAGE}?token=" in said[-1]
    [settings] = re.findall(r'id="jupyter-config-data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert "@jupyterlab/apputils-extension:announcements" in json.loads(settings)["disabledExtensions"]
    assert start.FIRST_PAGE in {entry["name"] for entry in listed["content"]}
    assert "instructor-guide.md" not in {entry["name"] for entry in listed["content"]}
    assert not (tmp_path / "npm was started").exists()


def test_the_playground_asks_for_the_token_in_its_address_and_listens_on_this_machine_only(tmp_path: Path) -> None:
    options = ("--no-browser", f"--port={free_port()}")
    command = [sys.executable, "-m", "simlib.start", "app", str(ROOT / "notebooks"), *options]
    environment = {**bare_environment(), "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8"}
    with subprocess.Popen(command, env=environment, cwd=tmp_path, **pipes) as running:
        try:
            assert running.stdout
            said = [running.stdout.readline()]
            while said[-1] and "http://" not in said[-1]:
                said.append(running.stdout.readline())
            found = re.fullmatch(r"(http://127\.0\.0\.1:\d+)/\?token=([0-9a-f]{32,})\s*", said[-1])
            assert found, said
            assert "password" in first_answer(f"{found[1]}/login")
            led = [urllib.request.urlopen(f"{found[1]}{path}").url for path in ("", "/api/kernels", "/api/contents")]
            opened = psutil.Process(running.pid).net_connections()
            listening = {each.laddr.ip for each in opened if each.status == psutil.CONN_LISTEN}
        finally:
            running.kill()
    assert {address.partition("?")[0] for address in led} == {f"{found[1]}/login"}
    assert listening == {"127.0.0.1"}


def first_answer(address: str) -> str:
    """What the server answers, once it does: it tells its address a moment before."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(address, timeout=60) as answer:
                return str(answer.read().decode())
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
