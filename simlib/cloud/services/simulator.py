"""IAM's policy simulator, answered by the engine that decides every other call.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from simlib.cloud.call_context import CallContext
from simlib.cloud.services.iam_listings import page_of
from simlib.cloud.storage.organizations import membership
from simlib.cloud.storage.stored import StoredDocument, parsed
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


class _Simulation(NamedTuple):
    """The policies' texts, by the identity of the policy, and the context keys they ask about."""

    texts: Mapping[int, str]
    keys: list[str]

    def position(self, policy: Policy, index: int) -> Mapping[str, Any]:
        """Where a statement begins and where it has ended, lines and columns counted from 1 (a choice)."""
        text = self.texts[id(policy)]
        alone = isinstance(policy.document["Statement"], Mapping)
        place = read(text).place(("Statement",) if alone else ("Statement", index))
        assert place is not None  # the policy was made of this text
        line, column = place
        begin = sum(len(before) + 1 for before in text.split("\n")[: line - 1]) + column - 1
        _, end = json.JSONDecoder().raw_decode(text, begin)
        last = {"Line": text.count("\n", 0, end) + 1, "Column": end - text.rfind("\n", 0, end)}
        return {"StartPosition": {"Line": line, "Column": column}, "EndPosition": last}


def simulate_principal_policy(context: CallContext) -> Mapping[str, Any]:
    """What an identity's own policies say to a list of actions on a list of resources."""
    source = str(context.parameters["PolicySourceArn"])
    documents, boundary = _policies_of(context, source)
    added = context.parameters.get("PolicyInputList", [])
    identity = [_parse(document.text, "identity", document.name) for document in documents]
    identity += _inputs(added, "PolicyInputList")
    boundaries = _inputs(context.parameters.get("PermissionsBoundaryPolicyInputList", []), "PermissionsBoundary")
    if boundary is not None and not boundaries:
        boundaries = [_parse(boundary.text, "boundary", boundary.name)]
    return _simulate(context, source, identity, boundaries)


def simulate_custom_policy(context: CallContext) -> Mapping[str, Any]:
    """What policies that are attached to nobody say."""
    identity = _inputs(context.parameters.get("PolicyInputList", []), "PolicyInputList")
    boundaries = _inputs(context.parameters.get("PermissionsBoundaryPolicyInputList", []), "PermissionsBoundary")
    return _simulate(context, f"arn:aws:iam::{context.caller.account}:{_NOBODY}", identity, boundaries)


def context_keys_for_principal(context: CallContext) -> Mapping[str, Any]:
    """The context keys that an identity's policies ask about."""
    documents, _ = _policies_of(context, str(context.parameters["PolicySourceArn"]))
    policies = [_parse(document.text, "identity", document.name) for document in documents]
    return {"ContextKeyNames": _keys([*policies, *_inputs(context.parameters.get("PolicyInputList", []), "")])}


def context_keys_for_custom(context: CallContext) -> Mapping[str, Any]:
    """The context keys that these policies ask about."""
    return {"ContextKeyNames": _keys(_inputs(context.parameters.get("PolicyInputList", []), ""))}


def _simulate(
    context: CallContext, source: str, identity: list[_Source], boundaries: list[_Source]
) -> Mapping[str, Any]:
    parameters = context.parameters
    resources = [_parse(str(text), "resource", "ResourcePolicy") for text in [parameters.get("ResourcePolicy")] if text]
    principal = str(parameters.get("CallerArn") or (source if ":group/" not in source else _member_of(source)))
    organization = membership(principal.split(":")[4]) if principal.count(":") >= 5 else None
    policies = PolicySet(
        identity=tuple(entry.policy for entry in identity),
        permissions_boundary=boundaries[0].policy if boundaries else None,
        resource=resources[0].policy if resources else None,
        scps=tuple(
            tuple(_parse(document.text, "scp", document.name).policy for document in level)
            for level in organization.scps
        )
        if organization and not organization.management
        else (),
    )
    keys = _context(parameters.get("ContextEntries", []))
    owner = str(parameters["ResourceOwner"]).split(":")[4] if ":" in str(parameters.get("ResourceOwner", "")) else None
    texts = {id(entry.policy): entry.text for entry in [*identity, *boundaries, *resources]}
    simulation = _Simulation(texts, _keys([*identity, *boundaries, *resources]))
    named = [str(arn) for arn in parameters.get("ResourceArns") or ()]
    results = [
        _aggregate(
            [_evaluate(principal, str(action), arn, owner, keys, policies) for arn in named or ["*"]],
            simulation,
            with_resources=bool(named),
        )
        for action in parameters.get("ActionNames", [])
    ]
    return page_of(context, {"EvaluationResults": results})


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


