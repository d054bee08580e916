"""The playground on the screen: worlds and tabs above, the open panel's own view below."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets

from simlib.cloud.worlds.file import is_world

from . import screen
from .downloads import packed
from .interactive_html import InteractiveHTML
from .look import button, choice, field, fold
from .page import Part, el
from .playground import EXAMPLES, TABS, Playground

MOST_FILES = 30  # that are offered by name
KINDS = ("user", "role", "bucket")


def playground_view(playground: Playground) -> Any:
    """The page as a widget. An earlier view of it is closed."""
    typed = {"path": "", "kind": KINDS[0], "name": "", "account": "", "who": "", "role": ""}
    bar, below = InteractiveHTML("", {}), screen.Holder()
    shown: list[Any] = [None]

    def type_in(what: str) -> Callable[[str], None]:
        return lambda text: typed.update({what: text.strip()})

    def enter(doing: str, world: Callable[[], None]) -> None:
        playground.note = doing
        bar.html = _html(playground, typed)  # before the kernel is busy with it
        world()

    def choose_world(chosen: str) -> None:
        if chosen.isdecimal() and int(chosen) in EXAMPLES:
            enter(f"Beginning: {EXAMPLES[int(chosen)]} …", lambda: playground.begin(int(chosen)))
        elif chosen in _worlds_here():
            enter(f"Opening {chosen} …", lambda: playground.load(chosen))

    def download(_: str) -> None:
        try:
            text, about = packed(playground.world)
        except ValueError as problem:
            playground.note = str(problem)
        else:
            bar.give("world.json", text)
            playground.note = f"Your browser has saved world.json{about}"
        show()

    def make(_: str) -> None:
        account = typed["account"] or _accounts(playground)[0]
        if typed["name"] and typed["kind"] in KINDS and account in _accounts(playground):
            playground.create(typed["kind"], typed["name"], account)
            shown[0] = None  # it is to know the new one
            show()

    def borrow(_: str) -> None:
        users, roles = playground.people("user"), playground.people("role")
        if users and roles:
            playground.borrow(typed["who"] or users[0], typed["role"] or roles[0])

    bar.commands = {
        "open": lambda name: name in TABS and playground.open(name),
        "choose": playground.choose,
        "begin": choose_world,
        "load": lambda _: typed["path"] and enter(f"Opening {typed['path']} …", lambda: playground.load(typed["path"])),
        "save": lambda _: typed["path"] and playground.save(typed["path"]),
        "replace": lambda _: playground.replaces and playground.save(playground.replaces, replace=True),
        "download": download,
        "file": lambda text, name="world.json": playground.open_file(text, name),
        "create": make,
        "borrow": borrow,
        **{what: type_in(what) for what in typed},
    }

    def show() -> None:
        bar.html = _html(playground, typed)
        panel = playground.panel
        if panel is not shown[0]:
            shown[0] = panel
            below.hold(panel)

    playground.on_change = show
    show()
    box = ipywidgets.VBox([bar, below], layout={"overflow": "visible"})
    return screen.show(playground, "playground", box, bar, below)


def _html(playground: Playground, typed: dict[str, str]) -> str:
    return f'<div class="simlib">{page(playground, typed).html(live=True)}</div>'


def page(playground: Playground, typed: dict[str, str]) -> Part:
    """What stands above the panel: the world, the tabs, and what to do first."""
    tab = TABS[playground.tab]
    tabs = [
        button("open", each.title, value=name, css=".is-quiet", aria_current="page" if each is tab else None)
        for name, each in TABS.items()
    ]
    subjects = [(each, each) for each in playground.subjects]
    about = choice("choose", tab.asks, subjects, playground.subject) if subjects else None
    empty = el("p", "There is nothing of this kind in this world yet.") if tab.asks and not subjects else None
    replace = button("replace", "Replace", css=".is-small") if playground.replaces else None
    return el(
        "div.sl-play",
        el("div.sl-row", _worlds(), button("download", "Download this world"), _picked()),
        el("p", el("span", playground.note, role="status"), " ", replace),
        _more(playground, typed),
        el("nav.sl-tabs", *tabs, aria_label="Panels"),
        el("p.sl-first", tab.first),
        about,
        empty,
    )


def _worlds() -> Part:
    examples = [(str(number), title) for number, title in EXAMPLES.items()]
    return choice(
        "begin", "World", [("", "another world …"), *examples, *((name, name) for name in _worlds_here())], ""
    )


def _picked() -> Part:
    return button("file", "Open a file …", data_pick=".json")


def _worlds_here() -> list[str]:
    """The worlds that lie beside the notebook, newest first."""
    files = sorted(Path().glob("*.json"), key=lambda file: -file.stat().st_mtime)[: 10 * MOST_FILES]
    return [file.name for file in files if is_world(file)][:MOST_FILES]


def _more(playground: Playground, typed: dict[str, str]) -> Part:
    accounts = [(name, name) for name in _accounts(playground)]
    kinds = [(kind, f"a {kind}") for kind in KINDS]
    users, roles = ([(name, name) for name in playground.people(kind)] for kind in ("user", "role"))
    create = el(
        "div.sl-form",
        choice("kind", "Create", kinds, typed["kind"]),
        field("name", "called", typed["name"], enter="create"),
        choice("account", "in the account", accounts, typed["account"]),
        button("create", "Create"),
    )
    borrow = el(
        "div.sl-form",
        choice("who", "Who", users, typed["who"] or users[0][0]) if users else None,
        choice("role", "borrows", roles, typed["role"] or roles[0][0]) if roles else None,
        button("borrow", "Borrow this role"),
    )
    keep = el(
        "div.sl-form",
        field("path", "A file beside this page, or a link", typed["path"], enter="load", hint="world.json"),
        button("load", "Open"),
        button("save", "Save"),
    )
    parts = [create, borrow if users and roles else None, keep]
    return fold("Create, borrow a role, save", *parts, key="more")


def _accounts(playground: Playground) -> list[str]:
    return [account.name for account in playground.world.accounts]
