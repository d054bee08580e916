"""The committed bundles are what the sources in editor/ build, not too large, and ask nobody on the network."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
EDITOR = ROOT / "editor"
LAB = ROOT / "simlib" / "lab"
BUNDLES = {LAB / "policy" / "editor.js": 450_000, LAB / "interactive_html.js": 16_000}  # bytes at most, for each view
LICENCES = LAB / "policy" / "editor.licences.md"
each_bundle = pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
AGAIN = "make it anew with `nox -s bundle`"


@each_bundle
def test_the_bundle_was_made_from_these_sources(bundle: Path) -> None:
    mark = hashlib.sha256()
    names = [f"src/{path.name}" for path in sorted((EDITOR / "src").iterdir())]
    for name in [*names, "../simlib/lab/look.json", "build.mjs", "package-lock.json", "package.json"]:
        mark.update((EDITOR / name).read_bytes())
    assert mark.hexdigest() in bundle.read_text(encoding="ascii").split("\n", 1)[0], AGAIN


def test_the_bundle_is_what_the_sources_build(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node.js: install it (20 or later) to run this")
    if not (EDITOR / "node_modules").is_dir():
        pytest.skip("the editor's packages are not there: `npm ci --ignore-scripts` in editor/ fetches them")
    subprocess.run([node, "build.mjs", str(tmp_path)], cwd=EDITOR, check=True, timeout=120)
    for made in (*BUNDLES, LICENCES):
        assert (tmp_path / made.name).read_bytes() == made.read_bytes(), AGAIN


@each_bundle
def test_the_bundle_keeps_its_budget(bundle: Path) -> None:
    assert bundle.stat().st_size <= BUNDLES[bundle]


@each_bundle
def test_the_bundle_names_no_address(bundle: Path) -> None:
    found = set(re.findall(r"(?:https?|wss?)://[^\"'`\s]+", bundle.read_text(encoding="ascii")))
    assert {urlsplit(each).netloc for each in found} <= {"www.w3.org"}, "name spaces, which nobody asks"


def test_the_editors_own_packages_are_pinned_exactly() -> None:
    own = json.loads((EDITOR / "package-lock.json").read_text(encoding="utf-8"))["packages"][""]
    assert all(re.fullmatch(r"[\d.]+", version) for version in own["devDependencies"].values())


def test_every_package_in_the_bundle_is_listed_with_its_licence() -> None:
    """A bundle says itself what it contains: the build asks esbuild, and so nothing is in it unsaid."""
    contents = set()
    for bundle in BUNDLES:
        end = bundle.read_text(encoding="ascii").rstrip().rpartition("\n// Contains: ")[2]
        packages, _, licences = end.partition(". Their licences: ")
        assert licences == LICENCES.name
        contents |= set(packages.split(", "))
    sections = re.split(r"^## (?=\S+ [\d.]+ \()", LICENCES.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    heads = [re.match(r"(\S+) (\S+) \((.+)\)\n", section) for section in sections]
    assert {f"{head[1]} {head[2]}" for head in heads} == contents
    pinned = json.loads((EDITOR / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for head, section in zip(heads, sections, strict=True):
        assert pinned[f"node_modules/{head[1]}"]["version"] == head[2]
        assert head[3] == "MIT"
        assert "Permission is hereby granted, free of charge" in section
        assert "Copyright" in section


def test_nothing_else_of_others_is_in_what_is_shipped() -> None:
    """Every other script and sheet of the lab is our own, a few kilobytes that can be read."""
    own = [path for path in (ROOT / "simlib").rglob("*") if path.suffix in (".js", ".css") and path not in BUNDLES]
    assert {path.name for path in own} >= {"look.css", "editor.css"}
    for path in own:
        text = path.read_text(encoding="utf-8")
        assert len(text) < 40_000
        assert max(map(len, text.splitlines())) < 250, f"{path.name} has been made small by a machine"
