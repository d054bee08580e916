"""The policy editor on the screen: a thin shell over `policy_editor.PolicyEditor`."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from simlib.iam.grammar import KINDS

from . import screen
from .markup import STYLE, card, escape
from .policy_editor import WORDS, PolicyDocument, PolicyEditor

_HERE = Path(__file__)
_STYLE = STYLE.removeprefix("<style>").removesuffix("</style>")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


class Editor(anywidget.AnyWidget):  # type: ignore[misc]
    """What goes to and fro. `revision` counts the changes of the texts: marks of another revision are out of date."""

    _esm = _HERE.with_name("policy_editor.js").read_text(encoding="utf-8")
    _css = _STYLE + _HERE.with_name("policy_editor.css").read_text(encoding="utf-8")

    label = traitlets.Unicode().tag(sync=True)
    documents = traitlets.List().tag(sync=True)  # set by Python alone, as are the marks
    marks = traitlets.Dict().tag(sync=True)
    texts = traitlets.List(traitlets.Unicode()).tag(sync=True, echo_update=False)
    revision = traitlets.Int().tag(sync=True, echo_update=False)
    front = traitlets.Int().tag(sync=True, echo_update=False)


def editor_view(editor: PolicyEditor) -> dict[str, Any]:
    """The editor as a widget: a mime bundle that displays it. An earlier view of it is closed."""
    return _plain_view(editor) if editor.plain else _code_view(editor)


def _code_view(editor: PolicyEditor) -> dict[str, Any]:
    about = []
    for each in editor.documents:
        name = _seen(each.name)
        title = f"{name}, {KINDS[each.kind].name.lower()}"
        about.append({"name": name, "title": title, "read_only": each.read_only})
    widget = Editor(label=editor.label, documents=about)
    busy = False  # with a message of the browser: what follows from it is sent at its end, in one

    def follow() -> None:
        if busy:
            return
        with widget.hold_sync():
            texts = [document.text for document in editor.documents]
            if texts != widget.texts:
                widget.texts = texts
                widget.revision += 1
            widget.front = editor.documents.index(editor.front)
            widget.marks = {"revision": widget.revision, "documents": [_marks(each) for each in editor.documents]}

    def typed(_: Any) -> None:
        nonlocal busy
        if busy or len(widget.texts) != len(editor.documents):
            return
        busy = True
        try:
            for document, text in zip(editor.documents, widget.texts, strict=True):
                if text != document.text and not document.read_only:
                    editor.edit(text, document.name)
        finally:
            busy = False
        follow()

    def brought(_: Any) -> None:
        if 0 <= widget.front < len(editor.documents) and editor.documents[widget.front] is not editor.front:
            editor.show(editor.documents[widget.front].name)

    def asked(_: Any, question: Any, __: Any) -> None:
        if (answer := _words(editor, question)) is not None:
            widget.send(answer)

    follow()
    editor.draw_by("view", follow)
    widget.observe(typed, "revision")
    widget.observe(brought, "front")
    widget.on_msg(asked)
    return screen.show(editor, "editor", widget)


def _marks(document: PolicyDocument) -> dict[str, Any]:
    """What is said of a document, its places counted as the browser counts."""

    def at(offset: int) -> int:
        return _as_browser_counts(document.text, offset)

    return {
        "summary": document.summary,
        "stale": not document.complete,
        "findings": [
            {
                "from": at(each.start),
                "to": at(each.end),
                "level": each.level,
                "place": each.place,
                "text": _seen(each.text),
            }
            for each in document.findings
        ],
        "spans": [{"from": at(span.start), "to": at(span.end)} for span in document.spans] if document.complete else [],
        "remarks": [
            {"index": index, "title": _seen(remark.title), "state": remark.state, "reason": _seen(remark.reason)}
            | dict(zip(("sign", "word"), WORDS[remark.state].split(" ", 1), strict=True))
            for index, remark in document.remarks.items()
        ],
    }


def _words(editor: PolicyEditor, question: Any) -> dict[str, Any] | None:
    """The answer to a browser that asks what could be written; None to what is no such question."""
    match question:
        case {"ask": "words", "id": str(id_), "index": int(index), "text": str(text), "offset": int(offset)}:
            pass
        case _:
            return None
    if not 0 <= index < len(editor.documents):
        return None
    place = _counted_from_browser(text, offset)
    found = editor.complete(text, place, editor.documents[index].name, asked=bool(question.get("asked")))
    return {
        "id": id_,
        "start": _as_browser_counts(text, found.start),
        "end": _as_browser_counts(text, found.end),
        "before": found.before,
        "after": found.after,
        "words": [{"text": word.text, "detail": word.detail} for word in found.words],
    }


# The browser counts in UTF-16: a character beyond the first 65,536 counts double there.


def _as_browser_counts(text: str, offset: int) -> int:
    return offset + len(_ASTRAL.findall(text, 0, offset))


def _counted_from_browser(text: str, units: int) -> int:
    for place in (match.start() for match in _ASTRAL.finditer(text)):
        if place >= units - 1:
            break
        units -= 1
    return units


def _seen(text: str) -> str:
    """Foreign text to read: what is invisible is named, as everywhere; it goes to the page as text."""
    return html.unescape(escape(text))


# -- a plain text area -------------------------------------------------------------------------------------------------


def _plain_view(editor: PolicyEditor) -> dict[str, Any]:
    """The same with ipywidgets alone: for those whose tools read a plain text area better."""
    names = [document.name for document in editor.documents]
    choice = ipywidgets.Dropdown(options=names, value=editor.front.name, description="Document")
    area = ipywidgets.Textarea(
        rows=max(12, editor.front.text.count("\n") + 2), continuous_update=True, layout={"width": "auto"}
    )
    area.add_class("sle-area")
    said = ipywidgets.HTML()
    keys = screen.KeepKeys()

    def follow() -> None:
        document = editor.front
        choice.value = document.name
        area.description, area.disabled = document.name, document.read_only
        if area.value != document.text:
            area.value = document.text
        said.value = _PLAIN + _said(document)

    def typed(change: Mapping[str, Any]) -> None:
        if change["new"] != editor.front.text:
            editor.edit(change["new"])

    follow()
    editor.draw_by("view", follow)
    area.observe(typed, "value")
    choice.observe(lambda change: change["new"] != editor.front.name and editor.show(change["new"]), "value")
    parts = [*([choice] if len(names) > 1 else []), area, said, keys]
    box = ipywidgets.VBox(parts)
    box.add_class("sl-keys")
    return screen.show(editor, "editor", box, choice, area, said, keys)


_PLAIN = """<style>
.sle-area { flex-direction: column !important; height: auto !important; }
.sle-area label { text-align: left !important; width: 100% !important; }
.sle-area textarea { font: calc(13px * var(--sl-scale, 1))/1.45 var(--jp-code-font-family, monospace) !important;
  tab-size: 2; }
</style>"""


def _said(document: PolicyDocument) -> str:
    lines = [f"<li><b>Mistake.</b> {escape(each.place)}: {escape(each.text)}</li>" for each in document.errors]
    lines += [f"<li><b>Careful.</b> {escape(each.place)}: {escape(each.text)}</li>" for each in document.warnings]
    lines += [f"<li>{escape(remark)}</li>" for remark in document.remarks.values()]
    old = (
        ""
        if document.complete or not document.remarks
        else "<p>The statements are those of the last complete text.</p>"
    )
    return card(f'<p role="status">{escape(document.summary)}</p><ul>{"".join(lines)}</ul>{old}')
