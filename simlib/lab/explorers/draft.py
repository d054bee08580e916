"""The documents of a panel: as the world holds them, as they are being edited, and how they are saved.

What is typed counts in the panel's answers at once, and in the world only once it is saved, through AWS's own API.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from simlib.cloud.inspection import Document, Place, Principal
from simlib.cloud.transport.refusals import Refusal
from simlib.iam import Policy

from ..policy_editor import PolicyDocument, PolicyEditor
from .people import find
from .saving import save

NEW = "new-policy"  # what an inline policy is called that the learner begins
_KINDS = ("trust", "boundary", "resource")
_STORED_AS = {"user": "user", "role": "role", "group": "group"}


class Draft:
    """Documents in an editor, each with its `Place`. `places` says which, by tab."""

    def __init__(self, world: Any, documents: Iterable[Document], *, plain: bool | None = None) -> None:
        self.world = world
        held = list(documents)
        names = _tab_names(held)
        self.places = {name: each.place for name, each in zip(names, held, strict=True)}
        self._stored = {name: _readable(each.text) for name, each in zip(names, held, strict=True)}
        tabs = [_tab(name, self.places[name], self._stored[name]) for name in names]
        self.editor = _editor(world, tabs, plain) if tabs else None
        self.note = ""

    @property
    def documents(self) -> tuple[PolicyDocument, ...]:
        return self.editor.documents if self.editor else ()

    @property
    def instead(self) -> dict[Place, Policy | None]:
        """The last complete texts, for `Inspection.ask`; what is empty in the world and here is not there."""
        return {self.places[each.name]: each.policy for each in self.documents if each.policy is not None}

    @property
    def unsaved(self) -> list[PolicyDocument]:
        """The documents whose text is not the world's."""
        return [each for each in self.documents if each.text != self._stored[each.name]]

    @property
    def incomplete(self) -> list[PolicyDocument]:
        """Those of them that are no policies; their last complete text counts."""
        return [each for each in self.unsaved if not each.complete]

    def saying(self, document: PolicyDocument) -> str:
        """What keeps a document from being a policy, in a line."""
        return "; ".join(f"{each.place}: {each.text}" for each in document.errors[:2])

    def edit(self, text: str, name: str | None = None) -> None:
        """Put a text into the document of that name, or into the one in front."""
        if self.editor is None:
            raise LookupError('This panel has no document to edit. Name one: edit=["alice/read"].')
        self.editor.edit(text, name)

    def refresh(self) -> None:
        """Take what the world holds now into the documents that are not being edited."""
        for each in self.documents:
            stored = _readable(text_at(self.world, self.places[each.name]))
            edited = each.text != self._stored[each.name]
            self._stored[each.name] = stored
            if not edited and stored != each.text:
                _hold(each, stored)

    def discard(self) -> None:
        """Begin again with what the world holds."""
        for each in self.documents:
            self._stored[each.name] = _readable(text_at(self.world, self.places[each.name]))
            _hold(each, self._stored[each.name])
        self.note = ""

    def save(self) -> None:
        """Save what was edited through AWS's own API; what AWS would refuse is refused here, and told in `note`."""
        told = []
        for each in self.unsaved:
            place = self.places[each.name]
            try:
                saved = save(self.world, place, each.text)
            except LookupError as error:
                told.append(str(error.args[0]))
                continue
            told.append(f"Saved to the {_owner(place)}." if saved.allowed else f"AWS refused it: {saved.message}")
            if saved.allowed:
                self._stored[each.name] = each.text
        self.note = " ".join(told) or "Nothing to save: the world holds these texts already."


def _editor(world: Any, tabs: list[PolicyDocument], plain: bool | None) -> PolicyEditor:
    people = [each.arn for each in world.inspect.principals() if each.kind in ("user", "role", "root")]
    owned = world.inspect.resources()
    resources = [*owned, *(f"{arn}/*" for arn in owned if ":s3:::" in arn)]
    return PolicyEditor(tabs, principals=people, resources=resources, plain=plain)


def _tab(name: str, place: Place, text: str) -> PolicyDocument:
    kind = place.owner.rpartition(":")[2].partition("/")[0]
    stored_as = _STORED_AS.get(kind) if place.kind == "identity" else None
    document = PolicyDocument(name, place.kind, "", stored_as, read_only=place.owner.startswith("arn:aws:iam::aws:"))
    _hold(document, text)
    return document


