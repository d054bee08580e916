"""IAM's policy simulator, answered by the engine that decides every other call.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from simlib.cloud.call_context import CallContext
from simlib.cloud.permissions.permission import account_of
from simlib.cloud.services.documents import span
from simlib.cloud.services.iam_listings import page_of
from simlib.cloud.services.named_principals import statements
from simlib.cloud.storage import store
from simlib.cloud.storage.organizations import membership
from simlib.cloud.storage.stored import StoredDocument, as_list, cached_policy
from simlib.cloud.transport.answers import Refusal
from simlib.iam import Evaluation, Policy, PolicyError, PolicySet, Request, RequestError, evaluate
from simlib.iam.decision import GRANTS
from simlib.iam.json_text import parse

_DECISIONS = {"ALLOW": "allowed", "IMPLICIT_DENY": "implicitDeny", "EXPLICIT_DENY": "explicitDeny"}  # ever stricter
_SOURCES = {"PRINCIPAL": "IAM Policy", "PERMISSIONS_BOUNDARY": "IAM Policy", "RESOURCE": "Resource Policy"}
_NOBODY = "user/policy-simulator"  # whom custom policies are simulated for; no policy can name it
_ASSUMED = "AssumedResourcePolicy"  # the name of what stands for a trust or key policy
_VARIABLE = re.compile(r"\$\{\s*([\w:/.@-]+)")

Texts = dict[Policy, str]  # the policies of a simulation with their texts, of which places are told


def simulate(context: CallContext) -> Mapping[str, Any]:
    """What an identity's own policies, or policies that are attached to nobody, say to actions on resources."""
    asked, texts = context.parameters, Texts()
    source = str(asked.get("PolicySourceArn") or f"arn:aws:iam::{context.caller.account}:{_NOBODY}")
    identity, boundaries = _policies(context, texts)
    resource = (
        _parse(texts, str(asked["ResourcePolicy"]), "resource", "ResourcePolicy")
        if asked.get("ResourcePolicy")
        else None
    )
    principal = str(asked.get("CallerArn") or re.sub("(?<=:)group/.*", _NOBODY, source))
    organization = membership(account_of(principal) or "")
    scps = organization.scps if organization and not organization.management else ()
    policies = PolicySet(
        identity=tuple(identity),
        permissions_boundary=boundaries[0] if boundaries else None,
        resource=resource,
        scps=tuple(tuple(cached_policy(each.text, "scp", each.name) for each in level) for level in scps),
    )
    keys = {str(entry["ContextKeyName"]): [str(value) for value in entry.get("ContextKeyValues", [])]
            for entry in asked.get("ContextEntries", [])}  # fmt: skip
    owner, results = account_of(str(asked.get("ResourceOwner", ""))), []
    for action in map(str, asked.get("ActionNames", [])):
        arns = [str(arn) for arn in asked.get("ResourceArns") or ["*"]]
        evaluations = [_evaluate(principal, action, arn, owner, keys, policies) for arn in arns]
        result = {"EvalActionName": action, **_result(evaluations, texts)}
        result |= _limit(evaluations, "SERVICE_CONTROL_POLICY", "Organizations")
        if asked.get("ResourceArns"):
            alone = [_result([each], texts) for each in evaluations]
            result["ResourceSpecificResults"] = [{"EvalResourceDecision": e.pop("EvalDecision"), **e} for e in alone]
        results.append(result)
    return page_of(context, {"EvaluationResults": results})


def context_keys(context: CallContext) -> Mapping[str, Any]:
    """The context keys that an identity's policies, or policies that are attached to nobody, ask about."""
    return {"ContextKeyNames": _keys(_policies(context, {})[0])}


def _policies(context: CallContext, texts: Texts) -> tuple[list[Policy], list[Policy]]:
    """The identity-based policies and the boundary: those of a user, group or role of the account, and those given."""
    asked, account = context.parameters, context.caller.account
    arn = str(asked.get("PolicySourceArn", ""))
    holder = store.identity_at(arn)
    if arn and (holder is None or holder.account != account):
        raise Refusal("NoSuchEntity", f"The entity with ARN {arn} cannot be found.", 404)
    given = {  # how answers call what is given
        name: [StoredDocument(f"{name}.{number}", str(text)) for number, text in enumerate(asked.get(member, ()), 1)]
        for member, name in (("PolicyInputList", "PolicyInputList"),
                             ("PermissionsBoundaryPolicyInputList", "PermissionsBoundary"))
    }  # fmt: skip
    granting = [*(holder.documents if holder else ()), *given["PolicyInputList"]]
    limits = given["PermissionsBoundary"] or as_list(holder.permissions_boundary if holder else None)
    return (
        [_parse(texts, each.text, "identity", each.name) for each in granting],
        [_parse(texts, each.text, "boundary", each.name) for each in limits],
    )


