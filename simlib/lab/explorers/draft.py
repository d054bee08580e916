"""The documents of a panel: which a page means, and what becomes of them while they are edited.

What is typed counts in the panel's answers at once, and in the world only once it is applied, through AWS's own API.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from simlib.cloud.inspection import Place, Principal
from simlib.cloud.transport.refusals import Refusal
from simlib.iam import Policy

from ..policy.document import PolicyDocument
from ..policy.editor import PolicyEditor
from ..policy.shelf import place_of

__all__ = ["Draft", "bearing_on", "place_of"]

NEW = "new-policy"  # what an inline policy is called that the learner begins


class Draft:
    """The documents that `places` finds, in an editor; `editor` is None as long as there are none."""

    def __init__(self, world: Any, places: Callable[[], Iterable[Place]], *, plain: bool | None = None) -> None:
        self._world, self._places, self._plain = world, places, plain
        self.editor: PolicyEditor | None = None
        self.refresh()

    @property
    def documents(self) -> tuple[PolicyDocument, ...]:
        return self.editor.documents if self.editor else ()

    def refresh(self) -> None:
        """Take what the world holds now, documents that have come too; what is being edited stays."""
        if self.editor is not None:
            self.editor.refresh()
        elif found := list(dict.fromkeys(self._places())):
            self.editor = PolicyEditor.of(self._world, *found, plain=self._plain)
            self.editor.places = self._places

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
