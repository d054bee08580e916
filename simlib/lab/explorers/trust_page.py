"""TrustExplorer as a page: a row for each caller, and the explanation of the chosen one."""

from __future__ import annotations

from collections.abc import Callable

from ..markup import escape, table, verdict
from .trust import NOTHING_HELD, TrustExplorer
from .view import circumstances_bar, circumstances_commands, explanation, faded, field, head, why_button


def commands(panel: TrustExplorer) -> dict[str, Callable[[str], None]]:
    return {"search": panel.search, **circumstances_commands(panel)}


def parts(panel: TrustExplorer, *, live: bool) -> dict[str, str]:
    chosen = panel.opened
    return {
        "head": head(panel),
        "search": field("search", "Find a caller", panel.filter) if live else "",
        "table": faded(panel, _table(panel, live=live)),
        "held": _held(panel),
        "why": explanation(chosen, panel.name(chosen.question.who)) if chosen else "",
        "circumstances": circumstances_bar(panel) if live else "",
    }


def _table(panel: TrustExplorer, *, live: bool) -> str:
    rows = []
    for index, each in enumerate(panel.knocks):
        question = each.answer.question
        before = panel.before(question)
        was = f'<div class="sl-moved">was {"Assumed" if before.allowed else "Refused"}</div>' if before else ""
        second = f'<br><span class="sl-dim">{escape(each.second)}</span>' if each.second else ""
        name = panel.name(each.who)
        why = f" {why_button(index, panel.opened is each.answer, f'{name}, {each.word}')}" if live else ""
        rows.append([escape(name), verdict(each.inside, each.word) + was, escape(each.why) + second + why])
    more = f'<p class="sl-dim">{escape(panel.more)}</p>' if panel.more else ""
    return table(["Who knocks", "Verdict", "Why"], rows, panel.title) + more


def _held(panel: TrustExplorer) -> str:
    held = "".join(f"<li>{escape(line)}</li>" for line in panel.held or [NOTHING_HELD])
    return f"<h4>Whoever gets in holds</h4><ul>{held}</ul>"
