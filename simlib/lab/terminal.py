"""A terminal for `aws` commands: what they printed stays to be read, and the arrow keys bring them back.

Whoever a command makes of one – by credentials that it prints, or a machine that it starts – one is from then on;
`exit` leads back to who one was at first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from simlib.challenges.setting import NotYoursError, Setting

from .look import button, choice, field
from .page import Part, el
from .panel import Commands, Panel

KEPT, LONGEST = 50, 20_000  # commands, and characters of what one has printed


class Terminal(Panel):
    """`identities` are those one can be, by name, `who` is the one that one is."""

    def __init__(self, setting: Setting, identity: Any) -> None:
        super().__init__()
        self.who = setting.name_of(identity)
        self.identities = {self.who: identity}
        self.past: list[tuple[int, str, str, str]] = []  # number, who, command, what it printed
        self._setting, self._typed = setting, ""

    def run(self, command: str) -> str:
        """Run an `aws …` command; what it prints."""
        who, self._typed = self.who, ""
        printed = self._printed(command)
        text = printed if len(printed) <= LONGEST else f"{printed[:LONGEST]}\n… and more. `--query` asks for less."
        self.past = [*self.past, (self.past[-1][0] + 1 if self.past else 1, who, command, text)][-KEPT:]
        self._draw()
        return printed

    def _printed(self, command: str) -> str:
        if command.strip() == "exit":
            self.who = next(iter(self.identities))  # whom one was at first
            return f"{self.who} again."
        try:
            result = self.identities[self.who].run(command)
        except ValueError as problem:
            return str(problem)
        try:
            self.become(json.loads(result.stdout))
        except NotYoursError as error:
            return f"{result!r}\n{error}"
        except (ValueError, TypeError, LookupError):  # most of what is printed makes nobody of one
            return repr(result)
        return f"{result!r}\nFrom now on you are {self.who}. `exit` makes you again who you were at first."

    def become(self, answer: Mapping[str, Any]) -> Any:
        """Go on as whoever one is by an answer of AWS; raises `ValueError` where it makes nobody of one."""
        self.who, identity = self._setting.become(answer)
        self.identities[self.who] = identity
        self._draw()
        return identity

    def page(self) -> Part:
        people = [(name, name) for name in self.identities]
        entries = [
            el("div", el("b", f"{who} $ "), command, el("pre", printed), key=f"run-{number}")
            for number, who, command, printed in self.past
        ]
        commands = list(dict.fromkeys(command for _, _, command, _ in reversed(self.past)))[::-1]
        return el(
            "div.sl-terminal",
            el("div.sl-log", el("div", entries), role="log", tabindex="0", aria_label="Printed") if entries else None,
            choice("as", "As", people, self.who) if len(people) > 1 else None,
            field("command", "$", self._typed, enter="run", hint="aws iam list-roles", past=commands),
            button("run", "Run"),
        )

    @property
    def commands(self) -> Commands:
        def go_on_as(name: str) -> None:
            self.who = name if name in self.identities else self.who
            self._draw()

        return {
            "as": go_on_as,
            "command": lambda text: setattr(self, "_typed", text),
            "run": lambda _: self._typed.strip() and self.run(self._typed),
        }
