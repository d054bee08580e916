"""What a call of DynamoDB asks beside its table: the single requests in a batch, and whose items they touch.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from simlib.cloud.permissions.permission import Context
from simlib.cloud.storage import resources
from simlib.cloud.transport.calls import Call

_PARTIQL = re.compile(
    r'\s*(SELECT|INSERT|DELETE|UPDATE)\b(?:(?<=UPDATE)|(?<!UPDATE).*?\b(?:FROM|INTO))\s+"?([^".\s]+)"?(?:\."?([^".\s]+)"?)?',
    re.IGNORECASE | re.DOTALL,
)
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_TRANSACTED = {"Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem",
               "ConditionCheck": "ConditionCheckItem"}  # fmt: skip
# Members that name attributes: lists, maps by attribute, and expressions
_ATTRIBUTES = ("AttributesToGet", "Key", "Item", "AttributeUpdates", "Expected", "KeyConditions", "QueryFilter",
               "ScanFilter", "ExclusiveStartKey")  # fmt: skip
_EXPRESSIONS = ("ProjectionExpression", "ConditionExpression", "FilterExpression", "KeyConditionExpression",
                "UpdateExpression")  # fmt: skip
_ATTRIBUTE = re.compile(r"(?<![:#\w.])(#?[a-zA-Z_]\w*)(?!\w*\s*\()")
_KEYWORDS = {"SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "IN", "BETWEEN"}
# `pk = :me`, `#pk = :me`: an expression's condition on equality
_EQUALITY = re.compile(r"([#\w.]+)\s*=\s*(:\w+)")


def requests(call: Call) -> Iterator[Call]:
    """The single requests of a call, each with the operation that is its action; else the call itself."""
    parameters = dict(call.parameters)
    within = {"EnclosingOperation": call.operation}
    batch, transaction = parameters.pop("RequestItems", None), parameters.pop("TransactItems", None)
    if batch is not None:
        for name, entry in batch.items():
            if isinstance(entry, list):
                writes = [write.get("PutRequest") or write.get("DeleteRequest") or {} for write in entry]
                entry = {"Keys": [write.get("Item") or write.get("Key") for write in writes]}
            yield replace(call, parameters={**parameters, **entry, "TableName": name})
    elif transaction is not None:
        for member, wanted in (pair for item in transaction for pair in item.items()):
            yield replace(call, operation=_TRANSACTED[member], parameters={**parameters, **wanted, **within})
    elif call.operation in ("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"):
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
        for entry in parameters.get("Statements") or parameters.get("TransactStatements") or [parameters]:
            statement = _PARTIQL.match(str(entry.get("Statement")))
            verb, table, index = statement.groups() if statement else ("Select", None, None)
            named = {"TableName": table, "IndexName": index if verb.upper() == "SELECT" else None}
            named |= within if call.operation == "ExecuteTransaction" else {}
            named = {**parameters, **entry, **{member: name for member, name in named.items() if name}}
            yield replace(call, operation=f"PartiQL{verb.capitalize()}", parameters=named)
    else:
        yield call


def context_of(request: Call, arn: str) -> Context:
    """The attributes and the partition keys of the items of a table or its index that a request reads or writes.

    AWS does not say which key is the leading one in a query of an index: the index's own (a choice).
    """
    parameters = request.parameters
    context: dict[str, str | list[str]] = {"dynamodb:Attributes": names} if (names := _attributes(parameters)) else {}
    attribute = resources.partition_key(arn)
    items = [*parameters.get("Keys", ()), *(parameters[member] for member in ("Key", "Item") if member in parameters)]
    values = [item[attribute] for item in items if isinstance(item, Mapping) and attribute in item]
    if values := [_plain(value) for value in values or _queried(parameters, attribute)]:
        context["dynamodb:LeadingKeys"] = values
    if request.operation == "PartiQLSelect":
        context["dynamodb:FullTableScan"] = str(_scans(str(parameters.get("Statement")), attribute)).lower()
    return context


def _scans(statement: str, attribute: str) -> bool:
    """Whether a SELECT reads the whole table: where some of what it looks for has no certain partition key.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.select.html
    """
    _, *condition = re.split(r"\bWHERE\b", _LITERAL.sub("?", statement), maxsplit=1, flags=re.IGNORECASE)
    key = re.compile(rf'(?<![\w.]){re.escape(attribute)}"?\s*(?:=|\bIN\b)', re.IGNORECASE)
    cases = [case for text in condition for case in re.split(r"\bOR\b", text, flags=re.IGNORECASE)]
    return not (attribute and cases and all(map(key.search, cases)))


def _attributes(parameters: Mapping[str, Any]) -> list[str]:
    """The names of the attributes that a request reads, writes or looks at."""
    aliases = parameters.get("ExpressionAttributeNames") or {}
    names = [str(name) for member in _ATTRIBUTES for name in parameters.get(member) or ()]
    names += [str(name) for item in parameters.get("Keys", ()) for name in item or ()]
    written = [name for member in _EXPRESSIONS for name in _ATTRIBUTE.findall(str(parameters.get(member) or ""))]
    names += [str(aliases.get(name, name)) for name in written if name.upper() not in _KEYWORDS]
    return list(dict.fromkeys(names))


def _queried(parameters: Mapping[str, Any], attribute: str) -> list[Any]:
    """The partition keys a query asks for."""
    values, names = (parameters.get(f"ExpressionAttribute{what}") or {} for what in ("Values", "Names"))
    for left, right in _EQUALITY.findall(str(parameters.get("KeyConditionExpression", ""))):
        if names.get(left, left) == attribute and right in values:
            return [values[right]]
    condition = (parameters.get("KeyConditions") or {}).get(attribute, {})  # from before there were expressions
    return list(condition.get("AttributeValueList", ())) if condition.get("ComparisonOperator") == "EQ" else []


def _plain(value: Any) -> str:
    """ "alice" for {"S": "alice"}."""
    return str(next(iter(value.values()))) if isinstance(value, Mapping) and value else str(value)
