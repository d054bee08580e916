"""A challenge as its file has it: what it tells, and what has to be in it."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from simlib.challenges.seeds import merged
from simlib.lessons import LESSONS

FILES = Path(__file__).with_name("files")
FORM: Mapping[str, Any] = tomllib.loads(Path(__file__).with_name("form.toml").read_text(encoding="utf-8"))
KINDS: Mapping[str, Mapping[str, list[str]]] = FORM["kinds"]
LONGEST_STORY = 120  # words
HINTS = 3
_THINGS = {"groups", "users", "roles", "buckets"}  # in an account
_ONE_OF: Mapping[str, Collection[Any]] = {
    "kind": KINDS, "theme": FORM["themes"], "lesson": LESSONS, "level": FORM["levels"], "minutes": range(5, 21)
}  # fmt: skip


class ChallengeFileError(ValueError):
    """A file that is no challenge; the message names the place and what would be right there."""


@dataclass(frozen=True)
class Challenge:
    """What everybody may know of a challenge. `path` is its file, which has the rest: world, goal, solution."""

    name: str
    title: str
    kind: str
    theme: str
    level: int
    minutes: int
    lesson: str  # its slug
    path: Path = field(repr=False)

    @property
    def about(self) -> str:
        """Its kind, level and time, and after which lesson it can be played, in a line; its theme would be a hint."""
        return f"{self.kind} · level {self.level} · {self.minutes} min · after lesson {LESSONS[self.lesson].number}"

    def document(self) -> dict[str, Any]:
        """The whole file, names still open. Raises `ChallengeFileError`."""
        return load(self.path)


def load(path: Path) -> dict[str, Any]:
    """A challenge's file, seen through. Raises `ChallengeFileError` with the place of what is wrong."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # not there, no UTF-8, no TOML
        raise ChallengeFileError(f"{path.name} cannot be read: {getattr(error, 'strerror', error)}.") from None
    for problem in _problems(document):
        raise ChallengeFileError(f"{path.name}: {problem}")
    return document


def _problems(document: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong, in sentences."""
    for name, values in _ONE_OF.items():
        if name in {*document, "kind"} and document.get(name) not in values:
            yield f"`{name}` is one of {', '.join(map(str, values))}, not {document.get(name)!r}."
    kind, variants = document["kind"], document.get("variants", {})
    needs = {*FORM["needs"], *KINDS[kind]["needs"], *(["here"] if variants else [])}
    yield from _unknown("", document, {*needs, *FORM["may"]})
    for variant in variants or [""]:
        place, whole = f"variants.{variant}: " if variant else "", merged(document, variants.get(variant, {}))
        if lacking := sorted(needs - whole.keys()):
            yield f"{place}`{lacking[0]}` is missing. A challenge to {kind} needs {', '.join(sorted(needs))}."
        for text in (each for each in FORM["texts"] if not isinstance(whole.get(each, ""), str)):
            yield f"{place}`{text}` is a text, not {whole[text]!r}."
        if not isinstance(whole["hints"], list) or len(whole["hints"]) != HINTS:
            yield f"{place}`hints` are a list of {HINTS}: think of this; the idea; nearly the answer."
        if (words := len(whole["story"].split())) > LONGEST_STORY:
            yield f"{place}`story` has {words} words; {LONGEST_STORY} are the most that are read."
        for account, content in whole["accounts"].items():
            for role in (role for role, facts in content.get("roles", {}).items() if "trust" not in facts):
                yield f"{place}accounts.{account}.roles.{role}: `trust` is missing: who may assume the role?"
    for part in (document, *variants.values(), *document.get("decoys", {}).values()):
        for account, content in part.get("accounts", {}).items():
            yield from _unknown(f"accounts.{account}: ", content, {"name", "calls", *_THINGS, *_facts("account")})
            for things in _THINGS & content.keys():
                for thing, facts in content[things].items():
                    yield from _unknown(f"accounts.{account}.{things}.{thing}: ", facts, _facts(things))


def _facts(things: str) -> set[str]:
    """What a file may say of things of a kind."""
    return {fact for tables in (FORM["identities"], FORM["resources"]) for fact in tables.get(things, ())} - {""}


def _unknown(place: str, names: Collection[str], known: Collection[str]) -> Iterator[str]:
    there_may_be = f" There may be {', '.join(sorted(known))}."
    for each in sorted({*names} - {*known}):
        yield f"{place}there is no `{each}`.{did_you_mean(each, known) or there_may_be}"


def did_you_mean(word: str, known: Collection[str]) -> str:
    """A question that ends a sentence, "" where none of the known words is near."""
    near = get_close_matches(word, known, 1)
    return f" Did you mean `{near[0]}`?" if near else ""


@cache
def challenges() -> Mapping[str, Challenge]:
    """Those of the lab by name, the easy ones first."""
    ours = [described(path) for path in FILES.glob("*.toml")]
    return {each.name: each for each in sorted(ours, key=lambda each: (each.level, each.name))}


def described(path: Path) -> Challenge:
    """The challenge in a file. Raises `ChallengeFileError`."""
    document = load(path)
    about = {each: document[each] for each in ("title", "kind", "theme", "level", "minutes", "lesson")}
    return Challenge(path.stem, **about, path=path)


def find(name: str) -> Challenge:
    """The challenge of that name, or in a file of that name. Raises `LookupError` with the name that was meant."""
    if name in challenges():
        return challenges()[name]
    if name.endswith(".toml"):
        return described(Path(name))
    meant = did_you_mean(name, challenges()) or " `python -m simlib challenge list` tells them all."
    raise LookupError(f"There is no challenge {name!r}.{meant}")
