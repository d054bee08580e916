"""The sections of an account in a world's file, and how each makes its things again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simlib.cloud.storage.resources import open_keeper
from simlib.cloud.worlds.shape import WorldFileError, fill, members

Maker = Callable[[Any, Mapping[str, Any]], Any]
MAKERS: dict[str, Maker] = {}  # by section; puts a thing into a backend of moto's and returns it
SECTIONS = tuple(member for member in members("Account") if member.service)


def makes(section: str) -> Callable[[Maker], Maker]:
    """This function makes the things of a section; what their attributes keep is set afterwards."""

    def note(maker: Maker) -> Maker:
        MAKERS[section] = maker
        return maker

    return note


def restore(account: Mapping[str, Any], place: str, seen: set[tuple[str, ...]]) -> None:
    """Make all that an account holds; `seen` are the names that must not come twice. Raises `WorldFileError`."""
    for name, table, service, where, entry in _entries(account, place):
        for member in members(table):
            if member.flag.startswith("!"):
                scope = "" if member.flag == "!!" else f"{account['Id']} {entry.get('Region')}"
                if (key := (name, member.name, scope, entry[member.name])) in seen:
                    raise WorldFileError(f"{where}.{member.name}: there is another {entry[member.name]}.")
                seen.add(key)
        try:
            fill(table, MAKERS[name](open_keeper(service, account["Id"], entry.get("Region", "")), entry), entry)
        except WorldFileError as error:
            raise WorldFileError(f"{where}: {error}") from None
        except Exception as error:
            raise WorldFileError(f"{where} cannot be made: {type(error).__name__}: {error}") from error


def _entries(account: Mapping[str, Any], place: str) -> Iterator[tuple[str, str, str, str, Mapping[str, Any]]]:
    for name, table, many, _, service, *_ in SECTIONS:
        if not many and name in account:
            yield name, table, service, f"{place}.{name}", account[name]
        for index, entry in enumerate(account.get(name, ()) if many else ()):
            yield name, table, service, f"{place}.{name}[{index}]", entry


def tags(entry: Mapping[str, Any], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """The tags of an entry as moto takes them."""
    return [{key: name, value: text} for name, text in entry.get("Tags", {}).items()]
