"""What is to be printed is made from the course's own words, and fits on two pages."""

from __future__ import annotations

from pathlib import Path

from simlib.lab import course, handout


def test_every_lesson_has_its_point_and_every_word_its_meaning() -> None:
    assert set(handout.points()) == set(course.LESSONS)
    assert {"role", "session", "trust policy"} <= set(handout.glossary())
    assert "IAM Identity Center" in handout.message()


def test_all_of_it_is_on_the_page() -> None:
    pages = handout.figures()
    assert len(pages) == 2
    for page in pages:
        page.canvas.draw()
        assert len(page.axes) == 2, "two pictures"
        for text in [*page.texts, *(each for axes in page.axes for each in axes.texts)]:
            box = text.get_window_extent().transformed(page.transFigure.inverted())
            assert 0 < box.x0 < box.x1 < 1 and box.y0 > 0.02, text.get_text()  # noqa: PT018 - one place on the page
        assert len(page.texts) > 25


def test_the_command_writes_a_pdf(tmp_path: Path) -> None:
    assert handout.main([str(tmp_path / "handout.pdf")]) == 0
    assert (tmp_path / "handout.pdf").read_bytes().startswith(b"%PDF")
