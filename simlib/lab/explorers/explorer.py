"""What the panels that ask have in common: documents to edit, questions, answers now and before, some explained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simlib.cloud.inspection import Place
from simlib.iam import Policy

from ..look import choice, field, fold, icon, panel_card
from ..page import Child, Part, el
from ..panel import Commands, Panel, slot
from ..policy.document import PolicyDocument
from ..policy.editor import PolicyEditor
from .answers import Answer, Question, put
from .pipe import explanation

MOST_OPEN = 12  # questions of a still page that bring their explanation along; nobody is there to open it


class Explorer(Panel):
    """A table of questions over documents that can be edited. Nothing changes in the world until `save()`.

    `places` finds the documents; what is typed in them counts in the answers at once, and in the world only once it is
    applied, through AWS's own API. `editor` is None as long as there are none.

    Subclasses say which `questions` there are. `answers` are theirs by their keys, as the edited documents make them;
    `before(question)` is the answer before the last change: the world's, while something is unsaved, else that of the
    world before it changed. A text that is no policy leaves its last complete one standing.

    The editor shows what its statements do to the chosen question; before one is chosen, to which they do what.
    """

    def __init__(
        self,
        world: Any,
        places: Callable[[], Iterable[Place]],
        given: Mapping[str, Any] | None = None,
        plain: bool | None = None,
    ) -> None:
        super().__init__()
        self.world, self.editor = world, None
        self._places, self._plain = places, plain
        self.answers: dict[Any, Answer] = {}
        self._settled: dict[Any, Answer] = {}
        self._settled_before: dict[Any, Answer] = {}
        self._version: Any = None
        self.circumstances = dict(given or {})
        circumstances(self.circumstances)  # said before anything is decided
        self.chosen: Any = None  # the key of the question that the editor shows; None: all of them
        self.open: set[Any] = set()  # the keys of those that are explained
        self.tried = self.problem = ""
        self.refresh()
        if len(self.answers) == 1:
            self.open = set(self.answers)

    @property
    def questions(self) -> Sequence[Question]:
        raise NotImplementedError

    @property
    def title(self) -> str:
        raise NotImplementedError

    def label(self, question: Question) -> str:
        """By what a mark in the editor names the question: the number of its row, a name."""
        raise NotImplementedError

    # -- the documents -----------------------------------------------------------------------------------------------

    editor: PolicyEditor | None

    @property
    def hosted(self) -> PolicyEditor | None:
        return self.editor

    @property
    def documents(self) -> tuple[PolicyDocument, ...]:
        return self.editor.documents if self.editor else ()

    @property
    def instead(self) -> dict[Place, Policy]:
        """The last complete texts, also of what is as stored: the editor lights the statements of its own policies."""
        return self.editor.instead if self.editor else {}

    @property
    def unsaved(self) -> list[PolicyDocument]:
        """The documents that are policies, and not those the world holds."""
        return [each for each in self.documents if each.changed and each.policy]

    @property
    def incomplete(self) -> list[PolicyDocument]:
        """Those that have been policies and are none as they stand; their last complete text counts."""
        return [each for each in self.documents if each.changed and not each.complete and each.policy]

    def edit(self, text: str, document: str | None = None) -> None:
        """Put a text into the document of that name, or into the one in front."""
        if self.editor is None:
            raise LookupError('This panel has no document to edit. Name one: edit=["alice/read"].')
        self.editor.edit(text, document)

    def save(self) -> None:
        """Apply every document that was edited; each tells in its `note` what AWS answered."""
        for each in self.documents:
            if self.editor and each.changed and not each.read_only:
                self.editor.apply(each.name)

    def discard(self) -> None:
        """Begin again with what the world holds."""
        if self.editor:
            self.editor.reload()

    def _read(self) -> None:
        """Take the documents that the world holds now; what is being edited stays."""
        if self.editor is not None:
            self.editor.refresh()
        elif found := list(dict.fromkeys(self._places())):
            self.editor = PolicyEditor.of(self.world, *found, plain=self._plain)
            self.editor.places = self._places
            self.editor.watch("panel", self._edited)

    # -- to do -------------------------------------------------------------------------------------------------------

    def under(self, **given: Any) -> None:
        """Change the circumstances: `under(mfa=True, source_ip="192.0.2.7")`; None takes one back."""
        changed = {name: value for name, value in {**self.circumstances, **given}.items() if value is not None}
        circumstances(changed)
        self.circumstances = changed
        self.decide()

    def choose(self, key: Any) -> None:
        """Show in the editor what decides a question, by its key, and explain it; None: show all of them."""
        self.chosen = key
        if key is not None:
            self.open.add(key)
        self._light()
        self._draw()

    def explain(self, index: str) -> None:
        """Choose and explain the question of that number in `questions`; the same again folds it."""
        question = self._numbered(index)
        if question is None:
            return
        if question.key in self.open:
            self.open.discard(question.key)
            self._draw()
        else:
            self.choose(question.key)

    def show(self, index: str) -> None:
        """Show the question of that number in the editor; the same again shows all of them."""
        if (question := self._numbered(index)) is not None:
            self.chosen = None if self.chosen == question.key else question.key
            self._light()
            self._draw()

    def _numbered(self, index: str) -> Question | None:
        questions = self.questions
        return questions[int(index)] if index.isdigit() and int(index) < len(questions) else None

    # -- deciding ----------------------------------------------------------------------------------------------------

    def follow(self) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Look whether the world has changed, and decide again if it has; cheap when it has not."""
        if self._world_changed():
            self.decide()

    def _world_changed(self) -> bool:
        version = self.world.inspect.version
        changed = version != self._version
        if changed:
            self._version = version
            self._read()
            self._settle()
        return changed

    def decide(self) -> None:
        """Put every question again."""
        instead = self.instead
        self.answers = {each.key: self._put(each, instead=instead) for each in self.questions}
        for each in self.questions:
            if each.key not in self._settled:
                self._settled[each.key] = self._put(each)
        if self.chosen not in self.answers:
            self.chosen = None
        self.open &= set(self.answers)
        self._light()
        self._draw()

    def _put(self, question: Question, **more: Any) -> Answer:
        return put(question, self.world.inspect.ask, **more)

    def _settle(self) -> None:
        """The world's own answers, without what is edited."""
        settled = {each.key: self._put(each) for each in self.questions}
        if any(settled[key].word != old.word for key, old in self._settled.items() if key in settled):
            self._settled_before = self._settled
        self._settled = settled

    def before(self, question: Question) -> Answer | None:
        """The answer before the last change, if it was another verdict."""
        earlier = (self._settled if self.unsaved else self._settled_before).get(question.key)
        now = self.answers.get(question.key)
        return earlier if earlier and now and earlier.word != now.word else None

    def _edited(self) -> None:
        self.tried = ""
        self._world_changed()  # a text may have been applied
        self.decide()

    def _light(self) -> None:
        if self.editor is None:
            return
        shown = [self.answers[self.chosen]] if self.chosen is not None else self.answers.values()
        self.editor.light({self.label(each.question): each.evaluation for each in shown if each.evaluation})

    # -- what is said ------------------------------------------------------------------------------------------------

    @property
    def stale(self) -> bool:
        """Whether the answers are those of an earlier text, because one is no policy as it stands."""
        return bool(self.incomplete)

    @property
    def notices(self) -> list[Part]:
        """What is to be known of the whole panel: circumstances, texts that are no policy, what is not applied."""
        found = (
            [el("p.sl-draft", "Under these circumstances: ", in_words(self.circumstances))]
            if self.circumstances
            else []
        )
        for each in self.incomplete:
            found.append(_notice(f"{each.name} is not a policy yet.", _mistakes(each), " The last verdicts stay."))
        names = [each.name for each in self.unsaved if each.complete and not each.read_only]
        if names:
            text = f"({', '.join(names)}) Every answer counts with it. AWS still has the old one."
            found.append(_notice("Your text, not applied yet.", text))
        notes = [each.note for each in self.documents if each.note and not each.read_only]
        found += [el("p.sl-draft", note, role="status") for note in notes]
        return found + ([el("p.sl-draft", self.problem, role="status")] if self.problem else [])

    def card(self, *content: Child, above: Child = None, stacked: bool = False, **frame: Any) -> Part:
        """The panel's card: its title, what is to be known of all of it, the editor beside the content, or below it."""
        pane = el("div.sl-pane", *content, key="answers")
        halves = (el("div.sl-pane", *(self.slot() or ()), key="editor"), pane) if self.documents else (pane,)
        css = "div" if len(halves) == 1 else "div.sl-split" + (".is-stacked" if stacked else "")
        notices = el("div", self.notices, key="notices")
        return panel_card(self.title, notices, above, el(css, *halves, key="halves"), **frame)

    def slot(self, *documents: int) -> Child:
        """Where the editor stands, or some of its documents."""
        kept = [self.documents[index] for index in documents] if documents else self.documents
        return slot(*documents, still=lambda: el("div", [each.page() for each in kept])) if kept else None

    def why(self, answer: Answer, gist: str = "") -> Part:
        """The explanation of an answer, which opens in place."""
        questions = [each.key for each in self.questions]
        index, opened = questions.index(answer.question.key), answer.question.key in self.open
        about = (gist or answer.because).rstrip(".")
        summary = el("summary", "Why? ", el("span.sl-dim", f"{about}."))
        content = (
            explanation(answer, self.called(answer), str(index)) if opened or len(questions) <= MOST_OPEN else None
        )
        inside = el("div.sl-why", content, on="" if opened else "still") if content else None
        return el(
            "details.sl-open", summary, inside, open=opened, data_toggle="explain", value=str(index), key=f"why-{index}"
        )

    def row(
        self, answer: Answer, asked: Child, *, key: str, first: Child = None, ends: Child = None,
        called: str = "", near: Child = None, why: bool = True,
    ) -> Part:  # fmt: skip
        """A question as a line: what is asked, the verdict, the one before, and why."""
        question = answer.question
        here = ".is-here" + (".is-yes" if answer.allowed else "") if question.key == self.chosen else ""
        ended = ends or (answer.verdict, answer.changed_from(self.before(question)))
        shown = self.shown_here(question, called or self.label(question))
        told = (el("span.sl-what", asked), el("span.sl-ends", ended), shown, self.why(answer) if why else None, near)
        return el(f"li.sl-req{here}", first or el("span"), *told, key=key)

    def called(self, answer: Answer) -> str:
        """How the one who asks is called in a sentence."""
        return answer.question.who.name

    def shown_here(self, question: Question, label: str) -> Part | None:
        """ "shown in the editor: row 2", of the one that is."""
        if question.key != self.chosen or self.editor is None:
            return None
        return el("span.sl-shown", icon("eye"), f"shown in the editor: {label}")

    # -- circumstances -----------------------------------------------------------------------------------------------

    def _circumstances(self, *more: Child) -> Part:
        """MFA, source address, time, external ID and tags of the question, behind "More"."""
        given = self.circumstances
        mfa = next((word for word, (_, value) in _MFA.items() if value is not None and value == given.get("mfa")), "")
        words = [(word, text) for word, (text, _) in _MFA.items()]
        fields = [
            choice(name, each.label, words, mfa)
            if name == "mfa"
            else field(name, each.label, _written(given.get(name)), hint=each.hint)
            for name, each in KNOWN.items()
            if each.label
        ]
        form = el("div.sl-form", *more, *fields, role="group", aria_label="Circumstances", on="live")
        return el("div", fold("More: other circumstances", form, key="more", opened=bool(given)), on="live")

    @property
    def commands(self) -> Commands:
        def write(name: str, text: str) -> None:
            with suppress(ValueError):  # not a time yet; the last one stays
                self.under(**{name: KNOWN[name].read(text.strip()) or (False if text == "no" else None)})

        fields = {name: lambda text, name=name: write(name, text) for name in KNOWN}
        return {"explain": self.explain, "show": self.show, **fields}


