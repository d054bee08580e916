"""One policy document to edit: what is wrong with its text and where, what its statements did, where it is stored."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simlib.iam import Policy, PolicyError, Problem
from simlib.iam.json_text import Located, parse
from simlib.iam.principals import FORMS
from simlib.iam.statement import DOCUMENT_ELEMENTS, KINDS, STATEMENT_ELEMENTS
from simlib.iam.validation import problems, quota

from ..look import SIGNS
from ..markup import number_of
from ..page import Part, el

if TYPE_CHECKING:
    from simlib.cloud.inspection import Place

LONGEST = 131_072  # characters that are looked at; AWS takes no more of any policy
LONGEST_SAYING = 600  # characters of one finding; it may quote what the learner wrote
MOST_FINDINGS = 20  # of a kind are told; the next come up when these are solved
WORDS = {  # what a statement did: the shape, and the word; those of a trust policy let somebody in
    "denies": ("deny", "denies"),
    "allows": ("yes", "allows"),
    "delegates": ("half", "only delegates"),
    "matches": ("ring", "matches"),
    "missed": ("none", "does not match"),
}
BARS = {"denies": "no", "allows": "yes", "delegates": "half", "matches": "off", "missed": "off"}
_AT_THE_DOOR = {"denies": "keeps out", "allows": "lets in"}

_ELEMENTS = (*DOCUMENT_ELEMENTS, *STATEMENT_ELEMENTS, *FORMS, "Allow", "Deny")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
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
    """What a statement did: a key of `WORDS`, to which requests (their labels; none where there is only one), and why
    where it did not match."""

    title: str
    state: str
    word: str
    owners: tuple[str, ...] = ()
    reason: str = ""

    def __str__(self) -> str:
        sign, whom = SIGNS[WORDS[self.state][0]]["text"], ", ".join(self.owners)
        return (
            f"{sign} {self.title} {self.word}"
            + (f": {whom}" if whom else "")
            + (f": {self.reason}" if self.reason else "")
        )


@dataclass
class PolicyDocument:
    """One text. `kind` as in `Policy.parse`, `stored_as` as in `validation.problems`.

    A document of a running world has its `place` there, what is `stored` there ("" while nothing is), the name by which
    answers call it, in `note` what became of storing it, and in `blank` the text that one begins with where nothing is.
    """

    name: str
    kind: str = "identity"
    text: str = ""
    stored_as: str | None = None
    read_only: bool = False
    place: Place | None = None
    stored: str = ""
    policy_name: str = ""
    note: str = ""
    blank: str = ""
    policy: Policy | None = field(default=None, init=False)  # of the last complete text
    findings: tuple[Finding, ...] = field(default=(), init=False)
    refused: Finding | None = field(default=None, init=False)  # this text, by AWS
    spans: tuple[Span, ...] = field(default=(), init=False)
    remarks: Mapping[int, Remark] = field(default_factory=dict, init=False)  # by the statement's index
    decides: bool = field(default=False, init=False)  # by a statement, or because none of it allows

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        self.read(self.text)

    @property
    def complete(self) -> bool:
        """Whether the text is a policy that AWS would save."""
        return all(finding.level != "error" for finding in self.findings)

    @property
    def errors(self) -> list[Finding]:
        """The mistakes, and first of all what AWS said when the text was to be stored; none while there are gaps."""
        refusals = [self.refused] if self.refused else []
        mistakes = [] if self.has_gaps else [finding for finding in self.findings if finding.level == "error"]
        return refusals + mistakes

    @property
    def warnings(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.level == "warning"]

    @property
    def changed(self) -> bool:
        """Whether the text is another than what is stored in the world."""
        return self.place is not None and self.text != readable(self.stored)

    @property
    def limit(self) -> str:
        """How long AWS lets it be, in a sentence."""
        return _limit(self.kind, self.stored_as)

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing yet, in the world and in the text."""
        return self.place is not None and not self.stored and self.text == self.blank

    @property
    def has_gaps(self) -> bool:
        """Whether the text is what it began with, and has gaps."""
        return self.place is not None and self.text == self.blank and not self.complete

    @property
    def summary(self) -> str:
        """One line: a policy or not."""
        if self.has_gaps:
            return "○ Not a policy yet. Fill in the gaps."
        if not self.complete:
            return f"✘ Not a policy yet: {number_of(len(self.errors), 'mistake')}."
        if self.refused:
            return "✘ AWS has refused it. What is stored has not changed."
        warnings_text = f", with {number_of(len(self.warnings), 'warning')}" if self.warnings else ""
        return f"✔ A valid policy{warnings_text}."

    def read(self, text: str) -> None:
        """Take a text; one that is no policy leaves `policy` and what was said of its statements as they were."""
        self.text = _SURROGATE.sub("\ufffd", re.sub("\r\n?", "\n", text))
        faults, located = _examine(self.text, self.kind, self.stored_as)
        levels = {"error": 0, "warning": 0}
        findings = []
        for problem in faults:
            finding = _finding(problem, self.text)
            levels[finding.level] += 1
            if levels[finding.level] <= MOST_FINDINGS:
                findings.append(finding)
        self.findings, self.refused, self.note = tuple(findings), None, ""
        if located is not None and not levels["error"]:
            self.policy = Policy.parse(located.value, self.kind, name=self.policy_name or self.name)
            self.spans = tuple(_spans(located))

    def refuse(self, message: str, reason: str = "") -> None:
        """Say that AWS does not take this text; the longest of its strings that `reason` names is to blame."""
        strings = [each for each in _STRING.findall(self.text) if (text := _decoded(each)) and text in reason]
        quoted = max((each for each in strings if _decoded(each) not in _ELEMENTS), key=len, default="")
        start = self.text.index(quoted) if quoted else 0
        line, column = self.text.count("\n", 0, start) + 1, start - self.text.rfind("\n", 0, start)
        place = f"Line {line}, column {column}" if quoted else "The document"
        sentence = f"AWS refuses it: {message}"[:LONGEST_SAYING]
        self.refused = Finding("error", place, sentence, start, start + len(quoted))

    def word(self, state: str) -> str:
        """What a statement of this document did, in a word or two."""
        return (_AT_THE_DOOR if self.kind == "trust" else {}).get(state, WORDS[state][1])

    @property
    def messages(self) -> list[str]:
        """What is said of the text, a line for each thing."""
        lines = [self.summary]
        lines += [f"✘ Mistake. {finding.place}: {finding.text}" for finding in self.errors]
        lines += [f"⚠ Careful. {finding.place}: {finding.text}" for finding in self.warnings]
        if self.remarks and not self.complete:
            lines.append("The last complete text:")
        return lines + [str(remark) for remark in self.remarks.values()] + ([self.note] if self.note else [])

    def page(self) -> Part:
        """The document to be read: its lines numbered, those of a statement with its mark, then what is said of it."""
        lines, marks = self.text.split("\n"), self._marks()
        width = len(str(len(lines)))
        numbered = [
            el(
                "span.l" + (f".m-{marks[number]}" if number in marks else ""),
                line or " ",
                text=f"{number:>{width}}  {line}",
            )
            for number, line in enumerate(lines, 1)
        ]
        text = "\n".join(str(each.text) for each in numbered)
        head = el("h4", f"{self.name} – {KINDS[self.kind].name.lower()}")
        return el(
            "section.sl-doc",
            head,
            el("div.sl-ed", numbered, text=text),
            [el("p.sl-small", line) for line in self.messages],
        )

    def _marks(self) -> dict[int, str]:
        """For each line of a statement that something is said of, the look of its bar."""
        marks = {}
        for index, remark in self.remarks.items():
            span = self.spans[index] if self.complete and index < len(self.spans) else None
            if span is not None:
                first, last = (self.text.count("\n", 0, place) + 1 for place in (span.start, span.end))
                marks |= dict.fromkeys(range(first, last + 1), BARS[remark.state])
        return marks


