"""A panel's page on the screen: its buttons, choices and sliders are commands to the panel."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets
import traitlets

from . import screen
from .markup import sheet
from .panel import NEXT, failure

if TYPE_CHECKING:
    from .panel import Panel

LARGEST = 5_000_000  # characters of a file that goes through the browser; a message from it may have 10 MB


class InteractiveHTML(anywidget.AnyWidget):  # type: ignore[misc]
    """Shows a page, whose foreign text has been escaped; a change leaves focus and scroll where they are.

    What its controls do is told in editor/src/page.js: each calls the command it names in `commands` with a text, a
    button that has a file chosen with the text of the file ("" where that is larger than `LARGEST`) and its name. What
    no command knows or takes is passed over: a browser may send anything. A command that fails is told beside the page.
    """

    _esm = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")  # a path would never let a widget go
    _css = sheet("look", "lessons", "panels", "interactive_html")

    largest = traitlets.Int(LARGEST).tag(sync=True)
    hosted = traitlets.Tuple().tag(sync=True, **ipywidgets.widget_serialization)  # for the page's data-widget elements
    html = traitlets.Unicode().tag(sync=True)

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self._panel, self._hosted_panel = panel, None
        self.commands, panel.save_file = dict(panel.commands), self.save_file
        self.on_msg(self._on_message)

    def draw(self) -> None:
        """Show the panel's page as it is by now, with the panel it hosts in its slots."""
        with self.hold_sync():
            if (hosted := self._panel.hosted) is not self._hosted_panel:
                old, self._hosted_panel = self.hosted, hosted
                self.hosted = () if hosted is None else (hosted._view(),)
                screen.close(old)
            self.html = f'<div class="simlib sl-panel">{self._panel.page().html(live=True)}</div>'

    def close(self) -> None:
        screen.close(self.hosted)
        super().close()

    def _on_message(self, _: Any, message: Any, __: Any) -> None:
        try:
            self._do(message)
        except Exception as error:  # of which a reader would see nothing: a browser shows no log of the kernel
            self.send({"failed": failure(error)})
            with suppress(Exception):
                self.draw()  # as far as it has come
            raise
        finally:
            self.send({"done": True})

    def _do(self, message: Any) -> None:
        match message:
            case {"do": str(name), "value": str(value), "file": str(file)} if name in self.commands:
                self.commands[name](value, file)
            case {"do": str(name), "value": str(value)} if name in self.commands:
                if self.commands[name](value) == NEXT:
                    self.send({"next": True})

    def save_file(self, name: str, text: str) -> None:
        """Have the browser save a file."""
        self.send({"file": name, "text": text})
