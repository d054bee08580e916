"""The policy editor on the screen: a thin shell over `editor.PolicyEditor`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from simlib.iam.statement import KINDS

from .. import screen
from ..markup import sheet, visible
from .code import LANGUAGES
from .document import BARS, LONGEST, WORDS, PolicyDocument
from .editor import PolicyEditor

_HERE = Path(__file__)


class Editor(anywidget.AnyWidget):  # type: ignore[misc]
    """What goes to and fro. `revision` counts the changes of the texts: marks of another revision are out of date."""

    _esm = _HERE.with_name("editor.js").read_text(encoding="utf-8")
    _css = sheet("look", "panels", "policy/editor")

    label = traitlets.Unicode().tag(sync=True)
    documents = traitlets.List().tag(sync=True)  # set by Python alone, as are the marks
    marks = traitlets.Dict().tag(sync=True)
    texts = traitlets.List(traitlets.Unicode()).tag(sync=True, echo_update=False)
    revision = traitlets.Int().tag(sync=True, echo_update=False)
    front = traitlets.Int().tag(sync=True, echo_update=False)
    languages = traitlets.List().tag(sync=True)
    language = traitlets.Unicode().tag(sync=True, echo_update=False)  # that the code is shown in; "" for none


def code_view(editor: PolicyEditor) -> Editor:
    """The editor as a widget."""
    texts = [each.text for each in editor.documents]
    widget = Editor(label=editor.label, texts=texts, languages=[list(each) for each in LANGUAGES.items()])
    busy = False  # with a message of the browser: what follows from it is sent at its end, in one
    last_revision = 0  # the last revision that came from the browser: it keeps what it has typed since

    def follow() -> None:
        nonlocal busy
        if busy:
            return
        with widget.hold_sync():
            # a document that has come brings its text along, so that no other text is sent, and what is typed stays
            documents = widget.documents
            texts_there = widget.texts + [each["text"] for each in documents[len(widget.texts) :]]
            new = enumerate(editor.documents[len(documents) :], len(documents))
            if len(documents) < len(editor.documents):
                widget.documents = documents + [_about(each, at >= len(widget.texts)) for at, each in new]
            texts = [document.text for document in editor.documents]
            if texts[: len(texts_there)] != texts_there:
                busy = True
                widget.texts = texts
                widget.revision += 1
                busy = False
            widget.front = editor.documents.index(editor.front)
            widget.marks = {
                "revision": widget.revision,
                "seen": last_revision,
                "documents": [_marks(each, applies=editor.applies) for each in editor.documents],
                "applied": editor.can_take_back,
                "about": editor.about,
                "code": editor.code(widget.language) if widget.language in LANGUAGES else "",
            }

    def texts_changed(_: Any) -> None:
        nonlocal busy, last_revision
        if busy:
            return
        busy, last_revision = True, widget.revision
        try:
            for document, text in zip(editor.documents, widget.texts, strict=False):  # a new one it may not know yet
                _edit(editor, document, text)
        finally:
            busy = False
        follow()

    def front_changed(_: Any) -> None:
        if 0 <= widget.front < len(editor.documents) and editor.documents[widget.front] is not editor.front:
            editor.show(editor.documents[widget.front].name)

    def received(_: Any, question: Any, __: Any) -> None:
        match question:
            case {"ask": "words", "id": str(id_), "index": int(index), "text": str(text), "offset": int(offset)} if (
                0 <= index < len(editor.documents)
            ):
                completion = editor.complete(
                    text, offset, editor.documents[index].name, explicit=bool(question.get("asked"))
                )
                widget.send({"id": id_, **asdict(completion)})
            case {"ask": "apply" | "take back" | "reload" as what, "index": int(index), "text": str(text)} if (
                0 <= index < len(editor.documents)
            ):
                _edit(editor, editor.documents[index], text)
                editor.order(what, editor.documents[index].name)

    follow()
    editor.on_draw = follow
    widget.observe(texts_changed, "revision")
    widget.observe(front_changed, "front")
    widget.observe(lambda _: follow(), "language")
    widget.on_msg(received)
    screen.follow(widget, editor.follow)
    return widget


def _edit(editor: PolicyEditor, document: PolicyDocument, text: str) -> None:
    if text != document.text and not document.read_only:
        editor.edit(text, document.name)


def _about(document: PolicyDocument, with_text: bool) -> dict[str, Any]:
    title = f"{document.name}, {KINDS[document.kind].name.lower()}"
    about = {"name": document.name, "title": title, "read_only": document.read_only, "limit": document.limit}
    return {**_printable(about), "longest": LONGEST, "text": document.text if with_text else ""}


def _marks(document: PolicyDocument, *, applies: bool) -> dict[str, Any]:
    """What is said of a document; where nothing `applies` it, nothing of a place in the world."""
    marks = {
        "summary": document.summary,
        "stale": not document.complete and not document.has_gaps,
        "begun": document.is_blank or document.has_gaps,
        "findings": list(map(asdict, (*document.errors, *document.warnings))),
        "note": document.note,
        "changed": applies and document.changed,
        "decides": document.decides,
        "place": None if document.place is None or not applies else not document.read_only,
        "spans": list(map(asdict, document.spans)) if document.complete else [],
        "remarks": [
            {"index": index, "shape": WORDS[remark.state][0], "bar": BARS[remark.state], **asdict(remark)}
            for index, remark in document.remarks.items()
        ],
    }
    return _printable(marks)  # type: ignore[no-any-return]


def _printable(value: Any) -> Any:
    """The same with what is invisible in its texts named, as everywhere; they go to the page as text."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {name: _printable(each) for name, each in value.items()}
    return [_printable(each) for each in value] if isinstance(value, list | tuple) else value
