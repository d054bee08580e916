"""Policy documents to edit: what is wrong with a text and where, and which statement decides.

Plain Python; `policy_editor_view` puts it on the screen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simlib.iam import Evaluation, Policy, PolicyError, Problem
from simlib.iam.grammar import KINDS
from simlib.iam.json_text import Located, read
from simlib.iam.validation import problems

from .markup import card, escape
from .policy_completion import Completion, complete

LONGEST = 200_000  # characters that are looked at; AWS takes 131,072 at most
LONGEST_SAYING = 600  # characters of one finding; it may quote what the learner wrote
MOST_FINDINGS = 20  # of a kind are told; the next come up when these are solved
WORDS = {"allows": "✔ allows it", "denies": "✘ denies it", "matches": "✓ matches", "missed": "○ does not match"}

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"?|[\w.+-]+|\S')
_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character, which no message can carry


@dataclass(frozen=True)
class Finding:
    """A mistake or a warning; `start` and `end` are offsets in the text."""

    level: str  # "error" or "warning"
    place: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Span:
    """Where a statement stands in the text."""

    start: int
    end: int


@dataclass(frozen=True)
class Remark:
    """What a statement did to the request that was decided: a key of `WORDS`, and why where it did not match."""

    title: str
    state: str
    reason: str

    def __str__(self) -> str:
        sign, word = WORDS[self.state].split(" ", 1)
        return f"{sign} {self.title} {word}" + (f": {self.reason}" if self.reason else "")


@dataclass
class PolicyDocument:
    """One text. `kind` as in `Policy.parse`, `stored_as` as in `validation.problems`."""

    name: str
    kind: str = "identity"
    text: str = ""
    stored_as: str | None = None
    read_only: bool = False
    policy: Policy | None = field(default=None, init=False)  # of the last complete text
    findings: tuple[Finding, ...] = field(default=(), init=False)
    spans: tuple[Span, ...] = field(default=(), init=False)
    remarks: Mapping[int, Remark] = field(default_factory=dict, init=False)  # by the statement's index

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        self.read(self.text)

    @property
    def complete(self) -> bool:
        """Whether the text is a policy that AWS would save."""
        return not self.errors

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.level == "error"]

    @property
    def warnings(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.level == "warning"]

    @property
    def summary(self) -> str:
        """One line: a policy or not."""
        if not self.complete:
            return f"✘ Not a policy yet: {_count(self.errors, 'mistake')}."
        return f"✔ A policy, with {_count(self.warnings, 'warning')}." if self.warnings else "✔ A policy."

    def read(self, text: str) -> None:
        """Take a text; one that is no policy leaves `policy` and what was said of its statements as they were."""
        self.text = _SURROGATE.sub("\ufffd", re.sub("\r\n?", "\n", text))
        found, located = _examine(self.text, self.kind, self.stored_as)
        levels = {"error": 0, "warning": 0}
        told = []
        for problem in found:
            levels[problem.level] += 1
            if levels[problem.level] <= MOST_FINDINGS:
                told.append(_finding(problem, self.text))
        self.findings = tuple(told)
        if located is not None and not levels["error"]:
            self.policy = Policy.parse(located.value, self.kind, name=self.name, check=False)
            self.spans = tuple(_spans(located))


def _examine(text: str, kind: str, stored_as: str | None) -> tuple[Sequence[Problem], Located | None]:
    if len(text) > LONGEST:
        message = f"The text has {len(text)} characters. No policy may have more than 131,072."
        return [Problem("", message, None, None, 1, 1, "error", "document-too-long")], None
    try:
        located = read(text)
    except PolicyError as error:
        return error.problems, None
    return problems(located.value, kind, located, stored_as=stored_as), located


def _finding(problem: Problem, text: str) -> Finding:
    start = _offset(text, problem.line or 1, problem.column or 1)
    token = _TOKEN.match(text, start)
    place = f"Line {problem.line}, column {problem.column}" if problem.line else problem.path
    said = problem.message.rstrip(".") + (f" – {problem.suggestion}" if problem.suggestion else "")
    if len(said) > LONGEST_SAYING:
        said = f"{said[:LONGEST_SAYING]}…"
    said += "" if said.endswith("?") else "."
    return Finding(problem.level, place, said, start, token.end() if token else start)


def _offset(text: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.index("\n", start) + 1
    return min(start + column - 1, len(text))


def _spans(located: Located) -> Iterable[Span]:
    statements = located.value["Statement"]
    one = isinstance(statements, Mapping)
    for index in range(1 if one else len(statements)):
        place = located.place(("Statement",) if one else ("Statement", index))
        if place is not None:
            start = _offset(located.text, *place)
            yield Span(start, _DECODER.raw_decode(located.text, start)[1])


_DECODER = json.JSONDecoder()


class PolicyEditor:
    """Policy documents in tabs, editable, with every mistake at its place while one types.

    `documents` is one text, texts by name (both identity-based policies) or `PolicyDocument`s. `principals` and
    `resources` are offered for completion. Nothing is changed in any world: whoever shows an editor reads its
    documents, and tells it with `light` which statements decided.
    """

    plain = False  # True: a plain text area instead of the code editor, for everybody; or for one, as an argument

    def __init__(
        self,
        documents: str | Mapping[str, Any] | Iterable[PolicyDocument],
        *,
        principals: Iterable[str] = (),
        resources: Iterable[str] = (),
        label: str = "Policy",
        plain: bool | None = None,
    ) -> None:
        self.documents = tuple(_documents(documents))
        names = [document.name for document in self.documents]
        if not names or len(set(names)) < len(names):
            raise ValueError("an editor needs documents, each with a name of its own")
        self.principals, self.resources = tuple(principals), tuple(resources)
        self.label = label
        if plain is not None:
            self.plain = plain
        self.front = self.documents[0]
        self._watchers: dict[str, Callable[[], None]] = {}
        self._screens: dict[str, Callable[[], None]] = {}
        self._telling = False

    def __getitem__(self, name: str) -> PolicyDocument:
        return next((document for document in self.documents if document.name == name), None) or _nothing(name)

    def edit(self, text: str, name: str | None = None) -> None:
        """Put a text into the document of that name, or into the one in front."""
        (self.front if name is None else self[name]).read(text)
        self._telling = True
        try:
            for watcher in list(self._watchers.values()):
                watcher()
        finally:
            self._telling = False
        self._draw()

    def show(self, name: str) -> None:
        """Bring a document to the front."""
        self.front = self[name]
        self._draw()

    def light(self, evaluation: Evaluation | None) -> None:
        """Say of every statement of these documents what it did in a decision made with their `policy`; None: nothing.

        Called by a watcher, after it has decided again, or by anybody else at any time.
        """
        deciding = _deciding(evaluation) if evaluation else set()
        of_policy = {id(document.policy): document for document in self.documents if document.policy}
        remarks: dict[str, dict[int, Remark]] = {document.name: {} for document in self.documents}
        for explained in evaluation.statements if evaluation else ():
            document = of_policy.get(id(explained.policy))
            if document is None:
                continue
            statement, state, reason = explained.statement, "missed", ""
            if (id(explained.policy), statement.index) in deciding:
                state = "allows" if statement.effect == "Allow" else "denies"
            elif explained.matched:
                state = "matches"
            elif explained.deciding is not None:
                reason = explained.deciding.sentence.replace("`", "")
            sid = f" ({statement.sid})" if statement.sid else ""
            title = f"{statement.effect} statement {statement.index + 1}{sid}"
            remarks[document.name][statement.index] = Remark(title, state, reason)
        for document in self.documents:
            document.remarks = remarks[document.name]
        self._draw()

    def complete(self, text: str, offset: int, name: str | None = None, *, asked: bool = True) -> Completion:
        """What could be written at this offset of the text of a document; `asked`: by a key, not by typing on."""
        document = self.front if name is None else self[name]
        return complete(text, offset, document.kind, principals=self.principals, resources=self.resources, asked=asked)

    def watch(self, place: str, watcher: Callable[[], None]) -> None:
        """Call `watcher` when a text has changed: it may decide again, and `light`. Each place has one watcher."""
        self._watchers[place] = watcher

    def draw_by(self, place: str, screen: Callable[[], None]) -> None:
        """Call `screen` when there is something new to see: after the watchers, and once. Each place has one."""
        self._screens[place] = screen

    def _draw(self) -> None:
        for screen in () if self._telling else list(self._screens.values()):
            screen()

    # -- as text and as HTML ------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        return "\n\n".join(_told(document) for document in self.documents)

    __repr__ = __str__

    @property
    def html(self) -> str:
        """The documents and what is said of them, for a page without a kernel."""
        parts = [f"<h4>{escape(document.name)}</h4><pre>{escape(_told(document))}</pre>" for document in self.documents]
        return card("".join(parts), css="sl-wide")

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from .policy_editor_view import editor_view

        return {**editor_view(self), "text/html": self.html, "text/plain": str(self)}


def _documents(given: str | Mapping[str, Any] | Iterable[PolicyDocument]) -> Iterable[PolicyDocument]:
    if isinstance(given, str):
        given = {"policy": given}
    if not isinstance(given, Mapping):
        return given
    return [
        PolicyDocument(name, text=text if isinstance(text, str) else json.dumps(text, indent=2))
        for name, text in given.items()
    ]


def _nothing(name: str) -> PolicyDocument:
    raise KeyError(f"there is no document {name!r} in this editor")


def _deciding(evaluation: Evaluation) -> set[tuple[int, int]]:
    """The statements that made the decision: the Deny ones, or of every check that allows the Allow ones."""
    wanted = {"EXPLICIT_DENY": "Deny", "ALLOW": "Allow"}.get(evaluation.effect)
    return {
        (id(matched.policy), statement.index)
        for check in evaluation.checks
        if check.effect == evaluation.effect
        for matched in check.matched_policies
        for statement in matched.statements
        if statement.effect == wanted
    }


def _told(document: PolicyDocument) -> str:
    """A document in plain text: its lines numbered, then what is said of it."""
    lines = document.text.split("\n")
    width = len(str(len(lines)))
    said = [document.summary]
    said += [f"✘ Mistake. {finding.place}: {finding.text}" for finding in document.errors]
    said += [f"⚠ Careful. {finding.place}: {finding.text}" for finding in document.warnings]
    if document.remarks and not document.complete:
        said.append("The last complete text:")
    said += [str(remark) for remark in document.remarks.values()]
    head = f"{document.name} – {KINDS[document.kind].name.lower()}"
    return "\n".join([head, *(f"{number:>{width}}  {line}" for number, line in enumerate(lines, 1)), *said])


def _count(things: Sequence[Any], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"
