"""What the README says to do and to look at is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
HEADINGS = {
    re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-")
    for line in README.splitlines()
    if line[:1] == "#"
}


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)]+)\)", README))))
def test_every_link_of_its_own_leads_somewhere(target: str) -> None:
    if target.startswith("#"):
        assert target[1:] in HEADINGS
    elif not target.startswith("https://"):
        assert Path(ROOT, target).exists()


def test_learner_instructor_and_contributor_find_their_line_within_one_screen() -> None:
    first = "\n".join(README.splitlines()[:25])
    for words in ("a learner", "an instructor", "a contributor", "python3 lab.py\n", "python3 lab.py test"):
        assert words in first.replace("python3 lab.py  ", "python3 lab.py\n")


def test_every_task_it_names_is_one_of_nox() -> None:
    tasks = set(
        re.findall(r'nox\.session\(name="([\w-]+)"\)', source := (ROOT / "noxfile.py").read_text(encoding="utf-8"))
    )
    tasks |= set(re.findall(r"@nox\.session\ndef (\w+)", source))
    assert set(re.findall(r"nox -s ([\w-]+)", README)) <= tasks


def test_the_first_page_is_where_the_readme_lab_py_and_binder_open_it() -> None:
    page = "00-start-here.ipynb"
    assert (ROOT / "notebooks" / page).is_file()
    assert f'"{page}"' in (ROOT / "lab.py").read_text(encoding="utf-8")
    assert README.count(page) >= 4