def _notice(bold: str, *text: str) -> Part:
    return el("p.sl-draft", el("b", bold), " ", *text, role="status")


def _mistakes(document: PolicyDocument) -> str:
    return "; ".join(f"{each.place}: {each.text}" for each in document.errors[:2])


# -- circumstances ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Circumstance:
    """A short word of a lesson for condition keys: what it is in a sentence and above its field, and its keys."""

    words: str
    label: str
    keys: Callable[[Any], Mapping[str, Any]]
    hint: str = ""
    read: Callable[[str], Any] = str  # what stands in the field, as a value


_MFA: dict[str, tuple[str, Any]] = {
    "": ("as it is", None), "yes": ("with MFA", True), "no": ("without MFA", False),
    "absent": ("key absent, as with access keys", "absent"),
}  # fmt: skip


def _mfa(value: Any) -> Mapping[str, Any]:
    present = None if value == "absent" else "true" if value else "false"
    return {"aws:MultiFactorAuthPresent": present, "aws:MultiFactorAuthAge": "0" if value is True else None}


def _time(value: Any) -> Mapping[str, Any]:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return {"aws:CurrentTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}", "aws:EpochTime": str(int(moment.timestamp()))}


def _tags(value: Mapping[str, str]) -> Mapping[str, Any]:
    return {f"aws:PrincipalTag/{key}": text for key, text in value.items()}


