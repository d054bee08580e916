"""Questions to the gate, and what allows them: a decision, and the conditions that somebody could meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from simlib.cloud.inspection import Place
from simlib.iam import Evaluation, Policy, PolicySet, Request, Statement, evaluate
from simlib.iam.partial import Term, possible
from simlib.iam.principals import Kind

Instead = Mapping[Place, Policy | None]
NOTHING: Mapping[Any, Any] = MappingProxyType({})
#: What AWS says of whom one of its services acts for; the trust policy of a role may ask a service for it, nobody else.
_ON_BEHALF = ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner")
_MFA = ("aws:multifactorauthpresent", "aws:multifactorauthage")


class Grant(NamedTuple):
    """A decision that allows, and the conditions it takes, in words."""

    evaluation: Evaluation
    needs: tuple[str, ...] = ()


def only_if(needs: Sequence[str]) -> str:
    """ "; only if MFA and …", to stand behind a clause; "" where nothing is needed."""
    return f"; only if {' and '.join(needs)}" if needs else ""


def grant_of(evaluation: Evaluation) -> Grant | None:
    """A decision that allows, as it is or on a request that brings what policies ask for: MFA, an external ID, claims
    of a token; None where that does not help.

    What AWS knows of a caller by itself (account, organization, tags) nobody can bring; a role's session has no MFA.
    """
    if evaluation.allowed:
        return Grant(evaluation)
    request, policies = evaluation.request, evaluation.policies
    mentioned = {each.key for statement in _statements(policies, request) for each in statement.conditions}
    fixed = ("aws:principal", "aws:resource", *(_MFA if request.caller.kind != Kind.USER else ()),
             *(_ON_BEHALF if request.caller.kind != Kind.SERVICE else ()))  # fmt: skip
    open_keys = [key for key in mentioned - set(request.values) if not key.startswith(fixed)]
    if not open_keys:
        return None
    possibility = possible(request, policies, open_keys)
    if not possibility.depends_on or possibility.witness is None:
        return None
    context = {**request.context, **possibility.witness[1]}
    again = Request(request.principal, request.action, request.resource, request.resource_account, context,
                    request.role_arn)  # fmt: skip
    shortest = min(possibility.depends_on, key=lambda terms: len(terms))
    return Grant(evaluate(again, policies), tuple(dict.fromkeys(map(words, shortest))))


def words(term: Term) -> str:
    """A condition in words: "MFA", "sts:ExternalId is acme", "aws:SourceIp is in 192.0.2.0/24"."""
    operator = term.operator.rpartition(":")[2].removesuffix("IfExists")
    if term.key.lower() in _MFA:
        return "MFA"
    negated = ("Not" in operator) is term.holds
    verb = {"StringLike": "like ", "StringNotLike": "like ", "ArnLike": "like ", "ArnNotLike": "like ",
            "IpAddress": "in ", "NotIpAddress": "in "}.get(operator, "")  # fmt: skip
    if not verb and not operator.startswith(("String", "Arn", "Bool")):
        return f"{term.key} {'meets' if term.holds else 'does not meet'} {term.operator} {', '.join(term.values)}"
    return f"{term.key} is {'not ' if negated else ''}{verb}{' or '.join(term.values)}"


def _statements(policies: PolicySet, request: Request) -> Iterator[Statement]:
    """Those of every layer that could speak of the request's action."""
    layers: list[Any] = list(policies)
    while layers:
        layer = layers.pop()
        if isinstance(layer, Policy):
            yield from layer.candidates(request.folded_action)
        elif isinstance(layer, tuple):
            layers += layer
