"""What Organizations refuses although the policies allow it: calls of members, and changes its tree does not bear.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_Operations.html. Looks at moto's record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simlib.cloud.call_context import CallContext
from simlib.cloud.storage.organizations import RCP, organization_of
from simlib.cloud.transport.refusals import Objection

# Calls for which an account need not manage an organization; a delegated administrator may look at everything
_ANYBODY = {
    "CreateOrganization", "DescribeOrganization", "LeaveOrganization", "AcceptHandshake", "DeclineHandshake",
    "DescribeHandshake", "ListHandshakesForAccount",
}  # fmt: skip
_OUTSIDE = _ANYBODY - {"DescribeOrganization", "LeaveOrganization"}
_DELEGATED = ("Describe", "List")

_RCP_FULL_ACCESS = "p-RCPFullAWSAccess"


def check_caller(context: CallContext) -> None:
    """Only the management account manages; a member may ask where it belongs, everybody else nothing."""
    account, operation = context.caller.account, context.call.operation
    organization = organization_of(account)
    if organization is None:
        if operation not in _OUTSIDE:
            raise Objection(
                "AWSOrganizationsNotInUseException", "Your account is not a member of an organization.", 400
            )
        return
    delegated = any(admin.account.id == account for admin in organization.admins)
    if organization.org.master_account_id == account or operation in _ANYBODY:
        return
    if not (delegated and operation.startswith(_DELEGATED)):
        raise Objection("AccessDeniedException", "You don't have permissions to access this resource.", 400)


def _node(context: CallContext, member: str) -> Any:
    """The root, unit or account that a call names; None where there is none, which moto says."""
    organization, wanted = organization_of(context.caller.account), str(context.parameters.get(member))
    return next((node for node in (*organization.ou, *organization.accounts) if node.id == wanted), None)


def _policy(context: CallContext) -> Any:
    wanted = str(context.parameters.get("PolicyId"))
    return next((policy for policy in organization_of(context.caller.account).policies if policy.id == wanted), None)


def check_attachment(context: CallContext) -> None:
    """A policy can be attached only where its type is switched on, and once."""
    organization, policy, target = organization_of(context.caller.account), _policy(context), _node(context, "TargetId")
    if policy is None:
        return
    if policy.type not in {entry["Type"] for entry in organization.ou[0].policy_types}:
        text = "This operation can be performed only for enabled policy types."
        raise Objection("PolicyTypeNotEnabledException", text, 400)
    if target is not None and policy in target.attached_policies:
        text = "The selected policy is already attached to the specified target."
        raise Objection("DuplicatePolicyAttachmentException", text, 400)


def check_detachment(context: CallContext) -> None:
    """A policy must be attached, and one of its type has to stay. AWS does not document the text of the latter."""
    policy, target = _policy(context), _node(context, "TargetId")
    if policy is None or target is None:
        return
    if policy not in target.attached_policies:
        text = "The policy isn't attached to the specified target in the specified root."
        raise Objection("PolicyNotAttachedException", text, 400)
    left = [each for each in target.attached_policies if each.type == policy.type and each is not policy]
    if not left or (policy.type == RCP and policy.id == _RCP_FULL_ACCESS):
        text = "You cannot remove the last policy attached to the specified target."
        if policy.id == _RCP_FULL_ACCESS:
            text = "You cannot detach the RCPFullAWSAccess policy."
        raise Objection("ConstraintViolationException", text, 400)


def check_own_policy(context: CallContext) -> None:
    """AWS's own policies stay as they are. AWS documents the reason, IMMUTABLE_POLICY, and not the text."""
    policy = _policy(context)
    if policy is not None and policy.aws_managed:
        text = "You specified a policy that is managed by AWS and can't be modified."
        raise Objection("InvalidInputException", text, 400)


def check_move(context: CallContext) -> None:
    """An account moves from where it is to somewhere else."""
    account = _node(context, "AccountId")
    if account is None:
        return
    if _node(context, "SourceParentId") is None or account.parent_id != context.parameters["SourceParentId"]:
        text = "We can't find a source root or OU with the ParentId that you specified."
        raise Objection("SourceParentNotFoundException", text, 400)
    destination = _node(context, "DestinationParentId")
    if destination is None:
        text = "We can't find the destination container (a root or OU) with the ParentId that you specified."
        raise Objection("DestinationParentNotFoundException", text, 400)
    if account.parent_id == destination.id:
        text = "That account is already present in the specified destination."
        raise Objection("DuplicateAccountException", text, 400)


def check_new_unit(context: CallContext) -> None:
    """Units side by side have different names."""
    parent, name = context.parameters.get("ParentId"), context.parameters.get("Name")
    if any(unit.parent_id == parent and unit.name == name for unit in organization_of(context.caller.account).ou):
        raise Objection("DuplicateOrganizationalUnitException", "An OU with the same name already exists.", 400)


def check_empty_unit(context: CallContext) -> None:
    """A unit with accounts or units in it cannot be deleted."""
    organization, unit = organization_of(context.caller.account), str(context.parameters.get("OrganizationalUnitId"))
    if any(node.parent_id == unit for node in (*organization.ou, *organization.accounts)):
        text = (
            "The specified OU is not empty. Move all accounts to another root or to other OUs, remove all child OUs, "
            "and try the operation again."
        )
        raise Objection("OrganizationalUnitNotEmptyException", text, 400)


BEFORE: Mapping[str, Callable[[CallContext], None]] = {
    "organizations:*": check_caller,
    "organizations:AttachPolicy": check_attachment,
    "organizations:DetachPolicy": check_detachment,
    "organizations:UpdatePolicy": check_own_policy,
    "organizations:DeletePolicy": check_own_policy,
    "organizations:MoveAccount": check_move,
    "organizations:CreateOrganizationalUnit": check_new_unit,
    "organizations:DeleteOrganizationalUnit": check_empty_unit,
}
