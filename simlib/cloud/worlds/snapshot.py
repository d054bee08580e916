"""A whole world as one document, and one document as a whole world."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from moto.core.base_backend import BackendDict

from simlib.cloud.clock import LAST_YEAR
from simlib.cloud.credentials.sessions import Session, Sessions
from simlib.cloud.storage.contents import Contents, aside
from simlib.cloud.storage.iam_entities import backend
from simlib.cloud.storage.organizations import members, organizations
from simlib.cloud.storage.store import Store
from simlib.cloud.worlds import dump, file, organization, sessions
from simlib.cloud.worlds.dump import Remark
from simlib.cloud.worlds.identities import CREDENTIALS, DUMP
from simlib.cloud.worlds.resources import RESOURCES
from simlib.cloud.worlds.sections import Section
from simlib.cloud.worlds.shape import ACCOUNT_ID, DATE, TEXT, Form, WorldFileError, json_of, values_of


def _read_clock(value: Any) -> datetime:
    moment: datetime = DATE.read(value)
    if moment.year > LAST_YEAR:
        raise ValueError(f"is too far: the lab's time ends with the year {LAST_YEAR}")
    return moment


MARK, VERSION = "IamLabWorld", 1
SECTIONS = (*DUMP, *CREDENTIALS, *RESOURCES)
_ACCOUNT = {
    "Id": ACCOUNT_ID,
    "Name?": TEXT,
    "AccountAlias?": TEXT,
    **{member: shape for section in SECTIONS for member, shape in section.member.items()},
}
_WORLD = {
    MARK: Form(lambda value: value),
    "Clock": Form(_read_clock, DATE.write),
    "SourceIp?": TEXT,
    "Accounts": [_ACCOUNT],
    "Organizations?": [organization.SHAPE],
    "Sessions?": [sessions.SESSION],
    "IdentityProviders?": [sessions.ISSUER],
}


@dataclass(slots=True)
class Loaded:
    """What a document says, made: moto's part is in `contents`, the rest is for the world to take."""

    clock: datetime | None
    source_ip: str | None
    accounts: dict[str, str]
    sessions: list[Session]
    issuers: list[Mapping[str, Any]]
    contents: Contents = field(default_factory=Contents)


# -- saving ------------------------------------------------------------------------------------------------------------


def document_of(ids: Mapping[str, str], clock: datetime, source_ip: str, sessions_: Sessions) -> dict[str, Any]:
    """The document of the world that is open; `ids` are its accounts' IDs by name."""
    names: dict[str, str | None] = {account: name for name, account in ids.items()}
    names = {**dict.fromkeys(members()), **names}
    parts = {
        "Organizations": (organization.SHAPE, organizations()),
        "Sessions": (sessions.SESSION, sessions_),
        "IdentityProviders": (sessions.ISSUER, sessions_.issuers.values()),
    }
    return {
        MARK: VERSION,
        "Clock": DATE.write(clock),
        "SourceIp": source_ip,
        "Accounts": [_account(account, name) for account, name in names.items()],
        **{name: entries for name, (shape, things) in parts.items() if (entries := json_of([shape], things))},
    }


def _account(account: str, name: str | None) -> dict[str, Any]:
    alias = next(iter(backend(account).account_aliases), None)
    entry = {"Id": account, "Name": name, "AccountAlias": alias}
    entry |= {section.name: section.json(account) for section in SECTIONS}
    return {member: value for member, value in entry.items() if value not in (None, [])}


def left_out(accounts: Iterable[str]) -> list[str]:
    """Services that have been used in these accounts and that a document does not tell of."""
    ours, written = set(accounts), {section.service for section in SECTIONS} | {"organizations", "sts"}
    used = {
        each.service_name for each in BackendDict._instances for account in each if account in ours and each[account]
    }
    return sorted(used - written)


# -- loading -----------------------------------------------------------------------------------------------------------


def read(*sources: str | os.PathLike[str]) -> tuple[dict[str, Any], tuple[Remark, ...]]:
    """The values of a world's file, or of files of somebody's own account, and what of these was not read.

    Raises `WorldFileError`.
    """
    first, remarks = str(sources[0]), tuple[Remark, ...]()
    if len(sources) > 1 or (not first.lower().startswith(("http://", "https://")) and Path(first).is_dir()):
        document, remarks = dump.read(*sources)
    else:
        content = file.content(sources[0])
        document = file.parsed(content)
        if not isinstance(document, dict) or MARK not in document:
            document, remarks = dump.read_content(content, first)
    version = document[MARK]
    if version != VERSION or isinstance(version, bool):
        raise WorldFileError(
            f"This world was written by another version of the lab ({MARK} is {version!r}, this lab reads {VERSION}). "
            "Update the lab, or save the world anew."
        )
    values: dict[str, Any] = values_of(_WORLD, document, "")
    return values, remarks


def restored(values: Mapping[str, Any], store: Store) -> Loaded:
    """Make what `values` describe; whatever moto kept before is put aside, and comes back. Raises `WorldFileError`."""
    with aside() as take_out:
        try:
            loaded = _restored(values, store)
        except WorldFileError:
            raise
        except Exception as error:  # moto has an error of its own for each thing it does not take
            raise WorldFileError(f"This world cannot be made: {type(error).__name__}: {error}") from error
        loaded.contents = take_out()
    return loaded


def _restored(values: Mapping[str, Any], store: Store) -> Loaded:
    accounts: dict[str, str] = {}
    seen: set[tuple[str, ...]] = set()
    for index, account in enumerate(values["Accounts"]):
        place = f"Accounts[{index}]"
        if account["Id"] in store.accounts() or account.get("Name") in accounts:
            raise WorldFileError(f"{place}: there is another account of this ID or name.")
        backend(account["Id"]).account_aliases = [alias for alias in [account.get("AccountAlias")] if alias]
        for section in SECTIONS:
            _restore_section(section, account, f"{place}.", seen)
        if "Name" in account:
            accounts[account["Name"]] = account["Id"]
    for index, entry in enumerate(values.get("Organizations", ())):
        organization.restore(entry, f"Organizations[{index}]")
    keys: dict[str, Session] = {}
    for index, entry in enumerate(values.get("Sessions", ())):
        if entry["AccessKeyId"] in keys:
            raise WorldFileError(f"Sessions[{index}].AccessKeyId: there is another session {entry['AccessKeyId']}.")
        keys[entry["AccessKeyId"]] = sessions.restored(entry)
    issuers = values.get("IdentityProviders", [])
    for entry in issuers:
        sessions.restored_issuer(entry, lambda: values["Clock"])  # to see that it can be done
    return Loaded(values.get("Clock"), values.get("SourceIp"), accounts, list(keys.values()), issuers)


def _restore_section(section: Section, account: Mapping[str, Any], place: str, seen: set[tuple[str, ...]]) -> None:
    if section.single:
        entries = {f"{place}{section.name}": account[section.name]} if section.name in account else {}
    else:
        entries = {f"{place}{section.name}[{n}]": entry for n, entry in enumerate(account.get(section.name, ()))}
    for where, entry in entries.items():
        for member in section.unique:
            scope = "" if section.everywhere else f"{account['Id']} {entry.get('Region')}"
            if (key := (section.name, member, scope, entry[member])) in seen:
                raise WorldFileError(f"{where}.{member}: there is another {entry[member]}.")
            seen.add(key)
        try:
            section.restore(account["Id"], entry)
        except WorldFileError as error:
            raise WorldFileError(f"{where}: {error}") from None
        except Exception as error:
            raise WorldFileError(f"{where} cannot be made: {type(error).__name__}: {error}") from error
