"""What is in the repository belongs to everybody: no package index's address, no path of one machine, no leftovers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

from simlib.lessons import METADATA

from .conftest import ROOT

HOSTS = ["py" + "pi.org", "python" + "hosted.org", "registry." + "npmjs", "deb." + "debian.org", "ana" + "conda.org"]
MACHINE = re.compile(r"/root/\w|/Users/\w|[A-Z]:\\Users\\|/opt/(wheels|pypi)|index-url|find-links =")


@cache
def tracked() -> list[Path]:
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git clone, so nothing says which files are the repository's: clone it with git to run this")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:  # a picture, a data file
        return []


def places(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT).as_posix()}:{number}"
        for path in tracked()
        if path != Path(__file__)
        for number, line in enumerate(lines(path), start=1)
        if pattern.search(line)
    ]


def test_no_file_names_a_package_index() -> None:
    assert places(re.compile("|".join(map(re.escape, HOSTS)))) == []


def test_no_file_names_a_path_of_one_machine() -> None:
    here = [re.escape(str(path)) for path in (ROOT, Path.home()) if len(path.parts) > 2]
    assert places(re.compile("|".join([MACHINE.pattern, *here]))) == []


def test_no_file_is_a_leftover() -> None:
    leftovers = re.compile(
        r"(^|/)(\.venv|\.nox|__pycache__|\.ipynb_checkpoints|node_modules|build|dist)/|\.(pyc|orig|rej)$"
    )
    names = [path.relative_to(ROOT).as_posix() for path in tracked()]
    assert [name for name in names if leftovers.search(name)] == []


NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_committed_without_outputs_and_without_what_jupyterlab_adds_on_saving(path: Path) -> None:
    """The commit hook strips both: `pipx run pre-commit run --all-files`."""
    book = json.loads(path.read_text(encoding="utf-8"))
    ran = [cell["id"] for cell in book["cells"] if cell.get("outputs") or cell.get("execution_count")]
    assert ran == []
    meant = [{"slideshow": {"slide_type": kind}} for kind in ("slide", "subslide", "fragment", "skip")]
    folded = {"jupyter": {"source_hidden": True}, "slideshow": {"slide_type": "skip"}}
    for cell in book["cells"]:
        assert cell["metadata"] in ([folded] if cell["id"].startswith("folded-") else [{}, *meant]), cell["id"]
    assert book["metadata"] == METADATA


def test_the_scripts_that_are_run_by_name_are_executable() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--stage", ".ci/run", "binder/postBuild"], cwd=ROOT, capture_output=True, encoding="utf-8"
    ).stdout
    assert tracked()
    assert [line.split()[0] for line in listed.splitlines()] == ["100755", "100755"]


def test_no_folder_of_tests_is_forgotten() -> None:
    named = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"][
        "testpaths"
    ]
    found = {path.relative_to(ROOT).parts[:2] for path in (ROOT / "tests").rglob("test_*.py")}
    assert {"/".join(parts) for parts in found} == set(named)
