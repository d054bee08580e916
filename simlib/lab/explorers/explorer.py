"""What the panels that ask have in common: a draft of documents, questions, answers now and before, some explained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..look import choice, field, fold, icon, panel_card
from ..page import Child, Part, el
from ..panel import Panel, slot
from ..policy.document import PolicyDocument
from ..policy.editor import PolicyEditor
from .answers import Answer, Question, put
from .draft import Draft
from .pipe import explanation

MOST_OPEN = 12  # questions of a still page that bring their explanation along; nobody is there to open it


class Explorer(Panel):
    """A table of questions over documents that can be edited. Nothing changes in the world until `save()`.

    Subclasses say which `questions` there are. `answers` are theirs by their keys, as the edited documents make them;
    `before(question)` is the answer before the last change: the world's, while something is unsaved, else that of the
    world before it changed. A text that is no policy leaves its last complete one standing.

    The editor shows what its statements do to the chosen question; before one is chosen, to which they do what.
    """

    def __init__(self, world: Any, draft: Draft, given: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.world, self.draft = world, draft
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

    @property
    def editor(self) -> PolicyEditor | None:
        return self.draft.editor

    # -- to do -------------------------------------------------------------------------------------------------------

    def edit(self, text: str, document: str | None = None) -> None:
        """Put a text into the document of that name, or into the one in front."""
        self.draft.edit(text, document)

    def save(self) -> None:
        """Put what was edited into the world, through AWS's own API."""
        self.draft.save()

    def discard(self) -> None:
        """Begin again with what the world holds."""
        self.draft.discard()

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
            self.draft.refresh()
            if self.draft.editor is not None:
                self.draft.editor.watch("panel", self._edited)
            self._settle()
        return changed

    def decide(self) -> None:
        """Put every question again."""
        instead = self.draft.instead  # what is as stored too: the editor lights the statements of its own policies
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
        """The world's own answers, without the draft."""
        settled = {each.key: self._put(each) for each in self.questions}
        if any(settled[key].word != old.word for key, old in self._settled.items() if key in settled):
            self._settled_before = self._settled
        self._settled = settled

    def before(self, question: Question) -> Answer | None:
        """The answer before the last change, if it was another verdict."""
        earlier = (self._settled if self.draft.unsaved else self._settled_before).get(question.key)
        now = self.answers.get(question.key)
        return earlier if earlier and now and earlier.word != now.word else None

    def _edited(self) -> None:
        self.tried = ""
        self._world_changed()  # a text may have been applied
        self.decide()

    def _light(self) -> None:
        if self.draft.editor is None:
            return
        shown = [self.answers[self.chosen]] if self.chosen is not None else self.answers.values()
        self.draft.editor.light({self.label(each.question): each.evaluation for each in shown if each.evaluation})

    # -- what is said ------------------------------------------------------------------------------------------------

    @property
    def stale(self) -> bool:
        """Whether the answers are those of an earlier text, because one is no policy as it stands."""
        return bool(self.draft.incomplete)

    @property
    def notices(self) -> list[Part]:
        """What is to be known of the whole panel: circumstances, texts that are no policy, what is not applied."""
        found = (
            [el("p.sl-draft", "Under these circumstances: ", in_words(self.circumstances))]
            if self.circumstances
            else []
        )
        for each in self.draft.incomplete:
            found.append(_notice(f"{each.name} is not a policy yet.", _mistakes(each), " The last verdicts stay."))
        names = [each.name for each in self.draft.unsaved if each.complete and not each.read_only]
        if names:
            text = f"({', '.join(names)}) Every answer counts with it. AWS still has the old one."
            found.append(_notice("Your text, not applied yet.", text))
        found += [el("p.sl-draft", note, role="status") for note in self.draft.notes]
        return found + ([el("p.sl-draft", self.problem, role="status")] if self.problem else [])

    def card(
        self, *content: Child, about: Child = None, side: Child = None, who: Part | None = None, stacked: bool = False
    ) -> Part:
        """The panel's card: its title, what is to be known of all of it, the editor beside the content, or below it."""
        pane = el("div.sl-pane", *content, key="answers")
        halves = (el("div.sl-pane", *self.slot(), key="editor"), pane) if self.draft.documents else (pane,)
        css = "div" if len(halves) == 1 else "div.sl-split" + (".is-stacked" if stacked else "")
        split = el(css, *halves, key="halves")
        return panel_card(self.title, el("div", self.notices, key="notices"), split, about=about, side=side, who=who)

    def slot(self, *documents: int) -> Child:
        """Where the editor stands, or some of its documents."""
        editor = self.draft.editor
        if editor is None:
            return None
        kept = [editor.documents[index] for index in documents] if documents else editor.documents
        return slot(*documents, still=el("div", [each.page() for each in kept]))

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

    def row(self, answer: Answer, asked: Child, *, key: str, why: bool = True) -> Part:
        """A question as a line: what is asked, the verdict, the one before, and why."""
        here = ".is-here" + (".is-yes" if answer.allowed else "") if answer.question.key == self.chosen else ""
        ends = el("span.sl-ends", answer.verdict, answer.changed_from(self.before(answer.question)))
        shown = self.shown_here(answer.question, self.label(answer.question))
        told = (el("span"), el("span.sl-what", asked), ends, shown, self.why(answer) if why else None)
        return el(f"li.sl-req{here}", *told, key=key)

    def called(self, answer: Answer) -> str:
        """How the one who asks is called in a sentence."""
        return answer.question.who.name

    def shown_here(self, question: Question, label: str) -> Part | None:
        """ "shown in the editor: row 2", of the one that is."""
        if question.key != self.chosen or self.draft.editor is None:
            return None
        return el("span.sl-shown", icon("eye"), f"shown in the editor: {label}")


