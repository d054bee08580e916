"""How a single value is written in a world's file, and how it is kept in memory: dates, names, bytes, policies, …"""

from __future__ import annotations

import base64
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from simlib.cloud.clock import LAST_YEAR
from simlib.iam import Policy, PolicyError

TABLES = tomllib.loads(Path(__file__).with_name("world.toml").read_text("utf-8"))


class Unfit(ValueError):
    """A value that its form does not take, with a reason of its own."""


class Form(NamedTuple):
    """How a value is written: what a complaint calls it, what makes it of JSON or raises, and what makes the JSON."""

    name: str
    parse: Callable[[Any], Any]
    serialize: Callable[[Any], Any] = lambda value: value


def _only(kind: type) -> Callable[[Any], Any]:
    def parse(value: Any) -> Any:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise TypeError
        return value

    return parse


def _matching(pattern: str, name: str) -> Form:
    def parse(value: Any) -> Any:
        if not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError
        return value

    return Form(name, parse)


def _aware(value: datetime) -> datetime:
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)  # moto's are in UTC and do not say so


def _date(naive: bool = False, last: int = 9999, style: str = "%Y-%m-%dT%H:%M:%SZ") -> Form:
    """A date in UTC, as text, as YAML's own, or in seconds or milliseconds; `naive` ones do not say so, as moto's."""

    def parse(value: Any) -> datetime:
        if isinstance(value, str):
            value = datetime.fromisoformat(value.strip())
        elif not isinstance(value, datetime):
            value = datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        if _aware(value).year > last:
            raise Unfit(f"is too far: the lab's time ends with the year {last}.")
        return _aware(value).replace(tzinfo=None) if naive else _aware(value)

    return Form('a date such as "2026-11-24T09:00:00Z"', parse, lambda value: _aware(value).strftime(style))


def _parse_bytes(value: Any) -> bytes:
    return base64.b64decode(value, validate=True)


def _serialize_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _serialize_content(value: bytes) -> Any:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"Base64": _serialize_bytes(value)}


def _parse_context(value: Any) -> dict[str, str | list[str]]:
    for entry in value.values():
        for text in entry if isinstance(entry, list) else [entry]:
            _text(text)
    return dict(value)


def _policy(kind: str) -> Form:
    """A policy document of a kind the engine knows, as text in Python and as an object in the file."""

    def parse(value: Any) -> str:
        text = unquote(value) if isinstance(value, str) and value.lstrip().startswith("%") else value
        try:
            Policy.parse(text, kind)
        except PolicyError as error:
            raise Unfit(f"is not a policy that AWS accepts: {error}.") from None
        if isinstance(text, str):
            return text
        # half a character stays escaped
        return json.dumps(text, ensure_ascii=False).encode("utf-8", "backslashreplace").decode("utf-8")

    return Form("a policy", parse, lambda text: text and json.loads(text))


_text, _number, _truth, _object = _only(str), _only(int), _only(bool), _only(dict)
FORMS: Mapping[str, Form] = {
    "anything": Form("anything", lambda value: value),
    "text": Form("a text", _text, str),
    "note": Form("a text", _text, lambda value: str(value) if value else None),  # one that may as well be empty
    "number": Form("a whole number", _number, int),
    "seconds": Form("a whole number", _number, lambda value: int(value) or None),
    "epoch": Form("a whole number", lambda value: float(_number(value)), int),  # seconds
    "truth": Form("true or false", _truth, bool),
    "flag": Form("true or false", _truth, lambda value: bool(value) or None),  # written where it is true
    "object": Form("an object", _object),
    "texts": Form("an object", _object, lambda mapping: {name: str(value) for name, value in mapping.items()}),
    "context": Form("an object of texts and lists of texts", _parse_context, dict),
    "date": _date(),
    "clock": _date(last=LAST_YEAR),
    "naive date": _date(naive=True),
    "instant": _date(naive=True, style="%Y-%m-%dT%H:%M:%S.%fZ"),
    "base64": Form("text in Base64", _parse_bytes, lambda value: _serialize_bytes(value) if value else None),
    "content": Form(
        'text or {"Base64": "…"}',
        lambda value: value.encode("utf-8") if isinstance(value, str) else _parse_bytes(value["Base64"]),
        _serialize_content,
    ),
    **{f"{kind} policy": _policy(kind) for kind in ("identity", "trust", "resource", "key", "scp", "rcp")},
    "bucket policy": Form("a policy", lambda value: _policy("resource").parse(value).encode("utf-8"), json.loads),
    "session policy": Form("a policy", _policy("identity").parse),
}


@cache
def form_of(name: str) -> Form:
    """A form by its name: one of these, a pattern of `world.toml`, or words to choose from."""
    if name in FORMS:
        return FORMS[name]
    if name in TABLES["patterns"]:
        return _matching(*TABLES["patterns"][name])
    words = name.split(" or ")
    return _matching("|".join(words), " or ".join(f'"{word}"' for word in words))
