"""What a world's file may say: JSON on one side, the values Python works with on the other.

A shape is a mapping of member names to shapes ("Name?" may be left out), a list of one shape, or a `Kind`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any
from urllib.parse import unquote

from simlib.iam import Policy, PolicyError

Shape = Any


class WorldFileError(ValueError):
    """A file that is no world, or one that cannot be used; the text says where and what to do."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: `read` makes it of JSON (raising `ValueError` with what it is not), `write` makes JSON of it."""

    read: Callable[[Any], Any]
    write: Callable[[Any], Any] = lambda value: value


def _typed(kind: type, called: str) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
            raise ValueError(f"is not {called}")
        return value

    return read


def matching(pattern: str, called: str) -> Kind:
    """Text of a form; `called` is how a complaint names it ("the name of a user")."""
    form = re.compile(pattern, re.ASCII)

    def read(value: Any) -> str:
        if not isinstance(value, str) or not form.fullmatch(value):
            raise ValueError(f"is not {called}")
        return value

    return Kind(read)


def _read_date(value: Any) -> datetime:
    try:
        return _aware(datetime.fromisoformat(value))
    except (TypeError, ValueError, OverflowError):
        raise ValueError('is not a date such as "2026-11-24T09:00:00Z"') from None


def _write_date(value: datetime) -> str:
    return f"{_aware(value):%Y-%m-%dT%H:%M:%SZ}"


def _write_instant(value: datetime) -> str:
    return f"{_aware(value):%Y-%m-%dT%H:%M:%S.%fZ}"


def _aware(value: datetime) -> datetime:
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)  # moto's are in UTC and do not say so


def _read_bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError):
        raise ValueError("is not text in Base64") from None


def _read_content(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, dict) and set(value) == {"Base64"}:
        return _read_bytes(value["Base64"])
    raise ValueError('is neither text nor {"Base64": "…"}')


def _write_content(value: bytes) -> Any:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"Base64": base64.b64encode(value).decode("ascii")}


def document(kind: str) -> Kind:
    """A policy document of a kind the engine knows, as text in Python and as an object in the file."""

    def read(value: Any) -> str:
        text = unquote(value) if isinstance(value, str) and value.startswith("%7B") else value
        try:
            text = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
            Policy.parse(text, kind)
        except PolicyError as error:
            raise ValueError(f"is not a policy that AWS accepts: {error}") from None
        return text

    return Kind(read, json.loads)


def _read_tags(value: Any) -> dict[str, str]:
    pair = {"Key": TEXT, "Value": TEXT}
    return {tag["Key"]: tag["Value"] for tag in checked([pair], value, "")}


TEXT = Kind(_typed(str, "a text"))
NUMBER = Kind(_typed(int, "a whole number"))
TRUTH = Kind(_typed(bool, "true or false"))
OBJECT = Kind(_typed(dict, "an object"))
DATE = Kind(_read_date, _write_date)
INSTANT = Kind(_read_date, _write_instant)  # where the order within a second counts
BYTES = Kind(_read_bytes, lambda value: base64.b64encode(value).decode("ascii"))
CONTENT = Kind(_read_content, _write_content)
TAGS = Kind(_read_tags, lambda tags: [{"Key": key, "Value": value} for key, value in tags.items()])


def checked(shape: Shape, value: Any, place: str, *, strict: bool = True) -> Any:
    """The values a document holds, each made by its kind; members that the shape does not know are refused if `strict`.

    Raises `WorldFileError` with the place: `Accounts[0].UserDetailList[2].CreateDate`.
    """
    if isinstance(shape, Kind):
        try:
            return shape.read(value)
        except WorldFileError as error:
            raise WorldFileError(f"{place}{error}") from None
        except ValueError as error:
            raise WorldFileError(f"{place}: {_shown(value)} {error}.") from None
    if isinstance(shape, list):
        if not isinstance(value, list):
            raise WorldFileError(f"{place}: {_shown(value)} is not a list.")
        return [checked(shape[0], item, f"{place}[{index}]", strict=strict) for index, item in enumerate(value)]
    return _checked_members(shape, value, place, strict)


def _checked_members(shape: Mapping[str, Shape], value: Any, place: str, strict: bool) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WorldFileError(f"{place or 'The file'}: {_shown(value)} is not an object.")
    known = {name.rstrip("?"): name.endswith("?") for name in shape}
    for name in value if strict else ():
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise WorldFileError(f"{_joined(place, name)}: there is no such member.{hint}")
    made = {}
    for name, optional in known.items():
        if value.get(name) is not None:
            inner = shape[f"{name}?" if optional else name]
            made[name] = checked(inner, value[name], _joined(place, name), strict=strict)
        elif not optional:
            raise WorldFileError(f"{_joined(place, name)} is missing.")
    return made


def told(shape: Shape, value: Any) -> Any:
    """The JSON of values, as `checked` reads it; what is None is left out, and what is empty where it may be."""
    if isinstance(shape, Kind):
        return shape.write(value)
    if isinstance(shape, list):
        return [told(shape[0], item) for item in value]
    made = {}
    for member, inner in shape.items():
        name = member.rstrip("?")
        if value.get(name) not in ((None, [], {}) if member.endswith("?") else (None,)):
            made[name] = told(inner, value[name])
    return made


def _joined(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"
