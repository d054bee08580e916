"""A policy in lines, for people who write challenges: `Allow s3:GetObject on arn:aws:s3:::{bucket}/*`.

    NAME: Allow|Deny ACTION, ACTION [on RESOURCE, RESOURCE] [for PRINCIPAL, PRINCIPAL] [if OPERATOR KEY = VALUE | VALUE
    [and …]]

`NAME:` becomes the Sid. Without `on` an identity's policy is about `*`. A table in place of a line is taken as it is:
JSON as AWS wants it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

Lines = str | Mapping[str, Any] | Iterable[Any]
_LINE = re.compile(
    r"(?:(?P<sid>\w+): )?(?P<effect>Allow|Deny) (?P<actions>.+?)(?: on (?P<resources>.+?))?"
    r"(?: for (?P<principals>.+?))?(?: if (?P<conditions>.+))?"
)
_CONDITION = re.compile(r"(?P<operator>[\w:]+) (?P<key>\S+) = (?P<values>.*)")


def policy(lines: Lines, kind: str = "identity") -> str:
    """The JSON text of a policy; `kind` as in `Policy.parse`. Raises `ValueError` for a line that says nothing."""
    if isinstance(lines, str) and lines.startswith("{"):
        return lines
    if isinstance(lines, Mapping) and "Statement" in lines:
        return json.dumps(lines, indent=2)
    each = [lines] if isinstance(lines, str | Mapping) else lines
    statements = [dict(line) if isinstance(line, Mapping) else _statement(line, kind) for line in each]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)


def _statement(line: str, kind: str) -> dict[str, Any]:
    match = _LINE.fullmatch(" ".join(line.split()))
    if match is None:
        raise ValueError(
            f"{line!r} is no statement. Write `Allow s3:GetObject on arn:aws:s3:::b/* for PRINCIPAL if StringEquals "
            "KEY = VALUE`, of which only `Allow` (or `Deny`) and the actions are needed."
        )
    statement: dict[str, Any] = {"Sid": match["sid"]} if match["sid"] else {}
    statement["Effect"] = match["effect"]
    if match["principals"] or kind == "rcp":
        statement["Principal"] = _principals(_listed(match["principals"] or "*"), kind)
    statement["Action"] = _one(_listed(match["actions"]))
    if match["resources"] or kind not in ("trust", "resource"):
        statement["Resource"] = _one(_listed(match["resources"] or "*"))
    for condition in (match["conditions"] or "").split(" and ") if match["conditions"] else ():
        term = _CONDITION.fullmatch(condition)
        if term is None:
            raise ValueError(f"{condition!r} is no condition. Write `StringEquals aws:PrincipalTag/team = web`.")
        values = [value.strip() for value in term["values"].split(" | ")]
        statement.setdefault("Condition", {}).setdefault(term["operator"], {})[term["key"]] = _one(values)
    return statement


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",")]


def _one(values: list[str]) -> Any:
    return values[0] if len(values) == 1 else values


def _principals(names: list[str], kind: str) -> Any:
    if names == ["*"] and kind != "trust":
        return "*"
    kinds: dict[str, list[str]] = {}
    for name in names:
        service = not name.startswith("arn:") and "." in name
        key = "Service" if service else "Federated" if "-provider/" in name else "AWS"
        kinds.setdefault(key, []).append(name)
    return {key: _one(each) for key, each in kinds.items()}
