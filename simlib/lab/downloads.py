"""Progress and worlds, downloaded and restored through the browser: where the machine behind it forgets, as on Binder.

`Downloads` is four buttons of the course's map. A file goes the way of every message between page and kernel, so that
it works in JupyterLab, Notebook 7, Voilà and JupyterLite alike.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from . import progress, progress_file, questions
from .interactive_html import LARGEST
from .look import button, fold
from .markup import prose
from .page import Html, Part, el

if TYPE_CHECKING:
    from simlib.cloud import Cloud

WHY = (
    "Where the lab runs on somebody else's machine, as on Binder, everything is deleted after a few minutes without a "
    "click. Your progress is the answers you have given. A world is what you have created in AWS, in the notebook in "
    "which this cell runs: run `lab.overview()` in a lesson to keep that lesson's world. What you have written in the "
    "cells of a page is kept by JupyterLab's own *File → Download*."
).replace("*", "")
KEYS = "A world's file contains its keys. They open nothing outside the lab, but do not get used to sharing keys."
IN_PYTHON = '`aws.save("world.json")` writes this world, `aws = Cloud.load("world.json")` opens it.'
TOO_LARGE = f"No more than {LARGEST // 1_000_000} MB go through the browser."


class Downloads:
    """The four buttons. `note` says what came of the last, `on_change` is called then; `give` is for the browser."""

    def __init__(self, on_change: Callable[[], None], give: Callable[[str, str], None]) -> None:
        self.note, self.on_change, self.give = "", on_change, give

    def download_progress(self, _: str = "") -> None:
        self.give("progress.json", progress_file.text(progress.mine()))
        self._say("Your browser has saved progress.json.")

    def restore_progress(self, text: str, name: str = "progress.json") -> None:
        """Take in the answers of a file; what has been answered here since then stays."""
        self._say(_restored(text, name))

    def download_world(self, _: str = "") -> None:
        from simlib.cloud import Cloud

        if Cloud.running is None:
            self._say("There is no running world. Run the first cells of the lesson, then press again.")
            return
        try:
            text, said = packed(Cloud.running)
        except ValueError as problem:
            self._say(str(problem))
            return
        self.give("world.json", text)
        self._say(f"Your browser has saved world.json{said}")

    def open_world(self, text: str, name: str = "world.json") -> None:
        """Put the world of a file in the place of the one that runs; what is no world changes nothing."""
        try:
            world = unpacked(text, name)
        except ValueError as problem:
            self._say(str(problem))
            return
        self._say(f"{name} is open. {_named(world)}")

    def _say(self, note: str) -> None:
        self.note = note
        self.on_change()

    @property
    def commands(self) -> dict[str, Callable[..., None]]:
        """What the buttons of `page` do."""
        names = ("download_progress", "restore_progress", "download_world", "open_world")
        return {name: getattr(self, name) for name in names}

    def page(self) -> Part:
        """The buttons, folded; what came of the last; and why one may want them."""
        progress_row = (
            button("download_progress", "Download my progress"),
            button("restore_progress", "Restore my progress …", data_pick=".json"),
        )
        world_row = (
            button("download_world", "Download this world"),
            button("open_world", "Open a world …", data_pick=".json"),
        )
        rows = (el("div.sl-row", *progress_row), el("div.sl-row", *world_row))
        why = fold("Why, and what is in them", *map(Html, map(prose, (WHY, KEYS, IN_PYTHON))), key="why")
        note = el("div", Html(prose(self.note) if self.note else ""), role="status")
        return el("div.sl-body", fold("Download and restore", *rows, why, key="downloads"), note, on="live")


def _restored(text: str, name: str) -> str:
    if not text:
        return f"{name} is empty or too large: {TOO_LARGE}"
    if '"IamLabWorld"' in text:
        return f"{name} is a world and not your progress. Press “Open a world …” for it. Nothing has changed."
    try:
        said = progress.restore(text.encode("utf-8", "replace"), name)
    except ValueError as problem:
        return f"{problem} Nothing has changed."
    questions.recall()
    return said


def packed(world: Cloud) -> tuple[str, str]:
    """The text of a world's file, and what is to be said of it. Raises `ValueError`, with a sentence."""
    with TemporaryDirectory() as folder:
        saved = world.save(Path(folder, "world.json"))
        if saved.size > LARGEST:
            raise ValueError(f'{TOO_LARGE} `aws.save("world.json")` writes this world beside the notebook.')
        text = saved.path.read_text(encoding="utf-8")
    missing = f" Not in it: what was made in {', '.join(saved.left_out)}." if saved.left_out else ""
    return text, f": {_accounts(saved.accounts)}.{missing} It holds the keys of this world."


def unpacked(text: str, name: str) -> Cloud:
    """The world of a file's text, in the place of the one that runs. Raises `ValueError`, and then nothing changes."""
    from simlib.cloud import Cloud

    if not text:
        raise ValueError(f"{name} is empty or too large: {TOO_LARGE}")
    with TemporaryDirectory() as folder:
        path = Path(folder, "world.json")
        path.write_text(text, encoding="utf-8", errors="replace")
        try:
            return Cloud.load(path)
        except ValueError as problem:
            said = str(problem).replace(str(path), name)
            raise ValueError(f"{said if name in said else f'{name}: {said}'} Nothing has changed.") from None


def _named(world: Cloud) -> str:
    """Give the notebook its world by the usual name, unless that is the learner's for something else."""
    names = sys.modules["__main__"].__dict__
    accounts = ", ".join(account.name for account in world.accounts)
    if not isinstance(names.get("aws", world), type(world)):
        return f"It holds {accounts}; `from simlib import Cloud`, and `Cloud.running` is this world."
    names["aws"] = world
    return (
        f"It holds {accounts}, and `aws` is this world now. Other names still belong to the world before: make them "
        'anew, for instance `dev = aws.account("dev")`.'
    )


def _accounts(number: int) -> str:
    return f"{number} account{'' if number == 1 else 's'}"
