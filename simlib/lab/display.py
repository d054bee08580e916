"""How a notebook shows what the cloud answers: explanations and the trail as HTML, their plain text beside it; boto3's
answers without what is the same in all of them, and in no line broken within a number or a name.

The cloud knows no screen. It is taught here, by name, so that nothing is imported for it.
"""

from __future__ import annotations

from typing import Any

from simlib.cloud.browser import in_browser

from . import answer_summary, browser_shell
from .markup import breakable, card, escape, outline

TRAIL_ROWS = 20


def explanation(explained: Any) -> str:
    """A refusal explained."""
    return card(outline(str(explained)))


def terminal(result: Any) -> str:
    """What a command printed, or Python would print, wrapped between words and where a name may break."""
    lines = "\n".join(breakable(escape(line)) for line in str(result).split("\n"))
    return card(f"<pre>{lines}</pre>", css="sl-wide")


def trail(events: Any) -> str:
    """The last calls of a trail as a table; each opens its evaluation, without a kernel too."""
    from .trail_table import TrailTable, trail_page

    return card(trail_page(TrailTable(events, rows=TRAIL_ROWS)).html(), css="sl-wide")


_SHOWN = {
    ("simlib.cloud.explain", "Explanation"): explanation,
    ("simlib.cloud.machines.cli", "Result"): terminal,
    ("simlib.cloud.machines.instance", "Text"): terminal,
    ("simlib.cloud.trail", "Trail"): trail,
}


def install(shell: Any) -> None:
    """Let an IPython shell show these things as HTML too, and say what a browser cannot do."""
    formatter = shell.display_formatter.formatters["text/html"]
    for (module, name), show in _SHOWN.items():
        formatter.for_type_by_name(module, name, show)
    text = shell.display_formatter.formatters["text/plain"]
    as_before = text.lookup_by_type(dict)
    text.for_type(dict, lambda value, printer, cycle: as_before(answer_summary.without_metadata(value), printer, cycle))
    for kind in (dict, list, str):
        formatter.for_type(kind, lambda value: terminal(text(value)))
    if in_browser():
        browser_shell.install(shell)
