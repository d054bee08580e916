"""The documents of a panel: which a page means, and what becomes of them while they are edited.

What is typed counts in the panel's answers at once, and in the world only once it is applied, through AWS's own API.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from simlib.cloud.inspection import Place, Principal
from simlib.cloud.transport.refusals import Refusal
from simlib.iam import Policy

from ..policy_document import PolicyDocument
from ..policy_editor import PolicyEditor
from ..policy_shelf import Shelf
from .people import find

_KINDS = ("trust", "boundary", "resource")
NEW = "new-policy"  # what an inline policy is called that the learner begins


class Draft:
    """The documents at some places, in an editor; `editor` is None where there are none."""

    def __init__(self, world: Any, places: Iterable[Place], *, plain: bool | None = None) -> None:
        found = list(dict.fromkeys(places))
        self.editor = PolicyEditor.of(world, *found, plain=plain) if found else None
        self.documents: tuple[PolicyDocument, ...] = self.editor.documents if self.editor else ()
        self._held = {each.name: self._shelf.stored(each.place) for each in self.documents}

    @property
    def instead(self) -> dict[Place, Policy]:
        """The last complete texts, for `Inspection.ask`; what was never one does not count."""
        return self.editor.instead if self.editor else {}

    @property
    def unsaved(self) -> list[PolicyDocument]:
        """The documents that are policies, and not those the world holds."""
        return [each for each in self.documents if each.changed and each.policy]

    @property
    def incomplete(self) -> list[PolicyDocument]:
        """Those that have been policies and are none as they stand; their last complete text counts."""
        return [each for each in self.documents if each.changed and not each.complete and each.policy]

    def edit(self, text: str, name: str | None = None) -> None:
        """Put a text into the document of that name, or into the one in front."""
        self._known.edit(text, name)

    def refresh(self) -> None:
        """Take what the world holds now; a text being edited stays, and one that is gone there counts no more."""
        for each in self.documents:
            shelf, text, edited = self._shelf, each.text, each.changed and each.policy is not None
            held = shelf.stored(each.place)
            if self._held.get(each.name) == held:
                continue
            self._held[each.name] = held
            note = each.note
            shelf.read(each)
            if each.text == text:
                each.note = note  # of applying just this
            if edited:
                each.read(text)
            elif not held:
                each.policy = None

    @property
    def _shelf(self) -> Shelf:
        assert self._known.shelf is not None  # it is an editor of a world
        return self._known.shelf

    @property
    def _known(self) -> PolicyEditor:
        if self.editor is None:
            raise LookupError('This panel has no document to edit. Name one: edit=["alice/read"].')
        return self.editor

    def save(self) -> None:
        """Apply every document that was edited; each tells in its `note` what AWS answered."""
        for each in self.documents:
            if each.changed and not each.read_only:
                self._known.apply(each.name)

    def discard(self) -> None:
        """Begin again with what the world holds."""
        if self.editor is not None:
            self.editor.reload()

    @property
    def notes(self) -> list[str]:
        """What became of applying."""
        return [each.note for each in self.documents if each.note and not each.read_only]


def place_of(world: Any, name: str | Place) -> Place:
    """The document that a page means by a name.

    "alice/read": an inline policy of that user or role, there or not yet; "reports/trust", "bob/boundary"; "my-bucket"
    or a resource's ARN: its policy; the ARN of a managed policy; or a `Place`. "prod/reports-reader/trust" says the
    account too.
    """
    if isinstance(name, Place):
        return name
    owner, slash, policy = name.rpartition("/")
    if name.startswith("arn:") and (":iam:" not in name or ":policy/" in name):
        return Place(name, "identity" if ":policy/" in name else "resource")
    if not slash:
        return Place(f"arn:aws:s3:::{name}", "resource")
    arn = owner if owner.startswith("arn:") else find(world, owner).arn
    if policy == "boundary":
        attached = [each.place for each in world.inspect.documents(arn) if each.place.kind == "boundary"]
        return attached[0] if attached else Place(arn, "boundary")
    return Place(arn, policy) if policy in _KINDS else Place(arn, "identity", policy)


def bearing_on(
    world: Any, people: Iterable[Principal], resources: Iterable[str], *, begin: bool = False
) -> list[Place]:
    """The places of every document that bears on what these people ask of these resources; SCPs and RCPs aside.

    `begin`: a place too for a user, a role or a bucket that has none, so that one can be written.
    """
    places: list[Place] = []
    for each in people:
        found = _places(world, each.credential or each.arn)
        if begin and each.kind in ("user", "role") and not any(place.kind == "identity" for place in found):
            found = [Place(each.arn, "identity", NEW), *found]
        places += found
    for arn in resources:
        found = _places(world, arn)
        bucket = arn.partition("/")[0] if arn.startswith("arn:aws:s3:::") else ""
        places += found or ([Place(bucket, "resource")] if begin and bucket and world.inspect.owner(bucket) else [])
    return places


def _places(world: Any, name: str) -> list[Place]:
    with suppress(LookupError, Refusal):
        return [each.place for each in world.inspect.documents(name) if each.place.kind not in ("scp", "rcp")]
    return []
