"""Rules about what is there: a call that the policies allow may still be refused, in its service's words.

The rules are the rows of `rules.toml`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jmespath

from simlib.cloud.call_context import CallContext
from simlib.cloud.storage.stored import jmespath_view
from simlib.cloud.transport.refusals import Refusal

_TABLE: Mapping[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
INSTEAD = {name: text for names, text in _TABLE["instead"].items() for name in names.split()}
_compiled = cache(jmespath.compile)


class CallFacts:
    """What the rules of a service ask: the members of a call, in capitals, and what its subclass knows besides."""

    def __init__(self, context: CallContext) -> None:
        self.context, self.caller = context, context.caller
        self.account, self.operation = context.caller.account, context.call.operation

    def __getitem__(self, member: str) -> Any:
        """A member of the call, None where it is left out."""
        return self.context.parameters.get(member)

    def get(self, name: str) -> Any:
        """What JMESPath asks for; raises LookupError for what the table spells wrongly."""
        if name[0].isupper():
            return jmespath_view(self[name])
        try:
            return jmespath_view(getattr(self, name))
        except AttributeError as error:  # JMESPath would take it for null
            raise LookupError(name) from error


def checks(
    service: str, facts: Callable[[CallContext], CallFacts] = CallFacts
) -> Mapping[str, Callable[[CallContext], None]]:
    """For `additions.BEFORE`: the first row of the service's that is true of a call refuses it."""
    rows = [(operations.split(), *rest) for operations, *rest in _TABLE[service]]

    @cache
    def of_operation(operation: str) -> list[tuple[str, str, str]]:
        return [(when, code, text) for names, when, code, text in rows if operation in names or names == ["*"]]

    def check(context: CallContext) -> None:
        known = facts(context)
        for when, code, text in of_operation(known.operation):
            if _compiled(when).search(known):
                situation = "service" if context.evaluations else ""
                status = _TABLE["status"].get(code, 400)
                raise Refusal(code, text.format(known, **context.parameters), status, situation=situation)

    named = {name for operations, *_ in rows for name in operations}
    return {f"{service}:{name}": check for name in (["*"] if "*" in named else named)}
