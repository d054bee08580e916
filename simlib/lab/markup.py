"""Text on a learner's screen: the one place where text becomes HTML, and the styles that go with it.

Whatever is not written in this package – names, policies, error messages, what a learner types – passes `escape`.
"""

from __future__ import annotations

import html
import re
import textwrap
import unicodedata
from functools import cache
from pathlib import Path

_MARKED = re.compile(r"`([^`]+)`|\*\*(\w(?:[^*`]*\w)?)\*\*")
BREAKS = re.compile(r"(?<=\w/)(?=[\w*$])|(?<=::)(?!:)|(?<=:)(?=\d{12}:)|(?<=\d{12}:)")
_ID = re.compile(r"(?<![\w-])[a-z]{1,8}-[0-9a-f]{8,17}(?![\w-])")  # of a machine, a volume, a network
LONGEST = 4_000  # characters of one piece of foreign text; more would only push the page out of shape


def sheet(*names: str) -> str:
    """Style sheets of this folder as one, without what only their readers need."""
    text = "".join((_HERE / f"{name}.css").read_text(encoding="utf-8") for name in names)
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)).strip()


_HERE = Path(__file__).parent
_RULE = re.compile(r"(@[^{}]+)\{((?:[^{}]+\{[^{}]*\})*)\s*\}|([^{}]+)(\{[^{}]*\})")
_OTHER_WORDS = re.compile(r":(?:is|not|has|where)\([^()]*\)")  # in a selector: of these any may hold


def styles(content: str, *names: str) -> str:
    """The rules of some sheets that speak of classes in `content`: an output in a notebook carries no others."""
    classes = {"simlib", *re.findall(r"[\w-]+", " ".join(re.findall(r'class="([^"]*)"', content)))}
    return f"<style>{_needed(_sheet(names), classes)}</style>"


_sheet = cache(lambda names: sheet(*names))


def _needed(text: str, classes: set[str]) -> str:
    rules = []
    for around, inner, selectors, body in _RULE.findall(text):
        if around.startswith("@keyframes"):
            rules.append(f"{around}{{{inner}}}")
        elif around:
            within = _needed(inner, classes)
            rules += [f"{around}{{{within}}}"] if within else []
        elif any(
            set(re.findall(r"\.((?!jp-|theme-)[a-z][\w-]*)", each)) <= classes
            for each in _OTHER_WORDS.sub("", selectors).split(",")
        ):
            rules.append(f"{selectors}{body}")
    return "".join(rules)


def escape(text: object) -> str:
    """Foreign text as HTML that can be read but never run: markup is shown, invisible characters are named."""
    readable = str(text)
    if len(readable) > LONGEST:
        readable = f"{readable[:LONGEST]}… ({len(readable) - LONGEST} more characters)"
    return html.escape(readable if readable.isprintable() else "".join(map(_visible, readable)), quote=True)


def number_of(number: int, thing: str) -> str:
    """ "1 call", "1,200 calls"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def shortened(name: str, letters: int) -> str:
    """As much of a name as has room, its middle left out: the beginning and the end tell most."""
    return name if len(name) <= letters else f"{name[: letters // 2]}…{name[-letters // 2 + 1 :]}"


def breakable(html_: str) -> str:
    """Where a line may break in an ARN: before its account, before its resource and after a slash; in the ID of a
    machine it may not."""
    return _ID.sub(r'<span class="sl-nb">\g<0></span>', BREAKS.sub("<wbr>", html_) if "arn:" in html_ else html_)


def visible(text: object) -> str:
    """Foreign text for where it goes as text and not as markup: shortened, its invisible characters named."""
    return html.unescape(escape(text))


def _visible(char: str) -> str:
    invisible = unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn") and char not in "\n\t"
    return f"\\u{ord(char):04x}" if invisible else char


def prose(text: str) -> str:
    """A sentence or two of ours as HTML: an empty line parts paragraphs, code stands in `backquotes`, **a term** so."""
    paragraphs = re.split(r"\n\s*\n", breakable(escape(text.strip())))
    return "".join(f"<p>{_MARKED.sub(_marked, part)}</p>" for part in paragraphs)


def inline(text: str) -> str:
    """The same within a line: code and terms, no paragraphs."""
    return _MARKED.sub(_marked, breakable(escape(text)))


def _marked(match: re.Match[str]) -> str:
    return f"<code>{match[1]}</code>" if match[1] else f"<b>{match[2]}</b>"


def outline(text: str) -> str:
    """An explanation as HTML, line by line; what hangs below a line is indented, code stands in `backquotes`."""
    lines = text.split("\n")
    return "".join(f'<div class="{"sl-under" if line.startswith("  ") else ""}">{prose(line)}</div>' for line in lines)


def unmarked(text: str) -> str:
    """The same as text, without the backquotes and the stars of a term."""
    return _MARKED.sub(r"\1\2", text).replace("`", "")


def plain(text: str) -> str:
    """Paragraphs for a terminal, wrapped to 100 columns."""
    parts = re.split(r"\n\s*\n", unmarked(text.strip()))
    return "\n\n".join(textwrap.fill(" ".join(part.split()), 100) for part in parts)


def card(content: str, *, css: str = "") -> str:
    """A block of our HTML with its styles; `content` is HTML whose foreign text has passed `escape`."""
    block = f'<div class="simlib {css}">{content}</div>'
    return styles(block, "look", "lessons") + block
