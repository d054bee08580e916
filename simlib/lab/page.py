"""A page, made once: a tree of parts that is rendered as HTML – live, or still for where no kernel is – and as text.

    el("div.sl-card", el("h3.sl-title", "What may alice do?"), el("p", verdict, " on ", name(arn)))

A string in the tree is foreign text and is escaped. What has `do` is a control: it calls the panel's command of that
name, and stands on a live page only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, TypeAlias

from .markup import BREAKS, breakable, escape, inline, plain, prose, unmarked

_VOID = ("wbr", "br", "input")
_BLOCKS = {
    *("div", "p", "section", "header", "ol", "ul", "li", "h3", "h4", "table", "tr", "caption", "details", "summary"),
    *("pre", "figure", "figcaption", "br"),
}
_INDENTED = {"li": 2, "pre": 4}
_NOT_IN_TEXT = ("button", "select", "input", "textarea", "datalist", "label", "svg", "style")
_NO_SPACE_BEFORE = re.compile(r"[\s.,;:)’]")
_HYPHENED = re.compile(r"((?<![^\s/:])[^\s/:]*-[^\s/:]*)")  # from its beginning: a long word is gone through once


@dataclass(frozen=True)
class Part:
    """An element; `text` is what it is told as in place of its children, `on` is "live" or "still" for what is on such
    a page alone; the text is that of the still page."""

    tag: str
    children: tuple[Child, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    text: str | None = None
    on: str = ""

    def html(self, *, live: bool = False) -> str:
        """The HTML, with controls where it is `live`."""
        if self.on == ("still" if live else "live"):
            return ""
        tag, attributes = self.tag, dict(self.attributes)
        if not live and "data-do" in attributes:
            if attributes.pop("data-still", None) is None:
                return ""
            tag, attributes = "span" if tag == "button" else tag, {"class": attributes.get("class")}
        attributes.pop("data-still", None)
        inner = "".join(_html(child, live) for child in self.children)
        if not tag:
            return inner
        attributes_text = "".join(
            f" {name}" if value is True else f' {name}="{escape(value)}"'
            for name, value in attributes.items()
            if value is not None and value is not False
        )
        return f"<{tag}{attributes_text}>" + ("" if tag in _VOID else f"{inner}</{tag}>")

    def __str__(self) -> str:
        """The same as lines of text; of what is folded only the line that can be seen."""
        lines = [""]
        _write(self, lines, "")
        stripped = [line.rstrip() for line in lines]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(line for line in stripped if line.strip()))


class Html(str):
    """HTML whose foreign text has been escaped already; it is not told in the text."""

    __slots__ = ()


Child: TypeAlias = "Part | str | Iterable[Child] | Callable[[], Child] | None"  # called only where it is shown


def el(tag: str, *children: Child, text: str | None = None, on: str = "", **attributes: Any) -> Part:
    """An element: `el("div.sl-row", …)` has that class. `do` and `value` name a command and what it gets, `key` keeps
    the element the same one when the page changes, `still` keeps a control's content on a still page."""
    tag, _, css = tag.partition(".")
    named: dict[str, Any] = {"class": css.replace(".", " ")} if css else {}
    for name, value in attributes.items():
        short = {"do": "data-do", "value": "data-value", "key": "data-key", "still": "data-still"}.get(name)
        named[short or name.rstrip("_").replace("_", "-")] = value
    if tag == "button":
        named = {"type": "button", **named}
    return Part(tag, children, named, text, on)


def name(text: str) -> Part:
    """A name or an ARN: it may break before its account, before its resource and after a slash, and nowhere else."""
    pieces: list[Child] = []
    for piece in filter(None, BREAKS.split(str(text))):
        pieces += [el("wbr")] if pieces else []
        words = _HYPHENED.split(piece)
        pieces += [el("span.sl-nb", Html(escape(word))) if "-" in word and len(word) < 36 else word for word in words]
    return Part("", tuple(pieces), text=str(text))


def code(text: str, css: str = "") -> Part:
    """A name set as code."""
    return el(f"code{css}", name(text))


def line(text: str) -> Part:
    """Words of ours within a line: code in `backquotes` and **terms**, which the text has without their marks."""
    return Part("", (Html(inline(text)),), text=unmarked(text))


def paragraphs(text: str, tag: str = "div", **attributes: Any) -> Part:
    """The same in paragraphs, which an empty line parts."""
    return el(tag, Html(prose(text)), text=plain(text), **attributes)


def _html(child: Child, live: bool) -> str:
    if child is None:
        return ""
    if callable(child):
        return _html(child(), live)
    if isinstance(child, Part):
        return child.html(live=live)
    if isinstance(child, Html):
        return child
    if isinstance(child, str):
        text = breakable(escape(child))
        return f"<span>{text}</span>" if "<span" in text else text  # one piece, where pieces are laid out
    return "".join(_html(each, live) for each in child)


def _write(child: Child, lines: list[str], indent: str) -> None:
    if child is None or isinstance(child, Html):
        return
    if callable(child):
        child = child()
    if isinstance(child, str):
        _append(child, lines, indent)
        return
    if not isinstance(child, Part):
        for each in child:
            _write(each, lines, indent)
        return
    if child.on == "live":
        return
    if child.text is not None:
        block = child.tag in _BLOCKS
        lines += [""] if block else []
        for number, line in enumerate(child.text.split("\n")):
            lines += [""] if number else []
            _append(line, lines, indent + " " * _INDENTED.get(child.tag, 0), whole=block)
        lines += [""] if block else []
        return
    if child.tag in _NOT_IN_TEXT and "data-still" not in child.attributes:
        return
    if child.tag == "table":
        _write_table(child, lines, indent)
        return
    children: Iterable[Child] = child.children
    if child.tag == "details" and not child.attributes.get("open"):
        children = children[:1]
    if child.tag in _BLOCKS:
        lines.append("")
        deeper = indent + " " * _INDENTED.get(child.tag, 0)
        for each in children:
            _write(each, lines, deeper)
        lines.append("")
    else:
        for each in children:
            _write(each, lines, indent)


def _write_table(table: Part, lines: list[str], indent: str) -> None:
    """Its rows with their cells under each other; a row that has a text of its own is told as that."""
    rows: list[Part | list[str]] = []
    for each in parts_of(table):
        if each.tag == "caption" or (each.tag == "tr" and each.text is not None):
            rows.append(each)
        elif each.tag == "tr":
            rows.append([" ".join(str(cell).split()) for cell in parts_of(each) if cell.tag in ("th", "td")])
    cells = [row for row in rows if isinstance(row, list)]
    widths = [max(map(len, column)) for column in zip_longest(*cells, fillvalue="")]
    for row in rows:
        if isinstance(row, Part):
            _write(row, lines, indent)
        else:
            lines.append(indent + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)))
    lines.append("")


def _append(text: str, lines: list[str], indent: str, *, whole: bool = False) -> None:
    if not text.strip():
        return
    text = text if whole else " ".join(text.split("\n"))
    if not lines[-1].strip():
        lines[-1] = indent + text
    else:
        apart = "" if lines[-1].endswith((" ", "(")) or _NO_SPACE_BEFORE.match(text) else " "
        lines[-1] += apart + text


def parts_of(part: Child) -> Iterator[Part]:
    """Every element of a tree."""
    if isinstance(part, Part):
        yield part
        yield from (each for child in part.children for each in parts_of(child))
    elif part is not None and not isinstance(part, str) and not callable(part):
        yield from (each for child in part for each in parts_of(child))
