"""A whole world as one document, and one document as a whole world."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from simlib.cloud import moto_names as moto
from simlib.cloud.credentials.sessions import Sessions
from simlib.cloud.storage import store
from simlib.cloud.storage.contents import Contents, emptied
from simlib.cloud.storage.iam_entities import backend
from simlib.cloud.storage.organizations import members, organizations
from simlib.cloud.storage.tables import open_keeper
from simlib.cloud.worlds import dump, file, identities, organization, resources, sessions, shape
from simlib.cloud.worlds.remarks import Remark
from simlib.cloud.worlds.shape import Member, WorldFileError, fill, json_of, values_of

MARK, VERSION = "IamLabWorld", 1
_SECTIONS = tuple(member for member in shape.members("Account") if member.service)
_MAKERS = {**identities.MAKERS, **resources.MAKERS}


# -- saving ------------------------------------------------------------------------------------------------------------


def document_of(ids: Mapping[str, str], clock: datetime, source_ip: str, sessions_: Sessions) -> dict[str, Any]:
    """The document of the world that is open; `ids` are its accounts' IDs by name."""
    names: dict[str, str | None] = {account: name for name, account in ids.items()}
    accounts = [
        SimpleNamespace(id=account, name=name, account_alias=next(iter(backend(account).account_aliases), None))
        for account, name in {**dict.fromkeys(members()), **names}.items()
    ]
    world = SimpleNamespace(
        iam_lab_world=VERSION,
        clock=clock,
        source_ip=source_ip,
        accounts=accounts,
        organizations=organizations(),
        sessions=sessions_,
        identity_providers=sessions_.issuers.values(),
    )
    return json_of("World", world)


def services_left_out(accounts: Iterable[str]) -> list[str]:
    """Services that have been used in these accounts and that a document does not tell of."""
    ours, documented = set(accounts), {section.service for section in _SECTIONS} | {"organizations", "sts"}
    services = {
        each.service_name
        for each in moto.BackendDict._instances
        for account in each
        if account in ours and each[account]
    }
    return sorted(services - documented)


# -- loading -----------------------------------------------------------------------------------------------------------


def load(*sources: str | os.PathLike[str]) -> tuple[dict[str, Any], tuple[Remark, ...]]:
    """The values of a world's file, or of files of somebody's own account, and what of these was not read.

    Raises `WorldFileError`.
    """
    first = str(sources[0])
    if len(sources) > 1 or (not first.lower().startswith(("http://", "https://")) and Path(first).is_dir()):
        return dump.load(*sources)
    document, remarks = dump.load_content(file.content(sources[0]), first)
    if MARK not in document:
        return document, remarks
    version = document[MARK]
    if version != VERSION or isinstance(version, bool):
        raise WorldFileError(
            f"This world was written by another version of the lab ({MARK} is {version!r}, this lab reads {VERSION}). "
            "Update the lab, or save the world anew."
        )
    return values_of("World", document), ()


def restore(values: Mapping[str, Any]) -> tuple[Contents, Sessions]:
    """Make what `values` describe, moto's part and the lab's; what moto kept before comes back.

    Raises `WorldFileError`.
    """
    with emptied() as take_out:
        try:
            sessions_ = _restore(values)
        except WorldFileError:
            raise
        except Exception as error:  # moto has an error of its own for each thing it does not take
            raise WorldFileError(f"This world cannot be made: {type(error).__name__}: {error}") from error
        return take_out(), sessions_


def _restore(values: Mapping[str, Any]) -> Sessions:
    names: set[str | None] = set()
    seen: set[tuple[str, ...]] = set()
    for index, account in enumerate(values["Accounts"]):
        place = f"Accounts[{index}]"
        if store.has(account["Id"]) or account.get("Name") in names:
            raise WorldFileError(f"{place}: there is another account of this ID or name.")
        names |= {account.get("Name")} - {None}
        backend(account["Id"]).account_aliases = [alias for alias in [account.get("AccountAlias")] if alias]
        for section, where, entry in _entries(account, place):
            _make(section, entry, account["Id"], where, seen)
    for index, entry in enumerate(values.get("Organizations", ())):
        organization.restore(entry, f"Organizations[{index}]")
    sessions_ = Sessions()
    for index, entry in enumerate(values.get("Sessions", ())):
        if sessions_.find(entry["AccessKeyId"]):
            raise WorldFileError(f"Sessions[{index}].AccessKeyId: there is another session {entry['AccessKeyId']}.")
        sessions_.keep(sessions.restore(entry))
    for entry in values.get("IdentityProviders", ()):
        issuer = sessions.restore_issuer(entry)
        sessions_.issuers[issuer.url] = issuer
    return sessions_


def _entries(account: Mapping[str, Any], place: str) -> Iterator[tuple[Member, str, Mapping[str, Any]]]:
    """What an account holds, section by section: the section, the place in the file, the values."""
    for section in _SECTIONS:
        where, value = f"{place}.{section.name}", account.get(section.name)
        if section.many:
            yield from ((section, f"{where}[{index}]", entry) for index, entry in enumerate(value or ()))
        elif value is not None:
            yield section, where, value


def _make(section: Member, entry: Mapping[str, Any], account: str, where: str, seen: set[tuple[str, ...]]) -> None:
    """Make one thing of an account; `seen` are the names that must not come twice. Raises `WorldFileError`."""
    region = entry.get("Region", "")
    for member in shape.members(section.form):
        if member.flag.startswith("!"):
            scope = "" if member.flag == "!!" else f"{account} {region}"
            if (key := (section.name, member.name, scope, entry[member.name])) in seen:
                raise WorldFileError(f"{where}.{member.name}: there is another {entry[member.name]}.")
            seen.add(key)
    try:
        fill(section.form, _MAKERS[section.name](open_keeper(section.service, account, region), entry), entry)
    except WorldFileError as error:
        raise WorldFileError(f"{where}: {error}") from None
    except Exception as error:
        raise WorldFileError(f"{where} cannot be made: {type(error).__name__}: {error}") from error
