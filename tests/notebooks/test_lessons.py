"""Every lesson runs twice in a kernel, waits where nothing is answered, and its page is as a page should be."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from simlib.lab import course
from tests.notebooks import lessons, minutes

WIDEST = 105  # characters of code or output that JupyterLab shows in a window of 1280 pixels, its file list open
TO_WATCH = ("four-sentences",)  # what shows, with nothing to make
CARDS = ("Where you would see this in AWS", "Where this lab differs from AWS")
LINK = re.compile(r"\]\(([^)]+)\)")


def page(slug: str) -> str:
    return "\n".join(cell.source for cell in book(slug).cells)


@cache
def book(slug: str) -> Any:
    return lessons.read(course.LESSONS[slug].notebook)


@pytest.fixture(scope="module", params=course.LESSONS)
def run(request: pytest.FixtureRequest) -> Iterator[tuple[str, lessons.Run, lessons.Run, lessons.Left]]:
    """Two runs of a lesson, one after the other in one fresh kernel."""
    with lessons.kernel(lessons.read(course.LESSONS[request.param].notebook)) as client:
        yield request.param, lessons.run_all(client), lessons.run_all(client), lessons.leave(client)


Ran = tuple[str, lessons.Run, lessons.Run, lessons.Left]


def test_run_all_is_clean_twice_and_nothing_is_revealed(run: Ran) -> None:
    slug, *both, _ = run
    module = course.lesson(slug)
    for once in both:
        explained = [text for cell, text in once.text.items() if cell.startswith("explain-")]
        assert len(explained) == len(module.predictions)
        assert all(text.startswith("Waiting for your prediction") for text in explained)
        checked = [text for cell, text in once.text.items() if cell.startswith("check-") and "…" in text]
        assert len(checked) == len(module.exercises)
        for question in module.predictions.values():
            assert question.because[:40] not in once.everything
        for exercise in module.exercises.values():
            assert exercise.hints[2] not in once.everything


def test_the_learners_own_aws_is_untouched_and_shown_nowhere(run: Ran) -> None:
    lessons.check_nothing_of_the_learners(run[-1])


def test_cells_are_quick(run: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    """Said, not judged: what is measured while other tests run says little; the benchmarks judge."""
    slug, first, *_ = run
    slowest = max(first.seconds, key=lambda cell: first.seconds[cell])
    with capsys.disabled():
        print(
            f"\n{slug}: {len(first.seconds)} cells in {sum(first.seconds.values()):.1f} s, "
            f"median {statistics.median(first.seconds.values()):.3f} s, slowest {slowest}: {first.seconds[slowest]:.1f}"
        )
    assert set(first.seconds) == {cell.id for cell in lessons.code_cells(book(slug))}


# -- the pages ---------------------------------------------------------------------------------------------------------

every = pytest.mark.parametrize("slug", course.LESSONS)


@every
def test_no_outputs_are_committed(slug: str) -> None:
    for cell in lessons.code_cells(book(slug)):
        assert cell.outputs == []
        assert cell.execution_count is None
    assert "widgets" not in book(slug).metadata


@every
def test_it_begins_with_one_import(slug: str) -> None:
    assert lessons.code_cells(book(slug))[0].source in ("from simlib import lab", "from simlib import Cloud, lab")


@every
def test_the_prose_is_short_and_the_headings_make_an_outline(slug: str) -> None:
    prose = [cell.source for cell in book(slug).cells if cell.cell_type == "markdown"]
    assert [text for text in prose if minutes.words(re.sub(r"^\|.*\|$", "", text, flags=re.MULTILINE)) > 90] == []
    levels = [len(marks) for marks in re.findall(r"^(#+) ", "\n".join(prose), re.MULTILINE)]
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(below <= above + 1 for above, below in pairwise(levels))


@pytest.mark.parametrize("slug", [slug for slug in course.LESSONS if slug not in ("start-here", "incident", "repair")])
def test_prose_and_code_are_in_proportion(slug: str) -> None:
    """13 to 35 words for a line of Python, those of predictions and explanations counted, the lines of policies not.

    Not asked of the first page, which is about the course, nor of the capstone, which is solved in panels.
    """
    texts = [cell.source for cell in book(slug).cells if cell.cell_type == "markdown"]
    texts += [
        " ".join([each.question, *each.choices, each.because]) for each in course.lesson(slug).predictions.values()
    ]
    sources = [re.sub(r'"""\{.*?\}"""', "", cell.source, flags=re.DOTALL) for cell in lessons.code_cells(book(slug))]
    code = [source for source in sources if not re.match(r"lab\.(predict|explain|exercise)\(", source)]
    lines = sum(bool(line.strip()) for source in code for line in source.splitlines())
    assert 13 <= sum(map(minutes.words, texts)) / lines <= 35


@every
def test_code_is_read_without_scrolling_sideways(slug: str) -> None:
    for cell in lessons.code_cells(book(slug)):
        for line in cell.source.split("\n"):
            assert len(line) <= WIDEST, f"{cell.id}: {line}"


def test_the_trail_of_the_incident_tells_whose_administrator_it_was_in_one_line_each() -> None:
    """As text, in a terminal; JupyterLab shows a table."""
    shown = lessons.play(book("incident"), {}, until="from-that-address")
    assert "lab-admin (mallory) " in shown["from-that-address"]
    for line in [*shown["ledger"].splitlines(), *shown["from-that-address"].splitlines()]:
        assert len(line) <= 120, line


@every
def test_it_ends_with_the_two_cards_and_what_you_can_do_now(slug: str) -> None:
    *_, summary = cells = [cell.source for cell in book(slug).cells]
    headings = re.findall(r"^#+ (.+)$", "\n".join(cells), re.MULTILINE)
    assert tuple(headings[-3:]) == (*CARDS, "You can now")
    assert summary.startswith("## You can now\n")
    assert LINK.search(summary.rpartition("**Next:**")[2])


@pytest.mark.parametrize("slug", [*course.LESSONS][1:])
def test_the_last_question_asks_about_a_case_that_is_not_run(slug: str) -> None:
    name = [*course.lesson(slug).predictions][-1]
    cells = [cell.source for cell in book(slug).cells]
    asked = cells.index(f'lab.predict("{name}")')
    assert cells[asked - 1].startswith("## One more question\n")
    assert cells[asked + 1] == f'lab.explain("{name}")'
    assert [cell for cell in book(slug).cells[asked + 2 :] if cell.cell_type == "code"] == []


@every
def test_every_prediction_and_exercise_of_the_lesson_is_on_its_page_in_the_right_order(slug: str) -> None:
    module = course.lesson(slug)
    cells = [cell.source for cell in book(slug).cells]
    for name in module.predictions:
        asked = next(index for index, source in enumerate(cells) if f'lab.predict("{name}")' in source)
        explained = next(index for index, source in enumerate(cells) if f'lab.explain("{name}")' in source)
        assert asked < explained, name
    page = "\n".join(cells)
    for kind, names in (("predict", module.predictions), ("explain", module.predictions)):
        assert set(re.findall(rf'lab\.{kind}\("([^"]+)"\)', page)) == set(names)
    assert set(re.findall(r'lab\.exercise\("([^"]+)"\)\.check', page)) == set(module.exercises)


@every
def test_there_are_predictions_to_make_and_things_to_make(slug: str) -> None:
    module = course.lesson(slug)
    assert len(module.predictions) >= (1 if slug in ("start-here", "repair") else 2)
    assert module.exercises or any(panel in page(slug) for panel in minutes.PANELS) or slug in TO_WATCH
    assert module.title in book(slug).cells[0].source


@every
def test_links_work_without_a_network(slug: str) -> None:
    for target in LINK.findall("\n".join(cell.source for cell in book(slug).cells)):
        assert not re.match(r"https?:", target), f"{target} needs a network"
        assert (lessons.NOTEBOOKS / target).exists(), target


def test_the_first_page_links_to_every_lesson() -> None:
    links = set(LINK.findall("\n".join(cell.source for cell in book("start-here").cells)))
    assert {lesson.notebook for lesson in course.LESSONS.values() if lesson.number} <= links


def test_the_message_of_the_course_runs_through_it() -> None:
    """People sign in through an identity provider: said in every lesson."""
    for slug in course.LESSONS:
        page = "\n".join(cell.source for cell in book(slug).cells)
        assert "IAM Identity Center" in page, slug


def test_no_choice_is_right_by_its_place() -> None:
    """Whoever always takes the first choice, or the second, or the last, is wrong often enough."""
    places = [(question.answer, len(question.choices)) for slug in course.LESSONS
              for question in course.lesson(slug).predictions.values()]  # fmt: skip
    for right in (
        sum(at == 0 for at, _ in places),
        sum(at == 1 for at, _ in places),
        sum(at == of - 1 for at, of in places),
    ):
        assert len(places) / 5 < right < len(places) * 3 / 5
