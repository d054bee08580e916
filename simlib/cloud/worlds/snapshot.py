"""A whole world as one document, and one document as a whole world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core.base_backend import BackendDict

from simlib.cloud.credentials.sessions import Session, Sessions
from simlib.cloud.storage.contents import Contents, aside
from simlib.cloud.storage.iam_entities import backend
from simlib.cloud.storage.store import Store
from simlib.cloud.worlds import buckets, credentials, identities, machines, organization, sessions
from simlib.cloud.worlds.services import SERVICES
from simlib.cloud.worlds.shape import DATE, TEXT, Kind, WorldFileError, checked, matching, told

MARK, VERSION = "IamLabWorld", 1
_ACCOUNT = {
    "Id": matching(r"\d{12}", "the twelve digits of an account's ID"),
    "Name?": TEXT,
    **identities.SHAPE,
    **credentials.SHAPE,
    "PublicAccessBlock?": buckets.PUBLIC_ACCESS,
    "Buckets?": [buckets.SHAPE],
    **{f"{service.section}?": [service.shape] for service in SERVICES},
    "Instances?": [machines.SHAPE],
}
WORLD = {
    MARK: Kind(lambda value: value),
    "Clock": DATE,
    "SourceIp?": TEXT,
    "Accounts": [_ACCOUNT],
    "Organizations?": [organization.SHAPE],
    "Sessions?": [sessions.SHAPE],
    "IdentityProviders?": [sessions.ISSUER],
}
_KEPT = {"iam", "s3", "s3control", "organizations", "ec2", *(service.module for service in SERVICES), "lambda", "sts"}


@dataclass(slots=True)
class Loaded:
    """What a document says, made: moto's part is in `contents`, the rest is for the world to take."""

    clock: datetime | None
    source_ip: str | None
    accounts: dict[str, str]
    sessions: list[Session]
    issuers: list[Mapping[str, Any]]
    contents: Contents = field(default_factory=Contents)


# -- telling -----------------------------------------------------------------------------------------------------------


def document_of(named: Mapping[str, str], clock: datetime, source_ip: str, held: Sessions) -> dict[str, Any]:
    """The document of the world that is open; `named` are its accounts' IDs by name."""
    names = {account: name for name, account in named.items()}
    members = [account for account in organization.members() if account not in names]
    world = {
        MARK: VERSION,
        "Clock": clock,
        "SourceIp": source_ip,
        "Accounts": [_of_account(account, names.get(account)) for account in (*names, *members)],
        "Organizations": list(organization.details()),
        "Sessions": sessions.details(held),
        "IdentityProviders": sessions.issuer_details(held.issuers),
    }
    document: dict[str, Any] = told(WORLD, world)
    return document


def _of_account(account: str, name: str | None) -> dict[str, Any]:
    return {
        "Id": account,
        "Name": name,
        **identities.details(account),
        **credentials.details(account),
        "PublicAccessBlock": buckets.public_access(_account_block(account)),
        "Buckets": buckets.details(account),
        **{service.section: service.details(account) for service in SERVICES},
        "Instances": machines.details(account),
    }


def _account_block(account: str) -> Any:
    import sys

    backends = getattr(sys.modules.get("moto.s3control.models"), "s3control_backends", {})
    return backends[account]["aws"].public_access_block if account in backends else None


def left_out(accounts: Iterator[str] | list[str]) -> list[str]:
    """Services that have been used in these accounts and that a document does not tell of."""
    wanted = set(accounts)
    used = {b.service_name for b in BackendDict._instances for account in b if account in wanted and b[account]}
    return sorted(used - _KEPT)


# -- making ------------------------------------------------------------------------------------------------------------


def read(document: Any) -> dict[str, Any]:
    """The values of a parsed document, which may also be a dump of one account. Raises `WorldFileError`."""
    if not isinstance(document, dict) or MARK not in document:
        if isinstance(document, dict) and any(name.rstrip("?") in document for name in identities.SHAPE):
            return _of_dump(document)
        raise WorldFileError(
            "This file is not a world of the lab, nor what `aws iam get-account-authorization-details` prints."
        )
    version = document[MARK]
    if version != VERSION or isinstance(version, bool):
        raise WorldFileError(
            f"This world was written by another version of the lab ({MARK} is {version!r}, this lab reads {VERSION}). "
            "Update the lab, or save the world anew."
        )
    values: dict[str, Any] = checked(WORLD, document, "")
    return values


def _of_dump(document: Mapping[str, Any]) -> dict[str, Any]:
    """A dump of an account as a world of that account alone, called "main"."""
    values = checked(identities.SHAPE, document, "", strict=False)
    arns = [entry["Arn"] for section in values.values() for entry in section]
    owners = {arn.split(":")[4] for arn in arns} - {"aws"}
    if len(owners) != 1:
        raise WorldFileError("This dump names no account, or more than one: every ARN in it should be of the same.")
    return {"Accounts": [{"Id": owners.pop(), "Name": "main", **values}]}


def restored(values: Mapping[str, Any], store: Store) -> Loaded:
    """Make what `values` describe; whatever moto kept before is put aside, and comes back. Raises `WorldFileError`."""
    with aside() as fill:
        try:
            loaded = _restored(values, store)
        except WorldFileError:
            raise
        except Exception as error:  # moto has an error of its own for each thing it does not take
            raise WorldFileError(f"This world cannot be made: {type(error).__name__}: {error}") from error
        loaded.contents = fill()
    return loaded


def _restored(values: Mapping[str, Any], store: Store) -> Loaded:
    accounts: dict[str, str] = {}
    for index, account in enumerate(values["Accounts"]):
        place = f"Accounts[{index}]"
        if account["Id"] in store.accounts() or account.get("Name") in accounts:
            raise WorldFileError(f"{place}: there is another account of this ID or name.")
        _restore_account(account, store, f"{place}." if "Clock" in values else "")
        if "Name" in account:
            accounts[account["Name"]] = account["Id"]
    for index, entry in enumerate(values.get("Organizations", ())):
        organization.restore(entry, f"Organizations[{index}]")
    held: dict[str, Session] = {}
    for index, entry in enumerate(values.get("Sessions", ())):
        if entry["AccessKeyId"] in held:
            raise WorldFileError(f"Sessions[{index}].AccessKeyId: there is another session {entry['AccessKeyId']}.")
        held[entry["AccessKeyId"]] = sessions.restored(entry)
    issuers = values.get("IdentityProviders", [])
    for entry in issuers:
        sessions.restored_issuer(entry, lambda: values["Clock"])  # to see that it can be done
    return Loaded(values.get("Clock"), values.get("SourceIp"), accounts, list(held.values()), issuers)


def _restore_account(told: Mapping[str, Any], store: Store, place: str) -> None:
    account = told["Id"]
    backend(account)  # an account without anybody in it is one all the same
    identities.restore(account, told, store, place)
    credentials.restore(account, told, place)
    if "PublicAccessBlock" in told:
        from moto.s3control.models import s3control_backends

        s3control_backends[account]["aws"].public_access_block = buckets.access_block(told["PublicAccessBlock"])
    for index, bucket in enumerate(told.get("Buckets", ())):
        buckets.restore(account, bucket, f"{place}Buckets[{index}]")
    for service in SERVICES:
        for index, entry in enumerate(told.get(service.section, ())):
            try:
                service.restore(account, entry)
            except Exception as error:
                where = f"{place}{service.section}[{index}]"
                raise WorldFileError(f"{where} cannot be made: {type(error).__name__}: {error}") from error
    for index, instance in enumerate(told.get("Instances", ())):
        machines.restore(account, instance, f"{place}Instances[{index}]")
