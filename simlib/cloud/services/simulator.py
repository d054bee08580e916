"""IAM's policy simulator, answered by the engine that decides every other call.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from simlib.cloud.call_context import CallContext
from simlib.cloud.services.documents import span
from simlib.cloud.services.iam_listings import page_of
from simlib.cloud.storage.organizations import membership
from simlib.cloud.storage.stored import parsed
from simlib.cloud.transport.answers import Refusal
from simlib.iam import Evaluation, Policy, PolicyError, PolicySet, Request, RequestError, evaluate
from simlib.iam.decision import GRANTS
from simlib.iam.json_text import read

_DECISIONS = {"ALLOW": "allowed", "EXPLICIT_DENY": "explicitDeny", "IMPLICIT_DENY": "implicitDeny"}
_STRICTNESS = ("ALLOW", "IMPLICIT_DENY", "EXPLICIT_DENY")
_SOURCES = {"PRINCIPAL": "IAM Policy", "PERMISSIONS_BOUNDARY": "IAM Policy", "RESOURCE": "Resource Policy"}
_NOBODY = "user/policy-simulator"  # whom custom policies are simulated for; no policy can name it
_ASSUMED = "AssumedResourcePolicy"  # the name of what stands for a trust or key policy
_VARIABLE = re.compile(r"\$\{\s*([\w:/.@-]+)")


class _Source(NamedTuple):
    """A policy of the simulation and its text, of which places are told."""

    policy: Policy
    text: str


def simulate(context: CallContext) -> Mapping[str, Any]:
    """What an identity's own policies, or policies that are attached to nobody, say to actions on resources."""
    parameters = context.parameters
    source = str(parameters.get("PolicySourceArn") or f"arn:aws:iam::{context.caller.account}:{_NOBODY}")
    identity, boundaries = _sources(context)
    resources = [_parse(str(text), "resource", "ResourcePolicy") for text in [parameters.get("ResourcePolicy")] if text]
    principal = str(parameters.get("CallerArn") or (source if ":group/" not in source else _member_of(source)))
    organization = membership(principal.split(":")[4]) if principal.count(":") >= 5 else None
    scps = organization.scps if organization and not organization.management else ()
    policies = PolicySet(
        identity=tuple(entry.policy for entry in identity),
        permissions_boundary=boundaries[0].policy if boundaries else None,
        resource=resources[0].policy if resources else None,
        scps=tuple(tuple(_parse(each.text, "scp", each.name).policy for each in level) for level in scps),
    )
    keys = {str(e["ContextKeyName"]): [str(v) for v in e.get("ContextKeyValues", [])]
            for e in parameters.get("ContextEntries", [])}  # fmt: skip
    owner = str(parameters["ResourceOwner"]).split(":")[4] if ":" in str(parameters.get("ResourceOwner", "")) else None
    sources = [*identity, *boundaries, *resources]
    results = []
    for action in map(str, parameters.get("ActionNames", [])):
        arns = [str(arn) for arn in parameters.get("ResourceArns") or ["*"]]
        evaluations = [_evaluate(principal, action, arn, owner, keys, policies) for arn in arns]
        result = {"EvalActionName": action, **_result(evaluations, sources)}
        controls = [c.effect for e in evaluations for c in e.checks if c.check_type == "SERVICE_CONTROL_POLICY"]
        if controls:
            allowed = all(effect == "ALLOW" for effect in controls)
            result["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": allowed}
        if parameters.get("ResourceArns"):
            alone = [_result([each], sources) for each in evaluations]
            result["ResourceSpecificResults"] = [{"EvalResourceDecision": e.pop("EvalDecision"), **e} for e in alone]
        results.append(result)
    return page_of(context, {"EvaluationResults": results})


def context_keys(context: CallContext) -> Mapping[str, Any]:
    """The context keys that an identity's policies, or policies that are attached to nobody, ask about."""
    return {"ContextKeyNames": _keys(_sources(context)[0])}


def _sources(context: CallContext) -> tuple[list[_Source], list[_Source]]:
    """The identity-based policies and the boundary: those of a user, group or role of the account, and those given."""
    arn, account = str(context.parameters.get("PolicySourceArn", "")), context.caller.account
    kind, _, path = arn.rpartition(":")[2].partition("/")
    name = path.rpartition("/")[2]
    identity, boundary = context.store.group_documents(account, name) if kind == "group" else None, None
    finders = {"user": context.store.user, "role": context.store.role}
    holder = finders[kind](account, name) if kind in finders else None
    if holder is not None and holder.arn == arn:
        identity, boundary = holder.documents, holder.permissions_boundary
    if arn and identity is None:
        raise Refusal("NoSuchEntity", f"The entity with ARN {arn} cannot be found.", 404)
    stored = [_parse(document.text, "identity", document.name) for document in identity or ()]
    limits = _inputs(context, "PermissionsBoundaryPolicyInputList", "PermissionsBoundary")
    if boundary is not None and not limits:
        limits = [_parse(boundary.text, "boundary", boundary.name)]
    return [*stored, *_inputs(context, "PolicyInputList", "PolicyInputList")], limits


