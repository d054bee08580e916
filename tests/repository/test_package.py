"""The installed package is whole: what the repository has of the lab is in the wheel, and works far from here."""

from __future__ import annotations

import email
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from hatchling.build import build_editable, build_wheel

import simlib

from .conftest import ROOT, bare_environment
from .test_tracked_files import tracked


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, before = tmp_path_factory.mktemp("wheel"), Path.cwd()
    os.chdir(ROOT)  # where a builder of packages is called
    try:
        return folder / build_wheel(str(folder))
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the scripts of an environment of its own: the wheel in it, the packages it needs lent by ours."""
    place = tmp_path_factory.mktemp("installed")
    venv.create(place, symlinks=os.name != "nt")
    scripts = place / ("Scripts" if os.name == "nt" else "bin")
    python = str(scripts / ("python.exe" if os.name == "nt" else "python"))
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = Path(subprocess.check_output([python, "-c", where], encoding="utf-8").strip())
    (own / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return scripts


def test_the_wheel_holds_the_package_and_the_lessons_and_nothing_else(wheel: Path) -> None:
    ours = {path.relative_to(ROOT).as_posix() for path in tracked()}
    expected = {name for name in ours if name.startswith("simlib/")}
    expected |= {f"simlib/{name}" for name in ours if name.startswith("notebooks/")}
    assert {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name} == expected


def test_by_hand_the_repository_itself_is_what_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # `pip install --no-deps -e .`
    with zipfile.ZipFile(tmp_path / build_editable(str(tmp_path))) as files:
        [path] = [files.read(name).decode() for name in files.namelist() if name.endswith(".pth")]
    assert Path(path.strip()) == ROOT


def test_its_description_is_the_readme_and_its_command_is_there(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        about = {Path(name).name: files.read(name).decode() for name in files.namelist() if ".dist-info/" in name}
    metadata = email.message_from_string(about["METADATA"])
    assert metadata["Name"] == "iam-lab"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert "# The IAM lab" in metadata.get_payload()
    assert "iam-lab = simlib.start:main" in about["entry_points.txt"]
    assert "LICENSE" in about


def test_it_is_imported_from_where_it_was_installed_and_has_all_it_reads(installed: Path, tmp_path: Path) -> None:
    code = """
import simlib
from simlib import Cloud, lab
from simlib.lab import handout
from simlib.lab.lesson_cells import read_lesson
aws = Cloud.start()
print(aws.account("dev").admin.client("sts").get_caller_identity()["Account"], len(handout.points()) > 7, end=" ")
print(len(read_lesson(1)) > 9, bool(lab.PolicyEditor({"Version": "2012-10-17", "Statement": []})), simlib.__file__)
"""
    answer = run(installed, tmp_path, "python", "-c", code)
    assert answer.stdout.split()[:4] == ["111111111111", "True", "True", "True"], answer.stderr
    assert Path(answer.stdout.split()[4]).is_relative_to(installed.parent)


def test_its_command_copies_the_course_and_opens_it(installed: Path, tmp_path: Path) -> None:
    answer = run(installed, tmp_path, "iam-lab", "lessons", "--version")  # JupyterLab's, so that it ends at once
    assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "lessons" / "00-start-here.ipynb").exists()
    assert not (tmp_path / "lessons" / "instructor-guide.md").exists()
    assert run(installed, tmp_path, "iam-lab", "--version").stdout == f"The IAM lab {simlib.__version__}\n"


def run(scripts: Path, folder: Path, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(scripts / command), *arguments],
        env=bare_environment(),
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
    )
