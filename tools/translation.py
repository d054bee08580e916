"""Lessons in other languages: what is not translated yet, and the notebooks made of what is (`nox -s translate`).

A translated notebook is the English one with other words: its cells of prose come from `[cells]` in the lesson's file
of texts, where NUMBER and MINUTES stand for the lesson's; its code is the same but for the language that `lab.begin` is
told. What is missing stays English.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simlib.lab import course
from simlib.lab.course.texts import ENGLISH, file_texts, languages

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
_NO_TEXT = {  # what a translation leaves as it is
    *("given", "solution", "code", "judge", "untouched", "check"),
    *("by", "action", "resource", "owner", "kind", "name", "statement"),
}


def lessons() -> Iterator[tuple[Any, str]]:
    """Each lesson that has a file in another language, and that language."""
    for language in languages():
        for lesson in course.LESSONS:
            if language != ENGLISH and file_texts(lesson, language):
                yield lesson, language


def untranslated(name: str, language: str) -> list[str]:
    """Where a file of texts, and the prose of its notebook, are English still, as paths; all of it, without a file."""
    english = file_texts(name, ENGLISH)
    if name in course.LESSONS:
        english["cells"] = {cell["id"]: "".join(cell["source"]) for cell in _book(name)["cells"] if _is_prose(cell)}
    there = set(_places(file_texts(name, language)))
    return ["/".join(place) for place in _places(english) if place not in there and not _NO_TEXT & {*place}]


def _places(texts: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where there is a text."""
    if isinstance(texts, dict | list):
        pairs = texts.items() if isinstance(texts, dict) else enumerate(texts)
        for key, each in pairs:
            yield from _places(each, (*place, str(key)))
    elif isinstance(texts, str) and texts:
        yield place


def translated(lesson: str, language: str) -> tuple[Path, str]:
    """The notebook of a lesson in a language: where it belongs, and what it holds."""
    book, words, entry = _book(lesson), file_texts(lesson, language).get("cells", {}), course.find(lesson)
    for cell in book["cells"]:
        source = "".join(cell["source"])
        if _is_prose(cell):
            source = words.get(cell["id"], source).strip("\n")
            source = source.replace("NUMBER", str(entry.number)).replace("MINUTES", str(entry.minutes))
        else:
            source = re.sub(r"(lab\.begin\([^()]+)\)", rf'\1, language="{language}")', source)
        cell["source"] = source.splitlines(keepends=True)
    return NOTEBOOKS / f"{language}-{entry.notebook}", json.dumps(book, indent=1, ensure_ascii=False) + "\n"


def _is_prose(cell: dict[str, Any]) -> bool:
    return bool(cell["cell_type"] == "markdown")


def _book(lesson: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((NOTEBOOKS / course.find(lesson).notebook).read_text(encoding="utf-8"))
    return found


def main() -> None:
    """Write the translated notebooks anew, and say what is missing in each language."""
    for language in filter(lambda each: each != ENGLISH, languages()):
        for path in NOTEBOOKS.glob(f"{language}-[0-9]*.ipynb"):
            path.unlink()
    for lesson, language in lessons():
        path, text = translated(lesson, language)
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}:", "; ".join(untranslated(lesson, language)) or "complete")


if __name__ == "__main__":
    main()
