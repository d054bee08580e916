"""Where a policy is stored, and the one call of AWS's API that puts a text there: the rows of `places.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from simlib.cloud.inspection import Place


class Call(NamedTuple):
    """A call of boto3: `client(service).operation(**parameters)`; `document` is the member that holds the text."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    document: str = ""
    region: str = ""

    def given(self, text: str) -> dict[str, Any]:
        """The parameters, the text among them."""
        outer, _, inner = self.document.partition(".")
        return {**self.parameters, **({outer: {inner: text} if inner else text} if outer else {})}


class Resource(NamedTuple):
    """A resource of Terraform's AWS provider: its type, the argument that holds the document, and the others."""

    type: str
    document: str
    arguments: Mapping[str, str]


@dataclass(frozen=True)
class Storage:
    """A place, and how its document gets there and away; `reason` says why it does not, and then there is no `call`."""

    place: Place
    call: Call | None = None
    remove: Call | None = None
    terraform: Resource | None = None
    account: str = ""  # whose administrator may do it; "" where the ARN does not tell
    stored_as: str | None = None
    reason: str = ""


@cache
def rows(table: str = "place") -> list[dict[str, Any]]:
    """The rows of a table of `places.toml`."""
    tables: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return tables[table]  # type: ignore[no-any-return]


def _fitting(place: Place, table: str) -> Iterator[tuple[dict[str, Any], re.Match[str]]]:
    for row in rows(table):
        match = re.fullmatch(row.get("owner", ".*"), place.owner)
        if match and place.kind in row.get("kinds", (place.kind,)):
            yield row, match


def writing(place: Place) -> Storage:
    """How the document of a place is written."""
    for row, match in _fitting(place, "place"):
        parts = {"arn": place.owner, "policy": place.name, "region": "", **match.groupdict()}
        parts |= {name.upper(): part.upper() for name, part in parts.items()}
        names, arguments = _filled(row["names"], parts), _filled(row["arguments"], parts)
        calls = {}
        for which in ("put", "remove"):
            service, operation, document = [*row.get(which, "").split(), "", "", ""][:3]
            calls[which] = Call(service, operation, names, document, parts["region"]) if service else None
        terraform = Resource(*row["terraform"].split(), arguments)
        return Storage(place, *calls.values(), terraform, parts.get("account", ""), row.get("stored_as"))
    row, _ = next(_fitting(place, "read_only"))
    return Storage(place, reason=row["reason"])


def _filled(names: Mapping[str, Any], parts: Mapping[str, str]) -> dict[str, Any]:
    return {name: value.format(**parts) if isinstance(value, str) else value for name, value in names.items()}


def title(place: Place) -> str:
    """What a document is called on a tab: "read-bucket", "trust policy of web-app", "policy of my-secure-bucket"."""
    owner = place.owner.rpartition(":")[2].rpartition("/")[2]
    kinds = {"trust": "trust policy of ", "resource": "policy of "}  # others are documents of their own
    return place.name or f"{kinds.get(place.kind, '')}{owner}"
