"""The panels that ask, on the screen: the editor of their documents, and their table beside it, as one widget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from itertools import count
from typing import TYPE_CHECKING, Any

import ipywidgets

from .. import screen
from ..controls import select
from ..interactive_html import InteractiveHTML
from ..markup import card, escape
from ..policy.view import editor_widgets
from .answers import Answer

if TYPE_CHECKING:
    from .explorer import Explorer

Commands = Mapping[str, Callable[[str], None]]

_CSS = """<style>
.sl-explorer { flex-flow: row wrap; gap: .5em 1.5em; align-items: flex-start; overflow: visible; }
.sl-explorer > * { flex: 1 1 24em; min-width: 0; max-width: 100%; margin: 0; }
.sl-explorer > .sl-table { flex: 1.4 1 27em; }
.simlib .sl-stale .sl-yes, .simlib .sl-stale .sl-no { color: var(--sl-dim); }
.simlib .sl-steps { display: flex; flex-wrap: wrap; gap: .4em; list-style: none; margin: .4em 0; padding: 0; }
.simlib .sl-steps li { border: 1px solid var(--sl-edge); padding: .2em .6em; margin: 0; }
.simlib .sl-steps li.sl-decides { border: 3px double currentColor; font-weight: 600; }
.simlib .sl-field { display: inline-flex; flex-wrap: wrap; gap: .4em; align-items: center; max-width: 100%; }
.simlib .sl-field input { font: inherit; color: inherit; background: transparent; border: 1px solid currentColor;
  border-radius: 3px; padding: .25em .4em; width: 14em; max-width: 100%; box-sizing: border-box; }
.simlib .sl-together { margin: .6em 0; }
.simlib .sl-together ul { display: flex; flex-wrap: wrap; gap: .15em 1.2em; list-style: none; margin: 0; padding: 0; }
.simlib .sl-moved { border-left: 4px solid currentColor; padding-left: .4em; }
.simlib .sl-across { width: 100%; max-width: 46em; height: auto; }
</style>"""

_numbers = count(1)


def explorer_view(panel: Explorer) -> Any:
    """The panel as a widget. An earlier view of it is closed."""
    name = f"slx{next(_numbers)}"
    arrangement = _arrangement(panel)
    shown = InteractiveHTML("", {"explain": panel.explain, **arrangement.commands(panel)})
    shown.add_class("sl-table")

    def draw() -> None:
        if panel.draft.editor is not None and len(box.children) == 1:  # there may be nothing to edit at first
            editor = editor_widgets(panel.draft.editor)
            box.children = (editor[0], shown)
            screen.add(panel, "panel", *editor)
        shown.html = _page(arrangement.parts(panel, live=True), name)

    box = ipywidgets.Box([shown])
    box.add_class("sl-explorer")
    screen.show(panel, "panel", box, shown)
    draw()
    panel.draw_by("view", draw)
    screen.follow(shown, panel.refresh)
    return box


def still(panel: Explorer) -> str:
    """The panel's last picture, for a page without a kernel."""
    page = _page(_arrangement(panel).parts(panel, live=False), f"slx{next(_numbers)}")
    texts = "".join(f"<h4>{escape(each.name)}</h4><pre>{escape(each.text)}</pre>" for each in panel.draft.documents)
    return page + card(texts, css="sl-wide")


def _arrangement(panel: Explorer) -> Any:
    return import_module(f"{__package__}.{panel.arrangement}")


def _page(parts: Mapping[str, str], name: str) -> str:
    """Each part keeps its own id, so that a change of one leaves the others, and the focus, where they are."""
    return card(_CSS + "".join(f'<div id="{name}-{key}">{part}</div>' for key, part in parts.items()), css="sl-wide")


# -- what every arrangement says ------------------------------------------------------------------------------------


def head(panel: Explorer) -> str:
    """What is to be known of the whole table; a live region, so that it is read out when it changes."""
    return f'<div role="status">{"".join(f"<p>{escape(line)}</p>" for line in panel.said)}</div>'


def faded(panel: Explorer, content: str) -> str:
    """The verdicts, greyed where they are those of an earlier text."""
    return f'<div class="sl-stale">{content}</div>' if panel.stale else content