def _notice(bold: str, *text: str) -> Part:
    return el("p.sl-draft", el("b", bold), " ", *text, role="status")


def _mistakes(document: PolicyDocument) -> str:
    return "; ".join(f"{each.place}: {each.text}" for each in document.errors[:2])


# -- circumstances ----------------------------------------------------------------------------------------------------


def circumstances(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Condition keys from the short words of a lesson: `mfa`, `source_ip`, `time`, `external_id`, `tags`, or any key.

    `mfa`: True, False, or "absent"; `tags`: those of the principal; `request_tags`: those the request passes. None
    leaves a key out; a word that is not among them must be a condition key ("aws:PrincipalOrgID").
    """
    keys: dict[str, Any] = {}
    for name, value in (given or {}).items():
        match name:
            case "mfa":
                keys["aws:MultiFactorAuthPresent"] = None if value == "absent" else "true" if value else "false"
                keys["aws:MultiFactorAuthAge"] = "0" if value is True else None
            case "source_ip":
                keys["aws:SourceIp"] = value
            case "time":
                moment = datetime.fromisoformat(value) if isinstance(value, str) else value
                keys["aws:CurrentTime"] = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
                keys["aws:EpochTime"] = str(int(moment.timestamp()))
            case "external_id":
                keys["sts:ExternalId"] = value
            case "tags":
                keys |= {f"aws:PrincipalTag/{key}": text for key, text in value.items()}
            case "request_tags":
                keys |= {f"aws:RequestTag/{key}": text for key, text in value.items()}
                keys["aws:TagKeys"] = list(value)
            case _ if ":" in name:
                keys[name] = value
            case _:
                raise ValueError(f"{name!r} is no circumstance. There are: mfa, source_ip, time, external_id, tags, "
                                 "request_tags, and any condition key, such as aws:SourceVpc.")  # fmt: skip
    return keys


_WORDS = {"mfa": "MFA", "source_ip": "the source address", "time": "the time", "external_id": "the external ID",
    "tags": "the tags", "request_tags": "the request's tags"}  # fmt: skip
_MFA: dict[str, tuple[str, Any]] = {
    "": ("as it is", None), "yes": ("with MFA", True), "no": ("without MFA", False),
    "absent": ("key absent, as with access keys", "absent"),
}  # fmt: skip


def in_words(given: Mapping[str, Any]) -> str:
    """ "the external ID shop-42, no MFA"."""
    return ", ".join(_one(name, value) for name, value in given.items())


def _one(name: str, value: Any) -> str:
    if name == "mfa":
        return "MFA" if value is True else "MFA absent" if value == "absent" else "no MFA"
    if isinstance(value, Mapping):
        value = ", ".join(f"{key}={text}" for key, text in value.items())
    return f"{_WORDS.get(name, name)} {value}"


def circumstances_form(panel: Explorer, *more: Child) -> Part:
    """MFA, source address, time, external ID and tags of the question, behind "More"."""
    given = panel.circumstances
    mfa = next((word for word, (_, value) in _MFA.items() if value is not None and value == given.get("mfa")), "")
    tags = ", ".join(f"{key}={value}" for key, value in (given.get("tags") or {}).items())
    moment = given.get("time") or ""
    fields = [
        choice("mfa", "Signed in with MFA", [(word, text) for word, (text, _) in _MFA.items()], mfa),
        field("source_ip", "From the address", str(given.get("source_ip") or ""), hint="203.0.113.10"),
        field("time", "At the time (UTC)", moment if isinstance(moment, str) else f"{moment:%Y-%m-%dT%H:%M}",
              hint="2026-12-31T10:00"),
        field("external_id", "External ID", str(given.get("external_id") or "")),
        field("tags", "Tags of who asks", tags, hint="team=blue"),
    ]  # fmt: skip
    form = el("div.sl-form", *more, *fields, role="group", aria_label="Circumstances", on="live")
    return el("div", fold("More: other circumstances", form, key="more", opened=bool(given)), on="live")


def circumstances_commands(panel: Explorer) -> dict[str, Callable[[str], object]]:
    def tags(text: str) -> None:
        pairs = (part.partition("=") for part in text.split(",") if "=" in part)
        panel.under(tags={key.strip(): value.strip() for key, _, value in pairs if key.strip()} or None)

    def time(text: str) -> None:
        try:
            panel.under(time=text.strip() or None)
        except ValueError:  # not a time yet; the last one stays
            return

    return {
        "explain": panel.explain,
        "show": panel.show,
        "mfa": lambda value: panel.under(mfa=_MFA[value][1]) if value in _MFA else None,
        "source_ip": lambda text: panel.under(source_ip=text.strip() or None),
        "external_id": lambda text: panel.under(external_id=text or None),
        "time": time,
        "tags": tags,
    }
