"""Organizations: where an account belongs, and which control policies reach it from the root down. Knows moto's inside.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from simlib.cloud import moto_names as moto
from simlib.cloud.storage.stored import PARTITION, StoredDocument

SCP, RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"

Levels = tuple[tuple[StoredDocument, ...], ...]


@dataclass(frozen=True, slots=True)
class Membership:
    """An account in its organization. `path` is as `aws:PrincipalOrgPaths` has it: "o-1/r-1/ou-1/".

    `scps` and `rcps` are the policies attached at each level from the root to the account, empty where the root has
    that type of policy switched off; they do not apply to the management account.
    """

    organization_id: str
    path: str
    management: bool
    scps: Levels
    rcps: Levels
    nodes: tuple[str, ...] = ()  # the IDs of the levels: root, organizational units, account


def membership(account: str) -> Membership | None:
    """Where an account belongs; None outside every organization."""
    backend = organization_of(account)
    if backend is None:
        return None
    units, line = {unit.id: unit for unit in backend.ou}, [_member(backend, account)]
    while above := units.get(line[0].parent_id):
        line.insert(0, above)
    types = {entry["Type"] for entry in line[0].policy_types}
    scps, rcps = (
        tuple(
            tuple(
                StoredDocument(each.arn, each.content, title=each.name)
                for each in node.attached_policies
                if each.type == kind
            )
            for node in line
            if kind in types
        )
        for kind in (SCP, RCP)
    )
    nodes = tuple(node.id for node in line)
    path = "/".join([backend.org.id, *nodes[:-1], ""])
    return Membership(backend.org.id, path, backend.org.master_account_id == account, scps, rcps, nodes)


def node_arn(path: str, account: str, level: int) -> str:
    """The ARN of what stands at a level of a path ("o-1/r-1/ou-1/"): the root, a unit, and last the account."""
    organization, *above = path.strip("/").split("/")
    backend = next((b for b in organizations() if b.org.id == organization), None)
    management = backend.org.master_account_id if backend else ""
    kind, name = ("account", account) if level >= len(above) else ("ou" if level else "root", above[level])
    return f"arn:aws:organizations::{management}:{kind}/{organization}/{name}"


def context_keys(member: Membership | None, who: str) -> dict[str, str | list[str]]:
    """`aws:PrincipalOrgID` and `aws:PrincipalOrgPaths`, or with `who` "Resource" those of the resource's owner."""
    return {f"aws:{who}OrgID": member.organization_id, f"aws:{who}OrgPaths": [member.path]} if member else {}


def account_named(name: str) -> str | None:
    """The ID of the account that was created in an organization under this name."""
    for backend in organizations():
        for account in backend.accounts:
            if account.name == name and account.id != backend.org.master_account_id:
                return str(account.id)
    return None


def join(account: str, name: str, management: str) -> None:
    """Let an account that exists become a member, as if it had accepted an invitation; a member stays where it is.

    Raises `ValueError` where there is no such organization, or the account belongs to another.
    """
    backend, already = moto.organizations_backends[management][PARTITION], organization_of(account)
    if backend.org is None:
        raise ValueError(
            f"Account {management} has no organization yet. Create one: "
            'management.admin.client("organizations").create_organization()'
        )
    if already is backend:
        return
    if already is not None:
        raise ValueError(f"Account {account} already belongs to another organization.")
    member = moto.FakeAccount(backend.org, AccountName=name, Email=f"{name}@example.com")
    member.id, member.joined_method = account, "INVITED"
    backend.accounts.append(member)
    for policy in [policy for policy in backend.policies if policy.aws_managed]:
        backend.attach_policy(PolicyId=policy.id, TargetId=account)
    moto.organizations_backends.master_accounts[account] = (management, PARTITION)


def identify(backend: Any) -> str:
    """Give a new organization its ID: of the same management account the same in every world, so that what a learner
    has noted down holds in the world that comes after it."""
    org = backend.org
    org.id = f"o-{hashlib.sha256(org.master_account_id.encode()).hexdigest()[:10]}"
    for each in (*backend.accounts, *backend.ou, *backend.policies):
        each.organization_id = org.id
    return str(org.id)


def organizations() -> Iterator[Any]:
    """moto's record of every organization of the world."""
    for partitions in list(moto.backends("organizations").values()):
        if PARTITION in partitions and partitions[PARTITION].org is not None:
            yield partitions[PARTITION]


def renumber(member: Any, account: str) -> None:
    """Give a member that moto has just made the number of another account."""
    masters = moto.organizations_backends.master_accounts
    masters[account] = masters.pop(member.id)
    member.id = account


def members() -> list[str]:
    """The accounts that belong to some organization."""
    return [account.id for backend in organizations() for account in backend.accounts]


def _member(backend: Any, account: str) -> Any:
    return next((member for member in backend.accounts if member.id == account), None)


def organization_of(account: str) -> Any:
    """moto's record of the organization an account belongs to; None outside every one."""
    return next((backend for backend in organizations() if _member(backend, account)), None)


def arns(account: str) -> dict[str, str]:
    """The ARNs of what there is in an account's organization, by their IDs."""
    backend = organization_of(account)
    things = (*backend.ou, *backend.accounts, *backend.policies) if backend else ()
    return {str(thing.id): str(thing.arn) for thing in things}


def is_member(account: str) -> bool:
    """Whether an account belongs to an organization that another one manages."""
    backend = organization_of(account)
    return backend is not None and backend.org.master_account_id != account


def _policy(key: str, value: Any) -> Any:
    policies = (each for backend in organizations() for each in backend.policies)
    return next((each for each in policies if getattr(each, key) == value), None)


def policy(arn: str) -> StoredDocument | None:
    """An SCP or RCP by its ARN; None where there is none."""
    return StoredDocument(arn, kept.content) if (kept := _policy("arn", arn)) else None


def policy_type(policy_id: Any) -> str:
    """The type of an organization's policy by its ID, "" where there is none."""
    return str(kept.type) if (kept := _policy("id", policy_id)) else ""
