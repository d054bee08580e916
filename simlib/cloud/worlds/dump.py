"""Files of somebody's own account, as the AWS CLI and other tools print them, read as a world.

Identities come from `get-account-authorization-details`: whole, in pages, several accounts, JSON or YAML, with IDs and
dates of any form. Beside them may lie what `organizations describe-organization`, `list-roots`, `list-accounts`,
`list-organizational-units-for-parent`, `describe-policy`, `list-targets-for-policy` and `list-policies-for-target`
print, the policies of buckets, keys, queues, topics and secrets, and the folders that iam-collect writes. Where an
answer does not name what it was asked for, its file does: `ou-ab12-cd34.json`, `my-bucket.json`. `list-roles`
and `get-user` show identities without their policies.

What cannot be read is a `Remark`; the rest is kept. Nothing is written, and nothing leaves the machine.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simlib.cloud.storage.stored import as_list
from simlib.cloud.worlds import dump_organization, dump_resources, file
from simlib.cloud.worlds.dump_identities import KINDS, Identities, owner
from simlib.cloud.worlds.dump_organization import OrganizationParts
from simlib.cloud.worlds.dump_resources import resource
from simlib.cloud.worlds.remarks import Notes, Remark
from simlib.cloud.worlds.shape import WorldFileError

__all__ = ["Remark", "load", "load_content"]

SUFFIXES = (".json", ".jsonl", ".yaml", ".yml", ".txt")
#: What `list-roles`, `get-role` and their like call what the details list; a list alone is known by its entries' names.
LISTED = {name: shape for shape, table in KINDS.items() if table != "Policy" for name in (table, f"{table}s")}
#: Members by which a value can be recognised.
SHAPES = (*KINDS, *LISTED, *dump_organization.LISTS, *dump_resources.SHAPES)
_FOREIGN = re.compile(r'"?Arn"?:\s*"?arn:(aws-[a-z-]+):iam::\d{12}:(?:user|role|group|policy)/', re.IGNORECASE)


def load(*sources: str | os.PathLike[str]) -> tuple[dict[str, Any], tuple[Remark, ...]]:
    """The values of a world (`snapshot` makes it) from files and folders, and what in them was not read.

    Raises `WorldFileError` where nothing in them can be read.
    """
    reader = _Reader()
    for source in map(Path, sources):
        within = sorted(each for each in source.rglob("*") if each.is_file() and each.suffix.lower() in SUFFIXES)
        for path in within if source.is_dir() else [source]:
            reader.notes.file = path.as_posix()
            try:
                reader.take(reader.values(file.content(path)))
            except (WorldFileError, RecursionError) as error:
                reader.notes.remark("", str(error))
    return reader.whole(*map(str, sources)), reader.notes.all()


def load_content(content: bytes, name: str) -> tuple[dict[str, Any], tuple[Remark, ...]]:
    """The same of what lies in one file; of a world that the lab has saved its document, as it stands."""
    reader = _Reader()
    reader.notes.file = name
    values = reader.values(content)
    match values:
        case [{"IamLabWorld": _}]:
            return values[0], ()
    try:
        reader.take(values)
    except RecursionError as error:
        reader.notes.remark("", str(error))
    return reader.whole(name), reader.notes.all()


class _Reader:
    """Hands every value to the reader that it is for."""

    def __init__(self) -> None:
        self.notes = Notes()
        self.identities, self.organization = Identities(self.notes), OrganizationParts(self.notes)
        self.policies: list[tuple[str, str, Mapping[str, Any]]] = []  # of resources: file, shape, answer

    def values(self, content: bytes) -> list[Any]:
        """What a file holds: one value or several, one after the other."""
        try:
            text = _decode(content)
            if "arn:aws-" in text and (partition := _FOREIGN.search(text)):
                self.notes.remark("", f"it is of the partition {partition[1]}, and was read as if it were aws")
                text = text.replace(f"arn:{partition[1]}:", "arn:aws:")
            return list(_parse(text, Path(self.notes.file).suffix.lower()))
        except (ValueError, RecursionError) as error:
            self.notes.remark("", f"it is neither JSON nor YAML ({error})".replace("\n", " "))
            return []

    def take(self, values: Iterable[Any]) -> None:
        for value in values:
            members = value if isinstance(value, dict) else {}
            shapes = [name for name in SHAPES if name in members]
            alone = [shape for name, shape in LISTED.items() if f"{name}Name" in members and "Arn" in members]
            inner = [each for each in members.values() if isinstance(each, dict | list)]
            if self.identities.collects(self.notes.file, Path(self.notes.file).stem, value):
                continue
            if isinstance(value, list):
                self.take(value)
            elif alone:
                self._take(alone[0], {alone[0]: value}, "")
            elif shapes and "IamLabWorld" not in value:
                for shape in shapes:
                    self._take(shape, value, Path(self.notes.file).stem)
                if value.get("IsTruncated") is True and value.get("Marker") is not None:
                    missing = "a page that says there are more: what follows is missing if no file has it"
                    self.notes.repairs[missing] += 1
            elif "Statement" in members and dump_resources.names_its_resource(members):
                self.policies.append((self.notes.file, "Policy", {"Policy": members}))
            elif inner and "Statement" not in members and "IamLabWorld" not in members:
                self.take(inner)
            else:
                policy = "it is a policy alone, without whoever has it: `python -m simlib check` reads policies"
                self.notes.remark(
                    "", policy if "Statement" in members else "it holds no answer of AWS that is read here"
                )
                return

    def _take(self, shape: str, value: Mapping[str, Any], stem: str) -> None:
        answer = value[shape]
        if shape in dump_organization.LISTS:
            self.organization.take(shape, answer, stem)
        elif shape == "Policy" and isinstance(answer, dict) and "PolicySummary" in answer:
            self.organization.take_control(answer)
        elif shape in dump_resources.SHAPES:
            self.policies.append((self.notes.file, shape, value))
        elif shape != "Policies" or not self.organization.lists_controls(answer, stem):
            account = owner(value)
            for index, entry in enumerate(as_list(answer)):
                self.identities.take(LISTED.get(shape, shape), entry, f"{shape}[{index}]", account)

    def whole(self, *names: str) -> dict[str, Any]:
        """All that was taken. Raises `WorldFileError`, with the names of the sources, where that is no account."""
        self.identities.take_collected()
        accounts, members = self.identities.accounts, self.organization.members
        for name, shape, value in self.policies:
            self.notes.file = name
            only = next(iter(accounts)) if len(accounts) == 1 else ""
            if found := resource(self.notes, shape, value, Path(name).stem, only):
                account, section, arn, entry = found
                self.identities.account(account).setdefault(section, {})[arn] = entry
        if not accounts and not members:
            what = "a world of the lab, nor what `aws iam get-account-authorization-details` prints"
            remark = self.notes.remarks[0] if self.notes.remarks else f"{' and '.join(names)} names no account"
            raise WorldFileError(f"Nothing here is {what}. {remark}.")
        for member in members:
            self.identities.account(member)
        entries = []
        for account in accounts:
            name = members.get(account, {}).get("Name") or ("main" if len(accounts) == 1 else f"account-{account}")
            entries.append(self.identities.whole(account, str(name)))
        return {"Clock": datetime.now(UTC), "Accounts": entries, "Organizations": self.organization.whole(accounts)}


def _decode(content: bytes) -> str:
    """Text in UTF-8, UTF-16 or UTF-32, with or without a mark, or of a Windows console; PowerShell writes UTF-16."""
    try:
        return content.decode(json.detect_encoding(content), "surrogatepass")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


_BEGIN = re.compile(r"(?:^|(?<=[}\]]))[\s,]*[{\[]", re.MULTILINE)  # of a value, on a line of its own or behind another


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not a number in JSON")


def _parse(text: str, suffix: str) -> Iterator[Any]:
    """The values of a text: JSON, one or several after each other, else YAML."""
    if not text.strip():
        raise ValueError("it is empty")
    begin = _BEGIN.search(text) if suffix not in (".yaml", ".yml") else None
    decoder = json.JSONDecoder(parse_constant=_no_number)
    if begin is None:
        import yaml  # late: awscli brings it

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, loader)):
                raise ValueError("it repeats parts by YAML's aliases, which make a file endless: write them out")
            yield from yaml.load_all(text, loader)
        except yaml.YAMLError as error:
            raise ValueError(str(error)) from None
        return
    while begin:  # a line of a terminal around it is passed by
        value, end = decoder.raw_decode(text, begin.end() - 1)
        yield value
        begin = _BEGIN.search(text, end)
