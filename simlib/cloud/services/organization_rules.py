"""What Organizations refuses although the policies allow it: calls of members, and changes its tree does not bear.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_Operations.html. AWS documents no text for the last
policy of a target, nor for its own ones, which are immutable. Looks at moto's record.
"""

from __future__ import annotations

from typing import Any

from simlib.cloud.call_context import CallContext
from simlib.cloud.services.rules import Facts, Rule, checks
from simlib.cloud.storage.organizations import RCP, organization_of

# Calls for which an account need not manage an organization; a delegated administrator may look at everything
_ANYBODY = {
    "CreateOrganization", "DescribeOrganization", "LeaveOrganization", "AcceptHandshake", "DeclineHandshake",
    "DescribeHandshake", "ListHandshakesForAccount",
}  # fmt: skip
_OUTSIDE = _ANYBODY - {"DescribeOrganization", "LeaveOrganization"}
_RCP_FULL_ACCESS = "p-RCPFullAWSAccess"


class _Organization(Facts):
    """What a call names, as moto keeps it; None where it names none, or none is there, which moto says."""

    def __init__(self, context: CallContext) -> None:
        super().__init__(context)
        self.organization = organization_of(self.account)
        self.nodes = (*self.organization.ou, *self.organization.accounts) if self.organization else ()
        self.policy = self._of_id(self.organization.policies if self.organization else (), "PolicyId")
        self.target, self.moving = self._of_id(self.nodes, "TargetId"), self._of_id(self.nodes, "AccountId")

    def _of_id(self, things: Any, member: str) -> Any:
        return next((thing for thing in things if thing.id == self[member]), None)

    @property
    def may_manage(self) -> bool:
        delegated = any(admin.account.id == self.account for admin in self.organization.admins)
        looks = self.operation.startswith(("Describe", "List"))
        return self.organization.org.master_account_id == self.account or (delegated and looks)

    @property
    def attached(self) -> bool:
        return self.policy is not None and self.target is not None and self.policy in self.target.attached_policies

    @property
    def is_needed(self) -> bool:
        """Whether no other policy of its type would be left."""
        left = [each for each in self.target.attached_policies if each.type == self.policy.type]
        return left == [self.policy]

    def lacks(self, member: str) -> bool:
        return self.moving is not None and self._of_id(self.nodes, member) is None


_RULES = (
    Rule("*", lambda f: f.organization is None and f.operation not in _OUTSIDE, "AWSOrganizationsNotInUseException",
         "Your account is not a member of an organization."),
    Rule("*", lambda f: f.organization and f.operation not in _ANYBODY and not f.may_manage, "AccessDeniedException",
         "You don't have permissions to access this resource."),
    Rule("AttachPolicy", lambda f: f.policy
         and f.policy.type not in [entry["Type"] for entry in f.organization.ou[0].policy_types],
         "PolicyTypeNotEnabledException", "This operation can be performed only for enabled policy types."),
    Rule("AttachPolicy", lambda f: f.attached, "DuplicatePolicyAttachmentException",
         "The selected policy is already attached to the specified target."),
    Rule("DetachPolicy", lambda f: f.policy and f.target and not f.attached, "PolicyNotAttachedException",
         "The policy isn't attached to the specified target in the specified root."),
    Rule("DetachPolicy", lambda f: f.attached and f.policy.type == RCP and f.policy.id == _RCP_FULL_ACCESS,
         "ConstraintViolationException", "You cannot detach the RCPFullAWSAccess policy."),
    Rule("DetachPolicy", lambda f: f.attached and f.is_needed, "ConstraintViolationException",
         "You cannot remove the last policy attached to the specified target."),
    Rule("UpdatePolicy DeletePolicy", lambda f: f.policy and f.policy.aws_managed, "InvalidInputException",
         "You specified a policy that is managed by AWS and can't be modified."),
    Rule("MoveAccount", lambda f: f.lacks("SourceParentId") or (f.moving and f.moving.parent_id != f["SourceParentId"]),
         "SourceParentNotFoundException", "We can't find a source root or OU with the ParentId that you specified."),
    Rule("MoveAccount", lambda f: f.lacks("DestinationParentId"), "DestinationParentNotFoundException",
         "We can't find the destination container (a root or OU) with the ParentId that you specified."),
    Rule("MoveAccount", lambda f: f.moving and f.moving.parent_id == f["DestinationParentId"],
         "DuplicateAccountException", "That account is already present in the specified destination."),
    Rule("CreateOrganizationalUnit",
         lambda f: any((unit.parent_id, unit.name) == (f["ParentId"], f["Name"]) for unit in f.organization.ou),
         "DuplicateOrganizationalUnitException", "An OU with the same name already exists."),
    Rule("DeleteOrganizationalUnit", lambda f: any(e.parent_id == f["OrganizationalUnitId"] for e in f.nodes),
         "OrganizationalUnitNotEmptyException", "The specified OU is not empty. Move all accounts to another root or "
         "to other OUs, remove all child OUs, and try the operation again."),
)  # fmt: skip
BEFORE = checks("organizations", _Organization, _RULES)
