"""The policy editor on the screen: a thin shell over `editor.PolicyEditor`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from simlib.iam.statement import KINDS

from .. import screen
from ..markup import sheet, visible
from .code import LANGUAGES
from .document import BARS, LONGEST, WORDS
from .editor import PolicyDocument, PolicyEditor

_HERE = Path(__file__)
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


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
    seen = 0  # the last revision that came from the browser: it keeps what it has typed since

    def follow() -> None:
        nonlocal busy
        if busy:
            return
        with widget.hold_sync():
            # a document that has come brings its text along, so that no other text is sent, and what is typed stays
            said = widget.documents
            known = widget.texts + [each["text"] for each in said[len(widget.texts) :]]
            added = enumerate(editor.documents[len(said) :], len(said))
            if len(said) < len(editor.documents):
                widget.documents = said + [_about(each, at >= len(widget.texts)) for at, each in added]
            texts = [document.text for document in editor.documents]
            if texts[: len(known)] != known:
                busy = True
                widget.texts = texts
                widget.revision += 1
                busy = False
            widget.front = editor.documents.index(editor.front)
            said = [_marks(each) for each in editor.documents]
            code = editor.code(widget.language) if widget.language in LANGUAGES else ""
            applied = editor.can_take_back
            revisions = {"revision": widget.revision, "seen": seen}
            widget.marks = {**revisions, "documents": said, "applied": applied, "code": code}

    def typed(_: Any) -> None:
        nonlocal busy, seen
        if busy:
            return
        busy, seen = True, widget.revision
        try:
            for document, text in zip(editor.documents, widget.texts, strict=False):  # a new one it may not know yet
                if text != document.text and not document.read_only:
                    editor.edit(text, document.name)
        finally:
            busy = False
        follow()

    def brought(_: Any) -> None:
        if 0 <= widget.front < len(editor.documents) and editor.documents[widget.front] is not editor.front:
            editor.show(editor.documents[widget.front].name)

    def asked(_: Any, question: Any, __: Any) -> None:
        if _ordered(editor, question):
            return
        if (answer := _words(editor, question)) is not None:
            widget.send(answer)

    follow()
    editor.draw_by("view", follow)
    widget.observe(typed, "revision")
    widget.observe(brought, "front")
    widget.observe(lambda _: follow(), "language")
    widget.on_msg(asked)
    screen.follow(widget, editor.follow)
    return widget


def _about(document: PolicyDocument, with_text: bool) -> dict[str, Any]:
    name = visible(document.name)
    title = f"{name}, {KINDS[document.kind].name.lower()}"
    about = {"name": name, "title": title, "read_only": document.read_only, "text": document.text if with_text else ""}
    return {**about, "longest": LONGEST, "limit": document.limit}


def _marks(document: PolicyDocument) -> dict[str, Any]:
    """What is said of a document, its places counted as the browser counts."""

    def at(offset: int) -> int:
        return _as_browser_counts(document.text, offset)

    return {
        "summary": document.summary,
        "stale": not document.complete and not document.begun,
        "begun": document.begun,
        "findings": [
            {
                "from": at(each.start),
                "to": at(each.end),
                "level": each.level,
                "place": each.place,
                "text": visible(each.text),
            }
            for each in (*document.errors, *document.warnings)
        ],
        "note": visible(document.note),
        "changed": document.changed,
        "place": None if document.place is None else not document.read_only,
        "spans": [{"from": at(span.start), "to": at(span.end)} for span in document.spans] if document.complete else [],
        "remarks": [
            {
                "index": index,
                "title": visible(remark.title),
                "state": remark.state,
                "reason": visible(remark.reason),
                "word": remark.word,
                "shape": WORDS[remark.state][0],
                "bar": BARS[remark.state],
                "owners": list(map(visible, remark.owners)),
            }
            for index, remark in document.remarks.items()
        ],
    }


def _ordered(editor: PolicyEditor, order: Any) -> bool:
    """Do what one of the buttons below the editor asks for; False to what is no such order."""
    match order:
        case {"ask": "apply" | "take back" | "reload" as what, "index": int(index), "text": str(text)}:
            pass
        case _:
            return False
    if 0 <= index < len(editor.documents):
        document = editor.documents[index]
        if text != document.text and not document.read_only:
            editor.edit(text, document.name)
        editor.order(what, document.name)
    return True


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
