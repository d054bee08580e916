"""What a call of KMS asks permission for: keys by their ARN, however they are named.

https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
"""

from __future__ import annotations

from collections.abc import Iterator

from simlib.cloud.credentials.sessions import Caller
from simlib.cloud.permissions.asked import Requested, account_of
from simlib.cloud.storage import resources
from simlib.cloud.transport.calls import Call

_WITH_CONTEXT = ("EncryptionContext", "SourceEncryptionContext", "DestinationEncryptionContext")
_NO_KEY = ("CreateKey", "ListKeys", "ListAliases", "GenerateRandom", "ListRetirableGrants")


def requested(call: Call, caller: Caller) -> Iterator[Requested]:
    """Every permission a call of KMS needs; where it names an alias, `kms:RequestAlias` says so."""
    given, action = call.parameters, f"kms:{call.operation}"
    if call.operation in _NO_KEY or "CustomKeyStore" in call.operation:
        yield Requested(action, "*", caller.account, _context(call, ""))
    elif call.operation in ("CreateAlias", "UpdateAlias", "DeleteAlias"):
        yield from _alias(call, caller, action)
    elif call.operation == "ReEncrypt":
        source = str(given.get("SourceKeyId", ""))
        yield _asked(call, caller, "kms:ReEncryptFrom", source, "SourceEncryptionContext")
        target = str(given.get("DestinationKeyId", ""))
        yield _asked(call, caller, "kms:ReEncryptTo", target, "DestinationEncryptionContext")
    elif call.operation == "RetireGrant" and "KeyId" not in given:
        yield Requested(action, "*", caller.account)
    else:
        yield _asked(call, caller, action, str(given.get("KeyId", "")), "EncryptionContext")


def _alias(call: Call, caller: Caller, action: str) -> Iterator[Requested]:
    """An alias is asked about, and every key it points or pointed to."""
    alias = str(call.parameters.get("AliasName", ""))
    yield Requested(action, f"arn:aws:kms:{call.region}:{caller.account}:{alias}", caller.account)
    for name in (alias, str(call.parameters.get("TargetKeyId", ""))):
        if arn := resources.key_arn(name, call.region, caller.account) if name else None:
            yield Requested(action, arn, account_of(arn) or caller.account, _context(call, ""))


def _asked(call: Call, caller: Caller, action: str, name: str, encryption_context: str) -> Requested:
    blob = call.parameters.get("CiphertextBlob")
    in_ciphertext = not name and isinstance(blob, bytes | str)
    if in_ciphertext:  # the ciphertext tells its key
        arn = resources.key_of_ciphertext(blob if isinstance(blob, bytes) else str(blob).encode(), call.region)
    else:
        arn = resources.key_arn(name, call.region, caller.account)
    if arn is None:
        arn = name if name.startswith("arn:") else f"arn:aws:kms:{call.region}:{caller.account}:key/{name or '*'}"
    context = _context(call, encryption_context)
    if ":alias/" in f":{name}" and ":key/" in arn:
        context["kms:RequestAlias"] = name.rpartition(":")[2]
    context["kms:ResourceAliases"] = resources.key_aliases(arn)
    context["kms:CallerAccount"] = caller.account
    return Requested(action, arn, account_of(arn) or caller.account, {k: v for k, v in context.items() if v})


def _context(call: Call, encryption_context: str) -> dict[str, str | list[str]]:
    given = call.parameters
    pairs = given.get(encryption_context) or {}
    context: dict[str, str | list[str]] = {f"kms:EncryptionContext:{key}": str(value) for key, value in pairs.items()}
    if pairs:
        context["kms:EncryptionContextKeys"] = [str(key) for key in pairs]
    if grants := given.get("Operations"):
        context["kms:GrantOperations"] = [str(name) for name in grants]
        context["kms:GranteePrincipal"] = str(given.get("GranteePrincipal", ""))
    if call.operation == "CreateGrant":
        context["kms:GrantIsForAWSResource"] = "false"
    if days := given.get("PendingWindowInDays"):
        context["kms:ScheduleKeyDeletionPendingWindowInDays"] = str(days)
    for member, key in (("KeySpec", "kms:KeySpec"), ("KeyUsage", "kms:KeyUsage"),
                        ("BypassPolicyLockoutSafetyCheck", "kms:BypassPolicyLockoutSafetyCheck")):  # fmt: skip
        if member in given:
            context[key] = str(given[member]).lower() if isinstance(given[member], bool) else str(given[member])
    return context
