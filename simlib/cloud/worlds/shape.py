"""What a world's file may say, and where that is kept: JSON on one side, things in memory on the other.

A shape is a mapping of member names to shapes ("Name?" may be left out), a list of one shape, or a `Form`. A member is
kept in the attribute of the same name in Python's spelling (`CreateDate` in `create_date`), unless `At` says otherwise.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import reduce
from typing import Any, NamedTuple
from urllib.parse import unquote

from botocore import xform_name

from simlib.iam import Policy, PolicyError

Shape = Any


class WorldFileError(ValueError):
    """A file that is no world, or one that cannot be used; the text says where and what to do."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a value is written: `read` makes it of JSON (raising `ValueError` with what it is not), `write` the JSON."""

    read: Callable[[Any], Any]
    write: Callable[[Any], Any] = lambda value: value


class At(NamedTuple):
    """A member that is kept elsewhere: in an attribute ("org.id"), or looked up by `where(keeper, thing)`.

    What is looked up is only written; whoever makes the thing sees to it.
    """

    where: str | Callable[[Any, Any], Any]
    shape: Shape


def _typed(kind: type, name: str) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
            raise ValueError(f"is not {name}")
        return value

    return read


def matching(pattern: str, name: str) -> Form:
    """Text that matches; `name` is what a complaint calls it ("the name of a user")."""
    compiled = re.compile(pattern, re.ASCII)

    def read(value: Any) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise ValueError(f"is not {name}")
        return value

    return Form(read)


def one_of(*values: str) -> Form:
    return matching("|".join(values), " or ".join(f'"{value}"' for value in values))


def _read_date(value: Any) -> datetime:
    try:
        return _aware(datetime.fromisoformat(value))
    except (TypeError, ValueError, OverflowError):
        raise ValueError('is not a date such as "2026-11-24T09:00:00Z"') from None


def _aware(value: datetime) -> datetime:
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)  # moto's are in UTC and do not say so


def _read_naive_date(value: Any) -> datetime:
    return _read_date(value).replace(tzinfo=None)


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


class PolicyText(str):
    """The text of a document that has been read as a policy of the kind that its place wants."""


def document(kind: str) -> Form:
    """A policy document of a kind the engine knows, as text in Python and as an object in the file."""

    def read(value: Any) -> str:
        if isinstance(value, PolicyText):
            return value
        text = unquote(value) if isinstance(value, str) and value.startswith("%7B") else value
        try:
            if not isinstance(text, str):  # half a character stays escaped
                text = json.dumps(text, ensure_ascii=False).encode("utf-8", "backslashreplace").decode("utf-8")
            Policy.parse(text, kind)
        except PolicyError as error:
            raise ValueError(f"is not a policy that AWS accepts: {error}") from None
        return text

    return Form(read, json.loads)


