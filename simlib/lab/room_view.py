"""`python -m simlib progress DIR`: the view of the room, from the progress files of its learners below DIR.

In the terminal; as a page to leave open in a browser; as scores for a learning platform. One folder for each learner,
as a hub has them, or files gathered in one place. Start it by `python -P`, so that nothing that lies where you stand
is taken for the lab.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import progress
from .markup import number_of
from .room import Room, read_folder

EVERY = 5.0  # seconds between two looks with --watch

#: The columns of `nbgrader export`, which learning platforms' importers know:
#: https://nbgrader.readthedocs.io/en/stable/plugins/export-plugin.html
COLUMNS = (
    *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"),
    *("raw_score", "late_submission_penalty", "score", "max_score"),
)


def scores(room: Room) -> str:
    """A line of CSV for each learner and lesson: the exercises that are solved, of how many, and when one last was; and
    for each challenge played, its points of 100."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    for learner in sorted(room.learners, key=lambda each: each.name):
        for stage in learner.stages:
            if stage.of_exercises:
                exercises = learner.lessons.get(stage.lesson.slug, {}).get("exercises", {}).values()
                when = max((str(each.get("when", "")) for each in exercises if each.get("passed")), default="")
                who, lesson = plain(learner.name), f"lesson {stage.lesson.number}"
                points = stage.exercises
                lines.writerow([lesson, "", plain(when), who, "", "", "", points, 0, points, stage.of_exercises])
        for name, entry in sorted(progress.challenges(learner.lessons).items()):
            who, when, points = plain(learner.name), plain(str(entry.get("when", ""))), entry.get("score", 0)
            lines.writerow([plain(f"challenge {name}"), "", when, who, "", "", "", points, 0, points, 100])
    return text.getvalue()


def plain(text: str) -> str:
    """Foreign text in a cell of a table: a spreadsheet would run what begins like a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def page(room: Room) -> str:
    """The room as a whole HTML page, which a browser reads again every few seconds; nothing in it can run."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="{EVERY:g}">'
        f"<title>The room</title><h1>The room: {number_of(len(room.learners), 'learner')}</h1>"
        f"<main>{room.html}</main><style>{_LOOK}</style></html>"
    )


_LOOK = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 1rem; } h1 { margin: 0 0 .5rem; font-size: 1.5rem; }
.simlib { --sl-card: Canvas; --sl-ink: CanvasText; --sl-dim: color-mix(in srgb, CanvasText 75%, Canvas); }
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table of the room, once or again and again; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m simlib progress", description=__doc__)
    parser.add_argument("folder", metavar="DIR", type=Path, help="where the learners' progress files are")
    parser.add_argument("--watch", action="store_true", help=f"look again every {EVERY:g} seconds, until Ctrl+C")
    parser.add_argument("--page", metavar="FILE", type=Path, help="also write a page to leave open in a browser")
    parser.add_argument("--csv", metavar="FILE", type=Path, help="also write the scores, as `nbgrader export` does")
    options = parser.parse_args(argv)
    if not options.folder.is_dir():
        print(f"{options.folder} is not a folder. Name the one that holds the learners' files.", file=sys.stderr)
        return 2
    try:
        while True:
            room = read_folder(options.folder)
            if options.watch and sys.stdout.isatty():
                print("\033[2J\033[H", end="")
            print(room, flush=True)
            written = _keep(room, options)
            if not options.watch:
                return 0 if written else 2
            time.sleep(EVERY)
    except KeyboardInterrupt:
        return 0


def _keep(room: Room, options: argparse.Namespace) -> bool:
    """Write the files that are asked for; a sentence for each that cannot be written."""
    written = True
    for path, write in ((options.page, page), (options.csv, scores)):
        if path:
            new = path.with_name(f".{path.name}.new")  # a browser may be reading the old one
            try:
                new.write_text(write(room), encoding="utf-8")
                new.replace(path)
            except OSError as error:
                print(f"{path} cannot be written: {error.strerror}.", file=sys.stderr)
                written = False
    return written
