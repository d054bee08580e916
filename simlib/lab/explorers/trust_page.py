"""TrustExplorer as a page: a row for each caller, and the explanation of the chosen one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..markup import escape, table, verdict
from .trust import NOTHING_HELD, Row, TrustExplorer
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
    numbers = {each.key: index for index, each in enumerate(panel.questions)}  # as `explain` knows them
    rows, together = [], []
    for row in panel.rows:
        if row.together:
            together.append(_several(panel, row, numbers, live=live))
            continue
        each = row.first
        question, name = each.answer.question, panel.name(each.who)
        before, opened = panel.before(question), panel.opened is each.answer
        was = f'<div class="sl-moved">was {"Assumed" if before.allowed else "Refused"}</div>' if before else ""
        second = f'<br><span class="sl-dim">{escape(each.second)}</span>' if each.second else ""
        why = f" {why_button(numbers[question.key], opened, f'{name}, {each.word}')}" if live else ""
        rows.append([escape(name), verdict(each.inside, each.word) + was, escape(each.why) + second + why])
    more = f'<p class="sl-dim">{escape(panel.more)}</p>' if panel.more else ""
    one_by_one = table(["Who knocks", "Verdict", "Why"], rows, panel.title) if rows else f"<p>{escape(panel.title)}</p>"
    return one_by_one + "".join(together) + more


def _several(panel: TrustExplorer, row: Row, numbers: Mapping[Any, int], *, live: bool) -> str:
    """Those who are refused for one reason; each name explains its own refusal."""
    names = []
    for each in row.knocks:
        name, opened = panel.name(each.who), panel.opened is each.answer
        about, number = f"{name}, {each.word}", numbers[each.answer.question.key]
        names.append(f"<li>{why_button(number, opened, about, name) if live else escape(name)}</li>")
    why = " ".join(f"{line}." for line in (row.first.why, row.first.second) if line)
    head = f"<p>{verdict(False, row.first.word)}: {escape(f'{row.together}. {why}')}</p>"
    return f'<section class="sl-together">{head}<ul>{"".join(names)}</ul></section>'


def _held(panel: TrustExplorer) -> str:
    held = "".join(f"<li>{escape(line)}</li>" for line in panel.held or [NOTHING_HELD])
    return f"<h4>Whoever gets in holds</h4><ul>{held}</ul>"
