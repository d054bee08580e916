"""Whom a lesson's page means: "alice", "prod/reports-reader", an ARN, an identity that is signed in, a token."""

from __future__ import annotations

from collections.abc import Iterable
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


def find(world: Any, who: Any) -> Principal:
    """The principal that `who` means: a `Principal`, an `Identity`, a name as `title` shows it, an ARN, a token.

    A name alone is enough where nobody else has it; "dev/alice" says the account too. Raises `LookupError` with the
    names that come near.
    """
    if isinstance(who, Principal):
        return who
    if key := getattr(who, "access_key_id", None):
        return world.inspect.principal(str(key))  # type: ignore[no-any-return]
    text = str(who)
    people: list[Principal] = world.inspect.principals()
    named = [each for each in people if text in names(world, each)]
    if len(named) == 1:
        return named[0]
    if len(named) > 1:
        full = ", ".join(each.arn for each in named[:6])
        raise LookupError(f"{text!r} could be any of {full}. Say which: by ARN, or with the account in front.")
    try:
        return world.inspect.principal(text)  # type: ignore[no-any-return]
    except LookupError:
        known = ", ".join(each.name for each in people if each.kind in ("user", "role"))
        raise LookupError(f"There is nobody here called {text[:200]!r}. There are: {known}.") from None


def names(world: Any, principal: Principal) -> set[str]:
    """Everything somebody may be called by."""
    account = world.account_name(principal.account) if principal.account else ""
    return {principal.arn, principal.credential, principal.name, f"{account}/{principal.name}"} - {""}


def title(world: Any, principal: Principal, *, among: Iterable[Principal] = ()) -> str:
    """ "alice", or "alice (dev)" where the account has to be told: several are mentioned `among` others."""
    if principal.kind == "outside":
        return f"{principal.name} of account {principal.account}"
    accounts = {each.account for each in among if each.account}
    account = f" ({world.account_name(principal.account)})" if principal.account and len(accounts) > 1 else ""
    return f"{principal.name}{account}"


def about(principal: Principal) -> str:
    """What kind of principal it is, in a few words."""
    return _WORDS[principal.kind]
