"""The lessons in their order, and the minutes that each takes: the one place that knows both.

A lesson is called by its slug, in code, in a learner's progress and in the names of its texts. Its number is its place
in `MINUTES`; its notebook is named after both. After a change here, `nox -s number` renames the notebooks, and brings
along every link, heading and figure that names a lesson.
"""

from __future__ import annotations

from dataclasses import dataclass

MINUTES = {
    "start-here": 14,
    "users": 19,
    "roles": 20,
    "two-policies": 20,
    "trust": 20,
    "names": 19,
    "sessions": 20,
    "revoking": 18,
    "credentials": 19,
    "accounts": 19,
    "buckets": 19,
    "partners": 18,
    "deny": 20,
    "limits": 20,
    "machines": 19,
    "metadata": 20,
    "pipelines": 19,
    "scripts": 19,
    "tests": 16,
    "incident": 19,
    "repair": 20,
    "four-sentences": 16,  # the appendix
}

#: What each notebook says of its kernel. Ours answers the same to the letter, whatever its Python: JupyterLab writes
#: any other answer into the lesson that is opened, which is unsaved then before anything is run.
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": "3",
    },
}


@dataclass(frozen=True)
class Entry:
    """A row of the table; `minutes` as `tests/notebooks/minutes.py` works them out."""

    slug: str
    number: int
    minutes: int

    @property
    def name(self) -> str:
        """Number and slug, as its file is called: ``03-two-policies``."""
        return f"{self.number:02}-{self.slug}"

    @property
    def notebook(self) -> str:
        """The name of its file."""
        return f"{self.name}.ipynb"


LESSONS = {slug: Entry(slug, number, minutes) for number, (slug, minutes) in enumerate(MINUTES.items())}


def find(lesson: int | str) -> Entry:
    """A lesson by its slug or its number. Raises `LookupError` with those there are."""
    for each in LESSONS.values():
        if lesson in (each.slug, each.number):
            return each
    raise LookupError(
        f"There is no lesson {lesson!r}; the lessons are {', '.join(LESSONS)}, or 0 to {len(LESSONS) - 1}."
    )
