"""The site's build says at once that Pyodide cannot be had, and never leaves half a site. The site: lite/tests."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from .conftest import ROOT


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Any:
    """lite/build.py, without JupyterLite, which is not among what the tests need."""
    constants = ModuleType("jupyterlite_pyodide_kernel.constants")
    core = json.loads((ROOT / "lite" / "package.json").read_text(encoding="utf-8"))["dependencies"]["pyodide"]
    for name in ("PYODIDE_CDN_URL", "PYODIDE_KERNEL_PLUGIN_ID"):
        setattr(constants, name, "none")
    constants.PYODIDE_VERSION = core  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "jupyterlite_pyodide_kernel", ModuleType("jupyterlite_pyodide_kernel"))
    monkeypatch.setitem(sys.modules, constants.__name__, constants)
    monkeypatch.delitem(sys.modules, "lite.build", raising=False)
    import lite.build

    return lite.build


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """One that was built before."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("the last one", encoding="utf-8")
    return tmp_path / "site"


def test_a_distribution_that_is_not_there_is_told_before_anything_is_made(build: Any, site: Path) -> None:
    with pytest.raises(SystemExit, match=r"^There is no distribution of Pyodide at .*nowhere"):
        build.build(site, site.parent, str(site.parent / "nowhere"))
    assert (site / "index.html").read_text(encoding="utf-8") == "the last one"


@pytest.mark.parametrize("fails", [True, False], ids=["breaks off", "is whole"])
def test_the_last_site_stays_until_the_new_one_is_whole(
    build: Any, site: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    def fill(place: Path, *_: Any) -> None:
        place.mkdir()
        (place / "index.html").write_text("the new one", encoding="utf-8")
        if fails:
            raise RuntimeError("no space")

    monkeypatch.setattr(build, "fill", fill)
    (site.parent / build.LOCK).write_text("{}", encoding="utf-8")
    if fails:
        with pytest.raises(RuntimeError):
            build.build(site, site.parent, str(site.parent))
    else:
        build.build(site, site.parent, str(site.parent))
    assert (site / "index.html").read_text(encoding="utf-8") == ("the last one" if fails else "the new one")
    assert {path.name for path in site.parent.iterdir()} == {"site", build.LOCK}


def test_a_package_that_is_not_the_listed_one_is_not_taken(
    build: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("jupyterlite", "configure"):
        monkeypatch.setattr(build, name, lambda *_, **__: None)
    monkeypatch.setattr(build, "bundled", lambda *_: [])
    for name in ("anywidget-1.whl", "jupyterlab_widgets-1.whl", *build.CORE, "rsa.whl"):
        (tmp_path / name).write_bytes(b"another")
    listed = {"name": "rsa", "file_name": "rsa.whl", "sha256": "0" * 64, "depends": []}
    lock = {"info": {"python": "3.14.2"}, "packages": {"micropip": listed}}
    with pytest.raises(SystemExit, match=r"^rsa\.whl of .* is not the file that Pyodide's list of packages names\.$"):
        build.fill(tmp_path / "site", tmp_path, (str(tmp_path), str(tmp_path)), lock)
    assert not (tmp_path / "site" / build.PYODIDE / "rsa.whl").exists()


def test_python_for_the_browser_is_what_npm_gives_for_the_lock_file(
    build: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def run(command: list[str], cwd: Path, check: bool) -> None:
        asked.append(tuple(command[1:3]))
        assert check
        assert {path.name for path in cwd.iterdir()} == {"package.json", "package-lock.json"}

    monkeypatch.setattr(shutil, "which", lambda _: "npm")
    monkeypatch.setattr(subprocess, "run", run)
    assert Path(build.core_from_npm(tmp_path)) == tmp_path / "node_modules" / "pyodide"
    assert asked == [("ci", "--ignore-scripts")]


@pytest.mark.parametrize(
    ("which", "version", "told"),
    [
        ("npm", "1.2.3", r"^lite/package.json names Pyodide [\d.]+, but JupyterLite's kernel is made for 1\.2\.3\."),
        (None, "", "^There is no npm here, from which Python for the browser comes: install Node.js, or name a folder"),
    ],
    ids=["another Pyodide", "no npm"],
)
def test_what_stands_in_the_way_of_python_for_the_browser_is_told_with_the_remedy(
    build: Any, monkeypatch: pytest.MonkeyPatch, which: str | None, version: str, told: str
) -> None:
    monkeypatch.setattr(build, "PYODIDE_VERSION", version or build.PYODIDE_VERSION)
    monkeypatch.setattr(shutil, "which", lambda _: which)
    with pytest.raises(SystemExit, match=told):
        build.npm()


def test_a_build_without_node_says_what_to_install(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SystemExit, match=r"^There is no Node\.js here, in which the build starts Python once: install"):
        build.node()


def test_the_archive_holds_the_files_of_all_wheels_but_those_that_a_browser_need_not_fetch(
    build: Any, tmp_path: Path
) -> None:
    for name, files in {
        "one": {
            "one/__init__.py": "1",
            "one/fast.so": "",
            "one-1.data/scripts/one": "",
            "one-1.dist-info/METADATA": "M",
        },
        "two": {"two.py": "22", "one/more/data.json": "{}"},
    }.items():
        with zipfile.ZipFile(tmp_path / f"{name}.whl", "w") as wheel:
            for path, text in files.items():
                wheel.writestr(path, text)
    content = gzip.decompress(build.archive([tmp_path / "one.whl", tmp_path / "two.whl"]))
    begin = 4 + int.from_bytes(content[:4], "big")
    folders = json.loads(content[4:begin])
    assert folders == {
        "one": [["__init__.py", 1]],
        "one-1.dist-info": [["METADATA", 1]],
        "": [["two.py", 2]],
        "one/more": [["data.json", 2]],
    }
    assert content[begin:] == b"1M22{}"
