"""How a notebook shows what the cloud answers: explanations and the trail as HTML, their plain text beside it.

The cloud knows no screen. It is taught here, by name, so that nothing is imported for it.
"""

from __future__ import annotations

from typing import Any

from .markup import card, escape, outline, table, verdict

TRAIL_ROWS = 20


def explanation(explained: Any) -> str:
    """A refusal explained."""
    return card(outline(str(explained)))


def terminal(result: Any) -> str:
    """What a command printed, wrapped between words."""
    return card(f"<pre>{escape(result)}</pre>", css="sl-wide")


def trail(events: Any) -> str:
    """The last calls of a trail as a table."""
    rows = [[f"<code>{event.when:%Y-%m-%d %H:%M:%S}</code>", *map(escape, (event.who, event.action, event.resource)),
        verdict(event.decision == "ALLOW") + (f"<br>{escape(event.error_code)}" if event.error_code else "")]
        for event in events[-TRAIL_ROWS:]]  # fmt: skip
    earlier = f"The last {TRAIL_ROWS} of {len(events)} calls" if len(events) > TRAIL_ROWS else ""
    return card(table(["When (UTC)", "Who", "Action", "Resource", "Decision"], rows, earlier), css="sl-wide")


_SHOWN = {
    ("simlib.cloud.explain", "Explanation"): explanation,
    ("simlib.cloud.machines.cli", "Result"): terminal,
    ("simlib.cloud.machines.instance", "Text"): terminal,
    ("simlib.cloud.trail", "Trail"): trail,
}


def teach(shell: Any) -> None:
    """Let an IPython shell show these things as HTML too."""
    formatter = shell.display_formatter.formatters["text/html"]
    for (module, name), show in _SHOWN.items():
        formatter.for_type_by_name(module, name, show)