def _request_tags(value: Mapping[str, str]) -> Mapping[str, Any]:
    return {**{f"aws:RequestTag/{key}": text for key, text in value.items()}, "aws:TagKeys": list(value)}


def _pairs(text: str) -> Mapping[str, str]:
    pairs = (part.partition("=") for part in text.split(",") if "=" in part)
    return {key.strip(): value.strip() for key, _, value in pairs if key.strip()}


KNOWN = {
    "mfa": Circumstance("MFA", "Signed in with MFA", _mfa, read=lambda word: _MFA[word][1] if word in _MFA else None),
    "source_ip": Circumstance(
        "the source address", "From the address", lambda at: {"aws:SourceIp": at}, "203.0.113.10"
    ),
    "time": Circumstance("the time", "At the time (UTC)", _time, "2026-12-31T10:00"),
    "external_id": Circumstance("the external ID", "External ID", lambda text: {"sts:ExternalId": text}),
    "tags": Circumstance("the tags", "Tags of who asks", _tags, "team=blue", _pairs),
    "request_tags": Circumstance("the request's tags", "", _request_tags),
}


def circumstances(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Condition keys from the short words of a lesson: `mfa`, `source_ip`, `time`, `external_id`, `tags`, or any key.

    `mfa`: True, False, or "absent"; `tags`: those of the principal; `request_tags`: those the request passes. None
    leaves a key out; a word that is not among them must be a condition key ("aws:PrincipalOrgID").
    """
    keys: dict[str, Any] = {}
    for name, value in (given or {}).items():
        if name in KNOWN:
            keys |= KNOWN[name].keys(value)
        elif ":" in name:
            keys[name] = value
        else:
            raise ValueError(f"{name!r} is no circumstance. There are: {', '.join(KNOWN)}, and any condition key, "
                             "such as aws:SourceVpc.")  # fmt: skip
    return keys


def in_words(given: Mapping[str, Any]) -> str:
    """ "the external ID shop-42, no MFA"."""
    return ", ".join(_one(name, value) for name, value in given.items())


def _one(name: str, value: Any) -> str:
    if name == "mfa":
        return "MFA" if value is True else "MFA absent" if value == "absent" else "no MFA"
    return f"{KNOWN[name].words if name in KNOWN else name} {_written(value)}"


def _written(value: Any) -> str:
    """A value as it stands in its field."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={text}" for key, text in value.items())
    return f"{value:%Y-%m-%dT%H:%M}" if isinstance(value, datetime) else str(value or "")
