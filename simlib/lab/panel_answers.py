"""Answers to exercises that stand in a panel: in an editor, in what hosts one, or applied in the world by either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .judging import At, Unjudged, untouched
from .policy.document import PolicyDocument
from .policy.places import title
from .policy.shelf import applied_in, blank

if TYPE_CHECKING:
    from simlib.cloud import Cloud
    from simlib.cloud.inspection import Place

    from .policy.editor import PolicyEditor


Documents = tuple[PolicyDocument, ...]
HOW = "Write your answer here, then run the check below. It reads this text; you need not press Apply."
IN_PANEL = "(About the text in the panel.)"
APPLIED = "(About what you have applied in a panel.)"
IN_CELL = "(About the text in the cell. For the one in the panel: .check() with nothing in the brackets.)"


def documents(answer: Any) -> Documents | None:
    """The policy documents in a panel, or None: this is no panel."""
    if isinstance(answer, PolicyDocument):
        return (answer,)
    while getattr(answer, "hosted", None) is not None:
        answer = answer.hosted
    found = getattr(answer, "documents", None)
    return tuple(found) if isinstance(found, Sequence) and not isinstance(found, str) else None


def taken(
    answer: Sequence[Any], given: Sequence[str], places: Sequence[At], begun: Begun | None, world: Cloud | None
) -> tuple[tuple[Any, ...], str]:
    """The answer to be judged, for each of `given` a text or the documents of a panel; and where it was found.

    A panel that is handed in counts. Where a text is the one that was given, what was written in the exercise's own
    panel does, or else what any panel has applied. Raises `Unjudged` for a panel that holds nothing of the kind.
    """
    handed = next((found for each in answer if (found := documents(each)) is not None), None)
    if handed is not None:
        found = _for_each(given, fitting(handed, places))
        for at, there in zip(places, found, strict=False):
            if not there:
                raise Unjudged(f"This panel does not hold {at.told}. Hand in one that does, or the text itself.")
        return found, ""
    answer = tuple(answer or given)
    written = begun.touched if begun else []
    gaps = [untouched(each, text) for each, text in zip(answer, given, strict=False)]
    if len(answer) != len(given) or not any(gaps):
        return answer, IN_CELL if written else ""
    for found, about in ((written, IN_PANEL), (_applied(world), APPLIED)):
        there = _for_each(given, fitting(found, places))
        if any(there):
            return tuple(new if gap and new else old for gap, new, old in zip(gaps, there, answer, strict=True)), about
    return answer, ""


def _for_each(given: Sequence[str], found: Sequence[Documents]) -> tuple[Documents, ...]:
    """What was found for each of `given`; one policy for several places may stand at any of them."""
    return tuple(found) if len(given) == len(found) else (next(filter(None, found), ()),)


def _applied(world: Cloud | None) -> list[PolicyDocument]:
    """What panels have stored in a world, where that still stands."""
    found = applied_in(world) if world is not None else {}
    return [PolicyDocument(title(place), place.kind, text, place=place) for place, text in found.items()]


def fitting(found: Sequence[PolicyDocument], places: Sequence[At]) -> list[Documents]:
    """For each place those that stand there, under whatever name; texts of no world are taken in order."""
    loose = [each for each in found if each.place is None]
    in_order = loose if len(loose) == len(places) else []
    return [
        tuple(each for each in found if each.place and (each.place.owner, each.place.kind) == (place.owner, place.kind))
        or tuple(in_order[index : index + 1] or loose)
        for index, place in enumerate(places)
    ]


@dataclass(frozen=True)
class Begun:
    """An editor to answer in, and the texts with which it began."""

    editor: PolicyEditor
    texts: tuple[str, ...]

    @property
    def touched(self) -> list[PolicyDocument]:
        pairs = zip(self.editor.documents, self.texts, strict=True)
        return [each for each, text in pairs if "".join(each.text.split()) != "".join(text.split())]


def begin(world: Cloud | None, places: Sequence[Place], given: Sequence[str], before: Begun | None) -> Begun:
    """An editor with a document for each text of `given`, which may be empty; what was written `before` goes along."""
    from .policy.editor import PolicyEditor

    asked = list(places)[: len(given)]
    if world is None:
        editor = PolicyEditor([PolicyDocument(title(place), place.kind) for place in asked])
    else:
        editor = PolicyEditor.of(world, *asked)
    texts = tuple(text.strip() or blank(place.kind) for place, text in zip(asked, given, strict=True))
    for index, (document, text) in enumerate(zip(editor.documents, texts, strict=True)):
        document.read(before.editor.documents[index].text if before else text)
        document.note = HOW
    return Begun(editor, texts)
