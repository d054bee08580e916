"""What a world's file may say, and where that is kept: JSON on one side, things in memory on the other.

`world.toml` has a table for each kind of thing; by it values are checked and read, things made and filled, and JSON
written.
"""

from __future__ import annotations

import base64
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache, reduce
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from botocore import xform_name

from simlib.cloud.clock import LAST_YEAR
from simlib.cloud.moto_names import PARTITION, keepers
from simlib.cloud.storage.stored import tag_map
from simlib.iam import Policy, PolicyError

_TABLES = tomllib.loads(Path(__file__).with_name("world.toml").read_text("utf-8"))
_ROW = re.compile(
    r"(?P<many>\[?)(?P<form>.+?)\]?(?P<flag>\?|!{0,2})(?: of (?P<service>\S+))?(?: (?P<how>at|in|by) (?P<place>\S+))?"
)
VIEWS: dict[str, Callable[[Any, Any], Any]] = {}  # what "by" names: of a backend of moto's and a thing in it


class WorldFileError(ValueError):
    """A file that is no world, or one that cannot be used; the text says where and what to do."""


class Form(NamedTuple):
    """How a value is written: what a complaint calls it, what makes it of JSON or raises, and what makes the JSON."""

    name: str
    read: Callable[[Any], Any]
    write: Callable[[Any], Any] = lambda value: value


class Member(NamedTuple):
    """A row of a table, as the first lines of `world.toml` explain it; `form` is the name of a form or a table."""

    name: str
    form: str
    many: str
    flag: str
    service: str
    how: str
    place: str

    @property
    def attribute(self) -> str:
        """Where the value is kept."""
        return self.place or xform_name(self.name)


@cache
def members(table: str) -> tuple[Member, ...]:
    """The rows of a table."""
    rows = ((name, _ROW.fullmatch(row)) for name, row in _TABLES[table].items())
    return tuple(Member(name, **row.groupdict("")) for name, row in rows if row)


def is_table(form: str) -> bool:
    return form in _TABLES


# -- forms -------------------------------------------------------------------------------------------------------------


def _of(kind: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise TypeError
        return value

    return read


def _matching(pattern: str, name: str) -> Form:
    def read(value: Any) -> Any:
        if not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError
        return value

    return Form(name, read)


def _aware(value: datetime) -> datetime:
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)  # moto's are in UTC and do not say so


def _dated(naive: bool = False, last: int = 9999, written: str = "%Y-%m-%dT%H:%M:%SZ") -> Form:
    """A date, in UTC; `naive` ones do not say so, as moto keeps dates."""

    def read(value: Any) -> datetime:
        moment = _aware(datetime.fromisoformat(value))
        if moment.year > last:
            raise WorldFileError(f": {_excerpt(value)} is too far: the lab's time ends with the year {last}.")
        return moment.replace(tzinfo=None) if naive else moment

    return Form('a date such as "2026-11-24T09:00:00Z"', read, lambda value: _aware(value).strftime(written))


def _read_bytes(value: Any) -> bytes:
    return base64.b64decode(value, validate=True)


def _write_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _write_content(value: bytes) -> Any:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"Base64": _write_bytes(value)}


def _read_context(value: Any) -> dict[str, str | list[str]]:
    for entry in value.values():
        for text in entry if isinstance(entry, list) else [entry]:
            _text(text)
    return dict(value)


class PolicyText(str):
    """The text of a document that has been read as a policy of the kind that its place wants."""


def _policy(kind: str) -> Form:
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
            raise WorldFileError(f": {_excerpt(value)} is not a policy that AWS accepts: {error}.") from None
        return text

    return Form("a policy", read, lambda text: text and json.loads(text))


def _pairs(table: str) -> Form:
    """A mapping, in the file a list of objects with two members: `[{"Key": "team", "Value": "a"}]`."""
    key, value = members(table)

    def read(entries: Any) -> dict[str, Any]:
        return {entry[key.name]: entry[value.name] for entry in _list_of(table, entries, "")}

    def write(mapping: Any) -> list[dict[str, Any]]:
        return [{key.name: name, value.name: _form(value.form).write(each)} for name, each in tag_map(mapping).items()]

    return Form("a list", read, write)


_text, _number, _truth, _object = _of(str), _of(int), _of(bool), _of(dict)
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
    "context": Form("an object of texts and lists of texts", _read_context, dict),
    "date": _dated(),
    "clock": _dated(last=LAST_YEAR),
    "naive date": _dated(naive=True),
    "instant": _dated(naive=True, written="%Y-%m-%dT%H:%M:%S.%fZ"),
    "base64": Form("text in Base64", _read_bytes, lambda value: _write_bytes(value) if value else None),
    "content": Form(
        'text or {"Base64": "…"}',
        lambda value: value.encode("utf-8") if isinstance(value, str) else _read_bytes(value["Base64"]),
        _write_content,
    ),
    **{f"{kind} policy": _policy(kind) for kind in ("identity", "trust", "resource", "scp", "rcp")},
    "bucket policy": Form("a policy", lambda value: _policy("resource").read(value).encode("utf-8"), json.loads),
    "session policy": Form("a policy", _policy("identity").read),
    "tags": _pairs("Tag"),
    "inline policies": _pairs("InlinePolicy"),
}


@cache
def _form(name: str) -> Form:
    if name in FORMS:
        return FORMS[name]
    if name in _TABLES["patterns"]:
        return _matching(*_TABLES["patterns"][name])
    words = name.split(" or ")
    return _matching("|".join(words), " or ".join(f'"{word}"' for word in words))


# -- from JSON ---------------------------------------------------------------------------------------------------------


