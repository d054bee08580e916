"""The generated scenarios cover the whole language and the whole decision: each feature is met, and often enough."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from simlib.iam.conditions import OPERATORS
from tests.iam.differential.parts import all_statements, caller_of, documents, listed, statements
from tests.iam.differential.scenarios import CALLERS, CANONICAL, OTHER, OWN, REQUESTS, scenario

COUNT = 3_000
FIELDS = ("identity_policies", "permissions_boundary", "session_policies", "resource_policy", "scps", "rcps")
ELEMENTS = ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
WRITTEN = ("${aws:username}", "${aws:username, 'alice'}", "${aws:RequestTag/team, 'red'}", "${$}", "${nosuch:key}", "?")
WANTED = {
    *CALLERS,
    *(action for action, _ in REQUESTS),
    *FIELDS,
    *("vpc_endpoint_policies", "several levels of scps", "several levels of rcps"),
    *ELEMENTS,
    *(f"{element} {form}" for element in ("Action", "Resource", "AWS") for form in ("alone", "in a list")),
    *("Statement alone", "Statement in a list", "2012-10-17", "2008-10-17", "no Version"),
    *(f"{before}{base}{after}" for base in OPERATORS if base != "Null"
      for before, after in (("", ""), ("", "IfExists"), ("ForAllValues:", ""), ("ForAnyValue:", ""))),
    *("Null", "a value alone", "values in a list", "an absent key", "a key with several values", "another letter case"),
    *("everybody", "everybody of AWS", "the caller", "its role or user", "its account", "its account's root"),
    *("Service", "Federated", "CanonicalUser", "a deleted principal", "another account"),
    *("across accounts", "a trust policy", "a key policy", "no trust policy", "no key policy", "a service-linked role"),
    *(f"with {text}" for text in WRITTEN),
}  # fmt: skip


def features(made: dict[str, Any]) -> Iterator[str]:
    """What a scenario shows, by the names above."""
    yield from (made["principal"], made["action"])
    yield from (field for field in (*FIELDS, "vpc_endpoint_policies") if field in made)
    yield from (f"several levels of {field}" for field in ("scps", "rcps") if len(made.get(field, [])) > 1)
    if OTHER in (made.get("resource_account"), made["resource"].split(":")[4:5] and made["resource"].split(":")[4]):
        yield "across accounts"
    protected = "trust" if made["action"] == "sts:AssumeRole" else "key" if made["action"] == "kms:Decrypt" else ""
    if protected:
        yield f"{'a' if 'resource_policy' in made else 'no'} {protected} policy"
    if caller_of(made).service_linked:
        yield "a service-linked role"
    for document in documents(made):
        yield document.get("Version", "no Version")
        yield "Statement in a list" if isinstance(document["Statement"], list) else "Statement alone"
        text = json.dumps(statements(document))
        yield from (f"with {each}" for each in WRITTEN if each in text)
    for statement in all_statements(made):
        yield from statement
        for element in {"Action", "Resource"} & set(statement):
            yield f"{element} {'in a list' if isinstance(statement[element], list) else 'alone'}"
        yield from named(statement.get("Principal", {}), made)
        yield from compared(statement.get("Condition", {}), made)


def named(principal: Any, made: dict[str, Any]) -> Iterator[str]:
    if principal == "*":
        yield "everybody"
        return
    yield from set(principal) - {"AWS"}
    if "AWS" in principal:
        yield f"AWS {'in a list' if isinstance(principal['AWS'], list) else 'alone'}"
    meanings = {"*": "everybody of AWS", made["principal"]: "the caller", made.get("role_arn"): "its role or user"}
    meanings |= {OWN: "its account", f"arn:aws:iam::{OWN}:root": "its account's root", OTHER: "another account"}
    for name in listed(principal.get("AWS", [])):
        yield "a deleted principal" if name.startswith("AIDA") else meanings.get(name, "somebody else")
    assert listed(principal.get("CanonicalUser", CANONICAL)) == [CANONICAL]


def compared(condition: dict[str, Any], made: dict[str, Any]) -> Iterator[str]:
    context = {key.lower(): value for key, value in made["context"].items()}
    for operator, keys in condition.items():
        qualifier, _, name = operator.rpartition(":")
        base = name.removesuffix("IfExists")
        yield from (base, name, f"{qualifier}:{base}")
        for key, wanted in keys.items():
            yield "values in a list" if isinstance(wanted, list) else "a value alone"
            if key.lower() not in context:
                yield "an absent key"
            elif isinstance(context[key.lower()], list):
                yield "a key with several values"
            if key.lower() in context and key not in made["context"]:
                yield "another letter case"


def test_every_feature_is_met() -> None:
    met = Counter(feature for seed in range(COUNT) for feature in set(features(scenario(seed))))
    assert not sorted(WANTED - set(met))
    assert not [(feature, met[feature]) for feature in WANTED if met[feature] < 3 and not feature.startswith("For")]
