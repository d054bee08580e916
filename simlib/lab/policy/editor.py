"""Policy documents in tabs to edit, and – of a running world – to store there and take back; `view` shows them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from simlib.iam import Evaluation, Policy
from simlib.iam.vocabulary import ALLOW, DELEGATES, EXPLICIT_DENY

from ..look import panel_card
from ..page import Part, el
from ..panel import Panel, failure
from .code import code
from .completion import Completion, complete
from .document import WORDS, PolicyDocument, Remark
from .storage import writing

if TYPE_CHECKING:
    from simlib.cloud.inspection import Place
    from simlib.iam.explanation import ExplainedStatement

    from ..attempts import Attempt
    from .store import PolicyStore

_STATES = {ALLOW: "allows", DELEGATES: "delegates", EXPLICIT_DENY: "denies"}


def _state(each: ExplainedStatement, evaluation: Evaluation) -> str:
    """What a statement did in a decision: a key of `WORDS`. Of two accounts each has a half, which counts by itself."""
    if each.deciding is not None:
        return "missed"
    of_a_half = not evaluation.request.in_own_account and each.meaning == ALLOW
    decides = of_a_half or each.meaning == DELEGATES or each in evaluation.deciding.statements
    return _STATES[each.meaning] if decides else "matches"


def _deciding(evaluation: Evaluation | None) -> Iterable[Policy]:
    """The policies with the statements that decide, and those that lack one."""
    if evaluation is None:
        return ()
    lacking = (policy for check in evaluation.deciding.lacking for policy in check.policies)
    return [*(each.policy for each in evaluation.deciding.statements), *lacking]


Names = Iterable[str] | Callable[[], Iterable[str]]


class PolicyEditor(Panel):
    """Policy documents in tabs, editable, with every mistake at its place while one types.

    `documents` is one text, texts by name (both identity-based policies) or `PolicyDocument`s. `principals` and
    `resources` are offered for completion; they may be functions, which are asked each time. Whoever shows an editor
    reads its documents, decides, and tells it with `light` which statements decided. Nothing changes in the world
    before `apply`.
    """

    def __init__(
        self,
        documents: str | Mapping[str, Any] | Iterable[PolicyDocument],
        *,
        principals: Names = (),
        resources: Names = (),
        label: str = "Policy",
        shelf: PolicyStore | None = None,
    ) -> None:
        super().__init__()
        self.documents = tuple(_documents(documents))
        names = [document.name for document in self.documents]
        if not names or len(set(names)) < len(names):
            raise ValueError("an editor needs documents, each with a name of its own")
        self.principals, self.resources = principals, resources
        self.label, self.shelf = label, shelf
        self.places: Callable[[], Iterable[Place]] = tuple  # which documents of a world there should be, asked again
        self._applied: list[tuple[PolicyDocument, str]] = []  # with what was stored before
        self._version = shelf.world.inspect.version if shelf else None
        self.front = self.documents[0]
        self.on_edit: Callable[[], None] = lambda: None  # a text has changed: one may decide again, and `light`
        self._telling = False
        self.about = ""  # the question whose deciding document was brought to the front last
        self.applies = True  # whether a text is stored from here, or checked by whoever shows the editor

    @classmethod
    def of(cls, world: Any, *what: str | Place, by: Any = None, **options: Any) -> PolicyEditor:
        """An editor of policies of a running world: `PolicyEditor.of(aws, "web-app")`.

        `what`: names or ARNs of principals and resources ("prod/reports-reader"), for all their policies but AWS's own;
        or names of documents ("alice/read", "reports/trust") and `Place`s, for one each, also where nothing is stored
        yet. A policy that comes later gets a tab of its own. `by` is the identity that applies, else the administrator
        of the account. Options are those of `PolicyEditor`. Raises `LookupError` where nobody and nothing is called so.
        """
        from .store import PolicyStore  # late: an editor of texts alone needs no world

        shelf = PolicyStore(world, by)
        documents = shelf.documents(shelf.places(what))
        editor = cls(documents, principals=shelf.principals, resources=shelf.resources, shelf=shelf, **options)
        editor.places = lambda: shelf.places(what)
        return editor

    @property
    def instead(self) -> dict[Place, Policy]:
        """What to decide with instead of what is stored: the last complete text of every document of the world."""
        return {each.place: each.policy for each in self.documents if each.place is not None and each.policy}

    def __getitem__(self, name: str) -> PolicyDocument:
        for document in self.documents:
            if document.name == name:
                return document
        raise KeyError(f"there is no document {name!r} in this editor")

    def edit(self, text: str, name: str | None = None) -> None:
        """Put a text into the document of that name, or into the one in front."""
        self._document(name).read(text)
        self._tell()

    def _document(self, name: str | None) -> PolicyDocument:
        return self.front if name is None else self[name]

    def _tell(self) -> None:
        """Tell the watchers, then draw once."""
        self._telling = True
        try:
            self.on_edit()
        finally:
            self._telling = False
        self._draw()

    def show(self, name: str) -> None:
        """Bring a document to the front."""
        self.front = self[name]
        self._draw()

    def light(self, evaluations: Evaluation | Mapping[str, Evaluation] | None, about: str = "") -> None:
        """Say of every statement of these documents what it did in decisions made with their `policy`; None: nothing.

        Of several decisions, by their labels, it says to which of them it did what it did. Each view brings a document
        that decides the first of them to its front when it opens, and when they are `about` another than before.
        """
        self.about = about or self.about
        by_label = evaluations if isinstance(evaluations, Mapping) else {"": evaluations} if evaluations else {}
        of_policy = {id(document.policy): document for document in self.documents if document.policy}
        deciding = set(map(id, _deciding(next(iter(by_label.values()), None))))
        statements: dict[tuple[str, int], dict[str, list[tuple[str, ExplainedStatement]]]] = {}
        for label, evaluation in by_label.items():
            for each in evaluation.statements:
                if (document := of_policy.get(id(each.policy))) is not None:
                    states = statements.setdefault((document.name, each.statement.index), {})
                    states.setdefault(_state(each, evaluation), []).append((label, each))
        remarks: dict[str, dict[int, Remark]] = {document.name: {} for document in self.documents}
        for (name, index), states in statements.items():
            state = next(state for state in WORDS if state in states)
            label, explained = states[state][0]
            owners = tuple(label for label, _ in states[state] if label) if state != "missed" else ()
            reason = ""
            if state == "missed" and len(by_label) == 1 and explained.deciding is not None:
                reason = explained.deciding.sentence.replace("`", "")
            sid = f" ({explained.statement.sid})" if explained.statement.sid else ""
            title = f"{explained.statement.effect} statement {index + 1}{sid}"
            remarks[name][index] = Remark(title, state, self[name].word(state), owners, reason)
        for document in self.documents:
            document.remarks, document.decides = remarks[document.name], id(document.policy) in deciding
        self._draw()

    def complete(self, text: str, offset: int, name: str | None = None, *, explicit: bool = True) -> Completion:
        """What could be written at this offset of the text of a document; `explicit`: by a key, not by typing on."""
        kind = self._document(name).kind
        return complete(
            text, offset, kind, principals=_now(self.principals), resources=_now(self.resources), explicit=explicit
        )

    # -- in the world -------------------------------------------------------------------------------------------------

    def apply(self, name: str | None = None) -> Attempt:
        """Store the text of a document, or of the one in front, through AWS's own API; AWS may refuse it.

        A refusal is shown where it belongs in the text, if that can be told. Raises `ValueError` for a document that is
        of no world, or cannot be written; its sentence says why.
        """
        document, shelf = self._document(name), self._shelf_of(name)
        place, before = document.place, shelf.stored(document.place)
        outcome = shelf.put(place, document.text)
        if outcome.allowed and (call := writing(place).call):
            if before or writing(place).remove:
                self._applied.append((document, before))
            shelf.read(document)
            document.note = f"Applied by {shelf.who(place)}: {call.service} {call.operation}."
        else:
            document.refuse(f"{outcome.code}. {outcome.message}", shelf.reason(outcome))
        self._tell()
        return outcome

    def take_back(self) -> Attempt | None:
        """Undo the last `apply` that is not undone yet: the world holds what it held before. None if there is none."""
        if not self._applied:
            return None
        document, before = self._applied[-1]
        shelf = self._shelf_of(document.name)
        outcome = shelf.put(document.place, before)
        if outcome.allowed:
            self._applied.pop()
            shelf.read(document)
            document.note = "Taken back. The world holds what it held before."
        else:
            document.note = f"AWS refuses to take it back: {outcome.code}. {outcome.message}"
        self._tell()
        return outcome

    @property
    def can_take_back(self) -> bool:
        return bool(self._applied)

    def refresh(self) -> bool:
        """Take what the world holds now: what nobody edits, and documents that have come. A text that is edited stays,
        and one that is gone there counts no more. Whether anything was new."""
        shelf, new = self.shelf, False
        if shelf is None:
            return False
        for each in self.documents:
            if each.place is None or each.stored == shelf.stored(each.place):
                continue
            new, edited = True, each.changed and not each.is_blank
            text, note = each.text, each.note
            shelf.read(each)
            if each.text == text:
                each.note = note  # of applying just this
            if edited:
                each.read(text)
            elif not each.stored:
                each.policy, each.blank = None, each.text  # there is nothing any more, and nobody has begun it anew
        places = {each.place for each in self.documents}
        new_places = [place for place in self._present_places() if place not in places and shelf.stored(place)]
        self.documents += tuple(shelf.documents(new_places, [each.name for each in self.documents]))
        return new or bool(new_places)

    def _present_places(self) -> Iterable[Place]:
        try:
            return dict.fromkeys(self.places())
        except LookupError:  # whose they are is gone
            return ()

    def follow(self) -> None:
        """The same where something has happened in the world since the last time."""
        if self.shelf is not None and self._version != (version := self.shelf.world.inspect.version):
            self._version = version
            if self.refresh():
                self._tell()

    def reload(self) -> None:
        """Begin again with what the world holds now."""
        self.refresh()
        for document in self.documents:
            if self.shelf and document.place is not None:
                self.shelf.read(document)
        self._tell()

    def note(self, name: str, text: str) -> None:
        """Say something below a document, until its text changes."""
        self[name].note = text
        self._draw()

    def code(self, language: str, name: str | None = None) -> str:
        """What stores the text of a document, as it is now: "boto3", "cli" (a POSIX shell) or "terraform"."""
        document = self._document(name)
        if document.place is None:
            return "This text belongs to no user, role or resource, so nothing stores it."
        storage = writing(document.place)
        try:
            policy = json.loads(document.text)
        except (ValueError, RecursionError):
            return storage.reason or "This is not JSON yet, so there is nothing to store."
        return code(storage, policy, language)

    def _shelf_of(self, name: str | None) -> PolicyStore:
        document = self._document(name)
        if self.shelf is None or document.place is None:
            raise ValueError(f"{document.name} is a text of its own: there is no place in a world to store it")
        if reason := writing(document.place).reason:
            raise ValueError(reason)
        return self.shelf

    def _view(self) -> Any:
        from .. import screen
        from .view import code_view

        return screen.show(self, code_view(self))

    def _draw(self) -> None:
        if not self._telling:
            super()._draw()

    def order(self, what: str, name: str) -> None:
        """ "apply" a document, "take back" what was applied last, or "reload"; what cannot be done is said."""
        try:
            {"apply": lambda: self.apply(name), "take back": self.take_back, "reload": self.reload}[what]()
        except (ValueError, LookupError, RuntimeError) as error:  # a world may have been stopped
            self.note(name, str(error))
        except Exception as error:
            self.note(name, failure(error))
            raise

    def page(self) -> Part:
        """The documents, to be read."""
        return panel_card(self.label, el("div.sl-pane", [each.page() for each in self.documents]))


def _documents(documents: str | Mapping[str, Any] | Iterable[PolicyDocument]) -> Iterable[PolicyDocument]:
    if isinstance(documents, str):
        documents = {"policy": documents}
    if not isinstance(documents, Mapping):
        return documents
    return [
        PolicyDocument(name, text=text if isinstance(text, str) else json.dumps(text, indent=2))
        for name, text in documents.items()
    ]


def _now(names: Names) -> Iterable[str]:
    return names() if callable(names) else names