def values_of(form: str, value: Any, place: str = "") -> Any:
    """The values of a document, each made by its form. Raises `WorldFileError` with the place, as in
    `Accounts[0].UserDetailList[2].CreateDate`, for what is wrong, missing, or no member."""
    if form in _TABLES:
        return _values_of_members(form, value, place)
    try:
        return _form(form).read(value)
    except WorldFileError as error:
        raise WorldFileError(f"{place}{error}") from None
    except (TypeError, ValueError, OverflowError, AttributeError, KeyError):
        raise WorldFileError(f"{place}: {_excerpt(value)} is not {_form(form).name}.") from None


def _list_of(form: str, value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise WorldFileError(f"{place}: {_excerpt(value)} is not a list.")
    return [values_of(form, item, f"{place}[{index}]") for index, item in enumerate(value)]


def _values_of_members(table: str, value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WorldFileError(f"{place or 'The file'}: {_excerpt(value)} is not an object.")
    rows, prefix = {member.name: member for member in members(table)}, f"{place}." if place else ""
    if unknown := next((name for name in value if name not in rows), None):
        near = get_close_matches(unknown, rows, 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise WorldFileError(f"{prefix}{unknown}: there is no such member.{hint}")
    values = {}
    for name, member in rows.items():
        if value.get(name) is not None:
            values[name] = (_list_of if member.many else values_of)(member.form, value[name], f"{prefix}{name}")
        elif member.flag != "?":
            raise WorldFileError(f"{prefix}{name} is missing.")
    return values


# -- things in memory --------------------------------------------------------------------------------------------------


def attributes(table: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a thing's own attributes keep, by these ("org.id"); parts with a table are their maker's."""
    return {
        member.attribute: values[member.name]
        for member in members(table)
        if member.name in values and member.how in ("", "at") and member.form not in _TABLES
    }


def fill(table: str, thing: Any, values: Mapping[str, Any]) -> Any:
    """Give a thing the values that its attributes keep. Raises `WorldFileError` where it works out another value."""
    for where, value in attributes(table, values).items():
        *path, attribute = where.split(".")
        owner = reduce(getattr, path, thing)
        own = getattr(type(owner), attribute, None)
        if not isinstance(own, property) or own.fset:
            setattr(owner, attribute, value)
        elif (right := getattr(owner, attribute)) != value:
            raise WorldFileError(f"{where}: {value} should be {right}, as account, path and name have it.")
    return thing


def make(cls: type, table: str, values: Mapping[str, Any], **more: Any) -> Any:
    """An object of a class of moto's with these values and nothing else; what is left out is None."""
    thing: Any = object.__new__(cls)
    kept = attributes(table, dict.fromkeys(member.name for member in members(table)))
    vars(thing).update({name: None for name in kept if not isinstance(getattr(cls, name, None), property)}, **more)
    return fill(table, thing, values)


def new(maker: Any, keeper: Any, table: str, values: Mapping[str, Any], **more: Any) -> Any:
    """What a class of moto's, or a method of its backend, makes of an entry.

    Arguments that are called like a member or like the place where its value is kept have that value, `more` come
    before them, and what has to be given and is not known is None.
    """
    known = {"account_id": keeper.account_id, "partition": PARTITION, "path": "/", "tags": tags(values)}
    known |= dict.fromkeys(("region", "region_name"), keeper.region_name)
    for member in members(table):
        if member.name in values and member.form not in ("tags", *_TABLES):
            known |= dict.fromkeys((member.attribute, xform_name(member.name)), values[member.name])
    known |= more
    parameters = _parameters(getattr(maker, "__func__", maker))
    return maker(**{name: known.get(name) for name, needed in parameters if needed or name in known})


@cache
def _parameters(maker: Any) -> tuple[tuple[str, bool], ...]:
    """The names of arguments, and whether they have to be given."""
    parameters = signature(maker).parameters.items()
    named = [(name, each) for name, each in parameters if name != "self" and each.kind is not each.VAR_KEYWORD]
    return tuple((name, each.default is each.empty) for name, each in named)


def tags(values: Mapping[str, Any]) -> list[dict[str, str]]:
    """The tags of an entry as moto takes them."""
    return [{"Key": name, "Value": text} for name, text in values.get("Tags", {}).items()]


# -- to JSON -----------------------------------------------------------------------------------------------------------


def json_of(table: str, thing: Any, keeper: Any = None) -> dict[str, Any]:
    """The JSON of a thing, as `values_of` reads it; members that are empty are left out where they may be.

    `keeper` is the backend of moto's that it is in.
    """
    written = ((member, _written(member, thing, keeper)) for member in members(table))
    return {
        member.name: value
        for member, value in written
        if value is not None and (value not in ([], {}) or member.flag != "?")
    }


def _written(member: Member, thing: Any, keeper: Any) -> Any:
    if member.service:
        here = member._replace(service="")
        parts = [_written(here, backend, backend) for backend in keepers(member.service, thing.id)]
        return [each for part in parts for each in part] if member.many else next(filter(None, parts), None)
    kept = VIEWS[member.place](keeper, thing) if member.how == "by" else _kept(thing, member)
    if kept is None:
        return None

    def write(value: Any) -> Any:
        return json_of(member.form, value, keeper) if member.form in _TABLES else _form(member.form).write(value)

    return [write(each) for each in kept] if member.many else write(kept)


def _kept(thing: Any, member: Member) -> Any:
    place = member.name if isinstance(thing, Mapping) and not member.place else member.attribute
    for step in place.split("."):
        if step.endswith("()"):
            thing = getattr(thing, step[:-2], tuple)()
        else:
            thing = thing.get(step) if isinstance(thing, Mapping) else getattr(thing, step, None)
    return thing


def _excerpt(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"
