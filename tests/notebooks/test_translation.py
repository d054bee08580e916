"""Other languages: what is not translated is English and is listed; a translated notebook is the English one's twin."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from simlib import Cloud, lab
from simlib.lab import course
from simlib.lab.course import texts
from tests.notebooks import lessons
from tools import translation

TRANSLATED = list(translation.lessons())
every = pytest.mark.parametrize(("lesson", "language"), TRANSLATED)


@pytest.fixture(autouse=True)
def english_afterwards() -> Iterator[None]:
    yield
    texts.use_language(texts.ENGLISH)


def test_there_is_a_second_language_with_a_whole_lesson() -> None:
    assert ("users", "de") in TRANSLATED


@every
def test_nothing_of_a_lesson_that_was_begun_is_missing(lesson: str, language: str) -> None:
    assert translation.untranslated(lesson, language) == []


@pytest.mark.parametrize("language", texts.languages()[1:])
def test_the_words_that_lessons_have_in_common_are_there(language: str) -> None:
    assert translation.untranslated("words", language) == []


def test_what_is_missing_is_listed_by_its_place() -> None:
    missing = translation.untranslated("roles", "de")
    assert "title" in missing
    assert "predictions/the day after/choices/0" in missing
    assert any(each.startswith("cells/") for each in missing)
    assert not any("solution" in each or "action" in each for each in missing), "those are no texts"


@every
def test_a_translated_notebook_is_made_of_the_english_one(lesson: str, language: str) -> None:
    path, text = translation.translated(lesson, language)
    assert path.read_text(encoding="utf-8") == text, "run `nox -s translate`"
    own, english = (
        json.loads(text)["cells"],
        json.loads((path.parent / course.find(lesson).notebook).read_text("utf-8")),
    )
    assert [each["id"] for each in own] == [each["id"] for each in english["cells"]]
    assert str(course.find(lesson).minutes) in "".join(own[0]["source"])


@every
def test_no_translation_names_what_the_english_file_has_not(lesson: str, language: str) -> None:
    there = texts.file_texts(lesson, texts.ENGLISH)
    own = texts.file_texts(lesson, language)
    ids = {cell["id"] for cell in lessons.read(course.find(lesson).notebook).cells}
    assert set(own.pop("cells")) <= ids
    assert extra(own, there) == []


def extra(own: Any, there: Any) -> list[Any]:
    """What a translation has, and the English file has not."""
    if isinstance(own, dict):
        return [key for key in own if key not in there] + [
            each for key in own if key in there for each in extra(own[key], there[key])
        ]
    if isinstance(own, list):
        pairs = zip(own, there, strict=False)
        return own[len(there) :] + [each for mine, theirs in pairs for each in extra(mine, theirs)]
    return []


def test_a_lesson_is_begun_in_a_language_and_the_next_in_english() -> None:
    assert "Not answered yet." in str(lab.exercise("one file for alice").check("")), "asked in English before"
    with lab.begin("users", language="de") as aws:
        aws.account("dev").admin.client("iam").create_user(UserName="alice")
        question = lab.predict("a key and no policy")
        assert "Alice’ Schlüssel ist gültig." in str(question)
        assert "Ich bin nicht sicher" in str(question)
        assert "Noch nicht beantwortet." in str(lab.exercise("one file for alice").check(""))
        told = lab.exercise("one file for alice").check(lab.allow("s3:GetObject", "*"))
        assert "Alice liest eine andere Datei: erlaubt, aber richtig wäre: abgelehnt." in " ".join(str(told).split())
        assert "Alice is away" not in str(question)
        assert course.lesson("roles").title == "A role and a machine", "not translated, so English"
    with lab.begin("users"):
        assert "Alice's key is valid." in str(lab.predict("a key and no policy"))


def test_a_language_that_there_is_not_is_told_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no course in 'xx'; there is one in en, de"):
        lab.begin("users", language="xx")
    assert Cloud.running is None


@every
def test_a_translated_notebook_runs_from_top_to_bottom(lesson: str, language: str) -> None:
    path, _ = translation.translated(lesson, language)
    with lessons.kernel(lessons.read(path.name)) as client:
        run = lessons.run_all(client)
    assert texts.texts("words", language)["waiting"] in " ".join(run.text.values())