def readable(text: str) -> str:
    """A text on one line spread over several."""
    if "\n" in text:
        return text
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def _decoded(quoted: str) -> str:
    """What a string of JSON stands for; "" where it is none."""
    try:
        return str(json.loads(quoted))
    except ValueError:
        return ""


def _examine(text: str, kind: str, stored_as: str | None) -> tuple[Sequence[Problem], Located | None]:
    if len(text) > LONGEST:
        message = f"The text has {len(text):,} characters. {_limit(kind, stored_as)}"
        return [Problem("", message, None, None, 1, 1, "error", "document-too-long")], None
    try:
        located = parse(text)
    except PolicyError as error:
        return error.problems, None
    return problems(located.value, kind, located, stored_as=stored_as), located


def _limit(kind: str, stored_as: str | None) -> str:
    allowed = quota(kind, stored_as)
    spaces = "" if allowed.spaces else ", white space between its parts not counted"
    return f"AWS takes at most {allowed.characters:,} characters in {allowed.what}{spaces}."


def _finding(problem: Problem, text: str) -> Finding:
    start = _offset(text, problem.line or 1, problem.column or 1)
    token = _TOKEN.match(text, start)
    place = f"Line {problem.line}, column {problem.column}" if problem.line else problem.path
    sentence = problem.sentence
    sentence = sentence if len(sentence) <= LONGEST_SAYING else f"{sentence[:LONGEST_SAYING]}…"
    level = "warning" if problem.level == "warning" else "error"
    return Finding(level, place, sentence, start, token.end() if token else start)


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
