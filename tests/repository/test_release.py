"""The release check objects to whatever is missing, and to nothing else; the version stands in one place."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import simlib

from . import ready_to_release as release
from .conftest import ROOT

CHANGES = (
    "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-11-24\n\n### Added\n\n- A bell.\n\n## [0.1.0] - 2026-01-01\n"
)
MEASURED = """# What the lab costs

`nox -s bench` has written this. simlib 0.2.0; Linux; moto 5.

| | | |
|---|---|---|
| a call | 1.10 | holds |
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One that is ready."""
    if not shutil.which("git"):
        pytest.skip("no git: install it to run this")
    write(tmp_path, "simlib/__init__.py", '"""The lab."""\n\n__version__ = "0.2.0"\n')
    write(tmp_path, "CHANGELOG.md", CHANGES)
    write(tmp_path, "notebooks/01.ipynb", json.dumps({"cells": [{"cell_type": "code", "outputs": []}]}))
    write(tmp_path, release.RESULTS, MEASURED)
    write(tmp_path, "docs/page.md", "A page.\n")
    write(tmp_path, "pyproject.toml", '[project.urls]\nRepository = "https://github.com/ada/a-copy"\n')
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text, encoding="utf-8")


def git(root: Path, *command: str) -> None:
    settings = ("-c", "user.name=tests", "-c", "user.email=tests@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *settings, *command], cwd=root, check=True, capture_output=True)


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "A change")


def changed(name: str, old: str, new: str, committed: bool = True) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        text = (root / name).read_text(encoding="utf-8") if (root / name).exists() else ""
        assert old in text
        write(root, name, text.replace(old, new) if old else new)
        if committed:
            commit(root)

    return change


def everywhere(old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        for name in ("simlib/__init__.py", "CHANGELOG.md", release.RESULTS):
            changed(name, old, new)(root)

    return change


def without_results(root: Path) -> None:
    (root / release.RESULTS).unlink()
    commit(root)


AGAIN = "run `nox -s bench` on an idle machine and commit it."
RAN = '{"cells": [{"cell_type": "code", "outputs": [], "execution_count": 3}]}'
OBJECTIONS = {
    "a file not committed": (
        changed("docs/page.md", "A", "The", False),
        "The tree is not clean: commit or remove docs/page.md.",
    ),
    "a file not known to git": (
        changed("new.txt", "", "new", False),
        "The tree is not clean: commit or remove new.txt.",
    ),
    "a version that is none": (
        everywhere("0.2.0", "0.2.dev1"),
        "The version '0.2.dev1' in simlib/__init__.py is not of the form 1.2.3.",
    ),
    "a version that is out": (
        lambda root: git(root, "tag", "v0.2.0"),
        "v0.2.0 is tagged already: raise __version__ in simlib/__init__.py.",
    ),
    "a change that belongs to no version": (
        changed("CHANGELOG.md", "[Unreleased]\n", "[Unreleased]\n\n- A whistle.\n"),
        "CHANGELOG.md still has changes under Unreleased: give them the version they come with.",
    ),
    "a version the changelog does not know": (
        changed("CHANGELOG.md", "0.2.0", "0.1.9"),
        "CHANGELOG.md's newest version is 0.1.9, and the lab's is 0.2.0.",
    ),
    "an empty changelog": (
        changed("CHANGELOG.md", CHANGES, "# Changelog\n"),
        "CHANGELOG.md's newest version is missing, and the lab's is 0.2.0.",
    ),
    "a version without its day": (
        changed("CHANGELOG.md", " - 2026-11-24", ""),
        "CHANGELOG.md does not say on which day 0.2.0 came: ## [0.2.0] - YYYY-MM-DD.",
    ),
    "a notebook that has run": (
        changed("notebooks/01.ipynb", "", RAN),
        "01.ipynb has outputs: nbstripout --keep-id notebooks/01.ipynb",
    ),
    "nothing measured": (without_results, f"{release.RESULTS} is missing: {AGAIN}"),
    "an older version measured": (
        changed(release.RESULTS, "0.2.0", "0.1.0"),
        f"{release.RESULTS} is not of simlib 0.2.0: {AGAIN}",
    ),
    "a longer version measured": (
        changed(release.RESULTS, "0.2.0", "0.2.01"),
        f"{release.RESULTS} is not of simlib 0.2.0: {AGAIN}",
    ),
    "a copy that is nowhere": (
        changed("pyproject.toml", "ada/a-copy", "OWNER/NAME"),
        "pyproject.toml does not say where the public copy is: nox -s links -- OWNER/NAME, and commit it.",
    ),
    "a value over its limit": (
        changed(release.RESULTS, "1.10 | holds", "1.20 | **over**"),
        f"{release.RESULTS} has a value over its limit, or none: a call.",
    ),
    "a benchmark that broke off": (
        changed(release.RESULTS, "a call | 1.10 | holds", "call broke off: OSError | | **failed**"),
        f"{release.RESULTS} has a value over its limit, or none: call broke off: OSError.",
    ),
}


@pytest.mark.parametrize("what", OBJECTIONS)
def test_it_objects_to(what: str, repository: Path) -> None:
    change, expected = OBJECTIONS[what]
    change(repository)
    found = [sentence for sentence in release.objections(repository) if "has changed since" not in sentence]
    assert found == [expected]


def test_it_objects_to_values_of_other_code(repository: Path) -> None:
    changed("simlib/world.py", "", "A world.\n")(repository)
    [sentence] = release.objections(repository)
    assert sentence.startswith(f"What {release.RESULTS} measures has changed since, in ")
    changed(release.RESULTS, "1.10", "1.09")(repository)
    assert list(release.objections(repository)) == []


def test_it_objects_to_nothing_else(repository: Path) -> None:
    assert list(release.objections(repository)) == []
    changed("docs/page.md", "A", "The")(repository)
    assert list(release.objections(repository)) == []


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"] == {"path": "simlib/__init__.py"}
    assert release.version_of(ROOT) == simlib.__version__
    assigned = re.compile(r"^__version__ =", re.MULTILINE)
    assert [path for path in (ROOT / "simlib").rglob("*.py") if assigned.search(path.read_text(encoding="utf-8"))] == [
        ROOT / "simlib" / "__init__.py"
    ]


def test_the_changelog_is_one() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heads = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert heads[0] == "[Unreleased]"
    assert f"[{simlib.__version__}]" in heads[1]
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_measured_values_name_their_version() -> None:
    from benchmarks.__main__ import INTRODUCTION, surroundings

    assert f" simlib {simlib.__version__}; " in INTRODUCTION.format(surroundings=surroundings())
