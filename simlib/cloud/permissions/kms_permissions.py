"""The keys of KMS: what a call says of one, and which keys the other services use for a caller.

https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from simlib.cloud.credentials.sessions import Caller
from simlib.cloud.permissions.permission import Context, Permission, account_of
from simlib.cloud.permissions.service_table import look_up, row, search
from simlib.cloud.storage import keys, resources
from simlib.cloud.storage.stored import JmespathView
from simlib.cloud.transport.calls import Call

_PAIRS = {"kms:ReEncryptFrom": "SourceEncryptionContext", "kms:ReEncryptTo": "DestinationEncryptionContext"}
_ALIAS_OF_AWS = "alias/aws/"
_WITH_OWN_KEY = ("secretsmanager", "ssm")  # what they keep is never without a key


def complete(call: Call, caller: Caller, permission: Permission) -> Permission:
    """A permission of KMS's own with its condition keys; where the call names an alias, `kms:RequestAlias` says so."""
    context: dict[str, str | list[str]] = {}
    if permission.resource == "*" or "AliasName" in call.parameters:
        return permission
    name = str(call.parameters.get("DestinationKeyId" if permission.action == "kms:ReEncryptTo" else "KeyId", ""))
    if ":alias/" in f":{name}" and permission.action != "kms:ReEncryptFrom":
        context["kms:RequestAlias"] = name.rpartition(":")[2]
    if call.operation == "ReEncrypt":
        both = ("CiphertextBlob as ciphertext | SourceKeyId as key", "DestinationKeyId as key")
        source, destination = (look_up(path, call, caller.account) for path in both)
        context["kms:ReEncryptOnSameKey"] = str(source == destination).lower()
    pairs = call.parameters.get(_PAIRS.get(permission.action, "EncryptionContext")) or {}
    return _on_key(permission.action, permission.resource, caller, pairs, context, named=bool(name))


def _on_key(
    action: str, arn: str, caller: Caller, pairs: Mapping[str, Any], context: Context, *, named: bool = False
) -> Permission:
    """`pairs` are the encryption context; `named`: whether the request names the key."""
    owner = account_of(arn) or caller.account
    keys = {"kms:EncryptionContextKeys": [str(key) for key in pairs]} if pairs else {}
    each = {f"kms:EncryptionContext:{key}": str(value) for key, value in pairs.items()}
    context = {**context, "kms:CallerAccount": caller.account, **keys, **each}
    what = "this resource" if named or action != "kms:Decrypt" else "the resource associated with this ciphertext"
    return Permission(action, arn, owner, context, rewording=_abroad(what) if owner != caller.account else None)


def _abroad(what: str) -> tuple[str, str]:
    """What KMS says of a key of another account, of which it does not tell whether it is there."""
    reason = "because no resource-based policy .*|with an explicit deny in a resource-based policy"
    return rf' on resource: "?\S+ (?:{reason})$', (
        f" on {what} because the resource does not exist in this Region, no resource-based policies allow access, or a "
        "resource-based policy explicitly denies access"
    )


def behind(call: Call, caller: Caller, permissions: Iterable[Permission]) -> Iterator[Permission]:
    """The permissions to use the customer's keys that encrypt what a call reads or writes.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html and the like of SSM, SQS, SNS
    """
    through, parameters = row(call.service).get("through", {}), call.parameters
    actions = through.get(call.operation, ())
    encrypted = call.service == "ssm" and call.operation.startswith("Get") and not parameters.get("WithDecryption")
    if not actions or encrypted or parameters.get("Type", "SecureString") != "SecureString":
        return
    code, answer = through.get("refusal", ("", r"\g<0>"))
    for permission in permissions:
        key = None
        if permission.resource.startswith(f"arn:aws:{call.service}:"):
            kept = search(through["key"], JmespathView(resources.thing_of(permission.resource)))
            key = parameters.get("KmsKeyId") or parameters.get("KeyId") or kept
            if not key and call.service in _WITH_OWN_KEY:
                key = f"{_ALIAS_OF_AWS}{call.service}"
        if key:
            context = through["context"].items()
            pairs = {name: match[0] for name, part in context if (match := re.search(part, permission.resource))}
            answer = answer.replace("{}", str(uuid.uuid4()))  # the ID of the request to KMS
            for used in (each for name in actions for each in use(call, caller, name, key, pairs, permission.account)):
                pattern, text = used.rewording or ("^.*$", r"\g<0>")
                reworded = ("^.*$", answer) if r"\g<0>" not in answer else (pattern, answer.replace(r"\g<0>", text))
                yield replace(used, rewording=reworded, code=code)


def use(
    call: Call, caller: Caller, action: str, key: Any, pairs: Mapping[str, str], owner: str = ""
) -> Iterator[Permission]:
    """The permission to use a key, of the resource's `owner` or the caller, through the service that was called.

    For the services' own keys nothing is asked: their policies allow everybody of their account, and nobody else.
    """
    owner = owner or caller.account
    arn = keys.arn_of(str(key), call.region, owner) if key else None
    if arn is None and owner != caller.account and str(key).startswith(_ALIAS_OF_AWS):
        arn = f"arn:aws:kms:{call.region}:{owner}:{key}"  # not made yet
    if arn is not None and (account_of(arn) != caller.account or not keys.is_of_aws(arn)):
        via = {"kms:ViaService": f"{call.service}.{call.region}.amazonaws.com", "aws:ViaAWSService": "true"}
        yield _on_key(action, arn, caller, pairs, via)
