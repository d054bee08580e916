"""`lab.py` sets up once, starts what was asked for, and says in one sentence what to do when it cannot."""

from __future__ import annotations

import ast
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from .conftest import Lab, write_inputs


def called(answer: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What the module that lab.py started says of itself."""
    assert answer.stdout.strip(), answer.stderr
    return json.loads(answer.stdout.splitlines()[-1])


def sentence(answer: subprocess.CompletedProcess[str]) -> str:
    """The one line with which lab.py gave up."""
    assert answer.returncode == 1, answer.stderr
    assert answer.stderr.count("\n") == 1, answer.stderr
    return answer.stderr.strip()


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


# -- what it starts


def test_the_course_opens_where_its_lessons_are(lab: Lab) -> None:
    said = called(lab.run("--port=9000"))
    assert said["module"] == "simlib.start"
    assert said["arguments"] == [str(lab.folder / "notebooks"), "--port=9000"]


def test_the_playground_opens_as_an_app(lab: Lab) -> None:
    said = called(lab.run("app", "--port=9000"))
    assert said["module"] == "simlib.start"
    assert said["arguments"] == ["app", str(lab.folder / "notebooks"), "--port=9000"]


def test_packages_of_another_python_are_out_of_the_way(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "jupyterlab.py").write_text("raise ImportError('another one')", encoding="utf-8")
    said = called(lab.run(PYTHONPATH=str(tmp_path)))
    assert Path(said["jupyterlab"]).is_relative_to(lab.venv)


def test_what_starts_runs_in_the_labs_own_environment_and_finds_simlib(lab: Lab) -> None:
    said = called(lab.run())
    assert Path(said["python"]) == lab.venv
    assert Path(said["path"]).parent == lab.venv, "so that `!aws` in a cell is the lab's"
    assert Path(said["simlib"]) == lab.folder / "simlib" / "__init__.py"
    assert Path(said["folder"]) == lab.folder


def test_tests_get_their_options_and_their_result_is_the_commands_result(lab: Lab) -> None:
    answer = lab.run("test", "-k", "trust", "--fail")
    assert called(answer)["module"] == "pytest.__main__"
    assert called(answer)["arguments"] == ["-k", "trust", "--fail"]
    assert answer.returncode == 7


# -- setting up once


def test_nothing_is_installed_again_and_no_network_is_needed_when_nothing_changed(lab: Lab) -> None:
    lab.run()
    answer = replace(lab, variables={"PIP_INDEX_URL": f"http://127.0.0.1:{closed_port()}/"}).run()
    assert called(answer)["module"] == "simlib.start"
    assert "Setting up" not in answer.stdout


def test_the_lesson_needs_no_second_set_up_after_the_tests(lab: Lab) -> None:
    assert lab.run("test").returncode == 0
    assert "Setting up" not in lab.run().stdout


def test_only_what_is_not_there_yet_is_said_to_be_fetched(lab: Lab) -> None:
    assert lab.set_up.startswith("Setting up the lab in .venv: 149 MB to fetch, once.")
    assert lab.run("test").stdout.startswith("Setting up the lab in .venv: 62 MB to fetch, once.")


def test_changed_requirements_are_installed(lab: Lab) -> None:
    lab.run()
    write_inputs(lab.folder, lesson="jupyterlab==1\nnewcomer==1\n")
    answer = lab.run()
    assert "Setting up" in answer.stdout
    assert list(lab.venv.rglob("newcomer/__main__.py"))
    assert "Setting up" not in lab.run().stdout


def test_without_a_terminal_the_steps_are_told_in_lines(lab: Lab) -> None:
    said = lab.set_up.splitlines()
    assert said[0].startswith("Setting up the lab")
    assert said[1:3] == ["  jupyterlab (1) …", "  unpacking (2) …"]


def test_an_interrupted_set_up_is_done_over(lab: Lab) -> None:
    stale = lab.venv / "left-behind.txt"
    stale.write_text("half of a package", encoding="utf-8")
    lab.stamp.write_text("unfinished\n", encoding="utf-8")
    answer = lab.run()
    assert "Setting up" in answer.stdout
    assert called(answer)["module"] == "simlib.start"
    assert not stale.exists()


INTERRUPTED = """
import subprocess
class Popen(subprocess.Popen):
    def __init__(self, command, **options):
        if "pip" in command:
            raise KeyboardInterrupt
        super().__init__(command, **options)
subprocess.Popen = Popen
"""


def test_ctrl_c_during_the_set_up_says_how_to_go_on(lab: Lab) -> None:
    write_inputs(lab.folder, lesson="newcomer==1\n")
    answer = lab.run(before=INTERRUPTED)
    assert answer.returncode == 1
    assert answer.stderr.strip() == "Stopped. Run the same command again to go on."
    assert lab.stamp.read_text(encoding="utf-8") == "unfinished\n"


def test_a_moved_folder_is_set_up_again(lab: Lab, tmp_path: Path) -> None:
    moved = replace(lab, folder=tmp_path.resolve() / "elsewhere")
    shutil.copytree(lab.folder, moved.folder, symlinks=True)
    answer = moved.run()
    assert "Setting up" in answer.stdout
    assert Path(called(answer)["python"]) == moved.venv


def test_an_environment_of_the_learners_own_making_is_kept_and_completed(lab: Lab) -> None:
    own = lab.venv / "own.txt"
    own.write_text("", encoding="utf-8")
    lab.stamp.unlink()
    assert called(lab.run())["module"] == "simlib.start"
    assert own.exists()


# -- one sentence, with the remedy


@pytest.mark.parametrize("version", [(3, 6, 15), (3, 10, 13), (3, 15, 0)])
def test_an_unfit_python_is_named_with_what_to_run_instead(lab: Lab, version: tuple[int, int, int]) -> None:
    said = sentence(lab.run("test", "-x", before=f"sys.version_info = {version}"))
    assert said.startswith(f"The IAM lab needs Python 3.11 to 3.14, and this is Python 3.{version[1]}. ")
    assert said.endswith(" lab.py test -x")


def test_an_old_python_gets_as_far_as_being_told(root: Path) -> None:
    source = (root / "lab.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 7))
    assert "from __future__ import annotations" not in source, "Python 3.6 would stop there"


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_without_the_venv_module_the_package_to_install_is_named(new_lab: Lab, missing: str) -> None:
    debian = "import os, shutil; shutil.which = lambda name: '/usr/bin/' + name; os.geteuid = lambda: 1000\n"
    said = sentence(new_lab.run(before=f"{debian}sys.modules[{missing!r}] = None"))
    assert said.startswith("This Python cannot make virtual environments: sudo apt-get install python3.")
    assert said.endswith("-venv, then run the same command again.")
    assert not new_lab.venv.exists()


def test_an_unreachable_index_is_said_to_be_unreachable_and_the_next_run_goes_on(lab: Lab) -> None:
    write_inputs(lab.folder, lesson="jupyterlab==1\nnot-there-yet==1\n")
    index = f"http://127.0.0.1:{closed_port()}/"
    said = sentence(replace(lab, variables={"PIP_INDEX_URL": index, "PIP_RETRIES": "1"}).run())
    assert said.startswith("The package index cannot be reached: connect to the internet")
    write_inputs(lab.folder)
    assert called(lab.run())["module"] == "simlib.start"


def test_a_file_that_is_not_the_tested_one_is_refused(lab: Lab) -> None:
    other = f"--hash=sha256:{'0' * 64}"
    write_inputs(lab.folder, lesson=f"jupyterlab==1 {other}\nnewcomer==1 {other}\n")
    said = sentence(lab.run())
    assert said.startswith("The package index delivered a file that is not the one the lab was tested with")


def test_any_other_failure_of_pip_is_quoted_with_the_place_of_its_log(lab: Lab) -> None:
    write_inputs(lab.folder, lesson="no-such-package==1\n")
    said = sentence(lab.run())
    assert said.startswith("ERROR: No matching distribution found for no-such-package==1.")
    assert str(lab.venv / "lab-install.txt") in said


@pytest.mark.parametrize(
    "before",
    [
        "import shutil, types; shutil.disk_usage = lambda path: types.SimpleNamespace(free=300_000_000)",
        "import pathlib\ndef full(*a, **k): raise OSError(28, 'No space left on device')\npathlib.Path.mkdir = full",
    ],
    ids=["seen before", "met on the way"],
)
def test_a_full_disk_is_said_to_be_full(new_lab: Lab, before: str) -> None:
    said = sentence(new_lab.run(before=before))
    assert said.startswith(f"The disk is full: free 1.2 GB here and 0.3 GB in {tempfile.gettempdir()}, or let TMPDIR")


def test_a_folder_that_cannot_be_written_is_named(new_lab: Lab) -> None:
    denied = "def denied(path, **options): raise PermissionError(13, 'denied', str(path))"
    said = sentence(new_lab.run(before=f"import pathlib\n{denied}\npathlib.Path.mkdir = denied"))
    assert said.startswith(f"{new_lab.venv} cannot be written")


def test_an_incomplete_copy_of_the_repository_is_noticed(new_lab: Lab) -> None:
    (new_lab.folder / "requirements.txt").unlink()
    said = sentence(new_lab.run())
    assert str(new_lab.folder / "requirements.txt") in said
    assert said.endswith("Get the repository again if a file is missing.")


def test_an_unknown_command_is_answered_with_those_that_exist(new_lab: Lab) -> None:
    said = sentence(new_lab.run("tets"))
    assert said.startswith("lab.py has no command 'tets': ")
    assert "lab.py opens the lab" in said
    assert "lab.py app the playground" in said
    assert "lab.py test runs the tests" in said
    assert not new_lab.venv.exists()


def link_to(place: Path, link: Path) -> None:
    try:
        link.symlink_to(place, target_is_directory=True)
    except OSError:  # Windows, without its developer mode
        pytest.skip("this user may not make links: switch on Windows's developer mode")


@pytest.mark.parametrize("there", ["another lab's environment", "a folder of something else", "nothing"])
def test_what_a_link_in_the_environments_place_leads_to_is_left_alone(
    lab: Lab, new_lab: Lab, tmp_path: Path, there: str
) -> None:
    place = lab.venv if there == "another lab's environment" else tmp_path / "elsewhere"
    if there == "a folder of something else":
        place.mkdir()
        (place / "thesis.txt").write_text("three years", encoding="utf-8")
    link_to(place, new_lab.venv)
    before = sorted(place.rglob("*"))
    said = sentence(new_lab.run())
    assert said.startswith(f"{new_lab.venv} is a link to {place.resolve()}, and no environment of this lab's is there.")
    assert said.endswith("remove the link, then run the same command again.")
    assert sorted(place.rglob("*")) == before
    new_lab.venv.unlink()
    assert called(new_lab.run())["module"] == "simlib.start"


def test_an_environment_on_another_disk_may_be_linked_to(lab: Lab, tmp_path: Path) -> None:
    elsewhere = tmp_path.resolve() / "on another disk"
    lab.venv.rename(elsewhere)
    try:
        link_to(elsewhere, lab.venv)
        write_inputs(lab.folder, lesson="jupyterlab==1\nnewcomer==1\n")
        assert called(lab.run())["module"] == "simlib.start"
        assert list(elsewhere.rglob("newcomer/__main__.py"))
    finally:
        lab.venv.unlink(missing_ok=True)
        elsewhere.rename(lab.venv)


@pytest.mark.parametrize("option", ["--help", "-h", "help"])
def test_help_names_both_commands_and_installs_nothing(new_lab: Lab, option: str) -> None:
    answer = new_lab.run(option)
    assert answer.returncode == 0
    assert "python3 lab.py test " in answer.stdout
    assert not new_lab.venv.exists()


@pytest.mark.skipif(os.name == "nt", reason="a pipe that nobody reads is met on Linux and macOS: run this there")
def test_whoever_has_read_enough_of_the_help_is_told_nothing_more(root: Path) -> None:
    ends = os.pipe()
    os.close(ends[0])
    command = [sys.executable, str(root / "lab.py"), "help"]
    answer = subprocess.run(command, stdout=ends[1], stderr=subprocess.PIPE, encoding="utf-8")
    os.close(ends[1])
    assert (answer.returncode, answer.stderr) == (0, "")
