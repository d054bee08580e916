"""What a call of KMS asks permission for: keys by their ARN, however they are named.

https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from simlib.cloud.credentials.sessions import Caller
from simlib.cloud.permissions.permission import Permission, account_of
from simlib.cloud.permissions.service_table import row
from simlib.cloud.storage import resources
from simlib.cloud.transport.calls import Call

_WITH_CONTEXT = ("EncryptionContext", "SourceEncryptionContext", "DestinationEncryptionContext")
_NO_KEY = ("CreateKey", "ListKeys", "ListAliases", "GenerateRandom", "ListRetirableGrants")


def permissions_of(call: Call, caller: Caller) -> Iterator[Permission]:
    """Every permission a call of KMS needs; where it names an alias, `kms:RequestAlias` says so."""
    parameters, action = call.parameters, f"kms:{call.operation}"
    if call.operation in _NO_KEY or "CustomKeyStore" in call.operation:
        yield Permission(action, "*", caller.account, _context(call, ""))
    elif call.operation in ("CreateAlias", "UpdateAlias", "DeleteAlias"):
        yield from _alias(call, caller, action)
    elif call.operation == "ReEncrypt":
        yield _permission(call, caller, "kms:ReEncryptFrom", "", "SourceEncryptionContext")
        yield _permission(
            call, caller, "kms:ReEncryptTo", str(parameters.get("DestinationKeyId", "")), "DestinationEncryptionContext"
        )
    elif call.operation == "RetireGrant" and "KeyId" not in parameters:
        yield Permission(action, "*", caller.account)
    else:
        yield _permission(call, caller, action, str(parameters.get("KeyId", "")), "EncryptionContext")


def _alias(call: Call, caller: Caller, action: str) -> Iterator[Permission]:
    """An alias is asked about, and every key it points or pointed to."""
    alias = str(call.parameters.get("AliasName", ""))
    yield Permission(action, f"arn:aws:kms:{call.region}:{caller.account}:{alias}", caller.account)
    for name in (alias, str(call.parameters.get("TargetKeyId", ""))):
        if arn := resources.key_arn(name, call.region, caller.account) if name else None:
            yield Permission(action, arn, account_of(arn) or caller.account, _context(call, ""))


def _permission(call: Call, caller: Caller, action: str, name: str, encryption_context: str) -> Permission:
    """`name` is the key's as the call has it, "" where the ciphertext tells it, whatever else the call says."""
    blob = call.parameters.get("CiphertextBlob")
    arn = resources.key_arn(name, call.region, caller.account) if name else None
    if blob and (action == "kms:Decrypt" or not name):
        arn = resources.key_of_ciphertext(blob if isinstance(blob, bytes) else str(blob).encode(), call.region) or arn
    if arn is None:
        plain = name if name.startswith("alias/") else f"key/{name or '*'}"
        arn = name if name.startswith("arn:") else f"arn:aws:kms:{call.region}:{caller.account}:{plain}"
    context = _context(call, encryption_context)
    if ":alias/" in f":{name}" and ":key/" in arn:
        context["kms:RequestAlias"] = name.rpartition(":")[2]
    context["kms:ResourceAliases"] = resources.key_aliases(arn)
    context["kms:CallerAccount"] = caller.account
    owner = account_of(arn) or caller.account
    known = {key: value for key, value in context.items() if value}
    return Permission(action, arn, owner, known, rewording=_abroad(action, owner, caller))


def _abroad(action: str, owner: str, caller: Caller) -> tuple[str, str] | None:
    """What KMS says of a key of another account, of which it does not tell whether it is there."""
    if owner == caller.account:
        return None
    reason = "because no resource-based policy .*|with an explicit deny in a resource-based policy"
    text = ("because the resource does not exist in this Region, no resource-based policies allow access, or a "
            "resource-based policy explicitly denies access")  # fmt: skip
    if action == "kms:Decrypt":
        return rf' on resource: "?\S+ (?:{reason})$', f" on the resource associated with this ciphertext {text}"
    return f"(?:{reason})$", text


def _context(call: Call, encryption_context: str) -> dict[str, str | list[str]]:
    parameters = call.parameters
    pairs = parameters.get(encryption_context) or {}
    context: dict[str, str | list[str]] = {f"kms:EncryptionContext:{key}": str(value) for key, value in pairs.items()}
    if pairs:
        context["kms:EncryptionContextKeys"] = [str(key) for key in pairs]
    if call.operation == "CreateGrant":
        context["kms:GrantIsForAWSResource"] = "false"
    return context


_ALIAS_OF_AWS = "alias/aws/"
_WITH_OWN_KEY = ("secretsmanager", "ssm")  # what they keep is never without a key


def behind(call: Call, caller: Caller, permissions: Iterable[Permission]) -> Iterator[Permission]:
    """The permissions to use the customer's keys that encrypt what a call reads or writes.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html and the like of SSM, SQS, SNS
    """
    through = row(call.service).get("through", {})
    parameters, actions = call.parameters, through.get(call.operation, ())
    encrypted = call.service == "ssm" and call.operation.startswith("Get") and not parameters.get("WithDecryption")
    if not actions or encrypted:
        return
    for permission in permissions:
        if not permission.resource.startswith(f"arn:aws:{call.service}:"):
            continue
        key = parameters.get("KmsKeyId") or parameters.get("KeyId") or resources.encryption_key(permission.resource)
        if not key and call.service in _WITH_OWN_KEY:
            key = f"{_ALIAS_OF_AWS}{call.service}"
        if parameters.get("Type", "SecureString") != "SecureString":
            continue
        for action in actions:
            yield from use(call, caller, action, key, {through["context"]: permission.resource}, permission.account)


def use(
    call: Call, caller: Caller, action: str, key: Any, encryption_context: Mapping[str, str], owner: str = ""
) -> Iterator[Permission]:
    """The permission to use a key, of the resource's `owner` or the caller, through the service that was called.

    For the services' own keys nothing is asked: their policies allow everybody of their account, and nobody else.
    """
    owner = owner or caller.account
    arn = resources.key_arn(str(key), call.region, owner) if key else None
    if arn is None and owner != caller.account and str(key).startswith(_ALIAS_OF_AWS):
        arn = f"arn:aws:kms:{call.region}:{owner}:{key}"  # not made yet
    if arn is None or (account_of(arn) == caller.account and resources.is_of_aws(arn)):
        return
    context: dict[str, str | list[str]] = {
        "kms:ViaService": f"{call.service}.{call.region}.amazonaws.com",
        "kms:CallerAccount": caller.account,
        "kms:EncryptionContextKeys": list(encryption_context),
        "aws:ViaAWSService": "true",
    }
    context |= {f"kms:EncryptionContext:{name}": value for name, value in encryption_context.items()}
    of = account_of(arn) or caller.account
    yield Permission(action, arn, of, context, rewording=_abroad(action, of, caller))
