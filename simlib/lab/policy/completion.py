"""What could be written at a place of a policy that is not finished yet: elements, operators, keys, actions, names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from simlib.iam.conditions import OPERATORS
from simlib.iam.statement import DOCUMENT_ELEMENTS, KINDS, STATEMENT_ELEMENTS, VERSIONS

MOST = 60  # words are offered at once; typing on narrows them down
HERE = "of this world"

TRUST_ACTIONS = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity", "sts:SetSourceIdentity",
    "sts:TagSession")  # fmt: skip
SERVICES = ("ec2.amazonaws.com", "ecs-tasks.amazonaws.com", "events.amazonaws.com", "lambda.amazonaws.com",
    "s3.amazonaws.com", "states.amazonaws.com")  # fmt: skip

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*("?)|[{}\[\]:,]')
_ACCOUNT = re.compile(r"\d{12}")


@dataclass(frozen=True)
class Word:
    """A word to choose, and what it is."""

    text: str
    detail: str = ""


@dataclass(frozen=True)
class Completion:
    """Words for the text between two offsets. `before` and `after` are to be written around the chosen one."""

    start: int
    end: int
    words: tuple[Word, ...] = ()
    before: str = ""
    after: str = ""


@dataclass
class _Open:
    """A bracket that is open at the place, and how far one has read in it."""

    bracket: str
    names: list[str]
    named: bool = False  # a colon has come: the next is the value


def complete(
    text: str,
    offset: int,
    kind: str,
    *,
    principals: Iterable[str] = (),
    resources: Iterable[str] = (),
    explicit: bool = True,
) -> Completion:
    """The words that fit at this offset, best first; none where only the learner can know.

    While one types (`explicit` is False), a word that is already complete is not offered again.
    """
    brackets, start = _walk(text, offset)
    if not brackets or not 0 <= offset <= len(text) or (start is None and not explicit):
        return Completion(offset, offset)
    typed = text[offset if start is None else start + 1 : offset]
    is_name = brackets[-1].bracket == "{" and not brackets[-1].named
    path = [level.names[-1] if level.names else "" for level in brackets if level.bracket == "{" and level.named]
    if is_name:
        candidates = [word for word in _names(path, kind, text) if word.text not in brackets[-1].names]
    else:
        candidates = list(_values(path, kind, typed, [*principals], [*resources]))
    words = fitting(candidates, typed)
    if not explicit and [word.text for word in words] == [typed]:
        return Completion(offset, offset)
    tail = re.compile(r'[^"\\\n{}\[\],]*"|').match(text, offset) if start is not None else None
    end = tail.end() if tail else offset
    colon = ": " if is_name and not text[end:].lstrip(" \t\n").startswith(":") else ""
    before, begin = ("", start + 1) if start is not None else ('"', offset)
    return Completion(begin, end, tuple(words), before, f'"{colon}')


def _walk(text: str, offset: int) -> tuple[list[_Open], int | None]:
    """The brackets open at an offset, and where the string begins that the offset is in, if it is in one."""
    brackets: list[_Open] = []
    for token in _TOKEN.finditer(text):
        if token.start() >= offset:
            break
        sign, top = token[0], brackets[-1] if brackets else None
        if sign[0] == '"':
            if offset < token.end() or (offset == token.end() and not token[1]):
                return brackets, token.start()
            if top and top.bracket == "{" and not top.named:
                top.names.append(sign[1:-1])
        elif sign in "{[":
            brackets.append(_Open(sign, []))
        elif top and sign in "}]":
            brackets.pop()
        elif top:
            top.named = sign == ":"
    return brackets, None


def _names(path: list[str], kind: str, text: str) -> Iterator[Word]:
    """What an object at `path` can hold."""
    rules = KINDS[kind]
    match path:
        case []:
            named = "Principal" in rules.elements
            yield from (Word(name, "of the document") for name in DOCUMENT_ELEMENTS if name != "Id" or named)
        case ["Statement"]:
            yield from (Word(name, "of a statement") for name in STATEMENT_ELEMENTS if name in rules.elements)
        case ["Statement", "Principal" | "NotPrincipal" as name] if name in rules.elements:
            yield from (Word(name, "who") for name in ("AWS", "Service", "Federated", "CanonicalUser"))
        case ["Statement", "Condition"]:
            if_exists = [f"{name}IfExists" for name in OPERATORS if name != "Null"]
            sets = [
                f"{each}:{name}" for each in ("ForAnyValue", "ForAllValues") for name in OPERATORS if "String" in name
            ]
            yield from (Word(name, "operator") for name in (*OPERATORS, *if_exists, *sets))
        case ["Statement", "Condition", _]:
            yield from (Word(key, type_) for key, type_ in _keys(text, kind).items())


def _keys(text: str, kind: str) -> dict[str, str]:
    """The condition keys of AWS as a whole and of the services this text speaks of."""
    from simlib.iam.service_data import condition_keys  # late: who does not ask for words does not need it

    services = {name.lower() for name in re.findall(r'"([a-zA-Z0-9-]+):', text)} | (
        {"sts"} if kind == "trust" else set()
    )
    keys = dict(condition_keys("aws") or {})
    for service in sorted(services - {"aws", "arn", "https"}):
        keys |= condition_keys(service) or {}
    return {key.replace("*", ""): type_ for key, type_ in keys.items()}


def _values(path: list[str], kind: str, typed: str, principals: list[str], resources: list[str]) -> Iterator[Word]:
    """What can be the value at `path`, or an item of a list there."""
    match path:
        case ["Version"]:
            yield from (Word(version, "version of the policy language") for version in VERSIONS)
        case ["Statement", "Effect"]:
            yield from (Word("Allow"), Word("Deny"))
        case ["Statement", "Action" | "NotAction"]:
            yield from (Word(action) for action in TRUST_ACTIONS) if kind == "trust" else actions(typed)
        case ["Statement", "Resource" | "NotResource"]:
            yield from (*(Word(resource, HERE) for resource in resources), Word("*", "every resource"))
        case ["Statement", "Principal" | "NotPrincipal"]:
            yield Word("*", "everybody")
        case ["Statement", "Principal" | "NotPrincipal", family]:
            yield from _principals(family, principals)
        case ["Statement", "Condition", operator, key]:
            yield from _compared(operator, key, principals)


def actions(typed: str) -> list[Word]:
    """Services, and once one is named its actions; from the data about AWS's services."""
    from simlib.iam.service_data import service, services  # late, as above

    prefix, colon, _ = typed.partition(":")
    if not colon:
        return [*(Word(f"{name}:", "service") for name in sorted(services())), Word("*", "every action")]
    data = service(prefix.lower())
    if data is None:
        return []
    acts = [Word(f"{prefix}:{action.name}", _acted_on(action.resource_types)) for action in data.actions.values()]
    acts.sort(key=lambda word: (len(word.text), word.text))  # a short name is mostly the plain one: GetObject
    return [*acts, Word(f"{prefix}:*", f"every action of {data.name}")]


