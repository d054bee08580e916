"""Bring everything that names a lesson by its number into line with the table in `simlib/lessons.py`: `nox -s number`.

Renames the notebooks; mends links, headings, "Next" and the minutes on the pages; and works the table's minutes out
anew. Prose calls lessons by their titles, code by their slugs, so that nothing else has to change.
"""

from __future__ import annotations

import json
import re
from math import ceil
from pathlib import Path

from simlib import lessons
from simlib.lab import course
from tests.notebooks import minutes

ROOT = Path(__file__).parents[1]

PAGES = ("notebooks/*.ipynb", "notebooks/*.md", "docs/*.md", "*.md", "binder/**/*.*", "tools/links.py", "lite/build.py")


def rename() -> None:
    """Give each notebook the name that the table has for it."""
    folder = ROOT / "notebooks"
    found = {path.stem[3:]: path for path in folder.glob("[0-9][0-9]-*.ipynb")}
    for lesson in lessons.LESSONS.values():
        found[lesson.slug].rename(folder / f"{lesson.notebook}.new")
    for path in folder.glob("*.new"):
        path.rename(path.with_suffix(""))


def relink() -> None:
    """Numbers in links and in what they say: `[3 · Two policies](03-two-policies.ipynb)`."""
    for pattern in PAGES:
        for path in ROOT.glob(pattern):
            old = path.read_text(encoding="utf-8")
            new = re.sub(r"\b\d\d-([a-z-]+)\.ipynb", _notebook, old)
            new = re.sub(r"\[\d+ · ([^\]]*)\]\(\d+-([a-z-]+)\.ipynb\)", _relinked, new)
            if new != old:
                path.write_text(new, encoding="utf-8")


def _notebook(found: re.Match[str]) -> str:
    return lessons.LESSONS[found[1]].notebook if found[1] in lessons.LESSONS else found[0]


def _relinked(found: re.Match[str]) -> str:
    """With today's number; what follows it stays, for a translation has titles of its own."""
    lesson = lessons.LESSONS.get(found[2])
    return f"[{lesson.number} · {found[1]}]({lesson.notebook})" if lesson else found[0]


def _link(slug: str) -> str:
    lesson = lessons.LESSONS.get(slug)
    return f"[{lesson.number} · {course.lesson(slug).title}]({lesson.notebook})" if lesson else ""


def rewrite(lesson: lessons.Entry, took: int) -> None:
    """The heading of a page, the minutes it names, and where it leads next."""
    path = ROOT / "notebooks" / lesson.notebook
    book = json.loads(path.read_text(encoding="utf-8"))
    first, last = book["cells"][0], book["cells"][-1]
    title = course.lesson(lesson.slug).title
    text = re.sub(r"^# \d+ · .*", f"# {lesson.number} · {title}", "".join(first["source"]))
    first["source"] = re.sub(r"takes about \d+ minutes", f"takes about {took} minutes", text).splitlines(keepends=True)
    after = [each.slug for each in lessons.LESSONS.values() if each.number == lesson.number + 1]
    if after and after[0] != [*lessons.LESSONS][-1]:
        text = "".join(last["source"]).rpartition("**Next:**")[0] + f"**Next:** {_link(after[0])}"
        last["source"] = text.splitlines(keepends=True)
    path.write_text(json.dumps(book, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    rename()
    table = (ROOT / "simlib/lessons.py").read_text(encoding="utf-8")
    for slug, lesson in lessons.LESSONS.items():
        took = ceil(minutes.lesson(slug) - 0.25)
        rewrite(lesson, took)
        table = re.sub(rf'("{slug}": )\d+', rf"\g<1>{took}", table)
    (ROOT / "simlib/lessons.py").write_text(table, encoding="utf-8")
    relink()


if __name__ == "__main__":
    main()
