"""An organization: its units, its members, and the control policies attached to them. Knows moto's inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simlib.cloud import moto_names as moto
from simlib.cloud.storage.organizations import members
from simlib.cloud.storage.stored import PARTITION
from simlib.cloud.worlds.shape import VIEWS, WorldFileError, fill, values_of

_KINDS = {"SERVICE_CONTROL_POLICY": "scp", "RESOURCE_CONTROL_POLICY": "rcp"}
VIEWS.update(
    enabled_types=lambda _, backend: [entry["Type"] for entry in backend.ou[0].policy_types],
    control_policies=lambda _, backend: [policy for policy in backend.policies if policy.type in _KINDS],
    attached=lambda _, node: [policy.id for policy in node.attached_policies if policy.type in _KINDS],
    of_aws=lambda _, policy: "yes" if policy.aws_managed else None,
)


def restore(entry: Mapping[str, Any], place: str) -> None:
    """Make an organization of accounts that are there. Raises `WorldFileError`."""
    master, units, ids = entry["MasterAccountId"], entry["OrganizationalUnits"], [m["Id"] for m in entry["Accounts"]]
    if unknown := [account for account in (master, *ids) if account not in moto.iam_backends]:
        raise WorldFileError(f"{place}: account {unknown[0]} is not among the file's Accounts.")
    if master not in ids or len(set(ids)) < len(ids) or set(ids) & set(members()):
        raise WorldFileError(f"{place}.Accounts: every member once, and the management account among them.")
    if not units or "ParentId" in units[0]:
        raise WorldFileError(f"{place}.OrganizationalUnits: the first one must be the root, which has no ParentId.")
    backend = moto.organizations_backends[master][PARTITION]
    backend.org = org = moto.FakeOrganization(master, "us-east-1", entry["FeatureSet"])
    org.id, org.root_id = entry["Id"], units[0]["Id"]
    for index, policy in enumerate(entry["Policies"]):
        values_of(f"{_KINDS[policy['Type']]} policy", policy["Content"], f"{place}.Policies[{index}].Content")
        if any(each.id == policy["Id"] for each in backend.policies):
            raise WorldFileError(f"{place}.Policies[{index}].Id: there is another policy {policy['Id']}.")
        made = fill("ControlPolicy", moto.FakePolicy(org, Type=policy["Type"]), policy)
        made.aws_managed = "AwsManaged" in policy
        backend.policies.append(made)
    for index, unit in enumerate(units):
        node = moto.FakeOrganizationalUnit(org) if index else moto.FakeRoot(org)
        _place(backend, node, "Unit", unit, f"{place}.OrganizationalUnits[{index}]")
        backend.ou.append(node)
    backend.ou[0].policy_types = [{"Type": kind, "Status": "ENABLED"} for kind in entry.get("EnabledPolicyTypes", ())]
    for index, member in enumerate(entry["Accounts"]):
        account = moto.FakeAccount(org, AccountName="", Email="")
        del moto.iam_backends[account.id]  # moto makes a role in an account of its own choice
        _place(backend, account, "Member", member, f"{place}.Accounts[{index}]")
        backend.accounts.append(account)
        account.state = account.status
        if account.id != master:
            moto.organizations_backends.master_accounts[account.id] = (master, PARTITION)


def _place(backend: Any, node: Any, table: str, entry: Mapping[str, Any], where: str) -> None:
    """Put a root, a unit or an account into the tree, with its policies."""
    parent, policies = entry.get("ParentId"), {policy.id: policy for policy in backend.policies}
    if backend.ou and parent not in {unit.id for unit in backend.ou}:
        raise WorldFileError(f"{where}.ParentId: there is no unit {parent} before this one.")
    fill(table, node, entry)
    for policy_id in entry.get("Policies", ()):
        if policy_id not in policies:
            raise WorldFileError(f"{where}.Policies: there is no policy {policy_id} in this organization.")
        node.attached_policies.append(policies[policy_id])
        policies[policy_id].attachments.append(node)
