"""A challenge as its file has it: what it tells, and what has to be in it."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from simlib.lessons import LESSONS

FILES = Path(__file__).with_name("files")
LONGEST_STORY = 120  # words
#: The kinds, and which tables a file of each needs beside those that all need
KINDS: Mapping[str, tuple[str, ...]] = {
    "get in": ("naive", "solution"),
    "lock out": ("intruder", "keep", "shut", "solution"),
    "cut down": ("keep", "par", "policy_of", "solution"),
    "explain": ("ask", "choices"),
    "mend": ("keep", "shut", "solution"),
}
THEMES = (
    "PassRole", "trust", "confused deputy", "OIDC", "tags", "boundaries", "key policies", "resource policies",
    "sessions", "organizations", "keys", "least privilege",
)  # fmt: skip
_ONE_OF: Mapping[str, Collection[Any]] = {"kind": KINDS, "theme": THEMES, "lesson": LESSONS, "level": (1, 2, 3)}
_ALL = ("title", "kind", "theme", "level", "minutes", "lesson", "story", "task", "hints", "debrief", "you", "accounts")
_MAY = ("names", "variants", "decoys", "organization", "history", "path", "tokens", "edit", "naive", "here")
HINTS = 3


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

    def document(self) -> dict[str, Any]:
        """The whole file, names still open. Raises `ChallengeFileError`."""
        return read(self.path)


def read(path: Path) -> dict[str, Any]:
    """A challenge's file, seen through. Raises `ChallengeFileError` with the place of what is wrong."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ChallengeFileError(f"{path.name} cannot be opened: {error.strerror}.") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ChallengeFileError(f"{path.name} cannot be read: {error}.") from None
    for problem in _problems(document):
        raise ChallengeFileError(f"{path.name}: {problem}")
    return document


def _problems(document: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong, in sentences."""
    for name, values in _ONE_OF.items():
        if document.get(name) not in values:
            yield f"`{name}` is one of {', '.join(map(str, values))}, not {document.get(name)!r}."
    kind = document["kind"]
    needs = {*_ALL, *KINDS[kind]}
    for each in sorted(document.keys() - needs - {*_MAY}):
        near = get_close_matches(each, [*needs, *_MAY], 1)
        meant = f"; did you mean `{near[0]}`?" if near else f", which a challenge to {kind} does not have."
        yield f"there is `{each}`{meant}"
    anywhere = {*document}.union(*document.get("variants", {}).values())
    for each in sorted(needs - anywhere):
        yield f"`{each}` is missing. A challenge to {kind} needs {', '.join(sorted(needs))}."
    if len(document.get("hints", ())) != HINTS:
        yield f"`hints` are {HINTS}: think of this; the idea; nearly the answer."
    if (words := len(str(document.get("story", "")).split())) > LONGEST_STORY:
        yield f"`story` has {words} words; {LONGEST_STORY} are the most that are read."


@cache
def challenges() -> Mapping[str, Challenge]:
    """Those of the lab by name, the easy ones first."""
    found = [described(path) for path in FILES.glob("*.toml")]
    return {each.name: each for each in sorted(found, key=lambda each: (each.level, each.name))}


def described(path: Path) -> Challenge:
    """The challenge in a file. Raises `ChallengeFileError`."""
    document = read(path)
    told = ("title", "kind", "theme", "level", "minutes", "lesson")
    return Challenge(path.stem, **{each: document[each] for each in told}, path=path)


def find(name: str) -> Challenge:
    """The challenge of that name, or in a file of that name. Raises `LookupError` with the name that was meant."""
    if name in challenges():
        return challenges()[name]
    if name.endswith(".toml"):
        return described(Path(name))
    near = get_close_matches(name, challenges(), 1)
    meant = f" Did you mean {near[0]!r}?" if near else " `python -m simlib challenge list` tells them all."
    raise LookupError(f"There is no challenge {name!r}.{meant}")
