"""Answers to exercises that stand in a panel: in an editor, in what hosts one, or applied in the world by either."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .course.texts import word
from .judging import At, Unjudged, untouched
from .policy.document import PolicyDocument
from .policy.storage import title
from .policy.store import applied_texts, blank

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
    held = getattr(answer, "documents", None)
    return tuple(held) if isinstance(held, Sequence) and not isinstance(held, str) else None


def new_editor(
    world: Cloud | None, places: Sequence[At], given: Sequence[str], before: PolicyEditor | None
) -> PolicyEditor:
    """An editor with a document for each text of `given`, which may be empty; what was written `before` goes along."""
    from .policy.editor import PolicyEditor

    targets = [each.place for each in places[: len(given)]]
    if world is None:
        editor = PolicyEditor([PolicyDocument(title(place), place.kind) for place in targets])
    else:
        editor = PolicyEditor.of(world, *targets)
    editor.applies = False  # it is checked as it stands
    for index, (document, place, text) in enumerate(zip(editor.documents, targets, given, strict=True)):
        document.blank = text.strip() or blank(place.kind)
        document.read(before.documents[index].text if before else document.blank)
    return editor


def resolve(
    answer: Sequence[Any], given: Sequence[str], places: Sequence[At], own: PolicyEditor | None, world: Cloud | None
) -> tuple[tuple[Any, ...], str]:
    """The answer to be judged, for each of `given` a text or the documents of a panel; and where it was found.

    A panel that is handed in counts. Where a text is the one that was given, what was written in the exercise's `own`
    panel does, or else what any panel has applied; with nothing handed in, the verdict on that text stands in that very
    panel, and there is no need to say so. Raises `Unjudged` for a panel that holds nothing of the kind.
    """
    is_given = bool(answer)
    panel_documents = next((candidates for each in answer if (candidates := documents(each)) is not None), None)
    if panel_documents is not None:
        documents_at = _for_each(given, panel_documents, places)
        for at, candidates in zip(places, documents_at, strict=False):
            if not candidates:
                raise Unjudged(f"This panel does not hold {at.description}. Hand in one that does, or the text itself.")
        return documents_at, ""
    answer = tuple(answer or given)
    edited = (
        [each for each in own.documents if "".join(each.text.split()) != "".join(each.blank.split())] if own else ()
    )
    unchanged = [untouched(each, text) for each, text in zip(answer, given, strict=False)]
    if len(answer) != len(given) or not any(unchanged):
        return answer, word("about_cell") if edited else ""
    for candidates, about in (
        (edited, "about_panel" if is_given else ""),
        (_applied_documents(world), "about_applied"),
    ):
        documents_at = _for_each(given, candidates, places)
        if any(documents_at):
            filled = zip(unchanged, documents_at, answer, strict=True)
            return tuple(new if gap and new else old for gap, new, old in filled), word(about) if about else ""
    return answer, ""


def _applied_documents(world: Cloud | None) -> list[PolicyDocument]:
    """What panels have stored in a world, where that still stands."""
    applied = applied_texts(world) if world is not None else {}
    return [PolicyDocument(title(place), place.kind, text, place=place) for place, text in applied.items()]


def _for_each(given: Sequence[str], documents: Iterable[PolicyDocument], places: Sequence[At]) -> tuple[Documents, ...]:
    """For each of `given` the documents that stand at its place, under whatever name; texts of no world are taken in
    order. One policy for several places may stand at any of them."""
    placeless = [each for each in documents if each.place is None]
    in_order = placeless if len(placeless) == len(places) else []
    result = []
    for index, at in enumerate(places):
        in_place = tuple(
            each for each in documents if each.place and (each.place.owner, each.place.kind) == (at.owner, at.kind)
        )
        result.append(in_place or tuple(in_order[index : index + 1] or placeless))
    return tuple(result) if len(given) == len(result) else (next(filter(None, result), ()),)
