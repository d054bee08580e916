"""STS, answered by the lab itself: who gets temporary credentials, and for how long.

https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from simlib.cloud import encoded_message
from simlib.cloud.call_context import CallContext
from simlib.cloud.permissions.call_permissions import Permission
from simlib.cloud.services import mfa, web_identity
from simlib.cloud.services.rules import CallFacts, checks
from simlib.cloud.services.session_requests import assume, credentials, session_options
from simlib.cloud.transport.answers import Refusal

ROOT_SECONDS = 3600
DEFAULT_SECONDS = 43_200  # of GetSessionToken and GetFederationToken

_MFA_NOW: Mapping[str, str] = {"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "0"}


class _Sts(CallFacts):
    @property
    def is_role(self) -> bool:
        return bool(re.fullmatch(r"arn:aws:iam::\d{12}:role/.+", str(self["RoleArn"])))


def _get_caller_identity(context: CallContext) -> Mapping[str, Any]:
    """Needs no permission, https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""
    return {"UserId": context.caller.user_id, "Account": context.caller.account, "Arn": context.caller.arn}


def _get_access_key_info(context: CallContext) -> Mapping[str, Any]:
    """The account is part of the key's ID.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html
    """
    context.require(Permission("sts:GetAccessKeyInfo", "*", context.caller.account))
    return {"Account": account_of_key(str(context.parameters["AccessKeyId"]))}


def account_of_key(access_key_id: str) -> str:
    """The account an access key's ID was made for, whether or not the key exists. Raises AWS's `ValidationError`."""
    try:
        packed = int.from_bytes(base64.b32decode(access_key_id[4:])[:6], "big")
    except ValueError:
        packed = 0
    if not packed >> 47:  # the mark of keys older than this scheme
        raise Refusal("ValidationError", f"{access_key_id} is not a valid access key ID", 400)
    return f"{(packed & 0x7FFF_FFFF_FF80) >> 7:012d}"


def _get_session_token(context: CallContext) -> Mapping[str, Any]:
    """Needs no permission, but long-term credentials; the root user's last an hour at most, without complaint.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
    """
    keys = {"aws:MultiFactorAuthPresent": "true"} if mfa.was_given(context) else {}
    session = context.sessions.for_user(context.caller, context.now, _seconds(context), context=keys)
    return {"Credentials": credentials(session)}


def _seconds(context: CallContext) -> int:
    seconds = int(context.parameters.get("DurationSeconds", DEFAULT_SECONDS))
    return min(seconds, ROOT_SECONDS) if context.caller.is_root else seconds


def _get_federation_token(context: CallContext) -> Mapping[str, Any]:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html"""
    options = session_options(context.parameters, context.caller)
    account, name = context.caller.account, str(context.parameters["Name"])
    federated = f"arn:aws:sts::{account}:federated-user/{name}"
    for action in ("sts:GetFederationToken", *options.also):
        context.require(Permission(action, federated, account, options.request_keys))
    session = context.sessions.federate(
        context.caller, name, context.now, _seconds(context), context=options.session_keys,
        session_policies=options.policies,
    )  # fmt: skip
    user = {"FederatedUserId": session.user_id, "Arn": session.arn}
    return {"Credentials": credentials(session), "FederatedUser": user, **options.answer}


def _assume_role(context: CallContext) -> Mapping[str, Any]:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
    parameters, caller = context.parameters, context.caller
    options = session_options(parameters, caller)
    keys = {"sts:ExternalId": str(parameters["ExternalId"])} if "ExternalId" in parameters else {}
    if mfa.was_given(context):
        keys |= _MFA_NOW  # for this decision alone: the new session is none of MFA
    who, arn = caller.arn, parameters["RoleArn"]
    return assume(
        context, "sts:AssumeRole", options, keys,
        lambda action: f"User: {who} is not authorized to perform: {action} on resource: {arn}",
        issued_to=who, issued_by=caller.access_key_id, transitive=options.transitive,
    )  # fmt: skip


def _decode_authorization_message(context: CallContext) -> Mapping[str, Any]:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html"""
    context.require(Permission("sts:DecodeAuthorizationMessage", "*", context.caller.account))
    return {"DecodedMessage": encoded_message.decode(str(context.parameters["EncodedMessage"]))}


BEFORE = checks("sts", _Sts)
ANSWERS: Mapping[str, Callable[[CallContext], Mapping[str, Any]]] = {
    "sts:AssumeRole": _assume_role,
    "sts:AssumeRoleWithWebIdentity": web_identity.assume_role_with_web_identity,
    "sts:DecodeAuthorizationMessage": _decode_authorization_message,
    "sts:GetAccessKeyInfo": _get_access_key_info,
    "sts:GetCallerIdentity": _get_caller_identity,
    "sts:GetFederationToken": _get_federation_token,
    "sts:GetSessionToken": _get_session_token,
}
