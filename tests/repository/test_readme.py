"""What the README and the pages beside it say to do and to look at is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simlib.start import FIRST_PAGE

from .conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")}
PAGES["CHANGELOG.md"] = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def headings(page: str) -> set[str]:
    """What a link may name after its #."""
    lines = [line for line in PAGES[page].splitlines() if line[:1] == "#"]
    return {re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in lines}


LINKS = [(page, target) for page, text in PAGES.items() for target in sorted(set(re.findall(r"\]\(([^)]+)\)", text)))]


@pytest.mark.parametrize(("page", "target"), LINKS)
def test_every_link_of_its_own_leads_somewhere(page: str, target: str) -> None:
    if not target.startswith("https://"):
        file, _, heading = target.partition("#")
        assert Path(ROOT, file).exists()
        assert not heading or heading in headings(file or page)


def test_the_pages_for_contributors_are_found_from_the_readme() -> None:
    assert set(PAGES) - {"README.md"} <= {target for page, target in LINKS if page == "README.md"}


def test_learner_instructor_and_contributor_find_their_line_within_one_screen() -> None:
    first = "\n".join(README.splitlines()[:25])
    for words in ("a learner", "an instructor", "a contributor", "python3 lab.py\n", "python3 lab.py test"):
        assert words in first.replace("python3 lab.py  ", "python3 lab.py\n")


def test_every_task_it_names_is_one_of_nox() -> None:
    tasks = set(
        re.findall(r'nox\.session\(name="([\w-]+)"\)', source := (ROOT / "noxfile.py").read_text(encoding="utf-8"))
    )
    tasks |= set(re.findall(r"@nox\.session\ndef (\w+)", source))
    for page, text in PAGES.items():
        assert set(re.findall(r"nox -s ([\w-]+)", text)) <= tasks, page


def test_the_first_page_is_where_the_readme_and_the_lab_open_it() -> None:
    page = "00-start-here.ipynb"
    assert (ROOT / "notebooks" / page).is_file()
    assert page == FIRST_PAGE
    assert README.count(page) >= 2
