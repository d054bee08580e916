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
    named = [each for each in people if text in names(world, each) and kind in ("", each.kind)]
    if len(named) == 1:
        return named[0]
    if len(named) > 1:
        called = addresses(world, people)
        meant = _some([called[each] for each in named])
        raise AmbiguousName(f"{text[:200]!r} could be any of: {meant}. Say which, by one of these names.")
    try:
        return world.inspect.principal(text)  # type: ignore[no-any-return]
    except LookupError:
        known = [each for each in people if each.kind in ((kind,) if kind else ("user", "role"))]
        spelled = list(dict.fromkeys(each.name for each in known))
        near = get_close_matches(text[:200], spelled, 3, 0.5)
        there = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"There are: {_some(spelled)}."
        nobody = f"no {kind}" if kind else "nobody"
        raise LookupError(f"There is {nobody} here called {text[:200]!r}. {there}") from None


def short_key(access_key_id: str) -> str:
    """ "AKIA…WXYZ": which key it is, short enough to read."""
    return f"{access_key_id[:4]}…{access_key_id[-4:]}"


def _some(listed: list[str]) -> str:
    more = f" and {len(listed) - MOST_NAMED} more" if len(listed) > MOST_NAMED else ""
    return ", ".join(listed[:MOST_NAMED]) + more


def names(world: Any, principal: Principal) -> set[str]:
    """Everything somebody may be called by."""
    found = {principal.arn, principal.credential, principal.name}
    if principal.account:
        account = world.account_name(principal.account)
        called = {principal.name, _with_key(principal)}
        found |= {*called, *(f"{account}/{name}" for name in called), *(f"{name} ({account})" for name in called)}
    return found - {""}


def _with_key(principal: Principal) -> str:
    """A session's name is not its own alone."""
    return f"{principal.name} {short_key(principal.credential)}" if principal.kind == "session" else principal.name


def addresses(world: Any, people: Iterable[Principal]) -> dict[Principal, str]:
    """For each the shortest name by which `find` finds this one alone: "alice", "dev/alice", an ARN, an access key."""
    people = list(people)
    counted = Counter(name for each in people for name in names(world, each))
    return {
        each: next((name for name in _spellings(world, each) if counted[name] == 1), each.credential or each.arn)
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
    same = Counter((each.kind, each.account, each.name) for each in people)
    numbers: Counter[str] = Counter()
    called = {}
    for each in people:
        name = each.name
        if same[each.kind, each.account, each.name] > 1:
            numbers[name] += 1
            name = _with_key(each) if each.kind == "session" else f"{name}, number {numbers[name]}"
        account = f" ({world.account_name(each.account)})" if each.account and several else ""
        called[each] = f"{name} in account {each.account}" if each.kind == "outside" else f"{name}{account}"
    return called


def about(principal: Principal) -> str:
    """What kind of principal it is, in a few words."""
    return _WORDS[principal.kind]
