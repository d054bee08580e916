"""AccessExplorer as a page: a table of requests, or a matrix, and the explanation of the chosen verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simlib.iam import service_data

from ..controls import button, select
from ..markup import escape, table, verdict, verdict_text
from ..people import titles
from .access import AccessExplorer
from .view import (
    circumstances_bar,
    circumstances_commands,
    explanation,
    faded,
    field,
    head,
    why_button,
)

MOST_WORDS = 40  # are offered at once; typing on narrows them down


def commands(panel: AccessExplorer) -> dict[str, Callable[[str], None]]:
    typed = _typed(panel)

    def ask(_: str) -> None:
        if ":" in typed["action"] and typed["resource"]:
            panel.ask(typed["action"], typed["resource"])

    def write(name: str) -> Callable[[str], None]:
        def keep(text: str) -> None:
            typed[name] = text.strip()
            panel._tell()

        return keep

    def person(value: str) -> None:
        if any(each.credential == value or each.arn == value for each in panel.world.inspect.principals()):
            panel.add(panel.world.inspect.principal(value))

    def forget(value: str) -> None:
        if value.isdigit() and int(value) < len(panel.requests):
            panel.forget(int(value))

    return {
        "ask": ask,
        "action": write("action"),
        "resource": write("resource"),
        "person": person,
        "forget": forget,
        "try": lambda _: panel.try_it() and None if panel.chosen in panel.answers else None,
        **circumstances_commands(panel),
    }


def _typed(panel: AccessExplorer) -> dict[str, str]:
    """What stands in the fields of a new request."""
    return panel.__dict__.setdefault("_new_request", {"action": "", "resource": ""})  # type: ignore[no-any-return]


def parts(panel: AccessExplorer, *, live: bool) -> dict[str, str]:
    chosen = panel.opened
    who = panel.name(chosen.question.who) if chosen else ""
    tried = f'<p role="status">{escape(panel.tried)}</p>' if panel.tried else ""
    return {
        "head": head(panel),
        "table": faded(panel, _matrix(panel, live=live) if len(panel.people) > 1 else _list(panel, live=live)),
        "why": explanation(chosen, who),
        "try": (button("try", "Really try it") if live and panel.answers else "") + tried,
        "new": _new(panel) if live else "",
        "circumstances": circumstances_bar(panel) if live else "",
    }


def _list(panel: AccessExplorer, *, live: bool) -> str:
    rows = []
    for row in range(len(panel.requests)):
        answer = panel.answer(row)
        missed = [f'<span class="sl-dim">{escape(line)}</span>' for line in answer.near_misses]
        told = [_request(panel, row, live=live), escape(answer.because), *missed]
        rows.append([_cell(panel, row, 0, live=live), "<br>".join(told)])
    return table(["Verdict", "Request, and what decides it"], rows, panel.title)


def _matrix(panel: AccessExplorer, *, live: bool) -> str:
    rows = [
        [
            _request(panel, row, live=live),
            *(_cell(panel, row, column, live=live) for column in range(len(panel.people))),
        ]
        for row in range(len(panel.requests))
    ]
    return table(["Request", *(panel.name(each) for each in panel.people)], rows, panel.title)


def _request(panel: AccessExplorer, row: int, *, live: bool) -> str:
    action, resource, _ = panel.requests[row]
    forget = (
        f' <button type="button" class="sl-row" data-do="forget" data-value="{row}" '
        f'aria-label="{escape(f"Take {action} out of the table")}">remove</button>'
        if live
        else ""
    )
    return f'<code>{escape(action)}</code> <code class="sl-dim">{escape(resource)}</code>{forget}'


def _cell(panel: AccessExplorer, row: int, column: int, *, live: bool) -> str:
    """The verdict, what it was, what it should be, and the way to its explanation."""
    answer, wish = panel.answer(row, column), panel.should(row, column)
    before = panel.before(answer.question)
    said = verdict(answer.allowed, answer.word)
    if before:
        said += f'<div class="sl-moved">was {escape(verdict_text(before.allowed, before.word))}</div>'
    if wish is not None:
        met = "✓ as it should be" if wish == answer.allowed else f"≠ should be {verdict_text(wish)}"
        said += f"<div>{escape(met)}</div>"
    if live:
        index = row * len(panel.people) + column
        about = f"{panel.name(panel.people[column])}, {answer.question.action}, {answer.word}"
        said += f" {why_button(index, panel.opened is answer, about)}"
    return said


def _new(panel: AccessExplorer) -> str:
    """A new request, and somebody else to ask for."""
    typed = _typed(panel)
    people: list[Any] = panel.world.inspect.principals()
    called = titles(panel.world, people)
    others = [("", "…"), *((each.credential or each.arn, f"{called[each]} – {each.kind}") for each in people)]
    key = id(panel)
    fields = [
        field("action", "Action", typed["action"], actions(typed["action"]), f"slx-actions-{key}"),
        field("resource", "Resource", typed["resource"], _resources(panel, typed["resource"]), f"slx-resources-{key}"),
        button("ask", "Ask"),
        select("person", "Ask for somebody else too", others, ""),
    ]
    return f'<div class="sl-bar" role="group" aria-label="A new request">{"".join(fields)}</div>'


def actions(typed: str) -> list[str]:
    """Actions in AWS's Service Authorization Reference that begin with, or contain, what was typed."""
    service, colon, name = typed.lower().partition(":")
    if not colon:
        return sorted(f"{prefix}:" for prefix in service_data.services() if prefix.startswith(service))[:MOST_WORDS]
    known = service_data.service(service) if service in service_data.services() else None
    found = known.actions if known else {}
    fitting = sorted((low for low in found if name in low), key=lambda low: (not low.startswith(name), low))
    return [f"{service}:{found[low].name}" for low in fitting[:MOST_WORDS]]


def _resources(panel: AccessExplorer, typed: str) -> list[str]:
    return [arn for arn in panel.world.inspect.resources() if typed.lower() in arn.lower()][:MOST_WORDS]
