"""Text on a learner's screen: the one place where text becomes HTML, and the colours of both themes.

Whatever is not written in this package – names, policies, error messages, what a learner types – passes `escape`.
"""

from __future__ import annotations

import html
import re
import textwrap
import unicodedata

_MARKED = re.compile(r"`([^`]+)`|\*\*(\w(?:[^*`]*\w)?)\*\*")
LONGEST = 4_000  # characters of one piece of foreign text; more would only push the page out of shape

# JupyterLab's own variables carry the theme; the verdict colours are ours, because its green and red are too pale to
# read: blue and orange, which colour-blind eyes tell apart, each with a contrast of at least 4.5:1 in its theme. A sign
# and a word always stand beside the colour.
STYLE = """<style>
.simlib { --sl-yes: #00589b; --sl-no: #a33a00; --sl-dim: #5a5a5a; --sl-edge: #8a8a8a;
  color: var(--jp-content-font-color0, CanvasText);
  font: calc(14px * var(--sl-scale, 1))/1.5 var(--jp-content-font-family, system-ui, sans-serif);
  max-width: 60em; overflow-wrap: anywhere; }
[data-jp-theme-light="false"] .simlib { --sl-yes: #7fc4ff; --sl-no: #ffae73; --sl-dim: #b0b0b0; --sl-edge: #8a8a8a; }
.simlib.sl-wide > pre { margin: .4em 0; }
.simlib .sl-t th[scope="row"] { min-width: 9em; }
.simlib .sl-yes, .simlib .sl-no { white-space: nowrap; }
.simlib p { margin: .3em 0; }
.simlib code, .simlib pre { font: calc(13px * var(--sl-scale, 1))/1.45 var(--jp-code-font-family, monospace);
  white-space: pre-wrap; word-break: normal; background: transparent; color: inherit; padding: 0; margin: 0; }
.simlib table { border-collapse: collapse; margin: .3em 0; font-size: 1em; }
.simlib .sl-unhovered { display: var(--sl-unhovered, none); }
.simlib caption { text-align: left; color: var(--sl-dim); padding-bottom: .3em; }
.simlib .sl-t th, .simlib .sl-t td { text-align: left; vertical-align: top; padding: .3em .9em .3em 0;
  white-space: normal; border-bottom: 1px solid var(--sl-edge); color: inherit; background: transparent;
  font-weight: inherit; }
.simlib .sl-t thead th { color: var(--sl-dim); }
.simlib .sl-yes { color: var(--sl-yes); font-weight: 600; }
.simlib .sl-no { color: var(--sl-no); font-weight: 600; }
.simlib .sl-dim { color: var(--sl-dim); }
.simlib.sl-note { border-left: 4px solid var(--sl-edge); padding: .1em 0 .1em .8em; }
.simlib.sl-wide { max-width: none; }
.simlib .sl-under { padding-left: 1.5em; color: var(--sl-dim); }
.simlib .sl-pair { display: flex; flex-wrap: wrap; gap: 1em 1.5em; }
.simlib .sl-pair > section { min-width: 0; max-width: 100%; }
.simlib .sl-pair pre { white-space: pre; overflow-x: auto; }
.simlib .sl-yes.sl-cell, .simlib .sl-no.sl-cell { white-space: normal; }
@media (max-width: 640px) {
  .simlib .sl-t th[scope="row"] { min-width: 0; }
  .simlib .sl-t th, .simlib .sl-t td { padding-right: .5em; }
  .simlib .sl-yes, .simlib .sl-no { white-space: normal; }
}
.simlib h4 { font-size: 1em; margin: .2em 0 .4em; }
</style>"""


def escape(text: object) -> str:
    """Foreign text as HTML that can be read but never run: markup is shown, invisible characters are named."""
    shown = str(text)
    if len(shown) > LONGEST:
        shown = f"{shown[:LONGEST]}… ({len(shown) - LONGEST} more characters)"
    return html.escape(shown if shown.isprintable() else "".join(map(_visible, shown)), quote=True)


def visible(text: object) -> str:
    """Foreign text for where it goes as text and not as markup: shortened, its invisible characters named."""
    return html.unescape(escape(text))


def _visible(char: str) -> str:
    invisible = unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn") and char not in "\n\t"
    return f"\\u{ord(char):04x}" if invisible else char


def prose(text: str) -> str:
    """A sentence or two of ours as HTML: an empty line parts paragraphs, code stands in `backquotes`, **a term** so."""
    paragraphs = re.split(r"\n\s*\n", escape(text.strip()))
    return "".join(f"<p>{_MARKED.sub(_marked, part)}</p>" for part in paragraphs)


def _marked(found: re.Match[str]) -> str:
    return f"<code>{found[1]}</code>" if found[1] else f"<b>{found[2]}</b>"


def outline(text: str) -> str:
    """An explanation as HTML, line by line; what hangs below a line is indented, code stands in `backquotes`."""
    lines = text.split("\n")
    return "".join(f'<div class="{"sl-under" if line.startswith("  ") else ""}">{prose(line)}</div>' for line in lines)


def plain(text: str, *, indent: str = "") -> str:
    """The same for a terminal: paragraphs wrapped to 100 columns, without the backquotes and the stars of a term."""
    parts = re.split(r"\n\s*\n", _MARKED.sub(r"\1\2", text.strip()).replace("`", ""))
    wrap = {"width": 100, "initial_indent": indent, "subsequent_indent": indent}
    return "\n\n".join(textwrap.fill(" ".join(part.split()), **wrap) for part in parts)  # type: ignore[arg-type]


def card(content: str, *, css: str = "") -> str:
    """A block of our HTML with its styles; `content` is HTML whose foreign text has passed `escape`."""
    return f'{STYLE}<div class="simlib {css}">{content}</div>'


def verdict(allowed: bool, word: str = "") -> str:
    """ "✔ Allowed" or "✘ Refused": a sign, a word and a colour."""
    return f'<span class="{"sl-yes" if allowed else "sl-no"}">{escape(verdict_text(allowed, word))}</span>'


def verdict_text(allowed: bool, word: str = "") -> str:
    """The same without markup."""
    return f"{'✔' if allowed else '✘'} {word or ('Allowed' if allowed else 'Refused')}"


def table(head: list[str], rows: list[list[str]], caption: str = "") -> str:
    """An HTML table; `head` and `caption` are text, the cells are HTML, the first of each row is its heading."""
    caption = f"<caption>{escape(caption)}</caption>" if caption else ""
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>' for first, *rest in rows
    )
    return f'<table class="sl-t">{caption}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'
