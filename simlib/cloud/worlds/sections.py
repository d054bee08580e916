"""A section of an account in a world's file: one row says what it lists, where moto keeps it, and how it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simlib.cloud.storage.resources import keepers, open_keeper
from simlib.cloud.worlds.shape import Shape, fill, json_of


@dataclass(frozen=True, slots=True)
class Section:
    """A kind of thing that an account holds; `service` is as ARNs name it.

    `kept` yields the things in one of the service's backends, `make` puts one there and returns it; what its
    attributes keep is set afterwards. No two of an account (or of the world, for `everywhere`) share what the members
    `unique` say. A `single` section is one thing, not a list.
    """

    name: str
    service: str
    shape: Mapping[str, Shape]
    kept: Callable[[Any], Iterable[Any]]
    make: Callable[[Any, Mapping[str, Any]], Any]
    unique: tuple[str, ...] = ()
    everywhere: bool = False
    single: bool = False

    @property
    def member(self) -> dict[str, Shape]:
        """The section as a member of an account's shape."""
        return {f"{self.name}?": self.shape if self.single else [self.shape]}

    def json(self, account: str) -> Any:
        backends = keepers(self.service, account)
        entries = [json_of(self.shape, thing, keeper) for keeper in backends for thing in self.kept(keeper)]
        return next(iter(entries), None) if self.single else entries

    def restore(self, account: str, entry: Mapping[str, Any]) -> None:
        thing = self.make(open_keeper(self.service, account, entry.get("Region", "")), entry)
        fill(self.shape, thing, entry)


def tags(entry: Mapping[str, Any], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """The tags of an entry as moto takes them."""
    return [{key: name, value: text} for name, text in entry.get("Tags", {}).items()]