def _evaluate(
    principal: str, action: str, arn: str, owner: str | None, context: Mapping[str, list[str]], policies: PolicySet
) -> Evaluation:
    try:
        request = Request(principal, action, arn, resource_account=owner, context=context)
        if policies.resource is None and request.in_own_account and request.owner_must_allow:
            policies = policies._replace(resource=_delegating(str(request.owner)))
        return evaluate(request, policies)
    except RequestError as error:
        raise Refusal("InvalidInput", f"Invalid Input: {error}", 400) from error


def _delegating(account: str) -> Policy:
    """What stands for a trust or key policy that was not given, so that the identity's policies decide, as at AWS."""
    statement = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "*"}
    return Policy.parse({"Statement": statement}, "resource", name=_ASSUMED)


def _result(evaluations: list[Evaluation], sources: list[_Source]) -> dict[str, Any]:
    """The strictest decision on any of the resources, and why it is so; several are told as `*` (a choice).

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
    """
    strictest = max(evaluations, key=lambda evaluation: _STRICTNESS.index(evaluation.effect))
    decisive = [evaluation for evaluation in evaluations if evaluation.effect == strictest.effect]
    statements = [statement for evaluation in decisive for statement in _matched(evaluation, sources)]
    limits = [c.effect for e in evaluations for c in e.checks if c.check_type == "PERMISSIONS_BOUNDARY"]
    allowed = {"AllowedByPermissionsBoundary": all(effect == "ALLOW" for effect in limits)}
    return {
        "EvalResourceName": strictest.resource if len(evaluations) == 1 else "*",
        "EvalDecision": _DECISIONS[strictest.effect],
        "MatchedStatements": [each for index, each in enumerate(statements) if each not in statements[:index]],
        "MissingContextValues": _missing(strictest, _keys(sources)),
        **_cross_account(strictest),
        **({"PermissionsBoundaryDecisionDetail": allowed} if limits else {}),
    }


def _matched(evaluation: Evaluation, sources: list[_Source]) -> Iterator[Mapping[str, Any]]:
    """The statements that decide, of the policies that were given."""
    for each in evaluation.deciding.statements:
        for source in sources:
            if source.policy is each.policy:
                place = {"SourcePolicyId": each.policy.name, "SourcePolicyType": _SOURCES[each.check_type]}
                yield {**place, **_position(source, each.statement.index)}


def _position(source: _Source, index: int) -> Mapping[str, Any]:
    """Where a statement begins and where it has ended, lines and columns counted from 1 (a choice)."""
    alone = isinstance(source.policy.document["Statement"], Mapping)
    place = read(source.text).place(("Statement",) if alone else ("Statement", index))
    assert place is not None  # the policy was made of this text
    begin, end = span(source.text, *place)
    return {
        name: {"Line": line, "Column": column + 1}
        for name, (line, column, _) in (("StartPosition", begin), ("EndPosition", end))
    }


def _missing(evaluation: Evaluation, keys: list[str]) -> list[str]:
    """The keys the policies ask about and nobody gave; what follows from a real caller counts as given."""
    known = {key.lower() for key in evaluation.request.context}
    if not evaluation.principal.endswith(_NOBODY):
        known |= {key.lower() for key in evaluation.context}
    return [key for key in keys if key.lower() not in known]


def _cross_account(evaluation: Evaluation) -> Mapping[str, Any]:
    """What each side says, where caller and resource belong to two accounts.

    In one account AWS says nothing of it, and looks at the identity's policies alone. That a trust policy or a key
    policy must allow, too, is the lab's own remark.
    """
    request = evaluation.request
    details = {_SOURCES[c.check_type]: _DECISIONS[c.effect] for c in evaluation.checks if c.check_type in GRANTS}
    if not request.in_own_account:
        return {"EvalDecisionDetails": details}
    if evaluation.policies.resource is None or evaluation.policies.resource.name != _ASSUMED:
        return {}
    kind = "trust policy of the role" if request.is_trust_question else "policy of the key"
    return {"EvalDecisionDetails": {**details, "Resource Policy": f"not simulated: the {kind} must allow it, too"}}


def _inputs(context: CallContext, member: str, name: str) -> list[_Source]:
    texts = context.parameters.get(member, [])
    return [_parse(str(text), "identity", f"{name}.{number}") for number, text in enumerate(texts, 1)]


def _parse(text: str, kind: str, name: str) -> _Source:
    try:
        return _Source(parsed(text, kind, name), text)
    except PolicyError as error:
        raise Refusal("InvalidInput", f"Invalid policy {name}: {error.problems[0]}", 400) from error


def _member_of(group: str) -> str:
    return f"arn:aws:iam::{group.split(':')[4]}:{_NOBODY}"


def _keys(policies: Iterable[_Source]) -> list[str]:
    """The context keys in conditions and variables, each once, in the order of the documents."""
    keys: dict[str, str] = {}
    for entry in policies:
        for name in _names(entry.policy.document):
            keys.setdefault(name.lower(), name)
    return list(keys.values())


def _names(document: Mapping[str, Any]) -> Iterator[str]:
    statements = document.get("Statement", [])
    for statement in [statements] if isinstance(statements, Mapping) else statements:
        for keys in statement.get("Condition", {}).values():
            yield from keys
        yield from _VARIABLE.findall(str({**statement, "Sid": ""}))


ANSWERS = {
    "iam:SimulatePrincipalPolicy": simulate,
    "iam:SimulateCustomPolicy": simulate,
    "iam:GetContextKeysForPrincipalPolicy": context_keys,
    "iam:GetContextKeysForCustomPolicy": context_keys,
}
