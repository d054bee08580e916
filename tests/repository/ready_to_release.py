"""What stands against a release, in sentences: `nox -s release-check`, which also runs every check and test.

Without the lab's environment: standard library and git only.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

RESULTS = "benchmarks/RESULTS.md"
MEASURED = ("simlib", "notebooks", "requirements.txt")  # what the results speak of


def objections(root: Path) -> Iterator[str]:
    """A sentence for each thing that is missing, with the remedy."""
    for check in (tree, version, changelog, notebooks, results, public_copy):
        yield from check(root)


def tree(root: Path) -> Iterator[str]:
    if changed := git(root, "status", "--porcelain"):
        yield f"The tree is not clean: commit or remove {', '.join(line[3:] for line in changed.splitlines())}."


def version(root: Path) -> Iterator[str]:
    number = version_of(root)
    if not re.fullmatch(r"\d+\.\d+\.\d+", number):
        yield f"The version {number!r} in simlib/__init__.py is not of the form 1.2.3."
    elif git(root, "tag", "--list", f"v{number}"):
        yield f"v{number} is tagged already: raise __version__ in simlib/__init__.py."


def version_of(root: Path) -> str:
    found = re.search(r'^__version__ = "(.*)"$', (root / "simlib" / "__init__.py").read_text(encoding="utf-8"), re.M)
    return found[1] if found else ""


def changelog(root: Path) -> Iterator[str]:
    """https://keepachangelog.com/en/1.1.0/: newest first, each version with its day."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## \[(.+?)\](.*)\n((?:(?!## ).*\n?)*)", text, re.MULTILINE)
    if sections and sections[0][0] == "Unreleased" and sections.pop(0)[2].strip():
        yield "CHANGELOG.md still has changes under Unreleased: give them the version they come with."
    newest, day = (sections[0][0], sections[0][1]) if sections else ("", "")
    if newest != version_of(root):
        yield f"CHANGELOG.md's newest version is {newest or 'missing'}, and the lab's is {version_of(root)}."
    elif not re.fullmatch(r" - \d{4}-\d\d-\d\d", day):
        yield f"CHANGELOG.md does not say on which day {newest} came: ## [{newest}] - YYYY-MM-DD."


def notebooks(root: Path) -> Iterator[str]:
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        if any(cell.get("outputs") or cell.get("execution_count") for cell in cells):
            yield f"{path.name} has outputs: nbstripout --keep-id notebooks/{path.name}"


def results(root: Path) -> Iterator[str]:
    path = root / RESULTS
    again = "run `nox -s bench` on an idle machine and commit it."
    if not path.exists():
        yield f"{RESULTS} is missing: {again}"
        return
    text = path.read_text(encoding="utf-8")
    if f" simlib {version_of(root)};" not in text:
        yield f"{RESULTS} is not of simlib {version_of(root)}: {again}"
    for row in text.splitlines():
        if "**over**" in row or "**failed**" in row:
            yield f"{RESULTS} has a value over its limit, or none: {row.split('|')[1].strip()}."
    measured = git(root, "log", "-1", "--format=%H", "--", RESULTS)
    since = git(root, "log", "--format=%h", f"{measured}..HEAD", "--", *MEASURED) if measured else ""
    if since:
        yield f"What {RESULTS} measures has changed since, in {', '.join(since.split())}: {again}"


def public_copy(root: Path) -> Iterator[str]:
    if "github.com/OWNER/NAME" in (root / "pyproject.toml").read_text(encoding="utf-8"):
        yield "pyproject.toml does not say where the public copy is: nox -s links -- OWNER/NAME, and commit it."


def git(root: Path, *command: str) -> str:
    return subprocess.run(
        ["git", *command], cwd=root, capture_output=True, encoding="utf-8", check=True
    ).stdout.rstrip()


def main() -> int:
    found = list(objections(Path(__file__).resolve().parents[2]))
    for sentence in found:
        print(f"✘ {sentence}")
    if not found:
        print("✔ Nothing in the repository stands against a release.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
