"""What a world's file may say, and where that is kept: JSON on one side, things in memory on the other.

`world.toml` has a table for each kind of thing; by it values are checked and read, things made and filled, and JSON
written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache, partial, reduce
from inspect import isclass, signature
from typing import Any, NamedTuple

from botocore import xform_name

from simlib.cloud.moto_names import PARTITION, keepers
from simlib.cloud.storage.stored import tag_map
from simlib.cloud.worlds.forms import TABLES, Unfit, form_of
from simlib.cloud.worlds.remarks import Notes

_ROW = re.compile(
    r"(?P<many>\[?)(?P<form>.+?)\]?(?P<flag>\?|!{0,2})(?: of (?P<service>\S+))?(?: (?P<how>at|in|by) (?P<place>\S+))?"
)
# Mappings, in the file a list of objects with two members: `[{"Key": "team", "Value": "a"}]`
_PAIRS = {"tags": "Tag", "inline policies": "InlinePolicy"}
# Objects of which their ARN is enough, and may stand alone or under another name
_BY_ARN = {"AttachedPolicy": "PolicyArn", "Boundary": "PermissionsBoundaryArn"}
VIEWS: dict[str, Callable[[Any, Any], Any]] = {}  # what "by" names: of a backend of moto's and a thing in it


class WorldFileError(ValueError):
    """A file that is no world, or one that cannot be used; the text says where and what to do."""


class _Wrong(WorldFileError):
    """A value at a place that is wrong, or missing."""

    def __init__(self, place: str, reason: str, value: Any = None) -> None:
        text = "" if value is None else f": {json.dumps(value, ensure_ascii=False, default=str)}"
        excerpt = text if len(text) <= 62 else f"{text[:59]}…"
        super().__init__(f"{place}{excerpt} {reason}")
        self.place, self.reason = place, reason


class Member(NamedTuple):
    """A row of a table, as the first lines of `world.toml` explain it; `form` is the name of a form or a table.

    `attribute` is where the value is kept, `simple` whether it is one value and not a part with members of its own.
    """

    name: str
    form: str
    many: str
    flag: str
    service: str
    how: str
    place: str
    attribute: str
    simple: bool


@cache
def _rows(table: str) -> Mapping[str, Member]:
    rows = {}
    for name, text in TABLES[table].items():
        row = _ROW.fullmatch(text)
        assert row is not None, f"{table}.{name}"
        parts = row.groupdict("")
        rows[name] = Member(
            name, **parts, attribute=parts["place"] or xform_name(name), simple=row["form"] not in TABLES
        )
    return rows


@cache
def members(table: str) -> tuple[Member, ...]:
    """The rows of a table."""
    return tuple(_rows(table).values())


# -- from JSON ---------------------------------------------------------------------------------------------------------


def values_of(form: str, value: Any, place: str = "", notes: Notes | None = None) -> Any:
    """The values of a document, each made by its form or table.

    Raises `WorldFileError` with the place, as in `Accounts[0].UserDetailList[2].CreateDate`, for what is wrong, missing
    or no member. With `notes`, for a file that the lab has not written, what is wrong has a remark and is left out or
    replaced, and the error is raised for that of which nothing is left.
    """
    if form in TABLES:
        return _values_of_members(form, value, place, notes)
    if form in _PAIRS:
        return _mapping_of(form, value, place, notes)
    try:
        return form_of(form).parse(value)
    except Unfit as error:
        raise _Wrong(place, str(error), value) from None
    except (TypeError, ValueError, OverflowError, AttributeError, KeyError, OSError, RecursionError):
        raise _Wrong(place, f"is not {form_of(form).name}.", value) from None


def _list_of(form: str, value: Any, place: str, notes: Notes | None) -> list[Any]:
    if notes is None and not isinstance(value, list):
        raise _Wrong(place, "is not a list.", value)
    items = []
    for index, item in enumerate(value if isinstance(value, list) else [value]):
        try:
            items.append(values_of(form, item, f"{place}[{index}]", notes))
        except _Wrong as error:
            _leave_out(error, notes)
    return items


def _leave_out(error: _Wrong, notes: Notes | None) -> None:
    if notes is None:
        raise error
    notes.remark(error.place, error.reason)


def _mapping_of(form: str, value: Any, place: str, notes: Notes | None) -> dict[str, Any]:
    key, content = members(_PAIRS[form])
    if isinstance(value, dict):
        value = [{key.name: name, content.name: each} for name, each in value.items()]
    mapping: dict[str, Any] = {}
    for entry in _list_of(_PAIRS[form], value, place, notes):
        if entry[key.name] in mapping:
            _leave_out(_Wrong(place, f"has {entry[key.name]} twice."), notes)
        mapping[entry[key.name]] = entry[content.name]
    return mapping


def _values_of_members(table: str, value: Any, place: str, notes: Notes | None) -> dict[str, Any]:
    if notes and (arn := _BY_ARN.get(table)):
        value = {arn: arn_in(value)}
    if not isinstance(value, dict):
        raise _Wrong(place or "The file", "is not an object.", value)
    rows, prefix = _rows(table), f"{place}." if place else ""
    if unknown := next((name for name in value if name not in rows), None) if notes is None else None:
        near = get_close_matches(unknown, rows, 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise WorldFileError(f"{prefix}{unknown}: there is no such member.{hint}")
    values = {}
    for name, form, many, flag, *_ in members(table):
        item = value.get(name)
        try:
            if item is not None:
                values[name] = (_list_of if many else values_of)(form, item, f"{prefix}{name}", notes)
            elif flag != "?":
                raise _Wrong(f"{prefix}{name}", "is missing.")
        except _Wrong as error:
            if notes is None:
                raise
            if (instead := notes.instead(form, item, value)) is not None:
                values[name] = instead
            if instead is None and flag != "?":
                raise
            if instead is None or "policy" in form:
                notes.remark(error.place, error.reason)
    return values


def arn_in(value: Any) -> Any:
    """The ARN of an attached policy or a boundary, however it is written."""
    if not isinstance(value, dict):
        return value
    names = {str(name).lower(): each for name, each in value.items()}
    return names.get("policyarn") or names.get("permissionsboundaryarn") or names.get("arn")


# -- things in memory --------------------------------------------------------------------------------------------------


def attributes(table: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a thing's own attributes keep, by these ("org.id"); parts with a table are their maker's."""
    return {
        member.attribute: values[member.name]
        for member in members(table)
        if member.simple and member.name in values and member.how in ("", "at")
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
    names = attributes(table, dict.fromkeys(member.name for member in members(table)))
    vars(thing).update({name: None for name in names if not isinstance(getattr(cls, name, None), property)}, **more)
    return fill(table, thing, values)


def new(maker: Any, keeper: Any, table: str, values: Mapping[str, Any], **more: Any) -> Any:
    """What a class of moto's, or a method of its backend, makes of an entry.

    Arguments that are called like a member or like the place where its value is kept have that value, `more` come
    before them, and what has to be given and is not known is None.
    """
    known = {"account_id": keeper.account_id, "partition": PARTITION, "path": "/", "tags": tags(values)}
    known |= dict.fromkeys(("region", "region_name"), keeper.region_name)
    for member in members(table):
        if member.simple and member.name in values and member.form != "tags":
            known[member.attribute] = known[xform_name(member.name)] = values[member.name]
    known |= more
    parameters = _parameters(getattr(maker, "__func__", maker))
    return maker(**{name: known.get(name) for name, needed in parameters if needed or name in known})


@cache
def _parameters(maker: Any) -> tuple[tuple[str, bool], ...]:
    """The names of arguments, and whether they have to be given."""
    # a class's own signature is that of __new__ in Python 3.11.2, Debian's, where one is inherited
    parameters = signature(maker.__init__ if isclass(maker) else maker).parameters.items()
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
    pairs = ((member, _serialize(member, thing, keeper)) for member in members(table))
    return {
        member.name: value
        for member, value in pairs
        if value is not None and (value not in ([], {}) or member.flag != "?")
    }


def _serialize(member: Member, thing: Any, keeper: Any) -> Any:
    if member.service:
        here = member._replace(service="")
        parts = [_serialize(here, backend, backend) for backend in keepers(member.service, thing.id)]
        return [each for part in parts for each in part] if member.many else next(filter(None, parts), None)
    value = VIEWS[member.place](keeper, thing) if member.how == "by" else _value_in(thing, member)
    if value is None:
        return None
    if member.form in _PAIRS:
        names = members(_PAIRS[member.form])
        pairs = (zip(names, pair, strict=True) for pair in tag_map(value).items())
        return [{each.name: form_of(each.form).serialize(part) for each, part in pair} for pair in pairs]
    serialize = form_of(member.form).serialize if member.simple else partial(json_of, member.form, keeper=keeper)
    return [serialize(each) for each in value] if member.many else serialize(value)


def _value_in(thing: Any, member: Member) -> Any:
    place = member.name if not member.place and isinstance(thing, Mapping) else member.attribute
    for step in place.split("."):
        if step.endswith("()"):
            thing = getattr(thing, step[:-2], tuple)()
        else:
            thing = thing.get(step) if isinstance(thing, Mapping) else getattr(thing, step, None)
    return thing