def _aggregate(evaluations: list[Evaluation], simulation: _Simulation, *, with_resources: bool) -> Mapping[str, Any]:
    """One action's result: the strictest decision on any resource, and below it each resource's own.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html; a result on several resources names
    `*` (a choice).
    """
    strictest = max(evaluations, key=lambda evaluation: _STRICTNESS.index(evaluation.effect))
    decisive = [evaluation for evaluation in evaluations if evaluation.effect == strictest.effect]
    statements = [statement for evaluation in decisive for statement in _matched(evaluation, simulation)]
    result: dict[str, Any] = {
        "EvalActionName": strictest.action,
        "EvalResourceName": strictest.resource if len(evaluations) == 1 else "*",
        "EvalDecision": _DECISIONS[strictest.effect],
        "MatchedStatements": [s for index, s in enumerate(statements) if s not in statements[:index]],
        "MissingContextValues": _missing(strictest, simulation.keys),
        **_cross_account(strictest),
        **_boundary_detail(evaluations),
    }
    controls = [c.effect for e in evaluations for c in e.checks if c.check_type == "SERVICE_CONTROL_POLICY"]
    if controls:
        result["OrganizationsDecisionDetail"] = {
            "AllowedByOrganizations": all(effect == "ALLOW" for effect in controls)
        }
    if with_resources:
        result["ResourceSpecificResults"] = [_on_resource(evaluation, simulation) for evaluation in evaluations]
    return result


def _on_resource(evaluation: Evaluation, simulation: _Simulation) -> Mapping[str, Any]:
    return {
        "EvalResourceName": evaluation.resource,
        "EvalResourceDecision": _DECISIONS[evaluation.effect],
        "MatchedStatements": list(_matched(evaluation, simulation)),
        "MissingContextValues": _missing(evaluation, simulation.keys),
        **_cross_account(evaluation),
        **_boundary_detail([evaluation]),
    }


def _matched(evaluation: Evaluation, simulation: _Simulation) -> Iterator[Mapping[str, Any]]:
    """The statements that decide, of the policies that were given."""
    for each in evaluation.deciding.statements:
        if id(each.policy) in simulation.texts:
            source = {"SourcePolicyId": each.policy.name, "SourcePolicyType": _SOURCES[each.check_type]}
            yield {**source, **simulation.position(each.policy, each.statement.index)}


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


def _boundary_detail(evaluations: list[Evaluation]) -> Mapping[str, Any]:
    effects = [c.effect for e in evaluations for c in e.checks if c.check_type == "PERMISSIONS_BOUNDARY"]
    allowed = all(effect == "ALLOW" for effect in effects)
    return {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": allowed}} if effects else {}


def _policies_of(context: CallContext, arn: str) -> tuple[Iterable[StoredDocument], StoredDocument | None]:
    """The policies attached to a user, group or role of the caller's account, and its boundary."""
    kind, _, path = arn.rpartition(":")[2].partition("/")
    name, account = path.rpartition("/")[2], context.caller.account
    if kind == "group" and (documents := context.store.group_documents(account, name)) is not None:
        return documents, None
    finders = {"user": context.store.user, "role": context.store.role}
    identity = finders[kind](account, name) if kind in finders else None
    if identity is None or identity.arn != arn:
        raise Refusal("NoSuchEntity", f"The entity with ARN {arn} cannot be found.", 404)
    return identity.documents, identity.permissions_boundary


def _inputs(texts: Iterable[str], name: str) -> list[_Source]:
    return [_parse(str(text), "identity", f"{name}.{number}") for number, text in enumerate(texts, 1)]


def _parse(text: str, kind: str, name: str) -> _Source:
    try:
        return _Source(parsed(text, kind, name), text)
    except PolicyError as error:
        raise Refusal("InvalidInput", f"Invalid policy {name}: {error.problems[0]}", 400) from error


def _context(entries: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    return {str(entry["ContextKeyName"]): [str(v) for v in entry.get("ContextKeyValues", [])] for entry in entries}


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
    "iam:SimulatePrincipalPolicy": simulate_principal_policy,
    "iam:SimulateCustomPolicy": simulate_custom_policy,
    "iam:GetContextKeysForPrincipalPolicy": context_keys_for_principal,
    "iam:GetContextKeysForCustomPolicy": context_keys_for_custom,
}
