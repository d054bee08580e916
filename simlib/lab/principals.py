"""Whom a lesson's page means: "alice", "prod/reports-reader", an ARN, an identity that is signed in, a token."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from simlib.cloud.inspection import Principal

_WORDS = {
    "user": "user",
    "role": "a session of the role",
    "session": "session",
    "root": "",
    "token": "token",
    "service": "the service",
    "anonymous": "anybody, without credentials",
    "outside": "",
}
MOST_NAMED = 6  # in a sentence that says whom one may have meant


class AmbiguousName(LookupError):
    """A name that several have."""


def find(world: Any, who: Any, *, kind: str = "") -> Principal:
    """The principal that `who` means: a `Principal`, an `Identity`, a name as `titles` shows it, an ARN, a token.

    A name alone is enough where nobody else has it; "dev/alice" says the account too. `kind`: only such a principal is
    meant, a role say. Raises `LookupError` with the names that come near, or that it could be.
    """
    if isinstance(who, Principal):
        return who
    if key := getattr(who, "access_key_id", None):
        return world.inspect.principal(str(key))  # type: ignore[no-any-return]
    text = str(who)
    people: list[Principal] = world.inspect.principals()
    matches = [each for each in people if text in names(world, each) and kind in ("", each.kind)]
    if len(matches) == 1:
        return matches[0]
    if len(matches) > 1:
        spellings = addresses(world, people)
        candidates = _some([spellings[each] for each in matches])
        raise AmbiguousName(f"{text[:200]!r} could be any of: {candidates}. Say which, by one of these names.")
    try:
        return world.inspect.principal(text)  # type: ignore[no-any-return]
    except LookupError:
        others = [each for each in people if each.kind in ((kind,) if kind else ("user", "role"))]
        known_names = list(dict.fromkeys(each.name for each in others))
        similar = get_close_matches(text[:200], known_names, 3, 0.5)
        hint = f"Did you mean {' or '.join(map(repr, similar))}?" if similar else f"There are: {_some(known_names)}."
        nobody = f"no {kind}" if kind else "nobody"
        raise LookupError(f"There is {nobody} here called {text[:200]!r}. {hint}") from None


def short_key(access_key_id: str) -> str:
    """ "AKIA…WXYZ": which key it is, short enough to read."""
    return f"{access_key_id[:4]}…{access_key_id[-4:]}"


def _some(spellings: list[str]) -> str:
    rest = f" and {len(spellings) - MOST_NAMED} more" if len(spellings) > MOST_NAMED else ""
    return ", ".join(spellings[:MOST_NAMED]) + rest


def names(world: Any, principal: Principal) -> set[str]:
    """Everything somebody may be called by."""
    spellings = {principal.arn, principal.credential, principal.name}
    if principal.account:
        account = world.account_name(principal.account)
        own_names = {principal.name, _with_key(principal)}
        spellings |= {
            *own_names,
            *(f"{account}/{name}" for name in own_names),
            *(f"{name} ({account})" for name in own_names),
        }
    return spellings - {""}


def _with_key(principal: Principal) -> str:
    """A session's name is not its own alone."""
    return f"{principal.name} {short_key(principal.credential)}" if principal.kind == "session" else principal.name


def addresses(world: Any, people: Iterable[Principal]) -> dict[Principal, str]:
    """For each the shortest name by which `find` finds this one alone: "alice", "dev/alice", an ARN, an access key."""
    people = list(people)
    counts = Counter(name for each in people for name in names(world, each))
    return {
        each: next((name for name in _spellings(world, each) if counts[name] == 1), each.credential or each.arn)
        for each in people
    }


def _spellings(world: Any, principal: Principal) -> tuple[str, ...]:
    account = world.account_name(principal.account) if principal.account else ""
    return principal.name, f"{account}/{principal.name}", _with_key(principal), principal.arn


def title(world: Any, principal: Principal, *, among: Iterable[Principal] = ()) -> str:
    """ "alice", or "alice (dev)" where the account has to be told: several are mentioned `among` others."""
    return titles(world, [principal, *among])[principal]


def titles(world: Any, people: Iterable[Principal]) -> dict[Principal, str]:
    """What each is called beside the others: with the account where there are several, and where that is still the
    same, a session by its key, a token by its number."""
    people = list(dict.fromkeys(people))
    several = len({each.account for each in people if each.account}) > 1
    counts = Counter((each.kind, each.account, each.name) for each in people)
    numbers: Counter[str] = Counter()
    by_principal = {}
    for each in people:
        name = each.name
        if counts[each.kind, each.account, each.name] > 1:
            numbers[name] += 1
            name = _with_key(each) if each.kind == "session" else f"{name}, number {numbers[name]}"
        account = f" ({world.account_name(each.account)})" if each.account and several else ""
        by_principal[each] = f"{name} in account {each.account}" if each.kind == "outside" else f"{name}{account}"
    return by_principal


def about(principal: Principal) -> str:
    """What kind of principal it is, in a few words."""
    return _WORDS[principal.kind]
