"""What one user or role may do, as one policy document: what its boundary, its SCPs and every Deny leave of it.

Conditions are kept. What the policies of resources add or withhold is left out: `paths.who_reaches` answers for one.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

from simlib.audit.arns import listed
from simlib.audit.facts import Facts
from simlib.iam import Statement, service_data
from simlib.iam.matching import parse, texts_by_match

_EITHER = ("StringEquals", "StringEqualsIgnoreCase", "Bool", "NumericEquals", "DateEquals")  # values without wildcards


class Part(NamedTuple):
    """What some statements allow together: resources, those excepted from them, and conditions."""

    resources: tuple[str, ...]
    excepted: tuple[str, ...]
    condition: dict[str, dict[str, list[str]]]


def effective_permissions(facts: Facts, arn: str) -> dict[str, Any]:
    """A document that allows what a user or role of `facts` is allowed, and nothing else.

    Actions are those of `service_data`: newer ones are in it where a whole service or `*` is. Raises `LookupError` for
    who is not there, `ValueError` where an intersection of two policies has no text in the policy language.
    """
    if arn not in facts.identities:
        raise LookupError(f"There is no user or role {arn[:200]} here.")
    own, policies = facts.identities[arn], facts.layers(arn)
    layers = [[each for policy in layer for each in policy.statements] for layer in policies]
    variables = {"${aws:username}": own.name if own.kind == "user" else "${aws:username}",
                 "${aws:PrincipalAccount}": own.account}  # fmt: skip
    statements: dict[str, list[str]] = {}
    for covering, actions in _alike(layers).items():
        parts = {each: _part(each, variables) for each in covering}
        allows_of = [[parts[each] for each in layer if each in parts and each.effect == "Allow"] for layer in layers]
        allowed = [_together(each) for each in product(*allows_of)]
        denies = [part for each, part in parts.items() if each.effect == "Deny"]
        allows = [part for part in allowed if part and not any(_takes_all(deny, part) for deny in denies)]
        denies += [part._replace(resources=part.excepted, excepted=(), condition={}) for part in _split(allows)]
        for part in allows:
            statements.setdefault(json.dumps(_statement("Allow", part)), []).extend(actions)
        for deny in denies:
            if any(_meet(deny, part) for part in allows):
                statements.setdefault(json.dumps(_statement("Deny", deny)), []).extend(actions)
    texts = {text for layer in layers for each in layer for text in listed(each.document.get("Action", []))}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": json.loads(text)["Effect"], "Action": _shortened(set(actions), texts), **json.loads(text)}
            for text, actions in statements.items()
        ],
    }


def _alike(layers: Sequence[Sequence[Statement]]) -> dict[tuple[Statement, ...], list[str]]:
    """The known actions, those together that the same statements cover."""
    allows = [each for each in layers[0] if each.effect == "Allow"]
    prefixes = {text.partition(":")[0].lower() for each in allows for text in each.actions.texts}
    wide = any(each.not_action for each in allows) or any(set(prefix) & set("*?") for prefix in prefixes)
    groups: dict[tuple[Statement, ...], list[str]] = {}
    for prefix in sorted(service_data.services() if wide else prefixes & service_data.services()):
        for action in _actions(prefix):
            low = action.lower()
            covering = tuple([each for layer in layers for each in layer if each.covers_action(low)])
            groups.setdefault(covering, []).append(action)
    return groups


@lru_cache(maxsize=1024)
def _actions(prefix: str) -> tuple[str, ...]:
    service = service_data.service(prefix)
    return tuple(f"{prefix}:{each.name}" for each in service.actions.values()) if service else ()


def _part(statement: Statement, variables: dict[str, str]) -> Part:
    def resolve(name: str) -> tuple[str, ...]:
        texts = listed(statement.document[name]) if name in statement.document else []
        for variable, value in variables.items():
            texts = [text.replace(variable, value) for text in texts]
        return tuple(texts)

    condition = {
        operator: {key: listed(values) for key, values in keys.items()}
        for operator, keys in (statement.document.get("Condition") or {}).items()
    }
    return Part(resolve("Resource") or ("*",), resolve("NotResource"), condition)


def _together(parts: tuple[Part, ...]) -> Part | None:
    """What all the parts allow; None where that is nothing."""
    resources: tuple[str, ...] = ("*",)
    excepted, condition = tuple[str, ...](), dict[str, dict[str, list[str]]]()
    for part in parts:
        resources = tuple(dict.fromkeys(each for pair in product(resources, part.resources) for each in _common(*pair)))
        excepted += part.excepted
        for operator, keys in part.condition.items():
            for key, values in keys.items():
                known = condition.setdefault(operator, {}).get(key, values)
                condition[operator][key] = _both(operator, key, known, values)
    resources = tuple(each for each in resources if not any(_within(each, other) for other in excepted))
    excepted = tuple(dict.fromkeys(each for each in excepted if any(_common(each, other) for other in resources)))
    empty = any(values == [] for keys in condition.values() for values in keys.values())
    return Part(resources, excepted, condition) if resources and not empty else None


def _split(parts: list[Part]) -> Iterator[Part]:
    """Those of which what they except has to be denied, for a statement has no room for it beside its resources."""
    for part in parts:
        if part.excepted and part.resources != ("*",):
            without = part._replace(resources=part.excepted, excepted=())
            others = [each for each in parts if not set(part.excepted) <= set(each.excepted)]
            if any(_meet(without, each) for each in others):
                text = f"{', '.join(part.resources)} without {', '.join(part.excepted)}"
                raise ValueError(f"{text} has no text in a single statement, and another one allows more.")
            yield part


def _both(operator: str, key: str, one: list[str], other: list[str]) -> list[str]:
    """The values with which two conditions of one operator and key hold at once."""
    if one == other:
        return one
    if "Not" in operator:
        return [*one, *(each for each in other if each not in one)]
    if operator.removesuffix("IfExists") in _EITHER:
        return [each for each in one if each in other]
    raise ValueError(f"Two conditions {operator} on {key} have no text in a single statement.")


ONE_ALONE, OTHER_ALONE, BOTH = 1, 2, 3  # which of two patterns a text matches


@lru_cache(maxsize=8192)
def _matches(one: str, other: str) -> frozenset[int]:
    """In which ways texts match two patterns; what a variable stands for nobody knows."""
    if "${" not in one + other:
        return frozenset(texts_by_match([parse(one), parse(other)]))
    return frozenset({BOTH} if one == other else {ONE_ALONE, OTHER_ALONE, BOTH})


def _common(one: str, other: str) -> list[str]:
    """The pattern of what both mean; none where no text matches both."""
    if _within(one, other) or _within(other, one):
        return [one if _within(one, other) else other]
    if BOTH in _matches(one, other):
        raise ValueError(f"What {one} and {other} have in common has no pattern of its own.")
    return []


def _within(one: str, other: str) -> bool:
    """Whether whatever the one pattern means the other one means, too."""
    return other == "*" or ONE_ALONE not in _matches(one, other)


def _meet(deny: Part, part: Part) -> bool:
    if deny.excepted:
        return not all(any(_within(each, other) for other in deny.excepted) for each in part.resources)
    return any(BOTH in _matches(each, other) for each in part.resources for other in deny.resources)


def _takes_all(deny: Part, part: Part) -> bool:
    """Whether nothing is left of a part."""
    inside = all(any(_within(each, other) for other in deny.resources) for each in part.resources)
    return inside and not deny.excepted and not deny.condition


def _statement(effect: str, part: Part) -> dict[str, Any]:
    whole = part.excepted and part.resources == ("*",)
    place = {"NotResource": list(part.excepted)} if whole else {"Resource": list(part.resources)}
    return {"Effect": effect, **place, **({"Condition": part.condition} if part.condition else {})}


def _shortened(actions: set[str], texts: Iterable[str]) -> list[str]:
    """The same actions by patterns that the policies or whole services have, where these mean no other ones."""
    rest, short = set(actions), list[str]()
    services = sorted({action.partition(":")[0] for action in actions})
    for text in (*sorted(texts, key=len), *(f"{prefix}:*" for prefix in services)):
        low = text.lower()
        among = fnmatch.filter(service_data.services(), low.partition(":")[0])
        covered = {each for prefix in among for each in _actions(prefix) if fnmatch.fnmatchcase(each.lower(), low)}
        if set(low) & set("*?") and covered and covered <= actions and covered & rest:
            short.append(text)
            rest -= covered
    return [*short, *sorted(rest)]
