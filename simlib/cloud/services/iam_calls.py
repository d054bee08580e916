"""What the lab adds to moto's IAM: boundaries that exist, users who mean themselves, updates that change no more.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from simlib.cloud.call_context import CallContext
from simlib.cloud.credentials.sessions import Caller
from simlib.cloud.storage import iam_entities
from simlib.cloud.transport import answers
from simlib.cloud.transport.answers import Refusal
from simlib.cloud.transport.calls import Call
from simlib.cloud.transport.refusals import Objection
from simlib.cloud.transport.wire import RawAnswer


def on_behalf_of(call: Call, caller: Caller) -> Call:
    """The same call, with the caller's name where it may leave the user's name out, and does.

    moto would look for the user by the key that signed, and it knows no key of a session.
    """
    shape = call.model.input_shape if call.service == "iam" and call.operation != "GetMFADevice" else None
    optional = shape is not None and "UserName" in shape.members and "UserName" not in shape.required_members
    if not optional or call.parameters.get("UserName"):
        return call
    if caller.is_root:
        if call.operation == "GetUser":
            return call
        text = f"The lab keeps no credentials of the root user, so {call.operation} needs a UserName here."
        raise Refusal("NotImplemented", text, 501, situation="not-stored")
    if caller.user_name is None:
        raise Refusal("ValidationError", "Must specify userName when calling with non-User credentials", 400)
    return replace(call, parameters={**call.parameters, "UserName": caller.user_name})


def note_use(caller: Caller, call: Call, now: datetime) -> None:
    """Keep when, where and for which service a key, or the role behind a session, was used last."""
    if caller.account:
        role = caller.session.role_name if caller.session else None
        iam_entities.note_use(caller.account, caller.access_key_id, role, now, call.service, call.region)


def complete_root_user(context: CallContext, answer: RawAnswer) -> RawAnswer:
    """GetUser without a name, asked by the root user: moto knows none."""
    if not context.caller.is_root or context.parameters.get("UserName"):
        return answer
    account = context.caller.account
    user = {"Path": "/", "UserName": "", "UserId": account, "Arn": context.caller.arn}
    return answers.success(context.call, {"User": {**user, "CreateDate": iam_entities.opening_date(account)}})


def update_role(context: CallContext) -> Mapping[str, Any]:
    name, *changes = (context.parameters.get(member) for member in ("RoleName", "Description", "MaxSessionDuration"))
    iam_entities.update_role(context.caller.account, str(name), *changes)
    return {}


def change_user_boundary(context: CallContext) -> Mapping[str, Any]:
    """PutUserPermissionsBoundary and DeleteUserPermissionsBoundary, which names none."""
    user = iam_entities.entity(context.caller.account, "users", str(context.parameters["UserName"]))
    iam_entities.set_user_boundary(user, context.parameters.get("PermissionsBoundary"))
    return {}


def complete_new_user(context: CallContext, answer: RawAnswer) -> RawAnswer:
    """moto forgets the boundary of a new user."""
    if context.parameters.get("PermissionsBoundary"):
        change_user_boundary(context)
    return answer


def create_service_linked_role(context: CallContext) -> Mapping[str, Any]:
    """The role in AWS's spelling, with the service's own policy where AWS's list of policies has one of that name.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceLinkedRole.html
    """
    parameters, account = context.parameters, context.caller.account
    service, suffix = str(parameters["AWSServiceName"]), parameters.get("CustomSuffix")
    name = f"AWSServiceRoleFor{iam_entities.linked_role_name(service)}{f'_{suffix}' if suffix else ''}"
    if iam_entities.entity(account, "roles", name) is not None:
        text = f"Service role name {name} has been taken in this account, please try a different suffix."
        raise Objection("InvalidInput", text, 400)
    role = iam_entities.create_linked_role(account, name, service, str(parameters.get("Description") or ""))
    members = {"Path": role.path, "RoleName": name, "RoleId": role.id, "Arn": role.arn, "CreateDate": role.create_date,
               **({"Description": role.description} if role.description else {})}  # fmt: skip
    return {"Role": {**members, "AssumeRolePolicyDocument": quote(role.assume_role_policy_document)}}


def _release_linked_role(context: CallContext) -> None:
    """The service takes its own policy from a role that is deleted."""
    role = iam_entities.entity(context.caller.account, "roles", str(context.parameters["RoleName"]))
    for policy in list(role.managed_policies.values()):
        policy.detach_from(role)


def get_mfa_device(context: CallContext) -> Mapping[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetMFADevice.html"""
    serial = str(context.parameters["SerialNumber"])
    device = iam_entities.backend(context.caller.account).virtual_mfa_devices[serial]
    owner = {"UserName": device.user.name, "EnableDate": device.enable_date} if device.user else {}
    return {"SerialNumber": serial, **owner}


def change_client_ids(context: CallContext) -> Mapping[str, Any]:
    """AddClientIDToOpenIDConnectProvider and RemoveClientIDFromOpenIDConnectProvider."""
    arn, client = str(context.parameters["OpenIDConnectProviderArn"]), str(context.parameters["ClientID"])
    clients = iam_entities.backend(context.caller.account).open_id_providers[arn].client_id_list
    added = [client] if context.call.operation.startswith("Add") else []
    clients[:] = [*(each for each in clients if each != client), *added]
    return {}


ANSWERS = {
    "iam:CreateServiceLinkedRole": create_service_linked_role,
    "iam:GetMFADevice": get_mfa_device,
    "iam:AddClientIDToOpenIDConnectProvider": change_client_ids,
    "iam:RemoveClientIDFromOpenIDConnectProvider": change_client_ids,
    "iam:PutUserPermissionsBoundary": change_user_boundary,
    "iam:DeleteUserPermissionsBoundary": change_user_boundary,
    "iam:UpdateRole": update_role,
}
BEFORE = {"iam:DeleteServiceLinkedRole": _release_linked_role}
AFTER = {"iam:CreateUser": complete_new_user, "iam:GetUser": complete_root_user}
