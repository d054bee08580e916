"""What the panels that ask have in common: documents to edit, questions, answers now and before, some explained."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from simlib.cloud.inspection import Place, Principal
from simlib.iam import Policy

from ..look import choice, field, fold, icon, notice, panel_card
from ..page import Child, Part, el
from ..panel import Commands, Panel, slot
from ..policy.document import PolicyDocument
from ..policy.editor import PolicyEditor
from ..policy.store import place_of
from ..principals import title
from .answers import Answer, Question, put
from .circumstances import KNOWN, MFA, circumstances, field_text, in_words
from .pipe import Side
from .rows import request_row, why

MOST_OPEN = 12  # questions of a still page that bring their explanation along; nobody is there to open it


class Explorer(Panel):
    """A table of questions over documents that can be edited. Nothing changes in the world until they are applied.

    `places` finds the documents, or `edit` names them; what is typed in them counts in the answers at once, and in the
    world only once it is applied, through AWS's own API. `editor` is None as long as there are none.

    Subclasses say which `questions` there are. `answers` are theirs by their keys, as the edited documents make them;
    `before(question)` is the answer before the last change: the world's, while something is unsaved, else that of the
    world before it changed. A text that is no policy leaves its last complete one standing.

    The editor shows what its statements do to the chosen question; before one is chosen, to which they do what.
    """

    editor: PolicyEditor | None

    def __init__(
        self,
        world: Any,
        places: Callable[[], Iterable[Place]],
        edit: Iterable[str | Place] | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.world, self.editor = world, None
        places_named = None if edit is None else [place_of(world, each) for each in edit]
        self._places = places if places_named is None else lambda: places_named
        self.answers: dict[Any, Answer] = {}
        self._settled: dict[Any, Answer] = {}
        self._settled_before: dict[Any, Answer] = {}
        self._version: Any = None
        self.circumstances = dict(values or {})
        circumstances(self.circumstances)  # said before anything is decided
        self.chosen: Any = None  # the key of the question that the editor shows; None: all of them
        self.open: set[Any] = set()  # the keys of those that are explained
        self.trial_text = self.problem = ""
        self.refresh()
        if len(self.answers) == 1:
            self.open = set(self.answers)

    @property
    @abstractmethod
    def questions(self) -> Sequence[Question]: ...

    @property
    @abstractmethod
    def title(self) -> str: ...

    @abstractmethod
    def label(self, question: Question) -> str:
        """By what a mark in the editor names the question: the number of its row, a name."""

    def name(self, person: Principal) -> str:
        """What somebody is called in a sentence."""
        return title(self.world, person)

    # -- the documents -----------------------------------------------------------------------------------------------

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
    def incomplete(self) -> list[PolicyDocument]:
        """Those that have been policies and are none as they stand; their last complete text counts."""
        return [each for each in self.documents if each.changed and not each.complete and each.policy]

    @property
    def unsaved(self) -> list[PolicyDocument]:
        """The documents that are policies, and not those the world holds."""
        return [each for each in self.documents if each.changed and each.policy]

    def edit(self, text: str, document: str | None = None) -> None:
        """Put a text into the document of that name, or into the one in front."""
        if self.editor is None:
            raise LookupError('This panel has no document to edit. Name one: edit=["alice/read"].')
        self.editor.edit(text, document)

    def _read(self) -> None:
        """Take the documents that the world holds now; what is being edited stays."""
        if self.editor is not None:
            self.editor.refresh()
        elif places := list(dict.fromkeys(self._places())):
            self.editor = PolicyEditor.of(self.world, *places)
            self.editor.places = self._places
            self.editor.on_edit = self._edited

    # -- to do -------------------------------------------------------------------------------------------------------

    def under(self, **values: Any) -> None:
        """Change the circumstances: `under(mfa=True, source_ip="192.0.2.7")`; None takes one back."""
        changed = {name: value for name, value in {**self.circumstances, **values}.items() if value is not None}
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
        if question is not None and question.key in self.open:
            self.open.discard(question.key)
            self._draw()
        elif question is not None:
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
        answers = {each.key: self._put(each) for each in self.questions}
        if any(answers[key].word != old.word for key, old in self._settled.items() if key in answers):
            self._settled_before = self._settled
        self._settled = answers

    def before(self, question: Question) -> Answer | None:
        """The answer before the last change, if it was another verdict."""
        earlier = (self._settled if self.unsaved else self._settled_before).get(question.key)
        now = self.answers.get(question.key)
        return earlier if earlier and now and earlier.word != now.word else None

    def _edited(self) -> None:
        self.trial_text = ""
        self._world_changed()  # a text may have been applied
        self.decide()

    def _light(self) -> None:
        if self.editor is None:
            return
        answers = [self.answers[self.chosen]] if self.chosen is not None else self.answers.values()
        evaluations = {self.label(each.question): each.evaluation for each in answers if each.evaluation}
        self.editor.light(evaluations, "" if self.chosen is None else str(self.chosen))

    # -- what is said ------------------------------------------------------------------------------------------------

    @property
    def stale(self) -> bool:
        """Whether the answers are those of an earlier text, because one is no policy as it stands."""
        return bool(self.incomplete)

    @property
    def notices(self) -> list[Part | None]:
        """What is to be known of the whole panel: circumstances, texts that are no policy, what is not applied."""
        parts = list[Part | None]()
        if self.circumstances:
            parts.append(notice(f"Under these circumstances: {in_words(self.circumstances)}", key=None))
        for each in self.incomplete:
            mistakes = " ".join(f"{error.place}: {error.text}" for error in each.errors[:2])
            text = f"{mistakes} The verdicts are those of the last valid text."
            parts.append(notice(text, f"{each.name} is not a policy yet.", None))
        if names := [each.name for each in self.unsaved if each.complete and not each.read_only]:
            text = "Every answer below uses it. AWS still has the old one."
            parts.append(notice(text, f"Your text, not applied yet: {', '.join(names)}.", None))
        notes = [each.note for each in self.documents if each.note and not each.read_only]
        return parts + [notice(note, key=None) for note in notes]

    def card(self, *content: Child, above: Child = None, stacked: bool = False, **frame: Any) -> Part:
        """The panel's card: its title, what is to be known of all of it, the editor beside the content, or below it."""
        pane = el("div.sl-pane", *content, key="answers")
        halves = (el("div.sl-pane", *(self.slot() or ()), key="editor"), pane) if self.documents else (pane,)
        css = "div" if len(halves) == 1 else "div.sl-split" + (".is-stacked" if stacked else "")
        notices = el("div", self.notices, key="notices")
        return panel_card(self.title, notices, above, el(css, *halves, key="halves"), **frame)

    def slot(self, *documents: int) -> Child:
        """Where the editor stands, or some of its documents."""
        parts = [self.documents[index] for index in documents] if documents else self.documents
        return slot(*documents, still=lambda: el("div", [each.page() for each in parts])) if parts else None

    def why(self, answer: Answer, reason: str = "", side: Side | None = None) -> Part:
        """The explanation of an answer, which opens in place."""
        questions = [each.key for each in self.questions]
        index, is_open = questions.index(answer.question.key), answer.question.key in self.open
        is_included = is_open or len(questions) <= MOST_OPEN
        who = self.name(answer.question.who)
        return why(answer, who, "explain", str(index), opened=is_open, included=is_included, reason=reason, side=side)

    def row(
        self, answer: Answer, request: Child, *, key: str, label: str = "", why: bool = True, **more: Child
    ) -> Part:
        """A question as a line: what is asked, the verdict, the one before, and why."""
        question = answer.question
        ends = answer.verdict, answer.changed_from(self.before(question))
        below = (
            self.editor_mark(question, label or self.label(question)),
            self.why(answer) if why else None,
            more.pop("near", None),
        )
        here = question.key == self.chosen
        return request_row(request, ends, *below, key=key, here=answer.sign if here else "", **more)

    def editor_mark(self, question: Question, label: str) -> Part | None:
        """ "shown in the editor: row 2", of the one that is."""
        if question.key != self.chosen or self.editor is None:
            return None
        return el("span.sl-shown", icon("eye"), f"shown in the editor: {label}")

    # -- circumstances -----------------------------------------------------------------------------------------------

    def _circumstances(self, *more: Child) -> Child:
        """What was wrong in a field; then MFA, source address, time, external ID and tags, behind "More"."""
        values = self.circumstances
        mfa = next((word for word, value in MFA.items() if value == values.get("mfa")), "")
        texts = ("as it is", "with MFA", "without MFA", "key absent, as with access keys")
        fields = [
            choice(name, each.label, zip(("", *MFA), texts, strict=True), mfa)
            if name == "mfa"
            else field(name, each.label, field_text(values.get(name)), hint=each.hint)
            for name, each in KNOWN.items()
            if each.label
        ]
        form = el("div.sl-form", *more, *fields, role="group", aria_label="Circumstances", on="live")
        problem = el("p.sl-quiet", self.problem, role="status") if self.problem else None
        others = fold("More: other circumstances", form, key="more", opened=bool(values))
        return problem, el("div", others, on="live")

    @property
    def commands(self) -> Commands:
        def write(name: str, text: str) -> None:
            known, text = KNOWN[name], text.strip()
            try:
                self.problem = ""
                self.under(**{name: known.read(text) if text else None})
            except ValueError:  # the last one stays
                self.problem = f"“{text}” is not complete. Write it like {known.hint}."
                self._draw()

        fields = {name: lambda text, name=name: write(name, text) for name in KNOWN}
        return {"explain": self.explain, "show": self.show, **fields}
