"""The repository itself, and a small copy of it in which lab.py works without any network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Stands in for what opens the course, and for pytest: says how it was called.
ECHO = """
import json, os, sys
import jupyterlab, simlib
print(json.dumps({
    "module": __spec__.name, "arguments": sys.argv[1:], "folder": os.getcwd(), "simlib": simlib.__file__,
    "jupyterlab": jupyterlab.__file__, "python": sys.prefix, "path": os.environ["PATH"].split(os.pathsep)[0],
}))
sys.exit(7 if "--fail" in sys.argv else 0)
"""


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@dataclass(frozen=True)
class Lab:
    """A folder with lab.py, and the index from which it installs small stand-ins."""

    folder: Path
    index: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    set_up: str = ""  # what the first run said

    @property
    def venv(self) -> Path:
        return self.folder / ".venv"

    @property
    def stamp(self) -> Path:
        return self.venv / "lab-stamp.txt"

    def run(self, *arguments: str, before: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run lab.py, after the statements `before` in the same process; `variables` on top of a bare environment."""
        start = f"import runpy, sys\nsys.argv = {['lab.py', *arguments]!r}\n{before}\n"
        start += f"runpy.run_path({str(self.folder / 'lab.py')!r}, run_name='__main__')"
        return subprocess.run(
            [sys.executable, "-c", start],
            env={**bare_environment(), **self.variables, **variables},
            cwd=self.folder.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
        )


def bare_environment() -> dict[str, str]:
    """This process's environment without what would steer pip, Jupyter or a browser."""
    steering = ("PIP_", "JUPYTER", "PYTHON", "VIRTUAL_ENV", "DISPLAY", "WAYLAND_DISPLAY", "SSH_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return {**kept, "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


@pytest.fixture(scope="session")
def installed_lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """The copy after its first `lab.py`. Tests that change it take a `lab`."""
    place = tmp_path_factory.mktemp("repository").resolve()
    lab = make_lab(place / "the lab", place / "index")
    first = lab.run()
    assert first.returncode == 0, first.stderr
    return replace(lab, set_up=first.stdout)


@pytest.fixture
def lab(installed_lab: Lab) -> Iterator[Lab]:
    """The installed copy; its requirements and its stamp are put back after the test."""
    stamp = installed_lab.stamp.read_text(encoding="utf-8")
    yield installed_lab
    write_inputs(installed_lab.folder)
    installed_lab.stamp.write_text(stamp, encoding="utf-8")


@pytest.fixture
def new_lab(tmp_path: Path) -> Lab:
    """The copy before its first `lab.py`."""
    return make_lab(tmp_path.resolve() / "lab", tmp_path.resolve() / "index")


def make_lab(folder: Path, index: Path) -> Lab:
    for name in ("notebooks", "tests", "simlib"):
        (folder / name).mkdir(parents=True)
    (folder / "simlib" / "__init__.py").write_text("", encoding="utf-8")
    (folder / "simlib" / "start.py").write_text(ECHO, encoding="utf-8")
    shutil.copy(ROOT / "lab.py", folder)
    write_inputs(folder)
    index.mkdir()
    for name in ("jupyterlab", "voila", "pytest", "newcomer"):
        write_wheel(index, name, {f"{name}/__init__.py": "", f"{name}/__main__.py": ECHO})
    return Lab(folder, index, {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": index.as_uri()})


def write_inputs(folder: Path, lesson: str = "jupyterlab==1\nvoila==1\n", tests: str = "pytest==1\n") -> None:
    (folder / "requirements.txt").write_text(lesson, encoding="utf-8")
    (folder / "tests" / "requirements.txt").write_text(tests, encoding="utf-8")


def write_wheel(index: Path, name: str, files: Mapping[str, str], version: str = "1") -> None:
    about = f"{name}-{version}.dist-info"
    contents = {
        **files,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    names: Sequence[str] = [*contents, f"{about}/RECORD"]
    contents[f"{about}/RECORD"] = "".join(f"{path},,\n" for path in names)
    with zipfile.ZipFile(index / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in contents.items():
            wheel.writestr(path, text)