def _parse(texts: Texts, text: str, kind: str, name: str) -> Policy:
    try:
        policy = cached_policy(text, kind, name)
    except PolicyError as error:
        raise Refusal("InvalidInput", f"Invalid policy {name}: {error.problems[0]}", 400) from error
    texts[policy] = text
    return policy


def _evaluate(
    principal: str, action: str, arn: str, owner: str | None, context: Mapping[str, list[str]], policies: PolicySet
) -> Evaluation:
    try:
        request = Request(principal, action, arn, resource_account=owner, context=context)
        if policies.resource is None and request.in_own_account and request.owner_must_allow:
            # stands for a trust or key policy that was not given, so that the identity's policies decide, as at AWS
            statement = {"Effect": "Allow", "Principal": {"AWS": str(request.owner)}, "Action": "*"}
            policies = policies._replace(resource=Policy.parse({"Statement": statement}, "resource", name=_ASSUMED))
        return evaluate(request, policies)
    except RequestError as error:
        raise Refusal("InvalidInput", f"Invalid Input: {error}", 400) from error


def _result(evaluations: list[Evaluation], texts: Texts) -> dict[str, Any]:
    """The strictest decision on any of the resources, and why it is so; several are told as `*` (a choice).

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
    """
    strictest = max(evaluations, key=lambda evaluation: list(_DECISIONS).index(evaluation.effect))
    decisive = [evaluation for evaluation in evaluations if evaluation.effect == strictest.effect]
    matched = [statement for evaluation in decisive for statement in _matched(evaluation, texts)]
    known = {key.lower() for key in strictest.request.context}
    if not strictest.principal.endswith(_NOBODY):  # what follows from a real caller counts as given
        known |= {key.lower() for key in strictest.context}
    return {
        "EvalResourceName": strictest.resource if len(evaluations) == 1 else "*",
        "EvalDecision": _DECISIONS[strictest.effect],
        "MatchedStatements": [each for index, each in enumerate(matched) if each not in matched[:index]],
        "MissingContextValues": [key for key in _keys(texts) if key.lower() not in known],
        **_cross_account(strictest),
        **_limit(evaluations, "PERMISSIONS_BOUNDARY", "PermissionsBoundary"),
    }


def _limit(evaluations: list[Evaluation], check_type: str, name: str) -> dict[str, Any]:
    """Whether a limit allows what is asked, where there is one."""
    effects = [check.effect for each in evaluations for check in each.checks if check.check_type == check_type]
    allowed = all(effect == "ALLOW" for effect in effects)
    return {f"{name}DecisionDetail": {f"AllowedBy{name}": allowed}} if effects else {}


def _matched(evaluation: Evaluation, texts: Texts) -> Iterator[Mapping[str, Any]]:
    """The statements that decide, of the policies that were given; lines and columns count from 1 (a choice)."""
    for each in evaluation.deciding.statements:
        if text := texts.get(each.policy):
            begin, end = span(text, *(parse(text).place(each.statement.path) or (1, 1)))
            yield {
                "SourcePolicyId": each.policy.name,
                "SourcePolicyType": _SOURCES[each.check_type],
                "StartPosition": {"Line": begin[0], "Column": begin[1] + 1},
                "EndPosition": {"Line": end[0], "Column": end[1] + 1},
            }


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


def _keys(policies: Iterable[Policy]) -> list[str]:
    """The context keys in conditions and variables, each once, in the order of the documents."""
    keys: dict[str, str] = {}
    for statement in (each for policy in policies for each in statements(policy.document)):
        compared = chain.from_iterable(statement.get("Condition", {}).values())
        for name in (*compared, *_VARIABLE.findall(str({**statement, "Sid": ""}))):
            keys.setdefault(name.lower(), name)
    return list(keys.values())


ANSWERS = {
    "iam:SimulatePrincipalPolicy": simulate,
    "iam:SimulateCustomPolicy": simulate,
    "iam:GetContextKeysForPrincipalPolicy": context_keys,
    "iam:GetContextKeysForCustomPolicy": context_keys,
}
