"""Each term of the glossary is introduced where it says, and each term a lesson introduces is in the glossary."""

from __future__ import annotations

import re

import pytest

from simlib.lab import course
from tests.notebooks import lessons

TEXT = (lessons.NOTEBOOKS / "glossary.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| \*\*(.+?)\*\* \| .+? \| \[.+?\]\((.+?)\) \|$", TEXT, re.MULTILINE)


def singular(term: str) -> str:
    return re.sub("ies$", "y", term.lower()).removesuffix("s")


def prose(notebook: str) -> str:
    return "\n".join(cell.source for cell in lessons.read(notebook).cells if cell.cell_type == "markdown")


def test_every_row_was_read_and_they_are_in_order() -> None:
    assert len(ROWS) == TEXT.count("\n| **")
    assert [term.lower() for term, _ in ROWS] == sorted(term.lower() for term, _ in ROWS)


@pytest.mark.parametrize(("term", "notebook"), ROWS)
def test_a_term_is_used_in_the_lesson_it_leads_back_to(term: str, notebook: str) -> None:
    said = prose(notebook) + "".join(
        question.because for question in course.lesson(notebook[3:].removesuffix(".ipynb")).predictions.values()
    )
    assert term.lower() in said.lower()


@pytest.mark.parametrize("slug", course.LESSONS)
def test_a_term_set_bold_in_a_lesson_is_in_the_glossary(slug: str) -> None:
    page = re.sub(
        r"^- (The )?\*\*[^*]+\*\*", "", prose(course.LESSONS[slug].notebook), flags=re.MULTILINE
    )  # not whom it is about
    bold = {singular(term) for term in re.findall(r"\*\*([^*:.]+)\*\*", page)}
    assert bold - {singular(term) for term, _ in ROWS} == set()


@pytest.mark.parametrize(("term", "notebook"), [row for row in ROWS if row[0] != "pass"])  # a verb, too
def test_no_lesson_uses_a_term_before_the_one_that_introduces_it(term: str, notebook: str) -> None:
    """Not counted: links, code, tables of places in the console, and the first page, which is about the course."""
    word = re.compile(rf"(?<![\w-]){re.escape(term)}(s|es)?(?![\w-])", re.IGNORECASE if term.islower() else 0)
    for slug, lesson in [*course.LESSONS.items()][1 : int(notebook[:2])]:
        asked = course.lesson(slug).predictions.values()
        reasons = [text for each in asked for reason in each.reasons for text in (reason.text, reason.says)]
        said = prose(lesson.notebook) + " ".join(
            [" ".join([each.question, *each.choices, each.because]) for each in asked] + reasons
        )
        assert not word.search(re.sub(r"`[^`]*`|\[[^\]]*\]\([^)]*\)|(?m:^\|.*$)", "", said)), slug
