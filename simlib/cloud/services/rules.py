"""Rules about what is there: a call that the policies allow may still be refused, in its service's words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from simlib.cloud.call_context import CallContext
from simlib.cloud.transport.refusals import Objection

_STATUS = {"NoSuchEntity": 404, "NoSuchBucket": 404, "EntityAlreadyExists": 409, "DeleteConflict": 409,
           "LimitExceeded": 409, "AccessDenied": 403, "NotImplemented": 501}  # fmt: skip


class Rule(NamedTuple):
    """When some operations (names by white space, "*" for all) are refused, and how.

    `applies` looks at the facts: what a call names, as it is stored. `text` may show the call's members by name and the
    facts as `{0}`.
    """

    operations: str
    applies: Callable[[Any], Any]
    code: str
    text: str


class Facts:
    """What a call says of itself; each service's facts add what is stored."""

    def __init__(self, context: CallContext) -> None:
        self.context, self.account, self.operation = context, context.caller.account, context.call.operation

    def __getitem__(self, member: str) -> Any:
        """A member of the call, None where it is left out."""
        return self.context.parameters.get(member)


def checks(
    service: str, facts: Callable[[CallContext], Facts], rules: Iterable[Rule]
) -> Mapping[str, Callable[[CallContext], None]]:
    """For `additions.BEFORE`: the first of the rules that applies to a call of the service refuses it."""
    by_operation: dict[str, list[Rule]] = {}
    names = {name for rule in rules for name in rule.operations.split()} - {"*"}
    for rule in rules:
        for name in names if rule.operations == "*" else rule.operations.split():
            by_operation.setdefault(name, []).append(rule)
    everywhere = [rule for rule in rules if rule.operations == "*"]

    def check(context: CallContext) -> None:
        known = facts(context)
        for rule in by_operation.get(context.call.operation, everywhere):
            if rule.applies(known):
                text = rule.text.format(known, **context.parameters)
                raise Objection(rule.code, text, _STATUS.get(rule.code, 400))

    return {f"{service}:*": check} if everywhere else {f"{service}:{name}": check for name in by_operation}
