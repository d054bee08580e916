"""IAM's listings come in pages, as its API says, where moto hands out everything at once.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from simlib.cloud.call_context import CallContext
from simlib.cloud.storage.iam_entities import backend
from simlib.cloud.transport import answers, mock
from simlib.cloud.transport.refusals import Objection
from simlib.cloud.transport.wire import RawAnswer

_PAGE = 100  # items, unless the call says otherwise
_WHOLE = (  # what moto does not divide
    "GetAccountAuthorizationDetails", "GetGroup", "ListAccessKeys", "ListAccountAliases", "ListGroupPolicies",
    "ListGroups", "ListGroupsForUser", "ListInstanceProfiles", "ListInstanceProfilesForRole", "ListMFADevices",
    "ListPolicyVersions", "ListRolePolicies", "ListSSHPublicKeys",
    "ListServerCertificates", "ListSigningCertificates", "ListUserPolicies", "ListUserTags", "ListUsers",
)  # fmt: skip


def _in_pages(context: CallContext, answer: RawAnswer) -> RawAnswer:
    result = mock.parse_answer(context.call.model, context.call.moto_protocol, answer)
    if "Policies" in result:
        result["Policies"] = list(_described(context, result["Policies"]))
    for user in result.get("Users", ()):  # shown of one user alone: API_ListUsers
        user.pop("PermissionsBoundary", None)
    return answers.success(context.call, page_of(context, result))


def page_of(context: CallContext, result: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a result's lists that `Marker` and `MaxItems` ask for; several lists count together."""
    marker, size = str(context.parameters.get("Marker") or 0), int(context.parameters.get("MaxItems") or _PAGE)
    if not marker.isdecimal():
        raise Objection("ValidationError", "Invalid Marker.", 400)
    start, before = int(marker), 0
    page = {name: value for name, value in result.items() if name != "ResponseMetadata"}
    for name, member in context.call.model.output_shape.members.items():
        if member.type_name == "list":
            whole = result.get(name, [])
            page[name] = whole[max(0, start - before) : max(0, start + size - before)]
            before += len(whole)
    more = start + size < before
    return {**page, "IsTruncated": more, **({"Marker": str(start + size)} if more else {})}


def _described(context: CallContext, entries: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Managed policies with name and ID, without those of AWS's that nobody uses.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_ManagedPolicyDetail.html
    """
    iam = backend(context.caller.account)
    boundaries = {
        getattr(each, "permissions_boundary_arn", None) for each in (*iam.users.values(), *iam.roles.values())
    }
    for entry in entries:
        policy = iam.managed_policies[entry["Arn"]]
        if policy.account_id != "aws" or policy.attachment_count or policy.arn in boundaries:
            yield {**entry, "PolicyName": policy.name, "PolicyId": policy.id}


def entities_for_policy(context: CallContext) -> Mapping[str, Any]:
    """Who has a policy attached, or as permissions boundary.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html
    """
    wanted, iam = context.parameters, backend(context.caller.account)
    arn, usage, kind = str(wanted["PolicyArn"]), wanted.get("PolicyUsageFilter"), wanted.get("EntityFilter")

    def uses(entity: Any) -> bool:
        attached = usage != "PermissionsBoundary" and arn in entity.managed_policies
        return attached or (usage != "PermissionsPolicy" and getattr(entity, "permissions_boundary_arn", None) == arn)

    result = {
        f"Policy{name}s": [
            {f"{name}Name": each.name, f"{name}Id": each.id}
            for each in collection.values()
            if kind in (None, name) and each.path.startswith(wanted.get("PathPrefix") or "/") and uses(each)
        ]
        for name, collection in (("Group", iam.groups), ("User", iam.users), ("Role", iam.roles))
    }
    return page_of(context, result)


ANSWERS = {"iam:ListEntitiesForPolicy": entities_for_policy}
AFTER = {f"iam:{operation}": _in_pages for operation in _WHOLE}
