"""An organization: its units, its members, and the control policies attached to them. Knows moto's inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.iam.models import iam_backends

from simlib.cloud.storage.organizations import members
from simlib.cloud.storage.resources import open_keeper
from simlib.cloud.storage.stored import PARTITION
from simlib.cloud.worlds.shape import (
    ACCOUNT_ID,
    NAIVE_DATE,
    TAGS,
    TEXT,
    At,
    WorldFileError,
    document,
    fill,
    matching,
    one_of,
)

_ID = matching("[a-z0-9-]{1,64}", "the ID of a part of an organization")
_KINDS = {"SERVICE_CONTROL_POLICY": "scp", "RESOURCE_CONTROL_POLICY": "rcp"}
_ATTACHED = At(lambda _, node: [policy.id for policy in node.attached_policies if policy.type in _KINDS], [TEXT])
_POLICY = {
    "Id": matching("p-[A-Za-z0-9]{1,128}", "the ID of a control policy"),
    "Name": TEXT,
    "Description?": TEXT,
    "Type": one_of(*_KINDS),
    "AwsManaged?": At(lambda _, policy: "yes" if policy.aws_managed else None, TEXT),
    "Content": TEXT,
    "Tags?": TAGS,
}
_UNIT = {"Id": _ID, "Name": TEXT, "ParentId?": _ID, "Policies?": _ATTACHED, "Tags?": TAGS}
_MEMBER = {
    "Id": ACCOUNT_ID,
    "Name": TEXT,
    "Email": TEXT,
    "ParentId": _ID,
    "JoinedMethod": one_of("CREATED", "INVITED"),
    "JoinedTimestamp": At("create_time", NAIVE_DATE),
    "Status?": TEXT,
    "Policies?": _ATTACHED,
    "Tags?": TAGS,
}
SHAPE = {
    "Id": At("org.id", matching("o-[a-z0-9]{10,32}", "the ID of an organization")),
    "MasterAccountId": At("org.master_account_id", ACCOUNT_ID),
    "FeatureSet": At("org.feature_set", one_of("ALL", "CONSOLIDATED_BILLING")),
    "EnabledPolicyTypes?": At(lambda _, backend: [entry["Type"] for entry in backend.ou[0].policy_types], [TEXT]),
    "Policies": At(lambda _, backend: [policy for policy in backend.policies if policy.type in _KINDS], [_POLICY]),
    "OrganizationalUnits": At("ou", [_UNIT]),  # the root first; a unit after the one it is in
    "Accounts": At("accounts", [_MEMBER]),
}


def restore(entry: Mapping[str, Any], place: str) -> None:
    """Make an organization of accounts that are there. Raises `WorldFileError`."""
    master, units = entry["MasterAccountId"], entry["OrganizationalUnits"]
    backend = open_keeper("organizations", master, "")
    from moto.organizations import models

    _check_members(entry, place)
    if not units or "ParentId" in units[0]:
        raise WorldFileError(f"{place}.OrganizationalUnits: the first one must be the root, which has no ParentId.")
    backend.org = org = models.FakeOrganization(master, "us-east-1", entry["FeatureSet"])
    org.id, org.root_id = entry["Id"], units[0]["Id"]
    for index, policy in enumerate(entry["Policies"]):
        document(_KINDS[policy["Type"]]).read(policy["Content"])
        if any(each.id == policy["Id"] for each in backend.policies):
            raise WorldFileError(f"{place}.Policies[{index}].Id: there is another policy {policy['Id']}.")
        made = fill(_POLICY, models.FakePolicy(org, Type=policy["Type"]), policy)
        made.aws_managed = "AwsManaged" in policy
        backend.policies.append(made)
    for index, unit in enumerate(units):
        node = models.FakeOrganizationalUnit(org) if index else models.FakeRoot(org)
        backend.ou.append(_node(backend, node, _UNIT, unit, f"{place}.OrganizationalUnits[{index}]"))
    backend.ou[0].policy_types = [{"Type": kind, "Status": "ENABLED"} for kind in entry.get("EnabledPolicyTypes", ())]
    for index, member in enumerate(entry["Accounts"]):
        account = models.FakeAccount(org, AccountName="", Email="")
        del iam_backends[account.id]  # moto makes a role in an account of its own choice
        backend.accounts.append(_node(backend, account, _MEMBER, member, f"{place}.Accounts[{index}]"))
        account.state = account.status
        if account.id != master:
            models.organizations_backends.master_accounts[account.id] = (master, PARTITION)


def _check_members(entry: Mapping[str, Any], place: str) -> None:
    ids = [member["Id"] for member in entry["Accounts"]]
    unknown = [account for account in [entry["MasterAccountId"], *ids] if account not in iam_backends]
    if unknown:
        raise WorldFileError(f"{place}: account {unknown[0]} is not among the file's Accounts.")
    if entry["MasterAccountId"] not in ids or len(set(ids)) < len(ids) or set(ids) & set(members()):
        raise WorldFileError(f"{place}.Accounts: every member once, and the management account among them.")


def _node(backend: Any, node: Any, shape: Mapping[str, Any], entry: Mapping[str, Any], where: str) -> Any:
    """A root, a unit or an account in its place in the tree, with its policies."""
    parent = entry.get("ParentId")
    if backend.ou and parent not in {unit.id for unit in backend.ou}:
        raise WorldFileError(f"{where}.ParentId: there is no unit {parent} before this one.")
    fill(shape, node, entry)
    for policy_id in entry.get("Policies", ()):
        policy = next((each for each in backend.policies if each.id == policy_id), None)
        if policy is None:
            raise WorldFileError(f"{where}.Policies: there is no policy {policy_id} in this organization.")
        node.attached_policies.append(policy)
        policy.attachments.append(node)
    return node
