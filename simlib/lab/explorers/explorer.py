"""What the panels have in common: a draft of documents, questions, answers now and before, one of them explained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..on_screen import OnScreen
from ..policy.document import PolicyDocument
from .answers import Answer, Question, put
from .draft import Draft

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Explorer(OnScreen):
    """A table of questions over documents that can be edited. Nothing changes in the world until `save()`.

    Subclasses say which `questions` there are. `answers` are theirs by their keys, as the edited documents make them;
    `before(question)` is the answer before the last change: the world's, while something is unsaved, else that of the
    world before it changed. A text that is no policy leaves its last complete one standing.
    """

    title = ""
    arrangement = ""  # the module here that makes a page of it

    def __init__(self, world: Any, draft: Draft, given: Mapping[str, Any] | None = None) -> None:
        self.world, self.draft = world, draft
        self.answers: dict[Any, Answer] = {}
        self._settled: dict[Any, Answer] = {}
        self._settled_before: dict[Any, Answer] = {}
        self._version: Any = None
        self.circumstances = dict(given or {})
        circumstances(self.circumstances)  # said before anything is decided
        self.chosen: Any = None  # the key of the question whose statements are lit
        self.explained: bool | None = None  # whether its steps and reasons are shown; None: where it is the only one
        self.tried = ""
        self._screens: dict[str, Callable[[], None]] = {}
        self.refresh()

    @property
    def questions(self) -> Sequence[Question]:
        raise NotImplementedError

    # -- commands ----------------------------------------------------------------------------------------------------

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
        """Explain the answer to another question, by its key; None: explain none."""
        self.explained = key is not None
        self.chosen = key if self.explained else self.chosen
        self._light()
        self._tell()

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
            self.chosen = self._first
        self._light()
        self._tell()

    @property
    def _first(self) -> Any:
        """The question whose statements are lit before one is chosen."""
        return next(iter(self.answers), None)

    def _put(self, question: Question, **more: Any) -> Answer:
        return put(question, self.world.inspect.ask, **more)

    def _settle(self) -> None:
        """The world's own answers, without the draft."""
        settled = {each.key: self._put(each) for each in self.questions}
        if any(_verdict(settled[key]) != _verdict(old) for key, old in self._settled.items() if key in settled):
            self._settled_before = self._settled
        self._settled = settled

    def before(self, question: Question) -> Answer | None:
        """The answer before the last change, if it was another verdict."""
        earlier = (self._settled if self.draft.unsaved else self._settled_before).get(question.key)
        now = self.answers.get(question.key)
        return earlier if earlier and now and _verdict(earlier) != _verdict(now) else None

    def _edited(self) -> None:
        self.tried = ""
        self._world_changed()  # a text may have been applied
        self.decide()

    def _light(self) -> None:
        answer = self.answers.get(self.chosen)
        if self.draft.editor is not None:
            self.draft.editor.light(answer.evaluation if answer else None)

    def _tell(self) -> None:
        for screen in list(self._screens.values()):
            screen()

    def draw_by(self, place: str, screen: Callable[[], None]) -> None:
        """Call `screen` when there is something new to see. Each place has one."""
        self._screens[place] = screen

    def explain(self, index: str) -> None:
        """Explain the question of that number in `questions`, or stop explaining it."""
        if index.isdigit() and int(index) < len(self.questions):
            key = self.questions[int(index)].key
            self.choose(None if self.opened and key == self.chosen else key)

    @property
    def opened(self) -> Answer | None:
        """The answer that is explained: the chosen one, or the only one."""
        shown = len(self.answers) == 1 if self.explained is None else self.explained
        return self.answers.get(self.chosen) if shown else None

    def _still(self) -> str:
        from .view import still

        return still(self)

    def figure(self) -> Figure:
        """The same as a matplotlib figure: `panel.figure().savefig("panel.pdf")`."""
        from .figures import figure_of

        return figure_of(self)

    @property
    def lines(self) -> list[tuple[bool, str, str]]:
        """Every row for a figure: allowed or not, the verdict in words, what was asked and why."""
        raise NotImplementedError

    def _view(self) -> Any:
        from .view import explorer_view

        return explorer_view(self)

    # -- what is said ------------------------------------------------------------------------------------------------

    @property
    def stale(self) -> bool:
        """Whether the answers are those of an earlier text, because one is no policy as it stands."""
        return bool(self.draft.incomplete)

    @property
    def problems(self) -> list[str]:
        """What keeps the texts from being policies, a line for each document."""
        return [f"{each.name} is not a policy yet. {_mistakes(each)}" for each in self.draft.incomplete]

    @property
    def said(self) -> list[str]:
        """What is to be known of the whole table: the circumstances, what is no policy, what is not applied."""
        lines = [f"With {in_words(self.circumstances)}"] if self.circumstances else []
        lines += [*self.problems, "Last verdicts:"] if self.stale else []
        return lines + ([self.unsaved] if self.unsaved else []) + self.draft.notes

    @property
    def unsaved(self) -> str:
        """Which documents differ from the world's."""
        names = [each.name for each in self.draft.unsaved if each.complete and not each.read_only]
        said = "The answers count with your text, AWS still with its own."
        return f"Not applied: {', '.join(names)}. {said}" if names else ""


def _mistakes(document: PolicyDocument) -> str:
    return "; ".join(f"{each.place}: {each.text}" for each in document.errors[:2])


def _verdict(answer: Answer) -> tuple[bool, str]:
    return answer.allowed, answer.word


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


def in_words(given: Mapping[str, Any]) -> str:
    """ "the external ID shop-42, without MFA"."""
    return ", ".join(_one(name, value) for name, value in given.items())


def _one(name: str, value: Any) -> str:
    if name == "mfa":
        return "MFA" if value is True else "MFA absent" if value == "absent" else "no MFA"
    if isinstance(value, Mapping):
        value = ", ".join(f"{key}={text}" for key, text in value.items())
    return f"{_WORDS.get(name, name)} {value}"
