"""What a call of DynamoDB asks permission for: tables and their indexes, and whose items by their partition key.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from simlib.cloud.credentials.sessions import Caller
from simlib.cloud.permissions.permission import Permission, account_of
from simlib.cloud.storage import resources
from simlib.cloud.transport.calls import Call

_PARTIQL_TABLE = {
    "SELECT": r'\bFROM\s+"?([^".\s]+)"?(?:\."?([^".\s]+)"?)?',
    "INSERT": r'\bINTO\s+"?([^".\s]+)"?()',
    "UPDATE": r'\bUPDATE\s+"?([^".\s]+)"?()',
    "DELETE": r'\bFROM\s+"?([^".\s]+)"?()',
}
_TRANSACTED = {
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
# Members that name attributes: lists, maps by attribute, and expressions
_ATTRIBUTES = ("AttributesToGet", "Key", "Item", "AttributeUpdates", "Expected", "KeyConditions", "QueryFilter",
               "ScanFilter", "ExclusiveStartKey")  # fmt: skip
_EXPRESSIONS = ("ProjectionExpression", "ConditionExpression", "FilterExpression", "KeyConditionExpression",
                "UpdateExpression")  # fmt: skip
_ATTRIBUTE = re.compile(r"(?<![:#\w.])(#?[a-zA-Z_]\w*)(?!\w*\s*\()")
_KEYWORDS = {"SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "IN", "BETWEEN"}
# `pk = :me`, `#pk = :me`: an expression's condition on equality
_EQUALITY = re.compile(r"([#\w.]+)\s*=\s*(:\w+)")
_Keys = dict[str, str | list[str]]


def permissions_of(call: Call, caller: Caller) -> list[Permission] | None:
    """What is asked where an item is read or written; None for the calls the general rule describes."""
    parameters, action = call.parameters, f"dynamodb:{call.operation}"
    if call.operation in ("BatchGetItem", "BatchWriteItem"):
        return [
            _permission(call, caller, action, name, _leading(call, caller, name, list(_batched(entry))))
            for name, entry in (parameters.get("RequestItems") or {}).items()
        ]
    if call.operation in ("TransactGetItems", "TransactWriteItems"):
        return list(_transaction(call, caller))
    if call.operation in ("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"):
        return list(_statements(call, caller))
    if "TableName" not in parameters:
        return None
    name = str(parameters["TableName"])
    context: _Keys = {"dynamodb:Attributes": names} if (names := attributes(parameters)) else {}
    keys = [parameters[member] for member in ("Key", "Item") if member in parameters]
    context |= _leading(call, caller, name, keys) if keys else _queried(call, caller, name)
    return [_permission(call, caller, action, name, context, index=str(parameters.get("IndexName", "")))]


def attributes(parameters: Mapping[str, Any]) -> list[str]:
    """`dynamodb:Attributes`: the names of the attributes that a call reads, writes or looks at."""
    aliases = parameters.get("ExpressionAttributeNames") or {}
    names = [str(name) for member in _ATTRIBUTES for name in parameters.get(member) or ()]
    written = [name for member in _EXPRESSIONS for name in _ATTRIBUTE.findall(str(parameters.get(member) or ""))]
    names += [str(aliases.get(name, name)) for name in written if name.upper() not in _KEYWORDS]
    return list(dict.fromkeys(names))


def table_arn(call: Call, caller: Caller, name: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:dynamodb:{call.region}:{caller.account}:table/{name}"


def _permission(
    call: Call, caller: Caller, action: str, name: str, context: Mapping[str, str | list[str]], *, index: str = ""
) -> Permission:
    arn = table_arn(call, caller, name)
    return Permission(action, f"{arn}/index/{index}" if index else arn, account_of(arn) or caller.account, context)


def _batched(entry: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(entry, Mapping):
        yield from entry.get("Keys", ())
        return
    for write in entry:
        yield write["PutRequest"]["Item"] if "PutRequest" in write else write["DeleteRequest"]["Key"]


def _transaction(call: Call, caller: Caller) -> Iterator[Permission]:
    for item in call.parameters.get("TransactItems") or ():
        for member, operation in _TRANSACTED.items():
            if wanted := item.get(member):
                name = str(wanted.get("TableName", ""))
                keys = [wanted[what] for what in ("Key", "Item") if what in wanted]
                context = {**_leading(call, caller, name, keys), "dynamodb:EnclosingOperation": call.operation}
                yield _permission(call, caller, f"dynamodb:{operation}", name, context)


def _statements(call: Call, caller: Caller) -> Iterator[Permission]:
    """PartiQL: the verb is the action, and the table stands behind it.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
    """
    parameters = call.parameters
    texts = [parameters.get("Statement")] + [e.get("Statement") for e in parameters.get("Statements") or ()]
    texts += [entry.get("Statement") for entry in parameters.get("TransactStatements") or ()]
    for text in filter(None, texts):
        verb = str(text).split(None, 1)[0].upper() if str(text).strip() else ""
        found = re.search(_PARTIQL_TABLE.get(verb, r"(?!)()()"), str(text), re.IGNORECASE)
        action = f"dynamodb:PartiQL{verb.capitalize() if verb in _PARTIQL_TABLE else 'Select'}"
        if found:
            yield _permission(call, caller, action, found[1], {}, index=found[2])
        else:
            yield Permission(action, "*", caller.account)


def _leading(call: Call, caller: Caller, name: str, keys: list[Any]) -> _Keys:
    """`dynamodb:LeadingKeys`: the partition keys of the items a call touches."""
    attribute = resources.partition_key(table_arn(call, caller, name))
    values = [_plain(key[attribute]) for key in keys if isinstance(key, Mapping) and attribute in key]
    return {"dynamodb:LeadingKeys": values} if values else {}


def _queried(call: Call, caller: Caller, name: str) -> _Keys:
    """The partition key a query asks for."""
    parameters = call.parameters
    attribute = resources.partition_key(table_arn(call, caller, name))
    values = parameters.get("ExpressionAttributeValues") or {}
    names = parameters.get("ExpressionAttributeNames") or {}
    for left, right in _EQUALITY.findall(str(parameters.get("KeyConditionExpression", ""))):
        if names.get(left, left) == attribute and right in values:
            return {"dynamodb:LeadingKeys": [_plain(values[right])]}
    wanted = (parameters.get("KeyConditions") or {}).get(attribute, {})  # from before there were expressions
    if wanted.get("ComparisonOperator") == "EQ":
        return {"dynamodb:LeadingKeys": [_plain(value) for value in wanted.get("AttributeValueList", ())]}
    return {}


def _plain(value: Any) -> str:
    """ "alice" for {"S": "alice"}."""
    return str(next(iter(value.values()))) if isinstance(value, Mapping) and value else str(value)