def _acted_on(types: tuple[str, ...]) -> str:
    return f"on {', '.join(types[:3])}{', …' if len(types) > 3 else ''}" if types else "on *"


def _principals(family: str, principals: list[str]) -> Iterator[Word]:
    services = [name for name in principals if name.endswith(".amazonaws.com")]
    providers = [name for name in principals if ":oidc-provider/" in name or ":saml-provider/" in name]
    match family:
        case "Service":
            yield from (Word(name, "service") for name in dict.fromkeys([*services, *SERVICES]))
        case "Federated":
            yield from (Word(name, "identity provider") for name in providers)
        case "AWS":
            others = [name for name in principals if name not in services and name not in providers]
            accounts = [f"arn:aws:iam::{number}:root" for number in _accounts(principals)]
            yield from (Word(name, HERE) for name in others)
            yield from (Word(name, "the account") for name in accounts if name not in others)
            yield Word("*", "everybody")


def _compared(operator: str, key: str, principals: list[str]) -> Iterator[Word]:
    from simlib.iam.service_data import key_type

    if operator.startswith(("Bool", "Null")):
        yield from (Word("true"), Word("false"))
    elif key.lower().endswith("account"):
        yield from (Word(number, "account") for number in _accounts(principals))
    elif key_type(key) == "ARN":
        yield from (Word(name, HERE) for name in principals if name.startswith("arn:"))


def _accounts(principals: list[str]) -> list[str]:
    return sorted({number for name in principals for number in _ACCOUNT.findall(name)[:1]})


def fitting(words: list[Word], typed: str) -> list[Word]:
    """The words that begin with what is typed, then those that contain it; letters count alike, large or small."""
    needle = typed.casefold()
    ranked = [(word.text.casefold().find(needle), word) for word in words]
    return [*(word for at, word in ranked if at == 0), *(word for at, word in ranked if at > 0)][:MOST]