def _hold(document: PolicyDocument, text: str) -> None:
    """Let a document be what the world holds; where that is nothing there is no policy, and that is no mistake."""
    document.read(text)
    if not text:
        document.policy, document.findings, document.spans, document.remarks = None, (), (), {}


def _tab_names(documents: list[Document]) -> list[str]:
    """Short names, longer ones where two would be the same."""
    short = [tab_name(each.place) for each in documents]
    owners = [f"{_short(each.place.owner)}/{name}" for each, name in zip(documents, short, strict=True)]
    return [name if short.count(name) == 1 else owner for name, owner in zip(short, owners, strict=True)]


def tab_name(place: Place) -> str:
    """What a document is called: "read-bucket", "reports (trust policy)", "policy of my-secure-bucket"."""
    owner = _short(place.owner)
    match place.kind:
        case "trust":
            return f"{owner} (trust policy)"
        case "resource":
            return f"policy of {owner}"
        case "boundary":
            return f"{owner} (boundary)"
        case "session":
            return place.name or "session policy"
    return place.name or owner


def _owner(place: Place) -> str:
    kind = place.owner.rpartition(":")[2].partition("/")[0]
    named = {"user": "user", "role": "role", "group": "group", "policy": "managed policy"}.get(kind)
    if named is None:
        named = "bucket" if ":s3:::" in place.owner else "resource" if place.owner.startswith("arn:") else "account"
    return f"{named} {_short(place.owner)}"


def _short(owner: str) -> str:
    return owner.rpartition(":")[2].rpartition("/")[2]


def _readable(text: str) -> str:
    """A stored text, indented where it is all on one line."""
    if "\n" in text or not text:
        return text
    try:
        return json.dumps(json.loads(text), indent=2)
    except ValueError:
        return text


def text_at(world: Any, place: Place) -> str:
    """The text the world holds at a place; "" where it holds none."""
    with suppress(LookupError, Refusal):
        return next((each.text for each in world.inspect.documents(place.owner) if each.place == place), "")
    return ""


def named(world: Any, name: str | Place) -> Document:
    """The document that a page means by a name.

    "alice/read": an inline policy of that user or role, there or not yet; "reports/trust", "bob/boundary"; "my-bucket"
    or a resource's ARN: its policy; the ARN of a managed policy; or a `Place`. "prod/reports-reader/trust" says the
    account too.
    """
    place = name if isinstance(name, Place) else _place(world, name)
    return Document(place, text_at(world, place), tab_name(place), place.owner)


def _place(world: Any, name: str) -> Place:
    if name.startswith("arn:"):
        return Place(name, "identity" if ":policy/" in name else "resource")
    owner, slash, policy = name.rpartition("/")
    if not slash:
        return Place(f"arn:aws:s3:::{name}", "resource")
    if owner.startswith("arn:") or (bucket := f"arn:aws:s3:::{owner}") not in world.inspect.resources():
        arn = owner if owner.startswith("arn:") else find(world, owner).arn
        if policy == "boundary":
            return _boundary(world, arn)
        return Place(arn, policy) if policy in _KINDS else Place(arn, "identity", policy)
    return Place(bucket, "resource")


def _boundary(world: Any, arn: str) -> Place:
    attached = [each.place for each in world.inspect.documents(arn) if each.place.kind == "boundary"]
    return attached[0] if attached else Place(arn, "boundary")


def bearing_on(
    world: Any, people: Iterable[Principal], resources: Iterable[str], *, begin: bool = False
) -> list[Document]:
    """Every document that bears on what these people ask of these resources, each once; SCPs and RCPs aside.

    `begin`: an empty one too for a user, a role or a bucket that has none, so that one can be written.
    """
    known: dict[Place, Document] = {}
    for each in people:
        found = _documents(world, each.credential or each.arn)
        if begin and each.kind in ("user", "role") and not any(one.place.kind == "identity" for one in found):
            found = [named(world, Place(each.arn, "identity", NEW)), *found]
        known |= {one.place: one for one in found if one.place not in known}
    for arn in resources:
        found = _documents(world, arn)
        bucket = arn.partition("/")[0] if arn.startswith("arn:aws:s3:::") else ""
        if begin and bucket and not found and world.inspect.owner(bucket):
            found = [named(world, Place(bucket, "resource"))]
        known |= {one.place: one for one in found if one.place not in known}
    return list(known.values())


def _documents(world: Any, name: str) -> list[Document]:
    with suppress(LookupError, Refusal):
        return [each for each in world.inspect.documents(name) if each.place.kind not in ("scp", "rcp")]
    return []
