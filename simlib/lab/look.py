"""The parts of the one look: verdicts, people, buttons, fields, what opens in place. Their styles are in `look.css`.

A verdict is a shape, a word and a colour; who somebody is, a shape: circle = person, arch = role, square = thing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import md5
from pathlib import Path
from typing import Any

from .page import Child, Html, Part, el, name

# What is drawn in a square of 16: of the verdicts f is filled, o an outline, k cut out.
_DRAWINGS = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))  # in squares of 16
SIGNS: dict[str, dict[str, str]] = _DRAWINGS["signs"]
_SHAPES = {  # of each kind of principal, resource, credential: its shape, and what is drawn in it
    "role": ("role", "role"),
    "session": ("role", "session"),
    "service": ("service", "service"),
    "machine": ("machine", "machine"),
    "function": ("machine", "machine"),
    "new": ("machine", "machine"),
    "token": ("key", "key"),
    "key": ("key", "key"),
    "resource": ("thing", "thing"),
    "root": ("account", "account"),
    "control": ("account", "account"),
    "account": ("account", "account"),
    "outside": ("any", "account"),
    "anonymous": ("any", "any"),
}
_TINTS = {"role": "#8f5cc0", "service": "#6f8193", "machine": "#6f8193", "thing": "#2b9a86", "key": "#b28a2e",
    "account": "#8b93a1", "any": "#8b93a1"}  # fmt: skip
_HUES = ("#a5488f", "#3d74c7", "#8a7a2c", "#4d8f6a", "#b5623a", "#5b62b8", "#2f8c99", "#9a5067")


def drawing(family: str, which: str, css: str, box: str = "0 0 16 16") -> Part:
    """A picture that stands beside its word, from `look.json`."""
    return el("svg", Html(_DRAWINGS[family][which]), class_=css, viewBox=box, aria_hidden="true")


def icon(which: str, css: str = "sl-i") -> Part:
    return drawing("icons", which, css)


def sign(which: str) -> Part:
    """The shape of a verdict; in text, and where pictures are taken out, its sign."""
    text, colour = SIGNS[which]["text"], SIGNS[which]["colour"]
    css = f"sl-s is-{colour}" if colour else "sl-s"
    shape = el("svg", Html(SIGNS[which]["drawing"]), class_=css, viewBox="0 0 16 16", aria_hidden="true")
    return Part("", (shape, el("span.sl-hidden", f"{text} ", aria_hidden="true")), text=text)


def verdict(which: str, word: str) -> Part:
    """A verdict: the shape, the word, the colour."""
    colour = SIGNS[which]["colour"]
    return el("span.sl-v" + (f".is-{colour}" if colour else ""), sign(which), word)


def change(before: str, word: str) -> Part:
    """ "was ✔ Allowed", beside the verdict until the next edit."""
    return el("span.sl-change", "was ", sign(before), word, text=f"(was {SIGNS[before]['text']} {word})")


def table(head: Iterable[str], rows: Iterable[Sequence[Child]], caption: str = "") -> Part:
    """Rows under their heads; the first cell of each is its heading."""
    top = el("thead", el("tr", [el("th", word, scope="col") for word in head]))
    body = [el("tr", el("th", first, scope="row"), [el("td", each) for each in rest]) for first, *rest in rows]
    return el("table.sl-t", el("caption", caption) if caption else None, top, el("tbody", body))


def tag(text: str, css: str = "") -> Part:
    return el(f"span.sl-tag{css}", text)


def _hue(name: str) -> str:
    return _HUES[md5(name.encode(errors="replace"), usedforsecurity=False).digest()[0] % len(_HUES)]


def avatar(kind: str, name: str = "", css: str = "") -> Part:
    """The shape of a kind; a person has the first letter of the name, and a colour that is always the same."""
    shape, drawing = _SHAPES.get(kind, ("", ""))
    if shape:
        return el(f"span.sl-av.is-{shape}{css}", icon(drawing), aria_hidden="true", text="")
    return el(f"span.sl-av{css}", name[:1].upper(), style=f"--hue:{_hue(name)}", aria_hidden="true", text="")


def avatar_drawing(kind: str, name: str, x: float, y: float) -> Part:
    """The same inside a picture, in a square of 24 at that place."""
    shape, drawing_name = _SHAPES.get(kind, ("", ""))
    tint = f"fill: color-mix(in oklab, {_TINTS.get(shape) or _hue(name)} var(--sl-tint), var(--sl-card))"
    ground = el("rect", x=x, y=y, width=24, height=24, rx=6 if shape else 12, style=tint)
    if not shape:
        return el("g", ground, el("text.letter", name[:1].upper(), x=x + 12, y=y + 16, text_anchor="middle"))
    return el("g", ground, el("g.ic", Html(_DRAWINGS["icons"][drawing_name]), transform=f"translate({x + 4},{y + 4})"))


def chip(kind: str, title: str, about: str = "", tag: str = "span", css: str = "", **attributes: Any) -> Part:
    """Somebody or something, by shape and name; `about` is what has to be added."""
    remark = el("span.sl-in", about) if about else None
    return el(f"{tag}.sl-chip{css}", avatar(kind, title), el("span", name(title)), remark, **attributes)


# -- to press and to fill in ------------------------------------------------------------------------------------------


def button(do: str, *label: Child, value: str = "", css: str = "", off: bool = False, **attributes: Any) -> Part:
    """A button of the panel; `css` is ".is-primary" for the one that is next, ".is-quiet" for the rare ones."""
    disabled = {"aria_disabled": "true"} if off else {}
    return el(f"button.sl-b{css}", *label, do=do, value=value, **disabled, **attributes)


def icon_button(do: str, which: str, label: str, value: str = "", **more: Any) -> Part:
    """A button of a picture alone, whose label is read out and shown under the pointer."""
    return button(do, icon(which), value=value, css=".is-icon", aria_label=label, title=label, **more)


def choice(do: str, label: str, options: Iterable[tuple[str, str]], chosen: str) -> Part:
    """A labelled choice; `options` are values and what they are called; the first counts where none is `chosen`."""
    texts = dict(options)
    chosen = chosen if chosen in texts else next(iter(texts), "")
    rows = [Part("option", (text,), {"value": value, "selected": value == chosen}) for value, text in texts.items()]
    return el("label", label, el("select.sl-field", *rows, do=do), on="live")


def tabs(do: str, label: str, options: Iterable[tuple[str, str]], chosen: str) -> Part:
    """Buttons of which one is chosen, for what stands below them; `options` are values and what they are called."""
    here = {chosen: {"aria_current": "page"}}
    buttons = [button(do, text, value=value, css=".is-quiet", **here.get(value, {})) for value, text in options]
    return el("nav.sl-tabs", *buttons, aria_label=label)


def field(
    do: str, label: str, value: str, words: Iterable[str] = (), enter: str = "", hint: str = "", past: Any = None
) -> Part:
    """A labelled line to write in; `words` are offered, `enter` is the command of the button it belongs to, `past` the
    texts that the arrow keys bring back."""
    options = [Part("option", (), {"value": word}) for word in words]
    data = {"data-do": do, "value": value, "data-enter": enter or None, "placeholder": hint or None}
    data["data-past"] = None if past is None else json.dumps(past)
    attributes = {"class": "sl-field", "type": "text", "autocomplete": "off", "spellcheck": "false", **data}
    words_of = el("datalist", *options) if options else None
    return el("label", label, Part("input", (), attributes), words_of, on="live")


def fold(
    summary: Child, *content: Child, key: str, opened: bool = False, text: str | None = None, **toggle: Any
) -> Part:
    """What opens where it stands; `opened` says how it is at first, then the reader does, or a command: `data_toggle`.
    `text` is it in the text, where nobody can open it."""
    return el("details.sl-open", el("summary", summary), *content, open=opened, key=key, text=text, **toggle)


def notice(text: str, bold: str = "", key: str | None = "note") -> Part | None:
    """What is to be known of a whole panel, in a line across it that is read out; nothing where there is no `text`."""
    return el("p.sl-draft", el("b", bold) if bold else None, f" {text}", role="status", key=key) if text else None


def panel_card(title: Child, *content: Child, about: Child = None, side: Child = None, who: Part | None = None) -> Part:
    """The frame of a panel: its title, who it is about, what is to be said at its right; then the content."""
    head = el("div", el("h3.sl-title", title), el("div.sl-small.sl-dim", about) if about else None)
    return el("section.sl-card", el("div.sl-head", who, head, el("span.sl-grow"), side), *content)
