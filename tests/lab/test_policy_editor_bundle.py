"""The committed bundle is what the sources in editor/ build, is not too large, and asks nobody on the network."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EDITOR = ROOT / "editor"
BUNDLE = ROOT / "simlib" / "lab" / "policy" / "editor.js"
LICENCES = BUNDLE.with_suffix(".licences.md")
LARGEST = 400_000  # bytes; every editor on a page carries it
AGAIN = "make it anew with `nox -s bundle`"


def test_the_bundle_was_made_from_these_sources() -> None:
    mark = hashlib.sha256()
    names = [f"src/{path.name}" for path in sorted((EDITOR / "src").iterdir())]
    for name in [*names, "build.mjs", "package-lock.json", "package.json"]:
        mark.update((EDITOR / name).read_bytes())
    assert mark.hexdigest() in BUNDLE.read_text(encoding="ascii").split("\n", 1)[0], AGAIN


def test_the_bundle_is_what_the_sources_build(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node.js: install it (20 or later) to run this")
    if not (EDITOR / "node_modules").is_dir():
        pytest.skip("the editor's packages are not there: `npm ci --ignore-scripts` in editor/ fetches them")
    subprocess.run([node, "build.mjs", str(tmp_path)], cwd=EDITOR, check=True, timeout=120)
    assert (tmp_path / BUNDLE.name).read_bytes() == BUNDLE.read_bytes(), AGAIN
    assert (tmp_path / LICENCES.name).read_bytes() == LICENCES.read_bytes(), AGAIN


def test_the_bundle_keeps_its_budget() -> None:
    assert BUNDLE.stat().st_size <= LARGEST


def test_the_bundle_names_no_address() -> None:
    found = set(re.findall(r"(?:https?|wss?)://[^\"'`\s]+", BUNDLE.read_text(encoding="ascii")))
    assert found == {"http://www.w3.org/2000/svg"}, "a name space, which nobody asks"


def test_the_editors_own_packages_are_pinned_exactly() -> None:
    own = json.loads((EDITOR / "package-lock.json").read_text(encoding="utf-8"))["packages"][""]
    assert all(re.fullmatch(r"[\d.]+", version) for version in own["devDependencies"].values())


def test_every_package_in_the_bundle_is_listed_with_its_licence() -> None:
    """The bundle says itself what it contains: the build asks esbuild, and so nothing is in it unsaid."""
    said = BUNDLE.read_text(encoding="ascii").rstrip().rpartition("\n// Contains: ")[2].partition(". Their licences: ")
    assert said[2] == LICENCES.name
    sections = re.split(r"^## (?=\S+ [\d.]+ \()", LICENCES.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    heads = [re.match(r"(\S+) (\S+) \((.+)\)\n", section) for section in sections]
    assert ", ".join(f"{head[1]} {head[2]}" for head in heads) == said[0]
    packages = json.loads((EDITOR / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for head, section in zip(heads, sections, strict=True):
        assert packages[f"node_modules/{head[1]}"]["version"] == head[2]
        assert head[3] == "MIT"
        assert "Permission is hereby granted, free of charge" in section
        assert "Copyright" in section


def test_nothing_else_of_others_is_in_what_is_shipped() -> None:
    """Every other script and sheet of the lab is our own, a few kilobytes that can be read."""
    own = [path for path in (ROOT / "simlib").rglob("*") if path.suffix in (".js", ".css") and path != BUNDLE]
    assert {path.name for path in own} >= {"interactive_html.js", "editor.css"}
    for path in own:
        text = path.read_text(encoding="utf-8")
        assert len(text) < 40_000
        assert max(map(len, text.splitlines())) < 250, f"{path.name} has been made small by a machine"
