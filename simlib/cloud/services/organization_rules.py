"""What the rules of Organizations (rules.toml) ask about its tree, as moto keeps it."""

from __future__ import annotations

from typing import Any

from simlib.cloud.call_context import CallContext
from simlib.cloud.services.rules import CallFacts, checks
from simlib.cloud.storage.organizations import organization_of


class _Organization(CallFacts):
    """What a call names; None where it names none, or none is there, which moto says."""

    policy: Any

    def __init__(self, context: CallContext) -> None:
        super().__init__(context)
        self.organization = organization_of(self.account)
        self.nodes = (*self.organization.ou, *self.organization.accounts) if self.organization else ()
        policies = self.organization.policies if self.organization else ()
        self.policy = next((each for each in policies if each.id == self["PolicyId"]), None)
        self.target, self.moving, self.source, self.destination = (
            next((node for node in self.nodes if node.id == self[member]), None)
            for member in ("TargetId", "AccountId", "SourceParentId", "DestinationParentId")
        )

    @property
    def may_manage(self) -> bool:
        """Whether the account manages the organization, or looks on as a delegated administrator."""
        delegated = any(admin.account.id == self.account for admin in self.organization.admins)
        looks = self.operation.startswith(("Describe", "List"))
        return self.organization.org.master_account_id == self.account or (delegated and looks)

    @property
    def attached(self) -> list[Any]:
        """All policies of the type that the target has, if the one that is named is among them."""
        policies = self.target.attached_policies if self.target and self.policy else ()
        return [each for each in policies if each.type == self.policy.type] if self.policy in policies else []

    @property
    def children(self) -> list[Any]:
        parent = self["ParentId"] or self["OrganizationalUnitId"]
        return [node for node in self.nodes if getattr(node, "parent_id", None) == parent]


BEFORE = checks("organizations", _Organization)
