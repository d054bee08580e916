"""An organization: its units, its members, and the control policies attached to them. Knows moto's inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moto.iam.models import iam_backends

from simlib.cloud.storage.organizations import organizations
from simlib.cloud.storage.store import PARTITION
from simlib.cloud.worlds.identities import naive
from simlib.cloud.worlds.shape import DATE, TAGS, TEXT, WorldFileError, document, matching

_ID = matching("[a-z0-9-]{1,64}", "the ID of a part of an organization")
_ACCOUNT = matching(r"\d{12}", "the twelve digits of an account's ID")
_KINDS = {"SERVICE_CONTROL_POLICY": "scp", "RESOURCE_CONTROL_POLICY": "rcp"}
_POLICY = {
    "Id": matching("p-[A-Za-z0-9]{1,128}", "the ID of a control policy"),
    "Name": TEXT,
    "Description?": TEXT,
    "Type": matching("|".join(_KINDS), f"one of {', '.join(_KINDS)}"),
    "AwsManaged?": TEXT,
    "Content": TEXT,
    "Tags?": TAGS,
}
_UNIT = {"Id": _ID, "Name": TEXT, "ParentId?": _ID, "Policies?": [TEXT], "Tags?": TAGS}
_MEMBER = {
    "Id": _ACCOUNT,
    "Name": TEXT,
    "Email": TEXT,
    "ParentId": _ID,
    "JoinedMethod": matching("CREATED|INVITED", '"CREATED" or "INVITED"'),
    "JoinedTimestamp": DATE,
    "Status?": TEXT,
    "Policies?": [TEXT],
    "Tags?": TAGS,
}
SHAPE = {
    "Id": matching("o-[a-z0-9]{10,32}", "the ID of an organization"),
    "MasterAccountId": _ACCOUNT,
    "FeatureSet": matching("ALL|CONSOLIDATED_BILLING", '"ALL" or "CONSOLIDATED_BILLING"'),
    "EnabledPolicyTypes?": [TEXT],
    "Policies": [_POLICY],
    "OrganizationalUnits": [_UNIT],  # the root first; a unit after the one it is in
    "Accounts": [_MEMBER],
}


def details() -> Iterator[dict[str, Any]]:
    """What `SHAPE` says of every organization of the world."""
    for backend in organizations():
        org, root = backend.org, backend.ou[0]
        yield {
            "Id": org.id,
            "MasterAccountId": org.master_account_id,
            "FeatureSet": org.feature_set,
            "EnabledPolicyTypes": [entry["Type"] for entry in root.policy_types],
            "Policies": [_of_policy(policy) for policy in backend.policies if policy.type in _KINDS],
            "OrganizationalUnits": [_of_node(unit) for unit in backend.ou],
            "Accounts": [_of_member(account) for account in backend.accounts],
        }


def members() -> list[str]:
    """The accounts that belong to some organization."""
    return [account.id for backend in organizations() for account in backend.accounts]


def _of_policy(policy: Any) -> dict[str, Any]:
    return {
        "Id": policy.id,
        "Name": policy.name,
        "Description": policy.description,
        "Type": policy.type,
        "AwsManaged": "yes" if policy.aws_managed else None,
        "Content": policy.content,
        "Tags": policy.tags,
    }


def _of_node(node: Any) -> dict[str, Any]:
    attached = [policy.id for policy in node.attached_policies if policy.type in _KINDS]
    return {
        "Id": node.id,
        "Name": node.name,
        "ParentId": getattr(node, "parent_id", None),
        "Policies": attached,
        "Tags": node.tags,
    }


def _of_member(account: Any) -> dict[str, Any]:
    return {
        **_of_node(account),
        "Email": account.email,
        "JoinedMethod": account.joined_method,
        "JoinedTimestamp": account.create_time,
        "Status": account.status,
    }


def restore(told: Mapping[str, Any], place: str) -> None:
    """Make an organization of accounts that are there. Raises `WorldFileError`."""
    from moto.organizations import models

    master = told["MasterAccountId"]
    backend = models.organizations_backends[master][PARTITION]
    _check_members(told, place)
    units = told["OrganizationalUnits"]
    if not units or "ParentId" in units[0]:
        raise WorldFileError(f"{place}.OrganizationalUnits: the first one must be the root, which has no ParentId.")
    backend.org = org = models.FakeOrganization(master, "us-east-1", told["FeatureSet"])
    org.id, org.root_id = told["Id"], units[0]["Id"]
    for index, entry in enumerate(told["Policies"]):
        document(_KINDS[entry["Type"]]).read(entry["Content"])
        made = models.FakePolicy(org, **{name: entry.get(name) for name in ("Name", "Description", "Type", "Content")})
        if any(policy.id == entry["Id"] for policy in backend.policies):
            raise WorldFileError(f"{place}.Policies[{index}].Id: there is another policy {entry['Id']}.")
        made.id, made.aws_managed, made.tags = entry["Id"], "AwsManaged" in entry, entry.get("Tags", {})
        backend.policies.append(made)
    for index, entry in enumerate(units):
        where = f"{place}.OrganizationalUnits[{index}]"
        made = models.FakeRoot(org) if not index else models.FakeOrganizationalUnit(org, Name=entry["Name"])
        made.id, made.parent_id = entry["Id"], _parent(backend, entry, where) if index else None
        _attach(backend, made, entry, where)
        backend.ou.append(made)
    backend.ou[0].policy_types = [{"Type": kind, "Status": "ENABLED"} for kind in told.get("EnabledPolicyTypes", ())]
    for index, entry in enumerate(told["Accounts"]):
        _restore_member(backend, models, entry, f"{place}.Accounts[{index}]")


def _check_members(told: Mapping[str, Any], place: str) -> None:
    named = [entry["Id"] for entry in told["Accounts"]]
    unknown = [account for account in [told["MasterAccountId"], *named] if account not in iam_backends]
    if unknown:
        raise WorldFileError(f"{place}: account {unknown[0]} is not among the file's Accounts.")
    if told["MasterAccountId"] not in named or len(set(named)) < len(named) or set(named) & set(members()):
        raise WorldFileError(f"{place}.Accounts: every member once, and the management account among them.")


def _parent(backend: Any, entry: Mapping[str, Any], where: str) -> str:
    parent = entry.get("ParentId")
    if parent not in {unit.id for unit in backend.ou}:
        raise WorldFileError(f"{where}.ParentId: there is no unit {parent} before this one.")
    return str(parent)


def _attach(backend: Any, node: Any, entry: Mapping[str, Any], where: str) -> None:
    node.tags = entry.get("Tags", {})
    for wanted in entry.get("Policies", ()):
        policy = next((policy for policy in backend.policies if policy.id == wanted), None)
        if policy is None:
            raise WorldFileError(f"{where}.Policies: there is no policy {wanted} in this organization.")
        node.attached_policies.append(policy)
        policy.attachments.append(node)


def _restore_member(backend: Any, models: Any, entry: Mapping[str, Any], where: str) -> None:
    made = models.FakeAccount(backend.org, AccountName=entry["Name"], Email=entry["Email"])
    del iam_backends[made.id]  # moto makes a role in an account of its own choice
    made.id, made.parent_id = entry["Id"], _parent(backend, entry, where)
    made.joined_method, made.create_time = entry["JoinedMethod"], naive(entry["JoinedTimestamp"])
    made.status = made.state = entry.get("Status", "ACTIVE")
    _attach(backend, made, entry, where)
    backend.accounts.append(made)
    if entry["Id"] != backend.org.master_account_id:
        models.organizations_backends.master_accounts[entry["Id"]] = (backend.org.master_account_id, PARTITION)
