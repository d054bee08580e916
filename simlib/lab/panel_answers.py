"""Answers to exercises that stand in a panel: in an editor, in what hosts one, or applied in the world by either."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .course.texts import word
from .judging import At, Unjudged, untouched
from .policy.document import PolicyDocument
from .policy.places import title
from .policy.shelf import applied_in, blank

if TYPE_CHECKING:
    from simlib.cloud import Cloud

    from .policy.editor import PolicyEditor

Documents = tuple[PolicyDocument, ...]


def documents(answer: Any) -> Documents | None:
    """The policy documents in a panel, or None: this is no panel."""
    if isinstance(answer, PolicyDocument):
        return (answer,)
    while getattr(answer, "hosted", None) is not None:
        answer = answer.hosted
    found = getattr(answer, "documents", None)
    return tuple(found) if isinstance(found, Sequence) and not isinstance(found, str) else None


def begin(world: Cloud | None, places: Sequence[At], given: Sequence[str], before: PolicyEditor | None) -> PolicyEditor:
    """An editor with a document for each text of `given`, which may be empty; what was written `before` goes along."""
    from .policy.editor import PolicyEditor

    asked = [each.place for each in places[: len(given)]]
    if world is None:
        editor = PolicyEditor([PolicyDocument(title(place), place.kind) for place in asked])
    else:
        editor = PolicyEditor.of(world, *asked)
    editor.applies = False  # it is checked as it stands
    for index, (document, place, text) in enumerate(zip(editor.documents, asked, given, strict=True)):
        document.blank = text.strip() or blank(place.kind)
        document.read(before.documents[index].text if before else document.blank)
    return editor


def taken(
    answer: Sequence[Any], given: Sequence[str], places: Sequence[At], own: PolicyEditor | None, world: Cloud | None
) -> tuple[tuple[Any, ...], str]:
    """The answer to be judged, for each of `given` a text or the documents of a panel; and where it was found.

    A panel that is handed in counts. Where a text is the one that was given, what was written in the exercise's `own`
    panel does, or else what any panel has applied; with nothing handed in, the verdict on that text stands in that very
    panel, and there is no need to say so. Raises `Unjudged` for a panel that holds nothing of the kind.
    """
    in_cell = bool(answer)
    handed = next((found for each in answer if (found := documents(each)) is not None), None)
    if handed is not None:
        there = _for_each(given, handed, places)
        for at, found in zip(places, there, strict=False):
            if not found:
                raise Unjudged(f"This panel does not hold {at.told}. Hand in one that does, or the text itself.")
        return there, ""
    answer = tuple(answer or given)
    written = (
        [each for each in own.documents if "".join(each.text.split()) != "".join(each.blank.split())] if own else ()
    )
    gaps = [untouched(each, text) for each, text in zip(answer, given, strict=False)]
    if len(answer) != len(given) or not any(gaps):
        return answer, word("about_cell") if written else ""
    for found, about in ((written, "about_panel" if in_cell else ""), (_applied(world), "about_applied")):
        there = _for_each(given, found, places)
        if any(there):
            filled = zip(gaps, there, answer, strict=True)
            return tuple(new if gap and new else old for gap, new, old in filled), word(about) if about else ""
    return answer, ""


def _applied(world: Cloud | None) -> list[PolicyDocument]:
    """What panels have stored in a world, where that still stands."""
    found = applied_in(world) if world is not None else {}
    return [PolicyDocument(title(place), place.kind, text, place=place) for place, text in found.items()]


def _for_each(given: Sequence[str], found: Iterable[PolicyDocument], places: Sequence[At]) -> tuple[Documents, ...]:
    """For each of `given` the documents that stand at its place, under whatever name; texts of no world are taken in
    order. One policy for several places may stand at any of them."""
    loose = [each for each in found if each.place is None]
    in_order = loose if len(loose) == len(places) else []
    there = []
    for index, at in enumerate(places):
        here = tuple(
            each for each in found if each.place and (each.place.owner, each.place.kind) == (at.owner, at.kind)
        )
        there.append(here or tuple(in_order[index : index + 1] or loose))
    return tuple(there) if len(given) == len(there) else (next(filter(None, there), ()),)