def pairs(key: str, key_form: Form, value: str, value_form: Form) -> Form:
    """A mapping, in the file a list of objects with two members: `[{"Key": "team", "Value": "a"}]`."""
    shape = {key: key_form, value: value_form}

    def read(entries: Any) -> dict[str, Any]:
        return {entry[key]: entry[value] for entry in values_of([shape], entries, "")}

    def write(mapping: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [{key: name, value: value_form.write(content)} for name, content in mapping.items()]

    return Form(read, write)


TEXT = Form(_typed(str, "a text"))
NOTE = Form(TEXT.read, lambda value: value or None)  # a text that is as good as none when it is empty
NUMBER = Form(_typed(int, "a whole number"), int)
EPOCH = Form(lambda value: float(NUMBER.read(value)), int)  # seconds
TRUTH = Form(_typed(bool, "true or false"), bool)
FLAG = Form(TRUTH.read, lambda value: bool(value) or None)  # written where it is true
OBJECT = Form(_typed(dict, "an object"))
DATE = Form(_read_date, lambda value: f"{_aware(value):%Y-%m-%dT%H:%M:%SZ}")
NAIVE_DATE = Form(_read_naive_date, DATE.write)  # in UTC without saying so, as moto keeps dates
INSTANT = Form(_read_naive_date, lambda value: f"{_aware(value):%Y-%m-%dT%H:%M:%S.%fZ}")  # the order within a second
BYTES = Form(_read_bytes, lambda value: base64.b64encode(value).decode("ascii"))
CONTENT = Form(_read_content, _write_content)
TAGS = pairs("Key", TEXT, "Value", TEXT)
ACCOUNT_ID = matching(r"\d{12}", "the twelve digits of an account's ID")
ARN = matching(r"arn:aws:[\x21-\x7e]+", "an ARN")


# -- from JSON ---------------------------------------------------------------------------------------------------------


def values_of(shape: Shape, value: Any, place: str, *, strict: bool = True) -> Any:
    """The values of a document, each made by its form; members that the shape does not know are refused if `strict`.

    Raises `WorldFileError` with the place: `Accounts[0].UserDetailList[2].CreateDate`.
    """
    if isinstance(shape, At):
        shape = shape.shape
    if isinstance(shape, Form):
        try:
            return shape.read(value)
        except WorldFileError as error:
            raise WorldFileError(f"{place}{error}") from None
        except ValueError as error:
            raise WorldFileError(f"{place}: {_excerpt(value)} {error}.") from None
    if isinstance(shape, list):
        if not isinstance(value, list):
            raise WorldFileError(f"{place}: {_excerpt(value)} is not a list.")
        return [values_of(shape[0], item, f"{place}[{index}]", strict=strict) for index, item in enumerate(value)]
    return _values_of_members(shape, value, place, strict)


def _values_of_members(shape: Mapping[str, Shape], value: Any, place: str, strict: bool) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WorldFileError(f"{place or 'The file'}: {_excerpt(value)} is not an object.")
    known = {member.rstrip("?"): member for member in shape}
    for name in value if strict else ():
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise WorldFileError(f"{_joined(place, name)}: there is no such member.{hint}")
    values = {}
    for name, member in known.items():
        if value.get(name) is not None:
            values[name] = values_of(shape[member], value[name], _joined(place, name), strict=strict)
        elif member == name:
            raise WorldFileError(f"{_joined(place, name)} is missing.")
    return values


def fill(shape: Mapping[str, Shape], thing: Any, values: Mapping[str, Any]) -> Any:
    """Give a thing the values that its attributes keep; parts with a shape of their own are their maker's.

    Raises `WorldFileError` where the thing itself works out another value.
    """
    for member, inner in shape.items():
        name, (where, form) = member.rstrip("?"), _place(member, inner)
        if name not in values or not isinstance(where, str) or not isinstance(form, Form | list):
            continue
        if isinstance(form, list) and not isinstance(form[0], Form):
            continue
        *path, attribute = where.split(".")
        owner = reduce(getattr, path, thing)
        own = getattr(type(owner), attribute, None)
        if not isinstance(own, property) or own.fset:
            setattr(owner, attribute, values[name])
        elif getattr(owner, attribute) != values[name]:
            right = getattr(owner, attribute)
            raise WorldFileError(f"{name}: {values[name]} should be {right}, as account, path and name have it.")
    return thing


def make(cls: type, shape: Mapping[str, Shape], values: Mapping[str, Any], **more: Any) -> Any:
    """An object of a class of moto's with these values and nothing else; what is left out is None."""
    thing: Any = object.__new__(cls)
    for member, inner in shape.items():
        where, _ = _place(member, inner)
        if isinstance(where, str) and not isinstance(getattr(cls, where, None), property):
            setattr(thing, where, None)
    vars(thing).update(more)
    return fill(shape, thing, values)


# -- to JSON -----------------------------------------------------------------------------------------------------------


def json_of(shape: Shape, thing: Any, keeper: Any = None) -> Any:
    """The JSON of a thing, as `values_of` reads it; members that are empty are left out where they may be."""
    if isinstance(shape, Form):
        return shape.write(thing)
    if isinstance(shape, list):
        return [json_of(shape[0], each, keeper) for each in thing]
    members = {}
    for member, inner in shape.items():
        where, form = _place(member, inner, thing)
        value = where(keeper, thing) if callable(where) else _kept(thing, where)
        written = None if value is None else json_of(form, value, keeper)
        if written is not None and (written not in ([], {}) or not member.endswith("?")):
            members[member.rstrip("?")] = written
    return members


def _place(member: str, inner: Shape, thing: Any = None) -> tuple[str | Callable[[Any, Any], Any], Shape]:
    """Where a member is kept, and its shape."""
    if isinstance(inner, At):
        return inner.where, inner.shape
    name = member.rstrip("?")
    return (name if isinstance(thing, Mapping) else xform_name(name)), inner


def _kept(thing: Any, where: str) -> Any:
    if isinstance(thing, Mapping):
        return thing.get(where)
    for attribute in where.split("."):
        thing = getattr(thing, attribute, None)
    return thing


def _joined(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _excerpt(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"