def explanation(answer: Answer | None, who: str) -> str:
    """AWS's checks as a row of steps, the deciding one marked, and every statement's reasons."""
    if answer is None:
        return ""
    asked = answer.question
    title = f"<h4>{escape(who)}: <code>{escape(asked.action)}</code> on <code>{escape(asked.resource)}</code></h4>"
    if answer.evaluation is None:
        return f"{title}<p>Refused before any policy is read: {escape(answer.objection)}</p>"
    steps = "".join(
        f'<li class="{"sl-decides" if step.decides else ""}">{escape(step.sign)} {escape(step.name)}: '
        f"{escape(step.word)}{' – decides' if step.decides else ''}</li>"
        for step in answer.steps
    )
    reasons = "".join(f"<li>{escape(line)}</li>" for line in answer.reasons)
    told = f"<p>{escape(answer.because)}</p>"
    return f'{title}{told}<ol class="sl-steps" aria-label="AWS\'s checks, in its order">{steps}</ol><ul>{reasons}</ul>'


def why_button(index: int, opened: bool, about: str, word: str = "Why?") -> str:
    """The button that explains a verdict below the table."""
    return (
        f'<button type="button" class="sl-row" data-do="explain" data-value="{index}" '
        f'aria-pressed="{str(opened).lower()}" aria-label="{escape(f"Explain: {about}")}">{escape(word)}</button>'
    )


def field(do: str, label: str, value: str, words: Iterable[str] = (), name: str = "") -> str:
    """A line to write in; `words` are offered, with `name` as the id of their list."""
    offered = "".join(f'<option value="{escape(word)}"></option>' for word in words)
    listed = f'<datalist id="{escape(name)}">{offered}</datalist>' if offered else ""
    by = f' list="{escape(name)}"' if offered else ""
    return (
        f'<label class="sl-field">{escape(label)} <input type="text" data-do="{do}" value="{escape(value)}"{by} '
        f'autocomplete="off" spellcheck="false"></label>{listed}'
    )


# -- circumstances --------------------------------------------------------------------------------------------------

_MFA = {"": "as it is", "yes": "with MFA", "no": "without MFA", "absent": "key absent (access keys)"}
_MFA_VALUES: dict[str, Any] = {"": None, "yes": True, "no": False, "absent": "absent"}


def circumstances_bar(panel: Explorer) -> str:
    """MFA, source address, time, external ID and tags of the question."""
    given = panel.circumstances
    mfa = next((word for word, value in _MFA_VALUES.items() if value is not None and value == given.get("mfa")), "")
    tags = ", ".join(f"{key}={value}" for key, value in (given.get("tags") or {}).items())
    moment = given.get("time") or ""
    fields = [
        select("mfa", "MFA", _MFA.items(), mfa),
        field("source_ip", "Source address", str(given.get("source_ip") or "")),
        field("time", "Time (2026-12-31T10:00)", moment if isinstance(moment, str) else f"{moment:%Y-%m-%dT%H:%M}"),
        field("external_id", "External ID", str(given.get("external_id") or "")),
        field("tags", "Principal tags (team=blue)", tags),
    ]
    opened = " open" if given else ""
    bar = f'<div class="sl-bar" role="group" aria-label="Circumstances">{"".join(fields)}</div>'
    return f"<details{opened}><summary>Under other circumstances: MFA, address, time, …</summary>{bar}</details>"


def circumstances_commands(panel: Explorer) -> dict[str, Callable[[str], None]]:
    def tags(text: str) -> None:
        pairs = (part.partition("=") for part in text.split(",") if "=" in part)
        panel.under(tags={key.strip(): value.strip() for key, _, value in pairs if key.strip()} or None)

    def time(text: str) -> None:
        try:
            panel.under(time=text.strip() or None)
        except ValueError:  # not a time yet; the last one stays
            return

    return {
        "mfa": lambda value: panel.under(mfa=_MFA_VALUES.get(value)),
        "source_ip": lambda text: panel.under(source_ip=text.strip() or None),
        "external_id": lambda text: panel.under(external_id=text or None),
        "time": time,
        "tags": tags,
    }
