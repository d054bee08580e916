"""Progress and worlds, downloaded and restored through the browser: where the machine behind it forgets, as on Binder.

`Downloads` is four buttons of the course's map, two of them also the playground's. A file goes the way of every message
between page and kernel, so that it works in JupyterLab, Notebook 7, Voilà and JupyterLite alike.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from . import progress, progress_file, questions
from .course.texts import texts
from .interactive_html import LARGEST
from .look import button, fold
from .page import Part, el, paragraphs
from .panel import Commands


def _word(which: str, /, **values: str) -> str:
    return str(texts("panels")["downloads"][which]).format(most=LARGEST // 1_000_000, **values)


class Downloads:
    """The four buttons. `note` says what came of the last, `on_change` is called then; `save_file` is the browser's."""

    def __init__(self, on_change: Callable[[], None], save_file: Callable[[str, str], None]) -> None:
        self.note, self.on_change, self.save_file = "", on_change, save_file

    @property
    def commands(self) -> Commands:
        def on_screen(do: Callable[..., str]) -> Callable[..., None]:
            def doing(*sent: str) -> None:
                try:
                    self.note = do(*sent)
                except ValueError as problem:
                    self.note = str(problem)
                self.on_change()

            return doing

        names = ("download_progress", "restore_progress", "download_world", "open_world", "too_large")
        return {name: on_screen(getattr(self, name)) for name in names}

    def download_progress(self, _: str = "") -> str:
        self.save_file("progress.json", progress_file.text(progress.own_lessons()))
        return _word("saved", name="progress.json")

    def restore_progress(self, text: str, name: str = "progress.json") -> str:
        """Take in the answers of a file; what has been answered here since then stays. Raises `ValueError`."""
        if not text:
            return _word("empty", name=name)
        if '"IamLabWorld"' in text:
            return _word("a_world", name=name)
        try:
            sentence = progress.restore(text.encode("utf-8", "replace"), name)
        except ValueError as problem:
            return f"{problem} {_word('nothing')}"
        questions.recall()
        return sentence

    def download_world(self, _: str = "") -> str:
        """Have the browser save the world that runs. Raises `ValueError` where it cannot be saved."""
        from simlib.cloud import Cloud

        if Cloud.running is None:
            return _word("no_world")
        with TemporaryDirectory() as folder:
            saved = Cloud.running.save(Path(folder, "world.json"))
            if saved.size > LARGEST:
                return _word("world_too_large")
            self.save_file("world.json", saved.path.read_text(encoding="utf-8"))
        missing = [_word("left_out", services=", ".join(saved.left_out))] if saved.left_out else []
        return " ".join([_word("saved", name="world.json"), *missing, _word("keys")])

    def open_world(self, text: str, name: str = "world.json") -> str:
        """Put the world of a file in the place of the one that runs, in the notebook too, unless its usual name is the
        learner's for something else; what is no world changes nothing."""
        from simlib.cloud import Account, Cloud

        if not text:
            return _word("empty", name=name)
        with TemporaryDirectory() as folder:
            path = Path(folder, "world.json")
            path.write_text(text, encoding="utf-8", errors="replace")
            try:
                world = Cloud.load(path)
            except ValueError as problem:
                sentence = str(problem).replace(str(path), name)
                return f"{sentence if name in sentence else f'{name}: {sentence}'} {_word('nothing')}"
        names, accounts = sys.modules["__main__"].__dict__, ", ".join(account.name for account in world.accounts)
        if not isinstance(names.get("aws", world), type(world)):
            return _word("opened_unnamed", name=name, accounts=accounts)
        names["aws"] = world
        stale = any(isinstance(each, Account) for each in names.values())  # none on a page without cells
        return " ".join([_word("opened", name=name, accounts=accounts), *([_word("stale")] if stale else [])])

    def too_large(self, _: str, name: str) -> str:
        """Of a file that the browser has left where it is."""
        return _word("too_large", name=name)

    # -- on a page -----------------------------------------------------------------------------------------------------

    @property
    def world_buttons(self) -> Part:
        pick = button("open_world", "Open a world …", data_pick=".json")
        return el("div.sl-row", button("download_world", "Download this world"), pick)

    @property
    def status(self) -> Part:
        return el("div", paragraphs(self.note) if self.note else None, role="status")

    def page(self) -> Part:
        """The buttons, folded; what came of the last; and why one may want them."""
        pick = button("restore_progress", "Restore my progress …", data_pick=".json")
        of_progress = el("div.sl-row", button("download_progress", "Download my progress"), pick)
        why = fold("Why, and what is in them", paragraphs(_word("why")), key="why")
        buttons = fold(_word("title"), of_progress, self.world_buttons, why, key="downloads")
        return el("div.sl-body", buttons, self.status, on="live")
